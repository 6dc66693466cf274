/*
 * The steps before a message: which is next, and what their answers are good for.
 *
 *     upload --> file --> the message        an answer's end (STEPS_GOOD_MS): the first again,
 *        ^         |                         STEPS_ROUNDS_MAX times in one try of the message
 *        +---------+
 *
 * They make nothing that anybody gets, so trouble with one leaves the message certainly unsent.
 */
#include <stdio.h>

#include "base/time.h"
#include "run/send/sender_inside.h"

static void steps_begin(const struct way *way, struct job *job, int64_t now_ms)
{
    job->steps_by = way;
    job->steps_done = 0;
    job->steps_ms = now_ms;
    job->steps = (struct json){ .kind = JSON_NULL };
}

static bool is_over(const struct job *job, int64_t now_ms)
{
    return now_ms >= job->steps_ms + STEPS_GOOD_MS || now_ms < job->steps_ms;
}

enum err steps_next(const struct way *way, struct job *job, int64_t now_ms,
                    const struct provider **out, struct problem *problem)
{
    *out = NULL;
    if (provider_step(way->conf->provider, 0) == NULL)
        return OK;
    if (job->steps_by != way)
        job->steps_rounds = 0;
    if (job->steps_by != way || is_over(job, now_ms)) {
        if (job->steps_rounds == STEPS_ROUNDS_MAX) {
            job->steps_by = NULL;
            return problem_set(problem, ERR_IO, "provider",
                               "what is asked before it took more than 5 minutes, twice",
                               "It is tried again by itself.");
        }
        job->steps_rounds++;
        steps_begin(way, job, now_ms);
    }
    *out = provider_step(way->conf->provider, job->steps_done);
    return OK;
}

enum err steps_blame(struct job *job, enum err err)
{
    if (err != ERR_INPUT || job->steps_by == NULL || job->steps_done == 0)
        return err;
    job->steps_by = NULL;
    return ERR_IO;
}

static void failed_text(const struct provider *step, const char *what, struct delivery_outcome *out)
{
    char before[sizeof out->text];
    snprintf(before, sizeof before, "%s", what);
    snprintf(out->text, sizeof out->text, "%.*s before: %.200s",
             STR_ARG(str_slice(provider_title(step), 0, 40)), before);
}

bool steps_answered(struct job *job, const struct fetch_response *response,
                    struct delivery_outcome *out)
{
    const struct provider *step = job->checking;
    struct provider_answer answer;
    char                   lack[PROVIDER_LACK_BYTES] = "";
    provider_read(step, response, &answer);
    job->checking = NULL;
    *out = answer.outcome;
    job->letter.verdict = answer.verdict;
    if (answer.verdict == PROVIDER_SENT &&
        provider_step_take(step, response, job->arena, &job->steps, lack) == OK) {
        job->steps_done++;
        return true;
    }
    job->steps_by = NULL; /* the next try begins with the first */
    if (answer.verdict == PROVIDER_SENT || answer.verdict == PROVIDER_UNKNOWN)
        *out = delivery_outcome_make(DELIVERY_DEFERRED, BLAME_CONNECTION, answer.outcome.text);
    failed_text(step, lack[0] != '\0' ? lack : out->text, out);
    return false;
}
