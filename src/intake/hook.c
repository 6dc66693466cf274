#include "intake/hook.h"

#include "intake/hook_proof.h"

enum { HOOK_SES_RECIPIENTS_MAX = 50 }; /* of one mail, says SES */

struct reading {
    struct arena       *arena;
    struct hook_events *out;
};

static const char *const names[HOOK_SERVICES] = { "sendgrid", "mailgun", "postmark", "ses" };

bool hook_service_of(struct str name, enum hook_service *out)
{
    for (int i = 0; i < HOOK_SERVICES; i++)
        if (str_eq(name, str_of(names[i]))) {
            *out = (enum hook_service)i;
            return true;
        }
    return false;
}

const char *hook_service_name(enum hook_service service)
{
    return names[service];
}

static struct str text_of(const struct json *object, const char *key)
{
    return object != NULL && object->kind == JSON_OBJECT ? json_get_str(object, str_of(key))
                                                         : STR_NONE;
}

static const struct json *object_of(const struct json *object, const char *key)
{
    const struct json *value =
        object != NULL && object->kind == JSON_OBJECT ? json_get(object, str_of(key)) : NULL;
    return value != NULL && value->kind == JSON_OBJECT ? value : NULL;
}

static struct str without_brackets(struct str id)
{
    id = str_trim(id);
    bool has = id.len > 1 && id.ptr[0] == '<' && id.ptr[id.len - 1] == '>';
    return has ? str_slice(id, 1, id.len - 1) : id;
}

static void add(struct reading *reading, struct hook_event event)
{
    event.message_id = without_brackets(event.message_id);
    reading->out->items[reading->out->count++] = event;
}

/* ---- SendGrid: a list ---- */

static void sendgrid_one(struct reading *reading, const struct json *one)
{
    struct str        word = text_of(one, "event"), type = text_of(one, "type");
    bool              bounce = str_eq(word, STR("bounce"));
    struct hook_event event = { .id = text_of(one, "sg_event_id"),
                                .recipient = text_of(one, "email"),
                                .message_id = text_of(one, "smtp-id"),
                                .status = text_of(one, "status"),
                                .said = text_of(one, "reason") };
    event.kind = str_eq(word, STR("spamreport"))           ? HOOK_COMPLAINT
                 : str_eq(word, STR("delivered"))          ? HOOK_DELIVERED
                 : bounce && !str_eq(type, STR("blocked")) ? HOOK_BOUNCE_HARD
                                                           : HOOK_BOUNCE_SOFT;
    if (bounce || event.kind == HOOK_COMPLAINT || event.kind == HOOK_DELIVERED)
        add(reading, event);
}

/* ---- Mailgun: one ---- */

static void mailgun_one(struct reading *reading, const struct json *body, struct str token)
{
    const struct json *data = object_of(body, "event-data");
    const struct json *delivery = object_of(data, "delivery-status");
    const struct json *headers = object_of(object_of(data, "message"), "headers");
    struct str         word = text_of(data, "event");
    struct str         said = text_of(delivery, "message");
    bool               failed = str_eq(word, STR("failed"));
    struct hook_event  event = { .id = token,
                                 .recipient = text_of(data, "recipient"),
                                 .message_id = text_of(headers, "message-id"),
                                 .said = said.len > 0 ? said : text_of(delivery, "description") };
    event.kind = str_eq(word, STR("complained"))                                 ? HOOK_COMPLAINT
                 : str_eq(word, STR("delivered"))                                ? HOOK_DELIVERED
                 : failed && str_eq(text_of(data, "severity"), STR("permanent")) ? HOOK_BOUNCE_HARD
                                                                                 : HOOK_BOUNCE_SOFT;
    if (event.kind != HOOK_BOUNCE_SOFT) /* those it tries again itself */
        add(reading, event);
}

/* ---- Postmark: one ---- */

/* Its own id of a bounce is a number; of a complaint too. */
static struct str postmark_id(struct reading *reading, const struct json *body)
{
    int64_t id;
    if (!json_get_int(body, STR("ID"), &id))
        return text_of(body, "MessageID");
    return str_format(reading->arena, "%lld", (long long)id);
}

