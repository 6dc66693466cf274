/*
 * What services tell of text messages and postcards: receipts, returned post, and what people
 * answer. STOP and START are words of consent, HELP is answered; see intake/text_hook.h,
 * docs/sms.md.
 */
#include "base/encode.h"
#include "run/api/api_inside.h"

#include "base/time.h"
#include "engine/profile/phone.h"
#include "intake/text_hook.h"
#include "message/sms.h"
#include "run/api/saying.h"
#include "run/returned/trail.h"
#include "run/send/replies.h"
#include "run/send/ways_file.h"

enum { PEOPLE_MAX = 16, PEOPLE_A_TURN = 20000, REPLY_BYTES_MAX = 8192, TEXT_KEPT_BYTES_MAX = 1600 };

/* As the service called us: what it signed. */
static struct str url_of(struct call *call)
{
    struct str query = http_query(call->request);
    return str_format(call->arena, "%.*s%.*s%s%.*s", STR_ARG(call->api->conf.public_url),
                      STR_ARG(http_path(call->request)), query.len > 0 ? "?" : "", STR_ARG(query));
}

/* Who tells, and by what it is read. */
struct telling {
    struct call           *call;
    struct str             service;  /* of the path: a way's name, or its provider's */
    const struct provider *provider; /* of the way that it was proven for */
    struct str             reply;    /* to an answer */
    const struct json     *answers;  /* what is replied */
    bool                   is_taken;
};

static enum err way_proof(struct telling *telling, const struct way_conf *way,
                          struct text_event *out)
{
    struct call                 *call = telling->call;
    const struct provider_proof *proof = provider_proof(way->provider);
    struct str                   type = http_header(call->request, STR("Content-Type"));
    struct text_request          request = {
                 .body = http_body(call->request),
                 .url = url_of(call),
                 .signature = http_header(call->request, proof->header),
                 .timestamp = http_header(call->request, proof->time_header),
                 .authorization = http_header(call->request, STR("Authorization")),
                 .secret_told = call_query(call, "secret"),
                 .is_form = str_starts(type, STR("application/x-www-form-urlencoded")),
                 .now_ms = time_now_ms(),
    };
    struct json told;
    TRY(text_hook_read(proof->kind, json_get_str(&way->settings, proof->secret), &request,
                       call->arena, &told, &call->problem));
    telling->provider = way->provider;
    provider_receipt(way->provider, &told, call->arena, out);
    return OK;
}

/* Of the ways with that name or that provider the first whose proof it bears. */
static enum err event_read(struct telling *telling, const struct ways_file *file,
                           struct text_event *out)
{
    struct call           *call = telling->call;
    uint32_t               count = 0;
    const struct way_conf *ways = file == NULL ? NULL : ways_file_ways(file, &count);
    enum err               err = ERR_ABSENT;
    for (uint32_t i = 0; i < count && (err == ERR_ABSENT || err == ERR_DENIED); i++) {
        const struct way_conf *way = &ways[i];
        if (way->provider == NULL || !provider_has_receipts(way->provider) ||
            json_get_str(&way->settings, provider_proof(way->provider)->secret).len == 0)
            continue;
        if (str_eq(str_of(way->name), telling->service) ||
            str_eq(provider_name(way->provider), telling->service))
            err = way_proof(telling, way, out);
    }
    if (err == ERR_ABSENT)
        return problem_format(&call->problem, ERR_ABSENT, "service",
                              "Give its way in ways.json the secret by which it proves itself: "
                              "`dult providers` names the setting.",
                              "Nothing is taken from %.*s here.",
                              STR_ARG(str_slice(telling->service, 0, 40)));
    return err;
}

/* ---- receipts ---- */

struct whom_question {
    uint32_t             profile;
    enum consent_channel channel;
    struct arena        *arena;
    struct str           address;
    bool                 is_somebody;
};

static bool whom_ask(struct engine *engine, struct task *task)
{
    struct whom_question *question = task->context;
    const struct people  *people = engine_people(engine);
    char                  bytes[REACH_BYTES_MAX];
    struct str            address;
    question->is_somebody =
        question->profile < people_count(people) && !people_is_nobody(people, question->profile);
    if (question->is_somebody &&
        engine_reach(engine, question->profile, question->channel, bytes, &address))
        question->address = str_copy(question->arena, address);
    return true;
}

static struct str event_id(struct call *call, struct str service, const struct text_event *event)
{
    return str_format(call->arena, "text.%.*s.%.*s.%.*s", STR_ARG(str_slice(service, 0, 20)),
                      STR_ARG(str_slice(event->id, 0, 80)),
                      STR_ARG(str_slice(event->status, 0, 20)));
}

