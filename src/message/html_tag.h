/*
 * html_tag: the elements whose names change how HTML is read or what a reader sees.
 *
 * In the order of their names; all others are HTML_OTHER. What is said of each is the HTML
 * standard's (13.2.4.2 and the lists in 13.2.6.4.7).
 */
#ifndef DULT_MESSAGE_HTML_TAG_H
#define DULT_MESSAGE_HTML_TAG_H

#include "base/str.h"

enum html_tag {
    HTML_OTHER,
    HTML_A,
    HTML_ADDRESS,
    HTML_APPLET,
    HTML_AREA,
    HTML_ARTICLE,
    HTML_ASIDE,
    HTML_B,
    HTML_BASE,
    HTML_BASEFONT,
    HTML_BGSOUND,
    HTML_BIG,
    HTML_BLOCKQUOTE,
    HTML_BODY,
    HTML_BR,
    HTML_BUTTON,
    HTML_CAPTION,
    HTML_CENTER,
    HTML_CODE,
    HTML_COL,
    HTML_COLGROUP,
    HTML_DD,
    HTML_DETAILS,
    HTML_DIR,
    HTML_DIV,
    HTML_DL,
    HTML_DT,
    HTML_EM,
    HTML_EMBED,
    HTML_FIELDSET,
    HTML_FIGCAPTION,
    HTML_FIGURE,
    HTML_FONT,
    HTML_FOOTER,
    HTML_FORM,
    HTML_FRAME,
    HTML_FRAMESET,
    HTML_H1,
    HTML_H2,
    HTML_H3,
    HTML_H4,
    HTML_H5,
    HTML_H6,
    HTML_HEAD,
    HTML_HEADER,
    HTML_HGROUP,
    HTML_HR,
    HTML_HTML,
    HTML_I,
    HTML_IFRAME,
    HTML_IMAGE,
    HTML_IMG,
    HTML_INPUT,
    HTML_KEYGEN,
    HTML_LI,
    HTML_LINK,
    HTML_LISTING,
    HTML_MAIN,
    HTML_MARQUEE,
    HTML_MATH,
    HTML_MENU,
    HTML_META,
    HTML_NAV,
    HTML_NOBR,
    HTML_NOEMBED,
    HTML_NOFRAMES,
    HTML_NOSCRIPT,
    HTML_OBJECT,
    HTML_OL,
    HTML_P,
    HTML_PARAM,
    HTML_PLAINTEXT,
    HTML_PRE,
    HTML_S,
    HTML_SCRIPT,
    HTML_SECTION,
    HTML_SELECT,
    HTML_SMALL,
    HTML_SOURCE,
    HTML_STRIKE,
    HTML_STRONG,
    HTML_STYLE,
    HTML_SUMMARY,
    HTML_SVG,
    HTML_TABLE,
    HTML_TBODY,
    HTML_TD,
    HTML_TEMPLATE,
    HTML_TEXTAREA,
    HTML_TFOOT,
    HTML_TH,
    HTML_THEAD,
    HTML_TITLE,
    HTML_TR,
    HTML_TRACK,
    HTML_TT,
    HTML_U,
    HTML_UL,
    HTML_WBR,
    HTML_XMP,
    HTML_TAGS
};

enum {
    HTML_IS_VOID = 1 << 0,       /* has no end tag and nothing in it */
    HTML_IS_SPECIAL = 1 << 1,    /* an end tag of an unknown element does not reach through it */
    HTML_IS_BLOCK = 1 << 2,      /* its start ends an open paragraph */
    HTML_IS_FORMATTING = 1 << 3, /* bold and the like */
    HTML_IS_HEAD = 1 << 4,       /* may stand in <head>; all others end it */
    HTML_IS_TABLE = 1 << 5,      /* has a meaning in a table, and outside none */
    HTML_IS_RAW = 1 << 6,        /* holds text up to its end tag, without references */
    HTML_IS_TITLE = 1 << 7,      /* the same with references */
    HTML_IS_SCRIPT = 1 << 8,     /* the same without, and with comments of its own */
    HTML_IS_REST = 1 << 9,       /* holds all the rest */
};

/* In any case of letters. */
enum html_tag html_tag_find(struct str name);
uint32_t      html_tag_flags(enum html_tag tag);
struct str    html_tag_name(enum html_tag tag); /* in small letters */

#endif
