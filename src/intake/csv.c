#include "intake/csv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct csv {
    struct csv_shape shape;
    struct buf       held; /* what was fed and is not yet given out */
    size_t           at;   /* of the next row in held */
    uint64_t         line;
    bool             last, begun;
    bool             skipping; /* the rest of a row that was too long */
    struct str       fields[CSV_FIELDS_MAX];
};

/* A piece is held whole beside an unfinished row. */
enum { HELD_BYTES_MAX = 64 * 1024 * 1024 };

struct csv *csv_open(struct csv_shape shape)
{
    struct csv *csv = calloc(1, sizeof *csv);
    if (csv == NULL)
        return NULL;
    csv->shape = shape;
    csv->held = buf_make(HELD_BYTES_MAX);
    csv->line = 1;
    return csv;
}

void csv_close(struct csv *csv)
{
    if (csv == NULL)
        return;
    buf_done(&csv->held);
    free(csv);
}

void csv_closep(struct csv **csv)
{
    csv_close(*csv);
}

enum err csv_feed(struct csv *csv, struct str piece, bool last)
{
    assert(!csv->last || piece.len == 0);
    size_t left = csv->held.len - csv->at;
    if (csv->at > 0 && left > 0)
        memmove(csv->held.ptr, csv->held.ptr + csv->at, left);
    csv->held.len = left;
    csv->at = 0;
    buf_str(&csv->held, piece);
    csv->last = last;
    return buf_err(&csv->held) == OK ? OK : ERR_MEMORY;
}

/* ---- where a row ends ---- */

/* Index of the line break that ends the row beginning at 0, or `text.len`. */
static size_t row_end(const struct csv *csv, struct str text)
{
    size_t end = str_find_char(text, 0, '\n');
    if (csv->shape.form != CSV_SEPARATED || end == text.len || memchr(text.ptr, '"', end) == NULL)
        return end;

    /* A quote opens only at the start of a field; inside, a doubled one closes and opens again. */
    bool   quoted = false, opened = false, at_start = true;
    size_t looked_max = text.len < CSV_ROW_BYTES_MAX + 2 ? text.len : CSV_ROW_BYTES_MAX + 2;
    for (size_t i = 0; i < looked_max; i++) {
        char c = text.ptr[i];
        if (c == '\n' && !quoted)
            return i;
        if (c == '"' && (at_start || opened)) {
            quoted = !quoted;
            opened = true;
        }
        at_start = c == csv->shape.separator && !quoted;
        if (at_start)
            opened = false;
    }
    return text.len;
}

static uint64_t lines_in(struct str text)
{
    uint64_t count = 0;
    for (size_t i = 0; (i = str_find_char(text, i, '\n')) < text.len; i++)
        count++;
    return count;
}

/* ---- what a row holds ---- */

static enum err row_problem(struct problem *problem, enum err code, uint64_t line, const char *what,
                            const char *remedy)
{
    char where[40];
    snprintf(where, sizeof where, "line %llu", (unsigned long long)line);
    return problem_set(problem, code, where, what, remedy);
}

static enum err field_add(struct csv *csv, struct csv_row *row, struct str field,
                          struct problem *problem)
{
    if (row->count == CSV_FIELDS_MAX)
        return row_problem(problem, ERR_LIMIT, row->line, "This row has more than 1,024 fields.",
                           "Is the separator right? Leave out columns that are not needed.");
    if (field.len > CSV_FIELD_BYTES_MAX)
        return row_problem(problem, ERR_LIMIT, row->line, "A field is longer than 64 KB.",
                           "Is a quote left open? Shorten the field.");
    csv->fields[row->count++] = field;
    return OK;
}

/* Turns the inside of a quoted field, in place, into what it says. */
static struct str unquoted(char *inside, size_t len)
{
    size_t to = 0;
    for (size_t from = 0; from < len; from++) {
        inside[to++] = inside[from];
        if (inside[from] == '"')
            from++; /* the second of two */
    }
    return (struct str){ inside, to };
}

/* The index behind the closing quote of a field that opens at `from`; 0 if none closes. */
static size_t quote_end(struct str text, size_t from)
{
    for (size_t i = from + 1; i < text.len; i++) {
        if (text.ptr[i] != '"')
            continue;
        if (i + 1 == text.len || text.ptr[i + 1] != '"')
            return i + 1;
        i++;
    }
    return 0;
}

