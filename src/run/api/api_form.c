/*
 * A form of another site signs somebody up: POST /f/{form}, as a browser sends it.
 *
 *      email            the address; topic (any number of them): else all of the form's
 *      the form's fields become traits, of somebody new only
 *      redirect         a page of the form's list; else its first; else a page of ours
 *      website          a field that people do not see: who fills it in is a program
 *
 * A yes counts when the button in the mail that follows is pressed, so only topics that ask forms
 * to confirm can be signed up for, and a stranger can neither sign up nor change anybody. The
 * answer is the same whoever the address belongs to, and whatever they said before, and comes at
 * the same time: whoever is asked about is looked up alike, and what is written then is done within
 * ANSWER_AFTER_MS, or nearly always.
 *
 * Who is meant is whoever has the address as the trait `email`, if that is one person, whatever
 * their userId: the mail goes to that address, and whoever reads it presses the button. Of several
 * who share it none is meant but the one whose userId it is.
 */
#include "run/api/by_address.h"
#include "run/api/page.h"
#include "run/api/saying.h"

#include "base/time.h"
#include "engine/behaviour/view.h"
#include "message/address.h"
#include "run/core/reading.h"
#include "run/send/forms.h"
#include "server/query.h"

enum { FIELD_BYTES_MAX = 1000, TRAITS_BYTES_MAX = 64 << 10, ANSWER_AFTER_MS = 400 };

#define TRAP_FIELD STR("website")

struct signing {
    struct call       *call;
    const struct json *form;
    struct str         address;
    struct str         topics[FORM_ITEMS_MAX];
    bool               is_wanted[FORM_ITEMS_MAX]; /* not subscribed already */
    uint32_t           topics_count;
    uint16_t           trait; /* `email` */
    uint32_t           may_be[BY_ADDRESS_MOST], may_be_count;
    uint32_t           person; /* PROFILE_NONE: somebody new */
    struct str         language;
    bool               is_open; /* all the topics ask forms to confirm */
};

/* ---- the form ---- */

static enum err form_get(struct signing *signing)
{
    struct call *call = signing->call;
    struct str   text;
    struct json *workspace = ARENA_NEW(call->arena, struct json);
    if (workspace == NULL)
        return ERR_MEMORY;
    *workspace = (struct json){ .kind = JSON_NULL };
    TRY(newest_workspace(call, &text));
    if (text.len > 0)
        TRY(json_parse(call->desk->parser, call->arena, text, workspace, NULL));
    signing->form = forms_find(workspace, call_param(call, "form"));
    return signing->form != NULL
               ? OK
               : problem_set(&call->problem, ERR_ABSENT, "form", "There is no such form.",
                             "Add it to `forms` of workspace.json.");
}

/* ---- what was filled in ---- */

static struct str field(struct signing *signing, struct str name)
{
    SCOPED(buf_donep) struct buf text = buf_make(FIELD_BYTES_MAX);
    if (!query_get(http_body(signing->call->request), name, &text) || buf_err(&text) != OK ||
        !str_is_utf8(buf_view(&text)))
        return STR_NONE;
    return str_copy(signing->call->arena, str_trim(buf_view(&text)));
}

static void topic_add(struct signing *signing, struct str topic)
{
    for (uint32_t i = 0; i < signing->topics_count; i++)
        if (str_eq(signing->topics[i], topic))
            return;
    if (form_has(signing->form, "topics", topic) && signing->topics_count < FORM_ITEMS_MAX)
        signing->topics[signing->topics_count++] = topic;
}

/* Those that were ticked, of those the form has; all where it has no boxes. */
static void topics_read(struct signing *signing)
{
    const struct json *all = json_get(signing->form, STR("topics"));
    struct str         body = http_body(signing->call->request), name, value;
    bool               has_boxes = false;
    while (query_next(&body, &name, &value)) {
        SCOPED(buf_donep) struct buf plain = buf_make(FORM_ITEM_BYTES_MAX + 1);
        struct str                   whole = { name.ptr, name.len + 1 + value.len };
        if (!str_eq(name, STR("topic")))
            continue;
        has_boxes = true;
        if (query_get(whole, name, &plain) && buf_err(&plain) == OK)
            topic_add(signing, str_copy(signing->call->arena, buf_view(&plain)));
    }
    for (uint32_t i = 0; !has_boxes && i < all->count; i++)
        topic_add(signing, all->items[i].string);
}

static enum err filled_in(struct signing *signing)
{
    struct str address = field(signing, STR("email"));
    char      *lower = arena_alloc(signing->call->arena, address.len + 1);
    if (lower == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < address.len; i++)
        lower[i] = (char)(address.ptr[i] >= 'A' && address.ptr[i] <= 'Z' ? address.ptr[i] | 0x20
                                                                         : address.ptr[i]);
    signing->address = (struct str){ lower, address.len };
    topics_read(signing);
    return address_check(signing->address, "email", &signing->call->problem);
}

/* ---- who that is, and what they said ---- */

