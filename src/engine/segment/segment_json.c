#include <stdio.h>
#include <string.h>

#include "engine/segment/segment.h"
#include "engine/segment/segment_words.h"

/*
 * Conditions as JSON. The member that names a condition says what it is ("did", "trait", "and");
 * the others qualify it; a member that belongs to none is refused, since a misspelt "wher" that
 * is ignored would silently ask another question.
 */

/* ---- reading */

/* The way from the root to a value, for telling where a mistake is. */
struct place {
    const struct place *above;
    const char         *member; /* NULL: an index */
    uint32_t            index;
};

struct reader {
    struct arena   *arena;
    struct problem *problem;
    uint32_t        nodes, depth;
    bool            in_where;
};

static void place_write(struct buf *out, const struct place *place)
{
    if (place == NULL)
        return;
    place_write(out, place->above);
    if (place->member == NULL)
        buf_format(out, "[%u]", place->index);
    else
        buf_format(out, "%s%s", out->len > 0 ? "." : "", place->member);
}

static enum err fail(const struct reader *r, const struct place *place, enum err code,
                     const char *what, const char *remedy)
{
    SCOPED(buf_donep) struct buf path = buf_make(4096);
    char                         where[sizeof r->problem->where];
    place_write(&path, place);
    str_to_cstr(path.len == 0 ? STR("condition") : buf_view(&path), where, sizeof where);
    return problem_set(r->problem, code, where, what, remedy);
}

static enum err refuse(const struct reader *r, const struct place *place,
                       struct segment_fault fault)
{
    return fault.what == NULL ? OK : fail(r, place, ERR_INPUT, fault.what, fault.remedy);
}

static struct place under(const struct place *above, const char *member)
{
    return (struct place){ .above = above, .member = member };
}

static const struct json *get(const struct json *object, const char *member)
{
    return json_get(object, str_of(member));
}

