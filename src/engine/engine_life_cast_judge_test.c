/* Broadcasts of a random life judged: nobody gets one twice, nobody is left out, no row is lost. */
#include "base/hash.h"
#include "engine/broadcast.h"
#include "engine/codes.h"
#include "engine/engine_life_cast_test.h"
#include "engine/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THROTTLE_SLACK_MS 2000

#define HOLDS(life, cast, profile, condition)                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_error("seed %llu step %d: broadcast %u, profile %u (%d): not %s\n",              \
                        (unsigned long long)(life)->seed, (life)->step, (cast)->number, profile,   \
                        (int)(cast)->rows[profile].state, #condition);                             \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

static uint32_t next_of(const struct engine *engine, uint32_t member)
{
    return people_get(engine->people, member)->next;
}

static enum recipient_state letter(const struct engine *engine, const struct cast *cast, uint32_t p)
{
    return recipients_get(&broadcast_run_get(engine, cast->number)->recipients, p);
}

uint32_t cast_bearer(const struct engine *engine, uint64_t message)
{
    for (uint32_t p = 0; p < people_count(engine->people); p++) {
        const struct state *state = people_state_get(engine->people, p);
        for (uint32_t i = 0; i < state->rare->messages.count; i++)
            if (state->rare->messages.items[i].id == message &&
                state->rare->messages.items[i].state == MESSAGE_SENDING)
                return people_root(engine->people, p);
    }
    return PROFILE_NONE;
}

void casting_before(struct casting *casting, const struct engine *engine)
{
    for (uint32_t i = 0; i < casting->away_count; i++)
        casting->away[i].bearer = cast_bearer(engine, casting->away[i].message);
    for (uint32_t i = 0; i < casting->count; i++) {
        struct cast                *cast = &casting->casts[i];
        const struct broadcast_run *run = broadcast_run_get(engine, cast->number);
        cast->before.looking = run->looking;
        cast->before.retrying = run->retrying;
        cast->before.round_ms = run->round_ms;
        cast->before.had_job = engine_has_job(engine);
        cast->before.was_over = run->finished_ms != 0;
        cast->before.phase = run->test.phase;
        for (uint32_t p = 0; p < people_count(engine->people); p++)
            cast->before.letters[p] = (unsigned char)letter(engine, cast, p);
    }
}

static uint32_t cast_of(const struct casting *casting, uint32_t number)
{
    uint32_t i = 0;
    while (i < casting->count && casting->casts[i].number != number)
        i++;
    assert_true(i < casting->count);
    return i;
}

/* ---- what was decided ---- */

static const struct cast_message *message_at(const struct casting *casting, uint64_t id)
{
    for (uint32_t i = casting->messages_count; i-- > 0;)
        if (casting->messages[i].id == id)
            return &casting->messages[i];
    return NULL;
}

/* Between any two instants no more than the throttle allows. */
static void throttle_judge(const struct life *life, const struct cast *cast, uint32_t profile)
{
    for (uint32_t i = 0; cast->throttle > 0 && i < cast->intents_count; i++) {
        int64_t  span_ms = life->now_ms - cast->intents_ms[i] + THROTTLE_SLACK_MS;
        uint64_t most = (uint64_t)span_ms * cast->throttle / TIME_HOUR_MS + 2;
        HOLDS(life, cast, profile, cast->intents_count - i <= most);
    }
}

/* Who fails while a retry is under way, and has not been come by, is of it. */
static bool is_ahead(struct broadcast_round round, uint32_t p)
{
    return round.cursor <= p && p < round.end;
}

/* Worked out anew: by the first profile of the person, and the name of the broadcast. */
static double chance_of(const struct engine *engine, const struct cast *cast, uint32_t p,
                        const char *kind)
{
    struct str name = program_name(engine->program, NAME_BROADCAST, cast->number);
    char       who[16], what[64];
    uint32_t   first = p;
    for (uint32_t m = next_of(engine, p); m != p; m = next_of(engine, m))
        first = m < first ? m : first;
    snprintf(who, sizeof who, "p%u", first + 1);
    snprintf(what, sizeof what, "%s/%.*s", kind, STR_ARG(name));
    return 100 * hash_chance(str_of(who), str_of(what));
}

