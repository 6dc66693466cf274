/* Expressions, outputs and conditions by patterns, as lax mode (and parts of strict mode) reads
 * them. */
#include <string.h>

#include "template/filters.h"
#include "template/parse.h"
#include "template/patterns.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits and points after an optional sign, however many points: the number before the second. */
static bool number_scan(struct str text, struct value *out)
{
    size_t  n = text.len > 0 && text.ptr[0] == '-', points = 0, end = text.len;
    int64_t integer;
    double  real = 0;
    if (n >= text.len || !is_digit(text.ptr[n]))
        return false;
    for (; n < text.len; n++) {
        if (text.ptr[n] != '.' && !is_digit(text.ptr[n]))
            return false;
        if (text.ptr[n] == '.' && ++points == 2)
            end = n;
    }
    if (points == 0 && str_to_int(text, &integer) == OK) {
        *out = value_of_int(integer);
        return true;
    }
    text = str_slice(text, 0, end);
    if (str_ends(text, STR(".")))
        text.len--;
    if (str_to_real(text, &real) != OK)
        return false;
    *out = value_of_real(real);
    return true;
}

/* The end of the balanced [...] at the front, or 0. */
static size_t bracket_length(struct str text)
{
    size_t depth = 0;
    for (size_t n = 0; n < text.len; n++) {
        depth += text.ptr[n] == '[';
        if (text.ptr[n] == ']' && --depth == 0)
            return n + 1;
    }
    return 0;
}

/* The next word or [...] of a path, wherever it begins; *lost counts brackets that are not closed.
 */
static bool segment_next(struct str *rest, struct str *out, int *lost)
{
    for (size_t at = 0; at < rest->len && *lost <= TEMPLATE_NESTING_MAX; at++) {
        struct str tail = str_slice(*rest, at, rest->len);
        size_t     n = pattern_word_length(tail, true);
        if (n > 0)
            n += n < tail.len && tail.ptr[n] == '?';
        else if (tail.ptr[0] == '[') {
            n = bracket_length(tail);
            *lost += n == 0;
        }
        if (n == 0)
            continue;
        *out = str_slice(tail, 0, n);
        *rest = str_slice(tail, n, tail.len);
        return true;
    }
    return false;
}

static bool is_bracket(struct str segment)
{
    return segment.ptr[0] == '[' && segment.ptr[segment.len - 1] == ']';
}

static enum err lax_root(struct parser *p, struct str segment, struct path *path)
{
    if (!is_bracket(segment))
        return parse_symbol(p, segment, &path->symbol);
    TRY(parse_markup(p, str_slice(segment, 1, segment.len - 1), &path->root));
    if (path->root->kind == EXPR_LITERAL && path->root->literal.kind == VALUE_STRING)
        return parse_symbol(p, path->root->literal.string, &path->symbol);
    return OK;
}

static enum err lax_step(struct parser *p, struct str segment, struct step *step)
{
    if (!is_bracket(segment)) {
        *step = parse_named_step(segment, true);
        return OK;
    }
    TRY(parse_markup(p, str_slice(segment, 1, segment.len - 1), &step->expr));
    if (step->expr->kind != EXPR_LITERAL || step->expr->literal.kind != VALUE_STRING)
        return OK;
    *step = parse_named_step(step->expr->literal.string, false);
    return OK;
}

static enum err lax_path(struct parser *p, struct str markup, const struct expr **out)
{
    struct path *path = ARENA_NEW(p->arena, struct path);
    struct step *steps = NULL;
    struct str   rest = markup, segment;
    uint32_t     room = 0;
    int          lost = 0;
    if (path == NULL)
        return parse_too_large(p);
    if (!segment_next(&rest, &segment, &lost))
        return parse_literal(p, VALUE_NONE, out);
    path->symbol = SYMBOL_NONE;
    TRY(lax_root(p, segment, path));
    while (segment_next(&rest, &segment, &lost)) {
        TRY(parse_append(p, &steps, &room, path->step_count, sizeof *steps));
        TRY(lax_step(p, segment, &steps[path->step_count++]));
    }
    if (lost > TEMPLATE_NESTING_MAX)
        return parse_too_deep(p, markup.ptr);
    path->steps = steps;
    path->text = markup;
    return parse_path_done(p, path, out);
}

