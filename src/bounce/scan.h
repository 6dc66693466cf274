/*
 * scan: small questions asked of a stranger's text.
 *
 * Phrases are looked for in *flat* text: ASCII letters in lower case, every run of white space one
 * blank. So a sentence that a mail server folded over three lines is found, and a phrase is written
 * once, in lower case.
 *
 * Always true   nothing is read past the given length; no table, no memory but the arena's.
 */
#ifndef DULT_BOUNCE_SCAN_H
#define DULT_BOUNCE_SCAN_H

#include "base/arena.h"
#include "base/str.h"

enum { ADDRESS_BYTES_MAX = 320 }; /* RFC 5321: 64 + 1 + 255 */

/* At most `bytes_max` bytes of `text`, flat. Empty without memory. */
struct str scan_flat(struct arena *arena, struct str text, size_t bytes_max);
/* ASCII letters in lower case. Empty without memory. */
struct str scan_lower(struct arena *arena, struct str text);

bool scan_has(struct str flat, const char *phrase);
/* One of several, divided by "|". */
bool scan_has_one(struct str flat, const char *phrases);
/* Index of the first match without regard to case, or text.len. `phrase` is in lower case. */
size_t scan_find_nocase(struct str text, size_t from, const char *phrase);
bool   scan_starts_nocase(struct str text, const char *phrase);

/* The next line of *rest without its end; false when there is none. */
bool scan_line(struct str *rest, struct str *line);

/*
 * The first mail address at or after `from`: a local part (atext of RFC 5322, or quoted), an "@",
 * a domain or [literal]; letters outside ASCII are none, for we mail to none. Returns its index
 * with *address set, or text.len. White space or dots at the ends, "mailto:" and the like are left
 * out.
 */
size_t scan_address(struct str text, size_t from, struct str *address);
/* Is the domain one that could be on the public Internet: a dot, or a literal? */
bool scan_address_is_full(struct str address);

/* The enhanced status code (RFC 3463: 2, 4 or 5, then "d.d", up to three digits each) at `at`. */
bool scan_status_at(struct str text, size_t at, struct str *status);
/* The first one in the text that stands alone as a word; false where there is none. */
bool scan_status(struct str text, struct str *status);
/* The first SMTP reply code (RFC 5321: 4yz or 5yz with y in 0..5) that stands as a reply does. */
int scan_reply(struct str text);
/* The same with its index, from `from` on; text.len and 0 where there is none. */
size_t scan_reply_at(struct str text, size_t from, int *reply);

#endif
