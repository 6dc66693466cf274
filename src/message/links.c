#include "message/links.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"

/* One link to be changed: the place of its value, quotes included, and where it leads. */
struct spot {
    size_t     from, bytes;
    struct str href;
};

struct spots {
    struct spot  *at;
    size_t        count, room;
    struct arena *arena;
    struct str    public_url;
};

static bool starts_nocase(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq_nocase(str_slice(s, 0, prefix.len), prefix);
}

/* --- URLs --------------------------------------------------------------------------------- */

static size_t scheme_bytes(struct str url)
{
    if (starts_nocase(url, STR("https://")))
        return 8;
    return starts_nocase(url, STR("http://")) ? 7 : 0;
}

enum err links_public_url_check(struct str url, struct problem *problem)
{
    static const char remedy[] = "give it as https://mail.example.com, without '/' at the end";
    size_t            scheme = scheme_bytes(url);
    if (scheme == 0 || url.len == scheme || url.ptr[scheme] == '/')
        return problem_set(problem, ERR_INPUT, "public_url", "it is not an http or https address",
                           remedy);
    if (url.len > LINKS_PUBLIC_URL_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, "public_url", "it is longer than 200 bytes", remedy);
    for (size_t i = 0; i < url.len; i++) {
        unsigned char c = (unsigned char)url.ptr[i];
        if (c <= ' ' || c >= 0x7F || strchr("\"'<>&?#,;\\`{}|^()", c) != NULL)
            return problem_set(problem, ERR_INPUT, "public_url",
                               "it has a character that cannot stand in every link", remedy);
    }
    if (url.ptr[url.len - 1] == '/')
        return problem_set(problem, ERR_INPUT, "public_url", "it ends with '/'", remedy);
    return OK;
}

static bool stays_in_url(unsigned char c)
{
    return c > ' ' && c < 0x7F && c != '"' && c != '<' && c != '>';
}

bool links_target(struct str href, struct buf *out)
{
    while (href.len > 0 && (unsigned char)href.ptr[0] <= ' ')
        href = str_slice(href, 1, href.len);
    while (href.len > 0 && (unsigned char)href.ptr[href.len - 1] <= ' ')
        href = str_slice(href, 0, href.len - 1);
    size_t scheme = scheme_bytes(href);
    if (scheme == 0 || href.len == scheme || href.len > LINKS_URL_BYTES_MAX)
        return false;
    for (size_t i = 0; i < href.len; i++) {
        size_t from = i;
        while (i < href.len && stays_in_url((unsigned char)href.ptr[i]))
            i++;
        buf_str(out, str_slice(href, from, i));
        unsigned char c = i < href.len ? (unsigned char)href.ptr[i] : '\n';
        if (c != '\t' && c != '\n' && c != '\r')
            buf_format(out, "%%%02X", c);
        /* As browsers do: a URL broken over two lines is one URL. */
    }
    return out->err == OK;
}

static struct token token_of(const struct links_conf *conf, enum token_purpose purpose)
{
    return (struct token){ purpose, conf->profile, conf->message };
}

void links_click_url(const struct links_conf *conf, struct str target, struct buf *out)
{
    buf_str(out, conf->public_url);
    buf_str(out, STR("/c/"));
    token_write(conf->keys, token_of(conf, TOKEN_CLICK), target, out);
    buf_str(out, STR("?u="));
    percent_write(out, target);
}

enum err links_click_read(const struct token_keys *keys, struct str token, struct str target,
                          struct token *out)
{
    return token_read(keys, TOKEN_CLICK, token, target, out);
}

void links_url(const struct links_conf *conf, enum token_purpose purpose, struct buf *out)
{
    static const char routes[TOKEN_PURPOSES_END] = {
        [TOKEN_OPEN] = 'o',        [TOKEN_UNSUBSCRIBE] = 'u', [TOKEN_VIEW] = 'v',
        [TOKEN_PREFERENCES] = 'p', [TOKEN_CONFIRM] = 's',     [TOKEN_TRAP] = 'h',
    };
    assert(purpose < TOKEN_PURPOSES_END && routes[purpose] != 0);
    buf_str(out, conf->public_url);
    buf_char(out, '/');
    buf_char(out, routes[purpose]);
    buf_char(out, '/');
    token_write(conf->keys, token_of(conf, purpose), STR_NONE, out);
    if (purpose == TOKEN_OPEN)
        buf_str(out, STR(".gif"));
}

void links_sealed_url(const struct links_conf *conf, enum token_purpose purpose, struct str query,
                      struct buf *out)
{
    buf_str(out, conf->public_url);
    buf_str(out, purpose == TOKEN_QUESTION ? STR("/q/")
                 : purpose == TOKEN_FILE   ? STR("/g/")
                                           : STR("/d/"));
    token_write(conf->keys, token_of(conf, purpose), query, out);
    buf_char(out, '?');
    buf_str(out, query);
}

static bool is_route(struct str url, struct str public_url, const char *routes)
{
    url = str_trim(url);
    return public_url.len > 0 && url.len > public_url.len + 3 && starts_nocase(url, public_url) &&
           url.ptr[public_url.len] == '/' && strchr(routes, url.ptr[public_url.len + 1]) != NULL &&
           url.ptr[public_url.len + 2] == '/';
}

/* --- where the links are ------------------------------------------------------------------ */

/* The first link at or after node `at`; the count of nodes where there is none. */
static uint32_t link_next(const struct html *html, uint32_t at)
{
    const struct html_node *nodes = html_nodes(html);
    uint32_t                count = html_count(html);
    for (; at < count; at++) {
        if (html_is(&nodes[at], HTML_A) || html_is(&nodes[at], HTML_AREA))
            return at;
        if (html_is(&nodes[at], HTML_TEMPLATE))
            at = nodes[at].end - 1; /* nobody sees what is in it */
    }
    return count;
}