static bool is_held_out(const struct engine *engine, const struct cast *cast, uint32_t p)
{
    return chance_of(engine, cast, p, "holdout") < cast->holdout;
}

static void held_out_take(const struct life *life, struct casting *casting,
                          const struct engine *engine, const struct decision *d)
{
    struct cast *cast = &casting->casts[cast_of(casting, broadcast_of_key(d->subject))];
    uint32_t     p = broadcast_profile_of_key(d->subject);
    HOLDS(life, cast, p, cast->rows[p].state == CAST_NEVER && is_held_out(engine, cast, p));
    cast->rows[p].state = CAST_HELD;
}

static void template_judge(const struct life *life, const struct engine *engine,
                           const struct cast *cast, uint32_t p, const struct decision *d)
{
    struct str name = program_name(engine->program, NAME_TEMPLATE, d->other);
    uint32_t   chosen = broadcast_run_get(engine, cast->number)->test.chosen;
    bool       is_plain = chosen > 0 ? chosen == 1 : chance_of(engine, cast, p, "experiment") < 30;
    HOLDS(life, cast, p, !cast->is_dealt || str_eq(name, is_plain ? STR("plain") : STR("other")));
}

static void intent_take(const struct life *life, struct casting *casting,
                        const struct engine *engine, const struct decision *d)
{
    uint32_t         i = cast_of(casting, broadcast_of_key(d->subject));
    struct cast     *cast = &casting->casts[i];
    uint32_t         p = broadcast_profile_of_key(d->subject);
    struct cast_row *row = &cast->rows[p];
    HOLDS(life, cast, p, cast->is_launched && !cast->is_paused && !cast->is_cancelled);
    HOLDS(life, cast, p, p < cast->known && life->now_ms >= cast->start_ms);
    HOLDS(life, cast, p, !people_is_nobody(engine->people, p));
    HOLDS(life, cast, p, people_root(engine->people, p) == d->profile);
    HOLDS(life, cast, p, row->state != CAST_NEVER || !is_held_out(engine, cast, p));
    template_judge(life, engine, cast, p, d);
    HOLDS(life, cast, p,
          row->state == CAST_NEVER ||
              (row->state == CAST_FAILED &&
               (row->retries < cast->retries || is_ahead(cast->before.retrying, p))));
    for (uint32_t m = next_of(engine, p); m != p && row->state == CAST_NEVER;
         m = next_of(engine, m))
        HOLDS(life, cast, p, cast->rows[m].state == CAST_NEVER);
    row->state = CAST_QUEUED;
    assert_true(casting->messages_count < CAST_MESSAGES_MAX);
    casting->messages[casting->messages_count++] = (struct cast_message){ d->id, i, p };
    assert_true(cast->intents_count < CAST_MESSAGES_MAX / 8);
    cast->intents_ms[cast->intents_count++] = life->now_ms;
    throttle_judge(life, cast, p);
}

static void dropped_judge(const struct life *life, const struct engine *engine,
                          const struct cast *cast, uint32_t p, struct str reason)
{
    bool has_twin = false;
    for (uint32_t m = next_of(engine, p); m != p; m = next_of(engine, m))
        has_twin =
            has_twin || cast->rows[m].state == CAST_SENT || cast->rows[m].state == CAST_UNKNOWN;
    if (str_eq(reason, BROADCAST_WHY_PERSON))
        HOLDS(life, cast, p, has_twin);
    if (str_eq(reason, BROADCAST_WHY_CANCELLED))
        HOLDS(life, cast, p, cast->is_cancelled);
    if (str_eq(reason, BROADCAST_WHY_ERASED))
        HOLDS(life, cast, p, people_is_nobody(engine->people, p));
}

