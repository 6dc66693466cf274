#include "intake/collect.h"

#include "base/encode.h"
#include "intake/event.h"
#include "intake/tree.h"

#include <stdlib.h>

/* Room for the longest body before it is known how long it is; see body_write in event.c. */
enum { SCRATCH_BYTES_MAX = 4 * TREE_BOUND_FACTOR * MESSAGE_BYTES_MAX };

struct collect_parser {
    struct json_parser *json;
    struct buf          scratch;
};

struct collect_parser *collect_parser_open(void)
{
    struct collect_parser *parser = calloc(1, sizeof *parser);
    if (parser == NULL)
        return NULL;
    parser->json = json_parser_open();
    parser->scratch = buf_make(SCRATCH_BYTES_MAX);
    if (parser->json == NULL) {
        collect_parser_close(parser);
        return NULL;
    }
    return parser;
}

void collect_parser_close(struct collect_parser *parser)
{
    if (parser == NULL)
        return;
    json_parser_close(parser->json);
    buf_done(&parser->scratch);
    free(parser);
}

void collect_parser_closep(struct collect_parser **parser)
{
    collect_parser_close(*parser);
}

enum err collect_route_parse(struct str path, enum collect_route *out)
{
    static const struct {
        const char        *path;
        enum collect_route route;
    } routes[] = {
        { "/v1/batch", COLLECT_BATCH },       { "/v1/track", COLLECT_TRACK },
        { "/v1/identify", COLLECT_IDENTIFY }, { "/v1/page", COLLECT_PAGE },
        { "/v1/screen", COLLECT_SCREEN },     { "/v1/group", COLLECT_GROUP },
        { "/v1/alias", COLLECT_ALIAS },       { "/v1/import", COLLECT_IMPORT },
        { "/v1/b", COLLECT_BATCH },           { "/v1/t", COLLECT_TRACK },
        { "/v1/i", COLLECT_IDENTIFY },        { "/v1/p", COLLECT_PAGE },
        { "/v1/s", COLLECT_SCREEN },          { "/v1/g", COLLECT_GROUP },
        { "/v1/a", COLLECT_ALIAS },           { "/v1/m", COLLECT_METRICS },
    };
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (str_eq(path, str_of(routes[i].path))) {
            *out = routes[i].route;
            return OK;
        }
    return ERR_ABSENT;
}

static bool is_batch(enum collect_route route)
{
    return route == COLLECT_BATCH || route == COLLECT_IMPORT;
}

static enum arrival_kind route_kind(enum collect_route route)
{
    static const enum arrival_kind kinds[] = {
        [COLLECT_TRACK] = ARRIVAL_TRACK, [COLLECT_IDENTIFY] = ARRIVAL_IDENTIFY,
        [COLLECT_PAGE] = ARRIVAL_PAGE,   [COLLECT_SCREEN] = ARRIVAL_SCREEN,
        [COLLECT_GROUP] = ARRIVAL_GROUP, [COLLECT_ALIAS] = ARRIVAL_ALIAS,
    };
    return kinds[route];
}

/* The outer context or integrations of a batch: settled, bounded, or NULL. */
static enum err outer_take(const struct event_desk *desk, const struct json *root, const char *key,
                           const struct json **out, struct problem *problem)
{
    struct json *outer = (struct json *)(uintptr_t)json_get(root, str_of(key));
    size_t       bytes = 0;
    *out = NULL;
    if (outer == NULL || outer->kind == JSON_NULL)
        return OK;
    if (outer->kind != JSON_OBJECT)
        return problem_set(problem, ERR_INPUT, key, "This is not a JSON object.",
                           "Send an object here, or leave it out.");
    TRY(tree_settle(desk->arena, desk->name_seed[0], outer, &bytes));
    if (outer->count > OUTER_KEYS_MAX || bytes > TREE_BOUND_FACTOR * (size_t)OUTER_BYTES_MAX)
        return problem_format(problem, ERR_LIMIT, key, "Move what is long into the events.",
                              "What a whole batch shares has at most %d keys and %d bytes.",
                              (int)OUTER_KEYS_MAX, (int)OUTER_BYTES_MAX);
    buf_reset(desk->scratch);
    char *start = buf_reserve(desk->scratch, bytes);
    if (start == NULL)
        return ERR_MEMORY;
    if (tree_put(start, outer) - start > OUTER_BYTES_MAX)
        return problem_format(problem, ERR_LIMIT, key, "Move what is long into the events.",
                              "What a whole batch shares has at most %d bytes.",
                              (int)OUTER_BYTES_MAX);
    *out = outer;
    return OK;
}

