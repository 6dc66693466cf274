#include "run/api/page.h"

#include "base/encode.h"
#include "run/send/topic_words.h"

enum { PAGE_BYTES_MAX = 2 << 20 };

extern const char dult_words[], dult_words_end[], dult_confirm[], dult_confirm_end[];
__asm__(".section .rodata\n"
        ".global dult_words\ndult_words:\n"
        ".incbin \"" DULT_PAGES "/words.json\"\n"
        ".global dult_words_end\ndult_words_end:\n"
        ".byte 0\n"
        ".global dult_confirm\ndult_confirm:\n"
        ".incbin \"" DULT_PAGES "/confirm.email\"\n"
        ".global dult_confirm_end\ndult_confirm_end:\n"
        ".byte 0\n"
        ".previous\n");

struct str page_confirm_email(void)
{
    return (struct str){ dult_confirm, (size_t)(dult_confirm_end - dult_confirm) };
}

/* ---- languages ---- */

/* What the browser asks for, in its order; weights are in that order nearly always. */
static uint32_t accepted(struct call *call, struct str *out, uint32_t most)
{
    struct str rest = http_header(call->request, STR("Accept-Language")), piece;
    uint32_t   count = 0;
    while (count < most && str_split(&rest, ',', &piece)) {
        struct str tag = str_trim(str_slice(piece, 0, str_find_char(piece, 0, ';')));
        if (tag.len > 0 && !str_eq(tag, STR("*")))
            out[count++] = tag;
    }
    return count;
}

static enum err words_read(struct page *page)
{
    struct json *all = ARENA_NEW(page->call->arena, struct json);
    struct str   text = { dult_words, (size_t)(dult_words_end - dult_words) };
    if (all == NULL)
        return ERR_MEMORY;
    TRY(json_parse(page->call->desk->parser, page->call->arena, text, all, NULL));
    page->words = json_get(all, page->language);
    return page->words == NULL ? ERR_ABSENT : OK;
}

struct str page_word(const struct page *page, const char *key)
{
    return json_get_str(page->words, str_of(key));
}

/* ---- pieces ---- */

static const char style[] =
    ":root{color-scheme:light dark;--ground:#F7F8F6;--panel:#fff;--line:#E4E1DA;--ink:#16202A;"
    "--quiet:#5A6670;--fjord:#0F6E7C;--on:#fff}"
    "@media (prefers-color-scheme:dark){:root{--ground:#12181D;--panel:#1A2229;--line:#2B353D;"
    "--ink:#E8ECEE;--quiet:#9AA7B0;--fjord:#4FB3C1;--on:#12181D}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--ground);color:var(--ink);"
    "font:1rem/1.5 Inter,system-ui,sans-serif;overflow-wrap:anywhere;hyphens:auto}"
    "main{width:calc(100% - 1rem);max-width:36rem;margin:12vh auto 4rem;padding:1.5rem;"
    "background:var(--panel);"
    "border:1px solid var(--line);border-radius:8px}"
    "h1{font-size:1.75rem;line-height:1.25;margin:0 0 .75rem;text-wrap:balance}p{margin:0 0 1rem}"
    ".house{color:var(--quiet);margin:0 0 .5rem}"
    "fieldset{min-width:0;border:0;border-top:1px solid var(--line);margin:0;padding:1rem 0}"
    "legend{float:left;width:100%;font-weight:600;padding:0}legend+*{clear:both}"
    "fieldset .more{margin:0 0 .25rem}"
    "label{display:flex;gap:.75rem;align-items:center;min-height:44px;cursor:pointer}"
    "input[type=checkbox]{width:1.25rem;height:1.25rem;accent-color:var(--fjord);flex:none}"
    ".more{color:var(--quiet)}"
    "legend h1{margin:0 0 .75rem}fieldset.open{border:0;padding:0 0 1rem}"
    "input[type=radio]{width:1.25rem;height:1.25rem;accent-color:var(--fjord);flex:none;margin:0}"
    ".scale{display:flex;flex-wrap:wrap;gap:.5rem}"
    ".scale label,.list label{border:1px solid var(--line);border-radius:8px;padding:.5rem .75rem}"
    ".list label{margin:0 0 .5rem}label:has(:checked){border-color:var(--fjord)}"
    ".ends{display:flex;justify-content:space-between;gap:1rem;color:var(--quiet);"
    "margin:.5rem 0 0}"
    "label.above{display:block;min-height:0;font-weight:600;margin:0 0 .25rem}"
    "textarea{font:inherit;width:100%;min-height:6rem;padding:.5rem;margin:0 0 1rem;"
    "color:var(--ink);background:var(--ground);border:1px solid var(--quiet);border-radius:8px}"
    "[role=alert]{border-left:4px solid var(--fjord);padding:0 0 0 .75rem;font-weight:600}"
    "a.button{display:inline-block;min-height:44px;padding:.6rem 1.2rem;border-radius:8px;"
    "background:var(--fjord);color:var(--on);text-decoration:none}"
    "button{font:inherit;min-height:44px;padding:.6rem 1.2rem;border:1px solid var(--fjord);"
    "border-radius:8px;background:var(--fjord);color:var(--on);cursor:pointer}"
    "button.quiet{background:none;color:var(--fjord)}form+form{margin-top:1rem}"
    "a{color:var(--fjord);display:inline-block;padding:.6rem 0}form+p{margin:.5rem 0 0}"
    ":focus-visible{outline:3px solid var(--fjord);outline-offset:2px}";

