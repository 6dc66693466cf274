#include "server/router.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"

enum { ALLOW_BYTES_MAX = 128, HEADERS_MAX = 32 };

/* What the router keeps in a request between admit and handle. */
struct router_note {
    const struct route *route;
    uint64_t            who;
    uint16_t            param_at[ROUTER_PARAMS_MAX], param_len[ROUTER_PARAMS_MAX];
};
_Static_assert(sizeof(struct router_note) <= HTTP_NOTE_BYTES, "the note fits in a request");

struct router {
    struct router_conf conf;
    enum gate_method   methods[ROUTER_ROUTES_MAX];
};

static bool is_param(struct str piece)
{
    return piece.len >= 2 && piece.ptr[0] == '{' && piece.ptr[piece.len - 1] == '}';
}

static bool is_rest(struct str piece)
{
    return is_param(piece) && str_ends(piece, STR("...}"));
}

static enum err check_pattern(struct str pattern)
{
    struct str piece;
    int        pieces = 0, params = 0;
    if (!str_starts(pattern, STR("/")))
        return ERR_INPUT;
    while (str_split(&pattern, '/', &piece)) {
        if (++pieces > ROUTER_PIECES_MAX)
            return ERR_INPUT;
        bool has_brace =
            str_find_char(piece, 0, '{') < piece.len || str_find_char(piece, 0, '}') < piece.len;
        if (has_brace && (!is_param(piece) || ++params > ROUTER_PARAMS_MAX))
            return ERR_INPUT;
        if (is_rest(piece) && pattern.ptr != NULL)
            return ERR_INPUT;
    }
    return OK;
}

/* Two patterns that only differ in the names of their params serve the same paths. */
static bool is_same_pattern(struct str a, struct str b)
{
    struct str left, right;
    for (;;) {
        bool has_left = str_split(&a, '/', &left), has_right = str_split(&b, '/', &right);
        if (!has_left || !has_right)
            return has_left == has_right;
        if (is_param(left) != is_param(right) || is_rest(left) != is_rest(right))
            return false;
        if (!is_param(left) && !str_eq(left, right))
            return false;
    }
}

static enum err check_route(struct router *router, size_t at, struct problem *problem)
{
    const struct route *route = &router->conf.routes[at];
    const char         *remedy = "mend the route table";
    if (!gate_method_parse(str_of(route->method), &router->methods[at]))
        return problem_format(problem, ERR_INPUT, route->pattern, remedy, "unknown method %s",
                              route->method);
    if (check_pattern(str_of(route->pattern)) != OK || route->run == NULL)
        return problem_set(problem, ERR_INPUT, route->pattern, "a bad pattern or no function",
                           remedy);
    if ((route->need == ROUTE_SCOPE) != (route->scope != NULL))
        return problem_set(problem, ERR_INPUT, route->pattern,
                           "a scope is named exactly for ROUTE_SCOPE", remedy);
    for (size_t i = 0; i < at; i++)
        if (router->methods[i] == router->methods[at] &&
            is_same_pattern(str_of(router->conf.routes[i].pattern), str_of(route->pattern)))
            return problem_format(problem, ERR_CONFLICT, route->pattern, remedy,
                                  "%s is routed twice", route->method);
    return OK;
}

enum err router_open(const struct router_conf *conf, struct router **out, struct problem *problem)
{
    if (conf->routes_count > ROUTER_ROUTES_MAX)
        return problem_set(problem, ERR_LIMIT, "routes", "too many routes", "raise the bound");
    struct router *router = calloc(1, sizeof *router);
    if (router == NULL)
        return ERR_MEMORY;
    router->conf = *conf;
    for (size_t i = 0; i < conf->routes_count; i++) {
        enum err err = check_route(router, i, problem);
        if (err != OK) {
            router_close(router);
            return err;
        }
    }
    *out = router;
    return OK;
}

void router_close(struct router *router)
{
    free(router);
}

const struct route *router_routes(const struct router *router, size_t *count)
{
    *count = router->conf.routes_count;
    return router->conf.routes;
}

/* ---- matching ---- */

