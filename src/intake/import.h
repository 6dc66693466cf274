/*
 * import: a file and a mapping become records.
 *
 *     file --digest--> "imp-<16 hex>-<row>"      the name of each record, so that the same file
 *       \--csv--> row --mapping--> message       imported twice counts once; two equal rows of
 *                          \--event--> record    one file count twice
 *
 * The caller pulls: each call gives the records of some hundred rows in the caller's arena, so a
 * full queue downstream is simply a call made later. All records are HISTORICAL. A row of several
 * records names the first as above and the others "...-<row>-<index>". A mapping may name its
 * records itself (messageId), for files that grow.
 *
 * Always true   rows = those taken + those skipped by the mapping + those refused; row numbers
 *               count data rows from 1; a file that changes while it is read is ERR_CONFLICT.
 * Cost          two passes over the file (digest, rows); memory for one batch of rows.
 */
#ifndef DULT_INTAKE_IMPORT_H
#define DULT_INTAKE_IMPORT_H

#include "intake/arrival.h"
#include "intake/mapping.h"

enum {
    IMPORT_BATCH_ROWS = 500,                    /* as many as are committed together with ease */
    IMPORT_ARENA_BYTES_MAX = 256 * 1024 * 1024, /* for a batch of the longest rows */
    IMPORT_PREVIEW_ROWS = 5,
    IMPORT_PREVIEW_REFUSED = 100,
};

/* Told now and then: bytes done of all, in this pass. */
enum import_pass { IMPORT_DIGEST, IMPORT_ROWS };
typedef void import_progress(void *context, enum import_pass pass, uint64_t done, uint64_t total);

struct import_file {
    const char      *path;
    int64_t          received_ms;
    uint32_t         source;
    import_progress *progress; /* may be NULL */
    void            *context;
};

struct import;

/* A row, or one record of it, that was not taken. */
struct import_refused {
    uint64_t   line, row;
    struct str field, reason, remedy;
    struct str text; /* what the row would have become as JSON; empty when it became nothing */
};

struct import_batch {
    struct arrival        *records;
    struct import_refused *refused;
    uint32_t               records_count, refused_count;
    uint32_t               rows;    /* of this batch */
    uint32_t               skipped; /* records left out by skip_when, and aliases to themselves */
    uint64_t               bytes_done, bytes_total;
};

/* A row as its first record is named. */
struct import_row {
    uint64_t file; /* the first 64 bits of its digest */
    uint32_t row;  /* from 1 */
};

/* False: this is not the name that a row's first record is given, to the letter. */
bool import_row_read(struct str name, struct import_row *out);

/* ERR_ABSENT, ERR_IO: the file cannot be read. `mapping` is bound to it and outlives the import. */
MUST enum err import_open(struct import **out, const struct import_file *file,
                          struct mapping *mapping, struct problem *problem);
void          import_close(struct import *import); /* NULL is nothing */
void          import_closep(struct import **import);

/* SHA-256 of the file in hex; borrowed from the import. */
struct str import_digest(const struct import *import);

/* The next rows. ERR_ABSENT at the end; ERR_INPUT when the header lacks a column; ERR_IO. */
MUST enum err import_next(struct import *import, struct arena *arena, struct import_batch *out,
                          struct problem *problem);

/* What an import would do. */
struct import_preview {
    uint64_t               rows, records, refused, skipped;
    uint64_t               people; /* different userIds; anonymousIds where there is none */
    int64_t                first_ms, last_ms; /* of at; both 0 without records */
    struct arrival         first[IMPORT_PREVIEW_ROWS];
    uint32_t               first_count;
    struct import_refused *refused_rows; /* the first IMPORT_PREVIEW_REFUSED */
    uint32_t               refused_rows_count;
};

/* Reads the whole file and keeps nothing but the preview, in `arena`. */
MUST enum err import_preview(const struct import_file *file, struct mapping *mapping,
                             struct arena *arena, struct import_preview *out,
                             struct problem *problem);

#endif
