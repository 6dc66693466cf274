/*
 * segment_lex: the words of a condition in text.
 *
 * Always true   a token's line and column are those of its first character, counted in characters
 *               from 1; after the end every token is the end.
 */
#ifndef DULT_ENGINE_SEGMENT_LEX_H
#define DULT_ENGINE_SEGMENT_LEX_H

#include "base/json.h"

enum segment_token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* text: the word as written */
    TOKEN_TEXT,   /* text: what the quotes hold, escapes undone */
    TOKEN_NUMBER, /* number */
    TOKEN_DATE,   /* at_ms, is_day */
    TOKEN_SIGN,   /* text: ( ) , % = != > >= < <= */
};

struct segment_token {
    enum segment_token_kind kind;
    uint32_t                line, column;
    size_t                  from, to; /* bytes of the source */
    struct str              text;
    struct json             number;
    int64_t                 at_ms;
    bool                    is_day; /* without a time; at_ms is its midnight in UTC */
};

struct segment_lexer {
    struct arena   *arena;
    struct str      source;
    size_t          at;
    uint32_t        line, column;
    struct problem *problem;
};

struct segment_lexer segment_lexer_make(struct arena *arena, struct str source,
                                        struct problem *problem);

/* The next token. ERR_INPUT with the problem's place when there is none; ERR_MEMORY. */
MUST enum err segment_lex(struct segment_lexer *lexer, struct segment_token *out);

#endif
