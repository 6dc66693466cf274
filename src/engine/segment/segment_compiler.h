/*
 * segment_compiler: what the files that compile a condition share.
 *
 *      segment_room.c            how many ops it may become, before any is made
 *      segment_compile.c         the whole, its groups, memberships, stages; kept answers
 *      segment_compile_value.c   comparisons, days, for how long
 *      segment_compile_event.c   what happened: subjects, windows, filters, aggregates, sequences
 *      segment_compiler.c        names and their numbers, what was met on the way, faults
 *
 * Every node becomes one op, its parts the ops after it (segment_program.h). Which events, traits,
 * segments and lists may turn the answer is noted as they are met.
 *
 * Errors   as segment_compile; the problem is set at the node's line and column.
 */
#ifndef DULT_ENGINE_SEGMENT_COMPILER_H
#define DULT_ENGINE_SEGMENT_COMPILER_H

#include "engine/segment/segment_program.h"

/* Ids as they are met; sorted and made unique at the end. */
struct ids {
    uint32_t *list;
    uint32_t  count;
};

struct compiler {
    struct arena               *arena;
    const struct segment_names *names;
    struct problem             *problem;
    struct segment_op          *ops;
    uint32_t                    count, nesting;
    struct ids                  events, traits, segments, lists;
    bool                        has_zone;
    bool                        zoned;    /* the leaf at hand asks about days */
    bool                        moves;    /* and its filter compares with a date relative to now */
    bool                        in_stage; /* within the rule of one */
    bool                        needs_anything;
};

/* What a key is: a trait, or below `where` a property, perhaps of one element of a list. */
struct scope {
    bool       in_where;
    struct str list; /* empty: not of an element */
};

/* Two traits may move a person to another zone: see facts_ops.zone. */
enum { COMPILER_ZONE_TRAITS = 2 };

/* ---- segment_room.c */

/* Ops, at most, and names of events with them; more than SEGMENT_OPS_MAX is not counted out. */
uint32_t compiler_room(const struct segment_names *names, const struct segment_node *node);

/* ---- segment_compiler.c */

/* The problem at the node, "<what>: "<name>"". Returns `code`. */
enum err compiler_fail(const struct compiler *c, const struct segment_node *node, enum err code,
                       const char *remedy, const char *what, struct str name);
/* The node's place, or "condition" where it has none. */
void compiler_where(const struct segment_node *node, char *out, size_t room);
/* The name's number; DICT_NONE when it is new and names may not grow. ERR_LIMIT, ERR_MEMORY. */
MUST enum err compiler_name(struct compiler *c, const struct segment_node *node, struct dict *dict,
                            struct str name, uint16_t *out);
/* The property's number; of an element's property that of "list.property". */
MUST enum err compiler_property(struct compiler *c, const struct segment_node *node,
                                struct str list, struct str key, uint16_t *out);
void          compiler_note(struct ids *ids, uint32_t id);
/* Events of Dult's own that turn an answer which is asked from the facts. */
MUST enum err compiler_note_own(struct compiler *c, const struct segment_node *node,
                                struct str name);
/* The trait, and what it is derived from. */
MUST enum err compiler_note_trait(struct compiler *c, const struct segment_node *node,
                                  uint16_t trait);
MUST enum err compiler_note_zone(struct compiler *c, const struct segment_node *node);

/* ---- segment_compile_value.c */

/* The computed trait's aggregate that the node is about, or NULL. */
const struct segment_node *compiler_computed(const struct compiler     *c,
                                             const struct segment_node *node);
/* The node's comparison with its literals copied, its pattern compiled. */
MUST enum err compiler_values(struct compiler *c, const struct segment_node *node,
                              struct segment_compare *kept);
MUST enum err compiler_compare(struct compiler *c, const struct segment_node *node,
                               struct scope scope, struct segment_op *op);
/* BEEN: a trait that was told, or a computed one, whose value is the one part. */
MUST enum err compiler_trait(struct compiler *c, const struct segment_node *node,
                             struct segment_op *op);
MUST enum err compiler_day(struct compiler *c, const struct segment_node *node,
                           struct segment_op *op);

/* SCORE: its rules, copied, and each rule's condition as a part. */
MUST enum err compiler_score(struct compiler *c, const struct segment_node *node,
                             struct segment_op *op);
/* ERR_ABSENT where the node compares a score that is not there, ERR_INPUT where it asks of one
 * what no number can be asked. */
MUST enum err compiler_score_check(const struct compiler *c, const struct segment_node *node,
                                   const struct segment_node *value);

/* ---- segment_compile_event.c */

MUST enum err compiler_match(struct compiler *c, const struct segment_node *node,
                             const struct segment_match *match, struct segment_match_op *out);
MUST enum err compiler_aggregate(struct compiler *c, const struct segment_node *node,
                                 struct segment_op *op);
MUST enum err compiler_then(struct compiler *c, const struct segment_node *node,
                            struct segment_op *op);
MUST enum err compiler_funnel(struct compiler *c, const struct segment_node *node,
                              struct segment_op *op);

/* ---- segment_compile.c */

/* The node and all below it. */
MUST enum err compiler_node(struct compiler *c, const struct segment_node *node,
                            struct scope scope);

#endif
