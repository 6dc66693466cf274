/*
 * html: one bounded reading of a mail's HTML, for whoever wants its links, its text or its styles.
 *
 * The HTML standard's tokenizer, and of its tree what a mail needs: elements that end others
 * (<li>, <p>, <tr>, a link in a link), end tags that reach no further than they may, rows that
 * cells imply. Nodes lie in the order of their start tags; what is in a node follows it:
 *
 *     <p>a<b>b</b></p>c        0 root  end 6
 *                              1   p   end 5
 *                              2     "a"
 *                              3     b end 5
 *                              4       "b"
 *                              5   "c"
 *
 * Unlike a browser's, the tree copies nothing and moves nothing: where <b> and <p> overlap, and
 * where words stand in a table outside its cells, things stay in the order they are written in.
 * Comments are left out, and with them what only Outlook reads; so are a second <html>, <head> or
 * <body>. Of <svg> and <math> only the elements are known.
 *
 * Always true   places point into the text handed in, which must live as long as the tree; bytes
 *               that are not UTF-8 come through as they are.
 * Cost          about 2 us a kilobyte; 64 bytes a node and 40 an attribute while it lives.
 * Errors        ERR_LIMIT with the remedy: too long, too many tags or attributes, or nested too
 *               deeply.
 */
#ifndef DULT_MESSAGE_HTML_H
#define DULT_MESSAGE_HTML_H

#include "message/html_scan.h"

enum {
    HTML_BYTES_MAX = 2 << 20, /* a mail host cuts what it shows at 102 KB */
    HTML_TAGS_MAX = 10000,
    HTML_DEPTH_MAX = 512, /* browsers draw no deeper; it bounds our recursion */
};

enum html_kind { HTML_ROOT, HTML_ELEMENT, HTML_TEXT };

struct html_node {
    enum html_kind kind;
    enum html_tag  tag;
    uint32_t       parent, end; /* all nodes after this one and before `end` are in it */
    uint32_t       from, to;    /* the bytes of its start tag or text; none where it is implied */
    uint32_t       attributes, attributes_count;
    struct str     text; /* a text's, decoded; an element's name as it is written */
    bool           is_self_closing;
};

struct html; /* owns the tree */

MUST enum err html_parse(struct html **out, struct str text, struct problem *problem);
void          html_close(struct html *html);
void          html_closep(struct html **html);

struct str html_text(const struct html *html); /* what was parsed, borrowed */

/* The nodes, the root first; there is at least that. */
const struct html_node *html_nodes(const struct html *html);
uint32_t                html_count(const struct html *html);

/* The attribute with its decoded value; NULL where there is none. */
const struct html_attribute *html_attribute(const struct html *html, const struct html_node *node,
                                            struct str name);
/* Its value alone; {NULL, 0} where there is none. */
struct str html_value(const struct html *html, const struct html_node *node, struct str name);

/* Before the last </body>, or else the last </html>, or at the end of the text. */
size_t html_body_end(const struct html *html);

/* True for an element with this tag. */
bool html_is(const struct html_node *node, enum html_tag tag);

#endif
