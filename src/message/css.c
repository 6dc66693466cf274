#include "message/css.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool starts_at(struct str text, size_t at, struct str what)
{
    return str_starts(str_slice(text, at, text.len), what);
}

/* --- words of the language ---------------------------------------------------------------- */

/* Behind what is one thing at `at`: a string, a comment, {{ Liquid }}, or a byte. */
static size_t thing_end(struct str text, size_t at)
{
    char   c = text.ptr[at];
    size_t end = at + 1;
    if (c == '"' || c == '\'') {
        while (end < text.len && text.ptr[end] != c && text.ptr[end] != '\n')
            end += text.ptr[end] == '\\' ? 2 : 1;
        return end < text.len ? end + 1 : text.len;
    }
    if (starts_at(text, at, STR("/*")))
        end = str_find(text, at + 2, STR("*/")) + 2;
    else if (starts_at(text, at, STR("{{")))
        end = str_find(text, at + 2, STR("}}")) + 2;
    return end < text.len ? end : text.len;
}

/* The first of `stops` outside strings, comments, Liquid and parentheses, or the text's length. */
static size_t stop_find(struct str text, size_t at, const char *stops)
{
    int deep = 0;
    while (at < text.len) {
        char c = text.ptr[at];
        bool is_liquid = starts_at(text, at, STR("{{"));
        if (deep == 0 && !is_liquid && c != '\0' && strchr(stops, c) != NULL)
            return at;
        deep += c == '(';
        deep -= c == ')' && deep > 0;
        at = thing_end(text, at);
    }
    return at;
}

/* White space, comments and the marks that hid styles from old browsers. */
static size_t blank_skip(struct str text, size_t at)
{
    while (at < text.len) {
        if (is_space(text.ptr[at]))
            at++;
        else if (starts_at(text, at, STR("/*")))
            at = thing_end(text, at);
        else if (starts_at(text, at, STR("<!--")))
            at += 4;
        else if (starts_at(text, at, STR("-->")))
            at += 3;
        else
            break;
    }
    return at;
}

/* Behind the block whose '{' is at `at`. */
static size_t block_end(struct str text, size_t at)
{
    int deep = 0;
    while (at < text.len) {
        if (!starts_at(text, at, STR("{{"))) {
            deep += text.ptr[at] == '{';
            deep -= text.ptr[at] == '}';
            if (deep == 0)
                return at + 1;
        } else if (deep == 0) {
            return text.len;
        }
        at = thing_end(text, at);
    }
    return at;
}

/* --- lists that grow ---------------------------------------------------------------------- */

/* Room for one more of `bytes`, zeroed; lists double. NULL without memory. */
static void *list_add(struct arena *arena, void *list, uint32_t *count, uint32_t *room,
                      size_t bytes)
{
    if (*count == *room) {
        uint32_t larger = *room == 0 ? 4 : *room * 2;
        char    *grown = arena_array(arena, larger, bytes);
        if (grown == NULL)
            return NULL;
        if (*count > 0)
            memcpy(grown, *(void **)list, *count * bytes);
        *(void **)list = grown;
        *room = larger;
    }
    return *(char **)list + (*count)++ * bytes;
}

/* --- selectors ---------------------------------------------------------------------------- */

struct selecting {
    struct str      text;
    size_t          at;
    struct css_part parts[CSS_PARTS_MAX];
    uint32_t        count;
    enum css_outer  outer; /* of the next part */
    bool            is_known;
};

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || (unsigned char)c >= 0x80;
}

static struct str name_take(struct selecting *s)
{
    size_t from = s->at;
    while (s->at < s->text.len && is_name_byte(s->text.ptr[s->at]))
        s->at++;
    s->is_known = s->is_known && s->at > from;
    return str_slice(s->text, from, s->at);
}

static void part_add(struct selecting *s, struct css_part part)
{
    if (s->count == CSS_PARTS_MAX) {
        s->is_known = false;
        return;
    }
    part.outer = s->outer;
    s->outer = CSS_SAME;
    s->parts[s->count++] = part;
}

/* The value of an attribute's test, with or without quotes. */
static struct str test_value(struct selecting *s)
{
    char quote = s->at < s->text.len ? s->text.ptr[s->at] : ' ';
    if (quote != '"' && quote != '\'')
        return name_take(s);
    size_t     end = str_find_char(s->text, s->at + 1, quote);
    struct str value = str_slice(s->text, s->at + 1, end);
    s->at = end + 1;
    s->is_known = s->is_known && end < s->text.len && str_find_char(value, 0, '\\') == value.len;
    return value;
}

