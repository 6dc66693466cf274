#include "run/core/waits.h"

/* Eight classes for each doubling; below 8 ns a class each. */
static uint32_t class_of(uint64_t ns)
{
    if (ns < 8)
        return (uint32_t)ns;
    uint32_t bits = 63 - (uint32_t)__builtin_clzll(ns); /* at least 3 */
    uint32_t number = (bits - 2) * 8 + (uint32_t)((ns >> (bits - 3)) & 7);
    return number < WAITS_CLASSES ? number : WAITS_CLASSES - 1;
}

static int64_t greatest_of(uint32_t number)
{
    if (number < 8)
        return number;
    uint32_t bits = number / 8 + 2;
    return (int64_t)(((8 + (uint64_t)(number & 7) + 1) << (bits - 3)) - 1);
}

void waits_add(struct waits *waits, int64_t ns)
{
    uint64_t took = ns < 0 ? 0 : (uint64_t)ns;
    atomic_fetch_add_explicit(&waits->counts[class_of(took)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&waits->total, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&waits->sum_ns, took, memory_order_relaxed);
    if (took > atomic_load_explicit(&waits->most_ns, memory_order_relaxed))
        atomic_store_explicit(&waits->most_ns, took, memory_order_relaxed);
}

int64_t waits_percentile(const struct waits *waits, double share)
{
    uint64_t total = atomic_load_explicit(&waits->total, memory_order_relaxed), seen = 0;
    for (uint32_t i = 0; i < WAITS_CLASSES && total > 0; i++) {
        seen += atomic_load_explicit(&waits->counts[i], memory_order_relaxed);
        if ((double)seen >= share * (double)total)
            return greatest_of(i);
    }
    return total == 0 ? 0 : (int64_t)atomic_load_explicit(&waits->most_ns, memory_order_relaxed);
}
