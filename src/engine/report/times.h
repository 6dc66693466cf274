/*
 * times: many lengths of time, kept as how many lie in each of a few hundred buckets.
 *
 * Eight buckets between a length and its double, so that a median is off by at most 1/16, and
 * lengths of milliseconds and of years fit alike. What threads counted adds up.
 */
#ifndef DULT_ENGINE_REPORT_TIMES_H
#define DULT_ENGINE_REPORT_TIMES_H

#include <stdint.h>

enum { TIMES_EACH = 8, TIMES_BUCKETS = 44 * TIMES_EACH };

struct times {
    uint64_t count;
    uint32_t buckets[TIMES_BUCKETS];
};

uint32_t times_bucket(int64_t length_ms); /* 0 or more; longer than 2^46 ms: the last one */
int64_t  times_from_ms(uint32_t bucket);  /* the shortest length in it; the next one's is its end */
void     times_put(struct times *times, int64_t length_ms);
void     times_add(struct times *into, const struct times *from);
/* The length that a share (0..1) stays at or below, about; -1 of nothing. Half: the median. */
int64_t times_share_ms(const struct times *times, double share);

#endif
