/*
 * A record, and what has to do with it: who it is about, which file takes it; aliases and undoing,
 * and the clock.
 */
#include "engine/inside.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/checkpoint.h"
#include "engine/vec.h"

enum {
    CLOCK_WAKES_MAX = 500, /* timers of one clock record: so long does who asks wait */
    COMING_PEOPLE = 4,     /* between two steps of asking for who comes */
};

enum err engine_open(struct engine **out, struct engine_conf conf)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return ERR_MEMORY;
    assert(conf.next_decision > 0);
    engine->conf = conf;
    for (int i = 0; i < AHEAD; i++)
        engine->ahead[i].steps = PEOPLE_AHEAD_STEPS;
    engine->next_decision = conf.next_decision;
    engine->ops = known_ops_live();
    engine->people = people_open(conf.seed);
    engine->timeline = timeline_open();
    engine->wakes = calendar_open();
    engine->suppressions = suppressions_open(conf.seed);
    engine->bag = buf_make(BAG_BYTES_MAX);
    if (engine->people == NULL || engine->timeline == NULL || engine->wakes == NULL ||
        engine->suppressions == NULL || outbox_lanes_open(engine) != OK ||
        program_open(&engine->program) != OK) {
        engine_close(engine);
        return ERR_MEMORY;
    }
    engine->program->zones = conf.zones;
    engine->retaining.in_force = engine->retaining.coming = retention_none();
    *out = engine;
    return OK;
}

void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    brake_domains_done(&engine->brake_domains);
    checkpoint_end(engine);
    people_close(engine->people);
    timeline_close(engine->timeline);
    calendar_close(engine->wakes);
    outbox_lanes_close(engine);
    suppressions_close(engine->suppressions);
    program_close(engine->program);
    buf_done(&engine->bag);
    buf_done(&engine->detail);
    VEC_DONE(&engine->jobs);
    VEC_DONE(&engine->turned);
    free(engine->sooner);
    free(engine->sums);
    retaining_done(&engine->retaining);
    pools_done(engine);
    broadcasting_done(engine);
    VEC_DONE(&engine->strays);
    free(engine);
}

static enum err alias_apply(struct engine *engine, const struct record *record, struct out *out)
{
    struct who who;
    TRY(who_alias(engine, record, out, &who));
    out->profile = who.profile;
    if (who.also != PROFILE_NONE)
        TRY(person_ask_all(engine, out, who.also, true));
    return person_ask_all(engine, out, who.profile, false);
}

static enum err unmerge_apply(struct engine *engine, const struct record *record, struct out *out,
                              struct problem *problem)
{
    if (people_is_nobody(engine->people, record->profile))
        return ERR_ABSENT;
    uint32_t            person = people_root(engine->people, record->profile);
    const struct state *state = people_state_get(engine->people, person);
    uint32_t            released = PROFILE_NONE;
    for (uint32_t i = 0; i < state->rarer->merges.count; i++)
        if (state->rarer->merges.items[i].id == record->merge)
            released = state->rarer->merges.items[i].from;
    if (released == PROFILE_NONE)
        return problem_set(problem, ERR_ABSENT, "merge", "This person has no such merge.",
                           "Look at the merges on the person's page.");
    TRY(wakes_before(engine, out, person, record->received_ms));
    TRY(decide(engine, out,
               (struct decision){ .kind = DECISION_UNMERGE,
                                  .profile = person,
                                  .at_ms = engine->now_ms,
                                  .subject = record->merge,
                                  .object = released }));
    uint32_t both[2] = { person, people_root(engine->people, released) };
    TRY(own_journeys_tell(engine, out, both[0], both[1]));
    for (int i = 0; i < 2; i++) {
        TRY(own_refusals_tell(engine, out, both[i], STR("merge undone")));
        TRY(person_ask_all(engine, out, both[i], true));
    }
    out->profile = person;
    return OK;
}

