#include "engine/inside.h"

#include <assert.h>
#include <string.h>

#include "engine/vec.h"

enum { DETAIL_BYTES_MAX = 64 << 10 };

const char *decision_name(enum decision_kind kind)
{
    static const char *const names[] = {
        [DECISION_PROFILE] = "profile",   [DECISION_IDENTITY] = "identity",
        [DECISION_MERGE] = "merge",       [DECISION_UNMERGE] = "unmerge",
        [DECISION_SHARED] = "shared",     [DECISION_ENTERED] = "entered",
        [DECISION_LEFT] = "left",         [DECISION_JOINED] = "joined",
        [DECISION_DEPARTED] = "departed", [DECISION_CONSENT] = "consent",
        [DECISION_ENROLLED] = "enrolled", [DECISION_STEP] = "step",
        [DECISION_ENDED] = "ended",       [DECISION_NOT_ENROLLED] = "not enrolled",
        [DECISION_PARKED] = "parked",     [DECISION_INTENT] = "queued",
        [DECISION_CLAIMED] = "sending",   [DECISION_SENT] = "sent",
        [DECISION_FAILED] = "failed",     [DECISION_UNKNOWN] = "unknown",
        [DECISION_DROPPED] = "held back", [DECISION_DEFERRED] = "deferred",
        [DECISION_RETURNED] = "returned", [DECISION_CONTEXT] = "context",
    };
    bool known = (size_t)kind < sizeof names / sizeof names[0] && names[kind] != NULL;
    return known ? names[kind] : "decision";
}

/* ---- taking effect: the same live and on load ---- */

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
    uint32_t           owner = people_find(engine->people, kind, d->text);
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
    TRY(people_add(engine->people, (uint32_t)d->seq, &number));
    if (number != d->profile)
        return ERR_CORRUPT;
    return identity_move(engine, d);
}

static enum err pasts_merge(struct state *into, const struct past *past)
{
    for (uint32_t i = 0; i < into->rare->pasts.count; i++) {
        struct past *have = &into->rare->pasts.items[i];
        if (have->journey != past->journey)
            continue;
        have->times += past->times;
        if (have->entered_ms < past->entered_ms)
            have->entered_ms = past->entered_ms;
        return OK;
    }
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
    for (uint32_t i = 0; i < from->rare->merges.count; i++)
        TRY(STATE_ADD(into, merges, from->rare->merges.items[i]));
    return OK;
}

/* What waits is found under its new person, also when the two are parted again. */
static enum err messages_time(struct engine *engine, uint32_t person, const struct state *from)
{
    for (uint32_t i = 0; i < from->rare->messages.count; i++)
        if (from->rare->messages.items[i].state == MESSAGE_QUEUED)
            TRY(calendar_add(engine->outbox,
                             (struct timer){ from->rare->messages.items[i].due_ms, person }));
    return OK;
}

/* What either refuses is refused: the topics, with the instant. */
struct refusals {
    struct consent *items;
    uint32_t        count, room;
};

static enum err refusals_of(const struct state *state, struct refusals *refusals)
{
    for (uint32_t i = 0; state != NULL && i < state->rare->consents.count; i++)
        if (!state->rare->consents.items[i].granted)
            TRY(VEC_ADD(refusals, state->rare->consents.items[i]));
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
    TRY(STATE_ADD(kept, merges, (struct merge){ d->id, from, into }));
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

/* A refusal may have been the word of either: both keep it. */
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
    return err;
}

static enum err membership_apply(struct state *state, const struct decision *d)
{
    const struct membership *have = membership_find(state, (uint32_t)d->subject);
    return membership_set(
        state, (struct membership){ .segment = (uint32_t)d->subject,
                                    .in = d->kind == DECISION_ENTERED,
                                    .entered_ms = d->at_ms,
                                    .until_ms = have == NULL ? TIME_NEVER : have->until_ms });
}

static enum err list_apply(struct state *state, const struct decision *d)
{
    uint32_t list = (uint32_t)d->subject;
    for (uint32_t i = 0; i < state->rare->lists.count; i++) {
        if (state->rare->lists.items[i].list != list)
            continue;
        if (d->kind == DECISION_DEPARTED)
            VEC_REMOVE(&state_rare_own(state)->lists, i);
        return OK;
    }
    return d->kind == DECISION_DEPARTED
               ? OK
               : STATE_ADD(state, lists, (struct listed){ list, d->at_ms });
}

