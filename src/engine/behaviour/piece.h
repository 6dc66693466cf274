/*
 * piece: a part of the log, sorted into a level; views share it.
 *
 *      rows       from |-------------------------------| to        by arrival
 *      piece      by profile, then (at, seq), then as they came
 *
 * Always true   never changes once made. The last to let go frees it, on any thread.
 * Cost          sorting: a radix sort of 8 bytes a row; 38 bytes a row to keep, 14 an entry.
 */
#ifndef DULT_ENGINE_PIECE_H
#define DULT_ENGINE_PIECE_H

#include "engine/behaviour/edition.h"

struct piece {
    atomic_uint  holds;
    uint64_t     from, to; /* arrival numbers */
    uint16_t    *days;     /* of the level, behind the piece */
    struct level level;
};

struct piece *piece_hold(struct piece *piece); /* NULL stays NULL */
void          piece_drop(struct piece *piece); /* NULL is nothing */

/* Sorts the edition's rows that arrived at from..to, marks obeyed. ERR_MEMORY. */
MUST enum err piece_sort(struct piece **out, const struct edition *edition, uint64_t from,
                         uint64_t to);
/* Two that follow each other, as one. ERR_MEMORY. */
MUST enum err piece_merge(struct piece **out, const struct piece *older, const struct piece *newer);

#endif
