/* The endless sheet, cut into pages. */
#include "message/pdf_inside.h"

#define MARGIN (20 * 72.0 / 25.4)
#define BULLET_POINTS 16.0 /* before the text */
#define TINY 0.01

/* ---- where to cut ---- */

/* The first page that somebody asked for between these. */
static double break_find(const struct pdf_laid *laid, double from, double to)
{
    double found = to;
    for (uint32_t i = 0; i < laid->marks_count; i++) {
        const struct pdf_mark *mark = &laid->marks[i];
        if (mark->kind == PDF_MARK_BREAK && mark->y > from + TINY && mark->y < found)
            found = mark->y;
    }
    return found;
}

/* What would be cut and fits on a page begins the next one. They are in the order of where they
 * begin, so that from the last on each is looked at once: moving the cut up to where one begins
 * brings none of those after it back. */
static double cut_find(const struct pdf_laid *laid, double from, double tall)
{
    double   cut = break_find(laid, from, from + tall);
    uint32_t i = 0;
    while (i < laid->wholes_count && laid->wholes[i].from + TINY < cut)
        i++;
    for (; i > 0 && laid->wholes[i - 1].from > from + TINY; i--) {
        const struct pdf_whole *whole = &laid->wholes[i - 1];
        if (whole->from + TINY < cut && whole->to > cut + TINY)
            cut = whole->from;
    }
    return cut;
}

/* The next page begins with what is to be seen, and not with space. */
static double next_find(const struct pdf_laid *laid, double cut)
{
    double found = -1;
    for (uint32_t i = 0; i < laid->marks_count; i++) {
        const struct pdf_mark *mark = &laid->marks[i];
        if (mark->kind == PDF_MARK_BREAK || mark->height <= 0 ||
            (mark->kind == PDF_MARK_FRAME && !pdf_frame_is_seen(mark->frame)))
            continue;
        if (mark->y < cut - TINY && mark->y + mark->height > cut + TINY &&
            mark->kind == PDF_MARK_FRAME)
            return cut; /* a box goes on */
        if (mark->y >= cut - TINY && (found < 0 || mark->y < found))
            found = mark->y;
    }
    return found;
}

/* ---- what stands on it ---- */

static void color_use(cairo_t *cairo, struct pdf_color color)
{
    cairo_set_source_rgb(cairo, color.red, color.green, color.blue);
}

static void border_draw(cairo_t *cairo, const struct pdf_border *border, double x, double y,
                        double width, double height)
{
    if (border->width <= 0)
        return;
    color_use(cairo, border->color);
    cairo_rectangle(cairo, x, y, width, height);
    cairo_fill(cairo);
}

static void frame_draw(cairo_t *cairo, const struct pdf_mark *mark)
{
    const struct pdf_border *border = mark->frame->border;
    double                   right = border[PDF_RIGHT].width, bottom = border[PDF_BOTTOM].width;
    if (mark->frame->background.is_set) {
        color_use(cairo, mark->frame->background);
        cairo_rectangle(cairo, mark->x, mark->y, mark->width, mark->height);
        cairo_fill(cairo);
    }
    border_draw(cairo, &border[PDF_TOP], mark->x, mark->y, mark->width, border[PDF_TOP].width);
    border_draw(cairo, &border[PDF_BOTTOM], mark->x, mark->y + mark->height - bottom, mark->width,
                bottom);
    border_draw(cairo, &border[PDF_LEFT], mark->x, mark->y, border[PDF_LEFT].width, mark->height);
    border_draw(cairo, &border[PDF_RIGHT], mark->x + mark->width - right, mark->y, right,
                mark->height);
}

/* At the baseline of the first line. */
static void bullet_draw(struct pdf_sheet *sheet, const struct pdf_mark *mark)
{
    PangoLayout *layout = pango_layout_copy(sheet->layout);
    pango_layout_set_text(layout, mark->bullet.ptr, (int)mark->bullet.len);
    cairo_move_to(sheet->cairo, mark->x - BULLET_POINTS, mark->y + mark->ascent);
    pango_cairo_show_layout_line(sheet->cairo, pango_layout_get_line_readonly(layout, 0));
    g_object_unref(layout);
}

static void mark_draw(struct pdf_sheet *sheet, const struct pdf_mark *mark)
{
    cairo_t *cairo = sheet->cairo;
    cairo_set_source_rgb(cairo, 0, 0, 0);
    if (mark->kind == PDF_MARK_FRAME) {
        frame_draw(cairo, mark);
        return;
    }
    if (mark->kind == PDF_MARK_RULE) {
        cairo_rectangle(cairo, mark->x, mark->y, mark->width, 0.5);
        cairo_fill(cairo);
        return;
    }
    if (mark->bullet.len > 0)
        bullet_draw(sheet, mark);
    cairo_move_to(cairo, mark->x, mark->y + mark->ascent);
    pango_cairo_show_layout_line(cairo, mark->line);
}

/* Boxes are cut at the page's end; a line stands where it begins. */
static void page_draw(struct pdf_sheet *sheet, const struct pdf_laid *laid, double top, double from,
                      double to)
{
    for (uint32_t i = 0; i < laid->marks_count; i++) {
        struct pdf_mark mark = laid->marks[i];
        bool            is_here = mark.kind == PDF_MARK_FRAME
                                      ? mark.y < to - TINY && mark.y + mark.height > from + TINY
                                      : mark.y >= from - TINY && mark.y < to - TINY;
        if (!is_here || mark.kind == PDF_MARK_BREAK)
            continue;
        mark.x += MARGIN;
        mark.y += top - from;
        cairo_save(sheet->cairo);
        if (mark.kind == PDF_MARK_FRAME) {
            cairo_rectangle(sheet->cairo, 0, top, 2 * MARGIN + PDF_TEXT_WIDTH, to - from);
            cairo_clip(sheet->cairo);
        }
        mark_draw(sheet, &mark);
        cairo_restore(sheet->cairo);
    }
}

void pdf_object_draw(cairo_t *cairo, PangoAttrShape *shape, gboolean is_path, gpointer none)
{
    const struct pdf_object *object = shape->data;
    double                   x, y;
    double                   width = (double)shape->logical_rect.width / PANGO_SCALE;
    double                   height = (double)shape->logical_rect.height / PANGO_SCALE;
    (void)none;
    if (is_path || width <= 0 || height <= 0)
        return;
    cairo_get_current_point(cairo, &x, &y);
    pdf_image_draw(cairo, object->image, x, y - height, width, height);
}

/* What comes first and fits on a page, but not below the address. */
static bool is_for_next(const struct pdf_laid *laid, double from, double tall)
{
    for (uint32_t i = 0; i < laid->wholes_count && laid->wholes[i].from <= from + TINY; i++)
        if (laid->wholes[i].to > from + tall + TINY &&
            laid->wholes[i].to <= from + PDF_PAGE_TALL + TINY)
            return true;
    return false;
}

void pdf_pages_draw(struct pdf_sheet *sheet, const struct pdf_laid *laid, double top)
{
    double from = next_find(laid, 0), tall = PDF_PAGE_TALL + MARGIN - top;
    while (from >= 0 && !sheet->is_full) {
        double cut = is_for_next(laid, from, tall) ? from : cut_find(laid, from, tall);
        page_draw(sheet, laid, top, from, cut);
        from = next_find(laid, cut);
        if (from < 0)
            return;
        if (sheet->pages >= PDF_PAGES_MAX) {
            sheet->is_full = true;
            return;
        }
        cairo_show_page(sheet->cairo);
        sheet->pages++;
        top = MARGIN;
        tall = PDF_PAGE_TALL;
    }
}