enum err page_open(struct call *call, const struct str *languages, uint32_t count, struct str house,
                   struct page *out)
{
    struct str wanted[2 * PAGE_LANGUAGES_MAX];
    uint32_t   wanted_count = 0;
    for (uint32_t i = 0; i < count && i < PAGE_LANGUAGES_MAX; i++)
        if (languages[i].len > 0)
            wanted[wanted_count++] = languages[i];
    wanted_count += accepted(call, wanted + wanted_count, PAGE_LANGUAGES_MAX);
    *out = (struct page){ .call = call,
                          .language = house_language(wanted, wanted_count),
                          .house = house.len > 0 ? house : call->api->conf.name,
                          .out = buf_make(PAGE_BYTES_MAX) };
    return words_read(out);
}

void page_title(struct page *page, struct str title)
{
    struct buf *out = &page->out;
    buf_format(out, "<!doctype html><html lang=\"%.*s\"><head><meta charset=\"utf-8\"><title>",
               STR_ARG(page->language));
    html_escape(out, title);
    buf_str(out, STR("</title><meta name=\"viewport\" content=\"width=device-width,"
                     "initial-scale=1\"><style>"));
    buf_str(out, str_of(style));
    buf_str(out, STR("</style></head><body><main>"));
    if (page->house.len > 0) {
        buf_str(out, STR("<p class=\"house\">"));
        html_escape(out, page->house);
        buf_str(out, STR("</p>"));
    }
}

void page_heading(struct page *page, const char *key)
{
    page_title(page, page_word(page, key));
    buf_str(&page->out, STR("<h1>"));
    html_escape(&page->out, page_word(page, key));
    buf_str(&page->out, STR("</h1>"));
}

void page_words(struct page *page, const char *key, struct str about)
{
    struct str words = page_word(page, key);
    size_t     place = str_find(words, 0, STR("{}"));
    buf_str(&page->out, STR("<p>"));
    html_escape(&page->out, str_slice(words, 0, place));
    if (place < words.len) {
        buf_str(&page->out, STR("<strong>"));
        html_escape(&page->out, about);
        buf_str(&page->out, STR("</strong>"));
        html_escape(&page->out, str_slice(words, place + 2, words.len));
    }
    buf_str(&page->out, STR("</p>"));
}

void page_form(struct page *page)
{
    buf_str(&page->out, STR("<form method=\"post\">"));
}

void page_hidden(struct page *page, const char *name, struct str value)
{
    buf_format(&page->out, "<input type=\"hidden\" name=\"%s\" value=\"", name);
    html_escape(&page->out, value);
    buf_str(&page->out, STR("\">"));
}

void page_button(struct page *page, const char *action, const char *key, bool is_quiet)
{
    buf_format(&page->out, "<button type=\"submit\" name=\"action\" value=\"%s\"%s>", action,
               is_quiet ? " class=\"quiet\"" : "");
    html_escape(&page->out, page_word(page, key));
    buf_str(&page->out, STR("</button></form>"));
}

static void reply(struct call *call, int status, struct str allowed, struct str html,
                  struct str go_on)
{
    size_t     skip = go_on.len > 0 ? 0 : 1;
    struct str policy =
        str_format(call->arena, "default-src 'none'; %.*s; base-uri 'none'; frame-ancestors 'none'",
                   STR_ARG(allowed));
    struct http_header headers[] = {
        { STR("Refresh"), str_format(call->arena, "0; url=%.*s", STR_ARG(go_on)) },
        { STR("Cache-Control"), STR("no-store") },
        { STR("Referrer-Policy"), STR("no-referrer") },
        { STR("X-Robots-Tag"), STR("noindex") },
        { STR("X-Content-Type-Options"), STR("nosniff") },
        { STR("Content-Security-Policy"), policy.ptr == NULL ? STR("default-src 'none'") : policy },
    };
    call->is_answered = true;
    http_reply(call->request,
               &(struct http_answer){ .status = status,
                                      .type = STR("text/html; charset=utf-8"),
                                      .headers = headers + skip,
                                      .headers_count = sizeof headers / sizeof headers[0] - skip,
                                      .body = html,
                                      .not_before_ms = call->answer_ms });
}

void page_reply(struct call *call, int status, struct str allowed, struct str html)
{
    reply(call, status, allowed, html, STR_NONE);
}

enum err page_send(struct page *page, int status)
{
    buf_str(&page->out, STR("</main></body></html>"));
    enum err err = buf_err(&page->out);
    if (err == OK)
        reply(page->call, status, STR("style-src 'unsafe-inline'; form-action 'self'"),
              buf_view(&page->out), page->go_on);
    buf_done(&page->out);
    return err;
}
