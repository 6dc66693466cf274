/*
 * checkpoint: the state of everyone as it was at one record, taken while life goes on.
 *
 * A round begins at a seq. Profiles are written in order, a slice at a time; the row of whoever is
 * about to change before their turn is copied first, as they were, and written in its turn. So all
 * rows of a finished round are true at the same record, and loading is: the rows, then every
 * decision after that record.
 *
 *      round begins at seq 900      written 0..k      | a profile beyond k changes:
 *      |<------------ rows ------------------------->|   its row is copied, then it changes
 *
 * The store keeps rows by profile: in order they share their pages, and one out of order would cost
 * a page of its own. Rounds alternate between two sets of rows, so a round that was never finished
 * harms nothing.
 *
 * Always true   a profile has one row a round, in the order of their numbers; profiles made after
 * it began have none. At most a third of all rows wait as copies. Cost          about 100 bytes and
 * a microsecond a profile.
 */
#ifndef DULT_ENGINE_CHECKPOINT_H
#define DULT_ENGINE_CHECKPOINT_H

#include "engine/engine.h"

struct checkpoint_row {
    uint32_t   profile;
    struct str state;
};

/*
 * Begins a round; its number (odd, even) is the set. ERR_CONFLICT while one is under way; ERR_WAIT
 * while everyone is asked about a change: rows of those not yet asked would have answers that were
 * good until an instant by the definition before, and nothing would tell so later.
 */
MUST enum err checkpoint_begin(struct engine *engine, uint32_t *round);
bool          checkpoint_is_open(const struct engine *engine);

/*
 * Gives the next `most` rows to store, or twice as many as were copied since the last time when
 * that is more. Rows live in `arena`. *done: nothing is left, the round is over.
 */
MUST enum err checkpoint_take(struct engine *engine, struct arena *arena, uint32_t most,
                              struct checkpoint_row **rows, uint32_t *count, bool *done);
void          checkpoint_end(struct engine *engine); /* also gives up one that is under way */

/* Makes the next profile from its row; rows come in order. ERR_CORRUPT. */
MUST enum err checkpoint_load(struct engine *engine, uint32_t profile, struct str state);

/*
 * What is left of the row of a profile that was erased after it was written: its ring, which the
 * rows of others rest on, and what went over to others by a merge since: enrollments, messages and
 * pasts, numbers all of it. `erasure` NULL: all of these, for nobody knows yet. ERR_CORRUPT: the
 * row is of no version that is loaded.
 */
struct erasure;
MUST enum err checkpoint_bare(struct str state, const struct erasure *erasure, uint32_t profile,
                              struct buf *out);

/* A living profile's row of record `seq` without the identities that erased ones took over since;
 * empty where it has none of them. */
MUST enum err checkpoint_pruned(struct str state, const struct erasure *erasure, uint64_t seq,
                                struct buf *out);

/* After the last row: are the rings whole? ERR_CORRUPT. */
MUST enum err checkpoint_loaded(const struct engine *engine);

/* The jobs under way as text, and back. */
void          engine_jobs_write(const struct engine *engine, struct buf *out);
MUST enum err engine_jobs_load(struct engine *engine, struct str text);

#endif
