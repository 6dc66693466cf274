/* What a letter on paper does not show of a side. */
#include "message/inline.h"
#include "message/pdf_inside.h"
#include "message/plain.h"

static uint32_t lost_of_element(enum html_tag tag)
{
    switch (tag) {
    case HTML_SVG:
    case HTML_MATH:
    case HTML_IFRAME:
    case HTML_OBJECT:
    case HTML_EMBED:
    case HTML_FORM:
    case HTML_INPUT:
    case HTML_SELECT:
    case HTML_TEXTAREA:
    case HTML_BUTTON:
    case HTML_SCRIPT:
        return PDF_LOST_OTHER;
    default:
        return 0;
    }
}

static uint32_t lost_of_style(struct str style)
{
    struct css_declaration said;
    uint32_t               lost = 0;
    while (css_declaration_next(&style, &said))
        lost |= pdf_style_lost(&said);
    return lost;
}

/* One that is in the HTML, or in the house's files, is there; what Liquid writes is not known. */
static uint32_t lost_of_image(struct str source)
{
    return pdf_image_is_ours(str_trim(source)) ? 0 : PDF_LOST_IMAGES;
}

/* What no element can have written into it. */
static uint32_t lost_of_rules(const struct html *tree, const struct html_node *nodes, uint32_t at)
{
    bool is_left = false;
    (void)tree;
    for (uint32_t i = at + 1; i < nodes[at].end; i++)
        is_left = is_left || str_trim(nodes[i].text).len > 0;
    return is_left ? PDF_LOST_STYLES : 0;
}

static uint32_t lost_of_tree(const struct html *tree)
{
    const struct html_node *nodes = html_nodes(tree);
    uint32_t                found = 0, next;
    for (uint32_t i = 0; i < html_count(tree); i = next) {
        next = i + 1;
        if (nodes[i].kind != HTML_ELEMENT)
            continue;
        if (plain_hides(tree, &nodes[i])) {
            next = nodes[i].end;
            continue;
        }
        if (html_is(&nodes[i], HTML_IMG))
            found |= lost_of_image(html_value(tree, &nodes[i], STR("src")));
        if (html_is(&nodes[i], HTML_STYLE))
            found |= lost_of_rules(tree, nodes, i);
        if (html_attribute(tree, &nodes[i], STR("background")) != NULL)
            found |= PDF_LOST_IMAGES;
        if (html_attribute(tree, &nodes[i], STR("face")) != NULL)
            found |= PDF_LOST_FONTS;
        found |= lost_of_element(nodes[i].tag);
        found |= lost_of_style(html_value(tree, &nodes[i], STR("style")));
    }
    return found;
}

enum err pdf_lost(struct str html, uint32_t *lost, struct problem *problem)
{
    SCOPED(html_closep) struct html *tree = NULL;
    SCOPED(buf_donep) struct buf     styled = buf_make(2 * (size_t)HTML_BYTES_MAX);
    enum err                         err = inline_styles(html, &styled, NULL);
    if (err == ERR_MEMORY)
        return err;
    TRY(html_parse(&tree, err == OK ? buf_view(&styled) : html, problem));
    *lost = lost_of_tree(tree);
    return OK;
}

void pdf_lost_write(uint32_t lost, struct buf *out)
{
    static const char *const words[] = { "images", "some styles", "fonts",
                                         "forms, drawings and the like" };
    bool                     first = true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if ((lost & (1U << i)) == 0)
            continue;
        buf_format(out, "%s%s", first ? "" : ", ", words[i]);
        first = false;
    }
}