static void answer_take(const struct life *life, struct casting *casting,
                        const struct engine *engine, const struct decision *d)
{
    const struct cast_message *message = message_at(casting, d->subject);
    if (message == NULL)
        return;
    struct cast     *cast = &casting->casts[message->cast];
    uint32_t         p = message->profile;
    struct cast_row *row = &cast->rows[p];
    bool             is_back = d->kind == DECISION_DEFERRED || d->kind == DECISION_RETURNED;
    if (d->kind == DECISION_DROPPED) {
        HOLDS(life, cast, p, row->state == CAST_QUEUED || row->state == CAST_AWAY);
        dropped_judge(life, engine, cast, p, d->text);
        row->state = CAST_HELD;
        return;
    }
    HOLDS(life, cast, p, row->state == CAST_AWAY || (row->state == CAST_UNKNOWN && !is_back));
    row->state = is_back                       ? CAST_QUEUED
                 : d->kind == DECISION_SENT    ? CAST_SENT
                 : d->kind == DECISION_UNKNOWN ? CAST_UNKNOWN
                                               : CAST_FAILED;
    row->retries = cast->retries;
}

/* ---- claims ---- */

/* The code that it goes with: the one of before, unless that has expired, else the next. */
static void code_judge(const struct life *life, struct casting *casting, struct cast *cast,
                       uint32_t p, struct str computed)
{
    struct cast_row *row = &cast->rows[p];
    struct json      value = { .kind = JSON_NULL };
    struct str       at;
    if (computed.len > 0)
        assert_ok(json_parse_once(life->arena, computed, &value, NULL));
    const struct json *code = json_get(json_get(&value, STR("$codes")), STR("gift"));
    int64_t            number = 0, expires_ms = TIME_NEVER;
    (void)json_get_int(code, STR("number"), &number);
    HOLDS(life, cast, p, cast->has_code == (number > 0));
    if (number == 0)
        return;
    at = json_get_str(code, STR("expires_at"));
    assert_true(at.len == 0 || time_parse(at, &expires_ms) == OK);
    bool is_kept = row->number > 0 && row->expires_ms >= life->now_ms;
    HOLDS(life, cast, p, number == (is_kept ? row->number : (int64_t)casting->given + 1));
    casting->given += !is_kept;
    row->number = number;
    if (!is_kept)
        row->expires_ms = expires_ms;
}

static void claim_take(const struct life *life, struct casting *casting,
                       const struct engine *engine, const struct claim *claim)
{
    const struct cast_message *message = message_at(casting, claim->message);
    assert_non_null(message);
    struct cast     *cast = &casting->casts[message->cast];
    uint32_t         p = message->profile;
    struct cast_row *row = &cast->rows[p];
    HOLDS(life, cast, p, cast->is_launched && !cast->is_paused && !cast->is_cancelled);
    HOLDS(life, cast, p, row->state == CAST_QUEUED);
    HOLDS(life, cast, p, claim->profile == people_root(engine->people, p));
    HOLDS(life, cast, p, claim->broadcast == cast->number + 1);
    for (uint32_t m = next_of(engine, p); m != p; m = next_of(engine, m))
        HOLDS(life, cast, p,
              cast->rows[m].state != CAST_SENT && cast->rows[m].state != CAST_UNKNOWN &&
                  cast->rows[m].state != CAST_AWAY);
    /* After a start addresses count as they are then. */
    for (uint32_t q = 0; q < people_count(engine->people) && engine == life->engine; q++) {
        enum cast_state its = cast->rows[q].state;
        if (q != p && (its == CAST_SENT || its == CAST_UNKNOWN || its == CAST_AWAY))
            HOLDS(life, cast, p, !str_eq_nocase(cast->rows[q].address, claim->address));
    }
    code_judge(life, casting, cast, p, claim->computed);
    row->state = CAST_AWAY;
    row->address = claim->address;
    casting->claims++;
    assert_true(casting->away_count < CAST_AWAY_MAX);
    casting->away[casting->away_count++] =
        (struct cast_away){ claim->message, claim->profile, claim->profile };
}

