#include "engine/segment/segment_values.h"

void segment_values_begin(struct segment_values *v, const struct segment_asking *asking,
                          const struct segment_op *op, struct bag bag)
{
    *v = (struct segment_values){ .asking = asking, .op = op, .bag = bag };
    if (op->with == 0 && !op->of_elements)
        return;
    v->in_list = bag_list_find(bag, op->list, &v->list);
    v->of_elements = v->in_list && op->of_elements;
    if (v->in_list || op->with != 0)
        v->bag = (struct bag){ NULL, 0 };
}

/* Goes on to the next element that passes. */
static bool next_element(struct segment_values *v)
{
    while (v->in_list && bag_list_next(&v->list, &v->bag)) {
        v->at = 0;
        if (v->op->with == 0 || segment_where(v->asking, v->op->with, v->bag))
            return true;
    }
    v->in_list = false;
    v->bag = (struct bag){ NULL, 0 };
    return false;
}

bool segment_values_next(struct segment_values *v, struct json *out)
{
    struct bag_item item;
    if (v->of_elements) {
        *out = (struct json){ .kind = JSON_BOOL, .truth = true };
        return next_element(v);
    }
    do
        while (bag_next_of(v->bag, &v->at, v->op->key, &item))
            if (item.value.kind != JSON_NULL) {
                *out = item.value;
                return true;
            }
    while (next_element(v));
    return false;
}

bool segment_same_value(struct bag bag, uint16_t key, struct json *out)
{
    struct bag_item item;
    uint32_t        at = 0;
    while (bag_next_of(bag, &at, key, &item))
        if (item.value.kind != JSON_NULL) {
            *out = item.value;
            return true;
        }
    return false;
}