static enum err consent_apply(struct state *state, const struct decision *d)
{
    struct consent consent = { .topic = (uint32_t)d->subject,
                               .channel = (uint8_t)d->channel,
                               .granted = d->object == 1,
                               .at_ms = d->at_ms };
    for (uint32_t i = 0; i < state->rare->consents.count; i++)
        if (state->rare->consents.items[i].topic == consent.topic &&
            state->rare->consents.items[i].channel == consent.channel) {
            state->rare->consents.items[i] = consent;
            return OK;
        }
    return STATE_ADD(state, consents, consent);
}

static enum err enrolled_apply(struct state *state, const struct decision *d)
{
    struct past past = { (uint32_t)d->subject, 1, d->at_ms };
    TRY(pasts_merge(state, &past));
    return STATE_ADD(state, enrollments,
                     (struct enrollment){ .id = d->id,
                                          .journey = (uint32_t)d->subject,
                                          .version = d->object,
                                          .due_ms = TIME_NEVER,
                                          .entered_ms = d->at_ms,
                                          .exit_until_ms = TIME_NEVER,
                                          .trigger_seq = d->event });
}

static enum err step_apply(struct state *state, const struct decision *d)
{
    struct enrollment *enrollment = enrollment_of(state, d->subject);
    if (enrollment == NULL)
        return ERR_CORRUPT;
    enrollment->node = (uint16_t)d->object;
    enrollment->visit = d->other;
    enrollment->due_ms = d->due_ms;
    return OK;
}

static enum err ended_apply(struct state *state, const struct decision *d)
{
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        if (state->rare->enrollments.items[i].id == d->subject) {
            VEC_REMOVE(&state_rare_own(state)->enrollments, i);
            return OK;
        }
    return OK; /* a merge was undone, and the other one goes on */
}

static enum err queue_apply(struct engine *engine, const struct decision *d, int64_t due_ms)
{
    engine->queued++;
    return calendar_add(engine->outbox, (struct timer){ due_ms, d->profile });
}

static enum err intent_apply(struct engine *engine, struct state *state, const struct decision *d)
{
    TRY(STATE_ADD(state, messages,
                  (struct message){ .id = d->id,
                                    .enrollment = d->subject,
                                    .node = (uint16_t)d->object,
                                    .template_id = d->other,
                                    .journey = d->journey,
                                    .topic = d->topic,
                                    .trigger_seq = d->event,
                                    .state = MESSAGE_QUEUED,
                                    .due_ms = d->at_ms }));
    return queue_apply(engine, d, d->at_ms);
}

static enum err claimed_apply(struct engine *engine, struct state *state, const struct decision *d)
{
    struct message *message = message_of(state, d->subject);
    if (message == NULL || message->state != MESSAGE_QUEUED)
        return ERR_CORRUPT;
    message->state = MESSAGE_SENDING;
    message->attempt = (uint8_t)d->object;
    if (message->attempt == 1) /* also when the first try came back unbegun */
        message->first_try_ms = d->at_ms;
    engine->queued--;
    engine->sending++;
    return OK;
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
    return queue_apply(engine, d, d->due_ms);
}

static enum err final_apply(struct engine *engine, struct state *state, const struct decision *d)
{
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        if (state->rare->messages.items[i].id != d->subject)
            continue;
        if (state->rare->messages.items[i].state == MESSAGE_SENDING)
            engine->sending--;
        else
            engine->queued--;
        VEC_REMOVE(&state_rare_own(state)->messages, i);
        return OK;
    }
    return ERR_CORRUPT;
}

static enum err state_apply(struct engine *engine, const struct decision *d)
{
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
    case DECISION_ENDED:
        return ended_apply(state, d);
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
    default:
        return OK; /* NOT_ENROLLED, PARKED: told, without effect */
    }
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
    if (d->kind == DECISION_PROFILE)
        TRY(profile_apply(engine, d));
    if (d->profile >= people_count(engine->people))
        return ERR_CORRUPT;
    TRY(checkpoint_before(engine, d->profile));
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
    default:
        TRY(state_apply(engine, d));
    }
    people_get(engine->people, d->profile)->head = d->id;
    return OK;
}

