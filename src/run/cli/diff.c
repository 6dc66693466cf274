#include "run/cli/diff.h"

#include <stdlib.h>

enum { AROUND = 3 };

struct lines {
    struct str *items;
    size_t      count;
};

/* A line of the result: taken from before (' ' and '-') or from after ('+'). */
struct edit {
    char       mark;
    struct str line;
    size_t     before, after; /* lines of each that stand above it */
};

static enum err lines_read(struct str text, struct lines *out)
{
    size_t     room = 1;
    struct str line;
    for (size_t i = 0; i < text.len; i++)
        room += text.ptr[i] == '\n';
    *out = (struct lines){ .items = calloc(room, sizeof *out->items) };
    if (out->items == NULL)
        return ERR_MEMORY;
    if (str_ends(text, STR("\n")))
        text.len--; /* the last line's end begins no line */
    while (text.ptr != NULL && text.len > 0 && str_split(&text, '\n', &line))
        out->items[out->count++] = line;
    return OK;
}

/* steps[i][j]: the length of the longest common part of before[i..] and after[j..]. */
struct table {
    uint16_t *cells;
    size_t    first, before, after; /* the differing middle: from `first`, so many lines each */
};

static uint16_t cell(const struct table *table, size_t i, size_t j)
{
    return table->cells[i * (table->after + 1) + j];
}

static enum err table_make(const struct lines *before, const struct lines *after,
                           struct table *table)
{
    size_t shorter = before->count < after->count ? before->count : after->count, last = 0;
    while (table->first < shorter &&
           str_eq(before->items[table->first], after->items[table->first]))
        table->first++;
    while (last < shorter - table->first &&
           str_eq(before->items[before->count - 1 - last], after->items[after->count - 1 - last]))
        last++;
    table->before = before->count - table->first - last;
    table->after = after->count - table->first - last;
    size_t pairs = (table->before + 1) * (table->after + 1);
    bool   is_large = pairs > DIFF_PAIRS_MAX || table->before > UINT16_MAX;
    table->cells = calloc(is_large ? 1 : pairs, sizeof *table->cells);
    if (table->cells == NULL)
        return ERR_MEMORY;
    for (size_t i = table->before; !is_large && i-- > 0;)
        for (size_t j = table->after; j-- > 0;) {
            bool     same = str_eq(before->items[table->first + i], after->items[table->first + j]);
            uint16_t down = cell(table, i + 1, j), right = cell(table, i, j + 1);
            uint16_t best = down > right ? down : right;
            table->cells[i * (table->after + 1) + j] =
                same ? (uint16_t)(cell(table, i + 1, j + 1) + 1) : best;
        }
    if (is_large) {
        free(table->cells);
        table->cells = NULL; /* replaced whole */
    }
    return OK;
}

static size_t edits_make(const struct lines *before, const struct lines *after,
                         const struct table *table, struct edit *edits)
{
    size_t i = 0, j = 0, count = 0, end_i = table->first + table->before,
           end_j = table->first + table->after;
    while (i < before->count || j < after->count) {
        bool is_middle = i >= table->first && j >= table->first && (i < end_i || j < end_j);
        bool take_before = is_middle && i < end_i, take_after = is_middle && j < end_j;
        bool same = !is_middle;
        if (take_before && take_after && table->cells != NULL) {
            size_t x = i - table->first, y = j - table->first;
            same = str_eq(before->items[i], after->items[j]);
            take_before = !same && cell(table, x + 1, y) >= cell(table, x, y + 1);
        }
        edits[count++] =
            (struct edit){ same          ? ' '
                           : take_before ? '-'
                                         : '+',
                           same || take_before ? before->items[i] : after->items[j], i, j };
        i += same || take_before;
        j += same || !take_before;
    }
    return count;
}

static void hunk_write(const struct edit *edits, size_t from, size_t to, struct buf *out)
{
    size_t removed = 0, added = 0;
    for (size_t i = from; i < to; i++) {
        removed += edits[i].mark != '+';
        added += edits[i].mark != '-';
    }
    buf_format(out, "@@ -%zu,%zu +%zu,%zu @@\n", edits[from].before + (removed > 0), removed,
               edits[from].after + (added > 0), added);
    for (size_t i = from; i < to; i++) {
        buf_char(out, edits[i].mark);
        buf_str(out, edits[i].line);
        buf_char(out, '\n');
    }
}

/* Where the hunk that begins with the change at `at` ends: no change within reach any more. */
static size_t hunk_end(const struct edit *edits, size_t count, size_t at)
{
    size_t end = at + 1;
    for (size_t i = at; i < count && i <= end + (size_t)2 * AROUND; i++)
        if (edits[i].mark != ' ')
            end = i + 1;
    return end;
}

static void hunks_write(const struct edit *edits, size_t count, struct buf *out)
{
    for (size_t at = 0; at < count; at++) {
        if (edits[at].mark == ' ')
            continue;
        size_t from = at < AROUND ? 0 : at - AROUND, end = hunk_end(edits, count, at);
        size_t to = end + AROUND < count ? end + AROUND : count;
        hunk_write(edits, from, to, out);
        at = end;
    }
}

enum err diff_write(struct diff_side before, struct diff_side after, struct buf *out)
{
    struct lines old = { 0 }, new = { 0 };
    struct table table = { 0 };
    struct edit *edits = NULL;
    if (str_eq(before.text, after.text))
        return OK;
    enum err err = lines_read(before.text, &old);
    if (err == OK)
        err = lines_read(after.text, &new);
    if (err == OK)
        err = table_make(&old, &new, &table);
    if (err == OK && (edits = calloc(old.count + new.count + 1, sizeof *edits)) == NULL)
        err = ERR_MEMORY;
    if (err == OK) {
        buf_format(out, "--- %s\n+++ %s\n", before.label, after.label);
        hunks_write(edits, edits_make(&old, &new, &table, edits), out);
    }
    free(edits);
    free(table.cells);
    free(old.items);
    free(new.items);
    return err == OK ? buf_err(out) : err;
}
