/*
 * Messages between being decided and being final. Sending has two steps: an intent waits here
 * until delivery has room; then consent and address are looked at, in order with everything else,
 * and only a claim lets it go. What is claimed is answered by an outcome.
 */
#include <string.h>

#include "engine/answers.h"
#include "engine/broadcasting.h"
#include "engine/reach.h"
#include "engine/tailor.h"
#include "engine/vec.h"

/* Before what is in doubt is sent again, where it is. */
#define DOUBT_PAUSE_MS (5 * TIME_SECOND_MS)

enum { TRAIT_SEQS_MAX = 256, SEQ_BYTES = 11, ATTEMPTS_MAX = 20 };
_Static_assert(CLAIM_COMPUTED_BYTES_MAX + TRAIT_SEQS_MAX * SEQ_BYTES <
                   DECISION_DETAIL_BYTES_MAX / 2,
               "a claim's detail has room for the address, whatever its characters");

static const struct message *message_find(const struct state *state, uint64_t id)
{
    for (uint32_t i = 0; i < state->rare->messages.count; i++)
        if (state->rare->messages.items[i].id == id)
            return &state->rare->messages.items[i];
    return NULL;
}

static enum err message_decide(struct engine *engine, struct out *out, uint32_t person,
                               enum decision_kind kind, const struct message *message,
                               struct str text, int64_t due_ms)
{
    return decide(engine, out,
                  (struct decision){ .kind = kind,
                                     .profile = person,
                                     .at_ms = engine->now_ms,
                                     .subject = message->id,
                                     .object = message->attempt,
                                     .text = text,
                                     .due_ms = due_ms,
                                     .event = message->trigger_seq,
                                     .is_asked = message->is_asked });
}

enum err outbox_drop(struct engine *engine, struct out *out, uint32_t person, uint64_t id,
                     struct str reason)
{
    const struct message *message = message_find(people_state_get(engine->people, person), id);
    if (message == NULL)
        return OK;
    return message_decide(engine, out, person, DECISION_DROPPED, message, reason, TIME_NEVER);
}

enum err outbox_drop_of(struct engine *engine, struct out *out, uint32_t person,
                        uint64_t enrollment, struct str reason)
{
    for (uint32_t i = 0; i < people_state_get(engine->people, person)->rare->messages.count; i++) {
        const struct message *message =
            &people_state_get(engine->people, person)->rare->messages.items[i];
        if (message->enrollment != enrollment || message->state != MESSAGE_QUEUED)
            continue;
        TRY(outbox_drop(engine, out, person, message->id, reason));
        i--; /* this one is gone, the next has its place */
    }
    return OK;
}

/* It was claimed and may not have been begun. */
static enum err recall_add(struct out *out, uint64_t message)
{
    if (out->recalls_count == out->recalls_room) {
        size_t    room = out->recalls_room == 0 ? 16 : out->recalls_room * 2;
        uint64_t *recalls = ARENA_ARRAY(out->arena, room, uint64_t);
        if (recalls == NULL)
            return ERR_MEMORY;
        for (size_t i = 0; i < out->recalls_count; i++)
            recalls[i] = out->recalls[i];
        out->recalls = recalls;
        out->recalls_room = room;
    }
    out->recalls[out->recalls_count++] = message;
    return OK;
}

enum err outbox_recall(const struct engine *engine, struct out *out, uint32_t person)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->messages.count; i++)
        if (state->rare->messages.items[i].state == MESSAGE_SENDING)
            TRY(recall_add(out, state->rare->messages.items[i].id));
    return OK;
}

/* Enrollments whose node waited for the answer of what is withdrawn. */
struct awaited {
    uint64_t *items;
    uint32_t  count, room;
};

/* A node that was come to twice may have two messages, and goes on once. */
static bool awaited_has(const struct awaited *awaited, uint64_t enrollment)
{
    for (uint32_t i = 0; i < awaited->count; i++)
        if (awaited->items[i] == enrollment)
            return true;
    return false;
}

