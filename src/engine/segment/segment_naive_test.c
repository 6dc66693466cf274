/*
 * The engine's twin: the same question answered for clarity, straight on the tree, over a plain
 * array of events with their JSON. Random conditions, random histories, random instants; the
 * answers must be equal, and must stay so until the instant the engine names.
 */
#include "engine/segment/segment_naive_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct str public_id = { "p-1042", 6 };

/* ---- the naive answer */

static void add_value(struct values *v, const struct json *value, bool listed)
{
    if (value->kind == JSON_NULL)
        return;
    assert_true(v->count < VALUES_MAX);
    v->listed[v->count] = listed;
    v->list[v->count++] = *value;
}

void naive_collect(struct values *v, const struct json *at, struct str path, bool listed)
{
    if (at == NULL)
        return;
    if (at->kind == JSON_ARRAY) {
        for (uint32_t i = 0; i < at->count; i++)
            naive_collect(v, &at->items[i], path, true);
    } else if (at->kind == JSON_OBJECT && path.len > 0) {
        struct str step;
        str_split(&path, '.', &step);
        naive_collect(v, json_get(at, step), path, listed);
    } else if (at->kind != JSON_OBJECT && path.len == 0) {
        add_value(v, at, listed);
    }
}

struct asked {
    const struct world *w;
    int64_t             now;
};

/* -1, 0, 1, or 2 for "of different kinds". */
static int order_of(struct asked a, const struct json *value, const struct segment_literal *literal)
{
    double x, y;
    if (literal->kind == SEGMENT_TEXT) {
        if (value->kind != JSON_STRING)
            return 2;
        int difference = str_cmp(value->string, literal->value.string);
        return difference < 0 ? -1 : difference > 0;
    }
    if (literal->kind == SEGMENT_TRUTH)
        return value->kind != JSON_BOOL ? 2 : (int)value->truth - (int)literal->value.truth;
    if (literal->kind != SEGMENT_NUMBER)
        return naive_date_order(a.w, a.now, value, literal);
    if (!json_to_real(value, &x) || !json_to_real(&literal->value, &y))
        return 2;
    return x < y ? -1 : x > y;
}

static bool naive_text(const struct segment_compare *c, const struct json *value, bool listed)
{
    struct str want = c->values[0].value.string, have = value->string;
    if (value->kind != JSON_STRING)
        return false;
    if (c->test == SEGMENT_CONTAINS && listed && c->which == SEGMENT_PLAIN)
        return str_eq(have, want);
    for (size_t i = 0; i + want.len <= have.len; i++)
        if (str_eq(str_slice(have, i, i + want.len), want) &&
            (c->test != SEGMENT_STARTS || i == 0) &&
            (c->test != SEGMENT_ENDS || i + want.len == have.len))
            return true;
    return false;
}

static bool naive_value(struct asked a, const struct segment_compare *c, const struct json *value,
                        bool listed)
{
    int  order = c->values_count > 0 ? order_of(a, value, &c->values[0]) : 2;
    bool among = false;
    for (uint32_t i = 0; i < c->values_count; i++)
        among = among || order_of(a, value, &c->values[i]) == 0;
    switch (c->test) {
    case SEGMENT_EQUAL:
    case SEGMENT_IN:
        return among;
    case SEGMENT_NOT_EQUAL:
    case SEGMENT_NOT_IN:
        return !among;
    case SEGMENT_MORE:
        return order == 1;
    case SEGMENT_AT_LEAST:
        return order == 1 || order == 0;
    case SEGMENT_LESS:
        return order == -1;
    case SEGMENT_AT_MOST:
        return order == -1 || order == 0;
    case SEGMENT_BETWEEN_VALUES:
        return (order == 0 || order == 1) && order_of(a, value, &c->values[1]) <= 0;
    case SEGMENT_EXISTS:
    case SEGMENT_NOT_EXISTS:
        return true;
    case SEGMENT_MATCHES:
        return value->kind == JSON_STRING &&
               naive_matches(c->values[0].value.string, value->string);
    default:
        return naive_text(c, value, listed);
    }
}

