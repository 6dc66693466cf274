/* A letter's HTML, as boxes in boxes, of which some have words. */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "message/inline.h"
#include "message/pdf_writer.h"
#include "message/plain.h"

enum { INDENT_LEVELS_MAX = 8 };

#define INDENT_POINTS 20.0

void pdf_writer_children(struct pdf_writer *w, uint32_t at)
{
    for (uint32_t child = at + 1; child < w->nodes[at].end; child = w->nodes[child].end)
        pdf_writer_node(w, child);
}

static void block_write(struct pdf_writer *w, uint32_t at, double before, double after,
                        double indent)
{
    struct pdf_frame usual = { .margin = { before, 0, after, indent } };
    struct pdf_box  *outer = w->into;
    if (pdf_writer_begin(w, at, PDF_FLOW, &usual) == NULL)
        return;
    pdf_writer_children(w, at);
    pdf_writer_block_end(w);
    w->into = outer;
}

static void heading_write(struct pdf_writer *w, uint32_t at, double size)
{
    w->is_heading = true;
    block_write(w, at, size, size / 2, 0);
    w->is_heading = false;
}

/* ---- lists ---- */

static double deeper(struct pdf_writer *w)
{
    return w->levels++ < INDENT_LEVELS_MAX ? INDENT_POINTS : 0;
}

static void items_write(struct pdf_writer *w, uint32_t at)
{
    int number = html_is(&w->nodes[at], HTML_OL) ? 1 : 0;
    for (uint32_t child = at + 1; child < w->nodes[at].end; child = w->nodes[child].end) {
        if (html_is(&w->nodes[child], HTML_LI) && !plain_hides(w->html, &w->nodes[child])) {
            pdf_writer_block_end(w);
            if (number > 0)
                snprintf(w->bullet, sizeof w->bullet, "%d.", number++);
            else
                snprintf(w->bullet, sizeof w->bullet, "\xE2\x80\xA2");
        }
        pdf_writer_node(w, child);
    }
    pdf_writer_block_end(w);
    w->bullet[0] = '\0';
}

static void list_write(struct pdf_writer *w, uint32_t at)
{
    double           space = w->levels > 0 ? 0 : PDF_SPACE_POINTS;
    struct pdf_frame usual = { .margin = { space, 0, space, deeper(w) } };
    struct pdf_box  *outer = w->into;
    if (pdf_writer_begin(w, at, PDF_FLOW, &usual) != NULL)
        items_write(w, at);
    w->into = outer;
    w->levels--;
}

static void quote_write(struct pdf_writer *w, uint32_t at)
{
    block_write(w, at, PDF_SPACE_POINTS, PDF_SPACE_POINTS, deeper(w));
    w->levels--;
}

/* ---- among words ---- */

/* What is read on paper has to say where it leads; a picture that leads somewhere need not. */
static void link_write(struct pdf_writer *w, uint32_t at)
{
    struct str href = str_trim(html_value(w->html, &w->nodes[at], STR("href")));
    size_t     from = w->text.len;
    pdf_writer_children(w, at);
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
    pdf_writer_words(w, STR("("));
    pdf_writer_words(w, shown);
    pdf_writer_words(w, STR(")"));
}

/* A button: with a ground of its own, and space within. It stands alone. */
static bool is_button(const struct pdf_writer *w, uint32_t at)
{
    struct str style = html_value(w->html, &w->nodes[at], STR("style"));
    return w->look.background.is_set && !html_is(&w->nodes[at], HTML_IMG) &&
           (plain_style_has(style, "display:inline-block") ||
            plain_style_has(style, "display:block"));
}

static void button_write(struct pdf_writer *w, uint32_t at)
{
    struct pdf_frame usual = { .is_tight = true };
    struct pdf_box  *outer = w->into;
    if (w->look.alignment != PANGO_ALIGN_LEFT)
        w->look.place =
            w->look.alignment == PANGO_ALIGN_CENTER ? PDF_PLACE_CENTER : PDF_PLACE_RIGHT;
    if (pdf_writer_begin(w, at, PDF_FLOW, &usual) == NULL)
        return;
    if (html_is(&w->nodes[at], HTML_A))
        link_write(w, at);
    else
        pdf_writer_children(w, at);
    pdf_writer_block_end(w);
    w->into = outer;
}

static void rule_write(struct pdf_writer *w)
{
    pdf_writer_block_end(w);
    struct pdf_box *box = pdf_writer_box(w, PDF_RULE);
    if (box != NULL)
        box->frame.margin[PDF_TOP] = box->frame.margin[PDF_BOTTOM] = PDF_SPACE_POINTS;
}

/* As wide and tall as it says, or as one of the two and its own form say, or as it is: at 96 pixels
 * an inch, as browsers have it. */
static void object_measure(const struct pdf_writer *w, uint32_t at, struct pdf_object *object)
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

static void image_write(struct pdf_writer *w, uint32_t at)
{
    const struct pdf_image *image = NULL;
    struct pdf_object      *object = ARENA_NEW(w->sheet->arena, struct pdf_object);
    struct str              source = html_value(w->html, &w->nodes[at], STR("src"));
    enum err                err = pdf_image_get(w->sheet, source, &image, w->problem);
    if (err == ERR_ABSENT) {
        pdf_writer_text(w, html_value(w->html, &w->nodes[at], STR("alt")));
        return;
    }
    if (err != OK || object == NULL) {
        pdf_writer_fail(w, err != OK ? err : ERR_MEMORY);
        return;
    }
    bool is_block =
        plain_style_has(html_value(w->html, &w->nodes[at], STR("style")), "display:block");
    if (is_block)
        pdf_writer_block_end(w);
    object->image = image;
    object_measure(w, at, object);
    struct pdf_look look = w->look;
    w->look.is_underlined = w->look.is_struck = false;
    w->look.line = w->look.spacing = 0;
    pdf_writer_words(w, STR(PDF_OBJECT));
    w->look = look;
    object->at = (guint)(w->text.len - strlen(PDF_OBJECT));
    object->next = w->objects;
    w->objects = object;
    if (is_block)
        pdf_writer_block_end(w);
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
static bool word_write(struct pdf_writer *w, uint32_t at)
{
    switch (w->nodes[at].tag) {
    case HTML_BR:
        if (w->text.len > 0)
            pdf_writer_words(w, STR(PDF_LINE_END));
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
static void look_usual(struct pdf_writer *w, uint32_t at)
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

static void element_write(struct pdf_writer *w, uint32_t at)
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
        block_write(w, at, PDF_SPACE_POINTS, PDF_SPACE_POINTS, 0);
        return;
    case HTML_TABLE:
        pdf_writer_table(w, at);
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
            pdf_writer_children(w, at);
    }
}

void pdf_writer_node(struct pdf_writer *w, uint32_t at)
{
    struct pdf_look before = w->look;
    if (w->err != OK)
        return;
    if (w->nodes[at].kind == HTML_TEXT && w->look.is_pre)
        pdf_writer_pre(w, w->nodes[at].text);
    else if (w->nodes[at].kind == HTML_TEXT)
        pdf_writer_text(w, w->nodes[at].text);
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
    struct pdf_writer w = { .sheet = sheet,
                            .html = tree,
                            .nodes = html_nodes(tree),
                            .look = { .size = PDF_SIZE_USUAL, .alignment = PANGO_ALIGN_LEFT },
                            .into = root,
                            .problem = problem,
                            .text = buf_make(PDF_BLOCK_BYTES_MAX),
                            .attributes = pango_attr_list_new() };
    pdf_writer_children(&w, 0);
    pdf_writer_block_end(&w);
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
