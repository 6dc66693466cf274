/*
 * The second step of a double opt-in: the link of the mail that asks leads to a page with one
 * button, and only the button makes the pending yes a yes. Looking changes nothing, so a scanner
 * confirms nobody.
 */
#include "base/encode.h"
#include "run/api/visitor.h"

#include "base/time.h"

/* The link is as old as the message that brought it. */
static enum err is_expired(struct visitor *visitor, bool *out)
{
    struct store_decision row;
    struct call          *call = visitor->call;
    enum err              err =
        store_decision_get(call->desk->reader, call->arena, visitor->trail.token.message, &row);
    *out = err == ERR_ABSENT;
    if (err == OK)
        *out = time_now_ms() - row.at_ms > visitor->confirm_days * TIME_DAY_MS;
    return err == ERR_ABSENT ? OK : err;
}

static bool has_pending(const struct visitor *visitor)
{
    for (uint32_t i = 0; i < visitor->said_count; i++)
        if (visitor->said[i].state == CONSENT_PENDING &&
            str_eq(visitor->said[i].topic, visitor->topic))
            return true;
    return false;
}

static enum err told(struct visitor *visitor, struct page *page, const char *title,
                     const char *text)
{
    page_heading(page, title);
    page_words(page, text, visitor_topic(visitor, page, visitor->topic, NULL));
    return page_send(page, 200);
}

static enum err begin(struct call *call, struct visitor *visitor, struct page *page,
                      bool *is_answered)
{
    bool     expired;
    enum err err = visitor_open(call, TOKEN_CONFIRM, visitor);
    *is_answered = true;
    if (err == ERR_DENIED || (err == OK && str_is_empty(visitor->topic)))
        return track_nowhere(call);
    TRY(err);
    TRY(is_expired(visitor, &expired));
    TRY(visitor_page(visitor, page));
    if (!has_pending(visitor))
        return told(visitor, page, "confirmed_title", "answered_text");
    if (expired)
        return told(visitor, page, "expired_title", "expired_text");
    *is_answered = false;
    return OK;
}

enum err confirm_page(struct call *call)
{
    struct visitor visitor;
    struct page    page;
    bool           is_answered;
    TRY(begin(call, &visitor, &page, &is_answered));
    if (is_answered)
        return OK;
    struct str description;
    (void)visitor_topic(&visitor, &page, visitor.topic, &description);
    page_heading(&page, "confirm_title");
    page_words(&page, "confirm_text", visitor_topic(&visitor, &page, visitor.topic, NULL));
    if (description.len > 0) {
        buf_str(&page.out, STR("<p class=\"more\">"));
        html_escape(&page.out, description);
        buf_str(&page.out, STR("</p>"));
    }
    page_form(&page);
    page_button(&page, "confirm", "confirm_button", false);
    return page_send(&page, 200);
}

enum err confirm_post(struct call *call)
{
    struct visitor visitor;
    struct page    page;
    bool           is_answered;
    uint32_t       count = 0;
    TRY(begin(call, &visitor, &page, &is_answered));
    if (is_answered)
        return OK;
    struct saying *words = ARENA_ARRAY(call->arena, visitor.said_count, struct saying);
    for (uint32_t i = 0; words != NULL && i < visitor.said_count; i++) {
        const struct visitor_said *said = &visitor.said[i];
        if (said->state != CONSENT_PENDING || !str_eq(said->topic, visitor.topic))
            continue;
        words[count] = visitor_saying(&visitor, &page, "confirmation");
        words[count].topic = said->topic;
        words[count].channel = said->channel;
        words[count++].state = CONSENT_GRANTED;
    }
    enum err err = words == NULL ? ERR_MEMORY : visitor_submit(&visitor, words, count, false);
    if (err == OK)
        return told(&visitor, &page, "confirmed_title", "confirmed_text");
    buf_done(&page.out);
    return err;
}
