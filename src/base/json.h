/*
 * json: one reading of JSON for the whole house.
 *
 * Reading is simdjson's DOM behind a shim: it validates everything (RFC 8259, UTF-8) and we copy
 * what it found into a plain tree in the caller's arena. Writing is ours: what is stored is
 * written from what was validated, never the sender's own bytes.
 *
 *     object {"a":1,"b":[true]}        kind OBJECT, count 2, members -> key,value pairs in order
 *                                      repeated keys: all kept, json_get finds the last
 *
 * Always true   strings are valid UTF-8; numbers are finite; depth <= JSON_DEPTH_MAX.
 * Cost          about 25 ns a value; the tree borrows nothing from the text.
 */
#ifndef DULT_BASE_JSON_H
#define DULT_BASE_JSON_H

#include "base/buf.h"
#include "base/str.h"

enum { JSON_DEPTH_MAX = 64 };

enum json_kind {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,  /* fits int64_t */
    JSON_REAL, /* any other number; integers of 2^63 and more become the nearest double */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_member;

struct json {
    enum json_kind kind;
    uint32_t       count; /* items of an array, members of an object */
    union {
        bool                      truth;
        int64_t                   integer;
        double                    real;
        struct str                string;
        const struct json        *items;
        const struct json_member *members;
    };
};

struct json_member {
    struct str  key;
    struct json value;
};

/* A parser keeps buffers between calls; one thread at a time. NULL without memory. */
struct json_parser *json_parser_open(void);
void                json_parser_close(struct json_parser *parser); /* NULL is nothing */
void                json_parser_closep(struct json_parser **parser);

/*
 * Reads one JSON value from the whole of `text` into `arena`.
 * ERR_INPUT with *problem filled on anything that is not JSON; ERR_LIMIT beyond the depth bound;
 * ERR_MEMORY when the arena is full. `problem` may be NULL.
 */
MUST enum err json_parse(struct json_parser *parser, struct arena *arena, struct str text,
                         struct json *out, struct problem *problem);

/* Opens a parser for this one text; for configuration and tests, not for the hot path. */
MUST enum err json_parse_once(struct arena *arena, struct str text, struct json *out,
                              struct problem *problem);

/* The last member of that name, or NULL (also when `object` is NULL or no object). */
const struct json *json_get(const struct json *object, struct str key);
/* Follows a dotted path of member names and array indices: "products.0.price". NULL if absent. */
const struct json *json_path(const struct json *value, struct str path);

/* The string under `key`, or the empty string when absent or not a string. */
struct str json_get_str(const struct json *object, struct str key);
/* The number under `key`; false when absent or not a number (an INT only for json_get_int). */
bool json_get_int(const struct json *object, struct str key, int64_t *out);
bool json_get_real(const struct json *object, struct str key, double *out);
bool json_get_bool(const struct json *object, struct str key, bool absent);
bool json_to_real(const struct json *value, double *out); /* INT and REAL */
bool json_eq(const struct json *a, const struct json *b); /* deep; 1 and 1.0 are equal */

/* A deep copy into another arena. ERR_MEMORY when it is full. */
MUST enum err json_copy(struct arena *arena, const struct json *value, struct json *out);

/* Appends compact JSON. Numbers are written so that reading gives the same number back. */
void json_write(struct buf *out, const struct json *value);
void json_write_pretty(struct buf *out, const struct json *value); /* two spaces, a line a member */
/* Quoted and escaped. What is no UTF-8 becomes U+FFFD, byte by byte: what is written can be read.
 */
void json_write_str(struct buf *out, struct str s);
void json_write_real(struct buf *out, double value); /* null when not finite */

/* For writing by hand: jw_key(out, &first, "name") puts the comma where one belongs. */
void json_write_key(struct buf *out, bool *first, const char *key);

#endif
