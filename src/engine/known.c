#include "engine/known.h"

#include <stdio.h>

#include "engine/consent.h"
#include "engine/own.h"

enum { TRAIT_ELEMENTS_MAX = 256, ENDED_MAX = 64 };

static _Thread_local struct json elements[TRAIT_ELEMENTS_MAX];
static _Thread_local char        public_text[16];

/* ---- the last event of one name whose properties fit ---- */

struct wanted {
    uint16_t event;
    bool (*fits)(struct bag bag, const void *what);
    const void *what;
};

struct latest {
    bool       found;
    int64_t    at_ms;
    uint32_t   seq;
    struct bag bag;
    int64_t    until_ms; /* the first one dated later; TIME_NEVER */
};

/* Of one run: from the newest on, so the first that happened is the last word. */
static void latest_in(const struct facts *facts, const struct run *run, const struct wanted *wanted,
                      struct latest *latest)
{
    for (uint32_t i = run->count; (i = run_name_last(run, i, wanted->event)) > 0; i--) {
        uint32_t k = i - 1;
        if (run->seq[k] > facts->seq_max)
            continue;
        if (latest->found && (run->at_ms[k] < latest->at_ms ||
                              (run->at_ms[k] == latest->at_ms && run->seq[k] <= latest->seq)))
            return;
        struct bag bag = bag_at(facts->bags, run->bag[k]);
        if (!wanted->fits(bag, wanted->what))
            continue;
        if (run->at_ms[k] > facts->now_ms) {
            if (run->at_ms[k] < latest->until_ms)
                latest->until_ms = run->at_ms[k];
            continue;
        }
        latest->found = true;
        latest->at_ms = run->at_ms[k];
        latest->seq = run->seq[k];
        latest->bag = bag;
        return;
    }
}

static struct latest latest_of(const struct facts *facts, struct wanted wanted)
{
    struct latest latest = { .until_ms = TIME_NEVER };
    for (uint32_t r = 0; r < facts->runs_count; r++)
        latest_in(facts, &facts->runs[r], &wanted, &latest);
    return latest;
}

static bool number_is(struct bag bag, uint16_t key, uint32_t number)
{
    struct json value;
    return bag_find(bag, key, &value) && value.kind == JSON_INT && value.integer == number;
}

/* ---- traits ---- */

static bool has_trait(struct bag bag, const void *what)
{
    struct json ignored;
    return bag_find(bag, *(const uint16_t *)what, &ignored);
}

static bool told_trait(const struct facts *facts, uint16_t key, struct facts_trait *out)
{
    struct latest latest = latest_of(facts, (struct wanted){ OWN_TRAITS, has_trait, &key });
    *out = (struct facts_trait){ .since_ms = FACTS_SINCE_UNKNOWN, .until_ms = latest.until_ms };
    if (!latest.found)
        return false;
    (void)bag_value(latest.bag, key, elements, TRAIT_ELEMENTS_MAX, &out->value);
    out->seq = latest.seq;
    out->since_ms = latest.at_ms;
    return true;
}

static bool told_by_network(const struct facts *facts, enum place_trait key,
                            struct facts_trait *out)
{
    uint16_t      own = key == PLACE_TIMEZONE  ? OWN_KEY_ZONE
                        : key == PLACE_COUNTRY ? OWN_KEY_COUNTRY
                                               : OWN_KEY_LOCALE;
    struct latest latest = latest_of(facts, (struct wanted){ OWN_CONTEXT, has_trait, &own });
    *out =
        (struct facts_trait){ .value = { .kind = JSON_STRING, .string = bag_text(latest.bag, own) },
                              .seq = latest.seq,
                              .since_ms = latest.at_ms,
                              .until_ms = latest.until_ms };
    return latest.found;
}

static const struct place_sources sources = { told_trait, told_by_network };

enum place_origin known_place(const struct facts *facts, enum place_trait trait,
                              struct facts_trait *out)
{
    return place_derive(&sources, facts, trait, out);
}

static bool known_trait(const struct facts *facts, uint16_t key, struct facts_trait *out)
{
    if (key >= PLACE_DERIVED)
        return told_trait(facts, key, out);
    enum place_origin origin = known_place(facts, (enum place_trait)key, out);
    if (origin != PLACE_FROM_TRAIT && origin != PLACE_UNKNOWN)
        out->from = place_origin_word(origin);
    return origin != PLACE_UNKNOWN;
}

/* ---- zones ---- */

static const struct zone *zone_named(const struct facts *facts, const struct facts_trait *trait)
{
    return trait->value.kind == JSON_STRING ? zone_find(facts->zones, trait->value.string) : NULL;
}

