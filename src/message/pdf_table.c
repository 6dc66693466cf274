/*
 * Tables: as wide as what is in them, or as they say.
 *
 *     least  |--|  the longest word        most  |----------|  all in one line
 *
 * A column is between the two; what a cell says of its width counts where there is room for it, and
 * what is left over goes to the columns that say nothing. Where not even the longest words have
 * room all columns are narrower alike, and words are broken.
 */
#include "message/pdf_inside.h"

/* ---- columns ---- */

/* A place for each cell: below one that goes down over rows there is none. */
static enum err places_find(struct pdf_laying *laying, struct pdf_box *table)
{
    uint32_t taken[PDF_COLUMNS_MAX] = { 0 };
    for (struct pdf_box *row = table->children; row != NULL; row = row->next) {
        uint32_t column = 0;
        for (struct pdf_box *cell = row->children; cell != NULL; cell = cell->next) {
            while (column < PDF_COLUMNS_MAX && taken[column] > 0)
                column++;
            if (column == PDF_COLUMNS_MAX)
                return ERR_LIMIT;
            cell->column = column;
            if (cell->columns_spanned > PDF_COLUMNS_MAX - column)
                cell->columns_spanned = PDF_COLUMNS_MAX - column;
            for (uint32_t i = 1; i < cell->columns_spanned; i++)
                if (taken[column + i] > 0)
                    cell->columns_spanned = i; /* up to one that comes down from above */
            for (uint32_t i = 0; i < cell->columns_spanned; i++)
                taken[column + i] = cell->rows_spanned;
            column += cell->columns_spanned;
            if (table->columns_count < column)
                table->columns_count = column;
        }
        for (uint32_t i = 0; i < PDF_COLUMNS_MAX; i++)
            taken[i] -= taken[i] > 0;
    }
    table->columns = ARENA_ARRAY(laying->sheet->arena, table->columns_count + 1, struct pdf_column);
    return table->columns == NULL ? ERR_MEMORY : OK;
}

static double more(double a, double b)
{
    return a > b ? a : b;
}

/* What a cell over several columns needs beyond them is shared among them. */
static void spanned_measure(struct pdf_box *table, const struct pdf_box *cell)
{
    uint32_t count = cell->columns_spanned;
    double   least = table->spacing * (count - 1), most = least;
    for (uint32_t i = 0; i < count; i++) {
        least += table->columns[cell->column + i].least;
        most += table->columns[cell->column + i].most;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct pdf_column *column = &table->columns[cell->column + i];
        column->least += more(cell->least - least, 0) / count;
        column->most = more(column->most + more(cell->most - most, 0) / count, column->least);
    }
}

static void cell_measure(struct pdf_laying *laying, struct pdf_box *table, struct pdf_box *cell)
{
    struct pdf_column *column = &table->columns[cell->column];
    pdf_lay_measure(laying, cell);
    if (cell->columns_spanned > 1)
        return;
    column->least = more(column->least, cell->least);
    column->most = more(column->most, cell->most);
    if (cell->frame.width.unit > column->wanted.unit ||
        (cell->frame.width.unit == column->wanted.unit &&
         cell->frame.width.value > column->wanted.value))
        column->wanted = cell->frame.width;
}

void pdf_table_measure(struct pdf_laying *laying, struct pdf_box *table)
{
    enum err err = places_find(laying, table);
    if (err != OK) {
        laying->err = laying->err == OK ? err : laying->err;
        table->columns_count = 0;
        return;
    }
    for (struct pdf_box *row = table->children; row != NULL; row = row->next)
        for (struct pdf_box *cell = row->children; cell != NULL; cell = cell->next)
            cell_measure(laying, table, cell);
    for (struct pdf_box *row = table->children; row != NULL; row = row->next)
        for (struct pdf_box *cell = row->children; cell != NULL; cell = cell->next)
            if (cell->columns_spanned > 1)
                spanned_measure(table, cell);
    table->least = table->most = table->spacing * (table->columns_count + 1);
    for (uint32_t i = 0; i < table->columns_count; i++) {
        struct pdf_column *column = &table->columns[i];
        if (column->wanted.unit == PDF_POINTS)
            column->most = more(column->wanted.value, column->least);
        table->least += column->least;
        table->most += column->most;
    }
}

