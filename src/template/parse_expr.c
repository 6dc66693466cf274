#include "template/parse.h"

#include <string.h>

#include "template/filters.h"

static const char *const KNOWN[] = {
    [KNOWN_SIZE] = "size",
    [KNOWN_FIRST] = "first",
    [KNOWN_LAST] = "last",
    [KNOWN_INDEX] = "index",
    [KNOWN_INDEX0] = "index0",
    [KNOWN_RINDEX] = "rindex",
    [KNOWN_RINDEX0] = "rindex0",
    [KNOWN_LENGTH] = "length",
    [KNOWN_NAME] = "name",
    [KNOWN_PARENTLOOP] = "parentloop",
    [KNOWN_COL] = "col",
    [KNOWN_COL0] = "col0",
    [KNOWN_COL_FIRST] = "col_first",
    [KNOWN_COL_LAST] = "col_last",
    [KNOWN_ROW] = "row",
};

enum known parse_known(struct str name)
{
    for (size_t i = 1; i < sizeof KNOWN / sizeof KNOWN[0]; i++)
        if (str_eq(name, str_of(KNOWN[i])))
            return (enum known)i;
    return KNOWN_NONE;
}

enum err parse_too_large(struct parser *p)
{
    return problem_set(p->problem, ERR_LIMIT, "", "the template is too large when compiled",
                       "Shorten it, or use fewer and smaller snippets.");
}

enum err parse_too_deep(struct parser *p, const char *at)
{
    parse_fault(p, at, "Assign inner parts to variables first.", "brackets nest deeper than %d",
                TEMPLATE_NESTING_MAX);
    return ERR_LIMIT;
}

enum err parse_expected(struct parser *p, struct lexer *lexer, const char *what)
{
    const struct token *now = &lexer->now;
    const char         *at = lexer_is(lexer, TOKEN_END) ? p->piece.at : now->text.ptr;
    if (lexer_is(lexer, TOKEN_END))
        return parse_fault(p, at, "Complete the tag.", "expected %s, but the tag ends", what);
    return parse_fault(p, at, "Mend or remove what stands here.", "expected %s, found '%.*s'", what,
                       STR_ARG(str_slice(now->text, 0, 40)));
}

enum err parse_take(struct parser *p, struct lexer *lexer, enum token_kind kind, const char *what,
                    struct token *out)
{
    if (!lexer_is(lexer, kind))
        return parse_expected(p, lexer, what);
    struct token token = lexer_take(lexer);
    if (out != NULL)
        *out = token;
    return OK;
}

enum err parse_end(struct parser *p, struct lexer *lexer)
{
    return lexer_is(lexer, TOKEN_END) ? OK : parse_expected(p, lexer, "the end of the tag");
}

static enum err new_expr(struct parser *p, struct expr value, const struct expr **out)
{
    struct expr *expr = ARENA_NEW(p->arena, struct expr);
    if (expr == NULL)
        return parse_too_large(p);
    *expr = value;
    *out = expr;
    return OK;
}

enum err parse_literal(struct parser *p, struct value value, const struct expr **out)
{
    value.safe = true; /* the author's own words */
    return new_expr(p, (struct expr){ .kind = EXPR_LITERAL, .literal = value }, out);
}

bool parse_word_literal(const struct parser *p, struct str word, struct value *out)
{
    if (str_eq(word, STR("nil")) || str_eq(word, STR("null")))
        *out = VALUE_NONE;
    else if (str_eq(word, STR("true")) || str_eq(word, STR("false")))
        *out = value_of_bool(word.ptr[0] == 't');
    else if (str_eq(word, STR("empty")) || str_eq(word, STR("blank"))) {
        *out = value_of_str(STR(""));
        if (p->literals)
            out->kind = word.ptr[0] == 'e' ? VALUE_EMPTY : VALUE_BLANK;
    } else {
        return false;
    }
    return true;
}

static bool is_bound(const struct parser *p, uint32_t symbol)
{
    for (uint32_t i = 0; i < p->bound_count; i++)
        if (p->bound[i] == symbol)
            return true;
    return false;
}

/* Keeps each path of the data once; it is optional only while every use is. */
static enum err variable_note(struct parser *p, const struct path *path)
{
    struct template *t = p->t;
    if (path->symbol == SYMBOL_NONE || is_bound(p, path->symbol))
        return OK;
    for (uint32_t i = parse_index_head(&t->variable_index, path->text); i > 0;
         i = t->variable_index.next[i - 1]) {
        if (!str_eq(t->variables[i - 1].path, path->text))
            continue;
        t->variables[i - 1].optional = t->variables[i - 1].optional && p->tested;
        return OK;
    }
    if (t->variable_count >= TEMPLATE_NAMES_MAX)
        return problem_format(p->problem, ERR_LIMIT, "", "Use fewer variables, or lists of them.",
                              "more than %d different variables", TEMPLATE_NAMES_MAX);
    TRY(parse_append(p, &t->variables, &t->variable_room, t->variable_count, sizeof *t->variables));
    TRY(parse_index(p, &t->variable_index, path->text, t->variable_count));
    t->variables[t->variable_count++] = (struct template_variable){
        .path = path->text, .snippet = path->snippet, .line = path->line, .optional = p->tested
    };
    return OK;
}

