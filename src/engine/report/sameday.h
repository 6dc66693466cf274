/*
 * sameday: which journeys wrote to the same person on the same day?
 *
 *      ada   Monday    welcome, cart          welcome + cart    1 person, 2 days
 *            Tuesday   welcome, cart, sale    cart + sale       1 person, 1 day
 *                                             sale + welcome    1 person, 1 day
 *
 * Counted from the messages that are on record: what went out, on whatever channel, by the
 * instant of its sending. Days are those of the report's zone.
 *
 * Cost          letters_read for everyone, and a search by halves for each message of a journey.
 * Bounds        below; `pairs` is journeys * journeys, of which [a * count + b] with a < b is used.
 */
#ifndef DULT_ENGINE_REPORT_SAMEDAY_H
#define DULT_ENGINE_REPORT_SAMEDAY_H

#include "engine/report/letters.h"

enum { SAMEDAY_JOURNEYS_MAX = 200 };

struct sameday_question {
    struct letters_keys keys;
    const struct str   *journeys; /* names, ascending */
    uint32_t            count;    /* 0..SAMEDAY_JOURNEYS_MAX */
    int64_t             from_ms, to_ms;
};

struct sameday_pair {
    uint64_t people, days; /* days: of each person */
};

/* Adds the range to `pairs`, which begin as zero. ERR_MEMORY. */
MUST enum err sameday_run(const struct report *report, const struct sameday_question *question,
                          struct report_range range, struct sameday_pair *pairs);
void          sameday_add(const struct sameday_question *question, struct sameday_pair *into,
                          const struct sameday_pair *from);

#endif
