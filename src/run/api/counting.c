#include "run/api/counting.h"

#include "base/time.h"

enum { SLICE_US = 1000, PROFILES_A_LOOK = 64 };

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

static enum err compile(struct counting *counting, struct engine *engine)
{
    struct program *program = engine_program(engine);
    counting->is_compiled = true;
    counting->number = program_segment(program, counting->segment);
    if (counting->at_ms == TIME_NEVER)
        counting->at_ms = engine_now_ms(engine);
    if (counting->tree == NULL) {
        if (counting->number == SEGMENT_NO_ID ||
            program->segments.items[counting->number].arena == NULL)
            return problem_format(&counting->call->problem, ERR_ABSENT, "segment",
                                  "Look at the "
                                  "list of segments.",
                                  "There is no segment \"%.*s\".", STR_ARG(counting->segment));
        /* Its tree may be replaced between two slices: ours is read from its text. */
        SCOPED(buf_donep) struct buf text = buf_make(CALL_ANSWER_BYTES_MAX);
        segment_write(&text, program->segments.items[counting->number].tree);
        TRY(buf_err(&text));
        TRY(segment_parse(counting->call->arena, buf_view(&text), &counting->tree,
                          &counting->call->problem));
    }
    struct segment_names names = program_names(program, false);
    return segment_compile(counting->call->arena, counting->tree, &names, &counting->program,
                           &counting->call->problem);
}

static bool is_in(const struct engine *engine, uint32_t person, uint32_t segment)
{
    const struct state *state = people_state_get(engine_people(engine), person);
    for (uint32_t i = 0; i < state->memberships.count; i++)
        if (state->memberships.items[i].segment == segment)
            return state->memberships.items[i].in;
    return false;
}

static void compare(struct counting *counting, const struct engine *engine, uint32_t from)
{
    for (uint32_t p = from; p < counting->cursor; p++) {
        if (people_root(engine_people(engine), p) != p)
            continue;
        bool holds = engine_ask(engine, &counting->program, p, counting->at_ms).holds;
        bool is_member = counting->number != SEGMENT_NO_ID && is_in(engine, p, counting->number);
        counting->entering += holds && !is_member;
        counting->leaving += !holds && is_member;
    }
}

static bool counting_ask(struct engine *engine, struct task *task)
{
    struct counting *counting = task->context;
    int64_t          until_us = time_mono_us() + SLICE_US;
    if (!counting->is_compiled)
        counting->err = compile(counting, engine);
    if (counting->err != OK)
        return true;
    while (time_mono_us() < until_us) {
        uint32_t from = counting->cursor;
        counting->is_done =
            engine_count(engine, &counting->program, counting->at_ms, &counting->cursor,
                         counting->is_listing ? 1 : PROFILES_A_LOOK, &counting->count);
        if (counting->is_comparing)
            compare(counting, engine, from);
        if (counting->is_done)
            return true;
        if (counting->is_listing && counting->count.sample_count == counting->count.sample_room)
            return true;
    }
    return false;
}

enum err counting_run(struct counting *counting)
{
    TRY(call_ask(counting->call, counting_ask, counting));
    return counting->err;
}
