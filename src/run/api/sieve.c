#include "run/api/sieve.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"

enum { HIT_ARENA_BYTES_MAX = 1 << 20, JUDGED_AT_ONCE = 500 };

struct waiting {
    struct arena *arena; /* NULL: recorded already, and still evidence */
    struct trail  trail;
    struct hit    hit;
};

struct sieve {
    struct sieve_conf conf;
    pthread_mutex_t   lock;
    pthread_cond_t    moved;
    pthread_t         thread;
    struct waiting   *items; /* by arrival */
    struct hit       *scratch;
    uint32_t          count;
    bool              stopping;
};

/* ---- judging: on the thread, with the lock held but for the engine's and the disk's time ---- */

struct judged {
    struct waiting *items; /* copies */
    uint32_t        count;
};

static bool sent_ask(struct engine *engine, struct task *task)
{
    struct judged *judged = task->context;
    for (uint32_t i = 0; i < judged->count; i++)
        judged->items[i].hit.sent_ms = engine_message_sent_ms(
            engine, judged->items[i].trail.token.profile, judged->items[i].hit.message);
    return true;
}

static void record(struct sieve *sieve, struct waiting *one)
{
    struct entry entry;
    struct task  task = { .entries = &entry, .entries_count = 1 };
    one->trail.machine = one->hit.sign != NULL;
    one->trail.sign = one->hit.sign;
    struct str name = one->hit.kind == HIT_OPEN ? EVENT_MESSAGE_OPENED : EVENT_MESSAGE_CLICKED;
    enum err   err = trail_entry(one->arena, &one->trail, name, &entry);
    if (err == OK) {
        entry.record.at_ms = one->hit.at_ms;
        err = core_run(sieve->conf.core, &task);
    }
    (void)err; /* with no room in the core, or somebody erased meanwhile, it is not counted */
    arena_close(one->arena);
}

static int64_t due_ms(const struct sieve *sieve, const struct waiting *one)
{
    return one->hit.at_ms + sieve->conf.wait_ms;
}

/* What is no evidence any more goes. */
static void old_drop(struct sieve *sieve, int64_t now_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sieve->count; i++)
        if (sieve->items[i].arena != NULL ||
            now_ms - sieve->items[i].hit.at_ms <= SIEVE_KNOWN_MS + sieve->conf.wait_ms)
            sieve->items[kept++] = sieve->items[i];
    sieve->count = kept;
}

/* Takes those that are due, with copies of their hits in `judged`. */
static void due_take(struct sieve *sieve, int64_t now_ms, struct judged *judged)
{
    for (uint32_t i = 0; i < sieve->count && judged->count < JUDGED_AT_ONCE; i++) {
        struct waiting *one = &sieve->items[i];
        if (one->arena == NULL || (!sieve->stopping && due_ms(sieve, one) > now_ms))
            continue;
        judged->items[judged->count++] = *one;
    }
}

static void sent_learn(struct sieve *sieve, struct judged *judged)
{
    struct task task = { .ask = sent_ask, .context = judged };
    pthread_mutex_unlock(&sieve->lock);
    bool known = core_run(sieve->conf.core, &task) == OK;
    pthread_mutex_lock(&sieve->lock);
    for (uint32_t i = 0; i < judged->count && !known; i++)
        judged->items[i].hit.sent_ms = INT64_MIN;
}

static bool is_one(const struct waiting *a, const struct waiting *b)
{
    return a->arena == b->arena;
}

/* With what is known of all that wait, each due one gets its word. */
static void judge(struct sieve *sieve, struct judged *judged)
{
    for (uint32_t i = 0; i < sieve->count; i++)
        for (uint32_t k = 0; k < judged->count; k++)
            if (sieve->items[i].arena != NULL && is_one(&sieve->items[i], &judged->items[k]))
                sieve->items[i].hit.sent_ms = judged->items[k].hit.sent_ms;
    for (uint32_t i = 0; i < sieve->count; i++)
        sieve->scratch[i] = sieve->items[i].hit;
    sieve_judge(sieve->scratch, sieve->count, &sieve->conf);
    for (uint32_t i = 0; i < sieve->count; i++)
        for (uint32_t k = 0; k < judged->count; k++)
            if (sieve->items[i].arena != NULL && is_one(&sieve->items[i], &judged->items[k])) {
                judged->items[k].hit.sign = sieve->scratch[i].sign;
                sieve->items[i].arena = NULL;
                break;
            }
}