/* What a column would be, and how much of what is left over is its. */
static double width_wanted(const struct pdf_column *column, double width)
{
    return column->wanted.unit == PDF_PERCENT
               ? more(column->wanted.value * width / 100, column->least)
               : column->most;
}

static double share_of(const struct pdf_column *column, bool has_free)
{
    return column->wanted.unit != PDF_AUTO && has_free ? 0 : more(column->most, 1);
}

static void columns_widen(struct pdf_box *table, double width, double left_over)
{
    bool   has_free = false;
    double shares = 0;
    for (uint32_t i = 0; i < table->columns_count; i++)
        has_free = has_free || table->columns[i].wanted.unit == PDF_AUTO;
    for (uint32_t i = 0; i < table->columns_count; i++)
        shares += share_of(&table->columns[i], has_free);
    for (uint32_t i = 0; i < table->columns_count; i++)
        table->columns[i].width = width_wanted(&table->columns[i], width) +
                                  left_over * share_of(&table->columns[i], has_free) / shares;
}

static void columns_narrow(struct pdf_box *table, double width, double least, double wanted)
{
    double part = wanted > least ? (width - least) / (wanted - least) : 0;
    for (uint32_t i = 0; i < table->columns_count; i++) {
        struct pdf_column *column = &table->columns[i];
        if (width < least)
            column->width = column->least * width / least;
        else
            column->width = column->least + part * (width_wanted(column, width) - column->least);
    }
}

static void columns_lay(struct pdf_box *table, double x, double room)
{
    double width = room - table->spacing * (table->columns_count + 1);
    double least = 0, wanted = 0;
    width = more(width, table->columns_count);
    for (uint32_t i = 0; i < table->columns_count; i++) {
        least += table->columns[i].least;
        wanted += width_wanted(&table->columns[i], width);
    }
    if (wanted <= width)
        columns_widen(table, width, width - wanted);
    else
        columns_narrow(table, width, least, wanted);
    for (uint32_t i = 0; i < table->columns_count; i++) {
        x += table->spacing;
        table->columns[i].x = x;
        x += table->columns[i].width;
    }
}

/* ---- rows ---- */

/* A cell that is laid out and may go on over more rows. */
struct standing {
    struct pdf_box *cell; /* NULL: none in this column */
    double          top, bottom;
    uint32_t        rows_left;
    uint32_t        mark, whole, mark_end, whole_end; /* what is in it */
};

/* What neighbours share is drawn once. */
static void borders_share(const struct pdf_box *table, struct pdf_box *cell, bool is_first_row)
{
    if (!table->is_collapsed)
        return;
    if (cell->column > 0 && cell->frame.border[PDF_RIGHT].width > 0)
        cell->frame.border[PDF_LEFT].width = 0;
    if (!is_first_row && cell->frame.border[PDF_BOTTOM].width > 0)
        cell->frame.border[PDF_TOP].width = 0;
}

static void cell_lay(struct pdf_laying *laying, const struct pdf_box *table, struct pdf_box *cell,
                     double top, struct standing *out)
{
    const struct pdf_frame  *frame = &cell->frame;
    const struct pdf_column *first = &table->columns[cell->column];
    const struct pdf_column *last = first + cell->columns_spanned - 1;
    double                   width = last->x + last->width - first->x;
    double                   inner = width - pdf_lay_around(cell, PDF_LEFT, PDF_RIGHT);
    struct pdf_laid         *laid = laying->laid;
    out->cell = cell;
    out->top = top;
    out->rows_left = cell->rows_spanned;
    out->mark = laid->marks_count;
    laying->owed = 0;
    laying->y = top + frame->border[PDF_TOP].width + frame->padding[PDF_TOP];
    (void)pdf_lay_mark(
        laying,
        (struct pdf_mark){
            .kind = PDF_MARK_FRAME, .x = first->x, .y = top, .width = width, .frame = frame });
    out->whole = laid->wholes_count;
    pdf_lay_children(laying, cell,
                     first->x + frame->border[PDF_LEFT].width + frame->padding[PDF_LEFT],
                     more(inner, 1));
    out->bottom =
        laying->y + laying->owed + frame->padding[PDF_BOTTOM] + frame->border[PDF_BOTTOM].width;
    out->bottom = more(out->bottom, top + frame->height);
    laying->owed = 0;
    out->mark_end = laid->marks_count;
    out->whole_end = laid->wholes_count;
}

