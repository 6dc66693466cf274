/*
 * store_fixture: for this room's tests. A folder of one's own, batches whose every row can be
 * foretold from its number, and a look at how many of them are there.
 *
 *     batch n  =  events (n-1)*FIXTURE_EVENTS+1 .. n*FIXTURE_EVENTS, one decision an event,
 *                 and meta "batch" = n
 */
#ifndef DULT_STORE_STORE_FIXTURE_H
#define DULT_STORE_STORE_FIXTURE_H

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "store/store.h"

enum { FIXTURE_EVENTS = 40, FIXTURE_BODY_BYTES = 300 };

struct fixture {
    char                  dir[128], body[FIXTURE_BODY_BYTES + 1];
    struct store_event    events[FIXTURE_EVENTS];
    struct store_decision decisions[FIXTURE_EVENTS];
    char                  count[24];
    struct store_meta     meta;
};

static inline void fixture_make(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    strcpy(fixture->dir, "/tmp/store_test.XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    memset(fixture->body, 'x', FIXTURE_BODY_BYTES);
}

static inline void fixture_done(struct fixture *fixture)
{
    char path[400];
    DIR *folder = opendir(fixture->dir);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", fixture->dir, entry->d_name);
        unlink(path);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(fixture->dir);
}

static inline struct store *fixture_open(struct fixture *fixture, size_t wal_bytes_max)
{
    struct store     *store = NULL;
    struct problem    problem = { .what = "" };
    struct store_conf conf = { .dir = str_of(fixture->dir),
                               .socket = STR("/run/dult.sock"),
                               .wal_bytes_max = wal_bytes_max };
    enum err          err = store_open(&store, &conf, &problem);
    if (err != OK)
        print_error("%s: %s\n", problem.where, problem.what);
    assert_int_equal(err, OK);
    return store;
}

static inline struct store_batch fixture_batch(struct fixture *fixture, uint64_t n)
{
    for (uint64_t i = 0; i < FIXTURE_EVENTS; i++) {
        uint64_t key = (n - 1) * FIXTURE_EVENTS + i + 1;
        fixture->events[i] = (struct store_event){
            .seq = key,
            .received_ms = (int64_t)key * 10,
            .at_ms = (int64_t)key * 10 - 3,
            .kind = STORE_EVENT_TRACK,
            .profile = key % 7 + 1,
            .name = 1,
            .body = { fixture->body, key % FIXTURE_BODY_BYTES },
        };
        fixture->decisions[i] = (struct store_decision){
            .id = key,
            .seq = key,
            .profile = key % 7 + 1,
            .prev = key > 7 ? key - 7 : 0,
            .at_ms = (int64_t)key * 10,
            .kind = STORE_DECISION_SEGMENT_ENTERED,
            .subject = 5,
        };
    }
    snprintf(fixture->count, sizeof fixture->count, "%llu", (unsigned long long)n);
    fixture->meta = (struct store_meta){ STR("batch"), str_of(fixture->count) };
    return (struct store_batch){
        .events = fixture->events,
        .events_count = FIXTURE_EVENTS,
        .decisions = fixture->decisions,
        .decisions_count = FIXTURE_EVENTS,
        .metas = &fixture->meta,
        .metas_count = 1,
    };
}

struct fixture_sum {
    uint64_t events, decisions;
    bool     wrong;
};

static inline enum err fixture_event(void *ctx, const struct store_event *row)
{
    struct fixture_sum *sum = ctx;
    sum->events++;
    sum->wrong |= row->seq != sum->events || row->received_ms != (int64_t)row->seq * 10 ||
                  row->body.len != row->seq % FIXTURE_BODY_BYTES;
    return OK;
}

static inline enum err fixture_decision(void *ctx, const struct store_decision *row)
{
    struct fixture_sum *sum = ctx;
    sum->decisions++;
    sum->wrong |= row->id != sum->decisions || row->seq != row->id;
    return OK;
}

/* How many batches are there; fails the test when one is there in part, twice or altered. */
static inline uint64_t fixture_count(struct store *store)
{
    SCOPED(store_reader_closep) struct store_reader *reader = NULL;
    SCOPED(arena_closep) struct arena               *arena = arena_open(4096);
    struct fixture_sum                               sum = { 0 };
    struct str                                       text = STR("0");
    int64_t                                          batches = -1;
    uint64_t                                         seq_last = 99;
    assert_ok(store_reader_open(store, "count", &reader));
    assert_ok(store_reader_begin(reader, &seq_last));
    assert_ok(store_events_read(reader, 0, UINT64_MAX, fixture_event, &sum));
    assert_ok(store_decisions_read(reader, 0, UINT64_MAX, fixture_decision, &sum));
    enum err err = store_meta_get(reader, arena, STR("batch"), &text);
    assert_true(err == OK || err == ERR_ABSENT);
    store_reader_end(reader);
    assert_ok(str_to_int(text, &batches));
    assert_false(sum.wrong);
    assert_int_equal(sum.events, batches * FIXTURE_EVENTS);
    assert_int_equal(sum.decisions, batches * FIXTURE_EVENTS);
    assert_int_equal(seq_last, batches * FIXTURE_EVENTS);
    return (uint64_t)batches;
}

/* What plain SQL says, each column with a line behind it. */
static inline void assert_sql(const char *dir, const char *sql, const char *expected)
{
    char          path[200], text[1000] = "";
    sqlite3      *db;
    sqlite3_stmt *statement;
    snprintf(path, sizeof path, "%s/dult.db", dir);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(db));
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *column = (const char *)sqlite3_column_text(statement, i);
            size_t      len = strlen(text);
            snprintf(text + len, sizeof text - len, "%s|", column == NULL ? "-" : column);
        }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    assert_string_equal(text, expected);
}

#endif
