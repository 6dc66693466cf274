#include "run/core/sweep.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/queue.h"

struct item {
    void (*end)(void *what);
    void *what;
};

struct sweep {
    struct queue *items;
    pthread_t     thread;
};

static void *sweep_thread(void *arg)
{
    struct sweep *sweep = arg;
    struct item  *item;
    for (;;) {
        if (queue_take(sweep->items, (void **)&item, 1, -1) == 1) {
            item->end(item->what);
            free(item);
        } else if (queue_is_stopped(sweep->items)) {
            return NULL;
        }
    }
}

struct sweep *sweep_open(void)
{
    struct sweep *sweep = calloc(1, sizeof *sweep);
    if (sweep == NULL)
        return NULL;
    sweep->items = queue_open(SWEEP_WAITING_MAX);
    if (sweep->items != NULL && pthread_create(&sweep->thread, NULL, sweep_thread, sweep) == 0)
        return sweep;
    queue_close(sweep->items);
    free(sweep);
    return NULL;
}

void sweep_close(struct sweep *sweep)
{
    if (sweep == NULL)
        return;
    queue_stop(sweep->items);
    pthread_join(sweep->thread, NULL);
    queue_close(sweep->items);
    free(sweep);
}

void sweep_put(struct sweep *sweep, void (*end)(void *what), void *what)
{
    struct item *item = malloc(sizeof *item);
    if (item != NULL)
        *item = (struct item){ end, what };
    if (item != NULL && queue_put(sweep->items, item) == OK)
        return;
    free(item);
    end(what);
}