/* Whoever is written to already is not asked: until they answered a stranger had silenced them. */
static bool is_written_to(const struct engine *engine, uint32_t person, uint32_t topic)
{
    struct consent_answer known = engine_consent(engine, person, topic, CHANNEL_EMAIL);
    return known.state == FACTS_CONSENT_GRANTED || known.why_not.len == 0;
}

static bool trait_ask(struct engine *engine, struct task *task)
{
    struct signing *signing = task->context;
    signing->trait = dict_find(engine_program(engine)->names[NAME_TRAIT], STR("email"));
    return true;
}

/* Everyone who may have the address, by the last committed record. */
static enum err candidates_find(struct signing *signing)
{
    struct call *call = signing->call;
    struct view *view = NULL;
    TRY(call_ask(call, trait_ask, signing));
    enum err err = reading_view(core_reading(call->api->conf.core), &view);
    if (err == ERR_WAIT)
        return OK; /* nothing is known yet */
    TRY(err);
    err = by_address_find(call->api->by_address, view, signing->trait, signing->address,
                          signing->may_be, &signing->may_be_count);
    view_drop(view);
    return err;
}

/* The only one whose mail goes there; else whoever has it as userId; else somebody new. */
static uint32_t person_of(const struct engine *engine, const struct signing *signing)
{
    uint32_t only = PROFILE_NONE, holders = 0;
    for (uint32_t i = 0; i < signing->may_be_count && i < BY_ADDRESS_MOST; i++)
        if (str_eq_nocase(engine_address(engine, signing->may_be[i]), signing->address)) {
            only = people_root(engine_people(engine), signing->may_be[i]);
            holders++;
        }
    return holders == 1 && signing->may_be_count <= BY_ADDRESS_MOST
               ? only
               : call_find(engine, signing->address);
}

static bool person_ask(struct engine *engine, struct task *task)
{
    struct signing       *signing = task->context;
    const struct program *program = engine_program(engine);
    signing->person = person_of(engine, signing);
    signing->is_open = signing->topics_count > 0;
    for (uint32_t i = 0; i < signing->topics_count; i++) {
        uint32_t topic = program_topic(program, signing->topics[i]);
        if (topic >= program->topics.count ||
            (program->topics.items[topic].confirm & 1 << CONSENT_BY_FORM) == 0)
            signing->is_open = false;
        signing->is_wanted[i] =
            signing->person == PROFILE_NONE || !is_written_to(engine, signing->person, topic);
    }
    return true;
}

/* Somebody new, as an identify event makes them. Of those who are known a stranger changes nothing.
 */
static enum err person_make(struct signing *signing)
{
    struct call                 *call = signing->call;
    SCOPED(buf_donep) struct buf text = buf_make(TRAITS_BYTES_MAX);
    const struct json           *fields = json_get(signing->form, STR("fields"));
    struct json                  body;
    struct task                  task;
    bool                         first = true;
    buf_str(&text, STR("{\"traits\":{"));
    write_text(&text, &first, "email", signing->address);
    for (uint32_t i = 0; fields != NULL && i < fields->count; i++) {
        struct str value = field(signing, fields->items[i].string);
        if (value.len == 0)
            continue;
        buf_char(&text, ',');
        json_write_str(&text, fields->items[i].string);
        buf_char(&text, ':');
        json_write_str(&text, value);
    }
    buf_str(&text, STR("}}"));
    TRY(buf_err(&text));
    TRY(json_parse(call->desk->parser, call->arena, buf_view(&text), &body, NULL));
    int64_t      now_ms = time_now_ms();
    struct entry entry = { .record = { .kind = RECORD_IDENTIFY,
                                       .user_id = signing->address,
                                       .properties = json_get(&body, STR("traits")),
                                       .at_ms = now_ms,
                                       .received_ms = now_ms },
                           .body = buf_view(&text) };
    TRY(call_submit(call, &entry, 1, &task));
    signing->person = task.profile;
    return OK;
}

static enum err words_say(struct signing *signing)
{
    struct call  *call = signing->call;
    struct entry *entries = ARENA_ARRAY(call->arena, signing->topics_count, struct entry);
    struct str    page = http_header(call->request, STR("Referer"));
    struct str    id = json_get_str(signing->form, STR("id"));
    struct str    how = str_is_empty(page) || !str_is_utf8(page)
                            ? str_format(call->arena, "form %.*s", STR_ARG(id))
                            : str_format(call->arena, "form %.*s at %.*s", STR_ARG(id), STR_ARG(page));
    uint32_t      count = 0;
    if (entries == NULL || how.ptr == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < signing->topics_count; i++) {
        struct saying saying = saying_of_person(call, signing->person, 0);
        saying.topic = signing->topics[i];
        saying.channel = CHANNEL_EMAIL;
        saying.state = CONSENT_GRANTED;
        saying.source = STR("form");
        saying.how = str_slice(how, 0, SAYING_NOTE_BYTES_MAX);
        saying.text = json_get_str(signing->form, STR("text"));
        if (signing->is_wanted[i])
            TRY(saying_entry(call->arena, &saying, &entries[count++]));
    }
    return count == 0 ? OK : call_submit(call, entries, count, NULL);
}

