/*
 * api_rig: for tests. A core in a folder of its own, the interface on a free port and on a Unix
 * socket, and a client that asks one thing on each connection.
 */
#ifndef DULT_RUN_API_RIG_H
#define DULT_RUN_API_RIG_H

#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/test.h"
#include "base/time.h"
#include "run/api/api.h"
#include "run/api/api_inside.h"
#include "run/send/secrets.h"

enum { RIG_ANSWER_BYTES = 1 << 20, RIG_PATH_BYTES = 160 };

struct rig {
    char                dir[64], socket_path[RIG_PATH_BYTES];
    struct core        *core;
    struct api         *api;
    struct router      *router;
    struct http_server *http;
    struct token_keys  *tokens;
    struct metrics     *metrics;
    struct refused     *refused;
    struct secrets     *secrets; /* NULL: no mail is shown */
    char                write_key[64], api_key[64];
    bool                by_socket; /* as the command line does it */
    struct arena       *arena;

    int         status; /* of the last answer */
    struct str  head, body;
    struct json json; /* where the body is JSON */
};

static inline void rig_serve(struct rig *rig)
{
    struct problem   problem = { .what = "" };
    struct core_conf core = { .dir = rig->dir, .socket = rig->socket_path };
    assert_ok(core_open(&rig->core, &core, &problem));
    assert_ok(core_start(rig->core));
    struct api_conf api = { .core = rig->core,
                            .name = STR("Tents & Trails"),
                            .public_url =
                                rig->secrets == NULL ? STR_NONE : STR("https://t.example"),
                            .tokens = rig->tokens,
                            .secrets = rig->secrets,
                            .metrics = rig->metrics,
                            .refused = rig->refused };
    assert_ok(api_open(&rig->api, &api, &problem));
    struct router_conf routes = api_router(rig->api);
    assert_ok(router_open(&routes, &rig->router, &problem));
    struct http_conf http = { .address = "127.0.0.1",
                              .socket_path = rig->socket_path,
                              .loops = 2,
                              .context = rig->router,
                              .admit = router_admit,
                              .handle = router_handle,
                              .refused = api_refused,
                              .refused_context = rig->api };
    assert_ok(http_open(&http, &rig->http, &problem));
}

static inline void rig_stop(struct rig *rig)
{
    http_close(rig->http);
    router_close(rig->router);
    api_close(rig->api);
    core_close(rig->core);
}

static inline int rig_connect(const struct rig *rig)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons((uint16_t)http_port(rig->http)) };
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int                fd = socket(rig->by_socket ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
    str_to_cstr(str_of(rig->socket_path), at.sun_path, sizeof at.sun_path);
    assert_int_equal(rig->by_socket ? connect(fd, (struct sockaddr *)&at, sizeof at)
                                    : connect(fd, (struct sockaddr *)&to, sizeof to),
                     0);
    return fd;
}

