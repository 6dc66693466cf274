#include "template/filters.h"

#include <string.h>
#include <strings.h>

#include "template/lexer.h"
#include "template/text.h"

static bool is_array(const struct value *v)
{
    return v->kind == VALUE_LIST || v->kind == VALUE_ARRAY;
}

static bool flat_count(struct render *r, const struct value *list, int64_t *count)
{
    for (int64_t i = 0, n = value_count(list); i < n; i++) {
        struct value item = value_item(list, i);
        if (!render_charge(r, 1))
            return false;
        if (is_array(&item) && !flat_count(r, &item, count))
            return false;
        *count += !is_array(&item);
    }
    return true;
}

static struct value *flat_fill(const struct value *list, struct value *to)
{
    for (int64_t i = 0, n = value_count(list); i < n; i++) {
        struct value item = value_item(list, i);
        if (is_array(&item))
            to = flat_fill(&item, to);
        else
            *to++ = item;
    }
    return to;
}

struct value list_of(struct render *r, const struct value *input)
{
    int64_t count = 0;
    if (input->kind == VALUE_NIL)
        return value_of_list(NULL, 0);
    if (!value_is_sequence(input))
        count = 1;
    else if (input->kind == VALUE_RANGE && render_charge(r, value_count(input)))
        count = value_count(input);
    else if (input->kind != VALUE_RANGE)
        flat_count(r, input, &count);
    struct value *items = r->err == OK ? render_values(r, (size_t)count) : NULL;
    if (items == NULL)
        return value_of_list(NULL, 0);
    if (value_is_sequence(input))
        flat_fill(input, items);
    else
        items[0] = *input;
    return value_of_list(items, (size_t)count);
}

static struct value join(struct render *r, const struct value *input, const struct value *args,
                         uint32_t count)
{
    struct buf   out = render_buf();
    struct value list = list_of(r, input);
    struct str   glue = count > 0 ? value_text(r, &args[0]) : STR(" ");
    for (uint32_t i = 0; i < list.count && r->err == OK; i++) {
        if (i > 0)
            buf_str(&out, glue);
        buf_str(&out, value_text(r, &list.items[i]));
    }
    return render_text(r, &out);
}

static struct value first_or_last(struct render *r, const struct value *input, bool first)
{
    int64_t count = value_count(input);
    if (input->kind == VALUE_RANGE) /* an empty one has ends, too */
        return value_of_int(first ? input->range.lo : input->range.hi);
    if (value_is_sequence(input))
        return count == 0 ? VALUE_NONE : value_item(input, first ? 0 : count - 1);
    if (input->kind == VALUE_OBJECT && first && input->json->count > 0)
        return value_pair(r, &input->json->members[0]);
    if (input->kind != VALUE_STRING)
        return VALUE_NONE;
    size_t characters = text_characters(input->string);
    size_t last = characters == 0 ? 0 : text_offset(input->string, characters - 1);
    return value_of_str(first ? str_slice(input->string, 0, text_first(input->string))
                              : str_slice(input->string, last, input->string.len));
}

static struct value first(struct render *r, const struct value *input, const struct value *args,
                          uint32_t count)
{
    (void)args, (void)count;
    return first_or_last(r, input, true);
}

static struct value last(struct render *r, const struct value *input, const struct value *args,
                         uint32_t count)
{
    (void)args, (void)count;
    return first_or_last(r, input, false);
}

static struct value size(struct render *r, const struct value *input, const struct value *args,
                         uint32_t count)
{
    (void)args, (void)count;
    if (value_is_sequence(input))
        return value_of_int(value_count(input));
    if (input->kind == VALUE_OBJECT)
        return value_of_int(input->json->count);
    if (input->kind == VALUE_INT) /* the bytes of a machine word, as Ruby's Integer#size */
        return value_of_int(sizeof(int64_t));
    if (input->kind != VALUE_STRING || !render_charge_bytes(r, input->string.len))
        return value_of_int(0);
    return value_of_int((int64_t)text_characters(input->string));
}

