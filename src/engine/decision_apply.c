/*
 * A decision in force: what it changes of people and their states, live and on load alike.
 */
#include "engine/inside.h"

#include "engine/vec.h"

static struct enrollment *enrollment_of(struct state *state, uint64_t id)
{
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        if (state->rare->enrollments.items[i].id == id)
            return &state->rare->enrollments.items[i];
    return NULL;
}

static struct message *message_of(struct state *state, uint64_t id)
{
    for (uint32_t i = 0; i < state->rare->messages.count; i++)
        if (state->rare->messages.items[i].id == id)
            return &state->rare->messages.items[i];
    return NULL;
}

/* An identity may move from one profile to another: a device that turned out to be shared. */
static enum err identity_move(struct engine *engine, const struct decision *d)
{
    enum identity_kind kind = (enum identity_kind)d->subject;
    if (str_is_empty(d->text))
        return OK; /* erased since */
    uint32_t owner = people_find(engine->people, kind, d->text);
    if (owner != PROFILE_NONE) {
        TRY(checkpoint_before(engine, owner));
        people_unlink(engine->people, owner, kind, d->text);
    }
    return people_link(engine->people, d->profile, kind, d->text);
}

static enum err profile_apply(struct engine *engine, const struct decision *d)
{
    uint32_t number;
    if (d->profile < people_count(engine->people))
        return ERR_CORRUPT;
    TRY(people_add(engine->people, d->at_ms, &number));
    if (number != d->profile)
        return ERR_CORRUPT;
    return identity_move(engine, d);
}

/* Of too many keys in one journey the one that came in longest ago. */
static void past_make_room(struct state *state, uint32_t journey)
{
    uint32_t count = 0, oldest = 0;
    for (uint32_t i = 0; i < state->rare->pasts.count; i++) {
        const struct past *past = &state->rare->pasts.items[i];
        if (past->journey != journey || past->key == 0)
            continue;
        if (count == 0 || past->entered_ms < state->rare->pasts.items[oldest].entered_ms)
            oldest = i;
        count++;
    }
    if (count >= PAST_KEYS_MAX)
        STATE_REMOVE(state, pasts, oldest);
}

static enum err pasts_merge(struct state *into, const struct past *past)
{
    for (uint32_t i = 0; i < into->rare->pasts.count; i++) {
        struct past *have = &into->rare->pasts.items[i];
        if (have->journey != past->journey || have->key != past->key)
            continue;
        uint32_t times = (uint32_t)have->times + (uint32_t)past->times;
        have->times = times < PAST_TIMES_MAX ? times : PAST_TIMES_MAX;
        if (have->entered_ms < past->entered_ms)
            have->entered_ms = past->entered_ms;
        return OK;
    }
    if (past->key != 0)
        past_make_room(into, past->journey);
    return STATE_ADD(into, pasts, *past);
}

static enum err states_merge(struct state *into, const struct state *from)
{
    for (uint32_t i = 0; i < from->rare->enrollments.count; i++)
        TRY(STATE_ADD(into, enrollments, from->rare->enrollments.items[i]));
    for (uint32_t i = 0; i < from->rare->messages.count; i++)
        TRY(STATE_ADD(into, messages, from->rare->messages.items[i]));
    for (uint32_t i = 0; i < from->rare->pasts.count; i++)
        TRY(pasts_merge(into, &from->rare->pasts.items[i]));
    for (uint32_t i = 0; i < from->rarer->merges.count; i++)
        TRY(STATE_ADD_RARER(into, merges, from->rarer->merges.items[i]));
    for (uint32_t i = 0; i < from->rarer->codes.count; i++)
        TRY(STATE_ADD_RARER(into, codes, from->rarer->codes.items[i]));
    return OK;
}

/* What waits is found under its new person, also when the two are parted again. */
static enum err messages_time(struct engine *engine, uint32_t person, const struct state *from)
{
    for (uint32_t i = 0; i < from->rare->messages.count; i++)
        if (from->rare->messages.items[i].state == MESSAGE_QUEUED)
            TRY(outbox_wait(engine, person, &from->rare->messages.items[i]));
    return OK;
}

