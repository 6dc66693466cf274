/*
 * Outcomes back to the engine. Each task of them is a commit or a part of one, and so are the
 * claims that follow from it; so while other messages are on their way outcomes wait for one
 * another, but not for long, and then go together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "bounce/bounce.h"
#include "run/send/sender_inside.h"

enum { REPORT_ARENA_BYTES_MAX = 8 << 20, BODY_BYTES_MAX = 64 << 10 };

/* So long, or until there are so many: half of what a way may claim ahead of its places, for the
 * other half is what it sends until claims for these have come. */
enum { GATHER_US = 5000, GATHERED = WAY_AHEAD_MAX / 2 };
#define LOOK_MS_MAX TIME_MINUTE_MS /* the clock may be set meanwhile */

/* The core is full or its disk fails: the outcome waits, and is not lost. */
#define PAUSE_NS 20000000L

struct report {
    struct sender *sender;
    struct job    *jobs;
    uint32_t       count;
};

static void job_clear(struct job *job)
{
    buf_done(&job->rendered.mail.message);
    arena_close(job->arena);
    job->arena = NULL;
}

/* ---- what the core calls ---- */

/* Applied: on the engine's thread, before it looks for claims in the same turn. */
static bool report_applied(struct engine *engine, struct task *task)
{
    struct report *report = task->context;
    struct sender *sender = report->sender;
    (void)engine;
    pthread_mutex_lock(&sender->lock);
    for (struct job *job = report->jobs; job != NULL; job = job->next)
        ways_free(job);
    sender->reporting = false;
    ways_look(sender);
    pthread_cond_signal(&sender->moved);
    pthread_mutex_unlock(&sender->lock);
    return true;
}

static void stats_add(struct sender *sender, const struct job *job)
{
    struct sender_stats *stats = &sender->stats;
    uint64_t *const      counters[] = {
             [OUTCOME_SENT] = &stats->sent,         [OUTCOME_DEFERRED] = &stats->deferred,
             [OUTCOME_FAILED] = &stats->failed,     [OUTCOME_UNKNOWN] = &stats->unknown,
             [OUTCOME_RETURNED] = &stats->returned, [OUTCOME_HELD] = &stats->held,
    };
    ++*counters[job->outcome.kind];
    stats->reporting--;
    if (job->outcome.kind == OUTCOME_SENT || job->outcome.kind == OUTCOME_RETURNED)
        return;
    snprintf(stats->error, sizeof stats->error, "%.*s", (int)sizeof stats->error - 1, job->text);
    stats->error_ms = job->at_ms;
}

/* What is in no doubt any more, by the store. */
static void doubts_end(struct sender *sender, const struct job *jobs)
{
    for (const struct job *job = jobs; job != NULL; job = job->next)
        if (job->is_noted && job->outcome.kind != OUTCOME_RETURNED &&
            job->outcome.kind != OUTCOME_DEFERRED)
            doubts_forget(sender->doubts, job->claim.message);
}

/* Durable: on the commit thread. The report lies in the task's arena. */
static void report_durable(struct task *task)
{
    struct report *report = task->context;
    struct sender *sender = report->sender;
    doubts_end(sender, report->jobs);
    pthread_mutex_lock(&sender->lock);
    while (report->jobs != NULL) {
        struct job *job = report->jobs;
        report->jobs = job->next;
        stats_add(sender, job);
        if (job->is_begun)
            begun_remove(core_begun(sender->core), job->begun_at);
        job->next = sender->free;
        sender->free = job;
        sender->in_use--;
    }
    ways_look(sender);
    if (sender->in_use == 0)
        pthread_cond_broadcast(&sender->drained);
    pthread_mutex_unlock(&sender->lock);
}

/* ---- a task of outcomes ---- */

/* What a report is written with: its arena, and room for one text after the other. */
struct writing {
    struct arena *arena;
    struct buf    text;
};

static struct str body_write(struct writing *w, const struct json *properties)
{
    buf_reset(&w->text);
    buf_str(&w->text, STR("{\"properties\":"));
    json_write(&w->text, properties);
    buf_char(&w->text, '}');
    return buf_err(&w->text) == OK ? str_copy(w->arena, buf_view(&w->text))
                                   : STR("{\"properties\":{}}");
}

