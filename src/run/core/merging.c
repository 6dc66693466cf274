#include "run/core/merging.h"

bool merging_is_due(const struct merging *merging)
{
    uint64_t events_min = merging->events_min > 0 ? merging->events_min : MERGING_EVENTS_MIN;
    int64_t  rest_us = (int64_t)(merging->last_bytes * 1000000 / MERGING_BYTES_A_S);
    return merging->fresh >= events_min && merging->fresh >= merging->all / MERGING_PART &&
           merging->since_us >= rest_us;
}
