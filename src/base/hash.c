#include "base/hash.h"

#include <stdlib.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t hash_str(struct str s, uint64_t seed)
{
    return XXH3_64bits_withSeed(s.ptr == NULL ? "" : s.ptr, s.len, seed);
}

uint64_t hash_u64(uint64_t value, uint64_t seed)
{
    /* splitmix64's finisher (Steele, Lea, Flood 2014). */
    uint64_t z = value + seed + UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

double hash_chance(struct str who, struct str what)
{
    uint64_t bits = hash_str(who, hash_str(what, 0));
    return (double)(bits >> 11) * 0x1.0p-53;
}

uint64_t hash_random_seed(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        abort(); /* no random source: nothing we sign would be safe */
    return seed;
}