static struct str number_text(struct writing *w, uint64_t number)
{
    buf_reset(&w->text);
    buf_int(&w->text, (int64_t)number);
    return str_copy(w->arena, buf_view(&w->text));
}

static void put(struct json *object, struct json_member *members, const char *key, struct str text)
{
    if (text.len > 0)
        members[object->count++] =
            (struct json_member){ str_of(key), { .kind = JSON_STRING, .string = text } };
}

/* What the refusal says of the address: it may be suppressed by it. */
static void bounce_put(struct arena *arena, const struct job *job, struct json *object,
                       struct json_member *members)
{
    struct bounce bounce;
    struct str    reply = str_copy(arena, str_of(job->text));
    if (bounce_reply(arena, reply, job->is_to_rcpt, &bounce) != OK)
        return;
    if (job->letter.verdict == PROVIDER_RECIPIENT && str_eq(bounce.reason, STR("undefined")))
        bounce.class = BOUNCE_HARD; /* the provider said whose fault it is */
    put(object, members, "class", str_of(bounce_class_name(bounce.class)));
    put(object, members, "recipient", str_copy(arena, str_of(job->address)));
    put(object, members, "status", bounce.status);
    put(object, members, "reason", bounce.reason);
    put(object, members, "said", bounce.said);
}

enum { MEMBERS_MAX = 14 + SENDER_LETTER_MEMBERS };

static void properties_put(struct writing *w, const struct job *job, struct json *object,
                           struct json_member *members)
{
    struct arena *arena = w->arena;
    put(object, members, "message", number_text(w, job->claim.message));
    put(object, members, "channel", channel_name(job->claim.channel));
    put(object, members, "template", str_copy(arena, job->rendered.template));
    put(object, members, "journey", str_copy(arena, job->rendered.journey));
    if (job->claim.entry > 0)
        put(object, members, "entry", number_text(w, job->claim.entry));
    put(object, members, "broadcast", str_copy(arena, job->rendered.broadcast));
    put(object, members, "from", str_copy(arena, job->from));
    if (job->is_kept)
        members[object->count++] =
            (struct json_member){ STR("trial"), { .kind = JSON_BOOL, .truth = true } };
    if (job->way != NULL)
        put(object, members, "way", str_of(job->way->conf->name));
    if (job_is_letter(job))
        sender_letter_put(arena, job, object, members);
    else if (job->bounced)
        bounce_put(arena, job, object, members);
}

static const struct json *properties_make(struct writing *w, const struct job *job)
{
    struct json_member members[MEMBERS_MAX];
    struct json        made = { .kind = JSON_OBJECT, .members = members };
    properties_put(w, job, &made, members);
    struct json        *object = ARENA_NEW(w->arena, struct json);
    struct json_member *kept = ARENA_ARRAY(w->arena, made.count, struct json_member);
    if (object == NULL || kept == NULL)
        return NULL;
    memcpy(kept, members, made.count * sizeof kept[0]);
    *object = made;
    object->members = kept;
    return object;
}

static void entry_fill(struct writing *w, const struct job *job, struct entry *entry)
{
    const struct json *properties = properties_make(w, job);
    *entry = (struct entry){
        .record = { .kind = RECORD_OUTCOME,
                    .at_ms = job->at_ms,
                    .received_ms = job->at_ms,
                    .profile = job->claim.profile,
                    .message = job->claim.message,
                    .name = sender_event_name(job),
                    .properties = properties,
                    .outcome = job->outcome },
        .body = properties == NULL ? STR("{}") : body_write(w, properties),
    };
    entry->record.outcome.text = str_copy(w->arena, str_of(job->text));
    if (job->is_stopped && job->outcome.kind == OUTCOME_RETURNED)
        entry->record.outcome.stopped_domain = str_copy(w->arena, job->from);
}

