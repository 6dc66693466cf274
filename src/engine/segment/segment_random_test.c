#include "engine/segment/segment_random_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "engine/segment/segment_fault.h"
#include "engine/segment/segment_words.h"

uint32_t dice_roll(struct dice *dice, uint32_t sides)
{
    dice->state = hash_u64(dice->state, 7);
    return (uint32_t)((dice->state >> 32) * sides >> 32);
}

struct json dice_scalar(struct dice *dice)
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

uint64_t dice_seed(const char *what)
{
    const char *given = getenv("DULT_SEED");
    uint64_t    seed = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed();
    printf("%s: DULT_SEED=0x%llx replays\n", what, (unsigned long long)seed);
    return seed;
}

static bool coin(struct dice *dice)
{
    return dice_roll(dice, 2) == 0;
}

/* Now and then, if the test can answer it. */
static bool has(struct dice *dice, int what, uint32_t one_in)
{
    return (dice->more & what) != 0 && dice_roll(dice, one_in) == 0;
}

static void *make(struct dice *dice, size_t count, size_t bytes)
{
    void *made = arena_array(dice->arena, count, bytes);
    assert_non_null(made);
    return made;
}

#define PICK(dice, array) ((array)[dice_roll((dice), sizeof(array) / sizeof((array)[0]))])

static struct str wild_name(struct dice *dice)
{
    static const char *const names[] = {
        "a",
        "and",
        "Order Completed",
        "\"quoted\"",
        "back\\slash",
        "line\nbreak",
        "\x01\t",
        "blåbærsyltetøy",
        "日本",
        "😀",
        "x.y.z",
        "_9",
        "9x",
        "last",
        "TRUE",
        "(",
        "#no comment",
        "a-b",
    };
    return str_of(PICK(dice, names));
}

static struct str name(struct dice *dice, const char *const *tame, uint32_t count)
{
    return dice->wild ? wild_name(dice) : str_of(tame[dice_roll(dice, count)]);
}

static struct str event(struct dice *dice)
{
    static const char *const tame[] = { "A", "A", "B", "C" };
    return name(dice, tame, 4);
}

static struct str property(struct dice *dice)
{
    static const char *const tame[] = { "n", "n", "s", "tags", "p.n", "p.s", "none" };
    return name(dice, tame, 7);
}

static struct str trait(struct dice *dice)
{
    static const char *const tame[] = { "country", "age", "vip", "joined", "tags", "none" };
    return name(dice, tame, 6);
}

static int64_t date_ms(struct dice *dice)
{
    if (!dice->wild)
        return dice->base_ms + dice_roll(dice, 25) * TIME_HOUR_MS;
    switch (dice_roll(dice, 3)) {
    case 0:
        return TIME_MIN_MS;
    case 1:
        return TIME_MAX_MS;
    default:
        return (int64_t)dice_roll(dice, 20000) * TIME_DAY_MS +
               (coin(dice) ? dice_roll(dice, 99) : 0);
    }
}

static int64_t length_ms(struct dice *dice)
{
    static const int64_t wild[] = { 1, 999, 60000, TIME_DAY_MS * 7, SEGMENT_LENGTH_MS_MAX };
    return dice->wild ? PICK(dice, wild) : (dice_roll(dice, 12) + 1) * TIME_HOUR_MS;
}

static struct json number(struct dice *dice)
{
    static const double wild[] = { 0, -0.0, 0.1, -1e15, 1e15, 123456789.25, 1e-9, -7 };
    struct json         real = { .kind = JSON_REAL };
    real.real = dice->wild ? PICK(dice, wild) : ((double)dice_roll(dice, 24) - 8) * 0.25;
    return segment_number(real);
}

static int64_t day_ms(struct dice *dice)
{
    int64_t at_ms = date_ms(dice);
    return at_ms - ((at_ms % TIME_DAY_MS) + TIME_DAY_MS) % TIME_DAY_MS;
}

