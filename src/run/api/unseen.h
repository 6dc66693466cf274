/*
 * unseen: names in a condition that nobody ever told.
 *
 * A name that is spelled wrong is no mistake that a parser can see: it matches nothing, and the
 * answer is an honest zero. So answers name such words, with the nearest that was told:
 *
 *      "unseen":[{"event":"Order Complete","near":"Order Completed"}]
 *
 * A word after `and` is the person's trait, also after a filter of an event's properties without
 * parentheses. Where no such trait was ever told, and events have such a property, the answer says
 * of which filter it seems to be meant:
 *
 *      did "Order Completed" where plan = "pro" and revenue > 100
 *      "unseen":[{"trait":"revenue","where_of":"Order Completed"}]
 *
 * Asked on the engine's thread, for the dictionaries are there.
 */
#ifndef DULT_RUN_UNSEEN_H
#define DULT_RUN_UNSEEN_H

#include "base/buf.h"
#include "engine/program.h"

enum { UNSEEN_MAX = 8 }; /* of one question; more are left out */

struct unseen_name {
    bool       is_trait;
    struct str name, near; /* near: empty when nothing is */
    struct str where_of;   /* a trait that seems meant as this event's property; or empty */
};

struct unseen {
    struct unseen_name items[UNSEEN_MAX];
    uint32_t           count;
};

/* Adds those of a tree. Names are borrowed from it; what is near is copied into `arena`. */
MUST enum err unseen_add(struct unseen *unseen, const struct program *program, struct arena *arena,
                         const struct segment_node *tree);
/* "unseen":[...]; nothing at all without any. */
void unseen_write(const struct unseen *unseen, struct buf *out, bool *first);

#endif
