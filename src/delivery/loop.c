#include "delivery/loop.h"

#include <assert.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "delivery/gather.h"

enum { TIMER_SLACK_NS = 1000 /* the kernel's own 50 us would be added to each sleep */ };

struct loop {
    struct event_base *base;
    struct evdns_base *dns;
    struct event      *woken;
    int                wake_fd;
    pthread_t          thread;
    pthread_mutex_t    lock; /* guards the line */
    struct loop_task  *first, **last;
    bool               ending;
    struct gather      gather; /* the loop's thread only */
};

static void run_line(evutil_socket_t fd, short what, void *ctx)
{
    struct loop *loop = ctx;
    eventfd_t    count;
    (void)what;
    (void)eventfd_read(fd, &count);

    pthread_mutex_lock(&loop->lock);
    while (loop->first != NULL) {
        struct loop_task *task = loop->first;
        loop->first = task->next;
        if (loop->first == NULL)
            loop->last = &loop->first;
        task->queued = false;
        pthread_mutex_unlock(&loop->lock);
        task->run(task);
        pthread_mutex_lock(&loop->lock);
    }
    bool ending = loop->ending;
    pthread_mutex_unlock(&loop->lock);
    if (ending)
        event_base_loopbreak(loop->base);
}

static void gather(struct loop *loop)
{
    int64_t us = gather_round(&loop->gather, time_mono_us());
    if (us > 0)
        nanosleep(&(struct timespec){ .tv_nsec = (long)us * 1000 }, NULL);
}

static void *loop_run(void *ctx)
{
    struct loop *loop = ctx;
    sigset_t     pipe_only;
    /* OpenSSL writes without MSG_NOSIGNAL; a peer that hung up is an error, not a signal. */
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, NULL);
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
    do {
        event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
        gather(loop);
    } while (!event_base_got_break(loop->base));
    return NULL;
}

static struct evdns_base *open_dns(struct event_base *base)
{
    int                flags = EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE;
    struct evdns_base *dns = evdns_base_new(base, flags);
    if (dns != NULL)
        return dns;
    /* Without name servers the hosts file and plain addresses still work. */
    dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (dns != NULL)
        evdns_base_load_hosts(dns, "/etc/hosts");
    return dns;
}

static void loop_free(struct loop *loop)
{
    if (loop->woken != NULL)
        event_free(loop->woken);
    if (loop->dns != NULL)
        evdns_base_free(loop->dns, 1);
    if (loop->base != NULL)
        event_base_free(loop->base);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

struct loop *loop_open(void)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL)
        return NULL;
    loop->last = &loop->first;
    loop->gather = gather_make();
    pthread_mutex_init(&loop->lock, NULL);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->base = event_base_new();
    if (loop->base != NULL) {
        loop->dns = open_dns(loop->base);
        loop->woken = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, run_line, loop);
    }
    if (loop->wake_fd < 0 || loop->dns == NULL || loop->woken == NULL ||
        event_add(loop->woken, NULL) != 0 ||
        pthread_create(&loop->thread, NULL, loop_run, loop) != 0) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

void loop_close(struct loop *loop)
{
    if (loop == NULL)
        return;
    assert(!loop_is_inside(loop));
    pthread_mutex_lock(&loop->lock);
    loop->ending = true;
    pthread_mutex_unlock(&loop->lock);
    eventfd_write(loop->wake_fd, 1);
    pthread_join(loop->thread, NULL);
    loop_free(loop);
}

void loop_post(struct loop *loop, struct loop_task *task)
{
    pthread_mutex_lock(&loop->lock);
    bool was_empty = loop->first == NULL;
    if (!task->queued) {
        task->queued = true;
        task->next = NULL;
        *loop->last = task;
        loop->last = &task->next;
    }
    pthread_mutex_unlock(&loop->lock);
    if (was_empty)
        eventfd_write(loop->wake_fd, 1);
}

struct call {
    struct loop_task task; /* first */
    void (*call)(void *ctx);
    void           *ctx;
    pthread_mutex_t lock;
    pthread_cond_t  ended;
    bool            is_done;
};

static void run_call(struct loop_task *task)
{
    struct call *call = (struct call *)task;
    call->call(call->ctx);
    pthread_mutex_lock(&call->lock);
    call->is_done = true;
    pthread_cond_signal(&call->ended);
    pthread_mutex_unlock(&call->lock);
}

void loop_call(struct loop *loop, void (*call)(void *ctx), void *ctx)
{
    if (loop_is_inside(loop)) {
        call(ctx);
        return;
    }
    struct call c = { .task.run = run_call, .call = call, .ctx = ctx };
    pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.ended, NULL);
    loop_post(loop, &c.task);
    pthread_mutex_lock(&c.lock);
    while (!c.is_done)
        pthread_cond_wait(&c.ended, &c.lock);
    pthread_mutex_unlock(&c.lock);
    pthread_cond_destroy(&c.ended);
    pthread_mutex_destroy(&c.lock);
}

uint32_t loop_asks(struct loop *loop)
{
    return gather_ask(&loop->gather);
}

void loop_asks_no_more(struct loop *loop, uint32_t asked)
{
    gather_leave(&loop->gather, asked);
}

void loop_fills(struct loop *loop, int more)
{
    loop->gather.full += more;
}

int loop_full(const struct loop *loop)
{
    return loop->gather.full;
}

void loop_heard(struct loop *loop)
{
    loop->gather.heard++;
}

bool loop_is_inside(const struct loop *loop)
{
    return pthread_equal(pthread_self(), loop->thread) != 0;
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

struct evdns_base *loop_dns(struct loop *loop)
{
    return loop->dns;
}
