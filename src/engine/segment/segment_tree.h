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
 * where it asks about a property of the event. Below `where` there are only AND, OR, NOT, COMPARE
 * and ELEMENT; below ELEMENT, and below the `with` of an aggregate, keys are those of one element
 * of a list, and there are only AND, OR, NOT and COMPARE.
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
    SEGMENT_STEPS_MAX = 12,         /* of a funnel */
    SEGMENT_DAYS_MAX = 36500,       /* that a date lies from today */
    SEGMENT_YEARLY_DAYS_MAX = 366,  /* that an anniversary does */
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
    SEGMENT_ELEMENT,   /* any products (category = "tent" and price > 100); below `where` */
    SEGMENT_DAY,       /* birthday is in 7 days */
    SEGMENT_BEEN,      /* plan has been = "pro" for 14 days */
    SEGMENT_DID,       /* did "X" at least 3 times ... */
    SEGMENT_FIRST_DID, /* the first matching event ever lies in the window */
    SEGMENT_LAST_DID,  /* the last one does */
    SEGMENT_AGGREGATE, /* sum of revenue of "X" ... > 100 */
    SEGMENT_THEN,      /* did "A" then "B" within 1 hour */
    SEGMENT_THEN_NOT,  /* did "A" and then no "B" within 1 hour */
    SEGMENT_FUNNEL,    /* reached step 2 but not step 3 of ("A", "B", "C") within 1 hour */
    SEGMENT_IN_SEGMENT,
    SEGMENT_IN_LIST,
    SEGMENT_IN_STAGE,
    SEGMENT_IN_JOURNEY, /* now, at any of its nodes or at one */
    SEGMENT_CONSENT,    /* consent to "news" by "email" is granted */
    SEGMENT_SHARE,      /* in 20% by "seed" */
    SEGMENT_SCORE,      /* points by rules: what a score is; asked by a COMPARE, in no text */
};

/* A day, week, month or year of the calendar, in the person's zone; a week begins on Monday. */
enum segment_unit { SEGMENT_DAYS, SEGMENT_WEEKS, SEGMENT_MONTHS, SEGMENT_YEARS };

/* Which instants count, at T. */
enum segment_window_kind {
    SEGMENT_EVER,        /* up to T */
    SEGMENT_LAST,        /* (T - length, T] */
    SEGMENT_NOT_LAST,    /* up to T - length */
    SEGMENT_SINCE,       /* [from, T] */
    SEGMENT_BEFORE,      /* up to T, and before `to` */
    SEGMENT_BETWEEN,     /* [from, to], up to T; a whole day where `to` is a day */
    SEGMENT_SINCE_ENTRY, /* [facts.entry_ms, T] */
    SEGMENT_CALENDAR,    /* "today", "last month": the unit that T is in, or `back` units before */
};

/*
 * A date may be an instant, or a day without a zone: it is then the day in the person's zone, and
 * the milliseconds are those of its midnight in UTC.
 */
struct segment_window {
    enum segment_window_kind kind;
    int64_t                  length_ms, from_ms, to_ms; /* 0 where the kind has none */
    bool                     from_is_day, to_is_day;
    enum segment_unit        unit; /* CALENDAR */
    uint32_t                 back; /* CALENDAR: 0 this one, 1 the last one */
};

enum segment_literal_kind {
    SEGMENT_TEXT,
    SEGMENT_NUMBER,
    SEGMENT_TRUTH,
    SEGMENT_DATE,  /* an instant: JSON_INT of milliseconds */
    SEGMENT_A_DAY, /* a day without a zone: JSON_INT of milliseconds of its midnight in UTC */
    SEGMENT_AGO,   /* "30 days ago", "now": JSON_INT of milliseconds from now, below 0 for past */
    SEGMENT_TODAY, /* "today", "5 days after today": JSON_INT of days from the person's today */
};

struct segment_literal {
    enum segment_literal_kind kind;
    struct json               value;
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
    SEGMENT_MATCHES,        /* a Perl-compatible regular expression, anywhere in the text */
    SEGMENT_BETWEEN_VALUES, /* both ends count */
    SEGMENT_EXISTS,
    SEGMENT_NOT_EXISTS,
    SEGMENT_IS_KEY, /* the key by which the person is in the journey: facts.entry_key */
};

/* Of several values under one key: as the test wants it, any of them, or all of them. */
enum segment_which { SEGMENT_PLAIN, SEGMENT_ANY, SEGMENT_ALL };

struct segment_pattern; /* segment_pattern.h */

struct segment_compare {
    struct str         key; /* dotted for nested properties */
    enum segment_which which;
    enum segment_test  test;
    const struct segment_literal
            *values; /* 1, 2 for between, any number for in, 0 for exists, key */
    uint32_t values_count;
    const struct segment_pattern *pattern; /* MATCHES, compiled; NULL in a tree */
};

struct segment_node;

/*
 * A score: what each rule gives at T, together.
 *
 *      an event     points * 2^-((T - at) / half-life) for each that matches; together at most
 *                   `most`, so that the hundredth visit of a page says no more than the tenth
 *      a condition  points, while it holds
 *
 * A comparison names a score by the key "$score.NAME", so a score is asked as a computed trait is.
 */
#define SEGMENT_SCORE_PREFIX STR("$score.")

enum { SEGMENT_SCORE_RULES_MAX = 50, SEGMENT_SCORE_POINTS_MAX = 100000 };

