/* What CSS and the older attributes say, as far as it can be printed. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "message/pdf_inside.h"

#define PIXEL 0.75 /* points */
#define LENGTH_MOST 1000.0

enum { WORD_BYTES_MAX = 64 };

/* ---- lengths ---- */

struct unit {
    const char *name;
    double      points;
};

static double clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

static struct pdf_length points_of(double value)
{
    return (struct pdf_length){ PDF_POINTS, clamp(value, 0, LENGTH_MOST) };
}

struct pdf_length pdf_style_length(struct str text, double em)
{
    const struct unit units[] = { { "px", PIXEL },      { "pt", 1 },  { "mm", 72 / 25.4 },
                                  { "cm", 720 / 25.4 }, { "in", 72 }, { "em", em },
                                  { "rem", 12 },        { "", PIXEL } };
    size_t            end = 0;
    double            value;
    text = str_trim(text);
    while (end < text.len && strchr("+-.0123456789", text.ptr[end]) != NULL)
        end++;
    if (end == 0 || end > WORD_BYTES_MAX || str_to_real(str_slice(text, 0, end), &value) != OK)
        return (struct pdf_length){ .unit = PDF_AUTO };
    struct str unit = str_slice(text, end, text.len);
    if (str_eq(unit, STR("%")))
        return (struct pdf_length){ PDF_PERCENT, clamp(value, 0, 100) };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (str_eq_nocase(unit, str_of(units[i].name)))
            return points_of(value * units[i].points);
    return (struct pdf_length){ .unit = PDF_AUTO };
}

/* Into `out` where it is a length that does not depend on others. */
static void points_set(double *out, struct str text, double em)
{
    struct pdf_length length = pdf_style_length(text, em);
    if (length.unit == PDF_POINTS)
        *out = length.value;
}

/* ---- colours ---- */

static bool hex_color(struct str text, struct pdf_color *out)
{
    int    digits[8];
    size_t count = text.len - 1;
    if (count != 3 && count != 4 && count != 6 && count != 8)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *hex = "0123456789abcdef", c = text.ptr[i + 1];
        const char *found = strchr(hex, c >= 'A' && c <= 'F' ? c + 32 : c);
        if (c == '\0' || found == NULL)
            return false;
        digits[i] = (int)(found - hex);
    }
    for (int i = 0; i < 3; i++) {
        double part =
            count < 6 ? digits[i] / 15.0 : (digits[2 * i] * 16 + digits[2 * i + 1]) / 255.0;
        *(i == 0 ? &out->red : i == 1 ? &out->green : &out->blue) = part;
    }
    out->is_set = true;
    return true;
}

/* rgb(1, 2, 3), rgba(1, 2, 3, 0.5): what shines through is not printed so. */
static bool rgb_color(struct str text, struct pdf_color *out)
{
    double     parts[4] = { 0, 0, 0, 1 };
    struct str rest = str_slice(text, str_find_char(text, 0, '(') + 1, str_find_char(text, 0, ')'));
    struct str part;
    for (int i = 0; i < 4 && rest.len > 0 && str_split(&rest, ',', &part); i++) {
        part = str_trim(part);
        bool is_percent = str_ends(part, STR("%"));
        if (is_percent)
            part.len--;
        if (str_to_real(part, &parts[i]) != OK)
            return false;
        if (i < 3)
            parts[i] = clamp(parts[i] / (is_percent ? 100 : 255), 0, 1);
    }
    *out = (struct pdf_color){ parts[3] > 0, parts[0], parts[1], parts[2] };
    return true;
}

struct pdf_color pdf_style_color(struct str text)
{
    struct pdf_color color = { .is_set = false };
    PangoColor       named;
    char             name[WORD_BYTES_MAX];
    text = str_trim(text);
    if (text.len == 0 || text.len >= sizeof name)
        return color;
    if (text.ptr[0] == '#') {
        (void)hex_color(text, &color);
        return color;
    }
    if (str_starts(text, STR("rgb"))) {
        (void)rgb_color(text, &color);
        return color;
    }
    for (size_t i = 0; i < text.len; i++)
        if ((text.ptr[i] | 32) < 'a' || (text.ptr[i] | 32) > 'z')
            return color;
    if (pango_color_parse(&named, str_to_cstr(text, name, sizeof name)))
        color = (struct pdf_color){ true, named.red / 65535.0, named.green / 65535.0,
                                    named.blue / 65535.0 };
    return color;
}

