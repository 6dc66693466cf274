/*
 * choosing: the winner of an experiment at a journey's node, said by hand or found by its rule.
 *
 *      {"journey": "greet", "node": "tone", "experiment": "greet/tone",
 *       "variant": "warm",                      left out: none is, and people are dealt
 *       "how": "by hand" | "sure" | "ahead",    left out: it was counted, and nobody was sure
 *       "at": 1767225600000,
 *       "counted": [{"name": "warm", "people": 120, "reached": 31}, ...]}      where it was
 *
 * It is a definition beside the journey's (DEFINE_JOURNEY_CHOICE, called JOURNEY/NODE), for
 * versions come and go meanwhile; the last word about a node counts, while the node's experiment
 * has the same name (of what is lived late, the last by then). From `at` on whoever comes to the
 * node
 *
 *      has a variant of it already  -->  keeps that, the one taken last       kept
 *      otherwise                    -->  takes the one that was chosen        chosen
 *                                        (or is dealt, where none is)
 *
 * What somebody has is asked of their timeline, so that it is the same after a load and a merge.
 *
 * Always true   nothing of this is asked where nothing was ever chosen.
 * Cost          where there was: a look at the names of the person's events for each time that
 *               somebody comes by.
 */
#ifndef DULT_ENGINE_CHOOSING_H
#define DULT_ENGINE_CHOOSING_H

#include "engine/program.h"

enum { JOURNEY_CHOICE_BYTES_MAX = 16 << 10 };

/* Its name as a definition is; ERR_MEMORY: the text has no bytes. */
struct str journey_choice_name(struct arena *arena, struct str journey, struct str node);
/* The text as above, of a choice whose texts and counts are filled in. */
void journey_choice_write(struct str journey, const struct journey_choice *choice, struct buf *out);

struct step;
struct enrollment;

/* Which variant somebody takes who comes to the experiment's node; branch NULL: as they are dealt.
 */
struct choosing {
    const struct branch         *branch;
    const struct journey_choice *choice; /* NULL: they keep what they had */
};
struct choosing choosing_of(struct step *step, const struct journey *journey,
                            const struct enrollment *e, const struct node *node);

#endif
