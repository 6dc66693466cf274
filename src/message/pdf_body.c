/* A letter's HTML, as blocks to be drawn one below the other. */
#include <stdio.h>
#include <string.h>

#include "message/pdf_inside.h"
#include "message/plain.h"

enum { BULLET_BYTES = 16, INDENT_LEVELS_MAX = 8 };

#define SIZE_USUAL 11.0 /* points */
#define SIZE_LEAST 5.0  /* beyond these <small> and <big> within each other change no more */
#define SIZE_MOST 60.0
#define INDENT_POINTS 20.0
#define SPACE_POINTS 8.0

/* How words are written where we are; each element changes it for what is in it. */
struct look {
    double         size;
    int            levels; /* of lists and quotes */
    PangoAlignment alignment;
    bool           is_bold, is_italic, is_underlined, is_struck, is_code, is_pre;
};

/* What a stretch of words may look like; of each there is one open at most. */
enum stretch {
    STRETCH_SIZE,
    STRETCH_BOLD,
    STRETCH_ITALIC,
    STRETCH_CODE,
    STRETCH_UNDERLINED, /* from here on without the space before the first word */
    STRETCH_STRUCK,
    STRETCHES,
};

struct writer {
    struct pdf_sheet       *sheet;
    const struct html      *html;
    const struct html_node *nodes;
    struct look             look;
    struct buf              text; /* of the block that is open */
    PangoAttrList          *attributes;
    PangoAttribute         *open[STRETCHES]; /* the list's; NULL: words are not so now */
    double                  size;            /* of the open stretch */
    struct look             block;           /* as its first word was */
    double                  before;          /* at least so much stands above the next block */
    bool                    owes_space, owes_cell;
    char                    bullet[BULLET_BYTES]; /* of the next block */
    enum err                err;                  /* of the first block that had no room */
};

static void node_write(struct writer *w, uint32_t at);

/* ---- words ---- */

static PangoAttribute *attribute_make(const struct look *look, enum stretch kind)
{
    switch (kind) {
    case STRETCH_SIZE:
        return pango_attr_size_new((int)(look->size * PANGO_SCALE));
    case STRETCH_BOLD:
        return pango_attr_weight_new(PANGO_WEIGHT_BOLD);
    case STRETCH_ITALIC:
        return pango_attr_style_new(PANGO_STYLE_ITALIC);
    case STRETCH_CODE:
        return pango_attr_family_new("monospace");
    case STRETCH_UNDERLINED:
        return pango_attr_underline_new(PANGO_UNDERLINE_SINGLE);
    case STRETCH_STRUCK:
    case STRETCHES:
        break;
    }
    return pango_attr_strikethrough_new(TRUE);
}

static bool is_wanted(const struct look *look, enum stretch kind)
{
    const bool wanted[STRETCHES] = { [STRETCH_SIZE] = true,
                                     [STRETCH_BOLD] = look->is_bold,
                                     [STRETCH_ITALIC] = look->is_italic,
                                     [STRETCH_CODE] = look->is_code,
                                     [STRETCH_UNDERLINED] = look->is_underlined,
                                     [STRETCH_STRUCK] = look->is_struck };
    return wanted[kind];
}

/* One attribute a stretch, not a word: Pango looks at them all for each run of words. They are put
 * into the list as they begin, in its order, and grow there. The space before the first word, from
 * `space` on, has no line through or below it. */
static void stretches_go_on(struct writer *w, size_t space, size_t from)
{
    if (w->size != w->look.size)
        w->open[STRETCH_SIZE] = NULL;
    w->size = w->look.size;
    for (enum stretch kind = 0; kind < STRETCHES; kind++) {
        if (!is_wanted(&w->look, kind)) {
            w->open[kind] = NULL;
            continue;
        }
        if (w->open[kind] == NULL) {
            w->open[kind] = attribute_make(&w->look, kind);
            w->open[kind]->start_index = (guint)(kind < STRETCH_UNDERLINED ? space : from);
            w->open[kind]->end_index = (guint)w->text.len;
            pango_attr_list_insert(w->attributes, w->open[kind]);
        }
        w->open[kind]->end_index = (guint)w->text.len;
    }
}

