/*
 * view: everyone's behaviour as of one record, for readers beside the engine.
 *
 *      level 0   the base: profiles in order, each one's events in time order; never changes
 *      level 1   what came since, sorted the same way when the view is made
 *      level 2   the newest of it, where an older view had most of it sorted already
 *      rings     which profiles are one person
 *      arrivals  when each profile came to be
 *
 * An edition is what the timeline had at one record: the base and how much of the log counts. The
 * engine's thread gives it, whoever holds it keeps base and log alive; making a view of it, and
 * asking the view, needs neither the engine nor a lock.
 *
 *      engine    edition 7      edition 8      edition 9
 *                    |                             |
 *      readers    view of 7  - its sorting ->  view of 9
 *
 * Always true   a view shows exactly the records up to `seq`; it never changes. What was forgotten
 *               (timeline.h) is gone from level 0 only after the merge that follows.
 * Cost          sorting what came since the view before; 8 bytes a profile and 38 an event of the
 *               levels beyond 0. Making one of 200,000 new events takes some 10 ms, of a few
 *               thousand more about one.
 * Handing over  between threads is the caller's: what hands a pointer on must order memory, as a
 *               mutex does.
 */
#ifndef DULT_ENGINE_VIEW_H
#define DULT_ENGINE_VIEW_H

#include "engine/behaviour/level.h"

enum { VIEW_LEVELS_MAX = 3 };

struct view {
    uint32_t        seq;         /* the last record that counts */
    int64_t         now_ms;      /* the engine's time at that record */
    uint32_t        profiles;    /* in all */
    const uint32_t *root, *next; /* by profile: as in rings.h */
    const int64_t  *arrived_ms;  /* by profile: as in arrivals.h; NULL: of nobody */
    struct level    levels[VIEW_LEVELS_MAX];
    uint32_t        levels_count; /* at least 1; any of them may be empty */
    struct bags     bags;
};

struct edition; /* what is published: base, log, rings, each held */

struct edition *edition_hold(struct edition *edition);
void            edition_drop(struct edition *edition); /* on any thread; NULL is nothing */
/* Does the newer one hold all that the older holds? Then dropping the older frees next to nothing;
 * else it may take milliseconds. */
bool edition_follows(const struct edition *newer, const struct edition *older);

/* Makes a view, held once; `before` (may be NULL) is an older view whose sorting is of use; it may
 * be dropped at any time after, and so may the edition. ERR_MEMORY. */
MUST enum err view_make(struct view **out, const struct edition *edition,
                        const struct view *before);
struct view  *view_hold(struct view *view);
void          view_drop(struct view *view); /* on any thread; NULL is nothing */

/* How many profiles had come to be by an instant: those numbered below. */
uint32_t view_profiles_by(const struct view *view, int64_t at_ms);

/* The runs of one profile, at most VIEW_LEVELS_MAX; returns how many. */
uint32_t view_runs(const struct view *view, uint32_t profile, struct run *runs);

#endif
