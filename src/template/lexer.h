/*
 * lexer: the two ways of cutting a template.
 *
 * scan cuts the whole text into texts, outputs and tags (or the inside of {% liquid %} into
 * lines); lexer cuts what stands inside one of them into tokens. Both borrow from the source.
 */
#ifndef DULT_TEMPLATE_LEXER_H
#define DULT_TEMPLATE_LEXER_H

#include "base/str.h"

enum piece_kind { PIECE_END, PIECE_TEXT, PIECE_OUTPUT, PIECE_TAG, PIECE_BROKEN };

struct piece {
    enum piece_kind kind;
    struct str      name;   /* of a tag */
    struct str      markup; /* text, or what follows the name */
    const char     *at;     /* its first byte, for messages */
    const char     *fault;  /* of a broken one */
};

struct scan {
    struct str text;
    size_t     at;
    bool       lines; /* inside {% liquid %} */
    bool       trim;  /* the last tag ended with -%} */
};

struct scan  scan_make(struct str text, bool lines);
struct piece scan_next(struct scan *scan);
/*
 * Skips to `{% name %}` ("endraw", "enddoc") without reading what lies between; false when it never
 * comes. *nested is the first tag between that opens another one of the kind, or empty.
 */
bool scan_raw(struct scan *scan, struct str name, struct str *body, struct str *nested);

enum token_kind {
    TOKEN_END,
    TOKEN_ID,
    TOKEN_STRING, /* text without the quotes */
    TOKEN_INT,
    TOKEN_REAL,
    TOKEN_COMPARE,
    TOKEN_DOT,
    TOKEN_DOTDOT,
    TOKEN_COMMA,
    TOKEN_COLON,
    TOKEN_PIPE,
    TOKEN_OPEN_SQUARE,
    TOKEN_CLOSE_SQUARE,
    TOKEN_OPEN_ROUND,
    TOKEN_CLOSE_ROUND,
    TOKEN_BROKEN,
};

struct token {
    enum token_kind kind;
    struct str      text;
    const char     *end; /* one past the last byte */
};

struct lexer {
    struct str   text;
    size_t       at;
    struct token now, next;
};

struct lexer lexer_make(struct str text);
struct token lexer_take(struct lexer *lexer);
bool         lexer_is(const struct lexer *lexer, enum token_kind kind);
bool         lexer_accept(struct lexer *lexer, enum token_kind kind);
bool         lexer_is_word(const struct lexer *lexer, struct str word);
bool         lexer_accept_word(struct lexer *lexer, struct str word);

bool       text_is_space(char c); /* as Ruby's strip */
bool       text_is_word(char c);  /* letter, digit or _ */
bool       text_is_blank(struct str text);
struct str text_trim_left(struct str text);
struct str text_trim_right(struct str text);

#endif
