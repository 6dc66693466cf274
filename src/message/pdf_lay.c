/* Boxes, as marks on a sheet without an end. */
#include <stdlib.h>
#include <string.h>

#include "message/pdf_inside.h"

#define RULE_SPACE 1.0
#define WIDTH_LEAST 1.0
#define OBJECT_LEAST 36.0 /* points: a picture that is as wide as its room */
#define BESIDE_LEAST 24.0 /* points of the paper that are left for words */

/* ---- what is found ---- */

static void *list_grow(void *list, uint32_t count, uint32_t *room, size_t size)
{
    uint32_t more = *room == 0 ? 64 : *room * 2;
    if (count < *room)
        return list;
    void *grown = reallocarray(list, more, size);
    if (grown != NULL)
        *room = more;
    return grown;
}

static bool has_room(struct pdf_laying *laying, uint32_t count)
{
    if (laying->err == OK && count >= PDF_MARKS_MAX)
        laying->sheet->is_full = true;
    return laying->err == OK && !laying->sheet->is_full;
}

struct pdf_mark *pdf_lay_mark(struct pdf_laying *laying, struct pdf_mark mark)
{
    struct pdf_laid *laid = laying->laid;
    if (!has_room(laying, laid->marks_count))
        return NULL;
    struct pdf_mark *grown =
        list_grow(laid->marks, laid->marks_count, &laid->marks_room, sizeof *grown);
    if (grown == NULL) {
        laying->err = ERR_MEMORY;
        return NULL;
    }
    laid->marks = grown;
    grown[laid->marks_count] = mark;
    /* Beside each other columns are as tall as the tallest; below each other all counts. */
    if (mark.y > (PDF_PAGES_MAX + 1) * PDF_PAGE_TALL)
        laying->sheet->is_full = true;
    return &grown[laid->marks_count++];
}

void pdf_lay_whole(struct pdf_laying *laying, double from, double to)
{
    struct pdf_laid *laid = laying->laid;
    if (!has_room(laying, laid->wholes_count / 4) || to <= from)
        return;
    struct pdf_whole *grown =
        list_grow(laid->wholes, laid->wholes_count, &laid->wholes_room, sizeof *grown);
    if (grown == NULL) {
        laying->err = ERR_MEMORY;
        return;
    }
    laid->wholes = grown;
    grown[laid->wholes_count++] = (struct pdf_whole){ from, to };
}

/* The space that is owed stands between two things, not before the first. */
static void settle(struct pdf_laying *laying)
{
    if (laying->is_inside || laying->laid->marks_count > 0)
        laying->y += laying->owed;
    laying->owed = 0;
}

static void owe(struct pdf_laying *laying, double points)
{
    if (laying->owed < points)
        laying->owed = points;
}

/* ---- words ---- */

/* Pictures are never wider than their room, nor taller than a page. */
static void object_size(const struct pdf_object *object, double room, double *width, double *height)
{
    double wide = object->share > 0 ? object->share * room : object->width;
    double scale = wide > room ? room / wide : 1;
    double tall = object->share > 0 ? object->height * wide / object->width : object->height;
    if (tall * scale > PDF_PAGE_TALL - 20)
        scale = (PDF_PAGE_TALL - 20) / tall;
    *width = wide * scale;
    *height = tall * scale;
}

static PangoAttrList *attributes_of(const struct pdf_box *box, double room)
{
    PangoAttrList *list = pango_attr_list_copy(box->attributes);
    for (const struct pdf_object *object = box->objects; object != NULL; object = object->next) {
        double width, height;
        object_size(object, room, &width, &height);
        PangoRectangle  rect = { 0, -(int)(height * PANGO_SCALE), (int)(width * PANGO_SCALE),
                                 (int)(height * PANGO_SCALE) };
        PangoAttribute *shape =
            pango_attr_shape_new_with_data(&rect, &rect, (gpointer)(uintptr_t)object, NULL, NULL);
        shape->start_index = object->at;
        shape->end_index = object->at + 3;
        pango_attr_list_insert(list, shape);
    }
    return list;
}

