#include "server/router.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "server/asset.h"

enum { TEXT_BYTES = 8192 };

/* Each route tells its pattern and its first param, so that a test sees which one was chosen. */
static void run_tell(void *context, struct http_request *request)
{
    SCOPED(buf_donep) struct buf out = buf_make(1000);
    (void)context;
    buf_format(&out, "%s who=%d ", route_of(request)->pattern, (int)route_who(request));
    if (!route_param(request, "id", &out))
        buf_str(&out, route_param_raw(request, "rest"));
    route_reply(request, &(struct http_answer){ .status = 200, .body = buf_view(&out) });
}

static const struct asset ASSETS[] = {
    { "/ui/app.js", "text/javascript", NULL, true, { "plain!", 6 }, { "gz", 2 }, { NULL, 0 } },
    { "/ui/", "text/html; charset=utf-8", "\"v1\"", false, { "<p>", 3 }, { NULL, 0 }, { NULL, 0 } },
};
static struct assets *assets;

static void run_asset(void *context, struct http_request *request)
{
    struct problem problem = { .what = "no such file", .remedy = "look at /ui/" };
    (void)context;
    if (!assets_reply(assets, request, http_path(request)))
        route_reply_problem(request, 404, "absent", &problem);
}

static const struct route ROUTES[] = {
    { "POST", "/v1/batch", run_tell, .need = ROUTE_WRITE_KEY, .cors = ROUTE_CORS_EVENTS,
      .body_bytes_max = 10 },
    { "GET", "/api/people/{id}", run_tell, .need = ROUTE_OPEN },
    { "GET", "/api/people/new", run_tell, .need = ROUTE_OPEN },
    { "DELETE", "/api/people/{id}", run_tell, .need = ROUTE_SCOPE, .scope = "api:people:write" },
    { "GET", "/api/{rest...}", run_tell, .need = ROUTE_OPEN },
    { "GET", "/ui/{rest...}", run_asset, .need = ROUTE_OPEN },
};

static enum err authorize(void *context, struct http_request *request, const struct route *route,
                          uint64_t *who, struct problem *problem)
{
    struct str key = http_header(request, STR("authorization"));
    (void)context, (void)problem;
    *who = 7;
    if (str_eq(key, STR("busy")))
        return ERR_WAIT;
    if (route->need == ROUTE_SCOPE && str_eq(key, STR("reader")))
        return ERR_DENIED;
    return key.len > 0 ? OK : ERR_INPUT;
}

static char text[TEXT_BYTES];

/* Asks a server of ROUTES once; the whole answer is in `text`. */
static int ask(const char *line, const char *headers, const char *body)
{
    struct router      *router = NULL;
    struct http_server *server = NULL;
    struct router_conf  routes = { ROUTES, sizeof ROUTES / sizeof ROUTES[0], authorize, NULL };
    struct sockaddr_in  address = { .sin_family = AF_INET };
    size_t              len = 0;
    ssize_t             got;

    assert_ok(router_open(&routes, &router, NULL));
    assert_ok(assets_open(ASSETS, 2, &assets));
    struct http_conf conf = { .address = "127.0.0.1",
                              .loops = 1,
                              .context = router,
                              .admit = router_admit,
                              .handle = router_handle };
    assert_ok(http_open(&conf, &server, NULL));
    address.sin_port = htons((uint16_t)http_port(server));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    dprintf(fd, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s",
            line, strlen(body), headers, body);
    while ((got = recv(fd, text + len, sizeof text - 1 - len, 0)) > 0)
        len += (size_t)got;
    text[len] = '\0';
    close(fd);
    http_close(server);
    router_close(router);
    assets_close(assets);
    return atoi(text + 9);
}

static bool told(const char *part)
{
    return strstr(text, part) != NULL;
}

TEST(router, a_literal_beats_a_param_and_a_param_beats_the_rest)
{
    assert_int_equal(ask("GET /api/people/new", "", ""), 200);
    assert_true(told("\r\n\r\n/api/people/new who=0 "));
    assert_int_equal(ask("GET /api/people/a%2Fb?x=1", "", ""), 200);
    assert_true(told("\r\n\r\n/api/people/{id} who=0 a/b"));
    assert_int_equal(ask("GET /api/people/a/b", "", ""), 200);
    assert_true(told("\r\n\r\n/api/{rest...} who=0 people/a/b"));
    assert_int_equal(ask("GET /api/", "", ""), 200);
    assert_int_equal(ask("HEAD /api/people/new", "", ""), 200);
    assert_true(str_ends(str_of(text), STR("\r\n\r\n")));
}

TEST(router, what_is_not_there_and_what_is_not_allowed_are_told_apart)
{
    assert_int_equal(ask("GET /nothing", "", ""), 404);
    assert_true(told("\"code\":\"absent\",\"where\":\"/nothing\""));
    assert_int_equal(ask("PUT /api/people/1", "", ""), 405);
    assert_true(told("Allow: GET, HEAD, DELETE, OPTIONS\r\n"));
    assert_int_equal(ask("GET /v1/batch", "", ""), 405);
    assert_true(told("Allow: POST, OPTIONS\r\n"));
}

