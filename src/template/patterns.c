#include "template/patterns.h"

#include <string.h>

#include "template/lexer.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes of "..." or '...' at `at`, 0 when it is none or is not closed. */
static size_t quoted_length(struct str text, size_t at)
{
    char quote = at < text.len ? text.ptr[at] : '\0';
    if (quote != '"' && quote != '\'')
        return 0;
    size_t close = str_find_char(text, at + 1, quote);
    return close < text.len ? close + 1 - at : 0;
}

static bool is_plain(char c)
{
    return !is_space(c) && c != ',' && c != '|' && c != '"' && c != '\'';
}

static size_t run_length(struct str text, size_t at)
{
    size_t from = at;
    while (at < text.len) {
        size_t quoted = is_plain(text.ptr[at]) ? 1 : quoted_length(text, at);
        if (quoted == 0)
            break;
        at += quoted;
    }
    return at - from;
}

size_t pattern_fragment_length(struct str text)
{
    size_t quoted = quoted_length(text, 0);
    return quoted > 0 ? quoted : run_length(text, 0);
}

size_t pattern_fragments_length(struct str text)
{
    return run_length(text, 0);
}

size_t pattern_space_length(struct str text)
{
    size_t n = 0;
    while (n < text.len && is_space(text.ptr[n]))
        n++;
    return n;
}

size_t pattern_word_length(struct str text, bool hyphens)
{
    size_t n = 0;
    while (n < text.len && (text_is_word(text.ptr[n]) || (hyphens && text.ptr[n] == '-')))
        n++;
    return n;
}

static struct str cut(struct str *rest, size_t from, size_t to)
{
    struct str out = str_slice(*rest, from, to);
    *rest = str_slice(*rest, to, rest->len);
    return out;
}

bool pattern_fragment(struct str *rest, struct str *out)
{
    bool unclosed[2] = { false, false }; /* a quote that is not closed closes for none behind it */
    for (size_t at = 0; at < rest->len; at++) {
        char c = rest->ptr[at];
        bool quote = c == '"' || c == '\'';
        if (!quote && !is_plain(c))
            continue;
        if (quote && unclosed[c == '"'])
            continue;
        size_t n = pattern_fragment_length(str_slice(*rest, at, rest->len));
        if (n > 0) {
            *out = cut(rest, at, at + n);
            return true;
        }
        unclosed[c == '"'] = true;
    }
    return false;
}

bool pattern_quoted(struct str *rest, struct str *out)
{
    for (size_t at = 0; at < rest->len; at++) {
        char   c = rest->ptr[at];
        size_t n = quoted_length(*rest, at);
        if (n > 0) {
            for (size_t more = 1; more > 0; n += more)
                more = quoted_length(*rest, at + n);
            *out = cut(rest, at, at + n);
            return true;
        }
        /* A quote that is not closed: none of its kind is, behind it. */
        if (c == '"' || c == '\'') {
            char   other = c == '"' ? '\'' : '"';
            size_t next = str_find_char(*rest, at, other);
            if (next >= rest->len)
                return false;
            at = next - 1;
        }
    }
    return false;
}

bool pattern_attribute(struct str *rest, struct str *key, struct str *value)
{
    for (size_t at = 0; at < rest->len;) {
        struct str tail = str_slice(*rest, at, rest->len);
        if (!text_is_word(tail.ptr[0])) {
            at++;
            continue;
        }
        size_t word = pattern_word_length(tail, true);
        size_t colon = word + pattern_space_length(str_slice(tail, word, tail.len));
        size_t from = colon + 1;
        if (colon < tail.len && tail.ptr[colon] == ':') {
            from += pattern_space_length(str_slice(tail, from, tail.len));
            size_t n = pattern_fragment_length(str_slice(tail, from, tail.len));
            if (n > 0) {
                *key = str_slice(tail, 0, word);
                *value = str_slice(tail, from, from + n);
                *rest = str_slice(tail, from + n, tail.len);
                return true;
            }
        }
        at += word;
    }
    return false;
}

static bool is_target(char c)
{
    return text_is_word(c) || c == '-' || c == '.' || c == '[' || c == ']';
}

static size_t target_length(struct str text)
{
    size_t at = 0;
    for (;;) {
        size_t n = at + (at < text.len && text.ptr[at] == '(');
        if (n >= text.len || !is_target(text.ptr[n]))
            return at;
        at = n + 1;
        at += at < text.len && text.ptr[at] == ')';
    }
}

bool pattern_target(struct str *rest, struct str *out)
{
    for (size_t at = 0; at < rest->len; at++) {
        size_t n = target_length(str_slice(*rest, at, rest->len));
        if (n == 0)
            continue;
        *out = cut(rest, at, at + n);
        return true;
    }
    return false;
}

bool pattern_keyword(struct str *rest, struct str word)
{
    size_t     space = pattern_space_length(*rest);
    struct str tail = str_slice(*rest, space, rest->len);
    if (space == 0 || !str_starts(tail, word))
        return false;
    tail = str_slice(tail, word.len, tail.len);
    size_t behind = pattern_space_length(tail);
    if (behind == 0)
        return false;
    *rest = str_slice(tail, behind, tail.len);
    return true;
}

static bool is_boundary(struct str text, size_t at)
{
    bool before = at > 0 && text_is_word(text.ptr[at - 1]);
    bool behind = at < text.len && text_is_word(text.ptr[at]);
    return before != behind;
}

/* \b\s?(and|or)\s?\b at `at`: its bytes, or 0. */
static size_t operator_length(struct str text, size_t at)
{
    if (!is_boundary(text, at))
        return 0;
    size_t n = at + (at < text.len && is_space(text.ptr[at]));
    if (str_starts(str_slice(text, n, text.len), STR("and")))
        n += 3;
    else if (str_starts(str_slice(text, n, text.len), STR("or")))
        n += 2;
    else
        return 0;
    if (n < text.len && is_space(text.ptr[n]) && is_boundary(text, n + 1))
        return n + 1 - at;
    return is_boundary(text, n) ? n - at : 0;
}

/* Fragments, or anything that is no space, up to the next operator. */
static size_t condition_length(struct str text, size_t from)
{
    size_t at = from;
    for (;;) {
        size_t     begin = at + pattern_space_length(str_slice(text, at, text.len));
        struct str tail = str_slice(text, begin, text.len);
        if (tail.len == 0 || operator_length(text, begin) > 0)
            return at == from ? 0 : begin - from;
        size_t n = pattern_fragment_length(tail);
        if (n == 0)
            while (n < tail.len && !is_space(tail.ptr[n]))
                n++;
        at = begin + n;
    }
}

bool pattern_condition(struct str *rest, struct str *out, bool *is_operator)
{
    for (size_t at = 0; at < rest->len; at++) {
        size_t n = operator_length(*rest, at);
        *is_operator = n > 0;
        if (n == 0)
            n = condition_length(*rest, at);
        if (n == 0)
            continue;
        *out = str_trim(str_slice(*rest, at, at + n));
        *rest = str_slice(*rest, at + n, rest->len);
        return true;
    }
    return false;
}