static void postmark_one(struct reading *reading, const struct json *body)
{
    static const char *const hard[] = { "HardBounce", "BadEmailAddress" };
    static const char *const soft[] = { "SoftBounce", "Transient", "DnsError", "Blocked",
                                        "SMTPApiError" };
    struct str               record = text_of(body, "RecordType"), type = text_of(body, "Type");
    struct str               details = text_of(body, "Details");
    bool                     is_hard = false, is_soft = false;
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++)
        is_hard = is_hard || str_eq(type, str_of(hard[i]));
    for (size_t i = 0; i < sizeof soft / sizeof soft[0]; i++)
        is_soft = is_soft || str_eq(type, str_of(soft[i]));
    bool complaint = str_eq(record, STR("SpamComplaint"));
    bool arrived = str_eq(record, STR("Delivery"));
    if (!arrived && !complaint && !(str_eq(record, STR("Bounce")) && (is_hard || is_soft)))
        return;
    add(reading,
        (struct hook_event){ .kind = complaint ? HOOK_COMPLAINT
                                     : arrived ? HOOK_DELIVERED
                                     : is_hard ? HOOK_BOUNCE_HARD
                                               : HOOK_BOUNCE_SOFT,
                             .id = postmark_id(reading, body),
                             .recipient = text_of(body, arrived ? "Recipient" : "Email"),
                             .message_id = text_of(object_of(body, "Metadata"), "message-id"),
                             .said = details.len > 0 ? details : text_of(body, "Description") });
}

/* ---- SES: one, to several recipients ---- */

/* Among the headers as they were given to it; what it made of them has another. */
static struct str ses_message_id(const struct json *mail)
{
    const struct json *headers = mail == NULL ? NULL : json_get(mail, STR("headers"));
    for (uint32_t i = 0; headers != NULL && headers->kind == JSON_ARRAY && i < headers->count; i++)
        if (str_eq_nocase(text_of(&headers->items[i], "name"), STR("Message-ID")))
            return text_of(&headers->items[i], "value");
    return text_of(object_of(mail, "commonHeaders"), "messageId");
}

static struct str ses_event_id(struct reading *reading, const struct json *told,
                               const struct json *mail, uint32_t number)
{
    struct str id = text_of(told, "feedbackId");
    return str_format(reading->arena, "%.*s.%u",
                      STR_ARG(id.len > 0 ? id : text_of(mail, "messageId")), number);
}

/* Recipients are objects with an address, or addresses. */
static void ses_recipients(struct reading *reading, const struct json *list,
                           const struct json *told, const struct json *mail, enum hook_kind kind)
{
    for (uint32_t i = 0; list != NULL && list->kind == JSON_ARRAY && i < list->count; i++) {
        const struct json *one = &list->items[i];
        bool               is_text = one->kind == JSON_STRING;
        if (reading->out->count == HOOK_SES_RECIPIENTS_MAX)
            return;
        add(reading,
            (struct hook_event){ .kind = kind,
                                 .id = ses_event_id(reading, told, mail, i),
                                 .recipient = is_text ? one->string : text_of(one, "emailAddress"),
                                 .message_id = ses_message_id(mail),
                                 .status = text_of(one, "status"),
                                 .said = text_of(one, "diagnosticCode") });
    }
}

static void ses_one(struct reading *reading, const struct json *body)
{
    const struct json *mail = object_of(body, "mail"), *bounce = object_of(body, "bounce");
    const struct json *complaint = object_of(body, "complaint");
    const struct json *delivery = object_of(body, "delivery");
    struct str         type = text_of(bounce, "bounceType");
    bool               is_hard = str_eq(type, STR("Permanent"));
    if (bounce != NULL)
        ses_recipients(reading, json_get(bounce, STR("bouncedRecipients")), bounce, mail,
                       is_hard ? HOOK_BOUNCE_HARD : HOOK_BOUNCE_SOFT);
    else if (complaint != NULL)
        ses_recipients(reading, json_get(complaint, STR("complainedRecipients")), complaint, mail,
                       HOOK_COMPLAINT);
    else if (delivery != NULL)
        ses_recipients(reading, json_get(delivery, STR("recipients")), delivery, mail,
                       HOOK_DELIVERED);
}

