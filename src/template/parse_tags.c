#include "template/parse.h"
#include "template/patterns.h"

#include <string.h>

/* Nothing at all is nil. */
static enum err parse_output_or_nothing(struct parser *p, struct str markup,
                                        const struct expr **out)
{
    return text_is_blank(markup) ? parse_literal(p, VALUE_NONE, out)
                                 : parse_filtered(p, markup, out);
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

/* strict2 takes only what can be read again as a name. */
static enum err target_check(struct parser *p, struct str name)
{
    struct lexer lexer = lexer_make(name);
    if (p->t->conf.strictness != TEMPLATE_STRICT2)
        return OK;
    TRY(parse_take(p, &lexer, TOKEN_ID, "a name", NULL));
    return parse_end(p, &lexer);
}

/* (target)\s*=\s*(.*), wherever it begins. */
static bool assign_split(struct str markup, struct str *name, struct str *value)
{
    while (pattern_target(&markup, name)) {
        *value = text_trim_left(markup);
        if (str_starts(*value, STR("="))) {
            *value = str_slice(*value, 1, value->len);
            return true;
        }
    }
    return false;
}

enum err parse_assign(struct parser *p, bool *blank)
{
    struct str         name, value;
    const struct expr *expr = NULL;
    uint32_t           symbol;
    *blank = true;
    if (!assign_split(p->piece.markup, &name, &value))
        return parse_fault(p, p->piece.at, "Write {% assign name = value %}.",
                           "an assignment needs a name, '=' and a value");
    TRY(target_check(p, name));
    TRY(parse_output_or_nothing(p, value, &expr));
    TRY(parse_symbol(p, name, &symbol));
    TRY(parse_bind_rest(p, symbol));
    return parse_op(p, (struct op){ .code = OP_ASSIGN, .symbol = symbol, .expr = expr }, NULL);
}

enum err parse_capture(struct parser *p, bool *blank)
{
    struct str text = p->piece.markup, name;
    uint32_t   symbol, temp = parse_temp(p), start;
    if (p->t->conf.strictness == TEMPLATE_STRICT2)
        TRY(target_check(p, text));
    if (!pattern_target(&text, &name))
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
    TRY(target_check(p, name));
    TRY(parse_symbol(p, name, &symbol));
    TRY(parse_bind_rest(p, symbol));
    return parse_op(p, (struct op){ .code = OP_COUNT, .symbol = symbol, .delta = up ? 1 : -1 },
                    NULL);
}

/* Unnamed cycles of the same values share their place; one with variables stands alone. */
static enum err cycle_key(struct parser *p, struct cycle *cycle)
{
    struct buf key = buf_make(TEMPLATE_VALUE_BYTES_MAX);
    for (uint32_t i = 0; i < cycle->count; i++) {
        const struct expr *item = cycle->items[i];
        if (item->kind != EXPR_LITERAL) {
            buf_reset(&key);
            buf_format(&key, "%.*s@%zu", STR_ARG(p->unit->name),
                       (size_t)(p->piece.at - p->source.ptr));
            break;
        }
        value_key_write(&key, &item->literal);
        buf_char(&key, ',');
    }
    cycle->key = str_copy(p->arena, buf_view(&key));
    enum err err = buf_err(&key);
    buf_done(&key);
    return err != OK ? err : cycle->key.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err cycle_add(struct parser *p, struct cycle *cycle, uint32_t *room,
                          const struct expr *item)
{
    const struct expr **items = (const struct expr **)(uintptr_t)cycle->items;
    TRY(parse_append(p, &items, room, cycle->count, sizeof(const struct expr *)));
    items[cycle->count++] = item;
    cycle->items = items;
    return OK;
}

static enum err cycle_by_tokens(struct parser *p, struct cycle *cycle)
{
    struct lexer       lexer = lexer_make(p->piece.markup);
    const struct expr *item = NULL;
    uint32_t           room = 0;
    do {
        if (cycle->count > 0 && lexer_is(&lexer, TOKEN_END))
            break;
        TRY(parse_expr(p, &lexer, &item));
        if (cycle->count == 0 && cycle->name == NULL && lexer_accept(&lexer, TOKEN_COLON)) {
            cycle->name = item;
            TRY(parse_expr(p, &lexer, &item));
        }
        TRY(cycle_add(p, cycle, &room, item));
    } while (lexer_accept(&lexer, TOKEN_COMMA));
    return parse_end(p, &lexer);
}

/* \A(fragment)\s*:\s*: the name ends before the last colon that can follow it; 0 for no name. */
static size_t cycle_name_length(struct str markup, size_t *colon)
{
    size_t most = pattern_fragment_length(markup);
    bool   quoted = most > 0 && (markup.ptr[0] == '"' || markup.ptr[0] == '\'');
    for (size_t n = most; n > 0; n = quoted ? 0 : n - 1) {
        *colon = n + pattern_space_length(str_slice(markup, n, markup.len));
        if (*colon < markup.len && markup.ptr[*colon] == ':')
            return n;
    }
    return 0;
}

static enum err cycle_by_patterns(struct parser *p, struct cycle *cycle)
{
    struct str markup = p->piece.markup, rest = markup, piece, fragment;
    uint32_t   room = 0;
    size_t     colon = 0, name = cycle_name_length(markup, &colon);
    if (pattern_fragment_length(markup) == 0)
        return parse_fault(p, p->piece.at, "Write {% cycle 'one', 'two' %}.",
                           "a cycle needs values");
    if (name > 0) {
        TRY(parse_markup(p, str_slice(markup, 0, name), &cycle->name));
        rest = str_slice(markup, colon + 1, markup.len);
    }
    while (str_split(&rest, ',', &piece)) {
        const struct expr *item = NULL;
        if (!pattern_fragment(&piece, &fragment))
            continue;
        TRY(parse_markup(p, fragment, &item));
        TRY(cycle_add(p, cycle, &room, item));
    }
    return OK;
}

enum err parse_cycle(struct parser *p, bool *blank)
{
    struct cycle *cycle = ARENA_NEW(p->arena, struct cycle);
    if (cycle == NULL)
        return ERR_MEMORY;
    *blank = false;
    if (parse_by_patterns(p))
        TRY(cycle_by_patterns(p, cycle));
    else
        TRY(cycle_by_tokens(p, cycle));
    TRY(cycle_key(p, cycle));
    return parse_op(p, (struct op){ .code = OP_CYCLE, .cycle = cycle }, NULL);
}

/* Comments nest, and a raw block inside one may hold anything. */
enum err parse_comment(struct parser *p, bool *blank)
{
    struct str ignored, nested;
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
                 !scan_raw(&p->scan, STR("endraw"), &ignored, &nested))
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
    struct str   nested = STR_NONE;
    if (!text_is_blank(open.markup))
        return parse_fault(p, open.at, "Remove what follows.", "%s takes no arguments", end + 3);
    if (p->scan.lines || !scan_raw(&p->scan, str_of(end), body, &nested))
        return parse_fault(p, open.at, "Add the closing tag.", "{%% %s %%} is missing", end);
    if (nested.ptr != NULL && str_eq(nested, STR("doc")))
        return parse_fault(p, nested.ptr, "Close the first one before.", "a doc within a doc");
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
