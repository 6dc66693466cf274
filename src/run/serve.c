#include "run/serve.h"
#include "run/geo.h"

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/time.h"
#include "run/api/api.h"
#include "run/api/machine_network.h"
#include "run/cli/files.h"
#include "run/core/core.h"
#include "run/log.h"
#include "run/quiet.h"
#include "run/returned/listener.h"
#include "run/returned/sns_desk.h"
#include "run/send/alerting.h"
#include "run/send/secrets.h"
#include "run/send/sender.h"
#include "run/send/sender_url.h"
#include "run/send/teller.h"
#include "run/send/ways_file.h"
#include "run/serve_page.h"
#include "server/auth.h"
#include "server/http.h"

/* Nobody has read a mail and followed a link so soon after its server took it. */
#define HIT_SOON_MS (3 * TIME_SECOND_MS)

enum {
    DKIM_FILE_BYTES_MAX = 16 << 10, /* ten times a key of 2,048 bits */
    MEMORY_BLOCK_BYTES = 256 << 10,
};

struct serve {
    struct serve_conf        conf;
    struct core             *core;
    struct secrets          *secrets;
    struct trial            *trial;
    struct teller           *teller;   /* NULL: nobody is told */
    struct alerting         *alerting; /* NULL: the staff reads the log */
    struct geo              *geo;      /* NULL without its file */
    struct machine_networks *networks; /* of scanners */
    struct metrics          *metrics;
    struct refused          *refused;
    struct api              *api;
    struct ways_shelf        ways;
    struct ways_file        *sending; /* whose ways the sender has: the shelf's, or one like it */
    struct sns_desk         *sns;     /* NULL: SES tells us nothing */
    struct sender           *sender;
    struct listener         *listener; /* of returned mail; NULL: nobody hands it in */
    struct router           *router;
    struct http_server      *http;
    struct proxy_trust       trust;
    pthread_mutex_t          quiet_lock;
    struct quiet             quiet; /* of refusals in the log */
    char                     origin[320];
    char                     public_url[CONFIG_VALUE_BYTES_MAX];
    char                     smtp_host[SENDER_HOST_BYTES]; /* empty: mail does not go to people */
    char                     owner_token[AUTH_KEY_TEXT_BYTES];
};

/* A client that asks in vain again and again gets a line a minute; the API lists every one. */
static bool is_worth_a_line(struct serve *serve, const struct http_refusal *refusal,
                            uint64_t *unsaid)
{
    uint64_t kind = hash_str(refusal->what, (uint64_t)refusal->status);
    pthread_mutex_lock(&serve->quiet_lock);
    bool said = quiet_ask(&serve->quiet, kind, time_mono_us() / 1000, unsaid);
    pthread_mutex_unlock(&serve->quiet_lock);
    return said;
}

static void refused(void *context, const struct http_refusal *refusal)
{
    struct serve  *serve = context;
    struct problem problem = { .where = "" };
    uint64_t       unsaid;
    char           more[64] = "";
    if (str_eq(refusal->peer, STR("local")))
        return; /* a command tells its own user */
    api_refused(serve->api, refusal);
    if (!is_worth_a_line(serve, refusal, &unsaid))
        return;
    if (unsaid > 0)
        snprintf(more, sizeof more, " (%llu more since the last such line)",
                 (unsigned long long)unsaid);
    snprintf(problem.where, sizeof problem.where, "%.*s %.*s %.*s", STR_ARG(refusal->peer),
             STR_ARG(refusal->method), STR_ARG(str_slice(refusal->path, 0, 100)));
    snprintf(problem.what, sizeof problem.what, "Refused with %d: %.*s%s", refusal->status,
             STR_ARG(str_slice(refusal->what, 0, 150)), more);
    str_to_cstr(refusal->remedy, problem.remedy, sizeof problem.remedy);
    log_problem(LOG_WARNING, &problem);
}

/* ---- the parts ---- */

