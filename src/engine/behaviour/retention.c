#include "engine/behaviour/retention.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = UINT16_MAX + 1 };

static uint32_t names_of(const struct retention *a, const struct retention *b)
{
    return a->names > b->names ? a->names : b->names;
}

bool retention_is_longer(const struct retention *a, const struct retention *b)
{
    for (uint32_t n = 0; n < names_of(a, b); n++)
        if (retention_before_ms(a, n) < retention_before_ms(b, n))
            return true;
    return a->rest_ms < b->rest_ms;
}

bool retention_eq(const struct retention *a, const struct retention *b)
{
    return !retention_is_longer(a, b) && !retention_is_longer(b, a);
}

enum err retention_copy(const struct retention *from, struct retention *out)
{
    int64_t *before_ms = malloc(((size_t)from->names + 1) * sizeof *before_ms);
    if (before_ms == NULL)
        return ERR_MEMORY;
    if (from->names > 0)
        memcpy(before_ms, from->before_ms, from->names * sizeof *before_ms);
    *out = (struct retention){ before_ms, from->names, from->rest_ms };
    return OK;
}

void retention_done(struct retention *retention)
{
    free((void *)retention->before_ms);
    *retention = retention_none();
}

/* Names that are kept as long as the rest are left out, but the last: it tells how many there are.
 */
void retention_text_write(const struct retention *retention, struct buf *out)
{
    buf_int(out, retention->rest_ms);
    buf_char(out, ':');
    for (uint32_t n = 0; n < retention->names; n++)
        if (retention->before_ms[n] != retention->rest_ms || n + 1 == retention->names)
            buf_format(out, "%u=%lld;", n, (long long)retention->before_ms[n]);
}

static enum err name_read(struct str one, int64_t *before_ms, int64_t *last)
{
    struct str name;
    int64_t    number;
    if (!str_split(&one, '=', &name) || str_to_int(name, &number) != OK || number <= *last ||
        number >= NAMES_MAX || str_to_int(one, &before_ms[number]) != OK)
        return ERR_CORRUPT;
    *last = number;
    return OK;
}

enum err retention_text_read(struct str text, struct retention *out)
{
    struct str rest, one;
    int64_t    rest_ms, last = -1;
    if (!str_split(&text, ':', &rest) || str_to_int(rest, &rest_ms) != OK)
        return ERR_CORRUPT;
    int64_t *before_ms = malloc(NAMES_MAX * sizeof *before_ms);
    if (before_ms == NULL)
        return ERR_MEMORY;
    for (uint32_t n = 0; n < NAMES_MAX; n++)
        before_ms[n] = rest_ms;
    enum err err = OK;
    while (err == OK && str_split(&text, ';', &one))
        if (one.len > 0)
            err = name_read(one, before_ms, &last);
    struct retention read = { before_ms, (uint32_t)(last + 1), rest_ms };
    if (err == OK)
        err = retention_copy(&read, out);
    free(before_ms);
    return err;
}