static enum err withdraw(struct step *step, uint32_t topic, enum consent_channel channel,
                         struct str reason, struct awaited *awaited)
{
    const struct program *program = step->engine->program;
    const struct state   *state = people_state_get(step->engine->people, step->person);
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        const struct message *message = &state->rare->messages.items[i];
        const struct template_def *template = program_template_at(program, message->template_id);
        if (template->transactional || !channel_is_to_person(template->channel) ||
            (topic != 0 && message->topic != topic) ||
            (channel != CHANNEL_ALL && template->channel != channel))
            continue;
        if (message->state == MESSAGE_SENDING)
            TRY(recall_add(step->out, message->id));
        if (message->state != MESSAGE_QUEUED)
            continue;
        uint64_t enrollment = answers_awaited(step->engine, step->person, message->id);
        if (enrollment != 0 && !awaited_has(awaited, enrollment))
            TRY(VEC_ADD(awaited, enrollment));
        TRY(outbox_drop(step->engine, step->out, step->person, message->id, reason));
        state = people_state_get(step->engine->people, step->person);
        i = (uint32_t)-1;
    }
    return OK;
}

/* Who waits for the answer of one that is withdrawn goes on, once all are: what is queued then is
 * looked at by its claim, so that a journey that goes round comes to an end here. */
enum err outbox_withdraw(struct step *step, uint32_t topic, enum consent_channel channel,
                         struct str reason)
{
    struct awaited awaited = { .count = 0 };
    enum err       err = withdraw(step, topic, channel, reason, &awaited);
    for (uint32_t i = 0; err == OK && i < awaited.count; i++)
        err = answers_go_on(step, awaited.items[i]);
    VEC_DONE(&awaited);
    return err;
}

enum { DERIVED_BYTES_MAX = 64 }; /* a name of a zone or of a language */

/* Why a message may not go, or the empty text. */
static struct str held_back(struct engine *engine, uint32_t person, const struct message *message,
                            char bytes[REACH_BYTES_MAX], struct str *address)
{
    const struct template_def *template =
        program_template_at(engine->program, message->template_id);
    if (template->version == 0)
        return STR("the template was deleted");
    /* Before consent and suppression, which a receipt's template is asked less for. */
    struct str unfit = broadcast_unfit(message, template);
    if (!str_is_empty(unfit))
        return unfit;
    struct str unwanted = consent_why_not(engine, person, message, template->channel);
    if (!str_is_empty(unwanted))
        return unwanted;
    struct str why = message->is_asked
                         ? send_address(engine, person, message, template->channel, bytes, address)
                         : reach_address(engine, person, template->channel, bytes, address);
    if (!str_is_empty(why))
        return why;
    const struct suppression *known = engine_suppression(engine, *address);
    if (known == NULL)
        return broadcast_why_not(engine, message, *address);
    bool receipt = template->transactional && !confirm_is_mail(engine->program, message) &&
                   known->reason == SUPPRESSION_COMPLAINT;
    return receipt ? STR_NONE : suppression_why(known->reason);
}

struct str outbox_why_not(struct engine *engine, uint32_t person, const struct message *message)
{
    char       bytes[REACH_BYTES_MAX];
    struct str address = STR_NONE;
    return held_back(engine, person, message, bytes, &address);
}

bool outbox_would_go(struct engine *engine, uint32_t person, const struct message *message)
{
    return str_is_empty(outbox_why_not(engine, person, message));
}

/* What nobody told: where the person seems to live, for dates and money as they are written there.
 */
static void derived_write(struct engine *engine, uint32_t person, struct buf *out, bool *first)
{
    static const enum place_trait traits[] = { PLACE_TIMEZONE, PLACE_LANGUAGE };
    struct known                  known;
    known_make(&known, engine, person, engine->now_ms);
    for (size_t i = 0; i < sizeof traits / sizeof traits[0]; i++) {
        struct facts_trait derived;
        enum place_origin  origin = known_place(&known.facts, traits[i], &derived);
        if (origin == PLACE_UNKNOWN || origin == PLACE_FROM_TRAIT ||
            derived.value.kind != JSON_STRING || derived.value.string.len > DERIVED_BYTES_MAX)
            continue;
        json_write_key(out, first, place_trait_name(traits[i]));
        json_write_str(out, derived.value.string);
    }
}

/*
 * Computed traits change with every event, and what is derived with the day, so the values
 * themselves are kept; and so are the answers to what the text asks.
 */
