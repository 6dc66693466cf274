/*
 * pdf: a letter on A4, from simple HTML, for who prints and posts it.
 *
 *     +----------------------------+
 *     |                            |   the first page has nothing above the window: there the
 *     |  +--------------+          |   postage is printed
 *     |  | Ada Lovelace |          |   the address, as large as the window lets it be
 *     |  | 5003 Bergen  |          |
 *     |  +--------------+          |
 *     |  Dear Ada,                 |   `front`, over as many pages as it takes
 *     |  ...                       |
 *     +----------------------------+
 *     | (page of its own)  `back`  |   where it says anything; printed on both sides, the back
 *     +----------------------------+
 *
 * Headings, paragraphs, line breaks, lists, quotes, rules, bold, italic, underlined, struck out,
 * small and preformatted text, text-align. The target of a link is written behind it. Cells of a
 * table stand beside each other, an image says its alt text. All else is left out; pdf_lost says
 * what.
 *
 * Always true   the same letter with the same fonts gives the same bytes; every letter of it has a
 *               glyph, and every font is within the file.
 * Bounds        PDF_PAGES_MAX, PDF_HTML_BYTES_MAX, 64 KB of letters in one paragraph; more is
 *               ERR_INPUT, as are an address that does not fit, a front of which nothing is seen,
 *               and a file that has no room in `out`.
 * Cost          1 to 2 ms a page, and more once, for looking at the fonts. A block is laid out
 *               before its pages are counted.
 * Threads       any; one letter at a time, for Pango's fonts are shared.
 */
#ifndef DULT_MESSAGE_PDF_H
#define DULT_MESSAGE_PDF_H

#include "base/buf.h"

enum {
    PDF_PAGES_MAX = 50,             /* who posts letters takes no more */
    PDF_HTML_BYTES_MAX = 512 << 10, /* of one side */
    PDF_BYTES_MAX = 8 << 20,
    PDF_FONT_BYTES_MAX = 100,
};

/* Where the address lies, in millimetres from the top left corner. */
struct pdf_form {
    double     x, y, width, height;
    struct str font; /* a family; empty: sans */
};

struct pdf_letter {
    struct pdf_form form;
    struct str      address;     /* its lines */
    struct str      front, back; /* HTML; back may say nothing */
    int64_t         at_ms;       /* stands in the file as its date */
};

/* What a letter does not show; bits. */
enum pdf_lost {
    PDF_LOST_IMAGES = 1 << 0,
    PDF_LOST_STYLES = 1 << 1, /* any but text-align, and what hides */
    PDF_LOST_TABLES = 1 << 2, /* their words are there, beside each other */
    PDF_LOST_OTHER = 1 << 3,  /* forms, drawings, films, frames, scripts */
};

/* Does the window lie on A4, with room for text below it? */
bool pdf_form_is_good(const struct pdf_form *form);

/* Of a side as it is written, Liquid or not. */
MUST enum err pdf_lost(struct str html, uint32_t *lost, struct problem *problem);
/* In words: "images, tables"; empty for 0. */
void pdf_lost_write(uint32_t lost, struct buf *out);

/* Appends the file. ERR_INPUT with why it cannot be printed; ERR_MEMORY. */
MUST enum err pdf_write(const struct pdf_letter *letter, struct buf *out, uint32_t *pages,
                        struct problem *problem);

#endif
