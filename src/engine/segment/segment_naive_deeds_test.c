/* What people did, by brute force: see segment_naive_test.h. */
#include "engine/segment/segment_naive_test.h"

#include <math.h>

#include "engine/own.h"

/* ---- which events */

/* The value at a dotted path through objects alone; NULL. */
static const struct json *value_at(const struct json *at, struct str path)
{
    struct str step;
    while (at != NULL && path.len > 0) {
        str_split(&path, '.', &step);
        at = at->kind == JSON_OBJECT ? json_get(at, step) : NULL;
    }
    return at;
}

/* A list that has objects among its elements; NULL. */
static const struct json *list_at(const struct json *properties, struct str path)
{
    const struct json *list = value_at(properties, path);
    if (list == NULL || list->kind != JSON_ARRAY)
        return NULL;
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].kind == JSON_OBJECT)
            return list;
    return NULL;
}

struct asked {
    const struct world *w;
    int64_t             now;
};

/* The values of an element are its own, so none of them counts as one of a list. */
static bool naive_where(struct asked a, const struct segment_node *node, const struct json *at,
                        bool in_element)
{
    struct values      v = { .count = 0 };
    const struct json *list;
    uint32_t           passed = 0;
    switch (node->kind) {
    case SEGMENT_AND:
        for (uint32_t i = 0; i < node->parts_count; i++)
            if (!naive_where(a, node->parts[i], at, in_element))
                return false;
        return true;
    case SEGMENT_OR:
        for (uint32_t i = 0; i < node->parts_count; i++)
            if (naive_where(a, node->parts[i], at, in_element))
                return true;
        return false;
    case SEGMENT_NOT:
        return !naive_where(a, node->parts[0], at, in_element);
    case SEGMENT_ELEMENT:
        list = list_at(at, node->compare.key);
        if (list == NULL)
            return false;
        for (uint32_t i = 0; i < list->count; i++)
            passed += naive_where(a, node->parts[0], &list->items[i], true);
        return node->compare.which == SEGMENT_ALL ? passed == list->count : passed > 0;
    default:
        naive_collect(&v, at, node->compare.key, false);
        for (int i = 0; i < v.count && in_element; i++)
            v.listed[i] = false;
        return naive_compare(a.w, a.now, &node->compare, &v);
    }
}

static bool is_number(const struct event *e, const char *key, int64_t number)
{
    const struct json *value = json_get(&e->properties, str_of(key));
    return value != NULL && value->kind == JSON_INT && value->integer == number;
}

static bool is_machine(const struct event *e)
{
    const struct json *machine = json_get(&e->properties, STR("machine"));
    return machine != NULL && machine->kind == JSON_BOOL && machine->truth;
}

static bool is_journey(const struct event *e, enum own_what what, struct str name)
{
    return str_eq(e->name, STR("$journey")) && is_number(e, "what", what) &&
           is_number(e, "journey", name.ptr[1] - '0');
}

static bool is_message(const struct event *e, const struct segment_match *m, const char *name)
{
    if (!str_eq(e->name, str_of(name)))
        return false;
    if (m->of == SEGMENT_OF_MESSAGE)
        return str_eq(json_get_str(&e->properties, STR("template")), m->name);
    if (m->of == SEGMENT_OF_BROADCAST)
        return str_eq(json_get_str(&e->properties, STR("broadcast")), m->name);
    return m->of == SEGMENT_OF_ANY || str_eq(json_get_str(&e->properties, STR("journey")), m->name);
}

static bool is_hit(const struct event *e, const struct segment_match *m, const char *name)
{
    return is_message(e, m, name) &&
           (m->hits == SEGMENT_BY_ANYONE || is_machine(e) == (m->hits == SEGMENT_BY_MACHINES));
}

static bool is_subject(const struct event *e, const struct segment_match *m)
{
    switch (m->subject) {
    case SEGMENT_EVENT:
        return str_eq(e->name, m->event);
    case SEGMENT_ANYTHING:
        return !str_starts(e->name, STR("$")) && !str_starts(e->name, STR("Message ")) &&
               !str_eq(e->name, STR("Score Crossed"));
    case SEGMENT_RECEIVED:
        return is_message(e, m, "Message Sent");
    case SEGMENT_OPENED:
        return is_hit(e, m, "Message Opened");
    case SEGMENT_CLICKED:
        return is_hit(e, m, "Message Clicked");
    case SEGMENT_BOUNCED:
        return is_message(e, m, "Message Bounced");
    case SEGMENT_UNSUBSCRIBED:
        return is_message(e, m, "Message Unsubscribed");
    case SEGMENT_ENTERED:
        return is_journey(e, OWN_ENTERED, m->name);
    case SEGMENT_FINISHED:
        return is_journey(e, OWN_FINISHED, m->name);
    case SEGMENT_REACHED_GOAL:
        return is_journey(e, OWN_GOAL, m->name);
    }
    return false;
}

