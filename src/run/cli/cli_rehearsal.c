#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "run/cli/cli_rehearse.h"
#include "run/cli/progress.h"

enum { LOOK_FIRST_MS = 20, LOOK_MOST_MS = 400, TELL_US = 5000000, NOTE_BYTES = 120 };

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

/* Of both the first only: the next one ends the command as it always does. */
static void listen_begin(struct sigaction was[2])
{
    struct sigaction ours = { .sa_handler = interrupt, .sa_flags = SA_RESETHAND };
    sigemptyset(&ours.sa_mask);
    is_interrupted = 0;
    sigaction(SIGINT, &ours, &was[0]);
    sigaction(SIGTERM, &ours, &was[1]);
}

static void listen_end(const struct sigaction was[2])
{
    sigaction(SIGINT, &was[0], NULL);
    sigaction(SIGTERM, &was[1], NULL);
}

static double share_of(const struct json *job)
{
    const struct json *share = json_get(job, STR("share"));
    return share == NULL              ? 0
           : share->kind == JSON_REAL ? share->real
           : share->kind == JSON_INT  ? (double)share->integer
                                      : 0;
}

static void note_write(struct talk *talk, char *note)
{
    char        number[PROGRESS_NUMBER_BYTES];
    const char *at = talk_text(talk, &talk->answer, "at");
    snprintf(note, NOTE_BYTES, "%s people lived%s%.10s",
             progress_number(talk_number(&talk->answer, "lived"), number),
             at[0] == '\0' ? "" : ", one of them at ", at);
}

/* On a terminal always the newest; elsewhere a line now and then. */
static void show(struct talk *talk, struct progress *progress, int64_t *told_us)
{
    char note[NOTE_BYTES];
    note_write(talk, note);
    progress_show(progress, (uint64_t)(share_of(&talk->answer) * 1000), 1000, note);
    if (progress->is_on || time_mono_us() - *told_us < TELL_US)
        return;
    *told_us = time_mono_us();
    fprintf(stderr, "Rehearsing: %.0f%%, %s.\n", share_of(&talk->answer) * 100, note);
}

static void pause_ms(int64_t ms)
{
    struct timespec length = { .tv_nsec = ms * 1000000 };
    nanosleep(&length, NULL); /* a signal ends it */
}

static enum err job_ask(struct talk *talk, const char *method, const char *number)
{
    talk_path(talk, "/api/v1/rehearsals/", number, NULL);
    return talk_ask(talk, method);
}

static bool is_running(struct talk *talk)
{
    return strcmp(talk_text(talk, &talk->answer, "state"), "running") == 0;
}

static enum err wait(struct talk *talk, const char *number)
{
    struct progress progress = progress_make("Rehearsing");
    int64_t         told_us = time_mono_us(), wait_ms = LOOK_FIRST_MS;
    bool            is_stopping = false;
    enum err        err = OK;
    while (err == OK && is_running(talk)) {
        pause_ms(wait_ms);
        wait_ms = wait_ms * 2 < LOOK_MOST_MS ? wait_ms * 2 : LOOK_MOST_MS;
        if (is_interrupted && !is_stopping) {
            is_stopping = true;
            wait_ms = LOOK_FIRST_MS;
            err = job_ask(talk, "DELETE", number);
            if (err == OK && !is_running(talk))
                break; /* it had just ended, and is forgotten */
        }
        if (err == OK)
            err = job_ask(talk, "GET", number);
        if (err == OK)
            show(talk, &progress, &told_us);
    }
    progress_end(&progress);
    return err;
}

static enum err failure(struct talk *talk)
{
    const struct json *error = json_get(&talk->answer, STR("error"));
    int64_t            status = 500;
    (void)json_get_int(error, STR("status"), &status);
    str_to_cstr(json_get_str(error, STR("where")), talk->problem.where, sizeof talk->problem.where);
    str_to_cstr(json_get_str(error, STR("what")), talk->problem.what, sizeof talk->problem.what);
    str_to_cstr(json_get_str(error, STR("remedy")), talk->problem.remedy,
                sizeof talk->problem.remedy);
    return client_err((int)status);
}

/* What is taken away need not be kept. */
static enum err answer_take(struct talk *talk, const char *number)
{
    const struct json *answer = json_get(&talk->answer, STR("answer"));
    if (answer == NULL)
        return failure(talk);
    struct json taken = *answer;
    TRY(job_ask(talk, "DELETE", number));
    talk->answer = taken;
    return OK;
}

enum err rehearsal_run(struct talk *talk, bool *is_stopped)
{
    struct sigaction was[2];
    char             number[24];
    talk_path(talk, "/api/v1/rehearsals", NULL, NULL);
    TRY(talk_ask(talk, "POST"));
    snprintf(number, sizeof number, "%lld", talk_number(&talk->answer, "id"));
    listen_begin(was);
    enum err err = wait(talk, number);
    listen_end(was);
    TRY(err);
    *is_stopped = is_interrupted || strcmp(talk_text(talk, &talk->answer, "state"), "stopped") == 0;
    if (!*is_stopped)
        return answer_take(talk, number);
    fprintf(stderr, "Stopped at %.0f%%; nothing was sent, and nothing changed.\n",
            share_of(&talk->answer) * 100);
    return OK;
}

enum cli_exit rehearsal_stop(struct cli *cli)
{
    struct talk talk;
    bool        any = false;
    enum err    err = talk_open(&talk, cli, false);
    talk_path(&talk, "/api/v1/rehearsals", NULL, NULL);
    if (err == OK)
        err = talk_ask(&talk, "GET");
    const struct json *items = err == OK ? json_get(&talk.answer, STR("items")) : NULL;
    for (uint32_t i = 0; items != NULL && i < items->count && err == OK; i++) {
        char number[24];
        if (!str_eq(json_get_str(&items->items[i], STR("state")), STR("running")))
            continue;
        any = true;
        snprintf(number, sizeof number, "%lld", talk_number(&items->items[i], "id"));
        err = job_ask(&talk, "DELETE", number);
    }
    if (err == OK && !any)
        err = problem_set(&talk.problem, ERR_ABSENT, "", "No rehearsal is under way.", "");
    if (err == OK && cli->is_json)
        talk_print_json(&talk.answer);
    else if (err == OK)
        printf("The rehearsal ends.\n");
    return talk_end(&talk, err, CLI_OK);
}