/* NULL without memory: the jobs are as they were. */
static struct task *report_make(struct sender *sender, struct job *jobs, uint32_t count)
{
    struct arena  *arena = arena_open(REPORT_ARENA_BYTES_MAX);
    struct task   *task = arena == NULL ? NULL : ARENA_NEW(arena, struct task);
    struct report *report = arena == NULL ? NULL : ARENA_NEW(arena, struct report);
    struct entry  *entries = arena == NULL ? NULL : ARENA_ARRAY(arena, count, struct entry);
    if (task == NULL || report == NULL || entries == NULL) {
        arena_close(arena);
        return NULL;
    }
    struct writing w = { .arena = arena, .text = buf_make(BODY_BYTES_MAX) };
    uint32_t       i = 0;
    for (const struct job *job = jobs; job != NULL; job = job->next)
        entry_fill(&w, job, &entries[i++]);
    buf_done(&w.text);
    *report = (struct report){ sender, jobs, count };
    *task = (struct task){ .arena = arena,
                           .entries = entries,
                           .entries_count = count,
                           .ask = report_applied,
                           .done = report_durable,
                           .context = report };
    return task;
}

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
}

static void report_send(struct sender *sender, struct job *jobs, uint32_t count)
{
    struct task *task;
    while ((task = report_make(sender, jobs, count)) == NULL)
        pause_briefly();
    for (struct job *job = jobs; job != NULL; job = job->next)
        job_clear(job);
    while (core_submit(sender->core, task) != OK)
        pause_briefly();
}

/* Takes what is there, at most REPORT_JOBS; with the lock held. */
static struct job *outcomes_take(struct sender *sender, uint32_t *count)
{
    struct job *first = sender->outcomes.first, **last = &sender->outcomes.first;
    for (*count = 0; *last != NULL && *count < REPORT_JOBS; ++*count)
        last = &(*last)->next;
    sender->outcomes.first = *last;
    if (sender->outcomes.first == NULL)
        sender->outcomes.last = &sender->outcomes.first;
    sender->outcomes_count -= *count;
    *last = NULL;
    return first;
}

/* So many that nothing more is to be waited for. */
static bool is_gathered(const struct sender *sender)
{
    return sender->outcomes_count >= GATHERED || sender->outcomes_count == sender->in_use;
}

void sender_report_add(struct sender *sender, struct job *job)
{
    line_add(&sender->outcomes, job);
    sender->outcomes_count++;
    if (sender->outcomes_count == 1)
        sender->report_at_us = time_mono_us() + GATHER_US;
    if (sender->outcomes_count == 1 || is_gathered(sender))
        pthread_cond_signal(&sender->moved);
}

static bool is_to_report(const struct sender *sender)
{
    return sender->outcomes_count > 0 && !sender->reporting &&
           (is_gathered(sender) || time_mono_us() >= sender->report_at_us);
}

/* Until something moved, outcomes are gathered, or a way opens by time alone; with the lock. */
static void wait_moved(struct sender *sender)
{
    int64_t now_us = time_mono_us(), at_us = INT64_MAX;
    if (sender->look_again_ms != TIME_NEVER) {
        int64_t wait_ms = sender->look_again_ms - time_now_ms();
        at_us = now_us + 1000 * (wait_ms < LOOK_MS_MAX ? wait_ms : LOOK_MS_MAX);
    }
    if (sender->outcomes_count > 0 && !sender->reporting && sender->report_at_us < at_us)
        at_us = sender->report_at_us;
    struct timespec until = { .tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000 };
    if (at_us == INT64_MAX)
        pthread_cond_wait(&sender->moved, &sender->lock);
    else if (at_us > now_us)
        (void)pthread_cond_clockwait(&sender->moved, &sender->lock, CLOCK_MONOTONIC, &until);
}

void *sender_report(void *arg)
{
    struct sender *sender = arg;
    pthread_mutex_lock(&sender->lock);
    for (;;) {
        while (!is_to_report(sender) && !sender->ended) {
            wait_moved(sender);
            sender_look(sender);
        }
        if (sender->ended)
            break;
        uint32_t    count;
        struct job *jobs = outcomes_take(sender, &count);
        sender->reporting = true;
        pthread_mutex_unlock(&sender->lock);
        report_send(sender, jobs, count);
        pthread_mutex_lock(&sender->lock);
    }
    pthread_mutex_unlock(&sender->lock);
    return NULL;
}
