/*
 * Broadcasts under way: the job that goes over all people, a part with each record of the clock.
 */
#include "engine/broadcasting.h"

#include <stdlib.h>

#include "base/hash.h"
#include "engine/broadcast.h"
#include "engine/journey/best_hour.h"
#include "engine/vec.h"

enum {
    LOOKS = 4000,     /* of one clock record */
    INTENTS = 1000,   /* of one clock record */
    BLOCKED_MS = 250, /* before it is looked at again whether fewer wait */
};
#define SLOT_SLACK_US INT64_C(2000000) /* who was late may catch up so much */

/* ---- runs ---- */

struct broadcast_run *broadcast_run_of(struct engine *engine, uint32_t number)
{
    while (engine->broadcasts.count <= number)
        if (VEC_ADD(&engine->broadcasts,
                    (struct broadcast_run){ .round_ms = TIME_NEVER, .later_ms = TIME_NEVER }) != OK)
            return NULL;
    return &engine->broadcasts.items[number];
}

const struct broadcast_run *broadcast_run_get(const struct engine *engine, uint32_t number)
{
    static const struct broadcast_run none = { .round_ms = TIME_NEVER, .later_ms = TIME_NEVER };
    return number < engine->broadcasts.count ? &engine->broadcasts.items[number] : &none;
}

void broadcasting_done(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->broadcasts.count; i++) {
        recipients_done(&engine->broadcasts.items[i].recipients);
        addresses_done(&engine->broadcasts.items[i].addresses);
        arena_close(engine->broadcasts.items[i].arena);
    }
    VEC_DONE(&engine->broadcasts);
}

bool broadcast_is_looking(const struct broadcast_run *run)
{
    return run->round_ms != TIME_NEVER || run->retrying.cursor < run->retrying.end ||
           broadcast_is_open(run);
}

bool broadcast_is_under_way(const struct broadcast_run *run)
{
    return run->is_launched && run->finished_ms == 0;
}

int64_t broadcast_next_ms(const struct broadcast_run *run)
{
    if (!broadcast_is_under_way(run) || run->is_paused || !broadcast_is_looking(run))
        return TIME_NEVER;
    bool    is_retrying = run->retrying.cursor < run->retrying.end;
    int64_t next_ms = is_retrying ? run->ready_ms : run->round_ms;
    return next_ms > run->ready_ms ? next_ms : run->ready_ms;
}

int64_t broadcasts_next_ms(const struct engine *engine)
{
    int64_t next_ms = TIME_NEVER;
    for (uint32_t i = 0; engine->broadcasts_open > 0 && i < engine->broadcasts.count; i++) {
        int64_t its_ms = broadcast_next_ms(&engine->broadcasts.items[i]);
        next_ms = its_ms < next_ms ? its_ms : next_ms;
    }
    return next_ms;
}

static void finish(struct engine *engine, struct broadcast_run *run)
{
    run->finished_ms = engine->now_ms;
    run->is_paused = false; /* what was claimed ended by itself; a retry is not to stand still */
    engine->broadcasts_open--;
    engine->broadcasts_moved = true;
    addresses_done(&run->addresses);
    arena_close(run->arena);
    run->arena = NULL;
    recipients_over(&run->recipients, true);
}

void broadcast_settle(struct engine *engine, struct broadcast_run *run)
{
    const uint64_t *counts = run->recipients.counts;
    if (broadcast_is_under_way(run) && !broadcast_is_looking(run) &&
        counts[RECIPIENT_WAITING] + counts[RECIPIENT_SENDING] + counts[RECIPIENT_DEFERRED] == 0)
        finish(engine, run);
}

/* ---- the job ---- */

/* What of it may wait in the queue: a stopped way out, or a throttle, holds up no more than this.
 */
static uint64_t waiting_max(const struct broadcast_def *def)
{
    uint64_t minute = def->throttle / 60 + 1;
    return def->throttle == 0 || minute > BROADCAST_WAITING_MAX ? BROADCAST_WAITING_MAX : minute;
}

