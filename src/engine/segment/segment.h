/*
 * segment: a question about people, and its answer with an expiry.
 *
 *      text  <---->  tree  <---->  JSON           segment_tree.h has the tree
 *                      |
 *                   compile                       names become numbers, once
 *                      |
 *      facts  --->  program  --->  verdict (holds, until)
 *                      |
 *                   explain  --->  JSON: each condition, holds, evidence, until
 *
 *      did "Order Completed" at least 3 times in the last 30 days where revenue > 100
 *        and never did "Refund Requested"
 *
 * README.md is the grammar. "In the last d" at T is (T - d, T] with days of 24 hours.
 *
 * Always true   parse(write(tree)) is the tree, for text and JSON; the verdict holds unchanged on
 *               [now, until) as long as no record arrives, so `until` is never too late.
 * Cost          evaluation allocates nothing; one scan of names for an event condition, and the
 *               properties are read only where a filter or a sum asks.
 * Knows not     who else uses a segment, nor cycles among segments: `program.segments` tells the
 *               caller what depends on what.
 */
#ifndef DULT_ENGINE_SEGMENT_H
#define DULT_ENGINE_SEGMENT_H

#include "base/buf.h"
#include "base/json.h"
#include "engine/behaviour/dict.h"
#include "engine/segment/facts.h"
#include "engine/segment/segment_tree.h"

/*
 * Reads the text form into `arena`. ERR_INPUT with problem.where = "line:column", ERR_LIMIT beyond
 * a bound of segment_tree.h, ERR_MEMORY. A line that begins with '#' is a comment.
 */
MUST enum err segment_parse(struct arena *arena, struct str text, const struct segment_node **out,
                            struct problem *problem);
/* Writes the canonical text, on one line. */
void segment_write(struct buf *out, const struct segment_node *node);

/* The same from and to JSON; problem.where is a path such as "and[1].where.op". */
MUST enum err segment_parse_json(struct arena *arena, const struct json *value,
                                 const struct segment_node **out, struct problem *problem);
void          segment_write_json(struct buf *out, const struct segment_node *node);

/*
 * The same for what a computed trait is: an aggregate without a test, "sum of revenue of "Order
 * Completed"" (is_value). Both faces write it as they write a condition.
 */
MUST enum err segment_parse_value(struct arena *arena, struct str text,
                                  const struct segment_node **out, struct problem *problem);
MUST enum err segment_parse_value_json(struct arena *arena, const struct json *value,
                                       const struct segment_node **out, struct problem *problem);

/* A stage of the customer journey. */
struct segment_stage {
    struct str                 name;
    const struct segment_node *rule;
};

/* The JSON Schema (draft 2020-12) of the JSON form; built in. */
struct str segment_schema(void);

/* What the names in a condition stand for. */
#define SEGMENT_NO_ID UINT32_MAX
struct segment_names {
    struct dict *events, *properties, *traits;
    bool         grow;      /* intern names not yet seen: for segments that live. A draft asks */
                            /* with false: what was never seen matches nothing. */
    bool         has_entry; /* `since entry` may be used: within a journey */
    bool         has_key;   /* `is the key` may be used: within one that has a key */
    struct dict *leaves;    /* numbers for conditions whose answers are kept; NULL: none are */
    const void  *owner;
    uint32_t (*segment)(const void *owner, struct str name); /* SEGMENT_NO_ID: there is none */
    /* The tree of a segment, to be compiled where it is named, so that the program stands alone:
     * for readers beside the engine. NULL: segments are asked by their numbers. */
    const struct segment_node *(*in_place)(const void *owner, struct str name);
    /* The aggregate that a computed trait is, to be asked in its place; it asks about properties
     * only. NULL: no such computed trait. The callback may be NULL: there are none. */
    const struct segment_node *(*computed)(const void *owner, struct str name);
    uint32_t (*list)(const void *owner, struct str name);
    uint32_t (*journey)(const void *owner, struct str name); /* NULL: there are none */
    uint32_t (*topic)(const void *owner, struct str name);   /* NULL: there are none */
    /* The traits that a trait is derived from where nobody told it, at most
     * SEGMENT_SOURCES_MAX; how many. They and $context then count, too. NULL: none is derived. */
    uint32_t (*sources)(const void *owner, uint16_t trait, uint16_t *out);
    const struct segment_stage *stages; /* the first to come first; a rule names no stage */
    uint32_t                    stages_count;
};

