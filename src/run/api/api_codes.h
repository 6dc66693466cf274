/*
 * api_codes: discount codes: how many are left, put there, looked up, listed for the shop.
 *
 * Codes come by the thousand, each a line, and are compared with those that are there already: the
 * same file sent twice adds nothing. Only one upload looks and writes at a time.
 */
#ifndef DULT_RUN_API_CODES_H
#define DULT_RUN_API_CODES_H

#include "run/api/api_inside.h"

enum {
    API_CODES_A_REQUEST_MAX = 50000, /* ten records, which are one task */
    API_CODES_REFUSED_SHOWN = 100,
};

_Static_assert(API_CODES_A_REQUEST_MAX / CODES_A_RECORD_MAX <= CORE_TASK_RECORDS_MAX,
               "a request is one task");

/* Members of an open object: kind, had, given, left, low, waiting, redeemed, expired, orders. */
MUST enum err codes_numbers_write(struct call *call, struct str name, struct buf *out, bool *first);

/* A list of the pools that are low or that messages wait for: name, left, waiting. */
MUST enum err codes_alerts_write(struct call *call, struct buf *out);
MUST enum err codes_metrics_write(struct call *call, struct buf *out);

#endif
