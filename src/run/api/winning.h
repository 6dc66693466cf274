/*
 * winning: the winner at the node of a journey's experiment: told, chosen, taken back.
 *
 *     {"phase": "open", "people": 100, "after_ms": ..., "by": "goal"}     still to be found by
 * itself
 *     {"phase": "chosen", "variant": "warm", "how": "sure", "at": ..., "counted": [...]}
 *     {"phase": "asked", "at": ..., "counted": [...]}                     counted, and nobody was
 * sure
 *     {"phase": "dealt", "at": ...}                                       taken back
 *
 * What it is stands in engine/journey/choosing.h.
 */
#ifndef DULT_RUN_WINNING_H
#define DULT_RUN_WINNING_H

#include "engine/journey/choosing.h"
#include "run/api/api_inside.h"

/* Copied on the engine's thread; `choice` has version 0 where nothing was ever said. */
struct winning {
    struct journey_choice choice;
    uint32_t              people; /* of the rule; 0: there is none */
    int64_t               after_ms;
    enum winner_by        by;
};

/* Of the journey's live version. False: no memory. */
bool winning_copy(struct arena *arena, const struct program *program, uint32_t journey,
                  const struct node *node, struct winning *out);
/* Appends "winner"; nothing where none is said and none is looked for. */
void winning_write(const struct winning *winning, struct buf *out, bool *first);

#endif
