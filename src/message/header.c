#include "message/header.h"

#include <assert.h>
#include <string.h>

#include "base/encode.h"
#include "message/address.h"

enum {
    WORD_BYTES_MAX = 60, /* a longer word is encoded, because only encoded words can be cut */
    ENCODED_LINE = 76,   /* RFC 2047: a line with an encoded word is no longer */
    ENCODED_FRAME = 12,  /* =?utf-8?Q?...?= */
};

/* --- what may be written ------------------------------------------------------------------ */

enum err header_text_check(struct str value, const char *where, struct problem *problem)
{
    if (value.len > HEADER_TEXT_BYTES_MAX)
        return problem_format(problem, ERR_INPUT, where, "shorten it",
                              "it has %zu bytes; %d is the most", value.len, HEADER_TEXT_BYTES_MAX);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c == '\r' || c == '\n' || c == '\0')
            return problem_set(problem, ERR_INPUT, where, "it has a line break or a NUL",
                               "put it on one line, e.g. with the filter strip_newlines");
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return problem_format(problem, ERR_INPUT, where, "remove the character",
                                  "it has the control character 0x%02x at byte %zu", c, i);
    }
    if (!str_is_utf8(value))
        return problem_set(problem, ERR_INPUT, where, "it is not UTF-8", "save it as UTF-8");
    return OK;
}

enum err header_token_check(struct str value, const char *where, struct problem *problem)
{
    if (value.len > HEADER_TOKEN_BYTES_MAX)
        return problem_format(problem, ERR_INPUT, where, "shorten it",
                              "it has %zu bytes; %d is the most", value.len,
                              HEADER_TOKEN_BYTES_MAX);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c <= ' ' || c >= 0x7F || c == '<' || c == '>')
            return problem_format(problem, ERR_INPUT, where,
                                  "use printable ASCII without spaces and angle brackets",
                                  "it has the byte 0x%02x at %zu", c, i);
    }
    return OK;
}

/* Can it stand as it is and still be folded? */
static bool is_plain(struct str value)
{
    size_t word = 0;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        word = c == ' ' ? 0 : word + 1;
        if (c < ' ' || c >= 0x7F || word > WORD_BYTES_MAX)
            return false;
    }
    return str_find(value, 0, STR("=?")) == value.len;
}

/* --- encoded words ------------------------------------------------------------------------ */

static bool is_q_literal(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!*+-/ ", c) != NULL); /* a space is written as '_' */
}

static size_t q_bytes(struct str s)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s.len; i++)
        bytes += is_q_literal(s.ptr[i]) ? 1 : 3;
    return bytes;
}

static size_t b_bytes(struct str s)
{
    return (s.len + 2) / 3 * 4;
}

static void q_write(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == ' ')
            buf_char(out, '_');
        else if (is_q_literal(s.ptr[i]))
            buf_char(out, s.ptr[i]);
        else
            buf_format(out, "=%02X", (unsigned char)s.ptr[i]);
}

/* How many bytes from `from` make an encoded word of at most `room`, ending between characters. */
static size_t word_end(struct str value, size_t from, size_t room, size_t (*bytes)(struct str))
{
    size_t end = from;
    for (size_t i = from + 1; i <= value.len; i++) {
        bool inside = i < value.len && ((unsigned char)value.ptr[i] & 0xC0) == 0x80;
        if (inside)
            continue;
        if (bytes(str_slice(value, from, i)) > room)
            break;
        end = i;
    }
    return end;
}

/* Writes encoded words from `column` on; returns the column after them. */
static size_t encoded_write(struct buf *out, struct str value, size_t column)
{
    bool use_b = b_bytes(value) < q_bytes(value);
    for (size_t from = 0; from < value.len;) {
        assert(column + ENCODED_FRAME + 12 <= ENCODED_LINE); /* the longest character, in Q */
        size_t     room = ENCODED_LINE - ENCODED_FRAME - column;
        size_t     end = word_end(value, from, room, use_b ? b_bytes : q_bytes);
        struct str piece = str_slice(value, from, end);
        assert(end > from);
        buf_str(out, use_b ? STR("=?utf-8?B?") : STR("=?utf-8?Q?"));
        if (use_b)
            base64_write(out, piece);
        else
            q_write(out, piece);
        buf_str(out, STR("?="));
        column += ENCODED_FRAME + (use_b ? b_bytes(piece) : q_bytes(piece));
        from = end;
        if (from < value.len) {
            buf_str(out, STR("\r\n "));
            column = 1;
        }
    }
    return column;
}

/* --- fields ------------------------------------------------------------------------------- */

static size_t name_write(struct buf *out, struct str name)
{
    buf_str(out, name);
    buf_str(out, STR(": "));
    return name.len + 2;
}

/* Breaks a line only before a run of spaces, so that unfolding gives the same bytes back. */
static void folded_write(struct buf *out, struct str value, size_t column)
{
    for (size_t from = 0; from < value.len;) {
        size_t word = from;
        while (word < value.len && value.ptr[word] == ' ')
            word++;
        size_t end = str_find_char(value, word, ' ');
        if (from > 0 && column + (end - from) > HEADER_LINE_BYTES) {
            buf_str(out, STR("\r\n"));
            column = 0;
        }
        buf_str(out, str_slice(value, from, end));
        column += end - from;
        from = end;
    }
}

void header_text(struct buf *out, struct str name, struct str value)
{
    size_t column = name_write(out, name);
    value = str_trim(value);
    if (is_plain(value))
        folded_write(out, value, column);
    else
        encoded_write(out, value, column);
    buf_str(out, STR("\r\n"));
}

static bool is_phrase(struct str display)
{
    char before = ' ';
    for (size_t i = 0; i < display.len; i++) {
        char c = display.ptr[i];
        if (c == ' ' ? before == ' ' : !address_is_atext(c))
            return false;
        before = c;
    }
    return before != ' ';
}

static size_t quoted_write(struct buf *out, struct str display, size_t column)
{
    size_t from = out->len;
    buf_char(out, '"');
    for (size_t i = 0; i < display.len; i++) {
        if (display.ptr[i] == '"' || display.ptr[i] == '\\')
            buf_char(out, '\\');
        buf_char(out, display.ptr[i]);
    }
    buf_char(out, '"');
    return column + out->len - from;
}

void header_mailbox(struct buf *out, struct str name, struct str display, struct str address)
{
    size_t column = name_write(out, name);
    display = str_trim(display);
    if (display.len == 0) {
        buf_str(out, address);
        buf_str(out, STR("\r\n"));
        return;
    }
    if (!is_plain(display) || display.len > WORD_BYTES_MAX) {
        column = encoded_write(out, display, column);
    } else if (is_phrase(display)) {
        buf_str(out, display);
        column += display.len;
    } else {
        column = quoted_write(out, display, column);
    }
    if (column + 3 + address.len > HEADER_LINE_BYTES)
        buf_str(out, STR("\r\n"));
    buf_str(out, STR(" <"));
    buf_str(out, address);
    buf_str(out, STR(">\r\n"));
}

void header_token(struct buf *out, struct str name, struct str value)
{
    name_write(out, name);
    buf_str(out, value);
    buf_str(out, STR("\r\n"));
}
