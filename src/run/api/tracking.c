/*
 * Links of our mails. A click is redirected, and an unsubscription confirmed, after it is on disk;
 * only when the core has no room is a reader led on unrecorded, for a link must lead somewhere. A
 * GET never changes a consent. What programs open and follow is recorded as theirs (machine.h).
 */
#include "run/api/api_inside.h"

#include <string.h>

#include "base/time.h"
#include "message/links.h"
#include "run/api/machine.h"
#include "run/returned/trail.h"

enum {
    TRAIL_ARENA_BYTES_MAX = 1 << 20,
    TOKEN_BYTES_READ_MAX = 200,
    TARGET_BYTES_MAX = 3 * LINKS_URL_BYTES_MAX,
    PAGE_BYTES_MAX = 16384,
    FORM_FIELD_BYTES_MAX = 64,
};

/* A GIF of one transparent pixel. */
static const char pixel[] = "GIF89a\1\0\1\0\200\0\0\0\0\0\0\0\0!\371\4\1\0\0\0\0,\0\0\0\0\1\0\1\0"
                            "\0\2\2D\1\0;";

static enum err token_of(struct call *call, enum token_purpose purpose, struct trail *trail)
{
    struct str text = call_param(call, "token");
    trail->request = call->request;
    if (call->api->conf.tokens == NULL || text.len == 0 || text.len > TOKEN_BYTES_READ_MAX)
        return ERR_DENIED;
    if (purpose == TOKEN_OPEN && str_ends(text, STR(".gif")))
        text.len -= 4;
    if (purpose == TOKEN_CLICK) {
        trail->url = call_query(call, "u");
        TRY(links_click_read(call->api->conf.tokens, text, trail->url, &trail->token));
    } else {
        TRY(token_read(call->api->conf.tokens, purpose, text, STR_NONE, &trail->token));
    }
    struct trail_desk desk = { call->desk->reader, call->desk->parser, call->arena };
    return trail_read(&desk, trail);
}

/* ---- opens and clicks: recorded, then answered from the commit thread ---- */

static void pixel_reply(struct http_request *request)
{
    struct http_header headers[] = { { STR("Cache-Control"), STR("no-store") } };
    http_reply(request, &(struct http_answer){ .status = 200,
                                               .type = STR("image/gif"),
                                               .headers = headers,
                                               .headers_count = 1,
                                               .body = { pixel, sizeof pixel - 1 },
                                               .is_body_lasting = true });
}

static void redirect_reply(struct http_request *request, struct str url)
{
    struct http_header headers[] = { { STR("Location"), url },
                                     { STR("Cache-Control"), STR("no-store") },
                                     { STR("Referrer-Policy"), STR("no-referrer") } };
    http_reply(request,
               &(struct http_answer){ .status = 302, .headers = headers, .headers_count = 3 });
}

static void opened(struct task *task)
{
    pixel_reply(((struct trail *)task->context)->request);
}

static void clicked(struct task *task)
{
    struct trail *trail = task->context;
    redirect_reply(trail->request, trail->url);
}

static enum err trail_submit(struct call *call, const struct trail *from, struct str name,
                             core_done *done)
{
    struct arena *arena = arena_open(TRAIL_ARENA_BYTES_MAX);
    if (arena == NULL)
        return ERR_MEMORY;
    struct trail *trail = ARENA_NEW(arena, struct trail);
    struct task  *task = ARENA_NEW(arena, struct task);
    struct entry *entry = ARENA_NEW(arena, struct entry);
    enum err      err = ERR_MEMORY;
    if (trail != NULL && task != NULL && entry != NULL) {
        *trail = *from;
        trail->url = str_copy(arena, from->url);
        *task = (struct task){
            .arena = arena, .entries = entry, .entries_count = 1, .done = done, .context = trail
        };
        err = trail_entry(arena, trail, name, entry);
    }
    if (err == OK)
        err = core_submit(call->api->conf.core, task);
    if (err != OK)
        arena_close(arena);
    else
        call->is_answered = true;
    return err;
}

