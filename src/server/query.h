/*
 * query: name=value&name=value, as browsers write it: '+' is a space, %XX a byte.
 * Knows not   bodies: but a form's body has the same shape.
 */
#ifndef DULT_SERVER_QUERY_H
#define DULT_SERVER_QUERY_H

#include "base/buf.h"

/* Cuts the first pair off *rest, still escaped. False at the end. Empty pieces are skipped. */
bool query_next(struct str *rest, struct str *name, struct str *value);

/* Appends the decoded value of the first parameter named so (its name decoded too). False when
 * absent, badly escaped or beyond the bound of *out. */
bool query_get(struct str query, struct str name, struct buf *out);

#endif
