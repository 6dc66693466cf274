/*
 * A random world, in the engine's shape and in the plain one, and the facts over it.
 */
#include "engine/segment/segment_naive_test.h"

#include <stdlib.h>
#include <string.h>

#include "engine/own.h"

int64_t naive_at(struct dice *dice, const struct world *w)
{
    int64_t at = w->base_ms + dice_roll(dice, 25) * TIME_HOUR_MS;
    return dice_roll(dice, 4) > 0 ? at : at + (int64_t)dice_roll(dice, 3) - 1;
}

static struct json random_list(struct dice *dice)
{
    uint32_t     count = dice_roll(dice, 4);
    struct json *items = arena_array(dice->arena, count, sizeof items[0]);
    assert_non_null(items);
    for (uint32_t i = 0; i < count; i++)
        items[i] = dice_scalar(dice);
    return (struct json){ .kind = JSON_ARRAY, .count = count, .items = items };
}

static struct json object_of(struct dice *dice, const char *const *keys, const struct json *values,
                             uint32_t count)
{
    struct json_member *members = arena_array(dice->arena, count, sizeof members[0]);
    assert_non_null(members);
    for (uint32_t i = 0; i < count; i++)
        members[i] = (struct json_member){ str_of(keys[i]), values[i] };
    return (struct json){ .kind = JSON_OBJECT, .count = count, .members = members };
}

/* An object of what some members are there of. */
static struct json random_element(struct dice *dice)
{
    static const char *const keys[] = { "n", "s", "t" };
    struct json              values[] = { dice_scalar(dice), dice_scalar(dice), random_list(dice) };
    return dice_roll(dice, 6) == 0 ? dice_scalar(dice)
                                   : object_of(dice, keys, values, dice_roll(dice, 4));
}

static struct json random_elements(struct dice *dice)
{
    uint32_t     count = dice_roll(dice, 4);
    struct json *items = arena_array(dice->arena, count, sizeof items[0]);
    assert_non_null(items);
    for (uint32_t i = 0; i < count; i++)
        items[i] = random_element(dice);
    return (struct json){ .kind = JSON_ARRAY, .count = count, .items = items };
}

static struct json random_properties(struct dice *dice)
{
    static const char *const keys[] = { "k", "n", "s", "tags", "p", "o" };
    static const char *const inner[] = { "p" };
    struct json              elements = random_elements(dice);
    struct json              key = { .kind = JSON_INT, .integer = dice_roll(dice, 3) };
    struct json              values[] = { dice_roll(dice, 4) > 0 ? key : dice_scalar(dice),
                             dice_scalar(dice),
                             dice_scalar(dice),
                             random_list(dice),
                             random_elements(dice),
                             object_of(dice, inner, &elements, 1) };
    return object_of(dice, keys, values, dice_roll(dice, 7));
}

/* What Dult itself tells of messages and journeys. */
static struct json random_own_properties(struct dice *dice, bool journey)
{
    static const char *const keys[] = { "journey",   "what", "machine", "template",
                                        "broadcast", "n",    "k" };
    static const char *const names[] = { "m0", "m1" };
    struct json              number = { .kind = JSON_INT, .integer = dice_roll(dice, 2) };
    struct json text = { .kind = JSON_STRING, .string = str_of(names[dice_roll(dice, 2)]) };
    struct json values[] = { journey ? number : text,
                             { .kind = JSON_INT, .integer = OWN_ENTERED + dice_roll(dice, 4) },
                             { .kind = JSON_BOOL, .truth = dice_roll(dice, 3) == 0 },
                             { .kind = JSON_STRING, .string = str_of(names[dice_roll(dice, 2)]) },
                             { .kind = JSON_STRING, .string = str_of(names[dice_roll(dice, 2)]) },
                             dice_scalar(dice),
                             number };
    return object_of(dice, keys, values, 7);
}

static void random_traits(struct dice *dice, struct world *w)
{
    static const char *const keys[] = { "country", "age", "vip", "joined", "tags" };
    w->traits_count = dice_roll(dice, 12);
    for (uint32_t i = 0; i < w->traits_count; i++)
        w->traits[i] = (struct change){
            .key = str_of(keys[dice_roll(dice, 5)]),
            .at_ms = naive_at(dice, w),
            .seq = i + 1,
            .value = dice_roll(dice, 3) == 0 ? random_list(dice) : dice_scalar(dice),
        };
    for (int i = 0; i < 3; i++)
        w->stays[i] = (struct stay){ naive_at(dice, w), naive_at(dice, w) };
}

static int event_order(const void *a, const void *b)
{
    return naive_is_later(a, b) ? 1 : -1;
}

/* Deals the events, in order, to runs. */
static void fill_runs(struct dice *dice, struct world *w)
{
    struct event sorted[EVENTS_MAX];
    memcpy(sorted, w->events, sizeof sorted);
    qsort(sorted, w->events_count, sizeof sorted[0], event_order);
    buf_reset(&w->bags);
    buf_str(&w->bags, STR("--------"));
    for (int r = 0; r < RUNS_MAX; r++)
        w->runs[r] =
            (struct run){ w->run_name[r], w->run_at_ms[r], w->run_seq[r], w->run_bag[r], 0 };
    uint32_t spread = 1 + dice_roll(dice, RUNS_MAX);
    for (uint32_t i = 0; i < w->events_count; i++) {
        uint32_t r = dice_roll(dice, spread), at = w->runs[r].count++;
        size_t   before = w->bags.len;
        assert_ok(bag_write(&w->bags, w->properties, &sorted[i].properties, NULL));
        w->run_bag[r][at] = w->bags.len > before ? (uint32_t)(before / BAG_UNIT_BYTES) : 0;
        assert_ok(dict_intern(w->event_names, sorted[i].name, &w->run_name[r][at]));
        w->run_at_ms[r][at] = sorted[i].at_ms;
        w->run_seq[r][at] = sorted[i].seq;
    }
}