struct step parse_named_step(struct str key, bool dotted)
{
    return (struct step){ .known = parse_known(key), .key = key, .dotted = dotted };
}

static enum err parse_bracket(struct parser *p, struct lexer *lexer, const struct expr **out)
{
    bool literals = p->literals;
    p->literals = false;
    TRY(parse_take(p, lexer, TOKEN_OPEN_SQUARE, "'['", NULL));
    TRY(parse_expr(p, lexer, out));
    p->literals = literals;
    return parse_take(p, lexer, TOKEN_CLOSE_SQUARE, "']'", NULL);
}

static enum err parse_step(struct parser *p, struct lexer *lexer, struct step *step)
{
    struct token name;
    if (lexer_is(lexer, TOKEN_OPEN_SQUARE)) {
        TRY(parse_bracket(p, lexer, &step->expr));
        if (step->expr->kind == EXPR_LITERAL && step->expr->literal.kind == VALUE_STRING)
            *step = parse_named_step(step->expr->literal.string, false);
        return OK;
    }
    TRY(parse_take(p, lexer, TOKEN_DOT, "'.'", NULL));
    TRY(parse_take(p, lexer, TOKEN_ID, "a name after the dot", &name));
    *step = parse_named_step(name.text, true);
    return OK;
}

enum err parse_path_done(struct parser *p, struct path *path, const struct expr **out)
{
    path->line = parse_line(p, path->text.ptr);
    path->snippet = p->unit->name;
    path->is_self = path->symbol != SYMBOL_NONE && str_eq(p->t->symbols[path->symbol], STR("self"));
    TRY(variable_note(p, path));
    return new_expr(p, (struct expr){ .kind = EXPR_PATH, .path = path }, out);
}

static enum err parse_path(struct parser *p, struct lexer *lexer, const struct expr **out)
{
    struct path *path = ARENA_NEW(p->arena, struct path);
    struct step *steps = NULL;
    uint32_t     room = 0;
    if (path == NULL)
        return parse_too_large(p);
    const char *start = lexer->now.text.ptr, *end = lexer->now.end;
    path->symbol = SYMBOL_NONE;
    if (lexer_is(lexer, TOKEN_ID))
        TRY(parse_symbol(p, lexer_take(lexer).text, &path->symbol));
    else if (p->t->conf.strictness == TEMPLATE_STRICT2)
        return parse_fault(p, start, "Write self['name'].", "brackets without a name before them");
    else
        TRY(parse_bracket(p, lexer, &path->root));
    if (path->root != NULL && path->root->kind == EXPR_LITERAL &&
        path->root->literal.kind == VALUE_STRING)
        TRY(parse_symbol(p, path->root->literal.string, &path->symbol));
    while (lexer_is(lexer, TOKEN_DOT) || lexer_is(lexer, TOKEN_OPEN_SQUARE)) {
        TRY(parse_append(p, &steps, &room, path->step_count, sizeof *steps));
        TRY(parse_step(p, lexer, &steps[path->step_count++]));
    }
    /* The path ends before the token that is looked at now. */
    end = lexer->now.kind == TOKEN_STRING ? lexer->now.text.ptr - 1 : lexer->now.text.ptr;
    path->steps = steps;
    path->text = text_trim_right((struct str){ start, (size_t)(end - start) });
    return parse_path_done(p, path, out);
}

/* Ends that are written out are whole numbers from the start: (1.9..'3') is (1..3). */
static bool range_end_fold(const struct expr *end, int64_t *out)
{
    const struct value *v = &end->literal;
    if (v->kind == VALUE_INT)
        *out = v->integer;
    else if (v->kind == VALUE_REAL)
        *out = v->real >= 9e18 ? INT64_MAX : v->real <= -9e18 ? INT64_MIN : (int64_t)v->real;
    else
        *out = v->kind == VALUE_STRING ? value_leading_int(v->string) : 0;
    return v->kind != VALUE_BOOL;
}

