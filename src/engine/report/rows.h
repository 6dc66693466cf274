/*
 * rows: which row of a report somebody or something belongs to.
 *
 * By a property it is the event's value that says it; by a trait the person's, read from the
 * postings of identify calls for a block at a time; of one that is derived, by asking the person.
 */
#ifndef DULT_ENGINE_REPORT_ROWS_H
#define DULT_ENGINE_REPORT_ROWS_H

#include "engine/report/groups.h"
#include "engine/report/hits.h"

struct rows {
    struct groups_by by;
    struct slices    slices;
};

MUST enum err rows_open(struct rows **out, struct groups_by by); /* ERR_MEMORY */
void          rows_closep(struct rows **rows);                   /* for SCOPED */

/* Goes to a block. */
void rows_block(struct rows *rows, const struct block *block);
/* The value that decides: of the person at the block's profile i, or of the event with that bag. It
 * lives until the next call; null for none. */
struct json rows_value(const struct rows *rows, struct hits *hits, uint32_t i, uint32_t bag);
/* Its row. */
uint32_t rows_of(const struct rows *rows, struct hits *hits, uint32_t i, uint32_t bag);

#endif
