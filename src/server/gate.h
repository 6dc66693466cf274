/*
 * gate: is this the head of one HTTP request, and of no other?
 *
 * Two readers of the same bytes who disagree where a request ends can be made to serve a request
 * hidden in a body. So the gate reads the raw bytes itself, before anything is interpreted, and
 * lets pass only what can be read in one way. Everything else is 400 and the connection closes.
 *
 *      POST /v1/batch?a=1 HTTP/1.1 CRLF        method of the list, origin-form, known version
 *      Host: example.com CRLF                  exactly one; names are tokens; no control bytes
 *      Content-Length: 17 CRLF                 at most one, digits only, never with
 *      CRLF                                    Transfer-Encoding, which may only be "chunked"
 *      {"event":"Hello"}                       this many bytes, or chunks read by gate_chunk
 *
 * Refused also: a bare LF or CR, NUL, folded lines, white space before the colon, absolute-form
 * whose authority is not the Host, Content_Length look-alikes, chunk sizes that are not plain hex.
 *
 * Always true   places in a gate_head lie inside the bytes that were read; nothing is copied.
 * Cost          one pass; about 0.3 us for a client library's usual head.
 * Knows not     sockets, routes, bodies' meaning.
 */
#ifndef DULT_SERVER_GATE_H
#define DULT_SERVER_GATE_H

#include "base/str.h"

enum {
    GATE_HEAD_BYTES_MAX = 32768,     /* cookies and tracing headers fit; places are 16 bits */
    GATE_FIELDS_MAX = 100,           /* what common proxies allow */
    GATE_TARGET_BYTES_MAX = 8192,    /* query strings of redirect chains fit */
    GATE_CHUNK_LINE_BYTES_MAX = 256, /* a chunk's size with its extension; one trailer line */
    GATE_TRAILER_LINES_MAX = 16,
};
_Static_assert(GATE_HEAD_BYTES_MAX <= UINT16_MAX, "places in a head are 16 bits wide");

enum gate_method {
    GATE_GET,
    GATE_HEAD,
    GATE_POST,
    GATE_PUT,
    GATE_PATCH,
    GATE_DELETE,
    GATE_OPTIONS,
    GATE_METHODS
};

struct gate_place {
    uint16_t at, len;
};

struct gate_field {
    struct gate_place name, value;
};

struct gate_head {
    uint32_t          bytes; /* the whole head, blank line included */
    enum gate_method  method;
    struct gate_place target, path, query; /* query without its '?' */
    struct gate_place host;
    bool              is_keep_alive, is_chunked, wants_continue;
    uint64_t          body_bytes; /* 0 when absent or chunked */
    uint16_t          fields_count;
    struct gate_field fields[GATE_FIELDS_MAX];
};

enum gate_verdict { GATE_MORE, GATE_PASS, GATE_REFUSE };

struct gate_refusal {
    int         status;
    const char *what, *remedy;
};

/*
 * Reads a head from the front of `bytes`. GATE_MORE: no blank line yet (`seen` bytes had been
 * looked at before and are not searched again); GATE_PASS fills *out; GATE_REFUSE fills *why.
 */
enum gate_verdict gate_read(struct str bytes, size_t seen, struct gate_head *out,
                            struct gate_refusal *why);

struct str gate_text(struct str bytes, struct gate_place place);
struct str gate_method_name(enum gate_method method);
/* False when the name is none of ours. Case counts. */
bool gate_method_parse(struct str name, enum gate_method *out);
/* The value of the first field of that name, or STR_NONE. `bytes` is what the head was read from.
 */
struct str gate_field(const struct gate_head *head, struct str bytes, struct str name);

/* A chunked body, read piece by piece. A zeroed struct is the start. */
struct gate_chunk {
    int      state;
    uint64_t left; /* bytes of the open chunk still to come */
    uint16_t line_len, trailer_lines;
    char     line[GATE_CHUNK_LINE_BYTES_MAX]; /* a line not yet complete */
};

/*
 * Takes bytes from the front of *rest. Gives the next run of body bytes in *data (which may be
 * empty) and GATE_MORE; call again until *rest is empty. GATE_PASS: the body has ended, *rest is
 * what follows it.
 */
enum gate_verdict gate_chunk_read(struct gate_chunk *chunk, struct str *rest, struct str *data,
                                  struct gate_refusal *why);

#endif