static struct value reverse(struct render *r, const struct value *input, const struct value *args,
                            uint32_t count)
{
    (void)args, (void)count;
    struct value  list = list_of(r, input);
    struct value *items = render_values(r, list.count);
    if (items == NULL)
        return VALUE_NONE;
    for (uint32_t i = 0; i < list.count; i++)
        items[i] = list.items[list.count - 1 - i];
    return value_of_list(items, list.count);
}

static struct value concat(struct render *r, const struct value *input, const struct value *args,
                           uint32_t count)
{
    (void)count;
    if (!is_array(&args[0]))
        return render_fault(r, "the argument of concat is not a list");
    struct value  list = list_of(r, input);
    int64_t       more = value_count(&args[0]);
    struct value *items = render_values(r, list.count + (size_t)more);
    if (items == NULL)
        return VALUE_NONE;
    if (list.count > 0)
        memcpy(items, list.items, list.count * sizeof *items);
    for (int64_t i = 0; i < more; i++)
        items[list.count + i] = value_item(&args[0], i);
    return value_of_list(items, list.count + (size_t)more);
}

/* Ruby's split: a single space splits at any white space; empty pieces at the end are dropped. */
static bool piece_next(struct str *rest, struct str separator, struct str *piece)
{
    bool words = str_eq(separator, STR(" "));
    if (words)
        *rest = text_trim_left(*rest);
    if (rest->len == 0)
        return false;
    size_t cut = 0, skip = separator.len;
    if (words)
        for (skip = 1; cut < rest->len && !text_is_space(rest->ptr[cut]);)
            cut++;
    else if (separator.len == 0)
        cut = text_first(*rest);
    else
        cut = str_find(*rest, 0, separator);
    *piece = str_slice(*rest, 0, cut);
    *rest = str_slice(*rest, cut + skip, rest->len);
    return true;
}

static struct value split(struct render *r, const struct value *input, const struct value *args,
                          uint32_t count)
{
    (void)count;
    struct str text = value_text(r, input), separator = value_text(r, &args[0]);
    struct str rest = text, piece;
    size_t     pieces = 0, kept = 0;
    render_charge_bytes(r, text.len * 2);
    while (piece_next(&rest, separator, &piece))
        pieces++;
    struct value *items = render_values(r, pieces);
    if (items == NULL)
        return VALUE_NONE;
    rest = text;
    for (size_t i = 0; i < pieces && piece_next(&rest, separator, &piece); i++) {
        items[i] = value_of_str(piece);
        items[i].safe = input->safe;
        if (piece.len > 0)
            kept = i + 1;
    }
    return value_of_list(items, kept);
}

typedef int list_order(struct render *r, const struct value *a, const struct value *b);

static int order_plain(struct render *r, const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_STRING)
        render_charge_bytes(r, a->string.len);
    int order = value_order(a, b);
    if (order != VALUE_UNORDERED)
        return order;
    if (a->kind == VALUE_NIL || b->kind == VALUE_NIL)
        return (a->kind == VALUE_NIL) - (b->kind == VALUE_NIL);
    if (!value_eq(r, a, b) && r->err == OK && !r->faulty)
        render_fault(r, "cannot sort values of different kinds");
    return 0;
}

/* Without regard to the case of ASCII letters, as Ruby's casecmp. */
static int order_natural(struct render *r, const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_NIL || b->kind == VALUE_NIL)
        return (a->kind == VALUE_NIL) - (b->kind == VALUE_NIL);
    struct str x = value_text(r, a), y = value_text(r, b);
    size_t     shorter = x.len < y.len ? x.len : y.len;
    render_charge_bytes(r, shorter);
    int order = shorter == 0 ? 0 : strncasecmp(x.ptr, y.ptr, shorter);
    if (order != 0)
        return order;
    return x.len < y.len ? -1 : x.len > y.len;
}

