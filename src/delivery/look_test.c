/* Links, asked of a small server on this machine. */
#include "delivery/look.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"

struct site {
    int         fd, port;
    pthread_t   thread;
    atomic_bool stops;
    atomic_int  asked;
};

static void answer(struct site *site, int fd)
{
    char    head[4096] = "", out[512];
    ssize_t n = recv(fd, head, sizeof head - 1, 0);
    bool    is_head = n > 0 && strncmp(head, "HEAD ", 5) == 0;
    int     status = strstr(head, " /good ") != NULL     ? 200
                     : strstr(head, " /moved ") != NULL  ? 302
                     : strstr(head, " /nohead ") != NULL ? (is_head ? 405 : 200)
                                                         : 404;
    atomic_fetch_add(&site->asked, 1);
    snprintf(out, sizeof out, "HTTP/1.1 %d X\r\nContent-Length: 3\r\nConnection: close\r\n%s\r\n%s",
             status, status == 302 ? "Location: /good\r\n" : "", is_head ? "" : "abc");
    (void)!send(fd, out, strlen(out), MSG_NOSIGNAL);
    close(fd);
}

static void *serve(void *ctx)
{
    struct site *site = ctx;
    while (!atomic_load(&site->stops)) {
        struct pollfd polled = { .fd = site->fd, .events = POLLIN };
        if (poll(&polled, 1, 50) > 0)
            answer(site, accept(site->fd, NULL, NULL));
    }
    return NULL;
}

static void site_open(struct site *site)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t          len = sizeof at;
    *site = (struct site){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    assert_int_equal(bind(site->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(site->fd, 8), 0);
    assert_int_equal(getsockname(site->fd, (struct sockaddr *)&at, &len), 0);
    site->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&site->thread, NULL, serve, site), 0);
}

static void site_close(struct site *site)
{
    atomic_store(&site->stops, true);
    pthread_join(site->thread, NULL);
    close(site->fd);
}

static struct look at(const struct site *site, const char *path, bool lets_inside)
{
    char url[100];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", site->port, path);
    return look_at(url, lets_inside);
}

TEST(look, a_link_is_good_when_its_page_is_there_also_behind_a_redirect_or_without_head)
{
    struct site site;
    site_open(&site);
    assert_int_equal(at(&site, "/good", true).status, 200);
    assert_int_equal(at(&site, "/moved", true).status, 200);
    assert_int_equal(at(&site, "/nohead", true).status, 200);
    assert_int_equal(at(&site, "/gone", true).status, 404);
    site_close(&site);
    struct look closed = at(&site, "/good", true);
    assert_int_equal(closed.status, 0);
    assert_true(closed.why[0] != '\0');
}

TEST(look, an_inside_address_is_never_asked)
{
    struct site site;
    site_open(&site);
    struct look look = at(&site, "/good", false);
    assert_int_equal(look.status, 0);
    assert_string_equal(look.why, "it leads into a private network");
    assert_int_equal(atomic_load(&site.asked), 0);
    site_close(&site);
}
