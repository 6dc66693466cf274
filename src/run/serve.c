#include "run/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "run/core.h"
#include "run/log.h"
#include "run/serve_page.h"
#include "server/http.h"
#include "server/router.h"

struct serve {
    struct serve_conf   conf;
    struct core        *core;
    struct router      *router;
    struct http_server *http;
    struct proxy_trust  trust;
    char                origin[320];
};

static void health(void *context, struct http_request *request)
{
    struct serve     *serve = context;
    struct core_stats stats = core_stats(serve->core);
    if (stats.failing)
        http_reply_json(request, 503, STR("{\"status\":\"commits fail\"}"));
    else
        http_reply_json(request, 200, STR("{\"status\":\"ok\"}"));
}

static const struct route ROUTES[] = {
    { "GET", "/healthz", health, .need = ROUTE_OPEN, .summary = "Is it well?" },
    { "GET", "/", serve_page, .need = ROUTE_OPEN, .summary = "A page that says what to do first" },
};

static void refused(void *context, const struct http_refusal *refusal)
{
    struct problem problem = { .where = "" };
    (void)context;
    snprintf(problem.where, sizeof problem.where, "%.*s %.*s %.*s", STR_ARG(refusal->peer),
             STR_ARG(refusal->method), STR_ARG(str_slice(refusal->path, 0, 100)));
    snprintf(problem.what, sizeof problem.what, "Refused with %d: %.*s", refusal->status,
             STR_ARG(str_slice(refusal->what, 0, 200)));
    str_to_cstr(refusal->remedy, problem.remedy, sizeof problem.remedy);
    log_problem(LOG_WARNING, &problem);
}

static enum err http_begin(struct serve *serve, struct problem *problem)
{
    const struct config *config = serve->conf.config;
    struct router_conf   routes = { .routes = ROUTES,
                                    .routes_count = sizeof ROUTES / sizeof ROUTES[0],
                                    .context = serve };
    char                 host[256];
    struct http_conf     conf = {
            .socket_path = serve->conf.socket_path,
            .trust = &serve->trust,
            .loops = serve->conf.is_private ? 1 : (int)config_number(config, CONFIG_THREADS),
            .connections_max = (int)config_number(config, CONFIG_CONNECTIONS_MAX),
            .address_connections_max = (int)config_number(config, CONFIG_ADDRESS_CONNECTIONS_MAX),
            .held_bytes_max = config_number(config, CONFIG_HELD_MAX),
            .admit = router_admit,
            .handle = router_handle,
    };
    TRY(router_open(&routes, &serve->router, problem));
    conf.context = serve->router;
    if (!serve->conf.is_private) {
        if (!config_address_split(config_text(config, CONFIG_LISTEN), host, &conf.port))
            return problem_set(problem, ERR_INPUT, "listen", "This is no address.",
                               "Give host:port, such as 127.0.0.1:8080.");
        conf.address = host;
        conf.refused = refused;
    }
    if (!serve->conf.is_private && config_has(config, CONFIG_TLS_CERTIFICATE)) {
        conf.certificate_path = config_text(config, CONFIG_TLS_CERTIFICATE);
        conf.key_path = config_text(config, CONFIG_TLS_KEY);
    }
    TRY(http_open(&conf, &serve->http, problem));
    if (!serve->conf.is_private)
        snprintf(serve->origin, sizeof serve->origin, strchr(host, ':') ? "%s[%s]:%d" : "%s%s:%d",
                 conf.key_path != NULL ? "https://" : "http://", host, http_port(serve->http));
    return OK;
}

static enum err parts_open(struct serve *serve, struct problem *problem)
{
    const struct config *config = serve->conf.config;
    struct core_conf     core = { .dir = serve->conf.dir,
                                  .socket = serve->conf.socket_path,
                                  .lateness_ms = config_number(config, CONFIG_LATENESS) };
    TRY(proxy_trust_parse(&serve->trust, str_of(config_text(config, CONFIG_TRUSTED_PROXY)),
                          problem));
    TRY(core_open(&serve->core, &core, problem));
    TRY(core_start(serve->core));
    return http_begin(serve, problem);
}

enum err serve_open(struct serve **out, const struct serve_conf *conf, struct problem *problem)
{
    struct serve *serve = calloc(1, sizeof *serve);
    if (serve == NULL)
        return ERR_MEMORY;
    serve->conf = *conf;
    enum err err = parts_open(serve, problem);
    if (err != OK) {
        serve_close(serve);
        return err;
    }
    *out = serve;
    return OK;
}

void serve_close(struct serve *serve)
{
    if (serve == NULL)
        return;
    http_close(serve->http);
    core_close(serve->core);
    router_close(serve->router);
    free(serve);
}

enum err serve_reload(struct serve *serve, struct problem *problem)
{
    return http_reload(serve->http, problem);
}

const char *serve_origin(const struct serve *serve)
{
    return serve->origin;
}

const char *serve_owner_token(const struct serve *serve)
{
    (void)serve;
    return "";
}

bool serve_has_keys(const struct serve *serve)
{
    (void)serve;
    return false;
}
