/*
 * One person goes through it: told what they did, each at its instant, in an engine where the clock
 * is set for them alone. What is due before is done first, and messages go out when they may.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/journey/enrolling.h"
#include "engine/rehearse/rehearse_inside.h"

enum { DECISIONS_ROOM = 1024, LIVING_ARENA_BYTES_MAX = 1 << 30 };

/* ---- the clock, and the post ---- */

/* Each thing that happens has a number of its own, as records in life have. */
static void happen(struct rehearse_hand *hand, int64_t at_ms)
{
    hand->engine->number = ++hand->engine->seq;
    hand->engine->now_ms = at_ms;
}

static struct json text_of(struct str text)
{
    return (struct json){ .kind = JSON_STRING, .string = text };
}

/* As delivery would tell it, at once. */
static enum err sent_tell(struct rehearse_hand *hand, const struct claim *claim)
{
    struct engine        *engine = hand->engine;
    const struct program *program = engine->program;
    bool mailed = claim->channel == CHANNEL_EMAIL || claim->channel == CHANNEL_SMS ||
                  claim->channel == CHANNEL_POST;
    struct json_member members[4] = {
        { STR("message"), { .kind = JSON_INT, .integer = (int64_t)claim->message } },
        { STR("channel"), text_of(channel_name(claim->channel)) },
        { STR("template"), text_of(program_name(program, NAME_TEMPLATE, claim->template_id)) },
    };
    struct json properties = { .kind = JSON_OBJECT, .count = 3, .members = members };
    if (claim->journey != JOURNEY_NONE)
        members[properties.count++] =
            (struct json_member){ STR("journey"),
                                  text_of(program_name(program, NAME_JOURNEY, claim->journey)) };
    happen(hand, engine->now_ms);
    struct record record = { .seq = engine->seq,
                             .kind = RECORD_OUTCOME,
                             .at_ms = engine->now_ms,
                             .received_ms = engine->now_ms,
                             .name = mailed ? EVENT_MESSAGE_SENT : EVENT_NOTICE_SENT,
                             .profile = claim->profile,
                             .message = claim->message,
                             .properties = &properties,
                             .outcome = { .message = claim->message, .kind = OUTCOME_SENT } };
    return apply_outcome(engine, &record, &hand->out);
}

/* The addresses of the person that nothing may be sent to by now are on the engine's list while it
 * decides. `is_on` false takes them off again. */
static enum err suppressed_put(struct rehearse_hand *hand, bool is_on)
{
    static const enum consent_channel channels[] = { CHANNEL_EMAIL, CHANNEL_SMS, CHANNEL_POST };
    const struct suppressions        *all = hand->rehearsal->conf.suppressed;
    char                              bytes[REACH_BYTES_MAX], lower[SUPPRESSION_ADDRESS_BYTES_MAX];
    for (size_t i = 0; all != NULL && i < sizeof channels / sizeof channels[0]; i++) {
        struct str address;
        struct str why = reach_address(hand->engine, hand->person, channels[i], bytes, &address);
        if (!str_is_empty(why) || suppression_address(address, lower, &address) != OK)
            continue;
        const struct suppression *entry = suppressions_find(all, address);
        if (entry == NULL || entry->reason == SUPPRESSION_LIFTED ||
            entry->at_ms > hand->engine->now_ms)
            continue;
        struct suppression kept = *entry;
        kept.is_erased = !is_on;
        TRY(suppressions_put(hand->engine->suppressions, &kept));
    }
    return OK;
}

/* What is due goes, or is held back, or is to be looked at later. */
static enum err post_once(struct rehearse_hand *hand)
{
    TRY(suppressed_put(hand, true));
    happen(hand, hand->engine->now_ms);
    TRY(outbox_claim_of(hand->engine, &hand->out, hand->person));
    return suppressed_put(hand, false);
}

/* All that is due, also what follows from its having gone. */
static enum err post(struct rehearse_hand *hand)
{
    while (outbox_due_of(hand->engine, hand->person) <= hand->engine->now_ms &&
           !hand->is_given_up) {
        size_t   before = hand->out.claims_count;
        uint64_t moved = hand->engine->moved;
        hand->is_given_up = ++hand->turns > REHEARSE_TURNS_MAX;
        TRY(post_once(hand));
        for (size_t i = before; i < hand->out.claims_count; i++) {
            struct claim claim = hand->out.claims[i];
            TRY(sent_tell(hand, &claim));
        }
        if (moved == hand->engine->moved)
            return OK; /* what is left is held */
    }
    return OK;
}

