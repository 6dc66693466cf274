#include "delivery/dns.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/time.h"

enum { CLASS_IN = 1, TYPE_A = 1, TYPE_CNAME = 5, TYPE_MX = 15, TYPE_TXT = 16, TYPE_AAAA = 28 };
enum { TEXT_BYTES_MAX = 16384 };

struct dns {
    ares_channel channel;
};

/* One question under way. */
struct asked {
    struct dns_question *question;
    struct arena        *arena;
    uint32_t            *left;
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_begin(void)
{
    (void)ares_library_init(ARES_LIB_INIT_ALL);
}

enum err dns_open(struct dns **out, const char *servers, struct problem *problem)
{
    struct ares_options options = { .timeout = DNS_TRY_MS,
                                    .tries = 2,
                                    .flags = ARES_FLAG_NOSEARCH };
    struct dns         *dns = calloc(1, sizeof *dns);
    pthread_once(&library_once, library_begin);
    if (dns == NULL)
        return ERR_MEMORY;
    int code = ares_init_options(&dns->channel, &options,
                                 ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS);
    if (code == ARES_SUCCESS && servers != NULL && servers[0] != '\0')
        code = ares_set_servers_ports_csv(dns->channel, servers);
    if (code == ARES_SUCCESS) {
        *out = dns;
        return OK;
    }
    dns_close(dns);
    return problem_format(problem, ERR_INPUT, "dns_servers",
                          "Write addresses such as \"127.0.0.1:53\", with commas between.",
                          "The DNS cannot be asked: %s.", ares_strerror(code));
}

void dns_close(struct dns *dns)
{
    if (dns == NULL)
        return;
    if (dns->channel != NULL)
        ares_destroy(dns->channel);
    free(dns);
}

void dns_closep(struct dns **dns)
{
    dns_close(*dns);
}

/* ---- answers ---- */

static void record_add(struct asked *asked, struct str record)
{
    struct dns_question *question = asked->question;
    if (question->count == DNS_RECORDS_MAX)
        return;
    struct str kept = str_copy(asked->arena, record);
    if (kept.ptr != NULL)
        question->records[question->count++] = kept;
}

/* A record's texts, of at most 255 bytes each, are one text. */
static int texts_take(struct asked *asked, const unsigned char *answer, int bytes)
{
    struct ares_txt_ext         *texts = NULL;
    SCOPED(buf_donep) struct buf one = buf_make(TEXT_BYTES_MAX);
    int                          code = ares_parse_txt_reply_ext(answer, bytes, &texts);
    for (struct ares_txt_ext *at = texts; at != NULL; at = at->next) {
        if (at->record_start && at != texts) {
            record_add(asked, buf_view(&one));
            buf_reset(&one);
        }
        buf_str(&one, (struct str){ (const char *)at->txt, at->length });
    }
    if (texts != NULL)
        record_add(asked, buf_view(&one));
    ares_free_data(texts);
    return code;
}

static int mx_take(struct asked *asked, const unsigned char *answer, int bytes)
{
    struct ares_mx_reply *hosts = NULL;
    int                   code = ares_parse_mx_reply(answer, bytes, &hosts);
    char                  line[300];
    for (struct ares_mx_reply *at = hosts; at != NULL; at = at->next) {
        snprintf(line, sizeof line, "%u %s", at->priority, at->host[0] == '\0' ? "." : at->host);
        record_add(asked, str_of(line));
    }
    ares_free_data(hosts);
    return code;
}

static int addresses_take(struct asked *asked, const unsigned char *answer, int bytes, bool is_six)
{
    struct hostent *host = NULL;
    int             code = is_six ? ares_parse_aaaa_reply(answer, bytes, &host, NULL, NULL)
                                  : ares_parse_a_reply(answer, bytes, &host, NULL, NULL);
    char            text[INET6_ADDRSTRLEN];
    for (char **at = host == NULL ? NULL : host->h_addr_list; at != NULL && *at != NULL; at++)
        if (inet_ntop(is_six ? AF_INET6 : AF_INET, *at, text, sizeof text) != NULL)
            record_add(asked, str_of(text));
    if (host != NULL)
        ares_free_hostent(host);
    return code;
}

/* An alias alone: the name that the owner is an alias of. */
static int cname_take(struct asked *asked, const unsigned char *answer, int bytes)
{
    struct hostent *host = NULL;
    int             code = ares_parse_a_reply(answer, bytes, &host, NULL, NULL);
    if (host != NULL && host->h_aliases != NULL && host->h_aliases[0] != NULL)
        record_add(asked, str_of(host->h_name));
    if (host != NULL)
        ares_free_hostent(host);
    return code;
}

static int answer_take(struct asked *asked, const unsigned char *answer, int bytes)
{
    switch (asked->question->type) {
    case DNS_TXT:
        return texts_take(asked, answer, bytes);
    case DNS_MX:
        return mx_take(asked, answer, bytes);
    case DNS_CNAME:
        return cname_take(asked, answer, bytes);
    default:
        return addresses_take(asked, answer, bytes, asked->question->type == DNS_AAAA);
    }
}

static void answered(void *ctx, int status, int timeouts, unsigned char *answer, int bytes)
{
    struct asked        *asked = ctx;
    struct dns_question *question = asked->question;
    (void)timeouts;
    if (status == ARES_SUCCESS)
        status = answer_take(asked, answer, bytes);
    (*asked->left)--;
    if (status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND) {
        question->found = question->count > 0 ? DNS_FOUND : DNS_NONE;
        return;
    }
    question->found = DNS_UNKNOWN;
    snprintf(question->why, sizeof question->why, "%s",
             status == ARES_ECANCELLED ? "nobody answered in time" : ares_strerror(status));
}

/* ---- asking ---- */

static int type_code(enum dns_type type)
{
    static const int codes[] = { [DNS_TXT] = TYPE_TXT,
                                 [DNS_MX] = TYPE_MX,
                                 [DNS_A] = TYPE_A,
                                 [DNS_AAAA] = TYPE_AAAA,
                                 [DNS_CNAME] = TYPE_A };
    return codes[type];
}

/* Until something came, or the library has a time-out to look at. */
static void turn(struct dns *dns, int64_t left_us)
{
    ares_socket_t  sockets[ARES_GETSOCK_MAXNUM];
    struct pollfd  polled[ARES_GETSOCK_MAXNUM];
    struct timeval most = { .tv_sec = left_us / 1000000, .tv_usec = left_us % 1000000 }, until;
    int            mask = ares_getsock(dns->channel, sockets, ARES_GETSOCK_MAXNUM), count = 0;
    for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        short events = 0;
        if (((unsigned)mask >> i & 1) != 0) /* the library's macros shift a sign */
            events |= POLLIN;
        if (((unsigned)mask >> (i + ARES_GETSOCK_MAXNUM) & 1) != 0)
            events |= POLLOUT;
        if (events != 0)
            polled[count++] = (struct pollfd){ .fd = sockets[i], .events = events };
    }
    struct timeval *wait = ares_timeout(dns->channel, &most, &until);
    (void)poll(polled, (nfds_t)count, (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000) + 1);
    if (count == 0)
        ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (int i = 0; i < count; i++)
        ares_process_fd(dns->channel,
                        (polled[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0 ? polled[i].fd
                                                                                : ARES_SOCKET_BAD,
                        (polled[i].revents & POLLOUT) != 0 ? polled[i].fd : ARES_SOCKET_BAD);
}

void dns_ask(struct dns *dns, struct dns_question *questions, uint32_t count, struct arena *arena,
             int64_t wait_ms)
{
    int64_t       until_us = time_mono_us() + wait_ms * 1000;
    struct asked *asked = ARENA_ARRAY(arena, count, struct asked);
    uint32_t      left = count;
    for (uint32_t i = 0; i < count; i++) {
        char                 name[DNS_NAME_BYTES_MAX + 1];
        struct dns_question *question = &questions[i];
        question->count = 0;
        question->found = DNS_UNKNOWN;
        snprintf(question->why, sizeof question->why, "this is no name");
        if (asked == NULL || question->name.len == 0 || question->name.len > DNS_NAME_BYTES_MAX) {
            left--;
            continue;
        }
        asked[i] = (struct asked){ question, arena, &left };
        ares_query(dns->channel, str_to_cstr(question->name, name, sizeof name), CLASS_IN,
                   type_code(question->type), answered, &asked[i]);
    }
    while (left > 0) {
        int64_t left_us = until_us - time_mono_us();
        if (left_us <= 0)
            break;
        turn(dns, left_us);
    }
    if (left > 0)
        ares_cancel(dns->channel); /* answers each that is open */
}
