#include "delivery/web.h"

#include <assert.h>
#include <ctype.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"

enum {
    CONNECTIONS_USUAL = 4,
    STOP_MS_USUAL = 30000,
    AGAIN_FIRST_US = 500000, /* before asking again with the same key; doubling */
    PLACES_LEAST = 2,        /* one for receipts, one for any */
    TRIALS = 2,              /* requests at once after a failure */
};

/* One request under way. */
struct flight {
    struct web              *web;
    struct delivery_message *message; /* NULL: free */
    struct arena            *arena;
    struct fetch_request     request;
    uint32_t                 tries;
    int64_t                  again_us;  /* waits until then to be asked again; 0: it is under way */
    bool                     was_stale; /* its first connection was dead before it was used */
    bool                     is_doubted; /* one that is no question may have been done */
};

struct web {
    struct channel       channel; /* first */
    struct loop         *loop;
    struct fetch        *fetch;
    struct web_conf      conf;
    struct web_calls     web;
    struct channel_calls calls;
    struct loop_task     task;
    uint32_t             places;

    pthread_mutex_t          lock; /* guards the next block */
    pthread_cond_t           stopped_now;
    struct delivery_message *inbox, **inbox_last;
    uint32_t                 offered, outstanding;
    bool                     stopping, stopped;
    struct channel_stats     stats;

    /* The loop's thread only. */
    struct delivery_message *waiting;
    uint32_t                 waiting_count, flying;
    struct flight            flights[WEB_CONNECTIONS_MAX];
    struct throttle          throttle;
    struct event            *wake, *deadline;
    bool                     pumping, pump_again, ending;
    bool                     fills;    /* the loop knows that half of the places are taken */
    uint32_t                 failures; /* in a row */
    uint64_t                 chances;  /* drawn so far */
    int64_t                  closed_until_us;
    struct delivery_outcome  trouble; /* why it is closed */
};

static void pump(struct web *web);
static void flight_send(struct flight *flight);
static void flight_make(struct flight *flight);

static struct web *web_of(struct channel *channel)
{
    return (struct web *)channel;
}

static bool is_closed(const struct web *web)
{
    return time_mono_us() < web->closed_until_us;
}

/* ---- the waiting line: urgent ones first ---- */

static void wait_add(struct web *web, struct delivery_message *message)
{
    struct delivery_message **link = &web->waiting;
    while (*link != NULL && ((*link)->is_urgent || !message->is_urgent))
        link = &(*link)->next;
    message->next = *link;
    *link = message;
    web->waiting_count++;
}

static struct delivery_message *wait_remove(struct web *web, struct delivery_message **link)
{
    struct delivery_message *message = *link;
    *link = message->next;
    message->next = NULL;
    web->waiting_count--;
    return message;
}

/* ---- outcomes ---- */

static void finish(struct web *web, struct delivery_message *message,
                   const struct delivery_outcome *outcome)
{
    pthread_mutex_lock(&web->lock);
    assert(web->outstanding > 0);
    web->outstanding--;
    web->stats.results[outcome->result]++;
    pthread_mutex_unlock(&web->lock);
    web->calls.done(web->calls.ctx, message, outcome);
}

static void finish_waiting(struct web *web, const struct delivery_outcome *outcome)
{
    while (web->waiting != NULL)
        finish(web, wait_remove(web, &web->waiting), outcome);
}

/* They were not begun: it was no try, and they may come back when it opens. */
static void finish_closed(struct web *web)
{
    struct delivery_outcome closed = web->trouble;
    closed.wait_ms = (web->closed_until_us - time_mono_us()) / 1000 + 1;
    finish_waiting(web, &closed);
}

static void flight_end(struct flight *flight, const struct delivery_outcome *outcome)
{
    struct web              *web = flight->web;
    struct delivery_message *message = flight->message;
    arena_close(flight->arena);
    *flight = (struct flight){ .web = web };
    web->flying--;
    finish(web, message, outcome);
}

