#include "template/filters.h"

#include <string.h>

#include "base/encode.h"
#include "template/lexer.h"

static struct value safe_text(struct render *r, struct buf *out)
{
    struct value made = render_text(r, out);
    made.safe = true;
    return made;
}

static struct value escape(struct render *r, const struct value *input, const struct value *args,
                           uint32_t count)
{
    (void)args, (void)count;
    if (input->kind == VALUE_NIL)
        return VALUE_NONE;
    struct buf out = render_buf();
    html_escape(&out, value_text(r, input));
    return safe_text(r, &out);
}

/* Bytes of an entity such as &amp; or &#38; at the start of the text, or 0. */
static size_t entity_length(struct str text)
{
    size_t n = 1;
    bool   number = text.len > 1 && text.ptr[1] == '#';
    n += number;
    size_t first = n;
    while (n < text.len && ((text.ptr[n] >= '0' && text.ptr[n] <= '9')
                                ? number
                                : !number && text_is_word(text.ptr[n]) && text.ptr[n] != '_'))
        n++;
    return n > first && n < text.len && text.ptr[n] == ';' ? n + 1 : 0;
}

static struct value escape_once(struct render *r, const struct value *input,
                                const struct value *args, uint32_t count)
{
    (void)args, (void)count;
    struct buf out = render_buf();
    struct str text = value_text(r, input);
    for (size_t i = 0; i < text.len;) {
        struct str rest = str_slice(text, i, text.len);
        size_t     n = rest.ptr[0] == '&' ? entity_length(rest) : 0;
        if (n > 0)
            buf_str(&out, str_slice(rest, 0, n));
        else
            html_escape(&out, str_slice(rest, 0, 1));
        i += n > 0 ? n : 1;
    }
    return safe_text(r, &out);
}

static struct value raw(struct render *r, const struct value *input, const struct value *args,
                        uint32_t count)
{
    (void)r, (void)args, (void)count;
    struct value made = *input;
    made.safe = true;
    return made;
}

static bool is_unreserved(char c)
{
    return text_is_word(c) || c == '-' || c == '.' || c == '~';
}

static const char HEX[] = "0123456789ABCDEF";

static struct value url_encode(struct render *r, const struct value *input,
                               const struct value *args, uint32_t count)
{
    (void)args, (void)count;
    if (input->kind == VALUE_NIL)
        return VALUE_NONE;
    struct buf out = render_buf();
    struct str text = value_text(r, input);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ' ')
            buf_char(&out, '+');
        else if (is_unreserved(c))
            buf_char(&out, c);
        else
            buf_str(&out, (struct str){ (char[]){ '%', HEX[(unsigned char)c >> 4],
                                                  HEX[(unsigned char)c & 15] },
                                        3 });
    }
    return render_text(r, &out);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct value url_decode(struct render *r, const struct value *input,
                               const struct value *args, uint32_t count)
{
    (void)args, (void)count;
    if (input->kind == VALUE_NIL)
        return VALUE_NONE;
    struct buf out = render_buf();
    struct str text = value_text(r, input);
    for (size_t i = 0; i < text.len; i++) {
        int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        int low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;
        if (text.ptr[i] == '%' && high >= 0 && low >= 0) {
            buf_char(&out, (char)(high * 16 + low));
            i += 2;
        } else {
            buf_char(&out, text.ptr[i] == '+' ? ' ' : text.ptr[i]);
        }
    }
    struct value made = render_text(r, &out);
    if (made.kind == VALUE_STRING && !str_is_utf8(made.string))
        return render_fault(r, "url_decode gives bytes that are not UTF-8 text");
    return made;
}

static struct value base64_encode(struct render *r, const struct value *input,
                                  const struct value *args, uint32_t count)
{
    (void)args, (void)count;
    struct buf out = render_buf();
    base64_write(&out, value_text(r, input));
    return render_text(r, &out);
}

/* Shopify keeps the padding in the URL's alphabet too. */
static struct value base64_url_safe_encode(struct render *r, const struct value *input,
                                           const struct value *args, uint32_t count)
{
    (void)args, (void)count;
    struct buf out = render_buf();
    base64_write(&out, value_text(r, input));
    for (size_t i = 0; i < out.len; i++) {
        if (out.ptr[i] == '+')
            out.ptr[i] = '-';
        else if (out.ptr[i] == '/')
            out.ptr[i] = '_';
    }
    return render_text(r, &out);
}

static struct value decoded(struct render *r, struct buf *out, enum err err, const char *name)
{
    struct value made = render_text(r, out);
    if (err != OK && err != ERR_INPUT)
        return made;
    if (err == ERR_INPUT || (made.kind == VALUE_STRING && !str_is_utf8(made.string)))
        return render_fault(r, "the input of %s is not base64 of a text", name);
    return made;
}