/* Without one it is where we listen: right for a try on one's own machine, refused for more. */
static void public_url_find(struct serve *serve)
{
    const struct config *config = serve->conf.config;
    bool                 is_tls = config_has(config, CONFIG_TLS_CERTIFICATE);
    if (config_has(config, CONFIG_PUBLIC_URL))
        snprintf(serve->public_url, sizeof serve->public_url, "%s",
                 config_text(config, CONFIG_PUBLIC_URL));
    else
        snprintf(serve->public_url, sizeof serve->public_url, "%s%.900s",
                 is_tls ? "https://" : "http://", config_text(config, CONFIG_LISTEN));
}

static const char *text_or_null(const struct config *config, enum config_id id)
{
    return config_has(config, id) ? config_text(config, id) : NULL;
}

static enum sender_tls tls_of(const struct config *config)
{
    const char *word = config_text(config, CONFIG_SMTP_TLS);
    return strcmp(word, "off") == 0        ? SENDER_TLS_OFF
           : strcmp(word, "offered") == 0  ? SENDER_TLS_OFFERED
           : strcmp(word, "required") == 0 ? SENDER_TLS_REQUIRED
                                           : SENDER_TLS_CHOSEN;
}

/* What the operator wrote of ways; with those for e-mail neither smtp nor outbox is needed. */
static enum err ways_begin(struct serve *serve, struct problem *problem)
{
    struct ways_file *file;
    if (config_has(serve->conf.config, CONFIG_CHANNELS))
        return problem_set(problem, ERR_INPUT, "channels",
                           "The file of channels is no more: its services are ways of ways.json.",
                           "docs/providers.md shows each of its lines as a way; then leave this "
                           "setting away.");
    enum err err = ways_file_read(&file, serve->conf.dir,
                                  text_or_null(serve->conf.config, CONFIG_WAYS), problem);
    if (err == OK) {
        ways_shelf_put(&serve->ways, file);
        serve->sending = ways_shelf_take(&serve->ways);
    }
    return serve->conf.is_private ? OK : err; /* a command that sends nothing goes without */
}

static enum err sender_begin(struct serve *serve, struct problem *problem)
{
    const struct config *config = serve->conf.config;
    uint32_t             ways_count = 0;
    if (serve->conf.is_private)
        return OK;
    const struct way_conf *ways = ways_file_ways(serve->sending, &ways_count);
    struct sender_conf     conf = {
            .public_url = serve->public_url,
            .smtp_url = text_or_null(config, CONFIG_SMTP_URL),
            .outbox_dir = text_or_null(config, CONFIG_OUTBOX),
            .ehlo_name = text_or_null(config, CONFIG_SMTP_NAME),
            .return_domain = text_or_null(config, CONFIG_RETURN_DOMAIN),
            .tls_ca_file = text_or_null(config, CONFIG_SMTP_CA),
            .tls = tls_of(config),
            .connections = (uint32_t)config_number(config, CONFIG_SMTP_CONNECTIONS),
            .per_second = (uint32_t)config_number(config, CONFIG_SMTP_RATE),
            .domain_messages_max = (uint32_t)config_number(config, CONFIG_SMTP_DOMAIN_MAX),
            .retry_ms = config_number(config, CONFIG_SMTP_RETRY),
            .timeout_ms = config_number(config, CONFIG_SMTP_TIMEOUT),
            .no_tracking = strcmp(config_text(config, CONFIG_TRACKING), "no") == 0,
            .secrets = serve->secrets,
            .tokens = secrets_token_keys(serve->secrets),
            .trial = serve->trial,
            .ways = ways,
            .ways_count = ways_count,
            .counts_dir = serve->conf.dir,
    };
    bool is_sending =
        conf.smtp_url != NULL || conf.outbox_dir != NULL || ways_file_is_told(serve->sending);
    return is_sending ? sender_open(&serve->sender, serve->core, &conf, problem) : OK;
}

