#include "run/api/api_inside.h"
#include "run/api/by_address.h"
#include "run/api/file_shelf.h"
#include "run/api/rehearsals.h"
#include "run/api/sieve.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/hash.h"
#include "base/time.h"
#include "run/core/reading.h"
#include "run/send/render.h"

enum { DESK_WAKE_US = 1000000, PARAM_BYTES_MAX = 8192 };

/* ---- answers ---- */

int api_status(enum err err)
{
    switch (err) {
    case OK:
        return 200;
    case ERR_INPUT:
        return 400;
    case ERR_DENIED:
        return 403;
    case ERR_ABSENT:
        return 404;
    case ERR_CONFLICT:
        return 409;
    case ERR_LIMIT:
        return 413;
    case ERR_WAIT:
        return 503;
    default:
        return 500;
    }
}

void api_problem_reply(struct http_request *request, enum err err, const struct problem *problem)
{
    struct http_header headers[ROUTE_CORS_HEADERS + 1];
    struct problem     said = *problem;
    size_t             count = route_cors_headers(request, headers);
    if (err == ERR_WAIT)
        headers[count++] = (struct http_header){ STR("Retry-After"), STR("1") };
    if (said.what[0] == '\0' && err == ERR_WAIT)
        (void)!problem_set(&said, err, "", "Dult has as much to do as it can take.",
                           "Send the same again in a second.");
    else if (said.what[0] == '\0')
        (void)!problem_format(&said, err, "",
                              "Try again; if it stays so, look at the log and run "
                              "`dult doctor`.",
                              "This could not be done (%s).", err_name(err));
    http_reply_problem(request, api_status(err), err_name(err), &said, headers, count);
}

static void call_reply(struct call *call, enum err err)
{
    if (err == OK)
        err = buf_err(&call->out);
    if (err != OK) {
        api_problem_reply(call->request, err, &call->problem);
        return;
    }
    struct http_header no_store = { STR("Cache-Control"), STR("no-store") };
    http_reply(call->request, &(struct http_answer){ .status = call->status,
                                                     .type = call->type,
                                                     .headers = &no_store,
                                                     .headers_count = 1,
                                                     .body = buf_view(&call->out),
                                                     .not_before_ms = call->answer_ms });
}

/* ---- desks ---- */

static const struct api_route *api_route_of(struct api *api, struct http_request *request)
{
    size_t count;
    return &api_routes(&count)[route_of(request) - api->routes];
}

static void desk_serve(struct desk *desk, struct http_request *request)
{
    struct call call = { .api = desk->api,
                         .desk = desk,
                         .request = request,
                         .status = 200,
                         .type = STR("application/json"),
                         .arena = arena_open(CALL_ARENA_BYTES_MAX),
                         .out = buf_make(CALL_ANSWER_BYTES_MAX) };
    enum err    err = ERR_MEMORY;
    if (call.arena != NULL)
        err = api_route_of(desk->api, request)->call(&call);
    if (!call.is_answered)
        call_reply(&call, err);
    buf_done(&call.out);
    arena_close(call.arena);
}

static void *desk_run(void *context)
{
    struct desk *desk = context;
    void        *request;
    for (;;) {
        if (queue_take(desk->queue, &request, 1, DESK_WAKE_US) == 1)
            desk_serve(desk, request);
        else if (queue_is_stopped(desk->queue))
            return NULL;
    }
}

static void desk_enqueue(void *context, struct http_request *request)
{
    struct api             *api = context;
    const struct api_route *route = api_route_of(api, request);
    struct problem          problem = { 0 };
    enum err                err = route->is_report ? crew_put(api->crew, request)
                                                   : queue_put(route->is_quick ? api->quick : api->slow, request);
    if (err != OK)
        api_problem_reply(request, ERR_WAIT, &problem);
}

/* ---- the crew's desks ---- */

static void report_serve(void *context, uint32_t thread, void *request)
{
    struct api *api = context;
    int64_t     begun_us = time_mono_us();
    desk_serve(&api->report_desks[thread], request);
    metrics_observe(api->report_seconds, time_mono_us() - begun_us);
}

static void report_idle(void *context)
{
    reading_idle(core_reading(((struct api *)context)->conf.core));
}

