/*
 * date: instants as people write them, and as strftime prints them.
 *
 * Reading is forgiving as Ruby's Time.parse: ISO 8601, RFC 2822, "March 14, 2016", "14/3/2016"
 * (day first), "3pm", in any order. Without a zone UTC is meant; with an offset the parts are
 * shown in that offset. The day a bare time belongs to is now's.
 */
#ifndef DULT_TEMPLATE_DATE_H
#define DULT_TEMPLATE_DATE_H

#include "base/buf.h"
#include "base/time.h"

struct date {
    int64_t    at_ms;
    int32_t    offset_s;   /* east of UTC */
    struct str zone;       /* "UTC", "EST"; empty when only an offset is known */
    bool       is_instant; /* not a day or time of day that no zone was told of */
};

/* False when the text is no date. */
bool date_parse(struct str text, int64_t now_ms, struct date *out);

/* Appends `at` in Ruby's strftime directives with their flags (-0^#_:) and widths. */
void date_write(struct buf *out, const struct date *date, struct str format);

#endif