static enum err sign_up(struct signing *signing)
{
    struct call *call = signing->call;
    TRY(candidates_find(signing));
    call->answer_ms = time_mono_us() / 1000 + ANSWER_AFTER_MS;
    TRY(call_ask(call, person_ask, signing));
    if (!signing->is_open)
        return problem_set(&call->problem, ERR_INPUT, "topic",
                           "A form signs up only for topics that ask to confirm.",
                           "Add \"confirm\": [\"form\"] to the topic in topics.json.");
    if (signing->person == PROFILE_NONE)
        TRY(person_make(signing));
    return words_say(signing);
}

/* ---- the answer ---- */

static void reply(struct signing *signing, int status, struct str location, struct str json)
{
    struct call       *call = signing->call;
    struct str         origin = http_header(call->request, STR("Origin"));
    struct http_header headers[5] = { { STR("Cache-Control"), STR("no-store") },
                                      { STR("Vary"), STR("Origin") } };
    size_t             count = 2;
    if (status == 503)
        headers[count++] = (struct http_header){ STR("Retry-After"), STR("1") };
    if (location.len > 0)
        headers[count++] = (struct http_header){ STR("Location"), location };
    if (origin.len > 0 && signing->form != NULL && form_has(signing->form, "origins", origin))
        headers[count++] = (struct http_header){ STR("Access-Control-Allow-Origin"), origin };
    call->is_answered = true;
    http_reply(call->request,
               &(struct http_answer){ .status = status,
                                      .type = json.len == 0 ? STR_NONE : STR("application/json"),
                                      .headers = headers,
                                      .headers_count = count,
                                      .body = json,
                                      .not_before_ms = call->answer_ms });
}

static bool wants_json(const struct call *call)
{
    struct str accept = http_header(call->request, STR("Accept"));
    return str_find(accept, 0, STR("application/json")) < accept.len;
}

static enum err page_tell(struct call *call, int status, const char *title, const char *text)
{
    struct page page;
    TRY(page_open(call, NULL, 0, STR_NONE, &page));
    page_heading(&page, title);
    page_words(&page, text, STR_NONE);
    return page_send(&page, status);
}

static enum err thank(struct signing *signing)
{
    const struct json *pages = json_get(signing->form, STR("redirects"));
    struct str         wanted = field(signing, STR("redirect"));
    if (wants_json(signing->call)) {
        reply(signing, 200, STR_NONE, STR("{\"state\":\"confirm\"}"));
        return OK;
    }
    if (!form_has(signing->form, "redirects", wanted))
        wanted = pages != NULL && pages->count > 0 ? pages->items[0].string : STR_NONE;
    if (wanted.len == 0)
        return page_tell(signing->call, 200, "signup_title", "signup_text");
    reply(signing, 303, wanted, STR_NONE);
    return OK;
}

/* Scripts of the form's sites may read this, too. */
static enum err refuse(struct signing *signing, enum err err, int status)
{
    SCOPED(buf_donep) struct buf json = buf_make(TRAITS_BYTES_MAX);
    if (!wants_json(signing->call))
        return page_tell(signing->call, status, "signup_failed_title", "signup_failed_text");
    http_problem_write(&json, err_name(err), &signing->call->problem);
    TRY(buf_err(&json));
    reply(signing, status, STR_NONE, buf_view(&json));
    return OK;
}

/* What is the fault of nobody who fills in a form: the page's answer names it for whoever made it.
 */
static enum err fail(struct signing *signing, enum err err)
{
    bool is_told = signing->call->problem.what[0] != '\0';
    if (!wants_json(signing->call))
        return err;
    if (!is_told)
        (void)!problem_set(&signing->call->problem, err, "", "This could not be done.",
                           "Send the same again in a second.");
    return refuse(signing, err, api_status(err));
}

static bool comes_too_often(struct call *call)
{
    struct str peer = http_peer(call->request);
    if (attempts_wait_ms(call->api->signups, peer, time_now_ms()) > 0) {
        (void)!problem_set(&call->problem, ERR_WAIT, "", "Too many sign-ups come from there.",
                           "Try again in a minute.");
        return true;
    }
    attempts_failed(call->api->signups, peer, time_now_ms());
    return false;
}

enum err form_post(struct call *call)
{
    struct signing signing = { .call = call };
    bool           is_too_often = comes_too_often(call);
    struct problem why = call->problem;
    enum err       err = form_get(&signing); /* its sites may read a refusal, too */
    if (is_too_often) {
        call->problem = why;
        return refuse(&signing, ERR_WAIT, 429);
    }
    TRY(err);
    call->answer_ms = time_mono_us() / 1000 + ANSWER_AFTER_MS;
    if (field(&signing, TRAP_FIELD).len > 0)
        return thank(&signing); /* a program: it learns nothing */
    if (filled_in(&signing) != OK)
        return refuse(&signing, ERR_INPUT, 400);
    err = sign_up(&signing);
    return err == OK ? thank(&signing) : fail(&signing, err);
}
