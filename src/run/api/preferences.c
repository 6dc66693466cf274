/*
 * The preference page: every topic by channel with a box that says whether one is written to now,
 * one button that saves, one that ends everything, and after each a button that undoes it.
 *
 * What is posted names every box that was shown, so that a topic made meanwhile is left alone; only
 * boxes that were changed become words, each with its proof.
 */
#include "base/encode.h"
#include "run/api/visitor.h"

#include "server/query.h"

enum { ACTION_BYTES_MAX = 64, FIELD_BYTES_MAX = 300 };

/* ---- the form ---- */

static struct str box_of(struct call *call, const struct visitor_line *line)
{
    return str_format(call->arena, "%.*s %.*s", STR_ARG(channel_name(line->channel)),
                      STR_ARG(line->topic));
}

static void line_write(struct visitor *visitor, struct page *page, const struct visitor_line *line)
{
    struct buf *out = &page->out;
    struct str  box = box_of(visitor->call, line);
    page_hidden(page, "shown", box);
    if (line->is_on)
        page_hidden(page, "had", box);
    buf_str(out, STR("<label><input type=\"checkbox\" name=\"on\" value=\""));
    html_escape(out, box);
    buf_format(out, "\"%s> <span>", line->is_on ? " checked" : "");
    html_escape(out, page_word(page, channel_name(line->channel).ptr));
    if (line->is_pending) {
        buf_str(out, STR(" <span class=\"more\">("));
        html_escape(out, page_word(page, "pending"));
        buf_str(out, STR(")</span>"));
    }
    buf_str(out, STR("</span></label>"));
}

static void lines_write(struct visitor *visitor, struct page *page)
{
    struct buf *out = &page->out;
    for (uint32_t i = 0; i < visitor->lines_count; i++) {
        const struct visitor_line *line = &visitor->lines[i];
        struct str                 description;
        bool is_first = i == 0 || !str_eq(visitor->lines[i - 1].topic, line->topic);
        bool is_last =
            i + 1 == visitor->lines_count || !str_eq(visitor->lines[i + 1].topic, line->topic);
        if (is_first) {
            buf_str(out, STR("<fieldset><legend>"));
            html_escape(out, visitor_topic(visitor, page, line->topic, &description));
            buf_str(out, STR("</legend>"));
            if (description.len > 0) {
                buf_str(out, STR("<p class=\"more\">"));
                html_escape(out, description);
                buf_str(out, STR("</p>"));
            }
        }
        line_write(visitor, page, line);
        if (is_last)
            buf_str(out, STR("</fieldset>"));
    }
}

static enum err form_write(struct visitor *visitor, struct page *page)
{
    TRY(visitor_lines(visitor));
    page_form(page);
    lines_write(visitor, page);
    page_button(page, "save", "save_button", false);
    page_form(page);
    page_button(page, "all", "all_button", true);
    return page_send(page, 200);
}

enum err preferences_page(struct call *call)
{
    struct visitor visitor;
    struct page    page;
    enum err       err = visitor_open(call, TOKEN_PREFERENCES, &visitor);
    if (err == ERR_DENIED)
        return track_nowhere(call);
    TRY(err);
    TRY(visitor_page(&visitor, &page));
    page_heading(&page, "preferences_title");
    page_words(&page, "preferences_text", STR_NONE);
    return form_write(&visitor, &page);
}

/* ---- what was posted ---- */

struct posted {
    struct visitor *visitor;
    struct page    *page;
    struct saying  *words;
    uint32_t        count;
};

static bool has_box(struct str body, const char *field, struct str box)
{
    struct str name, value;
    while (query_next(&body, &name, &value)) {
        SCOPED(buf_donep) struct buf plain = buf_make(FIELD_BYTES_MAX + 2);
        struct str                   whole = { name.ptr, name.len + 1 + value.len };
        if (str_eq(name, str_of(field)) && query_get(whole, name, &plain) &&
            str_eq(buf_view(&plain), box))
            return true;
    }
    return false;
}

static void say(struct posted *posted, struct str topic, enum consent_channel channel,
                enum consent_state state)
{
    if (posted->count == 2 * VISITOR_LINES_MAX)
        return;
    struct saying *word = &posted->words[posted->count++];
    *word = visitor_saying(posted->visitor, posted->page, "preference page");
    word->topic = topic;
    word->channel = channel;
    word->state = state;
}

