/*
 * retain: older events never happened.
 *
 * How long events are kept is a definition (keep.h). What it asks for moves on with each day (UTC),
 * and is put in force as a whole, between two records:
 *
 *      RECORD_RETAIN     it is worked out from the definition and the day, and announced: what
 *                        comes from now on and is older is not taken up
 *      a merge           the timeline gets a base without what is older (timeline_retain)
 *      RECORD_RETAINED   after the swap: it is in force, and whom it took events from is asked
 *                        quietly, as after a changed definition
 *
 * So nobody has to look at an event's age: who reads the timeline, the engine or a view, finds old
 * events there with all that follows from them, or neither. What is loaded from stored rows leaves
 * out what is older than what was in force.
 *
 *      day 1       day 2             day 3
 *      --|--- in force of day 1 ---|--- in force of day 2 ---|-->
 *                  ^ RETAIN  ^ merge ^ RETAINED, people asked
 *
 * Always true   events of Dult's own are kept. What was once taken away does not come back: who
 *               asks for it to be kept longer says so (`may_lengthen`) when no stored row is left
 *               that is older than what is in force.
 * Cost          a merge a day; of those asked, only segments that see so far back (segment_sees).
 * On load       engine_retention_load before any event; engine_load_end asks everyone where that
 *               is not sure to have been done.
 */
#ifndef DULT_ENGINE_RETAIN_H
#define DULT_ENGINE_RETAIN_H

#include "engine/engine.h"

/* Is something else to be in force at the engine's time, and nothing announced yet? */
bool engine_retention_is_due(struct engine *engine, bool may_lengthen);
/* Announced, and not in force: each merge is to be told before it begins. ERR_MEMORY. */
bool          engine_retention_is_coming(const struct engine *engine);
MUST enum err engine_retention_tell(struct engine *engine);
/* Between the merge's end and its swap: takes note of whom it took events from. RECORD_RETAINED is
 * to follow the swap. */
void engine_retention_merged(struct engine *engine);

struct engine_retention {
    struct retention in_force;             /* borrowed */
    uint64_t         seq;                  /* the record that put it in force; 0: none ever did */
    bool             is_coming, is_asking; /* announced; people are being asked */
    uint64_t         older;                /* events that came, and were older, since the start */
    uint64_t         removed;              /* events taken from the timeline, since the start */
    uint64_t         entered, left;        /* memberships, quietly, since the start */
};
struct engine_retention engine_retention(const struct engine *engine);

/* What a base of before that record is not to be trusted for: it may have what is not kept. */
uint64_t engine_retention_base_seq(const struct engine *engine);

/* What is in force and what is announced, to be kept with each change, and back. ERR_CORRUPT. */
void          engine_retention_write(const struct engine *engine, struct buf *out);
MUST enum err engine_retention_load(struct engine *engine, struct str text);

#endif
