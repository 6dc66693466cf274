/* Events in: the Segment routes, answered when they are on disk, and the bulk import. */
#include "run/api/api_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "intake/event.h"
#include "intake/inflate.h"
#include "run/geo.h"

enum {
    ANSWER_BYTES_MAX = 4 << 20,
    SCRATCH_BYTES_MAX = 1 << 20,
    HOST_BYTES_MAX = 300,
};

/* What a task needs to answer its request. */
struct posting {
    struct http_request *request;
    struct str           answer;
};

/* ---- what each thread keeps: a parser, and what names messages without an id ---- */

struct kept {
    struct collect_parser *parser;
    uint64_t               seed, requests;
};

static pthread_key_t  kept_key;
static pthread_once_t kept_once = PTHREAD_ONCE_INIT;

static void kept_close(void *context)
{
    struct kept *kept = context;
    collect_parser_close(kept->parser);
    free(kept);
}

static void kept_key_make(void)
{
    (void)pthread_key_create(&kept_key, kept_close);
}

static struct kept *kept_here(void)
{
    (void)pthread_once(&kept_once, kept_key_make);
    struct kept *kept = pthread_getspecific(kept_key);
    if (kept != NULL)
        return kept;
    kept = calloc(1, sizeof *kept);
    if (kept == NULL)
        return NULL;
    kept->parser = collect_parser_open();
    kept->seed = hash_random_seed();
    if (kept->parser == NULL || pthread_setspecific(kept_key, kept) != 0) {
        kept_close(kept);
        return NULL;
    }
    return kept;
}

/* ---- from arrivals to entries ---- */

static const enum record_kind kinds[ARRIVAL_KINDS] = {
    [ARRIVAL_TRACK] = RECORD_TRACK, [ARRIVAL_IDENTIFY] = RECORD_IDENTIFY,
    [ARRIVAL_PAGE] = RECORD_PAGE,   [ARRIVAL_SCREEN] = RECORD_SCREEN,
    [ARRIVAL_GROUP] = RECORD_GROUP, [ARRIVAL_ALIAS] = RECORD_ALIAS,
};
_Static_assert((int)ARRIVAL_HISTORICAL == (int)RECORD_HISTORICAL, "flags are compared below");

static struct entry entry_of(const struct geo *geo, const struct arrival *a)
{
    bool has_traits = a->kind == ARRIVAL_IDENTIFY || a->kind == ARRIVAL_GROUP;
    return (struct entry){
        .record = { .kind = kinds[a->kind],
                    .flags = (a->flags & ARRIVAL_HISTORICAL) != 0 ? RECORD_HISTORICAL : 0,
                    .source = (uint16_t)a->source,
                    .at_ms = a->at_ms,
                    .received_ms = a->received_ms,
                    .name = a->name,
                    .user_id = a->user_id,
                    .anonymous_id = a->anonymous_id,
                    .previous_id = a->previous_id,
                    .properties = has_traits ? a->traits : a->properties,
                    .context = a->context,
                    .country = geo_country(geo, json_get_str(a->context, STR("ip"))) },
        .message_id = a->message_id,
        .body = a->body,
    };
}

