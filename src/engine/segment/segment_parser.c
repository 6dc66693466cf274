#include "engine/segment/segment_parser.h"

#include <stdio.h>
#include <string.h>

#define WHAT_FOUND_BYTES 60

enum err parser_fail(const struct parser *p, const struct segment_token *at, enum err code,
                     const char *what, const char *remedy)
{
    char where[32];
    snprintf(where, sizeof where, "%u:%u", at->line, at->column);
    return problem_set(p->problem, code, where, what, remedy);
}

enum err parser_expected(const struct parser *p, const char *what, const char *remedy)
{
    char       text[200], found[WHAT_FOUND_BYTES];
    struct str source = str_slice(p->lexer.source, p->token.from, p->token.to);

    /* Cut between characters. */
    if (source.len >= sizeof found) {
        source.len = sizeof found - 1;
        while (source.len > 0 && ((unsigned char)source.ptr[source.len] & 0xC0) == 0x80)
            source.len--;
    }
    if (p->token.kind == TOKEN_END)
        snprintf(text, sizeof text, "expected %s, found the end", what);
    else
        snprintf(text, sizeof text, "expected %s, found %s", what,
                 str_to_cstr(source, found, sizeof found));
    return parser_fail(p, &p->token, ERR_INPUT, text, remedy);
}

enum err parser_refuse(const struct parser *p, const struct segment_token *at,
                       struct segment_fault fault)
{
    return fault.what == NULL ? OK : parser_fail(p, at, ERR_INPUT, fault.what, fault.remedy);
}

enum err parser_advance(struct parser *p)
{
    return segment_lex(&p->lexer, &p->token);
}

bool parser_is_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_WORD && str_eq_nocase(p->token.text, str_of(word));
}

bool parser_is_sign(const struct parser *p, const char *sign)
{
    return p->token.kind == TOKEN_SIGN && str_eq(p->token.text, str_of(sign));
}

struct parser parser_ahead(const struct parser *p)
{
    struct parser ahead = *p;
    ahead.lexer.problem = NULL;
    enum err err = parser_advance(&ahead);
    *p->is_short = *p->is_short || err == ERR_MEMORY;
    if (err != OK)
        ahead.token.kind = TOKEN_END;
    return ahead;
}

bool parser_next_is_word(const struct parser *p, const char *word)
{
    struct parser ahead = parser_ahead(p);
    return parser_is_word(&ahead, word);
}

enum err parser_want_word(struct parser *p, const char *word, const char *remedy)
{
    if (!parser_is_word(p, word))
        return parser_expected(p, word, remedy);
    return parser_advance(p);
}

enum err parser_want_sign(struct parser *p, const char *sign, const char *remedy)
{
    if (!parser_is_sign(p, sign))
        return parser_expected(p, sign, remedy);
    return parser_advance(p);
}

enum err parser_node(struct parser *p, enum segment_kind kind, struct segment_node **out)
{
    if (p->nodes == SEGMENT_NODES_MAX)
        return parser_fail(p, &p->token, ERR_LIMIT, "there are more than 1000 conditions",
                           "Split this into segments and ask with: in segment \"...\".");
    struct segment_node *node = ARENA_NEW(p->arena, struct segment_node);
    if (node == NULL)
        return ERR_MEMORY;
    node->kind = kind;
    node->line = p->token.line;
    node->column = p->token.column;
    p->nodes++;
    *out = node;
    return OK;
}

enum err parser_deeper(struct parser *p)
{
    if (p->depth == SEGMENT_DEPTH_MAX)
        return parser_fail(p, &p->token, ERR_LIMIT, "groups lie more than 24 deep",
                           "Split this into segments and ask with: in segment \"...\".");
    p->depth++;
    return OK;
}

void *parser_room(struct parser *p, const void *list, uint32_t count, size_t item_bytes)
{
    bool is_full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);
    if (!is_full)
        return (void *)list;
    void *grown = arena_array(p->arena, count == 0 ? 4 : (size_t)count * 2, item_bytes);
    if (grown != NULL && count > 0)
        memcpy(grown, list, count * item_bytes);
    return grown;
}