static enum err computed_freeze(struct engine *engine, struct arena *arena, struct claim *claim,
                                const struct message *message, const struct template_def *template)
{
    SCOPED(buf_donep) struct buf text = buf_make(CLAIM_COMPUTED_BYTES_MAX);
    uint32_t                     person = claim->profile;
    claim->computed = STR_NONE;
    buf_char(&text, '{');
    if (engine->program->computed.count > 0) {
        buf_reset(&text);
        engine_computed_write(engine, person, CLAIM_TRAITS_BYTES_MAX - 4 * DERIVED_BYTES_MAX,
                              &text);
        text.len -= text.len > 0; /* the brace at the end */
    }
    bool first = text.len <= 1;
    derived_write(engine, person, &text, &first);
    TRY(tailor_blocks(engine, person, &template->blocks, template->has_snippets, &text, &first));
    giving_write(engine, person, message, &template->blocks, &text, &first);
    answers_write(engine, claim, message == NULL ? 0 : message->enrollment, &text, &first);
    buf_char(&text, '}');
    TRY(buf_err(&text));
    if (text.len == 2)
        return OK;
    claim->computed = str_copy(arena, buf_view(&text));
    return claim->computed.ptr == NULL ? ERR_MEMORY : OK;
}

/* Of a claim: 0 where the message is no broadcast's. */
static uint32_t broadcast_plus_one(const struct message *message)
{
    return broadcast_is_key(message->enrollment) ? broadcast_of_key(message->enrollment) + 1 : 0;
}

/* What the message is written with, by the numbers of records that never change. */
/* Which time it is that the person is in the journey; 0: nobody is in it several times at once. */
static uint64_t entry_of(const struct engine *engine, uint32_t person, uint64_t enrollment)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        const struct enrollment *e = &state->rare->enrollments.items[i];
        if (e->id != enrollment)
            continue;
        const struct journey_version *version =
            program_journey_version(engine->program, e->journey, e->version);
        return version != NULL && version->journey.at_once > 1 ? enrollment : 0;
    }
    return 0;
}

static enum err claim_freeze(struct engine *engine, struct arena *arena, uint32_t person,
                             const struct message *message, struct claim *claim)
{
    const struct template_def *template =
        program_template_at(engine->program, message->template_id);
    uint32_t  seqs[TRAIT_SEQS_MAX], count = engine_trait_seqs(engine, person, seqs, TRAIT_SEQS_MAX);
    uint32_t *kept = ARENA_ARRAY(arena, count, uint32_t);
    if (kept == NULL)
        return ERR_MEMORY;
    memcpy(kept, seqs, count * sizeof seqs[0]);
    *claim = (struct claim){
        .message = message->id,
        .profile = person,
        .attempt = message->attempt,
        .template_id = message->template_id,
        .template_version = template->version,
        .journey = message->journey,
        .entry = entry_of(engine, person, message->enrollment),
        .topic = message->topic,
        .broadcast = broadcast_plus_one(message),
        .event_seq = message->trigger_seq,
        .trait_seqs = kept,
        .trait_seqs_count = count,
        .transactional = template->transactional,
        .channel = template->channel,
        .first_try_ms = message->attempt == 1 ? engine->now_ms : message->first_try_ms,
    };
    return OK;
}

/* Which variant: the template whose text it is. */
static enum err claim_variant(struct engine *engine, struct arena *arena, struct claim *claim,
                              struct str *variant, const struct template_def **template)
{
    struct tailored tailored;
    TRY(tailor_variant(engine, claim->profile, claim->template_id, arena, &tailored));
    *variant = tailored.why;
    if (tailored.why.len > 0) {
        claim->variant = tailored.template_id + 1;
        claim->variant_version = tailored.version;
    }
    *template = program_template_at(engine->program, tailored.template_id);
    return OK;
}

/* The same, and what the text asks; nothing is given for a look. */
static enum err look_tailor(struct engine *engine, struct arena *arena, struct claim *claim,
                            struct str *variant)
{
    const struct template_def *template;
    TRY(claim_variant(engine, arena, claim, variant, &template));
    return computed_freeze(engine, arena, claim, NULL, template);
}

