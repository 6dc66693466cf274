#include "template/parse.h"

#include <string.h>

/* What Shopify takes for the left side of an assignment. */
static bool is_target(char c)
{
    return text_is_word(c) || (c != '\0' && strchr("-.[]()", c) != NULL);
}

static struct str target_scan(struct str text)
{
    size_t n = 0;
    while (n < text.len && is_target(text.ptr[n]))
        n++;
    return str_slice(text, 0, n);
}

enum err parse_echo(struct parser *p, bool *blank)
{
    const struct expr *expr = NULL;
    *blank = false;
    if (text_is_blank(p->piece.markup))
        return OK;
    TRY(parse_filtered(p, p->piece.markup, &expr));
    if (expr->kind == EXPR_PATH)
        return parse_op(p, (struct op){ .code = OP_OUT_PATH, .path = expr->path }, NULL);
    return parse_op(p, (struct op){ .code = OP_OUT, .expr = expr }, NULL);
}

enum err parse_assign(struct parser *p, bool *blank)
{
    struct str         name = target_scan(p->piece.markup);
    struct str         rest = str_slice(p->piece.markup, name.len, p->piece.markup.len);
    const struct expr *expr = NULL;
    uint32_t           symbol;
    *blank = true;
    rest = text_trim_left(rest);
    if (name.len == 0 || rest.len == 0 || rest.ptr[0] != '=')
        return parse_fault(p, p->piece.at, "Write {% assign name = value %}.",
                           "an assignment needs a name, '=' and a value");
    TRY(parse_filtered(p, str_slice(rest, 1, rest.len), &expr));
    TRY(parse_symbol(p, name, &symbol));
    TRY(parse_bind_rest(p, symbol));
    return parse_op(p, (struct op){ .code = OP_ASSIGN, .symbol = symbol, .expr = expr }, NULL);
}

enum err parse_capture(struct parser *p, bool *blank)
{
    struct str text = p->piece.markup;
    uint32_t   symbol, temp = parse_temp(p), start;
    while (text.len > 0 && !is_target(text.ptr[0])) /* quotes around the name are allowed */
        text = str_slice(text, 1, text.len);
    struct str name = target_scan(text);
    if (name.len == 0)
        return parse_fault(p, p->piece.at, "Write {% capture name %}.", "a capture needs a name");
    TRY(parse_symbol(p, name, &symbol));
    TRY(parse_op(p, (struct op){ .code = OP_CAPTURE, .symbol = symbol, .target = temp }, &start));
    struct body      body = { .blank = true };
    struct enclosing open = {
        .closed_by = OP_CAPTURE_END, .symbol = symbol, .temp = temp, .outer = p->enclosing
    };
    p->enclosing = &open;
    TRY(parse_body_to(p, &body, "endcapture"));
    p->enclosing = open.outer;
    parse_keep(p, start);
    TRY(parse_bind_rest(p, symbol));
    *blank = true;
    return parse_op(p, (struct op){ .code = OP_CAPTURE_END, .symbol = symbol, .target = temp },
                    NULL);
}

enum err parse_count(struct parser *p, bool *blank)
{
    struct str name = text_trim_right(p->piece.markup);
    bool       up = str_eq(p->piece.name, STR("increment"));
    uint32_t   symbol;
    *blank = false;
    if (name.len == 0)
        return parse_fault(p, p->piece.at, "Add a name.", "a counter needs a name");
    TRY(parse_symbol(p, name, &symbol));
    TRY(parse_bind_rest(p, symbol));
    return parse_op(p, (struct op){ .code = OP_COUNT, .symbol = symbol, .delta = up ? 1 : -1 },
                    NULL);
}

/* Unnamed cycles of the same literals share their place; one with variables stands alone. */
static enum err cycle_key(struct parser *p, struct cycle *cycle)
{
    bool literal = true;
    for (uint32_t i = 0; i < cycle->count; i++)
        literal = literal && cycle->items[i]->kind == EXPR_LITERAL;
    const char *at = p->piece.at;
    cycle->key = literal ? text_trim_right(p->piece.markup)
                         : str_format(p->arena, "%.*s@%zu", STR_ARG(p->unit->name),
                                      (size_t)(at - p->source.ptr));
    return cycle->key.ptr == NULL ? ERR_MEMORY : OK;
}

