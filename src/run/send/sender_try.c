/*
 * A message beside the ledger: a test. It is a guest of the ways like one that another way passed
 * on, so it takes no place that a claim was promised.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run/send/sender_inside.h"

/* The number of a message that no decision made; channels tell messages apart by it. */
#define TRYING_FIRST (UINT64_C(1) << 62)

struct trying {
    struct job     job;
    struct arena  *arena;
    pthread_cond_t done;
    bool           is_done, is_left; /* is_left: nobody waits for it any more */
};

static void trying_free(struct trying *trying)
{
    buf_done(&trying->job.rendered.mail.message);
    arena_close(trying->arena);
    pthread_cond_destroy(&trying->done);
    free(trying);
}

void sender_tried(struct job *job)
{
    struct trying *trying = job->trying;
    trying->is_done = true;
    if (trying->is_left)
        trying_free(trying);
    else
        pthread_cond_signal(&trying->done);
}

/* What the way needs of it, in memory of its own: who waits may leave. */
static enum err mail_copy(struct trying *trying, const struct sender_try *from)
{
    struct job               *job = &trying->job;
    struct arena             *arena = trying->arena;
    const struct compose_out *mail = &from->rendered->mail;
    str_to_cstr(from->claim.address, job->address, sizeof job->address);
    job->claim = from->claim;
    job->claim.address = str_of(job->address);
    job->rendered.topic = str_copy(arena, from->rendered->topic);
    job->rendered.from = str_copy(arena, from->rendered->from);
    if (from->rendered->person != NULL) { /* no e-mail: its words, about nobody */
        static const struct json nobody = { .kind = JSON_OBJECT };
        job->rendered.person = &nobody;
        job->rendered.template = str_copy(arena, from->rendered->template);
        job->rendered.text = str_copy(arena, from->rendered->text);
    }
    job->rendered.mail =
        (struct compose_out){ .envelope_from = str_copy(arena, mail->envelope_from),
                              .envelope_to = str_copy(arena, mail->envelope_to),
                              .message_id = str_copy(arena, mail->message_id) };
    job->rendered.mail.message = buf_make(COMPOSE_BYTES_MAX);
    buf_str(&job->rendered.mail.message, buf_view(&mail->message));
    TRY(buf_err(&job->rendered.mail.message));
    return from->rendered->mail.message_id.len > 0 && job->rendered.mail.message_id.ptr == NULL
               ? ERR_MEMORY
               : OK;
}

static enum err trying_open(struct trying **out, const struct sender_try *from)
{
    struct trying *trying = calloc(1, sizeof *trying);
    if (trying == NULL)
        return ERR_MEMORY;
    trying->arena = trying->job.arena = arena_open(1 << 20);
    pthread_cond_init(&trying->done, NULL);
    trying->job.trying = trying;
    enum err err = trying->arena == NULL ? ERR_MEMORY : mail_copy(trying, from);
    if (err == OK)
        *out = trying;
    else
        trying_free(trying);
    return err;
}

static struct timespec until_ms(int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    return until;
}

static struct delivery_outcome outcome_of(const struct job *job)
{
    static const enum delivery_result results[] = {
        [OUTCOME_SENT] = DELIVERY_SENT,         [OUTCOME_DEFERRED] = DELIVERY_DEFERRED,
        [OUTCOME_FAILED] = DELIVERY_FAILED,     [OUTCOME_UNKNOWN] = DELIVERY_UNKNOWN,
        [OUTCOME_RETURNED] = DELIVERY_RETURNED, [OUTCOME_HELD] = DELIVERY_FAILED,
    };
    return delivery_outcome_make(results[job->outcome.kind], BLAME_NONE, job->text);
}

static void trying_wait(struct sender *sender, struct trying *trying, struct delivery_outcome *out)
{
    struct timespec until = until_ms(SENDER_TRY_MS);
    pthread_mutex_lock(&sender->lock);
    int code = 0;
    while (!trying->is_done && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&trying->done, &sender->lock, &until);
    bool is_done = trying->is_done;
    trying->is_left = !is_done;
    pthread_mutex_unlock(&sender->lock);
    *out = is_done ? outcome_of(&trying->job)
                   : delivery_outcome_make(DELIVERY_UNKNOWN, BLAME_NONE,
                                           "no answer in a minute; it may still arrive");
    if (is_done)
        trying_free(trying);
}

/* To a way, or kept; ERR_WAIT: there is none now. The ways are held. */
static enum err trying_give(struct sender *sender, struct trying *trying, bool *is_kept)
{
    *is_kept = sender_is_to_keep(sender, &trying->job);
    if (*is_kept)
        return OK;
    pthread_mutex_lock(&sender->lock);
    static uint64_t number;
    trying->job.claim.message = TRYING_FIRST + number++;
    bool ready = sender->ready && !sender->stopping;
    sender->stats.queued += ready;
    pthread_mutex_unlock(&sender->lock);
    if (!ready)
        return ERR_WAIT;
    sender_route(sender, &trying->job);
    return OK;
}

enum err sender_try(struct sender *sender, const struct sender_try *tried,
                    struct delivery_outcome *out)
{
    struct trying *trying;
    bool           is_kept;
    TRY(trying_open(&trying, tried));
    pthread_rwlock_rdlock(&sender->ways_lock);
    enum err err = trying_give(sender, trying, &is_kept);
    pthread_rwlock_unlock(&sender->ways_lock);
    if (err == OK && !is_kept) {
        trying_wait(sender, trying, out);
        return OK;
    }
    if (err == OK) {
        *out = sender_keep(sender, &trying->job);
        snprintf(out->text, sizeof out->text, "%.*s", (int)sizeof out->text - 1, trying->job.text);
    }
    trying_free(trying);
    return err;
}
