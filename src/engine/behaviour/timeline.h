/*
 * timeline: who did what and when, in memory.
 *
 * A base that never changes and a delta of what came since. The base is columnar, profiles in
 * order and each profile's events in time order; it is also the snapshot file, mapped. The delta
 * is a short sorted run for each profile. A merge freezes the delta, makes a new base of both
 * (on any thread, for neither changes any more) and is then swapped in.
 *
 *      base      offsets |0|3|3|7|..           profile -> first event; see base.h
 *                name    |a|b|a|c|..  at |..   seq |..   bag |..
 *      frozen    profile 2 -> [ .. ]  log      only while a merge is under way
 *      delta     profile 2 -> [ .. ]  log      grows; see delta.h
 *
 * Readers beside the engine are given editions (view.h): they hold base, logs and bags, so that
 * nothing they read goes away under them.
 *
 * Always true   every run is ascending by (at_ms, seq), then as the events came; an event is in
 *               exactly one run; the base and the frozen delta are never written.
 * Cost          22 bytes an event and 12 a profile in the base; 42 to 51 and 4 a profile in the
 *               delta; properties lie in bags apart.
 * Derived       thrown away and rebuilt from the store at any time.
 * Bounds        2^32 - 1 events a base, 32 GB of bags.
 */
#ifndef DULT_ENGINE_TIMELINE_H
#define DULT_ENGINE_TIMELINE_H

#include "base/space.h"
#include "base/str.h"
#include "engine/behaviour/removal.h"
#include "engine/behaviour/run.h"

enum { TIMELINE_RUNS_MAX = 3 }; /* for one profile: base, frozen, delta */

struct timeline;

struct timeline *timeline_open(void); /* NULL without memory */
void             timeline_close(struct timeline *timeline);

/* Adds one event, in time order however late it comes. ERR_MEMORY, ERR_LIMIT. */
MUST enum err timeline_add(struct timeline *timeline, struct timeline_event event);

/* Keeps a bag (see bag.h) and gives its place; an empty one is place 0. ERR_LIMIT, ERR_MEMORY. */
MUST enum err timeline_bag_add(struct timeline *timeline, struct str bag, uint32_t *place);
struct bags   timeline_bags(const struct timeline *timeline);

/* The runs of one profile, at most TIMELINE_RUNS_MAX; returns how many. Good until the next add. */
uint32_t timeline_runs(const struct timeline *timeline, uint32_t profile, struct run *runs);

/* Asks the processor to have at hand soon: 0 where the profile's events are, 1 those of the base
 * and the delta's head, 2 the delta's end. */
void timeline_prefetch(const struct timeline *timeline, uint32_t profile, uint32_t step);

uint64_t timeline_count(const struct timeline *timeline);       /* events in all */
uint64_t timeline_delta_count(const struct timeline *timeline); /* not yet in the base */

/*
 * Removing. Both are whole with the merge that follows: base, log, bags and snapshot are then
 * without. Bags are overwritten once nobody holds an edition from before it.
 *
 * timeline_forget: what the profile did up to record `seq` never happened; the engine sees nothing
 * of it at once, editions not after the merge. timeline_retain: nor did events of a name before its
 * instant, for everyone; seen after the merge. It takes the place of an earlier one that waits.
 * What waits is lost with the process: whoever loads tells again what was forgotten at a record
 * after timeline_base_seq (earlier ones are nothing to do). ERR_MEMORY.
 */
MUST enum err timeline_forget(struct timeline *timeline, uint32_t profile, uint32_t seq);
MUST enum err timeline_retain(struct timeline *timeline, struct retention retention);
bool          timeline_has_removals(const struct timeline *timeline); /* a merge is wanted */
/* May the bag at this place go with the merge under way? Then nothing new is to share it. */
bool timeline_bag_may_go(const struct timeline *timeline, uint32_t place);

/*
 * Merging. `freeze` says how many bytes the new base takes at most; `write` fills a region of that
 * size (any thread) and says how much it took, less only where something was removed; `swap` puts
 * so much in the place of the old base and the frozen delta. The region belongs to the timeline
 * afterwards and is unmapped with munmap; what was not taken is the caller's to unmap.
 *
 * After `write`, `cleared` gives the stretches of bags that were removed, for whoever keeps them in
 * a file; good until swap or thaw.
 *
 * freeze: ERR_CONFLICT while one is under way, or readers still hold what the one before removed;
 * ERR_MEMORY. write: ERR_MEMORY.
 */
MUST enum err timeline_freeze(struct timeline *timeline, uint32_t seq, size_t *bytes);
MUST enum err timeline_write(const struct timeline *timeline, unsigned char *region, size_t *bytes);
const struct stretch *timeline_cleared(const struct timeline *timeline, uint32_t *count);
/* From whom retention took events in that merge; *out is then the caller's, who frees the bits. */
void timeline_outlived_take(struct timeline *timeline, struct outlived *out);
void timeline_swap(struct timeline *timeline, unsigned char *region, size_t bytes);
void timeline_thaw(struct timeline *timeline); /* gives up a merge: the delta is whole again */

/*
 * What the last swap left over: the old base and the delta that is now in the new one. Freeing it
 * takes a millisecond for each 10 MB, and may be done on any thread. What is not taken goes with
 * the next freeze. NULL is nothing.
 */
struct leavings;
struct leavings *timeline_leavings_take(struct timeline *timeline);
void             leavings_free(struct leavings *leavings);

/* The region the timeline stands on: bytes of the base, and the last record it holds. */
uint32_t timeline_base_seq(const struct timeline *timeline);
size_t   timeline_bags_bytes(const struct timeline *timeline);

/*
 * Takes a mapped snapshot as base of an empty timeline, and the first `bags_bytes` of `bags_file`.
 * ERR_CORRUPT when the region is not a whole base of this version, or a checksum of it or of the
 * bags is wrong: the timeline is then empty, and the region still the caller's.
 */
MUST enum err timeline_load(struct timeline *timeline, unsigned char *region, size_t bytes,
                            int bags_file, size_t bags_file_bytes);

/* Resident bytes by part, for metrics. */
struct timeline_sizes {
    uint64_t base_bytes, delta_bytes, bags_bytes;
};
struct timeline_sizes timeline_sizes(const struct timeline *timeline);

#endif