static enum err read_text(struct reader *r, const struct json *object, const char *member,
                          const struct place *at, struct str *out)
{
    const struct json *value = get(object, member);
    struct place       here = under(at, member);
    if (value == NULL || value->kind != JSON_STRING)
        return fail(r, &here, ERR_INPUT, "a text is wanted here", "Write a JSON string.");
    *out = str_copy(r->arena, value->string);
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err read_name(struct reader *r, const struct json *object, const char *member,
                          const struct place *at, struct str *out)
{
    struct place here = under(at, member);
    TRY(read_text(r, object, member, at, out));
    return refuse(r, &here, segment_name_fault(*out));
}

static enum err read_date(struct reader *r, const struct json *value, const struct place *at,
                          int64_t *out_ms)
{
    if (value == NULL || value->kind != JSON_STRING || time_parse(value->string, out_ms) != OK)
        return fail(r, at, ERR_INPUT, "a date is wanted here",
                    "Write a text such as \"2026-01-31\" or \"2026-01-31T12:00:00Z\".");
    return OK;
}

static enum err read_length(struct reader *r, const struct json *object, const char *member,
                            const struct place *at, int64_t *out_ms)
{
    const struct json *value = get(object, member);
    struct place       here = under(at, member);
    if (value == NULL || value->kind != JSON_STRING ||
        time_length_parse(value->string, out_ms) != OK)
        return fail(r, &here, ERR_INPUT, "a length of time is wanted here",
                    "Write a text such as \"30 days\" or \"1 hour\".");
    return refuse(r, &here, segment_length_fault(*out_ms));
}

/* `allowed` is a list of members with a space before and after each. */
static enum err only(const struct reader *r, const struct json *object, const struct place *at,
                     const char *allowed)
{
    for (uint32_t i = 0; i < object->count; i++) {
        char         member[64], spaced[68];
        struct place here = under(at, str_to_cstr(object->members[i].key, member, sizeof member));
        snprintf(spaced, sizeof spaced, " %s ", member);
        if (object->members[i].key.len < sizeof member && strchr(member, ' ') == NULL &&
            strstr(allowed, spaced) != NULL)
            continue;
        char remedy[240];
        snprintf(remedy, sizeof remedy, "Remove it, or use one of:%s", allowed);
        return fail(r, &here, ERR_INPUT, "this member has no meaning here", remedy);
    }
    return OK;
}

static enum err read_node(struct reader *r, const struct json *value, const struct place *at,
                          const struct segment_node **out);

/* ---- comparisons */

static enum err read_literal(struct reader *r, const struct json *value, const struct place *at,
                             struct segment_literal *out)
{
    switch (value->kind) {
    case JSON_STRING:
        *out = (struct segment_literal){ SEGMENT_TEXT, { .kind = JSON_STRING } };
        out->value.string = str_copy(r->arena, value->string);
        return out->value.string.ptr == NULL ? ERR_MEMORY : OK;
    case JSON_INT:
    case JSON_REAL:
        *out = (struct segment_literal){ SEGMENT_NUMBER, segment_number(*value) };
        return OK;
    case JSON_BOOL:
        *out = (struct segment_literal){ SEGMENT_TRUTH, *value };
        return OK;
    case JSON_OBJECT:
        TRY(only(r, value, at, " date "));
        struct place here = under(at, "date");
        *out = (struct segment_literal){ SEGMENT_DATE, { .kind = JSON_INT } };
        return read_date(r, get(value, "date"), &here, &out->value.integer);
    default:
        return fail(r, at, ERR_INPUT, "a value is wanted here",
                    "Write a text, a number, true, false or {\"date\":\"2026-01-31\"}.");
    }
}

static enum err read_values(struct reader *r, const struct json *values, const struct place *at,
                            struct segment_compare *c)
{
    bool is_range = c->test == SEGMENT_BETWEEN_VALUES;
    if (values == NULL || values->kind != JSON_ARRAY || values->count == 0 ||
        (is_range && values->count != 2))
        return fail(r, at, ERR_INPUT, is_range ? "two values are wanted" : "values are wanted",
                    "Write an array such as [1, 10].");
    if (values->count > SEGMENT_VALUES_MAX)
        return fail(r, at, ERR_LIMIT, "there are more than 1000 values",
                    "Import the people as a list and ask with: in list \"...\".");
    struct segment_literal *list = ARENA_ARRAY(r->arena, values->count, struct segment_literal);
    if (list == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < values->count; i++) {
        struct place here = { .above = at, .index = i };
        TRY(read_literal(r, &values->items[i], &here, &list[i]));
    }
    c->values = list;
    c->values_count = values->count;
    return OK;
}

static enum err read_value(struct reader *r, const struct json *object, const struct place *at,
                           struct segment_compare *c)
{
    struct place            here = under(at, "value");
    const struct json      *value = get(object, "value");
    struct segment_literal *literal = ARENA_NEW(r->arena, struct segment_literal);
    if (literal == NULL)
        return ERR_MEMORY;
    if (value == NULL)
        return fail(r, &here, ERR_INPUT, "the value is missing", "Add \"value\".");
    c->values = literal;
    c->values_count = 1;
    return read_literal(r, value, &here, literal);
}

static enum err read_which(struct reader *r, const struct json *object, const struct place *at,
                           enum segment_which *out)
{
    const struct json *which = get(object, "which");
    struct place       here = under(at, "which");
    if (which == NULL)
        return OK;
    if (which->kind == JSON_STRING && str_eq(which->string, STR("any")))
        *out = SEGMENT_ANY;
    else if (which->kind == JSON_STRING && str_eq(which->string, STR("all")))
        *out = SEGMENT_ALL;
    else
        return fail(r, &here, ERR_INPUT, "this is neither any nor all",
                    "Write \"any\" or \"all\".");
    return OK;
}

static enum err read_op(struct reader *r, const struct json *object, const struct place *at,
                        enum segment_test *out)
{
    struct place here = under(at, "op");
    struct str   word;
    TRY(read_text(r, object, "op", at, &word));
    if (!segment_test_of(word, out))
        return fail(r, &here, ERR_INPUT, "this is no comparison",
                    "Use = != > >= < <= in, not in, contains, starts with, ends with, between, "
                    "exists or does not exist.");
    return OK;
}

static enum err read_compare(struct reader *r, const struct json *object, const struct place *at,
                             struct segment_node *node)
{
    struct segment_compare *c = &node->compare;
    const char             *key = r->in_where ? "property" : "trait";
    struct place            op = under(at, "op"), values = under(at, "values");

    node->kind = SEGMENT_COMPARE;
    TRY(read_name(r, object, key, at, &c->key));
    TRY(read_which(r, object, at, &c->which));
    TRY(read_op(r, object, at, &c->test));
    if (c->test == SEGMENT_EXISTS || c->test == SEGMENT_NOT_EXISTS) {
        TRY(only(r, object, at, r->in_where ? " property which op " : " trait which op "));
    } else if (c->test == SEGMENT_IN || c->test == SEGMENT_NOT_IN ||
               c->test == SEGMENT_BETWEEN_VALUES) {
        TRY(only(r, object, at,
                 r->in_where ? " property which op values " : " trait which op values "));
        TRY(read_values(r, get(object, "values"), &values, c));
    } else {
        TRY(only(r, object, at,
                 r->in_where ? " property which op value " : " trait which op value "));
        TRY(read_value(r, object, at, c));
    }
    return refuse(r, &op, segment_compare_fault(c));
}

/* ---- behaviour */

#define WINDOW_MEMBERS " in_the_last not_in_the_last since since_entry before between "

static enum err read_between(struct reader *r, const struct json *range, const struct place *at,
                             struct segment_window *w)
{
    struct place from = { .above = at, .index = 0 }, to = { .above = at, .index = 1 };
    if (range->kind != JSON_ARRAY || range->count != 2)
        return fail(r, at, ERR_INPUT, "two dates are wanted here",
                    "Write [\"2026-01-01\", \"2026-01-31\"].");
    TRY(read_date(r, &range->items[0], &from, &w->from_ms));
    TRY(read_date(r, &range->items[1], &to, &w->to_ms));
    return refuse(r, at, segment_window_fault(w));
}

static enum err read_window(struct reader *r, const struct json *object, const struct place *at,
                            struct segment_window *w)
{
    static const struct {
        const char              *member;
        enum segment_window_kind kind;
    } windows[] = {
        { "in_the_last", SEGMENT_LAST }, { "not_in_the_last", SEGMENT_NOT_LAST },
        { "since", SEGMENT_SINCE },      { "since_entry", SEGMENT_SINCE_ENTRY },
        { "before", SEGMENT_BEFORE },    { "between", SEGMENT_BETWEEN },
    };
    const struct json *value = NULL;
    struct place       here = { .above = at };
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        const struct json *found = get(object, windows[i].member);
        if (found == NULL)
            continue;
        here.member = windows[i].member;
        if (value != NULL)
            return fail(r, &here, ERR_INPUT, "there is a second window of time", "Leave one out.");
        value = found;
        w->kind = windows[i].kind;
    }
    switch (w->kind) {
    case SEGMENT_LAST:
    case SEGMENT_NOT_LAST:
        return read_length(r, object, here.member, at, &w->length_ms);
    case SEGMENT_SINCE:
        return read_date(r, value, &here, &w->from_ms);
    case SEGMENT_BEFORE:
        return read_date(r, value, &here, &w->to_ms);
    case SEGMENT_BETWEEN:
        return read_between(r, value, &here, w);
    case SEGMENT_SINCE_ENTRY:
        if (value->kind != JSON_BOOL || !value->truth)
            return fail(r, &here, ERR_INPUT, "true is wanted here", "Write true, or leave it out.");
        return OK;
    case SEGMENT_EVER:
        return OK;
    default:
        break; /* not there yet */
    }
    return OK;
}

