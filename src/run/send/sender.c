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

enum { WAY_CONNECTIONS_MAX = WAY_PLACES_MAX / SMTP_SLOTS };
_Static_assert((int)WAY_CONNECTIONS_MAX <= POOL_CONNECTIONS_MAX &&
                   (int)WAY_PLACES_MAX >= (int)MAILDIR_PLACES,
               "while as many as there are places wait for the disk, as many may be on their way");
_Static_assert((int)BEGUN_MESSAGES_MAX >= 2 * (int)WAYS_MAX * (int)WAY_PLACES_MAX,
               "all that have a place are known to be begun");
_Static_assert((int)CORE_DOORS >= (int)WAYS_MAX * (int)DOORS, "each way has its doors");

/* ---- opening ---- */

static const char *or_null(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

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
    TRY(text_keep(conf->counts_dir, sender->counts_dir, sizeof sender->counts_dir, "data folder",
                  problem));
    TRY(text_keep(conf->outbox_dir, sender->outbox_dir, sizeof sender->outbox_dir, "outbox",
                  problem));
    TRY(text_keep(conf->ehlo_name, sender->ehlo_name, sizeof sender->ehlo_name, "name", problem));
    TRY(text_keep(conf->return_domain, sender->return_domain, sizeof sender->return_domain,
                  "return-domain", problem));
    return text_keep(conf->tls_ca_file, sender->tls_ca_file, sizeof sender->tls_ca_file, "ca-file",
                     problem);
}

static bool is_mail(const struct way_conf *way)
{
    return way_channel(way) == CHANNEL_EMAIL;
}

/* What smtp_url or outbox_dir is. */
static struct way_conf only_make(const struct sender *sender)
{
    const struct sender_conf *conf = &sender->conf;
    return (struct way_conf){ .name = conf->smtp_url != NULL ? "smtp" : "outbox",
                              .kind = conf->smtp_url != NULL ? WAY_SMTP : WAY_OUTBOX,
                              .smtp_url = conf->smtp_url,
                              .outbox_dir = sender->outbox_dir,
                              .tls_ca_file = or_null(sender->tls_ca_file),
                              .tls = conf->tls,
                              .connections = conf->connections,
                              .per_second = conf->per_second,
                              .domain_messages_max = conf->domain_messages_max };
}

static enum err ways_count_check(const struct sender_conf *conf, struct problem *problem)
{
    bool has_own = conf->smtp_url != NULL || conf->outbox_dir != NULL, has_mail = false;
    for (uint32_t i = 0; i < conf->ways_count; i++)
        has_mail = has_mail || is_mail(&conf->ways[i]);
    if (conf->ways_count + has_own == 0 || (conf->smtp_url != NULL && conf->outbox_dir != NULL))
        return problem_set(problem, ERR_INPUT, "smtp",
                           "There must be one way out: a mail server or an "
                           "outbox folder.",
                           "Set --smtp smtp://host, or --outbox DIR to try things out.");
    if (has_own && has_mail)
        return problem_set(problem, ERR_INPUT, "ways",
                           "There is a list with ways for e-mail, and smtp or outbox besides.",
                           "Make it one of the ways, or take those for e-mail off the list.");
    if (conf->ways_count > WAYS_TOLD_MAX + 1)
        return problem_set(problem, ERR_INPUT, "ways", "There are more than twelve ways out.",
                           "Leave some away.");
    return OK;
}

/* One that nobody has used yet, as `from` was told. */
struct way *sender_way_init(struct sender *sender, uint32_t slot, const struct way *from)
{
    struct way *way = &sender->slots[slot];
    *way = (struct way){ .sender = sender,
                         .number = slot,
                         .conf = from->conf,
                         .url = from->url,
                         .account = from->account };
    for (int urgent = 0; urgent < 2; urgent++)
        way->line[urgent].last = &way->line[urgent].first;
    return way;
}

bool sender_has_outside(const struct sender *sender)
{
    bool found = false;
    for (uint32_t i = 0; i < sender->ways_count; i++)
        found = found || sender->ways[i]->conf->kind != WAY_OUTBOX;
    return found;
}

/* Does the way lead to real people? */
static bool leads_outside(const struct way *way)
{
    return (way->conf->kind == WAY_SMTP && !sender_host_is_loopback(str_of(way->url.host))) ||
           (way->conf->kind == WAY_HTTP && !way->conf->is_inside);
}

