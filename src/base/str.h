/*
 * str: borrowed bytes with a length.
 *
 * Bytes travel as a pointer and a length with no terminator promised; whoever must keep them
 * longer copies them into an arena of its own. `{NULL, 0}` is the empty string and the absent one.
 */
#ifndef DULT_BASE_STR_H
#define DULT_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

struct str {
    const char *ptr;
    size_t      len;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NONE ((struct str){ NULL, 0 })

/* For printf: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).len, ((s).ptr == NULL ? "" : (s).ptr)

struct str str_of(const char *terminated); /* NULL gives the empty string */
bool       str_is_empty(struct str s);
int        str_cmp(struct str a, struct str b); /* bytewise, shorter first */
struct str str_trim(struct str s);              /* ASCII white space, both ends */

/* The shortest are asked for hundreds of times for each mail: a call costs more than they do. */
static inline bool       str_eq(struct str a, struct str b);
static inline bool       str_eq_nocase(struct str a, struct str b); /* ASCII letters only */
static inline bool       str_starts(struct str s, struct str prefix);
static inline bool       str_ends(struct str s, struct str suffix);
static inline struct str str_slice(struct str s, size_t from, size_t to); /* clamped to it */

/* Index of the first match at or after `from`, or `s.len` where there is none. */
size_t               str_find(struct str s, size_t from, struct str needle);
static inline size_t str_find_char(struct str s, size_t from, char c);

/* Cuts the text up to `separator` off the front of *rest; false when *rest is used up. */
bool str_split(struct str *rest, char separator, struct str *piece);

/* A copy in the arena, terminated by a NUL that is not counted. {NULL, 0} when memory is short. */
struct str str_copy(struct arena *arena, struct str s);
struct str str_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Copies into `out` and terminates; cuts at out_bytes - 1. Returns out. */
char *str_to_cstr(struct str s, char *out, size_t out_bytes);

/* Whole string as a decimal number, sign allowed. ERR_INPUT on anything else or on overflow. */
MUST enum err str_to_int(struct str s, int64_t *out);
MUST enum err str_to_real(struct str s, double *out); /* decimal and exponent; no nan, inf, hex */

/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);
/* Bytes of the character that begins at `at` < len; 0: none does. */
size_t str_utf8_at(struct str s, size_t at);

/* --- the short ones ----------------------------------------------------------------------- */

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_eq_nocase_rest(struct str a, struct str b); /* of two of one length */

static inline bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    return a.len == 0 || (((a.ptr[0] ^ b.ptr[0]) & 0xDF) == 0 && str_eq_nocase_rest(a, b));
}

static inline struct str str_slice(struct str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (struct str){ s.ptr == NULL ? NULL : s.ptr + from, to - from };
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_slice(s, 0, prefix.len), prefix);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_slice(s, s.len - suffix.len, s.len), suffix);
}

static inline size_t str_find_char(struct str s, size_t from, char c)
{
    if (from >= s.len)
        return s.len;
    const char *hit = (const char *)memchr(s.ptr + from, c, s.len - from);
    return hit == NULL ? s.len : (size_t)(hit - s.ptr);
}

#endif