static enum err read_where(struct reader *r, const struct json *object, const char *member,
                           const struct place *at, const struct segment_node **out)
{
    const struct json *value = get(object, member);
    struct place       here = under(at, member);
    if (value == NULL)
        return OK;
    r->in_where = true;
    enum err err = read_node(r, value, &here, out);
    r->in_where = false;
    return err;
}

static enum err read_match(struct reader *r, const struct json *object, const char *event,
                           const struct place *at, struct segment_match *match)
{
    TRY(read_name(r, object, event, at, &match->event));
    TRY(read_window(r, object, at, &match->window));
    return read_where(r, object, "where", at, &match->where);
}

static enum err read_then(struct reader *r, const struct json *object, const struct place *at,
                          struct segment_node *node)
{
    bool no = get(object, "then_no") != NULL;
    node->kind = no ? SEGMENT_THEN_NOT : SEGMENT_THEN;
    TRY(only(r, object, at,
             no ? " did then_no then_where within where" WINDOW_MEMBERS
                : " did then then_where within where" WINDOW_MEMBERS));
    TRY(read_match(r, object, "did", at, &node->match));
    TRY(read_name(r, object, no ? "then_no" : "then", at, &node->then.event));
    TRY(read_where(r, object, "then_where", at, &node->then.where));
    return read_length(r, object, "within", at, &node->within_ms);
}

