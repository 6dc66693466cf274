#include "run/core/dedupe_rows.h"

#include <stdlib.h>
#include <string.h>

enum { SPANS_MIN = 16 };

void dedupe_rows_close(struct dedupe_rows *rows)
{
    for (int i = 0; i < DEDUPE_FILES; i++)
        free(rows->files[i].spans);
    *rows = (struct dedupe_rows){ 0 };
}

/* NULL: none of its rows is known. */
static const struct dedupe_file *file_of(const struct dedupe_rows *rows, uint32_t source,
                                         uint64_t file)
{
    for (const struct dedupe_file *at = rows->files; at < rows->files + DEDUPE_FILES; at++)
        if (at->file == file && at->source == source && at->spans != NULL)
            return at;
    return NULL;
}

uint32_t dedupe_rows_get(const struct dedupe_rows *rows, uint32_t source, struct import_row row)
{
    const struct dedupe_file *file = file_of(rows, source, row.file);
    if (file == NULL)
        return 0;
    uint32_t low = file->begin, high = file->end; /* the first span that begins past the row */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (file->spans[middle].row <= row.row)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == file->begin)
        return 0;
    const struct dedupe_span *span = &file->spans[low - 1];
    return row.row - span->row < span->count ? span->seq + (row.row - span->row) : 0;
}

static const struct dedupe_span *last_of(const struct dedupe_file *file)
{
    return &file->spans[file->end - 1];
}

static uint32_t last_seq(const struct dedupe_span *span)
{
    return span->seq + (span->count - 1);
}

/* A place that is free, or whose rows are all before the horizon. */
static struct dedupe_file *file_new(struct dedupe_rows *rows, uint32_t source, uint64_t file,
                                    uint32_t horizon)
{
    struct dedupe_file *at = rows->files, *end = rows->files + DEDUPE_FILES;
    while (at < end && at->spans != NULL && last_seq(last_of(at)) >= horizon)
        at++;
    if (at == end)
        return NULL;
    free(at->spans);
    *at = (struct dedupe_file){ .file = file, .source = source, .room = SPANS_MIN };
    at->spans = malloc(SPANS_MIN * sizeof *at->spans);
    return at->spans != NULL ? at : NULL;
}

/* One more span: over those before the horizon if they are half, else in twice the room. */
static bool room_make(struct dedupe_file *file, uint32_t horizon)
{
    if (file->end < file->room)
        return true;
    while (file->begin < file->end && last_seq(&file->spans[file->begin]) < horizon)
        file->begin++;
    if (file->begin < file->room / 2) {
        struct dedupe_span *more = realloc(file->spans, file->room * 2 * sizeof *more);
        if (more == NULL)
            return false;
        file->spans = more;
        file->room *= 2;
        return true;
    }
    file->end -= file->begin;
    memmove(file->spans, file->spans + file->begin, file->end * sizeof *file->spans);
    file->begin = 0;
    return true;
}

bool dedupe_rows_add(struct dedupe_rows *rows, uint32_t source, struct import_row row, uint32_t seq,
                     uint32_t horizon)
{
    struct dedupe_file *file = (struct dedupe_file *)file_of(rows, source, row.file);
    if (file == NULL && (file = file_new(rows, source, row.file, horizon)) == NULL)
        return false;
    if (file->end > file->begin) {
        struct dedupe_span *last = &file->spans[file->end - 1];
        if (row.row < last->row + last->count)
            return false;
        if (row.row == last->row + last->count && seq == last->seq + last->count) {
            last->count++;
            return true;
        }
    }
    if (!room_make(file, horizon))
        return false;
    file->spans[file->end++] = (struct dedupe_span){ row.row, 1, seq };
    return true;
}

uint64_t dedupe_rows_bytes(const struct dedupe_rows *rows)
{
    uint64_t bytes = 0;
    for (int i = 0; i < DEDUPE_FILES; i++)
        bytes += (uint64_t)rows->files[i].room * sizeof(struct dedupe_span);
    return bytes;
}

uint64_t dedupe_rows_spans(const struct dedupe_rows *rows)
{
    uint64_t count = 0;
    for (int i = 0; i < DEDUPE_FILES; i++)
        count += rows->files[i].end - rows->files[i].begin;
    return count;
}