static struct value base64_decode(struct render *r, const struct value *input,
                                  const struct value *args, uint32_t count)
{
    (void)args, (void)count;
    struct buf out = render_buf();
    enum err   err = base64_read(&out, value_text(r, input));
    return decoded(r, &out, err, "base64_decode");
}

static struct value base64_url_safe_decode(struct render *r, const struct value *input,
                                           const struct value *args, uint32_t count)
{
    (void)args, (void)count;
    struct buf out = render_buf();
    struct str text = value_text(r, input);
    while (text.len > 0 && text.len % 4 == 0 && text.ptr[text.len - 1] == '=')
        text = str_slice(text, 0, text.len - 1 - (text.len > 1 && text.ptr[text.len - 2] == '='));
    enum err err = base64url_read(&out, text);
    return decoded(r, &out, err, "base64_url_safe_decode");
}

/* The end of a `begin ... end` block that starts at `at`, or 0 when there is none. */
static size_t block_end(struct str text, size_t at, struct str begin, struct str end)
{
    if (!str_starts(str_slice(text, at, text.len), begin))
        return 0;
    size_t close = str_find(text, at + begin.len, end);
    return close >= text.len ? 0 : close + end.len;
}

/*
 * Scripts, comments and styles with what they hold, then the tags. A search that fails once for
 * the rest of the text is not tried again, so that "<script<script..." costs no square.
 */
static struct value strip_html(struct render *r, const struct value *input,
                               const struct value *args, uint32_t count)
{
    static const struct {
        struct str begin, end;
    } blocks[] = { { { "<script", 7 }, { "</script>", 9 } },
                   { { "<!--", 4 }, { "-->", 3 } },
                   { { "<style", 6 }, { "</style>", 8 } } };
    (void)args, (void)count;
    struct buf kept = render_buf(), out = render_buf();
    struct str text = value_text(r, input);
    bool       hopeless[3] = { false };
    render_charge_bytes(r, text.len * 4);
    for (size_t i = 0; i < text.len;) {
        size_t end = 0;
        for (int b = 0; b < 3 && text.ptr[i] == '<' && end == 0; b++) {
            if (hopeless[b] || !str_starts(str_slice(text, i, text.len), blocks[b].begin))
                continue;
            end = block_end(text, i, blocks[b].begin, blocks[b].end);
            hopeless[b] = end == 0;
        }
        if (end == 0)
            buf_char(&kept, text.ptr[i]);
        i = end == 0 ? i + 1 : end;
    }
    struct str rest = buf_view(&kept);
    while (rest.len > 0) {
        size_t open = str_find_char(rest, 0, '<');
        size_t close = str_find_char(rest, open, '>');
        buf_str(&out, str_slice(rest, 0, close < rest.len ? open : rest.len));
        rest = close < rest.len ? str_slice(rest, close + 1, rest.len) : STR("");
    }
    buf_done(&kept);
    struct value made = render_text(r, &out);
    made.safe = input->safe;
    return made;
}

static void json_value_write(struct render *r, struct buf *out, const struct value *v)
{
    if (v->kind == VALUE_ARRAY || v->kind == VALUE_OBJECT) {
        json_write(out, v->json);
    } else if (v->kind == VALUE_STRING) {
        json_write_str(out, v->string);
    } else if (value_is_sequence(v)) {
        buf_char(out, '[');
        for (int64_t i = 0, n = value_count(v); i < n && render_charge(r, 1); i++) {
            struct value item = value_item(v, i);
            if (i > 0)
                buf_char(out, ',');
            json_value_write(r, out, &item);
        }
        buf_char(out, ']');
    } else if (v->kind == VALUE_REAL) {
        json_write_real(out, v->real);
    } else if (v->kind == VALUE_BOOL || v->kind == VALUE_INT) {
        value_print(r, out, v);
    } else {
        buf_str(out, STR("null"));
    }
}

/* Not in the standard list, but webhook bodies are written with it. */
static struct value json(struct render *r, const struct value *input, const struct value *args,
                         uint32_t count)
{
    (void)args, (void)count;
    struct buf out = render_buf();
    json_value_write(r, &out, input);
    return render_text(r, &out);
}

const struct filter FILTERS_ENCODE[] = {
    { "escape", escape, 0, 0, NULL, false },
    { "h", escape, 0, 0, NULL, false },
    { "escape_once", escape_once, 0, 0, NULL, false },
    { "raw", raw, 0, 0, NULL, false },
    { "url_encode", url_encode, 0, 0, NULL, false },
    { "url_decode", url_decode, 0, 0, NULL, false },
    { "base64_encode", base64_encode, 0, 0, NULL, false },
    { "base64_decode", base64_decode, 0, 0, NULL, false },
    { "base64_url_safe_encode", base64_url_safe_encode, 0, 0, NULL, false },
    { "base64_url_safe_decode", base64_url_safe_decode, 0, 0, NULL, false },
    { "strip_html", strip_html, 0, 0, NULL, false },
    { "json", json, 0, 0, NULL, false },
    { NULL, NULL, 0, 0, NULL, false },
};