struct sorted {
    struct value key, item;
};

static void merge(struct render *r, struct sorted *from, struct sorted *to, size_t begin,
                  size_t middle, size_t end, list_order *order)
{
    size_t a = begin, b = middle;
    for (size_t i = begin; i < end; i++) {
        bool left = a < middle;
        if (left && b < end)
            left = !render_charge(r, 1) || order(r, &from[a].key, &from[b].key) <= 0;
        to[i] = left ? from[a++] : from[b++];
    }
}

/* A stable merge sort from the bottom up, on copies in the arena. */
static struct value sort_by(struct render *r, struct sorted *items, size_t count, list_order *order)
{
    struct sorted *other = render_alloc(r, count, sizeof *other);
    struct value  *made = render_values(r, count);
    if (other == NULL || made == NULL)
        return VALUE_NONE;
    for (size_t width = 1; width < count && r->err == OK; width *= 2) {
        for (size_t i = 0; i < count && r->err == OK; i += 2 * width) {
            size_t middle = i + width < count ? i + width : count;
            size_t end = i + 2 * width < count ? i + 2 * width : count;
            merge(r, items, other, i, middle, end, order);
        }
        struct sorted *swap = items;
        items = other;
        other = swap;
    }
    for (size_t i = 0; i < count; i++)
        made[i] = items[i].item;
    return r->faulty || r->err != OK ? VALUE_NONE : value_of_list(made, count);
}

static struct value sorted_list(struct render *r, const struct value *input,
                                const struct value *property, list_order *order)
{
    struct value   list = list_of(r, input);
    struct sorted *items = render_alloc(r, list.count, sizeof *items);
    if (items == NULL)
        return VALUE_NONE;
    for (uint32_t i = 0; property->kind != VALUE_NIL && i < list.count; i++)
        if (!list_has_index(&list.items[i]))
            return VALUE_NONE;
    for (uint32_t i = 0; i < list.count; i++) {
        items[i].item = items[i].key = list.items[i];
        if (property->kind == VALUE_NIL || list.count == 1) /* one alone is compared with none */
            continue;
        if (list_pick(r, &list.items[i], property, &items[i].key) == LIST_NO_PROPERTY)
            return list_property_fault(r, property);
    }
    return sort_by(r, items, list.count, order);
}

static struct value sort(struct render *r, const struct value *input, const struct value *args,
                         uint32_t count)
{
    (void)count;
    return sorted_list(r, input, &args[0], order_plain);
}

static struct value sort_natural(struct render *r, const struct value *input,
                                 const struct value *args, uint32_t count)
{
    (void)count;
    return sorted_list(r, input, &args[0], order_natural);
}

static struct value default_filter(struct render *r, const struct value *input,
                                   const struct value *args, uint32_t count)
{
    (void)r;
    bool allow_false = value_is_true(&args[FILTER_ARGS_MAX]);
    bool absent = allow_false ? input->kind == VALUE_NIL : !value_is_true(input);
    if (!absent && !value_is_empty(input))
        return *input;
    if (count > 0)
        return args[0];
    struct value nothing = value_of_str(STR(""));
    nothing.safe = true;
    return nothing;
}

const struct filter FILTERS_LIST[] = {
    { "join", join, 0, 1, NULL, false },
    { "first", first, 0, 0, NULL, false },
    { "last", last, 0, 0, NULL, false },
    { "size", size, 0, 0, NULL, false },
    { "reverse", reverse, 0, 0, NULL, false },
    { "concat", concat, 1, 1, NULL, false },
    { "split", split, 1, 1, NULL, false },
    { "sort", sort, 0, 1, NULL, false },
    { "sort_natural", sort_natural, 0, 1, NULL, false },
    { "default", default_filter, 0, 2, "allow_false", true },
    { NULL, NULL, 0, 0, NULL, false },
};