static int32_t days(struct dice *dice, int32_t most)
{
    int32_t wild[] = { -most, -2, -1, 0, 1, 2, most };
    return dice->wild ? PICK(dice, wild) : (int32_t)dice_roll(dice, 5) - 2;
}

static struct segment_literal literal(struct dice *dice, enum segment_literal_kind kind)
{
    static const char *const tame[] = { "x", "y", "xy", "", "NO" };
    struct segment_literal   out = { .kind = kind, .value = { .kind = JSON_INT } };
    switch (kind) {
    case SEGMENT_TEXT:
        out.value = (struct json){ .kind = JSON_STRING, .string = name(dice, tame, 5) };
        break;
    case SEGMENT_NUMBER:
        out.value = number(dice);
        break;
    case SEGMENT_TRUTH:
        out.value = (struct json){ .kind = JSON_BOOL, .truth = coin(dice) };
        break;
    case SEGMENT_DATE:
        out.value.integer = date_ms(dice);
        break;
    case SEGMENT_A_DAY:
        out.value.integer = day_ms(dice);
        break;
    case SEGMENT_AGO:
        out.value.integer = (int64_t)(dice_roll(dice, 3)) - 1;
        out.value.integer *= length_ms(dice);
        break;
    case SEGMENT_TODAY:
        out.value.integer = days(dice, SEGMENT_DAYS_MAX);
        break;
    }
    return out;
}

static uint32_t values_count(struct dice *dice, enum segment_test test)
{
    switch (test) {
    case SEGMENT_IN:
    case SEGMENT_NOT_IN:
        return 1 + dice_roll(dice, 4);
    case SEGMENT_BETWEEN_VALUES:
        return 2;
    case SEGMENT_EXISTS:
    case SEGMENT_NOT_EXISTS:
        return 0;
    default:
        return 1;
    }
}

static struct str pattern(struct dice *dice)
{
    static const char *const tame[] = { "x", "^x", "y$", "^[a-z]+$", "^$", "(?i)no" };
    return str_of(PICK(dice, tame));
}

/* Everything but the key. */
static void test(struct dice *dice, struct segment_compare *c)
{
    uint32_t kinds = (dice->more & DICE_DATES) != 0 ? SEGMENT_TODAY + 1 : SEGMENT_DATE + 1;
    do {
        c->test = (enum segment_test)dice_roll(dice, SEGMENT_NOT_EXISTS + 1);
        if (c->test == SEGMENT_MATCHES && (dice->more & DICE_MATCHES) == 0)
            c->test = SEGMENT_CONTAINS;
        c->values_count = values_count(dice, c->test);
        struct segment_literal   *list = make(dice, c->values_count, sizeof list[0]);
        enum segment_literal_kind kind = (enum segment_literal_kind)dice_roll(dice, kinds);
        for (uint32_t i = 0; i < c->values_count; i++)
            list[i] = literal(dice, kind);
        if (c->test == SEGMENT_MATCHES && kind == SEGMENT_TEXT)
            list[0].value.string = pattern(dice);
        c->values = list;
    } while (segment_compare_fault(c).what != NULL);
}

static void compare(struct dice *dice, struct segment_node *node, bool in_where)
{
    struct segment_compare *c = &node->compare;
    node->kind = SEGMENT_COMPARE;
    c->key = in_where ? property(dice) : trait(dice);
    do {
        c->which = (enum segment_which)dice_roll(dice, 3);
        test(dice, c);
    } while (segment_compare_fault(c).what != NULL);
}

static void been(struct dice *dice, struct segment_node *node)
{
    do
        compare(dice, node, false);
    while (segment_been_fault(&node->compare).what != NULL);
    node->kind = SEGMENT_BEEN;
    node->within_ms = length_ms(dice);
}