bool naive_compare(const struct world *w, int64_t now, const struct segment_compare *c,
                   const struct values *v)
{
    int  passed = 0;
    bool all =
        c->which == SEGMENT_ALL ||
        (c->which == SEGMENT_PLAIN && (c->test == SEGMENT_NOT_EQUAL || c->test == SEGMENT_NOT_IN));
    for (int i = 0; i < v->count; i++)
        passed += naive_value((struct asked){ w, now }, c, &v->list[i], v->listed[i]);
    if (c->test == SEGMENT_NOT_EXISTS)
        return v->count == 0;
    return all ? v->count > 0 && passed == v->count : passed > 0;
}

bool naive_is_in_window(const struct world *w, int64_t now, const struct segment_window *window,
                        int64_t at)
{
    if (window->kind == SEGMENT_CALENDAR || window->from_is_day || window->to_is_day)
        return naive_is_in_days(w, now, window, at);
    switch (window->kind) {
    case SEGMENT_EVER:
        return true;
    case SEGMENT_LAST:
        return at > now - window->length_ms;
    case SEGMENT_NOT_LAST:
        return at <= now - window->length_ms;
    case SEGMENT_SINCE:
        return at >= window->from_ms;
    case SEGMENT_BEFORE:
        return at < window->to_ms;
    case SEGMENT_BETWEEN:
        return at >= window->from_ms && at <= window->to_ms;
    case SEGMENT_SINCE_ENTRY:
        return at >= w->entry_ms;
    default:
        break; /* not there yet */
    }
    return false;
}

void naive_trait_values(const struct world *w, int64_t now, struct str key, struct values *out)
{
    const struct change *best = NULL;
    if (w->computed != NULL && str_eq(key, NAIVE_COMPUTED)) {
        naive_value_of(w, now, w->computed, out);
        return;
    }
    for (uint32_t i = 0; i < w->traits_count; i++) {
        const struct change *t = &w->traits[i];
        if (t->seq <= w->seq_max && t->at_ms <= now && str_eq(t->key, key) &&
            (best == NULL || t->at_ms > best->at_ms ||
             (t->at_ms == best->at_ms && t->seq > best->seq)))
            best = t;
    }
    if (best != NULL)
        naive_collect(out, &best->value, STR_NONE, false);
}

static bool naive_trait(const struct world *w, int64_t now, const struct segment_compare *c)
{
    struct values v = { .count = 0 };
    naive_trait_values(w, now, c->key, &v);
    return naive_compare(w, now, c, &v);
}

bool naive(const struct world *w, int64_t now, const struct segment_node *node)
{
    switch (node->kind) {
    case SEGMENT_EVERYONE:
        return true;
    case SEGMENT_AND:
        for (uint32_t i = 0; i < node->parts_count; i++)
            if (!naive(w, now, node->parts[i]))
                return false;
        return true;
    case SEGMENT_OR:
        for (uint32_t i = 0; i < node->parts_count; i++)
            if (naive(w, now, node->parts[i]))
                return true;
        return false;
    case SEGMENT_NOT:
        return !naive(w, now, node->parts[0]);
    case SEGMENT_COMPARE:
        return naive_trait(w, now, &node->compare);
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_AGGREGATE:
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
    case SEGMENT_FUNNEL:
        return naive_deed(w, now, node);
    case SEGMENT_IN_SEGMENT:
    case SEGMENT_IN_LIST:
        return w->stays[node->name.ptr[1] - '0'].from_ms <= now &&
               now < w->stays[node->name.ptr[1] - '0'].to_ms;
    case SEGMENT_SHARE:
        return hash_chance(public_id, node->name) * 100 < node->percent;
    default:
        return naive_when(w, now, node);
    }
}

/* ---- a random world, in the engine's shape and in the plain one */

static int64_t random_at(struct dice *dice, const struct world *w)
{
    /* On the hour, mostly, so that edges coincide; sometimes one millisecond beside it. */
    int64_t at = w->base_ms + dice_roll(dice, 25) * TIME_HOUR_MS;
    return dice_roll(dice, 4) > 0 ? at : at + (int64_t)dice_roll(dice, 3) - 1;
}

