/*
 * stays: how people go through stages: who is in each, who came, how long they stayed, where they
 * went on to.
 *
 *      customer          .--------.
 *      lead         .----'        '-----------
 *      visitor  ----'
 *               --------[from-----------to)---> time
 *
 * Somebody is in the last stage whose condition holds, at every instant, by all that the view knows
 * and by the stages as they are asked: a person is followed from the first instant at which they
 * were known from one answer's end to the next.
 *
 * Always true   a stay is [since, left); it counts where it begins, as somebody who came, and where
 *               it ends, with its length; who is still there has no length yet.
 * Cost          for each person one look for each time that an answer may have turned, and a look
 *               asks the stages from the last on until one holds.
 * Bounds        STAYS_STAGES_MAX stages; STAYS_LOOKS_MAX looks at one person: who needs more is not
 *               followed further, and is counted in `unsure`.
 */
#ifndef DULT_ENGINE_REPORT_STAYS_H
#define DULT_ENGINE_REPORT_STAYS_H

#include "engine/report/groups.h"
#include "engine/report/times.h"

enum {
    STAYS_STAGES_MAX = 50,
    STAYS_LOOKS_MAX = 20000,
    STAYS_NONE = STAYS_STAGES_MAX, /* in no stage */
};

enum stays_who { STAYS_IN, STAYS_CAME, STAYS_ON, STAYS_LEFT };

struct stays_pick {
    uint64_t      *bits; /* NULL: nobody */
    uint32_t       row, stage;
    enum stays_who who;
    bool           has_next; /* LEFT: to `next` alone */
    uint32_t       next;     /* a stage, or STAYS_NONE */
};

struct stays_question {
    const struct segment_program *const *stages; /* `in stage "x"`, the first to come first */
    uint32_t                             count;
    int64_t                              from_ms, to_ms; /* to_ms is outside */
    struct groups_by                     by;             /* of a trait, or nothing */
    struct stays_pick                    pick;
};

struct stays_stage {
    uint64_t     people;  /* in it at the last instant of the period */
    uint64_t     came;    /* people who came to it within the period */
    uint64_t     comings; /* how often */
    uint64_t     on;      /* of those who came: later, by its end, in a further stage */
    uint64_t     left;    /* stays that ended within it */
    struct times took;    /* those */
    uint64_t     next[STAYS_STAGES_MAX + 1]; /* where they led to; STAYS_NONE: to no stage */
};

struct stays {
    struct stays_stage *stages; /* rows * count of the question; the caller's, zeroed */
    uint64_t           *none;   /* by row: known, and in no stage at the last instant */
    uint64_t            unsure;
};

/* ERR_INPUT, ERR_LIMIT with a problem. */
MUST enum err stays_check(const struct stays_question *question, struct problem *problem);
/* Adds the people of the range. ERR_MEMORY. */
MUST enum err stays_run(const struct report *report, const struct stays_question *question,
                        struct report_range range, struct stays *out);
void stays_add(const struct stays_question *question, struct stays *into, const struct stays *from);

/* One person's changes of stage up to to_ms: `stage` (or STAYS_NONE) from at_ms on. False: they are
 * more than can be followed. */
typedef void stays_each(void *context, int64_t at_ms, uint32_t stage);
struct someone;
bool stays_follow(const struct stays_question *question, struct someone *someone, int64_t to_ms,
                  stays_each *each, void *context);

#endif