static enum err crew_begin(struct api *api)
{
    uint32_t threads = api->conf.report_threads > 0 ? api->conf.report_threads : API_REPORT_THREADS;
    struct crew_conf conf = { .threads = threads,
                              .waiting_max = API_REPORTS_WAITING_MAX,
                              .context = api,
                              .serve = report_serve,
                              .idle = report_idle };
    api->report_desks = calloc(threads, sizeof *api->report_desks);
    if (api->report_desks == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < threads; i++) {
        api->report_desks[i].api = api;
        api->report_desks[i].parser = json_parser_open();
        if (api->report_desks[i].parser == NULL)
            return ERR_MEMORY;
    }
    return crew_open(&api->crew, &conf);
}

static void crew_end(struct api *api)
{
    uint32_t threads = api->conf.report_threads > 0 ? api->conf.report_threads : API_REPORT_THREADS;
    crew_close(api->crew);
    for (uint32_t i = 0; api->report_desks != NULL && i < threads; i++)
        json_parser_close(api->report_desks[i].parser);
    free(api->report_desks);
}

static enum err desk_open(struct api *api, int number)
{
    struct desk *desk = &api->desks[number];
    desk->api = api;
    desk->queue = number == 0 ? api->quick : api->slow;
    desk->parser = json_parser_open();
    if (desk->parser == NULL)
        return ERR_MEMORY;
    TRY(store_reader_open(core_store(api->conf.core), "api", &desk->reader));
    if (number == 0)
        TRY(keys_load(api, desk->reader));
    if (pthread_create(&desk->thread, NULL, desk_run, desk) != 0)
        return ERR_MEMORY;
    desk->is_running = true;
    return OK;
}

static void desk_close(struct desk *desk)
{
    if (desk->is_running)
        pthread_join(desk->thread, NULL);
    render_close(desk->render);
    store_reader_close(desk->reader);
    json_parser_close(desk->parser);
}

/* ---- the table, as the router wants it ---- */

static enum err table_make(struct api *api)
{
    size_t                  ours;
    const struct api_route *from = api_routes(&ours);
    api->routes_count = ours + api->conf.pages_count;
    api->routes = calloc(api->routes_count, sizeof *api->routes);
    if (api->routes == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < api->conf.pages_count; i++)
        api->routes[ours + i] = api->conf.pages[i];
    for (size_t i = 0; i < ours; i++)
        api->routes[i] = (struct route){ .method = from[i].method,
                                         .pattern = from[i].pattern,
                                         .run = from[i].run != NULL ? from[i].run : desk_enqueue,
                                         .need = from[i].need,
                                         .scope = from[i].scope,
                                         .summary = from[i].summary,
                                         .cors = from[i].need == ROUTE_WRITE_KEY ? ROUTE_CORS_EVENTS
                                                                                 : ROUTE_CORS_NONE,
                                         .body_bytes_max = from[i].body_bytes_max };
    return OK;
}

struct router_conf api_router(struct api *api)
{
    return (struct router_conf){ .routes = api->routes,
                                 .routes_count = api->routes_count,
                                 .authorize = keys_authorize,
                                 .context = api };
}

/* Without a wait now, what waited when the program last ended is still recorded. */
static enum err sieve_begin(struct api *api)
{
    struct sieve_conf conf = { .core = api->conf.core,
                               .dir = api->conf.dir,
                               .wait_ms = api->conf.hit_wait_ms,
                               .soon_ms = api->conf.hit_soon_ms };
    if (api->conf.dir == NULL)
        return OK;
    TRY(sieve_open(&api->sieve, &conf));
    if (conf.wait_ms > 0)
        return OK;
    sieve_close(api->sieve);
    api->sieve = NULL;
    return OK;
}

static bool hits_are_clear(void *context, uint64_t erasure)
{
    struct api *api = context;
    return api->sieve == NULL || sieve_is_clear(api->sieve, erasure);
}

