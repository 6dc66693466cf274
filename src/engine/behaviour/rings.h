/*
 * rings: which profiles are one person, for readers beside the engine.
 *
 *      start   root |0|1|1|3|  next |0|2|1|3|       everyone, as it was when this began
 *      turns   (3, root 1, next 2) (2, ...)         what changed since, in order
 *
 * As everywhere a profile beyond the start is alone until a turn says otherwise. When the turns
 * have grown to a quarter of the profiles there is no room for more: another is begun.
 *
 * A profile that was erased is in no ring, not even its own: its root and next are UINT32_MAX.
 *
 * Always true   start and the turns before a count once given do not change. One thread adds.
 * Cost          8 bytes a profile and 12 a turn. The last to let go frees it, on any thread.
 */
#ifndef DULT_ENGINE_RINGS_H
#define DULT_ENGINE_RINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct turn {
    uint32_t profile, root, next;
};

struct rings {
    atomic_uint  holds;
    uint32_t     profiles;
    uint32_t    *root, *next; /* the caller's to fill, before anyone else is given them */
    struct turn *turns;
    uint32_t     turns_count, turns_room; /* the adding thread's */
};

struct rings *rings_open(uint32_t profiles); /* held once; NULL without memory */
struct rings *rings_hold(struct rings *rings);
void          rings_drop(struct rings *rings); /* NULL is nothing */

/* False when there is no room for another turn. */
bool rings_turn(struct rings *rings, struct turn turn);

#endif