static int64_t next_ms(const struct rehearse_hand *hand)
{
    int64_t wake_ms = people_get(hand->engine->people, hand->person)->wake_ms;
    int64_t post_ms = outbox_due_of(hand->engine, hand->person);
    return post_ms > hand->engine->now_ms && post_ms < wake_ms ? post_ms : wake_ms;
}

/* Time passes until that instant. */
static enum err until(struct rehearse_hand *hand, int64_t at_ms)
{
    TRY(post(hand));
    for (int64_t next = next_ms(hand); next <= at_ms && !hand->is_given_up; next = next_ms(hand)) {
        hand->is_given_up = ++hand->turns > REHEARSE_TURNS_MAX;
        happen(hand, next > hand->engine->now_ms ? next : hand->engine->now_ms);
        TRY(wakes_before(hand->engine, &hand->out, hand->person, hand->engine->now_ms));
        TRY(post(hand));
    }
    if (at_ms > hand->engine->now_ms)
        hand->engine->now_ms = at_ms;
    return OK;
}

/* ---- what they did ---- */

/* The properties, in the engine's own memory. */
static enum err bag_bring(struct rehearse_hand *hand, uint32_t bag, uint32_t *out)
{
    struct bag from = bag_at(hand->view->bags, bag);
    *out = 0;
    if (from.len == 0)
        return OK;
    /* Its length stands before it, and it is padded: see bag.h. */
    size_t bytes = ((size_t)from.len + 4 + BAG_UNIT_BYTES - 1) / BAG_UNIT_BYTES * BAG_UNIT_BYTES;
    struct str whole = { (const char *)from.bytes - 4, bytes };
    return timeline_bag_add(hand->engine->timeline, whole, out);
}

static struct bag bag_of(const struct rehearse_hand *hand, const struct life_event *event)
{
    return bag_at(hand->view->bags, event->bag);
}

/* Puts it on the timeline, and tells nobody. */
static enum err event_bring(struct rehearse_hand *hand, const struct life_event *event,
                            struct timeline_event *out)
{
    *out = (struct timeline_event){ .profile = hand->person,
                                    .name = event->name,
                                    .seq = (uint32_t)hand->engine->seq,
                                    .at_ms = event->at_ms };
    TRY(bag_bring(hand, event->bag, &out->bag));
    return event_keep(hand->engine, out);
}

/* Somebody of whom nothing was known until now is asked everything. */
static enum err newcomer_ask(struct rehearse_hand *hand)
{
    return person_ask_all(hand->engine, &hand->out, hand->person, false);
}

static enum err list_tell(struct rehearse_hand *hand, const struct life_event *event)
{
    struct bag    bag = bag_of(hand, event);
    struct json   joined;
    uint32_t      list;
    bool          joins = bag_find(bag, OWN_KEY_JOINED, &joined) && joined.truth;
    struct record record = { .kind = RECORD_LIST,
                             .flags = joins ? 0 : RECORD_LEAVE,
                             .at_ms = event->at_ms,
                             .received_ms = event->at_ms,
                             .profile = hand->person };
    if (!life_number(bag, OWN_KEY_LIST, &list))
        return OK;
    record.name = program_name(hand->engine->program, NAME_LIST, list);
    return list_hear(hand->engine, &hand->out, &record, hand->person, event->is_first);
}

static enum err consent_tell(struct rehearse_hand *hand, const struct life_event *event)
{
    struct bag           bag = bag_of(hand, event);
    enum consent_channel channel = CHANNEL_ALL;
    uint32_t             topic;
    if (!life_number(bag, OWN_KEY_TOPIC, &topic))
        return OK;
    (void)channel_of(life_word(bag, OWN_KEY_CHANNEL), &channel);
    struct decision said = { .kind = DECISION_CONSENT,
                             .profile = hand->person,
                             .at_ms = event->at_ms,
                             .subject = topic,
                             .object = consent_of_told(life_word(bag, OWN_KEY_STATE)),
                             .channel = channel };
    if (event->is_first)
        TRY(newcomer_ask(hand));
    return consent_hear(hand->engine, &hand->out, &said);
}

