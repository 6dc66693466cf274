/*
 * zones: the time zones of this machine, read once at start.
 *
 * The rules are the system's (the package tzdata): a file a zone, below one folder. What is read
 * is handed to the engine, which reads no files.
 *
 * Cost   about 600 small files, 10 ms with the page cache warm.
 */
#ifndef DULT_RUN_ZONES_H
#define DULT_RUN_ZONES_H

#include "base/zone.h"

/*
 * All zones below the folder; NULL is $TZDIR or else /usr/share/zoneinfo. Files that are no zones
 * are left out. ERR_ABSENT with a problem when there is none; ERR_MEMORY.
 */
MUST enum err zones_of_system(struct zones **out, const char *folder, struct problem *problem);

#endif
