/* What a letter on paper does not show of a side. */
#include "message/pdf.h"
#include "message/plain.h"

static uint32_t lost_of_element(enum html_tag tag)
{
    switch (tag) {
    case HTML_IMG:
    case HTML_IMAGE:
        return PDF_LOST_IMAGES;
    case HTML_TABLE:
        return PDF_LOST_TABLES;
    case HTML_STYLE:
        return PDF_LOST_STYLES;
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

/* "text-align: right" alone is no loss. */
static uint32_t lost_of_style(struct str style)
{
    struct str declaration;
    while (style.len > 0 && str_split(&style, ';', &declaration)) {
        struct str name = str_trim(str_slice(declaration, 0, str_find_char(declaration, 0, ':')));
        if (name.len > 0 && !str_eq_nocase(name, STR("text-align")))
            return PDF_LOST_STYLES;
    }
    return 0;
}

enum err pdf_lost(struct str html, uint32_t *lost, struct problem *problem)
{
    SCOPED(html_closep) struct html *tree = NULL;
    uint32_t                         found = 0, next;
    TRY(html_parse(&tree, html, problem));
    const struct html_node *nodes = html_nodes(tree);
    for (uint32_t i = 0; i < html_count(tree); i = next) {
        next = i + 1;
        if (nodes[i].kind != HTML_ELEMENT)
            continue;
        if (plain_hides(tree, &nodes[i])) {
            next = nodes[i].end;
            continue;
        }
        found |= lost_of_element(nodes[i].tag);
        found |= lost_of_style(html_value(tree, &nodes[i], STR("style")));
    }
    *lost = found;
    return OK;
}

void pdf_lost_write(uint32_t lost, struct buf *out)
{
    static const char *const words[] = { "images", "styles", "tables",
                                         "forms, drawings and the like" };
    bool                     first = true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if ((lost & (1U << i)) == 0)
            continue;
        buf_format(out, "%s%s", first ? "" : ", ", words[i]);
        first = false;
    }
}
