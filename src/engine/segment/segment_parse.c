#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "engine/segment/segment.h"
#include "engine/segment/segment_lex.h"
#include "engine/segment/segment_words.h"

/*
 * Recursive descent, one token ahead. `lexer` stands behind `token`, so that saving both is
 * enough to look further ("and then").
 */
struct parser {
    struct arena        *arena;
    struct segment_lexer lexer;
    struct segment_token token;
    struct problem      *problem;
    uint32_t             nodes, depth;
    bool                 in_where;
};

#define WHAT_FOUND_BYTES 60

static enum err fail(const struct parser *p, const struct segment_token *at, enum err code,
                     const char *what, const char *remedy)
{
    char where[32];
    snprintf(where, sizeof where, "%u:%u", at->line, at->column);
    return problem_set(p->problem, code, where, what, remedy);
}

/* "expected <what>, found <token>" at the present token. */
static enum err expected(const struct parser *p, const char *what, const char *remedy)
{
    char       text[200], found[WHAT_FOUND_BYTES];
    struct str source = str_slice(p->lexer.source, p->token.from, p->token.to);

    /* Cut between characters. */
    if (source.len >= sizeof found) {
        source.len = sizeof found - 1;
        while (source.len > 0 && ((unsigned char)source.ptr[source.len] & 0xC0) == 0x80)
            source.len--;
    }
    if (p->token.kind == TOKEN_END)
        snprintf(text, sizeof text, "expected %s, found the end", what);
    else
        snprintf(text, sizeof text, "expected %s, found %s", what,
                 str_to_cstr(source, found, sizeof found));
    return fail(p, &p->token, ERR_INPUT, text, remedy);
}

static enum err advance(struct parser *p)
{
    return segment_lex(&p->lexer, &p->token);
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_WORD && str_eq_nocase(p->token.text, str_of(word));
}

static bool is_sign(const struct parser *p, const char *sign)
{
    return p->token.kind == TOKEN_SIGN && str_eq(p->token.text, str_of(sign));
}

static enum err want_word(struct parser *p, const char *word, const char *remedy)
{
    if (!is_word(p, word))
        return expected(p, word, remedy);
    return advance(p);
}

static enum err want_sign(struct parser *p, const char *sign, const char *remedy)
{
    if (!is_sign(p, sign))
        return expected(p, sign, remedy);
    return advance(p);
}

static enum err refuse(const struct parser *p, const struct segment_token *at,
                       struct segment_fault fault)
{
    return fault.what == NULL ? OK : fail(p, at, ERR_INPUT, fault.what, fault.remedy);
}

/* The word after the present one, without going there. False also when it cannot be read. */
static bool next_is_word(const struct parser *p, const char *word)
{
    struct parser ahead = *p;
    ahead.lexer.problem = NULL;
    return advance(&ahead) == OK && is_word(&ahead, word);
}

static enum err node_new(struct parser *p, enum segment_kind kind, struct segment_node **out)
{
    if (p->nodes == SEGMENT_NODES_MAX)
        return fail(p, &p->token, ERR_LIMIT, "there are more than 1000 conditions",
                    "Split this into segments and ask with: in segment \"...\".");
    struct segment_node *node = ARENA_NEW(p->arena, struct segment_node);
    if (node == NULL)
        return ERR_MEMORY;
    node->kind = kind;
    node->line = p->token.line;
    node->column = p->token.column;
    p->nodes++;
    *out = node;
    return OK;
}

/* ---- small pieces */

static enum err quoted_name(struct parser *p, const char *what, const char *remedy, struct str *out)
{
    if (p->token.kind != TOKEN_TEXT)
        return expected(p, what, remedy);
    TRY(refuse(p, &p->token, segment_name_fault(p->token.text)));
    *out = p->token.text;
    return advance(p);
}

/* A trait or property: a plain name, or one in quotes after its word. */
static enum err key_name(struct parser *p, struct str *out)
{
    if (is_word(p, "trait") || is_word(p, "property")) {
        TRY(advance(p));
        return quoted_name(p, "a name in quotes", "Write for example: trait \"first name\".", out);
    }
    if (p->token.kind != TOKEN_WORD)
        return expected(p, "a name", "Write a name such as country, or trait \"first name\".");
    if (segment_is_keyword(p->token.text))
        return expected(p, "a name", "Put a name that is a keyword in quotes: trait \"last\".");
    TRY(refuse(p, &p->token, segment_name_fault(p->token.text)));
    *out = p->token.text;
    return advance(p);
}

