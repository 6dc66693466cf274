/*
 * definition_inside: what those who read a journey's text share. Nobody else includes this.
 */
#ifndef DULT_ENGINE_DEFINITION_INSIDE_H
#define DULT_ENGINE_DEFINITION_INSIDE_H

#include "engine/journey/definition.h"

/* What parsing carries along, so that helpers stay short. */
struct reading {
    struct arena        *arena;
    struct segment_names names;
    struct problem      *problem;
    const struct json   *nodes;     /* the array */
    bool                 is_stored; /* taken once: members that mean nothing are left alone */
};

static inline MUST enum err wrong(struct reading *r, const char *where, const char *what,
                                  const char *remedy)
{
    return problem_set(r->problem, ERR_INPUT, where, what, remedy);
}

/* Puts the place of the whole in front of the place within. */
MUST enum err journey_at_place(struct reading *r, enum err err, const char *where);

MUST enum err journey_condition_read(struct reading *r, const struct json *value, const char *where,
                                     struct condition *out);
/* One event, with what `where` asks of it: did "event" where (...). */
MUST enum err journey_event_read(struct reading *r, struct str event, const struct json *where,
                                 const char *place, struct condition *out, bool *hears_machines);

/* definition_key.c: the trigger's key, and how often somebody may be inside at the same time. */
MUST enum err journey_key_read(struct reading *r, const struct json *root, struct journey *out);

/* definition_goal.c: holdout, goal and exit_on_goal of the whole. */
MUST enum err journey_goal_read(struct reading *r, const struct json *root, struct journey *out);
/* The variants of a node into its branches; the name of each experiment after all nodes. */
MUST enum err journey_variants_read(struct reading *r, const struct json *node, const char *place,
                                    uint16_t below, struct node *out, struct branch *branches);
MUST enum err journey_experiments_name(struct reading *r, struct journey *out);
/* definition_node.c: a length of time; the number of the node under `key`, or `absent`. */
MUST enum err journey_length_read(struct reading *r, const struct json *value, const char *place,
                                  int64_t *out_ms);
MUST enum err journey_target_read(struct reading *r, const struct json *node, const char *key,
                                  const char *place, uint16_t absent, uint16_t *out);
/* definition_change.c: of a node of that kind what it changes; `place` is the member's. */
MUST enum err journey_change_read(struct reading *r, enum node_kind kind, const struct json *value,
                                  const char *place, struct node_change *out);

/* definition_node.c: "10:00", "3 days before trial_ends": see until.h. */
MUST enum err journey_until_read(struct reading *r, struct str text, const char *place,
                                 struct until *out);

/* definition_node.c: every node, its branches, and that no circle is without a wait. */
MUST enum err journey_nodes_read(struct reading *r, struct journey *out);

#endif
