/*
 * mapping_inside: what the files of mapping share: mapping.c (the file's shape and its records),
 * mapping_value.c (values, as they are written), mapping_row.c (a row turned into messages).
 */
#ifndef DULT_INTAKE_MAPPING_INSIDE_H
#define DULT_INTAKE_MAPPING_INSIDE_H

#include "intake/mapping.h"

enum value_kind { VALUE_CONSTANT, VALUE_COLUMN, VALUE_TEMPLATE, VALUE_OBJECT, VALUE_LIST };
enum value_type { TYPE_TEXT, TYPE_NUMBER, TYPE_INTEGER, TYPE_BOOLEAN, TYPE_DATE };
enum { TYPES = 5, UNBOUND = -1, COLUMN_CONSTANT = -1 };

/* A piece of a template: literal text, or a column (an index into mapping.columns). */
struct part {
    struct str text;
    int32_t    column; /* COLUMN_CONSTANT for text */
};

struct value {
    struct str         key; /* in an object */
    enum value_kind    kind;
    enum value_type    type;
    bool               is_typed; /* a type was asked for */
    struct str         format;   /* of a date */
    const struct json *constant; /* VALUE_CONSTANT; else the default, or NULL */
    struct part       *parts;    /* VALUE_COLUMN has one */
    uint32_t           parts_count;
    struct value      *inner; /* of an object or a list */
    uint32_t           inner_count;
};

struct skip {
    int32_t    column;
    bool       when_empty;
    struct str when_is;
};

struct each {
    struct value message; /* a VALUE_OBJECT */
    struct skip *skips;
    uint32_t     skips_count;
};

struct mapping {
    struct arena      *arena;
    struct str         name;
    struct csv_shape   shape;
    bool               is_ndjson, has_header;
    struct str         columns[MAPPING_COLUMNS_MAX]; /* that the records ask for */
    int32_t            places[MAPPING_COLUMNS_MAX];  /* where they are in a row */
    uint32_t           columns_count;
    const struct json *given_columns; /* names in the file's order, or NULL */
    uint32_t           row_fields;    /* how many a row must have; 0 where not known yet */
    struct each        each[MAPPING_RECORDS_MAX];
    uint32_t           each_count;
};

/* A path through the mapping file, for problems: each step knows the one above it. */
struct place {
    const struct place *above;
    struct str          name;
};

/* ---- mapping_value.c */

/* ERR_INPUT at the place. */
enum err mapping_wrong(const struct place *place, struct problem *problem, const char *what,
                       const char *remedy);
/* Is every key of `object` one of the words (a list ended by NULL)? */
MUST enum err mapping_words_check(const struct json *object, const char *const *words,
                                  const struct place *place, struct problem *problem);
/* The index of a column in mapping->columns, added where new. */
MUST enum err mapping_column(struct mapping *mapping, struct str name, const struct place *place,
                             struct problem *problem, int32_t *out);
/* The members of an object or the items of a list, with all below them. */
MUST enum err mapping_inner_parse(struct mapping *mapping, const struct json *from,
                                  struct value *value, const struct place *place,
                                  struct problem *problem);

#endif
