/*
 * waits: how long something took, as a distribution in little memory.
 *
 * Durations are counted in classes that grow by an eighth, so a percentile is right to 12.5%. One
 * thread adds, any thread asks; no lock.
 *
 * Cost          2 KB; an addition is two atomic ones.
 */
#ifndef DULT_RUN_WAITS_H
#define DULT_RUN_WAITS_H

#include <stdatomic.h>
#include <stdint.h>

enum { WAITS_CLASSES = 256 };

/* Zero is empty. */
struct waits {
    _Atomic uint64_t counts[WAITS_CLASSES], total, sum_ns, most_ns;
};

void waits_add(struct waits *waits, int64_t ns); /* below 0 counts as 0 */
/* The duration that a share of `share` (0..1) stays at or under, in ns; 0 when there is none. */
int64_t waits_percentile(const struct waits *waits, double share);

#endif