/* Something of Dult's own that was decided, which whoever asks about it hears of. */
static enum err own_tell(struct rehearse_hand *hand, const struct life_event *event)
{
    struct engine        *engine = hand->engine;
    const struct program *program = engine->program;
    struct bag            bag = bag_of(hand, event);
    struct step           step;
    struct timeline_event kept;
    uint32_t              journey = 0, what = 0;
    TRY(event_bring(hand, event, &kept));
    TRY(step_begin(&step, engine, &hand->out, hand->person, event->at_ms, false));
    engine->own_added |= UINT32_C(1) << event->name;
    if (event->name == OWN_JOURNEY && life_number(bag, OWN_KEY_JOURNEY, &journey) &&
        life_number(bag, OWN_KEY_WHAT, &what) && journey < DICT_NAMES_MAX) {
        if (what == OWN_FINISHED &&
            program->journeys_of[TRIGGER_FINISHED_JOURNEY][journey].count > 0)
            step_queue(&step, CONSEQUENCE_FINISHED, journey);
        if (what == OWN_LEFT && program->journeys_of[TRIGGER_LEFT_JOURNEY][journey].count > 0)
            step_queue(&step, CONSEQUENCE_LEFT, journey);
    }
    return step_run(&step);
}

/* Somebody was let in by hand, or taken out: so they are in a rehearsed journey. */
static enum err enroll_tell(struct rehearse_hand *hand, const struct life_event *event,
                            const struct timeline_event *kept)
{
    const struct program *program = hand->engine->program;
    struct str            name = dict_text(program->names[NAME_EVENT], event->name);
    if (event->name < RUN_OWN_NAMES || !enrolling_is_name(name))
        return OK;
    uint32_t journey = program_journey(program, life_word(bag_of(hand, event), OWN_KEY_JOURNEY));
    return journey == SEGMENT_NO_ID ||
                   rehearse_journey_at(hand->rehearsal, journey) == hand->rehearsal->journeys_count
               ? OK
               : enrolling_follow(hand->engine, &hand->out, kept, journey,
                                  str_eq(name, EVENT_JOURNEY_EXIT));
}

static enum record_kind kind_of(uint16_t name)
{
    return name == OWN_TRAITS     ? RECORD_IDENTIFY
           : name < RUN_OWN_NAMES ? RECORD_MESSAGE
                                  : RECORD_TRACK;
}

static enum err event_tell(struct rehearse_hand *hand, const struct life_event *event)
{
    struct record         record = { .kind = kind_of(event->name),
                                     .at_ms = event->at_ms,
                                     .received_ms = event->at_ms,
                                     .profile = hand->person };
    struct timeline_event kept;
    TRY(event_bring(hand, event, &kept));
    if (!event->is_first && hand->rehearsal->uses[event->name] != USE_HEARD)
        return OK;
    TRY(event_follow(hand->engine, &record, &hand->out, &kept, true, event->is_first));
    return enroll_tell(hand, event, &kept);
}

/* How a stage changed is told by this engine itself, where it has stages. */
static bool is_told_anew(const struct rehearse_hand *hand, const struct life_event *event)
{
    const struct program *program = hand->engine->program;
    struct json           ignored;
    uint16_t              key = dict_find(program->names[NAME_TRAIT], STAGE_TRAIT_TO);
    return program->stages.count > 0 && event->name == OWN_TRAITS && key != DICT_NONE &&
           bag_find(bag_of(hand, event), key, &ignored);
}

static enum err tell(struct rehearse_hand *hand, const struct life_event *event)
{
    struct rehearse_progress *progress = hand->rehearsal->conf.progress;
    if (progress != NULL)
        atomic_store_explicit(&progress->at_ms, event->at_ms, memory_order_relaxed);
    TRY(until(hand, event->at_ms));
    happen(hand, event->at_ms);
    if (is_told_anew(hand, event))
        return OK;
    switch (event->name) {
    case LIFE_ARRIVAL:
        TRY(newcomer_ask(hand));
        break;
    case OWN_LIST:
        TRY(list_tell(hand, event));
        break;
    case OWN_CONSENT:
        TRY(consent_tell(hand, event));
        break;
    case OWN_CONTEXT:
    case OWN_JOURNEY:
        TRY(own_tell(hand, event));
        break;
    default:
        TRY(event_tell(hand, event));
    }
    return until(hand, event->at_ms);
}

/* ---- a life ---- */

/* What was before the window is known, and nothing follows from it. */
static enum err past_bring(struct rehearse_hand *hand, uint32_t *from)
{
    const struct life    *life = &hand->life;
    struct timeline_event kept;
    int64_t               from_ms = hand->rehearsal->conf.from_ms;
    for (*from = 0; *from < life->count && life->items[*from].at_ms < from_ms; ++*from) {
        const struct life_event *event = &life->items[*from];
        happen(hand, event->at_ms);
        if (event->name != LIFE_ARRIVAL)
            TRY(event_bring(hand, event, &kept));
    }
    happen(hand, from_ms);
    if (*from == 0)
        return OK;
    TRY(own_state(hand->engine, hand->person));
    return person_ask_all(hand->engine, &hand->out, hand->person, true);
}

