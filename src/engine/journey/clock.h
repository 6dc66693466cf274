/*
 * clock: a journey that begins by the calendar: a date of the person, or a schedule.
 *
 *      {"date": "7 days before anniversary of birthday at 09:00"}    of the person's trait: until.h
 *      {"schedule": "monday 10:00", "segment"?: NAME, "zone"?: "workspace"}
 *
 *      defined, or the date is told ---> next instant ... comes ---> the journey is begun
 *                                             ^                          |
 *                                             `--------------------------'
 *
 * There is no second clock: the instant is kept as until when a membership's answer stands (of a
 * segment that nobody is in, program_beginnings.c), so the person's one timer wakes them then, and
 * a changed trait, computed trait, zone or definition asks anew as of any segment.
 *
 * Always true   an instant begins the journey once, and only where it comes: one that lies in the
 *               past as it is told, or as the journey is defined, begins nothing; nor does what
 *               comes in an import.
 * Cost          16 bytes and a timer for whoever has such an instant before them.
 */
#ifndef DULT_ENGINE_CLOCK_H
#define DULT_ENGINE_CLOCK_H

#include "base/arena.h"
#include "engine/journey/until.h"

struct clock {
    struct until until;
    bool         is_workspace; /* by the workspace's zone, whatever the person's */
};

/* With all that it names in the arena; NULL without memory. */
const struct clock *clock_copy(struct arena *arena, const struct clock *clock);

#endif
