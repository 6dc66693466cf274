/*
 * html: one bounded reading of a mail's HTML, for whoever wants its links or its text.
 *
 * The tree is gumbo's, which keeps for every tag and attribute its place in the original bytes.
 * Gumbo itself has no bound: a megabyte of unclosed tags costs it minutes and gigabytes. So its
 * memory is an arena of ours with a limit, and reaching it ends the parse.
 *
 * Always true   the tree's `original_*` pieces point into the text handed in, which must live as
 *               long as the tree.
 * Cost          80 us a kilobyte, which is gumbo's own (its allocator changes nothing); up to
 *               HTML_TREE_BYTES_MAX of memory while it lives.
 * Errors        ERR_LIMIT with the remedy: too long, too many tags, or nested too deeply.
 */
#ifndef DULT_MESSAGE_HTML_H
#define DULT_MESSAGE_HTML_H

#include <gumbo.h>

#include "base/str.h"

enum {
    HTML_BYTES_MAX = 2 << 20, /* a mail host cuts what it shows at 102 KB */
    HTML_TAGS_MAX = 10000,    /* some of gumbo's work is the square of it: 0.3 s for <div>s */
    HTML_TREE_BYTES_MAX = 64 << 20,
    HTML_DEPTH_MAX = 512, /* browsers draw no deeper; it bounds our recursion */
};

struct html; /* owns the tree */

MUST enum err html_parse(struct html **out, struct str text, struct problem *problem);
void          html_close(struct html *html);
void          html_closep(struct html **html);

const GumboNode *html_root(const struct html *html);
struct str       html_text(const struct html *html); /* what was parsed, borrowed */

/* The attribute's decoded value; {NULL, 0} where there is none. */
struct str html_attribute(const GumboNode *node, const char *name);

/* True for an element in the HTML name space with this tag. */
bool html_is(const GumboNode *node, GumboTag tag);

#endif