/* Known, happened by now, of that name, and passing the filter. */
static bool is_match(struct asked a, const struct segment_match *m, const struct event *e)
{
    return e->seq <= a.w->seq_max && e->at_ms <= a.now && is_subject(e, m) &&
           (m->where == NULL || naive_where(a, m->where, &e->properties, false));
}

static bool is_counted(struct asked a, const struct segment_match *m, const struct event *e)
{
    return is_match(a, m, e) && naive_is_in_window(a.w, a.now, &m->window, e->at_ms);
}

bool naive_is_later(const struct event *a, const struct event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms > b->at_ms : a->seq > b->seq;
}

/* The matching events of the window, oldest first; returns how many. */
static int matching(struct asked a, const struct segment_match *m, const struct event **out)
{
    int count = 0;
    for (uint32_t i = 0; i < a.w->events_count; i++) {
        const struct event *e = &a.w->events[i];
        int                 at = count;
        if (!is_counted(a, m, e))
            continue;
        for (; at > 0 && naive_is_later(out[at - 1], e); at--)
            out[at] = out[at - 1];
        out[at] = e;
        count++;
    }
    return count;
}

/* ---- counts and instants */

static bool naive_did(struct asked a, const struct segment_node *node)
{
    const struct event *events[EVENTS_MAX];
    uint32_t            count = (uint32_t)matching(a, &node->match, events);
    return node->times == SEGMENT_TIMES_AT_LEAST  ? count >= node->times_count
           : node->times == SEGMENT_TIMES_AT_MOST ? count <= node->times_count
                                                  : count == node->times_count;
}

static bool naive_instant(struct asked a, const struct segment_node *node)
{
    const struct event *best = NULL;
    for (uint32_t i = 0; i < a.w->events_count; i++) {
        const struct event *e = &a.w->events[i];
        if (is_match(a, &node->match, e) &&
            (best == NULL || naive_is_later(e, best) == (node->kind == SEGMENT_LAST_DID)))
            best = e;
    }
    return best != NULL && naive_is_in_window(a.w, a.now, &node->match.window, best->at_ms);
}

/* ---- aggregates */

static bool naive_number(enum segment_test test, double a, double b)
{
    switch (test) {
    case SEGMENT_EQUAL:
        return a == b;
    case SEGMENT_NOT_EQUAL:
        return a != b;
    case SEGMENT_MORE:
        return a > b;
    case SEGMENT_AT_LEAST:
        return a >= b;
    case SEGMENT_LESS:
        return a < b;
    default:
        return a <= b;
    }
}

/* "products" of "products.price"; what has no dot is the list itself. */
static struct str list_name(struct str property)
{
    size_t dot = property.len;
    while (dot > 0 && property.ptr[dot - 1] != '.')
        dot--;
    return dot == 0 ? property : str_slice(property, 0, dot - 1);
}

static void element_values(struct values *v, struct asked a, const struct segment_node *node,
                           const struct json *properties)
{
    struct str         name = list_name(node->property);
    const struct json *list = list_at(properties, name);
    bool               itself = name.len == node->property.len;
    struct json        one = { .kind = JSON_BOOL, .truth = true };
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const struct json *element = &list->items[i];
        struct str         key =
            itself ? STR_NONE : str_slice(node->property, name.len + 1, node->property.len);
        if (!naive_where(a, node->with, element, true))
            continue;
        if (itself && node->fold == SEGMENT_COUNT) {
            v->list[v->count++] = one;
        } else {
            naive_collect(v, element, key, true);
        }
    }
}

static void event_values(struct values *v, struct asked a, const struct segment_node *node,
                         const struct event *e)
{
    const struct json *list = list_at(&e->properties, node->property);
    v->count = 0;
    if (node->with != NULL)
        element_values(v, a, node, &e->properties);
    else if (node->fold == SEGMENT_COUNT && list != NULL)
        v->count = (int)list->count;
    else
        naive_collect(v, &e->properties, node->property, false);
}

struct folded {
    double      sum, least, greatest;
    int         numbers, values, distinct;
    struct json seen[EVENTS_MAX * VALUES_MAX];
    int         times[EVENTS_MAX * VALUES_MAX], last[EVENTS_MAX * VALUES_MAX];
};

