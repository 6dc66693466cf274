/*
 * memberships: in which segments a person is, and until when that holds by itself.
 *
 * One block of the slab's, in columns, for an event asks of many segments and nearly all of them
 * are answered by the first line of it:
 *
 *      segment, in, timed | until          | entered
 *      2 bytes each       | 6 bytes each   | 6 bytes each        by segment, `room` of each
 *
 * A row that says nothing (not in it, and time changes nothing) is not kept. Since when the
 * condition is true is not among them: it follows from the timeline (engine_since), and changes
 * with what is learnt late.
 *
 * Bounds        MEMBERSHIP_SEGMENTS segments. Instants are kept to the millisecond from the year
 *               1080 to the end of 9999; an earlier one is kept as the first of these, and
 *               "until" a later one is TIME_NEVER.
 */
#ifndef DULT_ENGINE_MEMBERSHIPS_H
#define DULT_ENGINE_MEMBERSHIPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slab.h"

enum { MEMBERSHIP_SEGMENTS = 1 << 14 };

struct membership {
    int64_t  until_ms;   /* when time alone may change it; TIME_NEVER */
    int64_t  entered_ms; /* the instant of the decision, which is never rewritten */
    uint32_t segment;
    bool     in;
};

struct memberships {
    unsigned char *bytes; /* NULL while there are none */
    uint32_t       count, room;
};

/* The i-th by segment. */
struct membership memberships_at(const struct memberships *all, uint32_t i);
int64_t           memberships_until_ms(const struct memberships *all, uint32_t i);

/* That of the segment; not in it, TIME_NEVER and 0 where nothing is kept of it. */
struct membership memberships_of(const struct memberships *all, uint32_t segment);

/* Takes the place of the segment's. ERR_MEMORY: all are as they were. */
MUST enum err memberships_set(struct memberships *all, struct slab *slab, struct membership one);

/* Room for so many without another block. ERR_MEMORY: all are as they were. */
MUST enum err memberships_reserve(struct memberships *all, struct slab *slab, uint32_t room);

void memberships_prefetch(const struct memberships *all);
void memberships_done(struct memberships *all);

#endif