/* `room` below 0: all in one line. */
static void words_set(struct pdf_laying *laying, struct pdf_box *box, double room)
{
    if (box->layout == NULL) {
        box->layout = pango_layout_copy(laying->sheet->layout);
        pango_layout_set_text(box->layout, box->text.ptr, (int)box->text.len);
        pango_layout_set_alignment(box->layout, box->alignment);
        pango_layout_set_justify(box->layout, box->is_justified);
    }
    PangoAttrList *attributes = attributes_of(box, room < 0 ? PDF_TEXT_WIDTH : room);
    pango_layout_set_attributes(box->layout, attributes);
    pango_attr_list_unref(attributes);
    pango_layout_set_width(box->layout, room < 0 ? -1 : (int)(room * PANGO_SCALE));
}

static double words_width(const struct pdf_box *box)
{
    PangoRectangle said;
    pango_layout_get_extents(box->layout, NULL, &said);
    return (double)said.width / PANGO_SCALE + 0.1; /* it is rounded, and would be broken */
}

static void words_measure(struct pdf_laying *laying, struct pdf_box *box)
{
    words_set(laying, box, -1);
    box->most = words_width(box);
    /* Of the longest word, and not of each letter: words are broken in the last resort only. */
    words_set(laying, box, OBJECT_LEAST);
    pango_layout_set_width(box->layout, 0);
    pango_layout_set_wrap(box->layout, PANGO_WRAP_WORD);
    box->least = words_width(box);
    pango_layout_set_wrap(box->layout, PANGO_WRAP_WORD_CHAR);
    for (const struct pdf_object *object = box->objects; object != NULL; object = object->next)
        if (object->share <= 0 && box->least < object->width)
            box->least = object->width < PDF_TEXT_WIDTH ? object->width : PDF_TEXT_WIDTH;
}

/* Of spaces alone nothing is seen, whatever kind they are. */
static bool is_seen(const struct pdf_box *box)
{
    PangoRectangle ink;
    pango_layout_get_extents(box->layout, &ink, NULL);
    return ink.width > 0 && ink.height > 0;
}

static void line_lay(struct pdf_laying *laying, struct pdf_box *box, PangoLayoutIter *at, double x,
                     bool is_first)
{
    PangoRectangle rect;
    double         from = laying->y;
    pango_layout_iter_get_line_extents(at, NULL, &rect);
    double height = (double)rect.height / PANGO_SCALE;
    (void)pdf_lay_mark(
        laying, (struct pdf_mark){ .kind = PDF_MARK_LINE,
                                   .x = x + (double)rect.x / PANGO_SCALE,
                                   .y = laying->y,
                                   .width = (double)rect.width / PANGO_SCALE,
                                   .height = height,
                                   .line = pango_layout_iter_get_line_readonly(at),
                                   .ascent = (double)(pango_layout_iter_get_baseline(at) - rect.y) /
                                             PANGO_SCALE,
                                   .bullet = is_first ? box->bullet : STR_NONE });
    laying->y += height;
    pdf_lay_whole(laying, laying->kept_from >= 0 ? laying->kept_from : from, laying->y);
    if (laying->kept_from >= 0)
        pdf_lay_whole(laying, from, laying->y);
    laying->kept_from = -1;
}

static void words_lay(struct pdf_laying *laying, struct pdf_box *box, double x, double width)
{
    double from;
    bool   is_first = true;
    if (x > PDF_TEXT_WIDTH - BESIDE_LEAST) { /* margins push words off no paper */
        x = PDF_TEXT_WIDTH - BESIDE_LEAST;
        width = BESIDE_LEAST;
    }
    words_set(laying, box, width);
    laying->sheet->has_gaps =
        laying->sheet->has_gaps || pango_layout_get_unknown_glyphs_count(box->layout) > 0;
    laying->laid->has_ink = laying->laid->has_ink || is_seen(box);
    settle(laying);
    from = laying->y;
    PangoLayoutIter *at = pango_layout_get_iter(box->layout);
    do {
        line_lay(laying, box, at, x, is_first);
        is_first = false;
    } while (!laying->sheet->is_full && laying->err == OK && pango_layout_iter_next_line(at));
    pango_layout_iter_free(at);
    if (box->keeps_next)
        laying->kept_from = from;
}

