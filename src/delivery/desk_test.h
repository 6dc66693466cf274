/*
 * desk: the run room's part in a test. It holds messages m0..m(n-1), gives them as places are
 * offered, from its own thread or from within the calls, and keeps every outcome.
 */
#ifndef DULT_DELIVERY_DESK_TEST_H
#define DULT_DELIVERY_DESK_TEST_H

#include <pthread.h>

#include "delivery/delivery.h"

struct desk {
    struct channel          *channel;
    struct delivery_message *messages;
    struct delivery_outcome *outcomes;
    uint8_t                 *done; /* how often */
    char                    *addresses;
    int                      count, given, done_count;
    uint32_t                 places;
    bool                     from_within; /* give in the calls, on the channel's thread */
    bool                     paused;      /* keep the places, give nothing */
    pthread_mutex_t          lock;
    pthread_cond_t           moved;
};

/* `domain` of all addresses; data is shared. */
void desk_init(struct desk *desk, int count, const char *domain, struct str data);
void desk_done(struct desk *desk);

struct channel_calls desk_calls(struct desk *desk);

/* Gives until `done` are done or `wait_ms` is over. True: so many are done. */
bool desk_run_until(struct desk *desk, struct channel *channel, int done, int64_t wait_ms);
/* The same for all. */
bool desk_run(struct desk *desk, struct channel *channel, int64_t wait_ms);

/* Waits until at least so many are done (or places were offered). False: not in time. */
bool desk_wait_done(struct desk *desk, int count, int64_t wait_ms);
bool desk_wait_places(struct desk *desk, uint32_t places, int64_t wait_ms);

int desk_count(struct desk *desk, enum delivery_result result);

#endif
