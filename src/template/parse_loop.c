#include "template/parse.h"
#include "template/patterns.h"

/* The collection as written: part of forloop.name and of the key of offset:continue. */
static enum err loop_name(struct parser *p, struct each *each, struct str variable,
                          struct str collection)
{
    each->name = str_format(p->arena, "%.*s-%.*s", STR_ARG(variable), STR_ARG(collection));
    return each->name.ptr == NULL ? ERR_MEMORY : OK;
}

static struct str between(const struct lexer *from, const struct lexer *to)
{
    const char *start =
        from->now.kind == TOKEN_STRING ? from->now.text.ptr - 1 : from->now.text.ptr;
    const char *end = to->now.kind == TOKEN_STRING ? to->now.text.ptr - 1 : to->now.text.ptr;
    return text_trim_right((struct str){ start, (size_t)(end - start) });
}

/* Where an attribute's value goes, or NULL: tables take more names, and not all mean something. */
static const struct expr **attribute_place(struct each *each, struct str name)
{
    if (str_eq(name, STR("limit")))
        return &each->limit;
    if (str_eq(name, STR("offset"))) {
        each->offset_continue = false; /* the last one counts */
        return &each->offset;
    }
    return each->table && str_eq(name, STR("cols")) ? &each->cols : NULL;
}

static enum err parse_attribute(struct parser *p, struct lexer *lexer, struct each *each)
{
    struct token       name;
    const struct expr *unused;
    TRY(parse_take(p, lexer, TOKEN_ID, "limit or offset", &name));
    const struct expr **place = attribute_place(each, name.text);
    if (place == NULL && each->table && str_eq(name.text, STR("range")))
        place = &unused;
    if (place == NULL)
        return parse_fault(p, name.text.ptr, "Use limit or offset (and cols in a tablerow).",
                           "a loop has no attribute '%.*s'", STR_ARG(str_slice(name.text, 0, 60)));
    TRY(parse_take(p, lexer, TOKEN_COLON, "':'", NULL));
    if (place == &each->offset && !each->table && lexer_accept_word(lexer, STR("continue"))) {
        each->offset_continue = true;
        return OK;
    }
    return parse_expr(p, lexer, place);
}

static enum err each_by_tokens(struct parser *p, struct each *each, struct str *variable)
{
    struct lexer lexer = lexer_make(p->piece.markup);
    struct token name;
    TRY(parse_take(p, &lexer, TOKEN_ID, "a variable's name", &name));
    *variable = name.text;
    if (!lexer_accept_word(&lexer, STR("in")))
        return parse_expected(p, &lexer, "'in'");
    struct lexer before = lexer;
    TRY(parse_expr(p, &lexer, &each->collection));
    TRY(loop_name(p, each, name.text, between(&before, &lexer)));
    each->reversed = !each->table && lexer_accept_word(&lexer, STR("reversed"));
    while (lexer_is(&lexer, TOKEN_COMMA) || lexer_is(&lexer, TOKEN_ID)) {
        if (lexer_accept(&lexer, TOKEN_COMMA) && lexer_is(&lexer, TOKEN_END))
            break;
        TRY(parse_attribute(p, &lexer, each));
    }
    return parse_end(p, &lexer);
}

/* \A([\w-]+)\s+in\s+(fragments)\s*(reversed)?, and for tables (\w+)\s+in\s+(fragments) anywhere. */
static bool each_head(struct parser *p, const struct each *each, struct str *variable,
                      struct str *collection, bool *reversed)
{
    struct str markup = p->piece.markup;
    for (size_t at = 0; at < markup.len;) {
        struct str tail = str_slice(markup, at, markup.len);
        size_t     word = pattern_word_length(tail, !each->table);
        struct str rest = str_slice(tail, word, tail.len);
        if (word > 0 && pattern_keyword(&rest, STR("in"))) {
            size_t n = pattern_fragments_length(rest);
            *variable = str_slice(tail, 0, word);
            *collection = str_slice(rest, 0, n);
            rest = str_slice(rest, n, rest.len);
            rest = str_slice(rest, pattern_space_length(rest), rest.len);
            *reversed = str_starts(rest, STR("reversed"));
            if (n > 0)
                return true;
        }
        if (!each->table)
            return false;
        at += word > 0 ? word : 1;
    }
    return false;
}

static enum err each_by_patterns(struct parser *p, struct each *each, struct str *variable)
{
    struct str collection, key, value, rest = p->piece.markup;
    bool       reversed;
    if (!each_head(p, each, variable, &collection, &reversed))
        return parse_fault(p, p->piece.at, "Write {% for item in list %}.",
                           "a loop needs a variable, 'in' and a list");
    each->reversed = reversed && !each->table;
    TRY(loop_name(p, each, *variable, collection));
    TRY(parse_markup(p, collection, &each->collection));
    while (pattern_attribute(&rest, &key, &value)) {
        const struct expr **place = attribute_place(each, key), *unused;
        each->offset_continue = each->offset_continue || (place == &each->offset && !each->table &&
                                                          str_eq(value, STR("continue")));
        if (place != &each->offset || !each->offset_continue)
            TRY(parse_markup(p, value, place == NULL ? &unused : place));
    }
    return OK;
}

static enum err parse_each(struct parser *p, struct each *each)
{
    struct str variable = STR_NONE;
    bool patterns = each->table ? parse_by_patterns(p) : p->t->conf.strictness == TEMPLATE_LAX;
    if (patterns)
        TRY(each_by_patterns(p, each, &variable));
    else
        TRY(each_by_tokens(p, each, &variable));
    TRY(parse_symbol(p, variable, &each->symbol));
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
    each->end = p->unit->op_count;
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
    each->end = p->unit->op_count;
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
