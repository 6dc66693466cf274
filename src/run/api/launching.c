#include "run/api/launching.h"

#include <stdio.h>

#include "base/time.h"
#include "engine/program.h"
#include "run/api/counting.h"

/* ---- launching ---- */

/* {"segment": NAME}, {"stage": ..} or {"list": ..}; false: it begins otherwise. */
static bool source_of(struct call *call, struct str text, struct segment_node *out)
{
    static const struct {
        const char       *key;
        enum segment_kind kind;
    } sources[] = { { "segment", SEGMENT_IN_SEGMENT },
                    { "stage", SEGMENT_IN_STAGE },
                    { "list", SEGMENT_IN_LIST } };
    struct json root;
    if (json_parse_once(call->arena, text, &root, NULL) != OK || root.kind != JSON_OBJECT)
        return false;
    const struct json *trigger = json_get(&root, STR("trigger"));
    if (trigger == NULL || json_get(trigger, STR("schedule")) != NULL)
        return false;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        struct str name = json_get_str(trigger, str_of(sources[i].key));
        if (name.len == 0)
            continue;
        *out = (struct segment_node){ .kind = sources[i].kind, .name = name };
        return true;
    }
    return false;
}

enum err launching_check(struct call *call, enum definition_kind kind, struct str text)
{
    struct segment_node node;
    if (!call_flag(call, "also_inside") || (kind == DEFINE_JOURNEY && source_of(call, text, &node)))
        return OK;
    return problem_set(&call->problem, ERR_INPUT, "also_inside",
                       "Nobody is inside what begins this.",
                       "It goes with a journey that begins by a segment, a stage or a list; leave "
                       "it out: all comes from now on.");
}

static enum err count(struct ask *ask, struct counting *counting, struct segment_node *node)
{
    TRY(counting_of(ask, counting, node, STR_NONE));
    return counting_run(ask, counting);
}

enum err launching_write(struct call *call, struct str text, struct buf *out, bool *first)
{
    struct segment_node node;
    struct counting     counting = { .count = 0 };
    struct ask          ask;
    if (!source_of(call, text, &node))
        return OK;
    enum err err = ask_open(&ask, call, NULL);
    if (err == OK)
        err = count(&ask, &counting, &node);
    ask_close(&ask);
    if (err == ERR_ABSENT || err == ERR_INPUT) { /* a list that nobody ever joined */
        call->problem = (struct problem){ .where = "" };
        counting.count = 0;
        err = OK;
    }
    TRY(err);
    write_int(out, first, "already_inside", (int64_t)counting.count);
    return OK;
}

/* ---- standing still ---- */

struct still {
    struct str         name;
    enum journey_state state;
    bool               is_known; /* is there such a journey? */
};

static bool state_ask(struct engine *engine, struct task *task)
{
    struct still         *still = task->context;
    const struct program *program = engine_program(engine);
    uint32_t              journey = program_journey(program, still->name);
    still->is_known = journey != SEGMENT_NO_ID;
    still->state = program_journey_state(program, journey);
    return true;
}

enum err launching_state_write(struct call *call, struct str journey, struct buf *out, bool *first)
{
    struct still still = { .name = journey };
    TRY(call_ask(call, state_ask, &still));
    if (still.state != JOURNEY_RUNS)
        write_text(out, first, "state", str_of(journey_state_word(still.state)));
    return OK;
}

static enum err state_set(struct call *call, enum journey_state state)
{
    char         text[96];
    uint64_t     version;
    bool         is_changed, first = true;
    struct str   name = call_param(call, "name");
    struct still still = { .name = name };
    TRY(call_ask(call, state_ask, &still));
    bool is_so = still.is_known && still.state == state; /* said again it moves no wait */
    snprintf(text, sizeof text, "{\"state\":\"%s\",\"at\":%lld}", journey_state_word(state),
             (long long)time_now_ms());
    if (!is_so)
        TRY(definition_change(call, DEFINE_JOURNEY_STATE, name, str_of(text), &version,
                              &is_changed));
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "journey", name);
    write_text(&call->out, &first, "state", str_of(journey_state_word(state)));
    buf_char(&call->out, '}');
    return OK;
}

enum err journey_pause(struct call *call)
{
    return state_set(call, JOURNEY_PAUSED);
}

enum err journey_resume(struct call *call)
{
    return state_set(call, JOURNEY_RUNS);
}

enum err journey_stop(struct call *call)
{
    return state_set(call, JOURNEY_STOPPED);
}
