/*
 * report: what all questions about everyone have in common.
 *
 * A report is asked over a view, at an instant, for a stretch of profiles. People are known by
 * their root. Threads ask for stretches side by side, and what they find adds up:
 *
 *      profiles   0 ......... 64k ......... 128k ......... n
 *      threads    [   part 0   |   part 1    |   part 2    ]     each writes its own words
 *      people     the roots that lie in the stretch, wherever their other profiles lie
 *
 * A set of people is a bitmap over profiles: bit p of word p / 64, set for roots only.
 *
 * Always true   what is dated after `at_ms` does not count; a person outside `among` is not there;
 *               who had not come to be by `at_ms` (arrivals.h), and of whom nothing is dated by
 *               then, is nobody.
 * Knows not     threads: it has no state of its own, so any number may ask at once.
 */
#ifndef DULT_ENGINE_REPORT_H
#define DULT_ENGINE_REPORT_H

#include "engine/segment/segment.h"

struct view; /* engine/behaviour/view.h */

enum {
    REPORT_ALIGN = 64, /* a stretch begins at a multiple, so that no two write to one word */
    REPORT_PERIODS_MAX = 400,
    REPORT_GROUPS_MAX = 1000, /* values told apart in one report */
    REPORT_STEPS_MAX = SEGMENT_STEPS_MAX,
};

struct report {
    const struct view  *view;
    int64_t             at_ms;
    const uint64_t     *among; /* a bitmap; NULL: everyone */
    const struct zone  *zone;  /* the workspace's; NULL is UTC */
    const struct zones *zones; /* where people live; NULL: all where the workspace is */
};

/* Profiles from..to - 1. */
struct report_range {
    uint32_t from, to;
};

/* Words of a bitmap over the view's profiles. */
size_t report_words(const struct report *report);
/* Part `part` of `parts`, about equally many profiles each; empty ones are possible. */
struct report_range report_part(const struct report *report, uint32_t part, uint32_t parts);
/* How many bits are set between from and to. */
uint64_t report_bits_count(const uint64_t *bits, struct report_range range);

static inline bool report_bit(const uint64_t *bits, uint32_t profile)
{
    return (bits[profile / 64] >> (profile % 64) & 1) != 0;
}

/*
 * Periods: `count` stretches of time, one after the other; period i is [at_ms[i], at_ms[i + 1]).
 * The caller draws the borders (UTC, or the workspace's zone).
 */
struct report_periods {
    const int64_t *at_ms; /* count + 1, ascending */
    uint32_t       count; /* 1..REPORT_PERIODS_MAX */
};

/*
 * What is meant by an event is a program compiled from `did "X"`, `did anything`,
 * `received any message`, ... with or without `where`, and no window nor times. ERR_INPUT else,
 * with a problem at `where`.
 */
MUST enum err report_event_check(const struct segment_program *program, const char *where,
                                 struct problem *problem);
/* ERR_INPUT, ERR_LIMIT: no period, too many, borders that do not ascend. */
MUST enum err report_periods_check(struct report_periods periods, struct problem *problem);

#endif