static enum err teller_begin(struct serve *serve, struct problem *problem)
{
    const struct config *config = serve->conf.config;
    struct teller_conf   conf = { .store = core_store(serve->core),
                                  .url = config_text(config, CONFIG_STATUS_URL),
                                  .secret = config_text(config, CONFIG_STATUS_SECRET) };
    return serve->conf.is_private || conf.url[0] == '\0'
               ? OK
               : teller_open(&serve->teller, &conf, problem);
}

static enum err alerting_begin(struct serve *serve, struct problem *problem)
{
    struct alerting_conf conf = { .store = core_store(serve->core),
                                  .sender = serve->sender,
                                  .secrets = serve->secrets,
                                  .tokens = secrets_token_keys(serve->secrets),
                                  .to = config_text(serve->conf.config, CONFIG_ALERT_TO),
                                  .retry_ms =
                                      config_number(serve->conf.config, CONFIG_SMTP_RETRY) };
    if (serve->conf.is_private || conf.to[0] == '\0')
        return OK;
    if (conf.sender == NULL)
        return problem_set(problem, ERR_INPUT, "alert_to", "There is no way out to tell them by.",
                           "Give `smtp`, or ways in ways.json.");
    TRY(alerting_open(&serve->alerting, &conf, problem));
    core_alarm_set(serve->core, &(struct core_alarm){ serve->alerting, alerting_tell });
    return OK;
}

/* Who starts it is told, where mail would go out. */
static void trial_tell(const struct serve *serve)
{
    struct problem   problem = { .where = "" };
    enum trial_state state = trial_state(serve->trial);
    if (serve->sender == NULL || !sender_leads_outside(serve->sender) || state == TRIAL_LIVE)
        return;
    if (state == TRIAL_COPY)
        (void)!problem_set(&problem, OK, "live",
                           "This folder is a copy of one that is live, or was restored, or is in "
                           "another machine: nothing is sent.",
                           "`dult live --yes` if it is the one to send from now on; `dult live "
                           "off` to try things out.");
    else
        (void)!problem_set(&problem, OK, "live",
                           "On trial: mail goes to the addresses of trial_allow, the rest into the "
                           "folder's outbox.",
                           "`dult live` shows what going live would mean.");
    log_problem(LOG_WARNING, &problem);
}

/* A command hears no clicks: it goes without. */
static enum err networks_begin(struct serve *serve, struct problem *problem)
{
    return serve->conf.is_private
               ? OK
               : machine_networks_read(&serve->networks, serve->conf.dir, problem);
}