static struct str purpose_of(const struct http_request *request)
{
    static const char *const names[] = { "Sec-Purpose", "Purpose", "X-Moz" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!str_is_empty(http_header(request, str_of(names[i]))))
            return http_header(request, str_of(names[i]));
    return STR_NONE;
}

static bool is_machine(const struct http_request *request, bool is_click)
{
    return machine_is(&(struct machine_hit){ .head = http_method(request) == GATE_HEAD,
                                             .click = is_click,
                                             .agent = http_header(request, STR("User-Agent")),
                                             .purpose = purpose_of(request) });
}

enum err track_open(struct call *call)
{
    struct trail trail = { 0 };
    enum err     err = token_of(call, TOKEN_OPEN, &trail);
    trail.machine = is_machine(call->request, false);
    if (err == OK)
        err = trail_submit(call, &trail, EVENT_MESSAGE_OPENED, opened);
    if (call->is_answered)
        return OK;
    call->is_answered = true; /* a picture in any case: a reader cannot do anything about it */
    pixel_reply(call->request);
    return OK;
}

enum err track_click(struct call *call)
{
    struct trail                 trail = { 0 };
    SCOPED(buf_donep) struct buf target = buf_make(TARGET_BYTES_MAX);
    if (token_of(call, TOKEN_CLICK, &trail) != OK || !links_target(trail.url, &target))
        return track_nowhere(call);
    trail.url = buf_view(&target);
    trail.machine = is_machine(call->request, true);
    /* A reader who clicked gets where the link leads, also when it cannot be recorded now. */
    if (trail_submit(call, &trail, EVENT_MESSAGE_CLICKED, clicked) == OK)
        return OK;
    call->is_answered = true;
    redirect_reply(call->request, trail.url);
    return OK;
}

/* ---- the unsubscribe page ---- */

void track_escape(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        switch (text.ptr[i]) {
        case '<':
            buf_str(out, STR("&lt;"));
            break;
        case '>':
            buf_str(out, STR("&gt;"));
            break;
        case '&':
            buf_str(out, STR("&amp;"));
            break;
        case '"':
            buf_str(out, STR("&quot;"));
            break;
        default:
            buf_char(out, text.ptr[i]);
        }
}

