/* Pictures of a letter: PNG and JPEG, from data: and from the house's files. */
#include <assert.h>
#include <string.h>

#include "base/encode.h"
#include "message/pdf_inside.h"

#define FILE_SCHEME "file:"

struct bytes {
    struct str left;
};

static enum err image_fault(struct problem *problem, const char *what, const char *remedy)
{
    return problem_set(problem, ERR_INPUT, "image", what, remedy);
}

bool pdf_image_is_ours(struct str source)
{
    assert(source.ptr != NULL || source.len == 0);
    return str_starts(source, STR("data:")) || str_starts(source, STR(FILE_SCHEME)) ||
           str_starts(source, STR("{"));
}

/* ---- what is in the file ---- */

enum kind { KIND_NONE, KIND_PNG, KIND_JPEG };

static uint32_t number_at(struct str bytes, size_t at, int count)
{
    uint32_t number = 0;
    for (int i = 0; i < count; i++)
        number = number << 8 | (unsigned char)bytes.ptr[at + (size_t)i];
    return number;
}

static enum kind png_size(struct str bytes, uint32_t *width, uint32_t *height)
{
    if (bytes.len < 24 || !str_starts(bytes, STR("\x89PNG\r\n\x1A\n")) ||
        !str_eq(str_slice(bytes, 12, 16), STR("IHDR")))
        return KIND_NONE;
    *width = number_at(bytes, 16, 4);
    *height = number_at(bytes, 20, 4);
    return KIND_PNG;
}

