#include "template/parse.h"
#include "template/patterns.h"

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
    return parse_end(p, lexer);
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
    TRY(parse_symbol(p, name, &call->name_symbol));
    inside.bound = NULL;
    inside.bound_count = inside.bound_room = 0;
    for (uint32_t i = 0; !call->isolated && i < p->bound_count; i++)
        TRY(parse_bind(&inside, p->bound[i]));
    for (uint32_t i = 0; i < call->argument_count; i++)
        TRY(parse_bind(&inside, call->arguments[i].symbol));
    if (call->with != NULL || (!call->isolated && call->with_symbol != call->name_symbol))
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

static enum err parse_argument_add(struct parser *p, struct call *call, uint32_t *room,
                                   struct str name, struct str value)
{
    struct argument *arguments = (struct argument *)(uintptr_t)call->arguments;
    TRY(parse_append(p, &arguments, room, call->argument_count, sizeof *arguments));
    call->arguments = arguments;
    struct argument *argument = &arguments[call->argument_count++];
    TRY(parse_symbol(p, name, &argument->symbol));
    return parse_markup(p, value, &argument->expr);
}

/* (\s+(with|for)\s+(fragments))?(\s+as\s+([\w-]+))? and then every `name: value` there is. */
static enum err call_by_patterns(struct parser *p, struct str rest, struct call *call)
{
    struct str all = p->piece.markup, tail = rest, key, value;
    uint32_t   room = 0;
    call->with_symbol = SYMBOL_NONE;
    call->each = pattern_keyword(&tail, STR("for"));
    if (call->each || pattern_keyword(&tail, STR("with"))) {
        size_t n = pattern_fragments_length(tail);
        call->each = call->each && n > 0;
        if (n > 0) {
            TRY(parse_markup(p, str_slice(tail, 0, n), &call->with));
            rest = str_slice(tail, n, tail.len);
        }
    }
    if (pattern_keyword(&rest, STR("as")) && pattern_word_length(rest, true) > 0)
        TRY(parse_symbol(p, str_slice(rest, 0, pattern_word_length(rest, true)),
                         &call->with_symbol));
    while (pattern_attribute(&all, &key, &value))
        TRY(parse_argument_add(p, call, &room, key, value));
    return OK;
}

static enum err call_by_tokens(struct parser *p, struct lexer *lexer, struct call *call)
{
    TRY(parse_with(p, lexer, call));
    return parse_arguments(p, lexer, call);
}

static enum err include_read(struct parser *p, struct call *call)
{
    struct lexer lexer = lexer_make(p->piece.markup);
    if (!parse_by_patterns(p)) {
        TRY(parse_expr(p, &lexer, &call->name));
        return call_by_tokens(p, &lexer, call);
    }
    struct str rest = p->piece.markup, name;
    if (!pattern_fragment(&rest, &name))
        return parse_fault(p, p->piece.at, "Write {% include 'name' %}.",
                           "an include needs a snippet's name");
    size_t more = pattern_fragments_length(rest);
    name.len += more;
    TRY(parse_markup(p, name, &call->name));
    return call_by_patterns(p, str_slice(rest, more, rest.len), call);
}

enum err parse_include(struct parser *p, bool *blank)
{
    struct call *call = ARENA_NEW(p->arena, struct call);
    if (call == NULL)
        return ERR_MEMORY;
    *blank = false;
    p->t->has_snippets = true;
    call->name_symbol = SYMBOL_NONE;
    TRY(include_read(p, call));
    if (call->name->kind == EXPR_LITERAL && call->name->literal.kind == VALUE_STRING) {
        TRY(parse_callee(p, call->name->literal.string, call));
        call->name = NULL;
    }
    TRY(parse_op(p, (struct op){ .code = OP_CALL, .call = call }, NULL));
    return parse_after_call(p);
}

static enum err render_read(struct parser *p, struct call *call, struct str *name)
{
    struct lexer lexer = lexer_make(p->piece.markup);
    struct str   rest = p->piece.markup;
    if (!parse_by_patterns(p)) {
        struct token token;
        TRY(parse_take(p, &lexer, TOKEN_STRING, "a snippet's name in quotes", &token));
        *name = token.text;
        return call_by_tokens(p, &lexer, call);
    }
    if (!pattern_quoted(&rest, name))
        return parse_fault(p, p->piece.at, "Write {% render 'name' %}.",
                           "a render needs a snippet's name in quotes");
    *name = str_slice(*name, 1, name->len - 1);
    return call_by_patterns(p, rest, call);
}

enum err parse_render(struct parser *p, bool *blank)
{
    struct call *call = ARENA_NEW(p->arena, struct call);
    struct str   name = STR_NONE;
    uint32_t     forloop;
    if (call == NULL)
        return ERR_MEMORY;
    *blank = false;
    p->t->has_snippets = true;
    call->isolated = true;
    call->name_symbol = SYMBOL_NONE;
    TRY(render_read(p, call, &name));
    TRY(parse_symbol(p, STR("forloop"), &forloop));
    TRY(parse_callee(p, name, call));
    return parse_op(p, (struct op){ .code = OP_CALL, .symbol = forloop, .call = call }, NULL);
}
