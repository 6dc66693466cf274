/*
 * encode: bytes as text: base64 (RFC 4648), its URL form without padding, hex, percent (RFC 3986);
 * text in HTML: & < > and both quotes as entities.
 * Writers append to a buf; readers give ERR_INPUT on anything that is not canonical.
 */
#ifndef DULT_BASE_ENCODE_H
#define DULT_BASE_ENCODE_H

#include "base/buf.h"

void base64_write(struct buf *out, struct str bytes);
void base64url_write(struct buf *out, struct str bytes); /* no padding */
void hex_write(struct buf *out, struct str bytes);       /* lower case */
void percent_write(struct buf *out, struct str bytes);   /* all but unreserved is escaped */
void html_escape(struct buf *out, struct str text);      /* in text and in attributes, of XML too */

MUST enum err base64_read(struct buf *out, struct str text);    /* padding wanted */
MUST enum err base64url_read(struct buf *out, struct str text); /* no padding */
MUST enum err hex_read(struct buf *out, struct str text);       /* either case */
MUST enum err percent_read(struct buf *out, struct str text, bool plus_is_space);

#endif