struct segment_score_rule {
    const struct segment_node *node; /* an event: "count of", a value; else the condition */
    struct str                 text; /* as people are told */
    bool                       is_event;
    int64_t                    points_micro; /* of either sign */
    int64_t                    most_micro;   /* an event's: of either sign's size; 0: no bound */
};

struct segment_score {
    int64_t                          half_life_ms; /* 0: points stay */
    const struct segment_score_rule *rules;
    uint32_t                         count;
};

/* What happened: an event by its name, or something Dult itself knows of. */
enum segment_subject {
    SEGMENT_EVENT,
    SEGMENT_ANYTHING, /* whatever the person did: tracked events, pages, screens */
    SEGMENT_RECEIVED,
    SEGMENT_OPENED,
    SEGMENT_CLICKED,
    SEGMENT_BOUNCED,
    SEGMENT_UNSUBSCRIBED,
    SEGMENT_ENTERED, /* a journey */
    SEGMENT_FINISHED,
    SEGMENT_REACHED_GOAL,
};

/* Which messages, of RECEIVED .. UNSUBSCRIBED. */
enum segment_of {
    SEGMENT_OF_ANY,
    SEGMENT_OF_MESSAGE,
    SEGMENT_OF_JOURNEY,
    SEGMENT_OF_BROADCAST,
    SEGMENT_OF_COUNT,
};

/* Whose hits, of OPENED and CLICKED. */
enum segment_hits { SEGMENT_BY_PEOPLE, SEGMENT_BY_MACHINES, SEGMENT_BY_ANYONE };

/* Events in a window, with properties as wanted. */
struct segment_match {
    enum segment_subject  subject;
    struct str            event; /* EVENT */
    enum segment_of       of;
    struct str            name; /* of the message, journey or broadcast; ENTERED ..: the journey */
    enum segment_hits     hits;
    struct segment_window window;
    const struct segment_node *where; /* NULL: all */
};

enum segment_times { SEGMENT_TIMES_AT_LEAST, SEGMENT_TIMES_AT_MOST, SEGMENT_TIMES_EXACTLY };

/* Below FIRST_VALUE they give numbers. */
enum segment_fold {
    SEGMENT_SUM,
    SEGMENT_AVERAGE,
    SEGMENT_LEAST,
    SEGMENT_GREATEST,
    SEGMENT_DISTINCT,      /* different values */
    SEGMENT_COUNT,         /* events; of a property: its values, so elements of a list */
    SEGMENT_GAP,           /* "days between": the average from one event to the next */
    SEGMENT_FIRST_VALUE,   /* the first event's that has one */
    SEGMENT_LAST_VALUE,    /* the last event's that has one */
    SEGMENT_MOST_FREQUENT, /* of those equally frequent the latest */
    SEGMENT_FIRST_TIME,    /* dates */
    SEGMENT_LAST_TIME,
};

enum segment_consent { SEGMENT_GRANTED, SEGMENT_REFUSED, SEGMENT_UNKNOWN, SEGMENT_PENDING };

struct segment_node {
    enum segment_kind kind;
    uint32_t          line, column; /* where it began in the text, from 1; 0 from JSON */

    /* AND, OR (two or more), NOT (one), ELEMENT (one, its keys without the list's) */
    const struct segment_node *const *parts;
    uint32_t                          parts_count;

    struct segment_compare compare; /* COMPARE, BEEN; AGGREGATE of values; ELEMENT: key, which */

    /* DAY: compare.key has the date; from..to days from today, 0 today, below 0 for past */
    bool    yearly; /* the anniversary; February 29 falls on the 28th in other years */
    int32_t from_days, to_days;

    /* DID, FIRST_DID, LAST_DID, AGGREGATE, THEN, THEN_NOT; FUNNEL: its window, of the first step */
    struct segment_match       match;
    enum segment_times         times; /* DID */
    uint32_t                   times_count;
    enum segment_fold          fold; /* AGGREGATE */
    enum segment_test          test; /* AGGREGATE of numbers: EQUAL .. AT_MOST */
    struct json                number;
    struct str                 property; /* AGGREGATE; empty for COUNT, GAP and the times */
    const struct segment_node *with;     /* AGGREGATE: of a list only these elements; or NULL */
    bool                       is_value; /* AGGREGATE without a test: what a computed trait is */
    struct segment_match       then;     /* THEN, THEN_NOT: its window is EVER */
    int64_t    within_ms; /* THEN, THEN_NOT, FUNNEL: from the first; BEEN: how long */
    struct str same;      /* THEN, THEN_NOT, FUNNEL: one value of this property; or empty */

    /* FUNNEL */
    const struct segment_match *steps; /* without windows */
    uint32_t                    steps_count;
    uint32_t                    step, not_step; /* from 1; not_step > step, or 0 */

    struct str           name;    /* IN_*; CONSENT: the topic, empty for all; SHARE: the seed */
    struct str           at;      /* IN_JOURNEY: the node, or empty; CONSENT: channel, or empty */
    enum segment_consent consent; /* CONSENT */
    double               percent; /* SHARE: 0..100 */

    const struct segment_score *score; /* SCORE */
};

/* The same question? Places in the text do not count; 1 and 1.0 are one number. */
bool segment_eq(const struct segment_node *a, const struct segment_node *b);

#endif
