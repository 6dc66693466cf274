#include "run/api/rehearsing.h"

#include <stdlib.h>

#include "base/time.h"
#include "run/api/rehearsals.h"

/* ---- the question ---- */

static enum err instant_read(struct rehearsing *r, const char *key, int64_t absent, int64_t *out)
{
    const struct json *given = json_get(r->body, str_of(key));
    *out = absent;
    if (given == NULL)
        return OK;
    if (given->kind == JSON_STRING && time_parse(given->string, out) == OK)
        return OK;
    return problem_set(&r->ask.call->problem, ERR_INPUT, key, "This is no date.",
                       "Write it as 2026-01-31 or 2026-01-31T12:00:00Z.");
}

static enum err question_read(struct rehearsing *r)
{
    int64_t sample = REHEARSING_SAMPLE;
    TRY(instant_read(r, "to", r->ask.report.at_ms, &r->conf.to_ms));
    TRY(instant_read(r, "from", r->conf.to_ms - REHEARSING_DAYS * TIME_DAY_MS, &r->conf.from_ms));
    bool is_given = json_get(r->body, STR("sample")) != NULL;
    if (is_given && (!json_get_int(r->body, STR("sample"), &sample) || sample < 0 ||
                     sample > REHEARSE_SAMPLE_MAX))
        return problem_format(&r->ask.call->problem, ERR_INPUT, "sample", "Leave it out for 5.",
                              "This is no number from 0 to %d.", REHEARSE_SAMPLE_MAX);
    r->conf.sample = (uint32_t)sample;
    r->conf.zones = core_zones(r->ask.call->api->conf.core);
    r->who = json_get_str(r->body, STR("person"));
    return OK;
}

/* ---- everyone ---- */

static enum err part(void *context, uint32_t hand, struct report_range range)
{
    struct rehearsing *r = context;
    if (r->until_us > 0 && time_mono_us() > r->until_us) {
        atomic_store(&r->is_late, true);
        return ERR_WAIT;
    }
    if (r->hands[hand] == NULL)
        TRY(rehearse_hand_open(&r->hands[hand], r->rehearsal));
    return rehearse_part(r->hands[hand], r->ask.view, range.from, range.to);
}

static enum err everyone(struct rehearsing *r)
{
    if (r->conf.progress != NULL)
        atomic_store(&r->conf.progress->of, r->ask.view->profiles);
    enum err err = ask_share(&r->ask, part, r);
    if (err == ERR_WAIT && r->conf.progress != NULL) /* also among the running reports */
        atomic_store(&r->conf.progress->is_stopped, true);
    if (atomic_load(&r->is_late))
        return problem_format(&r->ask.call->problem, ERR_LIMIT, "from",
                              "Take a later `from`, or rehearse fewer journeys at a time.",
                              "It took longer than %d minutes.", REHEARSALS_RUN_S / 60);
    TRY(err);
    TRY(rehearse_result_init(&r->result, r->rehearsal));
    for (uint32_t i = 0; i < CREW_THREADS_MAX; i++)
        if (r->hands[i] != NULL)
            TRY(rehearse_gather(&r->result, r->hands[i]));
    return OK;
}

/* ---- somebody ---- */

static bool person_ask(struct engine *engine, struct task *task)
{
    struct rehearsing *r = task->context;
    r->person = call_find(engine, r->who);
    return true;
}

static enum err somebody(struct rehearsing *r)
{
    TRY(call_ask(r->ask.call, person_ask, r));
    if (r->person == PROFILE_NONE)
        return call_nobody(r->ask.call, r->who);
    TRY(rehearse_result_init(&r->result, r->rehearsal));
    TRY(rehearse_hand_open(&r->hands[0], r->rehearsal));
    return rehearse_person(r->hands[0], r->ask.view, r->person, r->arena, &r->path);
}

static enum err rehearse(struct rehearsing *r)
{
    TRY(question_read(r));
    TRY(rehearsing_world(r));
    TRY(rehearsal_open(&r->rehearsal, &r->conf, &r->ask.call->problem));
    TRY(r->who.len > 0 ? somebody(r) : everyone(r));
    return rehearsing_answer(r);
}

static void rehearsing_close(struct rehearsing *r)
{
    for (uint32_t i = 0; i < CREW_THREADS_MAX; i++)
        rehearse_hand_close(r->hands[i]);
    if (r->result.arena != NULL)
        rehearse_result_done(&r->result);
    rehearsal_close(r->rehearsal);
    rehearsing_world_done(r);
    ask_close(&r->ask);
}

enum err rehearsing_run(struct call *call, const struct json *body,
                        const struct rehearsing_watch *watch)
{
    struct rehearsing *r = ARENA_NEW(call->arena, struct rehearsing);
    if (r == NULL)
        return ERR_MEMORY;
    r->body = body;
    r->arena = call->arena;
    if (watch != NULL) {
        r->conf.progress = watch->progress;
        r->until_us = watch->until_us;
    }
    enum err err = ask_open(&r->ask, call, body);
    if (err == OK)
        err = rehearse(r);
    rehearsing_close(r);
    return err;
}

enum err journeys_rehearse(struct call *call)
{
    struct json body;
    TRY(call_body(call, &body));
    return rehearsing_run(call, &body, NULL);
}
