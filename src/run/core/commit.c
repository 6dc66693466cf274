/* The commit thread: one transaction a batch; what is answered is on disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "run/core/core_inside.h"

enum {
    RETRY_US = 100000,
    CLOSING_TRIES_MAX = 100,
    PURGE_ROWS_BUSY = 1000, /* between two batches */
    PURGE_ROWS_IDLE = 8000,
};

static void *array(struct core *core, struct batch *batch, size_t count, size_t size)
{
    void *items = arena_array(batch->arena, count, size);
    if (items == NULL)
        core_fatal(core, "no memory to write a batch");
    return items;
}

static void decisions_make(struct core *core, struct batch *batch, struct store_batch *rows)
{
    struct store_decision *items = array(core, batch, batch->out.decisions_count, sizeof *items);
    for (size_t i = 0; i < batch->out.decisions_count; i++)
        decision_to_row(&batch->out.decisions[i], &items[i]);
    rows->decisions = items;
    rows->decisions_count = batch->out.decisions_count;
}

static void names_make(struct core *core, struct batch *batch, struct store_batch *rows)
{
    struct store_name *items = array(core, batch, batch->out.names_count, sizeof *items);
    for (size_t i = 0; i < batch->out.names_count; i++)
        items[i] = (struct store_name){ 0, batch->out.names[i].kind, batch->out.names[i].id,
                                        batch->out.names[i].text };
    rows->names = items;
    rows->names_count = batch->out.names_count;
}

static void states_make(struct core *core, struct batch *batch, struct store_batch *rows)
{
    struct store_state *items = array(core, batch, batch->states_count, sizeof *items);
    uint64_t            set = (uint64_t)(batch->states_round & 1) << 40;
    for (uint32_t i = 0; i < batch->states_count; i++)
        items[i] = (struct store_state){ set | ((uint64_t)batch->states[i].profile + 1),
                                         batch->states_seq, batch->states[i].state };
    rows->states = items;
    rows->states_count = batch->states_count;
}

static void suppressions_make(struct core *core, struct batch *batch, struct store_batch *rows)
{
    size_t                    count = batch->out.suppressions_count;
    struct store_suppression *items = array(core, batch, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        const struct suppression *entry = &batch->out.suppressions[i];
        items[i] = (struct store_suppression){ .address = entry->address,
                                               .reason = entry->reason,
                                               .is_erased = entry->is_erased,
                                               .at_ms = entry->at_ms,
                                               .seq = entry->seq,
                                               .said = entry->said };
    }
    rows->suppressions = items;
    rows->suppressions_count = count;
}

/* Files go when nothing of their message is to be sent any more. */
static void files_make(struct core *core, struct batch *batch, struct store_batch *rows)
{
    uint64_t *done = array(core, batch, batch->out.decisions_count, sizeof *done);
    rows->files = batch->files;
    rows->files_count = batch->files_count;
    for (size_t i = 0; i < batch->out.decisions_count; i++) {
        const struct decision *d = &batch->out.decisions[i];
        bool                   is_final = d->kind == DECISION_SENT || d->kind == DECISION_FAILED ||
                        d->kind == DECISION_UNKNOWN || d->kind == DECISION_DROPPED;
        if (is_final && d->is_asked && d->event != 0)
            done[rows->files_done_count++] = d->event;
    }
    rows->files_done = done;
}

static struct store_code given_of(const struct decision *d)
{
    return (struct store_code){ .key = store_code_key(d->other, d->object),
                                .text = d->text,
                                .profile = (uint64_t)d->profile + 1,
                                .message = d->message,
                                .enrollment = d->subject,
                                .journey = d->journey == JOURNEY_NONE ? 0 : d->journey + 1,
                                .template_id = d->template_id + 1,
                                .given_ms = d->at_ms,
                                .expires_ms = d->due_ms == TIME_NEVER ? 0 : d->due_ms };
}

static void codes_make(struct core *core, struct batch *batch, struct store_batch *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < batch->out.decisions_count; i++)
        count += batch->out.decisions[i].kind == DECISION_CODE;
    struct store_code *given = array(core, batch, count, sizeof *given);
    for (size_t i = 0; i < batch->out.decisions_count; i++)
        if (batch->out.decisions[i].kind == DECISION_CODE)
            given[rows->given_count++] = given_of(&batch->out.decisions[i]);
    rows->given = given;
    rows->codes = batch->codes;
    rows->codes_count = batch->codes_count;
    rows->orders = batch->orders;
    rows->orders_count = batch->orders_count;
}

static void rejected_make(struct core *core, struct batch *batch, struct store_batch *rows)
{
    size_t count = 0;
    for (uint32_t i = 0; i < batch->tasks_count; i++)
        count += batch->tasks[i]->rejected_count;
    struct store_rejected *items = array(core, batch, count, sizeof *items);
    size_t                 n = 0;
    for (uint32_t i = 0; i < batch->tasks_count; i++)
        for (uint32_t k = 0; k < batch->tasks[i]->rejected_count; k++)
            items[n++] = batch->tasks[i]->rejected[k];
    rows->rejected = items;
    rows->rejected_count = count;
}

static void rows_make(struct core *core, struct batch *batch, struct store_batch *rows)
{
    *rows = (struct store_batch){
        .events = batch->events,
        .events_count = batch->events_count,
        .definitions = batch->definitions,
        .definitions_count = batch->definitions_count,
        .metas = batch->metas,
        .metas_count = batch->metas_count,
    };
    decisions_make(core, batch, rows);
    names_make(core, batch, rows);
    states_make(core, batch, rows);
    rejected_make(core, batch, rows);
    suppressions_make(core, batch, rows);
    files_make(core, batch, rows);
    codes_make(core, batch, rows);
}

