#include "engine/touchpoint.h"

#include <stdio.h>

#include "engine/segment/segment_said.h"
#include "engine/segment/segment_tree.h"

static enum err keys_check(const struct json *root, struct problem *problem)
{
    static const char *const known[] = { "title", "stage", "source", "events", "feeling", "note" };
    enum { KNOWN = sizeof known / sizeof known[0] };
    for (uint32_t i = 0; i < root->count; i++) {
        size_t k = 0;
        while (k < KNOWN && !str_eq(root->members[i].key, str_of(known[k])))
            k++;
        if (k == KNOWN)
            return problem_format(problem, ERR_INPUT, "body",
                                  "Use title, stage, source, events, feeling and note.",
                                  "A touchpoint has no field \"%.*s\".",
                                  STR_ARG(str_slice(root->members[i].key, 0, 60)));
    }
    return OK;
}

static enum err text_read(const struct json *root, const char *field, size_t bytes_max,
                          struct str *out, struct problem *problem)
{
    const struct json *value = json_get(root, str_of(field));
    if (value == NULL || value->kind == JSON_NULL)
        return OK;
    if (value->kind != JSON_STRING)
        return problem_set(problem, ERR_INPUT, field, "This is no text.",
                           "Write it in quotes, or leave it out.");
    if (value->string.len > bytes_max)
        return problem_format(problem, ERR_LIMIT, field, "Shorten it.",
                              "It is longer than %zu bytes.", bytes_max);
    *out = str_trim(value->string);
    return OK;
}

/* Counted over all time and over the last days: a window of its own would say something else. */
static bool is_plain(const struct segment_node *event)
{
    return event->times == SEGMENT_TIMES_AT_LEAST && event->times_count == 1 &&
           event->match.window.kind == SEGMENT_EVER;
}

static enum err events_read(struct arena *arena, const struct json *root, struct touchpoint *out,
                            struct problem *problem)
{
    const struct json          *list = json_get(root, STR("events"));
    const struct segment_node **events;
    char                        field[24];
    if (list == NULL || list->kind == JSON_NULL)
        return OK;
    if (list->kind != JSON_ARRAY)
        return problem_set(problem, ERR_INPUT, "events", "This is no list of events.",
                           "Write [\"Order Completed\"].");
    if (list->count > TOUCHPOINT_EVENTS_MAX)
        return problem_format(problem, ERR_LIMIT, "events",
                              "Make two touchpoints of it, or leave some out.",
                              "There are more than %d events.", TOUCHPOINT_EVENTS_MAX);
    events = ARENA_ARRAY(arena, list->count + 1, const struct segment_node *);
    if (events == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < list->count; i++) {
        snprintf(field, sizeof field, "events[%u]", i);
        TRY(segment_said(arena, &list->items[i], field, &events[i], problem));
        if (!is_plain(events[i]))
            return problem_set(problem, ERR_INPUT, field,
                               "An event of a touchpoint has no times and no window.",
                               "Leave them out: it is counted over all time and the last days.");
    }
    out->events = events;
    out->events_count = list->count;
    return OK;
}

enum err touchpoint_parse(struct arena *arena, struct str text, struct touchpoint *out,
                          struct problem *problem)
{
    struct touchpoint made = { .events_count = 0 };
    struct json       root;
    TRY(json_parse_once(arena, text, &root, problem));
    if (root.kind != JSON_OBJECT)
        return problem_set(problem, ERR_INPUT, "body", "This is no touchpoint.",
                           "Write {\"stage\": \"customer\", \"events\": [\"Order Completed\"]}.");
    TRY(keys_check(&root, problem));
    TRY(text_read(&root, "title", TOUCHPOINT_TITLE_BYTES_MAX, &made.title, problem));
    TRY(text_read(&root, "stage", TOUCHPOINT_NAME_BYTES_MAX, &made.stage, problem));
    TRY(text_read(&root, "source", TOUCHPOINT_NAME_BYTES_MAX, &made.source, problem));
    TRY(text_read(&root, "feeling", TOUCHPOINT_FEELING_BYTES_MAX, &made.feeling, problem));
    TRY(text_read(&root, "note", TOUCHPOINT_NOTE_BYTES_MAX, &made.note, problem));
    if (str_is_empty(made.stage))
        return problem_set(problem, ERR_INPUT, "stage", "A touchpoint stands in a stage.",
                           "Name one of stages.json.");
    TRY(events_read(arena, &root, &made, problem));
    *out = made;
    return OK;
}
