/*
 * What the files of pdf share.
 *
 *     HTML --> boxes --> marks on one endless sheet --> pages
 *        pdf_body.c   pdf_lay.c, pdf_table.c     pdf_page.c        pdf.c: paper, address, file
 *        pdf_cells.c  pdf_style.c: what CSS says                   pdf_image.c: pictures
 *        pdf_writer.h
 *
 * A box is laid out once: first how narrow and how wide it may be (once for each box, however deep
 * tables stand in tables), then where. What that gives is a list of marks, lines of words among
 * them, with places on a sheet that has no end; it is cut where no line, no picture and no short
 * row of a table is cut with it.
 */
#ifndef DULT_MESSAGE_PDF_INSIDE_H
#define DULT_MESSAGE_PDF_INSIDE_H

#include <pango/pangocairo.h>

#include "base/arena.h"
#include "message/css.h"
#include "message/html.h"
#include "message/pdf.h"

#define PDF_TEXT_WIDTH 481.9 /* points: A4 without 20 mm on each side */
#define PDF_PAGE_TALL 728.5  /* of text on a page that has no address */
#define PDF_WHOLE_MOST 180.0 /* a row or a box that is taller may be cut: else pages stay empty */
#define PDF_SIZE_USUAL 11.0  /* points, of letters */
#define PDF_SIZE_LEAST 5.0
#define PDF_SIZE_MOST 60.0
#define PDF_LINE_END "\xE2\x80\xA8" /* within a block */
#define PDF_OBJECT "\xEF\xBF\xBC"   /* a picture's place among words */

enum {
    PDF_ARENA_BYTES_MAX = 64 << 20,
    PDF_BLOCK_BYTES_MAX = 64 << 10, /* of letters: ten pages without a paragraph's end */
    PDF_MARKS_MAX = 200000,         /* lines, pictures, coloured boxes */
    PDF_TABLES_DEEP_MAX = 20,       /* mails have 8 */
};

enum pdf_side { PDF_TOP, PDF_RIGHT, PDF_BOTTOM, PDF_LEFT, PDF_SIDES };
enum pdf_unit { PDF_AUTO, PDF_POINTS, PDF_PERCENT };
enum pdf_place { PDF_PLACE_LEFT, PDF_PLACE_CENTER, PDF_PLACE_RIGHT };

struct pdf_length {
    enum pdf_unit unit;
    double        value;
};

struct pdf_color {
    bool   is_set;
    double red, green, blue; /* 0 to 1 */
};

/* How words are written where we are; each element changes it for what is in it. */
struct pdf_look {
    double           size, line, spacing; /* line: of the usual height, 0: as the font has it */
    PangoAlignment   alignment;
    enum pdf_place   place; /* of boxes that are narrower than their room */
    struct pdf_color color, background;
    bool             is_bold, is_italic, is_underlined, is_struck, is_code, is_pre, is_upper;
    bool             is_justified;
    bool             is_placed; /* by `align`, which words in a table do not inherit */
};

struct pdf_border {
    double           width;
    struct pdf_color color;
};

/* What stands around a box; points. */
struct pdf_frame {
    double            margin[PDF_SIDES], padding[PDF_SIDES];
    struct pdf_border border[PDF_SIDES];
    struct pdf_color  background;
    struct pdf_length width;
    double            height; /* at least */
    enum pdf_place    place, vertical;
    bool              breaks_before, breaks_after; /* the page */
    bool              is_tight;                    /* no wider than what is in it */
};

/* Pictures of a letter, each of them once. */
struct pdf_image {
    struct pdf_image *next;
    struct str        source; /* as the HTML names it */
    cairo_surface_t  *surface;
    double            width, height; /* pixels */
};

/* Where one stands among words. */
struct pdf_object {
    struct pdf_object      *next;
    const struct pdf_image *image;
    guint                   at; /* byte of the words */
    double                  width, height;
    double                  share; /* of the room, 0: as wide as it is */
};

enum pdf_box_kind { PDF_FLOW, PDF_WORDS, PDF_RULE, PDF_TABLE, PDF_ROW, PDF_CELL };

struct pdf_column {
    double            least, most;
    struct pdf_length wanted;
    double            x, width; /* once it is laid out */
};

struct pdf_box {
    enum pdf_box_kind kind;
    struct pdf_frame  frame;
    struct pdf_box   *children, *last, *next;
    double            least, most; /* how narrow and wide with its frame; once is_measured */
    bool              is_measured;
    bool              keeps_next; /* a heading: what follows it stands on the same page */
    /* of words */
    struct str         text;
    PangoAttrList     *attributes;
    PangoLayout       *layout; /* NULL: not yet */
    PangoAlignment     alignment;
    bool               is_justified;
    struct str         bullet; /* stands before its first line; may be empty */
    struct pdf_object *objects;
    /* of a table */
    struct pdf_column *columns;
    uint32_t           columns_count;
    double             spacing;
    bool               is_collapsed; /* neighbours share a border */
    /* of a cell */
    uint32_t column, columns_spanned, rows_spanned;
};

