/*
 * segment_random: random conditions for the tests of this folder.
 *
 * `wild` names and values are what a parser meets (quotes, keywords, other alphabets, extreme
 * numbers); tame ones are few and small, so that they meet the events of a random history.
 */
#ifndef DULT_ENGINE_SEGMENT_RANDOM_TEST_H
#define DULT_ENGINE_SEGMENT_RANDOM_TEST_H

#include "base/hash.h"
#include "engine/segment/segment.h"

/*
 * What a condition may hold beyond the first of the language: an evaluator's test names what it
 * can answer, the tests of the faces take all.
 */
enum {
    DICE_DATES = 1 << 0,    /* days, "now", "today" as literals and in windows */
    DICE_CALENDAR = 1 << 1, /* windows "today", "last month" */
    DICE_DAY = 1 << 2,      /* birthday is in 7 days, anniversaries */
    DICE_BEEN = 1 << 3,
    DICE_MATCHES = 1 << 4,
    DICE_ANYTHING = 1 << 5, /* did anything */
    DICE_SUBJECTS = 1 << 6, /* messages and journeys */
    DICE_ELEMENT = 1 << 7,
    DICE_FOLDS = 1 << 8, /* count, days between, first, last, most frequent, their times */
    DICE_WITH = 1 << 9,  /* of a list only these elements */
    DICE_SAME = 1 << 10, /* with the same cart_id */
    DICE_FUNNEL = 1 << 11,
    DICE_MEMBER = 1 << 12, /* in stage, in journey */
    DICE_CONSENT = 1 << 13,
    DICE_DEEDS = DICE_ANYTHING | DICE_SUBJECTS | DICE_ELEMENT | DICE_FOLDS | DICE_WITH | DICE_SAME |
                 DICE_FUNNEL,
    DICE_ALL = ~0,
};

struct dice {
    uint64_t      state;
    struct arena *arena;
    bool          wild;
    int64_t       base_ms; /* tame dates lie in the 24 hours after it */
    int           more;    /* DICE_... */
};

/* 0 .. sides - 1 */
uint32_t dice_roll(struct dice *dice, uint32_t sides);
/* A value as properties have them, of few, so that equal ones meet. */
struct json                dice_scalar(struct dice *dice);
const struct segment_node *dice_condition(struct dice *dice, int depth);
/* One question about days and dates: of a trait, or in a window of the calendar. */
const struct segment_node *dice_when(struct dice *dice);
/* An aggregate without a test. */
const struct segment_node *dice_value(struct dice *dice, int depth);
/* One about behaviour, of every kind; tame whatever the dice say. */
const struct segment_node *dice_deed(struct dice *dice);
/* DULT_SEED from the environment, or a new one; printed, so that a failure can be replayed. */
uint64_t dice_seed(const char *what);

#endif
