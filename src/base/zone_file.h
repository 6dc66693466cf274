/*
 * zone_file: one zone from the bytes of the system's file about it (TZif, RFC 9636).
 *
 * The file lists the instants at which clocks were set, and ends in a rule for all later years,
 * such as "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX, with the hours -167..167 of the RFC); the rule is
 * written out here until 2100. Shifts that change no offset are left out.
 *
 * Knows not     leap seconds: the instants are taken as they are, as Dult's own are without them.
 */
#ifndef DULT_BASE_ZONE_FILE_H
#define DULT_BASE_ZONE_FILE_H

#include "base/zone.h"

/*
 * Reads a zone of that name; its shifts lie in `arena`, the name is borrowed. ERR_INPUT for bytes
 * that are no such file of version 2 or later, or whose rule cannot be read; ERR_LIMIT beyond
 * ZONE_SHIFTS_MAX; ERR_MEMORY.
 */
MUST enum err zone_file_read(struct arena *arena, struct str name, struct str bytes,
                             struct zone *out);

#endif
