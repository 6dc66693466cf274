/*
 * known: what a condition asks about one person, answered from their runs alone.
 *
 *      runs, bags, now_ms, seq_max  ->  traits, lists, consent, journeys      (own.h)
 *
 * Nothing here knows an engine: whoever holds a person's runs, on whatever thread, gets the same
 * answers as the engine does, for this moment and for any past one.
 *
 * Cost          a pass over the person's names, 2 bytes an event; a list of values lives until the
 *               thread's next question.
 * Knows not     segments: a program for readers has the segments it names compiled in place.
 */
#ifndef DULT_ENGINE_KNOWN_H
#define DULT_ENGINE_KNOWN_H

#include "engine/profile/place.h"
#include "engine/segment/facts.h"

/* `in_segment` answers no: the engine has one of its own. */
extern const struct facts_ops known_ops;

/* `person`: the number of the root; it decides the share in `in 20% by "seed"`. */
struct facts known_facts(uint32_t person, const struct run *runs, uint32_t runs_count,
                         struct bags bags);

/* A derived trait with where it comes from; see place_derive. */
enum place_origin known_place(const struct facts *facts, enum place_trait trait,
                              struct facts_trait *out);

#endif
