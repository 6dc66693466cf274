/*
 * rehearsals: rehearsals that take long, each a job that goes on by itself.
 *
 *      POST   /api/v1/rehearsals        begins one: its number
 *      GET    /api/v1/rehearsals/{id}   how far it is; its answer, once it is there
 *      GET    /api/v1/rehearsals        those that are kept, the newest first
 *      DELETE /api/v1/rehearsals/{id}   ends it where it is; forgets one that has ended
 *
 *      running --+--> done       its answer is what POST /api/v1/journeys/rehearse would have said
 *                +--> failed     and why, as an error would have said it
 *                +--> stopped    by DELETE, among the running reports, or with the program
 *
 * A job has a thread of its own, as polite as the crew's, and is helped by the crew as reports are.
 * Its thread takes the place of one of them, so one of two or more is always left for reports.
 *
 * Always true   one runs at a time; nothing is decided, stored or sent; what was answered lives in
 *               memory alone, and ends with the program.
 * Bounds        below.
 */
#ifndef DULT_RUN_REHEARSALS_H
#define DULT_RUN_REHEARSALS_H

#include "base/err.h"

enum {
    REHEARSALS_KEPT = 8,                     /* that have ended */
    REHEARSALS_KEPT_S = 3600,                /* and for so long */
    REHEARSALS_ANSWERS_BYTES_MAX = 64 << 20, /* of their answers; the newest is kept in any case */
    REHEARSALS_RUN_S = 1800, /* longer none may take: what is erased meanwhile waits for its view */
};

struct api;
struct rehearsals;

struct rehearsals *rehearsals_open(struct api *api); /* NULL without memory */
/* Ends the one that runs. Before the crew and the core close. NULL is nothing. */
void rehearsals_close(struct rehearsals *rehearsals);
/* Forgets all that have ended: somebody is erased, and answers name people. */
void rehearsals_forget(struct rehearsals *rehearsals);

#endif
