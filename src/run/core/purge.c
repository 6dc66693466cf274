#include "run/core/purge.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/own.h"
#include "engine/vec.h"

enum {
    STRETCH_ROWS = 8192,
    STEP_ROWS_MAX = STRETCH_ROWS,
    STEPS_A_KEEP = 64, /* steps after which it is kept how far it got */
    TROUBLE_US = 1000000,
    TEXT_BYTES = 128,
};

#define LEFT_UNKNOWN INT64_C(-1) /* it is to be read */

struct purge {
    struct store        *store;
    struct store_reader *reader;
    struct retention     in_force;
    uint64_t             seqs[STEP_ROWS_MAX]; /* found by a step */
    uint32_t             seqs_count, steps;
    int64_t              left_ms;  /* least of the rows read of the stretch under way */
    bool                 is_whole; /* it was read from its first row on */
    struct {
        int64_t *items; /* by stretch: how far the border may move; LEFT_UNKNOWN */
        uint32_t count, room;
    } stretches;
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
    VEC_DONE(&purge->stretches);
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

/* ---- stretches ---- */

/* How far the border moved for the name that it moved most for. */
static int64_t moved_ms(const struct retention *from, const struct retention *to)
{
    uint32_t names = from->names > to->names ? from->names : to->names;
    int64_t  most = 0;
    for (uint32_t n = 0; n <= names; n++) { /* the last one stands for the rest */
        int64_t was = retention_before_ms(from, n), is = retention_before_ms(to, n);
        if (is > was && was == TIME_MIN_MS)
            return INT64_MAX;
        if (is - was > most)
            most = is - was;
    }
    return most;
}

static void stretches_move(struct purge *purge, int64_t by_ms)
{
    if (by_ms == INT64_MAX) /* what was kept for ever told nothing of how far it is */
        purge->stretches.count = 0;
    for (uint32_t i = 0; i < purge->stretches.count; i++) {
        int64_t *left_ms = &purge->stretches.items[i];
        *left_ms = *left_ms < by_ms ? LEFT_UNKNOWN : *left_ms - by_ms;
    }
}

/* Are the rows looked at whole stretches? */
static bool ends_stretch(uint64_t looked)
{
    return looked % STRETCH_ROWS == 0;
}

/* Nothing in the stretch after `looked` can go, and all of it is below the limit. */
static bool stretch_is_far(const struct purge *purge, const struct purge_progress *progress)
{
    uint64_t stretch = progress->looked / STRETCH_ROWS;
    return ends_stretch(progress->looked) && stretch < purge->stretches.count &&
           progress->looked + STRETCH_ROWS <= progress->limit &&
           purge->stretches.items[stretch] != LEFT_UNKNOWN;
}

/* Without memory it is read another time. */
static void stretch_note(struct purge *purge, uint64_t stretch)
{
    while (purge->stretches.count <= stretch)
        if (VEC_ADD(&purge->stretches, LEFT_UNKNOWN) != OK)
            return;
    purge->stretches.items[stretch] = purge->is_whole ? purge->left_ms : LEFT_UNKNOWN;
}

/* ---- what is to be done ---- */

void purge_begin(struct purge *purge, struct retention in_force, uint64_t seq)
{
    stretches_move(purge, moved_ms(&purge->in_force, &in_force));
    retention_done(&purge->in_force);
    purge->in_force = in_force;
    purge->is_whole = false;
    progress_set(purge, (struct purge_progress){ .seq = seq,
                                                 .limit = seq,
                                                 .removed = purge->progress.removed,
                                                 .read = purge->progress.read });
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
    uint32_t      number = own_of_store(row->name);
    uint32_t      name = number < RUN_OWN_NAMES ? (uint32_t)DICT_OTHER : number;
    bool          may_go = row->kind == STORE_EVENT_TRACK || row->kind == STORE_EVENT_PAGE ||
                  row->kind == STORE_EVENT_SCREEN || row->kind == STORE_EVENT_GROUP;
    int64_t before_ms = retention_before_ms(&purge->in_force, name);
    if (!may_go)
        return OK;
    if (row->at_ms < before_ms)
        purge->seqs[purge->seqs_count++] = row->seq;
    else if (before_ms > TIME_MIN_MS && row->at_ms - before_ms < purge->left_ms)
        purge->left_ms = row->at_ms - before_ms;
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

/* The rows of [looked + 1, to] that are to go; of the others, how near the border is. */
static enum err rows_find(struct purge *purge, uint64_t looked, uint64_t to)
{
    if (ends_stretch(looked)) {
        purge->is_whole = true;
        purge->left_ms = INT64_MAX;
    }
    if (purge->reader == NULL)
        TRY(store_reader_open(purge->store, "retention", &purge->reader));
    purge->seqs_count = 0;
    return store_event_heads_read(purge->reader, looked + 1, to, row_look, purge);
}

/* A step ends with its stretch. */
static uint64_t step_end(const struct purge_progress *progress, uint32_t rows)
{
    uint64_t end = (progress->looked / STRETCH_ROWS + 1) * STRETCH_ROWS;
    uint64_t to = progress->looked + rows < end ? progress->looked + rows : end;
    return to < progress->limit ? to : progress->limit;
}

static enum err rows_remove(struct purge *purge, uint32_t rows)
{
    struct purge_progress progress = purge->progress;
    while (stretch_is_far(purge, &progress))
        progress.looked += STRETCH_ROWS;
    uint64_t to = step_end(&progress, rows);
    if (to > progress.looked) {
        TRY(rows_find(purge, progress.looked, to));
        if (purge->seqs_count > 0)
            TRY(store_erase(purge->store,
                            &(struct store_erasure){ .events = purge->seqs,
                                                     .events_count = purge->seqs_count }));
        progress.removed += purge->seqs_count;
        progress.read += to - progress.looked;
        progress.looked = to;
        if (ends_stretch(to))
            stretch_note(purge, to / STRETCH_ROWS - 1);
    }
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