void casting_readdress(struct life *life, struct engine *engine, struct cast *cast)
{
    for (uint32_t p = 0; p < people_count(engine->people); p++) {
        char       bytes[REACH_BYTES_MAX];
        struct str address = STR_NONE;
        if (!people_is_nobody(engine->people, p))
            (void)reach_address(engine, people_root(engine->people, p), CHANNEL_EMAIL, bytes,
                                &address);
        cast->rows[p].address = str_copy(life->arena, address);
    }
}

/* ---- the audience ---- */

/* Was it decided right of whoever the job came by in this record? Each is decided with what was
 * decided of those before. */
static void looked_judge(struct life *life, struct casting *casting, struct engine *engine,
                         struct cast *cast)
{
    const struct broadcast_def *def = program_broadcast_at(engine->program, cast->number);
    const struct broadcast_run *run = broadcast_run_get(engine, cast->number);
    const struct cast_before   *was = &cast->before;
    bool     is_over = run->round_ms != was->round_ms || run->looking.cursor < was->looking.cursor;
    uint32_t end = is_over ? was->looking.end : run->looking.cursor;
    for (uint32_t p = was->looking.cursor; p < end; p++) {
        bool is_new = was->letters[p] == RECIPIENT_NONE, is_in;
        if (people_is_nobody(engine->people, p))
            continue;
        for (uint32_t m = next_of(engine, p); m != p; m = next_of(engine, m))
            is_new =
                is_new && was->letters[m] == RECIPIENT_NONE &&
                (m > p || m < was->looking.cursor || letter(engine, cast, m) == RECIPIENT_NONE);
        is_in = letter(engine, cast, p) != RECIPIENT_NONE && was->letters[p] == RECIPIENT_NONE;
        if (!is_new) {
            HOLDS(life, cast, p, !is_in);
            continue;
        }
        uint32_t           person = people_root(engine->people, p);
        const struct zone *zone = person_zone(engine, person);
        bool is_night = was->round_ms < broadcast_begun_ms(run) + BROADCAST_NIGHTS_MS &&
                        limits_quiet_until_ms(&engine->program->limits, CHANNEL_EMAIL, zone,
                                              life->now_ms) > life->now_ms;
        /* Before there is a winner only those of the share get anything. */
        bool is_rest =
            was->phase == BROADCAST_TESTING && !(chance_of(engine, cast, p, "test") < cast->tested);
        if (is_night || is_rest ||
            (def->when == BROADCAST_LOCAL &&
             broadcast_due_ms(engine, def, person) > life->now_ms)) {
            HOLDS(life, cast, p, !is_in);
            continue;
        }
        enum told_answer told =
            !cast->is_pure ? TOLD_UNASKED : life_told(life, engine, person, def->audience.tree);
        casting->asked += told != TOLD_UNASKED;
        if (told != TOLD_UNASKED)
            HOLDS(life, cast, p, is_in == (told == TOLD_YES));
    }
}

static bool is_judged(const struct life *life, const struct engine *engine, const struct cast *cast)
{
    return cast->is_launched && !cast->is_paused && !cast->is_cancelled &&
           cast->before.phase != BROADCAST_TESTED && cast->before.round_ms <= life->now_ms &&
           cast->before.retrying.cursor == cast->before.retrying.end && !cast->before.had_job &&
           !engine_has_job(engine) && (engine != life->twin || !life->twin_is_ahead);
}

/* ---- acts ---- */