enum {
    SEGMENT_OPS_MAX = 50000, /* room for a program, with segments and stages in place */
    SEGMENT_SOURCES_MAX = 16,
    SEGMENT_NESTING_MAX = 16, /* segments naming segments: each is asked within the one above */
};

struct segment_op; /* segment_program.h */

/* A compiled condition. Ids in the four sets are ascending and each there once. */
struct segment_program {
    const struct segment_op *ops; /* in the order of the tree, parents first */
    uint32_t                 ops_count;
    const uint16_t          *events, *traits;
    uint32_t                 events_count, traits_count;
    const uint32_t          *segments, *lists;
    uint32_t                 segments_count, lists_count;
    uint64_t                 events_mask;    /* bit (id % 64) of every event name it depends on */
    bool                     has_zone;       /* asks about days of the calendar */
    bool                     needs_anything; /* and on every event that is not Dult's own */
};

/*
 * Compiles into `arena`, which then owns all of the program (the tree may go). ERR_ABSENT with a
 * problem when a segment, list, stage, journey or topic is not there; ERR_LIMIT when a dictionary
 * is full; ERR_INPUT for `since entry` outside a journey and for a pattern that cannot be read;
 * ERR_MEMORY. What is not memory of the arena (compiled patterns) ends with it.
 */
MUST enum err segment_compile(struct arena *arena, const struct segment_node *node,
                              const struct segment_names *names, struct segment_program *out,
                              struct problem *problem);

bool segment_needs_event(const struct segment_program *program, uint16_t event);
bool segment_needs_trait(const struct segment_program *program, uint16_t trait);
bool segment_needs_segment(const struct segment_program *program, uint32_t segment);
bool segment_needs_list(const struct segment_program *program, uint32_t list);

/*
 * May one more event of that name, with these properties, turn the answer of someone who is `in`
 * (or out) by what it brings, now or later? False is certain: events only ever add, so what counts
 * up cannot put anyone out of "at least 3 times", nor into "never". The answer's `until` then
 * stays good too, though it may be early.
 */
bool segment_can_turn(const struct segment_program *program, uint16_t event, struct bag bag,
                      bool in);

struct verdict {
    bool    holds;
    int64_t until_ms; /* > now: the first instant at which time alone may change it; TIME_NEVER */
};

struct verdict segment_eval(const struct segment_program *program, const struct facts *facts);

/*
 * May the answer at now_ms, or when it ends, rest on an event that is kept no longer by then? False
 * is certain. A segment that is asked by its number is not looked into. See retention.h.
 */
struct retention;
bool segment_sees(const struct segment_program *program, const struct retention *retention,
                  int64_t now_ms);

/*
 * The value of a computed trait: a program compiled from an aggregate with `is_value`. False when
 * there is none (an average of nothing); *until_ms is filled all the same: time alone leaves the
 * value as it is before that. Times are milliseconds. Texts are borrowed from the bags; a list (of
 * the first or last value) lives until the thread's next question.
 */
bool segment_value(const struct segment_program *program, const struct facts *facts,
                   struct json *out, int64_t *until_ms);

/* Does the condition itself ask about the trait? Not what a segment named in it asks. */
bool segment_asks_trait(const struct segment_node *node, struct str name);
/* Does it ask for that stage? An empty name: for any. */
bool segment_asks_stage(const struct segment_node *node, struct str name);

/*
 * Writes the reasons as one JSON object: {"condition","holds","until"?,"so_since"? (the start of
 * the present stretch; "or_earlier" where that is not sure),"since"? (of a value), and "parts" of a
 * group, or "value" of a trait, "count" and "events":[{"seq","at"}] of behaviour}. A computed trait
 * has "computed":true, and what behaviour has. `node` is the
 * tree that `program` was compiled from (or one equal to it).
 */
void segment_explain(const struct segment_program *program, const struct segment_node *node,
                     const struct facts *facts, struct buf *out);

#endif
