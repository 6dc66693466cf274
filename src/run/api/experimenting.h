/*
 * experimenting: the log of experiments: what was expected, what came out, what was learnt.
 *
 *      definitions   where each experiment is (a node of a journey, a broadcast), its hypothesis
 *      numbers       of those places, as they are asked for anywhere else
 *      lessons       kept under the experiment's name, with the numbers of that moment beside
 *
 * Places of one name are one experiment, as they deal the same people alike. A lesson stays when
 * the experiment itself is gone.
 *
 * Bounds        EXPERIMENTS_MAX experiments, and 4,000 bytes a lesson.
 */
#ifndef DULT_RUN_EXPERIMENTING_H
#define DULT_RUN_EXPERIMENTING_H

#include "run/api/api_inside.h"

enum { EXPERIMENTS_MAX = 10000, EXPERIMENT_PLACES_MAX = 16, LESSON_BYTES_MAX = 4000 };

/* The answers of /numbers, into call->out. */
MUST enum err journey_numbers_of(struct call *call, struct str name);
MUST enum err broadcast_numbers_of(struct call *call, struct str name);

#endif
