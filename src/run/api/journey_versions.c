/* Every version of a journey that was published: listed, shown, compared, and taken up again. */
#include "run/api/publishing.h"

#include <string.h>

#include "engine/program.h"

enum { VERSIONS_MAX = 10000, PEOPLE_A_TURN = 20000 };

struct version_row {
    uint32_t   version; /* the record's number; 0 would be none */
    int64_t    at_ms;
    struct str author, text; /* text empty: it was deleted */
    uint64_t   inside;
};

/* In the order in which they were published; a version's number is its place, from 1. */
struct versions {
    struct call        *call;
    struct str          name;
    struct version_row *items;
    uint32_t            count, room;
    uint32_t            number, cursor; /* of the journey; of people who were counted */
    bool                is_begun;
};

static enum err row_each(void *ctx, const struct store_definition *row)
{
    struct versions *versions = ctx;
    struct arena    *arena = versions->call->arena;
    if (row->kind != DEFINE_JOURNEY || !str_eq(row->name, versions->name))
        return OK;
    if (versions->count == VERSIONS_MAX)
        return ERR_LIMIT;
    if (versions->count == versions->room) {
        uint32_t            room = versions->room == 0 ? 16 : versions->room * 2;
        struct version_row *items = ARENA_ARRAY(arena, room, struct version_row);
        if (items == NULL)
            return ERR_MEMORY;
        if (versions->count > 0)
            memcpy(items, versions->items, versions->count * sizeof *items);
        versions->items = items;
        versions->room = room;
    }
    versions->items[versions->count++] =
        (struct version_row){ .version = row->version,
                              .at_ms = row->at_ms,
                              .author = str_copy(arena, row->author),
                              .text = str_copy(arena, row->text) };
    return OK;
}

static enum err versions_read(struct call *call, struct versions *versions)
{
    *versions = (struct versions){ .call = call, .name = call_param(call, "name") };
    TRY(store_definitions_read(call->desk->reader, 0, row_each, versions));
    if (versions->count > 0)
        return OK;
    return problem_format(
        &call->problem, ERR_ABSENT, "name", "Look at the list, or put one there with `dult apply`.",
        "There is no journey \"%.*s\".", STR_ARG(str_slice(versions->name, 0, 128)));
}

/* The version of that number; `where` names the parameter. */
static enum err version_of(struct versions *versions, struct str word, const char *where,
                           const struct version_row **out)
{
    int64_t number;
    if (str_to_int(word, &number) != OK || number < 1 || number > versions->count)
        return problem_format(&versions->call->problem, ERR_ABSENT, where,
                              "`dult journey history` lists them, from 1.",
                              "The journey has no version %.*s.", STR_ARG(str_slice(word, 0, 20)));
    *out = &versions->items[number - 1];
    if ((*out)->text.len > 0)
        return OK;
    return problem_format(&versions->call->problem, ERR_INPUT, where, "Name the one before it.",
                          "With version %lld the journey was deleted.", (long long)number);
}

/* ---- who is inside of which ---- */

static void person_count(struct versions *versions, const struct state *state)
{
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        const struct enrollment *e = &state->rare->enrollments.items[i];
        if (e->journey != versions->number || !enrollment_is_inside(e))
            continue;
        for (uint32_t k = 0; k < versions->count; k++)
            versions->items[k].inside += versions->items[k].version == e->version;
    }
}

static bool inside_ask(struct engine *engine, struct task *task)
{
    struct versions     *versions = task->context;
    const struct people *people = engine_people(engine);
    uint32_t             all = people_count(people);
    if (!versions->is_begun)
        versions->number = program_journey(engine_program(engine), versions->name);
    versions->is_begun = true;
    if (versions->number == SEGMENT_NO_ID)
        return true;
    uint32_t end = all - versions->cursor > PEOPLE_A_TURN ? versions->cursor + PEOPLE_A_TURN : all;
    for (; versions->cursor < end; versions->cursor++)
        if (people_root(people, versions->cursor) == versions->cursor)
            person_count(versions, people_state_get(people, versions->cursor));
    return end == all;
}

enum err journey_versions(struct call *call)
{
    struct versions versions;
    bool            first = true;
    TRY(versions_read(call, &versions));
    TRY(call_ask(call, inside_ask, &versions));
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "journey", versions.name);
    json_write_key(&call->out, &first, "items");
    for (uint32_t i = 0; i < versions.count; i++) {
        const struct version_row *row = &versions.items[i];
        bool                      one = true;
        buf_str(&call->out, i == 0 ? STR("[{") : STR(",{"));
        write_int(&call->out, &one, "number", i + 1);
        write_int(&call->out, &one, "version", row->version);
        write_time(&call->out, &one, "changed", row->at_ms);
        write_text(&call->out, &one, "author", row->author);
        write_int(&call->out, &one, "inside", (int64_t)row->inside);
        if (row->text.len == 0)
            buf_str(&call->out, STR(",\"deleted\":true"));
        buf_char(&call->out, '}');
    }
    buf_str(&call->out, STR("]}"));
    return OK;
}

