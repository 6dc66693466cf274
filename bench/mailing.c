/*
 * mailing: e-mails composed, signed and delivered, beside the bare signatures of the same key.
 *
 *     mailing HOST PORT rsa|ed25519 [threads [bytes [seconds]]]
 *
 * So many threads sign 1 KB over and over, then as many compose each message for another person,
 * sign it and hand it to a pool of 10 connections; both for `seconds`, in turns, ROUNDS times.
 * Prints {"bare", "delivered", "ratio", "bare_us", "delivered_us"} a line: a second, the medians,
 * and that of the rounds' ratios; and the processor time of one, without the far side's.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/time.h"
#include "delivery/pool.h"
#include "message/compose.h"

enum { THREADS_MAX = 16, ROUNDS = 3, CONNECTIONS = 10, COPIES = 2 * CONNECTIONS, LINK_BYTES = 820 };

/* One message on its way. */
struct copy {
    struct copy            *next;
    struct arena           *arena;
    struct compose_out      composed;
    struct delivery_message mail;
};

struct mailing {
    struct token_keys *token;
    struct dkim_key   *key;
    struct buf         html;
    struct loop       *loop;
    struct channel    *channel;
    pthread_mutex_t    lock;
    pthread_cond_t     moved;
    struct copy        copies[COPIES], *free;
    uint32_t           places;
    bool               over;
    atomic_ullong      count, number;
};

static void need(enum err code, const char *what)
{
    if (code == OK)
        return;
    fprintf(stderr, "mailing: %s: %s\n", what, err_name(code));
    exit(1);
}

static void html_make(struct buf *html, size_t bytes)
{
    *html = buf_make(bytes * 2 + 4096);
    buf_str(html, STR("<!DOCTYPE html><html><body><table role=\"presentation\" width=\"600\">\n"));
    for (size_t i = 0; i < bytes / LINK_BYTES; i++) {
        size_t until = (i + 1) * LINK_BYTES;
        buf_format(html, "<tr><td style=\"padding:8px 16px\"><h2>Tent %zu</h2><p>", i);
        while (html->len + 160 < until)
            buf_str(html, STR("Light enough for the ridge, and dry in a gale. "));
        buf_format(html,
                   "</p><a href=\"https://shop.example/tents/%zu?a=1\">See it</a></td></tr>\n", i);
    }
    buf_str(html, STR("</table></body></html>\n"));
    need(buf_err(html), "html");
}

/* ---- bare ---- */

static void *sign(void *ctx)
{
    struct mailing *m = ctx;
    char            bytes[1024] = { 0 };
    while (!m->over) {
        struct buf signature = buf_make(1024);
        bytes[0] = (char)atomic_fetch_add(&m->count, 1);
        need(dkim_key_sign(m->key, (struct str){ bytes, sizeof bytes }, &signature), "sign");
        buf_done(&signature);
    }
    return NULL;
}

/* ---- delivered ---- */

static void on_room(void *ctx, uint32_t places)
{
    struct mailing *m = ctx;
    pthread_mutex_lock(&m->lock);
    m->places += places;
    pthread_cond_broadcast(&m->moved);
    pthread_mutex_unlock(&m->lock);
}

static void on_done(void *ctx, struct delivery_message *mail,
                    const struct delivery_outcome *outcome)
{
    struct mailing *m = ctx;
    struct copy    *copy = mail->tag;
    pthread_mutex_lock(&m->lock);
    copy->next = m->free;
    m->free = copy;
    pthread_cond_signal(&m->moved);
    pthread_mutex_unlock(&m->lock);
    if (outcome->result == DELIVERY_SENT)
        atomic_fetch_add(&m->count, 1);
}

static struct copy *copy_take(struct mailing *m)
{
    pthread_mutex_lock(&m->lock);
    while (!m->over && (m->free == NULL || m->places == 0))
        pthread_cond_wait(&m->moved, &m->lock);
    struct copy *copy = m->over ? NULL : m->free;
    if (copy != NULL) {
        m->free = copy->next;
        m->places--;
    }
    pthread_mutex_unlock(&m->lock);
    return copy;
}

static void copy_compose(struct mailing *m, struct copy *copy)
{
    const struct dkim_key *const keys[] = { m->key };
    struct compose_keys          all = { m->token, keys, 1 };
    uint64_t                     number = atomic_fetch_add(&m->number, 1) + 1;
    struct compose_in            in = { .from = { STR("Fjell & Tind"), STR("hei@shop.example") },
                                        .to = { STR("Ada Lovelace"), STR("ada@x.example") },
                                        .subject = STR("Welcome"),
                                        .html = buf_view(&m->html),
                                        .who = { 70000, number, STR("https://m.example") },
                                        .unsubscribe = true,
                                        .tracking = true,
                                        .date_ms = INT64_C(1795301148000),
                                        .return_domain = STR("bounce.shop.example") };
    arena_reset(copy->arena);
    need(compose(&all, &in, copy->arena, &copy->composed, NULL), "compose");
    copy->mail = (struct delivery_message){ .id = number,
                                            .message_id = copy->composed.message_id,
                                            .from = copy->composed.envelope_from,
                                            .to = copy->composed.envelope_to,
                                            .data = buf_view(&copy->composed.message),
                                            .tag = copy };
}

