/*
 * parse: from text to a program (inside the room).
 *
 * A parser reads one unit; blocks nest by recursion, bounded by TEMPLATE_NESTING_MAX. Operations
 * are appended as tags are read and their jumps filled in when the target is known. Errors are
 * ERR_INPUT with the problem told once, at the place where the fault stands.
 */
#ifndef DULT_TEMPLATE_PARSE_H
#define DULT_TEMPLATE_PARSE_H

#include "template/lexer.h"
#include "template/program.h"

/* Something open between here and the unit's start that a break has to close. */
struct enclosing {
    enum op_code      closed_by; /* OP_CAPTURE_END, OP_CHANGED_END; OP_FOR for a loop */
    uint32_t          symbol, temp;
    struct jumps     *breaks, *continues; /* of a loop */
    struct enclosing *outer;
};

struct parser {
    struct template *t;
    struct arena    *arena;
    struct unit     *unit;
    struct str       source;
    struct scan      scan;
    struct piece     piece; /* the tag being read */
    uint32_t         op_room;
    int              depth, bracket_depth;
    bool             tested;   /* the expression being read is only tested */
    bool             literals; /* blank and empty are words of their own */
    uint32_t        *bound;    /* symbols that loops and arguments bind here */
    uint32_t         bound_count, bound_room;
    const char      *line_at; /* the place of the last question for a line, and its answer */
    uint32_t         line_number;
    const char      *tag_at; /* the same for the tags' own places, which are asked for in between */
    uint32_t         tag_line;
    struct enclosing *enclosing;
    struct problem   *problem;
};

/* Jumps that wait for their target. */
struct jumps {
    uint32_t *at;
    uint32_t  count, room;
};

/* One branch's content: blank until it holds something that could be seen. */
struct body {
    bool         blank;
    struct piece stop; /* the tag that ended it, or PIECE_END */
};

/* Reads until a tag that is not one of ours: the caller knows what it means. */
MUST enum err parse_body(struct parser *p, struct body *body);
/* The same, when a named end tag must come; `else` and others are faults. */
MUST enum err parse_body_to(struct parser *p, struct body *body, const char *end);

/* Tells a fault at the place `at` of the source. */
enum err parse_fault(struct parser *p, const char *at, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
uint32_t parse_line(struct parser *p, const char *at);

MUST enum err parse_op(struct parser *p, struct op op, uint32_t *index);
MUST enum err parse_jump(struct parser *p, struct jumps *jumps, struct op op);
void          parse_land(struct parser *p, struct jumps *jumps); /* all jump to the next op */
/* A block that shows nothing drops its white space; keep protects what is captured. */
void parse_drop_blank(struct parser *p, uint32_t from);
void parse_keep(struct parser *p, uint32_t from);

/* Puts `number` (the next one) under its name. Nothing that is there already is written to. */
MUST enum err parse_index(struct parser *p, struct index *index, struct str name, uint32_t number);
/* The first of a chain, number + 1; the next is index->next[number]. */
uint32_t parse_index_head(const struct index *index, struct str name);

MUST enum err parse_symbol(struct parser *p, struct str name, uint32_t *symbol);
/* Shadows the data from here until parse_unbind gets the count from before. */
MUST enum err parse_bind(struct parser *p, uint32_t symbol);
/* For the rest of the unit; kept once, however often it is assigned. */
MUST enum err parse_bind_rest(struct parser *p, uint32_t symbol);
void          parse_unbind(struct parser *p, uint32_t from, uint32_t to);
uint32_t      parse_temp(struct parser *p);

/* Expressions by tokens (parse_expr.c): Shopify's strict grammar. */
MUST enum err parse_expr(struct parser *p, struct lexer *lexer, const struct expr **out);
MUST enum err parse_filtered(struct parser *p, struct str markup, const struct expr **out);
MUST enum err parse_test(struct parser *p, struct lexer *lexer, struct test **out);
MUST enum err parse_end(struct parser *p, struct lexer *lexer); /* nothing more may follow */
MUST enum err parse_expected(struct parser *p, struct lexer *lexer, const char *what);
MUST enum err parse_take(struct parser *p, struct lexer *lexer, enum token_kind kind,
                         const char *what, struct token *out);

/* The same by patterns (parse_lax.c): nothing is refused that can be read in part. */
MUST enum err parse_markup(struct parser *p, struct str markup, const struct expr **out);
MUST enum err parse_output_lax(struct parser *p, struct str markup, const struct expr **out);
MUST enum err parse_test_lax(struct parser *p, struct str markup, struct test **out);

/* What both make of what they have read. */
MUST enum err parse_literal(struct parser *p, struct value value, const struct expr **out);
MUST enum err parse_path_done(struct parser *p, struct path *path, const struct expr **out);
MUST enum err parse_range_done(struct parser *p, const struct expr *range, const char *at,
                               const struct expr **out);
MUST enum err parse_filter_name(struct parser *p, struct str name, struct filter_call *call);
MUST enum err parse_filter_argument(struct parser *p, struct filter_call *call, struct str name,
                                    const struct expr *value, const char *at);
MUST enum err parse_filter_done(struct parser *p, const struct filter_call *call, const char *at);
MUST enum err parse_filtered_done(struct parser *p, const struct expr *base,
                                  const struct filter_call *calls, uint32_t count,
                                  const struct expr **out);
bool          parse_word_literal(const struct parser *p, struct str word, struct value *out);
enum known    parse_known(struct str name);
struct step   parse_named_step(struct str key, bool dotted);
enum err      parse_too_large(struct parser *p);
enum err      parse_too_deep(struct parser *p, const char *at);
MUST enum err parse_append(struct parser *p, void *items, uint32_t *room, uint32_t count,
                           size_t size);

/* Whether tags that Shopify reads by patterns are read so: all but strict2. */
bool parse_by_patterns(const struct parser *p);

/* Tags; each gets the parser with p->piece set to its tag, and says whether it shows nothing. */
typedef enum err parse_tag(struct parser *p, bool *blank);
parse_tag        parse_if, parse_unless, parse_case, parse_ifchanged;    /* parse_branch.c */
parse_tag        parse_for, parse_tablerow, parse_break, parse_continue; /* parse_loop.c */
parse_tag        parse_include, parse_render;                            /* parse_call.c */
parse_tag        parse_assign, parse_capture, parse_count, parse_cycle, parse_echo, parse_comment,
    parse_hash, parse_doc, parse_raw, parse_liquid; /* parse_tags.c */

/* break and continue as operations: unwinds what is open, then jumps or leaves the unit. */
MUST enum err parse_interrupt(struct parser *p, bool is_break);

/* The unit of a snippet, parsed at its first use. */
MUST enum err parse_snippet(struct parser *p, struct str name, const struct unit **out);

#endif
