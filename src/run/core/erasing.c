#include "run/core/erasing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "engine/vec.h"
#include "run/core/core_inside.h"
#include "run/core/erasing_rows.h"

enum {
    RETRY_MS = 200,
    IDS_MS = 5, /* between two looks whether they are known */
    SCRATCH_BYTES_MAX = 1 << 20,
    SEQ_BYTES = 24,
};

#define NOTE_WANTED STR("erasure") /* the last one decided: turn.c */
#define NOTE_ROWS STR("erasure.rows")
#define NOTE_DONE STR("erasure.done")

struct erasing {
    struct core         *core;
    struct store_reader *reader;
    struct json_parser  *parser;
    pthread_t            thread;
    bool                 started;

    pthread_mutex_t lock;
    pthread_cond_t  moved;
    bool            closing;
    uint64_t        wanted, rows, index, done; /* all erasures up to here are as far */
    char            reader_name[64];           /* who holds the store's log; or empty */

    pthread_mutex_t    keeper_lock; /* held while the keeper is asked */
    struct core_keeper keeper;
};

/* The erasures of one round, each noted when it is done. */
struct round {
    struct erasing      *erasing;
    struct erasing_rows *rows; /* of those whose rows are still there */
    uint64_t             after, upto;
    struct {
        uint64_t *items;
        uint32_t  count, room;
    } seqs;
};

/* ---- opening ---- */

static enum err note_read(struct erasing *erasing, struct str key, uint64_t *out)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(SCRATCH_BYTES_MAX);
    struct str                         text;
    int64_t                            seq;
    if (arena == NULL)
        return ERR_MEMORY;
    enum err err = store_meta_get(erasing->reader, arena, key, &text);
    if (err == ERR_ABSENT)
        return OK;
    TRY(err);
    if (str_to_int(text, &seq) != OK || seq < 0)
        return ERR_CORRUPT;
    *out = (uint64_t)seq;
    return OK;
}

static enum err notes_read(struct erasing *erasing)
{
    TRY(store_reader_open(core_store(erasing->core), "erasure", &erasing->reader));
    TRY(note_read(erasing, NOTE_WANTED, &erasing->wanted));
    TRY(note_read(erasing, NOTE_ROWS, &erasing->rows));
    return note_read(erasing, NOTE_DONE, &erasing->done);
}

enum err erasing_open(struct erasing **out, struct core *core)
{
    struct erasing *erasing = calloc(1, sizeof *erasing);
    if (erasing == NULL)
        return ERR_MEMORY;
    erasing->core = core;
    pthread_mutex_init(&erasing->lock, NULL);
    pthread_mutex_init(&erasing->keeper_lock, NULL);
    pthread_cond_init(&erasing->moved, NULL);
    erasing->parser = json_parser_open();
    erasing->index = timeline_base_seq(engine_timeline(core->engine));
    enum err err = erasing->parser == NULL ? ERR_MEMORY : notes_read(erasing);
    if (err != OK) {
        erasing_close(erasing);
        return err;
    }
    *out = erasing;
    return OK;
}

void erasing_close(struct erasing *erasing)
{
    if (erasing == NULL)
        return;
    pthread_mutex_lock(&erasing->lock);
    erasing->closing = true;
    pthread_cond_signal(&erasing->moved);
    pthread_mutex_unlock(&erasing->lock);
    if (erasing->started)
        pthread_join(erasing->thread, NULL);
    store_reader_close(erasing->reader);
    json_parser_close(erasing->parser);
    pthread_cond_destroy(&erasing->moved);
    pthread_mutex_destroy(&erasing->lock);
    pthread_mutex_destroy(&erasing->keeper_lock);
    free(erasing);
}

/* ---- what others tell and ask ---- */

static void mark_raise(struct erasing *erasing, uint64_t *mark, uint64_t seq)
{
    pthread_mutex_lock(&erasing->lock);
    if (*mark < seq)
        *mark = seq;
    pthread_cond_signal(&erasing->moved);
    pthread_mutex_unlock(&erasing->lock);
}

void erasing_want(struct erasing *erasing, uint64_t seq)
{
    mark_raise(erasing, &erasing->wanted, seq);
}

void erasing_index(struct erasing *erasing, uint64_t seq)
{
    mark_raise(erasing, &erasing->index, seq);
}