static enum err stop_say(struct call *call, uint32_t profile, bool stop, struct str how,
                         struct str text, struct str id)
{
    struct entry  entry;
    struct saying saying = { .profile = profile,
                             .topic = STR_NONE,
                             .channel = CHANNEL_SMS,
                             .state = stop ? CONSENT_REFUSED : CONSENT_GRANTED,
                             .how = how,
                             .source = STR("sms"),
                             .by = STR("person"),
                             .text = text };
    TRY(saying_entry(call->arena, &saying, &entry));
    entry.message_id = str_format(call->arena, "%.*s.%u", STR_ARG(id), profile);
    return call_submit(call, &entry, 1, NULL);
}

static enum err receipt_submit(struct call *call, struct trail *trail, struct str service,
                               const struct text_event *event)
{
    bool                 dead = event->kind == TEXT_DEAD;
    struct entry         entry;
    struct bounce        bounce = { .class = dead ? BOUNCE_HARD : BOUNCE_SOFT,
                                    .status = event->code,
                                    .reason = STR_NONE,
                                    .said = event->status };
    struct whom_question question = { .profile = trail->token.profile,
                                      .channel = trail->channel,
                                      .arena = call->arena };
    TRY(call_ask(call, whom_ask, &question));
    if (!question.is_somebody)
        return OK; /* erased since */
    bounce.recipient = event->to.len > 0 ? event->to : question.address;
    if (event->kind != TEXT_DELIVERED)
        trail->bounce = &bounce;
    TRY(trail_entry(call->arena, trail,
                    event->kind == TEXT_DELIVERED ? EVENT_MESSAGE_DELIVERED : EVENT_MESSAGE_BOUNCED,
                    &entry));
    entry.message_id = event_id(call, service, event);
    TRY(call_submit(call, &entry, 1, NULL));
    if (event->kind != TEXT_STOPPED)
        return OK;
    return stop_say(call, trail->token.profile, true, STR("sms STOP to the carrier"), event->code,
                    entry.message_id);
}

static enum err receipt_take(struct call *call, struct str service, const struct text_event *event,
                             bool *is_taken)
{
    struct trail_desk desk = { call->desk->reader, call->desk->parser, call->arena };
    struct trail      trail = { .url = STR_NONE };
    struct str        token = event->token.len > 0 ? event->token : call_query(call, "m");
    *is_taken = false;
    if (event->kind == TEXT_OTHER || token.len == 0 || token.len > TOKEN_TEXT_BYTES_MAX ||
        call->api->conf.tokens == NULL ||
        token_read(call->api->conf.tokens, TOKEN_MESSAGE, token, STR_NONE, &trail.token) != OK)
        return OK;
    enum err err = trail_read(&desk, &trail);
    if (err != OK)
        return err == ERR_DENIED ? OK : err;
    *is_taken = true;
    return receipt_submit(call, &trail, service, event);
}

/* ---- answers ---- */

struct number_question {
    struct str number;
    uint32_t   from;
    uint32_t   people[PEOPLE_MAX];
    uint32_t   count;
    char       language[16];
};

/* A part of all people each time, so that events go on. */
static bool number_ask(struct engine *engine, struct task *task)
{
    struct number_question *question = task->context;
    question->from = engine_by_phone(engine, question->number, question->from, PEOPLE_A_TURN,
                                     question->people, PEOPLE_MAX, &question->count);
    if (question->from < people_count(engine_people(engine)) && question->count < PEOPLE_MAX)
        return false;
    if (question->count > 0)
        str_to_cstr(engine_language(engine, question->people[0]), question->language,
                    sizeof question->language);
    return true;
}

/* What they wrote is an event of theirs. */
static enum err reply_submit(struct call *call, uint32_t person, const struct text_event *event,
                             enum sms_word word, struct str id)
{
    SCOPED(buf_donep) struct buf body = buf_make(REPLY_BYTES_MAX * 2);
    struct json_member           members[5];
    uint32_t                     count = 0;
    const struct {
        const char *key;
        struct str  text;
    } all[] = {
        { "channel", STR("sms") },
        { "text", str_slice(event->text, 0, TEXT_KEPT_BYTES_MAX) },
        { "to", event->to },
        { "word", str_of(sms_word_name(word)) },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].text.len > 0)
            members[count++] =
                (struct json_member){ str_of(all[i].key),
                                      { .kind = JSON_STRING, .string = all[i].text } };
    struct json properties = { .kind = JSON_OBJECT, .count = count, .members = members };
    buf_str(&body, STR("{\"properties\":"));
    json_write(&body, &properties);
    buf_char(&body, '}');
    TRY(buf_err(&body));
    int64_t      now_ms = time_now_ms();
    struct entry entry = { .record = { .kind = RECORD_MESSAGE,
                                       .name = EVENT_MESSAGE_REPLIED,
                                       .profile = person,
                                       .at_ms = now_ms,
                                       .received_ms = now_ms,
                                       .properties = &properties },
                           .body = buf_view(&body),
                           .message_id =
                               str_format(call->arena, "%.*s.reply.%u", STR_ARG(id), person) };
    return call_submit(call, &entry, 1, NULL);
}