/* May one more be queued now? Else it is looked at again at ready_ms. */
static bool has_place(const struct engine *engine, const struct broadcast_def *def,
                      struct broadcast_run *run)
{
    int64_t now_us = engine->now_ms * 1000;
    if (run->recipients.counts[RECIPIENT_WAITING] >= waiting_max(def)) {
        run->ready_ms = engine->now_ms + BLOCKED_MS;
        return false;
    }
    if (def->throttle > 0 && run->slot_us > now_us) {
        run->ready_ms = (run->slot_us + 999) / 1000;
        return false;
    }
    return true;
}

static void place_take(const struct engine *engine, const struct broadcast_def *def,
                       struct broadcast_run *run)
{
    int64_t now_us = engine->now_ms * 1000;
    if (def->throttle == 0)
        return;
    if (run->slot_us < now_us - SLOT_SLACK_US)
        run->slot_us = now_us - SLOT_SLACK_US;
    run->slot_us += INT64_C(3600000000) / def->throttle;
}

uint32_t broadcast_template_of(const struct engine *engine, const struct broadcast_def *def,
                               const struct broadcast_run *run, uint32_t profile)
{
    char     bytes[16];
    uint32_t i = 0;
    if (def->arms_count == 0)
        return def->template_id;
    if (run->test.chosen > 0)
        return def->arms[run->test.chosen - 1].template_id;
    uint32_t chance = deal_chance(DEAL_EXPERIMENT, def->experiment,
                                  deal_person(engine, people_root(engine->people, profile), bytes));
    while (i + 1 < def->arms_count && chance >= def->arms[i].share)
        i++;
    return def->arms[i].template_id;
}

int64_t broadcast_begun_ms(const struct broadcast_run *run)
{
    return run->test.chosen_ms > run->start_ms ? run->test.chosen_ms : run->start_ms;
}

static enum err hold_out(struct engine *engine, struct out *out, uint32_t number, uint32_t profile)
{
    return decide(engine, out,
                  (struct decision){ .kind = DECISION_HELD_OUT,
                                     .profile = people_root(engine->people, profile),
                                     .at_ms = engine->now_ms,
                                     .subject = broadcast_key(number, profile) });
}

static enum err queue_one(struct engine *engine, struct out *out, uint32_t number, uint32_t profile)
{
    const struct broadcast_def *def = program_broadcast_at(engine->program, number);
    uint32_t                    template_id =
        broadcast_template_of(engine, def, broadcast_run_get(engine, number), profile);
    const struct template_def *template = program_template_at(engine->program, template_id);
    place_take(engine, def, broadcast_run_of(engine, number));
    out->intents++;
    return decide(engine, out,
                  (struct decision){ .kind = DECISION_INTENT,
                                     .profile = people_root(engine->people, profile),
                                     .at_ms = engine->now_ms,
                                     .subject = broadcast_key(number, profile),
                                     .other = template_id,
                                     .topic = def->has_topic ? def->topic : template->topic,
                                     .channel = template->channel,
                                     .journey = JOURNEY_NONE });
}

/* Nothing was decided of the person under any of their numbers. Each number is asked, not only the
 * root's: who was known at the launch may have a root since that is past its end, or behind. */
static bool is_new(const struct engine *engine, const struct broadcast_run *run, uint32_t profile)
{
    uint32_t member = profile;
    if (people_is_nobody(engine->people, profile))
        return false;
    do
        if (recipients_get(&run->recipients, member) != RECIPIENT_NONE)
            return false;
    while ((member = people_get(engine->people, member)->next) != profile);
    return true;
}

int64_t broadcast_due_ms(const struct engine *engine, const struct broadcast_def *def,
                         uint32_t person)
{
    const struct zone *zone = person_zone(engine, person);
    struct known       known;
    if (!def->is_best)
        return zone_instant_ms(zone, def->at_ms);
    known_make(&known, engine, person, engine->now_ms);
    return zone_instant_ms(zone, def->at_ms + best_hour_ms(&known.facts, zone, def->best_or_ms));
}