static void words_put(struct writer *w, struct str words)
{
    size_t from = w->text.len;
    if (words.len == 0)
        return;
    if (from == 0)
        w->block = w->look;
    else if (w->owes_cell)
        buf_str(&w->text, STR("    "));
    else if (w->owes_space)
        buf_char(&w->text, ' ');
    w->owes_space = w->owes_cell = false;
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
            words_put(w, STR("\xE2\x80\xA8")); /* a line's end within a block */
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

/* ---- blocks ---- */

/* A line's end at the end of a block is none. */
static struct str block_text(const struct writer *w)
{
    struct str text = buf_view(&w->text);
    while (str_ends(text, STR("\xE2\x80\xA8")))
        text.len -= 3;
    return text;
}

static void block_end(struct writer *w)
{
    struct str text = block_text(w);
    if (w->err == OK)
        w->err = buf_err(&w->text);
    if (text.len > 0 && w->err == OK) {
        struct pdf_block block = {
            .text = text,
            .attributes = w->attributes,
            .alignment = w->block.alignment,
            .indent = w->block.levels * INDENT_POINTS,
            .before = w->before,
            .bullet = str_of(w->bullet),
        };
        pdf_block_draw(w->sheet, &block);
        w->bullet[0] = '\0';
        w->before = 0;
    }
    buf_reset(&w->text);
    pango_attr_list_unref(w->attributes);
    w->attributes = pango_attr_list_new();
    memset(w->open, 0, sizeof w->open);
    w->owes_space = w->owes_cell = false;
}

static void space_want(struct writer *w, double points)
{
    block_end(w);
    if (w->before < points)
        w->before = points;
}

static void children_write(struct writer *w, uint32_t at)
{
    for (uint32_t child = at + 1; child < w->nodes[at].end; child = w->nodes[child].end)
        node_write(w, child);
}

static void block_write(struct writer *w, uint32_t at, double space)
{
    space_want(w, space);
    children_write(w, at);
    space_want(w, space);
}

static void heading_write(struct writer *w, uint32_t at, double size)
{
    w->look.size = size;
    w->look.is_bold = true;
    space_want(w, size);
    children_write(w, at);
    space_want(w, size / 2);
}

static void deeper(struct writer *w)
{
    if (w->look.levels < INDENT_LEVELS_MAX)
        w->look.levels++;
}

static void list_write(struct writer *w, uint32_t at)
{
    int number = html_is(&w->nodes[at], HTML_OL) ? 1 : 0;
    space_want(w, w->look.levels > 0 ? 0 : SPACE_POINTS);
    deeper(w);
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
    w->look.levels--;
    space_want(w, w->look.levels > 0 ? 0 : SPACE_POINTS);
}

/* What is read on paper has to say where it leads. */
static void link_write(struct writer *w, uint32_t at)
{
    struct str href = str_trim(html_value(w->html, &w->nodes[at], STR("href")));
    size_t     from = w->text.len;
    children_write(w, at);
    bool is_address = str_starts(href, STR("https://")) || str_starts(href, STR("http://"));
    if (!is_address || from > w->text.len)
        return;
    struct str said = str_slice(buf_view(&w->text), from, w->text.len);
    struct str shown = str_slice(href, str_find(href, 0, STR("://")) + 3, href.len);
    if (shown.len > 0 && str_ends(shown, STR("/")))
        shown.len--;
    if (str_find(said, 0, shown) < said.len)
        return;
    w->owes_space = true;
    words_put(w, STR("("));
    words_put(w, shown);
    words_put(w, STR(")"));
}

static void rule_write(struct writer *w)
{
    struct pdf_block rule = { .is_rule = true, .before = SPACE_POINTS, .after = SPACE_POINTS };
    block_end(w);
    pdf_block_draw(w->sheet, &rule);
}

static void cell_write(struct writer *w, uint32_t at)
{
    w->owes_cell = w->text.len > 0;
    w->look.is_bold = w->look.is_bold || html_is(&w->nodes[at], HTML_TH);
    children_write(w, at);
}

/* ---- elements ---- */

static void align(struct writer *w, uint32_t at)
{
    struct str style = html_value(w->html, &w->nodes[at], STR("style"));
    struct str word = html_value(w->html, &w->nodes[at], STR("align"));
    if (plain_style_has(style, "text-align:right") || str_eq_nocase(word, STR("right")))
        w->look.alignment = PANGO_ALIGN_RIGHT;
    else if (plain_style_has(style, "text-align:center") || str_eq_nocase(word, STR("center")) ||
             html_is(&w->nodes[at], HTML_CENTER))
        w->look.alignment = PANGO_ALIGN_CENTER;
    else if (plain_style_has(style, "text-align:left") || str_eq_nocase(word, STR("left")))
        w->look.alignment = PANGO_ALIGN_LEFT;
}

/* True: it is one of those that only change how their words look. */
static bool look_change(struct look *look, enum html_tag tag)
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
        look->size = look->size > SIZE_LEAST ? look->size * 0.85 : look->size;
        return true;
    case HTML_BIG:
        look->size = look->size < SIZE_MOST ? look->size * 1.15 : look->size;
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
            words_put(w, STR("\xE2\x80\xA8"));
        w->owes_space = false;
        return true;
    case HTML_HR:
        rule_write(w);
        return true;
    case HTML_IMG:
        text_write(w, html_value(w->html, &w->nodes[at], STR("alt")));
        return true;
    case HTML_A:
        link_write(w, at);
        return true;
    case HTML_TD:
    case HTML_TH:
        cell_write(w, at);
        return true;
    default:
        return false;
    }
}