/* ---- words ---- */

static void member_str(struct buf *out, bool *first, const char *key, struct str value)
{
    if (str_is_empty(value))
        return;
    json_write_key(out, first, key);
    json_write_str(out, value);
}

static void member_int(struct buf *out, bool *first, const char *key, int64_t value)
{
    json_write_key(out, first, key);
    buf_int(out, value);
}

/* Steps, endings and messages say in which journey, and at which of its nodes. */
static void place_tell(const struct engine *engine, struct decision *d)
{
    const struct state *state = people_state_get(engine->people, d->profile);
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        const struct enrollment *e = &state->rare->enrollments.items[i];
        if (e->id != d->subject)
            continue;
        const struct journey_version *version =
            program_journey_version(engine->program, e->journey, e->version);
        d->journey = e->journey;
        if (version != NULL && d->object < version->journey.nodes_count)
            d->node = version->journey.nodes[d->object].id;
    }
}

static void detail_write(const struct engine *engine, const struct decision *d, struct buf *out)
{
    const struct program *program = engine->program;
    bool                  first = true;
    buf_char(out, '{');
    switch (d->kind) {
    case DECISION_PROFILE:
    case DECISION_IDENTITY:
    case DECISION_SHARED:
        member_str(out, &first, "id", d->text);
        break;
    case DECISION_ENTERED:
    case DECISION_LEFT:
        member_str(out, &first, "segment",
                   program_name(program, NAME_SEGMENT, (uint32_t)d->subject));
        if (d->kind == DECISION_ENTERED && d->since_ms != d->at_ms)
            member_int(out, &first, "since", d->since_ms);
        if (d->kind == DECISION_ENTERED && d->or_earlier)
            member_int(out, &first, "or_earlier", 1);
        break;
    case DECISION_JOINED:
    case DECISION_DEPARTED:
        member_str(out, &first, "list", program_name(program, NAME_LIST, (uint32_t)d->subject));
        break;
    case DECISION_CONSENT:
        member_str(out, &first, "topic", program_name(program, NAME_TOPIC, (uint32_t)d->subject));
        member_str(out, &first, "channel", channel_name(d->channel));
        member_str(out, &first, "state", d->object == 1 ? STR("subscribed") : STR("unsubscribed"));
        member_str(out, &first, "how", d->text);
        break;
    case DECISION_CONTEXT:
        member_str(out, &first, "country", d->text);
        member_str(out, &first, "zone", d->zone);
        member_str(out, &first, "locale", d->locale);
        break;
    case DECISION_ENROLLED:
    case DECISION_NOT_ENROLLED:
        member_str(out, &first, "journey",
                   program_name(program, NAME_JOURNEY, (uint32_t)d->subject));
        member_str(out, &first, "reason", d->text);
        member_int(out, &first, "event", d->event);
        break;
    case DECISION_STEP:
        member_str(out, &first, "node", d->node);
        member_int(out, &first, "journey_id", d->journey);
        member_int(out, &first, "visit", d->other);
        if (d->due_ms != TIME_NEVER)
            member_int(out, &first, "due", d->due_ms);
        member_str(out, &first, "took", d->text);
        break;
    case DECISION_INTENT:
        member_str(out, &first, "template", program_name(program, NAME_TEMPLATE, d->other));
        member_str(out, &first, "journey", program_name(program, NAME_JOURNEY, d->journey));
        member_str(out, &first, "node", d->node);
        member_int(out, &first, "node_number", d->object);
        member_int(out, &first, "template_id", d->other);
        member_int(out, &first, "journey_id", d->journey);
        member_int(out, &first, "topic_id", d->topic);
        member_int(out, &first, "event", d->event);
        break;
    case DECISION_CLAIMED:
        member_str(out, &first, "to", d->text);
        member_int(out, &first, "event", d->event);
        member_int(out, &first, "version", d->other);
        json_write_key(out, &first, "traits");
        for (uint32_t i = 0; i < d->seqs_count; i++) {
            buf_char(out, i == 0 ? '[' : ',');
            buf_int(out, d->seqs[i]);
        }
        buf_str(out, d->seqs_count == 0 ? STR("[]") : STR("]"));
        if (d->computed.len > 0) {
            json_write_key(out, &first, "computed");
            buf_str(out, d->computed);
        }
        break;
    case DECISION_DEFERRED:
    case DECISION_RETURNED:
        member_int(out, &first, "retry_at", d->due_ms);
        member_str(out, &first, "text", d->text);
        break;
    case DECISION_ENDED:
        member_str(out, &first, "node", d->node);
        member_int(out, &first, "journey_id", d->journey);
        member_str(out, &first, "reason", d->text);
        break;
    default:
        member_str(out, &first, "reason", d->text);
    }
    buf_char(out, '}');
}

