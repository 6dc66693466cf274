/*
 * The twin's answer: straight on the tree, for clarity.
 */
#include "engine/segment/segment_naive_test.h"

static void add_value(struct values *v, const struct json *value, bool listed)
{
    if (value->kind == JSON_NULL)
        return;
    assert_true(v->count < VALUES_MAX);
    v->listed[v->count] = listed;
    v->list[v->count++] = *value;
}

void naive_collect(struct values *v, const struct json *at, struct str path, bool listed)
{
    if (at == NULL)
        return;
    if (at->kind == JSON_ARRAY) {
        for (uint32_t i = 0; i < at->count; i++)
            naive_collect(v, &at->items[i], path, true);
    } else if (at->kind == JSON_OBJECT && path.len > 0) {
        struct str step;
        str_split(&path, '.', &step);
        naive_collect(v, json_get(at, step), path, listed);
    } else if (at->kind != JSON_OBJECT && path.len == 0) {
        add_value(v, at, listed);
    }
}

struct asked {
    const struct world *w;
    int64_t             now;
};

/* -1, 0, 1, or 2 for "of different kinds". */
static int order_of(struct asked a, const struct json *value, const struct segment_literal *literal)
{
    double x, y;
    if (literal->kind == SEGMENT_TEXT) {
        if (value->kind != JSON_STRING)
            return 2;
        int difference = str_cmp(value->string, literal->value.string);
        return difference < 0 ? -1 : difference > 0;
    }
    if (literal->kind == SEGMENT_TRUTH)
        return value->kind != JSON_BOOL ? 2 : (int)value->truth - (int)literal->value.truth;
    if (literal->kind != SEGMENT_NUMBER)
        return naive_date_order(a.w, a.now, value, literal);
    if (!json_to_real(value, &x) || !json_to_real(&literal->value, &y))
        return 2;
    return x < y ? -1 : x > y;
}

static bool naive_text(const struct segment_compare *c, const struct json *value, bool listed)
{
    struct str want = c->values[0].value.string, have = value->string;
    if (value->kind != JSON_STRING)
        return false;
    if (c->test == SEGMENT_CONTAINS && listed && c->which == SEGMENT_PLAIN)
        return str_eq(have, want);
    for (size_t i = 0; i + want.len <= have.len; i++)
        if (str_eq(str_slice(have, i, i + want.len), want) &&
            (c->test != SEGMENT_STARTS || i == 0) &&
            (c->test != SEGMENT_ENDS || i + want.len == have.len))
            return true;
    return false;
}

static bool naive_value(struct asked a, const struct segment_compare *c, const struct json *value,
                        bool listed)
{
    int  order = c->values_count > 0 ? order_of(a, value, &c->values[0]) : 2;
    bool among = false;
    for (uint32_t i = 0; i < c->values_count; i++)
        among = among || order_of(a, value, &c->values[i]) == 0;
    switch (c->test) {
    case SEGMENT_EQUAL:
    case SEGMENT_IN:
        return among;
    case SEGMENT_NOT_EQUAL:
    case SEGMENT_NOT_IN:
        return !among;
    case SEGMENT_MORE:
        return order == 1;
    case SEGMENT_AT_LEAST:
        return order == 1 || order == 0;
    case SEGMENT_LESS:
        return order == -1;
    case SEGMENT_AT_MOST:
        return order == -1 || order == 0;
    case SEGMENT_BETWEEN_VALUES:
        return (order == 0 || order == 1) && order_of(a, value, &c->values[1]) <= 0;
    case SEGMENT_EXISTS:
    case SEGMENT_NOT_EXISTS:
        return true;
    case SEGMENT_MATCHES:
        return value->kind == JSON_STRING &&
               naive_matches(c->values[0].value.string, value->string);
    default:
        return naive_text(c, value, listed);
    }
}

