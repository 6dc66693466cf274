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
 * condition that moves the way where it is already; nor by one that another part of the segment
 * outweighs, its gate:
 *
 *      plan = "pro" and (did E at least 3 times or country = "NO")
 *         gate             moved by an E              gate         whoever is not pro stays out
 *
 * A gate is what no E can move, so that what it says was so before. When time may open it, the
 * answer is to be asked by then. The other segments are to be asked.
 *
 * Sums are slid: what one was at the last event, less what has left the window since, and what has
 * come. They are kept for those who were lately seen, in a table of fixed size.
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
    HEAR_SUMS = 1 << 18, /* 9 MiB, when a segment asks for a sum */
    HEAR_GATES_MAX = 8,  /* of a condition in a segment, the cheapest */
};

/* What came: an event of that name, or a change of that trait; DICT_NONE for the other. */
struct heard_cause {
    uint16_t event, trait;
};

/*
 * While it has this answer, its segment stands whatever the condition says that it is a gate of.
 * Most ask how often something was done: of fewer than `few` times the answer is known at once.
 */
struct heard_gate {
    const struct segment_op *ops;
    uint32_t                 at;
    bool                     holds; /* this answer */
    bool                     none_holds, few_hold;
    uint8_t                  few; /* 0: it asks otherwise */
    uint16_t                 name;
};

struct heard_user {
    uint32_t segment;
    int8_t   polarity; /* of the condition in the segment; see segment_program.h */
    uint8_t  gates_count;
    uint32_t gates; /* the first */
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
    struct heard_gate *gates; /* of each user, those that kept it lately first */
    uint32_t           count, users_count;
    uint32_t           times_max[2];     /* of this name; of anything */
    int64_t            times_span_ms[2]; /* the longest window of those, to now; TIME_NEVER */
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

/* segment_gate.c: the gates of op `at` when that comes; how many. */
uint32_t segment_gates(const struct segment_program *program, uint32_t at, struct heard_cause cause,
                       struct heard_gate out[static HEAR_GATES_MAX]);

/*
 * A sum over what lies in a window, the last event in it; derived, and may be gone at any time. It
 * is asked at instants that never go back, and all that comes later does so in order and is told,
 * or it is forgotten.
 */
struct hear_sum {
    uint32_t person;
    uint16_t group; /* 0: none */
    uint32_t round, forgot;
    int64_t  from_ms; /* nothing in the window is older */
    int64_t  micro;
};

struct hear_sums {
    uint32_t        round; /* another one: all are gone */
    uint32_t        forgot[HEAR_SUMS];
    struct hear_sum items[HEAR_SUMS];
};

/* The person's sums are gone: their events were not all told, or taken away. */
void hear_sums_forget(struct hear_sums *sums, uint32_t person);

/* Asks for the place in memory where that sum would be kept. */
void hear_sums_prefetch(const struct hear_sums *sums, uint32_t person, uint16_t group);

/* Is the person in the segment, and until when is that known? */
struct heard_member {
    bool    in;
    int64_t until_ms;
};

struct heard_event {
    uint16_t   name;
    uint32_t   seq;
    int64_t    at_ms;
    struct bag bag;
    bool       in_order; /* nothing of the person is dated later */
    struct heard_member (*member)(const void *context, uint32_t segment);
    const void *context;
};

/* The answer stands, but may turn by then, which is later than now. */
struct heard_until {
    uint32_t segment;
    int64_t  until_ms;
};

/* Each list has room for hearing->users_count, and may have a segment more than once. */
struct heard_turned {
    uint32_t           *asked; /* segments that are to be asked */
    struct heard_until *sooner;
    uint32_t            asked_count, sooner_count;
};

/* What follows from the event, which is among the facts. `sums` NULL: none are kept. */
void segment_hear(const struct hearing *hearing, const struct facts *facts,
                  const struct heard_event *event, struct hear_sums *sums,
                  struct heard_turned *out);

/* A comparison of a trait outside of events, with the segment that has it. */
struct heard_trait {
    const struct segment_op *op;
    struct heard_user        user;
    bool                     past; /* it asks for how long: what is told late may turn it */
};

/* What hears of one trait. */
struct heard_traits {
    struct heard_trait *items;
    struct heard_gate  *gates;
    uint32_t            count, gates_count;
};

/* Equal texts have one mark, which is not 0; what is no text has 0. */
uint32_t segment_trait_mark(const struct json *value);
/* The mark of the one text that a COMPARE is to equal; 0: it asks otherwise. */
uint32_t segment_wanted_mark(const struct segment_op *op);

/* Traits below `sources` say where someone lives; those below `derived` may follow from them. */
struct heard_places {
    uint16_t derived, sources;
};

/*
 * Appends the program's comparisons of the trait, and their gates, to `out`, whose lists have room
 * for all its ops and HEAR_GATES_MAX times as many. False when something else asks it, or what
 * follows from it: the segment is then to be asked whenever the trait changes.
 */
bool segment_heard_traits(const struct hearing_segment *segment, uint16_t trait,
                          struct heard_places places, struct heard_traits *out);

/* A trait was told, as its last word or late; values are JSON_NULL where there is none. */
struct heard_change {
    uint16_t    trait;
    bool        same;
    bool        listed; /* one is a list, and the two are not to be looked at */
    struct json before, after;
};

/* What one record told, and who is asked about it. */
struct heard_told {
    const struct heard_change *items;
    uint32_t                   count;
    bool                       late;
    bool                       moves_place; /* traits below places.derived may have changed too */
    struct heard_places        places;
    const struct facts        *past; /* the facts without it */
    struct heard_member (*member)(const void *context, uint32_t segment);
    const void *context;
};

/* What follows from one of its changes, as of an event; the lists have room for hearing->count. */
void segment_hear_trait(const struct heard_traits *hearing, const struct facts *facts,
                        const struct heard_told *told, const struct heard_change *change,
                        struct heard_turned *out);

/* Is whoever did nothing, and of whom nothing is known, out of it for ever? */
bool segment_is_shut(const struct segment_program *program, const struct facts *nothing);

#endif