/* The same of a text that is not saved, so that it has no variants. */
static enum err draft_tailor(struct engine *engine, const struct claim_draft *draft,
                             struct arena *arena, struct claim *claim)
{
    struct template_def def;
    TRY(template_draft_read(draft->text, &def, draft->problem));
    enum err err = template_blocks_check(engine->program, &def.blocks, draft->problem);
    if (err == OK)
        err = computed_freeze(engine, arena, claim, NULL, &def);
    claim->transactional = def.transactional;
    claim->channel = def.channel;
    template_blocks_done(&def.blocks);
    return err;
}

enum err engine_claim_draft(struct engine *engine, const struct claim_draft *draft,
                            struct arena *arena, struct claim *claim, struct str *variant)
{
    struct message message = { .template_id = draft->template_id,
                               .trigger_seq = draft->event_seq,
                               .journey = draft->journey,
                               .attempt = 1 };
    struct str     address = STR_NONE;
    char           bytes[REACH_BYTES_MAX];
    *variant = STR_NONE;
    TRY(claim_freeze(engine, arena, draft->person, &message, claim));
    TRY(draft->text.len > 0 ? draft_tailor(engine, draft, arena, claim)
                            : look_tailor(engine, arena, claim, variant));
    (void)reach_address(engine, draft->person, claim->channel, bytes, &address);
    claim->address = str_copy(arena, address);
    return claim->address.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err claim_add(struct out *out, const struct claim *claim)
{
    if (out->claims_count == out->claims_room) {
        size_t        room = out->claims_room == 0 ? 64 : out->claims_room * 2;
        struct claim *claims = ARENA_ARRAY(out->arena, room, struct claim);
        if (claims == NULL)
            return ERR_MEMORY;
        for (size_t i = 0; i < out->claims_count; i++)
            claims[i] = out->claims[i];
        out->claims = claims;
        out->claims_room = room;
    }
    out->claims[out->claims_count++] = *claim;
    return OK;
}

/* Not a decision: after a load it is only looked at sooner. */
static enum err look_later(struct engine *engine, uint32_t person, uint64_t id, int64_t due_ms)
{
    struct state *state = people_state(engine->people, person);
    struct rare  *rare = state == NULL ? NULL : state_rare_own(state);
    if (rare == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < rare->messages.count; i++) {
        if (rare->messages.items[i].id != id)
            continue;
        rare->messages.items[i].due_ms = due_ms;
        return outbox_wait(engine, person, &rare->messages.items[i]);
    }
    return OK;
}

/* It may go, and not yet: it waits, or is held back where it may not wait so long. *waits: either.
 */
static enum err hold_one(struct engine *engine, struct out *out, uint32_t person,
                         const struct message *message, bool *waits)
{
    char        bytes[LIMITS_WHY_BYTES_MAX];
    struct hold hold = holding_look(engine, person, message, bytes);
    *waits = hold.until_ms > engine->now_ms;
    if (!*waits)
        return OK;
    if (hold.is_behind)
        return look_later(engine, person, message->id, hold.until_ms);
    return message_decide(engine, out, person, hold.is_over ? DECISION_DROPPED : DECISION_WAITING,
                          message, hold.why, hold.is_over ? TIME_NEVER : hold.until_ms);
}

static enum err claim_one(struct engine *engine, struct out *out, uint32_t person, uint64_t id)
{
    const struct message *message = message_find(people_state_get(engine->people, person), id);
    char                  bytes[REACH_BYTES_MAX];
    struct str            address = STR_NONE;
    struct str            reason = held_back(engine, person, message, bytes, &address);
    if (!str_is_empty(reason))
        return message_decide(engine, out, person, DECISION_DROPPED, message, reason, TIME_NEVER);
    int64_t behind_ms = broadcast_behind_ms(engine, message, address);
    if (behind_ms > 0)
        return look_later(engine, person, id, engine->now_ms + behind_ms);
    bool waits;
    TRY(hold_one(engine, out, person, message, &waits));
    if (waits)
        return OK;

