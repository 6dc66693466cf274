/*
 * purge: stored events that are no longer kept are removed, a few between two commits.
 *
 *      seq  1 ............ cursor ............... limit       newer ones were looked at as they
 * came gone or kept   |----- to be looked at ---|
 *
 * The commit thread does it: after each batch a small step, and step after step while there is
 * nothing to write. Rows are found by reading the heads in order, and removed as in an erasure, so
 * that their bytes are overwritten; at the end the WAL is emptied. How far it got is kept from time
 * to time; after a crash it goes on from there.
 *
 * From one day to the next the border moves by a day, and most rows are far from it. So of each
 * stretch of rows that was read it is known how far the border may still move before anything in it
 * goes, and a stretch that is farther is not read again:
 *
 *      stretch 1       stretch 2       stretch 3       stretch 4
 *      all gone        3 days          40 days         200 days left      a day more: none is read
 *
 * Always true   only what the engine does not see any more is removed (retain.h): whenever it ends,
 *               a load gives the same engine.
 * Cost          the first move since the start reads the heads of all rows, and so does one to
 * rules that take away sooner; a move by a day only stretches that the border came to. 8 bytes for
 * 8,192 rows. A step reads so many rows as its caller says. Pages that became free are used again,
 * the file does not shrink.
 */
#ifndef DULT_RUN_PURGE_H
#define DULT_RUN_PURGE_H

#include "engine/behaviour/retention.h"
#include "store/store.h"

struct purge;

/* How far it is; read by any thread. */
struct purge_progress {
    uint64_t seq;    /* the record that put in force what it goes by; 0: there is nothing to do */
    uint64_t looked; /* of `limit` records */
    uint64_t limit;
    uint64_t removed; /* rows, since ever */
    uint64_t read;    /* rows, since the start: what it cost */
    bool     is_done;
};

struct purge *purge_open(struct store *store);  /* NULL without memory */
void          purge_close(struct purge *purge); /* NULL is nothing */

/* What is in force since record `seq`: everything up to it is looked at anew. Takes the table.
 * On the commit thread, or before it runs. */
void purge_begin(struct purge *purge, struct retention in_force, uint64_t seq);
/* Goes on where the text of a former process says. */
void purge_resume(struct purge *purge, struct str text);

bool purge_is_under_way(const struct purge *purge);
/* A step of at most `rows` rows; how long to wait before the next, in microseconds: more than 0
 * where the disk or a reader is in the way. On the commit thread. */
int64_t purge_step(struct purge *purge, uint32_t rows);

struct purge_progress purge_progress(const struct purge *purge);

#define PURGE_META STR("purge")

#endif