/* Has their time come? Else it is noted when it will. */
static bool is_time(const struct engine *engine, const struct broadcast_def *def,
                    struct broadcast_run *run, uint32_t person)
{
    if (def->when != BROADCAST_LOCAL)
        return true;
    int64_t due_ms = broadcast_due_ms(engine, def, person);
    if (due_ms > engine->now_ms && due_ms < run->later_ms)
        run->later_ms = due_ms;
    return due_ms <= engine->now_ms;
}

/* Whoever of the audience sleeps is passed over, and come back to in their morning: so the throttle
 * holds there, too. Not for ever: an audience that people enter each day is asked of everybody only
 * for some days; then those who sleep wait in the queue. */
static bool is_passed_over(const struct engine *engine, const struct broadcast_def *def,
                           struct broadcast_run *run, uint32_t person)
{
    if (run->round_ms >= broadcast_begun_ms(run) + BROADCAST_NIGHTS_MS)
        return false;
    int64_t due_ms =
        holding_quiet_until_ms(engine, person, broadcast_template_of(engine, def, run, person));
    if (due_ms > engine->now_ms && due_ms < run->later_ms)
        run->later_ms = due_ms;
    return due_ms > engine->now_ms;
}

static enum err audience_compile(const struct engine *engine, const struct broadcast_def *def,
                                 struct arena *arena, struct segment_program *out)
{
    struct segment_names names = program_names(engine->program, true);
    return segment_compile(arena, def->audience.tree, &names, out, NULL);
}

bool broadcast_audience_stands(const struct engine *engine, const struct broadcast_def *def)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct segment_program             program;
    return arena != NULL && audience_compile(engine, def, arena, &program) == OK;
}

/*
 * Compiled anew for each round: computed traits and stages that it asks for may have changed. What
 * cannot be compiled any more is paused: it goes on where it was once they are back.
 */
static enum err audience_make(struct engine *engine, const struct broadcast_def *def,
                              struct broadcast_run *run)
{
    if (run->arena != NULL)
        return OK;
    run->arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    if (run->arena == NULL)
        return ERR_MEMORY;
    enum err err = audience_compile(engine, def, run->arena, &run->audience);
    if (err == OK || err == ERR_MEMORY)
        return err;
    arena_close(run->arena);
    run->arena = NULL;
    run->is_paused = true;
    return OK;
}

static void round_end(struct engine *engine, uint32_t number, struct broadcast_run *run)
{
    arena_close(run->arena);
    run->arena = NULL;
    if (broadcast_test_end(engine, program_broadcast_at(engine->program, number), run))
        return;
    run->round_ms = run->later_ms;
    run->later_ms = TIME_NEVER;
    if (run->round_ms != TIME_NEVER)
        run->looking.cursor = 0;
    broadcast_settle(engine, run);
}

static enum err look(struct engine *engine, struct out *out, uint32_t number)
{
    const struct broadcast_def *def = program_broadcast_at(engine->program, number);
    struct broadcast_run       *run = broadcast_run_of(engine, number);
    if (run->test.phase == BROADCAST_TESTED)
        return broadcast_count(engine, number, run);
    TRY(audience_make(engine, def, run));
    if (run->is_paused)
        return OK;
    uint32_t queued = 0;
    for (int i = 0; i < LOOKS && run->looking.cursor < run->looking.end; i++) {
        uint32_t p = run->looking.cursor;
        if (queued == INTENTS || !has_place(engine, def, run))
            return OK;
        run->looking.cursor++;
        uint32_t person = people_root(engine->people, p);
        if (!is_new(engine, run, p) || !is_time(engine, def, run, person) ||
            (run->test.phase == BROADCAST_TESTING && !broadcast_is_of_test(engine, def, person)))
            continue;
        TRY(wakes_before(engine, out, person, engine->now_ms));
        if (!engine_ask(engine, &run->audience, person, engine->now_ms).holds ||
            is_passed_over(engine, def, run, person))
            continue;
        char bytes[16];
        if (def->holdout.share > 0 &&
            holdout_has(&def->holdout, deal_person(engine, person, bytes)))
            TRY(hold_out(engine, out, number, p));
        else
            TRY(queue_one(engine, out, number, p));
        queued++;
    }
    if (run->looking.cursor == run->looking.end)
        round_end(engine, number, run);
    return OK;
}

