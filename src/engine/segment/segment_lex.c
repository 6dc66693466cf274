#include "engine/segment/segment_lex.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

struct segment_lexer segment_lexer_make(struct arena *arena, struct str source,
                                        struct problem *problem)
{
    return (struct segment_lexer){
        .arena = arena, .source = source, .line = 1, .column = 1, .problem = problem
    };
}

static enum err wrong(const struct segment_lexer *lexer, const struct segment_token *at,
                      const char *what, const char *remedy)
{
    char where[32];
    snprintf(where, sizeof where, "%u:%u", at->line, at->column);
    return problem_set(lexer->problem, ERR_INPUT, where, what, remedy);
}

static int peek(const struct segment_lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;
    return at < lexer->source.len ? (unsigned char)lexer->source.ptr[at] : -1;
}

static void step(struct segment_lexer *lexer)
{
    int c = peek(lexer, 0);
    lexer->at++;
    if (c == '\n') {
        lexer->line++;
        lexer->column = 1;
    } else if ((c & 0xC0) != 0x80) {
        lexer->column++;
    }
}

static void steps(struct segment_lexer *lexer, size_t count)
{
    while (count-- > 0)
        step(lexer);
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_word_char(int c)
{
    return is_word_start(c) || is_digit(c) || c == '.';
}

static bool is_space(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* White space, and lines whose first character is '#'. */
static void skip_space(struct segment_lexer *lexer)
{
    bool line_is_empty = lexer->at == 0;
    for (int c = peek(lexer, 0); c >= 0; c = peek(lexer, 0)) {
        if (c == '#' && line_is_empty) {
            while (peek(lexer, 0) >= 0 && peek(lexer, 0) != '\n')
                step(lexer);
            continue;
        }
        if (!is_space(c))
            return;
        line_is_empty = line_is_empty || c == '\n';
        step(lexer);
    }
}

/* ---- texts in quotes */

static int hex4(const struct segment_lexer *lexer)
{
    int value = 0;
    for (size_t i = 0; i < 4; i++) {
        int c = peek(lexer, i);
        int digit = is_digit(c)                          ? c - '0'
                    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                         : -1;
        if (c < 0 || digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static size_t put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* After "\u": four hex digits, or two such for a character beyond the first plane. */
static size_t lex_unicode(struct segment_lexer *lexer, char *out)
{
    int high = hex4(lexer), low;
    if (high < 0 || (high >= 0xDC00 && high <= 0xDFFF))
        return 0;
    steps(lexer, 4);
    if (high < 0xD800 || high > 0xDBFF)
        return put_utf8(out, (uint32_t)high);
    if (peek(lexer, 0) != '\\' || peek(lexer, 1) != 'u')
        return 0;
    steps(lexer, 2);
    low = hex4(lexer);
    if (low < 0xDC00 || low > 0xDFFF)
        return 0;
    steps(lexer, 4);
    return put_utf8(out, 0x10000 + ((uint32_t)(high - 0xD800) << 10) + (uint32_t)(low - 0xDC00));
}

/* After the backslash; the bytes written, 0 when it is no escape. */
static size_t lex_escape(struct segment_lexer *lexer, char *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int               c = peek(lexer, 0);
    const char       *found = c > 0 ? strchr(from, c) : NULL;

    if (found != NULL) {
        step(lexer);
        *out = to[found - from];
        return 1;
    }
    if (c != 'u')
        return 0;
    step(lexer);
    return lex_unicode(lexer, out);
}

/* How many bytes lie between the quotes, or before the text breaks off. */
static size_t text_ahead(const struct segment_lexer *lexer)
{
    size_t len = 1;
    for (int c = peek(lexer, len); c >= 0 && c != '"' && c != '\n'; c = peek(lexer, len))
        len += c == '\\' ? 2 : 1;
    return len;
}

static enum err lex_text(struct segment_lexer *lexer, struct segment_token *token)
{
    /* An escape is never shorter than what it stands for. */
    char  *out = arena_alloc(lexer->arena, text_ahead(lexer));
    size_t len = 0;
    if (out == NULL)
        return ERR_MEMORY;

    step(lexer);
    for (int c = peek(lexer, 0); c != '"'; c = peek(lexer, 0)) {
        struct segment_token here = { .line = lexer->line, .column = lexer->column };
        if (c < 0 || c == '\n')
            return wrong(lexer, token, "the quotes are not closed",
                         "End the text with \" on the same line; write a line break as \\n.");
        if (c < 0x20)
            return wrong(lexer, &here, "a control character stands in the text",
                         "Write it as an escape, such as \\t or \\u0001.");
        step(lexer);
        if (c != '\\') {
            out[len++] = (char)c;
            continue;
        }
        size_t added = lex_escape(lexer, out + len);
        if (added == 0)
            return wrong(lexer, &here, "this is no escape",
                         "Use \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u and four hex digits.");
        len += added;
    }
    step(lexer);
    token->kind = TOKEN_TEXT;
    token->text = (struct str){ out, len };
    return OK;
}

/* ---- numbers and dates */

static bool is_date_ahead(const struct segment_lexer *lexer)
{
    for (size_t i = 0; i < 5; i++)
        if (i < 4 ? !is_digit(peek(lexer, i)) : peek(lexer, i) != '-')
            return false;
    return true;
}

#define DAY_TEXT_BYTES 10 /* 2026-01-31 */

static enum err lex_date(struct segment_lexer *lexer, struct segment_token *token)
{
    size_t len = 0;
    for (int c = peek(lexer, 0); is_word_char(c) || c == '-' || c == '+' || c == ':';
         c = peek(lexer, ++len))
        ;
    struct str text = str_slice(lexer->source, lexer->at, lexer->at + len);
    if (time_parse(text, &token->at_ms) != OK)
        return wrong(lexer, token, "this is no date",
                     "Write a date as 2026-01-31 or 2026-01-31T12:00:00Z.");
    steps(lexer, len);
    token->is_day = text.len == DAY_TEXT_BYTES;
    token->kind = TOKEN_DATE;
    return OK;
}

static size_t digits_ahead(const struct segment_lexer *lexer, size_t from)
{
    size_t count = 0;
    while (is_digit(peek(lexer, from + count)))
        count++;
    return count;
}

static size_t number_ahead(const struct segment_lexer *lexer)
{
    size_t len = peek(lexer, 0) == '-' ? 1 : 0;
    len += digits_ahead(lexer, len);
    if (peek(lexer, len) == '.' && is_digit(peek(lexer, len + 1)))
        len += 1 + digits_ahead(lexer, len + 1);
    if ((peek(lexer, len) | 32) == 'e') {
        int    sign = peek(lexer, len + 1);
        size_t skip = sign == '+' || sign == '-' ? 2 : 1;
        if (is_digit(peek(lexer, len + skip)))
            len += skip + digits_ahead(lexer, len + skip);
    }
    return len;
}

static enum err lex_number(struct segment_lexer *lexer, struct segment_token *token)
{
    size_t     len = number_ahead(lexer);
    struct str text = str_slice(lexer->source, lexer->at, lexer->at + len);
    int64_t    integer;
    double     real;

    if (str_to_int(text, &integer) == OK)
        token->number = (struct json){ .kind = JSON_INT, .integer = integer };
    else if (str_to_real(text, &real) == OK && isfinite(real))
        token->number = (struct json){ .kind = JSON_REAL, .real = real };
    else
        return wrong(lexer, token, "this number is too large", "Write a smaller number.");
    steps(lexer, len);
    token->kind = TOKEN_NUMBER;
    return OK;
}

/* ---- the rest */

static void lex_word(struct segment_lexer *lexer, struct segment_token *token)
{
    while (is_word_char(peek(lexer, 0)))
        step(lexer);
    token->kind = TOKEN_WORD;
    token->text = str_slice(lexer->source, token->from, lexer->at);
}

static enum err lex_sign(struct segment_lexer *lexer, struct segment_token *token)
{
    int    c = peek(lexer, 0);
    size_t len = (c == '!' || c == '<' || c == '>') && peek(lexer, 1) == '=' ? 2 : 1;
    if (strchr("(),%=<>!", c) == NULL || (c == '!' && len == 1))
        return wrong(lexer, token, "this character means nothing here",
                     "Put names with other characters in quotes: trait \"...\" or did \"...\".");
    steps(lexer, len);
    token->kind = TOKEN_SIGN;
    token->text = str_slice(lexer->source, token->from, lexer->at);
    return OK;
}

enum err segment_lex(struct segment_lexer *lexer, struct segment_token *out)
{
    enum err err = OK;
    skip_space(lexer);
    *out = (struct segment_token){
        .kind = TOKEN_END, .line = lexer->line, .column = lexer->column, .from = lexer->at
    };
    int c = peek(lexer, 0);
    if (c == '"')
        err = lex_text(lexer, out);
    else if (is_date_ahead(lexer))
        err = lex_date(lexer, out);
    else if (is_digit(c) || (c == '-' && is_digit(peek(lexer, 1))))
        err = lex_number(lexer, out);
    else if (is_word_start(c))
        lex_word(lexer, out);
    else if (c >= 0)
        err = c == 0 ? wrong(lexer, out, "a NUL stands in the text", "Remove it.")
                     : lex_sign(lexer, out);
    out->to = lexer->at;
    return err;
}
