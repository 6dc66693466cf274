/*
 * tangle_round: does a journey come round to itself, by what it and others begin?
 *
 *      a --start_journey--> b --record "Won"--> c (trigger: "Won") --left--> a (left_journey: c)
 *
 * Only journeys that somebody may come into again count: the others end the circle.
 *
 * Cost          each live journey's nodes, times the live journeys, for at most ROUND_MAX of them.
 */
#ifndef DULT_ENGINE_TANGLE_ROUND_H
#define DULT_ENGINE_TANGLE_ROUND_H

#include "engine/program.h"

enum { ROUND_MAX = 200 }; /* journeys that are followed */

/* True: it does, and *next is the journey that it begins on the way; its own name: directly. */
bool tangle_round(const struct program *program, const struct journey *journey, struct str *next);

#endif
