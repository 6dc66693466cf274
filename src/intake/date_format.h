/*
 * date_format: dates as files write them.
 *
 * Formats: "iso" (RFC 3339, see base/time.h), "epoch", "epoch_ms", or a pattern of %Y (4 digits),
 * %y (2 digits, 69..99 are 19xx), %m %d %H %M %S (1 or 2 digits where a separator follows, else 2),
 * %b (Jan .. Dec, any case), %z (Z, +hhmm, +hh:mm), %% and literal characters. What a pattern does
 * not say is the first of its kind: month 1, day 1, hour 0. UTC unless %z.
 */
#ifndef DULT_INTAKE_DATE_FORMAT_H
#define DULT_INTAKE_DATE_FORMAT_H

#include "base/str.h"

/* Is this a format we know? It must say a year. */
bool date_format_is(struct str format);

/* ERR_INPUT when the text is not exactly such a date, or no such day exists. */
MUST enum err date_format_read(struct str format, struct str text, int64_t *out_ms);

#endif
