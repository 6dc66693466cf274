/* What the files of pdf share: pdf.c (the paper), pdf_body.c (from HTML to blocks), pdf_lost.c. */
#ifndef DULT_MESSAGE_PDF_INSIDE_H
#define DULT_MESSAGE_PDF_INSIDE_H

#include <pango/pangocairo.h>

#include "message/html.h"
#include "message/pdf.h"

/* One paragraph or the like: letters, and how they are drawn. */
struct pdf_block {
    struct str     text;
    PangoAttrList *attributes;
    PangoAlignment alignment;
    double         indent, before, after; /* points */
    struct str     bullet;                /* stands before its first line; may be empty */
    bool           is_rule;               /* a line across; nothing else counts */
};

/* Where blocks go. */
struct pdf_sheet {
    cairo_t     *cairo;
    PangoLayout *layout;
    double       y, owed; /* the next block's top, and the space before it; points */
    uint32_t     pages;
    bool         is_begun;  /* something stands on this page */
    bool         owes_page; /* the next block that is seen begins one */
    bool         has_ink;   /* something of this side is seen */
    bool         is_full;   /* PDF_PAGES_MAX was reached */
    bool         has_gaps;  /* no font has one of the letters */
};

void pdf_block_draw(struct pdf_sheet *sheet, const struct pdf_block *block);
enum { PDF_BLOCK_BYTES_MAX = 64 << 10 }; /* of letters: ten pages without a paragraph's end */
/* pdf_body.c. ERR_INPUT: it cannot be read, or a block is longer; ERR_MEMORY. */
MUST enum err pdf_body_draw(struct pdf_sheet *sheet, struct str html, struct problem *problem);

#endif
