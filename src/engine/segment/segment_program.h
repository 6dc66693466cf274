/*
 * segment_program: a condition with names as numbers, laid flat.
 *
 *      op 0 AND        next 5
 *      op 1   DID      next 3, match.where 2
 *      op 2     COMPARE           (a property, below the where)
 *      op 3   NOT      next 5
 *      op 4     IN_LIST
 *
 * Parents come before their parts, in the order of the tree; `next` is the op after the whole
 * subtree, so the parts of op i are i + 1, ops[i + 1].next, ... up to ops[i].next.
 *
 * Internal to segment/; the functions below are its insides, one file each.
 */
#ifndef DULT_ENGINE_SEGMENT_PROGRAM_H
#define DULT_ENGINE_SEGMENT_PROGRAM_H

#include "engine/segment/segment.h"

/* In the place of an event: any that is not Dult's own. */
enum { SEGMENT_ANY_EVENT = DICT_NONE - 1 };
_Static_assert((int)SEGMENT_ANY_EVENT > (int)DICT_NAMES_MAX, "no name has that number");

struct segment_match_op {
    uint16_t              event;
    struct segment_window window;
    uint32_t              where; /* an op, 0 for none */
};

struct segment_op {
    enum segment_kind kind;
    uint32_t          next;
    uint8_t           weight;   /* what asking costs, itself or below: 0 is no behaviour */
    int8_t            polarity; /* 1: the more it holds, the more the whole; -1: the less; 0 */
    uint16_t          equal;    /* equal conditions of live segments share it; 0: unknown */
    uint16_t          leaf;     /* the same where answers are kept; 0: they are not */
    uint16_t          group;    /* AGGREGATE: the same of what is compared */
    int8_t            none;     /* about behaviour: it holds (1) or not (-1) of who never did it, at
                                   any instant; 0: that is not known */
    uint32_t mark; /* COMPARE: segment_trait_mark of the one text it is to equal; or 0 */

    /* COMPARE: of a trait or a property by its id; compare.key is not used */
    uint16_t               key;
    struct segment_compare compare;
    bool                   in_element; /* `key` is looked for within one element of a list */
    uint32_t computed; /* DAY, BEEN: the op with the value of a computed trait, its part; or 0 */

    uint16_t
        list; /* ELEMENT, and the `with` of an AGGREGATE: the list whose elements it is about */
    uint32_t with;          /* AGGREGATE: an op, 0 for none */
    bool     is_value;      /* AGGREGATE: its value is tested by `compare`, or asked for itself */
    bool     counts_events; /* COUNT without a property */
    bool     of_elements;   /* COUNT: the elements of `list`, if it has objects */

    struct segment_match_op match, then;
    enum segment_times      times;
    uint32_t                times_count;
    enum segment_fold       fold;
    enum segment_test       test;
    __int128                number_micro; /* AGGREGATE: millionths, so that sums are exact */
    double                  number;
    int64_t                 within_ms;
    bool                    has_same;
    uint16_t                same; /* the property that all events of a sequence have in common */

    const struct segment_match_op *steps; /* FUNNEL */
    uint32_t                       steps_count, step, not_step;

    bool    yearly; /* DAY */
    int32_t from_days, to_days;

    uint32_t             id; /* IN_SEGMENT (SEGMENT_NO_ID: its condition is the part below), ... */
    struct str           at; /* IN_JOURNEY: the node; CONSENT: the channel */
    enum segment_consent consent;
    const struct str    *stages;       /* IN_STAGE: the name of each part's stage */
    const struct segment_score *score; /* SCORE: its rules, each a part; without their trees */
    double                      chance;
    struct str                  seed;

    bool moves; /* its filter compares with dates relative to now */
    bool zoned; /* it asks about days of the person's zone */
};

/* One question to one person; handed down through an evaluation. */
struct segment_asking {
    const struct segment_op *ops;
    const struct facts      *facts;
    int64_t *turn_ms; /* the earliest instant at which a filter that was asked may turn; or NULL */
};

