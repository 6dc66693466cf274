#include "template/parse.h"
#include "template/patterns.h"

/* A condition's tests as they are read, and where what follows from them goes. */
struct condition {
    struct jumps if_true, if_false;
};

static enum err emit_test(struct parser *p, enum op_code code, struct test *test,
                          struct jumps *jumps)
{
    return parse_jump(p, jumps, (struct op){ .code = (uint8_t)code, .test = test });
}

/*
 * Liquid binds to the right: `a and b or c` is `a and (b or c)`. So each test decides alone
 * whether the whole is already known, and the last one decides the rest.
 */
static enum err emit_joined(struct parser *p, struct condition *condition, struct test *test,
                            bool is_and)
{
    if (is_and)
        return emit_test(p, OP_TEST_AND, test, &condition->if_false);
    return emit_test(p, OP_TEST_OR, test, &condition->if_true);
}

static enum err condition_by_tokens(struct parser *p, struct condition *condition)
{
    struct lexer lexer = lexer_make(p->piece.markup);
    struct test *test = NULL;
    for (;;) {
        TRY(parse_test(p, &lexer, &test));
        bool is_and = lexer_accept_word(&lexer, STR("and"));
        if (!is_and && !lexer_accept_word(&lexer, STR("or")))
            break;
        TRY(emit_joined(p, condition, test, is_and));
    }
    TRY(parse_end(p, &lexer));
    return emit_joined(p, condition, test, true);
}

static enum err condition_by_patterns(struct parser *p, struct condition *condition)
{
    struct str   rest = p->piece.markup, text = STR_NONE, word;
    struct test *test = NULL;
    bool         is_operator;
    for (;;) {
        if (!pattern_condition(&rest, &text, &is_operator))
            return parse_fault(p, p->piece.at, "Complete the tag.", "a condition is missing");
        TRY(parse_test_lax(p, text, &test));
        if (!pattern_condition(&rest, &word, &is_operator))
            break;
        if (!is_operator)
            return parse_fault(p, word.ptr, "Write and or or.", "two conditions in a row");
        TRY(emit_joined(p, condition, test, str_eq(word, STR("and"))));
    }
    return emit_joined(p, condition, test, true);
}

static enum err parse_condition(struct parser *p, bool negated, struct jumps *to_next)
{
    struct condition condition = { 0 };
    if (p->t->conf.strictness == TEMPLATE_LAX)
        TRY(condition_by_patterns(p, &condition));
    else
        TRY(condition_by_tokens(p, &condition));
    parse_land(p, &condition.if_true);
    if (!negated) {
        *to_next = condition.if_false;
        return OK;
    }
    TRY(parse_jump(p, to_next, (struct op){ .code = OP_JUMP }));
    parse_land(p, &condition.if_false);
    return OK;
}

/* The next branch: what was open so far jumps to the end, what failed its test comes here. */
static enum err parse_next_branch(struct parser *p, struct jumps *done, struct jumps *to_next)
{
    TRY(parse_jump(p, done, (struct op){ .code = OP_JUMP }));
    parse_land(p, to_next);
    return OK;
}

/* The tests of this tag and not those of tags inside, which have their ends already. */
static void tests_end(struct parser *p, uint32_t from)
{
    for (uint32_t i = from; i < p->unit->op_count; i++) {
        struct op *op = &p->unit->ops[i];
        if ((op->code == OP_TEST_AND || op->code == OP_TEST_OR) && op->test->end == 0)
            op->test->end = p->unit->op_count;
    }
}

static enum err missing_end(struct parser *p, const struct piece *open, const struct piece *stop,
                            const char *end)
{
    if (stop->kind == PIECE_END)
        return parse_fault(p, open->at, "Add the closing tag.",
                           "{%% %s %%} is missing for this tag", end);
    return parse_fault(p, stop->at,
                       "See the manual for the tags there are, and check which block "
                       "is open here.",
                       "unknown or misplaced tag '%.*s'", STR_ARG(str_slice(stop->name, 0, 60)));
}

static enum err parse_branches(struct parser *p, bool negated, const char *end, bool *blank)
{
    struct piece open = p->piece;
    struct jumps done = { 0 }, to_next = { 0 };
    struct body  body = { .blank = true };
    uint32_t     start = p->unit->op_count;
    bool         else_seen = false;
    TRY(parse_condition(p, negated, &to_next));
    for (;;) {
        TRY(parse_body(p, &body));
        bool is_else = str_eq(body.stop.name, STR("else"));
        bool is_elsif = str_eq(body.stop.name, STR("elsif"));
        if (!is_else && !is_elsif)
            break;
        TRY(parse_next_branch(p, &done, &to_next));
        if (else_seen) /* Shopify ignores what follows the first else; it may not be run. */
            TRY(parse_jump(p, &done, (struct op){ .code = OP_JUMP }));
        if (is_elsif)
            TRY(parse_condition(p, false, &to_next));
        else_seen = else_seen || is_else;
    }
    if (!str_eq(body.stop.name, str_of(end)))
        return missing_end(p, &open, &body.stop, end);
    parse_land(p, &done);
    parse_land(p, &to_next);
    tests_end(p, start);
    if (body.blank)
        parse_drop_blank(p, start);
    *blank = body.blank;
    return OK;
}

enum err parse_if(struct parser *p, bool *blank)
{
    return parse_branches(p, false, "endif", blank);
}

enum err parse_unless(struct parser *p, bool *blank)
{
    return parse_branches(p, true, "endunless", blank);
}