static void day(struct dice *dice, struct segment_node *node)
{
    node->kind = SEGMENT_DAY;
    node->compare.key = trait(dice);
    node->yearly = coin(dice);
    int32_t most = node->yearly ? SEGMENT_YEARLY_DAYS_MAX : SEGMENT_DAYS_MAX;
    do {
        node->from_days = days(dice, most);
        node->to_days = coin(dice) ? node->from_days : days(dice, most);
    } while (segment_days_fault(node).what != NULL);
}

/* Whose names a filter has: an event's, or those of one element. */
enum filter_of { OF_PERSON, OF_EVENT, OF_ELEMENT };

static struct segment_node *group(struct dice *dice, int depth, enum filter_of of);

static struct segment_node *filter(struct dice *dice, int depth, enum filter_of of)
{
    if (depth > 0 && dice_roll(dice, 3) == 0)
        return group(dice, depth, of);
    struct segment_node *node = make(dice, 1, sizeof *node);
    if (of == OF_EVENT && has(dice, DICE_ELEMENT, 4)) {
        const struct segment_node **part = make(dice, 1, sizeof part[0]);
        static const char *const    lists[] = { "p", "p", "tags", "n" };
        part[0] = filter(dice, depth - 1, OF_ELEMENT);
        node->kind = SEGMENT_ELEMENT;
        node->compare.key = name(dice, lists, 4);
        node->compare.which = coin(dice) ? SEGMENT_ANY : SEGMENT_ALL;
        node->parts = part;
        node->parts_count = 1;
        return node;
    }
    compare(dice, node, true);
    if (of == OF_ELEMENT && !dice->wild) {
        static const char *const keys[] = { "n", "s", "none" };
        node->compare.key = str_of(PICK(dice, keys));
    }
    return node;
}

static void calendar(struct dice *dice, struct segment_window *w)
{
    w->kind = SEGMENT_CALENDAR;
    w->unit = (enum segment_unit)dice_roll(dice, 4);
    w->back = dice_roll(dice, 2);
}

static void window(struct dice *dice, struct segment_window *w)
{
    bool    is_day = has(dice, DICE_DATES, 2);
    int64_t from_ms = is_day ? day_ms(dice) : date_ms(dice);
    int64_t to_ms = is_day ? day_ms(dice) : date_ms(dice);
    if (has(dice, DICE_CALENDAR, 4)) {
        calendar(dice, w);
        return;
    }
    w->kind = (enum segment_window_kind)dice_roll(dice, SEGMENT_SINCE_ENTRY + 1);
    if (coin(dice)) /* the windows that move */
        w->kind = coin(dice) ? SEGMENT_LAST : SEGMENT_NOT_LAST;
    if (w->kind == SEGMENT_LAST || w->kind == SEGMENT_NOT_LAST)
        w->length_ms = length_ms(dice);
    if (w->kind == SEGMENT_SINCE || w->kind == SEGMENT_BETWEEN) {
        w->from_ms = from_ms < to_ms ? from_ms : to_ms;
        w->from_is_day = is_day;
    }
    if (w->kind == SEGMENT_BEFORE || w->kind == SEGMENT_BETWEEN) {
        w->to_ms = from_ms < to_ms ? to_ms : from_ms;
        w->to_is_day = is_day;
    }
}

static void subject(struct dice *dice, struct segment_match *m)
{
    static const char *const names[] = { "m0", "m1" };
    m->subject = (enum segment_subject)(
        SEGMENT_RECEIVED + dice_roll(dice, SEGMENT_REACHED_GOAL - SEGMENT_RECEIVED + 1));
    if (segment_subject_is_message(m->subject))
        m->of = (enum segment_of)dice_roll(dice, SEGMENT_OF_COUNT);
    if (segment_subject_is_journey(m->subject) || m->of != SEGMENT_OF_ANY)
        m->name = name(dice, names, 2);
    if (segment_subject_has_hits(m->subject))
        m->hits = (enum segment_hits)dice_roll(dice, 3);
}