void erasing_keeper_set(struct erasing *erasing, const struct core_keeper *keeper)
{
    pthread_mutex_lock(&erasing->keeper_lock);
    erasing->keeper = keeper == NULL ? (struct core_keeper){ 0 } : *keeper;
    pthread_mutex_unlock(&erasing->keeper_lock);
}

/* Without a keeper that is to come, nobody knows. */
static bool keeper_is_clear(struct erasing *erasing, uint64_t erasure)
{
    pthread_mutex_lock(&erasing->keeper_lock);
    bool is_clear = erasing->keeper.is_clear == NULL
                        ? !erasing->core->conf.has_keeper
                        : erasing->keeper.is_clear(erasing->keeper.context, erasure);
    pthread_mutex_unlock(&erasing->keeper_lock);
    return is_clear;
}

uint64_t erasing_seq(struct erasing *erasing)
{
    pthread_mutex_lock(&erasing->lock);
    uint64_t seq = erasing->rows;
    pthread_mutex_unlock(&erasing->lock);
    return seq;
}

struct core_erasure erasing_state(struct erasing *erasing, uint64_t seq)
{
    struct core_erasure state = { .step = CORE_ERASURE_ROWS };
    pthread_mutex_lock(&erasing->lock);
    if (seq <= erasing->done)
        state.step = CORE_ERASURE_DONE;
    else if (seq <= erasing->rows)
        state.step = seq <= erasing->index ? CORE_ERASURE_FILES : CORE_ERASURE_INDEX;
    if (state.step == CORE_ERASURE_FILES)
        snprintf(state.reader, sizeof state.reader, "%s", erasing->reader_name);
    pthread_mutex_unlock(&erasing->lock);
    return state;
}

/* ---- waiting ---- */

/* Sleeps, or until something is told; false when all is to end. */
static bool pause_ms(struct erasing *erasing, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&erasing->lock);
    if (!erasing->closing)
        pthread_cond_timedwait(&erasing->moved, &erasing->lock, &until);
    bool goes_on = !erasing->closing;
    pthread_mutex_unlock(&erasing->lock);
    return goes_on;
}

/* What is worth another try after a pause; the rest means that the store is broken. */
static bool may_pass(enum err err)
{
    return err == ERR_WAIT || err == ERR_IO || err == ERR_MEMORY;
}

/* The next round's last erasure; 0 when all is to end. */
static uint64_t wanted_wait(struct erasing *erasing)
{
    pthread_mutex_lock(&erasing->lock);
    while (erasing->wanted <= erasing->done && !erasing->closing)
        pthread_cond_wait(&erasing->moved, &erasing->lock);
    uint64_t wanted = erasing->closing ? 0 : erasing->wanted;
    pthread_mutex_unlock(&erasing->lock);
    return wanted;
}

static bool index_wait(struct erasing *erasing, uint64_t upto)
{
    pthread_mutex_lock(&erasing->lock);
    while (erasing->index < upto && !erasing->closing)
        pthread_cond_wait(&erasing->moved, &erasing->lock);
    bool goes_on = !erasing->closing;
    pthread_mutex_unlock(&erasing->lock);
    return goes_on;
}

/* ---- a round ---- */

static void step_tell(struct erasing *erasing, int step)
{
    if (erasing->core->conf.erasing_step != NULL)
        erasing->core->conf.erasing_step(step);
}

static enum err erased_each(void *ctx, const struct store_decision *row)
{
    struct round *round = ctx;
    bool is_known = round->seqs.count > 0 && round->seqs.items[round->seqs.count - 1] == row->seq;
    if (row->kind != STORE_DECISION_PROFILE_ERASED || row->seq <= round->after ||
        row->seq > round->upto)
        return OK;
    if (!is_known)
        TRY(VEC_ADD(&round->seqs, row->seq));
    return row->seq <= round->erasing->rows
               ? OK
               : erasing_rows_add(round->rows, (uint32_t)(row->profile - 1));
}

static enum err round_find(struct round *round, struct store_last *last)
{
    struct erasing *erasing = round->erasing;
    TRY(store_last(core_store(erasing->core), last));
    round->rows = erasing_rows_open(erasing->reader, erasing->parser);
    if (round->rows == NULL)
        return ERR_MEMORY;
    return store_decisions_read(erasing->reader, 1, last->decision, erased_each, round);
}