/* How well a path fits: -1 not at all; else a number that is larger for earlier literal pieces. */
static int64_t fit(struct str pattern, struct str path, struct router_note *note)
{
    struct str  wanted, piece, whole = path;
    int64_t     score = 0;
    int         param = 0;
    const char *base = whole.ptr;

    for (int depth = 0; depth < ROUTER_PIECES_MAX; depth++) {
        bool has_wanted = str_split(&pattern, '/', &wanted);
        if (has_wanted && is_rest(wanted) && path.ptr != NULL) {
            note->param_at[param] = (uint16_t)(path.ptr - base);
            note->param_len[param] = (uint16_t)path.len;
            return score * 3;
        }
        bool has_piece = str_split(&path, '/', &piece);
        if (!has_wanted || !has_piece) {
            if (has_wanted != has_piece)
                return -1;
            for (; depth < ROUTER_PIECES_MAX; depth++)
                score *= 3;
            return score;
        }
        bool is_open = is_param(wanted) && piece.len > 0;
        if (!is_open && !str_eq(wanted, piece))
            return -1;
        if (is_open) {
            note->param_at[param] = (uint16_t)(piece.ptr - base);
            note->param_len[param++] = (uint16_t)piece.len;
        }
        score = score * 3 + (is_open ? 1 : 2);
    }
    return -1;
}

/* The best route for the method; fills *allowed with the methods that the path knows. */
static const struct route *find(const struct router *router, enum gate_method method,
                                struct str path, struct router_note *out, uint32_t *allowed)
{
    const struct route *best = NULL;
    int64_t             best_score = -1;
    *allowed = 0;
    for (size_t i = 0; i < router->conf.routes_count; i++) {
        const struct route *route = &router->conf.routes[i];
        struct router_note  note = { .route = route };
        int64_t             score = fit(str_of(route->pattern), path, &note);
        enum gate_method    serves = router->methods[i];
        if (score < 0)
            continue;
        *allowed |= 1u << serves;
        bool is_wanted = serves == method || (method == GATE_HEAD && serves == GATE_GET);
        if (is_wanted && (score > best_score || (score == best_score && serves == method))) {
            best = route;
            best_score = score;
            *out = note;
        }
    }
    return best;
}

static struct router_note *note_of(struct http_request *request)
{
    return http_note(request);
}

const struct route *route_of(struct http_request *request)
{
    return note_of(request)->route;
}

uint64_t route_who(struct http_request *request)
{
    return note_of(request)->who;
}

struct str route_param_raw(struct http_request *request, const char *name)
{
    struct router_note *note = note_of(request);
    struct str          pattern = str_of(note->route == NULL ? NULL : note->route->pattern), piece;
    int                 at = 0;
    while (str_split(&pattern, '/', &piece)) {
        if (!is_param(piece))
            continue;
        struct str found = str_slice(piece, 1, piece.len - (is_rest(piece) ? 4 : 1));
        if (str_eq(found, str_of(name)))
            return str_slice(http_path(request), note->param_at[at],
                             (size_t)note->param_at[at] + note->param_len[at]);
        at++;
    }
    return STR_NONE;
}

bool route_param(struct http_request *request, const char *name, struct buf *out)
{
    struct str raw = route_param_raw(request, name);
    return raw.ptr != NULL && percent_read(out, raw, false) == OK;
}

/* ---- CORS ---- */

size_t route_cors_headers(struct http_request *request, struct http_header *out)
{
    const struct route *route = route_of(request);
    struct str          origin = http_header(request, STR("origin"));
    if (route == NULL || route->cors == ROUTE_CORS_NONE || origin.len == 0)
        return 0;
    out[0] = (struct http_header){ STR("Access-Control-Allow-Origin"), origin };
    out[1] = (struct http_header){ STR("Access-Control-Allow-Credentials"), STR("true") };
    out[2] = (struct http_header){ STR("Vary"), STR("Origin") };
    return ROUTE_CORS_HEADERS;
}

static void write_methods(struct buf *out, uint32_t allowed)
{
    bool is_first = true;
    if ((allowed & 1u << GATE_GET) != 0)
        allowed |= 1u << GATE_HEAD;
    allowed |= 1u << GATE_OPTIONS;
    for (int i = 0; i < GATE_METHODS; i++) {
        if ((allowed & 1u << i) == 0)
            continue;
        if (!is_first)
            buf_str(out, STR(", "));
        buf_str(out, gate_method_name((enum gate_method)i));
        is_first = false;
    }
}

/* A browser asks before it sends; other routes just say what they allow. */
static void reply_options(struct http_request *request, struct str methods)
{
    struct http_header headers[ROUTE_CORS_HEADERS + 4];
    size_t             count = route_cors_headers(request, headers);
    if (count > 0) {
        headers[count++] = (struct http_header){ STR("Access-Control-Allow-Methods"), methods };
        headers[count++] =
            (struct http_header){ STR("Access-Control-Allow-Headers"),
                                  STR("authorization, content-type, x-retry-count, revision") };
        headers[count++] = (struct http_header){ STR("Access-Control-Max-Age"), STR("86400") };
    }
    headers[count++] = (struct http_header){ STR("Allow"), methods };
    http_reply(request,
               &(struct http_answer){ .status = 204, .headers = headers, .headers_count = count });
}
_Static_assert(ROUTER_CORS_MAX_AGE_S == 86400, "written out in reply_options");

