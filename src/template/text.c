#include "template/text.h"

static bool continues(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

size_t text_characters(struct str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += !continues(text.ptr[i]);
    return count;
}

size_t text_first(struct str text)
{
    size_t n = text.len > 0;
    while (n < text.len && continues(text.ptr[n]))
        n++;
    return n;
}

size_t text_offset(struct str text, size_t index)
{
    size_t at = 0;
    for (; index > 0 && at < text.len; index--)
        at += text_first(str_slice(text, at, text.len));
    return at;
}

static uint32_t decode(struct str c)
{
    const unsigned char *b = (const unsigned char *)c.ptr;
    switch (c.len) {
    case 1:
        return b[0];
    case 2:
        return (uint32_t)(b[0] & 0x1F) << 6 | (b[1] & 0x3F);
    case 3:
        return (uint32_t)(b[0] & 0x0F) << 12 | (uint32_t)(b[1] & 0x3F) << 6 | (b[2] & 0x3F);
    default:
        return 0; /* no letters with case that we know */
    }
}

static void encode(struct buf *out, uint32_t code)
{
    if (code < 0x80) {
        buf_char(out, (char)code);
    } else if (code < 0x800) {
        buf_char(out, (char)(0xC0 | code >> 6));
        buf_char(out, (char)(0x80 | (code & 0x3F)));
    } else {
        buf_char(out, (char)(0xE0 | code >> 12));
        buf_char(out, (char)(0x80 | (code >> 6 & 0x3F)));
        buf_char(out, (char)(0x80 | (code & 0x3F)));
    }
}

/* Ranges in which upper and lower stand side by side, upper on even (or odd) codes. */
static bool is_pair(uint32_t c, bool *upper_even)
{
    *upper_even = true;
    if ((c >= 0x100 && c <= 0x12F) || (c >= 0x132 && c <= 0x137) || (c >= 0x14A && c <= 0x177) ||
        (c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) || (c >= 0x4D0 && c <= 0x52F) ||
        (c >= 0x1E00 && c <= 0x1E95) || (c >= 0x1EA0 && c <= 0x1EFF))
        return true;
    *upper_even = false;
    return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
}

static uint32_t up(uint32_t c)
{
    bool upper_even;
    if (is_pair(c, &upper_even))
        return (c % 2 == 1) == upper_even ? c - 1 : c;
    if ((c >= 0xE0 && c <= 0xFE && c != 0xF7) || (c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2) ||
        (c >= 0x430 && c <= 0x44F))
        return c - 0x20;
    switch (c) {
    case 0xFF:
        return 0x178;
    case 0x131:
        return 'I';
    case 0x17F:
        return 'S';
    case 0x3AC:
        return 0x386;
    case 0x3AD:
        return 0x388;
    case 0x3AE:
        return 0x389;
    case 0x3AF:
        return 0x38A;
    case 0x3C2:
        return 0x3A3;
    case 0x3CC:
        return 0x38C;
    case 0x3CD:
        return 0x38E;
    case 0x3CE:
        return 0x38F;
    default:
        return c >= 0x450 && c <= 0x45F ? c - 0x50 : c;
    }
}

static uint32_t down(uint32_t c)
{
    bool upper_even;
    if (is_pair(c, &upper_even) && c != 0x130)
        return (c % 2 == 0) == upper_even ? c + 1 : c;
    if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9 && c != 0x3A2) ||
        (c >= 0x410 && c <= 0x42F))
        return c + 0x20;
    switch (c) {
    case 0x130:
        return 'i';
    case 0x178:
        return 0xFF;
    case 0x386:
        return 0x3AC;
    case 0x388:
        return 0x3AD;
    case 0x389:
        return 0x3AE;
    case 0x38A:
        return 0x3AF;
    case 0x38C:
        return 0x3CC;
    case 0x38E:
        return 0x3CD;
    case 0x38F:
        return 0x3CE;
    case 0x1E9E:
        return 0xDF;
    default:
        return c >= 0x400 && c <= 0x40F ? c + 0x50 : c;
    }
}

static void write_wide(struct buf *out, struct str character, enum text_case to)
{
    uint32_t code = decode(character);
    if (to != TEXT_DOWN && code == 0xDF) {
        buf_str(out, to == TEXT_UP ? STR("SS") : STR("Ss"));
        return;
    }
    uint32_t changed = to == TEXT_DOWN ? down(code) : up(code);
    if (code == 0 || changed == code)
        buf_str(out, character);
    else
        encode(out, changed);
}

void text_write_case(struct buf *out, struct str text, enum text_case to)
{
    for (size_t i = 0; i < text.len;) {
        struct str rest = str_slice(text, i, text.len);
        size_t     n = text_first(rest);
        char       c = text.ptr[i];
        if (n > 1)
            write_wide(out, str_slice(rest, 0, n), to);
        else if (to != TEXT_DOWN)
            buf_char(out, c >= 'a' && c <= 'z' ? (char)(c - 32) : c);
        else
            buf_char(out, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
        i += n;
    }
}