/* The frame reaches down to the row's end, and what is in it stands in the middle or below. */
static void cell_end(struct pdf_laying *laying, const struct standing *standing, double bottom)
{
    struct pdf_laid *laid = laying->laid;
    double           moved = bottom - standing->bottom;
    if (laying->err != OK || laying->sheet->is_full)
        return;
    laid->marks[standing->mark].height = bottom - standing->top;
    laying->y = bottom;
    if (pdf_frame_is_seen(&standing->cell->frame) && bottom - standing->top > PDF_WHOLE_MOST)
        pdf_lay_edges(laying, standing->mark + 1, standing->top);
    if (standing->cell->frame.vertical == PDF_PLACE_LEFT || moved <= 0)
        return;
    if (standing->cell->frame.vertical == PDF_PLACE_CENTER)
        moved /= 2;
    for (uint32_t i = standing->mark + 1; i < standing->mark_end; i++)
        laid->marks[i].y += moved;
    for (uint32_t i = standing->whole; i < standing->whole_end; i++) {
        laid->wholes[i].from += moved;
        laid->wholes[i].to += moved;
    }
}

/* Those that end here decide how tall it is. */
static double row_bottom(const struct pdf_box *table, const struct standing *standing, double top,
                         bool is_last)
{
    double bottom = top;
    for (uint32_t i = 0; i < table->columns_count; i++)
        if (standing[i].cell != NULL && (standing[i].rows_left <= 1 || is_last))
            bottom = more(bottom, standing[i].bottom);
    return bottom;
}

static void row_lay(struct pdf_laying *laying, struct pdf_box *table, struct pdf_box *row,
                    struct standing *standing)
{
    double top = laying->y;
    for (struct pdf_box *cell = row->children; cell != NULL; cell = cell->next) {
        borders_share(table, cell, row == table->children);
        cell_lay(laying, table, cell, top, &standing[cell->column]);
    }
    double bottom = row_bottom(table, standing, top, row->next == NULL);
    bottom = more(bottom, top + row->frame.height);
    for (uint32_t i = 0; i < table->columns_count; i++) {
        if (standing[i].cell == NULL)
            continue;
        if (standing[i].rows_left > 1 && row->next != NULL) {
            standing[i].rows_left--;
            continue;
        }
        cell_end(laying, &standing[i], bottom);
        standing[i].cell = NULL;
    }
    if (bottom - top <= PDF_WHOLE_MOST)
        pdf_lay_whole(laying, top, bottom);
    laying->y = bottom;
}

void pdf_table_lay(struct pdf_laying *laying, struct pdf_box *table, double x, double width)
{
    struct standing standing[PDF_COLUMNS_MAX] = { { .cell = NULL } };
    bool            was_inside = laying->is_inside;
    if (table->columns_count == 0)
        return;
    columns_lay(table, x, width);
    if (laying->is_inside || laying->laid->marks_count > 0)
        laying->y += laying->owed;
    laying->owed = 0;
    laying->is_inside = true;
    laying->y += table->spacing;
    for (struct pdf_box *row = table->children;
         row != NULL && laying->err == OK && !laying->sheet->is_full; row = row->next) {
        row_lay(laying, table, row, standing);
        laying->y += table->spacing;
    }
    laying->is_inside = was_inside;
}
