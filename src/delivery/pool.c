#include "delivery/pool.h"

#include <assert.h>
#include <ctype.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/time.h"

enum { CONNECTIONS_USUAL = 4, STOP_MS_USUAL = 30000 };

struct connection {
    struct pool         *pool;
    struct smtp_session *session;  /* NULL: not open */
    uint32_t             given;    /* messages, since it was opened */
    uint32_t             answered; /* of them, so that the server said sent or refused */
    uint32_t             lost;     /* of them, deferred because the connection broke */
};

struct pool {
    struct channel       channel; /* first */
    struct loop         *loop;
    struct pool_conf     conf;
    struct smtp_conf     smtp;
    char                *host, *ehlo_name, *user, *password;
    SSL_CTX             *tls;
    struct channel_calls calls;
    struct loop_task     task;
    uint32_t             places;

    pthread_mutex_t          lock; /* guards the next block */
    pthread_cond_t           stopped_now;
    struct delivery_message *inbox, **inbox_last;
    uint32_t                 offered, outstanding;
    bool                     stopping, stopped; /* give refuses; the last message is back */
    struct channel_stats     stats;

    /* The loop's thread only. */
    struct delivery_message *waiting, **waiting_last;
    uint32_t                 waiting_count;
    struct connection        connections[POOL_CONNECTIONS_MAX];
    struct throttle          throttle;
    struct event            *wake, *deadline;
    bool                     pumping, pump_again, down;
    bool                     fills;    /* the loop knows that half of the places are taken */
    bool                     ending;   /* stopping, as the loop's thread has learnt it */
    uint32_t                 failures; /* in a row */
    uint64_t                 chances;  /* drawn so far */
    int64_t                  connect_not_before_us;
    struct smtp_trouble      trouble; /* why the host is down */
};

static void pump(struct pool *pool);

static struct pool *pool_of(struct channel *channel)
{
    return (struct pool *)channel;
}

/* --- the waiting line --- */

static void wait_last(struct pool *pool, struct delivery_message *message)
{
    message->next = NULL;
    *pool->waiting_last = message;
    pool->waiting_last = &message->next;
    pool->waiting_count++;
}

static void wait_first(struct pool *pool, struct delivery_message *message)
{
    message->next = pool->waiting;
    if (pool->waiting == NULL)
        pool->waiting_last = &message->next;
    pool->waiting = message;
    pool->waiting_count++;
}

/* Behind the urgent ones, before all others. */
static void wait_urgent(struct pool *pool, struct delivery_message *message)
{
    struct delivery_message **link = &pool->waiting;
    while (*link != NULL && (*link)->is_urgent)
        link = &(*link)->next;
    message->next = *link;
    *link = message;
    if (message->next == NULL)
        pool->waiting_last = &message->next;
    pool->waiting_count++;
}

static struct delivery_message *wait_remove(struct pool *pool, struct delivery_message **link)
{
    struct delivery_message *message = *link;
    *link = message->next;
    if (message->next == NULL)
        pool->waiting_last = link;
    message->next = NULL;
    pool->waiting_count--;
    return message;
}

/* --- outcomes --- */

static void finish(struct pool *pool, struct delivery_message *message,
                   const struct delivery_outcome *outcome)
{
    pthread_mutex_lock(&pool->lock);
    assert(pool->outstanding > 0);
    pool->outstanding--;
    pool->stats.results[outcome->result]++;
    pthread_mutex_unlock(&pool->lock);
    pool->calls.done(pool->calls.ctx, message, outcome);
}

static void finish_with(struct pool *pool, struct delivery_message *message,
                        enum delivery_result result, enum delivery_blame blame, int code,
                        const char *text)
{
    struct delivery_outcome outcome = delivery_outcome_make(result, blame, text);
    outcome.code = code;
    finish(pool, message, &outcome);
}

static void return_waiting(struct pool *pool)
{
    while (pool->waiting != NULL)
        finish_with(pool, wait_remove(pool, &pool->waiting), DELIVERY_RETURNED, BLAME_NONE, 0,
                    "the channel is stopping");
}

static void defer_waiting(struct pool *pool)
{
    while (pool->waiting != NULL)
        finish_with(pool, wait_remove(pool, &pool->waiting), DELIVERY_DEFERRED, pool->trouble.blame,
                    pool->trouble.code, pool->trouble.text);
}