#define LENGTH_REMEDY "Write a length of time such as 30 days, 1 hour or 15m."

static enum err length_of_time(struct parser *p, int64_t *out_ms)
{
    struct segment_token first = p->token;
    if (first.kind != TOKEN_NUMBER)
        return expected(p, "a length of time", LENGTH_REMEDY);
    TRY(advance(p));
    if (p->token.kind != TOKEN_WORD)
        return expected(p, "a unit of time", LENGTH_REMEDY);
    /* Number and unit by themselves: between them there may be anything that is space. */
    char       text[64];
    struct str number = str_slice(p->lexer.source, first.from, first.to);
    snprintf(text, sizeof text, "%.*s %.*s", STR_ARG(str_slice(number, 0, 24)),
             STR_ARG(str_slice(p->token.text, 0, 24)));
    if (time_length_parse(str_of(text), out_ms) != OK)
        return fail(p, &first, ERR_INPUT, "this is no length of time", LENGTH_REMEDY);
    TRY(refuse(p, &first, segment_length_fault(*out_ms)));
    return advance(p);
}

static enum err date(struct parser *p, int64_t *out_ms)
{
    if (p->token.kind != TOKEN_DATE)
        return expected(p, "a date", "Write a date without quotes, such as 2026-01-31.");
    *out_ms = p->token.at_ms;
    return advance(p);
}

/* ---- comparisons */

/* Written small only: country = NO is a country without its quotes, and must not mean "no". */
static bool is_truth(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_WORD && str_eq(p->token.text, str_of(word));
}

static enum err literal(struct parser *p, struct segment_literal *out)
{
    const struct segment_token *t = &p->token;
    bool                        yes = is_truth(p, "yes") || is_truth(p, "true");

    if (t->kind == TOKEN_TEXT)
        *out = (struct segment_literal){ SEGMENT_TEXT, { .kind = JSON_STRING, .string = t->text } };
    else if (t->kind == TOKEN_NUMBER)
        *out = (struct segment_literal){ SEGMENT_NUMBER, segment_number(t->number) };
    else if (t->kind == TOKEN_DATE)
        *out = (struct segment_literal){ SEGMENT_DATE, { .kind = JSON_INT, .integer = t->at_ms } };
    else if (yes || is_truth(p, "no") || is_truth(p, "false"))
        *out = (struct segment_literal){ SEGMENT_TRUTH, { .kind = JSON_BOOL, .truth = yes } };
    else
        return expected(p, "a value", "Write a text in quotes, a number, a date, yes or no.");
    return advance(p);
}

static enum err values_room(struct parser *p, struct segment_compare *c, uint32_t room)
{
    struct segment_literal *values = ARENA_ARRAY(p->arena, room, struct segment_literal);
    if (values == NULL)
        return ERR_MEMORY;
    if (c->values_count > 0)
        memcpy(values, c->values, c->values_count * sizeof values[0]);
    c->values = values;
    return OK;
}

/* There is room for one more: whoever calls has asked for it. */
static enum err value_add(struct parser *p, struct segment_compare *c)
{
    struct segment_literal *values = (struct segment_literal *)c->values;
    TRY(literal(p, &values[c->values_count]));
    c->values_count++;
    return OK;
}

static enum err list_of_values(struct parser *p, struct segment_compare *c)
{
    uint32_t room = 8;
    TRY(want_sign(p, "(", "Write for example: in (\"NO\", \"SE\")."));
    TRY(values_room(p, c, room));
    TRY(value_add(p, c));
    while (is_sign(p, ",")) {
        if (c->values_count == SEGMENT_VALUES_MAX)
            return fail(p, &p->token, ERR_LIMIT, "there are more than 1000 values",
                        "Import the people as a list and ask with: in list \"...\".");
        TRY(advance(p));
        if (c->values_count == room) {
            room *= 2;
            TRY(values_room(p, c, room));
        }
        TRY(value_add(p, c));
    }
    return want_sign(p, ")", "Separate the values by commas and close the bracket.");
}

#define TEST_REMEDY "Write = != > >= < <= in, contains, starts with, ends with, between or exists."

