#include "run/api/counting.h"

enum err condition_read(struct call *call, struct str text, const struct json *json,
                        const struct segment_node **out)
{
    if (json != NULL && json->kind != JSON_STRING)
        return segment_parse_json(call->arena, json, out, &call->problem);
    if (json != NULL)
        text = json->string;
    if (str_trim(text).len == 0)
        return problem_set(&call->problem, ERR_INPUT, "condition", "There is no condition.",
                           "Give one such as did \"Order Completed\" at least 3 times.");
    return segment_parse(call->arena, text, out, &call->problem);
}

enum err counting_of(struct ask *ask, struct counting *counting, const struct segment_node *tree,
                     struct str name)
{
    struct ask_condition condition = { .where = tree == NULL ? "segment" : "condition",
                                       .tree = tree,
                                       .name = name };
    return ask_condition(ask, condition, &counting->condition);
}

enum err counting_compare(struct ask *ask, struct counting *counting, struct str name)
{
    struct ask_condition condition = { .where = "compare", .name = name, .is_absence = true };
    counting->is_comparing = true;
    return ask_condition(ask, condition, &counting->segment);
}

static enum err compare(struct ask *ask, struct counting *counting)
{
    const struct ask_condition *segment = &ask->conditions[counting->segment];
    size_t                      words = report_words(&ask->report);
    uint64_t                   *members = ask_bits(ask);
    counting->entering = ask_bits(ask);
    counting->leaving = ask_bits(ask);
    if (members == NULL || counting->entering == NULL || counting->leaving == NULL)
        return ERR_MEMORY;
    if (segment->tree != NULL)
        TRY(ask_match(ask, &segment->program, members));
    for (size_t i = 0; i < words; i++) {
        counting->entering[i] = counting->matching[i] & ~members[i];
        counting->leaving[i] = members[i] & ~counting->matching[i];
    }
    counting->entering_count = ask_count(ask, counting->entering);
    counting->leaving_count = ask_count(ask, counting->leaving);
    return OK;
}

enum err counting_run(struct ask *ask, struct counting *counting)
{
    counting->matching = ask_bits(ask);
    if (counting->matching == NULL)
        return ERR_MEMORY;
    TRY(ask_compile(ask));
    counting->unseen = ask->unseen;
    TRY(ask_everyone(ask));
    TRY(ask_match(ask, &ask->conditions[counting->condition].program, counting->matching));
    counting->people = ask->people;
    counting->count = ask_count(ask, counting->matching);
    return counting->is_comparing ? compare(ask, counting) : OK;
}

void counting_write(const struct counting *counting, struct buf *out, bool *first)
{
    write_int(out, first, "count", (int64_t)counting->count);
    write_int(out, first, "people", (int64_t)counting->people);
    json_write_key(out, first, "share");
    json_write_real(
        out, counting->people == 0 ? 0.0 : (double)counting->count / (double)counting->people);
    if (!counting->is_comparing)
        return;
    write_int(out, first, "entering", (int64_t)counting->entering_count);
    write_int(out, first, "leaving", (int64_t)counting->leaving_count);
}
