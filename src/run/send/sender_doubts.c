/*
 * What may have been sent, by a provider that knows it by its key: asked for again, of the same
 * one.
 *
 *      claim, noted before --> only that way, within the key's lifetime --> sent: it is settled
 *                                                                      +--> no answer: later again
 *                                                                      +--> refused: unknown, for a
 *                                                                           later "no" lifts no
 * doubt
 */
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "run/send/sender_inside.h"

/* Between one asking and the next, where nobody says for how long. */
#define AGAIN_PAUSE_MS TIME_MINUTE_MS

static const struct way *way_of(const struct sender *sender, const struct doubt *doubt)
{
    for (uint32_t i = 0; i < sender->ways_count; i++) {
        const struct way *way = sender->ways[i];
        if (way->account != 0 && way->account == doubt->account &&
            strcmp(way->conf->name, doubt->way) == 0)
            return way;
    }
    return NULL;
}

static bool is_over(const struct sender *sender, const struct doubt *doubt, int64_t now_ms)
{
    const struct way *way = way_of(sender, doubt);
    return way == NULL || now_ms >= doubts_end_ms(way->conf, doubt->first_ms);
}

bool sender_may_ask_again(void *context, uint64_t message)
{
    const struct sender *sender = context;
    struct doubt         doubt;
    return doubts_find(sender->doubts, message, &doubt) && !is_over(sender, &doubt, time_now_ms());
}

void doubt_claimed(struct sender *sender, struct job *job)
{
    job->is_doubt = doubts_find(sender->doubts, job->claim.message, &job->doubt);
    job->is_noted = job->is_doubt;
}

void doubt_note(const struct way *way, const struct job *job)
{
    struct doubt doubt = { .message = job->claim.message,
                           .first_ms = time_now_ms(),
                           .account = way->account };
    if (way->account == 0 || job->trying != NULL || job->is_doubt)
        return;
    snprintf(doubt.way, sizeof doubt.way, "%s", way->conf->name);
    doubts_note(way->sender->doubts, &doubt);
}

bool doubt_fits(const struct way *way, const struct job *job)
{
    return !job->is_doubt || way_of(way->sender, &job->doubt) == way;
}

bool doubt_is_over(const struct sender *sender, const struct job *job, int64_t now_ms)
{
    return job->is_doubt && is_over(sender, &job->doubt, now_ms);
}

static void finish_with(struct job *job, enum outcome_kind kind, int64_t retry_at_ms,
                        const char *why, const char *said)
{
    job->outcome.kind = kind;
    job->outcome.retry_at_ms = retry_at_ms;
    job->is_noted = kind != OUTCOME_RETURNED;
    snprintf(job->text, sizeof job->text, "%s: %s", why, said);
}

static bool in_doubt_done(struct way *way, struct job *job, const struct delivery_outcome *outcome)
{
    int64_t now_ms = time_now_ms();
    int64_t pause_ms = outcome->wait_ms > 0 ? outcome->wait_ms : AGAIN_PAUSE_MS;
    if (way->sender->conf.retry_ms > 0)
        pause_ms = way->sender->conf.retry_ms;
    bool is_end = is_over(way->sender, &job->doubt, now_ms + pause_ms);
    /* In the outbox without its line it would be in no doubt, and go by any way. */
    if (outcome->result == DELIVERY_FAILED || is_end ||
        !doubts_keep(way->sender->doubts, job->claim.message))
        finish_with(job, OUTCOME_UNKNOWN, 0, "it may have been sent", outcome->text);
    else
        finish_with(job, OUTCOME_RETURNED, now_ms + pause_ms, "to be asked again with its key",
                    outcome->text);
    return true;
}

bool doubt_done(struct way *way, struct job *job, const struct delivery_outcome *outcome)
{
    struct doubts *doubts = way->sender->doubts;
    bool           has_answer = outcome->result != DELIVERY_UNKNOWN;
    if (way->account == 0 || job->trying != NULL || outcome->result == DELIVERY_RETURNED)
        return false;
    if (!job->is_doubt && !doubts_find(doubts, job->claim.message, &job->doubt))
        return false;
    job->is_noted = true;
    if (outcome->result == DELIVERY_SENT)
        return false;
    if (job->is_doubt || !has_answer)
        return in_doubt_done(way, job, outcome);
    /* Certainly not sent: before another way may have it, that is on disk. */
    if (!doubts_lift(doubts, job->claim.message))
        return in_doubt_done(way, job, outcome);
    return false;
}
