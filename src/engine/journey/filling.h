/*
 * filling: a journey was published anew with steps before where those inside stand, and they get
 * them, too.
 *
 *      the way they went     start --> a --> b --> here      (what stands on their timeline)
 *      the new version       start --> a --> NEW --> b --> here
 *                                             `-- given once, as they move
 *
 * Between each two nodes of their way that the new version still has (and before the first of them)
 * it is walked by the new version, by the way they took; nodes that the version they stand in has
 * not are what is new. Those that do something at once are given in that order: message (without
 * answer_within), set, record, join_list, leave_list. Waits between are over, and what the version
 * they stand in has there, too, is passed. Any other node (a split, an experiment, wait_for,
 * consent, start_journey, exit, a message that waits for its answer) ends it: nothing between those
 * two nodes is given, for which way they would have gone is not known.
 *
 * A node is no news that does what one did that they were at, and that the new version has no more:
 * a message of one of the same templates, a set of the same traits to the same, the same event or
 * list. It has another name alone.
 *
 * Always true   somebody gets a node once a time in the journey, also where it is published again;
 *               only who moves gets anything, and nothing to which the way leads from where they
 *               stand; the audience, where it is asked at each step, is asked before each.
 * Bounds        FILLING_PATH_MAX steps of one time in the journey; who made more gets nothing.
 */
#ifndef DULT_ENGINE_FILLING_H
#define DULT_ENGINE_FILLING_H

#include "engine/journey/definition.h"
#include "engine/profile/people.h"
#include "engine/segment/facts.h"

enum { FILLING_PATH_MAX = 1000 };

struct filling {
    uint16_t
        nodes[JOURNEY_NODES_MAX]; /* of the new version, in the order in which they are given */
    uint32_t count;
};

struct program;
struct step;

/* Has the one any node that the other has not? If not, there is nothing to look for. */
bool filling_is_any(const struct journey *from, const struct journey *to);
/* What the enrollment gets that stands at `place` of `to` after it moved. ERR_MEMORY. */
MUST enum err filling_find(const struct facts *facts, const struct program *program,
                           const struct enrollment *e, const struct journey *from,
                           const struct journey *to, uint16_t place, struct filling *out);
/* Gives it, where they are still inside. */
MUST enum err filling_give(struct step *step, uint64_t enrollment, const struct filling *filling);

#endif