static void color_set(struct pdf_color *out, struct str text)
{
    struct pdf_color color = pdf_style_color(text);
    if (color.is_set)
        *out = color;
}

/* ---- values of several words ---- */

/* The next word; what stands in brackets is one with them. */
static bool word_next(struct str *rest, struct str *out)
{
    size_t end = 0;
    int    deep = 0;
    *rest = str_trim(*rest);
    for (; end < rest->len && (deep > 0 || rest->ptr[end] != ' '); end++)
        deep += rest->ptr[end] == '(' ? 1 : rest->ptr[end] == ')' && deep > 0 ? -1 : 0;
    *out = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->len);
    return end > 0;
}

static bool has_word(struct str text, const char *wanted)
{
    struct str word;
    while (word_next(&text, &word))
        if (str_eq_nocase(word, str_of(wanted)))
            return true;
    return false;
}

/* margin: 1, 1 2, 1 2 3 or 1 2 3 4. */
static void sides_set(double sides[PDF_SIDES], struct str text, double em)
{
    double     found[PDF_SIDES] = { 0 };
    int        count = 0;
    struct str word;
    while (count < PDF_SIDES && word_next(&text, &word))
        points_set(&found[count++], word, em);
    if (count == 0)
        return;
    sides[PDF_TOP] = found[0];
    sides[PDF_RIGHT] = found[count > 1 ? 1 : 0];
    sides[PDF_BOTTOM] = found[count > 2 ? 2 : 0];
    sides[PDF_LEFT] = found[count > 3 ? 3 : count > 1 ? 1 : 0];
}

/* "1px solid #ccc", in any order. */
static void border_set(struct pdf_border *border, struct str text, double em)
{
    struct str        word;
    struct pdf_border made = { 3 * PIXEL, { true, 0, 0, 0 } };
    bool              is_drawn = false;
    while (word_next(&text, &word)) {
        bool is_none = str_eq_nocase(word, STR("none")) || str_eq_nocase(word, STR("hidden"));
        if (is_none || str_eq(word, STR("0")))
            made.width = 0;
        points_set(&made.width, word, em);
        color_set(&made.color, word);
        is_drawn = is_drawn || str_eq_nocase(word, STR("solid")) ||
                   str_eq_nocase(word, STR("dashed")) || str_eq_nocase(word, STR("dotted")) ||
                   str_eq_nocase(word, STR("double"));
    }
    *border = is_drawn ? made : (struct pdf_border){ .width = 0 };
}

/* ---- of words ---- */

static const struct {
    const char *name;
    double      points;
} sizes[] = { { "xx-small", 7 },  { "x-small", 7.5 }, { "small", 9 },
              { "smaller", 9 },   { "medium", 12 },   { "large", 13.5 },
              { "larger", 13.5 }, { "x-large", 18 },  { "xx-large", 24 } };

/* Of letters' size 120% is more than the whole, unlike of widths. */
static bool share_of(struct str text, double *share)
{
    double value;
    text = str_trim(text);
    if (!str_ends(text, STR("%")) || str_to_real(str_slice(text, 0, text.len - 1), &value) != OK)
        return false;
    *share = value / 100;
    return true;
}

static void size_set(struct pdf_look *look, struct str text)
{
    struct pdf_length length = pdf_style_length(text, look->size);
    double            share;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (str_eq_nocase(text, str_of(sizes[i].name)))
            length = points_of(sizes[i].points);
    if (share_of(text, &share))
        length = points_of(look->size * share);
    if (length.unit == PDF_POINTS)
        look->size = clamp(length.value, PDF_SIZE_LEAST, PDF_SIZE_MOST);
}

static void weight_set(struct pdf_look *look, struct str text)
{
    double weight;
    if (str_to_real(text, &weight) == OK)
        look->is_bold = weight >= 600;
    else if (str_starts(text, STR("bold")) || str_eq_nocase(text, STR("normal")))
        look->is_bold = str_starts(text, STR("bold"));
}

