/* A claimed message that is no e-mail: to the courier and back; what its event says. */
#include <stdio.h>

#include "base/time.h"
#include "run/send/sender_inside.h"

/* A postcard over the month's number is looked at again. */
#define CAPPED_PAUSE_MS TIME_HOUR_MS

static enum outcome_kind kind_of(const struct letter_outcome *outcome)
{
    static const enum outcome_kind kinds[] = {
        [DELIVERY_SENT] = OUTCOME_SENT,         [DELIVERY_DEFERRED] = OUTCOME_DEFERRED,
        [DELIVERY_FAILED] = OUTCOME_FAILED,     [DELIVERY_UNKNOWN] = OUTCOME_UNKNOWN,
        [DELIVERY_RETURNED] = OUTCOME_RETURNED,
    };
    if (outcome->is_held)
        return OUTCOME_HELD;
    return outcome->is_capped ? OUTCOME_RETURNED : kinds[outcome->answer.outcome.result];
}

static void letter_done(void *ctx, const struct letter_outcome *outcome)
{
    struct job       *job = ctx;
    struct sender    *sender = job->sender;
    enum outcome_kind kind = kind_of(outcome);
    int64_t           now_ms = time_now_ms(), retry_ms = 0;
    job->bounced = outcome->answer.is_hard || outcome->answer.is_stop;
    if (kind == OUTCOME_DEFERRED)
        retry_ms = sender->conf.retry_ms > 0 ? now_ms + sender->conf.retry_ms
                                             : sender_retry_at_ms(&job->claim, now_ms);
    if (outcome->is_capped)
        retry_ms = now_ms + CAPPED_PAUSE_MS;
    if (retry_ms == TIME_NEVER)
        kind = OUTCOME_FAILED;
    snprintf(job->text, sizeof job->text, "%s", outcome->answer.outcome.text);
    sender_finish(sender, job, kind, retry_ms);
}

bool sender_letter_give(struct sender *sender, struct job *job)
{
    if (job->rendered.person == NULL)
        return false;
    job->sender = sender;
    job->letter = (struct letter){ .claim = &job->claim,
                                   .rendered = &job->rendered,
                                   .arena = job->arena,
                                   .done = letter_done,
                                   .ctx = job };
    if (sender->conf.courier != NULL) {
        courier_send(sender->conf.courier, &job->letter);
        return true;
    }
    snprintf(job->text, sizeof job->text, "there is no way out for this channel");
    sender_finish(sender, job, OUTCOME_HELD, 0);
    return true;
}

/* ---- its event ---- */

struct str sender_event_name(const struct job *job)
{
    bool is_sent = job->outcome.kind == OUTCOME_SENT;
    if (is_sent && !channel_is_to_person(job->claim.channel))
        return EVENT_NOTICE_SENT;
    return is_sent                               ? EVENT_MESSAGE_SENT
           : job->bounced                        ? EVENT_MESSAGE_BOUNCED
           : job->outcome.kind == OUTCOME_FAILED ? EVENT_MESSAGE_FAILED
                                                 : STR_NONE;
}

static void put(struct json *object, struct json_member *members, const char *key,
                struct json value)
{
    if (value.kind != JSON_STRING || value.string.len > 0)
        members[object->count++] = (struct json_member){ str_of(key), value };
}

static struct json text_json(struct arena *arena, const char *text)
{
    return (struct json){ .kind = JSON_STRING, .string = str_copy(arena, str_of(text)) };
}

void sender_letter_put(struct arena *arena, const struct job *job, struct json *object,
                       struct json_member *members)
{
    const struct letter_outcome *outcome = &job->letter.outcome;
    const struct gateway_answer *answer = &outcome->answer;
    if (answer->is_hard || answer->is_stop) {
        put(object, members, "class", text_json(arena, answer->is_hard ? "hard" : "stop"));
        put(object, members, "recipient", text_json(arena, job->address));
        put(object, members, "said", text_json(arena, answer->outcome.text));
    }
    put(object, members, "service_id", text_json(arena, answer->id));
    put(object, members, "answer", text_json(arena, outcome->body));
    if (outcome->status > 0)
        put(object, members, "status",
            (struct json){ .kind = JSON_INT, .integer = outcome->status });
    if (outcome->parts > 0)
        put(object, members, "parts", (struct json){ .kind = JSON_INT, .integer = outcome->parts });
    if (outcome->price > 0) {
        put(object, members, "price", (struct json){ .kind = JSON_REAL, .real = outcome->price });
        put(object, members, "currency", text_json(arena, outcome->currency));
    }
}
