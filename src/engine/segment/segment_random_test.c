#include "engine/segment/segment_random_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "engine/segment/segment_words.h"

uint32_t dice_roll(struct dice *dice, uint32_t sides)
{
    dice->state = hash_u64(dice->state, 7);
    return (uint32_t)((dice->state >> 32) * sides >> 32);
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

static struct segment_literal literal(struct dice *dice, enum segment_literal_kind kind)
{
    static const char *const tame[] = { "x", "y", "xy", "", "NO" };
    struct segment_literal   out = { .kind = kind };
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
        out.value = (struct json){ .kind = JSON_INT, .integer = date_ms(dice) };
        break;
    default:
        break; /* not there yet */
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

static void compare(struct dice *dice, struct segment_node *node, bool in_where)
{
    struct segment_compare *c = &node->compare;
    node->kind = SEGMENT_COMPARE;
    do {
        c->key = in_where ? property(dice) : trait(dice);
        c->test = (enum segment_test)dice_roll(dice, SEGMENT_NOT_EXISTS + 1);
        if (c->test == SEGMENT_MATCHES)
            c->test = SEGMENT_CONTAINS; /* not there yet */
        c->which = (enum segment_which)dice_roll(dice, 3);
        c->values_count = values_count(dice, c->test);
        struct segment_literal   *list = make(dice, c->values_count, sizeof list[0]);
        enum segment_literal_kind kind = (enum segment_literal_kind)dice_roll(dice, 4);
        for (uint32_t i = 0; i < c->values_count; i++)
            list[i] = literal(dice, kind);
        c->values = list;
    } while (segment_compare_fault(c).what != NULL);
}

static struct segment_node *group(struct dice *dice, int depth, bool in_where);

static struct segment_node *filter(struct dice *dice, int depth)
{
    if (depth > 0 && dice_roll(dice, 3) == 0)
        return group(dice, depth, true);
    struct segment_node *node = make(dice, 1, sizeof *node);
    compare(dice, node, true);
    return node;
}

static void window(struct dice *dice, struct segment_window *w)
{
    int64_t from_ms = date_ms(dice), to_ms = date_ms(dice);
    w->kind = (enum segment_window_kind)dice_roll(dice, SEGMENT_SINCE_ENTRY + 1);
    if (coin(dice)) /* the windows that move */
        w->kind = coin(dice) ? SEGMENT_LAST : SEGMENT_NOT_LAST;
    if (w->kind == SEGMENT_LAST || w->kind == SEGMENT_NOT_LAST)
        w->length_ms = length_ms(dice);
    if (w->kind == SEGMENT_SINCE)
        w->from_ms = from_ms;
    if (w->kind == SEGMENT_BEFORE)
        w->to_ms = to_ms;
    if (w->kind == SEGMENT_BETWEEN) {
        w->from_ms = from_ms < to_ms ? from_ms : to_ms;
        w->to_ms = from_ms < to_ms ? to_ms : from_ms;
    }
}

static void match(struct dice *dice, struct segment_match *m, int depth)
{
    m->event = event(dice);
    if (coin(dice))
        m->where = filter(dice, depth);
}

static void aggregate(struct dice *dice, struct segment_node *node)
{
    node->property = property(dice);
    node->fold = (enum segment_fold)dice_roll(dice, SEGMENT_DISTINCT + 1);
    node->test = (enum segment_test)dice_roll(dice, SEGMENT_AT_MOST + 1);
    do
        node->number = number(dice);
    while (segment_aggregate_fault(node->fold, &node->number).what != NULL);
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
            aggregate(dice, node);
        } else if (node->kind == SEGMENT_THEN || node->kind == SEGMENT_THEN_NOT) {
            match(dice, &node->then, depth - 1);
            node->within_ms = length_ms(dice);
        }
    }
}

static struct segment_node *group(struct dice *dice, int depth, bool in_where)
{
    static const enum segment_kind kinds[] = { SEGMENT_AND, SEGMENT_AND, SEGMENT_OR, SEGMENT_OR,
                                               SEGMENT_NOT };
    struct segment_node           *node = make(dice, 1, sizeof *node);
    const struct segment_node    **parts;

    node->kind = PICK(dice, kinds);
    node->parts_count = node->kind == SEGMENT_NOT ? 1 : 2 + dice_roll(dice, 2);
    parts = make(dice, node->parts_count, sizeof parts[0]);
    for (uint32_t i = 0; i < node->parts_count; i++)
        parts[i] = in_where ? filter(dice, depth - 1) : dice_condition(dice, depth - 1);
    node->parts = parts;
    return node;
}

const struct segment_node *dice_condition(struct dice *dice, int depth)
{
    if (depth > 0 && dice_roll(dice, 3) == 0)
        return group(dice, depth, false);
    struct segment_node *node = make(dice, 1, sizeof *node);
    leaf(dice, node, depth);
    return node;
}
