/*
 * html_tree: which element a tag or a text belongs to.
 *
 * Tokens go in, nodes are added to the tree. Open elements lie on a stack of at most
 * HTML_DEPTH_MAX; each token looks through it at most a few times.
 */
#ifndef DULT_MESSAGE_HTML_TREE_H
#define DULT_MESSAGE_HTML_TREE_H

#include "message/html_inside.h"

struct html_tree {
    struct html      *html;
    struct html_scan *scan;
    uint32_t          open[HTML_DEPTH_MAX + 1]; /* nodes; the root is the first */
    uint32_t          depth;
    uint32_t          form;    /* the open one; 0: none */
    uint32_t          foreign; /* how many <svg> and <math> are open */
    bool              has_head, has_body;
    enum err          err; /* sticks: OK, ERR_MEMORY, or ERR_LIMIT for the depth */
};

void html_tree_begin(struct html_tree *tree, struct html *html, struct html_scan *scan);
void html_tree_take(struct html_tree *tree, const struct html_token *token);
void html_tree_end(struct html_tree *tree);

#endif