static enum err rows_remove(struct round *round)
{
    char     text[SEQ_BYTES];
    bool     done = false;
    enum err err;
    snprintf(text, sizeof text, "%llu", (unsigned long long)round->upto);
    for (int step = 1; !done; step++) {
        err = erasing_rows_remove(round->rows, core_store(round->erasing->core),
                                  (struct store_meta){ NOTE_ROWS, str_of(text) }, &done);
        if (err != OK && (!may_pass(err) || !pause_ms(round->erasing, RETRY_MS)))
            return err;
        step_tell(round->erasing, step);
    }
    return OK;
}

/* Once their rows are gone, nobody could learn the message ids of the erased; false at the end. */
static bool ids_wait(struct erasing *erasing)
{
    while (!atomic_load(&erasing->core->ids_known))
        if (!pause_ms(erasing, IDS_MS))
            return false;
    return true;
}

/* ERR_WAIT: all is to end, or the store was busy; the same can be begun anew. */
static enum err rows_overwrite(struct round *round)
{
    struct store_last last;
    if (!ids_wait(round->erasing))
        return ERR_WAIT;
    TRY(round_find(round, &last));
    step_tell(round->erasing, 0);
    if (round->erasing->rows >= round->upto)
        return OK;
    TRY(erasing_rows_gather(round->rows, last));
    erasing_rows_outbox(round->rows, round->erasing->core->dir);
    TRY(rows_remove(round));
    mark_raise(round->erasing, &round->erasing->rows, round->upto);
    return OK;
}

/* The log is cut when no reader is in the way; what it was before a change of the schema goes. */
static enum err files_clean(struct erasing *erasing, uint64_t upto)
{
    struct problem problem = { .what = "opens and clicks that wait" };
    int            removed = 0;
    enum err err = keeper_is_clear(erasing, upto) ? store_scrub(core_store(erasing->core), &problem)
                                                  : ERR_WAIT;
    pthread_mutex_lock(&erasing->lock);
    snprintf(erasing->reader_name, sizeof erasing->reader_name, "%.*s",
             (int)sizeof erasing->reader_name - 1, err == ERR_WAIT ? problem.what : "");
    pthread_mutex_unlock(&erasing->lock);
    TRY(err);
    return store_snapshots_expire(core_store(erasing->core), INT64_MAX, &removed);
}

static enum err done_note(struct round *round)
{
    SCOPED(arena_closep) struct arena *arena = arena_open((size_t)round->seqs.count * 256 + 65536);
    struct store_meta                 *metas =
        arena == NULL ? NULL : ARENA_ARRAY(arena, round->seqs.count + 1, struct store_meta);
    if (metas == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < round->seqs.count; i++)
        metas[i] = (struct store_meta){ str_format(arena, "erasure.%llu",
                                                   (unsigned long long)round->seqs.items[i]),
                                        str_format(arena, "%lld", (long long)time_now_ms()) };
    metas[round->seqs.count] =
        (struct store_meta){ NOTE_DONE,
                             str_format(arena, "%llu", (unsigned long long)round->upto) };
    TRY(store_erase(
        core_store(round->erasing->core),
        &(struct store_erasure){ .metas = metas, .metas_count = round->seqs.count + 1 }));
    mark_raise(round->erasing, &round->erasing->done, round->upto);
    return OK;
}

static enum err round_run(struct round *round)
{
    struct erasing *erasing = round->erasing;
    TRY(rows_overwrite(round));
    if (!index_wait(erasing, round->upto))
        return ERR_WAIT;
    step_tell(erasing, -1);
    enum err err;
    while ((err = files_clean(erasing, round->upto)) != OK)
        if (!may_pass(err) || !pause_ms(erasing, RETRY_MS))
            return err;
    step_tell(erasing, -2);
    return done_note(round);
}

static void *erasing_thread(void *arg)
{
    struct erasing *erasing = arg;
    uint64_t        upto;
    while ((upto = wanted_wait(erasing)) > 0) {
        struct round round = { .erasing = erasing, .after = erasing->done, .upto = upto };
        enum err     err = round_run(&round);
        erasing_rows_close(round.rows);
        VEC_DONE(&round.seqs);
        if (err != OK && !may_pass(err))
            core_fatal(erasing->core, "the rows of an erased person could not be overwritten");
        if (err != OK && !pause_ms(erasing, RETRY_MS))
            return NULL;
    }
    return NULL;
}

enum err erasing_start(struct erasing *erasing)
{
    erasing->started = pthread_create(&erasing->thread, NULL, erasing_thread, erasing) == 0;
    return erasing->started ? OK : ERR_MEMORY;
}
