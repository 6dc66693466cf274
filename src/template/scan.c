#include "template/lexer.h"

struct scan scan_make(struct str text, bool lines)
{
    return (struct scan){ .text = text.ptr == NULL ? STR("") : text, .lines = lines };
}

static struct piece broken(struct piece piece, const char *fault)
{
    piece.kind = PIECE_BROKEN;
    piece.fault = fault;
    return piece;
}

/* Name and markup of a tag from what stands between its delimiters. */
static bool tag_split(struct str inside, struct str *name, struct str *markup)
{
    inside = text_trim_left(inside);
    size_t n = inside.len > 0 && inside.ptr[0] == '#' ? 1 : 0;
    if (n == 0)
        while (n < inside.len && text_is_word(inside.ptr[n]))
            n++;
    *name = str_slice(inside, 0, n);
    *markup = text_trim_left(str_slice(inside, n, inside.len));
    return n > 0;
}

static struct piece line_next(struct scan *scan)
{
    while (scan->at < scan->text.len) {
        size_t       end = str_find_char(scan->text, scan->at, '\n');
        struct piece piece = { .kind = PIECE_TAG, .at = scan->text.ptr + scan->at };
        struct str   line = str_slice(scan->text, scan->at, end);
        scan->at = end + 1;
        if (text_is_blank(line))
            continue;
        piece.at += text_trim_left(line).ptr - line.ptr;
        if (!tag_split(line, &piece.name, &piece.markup))
            return broken(piece, "a line of a liquid tag does not begin with a tag's name");
        return piece;
    }
    return (struct piece){ .kind = PIECE_END, .at = scan->text.ptr + scan->text.len };
}

/* {% ... %} or {{ ... }}: cuts the delimiters and the hyphens off. */
static struct str inside_of(struct scan *scan, size_t from, size_t close)
{
    size_t begin = from + 2, end = close;
    if (begin < end && scan->text.ptr[begin] == '-')
        begin++;
    scan->trim = end > from + 2 && scan->text.ptr[end - 1] == '-';
    if (scan->trim && end > begin)
        end--;
    scan->at = close + 2;
    return str_slice(scan->text, begin, end);
}

static struct piece output_next(struct scan *scan, struct piece piece)
{
    size_t close = str_find_char(scan->text, scan->at + 2, '}');
    if (close + 1 >= scan->text.len || scan->text.ptr[close + 1] != '}')
        return broken(piece, "an output that opens with {{ is not closed with }}");
    if (str_find(str_slice(scan->text, 0, close), scan->at + 2, STR("{%")) < close)
        return broken(piece, "a tag begins within an output");
    piece.kind = PIECE_OUTPUT;
    piece.markup = inside_of(scan, scan->at, close);
    return piece;
}

static struct piece tag_next(struct scan *scan, struct piece piece)
{
    size_t close = str_find(scan->text, scan->at + 2, STR("%}"));
    if (close >= scan->text.len)
        return broken(piece, "a tag that opens with {% is not closed with %}");
    piece.kind = PIECE_TAG;
    if (!tag_split(inside_of(scan, scan->at, close), &piece.name, &piece.markup))
        return broken(piece, "a tag has no name");
    return piece;
}

static size_t opening_find(struct str text, size_t from)
{
    for (;;) {
        size_t at = str_find_char(text, from, '{');
        if (at + 1 >= text.len)
            return text.len;
        if (text.ptr[at + 1] == '{' || text.ptr[at + 1] == '%')
            return at;
        from = at + 1;
    }
}

static struct piece text_next(struct scan *scan, struct piece piece, size_t end)
{
    struct str text = str_slice(scan->text, scan->at, end);
    if (scan->trim)
        text = text_trim_left(text);
    if (end + 2 < scan->text.len && scan->text.ptr[end + 2] == '-')
        text = text_trim_right(text);
    scan->trim = false;
    scan->at = end;
    piece.kind = PIECE_TEXT;
    piece.markup = text;
    return piece;
}

struct piece scan_next(struct scan *scan)
{
    if (scan->lines)
        return line_next(scan);
    struct piece piece = { .kind = PIECE_END, .at = scan->text.ptr + scan->at };
    if (scan->at >= scan->text.len)
        return piece;
    size_t end = opening_find(scan->text, scan->at);
    if (end > scan->at)
        return text_next(scan, piece, end);
    return scan->text.ptr[end + 1] == '{' ? output_next(scan, piece) : tag_next(scan, piece);
}

/* The word of a tag that opens at `at`, and where it ends; empty when there is none. */
static struct str word_at(struct str text, size_t at)
{
    size_t n = at + 2;
    if (n < text.len && text.ptr[n] == '-')
        n++;
    while (n < text.len && text_is_space(text.ptr[n]))
        n++;
    size_t end = n;
    while (end < text.len && text_is_word(text.ptr[end]))
        end++;
    return str_slice(text, n, end);
}

/* Of several tags that open before one closes, the last counts: {% x {% endraw %}. */
static struct str last_open(struct str text, size_t close, size_t *at)
{
    struct str word = word_at(text, *at);
    for (size_t next = *at;;) {
        next = str_find(text, next + 1, STR("{%"));
        if (next >= close)
            return word;
        struct str inner = word_at(text, next);
        if (inner.len > 0 && inner.ptr < text.ptr + close) {
            word = inner;
            *at = next;
        }
    }
}

bool scan_raw(struct scan *scan, struct str name, struct str *body, struct str *nested)
{
    size_t     start = scan->at;
    struct str opening = str_slice(name, 3, name.len);
    *nested = STR_NONE;
    for (size_t at = start;;) {
        at = str_find(scan->text, at, STR("{%"));
        size_t close = str_find(scan->text, at + 2, STR("%}"));
        if (at >= scan->text.len || close >= scan->text.len)
            return false;
        struct str word = last_open(scan->text, close, &at);
        if (str_eq(word, opening) && nested->ptr == NULL)
            *nested = word;
        if (str_eq(word, name)) {
            *body = str_slice(scan->text, start, at);
            scan->trim = scan->text.ptr[close - 1] == '-';
            scan->at = close + 2;
            return true;
        }
        at = close + 2;
    }
}
