/* html_inside: what a tree is made of, for its maker and for the twin of the tests. */
#ifndef DULT_MESSAGE_HTML_INSIDE_H
#define DULT_MESSAGE_HTML_INSIDE_H

#include "message/html.h"

struct html {
    struct str             text;
    struct arena          *arena; /* decoded texts */
    struct html_node      *nodes;
    uint32_t               count, room;
    struct html_attribute *attributes;
    size_t                 body_end, html_end; /* SIZE_MAX: no such end tag */
};

/* A node at the end of the list; NULL without memory. The caller sets its `end`. */
struct html_node *html_node_add(struct html *html, struct html_node node);

#endif
