/* Live, on trial, or a copy: shown with what it would mean, and switched. */
#include "run/api/api_inside.h"

#include "engine/reach.h"
#include "run/send/sender.h"
#include "run/send/trial.h"

enum { PROFILES_A_TURN = 2000 }; /* some milliseconds of the engine's thread */

struct live_question {
    uint32_t from;
    uint64_t reachable, queued;
};

static bool live_ask(struct engine *engine, struct task *task)
{
    struct live_question *question = task->context;
    question->queued = engine_stats(engine).queued;
    return reach_all(engine, CHANNEL_EMAIL, &question->from, PROFILES_A_TURN, &question->reachable);
}

static enum err live_write(struct call *call, bool is_done)
{
    struct live_question question = { .from = 0 };
    const struct trial  *trial = call->api->conf.trial;
    struct buf          *out = &call->out;
    const struct str    *allowed;
    bool                 first = true;
    uint32_t             allowed_count = trial_allowed(trial, &allowed);
    TRY(call_ask(call, live_ask, &question));
    buf_char(out, '{');
    write_text(out, &first, "state", str_of(trial_word(trial_state(trial))));
    json_write_key(out, &first, "changed");
    buf_str(out, is_done ? STR("true") : STR("false"));
    write_int(out, &first, "queued", (int64_t)question.queued);
    write_int(out, &first, "reachable", (int64_t)question.reachable);
    write_int(out, &first, "kept", trial_kept(trial));
    write_text(out, &first, "outbox", str_of(trial_outbox(trial)));
    json_write_key(out, &first, "allow");
    buf_char(out, '[');
    for (uint32_t i = 0; i < allowed_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        json_write_str(out, allowed[i]);
    }
    buf_str(out, STR("]}"));
    return OK;
}

static enum err trial_check(struct call *call)
{
    if (call->api->conf.trial != NULL)
        return OK;
    return problem_set(&call->problem, ERR_ABSENT, "live", "Nothing is sent from here.",
                       "Ask the program that serves this folder.");
}

enum err live_show(struct call *call)
{
    TRY(trial_check(call));
    return live_write(call, false);
}

enum err live_post(struct call *call)
{
    struct json body;
    TRY(trial_check(call));
    TRY(call_body(call, &body));
    struct str state = json_get_str(&body, STR("state"));
    bool       live = str_eq(state, STR("live"));
    if (!live && !str_eq(state, STR("trial")))
        return problem_set(&call->problem, ERR_INPUT, "state", "This is no state to switch to.",
                           "Give \"live\" or \"trial\".");
    /* First how many it is about, and only then the switch. */
    if (live && !json_get_bool(&body, STR("sure"), false))
        return live_write(call, false);
    TRY(trial_set(call->api->conf.trial, live, &call->problem));
    if (call->api->sender != NULL)
        sender_look_again(call->api->sender);
    /* What was made while it was live waits for a place with its real address. */
    if (!live && call->api->sender != NULL && sender_recall_all(call->api->sender) != OK)
        return problem_set(&call->problem, ERR_WAIT, "state",
                           "It is on trial, but what waits for a place was not called back.",
                           "Say it again.");
    return live_write(call, true);
}
