#include "template/filters.h"

#include "template/text.h"

/* text[number]: the character there, counted from the end when negative. */
static struct value character(struct str text, int64_t index)
{
    int64_t count = (int64_t)text_characters(text);
    if (index < 0)
        index += count;
    if (index < 0 || index >= count)
        return VALUE_NONE;
    struct str tail = str_slice(text, text_offset(text, (size_t)index), text.len);
    return value_of_str(str_slice(tail, 0, text_first(tail)));
}

/* Ruby's 181[2..5] are the four bits from the third on; one that ends before it begins has no end.
 * What no integer here has room for is 0. */
static int64_t bits_between(int64_t integer, int64_t lo, int64_t hi)
{
    uint64_t bits = lo > 63    ? (integer < 0 ? UINT64_MAX : 0)
                    : lo >= 0  ? (uint64_t)(integer >> lo)
                    : lo > -63 ? (uint64_t)integer << -lo
                               : 0;
    if (hi >= lo && (uint64_t)hi - (uint64_t)lo < 63)
        bits &= (UINT64_C(2) << (hi - lo)) - 1;
    return (int64_t)bits;
}

enum list_pick list_pick(struct render *r, const struct value *item, const struct value *property,
                         struct value *out)
{
    struct value whole = value_of_int(0);
    if (property->kind == VALUE_REAL && property->real > -9e18 && property->real < 9e18) {
        whole.integer = (int64_t)property->real; /* Ruby takes the whole part for an index */
        property = &whole;
    }
    *out = VALUE_NONE;
    render_charge(r, 1);
    switch (item->kind) {
    case VALUE_OBJECT:
        render_charge(r, item->json->count / 64);
        if (property->kind == VALUE_STRING)
            *out = value_of_json(json_get(item->json, property->string));
        return LIST_PICKED;
    case VALUE_STRING:
        render_charge_bytes(r, item->string.len);
        if (property->kind == VALUE_INT)
            *out = character(item->string, property->integer);
        else if (property->kind != VALUE_STRING)
            return LIST_NO_PROPERTY;
        else if (property->string.len == 0 ||
                 str_find(item->string, 0, property->string) < item->string.len)
            *out = *property;
        return LIST_PICKED;
    case VALUE_INT: /* Ruby's Integer#[] gives a bit, or those of a range */
        if (property->kind == VALUE_RANGE) {
            *out =
                value_of_int(bits_between(item->integer, property->range.lo, property->range.hi));
            return LIST_PICKED;
        }
        if (property->kind != VALUE_INT)
            return LIST_NO_PROPERTY;
        *out = value_of_int(property->integer < 0 || property->integer > 63
                                ? 0
                                : item->integer >> property->integer & 1);
        return LIST_PICKED;
    default:
        return LIST_NO_INDEX;
    }
}

bool list_has_index(const struct value *item)
{
    return item->kind == VALUE_OBJECT || item->kind == VALUE_STRING || item->kind == VALUE_INT;
}

struct value list_property_fault(struct render *r, const struct value *property)
{
    struct str name = str_slice(value_text(r, property), 0, 60);
    return render_fault(r, "cannot select the property '%.*s'", STR_ARG(name));
}

enum picking { WHERE, REJECT, HAS, FIND, FIND_INDEX };

/* Whether the item has the property (or has it with the value); LIST_PICKED when that is known. */
static enum list_pick matches(struct render *r, const struct value *item, const struct value *args,
                              bool *matched)
{
    struct value   found;
    enum list_pick picked = list_pick(r, item, &args[0], &found);
    *matched = args[1].kind == VALUE_NIL ? value_is_true(&found) : value_eq(r, &found, &args[1]);
    return picked;
}

static struct value nothing_found(enum picking picking)
{
    if (picking == HAS)
        return value_of_bool(false);
    return picking == WHERE || picking == REJECT ? value_of_list(NULL, 0) : VALUE_NONE;
}

static struct value one_found(enum picking picking, const struct value *item, uint32_t index)
{
    if (picking == HAS)
        return value_of_bool(true);
    return picking == FIND ? *item : value_of_int(index);
}

