#include "message/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "message/html.h"
#include "message/inline.h"
#include "message/plain.h"

enum { SHOWN_BYTES = 60 };

struct checking {
    const struct check_in *in;
    struct check_findings *out;
    const struct html     *html;
    uint32_t               images;
    bool                   told_own; /* that Dult's own pages are near */
};

static void found(struct checking *c, enum check_severity severity, enum check_part part,
                  size_t place, const char *about, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

static struct str part_text(const struct check_in *in, enum check_part part)
{
    return part == CHECK_SUBJECT     ? in->subject
           : part == CHECK_PREHEADER ? in->preheader
           : part == CHECK_TEXT      ? in->text
                                     : in->html;
}

static void found(struct checking *c, enum check_severity severity, enum check_part part,
                  size_t place, const char *about, const char *remedy, const char *format, ...)
{
    if (c->out->count == CHECK_FINDINGS_MAX) {
        c->out->left_out++;
        return;
    }
    struct check_finding *finding = &c->out->at[c->out->count++];
    struct str            text = str_slice(part_text(c->in, part), 0, place);
    *finding = (struct check_finding){
        .severity = severity, .part = part, .line = 1, .about = about, .remedy = remedy
    };
    for (size_t at = str_find_char(text, 0, '\n'); at < text.len;
         at = str_find_char(text, at + 1, '\n'))
        finding->line++;
    va_list args;
    va_start(args, format);
    vsnprintf(finding->what, sizeof finding->what, format, args);
    va_end(args);
}

/* What of a text from a stranger is shown: the first bytes, whole characters, on one line. */
static const char *shown(struct str text, char out[SHOWN_BYTES + 4])
{
    bool is_cut = text.len > SHOWN_BYTES;
    text = str_slice(text, 0, SHOWN_BYTES);
    while (is_cut && text.len > 0 && ((unsigned char)text.ptr[text.len - 1] & 0xC0) == 0x80)
        text.len--;
    if (is_cut && text.len > 0 && (unsigned char)text.ptr[text.len - 1] >= 0xC0)
        text.len--;
    str_to_cstr(text, out, SHOWN_BYTES + 1);
    for (char *at = out; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            *at = ' ';
    if (is_cut)
        strcat(out, "...");
    return out;
}

/* --- Liquid ------------------------------------------------------------------------------- */

static bool has_liquid(struct str text)
{
    return str_find(text, 0, STR("{{")) < text.len || str_find(text, 0, STR("{%")) < text.len ||
           str_find(text, 0, STR("}}")) < text.len || str_find(text, 0, STR("%}")) < text.len;
}

/* Is there a {{ or {% without its end, or an end without its beginning? */
static bool is_unbalanced(struct str text)
{
    for (size_t at = 0; at + 1 < text.len; at++) {
        char a = text.ptr[at], b = text.ptr[at + 1];
        if ((a == '}' && b == '}') || (a == '%' && b == '}'))
            return true;
        if (a != '{' || (b != '{' && b != '%'))
            continue;
        at = str_find(text, at + 2, b == '{' ? STR("}}") : STR("%}"));
        if (at == text.len)
            return true;
        at++;
    }
    return false;
}

static void leftover_check(struct checking *c, enum check_part part)
{
    struct str text = part_text(c->in, part);
    size_t     at = str_find(text, 0, STR("{{")), tag = str_find(text, 0, STR("{%"));
    char       made[SHOWN_BYTES + 4];
    at = tag < at ? tag : at;
    if (c->in->is_template || at == text.len)
        return;
    found(c, CHECK_ERROR, part, at, "liquid",
          "Look for {% raw %}, and for Liquid within values: they are not rendered again.",
          "Readers see Liquid: %s", shown(str_slice(text, at, text.len), made));
}

/* --- addresses ---------------------------------------------------------------------------- */

static bool starts_nocase(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq_nocase(str_slice(s, 0, prefix.len), prefix);
}

static bool ends_nocase(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq_nocase(str_slice(s, s.len - suffix.len, s.len), suffix);
}

/* "mailto:" of "mailto:a@b"; empty where there is none. "shop.example:80" is a host and its port.
 */
static struct str scheme_of(struct str url)
{
    size_t end = 0;
    while (end < url.len && ((unsigned char)((url.ptr[end] | 32) - 'a') < 26 ||
                             (end > 0 && (url.ptr[end] == '+' || url.ptr[end] == '-' ||
                                          (url.ptr[end] >= '0' && url.ptr[end] <= '9')))))
        end++;
    bool is_scheme = end > 0 && end < url.len && url.ptr[end] == ':';
    return is_scheme ? str_slice(url, 0, end + 1) : STR_NONE;
}

static bool is_web(struct str url)
{
    return starts_nocase(url, STR("http://")) || starts_nocase(url, STR("https://"));
}

/* Between "//" and the path, without user and port. */
static struct str host_of(struct str url)
{
    size_t from = str_find(url, 0, STR("//")) + 2, end = from;
    while (end < url.len && strchr("/?#", url.ptr[end]) == NULL)
        end++;
    struct str host = str_slice(url, from, end);
    size_t     user = str_find_char(host, 0, '@');
    if (user < host.len)
        host = str_slice(host, user + 1, host.len);
    if (str_starts(host, STR("[")))
        return str_slice(host, 0, str_find_char(host, 0, ']') + 1);
    return str_slice(host, 0, str_find_char(host, 0, ':'));
}

/* Four numbers; the first two tell the networks that nobody outside can reach (RFC 6890). */
static bool is_private_number(struct str host)
{
    int64_t    n[4], count = 0;
    struct str piece;
    while (str_split(&host, '.', &piece))
        if (count == 4 || str_to_int(piece, &n[count++]) != OK)
            return false;
    if (count != 4)
        return false;
    return n[0] == 0 || n[0] == 10 || n[0] == 127 || (n[0] == 192 && n[1] == 168) ||
           (n[0] == 169 && n[1] == 254) || (n[0] == 172 && n[1] >= 16 && n[1] < 32) ||
           (n[0] == 100 && n[1] >= 64 && n[1] < 128);
}

static bool is_private(struct str host)
{
    static const struct str ends[] = {
        { "localhost", 9 },     { ".local", 6 }, { ".internal", 9 },
        { ".localdomain", 12 }, { ".lan", 4 },   { ".home.arpa", 10 }
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (ends_nocase(host, ends[i]))
            return true;
    if (str_starts(host, STR("[")))
        return starts_nocase(host, STR("[::1]")) || starts_nocase(host, STR("[fe80:")) ||
               starts_nocase(host, STR("[fc")) || starts_nocase(host, STR("[fd"));
    return str_find_char(host, 0, '.') == host.len || is_private_number(host);
}

/* --- links -------------------------------------------------------------------------------- */

/* Of the same scheme, host and port as the way out, whose page is Dult's own. */
static bool is_own(const struct checking *c, struct str url)
{
    struct str own = c->in->unsubscribe;
    size_t     origin = str_find(own, 0, STR("//")) + 2;
    if (!is_web(own))
        return false;
    origin = str_find_char(own, origin, '/');
    return str_starts(url, str_slice(own, 0, origin)) &&
           (url.len == origin || strchr("/?#", url.ptr[origin]) != NULL);
}

/* On a machine of one's own that is as it should be, and nothing in the mail can mend it. */
static void own_tell(struct checking *c, size_t place)
{
    if (!c->told_own)
        found(c, CHECK_NOTE, CHECK_HTML, place, "link",
              "Give the public URL before others are sent mail: Dult sends none without it.",
              "Dult's own pages are on this machine or network only.");
    c->told_own = true;
}

static void web_check(struct checking *c, struct str url, size_t place)
{
    struct str host = host_of(url);
    char       made[SHOWN_BYTES + 4];
    if (host.len == 0 || str_find_char(host, 0, ' ') < host.len)
        found(c, CHECK_ERROR, CHECK_HTML, place, "link", "Write https://, the host, and a path.",
              "This link has no host: %s", shown(url, made));
    else if (is_private(host) && is_own(c, url))
        own_tell(c, place);
    else if (is_private(host))
        found(c, CHECK_ERROR, CHECK_HTML, place, "link",
              "Use the address that the world sees; readers cannot reach this one.",
              "This link leads into a network of its own: %s", shown(url, made));
    else if (str_find_char(url, 0, ' ') < url.len)
        found(c, CHECK_WARNING, CHECK_HTML, place, "link", "Write %20 for each space.",
              "There is a space in this link: %s", shown(url, made));
}

static void scheme_check(struct checking *c, struct str url, size_t place)
{
    struct str scheme = scheme_of(url);
    char       made[SHOWN_BYTES + 4];
    if (str_starts(url, STR("#")) && url.len > 1)
        return; /* within the mail */
    if (url.len == 0 || str_eq(url, STR("#")))
        found(c, CHECK_ERROR, CHECK_HTML, place, "link",
              "Give it an address, or take the link away.", "This link leads nowhere.");
    else if (starts_nocase(scheme, STR("javascript:")) || starts_nocase(scheme, STR("vbscript:")))
        found(c, CHECK_ERROR, CHECK_HTML, place, "link",
              "Mail programs run no scripts: link to a page.", "This link is a script: %s",
              shown(url, made));
    else if (is_web(url))
        web_check(c, url, place);
    else if (scheme.len == 0)
        found(c, CHECK_ERROR, CHECK_HTML, place, "link",
              "Begin it with https:// and the host: a mail has no place that it is relative to.",
              "This link has no scheme: %s", shown(url, made));
}

static void link_check(struct checking *c, const struct html_node *node)
{
    const struct html_attribute *href = html_attribute(c->html, node, STR("href"));
    char                         made[SHOWN_BYTES + 4];
    if (href == NULL)
        return; /* a place in the mail */
    struct str url = str_trim(href->value);
    if (is_unbalanced(url))
        found(c, CHECK_ERROR, CHECK_HTML, node->from, "link", "Close it, as in {{ event.url }}.",
              "Liquid in this link is not closed: %s", shown(url, made));
    else if (!(c->in->is_template && has_liquid(url)))
        scheme_check(c, url, node->from);
}

/* --- images ------------------------------------------------------------------------------- */

static void image_address_check(struct checking *c, const struct html_node *node)
{
    struct str url = str_trim(html_value(c->html, node, STR("src")));
    char       made[SHOWN_BYTES + 4];
    if (is_unbalanced(url))
        found(c, CHECK_ERROR, CHECK_HTML, node->from, "image", "Close it, as in {{ event.image }}.",
              "Liquid in this image's address is not closed: %s", shown(url, made));
    else if (c->in->is_template && has_liquid(url))
        return;
    else if (url.len == 0)
        found(c, CHECK_ERROR, CHECK_HTML, node->from, "image",
              "Give it the https:// address of a picture.", "This image has no address.");
    else if (starts_nocase(url, STR("http://")))
        found(c, CHECK_WARNING, CHECK_HTML, node->from, "image",
              "Use https://: some programs show no others.", "This image comes by http: %s",
              shown(url, made));
    else if (scheme_of(url).len == 0)
        found(c, CHECK_ERROR, CHECK_HTML, node->from, "image",
              "Begin it with https:// and the host: a mail has no place that it is relative to.",
              "This image's address is relative: %s", shown(url, made));
    else if (is_web(url) && is_private(host_of(url)))
        found(c, CHECK_ERROR, CHECK_HTML, node->from, "image",
              "Use the address that the world sees; readers cannot reach this one.",
              "This image lies in a network of its own: %s", shown(url, made));
    else if (starts_nocase(url, STR("data:")))
        found(c, CHECK_WARNING, CHECK_HTML, node->from, "image",
              "Put the picture behind an https:// address.",
              "This image is inside the HTML, and Gmail shows none of these.");
}

static void image_check(struct checking *c, const struct html_node *node)
{
    c->images++;
    image_address_check(c, node);
    if (html_attribute(c->html, node, STR("alt")) == NULL)
        found(c, CHECK_WARNING, CHECK_HTML, node->from, "image",
              "Say what it shows: alt=\"...\", or alt=\"\" for mere decoration.",
              "This image has no text for those who do not see it.");
}

/* --- the whole ---------------------------------------------------------------------------- */

static bool is_active(enum html_tag tag)
{
    return tag == HTML_FORM || tag == HTML_SCRIPT || tag == HTML_IFRAME || tag == HTML_OBJECT ||
           tag == HTML_EMBED || tag == HTML_APPLET || tag == HTML_FRAMESET;
}

static void elements_check(struct checking *c)
{
    const struct html_node *nodes = html_nodes(c->html);
    for (uint32_t at = 1; at < html_count(c->html); at++) {
        const struct html_node *node = &nodes[at];
        if (html_is(node, HTML_A) || html_is(node, HTML_AREA))
            link_check(c, node);
        else if (html_is(node, HTML_IMG))
            image_check(c, node);
        else if (node->kind == HTML_ELEMENT && is_active(node->tag))
            found(c, CHECK_WARNING, CHECK_HTML, node->from, "active", "Link to a page that has it.",
                  "Mail programs take out <%.*s>.", STR_ARG(html_tag_name(node->tag)));
    }
}

static enum err words_check(struct checking *c)
{
    SCOPED(buf_donep) struct buf plain = buf_make(16 << 20);
    if (c->images == 0 || has_liquid(c->in->html))
        return OK; /* what a template will say is not known */
    plain_write(c->html, &plain);
    TRY(buf_err(&plain));
    if (plain.len < CHECK_WORDS_BYTES)
        found(c, CHECK_WARNING, CHECK_HTML, 0, "picture",
              "Write as text what matters: many see no pictures, and filters suspect such mail.",
              "There is hardly a word beside the picture%s.", c->images == 1 ? "" : "s");
    return OK;
}

static enum err style_check(struct checking *c)
{
    SCOPED(buf_donep) struct buf out = buf_make(2 * HTML_BYTES_MAX);
    struct problem               problem = { .what = "" };
    enum err                     err = inline_styles(c->in->html, &out, &problem);
    if (err == ERR_LIMIT)
        found(c, CHECK_WARNING, CHECK_HTML, 0, "style",
              "Take out rules that no element needs; they stay in <style> as they are.", "%s.",
              problem.what);
    return err == ERR_LIMIT ? OK : err;
}

static enum err html_check(struct checking *c, struct problem *problem)
{
    SCOPED(html_closep) struct html *html = NULL;
    if (c->in->html.len == 0)
        return OK;
    TRY(html_parse(&html, c->in->html, problem));
    c->html = html;
    if (c->in->html.len > CHECK_CLIPPED_BYTES)
        found(c, CHECK_WARNING, CHECK_HTML, 0, "size",
              "Shorten it: what is cut off is the end, with the way out.",
              "The HTML has %zu KB; Gmail cuts it at 102.", c->in->html.len >> 10);
    elements_check(c);
    TRY(words_check(c));
    TRY(style_check(c));
    if (str_trim(c->in->text).len == 0)
        found(c, CHECK_NOTE, CHECK_HTML, 0, "text", "Write one under \"--- text\" if it matters.",
              "There is no text of its own; it is made from the HTML.");
    if (str_trim(c->in->preheader).len == 0)
        found(c, CHECK_NOTE, CHECK_HTML, 0, "preheader",
              "Add a line \"preheader: ...\"; else programs show the first words of the mail.",
              "There is no line to stand beside the subject.");
    return OK;
}

static void subject_check(struct checking *c)
{
    struct str subject = str_trim(c->in->subject);
    size_t     characters = 0;
    for (size_t i = 0; i < subject.len; i++)
        characters += ((unsigned char)subject.ptr[i] & 0xC0) != 0x80;
    if (subject.len == 0)
        found(c, CHECK_ERROR, CHECK_SUBJECT, 0, "subject", "Write one.", "There is no subject.");
    else if (characters > CHECK_SUBJECT_CHARACTERS && !(c->in->is_template && has_liquid(subject)))
        found(c, CHECK_WARNING, CHECK_SUBJECT, 0, "subject",
              "Say it in 50 characters: a telephone shows no more.",
              "The subject has %zu characters.", characters);
}

/* The footer that a mail without a way out gets shows the address, too. */
static void way_out_check(struct checking *c)
{
    const struct check_in *in = c->in;
    struct str             body = in->html.len > 0 ? in->html : in->text;
    enum check_part        part = in->html.len > 0 ? CHECK_HTML : CHECK_TEXT;
    if (in->is_transactional)
        return;
    if (in->is_template && inline_has_snippets(body))
        return; /* it may be in one of them */
    bool has_link = in->unsubscribe.len > 0 && str_find(body, 0, in->unsubscribe) < body.len;
    bool shows = in->is_template && str_find(body, 0, STR("workspace.address")) < body.len;
    if (!has_link)
        found(c, CHECK_NOTE, part, 0, "unsubscribe",
              "Write {{ links.unsubscribe }} into a link where it suits you.",
              "There is no way to unsubscribe in it, so a footer is added.");
    if (!in->knows_address)
        return;
    if (str_trim(in->address).len == 0 && (shows || !has_link))
        found(c, CHECK_WARNING, part, 0, "address",
              "Put \"address\" into workspace.json; the law wants it in most countries.",
              "The workspace has no postal address to show.");
    else if (has_link && !shows && str_find(body, 0, str_trim(in->address)) == body.len)
        found(c, CHECK_WARNING, part, 0, "address", "Write {{ workspace.address }} into the mail.",
              "There is no postal address in it.");
}

/* By the place in the text; findings of one place stay in their order. */
static void findings_sort(struct check_findings *findings)
{
    for (uint32_t i = 1; i < findings->count; i++) {
        struct check_finding one = findings->at[i];
        uint32_t             to = i;
        for (; to > 0; to--) {
            const struct check_finding *before = &findings->at[to - 1];
            if (before->part < one.part || (before->part == one.part && before->line <= one.line))
                break;
            findings->at[to] = *before;
        }
        findings->at[to] = one;
    }
}

enum err check_mail(const struct check_in *in, struct check_findings *out, struct problem *problem)
{
    struct checking c = { .in = in, .out = out };
    out->count = out->left_out = 0;
    subject_check(&c);
    for (int part = CHECK_SUBJECT; part <= CHECK_TEXT; part++)
        leftover_check(&c, (enum check_part)part);
    way_out_check(&c);
    TRY(html_check(&c, problem));
    findings_sort(out);
    return OK;
}

const char *check_severity_name(enum check_severity severity)
{
    static const char *const names[] = { "note", "warning", "error" };
    return names[severity];
}

const char *check_part_name(enum check_part part)
{
    static const char *const names[] = { "subject", "preheader", "html", "text" };
    return names[part];
}
