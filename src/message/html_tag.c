#include "message/html_tag.h"

#include <string.h>

enum {
    VOID = HTML_IS_VOID,
    SPECIAL = HTML_IS_SPECIAL,
    BLOCK = HTML_IS_BLOCK,
    FORMATTING = HTML_IS_FORMATTING,
    HEAD = HTML_IS_HEAD,
    TABLE = HTML_IS_TABLE,
    RAW = HTML_IS_RAW,
    TITLE = HTML_IS_TITLE,
    SCRIPT = HTML_IS_SCRIPT,
    REST = HTML_IS_REST,
};

static const struct {
    struct str name;
    uint32_t   flags;
} tags[HTML_TAGS] = {
    [HTML_A] = { { "a", 1 }, FORMATTING },
    [HTML_ADDRESS] = { { "address", 7 }, SPECIAL | BLOCK },
    [HTML_APPLET] = { { "applet", 6 }, SPECIAL },
    [HTML_AREA] = { { "area", 4 }, VOID | SPECIAL },
    [HTML_ARTICLE] = { { "article", 7 }, SPECIAL | BLOCK },
    [HTML_ASIDE] = { { "aside", 5 }, SPECIAL | BLOCK },
    [HTML_B] = { { "b", 1 }, FORMATTING },
    [HTML_BASE] = { { "base", 4 }, VOID | SPECIAL | HEAD },
    [HTML_BASEFONT] = { { "basefont", 8 }, VOID | SPECIAL | HEAD },
    [HTML_BGSOUND] = { { "bgsound", 7 }, VOID | SPECIAL | HEAD },
    [HTML_BIG] = { { "big", 3 }, FORMATTING },
    [HTML_BLOCKQUOTE] = { { "blockquote", 10 }, SPECIAL | BLOCK },
    [HTML_BODY] = { { "body", 4 }, SPECIAL },
    [HTML_BR] = { { "br", 2 }, VOID | SPECIAL },
    [HTML_BUTTON] = { { "button", 6 }, SPECIAL },
    [HTML_CAPTION] = { { "caption", 7 }, SPECIAL | TABLE },
    [HTML_CENTER] = { { "center", 6 }, SPECIAL | BLOCK },
    [HTML_CODE] = { { "code", 4 }, FORMATTING },
    [HTML_COL] = { { "col", 3 }, VOID | SPECIAL | TABLE },
    [HTML_COLGROUP] = { { "colgroup", 8 }, SPECIAL | TABLE },
    [HTML_DD] = { { "dd", 2 }, SPECIAL },
    [HTML_DETAILS] = { { "details", 7 }, SPECIAL | BLOCK },
    [HTML_DIR] = { { "dir", 3 }, SPECIAL | BLOCK },
    [HTML_DIV] = { { "div", 3 }, SPECIAL | BLOCK },
    [HTML_DL] = { { "dl", 2 }, SPECIAL | BLOCK },
    [HTML_DT] = { { "dt", 2 }, SPECIAL },
    [HTML_EM] = { { "em", 2 }, FORMATTING },
    [HTML_EMBED] = { { "embed", 5 }, VOID | SPECIAL },
    [HTML_FIELDSET] = { { "fieldset", 8 }, SPECIAL | BLOCK },
    [HTML_FIGCAPTION] = { { "figcaption", 10 }, SPECIAL | BLOCK },
    [HTML_FIGURE] = { { "figure", 6 }, SPECIAL | BLOCK },
    [HTML_FONT] = { { "font", 4 }, FORMATTING },
    [HTML_FOOTER] = { { "footer", 6 }, SPECIAL | BLOCK },
    [HTML_FORM] = { { "form", 4 }, SPECIAL },
    [HTML_FRAME] = { { "frame", 5 }, VOID | SPECIAL },
    [HTML_FRAMESET] = { { "frameset", 8 }, SPECIAL },
    [HTML_H1] = { { "h1", 2 }, SPECIAL | BLOCK },
    [HTML_H2] = { { "h2", 2 }, SPECIAL | BLOCK },
    [HTML_H3] = { { "h3", 2 }, SPECIAL | BLOCK },
    [HTML_H4] = { { "h4", 2 }, SPECIAL | BLOCK },
    [HTML_H5] = { { "h5", 2 }, SPECIAL | BLOCK },
    [HTML_H6] = { { "h6", 2 }, SPECIAL | BLOCK },
    [HTML_HEAD] = { { "head", 4 }, SPECIAL | HEAD },
    [HTML_HEADER] = { { "header", 6 }, SPECIAL | BLOCK },
    [HTML_HGROUP] = { { "hgroup", 6 }, SPECIAL | BLOCK },
    [HTML_HR] = { { "hr", 2 }, VOID | SPECIAL },
    [HTML_HTML] = { { "html", 4 }, SPECIAL },
    [HTML_I] = { { "i", 1 }, FORMATTING },
    [HTML_IFRAME] = { { "iframe", 6 }, SPECIAL | RAW },
    [HTML_IMAGE] = { { "image", 5 }, VOID },
    [HTML_IMG] = { { "img", 3 }, VOID | SPECIAL },
    [HTML_INPUT] = { { "input", 5 }, VOID | SPECIAL },
    [HTML_KEYGEN] = { { "keygen", 6 }, VOID },
    [HTML_LI] = { { "li", 2 }, SPECIAL },
    [HTML_LINK] = { { "link", 4 }, VOID | SPECIAL | HEAD },
    [HTML_LISTING] = { { "listing", 7 }, SPECIAL | BLOCK },
    [HTML_MAIN] = { { "main", 4 }, SPECIAL | BLOCK },
    [HTML_MARQUEE] = { { "marquee", 7 }, SPECIAL },
    [HTML_MATH] = { { "math", 4 }, 0 },
    [HTML_MENU] = { { "menu", 4 }, SPECIAL | BLOCK },
    [HTML_META] = { { "meta", 4 }, VOID | SPECIAL | HEAD },
    [HTML_NAV] = { { "nav", 3 }, SPECIAL | BLOCK },
    [HTML_NOBR] = { { "nobr", 4 }, FORMATTING },
    [HTML_NOEMBED] = { { "noembed", 7 }, SPECIAL | RAW },
    [HTML_NOFRAMES] = { { "noframes", 8 }, SPECIAL | HEAD | RAW },
    [HTML_NOSCRIPT] = { { "noscript", 8 }, SPECIAL | HEAD },
    [HTML_OBJECT] = { { "object", 6 }, SPECIAL },
    [HTML_OL] = { { "ol", 2 }, SPECIAL | BLOCK },
    [HTML_P] = { { "p", 1 }, SPECIAL | BLOCK },
    [HTML_PARAM] = { { "param", 5 }, VOID | SPECIAL },
    [HTML_PLAINTEXT] = { { "plaintext", 9 }, SPECIAL | REST },
    [HTML_PRE] = { { "pre", 3 }, SPECIAL | BLOCK },
    [HTML_S] = { { "s", 1 }, FORMATTING },
    [HTML_SCRIPT] = { { "script", 6 }, SPECIAL | HEAD | SCRIPT },
    [HTML_SECTION] = { { "section", 7 }, SPECIAL | BLOCK },
    [HTML_SELECT] = { { "select", 6 }, SPECIAL },
    [HTML_SMALL] = { { "small", 5 }, FORMATTING },
    [HTML_SOURCE] = { { "source", 6 }, VOID | SPECIAL },
    [HTML_STRIKE] = { { "strike", 6 }, FORMATTING },
    [HTML_STRONG] = { { "strong", 6 }, FORMATTING },
    [HTML_STYLE] = { { "style", 5 }, SPECIAL | HEAD | RAW },
    [HTML_SUMMARY] = { { "summary", 7 }, SPECIAL | BLOCK },
    [HTML_SVG] = { { "svg", 3 }, 0 },
    [HTML_TABLE] = { { "table", 5 }, SPECIAL },
    [HTML_TBODY] = { { "tbody", 5 }, SPECIAL | TABLE },
    [HTML_TD] = { { "td", 2 }, SPECIAL | TABLE },
    [HTML_TEMPLATE] = { { "template", 8 }, SPECIAL | HEAD },
    [HTML_TEXTAREA] = { { "textarea", 8 }, SPECIAL | TITLE },
    [HTML_TFOOT] = { { "tfoot", 5 }, SPECIAL | TABLE },
    [HTML_TH] = { { "th", 2 }, SPECIAL | TABLE },
    [HTML_THEAD] = { { "thead", 5 }, SPECIAL | TABLE },
    [HTML_TITLE] = { { "title", 5 }, SPECIAL | HEAD | TITLE },
    [HTML_TR] = { { "tr", 2 }, SPECIAL | TABLE },
    [HTML_TRACK] = { { "track", 5 }, VOID | SPECIAL },
    [HTML_TT] = { { "tt", 2 }, FORMATTING },
    [HTML_U] = { { "u", 1 }, FORMATTING },
    [HTML_UL] = { { "ul", 2 }, SPECIAL | BLOCK },
    [HTML_WBR] = { { "wbr", 3 }, VOID | SPECIAL },
    [HTML_XMP] = { { "xmp", 3 }, SPECIAL | RAW },
};