static enum err api_begin(struct serve *serve, struct problem *problem)
{
    serve->metrics = metrics_open();
    serve->refused = refused_open();
    if (serve->metrics == NULL || serve->refused == NULL)
        return ERR_MEMORY;
    const char *geo_file = text_or_null(serve->conf.config, CONFIG_GEO_FILE);
    if (geo_file != NULL)
        TRY(geo_open(&serve->geo, geo_file, problem));
    TRY(networks_begin(serve, problem));
    if (config_has(serve->conf.config, CONFIG_SES_TOPIC))
        TRY(sns_desk_open(&serve->sns, text_or_null(serve->conf.config, CONFIG_SES_CERTIFICATE),
                          problem));
    struct sender_url way = { .host = "" };
    if (config_has(serve->conf.config, CONFIG_SMTP_URL) &&
        sender_url_parse(str_of(config_text(serve->conf.config, CONFIG_SMTP_URL)), &way, NULL) ==
            OK)
        snprintf(serve->smtp_host, sizeof serve->smtp_host, "%s", way.host);
    struct api_conf conf = {
        .core = serve->core,
        .sender = serve->sender,
        .geo = serve->geo,
        .networks = serve->networks,
        .public_url = str_of(serve->public_url),
        .tokens = secrets_token_keys(serve->secrets),
        .secrets = serve->secrets,
        .trial = serve->trial,
        .smtp_host = str_of(serve->smtp_host),
        .return_domain = str_of(config_text(serve->conf.config, CONFIG_RETURN_DOMAIN)),
        .dns_servers = text_or_null(serve->conf.config, CONFIG_DNS_SERVERS),
        .metrics = serve->metrics,
        .refused = serve->refused,
        .ways = &serve->ways,
        .hook_secrets = { [HOOK_SENDGRID] = text_or_null(serve->conf.config, CONFIG_SENDGRID_KEY),
                          [HOOK_MAILGUN] = text_or_null(serve->conf.config, CONFIG_MAILGUN_KEY),
                          [HOOK_POSTMARK] =
                              text_or_null(serve->conf.config, CONFIG_POSTMARK_PASSWORD),
                          [HOOK_SES] = text_or_null(serve->conf.config, CONFIG_SES_TOPIC) },
        .sns = serve->sns,
        .report_threads = (uint32_t)config_number(serve->conf.config, CONFIG_REPORT_THREADS),
        .hit_wait_ms = config_number(serve->conf.config, CONFIG_HIT_WAIT) * TIME_SECOND_MS,
        .hit_soon_ms = HIT_SOON_MS,
        .dir = serve->conf.dir,
    };
    return api_open(&serve->api, &conf, problem);
}

static enum err listener_begin(struct serve *serve, struct problem *problem)
{
    const struct config *config = serve->conf.config;
    char                 host[256] = "";
    struct listener_conf conf = { .host = host,
                                  .name = config_has(config, CONFIG_RETURN_DOMAIN)
                                              ? config_text(config, CONFIG_RETURN_DOMAIN)
                                              : "dult",
                                  .core = serve->core,
                                  .keys = secrets_token_keys(serve->secrets) };
    if (serve->conf.is_private || !config_has(config, CONFIG_BOUNCE_LISTEN))
        return OK;
    if (!config_address_split(config_text(config, CONFIG_BOUNCE_LISTEN), host, &conf.port))
        return problem_set(problem, ERR_INPUT, "bounce_listen", "This is no address.",
                           "Give host:port, such as 127.0.0.1:2525.");
    return listener_open(&serve->listener, &conf, problem);
}

/* A page where a browser looks first; all else is the API's. */
static bool is_page(const struct http_request *request)
{
    enum gate_method method = http_method(request);
    return str_eq(http_path(request), STR("/")) && (method == GATE_GET || method == GATE_HEAD);
}

static int64_t admit(void *context, struct http_request *request)
{
    struct serve *serve = context;
    return is_page(request) ? 0 : router_admit(serve->router, request);
}

static void handle(void *context, struct http_request *request)
{
    struct serve *serve = context;
    if (is_page(request))
        serve_page(request);
    else
        router_handle(serve->router, request);
}

static enum err http_begin(struct serve *serve, struct problem *problem)
{
    const struct config *config = serve->conf.config;
    char                 host[256] = "";
    struct http_conf     conf = {
            .socket_path = serve->conf.socket_path,
            .trust = &serve->trust,
            .loops = serve->conf.is_private ? 1 : (int)config_number(config, CONFIG_THREADS),
            .connections_max = (int)config_number(config, CONFIG_CONNECTIONS_MAX),
            .address_connections_max = (int)config_number(config, CONFIG_ADDRESS_CONNECTIONS_MAX),
            .held_bytes_max = config_number(config, CONFIG_HELD_MAX),
            .spill_dir = serve->conf.dir,
            .context = serve,
            .admit = admit,
            .handle = handle,
    };
    if (!serve->conf.is_private) {
        if (!config_address_split(config_text(config, CONFIG_LISTEN), host, &conf.port))
            return problem_set(problem, ERR_INPUT, "listen", "This is no address.",
                               "Give host:port, such as 127.0.0.1:8080.");
        conf.address = host;
        conf.refused = refused;
        conf.refused_context = serve;
        conf.certificate_path = text_or_null(config, CONFIG_TLS_CERTIFICATE);
        conf.key_path = text_or_null(config, CONFIG_TLS_KEY);
    }
    TRY(http_open(&conf, &serve->http, problem));
    if (!serve->conf.is_private)
        snprintf(serve->origin, sizeof serve->origin, strchr(host, ':') ? "%s[%s]:%d" : "%s%s:%d",
                 conf.key_path != NULL ? "https://" : "http://", host, http_port(serve->http));
    return OK;
}

