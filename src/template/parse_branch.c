#include "template/parse.h"

static enum err emit_test(struct parser *p, enum op_code code, const struct test *test,
                          struct jumps *jumps)
{
    return parse_jump(p, jumps, (struct op){ .code = (uint8_t)code, .test = test });
}

/*
 * Liquid binds to the right: `a and b or c` is `a and (b or c)`. So each test decides alone
 * whether the whole is already known, and the last one decides the rest.
 */
static enum err parse_condition(struct parser *p, bool negated, struct jumps *to_next)
{
    struct lexer       lexer = lexer_make(p->piece.markup);
    struct jumps       if_true = { 0 }, if_false = { 0 };
    const struct test *test = NULL;
    for (;;) {
        TRY(parse_test(p, &lexer, &test));
        if (lexer_accept_word(&lexer, STR("and")))
            TRY(emit_test(p, OP_TEST_AND, test, &if_false));
        else if (lexer_accept_word(&lexer, STR("or")))
            TRY(emit_test(p, OP_TEST_OR, test, &if_true));
        else
            break;
    }
    TRY(parse_end(p, &lexer, false));
    TRY(emit_test(p, OP_TEST_AND, test, &if_false));
    parse_land(p, &if_true);
    if (!negated) {
        *to_next = if_false;
        return OK;
    }
    TRY(parse_jump(p, to_next, (struct op){ .code = OP_JUMP }));
    parse_land(p, &if_false);
    return OK;
}

/* The next branch: what was open so far jumps to the end, what failed its test comes here. */
static enum err parse_next_branch(struct parser *p, struct jumps *done, struct jumps *to_next)
{
    TRY(parse_jump(p, done, (struct op){ .code = OP_JUMP }));
    parse_land(p, to_next);
    return OK;
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

static enum err parse_when(struct parser *p, uint32_t temp, struct jumps *to_next)
{
    struct when        *when = ARENA_NEW(p->arena, struct when);
    const struct expr **values = NULL;
    struct lexer        lexer = lexer_make(p->piece.markup);
    uint32_t            room = 0, count = 0;
    if (when == NULL)
        return ERR_MEMORY;
    p->literals = true;
    p->tested = true;
    do {
        TRY(parse_append(p, &values, &room, count, sizeof(const struct expr *)));
        TRY(parse_expr(p, &lexer, &values[count++]));
    } while (lexer_accept_word(&lexer, STR("or")) || lexer_accept(&lexer, TOKEN_COMMA));
    p->literals = false;
    p->tested = false;
    TRY(parse_end(p, &lexer, true));
    *when = (struct when){ values, count };
    return parse_jump(p, to_next, (struct op){ .code = OP_WHEN, .symbol = temp, .when = when });
}

/* One `when` or `else` with its body; a value that matches twice shows its body twice. */
static enum err parse_case_branch(struct parser *p, uint32_t temp, struct body *body)
{
    struct jumps to_next = { 0 };
    bool         is_when = str_eq(body->stop.name, STR("when"));
    if (is_when) {
        TRY(parse_when(p, temp, &to_next));
    } else {
        if (!text_is_blank(body->stop.markup) && p->t->conf.strictness == TEMPLATE_STRICT2)
            return parse_fault(p, body->stop.at, "Remove what follows.", "else takes no condition");
        TRY(parse_jump(p, &to_next, (struct op){ .code = OP_CASE_ELSE, .symbol = temp }));
    }
    uint32_t start = p->unit->op_count;
    TRY(parse_body(p, body));
    if (is_when)
        TRY(parse_op(p, (struct op){ .code = OP_WHEN_AGAIN, .symbol = temp, .target = start },
                     NULL));
    parse_land(p, &to_next);
    return OK;
}

enum err parse_case(struct parser *p, bool *blank)
{
    struct piece       open = p->piece;
    struct lexer       lexer = lexer_make(p->piece.markup);
    struct body        body = { .blank = true };
    struct jumps       to_first = { 0 };
    const struct expr *value = NULL;
    uint32_t           temp = parse_temp(p), start = p->unit->op_count;
    p->tested = true;
    TRY(parse_expr(p, &lexer, &value));
    p->tested = false;
    TRY(parse_end(p, &lexer, true));
    TRY(parse_op(p, (struct op){ .code = OP_CASE, .symbol = temp, .expr = value }, NULL));
    TRY(parse_jump(p, &to_first, (struct op){ .code = OP_JUMP }));
    TRY(parse_body(p, &body)); /* what stands before the first when is never shown */
    parse_land(p, &to_first);
    while (str_eq(body.stop.name, STR("when")) || str_eq(body.stop.name, STR("else")))
        TRY(parse_case_branch(p, temp, &body));
    if (!str_eq(body.stop.name, STR("endcase")))
        return missing_end(p, &open, &body.stop, "endcase");
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
