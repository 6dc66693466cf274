#include "engine/behaviour/arrivals.h"

#include <stdlib.h>

#include "engine/behaviour/log.h"

struct arrivals *arrivals_open(size_t profiles_max)
{
    struct arrivals *arrivals = calloc(1, sizeof *arrivals);
    if (arrivals == NULL)
        return NULL;
    atomic_init(&arrivals->holds, 1);
    if (space_open(&arrivals->space, profiles_max * sizeof(int64_t)) == OK)
        return arrivals;
    arrivals_drop(arrivals);
    return NULL;
}

struct arrivals *arrivals_hold(struct arrivals *arrivals)
{
    holds_add(&arrivals->holds);
    return arrivals;
}

void arrivals_drop(struct arrivals *arrivals)
{
    if (arrivals == NULL || !holds_end(&arrivals->holds))
        return;
    space_close(&arrivals->space);
    free(arrivals);
}

enum err arrivals_add(struct arrivals *arrivals, int64_t at_ms)
{
    size_t offset, count = arrivals->space.len / sizeof(int64_t);
    TRY(space_add(&arrivals->space, sizeof(int64_t), sizeof(int64_t), &offset));
    int64_t *all = (int64_t *)arrivals->space.bytes;
    all[count] = count > 0 && at_ms < all[count - 1] ? all[count - 1] : at_ms;
    return OK;
}

const int64_t *arrivals_ms(const struct arrivals *arrivals)
{
    return (const int64_t *)arrivals->space.bytes;
}

uint32_t arrivals_by(const int64_t *arrived_ms, uint32_t count, int64_t at_ms)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (arrived_ms[middle] <= at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
