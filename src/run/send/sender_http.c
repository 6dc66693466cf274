/* A way by HTTP: the sender's message in the words of its provider. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "delivery/web.h"
#include "run/send/sender_inside.h"

enum { BURST_PARTS = 10 };

/* As where an account is refused. */
#define TOKEN_REFUSED_MS (5 * TIME_MINUTE_MS)

/* The ledger's number, and which workspace's: two of them may use one account. */
static struct str id_of(const struct job *job, struct arena *arena)
{
    return str_format(arena, "%llu-%.*s", (unsigned long long)job->claim.message,
                      STR_ARG(str_slice(job->rendered.mail.message_id, 0, 48)));
}

/* What is asked before; what may be there already is asked for again as it is. */
static const struct provider *check_of(const struct way *way, const struct job *job,
                                       const struct provider_message *asked, struct arena *arena)
{
    return job->checked_by == way || job->is_doubt
               ? NULL
               : provider_check(way->conf->provider, &way->conf->settings, asked, time_now_ms(),
                                arena);
}

/* What asks for a token, where the one there is has come to its end. */
static const struct provider *token_of(const struct way *way)
{
    const struct provider *token = provider_token(way->conf->provider);
    return token != NULL && time_now_ms() >= way->access.until_ms ? token : NULL;
}

static enum err check_ask(const struct way *way, struct job *job, const struct provider *check,
                          const struct provider_message *asked, struct arena *arena,
                          struct fetch_request *out, struct problem *problem)
{
    job->checking = check;
    TRY(steps_blame(
        job, provider_ask(check, &way->conf->settings, asked, time_now_ms(), arena, out, problem)));
    out->repeatable = out->is_question = true;
    return OK;
}

/* True: nothing speaks against the message. */
static bool check_answered(const struct way *way, struct job *job,
                           const struct fetch_response *response, struct delivery_outcome *out)
{
    struct provider_answer answer;
    provider_read(job->checking, response, &answer);
    job->checking = NULL;
    *out = answer.outcome;
    job->letter.verdict = answer.verdict;
    if (answer.verdict == PROVIDER_SENT) {
        job->checked_by = way;
        return true;
    }
    if (answer.verdict == PROVIDER_UNKNOWN)
        *out = delivery_outcome_make(DELIVERY_DEFERRED, BLAME_CONNECTION, answer.outcome.text);
    snprintf(out->text, sizeof out->text, "checked before: %.200s", answer.outcome.text);
    return false;
}

/* True: it is there. Who is not given one is not let in, whatever they call it. */
static bool token_answered(struct way *way, struct job *job, const struct fetch_response *response,
                           struct delivery_outcome *out)
{
    struct provider_answer answer;
    const struct provider *token = job->checking;
    provider_read(token, response, &answer);
    job->checking = NULL;
    if (answer.verdict == PROVIDER_SENT &&
        provider_token_take(token, response, time_now_ms(), &way->access))
        return true;
    bool is_later = answer.verdict == PROVIDER_DEFERRED || answer.verdict == PROVIDER_UNKNOWN;
    *out = delivery_outcome_make(DELIVERY_DEFERRED, is_later ? BLAME_CONNECTION : BLAME_POLICY, "");
    snprintf(out->text, sizeof out->text, "they give no token: HTTP %d", response->status);
    if (!is_later)
        out->wait_ms = answer.outcome.wait_ms > 0 ? answer.outcome.wait_ms : TOKEN_REFUSED_MS;
    return false;
}

/* Once a message: the token may have been taken back before its time. */
static bool token_renew(struct way *way, struct job *job, const struct fetch_response *response)
{
    if (response->status != 401 || job->is_renewed || provider_token(way->conf->provider) == NULL)
        return false;
    job->is_renewed = true;
    way->access.until_ms = 0;
    return true;
}

/* A question before it sends nothing: after a kill it goes again, and is in no doubt. What may have
 * been asked for before keeps its place. */
static void is_asked_about(struct sender *sender, struct job *job)
{
    pthread_mutex_lock(&sender->lock);
    if (job->is_begun && !job->is_renewed && !job->is_doubt) {
        begun_remove(core_begun(sender->core), job->begun_at);
        job->is_begun = false;
    }
    pthread_mutex_unlock(&sender->lock);
}

/* ERR_WAIT: it was recalled while it was being asked about. */
static enum err begin(struct sender *sender, struct job *job)
{
    pthread_mutex_lock(&sender->lock);
    bool may_begin = sender_begin(sender, job);
    pthread_mutex_unlock(&sender->lock);
    return may_begin ? OK : ERR_WAIT;
}

