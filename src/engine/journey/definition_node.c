/* The nodes of a journey: read, checked, and seen to come to an end. */
#include <math.h>
#include <stdio.h>

#include "engine/journey/definition_inside.h"

enum { PLACE_BYTES = 64 };

/* ---- where to ---- */

static enum err target_read(struct reading *r, const struct json *node, const char *key,
                            const char *place, uint16_t absent, uint16_t *out)
{
    const struct json *value = json_get(node, str_of(key));
    char               where[PLACE_BYTES];
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

enum err journey_target_read(struct reading *r, const struct json *node, const char *key,
                             const char *place, uint16_t absent, uint16_t *out)
{
    return target_read(r, node, key, place, absent, out);
}

/* ---- waits ---- */

static enum err wait_read(struct reading *r, const struct json *value, const char *place,
                          struct node *out)
{
    if (value == NULL || value->kind != JSON_STRING ||
        time_length_parse(value->string, &out->wait_ms) != OK || out->wait_ms < 1 ||
        out->wait_ms > JOURNEY_WAIT_MS_MAX)
        return wrong(
            r, place, "This is not a length of time up to ten years.",
            "Write a number and a unit, such as \"3 days\", \"1 hour\" or \"90 minutes\".");
    return OK;
}

enum err journey_length_read(struct reading *r, const struct json *value, const char *place,
                             int64_t *out_ms)
{
    struct node node = { .wait_ms = 0 };
    TRY(wait_read(r, value, place, &node));
    *out_ms = node.wait_ms;
    return OK;
}

static enum err answer_read(struct reading *r, const struct json *value, const char *place,
                            struct node *out)
{
    char where[PLACE_BYTES];
    snprintf(where, sizeof where, "%s.answer_within", place);
    return value == NULL ? OK : wait_read(r, value, where, out);
}

/* What conditions name has a number; so has the trait. */
static enum err trait_number(struct reading *r, struct until *until)
{
    if (until->trait.len > DICT_NAME_BYTES_MAX)
        return wrong(r, "wait_until", "This is no name of a trait: it is longer than 512 bytes.",
                     "Use a trait that was told before.");
    until->key = dict_find(r->names.traits, until->trait);
    if (until->key != DICT_NONE || !r->names.grow)
        return OK;
    TRY(dict_intern(r->names.traits, until->trait, &until->key));
    return until->key != DICT_OTHER
               ? OK
               : problem_set(r->problem, ERR_LIMIT, "wait_until",
                             "The workspace has 60000 traits already, and this is none of them.",
                             "Use a trait that was told before.");
}

enum err journey_until_read(struct reading *r, struct str text, const char *place,
                            struct until *out)
{
    TRY(journey_at_place(r, until_parse(text, out, r->problem), place));
    return out->kind == UNTIL_TRAIT && !out->is_entry
               ? journey_at_place(r, trait_number(r, out), place)
               : OK;
}

static enum err until_read(struct reading *r, const struct json *value, const char *place,
                           struct node *out)
{
    char where[PLACE_BYTES];
    snprintf(where, sizeof where, "%s.wait_until", place);
    if (value->kind != JSON_STRING)
        return wrong(r, where, "This is not a text.",
                     "Write such as \"10:00\", \"monday 10:00\" or \"3 days before trial_ends\".");
    return journey_until_read(r, value->string, where, &out->until);
}

/* {"event": NAME, "where"?: ...}; a condition has no member of that name. */
static enum err awaited_read(struct reading *r, const struct json *value, const char *place,
                             struct node *out, struct branch *branch)
{
    struct str event = json_get_str(value, STR("event"));
    char       where[PLACE_BYTES];
    if (value->kind != JSON_OBJECT || json_get(value, STR("event")) == NULL)
        return journey_condition_read(r, value, place, &branch->when);
    out->is_event = true;
    snprintf(where, sizeof where, "%.50s.where", place);
    for (uint32_t i = 0; i < value->count; i++)
        if (!str_eq(value->members[i].key, STR("event")) &&
            !str_eq(value->members[i].key, STR("where")))
            return wrong(r, place, "An awaited event has no such member.",
                         "Use \"event\" and \"where\", or a condition in their place.");
    if (str_is_empty(event))
        return wrong(r, place, "The event has no name.", "Give \"event\" its name.");
    return journey_event_read(r, event, json_get(value, STR("where")), where, &branch->when,
                              &out->hears_machines);
}

static enum err wait_for_read(struct reading *r, const struct json *node, const char *place,
                              uint16_t below, struct node *out, struct branch *branch)
{
    char where[PLACE_BYTES];
    *branch = (struct branch){ .name = STR("yes") };
    out->otherwise_name = STR("timeout");
    snprintf(where, sizeof where, "%s.wait_for", place);
    TRY(awaited_read(r, json_get(node, STR("wait_for")), where, out, branch));
    snprintf(where, sizeof where, "%s.within", place);
    TRY(wait_read(r, json_get(node, STR("within")), where, out));
    TRY(target_read(r, node, "yes", place, below, &branch->next));
    return target_read(r, node, "timeout", place, below, &out->otherwise);
}

/* ---- splits ---- */

static enum err share_read(struct reading *r, const struct json *value, const char *place,
                           uint32_t *sum, struct branch *out)
{
    double percent;
    if (!json_to_real(value, &percent) || percent > 100 || !(percent * (JOURNEY_SHARES / 100) >= 1))
        return wrong(r, place, "A share is at least 0.0001 and at most 100, in percent.",
                     "Write such as {\"share\": 30, \"next\": ID}.");
    *sum += (uint32_t)lround(percent * (JOURNEY_SHARES / 100));
    out->share = *sum;
    return OK;
}

static enum err branch_read(struct reading *r, const struct json *value, const char *place,
                            uint16_t below, uint32_t *sum, struct branch *out)
{
    const struct json *when = json_get(value, STR("if")), *share = json_get(value, STR("share"));
    char               where[PLACE_BYTES];
    if (value->kind != JSON_OBJECT || (when == NULL) == (share == NULL))
        return wrong(r, place, "A branch has either \"if\" or \"share\".",
                     "Write {\"if\": CONDITION, \"next\": ID} or {\"share\": 30, \"next\": ID}.");
    for (uint32_t i = 0; i < value->count; i++)
        if (!str_eq(value->members[i].key, STR("if")) &&
            !str_eq(value->members[i].key, STR("share")) &&
            !str_eq(value->members[i].key, STR("next")) &&
            !str_eq(value->members[i].key, STR("name")))
            return wrong(r, place, "A branch has no such member.",
                         "Use \"if\" or \"share\", \"next\" and \"name\".");
    *out = (struct branch){ .name = json_get_str(value, STR("name")) };
    if (out->name.len > JOURNEY_NAME_BYTES_MAX)
        return wrong(r, place, "The name is longer than 128 bytes.", "Give it a short one.");
    TRY(target_read(r, value, "next", place, below, &out->next));
    if (share != NULL) {
        snprintf(where, sizeof where, "%.50s.share", place);
        return share_read(r, share, where, sum, out);
    }
    snprintf(where, sizeof where, "%.50s.if", place);
    return journey_condition_read(r, when, where, &out->when);
}

/* A branch without a name has its number. */
static enum err name_settle(struct reading *r, struct branch *branch, uint32_t number)
{
    if (str_is_empty(branch->name))
        branch->name = str_format(r->arena, "branch %u", number + 1);
    return branch->name.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err branches_read(struct reading *r, const struct json *list, const char *place,
                              uint16_t below, struct branch *out)
{
    char     where[PLACE_BYTES];
    uint32_t sum = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        snprintf(where, sizeof where, "%.30s[%u]", place, i);
        TRY(branch_read(r, &list->items[i], where, below, &sum, &out[i]));
        TRY(name_settle(r, &out[i], i));
        if ((out[i].share == 0) != (out[0].share == 0))
            return wrong(r, where, "A split goes either by conditions or by shares.",
                         "Give all of its branches \"if\", or all \"share\".");
    }
    if (sum == 0 || sum == JOURNEY_SHARES)
        return OK;
    char text[32];
    snprintf(text, sizeof text, "%g", (double)sum * 100 / JOURNEY_SHARES);
    return problem_format(r->problem, ERR_INPUT, place, "Make them 100 percent in all.",
                          "The shares are %s percent in all.", text);
}

/* One condition has yes and no, a list of branches else; shares leave nothing over. */
static enum err answers_check(struct reading *r, const struct json *node, const char *where,
                              bool is_list)
{
    const struct json *split = json_get(node, STR("split"));
    bool               shares = is_list && json_get(&split->items[0], STR("share")) != NULL;
    bool has_yes = json_get(node, STR("yes")) != NULL || json_get(node, STR("no")) != NULL;
    bool has_else = json_get(node, STR("else")) != NULL;
    if (is_list && has_yes)
        return wrong(r, where, "A list of branches is not answered by yes or no.",
                     "Give each branch its \"next\", and the node \"else\".");
    if (shares && has_else)
        return wrong(r, where, "Shares are 100 percent: there is nothing \"else\".",
                     "Leave \"else\" out, or make it one more share.");
    if (!is_list && has_else)
        return wrong(r, where, "One condition is answered by yes or no.",
                     "Write \"no\" in the place of \"else\".");
    return OK;
}

static enum err split_read(struct reading *r, const struct json *node, const char *place,
                           uint16_t below, struct node *out, struct branch *branches)
{
    const struct json *split = json_get(node, STR("split"));
    char               where[PLACE_BYTES];
    bool               is_list = split->kind == JSON_ARRAY;
    snprintf(where, sizeof where, "%s.split", place);
    if (is_list && (split->count == 0 || split->count > JOURNEY_BRANCHES_MAX))
        return wrong(r, where, "A split has between 1 and 32 branches.",
                     "Give it a list of {\"if\": CONDITION, \"next\": ID}.");
    TRY(answers_check(r, node, where, is_list));
    out->otherwise_name = is_list ? STR("else") : STR("no");
    TRY(target_read(r, node, is_list ? "else" : "no", place, below, &out->otherwise));
    if (is_list)
        return branches_read(r, split, where, below, branches);
    branches[0] = (struct branch){ .name = STR("yes") };
    TRY(target_read(r, node, "yes", place, below, &branches[0].next));
    return journey_condition_read(r, split, where, &branches[0].when);
}

/* ---- one node ---- */

/* Which member makes a node what it is, and which others mean anything there. */
static const struct {
    const char    *key;
    enum node_kind kind;
    const char    *others; /* besides id, note and next */
} kinds[] = {
    { "message", NODE_MESSAGE, " answer_within " },
    { "email", NODE_MESSAGE, " answer_within " },
    { "wait", NODE_WAIT, "" },
    { "wait_until", NODE_WAIT_UNTIL, " else " },
    { "wait_for", NODE_WAIT_FOR, " within yes timeout " },
    { "split", NODE_SPLIT, " yes no else " },
    { "variants", NODE_SPLIT, " experiment hypothesis winner " },
    { "exit", NODE_EXIT, "" },
    { "set", NODE_SET, "" },
    { "record", NODE_RECORD, "" },
    { "join_list", NODE_LIST, "" },
    { "leave_list", NODE_LIST, "" },
    { "consent", NODE_CONSENT, "" },
    { "start_journey", NODE_START, "" },
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* Its place in `kinds`; -1 when none or several. */
static int kind_of(const struct json *node)
{
    int kind = -1;
    for (int i = 0; i < KINDS; i++) {
        if (json_get(node, str_of(kinds[i].key)) == NULL)
            continue;
        if (kind >= 0)
            return -1;
        kind = i;
    }
    return kind;
}

static bool is_member(struct str key, int kind)
{
    char word[40];
    if (str_eq(key, STR("id")) || str_eq(key, STR("note")) || str_eq(key, STR("next")) ||
        str_eq(key, str_of(kinds[kind].key)))
        return true;
    if (key.len > sizeof word - 3 || str_find(key, 0, STR(" ")) < key.len)
        return false;
    int        len = snprintf(word, sizeof word, " %.*s ", STR_ARG(key));
    struct str others = str_of(kinds[kind].others);
    return str_find(others, 0, (struct str){ word, (size_t)len }) < others.len;
}

static enum err members_check(struct reading *r, const struct json *node, const char *place,
                              int kind)
{
    char where[160];
    for (uint32_t i = 0; i < node->count; i++) {
        struct str key = node->members[i].key;
        if (r->is_stored || is_member(key, kind))
            continue;
        snprintf(where, sizeof where, "%s.%.*s", place, (int)(key.len < 80 ? key.len : 80),
                 key.ptr);
        return problem_format(r->problem, ERR_INPUT, where,
                              "Leave it out, or look up what this kind of node has.",
                              "A node with \"%s\" has no such member.", kinds[kind].key);
    }
    return OK;
}

/* One name, or several in order. */
static enum err templates_read(struct reading *r, const struct json *value, const char *where,
                               struct node *out)
{
    bool               is_list = value->kind == JSON_ARRAY;
    uint32_t           count = is_list ? value->count : 1;
    struct str        *names = ARENA_ARRAY(r->arena, count + 1, struct str);
    const struct json *one = value;
    if (names == NULL)
        return ERR_MEMORY;
    if (count == 0 || count > JOURNEY_TEMPLATES_MAX)
        return wrong(r, where, "A message has 1 to 4 templates, in order.",
                     "Name those that are tried, the best first.");
    for (uint32_t i = 0; i < count; i++) {
        one = is_list ? &value->items[i] : value;
        names[i] = one->kind == JSON_STRING ? one->string : STR_NONE;
        if (str_is_empty(names[i]))
            return wrong(r, where, "A message needs a template.",
                         "Name a template of this workspace, or several in order.");
        for (uint32_t k = 0; k < i; k++)
            if (str_eq(names[k], names[i]))
                return wrong(r, where, "A template is named twice.",
                             "Name each once, the best first.");
    }
    out->templates = names;
    out->templates_count = (uint16_t)count;
    return OK;
}

static enum err message_read(struct reading *r, const struct json *node, const char *place,
                             const char *key, struct node *out)
{
    char where[PLACE_BYTES];
    snprintf(where, sizeof where, "%s.%s", place, key);
    out->is_email = str_eq(str_of(key), STR("email"));
    TRY(templates_read(r, json_get(node, str_of(key)), where, out));
    out->template = out->templates[0];
    return answer_read(r, json_get(node, STR("answer_within")), place, out);
}

static enum err id_read(struct reading *r, uint16_t i, const char *place, struct node *out)
{
    out->id = json_get_str(&r->nodes->items[i], STR("id"));
    if (str_is_empty(out->id) || out->id.len > JOURNEY_NAME_BYTES_MAX)
        return wrong(r, place, "A node needs an \"id\" of 1 to 128 bytes.",
                     "Give it a short name.");
    for (uint16_t k = 0; k < i; k++)
        if (str_eq(json_get_str(&r->nodes->items[k], STR("id")), out->id))
            return wrong(r, place, "Two nodes have the same id.",
                         "Give each node an id of its own.");
    return OK;
}

/* Its branches lie at out->branches of the journey's. */
static enum err node_read(struct reading *r, uint16_t i, struct branch *branches, struct node *out)
{
    const struct json *node = &r->nodes->items[i];
    char               place[32], inner[PLACE_BYTES];
    uint16_t           below = (uint32_t)i + 1 < r->nodes->count ? (uint16_t)(i + 1) : JOURNEY_END;
    snprintf(place, sizeof place, "nodes[%u]", i);
    if (node->kind != JSON_OBJECT)
        return wrong(r, place, "A node is an object.", "Write {\"id\": ..., \"email\": ...}.");
    TRY(id_read(r, i, place, out));
    int kind = kind_of(node);
    if (kind < 0)
        return wrong(
            r, place,
            "A node is one of message, email, wait, wait_until, wait_for, split, variants, "
            "set, record, join_list, leave_list, consent, start_journey and exit.",
            "Give it exactly one of these members.");
    TRY(members_check(r, node, place, kind));
    out->kind = kinds[kind].kind;
    TRY(target_read(r, node, "next", place, out->kind == NODE_EXIT ? JOURNEY_END : below,
                    &out->next));
    out->otherwise = out->next;
    switch (out->kind) {
    case NODE_MESSAGE:
        return message_read(r, node, place, kinds[kind].key, out);
    case NODE_WAIT:
        snprintf(inner, sizeof inner, "%s.wait", place);
        return wait_read(r, json_get(node, STR("wait")), inner, out);
    case NODE_WAIT_UNTIL:
        TRY(until_read(r, json_get(node, STR("wait_until")), place, out));
        if (out->until.kind == UNTIL_TIME && json_get(node, STR("else")) != NULL)
            return wrong(r, place, "A time of day always comes: there is nothing \"else\".",
                         "Leave \"else\" out; it is for dates that may be unknown or past.");
        return target_read(r, node, "else", place, out->next, &out->otherwise);
    case NODE_WAIT_FOR:
        return wait_for_read(r, node, place, out->next, out, &branches[out->branches]);
    case NODE_SPLIT:
        if (json_get(node, STR("variants")) != NULL)
            return journey_variants_read(r, node, place, out->next, out, &branches[out->branches]);
        return split_read(r, node, place, out->next, out, &branches[out->branches]);
    case NODE_SET:
    case NODE_RECORD:
    case NODE_LIST:
    case NODE_CONSENT:
    case NODE_START:
        snprintf(inner, sizeof inner, "%s.%s", place, kinds[kind].key);
        out->change.leaves = kinds[kind].key[0] == 'l';
        return journey_change_read(r, out->kind, json_get(node, str_of(kinds[kind].key)), inner,
                                   &out->change);
    case NODE_EXIT:
        break;
    }
    return OK;
}

/* ---- all of them ---- */

/* Does it take time to come to what is next? A date may be past. */
static bool takes_time(const struct node *node)
{
    return node->kind == NODE_WAIT ||
           (node->kind == NODE_WAIT_UNTIL && node->until.kind == UNTIL_TIME);
}

/* A circle without a wait would never end. Colours: 0 new, 1 on the way, 2 done. */
static bool circles(const struct journey *journey, uint16_t i, unsigned char *colour)
{
    if (i == JOURNEY_END)
        return false;
    const struct node *node = &journey->nodes[i];
    if (takes_time(node) || node->kind == NODE_EXIT || colour[i] == 2)
        return false;
    if (colour[i] == 1)
        return true;
    colour[i] = 1;
    bool found = false, has_branches = node->branches_count > 0;
    for (uint16_t b = 0; b < node->branches_count; b++)
        found = found || circles(journey, journey->branches[node->branches + b].next, colour);
    if (!has_branches)
        found = circles(journey, node->next, colour);
    if (node->kind != NODE_WAIT_FOR) /* its timeout takes time */
        found = found || circles(journey, node->otherwise, colour);
    colour[i] = 2;
    return found;
}

static enum err circles_check(struct reading *r, const struct journey *journey)
{
    unsigned char colour[JOURNEY_NODES_MAX] = { 0 };
    for (uint16_t i = 0; i < journey->nodes_count; i++)
        if (circles(journey, i, colour)) {
            char where[32];
            snprintf(where, sizeof where, "nodes[%u]", i);
            return wrong(r, where, "From here the journey goes round in a circle without waiting.",
                         "Put a wait into the circle, or let it end.");
        }
    return OK;
}

static uint16_t branches_wanted(const struct json *node)
{
    const struct json *split = json_get(node, STR("split"));
    if (split == NULL)
        split = json_get(node, STR("variants"));
    if (split != NULL && split->kind == JSON_ARRAY)
        return split->count < JOURNEY_BRANCHES_MAX ? (uint16_t)split->count : JOURNEY_BRANCHES_MAX;
    return split != NULL || json_get(node, STR("wait_for")) != NULL;
}

enum err journey_nodes_read(struct reading *r, struct journey *out)
{
    if (r->nodes == NULL || r->nodes->kind != JSON_ARRAY || r->nodes->count == 0 ||
        r->nodes->count > JOURNEY_NODES_MAX)
        return wrong(r, "nodes", "A journey has between 1 and 500 nodes.",
                     "Give \"nodes\" a list of nodes.");
    struct node *nodes = ARENA_ARRAY(r->arena, r->nodes->count, struct node);
    if (nodes == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < r->nodes->count; i++) {
        nodes[i].branches = (uint16_t)out->branches_count;
        nodes[i].branches_count = branches_wanted(&r->nodes->items[i]);
        out->branches_count += nodes[i].branches_count;
    }
    out->branches = ARENA_ARRAY(r->arena, out->branches_count + 1, struct branch);
    if (out->branches == NULL)
        return ERR_MEMORY;
    out->nodes = nodes;
    out->nodes_count = (uint16_t)r->nodes->count;
    for (uint32_t i = 0; i < r->nodes->count; i++)
        TRY(node_read(r, (uint16_t)i, out->branches, &nodes[i]));
    return circles_check(r, out);
}