static void match(struct dice *dice, struct segment_match *m, int depth)
{
    if (has(dice, DICE_SUBJECTS, 3))
        subject(dice, m);
    else if (has(dice, DICE_ANYTHING, 8))
        m->subject = SEGMENT_ANYTHING;
    else
        m->event = event(dice);
    if (coin(dice))
        m->where = filter(dice, depth, OF_EVENT);
}

static void same(struct dice *dice, struct segment_node *node)
{
    if (has(dice, DICE_SAME, 3))
        node->same = property(dice);
    node->within_ms = length_ms(dice);
}

/* All but the events. */
static void fold(struct dice *dice, struct segment_node *node, int depth)
{
    bool more = (dice->more & DICE_FOLDS) != 0;
    node->fold =
        (enum segment_fold)dice_roll(dice, (more ? SEGMENT_LAST_TIME : SEGMENT_DISTINCT) + 1);
    if (segment_fold_takes_property(node->fold) && (node->fold != SEGMENT_COUNT || coin(dice)))
        node->property = property(dice);
    if (node->property.len > 0 && has(dice, DICE_WITH, 3))
        node->with = filter(dice, depth, OF_ELEMENT);
}

static void aggregate(struct dice *dice, struct segment_node *node, int depth)
{
    fold(dice, node, depth);
    if (!segment_fold_is_number(node->fold)) {
        test(dice, &node->compare);
        return;
    }
    node->test = (enum segment_test)dice_roll(dice, SEGMENT_AT_MOST + 1);
    do
        node->number = number(dice);
    while (segment_aggregate_fault(node->fold, &node->number).what != NULL);
}

static void funnel(struct dice *dice, struct segment_node *node, int depth)
{
    node->kind = SEGMENT_FUNNEL;
    node->steps_count = 2 + dice_roll(dice, dice->wild ? SEGMENT_STEPS_MAX - 1 : 3);
    struct segment_match *steps = make(dice, node->steps_count, sizeof steps[0]);
    for (uint32_t i = 0; i < node->steps_count; i++)
        match(dice, &steps[i], depth);
    node->steps = steps;
    node->step = 1 + dice_roll(dice, node->steps_count);
    if (node->step < node->steps_count && coin(dice))
        node->not_step = node->step + 1 + dice_roll(dice, node->steps_count - node->step);
    window(dice, &node->match.window);
    same(dice, node);
}

/* What came to the language later; false when none was chosen. */
static bool later_leaf(struct dice *dice, struct segment_node *node, int depth)
{
    static const char *const names[] = { "l0", "l1", "l2" };
    if (has(dice, DICE_DAY, 12)) {
        day(dice, node);
    } else if (has(dice, DICE_BEEN, 12)) {
        been(dice, node);
    } else if (has(dice, DICE_FUNNEL, 12)) {
        funnel(dice, node, depth - 1);
    } else if (has(dice, DICE_MEMBER, 16)) {
        node->kind = coin(dice) ? SEGMENT_IN_STAGE : SEGMENT_IN_JOURNEY;
        node->name = name(dice, names, 3);
        if (node->kind == SEGMENT_IN_JOURNEY && coin(dice))
            node->at = name(dice, names, 3);
    } else if (has(dice, DICE_CONSENT, 16)) {
        node->kind = SEGMENT_CONSENT;
        node->consent = (enum segment_consent)dice_roll(dice, 3);
        node->name = coin(dice) ? name(dice, names, 3) : STR_NONE;
        node->at = coin(dice) ? name(dice, names, 3) : STR_NONE;
    } else {
        return false;
    }
    return true;
}

