#include "run/core/core_inside.h"

#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/time.h"

enum { EXIT_FATAL = 70 };

void core_fatal(struct core *core, const char *what)
{
    fprintf(stderr,
            "{\"level\":\"fatal\",\"what\":\"%s\",\"remedy\":\"Dult ends here and must be started "
            "again; what was answered is on disk in %s.\"}\n",
            what, core->dir);
    _exit(EXIT_FATAL);
}

enum err engine_make(struct core *core)
{
    struct store_last last;
    TRY(store_last(core->store, &last));
    struct engine_conf conf = { .seed = hash_random_seed(),
                                .next_decision = store_key_number(last.decision) + 1,
                                .lateness_ms = core->conf.lateness_ms > 0 ? core->conf.lateness_ms
                                                                          : LATENESS_MS_DEFAULT,
                                .zones = core->zones };
    core->seq = store_key_number(last.seq);
    core->next_definition = store_key_number(last.definition) + 1;
    engine_close(core->engine);
    core->engine = NULL;
    return engine_open(&core->engine, conf);
}

/* What was loaded can be asked about before anything new comes. */
static enum err publish_first(struct core *core)
{
    struct edition *edition = engine_edition(core->engine);
    if (edition == NULL)
        return ERR_MEMORY;
    edition_drop(reading_publish(core->reading, edition));
    return OK;
}

static enum err parts_open(struct core *core, struct problem *problem)
{
    struct store_conf conf = { .dir = str_of(core->dir), .socket = str_of(core->conf.socket) };
    atomic_store(&core->doors[0].lanes, LANES_ALL);
    core->tasks = queue_open(CORE_TASKS_MAX);
    core->batches = queue_open(CORE_BATCHES_AHEAD);
    core->dedupe = dedupe_open(hash_random_seed(), DEDUPE_IDS_MAX);
    core->request_keys = dedupe_open(hash_random_seed(), DEDUPE_IDS_ALL);
    core->recent = calloc(RECENT_IDS, sizeof *core->recent);
    core->asking = calloc(CORE_TASKS_MAX, sizeof(struct task *));
    core->reading = reading_open();
    core->sweep = sweep_open();
    if (core->reading == NULL || core->sweep == NULL || core->tasks == NULL ||
        core->batches == NULL || core->dedupe == NULL || core->recent == NULL ||
        core->asking == NULL)
        return ERR_MEMORY;
    TRY(zones_of_system(&core->zones, NULL, problem));
    TRY(store_open(&core->store, &conf, problem));
    TRY(begun_open(&core->begun, core->dir, problem)); /* the folder is ours now */
    TRY(store_reader_open(core->store, "engine", &core->reader));
    core->purge = purge_open(core->store);
    if (core->purge == NULL)
        return ERR_MEMORY;
    TRY(load(core, problem));
    (void)malloc_trim(0); /* most of what loading took is needed no more */
    TRY(publish_first(core));
    TRY(erasing_open(&core->erasing, core));
    core->handed_seq = core->seq;
    atomic_store(&core->committed_seq, core->seq);
    return OK;
}

enum err core_open(struct core **out, const struct core_conf *conf, struct problem *problem)
{
    struct core *core = calloc(1, sizeof *core);
    if (core == NULL)
        return ERR_MEMORY;
    core->conf = *conf;
    core->dir = strdup(conf->dir);
    pthread_mutex_init(&core->lock, NULL);
    pthread_mutex_init(&core->alarm_lock, NULL);
    enum err err = core->dir == NULL ? ERR_MEMORY : parts_open(core, problem);
    if (err != OK) {
        core_close(core);
        return err;
    }
    *out = core;
    return OK;
}

void core_calls_set(struct core *core, struct core_calls calls)
{
    core->conf.calls = calls;
}

bool core_is_running(const struct core *core)
{
    return core->started;
}

enum err core_start(struct core *core)
{
    assert(!core->started);
    TRY(doubt_settle(core)); /* first in the queue, before any thread runs */
    if (pthread_create(&core->commit_thread, NULL, commit_thread, core) != 0)
        return ERR_MEMORY;
    core->started = true;
    if (pthread_create(&core->dedupe_thread, NULL, dedupe_thread, core) != 0)
        core_fatal(core, "no thread for message ids");
    core->dedupe_loading = true;
    if (pthread_create(&core->engine_thread, NULL, turn_thread, core) != 0)
        core_fatal(core, "no thread for the engine");
    if (erasing_start(core->erasing) != OK)
        core_fatal(core, "no thread for erasures");
    (void)pthread_setname_np(core->engine_thread, "engine"); /* for those who look with top -H */
    (void)pthread_setname_np(core->commit_thread, "commit");
    return OK;
}

