#include "run/api/crew.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct hand {
    struct crew *crew;
    uint32_t     number;
    pthread_t    thread;
};

struct crew {
    struct crew_conf  conf;
    pthread_mutex_t   lock;
    pthread_cond_t    something; /* a request, open work, or the end */
    pthread_cond_t    finished;  /* a hand left some work */
    void            **waiting;   /* a ring */
    uint32_t          first, count;
    struct crew_work *open; /* with parts left, the oldest first */
    bool              is_ending;
    uint32_t          started;
    struct hand       hands[CREW_THREADS_MAX];
};

/* ---- work; all under the lock ---- */

static uint32_t hands_of(const struct crew *crew, const struct crew_work *work)
{
    return work->hands == 0 || work->hands > crew->conf.threads ? crew->conf.threads : work->hands;
}

static void work_withdraw(struct crew *crew, struct crew_work *work)
{
    struct crew_work **place = &crew->open;
    while (*place != NULL && *place != work)
        place = &(*place)->after;
    if (*place != NULL)
        *place = work->after;
}

static struct crew_work *work_find(struct crew *crew)
{
    for (struct crew_work *work = crew->open; work != NULL; work = work->after)
        if (work->joined < hands_of(crew, work))
            return work;
    return NULL;
}

/* Takes part after part; the lock is let go while one is run. */
static void work_help(struct crew *crew, struct crew_work *work)
{
    uint32_t hand = work->joined++;
    work->busy++;
    while (!work->is_stopped && work->next < work->profiles) {
        uint32_t from = work->next;
        uint32_t left = work->profiles - from;
        uint32_t to = from + (left < CREW_PART_PROFILES ? left : CREW_PART_PROFILES);
        work->next = to;
        if (to == work->profiles)
            work_withdraw(crew, work);
        pthread_mutex_unlock(&crew->lock);
        bool is_over = work->is_over != NULL && work->is_over(work->context);
        if (!is_over)
            work->part(work->context, hand, from, to);
        pthread_mutex_lock(&crew->lock);
        work->is_stopped = work->is_stopped || is_over;
    }
    if (work->is_stopped)
        work_withdraw(crew, work);
    if (--work->busy == 0)
        pthread_cond_broadcast(&crew->finished);
}

bool crew_share(struct crew *crew, struct crew_work *work)
{
    work->next = work->joined = work->busy = 0;
    work->is_stopped = false;
    work->after = NULL;
    if (work->profiles == 0)
        return true;
    pthread_mutex_lock(&crew->lock);
    struct crew_work **end = &crew->open;
    while (*end != NULL)
        end = &(*end)->after;
    *end = work;
    if (hands_of(crew, work) > 1 && work->profiles > CREW_PART_PROFILES)
        pthread_cond_broadcast(&crew->something);
    work_help(crew, work);
    while (work->busy > 0)
        pthread_cond_wait(&crew->finished, &crew->lock);
    bool is_whole = !work->is_stopped;
    pthread_mutex_unlock(&crew->lock);
    return is_whole;
}

uint32_t crew_progress(struct crew *crew, const struct crew_work *work)
{
    pthread_mutex_lock(&crew->lock);
    uint32_t next = work->next;
    pthread_mutex_unlock(&crew->lock);
    return next;
}

/* ---- threads ---- */

static void *request_take(struct crew *crew)
{
    void *item = crew->waiting[crew->first];
    crew->first = (crew->first + 1) % crew->conf.waiting_max;
    crew->count--;
    return item;
}

/* Waits about a second; true when it passed and nothing came. */
static bool is_idle(struct crew *crew)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec++;
    return pthread_cond_timedwait(&crew->something, &crew->lock, &until) != 0;
}

static void turn(struct crew *crew, uint32_t number)
{
    struct crew_work *work = work_find(crew);
    if (work != NULL) {
        work_help(crew, work);
        return;
    }
    if (crew->count > 0) {
        void *item = request_take(crew);
        pthread_mutex_unlock(&crew->lock);
        crew->conf.serve(crew->conf.context, number, item);
        pthread_mutex_lock(&crew->lock);
        return;
    }
    if (is_idle(crew) && crew->conf.idle != NULL) {
        pthread_mutex_unlock(&crew->lock);
        crew->conf.idle(crew->conf.context);
        pthread_mutex_lock(&crew->lock);
    }
}

static void *hand_run(void *context)
{
    struct hand *hand = context;
    struct crew *crew = hand->crew;
    /* On Linux niceness is a thread's; where it cannot be had, reports are as quick as the rest. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), CREW_NICENESS);
    pthread_mutex_lock(&crew->lock);
    while (!crew->is_ending || crew->count > 0)
        turn(crew, hand->number);
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

enum err crew_open(struct crew **out, const struct crew_conf *conf)
{
    assert(conf->threads >= 1 && conf->threads <= CREW_THREADS_MAX && conf->waiting_max > 0);
    struct crew *crew = calloc(1, sizeof *crew);
    if (crew == NULL)
        return ERR_MEMORY;
    crew->conf = *conf;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->something, NULL);
    pthread_cond_init(&crew->finished, NULL);
    crew->waiting = calloc(conf->waiting_max, sizeof *crew->waiting);
    for (uint32_t i = 0; crew->waiting != NULL && i < conf->threads; i++) {
        crew->hands[i] = (struct hand){ .crew = crew, .number = i };
        if (pthread_create(&crew->hands[i].thread, NULL, hand_run, &crew->hands[i]) != 0)
            break;
        crew->started++;
    }
    if (crew->started < conf->threads) {
        crew_close(crew);
        return ERR_MEMORY;
    }
    *out = crew;
    return OK;
}

void crew_close(struct crew *crew)
{
    if (crew == NULL)
        return;
    pthread_mutex_lock(&crew->lock);
    crew->is_ending = true;
    pthread_cond_broadcast(&crew->something);
    pthread_mutex_unlock(&crew->lock);
    for (uint32_t i = 0; i < crew->started; i++)
        pthread_join(crew->hands[i].thread, NULL);
    pthread_mutex_destroy(&crew->lock);
    pthread_cond_destroy(&crew->something);
    pthread_cond_destroy(&crew->finished);
    free(crew->waiting);
    free(crew);
}

enum err crew_put(struct crew *crew, void *item)
{
    enum err err = ERR_WAIT;
    pthread_mutex_lock(&crew->lock);
    if (!crew->is_ending && crew->count < crew->conf.waiting_max) {
        crew->waiting[(crew->first + crew->count++) % crew->conf.waiting_max] = item;
        pthread_cond_signal(&crew->something);
        err = OK;
    }
    pthread_mutex_unlock(&crew->lock);
    return err;
}

uint32_t crew_threads(const struct crew *crew)
{
    return crew->conf.threads;
}

uint32_t crew_waiting(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    uint32_t count = crew->count;
    pthread_mutex_unlock(&crew->lock);
    return count;
}
