#include "message/pdf.h"

#include <cairo-pdf.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "message/pdf_inside.h"

#define POINTS(mm) ((mm)*72.0 / 25.4)
#define PAGE_WIDTH_MM 210.0
#define PAGE_HEIGHT_MM 297.0
#define MARGIN_MM 20.0
#define BELOW_WINDOW_MM 10.0 /* between the address and the text */
#define TEXT_LEAST_MM 60.0   /* for text below the window */
#define WINDOW_EDGE_MM 1.0   /* the address keeps away from it: envelopes slip */
#define ADDRESS_POINTS_MOST 11.0
#define ADDRESS_POINTS_LEAST 7.0

enum { FONT_NAME_BYTES = PDF_FONT_BYTES_MAX + 16 };

/* One map of fonts for all threads, whose caches are theirs in turn; it lives as long as we. */
static pthread_mutex_t fonts_lock = PTHREAD_MUTEX_INITIALIZER;
static PangoFontMap   *fonts;

bool pdf_form_is_good(const struct pdf_form *form)
{
    return form->x >= 0 && form->y >= 0 && form->width > 2 * WINDOW_EDGE_MM &&
           form->height > 2 * WINDOW_EDGE_MM && form->x + form->width <= PAGE_WIDTH_MM &&
           form->y + form->height + BELOW_WINDOW_MM + TEXT_LEAST_MM + MARGIN_MM <= PAGE_HEIGHT_MM &&
           form->font.len <= PDF_FONT_BYTES_MAX;
}

/* ---- the address ---- */

static bool address_fits(PangoLayout *layout, const struct pdf_form *form)
{
    int width, height;
    pango_layout_get_size(layout, &width, &height);
    return width <= POINTS(form->width - 2 * WINDOW_EDGE_MM) * PANGO_SCALE &&
           height <= POINTS(form->height - 2 * WINDOW_EDGE_MM) * PANGO_SCALE;
}

static void address_size(PangoLayout *layout, double points)
{
    PangoAttrList *attributes = pango_attr_list_new();
    pango_attr_list_insert(attributes, pango_attr_size_new((int)(points * PANGO_SCALE)));
    pango_layout_set_attributes(layout, attributes);
    pango_attr_list_unref(attributes);
}

/* Pango knows the fonts that were there when it was first asked. */
static enum err gaps_fault(const char *where, struct problem *problem)
{
    return problem_set(problem, ERR_INPUT, where,
                       "no font that is installed has all of its letters",
                       "Install one, such as Debian's fonts-noto, and start Dult again: it looks "
                       "for fonts once.");
}

static enum err address_draw(struct pdf_sheet *sheet, const struct pdf_letter *letter,
                             struct problem *problem)
{
    const struct pdf_form *form = &letter->form;
    PangoLayout           *layout = pango_layout_copy(sheet->layout);
    double                 points = ADDRESS_POINTS_MOST;
    pango_layout_set_text(layout, letter->address.ptr, (int)letter->address.len);
    address_size(layout, points);
    while (!address_fits(layout, form) && points > ADDRESS_POINTS_LEAST)
        address_size(layout, points -= 0.5);
    bool fits = address_fits(layout, form);
    bool has_gaps = pango_layout_get_unknown_glyphs_count(layout) > 0;
    cairo_move_to(sheet->cairo, POINTS(form->x + WINDOW_EDGE_MM), POINTS(form->y + WINDOW_EDGE_MM));
    pango_cairo_show_layout(sheet->cairo, layout);
    g_object_unref(layout);
    if (has_gaps)
        return gaps_fault("address", problem);
    return fits ? OK
                : problem_set(problem, ERR_INPUT, "address",
                              "the address does not fit into the envelope's window",
                              "Shorten its longest line.");
}

/* ---- the file ---- */

/* What cairo writes; beyond the room it is only counted, so that it can be told. */
struct file {
    struct buf *out;
    size_t      bytes;
};

static cairo_status_t bytes_take(void *closure, const unsigned char *bytes, unsigned int count)
{
    struct file *file = closure;
    file->bytes += count;
    buf_str(file->out, (struct str){ (const char *)bytes, count });
    enum err err = buf_err(file->out);
    return err == OK || err == ERR_LIMIT ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_NO_MEMORY;
}

/* As on every machine: no hints for a screen, a point is a point. */
static void layout_make(struct pdf_sheet *sheet, struct str family)
{
    char                  name[FONT_NAME_BYTES];
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    if (fonts == NULL)
        fonts = pango_cairo_font_map_new();
    PangoContext *context = pango_font_map_create_context(fonts);
    pango_cairo_context_set_font_options(context, options);
    pango_cairo_context_set_resolution(context, 72);
    pango_cairo_context_set_shape_renderer(context, pdf_object_draw, NULL, NULL);
    cairo_font_options_destroy(options);
    pango_cairo_update_context(sheet->cairo, context);
    sheet->layout = pango_layout_new(context);
    g_object_unref(context);
    pango_layout_set_wrap(sheet->layout, PANGO_WRAP_WORD_CHAR);
    snprintf(name, sizeof name, "%.*s 11", STR_ARG(family.len > 0 ? family : STR("Sans")));
    PangoFontDescription *font = pango_font_description_from_string(name);
    pango_layout_set_font_description(sheet->layout, font);
    pango_font_description_free(font);
}