/* --- connections --- */

static uint32_t connections_open(const struct pool *pool, bool ready_only)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < pool->conf.connections_max; i++) {
        const struct smtp_session *session = pool->connections[i].session;
        count += session != NULL && (!ready_only || smtp_was_ready(session));
    }
    return count;
}

static void wake_at(struct pool *pool, int64_t at_us)
{
    int64_t        wait_us = at_us - time_mono_us();
    struct timeval wait = { 0 };
    if (wait_us > 0) {
        wait.tv_sec = wait_us / 1000000;
        wait.tv_usec = wait_us % 1000000;
    }
    event_add(pool->wake, &wait);
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    pump(ctx);
}

static void note_failure(struct pool *pool, const struct smtp_trouble *trouble)
{
    int64_t pause = backoff_ms(pool->conf.backoff, ++pool->failures,
                               hash_u64(++pool->chances, pool->conf.seed));
    pool->trouble = *trouble;
    pool->connect_not_before_us = time_mono_us() + pause * 1000;
    pthread_mutex_lock(&pool->lock);
    pool->stats.connect_failures++;
    pthread_mutex_unlock(&pool->lock);
    if (connections_open(pool, false) == 0)
        pool->down = true;
}

static void on_ready(void *ctx, struct smtp_session *session)
{
    struct connection *connection = ctx;
    struct pool       *pool = connection->pool;
    (void)session;
    pool->down = false;
    pump(pool);
}

/* A message may go to another connection if this one had been good and broke before the end. */
static bool may_move(const struct connection *connection, const struct delivery_message *message,
                     const struct delivery_outcome *outcome)
{
    if (connection->pool->ending)
        return false;
    if (outcome->result == DELIVERY_RETURNED)
        return true;
    return outcome->result == DELIVERY_DEFERRED && outcome->blame == BLAME_CONNECTION &&
           (outcome->code == 0 || outcome->code == 421) && connection->answered > 0 &&
           message->moves < POOL_MOVES_MAX;
}

static void on_done(void *ctx, struct smtp_session *session, struct delivery_message *message,
                    const struct delivery_outcome *outcome)
{
    struct connection *connection = ctx;
    struct pool       *pool = connection->pool;
    (void)session;
    if (may_move(connection, message, outcome)) {
        message->moves += outcome->result == DELIVERY_DEFERRED;
        wait_first(pool, message);
        return;
    }
    bool broke = outcome->blame == BLAME_CONNECTION && (outcome->code == 0 || outcome->code == 421);
    connection->lost += broke;
    connection->answered += !broke;
    if (!broke)
        pool->failures = 0;
    finish(pool, message, outcome);
    pump(pool);
}

static void on_closed(void *ctx, struct smtp_session *session, const struct smtp_trouble *trouble)
{
    struct connection *connection = ctx;
    struct pool       *pool = connection->pool;
    bool               was_ready = smtp_was_ready(session);
    bool               good_for_nothing = connection->answered == 0 && connection->lost > 0;
    smtp_close(session);
    connection->session = NULL;
    if ((!was_ready || good_for_nothing) && !pool->ending)
        note_failure(pool, trouble);
    pump(pool);
}

static const struct smtp_calls session_calls = { on_ready, on_done, on_closed };

static void open_connection(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->conf.connections_max; i++) {
        struct connection *connection = &pool->connections[i];
        if (connection->session != NULL)
            continue;
        *connection = (struct connection){ .pool = pool };
        connection->session = smtp_open(pool->loop, &pool->smtp, &session_calls, connection);
        if (connection->session == NULL) {
            struct smtp_trouble trouble = { BLAME_CONNECTION, 0, "no memory for a connection" };
            note_failure(pool, &trouble);
            return;
        }
        pthread_mutex_lock(&pool->lock);
        pool->stats.connects++;
        pthread_mutex_unlock(&pool->lock);
        return;
    }
}

/* --- who gets the next message --- */

static bool is_spent(const struct connection *connection)
{
    uint32_t max = connection->pool->conf.messages_per_connection_max;
    return max > 0 && connection->given >= max;
}

