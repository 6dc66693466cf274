/*
 * loop: one thread with one event base, and a way in for the other threads.
 *
 *      any thread --- loop_post(task) ---> | line of tasks | --- wakes ---> loop thread: task->run
 *
 * Everything else in this room that owns a socket lives on the loop's thread and takes no lock.
 *
 * Always true   only the loop's thread touches the event base once it runs; a task is in the line
 *               at most once, however often it is posted.
 * Gathers       where many connections wait for answers that come one after the other, the loop
 *               sleeps a little after a round and hears several at once (gather.h).
 * Cost          one eventfd write for a line that was empty.
 */
#ifndef DULT_DELIVERY_LOOP_H
#define DULT_DELIVERY_LOOP_H

#include "base/str.h"

struct event_base;
struct evdns_base;
struct loop;

struct loop_task {
    void (*run)(struct loop_task *task);
    struct loop_task *next;
    bool              queued;
};

struct loop *loop_open(void);               /* starts the thread; NULL without memory or threads */
void         loop_close(struct loop *loop); /* ends it when the line is empty; NULL is nothing */

void loop_post(struct loop *loop, struct loop_task *task);

/* Runs call(ctx) on the loop's thread and returns when it is done; at once when already there. */
void loop_call(struct loop *loop, void (*call)(void *ctx), void *ctx);

/* On the loop's thread, for gather.h: a connection waits for an answer, or no more (with what it
 * was told when it began); one has spoken. */
uint32_t loop_asks(struct loop *loop);
void     loop_asks_no_more(struct loop *loop, uint32_t asked);
void     loop_heard(struct loop *loop);
void     loop_fills(struct loop *loop, int more); /* channels that have taken half their places */
int      loop_full(const struct loop *loop);      /* how many have */

bool               loop_is_inside(const struct loop *loop); /* is this the loop's thread? */
struct event_base *loop_base(struct loop *loop);
struct evdns_base *loop_dns(struct loop *loop);

#endif
