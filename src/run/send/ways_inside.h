/*
 * What the files of ways_file share: ways_file.c (the file, and what kind each way is),
 * ways_limits.c.
 */
#ifndef DULT_RUN_WAYS_INSIDE_H
#define DULT_RUN_WAYS_INSIDE_H

#include "run/send/ways_file.h"

/* One way, and where it stands. */
struct entry {
    struct ways_file  *file;
    struct arena      *arena; /* the file's */
    const struct json *json;
    struct way_conf   *way;
    char               where[80];
    struct problem    *problem;
};

MUST enum err entry_fault(struct entry *entry, const char *what, const char *remedy);
/* ways_limits.c */
MUST enum err entry_limits_read(struct entry *entry);

#endif
