/* A table of a letter's HTML, as boxes: rows, and cells in them. */
#include <string.h>

#include "message/pdf_writer.h"
#include "message/plain.h"

enum { ROWS_SPANNED_MAX = 1000 };

#define CELL_SPACE 1.5 /* as browsers have it where nothing is said: 2 pixels, and 1 in a cell */
#define CELL_PADDING 0.75

static uint32_t spanned(const struct pdf_writer *w, uint32_t at, struct str name, uint32_t most)
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

static void cell_write(struct pdf_writer *w, uint32_t at, const struct cells *all)
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
    struct pdf_box *cell = pdf_writer_begin(w, at, PDF_CELL, &usual);
    if (cell == NULL)
        return;
    memset(cell->frame.margin, 0, sizeof cell->frame.margin);
    cell->columns_spanned = spanned(w, at, STR("colspan"), PDF_COLUMNS_MAX);
    cell->rows_spanned = spanned(w, at, STR("rowspan"), ROWS_SPANNED_MAX);
    w->levels = 0;
    pdf_writer_children(w, at);
    pdf_writer_block_end(w);
    w->levels = levels;
    w->into = outer;
}

static bool is_cell(const struct html_node *node)
{
    return html_is(node, HTML_TD) || html_is(node, HTML_TH);
}

/* Words between the cells have one of their own: they stay in the order they are written in. */
static void stray_write(struct pdf_writer *w, uint32_t at)
{
    struct pdf_box *outer = w->into;
    struct pdf_box *cell = pdf_writer_box(w, PDF_CELL);
    if (cell == NULL)
        return;
    cell->columns_spanned = cell->rows_spanned = 1;
    w->into = cell;
    pdf_writer_node(w, at);
    pdf_writer_block_end(w);
    w->into = outer;
}

static bool is_blank_node(const struct html_node *node)
{
    return node->kind == HTML_TEXT && str_trim(node->text).len == 0;
}

static void row_write(struct pdf_writer *w, uint32_t at, const struct cells *all)
{
    struct pdf_frame usual = { .vertical = all->vertical, .background = all->background };
    struct cells     cells = *all;
    struct pdf_look  look = w->look;
    struct pdf_box  *outer = w->into;
    pdf_style_look(w->html, &w->nodes[at], &w->look);
    struct pdf_box *row = pdf_writer_begin(w, at, PDF_ROW, &usual);
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

static void rows_write(struct pdf_writer *w, uint32_t at, const struct cells *all)
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
            pdf_writer_leave(&w->look);
            pdf_style_frame(w->html, node, &w->look, &frame);
            cells.vertical = frame.vertical;
            if (frame.background.is_set)
                cells.background = frame.background;
            rows_write(w, child, &cells);
        } else if ((w->into = pdf_writer_box(w, PDF_ROW)) != NULL)
            stray_write(w, child);
        w->into = outer;
        w->look = look;
    }
}

static double space_said(const struct pdf_writer *w, uint32_t at, const char *attribute,
                         double usual)
{
    struct pdf_length length =
        pdf_style_length(html_value(w->html, &w->nodes[at], str_of(attribute)), 0);
    return length.unit == PDF_POINTS ? length.value : usual;
}

/* Its captions stand above it. */
void pdf_writer_table(struct pdf_writer *w, uint32_t at)
{
    struct pdf_frame  usual = { .margin = { w->tables > 0 ? 0 : PDF_SPACE_POINTS, 0,
                                           w->tables > 0 ? 0 : PDF_SPACE_POINTS, 0 } };
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
    struct pdf_box *table = pdf_writer_begin(w, at, PDF_TABLE, &usual);
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
    pdf_writer_block_end(w);
    w->tables--;
    w->into = outer;
}