static inline int64_t earlier_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t later_ms(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- segment_compare.c */

/* One value (or a list) at an instant: dates may be relative to it, so the answer may expire. */
struct verdict segment_compare_value(const struct facts           *facts,
                                     const struct segment_compare *compare,
                                     const struct json            *value);
/* Does the event's bag pass the filter that begins at op `where`? */
bool segment_where(const struct segment_asking *asking, uint32_t where, struct bag bag);
/* A number in millionths; false for what is none, or is beyond SEGMENT_NUMBER_MAX. */
bool segment_micro(const struct json *value, __int128 *out);

/* ---- segment_eval.c */

/* The facts with the person's own zone, if the program asks about days; as they are, if not. */
struct segment_local {
    struct facts facts;
    int64_t      until_ms; /* when the person is known to move to another zone */
};
const struct facts *segment_localize(const struct segment_program *program,
                                     const struct facts *facts, struct segment_local *local);

struct verdict segment_eval_op(const struct segment_asking *asking, uint32_t at);
/* What the person said to the topic and channel of a CONSENT. */
struct facts_consent segment_consent_said(const struct facts *facts, const struct segment_op *op);
struct verdict       verdict_and(struct verdict a, struct verdict b);
struct verdict       verdict_not(struct verdict v);

/* ---- segment_turn.c */

/* The way one more event moves a condition: it may cease to hold, go either way, come to hold. */
enum segment_way {
    SEGMENT_WAY_DOWN = -1,
    SEGMENT_WAY_UNKNOWN,
    SEGMENT_WAY_UP,
    SEGMENT_WAY_NONE, /* it is none of the condition's */
};
enum segment_way segment_way(const struct segment_asking *asking, const struct segment_op *op,
                             uint16_t event, struct bag bag);

/* ---- segment_trait.c: COMPARE of a trait, DAY, BEEN */

struct verdict segment_eval_trait(const struct segment_asking *asking, const struct segment_op *op);
/* From when on it has held without a break, FACTS_SINCE_UNKNOWN where that is before `from_ms`. */
struct segment_been {
    struct verdict now; /* of the test alone */
    int64_t        since_ms;
};
struct segment_been segment_been_since(const struct segment_asking *asking,
                                       const struct segment_op *op, int64_t from_ms);

/* ---- segment_explain.c */

/* An instant as evidence shows it. */
void segment_write_instant(struct buf *out, int64_t at_ms);

/* ---- segment_score.c */

/* The op is a SCORE that is compared, or asked for its value. */
struct verdict segment_eval_score(const struct segment_asking *asking, uint32_t at);
/* Its value in points, rounded to a millionth. */
struct json segment_score_value(const struct segment_asking *asking, uint32_t at,
                                int64_t *until_ms);
/* Appends "value", "half_life_ms" and "rules": what each gives, and by what. */
void segment_score_explain(const struct segment_asking *asking, uint32_t at, struct buf *out,
                           bool *first);

/* ---- segment_standing.c */

/* An answer, and what events may bring before it must be asked anew: see segment_standing.h. */
#define SEGMENT_SPARE_ANY INT64_MAX /* nothing that comes can turn it */
#define SEGMENT_SPARE_NONE (-1)     /* unknown: the answer is not kept */

enum { SEGMENT_SIDE_NONE = 2 }; /* of the least or greatest of nothing */

struct segment_answer {
    struct verdict verdict;
    int64_t        spare;
    int8_t         side;
};

/* A condition about behaviour: the answer that stands, or a new one. */
struct verdict segment_eval_leaf(const struct segment_asking *asking, const struct segment_op *op);

/* ---- segment_did.c, segment_fold.c, segment_gap.c, segment_pick.c, segment_then.c,
        segment_funnel.c */

struct segment_answer segment_eval_did(const struct segment_asking *asking,
                                       const struct segment_op     *op);
struct segment_answer segment_eval_count(const struct segment_asking *asking,
                                         const struct segment_op     *op);
struct segment_answer segment_eval_instant(const struct segment_asking *asking,
                                           const struct segment_op     *op);
/* `loose`: rather a `spare` worth keeping than the very instant at which the answer turns. */
struct segment_answer segment_eval_fold(const struct segment_asking *asking,
                                        const struct segment_op *op, bool loose);
struct segment_answer segment_eval_gap(const struct segment_asking *asking,
                                       const struct segment_op     *op);
struct segment_answer segment_eval_pick(const struct segment_asking *asking,
                                        const struct segment_op     *op);
bool                  segment_order_holds(enum segment_test test, int difference);

/* The aggregate's value, as segment_value gives it. */
bool segment_fold_value(const struct segment_asking *asking, const struct segment_op *op,
                        struct json *out, int64_t *until_ms);

struct segment_reach;
struct json segment_count_value(const struct segment_asking *asking, const struct segment_op *op,
                                const struct segment_reach *reach);
bool        segment_gap_value(const struct segment_asking *asking, const struct segment_op *op,
                              const struct segment_reach *reach, struct json *out);
bool        segment_pick_value(const struct segment_asking *asking, const struct segment_op *op,
                               const struct segment_reach *reach, struct json *out);

/* The first event by which a sequence holds, and the value that all its events have under the key;
 * JSON_NULL where none is asked for. */
struct segment_witness {
    int64_t     at_ms;
    struct json same;
};

/*
 * A sequence: "then", "and then no", a funnel. Only first events at or after `from_ms` are looked
 * at, INT64_MIN for all. *witness is set when it holds.
 */
struct verdict segment_eval_then(const struct segment_asking *asking, const struct segment_op *op,
                                 int64_t from_ms, struct segment_witness *witness);

/* Reached the step wanted, and reached the step that should not be; with a key, the value by which
 * the wanted step was reached, else JSON_NULL. */
struct segment_levels {
    struct verdict step, not_step;
    struct json    same;
};
struct segment_levels segment_eval_funnel(const struct segment_asking *asking,
                                          const struct segment_op *op, int64_t from_ms);
struct verdict        segment_levels_verdict(struct segment_levels levels);

#endif