static void leaf(struct dice *dice, struct segment_node *node, int depth)
{
    static const enum segment_kind kinds[] = {
        SEGMENT_EVERYONE,  SEGMENT_COMPARE,   SEGMENT_COMPARE,   SEGMENT_DID,
        SEGMENT_DID,       SEGMENT_DID,       SEGMENT_FIRST_DID, SEGMENT_LAST_DID,
        SEGMENT_AGGREGATE, SEGMENT_AGGREGATE, SEGMENT_AGGREGATE, SEGMENT_THEN,
        SEGMENT_THEN_NOT,  SEGMENT_THEN_NOT,  SEGMENT_IN_LIST,   SEGMENT_IN_SEGMENT,
        SEGMENT_SHARE,
    };
    static const char *const seeds[] = { "l0", "l1", "l2" };

    if (later_leaf(dice, node, depth))
        return;
    node->kind = PICK(dice, kinds);
    if (node->kind == SEGMENT_COMPARE) {
        compare(dice, node, false);
    } else if (node->kind >= SEGMENT_IN_SEGMENT) {
        node->name = name(dice, seeds, 3);
        node->percent = node->kind == SEGMENT_SHARE ? dice_roll(dice, 401) * 0.25 : 0;
    } else if (node->kind >= SEGMENT_DID) {
        match(dice, &node->match, depth - 1);
        window(dice, &node->match.window);
        if (node->kind == SEGMENT_DID) {
            node->times = (enum segment_times)dice_roll(dice, 3);
            node->times_count = dice_roll(dice, dice->wild ? SEGMENT_TIMES_MAX + 1 : 5);
        } else if (node->kind == SEGMENT_AGGREGATE) {
            aggregate(dice, node, depth - 1);
        } else if (node->kind == SEGMENT_THEN || node->kind == SEGMENT_THEN_NOT) {
            match(dice, &node->then, depth - 1);
            same(dice, node);
        }
    }
}

static struct segment_node *group(struct dice *dice, int depth, enum filter_of of)
{
    static const enum segment_kind kinds[] = { SEGMENT_AND, SEGMENT_AND, SEGMENT_OR, SEGMENT_OR,
                                               SEGMENT_NOT };
    struct segment_node           *node = make(dice, 1, sizeof *node);
    const struct segment_node    **parts;

    node->kind = PICK(dice, kinds);
    node->parts_count = node->kind == SEGMENT_NOT ? 1 : 2 + dice_roll(dice, 2);
    parts = make(dice, node->parts_count, sizeof parts[0]);
    for (uint32_t i = 0; i < node->parts_count; i++)
        parts[i] = of == OF_PERSON ? dice_condition(dice, depth - 1) : filter(dice, depth - 1, of);
    node->parts = parts;
    return node;
}

const struct segment_node *dice_condition(struct dice *dice, int depth)
{
    if (depth > 0 && dice_roll(dice, 3) == 0)
        return group(dice, depth, OF_PERSON);
    struct segment_node *node = make(dice, 1, sizeof *node);
    leaf(dice, node, depth);
    return node;
}

const struct segment_node *dice_when(struct dice *dice)
{
    struct segment_node *node = make(dice, 1, sizeof *node);
    switch (dice_roll(dice, 6)) {
    case 0:
        day(dice, node);
        break;
    case 1:
        been(dice, node);
        break;
    case 2:
    case 3:
        do
            compare(dice, node, false);
        while (node->compare.values_count == 0 || node->compare.values[0].kind < SEGMENT_DATE);
        break;
    default:
        node->kind = SEGMENT_DID;
        node->times = (enum segment_times)dice_roll(dice, 3);
        node->times_count = 1 + dice_roll(dice, 3);
        node->match.event = event(dice);
        calendar(dice, &node->match.window);
        if (dice_roll(dice, 4) == 0)
            window(dice, &node->match.window);
    }
    return node;
}

const struct segment_node *dice_value(struct dice *dice, int depth)
{
    struct segment_node *node = make(dice, 1, sizeof *node);
    node->kind = SEGMENT_AGGREGATE;
    node->is_value = true;
    fold(dice, node, depth);
    match(dice, &node->match, depth);
    window(dice, &node->match.window);
    return node;
}