bool naive_compare(const struct world *w, int64_t now, const struct segment_compare *c,
                   const struct values *v)
{
    int  passed = 0;
    bool all =
        c->which == SEGMENT_ALL ||
        (c->which == SEGMENT_PLAIN && (c->test == SEGMENT_NOT_EQUAL || c->test == SEGMENT_NOT_IN));
    for (int i = 0; i < v->count; i++)
        passed += naive_value((struct asked){ w, now }, c, &v->list[i], v->listed[i]);
    if (c->test == SEGMENT_NOT_EXISTS)
        return v->count == 0;
    return all ? v->count > 0 && passed == v->count : passed > 0;
}

bool naive_is_in_window(const struct world *w, int64_t now, const struct segment_window *window,
                        int64_t at)
{
    if (window->kind == SEGMENT_CALENDAR || window->from_is_day || window->to_is_day)
        return naive_is_in_days(w, now, window, at);
    switch (window->kind) {
    case SEGMENT_EVER:
        return true;
    case SEGMENT_LAST:
        return at > now - window->length_ms;
    case SEGMENT_NOT_LAST:
        return at <= now - window->length_ms;
    case SEGMENT_SINCE:
        return at >= window->from_ms;
    case SEGMENT_BEFORE:
        return at < window->to_ms;
    case SEGMENT_BETWEEN:
        return at >= window->from_ms && at <= window->to_ms;
    case SEGMENT_SINCE_ENTRY:
        return at >= w->entry_ms;
    case SEGMENT_CALENDAR:
        break; /* naive_is_in_days */
    }
    return false;
}

void naive_trait_values(const struct world *w, int64_t now, struct str key, struct values *out)
{
    const struct change *best = NULL;
    if (w->computed != NULL && str_eq(key, NAIVE_COMPUTED)) {
        naive_value_of(w, now, w->computed, out);
        return;
    }
    for (uint32_t i = 0; i < w->traits_count; i++) {
        const struct change *t = &w->traits[i];
        if (t->seq <= w->seq_max && t->at_ms <= now && str_eq(t->key, key) &&
            (best == NULL || t->at_ms > best->at_ms ||
             (t->at_ms == best->at_ms && t->seq > best->seq)))
            best = t;
    }
    if (best != NULL)
        naive_collect(out, &best->value, STR_NONE, false);
}

static bool naive_trait(const struct world *w, int64_t now, const struct segment_compare *c)
{
    struct values v = { .count = 0 };
    naive_trait_values(w, now, c->key, &v);
    return naive_compare(w, now, c, &v);
}

bool naive(const struct world *w, int64_t now, const struct segment_node *node)
{
    switch (node->kind) {
    case SEGMENT_EVERYONE:
        return true;
    case SEGMENT_AND:
        for (uint32_t i = 0; i < node->parts_count; i++)
            if (!naive(w, now, node->parts[i]))
                return false;
        return true;
    case SEGMENT_OR:
        for (uint32_t i = 0; i < node->parts_count; i++)
            if (naive(w, now, node->parts[i]))
                return true;
        return false;
    case SEGMENT_NOT:
        return !naive(w, now, node->parts[0]);
    case SEGMENT_COMPARE:
        return naive_trait(w, now, &node->compare);
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_AGGREGATE:
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
    case SEGMENT_FUNNEL:
        return naive_deed(w, now, node);
    case SEGMENT_IN_SEGMENT:
    case SEGMENT_IN_LIST:
        return w->stays[node->name.ptr[1] - '0'].from_ms <= now &&
               now < w->stays[node->name.ptr[1] - '0'].to_ms;
    case SEGMENT_SHARE:
        return hash_chance(NAIVE_PUBLIC_ID, node->name) * 100 < node->percent;
    case SEGMENT_DAY:
    case SEGMENT_BEEN:
    case SEGMENT_SCORE: /* asked by segment_score_test */
    case SEGMENT_IN_STAGE:
    case SEGMENT_IN_JOURNEY:
    case SEGMENT_CONSENT:
        return naive_when(w, now, node);
    case SEGMENT_ELEMENT:
        break; /* of an event, never of a person */
    }
    fail_msg("kind %d is asked of nobody", (int)node->kind);
    return false;
}