static enum err read_times(struct reader *r, const struct json *object, const struct place *at,
                           struct segment_node *node)
{
    static const char *const members[] = { "at_least", "at_most", "exactly" };
    bool                     seen = false;
    node->times = SEGMENT_TIMES_AT_LEAST;
    node->times_count = 1;
    for (int i = 0; i < 3; i++) {
        const struct json *value = get(object, members[i]);
        struct place       here = under(at, members[i]);
        if (value == NULL)
            continue;
        if (seen)
            return fail(r, &here, ERR_INPUT, "there is a second number of times", "Leave one out.");
        if (value->kind != JSON_INT)
            return fail(r, &here, ERR_INPUT, "a whole number is wanted here",
                        "Write for example 3.");
        TRY(refuse(r, &here, segment_times_fault(value->integer)));
        seen = true;
        node->times = (enum segment_times)i;
        node->times_count = (uint32_t)value->integer;
    }
    return OK;
}

static enum err read_did(struct reader *r, const struct json *object, const struct place *at,
                         struct segment_node *node)
{
    if (get(object, "then") != NULL || get(object, "then_no") != NULL)
        return read_then(r, object, at, node);
    node->kind = SEGMENT_DID;
    TRY(only(r, object, at, " did at_least at_most exactly where" WINDOW_MEMBERS));
    TRY(read_times(r, object, at, node));
    return read_match(r, object, "did", at, &node->match);
}

static enum err read_first_or_last(struct reader *r, const struct json *object,
                                   const struct place *at, struct segment_node *node)
{
    bool first = get(object, "first_did") != NULL;
    node->kind = first ? SEGMENT_FIRST_DID : SEGMENT_LAST_DID;
    TRY(only(r, object, at,
             first ? " first_did where" WINDOW_MEMBERS : " last_did where" WINDOW_MEMBERS));
    return read_match(r, object, first ? "first_did" : "last_did", at, &node->match);
}

static enum err read_aggregate(struct reader *r, const struct json *object, const struct place *at,
                               struct segment_node *node)
{
    const char        *member = segment_fold_word(node->fold);
    const struct json *number = get(object, "value");
    struct place       op = under(at, "op"), value = under(at, "value");
    char               allowed[160];

    node->kind = SEGMENT_AGGREGATE;
    snprintf(allowed, sizeof allowed, " %s of op value where" WINDOW_MEMBERS, member);
    TRY(only(r, object, at, allowed));
    TRY(read_name(r, object, member, at, &node->property));
    TRY(read_match(r, object, "of", at, &node->match));
    TRY(read_op(r, object, at, &node->test));
    if (!segment_test_is_order(node->test))
        return fail(r, &op, ERR_INPUT, "numbers are not compared like this",
                    "Use one of = != > >= < <=.");
    if (number == NULL || (number->kind != JSON_INT && number->kind != JSON_REAL))
        return fail(r, &value, ERR_INPUT, "a number is wanted here", "Write for example 100.");
    node->number = segment_number(*number);
    return refuse(r, &value, segment_aggregate_fault(node->fold, &node->number));
}

/* ---- the tree */

