/*
 * The unsubscribe link: a page with one button on GET, which changes nothing; on POST the end of
 * it, by the button or at once by a mail program (RFC 8058); and a button that undoes it.
 */
#include "base/encode.h"
#include "run/api/visitor.h"

#include "server/query.h"

enum { ACTION_BYTES_MAX = 64 };

/* The links of a test are about nobody; see render_test. */
static bool is_of_test(struct call *call)
{
    static const enum token_purpose purposes[] = { TOKEN_UNSUBSCRIBE, TOKEN_VIEW,
                                                   TOKEN_PREFERENCES };
    struct str                      text = call_param(call, "token");
    struct token                    token;
    if (call->api->conf.tokens == NULL || text.len == 0 || text.len > 2 * TOKEN_TEXT_BYTES_MAX)
        return false;
    for (size_t i = 0; i < sizeof purposes / sizeof purposes[0]; i++)
        if (token_read(call->api->conf.tokens, purposes[i], text, STR_NONE, &token) == OK)
            return token.profile == UINT32_MAX;
    return false;
}

static enum err nowhere(struct call *call, bool is_test)
{
    struct page page;
    TRY(page_open(call, NULL, 0, STR_NONE, &page));
    page_heading(&page, is_test ? "test_title" : "nowhere_title");
    page_words(&page, is_test ? "test_text" : "nowhere_text", STR_NONE);
    return page_send(&page, is_test ? 200 : 404);
}

enum err track_nowhere(struct call *call)
{
    return nowhere(call, is_of_test(call));
}

enum err track_nowhere_sealed(struct call *call, enum token_purpose purpose, struct str sealed)
{
    const struct token_keys *keys = call->api->conf.tokens;
    struct token             token;
    bool                     is_ours =
        keys != NULL && token_read(keys, purpose, call_param(call, "token"), sealed, &token) == OK;
    return nowhere(call, is_ours && token.profile == UINT32_MAX);
}

/* Everything else that the person may choose, where this link alone is not enough. */
void visitor_more_link(struct visitor *visitor, struct page *page)
{
    SCOPED(buf_donep) struct buf url = buf_make(TOKEN_TEXT_BYTES_MAX);
    struct token                 token = visitor->trail.token;
    if (visitor->version == 0)
        return;
    token.purpose = TOKEN_PREFERENCES;
    token_write(visitor->call->api->conf.tokens, token, STR_NONE, &url);
    buf_str(&page->out, STR("<p class=\"more\"><a href=\"../p/"));
    buf_str(&page->out, buf_view(&url));
    buf_str(&page->out, STR("\">"));
    html_escape(&page->out, page_word(page, "more_link"));
    buf_str(&page->out, STR("</a></p>"));
}

static void about(struct visitor *visitor, struct page *page, const char *key, const char *key_all)
{
    if (str_is_empty(visitor->topic))
        page_words(page, key_all, STR_NONE);
    else
        page_words(page, key, visitor_topic(visitor, page, visitor->topic, NULL));
}

enum err track_page(struct call *call)
{
    struct visitor visitor;
    struct page    page;
    enum err       err = visitor_open(call, TOKEN_UNSUBSCRIBE, &visitor);
    if (err == ERR_DENIED)
        return track_nowhere(call);
    TRY(err);
    TRY(visitor_page(&visitor, &page));
    page_heading(&page, "unsubscribe_title");
    about(&visitor, &page, "unsubscribe_text", "unsubscribe_text_all");
    page_form(&page);
    page_button(&page, "unsubscribe", "unsubscribe_button", false);
    visitor_more_link(&visitor, &page);
    return page_send(&page, 200);
}

static enum err unsubscribed_page(struct visitor *visitor, struct page *page)
{
    struct visitor_said was = { visitor->topic, CHANNEL_ALL,
                                visitor_state(visitor, visitor->topic, CHANNEL_ALL) };
    page_heading(page, "unsubscribed_title");
    about(visitor, page, "unsubscribed_text", "unsubscribed_text_all");
    page_form(page);
    if (was.state == CONSENT_REFUSED) /* pressed twice: before the first there was no refusal */
        was.state = CONSENT_UNKNOWN;
    page_hidden(page, "was", visitor_field(visitor->call->arena, &was));
    page_button(page, "undo", "undo_button", true);
    visitor_more_link(visitor, page);
    return page_send(page, 200);
}

static enum err undone_page(struct visitor *visitor, struct page *page)
{
    page_heading(page, "undone_title");
    page_words(page, "undone_text", STR_NONE);
    visitor_more_link(visitor, page);
    return page_send(page, 200);
}

static enum err answer(struct visitor *visitor, struct page *page, struct str action)
{
    if (str_eq(action, STR("undo"))) {
        TRY(visitor_undo(visitor, page));
        return undone_page(visitor, page);
    }
    bool          pressed = str_eq(action, STR("unsubscribe"));
    struct saying word = visitor_saying(visitor, page, pressed ? "unsubscribe link" : "one-click");
    word.topic = visitor->topic;
    word.state = CONSENT_REFUSED;
    TRY(visitor_submit(visitor, &word, 1, true));
    return unsubscribed_page(visitor, page);
}

enum err track_unsubscribe(struct call *call)
{
    struct visitor               visitor;
    struct page                  page;
    SCOPED(buf_donep) struct buf action = buf_make(ACTION_BYTES_MAX);
    enum err                     err = visitor_open(call, TOKEN_UNSUBSCRIBE, &visitor);
    if (err == ERR_DENIED)
        return track_nowhere(call);
    TRY(err);
    (void)query_get(http_body(call->request), STR("action"), &action);
    TRY(visitor_page(&visitor, &page));
    err = answer(&visitor, &page, buf_view(&action));
    buf_done(&page.out);
    return err;
}