/* One heading, one sentence, and a button where `action` is given. */
static enum err page(struct call *call, int status, const char *title, const char *text,
                     const char *action, const char *button)
{
    SCOPED(buf_donep) struct buf out = buf_make(PAGE_BYTES_MAX);
    struct http_header           headers[] = {
                  { STR("Cache-Control"), STR("no-store") },
                  { STR("Referrer-Policy"), STR("no-referrer") },
                  { STR("X-Robots-Tag"), STR("noindex") },
                  { STR("Content-Security-Policy"),
                    STR("default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                                  "frame-ancestors 'none'") },
    };
    buf_format(&out,
               "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title>"
               "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>"
               "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;"
               "padding:0 1rem;color:#1a1a1a;background:#fff}button{font:inherit;padding:.6rem "
               "1.2rem;border:0;border-radius:.4rem;background:#0b5cad;color:#fff;cursor:pointer}"
               "</style></head><body><main><h1>%s</h1><p>%s",
               title, title, text);
    if (call->api->conf.name.len > 0) {
        buf_str(&out, STR(" &mdash; "));
        track_escape(&out, call->api->conf.name);
    }
    buf_str(&out, STR("</p>"));
    if (action != NULL)
        buf_format(&out,
                   "<form method=\"post\"><input type=\"hidden\" name=\"action\" "
                   "value=\"%s\"><button type=\"submit\">%s</button></form>",
                   action, button);
    buf_str(&out, STR("</main></body></html>"));
    TRY(buf_err(&out));
    call->is_answered = true;
    http_reply(call->request,
               &(struct http_answer){ .status = status,
                                      .type = STR("text/html; charset=utf-8"),
                                      .headers = headers,
                                      .headers_count = sizeof headers / sizeof headers[0],
                                      .body = buf_view(&out) });
    return OK;
}

enum err track_nowhere(struct call *call)
{
    return page(call, 404, "This link leads nowhere",
                "It may have been cut in two by a mail program. Please use the one in the e-mail "
                "itself.",
                NULL, NULL);
}

enum err track_page(struct call *call)
{
    struct trail trail = { 0 };
    enum err     err = token_of(call, TOKEN_UNSUBSCRIBE, &trail);
    if (err == ERR_DENIED)
        return track_nowhere(call);
    TRY(err);
    return page(call, 200, "Unsubscribe", "Press the button to receive no more of these e-mails.",
                "unsubscribe", "Unsubscribe");
}

/* The name of the message's topic; empty for "all". */
struct topic_question {
    uint32_t      topic, profile;
    struct arena *arena;
    struct str    name;
    bool          is_known, is_erased;
};

static bool topic_ask(struct engine *engine, struct task *task)
{
    struct topic_question *question = task->context;
    question->is_known = question->profile < people_count(engine_people(engine));
    question->is_erased =
        question->is_known && people_is_nobody(engine_people(engine), question->profile);
    if (question->topic != 0)
        question->name = str_copy(
            question->arena, program_name(engine_program(engine), NAME_TOPIC, question->topic));
    return true;
}

static enum err consent_entry(struct call *call, const struct trail *trail, struct str topic,
                              bool granted, struct entry *out)
{
    struct str          state = granted ? STR("subscribed") : STR("unsubscribed");
    struct str          how = granted ? STR("undo") : STR("unsubscribe link");
    struct json_member *members = ARENA_ARRAY(call->arena, 2, struct json_member);
    struct json        *properties = ARENA_NEW(call->arena, struct json);
    if (members == NULL || properties == NULL)
        return ERR_MEMORY;
    members[0] = (struct json_member){ STR("state"), { .kind = JSON_STRING, .string = state } };
    members[1] = (struct json_member){ STR("how"), { .kind = JSON_STRING, .string = how } };
    *properties = (struct json){ .kind = JSON_OBJECT, .count = 2, .members = members };
    *out = (struct entry){
        .record = { .kind = RECORD_CONSENT,
                    .name = topic,
                    .profile = trail->token.profile,
                    .message = trail->token.message,
                    .at_ms = time_now_ms(),
                    .received_ms = time_now_ms(),
                    .properties = properties },
        .body = str_format(call->arena, "{\"properties\":{\"state\":\"%.*s\",\"how\":\"%.*s\"}}",
                           STR_ARG(state), STR_ARG(how)),
    };
    return out->body.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err consent_change(struct call *call, const struct trail *trail, bool granted)
{
    struct topic_question question = { .topic = trail->topic,
                                       .arena = call->arena,
                                       .profile = trail->token.profile };
    struct entry          entries[2];
    TRY(call_ask(call, topic_ask, &question));
    if (!question.is_known)
        return ERR_DENIED;
    if (question.is_erased)
        return OK; /* nothing is sent to nobody, and nothing is kept of it */
    TRY(consent_entry(call, trail, question.name, granted, &entries[0]));
    TRY(trail_entry(call->arena, trail, EVENT_MESSAGE_UNSUBSCRIBED, &entries[1]));
    /* Told once, however often a mail program posts it; the consent itself is set each time. */
    entries[1].message_id =
        str_format(call->arena, "unsubscribe.%llu", (unsigned long long)trail->token.message);
    return call_submit(call, entries, granted ? 1 : 2, NULL);
}

enum err track_unsubscribe(struct call *call)
{
    struct trail                 trail = { 0 };
    SCOPED(buf_donep) struct buf action = buf_make(FORM_FIELD_BYTES_MAX);
    enum err                     err = token_of(call, TOKEN_UNSUBSCRIBE, &trail);
    bool granted = query_get(http_body(call->request), STR("action"), &action) &&
                   str_eq(buf_view(&action), STR("resubscribe"));
    if (err == OK)
        err = consent_change(call, &trail, granted);
    if (err == ERR_DENIED)
        return track_nowhere(call);
    TRY(err);
    if (granted)
        return page(call, 200, "You are subscribed", "You will receive these e-mails again.",
                    "unsubscribe", "Unsubscribe");
    return page(call, 200, "You are unsubscribed", "You will receive no more of these e-mails.",
                "resubscribe", "That was a mistake: subscribe again");
}