static void date_set(cairo_surface_t *surface, int64_t at_ms)
{
    char text[TIME_TEXT_BYTES];
    time_write(at_ms - at_ms % 1000, text);
    snprintf(text + strlen("2026-01-02T03:04:05"), 2, "Z"); /* cairo knows no fractions */
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, text);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, text);
}

/* `top`: where it begins on the page that is begun; below 0: on a page of its own. */
static enum err side_draw(struct pdf_sheet *sheet, struct str html, double top, bool *is_seen,
                          struct problem *problem)
{
    struct pdf_box *box = NULL;
    struct pdf_laid laid = { .marks = NULL };
    enum err        err = pdf_body_read(sheet, html, &box, problem);
    if (err == OK)
        err = pdf_lay(sheet, box, &laid);
    *is_seen = laid.has_ink;
    if (err == OK && laid.has_ink && top < 0) {
        sheet->is_full = sheet->is_full || sheet->pages >= PDF_PAGES_MAX;
        cairo_show_page(sheet->cairo);
        sheet->pages++;
        top = POINTS(MARGIN_MM);
    }
    if (err == OK && laid.has_ink)
        pdf_pages_draw(sheet, &laid, top);
    pdf_laid_done(&laid);
    pdf_body_done(box);
    if (err == ERR_LIMIT)
        return problem_set(problem, ERR_INPUT, "front", "a table of the letter has over 64 columns",
                           "Divide it into several.");
    return err;
}

static enum err sheets_draw(struct pdf_sheet *sheet, const struct pdf_letter *letter,
                            struct problem *problem)
{
    double top = POINTS(letter->form.y + letter->form.height + BELOW_WINDOW_MM);
    bool   is_seen;
    sheet->pages = 1;
    TRY(address_draw(sheet, letter, problem));
    TRY(side_draw(sheet, letter->front, top, &is_seen, problem));
    if (!is_seen)
        return problem_set(problem, ERR_INPUT, "front", "nothing of the front would be seen",
                           "Write words on it: images of the network, films and forms are not "
                           "printed.");
    TRY(side_draw(sheet, letter->back, -1, &is_seen, problem));
    if (sheet->is_full)
        return problem_set(problem, ERR_INPUT, "front", "the letter has more than 50 pages",
                           "Shorten it.");
    return sheet->has_gaps ? gaps_fault("front", problem) : OK;
}

/* What cairo says of the whole of it. */
static enum err file_judge(const struct file *file, cairo_status_t status, struct problem *problem)
{
    if (status == CAIRO_STATUS_NO_MEMORY)
        return ERR_MEMORY;
    if (status != CAIRO_STATUS_SUCCESS)
        return problem_format(problem, ERR_IO, "pdf", "It is tried again by itself.",
                              "the letter could not be drawn: %.100s",
                              cairo_status_to_string(status));
    if (buf_err(file->out) == ERR_LIMIT)
        return problem_format(
            problem, ERR_INPUT, "front",
            "Shorten it, save its images smaller, or name a font without coloured pictures.",
            "the letter's file has %.1f MB, more than the %.1f that are taken",
            (double)file->bytes / (1 << 20), (double)file->out->bytes_max / (1 << 20));
    return buf_err(file->out);
}

static enum err letter_draw(const struct pdf_letter *letter, struct buf *out, uint32_t *pages,
                            struct problem *problem)
{
    struct file      file = { .out = out };
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(
        bytes_take, &file, POINTS(PAGE_WIDTH_MM), POINTS(PAGE_HEIGHT_MM));
    struct pdf_sheet sheet = { .cairo = cairo_create(surface),
                               .pictures = letter->pictures,
                               .arena = arena_open(PDF_ARENA_BYTES_MAX) };
    date_set(surface, letter->at_ms);
    layout_make(&sheet, letter->form.font);
    enum err err = sheet.arena == NULL ? ERR_MEMORY : sheets_draw(&sheet, letter, problem);
    cairo_show_page(sheet.cairo);
    g_object_unref(sheet.layout);
    cairo_status_t status = cairo_status(sheet.cairo);
    cairo_destroy(sheet.cairo);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    pdf_images_done(&sheet);
    arena_close(sheet.arena);
    *pages = sheet.pages;
    return err == OK ? file_judge(&file, status, problem) : err;
}

enum err pdf_write(const struct pdf_letter *letter, struct buf *out, uint32_t *pages,
                   struct problem *problem)
{
    if (letter->front.len > PDF_HTML_BYTES_MAX || letter->back.len > PDF_HTML_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, "front", "a side of the letter is over 512 KB",
                           "Shorten it.");
    if (!str_is_utf8(letter->front) || !str_is_utf8(letter->back) || !str_is_utf8(letter->address))
        return problem_set(problem, ERR_INPUT, "front", "the letter is not UTF-8",
                           "Save its template so.");
    if (!pdf_form_is_good(&letter->form))
        return problem_set(problem, ERR_INPUT, "pdf", "the address would not lie on the paper",
                           "Look at the settings of its way.");
    pthread_mutex_lock(&fonts_lock);
    enum err err = letter_draw(letter, out, pages, problem);
    pthread_mutex_unlock(&fonts_lock);
    return err;
}

/* Fontconfig finds what it keeps by offsets, which the address sanitizer takes for lost. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}

const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}
