#include "run/api/rehearsing.h"

#include <stdlib.h>

#include "base/time.h"

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
    if (r->hands[hand] == NULL)
        TRY(rehearse_hand_open(&r->hands[hand], r->rehearsal));
    return rehearse_part(r->hands[hand], r->ask.view, range.from, range.to);
}

static enum err everyone(struct rehearsing *r)
{
    TRY(ask_share(&r->ask, part, r));
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

enum err journeys_rehearse(struct call *call)
{
    struct rehearsing *r = ARENA_NEW(call->arena, struct rehearsing);
    struct json        body;
    if (r == NULL)
        return ERR_MEMORY;
    TRY(call_body(call, &body));
    r->body = &body;
    r->arena = call->arena;
    enum err err = ask_open(&r->ask, call, &body);
    if (err == OK)
        err = rehearse(r);
    rehearsing_close(r);
    return err;
}
