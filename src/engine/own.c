/* Decisions that become events of the person's timeline, and what is kept of them in the state. */
#include "engine/inside.h"
#include "engine/vec.h"

enum { MEMBERS_MAX = 6 };

enum err own_names(struct dict *events, struct dict *properties, struct dict *traits)
{
    static const char *const event_names[RUN_OWN_NAMES] = {
        [OWN_TRAITS] = "$identify",
        [OWN_LIST] = "$list",
        [OWN_CONSENT] = "$consent",
        [OWN_JOURNEY] = "$journey",
        [OWN_CONTEXT] = "$context",
        [OWN_MESSAGE_SENT] = "Message Sent",
        [OWN_MESSAGE_FAILED] = "Message Failed",
        [OWN_MESSAGE_BOUNCED] = "Message Bounced",
        [OWN_MESSAGE_OPENED] = "Message Opened",
        [OWN_MESSAGE_CLICKED] = "Message Clicked",
        [OWN_MESSAGE_UNSUBSCRIBED] = "Message Unsubscribed",
        [OWN_MESSAGE_COMPLAINED] = "Message Complained",
        [OWN_MESSAGE_REPLIED] = "Message Replied",
        [OWN_MESSAGE_DELIVERED] = "Message Delivered",
        [OWN_NOTICE_SENT] = "Notice Sent",
        [OWN_MESSAGE_REQUESTED] = "Message Requested",
    };
    static const char *const told_names[OWN_TOLD_END - RUN_OWN_NAMES] = {
        [OWN_SCORE_CROSSED - RUN_OWN_NAMES] = "Score Crossed",
        [OWN_JOURNEY_ENTRY - RUN_OWN_NAMES] = "Journey Entry Requested",
        [OWN_JOURNEY_EXIT - RUN_OWN_NAMES] = "Journey Exit Requested",
        [OWN_CODE_REDEEMED - RUN_OWN_NAMES] = "Code Redeemed",
    };
    static const char *const keys[OWN_KEYS] = {
        [OWN_KEY_LIST] = "list",         [OWN_KEY_JOINED] = "joined",
        [OWN_KEY_TOPIC] = "topic",       [OWN_KEY_CHANNEL] = "channel",
        [OWN_KEY_STATE] = "state",       [OWN_KEY_JOURNEY] = "journey",
        [OWN_KEY_WHAT] = "what",         [OWN_KEY_NODE] = "node",
        [OWN_KEY_TEMPLATE] = "template", [OWN_KEY_MACHINE] = "machine",
        [OWN_KEY_COUNTRY] = "country",   [OWN_KEY_ZONE] = "zone",
        [OWN_KEY_LOCALE] = "locale",     [OWN_KEY_ID] = "id",
    };
    uint16_t number;
    for (int i = 0; i < PLACE_TRAITS; i++)
        TRY(dict_intern(traits, str_of(place_trait_name((enum place_trait)i)), &number));
    TRY(dict_intern(traits, STR("zone"), &number)); /* OWN_TRAIT_ZONE */
    for (int i = 0; i < RUN_OWN_NAMES; i++)
        TRY(dict_intern(events, str_of(event_names[i]), &number));
    for (int i = RUN_OWN_NAMES; i < OWN_TOLD_END; i++)
        TRY(dict_intern(events, str_of(told_names[i - RUN_OWN_NAMES]), &number));
    for (int i = OWN_TOLD_END; i < RUN_DEEDS; i++) /* for those to come */
        TRY(dict_bury(events, STR_NONE, &number));
    for (int i = 0; i < OWN_KEYS; i++)
        TRY(dict_intern(properties, str_of(keys[i]), &number));
    return OK;
}

/* ---- onto the timeline ---- */

struct words {
    struct json_member members[MEMBERS_MAX];
    uint32_t           count;
};

static void put_text(struct words *words, const char *key, struct str text)
{
    if (!str_is_empty(text))
        words->members[words->count++] =
            (struct json_member){ str_of(key), { .kind = JSON_STRING, .string = text } };
}

static void put_number(struct words *words, const char *key, uint64_t number)
{
    words->members[words->count++] =
        (struct json_member){ str_of(key), { .kind = JSON_INT, .integer = (int64_t)number } };
}

