/*
 * keep: how long events are kept, as people write it.
 *
 *      {"events": "2 years", "by_event": {"Page Viewed": "90 days", "Order Completed": "for ever"}}
 *
 * One document of the workspace. What it does not name is kept for ever: without `events` all that
 * `by_event` leaves out. Days are those of the calendar in UTC: with "90 days" everything from
 * before the beginning of the day that was 90 days ago is gone, so an event is kept for 90 days and
 * up to one more.
 *
 * Knows not     what became of older events: see retain.h.
 */
#ifndef DULT_ENGINE_KEEP_H
#define DULT_ENGINE_KEEP_H

#include "base/json.h"

enum { KEEP_EVENTS_MAX = 1000 }; /* that have a length of their own */

enum keep_unit { KEEP_FOR_EVER, KEEP_DAYS, KEEP_MONTHS };

struct keep {
    enum keep_unit unit;
    uint32_t       count;
};

struct keep_event {
    struct str  name;
    struct keep keep;
};

struct keep_rules {
    struct keep        rest;
    struct keep_event *events;
    uint32_t           events_count;
};

/* Reads the document; texts lie in the arena. An empty one keeps all for ever. ERR_INPUT,
 * ERR_LIMIT with a problem. */
MUST enum err keep_read(struct arena *arena, struct str text, struct keep_rules *out,
                        struct problem *problem);

/* "2 years", "6 months", "4 weeks", "90 days", "for ever": at least a day, at most 100 years. */
MUST enum err keep_parse(struct str text, struct keep *out);

/* The beginning of the first day that is kept; TIME_MIN_MS for ever. */
int64_t keep_from_ms(struct keep keep, int64_t now_ms);

#endif