/* What either refuses is refused: the topics, with the instant. */
struct refusals {
    struct consent *items;
    uint32_t        count, room;
};

static enum err refusals_of(const struct state *state, struct refusals *refusals)
{
    for (uint32_t i = 0; state != NULL && i < state->rarer->consents.count; i++)
        if (state->rarer->consents.items[i].state == CONSENT_REFUSED)
            TRY(VEC_ADD(refusals, state->rarer->consents.items[i]));
    return OK;
}

/* Lists and consent as the timeline has them, but what was refused stays refused. */
static enum err own_settle(struct engine *engine, uint32_t person, const struct refusals *refusals)
{
    TRY(own_state(engine, person));
    for (uint32_t i = 0; i < refusals->count; i++)
        TRY(own_refuse(people_state(engine->people, person), refusals->items[i]));
    return OK;
}

/* d->profile is the root that stays; d->subject the root that is absorbed. */
static enum err rings_merge(struct engine *engine, const struct decision *d,
                            struct refusals *refusals)
{
    uint32_t from = (uint32_t)d->subject, into = d->profile;
    if (from >= people_count(engine->people) || people_root(engine->people, from) != from ||
        people_root(engine->people, into) != into || from == into)
        return ERR_CORRUPT;
    struct state *kept = people_state(engine->people, into);
    if (kept == NULL)
        return ERR_MEMORY;
    struct profile *absorbed = people_get(engine->people, from);
    TRY(refusals_of(kept, refusals));
    TRY(refusals_of(absorbed->state, refusals));
    if (absorbed->state != NULL) {
        TRY(states_merge(kept, absorbed->state));
        TRY(messages_time(engine, into, absorbed->state));
    }
    TRY(STATE_ADD_RARER(kept, merges, (struct merge){ d->id, from, into }));
    state_forget_standings(kept);
    hear_forget(engine, into);
    hear_forget(engine, from);
    state_free(absorbed->state);
    absorbed->state = NULL;
    absorbed->wake_ms = TIME_NEVER;
    TRY(people_join(engine->people, into, from));
    return own_settle(engine, into, refusals);
}

static enum err merge_apply(struct engine *engine, const struct decision *d)
{
    struct refusals refusals = { 0 };
    enum err        err = rings_merge(engine, d, &refusals);
    VEC_DONE(&refusals);
    return err;
}

/* A refusal may have been the word of either: both keep it. What broadcasts queued goes along. */
static enum err unmerge_apply(struct engine *engine, const struct decision *d)
{
    uint32_t        person = people_root(engine->people, d->profile), released = person;
    struct refusals refusals = { 0 };
    TRY(people_part(engine->people, d->subject, &released));
    struct state *kept = people_state(engine->people, person);
    if (kept == NULL)
        return ERR_MEMORY;
    state_forget_standings(kept);
    hear_forget(engine, person);
    hear_forget(engine, released);
    enum err err = refusals_of(kept, &refusals);
    if (err == OK)
        err = own_settle(engine, person, &refusals);
    if (err == OK)
        err = own_settle(engine, released, &refusals);
    VEC_DONE(&refusals);
    if (err == OK)
        err = parting_stay(engine, person);
    return err == OK ? parting_move(engine, person, released) : err;
}

static enum err membership_apply(struct state *state, const struct decision *d)
{
    if (d->subject >= MEMBERSHIP_SEGMENTS)
        return ERR_CORRUPT;
    struct membership now = memberships_of(&state->memberships, (uint32_t)d->subject);
    now.in = d->kind == DECISION_ENTERED;
    now.entered_ms = d->at_ms;
    return memberships_set(&state->memberships, slab_of(state), now);
}

static enum err list_apply(struct state *state, const struct decision *d)
{
    uint32_t list = (uint32_t)d->subject;
    for (uint32_t i = 0; i < state->rarer->lists.count; i++) {
        if (state->rarer->lists.items[i].list != list)
            continue;
        if (d->kind == DECISION_DEPARTED)
            STATE_REMOVE_RARER(state, lists, i);
        return OK;
    }
    return d->kind == DECISION_DEPARTED
               ? OK
               : STATE_ADD_RARER(state, lists, (struct listed){ list, d->at_ms });
}