static enum err desk_set(struct event_desk *desk, const struct json *root, struct problem *problem)
{
    const struct json *sent = json_get(root, STR("sentAt"));
    TRY(outer_take(desk, root, "context", &desk->context, problem));
    TRY(outer_take(desk, root, "integrations", &desk->integrations, problem));
    desk->has_sent = sent != NULL && event_time(sent, &desk->sent_ms);
    desk->historical = desk->historical || json_get_bool(root, STR("historical"), false);
    return OK;
}

static enum err item_take(const struct event_desk *desk, const struct event_item *item,
                          struct collect_result *result)
{
    enum event_verdict      verdict;
    struct arrival          record; /* kept out of the array until it is taken */
    struct arrival_refused *refused = &result->refused[result->refused_count];
    if (item->index >= BATCH_EVENTS_MAX) {
        if (item->index >= BATCH_EVENTS_MAX + SURPLUS_LISTED_MAX) {
            result->unlisted_count++;
            return OK;
        }
        result->refused_count++;
        return event_refuse_surplus(desk, item, refused);
    }
    TRY(event_judge(desk, item, &record, refused, &verdict));
    if (verdict == EVENT_TAKEN)
        result->records[result->records_count++] = record;
    result->refused_count += verdict == EVENT_REFUSED;
    result->dropped_count += verdict == EVENT_DROPPED;
    return OK;
}

static enum err items_take(const struct event_desk *desk, const struct json *items, uint32_t count,
                           struct collect_result *result)
{
    const uint32_t listed_max = BATCH_EVENTS_MAX + SURPLUS_LISTED_MAX;
    result->items_count = count;
    result->records = ARENA_ARRAY(desk->arena, count < BATCH_EVENTS_MAX ? count : BATCH_EVENTS_MAX,
                                  struct arrival);
    /* One more than needed, so that a place to refuse into is always there. */
    result->refused = ARENA_ARRAY(desk->arena, (count < listed_max ? count : listed_max) + 1,
                                  struct arrival_refused);
    if (result->records == NULL || result->refused == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        struct event_item item = { .message = (struct json *)(uintptr_t)&items[i], .index = i };
        TRY(item_take(desk, &item, result));
    }
    return OK;
}

static enum err batch_take(struct event_desk *desk, const struct json *root,
                           struct collect_result *result, struct problem *problem)
{
    const struct json *batch = json_get(root, STR("batch"));
    if (batch == NULL || batch->kind != JSON_ARRAY)
        return problem_set(problem, ERR_INPUT, "batch", "The body has no list named batch.",
                           "Send {\"batch\":[...]} with one event an item.");
    TRY(desk_set(desk, root, problem));
    return items_take(desk, batch->items, batch->count, result);
}

static enum err single_take(const struct event_desk *desk, struct json *root,
                            enum collect_route route, struct collect_result *result,
                            struct problem *problem)
{
    struct event_item item = { .message = root, .has_kind = true, .kind = route_kind(route) };
    result->items_count = 1;
    result->records = ARENA_NEW(desk->arena, struct arrival);
    result->refused = ARENA_NEW(desk->arena, struct arrival_refused);
    if (result->records == NULL || result->refused == NULL)
        return ERR_MEMORY;
    TRY(item_take(desk, &item, result));
    if (result->refused_count == 1 && str_eq(result->refused[0].reason, STR("too_large")))
        return problem_format(problem, ERR_LIMIT, "body", "Send events of at most 32 KB.",
                              "This event is larger than %d bytes.", (int)MESSAGE_BYTES_MAX);
    return OK;
}

