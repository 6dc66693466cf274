#include "message/utm.h"

#include "base/encode.h"
#include "message/html.h"
#include "message/links.h"

const char *const utm_names[UTM_KEYS] = { [UTM_SOURCE] = "utm_source",
                                          [UTM_MEDIUM] = "utm_medium",
                                          [UTM_CAMPAIGN] = "utm_campaign",
                                          [UTM_TERM] = "utm_term",
                                          [UTM_CONTENT] = "utm_content" };

bool utm_is_any(const struct utm *utm)
{
    for (int i = 0; i < UTM_KEYS; i++)
        if (utm->values[i].len > 0)
            return true;
    return false;
}

/* ---- one URL ---- */

static size_t first_of(struct str text, size_t from, const char *set)
{
    for (size_t i = from; i < text.len; i++)
        for (const char *c = set; *c != '\0'; c++)
            if (text.ptr[i] == *c)
                return i;
    return text.len;
}

/* "shop.example" of "https://me@shop.example:8443/x"; empty for what is not http or https. */
static struct str host_of(struct str url)
{
    size_t from = str_eq_nocase(str_slice(url, 0, 8), STR("https://"))  ? 8
                  : str_eq_nocase(str_slice(url, 0, 7), STR("http://")) ? 7
                                                                        : 0;
    if (from == 0)
        return STR_NONE;
    struct str host = str_slice(url, from, first_of(url, from, "/?#"));
    size_t     at = str_find_char(host, 0, '@');
    if (at < host.len)
        host = str_slice(host, at + 1, host.len);
    return str_slice(host, 0, str_find_char(host, 0, ':'));
}

static bool is_below(struct str host, struct str domain)
{
    if (host.len < domain.len ||
        !str_eq_nocase(str_slice(host, host.len - domain.len, host.len), domain))
        return false;
    return host.len == domain.len || host.ptr[host.len - domain.len - 1] == '.';
}

static bool is_ours(const struct utm *utm, struct str url)
{
    struct str ours = utm->public_url;
    return ours.len > 0 && str_eq_nocase(str_slice(url, 0, ours.len), ours) &&
           (url.len == ours.len || first_of(str_slice(url, ours.len, ours.len + 1), 0, "/?#") == 0);
}

static bool is_tagged(const struct utm *utm, struct str url)
{
    struct str host = host_of(url);
    bool       named = utm->domains_count == 0;
    for (size_t i = 0; i < utm->domains_count && !named; i++)
        named = is_below(host, utm->domains[i]);
    return host.len > 0 && named && !is_ours(utm, url);
}

/* Does the query say so already, with whatever value? */
static bool has_parameter(struct str query, const char *name)
{
    while (query.len > 0) {
        size_t     end = first_of(query, 0, "&;");
        struct str one = str_slice(query, 0, end);
        if (str_eq_nocase(str_slice(one, 0, str_find_char(one, 0, '=')), str_of(name)))
            return true;
        query = str_slice(query, end + 1, query.len);
    }
    return false;
}

/* At most so many bytes, and no half character at the end. */
static struct str cut(struct str value)
{
    if (value.len <= UTM_VALUE_BYTES_MAX)
        return value;
    size_t end = UTM_VALUE_BYTES_MAX;
    while (end > 0 && ((unsigned char)value.ptr[end] & 0xC0) == 0x80)
        end--;
    return str_slice(value, 0, end);
}

void utm_url(const struct utm *utm, struct str url, struct buf *out)
{
    struct str trimmed = str_trim(url);
    if (!is_tagged(utm, trimmed)) {
        buf_str(out, url);
        return;
    }
    size_t     hash = str_find_char(trimmed, 0, '#');
    struct str page = str_slice(trimmed, 0, hash);
    size_t     mark = str_find_char(page, 0, '?');
    struct str query = str_slice(page, mark + 1, page.len);
    char       joint = mark == page.len ? '?' : '&';
    bool       is_open = mark < page.len && (query.len == 0 || query.ptr[query.len - 1] == '&');
    buf_str(out, page);
    for (int i = 0; i < UTM_KEYS; i++) {
        if (utm->values[i].len == 0 || has_parameter(query, utm_names[i]))
            continue;
        if (!is_open)
            buf_char(out, joint);
        buf_format(out, "%s=", utm_names[i]);
        percent_write(out, cut(utm->values[i]));
        joint = '&';
        is_open = false;
    }
    buf_str(out, str_slice(trimmed, hash, trimmed.len));
}

/* ---- a mail ---- */

/* The end of what is copied moves behind the link's value. */
static void link_write(const struct utm *utm, struct str text, const struct html_attribute *href,
                       size_t *done, struct buf *url, struct buf *out)
{
    buf_reset(url);
    utm_url(utm, href->value, url);
    if (buf_err(url) != OK || str_eq(buf_view(url), href->value))
        return;
    buf_str(out, str_slice(text, *done, href->from));
    buf_char(out, '"');
    html_escape(out, buf_view(url));
    buf_char(out, '"');
    *done = href->from + href->bytes;
}

enum err utm_html(const struct utm *utm, struct str html, struct buf *out, struct problem *problem)
{
    SCOPED(html_closep) struct html *tree = NULL;
    SCOPED(buf_donep) struct buf     url = buf_make(LINKS_URL_BYTES_MAX);
    size_t                           done = 0;
    TRY(html_parse(&tree, html, problem));
    for (uint32_t at = 0; at < html_count(tree); at++) {
        const struct html_node *node = &html_nodes(tree)[at];
        if (!html_is(node, HTML_A) && !html_is(node, HTML_AREA))
            continue;
        const struct html_attribute *href = html_attribute(tree, node, STR("href"));
        if (href != NULL && href->bytes > 0 &&
            !str_eq_nocase(html_value(tree, node, STR("data-dult-utm")), STR("no")))
            link_write(utm, html, href, &done, &url, out);
    }
    buf_str(out, str_slice(html, done, html.len));
    return buf_err(out);
}
