#include "run/api/rehearsals.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/time.h"
#include "run/api/rehearsing.h"

enum job_state { JOB_RUNNING, JOB_DONE, JOB_FAILED, JOB_STOPPED };

static const char *const STATES[] = {
    [JOB_RUNNING] = "running",
    [JOB_DONE] = "done",
    [JOB_FAILED] = "failed",
    [JOB_STOPPED] = "stopped",
};

/* All but `progress` under the lock, once its thread runs; the question is the thread's. */
struct job {
    struct rehearsals       *all;
    uint64_t                 number;
    enum job_state           state;
    int64_t                  begun_ms, begun_us, ended_us;
    struct rehearse_progress progress;
    struct buf               question, answer;
    enum err                 err;
    struct problem           problem;
    struct job              *after; /* the next older one */
};

struct rehearsals {
    struct api     *api;
    pthread_mutex_t lock;
    struct job     *first; /* the newest */
    struct job     *running;
    uint64_t        numbers;
    pthread_t       thread;
    bool            is_thread; /* to be joined */
};

static void job_free(struct job *job)
{
    buf_done(&job->question);
    buf_done(&job->answer);
    free(job);
}

/* ---- all of them; under the lock ---- */

static void forget(struct rehearsals *all, struct job *job)
{
    struct job **place = &all->first;
    while (*place != job)
        place = &(*place)->after;
    *place = job->after;
    job_free(job);
}

/* What is too old, or too much, goes. */
static void sweep(struct rehearsals *all)
{
    int64_t  since_us = time_mono_us() - REHEARSALS_KEPT_S * INT64_C(1000000);
    uint32_t kept = 0;
    size_t   bytes = 0;
    for (struct job *job = all->first, *after; job != NULL; job = after) {
        after = job->after;
        if (job->state == JOB_RUNNING)
            continue;
        bytes += job->answer.len;
        bool is_too_much = ++kept > REHEARSALS_KEPT || bytes > REHEARSALS_ANSWERS_BYTES_MAX;
        if (job->ended_us < since_us || (kept > 1 && is_too_much))
            forget(all, job);
    }
}

/* ---- its thread ---- */

static enum err job_answer(struct job *job, struct call *call)
{
    struct rehearsing_watch watch = { &job->progress,
                                      job->begun_us + REHEARSALS_RUN_S * INT64_C(1000000) };
    struct json             body;
    if (call->arena == NULL || call->desk->parser == NULL)
        return ERR_MEMORY;
    TRY(json_parse(call->desk->parser, call->arena, buf_view(&job->question), &body,
                   &call->problem));
    TRY(rehearsing_run(call, &body, &watch));
    return buf_err(&call->out);
}

static void job_end(struct job *job, enum err err, struct call *call)
{
    pthread_mutex_lock(&job->all->lock);
    bool is_stopped = err == ERR_WAIT && atomic_load(&job->progress.is_stopped);
    job->state = err == OK ? JOB_DONE : is_stopped ? JOB_STOPPED : JOB_FAILED;
    job->err = err;
    job->problem = call->problem;
    job->ended_us = time_mono_us();
    if (err == OK) {
        job->answer = call->out;
        call->out = buf_make(0);
    }
    buf_done(&job->question);
    job->all->running = NULL;
    sweep(job->all);
    pthread_mutex_unlock(&job->all->lock);
}

static void *job_run(void *context)
{
    struct job *job = context;
    struct desk desk = { .api = job->all->api, .parser = json_parser_open() };
    struct call call = { .api = desk.api,
                         .desk = &desk,
                         .arena = arena_open(CALL_ARENA_BYTES_MAX),
                         .out = buf_make(CALL_ANSWER_BYTES_MAX) };
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), CREW_NICENESS);
    job_end(job, job_answer(job, &call), &call);
    buf_done(&call.out);
    arena_close(call.arena);
    json_parser_close(desk.parser);
    return NULL;
}

static void thread_join(struct rehearsals *all)
{
    if (all->is_thread)
        pthread_join(all->thread, NULL);
    all->is_thread = false;
}

struct rehearsals *rehearsals_open(struct api *api)
{
    struct rehearsals *all = calloc(1, sizeof *all);
    if (all == NULL)
        return NULL;
    all->api = api;
    pthread_mutex_init(&all->lock, NULL);
    return all;
}