/* "[a^=b]" at its '['. */
static void attribute_take(struct selecting *s)
{
    static const struct {
        struct str         sign;
        enum css_part_kind kind;
    } tests[] = { { { "=", 1 }, CSS_IS },        { { "~=", 2 }, CSS_WORD },
                  { { "|=", 2 }, CSS_LANGUAGE }, { { "^=", 2 }, CSS_STARTS },
                  { { "$=", 2 }, CSS_ENDS },     { { "*=", 2 }, CSS_CONTAINS } };
    s->at = blank_skip(s->text, s->at + 1);
    struct css_part part = { .kind = CSS_HAS, .name = name_take(s) };
    s->at = blank_skip(s->text, s->at);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        if (!starts_at(s->text, s->at, tests[i].sign))
            continue;
        part.kind = tests[i].kind;
        s->at = blank_skip(s->text, s->at + tests[i].sign.len);
        part.value = test_value(s);
        s->at = blank_skip(s->text, s->at);
        break;
    }
    s->is_known = s->is_known && s->at < s->text.len && s->text.ptr[s->at] == ']';
    s->at++;
    part_add(s, part);
}

/* White space and '>' between two parts. */
static void join_take(struct selecting *s)
{
    size_t next = blank_skip(s->text, s->at);
    bool   is_child = next < s->text.len && s->text.ptr[next] == '>';
    if (is_child)
        next = blank_skip(s->text, next + 1);
    s->is_known = s->is_known && s->count > 0 && next < s->text.len;
    s->outer = is_child ? CSS_DIRECTLY_IN : CSS_IN;
    s->at = next;
}

static void part_take(struct selecting *s)
{
    char c = s->text.ptr[s->at];
    if (c == '[') {
        attribute_take(s);
    } else if (is_space(c) || c == '>' || starts_at(s->text, s->at, STR("/*"))) {
        join_take(s);
    } else if (c == '.' || c == '#') {
        s->at++;
        part_add(s, (struct css_part){ c == '.' ? CSS_CLASS : CSS_ID, CSS_SAME, name_take(s) });
    } else if (is_name_byte(c) && (s->count == 0 || s->outer != CSS_SAME)) {
        part_add(s, (struct css_part){ CSS_TYPE, CSS_SAME, name_take(s) });
    } else {
        s->is_known = false;
    }
}

static uint32_t specificity_of(const struct selecting *s)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < s->count; i++)
        sum += s->parts[i].kind == CSS_ID ? 1 << 20 : s->parts[i].kind == CSS_TYPE ? 1 : 1 << 10;
    return sum;
}

static enum err selector_read(struct str text, struct arena *arena, struct css_selector *out,
                              bool *is_known)
{
    struct selecting s = { .text = str_trim(text), .is_known = true };
    while (s.is_known && s.at < s.text.len)
        part_take(&s);
    *is_known = s.is_known && s.count > 0 && s.outer == CSS_SAME;
    if (!*is_known)
        return OK;
    out->parts = ARENA_ARRAY(arena, s.count, struct css_part);
    if (out->parts == NULL)
        return ERR_MEMORY;
    memcpy(out->parts, s.parts, s.count * sizeof s.parts[0]);
    out->count = s.count;
    out->specificity = specificity_of(&s);
    return OK;
}

/* --- rules -------------------------------------------------------------------------------- */

static enum err selectors_read(struct css_rule *rule, struct str prelude, struct arena *arena,
                               bool *are_known)
{
    uint32_t room = 0;
    *are_known = true;
    for (size_t from = 0; from <= prelude.len && *are_known;) {
        size_t               end = stop_find(prelude, from, ",");
        struct css_selector *selector =
            list_add(arena, &rule->selectors, &rule->selectors_count, &room, sizeof *selector);
        if (selector == NULL)
            return ERR_MEMORY;
        TRY(selector_read(str_slice(prelude, from, end), arena, selector, are_known));
        from = end + 1;
    }
    return OK;
}

static bool important_cut(struct str *value)
{
    size_t mark = value->len;
    while (mark > 0 && value->ptr[mark - 1] != '!')
        mark--;
    if (mark == 0 ||
        !str_eq_nocase(str_trim(str_slice(*value, mark, value->len)), STR("important")))
        return false;
    *value = str_trim(str_slice(*value, 0, mark - 1));
    return true;
}

bool css_declaration_next(struct str *rest, struct css_declaration *out)
{
    while (rest->len > 0) {
        size_t     from = blank_skip(*rest, 0), end = stop_find(*rest, from, ";");
        struct str text = str_slice(*rest, from, end);
        size_t     colon = stop_find(text, 0, ":");
        *rest = str_slice(*rest, end + 1, rest->len);
        if (colon == text.len)
            continue;
        *out = (struct css_declaration){ .name = str_trim(str_slice(text, 0, colon)),
                                         .value = str_trim(str_slice(text, colon + 1, text.len)) };
        out->is_important = important_cut(&out->value);
        if (out->name.len > 0 && out->value.len > 0)
            return true;
    }
    return false;
}