static enum err test_of_words(struct parser *p, enum segment_test *out)
{
    if (is_word(p, "does")) {
        *out = SEGMENT_NOT_EXISTS;
        TRY(advance(p));
        TRY(want_word(p, "not", "Write: does not exist."));
        return want_word(p, "exist", "Write: does not exist.");
    }
    if (is_word(p, "not")) {
        *out = SEGMENT_NOT_IN;
        TRY(advance(p));
        return want_word(p, "in", "Write: not in (\"NO\", \"SE\").");
    }
    if (is_word(p, "starts") || is_word(p, "ends")) {
        *out = is_word(p, "starts") ? SEGMENT_STARTS : SEGMENT_ENDS;
        TRY(advance(p));
        return want_word(p, "with", "Write: starts with \"...\" or ends with \"...\".");
    }
    if (is_word(p, "in"))
        *out = SEGMENT_IN;
    else if (is_word(p, "contains"))
        *out = SEGMENT_CONTAINS;
    else if (is_word(p, "between"))
        *out = SEGMENT_BETWEEN_VALUES;
    else if (is_word(p, "exists"))
        *out = SEGMENT_EXISTS;
    else
        return expected(p, "a comparison", TEST_REMEDY);
    return advance(p);
}

static enum err test(struct parser *p, enum segment_test *out)
{
    if (p->token.kind != TOKEN_SIGN)
        return test_of_words(p, out);
    if (!segment_test_of(p->token.text, out))
        return expected(p, "a comparison", TEST_REMEDY);
    return advance(p);
}

static enum err values_of_test(struct parser *p, struct segment_compare *c)
{
    switch (c->test) {
    case SEGMENT_EXISTS:
    case SEGMENT_NOT_EXISTS:
        return OK;
    case SEGMENT_IN:
    case SEGMENT_NOT_IN:
        return list_of_values(p, c);
    case SEGMENT_BETWEEN_VALUES:
        TRY(values_room(p, c, 2));
        TRY(value_add(p, c));
        TRY(want_word(p, "and", "Write for example: between 1 and 10."));
        return value_add(p, c);
    default:
        TRY(values_room(p, c, 1));
        return value_add(p, c);
    }
}

static enum err compare(struct parser *p, const struct segment_node **out)
{
    struct segment_node *node;
    TRY(node_new(p, SEGMENT_COMPARE, &node));
    struct segment_compare *c = &node->compare;
    if (is_word(p, "any") || is_word(p, "all")) {
        c->which = is_word(p, "any") ? SEGMENT_ANY : SEGMENT_ALL;
        TRY(advance(p));
    }
    TRY(key_name(p, &c->key));
    struct segment_token at = p->token;
    TRY(test(p, &c->test));
    TRY(values_of_test(p, c));
    TRY(refuse(p, &at, segment_compare_fault(c)));
    *out = node;
    return OK;
}

/* ---- windows and filters */

static enum err condition(struct parser *p, const struct segment_node **out);
static enum err unary(struct parser *p, const struct segment_node **out);

static bool is_window_ahead(const struct parser *p)
{
    return is_word(p, "ever") || is_word(p, "in") || is_word(p, "not") || is_word(p, "since") ||
           is_word(p, "before") || is_word(p, "between") || is_word(p, "more") ||
           is_word(p, "less");
}

#define IN_LAST_REMEDY "Write for example: in the last 30 days."
#define AGO_REMEDY "Write for example: more than 30 days ago."

static enum err window_of_length(struct parser *p, struct segment_window *w)
{
    bool ago = is_word(p, "more") || is_word(p, "less");
    w->kind = is_word(p, "more") || is_word(p, "not") ? SEGMENT_NOT_LAST : SEGMENT_LAST;
    if (ago) {
        TRY(advance(p));
        TRY(want_word(p, "than", AGO_REMEDY));
        TRY(length_of_time(p, &w->length_ms));
        return want_word(p, "ago", AGO_REMEDY);
    }
    if (w->kind == SEGMENT_NOT_LAST)
        TRY(advance(p));
    TRY(want_word(p, "in", IN_LAST_REMEDY));
    TRY(want_word(p, "the", IN_LAST_REMEDY));
    TRY(want_word(p, "last", IN_LAST_REMEDY));
    return length_of_time(p, &w->length_ms);
}

static enum err window_since(struct parser *p, struct segment_window *w)
{
    TRY(advance(p));
    if (is_word(p, "entry")) {
        w->kind = SEGMENT_SINCE_ENTRY;
        return advance(p);
    }
    w->kind = SEGMENT_SINCE;
    return date(p, &w->from_ms);
}

static enum err window_between(struct parser *p, struct segment_window *w)
{
    w->kind = SEGMENT_BETWEEN;
    TRY(advance(p));
    TRY(date(p, &w->from_ms));
    TRY(want_word(p, "and", "Write for example: between 2026-01-01 and 2026-01-31."));
    return date(p, &w->to_ms);
}

