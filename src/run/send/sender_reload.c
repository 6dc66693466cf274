/*
 * Other ways in the place of those that are: as if the sender were closed and opened anew, but for
 * what is known to others by it.
 *
 *      withdraw -> lines and rendering given back -> channels finish what they have
 *               -> all of it durable -> the new ways -> room is told again
 *
 * What was given back lies in the outbox as if it had not been claimed, so nothing is lost; what a
 * channel had was finished by it, so nothing goes twice. It takes as long as the slowest answer,
 * and a server may take minutes; who ends the process meanwhile waits no longer than without it.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/log.h"
#include "run/send/sender_inside.h"

enum { LOOK_US = 20000 };

struct exchange {
    struct way ways[WAYS_MAX];
    uint32_t   ways_count;
};

static const struct way *way_named(const struct exchange *exchange, const char *name)
{
    for (uint32_t i = 0; i < exchange->ways_count; i++)
        if (strcmp(exchange->ways[i].conf->name, name) == 0)
            return &exchange->ways[i];
    return NULL;
}

/* What was counted ahead of the disk is not counted twice; why a way was closed may be mended. */
static void way_inherit(struct way *way, const struct way *before)
{
    way->day = before->day;
    way->month = before->month;
    way->pace = before->pace;
    way->stats.sent = before->stats.sent;
    way->stats.passed_on = before->stats.passed_on;
    way->stats.error_ms = before->stats.error_ms;
    memcpy(way->stats.error, before->stats.error, sizeof way->stats.error);
}

/* Nobody has a message; with both locks. */
static enum err ways_set(struct sender *sender, const struct exchange *next,
                         const struct exchange *before, struct problem *problem)
{
    for (uint32_t door = 0; door < CORE_DOORS; door++)
        core_door_lanes(sender->core, door, 0); /* as of ways that have told none */
    sender->ways_count = next->ways_count;
    for (uint32_t i = 0; i < next->ways_count; i++)
        sender_way_init(sender, i, &next->ways[i]);
    sender->leads_outside = sender_has_outside(sender);
    /* Those that were have their numbers: they go on even where the disk cannot be read. */
    enum err err = next == before ? OK : counts_read(sender, problem);
    for (uint32_t i = 0; i < sender->ways_count; i++) {
        const struct way *same = way_named(before, sender->ways[i].conf->name);
        if (same != NULL)
            way_inherit(&sender->ways[i], same);
    }
    return err;
}

static void channels_close(struct sender *sender)
{
    for (uint32_t i = 0; i < sender->ways_count; i++) {
        channel_close(sender->ways[i].channel);
        sender->ways[i].channel = NULL;
    }
}

static enum err ways_take(struct sender *sender, const struct exchange *next,
                          const struct exchange *before, struct problem *problem)
{
    pthread_mutex_lock(&sender->lock);
    enum err err = ways_set(sender, next, before, problem);
    pthread_mutex_unlock(&sender->lock);
    for (uint32_t i = 0; err == OK && i < sender->ways_count; i++)
        err = sender_way_start(sender, &sender->ways[i], problem);
    if (err != OK)
        channels_close(sender);
    return err;
}

static bool are_stopped(const struct sender *sender)
{
    struct channel_stats stats = { .stopped = true };
    for (uint32_t i = 0; i < sender->ways_count && stats.stopped; i++)
        if (sender->ways[i].channel != NULL)
            channel_stats_read(sender->ways[i].channel, &stats);
    return stats.stopped;
}

/* It is the thread of signals that is here: nobody else would hear that the process is to end. */
static bool is_to_end(void)
{
    sigset_t signals;
    return sigpending(&signals) == 0 &&
           (sigismember(&signals, SIGTERM) == 1 || sigismember(&signals, SIGINT) == 1);
}

/* An answer that comes late is waited for: given up, nobody would ever know it. */
static void channels_finish(struct sender *sender)
{
    bool in_time = false;
    sender_channels_end(sender, in_time);
    while (!are_stopped(sender)) {
        if (!in_time && is_to_end())
            sender_channels_end(sender, in_time = true);
        usleep(LOOK_US);
    }
}

/* Every message is in the outbox again or has its outcome, and that is durable. */
static void drain(struct sender *sender)
{
    sender_claims_end(sender);
    sender_lines_return(sender);
    channels_finish(sender);
    pthread_mutex_lock(&sender->lock);
    while (sender->in_use > 0)
        pthread_cond_wait(&sender->drained, &sender->lock);
    while (sender->giving > 0) /* tests, which have no claim */
        pthread_cond_wait(&sender->all_given, &sender->lock);
    sender->ready = false;
    pthread_mutex_unlock(&sender->lock);
}

static void go_on(struct sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    sender->stopping = false;
    sender->ready = true;
    sender->has_lanes = false;
    ways_look(sender);
    pthread_cond_signal(&sender->moved);
    pthread_mutex_unlock(&sender->lock);
}

static enum err exchange_make(struct sender *sender, const struct way_conf *ways, uint32_t count,
                              struct exchange *next, struct problem *problem)
{
    struct sender_conf conf = sender->conf;
    conf.ways = ways;
    conf.ways_count = count;
    return sender_ways_make(sender, &conf, next->ways, &next->ways_count, problem);
}

/* The ways as they were. Else none is open, and all waits. */
static void ways_take_back(struct sender *sender, const struct exchange *before)
{
    struct problem problem = { .where = "" };
    if (ways_take(sender, before, before, &problem) == OK)
        return;
    log_problem(LOG_ERROR, &problem);
    log_say(LOG_ERROR, "The ways out as they were cannot be opened again: nothing is sent until "
                       "SIGHUP or the next start finds them.");
}

static enum err exchange_do(struct sender *sender, struct exchange *next, struct problem *problem)
{
    struct exchange *before = calloc(1, sizeof *before);
    if (before == NULL)
        return ERR_MEMORY;
    drain(sender);
    pthread_rwlock_wrlock(&sender->ways_lock);
    channels_close(sender);
    pthread_mutex_lock(&sender->lock); /* the reporter writes of them, too */
    memcpy(before->ways, sender->ways, sizeof before->ways);
    before->ways_count = sender->ways_count;
    pthread_mutex_unlock(&sender->lock);
    enum err err = ways_take(sender, next, before, problem);
    if (err != OK)
        ways_take_back(sender, before);
    go_on(sender);
    pthread_rwlock_unlock(&sender->ways_lock);
    explicit_bzero(before, sizeof *before);
    free(before);
    return err;
}

enum err sender_reload(struct sender *sender, const struct way_conf *ways, uint32_t count,
                       struct problem *problem)
{
    struct exchange *next = calloc(1, sizeof *next);
    if (next == NULL)
        return ERR_MEMORY;
    enum err err = exchange_make(sender, ways, count, next, problem);
    if (err == OK)
        err = exchange_do(sender, next, problem);
    if (err == OK) {
        sender->conf.ways = ways;
        sender->conf.ways_count = count;
    }
    explicit_bzero(next, sizeof *next);
    free(next);
    return err;
}
