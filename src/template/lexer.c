#include "template/lexer.h"

#include <string.h>

bool text_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool text_is_word(char c)
{
    return is_letter(c) || is_digit(c);
}

bool text_is_blank(struct str text)
{
    return text_trim_left(text).len == 0;
}

struct str text_trim_left(struct str text)
{
    size_t from = 0;
    while (from < text.len && text_is_space(text.ptr[from]))
        from++;
    return str_slice(text, from, text.len);
}

struct str text_trim_right(struct str text)
{
    while (text.len > 0 && text_is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static struct str number_scan(struct str rest, enum token_kind *kind)
{
    size_t n = rest.ptr[0] == '-' ? 1 : 0;
    while (n < rest.len && is_digit(rest.ptr[n]))
        n++;
    *kind = TOKEN_INT;
    if (n + 1 < rest.len && rest.ptr[n] == '.' && is_digit(rest.ptr[n + 1])) {
        *kind = TOKEN_REAL;
        n++;
        while (n < rest.len && is_digit(rest.ptr[n]))
            n++;
    }
    return str_slice(rest, 0, n);
}

static struct str word_scan(struct str rest)
{
    size_t n = 1;
    while (n < rest.len && (text_is_word(rest.ptr[n]) || rest.ptr[n] == '-'))
        n++;
    if (n < rest.len && rest.ptr[n] == '?')
        n++;
    return str_slice(rest, 0, n);
}

/* Visual editors write > as &gt; even inside a tag, so the entities compare too. */
static struct str compare_scan(struct str rest)
{
    static const char *const operators[] = { "==",    "!=",    "<>",   "<=",   ">=", "&lt;&gt;",
                                             "&lt;=", "&gt;=", "&lt;", "&gt;", "<",  ">" };
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (str_starts(rest, str_of(operators[i])))
            return str_slice(rest, 0, strlen(operators[i]));
    return STR_NONE;
}

static enum token_kind mark_kind(struct str rest)
{
    switch (rest.ptr[0]) {
    case '.':
        return rest.len > 1 && rest.ptr[1] == '.' ? TOKEN_DOTDOT : TOKEN_DOT;
    case ',':
        return TOKEN_COMMA;
    case ':':
        return TOKEN_COLON;
    case '|':
        return TOKEN_PIPE;
    case '[':
        return TOKEN_OPEN_SQUARE;
    case ']':
        return TOKEN_CLOSE_SQUARE;
    case '(':
        return TOKEN_OPEN_ROUND;
    case ')':
        return TOKEN_CLOSE_ROUND;
    default:
        return TOKEN_BROKEN;
    }
}

static struct token string_token(struct str rest)
{
    size_t close = str_find_char(rest, 1, rest.ptr[0]);
    if (close == rest.len)
        return (struct token){ TOKEN_BROKEN, rest, rest.ptr + rest.len };
    return (struct token){ TOKEN_STRING, str_slice(rest, 1, close), rest.ptr + close + 1 };
}

static struct token token_of(enum token_kind kind, struct str text)
{
    return (struct token){ kind, text, text.ptr + text.len };
}

static struct token token_scan(struct str rest, bool after_dot)
{
    char c = rest.ptr[0];
    if (c == '\'' || c == '"')
        return string_token(rest);
    if (is_digit(c) || (c == '-' && rest.len > 1 && is_digit(rest.ptr[1]))) {
        enum token_kind kind = TOKEN_INT;
        struct str      text = number_scan(rest, &kind);
        return token_of(kind, text);
    }
    if (is_letter(c)) {
        struct str word = word_scan(rest);
        bool       contains = !after_dot && str_eq(word, STR("contains"));
        return token_of(contains ? TOKEN_COMPARE : TOKEN_ID, word);
    }
    struct str compare = compare_scan(rest);
    if (compare.len > 0)
        return token_of(TOKEN_COMPARE, compare);
    enum token_kind kind = mark_kind(rest);
    return token_of(kind, str_slice(rest, 0, kind == TOKEN_DOTDOT ? 2 : 1));
}

static struct token lexer_scan(struct lexer *lexer, bool after_dot)
{
    while (lexer->at < lexer->text.len && text_is_space(lexer->text.ptr[lexer->at]))
        lexer->at++;
    struct str rest = str_slice(lexer->text, lexer->at, lexer->text.len);
    if (rest.len == 0)
        return (struct token){ TOKEN_END, rest, rest.ptr };
    struct token token = token_scan(rest, after_dot);
    lexer->at = (size_t)(token.end - lexer->text.ptr);
    return token;
}

struct lexer lexer_make(struct str text)
{
    struct lexer lexer = { .text = text.ptr == NULL ? STR("") : text };
    lexer.now = lexer_scan(&lexer, false);
    lexer.next = lexer_scan(&lexer, lexer.now.kind == TOKEN_DOT);
    return lexer;
}

struct token lexer_take(struct lexer *lexer)
{
    struct token taken = lexer->now;
    lexer->now = lexer->next;
    lexer->next = lexer_scan(lexer, lexer->now.kind == TOKEN_DOT);
    return taken;
}

bool lexer_is(const struct lexer *lexer, enum token_kind kind)
{
    return lexer->now.kind == kind;
}

bool lexer_accept(struct lexer *lexer, enum token_kind kind)
{
    if (lexer->now.kind != kind)
        return false;
    lexer_take(lexer);
    return true;
}

bool lexer_is_word(const struct lexer *lexer, struct str word)
{
    return lexer->now.kind == TOKEN_ID && str_eq(lexer->now.text, word);
}

bool lexer_accept_word(struct lexer *lexer, struct str word)
{
    if (!lexer_is_word(lexer, word))
        return false;
    lexer_take(lexer);
    return true;
}
