/*
 * base: what nearly everyone did, as one level that never changes; it is also the snapshot file.
 *
 *      header 128 | offsets | at | seq | bag | name | post_offsets | posts | last_ms
 *
 * Each column starts at a multiple of 64 bytes. A base is held by the timeline that stands on it
 * and by everyone who reads an edition with it; the last to let go unmaps it.
 *
 * Always true   nothing is written after it was made. What passed base_check has the right sum, and
 *               all its places lie within it.
 * Cost          22 bytes an event, 12 a profile, 4 a name; 2 a profile beside the file.
 */
#ifndef DULT_ENGINE_BASE_H
#define DULT_ENGINE_BASE_H

#include <stdatomic.h>

#include "engine/behaviour/delta.h"
#include "engine/behaviour/level.h"
#include "engine/behaviour/removal.h"

struct base {
    atomic_uint    holds;
    unsigned char *region; /* NULL for the empty base */
    size_t         bytes;
    uint32_t       seq;        /* the last record it has */
    uint64_t       bags_bytes; /* so many bytes of bags are summed */
    uint64_t       bags_whole; /* the sum of their whole pieces */
    uint16_t      *first_day;  /* of the level; NULL without memory for it, or before it is made */
    struct level   level;
};

struct base *base_open(void); /* the empty one, held once; NULL without memory */
struct base *base_hold(struct base *base);
void         base_drop(struct base *base); /* NULL is nothing */

/* What a new base is made of. */
struct base_parts {
    const struct base   *old;
    const struct delta  *fresh;
    uint32_t             seq;
    const unsigned char *bags;
    size_t               bags_bytes;
    struct removal      *removal; /* is told what is cleared */
};

size_t base_bytes(const struct base_parts *parts); /* how large the region must be */
/* Gives in *bytes how much of the region it takes: less only where something is removed.
 * ERR_MEMORY. */
MUST enum err base_write(const struct base_parts *parts, unsigned char *region, size_t *bytes);

/*
 * Gives an empty base its region: one that base_write filled, or bytes of a file, which are then to
 * be checked. ERR_CORRUPT when it cannot be a base: the region is then still the caller's.
 */
MUST enum err base_take(struct base *base, unsigned char *region, size_t bytes);

/* Finds out who began when, which the file does not say: of a region that base_write filled and the
 * base is to take, or of the base's own, once checked. Without memory it stays unknown. */
void base_days(struct base *base, const unsigned char *region);

/* Is it as it was written? Reads all of it. ERR_CORRUPT. */
MUST enum err base_check(const struct base *base);
/* ERR_CORRUPT when these are not the bags that the base was written with. */
MUST enum err base_bags_check(const struct base *base, const unsigned char *bags);

#endif
