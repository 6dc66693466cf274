/*
 * best_hour: at which hour of the day somebody clicks.
 *
 *     clicks by people, by the clock of the zone     ..  9 10 11 12 ..
 *     how many                                        0  1  3  1  0
 *     weight: its own twice, and each neighbour's     1  5  8  5  1    -->  11:00
 *
 * Of those that weigh the same the first from `otherwise_ms` on. The newest BEST_HOUR_CLICKS of
 * each profile count; who has fewer than BEST_HOUR_LEAST in all has no best hour yet. Clicks of
 * programs tell nothing about people; nor do opens, which mail programs make for them.
 *
 * Pure: the same timeline and moment give the same hour.
 */
#ifndef DULT_ENGINE_BEST_HOUR_H
#define DULT_ENGINE_BEST_HOUR_H

#include "engine/segment/facts.h"

enum { BEST_HOUR_CLICKS = 256, BEST_HOUR_LEAST = 3 };

/* Milliseconds of the day, a whole hour; otherwise_ms where it is not known. */
int32_t best_hour_ms(const struct facts *facts, const struct zone *zone, int32_t otherwise_ms);

#endif
