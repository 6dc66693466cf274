/*
 * Other ways in the place of those that are: as if the sender were closed and opened anew, but for
 * what is known to others by it, and for the ways that are told as they were.
 *
 *      withdraw -> lines and rendering given back -> channels finish what they have
 *               -> all of it durable -> the new ways -> room is told again
 *
 * What was given back lies in the outbox as if it had not been claimed, so nothing is lost; what a
 * channel had was finished by it, so nothing goes twice. It takes as long as the slowest answer,
 * and a server may take minutes; who ends the process meanwhile waits no longer than without it.
 *
 * A way that is told as it was (way_same) keeps its slot and its channel, which idles meanwhile:
 * its connections, pauses, token and numbers go on. Where all are, in the same order, nothing is
 * stopped at all.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/log.h"
#include "run/send/sender_inside.h"

enum { LOOK_US = 20000 };

/* A list of ways, and those of them that are open and stay so: NULL where one is to be opened. */
struct exchange {
    struct way  ways[WAYS_MAX];
    struct way *kept[WAYS_MAX];
    uint32_t    ways_count;
};

static const struct way *way_named(const struct exchange *exchange, const char *name)
{
    for (uint32_t i = 0; i < exchange->ways_count; i++)
        if (strcmp(exchange->ways[i].conf->name, name) == 0)
            return &exchange->ways[i];
    return NULL;
}

static bool keeps(const struct exchange *exchange, const struct way *way)
{
    for (uint32_t i = 0; i < exchange->ways_count; i++)
        if (exchange->kept[i] == way)
            return true;
    return false;
}