static enum err read_share(struct reader *r, const struct json *object, const struct place *at,
                           struct segment_node *node)
{
    struct place here = under(at, "share");
    node->kind = SEGMENT_SHARE;
    TRY(only(r, object, at, " share seed "));
    if (!json_get_real(object, STR("share"), &node->percent))
        return fail(r, &here, ERR_INPUT, "a number is wanted here", "Write for example 20.");
    TRY(refuse(r, &here, segment_share_fault(node->percent)));
    return read_name(r, object, "seed", at, &node->name);
}

static enum err read_everyone(struct reader *r, const struct json *object, const struct place *at,
                              struct segment_node *node)
{
    const struct json *value = get(object, "everyone");
    node->kind = SEGMENT_EVERYONE;
    TRY(only(r, object, at, " everyone "));
    if (value->kind != JSON_BOOL || !value->truth)
        return fail(r, at, ERR_INPUT, "everyone is true or left out", "Write {\"everyone\":true}.");
    return OK;
}

static enum err read_member(struct reader *r, const struct json *object, const struct place *at,
                            struct segment_node *node)
{
    bool list = get(object, "in_list") != NULL;
    node->kind = list ? SEGMENT_IN_LIST : SEGMENT_IN_SEGMENT;
    TRY(only(r, object, at, list ? " in_list " : " in_segment "));
    return read_name(r, object, list ? "in_list" : "in_segment", at, &node->name);
}

static enum err read_group(struct reader *r, const struct json *object, const struct place *at,
                           struct segment_node *node)
{
    bool and = get(object, "and") != NULL;
    const struct json *parts = get(object, and? "and" : "or");
    struct place       here = under(at, and? "and" : "or");

    node->kind = and? SEGMENT_AND : SEGMENT_OR;
    TRY(only(r, object, at, and? " and " : " or "));
    if (parts->kind != JSON_ARRAY || parts->count < 2)
        return fail(r, &here, ERR_INPUT, "two or more conditions are wanted here",
                    "Write an array of conditions.");
    const struct segment_node **list =
        ARENA_ARRAY(r->arena, parts->count, const struct segment_node *);
    if (list == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < parts->count; i++) {
        struct place part = { .above = &here, .index = i };
        TRY(read_node(r, &parts->items[i], &part, &list[i]));
    }
    node->parts = list;
    node->parts_count = parts->count;
    return OK;
}

static enum err read_not(struct reader *r, const struct json *object, const struct place *at,
                         struct segment_node *node)
{
    struct place                here = under(at, "not");
    const struct segment_node **part = ARENA_ARRAY(r->arena, 1, const struct segment_node *);
    if (part == NULL)
        return ERR_MEMORY;
    node->kind = SEGMENT_NOT;
    TRY(only(r, object, at, " not "));
    TRY(read_node(r, get(object, "not"), &here, part));
    node->parts = part;
    node->parts_count = 1;
    return OK;
}

typedef enum err read_kind(struct reader *r, const struct json *object, const struct place *at,
                           struct segment_node *node);

static const struct kind {
    const char *member;
    read_kind  *read;
    bool        everywhere; /* also in a where */
} kinds[] = {
    { "and", read_group, true },
    { "or", read_group, true },
    { "not", read_not, true },
    { "trait", read_compare, false },
    { "property", read_compare, true },
    { "did", read_did, false },
    { "first_did", read_first_or_last, false },
    { "last_did", read_first_or_last, false },
    { "sum", read_aggregate, false },
    { "average", read_aggregate, false },
    { "least", read_aggregate, false },
    { "greatest", read_aggregate, false },
    { "distinct", read_aggregate, false },
    { "in_segment", read_member, false },
    { "in_list", read_member, false },
    { "share", read_share, false },
    { "everyone", read_everyone, false },
};

static const struct kind *kind_find(const struct reader *r, const struct json *object)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bool is_property = kinds[i].read == read_compare && kinds[i].everywhere;
        if (get(object, kinds[i].member) != NULL &&
            (r->in_where ? kinds[i].everywhere : !is_property))
            return &kinds[i];
    }
    return NULL;
}

