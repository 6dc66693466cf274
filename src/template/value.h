/*
 * value: what a Liquid expression can be.
 *
 * Data stays where it is: an array or object is a pointer into the caller's JSON, a list is what
 * a filter has built in the scratch arena. A value knows whether its text is safe HTML, and
 * which path led to nothing, so that the gap is reported when it is used and not before.
 */
#ifndef DULT_TEMPLATE_VALUE_H
#define DULT_TEMPLATE_VALUE_H

#include "base/buf.h"
#include "base/json.h"

struct path;
struct loop;
struct frame;
struct render;

enum value_kind {
    VALUE_NIL,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_REAL,
    VALUE_STRING,
    VALUE_LIST,   /* built while rendering */
    VALUE_ARRAY,  /* in the data */
    VALUE_OBJECT, /* in the data */
    VALUE_RANGE,  /* lo..hi, both included */
    VALUE_LOOP,   /* forloop, tablerowloop */
    VALUE_SELF,   /* `self`: the variables of a frame */
    VALUE_EMPTY,  /* the word in a comparison */
    VALUE_BLANK,
};

struct value {
    enum value_kind    kind;
    bool               safe;    /* text that needs no escaping */
    uint32_t           count;   /* items of a list */
    const struct path *missing; /* the path that found nothing, or NULL */
    union {
        bool                truth;
        int64_t             integer;
        double              real;
        struct str          string;
        const struct value *items;
        const struct json  *json;
        const struct loop  *loop;
        const struct frame *frame;
        struct {
            int64_t lo, hi;
        } range;
    };
};

#define VALUE_NONE ((struct value){ .kind = VALUE_NIL })

struct value value_of_bool(bool truth);
struct value value_of_int(int64_t integer);
struct value value_of_real(double real);
struct value value_of_str(struct str string);
struct value value_of_list(const struct value *items, size_t count);
struct value value_of_json(const struct json *json); /* NULL is nil */

bool value_is_true(const struct value *v);     /* all but nil and false */
bool value_is_sequence(const struct value *v); /* list, array or range */
bool value_is_empty(const struct value *v);
bool value_is_blank(const struct value *v);

/* Items of a sequence; a range counts at most INT64_MAX. Others have none. */
int64_t      value_count(const struct value *v);
struct value value_item(const struct value *v, int64_t index); /* index within the count */
/* The pair [key, value] of an object's member, built in the arena. */
struct value value_pair(struct render *r, const struct json_member *member);

/* Equality and order as Ruby has them; comparing charges the render's steps. */
bool value_eq(struct render *r, const struct value *a, const struct value *b);
/* -1, 0, 1, or VALUE_UNORDERED. */
enum { VALUE_UNORDERED = 2 };
int value_order(const struct value *a, const struct value *b);

/* Text as {{ }} prints it (lists run together), and as filters see it (lists inspected). */
void       value_print(struct render *r, struct buf *out, const struct value *v);
struct str value_text(struct render *r, const struct value *v);
void       value_inspect(struct render *r, struct buf *out, const struct value *v, int depth);

/* A float as Ruby writes it: 1.0, 0.1, 1.0e+16. `out` has VALUE_REAL_BYTES. */
enum { VALUE_REAL_BYTES = 40 };
struct str value_real_text(double real, char *out);

/* A literal so that no two different ones are written alike: 1, 1.0 and "1". */
void value_key_write(struct buf *out, const struct value *v);

/* Whole numbers as Ruby's Integer() reads them; false when it would raise. */
bool value_to_integer(const struct value *v, int64_t *out);
/* Digits with a point or none, a sign before them: "-12.50". */
bool value_is_number_text(struct str text);
/* Leading digits of a text, 0 when there are none (String#to_i). */
int64_t value_leading_int(struct str text);

#endif