static enum err consent_apply(struct state *state, const struct decision *d)
{
    struct consent consent = { .topic = (uint32_t)d->subject,
                               .channel = (uint8_t)d->channel,
                               .state = (uint8_t)d->object,
                               .at_ms = d->at_ms };
    for (uint32_t i = 0; i < state->rarer->consents.count; i++)
        if (state->rarer->consents.items[i].topic == consent.topic &&
            state->rarer->consents.items[i].channel == consent.channel) {
            state->rarer->consents.items[i] = consent;
            return OK;
        }
    return STATE_ADD_RARER(state, consents, consent);
}

static struct past past_of(const struct decision *d)
{
    return (struct past){
        .journey = (uint32_t)d->subject, .key = d->key_id, .entered_ms = d->at_ms, .times = 1
    };
}

static enum err enrolled_apply(struct state *state, const struct decision *d)
{
    struct past past = past_of(d);
    TRY(pasts_merge(state, &past));
    return STATE_ADD(state, enrollments,
                     (struct enrollment){ .id = d->id,
                                          .journey = (uint32_t)d->subject,
                                          .version = d->object,
                                          .due_ms = TIME_NEVER,
                                          .entered_ms = d->at_ms,
                                          .look_ms = TIME_NEVER,
                                          .trigger_seq = d->event,
                                          .key = past.key });
}

/* Nobody is watched where there is nothing to measure. */
static enum err held_out_apply(struct engine *engine, struct state *state, const struct decision *d)
{
    struct past past = past_of(d);
    if (broadcast_is_key(d->subject))
        return broadcast_note(engine, d->subject, d);
    TRY(pasts_merge(state, &past));
    if (d->due_ms <= 0)
        return OK;
    return STATE_ADD(state, enrollments,
                     (struct enrollment){ .id = d->id,
                                          .journey = (uint32_t)d->subject,
                                          .version = d->object,
                                          .is_held = 1,
                                          .due_ms = d->due_ms,
                                          .entered_ms = d->at_ms,
                                          .look_ms = TIME_NEVER,
                                          .trigger_seq = d->event,
                                          .key = past.key });
}

static enum err step_apply(struct state *state, const struct decision *d)
{
    struct enrollment *enrollment = enrollment_of(state, d->subject);
    if (enrollment == NULL)
        return ERR_CORRUPT;
    enrollment->visit = d->other;
    if (d->is_back) /* they stand where they stand */
        return OK;
    enrollment->node = (uint16_t)d->object;
    enrollment->due_ms = d->due_ms;
    return OK;
}

/* A message whose answer is waited for is its node's by the new version, too; others are no node's
 * of it, so that none seems to be waited for. */
static enum err moved_apply(struct state *state, const struct decision *d)
{
    struct enrollment *e = enrollment_of(state, d->subject);
    if (e == NULL)
        return ERR_CORRUPT;
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        struct message *message = &state->rare->messages.items[i];
        if (message->enrollment == e->id)
            message->node = message->node == e->node ? (uint16_t)d->object : JOURNEY_END;
    }
    e->version = d->other;
    e->node = (uint16_t)d->object;
    e->due_ms = d->due_ms;
    e->look_ms = d->at_ms; /* the new version asks for itself */
    return OK;
}

static enum err ended_apply(const struct engine *engine, struct state *state,
                            const struct decision *d)
{
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        if (state->rare->enrollments.items[i].id == d->subject) {
            if (d->kind == DECISION_ENDED && d->due_ms > 0) {
                struct enrollment *e = &state_rare_own(state)->enrollments.items[i];
                e->is_over = 1;
                e->due_ms = d->due_ms;
            } else {
                STATE_REMOVE(state, enrollments, i);
            }
            codes_forget(engine, state);
            return OK;
        }
    return OK; /* a merge was undone, and the other one goes on */
}

static enum err goal_apply(struct state *state, const struct decision *d)
{
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        struct enrollment *e = &state_rare_own(state)->enrollments.items[i];
        if (e->id != d->subject)
            continue;
        e->has_goal = 1;
        if (!enrollment_is_inside(e))
            STATE_REMOVE(state, enrollments, i);
        return OK;
    }
    return ERR_CORRUPT;
}