static enum err root_read(struct collect_parser *parser, struct arena *arena, struct str body,
                          struct json **out, struct problem *problem)
{
    if (body.len > REQUEST_BYTES_MAX)
        return problem_format(problem, ERR_LIMIT, "body", "Send smaller batches.",
                              "The body is larger than %d bytes.", (int)REQUEST_BYTES_MAX);
    struct json *root = ARENA_NEW(arena, struct json);
    if (root == NULL)
        return ERR_MEMORY;
    TRY(json_parse(parser->json, arena, body, root, problem));
    if (root->kind != JSON_OBJECT)
        return problem_set(problem, ERR_INPUT, "body", "The body is not a JSON object.",
                           "Send one JSON object.");
    *out = root;
    return OK;
}

enum err collect_parse(struct collect_parser *parser, struct arena *arena,
                       const struct collect_request *request, struct collect_result *out,
                       struct problem *problem)
{
    struct collect_result result = { 0 };
    struct json          *root = NULL;
    struct event_desk     desk = {
            .arena = arena,
            .scratch = &parser->scratch,
            .name_seed = { request->name_seed[0], request->name_seed[1] },
            .received_ms = request->received_ms,
            .source = request->source,
            .historical = request->route == COLLECT_IMPORT,
            .client_side = request->client_side,
            .client_ip = request->client_ip,
    };
    if (request->route == COLLECT_METRICS) {
        *out = result;
        return OK;
    }
    TRY(root_read(parser, arena, request->body, &root, problem));
    result.write_key = str_trim(json_get_str(root, STR("writeKey")));
    if (is_batch(request->route))
        TRY(batch_take(&desk, root, &result, problem));
    else
        TRY(single_take(&desk, root, request->route, &result, problem));
    *out = result;
    return OK;
}

static void pair_write(struct buf *out, const char *key, struct str value)
{
    buf_char(out, ',');
    json_write_str(out, str_of(key));
    buf_char(out, ':');
    json_write_str(out, value);
}

void collect_answer_write(struct buf *out, const struct collect_result *result)
{
    buf_format(out, "{\"success\":true,\"accepted\":%u,\"rejected\":[",
               result->records_count + result->dropped_count);
    for (uint32_t i = 0; i < result->refused_count; i++) {
        const struct arrival_refused *refused = &result->refused[i];
        buf_format(out, "%s{\"index\":%u", i > 0 ? "," : "", refused->index);
        pair_write(out, "field", refused->field);
        pair_write(out, "reason", refused->reason);
        pair_write(out, "remedy", refused->remedy);
        if (refused->message_id.len > 0)
            pair_write(out, "messageId", refused->message_id);
        buf_char(out, '}');
    }
    buf_char(out, ']');
    if (result->unlisted_count > 0)
        buf_format(out, ",\"rejectedUnlisted\":%u", result->unlisted_count);
    buf_char(out, '}');
}

void collect_settings_write(struct buf *out, struct str write_key, struct collect_host host)
{
    /* Just one integration keeps analytics.js from fetching bundles; metrics would be dropped. */
    buf_str(out, STR("{\"integrations\":{\"Segment.io\":{\"apiKey\":"));
    json_write_str(out, write_key);
    pair_write(out, "apiHost", host.api_host);
    pair_write(out, "protocol", host.protocol);
    buf_str(out, STR("}},\"metrics\":{\"sampleRate\":0}}"));
}

/* Keys are printable ASCII. */
static bool has_odd_byte(struct str key)
{
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] <= ' ' || key.ptr[i] > '~')
            return true;
    return false;
}

enum err collect_key_of_header(struct arena *arena, struct str authorization, struct str *out)
{
    enum { KEY_BYTES_MAX = 256 };
    struct str                   rest = str_trim(authorization), scheme;
    SCOPED(buf_donep) struct buf text = buf_make(KEY_BYTES_MAX);
    if (rest.len == 0)
        return ERR_ABSENT;
    if (!str_split(&rest, ' ', &scheme))
        return ERR_INPUT;
    if (str_eq_nocase(scheme, STR("bearer")))
        return ERR_ABSENT;
    if (!str_eq_nocase(scheme, STR("basic")))
        return ERR_INPUT;
    TRY(base64_read(&text, str_trim(rest)));
    TRY(buf_err(&text));
    struct str key = buf_view(&text);
    key = str_slice(key, 0, str_find_char(key, 0, ':'));
    if (key.len == 0 || has_odd_byte(key))
        return ERR_INPUT;
    *out = str_copy(arena, key);
    return out->ptr == NULL ? ERR_MEMORY : OK;
}
