/*
 * segment_tree: a condition as a tree.
 *
 * Nodes live in the arena that parsing was given, hold borrowed names, and are not changed after.
 *
 *      AND
 *       +- DID "Order Completed" at least 3, in the last 30 days, where COMPARE revenue > 100
 *       +- NOT
 *           +- IN_SEGMENT "vip"
 *
 * One shape serves traits and properties: COMPARE asks about a trait, except below a `where`,
 * where it asks about a property of the event. Below `where` there are only AND, OR, NOT, COMPARE.
 */
#ifndef DULT_ENGINE_SEGMENT_TREE_H
#define DULT_ENGINE_SEGMENT_TREE_H

#include "base/json.h"
#include "base/time.h"

enum {
    SEGMENT_DEPTH_MAX = 24,         /* two levels of JSON each, of JSON_DEPTH_MAX */
    SEGMENT_NODES_MAX = 1000,       /* a condition nobody could read any more */
    SEGMENT_VALUES_MAX = 1000,      /* in ("a", "b", ...) */
    SEGMENT_NAME_BYTES_MAX = 256,   /* an event, trait, property, list or segment */
    SEGMENT_TEXT_BYTES_MAX = 65536, /* a whole condition, and one literal text in it */
    SEGMENT_TIMES_MAX = 1000000,    /* a person with more events is a machine */
    SEGMENT_DISTINCT_MAX = 500,     /* different values that are told apart, on the stack */
};

_Static_assert(2 * SEGMENT_DEPTH_MAX + 4 <= JSON_DEPTH_MAX, "a tree fits in JSON");

#define SEGMENT_LENGTH_MS_MAX (36500 * TIME_DAY_MS) /* a hundred years */
#define SEGMENT_NUMBER_MAX 1e15 /* of what is summed: 128 bits hold it times millions */

enum segment_kind {
    SEGMENT_EVERYONE,
    SEGMENT_AND,
    SEGMENT_OR,
    SEGMENT_NOT,
    SEGMENT_COMPARE,
    SEGMENT_DID,       /* did "X" at least 3 times ... */
    SEGMENT_FIRST_DID, /* the first matching event ever lies in the window */
    SEGMENT_LAST_DID,  /* the last one does */
    SEGMENT_AGGREGATE, /* sum of revenue of "X" ... > 100 */
    SEGMENT_THEN,      /* did "A" then "B" within 1 hour */
    SEGMENT_THEN_NOT,  /* did "A" and then no "B" within 1 hour */
    SEGMENT_IN_SEGMENT,
    SEGMENT_IN_LIST,
    SEGMENT_SHARE, /* in 20% by "seed" */
};

/* Which instants count, at T. */
enum segment_window_kind {
    SEGMENT_EVER,        /* up to T */
    SEGMENT_LAST,        /* (T - length, T] */
    SEGMENT_NOT_LAST,    /* up to T - length */
    SEGMENT_SINCE,       /* [from, T] */
    SEGMENT_BEFORE,      /* up to T, and before `to` */
    SEGMENT_BETWEEN,     /* [from, to], up to T */
    SEGMENT_SINCE_ENTRY, /* [facts.entry_ms, T] */
};

struct segment_window {
    enum segment_window_kind kind;
    int64_t                  length_ms, from_ms, to_ms; /* 0 where the kind has none */
};

enum segment_literal_kind { SEGMENT_TEXT, SEGMENT_NUMBER, SEGMENT_TRUTH, SEGMENT_DATE };

struct segment_literal {
    enum segment_literal_kind kind;
    struct json               value; /* a date is a JSON_INT of milliseconds */
};

enum segment_test {
    SEGMENT_EQUAL,
    SEGMENT_NOT_EQUAL,
    SEGMENT_MORE,
    SEGMENT_AT_LEAST,
    SEGMENT_LESS,
    SEGMENT_AT_MOST,
    SEGMENT_IN,
    SEGMENT_NOT_IN,
    SEGMENT_CONTAINS,
    SEGMENT_STARTS,
    SEGMENT_ENDS,
    SEGMENT_BETWEEN_VALUES, /* both ends count */
    SEGMENT_EXISTS,
    SEGMENT_NOT_EXISTS,
};

/* Of several values under one key: as the test wants it, any of them, or all of them. */
enum segment_which { SEGMENT_PLAIN, SEGMENT_ANY, SEGMENT_ALL };

struct segment_compare {
    struct str                    key; /* dotted for nested properties */
    enum segment_which            which;
    enum segment_test             test;
    const struct segment_literal *values; /* 1, 2 for between, any number for in, 0 for exists */
    uint32_t                      values_count;
};

struct segment_node;

/* Events of one name in a window, with properties as wanted. */
struct segment_match {
    struct str                 event;
    struct segment_window      window;
    const struct segment_node *where; /* NULL: all */
};

enum segment_times { SEGMENT_TIMES_AT_LEAST, SEGMENT_TIMES_AT_MOST, SEGMENT_TIMES_EXACTLY };

enum segment_fold {
    SEGMENT_SUM,
    SEGMENT_AVERAGE,
    SEGMENT_LEAST,
    SEGMENT_GREATEST,
    SEGMENT_DISTINCT,
};

struct segment_node {
    enum segment_kind kind;
    uint32_t          line, column; /* where it began in the text, from 1; 0 from JSON */

    /* AND, OR (two or more), NOT (one) */
    const struct segment_node *const *parts;
    uint32_t                          parts_count;

    struct segment_compare compare; /* COMPARE */

    /* DID, FIRST_DID, LAST_DID, AGGREGATE, THEN, THEN_NOT */
    struct segment_match match;
    enum segment_times   times; /* DID */
    uint32_t             times_count;
    enum segment_fold    fold; /* AGGREGATE: fold of property, test, number */
    struct str           property;
    enum segment_test    test; /* EQUAL .. AT_MOST */
    struct json          number;
    struct segment_match then; /* THEN, THEN_NOT: its window is EVER */
    int64_t              within_ms;

    struct str name;    /* IN_SEGMENT, IN_LIST; SHARE: the seed */
    double     percent; /* SHARE: 0..100 */
};

/* The same question? Places in the text do not count; 1 and 1.0 are one number. */
bool segment_eq(const struct segment_node *a, const struct segment_node *b);

#endif
