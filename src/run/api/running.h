/*
 * running: the questions to everyone that are being answered right now.
 *
 * For the list that shows who keeps the report threads busy, and for stopping one: by its number,
 * or because its client has gone away.
 *
 * Always true   a question is in the list from running_begin to running_end; a stopped one ends at
 *               the next part of a thousand people.
 */
#ifndef DULT_RUN_RUNNING_H
#define DULT_RUN_RUNNING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

struct http_request;
struct crew;
struct crew_work;

/* One question; lives on the stack of the thread that answers it. */
struct running_one {
    uint64_t             number;
    struct str           what; /* borrowed: the path asked */
    struct http_request *request;
    int64_t              begun_us;
    atomic_bool          is_stopped;
    atomic_uint          done, all; /* profiles */
    struct running_one  *next;
};

struct running {
    pthread_mutex_t     lock;
    struct running_one *first;
    uint64_t            numbers;
};

void running_init(struct running *running);
void running_done(struct running *running);
void running_begin(struct running *running, struct running_one *one);
void running_end(struct running *running, struct running_one *one);
/* Nobody waits for it any more. */
bool running_is_over(const struct running_one *one);
/* False: there is none of that number. */
bool running_stop(struct running *running, uint64_t number);
/* {"id","report","seconds","done","people"} of each, with commas between. */
void running_write(struct running *running, struct buf *out);

#endif
