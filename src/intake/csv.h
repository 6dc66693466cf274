/*
 * csv: rows out of a text file, in the four forms that people export.
 *
 *     SEPARATED    a,"b ""c""",d      RFC 4180: quotes, CRLF or LF, quoted line breaks, BOM
 *     WHITESPACE    00001 19970101    columns between runs of blanks; no quotes
 *     FIXED        00001199701 1      columns of given widths in bytes, trimmed
 *     LINES        {"a":1}            the whole line is one field (NDJSON)
 *
 * The reader is fed pieces of any size and gives one row after the other. A bad row is an error
 * with a problem naming its line; the next call goes on with the next line.
 *
 * Always true   fields are UTF-8 without NUL; empty lines are skipped; `line` counts from 1.
 * Cost          one pass; a row is copied only where it lies across two pieces.
 * Knows not     what a header is: the first row is a row.
 */
#ifndef DULT_INTAKE_CSV_H
#define DULT_INTAKE_CSV_H

#include "base/buf.h"

enum csv_form { CSV_SEPARATED, CSV_WHITESPACE, CSV_FIXED, CSV_LINES };

enum {
    CSV_ROW_BYTES_MAX = 256 * 1024, /* eight of the largest messages */
    CSV_FIELD_BYTES_MAX = 64 * 1024,
    CSV_FIELDS_MAX = 1024,                    /* spreadsheets that people keep have fewer columns */
    CSV_LINE_BYTES_MAX = CSV_FIELD_BYTES_MAX, /* a row of LINES is one field */
};
_Static_assert(CSV_FIELD_BYTES_MAX <= CSV_ROW_BYTES_MAX, "a row holds its longest field");

struct csv_shape {
    enum csv_form  form;
    char           separator; /* SEPARATED: ',', ';', '\t', '|' ... */
    const int32_t *widths;    /* FIXED: borrowed for the reader's life; each > 0 */
    uint32_t       widths_count;
};

struct csv_row {
    uint64_t          line; /* where it begins */
    const struct str *fields;
    uint32_t          count;
};

/* NULL without memory. */
struct csv *csv_open(struct csv_shape shape);
void        csv_close(struct csv *csv); /* NULL is nothing */
void        csv_closep(struct csv **csv);

/* Gives the next piece, which may be freed afterwards; `last`: no more come. ERR_MEMORY. */
MUST enum err csv_feed(struct csv *csv, struct str piece, bool last);

/*
 * The next row; its fields are borrowed until the next call or feed. ERR_WAIT: feed more.
 * ERR_ABSENT: the file is at its end. ERR_INPUT and ERR_LIMIT: this row is bad, *problem says where
 * ("line 12") and why, `out->line` is set; call again for the next.
 */
MUST enum err csv_next(struct csv *csv, struct csv_row *out, struct problem *problem);

#endif
