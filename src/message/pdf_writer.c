#include "message/pdf_writer.h"

#include <string.h>

void pdf_writer_fail(struct pdf_writer *w, enum err err)
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
static void stretches_go_on(struct pdf_writer *w, size_t space, size_t from)
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

void pdf_writer_words(struct pdf_writer *w, struct str words)
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
void pdf_writer_text(struct pdf_writer *w, struct str text)
{
    size_t i = 0;
    while (i < text.len) {
        size_t from = i;
        while (i < text.len && (unsigned char)text.ptr[i] > ' ' && text.ptr[i] != 0x7F)
            i++;
        pdf_writer_words(w, str_slice(text, from, i));
        if (i < text.len && is_blank(text.ptr[i]))
            w->owes_space = true;
        i++;
    }
}

void pdf_writer_pre(struct pdf_writer *w, struct str text)
{
    struct str line;
    bool       first = true;
    while (text.len > 0 && str_split(&text, '\n', &line)) {
        if (!first)
            pdf_writer_words(w, STR(PDF_LINE_END)); /* a line's end within a block */
        first = false;
        for (size_t i = 0, from = 0; i <= line.len; i++)
            if (i == line.len || (unsigned char)line.ptr[i] < ' ') {
                pdf_writer_words(w, str_slice(line, from, i));
                if (i < line.len && line.ptr[i] == '\t')
                    pdf_writer_words(w, STR("    "));
                from = i + 1;
            }
    }
}

/* ---- boxes ---- */

struct pdf_box *pdf_writer_box(struct pdf_writer *w, enum pdf_box_kind kind)
{
    struct pdf_box *box = ARENA_NEW(w->sheet->arena, struct pdf_box);
    if (box == NULL) {
        pdf_writer_fail(w, ERR_MEMORY);
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
static struct str block_text(const struct pdf_writer *w)
{
    struct str text = buf_view(&w->text);
    while (str_ends(text, STR(PDF_LINE_END)))
        text.len -= strlen(PDF_LINE_END);
    return text;
}

static void words_add(struct pdf_writer *w, struct str text)
{
    struct pdf_box *box = pdf_writer_box(w, PDF_WORDS);
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
        pdf_writer_fail(w, ERR_MEMORY);
    w->bullet[0] = '\0';
}

void pdf_writer_block_end(struct pdf_writer *w)
{
    struct str text = block_text(w);
    pdf_writer_fail(w, buf_err(&w->text));
    if (text.len > 0 && w->err == OK)
        words_add(w, text);
    buf_reset(&w->text);
    pango_attr_list_unref(w->attributes);
    w->attributes = pango_attr_list_new();
    memset(w->open, 0, sizeof w->open);
    w->owes_space = false;
    w->objects = NULL;
}

void pdf_writer_leave(struct pdf_look *look)
{
    look->background = (struct pdf_color){ .is_set = false };
}

/* A box of the element; what is written next is in it. NULL: it failed. */
struct pdf_box *pdf_writer_begin(struct pdf_writer *w, uint32_t at, enum pdf_box_kind kind,
                                 const struct pdf_frame *usual)
{
    pdf_writer_block_end(w);
    struct pdf_box *box = pdf_writer_box(w, kind);
    if (box == NULL)
        return NULL;
    box->frame = *usual;
    pdf_style_frame(w->html, &w->nodes[at], &w->look, &box->frame);
    pdf_writer_leave(&w->look);
    w->into = box;
    return box;
}