/* A value of a when: `blank` and `empty` are words of their own there. */
static enum err when_values(struct parser *p, struct when *when)
{
    const struct expr **values = NULL;
    struct lexer        lexer = lexer_make(p->piece.markup);
    uint32_t            room = 0;
    do {
        TRY(parse_append(p, &values, &room, when->count, sizeof(const struct expr *)));
        TRY(parse_expr(p, &lexer, &values[when->count++]));
    } while (lexer_accept_word(&lexer, STR("or")) || lexer_accept(&lexer, TOKEN_COMMA));
    when->values = values;
    return parse_end(p, &lexer);
}

/* fragment(?:(?:\s+or\s+|\s*,\s*)(fragment.*))?, again and again. */
static enum err when_values_by_patterns(struct parser *p, struct when *when)
{
    const struct expr **values = NULL;
    struct str          rest = p->piece.markup, fragment;
    uint32_t            room = 0;
    for (bool more = true; more;) {
        if (!pattern_fragment(&rest, &fragment))
            return parse_fault(p, p->piece.at, "Write {% when value or value %}.",
                               "a when needs a value");
        TRY(parse_append(p, &values, &room, when->count, sizeof(const struct expr *)));
        TRY(parse_markup(p, fragment, &values[when->count++]));
        struct str tail = str_slice(rest, pattern_space_length(rest), rest.len);
        more = pattern_keyword(&rest, STR("or"));
        if (!more && str_starts(tail, STR(","))) {
            rest = str_slice(tail, 1, tail.len);
            rest = str_slice(rest, pattern_space_length(rest), rest.len);
            more = true;
        }
        more = more && pattern_fragment_length(rest) > 0;
    }
    when->values = values;
    return OK;
}

static enum err parse_when(struct parser *p, uint32_t temp, const struct expr *subject,
                           struct jumps *to_next)
{
    struct when *when = ARENA_NEW(p->arena, struct when);
    if (when == NULL)
        return ERR_MEMORY;
    when->subject = subject;
    p->literals = p->tested = true;
    if (parse_by_patterns(p))
        TRY(when_values_by_patterns(p, when));
    else
        TRY(when_values(p, when));
    p->literals = p->tested = false;
    return parse_jump(p, to_next, (struct op){ .code = OP_WHEN, .symbol = temp, .when = when });
}

/* One `when` or `else` with its body; a value that matches twice shows its body twice. */
static enum err parse_case_branch(struct parser *p, uint32_t temp, const struct expr *subject,
                                  struct body *body)
{
    struct jumps to_next = { 0 };
    bool         is_when = str_eq(body->stop.name, STR("when"));
    if (is_when) {
        TRY(parse_when(p, temp, subject, &to_next));
    } else {
        if (!text_is_blank(body->stop.markup))
            return parse_fault(p, body->stop.at, "Remove what follows.", "else takes no condition");
        TRY(parse_jump(p, &to_next, (struct op){ .code = OP_CASE_ELSE, .symbol = temp }));
    }
    uint32_t start = p->unit->op_count;
    TRY(parse_body(p, body));
    if (is_when) {
        struct op again = p->unit->ops[start - 1];
        again.code = OP_WHEN_AGAIN;
        again.target = start;
        TRY(parse_op(p, again, NULL));
    }
    parse_land(p, &to_next);
    return OK;
}

static enum err parse_subject(struct parser *p, const struct expr **out)
{
    struct lexer lexer = lexer_make(p->piece.markup);
    struct str   rest = p->piece.markup, fragment;
    p->tested = true;
    if (!parse_by_patterns(p)) {
        TRY(parse_expr(p, &lexer, out));
        TRY(parse_end(p, &lexer));
    } else if (pattern_fragment(&rest, &fragment)) {
        TRY(parse_markup(p, fragment, out));
    } else {
        return parse_fault(p, p->piece.at, "Write {% case value %}.", "a case needs a value");
    }
    p->tested = false;
    return OK;
}

enum err parse_case(struct parser *p, bool *blank)
{
    struct piece       open = p->piece;
    struct body        body = { .blank = true };
    struct jumps       to_first = { 0 };
    const struct expr *value = NULL;
    uint32_t           temp = parse_temp(p), start = p->unit->op_count;
    uint32_t           subject;
    TRY(parse_subject(p, &value));
    TRY(parse_op(p, (struct op){ .code = OP_CASE, .symbol = temp, .expr = value }, &subject));
    TRY(parse_jump(p, &to_first, (struct op){ .code = OP_JUMP }));
    TRY(parse_body(p, &body)); /* what stands before the first when is never shown */
    parse_land(p, &to_first);
    while (str_eq(body.stop.name, STR("when")) || str_eq(body.stop.name, STR("else")))
        TRY(parse_case_branch(p, temp, value, &body));
    if (!str_eq(body.stop.name, STR("endcase")))
        return missing_end(p, &open, &body.stop, "endcase");
    p->unit->ops[subject].target = p->unit->op_count;
    if (body.blank)
        parse_drop_blank(p, start);
    *blank = body.blank;
    return OK;
}

enum err parse_ifchanged(struct parser *p, bool *blank)
{
    uint32_t         temp = parse_temp(p), start = p->unit->op_count;
    struct body      body = { .blank = true };
    struct enclosing open = { .closed_by = OP_CHANGED_END, .temp = temp, .outer = p->enclosing };
    TRY(parse_op(p, (struct op){ .code = OP_CHANGED, .symbol = temp }, NULL));
    p->enclosing = &open;
    TRY(parse_body_to(p, &body, "endifchanged"));
    p->enclosing = open.outer;
    parse_keep(p, start);
    *blank = body.blank;
    return parse_op(p, (struct op){ .code = OP_CHANGED_END, .symbol = temp }, NULL);
}