/* Which of those that are open are told as they were. True: all, in the same order. */
static bool kept_find(struct sender *sender, struct exchange *next)
{
    bool is_same = next->ways_count == sender->ways_count;
    for (uint32_t i = 0; i < next->ways_count; i++) {
        for (uint32_t k = 0; k < sender->ways_count; k++)
            if (sender->ways[k]->channel != NULL &&
                way_same(sender->ways[k]->conf, next->ways[i].conf))
                next->kept[i] = sender->ways[k];
        is_same = is_same && next->kept[i] != NULL && next->kept[i] == sender->ways[i];
    }
    return is_same;
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

/* There is one: no list is longer. */
static uint32_t slot_free(const struct sender *sender, const struct exchange *next, uint32_t placed)
{
    for (uint32_t slot = 0; slot < WAYS_MAX; slot++) {
        const struct way *way = &sender->slots[slot];
        bool              is_taken = keeps(next, way);
        for (uint32_t i = 0; i < placed; i++)
            is_taken = is_taken || sender->ways[i] == way;
        if (!is_taken)
            return slot;
    }
    abort();
}

/* Nobody has a message; with both locks. */
static enum err ways_set(struct sender *sender, const struct exchange *next,
                         const struct exchange *before, struct problem *problem)
{
    for (uint32_t door = 0; door < CORE_DOORS; door++)
        core_door_lanes(sender->core, door, 0); /* as of ways that have told none */
    for (uint32_t i = 0; i < next->ways_count; i++) {
        struct way *way = next->kept[i];
        if (way == NULL)
            way = sender_way_init(sender, slot_free(sender, next, i), &next->ways[i]);
        way->conf = next->ways[i].conf; /* the same words, in the list that is there to stay */
        way->lanes = 0;
        sender->ways[i] = way;
    }
    sender->ways_count = next->ways_count;
    sender->leads_outside = sender_has_outside(sender);
    /* Those that were have their numbers: they go on even where the disk cannot be read. */
    enum err err = next == before ? OK : counts_read(sender, problem);
    for (uint32_t i = 0; i < sender->ways_count; i++) {
        const struct way *same = way_named(before, sender->ways[i]->conf->name);
        if (same != NULL)
            way_inherit(sender->ways[i], same);
    }
    return err;
}

static void channels_close(struct sender *sender, const struct exchange *next)
{
    for (uint32_t i = 0; i < sender->ways_count; i++) {
        if (keeps(next, sender->ways[i]))
            continue;
        channel_close(sender->ways[i]->channel);
        sender->ways[i]->channel = NULL;
    }
}

static enum err ways_take(struct sender *sender, const struct exchange *next,
                          const struct exchange *before, struct problem *problem)
{
    pthread_mutex_lock(&sender->lock);
    enum err err = ways_set(sender, next, before, problem);
    pthread_mutex_unlock(&sender->lock);
    for (uint32_t i = 0; err == OK && i < sender->ways_count; i++)
        if (next->kept[i] == NULL)
            err = sender_way_start(sender, sender->ways[i], problem);
    if (err != OK)
        channels_close(sender, next);
    return err;
}

/* Those that do not stay have no message any more. */
static bool are_stopped(const struct sender *sender, const struct exchange *next)
{
    struct channel_stats stats = { .stopped = true };
    for (uint32_t i = 0; i < sender->ways_count && stats.stopped; i++)
        if (sender->ways[i]->channel != NULL && !keeps(next, sender->ways[i]))
            channel_stats_read(sender->ways[i]->channel, &stats);
    return stats.stopped;
}

/* Every message is in the outbox again or has its outcome, and that is durable; tests, which have
 * no claim, have come to their end, too. */
static bool is_drained(struct sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    const struct sender_stats *stats = &sender->stats;
    bool                       is_drained =
        sender->in_use == 0 && sender->giving == 0 && stats->in_flight == 0 && stats->queued == 0;
    pthread_mutex_unlock(&sender->lock);
    return is_drained;
}

/* It is the thread of signals that is here: nobody else would hear that the process is to end. */
static bool is_to_end(void)
{
    sigset_t signals;
    return sigpending(&signals) == 0 &&
           (sigismember(&signals, SIGTERM) == 1 || sigismember(&signals, SIGINT) == 1);
}

static void channels_leave(struct sender *sender, const struct exchange *next)
{
    for (uint32_t i = 0; i < sender->ways_count; i++)
        if (sender->ways[i]->channel != NULL && !keeps(next, sender->ways[i]))
            channel_end(sender->ways[i]->channel, false);
}

/* An answer that comes late is waited for: given up, nobody would ever know it. */
static void drain(struct sender *sender, const struct exchange *next)
{
    bool in_time = false;
    sender_claims_end(sender);
    sender_lines_return(sender);
    channels_leave(sender, next);
    log_say(LOG_INFO, "The ways out change: what is on its way by those that go ends first.");
    /* Ways that stay have what nobody has begun, and a server that hangs may keep it for long. */
    if (sender_recall_all(sender) != OK)
        log_say(LOG_WARNING, "what waits for a way that stays is waited for");
    while (!are_stopped(sender, next) || !is_drained(sender)) {
        if (!in_time && is_to_end())
            sender_channels_end(sender, in_time = true);
        usleep(LOOK_US);
    }
    pthread_mutex_lock(&sender->lock);
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

static void before_keep(struct sender *sender, const struct exchange *next, struct exchange *before)
{
    pthread_mutex_lock(&sender->lock); /* the reporter writes of them, too */
    before->ways_count = sender->ways_count;
    for (uint32_t i = 0; i < sender->ways_count; i++) {
        before->ways[i] = *sender->ways[i];
        before->kept[i] = keeps(next, sender->ways[i]) ? sender->ways[i] : NULL;
    }
    pthread_mutex_unlock(&sender->lock);
}

static enum err exchange_do(struct sender *sender, struct exchange *next, struct problem *problem)
{
    struct exchange *before = calloc(1, sizeof *before);
    if (before == NULL)
        return ERR_MEMORY;
    drain(sender, next);
    pthread_rwlock_wrlock(&sender->ways_lock);
    channels_close(sender, next);
    before_keep(sender, next, before);
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
                       bool *is_taken, struct problem *problem)
{
    struct exchange *next = calloc(1, sizeof *next);
    *is_taken = false;
    if (next == NULL)
        return ERR_MEMORY;
    enum err err = exchange_make(sender, ways, count, next, problem);
    if (err == OK && !kept_find(sender, next)) {
        err = exchange_do(sender, next, problem);
        *is_taken = err == OK;
    }
    if (*is_taken) {
        sender->conf.ways = ways;
        sender->conf.ways_count = count;
    }
    explicit_bzero(next, sizeof *next);
    free(next);
    return err;
}