TEST(router, a_key_is_asked_for_where_the_table_says_so)
{
    assert_int_equal(ask("POST /v1/batch", "", "{}"), 401);
    assert_true(told("WWW-Authenticate: ") && told("\"remedy\":\"send Authorization"));
    assert_int_equal(ask("POST /v1/batch", "Authorization: busy\r\n", "{}"), 429);
    assert_true(told("Retry-After: "));
    assert_int_equal(ask("POST /v1/batch", "Authorization: reader\r\n", "{}"), 200);
    assert_true(told("who=7"));
    assert_int_equal(ask("DELETE /api/people/1", "Authorization: reader\r\n", ""), 403);
    assert_int_equal(ask("DELETE /api/people/1", "Authorization: writer\r\n", ""), 200);
    assert_int_equal(ask("POST /v1/batch", "Authorization: reader\r\n", "12345678901"), 413);
}

TEST(router, a_browser_may_send_events_from_any_page_and_nothing_else)
{
    const char *asks = "Origin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\n";
    assert_int_equal(ask("OPTIONS /v1/batch", asks, ""), 204);
    assert_true(told("Access-Control-Allow-Origin: https://shop.example\r\n"));
    assert_true(told("Access-Control-Allow-Credentials: true\r\n"));
    assert_true(told("Allow-Headers: authorization, content-type, x-retry-count, revision\r\n"));
    assert_true(told("Access-Control-Max-Age: 86400\r\n"));
    assert_true(told("Access-Control-Allow-Methods: POST, OPTIONS\r\n"));
    assert_int_equal(ask("POST /v1/batch", "Origin: null\r\nAuthorization: k\r\n", "{}"), 200);
    assert_true(told("Access-Control-Allow-Origin: null\r\n"));
    assert_int_equal(ask("POST /v1/batch", "Origin: https://a.b\r\n", "{}"), 401);
    assert_true(told("Access-Control-Allow-Origin: https://a.b\r\n"));
    assert_int_equal(ask("OPTIONS /api/people/1", asks, ""), 204);
    assert_false(told("Access-Control"));
    assert_int_equal(ask("OPTIONS /nothing", asks, ""), 404);
}

TEST(router, a_bad_table_does_not_open)
{
    static const struct route bad[][2] = {
        { { "FETCH", "/", run_tell, .need = ROUTE_OPEN },
          { "GET", "/b", run_tell, .need = ROUTE_OPEN } },
        { { "GET", "no-slash", run_tell, .need = ROUTE_OPEN },
          { "GET", "/b", run_tell, .need = ROUTE_OPEN } },
        { { "GET", "/{rest...}/x", run_tell, .need = ROUTE_OPEN },
          { "GET", "/b", run_tell, .need = ROUTE_OPEN } },
        { { "GET", "/x{id}", run_tell, .need = ROUTE_OPEN },
          { "GET", "/b", run_tell, .need = ROUTE_OPEN } },
        { { "GET", "/{a}", run_tell, .need = ROUTE_OPEN },
          { "GET", "/{b}", run_tell, .need = ROUTE_OPEN } },
        { { "GET", "/a", NULL, .need = ROUTE_OPEN },
          { "GET", "/b", run_tell, .need = ROUTE_OPEN } },
        { { "GET", "/a", run_tell, .need = ROUTE_SCOPE },
          { "GET", "/b", run_tell, .need = ROUTE_OPEN } },
        { { "GET", "/a", run_tell, .scope = "api:x" },
          { "GET", "/b", run_tell, .need = ROUTE_OPEN } },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct router     *router = NULL;
        struct problem     problem = { 0 };
        struct router_conf conf = { bad[i], 2, NULL, NULL };
        assert_int_not_equal(router_open(&conf, &router, &problem), OK);
        assert_true(problem.what[0] != '\0');
    }
}

TEST(router, its_table_can_be_read_back)
{
    struct router     *router = NULL;
    struct router_conf conf = { ROUTES, sizeof ROUTES / sizeof ROUTES[0], NULL, NULL };
    size_t             count;
    assert_ok(router_open(&conf, &router, NULL));
    assert_ptr_equal(router_routes(router, &count), ROUTES);
    assert_int_equal(count, sizeof ROUTES / sizeof ROUTES[0]);
    router_close(router);
}

TEST(asset, the_smallest_accepted_form_comes_with_its_tag_and_our_rules)
{
    assert_int_equal(ask("GET /ui/app.js", "Accept-Encoding: br;q=0, gzip\r\n", ""), 200);
    assert_true(told("Content-Encoding: gzip\r\n") && told("\r\n\r\ngz"));
    assert_true(told("ETag: W/\"") && told("immutable"));
    assert_true(told("default-src 'self'") && told("frame-ancestors 'none'"));
    assert_true(told("nosniff") && told("Referrer-Policy: no-referrer"));
    assert_int_equal(ask("GET /ui/app.js", "Accept-Encoding: gzip;q=0\r\n", ""), 200);
    assert_true(told("\r\n\r\nplain!") && !told("Content-Encoding"));
    assert_int_equal(ask("GET /ui/", "If-None-Match: \"v0\"\r\n", ""), 200);
    assert_true(told("Cache-Control: no-cache\r\n") && told("\r\n\r\n<p>"));
    assert_int_equal(ask("GET /ui/", "If-None-Match: \"v0\", W/\"v1\"\r\n", ""), 304);
    assert_true(told("ETag: \"v1\"") && !told("<p>") && !told("Content-Length"));
    assert_int_equal(ask("GET /ui/none.js", "", ""), 404);
}

TEST(asset, a_path_may_stand_in_the_table_once)
{
    static const struct asset twice[] = { { .path = "/a", .type = "" },
                                          { .path = "/a", .type = "" } };
    struct assets            *none = NULL;
    assert_int_equal(assets_open(twice, 2, &none), ERR_CONFLICT);
}
