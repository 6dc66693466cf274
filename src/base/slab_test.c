#include "base/slab.h"

#include <stdlib.h>

#include "base/test.h"

enum { BLOCKS = 20000, TURNS = 400000 };

struct block {
    unsigned char *bytes;
    size_t         len;
    unsigned char  mark;
};

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

static void is_whole(const struct block *block)
{
    for (size_t i = 0; i < block->len; i++)
        assert_int_equal(block->bytes[i], block->mark);
}

/* Whoever got a neighbour's bytes, or a block that is still taken, would overwrite its mark. */
TEST(slab, no_two_blocks_share_a_byte_whoever_comes_and_goes)
{
    static struct block blocks[BLOCKS];
    struct slab        *slab = slab_open();
    uint64_t            seed = 7;
    memset(blocks, 0, sizeof blocks);
    for (int i = 0; i < TURNS; i++) {
        struct block *block = &blocks[draw(&seed) % BLOCKS];
        is_whole(block);
        slab_give(block->bytes, block->len);
        *block = (struct block){ .len = 1 + draw(&seed) % (SLAB_BLOCK_BYTES_MAX + 64),
                                 .mark = (unsigned char)draw(&seed) };
        block->bytes = slab_take(slab, block->len);
        assert_non_null(block->bytes);
        assert_int_equal((uintptr_t)block->bytes % 8, 0);
        if (block->len <= SLAB_BLOCK_BYTES_MAX)
            assert_ptr_equal(slab_of(block->bytes), slab);
        memset(block->bytes, block->mark, block->len);
    }
    for (int i = 0; i < BLOCKS; i++) {
        is_whole(&blocks[i]);
        slab_give(blocks[i].bytes, blocks[i].len);
    }
    slab_close(slab);
}

TEST(slab, a_million_blocks_cost_their_bytes_and_a_hundredth)
{
    enum { COUNT = 1000000, BYTES = 48 };
    struct slab *slab = slab_open();
    void       **blocks = malloc(COUNT * sizeof *blocks);
    assert_non_null(blocks);
    for (int i = 0; i < COUNT; i++)
        assert_non_null(blocks[i] = slab_take(slab, BYTES));
    assert_true(slab_bytes(slab) < COUNT * (size_t)BYTES * 101 / 100);
    for (int i = 0; i < COUNT; i++)
        slab_give(blocks[i], BYTES);
    assert_true(slab_bytes(slab) <= 1 << 20); /* the rest is the system's again */
    free(blocks);
    slab_close(slab);
}

TEST(slab, an_array_keeps_its_items_while_it_outgrows_the_slab)
{
    struct {
        uint32_t *items;
        uint32_t  count, room;
    } numbers = { 0 };
    struct slab *slab = slab_open();
    for (uint32_t i = 0; i < 5000; i++) {
        uint32_t *items =
            slab_room(slab, numbers.items, numbers.count, &numbers.room, sizeof *items);
        assert_non_null(items);
        numbers.items = items;
        numbers.items[numbers.count++] = i;
    }
    for (uint32_t i = 0; i < 5000; i++)
        assert_int_equal(numbers.items[i], i);
    SLAB_DONE(&numbers);
    assert_null(numbers.items);
    slab_close(slab);
}

TEST(slab, what_lies_in_large_pages_is_kept_apart_and_given_back)
{
    enum { BYTES = 504, COUNT = 80000 }; /* 38 MB: chunks by themselves, then several together */
    struct slab *slab = slab_open();
    uint32_t   **blocks = malloc(COUNT * sizeof blocks[0]);
    assert_non_null(blocks);
    for (uint32_t i = 0; i < COUNT; i++) {
        blocks[i] = slab_take(slab, BYTES);
        assert_non_null(blocks[i]);
        assert_ptr_equal(slab_of(blocks[i]), slab);
        blocks[i][0] = blocks[i][BYTES / 4 - 1] = i;
    }
    assert_true(slab_bytes(slab) < COUNT * (size_t)BYTES * 101 / 100);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(blocks[i][0], i);
        assert_int_equal(blocks[i][BYTES / 4 - 1], i);
        if (i % 2 == 0)
            slab_give(blocks[i], BYTES);
    }
    for (uint32_t i = 0; i < COUNT; i += 2) /* into the holes */
        assert_non_null(blocks[i] = slab_take(slab, BYTES));
    assert_true(slab_bytes(slab) < COUNT * (size_t)BYTES * 101 / 100);
    for (uint32_t i = 0; i < COUNT; i++)
        slab_give(blocks[i], BYTES);
    assert_true(slab_bytes(slab) <= 1 << 20);
    free(blocks);
    slab_close(slab);
}