void rehearsals_close(struct rehearsals *all)
{
    if (all == NULL)
        return;
    pthread_mutex_lock(&all->lock);
    if (all->running != NULL)
        atomic_store(&all->running->progress.is_stopped, true);
    pthread_mutex_unlock(&all->lock);
    thread_join(all);
    while (all->first != NULL)
        forget(all, all->first);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

void rehearsals_forget(struct rehearsals *all)
{
    pthread_mutex_lock(&all->lock);
    for (struct job *job = all->first, *after; job != NULL; job = after) {
        after = job->after;
        if (job->state != JOB_RUNNING)
            forget(all, job);
    }
    pthread_mutex_unlock(&all->lock);
}

/* ---- beginning one ---- */

static enum err is_free(struct call *call, const struct rehearsals *all)
{
    if (all->running == NULL)
        return OK;
    return problem_format(&call->problem, ERR_CONFLICT, "rehearsals",
                          "Wait for its end, or stop it: dult rehearse --stop (DELETE "
                          "/api/v1/rehearsals/NUMBER).",
                          "One rehearsal runs at a time, and number %llu is under way.",
                          (unsigned long long)all->running->number);
}

static enum err job_begin(struct rehearsals *all, struct job *job)
{
    thread_join(all); /* the last one's, which has nothing left to do */
    *job = (struct job){ .all = all,
                         .number = ++all->numbers,
                         .begun_ms = time_now_ms(),
                         .begun_us = time_mono_us(),
                         .question = job->question,
                         .answer = buf_make(0) };
    if (pthread_create(&all->thread, NULL, job_run, job) != 0)
        return ERR_MEMORY;
    all->is_thread = true;
    job->after = all->first;
    all->first = all->running = job;
    return OK;
}

static void job_write(struct job *job, bool is_whole, struct buf *out);

static enum err begin(struct call *call, struct rehearsals *all, struct str question)
{
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return ERR_MEMORY;
    job->question = buf_make(question.len + 1);
    buf_str(&job->question, question);
    enum err err = buf_err(&job->question);
    pthread_mutex_lock(&all->lock);
    sweep(all);
    if (err == OK)
        err = is_free(call, all);
    if (err == OK)
        err = job_begin(all, job);
    if (err == OK)
        job_write(job, false, &call->out);
    pthread_mutex_unlock(&all->lock);
    if (err != OK)
        job_free(job);
    return err;
}

enum err rehearsals_post(struct call *call)
{
    struct json body;
    TRY(call_body(call, &body)); /* that it is one is said at once */
    TRY(begin(call, call->api->rehearsals, http_body(call->request)));
    call->status = 202;
    return OK;
}

/* ---- looking on ---- */

static void error_write(const struct job *job, struct buf *out, bool *first)
{
    bool        inner = true;
    const char *what = job->problem.what;
    json_write_key(out, first, "error");
    buf_char(out, '{');
    write_text(out, &inner, "code", str_of(err_name(job->err)));
    write_int(out, &inner, "status", api_status(job->err));
    write_text(out, &inner, "where", str_of(job->problem.where));
    write_text(out, &inner, "what",
               what[0] == '\0' ? STR("The rehearsal could not be done.") : str_of(what));
    write_text(out, &inner, "remedy",
               what[0] == '\0' ? STR("Try again; if it stays so, look at the log.")
                               : str_of(job->problem.remedy));
    buf_char(out, '}');
}

static void job_write(struct job *job, bool is_whole, struct buf *out)
{
    struct rehearse_progress *progress = &job->progress;
    uint32_t of = atomic_load(&progress->of), done = atomic_load(&progress->profiles);
    int64_t  at_ms = atomic_load(&progress->at_ms);
    int64_t  until_us = job->state == JOB_RUNNING ? time_mono_us() : job->ended_us;
    double   share = job->state == JOB_DONE ? 1 : of == 0 ? 0 : (double)done / of;
    bool     first = true;
    buf_char(out, '{');
    write_int(out, &first, "id", (int64_t)job->number);
    write_text(out, &first, "state", str_of(STATES[job->state]));
    write_time(out, &first, "begun", job->begun_ms);
    buf_format(out, ",\"seconds\":%.3f,\"share\":%.3f", (double)(until_us - job->begun_us) / 1e6,
               share);
    write_int(out, &first, "done", done);
    write_int(out, &first, "people", of);
    write_int(out, &first, "lived", (int64_t)atomic_load(&progress->lived));
    write_int(out, &first, "events", (int64_t)atomic_load(&progress->events));
    if (at_ms != 0)
        write_time(out, &first, "at", at_ms);
    if (job->state == JOB_FAILED)
        error_write(job, out, &first);
    if (is_whole && job->state == JOB_DONE)
        write_raw(out, &first, "answer", buf_view(&job->answer));
    buf_char(out, '}');
}

static enum err job_find(struct call *call, struct rehearsals *all, struct job **out)
{
    int64_t number = 0;
    *out = NULL;
    if (str_to_int(call_param(call, "id"), &number) == OK)
        for (struct job *job = all->first; job != NULL && *out == NULL; job = job->after)
            if (job->number == (uint64_t)number)
                *out = job;
    if (*out != NULL)
        return OK;
    return problem_set(
        &call->problem, ERR_ABSENT, "id", "There is no such rehearsal.",
        "GET /api/v1/rehearsals lists those that are kept: the last 8, for an hour.");
}

enum err rehearsals_list(struct call *call)
{
    struct rehearsals *all = call->api->rehearsals;
    bool               any = false;
    buf_str(&call->out, STR("{\"items\":["));
    pthread_mutex_lock(&all->lock);
    sweep(all);
    for (struct job *job = all->first; job != NULL; job = job->after) {
        if (any)
            buf_char(&call->out, ',');
        any = true;
        job_write(job, false, &call->out);
    }
    pthread_mutex_unlock(&all->lock);
    write_next(&call->out, STR_NONE);
    return OK;
}

enum err rehearsals_show(struct call *call)
{
    struct rehearsals *all = call->api->rehearsals;
    struct job        *job;
    pthread_mutex_lock(&all->lock);
    sweep(all);
    enum err err = job_find(call, all, &job);
    if (err == OK)
        job_write(job, true, &call->out);
    pthread_mutex_unlock(&all->lock);
    return err;
}

enum err rehearsals_delete(struct call *call)
{
    struct rehearsals *all = call->api->rehearsals;
    struct job        *job;
    pthread_mutex_lock(&all->lock);
    sweep(all);
    enum err err = job_find(call, all, &job);
    if (err == OK) {
        atomic_store(&job->progress.is_stopped, true);
        job_write(job, false, &call->out);
        if (job->state != JOB_RUNNING)
            forget(all, job);
    }
    pthread_mutex_unlock(&all->lock);
    return err;
}
