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

/* Where the text writes `"id": "that"`; 1 where it is not found, as in a text of one line. */
static uint32_t line_of(struct str text, struct str id)
{
    uint32_t line = 1, from = 1;
    for (size_t at = 0; at < text.len && id.len > 0; at++) {
        struct str rest = str_slice(text, at, text.len);
        line += text.ptr[at] == '\n';
        if (str_starts(rest, STR("\"id\"")))
            from = line;
        if (text.ptr[at] == '"' && str_starts(str_slice(rest, 1, rest.len), id) &&
            id.len + 1 < rest.len && rest.ptr[id.len + 1] == '"' && from == line)
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
        write_text(out, &first, "about", STR("tangle"));
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
