/*
 * A claim on its way: taken, rendered, handed to the ways; and its outcome.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "delivery/maildir.h"
#include "delivery/retry.h"
#include "run/core/outbox.h"
#include "run/send/sender_inside.h"

/* Whatever kept a message from being made (memory, the disk) may be over in a minute. */
#define TROUBLE_PAUSE_MS TIME_MINUTE_MS

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
    job->is_placed = job->is_begun = job->in_flight = false;
    job->is_recalled = job->is_stopped = false;
    job->from = STR_NONE;
    job->is_open = true;
    job->way = NULL;
    job->tried = 0;
    job->is_kept = false;
    job->trying = NULL;
    job->letter = (struct letter){ .status = 0 };
    job->checking = NULL;
    job->checked_by = NULL;
    job->steps_by = NULL;
    job->steps_rounds = 0;
    job->steps = (struct json){ .kind = JSON_NULL };
    job->paper = (struct post_paper){ .pages = 0 };
    job->printed_for = NULL;
    job->unprinted = NULL;
    job->is_made = false;
    job->is_renewed = false;
    job->is_doubt = job->is_noted = false;
}

/* With the lock. */
static struct job *job_take(struct sender *sender, const struct claim *claim)
{
    struct job *job = sender->free;
    struct way *way = ways_of_door(sender, claim->door);
    enum door   door = claim->door % DOORS;
    assert(way->promised[door] > 0);
    if (job != NULL)
        sender->free = job->next;
    else
        job = &sender->jobs[sender->jobs_used++];
    assert(sender->jobs_used <= SENDER_JOBS_MAX);
    job->home = way;
    job->is_reserve = door == DOOR_RECEIPTS;
    way->promised[door]--;
    way->sending[door]++;
    way->unplaced += door == DOOR_ANY;
    sender->in_use++;
    sender->stats.queued++;
    return job;
}

/* On the commit thread: the claims are durable. */
void sender_claimed(void *context, const struct claim *claims, size_t count)
{
    struct sender  *sender = context;
    struct job_line taken = { NULL, &taken.first };
    pthread_mutex_lock(&sender->lock);
    for (size_t i = 0; i < count; i++)
        line_add(&taken, job_take(sender, &claims[i]));
    pthread_mutex_unlock(&sender->lock);
    size_t i = 0;
    for (struct job *job = taken.first; job != NULL; job = job->next) {
        claim_copy(job, &claims[i++]);
        doubt_claimed(sender, job);
    }
    pthread_mutex_lock(&sender->lock);
    for (struct job *job; (job = line_take(&taken)) != NULL;)
        line_add(&sender->rendering[job->claim.transactional], job);
    pthread_cond_broadcast(&sender->work);
    pthread_mutex_unlock(&sender->lock);
}

static void outcome_set(struct job *job, enum outcome_kind kind, int64_t retry_at_ms)
{
    job->at_ms = time_now_ms();
    job->outcome = (struct record_outcome){ .message = job->claim.message,
                                            .kind = kind,
                                            .retry_at_ms = retry_at_ms };
    job->next = NULL;
}

/* After a kill what is known already is not in doubt. */
static void begun_note(struct sender *sender, struct job *job)
{
    struct begun *begun = core_begun(sender->core);
    if (!job->is_begun)
        return;
    switch (job->outcome.kind) {
    case OUTCOME_SENT:
        begun_heard(begun, job->begun_at, job->is_kept ? BEGUN_KEPT : BEGUN_SENT);
        return;
    case OUTCOME_FAILED:
        begun_heard(begun, job->begun_at, BEGUN_REFUSED);
        return;
    case OUTCOME_DEFERRED:
        begun_heard(begun, job->begun_at, BEGUN_PUT_OFF);
        return;
    case OUTCOME_RETURNED:
        begun_remove(begun, job->begun_at);
        job->is_begun = false;
        return;
    case OUTCOME_UNKNOWN:
    case OUTCOME_HELD:
        return; /* in doubt, or not begun */
    }
}