static enum err retry_some(struct engine *engine, struct out *out, uint32_t number)
{
    const struct broadcast_def *def = program_broadcast_at(engine->program, number);
    struct broadcast_run       *run = broadcast_run_of(engine, number);
    uint32_t                    failed = RECIPIENT_BIT(RECIPIENT_FAILED);
    for (int i = 0; i < INTENTS && run->retrying.cursor < run->retrying.end; i++) {
        uint32_t p = recipients_next(&run->recipients, failed, run->retrying.cursor);
        if (p >= run->retrying.end) {
            run->retrying.cursor = run->retrying.end;
            break;
        }
        run->retrying.cursor = p;
        if (!has_place(engine, def, run))
            return OK;
        run->retrying.cursor++;
        if (people_is_nobody(engine->people, p))
            continue;
        TRY(wakes_before(engine, out, people_root(engine->people, p), engine->now_ms));
        TRY(queue_one(engine, out, number, p));
    }
    broadcast_settle(engine, run);
    return OK;
}

/* Who waits is held back; who had failed gets it no more, and needs no code. */
static enum err cancel_one(struct engine *engine, struct out *out, uint32_t number,
                           uint32_t profile)
{
    uint32_t              person = people_root(engine->people, profile);
    struct state         *state = people_get(engine->people, person)->state;
    const struct message *message = broadcast_message_of(engine, number, profile);
    if (message != NULL && message->state == MESSAGE_QUEUED)
        return outbox_drop(engine, out, person, message->id, BROADCAST_WHY_CANCELLED);
    if (state != NULL)
        codes_forget(engine, state);
    return OK;
}

static enum err cancel_some(struct engine *engine, struct out *out, uint32_t number)
{
    struct broadcast_run *run = broadcast_run_of(engine, number);
    uint32_t              bits =
        RECIPIENT_BIT(RECIPIENT_WAITING) | RECIPIENT_BIT(RECIPIENT_DEFERRED) | BROADCAST_RETRIED;
    for (int i = 0; i < INTENTS && run->looking.cursor < run->looking.end; i++) {
        uint32_t p = recipients_next(&run->recipients, bits, run->looking.cursor);
        if (p < run->looking.end)
            TRY(cancel_one(engine, out, number, p));
        run->looking.cursor = p >= run->looking.end ? run->looking.end : p + 1;
    }
    if (run->looking.cursor == run->looking.end)
        round_end(engine, number, run);
    return OK;
}

/* Has it come further? That it waits for a place need not be kept. */
static bool has_moved(const struct broadcast_run *was, const struct broadcast_run *is)
{
    return was->looking.cursor != is->looking.cursor || was->round_ms != is->round_ms ||
           was->later_ms != is->later_ms || was->retrying.cursor != is->retrying.cursor ||
           was->slot_us != is->slot_us || was->is_paused != is->is_paused ||
           was->test.phase != is->test.phase || was->finished_ms != is->finished_ms;
}

enum err broadcasts_run(struct engine *engine, struct out *out)
{
    for (uint32_t i = 0; engine->broadcasts_open > 0 && i < engine->broadcasts.count; i++) {
        const struct broadcast_run was = engine->broadcasts.items[i];
        if (broadcast_next_ms(&was) > engine->now_ms)
            continue;
        TRY(was.is_cancelled                         ? cancel_some(engine, out, i)
            : was.retrying.cursor < was.retrying.end ? retry_some(engine, out, i)
                                                     : look(engine, out, i));
        if (has_moved(&was, &engine->broadcasts.items[i]))
            engine->broadcasts_moved = true;
    }
    return OK;
}
