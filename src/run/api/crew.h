/*
 * crew: the threads that read, beside the engine and politer than it.
 *
 *      requests --> [ waiting ] --> a thread serves one ----> its work, in parts of profiles
 *                     full: ERR_WAIT                             ^          ^
 *                                                       that thread     and whoever is free
 *
 * A request is served by one thread. What it must ask everyone it lays open as work; a thread that
 * is free helps with open work before it takes the next request. Every thread that helps with one
 * work is one of its hands, numbered from 0, so that each can add up on its own.
 *
 * Always true   a part is run once, by one hand; crew_share returns when no hand is at it any
 *               more; the thread that laid the work open never waits while parts are left.
 * Cost          one lock a part; a part is some thousand profiles, about a millisecond.
 * Politeness    the threads have a niceness of CREW_NICENESS: with all processors busy the engine
 *               and the disk come first.
 */
#ifndef DULT_RUN_CREW_H
#define DULT_RUN_CREW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
    CREW_THREADS_MAX = 64,
    CREW_PART_PROFILES = 8192,
    CREW_NICENESS = 10,
};

struct crew;

struct crew_conf {
    uint32_t threads; /* 1..CREW_THREADS_MAX */
    uint32_t waiting_max;
    void    *context;
    void (*serve)(void *context, uint32_t thread, void *item);
    void (*idle)(void *context); /* about once a second, on one thread after the other; or NULL */
};

MUST enum err crew_open(struct crew **out, const struct crew_conf *conf);
/* What waits is still served. NULL is nothing. */
void crew_close(struct crew *crew);

/* ERR_WAIT when as many wait as may. */
MUST enum err crew_put(struct crew *crew, void *item);

struct crew_work {
    void    *context;
    uint32_t profiles; /* 0 .. profiles are to be asked */
    uint32_t hands;    /* threads at most; 0: all there are */
    void (*part)(void *context, uint32_t hand, uint32_t from, uint32_t to);
    bool (*is_over)(void *context); /* nobody waits for it any more; asked before each part */

    /* The crew's own. */
    uint32_t          next, joined, busy;
    bool              is_stopped;
    struct crew_work *after;
};

/* Runs every part, on the caller's thread and any of the crew's; false when it was over before its
 * end. */
bool crew_share(struct crew *crew, struct crew_work *work);
/* How far a work is: profiles that some hand has taken up. */
uint32_t crew_progress(struct crew *crew, const struct crew_work *work);
uint32_t crew_threads(const struct crew *crew);
uint32_t crew_waiting(struct crew *crew);

#endif
