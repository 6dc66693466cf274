/*
 * api_broadcasts: broadcasts looked at, launched, paused, resumed, cancelled, tried again.
 *
 *      "state": "running", "launched", "starts", "finished", "next"     instants, where there are
 *      "expected": 5000        people, as counted at the launch
 *      "recipients": 1200      decided so far; "final": 900 of them
 *      "held_back": 12         of these; "counts": {"sent": 880, "no_consent": 10, ...}
 *      "percent": 18           of what is expected, final
 *      "seconds_left": 3600    by the throttle, else by how fast it went; absent: nobody knows
 */
#ifndef DULT_RUN_API_BROADCASTS_H
#define DULT_RUN_API_BROADCASTS_H

#include "run/api/api_inside.h"

/* Members of an open object, as above. */
MUST enum err broadcast_numbers_write(struct call *call, struct str name, struct buf *out,
                                      bool *first);

#endif