/* ---- boxes ---- */

double pdf_lay_around(const struct pdf_box *box, enum pdf_side one, enum pdf_side other)
{
    const struct pdf_frame *frame = &box->frame;
    return frame->padding[one] + frame->padding[other] + frame->border[one].width +
           frame->border[other].width;
}

static double margins(const struct pdf_box *box)
{
    return box->frame.margin[PDF_LEFT] + box->frame.margin[PDF_RIGHT];
}

static void children_measure(struct pdf_laying *laying, struct pdf_box *box)
{
    for (struct pdf_box *child = box->children; child != NULL; child = child->next) {
        pdf_lay_measure(laying, child);
        if (box->least < child->least)
            box->least = child->least;
        if (box->most < child->most)
            box->most = child->most;
    }
}

void pdf_lay_measure(struct pdf_laying *laying, struct pdf_box *box)
{
    if (box->is_measured)
        return;
    box->is_measured = true;
    if (box->kind == PDF_WORDS)
        words_measure(laying, box);
    else if (box->kind == PDF_TABLE)
        pdf_table_measure(laying, box);
    else
        children_measure(laying, box);
    double around = pdf_lay_around(box, PDF_LEFT, PDF_RIGHT);
    box->least += around;
    box->most += around;
    if (box->kind != PDF_CELL && box->frame.width.unit == PDF_POINTS) {
        box->most = box->least > box->frame.width.value ? box->least : box->frame.width.value;
        if (box->kind != PDF_TABLE)
            box->least = box->most < PDF_TEXT_WIDTH ? box->least : PDF_TEXT_WIDTH;
    }
    box->least += margins(box);
    box->most += margins(box);
}

static bool is_framed(const struct pdf_box *box)
{
    return box->frame.background.is_set || box->frame.height > 0 ||
           pdf_lay_around(box, PDF_TOP, PDF_BOTTOM) > 0 ||
           pdf_lay_around(box, PDF_LEFT, PDF_RIGHT) > 0;
}

bool pdf_frame_is_seen(const struct pdf_frame *frame)
{
    bool is_seen = frame->background.is_set;
    for (int i = 0; i < PDF_SIDES; i++)
        is_seen = is_seen || frame->border[i].width > 0;
    return is_seen;
}

/* As wide as its room, or as it says; a table as it needs. */
static double width_of(struct pdf_laying *laying, struct pdf_box *box, double room)
{
    const struct pdf_length *said = &box->frame.width;
    double                   width = room;
    if (said->unit == PDF_POINTS)
        width = said->value;
    else if (said->unit == PDF_PERCENT)
        width = said->value * room / 100;
    if (box->kind == PDF_TABLE || box->frame.is_tight) {
        pdf_lay_measure(laying, box);
        if (said->unit == PDF_AUTO)
            width = box->most - margins(box);
        if (width < box->least - margins(box))
            width = box->least - margins(box);
    }
    return width < WIDTH_LEAST ? WIDTH_LEAST : width > room ? room : width;
}

static void rule_lay(struct pdf_laying *laying, double x, double width)
{
    settle(laying);
    laying->laid->has_ink = true;
    (void)pdf_lay_mark(
        laying,
        (struct pdf_mark){
            .kind = PDF_MARK_RULE, .x = x, .y = laying->y, .width = width, .height = RULE_SPACE });
    laying->y += RULE_SPACE;
}

static void inside_lay(struct pdf_laying *laying, struct pdf_box *box, double x, double width)
{
    if (width < WIDTH_LEAST)
        width = WIDTH_LEAST;
    if (box->kind == PDF_WORDS)
        words_lay(laying, box, x, width);
    else if (box->kind == PDF_RULE)
        rule_lay(laying, x, width);
    else if (box->kind == PDF_TABLE)
        pdf_table_lay(laying, box, x, width);
    else
        pdf_lay_children(laying, box, x, width);
}