static struct connection *free_connection(struct pool *pool, uint32_t held_max)
{
    for (uint32_t i = 0; i < pool->conf.connections_max; i++) {
        struct connection *connection = &pool->connections[i];
        if (connection->session != NULL && smtp_has_place(connection->session) &&
            smtp_held(connection->session) <= held_max && !is_spent(connection))
            return connection;
    }
    return NULL;
}

static struct connection *unused_connection(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->conf.connections_max; i++) {
        struct connection *connection = &pool->connections[i];
        if (connection->session != NULL && smtp_has_place(connection->session) &&
            connection->given == 0)
            return connection;
    }
    return NULL;
}

/* An idle connection; else a new one, as long as fewer are being opened than messages wait; else
 * a place behind a message in flight. A message that has lost a kept connection wants an unused
 * one: where servers hang up after each message, another kept one would fail it again. NULL: not
 * now. */
static struct connection *choose_connection(struct pool *pool, bool wants_unused)
{
    struct connection *idle = free_connection(pool, 0), *unused = unused_connection(pool);
    if (unused != NULL || (idle != NULL && !wants_unused))
        return unused != NULL ? unused : idle;
    uint32_t open = connections_open(pool, false);
    uint32_t ready = connections_open(pool, true);
    bool     may_open =
        open < pool->conf.connections_max && time_mono_us() >= pool->connect_not_before_us;
    if (may_open && open - ready < pool->waiting_count) {
        open_connection(pool);
        return NULL;
    }
    if (open > ready)
        return NULL; /* better soon on a connection of its own than now behind a slow one */
    if (!wants_unused)
        return free_connection(pool, SMTP_SLOTS - 1);
    if (idle != NULL && open == pool->conf.connections_max) {
        smtp_quit(idle->session); /* makes room for an unused one */
        return NULL;
    }
    return idle;
}

static uint64_t domain_hash(struct str address)
{
    char   lower[DELIVERY_ADDRESS_BYTES_MAX];
    size_t at = str_find_char(address, 0, '@'), len = 0;
    for (size_t i = at; i < address.len && len < sizeof lower; i++)
        lower[len++] = (char)tolower((unsigned char)address.ptr[i]);
    return hash_str((struct str){ lower, len }, 0);
}

static bool domain_is_full(const struct pool *pool, uint64_t domain)
{
    uint32_t count = 0;
    if (pool->conf.domain_messages_max == 0)
        return false;
    for (uint32_t i = 0; i < pool->conf.connections_max; i++)
        for (uint32_t slot = 0; slot < SMTP_SLOTS && pool->connections[i].session != NULL; slot++) {
            const struct delivery_message *held = smtp_message(pool->connections[i].session, slot);
            count += held != NULL && held->domain_hash == domain;
        }
    return count >= pool->conf.domain_messages_max;
}

static void assign(struct pool *pool)
{
    struct delivery_message **link = &pool->waiting;
    while (*link != NULL && !pool->down) {
        if (domain_is_full(pool, (*link)->domain_hash)) {
            link = &(*link)->next;
            continue;
        }
        struct connection *connection = choose_connection(pool, (*link)->moves > 0);
        if (connection == NULL)
            return;
        int64_t wait_us = throttle_take(&pool->throttle, time_mono_us());
        if (wait_us > 0) {
            wake_at(pool, time_mono_us() + wait_us);
            return;
        }
        connection->given++;
        smtp_send(connection->session, wait_remove(pool, link));
        /* Sending may have called us back and changed the line: begin anew. */
        link = &pool->waiting;
    }
}

/* --- the pump --- */

static void take_one(struct pool *pool, struct delivery_message *message)
{
    struct problem problem;
    if (delivery_message_check(message, &problem) == OK) {
        message->moves = 0;
        message->domain_hash = domain_hash(message->to);
        if (message->is_urgent)
            wait_urgent(pool, message);
        else
            wait_last(pool, message);
        return;
    }
    bool recipient = strcmp(problem.where, "to") == 0;
    finish_with(pool, message, DELIVERY_FAILED, recipient ? BLAME_RECIPIENT : BLAME_POLICY, 0,
                problem.what);
}

static void take_inbox(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct delivery_message *message = pool->inbox;
    pool->inbox = NULL;
    pool->inbox_last = &pool->inbox;
    pthread_mutex_unlock(&pool->lock);
    while (message != NULL) {
        struct delivery_message *next = message->next;
        take_one(pool, message);
        message = next;
    }
}

