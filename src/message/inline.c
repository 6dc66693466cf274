#include "message/inline.h"

#include <stdlib.h>
#include <string.h>

#include "message/css.h"

enum { ARENA_BYTES_MAX = 256 << 20, APPLIED_MAX = 1000 /* rules that mean one element */ };

/* A rule that means an element, by the selector that says so most specifically. */
struct applied {
    const struct css_rule *rule;
    uint32_t               specificity, order;
};

struct inlining {
    struct html   *html;
    struct arena  *arena;
    struct css     css;    /* of all styles */
    uint32_t      *styles; /* of each rule: the text node it is in */
    struct applied applied[APPLIED_MAX];
    uint32_t       applied_count;
    uint64_t       work;
    bool           is_copied; /* rules stay where they are, too */
    struct buf    *out;
    size_t         done; /* how much of the text is written */
};

/* --- what is there ------------------------------------------------------------------------ */

static bool has_liquid(struct str text)
{
    return str_find(text, 0, STR("{{")) < text.len || str_find(text, 0, STR("{%")) < text.len;
}

/* With any white space and dash. */
bool inline_has_snippets(struct str text)
{
    for (size_t at = str_find(text, 0, STR("{%")); at < text.len;
         at = str_find(text, at + 2, STR("{%"))) {
        struct str rest = str_slice(text, at + 2, at + 64);
        if (rest.len > 0 && rest.ptr[0] == '-')
            rest = str_slice(rest, 1, rest.len);
        rest = str_trim(rest);
        if (str_starts(rest, STR("render")) || str_starts(rest, STR("include")))
            return true;
    }
    return false;
}

static bool is_unforeseeable(const struct html *html)
{
    const struct html_node *nodes = html_nodes(html);
    for (uint32_t at = 0; at < html_count(html); at++)
        if (nodes[at].kind == HTML_ELEMENT &&
            (has_liquid(html_value(html, &nodes[at], STR("class"))) ||
             has_liquid(html_value(html, &nodes[at], STR("id")))))
            return true;
    return inline_has_snippets(html_text(html));
}

/* The text of a <style> that is ours to read, or NULL. */
static const struct html_node *style_text(const struct html *html, uint32_t at)
{
    const struct html_node *node = &html_nodes(html)[at];
    struct str              media = html_value(html, node, STR("media"));
    bool                    is_read = html_is(node, HTML_STYLE) && node->end == at + 2 &&
                   (media.len == 0 || str_eq_nocase(media, STR("all"))) &&
                   !str_eq_nocase(html_value(html, node, STR("data-dult-inline")), STR("no"));
    return is_read ? node + 1 : NULL;
}

static enum err styles_read(struct inlining *in)
{
    in->styles = ARENA_ARRAY(in->arena, CSS_RULES_MAX, uint32_t);
    if (in->styles == NULL)
        return ERR_MEMORY;
    for (uint32_t at = 0; at < html_count(in->html); at++) {
        const struct html_node *text = style_text(in->html, at);
        uint32_t                before = in->css.count;
        if (text == NULL)
            continue;
        struct str written = str_slice(html_text(in->html), text->from, text->to);
        TRY(css_read(&in->css, written, in->arena));
        for (uint32_t i = before; i < in->css.count; i++) {
            in->styles[i] = at + 1;
            in->css.rules[i].from += text->from;
            in->css.rules[i].to += text->from;
        }
    }
    return OK;
}

/* --- which rules mean an element ---------------------------------------------------------- */

static int applied_cmp(const void *a, const void *b)
{
    const struct applied *left = a, *right = b;
    if (left->specificity != right->specificity)
        return left->specificity < right->specificity ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

static void rules_find(struct inlining *in, uint32_t at)
{
    in->applied_count = 0;
    for (uint32_t i = 0; i < in->css.count && in->applied_count < APPLIED_MAX; i++) {
        const struct css_rule *rule = &in->css.rules[i];
        uint32_t               most = 0;
        for (uint32_t k = 0; k < rule->selectors_count; k++)
            if (rule->selectors[k].specificity > most &&
                css_matches(&rule->selectors[k], in->html, at, &in->work))
                most = rule->selectors[k].specificity;
        if (most > 0)
            in->applied[in->applied_count++] = (struct applied){ rule, most, i };
    }
    if (in->applied_count > 1)
        qsort(in->applied, in->applied_count, sizeof in->applied[0], applied_cmp);
}

static bool says(const struct css_rule *rule, const struct css_declaration *declaration,
                 bool important)
{
    for (uint32_t i = 0; i < rule->declarations_count; i++)
        if (rule->declarations[i].is_important == important &&
            str_eq_nocase(rule->declarations[i].name, declaration->name))
            return true;
    return false;
}

/* Does a later rule, or one that is important, or the element itself say it again? */
static bool is_overruled(const struct inlining *in, uint32_t place,
                         const struct css_declaration *declaration, struct str own)
{
    for (uint32_t i = 0; i < in->applied_count; i++)
        if ((i > place && says(in->applied[i].rule, declaration, declaration->is_important)) ||
            (!declaration->is_important && says(in->applied[i].rule, declaration, true)))
            return true;
    if (declaration->is_important || has_liquid(own))
        return false;
    struct css_declaration mine;
    while (css_declaration_next(&own, &mine))
        if (str_eq_nocase(mine.name, declaration->name))
            return true;
    return false;
}

/* --- writing ------------------------------------------------------------------------------ */

/*
 * Quotes of the attribute's own kind become the other kind, in strings and in Liquid's; line breaks
 * become spaces, so that lines keep their numbers.
 */
static void value_write(struct buf *out, struct str value, char quote)
{
    char other = quote == '"' ? '\'' : '"';
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool is_break = c == '\n' || c == '\r';
        if (c == '&')
            buf_str(out, STR("&amp;"));
        else
            buf_char(out, c == quote ? other : is_break ? ' ' : c);
    }
}

