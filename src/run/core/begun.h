/*
 * begun: which claimed messages were handed to the world, so that a killed process leaves no more
 * in doubt than it must.
 *
 *      claimed (in the store) --> waits for a place --> begun_add --> first byte ... begun_heard
 *      after a kill:                goes again        |  in doubt, "unknown"      |  what was heard
 *
 * A claim in the store cannot tell the one from the other, and a second commit before each first
 * byte would cost as much as the first. A page of a mapped file costs nothing, and the system keeps
 * it when the process is killed. Not when the machine stops: so the file names the boot it was
 * written in, itself (device, inode), for a copy may be older than the store beside it, and that
 * store (dult.db's inode and time of birth), for one may be put in its place. Of another boot, a
 * copy or another store nothing is believed, and every claimed message is in doubt. Not seen: a
 * dult.db overwritten in place.
 *
 * Always true   a message is added before its first byte may leave; what the run before left stays
 *               until begun_settle, so that a start that is killed can be tried again.
 * Cost          a file of 32 KB; an addition is a store to memory under a lock.
 */
#ifndef DULT_RUN_BEGUN_H
#define DULT_RUN_BEGUN_H

#include "base/str.h"

enum { BEGUN_MESSAGES_MAX = 4092 };

struct begun;

/* In the folder, whose store is there, by the only process that writes there. ERR_IO with a
 * problem, ERR_MEMORY. */
MUST enum err begun_open(struct begun **out, const char *dir, struct problem *problem);
void          begun_close(struct begun *begun); /* NULL is nothing */

enum begun_state {
    BEGUN_NOT, /* not a byte of it has left */
    BEGUN_MAY, /* nobody knows how far it came */
    /* It was answered; only that was not in the store yet. */
    BEGUN_SENT,    /* taken */
    BEGUN_KEPT,    /* taken by the outbox of a trial */
    BEGUN_REFUSED, /* for good */
    BEGUN_PUT_OFF, /* and counts as a try */
};

/* Of a message that the run before had claimed. When the file cannot be believed: BEGUN_MAY. */
enum begun_state begun_look(const struct begun *begun, uint64_t message);
/* What the run before left is settled in the store, and is forgotten. */
void begun_settle(struct begun *begun);

/* Any thread; gives the place it is noted at. When there are more than BEGUN_MESSAGES_MAX, the file
 * is not believed any more, and the place is none. */
uint32_t begun_add(struct begun *begun, uint64_t message);
/* What was answered (BEGUN_SENT or after); the store will hear of it. */
void begun_heard(struct begun *begun, uint32_t place, enum begun_state what);
/* Its outcome is in the store, or it has certainly not left: the place is another's from here on.
 */
void begun_remove(struct begun *begun, uint32_t place);

#endif
