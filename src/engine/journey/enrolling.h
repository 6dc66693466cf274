/*
 * enrolling: somebody is let into a journey, or taken out of it, by hand or by a program.
 *
 *      RECORD_ENROLL  profile     who
 *                     body        the journey's name
 *                     name        EVENT_JOURNEY_ENTRY; with RECORD_LEAVE EVENT_JOURNEY_EXIT
 *                     properties  what was given, and {"journey": its name}
 *
 * It becomes an event of the person, which stands as the one that began the journey: templates,
 * nodes and the key see its properties. What begins the journey otherwise is not asked; reentry,
 * holdout and key are. Whoever is taken out leaves as by an exit, each time that they are inside.
 *
 * Always true   an event of these names was told by such a record: a stranger's has another.
 * Refused with a problem: a journey that is not there, and taking out somebody who is not inside.
 */
#ifndef DULT_ENGINE_ENROLLING_H
#define DULT_ENGINE_ENROLLING_H

#include "engine/record.h"

enum { ENROLLING_BYTES_MAX = 64 << 10 }; /* of properties, as JSON */

#define ENROLLING_CAUSE STR("let in by hand")
#define ENROLLING_REASON STR("taken out by hand")

bool enrolling_is_name(struct str event);

/* What the record says: what was given (NULL: nothing), and the journey. ERR_INPUT: it names one
 * already; ERR_LIMIT, ERR_MEMORY. */
MUST enum err enrolling_properties(struct arena *arena, const struct json *given,
                                   struct str journey, struct json *out, struct problem *problem);

#endif