static void act_take(struct life *life, struct casting *casting, struct engine *engine,
                     const struct record *record)
{
    uint32_t     number = program_broadcast(engine->program, record->name);
    struct cast *cast = &casting->casts[cast_of(casting, number)];
    switch (broadcast_act_of(json_get_str(record->properties, STR("act")))) {
    case BROADCAST_LAUNCH:
        cast->is_launched = true;
        cast->known = people_count(engine->people);
        cast->start_ms = broadcast_run_get(engine, number)->start_ms;
        return;
    case BROADCAST_PAUSE:
        cast->is_paused = true;
        return;
    case BROADCAST_RESUME:
        cast->is_paused = false;
        return;
    case BROADCAST_CANCEL:
        cast->is_paused = false;
        cast->is_cancelled = true;
        return;
    case BROADCAST_CHOOSE:
        HOLDS(life, cast, 0, broadcast_run_get(engine, number)->test.chosen == 2);
        return;
    default:
        cast->retries++;
        if (cast->before.was_over)
            casting_readdress(life, engine, cast);
    }
}

/* ---- one record ---- */

/* What was on the way of whoever is erased is never answered, and what waited is gone. */
static void erased_take(struct casting *casting, const struct engine *engine)
{
    for (uint32_t i = 0; i < casting->away_count; i++) {
        const struct cast_message *message = message_at(casting, casting->away[i].message);
        struct cast_row           *row = &casting->casts[message->cast].rows[message->profile];
        if (people_is_nobody(engine->people, casting->away[i].bearer) && row->state == CAST_AWAY)
            row->state = CAST_UNKNOWN;
    }
    for (uint32_t i = 0; i < casting->count; i++)
        for (uint32_t p = 0; p < people_count(engine->people); p++)
            if (people_is_nobody(engine->people, p) &&
                casting->casts[i].rows[p].state == CAST_QUEUED)
                casting->casts[i].rows[p].state = CAST_HELD;
}

void casting_after(struct life *life, struct casting *casting, struct engine *engine,
                   const struct out *out, const struct record *record, enum err err)
{
    assert_true(people_count(engine->people) < CAST_PEOPLE_MAX);
    if (record->kind == RECORD_BROADCAST && err == OK)
        act_take(life, casting, engine, record);
    for (; casting->decisions_seen < out->decisions_count; casting->decisions_seen++) {
        const struct decision *d = &out->decisions[casting->decisions_seen];
        bool                   is_answer = d->kind == DECISION_SENT || d->kind == DECISION_FAILED ||
                         d->kind == DECISION_UNKNOWN || d->kind == DECISION_DROPPED ||
                         d->kind == DECISION_DEFERRED || d->kind == DECISION_RETURNED;
        if (d->kind == DECISION_INTENT && broadcast_is_key(d->subject))
            intent_take(life, casting, engine, d);
        if (d->kind == DECISION_HELD_OUT && broadcast_is_key(d->subject))
            held_out_take(life, casting, engine, d);
        if (is_answer)
            answer_take(life, casting, engine, d);
    }
    for (; casting->claims_seen < out->claims_count; casting->claims_seen++)
        claim_take(life, casting, engine, &out->claims[casting->claims_seen]);
    if (record->kind == RECORD_ERASE)
        erased_take(casting, engine);
    for (uint32_t i = 0; i < casting->count; i++) /* what is over stands still no more */
        casting->casts[i].is_paused =
            casting->casts[i].is_paused &&
            broadcast_run_get(engine, casting->casts[i].number)->finished_ms == 0;
    for (uint32_t i = 0; record->kind == RECORD_CLOCK && i < casting->count; i++)
        if (is_judged(life, engine, &casting->casts[i]))
            looked_judge(life, casting, engine, &casting->casts[i]);
}

/* ---- as it stands ---- */

/* Of one key: how many messages there are, and of what state. */
struct found {
    uint32_t           count;
    enum message_state state;
    uint32_t           person;
};

