/*
 * segment_lower: "opened message "welcome"" as an event of ours and a filter on its properties.
 *
 *      opened message "welcome"       "Message Opened" where (template = "welcome" and not machine)
 *      entered journey "onboarding"   "$journey" where (what = 1 and journey = 3)
 *
 * Internal to segment/.
 */
#ifndef DULT_ENGINE_SEGMENT_LOWER_H
#define DULT_ENGINE_SEGMENT_LOWER_H

#include "base/arena.h"
#include "engine/segment/segment_tree.h"

enum {
    SEGMENT_LOWERED_PARTS_MAX = 3, /* template or what, machine or journey, the written filter */
    SEGMENT_LOWERED_NODES_MAX = 5, /* and, two comparisons, a "not" and to spare */
};

/* The event that a subject other than EVENT and ANYTHING looks at. */
struct str segment_subject_event(enum segment_subject subject);

/* The whole filter of a match, made in `arena`; NULL for none. `journey`: its number. ERR_MEMORY.
 */
MUST enum err segment_lower(struct arena *arena, const struct segment_match *match,
                            uint32_t journey, const struct segment_node **where);

#endif
