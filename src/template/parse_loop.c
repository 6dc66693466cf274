#include "template/parse.h"

/* The collection as written: part of forloop.name and of the key of offset:continue. */
static struct str loop_name(struct parser *p, struct str variable, struct lexer *from,
                            const struct lexer *to)
{
    const char *start =
        from->now.kind == TOKEN_STRING ? from->now.text.ptr - 1 : from->now.text.ptr;
    const char *end = to->now.kind == TOKEN_STRING ? to->now.text.ptr - 1 : to->now.text.ptr;
    struct str  text = text_trim_right((struct str){ start, (size_t)(end - start) });
    return str_format(p->arena, "%.*s-%.*s", STR_ARG(variable), STR_ARG(text));
}

static enum err parse_attribute(struct parser *p, struct lexer *lexer, struct each *each)
{
    struct token name;
    TRY(parse_take(p, lexer, TOKEN_ID, "limit or offset", &name));
    bool limit = str_eq(name.text, STR("limit")), offset = str_eq(name.text, STR("offset"));
    bool cols = each->table && str_eq(name.text, STR("cols"));
    if (!limit && !offset && !cols)
        return parse_fault(p, name.text.ptr, "Use limit or offset (and cols in a tablerow).",
                           "a loop has no attribute '%.*s'", STR_ARG(str_slice(name.text, 0, 60)));
    TRY(parse_take(p, lexer, TOKEN_COLON, "':'", NULL));
    if (offset && !each->table && lexer_accept_word(lexer, STR("continue"))) {
        each->offset_continue = true;
        return OK;
    }
    return parse_expr(p, lexer, limit ? &each->limit : offset ? &each->offset : &each->cols);
}

static enum err parse_each(struct parser *p, struct each *each)
{
    struct lexer lexer = lexer_make(p->piece.markup);
    struct token variable;
    TRY(parse_take(p, &lexer, TOKEN_ID, "a variable's name", &variable));
    if (!lexer_accept_word(&lexer, STR("in")))
        return parse_expected(p, &lexer, "'in'");
    struct lexer before = lexer;
    TRY(parse_expr(p, &lexer, &each->collection));
    each->name = loop_name(p, variable.text, &before, &lexer);
    each->reversed = !each->table && lexer_accept_word(&lexer, STR("reversed"));
    while (lexer_is(&lexer, TOKEN_COMMA) || lexer_is(&lexer, TOKEN_ID)) {
        if (lexer_accept(&lexer, TOKEN_COMMA) && lexer_is(&lexer, TOKEN_END))
            break;
        TRY(parse_attribute(p, &lexer, each));
    }
    TRY(parse_end(p, &lexer, false));
    TRY(parse_symbol(p, variable.text, &each->symbol));
    return parse_symbol(p, each->table ? STR("tablerowloop") : STR("forloop"), &each->loop_symbol);
}

/* The body with its variable bound and its breaks and continues gathered. */
static enum err parse_loop_body(struct parser *p, const struct each *each, struct enclosing *open,
                                struct body *body)
{
    uint32_t from = p->bound_count;
    TRY(parse_bind(p, each->symbol));
    TRY(parse_bind(p, each->loop_symbol));
    open->outer = p->enclosing;
    p->enclosing = open;
    TRY(parse_body(p, body));
    p->enclosing = open->outer;
    parse_unbind(p, from, from + 2);
    return OK;
}