static enum err read_object(struct reader *r, const struct json *object, const struct place *at,
                            const struct segment_node **out)
{
    const struct kind *kind = object->kind == JSON_OBJECT ? kind_find(r, object) : NULL;
    if (kind == NULL)
        return fail(r, at, ERR_INPUT, "this is no condition",
                    r->in_where ? "Use an object with property, and, or or not."
                                : "Use an object with trait, did, last_did, first_did, sum, "
                                  "average, least, greatest, distinct, in_segment, in_list, share, "
                                  "everyone, and, or or not.");
    struct segment_node *node = ARENA_NEW(r->arena, struct segment_node);
    if (node == NULL)
        return ERR_MEMORY;
    if (r->nodes++ == SEGMENT_NODES_MAX)
        return fail(r, at, ERR_LIMIT, "there are more than 1000 conditions",
                    "Split this into segments and ask with in_segment.");
    (void)segment_fold_of(str_of(kind->member), &node->fold);
    TRY(kind->read(r, object, at, node));
    *out = node;
    return OK;
}

static enum err read_node(struct reader *r, const struct json *value, const struct place *at,
                          const struct segment_node **out)
{
    if (r->depth == SEGMENT_DEPTH_MAX)
        return fail(r, at, ERR_LIMIT, "groups lie more than 24 deep",
                    "Split this into segments and ask with in_segment.");
    r->depth++;
    enum err err = read_object(r, value, at, out);
    r->depth--;
    return err;
}

enum err segment_parse_json(struct arena *arena, const struct json *value,
                            const struct segment_node **out, struct problem *problem)
{
    struct reader              r = { .arena = arena, .problem = problem };
    const struct segment_node *node;
    TRY(read_node(&r, value, NULL, &node));
    TRY(segment_bounds(node, problem, "condition"));
    *out = node;
    return OK;
}

/* ---- writing */

static void write_node(struct buf *out, const struct segment_node *node, bool in_where);

static void write_text(struct buf *out, bool *first, const char *member, struct str text)
{
    json_write_key(out, first, member);
    json_write_str(out, text);
}

static void write_date(struct buf *out, int64_t at_ms)
{
    buf_char(out, '"');
    segment_write_date(out, at_ms);
    buf_char(out, '"');
}

static void write_length(struct buf *out, bool *first, const char *member, int64_t length_ms)
{
    json_write_key(out, first, member);
    buf_char(out, '"');
    segment_write_length(out, length_ms);
    buf_char(out, '"');
}

static void write_literal(struct buf *out, const struct segment_literal *literal)
{
    if (literal->kind != SEGMENT_DATE) {
        json_write(out, &literal->value);
        return;
    }
    buf_str(out, STR("{\"date\":"));
    write_date(out, literal->value.integer);
    buf_char(out, '}');
}

static void write_compare(struct buf *out, const struct segment_compare *c, bool in_where)
{
    bool first = true, many = c->test == SEGMENT_IN || c->test == SEGMENT_NOT_IN ||
                              c->test == SEGMENT_BETWEEN_VALUES;
    write_text(out, &first, in_where ? "property" : "trait", c->key);
    if (c->which != SEGMENT_PLAIN)
        write_text(out, &first, "which", c->which == SEGMENT_ANY ? STR("any") : STR("all"));
    write_text(out, &first, "op", str_of(segment_test_word(c->test)));
    if (c->values_count == 0)
        return;
    json_write_key(out, &first, many ? "values" : "value");
    if (many)
        buf_char(out, '[');
    for (uint32_t i = 0; i < c->values_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        write_literal(out, &c->values[i]);
    }
    if (many)
        buf_char(out, ']');
}

static void write_window(struct buf *out, bool *first, const struct segment_window *w)
{
    switch (w->kind) {
    case SEGMENT_EVER:
        return;
    case SEGMENT_LAST:
        write_length(out, first, "in_the_last", w->length_ms);
        return;
    case SEGMENT_NOT_LAST:
        write_length(out, first, "not_in_the_last", w->length_ms);
        return;
    case SEGMENT_SINCE:
        json_write_key(out, first, "since");
        write_date(out, w->from_ms);
        return;
    case SEGMENT_BEFORE:
        json_write_key(out, first, "before");
        write_date(out, w->to_ms);
        return;
    case SEGMENT_BETWEEN:
        json_write_key(out, first, "between");
        buf_char(out, '[');
        write_date(out, w->from_ms);
        buf_char(out, ',');
        write_date(out, w->to_ms);
        buf_char(out, ']');
        return;
    case SEGMENT_SINCE_ENTRY:
        json_write_key(out, first, "since_entry");
        buf_str(out, STR("true"));
        return;
    default:
        break; /* not there yet */
    }
}

