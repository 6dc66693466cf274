/* Random conditions about what people did, of the kinds that ask about lists, messages, journeys,
 * aggregates of every sort and sequences. Tame ones: they meet the events of a random history. */
#include "base/test.h"
#include "engine/segment/segment_fault.h"
#include "engine/segment/segment_random_test.h"
#include "engine/segment/segment_words.h"

#define PICK(dice, array) ((array)[dice_roll((dice), sizeof(array) / sizeof((array)[0]))])

static void *make(struct dice *dice, size_t count, size_t bytes)
{
    void *made = arena_array(dice->arena, count, bytes);
    assert_non_null(made);
    return made;
}

static struct segment_node *node_of(struct dice *dice, enum segment_kind kind)
{
    struct segment_node *node = make(dice, 1, sizeof *node);
    *node = (struct segment_node){ .kind = kind };
    return node;
}

static struct segment_literal literal(struct dice *dice)
{
    static const char *const texts[] = { "x", "y", "xy", "" };
    if (dice_roll(dice, 2) == 0)
        return (struct segment_literal){
            SEGMENT_TEXT, { .kind = JSON_STRING, .string = str_of(PICK(dice, texts)) }
        };
    return (struct segment_literal){
        SEGMENT_NUMBER, { .kind = JSON_INT, .integer = (int64_t)dice_roll(dice, 6) - 2 }
    };
}

static void compare(struct dice *dice, struct segment_compare *c, const char *key)
{
    static const enum segment_test tests[] = { SEGMENT_EQUAL,   SEGMENT_NOT_EQUAL,
                                               SEGMENT_MORE,    SEGMENT_AT_MOST,
                                               SEGMENT_EXISTS,  SEGMENT_NOT_EXISTS,
                                               SEGMENT_CONTAINS };
    struct segment_literal        *value = make(dice, 1, sizeof *value);
    do {
        *value = literal(dice);
        *c = (struct segment_compare){ .key = str_of(key), .test = PICK(dice, tests) };
        c->values = value;
        c->values_count = c->test != SEGMENT_EXISTS && c->test != SEGMENT_NOT_EXISTS;
    } while (segment_compare_fault(c).what != NULL);
}

/* A condition on the properties of an event, or of one element (with keys of its own). */
static struct segment_node *filter(struct dice *dice, int depth, bool in_element)
{
    static const char *const inner[] = { "n", "s", "n", "t", "none" };
    static const char *const outer[] = { "n", "s", "tags", "p.n", "p.s", "p.t" };
    uint32_t                 roll = dice_roll(dice, 4);
    if (depth > 0 && roll == 0) {
        struct segment_node        *node = node_of(dice, SEGMENT_AND);
        const struct segment_node **parts = make(dice, 2, sizeof parts[0]);
        node->kind = dice_roll(dice, 2) == 0 ? SEGMENT_AND : SEGMENT_OR;
        parts[0] = filter(dice, depth - 1, in_element);
        parts[1] = filter(dice, depth - 1, in_element);
        node->parts = parts;
        node->parts_count = 2;
        return node;
    }
    if (depth > 0 && roll <= 2) {
        struct segment_node        *node = node_of(dice, SEGMENT_NOT);
        const struct segment_node **parts = make(dice, 1, sizeof parts[0]);
        bool                        element = !in_element && roll == 1;
        parts[0] = filter(dice, depth - 1, in_element || element);
        if (element) {
            node->kind = SEGMENT_ELEMENT;
            node->compare.key = dice_roll(dice, 4) == 0 ? STR("o.p") : STR("p");
            node->compare.which = dice_roll(dice, 2) == 0 ? SEGMENT_ANY : SEGMENT_ALL;
        }
        node->parts = parts;
        node->parts_count = 1;
        return node;
    }
    struct segment_node *node = node_of(dice, SEGMENT_COMPARE);
    compare(dice, &node->compare, in_element ? PICK(dice, inner) : PICK(dice, outer));
    node->compare.which = (enum segment_which)dice_roll(dice, 3);
    if (segment_compare_fault(&node->compare).what != NULL)
        node->compare.which = SEGMENT_PLAIN;
    return node;
}

static void match(struct dice *dice, struct segment_match *m)
{
    static const char *const names[] = { "A", "A", "B", "C" }, *const journeys[] = { "m0", "m1" },
                             *const messages[] = { "m0", "m1" };
    m->subject = dice_roll(dice, 3) > 0
                     ? SEGMENT_EVENT
                     : (enum segment_subject)dice_roll(dice, SEGMENT_REACHED_GOAL + 1);
    if (m->subject == SEGMENT_EVENT)
        m->event = str_of(PICK(dice, names));
    if (m->subject >= SEGMENT_ENTERED) {
        m->name = str_of(PICK(dice, journeys));
    } else if (m->subject >= SEGMENT_RECEIVED) {
        m->of = (enum segment_of)dice_roll(dice, SEGMENT_OF_COUNT);
        if (m->of != SEGMENT_OF_ANY)
            m->name = str_of(PICK(dice, messages));
        if (m->subject == SEGMENT_OPENED || m->subject == SEGMENT_CLICKED)
            m->hits = (enum segment_hits)dice_roll(dice, 3);
    }
    if (dice_roll(dice, 3) == 0)
        m->where = filter(dice, 2, false);
}