/* One decision a profile, so that each finds its own on load. */
static enum err erase_apply(struct engine *engine, const struct record *record, struct out *out)
{
    uint32_t member = record->profile;
    if (people_is_nobody(engine->people, record->profile))
        return ERR_ABSENT;
    TRY(suppress_erase_person(engine, out, people_root(engine->people, record->profile)));
    TRY(outbox_recall(engine, out, people_root(engine->people, record->profile)));
    do {
        TRY(decide(engine, out,
                   (struct decision){
                       .kind = DECISION_ERASED, .profile = member, .at_ms = engine->now_ms }));
        member = people_get(engine->people, member)->next;
    } while (member != record->profile);
    out->profile = people_root(engine->people, record->profile);
    return OK;
}

/* Whose turn comes soon, each step some people nearer. */
static void coming_prefetch(const struct engine *engine)
{
    for (uint32_t step = 0; step < PEOPLE_PREFETCH_STEPS; step++) {
        const struct timer *coming =
            calendar_coming(engine->wakes, (PEOPLE_PREFETCH_STEPS - step) * COMING_PEOPLE);
        if (coming == NULL)
            continue;
        people_prefetch(engine->people, coming->profile, step);
        timeline_prefetch(engine->timeline, coming->profile, step);
    }
}

static enum err clock_apply(struct engine *engine, struct out *out)
{
    struct timer timer;
    for (int i = 0; i < CLOCK_WAKES_MAX && calendar_take(engine->wakes, engine->now_ms, &timer);
         i++) {
        coming_prefetch(engine);
        struct profile *profile = people_get(engine->people, timer.profile);
        if (profile->timer_ms != timer.due_ms)
            continue; /* an earlier one came in its place */
        profile->timer_ms = TIME_NEVER;
        if (profile->root != timer.profile)
            continue;
        TRY(wakes_before(engine, out, timer.profile, timer.due_ms));
        /* Later by now, or still due after as many as one record may do: its turn comes again. */
        TRY(wake_at(engine, timer.profile, profile->wake_ms));
    }
    if (engine->retaining.is_asking)
        TRY(retain_go_on(engine, out));
    TRY(broadcasts_run(engine, out));
    if (jobs_are_due(engine))
        TRY(jobs_run(engine, out));
    return contests_run(engine, out);
}

/* Who a record is about must have a name that can be kept. */
static enum err ids_check(const struct record *record, struct problem *problem)
{
    bool alias = record->kind == RECORD_ALIAS;
    bool list = record->kind == RECORD_LIST; /* may name the profile by number */
    if (record->user_id.len > IDENTITY_BYTES_MAX || record->anonymous_id.len > IDENTITY_BYTES_MAX ||
        (alias && record->previous_id.len > IDENTITY_BYTES_MAX))
        return problem_set(problem, ERR_INPUT, "userId", "An id is longer than 512 bytes.",
                           "Use the id under which your own database knows the person.");
    if ((record->flags & RECORD_NUMBERED) != 0)
        return OK;
    if (!list && str_is_empty(record->user_id) && str_is_empty(record->anonymous_id))
        return problem_set(problem, ERR_INPUT, "userId", "The record is about nobody.",
                           "Give it a userId or an anonymousId.");
    if (alias && str_is_empty(record->previous_id))
        return problem_set(problem, ERR_INPUT, "previousId", "An alias needs the earlier id.",
                           "Give previousId.");
    return OK;
}