enum err parse_cycle(struct parser *p, bool *blank)
{
    struct cycle       *cycle = ARENA_NEW(p->arena, struct cycle);
    const struct expr **items = NULL;
    struct lexer        lexer = lexer_make(p->piece.markup);
    uint32_t            room = 0;
    if (cycle == NULL)
        return ERR_MEMORY;
    *blank = false;
    do {
        if (cycle->count > 0 && lexer_is(&lexer, TOKEN_END))
            break;
        TRY(parse_append(p, &items, &room, cycle->count, sizeof(const struct expr *)));
        TRY(parse_expr(p, &lexer, &items[cycle->count]));
        if (cycle->count == 0 && cycle->name == NULL && lexer_accept(&lexer, TOKEN_COLON)) {
            cycle->name = items[0];
            TRY(parse_expr(p, &lexer, &items[0]));
        }
        cycle->count++;
    } while (lexer_accept(&lexer, TOKEN_COMMA));
    TRY(parse_end(p, &lexer, true));
    cycle->items = items;
    TRY(cycle_key(p, cycle));
    return parse_op(p, (struct op){ .code = OP_CYCLE, .cycle = cycle }, NULL);
}

/* Comments nest, and a raw block inside one may hold anything. */
enum err parse_comment(struct parser *p, bool *blank)
{
    struct str ignored;
    *blank = true;
    for (int open = 1; open > 0;) {
        size_t       before = p->scan.at;
        struct piece piece = scan_next(&p->scan);
        if (piece.kind == PIECE_END)
            return parse_fault(p, p->piece.at, "Add {% endcomment %}.", "a comment is not closed");
        if (piece.kind == PIECE_BROKEN && p->scan.at == before)
            p->scan.at += 2;
        if (piece.kind != PIECE_TAG)
            continue;
        if (str_eq(piece.name, STR("comment")))
            open++;
        else if (str_eq(piece.name, STR("endcomment")))
            open--;
        else if (str_eq(piece.name, STR("raw")) && !p->scan.lines &&
                 !scan_raw(&p->scan, STR("endraw"), &ignored))
            return parse_fault(p, piece.at, "Add {% endraw %}.", "a raw block is not closed");
    }
    return OK;
}

enum err parse_hash(struct parser *p, bool *blank)
{
    struct str rest = p->piece.markup, line;
    *blank = true;
    str_split(&rest, '\n', &line);
    while (str_split(&rest, '\n', &line)) {
        line = text_trim_left(line);
        if (line.len > 0 && line.ptr[0] != '#')
            return parse_fault(p, line.ptr, "Begin each line with #.",
                               "a line of this comment does not begin with #");
    }
    return OK;
}

static enum err parse_verbatim(struct parser *p, const char *end, struct str *body)
{
    struct piece open = p->piece;
    if (!text_is_blank(open.markup) && str_eq(str_of(end), STR("endraw")))
        return parse_fault(p, open.at, "Remove what follows.", "raw takes no arguments");
    if (p->scan.lines || !scan_raw(&p->scan, str_of(end), body))
        return parse_fault(p, open.at, "Add the closing tag.", "{%% %s %%} is missing", end);
    return OK;
}

enum err parse_raw(struct parser *p, bool *blank)
{
    struct str body = STR_NONE;
    TRY(parse_verbatim(p, "endraw", &body));
    *blank = body.len == 0;
    if (body.len == 0)
        return OK;
    return parse_op(p, (struct op){ .code = OP_TEXT, .keep = true, .text = body }, NULL);
}

enum err parse_doc(struct parser *p, bool *blank)
{
    struct str body = STR_NONE;
    *blank = true;
    return parse_verbatim(p, "enddoc", &body);
}

enum err parse_liquid(struct parser *p, bool *blank)
{
    struct scan document = p->scan;
    struct body body = { .blank = true };
    p->scan = scan_make(p->piece.markup, true);
    TRY(parse_body(p, &body));
    p->scan = document;
    *blank = body.blank;
    if (body.stop.kind == PIECE_END)
        return OK;
    return parse_fault(p, body.stop.at, "Close blocks where they were opened.",
                       "unknown or misplaced tag '%.*s' in a liquid tag",
                       STR_ARG(str_slice(body.stop.name, 0, 60)));
}
