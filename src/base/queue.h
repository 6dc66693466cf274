/*
 * queue: a bounded line of pointers between threads.
 *
 * Any number of threads put, any number take. A full queue refuses (the caller answers 503), it
 * never grows. `queue_stop` wakes everyone: takers drain what is left and then get nothing.
 */
#ifndef DULT_BASE_QUEUE_H
#define DULT_BASE_QUEUE_H

#include "base/str.h"

struct queue;

struct queue *queue_open(size_t places); /* NULL without memory */
void          queue_close(struct queue *queue);

/* ERR_WAIT when full or stopped. */
MUST enum err queue_put(struct queue *queue, void *item);
/* Waits for a place; ERR_WAIT only when stopped. */
MUST enum err queue_put_wait(struct queue *queue, void *item);

/* Waits until there is a place, which stays as long as nobody else puts; or until all is stopped.
 */
void queue_wait_place(struct queue *queue);

/*
 * Takes up to `most` items, waiting at most `wait_us` for the first (0: do not wait; < 0: for
 * ever). Returns how many; 0 on time-out or when stopped and empty.
 */
size_t queue_take(struct queue *queue, void **items, size_t most, int64_t wait_us);

/* Wakes a waiting taker without an item, so that it looks at the clock. */
void   queue_nudge(struct queue *queue);
void   queue_stop(struct queue *queue);
bool   queue_is_stopped(struct queue *queue);
size_t queue_count(struct queue *queue);

#endif
