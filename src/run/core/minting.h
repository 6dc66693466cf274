/*
 * minting: codes that Dult makes itself, ahead of need.
 *
 * A pool of generated codes never has fewer than MINTING_LEAST left for long: then MINTING_COUNT
 * are drawn from the system's generator, compared with each other and with every code there is, and
 * put there by a record like uploaded ones. So what a message says was on disk, and could be told
 * to the shop, before it went out; and nobody who has many of them can guess another.
 *
 * Always true   what is drawn is no code that any pool had before, whatever its case. (A code that
 *               is uploaded later to another pool is compared with its own pool only.)
 * Cost          8 ms for 2,000; nothing where nothing is generated.
 */
#ifndef DULT_RUN_MINTING_H
#define DULT_RUN_MINTING_H

#include "engine/codes.h"
#include "store/store.h"

enum { MINTING_LEAST = 1000, MINTING_COUNT = 2000 };

/* `count` codes of that kind, with text and fold, in the arena. ERR_IO: there is no chance, or the
 * store cannot be read; ERR_WAIT, ERR_MEMORY. */
MUST enum err minting_draw(struct store_reader *reader, const struct codes_def *def,
                           struct arena *arena, uint32_t count, struct store_code **out);

#endif
