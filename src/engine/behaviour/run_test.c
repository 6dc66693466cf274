#include "engine/behaviour/run.h"

#include "base/hash.h"
#include "base/test.h"

enum { LENGTH_MAX = 70, WANTED = 7 };

static uint32_t last_naive(const struct run *run, uint32_t to, uint16_t name)
{
    while (to > 0 && run->name[to - 1] != name)
        to--;
    return to;
}

/* Few or many of the name, and its neighbours in number and in bytes. */
static void names_make(uint16_t *names, uint32_t count, uint64_t seed)
{
    static const uint16_t others[] = { 0, 6, 8, WANTED << 8, 0xffff };
    for (uint32_t i = 0; i < count; i++) {
        uint64_t random = hash_u64(i, seed);
        names[i] = random % 64 < seed % 40 ? WANTED : others[random / 64 % 5];
    }
}

TEST(run, the_last_of_a_name_is_found_in_a_run_of_any_length)
{
    uint16_t names[LENGTH_MAX];
    for (uint64_t seed = 0; seed < 400; seed++)
        for (uint32_t count = 0; count <= LENGTH_MAX; count++) {
            struct run run = { .name = names + LENGTH_MAX - count, .count = count };
            names_make(names, LENGTH_MAX, seed);
            assert_int_equal(run_name_last(&run, count, WANTED), last_naive(&run, count, WANTED));
        }
}

TEST(run, the_bits_are_of_the_names_before_and_of_no_other)
{
    uint16_t names[LENGTH_MAX];
    for (uint64_t seed = 0; seed < 400; seed++)
        for (uint32_t to = 1; to <= LENGTH_MAX; to++) {
            struct run run = { .name = names, .count = LENGTH_MAX };
            uint32_t   bits = 0;
            names_make(names, LENGTH_MAX, seed);
            for (uint32_t i = 1; i <= RUN_BLOCK && i <= to; i++)
                bits |= (uint32_t)(names[to - i] == WANTED) << (RUN_BLOCK - i);
            assert_int_equal(run_name_bits(&run, to, WANTED), bits);
        }
}
