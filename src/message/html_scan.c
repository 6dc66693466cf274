#include "message/html_scan.h"

#include <stdlib.h>
#include <string.h>

/* What a byte does within a tag. */
enum { SPACE = 1, NAME_END = 2 };

static const uint8_t kinds[256] = {
    [' '] = SPACE | NAME_END,  ['\t'] = SPACE | NAME_END, ['\n'] = SPACE | NAME_END,
    ['\f'] = SPACE | NAME_END, ['\r'] = SPACE | NAME_END, ['/'] = NAME_END,
    ['>'] = NAME_END,
};

static bool is_space(char c)
{
    return (kinds[(unsigned char)c] & SPACE) != 0;
}

static bool ends_name(char c)
{
    return (kinds[(unsigned char)c] & NAME_END) != 0;
}

static bool is_letter(char c)
{
    return (unsigned char)((c | 32) - 'a') < 26;
}

static char at_or(struct str text, size_t at, char other)
{
    return at < text.len ? text.ptr[at] : other;
}

static size_t space_skip(struct str text, size_t at)
{
    while (at < text.len && is_space(text.ptr[at]))
        at++;
    return at;
}

static bool starts_nocase_at(struct str text, size_t at, struct str what)
{
    return text.len - at >= what.len && str_eq_nocase(str_slice(text, at, at + what.len), what);
}

/* --- what is passed over ------------------------------------------------------------------ */

/* Behind the '>' that ends the comment whose text begins at `from`. */
static size_t comment_end(struct str text, size_t from)
{
    for (size_t at = str_find_char(text, from, '>'); at < text.len;
         at = str_find_char(text, at + 1, '>')) {
        struct str before = str_slice(text, from - 2, at); /* with the two dashes it began with */
        if (str_ends(before, STR("--")) || (at >= from + 3 && str_ends(before, STR("--!"))))
            return at + 1;
    }
    return text.len;
}

static size_t bogus_end(struct str text, size_t from)
{
    size_t at = str_find_char(text, from, '>');
    return at < text.len ? at + 1 : at;
}

/* "<!" at `from`. */
static size_t declaration_end(struct html_scan *scan, size_t from)
{
    struct str text = scan->text;
    if (starts_nocase_at(text, from, STR("<!--")))
        return comment_end(text, from + 4);
    if (starts_nocase_at(text, from, STR("<!doctype"))) {
        size_t name = space_skip(text, from + 9);
        scan->has_doctype |=
            starts_nocase_at(text, name, STR("html")) && (ends_name(at_or(text, name + 4, '>')));
    }
    return bogus_end(text, from + 2);
}

/* --- what elements hold as text ----------------------------------------------------------- */

/* "</style" and what may follow it at `at`. */
static bool is_end_tag(struct str text, size_t at, struct str name)
{
    return at_or(text, at + 1, ' ') == '/' && starts_nocase_at(text, at + 2, name) &&
           at + 2 + name.len < text.len && ends_name(text.ptr[at + 2 + name.len]);
}

static size_t raw_end(struct str text, size_t from, struct str name)
{
    size_t at = str_find_char(text, from, '<');
    while (at < text.len && !is_end_tag(text, at, name))
        at = str_find_char(text, at + 1, '<');
    return at;
}

/* In "<!-- <script> ... </script> -->" of a script the end tag ends nothing. */
static size_t script_end(struct str text, size_t from)
{
    enum { PLAIN, ESCAPED, DOUBLE_ESCAPED } state = PLAIN;
    struct str name = STR("script");
    for (size_t at = from; at < text.len; at++) {
        char c = text.ptr[at];
        if (state != PLAIN && c == '-' && starts_nocase_at(text, at, STR("-->"))) {
            state = PLAIN;
            at += 2;
        } else if (c != '<') {
            continue;
        } else if (is_end_tag(text, at, name)) {
            if (state != DOUBLE_ESCAPED)
                return at;
            state = ESCAPED;
        } else if (state == PLAIN && starts_nocase_at(text, at, STR("<!--"))) {
            state = ESCAPED;
            at++; /* "<!-->" is over at once */
        } else if (state == ESCAPED && starts_nocase_at(text, at + 1, name) && at + 7 < text.len &&
                   ends_name(text.ptr[at + 7])) {
            state = DOUBLE_ESCAPED;
        }
    }
    return text.len;
}

static size_t held_end(struct str text, size_t from, enum html_tag tag)
{
    uint32_t flags = html_tag_flags(tag);
    if (flags & HTML_IS_REST)
        return text.len;
    return flags & HTML_IS_SCRIPT ? script_end(text, from)
                                  : raw_end(text, from, html_tag_name(tag));
}

/* --- tags --------------------------------------------------------------------------------- */

static bool is_known(const struct html_scan *scan, const struct html_token *token, struct str name)
{
    for (uint32_t i = 0; i < token->attributes_count; i++)
        if (str_eq_nocase(scan->attributes[token->attributes + i].name, name))
            return true;
    return false;
}

static enum err attribute_add(struct html_scan *scan, struct html_token *token,
                              const struct html_attribute *attribute)
{
    if (token->kind != HTML_TOKEN_START || is_known(scan, token, attribute->name))
        return OK;
    if (token->attributes_count == HTML_ATTRIBUTES_MAX)
        return ERR_LIMIT;
    if (scan->attributes_count == scan->attributes_room) {
        uint32_t               room = scan->attributes_room == 0 ? 256 : scan->attributes_room * 2;
        struct html_attribute *grown = realloc(scan->attributes, room * sizeof *grown);
        if (grown == NULL)
            return ERR_MEMORY;
        scan->attributes = grown;
        scan->attributes_room = room;
    }
    scan->attributes[scan->attributes_count++] = *attribute;
    token->attributes_count++;
    return OK;
}