/* Sockets of commands that were killed; none lives while we hold the folder. */
static void sockets_sweep(const char *dir)
{
    DIR *folder = opendir(dir);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (str_starts(str_of(entry->d_name), STR("dult-")) &&
            str_ends(str_of(entry->d_name), STR(".sock")))
            unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
}

/* The operator's own signing key, when one is named. */
static enum err dkim_begin(struct serve *serve, struct problem *problem)
{
    const struct config *config = serve->conf.config;
    struct secrets_own   own = { .domain = str_of(config_text(config, CONFIG_DKIM_DOMAIN)),
                                 .selector = str_of(config_text(config, CONFIG_DKIM_SELECTOR)) };
    if (!config_has(config, CONFIG_DKIM_KEY_FILE))
        return OK;
    SCOPED(arena_closep) struct arena *arena = arena_open(4 * DKIM_FILE_BYTES_MAX);
    if (arena == NULL)
        return ERR_MEMORY;
    TRY(files_read_one(arena, config_text(config, CONFIG_DKIM_KEY_FILE), DKIM_FILE_BYTES_MAX,
                       &own.pem, problem));
    return secrets_dkim_own(serve->secrets, &own, problem);
}

static enum err core_begin(struct serve *serve, struct problem *problem)
{
    struct core_conf conf = { .dir = serve->conf.dir,
                              .has_keeper = true,
                              .socket = serve->conf.socket_path,
                              .lateness_ms = config_number(serve->conf.config, CONFIG_LATENESS) };
    TRY(core_open(&serve->core, &conf, problem));
    sockets_sweep(serve->conf.dir);
    TRY(secrets_open(&serve->secrets, serve->conf.dir, problem));
    return dkim_begin(serve, problem);
}

static enum err parts_open(struct serve *serve, struct problem *problem)
{
    const struct config *config = serve->conf.config;
    TRY(proxy_trust_parse(&serve->trust, str_of(config_text(config, CONFIG_TRUSTED_PROXY)),
                          problem));
    TRY(auth_start());
    public_url_find(serve);
    TRY(core_begin(serve, problem));
    TRY(ways_begin(serve, problem));
    TRY(trial_open(&serve->trial, core_store(serve->core), serve->conf.dir,
                   config_text(config, CONFIG_TRIAL_ALLOW), problem));
    TRY(sender_begin(serve, problem));
    TRY(alerting_begin(serve, problem));
    TRY(core_start(serve->core));
    TRY(api_begin(serve, problem));
    struct router_conf routes = api_router(serve->api);
    TRY(router_open(&routes, &serve->router, problem));
    TRY(http_begin(serve, problem));
    if (!serve->conf.is_private && api_owner_token(serve->api, serve->owner_token) != OK)
        serve->owner_token[0] = '\0'; /* there is an owner */
    TRY(listener_begin(serve, problem));
    TRY(teller_begin(serve, problem));
    trial_tell(serve);
    return serve->sender == NULL ? OK : sender_start(serve->sender, problem);
}

/*
 * The allocator keeps as much as twice the largest block ever freed, in each thread's own heap: 64
 * MB of each after some large requests. With bounds of ours small blocks are kept warm, larger ones
 * go back at once. That costs no processor time that could be measured.
 */
static void memory_bound(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, MEMORY_BLOCK_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, 4 * MEMORY_BLOCK_BYTES);
}