static void trouble_tell(struct core *core, enum err err)
{
    struct problem problem = { 0 };
    store_problem(core->store, &problem);
    fprintf(stderr, "{\"level\":\"error\",\"what\":\"commit failed (%s): %s\",\"remedy\":\"%s\"}\n",
            err_name(err), problem.what, problem.remedy);
}

static void commit(struct core *core, struct batch *batch)
{
    struct store_batch rows;
    int64_t            begun_us = time_mono_us();
    int                tries = 0;
    rows_make(core, batch, &rows);
    for (;;) {
        enum err err = store_commit(core->store, &rows);
        if (err == OK)
            break;
        if (tries++ == 0)
            trouble_tell(core, err);
        if (err != ERR_WAIT && err != ERR_IO && err != ERR_MEMORY)
            core_fatal(core, "a commit's outcome is unknown");
        if (tries > CLOSING_TRIES_MAX && queue_is_stopped(core->tasks))
            core_fatal(core, "the disk fails, and Dult was asked to end");
        atomic_store(&core->failing, true);
        pthread_mutex_lock(&core->lock);
        core->stats.commit_failures++;
        pthread_mutex_unlock(&core->lock);
        usleep(RETRY_US);
    }
    atomic_store(&core->failing, false);
    atomic_store(&core->committed_seq, batch->seq);
    pthread_mutex_lock(&core->lock);
    core->stats.commits++;
    core->stats.commit_us_last = (uint64_t)(time_mono_us() - begun_us);
    core->stats.records += batch->events_count;
    core->stats.checkpoints += batch->checkpoint_done;
    pthread_mutex_unlock(&core->lock);
}

static void tasks_tell(struct core *core, const struct batch *batch)
{
    pthread_mutex_lock(&core->lock);
    for (uint32_t i = 0; i < batch->tasks_count; i++) {
        core->stats.duplicates += batch->tasks[i]->duplicates;
        core->stats.refused += batch->tasks[i]->refused;
    }
    pthread_mutex_unlock(&core->lock);
}

static void edition_end(void *edition)
{
    edition_drop(edition);
}

/* After a merge the edition before is the last to hold the old base: nobody waits for its end. */
static void publish(struct core *core, struct edition *edition)
{
    struct edition *before = reading_publish(core->reading, edition);
    if (before == NULL || edition_follows(edition, before))
        edition_drop(before);
    else
        sweep_put(core->sweep, edition_end, before);
}

static void answer(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->tasks_count; i++) {
        struct task  *task = batch->tasks[i];
        struct arena *arena = task->arena; /* the task may lie in it, or be gone after done */
        if (task->done != NULL)
            task->done(task);
        arena_close(arena);
    }
}

static void maintain(struct core *core)
{
    struct store_upkeep upkeep;
    if (store_maintain(core->store, &upkeep) == OK && upkeep.readers_cancelled > 0)
        fprintf(stderr, "{\"level\":\"warning\",\"what\":\"a slow reader was cancelled: %s\"}\n",
                upkeep.reader);
}

/* Some more rows that are kept no longer; how long the queue may be waited for. */
static int64_t purge_go_on(struct core *core, uint32_t rows)
{
    if (!purge_is_under_way(core->purge))
        return -1;
    int64_t wait_us = purge_step(core->purge, rows);
    maintain(core);
    return purge_is_under_way(core->purge) ? wait_us : -1;
}

static void purge_take(struct core *core, const struct purge_order *order)
{
    purge_begin(core->purge, order->in_force, order->seq);
    atomic_store(&core->purge_handed, false);
}

static void recalls_tell(struct core *core, const struct out *out)
{
    bool is_any =
        out->recalls_count > 0 || out->suppressions_count > 0 || out->holds || out->sending != NULL;
    if (is_any && core->conf.calls.recalled != NULL)
        core->conf.calls.recalled(core->conf.calls.context, out);
}

void *commit_thread(void *arg)
{
    struct core  *core = arg;
    struct batch *batch;
    int64_t       wait_us = purge_is_under_way(core->purge) ? 0 : -1;
    for (;;) {
        if (queue_take(core->batches, (void **)&batch, 1, wait_us) == 0) {
            if (queue_is_stopped(core->batches))
                return NULL;
            wait_us = purge_go_on(core, PURGE_ROWS_IDLE);
            continue;
        }
        if (!batch->is_bare)
            commit(core, batch);
        if (batch->purge != NULL)
            purge_take(core, batch->purge);
        tasks_tell(core, batch);
        if (batch->edition != NULL)
            publish(core, batch->edition);
        recalls_tell(core, &batch->out);
        if (batch->erasing_seq > 0) /* after them: core/outbox.h */
            erasing_want(core->erasing, batch->erasing_seq);
        if (batch->index_seq > 0)
            erasing_index(core->erasing, batch->index_seq);
        if (batch->out.claims_count > 0 && core->conf.calls.claimed != NULL)
            core->conf.calls.claimed(core->conf.calls.context, batch->out.claims,
                                     batch->out.claims_count);
        answer(batch);
        arena_close(batch->arena);
        maintain(core);
        wait_us = purge_go_on(core, PURGE_ROWS_BUSY);
    }
}
