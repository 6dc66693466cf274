#include "run/core/dedupe.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/test.h"
#include "run/core/dedupe_rows.h"

static bool seen(const struct dedupe *dedupe, struct dedupe_id id, uint32_t wanted)
{
    uint32_t place = 0, seq;
    while ((seq = dedupe_next(dedupe, id, &place)) != 0)
        if (seq == wanted)
            return true;
    return false;
}

TEST(dedupe, every_id_within_the_horizon_is_found_and_none_before_it)
{
    struct dedupe *dedupe = dedupe_open(5, DEDUPE_IDS_MAX);
    char           id[32];
    for (uint32_t seq = 1; seq <= 300000; seq++) {
        snprintf(id, sizeof id, "message-%u", seq);
        struct dedupe_id is = dedupe_id(dedupe, seq % 3, str_of(id));
        assert_false(seen(dedupe, is, seq));
        assert_ok(dedupe_add(dedupe, is, seq));
        if (seq % 50000 == 0)
            dedupe_horizon(dedupe, seq - 40000);
    }
    for (uint32_t seq = 1; seq <= 300000; seq++) {
        snprintf(id, sizeof id, "message-%u", seq);
        assert_int_equal(seen(dedupe, dedupe_id(dedupe, seq % 3, str_of(id)), seq), seq >= 260000);
    }
    assert_in_range(dedupe_count(dedupe), 40000, 300000);
    dedupe_close(dedupe);
}

/* Growing is shared out: no thousandth more ids brings a fiftieth of the memory with it. */
TEST(dedupe, it_never_grows_all_at_once)
{
    enum { IDS = 2000000, STEP = 1000 };
    struct dedupe *dedupe = dedupe_open(5, DEDUPE_IDS_MAX);
    uint64_t       before = 0;
    char           id[32];
    for (uint32_t seq = 1; seq <= IDS; seq++) {
        snprintf(id, sizeof id, "message-%u", seq);
        assert_ok(dedupe_add(dedupe, dedupe_id(dedupe, 1, str_of(id)), seq));
        if (seq % STEP != 0)
            continue;
        uint64_t bytes = dedupe_bytes(dedupe);
        if (seq > IDS / 2)
            assert_in_range(bytes - before, 0, before / 50);
        before = bytes;
    }
    assert_in_range(before, UINT64_C(9) * IDS, UINT64_C(26) * IDS);
    dedupe_close(dedupe);
}

TEST(dedupe, two_sources_may_use_the_same_id)
{
    struct dedupe *dedupe = dedupe_open(5, DEDUPE_IDS_MAX);
    assert_true(dedupe_id(dedupe, 1, STR("m")).hash != dedupe_id(dedupe, 2, STR("m")).hash);
    dedupe_close(dedupe);
}

/* A row of the file `digit`, 16 times. */
static struct dedupe_id row_id(const struct dedupe *dedupe, uint32_t source, char digit,
                               uint32_t row)
{
    char id[64], digits[17] = { 0 };
    for (int i = 0; i < 16; i++)
        digits[i] = digit;
    snprintf(id, sizeof id, "imp-%s-%u", digits, row);
    return dedupe_id(dedupe, source, str_of(id));
}

TEST(dedupe, a_file_s_rows_in_a_row_are_one_span)
{
    struct dedupe *dedupe = dedupe_open(5, DEDUPE_IDS_MAX);
    for (uint32_t row = 1; row <= 100000; row++) {
        assert_false(seen(dedupe, row_id(dedupe, 1, 'a', row), 50 + row));
        assert_ok(dedupe_add(dedupe, row_id(dedupe, 1, 'a', row), 50 + row));
    }
    assert_int_equal(dedupe_count(dedupe), 1);
    dedupe_horizon(dedupe, 1050);
    uint32_t place = 0;
    for (uint32_t row = 1; row <= 100000; row++)
        assert_int_equal(seen(dedupe, row_id(dedupe, 1, 'a', row), 50 + row), row >= 1000);
    assert_int_equal(dedupe_next(dedupe, row_id(dedupe, 2, 'a', 5000), &place), 0);
    place = 0;
    assert_int_equal(dedupe_next(dedupe, row_id(dedupe, 1, 'b', 5000), &place), 0);
    place = 0;
    assert_int_equal(dedupe_next(dedupe, row_id(dedupe, 1, 'a', 100001), &place), 0);
    dedupe_close(dedupe);
}

/* What is taken in any order, from any number of files, among others, under a horizon that moves.
 */
TEST(dedupe, rows_in_any_order_of_any_number_of_files_are_found)
{
    enum { ROWS = 120000, KEPT = 30000, FILES = DEDUPE_FILES + 40 };
    struct dedupe *dedupe = dedupe_open(5, DEDUPE_IDS_MAX);
    uint64_t       seed = 11, *is = calloc(ROWS + 1, sizeof *is);
    char           id[64];
    assert_non_null(is);
    for (uint32_t seq = 1; seq <= ROWS; seq++) {
        uint64_t draw = hash_u64(seed, seq), file = draw % 3 == 0 ? draw / 3 % FILES : draw / 3 % 2;
        uint32_t row = draw >> 40 & 1 ? seq : (uint32_t)(draw >> 41) % 1000 + 1;
        is[seq] = file << 32 | row;
        snprintf(id, sizeof id, "imp-%016llx-%u", (unsigned long long)file, row);
        assert_ok(dedupe_add(dedupe, dedupe_id(dedupe, 7, str_of(id)), seq));
        if (seq % 1000 == 0 && seq > KEPT)
            dedupe_horizon(dedupe, seq - KEPT);
    }
    for (uint32_t seq = 1; seq <= ROWS; seq++) {
        snprintf(id, sizeof id, "imp-%016llx-%u", (unsigned long long)(is[seq] >> 32),
                 (uint32_t)is[seq]);
        assert_int_equal(seen(dedupe, dedupe_id(dedupe, 7, str_of(id)), seq), seq >= ROWS - KEPT);
    }
    free(is);
    dedupe_close(dedupe);
}