static enum err separated_read(struct csv *csv, struct str text, struct csv_row *row,
                               struct problem *problem)
{
    size_t at = 0;
    for (;;) {
        size_t     end = str_find_char(text, at, csv->shape.separator);
        struct str field = str_slice(text, at, end);
        if (at < text.len && text.ptr[at] == '"') {
            end = quote_end(text, at);
            if (end == 0 || (end < text.len && text.ptr[end] != csv->shape.separator))
                return row_problem(problem, ERR_INPUT, row->line,
                                   end == 0 ? "A quoted field does not end."
                                            : "Something stands between a quote and the separator.",
                                   "Write a quote inside a quoted field twice.");
            field = unquoted((char *)(uintptr_t)text.ptr + at + 1, end - at - 2);
        } else if (memchr(field.ptr, '"', field.len) != NULL) {
            return row_problem(problem, ERR_INPUT, row->line, "A quote inside an unquoted field.",
                               "Quote the whole field and write the quote twice.");
        }
        TRY(field_add(csv, row, field, problem));
        if (end == text.len)
            return OK;
        at = end + 1;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static enum err whitespace_read(struct csv *csv, struct str text, struct csv_row *row,
                                struct problem *problem)
{
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        while (at < text.len && !is_blank(text.ptr[at]))
            at++;
        if (at > from)
            TRY(field_add(csv, row, str_slice(text, from, at), problem));
        while (at < text.len && is_blank(text.ptr[at]))
            at++;
    }
    return OK;
}

/* Would a cut at `at` fall inside a character? */
static bool is_inside_char(struct str text, size_t at)
{
    return at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80;
}

static enum err fixed_read(struct csv *csv, struct str text, struct csv_row *row,
                           struct problem *problem)
{
    size_t at = 0;
    for (uint32_t i = 0; i < csv->shape.widths_count; i++) {
        size_t end = at + (size_t)csv->shape.widths[i];
        if (is_inside_char(text, end))
            return row_problem(problem, ERR_INPUT, row->line, "A column ends inside a character.",
                               "Widths count bytes: a letter beyond ASCII has two or more.");
        TRY(field_add(csv, row, str_trim(str_slice(text, at, end)), problem));
        at = end;
    }
    if (str_trim(str_slice(text, at, text.len)).len > 0)
        return row_problem(problem, ERR_INPUT, row->line, "The line is longer than its columns.",
                           "Give the width of every column.");
    return OK;
}

static enum err row_read(struct csv *csv, struct str text, struct csv_row *row,
                         struct problem *problem)
{
    if (text.len > CSV_ROW_BYTES_MAX)
        return row_problem(problem, ERR_LIMIT, row->line, "This row is longer than 256 KB.",
                           "Is a quote left open? Split the row.");
    if (!str_is_utf8(text))
        return row_problem(problem, ERR_INPUT, row->line, "This row is not UTF-8.",
                           "Save the file as UTF-8.");
    if (memchr(text.ptr, '\0', text.len) != NULL)
        return row_problem(problem, ERR_INPUT, row->line, "This row holds a NUL.",
                           "Save the file as UTF-8 text.");
    row->fields = csv->fields;
    switch (csv->shape.form) {
    case CSV_SEPARATED:
        return separated_read(csv, text, row, problem);
    case CSV_WHITESPACE:
        return whitespace_read(csv, text, row, problem);
    case CSV_FIXED:
        return fixed_read(csv, text, row, problem);
    case CSV_LINES:
        return field_add(csv, row, text, problem);
    }
    return ERR_CORRUPT;
}

/* ---- one row after the other ---- */

static struct str held_rest(const struct csv *csv)
{
    return str_slice(buf_view(&csv->held), csv->at, csv->held.len);
}

static void mark_skip(struct csv *csv)
{
    static const char mark[] = "\xEF\xBB\xBF";
    if (csv->begun || (csv->held.len < 3 && !csv->last))
        return;
    csv->begun = true;
    if (csv->held.len >= 3 && memcmp(csv->held.ptr, mark, 3) == 0)
        csv->at = 3;
}

/* Drops the tail of a row that was refused for its length, up to the next line. */
static void tail_skip(struct csv *csv)
{
    struct str rest = held_rest(csv);
    size_t     end = str_find_char(rest, 0, '\n');
    bool       found = end < rest.len;
    csv->at += found ? end + 1 : end;
    csv->line += found;
    csv->skipping = !found;
}

/* Cuts the next row off; false when more must be fed. */
static bool row_cut(struct csv *csv, struct str *text)
{
    struct str rest = held_rest(csv);
    size_t     end = row_end(csv, rest);
    if (end == rest.len && !csv->last && rest.len <= CSV_ROW_BYTES_MAX)
        return false;
    bool whole = end < rest.len || csv->last;
    if (end > CSV_ROW_BYTES_MAX + 1) { /* an open quote must not cost the whole file */
        end = CSV_ROW_BYTES_MAX + 1;
        whole = false;
    }
    *text = str_slice(rest, 0, end);
    csv->skipping = !whole;
    csv->at += end + (whole && end < rest.len);
    return true;
}

enum err csv_next(struct csv *csv, struct csv_row *out, struct problem *problem)
{
    mark_skip(csv);
    while (csv->begun) {
        struct str text;
        if (csv->skipping)
            tail_skip(csv);
        if (csv->at == csv->held.len || csv->skipping)
            return csv->last ? ERR_ABSENT : ERR_WAIT;
        if (!row_cut(csv, &text))
            return ERR_WAIT;

        struct csv_row row = { .line = csv->line };
        csv->line += lines_in(text) + !csv->skipping;
        if (text.len > 0 && text.ptr[text.len - 1] == '\r')
            text.len--;
        if (csv->shape.form == CSV_SEPARATED ? text.len == 0 : str_trim(text).len == 0)
            continue;
        enum err err = row_read(csv, text, &row, problem);
        out->line = row.line;
        TRY(err);
        *out = row;
        return OK;
    }
    return csv->last ? ERR_ABSENT : ERR_WAIT;
}