static enum err queue_apply(struct engine *engine, const struct decision *d,
                            const struct message *message)
{
    engine->queued++;
    return outbox_wait(engine, d->profile, message);
}

static enum err intent_apply(struct engine *engine, struct state *state, const struct decision *d)
{
    struct message message = { .id = d->id,
                               .enrollment = d->subject,
                               .node = (uint16_t)d->object,
                               .template_id = d->other,
                               .journey = d->journey,
                               .topic = d->topic,
                               .trigger_seq = d->event,
                               .state = MESSAGE_QUEUED,
                               .is_asked = d->is_asked,
                               .due_ms = d->at_ms };
    TRY(STATE_ADD(state, messages, message));
    TRY(broadcast_note(engine, message.enrollment, d));
    return queue_apply(engine, d, &message);
}

static enum err claimed_apply(struct engine *engine, struct state *state, const struct decision *d)
{
    struct message *message = message_of(state, d->subject);
    if (message == NULL || message->state != MESSAGE_QUEUED)
        return ERR_CORRUPT;
    message->state = MESSAGE_SENDING;
    message->is_told = false;
    message->attempt = (uint8_t)d->object;
    if (message->attempt == 1) /* also when the first try came back unbegun */
        message->first_try_ms = d->at_ms;
    engine->queued--;
    engine->sending++;
    return broadcast_note(engine, message->enrollment, d);
}

static enum err waiting_apply(struct engine *engine, struct state *state, const struct decision *d)
{
    struct message *message = message_of(state, d->subject);
    if (message == NULL || message->state != MESSAGE_QUEUED)
        return ERR_CORRUPT;
    if (d->due_ms == TIME_NEVER) {
        message->is_told = true;
        return OK;
    }
    message->due_ms = d->due_ms;
    if (message->first_try_ms == 0 && !str_eq(d->text, HOLDING_WHY_QUIET))
        message->first_try_ms = d->at_ms;
    TRY(broadcast_note(engine, message->enrollment, d));
    return outbox_wait(engine, d->profile, message);
}

static enum err requeued_apply(struct engine *engine, struct state *state, const struct decision *d)
{
    struct message *message = message_of(state, d->subject);
    if (message == NULL || message->state != MESSAGE_SENDING)
        return ERR_CORRUPT;
    message->state = MESSAGE_QUEUED;
    message->attempt = (uint8_t)d->object;
    message->due_ms = d->due_ms;
    engine->sending--;
    parting_ended(engine, message->id);
    TRY(broadcast_note(engine, message->enrollment, d));
    TRY(queue_apply(engine, d, message));
    return parting_settle(engine, d->profile, message->enrollment);
}

static void message_uncount(struct engine *engine, const struct message *message)
{
    parting_ended(engine, message->id);
    engine->sending -= message->state == MESSAGE_SENDING;
    engine->queued -= message->state == MESSAGE_QUEUED;
}

static enum err final_apply(struct engine *engine, struct state *state, const struct decision *d)
{
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        if (state->rare->messages.items[i].id != d->subject)
            continue;
        uint64_t key = state->rare->messages.items[i].enrollment;
        message_uncount(engine, &state->rare->messages.items[i]);
        TRY(broadcast_note(engine, key, d));
        if (d->kind == DECISION_UNKNOWN) {
            state_rare_own(state)->messages.items[i].state = MESSAGE_UNKNOWN;
            state_rare_own(state)->messages.items[i].due_ms = d->at_ms; /* since when */
            doubt_bound(state);
        } else {
            STATE_REMOVE(state, messages, i);
        }
        codes_forget(engine, state);
        return parting_settle(engine, d->profile, key);
    }
    return ERR_CORRUPT;
}

