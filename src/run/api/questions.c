/*
 * A question that a mail asked: a page on which only the button counts.
 *
 *      GET   the question, its answers, the one of the link chosen; looking is a click, no answer
 *      POST  the answer: an event of the person, and what the question says follows from it
 *
 * Scanners follow every link of a mail and press no buttons, so they answer nothing. An answer that
 * says what was said before by the same mail is no second one, though what follows from it is said
 * again; another is a second record where the question may be answered anew, and the last counts.
 * An answer is one to the text that its page showed: to another version it answers nothing.
 */
#include "base/encode.h"
#include "run/api/visitor.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/earlier.h"
#include "run/api/tracking.h"
#include "run/send/linked.h"
#include "server/query.h"

enum {
    BODY_BYTES_MAX = 16 << 10, /* as the route takes */
    ENTRIES_MAX = 1 + 2 * QUESTION_RULES_MAX,
    TRIES = 3, /* against another press of the button at the same moment */
};

/* Somebody at the page of a question. */
struct asked {
    struct call          *call;
    struct visitor        visitor;
    struct page           page;
    struct str            name, link_answer; /* of the address */
    int64_t               end_s;
    struct str            text; /* of the definition */
    uint32_t              version;
    struct question       question;
    struct question_words words;
    struct str            languages[4];
    struct earlier        earlier;
};

/* ---- who, and which question ---- */

static bool address_read(struct asked *asked, struct buf *sealed)
{
    struct call *call = asked->call;
    asked->name = call_query(call, "q");
    asked->link_answer = call_query(call, "a");
    if (!question_is_name(asked->name) ||
        (asked->link_answer.len > 0 && !question_is_name(asked->link_answer)) ||
        str_to_int(call_query(call, "e"), &asked->end_s) != OK)
        return false;
    linked_question_write(sealed, asked->name, asked->link_answer, asked->end_s);
    return buf_err(sealed) == OK;
}

static bool question_ask(struct engine *engine, struct task *task)
{
    struct asked       *asked = task->context;
    const struct paper *paper =
        papers_find(&engine_program(engine)->papers, DEFINE_QUESTION, asked->name, 0);
    struct earlier_query query = { asked->visitor.trail.token.profile,
                                   asked->visitor.trail.token.message, EVENT_QUESTION_ANSWERED,
                                   STR("question"), asked->name };
    if (paper != NULL && asked->version == 0) { /* asked again, it stays the one that was read */
        asked->text = str_copy(asked->call->arena, paper->text);
        asked->version = paper->version;
    }
    if (engine_earlier(engine, &query, asked->call->arena, &asked->earlier) != OK)
        asked->text = STR_NONE;
    return true;
}

static enum err told(struct asked *asked, const char *title, const char *text, int status)
{
    page_heading(&asked->page, title);
    page_words(&asked->page, text, STR_NONE);
    return page_send(&asked->page, status);
}

/* *is_answered: there is nothing to be asked, and the person was told so. */
static enum err begin(struct call *call, struct asked *asked, bool *is_answered)
{
    SCOPED(buf_donep) struct buf sealed = buf_make(LINKED_QUERY_BYTES_MAX);
    *asked = (struct asked){ .call = call };
    *is_answered = true;
    if (!address_read(asked, &sealed))
        return track_nowhere(call);
    enum err err = visitor_open_sealed(call, TOKEN_QUESTION, buf_view(&sealed), &asked->visitor);
    if (err == ERR_DENIED || (err == OK && asked->visitor.is_erased))
        return track_nowhere_sealed(call, TOKEN_QUESTION, buf_view(&sealed));
    TRY(err);
    TRY(call_ask(call, question_ask, asked));
    TRY(visitor_page(&asked->visitor, &asked->page));
    if (time_now_ms() / 1000 > asked->end_s || asked->text.len == 0 ||
        question_parse(call->arena, asked->name, asked->text, &asked->question, NULL) != OK)
        return told(asked, "expired_title", "closed_text", 410);
    asked->languages[0] = asked->visitor.languages[0];
    asked->languages[1] = asked->page.language;
    asked->languages[2] = asked->visitor.languages[1];
    asked->words = question_words(&asked->question, asked->languages, 3);
    *is_answered = false;
    return OK;
}

