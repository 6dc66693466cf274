/* A letter's HTML, as boxes in boxes, of which some have words. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "message/inline.h"
#include "message/pdf_inside.h"
#include "message/plain.h"

enum { BULLET_BYTES = 16, INDENT_LEVELS_MAX = 8, ROWS_SPANNED_MAX = 1000 };

#define INDENT_POINTS 20.0
#define SPACE_POINTS 8.0
#define CELL_SPACE 1.5 /* as browsers have it where nothing is said: 2 pixels, and 1 in a cell */
#define CELL_PADDING 0.75

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

struct writer {
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
    int                     levels;               /* of lists and quotes */
    int                     tables;               /* we are in so many */
    char                    bullet[BULLET_BYTES]; /* of the next block */
    struct problem         *problem;
    enum err                err; /* the first */
};

static void node_write(struct writer *w, uint32_t at);

static void fail(struct writer *w, enum err err)
{
    if (w->err == OK)
        w->err = err;
}

/* ---- words ---- */

static guint16 part_of(double part)
{
    return (guint16)(part * 65535);
}

static PangoAttribute *attribute_make(const struct pdf_look *look, enum stretch kind)
{
    const struct pdf_color *color = kind == STRETCH_BACKGROUND ? &look->background : &look->color;
    guint16 red = part_of(color->red), green = part_of(color->green), blue = part_of(color->blue);
    switch (kind) {
    case STRETCH_SIZE:
        return pango_attr_size_new((int)(look->size * PANGO_SCALE));
    case STRETCH_LINE:
        return pango_attr_line_height_new_absolute((int)(look->line * look->size * PANGO_SCALE));
    case STRETCH_SPACING:
        return pango_attr_letter_spacing_new((int)(look->spacing * PANGO_SCALE));
    case STRETCH_BOLD:
        return pango_attr_weight_new(PANGO_WEIGHT_BOLD);
    case STRETCH_ITALIC:
        return pango_attr_style_new(PANGO_STYLE_ITALIC);
    case STRETCH_CODE:
        return pango_attr_family_new("monospace");
    case STRETCH_UPPER:
        return pango_attr_text_transform_new(PANGO_TEXT_TRANSFORM_UPPERCASE);
    case STRETCH_COLOR:
        return pango_attr_foreground_new(red, green, blue);
    case STRETCH_BACKGROUND:
        return pango_attr_background_new(red, green, blue);
    case STRETCH_UNDERLINED:
        return pango_attr_underline_new(PANGO_UNDERLINE_SINGLE);
    case STRETCH_STRUCK:
    case STRETCHES:
        break;
    }
    return pango_attr_strikethrough_new(TRUE);
}

static bool is_wanted(const struct pdf_look *look, enum stretch kind)
{
    const bool wanted[STRETCHES] = { [STRETCH_SIZE] = true,
                                     [STRETCH_LINE] = look->line > 0,
                                     [STRETCH_SPACING] = look->spacing > 0,
                                     [STRETCH_BOLD] = look->is_bold,
                                     [STRETCH_ITALIC] = look->is_italic,
                                     [STRETCH_CODE] = look->is_code,
                                     [STRETCH_UPPER] = look->is_upper,
                                     [STRETCH_COLOR] = look->color.is_set,
                                     [STRETCH_BACKGROUND] = look->background.is_set,
                                     [STRETCH_UNDERLINED] = look->is_underlined,
                                     [STRETCH_STRUCK] = look->is_struck };
    return wanted[kind];
}

static bool color_is(const struct pdf_color *a, const struct pdf_color *b)
{
    return a->red == b->red && a->green == b->green && a->blue == b->blue;
}

/* Is what was begun as it would be now? */
static bool is_same(const struct pdf_look *a, const struct pdf_look *b, enum stretch kind)
{
    switch (kind) {
    case STRETCH_SIZE:
        return a->size == b->size;
    case STRETCH_LINE:
        return a->line == b->line && a->size == b->size;
    case STRETCH_SPACING:
        return a->spacing == b->spacing;
    case STRETCH_COLOR:
        return color_is(&a->color, &b->color);
    case STRETCH_BACKGROUND:
        return color_is(&a->background, &b->background);
    default:
        return true;
    }
}