enum err hook_ses_read(struct str message, struct json_parser *parser, struct arena *arena,
                       struct hook_events *out)
{
    struct reading reading = { .arena = arena, .out = out };
    struct json    body;
    *out = (struct hook_events){ .items = ARENA_ARRAY(arena, HOOK_SES_RECIPIENTS_MAX,
                                                      struct hook_event) };
    if (out->items == NULL)
        return ERR_MEMORY;
    enum err err = json_parse(parser, arena, message, &body, NULL);
    if (err == ERR_MEMORY)
        return err;
    if (err == OK && body.kind == JSON_OBJECT)
        ses_one(&reading, &body);
    return OK;
}

/* ---- all of them ---- */

static enum err denied(struct problem *problem)
{
    return problem_set(problem, ERR_DENIED, "signature",
                       "This is not proven to come from the mail service.",
                       "Compare the key in our settings with the one the service shows, and the "
                       "clocks.");
}

static enum err shape(struct problem *problem)
{
    return problem_set(problem, ERR_INPUT, "body", "This is not what the service sends.",
                       "Point its webhook for events here, in JSON.");
}

static bool mailgun_is_proven(struct str secret, const struct hook_request *request,
                              const struct json *body, struct str *token)
{
    const struct json *signature = object_of(body, "signature");
    struct str         timestamp = text_of(signature, "timestamp");
    *token = text_of(signature, "token");
    return token->len > 0 && proof_is_fresh(timestamp, request->now_ms) &&
           proof_by_hmac(secret, text_of(signature, "signature"), timestamp, *token);
}

static bool is_proven_outside(enum hook_service service, struct str secret,
                              const struct hook_request *request)
{
    if (service == HOOK_SENDGRID)
        return proof_is_fresh(request->timestamp, request->now_ms) &&
               proof_by_ecdsa(secret, request->signature, request->timestamp, request->body);
    return service == HOOK_MAILGUN ||
           (service == HOOK_POSTMARK && proof_by_password(secret, request->authorization));
}

static enum err sendgrid_read(struct reading *reading, const struct json *body,
                              struct problem *problem)
{
    if (body->kind != JSON_ARRAY)
        return shape(problem);
    if (body->count > HOOK_EVENTS_MAX)
        return problem_set(problem, ERR_LIMIT, "body", "There are more than 5,000 events.",
                           "Let the service send fewer at once.");
    reading->out->items = ARENA_ARRAY(reading->arena, body->count + 1, struct hook_event);
    if (reading->out->items == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < body->count; i++)
        if (body->items[i].kind == JSON_OBJECT)
            sendgrid_one(reading, &body->items[i]);
    return OK;
}

enum err hook_read(enum hook_service service, struct str secret, const struct hook_request *request,
                   struct json_parser *parser, struct arena *arena, struct hook_events *out,
                   struct problem *problem)
{
    struct reading reading = { .arena = arena, .out = out };
    struct json    body;
    struct str     token = STR_NONE;
    *out = (struct hook_events){ .count = 0 };
    if (!is_proven_outside(service, secret, request))
        return denied(problem);
    if (json_parse(parser, arena, request->body, &body, NULL) != OK)
        return shape(problem);
    if (service == HOOK_SENDGRID)
        return sendgrid_read(&reading, &body, problem);
    if (body.kind != JSON_OBJECT)
        return shape(problem);
    if (service == HOOK_MAILGUN && !mailgun_is_proven(secret, request, &body, &token))
        return denied(problem);
    out->items = ARENA_NEW(arena, struct hook_event);
    if (out->items == NULL)
        return ERR_MEMORY;
    if (service == HOOK_MAILGUN)
        mailgun_one(&reading, &body, token);
    else
        postmark_one(&reading, &body);
    return OK;
}