    struct message before = *message, next = before;
    const struct template_def *template;
    struct claim claim;
    struct str   variant;
    next.attempt++;
    TRY(claim_freeze(engine, out->arena, person, &next, &claim));
    claim.address = str_copy(out->arena, address);
    if (claim.address.ptr == NULL)
        return ERR_MEMORY;
    TRY(claim_variant(engine, out->arena, &claim, &variant, &template));
    TRY(giving_claim(engine, out, person, &before, template, &waits));
    if (waits)
        return OK;
    enum err err = computed_freeze(engine, out->arena, &claim, &before, template);
    if (err == ERR_LIMIT)
        return message_decide(engine, out, person, DECISION_DROPPED, &before,
                              STR("the template asks more than a claim can keep"), TIME_NEVER);
    TRY(err);
    TRY(decide(engine, out,
               (struct decision){ .kind = DECISION_CLAIMED,
                                  .profile = person,
                                  .at_ms = engine->now_ms,
                                  .subject = next.id,
                                  .object = next.attempt,
                                  .text = claim.address,
                                  .due_ms = TIME_NEVER,
                                  .event = claim.event_seq,
                                  .other = claim.template_version,
                                  .computed = claim.computed,
                                  .variant = variant,
                                  .seqs = claim.trait_seqs,
                                  .seqs_count = claim.trait_seqs_count }));
    return claim_add(out, &claim);
}

bool outbox_is_due(const struct engine *engine, const struct message *message)
{
    return message->state == MESSAGE_QUEUED && message->due_ms <= engine->now_ms &&
           !message->is_waiting && !braking_holds(engine, message) &&
           !broadcast_holds(engine, message);
}

/* The person's first queued message of the lane that is due, or 0. */
static uint64_t due_message(const struct engine *engine, uint32_t person, uint32_t lane)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->messages.count; i++)
        if (outbox_is_due(engine, &state->rare->messages.items[i]) &&
            outbox_lane(engine, &state->rare->messages.items[i]) == lane)
            return state->rare->messages.items[i].id;
    return 0;
}

/* The timer's message is gone, or its template is another now and it belongs into another lane. */
static enum err lane_change(struct engine *engine, uint32_t person)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->messages.count; i++)
        if (outbox_is_due(engine, &state->rare->messages.items[i]))
            TRY(outbox_wait(engine, person, &state->rare->messages.items[i]));
    return OK;
}

/* Who waits for the answer of one that is dropped goes on. */
static enum err claim_or_drop(struct engine *engine, struct out *out, uint32_t person, uint64_t id)
{
    uint64_t awaited = answers_awaited(engine, person, id);
    TRY(claim_one(engine, out, person, id));
    return answers_heard(engine, out, person, awaited);
}

/* Each queued message has one timer; one whose message is gone already does nothing. */
enum err outbox_claim(struct engine *engine, struct out *out, const struct record *record)
{
    struct timer timer;
    uint32_t     lanes = record->lanes == 0 ? LANES_ALL : record->lanes, lane;
    size_t wanted = out->claims_count + (record->count < CLAIMS_MAX ? record->count : CLAIMS_MAX);
    for (uint32_t looked = 0; looked < 4 * CLAIMS_MAX && out->claims_count < wanted; looked++) {
        if (!outbox_take(engine, lanes, &lane, &timer))
            return giving_go_on(engine);
        uint32_t person = people_root(engine->people, timer.profile);
        TRY(wakes_before(engine, out, person, engine->now_ms));
        uint64_t id = due_message(engine, person, lane);
        TRY(id != 0 ? claim_or_drop(engine, out, person, id) : lane_change(engine, person));
    }
    return OK;
}

int64_t outbox_due_of(const struct engine *engine, uint32_t person)
{
    const struct state *state = people_state_get(engine->people, person);
    int64_t             due_ms = TIME_NEVER;
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        const struct message *message = &state->rare->messages.items[i];
        if (message->state == MESSAGE_QUEUED && !message->is_waiting && message->due_ms < due_ms)
            due_ms = message->due_ms;
    }
    return due_ms;
}

/* Which of two that are due is looked at first: as lanes are, receipts before all else. */
static bool is_sooner(const struct engine *engine, const struct message *a, const struct message *b)
{
    uint32_t lane_a = outbox_lane(engine, a), lane_b = outbox_lane(engine, b);
    bool urgent_a = (LANES_URGENT >> lane_a & 1) != 0, urgent_b = (LANES_URGENT >> lane_b & 1) != 0;
    if (urgent_a != urgent_b)
        return urgent_a;
    if (!urgent_a && a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms;
    return lane_a < lane_b;
}

/* The first of the person's, or 0. */
static uint64_t due_first(const struct engine *engine, uint32_t person)
{
    const struct state   *state = people_state_get(engine->people, person);
    const struct message *first = NULL;
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        const struct message *message = &state->rare->messages.items[i];
        if (outbox_is_due(engine, message) && (first == NULL || is_sooner(engine, message, first)))
            first = message;
    }
    return first == NULL ? 0 : first->id;
}

