#include "engine/report/times.h"

/* Below TIMES_EACH a bucket holds one length; above, the top bit says the octave and the next three
 * the part of it. */
uint32_t times_bucket(int64_t length_ms)
{
    uint64_t length = length_ms < 0 ? 0 : (uint64_t)length_ms;
    if (length < TIMES_EACH)
        return (uint32_t)length;
    uint32_t octave = 63 - (uint32_t)__builtin_clzll(length) - 3;
    uint64_t bucket = (uint64_t)octave * TIMES_EACH + (length >> octave);
    return bucket < TIMES_BUCKETS ? (uint32_t)bucket : TIMES_BUCKETS - 1;
}

int64_t times_from_ms(uint32_t bucket)
{
    uint32_t octave = bucket / TIMES_EACH;
    if (octave == 0)
        return bucket;
    return (int64_t)(TIMES_EACH + bucket % TIMES_EACH) << (octave - 1);
}

void times_put(struct times *times, int64_t length_ms)
{
    times->buckets[times_bucket(length_ms)]++;
    times->count++;
}

void times_add(struct times *into, const struct times *from)
{
    into->count += from->count;
    for (uint32_t i = 0; i < TIMES_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

int64_t times_share_ms(const struct times *times, double share)
{
    double wanted = share * (double)times->count, below = 0;
    if (times->count == 0)
        return -1;
    for (uint32_t i = 0; i < TIMES_BUCKETS; i++) {
        double here = times->buckets[i];
        if (here > 0 && below + here >= wanted) {
            int64_t from_ms = times_from_ms(i), width_ms = times_from_ms(i + 1) - from_ms;
            return from_ms + (int64_t)((wanted - below) / here * (double)(width_ms - 1));
        }
        below += here;
    }
    return times_from_ms(TIMES_BUCKETS);
}