/* The first of a dictionary, in the engine's order; those from OWN_FIRST on are dealt. */
static const char *const first_names[RUN_DEEDS] = {
    "$identify",
    "$list",
    "$consent",
    "$context",
    "Message Failed",
    "$journey",
    "Message Sent",
    "Message Opened",
    "Message Clicked",
    "Message Bounced",
    "Message Unsubscribed",
    "Message Complained",
    "$12",
    "$13",
    "$14",
    "$15",
    "Score Crossed",
};
enum {
    OWN_FIRST = 5,
    OWN_COUNT = 6,
    TOLD = 11
}; /* dealt as that: what Dult says, and nobody did */

static void first_names_make(struct dict *names)
{
    uint16_t id;
    for (int i = 0; i < RUN_DEEDS; i++)
        if (first_names[i] != NULL)
            assert_ok(dict_intern(names, str_of(first_names[i]), &id));
        else
            assert_ok(dict_bury(names, STR_NONE, &id));
}

void naive_world(struct dice *dice, struct world *w)
{
    static const char *const names[] = { "A", "A", "A", "B", "B", "C", "D" };
    w->events_count = dice_roll(dice, EVENTS_MAX + 1);
    for (uint32_t i = 0; i < w->events_count; i++) {
        uint32_t own = dice_roll(dice, 16);
        w->events[i] = (struct event){ .at_ms = naive_at(dice, w), .seq = i + 1 };
        if (own >= OWN_FIRST && own < OWN_FIRST + OWN_COUNT) {
            w->events[i].name = str_of(first_names[own]);
            w->events[i].properties = random_own_properties(dice, own == OWN_FIRST);
        } else {
            w->events[i].name =
                str_of(own == TOLD ? first_names[RUN_OWN_NAMES] : names[dice_roll(dice, 7)]);
            w->events[i].properties = random_properties(dice);
        }
    }
    random_traits(dice, w);
    w->entry_ms = naive_at(dice, w);
    fill_runs(dice, w);
}

void naive_open(struct world *w)
{
    *w = (struct world){ .event_names = dict_open(),
                         .properties = dict_open(),
                         .trait_names = dict_open(),
                         .leaves = dict_open(),
                         .bags = buf_make(BAGS_BYTES),
                         .stride = 1 };
    first_names_make(w->event_names);
    assert_ok(time_parse(STR("2026-01-01"), &w->base_ms));
}

void naive_close(struct world *w)
{
    buf_done(&w->bags);
    dict_close(w->event_names);
    dict_close(w->properties);
    dict_close(w->trait_names);
    dict_close(w->leaves);
}

static bool trait_of(const struct facts *facts, uint16_t key, struct facts_trait *out)
{
    const struct world *w = facts->person;
    int64_t             best_ms = INT64_MIN;
    *out = (struct facts_trait){ .until_ms = TIME_NEVER };
    for (uint32_t i = 0; i < w->traits_count; i++) { /* in order of seq */
        const struct change *t = &w->traits[i];
        if (t->seq > facts->seq_max || dict_find(w->trait_names, t->key) != key)
            continue;
        if (t->at_ms > facts->now_ms) {
            out->until_ms = t->at_ms < out->until_ms ? t->at_ms : out->until_ms;
        } else if (t->at_ms >= best_ms) {
            best_ms = out->since_ms = t->at_ms;
            out->seq = t->seq;
            out->value = t->value;
        }
    }
    return best_ms != INT64_MIN;
}

static struct facts_member member_of(const struct facts *facts, uint32_t id)
{
    const struct world *w = facts->person;
    struct stay         s = w->stays[id];
    struct facts_member m = { s.from_ms <= facts->now_ms && facts->now_ms < s.to_ms, s.from_ms,
                              TIME_NEVER };
    if (m.holds)
        m.until_ms = s.to_ms;
    else if (facts->now_ms < s.from_ms && s.from_ms < s.to_ms)
        m.until_ms = s.from_ms;
    return m;
}

static struct str id_of(const struct facts *facts)
{
    (void)facts;
    return NAIVE_PUBLIC_ID;
}

static const struct facts_ops ops = {
    .trait = trait_of,
    .in_list = member_of,
    .in_segment = member_of,
    .public_id = id_of,
    .zone = naive_zone_fact,
    .in_journey = naive_journey_fact,
    .consent = naive_consent_fact,
};

struct facts naive_facts(const struct world *w, int64_t now_ms)
{
    return (struct facts){ .now_ms = now_ms,
                           .seq_max = w->seq_max,
                           .runs = w->runs,
                           .runs_count = RUNS_MAX,
                           .bags = { (const unsigned char *)w->bags.ptr, w->bags.len },
                           .entry_ms = w->entry_ms,
                           .person = w,
                           .ops = &ops,
                           .standings = w->standings };
}

static uint32_t number_of(const void *owner, struct str name)
{
    (void)owner;
    return (uint32_t)(name.ptr[1] - '0');
}

struct segment_names naive_names(const struct world *w)
{
    return (struct segment_names){ .events = w->event_names,
                                   .properties = w->properties,
                                   .traits = w->trait_names,
                                   .grow = true,
                                   .has_entry = true,
                                   .segment = number_of,
                                   .list = number_of,
                                   .journey = number_of,
                                   .topic = number_of };
}
