/*
 * html_entity: what "&eacute;" and "&#233;" stand for.
 *
 * The names are those of the HTML standard (entities.json, 2,231 spellings): 106 old ones may stand
 * without the semicolon, also before other letters ("&notit;" is "not it;" with a sign).
 *
 * Cost   one look for a byte where there is nothing to decode; 12 comparisons a name.
 */
#ifndef DULT_MESSAGE_HTML_ENTITY_H
#define DULT_MESSAGE_HTML_ENTITY_H

#include "base/str.h"

enum html_decoding {
    HTML_DECODE_TEXT,      /* a NUL is dropped */
    HTML_DECODE_ATTRIBUTE, /* "&copy=1" in a query is no sign; a NUL becomes U+FFFD */
    HTML_DECODE_TITLE,     /* as text, but a NUL becomes U+FFFD */
    HTML_DECODE_RAW,       /* no references: style, script */
};

/*
 * The text a reader sees: references decoded, CR and CRLF as LF. It is `raw` itself where nothing
 * is to be done, otherwise in the arena; {NULL, 0} without memory (then raw was not empty).
 */
struct str html_decode(struct arena *arena, struct str raw, enum html_decoding decoding);

#endif