static void line_set(struct pdf_look *look, struct str text)
{
    double            times;
    struct pdf_length length = pdf_style_length(text, look->size);
    if (str_to_real(text, &times) == OK)
        look->line = clamp(times, 0.5, 4);
    else if (share_of(text, &times))
        look->line = clamp(times, 0.5, 4);
    else if (length.unit == PDF_POINTS)
        look->line = clamp(length.value / look->size, 0.5, 4);
}

/* "italic bold 16px/20px Arial": the family is that of the letter. */
static void font_set(struct pdf_look *look, struct str text)
{
    struct str word;
    look->is_bold = look->is_italic = false;
    while (word_next(&text, &word)) {
        size_t slash = str_find_char(word, 0, '/');
        double weight;
        if (str_eq_nocase(word, STR("bold")))
            look->is_bold = true;
        else if (str_eq_nocase(word, STR("italic")) || str_eq_nocase(word, STR("oblique")))
            look->is_italic = true;
        else if (str_to_real(word, &weight) == OK)
            weight_set(look, word);
        else if (pdf_style_length(str_slice(word, 0, slash), look->size).unit != PDF_AUTO) {
            size_set(look, str_slice(word, 0, slash));
            line_set(look, str_slice(word, slash + 1, word.len));
            return;
        }
    }
}

static void alignment_set(struct pdf_look *look, struct str text)
{
    look->is_justified = look->is_placed = false;
    if (str_eq_nocase(text, STR("right")) || str_eq_nocase(text, STR("end")))
        look->alignment = PANGO_ALIGN_RIGHT;
    else if (str_eq_nocase(text, STR("center")))
        look->alignment = PANGO_ALIGN_CENTER;
    else if (str_eq_nocase(text, STR("justify"))) {
        look->alignment = PANGO_ALIGN_LEFT;
        look->is_justified = true;
    } else if (str_eq_nocase(text, STR("left")) || str_eq_nocase(text, STR("start")))
        look->alignment = PANGO_ALIGN_LEFT;
}

static void decoration_set(struct pdf_look *look, struct str text)
{
    if (has_word(text, "none"))
        look->is_underlined = look->is_struck = false;
    look->is_underlined = look->is_underlined || has_word(text, "underline");
    look->is_struck = look->is_struck || has_word(text, "line-through");
}

static void italic_set(struct pdf_look *look, struct str text)
{
    look->is_italic = str_eq_nocase(text, STR("italic")) || str_eq_nocase(text, STR("oblique"));
}

static void text_color_set(struct pdf_look *look, struct str text)
{
    color_set(&look->color, text);
}

static void upper_set(struct pdf_look *look, struct str text)
{
    look->is_upper = str_eq_nocase(text, STR("uppercase"));
}

static void spacing_set(struct pdf_look *look, struct str text)
{
    struct pdf_length length = pdf_style_length(text, look->size);
    look->spacing = length.unit == PDF_POINTS ? clamp(length.value, 0, 20) : 0;
}

static const struct {
    const char *name;
    void (*set)(struct pdf_look *look, struct str text);
} look_words[] = {
    { "color", text_color_set },
    { "font", font_set },
    { "font-size", size_set },
    { "font-weight", weight_set },
    { "font-style", italic_set },
    { "letter-spacing", spacing_set },
    { "line-height", line_set },
    { "text-align", alignment_set },
    { "text-decoration", decoration_set },
    { "text-decoration-line", decoration_set },
    { "text-transform", upper_set },
};

enum { LOOK_WORDS = sizeof look_words / sizeof look_words[0] };

/* What came before CSS. `align` moves boxes, too. */
static void look_attributes(const struct html *html, const struct html_node *node,
                            struct pdf_look *look)
{
    struct str align = html_value(html, node, STR("align"));
    if (html_is(node, HTML_CENTER))
        align = STR("center");
    if (align.len > 0 && !html_is(node, HTML_TABLE) && !html_is(node, HTML_IMG)) {
        alignment_set(look, align);
        look->is_placed = true;
        look->place = look->alignment == PANGO_ALIGN_RIGHT    ? PDF_PLACE_RIGHT
                      : look->alignment == PANGO_ALIGN_CENTER ? PDF_PLACE_CENTER
                                                              : PDF_PLACE_LEFT;
    }
    if (html_is(node, HTML_FONT))
        color_set(&look->color, html_value(html, node, STR("color")));
}