static struct json random_scalar(struct dice *dice)
{
    static const char *const texts[] = { "x", "y", "xy", "", "NO", "2026-01-01T05:00:00Z" };
    switch (dice_roll(dice, 8)) {
    case 0:
        return (struct json){ .kind = JSON_NULL };
    case 1:
        return (struct json){ .kind = JSON_BOOL, .truth = dice_roll(dice, 2) == 0 };
    case 2:
    case 3:
        return (struct json){ .kind = JSON_STRING, .string = str_of(texts[dice_roll(dice, 6)]) };
    case 4:
        return (struct json){ .kind = JSON_REAL, .real = ((double)dice_roll(dice, 24) - 8) * 0.25 };
    default:
        return (struct json){ .kind = JSON_INT, .integer = (int64_t)dice_roll(dice, 7) - 2 };
    }
}

static struct json random_list(struct dice *dice)
{
    uint32_t     count = dice_roll(dice, 4);
    struct json *items = arena_array(dice->arena, count, sizeof items[0]);
    assert_non_null(items);
    for (uint32_t i = 0; i < count; i++)
        items[i] = random_scalar(dice);
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
    struct json values[] = { random_scalar(dice), random_scalar(dice), random_list(dice) };
    return dice_roll(dice, 6) == 0 ? random_scalar(dice)
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
    struct json              values[] = { dice_roll(dice, 4) > 0 ? key : random_scalar(dice),
                             random_scalar(dice),
                             random_scalar(dice),
                             random_list(dice),
                             random_elements(dice),
                             object_of(dice, inner, &elements, 1) };
    return object_of(dice, keys, values, dice_roll(dice, 7));
}

/* What Dult itself tells of messages and journeys. */
static struct json random_own_properties(struct dice *dice, bool journey)
{
    static const char *const keys[] = { "journey", "what", "machine", "template", "n", "k" };
    static const char *const whats[] = { "entered", "at", "finished", "goal" }, *const names[] = {
        "m0", "m1"
    };
    struct json number = { .kind = JSON_INT, .integer = dice_roll(dice, 2) };
    struct json text = { .kind = JSON_STRING, .string = str_of(names[dice_roll(dice, 2)]) };
    struct json values[] = { journey ? number : text,
                             { .kind = JSON_STRING, .string = str_of(whats[dice_roll(dice, 4)]) },
                             { .kind = JSON_BOOL, .truth = dice_roll(dice, 3) == 0 },
                             { .kind = JSON_STRING, .string = str_of(names[dice_roll(dice, 2)]) },
                             random_scalar(dice),
                             number };
    return object_of(dice, keys, values, 6);
}

