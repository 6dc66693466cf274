#include "run/returned/sns_desk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/time.h"
#include "delivery/fetch.h"
#include "intake/sns.h"
#include "run/cli/files.h"
#include "run/returned/sns_shelf.h"

enum { SNS_WAIT_MS = 5000, ANSWER_BYTES_MAX = 64 << 10 };

/* One answer that somebody waits for; there is one at a time. */
struct visit {
    struct sns_desk *desk;
    struct buf      *out;
    bool             is_done, is_good;
};

struct sns_desk {
    struct loop     *loop;
    struct fetch    *fetch;
    struct buf       told; /* the file's certificate; empty: none */
    pthread_mutex_t  lock;
    pthread_cond_t   moved;
    bool             is_busy;
    struct sns_shelf shelf;
};

static enum err told_read(struct sns_desk *desk, const char *path, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(4 * SNS_CERTIFICATE_BYTES_MAX);
    struct str                         text;
    if (arena == NULL)
        return ERR_MEMORY;
    TRY(files_read_one(arena, path, SNS_CERTIFICATE_BYTES_MAX, &text, problem));
    buf_str(&desk->told, text);
    return buf_err(&desk->told);
}

static enum err caller_open(struct sns_desk *desk)
{
    static const struct fetch_conf outside = { .agent = "Dult" };
    desk->loop = loop_open();
    desk->fetch = desk->loop == NULL ? NULL : fetch_open(desk->loop, &outside);
    return desk->fetch == NULL ? ERR_MEMORY : OK;
}

enum err sns_desk_open(struct sns_desk **out, const char *certificate, struct problem *problem)
{
    struct sns_desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL)
        return ERR_MEMORY;
    pthread_mutex_init(&desk->lock, NULL);
    pthread_cond_init(&desk->moved, NULL);
    desk->told = buf_make(SNS_CERTIFICATE_BYTES_MAX);
    sns_shelf_init(&desk->shelf);
    enum err err = certificate != NULL ? told_read(desk, certificate, problem) : caller_open(desk);
    if (err == OK)
        *out = desk;
    else
        sns_desk_close(desk);
    return err;
}

void sns_desk_close(struct sns_desk *desk)
{
    if (desk == NULL)
        return;
    fetch_close(desk->fetch);
    loop_close(desk->loop);
    sns_shelf_done(&desk->shelf);
    buf_done(&desk->told);
    pthread_cond_destroy(&desk->moved);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

/* ---- one visit at a time ---- */

static void answered(void *ctx, const struct fetch_response *response)
{
    struct visit    *visit = ctx;
    struct sns_desk *desk = visit->desk;
    pthread_mutex_lock(&desk->lock);
    visit->is_good = response->err == OK && response->status == 200;
    if (visit->is_good && visit->out != NULL)
        buf_str(visit->out, response->body);
    visit->is_done = true;
    pthread_cond_broadcast(&desk->moved);
    pthread_mutex_unlock(&desk->lock);
}

/* With the lock, given up meanwhile. */
static enum err visit_make(struct sns_desk *desk, struct str url, struct buf *out)
{
    char                 text[SNS_URL_BYTES_MAX + 1];
    struct visit         visit = { .desk = desk, .out = out };
    struct fetch_request request = { .method = "GET",
                                     .url = text,
                                     .timeout_ms = SNS_WAIT_MS,
                                     .response_bytes_max = ANSWER_BYTES_MAX,
                                     .repeatable = true,
                                     .call = answered,
                                     .ctx = &visit };
    struct problem       problem;
    if (desk->fetch == NULL || desk->is_busy)
        return ERR_WAIT;
    desk->is_busy = true;
    str_to_cstr(url, text, sizeof text);
    pthread_mutex_unlock(&desk->lock);
    enum err err = fetch_send(desk->fetch, &request, &problem);
    pthread_mutex_lock(&desk->lock);
    while (err == OK && !visit.is_done)
        pthread_cond_wait(&desk->moved, &desk->lock);
    desk->is_busy = false;
    return err == OK && visit.is_good ? OK : ERR_WAIT;
}

/* ---- what is asked for ---- */

static enum err certificate_fetch(struct sns_desk *desk, struct str url, struct buf *out)
{
    SCOPED(buf_donep) struct buf pem = buf_make(SNS_CERTIFICATE_BYTES_MAX);
    enum err                     err = visit_make(desk, url, &pem);
    bool                         is_good = err == OK && buf_err(&pem) == OK && pem.len > 0;
    TRY(sns_shelf_put(&desk->shelf, url, is_good ? buf_view(&pem) : STR_NONE, time_now_ms()));
    buf_str(out, buf_view(&pem));
    return is_good ? buf_err(out) : ERR_WAIT;
}

enum err sns_desk_certificate(struct sns_desk *desk, struct str url, struct buf *out)
{
    enum err err = OK;
    if (desk->told.len > 0) {
        buf_str(out, buf_view(&desk->told));
        return buf_err(out);
    }
    pthread_mutex_lock(&desk->lock);
    struct str kept = sns_shelf_find(&desk->shelf, url);
    if (kept.len > 0)
        buf_str(out, kept);
    else if (desk->is_busy || sns_shelf_has_failed(&desk->shelf, url, time_now_ms()))
        err = ERR_WAIT;
    else
        err = certificate_fetch(desk, url, out);
    pthread_mutex_unlock(&desk->lock);
    return err == OK ? buf_err(out) : err;
}

enum err sns_desk_confirm(struct sns_desk *desk, struct str url)
{
    pthread_mutex_lock(&desk->lock);
    enum err err = visit_make(desk, url, NULL);
    pthread_mutex_unlock(&desk->lock);
    return err;
}