/* A refusal of more than this line, which a yes to the line alone would not lift. */
static bool is_broad(const struct visitor_said *said, const struct visitor_line *line)
{
    bool is_about = said->topic.len == 0 || str_eq(said->topic, line->topic);
    bool is_by = said->channel == CHANNEL_ALL || said->channel == line->channel;
    bool is_exact = said->topic.len > 0 && said->channel == line->channel;
    return said->state == CONSENT_REFUSED && is_about && is_by && !is_exact;
}

/*
 * Broad refusals in the way of what was ticked are taken back, and every other line they refused
 * is refused by name.
 */
static void broad_split(struct posted *posted, struct str body)
{
    const struct visitor *visitor = posted->visitor;
    for (uint32_t i = 0; i < visitor->said_count; i++) {
        bool in_the_way = false;
        for (uint32_t k = 0; k < visitor->lines_count; k++) {
            struct str box = box_of(visitor->call, &visitor->lines[k]);
            in_the_way = in_the_way || (is_broad(&visitor->said[i], &visitor->lines[k]) &&
                                        !visitor->lines[k].is_on && has_box(body, "on", box));
        }
        if (!in_the_way)
            continue;
        for (uint32_t k = 0; k < visitor->lines_count; k++)
            if (is_broad(&visitor->said[i], &visitor->lines[k]) &&
                !has_box(body, "on", box_of(visitor->call, &visitor->lines[k])))
                say(posted, visitor->lines[k].topic, visitor->lines[k].channel, CONSENT_REFUSED);
        say(posted, visitor->said[i].topic, visitor->said[i].channel, CONSENT_UNKNOWN);
    }
}

static void changes_find(struct posted *posted, struct str body)
{
    struct visitor *visitor = posted->visitor;
    broad_split(posted, body);
    for (uint32_t i = 0; i < visitor->lines_count; i++) {
        const struct visitor_line *line = &visitor->lines[i];
        struct str                 box = box_of(visitor->call, line);
        bool                       on = has_box(body, "on", box);
        if (!has_box(body, "shown", box) || on == has_box(body, "had", box) || on == line->is_on)
            continue;
        say(posted, line->topic, line->channel, on ? CONSENT_GRANTED : CONSENT_REFUSED);
    }
}

/* A button that says again what was said before about each thing that was changed. */
static void undo_write(const struct posted *posted)
{
    page_form(posted->page);
    for (uint32_t i = 0; i < posted->count; i++) {
        const struct saying *word = &posted->words[i];
        struct visitor_said  was = { word->topic, word->channel,
                                     visitor_state(posted->visitor, word->topic, word->channel) };
        page_hidden(posted->page, "was", visitor_field(posted->visitor->call->arena, &was));
    }
    page_button(posted->page, "undo", "undo_button", true);
}

static enum err saved_page(struct posted *posted, bool is_all)
{
    page_heading(posted->page, is_all ? "all_title" : "saved_title");
    page_words(posted->page,
               is_all              ? "all_text"
               : posted->count > 0 ? "saved_text"
                                   : "same_text",
               STR_NONE);
    if (posted->count > 0)
        undo_write(posted);
    return page_send(posted->page, 200);
}

static enum err answer(struct posted *posted, struct str action)
{
    struct visitor *visitor = posted->visitor;
    if (str_eq(action, STR("undo"))) {
        TRY(visitor_undo(visitor, posted->page));
        page_heading(posted->page, "undone_title");
        page_words(posted->page, "undone_text", STR_NONE);
        return page_send(posted->page, 200);
    }
    bool is_all = str_eq(action, STR("all"));
    TRY(visitor_lines(visitor));
    if (is_all)
        say(posted, STR_NONE, CHANNEL_ALL, CONSENT_REFUSED);
    else
        changes_find(posted, http_body(visitor->call->request));
    TRY(visitor_submit(visitor, posted->words, posted->count, is_all));
    return saved_page(posted, is_all);
}

enum err preferences_post(struct call *call)
{
    struct visitor               visitor;
    struct page                  page;
    struct posted                posted = { &visitor, &page, NULL, 0 };
    SCOPED(buf_donep) struct buf action = buf_make(ACTION_BYTES_MAX);
    enum err                     err = visitor_open(call, TOKEN_PREFERENCES, &visitor);
    if (err == ERR_DENIED)
        return track_nowhere(call);
    TRY(err);
    posted.words = ARENA_ARRAY(call->arena, 2 * VISITOR_LINES_MAX, struct saying);
    if (posted.words == NULL)
        return ERR_MEMORY;
    (void)query_get(http_body(call->request), STR("action"), &action);
    TRY(visitor_page(&visitor, &page));
    err = answer(&posted, buf_view(&action));
    buf_done(&page.out);
    return err;
}
