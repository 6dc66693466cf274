#include "engine/behaviour/retention.h"

#include <stdlib.h>
#include <string.h>

#include "engine/behaviour/run.h"

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

static void names_write(const struct retention *retention, retention_number *to_store,
                        uint32_t from, uint32_t to, struct buf *out)
{
    for (uint32_t n = from; n < to && n < retention->names; n++)
        if (retention->before_ms[n] != retention->rest_ms)
            buf_format(out, "%u=%lld;", to_store(n), (long long)retention->before_ms[n]);
}

/* Names that are kept as long as the rest are left out. The store's numbers ascend so. */
void retention_text_write(const struct retention *retention, retention_number *to_store,
                          struct buf *out)
{
    buf_int(out, retention->rest_ms);
    buf_char(out, ':');
    names_write(retention, to_store, 0, RUN_OWN_NAMES, out);
    names_write(retention, to_store, RUN_DEEDS, NAMES_MAX, out);
    names_write(retention, to_store, RUN_OWN_NAMES, RUN_DEEDS, out);
}

struct reading {
    retention_number *of_store;
    int64_t          *before_ms, last;
    uint32_t          names;
};

static enum err name_read(struct reading *reading, struct str one)
{
    struct str name;
    int64_t    number;
    if (!str_split(&one, '=', &name) || str_to_int(name, &number) != OK ||
        number <= reading->last || number >= NAMES_MAX)
        return ERR_CORRUPT;
    uint32_t n = reading->of_store((uint32_t)number);
    reading->last = number;
    if (n >= NAMES_MAX || str_to_int(one, &reading->before_ms[n]) != OK)
        return ERR_CORRUPT;
    reading->names = n >= reading->names ? n + 1 : reading->names;
    return OK;
}

enum err retention_text_read(struct str text, retention_number *of_store, struct retention *out)
{
    struct str     rest, one;
    int64_t        rest_ms;
    struct reading reading = { .of_store = of_store, .last = -1 };
    if (!str_split(&text, ':', &rest) || str_to_int(rest, &rest_ms) != OK)
        return ERR_CORRUPT;
    reading.before_ms = malloc(NAMES_MAX * sizeof *reading.before_ms);
    if (reading.before_ms == NULL)
        return ERR_MEMORY;
    for (uint32_t n = 0; n < NAMES_MAX; n++)
        reading.before_ms[n] = rest_ms;
    enum err err = OK;
    while (err == OK && str_split(&text, ';', &one))
        if (one.len > 0)
            err = name_read(&reading, one);
    struct retention read = { reading.before_ms, reading.names, rest_ms };
    if (err == OK)
        err = retention_copy(&read, out);
    free(reading.before_ms);
    return err;
}
