#include "run/send/sender.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/time.h"
#include "delivery/maildir.h"
#include "delivery/pool.h"
#include "run/send/sender_inside.h"

enum { THREADS = 2, BURST_PARTS = 10 };

_Static_assert(POOL_CONNECTIONS_MAX *SMTP_SLOTS * 2 <= SENDER_JOBS_MAX &&
                   MAILDIR_PLACES * 2 <= SENDER_JOBS_MAX,
               "while as many as there are places wait for the disk, as many may be on their way");

/* ---- opening ---- */

static enum err text_keep(const char *text, char *out, size_t room, const char *where,
                          struct problem *problem)
{
    if (text == NULL)
        return OK;
    if (strlen(text) >= room)
        return problem_set(problem, ERR_INPUT, where, "The text is too long.",
                           "Use a shorter one.");
    memcpy(out, text, strlen(text) + 1);
    return OK;
}

static enum err conf_keep(struct sender *sender, const struct sender_conf *conf,
                          struct problem *problem)
{
    sender->conf = *conf;
    TRY(text_keep(conf->public_url, sender->public_url, sizeof sender->public_url, "public-url",
                  problem));
    TRY(text_keep(conf->outbox_dir, sender->outbox_dir, sizeof sender->outbox_dir, "outbox",
                  problem));
    TRY(text_keep(conf->ehlo_name, sender->ehlo_name, sizeof sender->ehlo_name, "name", problem));
    TRY(text_keep(conf->return_domain, sender->return_domain, sizeof sender->return_domain,
                  "return-domain", problem));
    return text_keep(conf->tls_ca_file, sender->tls_ca_file, sizeof sender->tls_ca_file, "ca-file",
                     problem);
}

static enum err conf_check(struct sender *sender, struct problem *problem)
{
    struct str public_url = str_of(sender->public_url);
    TRY(links_public_url_check(public_url, problem));
    if (sender->return_domain[0] != '\0')
        TRY(address_domain_check(str_of(sender->return_domain), "return-domain", problem));
    if ((sender->conf.smtp_url == NULL) == (sender->conf.outbox_dir == NULL))
        return problem_set(problem, ERR_INPUT, "smtp",
                           "There must be one way out: a mail server or an "
                           "outbox folder.",
                           "Set --smtp smtp://host, or --outbox DIR to try things out.");
    if (sender->conf.smtp_url == NULL)
        return OK;
    TRY(sender_url_parse(str_of(sender->conf.smtp_url), &sender->url, problem));
    if (sender->conf.connections > POOL_CONNECTIONS_MAX)
        return problem_set(problem, ERR_INPUT, "connections", "At most 64 connections are kept.",
                           "Use a smaller number.");
    if (!sender_host_is_loopback(str_of(sender->url.host)) &&
        sender_host_is_loopback(sender_host_of(public_url)))
        return problem_set(problem, ERR_INPUT, "public-url",
                           "Real people would get links that lead to their own machine: the public "
                           "address is loopback.",
                           "Set --public-url to the address under which the internet reaches this "
                           "server, such as https://mail.shop.example.");
    return OK;
}

static enum err parts_make(struct sender *sender)
{
    sender->jobs = calloc(SENDER_JOBS_MAX, sizeof *sender->jobs);
    sender->queue = queue_open(SENDER_JOBS_MAX);
    if (sender->jobs == NULL || sender->queue == NULL)
        return ERR_MEMORY;
    for (uint32_t i = SENDER_JOBS_MAX; i > 0; i--) {
        sender->jobs[i - 1].next = sender->free;
        sender->free = &sender->jobs[i - 1];
    }
    uint32_t connections =
        sender->conf.connections > 0 ? sender->conf.connections : SENDER_CONNECTIONS;
    sender->conf.connections = connections;
    sender->places = sender->conf.smtp_url == NULL ? MAILDIR_PLACES : connections * SMTP_SLOTS;
    sender->threads_count =
        sender->conf.threads > 0 ? least(sender->conf.threads, SENDER_THREADS_MAX) : THREADS;
    return OK;
}

