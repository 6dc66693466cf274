#include "delivery/fetch.h"

#include <assert.h>
#include <curl/curl.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "delivery/guard.h"

/* Servers end idle connections after a minute or so; a younger one is hardly ever dead. */
enum { KEPT_IDLE_S = 15 };

struct call {
    struct call       *next; /* in the inbox */
    struct fetch      *fetch;
    CURL              *easy;
    struct curl_slist *headers;
    struct buf         body_out, body_in, head_in;
    size_t             body_read; /* of body_out, by curl */
    bool               inside, too_long;
    char               why[CURL_ERROR_SIZE];
    void (*call)(void *ctx, const struct fetch_response *response);
    void *ctx;
};

struct fetch {
    struct loop      *loop;
    struct fetch_conf conf;
    char             *ca_file, *agent;
    struct loop_task  task;
    CURLM            *multi;
    struct event     *timer;
    struct call      *calls[FETCH_REQUESTS_MAX]; /* the loop's thread only */

    pthread_mutex_t lock; /* guards the inbox and the count */
    struct call    *inbox;
    uint32_t        count;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_start(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* --- one call --- */

static void call_free(struct call *call)
{
    if (call == NULL)
        return;
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    buf_done(&call->body_out);
    buf_done(&call->body_in);
    buf_done(&call->head_in);
    free(call);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct call *call = ctx;
    buf_str(&call->body_in, (struct str){ bytes, size * count });
    call->too_long = buf_err(&call->body_in) != OK;
    return call->too_long ? 0 : size * count;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct call *call = ctx;
    struct str   line = { bytes, size * count };
    if (str_starts(line, STR("HTTP/")))
        buf_reset(&call->head_in); /* after a 100, the answer itself */
    if (buf_err(&call->head_in) == OK)
        buf_str(&call->head_in, line);
    return line.len;
}

/* There is no way back to the start: what was read once is not sent twice. */
static size_t on_read(char *out, size_t size, size_t count, void *ctx)
{
    struct call *call = ctx;
    struct str   left = str_slice(buf_view(&call->body_out), call->body_read, call->body_out.len);
    size_t       bytes = left.len < size * count ? left.len : size * count;
    if (bytes > 0)
        memcpy(out, left.ptr, bytes);
    call->body_read += bytes;
    return bytes;
}

static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct call *call = ctx;
    (void)purpose;
    if (!call->fetch->conf.allow_inside && !guard_is_outside(&address->addr)) {
        call->inside = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool breaks_line(const char *text)
{
    return strpbrk(text, "\r\n") != NULL;
}

static enum err check(const struct fetch_request *r, struct problem *problem)
{
    static const char        remedy[] = "Correct the call-out's settings.";
    static const char *const methods[] = { "GET", "POST", "PUT", "DELETE", "PATCH" };
    bool                     known = false;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        known |= strcmp(r->method, methods[i]) == 0;
    if (!known)
        return problem_set(problem, ERR_INPUT, "method", "this method is not spoken", remedy);
    if (breaks_line(r->url))
        return problem_set(problem, ERR_INPUT, "url", "a line end in the URL", remedy);
    for (int i = 0; i < FETCH_HEADERS_MAX && r->headers[i] != NULL; i++)
        if (breaks_line(r->headers[i]) || strchr(r->headers[i], ':') == NULL)
            return problem_set(problem, ERR_INPUT, "headers", "not a header in one line", remedy);
    if (r->timeout_ms < 1 || r->timeout_ms > FETCH_TIMEOUT_MS_MAX || r->response_bytes_max < 1 ||
        r->response_bytes_max > FETCH_RESPONSE_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, "limits", "a limit is out of its bounds", remedy);
    return OK;
}

static bool add_headers(struct call *call, const struct fetch_request *request)
{
    /* Without this curl asks "Expect: 100-continue" and waits a second for many servers. */
    call->headers = curl_slist_append(NULL, "Expect:");
    for (int i = 0; i < FETCH_HEADERS_MAX && request->headers[i] != NULL && call->headers; i++) {
        struct curl_slist *longer = curl_slist_append(call->headers, request->headers[i]);
        if (longer == NULL)
            return false;
        call->headers = longer;
    }
    return call->headers != NULL;
}

static void set_limits(struct call *call, const struct fetch_request *request)
{
    CURL *easy = call->easy;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)KEPT_IDLE_S);
    if (!request->repeatable && request->body.len == 0)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    if (call->fetch->ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, call->fetch->ca_file);
}

static bool set_content(struct call *call, const struct fetch_request *request)
{
    CURL *easy = call->easy;
    buf_str(&call->body_out, request->body);
    if (buf_err(&call->body_out) != OK)
        return false;
    if (request->body.len > 0 || strcmp(request->method, "GET") != 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        if (request->body.len > 0 && !request->repeatable) {
            curl_easy_setopt(easy, CURLOPT_POST, 1L);
            curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
            curl_easy_setopt(easy, CURLOPT_READDATA, call);
        } else {
            curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                             request->body.len > 0 ? call->body_out.ptr : "");
        }
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, call->fetch->agent);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->why);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    return curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK;
}