void sender_finish(struct sender *sender, struct job *job, enum outcome_kind kind,
                   int64_t retry_at_ms)
{
    /* What may have been sent is not made undone by what is found now. */
    if (job->is_doubt && (kind == OUTCOME_HELD || kind == OUTCOME_FAILED))
        kind = OUTCOME_UNKNOWN;
    outcome_set(job, kind, retry_at_ms);
    pthread_mutex_lock(&sender->lock);
    if (job->in_flight)
        sender->stats.in_flight--;
    else
        sender->stats.queued--;
    if (job->trying != NULL) {
        sender_tried(job);
        pthread_mutex_unlock(&sender->lock);
        return;
    }
    job->is_open = false;
    begun_note(sender, job);
    sender->stats.reporting++;
    sender_report_add(sender, job);
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

int64_t sender_next_try_ms(void *context, const struct claim *claim)
{
    const struct sender *sender = context;
    int64_t              now_ms = time_now_ms();
    return sender->conf.retry_ms > 0 ? now_ms + sender->conf.retry_ms
                                     : sender_retry_at_ms(claim, now_ms);
}

/* With several ways for its channel it is said which one it was. */
static void text_set(struct sender *sender, struct job *job, const struct delivery_outcome *outcome)
{
    char        code[32] = "";
    const char *way = sender_has_several(sender, job->way) ? job->way->conf->name : "";
    if (outcome->code > 0)
        snprintf(code, sizeof code, "%d %s%s", outcome->code, outcome->enhanced,
                 outcome->enhanced[0] == '\0' ? "" : " ");
    bool is_bounce = job->bounced; /* the words are read by a program */
    snprintf(job->text, sizeof job->text, "%s%s%s%s", is_bounce ? "" : way,
             way[0] == '\0' || is_bounce ? "" : ": ", code, outcome->text);
}

void sender_settle(struct sender *sender, struct job *job, const struct delivery_outcome *outcome)
{
    static const enum outcome_kind kinds[] = {
        [DELIVERY_SENT] = OUTCOME_SENT,         [DELIVERY_DEFERRED] = OUTCOME_DEFERRED,
        [DELIVERY_FAILED] = OUTCOME_FAILED,     [DELIVERY_UNKNOWN] = OUTCOME_UNKNOWN,
        [DELIVERY_RETURNED] = OUTCOME_RETURNED,
    };
    enum outcome_kind kind = kinds[outcome->result];
    int64_t           retry_ms = 0;
    bool is_dead = outcome->blame == BLAME_RECIPIENT && outcome->code == 0; /* says a provider */
    job->bounced = outcome->result == DELIVERY_FAILED && (outcome->code >= 500 || is_dead);
    job->is_to_rcpt = outcome->blame == BLAME_RECIPIENT;
    if (kind == OUTCOME_DEFERRED && outcome->wait_ms > 0) {
        /* We were too fast, the message is none the worse for it: this was no try. */
        kind = OUTCOME_RETURNED;
        retry_ms = time_now_ms() + outcome->wait_ms;
    } else if (kind == OUTCOME_DEFERRED) {
        retry_ms = sender_next_try_ms(sender, &job->claim);
    }
    if (retry_ms == TIME_NEVER)
        kind = OUTCOME_FAILED;
    text_set(sender, job, outcome);
    sender_letter_price(job);
    sender_finish(sender, job, kind, retry_ms);
}

bool sender_is_to_keep(const struct sender *sender, const struct job *job)
{
    return (sender->leads_outside || job_is_letter(job)) &&
           !trial_allows(sender->conf.trial, job->claim.address);
}

/* Every line ends in CRLF. */
static struct str lines_of(struct arena *arena, struct str text)
{
    SCOPED(buf_donep) struct buf out = buf_make(COMPOSE_BYTES_MAX);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\n')
            buf_str(&out, STR("\r\n"));
        else if (text.ptr[i] != '\r')
            buf_char(&out, text.ptr[i]);
    return str_copy(arena, buf_view(&out));
}

/* What is no e-mail, so that it can be read as one. */
static struct delivery_message letter_as_mail(struct job *job)
{
    unsigned long long id = (unsigned long long)job->claim.message;
    struct str         data = str_format(
                job->arena,
                "Subject: [%.*s to %.*s] %.*s\r\nMessage-ID: <%llu@trial.invalid>\r\n"
                        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%.*s\r\n",
                STR_ARG(channel_name(job->claim.channel)), STR_ARG(job->claim.address),
                STR_ARG(job->rendered.template), id, STR_ARG(lines_of(job->arena, job->rendered.text)));
    return (struct delivery_message){ .id = job->claim.message,
                                      .message_id =
                                          str_format(job->arena, "%llu@trial.invalid", id),
                                      .from = STR_NONE,
                                      .to = STR("letter@trial.invalid"),
                                      .data = data };
}

struct delivery_outcome sender_keep(struct sender *sender, struct job *job)
{
    const struct compose_out *mail = &job->rendered.mail;
    struct delivery_message   message = { .id = job->claim.message,
                                          .message_id = mail->message_id,
                                          .from = mail->envelope_from,
                                          .to = mail->envelope_to,
                                          .data = buf_view(&mail->message) };
    if (job_is_letter(job))
        message = letter_as_mail(job);
    if (job->trying != NULL)
        message.id = 0; /* of a test */
    struct delivery_outcome outcome = maildir_write(trial_outbox(sender->conf.trial), &message);
    job->is_kept = outcome.result == DELIVERY_SENT;
    snprintf(job->text, sizeof job->text, "%s%s",
             job->is_kept ? OUTBOX_KEPT : "trial: ", outcome.text);
    return outcome;
}

/* May its first byte leave? Else it has gone back. */
static bool job_begin(struct sender *sender, struct job *job)
{
    pthread_mutex_lock(&sender->lock);
    bool may = sender_begin(sender, job);
    pthread_mutex_unlock(&sender->lock);
    if (!may)
        sender_come_back(sender, job);
    return may;
}

/* Whoever it is for was erased, or wants it no more, while it was being written. An erasure looks
 * through the outbox after this mark was made (outbox.h): so it finds the mail there, or we do. */
static bool was_recalled(struct sender *sender, struct job *job)
{
    pthread_mutex_lock(&sender->lock);
    bool is_recalled = job->is_recalled;
    pthread_mutex_unlock(&sender->lock);
    if (is_recalled && job->is_kept)
        outbox_forget(trial_outbox(sender->conf.trial), outbox_name(str_of(job->text)));
    job->is_kept = job->is_kept && !is_recalled;
    return is_recalled;
}

/* Sent as far as journeys and people are concerned. */
static void job_keep(struct sender *sender, struct job *job)
{
    if (!job_begin(sender, job))
        return;
    struct delivery_outcome outcome = sender_keep(sender, job);
    if (was_recalled(sender, job)) {
        sender_come_back(sender, job);
        return;
    }
    sender_finish(sender, job, outcome.result == DELIVERY_SENT ? OUTCOME_SENT : OUTCOME_DEFERRED,
                  time_now_ms() + TROUBLE_PAUSE_MS);
}

static enum err job_make(struct sender *sender, struct render *render, struct job *job)
{
    return sender->conf.make != NULL
               ? sender->conf.make(&job->claim, job->arena, &job->rendered)
               : render_message(render, &job->claim, time_now_ms(), job->arena, &job->rendered);
}

/* Here and not where it is asked for, for it takes a few milliseconds. What cannot be printed is
 * told there, where another way may still take it. */
static void letter_print(struct sender *sender, struct job *job)
{
    struct problem    problem;
    const struct way *way = job_is_letter(job) ? sender_way_now(sender, job) : NULL;
    enum err          err = way == NULL ? OK : sender_letter_print(way, job, &problem);
    (void)err;
}

static void letter_go_on(struct sender *sender, struct job *job)
{
    letter_print(sender, job);
    sender_route(sender, job);
}

static void job_render(struct sender *sender, struct render *render, struct job *job)
{
    job->arena = arena_open(RENDER_ARENA_BYTES_MAX);
    job->rendered.mail.message = buf_make(COMPOSE_BYTES_MAX);
    enum err err = job->arena == NULL ? ERR_MEMORY : job_make(sender, render, job);
    if (err == OK && !sender_stops_pass(sender, job))
        return;
    if (err == OK && sender_is_to_keep(sender, job)) {
        job_keep(sender, job);
        return;
    }
    const char *gap = err == OK && job_is_letter(job) ? sender_letter_gap(job) : NULL;
    if (gap != NULL) {
        snprintf(job->text, sizeof job->text, "%s", gap);
        sender_finish(sender, job, OUTCOME_HELD, 0);
        return;
    }
    if (err == OK) {
        job->is_made = true;
        letter_go_on(sender, job);
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

/* Receipts first. NULL: there is no more to do; `stopping`: this one is not to be made. */
static struct job *work_take(struct sender *sender, bool *stopping)
{
    struct job *job;
    pthread_mutex_lock(&sender->lock);
    for (;;) {
        job = line_take(&sender->rendering[1]);
        if (job == NULL)
            job = line_take(&sender->rendering[0]);
        if (job != NULL || sender->no_more_work)
            break;
        pthread_cond_wait(&sender->work, &sender->lock);
    }
    *stopping = sender->stopping;
    pthread_mutex_unlock(&sender->lock);
    return job;
}

void *sender_render(void *arg)
{
    struct worker worker = *(struct worker *)arg;
    struct job   *job;
    bool          stopping;
    free(arg);
    while ((job = work_take(worker.sender, &stopping)) != NULL) {
        if (!stopping && job->is_made) {
            letter_go_on(worker.sender, job);
            continue;
        }
        if (!stopping) {
            job_render(worker.sender, worker.render, job);
            continue;
        }
        snprintf(job->text, sizeof job->text, "the sender is stopping");
        sender_finish(worker.sender, job, OUTCOME_RETURNED, 0);
    }
    return NULL;
}
