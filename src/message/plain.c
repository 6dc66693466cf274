#include "message/plain.h"

#include <stdlib.h>
#include <string.h>

#include "message/bytes.h"

enum { PREFIX_BYTES_MAX = 64 }; /* deeper lists and quotes keep the prefix they had */

/* Line breaks and spaces are owed, and paid only when a word follows; so none is left over. */
struct writer {
    const struct html      *html;
    const struct html_node *nodes;
    struct buf             *out;
    int                     breaks; /* owed: 1 ends the line, 2 leaves an empty one */
    bool                    begun;  /* something has been written */
    int                     spaces; /* owed: more than 1 only where white space counts */
    bool                    cell;   /* a bar is owed between two cells */
    int                     pre;    /* depth of elements whose white space counts */
    char                    prefix[PREFIX_BYTES_MAX]; /* of every line: indent and quote marks */
    size_t                  prefix_bytes;
    char                    bullet[24]; /* stands once, after the prefix */
    int                     layout_table;
};

static void node_write(struct writer *w, uint32_t at);

/* --- words and breaks --------------------------------------------------------------------- */

static void owe_break(struct writer *w, int breaks)
{
    if (w->breaks < breaks)
        w->breaks = breaks;
    w->spaces = 0;
    w->cell = false;
}

/* One more line break: the second leaves an empty line, and more leave no more. */
static void line_end(struct writer *w)
{
    owe_break(w, w->breaks < 2 ? w->breaks + 1 : 2);
}

static void spaces_write(struct writer *w)
{
    for (; w->spaces > 0; w->spaces--)
        buf_char(w->out, ' ');
}

static void line_begin(struct writer *w)
{
    size_t indent = w->prefix_bytes, bullet = strlen(w->bullet);
    if (bullet > 0 && bullet <= indent)
        indent -= bullet; /* the bullet takes the place of its item's own indent */
    buf_str(w->out, (struct str){ w->prefix, indent });
    buf_str(w->out, str_of(w->bullet));
    w->bullet[0] = '\0';
    if (w->pre > 0)
        spaces_write(w); /* an indent */
}

static void pay(struct writer *w)
{
    if (!w->begun) {
        line_begin(w);
    } else if (w->breaks > 0) {
        buf_char(w->out, '\n');
        if (w->breaks > 1) {
            struct str quote = str_trim((struct str){ w->prefix, w->prefix_bytes });
            buf_str(w->out, quote);
            buf_char(w->out, '\n');
        }
        line_begin(w);
    } else if (w->cell) {
        buf_str(w->out, w->layout_table > 0 ? STR(" ") : STR(" | "));
    } else {
        spaces_write(w);
    }
    w->begun = true;
    w->breaks = 0;
    w->spaces = 0;
    w->cell = false;
}

static void word_write(struct writer *w, struct str word)
{
    if (word.len == 0)
        return;
    pay(w);
    buf_str(w->out, word);
}

/* How many bytes at `i` are white space to a reader (with no-break space), or nothing at all. */
static size_t blank_bytes(struct str text, size_t i, bool *is_space)
{
    static const struct str nothing[] = {
        { "\xC2\xAD", 2 },     /* soft hyphen */
        { "\xE2\x80\x8B", 3 }, /* zero width space */
        { "\xEF\xBB\xBF", 3 }, /* byte order mark */
        { "\xCD\x8F", 2 },     /* grapheme joiner: padding of preheaders */
    };
    unsigned char c = (unsigned char)text.ptr[i];
    *is_space = true;
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return 1;
    struct str rest = str_slice(text, i, text.len);
    if (str_starts(rest, STR("\xC2\xA0")))
        return 2;
    *is_space = false;
    if (c < ' ' || c == 0x7F)
        return 1;
    if (c < 0x80)
        return 0;
    if (c == 0xC2 && text.len - i > 1 && (unsigned char)text.ptr[i + 1] < 0xA0)
        return 2; /* C1 controls */
    for (size_t k = 0; k < sizeof nothing / sizeof nothing[0]; k++)
        if (str_starts(rest, nothing[k]))
            return nothing[k].len;
    return 0;
}