/* The value that begins at `at`; behind it, or the text's length where it has no end. */
static size_t value_take(struct str text, size_t at, struct html_attribute *attribute)
{
    char   quote = at_or(text, at, '>');
    size_t end = at;
    attribute->from = (uint32_t)at;
    if (quote == '"' || quote == '\'') {
        end = str_find_char(text, at + 1, quote);
        if (end == text.len)
            return end;
        attribute->value = str_slice(text, at + 1, end);
        end++;
    } else {
        while (end < text.len && !is_space(text.ptr[end]) && text.ptr[end] != '>')
            end++;
        attribute->value = str_slice(text, at, end);
    }
    attribute->bytes = (uint32_t)(end - at);
    return end;
}

/* One attribute at `*at`, which is neither a space nor '/' nor '>'. */
static struct html_attribute attribute_take(struct str text, size_t *at)
{
    struct html_attribute attribute = { .bytes = 0 };
    size_t                end = *at + 1; /* a '=' may begin a name */
    while (end < text.len && !ends_name(text.ptr[end]) && text.ptr[end] != '=')
        end++;
    attribute.name = str_slice(text, *at, end);
    size_t equals = space_skip(text, end);
    if (at_or(text, equals, ' ') == '=')
        end = value_take(text, space_skip(text, equals + 1), &attribute);
    *at = end;
    return attribute;
}

/* From behind the name to behind the '>'; the text's length where there is none. */
static enum err attributes_take(struct html_scan *scan, struct html_token *token, size_t at,
                                size_t *end)
{
    struct str text = scan->text;
    token->attributes = scan->attributes_count;
    while (at < text.len) {
        char c = text.ptr[at];
        if (c == '>') {
            *end = at + 1;
            return OK;
        }
        if (c == '/')
            token->is_self_closing = at_or(text, at + 1, ' ') == '>';
        if (is_space(c) || c == '/') {
            at++;
            continue;
        }
        struct html_attribute attribute = attribute_take(text, &at);
        TRY(attribute_add(scan, token, &attribute));
    }
    *end = 0; /* no tag */
    return OK;
}

/* "<p" or "</p" at `from`: the whole tag, or HTML_TOKEN_END where the text ends in it. */
static enum err tag_take(struct html_scan *scan, size_t from, struct html_token *token)
{
    struct str text = scan->text;
    bool       is_end = text.ptr[from + 1] == '/';
    size_t     begin = from + 1 + is_end, at = begin, end = 0;
    while (at < text.len && !ends_name(text.ptr[at]))
        at++;
    *token = (struct html_token){ .kind = is_end ? HTML_TOKEN_END_TAG : HTML_TOKEN_START,
                                  .name = str_slice(text, begin, at),
                                  .from = (uint32_t)from };
    TRY(attributes_take(scan, token, at, &end));
    scan->at = end;
    if (end == 0) {
        scan->at = text.len;
        *token = (struct html_token){ .from = (uint32_t)text.len, .to = (uint32_t)text.len };
        return OK;
    }
    token->to = (uint32_t)end;
    token->tag = html_tag_find(token->name);
    return OK;
}

/* --- the next token ----------------------------------------------------------------------- */

static struct html_token text_token(size_t from, size_t to)
{
    return (
        struct html_token){ .kind = HTML_TOKEN_TEXT, .from = (uint32_t)from, .to = (uint32_t)to };
}

enum lead { LEAD_TEXT, LEAD_TAG, LEAD_DECLARATION, LEAD_BOGUS, LEAD_NOTHING };

/* What the '<' at `at` begins. */
static enum lead lead_of(struct str text, size_t at)
{
    char c = at_or(text, at + 1, ' ');
    if (is_letter(c))
        return LEAD_TAG;
    if (c == '!')
        return LEAD_DECLARATION;
    if (c == '?')
        return LEAD_BOGUS;
    if (c != '/' || at + 2 >= text.len)
        return LEAD_TEXT;
    c = text.ptr[at + 2];
    return is_letter(c) ? LEAD_TAG : c == '>' ? LEAD_NOTHING : LEAD_BOGUS;
}

void html_scan_raw(struct html_scan *scan, enum html_tag tag)
{
    scan->raw = tag;
}

/* Up to the next '<' that begins something. */
static size_t text_end(struct str text, size_t at)
{
    at = str_find_char(text, at, '<');
    while (at < text.len && lead_of(text, at) == LEAD_TEXT)
        at = str_find_char(text, at + 1, '<');
    return at;
}

static bool held_take(struct html_scan *scan, struct html_token *token)
{
    size_t from = scan->at, to = held_end(scan->text, from, scan->raw);
    scan->raw = HTML_OTHER;
    scan->at = to;
    *token = text_token(from, to);
    return to > from;
}

enum err html_scan_next(struct html_scan *scan, struct html_token *token)
{
    struct str text = scan->text;
    if (scan->raw != HTML_OTHER && held_take(scan, token))
        return OK;
    for (;;) {
        size_t from = scan->at, to = text_end(text, from);
        if (to > from) {
            scan->at = to;
            *token = text_token(from, to);
            return OK;
        }
        if (from == text.len) {
            *token = (struct html_token){ .from = (uint32_t)from, .to = (uint32_t)from };
            return OK;
        }
        switch (lead_of(text, from)) {
        case LEAD_TAG:
            return tag_take(scan, from, token);
        case LEAD_DECLARATION:
            scan->at = declaration_end(scan, from);
            break;
        case LEAD_NOTHING:
            scan->at = from + 3;
            break;
        default:
            scan->at = bogus_end(text, from + 1);
        }
    }
}
