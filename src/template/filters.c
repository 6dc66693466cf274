#include "template/filters.h"

#include <string.h>

const struct filter *filter_find(struct str name)
{
    static const struct filter *const tables[] = { FILTERS_STRING, FILTERS_ENCODE, FILTERS_LIST,
                                                   FILTERS_PICK,   FILTERS_MATH,   FILTERS_DATE,
                                                   FILTERS_LOCALE };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const struct filter *filter = tables[i]; filter->name != NULL; filter++)
            if (str_eq(name, str_of(filter->name)))
                return filter;
    return NULL;
}