enum err serve_open(struct serve **out, const struct serve_conf *conf, struct problem *problem)
{
    memory_bound();
    struct serve *serve = calloc(1, sizeof *serve);
    if (serve == NULL)
        return ERR_MEMORY;
    serve->conf = *conf;
    pthread_mutex_init(&serve->quiet_lock, NULL);
    pthread_mutex_init(&serve->ways.lock, NULL);
    enum err err = parts_open(serve, problem);
    if (err != OK) {
        serve_close(serve);
        return err;
    }
    *out = serve;
    return OK;
}

static void alerting_end(struct serve *serve)
{
    if (serve->core != NULL)
        core_alarm_set(serve->core, NULL);
    alerting_close(serve->alerting);
}

void serve_close(struct serve *serve)
{
    if (serve == NULL)
        return;
    http_close(serve->http);
    listener_close(serve->listener);
    alerting_end(serve);
    sender_close(serve->sender);
    teller_close(serve->teller);
    api_close(serve->api);
    sns_desk_close(serve->sns);
    ways_shelf_put(&serve->ways, NULL);
    ways_file_close(serve->sending);
    core_close(serve->core);
    router_close(serve->router);
    geo_close(serve->geo);
    free(serve->networks);
    secrets_close(serve->secrets);
    trial_close(serve->trial);
    metrics_close(serve->metrics);
    refused_close(serve->refused);
    pthread_mutex_destroy(&serve->quiet_lock);
    pthread_mutex_destroy(&serve->ways.lock);
    free(serve);
}

enum err serve_reload(struct serve *serve, struct problem *problem)
{
    return http_reload(serve->http, problem);
}

/* The sender's list is held until it has another one. */
static void sending_set(struct serve *serve)
{
    ways_file_close(serve->sending);
    serve->sending = ways_shelf_take(&serve->ways);
}

/* There were no ways until now. */
static enum err sender_add(struct serve *serve, struct problem *problem)
{
    sending_set(serve);
    TRY(sender_begin(serve, problem));
    enum err err = serve->sender == NULL ? OK : sender_start(serve->sender, problem);
    if (err != OK) {
        sender_close(serve->sender);
        serve->sender = NULL;
    }
    api_sender_set(serve->api, serve->sender);
    trial_tell(serve);
    return err;
}

/* A first way that cannot be used is shown by nobody: the list is then as it was. */
static enum err ways_first(struct serve *serve, struct ways_file *file, struct problem *problem)
{
    struct ways_file *before = ways_shelf_take(&serve->ways);
    ways_shelf_put(&serve->ways, ways_file_hold(file));
    enum err err = sender_add(serve, problem);
    if (err != OK) {
        ways_shelf_put(&serve->ways, before);
        sending_set(serve);
        return err;
    }
    ways_file_close(before);
    ways_file_close(file);
    return OK;
}

static enum err ways_give(struct serve *serve, struct ways_file *file, struct problem *problem)
{
    uint32_t               count;
    const struct way_conf *ways = ways_file_ways(file, &count);
    bool                   is_taken;
    TRY(sender_reload(serve->sender, ways, count, &is_taken, problem));
    ways_shelf_put(&serve->ways, file);
    if (is_taken)
        sending_set(serve);
    return OK;
}

enum err serve_reload_ways(struct serve *serve, struct problem *problem)
{
    struct ways_file *file;
    TRY(ways_file_read(&file, serve->conf.dir, text_or_null(serve->conf.config, CONFIG_WAYS),
                       problem));
    enum err err =
        serve->sender == NULL ? ways_first(serve, file, problem) : ways_give(serve, file, problem);
    if (err != OK)
        ways_file_close(file);
    return err;
}

const char *serve_origin(const struct serve *serve)
{
    return serve->origin;
}

const char *serve_owner_token(const struct serve *serve)
{
    return serve->owner_token;
}