void pdf_style_look(const struct html *html, const struct html_node *node, struct pdf_look *look)
{
    struct str             style = html_value(html, node, STR("style"));
    struct css_declaration said;
    bool is_block = (html_tag_flags(node->tag) & (HTML_IS_BLOCK | HTML_IS_TABLE)) != 0 ||
                    html_is(node, HTML_BODY) || html_is(node, HTML_HTML);
    look_attributes(html, node, look);
    while (css_declaration_next(&style, &said)) {
        for (int i = 0; i < LOOK_WORDS; i++)
            if (str_eq_nocase(said.name, str_of(look_words[i].name)))
                look_words[i].set(look, said.value);
        bool is_ground = str_eq_nocase(said.name, STR("background-color")) ||
                         str_eq_nocase(said.name, STR("background"));
        if (is_ground && !is_block) {
            struct str word;
            while (word_next(&said.value, &word))
                color_set(&look->background, word);
        }
    }
}

/* ---- of boxes ---- */

static void ground_set(struct pdf_frame *frame, struct str text, double em)
{
    struct str word;
    (void)em;
    while (word_next(&text, &word))
        color_set(&frame->background, word);
}

static void margin_set(struct pdf_frame *frame, struct str text, double em)
{
    sides_set(frame->margin, text, em);
    if (has_word(text, "auto"))
        frame->place = PDF_PLACE_CENTER;
}

static void padding_set(struct pdf_frame *frame, struct str text, double em)
{
    sides_set(frame->padding, text, em);
}

static void borders_set(struct pdf_frame *frame, struct str text, double em)
{
    for (int i = 0; i < PDF_SIDES; i++)
        border_set(&frame->border[i], text, em);
}

static void border_widths_set(struct pdf_frame *frame, struct str text, double em)
{
    double widths[PDF_SIDES];
    for (int i = 0; i < PDF_SIDES; i++)
        widths[i] = frame->border[i].width;
    sides_set(widths, text, em);
    for (int i = 0; i < PDF_SIDES; i++)
        frame->border[i].width = widths[i];
}

static void border_colors_set(struct pdf_frame *frame, struct str text, double em)
{
    (void)em;
    for (int i = 0; i < PDF_SIDES; i++)
        color_set(&frame->border[i].color, text);
}

static void width_set(struct pdf_frame *frame, struct str text, double em)
{
    frame->width = pdf_style_length(text, em);
}

/* Where nothing else is said it is as wide as that. */
static void width_most_set(struct pdf_frame *frame, struct str text, double em)
{
    struct pdf_length length = pdf_style_length(text, em);
    if (length.unit == PDF_POINTS &&
        (frame->width.unit != PDF_POINTS || frame->width.value > length.value))
        frame->width = length;
}

static void height_set(struct pdf_frame *frame, struct str text, double em)
{
    points_set(&frame->height, text, em);
    frame->height = clamp(frame->height, 0, PDF_PAGE_TALL / 2);
}

static void vertical_set(struct pdf_frame *frame, struct str text, double em)
{
    (void)em;
    frame->vertical = str_eq_nocase(text, STR("top"))      ? PDF_PLACE_LEFT
                      : str_eq_nocase(text, STR("bottom")) ? PDF_PLACE_RIGHT
                      : str_eq_nocase(text, STR("middle")) ? PDF_PLACE_CENTER
                                                           : frame->vertical;
}

static bool is_break(struct str text)
{
    return str_eq_nocase(text, STR("always")) || str_eq_nocase(text, STR("page"));
}

static void before_set(struct pdf_frame *frame, struct str text, double em)
{
    (void)em;
    frame->breaks_before = is_break(text);
}

static void after_set(struct pdf_frame *frame, struct str text, double em)
{
    (void)em;
    frame->breaks_after = is_break(text);
}

static const struct {
    const char *name;
    void (*set)(struct pdf_frame *frame, struct str text, double em);
} frame_words[] = {
    { "background", ground_set },
    { "background-color", ground_set },
    { "border", borders_set },
    { "border-color", border_colors_set },
    { "border-width", border_widths_set },
    { "break-after", after_set },
    { "break-before", before_set },
    { "height", height_set },
    { "margin", margin_set },
    { "max-width", width_most_set },
    { "min-height", height_set },
    { "padding", padding_set },
    { "page-break-after", after_set },
    { "page-break-before", before_set },
    { "vertical-align", vertical_set },
    { "width", width_set },
};