static enum own_what what_of(const struct decision *d)
{
    if (d->kind == DECISION_ENROLLED)
        return OWN_ENTERED;
    if (d->kind == DECISION_STEP)
        return OWN_AT;
    if (d->kind == DECISION_HELD_OUT)
        return OWN_HELD_OUT;
    if (d->kind == DECISION_GOAL)
        return OWN_GOAL;
    return str_eq(d->text, STR("finished")) ? OWN_FINISHED : OWN_LEFT;
}

/* Which way, why it was left, what let them in but the trigger, or what the goal is worth; the
 * names have no numbers of their own. */
static void text_put(struct words *words, const struct decision *d)
{
    double value;
    if (d->kind == DECISION_STEP && d->event > 0)
        words->members[words->count++] =
            (struct json_member){ STR("chosen"), { .kind = JSON_BOOL, .truth = true } };
    if (d->kind == DECISION_STEP && d->is_back)
        words->members[words->count++] =
            (struct json_member){ STR("back"), { .kind = JSON_BOOL, .truth = true } };
    if (d->kind != DECISION_GOAL)
        put_text(words, d->kind == DECISION_STEP ? "took" : "reason",
                 what_of(d) == OWN_FINISHED ? STR_NONE : d->text);
    else if (str_to_real(d->text, &value) == OK)
        words->members[words->count++] =
            (struct json_member){ STR("value"), { .kind = JSON_REAL, .real = value } };
}

/* Which event it is; OWN_TRAITS for a decision that is none. */
static enum own_event own_of(const struct decision *d, struct words *words)
{
    bool begins;
    switch (d->kind) {
    case DECISION_JOINED:
    case DECISION_DEPARTED:
        put_number(words, "list", d->subject);
        words->members[words->count++] =
            (struct json_member){ STR("joined"),
                                  { .kind = JSON_BOOL, .truth = d->kind == DECISION_JOINED } };
        return OWN_LIST;
    case DECISION_CONSENT:
        put_number(words, "topic", d->subject);
        put_text(words, "channel", channel_name(d->channel));
        put_text(words, "state", consent_told((enum consent_state)d->object));
        return OWN_CONSENT;
    case DECISION_CONTEXT:
        put_text(words, "country", d->text);
        put_text(words, "zone", d->zone);
        put_text(words, "locale", d->locale);
        return OWN_CONTEXT;
    case DECISION_HELD_OUT:
        if (broadcast_is_key(d->subject))
            return OWN_TRAITS;
        /* fall through */
    case DECISION_ENROLLED:
    case DECISION_STEP:
    case DECISION_ENDED:
    case DECISION_GOAL:
        begins = d->kind == DECISION_ENROLLED || d->kind == DECISION_HELD_OUT;
        put_number(words, "journey", begins ? d->subject : d->journey);
        put_number(words, "id", begins ? d->id : d->subject);
        put_number(words, "what", what_of(d));
        put_text(words, "node", d->node);
        if (!begins || d->kind == DECISION_ENROLLED)
            text_put(words, d);
        return OWN_JOURNEY;
    default:
        return OWN_TRAITS;
    }
}

enum err own_add(struct engine *engine, const struct decision *d)
{
    struct words   words = { .count = 0 };
    enum own_event name = own_of(d, &words);
    if (name == OWN_TRAITS || d->seq <= timeline_base_seq(engine->timeline))
        return OK;
    struct json object = { .kind = JSON_OBJECT, .count = words.count, .members = words.members };
    struct timeline_event event = {
        .profile = d->profile, .name = (uint16_t)name, .seq = (uint32_t)d->seq, .at_ms = d->at_ms
    };
    struct str bag;
    TRY(bag_make(engine, NAME_PROPERTY, &object, &bag));
    TRY(timeline_bag_add(engine->timeline, bag, &event.bag));
    engine->own_added |= UINT32_C(1) << name;
    engine->own_count++;
    return event_keep(engine, &event);
}

/* ---- the state of lists and consent, as the timeline has it ---- */

/* The last word about each list, or about each topic and channel. */
struct word {
    uint32_t number;
    uint8_t  channel;
    uint8_t  state; /* of a consent */
    bool     yes;   /* of a list */
    int64_t  at_ms;
    uint32_t seq;
};

struct word_list {
    struct word *items;
    uint32_t     count, room;
};

