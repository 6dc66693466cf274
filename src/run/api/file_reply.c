#include "run/api/file_reply.h"

#include "run/api/file_shelf.h"

enum { DISPOSITION_BYTES_MAX = 2048, TAG_BYTES = 32 };

/* ---- ranges ---- */

static bool number_of(struct str text, size_t *out)
{
    int64_t value;
    bool    is_digits = text.len > 0 && text.len <= 15;
    for (size_t i = 0; i < text.len; i++)
        is_digits = is_digits && text.ptr[i] >= '0' && text.ptr[i] <= '9';
    if (!is_digits || str_to_int(text, &value) != OK)
        return false;
    *out = (size_t)value;
    return true;
}

struct file_range file_range_of(struct str header, size_t bytes)
{
    struct file_range whole = { RANGE_WHOLE, 0, bytes };
    struct str        text = str_trim(header), unit = STR("bytes=");
    if (!str_starts(text, unit))
        return whole;
    text = str_trim(str_slice(text, unit.len, text.len));
    size_t     dash = str_find_char(text, 0, '-'), from = 0, last = 0;
    struct str head = str_slice(text, 0, dash), tail = str_slice(text, dash + 1, text.len);
    if (dash == text.len)
        return whole;
    if (head.len == 0) { /* the last so many */
        if (!number_of(tail, &last))
            return whole;
        if (last == 0 || bytes == 0)
            return (struct file_range){ RANGE_NONE, 0, 0 };
        return (struct file_range){ RANGE_PART, last < bytes ? bytes - last : 0, bytes };
    }
    if (!number_of(head, &from) || (tail.len > 0 && !number_of(tail, &last)) ||
        (tail.len > 0 && last < from))
        return whole;
    if (from >= bytes)
        return (struct file_range){ RANGE_NONE, 0, 0 };
    return (struct file_range){ RANGE_PART, from,
                                tail.len == 0 || last >= bytes ? bytes : last + 1 };
}

/* ---- the answer ---- */

static struct file_range wanted(struct call *call, struct str tag, size_t bytes)
{
    struct str if_range = http_header(call->request, STR("If-Range"));
    if (if_range.len > 0 && !str_eq(str_trim(if_range), tag))
        return (struct file_range){ RANGE_WHOLE, 0, bytes };
    return file_range_of(http_header(call->request, STR("Range")), bytes);
}

static struct str range_text(struct call *call, const struct file_range *range, size_t bytes)
{
    return range->kind == RANGE_NONE
               ? str_format(call->arena, "bytes */%zu", bytes)
               : str_format(call->arena, "bytes %zu-%zu/%zu", range->from, range->to - 1, bytes);
}

enum err file_reply(struct call *call, const struct file_def *def)
{
    SCOPED(buf_donep) struct buf disposition = buf_make(DISPOSITION_BYTES_MAX);
    struct file_bytes           *file;
    if (call->api->files == NULL)
        return ERR_ABSENT;
    file_disposition_write(def->filename, &disposition);
    TRY(buf_err(&disposition));
    TRY(file_shelf_take(call->api->files, def, &file));
    struct str tag =
        str_format(call->arena, "\"%.*s\"", STR_ARG(str_slice(def->sha256, 0, TAG_BYTES)));
    struct file_range range = wanted(call, tag, file->bytes.len);
    bool              is_none = range.kind == RANGE_NONE;
    file_shelf_expect(file, range.from, range.to);
    struct http_header headers[] = {
        { STR("Content-Disposition"), buf_view(&disposition) },
        { STR("X-Content-Type-Options"), STR("nosniff") },
        { STR("Content-Security-Policy"), STR("default-src 'none'; sandbox") },
        { STR("Cache-Control"), STR("private, no-cache") },
        { STR("Referrer-Policy"), STR("no-referrer") },
        { STR("X-Robots-Tag"), STR("noindex") },
        { STR("Accept-Ranges"), STR("bytes") },
        { STR("ETag"), tag },
        { STR("Content-Range"), range_text(call, &range, file->bytes.len) },
    };
    size_t count = sizeof headers / sizeof headers[0] - (range.kind == RANGE_WHOLE ? 1 : 0);
    call->is_answered = true;
    http_reply(call->request,
               &(struct http_answer){ .status = is_none                    ? 416
                                                : range.kind == RANGE_PART ? 206
                                                                           : 200,
                                      .type = def->type,
                                      .headers = headers,
                                      .headers_count = count,
                                      .body = str_slice(file->bytes, range.from, range.to),
                                      .is_body_lasting = true,
                                      .body_done = file_shelf_give,
                                      .body_context = file });
    return OK;
}