static void *mail(void *ctx)
{
    struct mailing *m = ctx;
    struct copy    *copy;
    while ((copy = copy_take(m)) != NULL) {
        copy_compose(m, copy);
        need(channel_give(m->channel, &copy->mail), "give");
    }
    return NULL;
}

/* ---- both ---- */

static double spent_us(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

/* How many a second; and what one costs of the processor, of all threads here. */
static double rate(struct mailing *m, void *(*run)(void *), int threads, double seconds,
                   double *cpu_us)
{
    pthread_t all[THREADS_MAX];
    double    spent_from_us = spent_us();
    m->over = false;
    atomic_store(&m->count, 0);
    int64_t began_us = time_mono_us();
    for (int i = 0; i < threads; i++)
        need(pthread_create(&all[i], NULL, run, m) == 0 ? OK : ERR_MEMORY, "thread");
    struct timespec pause = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };
    nanosleep(&pause, NULL);
    double count = (double)atomic_load(&m->count);
    double found = count * 1e6 / (double)(time_mono_us() - began_us);
    *cpu_us = (spent_us() - spent_from_us) / count;
    pthread_mutex_lock(&m->lock);
    m->over = true;
    pthread_cond_broadcast(&m->moved);
    pthread_mutex_unlock(&m->lock);
    for (int i = 0; i < threads; i++)
        pthread_join(all[i], NULL);
    return found;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double list[ROUNDS])
{
    qsort(list, ROUNDS, sizeof list[0], compare);
    return list[ROUNDS / 2];
}

static void house_open(struct mailing *m, const char *host, int port, const char *kind)
{
    struct buf     pem = buf_make(1 << 14);
    struct problem problem = { 0 };
    bool           rsa = strcmp(kind, "rsa") == 0;
    need((rsa ? dkim_key_generate : dkim_key_generate_ed25519)(&pem), "key");
    need(dkim_key_open(&m->key, buf_view(&pem), STR("shop.example"), STR("s1"), NULL), "key");
    need(token_keys_open(&m->token, STR("0123456789abcdef0123456789abcdef"), STR_NONE), "token");
    buf_done(&pem);
    for (int i = 0; i < COPIES; i++) {
        m->copies[i] = (struct copy){ .next = m->free,
                                      .arena = arena_open(4 << 20),
                                      .composed.message = buf_make(COMPOSE_BYTES_MAX) };
        m->free = &m->copies[i];
    }
    struct pool_conf     conf = { .host = host,
                                  .port = (uint16_t)port,
                                  .ehlo_name = "bench.example",
                                  .connections_max = CONNECTIONS };
    struct channel_calls calls = { on_room, on_done, m };
    m->loop = loop_open();
    if (m->loop == NULL || pool_open(m->loop, &conf, &calls, &m->channel, &problem) != OK)
        need(ERR_IO, problem.what);
}

static struct mailing mailing; /* large */

int main(int argc, char **argv)
{
    struct mailing *m = &mailing;
    if (argc < 4) {
        fprintf(stderr, "usage: mailing HOST PORT rsa|ed25519 [threads [bytes [seconds]]]\n");
        return 2;
    }
    int    threads = argc > 4 ? atoi(argv[4]) : 2;
    double seconds = argc > 6 ? atof(argv[6]) : 5, bare[ROUNDS], delivered[ROUNDS], ratios[ROUNDS];
    double bare_us[ROUNDS], delivered_us[ROUNDS];
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->moved, NULL);
    html_make(&m->html, argc > 5 ? (size_t)atoi(argv[5]) : 10240);
    house_open(m, argv[1], atoi(argv[2]), argv[3]);
    threads = threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
    for (int i = 0; i < ROUNDS; i++) {
        bare[i] = rate(m, sign, threads, seconds, &bare_us[i]);
        delivered[i] = rate(m, mail, threads, seconds, &delivered_us[i]);
        ratios[i] = delivered[i] / bare[i];
    }
    printf("{\"bare\":%.0f,\"delivered\":%.0f,\"ratio\":%.3f,\"bare_us\":%.1f,"
           "\"delivered_us\":%.1f}\n",
           median(bare), median(delivered), median(ratios), median(bare_us), median(delivered_us));
    channel_close(m->channel);
    loop_close(m->loop);
    return 0;
}