/* The first tag at or after each letter; the last is behind 'z'. */
static const uint8_t firsts[27] = { HTML_A,        HTML_B,   HTML_CAPTION, HTML_DD,  HTML_EM,
                                    HTML_FIELDSET, HTML_H1,  HTML_H1,      HTML_I,   HTML_KEYGEN,
                                    HTML_KEYGEN,   HTML_LI,  HTML_MAIN,    HTML_NAV, HTML_OBJECT,
                                    HTML_P,        HTML_S,   HTML_S,       HTML_S,   HTML_TABLE,
                                    HTML_U,        HTML_WBR, HTML_WBR,     HTML_XMP, HTML_TAGS,
                                    HTML_TAGS,     HTML_TAGS };

enum html_tag html_tag_find(struct str name)
{
    unsigned char first = name.len == 0 ? 0 : (unsigned char)((name.ptr[0] | 32) - 'a');
    if (name.len == 0 || first > 'z' - 'a')
        return HTML_OTHER;
    for (int tag = firsts[first]; tag < firsts[first + 1]; tag++)
        if (str_eq_nocase(tags[tag].name, name))
            return (enum html_tag)tag;
    return HTML_OTHER;
}

uint32_t html_tag_flags(enum html_tag tag)
{
    return tags[tag].flags;
}

struct str html_tag_name(enum html_tag tag)
{
    return tags[tag].name;
}
