#include "base/encode.h"
#include "template/filters.h"

#include "template/lexer.h"
#include "template/text.h"

/* A part of the input, or a text made from it: as safe as the input was. */
static struct value same_safety(struct value made, const struct value *input)
{
    made.safe = input->safe;
    return made;
}

static struct str input_text(struct render *r, const struct value *input)
{
    struct str text = value_text(r, input);
    render_charge_bytes(r, text.len);
    return text;
}

static struct value upcase(struct render *r, const struct value *input, const struct value *args,
                           uint32_t count)
{
    (void)args, (void)count;
    struct buf out = render_buf();
    text_write_case(&out, input_text(r, input), TEXT_UP);
    return same_safety(render_text(r, &out), input);
}

static struct value downcase(struct render *r, const struct value *input, const struct value *args,
                             uint32_t count)
{
    (void)args, (void)count;
    struct buf out = render_buf();
    text_write_case(&out, input_text(r, input), TEXT_DOWN);
    return same_safety(render_text(r, &out), input);
}

static struct value capitalize(struct render *r, const struct value *input,
                               const struct value *args, uint32_t count)
{
    (void)args, (void)count;
    struct buf out = render_buf();
    struct str text = input_text(r, input);
    size_t     first = text_first(text);
    text_write_case(&out, str_slice(text, 0, first), TEXT_TITLE);
    text_write_case(&out, str_slice(text, first, text.len), TEXT_DOWN);
    return same_safety(render_text(r, &out), input);
}

/*
 * Two texts in a row. When one is safe HTML and the other is not, the other is escaped here, so
 * that `'<b>' | append: name` does what it says.
 */
static struct value joined(struct render *r, const struct value *a, const struct value *b)
{
    struct buf out = render_buf();
    bool       mixed = r->conf->escape_html && a->safe != b->safe;
    for (int i = 0; i < 2; i++) {
        const struct value *part = i == 0 ? a : b;
        struct str          text = input_text(r, part);
        if (mixed && !part->safe)
            html_escape(&out, text);
        else
            buf_str(&out, text);
    }
    struct value made = render_text(r, &out);
    made.safe = a->safe || b->safe;
    return made;
}

static struct value append(struct render *r, const struct value *input, const struct value *args,
                           uint32_t count)
{
    (void)count;
    return joined(r, input, &args[0]);
}

static struct value prepend(struct render *r, const struct value *input, const struct value *args,
                            uint32_t count)
{
    (void)count;
    return joined(r, &args[0], input);
}

/* Replaces up to `most` occurrences; an empty one stands before each character and at the end. */
static struct value replaced(struct render *r, const struct value *input,
                             const struct value *pattern, const struct value *with, size_t most)
{
    struct buf out = render_buf();
    struct str text = input_text(r, input), find = value_text(r, pattern);
    struct str put = value_text(r, with);
    size_t     at = 0;
    for (; most > 0 && at <= text.len && buf_err(&out) == OK; most--) {
        size_t hit = str_find(text, at, find);
        if (find.len > 0 && hit >= text.len)
            break;
        buf_str(&out, str_slice(text, at, hit));
        buf_str(&out, put);
        at = hit + find.len;
        if (find.len > 0)
            continue;
        size_t next = text_first(str_slice(text, at, text.len));
        buf_str(&out, str_slice(text, at, at + next));
        at += next == 0 ? 1 : next;
    }
    if (at < text.len)
        buf_str(&out, str_slice(text, at, text.len));
    render_charge_bytes(r, out.len + text.len * (find.len > 64));
    struct value made = render_text(r, &out);
    made.safe = input->safe && (with->safe || put.len == 0);
    return made;
}

static struct value replace(struct render *r, const struct value *input, const struct value *args,
                            uint32_t count)
{
    (void)count;
    return replaced(r, input, &args[0], &args[1], SIZE_MAX);
}

static struct value replace_first(struct render *r, const struct value *input,
                                  const struct value *args, uint32_t count)
{
    (void)count;
    return replaced(r, input, &args[0], &args[1], 1);
}

static struct value remove_all(struct render *r, const struct value *input,
                               const struct value *args, uint32_t count)
{
    (void)count;
    struct value nothing = VALUE_NONE;
    return replaced(r, input, &args[0], &nothing, SIZE_MAX);
}

static struct value remove_first(struct render *r, const struct value *input,
                                 const struct value *args, uint32_t count)
{
    (void)count;
    struct value nothing = VALUE_NONE;
    return replaced(r, input, &args[0], &nothing, 1);
}

