#include "engine/journey/definition_inside.h"

#include <stdio.h>
#include <string.h>

enum err journey_at_place(struct reading *r, enum err err, const char *where)
{
    if (err == OK || r->problem == NULL || err == ERR_MEMORY)
        return err;
    char inner[sizeof r->problem->where];
    memcpy(inner, r->problem->where, sizeof inner);
    snprintf(r->problem->where, sizeof r->problem->where, "%s%s%.100s", where,
             inner[0] == '\0' ? "" : ":", inner);
    return err;
}

enum err journey_condition_read(struct reading *r, const struct json *value, const char *where,
                                struct condition *out)
{
    const struct segment_node *tree;
    enum err                   err;
    if (value->kind == JSON_STRING)
        err = segment_parse(r->arena, value->string, &tree, r->problem);
    else
        err = segment_parse_json(r->arena, value, &tree, r->problem);
    if (err == OK)
        err = segment_compile(r->arena, tree, &r->names, &out->program, r->problem);
    TRY(journey_at_place(r, err, where));
    out->tree = tree;
    return OK;
}

static bool asks_property(const struct segment_node *node, struct str key)
{
    bool asks = node != NULL && str_eq(node->compare.key, key);
    for (uint32_t i = 0; node != NULL && !asks && i < node->parts_count; i++)
        asks = asks_property(node->parts[i], key);
    return asks;
}

/* A `where` is about properties: it is asked as did "event" where (...). */
static enum err where_read(struct reading *r, struct str event, const struct json *value,
                           const char *place, struct condition *out)
{
    if (value != NULL && value->kind != JSON_STRING)
        return wrong(r, place, "This is not a text.",
                     "Write a condition on the event's properties, such as \"revenue > 100\".");
    struct buf text = buf_make(SEGMENT_TEXT_BYTES_MAX);
    buf_str(&text, STR("did "));
    json_write_str(&text, event);
    if (value != NULL) {
        buf_str(&text, STR(" where ("));
        buf_str(&text, value->string);
        buf_str(&text, STR(")"));
    }
    struct str kept = str_copy(r->arena, buf_view(&text));
    enum err   err = buf_err(&text);
    buf_done(&text);
    if (err != OK || kept.ptr == NULL)
        return err != OK ? err : ERR_MEMORY;
    struct json whole = { .kind = JSON_STRING, .string = kept };
    return journey_condition_read(r, &whole, place, out);
}

enum err journey_event_read(struct reading *r, struct str event, const struct json *where,
                            const char *place, struct condition *out, bool *hears_machines)
{
    TRY(where_read(r, event, where, place, out));
    *hears_machines = asks_property(out->tree->match.where, STR("machine"));
    return OK;
}

static enum err trigger_read(struct reading *r, const struct json *value,
                             struct journey_trigger *out)
{
    static const struct {
        const char       *key;
        enum trigger_kind kind;
    } kinds[] = {
        { "event", TRIGGER_EVENT },
        { "segment", TRIGGER_SEGMENT },
        { "list", TRIGGER_LIST },
    };
    int found = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct str name = json_get_str(value, str_of(kinds[i].key));
        if (str_is_empty(name))
            continue;
        found++;
        out->kind = kinds[i].kind;
        out->name = name;
    }
    if (found != 1)
        return wrong(r, "trigger", "A journey begins in exactly one way.",
                     "Give \"trigger\" one of \"event\", \"segment\" or \"list\", with its name.");
    const struct json *where = json_get(value, STR("where"));
    if (where == NULL)
        return OK;
    if (out->kind != TRIGGER_EVENT)
        return wrong(r, "trigger.where", "Only an event has properties.",
                     "Put the condition into the segment, or start with a split.");
    return journey_event_read(r, out->name, where, "trigger.where", &out->where,
                              &out->hears_machines);
}

static enum err reentry_read(struct reading *r, const struct json *value, struct journey *out)
{
    struct str text = value == NULL                ? STR("once")
                      : value->kind == JSON_STRING ? value->string
                                                   : STR("");
    if (str_eq(text, STR("once")))
        out->reentry = REENTRY_ONCE;
    else if (str_eq(text, STR("always")))
        out->reentry = REENTRY_ALWAYS;
    else if (str_starts(text, STR("after ")) &&
             time_length_parse(str_slice(text, 6, text.len), &out->reentry_ms) == OK)
        out->reentry = REENTRY_AFTER;
    else
        return wrong(r, "reentry", "This is not a rule for coming in again.",
                     "Write \"once\", \"always\" or \"after 30 days\".");
    return OK;
}

static enum err members_check(struct reading *r, const struct json *root)
{
    static const char *const known[] = { "journey",   "trigger", "reentry",
                                         "exit_when", "nodes",   "note" };
    for (uint32_t i = 0; i < root->count; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            found = found || str_eq(root->members[i].key, str_of(known[k]));
        if (!found)
            return wrong(r, root->members[i].key.ptr, "A journey has no such member.",
                         "Use journey, trigger, reentry, exit_when, nodes or note.");
    }
    return OK;
}

enum err journey_parse(struct arena *arena, struct str text, const struct segment_names *names,
                       struct journey *out, struct problem *problem)
{
    struct reading r = { .arena = arena, .names = *names, .problem = problem };
    struct json   *root = ARENA_NEW(arena, struct json);
    struct journey journey = { 0 };
    if (root == NULL)
        return ERR_MEMORY;
    if (text.len > JOURNEY_TEXT_BYTES_MAX)
        return problem_set(problem, ERR_LIMIT, "journey", "The text is longer than 512 KB.",
                           "Split the journey into several.");
    TRY(json_parse_once(arena, text, root, problem));
    if (root->kind != JSON_OBJECT)
        return wrong(&r, "journey", "A journey is a JSON object.",
                     "Begin with {\"journey\": ...}.");
    TRY(members_check(&r, root));

    journey.name = json_get_str(root, STR("journey"));
    if (str_is_empty(journey.name) || journey.name.len > JOURNEY_NAME_BYTES_MAX)
        return wrong(&r, "journey", "A journey needs a name of 1 to 128 bytes.",
                     "Give \"journey\" its name.");
    TRY(trigger_read(&r, json_get(root, STR("trigger")), &journey.trigger));
    TRY(reentry_read(&r, json_get(root, STR("reentry")), &journey));
    r.names.has_entry = true;
    const struct json *exit_when = json_get(root, STR("exit_when"));
    if (exit_when != NULL)
        TRY(journey_condition_read(&r, exit_when, "exit_when", &journey.exit_when));
    r.nodes = json_get(root, STR("nodes"));
    TRY(journey_nodes_read(&r, &journey));
    *out = journey;
    return OK;
}

uint16_t journey_node(const struct journey *journey, struct str id)
{
    for (uint16_t i = 0; i < journey->nodes_count; i++)
        if (str_eq(journey->nodes[i].id, id))
            return i;
    return JOURNEY_END;
}

bool journey_node_awaits(const struct node *node, struct str trait)
{
    return node->kind == NODE_WAIT_UNTIL && node->until.kind == UNTIL_TRAIT &&
           str_eq(node->until.trait, trait);
}
