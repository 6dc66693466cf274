/*
 * Whatever stands in a Range header: what is answered lies within the file, and is none of it or at
 * least a byte; and a header that is in order names just those bytes that a count of them gives.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/api/file_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_BYTES_MAX = 300, NUMBER_MAX = 400 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void is_within(const struct file_range *range, size_t bytes)
{
    if (range->kind == RANGE_WHOLE)
        must(range->from == 0 && range->to == bytes);
    else if (range->kind == RANGE_PART)
        must(range->from < range->to && range->to <= bytes);
    else
        must(range->from == 0 && range->to == 0);
}

/* Byte by byte: does "FROM-LAST" name it? */
static void is_counted(const struct file_range *range, size_t from, size_t last, size_t bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes; i++) {
        bool named = i >= from && i <= last;
        count += named;
        must(named == (range->kind == RANGE_PART && i >= range->from && i < range->to));
    }
    must((count == 0) == (range->kind == RANGE_NONE));
}

static void in_order(uint16_t a, uint16_t b, uint16_t c)
{
    size_t            bytes = c % (FILE_BYTES_MAX + 1);
    size_t            from = a % NUMBER_MAX, last = from + b % NUMBER_MAX;
    char              text[64];
    struct file_range range;
    snprintf(text, sizeof text, "bytes=%zu-%zu", from, last);
    range = file_range_of(str_of(text), bytes);
    is_counted(&range, from, last, bytes);
    snprintf(text, sizeof text, "bytes=%zu-", from);
    range = file_range_of(str_of(text), bytes);
    is_counted(&range, from, SIZE_MAX, bytes);
    snprintf(text, sizeof text, "bytes=-%zu", from); /* the last so many */
    range = file_range_of(str_of(text), bytes);
    is_counted(&range, from == 0 ? SIZE_MAX : from < bytes ? bytes - from : 0, SIZE_MAX, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t sizes[] = { 0, 1, 10, 300000, (size_t)1 << 50 };
    struct str          header = { (const char *)data, size };
    uint16_t            numbers[3];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct file_range range = file_range_of(header, sizes[i]);
        is_within(&range, sizes[i]);
    }
    if (size < sizeof numbers)
        return 0;
    memcpy(numbers, data, sizeof numbers);
    in_order(numbers[0], numbers[1], numbers[2]);
    return 0;
}
