#include "engine/report/rows.h"

#include <stdlib.h>

#include "engine/profile/place.h"

enum err rows_open(struct rows **out, struct groups_by by)
{
    struct rows *rows = malloc(sizeof *rows);
    if (rows == NULL)
        return ERR_MEMORY;
    rows->by = by;
    *out = rows;
    return OK;
}

void rows_closep(struct rows **rows)
{
    free(*rows);
}

/* What is derived (place.h) has more sources than identify calls. */
static bool is_told(const struct rows *rows)
{
    return rows->by.key >= PLACE_DERIVED;
}

void rows_block(struct rows *rows, const struct block *block)
{
    if (rows->by.of == GROUPS_OF_TRAIT && is_told(rows))
        slices_make(&rows->slices, block, BLOCK_IDENTIFY);
}

/* The first element of a list counts. */
static struct json trait_of(const struct rows *rows, struct hits *hits, uint32_t i)
{
    struct json        nothing = { .kind = JSON_NULL };
    struct facts_trait trait;
    bool               is_alone = (hits->block.alone[i / 64] >> (i % 64) & 1) != 0;
    if (is_alone && !is_told(rows))
        someone_make(&hits->someone, hits->report, hits->block.first + i);
    if (is_alone && is_told(rows)) {
        struct json value;
        uint32_t    bag = slices_trait_bag(&rows->slices, &hits->block, rows->by.key, i);
        return bag_find(bag_at(hits->report->view->bags, bag), rows->by.key, &value) ? value
                                                                                     : nothing;
    }
    if (!hits->someone.facts.ops->trait(&hits->someone.facts, rows->by.key, &trait))
        return nothing;
    return trait.value.kind == JSON_ARRAY ? trait.value.items[0] : trait.value;
}

struct json rows_value(const struct rows *rows, struct hits *hits, uint32_t i, uint32_t bag)
{
    struct json value;
    if (rows->by.of == GROUPS_OF_TRAIT)
        return trait_of(rows, hits, i);
    if (bag_find(bag_at(hits->report->view->bags, bag), rows->by.key, &value))
        return value;
    return (struct json){ .kind = JSON_NULL };
}

uint32_t rows_of(const struct rows *rows, struct hits *hits, uint32_t i, uint32_t bag)
{
    struct json value = rows_value(rows, hits, i, bag);
    return groups_row(rows->by.groups, &value);
}