static void sender_free(struct sender *sender)
{
    for (uint32_t i = 0; i < SENDER_THREADS_MAX; i++)
        render_close(sender->renders[i]);
    channel_close(sender->channel);
    loop_close(sender->loop);
    queue_close(sender->queue);
    pthread_cond_destroy(&sender->moved);
    pthread_cond_destroy(&sender->drained);
    pthread_mutex_destroy(&sender->lock);
    explicit_bzero(&sender->url, sizeof sender->url);
    free(sender->jobs);
    free(sender);
}

enum err sender_open(struct sender **out, struct core *core, const struct sender_conf *conf,
                     struct problem *problem)
{
    struct sender *sender = calloc(1, sizeof *sender);
    if (sender == NULL)
        return ERR_MEMORY;
    sender->core = core;
    sender->outcomes.last = &sender->outcomes.first;
    pthread_mutex_init(&sender->lock, NULL);
    pthread_cond_init(&sender->moved, NULL);
    pthread_cond_init(&sender->drained, NULL);
    enum err err = conf_keep(sender, conf, problem);
    if (err == OK)
        err = conf_check(sender, problem);
    if (err == OK)
        err = parts_make(sender);
    if (err != OK) {
        sender_free(sender);
        return err;
    }
    core_calls_set(core, (struct core_calls){ .context = sender, .claimed = sender_claimed });
    *out = sender;
    return OK;
}

/* ---- starting ---- */

static enum smtp_tls tls_choose(const struct sender *sender)
{
    static const enum smtp_tls told[] = { [SENDER_TLS_OFF] = SMTP_TLS_OFF,
                                          [SENDER_TLS_OFFERED] = SMTP_TLS_OFFERED,
                                          [SENDER_TLS_REQUIRED] = SMTP_TLS_REQUIRED };
    if (sender->url.tls_at_once)
        return SMTP_TLS_IMPLICIT;
    if (sender->conf.tls != SENDER_TLS_CHOSEN)
        return told[sender->conf.tls];
    bool near = sender_host_is_loopback(str_of(sender->url.host));
    return sender->url.user[0] != '\0' && !near ? SMTP_TLS_REQUIRED : SMTP_TLS_OFFERED;
}

static const char *or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static enum err pool_start(struct sender *sender, const struct channel_calls *calls,
                           struct problem *problem)
{
    enum smtp_tls    tls = tls_choose(sender);
    bool             near = sender_host_is_loopback(str_of(sender->url.host));
    int32_t          per_s = (int32_t)least(sender->conf.per_second, THROTTLE_PER_S_MAX);
    struct pool_conf conf = {
        .host = sender->url.host,
        .port = sender->url.port,
        .ehlo_name = or_null(sender->ehlo_name),
        .user = or_null(sender->url.user),
        .password = or_null(sender->url.password),
        .tls = tls,
        /* STARTTLS that is only taken when offered protects from listeners, not from liars; and
         * a relay on this machine seldom has a certificate anyone could check. */
        .trust = { .ca_file = or_null(sender->tls_ca_file),
                   .no_verify = tls == SMTP_TLS_OFFERED || near },
        .password_in_clear = near,
        .connections_max = sender->conf.connections,
        .domain_messages_max = sender->conf.domain_messages_max,
        .throttle = { .per_s = per_s, .burst = per_s / BURST_PARTS + 1 },
        .seed = hash_random_seed(),
    };
    sender->loop = loop_open();
    if (sender->loop == NULL)
        return ERR_MEMORY;
    return pool_open(sender->loop, &conf, calls, &sender->channel, problem);
}

