#include "engine/journey/definition.h"

#include <stdio.h>
#include <string.h>

/* What parsing carries along, so that helpers stay short. */
struct reading {
    struct arena        *arena;
    struct segment_names names;
    struct problem      *problem;
    const struct json   *nodes; /* the array */
};

static enum err wrong(struct reading *r, const char *where, const char *what, const char *remedy)
{
    return problem_set(r->problem, ERR_INPUT, where, what, remedy);
}

/* Puts the place of the whole in front of the place within. */
static enum err at_place(struct reading *r, enum err err, const char *where)
{
    if (err == OK || r->problem == NULL || err == ERR_MEMORY)
        return err;
    char inner[sizeof r->problem->where];
    memcpy(inner, r->problem->where, sizeof inner);
    snprintf(r->problem->where, sizeof r->problem->where, "%s%s%.100s", where,
             inner[0] == '\0' ? "" : ":", inner);
    return err;
}

static enum err condition_read(struct reading *r, const struct json *value, const char *where,
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
    TRY(at_place(r, err, where));
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

/* The `where` of a trigger is about properties: it is asked as did "event" where (...). */
static enum err where_read(struct reading *r, struct str event, const struct json *value,
                           struct condition *out)
{
    if (value->kind != JSON_STRING)
        return wrong(r, "trigger.where", "This is not a text.",
                     "Write a condition on the event's properties, such as \"revenue > 100\".");
    struct buf text = buf_make(SEGMENT_TEXT_BYTES_MAX);
    buf_str(&text, STR("did "));
    json_write_str(&text, event);
    buf_str(&text, STR(" where ("));
    buf_str(&text, value->string);
    buf_str(&text, STR(")"));
    struct str kept = str_copy(r->arena, buf_view(&text));
    enum err   err = buf_err(&text);
    buf_done(&text);
    if (err != OK || kept.ptr == NULL)
        return err != OK ? err : ERR_MEMORY;
    struct json whole = { .kind = JSON_STRING, .string = kept };
    return condition_read(r, &whole, "trigger.where", out);
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
    TRY(where_read(r, out->name, where, &out->where));
    out->hears_machines = asks_property(out->where.tree->match.where, STR("machine"));
    return OK;
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

static enum err target_read(struct reading *r, const struct json *node, const char *key,
                            const char *place, uint16_t absent, uint16_t *out)
{
    const struct json *value = json_get(node, str_of(key));
    char               where[64];
    snprintf(where, sizeof where, "%s.%s", place, key);
    if (value == NULL) {
        *out = absent;
        return OK;
    }
    if (value->kind == JSON_STRING)
        for (uint32_t i = 0; i < r->nodes->count; i++)
            if (str_eq(json_get_str(&r->nodes->items[i], STR("id")), value->string)) {
                *out = (uint16_t)i;
                return OK;
            }
    return wrong(r, where, "There is no node with this id.",
                 "Name the \"id\" of a node of this journey.");
}

static enum err wait_read(struct reading *r, const struct json *value, const char *place,
                          struct node *out)
{
    if (value->kind != JSON_STRING || time_length_parse(value->string, &out->wait_ms) != OK ||
        out->wait_ms < 1 || out->wait_ms > JOURNEY_WAIT_MS_MAX)
        return wrong(
            r, place, "This is not a length of time up to ten years.",
            "Write a number and a unit, such as \"3 days\", \"1 hour\" or \"90 minutes\".");
    return OK;
}

static enum err answer_read(struct reading *r, const struct json *value, const char *place,
                            struct node *out)
{
    char where[64];
    snprintf(where, sizeof where, "%s.answer_within", place);
    if (value == NULL)
        return OK;
    if (out->kind != NODE_MESSAGE)
        return wrong(r, where, "Only a message is answered.", "Leave it out, or use \"wait\".");
    return wait_read(r, value, where, out);
}

/* Which of the four a node is; -1 when none or several. An e-mail is a message. */
static int node_kind(const struct json *node)
{
    static const char *const keys[] = { "message", "wait", "split", "exit", "email" };
    int                      kind = -1;
    for (int i = 0; i < 5; i++) {
        if (json_get(node, str_of(keys[i])) == NULL)
            continue;
        if (kind >= 0)
            return -1;
        kind = i == 4 ? NODE_MESSAGE : i;
    }
    return kind;
}

static enum err node_members_check(struct reading *r, const struct json *node, const char *place)
{
    static const char *const known[] = { "id",   "message", "email", "wait", "split",        "exit",
                                         "next", "yes",     "no",    "note", "answer_within" };
    for (uint32_t i = 0; i < node->count; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            found = found || str_eq(node->members[i].key, str_of(known[k]));
        char where[160];
        snprintf(where, sizeof where, "%s.%.80s", place, node->members[i].key.ptr);
        if (!found)
            return wrong(r, where, "A node has no such member.",
                         "Use id, message, email, answer_within, wait, split, exit, next, yes, no "
                         "or note.");
    }
    return OK;
}

static enum err node_read(struct reading *r, uint16_t i, struct node *out)
{
    const struct json *node = &r->nodes->items[i];
    char               place[32], inner[48];
    uint16_t           below = (uint32_t)i + 1 < r->nodes->count ? (uint16_t)(i + 1) : JOURNEY_END;
    snprintf(place, sizeof place, "nodes[%u]", i);
    if (node->kind != JSON_OBJECT)
        return wrong(r, place, "A node is an object.", "Write {\"id\": ..., \"email\": ...}.");
    TRY(node_members_check(r, node, place));
    out->id = json_get_str(node, STR("id"));
    if (str_is_empty(out->id) || out->id.len > JOURNEY_NAME_BYTES_MAX)
        return wrong(r, place, "A node needs an \"id\" of 1 to 128 bytes.",
                     "Give it a short name.");
    for (uint16_t k = 0; k < i; k++)
        if (str_eq(json_get_str(&r->nodes->items[k], STR("id")), out->id))
            return wrong(r, place, "Two nodes have the same id.",
                         "Give each node an id of its own.");
    int kind = node_kind(node);
    if (kind < 0)
        return wrong(r, place, "A node is one of message, email, wait, split and exit.",
                     "Give it exactly one of these members.");
    out->kind = (enum node_kind)kind;
    TRY(target_read(r, node, "next", place, out->kind == NODE_EXIT ? JOURNEY_END : below,
                    &out->next));
    TRY(target_read(r, node, "yes", place, below, &out->yes));
    TRY(target_read(r, node, "no", place, below, &out->no));
    TRY(answer_read(r, json_get(node, STR("answer_within")), place, out));
    if (out->kind == NODE_WAIT) {
        snprintf(inner, sizeof inner, "%s.wait", place);
        return wait_read(r, json_get(node, STR("wait")), inner, out);
    }
    if (out->kind == NODE_SPLIT) {
        snprintf(inner, sizeof inner, "%s.split", place);
        return condition_read(r, json_get(node, STR("split")), inner, &out->split);
    }
    if (out->kind == NODE_MESSAGE) {
        out->is_email = json_get(node, STR("email")) != NULL;
        const char *key = out->is_email ? "email" : "message";
        out->template = json_get_str(node, str_of(key));
        snprintf(inner, sizeof inner, "%s.%s", place, key);
        if (str_is_empty(out->template))
            return wrong(r, inner, "A message needs a template.",
                         "Name a template of this workspace.");
    }
    return OK;
}

/* A circle without a wait would never end. Colours: 0 new, 1 on the way, 2 done. */
static bool circles(const struct node *nodes, uint16_t i, unsigned char *colour)
{
    if (i == JOURNEY_END || nodes[i].kind == NODE_WAIT || nodes[i].kind == NODE_EXIT ||
        colour[i] == 2)
        return false;
    if (colour[i] == 1)
        return true;
    colour[i] = 1;
    bool found = nodes[i].kind == NODE_SPLIT
                     ? circles(nodes, nodes[i].yes, colour) || circles(nodes, nodes[i].no, colour)
                     : circles(nodes, nodes[i].next, colour);
    colour[i] = 2;
    return found;
}

static enum err circles_check(struct reading *r, const struct journey *journey)
{
    unsigned char colour[JOURNEY_NODES_MAX] = { 0 };
    for (uint16_t i = 0; i < journey->nodes_count; i++)
        if (circles(journey->nodes, i, colour)) {
            char where[32];
            snprintf(where, sizeof where, "nodes[%u]", i);
            return wrong(r, where, "From here the journey goes round in a circle without waiting.",
                         "Put a wait into the circle, or let it end.");
        }
    return OK;
}

static enum err nodes_read(struct reading *r, struct journey *out)
{
    if (r->nodes == NULL || r->nodes->kind != JSON_ARRAY || r->nodes->count == 0 ||
        r->nodes->count > JOURNEY_NODES_MAX)
        return wrong(r, "nodes", "A journey has between 1 and 500 nodes.",
                     "Give \"nodes\" a list of nodes.");
    struct node *nodes = ARENA_ARRAY(r->arena, r->nodes->count, struct node);
    if (nodes == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < r->nodes->count; i++)
        TRY(node_read(r, (uint16_t)i, &nodes[i]));
    out->nodes = nodes;
    out->nodes_count = (uint16_t)r->nodes->count;
    return circles_check(r, out);
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
        TRY(condition_read(&r, exit_when, "exit_when", &journey.exit_when));
    r.nodes = json_get(root, STR("nodes"));
    TRY(nodes_read(&r, &journey));
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