static enum err way_check(struct sender *sender, struct way *way, struct problem *problem)
{
    if (way->conf->connections > WAY_CONNECTIONS_MAX)
        return problem_set(problem, ERR_INPUT, "connections", "At most 64 connections are kept.",
                           "Use a smaller number.");
    if (way->conf->kind == WAY_SMTP)
        TRY(sender_url_parse(str_of(way->conf->smtp_url), &way->url, problem));
    bool has_links = channel_is_to_person(way_channel(way->conf));
    if (leads_outside(way) && has_links &&
        sender_host_is_loopback(sender_host_of(str_of(sender->public_url))))
        return problem_set(problem, ERR_INPUT, "public-url",
                           "Real people would get links that lead to their own machine: the public "
                           "address is loopback.",
                           "Set --public-url to the address under which the internet reaches this "
                           "server, such as https://mail.shop.example.");
    return OK;
}

/* Those of the list, and what smtp_url or outbox_dir is. */
enum err sender_ways_make(struct sender *sender, const struct sender_conf *conf, struct way *ways,
                          uint32_t *count, struct problem *problem)
{
    TRY(ways_count_check(conf, problem));
    bool has_own = conf->smtp_url != NULL || conf->outbox_dir != NULL;
    *count = conf->ways_count + has_own;
    for (uint32_t i = 0; i < *count; i++) {
        const struct way_conf *told = i < conf->ways_count ? &conf->ways[i] : &sender->only;
        ways[i] = (struct way){ .sender = sender, .conf = told };
        TRY(way_check(sender, &ways[i], problem));
        if (doubts_end_ms(told, 1) > 0)
            ways[i].account = doubts_account(told);
    }
    return OK;
}

static enum err conf_check(struct sender *sender, struct problem *problem)
{
    struct way ways[WAYS_MAX];
    TRY(links_public_url_check(str_of(sender->public_url), problem));
    if (sender->return_domain[0] != '\0')
        TRY(address_domain_check(str_of(sender->return_domain), "return-domain", problem));
    sender->only = only_make(sender);
    uint32_t count = 0;
    enum err err = sender_ways_make(sender, &sender->conf, ways, &count, problem);
    sender->ways_count = err == OK ? count : 0;
    for (uint32_t i = 0; i < sender->ways_count; i++)
        sender->ways[i] = sender_way_init(sender, i, &ways[i]);
    explicit_bzero(ways, sizeof ways); /* passwords */
    TRY(err);
    sender->leads_outside = sender_has_outside(sender);
    TRY(doubts_open(&sender->doubts, sender->counts_dir, problem));
    return counts_read(sender, problem);
}

/* Memory is taken as it is used: most houses never have many jobs at once. */
static enum err parts_make(struct sender *sender)
{
    sender->jobs = calloc(SENDER_JOBS_MAX, sizeof *sender->jobs);
    if (sender->jobs == NULL)
        return ERR_MEMORY;
    sender->threads_count =
        sender->conf.threads > 0 ? least(sender->conf.threads, SENDER_THREADS_MAX) : THREADS;
    return OK;
}

static void sender_free(struct sender *sender)
{
    for (uint32_t i = 0; i < SENDER_THREADS_MAX; i++)
        render_close(sender->renders[i]);
    for (uint32_t i = 0; i < sender->ways_count; i++)
        channel_close(sender->ways[i]->channel);
    explicit_bzero(sender->slots, sizeof sender->slots); /* passwords, tokens */
    loop_close(sender->loop);
    doubts_close(sender->doubts);
    pthread_cond_destroy(&sender->work);
    pthread_cond_destroy(&sender->moved);
    pthread_cond_destroy(&sender->drained);
    pthread_cond_destroy(&sender->all_given);
    pthread_mutex_destroy(&sender->lock);
    pthread_rwlock_destroy(&sender->ways_lock);
    free(sender->jobs);
    free(sender);
}

static void calls_set(struct task *task)
{
    struct sender *sender = task->context;
    core_calls_set(sender->core, (struct core_calls){ .context = sender,
                                                      .claimed = sender_claimed,
                                                      .recalled = sender_recalled,
                                                      .may_ask_again = sender_may_ask_again,
                                                      .retry_at_ms = sender_next_try_ms });
    pthread_mutex_lock(&sender->lock);
    sender->calls_begun = true;
    pthread_cond_broadcast(&sender->drained);
    pthread_mutex_unlock(&sender->lock);
}

/* Once the core runs its commit thread alone calls, so the calls are set there. */
static void calls_begin(struct sender *sender)
{
    struct task task = { .done = calls_set, .context = sender };
    sender->is_late = core_is_running(sender->core);
    if (!sender->is_late) {
        calls_set(&task);
        return;
    }
    while (core_submit(sender->core, &task) != OK)
        nanosleep(&(struct timespec){ .tv_nsec = 20000000L }, NULL);
    pthread_mutex_lock(&sender->lock);
    while (!sender->calls_begun)
        pthread_cond_wait(&sender->drained, &sender->lock);
    pthread_mutex_unlock(&sender->lock);
}

