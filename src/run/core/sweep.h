/*
 * sweep: a thread that frees what nobody may stop for.
 *
 * Giving back an old base or a merged delta takes the system some milliseconds. The engine and the
 * commit thread hand such things over and go on.
 *
 * Always true   what was put is ended once, in the order it came; sweep_close ends the rest.
 * Bounds        SWEEP_WAITING_MAX wait; beyond that, and without memory, the caller ends it itself.
 */
#ifndef DULT_RUN_SWEEP_H
#define DULT_RUN_SWEEP_H

enum { SWEEP_WAITING_MAX = 64 };

struct sweep;

struct sweep *sweep_open(void);                 /* NULL without memory or a thread */
void          sweep_close(struct sweep *sweep); /* NULL is nothing */

/* Calls end(what) soon, on the sweep's thread. Any thread may put. */
void sweep_put(struct sweep *sweep, void (*end)(void *what), void *what);

#endif