void core_close(struct core *core)
{
    if (core == NULL)
        return;
    if (core->started) {
        queue_stop(core->tasks);
        pthread_join(core->engine_thread, NULL);
        pthread_join(core->commit_thread, NULL);
        atomic_store(&core->closing, true);
        dedupe_ready(core);
        index_finish(core);
    }
    erasing_close(core->erasing);
    store_reader_close(core->reader);
    purge_close(core->purge);
    begun_close(core->begun);
    store_close(core->store);
    sweep_close(core->sweep);
    reading_close(core->reading);
    engine_close(core->engine);
    zones_close(core->zones);
    dedupe_close(core->dedupe);
    dedupe_close(core->request_keys);
    queue_close(core->tasks);
    queue_close(core->batches);
    pthread_mutex_destroy(&core->lock);
    pthread_mutex_destroy(&core->alarm_lock);
    free(core->recent);
    free(core->asking);
    free(core->jobs_text);
    free(core->retention_text);
    free(core->codes_text);
    free(core->dir);
    free(core);
}

enum err core_submit(struct core *core, struct task *task)
{
    if (task->entries_count > CORE_TASK_RECORDS_MAX)
        return ERR_LIMIT;
    if (atomic_load(&core->failing))
        return ERR_WAIT;
    task->core = core;
    return queue_put(core->tasks, task);
}

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t  answered;
    bool            done;
};

static void waiting_done(struct task *task)
{
    struct waiting *waiting = task->waiter;
    pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    pthread_cond_signal(&waiting->answered);
    pthread_mutex_unlock(&waiting->lock);
}

enum err core_run(struct core *core, struct task *task)
{
    struct waiting waiting = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
    struct arena  *arena = task->arena;
    task->arena = NULL; /* stays the caller's */
    task->done = waiting_done;
    task->waiter = &waiting;
    enum err err = core_submit(core, task);
    if (err != OK) {
        task->arena = arena;
        return err;
    }
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done)
        pthread_cond_wait(&waiting.answered, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    task->arena = arena;
    return OK;
}

void core_room(struct core *core, uint32_t count)
{
    core_door_room(core, 0, count);
}

void core_door_room(struct core *core, uint32_t door, uint32_t count)
{
    atomic_fetch_add(&core->doors[door].room, count);
    queue_nudge(core->tasks);
}

void core_door_lanes(struct core *core, uint32_t door, uint32_t lanes)
{
    if (atomic_exchange(&core->doors[door].lanes, lanes) != lanes)
        queue_nudge(core->tasks);
}

uint32_t core_door_take_back(struct core *core, uint32_t door)
{
    return atomic_exchange(&core->doors[door].room, 0);
}

void core_keeper_set(struct core *core, const struct core_keeper *keeper)
{
    erasing_keeper_set(core->erasing, keeper);
}

void core_alarm_set(struct core *core, const struct core_alarm *alarm)
{
    pthread_mutex_lock(&core->alarm_lock);
    core->alarm = alarm == NULL ? (struct core_alarm){ 0 } : *alarm;
    pthread_mutex_unlock(&core->alarm_lock);
}

void core_tell(struct core *core, enum log_level level, const struct problem *problem)
{
    log_problem(level, problem);
    pthread_mutex_lock(&core->alarm_lock);
    if (core->alarm.tell != NULL)
        core->alarm.tell(core->alarm.context, problem);
    pthread_mutex_unlock(&core->alarm_lock);
}

struct core_erasure core_erasure(struct core *core, uint64_t seq)
{
    return erasing_state(core->erasing, seq);
}

struct reading *core_reading(struct core *core)
{
    return core->reading;
}

struct purge_progress core_purge(const struct core *core)
{
    return purge_progress(core->purge);
}

const struct zones *core_zones(const struct core *core)
{
    return core->zones;
}

struct begun *core_begun(struct core *core)
{
    return core->begun;
}

struct store *core_store(struct core *core)
{
    return core->store;
}

struct engine *core_engine(struct core *core)
{
    return core->engine;
}

const struct waits *core_waits(const struct core *core)
{
    return &core->waits;
}

/* Processor time of a thread that was started and is not joined yet; 0 where none tells it. */
static uint64_t cpu_us(pthread_t thread)
{
    clockid_t       clock;
    struct timespec used;
    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

struct core_stats core_stats(struct core *core)
{
    pthread_mutex_lock(&core->lock);
    struct core_stats stats = core->stats;
    pthread_mutex_unlock(&core->lock);
    stats.seq = atomic_load(&core->committed_seq);
    stats.erased_seq = erasing_seq(core->erasing);
    stats.failing = atomic_load(&core->failing);
    stats.waiting = queue_count(core->tasks);
    stats.engine_cpu_us = core->started ? cpu_us(core->engine_thread) : 0;
    stats.commit_cpu_us = core->started ? cpu_us(core->commit_thread) : 0;
    return stats;
}
