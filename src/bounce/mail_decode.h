/*
 * mail_decode: transfer encodings and HTML, read as forgivingly as mail programs do.
 *
 * Unlike base/encode.h, which refuses what is not canonical, rubbish is stepped over: a bounce that
 * was damaged on its way still tells who could not be reached. All give fresh bytes in `arena`,
 * never more than came in; empty without memory.
 */
#ifndef DULT_BOUNCE_MAIL_DECODE_H
#define DULT_BOUNCE_MAIL_DECODE_H

#include "base/arena.h"
#include "base/str.h"

struct str mail_decode_base64(struct arena *arena, struct str text); /* RFC 2045, 6.8 */
struct str mail_decode_quoted(struct arena *arena, struct str text); /* RFC 2045, 6.7 */
/* The text a reader sees: tags become blanks or line ends, style and script are left out. */
struct str mail_decode_html(struct arena *arena, struct str text);
/* RFC 2047: the encoded words of a field, as bytes of whatever charset they are in. */
struct str mail_decode_words(struct arena *arena, struct str value);

#endif
