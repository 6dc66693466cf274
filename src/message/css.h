/*
 * css: the rules of a <style> element, as far as they can be said of one element for ever.
 *
 *     h1, .box > p[lang=nb] { color: red; margin: 0 !important }
 *     |------- prelude ----|  |-- block ----------------------|
 *
 * A selector is known when it is made of types, classes, ids and attributes, joined by "in" (a
 * space) and "directly in" (>). A rule of which a selector has anything else (:hover, ::before,
 * + ~ * \, Liquid) stays, and so do at-rules with all in them.
 *
 * Liquid may stand in values: {{ brand.color }} is one word. A style with {% tags %} is not read.
 *
 * Always true   slices point into the text; what cannot be read stays, nothing is refused.
 * Errors        ERR_LIMIT beyond CSS_RULES_MAX; ERR_MEMORY.
 */
#ifndef DULT_MESSAGE_CSS_H
#define DULT_MESSAGE_CSS_H

#include "message/html.h"

enum {
    CSS_RULES_MAX = 2000, /* Bootstrap has 1,500; a mail 100 */
    CSS_PARTS_MAX = 32,   /* of one selector */
};

enum css_part_kind {
    CSS_TYPE,
    CSS_CLASS,
    CSS_ID,
    CSS_HAS,      /* [a] */
    CSS_IS,       /* [a=b] */
    CSS_WORD,     /* [a~=b] */
    CSS_LANGUAGE, /* [a|=b] */
    CSS_STARTS,   /* [a^=b] */
    CSS_ENDS,     /* [a$=b] */
    CSS_CONTAINS, /* [a*=b] */
};

/* `outer` is how this part's element is joined to that of the part before. */
enum css_outer { CSS_SAME, CSS_IN, CSS_DIRECTLY_IN };

struct css_part {
    enum css_part_kind kind;
    enum css_outer     outer;
    struct str         name, value;
};

struct css_selector {
    struct css_part *parts; /* from the outermost element to that which is meant */
    uint32_t         count, specificity;
};

struct css_declaration {
    struct str name, value; /* without "!important" */
    bool       is_important;
};

struct css_rule {
    uint32_t                from, to; /* its bytes in the text, from prelude to '}' */
    struct css_selector    *selectors;
    struct css_declaration *declarations;
    uint32_t                selectors_count, declarations_count;
};

struct css {
    struct css_rule *rules; /* those whose every selector is known */
    uint32_t         count, room;
};

/* Adds the rules of `text`, in order; all lie in the arena. */
MUST enum err css_read(struct css *css, struct str text, struct arena *arena);

/* The declarations of a style attribute, one after the other; false after the last. */
bool css_declaration_next(struct str *rest, struct css_declaration *out);

/* Does the selector mean the node at `at`? `work` counts the looks, and above it the answer is no.
 */
bool css_matches(const struct css_selector *selector, const struct html *html, uint32_t at,
                 uint64_t *work);

#endif