/* Its upper edge stays with its first line, its lower edge with its last. */
void pdf_lay_edges(struct pdf_laying *laying, uint32_t first, double top)
{
    const struct pdf_laid *laid = laying->laid;
    double                 from = laying->y, to = top;
    for (uint32_t i = first; i < laid->marks_count; i++) {
        const struct pdf_mark *mark = &laid->marks[i];
        if (mark->kind != PDF_MARK_LINE)
            continue;
        if (to <= top)
            to = mark->y + mark->height;
        from = mark->y;
    }
    if (to - top <= PDF_WHOLE_MOST)
        pdf_lay_whole(laying, top, to);
    if (laying->y - from <= PDF_WHOLE_MOST)
        pdf_lay_whole(laying, from, laying->y);
}

/* With something drawn around it, or a height of its own. */
static void framed_lay(struct pdf_laying *laying, struct pdf_box *box, double x, double width)
{
    const struct pdf_frame *frame = &box->frame;
    settle(laying);
    double   top = laying->y;
    bool     was_inside = laying->is_inside;
    uint32_t at = laying->laid->marks_count;
    if (pdf_lay_mark(
            laying,
            (struct pdf_mark){
                .kind = PDF_MARK_FRAME, .x = x, .y = top, .width = width, .frame = frame }) == NULL)
        return;
    laying->is_inside = true;
    laying->y += frame->border[PDF_TOP].width + frame->padding[PDF_TOP];
    inside_lay(laying, box, x + frame->border[PDF_LEFT].width + frame->padding[PDF_LEFT],
               width - pdf_lay_around(box, PDF_LEFT, PDF_RIGHT));
    settle(laying);
    laying->y += frame->border[PDF_BOTTOM].width + frame->padding[PDF_BOTTOM];
    if (laying->y < top + frame->height)
        laying->y = top + frame->height;
    laying->is_inside = was_inside;
    laying->laid->marks[at].height = laying->y - top;
    if (pdf_frame_is_seen(frame))
        pdf_lay_edges(laying, at + 1, top);
}

static void break_lay(struct pdf_laying *laying)
{
    laying->owed = 0;
    (void)pdf_lay_mark(laying, (struct pdf_mark){ .kind = PDF_MARK_BREAK, .y = laying->y });
}

void pdf_lay_box(struct pdf_laying *laying, struct pdf_box *box, double x, double width)
{
    const struct pdf_frame *frame = &box->frame;
    double                  room = width - margins(box);
    if (laying->sheet->is_full || laying->err != OK)
        return;
    if (frame->breaks_before)
        break_lay(laying);
    owe(laying, frame->margin[PDF_TOP]);
    x += frame->margin[PDF_LEFT];
    width = width_of(laying, box, room < WIDTH_LEAST ? WIDTH_LEAST : room);
    if (frame->place != PDF_PLACE_LEFT && room > width)
        x += frame->place == PDF_PLACE_CENTER ? (room - width) / 2 : room - width;
    if (is_framed(box))
        framed_lay(laying, box, x, width);
    else
        inside_lay(laying, box, x, width);
    owe(laying, frame->margin[PDF_BOTTOM]);
    if (frame->breaks_after)
        break_lay(laying);
}

void pdf_lay_children(struct pdf_laying *laying, struct pdf_box *box, double x, double width)
{
    for (struct pdf_box *child = box->children; child != NULL; child = child->next)
        pdf_lay_box(laying, child, x, width);
}

/* ---- a side ---- */

static int whole_compare(const void *a, const void *b)
{
    const struct pdf_whole *one = a, *two = b;
    return one->from < two->from ? -1 : one->from > two->from;
}

enum err pdf_lay(struct pdf_sheet *sheet, struct pdf_box *box, struct pdf_laid *out)
{
    struct pdf_laying laying = { .sheet = sheet, .laid = out, .kept_from = -1 };
    pdf_lay_box(&laying, box, 0, PDF_TEXT_WIDTH);
    if (out->wholes_count > 0)
        qsort(out->wholes, out->wholes_count, sizeof *out->wholes, whole_compare);
    return laying.err;
}

void pdf_laid_done(struct pdf_laid *laid)
{
    free(laid->marks);
    free(laid->wholes);
    memset(laid, 0, sizeof *laid);
}
