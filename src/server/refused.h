/*
 * refused: whom have we turned away lately, and what should they do?
 *
 * A marketer whose shop sends nothing needs to see that it does send, and what is wrong with it.
 * The last REFUSED_MAX refusals are kept in a ring; long texts are cut. Nothing of a body or of a
 * header's value is kept, and a path is kept without its query: keys travel there.
 *
 * Always true   thread-safe; costs one lock and a copy.
 */
#ifndef DULT_SERVER_REFUSED_H
#define DULT_SERVER_REFUSED_H

#include "server/http.h"

enum { REFUSED_MAX = 200 };

struct refused;

struct refused *refused_open(void); /* NULL without memory */
void            refused_close(struct refused *refused);

void     refused_add(struct refused *refused, const struct http_refusal *refusal, int64_t at_ms);
uint64_t refused_count(struct refused *refused); /* since the start */

/* {"total":n,"refused":[{"at","peer","method","path","status","what","remedy"}...]}, newest first.
 */
void refused_write(struct refused *refused, struct buf *out);

#endif