static enum err renders_open(struct sender *sender)
{
    struct render_conf conf = { .store = core_store(sender->core),
                                .secrets = sender->conf.secrets,
                                .public_url = str_of(sender->public_url),
                                .return_domain = str_of(sender->return_domain),
                                .no_tracking = sender->conf.no_tracking,
                                .zones = core_zones(sender->core) };
    for (uint32_t i = 0; i < sender->threads_count; i++)
        TRY(render_open(&sender->renders[i], &conf));
    return OK;
}

static enum err threads_start(struct sender *sender)
{
    uint32_t wanted = sender->threads_count;
    if (pthread_create(&sender->reporter, NULL, sender_report, sender) != 0)
        return ERR_MEMORY;
    sender->started = true; /* what runs from here on is ended by sender_close */
    for (sender->threads_count = 0; sender->threads_count < wanted; sender->threads_count++) {
        struct worker *worker = calloc(1, sizeof *worker);
        if (worker == NULL)
            return ERR_MEMORY;
        *worker = (struct worker){ sender, sender->renders[sender->threads_count] };
        if (pthread_create(&sender->threads[sender->threads_count], NULL, sender_render, worker) !=
            0) {
            free(worker);
            return ERR_MEMORY;
        }
    }
    return OK;
}

enum err sender_start(struct sender *sender, struct problem *problem)
{
    struct channel_calls calls = { .room = sender_room, .done = sender_done, .ctx = sender };
    assert(!sender->started);
    TRY(renders_open(sender));
    TRY(threads_start(sender));
    if (sender->conf.smtp_url != NULL)
        TRY(pool_start(sender, &calls, problem));
    else
        TRY(maildir_open(sender->outbox_dir, &calls, &sender->channel, problem));
    pthread_mutex_lock(&sender->lock);
    sender->ready = true;
    sender_tell(sender);
    pthread_mutex_unlock(&sender->lock);
    return OK;
}

/* ---- ending ---- */

/* On the engine's thread, which alone lowers the room: what was not claimed is taken back. */
static bool room_withdraw(struct engine *engine, struct task *task)
{
    struct sender *sender = task->context;
    (void)engine;
    pthread_mutex_lock(&sender->lock);
    sender->promised -= core_room_take_back(sender->core);
    pthread_mutex_unlock(&sender->lock);
    return true;
}

/* When this returns every claim ever made has been handed over. */
static void claims_end(struct sender *sender)
{
    struct task task = { .ask = room_withdraw, .context = sender };
    pthread_mutex_lock(&sender->lock);
    sender->stopping = true;
    pthread_mutex_unlock(&sender->lock);
    while (core_run(sender->core, &task) != OK)
        nanosleep(&(struct timespec){ .tv_nsec = 20000000L }, NULL);
}

static void drain(struct sender *sender)
{
    claims_end(sender);
    queue_stop(sender->queue);
    for (uint32_t i = 0; i < sender->threads_count; i++)
        pthread_join(sender->threads[i], NULL);
    if (sender->channel != NULL)
        channel_stop(sender->channel);
    pthread_mutex_lock(&sender->lock);
    assert(sender->promised == 0);
    while (sender->in_use > 0)
        pthread_cond_wait(&sender->drained, &sender->lock);
    sender->ended = true;
    pthread_cond_signal(&sender->moved);
    pthread_mutex_unlock(&sender->lock);
    pthread_join(sender->reporter, NULL);
}

void sender_close(struct sender *sender)
{
    if (sender == NULL)
        return;
    if (sender->started)
        drain(sender);
    sender_free(sender);
}

struct sender_stats sender_stats(struct sender *sender)
{
    struct channel_stats channel = { 0 };
    pthread_mutex_lock(&sender->lock);
    struct sender_stats stats = sender->stats;
    bool                ready = sender->ready;
    pthread_mutex_unlock(&sender->lock);
    if (ready)
        channel_stats_read(sender->channel, &channel);
    stats.places = sender->places;
    stats.connections = channel.connections;
    stats.connect_failures = channel.connect_failures;
    stats.down_ms = channel.down_ms;
    return stats;
}
