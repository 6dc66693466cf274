#include "delivery/service_test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"

enum { CALLERS_MAX = 512, REQUEST_BYTES_MAX = 1 << 16 };

struct service {
    struct service_conf   conf;
    int                   listener;
    uint16_t              port;
    pthread_t             accepter, callers[CALLERS_MAX];
    int                   fds[CALLERS_MAX], callers_count;
    pthread_mutex_t       lock;
    pthread_cond_t        closing_now;
    bool                  closing;
    struct service_counts counts;
    int                   at_once;
    uint8_t               seen[SERVICE_RECIPIENTS_MAX];
    int                   order[SERVICE_RECIPIENTS_MAX];
};

struct caller {
    struct service *service;
    int             fd;
};

static bool say(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

/* One whole request, NUL behind it; what is left over is kept. 0: the caller has hung up. */
static size_t request_read(int fd, char *bytes, size_t *have, bool head_only)
{
    for (;;) {
        bytes[*have] = '\0';
        const char *end = strstr(bytes, "\r\n\r\n");
        const char *stated = strstr(bytes, "Content-Length: ");
        if (end != NULL) {
            size_t whole = (size_t)(end + 4 - bytes) +
                           (stated == NULL || head_only ? 0 : strtoul(stated + 16, NULL, 10));
            if (*have >= whole)
                return whole;
        }
        ssize_t n = recv(fd, bytes + *have, REQUEST_BYTES_MAX - 1 - *have, 0);
        if (n <= 0)
            return 0;
        *have += (size_t)n;
    }
}

static void message_take(struct service *service, const char *request)
{
    const char *to = strstr(request, "to=m");
    assert_non_null(to);
    int number = atoi(to + 4);
    assert_in_range(number, 0, SERVICE_RECIPIENTS_MAX - 1);
    bool is_known =
        service->conf.by_key && service->seen[number] > 0 && strstr(request, "Key: ") != NULL;
    if (is_known)
        return;
    service->counts.doubles += service->seen[number] > 0;
    service->seen[number] = 1;
    service->order[service->counts.taken++ % SERVICE_RECIPIENTS_MAX] = number;
}

static void stall(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    while (!service->closing)
        pthread_cond_wait(&service->closing_now, &service->lock);
    pthread_mutex_unlock(&service->lock);
}

/* False: this connection ends. */
static bool request_answer(struct service *service, int fd, const char *request,
                           enum service_fault fault)
{
    if (fault == SERVICE_CUTS)
        return false;
    pthread_mutex_lock(&service->lock);
    if (fault != SERVICE_SAYS)
        message_take(service, request);
    pthread_mutex_unlock(&service->lock);
    if (fault == SERVICE_STALLS)
        stall(service);
    if (fault == SERVICE_STALLS || fault == SERVICE_DROPS)
        return false;
    if (service->conf.late_ms > 0)
        usleep((useconds_t)service->conf.late_ms * 1000);
    return say(fd, fault == SERVICE_SAYS ? service->conf.says
                                         : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static enum service_fault fault_next(struct service *service)
{
    const struct service_conf *conf = &service->conf;
    pthread_mutex_lock(&service->lock);
    int number = service->counts.requests++;
    service->at_once++;
    if (service->at_once > service->counts.at_once_most)
        service->counts.at_once_most = service->at_once;
    pthread_mutex_unlock(&service->lock);
    return number >= conf->from && number < conf->from + conf->faults ? conf->fault : SERVICE_FINE;
}

static void *caller_run(void *arg)
{
    struct caller caller = *(struct caller *)arg;
    char         *bytes = calloc(1, REQUEST_BYTES_MAX);
    size_t        have = 0, whole;
    bool          is_on = true;
    free(arg);
    while (is_on && (whole = request_read(caller.fd, bytes, &have, true)) > 0) {
        enum service_fault fault = fault_next(caller.service);
        if (fault != SERVICE_CUTS)
            whole = request_read(caller.fd, bytes, &have, false);
        is_on = whole > 0 && request_answer(caller.service, caller.fd, bytes, fault);
        memmove(bytes, bytes + whole, have - whole);
        have -= whole;
        pthread_mutex_lock(&caller.service->lock);
        caller.service->at_once--;
        pthread_mutex_unlock(&caller.service->lock);
    }
    shutdown(caller.fd, SHUT_RDWR);
    free(bytes);
    return NULL;
}

static void *accept_run(void *arg)
{
    struct service *service = arg;
    int             fd;
    while ((fd = accept(service->listener, NULL, NULL)) >= 0) {
        struct caller *caller = calloc(1, sizeof *caller);
        *caller = (struct caller){ service, fd };
        pthread_mutex_lock(&service->lock);
        assert_true(service->callers_count < CALLERS_MAX);
        service->counts.connections++;
        service->fds[service->callers_count] = fd;
        assert_int_equal(
            pthread_create(&service->callers[service->callers_count++], NULL, caller_run, caller),
            0);
        pthread_mutex_unlock(&service->lock);
    }
    return NULL;
}

struct service *service_open(const struct service_conf *conf)
{
    struct service    *service = calloc(1, sizeof *service);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          len = sizeof at;
    service->conf = *conf;
    pthread_mutex_init(&service->lock, NULL);
    pthread_cond_init(&service->closing_now, NULL);
    service->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(service->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(service->listener, 64), 0);
    assert_int_equal(getsockname(service->listener, (struct sockaddr *)&at, &len), 0);
    service->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&service->accepter, NULL, accept_run, service), 0);
    return service;
}

uint16_t service_port(const struct service *service)
{
    return service->port;
}

struct service_counts service_counts(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    struct service_counts counts = service->counts;
    pthread_mutex_unlock(&service->lock);
    return counts;
}

int service_taken(struct service *service, int n)
{
    pthread_mutex_lock(&service->lock);
    int number = n < service->counts.taken ? service->order[n] : -1;
    pthread_mutex_unlock(&service->lock);
    return number;
}

void service_close(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    service->closing = true;
    pthread_cond_broadcast(&service->closing_now);
    pthread_mutex_unlock(&service->lock);
    shutdown(service->listener, SHUT_RDWR);
    pthread_join(service->accepter, NULL);
    close(service->listener);
    for (int i = 0; i < service->callers_count; i++) {
        shutdown(service->fds[i], SHUT_RDWR);
        pthread_join(service->callers[i], NULL);
        close(service->fds[i]);
    }
    free(service);
}