/* `turn` rises from the newest event's first value on. */
static void fold_value(struct folded *f, const struct json *value, int turn)
{
    double x;
    int    s = 0;
    while (s < f->distinct && !json_eq(&f->seen[s], value))
        s++;
    if (s == f->distinct) {
        f->seen[f->distinct++] = *value;
        f->times[s] = 0;
        f->last[s] = turn;
    }
    f->last[s] = turn < f->last[s] ? turn : f->last[s];
    f->times[s]++;
    if (!json_to_real(value, &x))
        return;
    f->least = f->numbers == 0 || x < f->least ? x : f->least;
    f->greatest = f->numbers == 0 || x > f->greatest ? x : f->greatest;
    f->sum += x;
    f->numbers++;
}

static void test_values(struct values *v, const struct json *value)
{
    v->count = 1;
    v->listed[0] = false;
    v->list[0] = *value;
}

/* The values of the first (or last) event that has any. */
static void end_values(struct values *v, struct asked a, const struct segment_node *node,
                       const struct event **events, int count)
{
    v->count = 0;
    for (int i = 0; i < count && v->count == 0; i++)
        event_values(v, a, node, events[node->fold == SEGMENT_FIRST_VALUE ? i : count - 1 - i]);
    for (int i = 0; i < v->count; i++)
        v->listed[i] = v->count > 1;
}

static void pick_values(struct asked a, const struct segment_node *node, const struct folded *f,
                        const struct event **events, int count, struct values *v)
{
    static char text[TIME_TEXT_BYTES];
    struct json at = { .kind = JSON_STRING };
    int         best = 0;
    if (node->fold == SEGMENT_FIRST_VALUE || node->fold == SEGMENT_LAST_VALUE) {
        end_values(v, a, node, events, count);
    } else if (node->fold == SEGMENT_MOST_FREQUENT) {
        for (int s = 1; s < f->distinct; s++)
            if (f->times[s] > f->times[best] ||
                (f->times[s] == f->times[best] && f->last[s] < f->last[best]))
                best = s;
        if (f->distinct > 0)
            test_values(v, &f->seen[best]);
    } else if (count > 0) {
        at.string = str_of(
            time_write(events[node->fold == SEGMENT_FIRST_TIME ? 0 : count - 1]->at_ms, text));
        test_values(v, &at);
    }
}

static bool naive_pick(struct asked a, const struct segment_node *node, const struct folded *f,
                       const struct event **events, int count)
{
    struct values v = { .count = 0 };
    pick_values(a, node, f, events, count, &v);
    return naive_compare(a.w, a.now, &node->compare, &v);
}

static bool naive_gap(const struct segment_node *node, const struct event **events, int count,
                      double number)
{
    double days = 0;
    for (int i = 1; i < count; i++)
        days += (double)(events[i]->at_ms - events[i - 1]->at_ms);
    return count >= 2 && naive_number(node->test, days, number * 86400000.0 * (count - 1));
}

/* All events that match, oldest first, and their values folded; how many events. */
static int fold_all(struct asked a, const struct segment_node *node, const struct event **events,
                    struct folded *f)
{
    int count = matching(a, &node->match, events), turn = 0;
    f->sum = f->least = f->greatest = 0;
    f->numbers = f->values = f->distinct = 0;
    for (int i = count - 1; i >= 0; i--) {
        struct values v;
        event_values(&v, a, node, events[i]);
        f->values += v.count;
        bool counts = node->fold == SEGMENT_COUNT;
        for (int k = 0; k < v.count && !counts; k++)
            fold_value(f, &v.list[k], turn++);
    }
    return count;
}

static bool number_of(const struct segment_node *node, const struct folded *f,
                      const struct event **events, int count, double *out)
{
    double micro = rint(f->sum * 1e6);
    switch (node->fold) {
    case SEGMENT_COUNT:
        *out = node->property.len == 0 ? count : f->values;
        return true;
    case SEGMENT_DISTINCT:
        *out = f->distinct;
        return true;
    case SEGMENT_SUM:
        *out = micro / 1e6;
        return true;
    case SEGMENT_AVERAGE:
        *out = micro / 1e6 / f->numbers;
        return f->numbers > 0;
    case SEGMENT_LEAST:
        *out = f->least;
        return f->numbers > 0;
    case SEGMENT_GREATEST:
        *out = f->greatest;
        return f->numbers > 0;
    default:
        if (count > 1)
            *out = (double)(events[count - 1]->at_ms - events[0]->at_ms) / 86400000.0 / (count - 1);
        return count > 1;
    }
}