static enum err state_apply(struct engine *engine, const struct decision *d)
{
    bool is_word =
        d->kind == DECISION_JOINED || d->kind == DECISION_DEPARTED || d->kind == DECISION_CONSENT;
    if (is_word && own_is_outdone(engine, d))
        return OK; /* it came late: the past is otherwise, and the last word stands */
    struct state *state = people_state(engine->people, d->profile);
    if (state == NULL)
        return ERR_MEMORY;
    switch (d->kind) {
    case DECISION_ENTERED:
    case DECISION_LEFT:
        return membership_apply(state, d);
    case DECISION_JOINED:
    case DECISION_DEPARTED:
        return list_apply(state, d);
    case DECISION_CONSENT:
        return consent_apply(state, d);
    case DECISION_ENROLLED:
        return enrolled_apply(state, d);
    case DECISION_STEP:
        return step_apply(state, d);
    case DECISION_MOVED:
        return moved_apply(state, d);
    case DECISION_ENDED:
    case DECISION_UNREACHED:
        return ended_apply(engine, state, d);
    case DECISION_HELD_OUT:
        return held_out_apply(engine, state, d);
    case DECISION_GOAL:
        return goal_apply(state, d);
    case DECISION_INTENT:
        return intent_apply(engine, state, d);
    case DECISION_CLAIMED:
        return claimed_apply(engine, state, d);
    case DECISION_DEFERRED:
    case DECISION_RETURNED:
        return requeued_apply(engine, state, d);
    case DECISION_SENT:
    case DECISION_FAILED:
    case DECISION_UNKNOWN:
    case DECISION_DROPPED:
        return final_apply(engine, state, d);
    case DECISION_CODE:
        return code_apply(state, d);
    case DECISION_WAITING:
        return waiting_apply(engine, state, d);
    case DECISION_NOT_ENROLLED:
    case DECISION_PARKED:
    case DECISION_CONTEXT:
        return OK; /* told, without effect on the state */
    case DECISION_NONE:
    case DECISION_PROFILE:
    case DECISION_IDENTITY:
    case DECISION_MERGE:
    case DECISION_UNMERGE:
    case DECISION_SHARED:
    case DECISION_ERASED:
        return OK; /* not of a state */
    }
    return OK;
}

/* ---- forgetting ---- */

static enum err messages_forget(struct engine *engine, const struct state *state)
{
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        message_uncount(engine, &state->rare->messages.items[i]);
        TRY(broadcast_note_erased(engine, &state->rare->messages.items[i]));
    }
    return OK;
}

/* Timers that are set find nobody when they come. The ring stays: numbers are never given anew. */
static enum err erased_apply(struct engine *engine, const struct decision *d)
{
    const struct profile *profile = people_get(engine->people, d->profile);
    if (profile->state != NULL)
        TRY(messages_forget(engine, profile->state));
    hear_forget(engine, d->profile);
    people_erase(engine->people, d->profile);
    return timeline_forget(engine->timeline, d->profile, (uint32_t)d->seq);
}

static enum err ring_before(struct engine *engine, uint32_t profile)
{
    uint32_t member = profile;
    if (profile >= people_count(engine->people))
        return ERR_CORRUPT;
    do {
        TRY(checkpoint_before(engine, member));
        member = people_get(engine->people, member)->next;
    } while (member != profile);
    return OK;
}

enum err decision_apply(struct engine *engine, const struct decision *d)
{
    engine->moved++;
    if (d->kind == DECISION_PROFILE)
        TRY(profile_apply(engine, d));
    if (d->profile >= people_count(engine->people))
        return ERR_CORRUPT;
    TRY(d->kind == DECISION_ERASED ? checkpoint_before_erasure(engine, d->profile)
                                   : checkpoint_before(engine, d->profile));
    TRY(own_add(engine, d));
    switch (d->kind) {
    case DECISION_PROFILE:
        break;
    case DECISION_IDENTITY:
        TRY(identity_move(engine, d));
        break;
    case DECISION_MERGE:
        TRY(ring_before(engine, d->profile));
        TRY(ring_before(engine, (uint32_t)d->subject));
        TRY(merge_apply(engine, d));
        break;
    case DECISION_UNMERGE:
        TRY(ring_before(engine, d->profile));
        TRY(unmerge_apply(engine, d));
        break;
    case DECISION_SHARED:
        people_get(engine->people, d->profile)->shared = true;
        break;
    case DECISION_ERASED:
        TRY(erased_apply(engine, d));
        break;
    default:
        TRY(state_apply(engine, d));
    }
    people_get(engine->people, d->profile)->head = d->id;
    return OK;
}