/* One attribute a stretch, not a word: Pango looks at them all for each run of words. They are put
 * into the list as they begin, in its order, and grow there. The space before the first word, from
 * `space` on, has no line through or below it. */
static void stretches_go_on(struct writer *w, size_t space, size_t from)
{
    for (enum stretch kind = 0; kind < STRETCHES; kind++) {
        if (!is_wanted(&w->look, kind)) {
            w->open[kind] = NULL;
            continue;
        }
        if (w->open[kind] == NULL || !is_same(&w->stretch, &w->look, kind)) {
            w->open[kind] = attribute_make(&w->look, kind);
            w->open[kind]->start_index = (guint)(kind < STRETCH_UNDERLINED ? space : from);
            w->open[kind]->end_index = (guint)w->text.len;
            pango_attr_list_insert(w->attributes, w->open[kind]);
        }
        w->open[kind]->end_index = (guint)w->text.len;
    }
    w->stretch = w->look;
}

static void words_put(struct writer *w, struct str words)
{
    size_t from = w->text.len;
    if (words.len == 0)
        return;
    if (from == 0)
        w->block = w->look;
    else if (w->owes_space)
        buf_char(&w->text, ' ');
    w->owes_space = false;
    size_t begin = w->text.len;
    buf_str(&w->text, words);
    stretches_go_on(w, from, begin);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* White space is one space; what has no meaning on paper is left out. */
static void text_write(struct writer *w, struct str text)
{
    size_t i = 0;
    while (i < text.len) {
        size_t from = i;
        while (i < text.len && (unsigned char)text.ptr[i] > ' ' && text.ptr[i] != 0x7F)
            i++;
        words_put(w, str_slice(text, from, i));
        if (i < text.len && is_blank(text.ptr[i]))
            w->owes_space = true;
        i++;
    }
}

static void pre_write(struct writer *w, struct str text)
{
    struct str line;
    bool       first = true;
    while (text.len > 0 && str_split(&text, '\n', &line)) {
        if (!first)
            words_put(w, STR(PDF_LINE_END)); /* a line's end within a block */
        first = false;
        for (size_t i = 0, from = 0; i <= line.len; i++)
            if (i == line.len || (unsigned char)line.ptr[i] < ' ') {
                words_put(w, str_slice(line, from, i));
                if (i < line.len && line.ptr[i] == '\t')
                    words_put(w, STR("    "));
                from = i + 1;
            }
    }
}

/* ---- boxes ---- */

static struct pdf_box *box_add(struct writer *w, enum pdf_box_kind kind)
{
    struct pdf_box *box = ARENA_NEW(w->sheet->arena, struct pdf_box);
    if (box == NULL) {
        fail(w, ERR_MEMORY);
        return NULL;
    }
    box->kind = kind;
    if (w->into->last == NULL)
        w->into->children = box;
    else
        w->into->last->next = box;
    w->into->last = box;
    return box;
}

/* A line's end at the end of a block is none. */
static struct str block_text(const struct writer *w)
{
    struct str text = buf_view(&w->text);
    while (str_ends(text, STR(PDF_LINE_END)))
        text.len -= strlen(PDF_LINE_END);
    return text;
}

static void words_add(struct writer *w, struct str text)
{
    struct pdf_box *box = box_add(w, PDF_WORDS);
    if (box == NULL)
        return;
    box->text = str_copy(w->sheet->arena, text);
    box->bullet = str_copy(w->sheet->arena, str_of(w->bullet));
    box->attributes = pango_attr_list_ref(w->attributes);
    box->alignment = w->block.alignment;
    box->is_justified = w->block.is_justified;
    box->objects = w->objects;
    box->keeps_next = w->is_heading;
    if (box->text.ptr == NULL || box->bullet.ptr == NULL)
        fail(w, ERR_MEMORY);
    w->bullet[0] = '\0';
}

static void block_end(struct writer *w)
{
    struct str text = block_text(w);
    fail(w, buf_err(&w->text));
    if (text.len > 0 && w->err == OK)
        words_add(w, text);
    buf_reset(&w->text);
    pango_attr_list_unref(w->attributes);
    w->attributes = pango_attr_list_new();
    memset(w->open, 0, sizeof w->open);
    w->owes_space = false;
    w->objects = NULL;
}

static void children_write(struct writer *w, uint32_t at)
{
    for (uint32_t child = at + 1; child < w->nodes[at].end; child = w->nodes[child].end)
        node_write(w, child);
}

static void look_leave_box(struct pdf_look *look)
{
    look->background = (struct pdf_color){ .is_set = false };
}

/* A box of the element; what is written next is in it. NULL: it failed. */
static struct pdf_box *box_begin(struct writer *w, uint32_t at, enum pdf_box_kind kind,
                                 const struct pdf_frame *usual)
{
    block_end(w);
    struct pdf_box *box = box_add(w, kind);
    if (box == NULL)
        return NULL;
    box->frame = *usual;
    pdf_style_frame(w->html, &w->nodes[at], &w->look, &box->frame);
    look_leave_box(&w->look);
    w->into = box;
    return box;
}

static void block_write(struct writer *w, uint32_t at, double before, double after, double indent)
{
    struct pdf_frame usual = { .margin = { before, 0, after, indent } };
    struct pdf_box  *outer = w->into;
    if (box_begin(w, at, PDF_FLOW, &usual) == NULL)
        return;
    children_write(w, at);
    block_end(w);
    w->into = outer;
}

static void heading_write(struct writer *w, uint32_t at, double size)
{
    w->is_heading = true;
    block_write(w, at, size, size / 2, 0);
    w->is_heading = false;
}

/* ---- lists ---- */

static double deeper(struct writer *w)
{
    return w->levels++ < INDENT_LEVELS_MAX ? INDENT_POINTS : 0;
}

static void items_write(struct writer *w, uint32_t at)
{
    int number = html_is(&w->nodes[at], HTML_OL) ? 1 : 0;
    for (uint32_t child = at + 1; child < w->nodes[at].end; child = w->nodes[child].end) {
        if (html_is(&w->nodes[child], HTML_LI) && !plain_hides(w->html, &w->nodes[child])) {
            block_end(w);
            if (number > 0)
                snprintf(w->bullet, sizeof w->bullet, "%d.", number++);
            else
                snprintf(w->bullet, sizeof w->bullet, "\xE2\x80\xA2");
        }
        node_write(w, child);
    }
    block_end(w);
    w->bullet[0] = '\0';
}

static void list_write(struct writer *w, uint32_t at)
{
    double           space = w->levels > 0 ? 0 : SPACE_POINTS;
    struct pdf_frame usual = { .margin = { space, 0, space, deeper(w) } };
    struct pdf_box  *outer = w->into;
    if (box_begin(w, at, PDF_FLOW, &usual) != NULL)
        items_write(w, at);
    w->into = outer;
    w->levels--;
}

static void quote_write(struct writer *w, uint32_t at)
{
    block_write(w, at, SPACE_POINTS, SPACE_POINTS, deeper(w));
    w->levels--;
}

/* ---- among words ---- */

/* What is read on paper has to say where it leads; a picture that leads somewhere need not. */
static void link_write(struct writer *w, uint32_t at)
{
    struct str href = str_trim(html_value(w->html, &w->nodes[at], STR("href")));
    size_t     from = w->text.len;
    children_write(w, at);
    bool is_address = str_starts(href, STR("https://")) || str_starts(href, STR("http://"));
    if (!is_address || from > w->text.len)
        return;
    struct str said = str_trim(str_slice(buf_view(&w->text), from, w->text.len));
    struct str shown = str_slice(href, str_find(href, 0, STR("://")) + 3, href.len);
    if (shown.len > 0 && str_ends(shown, STR("/")))
        shown.len--;
    if (str_find(said, 0, shown) < said.len || str_eq(said, STR(PDF_OBJECT)))
        return;
    w->owes_space = true;
    words_put(w, STR("("));
    words_put(w, shown);
    words_put(w, STR(")"));
}

/* A button: with a ground of its own, and space within. It stands alone. */
static bool is_button(const struct writer *w, uint32_t at)
{
    struct str style = html_value(w->html, &w->nodes[at], STR("style"));
    return w->look.background.is_set && (plain_style_has(style, "display:inline-block") ||
                                         plain_style_has(style, "display:block"));
}

static void button_write(struct writer *w, uint32_t at)
{
    struct pdf_frame usual = { .is_tight = true };
    struct pdf_box  *outer = w->into;
    if (w->look.alignment != PANGO_ALIGN_LEFT)
        w->look.place =
            w->look.alignment == PANGO_ALIGN_CENTER ? PDF_PLACE_CENTER : PDF_PLACE_RIGHT;
    if (box_begin(w, at, PDF_FLOW, &usual) == NULL)
        return;
    if (html_is(&w->nodes[at], HTML_A))
        link_write(w, at);
    else
        children_write(w, at);
    block_end(w);
    w->into = outer;
}

static void rule_write(struct writer *w)
{
    block_end(w);
    struct pdf_box *box = box_add(w, PDF_RULE);
    if (box != NULL)
        box->frame.margin[PDF_TOP] = box->frame.margin[PDF_BOTTOM] = SPACE_POINTS;
}

/* As wide and tall as it says, or as one of the two and its own form say, or as it is: at 96 pixels
 * an inch, as browsers have it. */
static void object_measure(const struct writer *w, uint32_t at, struct pdf_object *object)
{
    const struct pdf_image *image = object->image;
    struct pdf_length width = pdf_style_wide(w->html, &w->nodes[at], STR("width"), w->look.size);
    struct pdf_length height = pdf_style_wide(w->html, &w->nodes[at], STR("height"), w->look.size);
    object->width = image->width * 0.75;
    object->height = image->height * 0.75;
    if (width.unit == PDF_PERCENT)
        object->share = width.value / 100;
    if (width.unit == PDF_POINTS && width.value > 0) {
        object->height *= width.value / object->width;
        object->width = width.value;
    }
    if (height.unit == PDF_POINTS && height.value > 0) {
        if (width.unit != PDF_POINTS)
            object->width *= height.value / object->height;
        object->height = height.value;
    }
}

static void image_write(struct writer *w, uint32_t at)
{
    const struct pdf_image *image = NULL;
    struct pdf_object      *object = ARENA_NEW(w->sheet->arena, struct pdf_object);
    struct str              source = html_value(w->html, &w->nodes[at], STR("src"));
    enum err                err = pdf_image_get(w->sheet, source, &image, w->problem);
    if (err == ERR_ABSENT) {
        text_write(w, html_value(w->html, &w->nodes[at], STR("alt")));
        return;
    }
    if (err != OK || object == NULL) {
        fail(w, err != OK ? err : ERR_MEMORY);
        return;
    }
    bool is_block =
        plain_style_has(html_value(w->html, &w->nodes[at], STR("style")), "display:block");
    if (is_block)
        block_end(w);
    object->image = image;
    object_measure(w, at, object);
    struct pdf_look look = w->look;
    w->look.is_underlined = w->look.is_struck = false;
    w->look.line = w->look.spacing = 0;
    words_put(w, STR(PDF_OBJECT));
    w->look = look;
    object->at = (guint)(w->text.len - strlen(PDF_OBJECT));
    object->next = w->objects;
    w->objects = object;
    if (is_block)
        block_end(w);
}

/* ---- tables ---- */

static uint32_t spanned(const struct writer *w, uint32_t at, struct str name, uint32_t most)
{
    int64_t count;
    if (str_to_int(str_trim(html_value(w->html, &w->nodes[at], name)), &count) != OK || count < 1)
        return 1;
    return count > most ? most : (uint32_t)count;
}

/* What a table says of all its cells, and a row of its own. */
struct cells {
    double            padding, border;
    struct pdf_color  background;
    enum pdf_place    vertical;
    struct pdf_frame *row;
};

static void cell_write(struct writer *w, uint32_t at, const struct cells *all)
{
    double            pad = all->padding;
    struct pdf_border border = { all->border, { true, 0.6, 0.6, 0.6 } };
    struct pdf_frame  usual = { .padding = { pad, pad, pad, pad },
                                .border = { border, border, border, border },
                                .background = all->background,
                                .vertical = all->vertical };
    struct pdf_box   *outer = w->into;
    int               levels = w->levels;
    if (html_is(&w->nodes[at], HTML_TH))
        w->look.is_bold = true;
    struct pdf_box *cell = box_begin(w, at, PDF_CELL, &usual);
    if (cell == NULL)
        return;
    memset(cell->frame.margin, 0, sizeof cell->frame.margin);
    cell->columns_spanned = spanned(w, at, STR("colspan"), PDF_COLUMNS_MAX);
    cell->rows_spanned = spanned(w, at, STR("rowspan"), ROWS_SPANNED_MAX);
    w->levels = 0;
    children_write(w, at);
    block_end(w);
    w->levels = levels;
    w->into = outer;
}

static bool is_cell(const struct html_node *node)
{
    return html_is(node, HTML_TD) || html_is(node, HTML_TH);
}

/* Words between the cells have one of their own: they stay in the order they are written in. */
static void stray_write(struct writer *w, uint32_t at)
{
    struct pdf_box *outer = w->into;
    struct pdf_box *cell = box_add(w, PDF_CELL);
    if (cell == NULL)
        return;
    cell->columns_spanned = cell->rows_spanned = 1;
    w->into = cell;
    node_write(w, at);
    block_end(w);
    w->into = outer;
}

static bool is_blank_node(const struct html_node *node)
{
    return node->kind == HTML_TEXT && str_trim(node->text).len == 0;
}

static void row_write(struct writer *w, uint32_t at, const struct cells *all)
{
    struct pdf_frame usual = { .vertical = all->vertical, .background = all->background };
    struct cells     cells = *all;
    struct pdf_look  look = w->look;
    struct pdf_box  *outer = w->into;
    pdf_style_look(w->html, &w->nodes[at], &w->look);
    struct pdf_box *row = box_begin(w, at, PDF_ROW, &usual);
    if (row == NULL)
        return;
    cells.background = row->frame.background;
    cells.vertical = row->frame.vertical;
    for (uint32_t child = at + 1; child < w->nodes[at].end; child = w->nodes[child].end) {
        struct pdf_look before = w->look;
        if (is_blank_node(&w->nodes[child]) || plain_hides(w->html, &w->nodes[child]))
            continue;
        if (is_cell(&w->nodes[child])) {
            pdf_style_look(w->html, &w->nodes[child], &w->look);
            cell_write(w, child, &cells);
        } else
            stray_write(w, child);
        w->look = before;
    }
    w->look = look;
    w->into = outer;
}

static void rows_write(struct writer *w, uint32_t at, const struct cells *all)
{
    for (uint32_t child = at + 1; child < w->nodes[at].end; child = w->nodes[child].end) {
        const struct html_node *node = &w->nodes[child];
        struct pdf_box         *outer = w->into;
        struct pdf_look         look = w->look;
        if (is_blank_node(node) || plain_hides(w->html, node) || html_is(node, HTML_COLGROUP) ||
            html_is(node, HTML_COL))
            continue;
        if (html_is(node, HTML_TR))
            row_write(w, child, all);
        else if (html_is(node, HTML_TBODY) || html_is(node, HTML_THEAD) ||
                 html_is(node, HTML_TFOOT)) {
            struct cells     cells = *all;
            struct pdf_frame frame = { .vertical = all->vertical };
            pdf_style_look(w->html, node, &w->look);
            look_leave_box(&w->look);
            pdf_style_frame(w->html, node, &w->look, &frame);
            cells.vertical = frame.vertical;
            if (frame.background.is_set)
                cells.background = frame.background;
            rows_write(w, child, &cells);
        } else if ((w->into = box_add(w, PDF_ROW)) != NULL)
            stray_write(w, child);
        w->into = outer;
        w->look = look;
    }
}

static double space_said(const struct writer *w, uint32_t at, const char *attribute, double usual)
{
    struct pdf_length length =
        pdf_style_length(html_value(w->html, &w->nodes[at], str_of(attribute)), 0);
    return length.unit == PDF_POINTS ? length.value : usual;
}

/* Its captions stand above it. */
static void table_write(struct writer *w, uint32_t at)
{
    struct pdf_frame  usual = { .margin = { w->tables > 0 ? 0 : SPACE_POINTS, 0,
                                           w->tables > 0 ? 0 : SPACE_POINTS, 0 } };
    struct pdf_box   *outer = w->into;
    struct str        style = html_value(w->html, &w->nodes[at], STR("style"));
    double            border = space_said(w, at, "border", 0);
    struct pdf_length spacing =
        pdf_style_wide(w->html, &w->nodes[at], STR("border-spacing"), w->look.size);
    struct cells cells = { .padding = space_said(w, at, "cellpadding", CELL_PADDING),
                           .border = border > 0 ? 0.75 : 0,
                           .vertical = PDF_PLACE_CENTER };
    if (w->tables >= PDF_TABLES_DEEP_MAX) {
        if (w->err == OK)
            w->err = problem_set(w->problem, ERR_INPUT, "front",
                                 "tables of the letter stand in each other over 20 deep",
                                 "Take some away.");
        return;
    }
    struct pdf_box *table = box_begin(w, at, PDF_TABLE, &usual);
    if (table == NULL)
        return;
    if (w->look.is_placed)
        w->look.alignment = PANGO_ALIGN_LEFT;
    w->look.is_placed = false;
    table->is_collapsed = plain_style_has(style, "border-collapse:collapse");
    table->spacing = table->is_collapsed ? 0 : space_said(w, at, "cellspacing", CELL_SPACE);
    if (!table->is_collapsed && spacing.unit == PDF_POINTS)
        table->spacing = spacing.value;
    w->tables++;
    w->look.place = PDF_PLACE_LEFT;
    rows_write(w, at, &cells);
    block_end(w);
    w->tables--;
    w->into = outer;
}

/* ---- elements ---- */

/* True: it is one of those that only change how their words look. */
static bool look_change(struct pdf_look *look, enum html_tag tag)
{
    switch (tag) {
    case HTML_B:
    case HTML_STRONG:
        look->is_bold = true;
        return true;
    case HTML_I:
    case HTML_EM:
        look->is_italic = true;
        return true;
    case HTML_U:
        look->is_underlined = true;
        return true;
    case HTML_S:
    case HTML_STRIKE:
        look->is_struck = true;
        return true;
    case HTML_SMALL:
        look->size = look->size > PDF_SIZE_LEAST ? look->size * 0.85 : look->size;
        return true;
    case HTML_BIG:
        look->size = look->size < PDF_SIZE_MOST ? look->size * 1.15 : look->size;
        return true;
    case HTML_CODE:
    case HTML_TT:
        look->is_code = true;
        return true;
    default:
        return false;
    }
}

/* True: nothing of it is written. */
static bool is_silent(enum html_tag tag)
{
    switch (tag) {
    case HTML_HEAD:
    case HTML_TEMPLATE:
    case HTML_STYLE:
    case HTML_SCRIPT:
    case HTML_TITLE:
    case HTML_TEXTAREA:
    case HTML_SELECT:
    case HTML_OBJECT:
    case HTML_IFRAME:
    case HTML_SVG:
    case HTML_MATH:
    case HTML_BUTTON:
        return true;
    default:
        return false;
    }
}

/* True: it was one of those that say something of their own. */
static bool word_write(struct writer *w, uint32_t at)
{
    switch (w->nodes[at].tag) {
    case HTML_BR:
        if (w->text.len > 0)
            words_put(w, STR(PDF_LINE_END));
        w->owes_space = false;
        return true;
    case HTML_HR:
        rule_write(w);
        return true;
    case HTML_IMG:
        image_write(w, at);
        return true;
    case HTML_A:
        link_write(w, at);
        return true;
    default:
        return false;
    }
}

/* As they are where nothing else is said; what its style says goes over it. */
static void look_usual(struct writer *w, uint32_t at)
{
    switch (w->nodes[at].tag) {
    case HTML_H1:
        w->look.size = 18;
        break;
    case HTML_H2:
        w->look.size = 14;
        break;
    case HTML_H3:
    case HTML_H4:
    case HTML_H5:
    case HTML_H6:
        w->look.size = 12;
        break;
    case HTML_PRE:
        w->look.is_pre = w->look.is_code = true;
        return;
    default:
        (void)look_change(&w->look, w->nodes[at].tag);
        return;
    }
    w->look.is_bold = true;
}

static void element_write(struct writer *w, uint32_t at)
{
    switch (w->nodes[at].tag) {
    case HTML_H1:
    case HTML_H2:
    case HTML_H3:
    case HTML_H4:
    case HTML_H5:
    case HTML_H6:
        heading_write(w, at, w->look.size);
        return;
    case HTML_UL:
    case HTML_OL:
    case HTML_MENU:
        list_write(w, at);
        return;
    case HTML_BLOCKQUOTE:
        quote_write(w, at);
        return;
    case HTML_P:
    case HTML_DL:
    case HTML_PRE:
        block_write(w, at, SPACE_POINTS, SPACE_POINTS, 0);
        return;
    case HTML_TABLE:
        table_write(w, at);
        return;
    case HTML_BODY:
    case HTML_TR:
    case HTML_TD:
    case HTML_TH:
    case HTML_CAPTION:
        block_write(w, at, 0, 0, 0);
        return;
    default:
        if (is_button(w, at)) {
            button_write(w, at);
            return;
        }
        if (word_write(w, at))
            return;
        if ((html_tag_flags(w->nodes[at].tag) & HTML_IS_BLOCK) != 0)
            block_write(w, at, 0, 0, 0);
        else
            children_write(w, at);
    }
}

static void node_write(struct writer *w, uint32_t at)
{
    struct pdf_look before = w->look;
    if (w->err != OK)
        return;
    if (w->nodes[at].kind == HTML_TEXT && w->look.is_pre)
        pre_write(w, w->nodes[at].text);
    else if (w->nodes[at].kind == HTML_TEXT)
        text_write(w, w->nodes[at].text);
    else if (!is_silent(w->nodes[at].tag) && !plain_hides(w->html, &w->nodes[at])) {
        look_usual(w, at);
        pdf_style_look(w->html, &w->nodes[at], &w->look);
        element_write(w, at);
    }
    w->look = before;
}

static enum err tree_write(struct pdf_sheet *sheet, const struct html *tree, struct pdf_box *root,
                           struct problem *problem)
{
    struct writer w = { .sheet = sheet,
                        .html = tree,
                        .nodes = html_nodes(tree),
                        .look = { .size = PDF_SIZE_USUAL, .alignment = PANGO_ALIGN_LEFT },
                        .into = root,
                        .problem = problem,
                        .text = buf_make(PDF_BLOCK_BYTES_MAX),
                        .attributes = pango_attr_list_new() };
    children_write(&w, 0);
    block_end(&w);
    pango_attr_list_unref(w.attributes);
    buf_done(&w.text);
    return w.err == ERR_LIMIT
               ? problem_set(problem, ERR_INPUT, "front", "a paragraph of the letter is over 64 KB",
                             "Divide it into several.")
               : w.err;
}

enum err pdf_body_read(struct pdf_sheet *sheet, struct str html, struct pdf_box **out,
                       struct problem *problem)
{
    SCOPED(html_closep) struct html *tree = NULL;
    SCOPED(buf_donep) struct buf     styled = buf_make(2 * (size_t)PDF_HTML_BYTES_MAX);
    struct pdf_box                  *root = ARENA_NEW(sheet->arena, struct pdf_box);
    if (root == NULL)
        return ERR_MEMORY;
    *out = root;
    enum err err = inline_styles(html, &styled, NULL);
    if (err == ERR_MEMORY)
        return err;
    err = html_parse(&tree, err == OK ? buf_view(&styled) : html, problem);
    if (err != OK)
        return err == ERR_LIMIT ? ERR_INPUT : err;
    return tree_write(sheet, tree, root, problem);
}

void pdf_body_done(struct pdf_box *box)
{
    for (; box != NULL; box = box->next) {
        g_clear_object(&box->layout);
        g_clear_pointer(&box->attributes, pango_attr_list_unref);
        pdf_body_done(box->children);
    }
}
