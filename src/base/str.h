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
bool       str_eq(struct str a, struct str b);
bool       str_eq_nocase(struct str a, struct str b); /* ASCII letters only */
int        str_cmp(struct str a, struct str b);       /* bytewise, shorter first */
bool       str_starts(struct str s, struct str prefix);
bool       str_ends(struct str s, struct str suffix);
struct str str_slice(struct str s, size_t from, size_t to); /* clamped to the string */
struct str str_trim(struct str s);                          /* ASCII white space, both ends */

/* Index of the first match at or after `from`, or `s.len` where there is none. */
size_t str_find(struct str s, size_t from, struct str needle);
size_t str_find_char(struct str s, size_t from, char c);

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

#endif