/* ---- the form ---- */

/* "News, E-mail": what a word of consent is about. */
static struct str consent_about(struct asked *asked, const struct question_rule *rule)
{
    struct str topic = visitor_topic(&asked->visitor, &asked->page, rule->topic, NULL);
    if (rule->channel == CHANNEL_ALL)
        return topic;
    return str_format(asked->call->arena, "%.*s, %.*s", STR_ARG(topic),
                      STR_ARG(page_word(&asked->page, channel_name(rule->channel).ptr)));
}

/* Nobody says yes to anything without having read that it is said. */
static struct str consent_note(struct asked *asked, const struct question_rule *rule)
{
    struct str words =
        page_word(&asked->page, rule->state == CONSENT_GRANTED ? "grants_note" : "refuses_note");
    struct str about = consent_about(asked, rule);
    size_t     place = str_find(words, 0, STR("{}"));
    return str_format(asked->call->arena, "%.*s%.*s", STR_ARG(str_slice(words, 0, place)),
                      STR_ARG(about));
}

static void notes_write(struct asked *asked, uint32_t answer)
{
    struct buf *out = &asked->page.out;
    for (uint32_t i = 0; i < asked->question.rules_count; i++) {
        const struct question_rule *rule = &asked->question.rules[i];
        if (rule->topic.len == 0 || (rule->answers & 1u << answer) == 0)
            continue;
        buf_format(out, "<br><span class=\"more\" lang=\"%.*s\">", STR_ARG(asked->page.language));
        html_escape(out, consent_note(asked, rule));
        buf_str(out, STR("</span>"));
    }
}

static void answers_write(struct asked *asked, uint32_t chosen)
{
    const struct question *question = &asked->question;
    struct buf            *out = &asked->page.out;
    bool is_scale = question->kind == QUESTION_STARS || question->kind == QUESTION_NPS;
    buf_format(out, "<div class=\"%s\">", is_scale ? "scale" : "list");
    for (uint32_t i = 0; i < question->answers_count; i++) {
        buf_format(out,
                   "<label><input type=\"radio\" name=\"answer\" value=\"%.*s\" required%s> <span>",
                   STR_ARG(question->answers[i].id), i == chosen ? " checked" : "");
        html_escape(out, question_answer_text(question, &asked->words, i));
        notes_write(asked, i);
        buf_str(out, STR("</span></label>"));
    }
    buf_str(out, STR("</div>"));
    if (!is_scale || (asked->words.low.len == 0 && asked->words.high.len == 0))
        return;
    buf_format(out, "<p class=\"ends\"><span>%.*s: ", STR_ARG(question->answers[0].id));
    html_escape(out, asked->words.low);
    buf_format(out,
               "</span><span>%.*s: ", STR_ARG(question->answers[question->answers_count - 1].id));
    html_escape(out, asked->words.high);
    buf_str(out, STR("</span></p>"));
}

static void comment_write(struct asked *asked, struct str comment)
{
    struct buf *out = &asked->page.out;
    if (!asked->question.asks_comment)
        return;
    buf_str(out, STR("<label class=\"above\" for=\"comment\">"));
    html_escape(out, asked->words.comment.len > 0 ? asked->words.comment
                                                  : page_word(&asked->page, "comment_label"));
    buf_format(out, "</label><textarea id=\"comment\" name=\"comment\" maxlength=\"%d\">",
               QUESTION_COMMENT_BYTES_MAX);
    html_escape(out, comment);
    buf_str(out, STR("</textarea>"));
}

struct form {
    uint32_t    chosen; /* the place of an answer; none there: nothing is chosen */
    struct str  comment;
    const char *fault; /* why the pressed button did not count; NULL: it was not pressed */
    int         status;
};