static bool is_frame(unsigned marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* As far as the frame's header; a file that was cut has no end. Printers know the usual frames
 * (baseline, extended, progressive), of 8 bits and of grey or three colours. */
static enum kind jpeg_size(struct str bytes, uint32_t *width, uint32_t *height)
{
    size_t at = 2, end = bytes.len;
    while (end > 2 && bytes.ptr[end - 1] == '\0')
        end--;
    if (!str_starts(bytes, STR("\xFF\xD8")) || !str_ends(str_slice(bytes, 0, end), STR("\xFF\xD9")))
        return KIND_NONE;
    while (at + 10 <= bytes.len && (unsigned char)bytes.ptr[at] == 0xFF) {
        unsigned marker = (unsigned char)bytes.ptr[at + 1];
        if (marker == 0xFF) {
            at++;
            continue;
        }
        if (is_frame(marker)) {
            unsigned colors = (unsigned char)bytes.ptr[at + 9];
            *height = number_at(bytes, at + 5, 2);
            *width = number_at(bytes, at + 7, 2);
            return marker <= 0xC2 && bytes.ptr[at + 4] == 8 && (colors == 1 || colors == 3)
                       ? KIND_JPEG
                       : KIND_NONE;
        }
        at += 2 + number_at(bytes, at + 2, 2);
    }
    return KIND_NONE;
}

/* ---- to draw it ---- */

static cairo_status_t bytes_read(void *closure, unsigned char *out, unsigned int count)
{
    struct bytes *bytes = closure;
    if (bytes->left.len < count)
        return CAIRO_STATUS_READ_ERROR;
    memcpy(out, bytes->left.ptr, count);
    bytes->left = str_slice(bytes->left, count, bytes->left.len);
    return CAIRO_STATUS_SUCCESS;
}

static void nothing_done(void *bytes)
{
    (void)bytes;
}

/* The file's own bytes go into the letter: nothing is decoded. They live as long as the arena. */
static cairo_surface_t *jpeg_open(struct str bytes, uint32_t width, uint32_t height)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    cairo_status_t status = cairo_surface_status(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_set_mime_data(surface, CAIRO_MIME_TYPE_JPEG,
                                             (const unsigned char *)bytes.ptr, bytes.len,
                                             nothing_done, NULL);
    (void)status; /* the surface's own, which is looked at */
    return surface;
}

static enum err image_open(struct pdf_sheet *sheet, struct str bytes, struct pdf_image *image,
                           struct problem *problem)
{
    uint32_t  width = 0, height = 0;
    enum kind kind = png_size(bytes, &width, &height);
    if (kind == KIND_NONE)
        kind = jpeg_size(bytes, &width, &height);
    if (kind == KIND_NONE || width == 0 || height == 0)
        return image_fault(problem, "an image of the letter is no PNG, and no JPEG that is printed",
                           "Save it as PNG, or as JPEG in RGB.");
    if (width > PDF_IMAGE_SIDE_MAX || height > PDF_IMAGE_SIDE_MAX ||
        sheet->pixels + (uint64_t)width * height > PDF_PIXELS_MAX)
        return image_fault(problem, "the images of the letter have over 16 million pixels",
                           "Save them smaller: 2,000 pixels across are sharp on paper.");
    sheet->pixels += (uint64_t)width * height;
    image->surface =
        kind == KIND_JPEG
            ? jpeg_open(bytes, width, height)
            : cairo_image_surface_create_from_png_stream(bytes_read, &(struct bytes){ bytes });
    cairo_status_t status = cairo_surface_status(image->surface);
    image->width = width;
    image->height = height;
    /* Of most that is wrong in a PNG cairo says that there is no memory. */
    return status == CAIRO_STATUS_SUCCESS
               ? OK
               : image_fault(problem, "an image of the letter is damaged", "Save it anew.");
}

void pdf_image_draw(cairo_t *cairo, const struct pdf_image *image, double x, double y, double width,
                    double height)
{
    cairo_save(cairo);
    cairo_translate(cairo, x, y);
    cairo_scale(cairo, width / image->width, height / image->height);
    cairo_set_source_surface(cairo, image->surface, 0, 0);
    cairo_paint(cairo);
    cairo_restore(cairo);
}

/* ---- where it is from ---- */

static enum err data_read(struct pdf_sheet *sheet, struct str source, struct str *out,
                          struct problem *problem)
{
    SCOPED(buf_donep) struct buf bytes = buf_make(PDF_HTML_BYTES_MAX);
    size_t                       comma = str_find_char(source, 0, ',');
    if (!str_ends(str_slice(source, 0, comma), STR(";base64")) ||
        base64_read(&bytes, str_trim(str_slice(source, comma + 1, source.len))) != OK)
        return image_fault(problem, "an image of the letter (data:) cannot be read",
                           "Write it as data:image/png;base64,... or put it into files/.");
    *out = str_copy(sheet->arena, buf_view(&bytes));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err file_read(struct pdf_sheet *sheet, struct str name, struct str *out,
                          struct problem *problem)
{
    if (sheet->pictures == NULL)
        return image_fault(problem, "an image of the letter is not here", "Put it into files/.");
    TRY(sheet->pictures->read(sheet->pictures->context, name, sheet->arena, out, problem));
    return out->len <= PDF_IMAGE_BYTES_MAX
               ? OK
               : image_fault(problem, "an image of the letter has over 4 MB", "Save it smaller.");
}

static enum err image_read(struct pdf_sheet *sheet, struct pdf_image *image,
                           struct problem *problem)
{
    struct str bytes = STR_NONE;
    if (sheet->images_count >= PDF_IMAGES_MAX)
        return image_fault(problem, "the letter has over 50 different images", "Take some away.");
    if (str_starts(image->source, STR("data:")))
        TRY(data_read(sheet, image->source, &bytes, problem));
    else
        TRY(file_read(sheet, str_slice(image->source, strlen(FILE_SCHEME), image->source.len),
                      &bytes, problem));
    sheet->image_bytes += bytes.len;
    return sheet->image_bytes > PDF_IMAGES_BYTES_MAX
               ? image_fault(problem, "the images of the letter have over 16 MB",
                             "Save them smaller: 2,000 pixels across are sharp on paper.")
               : image_open(sheet, bytes, image, problem);
}

enum err pdf_image_get(struct pdf_sheet *sheet, struct str source, const struct pdf_image **out,
                       struct problem *problem)
{
    source = str_trim(source);
    if (!pdf_image_is_ours(source) || str_starts(source, STR("{")))
        return ERR_ABSENT;
    for (struct pdf_image *image = sheet->images; image != NULL; image = image->next)
        if (str_eq(image->source, source)) {
            *out = image;
            return OK;
        }
    struct pdf_image *image = ARENA_NEW(sheet->arena, struct pdf_image);
    if (image == NULL)
        return ERR_MEMORY;
    image->source = str_copy(sheet->arena, source);
    enum err err = image->source.ptr == NULL ? ERR_MEMORY : image_read(sheet, image, problem);
    if (err != OK) {
        cairo_surface_destroy(image->surface);
        return err;
    }
    image->next = sheet->images;
    sheet->images = image;
    sheet->images_count++;
    *out = image;
    return OK;
}

void pdf_images_done(struct pdf_sheet *sheet)
{
    for (struct pdf_image *image = sheet->images; image != NULL; image = image->next)
        cairo_surface_destroy(image->surface);
    sheet->images = NULL;
}

/* ---- of a template ---- */

static enum err sources_check(struct pdf_sheet *sheet, const struct html *tree,
                              struct problem *problem)
{
    const struct html_node *nodes = html_nodes(tree);
    const struct pdf_image *image;
    for (uint32_t i = 0; i < html_count(tree); i++) {
        struct str source = html_value(tree, &nodes[i], STR("src"));
        if (!html_is(&nodes[i], HTML_IMG) || !str_starts(source, STR("data:")) ||
            str_find_char(source, 0, '{') < source.len)
            continue;
        TRY(pdf_image_get(sheet, source, &image, problem));
    }
    return OK;
}

enum err pdf_images_check(struct str html, struct problem *problem)
{
    SCOPED(html_closep) struct html   *tree = NULL;
    SCOPED(arena_closep) struct arena *arena = arena_open(PDF_ARENA_BYTES_MAX);
    struct pdf_sheet                   sheet = { .arena = arena };
    if (arena == NULL)
        return ERR_MEMORY;
    TRY(html_parse(&tree, html, problem));
    enum err err = sources_check(&sheet, tree, problem);
    pdf_images_done(&sheet);
    return err;
}