static enum err make(void *ctx, const struct delivery_message *message, struct arena *arena,
                     struct fetch_request *out, struct problem *problem)
{
    struct way             *way = ctx;
    struct job             *job = message->tag;
    const struct rendered  *rendered = &job->rendered;
    struct provider_message asked = { .message_id = message->message_id,
                                      .subject = rendered->mail.subject,
                                      .html = rendered->mail.html,
                                      .text = rendered->mail.text,
                                      .from = rendered->from,
                                      .from_name = rendered->from_name,
                                      .reply_to = rendered->reply_to,
                                      .envelope_from = message->from,
                                      .to = message->to,
                                      .topic = rendered->topic,
                                      .template = rendered->template,
                                      .journey = rendered->journey,
                                      .mime = message->data,
                                      .files = rendered->files,
                                      .files_count = rendered->files_count,
                                      .transactional = job->claim.transactional };
    if (job_is_letter(job)) {
        TRY(sender_letter_print(way, job, problem));
        TRY(sender_letter_fill(way, job, arena, &asked));
    } else {
        asked.id = id_of(job, arena);
    }
    if (asked.id.ptr == NULL)
        return ERR_MEMORY;
    job->checking = NULL;
    asked.access = str_of(way->access.value);
    const struct provider *check = token_of(way);
    if (check == NULL)
        check = check_of(way, job, &asked, arena);
    if (check == NULL)
        TRY(steps_next(way, job, time_now_ms(), &check, problem));
    asked.steps = &job->steps;
    if (check != NULL) {
        is_asked_about(way->sender, job);
        return check_ask(way, job, check, &asked, arena, out, problem);
    }
    TRY(steps_blame(job, provider_ask(way->conf->provider, &way->conf->settings, &asked,
                                      time_now_ms(), arena, out, problem)));
    if (job_is_letter(job))
        TRY(sender_letter_headers(job, arena, out, problem));
    TRY(begin(way->sender, job));
    doubt_note(way, job);
    return OK;
}

static bool answered(void *ctx, const struct delivery_message *message,
                     const struct fetch_response *response, struct delivery_outcome *out)
{
    struct way            *way = ctx;
    struct job            *job = message->tag;
    struct provider_answer answer;
    if (job->checking != NULL && job->checking == provider_token(way->conf->provider))
        return token_answered(way, job, response, out);
    if (token_renew(way, job, response))
        return true;
    if (job->checking != NULL && job->steps_by == way &&
        job->checking == provider_step(way->conf->provider, job->steps_done))
        return steps_answered(job, response, out);
    if (job->checking != NULL)
        return check_answered(way, job, response, out);
    provider_read(way->conf->provider, response, &answer);
    *out = answer.outcome;
    job->letter.verdict = answer.verdict;
    job->letter.told.each = answer.price;
    _Static_assert(sizeof answer.currency == sizeof job->letter.told.currency, "one is the other");
    memcpy(job->letter.told.currency, answer.currency, sizeof answer.currency);
    job->steps_by = NULL; /* another try begins with the first step */
    if (!job_is_letter(job))
        return false;
    job->letter.status = response->status;
    memcpy(job->letter.id, answer.id, sizeof job->letter.id);
    if (way_channel(way->conf) == CHANNEL_WEBHOOK)
        job->letter.body =
            str_copy(job->arena, str_slice(response->body, 0, LETTER_ANSWER_BYTES_MAX));
    return false;
}

enum err sender_http_start(struct sender *sender, struct way *way, struct problem *problem)
{
    const struct way_conf     *conf = way->conf;
    const struct provider     *provider = conf->provider;
    const struct web_calls     web = { make, answered, way };
    const struct channel_calls calls = way_calls(way);
    const struct provider_rate rate = provider_rate(provider);
    uint32_t                   per_s = conf->per_second > 0 ? conf->per_second : rate.per_second;
    uint32_t connections = conf->connections > 0 ? conf->connections : rate.connections;
    uint32_t together =
        conf->domain_messages_max > 0 ? conf->domain_messages_max : rate.per_destination;
    per_s = least(per_s, THROTTLE_PER_S_MAX);
    struct web_conf wanted = { .fetch = { .allow_inside = conf->is_inside,
                                          .ca_file = conf->tls_ca_file,
                                          .agent = "Dult/" DULT_VERSION },
                               .connections_max = connections,
                               .domain_messages_max = together,
                               .many_hosts = conf->channel == CHANNEL_WEBHOOK,
                               .throttle = { .per_s = (int32_t)per_s,
                                             .burst = (int32_t)(per_s / BURST_PARTS + 1) },
                               .timeout_ms = conf->timeout_ms,
                               .seed = hash_random_seed() };
    return web_open(sender->loop, &wanted, &web, &calls, &way->channel, problem);
}