static struct value replaced_last(struct render *r, const struct value *input,
                                  const struct value *pattern, const struct value *with)
{
    struct str text = input_text(r, input), find = value_text(r, pattern);
    size_t     last = find.len == 0 ? text.len : SIZE_MAX;
    for (size_t at = 0; find.len > 0; at = last + 1) {
        size_t hit = str_find(text, at, find);
        if (hit >= text.len)
            break;
        last = hit;
    }
    if (last == SIZE_MAX)
        return same_safety(value_of_str(text), input);
    struct buf out = render_buf();
    struct str put = value_text(r, with);
    buf_str(&out, str_slice(text, 0, last));
    buf_str(&out, put);
    buf_str(&out, str_slice(text, last + find.len, text.len));
    struct value made = render_text(r, &out);
    made.safe = input->safe && (with->safe || put.len == 0);
    return made;
}

static struct value replace_last(struct render *r, const struct value *input,
                                 const struct value *args, uint32_t count)
{
    (void)count;
    return replaced_last(r, input, &args[0], &args[1]);
}

static struct value remove_last(struct render *r, const struct value *input,
                                const struct value *args, uint32_t count)
{
    (void)count;
    struct value nothing = VALUE_NONE;
    return replaced_last(r, input, &args[0], &nothing);
}

static struct value strip(struct render *r, const struct value *input, const struct value *args,
                          uint32_t count)
{
    (void)args, (void)count;
    struct str text = text_trim_right(text_trim_left(input_text(r, input)));
    return same_safety(value_of_str(text), input);
}

static struct value lstrip(struct render *r, const struct value *input, const struct value *args,
                           uint32_t count)
{
    (void)args, (void)count;
    return same_safety(value_of_str(text_trim_left(input_text(r, input))), input);
}

static struct value rstrip(struct render *r, const struct value *input, const struct value *args,
                           uint32_t count)
{
    (void)args, (void)count;
    return same_safety(value_of_str(text_trim_right(input_text(r, input))), input);
}

static struct value squish(struct render *r, const struct value *input, const struct value *args,
                           uint32_t count)
{
    (void)args, (void)count;
    if (input->kind == VALUE_NIL)
        return VALUE_NONE;
    struct buf out = render_buf();
    struct str text = text_trim_right(text_trim_left(input_text(r, input)));
    for (size_t i = 0; i < text.len; i++)
        if (!text_is_space(text.ptr[i]))
            buf_char(&out, text.ptr[i]);
        else if (!text_is_space(text.ptr[i - 1]))
            buf_char(&out, ' ');
    return same_safety(render_text(r, &out), input);
}

