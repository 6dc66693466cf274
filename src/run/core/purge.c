#include "run/core/purge.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/own.h"

enum {
    STEP_ROWS_MAX = 8192,
    STEPS_A_KEEP = 64, /* steps after which it is kept how far it got */
    TROUBLE_US = 1000000,
    TEXT_BYTES = 128,
};

struct purge {
    struct store         *store;
    struct store_reader  *reader;
    struct retention      in_force;
    uint64_t              seqs[STEP_ROWS_MAX]; /* found by a step */
    uint32_t              seqs_count, steps;
    pthread_mutex_t       lock; /* progress */
    struct purge_progress progress;
};

struct purge *purge_open(struct store *store)
{
    struct purge *purge = calloc(1, sizeof *purge);
    if (purge == NULL)
        return NULL;
    purge->store = store;
    purge->in_force = retention_none();
    purge->progress.is_done = true;
    pthread_mutex_init(&purge->lock, NULL);
    return purge;
}

void purge_close(struct purge *purge)
{
    if (purge == NULL)
        return;
    store_reader_close(purge->reader);
    retention_done(&purge->in_force);
    pthread_mutex_destroy(&purge->lock);
    free(purge);
}

struct purge_progress purge_progress(const struct purge *purge)
{
    struct purge *open = (struct purge *)purge;
    pthread_mutex_lock(&open->lock);
    struct purge_progress progress = purge->progress;
    pthread_mutex_unlock(&open->lock);
    return progress;
}

static void progress_set(struct purge *purge, struct purge_progress progress)
{
    pthread_mutex_lock(&purge->lock);
    purge->progress = progress;
    pthread_mutex_unlock(&purge->lock);
}

void purge_begin(struct purge *purge, struct retention in_force, uint64_t seq)
{
    retention_done(&purge->in_force);
    purge->in_force = in_force;
    progress_set(purge, (struct purge_progress){
                            .seq = seq, .limit = seq, .removed = purge->progress.removed });
}

void purge_resume(struct purge *purge, struct str text)
{
    unsigned long long    seq, looked, removed;
    int                   is_done;
    char                  value[TEXT_BYTES];
    struct purge_progress progress = purge->progress;
    if (sscanf(str_to_cstr(text, value, sizeof value), "%llu:%llu:%llu:%d", &seq, &looked, &removed,
               &is_done) != 4)
        return;
    progress.removed = removed;
    if (seq == progress.seq) {
        progress.looked = looked;
        progress.is_done = is_done == 1;
    }
    progress_set(purge, progress);
}

bool purge_is_under_way(const struct purge *purge)
{
    return !purge->progress.is_done;
}

/* Traits and what came of messages are kept, like everything that is no event. */
static enum err row_look(void *ctx, const struct store_event *row)
{
    struct purge *purge = ctx;
    uint32_t      name = row->name < RUN_OWN_NAMES ? (uint32_t)DICT_OTHER : row->name;
    bool          may_go = row->kind == STORE_EVENT_TRACK || row->kind == STORE_EVENT_PAGE ||
                  row->kind == STORE_EVENT_SCREEN || row->kind == STORE_EVENT_GROUP;
    if (may_go && retention_hides(&purge->in_force, name, row->at_ms))
        purge->seqs[purge->seqs_count++] = row->seq;
    return OK;
}

static enum err progress_keep(struct purge *purge, const struct purge_progress *progress)
{
    char text[TEXT_BYTES];
    int  len = snprintf(text, sizeof text, "%llu:%llu:%llu:%d", (unsigned long long)progress->seq,
                        (unsigned long long)progress->looked, (unsigned long long)progress->removed,
                        progress->is_done);
    struct store_meta  meta = { PURGE_META, { text, (size_t)len } };
    struct store_batch batch = { .metas = &meta, .metas_count = 1 };
    return store_commit(purge->store, &batch);
}

static enum err rows_remove(struct purge *purge, uint32_t rows)
{
    struct purge_progress progress = purge->progress;
    uint64_t              to = progress.looked + rows;
    if (to > progress.limit)
        to = progress.limit;
    if (purge->reader == NULL)
        TRY(store_reader_open(purge->store, "retention", &purge->reader));
    purge->seqs_count = 0;
    TRY(store_event_heads_read(purge->reader, progress.looked + 1, to, row_look, purge));
    if (purge->seqs_count > 0)
        TRY(store_erase(
            purge->store,
            &(struct store_erasure){ .events = purge->seqs, .events_count = purge->seqs_count }));
    progress.removed += purge->seqs_count;
    progress.looked = to;
    if (++purge->steps % STEPS_A_KEEP == 0)
        TRY(progress_keep(purge, &progress));
    progress_set(purge, progress);
    return OK;
}

/* What was removed is in the WAL still, until no reader holds it. */
static enum err finish(struct purge *purge)
{
    struct purge_progress progress = purge->progress;
    struct problem        problem;
    store_reader_close(purge->reader);
    purge->reader = NULL;
    TRY(store_scrub(purge->store, &problem));
    progress.is_done = true;
    TRY(progress_keep(purge, &progress));
    progress_set(purge, progress);
    return OK;
}

int64_t purge_step(struct purge *purge, uint32_t rows)
{
    if (purge->progress.is_done)
        return 0;
    if (rows > STEP_ROWS_MAX)
        rows = STEP_ROWS_MAX;
    bool     is_last = purge->progress.looked >= purge->progress.limit;
    enum err err = is_last ? finish(purge) : rows_remove(purge, rows);
    return err == OK ? 0 : TROUBLE_US;
}