enum err parse_range_done(struct parser *p, const struct expr *range, const char *at,
                          const struct expr **out)
{
    struct value whole = { .kind = VALUE_RANGE };
    if (range->range.lo->kind != EXPR_LITERAL || range->range.hi->kind != EXPR_LITERAL)
        return new_expr(p, *range, out);
    if (!range_end_fold(range->range.lo, &whole.range.lo) ||
        !range_end_fold(range->range.hi, &whole.range.hi))
        return parse_fault(p, at, "Write numbers, as in (1..5).", "an end of a range is no number");
    return parse_literal(p, whole, out);
}

static enum err parse_range(struct parser *p, struct lexer *lexer, const struct expr **out)
{
    struct expr range = { .kind = EXPR_RANGE };
    const char *at = lexer->now.text.ptr;
    TRY(parse_take(p, lexer, TOKEN_OPEN_ROUND, "'('", NULL));
    TRY(parse_expr(p, lexer, &range.range.lo));
    TRY(parse_take(p, lexer, TOKEN_DOTDOT, "'..'", NULL));
    TRY(parse_expr(p, lexer, &range.range.hi));
    TRY(parse_take(p, lexer, TOKEN_CLOSE_ROUND, "')'", NULL));
    return parse_range_done(p, &range, at, out);
}

static enum err parse_number(struct parser *p, struct token token, const struct expr **out)
{
    int64_t integer = 0;
    double  real = 0;
    if (token.kind == TOKEN_INT && str_to_int(token.text, &integer) == OK)
        return parse_literal(p, value_of_int(integer), out);
    if (str_to_real(token.text, &real) != OK)
        return parse_fault(p, token.text.ptr, "Use a smaller number.", "this number is too large");
    return parse_literal(p, value_of_real(real), out);
}

static enum err parse_word(struct parser *p, struct lexer *lexer, const struct expr **out)
{
    struct value literal;
    bool         lookup = lexer->next.kind == TOKEN_DOT || lexer->next.kind == TOKEN_OPEN_SQUARE;
    if (lookup || !parse_word_literal(p, lexer->now.text, &literal))
        return parse_path(p, lexer, out);
    lexer_take(lexer);
    return parse_literal(p, literal, out);
}

static enum err parse_expr_inner(struct parser *p, struct lexer *lexer, const struct expr **out)
{
    switch (lexer->now.kind) {
    case TOKEN_ID:
        return parse_word(p, lexer, out);
    case TOKEN_OPEN_SQUARE:
        return parse_path(p, lexer, out);
    case TOKEN_STRING:
        return parse_literal(p, value_of_str(lexer_take(lexer).text), out);
    case TOKEN_INT:
    case TOKEN_REAL:
        return parse_number(p, lexer_take(lexer), out);
    case TOKEN_OPEN_ROUND:
        return parse_range(p, lexer, out);
    default:
        return parse_expected(p, lexer, "a value");
    }
}

enum err parse_expr(struct parser *p, struct lexer *lexer, const struct expr **out)
{
    if (p->bracket_depth >= TEMPLATE_NESTING_MAX)
        return parse_too_deep(p, lexer->now.text.ptr);
    p->bracket_depth++;
    enum err err = parse_expr_inner(p, lexer, out);
    p->bracket_depth--;
    return err;
}

enum err parse_filter_name(struct parser *p, struct str name, struct filter_call *call)
{
    call->filter = filter_find(name);
    if (call->filter != NULL || p->t->conf.strictness == TEMPLATE_LAX)
        return OK;
    return parse_fault(p, name.ptr, "See the manual for the filters there are.",
                       "there is no filter '%.*s'", STR_ARG(str_slice(name, 0, 60)));
}

enum err parse_filter_argument(struct parser *p, struct filter_call *call, struct str name,
                               const struct expr *value, const char *at)
{
    if (call->filter == NULL) /* lax: an unknown filter does nothing */
        return OK;
    if (name.len > 0 && (call->filter->named == NULL || !str_eq(name, str_of(call->filter->named))))
        return parse_fault(p, at, "Remove it.", "filter '%s' has no argument '%.*s'",
                           call->filter->name, STR_ARG(str_slice(name, 0, 60)));
    if (name.len > 0)
        call->named = value;
    else if (call->arg_count < call->filter->args_max)
        call->args[call->arg_count++] = value;
    else
        return parse_fault(p, at, "Remove the last one.",
                           "filter '%s' has too many arguments (at most %d)", call->filter->name,
                           call->filter->args_max);
    return OK;
}

enum err parse_filter_done(struct parser *p, const struct filter_call *call, const char *at)
{
    if (call->filter != NULL && call->arg_count < call->filter->args_min)
        return parse_fault(p, at, "Add the argument after a colon.",
                           "filter '%s' lacks an argument", call->filter->name);
    return OK;
}

