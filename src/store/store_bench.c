/*
 * How fast are durable batches, beside plain SQLite in the same run?
 *
 *     store_bench [rounds [folder]]       medians of `rounds` interleaved rounds (5)
 *
 * The peer inserts the same bodies into a one-column table, with the same page size, sync and
 * a checkpoint each STORE_WAL_STEP_BYTES. We write every column of an event, and for each 20 events
 * one decision, and call store_maintain after every batch.
 */
#include "store/store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"

enum { BATCHES = 200, BATCH_EVENTS = 1000, DECISION_EVERY = 20, BODY_BYTES = 350, ROUNDS_MAX = 99 };

static struct store_event    events[BATCH_EVENTS];
static struct store_decision decisions[BATCH_EVENTS / DECISION_EVERY];
static char                  bodies[BATCH_EVENTS][BODY_BYTES + 1];
static char                  users[BATCH_EVENTS][24], messages[BATCH_EVENTS][40];

static void need(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "store_bench: %s failed\n", what);
    exit(1);
}

static void body_make(int i)
{
    int len = snprintf(bodies[i], sizeof bodies[i],
                       "{\"properties\":{\"orderId\":\"order-%06d\",\"revenue\":%d.50,\"text\":\"",
                       i, i % 997);
    while (len < BODY_BYTES - 3) {
        bodies[i][len] = (char)('a' + (len * 7 + i) % 26);
        len++;
    }
    memcpy(bodies[i] + len, "\"}}", 3);
}

static void batch_make(uint64_t seq, uint64_t decision)
{
    for (int i = 0; i < BATCH_EVENTS; i++) {
        uint64_t profile = (seq + (uint64_t)i) * 2654435761u % 1000000 + 1;
        snprintf(users[i], sizeof users[i], "user-%07llu", (unsigned long long)profile);
        snprintf(messages[i], sizeof messages[i], "a1b2c3d4-%016llx",
                 (unsigned long long)(seq + (uint64_t)i));
        events[i] = (struct store_event){
            .seq = seq + (uint64_t)i,
            .received_ms = 1790000000000 + (int64_t)seq,
            .at_ms = 1790000000000 + (int64_t)seq - i,
            .kind = STORE_EVENT_TRACK,
            .source = 1,
            .profile = profile,
            .name = (uint32_t)i % 40 + 1,
            .user_id = str_of(users[i]),
            .message_id = str_of(messages[i]),
            .body = { bodies[i], BODY_BYTES },
        };
        if (i % DECISION_EVERY != 0)
            continue;
        decisions[i / DECISION_EVERY] = (struct store_decision){
            .id = decision,
            .seq = events[i].seq,
            .profile = profile,
            .prev = decision / 2,
            .at_ms = events[i].at_ms,
            .kind = STORE_DECISION_SEGMENT_ENTERED,
            .subject = 3,
        };
        decision++;
    }
}

static void folder_empty(const char *folder)
{
    static const char *const names[] = { "dult.db",  "dult.db-wal",  "dult.db-shm", "lock",
                                         "plain.db", "plain.db-wal", "plain.db-shm" };
    char                     path[4200];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
}

static double rate_store(const char *folder)
{
    struct store       *store;
    struct store_upkeep upkeep;
    struct problem      problem;
    struct store_conf   conf = { .dir = str_of(folder) };
    need(store_open(&store, &conf, &problem) == OK, "opening the store");
    uint64_t decision = 1;
    int64_t  spent_us = 0;
    for (int i = 0; i < BATCHES; i++) {
        batch_make((uint64_t)i * BATCH_EVENTS + 1, decision);
        struct store_batch batch = { .events = events,
                                     .events_count = BATCH_EVENTS,
                                     .decisions = decisions,
                                     .decisions_count = BATCH_EVENTS / DECISION_EVERY };
        decision += batch.decisions_count;
        int64_t start_us = time_mono_us();
        need(store_commit(store, &batch) == OK, "a commit");
        need(store_maintain(store, &upkeep) == OK, "upkeep");
        spent_us += time_mono_us() - start_us;
    }
    store_close(store);
    return BATCHES * (double)BATCH_EVENTS * 1e6 / (double)spent_us;
}

static void plain_batch(sqlite3 *db, sqlite3_stmt *insert)
{
    need(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK, "begin");
    for (int i = 0; i < BATCH_EVENTS; i++) {
        sqlite3_bind_text(insert, 1, bodies[i], BODY_BYTES, SQLITE_STATIC);
        need(sqlite3_step(insert) == SQLITE_DONE, "a plain insert");
        sqlite3_reset(insert);
    }
    need(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK, "a plain commit");
}

static double rate_plain(const char *folder)
{
    char          path[4200], pragmas[256];
    sqlite3      *db;
    sqlite3_stmt *insert;
    snprintf(path, sizeof path, "%s/plain.db", folder);
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
             "PRAGMA wal_autocheckpoint=%d; CREATE TABLE t(body)",
             (int)(STORE_WAL_STEP_BYTES / 8216));
    need(sqlite3_open(path, &db) == SQLITE_OK, "opening plain SQLite");
    need(sqlite3_exec(db, pragmas, NULL, NULL, NULL) == SQLITE_OK, "the plain table");
    need(sqlite3_prepare_v2(db, "INSERT INTO t(body) VALUES(?)", -1, &insert, NULL) == SQLITE_OK,
         "the plain statement");
    int64_t start_us = time_mono_us();
    for (int i = 0; i < BATCHES; i++)
        plain_batch(db, insert);
    int64_t spent_us = time_mono_us() - start_us;
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return BATCHES * (double)BATCH_EVENTS * 1e6 / (double)spent_us;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int    rounds = argc > 1 ? atoi(argv[1]) : 5;
    char   own[] = "/tmp/store_bench.XXXXXX";
    char  *folder = argc > 2 ? argv[2] : mkdtemp(own);
    double ours[ROUNDS_MAX], plain[ROUNDS_MAX], ratio[ROUNDS_MAX];
    need(folder != NULL && rounds >= 1 && rounds <= ROUNDS_MAX, "the arguments");
    for (int i = 0; i < BATCH_EVENTS; i++)
        body_make(i);
    for (int i = 0; i < rounds; i++) {
        folder_empty(folder);
        plain[i] = rate_plain(folder);
        folder_empty(folder);
        ours[i] = rate_store(folder);
        ratio[i] = ours[i] / plain[i];
    }
    folder_empty(folder);
    if (argc <= 2)
        rmdir(folder);
    qsort(ours, (size_t)rounds, sizeof ours[0], compare);
    qsort(plain, (size_t)rounds, sizeof plain[0], compare);
    qsort(ratio, (size_t)rounds, sizeof ratio[0], compare);
    printf("store %.0f events/s, plain %.0f rows/s, ratio %.2f (medians of %d, %d events of %d "
           "bytes in batches of %d)\n",
           ours[rounds / 2], plain[rounds / 2], ratio[rounds / 2], rounds, BATCHES * BATCH_EVENTS,
           BODY_BYTES, BATCH_EVENTS);
    return 0;
}
