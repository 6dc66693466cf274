/*
 * Claimed messages that are not to be begun any more. Between the claim and the first byte somebody
 * may unsubscribe, be suppressed or be forgotten, or sending may be stopped: before that is
 * answered all that no channel has comes back, and what a channel has and has not begun, too. Back
 * in the outbox it is looked at like any other, and dropped with its reason.
 */
#include <stdio.h>

#include "run/send/sender_inside.h"

static bool is_asked_back(struct sender *sender, struct job *job, const struct out *out)
{
    if (sender_stops_have(sender, job))
        return true;
    if (job->claim.transactional ? out->holds_receipts : out->holds)
        return true;
    for (size_t i = 0; i < out->recalls_count; i++)
        if (out->recalls[i] == job->claim.message)
            return true;
    for (size_t i = 0; i < out->suppressions_count; i++)
        if (str_eq_nocase(out->suppressions[i].address, job->claim.address))
            return true;
    return false;
}

/* What waits in the ways' lines; the rest is met on its way: sender_begin. With the lock. */
static void lines_sift(struct sender *sender, struct job_line *back)
{
    for (uint32_t i = 0; i < sender->ways_count; i++)
        for (int urgent = 0; urgent < 2; urgent++) {
            struct way     *way = sender->ways[i];
            struct job_line kept = { NULL, &kept.first };
            for (struct job *job; (job = line_take(&way->line[urgent])) != NULL;) {
                line_add(job->is_recalled ? back : &kept, job);
                way->stats.waiting -= job->is_recalled;
            }
            for (struct job *job; (job = line_take(&kept)) != NULL;)
                line_add(&way->line[urgent], job);
        }
}

/* Those that a channel has; it gives back what it has not begun. */
struct held {
    struct channel *channel;
    uint64_t        message;
};

static uint32_t marks_set(struct sender *sender, const struct out *out, struct held *held)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < sender->jobs_used; i++) {
        struct job *job = &sender->jobs[i];
        if (!job->is_open || !is_asked_back(sender, job, out))
            continue;
        job->is_recalled = true;
        if (job->in_flight && count < RECALLS_MAX)
            held[count++] = (struct held){ job->way->channel, job->claim.message };
    }
    return count;
}

/* What has a place and no channel could be recalled by nobody. Who gives waits for nothing that is
 * done on this thread: a channel only puts it into its line. With the lock, given up meanwhile. */
static void giving_wait(struct sender *sender)
{
    sender->recalling = true;
    while (sender->giving > 0)
        pthread_cond_wait(&sender->all_given, &sender->lock);
    sender->recalling = false;
}

struct recall_all {
    struct sender *sender;
    bool           is_done;
};

/* Each channel is told once, of all that it has: it may sleep before it hears us (gather.h), and
 * nothing is committed meanwhile. */
static void held_recall(struct held *held, uint32_t count)
{
    uint64_t messages[RECALLS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        struct channel *channel = held[i].channel;
        size_t          of_it = 0;
        for (uint32_t k = i; k < count && channel != NULL; k++)
            if (held[k].channel == channel) {
                messages[of_it++] = held[k].message;
                held[k].channel = NULL;
            }
        if (of_it > 0)
            channel_recall(channel, messages, of_it);
    }
}

void sender_recalled(void *context, const struct out *out)
{
    struct sender  *sender = context;
    struct held     held[RECALLS_MAX];
    struct job_line back = { NULL, &back.first };
    pthread_mutex_lock(&sender->lock);
    if (out->sending != NULL)
        sender->sending = *out->sending;
    giving_wait(sender);
    uint32_t count = marks_set(sender, out, held);
    lines_sift(sender, &back);
    pthread_mutex_unlock(&sender->lock);
    for (struct job *job; (job = line_take(&back)) != NULL;)
        sender_come_back(sender, job);
    held_recall(held, count);
    pthread_mutex_lock(&sender->lock);
    if (sender->ready)
        sender_look(sender); /* who got no place meanwhile */
    pthread_mutex_unlock(&sender->lock);
}

static void recall_all(struct task *task)
{
    struct recall_all *all = task->context;
    sender_recalled(all->sender, &(struct out){ .holds = true, .holds_receipts = true });
    pthread_mutex_lock(&all->sender->lock);
    all->is_done = true;
    pthread_cond_broadcast(&all->sender->all_given);
    pthread_mutex_unlock(&all->sender->lock);
}

enum err sender_recall_all(struct sender *sender)
{
    struct recall_all all = { .sender = sender };
    struct task       task = { .done = recall_all, .context = &all };
    TRY(core_submit(sender->core, &task));
    pthread_mutex_lock(&sender->lock);
    while (!all.is_done)
        pthread_cond_wait(&sender->all_given, &sender->lock);
    pthread_mutex_unlock(&sender->lock);
    return OK;
}

void sender_come_back(struct sender *sender, struct job *job)
{
    if (job->is_stopped)
        snprintf(job->text, sizeof job->text, "sending from %.*s is stopped", STR_ARG(job->from));
    else
        snprintf(job->text, sizeof job->text, "recalled before its first byte");
    sender_finish(sender, job, OUTCOME_RETURNED, 0);
}