static enum err declarations_read(struct css_rule *rule, struct str block, struct arena *arena)
{
    struct css_declaration one, *added;
    uint32_t               room = 0;
    while (css_declaration_next(&block, &one)) {
        added = list_add(arena, &rule->declarations, &rule->declarations_count, &room, sizeof one);
        if (added == NULL)
            return ERR_MEMORY;
        *added = one;
    }
    return OK;
}

static enum err rule_read(struct css *css, struct str text, struct css_rule rule, size_t brace,
                          struct arena *arena)
{
    bool are_known;
    TRY(selectors_read(&rule, str_slice(text, rule.from, brace), arena, &are_known));
    if (!are_known)
        return OK;
    struct str block = str_slice(text, brace + 1, rule.to);
    if (block.len > 0 && block.ptr[block.len - 1] == '}')
        block.len--;
    TRY(declarations_read(&rule, block, arena));
    if (css->count == CSS_RULES_MAX)
        return ERR_LIMIT;
    struct css_rule *added = list_add(arena, &css->rules, &css->count, &css->room, sizeof rule);
    if (added == NULL)
        return ERR_MEMORY;
    *added = rule;
    return OK;
}

enum err css_read(struct css *css, struct str text, struct arena *arena)
{
    if (str_find(text, 0, STR("{%")) < text.len)
        return OK;
    for (size_t at = blank_skip(text, 0); at < text.len; at = blank_skip(text, at)) {
        bool   is_at_rule = text.ptr[at] == '@';
        size_t stop = stop_find(text, at, is_at_rule ? "{;" : "{");
        if (stop == text.len)
            return OK;
        size_t end = text.ptr[stop] == ';' ? stop + 1 : block_end(text, stop);
        if (!is_at_rule)
            TRY(rule_read(css, text, (struct css_rule){ (uint32_t)at, (uint32_t)end }, stop,
                          arena));
        at = end;
    }
    return OK;
}

/* --- matching ----------------------------------------------------------------------------- */

static bool has_word(struct str text, struct str word)
{
    for (size_t at = 0; at < text.len && word.len > 0;) {
        while (at < text.len && is_space(text.ptr[at]))
            at++;
        size_t from = at;
        while (at < text.len && !is_space(text.ptr[at]))
            at++;
        if (str_eq(str_slice(text, from, at), word))
            return true;
    }
    return false;
}

static bool value_matches(enum css_part_kind kind, struct str value, struct str wanted)
{
    switch (kind) {
    case CSS_HAS:
        return true;
    case CSS_ID:
    case CSS_IS:
        return str_eq(value, wanted);
    case CSS_CLASS:
    case CSS_WORD:
        return has_word(value, wanted);
    case CSS_LANGUAGE:
        return str_starts(value, wanted) &&
               (value.len == wanted.len || value.ptr[wanted.len] == '-');
    case CSS_STARTS:
        return wanted.len > 0 && str_starts(value, wanted);
    case CSS_ENDS:
        return wanted.len > 0 && str_ends(value, wanted);
    default:
        return wanted.len > 0 && str_find(value, 0, wanted) < value.len;
    }
}

static bool part_matches(const struct css_part *part, const struct html *html,
                         const struct html_node *node)
{
    if (part->kind == CSS_TYPE)
        return str_eq_nocase(node->text, part->name);
    bool                         is_named = part->kind == CSS_CLASS || part->kind == CSS_ID;
    struct str                   name = part->kind == CSS_CLASS ? STR("class")
                                        : part->kind == CSS_ID  ? STR("id")
                                                                : part->name;
    const struct html_attribute *found = html_attribute(html, node, name);
    return found != NULL &&
           value_matches(part->kind, found->value, is_named ? part->name : part->value);
}

/* Do the first `count` parts mean the node at `at`, the last of them itself? */
static bool parts_match(const struct css_selector *selector, uint32_t count,
                        const struct html *html, uint32_t at, uint64_t *work)
{
    const struct html_node *nodes = html_nodes(html);
    for (;;) {
        if (*work == 0)
            return false;
        --*work;
        const struct css_part *part = &selector->parts[--count];
        if (nodes[at].kind != HTML_ELEMENT || !part_matches(part, html, &nodes[at]))
            return false;
        if (count == 0)
            return true;
        if (part->outer == CSS_SAME)
            continue;
        if (part->outer == CSS_DIRECTLY_IN) {
            at = nodes[at].parent;
            continue;
        }
        for (at = nodes[at].parent; at > 0; at = nodes[at].parent)
            if (parts_match(selector, count, html, at, work))
                return true;
        return false;
    }
}

bool css_matches(const struct css_selector *selector, const struct html *html, uint32_t at,
                 uint64_t *work)
{
    return parts_match(selector, selector->count, html, at, work);
}