static enum err word_add(struct word_list *words, struct word word)
{
    for (uint32_t i = 0; i < words->count; i++) {
        struct word *have = &words->items[i];
        if (have->number != word.number || have->channel != word.channel)
            continue;
        if (word.at_ms > have->at_ms || (word.at_ms == have->at_ms && word.seq >= have->seq))
            *have = word;
        return OK;
    }
    return VEC_ADD(words, word);
}

static bool is_joined(struct bag bag)
{
    struct json value;
    return bag_find(bag, OWN_KEY_JOINED, &value) && value.truth;
}

static uint8_t state_in(struct bag bag)
{
    struct json value;
    return bag_find(bag, OWN_KEY_STATE, &value) ? (uint8_t)consent_of_told(value.string)
                                                : (uint8_t)CONSENT_REFUSED;
}

static uint8_t channel_in(struct bag bag)
{
    struct json          value;
    enum consent_channel channel = CHANNEL_ALL;
    if (bag_find(bag, OWN_KEY_CHANNEL, &value))
        (void)channel_of(value.string, &channel);
    return (uint8_t)channel;
}

static enum err words_of(const struct engine *engine, uint32_t person, enum own_event name,
                         struct word_list *words)
{
    struct known known;
    uint16_t     key = name == OWN_LIST ? OWN_KEY_LIST : OWN_KEY_TOPIC;
    known_make(&known, engine, person, engine->now_ms);
    for (uint32_t r = 0; r < known.facts.runs_count; r++)
        for (uint32_t i = 0; i < known.runs[r].count; i++) {
            const struct run *run = &known.runs[r];
            struct json       number;
            if (run->name[i] != name || run->seq[i] > engine->seq)
                continue;
            struct bag bag = bag_at(known.facts.bags, run->bag[i]);
            if (!bag_find(bag, key, &number))
                continue;
            TRY(word_add(words, (struct word){ .number = (uint32_t)number.integer,
                                               .channel = channel_in(bag),
                                               .yes = is_joined(bag),
                                               .state = state_in(bag),
                                               .at_ms = run->at_ms[i],
                                               .seq = run->seq[i] }));
        }
    return OK;
}

static enum err lists_fill(struct state *state, const struct word_list *words)
{
    if (state->rarer->lists.count > 0)
        state_rarer_own(state)->lists.count = 0;
    for (uint32_t i = 0; i < words->count; i++)
        if (words->items[i].yes)
            TRY(STATE_ADD_RARER(state, lists,
                                (struct listed){ words->items[i].number, words->items[i].at_ms }));
    return OK;
}

static enum err consents_fill(struct state *state, const struct word_list *words)
{
    if (state->rarer->consents.count > 0)
        state_rarer_own(state)->consents.count = 0;
    for (uint32_t i = 0; i < words->count; i++)
        TRY(STATE_ADD_RARER(state, consents,
                            (struct consent){ .topic = words->items[i].number,
                                              .channel = words->items[i].channel,
                                              .state = words->items[i].state,
                                              .at_ms = words->items[i].at_ms }));
    return OK;
}

enum err own_state(struct engine *engine, uint32_t person)
{
    struct word_list lists = { 0 }, consents = { 0 };
    struct state    *state = people_state(engine->people, person);
    enum err         err = state == NULL ? ERR_MEMORY : OK;
    if (err == OK)
        err = words_of(engine, person, OWN_LIST, &lists);
    if (err == OK)
        err = words_of(engine, person, OWN_CONSENT, &consents);
    if (err == OK)
        err = lists_fill(state, &lists);
    if (err == OK)
        err = consents_fill(state, &consents);
    VEC_DONE(&lists);
    VEC_DONE(&consents);
    return err;
}

static bool is_about(enum own_event name, struct bag bag, const struct decision *d)
{
    struct json number;
    return bag_find(bag, name == OWN_LIST ? OWN_KEY_LIST : OWN_KEY_TOPIC, &number) &&
           (uint64_t)number.integer == d->subject &&
           (name == OWN_LIST || channel_in(bag) == (uint8_t)d->channel);
}

bool own_is_outdone(const struct engine *engine, const struct decision *d)
{
    enum own_event name = d->kind == DECISION_CONSENT ? OWN_CONSENT : OWN_LIST;
    struct known   known;
    known_make(&known, engine, people_root(engine->people, d->profile), d->at_ms);
    for (uint32_t r = 0; r < known.facts.runs_count; r++)
        for (uint32_t i = known.runs[r].count; i > 0; i--) {
            const struct run *run = &known.runs[r];
            uint32_t          k = i - 1;
            if (run->at_ms[k] < d->at_ms)
                break;
            if (run->name[k] != name || run->seq[k] > engine->seq ||
                (run->at_ms[k] == d->at_ms && run->seq[k] <= d->seq))
                continue;
            if (is_about(name, bag_at(known.facts.bags, run->bag[k]), d))
                return true;
        }
    return false;
}