static void random_traits(struct dice *dice, struct world *w)
{
    static const char *const keys[] = { "country", "age", "vip", "joined", "tags" };
    w->traits_count = dice_roll(dice, 12);
    for (uint32_t i = 0; i < w->traits_count; i++)
        w->traits[i] = (struct change){
            .key = str_of(keys[dice_roll(dice, 5)]),
            .at_ms = random_at(dice, w),
            .seq = i + 1,
            .value = dice_roll(dice, 3) == 0 ? random_list(dice) : random_scalar(dice),
        };
    for (int i = 0; i < 3; i++)
        w->stays[i] = (struct stay){ random_at(dice, w), random_at(dice, w) };
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
static const char *const own_names[SEGMENT_OWN_EVENTS] = {
    "$identify",
    "$list",
    "$consent",
    "$context",
    "Email Failed",
    "$journey",
    "Email Sent",
    "Email Opened",
    "Email Clicked",
    "Email Bounced",
    "Email Unsubscribed",
    "$11",
    "$12",
    "$13",
    "$14",
    "$15",
};
enum { OWN_FIRST = 5, OWN_COUNT = 6 };

static void own_names_make(struct dict *names)
{
    uint16_t id;
    for (int i = 0; i < SEGMENT_OWN_EVENTS; i++)
        assert_ok(dict_intern(names, str_of(own_names[i]), &id));
}

void naive_world(struct dice *dice, struct world *w)
{
    static const char *const names[] = { "A", "A", "A", "B", "B", "C", "D" };
    w->events_count = dice_roll(dice, EVENTS_MAX + 1);
    for (uint32_t i = 0; i < w->events_count; i++) {
        uint32_t own = dice_roll(dice, 16);
        w->events[i] = (struct event){ .at_ms = random_at(dice, w), .seq = i + 1 };
        if (own >= OWN_FIRST && own < OWN_FIRST + OWN_COUNT) {
            w->events[i].name = str_of(own_names[own]);
            w->events[i].properties = random_own_properties(dice, own == OWN_FIRST);
        } else {
            w->events[i].name = str_of(names[dice_roll(dice, 7)]);
            w->events[i].properties = random_properties(dice);
        }
    }
    random_traits(dice, w);
    w->entry_ms = random_at(dice, w);
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
    own_names_make(w->event_names);
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

/* ---- facts over that world */

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
    return public_id;
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

/* ---- every instant at which time alone may change an answer */

struct instants {
    int64_t list[CANDIDATES_MAX];
    int     count;
};

static void add_instant(struct instants *c, int64_t at_ms)
{
    assert_true(c->count < CANDIDATES_MAX);
    c->list[c->count++] = at_ms;
}

static void add_lengths(struct instants *lengths, const struct segment_node *node)
{
    for (uint32_t i = 0; i < node->parts_count; i++)
        add_lengths(lengths, node->parts[i]);
    if (node->match.window.length_ms > 0)
        add_instant(lengths, node->match.window.length_ms);
    if (node->within_ms > 0)
        add_instant(lengths, node->within_ms);
}

static int instant_order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void all_instants(const struct world *w, const struct segment_node *node,
                         struct instants *out)
{
    struct instants lengths = { .count = 0 };
    out->count = 0;
    add_lengths(&lengths, node);
    if (w->computed != NULL)
        add_lengths(&lengths, w->computed);
    for (uint32_t i = 0; i < w->events_count; i++) {
        add_instant(out, w->events[i].at_ms);
        for (int k = 0; k < lengths.count; k++)
            add_instant(out, w->events[i].at_ms + lengths.list[k]);
    }
    for (uint32_t i = 0; i < w->traits_count; i++)
        add_instant(out, w->traits[i].at_ms);
    for (int i = 0; i < 3; i++) {
        add_instant(out, w->stays[i].from_ms);
        add_instant(out, w->stays[i].to_ms);
    }
    qsort(out->list, (size_t)out->count, sizeof out->list[0], instant_order);
}

/* With nothing dated later, these leave no gap between `until` and the change. */
static bool is_tight(const struct world *w, const struct segment_node *node, int64_t now)
{
    for (uint32_t i = 0; i < w->events_count; i++)
        if (w->events[i].at_ms > now)
            return false;
    while (node->kind == SEGMENT_NOT)
        node = node->parts[0];
    switch (node->kind) {
    case SEGMENT_DID:
        return node->times != SEGMENT_TIMES_EXACTLY;
    case SEGMENT_AGGREGATE:
        if (node->fold == SEGMENT_COUNT)
            return node->property.len == 0 && node->test != SEGMENT_EQUAL &&
                   node->test != SEGMENT_NOT_EQUAL;
        return node->fold <= SEGMENT_GAP && node->fold != SEGMENT_DISTINCT;
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_THEN:
        return true;
    case SEGMENT_THEN_NOT: /* in a sliding window, a younger A may take over from the oldest */
        return node->match.window.kind != SEGMENT_LAST;
    case SEGMENT_FUNNEL:
        return node->not_step == 0 && node->match.window.kind != SEGMENT_NOT_LAST;
    default:
        return false;
    }
}

/* ---- the comparison */

struct tally {
    uint64_t cases, compared, held, expired, tight;
};

static void report(const struct world *w, const struct segment_node *node, int64_t now,
                   struct verdict v, int64_t at, uint64_t round)
{
    SCOPED(buf_donep) struct buf text = buf_make(1 << 16);
    char                         a[TIME_TEXT_BYTES], b[TIME_TEXT_BYTES], c[TIME_TEXT_BYTES];
    segment_write(&text, node);
    if (w->computed != NULL) {
        buf_str(&text, STR(" with "));
        segment_write(&text, w->computed);
    }
    print_error("round %llu: %.*s\n  at %s the engine says %d until %s; at %s it is %d\n",
                (unsigned long long)round, STR_ARG(buf_view(&text)), time_write(now, a), v.holds,
                time_write(v.until_ms, b), time_write(at, c), naive(w, at, node));
    for (uint32_t i = 0; i < w->events_count; i++)
        if (w->events[i].seq <= w->seq_max)
            print_error("  %u %.*s %s\n", w->events[i].seq, STR_ARG(w->events[i].name),
                        time_write(w->events[i].at_ms, a));
}

static bool agrees(const struct world *w, const struct segment_node *node,
                   const struct segment_program *program, int64_t now, uint64_t round,
                   struct tally *tally)
{
    static struct instants candidates;
    struct facts           facts = naive_facts(w, now);
    struct verdict         v = segment_eval(program, &facts);
    bool                   was = naive(w, now, node), ok = was == v.holds && v.until_ms > now;

    tally->cases++;
    tally->compared++;
    tally->held += v.holds;
    if (!ok)
        report(w, node, now, v, now, round);
    all_instants(w, node, &candidates);
    for (int i = 0; i < candidates.count && ok; i++) {
        int64_t at = candidates.list[i];
        if (at <= now || at >= v.until_ms || (uint64_t)i % w->stride != round % w->stride ||
            (i > 0 && candidates.list[i - 1] == at))
            continue;
        tally->compared++;
        ok = naive(w, at, node) == v.holds;
        if (!ok)
            report(w, node, now, v, at, round);
    }
    if (!ok || v.until_ms == TIME_NEVER)
        return ok;
    tally->expired++;
    if (w->standings != NULL || !is_tight(w, node, now))
        return ok;
    tally->tight++;
    ok = naive(w, v.until_ms, node) != v.holds;
    if (!ok)
        report(w, node, now, v, v.until_ms, round);
    return ok;
}

static struct segment_names names_of(const struct world *w)
{
    return (struct segment_names){ .events = w->event_names,
                                   .properties = w->properties,
                                   .traits = w->trait_names,
                                   .grow = true,
                                   .segment = number_of,
                                   .list = number_of,
                                   .journey = number_of };
}

/* Many conditions about what people did, each at few instants. */
static bool play_deeds(struct world *w, struct dice *dice, uint64_t round, struct tally *tally)
{
    struct segment_program program;
    struct segment_names   names = names_of(w);
    naive_world(dice, w);
    w->stride = 16;
    for (int p = 0; p < 8; p++) {
        const struct segment_node *node = dice_deed(dice);
        assert_ok(segment_compile(dice->arena, node, &names, &program, NULL));
        for (int i = 0; i < 2; i++) {
            w->seq_max = dice_roll(dice, 3) > 0 ? EVENTS_MAX : dice_roll(dice, EVENTS_MAX);
            int64_t now = random_at(dice, w) + (i == 0 ? 24 * TIME_HOUR_MS : 0);
            if (!agrees(w, node, &program, now, round, tally))
                return false;
        }
    }
    return true;
}

static const struct segment_node *computed_tree(const void *owner, struct str name)
{
    return str_eq(name, NAIVE_COMPUTED) ? ((const struct world *)owner)->computed : NULL;
}

/* A random comparison, but with the computed trait. */
static const struct segment_node *about_computed(struct dice *dice)
{
    const struct segment_node *node = dice_condition(dice, 0);
    while (node->kind != SEGMENT_COMPARE)
        node = dice_condition(dice, 0);
    struct segment_node *other = ARENA_ARRAY(dice->arena, 1, struct segment_node);
    *other = *node;
    other->compare.key = NAIVE_COMPUTED;
    return other;
}

static bool play_computed(struct world *w, struct dice *dice, uint64_t round, struct tally *tally)
{
    struct segment_names names = names_of(w);
    bool                 ok = true;
    names.has_entry = true;
    names.owner = w;
    names.computed = computed_tree;
    naive_world(dice, w);
    w->stride = 4;
    for (int p = 0; p < 8 && ok; p++) {
        struct segment_program     program;
        const struct segment_node *node = about_computed(dice);
        w->computed = dice_value(dice, 1);
        assert_ok(segment_compile(dice->arena, node, &names, &program, NULL));
        for (int i = 0; i < 2 && ok; i++) {
            w->seq_max = dice_roll(dice, 3) > 0 ? EVENTS_MAX : dice_roll(dice, EVENTS_MAX);
            int64_t now = random_at(dice, w) + (i == 0 ? 24 * TIME_HOUR_MS : 0);
            ok = agrees(w, node, &program, now, round, tally);
        }
    }
    w->computed = NULL;
    return ok;
}

static bool play(struct world *w, struct dice *dice, uint64_t round, struct tally *tally)
{
    struct segment_program program;
    struct segment_names   names = names_of(w);
    names.has_entry = true;
    naive_world(dice, w);
    for (int p = 0; p < 4; p++) {
        int                        depth = p % 2 == 0 ? 0 : (int)dice_roll(dice, 4);
        const struct segment_node *node = dice_condition(dice, depth);
        assert_ok(segment_compile(dice->arena, node, &names, &program, NULL));
        for (int i = 0; i < 3; i++) {
            w->seq_max = dice_roll(dice, 3) > 0 ? EVENTS_MAX : dice_roll(dice, EVENTS_MAX);
            int64_t now = random_at(dice, w);
            if (i == 0) /* soon after the last event: nothing is dated later */
                now = w->base_ms + (25 + dice_roll(dice, 12)) * TIME_HOUR_MS;
            if (!agrees(w, node, &program, now, round, tally))
                return false;
        }
    }
    return true;
}

/* ---- answers that stand */

static void tell(struct world *w, const struct segment_program *program, uint32_t seq)
{
    struct segment_leaf leaves[SEGMENT_NODES_MAX];
    for (uint32_t r = 0; r < RUNS_MAX; r++)
        for (uint32_t i = 0; i < w->runs[r].count; i++) {
            if (w->run_seq[r][i] != seq)
                continue;
            uint16_t    event = w->run_name[r][i];
            struct bags bags = { (const unsigned char *)w->bags.ptr, w->bags.len };
            uint32_t    count = segment_leaves(program, event, leaves);
            standings_tell(w->standings, event, bag_at(bags, w->run_bag[r][i]), leaves,
                           segment_leaves_settle(leaves, count));
        }
}

/* One event after the other comes to be known; now and then somebody asks, perhaps about earlier.
 */
static bool play_standing(struct world *w, struct dice *dice, uint64_t round,
                          const struct segment_node *node, const struct segment_program *program,
                          struct tally *tally)
{
    int64_t now = random_at(dice, w);
    bool    ok = true;
    w->seq_max = 0;
    for (uint32_t seq = 1; ok && seq <= w->events_count; seq++) {
        w->seq_max = seq;
        tell(w, program, seq);
        if (dice_roll(dice, 3) == 0)
            now += dice_roll(dice, 4) * TIME_HOUR_MS / 2;
        int64_t earlier = random_at(dice, w);
        bool    back = dice_roll(dice, 10) == 0 && earlier < now;
        if (dice_roll(dice, 3) > 0)
            ok = agrees(w, node, program, back ? earlier : now, round, tally);
    }
    return ok;
}

static bool play_live(struct world *w, struct dice *dice, uint64_t round, struct tally *tally)
{
    struct segment_names names = names_of(w);
    bool                 ok = true;
    names.leaves = w->leaves;
    naive_world(dice, w);
    for (int p = 0; p < 4 && ok; p++) {
        struct standings           standings = { .most = SEGMENT_NODES_MAX };
        struct segment_program     program;
        const struct segment_node *node = dice_condition(dice, p % 2 == 0 ? 0 : 2);
        if (segment_compile(dice->arena, node, &names, &program, NULL) != OK)
            continue; /* since entry, which is for journeys */
        w->standings = &standings;
        ok = play_standing(w, dice, round, node, &program, tally);
        w->standings = NULL;
        standings_forget(&standings);
    }
    return ok;
}

enum { COMPARED_AT_LEAST = 500000 };

static struct tally play_all(const char *what,
                             bool (*play_one)(struct world *w, struct dice *dice, uint64_t round,
                                              struct tally *tally))
{
    static struct world w;
    uint64_t            seed = dice_seed(what);
    struct tally        tally = { 0 };
    bool                ok = true;

    struct arena *arena = arena_open(ARENA_BYTES);
    naive_open(&w);
    for (uint64_t round = 0; ok && tally.compared < COMPARED_AT_LEAST; round++) {
        struct dice dice = {
            .state = hash_u64(round, seed), .arena = arena, .base_ms = w.base_ms, .more = DICE_DEEDS
        };
        ok = play_one(&w, &dice, round, &tally);
        arena_reset(arena);
    }
    printf("  %llu cases, %llu compared, %llu held at their instant, %llu expire, %llu of them to "
           "the ms\n",
           (unsigned long long)tally.cases, (unsigned long long)tally.compared,
           (unsigned long long)tally.held, (unsigned long long)tally.expired,
           (unsigned long long)tally.tight);
    arena_close(arena);
    naive_close(&w);
    assert_true(ok);
    return tally;
}

/* What one more event cannot turn, it does not, now or before `until`. */
static bool play_turn(struct world *w, struct dice *dice, uint64_t round, struct tally *tally)
{
    static struct instants candidates;
    struct segment_names   names = naive_names(w);
    struct segment_program program;
    naive_world(dice, w);
    for (int p = 0; p < 8 && w->events_count > 0; p++) {
        const struct segment_node *node = dice_deed(dice);
        uint32_t                   r = dice_roll(dice, RUNS_MAX);
        if (segment_compile(dice->arena, node, &names, &program, NULL) != OK ||
            w->runs[r].count == 0)
            continue;
        uint32_t     at = dice_roll(dice, w->runs[r].count);
        int64_t      now = random_at(dice, w);
        struct facts facts;
        struct bags  bags = { (const unsigned char *)w->bags.ptr, w->bags.len };
        w->seq_max = w->run_seq[r][at] - 1;
        facts = naive_facts(w, now);
        struct verdict v = segment_eval(&program, &facts);
        w->seq_max++;
        tally->compared++;
        if (segment_can_turn(&program, w->run_name[r][at], bag_at(bags, w->run_bag[r][at]),
                             v.holds))
            continue;
        tally->cases++;
        all_instants(w, node, &candidates);
        add_instant(&candidates, now);
        for (int i = 0; i < candidates.count; i++)
            if (candidates.list[i] >= now && candidates.list[i] < v.until_ms &&
                naive(w, candidates.list[i], node) != v.holds) {
                report(w, node, now, v, candidates.list[i], round);
                return false;
            }
    }
    return true;
}

TEST(segment_naive, an_event_that_cannot_turn_an_answer_leaves_it_at_every_instant)
{
    struct tally tally = play_all("segment_turn", play_turn);
    assert_true(tally.cases > 50000);
}

/* The harness is worth something only if it meets both answers and both kinds of end. */
TEST(segment_naive, the_engine_and_its_twin_agree_at_every_instant_and_on_how_long)
{
    struct tally tally = play_all("segment_naive", play);
    assert_true(tally.held > 2000 && tally.expired > 2000 && tally.tight > 100);
}

TEST(segment_naive, what_people_did_is_asked_alike_of_lists_messages_folds_and_sequences)
{
    struct tally tally = play_all("segment_deeds", play_deeds);
    assert_true(tally.held > 10000 && tally.expired > 5000 && tally.tight > 1000);
}

TEST(segment_naive, an_answer_that_stands_is_the_one_that_reading_everything_gives)
{
    struct tally tally = play_all("segment_standing", play_live);
    assert_true(tally.held > 2000 && tally.expired > 1000);
}

TEST(segment_naive, a_computed_trait_compares_as_its_brute_value_does)
{
    struct tally tally = play_all("segment_computed", play_computed);
    assert_true(tally.held > 5000 && tally.expired > 2000);
}