/* What the person or the shop says, what place.h makes of it, else the workspace's. */
static const struct zone *known_zone(const struct facts *facts, int64_t *until_ms)
{
    struct facts_trait told, derived;
    const struct zone *zone = NULL;
    bool               said = told_trait(facts, OWN_TRAIT_ZONE, &told);
    *until_ms = told.until_ms;
    if (known_place(facts, PLACE_TIMEZONE, &derived) != PLACE_UNKNOWN)
        zone = zone_named(facts, &derived);
    if (derived.until_ms < *until_ms)
        *until_ms = derived.until_ms;
    if (zone == NULL && said)
        zone = zone_named(facts, &told);
    return zone == NULL ? facts->zone : zone;
}

/* ---- lists ---- */

static bool is_of_list(struct bag bag, const void *what)
{
    return number_is(bag, OWN_KEY_LIST, *(const uint32_t *)what);
}

static struct facts_member known_list(const struct facts *facts, uint32_t list)
{
    struct latest latest = latest_of(facts, (struct wanted){ OWN_LIST, is_of_list, &list });
    struct json   joined;
    bool holds = latest.found && bag_find(latest.bag, OWN_KEY_JOINED, &joined) && joined.truth;
    return (struct facts_member){ holds, latest.found ? latest.at_ms : FACTS_SINCE_UNKNOWN,
                                  latest.until_ms };
}

static struct facts_member known_segment(const struct facts *facts, uint32_t segment)
{
    (void)facts;
    (void)segment;
    return (struct facts_member){ false, FACTS_SINCE_UNKNOWN, TIME_NEVER };
}

/* ---- journeys ---- */

/*
 * From the newest word about the journey back: the first about an enrollment is its last. One that
 * has ended is remembered until its beginning has been passed, so that few are at a time, however
 * often somebody came; a merge may bring several.
 */
struct words_back {
    const struct facts *facts;
    uint32_t            journey;
    uint32_t            left[FACTS_RUNS_MAX]; /* of each run: what is not passed */
    int64_t             ended[ENDED_MAX];
    uint32_t            ended_count;
    int64_t             until_ms;
};

struct said_of {
    int64_t    id, at_ms;
    uint32_t   seq, run;
    bool       inside, begins;
    struct bag bag;
};

/* Goes back in one run to the next word about the journey; false at the end. */
static bool said_in(struct words_back *back, uint32_t r, struct said_of *said)
{
    const struct facts *facts = back->facts;
    const struct run   *run = &facts->runs[r];
    for (; back->left[r] > 0; back->left[r]--) {
        uint32_t    k = back->left[r] - 1;
        struct json id;
        if (run->name[k] != OWN_JOURNEY || run->seq[k] > facts->seq_max)
            continue;
        struct bag bag = bag_at(facts->bags, run->bag[k]);
        if (!number_is(bag, OWN_KEY_JOURNEY, back->journey) || !bag_find(bag, OWN_KEY_ID, &id))
            continue;
        if (number_is(bag, OWN_KEY_WHAT, OWN_GOAL) || number_is(bag, OWN_KEY_WHAT, OWN_HELD_OUT))
            continue; /* says nothing about who is inside */
        if (run->at_ms[k] > facts->now_ms) {
            if (run->at_ms[k] < back->until_ms)
                back->until_ms = run->at_ms[k];
            continue;
        }
        bool begins = number_is(bag, OWN_KEY_WHAT, OWN_ENTERED);
        *said = (struct said_of){ .id = id.integer,
                                  .at_ms = run->at_ms[k],
                                  .seq = run->seq[k],
                                  .run = r,
                                  .begins = begins,
                                  .inside = begins || number_is(bag, OWN_KEY_WHAT, OWN_AT),
                                  .bag = bag };
        return true;
    }
    return false;
}

/* The next word back in all runs; of two at one instant under one record, that it is inside. */
static bool said_next(struct words_back *back, struct said_of *said)
{
    bool           found = false;
    struct said_of one;
    for (uint32_t r = 0; r < back->facts->runs_count; r++) {
        if (!said_in(back, r, &one))
            continue;
        bool later =
            found && one.at_ms == said->at_ms
                ? one.seq > said->seq || (one.seq == said->seq && one.inside > said->inside)
                : !found || one.at_ms > said->at_ms;
        if (later)
            *said = one;
        found = true;
    }
    if (found)
        back->left[said->run]--;
    return found;
}

static uint32_t ended_place(const struct words_back *back, int64_t id)
{
    uint32_t i = 0;
    while (i < back->ended_count && back->ended[i] != id)
        i++;
    return i;
}

/* Whether this is the last word about an enrollment, which is then inside. */
static bool is_last_word(struct words_back *back, const struct said_of *said)
{
    uint32_t place = ended_place(back, said->id);
    bool     is_over = place < back->ended_count;
    if (!is_over && said->inside)
        return true;
    if (is_over && said->begins)
        back->ended[place] = back->ended[--back->ended_count];
    else if (!is_over && back->ended_count < ENDED_MAX)
        back->ended[back->ended_count++] = said->id;
    return false;
}

