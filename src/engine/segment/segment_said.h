/*
 * segment_said: one event as people write it, in a report or of a touchpoint.
 *
 *     "Order Completed"                       an event by its name
 *     Order Completed where revenue > 100     with a condition on its properties
 *     opened message "welcome"                anything that `did` may be said of, in the language
 *     {"event": "...", "where": "..."}        the same in parts; or the JSON form of a condition
 *
 * A mistake is told at `field`, with its place in the text: "events[1] 1:14".
 */
#ifndef DULT_ENGINE_SEGMENT_SAID_H
#define DULT_ENGINE_SEGMENT_SAID_H

#include "engine/segment/segment.h"

/* ERR_INPUT with a problem, also of a group; times and a window are left to who asks. */
MUST enum err segment_said(struct arena *arena, const struct json *value, const char *field,
                           const struct segment_node **out, struct problem *problem);
/* Narrows the event by a condition on its properties, as a text; NULL, null and "" are none. */
MUST enum err segment_said_where(struct arena *arena, const struct json *where,
                                 const struct segment_node **event, struct problem *problem);

#endif