void naive_value_of(const struct world *w, int64_t now, const struct segment_node *node,
                    struct values *out)
{
    static struct folded f;
    struct asked         a = { w, now };
    const struct event  *events[EVENTS_MAX];
    int                  count = fold_all(a, node, events, &f);
    struct json          number = { .kind = JSON_REAL };
    out->count = 0;
    if (node->fold >= SEGMENT_FIRST_VALUE)
        pick_values(a, node, &f, events, count, out);
    else if (number_of(node, &f, events, count, &number.real))
        test_values(out, &number);
}

static bool naive_aggregate(struct asked a, const struct segment_node *node)
{
    static struct folded f;
    const struct event  *events[EVENTS_MAX];
    int                  count = fold_all(a, node, events, &f);
    double               number = 0;
    (void)json_to_real(&node->number, &number);
    switch (node->fold) {
    case SEGMENT_COUNT:
        return naive_number(node->test, node->property.len == 0 ? count : f.values, number);
    case SEGMENT_DISTINCT:
        return naive_number(node->test, f.distinct, number);
    case SEGMENT_GAP:
        return naive_gap(node, events, count, number);
    case SEGMENT_SUM:
        return naive_number(node->test, f.sum, number);
    case SEGMENT_AVERAGE:
        return f.numbers > 0 && naive_number(node->test, f.sum / f.numbers, number);
    case SEGMENT_LEAST:
        return f.numbers > 0 && naive_number(node->test, f.least, number);
    case SEGMENT_GREATEST:
        return f.numbers > 0 && naive_number(node->test, f.greatest, number);
    default:
        return naive_pick(a, node, &f, events, count);
    }
}

/* ---- sequences */

/* The value that all events of a sequence have in common; NULL for none. */
static const struct json *same_of(const struct event *e, struct str key)
{
    static struct values v;
    v.count = 0;
    naive_collect(&v, &e->properties, key, false);
    return v.count > 0 ? &v.list[0] : NULL;
}

static bool is_same(const struct segment_node *node, const struct event *a, const struct event *b)
{
    if (node->same.len == 0)
        return true;
    const struct json *value = same_of(a, node->same);
    if (value == NULL)
        return false;
    struct json kept = *value;
    value = same_of(b, node->same);
    return value != NULL && json_eq(&kept, value);
}

static bool naive_then(struct asked a, const struct segment_node *node)
{
    for (uint32_t i = 0; i < a.w->events_count; i++) {
        const struct event *first = &a.w->events[i];
        bool                answered = false;
        if (!is_counted(a, &node->match, first) || !is_same(node, first, first))
            continue;
        for (uint32_t k = 0; k < a.w->events_count; k++) {
            const struct event *b = &a.w->events[k];
            answered =
                answered || (is_match(a, &node->then, b) && naive_is_later(b, first) &&
                             b->at_ms - first->at_ms <= node->within_ms && is_same(node, first, b));
        }
        if (node->kind == SEGMENT_THEN ? answered
                                       : !answered && first->at_ms + node->within_ms <= a.now)
            return true;
    }
    return false;
}

/* How many steps a chain can take that has come to `last` at `step`: every way is tried. */
static uint32_t level_from(struct asked a, const struct segment_node *node,
                           const struct event *first, const struct event *last, uint32_t step)
{
    uint32_t best = step;
    for (uint32_t i = 0;
         i < a.w->events_count && step < node->steps_count && best < node->steps_count; i++) {
        const struct event *e = &a.w->events[i];
        if (!is_match(a, &node->steps[step], e) || !naive_is_later(e, last) ||
            e->at_ms - first->at_ms > node->within_ms || !is_same(node, first, e))
            continue;
        uint32_t level = level_from(a, node, first, e, step + 1);
        best = level > best ? level : best;
    }
    return best;
}

static bool naive_funnel(struct asked a, const struct segment_node *node)
{
    uint32_t best = 0;
    for (uint32_t i = 0; i < a.w->events_count; i++) {
        const struct event *e = &a.w->events[i];
        if (!is_match(a, &node->steps[0], e) || !is_same(node, e, e) ||
            !naive_is_in_window(a.w, a.now, &node->match.window, e->at_ms))
            continue;
        uint32_t level = level_from(a, node, e, e, 1);
        best = level > best ? level : best;
    }
    return best >= node->step && (node->not_step == 0 || best < node->not_step);
}

bool naive_deed(const struct world *w, int64_t now, const struct segment_node *node)
{
    struct asked a = { w, now };
    switch (node->kind) {
    case SEGMENT_DID:
        return naive_did(a, node);
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
        return naive_instant(a, node);
    case SEGMENT_AGGREGATE:
        return naive_aggregate(a, node);
    case SEGMENT_FUNNEL:
        return naive_funnel(a, node);
    default:
        return naive_then(a, node);
    }
}
