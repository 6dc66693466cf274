/*
 * segment_hear: which segments one event turns, without asking them all.
 *
 *      event name  ->  the conditions about it, each once, with the segments that have it
 *
 *      did E at least 3 times in the last 7 days     turned: three E in the window, this one of
 * them sum of x of E in the last 90 days > 100       turned: above by this one's x did A then E
 * within 1 hour                    turned: an A in the hour before
 *
 * What an event says of a condition is the way it moves it: it comes to hold, it ceases to, or
 * either; or not at all. A segment of which no condition is moved stays as it is, and its `until`
 * stays good: what the answer rests on (enough conditions that hold, or that do not) rests as
 * before, for time only takes away from what counts up to now. Nor does a segment turn by a
 * condition that moves the way where it is already. The others are to be asked.
 *
 * Sums are slid: what one was at the last event, less what has left the window since, and this
 * event's. They are kept for those who were lately seen, in a table of fixed size.
 *
 * Always true   for a person without events dated ahead, asked at the event (now_ms is the latest
 *               instant): a segment that is not to be asked has the answer from before.
 * Cost          of an event a look back at its name, and one comparison for each condition that
 *               counts; for a sum one read of each event that enters or leaves it.
 */
#ifndef DULT_ENGINE_SEGMENT_HEAR_H
#define DULT_ENGINE_SEGMENT_HEAR_H

#include "engine/segment/segment.h"

enum {
    HEAR_TIMES_MAX = 64, /* of an event, the newest; "at least 64 times" is read each time */
    HEAR_SUMS = 1 << 18, /* 11 MiB, when a segment asks for a sum */
};

struct heard_user {
    uint32_t segment;
    int8_t   polarity; /* of the condition in the segment; see segment_program.h */
};

/* How an event is told to a condition. */
enum heard_kind {
    HEARD_COUNT,  /* it is the n-th in the window */
    HEARD_LAPSE,  /* "more than d ago": it is the first for that long */
    HEARD_FIRST,  /* it is the first of all */
    HEARD_THEN,   /* "then", "then no": it follows, or is to be followed */
    HEARD_FUNNEL, /* it is the step that is asked about */
    HEARD_VALUE,  /* greatest, least: its value is beyond the number */
    HEARD_LATEST, /* last of ...: its value passes, or does not */
    HEARD_READ,   /* what counts up, in other ways: all of it is read */
    HEARD_EACH,   /* any that matches may turn it */
    HEARD_SUM,
};

struct heard {
    const struct segment_op *ops;
    uint32_t                 at;
    enum heard_kind          kind;
    bool                     any;          /* it is about anything */
    bool                     moves;        /* from_ms is from now */
    bool                     zoned;        /* it asks about the person's days */
    int8_t                   way;          /* of COUNT, SUM, READ: where it moves when it counts */
    uint16_t                 equal, group; /* group: of a sum, what is summed; else 0 */
    uint32_t                 times;        /* of a count */
    int64_t                  least_micro;  /* of a sum */
    int64_t                  from_ms;
    uint32_t                 users, users_count;
};

/* What hears of one event name. */
struct hearing {
    struct heard      *items; /* counts by (any, times), others, sums by group */
    struct heard_user *users;
    uint32_t           count, users_count;
    uint32_t           times_max[2]; /* of this name; of anything */
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
    bool       in_order; /* nothing of the person is dated later */
    /* Is the person in the segment? */
    bool (*is_in)(const void *context, uint32_t segment);
    const void *context;
};

/*
 * The segments that are to be asked because of the event, which is among the facts: some of
 * hearing->users, perhaps more than once. `sums` NULL: none are kept. How many.
 */
uint32_t segment_hear(const struct hearing *hearing, const struct facts *facts,
                      const struct heard_event *event, struct hear_sums *sums, uint32_t *out);

/* A comparison of a trait outside of events, with the segment that has it. */
struct heard_trait {
    const struct segment_op *op;
    uint32_t                 segment;
    bool                     past; /* it asks for how long: what is told late may turn it */
    uint32_t equal; /* segment_trait_mark of the one text it is to equal; 0: it asks otherwise */
};

/* Equal texts have one mark, which is not 0; what is no text has 0. */
uint32_t segment_trait_mark(const struct json *value);

/* Most segments ask for another value than the trait had or has now: a look at the marks tells. */
static inline bool segment_trait_touches(const struct heard_trait *heard, uint32_t before,
                                         uint32_t after)
{
    return heard->equal == 0 || heard->equal == before || heard->equal == after;
}

/* Traits below `sources` say where someone lives; those below `derived` may follow from them. */
struct heard_places {
    uint16_t derived, sources;
};

/*
 * Appends the program's comparisons of the trait to `out`, which has room for all its ops. False
 * when something else asks it, or what follows from it: the segment is then to be asked whenever
 * the trait changes.
 */
bool segment_heard_traits(const struct hearing_segment *segment, uint16_t trait,
                          struct heard_places places, struct heard_trait *out, uint32_t *count);
/* May the change of value turn the answer of someone who is `in` (or out), now or later? */
bool segment_trait_turns(const struct heard_trait *heard, const struct facts *facts,
                         const struct json *before, const struct json *after, bool in);

/* Is whoever did nothing, and of whom nothing is known, out of it for ever? */
bool segment_is_shut(const struct segment_program *program, const struct facts *nothing);

#endif
