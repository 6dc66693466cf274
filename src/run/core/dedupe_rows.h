/*
 * dedupe_rows: which rows of imported files were taken.
 *
 * Rows come in order and mostly without others between them, so a whole import is a few spans:
 *
 *      (source, file) -> | rows from, count, seq of the first |   one after the other, rising
 *
 * Always true   a row that was added and is not before the horizon is found, with its own seq.
 * Bounds        DEDUPE_FILES files; of each, rows only in rising order. What does not fit is not
 *               taken, and the caller keeps it as he keeps any other id.
 * Cost          12 bytes a span, to 24 with slack: nothing an event where a file is imported
 *               alone, and no more than a slot would be where each row stands by itself.
 */
#ifndef DULT_RUN_DEDUPE_ROWS_H
#define DULT_RUN_DEDUPE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "intake/import.h"

enum { DEDUPE_FILES = 64 };

struct dedupe_span {
    uint32_t row, count, seq;
};

struct dedupe_file {
    uint64_t            file;
    uint32_t            source;
    uint32_t            begin, end, room; /* spans [begin, end) are alive */
    struct dedupe_span *spans;            /* NULL: the place is free */
};

struct dedupe_rows {
    struct dedupe_file files[DEDUPE_FILES];
};

void dedupe_rows_close(struct dedupe_rows *rows); /* what it holds, not itself */

/* The seq of a row; 0: not known. */
uint32_t dedupe_rows_get(const struct dedupe_rows *rows, uint32_t source, struct import_row row);

/* False: no place for it, or no memory. What lies before the horizon may go meanwhile. */
bool dedupe_rows_add(struct dedupe_rows *rows, uint32_t source, struct import_row row, uint32_t seq,
                     uint32_t horizon);

uint64_t dedupe_rows_bytes(const struct dedupe_rows *rows);
uint64_t dedupe_rows_spans(const struct dedupe_rows *rows);

#endif
