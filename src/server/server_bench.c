/*
 * server_bench: answers every POST with 200 and a small JSON, later and from another thread.
 *
 *     server_bench [port] [loops] [inline]      then:  wrk -t1 -c64 -s post.lua
 * http://127.0.0.1:PORT/
 *
 * Requests go through a bounded queue to one thread that answers them in batches, as the commit
 * thread will. With "inline" the loop thread answers at once. Prints counts every five seconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pthread.h>

#include "base/queue.h"
#include "server/http.h"

enum { PLACES = 4096, BATCH = 512 };

static struct queue       *line;
static struct http_server *server;

static const struct http_answer ANSWER = {
    .status = 200,
    .type = { "application/json", 16 },
    .body = { "{\"success\":true}", 16 },
};

static void handle_later(void *context, struct http_request *request)
{
    (void)context;
    if (queue_put(line, request) != OK)
        http_reply_json(request, 503, STR("{}"));
}

static void handle_now(void *context, struct http_request *request)
{
    (void)context;
    http_reply(request, &ANSWER);
}

static void *commit_thread(void *context)
{
    void *items[BATCH];
    (void)context;
    for (;;) {
        struct http_batch batch = http_batch_make(server);
        size_t            count = queue_take(line, items, BATCH, -1);
        for (size_t i = 0; i < count; i++)
            http_batch_add(&batch, items[i], &ANSWER);
        http_batch_send(&batch);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    bool             is_inline = argc > 3 && strcmp(argv[3], "inline") == 0;
    struct problem   problem = { 0 };
    pthread_t        thread;
    struct http_conf conf = {
        .address = "127.0.0.1",
        .port = argc > 1 ? atoi(argv[1]) : 9090,
        .loops = argc > 2 ? atoi(argv[2]) : 1,
        .handle = is_inline ? handle_now : handle_later,
        .certificate_path = getenv("CERTIFICATE"),
        .key_path = getenv("KEY"),
    };
    line = queue_open(PLACES);
    if (line == NULL || http_open(&conf, &server, &problem) != OK) {
        fprintf(stderr, "%s: %s; %s\n", problem.where, problem.what, problem.remedy);
        return 1;
    }
    if (pthread_create(&thread, NULL, commit_thread, NULL) != 0)
        return 1;
    printf("port %d\n", http_port(server));
    for (;;) {
        sleep(5);
        struct http_stats s = http_stats(server);
        printf("requests %llu wakes %llu 2xx %llu\n", (unsigned long long)s.requests,
               (unsigned long long)s.wakes, (unsigned long long)s.status[2]);
        fflush(stdout);
    }
}