enum err sender_open(struct sender **out, struct core *core, const struct sender_conf *conf,
                     struct problem *problem)
{
    struct sender *sender = calloc(1, sizeof *sender);
    if (sender == NULL)
        return ERR_MEMORY;
    sender->core = core;
    sender->outcomes.last = &sender->outcomes.first;
    sender->look_again_ms = TIME_NEVER;
    for (int urgent = 0; urgent < 2; urgent++)
        sender->rendering[urgent].last = &sender->rendering[urgent].first;
    pthread_mutex_init(&sender->lock, NULL);
    pthread_rwlock_init(&sender->ways_lock, NULL);
    pthread_cond_init(&sender->work, NULL);
    pthread_cond_init(&sender->moved, NULL);
    pthread_cond_init(&sender->drained, NULL);
    pthread_cond_init(&sender->all_given, NULL);
    enum err err = conf_keep(sender, conf, problem);
    if (err == OK)
        err = conf_check(sender, problem);
    if (err == OK)
        err = parts_make(sender);
    if (err != OK) {
        sender_free(sender);
        return err;
    }
    calls_begin(sender);
    *out = sender;
    return OK;
}

/* ---- starting ---- */

static enum smtp_tls tls_choose(const struct way *way)
{
    static const enum smtp_tls told[] = { [SENDER_TLS_OFF] = SMTP_TLS_OFF,
                                          [SENDER_TLS_OFFERED] = SMTP_TLS_OFFERED,
                                          [SENDER_TLS_REQUIRED] = SMTP_TLS_REQUIRED };
    if (way->url.tls_at_once)
        return SMTP_TLS_IMPLICIT;
    if (way->conf->tls != SENDER_TLS_CHOSEN)
        return told[way->conf->tls];
    bool near = sender_host_is_loopback(str_of(way->url.host));
    return way->url.user[0] != '\0' && !near ? SMTP_TLS_REQUIRED : SMTP_TLS_OFFERED;
}

/* Idle connections and the tries to connect keep their own times where these are shorter. */
static struct smtp_limits limits_make(int64_t timeout_ms)
{
    struct smtp_limits limits = smtp_limits_make();
    for (int phase = 0; phase < SMTP_PHASES && timeout_ms > 0; phase++)
        if (phase != SMTP_PHASE_IDLE && limits.phase_ms[phase] > timeout_ms)
            limits.phase_ms[phase] = timeout_ms;
    return limits;
}

static enum err smtp_start(struct sender *sender, struct way *way, struct problem *problem)
{
    const struct channel_calls calls = way_calls(way);
    enum smtp_tls              tls = tls_choose(way);
    bool                       near = sender_host_is_loopback(str_of(way->url.host));
    int32_t                    per_s = (int32_t)least(way->conf->per_second, THROTTLE_PER_S_MAX);
    struct pool_conf           conf = {
                  .host = way->url.host,
                  .port = way->url.port,
                  .ehlo_name = or_null(sender->ehlo_name),
                  .user = or_null(way->url.user),
                  .password = or_null(way->url.password),
                  .tls = tls,
                  /* STARTTLS that is only taken when offered protects from listeners, not from liars; and
                   * a relay on this machine seldom has a certificate anyone could check. */
                  .trust = { .ca_file = way->conf->tls_ca_file,
                             .no_verify = tls == SMTP_TLS_OFFERED || near },
                  .password_in_clear = near,
                  .connections_max = way->conf->connections > 0 ? way->conf->connections : SENDER_CONNECTIONS,
                  .domain_messages_max = way->conf->domain_messages_max,
                  .throttle = { .per_s = per_s, .burst = per_s / BURST_PARTS + 1 },
                  .limits = limits_make(sender->conf.timeout_ms),
                  .seed = hash_random_seed(),
    };
    return pool_open(sender->loop, &conf, &calls, &way->channel, problem);
}

enum err sender_way_start(struct sender *sender, struct way *way, struct problem *problem)
{
    const struct channel_calls calls = way_calls(way);
    struct channel_stats       stats;
    if (way->conf->kind == WAY_SMTP)
        TRY(smtp_start(sender, way, problem));
    else if (way->conf->kind == WAY_HTTP)
        TRY(sender_http_start(sender, way, problem));
    else
        TRY(maildir_open(way->conf->outbox_dir, &calls, &way->channel, problem));
    channel_stats_read(way->channel, &stats);
    pthread_mutex_lock(&sender->lock);
    way->places = stats.places;
    pthread_mutex_unlock(&sender->lock);
    return OK;
}

