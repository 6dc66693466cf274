/*
 * engine_rebase: a new base for an engine's timeline, and a copy of it as its files would be.
 *
 *      rebase_begin    what was announced of retention is told, and the timeline is frozen
 *      rebase_write    the base, in memory of its own
 *      rebase_keep     from here on the files would be there
 *      rebase_end      the engine goes on with it
 *
 * Everything asserts.
 */
#ifndef DULT_ENGINE_ENGINE_REBASE_TEST_H
#define DULT_ENGINE_ENGINE_REBASE_TEST_H

#include "engine/engine.h"

struct rebase_copy {
    unsigned char *region;
    size_t         region_bytes, bags_bytes;
    int            bags_file; /* -1: there is none */
};

struct rebase_copy rebase_none(void);
void               rebase_drop(struct rebase_copy *copy);

void           rebase_begin(struct engine *engine, uint64_t seq, size_t *bytes);
unsigned char *rebase_write(struct engine *engine, size_t *bytes); /* *bytes: as it was used */
void           rebase_end(struct engine *engine, unsigned char *region, size_t bytes);

/* Takes the place of the copy before; the bags are without what the base is without. */
void rebase_keep(struct engine *engine, const unsigned char *region, size_t bytes,
                 struct rebase_copy *copy);
/* The copy becomes the base of an engine that has no event yet. */
void rebase_load(struct engine *engine, const struct rebase_copy *copy);

#endif