static void retire(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->conf.connections_max; i++) {
        struct connection *connection = &pool->connections[i];
        if (connection->session == NULL || smtp_held(connection->session) > 0)
            continue;
        if (!smtp_was_ready(connection->session) && pool->ending)
            smtp_lose(connection->session, "the channel is stopping");
        else if (smtp_has_place(connection->session) && (pool->ending || is_spent(connection)))
            smtp_quit(connection->session);
    }
}

/* Nobody offers a place to a host that does not answer; one connection is made to find out. */
static void probe(struct pool *pool)
{
    if (pool->ending)
        return;
    if (time_mono_us() < pool->connect_not_before_us)
        wake_at(pool, pool->connect_not_before_us);
    else if (pool->down && connections_open(pool, false) == 0)
        open_connection(pool);
}

static void offer(struct pool *pool)
{
    uint32_t more = 0;
    pthread_mutex_lock(&pool->lock);
    uint32_t taken = pool->offered + pool->outstanding;
    if (!pool->down && !pool->ending && taken < pool->places) {
        more = pool->places - taken;
        pool->offered += more;
    }
    pthread_mutex_unlock(&pool->lock);
    if (more > 0)
        pool->calls.room(pool->calls.ctx, more);
}

static void note_fills(struct pool *pool, bool fills)
{
    if (fills != pool->fills)
        loop_fills(pool->loop, fills ? 1 : -1);
    pool->fills = fills;
}

static void note_state(struct pool *pool)
{
    int64_t  down_us = pool->down ? pool->connect_not_before_us - time_mono_us() : 0;
    uint32_t open = connections_open(pool, false);
    pthread_mutex_lock(&pool->lock);
    pool->stats.connections = open;
    pool->stats.connections_ready = connections_open(pool, true);
    pool->stats.waiting = pool->waiting_count;
    pool->stats.in_flight = 0;
    for (uint32_t i = 0; i < pool->conf.connections_max; i++)
        if (pool->connections[i].session != NULL)
            pool->stats.in_flight += smtp_held(pool->connections[i].session);
    note_fills(pool, 2 * pool->outstanding >= pool->places);
    pool->stats.down_ms = down_us > 0 ? down_us / 1000 + 1 : 0;
    if (pool->ending && open == 0 && pool->outstanding == 0 && !pool->stopped) {
        pool->stopped = true;
        pthread_cond_broadcast(&pool->stopped_now);
    }
    pthread_mutex_unlock(&pool->lock);
}

static void pump_once(struct pool *pool)
{
    take_inbox(pool);
    if (pool->ending)
        return_waiting(pool);
    else if (pool->down)
        defer_waiting(pool);
    assign(pool);
    retire(pool);
    probe(pool);
    offer(pool);
}

static bool has_inbox(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    bool has = pool->inbox != NULL;
    pthread_mutex_unlock(&pool->lock);
    return has;
}

/* Every change ends here. Calls made from within (done gives, a session closes) only ask for
 * another round, so that there is one order of things. */
static void pump(struct pool *pool)
{
    pool->pump_again = true;
    if (pool->pumping)
        return;
    pool->pumping = true;
    while (pool->pump_again || has_inbox(pool)) {
        pool->pump_again = false;
        pump_once(pool);
    }
    pool->pumping = false;
    note_state(pool);
}

static void run_task(struct loop_task *task)
{
    pump((struct pool *)((char *)task - offsetof(struct pool, task)));
}

/* --- the channel's face --- */

static enum err give(struct channel *channel, struct delivery_message *message)
{
    struct pool *pool = pool_of(channel);
    enum err     err = OK;
    pthread_mutex_lock(&pool->lock);
    if (pool->stopping) {
        err = ERR_WAIT;
    } else if (pool->offered == 0) {
        err = ERR_LIMIT;
    } else {
        pool->offered--;
        pool->outstanding++;
        message->next = NULL;
        *pool->inbox_last = message;
        pool->inbox_last = &message->next;
    }
    pthread_mutex_unlock(&pool->lock);
    if (err == OK && !(loop_is_inside(pool->loop) && pool->pumping))
        loop_post(pool->loop, &pool->task);
    return err;
}

