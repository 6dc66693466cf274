/* What mail services tell by webhook: see intake/hook.h. */
#include "run/api/api_inside.h"

#include "base/time.h"
#include "bounce/bounce.h"
#include "intake/hook.h"
#include "run/returned/returned.h"

/* Permanent, says the service; what the far side said may say otherwise (a full mailbox). */
static enum err bounce_of(struct arena *arena, const struct hook_event *event, struct bounce *out)
{
    struct str words = str_format(arena, "%.*s %.*s", STR_ARG(event->status), STR_ARG(event->said));
    TRY(bounce_reply(arena, words, true, out));
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
                          "Set sendgrid_key, mailgun_key or postmark_password first.",
                          "Nothing is taken from %.*s here.", STR_ARG(str_slice(name, 0, 40)));
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
    TRY(hook_read(service, secret, &request, call->desk->parser, call->arena, &events,
                  &call->problem));
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