static void element_write(struct writer *w, uint32_t at)
{
    switch (w->nodes[at].tag) {
    case HTML_H1:
        heading_write(w, at, 18);
        return;
    case HTML_H2:
        heading_write(w, at, 14);
        return;
    case HTML_H3:
    case HTML_H4:
    case HTML_H5:
    case HTML_H6:
        heading_write(w, at, 12);
        return;
    case HTML_UL:
    case HTML_OL:
    case HTML_MENU:
        list_write(w, at);
        return;
    case HTML_BLOCKQUOTE:
        deeper(w);
        block_write(w, at, SPACE_POINTS);
        return;
    case HTML_PRE:
        w->look.is_pre = w->look.is_code = true;
        block_write(w, at, SPACE_POINTS);
        return;
    case HTML_P:
    case HTML_DL:
    case HTML_TABLE:
        block_write(w, at, SPACE_POINTS);
        return;
    case HTML_TR:
    case HTML_CAPTION:
        block_write(w, at, 0);
        return;
    default:
        if (word_write(w, at))
            return;
        if ((html_tag_flags(w->nodes[at].tag) & HTML_IS_BLOCK) != 0)
            block_write(w, at, 0);
        else
            children_write(w, at);
    }
}

static void node_write(struct writer *w, uint32_t at)
{
    struct look before = w->look;
    if (w->nodes[at].kind == HTML_TEXT && w->look.is_pre)
        pre_write(w, w->nodes[at].text);
    else if (w->nodes[at].kind == HTML_TEXT)
        text_write(w, w->nodes[at].text);
    else if (!is_silent(w->nodes[at].tag) && !plain_hides(w->html, &w->nodes[at])) {
        align(w, at);
        if (look_change(&w->look, w->nodes[at].tag))
            children_write(w, at);
        else
            element_write(w, at);
    }
    w->look = before;
}

enum err pdf_body_draw(struct pdf_sheet *sheet, struct str html, struct problem *problem)
{
    SCOPED(html_closep) struct html *tree = NULL;
    TRY(html_parse(&tree, html, problem));
    struct writer w = { .sheet = sheet,
                        .html = tree,
                        .nodes = html_nodes(tree),
                        .look = { .size = SIZE_USUAL, .alignment = PANGO_ALIGN_LEFT },
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