/* Both kinds of quotes in one value cannot be swapped without changing what it says. */
static bool is_writable(struct str value)
{
    return str_find_char(value, 0, '"') == value.len || str_find_char(value, 0, '\'') == value.len;
}

static void declarations_write(struct inlining *in, bool important, struct str own, char quote)
{
    for (uint32_t i = 0; i < in->applied_count; i++) {
        const struct css_rule *rule = in->applied[i].rule;
        for (uint32_t k = 0; k < rule->declarations_count; k++) {
            const struct css_declaration *one = &rule->declarations[k];
            if (one->is_important != important || !is_writable(one->value) ||
                is_overruled(in, i, one, own))
                continue;
            value_write(in->out, one->name, quote);
            buf_char(in->out, ':');
            value_write(in->out, one->value, quote);
            buf_char(in->out, ';');
        }
    }
}

static void copy_to(struct inlining *in, size_t to)
{
    buf_str(in->out, str_slice(html_text(in->html), in->done, to));
    in->done = to;
}

/* Into the element's own style: before it, and after it what is important. */
static void own_style_extend(struct inlining *in, const struct html_attribute *style)
{
    struct str text = html_text(in->html);
    char       quote = style->bytes > 0 ? text.ptr[style->from] : ' ';
    if (quote != '"' && quote != '\'')
        return;
    size_t     from = style->from + 1, to = style->from + style->bytes - 1;
    struct str own = str_slice(text, from, to);
    copy_to(in, from);
    declarations_write(in, false, own, quote);
    copy_to(in, to);
    size_t     before = in->out->len;
    struct str written = str_trim(own);
    bool       is_open = written.len > 0 && written.ptr[written.len - 1] != ';';
    if (is_open)
        buf_char(in->out, ';');
    declarations_write(in, true, own, quote);
    if (is_open && in->out->len == before + 1)
        in->out->len = before; /* nothing was important */
}

static void style_add(struct inlining *in, const struct html_node *node)
{
    static const struct str lead = { " style=\"", 8 };
    copy_to(in, node->from + 1 + node->text.len);
    size_t before = in->out->len;
    buf_str(in->out, lead);
    declarations_write(in, false, STR_NONE, '"');
    declarations_write(in, true, STR_NONE, '"');
    if (in->out->len == before + lead.len)
        in->out->len = before; /* said by nobody */
    else
        buf_char(in->out, '"');
}

static bool is_seen(const struct html_node *node)
{
    return node->kind == HTML_ELEMENT && node->to > node->from &&
           !(html_tag_flags(node->tag) & HTML_IS_HEAD) && node->tag != HTML_HTML;
}

static void element_write(struct inlining *in, uint32_t at)
{
    const struct html_node *node = &html_nodes(in->html)[at];
    rules_find(in, at);
    if (in->applied_count == 0)
        return;
    const struct html_attribute *style = html_attribute(in->html, node, STR("style"));
    if (style != NULL)
        own_style_extend(in, style);
    else
        style_add(in, node);
}

/* --- what is left of a style -------------------------------------------------------------- */

static bool is_movable(const struct css_rule *rule)
{
    for (uint32_t i = 0; i < rule->declarations_count; i++)
        if (!is_writable(rule->declarations[i].value))
            return false;
    return true;
}

static void breaks_leave(struct inlining *in, size_t to)
{
    struct str text = html_text(in->html);
    for (; in->done < to; in->done++)
        if (text.ptr[in->done] == '\n')
            buf_char(in->out, '\n');
}

static void rules_leave(struct inlining *in, uint32_t at)
{
    for (uint32_t i = 0; i < in->css.count && !in->is_copied; i++) {
        const struct css_rule *rule = &in->css.rules[i];
        if (in->styles[i] != at || !is_movable(rule))
            continue;
        copy_to(in, rule->from);
        breaks_leave(in, rule->to);
    }
    copy_to(in, html_nodes(in->html)[at].to);
}

/* --- the call ----------------------------------------------------------------------------- */

static enum err limit(struct problem *problem)
{
    return problem_format(problem, ERR_LIMIT, "html",
                          "take rules out that no element needs, or mark the style with "
                          "data-dult-inline=\"no\"",
                          "the style has too many rules (%d are the most) for so many elements",
                          CSS_RULES_MAX);
}

static enum err inlining_run(struct inlining *in, struct problem *problem)
{
    enum err err = styles_read(in);
    if (err == ERR_LIMIT)
        return limit(problem);
    TRY(err);
    in->is_copied = is_unforeseeable(in->html);
    for (uint32_t at = 1; at < html_count(in->html) && in->css.count > 0; at++) {
        if (is_seen(&html_nodes(in->html)[at]))
            element_write(in, at);
        else if (html_is(&html_nodes(in->html)[html_nodes(in->html)[at].parent], HTML_STYLE))
            rules_leave(in, at);
    }
    if (in->work == 0)
        return limit(problem);
    copy_to(in, html_text(in->html).len);
    return buf_err(in->out);
}

enum err inline_styles(struct str html, struct buf *out, struct problem *problem)
{
    struct html *parsed = NULL;
    TRY(html_parse(&parsed, html, problem));
    struct inlining *in = calloc(1, sizeof *in);
    enum err         err = ERR_MEMORY;
    if (in != NULL)
        in->arena = arena_open(ARENA_BYTES_MAX);
    if (in != NULL && in->arena != NULL) {
        in->html = parsed;
        in->work = INLINE_WORK_MAX;
        in->out = out;
        err = inlining_run(in, problem);
    }
    if (in != NULL)
        arena_close(in->arena);
    free(in);
    html_close(parsed);
    return err;
}