static enum err window(struct parser *p, struct segment_window *w)
{
    struct segment_token at = p->token;
    if (is_word(p, "ever")) {
        w->kind = SEGMENT_EVER;
        return advance(p);
    }
    if (is_word(p, "since"))
        return window_since(p, w);
    if (is_word(p, "before")) {
        w->kind = SEGMENT_BEFORE;
        TRY(advance(p));
        return date(p, &w->to_ms);
    }
    if (is_word(p, "between"))
        TRY(window_between(p, w));
    else
        TRY(window_of_length(p, w));
    return refuse(p, &at, segment_window_fault(w));
}

static enum err where(struct parser *p, const struct segment_node **out)
{
    TRY(advance(p));
    p->in_where = true;
    enum err err = unary(p, out);
    p->in_where = false;
    return err;
}

/* What may follow the name of an event, in any order and each at most once. */
struct clauses {
    bool window, where, times;
};

static enum err twice(const struct parser *p, const char *what)
{
    char text[80];
    snprintf(text, sizeof text, "there is a second %s", what);
    return fail(p, &p->token, ERR_INPUT, text,
                "Join conditions with and; join filters in one: where (... and ...).");
}

static enum err times(struct parser *p, struct segment_node *node)
{
    struct segment_token at;
    static const char    remedy[] = "Write for example: at least 3 times.";

    if (is_word(p, "exactly")) {
        node->times = SEGMENT_TIMES_EXACTLY;
    } else {
        TRY(advance(p));
        if (!is_word(p, "least") && !is_word(p, "most"))
            return expected(p, "least or most", remedy);
        node->times = is_word(p, "least") ? SEGMENT_TIMES_AT_LEAST : SEGMENT_TIMES_AT_MOST;
    }
    TRY(advance(p));
    at = p->token;
    if (at.kind != TOKEN_NUMBER || at.number.kind != JSON_INT)
        return expected(p, "a whole number", remedy);
    TRY(refuse(p, &at, segment_times_fault(at.number.integer)));
    node->times_count = (uint32_t)at.number.integer;
    TRY(advance(p));
    if (is_word(p, "time"))
        return advance(p);
    return want_word(p, "times", remedy);
}

static enum err clauses(struct parser *p, struct segment_match *match, struct segment_node *counted,
                        struct clauses *seen)
{
    for (;;) {
        if (is_window_ahead(p)) {
            if (seen->window)
                return twice(p, "window of time");
            seen->window = true;
            TRY(window(p, &match->window));
        } else if (is_word(p, "where")) {
            if (seen->where)
                return twice(p, "where");
            seen->where = true;
            TRY(where(p, &match->where));
        } else if (counted != NULL && (is_word(p, "at") || is_word(p, "exactly"))) {
            if (seen->times)
                return twice(p, "number of times");
            seen->times = true;
            TRY(times(p, counted));
        } else {
            return OK;
        }
    }
}

static enum err event_name(struct parser *p, struct str *out)
{
    return quoted_name(p, "the name of an event in quotes",
                       "Write for example: did \"Order Completed\".", out);
}

/* ---- behaviour */

static enum err then(struct parser *p, struct segment_node *node, const struct clauses *seen)
{
    struct clauses then_seen = { .window = true };
    bool           no;

    if (seen->times)
        return fail(p, &p->token, ERR_INPUT,
                    "a sequence begins with one event, not a number of them",
                    "Leave out the number of times.");
    if (is_word(p, "and"))
        TRY(advance(p));
    TRY(advance(p));
    no = is_word(p, "no");
    if (no)
        TRY(advance(p));
    node->kind = no ? SEGMENT_THEN_NOT : SEGMENT_THEN;
    node->times_count = 0;
    TRY(event_name(p, &node->then.event));
    if (is_word(p, "where"))
        TRY(clauses(p, &node->then, NULL, &then_seen));
    TRY(want_word(p, "within", "Write for example: then \"Order Completed\" within 1 hour."));
    return length_of_time(p, &node->within_ms);
}

static bool is_then_ahead(const struct parser *p)
{
    return is_word(p, "then") || (is_word(p, "and") && next_is_word(p, "then"));
}

static enum err did(struct parser *p, struct segment_node *node)
{
    struct clauses seen = { 0 };
    TRY(want_word(p, "did", "Write for example: did \"Order Completed\"."));
    node->times = SEGMENT_TIMES_AT_LEAST;
    node->times_count = 1;
    TRY(event_name(p, &node->match.event));
    TRY(clauses(p, &node->match, node, &seen));
    return is_then_ahead(p) ? then(p, node, &seen) : OK;
}