/* Nothing goes for a while; what waits is given back, certainly not sent. */
static void close_for(struct web *web, const struct delivery_outcome *why, int64_t wait_ms)
{
    int64_t until_us = time_mono_us() + wait_ms * 1000;
    if (until_us > web->closed_until_us)
        web->closed_until_us = until_us;
    web->trouble = *why;
    web->trouble.result = DELIVERY_DEFERRED;
    if (web->trouble.blame == BLAME_NONE || web->trouble.blame == BLAME_RECIPIENT)
        web->trouble.blame = BLAME_CONNECTION;
}

static void note_failure(struct web *web, const struct delivery_outcome *why)
{
    int64_t pause_ms =
        backoff_ms(web->conf.backoff, ++web->failures, hash_u64(++web->chances, web->conf.seed));
    pthread_mutex_lock(&web->lock);
    web->stats.connect_failures++;
    pthread_mutex_unlock(&web->lock);
    close_for(web, why, pause_ms);
}

/* ---- what comes back ---- */

/* It may have been done: it is asked again with its key, or nobody will ever know. */
static void doubt(struct flight *flight, const char *text)
{
    struct web             *web = flight->web;
    struct delivery_outcome unknown =
        delivery_outcome_make(DELIVERY_UNKNOWN, BLAME_CONNECTION, text);
    flight->is_doubted = flight->is_doubted || !flight->request.is_question;
    if (flight->request.repeatable && flight->tries < WEB_TRIES_MAX && !web->ending) {
        flight->again_us = time_mono_us() + ((int64_t)AGAIN_FIRST_US << (flight->tries - 1));
        return;
    }
    if (!flight->is_doubted)
        unknown.result = DELIVERY_DEFERRED;
    note_failure(web, &unknown);
    flight_end(flight, &unknown);
}

/* After the first try there may be doubt about an earlier one, which a later "no" does not lift. */
static bool settles(const struct flight *flight, const struct delivery_outcome *outcome)
{
    return !flight->is_doubted || outcome->result == DELIVERY_SENT;
}

/* Of many hosts: whatever it is, it is this message's. */
static void settle_alone(struct flight *flight, struct delivery_outcome *outcome)
{
    if (outcome->result == DELIVERY_DEFERRED || outcome->result == DELIVERY_UNKNOWN)
        outcome->blame = BLAME_RECIPIENT;
    outcome->wait_ms = 0;
    flight_end(flight, outcome);
}

static void answered(struct flight *flight, const struct fetch_response *response)
{
    struct web             *web = flight->web;
    struct delivery_outcome outcome = delivery_outcome_make(DELIVERY_UNKNOWN, BLAME_CONNECTION, "");
    if (web->web.read(web->web.ctx, flight->message, response, &outcome)) {
        flight_make(flight);
        return;
    }
    if (web->conf.many_hosts) {
        settle_alone(flight, &outcome);
        return;
    }
    if (outcome.result == DELIVERY_DEFERRED && response->retry_after_s > 0)
        outcome.wait_ms = response->retry_after_s < WEB_WAIT_MS_MAX / 1000
                              ? response->retry_after_s * 1000
                              : WEB_WAIT_MS_MAX;
    if (outcome.result == DELIVERY_UNKNOWN || !settles(flight, &outcome)) {
        doubt(flight, outcome.text);
        return;
    }
    if (outcome.result == DELIVERY_DEFERRED && outcome.wait_ms > 0)
        close_for(web, &outcome, outcome.wait_ms);
    else if (outcome.result == DELIVERY_DEFERRED && outcome.blame == BLAME_CONNECTION)
        note_failure(web, &outcome);
    else
        web->failures = 0;
    flight_end(flight, &outcome);
}

