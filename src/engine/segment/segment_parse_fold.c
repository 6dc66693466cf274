#include "engine/segment/segment_parser.h"

#define FOLD_REMEDY "Write for example: sum of revenue of \"Order Completed\" > 100."

/* `days between 1 and 3` and `days between "a" and "b"` are about a trait named days. */
static bool is_gap(const struct parser *p)
{
    if (!parser_is_word(p, "days") || !parser_next_is_word(p, "between"))
        return false;
    struct parser between = parser_ahead(p), what = parser_ahead(&between);
    bool is_text_range = what.token.kind == TOKEN_TEXT && parser_next_is_word(&what, "and");
    return parser_is_happening(&what) && !is_text_range;
}

bool parser_is_fold(const struct parser *p)
{
    static const char *const words[] = { "sum",      "average", "least", "greatest",
                                         "distinct", "count",   "most" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (parser_is_word(p, words[i]))
            return true;
    if (parser_is_word(p, "first") || parser_is_word(p, "last"))
        return parser_next_is_word(p, "of") || parser_next_is_word(p, "time");
    return is_gap(p);
}

/* first, first time, last, last time */
static enum err first_or_last(struct parser *p, enum segment_fold *out)
{
    bool first = parser_is_word(p, "first");
    TRY(parser_advance(p));
    *out = first ? SEGMENT_FIRST_VALUE : SEGMENT_LAST_VALUE;
    if (!parser_is_word(p, "time"))
        return OK;
    *out = first ? SEGMENT_FIRST_TIME : SEGMENT_LAST_TIME;
    return parser_advance(p);
}

/* The fold and the word behind it: of, or between. */
static enum err fold_words(struct parser *p, enum segment_fold *out)
{
    static const struct {
        const char       *word;
        enum segment_fold fold;
    } words[] = {
        { "sum", SEGMENT_SUM },           { "average", SEGMENT_AVERAGE },
        { "least", SEGMENT_LEAST },       { "greatest", SEGMENT_GREATEST },
        { "distinct", SEGMENT_DISTINCT }, { "count", SEGMENT_COUNT },
        { "days", SEGMENT_GAP },          { "most", SEGMENT_MOST_FREQUENT },
    };
    if (parser_is_word(p, "first") || parser_is_word(p, "last")) {
        TRY(first_or_last(p, out));
        return parser_want_word(p, "of", FOLD_REMEDY);
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (parser_is_word(p, words[i].word))
            *out = words[i].fold;
    TRY(parser_advance(p));
    if (*out == SEGMENT_DISTINCT)
        TRY(parser_want_word(p, "count",
                             "Write: distinct count of sku of \"Order Completed\" > 3."));
    if (*out == SEGMENT_MOST_FREQUENT)
        TRY(parser_want_word(p, "frequent",
                             "Write: most frequent of category of \"Viewed\" = \"tent\"."));
    return parser_want_word(p, *out == SEGMENT_GAP ? "between" : "of", FOLD_REMEDY);
}

/* revenue of; products.price with (category = "tent") of */
static enum err property(struct parser *p, struct segment_node *node)
{
    TRY(parser_key(p, &node->property));
    if (parser_is_word(p, "with")) {
        TRY(parser_advance(p));
        TRY(parser_part_in(p, SCOPE_ELEMENT, &node->with));
    }
    return parser_want_word(p, "of", FOLD_REMEDY);
}

static enum err number_test(struct parser *p, struct segment_node *node)
{
    if (p->token.kind != TOKEN_SIGN || !segment_test_of(p->token.text, &node->test) ||
        !segment_test_is_order(node->test))
        return parser_expected(p, "one of = != > >= < <=", FOLD_REMEDY);
    TRY(parser_advance(p));
    if (p->token.kind != TOKEN_NUMBER)
        return parser_expected(p, "a number", FOLD_REMEDY);
    node->number = segment_number(p->token.number);
    TRY(parser_refuse(p, &p->token, segment_aggregate_fault(node->fold, &node->number)));
    return parser_advance(p);
}

enum err parser_fold(struct parser *p, bool is_value, const struct segment_node **out)
{
    struct segment_node *node;
    struct clauses       seen = { 0 };

    TRY(parser_node(p, SEGMENT_AGGREGATE, &node));
    TRY(fold_words(p, &node->fold));
    node->is_value = is_value;
    if (segment_fold_takes_property(node->fold) &&
        !(segment_fold_is_of_events(node->fold) && parser_is_happening(p)))
        TRY(property(p, node));
    TRY(parser_happening(p, &node->match));
    seen.tests_follow = !is_value && !segment_fold_is_number(node->fold);
    TRY(parser_clauses(p, &node->match, NULL, &seen));
    *out = node;
    if (is_value)
        return OK;
    return segment_fold_is_number(node->fold) ? number_test(p, node)
                                              : parser_test(p, &node->compare);
}
