#include "engine/segment/segment_said.h"

#include <stdio.h>

#include "engine/segment/segment_tree.h"

/* Where it is read to, and whom its mistakes are told. */
struct saying {
    struct arena   *arena;
    struct problem *problem;
};

/* The place in a text gets the field before it: "steps[1] 1:14". */
static enum err in_field(const struct saying *saying, enum err err, const char *field)
{
    char place[sizeof saying->problem->where];
    if (err == OK || err == ERR_MEMORY)
        return err;
    snprintf(place, sizeof place, "%s %.100s", field, saying->problem->where);
    snprintf(saying->problem->where, sizeof saying->problem->where, "%s", place);
    return err;
}

static enum err text_parse(const struct saying *saying, const char *field, struct str text,
                           const struct segment_node **out)
{
    if (text.ptr == NULL)
        return ERR_MEMORY;
    return in_field(saying, segment_parse(saying->arena, text, out, saying->problem), field);
}

/* A name as people write it, perhaps with `where` after it. */
static enum err name_parse(const struct saying *saying, const char *field, struct str text,
                           const struct segment_node **out)
{
    size_t                       split = str_find(text, 0, STR(" where "));
    SCOPED(buf_donep) struct buf said = buf_make(SEGMENT_TEXT_BYTES_MAX);
    buf_str(&said, STR("did "));
    json_write_str(&said, str_trim(str_slice(text, 0, split)));
    buf_str(&said, str_slice(text, split, text.len));
    TRY(buf_err(&said));
    return text_parse(saying, field, str_copy(saying->arena, buf_view(&said)), out);
}

static enum err event_parse(const struct saying *saying, const char *field, struct str text,
                            const struct segment_node **out)
{
    struct problem ignored;
    text = str_trim(text);
    if (text.len == 0)
        return problem_set(saying->problem, ERR_INPUT, field, "Which event?",
                           "Name one, such as \"Order Completed\".");
    if (text.ptr[0] == '"' || str_eq(text, STR("anything")))
        return text_parse(saying, field, str_format(saying->arena, "did %.*s", STR_ARG(text)), out);
    if (segment_parse(saying->arena, text, out, &ignored) == OK && (*out)->kind == SEGMENT_DID)
        return OK;
    return name_parse(saying, field, text, out);
}

static enum err where_parse(const struct saying *saying, const struct json *where,
                            const struct segment_node **out)
{
    const struct segment_node *did;
    *out = NULL;
    if (where == NULL || where->kind == JSON_NULL)
        return OK;
    if (where->kind != JSON_STRING)
        return problem_set(saying->problem, ERR_INPUT, "where", "This is no text.",
                           "Write it as in \"revenue > 100\".");
    if (str_trim(where->string).len == 0)
        return OK;
    TRY(text_parse(saying, "where",
                   str_format(saying->arena, "did \"x\" where (%.*s)", STR_ARG(where->string)),
                   &did));
    *out = did->kind == SEGMENT_DID ? did->match.where : NULL;
    return *out != NULL ? OK
                        : problem_set(saying->problem, ERR_INPUT, "where",
                                      "This is more than a condition on properties.",
                                      "Write it as in \"revenue > 100\".");
}

/* The event with one more condition on its properties. */
static enum err narrow(struct arena *arena, const struct segment_node *where,
                       const struct segment_node **event)
{
    struct segment_node        *node = ARENA_NEW(arena, struct segment_node);
    struct segment_node        *both = ARENA_NEW(arena, struct segment_node);
    const struct segment_node **parts = ARENA_ARRAY(arena, 2, const struct segment_node *);
    if (where == NULL)
        return OK;
    if (node == NULL || both == NULL || parts == NULL)
        return ERR_MEMORY;
    *node = **event;
    parts[0] = (*event)->match.where;
    parts[1] = where;
    *both = (struct segment_node){ .kind = SEGMENT_AND, .parts = parts, .parts_count = 2 };
    node->match.where = parts[0] == NULL ? where : both;
    *event = node;
    return OK;
}

static enum err value_read(const struct saying *saying, const char *field, const struct json *value,
                           const struct segment_node **out)
{
    const struct segment_node *where = NULL;
    if (value != NULL && value->kind == JSON_STRING)
        return event_parse(saying, field, value->string, out);
    if (value == NULL || value->kind != JSON_OBJECT)
        return problem_set(saying->problem, ERR_INPUT, field, "Which event?",
                           "Name one, such as \"Order Completed\".");
    if (json_get(value, STR("event")) == NULL)
        return in_field(saying, segment_parse_json(saying->arena, value, out, saying->problem),
                        field);
    TRY(event_parse(saying, field, json_get_str(value, STR("event")), out));
    TRY(where_parse(saying, json_get(value, STR("where")), &where));
    return narrow(saying->arena, where, out);
}

enum err segment_said(struct arena *arena, const struct json *value, const char *field,
                      const struct segment_node **out, struct problem *problem)
{
    struct problem             ignored;
    const struct saying        saying = { arena, problem == NULL ? &ignored : problem };
    const struct segment_node *event = NULL;
    TRY(value_read(&saying, field, value, &event));
    if (event->kind != SEGMENT_DID)
        return problem_set(problem, ERR_INPUT, field, "This is a condition, not an event.",
                           "Name an event, such as \"Order Completed\" where revenue > 100.");
    *out = event;
    return OK;
}

enum err segment_said_where(struct arena *arena, const struct json *where,
                            const struct segment_node **event, struct problem *problem)
{
    struct problem             ignored;
    const struct saying        saying = { arena, problem == NULL ? &ignored : problem };
    const struct segment_node *condition;
    TRY(where_parse(&saying, where, &condition));
    return narrow(arena, condition, event);
}
