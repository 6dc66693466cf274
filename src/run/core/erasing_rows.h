/*
 * erasing_rows: the rows of people who were erased, found and overwritten.
 *
 *      gather     all decisions, twice (engine/erasure.h)   ids to remove, details to shorten
 *                 the heads of all events                   seqs to remove
 *                 their identify events, the rejected list  rejected to remove
 *      remove     rejected and events, some at a time; then decisions and checkpoint rows at once,
 *                 with the note that this is over
 */
#ifndef DULT_RUN_ERASING_ROWS_H
#define DULT_RUN_ERASING_ROWS_H

#include "base/json.h"
#include "store/store.h"

struct erasing_rows;

/* The reader and parser are borrowed for its life. NULL without memory. */
struct erasing_rows *erasing_rows_open(struct store_reader *reader, struct json_parser *parser);
void                 erasing_rows_close(struct erasing_rows *rows);

/* Profiles by the engine's numbers. ERR_MEMORY. */
MUST enum err erasing_rows_add(struct erasing_rows *rows, uint32_t profile);

/* Reads everything up to the keys in `last`. ERR_* of the store's reader. */
MUST enum err erasing_rows_gather(struct erasing_rows *rows, struct store_last last);

/* After gathering: what the outbox of a trial kept of their mails is removed. */
void erasing_rows_outbox(struct erasing_rows *rows, const char *dir);

/*
 * Does the next part; *done after the last, with which `note` is written. ERR_* of store_erase:
 * ERR_WAIT, ERR_IO and ERR_MEMORY can be tried again.
 */
MUST enum err erasing_rows_remove(struct erasing_rows *rows, struct store *store,
                                  struct store_meta note, bool *done);

#endif
