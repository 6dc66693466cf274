/*
 * Rows do not depend on how the file was cut into pieces, and what was read, written again with
 * every field quoted, is read as the same.
 */
#include "intake/csv.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void field_write(struct buf *out, struct str field)
{
    buf_char(out, '"');
    for (size_t i = 0; i < field.len; i++) {
        if (field.ptr[i] == '"')
            buf_char(out, '"');
        buf_char(out, field.ptr[i]);
    }
    buf_char(out, '"');
}

static void rows_write(struct buf *out, struct csv_shape shape, struct str text, size_t piece_bytes)
{
    struct csv    *csv = csv_open(shape);
    struct csv_row row;
    size_t         at = 0;
    enum err       err;
    while ((err = csv_next(csv, &row, NULL)) != ERR_ABSENT) {
        if (err == ERR_WAIT) {
            struct str piece = str_slice(text, at, at + piece_bytes);
            at += piece.len;
            err = csv_feed(csv, piece, at == text.len);
            assert(err == OK);
            continue;
        }
        for (uint32_t i = 0; err == OK && i < row.count; i++) {
            if (i > 0)
                buf_char(out, ',');
            field_write(out, row.fields[i]);
        }
        if (err == OK)
            buf_char(out, '\n');
    }
    csv_close(csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int32_t widths[] = { 1, 5, 3 };
    if (size < 2)
        return 0;
    struct str       text = { (const char *)data + 2, size - 2 };
    struct csv_shape shape = { .form = (enum csv_form)(data[0] % 4),
                               .separator = ";,\t|"[data[0] / 4 % 4],
                               .widths = widths,
                               .widths_count = 3 };
    struct csv_shape plain = { .form = CSV_SEPARATED, .separator = ',' };
    struct buf       whole = buf_make(1 << 24), cut = buf_make(1 << 24), again = buf_make(1 << 24);
    rows_write(&whole, shape, text, text.len + 1);
    rows_write(&cut, shape, text, 1 + data[1]);
    assert(str_eq(buf_view(&whole), buf_view(&cut)));
    rows_write(&again, plain, buf_view(&whole), 4096);
    assert(str_eq(buf_view(&whole), buf_view(&again)));
    buf_done(&whole);
    buf_done(&cut);
    buf_done(&again);
    return 0;
}
