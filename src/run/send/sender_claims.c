/*
 * A claim on its way: taken, rendered, given to the channel; its outcome; and the place it held.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "delivery/retry.h"
#include "run/send/sender_inside.h"

/* Whatever kept a message from being made (memory, the disk) may be over in a minute. */
#define TROUBLE_PAUSE_MS TIME_MINUTE_MS

void sender_tell(struct sender *sender)
{
    uint32_t busy = sender->promised + sender->sending;
    if (!sender->ready || sender->stopping || busy >= sender->places)
        return;
    uint32_t more = least(sender->untold, sender->places - busy);
    more = least(more, SENDER_JOBS_MAX - sender->in_use - sender->promised);
    if (more == 0)
        return;
    sender->untold -= more;
    sender->promised += more;
    core_room(sender->core, more);
}

void sender_room(void *ctx, uint32_t places)
{
    struct sender *sender = ctx;
    pthread_mutex_lock(&sender->lock);
    sender->untold += places;
    sender_tell(sender);
    pthread_mutex_unlock(&sender->lock);
}

/* Copies what is borrowed. Traits beyond the bound are the oldest ones. */
static void claim_copy(struct job *job, const struct claim *claim)
{
    uint32_t skipped =
        claim->trait_seqs_count > JOB_TRAIT_SEQS ? claim->trait_seqs_count - JOB_TRAIT_SEQS : 0;
    job->claim = *claim;
    str_to_cstr(claim->address, job->address, sizeof job->address);
    job->claim.address = str_of(job->address);
    job->claim.trait_seqs_count -= skipped;
    memcpy(job->trait_seqs, claim->trait_seqs + skipped,
           job->claim.trait_seqs_count * sizeof job->trait_seqs[0]);
    job->claim.trait_seqs = job->trait_seqs;
    str_to_cstr(claim->computed, job->computed, sizeof job->computed);
    job->claim.computed = str_of(job->computed);
    job->arena = NULL;
    job->rendered = (struct rendered){ 0 };
    job->given = false;
}

static struct job *job_take(struct sender *sender, const struct claim *claim)
{
    pthread_mutex_lock(&sender->lock);
    struct job *job = sender->free;
    assert(job != NULL && sender->promised > 0);
    sender->free = job->next;
    sender->promised--;
    sender->sending++;
    sender->in_use++;
    sender->stats.queued++;
    pthread_mutex_unlock(&sender->lock);
    claim_copy(job, claim);
    return job;
}

/* On the commit thread: the claims are durable. */
void sender_claimed(void *context, const struct claim *claims, size_t count)
{
    struct sender *sender = context;
    for (size_t i = 0; i < count; i++) {
        struct job *job = job_take(sender, &claims[i]);
        if (queue_put(sender->queue, job) != OK) { /* it has a place for every job: stopped */
            snprintf(job->text, sizeof job->text, "the sender is stopping");
            sender_finish(sender, job, OUTCOME_RETURNED, 0);
        }
    }
}

static void outcome_set(struct job *job, enum outcome_kind kind, int64_t retry_at_ms)
{
    job->at_ms = time_now_ms();
    job->outcome = (struct record_outcome){ .message = job->claim.message,
                                            .kind = kind,
                                            .retry_at_ms = retry_at_ms };
    job->next = NULL;
}

void sender_finish(struct sender *sender, struct job *job, enum outcome_kind kind,
                   int64_t retry_at_ms)
{
    outcome_set(job, kind, retry_at_ms);
    pthread_mutex_lock(&sender->lock);
    if (job->given)
        sender->stats.in_flight--;
    else
        sender->stats.queued--;
    sender->stats.reporting++;
    *sender->outcomes.last = job;
    sender->outcomes.last = &job->next;
    pthread_cond_signal(&sender->moved);
    pthread_mutex_unlock(&sender->lock);
}

int64_t sender_retry_at_ms(const struct claim *claim, int64_t now_ms)
{
    assert(claim->attempt > 0);
    /* A clock set back must not make the first try lie ahead. */
    int64_t first_ms = claim->first_try_ms < now_ms ? claim->first_try_ms : now_ms;
    return retry_at_ms(&(struct retry){ .attempt = claim->attempt,
                                        .first_ms = first_ms,
                                        .now_ms = now_ms,
                                        .result = DELIVERY_DEFERRED,
                                        .seed = claim->message });
}

