#include "base/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t  filled, emptied;
    size_t          first, count, places;
    size_t          takers; /* threads inside queue_take that sleep */
    uint64_t        nudges;
    bool            stopped;
    void           *items[];
};

struct queue *queue_open(size_t places)
{
    assert(places > 0);
    struct queue *queue = calloc(1, sizeof *queue + places * sizeof queue->items[0]);
    if (queue == NULL)
        return NULL;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, &attr);
    pthread_cond_init(&queue->emptied, &attr);
    pthread_condattr_destroy(&attr);
    queue->places = places;
    return queue;
}

void queue_close(struct queue *queue)
{
    if (queue == NULL)
        return;
    pthread_cond_destroy(&queue->filled);
    pthread_cond_destroy(&queue->emptied);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

static void put_locked(struct queue *queue, void *item)
{
    queue->items[(queue->first + queue->count) % queue->places] = item;
    queue->count++;
    if (queue->takers > 0)
        pthread_cond_signal(&queue->filled);
}

enum err queue_put(struct queue *queue, void *item)
{
    pthread_mutex_lock(&queue->lock);
    bool room = queue->count < queue->places && !queue->stopped;
    if (room)
        put_locked(queue, item);
    pthread_mutex_unlock(&queue->lock);
    return room ? OK : ERR_WAIT;
}

static void wait_place(struct queue *queue)
{
    while (queue->count == queue->places && !queue->stopped)
        pthread_cond_wait(&queue->emptied, &queue->lock);
}

void queue_wait_place(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    wait_place(queue);
    pthread_mutex_unlock(&queue->lock);
}

enum err queue_put_wait(struct queue *queue, void *item)
{
    pthread_mutex_lock(&queue->lock);
    wait_place(queue);
    bool stopped = queue->stopped;
    if (!stopped)
        put_locked(queue, item);
    pthread_mutex_unlock(&queue->lock);
    return stopped ? ERR_WAIT : OK;
}

static struct timespec until(int64_t wait_us)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + wait_us % 1000000 * 1000;
    at.tv_sec += wait_us / 1000000 + ns / 1000000000;
    at.tv_nsec = ns % 1000000000;
    return at;
}

static void wait_filled(struct queue *queue, int64_t wait_us)
{
    struct timespec at = wait_us > 0 ? until(wait_us) : (struct timespec){ 0 };
    uint64_t        nudges = queue->nudges;
    while (queue->count == 0 && !queue->stopped && queue->nudges == nudges) {
        queue->takers++;
        int code = wait_us < 0 ? pthread_cond_wait(&queue->filled, &queue->lock)
                               : pthread_cond_timedwait(&queue->filled, &queue->lock, &at);
        queue->takers--;
        if (code == ETIMEDOUT)
            return;
    }
}

size_t queue_take(struct queue *queue, void **items, size_t most, int64_t wait_us)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->count == 0 && wait_us != 0)
        wait_filled(queue, wait_us);
    size_t taken = queue->count < most ? queue->count : most;
    for (size_t i = 0; i < taken; i++)
        items[i] = queue->items[(queue->first + i) % queue->places];
    queue->first = (queue->first + taken) % queue->places;
    queue->count -= taken;
    if (taken > 0)
        pthread_cond_broadcast(&queue->emptied);
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

void queue_nudge(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->nudges++;
    pthread_cond_broadcast(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

void queue_stop(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->stopped = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_cond_broadcast(&queue->emptied);
    pthread_mutex_unlock(&queue->lock);
}

bool queue_is_stopped(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool stopped = queue->stopped;
    pthread_mutex_unlock(&queue->lock);
    return stopped;
}

size_t queue_count(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}