struct recall {
    struct pool    *pool;
    const uint64_t *ids;
    size_t          count;
};

static struct delivery_message *take_back(struct pool *pool, uint64_t id)
{
    take_inbox(pool);
    for (struct delivery_message **link = &pool->waiting; *link != NULL; link = &(*link)->next)
        if ((*link)->id == id)
            return wait_remove(pool, link);
    for (uint32_t i = 0; i < pool->conf.connections_max; i++) {
        struct smtp_session     *session = pool->connections[i].session;
        struct delivery_message *message = session == NULL ? NULL : smtp_recall(session, id);
        if (message != NULL)
            return message;
    }
    return NULL;
}

static void recall_inside(void *ctx)
{
    const struct recall *recall = ctx;
    for (size_t i = 0; i < recall->count; i++) {
        struct delivery_message *message = take_back(recall->pool, recall->ids[i]);
        if (message != NULL)
            finish_with(recall->pool, message, DELIVERY_RETURNED, BLAME_NONE, 0, "recalled");
    }
    pump(recall->pool);
}

/* One call for all: the loop, which gathers answers, may sleep before it hears of each. */
static void recall_ids(struct channel *channel, const uint64_t *ids, size_t count)
{
    struct recall recall = { pool_of(channel), ids, count };
    loop_call(recall.pool->loop, recall_inside, &recall);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct pool *pool = ctx;
    (void)fd;
    (void)what;
    for (uint32_t i = 0; i < pool->conf.connections_max; i++)
        if (pool->connections[i].session != NULL)
            smtp_lose(pool->connections[i].session, "the time to stop was over");
}

static void recall_all(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->conf.connections_max; i++)
        for (uint32_t slot = SMTP_SLOTS; slot-- > 0 && pool->connections[i].session != NULL;) {
            struct smtp_session           *session = pool->connections[i].session;
            const struct delivery_message *held = smtp_message(session, slot);
            struct delivery_message *back = held == NULL ? NULL : smtp_recall(session, held->id);
            if (back != NULL)
                wait_last(pool, back); /* the pump returns what waits */
        }
}

static void end_inside(void *ctx)
{
    struct pool *pool = ctx;
    pool->ending = true;
    recall_all(pool);
    pump(pool);
}

static void stop_inside(void *ctx)
{
    struct pool   *pool = ctx;
    struct timeval wait = { pool->conf.stop_ms / 1000, pool->conf.stop_ms % 1000 * 1000 };
    if (!evtimer_pending(pool->deadline, NULL))
        event_add(pool->deadline, &wait);
    end_inside(pool);
}

static void end(struct channel *channel, bool in_time)
{
    struct pool *pool = pool_of(channel);
    assert(!loop_is_inside(pool->loop));
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_mutex_unlock(&pool->lock);
    loop_call(pool->loop, in_time ? stop_inside : end_inside, pool);
}