static void text_write(struct writer *w, struct str text)
{
    size_t from = 0, i = 0;
    while (i < text.len) {
        if (text.ptr[i] != ' ')
            i += bytes_words(text, i);
        if (i == text.len)
            break;
        bool   is_space;
        size_t blank = blank_bytes(text, i, &is_space);
        if (blank == 0) {
            i++;
            continue;
        }
        word_write(w, str_slice(text, from, i));
        if (is_space && w->pre > 0 && text.ptr[i] == '\n')
            line_end(w);
        else if (is_space)
            w->spaces = w->pre > 0 ? w->spaces + 1 : 1;
        i += blank;
        from = i;
    }
    word_write(w, str_slice(text, from, i));
}

/* --- elements ----------------------------------------------------------------------------- */

static struct str value_of(const struct writer *w, uint32_t at, struct str name)
{
    return html_value(w->html, &w->nodes[at], name);
}

bool plain_style_has(struct str style, const char *declaration)
{
    size_t matched = 0, want = strlen(declaration);
    bool   at_start = true;
    for (size_t i = 0; i <= style.len; i++) {
        char c = i < style.len ? style.ptr[i] : ';';
        if (c == ' ' || (c >= '\t' && c <= '\r'))
            continue;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        if ((c == ';' || c == '!') && at_start && matched == want)
            return true;
        if (c == ';') {
            at_start = true;
            matched = 0;
        } else if (at_start && matched < want && c == declaration[matched]) {
            matched++;
        } else {
            at_start = false;
        }
    }
    return false;
}

bool plain_hides(const struct html *html, const struct html_node *node)
{
    struct str style = html_value(html, node, STR("style"));
    if (html_attribute(html, node, STR("hidden")) != NULL)
        return true;
    if (str_find_char(style, 0, 'y') == style.len && str_find_char(style, 0, 'Y') == style.len)
        return false; /* neither display nor visibility */
    return plain_style_has(style, "display:none") || plain_style_has(style, "visibility:hidden");
}

static bool is_hidden(const struct writer *w, uint32_t at)
{
    return plain_hides(w->html, &w->nodes[at]);
}

static void children_write(struct writer *w, uint32_t at)
{
    for (uint32_t child = at + 1; child < w->nodes[at].end; child = w->nodes[child].end)
        node_write(w, child);
}

static void block_write(struct writer *w, uint32_t at, int breaks)
{
    owe_break(w, breaks);
    children_write(w, at);
    owe_break(w, breaks);
}

/* Lengthens every line's prefix while the children are written. */
static void indented_write(struct writer *w, uint32_t at, struct str more)
{
    size_t before = w->prefix_bytes;
    if (before + more.len <= PREFIX_BYTES_MAX) {
        memcpy(w->prefix + before, more.ptr, more.len);
        w->prefix_bytes += more.len;
    }
    children_write(w, at);
    w->prefix_bytes = before;
}

static void quote_write(struct writer *w, uint32_t at)
{
    owe_break(w, 2);
    indented_write(w, at, STR("> "));
    owe_break(w, 2);
}

static void item_write(struct writer *w, uint32_t at, size_t number)
{
    static const char spaces[] = "                        ";
    struct buf        bullet = buf_make(sizeof w->bullet - 1);
    if (number == 0)
        buf_str(&bullet, STR("- "));
    else
        buf_format(&bullet, "%zu. ", number);
    owe_break(w, 1);
    if (w->prefix_bytes + bullet.len <= PREFIX_BYTES_MAX)
        str_to_cstr(buf_view(&bullet), w->bullet, sizeof w->bullet);
    indented_write(w, at, (struct str){ spaces, bullet.len });
    w->bullet[0] = '\0'; /* an empty item has none */
    owe_break(w, 1);
    buf_done(&bullet);
}

static void list_write(struct writer *w, uint32_t at)
{
    int    breaks = w->prefix_bytes > 0 ? 1 : 2;
    size_t number = html_is(&w->nodes[at], HTML_OL) ? 1 : 0;
    owe_break(w, breaks);
    for (uint32_t child = at + 1; child < w->nodes[at].end; child = w->nodes[child].end) {
        if (html_is(&w->nodes[child], HTML_LI) && !is_hidden(w, child))
            item_write(w, child, number > 0 ? number++ : 0);
        else
            node_write(w, child);
    }
    owe_break(w, breaks);
}

