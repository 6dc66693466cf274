/*
 * ways_file: the ways out, from ways.json of the data folder (docs/providers.md).
 *
 *     {"ways": [
 *       {"name": "ses", "provider": "ses",
 *        "settings": {"region": "eu-west-1", "access_key": "AKIA...",
 *                     "secret_key": {"secret": "ses-secret"}},
 *        "per_second": 14, "warm_up": {"from": "2026-12-01", "first_day": 50, "grow": 1.5}},
 *       {"name": "relay", "smtp": "smtp://user@mail.example:587",
 *        "password": {"secret": "relay"}, "topics": ["receipts"]}]}
 *
 * A secret is never written here, but in the folder's secrets/NAME or in the environment.
 * Descriptions of one's own lie in DIR/providers/NAME.json and come before those built in.
 *
 * Always true   names are there once; at least one way, at most WAYS_TOLD_MAX; a secret is in no
 *               problem.
 * Errors        ERR_INPUT, where = "ways.json: ses".
 */
#ifndef DULT_RUN_WAYS_FILE_H
#define DULT_RUN_WAYS_FILE_H

#include "run/send/way.h"

enum { WAYS_FILE_BYTES_MAX = 256 << 10 };

struct ways_file;

/* `path`: the file; NULL: DIR/ways.json. ERR_ABSENT: there is none. */
MUST enum err ways_file_read(struct ways_file **out, const char *dir, const char *path,
                             struct problem *problem);
void          ways_file_close(struct ways_file *file); /* NULL is nothing */

/* In order; they live as long as the file. */
const struct way_conf *ways_file_ways(const struct ways_file *file, uint32_t *count);

#endif