static enum err never_did(struct parser *p, struct segment_node *node)
{
    struct clauses seen = { 0 };
    TRY(advance(p));
    TRY(want_word(p, "did", "Write for example: never did \"Order Completed\"."));
    node->times = SEGMENT_TIMES_AT_MOST;
    TRY(event_name(p, &node->match.event));
    TRY(clauses(p, &node->match, NULL, &seen));
    if (is_then_ahead(p))
        return fail(p, &p->token, ERR_INPUT, "never does not go with a sequence",
                    "Write: not did \"...\" then \"...\" within ...");
    return OK;
}

static enum err first_or_last(struct parser *p, struct segment_node *node)
{
    struct clauses seen = { 0 };
    node->kind = is_word(p, "first") ? SEGMENT_FIRST_DID : SEGMENT_LAST_DID;
    TRY(advance(p));
    TRY(want_word(p, "did", "Write for example: last did \"Visited\" more than 30 days ago."));
    TRY(event_name(p, &node->match.event));
    TRY(clauses(p, &node->match, NULL, &seen));
    if (!seen.window)
        return expected(p, "a time", "Add for example: more than 30 days ago, since 2026-01-01.");
    return OK;
}

static enum err aggregate(struct parser *p, struct segment_node *node)
{
    static const char remedy[] = "Write for example: sum of revenue of \"Order Completed\" > 100.";
    struct clauses    seen = { 0 };

    node->kind = SEGMENT_AGGREGATE;
    segment_fold_of(p->token.text, &node->fold);
    TRY(advance(p));
    if (node->fold == SEGMENT_DISTINCT)
        TRY(want_word(p, "count", "Write: distinct count of sku of \"Order Completed\" > 3."));
    TRY(want_word(p, "of", remedy));
    TRY(key_name(p, &node->property));
    TRY(want_word(p, "of", remedy));
    TRY(event_name(p, &node->match.event));
    TRY(clauses(p, &node->match, NULL, &seen));
    if (p->token.kind != TOKEN_SIGN || !segment_test_of(p->token.text, &node->test) ||
        !segment_test_is_order(node->test))
        return expected(p, "one of = != > >= < <=", remedy);
    TRY(advance(p));
    if (p->token.kind != TOKEN_NUMBER)
        return expected(p, "a number", remedy);
    node->number = segment_number(p->token.number);
    TRY(refuse(p, &p->token, segment_aggregate_fault(node->fold, &node->number)));
    return advance(p);
}

static enum err membership(struct parser *p, struct segment_node *node)
{
    static const char remedy[] = "Write: in segment \"...\", in list \"...\" or in 20% by \"...\".";
    double            percent;

    TRY(advance(p));
    if (is_word(p, "segment") || is_word(p, "list")) {
        node->kind = is_word(p, "segment") ? SEGMENT_IN_SEGMENT : SEGMENT_IN_LIST;
        TRY(advance(p));
        return quoted_name(p, "a name in quotes", remedy, &node->name);
    }
    if (p->token.kind != TOKEN_NUMBER || !json_to_real(&p->token.number, &percent))
        return expected(p, "segment, list or a share", remedy);
    TRY(refuse(p, &p->token, segment_share_fault(percent)));
    node->kind = SEGMENT_SHARE;
    node->percent = percent;
    TRY(advance(p));
    TRY(want_sign(p, "%", remedy));
    TRY(want_word(p, "by", remedy));
    return quoted_name(p, "a seed in quotes", remedy, &node->name);
}

/* ---- the tree */

static bool is_aggregate_ahead(const struct parser *p)
{
    enum segment_fold fold;
    return p->token.kind == TOKEN_WORD && segment_fold_of(p->token.text, &fold);
}

static enum err about_a_person(struct parser *p, const struct segment_node **out)
{
    struct segment_node *node;
    TRY(node_new(p, SEGMENT_EVERYONE, &node));
    *out = node;
    if (is_word(p, "everyone"))
        return advance(p);
    if (is_word(p, "in"))
        return membership(p, node);
    if (is_aggregate_ahead(p))
        return aggregate(p, node);
    if (is_word(p, "first") || is_word(p, "last"))
        return first_or_last(p, node);
    node->kind = SEGMENT_DID;
    return is_word(p, "never") ? never_did(p, node) : did(p, node);
}