static void not_answered(struct flight *flight, const struct fetch_response *response)
{
    struct web             *web = flight->web;
    struct delivery_outcome deferred =
        delivery_outcome_make(DELIVERY_DEFERRED, BLAME_CONNECTION, response->text);
    if (response->was_stale && !flight->was_stale && flight->tries == 1 && !web->ending) {
        flight->was_stale = true;
        flight->tries = 0; /* that was none: they closed it while it was idle */
        flight_send(flight);
        return;
    }
    if (web->conf.many_hosts) {
        bool for_good = response->err == ERR_DENIED || response->err == ERR_INPUT;
        deferred.result = response->in_doubt ? DELIVERY_UNKNOWN
                          : for_good         ? DELIVERY_FAILED
                                             : DELIVERY_DEFERRED;
        settle_alone(flight, &deferred);
        return;
    }
    if (response->in_doubt || flight->tries > 1 || flight->is_doubted) {
        doubt(flight, response->text);
        return;
    }
    if (response->err != ERR_IO)
        deferred.blame = BLAME_POLICY; /* the address is one that must not be called */
    note_failure(web, &deferred);
    flight_end(flight, &deferred);
}

static void on_response(void *ctx, const struct fetch_response *response)
{
    struct flight        *flight = ctx;
    struct web           *web = flight->web;
    struct fetch_response whole = *response;
    if (whole.err == ERR_LIMIT && whole.status > 0)
        whole.err = OK; /* the status says enough */
    if (whole.err == OK)
        answered(flight, &whole);
    else
        not_answered(flight, &whole);
    pump(web);
}

/* ---- asking ---- */

static void flight_refuse(struct flight *flight, enum err err, const struct problem *problem)
{
    struct delivery_outcome outcome =
        delivery_outcome_make(DELIVERY_FAILED, BLAME_POLICY, problem->what);
    if (err != ERR_INPUT && err != ERR_LIMIT) {
        outcome.result = DELIVERY_DEFERRED;
        outcome.blame = BLAME_CONNECTION;
    }
    if (err == ERR_WAIT)
        outcome = delivery_outcome_make(DELIVERY_RETURNED, BLAME_NONE, "recalled");
    if (flight->is_doubted)
        outcome.result = DELIVERY_UNKNOWN;
    flight_end(flight, &outcome);
}

static void flight_send(struct flight *flight)
{
    struct problem problem = { .what = "no memory for the request" };
    flight->tries++;
    flight->again_us = 0;
    enum err err = fetch_send(flight->web->fetch, &flight->request, &problem);
    if (err == OK)
        return;
    if (flight->tries > 1 || flight->is_doubted)
        doubt(flight, problem.what);
    else
        flight_refuse(flight, err, &problem);
}

/* The first request for its message, or the next one. */
static void flight_make(struct flight *flight)
{
    struct web    *web = flight->web;
    struct problem problem = { .what = "no memory for the request" };
    flight->request = (struct fetch_request){ .method = NULL };
    flight->tries = 0;
    enum err err = flight->arena == NULL ? ERR_MEMORY
                                         : web->web.make(web->web.ctx, flight->message,
                                                         flight->arena, &flight->request, &problem);
    if (err != OK) {
        flight_refuse(flight, err, &problem);
        return;
    }
    flight->request.timeout_ms = web->conf.timeout_ms;
    flight->request.response_bytes_max = WEB_ANSWER_BYTES_MAX;
    flight->request.call = on_response;
    flight->request.ctx = flight;
    flight_send(flight);
}

static void flight_begin(struct web *web, struct flight *flight, struct delivery_message *message)
{
    *flight =
        (struct flight){ .web = web, .message = message, .arena = arena_open(WEB_ARENA_BYTES_MAX) };
    web->flying++;
    flight_make(flight);
}

static struct flight *flight_free(struct web *web)
{
    if (web->failures > 0 && web->flying >= TRIALS)
        return NULL;
    for (uint32_t i = 0; i < web->conf.connections_max; i++)
        if (web->flights[i].message == NULL)
            return &web->flights[i];
    return NULL;
}

static uint64_t destination_hash(const struct delivery_message *message)
{
    char       lower[DELIVERY_ADDRESS_BYTES_MAX];
    struct str to = message->to, name = message->destination;
    size_t     len = 0;
    if (name.len == 0)
        name = str_slice(to, str_find_char(to, 0, '@'), to.len);
    for (size_t i = 0; i < name.len && len < sizeof lower; i++)
        lower[len++] = (char)tolower((unsigned char)name.ptr[i]);
    return hash_str((struct str){ lower, len }, 0);
}

