#include "run/api/tangling.h"

#include "engine/journey/tangle.h"

struct tangling {
    struct call    *call;
    struct str      text;
    struct tangles *found;
    enum err        err;
};

static bool tangling_ask(struct engine *engine, struct task *task)
{
    struct tangling     *tangling = task->context;
    struct program      *program = engine_program(engine);
    struct segment_names names = program_names(program, false);
    struct journey       journey;
    /* A journey that names what is not there yet is refused elsewhere, and said there. */
    if (journey_parse(tangling->call->arena, tangling->text, &names, &journey, NULL) == OK)
        tangling->err = tangles_find(program, &journey, tangling->found);
    return true;
}

static struct str blanks_skip(struct str text)
{
    while (text.len > 0 && (text.ptr[0] == ' ' || (text.ptr[0] >= '\t' && text.ptr[0] <= '\r')))
        text = str_slice(text, 1, text.len);
    return text;
}

/* Does `"id": "that"` begin here? */
static bool is_id(struct str text, struct str id)
{
    if (!str_starts(text, STR("\"id\"")))
        return false;
    text = blanks_skip(str_slice(text, 4, text.len));
    if (!str_starts(text, STR(":")))
        return false;
    text = blanks_skip(str_slice(text, 1, text.len));
    return str_starts(text, STR("\"")) && str_starts(str_slice(text, 1, text.len), id) &&
           text.len > id.len + 1 && text.ptr[id.len + 1] == '"';
}

/* Of the node with that id; 1 where it is not found, as in an id that is written by escapes. */
static uint32_t line_of(struct str text, struct str id)
{
    uint32_t line = 1;
    for (size_t at = 0; at < text.len && id.len > 0; at++) {
        line += text.ptr[at] == '\n';
        if (is_id(str_slice(text, at, text.len), id))
            return line;
    }
    return 1;
}

enum err tangling_write(struct call *call, struct str text, struct buf *out, bool *any)
{
    struct tangling tangling = { .call = call,
                                 .text = text,
                                 .found = ARENA_NEW(call->arena, struct tangles) };
    if (tangling.found == NULL)
        return ERR_MEMORY;
    TRY(call_ask(call, tangling_ask, &tangling));
    TRY(tangling.err);
    for (uint32_t i = 0; i < tangling.found->count; i++) {
        const struct tangle *tangle = &tangling.found->items[i];
        bool                 first = true;
        buf_str(out, *any ? STR(",{") : STR("{"));
        *any = true;
        write_text(out, &first, "severity", STR("warning"));
        write_text(out, &first, "part", STR("journey"));
        write_int(out, &first, "line", line_of(text, tangle->node));
        write_text(out, &first, "about", STR("flow"));
        if (tangle->node.len > 0)
            write_text(out, &first, "node", tangle->node);
        write_text(out, &first, "what",
                   str_format(call->arena, "%s%.*s%s%s", tangle->node.len > 0 ? "\"" : "",
                              STR_ARG(tangle->node), tangle->node.len > 0 ? "\": " : "",
                              tangle->what));
        write_text(out, &first, "remedy", str_of(tangle->remedy));
        buf_char(out, '}');
    }
    return buf_err(out);
}
