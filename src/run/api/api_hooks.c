/* What mail services tell by webhook: see intake/hook.h. */
#include "run/api/api_inside.h"

#include "base/time.h"
#include "bounce/bounce.h"
#include "intake/hook.h"
#include "intake/sns.h"
#include "run/log.h"
#include "run/returned/returned.h"
#include "run/returned/sns_desk.h"

/* Permanent, says the service; what the far side said may say otherwise (a full mailbox). */
static enum err bounce_of(struct arena *arena, const struct hook_event *event, struct bounce *out)
{
    struct str words = str_format(arena, "%.*s %.*s", STR_ARG(event->status), STR_ARG(event->said));
    TRY(bounce_reply(arena, str_trim(words), true, out)); /* some say nothing of why */
    if (event->kind == HOOK_COMPLAINT)
        out->class = BOUNCE_COMPLAINT;
    else if (event->kind == HOOK_BOUNCE_SOFT)
        out->class = BOUNCE_SOFT;
    else if (str_eq(out->reason, STR("undefined")))
        out->class = BOUNCE_HARD;
    out->recipient = event->recipient;
    return OK;
}

/* Our Message-ID is the token, then @ and our domain. */
static struct str token_of(struct str message_id)
{
    return str_slice(message_id, 0, str_find_char(message_id, 0, '@'));
}

static enum err one_take(struct call *call, enum hook_service service,
                         const struct hook_event *event, bool *is_taken)
{
    struct trail_desk desk = { call->desk->reader, call->desk->parser, call->arena };
    struct bounce     bounce;
    struct str        id = str_format(call->arena, "%s.%.*s", hook_service_name(service),
                                      STR_ARG(str_slice(event->id, 0, 80)));
    if (event->kind == HOOK_DELIVERED)
        return returned_delivered(&desk, call->api->conf.core, call->api->conf.tokens,
                                  token_of(event->message_id), id, is_taken);
    TRY(bounce_of(call->arena, event, &bounce));
    return returned_vouched(&desk, call->api->conf.core, call->api->conf.tokens,
                            token_of(event->message_id), id, &bounce, is_taken);
}

static enum err service_of(struct call *call, enum hook_service *service, struct str *secret)
{
    struct str name = call_param(call, "service");
    if (hook_service_of(name, service)) {
        *secret = str_of(call->api->conf.hook_secrets[*service]);
        if (secret->len > 0)
            return OK;
    }
    return problem_format(&call->problem, ERR_ABSENT, "service",
                          "Set sendgrid_key, mailgun_key, postmark_password or ses_topic first.",
                          "Nothing is taken from %.*s here.", STR_ARG(str_slice(name, 0, 40)));
}

/* ---- SES, by SNS ---- */

static enum err ses_not_now(struct call *call, const char *what, const char *remedy)
{
    return problem_set(&call->problem, ERR_WAIT, "sns", what, remedy);
}

static enum err ses_confirm(struct call *call, const struct sns_letter *letter)
{
    struct problem told = { .where = "" };
    if (sns_desk_confirm(call->api->conf.sns, letter->subscribe_url) == OK)
        return OK;
    (void)!problem_format(&told, OK, "ses_topic",
                          "Open this address within three days: the topic tells us nothing before.",
                          "A subscription could not be confirmed from here: %.*s",
                          STR_ARG(letter->subscribe_url));
    log_problem(LOG_WARNING, &told);
    return ses_not_now(call, "The subscription could not be confirmed from here.",
                       "Look at the log: it has the address to open.");
}

/* Nothing of the message is read before its signature is found to be Amazon's. */
static enum err ses_read(struct call *call, struct str topics, struct hook_events *out)
{
    SCOPED(buf_donep) struct buf certificate = buf_make(SNS_CERTIFICATE_BYTES_MAX);
    struct sns_letter            letter;
    *out = (struct hook_events){ .count = 0 };
    TRY(sns_read(http_body(call->request), topics, call->desk->parser, call->arena, &letter,
                 &call->problem));
    if (sns_desk_certificate(call->api->conf.sns, letter.certificate_url, &certificate) != OK)
        return ses_not_now(call, "Amazon's certificate cannot be had now.",
                           "Let this machine call out, or give it by ses_certificate.");
    if (!sns_is_signed(&letter, buf_view(&certificate), time_now_ms()))
        return problem_set(&call->problem, ERR_DENIED, "signature",
                           "This is not signed by Amazon SNS.",
                           "Let SNS itself post here, without raw delivery.");
    if (!sns_is_fresh(&letter, time_now_ms()))
        return problem_set(&call->problem, ERR_DENIED, "Timestamp",
                           "This was said more than an hour ago: it is taken for a repetition.",
                           "Where SNS itself sent it just now, set this machine's clock.");
    if (letter.kind == SNS_SUBSCRIPTION)
        return ses_confirm(call, &letter);
    return letter.kind == SNS_NOTIFICATION
               ? hook_ses_read(letter.message, call->desk->parser, call->arena, out)
               : OK;
}

enum err hook_post(struct call *call)
{
    enum hook_service   service;
    struct str          secret;
    struct hook_events  events;
    bool                first = true;
    int64_t             taken = 0;
    struct hook_request request = {
        .body = http_body(call->request),
        .signature = http_header(call->request, STR("X-Twilio-Email-Event-Webhook-Signature")),
        .timestamp = http_header(call->request, STR("X-Twilio-Email-Event-Webhook-Timestamp")),
        .authorization = http_header(call->request, STR("Authorization")),
        .now_ms = time_now_ms(),
    };
    TRY(service_of(call, &service, &secret));
    TRY(service == HOOK_SES ? ses_read(call, secret, &events)
                            : hook_read(service, secret, &request, call->desk->parser, call->arena,
                                        &events, &call->problem));
    for (uint32_t i = 0; i < events.count; i++) {
        bool is_taken;
        TRY(one_take(call, service, &events.items[i], &is_taken));
        taken += is_taken;
    }
    buf_char(&call->out, '{');
    write_int(&call->out, &first, "taken", taken);
    buf_char(&call->out, '}');
    return OK;
}