static enum err parse_argument(struct parser *p, struct lexer *lexer, struct filter_call *call)
{
    const struct expr *value = NULL;
    struct str         name = STR_NONE;
    const char        *at = lexer->now.text.ptr;
    if (lexer_is(lexer, TOKEN_ID) && lexer->next.kind == TOKEN_COLON) {
        name = lexer_take(lexer).text;
        lexer_take(lexer);
    }
    TRY(parse_expr(p, lexer, &value));
    return parse_filter_argument(p, call, name, value, at);
}

/* strict2 lets arguments be none, or end with a comma. */
static bool arguments_end(const struct parser *p, const struct lexer *lexer)
{
    return p->t->conf.strictness == TEMPLATE_STRICT2 &&
           (lexer_is(lexer, TOKEN_PIPE) || lexer_is(lexer, TOKEN_END));
}

static enum err parse_filter(struct parser *p, struct lexer *lexer, struct filter_call *call)
{
    struct token name;
    TRY(parse_take(p, lexer, TOKEN_ID, "a filter's name", &name));
    TRY(parse_filter_name(p, name.text, call));
    if (lexer_accept(lexer, TOKEN_COLON)) {
        do
            if (!arguments_end(p, lexer))
                TRY(parse_argument(p, lexer, call));
        while (lexer_accept(lexer, TOKEN_COMMA));
    }
    return parse_filter_done(p, call, name.text.ptr);
}

/* Whether the outermost filters include `default`: a quick look ahead for the variables' list. */
static bool has_default(struct str markup)
{
    struct lexer lexer = lexer_make(markup);
    while (!lexer_is(&lexer, TOKEN_END) && !lexer_is(&lexer, TOKEN_BROKEN))
        if (lexer_take(&lexer).kind == TOKEN_PIPE && lexer_is_word(&lexer, STR("default")))
            return true;
    return false;
}

enum err parse_filtered_done(struct parser *p, const struct expr *base,
                             const struct filter_call *calls, uint32_t count,
                             const struct expr **out)
{
    if (count == 0) {
        *out = base;
        return OK;
    }
    return new_expr(
        p,
        (struct expr){
            .kind = EXPR_FILTERED, .base = base, .filters = calls, .filter_count = count },
        out);
}

static enum err parse_output_strict(struct parser *p, struct str markup, const struct expr **out)
{
    struct lexer        lexer = lexer_make(markup);
    struct filter_call *calls = NULL;
    uint32_t            room = 0, count = 0;
    const struct expr  *base = NULL;
    TRY(parse_expr(p, &lexer, &base));
    while (lexer_accept(&lexer, TOKEN_PIPE)) {
        TRY(parse_append(p, &calls, &room, count, sizeof *calls));
        calls[count] = (struct filter_call){ 0 };
        TRY(parse_filter(p, &lexer, &calls[count]));
        count += calls[count].filter != NULL;
    }
    TRY(parse_end(p, &lexer));
    return parse_filtered_done(p, base, calls, count, out);
}

/* Lax mode tries the strict grammar first, as Shopify's program does. */
enum err parse_filtered(struct parser *p, struct str markup, const struct expr **out)
{
    p->tested = has_default(markup);
    enum err err = parse_output_strict(p, markup, out);
    if (err == ERR_INPUT && p->t->conf.strictness == TEMPLATE_LAX) {
        p->problem->what[0] = '\0';
        err = parse_output_lax(p, markup, out);
    }
    p->tested = false;
    return err;
}

static enum compare compare_of(struct str op)
{
    switch (op.ptr[0]) {
    case '=':
        return COMPARE_EQ;
    case '!':
        return COMPARE_NE;
    case 'c':
        return COMPARE_CONTAINS;
    default:
        break;
    }
    if (str_eq(op, STR("<>")) || str_eq(op, STR("&lt;&gt;")))
        return COMPARE_NE;
    bool less = op.ptr[0] == '<' || str_starts(op, STR("&lt;"));
    bool equal = op.ptr[op.len - 1] == '=';
    if (less)
        return equal ? COMPARE_LE : COMPARE_LT;
    return equal ? COMPARE_GE : COMPARE_GT;
}

enum err parse_test(struct parser *p, struct lexer *lexer, struct test **out)
{
    struct test *test = ARENA_NEW(p->arena, struct test);
    if (test == NULL)
        return parse_too_large(p);
    p->literals = true;
    p->tested = true;
    TRY(parse_expr(p, lexer, &test->left));
    if (lexer_is(lexer, TOKEN_COMPARE)) {
        test->compare = compare_of(lexer_take(lexer).text);
        TRY(parse_expr(p, lexer, &test->right));
    }
    p->literals = false;
    p->tested = false;
    *out = test;
    return OK;
}
