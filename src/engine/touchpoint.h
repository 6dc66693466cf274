/*
 * touchpoint: where a customer meets the house, as somebody planned it.
 *
 *      touchpoints/checkout.json
 *
 *      {"title": "The checkout", "stage": "customer", "source": "shop",
 *       "events": ["Order Completed", {"event": "Checkout Started", "where": "total > 0"}],
 *       "feeling": "safe, and quickly done", "note": "Ask for no account."}
 *
 * The engine asks nothing of it: its text is kept for those who show it (paper.h), and its stage
 * may go from under it. What its events come to is counted by report/seen.h.
 *
 * Bounds        below. One that has no events can be on the map, and is never seen.
 */
#ifndef DULT_ENGINE_TOUCHPOINT_H
#define DULT_ENGINE_TOUCHPOINT_H

#include "engine/segment/segment.h"

enum {
    TOUCHPOINTS_MAX = 200,
    TOUCHPOINT_EVENTS_MAX = 12,
    TOUCHPOINT_TITLE_BYTES_MAX = 200,
    TOUCHPOINT_NAME_BYTES_MAX = 128, /* of its stage, its source */
    TOUCHPOINT_FEELING_BYTES_MAX = 500,
    TOUCHPOINT_NOTE_BYTES_MAX = 4000,
};

struct touchpoint {
    struct str                        title, stage, source, feeling, note; /* empty: not said */
    const struct segment_node *const *events; /* each `did "X"`, perhaps with `where` */
    uint32_t                          events_count;
};

/* Into `arena`. ERR_INPUT, ERR_LIMIT with a problem that names the field. */
MUST enum err touchpoint_parse(struct arena *arena, struct str text, struct touchpoint *out,
                               struct problem *problem);

#endif