static void find_all(const struct casting *casting, const struct engine *engine,
                     struct found found[CASTS_MAX][CAST_PEOPLE_MAX])
{
    memset(found, 0, CASTS_MAX * sizeof found[0]);
    for (uint32_t p = 0; p < people_count(engine->people); p++) {
        const struct state *state = people_state_get(engine->people, p);
        if (people_root(engine->people, p) != p)
            continue;
        for (uint32_t i = 0; i < state->rare->messages.count; i++) {
            const struct message *message = &state->rare->messages.items[i];
            struct found *it = &found[cast_of(casting, broadcast_of_key(message->enrollment))]
                                     [broadcast_profile_of_key(message->enrollment)];
            *it = (struct found){ it->count + 1, (enum message_state)message->state, p };
        }
    }
}

static void row_judge(const struct life *life, const struct engine *engine, const struct cast *cast,
                      uint32_t p, struct found found)
{
    const struct cast_row *row = &cast->rows[p];
    enum recipient_state   state = letter(engine, cast, p);
    bool                   is_open = row->state == CAST_QUEUED || row->state == CAST_AWAY;
    HOLDS(life, cast, p, !is_open || found.count == 1);
    HOLDS(life, cast, p, is_open || found.count == 0 || row->state == CAST_UNKNOWN);
    switch (row->state) {
    case CAST_NEVER:
        HOLDS(life, cast, p, state == RECIPIENT_NONE);
        return;
    case CAST_QUEUED:
        HOLDS(life, cast, p, state == RECIPIENT_WAITING || state == RECIPIENT_DEFERRED);
        HOLDS(life, cast, p, found.state == MESSAGE_QUEUED);
        HOLDS(life, cast, p, found.person == people_root(engine->people, p));
        return;
    case CAST_AWAY:
        HOLDS(life, cast, p, state == RECIPIENT_SENDING);
        HOLDS(life, cast, p, found.state == MESSAGE_SENDING);
        return;
    case CAST_SENT:
        HOLDS(life, cast, p, state == RECIPIENT_SENT);
        return;
    case CAST_FAILED:
        HOLDS(life, cast, p, state == RECIPIENT_FAILED);
        return;
    case CAST_UNKNOWN:
        HOLDS(life, cast, p, state == RECIPIENT_UNKNOWN);
        HOLDS(life, cast, p, found.count == 0 || found.state == MESSAGE_UNKNOWN);
        return;
    case CAST_HELD:
        HOLDS(life, cast, p, state >= RECIPIENT_NO_CONSENT);
        return;
    }
}

static void cast_judge(const struct life *life, const struct engine *engine,
                       const struct cast *cast, const struct found *found)
{
    const struct broadcast_run *run = broadcast_run_get(engine, cast->number);
    uint64_t                    counts[RECIPIENT_STATES] = { 0 }, open = 0;
    for (uint32_t p = 0; p < people_count(engine->people); p++) {
        enum recipient_state state = letter(engine, cast, p);
        row_judge(life, engine, cast, p, found[p]);
        counts[state] += state != RECIPIENT_NONE;
        open += (RECIPIENTS_OPEN >> state & 1) != 0;
    }
    HOLDS(life, cast, 0, memcmp(counts, run->recipients.counts, sizeof counts) == 0);
    HOLDS(life, cast, 0, cast->is_launched == run->is_launched);
    HOLDS(life, cast, 0, cast->is_cancelled == run->is_cancelled);
    if (cast->is_launched)
        HOLDS(life, cast, 0, (run->finished_ms != 0) == (open == 0 && !broadcast_is_looking(run)));
}

void casting_judge(const struct life *life, const struct casting *casting,
                   const struct engine *engine)
{
    static struct found found[CASTS_MAX][CAST_PEOPLE_MAX];
    find_all(casting, engine, found);
    for (uint32_t i = 0; i < casting->count; i++)
        cast_judge(life, engine, &casting->casts[i], found[i]);
}

/* ---- after a load ---- */

