/*
 * inline_fuzz: whatever the HTML and its styles, inlining changes styles and nothing else.
 *
 * The result has the same elements in the same places with the same attributes but style, the same
 * texts but those of <style>, and as many lines.
 */
#include <stdint.h>
#include <stdlib.h>

#include "message/html.h"
#include "message/inline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool holds)
{
    if (!holds)
        abort();
}

static size_t lines_count(struct str text)
{
    size_t count = 0;
    for (size_t at = str_find_char(text, 0, '\n'); at < text.len; count++)
        at = str_find_char(text, at + 1, '\n');
    return count;
}

static void attributes_same(const struct html *a, const struct html_node *left,
                            const struct html *b, const struct html_node *right)
{
    bool had = html_attribute(a, left, STR("style")) != NULL;
    bool has = html_attribute(b, right, STR("style")) != NULL;
    need(has || !had);
    need(left->attributes_count + (has && !had) == right->attributes_count);
    static const char *const names[] = { "href", "class", "id", "src", "a" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        need(str_eq(html_value(a, left, str_of(names[i])), html_value(b, right, str_of(names[i]))));
}

static bool is_style_text(const struct html *html, uint32_t at)
{
    const struct html_node *nodes = html_nodes(html);
    return nodes[at].kind == HTML_TEXT && html_is(&nodes[nodes[at].parent], HTML_STYLE);
}

static void trees_same(const struct html *a, const struct html *b)
{
    uint32_t left = 0, right = 0;
    while (left < html_count(a) && right < html_count(b)) {
        left += is_style_text(a, left); /* it may be gone altogether */
        right += is_style_text(b, right);
        if (left == html_count(a) || right == html_count(b))
            break;
        const struct html_node *one = &html_nodes(a)[left++], *other = &html_nodes(b)[right++];
        need(one->kind == other->kind && one->tag == other->tag);
        need(str_eq(one->text, other->text));
        attributes_same(a, one, b, other);
    }
    left += left < html_count(a) && is_style_text(a, left);
    need(left == html_count(a) && right == html_count(b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str                       text = { (const char *)data, size };
    SCOPED(html_closep) struct html *before = NULL, *after = NULL;
    SCOPED(buf_donep) struct buf     out = buf_make(64 << 20);
    if (inline_styles(text, &out, NULL) != OK || html_parse(&before, text, NULL) != OK)
        return 0;
    need(lines_count(text) == lines_count(buf_view(&out)));
    if (html_parse(&after, buf_view(&out), NULL) == OK)
        trees_same(before, after);
    return 0;
}