enum err journey_version_show(struct call *call)
{
    struct versions           versions;
    const struct version_row *row;
    bool                      first = true;
    TRY(versions_read(call, &versions));
    TRY(version_of(&versions, call_param(call, "number"), "number", &row));
    if (call_flag(call, "raw")) {
        call->type = STR("text/plain; charset=utf-8");
        buf_str(&call->out, row->text);
        return OK;
    }
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "journey", versions.name);
    write_int(&call->out, &first, "version", row->version);
    write_time(&call->out, &first, "changed", row->at_ms);
    write_text(&call->out, &first, "author", row->author);
    write_text(&call->out, &first, "text", row->text);
    buf_char(&call->out, '}');
    return OK;
}

/* ---- what changed from one to another ---- */

static enum err texts_are_equal(const struct json *a, const struct json *b, bool *equal)
{
    SCOPED(buf_donep) struct buf left = buf_make(JOURNEY_TEXT_BYTES_MAX * 2);
    SCOPED(buf_donep) struct buf right = buf_make(JOURNEY_TEXT_BYTES_MAX * 2);
    *equal = a == NULL && b == NULL;
    if (a == NULL || b == NULL)
        return OK;
    json_write(&left, a);
    json_write(&right, b);
    TRY(buf_err(&left));
    TRY(buf_err(&right));
    *equal = str_eq(buf_view(&left), buf_view(&right));
    return OK;
}

static void side_write(struct buf *out, bool *first, const char *key, const struct json *value)
{
    if (value == NULL)
        return;
    json_write_key(out, first, key);
    json_write(out, value);
}

/* {"id" or "name", "change", "before"?, "after"?} where the two differ. */
static enum err change_write(struct buf *out, bool *any, const char *key, struct str name,
                             const struct json *before, const struct json *after)
{
    bool equal, first = true;
    TRY(texts_are_equal(before, after, &equal));
    if (equal)
        return OK;
    buf_str(out, *any ? STR(",{") : STR("{"));
    *any = true;
    write_text(out, &first, key, name);
    write_text(out, &first, "change",
               before == NULL  ? STR("added")
               : after == NULL ? STR("removed")
                               : STR("changed"));
    side_write(out, &first, "before", before);
    side_write(out, &first, "after", after);
    buf_char(out, '}');
    return OK;
}

static const struct json *node_of(const struct json *journey, struct str id)
{
    const struct json *nodes = json_get(journey, STR("nodes"));
    for (uint32_t i = 0; nodes != NULL && nodes->kind == JSON_ARRAY && i < nodes->count; i++)
        if (str_eq(json_get_str(&nodes->items[i], STR("id")), id))
            return &nodes->items[i];
    return NULL;
}

/* Those of one journey, beside the other's; the second time only what the first has not. */
static enum err nodes_write(struct buf *out, bool *any, const struct json *from,
                            const struct json *to, bool is_second)
{
    const struct json *nodes = json_get(is_second ? from : to, STR("nodes"));
    for (uint32_t i = 0; nodes != NULL && nodes->kind == JSON_ARRAY && i < nodes->count; i++) {
        struct str id = json_get_str(&nodes->items[i], STR("id"));
        if (is_second && node_of(to, id) != NULL)
            continue;
        TRY(change_write(out, any, "id", id, node_of(from, id), node_of(to, id)));
    }
    return OK;
}

static enum err rules_write(struct buf *out, bool *any, const struct json *from,
                            const struct json *to, bool is_second)
{
    const struct json *which = is_second ? from : to;
    for (uint32_t i = 0; which->kind == JSON_OBJECT && i < which->count; i++) {
        struct str key = which->members[i].key;
        if (str_eq(key, STR("nodes")) || (is_second && json_get(to, key) != NULL))
            continue;
        TRY(change_write(out, any, "name", key, json_get(from, key), json_get(to, key)));
    }
    return OK;
}

enum err journey_changes_write(struct call *call, struct str name, struct str from, struct str to)
{
    struct json before, after;
    struct buf *out = &call->out;
    bool        first = true, any = false;
    TRY(json_parse_once(call->arena, from, &before, &call->problem));
    TRY(json_parse_once(call->arena, to, &after, &call->problem));
    buf_char(out, '{');
    write_text(out, &first, "journey", name);
    json_write_key(out, &first, "rules");
    buf_char(out, '[');
    TRY(rules_write(out, &any, &before, &after, false));
    TRY(rules_write(out, &any, &before, &after, true));
    buf_char(out, ']');
    json_write_key(out, &first, "nodes");
    buf_char(out, '[');
    any = false;
    TRY(nodes_write(out, &any, &before, &after, false));
    TRY(nodes_write(out, &any, &before, &after, true));
    buf_str(out, STR("]}"));
    return buf_err(out);
}

enum err journey_changes(struct call *call)
{
    struct versions           versions;
    const struct version_row *from, *to;
    TRY(versions_read(call, &versions));
    TRY(version_of(&versions, call_param(call, "number"), "number", &to));
    TRY(version_of(&versions, call_query(call, "from"), "from", &from));
    return journey_changes_write(call, versions.name, from->text, to->text);
}

/* Nothing that was published is changed: the old text becomes a new version. */
enum err journey_rollback(struct call *call)
{
    struct versions           versions;
    const struct version_row *row;
    TRY(versions_read(call, &versions));
    TRY(version_of(&versions, call_query(call, "to"), "to", &row));
    return definition_publish(call, DEFINE_JOURNEY, versions.name, row->text);
}