/* (lo..hi): the last two points before a space stand between them. */
static bool range_split(struct str markup, struct str *lo, struct str *hi)
{
    if (!str_starts(markup, STR("(")) || !str_ends(markup, STR(")")))
        return false;
    struct str inside = str_trim(str_slice(markup, 1, markup.len - 1));
    size_t     run = 0, at;
    while (run < inside.len && !text_is_space(inside.ptr[run]))
        run++;
    size_t behind = run + pattern_space_length(str_slice(inside, run, inside.len));
    at = str_starts(str_slice(inside, behind, inside.len), STR("..")) ? behind : run;
    if (at == run)
        for (at = run;
             at > 1 && !(at + 1 < run && inside.ptr[at] == '.' && inside.ptr[at + 1] == '.');)
            at--;
    if (at == 0 || !str_starts(str_slice(inside, at, inside.len), STR("..")))
        return false;
    *lo = str_slice(inside, 0, at < run ? at : run);
    *hi = str_trim(str_slice(inside, at + 2, inside.len));
    for (size_t i = 0; i < hi->len; i++)
        if (text_is_space(hi->ptr[i]))
            return false;
    return hi->len > 0;
}

static enum err markup_inner(struct parser *p, struct str markup, const struct expr **out)
{
    struct str   lo, hi;
    struct value literal;
    if (markup.len > 0 && (markup.ptr[0] == '"' || markup.ptr[0] == '\'') &&
        markup.ptr[markup.len - 1] == markup.ptr[0])
        return parse_literal(
            p, value_of_str(str_slice(markup, 1, markup.len < 2 ? 1 : markup.len - 1)), out);
    if (markup.len == 0 || parse_word_literal(p, markup, &literal))
        return parse_literal(p, markup.len == 0 ? VALUE_NONE : literal, out);
    if (range_split(markup, &lo, &hi)) {
        struct expr range = { .kind = EXPR_RANGE };
        TRY(parse_markup(p, lo, &range.range.lo));
        TRY(parse_markup(p, hi, &range.range.hi));
        return parse_range_done(p, &range, markup.ptr, out);
    }
    if (number_scan(markup, &literal))
        return parse_literal(p, literal, out);
    return lax_path(p, markup, out);
}

enum err parse_markup(struct parser *p, struct str markup, const struct expr **out)
{
    markup = str_trim(markup);
    if (p->bracket_depth >= TEMPLATE_NESTING_MAX)
        return parse_too_deep(p, markup.ptr);
    p->bracket_depth++;
    enum err err = markup_inner(p, markup, out);
    p->bracket_depth--;
    return err;
}

/* ---- outputs ---- */

/* What stands between two pipes: fragments, spaces and commas; a lone quote parts them, too. */
static bool filter_next(struct str *rest, struct str *out)
{
    size_t at = 0, begin;
    for (begin = 0; begin < rest->len; begin++) {
        for (at = begin; at < rest->len;) {
            struct str tail = str_slice(*rest, at, rest->len);
            size_t     n = pattern_space_length(tail);
            n = n > 0 ? n : pattern_fragment_length(tail);
            n = n > 0 ? n : tail.ptr[0] == ',';
            if (n == 0)
                break;
            at += n;
        }
        if (at > begin)
            break;
    }
    *out = str_slice(*rest, begin, at);
    *rest = str_slice(*rest, at, rest->len);
    return out->len > 0;
}

/* [:,]\s*((?:\w+\s*:\s*)?fragment), the next one; `key` is empty without a name. */
static bool argument_next(struct str *rest, struct str *key, struct str *value)
{
    for (size_t at = 0; at < rest->len; at++) {
        if (rest->ptr[at] != ':' && rest->ptr[at] != ',')
            continue;
        struct str tail = str_slice(*rest, at + 1, rest->len);
        tail = str_slice(tail, pattern_space_length(tail), tail.len);
        size_t word = pattern_word_length(tail, false);
        size_t colon = word + pattern_space_length(str_slice(tail, word, tail.len));
        *key = STR_NONE;
        if (word > 0 && colon < tail.len && tail.ptr[colon] == ':') {
            size_t from = colon + 1;
            from += pattern_space_length(str_slice(tail, from, tail.len));
            size_t n = pattern_fragment_length(str_slice(tail, from, tail.len));
            if (n > 0) {
                *key = str_slice(tail, 0, word);
                *value = str_slice(tail, from, from + n);
                *rest = str_slice(tail, from + n, tail.len);
                return true;
            }
        }
        size_t n = pattern_fragment_length(tail);
        if (n == 0)
            continue;
        *value = str_slice(tail, 0, n);
        *rest = str_slice(tail, n, tail.len);
        return true;
    }
    return false;
}

