/*
 * erasing: forgetting people for good, in the background.
 *
 * An erasure is decided as any record (engine/erasure.h): nobody finds the person from then on.
 * What is on disk follows on a thread of its own, and goes on after a crash where it stood:
 *
 *      decided          the erasure is on disk        the engine and readers know nothing more
 *      ROWS             rejected events, events, then all decisions and checkpoint rows at once
 *      INDEX            a base without them is made (index.c), and shown to readers
 *      FILES            the store's log is cut, before-*.db are removed; what others keep in the
 * folder is gone (core_keeper), and what the outbox of a trial kept, too (outbox.h) DONE noted in
 * the store: "erasure.<seq>" = when
 *
 * Until ROWS is over all of a person's decisions are there, or none: a load in between forgets
 * them anew. What was rejected is found by the person's ids and addresses in it.
 *
 * Always true   erasures are done in order; those asked for meanwhile wait for the next round.
 * Cost          a round reads the heads of all events once and all decisions three times, whatever
 *               the number of people.
 * Threads       open and close: the core's owner; the rest on any.
 */
#ifndef DULT_RUN_ERASING_H
#define DULT_RUN_ERASING_H

#include "base/err.h"
#include "run/core/core.h"

struct erasing;

/* Reads from the store how far it came; no thread runs yet. ERR_MEMORY, ERR_IO. */
MUST enum err erasing_open(struct erasing **out, struct core *core);
MUST enum err erasing_start(struct erasing *erasing);
/* Ends after the step under way. NULL is nothing; the store must still be open. */
void erasing_close(struct erasing *erasing);

/* The erasure of record `seq` is on disk. */
void erasing_want(struct erasing *erasing, uint64_t seq);
/* Readers are shown a base that knows all records up to `seq`. */
void erasing_index(struct erasing *erasing, uint64_t seq);

/* See core_keeper_set; NULL: there is none. */
void erasing_keeper_set(struct erasing *erasing, const struct core_keeper *keeper);

/* Up to which erasure no row is left. */
uint64_t            erasing_seq(struct erasing *erasing);
struct core_erasure erasing_state(struct erasing *erasing, uint64_t seq);

#endif