static enum err parts_open(struct api *api)
{
    TRY(table_make(api));
    TRY(auth_start());
    api->quick = queue_open(API_WAITING_MAX);
    api->slow = queue_open(API_WAITING_MAX);
    api->tally = tally_open();
    api->signups = attempts_open(hash_random_seed());
    api->by_address = by_address_open();
    if (api->quick == NULL || api->slow == NULL || api->tally == NULL || api->signups == NULL ||
        api->by_address == NULL)
        return ERR_MEMORY;
    for (int i = 0; i < API_DESKS; i++)
        TRY(desk_open(api, i));
    api->rehearsals = rehearsals_open(api);
    if (api->rehearsals == NULL)
        return ERR_MEMORY;
    stats_register(api);
    TRY(sieve_begin(api));
    if (api->conf.dir != NULL)
        TRY(file_shelf_open(&api->files, api->conf.dir));
    return crew_begin(api);
}

enum err api_open(struct api **out, const struct api_conf *conf, struct problem *problem)
{
    struct api *api = calloc(1, sizeof *api);
    if (api == NULL)
        return ERR_MEMORY;
    api->conf = *conf;
    atomic_store(&api->sender, conf->sender);
    api->opened_ms = time_now_ms();
    api->owner.is_used = true; /* none was made */
    pthread_mutex_init(&api->lock, NULL);
    pthread_mutex_init(&api->codes_lock, NULL);
    pthread_mutex_init(&api->drafts_lock, NULL);
    running_init(&api->running);
    newest_init(&api->newest);
    enum err err = parts_open(api);
    if (err != OK) {
        api_close(api);
        return problem_set(problem, err, "api", "The interface could not be started.",
                           "Look at memory and disk, and start again.");
    }
    core_keeper_set(conf->core, &(struct core_keeper){ api, hits_are_clear });
    *out = api;
    return OK;
}

void api_sender_set(struct api *api, struct sender *sender)
{
    atomic_store(&api->sender, sender);
}

void api_close(struct api *api)
{
    if (api == NULL)
        return;
    core_keeper_set(api->conf.core, NULL);
    if (api->quick != NULL)
        queue_stop(api->quick);
    if (api->slow != NULL)
        queue_stop(api->slow);
    for (int i = 0; i < API_DESKS; i++)
        desk_close(&api->desks[i]);
    rehearsals_close(api->rehearsals);
    crew_end(api);
    sieve_close(api->sieve);
    file_shelf_close(api->files);
    running_done(&api->running);
    queue_close(api->quick);
    queue_close(api->slow);
    tally_close(api->tally);
    attempts_close(api->signups);
    by_address_close(api->by_address);
    newest_done(&api->newest);
    keys_done(api);
    pthread_mutex_destroy(&api->lock);
    pthread_mutex_destroy(&api->codes_lock);
    pthread_mutex_destroy(&api->drafts_lock);
    free(api->routes);
    free(api);
}

void api_refused(void *context, const struct http_refusal *refusal)
{
    struct api *api = context;
    if (api->conf.refused != NULL)
        refused_add(api->conf.refused, refusal, time_now_ms());
}

/* ---- what calls use ---- */

enum err call_ask(struct call *call, core_ask *ask, void *context)
{
    struct task task = { .ask = ask, .context = context };
    return core_run(call->api->conf.core, &task);
}

enum err call_submit(struct call *call, struct entry *entries, uint32_t count, struct task *out)
{
    struct task task = { .entries = entries, .entries_count = count };
    TRY(core_run(call->api->conf.core, &task));
    if (out != NULL)
        *out = task;
    if (task.refused > 0) {
        call->problem = task.problem;
        return task.err;
    }
    return OK;
}

struct str call_param(struct call *call, const char *name)
{
    SCOPED(buf_donep) struct buf text = buf_make(PARAM_BYTES_MAX);
    if (!route_param(call->request, name, &text) || buf_err(&text) != OK)
        return STR_NONE;
    return str_copy(call->arena, buf_view(&text));
}

struct str call_query(struct call *call, const char *name)
{
    SCOPED(buf_donep) struct buf text = buf_make(PARAM_BYTES_MAX);
    if (call->request == NULL || !http_query_get(call->request, str_of(name), &text) ||
        buf_err(&text) != OK)
        return STR_NONE;
    return str_copy(call->arena, buf_view(&text));
}

bool call_flag(struct call *call, const char *name)
{
    struct str value = call_query(call, name);
    return str_eq(value, STR("1")) || str_eq(value, STR("true"));
}

