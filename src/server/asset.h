/*
 * asset: the interface's files, from bytes inside the program.
 *
 * A table of paths made at build time (each file perhaps also as gzip and brotli); a request gets
 * the smallest form it accepts, an ETag, and 304 when it has that already. A file whose name holds
 * a hash of its content may be kept for ever; all others are asked for again each time.
 *
 * Always true   bytes outlive the server and are never copied; every answer carries the security
 *               headers: only our own scripts, no framing, no guessing of types, no referrer.
 */
#ifndef DULT_SERVER_ASSET_H
#define DULT_SERVER_ASSET_H

#include "server/http.h"

struct asset {
    const char *path;                /* "/", "/assets/index-3f2a.js" */
    const char *type;                /* "text/html; charset=utf-8" */
    const char *etag;                /* with its quotes; NULL: made from the bytes by asset_open */
    bool        is_lasting;          /* the name changes with the content */
    struct str  plain, gzip, brotli; /* the last two may be STR_NONE */
};

struct assets;

/* The table is borrowed. ERR_CONFLICT when a path stands in it twice. */
MUST enum err assets_open(const struct asset *table, size_t count, struct assets **out);
void          assets_close(struct assets *assets);

/* Answers GET and HEAD for `path` and returns true; false (not answered) when it is not there. */
bool assets_reply(const struct assets *assets, struct http_request *request, struct str path);

/* The security headers for pages made elsewhere; `out` has ASSET_HEADERS. Returns how many. */
enum { ASSET_HEADERS = 5 };
size_t asset_security_headers(struct http_header *out);

#endif