enum pdf_mark_kind { PDF_MARK_FRAME, PDF_MARK_LINE, PDF_MARK_RULE, PDF_MARK_BREAK };

/* Something on the endless sheet. */
struct pdf_mark {
    enum pdf_mark_kind      kind;
    double                  x, y, width, height;
    const struct pdf_frame *frame;
    PangoLayoutLine        *line; /* its layout's */
    double                  ascent;
    struct str              bullet;
};

/* Not to be cut, if there is a page that it fits on. */
struct pdf_whole {
    double from, to;
};

/* A letter while it is made. */
struct pdf_sheet {
    cairo_t                   *cairo;
    PangoLayout               *layout; /* what others are copies of */
    const struct pdf_pictures *pictures;
    struct arena              *arena;
    struct pdf_image          *images;
    uint32_t                   images_count;
    uint64_t                   pixels, image_bytes; /* of all images */
    uint32_t                   pages;
    bool                       is_full;  /* PDF_PAGES_MAX was reached, or PDF_MARKS_MAX */
    bool                       has_gaps; /* no font has one of the letters */
};

/* One side, laid out. */
struct pdf_laid {
    struct pdf_mark  *marks;
    struct pdf_whole *wholes;
    uint32_t          marks_count, marks_room, wholes_count, wholes_room;
    bool              has_ink; /* something of it is seen */
};

/* pdf_style.c: what an element says of the words in it, and of its box. */
void pdf_style_look(const struct html *html, const struct html_node *node, struct pdf_look *look);
void pdf_style_frame(const struct html *html, const struct html_node *node,
                     const struct pdf_look *look, struct pdf_frame *frame);
/* An attribute's number, "600", "600px" or "50%". */
struct pdf_length pdf_style_length(struct str text, double em);
struct pdf_length pdf_style_wide(const struct html *html, const struct html_node *node,
                                 struct str name, double em);
struct pdf_color  pdf_style_color(struct str text);
/* The bits of enum pdf_lost of one declaration. */
uint32_t pdf_style_lost(const struct css_declaration *declaration);

/* pdf_image.c. ERR_ABSENT: its words are to stand in its place. ERR_INPUT: it should be there and
 * is not, or is too large. */
MUST enum err pdf_image_get(struct pdf_sheet *sheet, struct str source,
                            const struct pdf_image **out, struct problem *problem);
void          pdf_images_done(struct pdf_sheet *sheet);
void pdf_image_draw(cairo_t *cairo, const struct pdf_image *image, double x, double y, double width,
                    double height);
/* Can an image of that source be on a letter? */
bool pdf_image_is_ours(struct str source);

/* pdf_body.c. In the sheet's arena. ERR_INPUT: it cannot be read, or is too large. */
MUST enum err pdf_body_read(struct pdf_sheet *sheet, struct str html, struct pdf_box **out,
                            struct problem *problem);
void          pdf_body_done(struct pdf_box *box); /* NULL is nothing */

/* pdf_lay.c. ERR_MEMORY. */
struct pdf_laying {
    struct pdf_sheet *sheet;
    struct pdf_laid  *laid;
    double            y, owed;   /* the next box's top, and the space before it */
    double            kept_from; /* of a heading whose next line is not there yet; below 0: none */
    bool              is_inside; /* space that is owed counts, also where nothing stands yet */
    enum err          err;
};
MUST enum err pdf_lay(struct pdf_sheet *sheet, struct pdf_box *box, struct pdf_laid *out);
void          pdf_laid_done(struct pdf_laid *laid);
void          pdf_lay_measure(struct pdf_laying *laying, struct pdf_box *box);
void          pdf_lay_box(struct pdf_laying *laying, struct pdf_box *box, double x, double width);
void   pdf_lay_children(struct pdf_laying *laying, struct pdf_box *box, double x, double width);
double pdf_lay_around(const struct pdf_box *box, enum pdf_side one, enum pdf_side other);
/* Its upper edge stays with its first line, its lower edge with its last; marks from `first` on. */
void             pdf_lay_edges(struct pdf_laying *laying, uint32_t first, double top);
bool             pdf_frame_is_seen(const struct pdf_frame *frame);
struct pdf_mark *pdf_lay_mark(struct pdf_laying *laying, struct pdf_mark mark);
void             pdf_lay_whole(struct pdf_laying *laying, double from, double to);

/* pdf_table.c */
void pdf_table_measure(struct pdf_laying *laying, struct pdf_box *table);
void pdf_table_lay(struct pdf_laying *laying, struct pdf_box *table, double x, double width);

/* pdf_page.c: draws it from `top` of the page that is begun, and on as many more as it takes. */
void pdf_pages_draw(struct pdf_sheet *sheet, const struct pdf_laid *laid, double top);
/* What Pango calls where a picture stands. */
void pdf_object_draw(cairo_t *cairo, PangoAttrShape *shape, gboolean is_path, gpointer none);

#endif