static struct call *call_make(struct fetch *fetch, const struct fetch_request *request)
{
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->fetch = fetch;
    call->call = request->call;
    call->ctx = request->ctx;
    call->body_out = buf_make(request->body.len);
    call->body_in = buf_make(request->response_bytes_max);
    call->head_in = buf_make(FETCH_HEAD_BYTES_MAX);
    call->easy = curl_easy_init();
    if (call->easy == NULL || !add_headers(call, request) || !set_content(call, request)) {
        call_free(call);
        return NULL;
    }
    set_limits(call, request);
    return call;
}

/* --- the end of a call --- */

static enum err err_of(const struct call *call, CURLcode code)
{
    if (code == CURLE_OK)
        return OK;
    if (call->inside)
        return ERR_DENIED;
    if (call->too_long)
        return ERR_LIMIT;
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return ERR_INPUT;
    return ERR_IO;
}

/* In doubt as soon as the last byte of the request was written; what the server cannot have read
 * whole, it cannot have done. */
static bool was_written(const struct call *call)
{
    curl_off_t uploaded = 0;
    long       request_bytes = 0;
    if (call->body_read > 0) /* curl forgets what it wrote when it finds it cannot write it again */
        return call->body_read == call->body_out.len;
    curl_easy_getinfo(call->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    return request_bytes > 0 && uploaded >= (curl_off_t)call->body_out.len;
}

static void call_end(struct call *call, CURLcode code)
{
    struct fetch         *fetch = call->fetch;
    struct fetch_response response = { .err = err_of(call, code) };
    long                  status = 0;
    curl_off_t            retry_after_s = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    response.status = (int)status;
    response.retry_after_s = retry_after_s;
    response.body = buf_view(&call->body_in);
    response.headers = buf_view(&call->head_in);
    response.in_doubt = response.err != OK && was_written(call);
    /* curl would have asked again by itself, could it read the body once more. */
    response.was_stale = !response.in_doubt && code == CURLE_SEND_FAIL_REWIND;
    if (call->inside)
        snprintf(response.text, sizeof response.text, "the address lies inside our own network");
    else if (call->too_long)
        snprintf(response.text, sizeof response.text, "the answer is too long");
    else if (response.err != OK)
        snprintf(response.text, sizeof response.text, "%.250s",
                 call->why[0] != '\0' ? call->why : curl_easy_strerror(code));

    curl_multi_remove_handle(fetch->multi, call->easy);
    for (int i = 0; i < FETCH_REQUESTS_MAX; i++)
        if (fetch->calls[i] == call)
            fetch->calls[i] = NULL;
    pthread_mutex_lock(&fetch->lock);
    fetch->count--;
    pthread_mutex_unlock(&fetch->lock);
    call->call(call->ctx, &response);
    call_free(call);
}

static void collect(struct fetch *fetch)
{
    CURLMsg *message;
    int      left;
    while ((message = curl_multi_info_read(fetch->multi, &left)) != NULL) {
        struct call *call = NULL;
        CURLcode     code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        if (message->msg == CURLMSG_DONE)
            call_end(call, code);
    }
}

/* --- curl on the loop --- */

static void on_socket_ready(evutil_socket_t fd, short what, void *ctx)
{
    struct fetch *fetch = ctx;
    int           running, action = 0;
    action |= what & EV_READ ? CURL_CSELECT_IN : 0;
    action |= what & EV_WRITE ? CURL_CSELECT_OUT : 0;
    curl_multi_socket_action(fetch->multi, fd, action, &running);
    collect(fetch);
}

static int on_socket_wish(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct fetch *fetch = ctx;
    struct event *watched = socket_ctx;
    (void)easy;
    if (watched != NULL)
        event_free(watched);
    watched = NULL;
    if (what != CURL_POLL_REMOVE) {
        short wish = EV_PERSIST;
        wish |= what & CURL_POLL_IN ? EV_READ : 0;
        wish |= what & CURL_POLL_OUT ? EV_WRITE : 0;
        watched = event_new(loop_base(fetch->loop), fd, wish, on_socket_ready, fetch);
        if (watched == NULL || event_add(watched, NULL) != 0)
            return -1;
    }
    curl_multi_assign(fetch->multi, fd, watched);
    return 0;
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct fetch *fetch = ctx;
    int           running;
    (void)fd;
    (void)what;
    curl_multi_socket_action(fetch->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(fetch);
}

static int on_timer_wish(CURLM *multi, long wait_ms, void *ctx)
{
    struct fetch  *fetch = ctx;
    struct timeval wait = { wait_ms / 1000, wait_ms % 1000 * 1000 };
    (void)multi;
    if (wait_ms < 0)
        event_del(fetch->timer);
    else
        event_add(fetch->timer, &wait);
    return 0;
}

static void begin(struct fetch *fetch, struct call *call)
{
    int place = 0;
    while (fetch->calls[place] != NULL)
        place++; /* there is one: the count is checked when sending */
    fetch->calls[place] = call;
    if (curl_multi_add_handle(fetch->multi, call->easy) != CURLM_OK)
        call_end(call, CURLE_OUT_OF_MEMORY);
}

static void run_task(struct loop_task *task)
{
    struct fetch *fetch = (struct fetch *)((char *)task - offsetof(struct fetch, task));
    pthread_mutex_lock(&fetch->lock);
    struct call *call = fetch->inbox;
    fetch->inbox = NULL;
    pthread_mutex_unlock(&fetch->lock);
    while (call != NULL) {
        struct call *next = call->next;
        begin(fetch, call);
        call = next;
    }
}

/* --- from outside --- */

struct str fetch_response_header(const struct fetch_response *response, struct str name)
{
    struct str rest = response->headers, line = STR_NONE, found = STR_NONE;
    while (rest.len > 0 && str_split(&rest, '\n', &line)) {
        size_t colon = str_find_char(line, 0, ':');
        if (colon < line.len && str_eq_nocase(str_slice(line, 0, colon), name))
            found = str_trim(str_slice(line, colon + 1, line.len));
    }
    return found;
}

enum err fetch_send(struct fetch *fetch, const struct fetch_request *request,
                    struct problem *problem)
{
    TRY(check(request, problem));
    struct call *call = call_make(fetch, request);
    if (call == NULL)
        return problem_set(problem, ERR_MEMORY, "http", "no memory for the call", "Try later.");
    pthread_mutex_lock(&fetch->lock);
    bool full = fetch->count == FETCH_REQUESTS_MAX;
    if (!full) {
        fetch->count++;
        call->next = fetch->inbox;
        fetch->inbox = call;
    }
    pthread_mutex_unlock(&fetch->lock);
    if (full) {
        call_free(call);
        return problem_set(problem, ERR_WAIT, "fetch", "too many calls are under way",
                           "Try later.");
    }
    loop_post(fetch->loop, &fetch->task);
    return OK;
}

static void fetch_free(struct fetch *fetch)
{
    if (fetch->multi != NULL)
        curl_multi_cleanup(fetch->multi);
    if (fetch->timer != NULL)
        event_free(fetch->timer);
    pthread_mutex_destroy(&fetch->lock);
    free(fetch->ca_file);
    free(fetch->agent);
    free(fetch);
}

struct fetch *fetch_open(struct loop *loop, const struct fetch_conf *conf)
{
    struct fetch *fetch = calloc(1, sizeof *fetch);
    if (fetch == NULL)
        return NULL;
    pthread_once(&curl_once, curl_start);
    pthread_mutex_init(&fetch->lock, NULL);
    fetch->loop = loop;
    fetch->conf = *conf;
    fetch->task.run = run_task;
    fetch->agent = strdup(conf->agent == NULL ? "Dult" : conf->agent);
    fetch->ca_file = conf->ca_file == NULL ? NULL : strdup(conf->ca_file);
    fetch->timer = evtimer_new(loop_base(loop), on_timer, fetch);
    fetch->multi = curl_multi_init();
    if (fetch->agent == NULL || (conf->ca_file != NULL && fetch->ca_file == NULL) ||
        fetch->timer == NULL || fetch->multi == NULL) {
        fetch_free(fetch);
        return NULL;
    }
    curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wish);
    curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETDATA, fetch);
    curl_multi_setopt(fetch->multi, CURLMOPT_TIMERFUNCTION, on_timer_wish);
    curl_multi_setopt(fetch->multi, CURLMOPT_TIMERDATA, fetch);
    return fetch;
}

static void close_inside(void *ctx)
{
    struct fetch *fetch = ctx;
    run_task(&fetch->task);
    for (int i = 0; i < FETCH_REQUESTS_MAX; i++)
        if (fetch->calls[i] != NULL)
            call_end(fetch->calls[i], CURLE_ABORTED_BY_CALLBACK);
    fetch_free(fetch);
}

void fetch_close(struct fetch *fetch)
{
    if (fetch != NULL)
        loop_call(fetch->loop, close_inside, fetch);
}
