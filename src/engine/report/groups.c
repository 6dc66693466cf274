#include "engine/report/groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "engine/report/rows.h"

struct counted {
    struct json value;
    uint64_t    count;
};

struct groups {
    struct map      map; /* from the value's hash to its place */
    struct counted *items;
    uint32_t        count, room;
};

struct groups *groups_open(void)
{
    struct groups *groups = calloc(1, sizeof *groups);
    if (groups != NULL)
        groups->map = map_make();
    return groups;
}

void groups_close(struct groups *groups)
{
    if (groups == NULL)
        return;
    map_done(&groups->map);
    free(groups->items);
    free(groups);
}

static uint64_t hash_of(const struct json *value)
{
    double   x;
    uint64_t bits;
    if (value->kind == JSON_STRING)
        return hash_str(value->string, 1);
    if (!json_to_real(value, &x))
        return hash_u64(value->truth, 2);
    x += 0.0; /* one zero */
    memcpy(&bits, &x, sizeof bits);
    return hash_u64(bits, 3);
}

static bool is_value(const void *owner, uint32_t at, const void *key)
{
    const struct groups *groups = owner;
    return json_eq(&groups->items[at].value, key);
}

static uint32_t find(const struct groups *groups, const struct json *value)
{
    return map_find(&groups->map, hash_of(value), is_value, groups, value);
}

static enum err put(struct groups *groups, const struct json *value, uint64_t count)
{
    uint32_t at = find(groups, value);
    if (at != MAP_NONE) {
        groups->items[at].count += count;
        return OK;
    }
    if (groups->count == GROUPS_SEEN_MAX)
        return OK;
    if (groups->count == groups->room) {
        uint32_t        room = groups->room == 0 ? 64 : groups->room * 2;
        struct counted *items = realloc(groups->items, room * sizeof *items);
        if (items == NULL)
            return ERR_MEMORY;
        groups->items = items;
        groups->room = room;
    }
    TRY(map_add(&groups->map, hash_of(value), groups->count));
    groups->items[groups->count++] = (struct counted){ *value, count };
    return OK;
}

/* Each event of a person's counts by its property; by a trait the person counts once. */
static enum err gather_person(struct groups *groups, struct hits *hits, struct rows *rows,
                              uint32_t i, const struct groups_question *q)
{
    hits_begin(hits, i);
    TRY(hits_add(hits, i, 0, (struct hits_span){ q->from_ms, q->to_ms }));
    uint32_t count = q->by.of == GROUPS_OF_TRAIT && hits->count > 0 ? 1 : hits->count;
    for (uint32_t h = 0; h < count; h++) {
        struct json value = rows_value(rows, hits, i, hit_bag(hits, &hits->items[h]));
        if (value.kind != JSON_NULL)
            TRY(put(groups, &value, 1));
    }
    return OK;
}

enum err groups_gather(struct groups *groups, const struct report *report,
                       const struct groups_question *q, struct report_range range)
{
    SCOPED(hits_closep) struct hits *hits = NULL;
    SCOPED(rows_closep) struct rows *rows = NULL;
    uint64_t                         people[BLOCK_WORDS];

    TRY(hits_open(&hits, report, &q->event, 1));
    TRY(rows_open(&rows, q->by));
    for (uint32_t first = range.from; first < range.to; first += BLOCK_PROFILES) {
        hits_block(hits, first, range.to);
        rows_block(rows, &hits->block);
        hits_people(hits, 0, people);
        for (uint32_t word = 0; word < BLOCK_WORDS; word++)
            for (uint64_t left = people[word]; left != 0; left &= left - 1)
                TRY(gather_person(groups, hits, rows, word * 64 + BLOCK_BIT(left), q));
    }
    return OK;
}

enum err groups_add(struct groups *into, const struct groups *from)
{
    for (uint32_t i = 0; i < from->count; i++)
        TRY(put(into, &from->items[i].value, from->items[i].count));
    return OK;
}

/* Truths, then numbers, then texts. */
static int value_order(const struct json *a, const struct json *b)
{
    double x, y;
    bool   a_is_text = a->kind == JSON_STRING, b_is_text = b->kind == JSON_STRING;
    bool   a_is_number = json_to_real(a, &x), b_is_number = json_to_real(b, &y);
    if (a_is_text && b_is_text)
        return str_cmp(a->string, b->string);
    if (a_is_number && b_is_number)
        return (x > y) - (x < y);
    if (a_is_text != b_is_text || a_is_number != b_is_number)
        return (2 * a_is_text + a_is_number) - (2 * b_is_text + b_is_number);
    return (int)a->truth - (int)b->truth;
}

static int most_first(const void *a, const void *b)
{
    const struct counted *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return value_order(&x->value, &y->value);
}

enum err groups_keep(struct groups *groups, uint32_t most)
{
    struct map map = map_make();
    most = most < REPORT_GROUPS_MAX ? most : REPORT_GROUPS_MAX;
    if (groups->count > 0)
        qsort(groups->items, groups->count, sizeof groups->items[0], most_first);
    groups->count = groups->count < most ? groups->count : most;
    map_done(&groups->map);
    groups->map = map;
    for (uint32_t i = 0; i < groups->count; i++)
        TRY(map_add(&groups->map, hash_of(&groups->items[i].value), i));
    return OK;
}

uint32_t groups_count(const struct groups *groups)
{
    return groups == NULL ? 0 : groups->count;
}

struct json groups_value(const struct groups *groups, uint32_t group)
{
    return groups->items[group].value;
}

uint32_t groups_row(const struct groups *groups, const struct json *value)
{
    uint32_t count = groups_count(groups);
    if (value->kind == JSON_NULL)
        return count + 1;
    if (count == 0)
        return 0;
    uint32_t at = find(groups, value);
    return at == MAP_NONE ? count : at;
}

uint32_t groups_rows(struct groups_by by)
{
    return by.of == GROUPS_OF_NOTHING ? 1 : groups_count(by.groups) + 3;
}
