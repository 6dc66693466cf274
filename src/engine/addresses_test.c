/* Addresses by their hashes: none is taken for another, and the last who took one has it. */
#include "engine/addresses.h"

#include "base/hash.h"
#include "base/test.h"

TEST(addresses, of_a_million_none_is_taken_for_another)
{
    enum { MANY = 1000000 };
    struct addresses all = { .rests = NULL };
    for (uint32_t p = 0; p < MANY; p++) {
        assert_int_equal(addresses_find(&all, hash_u64(p, 1)), MAP_NONE);
        assert_ok(addresses_put(&all, hash_u64(p, 1), p));
    }
    for (uint32_t p = 0; p < MANY; p++)
        assert_int_equal(addresses_find(&all, hash_u64(p, 1)), p);
    addresses_done(&all);
}

TEST(addresses, an_address_is_whose_who_took_it_last_and_a_profile_has_its_last)
{
    enum { HASHES = 12, PROFILES = 7, STEPS = 20000 };
    struct addresses all = { .rests = NULL };
    uint32_t         of_hash[HASHES], of_profile[PROFILES];
    uint64_t         random = 3;
    for (int i = 0; i < HASHES; i++)
        of_hash[i] = MAP_NONE;
    for (int p = 0; p < PROFILES; p++)
        of_profile[p] = HASHES;
    for (int i = 0; i < STEPS; i++) {
        random = hash_u64(random, 5);
        uint32_t h = (uint32_t)(random >> 8) % HASHES, p = (uint32_t)(random >> 40) % PROFILES;
        /* Two upper halves in all: what differs stands in the lower. */
        assert_ok(addresses_put(&all, (uint64_t)(h % 2 + 1) << 32 | (h * 7 + 1), p));
        if (of_hash[h] != MAP_NONE)
            of_profile[of_hash[h]] = HASHES;
        if (of_profile[p] < HASHES)
            of_hash[of_profile[p]] = MAP_NONE;
        of_hash[h] = p;
        of_profile[p] = h;
        for (uint32_t k = 0; k < HASHES; k++)
            assert_int_equal(addresses_find(&all, (uint64_t)(k % 2 + 1) << 32 | (k * 7 + 1)),
                             of_hash[k]);
    }
    addresses_done(&all);
}
