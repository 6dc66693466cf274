/*
 * block: for each profile a short run of its new events, all in one region.
 *
 *      places   profile | 0 | 3 | 0 | 11 | ..          in units of 8 bytes; 0: nothing
 *      region   . head at seq bag name . head at at seq seq bag bag name name . ..
 *      spare    room 1 -> place -> place               outgrown; for the next who needs that room
 *
 * A block has room for 1, 2, 4, 6, 8, 12, 16, 24 ... events; a full one is copied into one of the
 * next size. Only the engine's thread reads blocks that grow, so they may move.
 *
 * Always true   every block is ascending by (at_ms, seq), then as they came.
 * Cost          4 bytes a profile; 24 bytes for one event, 40 for two, 18 to 27 an event of many.
 *               All goes back to the system at once, on any thread.
 * Bounds        32 GB of blocks; 67 million events of one profile.
 */
#ifndef DULT_ENGINE_BLOCK_H
#define DULT_ENGINE_BLOCK_H

#include "base/space.h"
#include "engine/behaviour/run.h"

enum { BLOCK_SIZES = 64 };

struct blocks {
    struct space places; /* uint32_t by profile */
    struct space region;
    uint32_t     spare[BLOCK_SIZES]; /* by size: the first of a list; 0: none */
};

MUST enum err blocks_open(struct blocks *blocks);  /* ERR_MEMORY */
void          blocks_close(struct blocks *blocks); /* all zero is closed already */

/* Makes room for one more event of the profile. ERR_MEMORY, ERR_LIMIT. */
MUST enum err blocks_room(struct blocks *blocks, uint32_t profile);
/* Puts an event, for which room was made, in time order however late it comes. */
void blocks_put(struct blocks *blocks, const struct timeline_event *event);
/* Leaves out what the profile did up to record `seq`; gives how many events that were. */
uint32_t blocks_forget(struct blocks *blocks, uint32_t profile, uint32_t seq);
/* False when the profile has nothing here. Good until the next change. */
bool     blocks_run(const struct blocks *blocks, uint32_t profile, struct run *run);
uint32_t blocks_profiles(const struct blocks *blocks); /* the highest that ever had one, and one */
uint64_t blocks_bytes(const struct blocks *blocks);    /* of all, spare ones among them */
/* Asks the processor to have at hand soon: 0 the place, 1 the block, 2 its end. */
void blocks_prefetch(const struct blocks *blocks, uint32_t profile, uint32_t step);

#endif