static enum err record_apply(struct engine *engine, const struct record *record, struct out *out,
                             struct problem *problem)
{
    switch (record->kind) {
    case RECORD_TRACK:
    case RECORD_IDENTIFY:
    case RECORD_PAGE:
    case RECORD_SCREEN:
    case RECORD_GROUP:
        TRY(ids_check(record, problem));
        return apply_event(engine, record, out);
    case RECORD_ALIAS:
        TRY(ids_check(record, problem));
        return alias_apply(engine, record, out);
    case RECORD_MESSAGE:
        return apply_message(engine, record, out);
    case RECORD_CONSENT:
        return apply_consent(engine, record, out);
    case RECORD_LIST:
        TRY(ids_check(record, problem));
        return apply_list(engine, record, out);
    case RECORD_DEFINE:
        TRY(apply_definition(engine, record, problem));
        if (record->definition_kind == DEFINE_SENDING)
            braking_hold(engine, out);
        return OK;
    case RECORD_SUPPRESSION:
        return apply_suppression(engine, record, out, problem);
    case RECORD_SEND:
        return apply_send(engine, record, out, problem);
    case RECORD_ENROLL:
        return apply_enroll(engine, record, out, problem);
    case RECORD_BROADCAST:
        return apply_broadcast(engine, record, problem);
    case RECORD_CODES:
        return apply_codes(engine, record, problem);
    case RECORD_UNMERGE:
        return unmerge_apply(engine, record, out, problem);
    case RECORD_ERASE:
        return erase_apply(engine, record, out);
    case RECORD_CLOCK:
        return clock_apply(engine, out);
    case RECORD_CLAIM:
        return outbox_claim(engine, out, record);
    case RECORD_OUTCOME:
        return apply_outcome(engine, record, out);
    case RECORD_RETAIN:
        return retain_apply(engine);
    case RECORD_RETAINED:
        return retained_apply(engine);
    default:
        return problem_set(problem, ERR_INPUT, "kind", "There is no such kind of record.", "");
    }
}

enum err engine_apply(struct engine *engine, const struct record *record, struct out *out,
                      struct problem *problem)
{
    assert(record->seq > engine->seq && record->seq <= UINT32_MAX);
    engine->seq = engine->number = record->seq;
    if (record->received_ms > engine->now_ms)
        engine->now_ms = record->received_ms;
    out->profile = PROFILE_NONE;
    out->older = false;
    out->stopped = out->chosen = STR_NONE;
    out->message = 0;
    enum err err = record_apply(engine, record, out, problem);
    /* Also of a refused record: what was decided before the refusal is kept, with its words. */
    TRY(program_names_out(engine->program, out));
    out->seq = engine->number;
    return err;
}

void engine_prefetch(struct engine *engine, const struct record *record)
{
    bool user = !str_is_empty(record->user_id);
    engine->ahead[engine->ahead_next++ % AHEAD] =
        people_ahead_make(engine->people, user ? IDENTITY_USER : IDENTITY_ANONYMOUS,
                          user ? record->user_id : record->anonymous_id);
    for (int i = 0; i < AHEAD; i++) {
        struct people_ahead *ahead = &engine->ahead[i];
        if (ahead->steps >= PEOPLE_AHEAD_STEPS)
            continue;
        people_ahead_step(engine->people, ahead);
        if (ahead->profile != PROFILE_NONE)
            timeline_prefetch(engine->timeline, ahead->profile, ahead->steps - 3);
    }
}

int64_t engine_next_ms(const struct engine *engine)
{
    int64_t next_ms = calendar_next_ms(engine->wakes), broadcasts_ms = broadcasts_next_ms(engine);
    int64_t contests_ms = contests_next_ms(engine);
    next_ms = broadcasts_ms < next_ms ? broadcasts_ms : next_ms;
    next_ms = contests_ms < next_ms ? contests_ms : next_ms;
    return engine_has_job(engine) ? engine->now_ms : next_ms;
}

uint64_t engine_seq(const struct engine *engine)
{
    return engine->seq;
}

int64_t engine_now_ms(const struct engine *engine)
{
    return engine->now_ms;
}

int64_t engine_behind_ms(const struct engine *engine)
{
    int64_t next_ms = calendar_next_ms(engine->wakes);
    /* Who is still to be asked since the start has a timer then, and may be as far behind as at it.
     */
    if (engine->behind_ms > 0 && engine->behind_ms < next_ms && next_ms <= engine->loaded_ms)
        return engine->behind_ms;
    return next_ms <= engine->now_ms ? next_ms : engine->now_ms + 1;
}

bool engine_has_job(const struct engine *engine)
{
    return jobs_are_due(engine) || engine->retaining.is_asking;
}
