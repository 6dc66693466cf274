#include "engine/journey/tangle_round.h"

struct going {
    const struct program *program;
    const struct journey *self;
    const struct journey *seen[ROUND_MAX];  /* in the order in which they were come to */
    const struct journey *first[ROUND_MAX]; /* by which of those that `self` begins */
    uint32_t              count;
};

static bool node_begins(const struct node *node, const struct journey_trigger *trigger)
{
    switch (node->kind) {
    case NODE_RECORD:
        return trigger->kind == TRIGGER_EVENT && str_eq(node->change.name, trigger->name);
    case NODE_LIST:
        return trigger->kind == (node->change.leaves ? TRIGGER_LEFT_LIST : TRIGGER_LIST) &&
               str_eq(node->change.name, trigger->name);
    default:
        return false;
    }
}

/* May somebody in `from` come into `to` because of it, and not for the first time? */
static bool begins(const struct journey *from, const struct journey *to)
{
    const struct journey_trigger *trigger = &to->trigger;
    bool                          is_by_end =
        trigger->kind == TRIGGER_FINISHED_JOURNEY || trigger->kind == TRIGGER_LEFT_JOURNEY;
    if (to->reentry == REENTRY_ONCE)
        return false;
    if (is_by_end && str_eq(trigger->name, from->name))
        return true;
    for (uint16_t i = 0; i < from->nodes_count; i++) {
        const struct node *node = &from->nodes[i];
        if (node_begins(node, trigger) ||
            (node->kind == NODE_START && str_eq(node->change.name, to->name)))
            return true;
    }
    return false;
}

static void come_to(struct going *going, const struct journey *journey, const struct journey *first)
{
    for (uint32_t i = 0; i < going->count; i++)
        if (going->seen[i] == journey)
            return;
    if (going->count == ROUND_MAX)
        return;
    going->seen[going->count] = journey;
    going->first[going->count++] = first;
}

/* The live journeys, with the one that is looked at in the place of its own. */
static void go_on(struct going *going, const struct journey *from, const struct journey *first)
{
    for (uint32_t i = 0; i < going->program->journeys.count; i++) {
        const struct journey_version *live = program_journey_live(going->program, i);
        if (live == NULL || str_eq(live->journey.name, going->self->name) ||
            !begins(from, &live->journey))
            continue;
        come_to(going, &live->journey, first == NULL ? &live->journey : first);
    }
}

bool tangle_round(const struct program *program, const struct journey *journey, struct str *next)
{
    struct going going = { .program = program, .self = journey };
    *next = journey->name;
    if (begins(journey, journey))
        return true;
    go_on(&going, journey, NULL);
    for (uint32_t i = 0; i < going.count; i++) {
        *next = going.first[i]->name;
        if (begins(going.seen[i], journey))
            return true;
        go_on(&going, going.seen[i], going.first[i]);
    }
    return false;
}