static bool domain_is_full(const struct web *web, uint64_t domain)
{
    uint32_t count = 0;
    if (web->conf.domain_messages_max == 0)
        return false;
    for (uint32_t i = 0; i < web->conf.connections_max; i++)
        count += web->flights[i].message != NULL && web->flights[i].message->domain_hash == domain;
    return count >= web->conf.domain_messages_max;
}

static void wake_at(struct web *web, int64_t at_us)
{
    int64_t        wait_us = at_us - time_mono_us();
    struct timeval wait = { 0 };
    if (wait_us > 0) {
        wait.tv_sec = wait_us / 1000000;
        wait.tv_usec = wait_us % 1000000;
    }
    event_add(web->wake, &wait);
}

/* Returns when the throttle lets the next one go; 0: it does not wait for that. */
static int64_t assign(struct web *web)
{
    struct delivery_message **link = &web->waiting;
    struct flight            *flight;
    while (*link != NULL && !is_closed(web) && (flight = flight_free(web)) != NULL) {
        if (domain_is_full(web, (*link)->domain_hash)) {
            link = &(*link)->next;
            continue;
        }
        int64_t wait_us = throttle_take(&web->throttle, time_mono_us());
        if (wait_us > 0)
            return time_mono_us() + wait_us;
        flight_begin(web, flight, wait_remove(web, link));
        link = &web->waiting; /* done may have changed the line */
    }
    return 0;
}

/* Asks again what is due; when the next one is, or 0. */
static int64_t ask_again(struct web *web)
{
    int64_t next_us = 0, now_us = time_mono_us();
    for (uint32_t i = 0; i < web->conf.connections_max; i++) {
        struct flight *flight = &web->flights[i];
        if (flight->message == NULL || flight->again_us == 0)
            continue;
        if (flight->again_us <= now_us || web->ending)
            flight_send(flight);
        else if (next_us == 0 || flight->again_us < next_us)
            next_us = flight->again_us;
    }
    return next_us;
}

/* ---- the pump ---- */

static void take_one(struct web *web, struct delivery_message *message)
{
    struct problem problem;
    if (message->data.len == 0 || delivery_message_check(message, &problem) == OK) {
        message->domain_hash = destination_hash(message);
        wait_add(web, message);
        return;
    }
    bool                    recipient = strcmp(problem.where, "to") == 0;
    struct delivery_outcome outcome = delivery_outcome_make(
        DELIVERY_FAILED, recipient ? BLAME_RECIPIENT : BLAME_POLICY, problem.what);
    finish(web, message, &outcome);
}

static void take_inbox(struct web *web)
{
    pthread_mutex_lock(&web->lock);
    struct delivery_message *message = web->inbox;
    web->inbox = NULL;
    web->inbox_last = &web->inbox;
    pthread_mutex_unlock(&web->lock);
    while (message != NULL) {
        struct delivery_message *next = message->next;
        take_one(web, message);
        message = next;
    }
}

static void offer(struct web *web)
{
    uint32_t more = 0;
    pthread_mutex_lock(&web->lock);
    uint32_t taken = web->offered + web->outstanding;
    if (!is_closed(web) && !web->ending && taken < web->places) {
        more = web->places - taken;
        web->offered += more;
    }
    pthread_mutex_unlock(&web->lock);
    if (more > 0)
        web->calls.room(web->calls.ctx, more);
}

/* Who waits for a place here waits for the loop, too (gather.h). */
static void note_fills(struct web *web, bool fills)
{
    if (fills != web->fills)
        loop_fills(web->loop, fills ? 1 : -1);
    web->fills = fills;
}

static void note_state(struct web *web)
{
    int64_t closed_us = web->closed_until_us - time_mono_us();
    pthread_mutex_lock(&web->lock);
    web->stats.connections = web->stats.connections_ready = web->stats.in_flight = web->flying;
    web->stats.waiting = web->waiting_count;
    note_fills(web, 2 * web->outstanding >= web->places);
    web->stats.down_ms = closed_us > 0 ? closed_us / 1000 + 1 : 0;
    if (web->ending && web->outstanding == 0 && !web->stopped) {
        web->stopped = true;
        pthread_cond_broadcast(&web->stopped_now);
    }
    pthread_mutex_unlock(&web->lock);
}