static void window(struct dice *dice, struct segment_window *w)
{
    static const enum segment_window_kind kinds[] = {
        SEGMENT_EVER, SEGMENT_EVER, SEGMENT_LAST, SEGMENT_LAST, SEGMENT_NOT_LAST, SEGMENT_SINCE
    };
    w->kind = PICK(dice, kinds);
    if (w->kind == SEGMENT_SINCE)
        w->from_ms = dice->base_ms + dice_roll(dice, 25) * TIME_HOUR_MS;
    else if (w->kind != SEGMENT_EVER)
        w->length_ms = (dice_roll(dice, 12) + 1) * TIME_HOUR_MS;
}

static void number(struct dice *dice, struct segment_node *node)
{
    static const double gaps[] = { 0, 0.0625, 0.125, 0.25 };
    struct json         real = { .kind = JSON_REAL };
    node->test = (enum segment_test)dice_roll(dice, SEGMENT_AT_MOST + 1);
    real.real = node->fold == SEGMENT_GAP     ? PICK(dice, gaps)
                : node->fold == SEGMENT_COUNT ? (double)dice_roll(dice, 12) * 0.5 - 1
                                              : (double)dice_roll(dice, 8);
    node->number = segment_number(real);
}

static void aggregate(struct dice *dice, struct segment_node *node)
{
    static const char *const properties[] = { "n", "s", "tags", "p.n", "p.s", "p.t", "p" };
    node->fold = (enum segment_fold)dice_roll(dice, SEGMENT_LAST_TIME + 1);
    bool timed = node->fold == SEGMENT_GAP || node->fold >= SEGMENT_FIRST_TIME;
    if (!timed && (node->fold != SEGMENT_COUNT || dice_roll(dice, 2) == 0))
        node->property = str_of(PICK(dice, properties));
    if (node->property.len > 0 && dice_roll(dice, 2) == 0)
        node->with = filter(dice, 1, true);
    if (node->fold < SEGMENT_FIRST_VALUE) {
        number(dice, node);
    } else {
        compare(dice, &node->compare, "");
        if (node->fold >= SEGMENT_FIRST_TIME) {
            struct segment_literal *date = make(dice, 1, sizeof *date);
            *date = (struct segment_literal){ SEGMENT_DATE, { .kind = JSON_INT } };
            date->value.integer = dice->base_ms + dice_roll(dice, 25) * TIME_HOUR_MS;
            node->compare.test = (enum segment_test)dice_roll(dice, SEGMENT_AT_MOST + 1);
            node->compare.values = date;
            node->compare.values_count = 1;
        }
    }
}

static void same(struct dice *dice, struct segment_node *node)
{
    node->within_ms = (dice_roll(dice, 12) + 1) * TIME_HOUR_MS;
    if (dice_roll(dice, 2) == 0)
        node->same = dice_roll(dice, 4) > 0 ? STR("k") : STR("tags");
}

static void funnel(struct dice *dice, struct segment_node *node)
{
    struct segment_match *steps;
    node->steps_count = 2 + dice_roll(dice, 3);
    steps = make(dice, node->steps_count, sizeof steps[0]);
    for (uint32_t i = 0; i < node->steps_count; i++) {
        steps[i] = (struct segment_match){ 0 };
        match(dice, &steps[i]);
    }
    node->steps = steps;
    node->step = 1 + dice_roll(dice, node->steps_count);
    if (node->step < node->steps_count && dice_roll(dice, 2) == 0)
        node->not_step = node->step + 1 + dice_roll(dice, node->steps_count - node->step);
    same(dice, node);
}

const struct segment_node *dice_deed(struct dice *dice)
{
    static const enum segment_kind kinds[] = {
        SEGMENT_DID,       SEGMENT_DID,       SEGMENT_FIRST_DID, SEGMENT_LAST_DID,
        SEGMENT_AGGREGATE, SEGMENT_AGGREGATE, SEGMENT_AGGREGATE, SEGMENT_THEN,
        SEGMENT_THEN_NOT,  SEGMENT_THEN_NOT,  SEGMENT_FUNNEL,    SEGMENT_FUNNEL
    };
    struct segment_node *node = node_of(dice, PICK(dice, kinds));
    window(dice, &node->match.window);
    if (node->kind == SEGMENT_FUNNEL) {
        funnel(dice, node);
        return node;
    }
    match(dice, &node->match);
    if (node->kind == SEGMENT_DID) {
        node->times = (enum segment_times)dice_roll(dice, 3);
        node->times_count = dice_roll(dice, 5);
    } else if (node->kind == SEGMENT_AGGREGATE) {
        aggregate(dice, node);
    } else if (node->kind == SEGMENT_THEN || node->kind == SEGMENT_THEN_NOT) {
        match(dice, &node->then);
        same(dice, node);
    }
    return node;
}
