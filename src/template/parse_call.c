#include "template/parse.h"

/* "parts/footer" is bound as "footer". */
static struct str last_part(struct str name)
{
    for (size_t i = name.len; i > 0; i--)
        if (name.ptr[i - 1] == '/')
            return str_slice(name, i, name.len);
    return name;
}

static enum err parse_arguments(struct parser *p, struct lexer *lexer, struct call *call)
{
    struct argument *arguments = NULL;
    uint32_t         room = 0;
    lexer_accept(lexer, TOKEN_COMMA);
    while (lexer_is(lexer, TOKEN_ID)) {
        struct token name = lexer_take(lexer);
        TRY(parse_append(p, &arguments, &room, call->argument_count, sizeof *arguments));
        struct argument *argument = &arguments[call->argument_count++];
        TRY(parse_take(p, lexer, TOKEN_COLON, "':' after an argument's name", NULL));
        TRY(parse_symbol(p, name.text, &argument->symbol));
        TRY(parse_expr(p, lexer, &argument->expr));
        lexer_accept(lexer, TOKEN_COMMA);
    }
    call->arguments = arguments;
    return parse_end(p, lexer, true);
}

static enum err parse_with(struct parser *p, struct lexer *lexer, struct call *call)
{
    call->with_symbol = SYMBOL_NONE;
    if (lexer->next.kind != TOKEN_COLON &&
        (lexer_is_word(lexer, STR("for")) || lexer_is_word(lexer, STR("with")))) {
        call->each = lexer_is_word(lexer, STR("for"));
        lexer_take(lexer);
        TRY(parse_expr(p, lexer, &call->with));
    }
    if (lexer->next.kind != TOKEN_COLON && lexer_accept_word(lexer, STR("as"))) {
        struct token alias;
        TRY(parse_take(p, lexer, TOKEN_ID, "a name after 'as'", &alias));
        TRY(parse_symbol(p, alias.text, &call->with_symbol));
    }
    return OK;
}

/* The snippet is read knowing what is bound for it: those names are not taken for data. */
static enum err parse_callee(struct parser *p, struct str name, struct call *call)
{
    struct parser inside = *p;
    uint32_t      forloop;
    if (call->with_symbol == SYMBOL_NONE)
        TRY(parse_symbol(p, last_part(name), &call->with_symbol));
    inside.bound = NULL;
    inside.bound_count = inside.bound_room = 0;
    for (uint32_t i = 0; !call->isolated && i < p->bound_count; i++)
        TRY(parse_bind(&inside, p->bound[i]));
    for (uint32_t i = 0; i < call->argument_count; i++)
        TRY(parse_bind(&inside, call->arguments[i].symbol));
    if (call->with != NULL)
        TRY(parse_bind(&inside, call->with_symbol));
    if (call->each && call->isolated) {
        TRY(parse_symbol(p, STR("forloop"), &forloop));
        TRY(parse_bind(&inside, forloop));
    }
    return parse_snippet(&inside, name, &call->unit);
}

static enum err parse_after_call(struct parser *p)
{
    struct jumps skip = { 0 };
    TRY(parse_jump(p, &skip, (struct op){ .code = OP_UNLESS_BREAK }));
    TRY(parse_interrupt(p, true));
    parse_land(p, &skip);
    TRY(parse_jump(p, &skip, (struct op){ .code = OP_UNLESS_CONTINUE }));
    TRY(parse_interrupt(p, false));
    parse_land(p, &skip);
    return OK;
}

enum err parse_include(struct parser *p, bool *blank)
{
    struct call *call = ARENA_NEW(p->arena, struct call);
    struct lexer lexer = lexer_make(p->piece.markup);
    if (call == NULL)
        return ERR_MEMORY;
    *blank = false;
    TRY(parse_expr(p, &lexer, &call->name));
    TRY(parse_with(p, &lexer, call));
    TRY(parse_arguments(p, &lexer, call));
    if (call->name->kind == EXPR_LITERAL && call->name->literal.kind == VALUE_STRING) {
        TRY(parse_callee(p, call->name->literal.string, call));
        call->name = NULL;
    }
    TRY(parse_op(p, (struct op){ .code = OP_CALL, .call = call }, NULL));
    return parse_after_call(p);
}

enum err parse_render(struct parser *p, bool *blank)
{
    struct call *call = ARENA_NEW(p->arena, struct call);
    struct lexer lexer = lexer_make(p->piece.markup);
    struct token name;
    uint32_t     forloop;
    if (call == NULL)
        return ERR_MEMORY;
    *blank = false;
    call->isolated = true;
    TRY(parse_take(p, &lexer, TOKEN_STRING, "a snippet's name in quotes", &name));
    TRY(parse_with(p, &lexer, call));
    TRY(parse_arguments(p, &lexer, call));
    TRY(parse_symbol(p, STR("forloop"), &forloop));
    TRY(parse_callee(p, name.text, call));
    return parse_op(p, (struct op){ .code = OP_CALL, .symbol = forloop, .call = call }, NULL);
}