static enum err form_send(struct asked *asked, struct form form)
{
    struct page *page = &asked->page;
    struct buf  *out = &page->out;
    page_title(page, asked->words.question);
    if (form.fault != NULL) {
        buf_str(out, STR("<p role=\"alert\">"));
        html_escape(out, page_word(page, form.fault));
        buf_str(out, STR("</p>"));
    }
    page_form(page);
    page_hidden(page, "version", str_format(page->call->arena, "%u", asked->version));
    buf_format(out, "<fieldset class=\"open\" lang=\"%.*s\"><legend><h1>",
               STR_ARG(asked->words.language));
    html_escape(out, asked->words.question);
    buf_str(out, STR("</h1></legend>"));
    answers_write(asked, form.chosen);
    buf_str(out, STR("</fieldset>"));
    comment_write(asked, form.comment);
    page_button(page, "answer", "answer_button", false);
    return page_send(page, form.status);
}

static void visited(struct asked *asked)
{
    tracking_visited(asked->call, &asked->visitor.trail,
                     str_format(asked->call->arena, "question:%.*s:%.*s", STR_ARG(asked->name),
                                STR_ARG(asked->link_answer)));
}

enum err question_page(struct call *call)
{
    struct asked *asked = ARENA_NEW(call->arena, struct asked);
    bool          is_answered;
    if (asked == NULL)
        return ERR_MEMORY;
    TRY(begin(call, asked, &is_answered));
    if (is_answered)
        return OK;
    visited(asked);
    if (asked->earlier.all > 0 && !asked->question.may_change)
        return told(asked, "once_title", "once_text", 200);
    struct str wanted = asked->link_answer.len > 0 ? asked->link_answer : asked->earlier.answer;
    return form_send(asked, (struct form){ question_answer_at(&asked->question, wanted),
                                           asked->earlier.comment, NULL, 200 });
}

/* ---- the answer ---- */

struct given {
    uint32_t   answer; /* its place */
    struct str comment;
    bool       is_of_now; /* the page that was read showed the question as it is */
};

/* What is typed: its line ends as one character, no other controls, and not too long. */
static struct str comment_clean(struct arena *arena, struct str text)
{
    struct str copy = str_copy(arena, str_is_utf8(text) ? text : STR_NONE);
    char      *to = (char *)(uintptr_t)copy.ptr;
    size_t     len = 0;
    for (size_t i = 0; i < copy.len; i++)
        if ((unsigned char)copy.ptr[i] >= ' ' || copy.ptr[i] == '\n' || copy.ptr[i] == '\t')
            to[len++] = copy.ptr[i];
    copy.len = len < QUESTION_COMMENT_BYTES_MAX ? len : QUESTION_COMMENT_BYTES_MAX;
    while (copy.len > 0 && !str_is_utf8(copy))
        copy.len--;
    return str_trim(copy);
}

static void given_read(struct asked *asked, struct given *out)
{
    SCOPED(buf_donep) struct buf answer = buf_make(BODY_BYTES_MAX);
    SCOPED(buf_donep) struct buf comment = buf_make(BODY_BYTES_MAX);
    SCOPED(buf_donep) struct buf version = buf_make(BODY_BYTES_MAX);
    struct str                   body = http_body(asked->call->request);
    int64_t                      number;
    out->is_of_now = query_get(body, STR("version"), &version) && buf_err(&version) == OK &&
                     str_to_int(buf_view(&version), &number) == OK && number == asked->version;
    bool is_told = query_get(body, STR("answer"), &answer) && buf_err(&answer) == OK;
    out->answer = is_told ? question_answer_at(&asked->question, buf_view(&answer))
                          : asked->question.answers_count;
    out->comment = STR_NONE;
    if (asked->question.asks_comment && query_get(body, STR("comment"), &comment) &&
        buf_err(&comment) == OK)
        out->comment = comment_clean(asked->call->arena, buf_view(&comment));
}

static struct json text_json(struct str text)
{
    return (struct json){ .kind = JSON_STRING, .string = text };
}

