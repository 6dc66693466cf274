/*
 * segment_date: where a value lies against a date.
 *
 * A value is an instant, or a day: a text of a date alone ("1990-05-17"). So is what it is compared
 * with. A day is the stretch of time that it takes in the person's zone, and of two that overlap
 * neither is before the other:
 *
 *                 |<---- the day ---->|
 *      ---- -1 ---+-------- 0 --------+--- +1 ---->      an instant against a day
 *
 * Today and "30 days ago" move on, and with them the answer; segment_date_turn tells when.
 */
#ifndef DULT_ENGINE_SEGMENT_DATE_H
#define DULT_ENGINE_SEGMENT_DATE_H

#include "engine/segment/facts.h"
#include "engine/segment/segment_tree.h"

struct segment_date {
    bool    is_day;
    int64_t day;   /* of a day, from 1970-01-01 */
    int64_t at_ms; /* of an instant */
};

/* A value as a date; false when it is none. */
bool segment_date_of(const struct json *value, struct segment_date *out);

bool segment_date_is(enum segment_literal_kind kind);    /* DATE, A_DAY, AGO, TODAY */
bool segment_date_moves(enum segment_literal_kind kind); /* AGO, TODAY */

/* -1, 0, 1 as the value lies before, in or after the literal; false when it is no date. */
bool segment_date_order(const struct facts *facts, const struct json *value,
                        const struct segment_literal *literal, int *out);

/* The first instant after now at which the order may be another; TIME_NEVER. */
int64_t segment_date_turn(const struct facts *facts, const struct json *value,
                          const struct segment_literal *literal);

/* The day of the value in the person's zone, from 1970-01-01; false when it is no date. */
bool segment_date_day(const struct facts *facts, const struct json *value, int64_t *out);

#endif
