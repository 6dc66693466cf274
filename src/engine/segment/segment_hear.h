/*
 * segment_hear: which live conditions one event turns, without asking the segments.
 *
 *      event name  ->  the conditions about it, each once, with the segments that have it
 *
 *      "did E at least 3 times in the last 7 days"   turned: three E in the window, this one of
 * them "sum of x of E in the last 90 days > 100"     turned: above by this one's x
 *
 * A condition that counts up, over a window that reaches to now, comes to hold by an event, or does
 * not; from then on time only takes away. So a segment of which no condition is turned at the event
 * stays as it is, and its `until` stays good: what the answer rests on (enough conditions that
 * hold, or that do not) rests as before. Any other condition about the event makes its segment one
 * of `others`, that are asked.
 *
 * Sums are slid: what one was at the last event, less what has left the window since, and this
 * event's. They are kept for those who were lately seen, in a table of fixed size.
 *
 * Always true   for a person without events dated ahead, asked at the event (now_ms is the latest
 *               instant): what is not turned and not of `others` has the answer from before.
 * Cost          of an event a look back at its name, and one comparison for each condition; for a
 *               sum one read of each event that enters or leaves it.
 */
#ifndef DULT_ENGINE_SEGMENT_HEAR_H
#define DULT_ENGINE_SEGMENT_HEAR_H

#include "engine/segment/segment.h"

enum {
    HEAR_TIMES_MAX = 64,  /* of an event, the newest; "at least 64 times" is one of `others` */
    HEAR_SUMS = 1 << 16,  /* 2 MiB */
    HEAR_TURNED_MAX = 64, /* at one event; more are rare, and then all are asked */
};

struct heard_user {
    uint32_t segment;
    int8_t   effect; /* the condition coming to hold puts people in (1) or out (-1); 0: unknown */
};

struct heard {
    const struct segment_op *ops;
    uint32_t                 at;
    uint16_t                 leaf, group; /* group: of a sum, what is summed; else 0 */
    bool                     moves;       /* from_ms is from now */
    uint32_t                 times;       /* of a count */
    int64_t                  least_micro; /* of a sum */
    int64_t                  from_ms;
    uint32_t                 users, users_count;
};

/* What hears of one event name. */
struct hearing {
    struct heard      *items; /* counts, then sums by group */
    struct heard_user *users;
    uint32_t          *others; /* segments */
    uint32_t           count, users_count, others_count, times_max;
};

/* One segment for segment_hearing_make. */
struct hearing_segment {
    uint32_t                      number;
    const struct segment_program *program;
};

/* ERR_MEMORY. */
MUST enum err segment_hearing_make(struct hearing *hearing, uint16_t event,
                                   const struct hearing_segment *segments, uint32_t count);
void          segment_hearing_done(struct hearing *hearing);

/* A sum as it was at the last event; derived, and may be gone at any time. */
struct hear_sum {
    uint32_t person;
    uint16_t group; /* 0: none */
    uint32_t round, forgot;
    int64_t  from_ms, micro;
};

struct hear_sums {
    uint32_t        round; /* another one: all are gone */
    uint32_t        forgot[HEAR_SUMS];
    struct hear_sum items[HEAR_SUMS];
};

/* The person's sums are gone: their events were not all told, or taken away. */
void hear_sums_forget(struct hear_sums *sums, uint32_t person);

struct heard_event {
    uint16_t   name;
    uint32_t   seq;
    int64_t    at_ms;
    struct bag bag;
};

/*
 * The places in hearing->items that the event, which is among the facts, has turned. `sums` NULL:
 * none are kept. More than HEAR_TURNED_MAX, or something that cannot be told (a value below 0):
 * false, and all are to be asked.
 */
bool segment_hear(const struct hearing *hearing, const struct facts *facts,
                  const struct heard_event *event, struct hear_sums *sums,
                  uint32_t turned[HEAR_TURNED_MAX], uint32_t *count);

/* A comparison of a trait outside of events, with the segment that has it. */
struct heard_trait {
    const struct segment_op *op;
    uint32_t                 segment;
};

/*
 * Appends the program's comparisons of the trait to `out`, which has room for all its ops. False
 * when something else asks it, or asks one of the traits below `derived`, which may follow from it:
 * of whoever has it the segment is then to be asked.
 */
bool segment_heard_traits(const struct hearing_segment *segment, uint16_t trait, uint16_t derived,
                          struct heard_trait *out, uint32_t *count);
/* May the change of value turn the answer of someone who is `in` (or out), now or later? */
bool segment_trait_turns(const struct heard_trait *heard, const struct facts *facts,
                         const struct json *before, const struct json *after, bool in);

/* Is whoever did nothing, and of whom nothing is known, out of it for ever? */
bool segment_is_shut(const struct segment_program *program, const struct facts *nothing);

#endif
