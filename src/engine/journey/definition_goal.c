/* What is measured of a journey: its holdout, its goal, and the variants of an experiment. */
#include <stdio.h>

#include "engine/experiment/hypothesis.h"
#include "engine/journey/definition_inside.h"

enum { WHERE_BYTES = 64 };

/* ---- goal ---- */

static enum err goal_members_check(struct reading *r, const struct json *value)
{
    static const char *const known[] = { "condition", "within", "target", "value", "note" };
    for (uint32_t i = 0; i < value->count; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            found = found || str_eq(value->members[i].key, str_of(known[k]));
        if (!found)
            return problem_format(
                r->problem, ERR_INPUT, "goal", "Use condition, within, target, value or note.",
                "A goal has no member \"%.*s\".", STR_ARG(str_slice(value->members[i].key, 0, 60)));
    }
    return OK;
}

/* What conditions name has a number; so has the property. */
static enum err value_read(struct reading *r, const struct json *value, uint16_t *out)
{
    *out = DICT_NONE;
    if (value == NULL)
        return OK;
    if (value->kind != JSON_STRING || str_is_empty(value->string) ||
        value->string.len > DICT_NAME_BYTES_MAX)
        return wrong(r, "goal.value", "This is no name of a property.",
                     "Name the property of the event that says what it is worth: \"revenue\".");
    *out = dict_find(r->names.properties, value->string);
    if (*out != DICT_NONE || !r->names.grow)
        return OK;
    TRY(dict_intern(r->names.properties, value->string, out));
    return *out != DICT_OTHER
               ? OK
               : problem_set(
                     r->problem, ERR_LIMIT, "goal.value",
                     "The workspace has 60000 properties already, and this is none of them.",
                     "Use a property that was told before.");
}

static enum err goal_read(struct reading *r, const struct json *value, struct goal *out)
{
    const struct json *condition = json_get(value, STR("condition"));
    const struct json *target = json_get(value, STR("target"));
    out->value = DICT_NONE;
    if (value == NULL)
        return OK;
    if (value->kind != JSON_OBJECT || condition == NULL)
        return wrong(r, "goal", "A goal has a condition and a time within which it counts.",
                     "Write {\"condition\": \"did \\\"Order Completed\\\" since entry\", "
                     "\"within\": \"14 days\"}.");
    TRY(goal_members_check(r, value));
    TRY(journey_condition_read(r, condition, "goal.condition", &out->condition));
    TRY(journey_length_read(r, json_get(value, STR("within")), "goal.within", &out->within_ms));
    if (target != NULL)
        TRY(deal_share_read(target, 100, "goal.target", &out->target, r->problem));
    return value_read(r, json_get(value, STR("value")), &out->value);
}

enum err journey_goal_read(struct reading *r, const struct json *root, struct journey *out)
{
    const struct json *stays = json_get(root, STR("exit_on_goal"));
    TRY(holdout_read(json_get(root, STR("holdout")), out->name, &out->holdout, r->problem));
    TRY(goal_read(r, json_get(root, STR("goal")), &out->goal));
    if (stays != NULL && (stays->kind != JSON_BOOL || out->goal.condition.tree == NULL))
        return wrong(r, "exit_on_goal", "It says whether who reaches the goal leaves.",
                     "Write true or false, and a \"goal\".");
    out->goal.stays = stays != NULL && !stays->truth;
    return OK;
}

/* ---- variants ---- */

static enum err variant_read(struct reading *r, const struct json *value, const char *place,
                             uint16_t below, struct branch *out)
{
    const struct json *share = json_get(value, STR("share"));
    char               where[WHERE_BYTES];
    if (value->kind != JSON_OBJECT)
        return wrong(r, place, "A variant is an object.",
                     "Write {\"name\": \"short\", \"next\": ID}.");
    for (uint32_t i = 0; i < value->count; i++)
        if (!str_eq(value->members[i].key, STR("name")) &&
            !str_eq(value->members[i].key, STR("share")) &&
            !str_eq(value->members[i].key, STR("next")))
            return wrong(r, place, "A variant has no such member.", "Use name, share and next.");
    *out = (struct branch){ .name = json_get_str(value, STR("name")) };
    if (str_is_empty(out->name) || out->name.len > JOURNEY_NAME_BYTES_MAX)
        return wrong(r, place, "A variant has a name of 1 to 128 bytes.",
                     "Its numbers are told by it: {\"name\": \"short\", ...}.");
    TRY(journey_target_read(r, value, "next", place, below, &out->next));
    if (share == NULL)
        return OK;
    snprintf(where, sizeof where, "%.50s.share", place);
    return deal_share_read(share, 100, where, &out->share, r->problem);
}