static void table_write(struct writer *w, uint32_t at)
{
    struct str role = value_of(w, at, STR("role"));
    bool layout = str_eq_nocase(role, STR("presentation")) || str_eq_nocase(role, STR("none"));
    int  before = w->layout_table;
    w->layout_table = layout;
    block_write(w, at, 2);
    w->layout_table = before;
}

static void cell_write(struct writer *w, uint32_t at)
{
    if (w->begun && w->breaks == 0)
        w->cell = true;
    children_write(w, at);
}

static struct str link_shown(struct str href)
{
    static const struct str schemes[] = { { "mailto:", 7 }, { "tel:", 4 } };
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (href.len > schemes[i].len &&
            str_eq_nocase(str_slice(href, 0, schemes[i].len), schemes[i]))
            return str_slice(href, schemes[i].len, str_find_char(href, 0, '?'));
    return href.len == 0 || href.ptr[0] == '#' ? STR_NONE : href;
}

static void link_write(struct writer *w, uint32_t at)
{
    struct str shown = link_shown(str_trim(value_of(w, at, STR("href"))));
    size_t     from = w->out->len;
    children_write(w, at);
    struct str said = str_slice(buf_view(w->out), from, w->out->len);
    if (shown.len == 0)
        return;
    if (str_trim(said).len == 0) {
        text_write(w, shown);
    } else if (!str_ends(said, shown)) {
        w->breaks = 0;
        w->cell = false;
        w->spaces = 1;
        word_write(w, STR("("));
        text_write(w, shown);
        word_write(w, STR(")"));
    }
}

static void element_write(struct writer *w, uint32_t at)
{
    switch (w->nodes[at].tag) {
    case HTML_HEAD:
    case HTML_TEMPLATE:
    case HTML_STYLE:
    case HTML_SCRIPT:
    case HTML_TITLE:
    case HTML_TEXTAREA:
    case HTML_SELECT:
    case HTML_OBJECT:
    case HTML_IFRAME:
        return;
    case HTML_BR:
        line_end(w);
        return;
    case HTML_HR:
        owe_break(w, 2);
        word_write(w, STR("---"));
        owe_break(w, 2);
        return;
    case HTML_IMG:
        text_write(w, value_of(w, at, STR("alt")));
        return;
    case HTML_A:
    case HTML_AREA:
        link_write(w, at);
        return;
    case HTML_UL:
    case HTML_OL:
    case HTML_MENU:
        list_write(w, at);
        return;
    case HTML_LI:
        item_write(w, at, 0);
        return;
    case HTML_BLOCKQUOTE:
        quote_write(w, at);
        return;
    case HTML_PRE:
        w->pre++;
        block_write(w, at, 2);
        w->pre--;
        return;
    case HTML_TABLE:
        table_write(w, at);
        return;
    case HTML_TD:
    case HTML_TH:
        cell_write(w, at);
        return;
    case HTML_P:
    case HTML_H1:
    case HTML_H2:
    case HTML_H3:
    case HTML_H4:
    case HTML_H5:
    case HTML_H6:
    case HTML_DL:
        block_write(w, at, 2);
        return;
    case HTML_DIV:
    case HTML_TR:
    case HTML_CENTER:
    case HTML_SECTION:
    case HTML_ARTICLE:
    case HTML_HEADER:
    case HTML_FOOTER:
    case HTML_MAIN:
    case HTML_NAV:
    case HTML_ASIDE:
    case HTML_ADDRESS:
    case HTML_CAPTION:
    case HTML_DT:
    case HTML_DD:
    case HTML_FORM:
    case HTML_FIGURE:
    case HTML_FIGCAPTION:
        block_write(w, at, 1);
        return;
    default:
        children_write(w, at);
    }
}

static void node_write(struct writer *w, uint32_t at)
{
    if (w->nodes[at].kind == HTML_TEXT)
        text_write(w, w->nodes[at].text);
    else if (!is_hidden(w, at))
        element_write(w, at);
}

void plain_write(const struct html *html, struct buf *out)
{
    struct writer w = { .html = html, .nodes = html_nodes(html), .out = out };
    children_write(&w, 0);
    if (w.begun)
        buf_char(out, '\n');
}
