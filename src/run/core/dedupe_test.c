#include "run/core/dedupe.h"

#include <stdio.h>

#include "base/test.h"

static bool seen(const struct dedupe *dedupe, uint64_t hash, uint32_t wanted)
{
    uint32_t place = 0, seq;
    while ((seq = dedupe_next(dedupe, hash, &place)) != 0)
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
        uint64_t hash = dedupe_hash(dedupe, seq % 3, str_of(id));
        assert_false(seen(dedupe, hash, seq));
        assert_ok(dedupe_add(dedupe, hash, seq));
        if (seq % 50000 == 0)
            dedupe_horizon(dedupe, seq - 40000);
    }
    for (uint32_t seq = 1; seq <= 300000; seq++) {
        snprintf(id, sizeof id, "message-%u", seq);
        assert_int_equal(seen(dedupe, dedupe_hash(dedupe, seq % 3, str_of(id)), seq),
                         seq >= 260000);
    }
    assert_in_range(dedupe_count(dedupe), 40000, 300000);
    dedupe_close(dedupe);
}

TEST(dedupe, two_sources_may_use_the_same_id)
{
    struct dedupe *dedupe = dedupe_open(5, DEDUPE_IDS_MAX);
    assert_true(dedupe_hash(dedupe, 1, STR("m")) != dedupe_hash(dedupe, 2, STR("m")));
    dedupe_close(dedupe);
}
