#include "delivery/desk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/test.h"

enum { ADDRESS_BYTES = 64 };

void desk_init(struct desk *desk, int count, const char *domain, struct str data)
{
    *desk = (struct desk){ .count = count };
    desk->messages = calloc((size_t)count, sizeof desk->messages[0]);
    desk->outcomes = calloc((size_t)count, sizeof desk->outcomes[0]);
    desk->done = calloc((size_t)count, 1);
    desk->addresses = calloc((size_t)count, ADDRESS_BYTES);
    pthread_mutex_init(&desk->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&desk->moved, &attr);
    pthread_condattr_destroy(&attr);
    for (int i = 0; i < count; i++) {
        char *address = desk->addresses + i * ADDRESS_BYTES;
        snprintf(address, ADDRESS_BYTES, "m%d@%s", i, domain);
        desk->messages[i] = (struct delivery_message){ .id = (uint64_t)i + 1,
                                                       .message_id = str_of(address),
                                                       .from = STR("shop@shop.example"),
                                                       .to = str_of(address),
                                                       .data = data };
    }
}

void desk_done(struct desk *desk)
{
    pthread_cond_destroy(&desk->moved);
    pthread_mutex_destroy(&desk->lock);
    free(desk->messages);
    free(desk->outcomes);
    free(desk->done);
    free(desk->addresses);
}

/* Takes the next message and its place; NULL when either is missing. */
static struct delivery_message *next_locked(struct desk *desk)
{
    if (desk->places == 0 || desk->given == desk->count || desk->paused)
        return NULL;
    desk->places--;
    return &desk->messages[desk->given++];
}

static void give_within(struct desk *desk)
{
    for (;;) {
        pthread_mutex_lock(&desk->lock);
        struct delivery_message *message = next_locked(desk);
        pthread_mutex_unlock(&desk->lock);
        if (message == NULL)
            return;
        assert_ok(channel_give(desk->channel, message));
    }
}

static void on_room(void *ctx, uint32_t places)
{
    struct desk *desk = ctx;
    pthread_mutex_lock(&desk->lock);
    desk->places += places;
    bool within = desk->from_within && desk->channel != NULL;
    pthread_cond_broadcast(&desk->moved);
    pthread_mutex_unlock(&desk->lock);
    if (within)
        give_within(desk);
}

static void on_done(void *ctx, struct delivery_message *message,
                    const struct delivery_outcome *outcome)
{
    struct desk *desk = ctx;
    pthread_mutex_lock(&desk->lock);
    desk->outcomes[message->id - 1] = *outcome;
    desk->done[message->id - 1]++;
    desk->done_count++;
    pthread_cond_broadcast(&desk->moved);
    pthread_mutex_unlock(&desk->lock);
}

struct channel_calls desk_calls(struct desk *desk)
{
    return (struct channel_calls){ on_room, on_done, desk };
}

static struct timespec after(int64_t wait_ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + wait_ms % 1000 * 1000000;
    at.tv_sec += wait_ms / 1000 + ns / 1000000000;
    at.tv_nsec = ns % 1000000000;
    return at;
}

bool desk_run(struct desk *desk, struct channel *channel, int64_t wait_ms)
{
    return desk_run_until(desk, channel, desk->count, wait_ms);
}

bool desk_run_until(struct desk *desk, struct channel *channel, int done, int64_t wait_ms)
{
    struct timespec until = after(wait_ms);
    int             late = 0;
    pthread_mutex_lock(&desk->lock);
    desk->channel = channel;
    while (desk->done_count < done && late == 0) {
        struct delivery_message *message = next_locked(desk);
        if (message == NULL) {
            late = pthread_cond_timedwait(&desk->moved, &desk->lock, &until);
            continue;
        }
        pthread_mutex_unlock(&desk->lock);
        assert_ok(channel_give(channel, message));
        pthread_mutex_lock(&desk->lock);
    }
    bool reached = desk->done_count >= done;
    pthread_mutex_unlock(&desk->lock);
    return reached;
}

bool desk_wait_done(struct desk *desk, int count, int64_t wait_ms)
{
    struct timespec until = after(wait_ms);
    int             late = 0;
    pthread_mutex_lock(&desk->lock);
    while (desk->done_count < count && late == 0)
        late = pthread_cond_timedwait(&desk->moved, &desk->lock, &until);
    bool reached = desk->done_count >= count;
    pthread_mutex_unlock(&desk->lock);
    return reached;
}

bool desk_wait_places(struct desk *desk, uint32_t places, int64_t wait_ms)
{
    struct timespec until = after(wait_ms);
    int             late = 0;
    pthread_mutex_lock(&desk->lock);
    while (desk->places < places && late == 0)
        late = pthread_cond_timedwait(&desk->moved, &desk->lock, &until);
    bool reached = desk->places >= places;
    pthread_mutex_unlock(&desk->lock);
    return reached;
}

int desk_count(struct desk *desk, enum delivery_result result)
{
    int count = 0;
    pthread_mutex_lock(&desk->lock);
    for (int i = 0; i < desk->count; i++)
        count += desk->done[i] > 0 && desk->outcomes[i].result == result;
    pthread_mutex_unlock(&desk->lock);
    return count;
}