static enum err spot_add(struct spots *spots, struct spot spot)
{
    if (spots->count == spots->room) {
        size_t       room = spots->room == 0 ? 32 : spots->room * 2;
        struct spot *grown = ARENA_ARRAY(spots->arena, room, struct spot);
        if (grown == NULL)
            return ERR_MEMORY;
        if (spots->count > 0)
            memcpy(grown, spots->at, spots->count * sizeof *grown);
        spots->at = grown;
        spots->room = room;
    }
    spots->at[spots->count++] = spot;
    return OK;
}

static bool is_tracked(const struct html *html, const struct html_node *link, struct str href,
                       struct str public_url)
{
    return scheme_bytes(str_trim(href)) > 0 && !is_route(href, public_url, "couvpshqgd") &&
           !str_eq_nocase(html_value(html, link, STR("data-dult-track")), STR("no"));
}

static enum err spots_find(struct spots *spots, const struct html *html)
{
    uint32_t count = html_count(html);
    for (uint32_t at = link_next(html, 0); at < count; at = link_next(html, at + 1)) {
        const struct html_node      *link = &html_nodes(html)[at];
        const struct html_attribute *href = html_attribute(html, link, STR("href"));
        if (href != NULL && href->bytes > 0 &&
            is_tracked(html, link, href->value, spots->public_url))
            TRY(spot_add(spots, (struct spot){ href->from, href->bytes, href->value }));
    }
    return OK;
}

/* --- the splice --------------------------------------------------------------------------- */

struct splicer {
    struct str            text;
    size_t                done; /* how much of the text is copied */
    struct buf           *out;
    size_t                out_from;
    struct links_splices *splices; /* may be NULL */
};

static void splice_open(struct splicer *splicer, size_t from)
{
    buf_str(splicer->out, str_slice(splicer->text, splicer->done, from));
}

static void splice_close(struct splicer *splicer, size_t from, size_t was, size_t to)
{
    splicer->done = from + was;
    if (splicer->splices != NULL)
        splicer->splices->at[splicer->splices->count++] =
            (struct links_splice){ from, was, to - splicer->out_from, splicer->out->len - to };
}

static void splice_link(struct splicer *splicer, const struct links_conf *conf,
                        const struct spot *spot, struct buf *target)
{
    buf_reset(target);
    if (!links_target(spot->href, target))
        return;
    char first = splicer->text.ptr[spot->from];
    char quote = first == '\'' ? '\'' : '"';
    splice_open(splicer, spot->from);
    size_t to = splicer->out->len;
    buf_char(splicer->out, quote);
    links_click_url(conf, buf_view(target), splicer->out);
    buf_char(splicer->out, quote);
    splice_close(splicer, spot->from, spot->bytes, to);
}

/* And a link that nobody sees: whoever follows it is a program. */
static void splice_pixel(struct splicer *splicer, const struct links_conf *conf, size_t place)
{
    splice_open(splicer, place);
    size_t to = splicer->out->len;
    buf_str(splicer->out, STR("<a href=\""));
    links_url(conf, TOKEN_TRAP, splicer->out);
    buf_str(splicer->out, STR("\" rel=\"nofollow\" aria-hidden=\"true\" tabindex=\"-1\" "
                              "style=\"display:none\"></a>"));
    buf_str(splicer->out, STR("<img src=\""));
    links_url(conf, TOKEN_OPEN, splicer->out);
    buf_str(splicer->out, STR("\" width=\"1\" height=\"1\" alt=\"\" "
                              "style=\"display:block;border:0;width:1px;height:1px\">"));
    splice_close(splicer, place, 0, to);
}

enum err links_track(const struct links_conf *conf, const struct html *html, struct arena *arena,
                     struct buf *out, struct links_splices *splices)
{
    struct spots spots = { .arena = arena, .public_url = conf->public_url };
    TRY(spots_find(&spots, html));

    SCOPED(buf_donep) struct buf target = buf_make(3 * LINKS_URL_BYTES_MAX);
    struct links_splices         made = { .at = NULL };
    struct splicer splicer = { .text = html_text(html), .out = out, .out_from = out->len };
    if (splices != NULL) {
        made.at = ARENA_ARRAY(arena, spots.count + 1, struct links_splice);
        if (made.at == NULL)
            return ERR_MEMORY;
        splicer.splices = &made;
    }

    size_t place = html_body_end(html), next = 0;
    for (; next < spots.count && spots.at[next].from < place; next++)
        splice_link(&splicer, conf, &spots.at[next], &target);
    splice_pixel(&splicer, conf, place);
    for (; next < spots.count; next++) /* a link after </body> still is one */
        splice_link(&splicer, conf, &spots.at[next], &target);
    splice_open(&splicer, splicer.text.len);
    TRY(buf_err(out));
    if (splices != NULL)
        *splices = made;
    return OK;
}

/* --- the way out -------------------------------------------------------------------------- */

bool links_has_unsubscribe(const struct html *html, struct str public_url)
{
    uint32_t count = html_count(html);
    for (uint32_t at = link_next(html, 0); at < count; at = link_next(html, at + 1))
        if (is_route(html_value(html, &html_nodes(html)[at], STR("href")), public_url, "u"))
            return true;
    return false;
}

bool links_text_has_unsubscribe(struct str text, struct str public_url)
{
    if (public_url.len == 0)
        return false;
    for (size_t at = str_find(text, 0, public_url); at < text.len;
         at = str_find(text, at + 1, public_url))
        if (is_route(str_slice(text, at, text.len), public_url, "u"))
            return true;
    return false;
}