static enum err rejected_fill(struct task *task, const struct arrival_refused *refused,
                              uint32_t count, int64_t received_ms, uint32_t source)
{
    struct store_rejected *rows = ARENA_ARRAY(task->arena, count, struct store_rejected);
    if (rows == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        rows[i] = (struct store_rejected){ .received_ms = received_ms,
                                           .source = source,
                                           .reason = refused[i].reason,
                                           .field = refused[i].field,
                                           .remedy = refused[i].remedy,
                                           .message_id = refused[i].message_id,
                                           .body = refused[i].event };
    task->rejected = rows;
    task->rejected_count = count;
    return OK;
}

static enum err task_fill(struct task *task, const struct geo *geo,
                          const struct collect_result *result, int64_t received_ms, uint32_t source)
{
    task->entries = ARENA_ARRAY(task->arena, result->records_count, struct entry);
    if (task->entries == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < result->records_count; i++)
        task->entries[i] = entry_of(geo, &result->records[i]);
    task->entries_count = result->records_count;
    return rejected_fill(task, result->refused, result->refused_count, received_ms, source);
}

static enum err answer_keep(struct arena *arena, const struct collect_result *result,
                            struct str *out)
{
    SCOPED(buf_donep) struct buf text = buf_make(ANSWER_BYTES_MAX);
    collect_answer_write(&text, result);
    TRY(buf_err(&text));
    *out = str_copy(arena, buf_view(&text));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

/* ---- the Segment routes ---- */

static enum err body_read(struct http_request *request, struct buf *room, struct str *out,
                          struct problem *problem)
{
    enum inflate_coding coding;
    struct str          body = http_body(request);
    if (inflate_coding_parse(http_header(request, STR("content-encoding")), &coding) != OK)
        return problem_set(problem, ERR_INPUT, "content-encoding",
                           "This coding is not spoken "
                           "here.",
                           "Send gzip, deflate or the plain body.");
    bool is_gzip = body.len >= 2 && memcmp(body.ptr, "\x1f\x8b", 2) == 0;
    *out = body;
    if (coding == INFLATE_IDENTITY && !is_gzip)
        return OK;
    TRY(inflate_body(coding, body, room, problem));
    *out = buf_view(room);
    return OK;
}

static enum err key_settle(struct api *api, struct http_request *request,
                           struct collect_result *result, uint32_t *source, struct problem *problem)
{
    if (*source != 0)
        return OK;
    *source = keys_write_key(api, result->write_key);
    for (uint32_t i = 0; i < result->records_count; i++)
        result->records[i].source = *source;
    if (*source != 0 || (http_is_local(request) && result->write_key.len == 0))
        return OK;
    return problem_set(problem, ERR_DENIED, "writeKey",
                       result->write_key.len == 0 ? "There is no write key in this request."
                                                  : "This is not a write key of ours.",
                       "Make one with `dult key create --kind write`, and send it as the user name "
                       "of Basic authentication or as \"writeKey\" in the body.");
}

static void posting_done(struct task *task)
{
    struct posting    *posting = task->context;
    struct http_answer answer = { .status = 200,
                                  .type = STR("application/json"),
                                  .body = posting->answer };
    if (task->refused > 0 && task->taken == 0 && task->duplicates == 0)
        api_problem_reply(posting->request, task->err, &task->problem);
    else
        route_reply(posting->request, &answer);
}

static enum err posting_parse(struct api *api, struct http_request *request, struct task *task,
                              struct problem *problem)
{
    SCOPED(buf_donep) struct buf room = buf_make(REQUEST_BYTES_MAX);
    struct posting              *posting = task->context;
    struct kept                 *kept = kept_here();
    struct collect_result        result;
    struct collect_request       asked = { .received_ms = time_now_ms(),
                                           .source = (uint32_t)route_who(request),
                                           .client_ip =
                                         http_is_local(request) ? STR_NONE : http_peer(request) };
    if (kept == NULL)
        return ERR_MEMORY;
    asked.name_seed[0] = kept->seed;
    asked.name_seed[1] = ++kept->requests;
    TRY(collect_route_parse(http_path(request), &asked.route));
    TRY(body_read(request, &room, &asked.body, problem));
    TRY(collect_parse(kept->parser, task->arena, &asked, &result, problem));
    TRY(key_settle(api, request, &result, &asked.source, problem));
    TRY(task_fill(task, api->conf.geo, &result, asked.received_ms, asked.source));
    return answer_keep(task->arena, &result, &posting->answer);
}

static enum err posting_submit(struct api *api, struct http_request *request,
                               struct problem *problem)
{
    struct arena *arena = arena_open(REQUEST_ARENA_BYTES_MAX);
    if (arena == NULL)
        return ERR_MEMORY;
    struct task    *task = ARENA_NEW(arena, struct task);
    struct posting *posting = ARENA_NEW(arena, struct posting);
    enum err        err = ERR_MEMORY;
    if (task != NULL && posting != NULL) {
        *posting = (struct posting){ .request = request };
        *task = (struct task){ .arena = arena, .done = posting_done, .context = posting };
        err = posting_parse(api, request, task, problem);
    }
    bool gpc = str_eq(str_trim(http_header(request, STR("Sec-GPC"))), STR("1"));
    for (uint32_t i = 0; err == OK && gpc && i < task->entries_count; i++)
        task->entries[i].record.flags |= RECORD_GPC;
    if (err == OK)
        err = core_submit(api->conf.core, task);
    if (err != OK)
        arena_close(arena);
    return err;
}

void collect_post(void *context, struct http_request *request)
{
    struct api        *api = context;
    struct problem     problem = { 0 };
    enum collect_route route;
    if (collect_route_parse(http_path(request), &route) == OK && route == COLLECT_METRICS) {
        route_reply(request, &(struct http_answer){ .status = 200,
                                                    .type = STR("application/json"),
                                                    .body = STR("{\"success\":true}") });
        return;
    }
    enum err err = posting_submit(api, request, &problem);
    if (err == ERR_DENIED)
        route_reply_problem(request, 401, err_name(err), &problem);
    else if (err != OK)
        api_problem_reply(request, err, &problem);
}

/* ---- the settings of analytics.js ---- */

static struct collect_host host_of(struct api *api, struct http_request *request, struct buf *room)
{
    struct str url = api->conf.public_url, scheme = http_scheme(request), host = http_host(request);
    if (url.len > 0) {
        size_t end = str_find(url, 0, STR("://"));
        scheme = str_slice(url, 0, end);
        host = str_slice(url, end + 3, url.len);
    }
    buf_str(room, host);
    buf_str(room, STR("/v1"));
    return (struct collect_host){ .api_host = buf_view(room), .protocol = scheme };
}

void collect_settings(void *context, struct http_request *request)
{
    struct api                  *api = context;
    SCOPED(buf_donep) struct buf key = buf_make(AUTH_SECRET_BYTES_MAX);
    SCOPED(buf_donep) struct buf room = buf_make(HOST_BYTES_MAX);
    SCOPED(buf_donep) struct buf out = buf_make(ANSWER_BYTES_MAX);
    struct problem               problem = { 0 };
    if (!route_param(request, "writeKey", &key) || keys_write_key(api, buf_view(&key)) == 0) {
        (void)!problem_set(&problem, ERR_ABSENT, "writeKey", "This is not a write key of ours.",
                           "Make one with `dult key create --kind write`.");
        api_problem_reply(request, ERR_ABSENT, &problem);
        return;
    }
    collect_settings_write(&out, buf_view(&key), host_of(api, request, &room));
    if (buf_err(&out) != OK) {
        api_problem_reply(request, buf_err(&out), &problem);
        return;
    }
    route_reply(request, &(struct http_answer){ .status = 200,
                                                .type = STR("application/json"),
                                                .body = buf_view(&out) });
}

/* ---- bulk import ---- */

static enum err import_judge(struct call *call, const struct event_desk *desk,
                             const struct json *items, struct collect_result *result)
{
    result->items_count = items->count;
    result->records = ARENA_ARRAY(call->arena, items->count, struct arrival);
    result->refused = ARENA_ARRAY(call->arena, items->count, struct arrival_refused);
    if (result->records == NULL || result->refused == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < items->count; i++) {
        struct event_item  item = { .message = (struct json *)&items->items[i], .index = i };
        enum event_verdict verdict;
        TRY(event_judge(desk, &item, &result->records[result->records_count],
                        &result->refused[result->refused_count], &verdict));
        result->records_count += verdict == EVENT_TAKEN;
        result->refused_count += verdict == EVENT_REFUSED;
        result->dropped_count += verdict == EVENT_DROPPED;
    }
    return OK;
}

static enum err import_items(struct call *call, const struct json **out)
{
    struct json *body = ARENA_NEW(call->arena, struct json);
    if (body == NULL)
        return ERR_MEMORY;
    TRY(call_body(call, body));
    const struct json *items = json_get(body, STR("records"));
    if (items == NULL)
        items = json_get(body, STR("batch"));
    if (items == NULL || items->kind != JSON_ARRAY)
        return problem_set(&call->problem, ERR_INPUT, "records", "There is no list of records.",
                           "Send {\"records\":[{\"type\":\"track\",\"userId\":..,\"event\":..}]}.");
    if (items->count > API_IMPORT_EVENTS_MAX)
        return problem_set(&call->problem, ERR_LIMIT, "records", "More than 20,000 records.",
                           "Send them in several requests.");
    *out = items;
    return OK;
}

static void import_answer(struct call *call, const struct task *task,
                          const struct collect_result *result)
{
    bool first = true;
    buf_char(&call->out, '{');
    write_int(&call->out, &first, "accepted", task->taken);
    write_int(&call->out, &first, "older", task->older);
    write_int(&call->out, &first, "duplicates", task->duplicates);
    write_int(&call->out, &first, "dropped", result->dropped_count);
    json_write_key(&call->out, &first, "rejected");
    buf_char(&call->out, '[');
    for (uint32_t i = 0; i < result->refused_count && i < API_LIMIT_MAX; i++) {
        const struct arrival_refused *refused = &result->refused[i];
        bool                          start = true;
        buf_str(&call->out, i == 0 ? STR("{") : STR(",{"));
        write_int(&call->out, &start, "index", refused->index);
        write_text(&call->out, &start, "messageId", refused->message_id);
        write_text(&call->out, &start, "field", refused->field);
        write_text(&call->out, &start, "reason", refused->reason);
        write_text(&call->out, &start, "remedy", refused->remedy);
        buf_char(&call->out, '}');
    }
    buf_char(&call->out, ']');
    write_int(&call->out, &first, "rejectedCount", result->refused_count);
    buf_char(&call->out, '}');
}

enum err import_post(struct call *call)
{
    SCOPED(buf_donep) struct buf scratch = buf_make(SCRATCH_BYTES_MAX);
    const struct json           *items = NULL;
    struct collect_result        result = { 0 };
    struct task                  task = { .arena = call->arena };
    struct event_desk            desk = { .arena = call->arena,
                                          .scratch = &scratch,
                                          .received_ms = time_now_ms(),
                                          .name_seed = { hash_random_seed(), hash_random_seed() },
                                          .historical = !call_flag(call, "live") };
    TRY(import_items(call, &items));
    TRY(import_judge(call, &desk, items, &result));
    TRY(task_fill(&task, call->api->conf.geo, &result, desk.received_ms, 0));
    TRY(core_run(call->api->conf.core, &task));
    if (task.refused > 0) {
        call->problem = task.problem;
        return task.err;
    }
    import_answer(call, &task, &result);
    return OK;
}