static struct value pick(struct render *r, const struct value *input, const struct value *args,
                         enum picking picking)
{
    struct value  list = list_of(r, input);
    struct value *kept = render_values(r, list.count);
    uint32_t      count = 0;
    if (kept == NULL)
        return VALUE_NONE;
    for (uint32_t i = 0; i < list.count && r->err == OK; i++) {
        const struct value *item = &list.items[i];
        bool                matched;
        enum list_pick      picked = matches(r, item, args, &matched);
        if (picked == LIST_NO_INDEX)
            return VALUE_NONE;
        if (picked == LIST_NO_PROPERTY)
            return list_property_fault(r, &args[0]);
        if (picking == WHERE || picking == REJECT) {
            if (matched == (picking == WHERE))
                kept[count++] = *item;
        } else if (matched) {
            return one_found(picking, item, i);
        }
    }
    return count > 0 ? value_of_list(kept, count) : nothing_found(picking);
}

static struct value where(struct render *r, const struct value *input, const struct value *args,
                          uint32_t count)
{
    (void)count;
    return pick(r, input, args, WHERE);
}

static struct value reject(struct render *r, const struct value *input, const struct value *args,
                           uint32_t count)
{
    (void)count;
    return pick(r, input, args, REJECT);
}

static struct value has(struct render *r, const struct value *input, const struct value *args,
                        uint32_t count)
{
    (void)count;
    return pick(r, input, args, HAS);
}

static struct value find(struct render *r, const struct value *input, const struct value *args,
                         uint32_t count)
{
    (void)count;
    return pick(r, input, args, FIND);
}

static struct value find_index(struct render *r, const struct value *input,
                               const struct value *args, uint32_t count)
{
    (void)count;
    return pick(r, input, args, FIND_INDEX);
}

static struct value map(struct render *r, const struct value *input, const struct value *args,
                        uint32_t count)
{
    (void)count;
    struct value  list = list_of(r, input);
    struct value *items = render_values(r, list.count);
    if (items == NULL)
        return VALUE_NONE;
    for (uint32_t i = 0; i < list.count; i++)
        if (list_pick(r, &list.items[i], &args[0], &items[i]) == LIST_NO_PROPERTY)
            return list_property_fault(r, &args[0]);
    return value_of_list(items, list.count);
}

/* The keys by which uniq and compact judge: the items themselves, or a property of each. */
static enum list_pick keys_of(struct render *r, const struct value *list,
                              const struct value *property, struct value *keys)
{
    for (uint32_t i = 0; i < list->count; i++) {
        keys[i] = list->items[i];
        if (property->kind == VALUE_NIL)
            continue;
        enum list_pick picked = list_pick(r, &list->items[i], property, &keys[i]);
        if (picked != LIST_PICKED)
            return picked;
    }
    return LIST_PICKED;
}

static bool seen_before(struct render *r, const struct value *keys, uint32_t index)
{
    for (uint32_t i = 0; i < index && render_charge(r, 1); i++)
        if (keys[i].kind == keys[index].kind && value_eq(r, &keys[i], &keys[index]))
            return true;
    return false;
}

static struct value thinned(struct render *r, const struct value *input,
                            const struct value *property, bool unique)
{
    struct value  list = list_of(r, input);
    struct value *keys = render_values(r, list.count), *kept = render_values(r, list.count);
    uint32_t      count = 0;
    if (keys == NULL || kept == NULL)
        return VALUE_NONE;
    /* One item alone is asked for nothing by Ruby's uniq. */
    enum list_pick picked =
        unique && list.count == 1 ? LIST_PICKED : keys_of(r, &list, property, keys);
    if (picked == LIST_NO_INDEX)
        return VALUE_NONE;
    if (picked == LIST_NO_PROPERTY)
        return list_property_fault(r, property);
    for (uint32_t i = 0; i < list.count && r->err == OK; i++)
        if (unique ? !seen_before(r, keys, i) : keys[i].kind != VALUE_NIL)
            kept[count++] = list.items[i];
    return value_of_list(kept, count);
}

static struct value uniq(struct render *r, const struct value *input, const struct value *args,
                         uint32_t count)
{
    (void)count;
    return thinned(r, input, &args[0], true);
}

static struct value compact(struct render *r, const struct value *input, const struct value *args,
                            uint32_t count)
{
    (void)count;
    return thinned(r, input, &args[0], false);
}

const struct filter FILTERS_PICK[] = {
    { "where", where, 1, 2, NULL, false },
    { "reject", reject, 1, 2, NULL, false },
    { "has", has, 1, 2, NULL, false },
    { "find", find, 1, 2, NULL, false },
    { "find_index", find_index, 1, 2, NULL, false },
    { "map", map, 1, 1, NULL, false },
    { "uniq", uniq, 0, 1, NULL, false },
    { "compact", compact, 0, 1, NULL, false },
    { NULL, NULL, 0, 0, NULL, false },
};
