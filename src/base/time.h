/*
 * time: instants and lengths of time, as numbers and as text.
 *
 * An instant is milliseconds since 1970-01-01T00:00:00Z without leap seconds, in an int64_t whose
 * name ends in _ms. Nothing here reads a clock; only time_now_ms does, and only the edge calls it.
 */
#ifndef DULT_BASE_TIME_H
#define DULT_BASE_TIME_H

#include "base/str.h"

#define TIME_SECOND_MS INT64_C(1000)
#define TIME_MINUTE_MS INT64_C(60000)
#define TIME_HOUR_MS INT64_C(3600000)
#define TIME_DAY_MS INT64_C(86400000)
#define TIME_NEVER INT64_MAX /* an instant that does not come */

/* The instants we accept: years 1 to 9999. */
#define TIME_MIN_MS INT64_C(-62135596800000)
#define TIME_MAX_MS INT64_C(253402300799999)

enum { TIME_TEXT_BYTES = 32 };

struct time_parts {
    int32_t year;
    int32_t month, day; /* 1..12, 1..31 */
    int32_t hour, minute, second, millisecond;
    int32_t weekday; /* 1 Monday .. 7 Sunday */
};

/* The wall clock, UTC. For the edge only: the engine gets its time in records. */
int64_t time_now_ms(void);
/* A clock that never goes back, for measuring. */
int64_t time_mono_us(void);

/*
 * Reads ISO 8601 / RFC 3339: a date ("2026-01-02" is its first instant, UTC), or date and time with
 * 'T' or a space, optional seconds and fraction (cut to ms), and 'Z', an offset or nothing (UTC).
 * ERR_INPUT otherwise or outside TIME_MIN_MS..TIME_MAX_MS.
 */
MUST enum err time_parse(struct str text, int64_t *out_ms);

/* "2026-01-02T03:04:05.678Z"; `out` has TIME_TEXT_BYTES. Returns out. */
char *time_write(int64_t at_ms, char *out);

/* Reads a length such as "30 days", "1 hour", "90d", "36h", "15m", "10s", "2 weeks", "500ms". */
MUST enum err time_length_parse(struct str text, int64_t *out_ms);
/* Writes the shortest whole form: "30 days", "1 hour", "90 minutes". Returns out. */
char *time_length_write(int64_t length_ms, char *out, size_t out_bytes);

struct time_parts time_split(int64_t at_ms);                 /* UTC */
int64_t           time_join(const struct time_parts *parts); /* UTC; weekday ignored */

#endif