/* By whom they were first known: experiments and holdouts go by that. */
static uint32_t first_of(const struct view *view, uint32_t root)
{
    uint32_t first = root;
    for (uint32_t member = view->next[root]; member != root; member = view->next[member])
        first = member < first ? member : first;
    return first;
}

static enum err person_begin(struct rehearse_hand *hand, uint32_t root)
{
    arena_reset(hand->arena);
    hand->out = (struct out){ .arena = hand->arena,
                              .decisions = hand->decisions,
                              .decisions_room = DECISIONS_ROOM };
    if (hand->engine != NULL && hand->lived >= REHEARSE_PEOPLE_AN_ENGINE) {
        engine_close(hand->engine);
        hand->engine = NULL;
    }
    if (hand->engine == NULL) {
        TRY(rehearse_engine(hand->rehearsal, &hand->engine));
        hand->lived = 0;
    }
    hand->lived++;
    hand->turns = 0;
    hand->is_given_up = false;
    hand->engine->stands_for = root;
    hand->engine->deals_for = first_of(hand->view, root) + 1;
    TRY(people_add(hand->engine->people, hand->rehearsal->conf.from_ms, &hand->person));
    return OK;
}

enum err living_run(struct rehearse_hand *hand, const struct view *view, uint32_t root)
{
    uint32_t from;
    hand->view = view;
    TRY(life_gather(hand->rehearsal, view, root, &hand->life));
    TRY(person_begin(hand, root));
    if (hand->life.count == 0)
        return OK;
    if (hand->life.all > 1000000) {
        hand->is_given_up = true;
        return OK;
    }
    TRY(past_bring(hand, &from));
    for (uint32_t i = from; i < hand->life.count && !hand->is_given_up; i++)
        TRY(tell(hand, &hand->life.items[i]));
    return until(hand, hand->rehearsal->conf.to_ms);
}

/* ---- hands ---- */

enum err rehearse_hand_open(struct rehearse_hand **out, const struct rehearsal *rehearsal)
{
    struct rehearse_hand *hand = calloc(1, sizeof *hand);
    if (hand == NULL)
        return ERR_MEMORY;
    hand->rehearsal = rehearsal;
    hand->arena = arena_open(LIVING_ARENA_BYTES_MAX);
    hand->decisions = calloc(DECISIONS_ROOM, sizeof *hand->decisions);
    enum err err = hand->arena == NULL || hand->decisions == NULL
                       ? ERR_MEMORY
                       : reckoning_open(&hand->reckoning, rehearsal);
    if (err == OK)
        *out = hand;
    else
        rehearse_hand_close(hand);
    return err;
}

void rehearse_hand_close(struct rehearse_hand *hand)
{
    if (hand == NULL)
        return;
    engine_close(hand->engine);
    arena_close(hand->arena);
    free(hand->decisions);
    free(hand->life.items);
    reckoning_close(hand->reckoning);
    free(hand);
}

/* Profiles up to there are done. False: it is to end. */
static bool progress_tell(const struct rehearse_hand *hand, uint32_t profiles, bool has_lived)
{
    struct rehearse_progress *progress = hand->rehearsal->conf.progress;
    if (progress == NULL)
        return true;
    atomic_fetch_add(&progress->profiles, profiles);
    if (has_lived) {
        atomic_fetch_add(&progress->lived, 1);
        atomic_fetch_add(&progress->events, hand->life.count);
    }
    return !atomic_load(&progress->is_stopped);
}

enum err rehearse_part(struct rehearse_hand *hand, const struct view *view, uint32_t from,
                       uint32_t to)
{
    struct rehearse_result *result = reckoning_result(hand->reckoning);
    uint32_t                done = from;
    if (!progress_tell(hand, 0, false))
        return ERR_WAIT;
    for (uint32_t p = from; p < to; p++) {
        if (view->root[p] != p || !life_begins(hand->rehearsal, view, p))
            continue;
        TRY(living_run(hand, view, p));
        TRY(reckoning_add(hand->reckoning, &hand->out, p));
        result->people++;
        result->events += hand->life.count;
        result->given_up += hand->is_given_up;
        if (!progress_tell(hand, p + 1 - done, true))
            return ERR_WAIT;
        done = p + 1;
    }
    (void)progress_tell(hand, to - done, false);
    return OK;
}