static enum err renders_open(struct sender *sender)
{
    struct render_conf conf = { .store = core_store(sender->core),
                                .secrets = sender->conf.secrets,
                                .public_url = str_of(sender->public_url),
                                .return_domain = str_of(sender->return_domain),
                                .no_tracking = sender->conf.no_tracking,
                                .zones = core_zones(sender->core) };
    for (uint32_t i = 0; i < sender->threads_count && sender->conf.make == NULL; i++)
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
    assert(!sender->started);
    TRY(renders_open(sender));
    sender->loop = loop_open();
    if (sender->loop == NULL)
        return ERR_MEMORY;
    TRY(sender_stops_open(sender));
    core_door_lanes(sender->core, 0, 0); /* as each way's doors, until the way is there */
    TRY(threads_start(sender));
    for (uint32_t i = 0; i < sender->ways_count; i++)
        TRY(sender_way_start(sender, sender->ways[i], problem));
    pthread_mutex_lock(&sender->lock);
    sender->ready = true;
    ways_look(sender);
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
    ways_withdraw(sender);
    pthread_mutex_unlock(&sender->lock);
    return true;
}

/* On the commit thread, which alone calls. */
static void calls_end(struct task *task)
{
    struct sender *sender = task->context;
    core_calls_set(sender->core, (struct core_calls){ 0 });
    pthread_mutex_lock(&sender->lock);
    sender->calls_ended = true;
    pthread_cond_broadcast(&sender->drained);
    pthread_mutex_unlock(&sender->lock);
}

/* After this the core knows nothing of the sender. */
static void core_leave(struct sender *sender)
{
    struct task task = { .done = calls_end, .context = sender };
    while (core_submit(sender->core, &task) != OK)
        nanosleep(&(struct timespec){ .tv_nsec = 20000000L }, NULL);
    pthread_mutex_lock(&sender->lock);
    while (!sender->calls_ended)
        pthread_cond_wait(&sender->drained, &sender->lock);
    pthread_mutex_unlock(&sender->lock);
}

/* When this returns every claim ever made has been handed over. */
void sender_claims_end(struct sender *sender)
{
    struct task task = { .ask = room_withdraw, .context = sender };
    pthread_mutex_lock(&sender->lock);
    sender->stopping = true;
    pthread_mutex_unlock(&sender->lock);
    while (core_run(sender->core, &task) != OK)
        nanosleep(&(struct timespec){ .tv_nsec = 20000000L }, NULL);
}

void sender_channels_end(struct sender *sender, bool in_time)
{
    for (uint32_t i = 0; i < sender->ways_count; i++)
        if (sender->ways[i]->channel != NULL)
            channel_end(sender->ways[i]->channel, in_time);
}

static void drain(struct sender *sender)
{
    sender_claims_end(sender);
    pthread_mutex_lock(&sender->lock);
    sender->no_more_work = true;
    pthread_cond_broadcast(&sender->work);
    pthread_mutex_unlock(&sender->lock);
    for (uint32_t i = 0; i < sender->threads_count; i++)
        pthread_join(sender->threads[i], NULL);
    sender_lines_return(sender);
    sender_channels_end(sender, true);
    for (uint32_t i = 0; i < sender->ways_count; i++)
        if (sender->ways[i]->channel != NULL)
            channel_stop(sender->ways[i]->channel);
    pthread_mutex_lock(&sender->lock);
    while (sender->in_use > 0)
        pthread_cond_wait(&sender->drained, &sender->lock);
    sender->ended = true;
    pthread_cond_signal(&sender->moved);
    pthread_mutex_unlock(&sender->lock);
    pthread_join(sender->reporter, NULL);
    core_leave(sender);
}

void sender_close(struct sender *sender)
{
    if (sender == NULL)
        return;
    if (sender->started)
        drain(sender);
    else if (sender->is_late)
        core_leave(sender);
    sender_free(sender);
}

bool sender_leads_outside(const struct sender *sender)
{
    return sender->leads_outside;
}

void sender_look_again(struct sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    if (sender->ready)
        ways_look(sender);
    pthread_mutex_unlock(&sender->lock);
}

struct sender_stats sender_stats(struct sender *sender)
{
    struct way_stats ways[WAYS_MAX];
    uint32_t         count = sender_ways(sender, ways);
    int64_t          now_ms = time_now_ms();
    bool             is_any_up = false;
    pthread_mutex_lock(&sender->lock);
    struct sender_stats stats = sender->stats;
    pthread_mutex_unlock(&sender->lock);
    for (uint32_t i = 0; i < count; i++) {
        int64_t down_ms = ways[i].opens_ms > now_ms ? ways[i].opens_ms - now_ms : 0;
        if (ways[i].for_channel != CHANNEL_EMAIL)
            continue;
        stats.places += ways[i].channel.places;
        stats.connections += ways[i].channel.connections;
        stats.connect_failures += ways[i].channel.connect_failures;
        is_any_up = is_any_up || down_ms == 0;
        if (stats.down_ms == 0 || down_ms < stats.down_ms)
            stats.down_ms = down_ms;
    }
    if (is_any_up)
        stats.down_ms = 0;
    return stats;
}