enum err outbox_claim_of(struct engine *engine, struct out *out, uint32_t person)
{
    uint64_t before = 0, id;
    TRY(wakes_before(engine, out, person, engine->now_ms));
    while ((id = due_first(engine, person)) != 0 && id != before) {
        before = id;
        TRY(claim_or_drop(engine, out, person, id));
    }
    return OK;
}

enum err outbox_outcome(struct engine *engine, const struct record *record, struct out *out)
{
    const struct record_outcome *outcome = &record->outcome;
    uint32_t                     person = parting_bearer(engine, record->profile, outcome->message);
    if (person == PROFILE_NONE)
        return ERR_ABSENT; /* erased while it was being sent: nothing of it is kept */
    TRY(wakes_before(engine, out, person, record->received_ms));
    const struct message *message =
        message_find(people_state_get(engine->people, person), outcome->message);
    if (message == NULL || message->state != MESSAGE_SENDING)
        return ERR_ABSENT; /* settled before: a second word changes nothing */

    static const enum decision_kind kinds[] = {
        [OUTCOME_SENT] = DECISION_SENT,         [OUTCOME_DEFERRED] = DECISION_DEFERRED,
        [OUTCOME_FAILED] = DECISION_FAILED,     [OUTCOME_UNKNOWN] = DECISION_UNKNOWN,
        [OUTCOME_RETURNED] = DECISION_RETURNED, [OUTCOME_HELD] = DECISION_DROPPED,
    };
    if (outcome->kind < OUTCOME_SENT || outcome->kind > OUTCOME_HELD)
        return ERR_INPUT;
    enum decision_kind kind = kinds[outcome->kind];
    int64_t            due_ms = TIME_NEVER;
    struct message     next = *message;
    if (kind == DECISION_DEFERRED)
        due_ms = outcome->retry_at_ms;
    if (kind == DECISION_UNKNOWN && doubt_is_again(engine, message)) {
        kind = DECISION_DEFERRED;
        due_ms = engine->now_ms + DOUBT_PAUSE_MS;
    }
    if (kind == DECISION_RETURNED) {
        due_ms = outcome->retry_at_ms > engine->now_ms ? outcome->retry_at_ms : engine->now_ms;
        next.attempt--; /* it was never begun */
    }
    if (kind == DECISION_DEFERRED && message->attempt >= ATTEMPTS_MAX)
        kind = DECISION_FAILED;
    bool       is_back = kind == DECISION_DEFERRED || kind == DECISION_RETURNED;
    bool       is_nobodys = is_back && parting_is_nobodys(engine, message);
    struct str text = is_nobodys ? BROADCAST_WHY_ERASED : outcome->text;
    if (is_nobodys)
        kind = DECISION_DROPPED;
    TRY(message_decide(engine, out, person, kind, &next, text, due_ms));
    if (kind == DECISION_RETURNED)
        (void)braking_keeps(engine, parting_holder(engine, person, next.enrollment), outcome);
    return OK;
}

uint32_t engine_in_doubt(const struct engine *engine, struct claim *claims, uint32_t most)
{
    uint32_t count = 0;
    for (uint32_t p = 0; p < people_count(engine->people) && engine->sending > 0; p++) {
        const struct profile *profile = people_get(engine->people, p);
        if (profile->state == NULL)
            continue;
        for (uint32_t i = 0; i < profile->state->rare->messages.count && count < most; i++) {
            const struct message *message = &profile->state->rare->messages.items[i];
            if (message->state == MESSAGE_SENDING)
                claims[count++] = (struct claim){ .message = message->id,
                                                  .profile = p,
                                                  .attempt = message->attempt,
                                                  .first_try_ms = message->first_try_ms,
                                                  .template_id = message->template_id,
                                                  .broadcast = broadcast_plus_one(message),
                                                  .journey = message->journey };
        }
    }
    return count;
}