static int64_t next_try_ms(const struct sender *sender, const struct job *job)
{
    int64_t now_ms = time_now_ms();
    return sender->conf.retry_ms > 0 ? now_ms + sender->conf.retry_ms
                                     : sender_retry_at_ms(&job->claim, now_ms);
}

void sender_done(void *ctx, struct delivery_message *message,
                 const struct delivery_outcome *outcome)
{
    static const enum outcome_kind kinds[] = {
        [DELIVERY_SENT] = OUTCOME_SENT,         [DELIVERY_DEFERRED] = OUTCOME_DEFERRED,
        [DELIVERY_FAILED] = OUTCOME_FAILED,     [DELIVERY_UNKNOWN] = OUTCOME_UNKNOWN,
        [DELIVERY_RETURNED] = OUTCOME_RETURNED,
    };
    struct sender    *sender = ctx;
    struct job       *job = message->tag;
    enum outcome_kind kind = kinds[outcome->result];
    int64_t           retry_ms = 0;
    job->bounced = outcome->result == DELIVERY_FAILED && outcome->code >= 500;
    job->is_to_rcpt = outcome->blame == BLAME_RECIPIENT;
    if (kind == OUTCOME_DEFERRED)
        retry_ms = next_try_ms(sender, job);
    if (retry_ms == TIME_NEVER)
        kind = OUTCOME_FAILED;
    if (outcome->code > 0)
        snprintf(job->text, sizeof job->text, "%d %s%s%s", outcome->code, outcome->enhanced,
                 outcome->enhanced[0] == '\0' ? "" : " ", outcome->text);
    else
        snprintf(job->text, sizeof job->text, "%s", outcome->text);
    sender_finish(sender, job, kind, retry_ms);
}

static void job_give(struct sender *sender, struct job *job)
{
    const struct compose_out *mail = &job->rendered.mail;
    job->mail = (struct delivery_message){
        .id = job->claim.message,
        .message_id = mail->message_id,
        .from = mail->envelope_from,
        .to = mail->envelope_to,
        .data = buf_view(&mail->message),
        .tag = job,
    };
    pthread_mutex_lock(&sender->lock);
    job->given = true;
    sender->stats.queued--;
    sender->stats.in_flight++;
    pthread_mutex_unlock(&sender->lock);
    if (channel_give(sender->channel, &job->mail) == OK)
        return; /* from here on it may be done, and another's, already */
    snprintf(job->text, sizeof job->text, "the channel is stopping");
    sender_finish(sender, job, OUTCOME_RETURNED, 0);
}

static void job_render(struct sender *sender, struct render *render, struct job *job)
{
    job->arena = arena_open(RENDER_ARENA_BYTES_MAX);
    job->rendered.mail.message = buf_make(COMPOSE_BYTES_MAX);
    enum err err = job->arena == NULL ? ERR_MEMORY
                                      : render_message(render, &job->claim, time_now_ms(),
                                                       job->arena, &job->rendered);
    if (err == OK) {
        job_give(sender, job);
        return;
    }
    if (err == ERR_INPUT) {
        snprintf(job->text, sizeof job->text, "%s", job->rendered.reason);
        sender_finish(sender, job, OUTCOME_HELD, 0);
        return;
    }
    snprintf(job->text, sizeof job->text, "the message could not be made now (%s)", err_name(err));
    sender_finish(sender, job, OUTCOME_DEFERRED, time_now_ms() + TROUBLE_PAUSE_MS);
}

static bool is_stopping(struct sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    bool stopping = sender->stopping;
    pthread_mutex_unlock(&sender->lock);
    return stopping;
}

void *sender_render(void *arg)
{
    struct worker worker = *(struct worker *)arg;
    struct job   *job;
    free(arg);
    while (queue_take(worker.sender->queue, (void **)&job, 1, -1) == 1) {
        if (!is_stopping(worker.sender)) {
            job_render(worker.sender, worker.render, job);
            continue;
        }
        snprintf(job->text, sizeof job->text, "the sender is stopping");
        sender_finish(worker.sender, job, OUTCOME_RETURNED, 0);
    }
    return NULL;
}