enum err own_refuse(struct state *state, struct consent refusal)
{
    for (uint32_t i = 0; i < state->rarer->consents.count; i++) {
        struct consent *have = &state->rarer->consents.items[i];
        if (have->topic != refusal.topic || have->channel != refusal.channel)
            continue;
        if (have->state != CONSENT_REFUSED)
            *have = refusal;
        return OK;
    }
    return STATE_ADD_RARER(state, consents, refusal);
}

/* The state refuses what the last word on the timeline granted, or what was never spoken of. */
static bool is_unsaid(const struct engine *engine, uint32_t person, struct consent refusal)
{
    struct word_list words = { 0 };
    bool             refused = false;
    enum err         err = words_of(engine, person, OWN_CONSENT, &words);
    for (uint32_t i = 0; err == OK && i < words.count; i++)
        refused = refused || (words.items[i].number == refusal.topic &&
                              words.items[i].channel == refusal.channel &&
                              words.items[i].state == CONSENT_REFUSED);
    VEC_DONE(&words);
    return err == OK && !refused;
}

enum err own_refusals_tell(struct engine *engine, struct out *out, uint32_t person, struct str why)
{
    for (uint32_t i = 0;; i++) {
        const struct state *state = people_state_get(engine->people, person);
        if (i >= state->rarer->consents.count)
            return OK;
        struct consent consent = state->rarer->consents.items[i];
        if (consent.state != CONSENT_REFUSED || !is_unsaid(engine, person, consent))
            continue;
        TRY(decide(engine, out,
                   (struct decision){ .kind = DECISION_CONSENT,
                                      .profile = person,
                                      .at_ms = engine->now_ms,
                                      .subject = consent.topic,
                                      .object = 0,
                                      .channel = (enum consent_channel)consent.channel,
                                      .text = why }));
    }
}

/* ---- enrollments after a merge was undone ---- */

/* Does the timeline of this person say that it is inside by this enrollment? */
static bool is_inside(const struct engine *engine, uint32_t person, uint64_t enrollment)
{
    struct known known;
    struct json  value;
    bool         inside = false;
    int64_t      at_ms = INT64_MIN;
    known_make(&known, engine, person, engine->now_ms);
    for (uint32_t r = 0; r < known.facts.runs_count; r++)
        for (uint32_t i = 0; i < known.runs[r].count; i++) {
            const struct run *run = &known.runs[r];
            if (run->name[i] != OWN_JOURNEY || run->at_ms[i] < at_ms)
                continue;
            struct bag bag = bag_at(known.facts.bags, run->bag[i]);
            if (!bag_find(bag, OWN_KEY_ID, &value) || (uint64_t)value.integer != enrollment ||
                !bag_find(bag, OWN_KEY_WHAT, &value))
                continue;
            if (value.integer == OWN_GOAL)
                continue; /* reached inside or outside */
            at_ms = run->at_ms[i];
            inside = value.integer == OWN_ENTERED || value.integer == OWN_AT;
        }
    return inside;
}

enum err own_journeys_tell(struct engine *engine, struct out *out, uint32_t person,
                           uint32_t released)
{
    for (uint32_t i = 0; i < people_state_get(engine->people, person)->rare->enrollments.count;
         i++) {
        struct enrollment e = people_state_get(engine->people, person)->rare->enrollments.items[i];
        if (!enrollment_is_inside(&e))
            continue;
        struct decision d = { .kind = DECISION_ENDED,
                              .profile = released,
                              .at_ms = engine->now_ms,
                              .subject = e.id,
                              .object = e.node,
                              .other = e.visit,
                              .journey = e.journey,
                              .text = STR("merge undone") };
        if (is_inside(engine, released, e.id))
            TRY(decide(engine, out, d));
        d.kind = DECISION_STEP;
        d.due_ms = e.due_ms;
        d.profile = person;
        if (e.visit > 0 && !is_inside(engine, person, e.id))
            TRY(decide(engine, out, d));
    }
    return OK;
}