static void messages_same(const struct state *was, const struct state *is)
{
    const struct message *a = was->rare->messages.items, *b = is->rare->messages.items;
    assert_int_equal(was->rare->messages.count, is->rare->messages.count);
    for (uint32_t i = 0; i < was->rare->messages.count; i++) {
        assert_int_equal(a[i].id, b[i].id);
        assert_int_equal(a[i].enrollment, b[i].enrollment);
        assert_int_equal(a[i].state, b[i].state);
        assert_int_equal(a[i].attempt, b[i].attempt);
        assert_int_equal(a[i].template_id, b[i].template_id);
        assert_int_equal(a[i].topic, b[i].topic);
        assert_true(b[i].due_ms <= a[i].due_ms); /* what waits behind another is looked at sooner */
    }
}

static const struct code_given *code_of(const struct state *state, const struct code_given *code)
{
    for (uint32_t i = 0; i < state->rarer->codes.count; i++)
        if (state->rarer->codes.items[i].of == code->of)
            return &state->rarer->codes.items[i];
    return NULL;
}

/* Each of the one is there with the other; of what is cancelled they go as its job comes by. */
static void codes_same(const struct casting *casting, const struct state *one,
                       const struct state *other)
{
    for (uint32_t i = 0; i < one->rarer->codes.count; i++) {
        const struct code_given *code = &one->rarer->codes.items[i], *its = code_of(other, code);
        if (casting->casts[cast_of(casting, broadcast_of_key(code->of))].is_cancelled)
            continue;
        assert_non_null(its);
        assert_int_equal(its->number, code->number);
        assert_int_equal(its->expires_ms, code->expires_ms);
    }
}

static void run_same(const struct broadcast_run *was, const struct broadcast_run *is)
{
    assert_int_equal(was->is_launched, is->is_launched);
    assert_int_equal(was->is_paused, is->is_paused);
    assert_int_equal(was->is_cancelled, is->is_cancelled);
    assert_int_equal(was->launched_ms, is->launched_ms);
    assert_int_equal(was->start_ms, is->start_ms);
    assert_int_equal(was->finished_ms, is->finished_ms);
    assert_memory_equal(&was->looking, &is->looking, sizeof was->looking);
    assert_memory_equal(&was->retrying, &is->retrying, sizeof was->retrying);
    assert_int_equal(was->round_ms, is->round_ms);
    assert_int_equal(was->later_ms, is->later_ms);
    assert_int_equal(was->retries, is->retries);
    assert_int_equal(was->test.phase, is->test.phase);
    assert_int_equal(was->test.chosen, is->test.chosen);
    assert_int_equal(was->test.how, is->test.how);
    assert_int_equal(was->test.chosen_ms, is->test.chosen_ms);
    assert_int_equal(was->slot_us, is->slot_us);
    assert_memory_equal(was->recipients.counts, is->recipients.counts,
                        sizeof was->recipients.counts);
}

void casting_same(const struct life *life, const struct engine *is)
{
    const struct engine         *was = life->engine;
    SCOPED(buf_donep) struct buf a = buf_make(1 << 12), b = buf_make(1 << 12);
    for (uint32_t p = 0; p < people_count(was->people); p++) {
        const struct state *before = people_state_get(was->people, p);
        const struct state *after = people_state_get(is->people, p);
        messages_same(before, after);
        codes_same(life->casting, before, after);
        codes_same(life->casting, after, before);
    }
    for (uint32_t i = 0; i < life->casting->count; i++)
        run_same(broadcast_run_get(was, life->casting->casts[i].number),
                 broadcast_run_get(is, life->casting->casts[i].number));
    assert_int_equal(was->queued, is->queued);
    assert_int_equal(was->sending, is->sending);
    engine_codes_write(was, &a);
    engine_codes_write(is, &b);
    assert_true(str_eq(buf_view(&a), buf_view(&b)));
}