static void pump_once(struct web *web)
{
    static const struct delivery_outcome returned = { .result = DELIVERY_RETURNED,
                                                      .text = "the channel is stopping" };
    take_inbox(web);
    if (web->ending)
        finish_waiting(web, &returned);
    else if (is_closed(web))
        finish_closed(web);
    int64_t again_us = ask_again(web), next_us = assign(web);
    if (next_us == 0 || (again_us > 0 && again_us < next_us))
        next_us = again_us;
    if (is_closed(web) && (next_us == 0 || web->closed_until_us < next_us))
        next_us = web->closed_until_us;
    if (next_us > 0)
        wake_at(web, next_us);
    offer(web);
}

static bool has_inbox(struct web *web)
{
    pthread_mutex_lock(&web->lock);
    bool has = web->inbox != NULL;
    pthread_mutex_unlock(&web->lock);
    return has;
}

/* Every change ends here; calls from within only ask for another round. */
static void pump(struct web *web)
{
    web->pump_again = true;
    if (web->pumping)
        return;
    web->pumping = true;
    while (web->pump_again || has_inbox(web)) {
        web->pump_again = false;
        pump_once(web);
    }
    web->pumping = false;
    note_state(web);
}

static void run_task(struct loop_task *task)
{
    pump((struct web *)((char *)task - offsetof(struct web, task)));
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    pump(ctx);
}

/* ---- the channel's face ---- */

static enum err give(struct channel *channel, struct delivery_message *message)
{
    struct web *web = web_of(channel);
    enum err    err = OK;
    pthread_mutex_lock(&web->lock);
    if (web->stopping) {
        err = ERR_WAIT;
    } else if (web->offered == 0) {
        err = ERR_LIMIT;
    } else {
        web->offered--;
        web->outstanding++;
        message->next = NULL;
        *web->inbox_last = message;
        web->inbox_last = &message->next;
    }
    pthread_mutex_unlock(&web->lock);
    if (err == OK && !(loop_is_inside(web->loop) && web->pumping))
        loop_post(web->loop, &web->task);
    return err;
}

struct recall {
    struct web     *web;
    const uint64_t *ids;
    size_t          count;
};

static void take_back(struct web *web, uint64_t id)
{
    static const struct delivery_outcome recalled = { .result = DELIVERY_RETURNED,
                                                      .text = "recalled" };
    struct delivery_message            **link = &web->waiting;
    take_inbox(web);
    while (*link != NULL && (*link)->id != id)
        link = &(*link)->next;
    if (*link != NULL)
        finish(web, wait_remove(web, link), &recalled);
}

static void recall_inside(void *ctx)
{
    const struct recall *recall = ctx;
    for (size_t i = 0; i < recall->count; i++)
        take_back(recall->web, recall->ids[i]);
    pump(recall->web);
}

static void recall_ids(struct channel *channel, const uint64_t *ids, size_t count)
{
    struct recall recall = { web_of(channel), ids, count };
    loop_call(recall.web->loop, recall_inside, &recall);
}

/* What is still under way is given up: each request is called back. */
static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct web   *web = ctx;
    struct fetch *fetch = web->fetch;
    (void)fd;
    (void)what;
    web->fetch = NULL;
    fetch_close(fetch);
    for (uint32_t i = 0; i < web->conf.connections_max; i++)
        if (web->flights[i].message != NULL)
            doubt(&web->flights[i], "the time to stop was over");
    pump(web);
}

static void end_inside(void *ctx)
{
    struct web *web = ctx;
    web->ending = true;
    pump(web);
}

static void stop_inside(void *ctx)
{
    struct web    *web = ctx;
    struct timeval wait = { web->conf.stop_ms / 1000, web->conf.stop_ms % 1000 * 1000 };
    if (!evtimer_pending(web->deadline, NULL))
        event_add(web->deadline, &wait);
    end_inside(web);
}

