/* The timeline beside one sorted array of everything. */
#include "engine/behaviour/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/test.h"
#include "engine/behaviour/base_version_test.h"

enum { PROFILES = 40, EVENTS_MAX = 6000, STEPS = 5000 };

struct twin {
    struct timeline      *timeline;
    struct timeline_event events[EVENTS_MAX]; /* by (profile, at, seq) */
    uint32_t              count, seq;
    uint64_t              random;
};

static uint32_t draw(struct twin *t, uint32_t below)
{
    t->random = hash_u64(t->random, 31);
    return (uint32_t)(t->random >> 24) % below;
}

static bool before(const struct timeline_event *a, const struct timeline_event *b)
{
    if (a->profile != b->profile)
        return a->profile < b->profile;
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

static void add(struct twin *t)
{
    struct timeline_event e = { .profile = draw(t, PROFILES) * draw(t, 3),
                                .name = (uint16_t)draw(t, 50),
                                .seq = ++t->seq };
    char                  text[24];
    uint32_t              i = t->count++;
    e.at_ms = draw(t, 5) == 0 ? (int64_t)draw(t, t->seq + 1) : (int64_t)t->seq / 3;
    snprintf(text, sizeof text, "bag of %-8u", e.seq);
    assert_ok(timeline_bag_add(t->timeline, (struct str){ text, 16 }, &e.bag));
    assert_ok(timeline_add(t->timeline, e));
    for (; i > 0 && before(&e, &t->events[i - 1]); i--)
        t->events[i] = t->events[i - 1];
    t->events[i] = e;
}

static void bag_check(struct twin *t, const struct timeline_event *e)
{
    char text[24];
    snprintf(text, sizeof text, "bag of %-8u", e->seq);
    assert_memory_equal(timeline_bags(t->timeline).bytes + (size_t)e->bag * BAG_UNIT_BYTES, text,
                        15);
}

/* Each run is in order, and the runs of a profile together are exactly its events. */
static void compare(struct twin *t)
{
    uint32_t at = 0;
    for (uint32_t p = 0; p < PROFILES * 2 + 3; p++) {
        struct run runs[TIMELINE_RUNS_MAX];
        uint32_t   count = timeline_runs(t->timeline, p, runs), used[TIMELINE_RUNS_MAX] = { 0 };
        for (; at < t->count && t->events[at].profile == p; at++) {
            const struct timeline_event *e = &t->events[at];
            uint32_t                     r = 0;
            while (r < count && (used[r] == runs[r].count || runs[r].seq[used[r]] != e->seq))
                r++;
            assert_true(r < count);
            uint32_t i = used[r]++;
            assert_true(runs[r].at_ms[i] == e->at_ms && runs[r].name[i] == e->name &&
                        runs[r].bag[i] == e->bag);
            bag_check(t, e);
        }
        for (uint32_t r = 0; r < count; r++)
            assert_int_equal(used[r], runs[r].count);
    }
    assert_int_equal(at, t->count);
    assert_int_equal(timeline_count(t->timeline), t->count);
}

static unsigned char *region_map(size_t bytes)
{
    void *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(region != MAP_FAILED);
    return region;
}

static void step(struct twin *t, size_t *bytes, bool *freezing)
{
    uint32_t kind = draw(t, 60);
    if (kind > 1) {
        add(t);
        return;
    }
    if (!*freezing) {
        assert_ok(timeline_freeze(t->timeline, t->seq, bytes));
        size_t ignored;
        assert_int_equal(timeline_freeze(t->timeline, t->seq, &ignored), ERR_CONFLICT);
    } else if (kind == 0) {
        timeline_thaw(t->timeline);
    } else {
        unsigned char *region = region_map(*bytes);
        assert_ok(timeline_write(t->timeline, region, bytes));
        timeline_swap(t->timeline, region, *bytes);
        if (draw(t, 2) == 0) /* else it goes with the next */
            leavings_free(timeline_leavings_take(t->timeline));
    }
    *freezing = !*freezing;
}

static struct twin *twin_live(uint64_t seed)
{
    struct twin *t = calloc(1, sizeof *t);
    size_t       bytes = 0;
    bool         freezing = false;
    t->timeline = timeline_open();
    t->random = seed;
    for (int i = 0; i < STEPS; i++) {
        step(t, &bytes, &freezing);
        if (i % 97 == 0)
            compare(t);
    }
    if (freezing)
        timeline_thaw(t->timeline);
    compare(t);
    return t;
}

TEST(timeline, base_frozen_and_delta_together_are_every_event_once_and_in_order)
{
    const char *given = getenv("DULT_SEED");
    uint64_t    seed = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16;
    printf("timeline: DULT_SEED=%llu replays\n", (unsigned long long)seed);
    struct twin *t = twin_live(seed);
    timeline_close(t->timeline);
    free(t);
}

static int bags_file(const struct twin *t, size_t *bytes)
{
    char        path[] = "/tmp/timeline_test.XXXXXX";
    struct bags bags = timeline_bags(t->timeline);
    int         file = mkstemp(path);
    unlink(path);
    assert_int_equal(write(file, bags.bytes, bags.len), (ssize_t)bags.len);
    *bytes = bags.len;
    return file;
}

TEST(timeline, a_base_with_any_bit_flipped_is_refused_and_the_timeline_stays_usable)
{
    struct twin *t = twin_live(3);
    size_t       bytes, bags_bytes;
    assert_ok(timeline_freeze(t->timeline, t->seq, &bytes));
    unsigned char *whole = region_map(bytes);
    assert_ok(timeline_write(t->timeline, whole, &bytes));
    int file = bags_file(t, &bags_bytes);

    for (int i = 0; i < 300; i++) {
        struct timeline *again = timeline_open();
        unsigned char   *region = region_map(bytes);
        size_t           at = i < 128 ? (size_t)i : (size_t)draw(t, (uint32_t)bytes);
        memcpy(region, whole, bytes);
        region[at] ^= (unsigned char)(1 << draw(t, 8));
        assert_int_equal(timeline_load(again, region, bytes, file, bags_bytes), ERR_CORRUPT);
        assert_ok(timeline_add(again, (struct timeline_event){ .profile = 1, .seq = 1 }));
        munmap(region, bytes);
        timeline_close(again);
    }
    for (int i = 0; i < 50; i++) {
        struct timeline *again = timeline_open();
        unsigned char    byte, wrong;
        off_t            at = (off_t)draw(t, (uint32_t)bags_bytes);
        uint32_t         place;
        assert_int_equal(pread(file, &byte, 1, at), 1);
        wrong = byte ^ 4;
        assert_int_equal(pwrite(file, &wrong, 1, at), 1);
        assert_int_equal(timeline_load(again, whole, bytes, file, bags_bytes), ERR_CORRUPT);
        assert_ok(timeline_bag_add(again, STR("12345678"), &place));
        assert_int_equal(place, 1);
        assert_int_equal(pwrite(file, &byte, 1, at), 1);
        timeline_close(again);
    }
    struct timeline *old = t->timeline;
    t->timeline = timeline_open();
    assert_ok(timeline_load(t->timeline, whole, bytes, file, bags_bytes));
    assert_int_equal(timeline_base_seq(t->timeline), t->seq);
    compare(t);
    close(file);
    timeline_close(old);
    timeline_close(t->timeline);
    free(t);
}

/* Of the version alone: with the same one it is taken, so that the sum is right. */
TEST(timeline, a_base_of_another_version_is_refused_though_its_sum_is_right)
{
    struct twin *t = twin_live(5);
    size_t       bytes, bags_bytes;
    assert_ok(timeline_freeze(t->timeline, t->seq, &bytes));
    unsigned char *region = region_map(bytes);
    assert_ok(timeline_write(t->timeline, region, &bytes));
    int file = bags_file(t, &bags_bytes);
    for (int by = -1; by <= 1; by += 2) {
        struct timeline *again = timeline_open();
        base_version_move(region, bytes, by);
        assert_int_equal(timeline_load(again, region, bytes, file, bags_bytes), ERR_CORRUPT);
        base_version_move(region, bytes, -by);
        timeline_close(again);
    }
    struct timeline *old = t->timeline;
    t->timeline = timeline_open();
    assert_ok(timeline_load(t->timeline, region, bytes, file, bags_bytes));
    compare(t);
    close(file);
    timeline_close(old);
    timeline_close(t->timeline);
    free(t);
}