enum err parse_for(struct parser *p, bool *blank)
{
    struct each     *each = ARENA_NEW(p->arena, struct each);
    struct jumps     breaks = { 0 }, continues = { 0 }, to_else = { 0 }, done = { 0 };
    struct enclosing open = { .closed_by = OP_FOR, .breaks = &breaks, .continues = &continues };
    struct body      body = { .blank = true };
    uint32_t         start = p->unit->op_count;
    if (each == NULL)
        return ERR_MEMORY;
    TRY(parse_each(p, each));
    TRY(parse_jump(p, &to_else, (struct op){ .code = OP_FOR, .each = each }));
    uint32_t top = p->unit->op_count;
    TRY(parse_loop_body(p, each, &open, &body));
    parse_land(p, &continues);
    TRY(parse_op(p, (struct op){ .code = OP_FOR_NEXT, .target = top }, NULL));
    parse_land(p, &breaks);
    TRY(parse_op(p, (struct op){ .code = OP_FOR_END }, NULL));
    TRY(parse_jump(p, &done, (struct op){ .code = OP_JUMP }));
    parse_land(p, &to_else);
    if (str_eq(body.stop.name, STR("else")))
        TRY(parse_body(p, &body));
    if (!str_eq(body.stop.name, STR("endfor")))
        return parse_fault(p, body.stop.at, "Close the loop with {% endfor %}.",
                           "expected endfor, found '%.*s'",
                           STR_ARG(str_slice(body.stop.name, 0, 60)));
    parse_land(p, &done);
    if (body.blank)
        parse_drop_blank(p, start);
    *blank = body.blank;
    return OK;
}

/*
 *      OP_FOR            opens row and cell
 *      body
 *      OP_CELL_END       <- continue
 *      OP_FOR_NEXT       opens the next cell, back to the body
 *      OP_JUMP over
 *      OP_CELL_END       <- break: closes the cell, never the row
 *      OP_FOR_END        closes the row
 */
enum err parse_tablerow(struct parser *p, bool *blank)
{
    struct each     *each = ARENA_NEW(p->arena, struct each);
    struct jumps     breaks = { 0 }, continues = { 0 }, skip = { 0 }, done = { 0 };
    struct enclosing open = { .closed_by = OP_FOR, .breaks = &breaks, .continues = &continues };
    struct body      body = { .blank = true };
    uint32_t         start = p->unit->op_count;
    if (each == NULL)
        return ERR_MEMORY;
    each->table = true;
    TRY(parse_each(p, each));
    TRY(parse_jump(p, &skip, (struct op){ .code = OP_FOR, .each = each }));
    uint32_t top = p->unit->op_count;
    TRY(parse_loop_body(p, each, &open, &body));
    if (!str_eq(body.stop.name, STR("endtablerow")))
        return parse_fault(p, body.stop.at, "Close the table with {% endtablerow %}.",
                           "expected endtablerow, found '%.*s'",
                           STR_ARG(str_slice(body.stop.name, 0, 60)));
    parse_land(p, &continues);
    TRY(parse_op(p, (struct op){ .code = OP_CELL_END }, NULL));
    TRY(parse_op(p, (struct op){ .code = OP_FOR_NEXT, .target = top }, NULL));
    TRY(parse_jump(p, &done, (struct op){ .code = OP_JUMP }));
    parse_land(p, &breaks);
    TRY(parse_op(p, (struct op){ .code = OP_CELL_END, .delta = -1 }, NULL));
    parse_land(p, &done);
    TRY(parse_op(p, (struct op){ .code = OP_FOR_END }, NULL));
    parse_land(p, &skip);
    parse_keep(p, start);
    *blank = body.blank;
    return OK;
}

enum err parse_interrupt(struct parser *p, bool is_break)
{
    struct enclosing *open = p->enclosing;
    for (; open != NULL && open->closed_by != OP_FOR; open = open->outer)
        TRY(parse_op(
            p,
            (struct op){ .code = (uint8_t)open->closed_by,
                         .symbol = open->closed_by == OP_CAPTURE_END ? open->symbol : open->temp,
                         .target = open->temp },
            NULL));
    if (open == NULL)
        return parse_op(p, (struct op){ .code = is_break ? OP_LEAVE_BREAK : OP_LEAVE_CONTINUE },
                        NULL);
    return parse_jump(p, is_break ? open->breaks : open->continues, (struct op){ .code = OP_JUMP });
}

enum err parse_break(struct parser *p, bool *blank)
{
    *blank = false;
    return parse_interrupt(p, true);
}

enum err parse_continue(struct parser *p, bool *blank)
{
    *blank = false;
    return parse_interrupt(p, false);
}
