/*
 * program: the compiled form of a template.
 *
 * Tags become operations with jumps; texts are resolved to runs; names are numbered (symbols), so
 * a variable is an index and not a search. Every snippet is a unit of its own and shares the
 * numbering. Nothing here changes after parsing.
 *
 *      {% if a %}x{% endif %}y        0 TEST a, else to 2
 *                                     1 TEXT x
 *                                     2 TEXT y
 *                                     3 END
 */
#ifndef DULT_TEMPLATE_PROGRAM_H
#define DULT_TEMPLATE_PROGRAM_H

#include "template/template.h"
#include "template/value.h"

enum op_code {
    OP_NOP,
    OP_END,
    OP_TEXT,         /* text */
    OP_OUT,          /* expr */
    OP_OUT_PATH,     /* path: the common case of OP_OUT */
    OP_JUMP,         /* target */
    OP_TEST_AND,     /* test: false jumps to target */
    OP_TEST_OR,      /* test: true jumps to target */
    OP_ASSIGN,       /* symbol = expr */
    OP_CAPTURE,      /* begins; temp keeps the place in the output */
    OP_CAPTURE_END,  /* symbol = what was written since */
    OP_CHANGED,      /* ifchanged begins */
    OP_CHANGED_END,  /* writes only what differs from the last time */
    OP_COUNT,        /* increment (delta 1) or decrement (delta -1) of symbol */
    OP_CYCLE,        /* cycle */
    OP_CASE,         /* nothing matched yet; a fault in expr jumps to target */
    OP_WHEN,         /* when: no match jumps to target */
    OP_WHEN_AGAIN,   /* when: a body matched several times is written as often */
    OP_CASE_ELSE,    /* jumps to target when something has matched */
    OP_FOR,          /* each: begins; nothing to do jumps to target */
    OP_FOR_NEXT,     /* another item jumps to target */
    OP_FOR_END,      /* leaves the loop */
    OP_CELL_END,     /* tablerow: closes a cell, and the row if it is full */
    OP_CALL,         /* call: include or render */
    OP_UNLESS_BREAK, /* no break came out of the call: jumps to target */
    OP_UNLESS_CONTINUE,
    OP_LEAVE_BREAK, /* ends the unit with a break for its caller */
    OP_LEAVE_CONTINUE,
};

enum compare {
    COMPARE_NONE, /* only the left side, true or not */
    COMPARE_EQ,
    COMPARE_NE,
    COMPARE_LT,
    COMPARE_GT,
    COMPARE_LE,
    COMPARE_GE,
    COMPARE_CONTAINS,
    COMPARE_UNKNOWN, /* lax mode reads any word as an operator, and it is a fault when it is asked
                      */
};

enum expr_kind { EXPR_LITERAL, EXPR_PATH, EXPR_RANGE, EXPR_FILTERED };

struct expr {
    enum expr_kind kind;
    uint32_t       filter_count;
    union {
        struct value       literal;
        const struct path *path;
        struct {
            const struct expr *lo, *hi;
        } range;
        struct {
            const struct expr        *base;
            const struct filter_call *filters;
        };
    };
};

/* Members that lists and loops have by themselves; found once, at parsing. */
enum known {
    KNOWN_NONE,
    KNOWN_SIZE,
    KNOWN_FIRST,
    KNOWN_LAST,
    KNOWN_INDEX,
    KNOWN_INDEX0,
    KNOWN_RINDEX,
    KNOWN_RINDEX0,
    KNOWN_LENGTH,
    KNOWN_NAME,
    KNOWN_PARENTLOOP,
    KNOWN_COL,
    KNOWN_COL0,
    KNOWN_COL_FIRST,
    KNOWN_COL_LAST,
    KNOWN_ROW,
};

struct step {
    enum known         known;  /* of the key */
    bool               dotted; /* and not in brackets: may be a command */
    struct str         key;    /* when expr is NULL */
    const struct expr *expr;   /* [expression] */
};

#define SYMBOL_NONE UINT32_MAX

struct path {
    uint32_t           symbol;  /* SYMBOL_NONE: the name is computed */
    bool               is_self; /* `self`, which is all variables unless it is one */
    uint32_t           line;
    const struct expr *root; /* [expression] at the start */
    const struct step *steps;
    uint32_t           step_count;
    struct str         text;    /* as written */
    struct str         snippet; /* where it stands */
};

enum { FILTER_ARGS_MAX = 3 };

struct filter_call {
    const struct filter *filter;
    const struct expr   *args[FILTER_ARGS_MAX];
    const struct expr   *named; /* allow_false */
    uint32_t             arg_count;
};

struct test {
    enum compare       compare;
    uint32_t           end; /* of the whole tag: a fault shows none of its branches */
    const struct expr *left, *right;
    struct str         word; /* of COMPARE_UNKNOWN */
};

struct cycle {
    const struct expr        *name; /* NULL: unnamed */
    struct str                key;  /* of an unnamed one */
    const struct expr *const *items;
    uint32_t                  count;
};

struct when {
    const struct expr        *subject; /* asked anew for each value: a body may change it */
    const struct expr *const *values;
    uint32_t                  count;
};

/* for, tablerow */
struct each {
    uint32_t           symbol, loop_symbol;
    uint32_t           end;  /* of the whole tag, behind its else: where a fault goes on */
    struct str         name; /* "item-collection": forloop.name and the key of offset:continue */
    const struct expr *collection, *limit, *offset, *cols;
    bool               reversed, offset_continue, table;
};

struct argument {
    uint32_t           symbol;
    const struct expr *expr;
};

/* include, render */
struct call {
    const struct expr     *name; /* computed; else unit is known */
    const struct unit     *unit;
    const struct expr     *with;
    uint32_t               with_symbol; /* alias or the snippet's own name; NONE if computed */
    uint32_t               name_symbol; /* the variable called as the snippet; NONE if computed */
    const struct argument *arguments;
    uint32_t               argument_count;
    bool                   isolated; /* render */
    bool                   each;     /* `for` and not `with` */
};

struct op {
    uint8_t  code;
    bool     keep; /* a text that blank blocks may not drop */
    int8_t   delta;
    uint32_t line;
    uint32_t target;
    uint32_t symbol; /* or temp */
    union {
        struct str          text;
        const struct expr  *expr;
        const struct path  *path;
        struct test        *test; /* its end is known later */
        const struct cycle *cycle;
        const struct when  *when;
        const struct each  *each;
        const struct call  *call;
    };
};

struct unit {
    struct str   name; /* empty: the template itself */
    struct op   *ops;
    uint32_t     op_count;
    uint32_t     temp_count;
    struct unit *older; /* the next in the template's list */
};

/* Chains of numbers by the hash of their names; a number stands for itself plus one, 0 for none. */
struct index {
    uint32_t  heads[256];
    uint32_t *next;
    uint32_t  room;
};

struct template
{
    struct arena             *arena;
    struct template_conf      conf;
    struct unit              *main;
    struct unit              *units; /* all, newest first */
    struct str               *symbols;
    bool                      has_snippets;
    struct index              symbol_index, variable_index;
    uint32_t                  symbol_count, symbol_room;
    struct template_variable *variables;
    uint32_t                  variable_count, variable_room;
};

/* Parses a snippet that is named only while rendering, into a copy of `t` in `arena`. */
MUST enum err program_extend(const struct template *t, struct arena *arena, struct str name,
                             struct template **out, const struct unit **unit,
                             struct problem *problem);

#endif