enum err call_limit(struct call *call, uint32_t *limit)
{
    struct str text = call_query(call, "limit");
    int64_t    value = CALL_LIMIT_DEFAULT;
    if (text.ptr != NULL && (str_to_int(text, &value) != OK || value < 1 || value > API_LIMIT_MAX))
        return problem_set(&call->problem, ERR_INPUT, "limit", "This is no number from 1 to 1000.",
                           "Ask for at most 1000 and go on with `cursor`.");
    *limit = (uint32_t)value;
    return OK;
}

enum err call_time(struct call *call, const char *name, int64_t absent, int64_t *out_ms)
{
    struct str text = call_query(call, name);
    if (text.len == 0) {
        *out_ms = absent;
        return OK;
    }
    if (time_parse(text, out_ms) == OK)
        return OK;
    return problem_format(&call->problem, ERR_INPUT, name,
                          "Write it as 2026-01-31 or "
                          "2026-01-31T12:00:00Z.",
                          "\"%.*s\" is no date.", STR_ARG(text));
}

enum err call_body(struct call *call, struct json *out)
{
    struct str body = http_body(call->request);
    *out = (struct json){ .kind = JSON_OBJECT };
    if (str_trim(body).len == 0)
        return OK;
    TRY(json_parse(call->desk->parser, call->arena, body, out, &call->problem));
    if (out->kind == JSON_OBJECT)
        return OK;
    return problem_set(&call->problem, ERR_INPUT, "body", "This is not a JSON object.",
                       "Send an object such as {\"name\":\"value\"}.");
}

uint32_t call_find(const struct engine *engine, struct str who)
{
    uint32_t profile = engine_find(engine, who);
    return profile == PROFILE_NONE ? profile : people_root(engine_people(engine), profile);
}

enum err call_nobody(struct call *call, struct str who)
{
    return problem_format(&call->problem, ERR_ABSENT, "who",
                          "Name a userId, \"anonymous:ID\", "
                          "\"type:ID\" or a profile such as \"p12\".",
                          "Nobody is known as \"%.*s\".", STR_ARG(who));
}

enum err call_render(struct call *call, struct render **out)
{
    const struct api_conf *conf = &call->api->conf;
    struct render_conf     wanted = { .store = core_store(conf->core),
                                      .secrets = conf->secrets,
                                      .public_url = conf->public_url,
                                      .no_tracking = true,
                                      .zones = core_zones(conf->core) };
    if (conf->secrets == NULL || conf->public_url.len == 0)
        return problem_set(&call->problem, ERR_ABSENT, "public_url", "No mail can be made here.",
                           "Set public_url to the address people reach Dult at.");
    if (call->desk->render == NULL)
        TRY(render_open(&call->desk->render, &wanted));
    *out = call->desk->render;
    return OK;
}

/* ---- writing ---- */

void write_time(struct buf *out, bool *first, const char *key, int64_t at_ms)
{
    char text[TIME_TEXT_BYTES];
    if (at_ms == TIME_NEVER || at_ms < TIME_MIN_MS || at_ms > TIME_MAX_MS)
        return;
    json_write_key(out, first, key);
    json_write_str(out, str_of(time_write(at_ms, text)));
}

void write_text(struct buf *out, bool *first, const char *key, struct str text)
{
    if (text.len == 0)
        return;
    json_write_key(out, first, key);
    json_write_str(out, text);
}

void write_int(struct buf *out, bool *first, const char *key, int64_t value)
{
    json_write_key(out, first, key);
    buf_int(out, value);
}

void write_person(struct buf *out, bool *first, const char *key, uint32_t profile)
{
    char id[16];
    write_text(out, first, key, engine_public_id(id, profile));
}

void write_raw(struct buf *out, bool *first, const char *key, struct str json)
{
    json_write_key(out, first, key);
    buf_str(out, json.len == 0 ? STR("null") : json);
}

void write_next(struct buf *out, struct str cursor)
{
    bool first = false;
    buf_char(out, ']');
    json_write_key(out, &first, "next");
    if (cursor.len == 0)
        buf_str(out, STR("null"));
    else
        json_write_str(out, cursor);
    buf_char(out, '}');
}