/* `headers` are whole lines, or "". */
static inline int rig_ask(struct rig *rig, const char *method, const char *path,
                          const char *headers, struct str body)
{
    SCOPED(buf_donep) struct buf sent = buf_make(RIG_ANSWER_BYTES * 32);
    char                        *answer = arena_alloc(rig->arena, RIG_ANSWER_BYTES);
    size_t                       len = 0, at = 0;
    int                          fd = rig_connect(rig);
    buf_format(&sent,
               "%s %s HTTP/1.1\r\nHost: t.example\r\nConnection: close\r\n"
               "Content-Length: %zu\r\n%s\r\n",
               method, path, body.len, headers);
    buf_str(&sent, body);
    assert_ok(buf_err(&sent));
    while (at < sent.len) {
        ssize_t n = send(fd, sent.ptr + at, sent.len - at, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    for (ssize_t n = 1; n > 0 && len<RIG_ANSWER_BYTES; len += n> 0 ? (size_t)n : 0)
        n = read(fd, answer + len, RIG_ANSWER_BYTES - len);
    close(fd);
    struct str whole = { answer, len };
    size_t     split = str_find(whole, 0, STR("\r\n\r\n"));
    rig->head = str_slice(whole, 0, split);
    rig->body = str_slice(whole, split + 4, len);
    rig->status = len > 12 ? atoi(answer + 9) : 0;
    rig->json = (struct json){ .kind = JSON_NULL };
    if (str_starts(rig->body, STR("{")))
        assert_ok(json_parse_once(rig->arena, rig->body, &rig->json, NULL));
    return rig->status;
}

/* With the API key, or by the socket. */
static inline int rig_call(struct rig *rig, const char *method, const char *path, const char *body)
{
    char headers[128];
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", rig->api_key);
    return rig_ask(rig, method, path, rig->by_socket ? "" : headers, str_of(body));
}

/* With the write key. */
static inline int rig_post(struct rig *rig, const char *path, const char *body)
{
    SCOPED(buf_donep) struct buf header = buf_make(256), pair = buf_make(128);
    buf_format(&pair, "%s:", rig->write_key);
    buf_str(&header, STR("Authorization: Basic "));
    base64_write(&header, buf_view(&pair));
    buf_str(&header, STR("\r\n"));
    buf_char(&header, '\0');
    return rig_ask(rig, "POST", path, header.ptr, str_of(body));
}

static inline struct str rig_str(const struct rig *rig, const char *path)
{
    const struct json *value = json_path(&rig->json, str_of(path));
    return value != NULL && value->kind == JSON_STRING ? value->string : STR_NONE;
}

static inline int64_t rig_int(const struct rig *rig, const char *path)
{
    const struct json *value = json_path(&rig->json, str_of(path));
    return value != NULL && value->kind == JSON_INT ? value->integer : -1;
}

/* How many items of the last answer have that text under that key. */
static inline int rig_items(const struct rig *rig, const char *key, const char *text)
{
    const struct json *items = json_get(&rig->json, STR("items"));
    int                count = 0;
    for (uint32_t i = 0; items != NULL && i < items->count; i++)
        count += str_eq(json_get_str(&items->items[i], str_of(key)), str_of(text));
    return count;
}

static inline void rig_key(struct rig *rig, const char *body, char *out, size_t out_bytes)
{
    rig->by_socket = true;
    assert_int_equal(rig_call(rig, "POST", "/api/v1/keys", body), 201);
    str_to_cstr(rig_str(rig, "key"), out, out_bytes);
    rig->by_socket = false;
}

static inline struct rig *rig_open(void)
{
    struct rig       *rig = calloc(1, sizeof *rig);
    static const char secret[TOKEN_SECRET_BYTES] = { '7' };
    strcpy(rig->dir, "/tmp/api_test.XXXXXX");
    assert_non_null(mkdtemp(rig->dir));
    snprintf(rig->socket_path, sizeof rig->socket_path, "%s/dult.sock", rig->dir);
    rig->arena = arena_open(256 << 20);
    rig->metrics = metrics_open();
    rig->refused = refused_open();
    assert_ok(token_keys_open(&rig->tokens, (struct str){ secret, sizeof secret }, STR_NONE));
    rig_serve(rig);
    rig_key(rig, "{\"kind\":\"write\",\"name\":\"shop\"}", rig->write_key, sizeof rig->write_key);
    rig_key(rig, "{\"kind\":\"api\",\"name\":\"test\",\"scopes\":\"read,write\"}", rig->api_key,
            sizeof rig->api_key);
    return rig;
}

static inline void folder_remove(const char *dir)
{
    char *path;
    DIR  *folder = opendir(dir);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.' || asprintf(&path, "%s/%s", dir, entry->d_name) < 0)
            continue;
        if (unlink(path) != 0)
            folder_remove(path);
        free(path);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(dir);
}

static inline void rig_close(struct rig *rig)
{
    rig_stop(rig);
    folder_remove(rig->dir);
    token_keys_close(rig->tokens);
    secrets_close(rig->secrets);
    metrics_close(rig->metrics);
    refused_close(rig->refused);
    arena_close(rig->arena);
    free(rig);
}

#endif
