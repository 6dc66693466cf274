/*
 * bytes: how far does a text go before something in it needs care?
 *
 * Bodies of 50 KB are passed over several times for each mail sent, and hardly a byte of them is
 * special. So these look at 64 bytes at a time, then at 16 (a vector of the compiler's, which every
 * machine has in some form) and say where the first byte is that the careful loop has to see.
 */
#ifndef DULT_MESSAGE_BYTES_H
#define DULT_MESSAGE_BYTES_H

#include <stdint.h>
#include <string.h>

#include "base/str.h"

typedef uint8_t bytes_wide __attribute__((vector_size(16)));

static inline bytes_wide bytes_load(const char *at)
{
    bytes_wide wide;
    memcpy(&wide, at, sizeof wide);
    return wide;
}

static inline bool bytes_any(bytes_wide mask)
{
    uint64_t halves[2];
    memcpy(halves, &mask, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

/* The place of the first byte that is set in a mask with any. */
static inline size_t bytes_first(bytes_wide mask)
{
    uint64_t halves[2];
    memcpy(halves, &mask, sizeof halves);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return halves[0] != 0 ? (size_t)__builtin_ctzll(halves[0]) / 8
                          : 8 + (size_t)__builtin_ctzll(halves[1]) / 8;
#else
    return halves[0] != 0 ? (size_t)__builtin_clzll(halves[0]) / 8
                          : 8 + (size_t)__builtin_clzll(halves[1]) / 8;
#endif
}

/* Passes over the 64 bytes at `at` again and again, as long as `mask` finds nothing in any 16. */
#define BYTES_SKIP(mask, text, at)                                                                 \
    while ((text).len - (at) > 64 &&                                                               \
           !bytes_any(mask((text).ptr + (at)) | mask((text).ptr + (at) + 16) |                     \
                      mask((text).ptr + (at) + 32) | mask((text).ptr + (at) + 48)))                \
    (at) += 64

static inline bytes_wide bytes_unprintable(const char *at)
{
    return (bytes_wide)(bytes_load(at) - ' ' > 94);
}

static inline bytes_wide bytes_unquotable(const char *at)
{
    bytes_wide wide = bytes_load(at);
    return (bytes_wide)((wide - ' ' > 94) | (wide == '='));
}

static inline bytes_wide bytes_no_words(const char *at)
{
    bytes_wide wide = bytes_load(at), next = bytes_load(at + 1);
    return (bytes_wide)((wide - ' ' > 94) | ((wide == ' ') & (next - '!' > 93)));
}

static inline bytes_wide bytes_line_ends(const char *at)
{
    bytes_wide wide = bytes_load(at);
    return (bytes_wide)((wide == '\n') | (wide == '\r'));
}

static inline bytes_wide bytes_unrelaxed(const char *at)
{
    bytes_wide wide = bytes_load(at), next = bytes_load(at + 1);
    return (bytes_wide)((wide == '\t') | ((wide == ' ') & ((next == ' ') | (next == '\r'))));
}

/* How many bytes from `from` on are ASCII that can be seen, or a space. */
static inline size_t bytes_printable(struct str text, size_t from)
{
    size_t at = from;
    BYTES_SKIP(bytes_unprintable, text, at);
    for (; text.len - at >= 16; at += 16) {
        bytes_wide mask = bytes_unprintable(text.ptr + at);
        if (bytes_any(mask))
            return at + bytes_first(mask) - from;
    }
    while (at < text.len && (unsigned char)text.ptr[at] >= ' ' && (unsigned char)text.ptr[at] < 127)
        at++;
    return at - from;
}

/* The same without '=', which quoted-printable has to write in another way. */
static inline size_t bytes_quotable(struct str text, size_t from)
{
    size_t at = from;
    BYTES_SKIP(bytes_unquotable, text, at);
    for (; text.len - at >= 16; at += 16) {
        bytes_wide mask = bytes_unquotable(text.ptr + at);
        if (bytes_any(mask))
            return at + bytes_first(mask) - from;
    }
    while (at < text.len && (unsigned char)text.ptr[at] >= ' ' &&
           (unsigned char)text.ptr[at] < 127 && text.ptr[at] != '=')
        at++;
    return at - from;
}

/* The same, but only as far as single spaces go: what a reader sees as it is written. */
static inline size_t bytes_words(struct str text, size_t from)
{
    size_t at = from;
    BYTES_SKIP(bytes_no_words, text, at);
    for (; text.len - at >= 17; at += 16) {
        bytes_wide mask = bytes_no_words(text.ptr + at);
        if (bytes_any(mask))
            return at + bytes_first(mask) - from;
    }
    for (; at < text.len; at++) {
        unsigned char c = (unsigned char)text.ptr[at];
        unsigned char next = at + 1 < text.len ? (unsigned char)text.ptr[at + 1] : 0;
        if (c < ' ' || c > 126 || (c == ' ' && (next <= ' ' || next > 126)))
            break;
    }
    return at - from;
}

/* Where the first CR or LF at or after `from` is; the text's length where there is none. */
static inline size_t bytes_line_end(struct str text, size_t from)
{
    size_t at = from;
    BYTES_SKIP(bytes_line_ends, text, at);
    for (; text.len - at >= 16; at += 16) {
        bytes_wide mask = bytes_line_ends(text.ptr + at);
        if (bytes_any(mask))
            return at + bytes_first(mask);
    }
    while (at < text.len && text.ptr[at] != '\n' && text.ptr[at] != '\r')
        at++;
    return at;
}

/*
 * Where the first tab is, or the first space before a space or CR, at or after `from`: what DKIM's
 * relaxed form of a body (RFC 6376, 3.4.4) changes in a line.
 */
static inline size_t bytes_relaxed_end(struct str text, size_t from)
{
    size_t at = from;
    BYTES_SKIP(bytes_unrelaxed, text, at);
    for (; text.len - at >= 17; at += 16) {
        bytes_wide mask = bytes_unrelaxed(text.ptr + at);
        if (bytes_any(mask))
            return at + bytes_first(mask);
    }
    for (; at < text.len; at++) {
        char next = at + 1 < text.len ? text.ptr[at + 1] : '\r';
        if (text.ptr[at] == '\t' || (text.ptr[at] == ' ' && (next == ' ' || next == '\r')))
            break;
    }
    return at;
}

#endif
