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
    struct str    text, public_url;
    enum err      err;
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
        unsigned char c = (unsigned char)href.ptr[i];
        if (c == '\t' || c == '\n' || c == '\r')
            continue; /* as browsers do: a URL broken over two lines is one URL */
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '<' || c == '>')
            buf_format(out, "%%%02X", c);
        else
            buf_char(out, (char)c);
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
    assert(purpose == TOKEN_OPEN || purpose == TOKEN_UNSUBSCRIBE || purpose == TOKEN_VIEW);
    static const char routes[] = {
        [TOKEN_OPEN] = 'o', [TOKEN_UNSUBSCRIBE] = 'u', [TOKEN_VIEW] = 'v'
    };
    buf_str(out, conf->public_url);
    buf_char(out, '/');
    buf_char(out, routes[purpose]);
    buf_char(out, '/');
    token_write(conf->keys, token_of(conf, purpose), STR_NONE, out);
    if (purpose == TOKEN_OPEN)
        buf_str(out, STR(".gif"));
}

static bool is_route(struct str url, struct str public_url, const char *routes)
{
    url = str_trim(url);
    return public_url.len > 0 && url.len > public_url.len + 3 && starts_nocase(url, public_url) &&
           url.ptr[public_url.len] == '/' && strchr(routes, url.ptr[public_url.len + 1]) != NULL &&
           url.ptr[public_url.len + 2] == '/';
}

/* --- where the links are ------------------------------------------------------------------ */

/* Calls `visit` for every <a> and <area>, until one returns false. */
static bool links_walk(const GumboNode *node, bool (*visit)(void *with, const GumboNode *link),
                       void            *with)
{
    if (node->type != GUMBO_NODE_ELEMENT)
        return true;
    GumboTag tag = node->v.element.tag; /* of any name space: a link in a drawing is one too */
    if ((tag == GUMBO_TAG_A || tag == GUMBO_TAG_AREA) && !visit(with, node))
        return false;
    const GumboVector *children = &node->v.element.children;
    for (unsigned i = 0; i < children->length; i++)
        if (!links_walk(children->data[i], visit, with))
            return false;
    return true;
}

static bool spot_add(struct spots *spots, struct spot spot)
{
    if (spots->count == spots->room) {
        size_t       room = spots->room == 0 ? 32 : spots->room * 2;
        struct spot *grown = ARENA_ARRAY(spots->arena, room, struct spot);
        if (grown == NULL) {
            spots->err = ERR_MEMORY;
            return false;
        }
        if (spots->count > 0)
            memcpy(grown, spots->at, spots->count * sizeof *grown);
        spots->at = grown;
        spots->room = room;
    }
    spots->at[spots->count++] = spot;
    return true;
}

static bool spot_visit(void *with, const GumboNode *link)
{
    struct spots         *spots = with;
    const GumboAttribute *href = gumbo_get_attribute(&link->v.element.attributes, "href");
    if (href == NULL || scheme_bytes(str_trim(str_of(href->value))) == 0 ||
        is_route(str_of(href->value), spots->public_url, "couv") ||
        str_eq_nocase(html_attribute(link, "data-dult-track"), STR("no")))
        return true;

    const char *from = href->original_value.data;
    const char *start = spots->text.ptr, *end = start + spots->text.len;
    if (from < start || from > end || href->original_value.length > (size_t)(end - from))
        return true;
    return spot_add(spots, (struct spot){ (size_t)(from - start), href->original_value.length,
                                          str_of(href->value) });
}

static int spot_cmp(const void *a, const void *b)
{
    size_t from_a = ((const struct spot *)a)->from, from_b = ((const struct spot *)b)->from;
    return from_a < from_b ? -1 : from_a > from_b;
}

/* Broken nesting makes the parser copy a link into several places of the tree: one spot remains. */
static void spots_settle(struct spots *spots)
{
    size_t kept = 0;
    if (spots->count > 1)
        qsort(spots->at, spots->count, sizeof *spots->at, spot_cmp);
    for (size_t i = 0; i < spots->count; i++)
        if (kept == 0 || spots->at[kept - 1].from + spots->at[kept - 1].bytes <= spots->at[i].from)
            spots->at[kept++] = spots->at[i];
    spots->count = kept;
}

/* Where the element's end tag stands in the text, or the text's length where it has none. */
static size_t end_tag_place(const GumboNode *node, struct str text, struct str tag)
{
    GumboStringPiece piece = node->v.element.original_end_tag;
    if (piece.length < tag.len || piece.data < text.ptr || piece.data >= text.ptr + text.len)
        return text.len;
    size_t at = (size_t)(piece.data - text.ptr);
    return starts_nocase(str_slice(text, at, text.len), tag) ? at : text.len;
}

/* Before </body>, or before </html> where the body is left open, or at the end. */
static size_t pixel_place(const struct html *html)
{
    struct str         text = html_text(html);
    const GumboNode   *root = html_root(html);
    const GumboVector *children = &root->v.element.children;
    for (unsigned i = 0; i < children->length; i++) {
        const GumboNode *child = children->data[i];
        size_t           at = text.len;
        if (html_is(child, GUMBO_TAG_BODY))
            at = end_tag_place(child, text, STR("</body"));
        if (at < text.len)
            return at;
    }
    return end_tag_place(root, text, STR("</html"));
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

static void splice_pixel(struct splicer *splicer, const struct links_conf *conf, size_t place)
{
    splice_open(splicer, place);
    size_t to = splicer->out->len;
    buf_str(splicer->out, STR("<img src=\""));
    links_url(conf, TOKEN_OPEN, splicer->out);
    buf_str(splicer->out, STR("\" width=\"1\" height=\"1\" alt=\"\" "
                              "style=\"display:block;border:0;width:1px;height:1px\">"));
    splice_close(splicer, place, 0, to);
}

enum err links_track(const struct links_conf *conf, const struct html *html, struct arena *arena,
                     struct buf *out, struct links_splices *splices)
{
    struct spots spots = { .arena = arena,
                           .text = html_text(html),
                           .public_url = conf->public_url };
    links_walk(html_root(html), spot_visit, &spots);
    TRY(spots.err);
    spots_settle(&spots);

    SCOPED(buf_donep) struct buf target = buf_make(3 * LINKS_URL_BYTES_MAX);
    struct links_splices         made = { .at = NULL };
    struct splicer splicer = { .text = html_text(html), .out = out, .out_from = out->len };
    if (splices != NULL) {
        made.at = ARENA_ARRAY(arena, spots.count + 1, struct links_splice);
        if (made.at == NULL)
            return ERR_MEMORY;
        splicer.splices = &made;
    }

    size_t place = pixel_place(html), next = 0;
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

static bool is_not_unsubscribe(void *public_url, const GumboNode *link)
{
    return !is_route(html_attribute(link, "href"), *(struct str *)public_url, "u");
}

bool links_has_unsubscribe(const struct html *html, struct str public_url)
{
    return !links_walk(html_root(html), is_not_unsubscribe, &public_url);
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
