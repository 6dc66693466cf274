/*
 * ways_file: the ways out, from ways.json of the data folder (docs/providers.md).
 *
 *     {"ways": [
 *       {"name": "ses", "provider": "ses",
 *        "settings": {"region": "eu-west-1", "access_key": "AKIA...",
 *                     "secret_key": {"secret": "ses-secret"}},
 *        "per_second": 14, "warm_up": {"from": "2026-12-01", "first_day": 50, "grow": 1.5}},
 *       {"name": "relay", "smtp": "smtp://user@mail.example:587",
 *        "password": {"secret": "relay"}, "topics": ["receipts"]},
 *       {"name": "twilio", "provider": "twilio", "countries": ["NO"], "from": "Tents",
 *        "price": {"currency": "EUR", "NO": 0.05}, "settings": {...}}],
 *      "answers": {"help": {"en": "Tents & Co, help@tents.example."}}}
 *
 * A secret is never written here, but in the folder's secrets/NAME or in the environment.
 * Descriptions of one's own lie in DIR/providers/NAME.json and come before those built in.
 *
 * Without a way for webhooks there is one by the name "webhooks": the template says where to. A
 * file is held by whoever reads it and closed by the last, so that another one may take its place.
 *
 * Always true   names are there once; at least one way, at most WAYS_TOLD_MAX are told; a secret is
 *               in no problem.
 * Errors        ERR_INPUT, where = "ways.json: ses".
 */
#ifndef DULT_RUN_WAYS_FILE_H
#define DULT_RUN_WAYS_FILE_H

#include <pthread.h>

#include "run/send/way.h"

enum { WAYS_FILE_BYTES_MAX = 256 << 10 };

struct ways_file;

/* `path`: the file; NULL: DIR/ways.json, and where it is missing nothing is told. */
MUST enum err ways_file_read(struct ways_file **out, const char *dir, const char *path,
                             struct problem *problem);
/* One holder less; the last one's frees. NULL is nothing. */
void ways_file_close(struct ways_file *file);
/* One more who closes it; NULL stays NULL. */
struct ways_file *ways_file_hold(struct ways_file *file);
/* Does it say more than the usual? */
bool ways_file_is_told(const struct ways_file *file);

/* In order; they live as long as the file. */
const struct way_conf *ways_file_ways(const struct ways_file *file, uint32_t *count);

/* What is answered to STOP, START and HELP: replies.h; NULL. */
const struct json *ways_file_answers(const struct ways_file *file);
/* The first way of the channel to that address (empty: to any); NULL: there is none. */
const struct way_conf *ways_file_first(const struct ways_file *file, enum consent_channel channel,
                                       struct str address);

/* The file that counts now. Any thread. */
struct ways_shelf {
    pthread_mutex_t   lock; /* PTHREAD_MUTEX_INITIALIZER */
    struct ways_file *file;
};

/* Held until ways_file_close; NULL: there is none. */
struct ways_file *ways_shelf_take(struct ways_shelf *shelf);
/* The caller's hold goes over to the shelf; the one before is let go. */
void ways_shelf_put(struct ways_shelf *shelf, struct ways_file *file);

#endif
