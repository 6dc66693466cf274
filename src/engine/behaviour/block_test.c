#include "engine/behaviour/block.h"

#include "base/test.h"

static void put(struct blocks *blocks, uint32_t profile, int64_t at_ms)
{
    struct timeline_event event = { .profile = profile, .at_ms = at_ms, .seq = 1 };
    assert_ok(blocks_room(blocks, profile));
    blocks_put(blocks, &event);
}

static size_t bytes_of(uint32_t events)
{
    struct blocks blocks;
    assert_ok(blocks_open(&blocks));
    put(&blocks, 0, 0); /* what everyone shares is then there */
    uint64_t before = blocks_bytes(&blocks);
    for (uint32_t p = 1; p <= 1000; p++)
        for (uint32_t i = 0; i < events; i++)
            put(&blocks, p, i);
    uint64_t bytes = blocks_bytes(&blocks) - before;
    blocks_close(&blocks);
    return (size_t)(bytes / 1000);
}

TEST(block, one_event_takes_24_bytes_two_40_and_4_the_profile)
{
    assert_int_equal(bytes_of(1), 24 + 4);
    assert_in_range(bytes_of(2), 40 + 4, 40 + 4 + 1); /* the last one outgrown is left over */
    assert_in_range(bytes_of(100), 100 * 18, 100 * 27);
}

TEST(block, what_was_outgrown_is_used_again)
{
    struct blocks blocks;
    struct run    run;
    assert_ok(blocks_open(&blocks));
    for (int i = 0; i < 3; i++)
        put(&blocks, 7, 3 - i);
    size_t before = blocks.region.len;
    put(&blocks, 6, 11);
    put(&blocks, 6, 12);
    put(&blocks, 5, 10);
    assert_int_equal(blocks.region.len, before); /* those of 1 and of 2 are taken over */
    assert_true(blocks_run(&blocks, 7, &run));
    assert_int_equal(run.count, 3);
    assert_true(run.at_ms[0] == 1 && run.at_ms[2] == 3);
    assert_true(blocks_run(&blocks, 6, &run));
    assert_true(run.count == 2 && run.at_ms[0] == 11);
    assert_false(blocks_run(&blocks, 4, &run));
    blocks_close(&blocks);
}

TEST(block, a_profile_of_very_many_events_keeps_their_order)
{
    enum { MANY = 200000 };
    struct blocks blocks;
    struct run    run;
    assert_ok(blocks_open(&blocks));
    for (uint32_t i = 0; i < MANY; i++)
        put(&blocks, 3, i % 2 == 0 ? i : i - 1);
    assert_true(blocks_run(&blocks, 3, &run));
    assert_int_equal(run.count, MANY);
    for (uint32_t i = 1; i < MANY; i++)
        assert_true(run.at_ms[i - 1] <= run.at_ms[i]);
    blocks_close(&blocks);
}
