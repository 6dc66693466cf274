/*
 * pdf_writer: what is read of a letter's HTML, word for word, until it is a box.
 *
 * Words gather in `text`, with what they look like in `attributes`; at a block's end they become a
 * box of words, the last in `into`.
 *
 *     pdf_writer.c   words and boxes        pdf_cells.c   tables        pdf_body.c   all else
 */
#ifndef DULT_MESSAGE_PDF_WRITER_H
#define DULT_MESSAGE_PDF_WRITER_H

#include "message/pdf_inside.h"

#define PDF_SPACE_POINTS 8.0 /* between paragraphs */

enum { PDF_BULLET_BYTES = 16 };

/* What a stretch of words may look like; of each there is one open at most. */
enum stretch {
    STRETCH_SIZE,
    STRETCH_LINE,
    STRETCH_SPACING,
    STRETCH_BOLD,
    STRETCH_ITALIC,
    STRETCH_CODE,
    STRETCH_UPPER,
    STRETCH_COLOR,
    STRETCH_UNDERLINED, /* from here on without the space before the first word */
    STRETCH_STRUCK,
    STRETCH_BACKGROUND,
    STRETCHES,
};

struct pdf_writer {
    struct pdf_sheet       *sheet;
    const struct html      *html;
    const struct html_node *nodes;
    struct pdf_look         look;
    struct pdf_box         *into; /* the next box is the last in it */
    struct buf              text; /* of the words that are open */
    PangoAttrList          *attributes;
    PangoAttribute         *open[STRETCHES]; /* the list's; NULL: words are not so now */
    struct pdf_look         stretch;         /* of the open ones */
    struct pdf_look         block;           /* as its first word was */
    struct pdf_object      *objects;         /* pictures among the words */
    bool                    owes_space;
    bool                    is_heading;
    int                     levels;                   /* of lists and quotes */
    int                     tables;                   /* we are in so many */
    char                    bullet[PDF_BULLET_BYTES]; /* of the next block */
    struct problem         *problem;
    enum err                err; /* the first */
};

void pdf_writer_fail(struct pdf_writer *w, enum err err);
/* As they are; as text is, with one space for white space; as preformatted text is. */
void pdf_writer_words(struct pdf_writer *w, struct str words);
void pdf_writer_text(struct pdf_writer *w, struct str text);
void pdf_writer_pre(struct pdf_writer *w, struct str text);
/* The words that are open become a box. */
void pdf_writer_block_end(struct pdf_writer *w);
/* An empty one, the last in `into`. NULL: it failed. */
struct pdf_box *pdf_writer_box(struct pdf_writer *w, enum pdf_box_kind kind);
/* The same for the element, with its style; what is written next is in it. */
struct pdf_box *pdf_writer_begin(struct pdf_writer *w, uint32_t at, enum pdf_box_kind kind,
                                 const struct pdf_frame *usual);
/* What a box has its words do not have. */
void pdf_writer_leave(struct pdf_look *look);

/* pdf_body.c */
void pdf_writer_node(struct pdf_writer *w, uint32_t at);
void pdf_writer_children(struct pdf_writer *w, uint32_t at);
/* pdf_cells.c */
void pdf_writer_table(struct pdf_writer *w, uint32_t at);

#endif
