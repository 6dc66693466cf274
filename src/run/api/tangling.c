#include "run/api/tangling.h"

#include "engine/journey/tangle.h"

struct tangling {
    struct call    *call;
    struct str      text, name; /* one of the two: of a draft, of what is in force */
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

/* What is in force may be replaced at any time: the ids that were found are copied. */
static bool live_ask(struct engine *engine, struct task *task)
{
    struct tangling              *tangling = task->context;
    const struct program         *program = engine_program(engine);
    uint32_t                      number = program_journey(program, tangling->name);
    const struct journey_version *live =
        number == SEGMENT_NO_ID ? NULL : program_journey_live(program, number);
    if (live != NULL)
        tangling->err = tangles_find(program, &live->journey, tangling->found);
    for (uint32_t i = 0; i < tangling->found->count && tangling->err == OK; i++) {
        struct str *node = &tangling->found->items[i].node;
        *node = str_copy(tangling->call->arena, *node);
        tangling->err = node->ptr == NULL ? ERR_MEMORY : OK;
    }
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

static void rows_write(const struct tangling *tangling, struct buf *out, bool *any)
{
    struct call *call = tangling->call;
    for (uint32_t i = 0; i < tangling->found->count; i++) {
        const struct tangle *tangle = &tangling->found->items[i];
        bool                 first = true;
        buf_str(out, *any ? STR(",{") : STR("{"));
        *any = true;
        if (tangling->name.len > 0) {
            write_text(out, &first, "kind", STR("journey"));
            write_text(out, &first, "name", tangling->name);
        }
        write_text(out, &first, "severity", STR("warning"));
        write_text(out, &first, "part", STR("journey"));
        write_int(out, &first, "line", line_of(tangling->text, tangle->node));
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
}

static enum err found_write(struct call *call, struct tangling tangling, struct buf *out, bool *any)
{
    tangling.call = call;
    tangling.found = ARENA_NEW(call->arena, struct tangles);
    if (tangling.found == NULL)
        return ERR_MEMORY;
    TRY(call_ask(call, tangling.name.len > 0 ? live_ask : tangling_ask, &tangling));
    TRY(tangling.err);
    rows_write(&tangling, out, any);
    return buf_err(out);
}

enum err tangling_write(struct call *call, struct str text, struct buf *out, bool *any)
{
    return found_write(call, (struct tangling){ .text = text }, out, any);
}

enum err tangling_write_live(struct call *call, struct str name, struct buf *out, bool *any)
{
    return found_write(call, (struct tangling){ .name = name }, out, any);
}