static enum err answer_entry(struct asked *asked, const struct given *given, struct entry *out)
{
    const struct question_answer *answer = &asked->question.answers[given->answer];
    struct arena                 *arena = asked->call->arena;
    struct trail                  trail = asked->visitor.trail;
    struct json_member            more[4];
    uint32_t                      count = 0;
    more[count++] = (struct json_member){ STR("question"), text_json(asked->name) };
    more[count++] = (struct json_member){ STR("answer"), text_json(answer->id) };
    if (answer->has_score)
        more[count++] =
            (struct json_member){ STR("score"), { .kind = JSON_INT, .integer = answer->score } };
    if (given->comment.len > 0)
        more[count++] = (struct json_member){ STR("comment"), text_json(given->comment) };
    trail.more = more;
    trail.more_count = count;
    TRY(trail_entry(arena, &trail, EVENT_QUESTION_ANSWERED, out));
    /* Two presses at one moment have one number, and are one answer. */
    out->message_id =
        str_format(arena, "answer.%llu.%.*s.%u", (unsigned long long)trail.token.message,
                   STR_ARG(asked->name), asked->earlier.all);
    out->leads = true;
    return out->message_id.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err consent_entry(struct asked *asked, const struct question_rule *rule,
                              uint32_t answer, struct entry *out)
{
    struct arena *arena = asked->call->arena;
    struct saying word = visitor_saying(&asked->visitor, &asked->page, "question");
    struct str    read = question_answer_text(&asked->question, &asked->words, answer);
    struct str    note = consent_note(asked, rule);
    word.topic = rule->topic;
    word.channel = rule->channel;
    word.state = rule->state;
    word.text_version = asked->version;
    word.text_language = asked->words.language;
    word.text = str_format(arena, "%.*s | %.*s | %.*s", STR_ARG(asked->words.question),
                           STR_ARG(read), STR_ARG(note));
    return word.text.ptr == NULL ? ERR_MEMORY : saying_entry(arena, &word, out);
}

static enum err trait_entry(struct asked *asked, const struct question_rule *rule, uint32_t answer,
                            struct entry *out)
{
    struct arena                *arena = asked->call->arena;
    SCOPED(buf_donep) struct buf body = buf_make(BODY_BYTES_MAX);
    struct json_member          *member = ARENA_NEW(arena, struct json_member);
    struct json                 *traits = ARENA_NEW(arena, struct json);
    if (member == NULL || traits == NULL)
        return ERR_MEMORY;
    *member =
        (struct json_member){ rule->trait, question_trait_value(&asked->question, rule, answer) };
    *traits = (struct json){ .kind = JSON_OBJECT, .count = 1, .members = member };
    buf_str(&body, STR("{\"traits\":"));
    json_write(&body, traits);
    buf_char(&body, '}');
    TRY(buf_err(&body));
    *out = (struct entry){ .record = { .kind = RECORD_IDENTIFY,
                                       .flags = RECORD_NUMBERED,
                                       .profile = asked->visitor.trail.token.profile,
                                       .at_ms = time_now_ms(),
                                       .received_ms = time_now_ms(),
                                       .properties = traits },
                           .body = str_copy(arena, buf_view(&body)) };
    return out->body.ptr == NULL ? ERR_MEMORY : OK;
}

/* All that follows from an answer, behind it, to be in one transaction. */
static enum err entries_add(struct asked *asked, const struct given *given, struct entry *entries,
                            uint32_t *count)
{
    for (uint32_t i = 0; i < asked->question.rules_count; i++) {
        const struct question_rule *rule = &asked->question.rules[i];
        if ((rule->answers & 1u << given->answer) == 0)
            continue;
        if (rule->topic.len > 0)
            TRY(consent_entry(asked, rule, given->answer, &entries[(*count)++]));
        if (rule->trait.len > 0)
            TRY(trait_entry(asked, rule, given->answer, &entries[(*count)++]));
    }
    return OK;
}

static bool is_said_before(const struct asked *asked, const struct given *given)
{
    return asked->earlier.all > 0 &&
           str_eq(asked->earlier.answer, asked->question.answers[given->answer].id) &&
           str_eq(asked->earlier.comment, given->comment);
}

/* What was said before is no second answer; but between the two it may have been taken back on
 * another page, so what follows from it is said again. */
static enum err again(struct asked *asked, const struct given *given, struct entry *entries)
{
    uint32_t count = 0;
    if (!asked->question.may_change)
        return OK;
    TRY(entries_add(asked, given, entries, &count));
    return count == 0 ? OK : call_submit(asked->call, entries, count, NULL);
}

/* *is_taken: it counts, now or since before. */
static enum err answer_take(struct asked *asked, const struct given *given, bool *is_taken)
{
    struct entry *entries = ARENA_ARRAY(asked->call->arena, ENTRIES_MAX, struct entry);
    struct task   task;
    if (entries == NULL)
        return ERR_MEMORY;
    for (int i = 0; i < TRIES; i++) {
        uint32_t count = 0;
        *is_taken = is_said_before(asked, given);
        if (*is_taken)
            return i == 0 ? again(asked, given, entries) : OK;
        if (asked->earlier.all > 0 && !asked->question.may_change)
            return OK;
        TRY(answer_entry(asked, given, &entries[count++]));
        TRY(entries_add(asked, given, entries, &count));
        TRY(call_submit(asked->call, entries, count, &task));
        *is_taken = task.duplicates == 0;
        if (*is_taken)
            return OK;
        TRY(call_ask(asked->call, question_ask, asked)); /* somebody else was a moment earlier */
    }
    return ERR_WAIT;
}

/* ---- the page after it ---- */

static const struct question_rule *rule_first(const struct asked *asked, uint32_t answer,
                                              bool wants_redirect)
{
    for (uint32_t i = 0; i < asked->question.rules_count; i++) {
        const struct question_rule *rule = &asked->question.rules[i];
        bool has = wants_redirect ? rule->redirect.len > 0 : rule->thanks != NULL;
        if (has && (rule->answers & 1u << answer) != 0)
            return rule;
    }
    return NULL;
}

static bool changes_consent(const struct asked *asked, uint32_t answer)
{
    for (uint32_t i = 0; i < asked->question.rules_count; i++)
        if (asked->question.rules[i].topic.len > 0 &&
            (asked->question.rules[i].answers & 1u << answer) != 0)
            return true;
    return false;
}

static void on_link(struct asked *asked, struct str url)
{
    struct buf *out = &asked->page.out;
    struct str  words = page_word(&asked->page, "on_link");
    struct str  host = str_slice(url, strlen("https://"), url.len);
    size_t      place = str_find(words, 0, STR("{}"));
    size_t      end = 0;
    while (end < host.len && host.ptr[end] != '/' && host.ptr[end] != '?' && host.ptr[end] != '#')
        end++;
    buf_str(out, STR("<p><a class=\"button\" href=\""));
    html_escape(out, url);
    buf_str(out, STR("\">"));
    html_escape(out, str_slice(words, 0, place));
    html_escape(out, str_slice(host, 0, end));
    html_escape(out, str_slice(words, place + 2, words.len));
    buf_str(out, STR("</a></p>"));
}

static enum err thanks_send(struct asked *asked, uint32_t answer)
{
    struct page                *page = &asked->page;
    const struct question_rule *thanks = rule_first(asked, answer, false);
    const struct question_rule *redirect = rule_first(asked, answer, true);
    struct str                  text =
        thanks != NULL ? question_rule_thanks(thanks, asked->languages, 3) : asked->words.thanks;
    page_heading(page, "thanks_title");
    buf_str(&page->out, STR("<p role=\"status\">"));
    html_escape(&page->out, text.len > 0 ? text : page_word(page, "thanks_text"));
    buf_str(&page->out, STR("</p>"));
    if (redirect != NULL) {
        page->go_on = redirect->redirect;
        on_link(asked, redirect->redirect);
    }
    if (changes_consent(asked, answer))
        visitor_more_link(&asked->visitor, page);
    return page_send(page, 200);
}

static enum err answered(struct asked *asked)
{
    struct given given;
    bool         is_taken;
    given_read(asked, &given);
    if (!given.is_of_now)
        return form_send(
            asked, (struct form){ given.answer, given.comment, "question_changed_text", 409 });
    if (given.answer == asked->question.answers_count)
        return form_send(asked, (struct form){ given.answer, given.comment, "choose_text", 422 });
    TRY(answer_take(asked, &given, &is_taken));
    return is_taken ? thanks_send(asked, given.answer)
                    : told(asked, "once_title", "once_text", 200);
}

enum err question_post(struct call *call)
{
    struct asked *asked = ARENA_NEW(call->arena, struct asked);
    bool          is_answered;
    if (asked == NULL)
        return ERR_MEMORY;
    TRY(begin(call, asked, &is_answered));
    if (is_answered)
        return OK;
    enum err err = answered(asked);
    buf_done(&asked->page.out);
    return err;
}