static bool is_person_ahead(const struct parser *p)
{
    return is_word(p, "everyone") || is_word(p, "in") || is_word(p, "first") ||
           is_word(p, "last") || is_word(p, "never") || is_word(p, "did") || is_aggregate_ahead(p);
}

static enum err deeper(struct parser *p)
{
    if (p->depth == SEGMENT_DEPTH_MAX)
        return fail(p, &p->token, ERR_LIMIT, "groups lie more than 24 deep",
                    "Split this into segments and ask with: in segment \"...\".");
    p->depth++;
    return OK;
}

static enum err primary(struct parser *p, const struct segment_node **out)
{
    if (is_sign(p, "(")) {
        TRY(deeper(p));
        TRY(advance(p));
        TRY(condition(p, out));
        TRY(want_sign(p, ")", "Join conditions with and or or, and close the bracket."));
        p->depth--;
        return OK;
    }
    if (!is_person_ahead(p)) {
        if (p->token.kind != TOKEN_WORD)
            return expected(p, "a condition",
                            "Write for example: did \"Signed Up\", or country = \"NO\".");
        return compare(p, out);
    }
    if (p->in_where)
        return expected(p, "a property",
                        "where filters by the event's properties: where (revenue > 100).");
    return about_a_person(p, out);
}

static enum err unary(struct parser *p, const struct segment_node **out)
{
    struct segment_node *node;
    if (!is_word(p, "not"))
        return primary(p, out);
    TRY(deeper(p));
    TRY(node_new(p, SEGMENT_NOT, &node));
    const struct segment_node **part = ARENA_ARRAY(p->arena, 1, const struct segment_node *);
    if (part == NULL)
        return ERR_MEMORY;
    TRY(advance(p));
    TRY(unary(p, part));
    node->parts = part;
    node->parts_count = 1;
    p->depth--;
    *out = node;
    return OK;
}

typedef enum err parse_part(struct parser *p, const struct segment_node **out);

/* part {word part}; a chain of one is the part itself. */
static enum err chain(struct parser *p, enum segment_kind kind, parse_part *part,
                      const struct segment_node **out)
{
    const char                 *word = kind == SEGMENT_AND ? "and" : "or";
    const struct segment_node **parts = NULL;
    uint32_t                    count = 0, room = 0;
    struct segment_node        *node = NULL;
    struct segment_token        first = p->token;

    TRY(part(p, out));
    while (is_word(p, word)) {
        TRY(advance(p));
        if (count == room) {
            room = room == 0 ? 4 : room * 2;
            const struct segment_node **grown =
                ARENA_ARRAY(p->arena, room, const struct segment_node *);
            if (grown == NULL)
                return ERR_MEMORY;
            if (count > 0)
                memcpy(grown, parts, count * sizeof parts[0]);
            parts = grown;
        }
        if (count == 0) {
            TRY(node_new(p, kind, &node));
            node->line = first.line;
            node->column = first.column;
            parts[count++] = *out;
        }
        TRY(part(p, &parts[count]));
        node->parts = parts;
        node->parts_count = ++count;
    }
    if (node != NULL)
        *out = node;
    return OK;
}

static enum err and_chain(struct parser *p, const struct segment_node **out)
{
    return chain(p, SEGMENT_AND, unary, out);
}

static enum err condition(struct parser *p, const struct segment_node **out)
{
    return chain(p, SEGMENT_OR, and_chain, out);
}

static enum err whole(struct parser *p, const struct segment_node **out)
{
    const struct segment_node *node;
    TRY(advance(p));
    TRY(condition(p, &node));
    if (p->token.kind != TOKEN_END)
        return expected(p, "and, or or the end", "Join conditions with and or or.");
    *out = node;
    return OK;
}

enum err segment_parse(struct arena *arena, struct str text, const struct segment_node **out,
                       struct problem *problem)
{
    if (text.len > SEGMENT_TEXT_BYTES_MAX)
        return problem_set(problem, ERR_LIMIT, "1:1", "the condition is longer than 65536 bytes",
                           "Split this into segments and ask with: in segment \"...\".");
    if (!str_is_utf8(text))
        return problem_set(problem, ERR_INPUT, "1:1", "the text is not UTF-8",
                           "Save the file as UTF-8.");
    struct str kept = str_copy(arena, text); /* the tree's names are borrowed from here */
    if (kept.ptr == NULL)
        return ERR_MEMORY;
    struct parser p = { .arena = arena,
                        .lexer = segment_lexer_make(arena, kept, problem),
                        .problem = problem };
    return whole(&p, out);
}