static enum err lax_filter(struct parser *p, struct str text, struct filter_call *call)
{
    size_t at = 0, word;
    while (at < text.len && !text_is_word(text.ptr[at]))
        at++;
    word = pattern_word_length(str_slice(text, at, text.len), false);
    if (word == 0)
        return OK;
    struct token name = { .kind = TOKEN_ID, .text = str_slice(text, at, at + word) };
    TRY(parse_filter_name(p, name.text, call));
    struct str key, value;
    while (argument_next(&text, &key, &value)) {
        const struct expr *expr = NULL;
        TRY(parse_markup(p, value, &expr));
        TRY(parse_filter_argument(p, call, key, expr, value.ptr));
    }
    return parse_filter_done(p, call, name.text.ptr);
}

enum err parse_output_lax(struct parser *p, struct str markup, const struct expr **out)
{
    struct filter_call *calls = NULL;
    const struct expr  *base = NULL;
    uint32_t            room = 0, count = 0;
    struct str          rest = markup, name = STR_NONE, text;
    if (!pattern_fragment(&rest, &name))
        return parse_literal(p, VALUE_NONE, out);
    TRY(parse_markup(p, name, &base));
    size_t pipe = str_find_char(rest, 0, '|');
    rest = str_slice(rest, pipe + 1, rest.len);
    while (filter_next(&rest, &text)) {
        TRY(parse_append(p, &calls, &room, count, sizeof *calls));
        calls[count] = (struct filter_call){ 0 };
        TRY(lax_filter(p, text, &calls[count]));
        count += calls[count].filter != NULL;
    }
    return parse_filtered_done(p, base, calls, count, out);
}

/* ---- conditions ---- */

static enum compare compare_of_text(struct str op)
{
    static const struct {
        const char  *text;
        enum compare compare;
    } known[] = { { "==", COMPARE_EQ }, { "!=", COMPARE_NE },
                  { "<>", COMPARE_NE }, { "<", COMPARE_LT },
                  { ">", COMPARE_GT },  { "<=", COMPARE_LE },
                  { ">=", COMPARE_GE }, { "contains", COMPARE_CONTAINS } };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(op, str_of(known[i].text)))
            return known[i].compare;
    return COMPARE_UNKNOWN;
}

static size_t compare_length(struct str text)
{
    size_t n = 0;
    while (n < text.len &&
           (strchr("=!<>_", text.ptr[n]) != NULL ? text.ptr[n] != '\0'
                                                 : text.ptr[n] >= 'a' && text.ptr[n] <= 'z'))
        n++;
    return n;
}

/* fragment\s*([=!<>a-z_]+)?\s*(fragment)? wherever it begins. */
enum err parse_test_lax(struct parser *p, struct str markup, struct test **out)
{
    struct test *test = ARENA_NEW(p->arena, struct test);
    struct str   rest = markup, left;
    if (test == NULL)
        return parse_too_large(p);
    if (!pattern_fragment(&rest, &left))
        return parse_fault(p, markup.ptr, "Complete the tag.", "a condition is missing");
    rest = str_slice(rest, pattern_space_length(rest), rest.len);
    struct str op = str_slice(rest, 0, compare_length(rest));
    rest = str_slice(rest, op.len, rest.len);
    rest = str_slice(rest, pattern_space_length(rest), rest.len);
    struct str right = str_slice(rest, 0, pattern_fragment_length(rest));
    p->literals = p->tested = true;
    TRY(parse_markup(p, left, &test->left));
    if (op.len > 0) {
        test->compare = compare_of_text(op);
        test->word = op;
        TRY(parse_markup(p, right, &test->right));
    }
    p->literals = p->tested = false;
    *out = test;
    return OK;
}
