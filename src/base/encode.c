#include "base/encode.h"

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void sixty_four_write(struct buf *out, struct str in, const char *alphabet, bool pad)
{
    const unsigned char *p = (const unsigned char *)in.ptr;
    size_t               i = 0, made = 0, left = in.len % 3;
    char                *at = buf_reserve(out, (in.len + 2) / 3 * 4);
    if (at == NULL)
        return;
    for (; i < in.len - left; i += 3) {
        uint32_t word = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
        at[made++] = alphabet[word >> 18];
        at[made++] = alphabet[word >> 12 & 63];
        at[made++] = alphabet[word >> 6 & 63];
        at[made++] = alphabet[word & 63];
    }
    if (left > 0) {
        uint32_t word = (uint32_t)p[i] << 16 | (left == 2 ? (uint32_t)p[i + 1] << 8 : 0);
        at[made++] = alphabet[word >> 18];
        at[made++] = alphabet[word >> 12 & 63];
        if (left == 2)
            at[made++] = alphabet[word >> 6 & 63];
        for (size_t k = left; pad && k < 3; k++)
            at[made++] = '=';
    }
    buf_added(out, made);
}

static int sixty_four_value(char c, const char *alphabet)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == alphabet[62] ? 62 : c == alphabet[63] ? 63 : -1;
}

static enum err sixty_four_read(struct buf *out, struct str in, const char *alphabet)
{
    if (in.len % 4 == 1)
        return ERR_INPUT;
    for (size_t i = 0; i < in.len; i += 4) {
        size_t   n = in.len - i < 4 ? in.len - i : 4;
        uint32_t word = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = k < n ? sixty_four_value(in.ptr[i + k], alphabet) : 0;
            if (value < 0)
                return ERR_INPUT;
            word = word << 6 | (uint32_t)value;
        }
        if ((n == 2 && (word & 0xFFFF) != 0) || (n == 3 && (word & 0xFF) != 0))
            return ERR_INPUT; /* stray bits: a second spelling of the same bytes */
        for (size_t k = 0; k + 1 < n; k++)
            buf_char(out, (char)(word >> (16 - 8 * k) & 0xFF));
    }
    return buf_err(out);
}

void base64_write(struct buf *out, struct str bytes)
{
    sixty_four_write(out, bytes, plain, true);
}

void base64url_write(struct buf *out, struct str bytes)
{
    sixty_four_write(out, bytes, url, false);
}

enum err base64_read(struct buf *out, struct str text)
{
    if (text.len % 4 != 0)
        return ERR_INPUT;
    size_t pad = 0;
    while (pad < 2 && pad < text.len && text.ptr[text.len - 1 - pad] == '=')
        pad++;
    return sixty_four_read(out, str_slice(text, 0, text.len - pad), plain);
}

enum err base64url_read(struct buf *out, struct str text)
{
    return sixty_four_read(out, text, url);
}

void hex_write(struct buf *out, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        buf_char(out, "0123456789abcdef"[c >> 4]);
        buf_char(out, "0123456789abcdef"[c & 15]);
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum err hex_read(struct buf *out, struct str text)
{
    if (text.len % 2 != 0)
        return ERR_INPUT;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_value(text.ptr[i]), low = hex_value(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return ERR_INPUT;
        buf_char(out, (char)(high << 4 | low));
    }
    return buf_err(out);
}

static const char upper_digits[] = "0123456789ABCDEF";

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void percent_write(struct buf *out, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        if (is_unreserved(c)) {
            size_t from = i;
            while (i + 1 < bytes.len && is_unreserved((unsigned char)bytes.ptr[i + 1]))
                i++;
            buf_str(out, str_slice(bytes, from, i + 1));
            continue;
        }
        char escaped[3] = { '%', upper_digits[c >> 4], upper_digits[c & 15] };
        buf_str(out, (struct str){ escaped, sizeof escaped });
    }
}

enum err percent_read(struct buf *out, struct str text, bool plus_is_space)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '+' && plus_is_space)
            c = ' ';
        if (c == '%') {
            int high = i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_value(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return ERR_INPUT;
            c = (char)(high << 4 | low);
            i += 2;
        }
        buf_char(out, c);
    }
    return buf_err(out);
}

/* ---- HTML ---- */

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void html_escape(struct buf *out, struct str text)
{
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c > '>' || (c != '&' && c != '<' && c != '>' && c != '"' && c != '\''))
            continue;
        buf_str(out, str_slice(text, from, i));
        buf_str(out, str_of(entity_of(c)));
        from = i + 1;
    }
    buf_str(out, str_slice(text, from, text.len));
}