static uint32_t number_get(const struct json *object, const char *key)
{
    int64_t value;
    return json_get_int(object, str_of(key), &value) ? (uint32_t)value : 0;
}

static struct str first_text(const struct json *object)
{
    static const char *const keys[] = { "id", "how", "reason", "took", "to", "text", "country" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (json_get(object, str_of(keys[i])) != NULL)
            return json_get_str(object, str_of(keys[i]));
    return STR_NONE;
}

enum err decision_read(struct engine *engine, struct json_parser *parser, struct arena *scratch,
                       struct decision *d)
{
    struct json detail;
    (void)engine;
    if (json_parse(parser, scratch, d->detail, &detail, NULL) != OK)
        return ERR_CORRUPT;
    d->text = first_text(&detail);
    d->event = number_get(&detail, "event");
    d->node = json_get_str(&detail, STR("node"));
    if (d->kind == DECISION_CONSENT &&
        !channel_of(json_get_str(&detail, STR("channel")), &d->channel))
        return ERR_CORRUPT;
    d->zone = json_get_str(&detail, STR("zone"));
    d->locale = json_get_str(&detail, STR("locale"));
    d->journey = number_get(&detail, "journey_id");
    d->topic = number_get(&detail, "topic_id");
    d->other = d->kind == DECISION_STEP ? number_get(&detail, "visit")
                                        : number_get(&detail, "template_id");
    if (d->kind == DECISION_INTENT)
        d->object = number_get(&detail, "node_number");
    d->due_ms = TIME_NEVER;
    if (!json_get_int(&detail, STR("due"), &d->due_ms) &&
        !json_get_int(&detail, STR("retry_at"), &d->due_ms))
        d->due_ms = TIME_NEVER;
    return OK;
}

/* ---- keeping ---- */

static enum err out_add(struct out *out, const struct decision *d)
{
    if (out->decisions_count == out->decisions_room) {
        size_t           room = out->decisions_room == 0 ? 256 : out->decisions_room * 2;
        struct decision *items = ARENA_ARRAY(out->arena, room, struct decision);
        if (items == NULL)
            return ERR_MEMORY;
        if (out->decisions_count > 0)
            memcpy(items, out->decisions, out->decisions_count * sizeof *items);
        out->decisions = items;
        out->decisions_room = room;
    }
    out->decisions[out->decisions_count++] = *d;
    return OK;
}

enum err decide(struct engine *engine, struct out *out, struct decision d)
{
    d.id = engine->next_decision++;
    d.seq = engine->seq;
    d.prev = d.kind == DECISION_PROFILE ? 0 : people_get(engine->people, d.profile)->head;
    if (engine->detail.bytes_max == 0)
        engine->detail = buf_make(DETAIL_BYTES_MAX);
    buf_reset(&engine->detail);
    if (d.kind == DECISION_STEP || d.kind == DECISION_ENDED || d.kind == DECISION_INTENT)
        place_tell(engine, &d);
    TRY(decision_apply(engine, &d));
    detail_write(engine, &d, &engine->detail);
    TRY(buf_err(&engine->detail));
    d.detail = str_copy(out->arena, buf_view(&engine->detail));
    d.text = str_copy(out->arena, d.text);
    if (d.detail.ptr == NULL)
        return ERR_MEMORY;
    return out_add(out, &d);
}
