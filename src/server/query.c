#include "server/query.h"

#include <string.h>

#include "base/encode.h"

enum { QUERY_NAME_BYTES_MAX = 256 };

bool query_next(struct str *rest, struct str *name, struct str *value)
{
    struct str pair = STR_NONE;
    while (pair.len == 0)
        if (!str_split(rest, '&', &pair))
            return false;
    size_t equal = str_find_char(pair, 0, '=');
    *name = str_slice(pair, 0, equal);
    *value = str_slice(pair, equal + 1, pair.len);
    return true;
}

static bool name_is(struct str written, struct str name)
{
    if (memchr(written.ptr, '%', written.len) == NULL &&
        memchr(written.ptr, '+', written.len) == NULL)
        return str_eq(written, name);
    SCOPED(buf_donep) struct buf decoded = buf_make(QUERY_NAME_BYTES_MAX);
    return percent_read(&decoded, written, true) == OK && str_eq(buf_view(&decoded), name);
}

bool query_get(struct str query, struct str name, struct buf *out)
{
    struct str found, value;
    while (query_next(&query, &found, &value)) {
        if (found.len > 0 && name_is(found, name))
            return percent_read(out, value, true) == OK && buf_err(out) == OK;
    }
    return false;
}
