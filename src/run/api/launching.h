/*
 * launching: whom a journey's launch may bring in at once, and a journey that stands still.
 */
#ifndef DULT_RUN_LAUNCHING_H
#define DULT_RUN_LAUNCHING_H

#include "run/api/api_inside.h"

/* ?also_inside=1 goes with a journey that begins by a segment, a stage or a list: else ERR_INPUT.
 */
MUST enum err launching_check(struct call *call, enum definition_kind kind, struct str text);
/* Appends "already_inside": how many are in what begins the journey of that text; nothing where it
 * begins otherwise. */
MUST enum err launching_write(struct call *call, struct str text, struct buf *out, bool *first);
/* Appends "state": "paused" or "stopped"; nothing of a journey that runs. */
MUST enum err launching_state_write(struct call *call, struct str journey, struct buf *out,
                                    bool *first);

#endif