/* A number that nobody here has: it is the number that is not written to. */
static enum err number_stop(struct call *call, struct str number, bool stop)
{
    int64_t            now_ms = time_now_ms();
    struct json_member member = { STR("reason"),
                                  { .kind = JSON_STRING, .string = STR("answered STOP") } };
    struct json        properties = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    struct entry       entry = { .record = { .kind = RECORD_SUPPRESSION,
                                             .flags = stop ? 0 : RECORD_LEAVE,
                                             .name = number,
                                             .at_ms = now_ms,
                                             .received_ms = now_ms,
                                             .properties = &properties },
                                 .body = STR("{\"properties\":{\"reason\":\"answered STOP\"}}") };
    enum err           err = call_submit(call, &entry, 1, NULL);
    return err == ERR_ABSENT ? OK : err; /* START of one who never stopped */
}

static enum err answer_take(struct telling *telling, const struct text_event *event)
{
    struct call  *call = telling->call;
    char          number[PHONE_BYTES_MAX];
    enum sms_word word = sms_word_of(event->text);
    struct str    id = event_id(call, telling->service, event);
    /* Some gateways leave the plus away. */
    struct str from = event->from;
    if (from.len > 0 && from.ptr[0] >= '1' && from.ptr[0] <= '9')
        from = str_format(call->arena, "+%.*s", STR_ARG(from));
    if (phone_e164(from, STR_NONE, number) != OK)
        return problem_set(&call->problem, ERR_INPUT, "from", "This is no number.",
                           "Send it with its country's code.");
    struct number_question question = { .number = str_of(number) };
    bool                   turns = word == SMS_WORD_STOP || word == SMS_WORD_START;
    TRY(call_ask(call, number_ask, &question));
    for (uint32_t i = 0; i < question.count; i++) {
        TRY(reply_submit(call, question.people[i], event, word, id));
        if (turns)
            TRY(stop_say(call, question.people[i], word == SMS_WORD_STOP,
                         word == SMS_WORD_STOP ? STR("sms STOP") : STR("sms START"), event->text,
                         id));
    }
    if (turns && question.count == 0)
        TRY(number_stop(call, question.number, word == SMS_WORD_STOP));
    struct str language = str_copy(call->arena, str_of(question.language));
    telling->reply = replies_find(telling->answers, word, language);
    return OK;
}

/* ---- the answer to the service ---- */

static void answer_write(struct telling *telling)
{
    struct call *call = telling->call;
    bool         first = true;
    if (!provider_proof(telling->provider)->is_twiml) {
        buf_char(&call->out, '{');
        write_int(&call->out, &first, "taken", telling->is_taken);
        write_text(&call->out, &first, "reply", telling->reply);
        buf_char(&call->out, '}');
        return;
    }
    call->type = STR("text/xml");
    buf_str(&call->out, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>"));
    if (telling->reply.len > 0) {
        buf_str(&call->out, STR("<Message>"));
        html_escape(&call->out, telling->reply);
        buf_str(&call->out, STR("</Message>"));
    }
    buf_str(&call->out, STR("</Response>"));
}

static enum err told_take(struct telling *telling, const struct ways_file *file)
{
    struct text_event event;
    TRY(event_read(telling, file, &event));
    if (event.kind == TEXT_ANSWER)
        TRY(answer_take(telling, &event));
    else
        TRY(receipt_take(telling->call, telling->service, &event, &telling->is_taken));
    answer_write(telling);
    return OK;
}

enum err receipt_post(struct call *call)
{
    struct ways_file *file = call_ways(call);
    struct telling    telling = { .call = call,
                                  .service = call_param(call, "service"),
                                  .reply = STR_NONE,
                                  .answers = file == NULL ? NULL : ways_file_answers(file),
                                  .is_taken = true };
    enum err          err = told_take(&telling, file);
    ways_file_close(file);
    return err;
}
