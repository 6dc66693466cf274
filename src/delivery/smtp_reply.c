#include "delivery/smtp_reply.h"

#include <string.h>

void smtp_reader_reset(struct smtp_reader *reader)
{
    reader->reply = (struct smtp_reply){ 0 };
    reader->text_len = 0;
    reader->lines = 0;
    reader->line_len = 0;
}

void smtp_text_append(char *out, size_t out_bytes, size_t *len, struct str text)
{
    bool   utf8 = str_is_utf8(text);
    size_t from = *len;
    for (size_t i = 0; i < text.len && *len + 1 < out_bytes; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool          printable = (c >= ' ' && c < 0x7f) || (c >= 0x80 && utf8);
        out[(*len)++] = printable ? (char)c : '?';
    }
    /* A cut must not leave half a character at the end. */
    while (*len > from && !str_is_utf8((struct str){ out + from, *len - from }))
        (*len)--;
    out[*len] = '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Length of "d.ddd.ddd" at the front, of the same class as the code (RFC 2034), or 0. */
static size_t enhanced_len(struct str text, int code)
{
    size_t at = 0;
    if (text.len < 5 || text.ptr[0] != '0' + code / 100)
        return 0;
    at = 1;
    for (int part = 0; part < 2; part++) {
        if (at >= text.len || text.ptr[at] != '.')
            return 0;
        size_t first = ++at;
        while (at < text.len && is_digit(text.ptr[at]) && at - first < 4)
            at++;
        if (at == first || at - first > 3)
            return 0;
    }
    return at == text.len || text.ptr[at] == ' ' ? at : 0;
}

static void add_text(struct smtp_reader *reader, struct str text)
{
    struct smtp_reply *reply = &reader->reply;
    size_t             skip = enhanced_len(text, reply->code);
    if (skip > 0 && reply->enhanced[0] == '\0')
        memcpy(reply->enhanced, text.ptr, skip);
    text = str_trim(str_slice(text, skip, text.len));
    if (text.len == 0)
        return;
    if (reader->text_len > 0)
        smtp_text_append(reply->text, sizeof reply->text, &reader->text_len, STR(" "));
    smtp_text_append(reply->text, sizeof reply->text, &reader->text_len, text);
}

/* OK: the reply is complete. ERR_WAIT: another line must follow. */
static enum err take_line(struct smtp_reader *reader, smtp_reply_line *call, void *ctx)
{
    struct str line = { reader->line, reader->line_len };
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (line.len < 3 || line.ptr[0] < '2' || line.ptr[0] > '5' || !is_digit(line.ptr[1]) ||
        !is_digit(line.ptr[2]))
        return ERR_INPUT;
    if (line.len > 3 && line.ptr[3] != ' ' && line.ptr[3] != '-')
        return ERR_INPUT;

    int code = (line.ptr[0] - '0') * 100 + (line.ptr[1] - '0') * 10 + (line.ptr[2] - '0');
    if (reader->lines > 0 && code != reader->reply.code)
        return ERR_INPUT;
    if (reader->lines == SMTP_REPLY_LINES_MAX)
        return ERR_LIMIT;
    reader->reply.code = code;

    struct str text = str_slice(line, 4, line.len);
    if (call != NULL)
        call(ctx, reader->lines, text);
    add_text(reader, text);
    reader->lines++;
    reader->line_len = 0;
    return line.len > 3 && line.ptr[3] == '-' ? ERR_WAIT : OK;
}

enum err smtp_reader_take(struct smtp_reader *reader, struct str *bytes, smtp_reply_line *line,
                          void *ctx, struct smtp_reply *out)
{
    while (bytes->len > 0) {
        size_t lf = str_find_char(*bytes, 0, '\n');
        bool   ends = lf < bytes->len;
        if (lf > sizeof reader->line - reader->line_len)
            return ERR_LIMIT;
        memcpy(reader->line + reader->line_len, bytes->ptr, lf);
        reader->line_len += lf;
        *bytes = str_slice(*bytes, ends ? lf + 1 : lf, bytes->len);
        if (!ends)
            break;
        enum err err = take_line(reader, line, ctx);
        if (err == ERR_WAIT)
            continue;
        if (err == OK) {
            *out = reader->reply;
            smtp_reader_reset(reader);
        }
        return err;
    }
    return ERR_WAIT;
}