static bool is_named_twice(const struct branch *branches, uint32_t count)
{
    for (uint32_t i = 0; i + 1 < count; i++)
        if (str_eq(branches[i].name, branches[count - 1].name))
            return true;
    return false;
}

/* Each one's own share becomes where it ends; without any they are all the same. */
static enum err shares_settle(struct reading *r, const char *place, struct branch *branches,
                              uint32_t count)
{
    uint32_t sum = 0, given = 0;
    for (uint32_t i = 0; i < count; i++)
        given += branches[i].share > 0;
    if (given > 0 && given < count)
        return wrong(r, place, "Some variants have a share, and some have none.",
                     "Give one to each, or to none: then they are all the same.");
    for (uint32_t i = 0; i < count; i++) {
        sum += branches[i].share;
        branches[i].share = given > 0 ? sum : (i + 1) * JOURNEY_SHARES / count;
    }
    return given == 0 || sum == JOURNEY_SHARES
               ? OK
               : problem_format(r->problem, ERR_INPUT, place, "Make them 100 percent in all.",
                                "The shares are %g percent in all.",
                                (double)sum * 100 / JOURNEY_SHARES);
}

enum err journey_variants_read(struct reading *r, const struct json *node, const char *place,
                               uint16_t below, struct node *out, struct branch *branches)
{
    const struct json *list = json_get(node, STR("variants"));
    const struct json *name = json_get(node, STR("experiment"));
    char               where[WHERE_BYTES], all[WHERE_BYTES];
    snprintf(all, sizeof all, "%.40s.variants", place);
    if (list->kind != JSON_ARRAY || list->count < DEAL_ARMS_MIN || list->count > DEAL_ARMS_MAX)
        return wrong(r, all, "An experiment has between 2 and 8 variants.",
                     "Give it a list of {\"name\": TEXT, \"next\": ID}.");
    if (name != NULL && (name->kind != JSON_STRING || str_is_empty(name->string) ||
                         name->string.len > JOURNEY_NAME_BYTES_MAX))
        return wrong(r, place, "An experiment has a name of 1 to 128 bytes.",
                     "Write \"experiment\": \"subject\", or leave it out.");
    if (!r->is_stored && !hypothesis_is_good(json_get(node, STR("hypothesis"))))
        return wrong(r, place, "A hypothesis is a text of 1 to 1,000 bytes.",
                     "Write what is expected and why, or leave it out.");
    snprintf(where, sizeof where, "%.40s.winner", place);
    TRY(winner_read_journey(json_get(node, STR("winner")), where, &out->winner, r->problem));
    out->is_experiment = true;
    out->experiment = name == NULL ? STR_NONE : name->string;
    for (uint32_t i = 0; i < list->count; i++) {
        snprintf(where, sizeof where, "%.50s[%u]", all, i);
        TRY(variant_read(r, &list->items[i], where, below, &branches[i]));
        if (is_named_twice(branches, i + 1))
            return wrong(r, where, "Two variants have the same name.",
                         "Give each a name of its own.");
    }
    return shares_settle(r, all, branches, list->count);
}

/* A journey with a goal is for that, where nothing else is said. */
static enum err winner_settle(struct reading *r, const struct journey *journey, uint16_t number,
                              struct winner_rule *rule)
{
    bool has_goal = journey->goal.condition.tree != NULL;
    char where[WHERE_BYTES];
    if (rule->by == WINNER_UNSAID)
        rule->by = has_goal ? WINNER_GOAL : WINNER_CLICKED;
    if (rule->by != WINNER_GOAL || has_goal)
        return OK;
    snprintf(where, sizeof where, "nodes[%u].winner.by", number);
    return wrong(r, where, "The journey has no goal.",
                 "Give it a \"goal\", or let \"clicked\" or \"opened\" decide.");
}

enum err journey_experiments_name(struct reading *r, struct journey *out)
{
    struct node *nodes = (struct node *)out->nodes; /* made in this reading */
    for (uint16_t i = 0; i < out->nodes_count; i++) {
        if (nodes[i].winner.after_ms > 0)
            TRY(winner_settle(r, out, i, &nodes[i].winner));
        if (!nodes[i].is_experiment || nodes[i].experiment.len > 0)
            continue;
        nodes[i].experiment =
            str_format(r->arena, "%.*s/%.*s", STR_ARG(out->name), STR_ARG(nodes[i].id));
        if (nodes[i].experiment.ptr == NULL)
            return ERR_MEMORY;
    }
    return OK;
}