enum { FRAME_WORDS = sizeof frame_words / sizeof frame_words[0] };

static const char *const side_names[PDF_SIDES] = { "top", "right", "bottom", "left" };

/* margin-top, padding-left, border-bottom. */
static bool side_set(struct pdf_frame *frame, const struct css_declaration *said, double em)
{
    size_t     dash = str_find_char(said->name, 0, '-');
    struct str what = str_slice(said->name, 0, dash);
    struct str name = str_slice(said->name, dash + 1, said->name.len);
    for (int i = 0; i < PDF_SIDES; i++) {
        if (!str_eq_nocase(name, str_of(side_names[i])))
            continue;
        if (str_eq_nocase(what, STR("margin")))
            points_set(&frame->margin[i], said->value, em);
        else if (str_eq_nocase(what, STR("padding")))
            points_set(&frame->padding[i], said->value, em);
        else if (str_eq_nocase(what, STR("border")))
            border_set(&frame->border[i], said->value, em);
        else
            return false;
        return true;
    }
    return false;
}

struct pdf_length pdf_style_wide(const struct html *html, const struct html_node *node,
                                 struct str name, double em)
{
    struct str             style = html_value(html, node, STR("style"));
    struct css_declaration said;
    struct pdf_length      length = pdf_style_length(html_value(html, node, name), em);
    while (css_declaration_next(&style, &said))
        if (str_eq_nocase(said.name, name))
            length = pdf_style_length(said.value, em);
    return length;
}

static void frame_attributes(const struct html *html, const struct html_node *node, double em,
                             struct pdf_frame *frame)
{
    struct str valign = html_value(html, node, STR("valign"));
    frame->width = pdf_style_length(html_value(html, node, STR("width")), em);
    color_set(&frame->background, html_value(html, node, STR("bgcolor")));
    height_set(frame, html_value(html, node, STR("height")), em);
    vertical_set(frame, valign, em);
    if (html_is(node, HTML_TABLE) &&
        str_eq_nocase(html_value(html, node, STR("align")), STR("center")))
        frame->place = PDF_PLACE_CENTER;
}

void pdf_style_frame(const struct html *html, const struct html_node *node,
                     const struct pdf_look *look, struct pdf_frame *frame)
{
    struct str             style = html_value(html, node, STR("style"));
    struct css_declaration said;
    frame->place = look->place;
    frame_attributes(html, node, look->size, frame);
    while (css_declaration_next(&style, &said)) {
        if (side_set(frame, &said, look->size))
            continue;
        for (int i = 0; i < FRAME_WORDS; i++)
            if (str_eq_nocase(said.name, str_of(frame_words[i].name)))
                frame_words[i].set(frame, said.value, look->size);
    }
}

/* ---- what is lost ---- */

/* On paper there is nothing that they would change. */
static const char *const harmless[] = {
    "border-collapse",  "border-spacing", "clear",         "cursor",
    "display",          "line-break",     "max-height",    "min-width",
    "outline",          "overflow",       "overflow-wrap", "table-layout",
    "text-size-adjust", "visibility",     "white-space",   "word-break",
    "word-wrap",
};

static bool is_known(struct str name)
{
    struct pdf_frame             none = { .height = 0 };
    const struct css_declaration said = { .name = name, .value = STR("0") };
    assert(name.ptr != NULL);
    for (int i = 0; i < LOOK_WORDS; i++)
        if (str_eq_nocase(name, str_of(look_words[i].name)))
            return true;
    for (int i = 0; i < FRAME_WORDS; i++)
        if (str_eq_nocase(name, str_of(frame_words[i].name)))
            return true;
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        if (str_eq_nocase(name, str_of(harmless[i])))
            return true;
    return side_set(&none, &said, 1) || str_starts(name, STR("mso-")) ||
           str_starts(name, STR("-webkit-")) || str_starts(name, STR("-ms-"));
}

uint32_t pdf_style_lost(const struct css_declaration *said)
{
    if (str_eq_nocase(said->name, STR("font-family")))
        return PDF_LOST_FONTS;
    if (str_starts(said->name, STR("background")) &&
        str_find(said->value, 0, STR("url(")) < said->value.len)
        return PDF_LOST_IMAGES;
    return is_known(said->name) ? 0 : PDF_LOST_STYLES;
}