static struct facts_member known_journey(const struct facts *facts, uint32_t journey,
                                         struct str node)
{
    struct facts_member member = { false, FACTS_SINCE_UNKNOWN, TIME_NEVER };
    struct words_back   back;
    struct said_of      said = { 0 };
    back.facts = facts;
    back.journey = journey;
    back.ended_count = 0;
    back.until_ms = TIME_NEVER;
    for (uint32_t r = 0; r < facts->runs_count; r++)
        back.left[r] = facts->runs[r].count;
    while (!member.holds && said_next(&back, &said)) {
        if (!is_last_word(&back, &said))
            continue;
        if (str_is_empty(node) || str_eq(bag_text(said.bag, OWN_KEY_NODE), node))
            member = (struct facts_member){ true, said.at_ms, TIME_NEVER };
        else if (back.ended_count < ENDED_MAX)
            back.ended[back.ended_count++] = said.id; /* inside, and elsewhere */
    }
    member.until_ms = back.until_ms;
    return member;
}

/*
 * ---- consent ----
 *
 * A word speaks about (topic, channel) when its topic is that one or all topics, and its channel is
 * that one or all channels. Of the words that speak about it the last (by at, then by seq) counts:
 *
 *      refused all      then granted news      news: granted, all else: refused
 *      granted news     then refused all       news: refused
 *      granted news     then refused by sms    news by email: granted, news by sms: refused
 *
 * So a narrow word stands against an earlier broad one and falls to a later one. Asked without a
 * topic (channel), only words to all topics (channels) speak. A word may be taken back ("unknown"):
 * then those before it about the very same topic and channel are as if never said.
 */

struct said_to {
    uint32_t   topic;
    struct str channel;
};

/* About the very same topic and channel. */
static bool speaks_of(struct bag bag, const void *what)
{
    const struct said_to *to = what;
    return number_is(bag, OWN_KEY_TOPIC, to->topic) &&
           str_eq(bag_text(bag, OWN_KEY_CHANNEL), to->channel);
}

static enum facts_consent_state said_state(struct bag bag)
{
    static const enum facts_consent_state states[] = {
        [CONSENT_REFUSED] = FACTS_CONSENT_REFUSED,
        [CONSENT_GRANTED] = FACTS_CONSENT_GRANTED,
        [CONSENT_PENDING] = FACTS_CONSENT_PENDING,
        [CONSENT_UNKNOWN] = FACTS_CONSENT_UNKNOWN,
    };
    return states[consent_of_told(bag_text(bag, OWN_KEY_STATE))];
}

static void said_later(const struct facts *facts, struct said_to to, struct latest *last,
                       int64_t *until_ms)
{
    struct latest one = latest_of(facts, (struct wanted){ OWN_CONSENT, speaks_of, &to });
    if (one.until_ms < *until_ms)
        *until_ms = one.until_ms;
    if (!one.found || said_state(one.bag) == FACTS_CONSENT_UNKNOWN)
        return;
    if (!last->found || one.at_ms > last->at_ms ||
        (one.at_ms == last->at_ms && one.seq > last->seq))
        *last = one;
}

static struct facts_consent known_consent(const struct facts *facts, uint32_t topic,
                                          struct str channel)
{
    struct latest last = { .found = false };
    int64_t       until_ms = TIME_NEVER;
    said_later(facts, (struct said_to){ 0, STR_NONE }, &last, &until_ms);
    if (topic != 0)
        said_later(facts, (struct said_to){ topic, STR_NONE }, &last, &until_ms);
    if (channel.len > 0)
        said_later(facts, (struct said_to){ 0, channel }, &last, &until_ms);
    if (topic != 0 && channel.len > 0)
        said_later(facts, (struct said_to){ topic, channel }, &last, &until_ms);
    if (!last.found)
        return (struct facts_consent){ FACTS_CONSENT_UNKNOWN, FACTS_SINCE_UNKNOWN, until_ms };
    return (struct facts_consent){ said_state(last.bag), last.at_ms, until_ms };
}

static struct str known_public_id(const struct facts *facts)
{
    int len = snprintf(public_text, sizeof public_text, "p%u", facts->profile + 1);
    return (struct str){ public_text, (size_t)len };
}

const struct facts_ops known_ops = {
    .trait = known_trait,
    .in_list = known_list,
    .in_segment = known_segment,
    .in_journey = known_journey,
    .consent = known_consent,
    .public_id = known_public_id,
    .zone = known_zone,
};

struct facts known_facts(uint32_t person, const struct run *runs, uint32_t runs_count,
                         struct bags bags)
{
    return (struct facts){ .runs = runs,
                           .runs_count = runs_count,
                           .bags = bags,
                           .seq_max = UINT32_MAX,
                           .profile = person,
                           .ops = &known_ops };
}
