/*
 * baseline: how fast does plain SQLite write the same payloads?
 *
 *     baseline --dir DIR --seconds S
 *
 * One table without an index, batches of 1,000 rows, WAL and full sync: the floor that durable
 * intake over HTTP is compared with, measured in the same run. Prints one JSON line.
 */
#include <getopt.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "events.h"

enum { BATCH_ROWS = 1000, BODY_BYTES_MAX = 1 << 20 };

static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, at INTEGER, person INTEGER, name INTEGER,"
    " payload TEXT)";

static void check(sqlite3 *db, int rc, int wanted)
{
    if (rc == wanted)
        return;
    fprintf(stderr, "baseline: %s\n", sqlite3_errmsg(db));
    exit(1);
}

/* The events of a body, one after the other; each ends where the next begins. */
static struct str event_text(const struct events_body *body, uint32_t index, const size_t *starts)
{
    return (struct str){ body->bytes.ptr + starts[index], starts[index + 1] - starts[index] };
}

static void batch_insert(sqlite3 *db, sqlite3_stmt *insert, const struct events_body *body,
                         const size_t *starts, int64_t at_ms)
{
    check(db, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    for (uint32_t i = 0; i < BATCH_ROWS; i++) {
        struct str text = event_text(body, i, starts);
        sqlite3_bind_int64(insert, 1, at_ms);
        sqlite3_bind_int64(insert, 2, i);
        sqlite3_bind_int64(insert, 3, i % 20);
        sqlite3_bind_text(insert, 4, text.ptr, (int)text.len, SQLITE_STATIC);
        check(db, sqlite3_step(insert), SQLITE_DONE);
        sqlite3_reset(insert);
    }
    check(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
}

static sqlite3 *database_open(const char *dir)
{
    char     path[4096];
    sqlite3 *db = NULL;

    snprintf(path, sizeof path, "%s/baseline.db", dir);
    check(db, sqlite3_open(path, &db), SQLITE_OK);
    check(db, sqlite3_exec(db, schema, NULL, NULL, NULL), SQLITE_OK);
    return db;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "dir", required_argument, NULL, 'd' },
        { "seconds", required_argument, NULL, 's' },
        { NULL, 0, NULL, 0 },
    };
    const char *dir = NULL;
    int64_t     seconds = 10;
    int         option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            dir = optarg;
        else if (option != 's' || str_to_int(str_of(optarg), &seconds) != OK)
            return 2;
    }
    if (dir == NULL) {
        fprintf(stderr, "usage: baseline --dir DIR [--seconds S]\n");
        return 2;
    }

    static struct events_body body;
    static size_t             starts[BATCH_ROWS + 1];
    struct events             events = events_make(100000, 1);
    body.bytes = buf_make(BODY_BYTES_MAX);
    for (uint32_t i = 0; i < BATCH_ROWS; i++) {
        events_append(&events, &body);
        starts[i + 1] = body.bytes.len;
    }

    sqlite3      *db = database_open(dir);
    sqlite3_stmt *insert = NULL;
    check(db,
          sqlite3_prepare_v2(db, "INSERT INTO event (at, person, name, payload) VALUES (?,?,?,?)",
                             -1, &insert, NULL),
          SQLITE_OK);
    int64_t  began_us = time_mono_us(), now_us = began_us;
    uint64_t rows = 0;
    for (; now_us < began_us + seconds * 1000000; now_us = time_mono_us()) {
        int64_t at_ms = time_now_ms();
        events_clock(&events, at_ms);
        events_patch(&events, &body);
        batch_insert(db, insert, &body, starts, at_ms);
        rows += BATCH_ROWS;
    }
    double took_s = (double)(now_us - began_us) / 1e6;
    printf("{\"mode\":\"baseline\",\"seconds\":%.3f,\"rows\":%llu,\"rate\":%.0f,"
           "\"row_bytes\":%zu}\n",
           took_s, (unsigned long long)rows, (double)rows / took_s, body.bytes.len / BATCH_ROWS);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return 0;
}
