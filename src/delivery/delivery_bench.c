/*
 * Messages a second through a pool: 10 KB each over kept connections.
 *
 *      delivery_bench HOST PORT [messages] [connections] [bytes]
 *
 * Prints one line: messages/s, and microseconds of this process's CPU a message. Compare with
 * `smtp-source -d -s 10 -l 10240 -m N HOST:PORT` against the same sink in the same minute.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/time.h"
#include "delivery/pool.h"

struct bench {
    struct channel          *channel;
    struct delivery_message *messages;
    uint32_t                 count, given, done, sent;
    uint32_t                 early; /* places offered before the channel was known */
    pthread_mutex_t          lock;
    pthread_cond_t           finished;
};

static void give(struct bench *bench, uint32_t places)
{
    for (; places > 0 && bench->given < bench->count; places--)
        if (channel_give(bench->channel, &bench->messages[bench->given++]) != OK)
            abort();
}

static void on_room(void *ctx, uint32_t places)
{
    struct bench *bench = ctx;
    pthread_mutex_lock(&bench->lock);
    bool known = bench->channel != NULL;
    bench->early += known ? 0 : places;
    pthread_mutex_unlock(&bench->lock);
    if (known)
        give(bench, places);
}

static void on_done(void *ctx, struct delivery_message *message,
                    const struct delivery_outcome *outcome)
{
    struct bench *bench = ctx;
    (void)message;
    bench->sent += outcome->result == DELIVERY_SENT;
    if (++bench->done < bench->count)
        return;
    pthread_mutex_lock(&bench->lock);
    pthread_cond_signal(&bench->finished);
    pthread_mutex_unlock(&bench->lock);
}

static char *letter(size_t bytes)
{
    char  *data = malloc(bytes + 64);
    size_t len = (size_t)sprintf(data, "Subject: bench\r\n\r\n");
    while (len < bytes) {
        memset(data + len, 'x', 70);
        len += 70 < bytes + 62 - len ? 70 : bytes + 62 - len;
        memcpy(data + len - 2, "\r\n", 2);
    }
    data[len] = '\0';
    return data;
}

static double cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void run(struct bench *bench, struct channel *channel)
{
    pthread_mutex_lock(&bench->lock);
    bench->channel = channel;
    uint32_t early = bench->early;
    pthread_mutex_unlock(&bench->lock);
    int64_t from_us = time_mono_us();
    double  cpu_from = cpu_us();
    give(bench, early);
    pthread_mutex_lock(&bench->lock);
    while (bench->done < bench->count)
        pthread_cond_wait(&bench->finished, &bench->lock);
    pthread_mutex_unlock(&bench->lock);
    double s = (double)(time_mono_us() - from_us) / 1e6;
    printf("%.0f messages/s, %.1f us of CPU a message, %u of %u sent\n", bench->count / s,
           (cpu_us() - cpu_from) / bench->count, bench->sent, bench->count);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: delivery_bench HOST PORT [messages] [connections] [bytes]\n");
        return 2;
    }
    struct bench         bench = { .count = argc > 3 ? (uint32_t)atoi(argv[3]) : 50000,
                                   .lock = PTHREAD_MUTEX_INITIALIZER,
                                   .finished = PTHREAD_COND_INITIALIZER };
    struct pool_conf     conf = { .host = argv[1],
                                  .port = (uint16_t)atoi(argv[2]),
                                  .ehlo_name = "bench.example",
                                  .connections_max = argc > 4 ? (uint32_t)atoi(argv[4]) : 10 };
    char                *data = letter(argc > 5 ? (size_t)atoi(argv[5]) : 10240);
    struct loop         *loop = loop_open();
    struct channel      *channel;
    struct problem       problem = { 0 };
    struct channel_calls calls = { on_room, on_done, &bench };
    bench.messages = calloc(bench.count, sizeof bench.messages[0]);
    for (uint32_t i = 0; i < bench.count; i++)
        bench.messages[i] = (struct delivery_message){ .id = i + 1,
                                                       .from = STR("shop@shop.example"),
                                                       .to = STR("ada@x.example"),
                                                       .data = str_of(data) };
    if (loop == NULL || pool_open(loop, &conf, &calls, &channel, &problem) != OK) {
        fprintf(stderr, "%s: %s\n", problem.where, problem.what);
        return 1;
    }
    run(&bench, channel);
    channel_close(channel);
    loop_close(loop);
    free(bench.messages);
    free(data);
    return bench.sent == bench.count ? 0 : 1;
}