static void end(struct channel *channel, bool in_time)
{
    struct web *web = web_of(channel);
    assert(!loop_is_inside(web->loop));
    pthread_mutex_lock(&web->lock);
    web->stopping = true;
    pthread_mutex_unlock(&web->lock);
    loop_call(web->loop, in_time ? stop_inside : end_inside, web);
}

static void stop(struct channel *channel)
{
    struct web *web = web_of(channel);
    end(channel, true);
    pthread_mutex_lock(&web->lock);
    while (!web->stopped)
        pthread_cond_wait(&web->stopped_now, &web->lock);
    pthread_mutex_unlock(&web->lock);
}

static void stats(struct channel *channel, struct channel_stats *out)
{
    struct web *web = web_of(channel);
    pthread_mutex_lock(&web->lock);
    *out = web->stats;
    out->places = web->places;
    out->stopped = web->stopped;
    out->offered = web->offered;
    pthread_mutex_unlock(&web->lock);
}

static void web_free(void *ctx)
{
    struct web *web = ctx;
    note_fills(web, false);
    fetch_close(web->fetch);
    if (web->wake != NULL)
        event_free(web->wake);
    if (web->deadline != NULL)
        event_free(web->deadline);
    pthread_cond_destroy(&web->stopped_now);
    pthread_mutex_destroy(&web->lock);
    free(web);
}

static void close_channel(struct channel *channel)
{
    stop(channel);
    loop_call(web_of(channel)->loop, web_free, web_of(channel));
}

static const struct channel_ops web_ops = { give, recall_ids, end, stop, stats, close_channel };

/* ---- opening ---- */

/* With a slow throttle, a claim for each place would grow old: one second's worth is enough. */
static uint32_t places_of(const struct web_conf *conf)
{
    uint32_t places = 2 * conf->connections_max, per_s = (uint32_t)conf->throttle.per_s;
    if (per_s > 0 && per_s < places)
        return per_s > PLACES_LEAST ? per_s : PLACES_LEAST;
    return places;
}

static void set_usual(struct web_conf *conf)
{
    if (conf->connections_max == 0)
        conf->connections_max = CONNECTIONS_USUAL;
    if (conf->backoff.first_ms == 0)
        conf->backoff = (struct backoff_conf){ TIME_SECOND_MS, 5 * TIME_MINUTE_MS };
    if (conf->timeout_ms == 0)
        conf->timeout_ms = WEB_TIMEOUT_MS;
    if (conf->stop_ms == 0)
        conf->stop_ms = STOP_MS_USUAL;
}

enum err web_open(struct loop *loop, const struct web_conf *conf, const struct web_calls *calls_web,
                  const struct channel_calls *calls, struct channel **out, struct problem *problem)
{
    if (conf->connections_max > WEB_CONNECTIONS_MAX)
        return problem_format(problem, ERR_INPUT, "connections", "Ask for fewer.",
                              "more than %d connections", WEB_CONNECTIONS_MAX);
    struct web *web = calloc(1, sizeof *web);
    if (web == NULL)
        return ERR_MEMORY;
    web->channel.ops = &web_ops;
    web->loop = loop;
    web->conf = *conf;
    set_usual(&web->conf);
    web->web = *calls_web;
    web->calls = *calls;
    web->task.run = run_task;
    web->inbox_last = &web->inbox;
    web->places = places_of(&web->conf);
    web->throttle = throttle_make(conf->throttle);
    for (uint32_t i = 0; i < WEB_CONNECTIONS_MAX; i++)
        web->flights[i].web = web;
    pthread_mutex_init(&web->lock, NULL);
    pthread_cond_init(&web->stopped_now, NULL);
    web->fetch = fetch_open(loop, &conf->fetch);
    web->wake = evtimer_new(loop_base(loop), on_wake, web);
    web->deadline = evtimer_new(loop_base(loop), on_deadline, web);
    if (web->fetch == NULL || web->wake == NULL || web->deadline == NULL) {
        web_free(web);
        return ERR_MEMORY;
    }
    *out = &web->channel;
    loop_post(loop, &web->task);
    return OK;
}