void route_reply(struct http_request *request, const struct http_answer *answer)
{
    struct http_header headers[HEADERS_MAX];
    struct http_answer whole = *answer;
    assert(answer->headers_count + ROUTE_CORS_HEADERS <= HEADERS_MAX);
    size_t count = route_cors_headers(request, headers);
    for (size_t i = 0; i < answer->headers_count; i++)
        headers[count++] = answer->headers[i];
    whole.headers = headers;
    whole.headers_count = count;
    http_reply(request, &whole);
}

void route_reply_problem(struct http_request *request, int status, const char *code,
                         const struct problem *problem)
{
    struct http_header headers[ROUTE_CORS_HEADERS + 1];
    size_t             count = route_cors_headers(request, headers);
    if (status == 429 || status == 503)
        headers[count++] = (struct http_header){ STR("Retry-After"), STR("5") };
    else if (status == 401)
        headers[count++] =
            (struct http_header){ STR("WWW-Authenticate"), STR("Bearer realm=\"dult\"") };
    http_reply_problem(request, status, code, problem, headers, count);
}

/* ---- for the server ---- */

static int64_t not_found(struct http_request *request, uint32_t allowed)
{
    struct problem problem = { 0 };
    char           where[sizeof problem.where];
    str_to_cstr(http_path(request), where, sizeof where);
    if (allowed == 0) {
        (void)!problem_set(&problem, ERR_ABSENT, where, "there is nothing at this address",
                           "compare it with the API's description at /api/v1/openapi.json");
        http_reply_problem(request, 404, "absent", &problem, NULL, 0);
        return -1;
    }
    SCOPED(buf_donep) struct buf methods = buf_make(ALLOW_BYTES_MAX);
    write_methods(&methods, allowed);
    struct http_header allow = { STR("Allow"), buf_view(&methods) };
    (void)!problem_format(&problem, ERR_INPUT, where, "use one of the methods in Allow",
                          "%.*s is not served here",
                          STR_ARG(gate_method_name(http_method(request))));
    http_reply_problem(request, 405, "input", &problem, &allow, 1);
    return -1;
}

static int64_t answer_options(const struct router *router, struct http_request *request,
                              uint32_t allowed)
{
    SCOPED(buf_donep) struct buf methods = buf_make(ALLOW_BYTES_MAX);
    struct router_note          *note = note_of(request);
    uint32_t                     ignored;
    /* The policy is that of the route the browser is asking for, or of any at this path. */
    struct str       asked = http_header(request, STR("access-control-request-method"));
    enum gate_method method = GATE_POST;
    if (!gate_method_parse(asked, &method) || (allowed & 1u << method) == 0)
        while ((allowed & 1u << method) == 0)
            method = (enum gate_method)((method + 1) % GATE_METHODS);
    if (find(router, method, http_path(request), note, &ignored) == NULL)
        note->route = NULL;
    write_methods(&methods, allowed);
    reply_options(request, buf_view(&methods));
    return -1;
}

static int64_t denied(struct http_request *request, enum err why, struct problem *problem)
{
    int status = why == ERR_DENIED ? 403 : why == ERR_WAIT ? 429 : 401;
    if (problem->what[0] == '\0')
        (void)!problem_set(problem, why, "authorization", "this address needs a key",
                           "send Authorization: Bearer with a key that has the right scope");
    route_reply_problem(request, status, err_name(why == ERR_WAIT ? ERR_WAIT : ERR_DENIED),
                        problem);
    return -1;
}

int64_t router_admit(void *context, struct http_request *request)
{
    struct router      *router = context;
    struct router_note *note = note_of(request);
    struct problem      problem = { 0 };
    uint32_t            allowed;

    const struct route *route =
        find(router, http_method(request), http_path(request), note, &allowed);
    if (route == NULL) {
        note->route = NULL;
        if (allowed != 0 && http_method(request) == GATE_OPTIONS)
            return answer_options(router, request, allowed);
        return not_found(request, allowed);
    }
    if (route->need != ROUTE_OPEN && !http_is_local(request)) {
        enum err err = router->conf.authorize == NULL
                           ? ERR_INPUT
                           : router->conf.authorize(router->conf.context, request, route,
                                                    &note->who, &problem);
        if (err != OK)
            return denied(request, err, &problem);
    }
    return route->body_bytes_max == 0 ? HTTP_BODY_BYTES_MAX : (int64_t)route->body_bytes_max;
}

void router_handle(void *context, struct http_request *request)
{
    struct router *router = context;
    route_of(request)->run(router->conf.context, request);
}
