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
 * Headings, paragraphs, line breaks, lists, quotes, rules; letters bold, italic, underlined, struck
 * out, of any size and colour; boxes with margins, paddings, borders and backgrounds; tables in
 * tables; images in PNG and JPEG, from the HTML itself (data:) or what `pictures` has (file:). Of
 * the <style> what can be written into the elements (inline.h). The target of a link is written
 * behind its words. All else is left out; pdf_lost says what. Nothing is fetched.
 *
 * Pages are cut between lines, and not within a picture, nor a row or a box under 6 cm; a heading
 * stands with what follows it.
 *
 * Always true   the same letter with the same fonts gives the same bytes; every letter of it has a
 *               glyph, and every font is within the file. On the first page nothing is drawn above
 *               the text but the address.
 * Bounds        PDF_PAGES_MAX, PDF_HTML_BYTES_MAX, 64 KB of letters in one paragraph, tables 20
 *               deep with 64 columns, the images' of below, 200,000 lines and boxes; more is
 *               ERR_INPUT, as are an address that does not fit, a front of which nothing is seen,
 *               an image that should be there and is not, and a file that has no room in `out`.
 * Cost          1 to 2 ms a page, and more once, for looking at the fonts; words in a table are
 *               laid out three times, however deep it stands. A PNG costs 0.15 us a pixel, so all
 *               images 2.5 s at most; a JPEG nothing: its bytes are those of the file. The worst
 *               that was found, 400 KB without a space in 64 columns, took 6 s to be refused.
 * Threads       any; one letter at a time, for Pango's fonts are shared.
 */
#ifndef DULT_MESSAGE_PDF_H
#define DULT_MESSAGE_PDF_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    PDF_PAGES_MAX = 50,             /* who posts letters takes no more */
    PDF_HTML_BYTES_MAX = 512 << 10, /* of one side */
    PDF_BYTES_MAX = 8 << 20,
    PDF_FONT_BYTES_MAX = 100,
    PDF_COLUMNS_MAX = 64, /* of a table */
    PDF_IMAGES_MAX = 50,  /* different ones of a letter */
    PDF_IMAGE_BYTES_MAX = 4 << 20,
    PDF_IMAGES_BYTES_MAX = 16 << 20, /* of all */
    PDF_IMAGE_SIDE_MAX = 10000,      /* pixels */
    PDF_PIXELS_MAX = 16000000,       /* of all images of a letter, each once */
};

/* Where the address lies, in millimetres from the top left corner. */
struct pdf_form {
    double     x, y, width, height;
    struct str font; /* a family; empty: sans */
};

/* Where an image's bytes are got whose source is "file:NAME". */
struct pdf_pictures {
    /* Into the arena. ERR_INPUT with why it cannot be had; ERR_IO; ERR_MEMORY. */
    enum err (*read)(void *context, struct str name, struct arena *arena, struct str *out,
                     struct problem *problem);
    void *context;
};

struct pdf_letter {
    struct pdf_form            form;
    struct str                 address;     /* its lines */
    struct str                 front, back; /* HTML; back may say nothing */
    const struct pdf_pictures *pictures;    /* NULL: there are none but those in the HTML itself */
    int64_t                    at_ms;       /* stands in the file as its date */
};

/* What a letter does not show; bits. */
enum pdf_lost {
    PDF_LOST_IMAGES = 1 << 0, /* from the network; their alt text is there */
    PDF_LOST_STYLES = 1 << 1, /* float and the like; rules that are no element's */
    PDF_LOST_FONTS = 1 << 2,  /* font-family: a letter has one, of its way */
    PDF_LOST_OTHER = 1 << 3,  /* forms, drawings, films, frames, scripts */
};

/* Does the window lie on A4, with room for text below it? */
bool pdf_form_is_good(const struct pdf_form *form);

/* Of a side as it is written, Liquid or not. */
MUST enum err pdf_lost(struct str html, uint32_t *lost, struct problem *problem);
/* The images that a side has in itself (data:). ERR_INPUT with what is wrong with one. */
MUST enum err pdf_images_check(struct str html, struct problem *problem);
/* In words: "images, tables"; empty for 0. */
void pdf_lost_write(uint32_t lost, struct buf *out);

/* Appends the file. ERR_INPUT with why it cannot be printed; ERR_MEMORY. */
MUST enum err pdf_write(const struct pdf_letter *letter, struct buf *out, uint32_t *pages,
                        struct problem *problem);

#endif
