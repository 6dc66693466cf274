/*
 * segment_standing: answers that stand until something can turn them.
 *
 * Whoever did much is asked much, and reading all they did for each thing they do is work that
 * grows with the square. But one event can turn "sum of price of "X" > 100" only if it brings what
 * is missing, and time only when enough has left. So the answer of a leaf (a condition about
 * behaviour) is kept with what must happen before it is worth reading anew:
 *
 *      until    by time alone it stays before this instant
 *      spare    so much may be brought by events, in the direction that could turn it
 *
 *      price      40      30                 a new event is told to every answer about its name,
 *      missing  100 -> 60 -> 30 ...          and what it brings is taken from `spare`;
 *                                            an answer without enough of it is forgotten
 *
 * No order is assumed: an event may be late or dated ahead, for at every instant it either counts
 * or does not, and both are within what was spared.
 *
 * Always true   an answer that is there is the one that reading everything would give, from when
 *               it was asked (asked_ms) until its `until`; a forgotten one costs one reading.
 * Derived       never stored. Whatever takes events away or brings many at once (a merge, its
 *               undo) forgets all of a person's answers.
 * Cost          24 bytes an answer, at most one for STANDING_EVENTS_EACH events of the person, and
 *               none for people with fewer than STANDING_EVENTS_MIN events.
 */
#ifndef DULT_ENGINE_SEGMENT_STANDING_H
#define DULT_ENGINE_SEGMENT_STANDING_H

#include "engine/segment/segment.h"

enum {
    STANDING_EVENTS_MIN = 64, /* fewer are read as quickly as remembered */
    STANDING_EVENTS_EACH = 4, /* so that answers take no more than 6 bytes an event */
};

struct standing {
    int64_t  until_ms;
    int64_t  spare;
    uint16_t event, leaf;
    int8_t   side; /* of a fold: below, at or above the number compared with */
    bool     holds;
};

/* One person's answers, by (event, leaf). */
struct standings {
    struct standing *items;
    uint32_t         count, room;
    uint32_t         most;     /* how many may be kept */
    int64_t          asked_ms; /* the latest instant asked about: no answer is for earlier ones */
};

/* Where the leaves about one event stand among live conditions; ascending, each there once. */
struct segment_leaf {
    uint16_t                 leaf;
    uint32_t                 at;
    const struct segment_op *ops;
};

/* Appends the program's leaves about `event` to `out`, which has room for all its ops. */
uint32_t segment_leaves(const struct segment_program *program, uint16_t event,
                        struct segment_leaf *out);
/* Sorts, and drops what is there twice; how many are left. */
uint32_t segment_leaves_settle(struct segment_leaf *leaves, uint32_t count);

/* An event of that name came: answers that it may have turned are forgotten. */
void standings_tell(struct standings *standings, uint16_t event, struct bag bag,
                    const struct segment_leaf *leaves, uint32_t leaves_count);
void standings_forget(struct standings *standings);

#endif
