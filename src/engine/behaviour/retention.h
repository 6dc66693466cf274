/*
 * retention: from when on events are kept, each name by its own instant.
 *
 *      name 0..15   the house's own          for ever
 *      name 16      "Order Completed"        |---------------- kept
 *      name 17      "Page Viewed"            |          ------ kept
 *      the rest                              |     ----------- kept
 *
 * A plain table of instants: who makes it gives the names that have an instant of their own, all
 * higher ones have `rest_ms`. TIME_MIN_MS is for ever.
 */
#ifndef DULT_ENGINE_RETENTION_H
#define DULT_ENGINE_RETENTION_H

#include "base/buf.h"
#include "base/time.h"

/* Events of a name before its instant never happened: before_ms[name], rest_ms for higher names. */
struct retention {
    const int64_t *before_ms;
    uint32_t       names;
    int64_t        rest_ms;
};

/* Everything is kept for ever; it has no table to free. */
static inline struct retention retention_none(void)
{
    return (struct retention){ NULL, 0, TIME_MIN_MS };
}

static inline int64_t retention_before_ms(const struct retention *retention, uint32_t name)
{
    return name < retention->names ? retention->before_ms[name] : retention->rest_ms;
}

static inline bool retention_hides(const struct retention *retention, uint32_t name, int64_t at_ms)
{
    return at_ms < retention_before_ms(retention, name);
}

/* Is anything ever hidden? */
static inline bool retention_hides_any(const struct retention *retention)
{
    return retention->names > 0 || retention->rest_ms > TIME_MIN_MS;
}

/* Is a name kept longer by `a` than by `b`? */
bool retention_is_longer(const struct retention *a, const struct retention *b);
bool retention_eq(const struct retention *a, const struct retention *b);

/* A copy with a table of its own, for retention_done. ERR_MEMORY. */
MUST enum err retention_copy(const struct retention *from, struct retention *out);
void          retention_done(struct retention *retention);

/* As text and back: "rest:name=ms;name=ms;", with the names' numbers in the store. ERR_CORRUPT,
 * ERR_MEMORY. */
typedef uint32_t retention_number(uint32_t name);

void          retention_text_write(const struct retention *retention, retention_number *to_store,
                                   struct buf *out);
MUST enum err retention_text_read(struct str text, retention_number *of_store,
                                  struct retention *out);

#endif