static void write_where(struct buf *out, bool *first, const char *member,
                        const struct segment_node *where)
{
    if (where == NULL)
        return;
    json_write_key(out, first, member);
    write_node(out, where, true);
}

static void write_match(struct buf *out, bool *first, const char *member,
                        const struct segment_match *match)
{
    write_text(out, first, member, match->event);
    write_window(out, first, &match->window);
    write_where(out, first, "where", match->where);
}

static void write_did(struct buf *out, const struct segment_node *node)
{
    static const char *const times[] = { "at_least", "at_most", "exactly" };
    bool                     first = true;
    write_match(out, &first, "did", &node->match);
    if (node->times == SEGMENT_TIMES_AT_LEAST && node->times_count == 1)
        return;
    json_write_key(out, &first, times[node->times]);
    buf_int(out, node->times_count);
}

static void write_aggregate(struct buf *out, const struct segment_node *node)
{
    bool first = true;
    write_text(out, &first, segment_fold_word(node->fold), node->property);
    write_match(out, &first, "of", &node->match);
    write_text(out, &first, "op", str_of(segment_test_word(node->test)));
    json_write_key(out, &first, "value");
    json_write(out, &node->number);
}

static void write_then(struct buf *out, const struct segment_node *node)
{
    bool first = true;
    write_match(out, &first, "did", &node->match);
    write_text(out, &first, node->kind == SEGMENT_THEN ? "then" : "then_no", node->then.event);
    write_where(out, &first, "then_where", node->then.where);
    write_length(out, &first, "within", node->within_ms);
}

static void write_group(struct buf *out, const struct segment_node *node, bool in_where)
{
    bool first = true;
    json_write_key(out, &first, node->kind == SEGMENT_AND ? "and" : "or");
    for (uint32_t i = 0; i < node->parts_count; i++) {
        buf_char(out, i == 0 ? '[' : ',');
        write_node(out, node->parts[i], in_where);
    }
    buf_char(out, ']');
}

static void write_share(struct buf *out, const struct segment_node *node)
{
    struct json percent = segment_number((struct json){ .kind = JSON_REAL, .real = node->percent });
    bool        first = true;
    json_write_key(out, &first, "share");
    json_write(out, &percent);
    write_text(out, &first, "seed", node->name);
}

static void write_members(struct buf *out, const struct segment_node *node, bool in_where)
{
    bool first = true;
    switch (node->kind) {
    case SEGMENT_EVERYONE:
        buf_str(out, STR("\"everyone\":true"));
        return;
    case SEGMENT_AND:
    case SEGMENT_OR:
        write_group(out, node, in_where);
        return;
    case SEGMENT_NOT:
        json_write_key(out, &first, "not");
        write_node(out, node->parts[0], in_where);
        return;
    case SEGMENT_COMPARE:
        write_compare(out, &node->compare, in_where);
        return;
    case SEGMENT_DID:
        write_did(out, node);
        return;
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
        write_match(out, &first, node->kind == SEGMENT_FIRST_DID ? "first_did" : "last_did",
                    &node->match);
        return;
    case SEGMENT_AGGREGATE:
        write_aggregate(out, node);
        return;
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        write_then(out, node);
        return;
    case SEGMENT_IN_SEGMENT:
    case SEGMENT_IN_LIST:
        write_text(out, &first, node->kind == SEGMENT_IN_LIST ? "in_list" : "in_segment",
                   node->name);
        return;
    case SEGMENT_SHARE:
        write_share(out, node);
        return;
    default:
        break; /* not there yet */
    }
}

static void write_node(struct buf *out, const struct segment_node *node, bool in_where)
{
    buf_char(out, '{');
    write_members(out, node, in_where);
    buf_char(out, '}');
}

void segment_write_json(struct buf *out, const struct segment_node *node)
{
    write_node(out, node, false);
}