static int64_t next_ms(const struct sieve *sieve)
{
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < sieve->count; i++)
        if (sieve->items[i].arena != NULL && due_ms(sieve, &sieve->items[i]) < next)
            next = due_ms(sieve, &sieve->items[i]);
    return next;
}

static void rest(struct sieve *sieve, int64_t until_ms)
{
    struct timespec at = { until_ms / 1000, until_ms % 1000 * 1000000 };
    if (until_ms == INT64_MAX)
        pthread_cond_wait(&sieve->moved, &sieve->lock);
    else
        (void)pthread_cond_timedwait(&sieve->moved, &sieve->lock, &at);
}

static void *sieve_run(void *context)
{
    struct sieve  *sieve = context;
    struct waiting items[JUDGED_AT_ONCE];
    pthread_mutex_lock(&sieve->lock);
    for (;;) {
        struct judged judged = { items, 0 };
        int64_t       now_ms = time_now_ms();
        old_drop(sieve, now_ms);
        due_take(sieve, now_ms, &judged);
        if (judged.count == 0 && sieve->stopping)
            break;
        if (judged.count == 0) {
            rest(sieve, next_ms(sieve));
            continue;
        }
        sent_learn(sieve, &judged);
        judge(sieve, &judged);
        pthread_mutex_unlock(&sieve->lock);
        for (uint32_t i = 0; i < judged.count; i++)
            record(sieve, &judged.items[i]);
        pthread_mutex_lock(&sieve->lock);
    }
    pthread_mutex_unlock(&sieve->lock);
    return NULL;
}

/* ---- its life ---- */

enum err sieve_open(struct sieve **out, const struct sieve_conf *conf)
{
    struct sieve *sieve = calloc(1, sizeof *sieve);
    if (sieve == NULL)
        return ERR_MEMORY;
    sieve->conf = *conf;
    sieve->items = calloc(SIEVE_MAX, sizeof *sieve->items);
    sieve->scratch = calloc(SIEVE_MAX, sizeof *sieve->scratch);
    pthread_mutex_init(&sieve->lock, NULL);
    pthread_cond_init(&sieve->moved, NULL);
    if (sieve->items == NULL || sieve->scratch == NULL ||
        pthread_create(&sieve->thread, NULL, sieve_run, sieve) != 0) {
        free(sieve->items);
        free(sieve->scratch);
        free(sieve);
        return ERR_MEMORY;
    }
    *out = sieve;
    return OK;
}

void sieve_close(struct sieve *sieve)
{
    if (sieve == NULL)
        return;
    pthread_mutex_lock(&sieve->lock);
    sieve->stopping = true;
    pthread_cond_signal(&sieve->moved);
    pthread_mutex_unlock(&sieve->lock);
    pthread_join(sieve->thread, NULL);
    pthread_cond_destroy(&sieve->moved);
    pthread_mutex_destroy(&sieve->lock);
    free(sieve->items);
    free(sieve->scratch);
    free(sieve);
}

enum err sieve_take(struct sieve *sieve, const struct trail *trail, struct hit hit)
{
    struct waiting one = { .arena = arena_open(HIT_ARENA_BYTES_MAX), .trail = *trail, .hit = hit };
    enum err       err = OK;
    if (one.arena == NULL)
        return ERR_MEMORY;
    one.trail.request = NULL;
    one.trail.url = str_copy(one.arena, trail->url);
    one.trail.template = str_copy(one.arena, trail->template);
    one.trail.journey = str_copy(one.arena, trail->journey);
    pthread_mutex_lock(&sieve->lock);
    if (sieve->count == SIEVE_MAX)
        err = ERR_LIMIT;
    else
        sieve->items[sieve->count++] = one;
    pthread_cond_signal(&sieve->moved);
    pthread_mutex_unlock(&sieve->lock);
    if (err != OK)
        arena_close(one.arena);
    return err;
}
