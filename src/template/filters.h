/*
 * filters: what stands behind a `|`.
 *
 * A filter gets its input and arguments as values and gives a value. What it builds lives in the
 * scratch arena; it charges for the bytes it touches; a mistake in the data is a fault in the
 * report (render_fault) and gives nil.
 */
#ifndef DULT_TEMPLATE_FILTERS_H
#define DULT_TEMPLATE_FILTERS_H

#include "template/program.h"
#include "template/render.h"

/* args[count..FILTER_ARGS_MAX] are nil; args[FILTER_ARGS_MAX] is the named one. */
typedef struct value filter_run(struct render *r, const struct value *input,
                                const struct value *args, uint32_t count);

struct filter {
    const char *name;
    filter_run *run;
    uint8_t     args_min, args_max;
    const char *named;           /* the one named argument it takes, or NULL */
    bool        settles_missing; /* decides itself whether a missing input still is (default) */
};

/* NULL when there is none of that name. */
const struct filter *filter_find(struct str name);

/* Tables of the rooms' files; ended by a NULL name. */
extern const struct filter FILTERS_STRING[], FILTERS_ENCODE[], FILTERS_LIST[], FILTERS_PICK[],
    FILTERS_MATH[], FILTERS_DATE[], FILTERS_LOCALE[];

/* The instant a value means, as the date filter reads it; false when it is none. */
struct date;
bool date_of_value(struct render *r, const struct value *v, struct date *out);

/* The items a list filter works on: sequences flattened, nil none, anything else one item. */
struct value list_of(struct render *r, const struct value *input);

/*
 * item[property] as Ruby has it: a member, a substring. LIST_NO_INDEX for what has no [] (nil,
 * true, false), LIST_NO_PROPERTY where Ruby raises TypeError.
 */
enum list_pick { LIST_PICKED, LIST_NO_INDEX, LIST_NO_PROPERTY };
enum list_pick list_pick(struct render *r, const struct value *item, const struct value *property,
                         struct value *out);
bool           list_has_index(const struct value *item);
struct value   list_property_fault(struct render *r, const struct value *property);

#endif