static void stop(struct channel *channel)
{
    struct pool *pool = pool_of(channel);
    end(channel, true);
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopped)
        pthread_cond_wait(&pool->stopped_now, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static void stats(struct channel *channel, struct channel_stats *out)
{
    struct pool *pool = pool_of(channel);
    pthread_mutex_lock(&pool->lock);
    *out = pool->stats;
    out->places = pool->places;
    out->stopped = pool->stopped;
    out->offered = pool->offered;
    pthread_mutex_unlock(&pool->lock);
}

static void pool_free(struct pool *pool)
{
    if (pool->wake != NULL)
        event_free(pool->wake);
    if (pool->deadline != NULL)
        event_free(pool->deadline);
    SSL_CTX_free(pool->tls);
    if (pool->password != NULL)
        explicit_bzero(pool->password, strlen(pool->password));
    free(pool->host);
    free(pool->ehlo_name);
    free(pool->user);
    free(pool->password);
    pthread_cond_destroy(&pool->stopped_now);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static void free_inside(void *ctx)
{
    note_fills(ctx, false);
    pool_free(ctx);
}

static void close_channel(struct channel *channel)
{
    struct pool *pool = pool_of(channel);
    stop(channel);
    loop_call(pool->loop, free_inside, pool);
}

static const struct channel_ops pool_ops = { give, recall_ids, end, stop, stats, close_channel };

/* --- opening --- */

static uint32_t places_of(const struct pool_conf *conf)
{
    uint32_t places = conf->connections_max * SMTP_SLOTS;
    uint32_t per_s = (uint32_t)conf->throttle.per_s;
    /* With a slow throttle, a claim for each place would grow old: one second's worth is enough. */
    if (per_s > 0 && per_s < places)
        return per_s > SMTP_SLOTS ? per_s : SMTP_SLOTS;
    return places;
}

static void set_usual(struct pool_conf *conf)
{
    if (conf->connections_max == 0)
        conf->connections_max = CONNECTIONS_USUAL;
    if (conf->backoff.first_ms == 0)
        conf->backoff = (struct backoff_conf){ TIME_SECOND_MS, 5 * TIME_MINUTE_MS };
    if (conf->limits.phase_ms[SMTP_PHASE_CONNECT] == 0)
        conf->limits = smtp_limits_make();
    if (conf->stop_ms == 0)
        conf->stop_ms = STOP_MS_USUAL;
}

static enum err copy_conf(struct pool *pool, const struct pool_conf *conf)
{
    char name[256] = "localhost";
    if (conf->ehlo_name == NULL)
        (void)gethostname(name, sizeof name - 1);
    pool->conf = *conf;
    set_usual(&pool->conf);
    pool->host = strdup(conf->host);
    pool->ehlo_name = strdup(conf->ehlo_name == NULL ? name : conf->ehlo_name);
    pool->user = strdup(conf->user == NULL ? "" : conf->user);
    pool->password = strdup(conf->password == NULL ? "" : conf->password);
    if (pool->host == NULL || pool->ehlo_name == NULL || pool->user == NULL ||
        pool->password == NULL)
        return ERR_MEMORY;
    pool->smtp = (struct smtp_conf){ .host = pool->host,
                                     .port = conf->port,
                                     .limits = pool->conf.limits,
                                     .tls = pool->tls,
                                     .wire = { .ehlo_name = pool->ehlo_name,
                                               .user = pool->user,
                                               .password = pool->password,
                                               .tls = conf->tls,
                                               .password_in_clear = conf->password_in_clear,
                                               .no_pipelining = conf->no_pipelining } };
    return OK;
}

static enum err check_conf(const struct pool *pool, struct problem *problem)
{
    if (pool->conf.connections_max > POOL_CONNECTIONS_MAX)
        return problem_format(problem, ERR_INPUT, "smtp.connections", "Ask for fewer.",
                              "more than %d connections", POOL_CONNECTIONS_MAX);
    struct smtp_wire *wire = smtp_wire_open(&pool->smtp.wire);
    if (wire == NULL)
        return problem_set(problem, ERR_INPUT, "smtp", "the name, user or password cannot be said",
                           "Use no control characters, and at most 1000 bytes.");
    smtp_wire_close(wire);
    return OK;
}

static enum err pool_fill(struct pool *pool, const struct pool_conf *conf, struct problem *problem)
{
    if (conf->tls != SMTP_TLS_OFF) {
        pool->tls = tls_client_open(&conf->trust, problem);
        if (pool->tls == NULL)
            return ERR_IO;
    }
    TRY(copy_conf(pool, conf));
    TRY(check_conf(pool, problem));
    pool->wake = evtimer_new(loop_base(pool->loop), on_wake, pool);
    pool->deadline = evtimer_new(loop_base(pool->loop), on_deadline, pool);
    return pool->wake == NULL || pool->deadline == NULL ? ERR_MEMORY : OK;
}

enum err pool_open(struct loop *loop, const struct pool_conf *conf,
                   const struct channel_calls *calls, struct channel **out, struct problem *problem)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return ERR_MEMORY;
    pool->channel.ops = &pool_ops;
    pool->loop = loop;
    pool->calls = *calls;
    pool->task.run = run_task;
    pool->inbox_last = &pool->inbox;
    pool->waiting_last = &pool->waiting;
    pool->throttle = throttle_make(conf->throttle);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->stopped_now, NULL);
    enum err err = pool_fill(pool, conf, problem);
    if (err != OK) {
        pool_free(pool);
        return err;
    }
    pool->places = places_of(&pool->conf);
    *out = &pool->channel;
    loop_post(loop, &pool->task);
    return OK;
}