/* Each line end (CR LF or LF) becomes `with`. */
static struct value newlines(struct render *r, const struct value *input, struct str with,
                             bool html)
{
    struct buf out = render_buf();
    struct str rest = input_text(r, input), line;
    bool       escape = html && r->conf->escape_html && !input->safe;
    while (str_split(&rest, '\n', &line)) {
        bool last = rest.ptr == NULL;
        if (!last && line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        if (escape)
            html_escape(&out, line);
        else
            buf_str(&out, line);
        if (!last)
            buf_str(&out, with);
    }
    struct value made = render_text(r, &out);
    made.safe = input->safe || escape;
    return made;
}

static struct value strip_newlines(struct render *r, const struct value *input,
                                   const struct value *args, uint32_t count)
{
    (void)args, (void)count;
    return newlines(r, input, STR(""), false);
}

static struct value newline_to_br(struct render *r, const struct value *input,
                                  const struct value *args, uint32_t count)
{
    (void)args, (void)count;
    return newlines(r, input, STR("<br />\n"), true);
}

static bool whole_number(struct render *r, const struct value *v, int64_t *out)
{
    if (value_to_integer(v, out))
        return true;
    render_fault(r, "an argument is not a whole number");
    return false;
}

static struct value truncate_filter(struct render *r, const struct value *input,
                                    const struct value *args, uint32_t count)
{
    int64_t length = 50;
    if (input->kind == VALUE_NIL || (count > 0 && !whole_number(r, &args[0], &length)))
        return VALUE_NONE;
    struct str text = input_text(r, input);
    struct str end = count > 1 ? value_text(r, &args[1]) : STR("...");
    if ((int64_t)text_characters(text) <= length)
        return same_safety(value_of_str(text), input);
    int64_t    keep = length - (int64_t)text_characters(end);
    struct buf out = render_buf();
    buf_str(&out, str_slice(text, 0, text_offset(text, keep < 0 ? 0 : (size_t)keep)));
    buf_str(&out, end);
    struct value made = render_text(r, &out);
    made.safe = input->safe && (count < 2 || args[1].safe);
    return made;
}

static bool word_next(struct str *rest, struct str *word)
{
    *rest = text_trim_left(*rest);
    size_t n = 0;
    while (n < rest->len && !text_is_space(rest->ptr[n]))
        n++;
    *word = str_slice(*rest, 0, n);
    *rest = str_slice(*rest, n, rest->len);
    return n > 0;
}

static struct value truncatewords(struct render *r, const struct value *input,
                                  const struct value *args, uint32_t count)
{
    int64_t words = 15;
    if (input->kind == VALUE_NIL || (count > 0 && !whole_number(r, &args[0], &words)))
        return VALUE_NONE;
    struct str text = input_text(r, input), rest = text, word;
    struct str end = count > 1 ? value_text(r, &args[1]) : STR("...");
    struct buf out = render_buf();
    if (words < 1)
        words = 1;
    for (int64_t i = 0; i < words && word_next(&rest, &word); i++) {
        if (i > 0)
            buf_char(&out, ' ');
        buf_str(&out, word);
    }
    if (rest.len ==
        0) { /* white space behind the last word counts as more, as Ruby's split has it */
        buf_done(&out);
        return same_safety(value_of_str(text), input);
    }
    buf_str(&out, end);
    struct value made = render_text(r, &out);
    made.safe = input->safe && (count < 2 || args[1].safe);
    return made;
}

static struct value slice_list(struct render *r, const struct value *input, int64_t from,
                               int64_t length)
{
    int64_t count = value_count(input);
    if (from < 0)
        from += count;
    if (from < 0 || from > count || length < 0)
        return value_of_list(NULL, 0);
    if (length > count - from)
        length = count - from;
    struct value *items = render_values(r, (size_t)length);
    for (int64_t i = 0; items != NULL && i < length; i++)
        items[i] = value_item(input, from + i);
    return items == NULL ? VALUE_NONE : value_of_list(items, (size_t)length);
}

static struct value slice(struct render *r, const struct value *input, const struct value *args,
                          uint32_t count)
{
    int64_t from = 0, length = 1;
    if (!whole_number(r, &args[0], &from))
        return VALUE_NONE;
    if (count > 1 && value_is_true(&args[1]) && !whole_number(r, &args[1], &length))
        return VALUE_NONE;
    if (input->kind == VALUE_LIST || input->kind == VALUE_ARRAY)
        return slice_list(r, input, from, length);
    struct str text = input_text(r, input);
    int64_t    characters = (int64_t)text_characters(text);
    if (from < 0)
        from += characters;
    if (from < 0 || from > characters || length < 0)
        return value_of_str(STR(""));
    if (length > characters - from)
        length = characters - from;
    size_t     begin = text_offset(text, (size_t)from);
    struct str tail = str_slice(text, begin, text.len);
    return same_safety(value_of_str(str_slice(tail, 0, text_offset(tail, (size_t)length))), input);
}

const struct filter FILTERS_STRING[] = {
    { "upcase", upcase, 0, 0, NULL, false },
    { "downcase", downcase, 0, 0, NULL, false },
    { "capitalize", capitalize, 0, 0, NULL, false },
    { "append", append, 1, 1, NULL, false },
    { "prepend", prepend, 1, 1, NULL, false },
    { "replace", replace, 1, 2, NULL, false },
    { "replace_first", replace_first, 1, 2, NULL, false },
    { "replace_last", replace_last, 2, 2, NULL, false },
    { "remove", remove_all, 1, 1, NULL, false },
    { "remove_first", remove_first, 1, 1, NULL, false },
    { "remove_last", remove_last, 1, 1, NULL, false },
    { "strip", strip, 0, 0, NULL, false },
    { "lstrip", lstrip, 0, 0, NULL, false },
    { "rstrip", rstrip, 0, 0, NULL, false },
    { "squish", squish, 0, 0, NULL, false },
    { "strip_newlines", strip_newlines, 0, 0, NULL, false },
    { "newline_to_br", newline_to_br, 0, 0, NULL, false },
    { "truncate", truncate_filter, 0, 2, NULL, false },
    { "truncatewords", truncatewords, 0, 2, NULL, false },
    { "slice", slice, 1, 2, NULL, false },
    { NULL, NULL, 0, 0, NULL, false },
};
