/* Erasure and retention beside a list from which events are simply struck. */
#include "engine/behaviour/removal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/test.h"
#include "engine/behaviour/edition.h"
#include "engine/behaviour/view.h"

enum { PROFILES = 30, NAMES = 24, EVENTS_MAX = 20000, STEPS = 8000, PAGE = 4096, BAG_BYTES = 16 };

struct struck {
    struct timeline_event event;
    bool                  gone, frozen;
};

struct twin {
    struct timeline *timeline;
    struct rings    *rings;
    struct struck    events[EVENTS_MAX];
    uint32_t         count, seq;
    uint64_t         random;
    unsigned char   *file; /* the bags as they would be on disk */
    size_t           file_bytes, bags_at_freeze, bytes;
    bool             freezing, forgets;   /* something forgotten waits */
    int64_t          before_ms[2][NAMES]; /* waiting, leaving */
    bool             retains[2];
    struct view     *held;
    uint64_t         held_sum;
};

static uint32_t draw(struct twin *t, uint32_t below)
{
    t->random = hash_u64(t->random, 77);
    return (uint32_t)(t->random >> 24) % below;
}

/* The bag says which event it was made for. */
static uint32_t bag_make(struct twin *t, uint32_t number)
{
    unsigned char bag[BAG_BYTES] = { 12 };
    uint32_t      place;
    memcpy(bag + 4, &number, sizeof number);
    memset(bag + 8, 0xAB, 4);
    assert_ok(timeline_bag_add(t->timeline, (struct str){ (char *)bag, sizeof bag }, &place));
    return place;
}

/* As the engine does it: an identify that says the same shares the bag. */
static uint32_t bag_of(struct twin *t, const struct timeline_event *e)
{
    for (uint32_t i = t->count; i > 0 && e->name == 0; i--) {
        const struct struck *s = &t->events[i - 1];
        if (!s->gone && s->event.profile == e->profile && s->event.name == 0 &&
            !timeline_bag_may_go(t->timeline, s->event.bag))
            return s->event.bag;
    }
    return bag_make(t, t->count);
}

static void add(struct twin *t)
{
    struct timeline_event e = { .profile = draw(t, PROFILES),
                                .name = (uint16_t)(draw(t, 3) == 0 ? 0 : draw(t, NAMES)),
                                .seq = ++t->seq };
    e.at_ms = draw(t, 4) == 0 ? (int64_t)draw(t, t->seq + 1) : (int64_t)t->seq;
    e.bag = bag_of(t, &e);
    assert_ok(timeline_add(t->timeline, e));
    t->events[t->count++] = (struct struck){ .event = e };
}

static void forget(struct twin *t)
{
    uint32_t profile = draw(t, PROFILES);
    assert_ok(timeline_forget(t->timeline, profile, ++t->seq));
    for (uint32_t i = 0; i < t->count; i++)
        t->events[i].gone |= t->events[i].event.profile == profile;
    t->forgets = true;
}

static void retain(struct twin *t)
{
    int64_t before_ms = (int64_t)t->seq - 2000;
    for (int n = 0; n < NAMES; n++)
        t->before_ms[0][n] = n % 3 == 0 ? before_ms - 500 : before_ms;
    t->before_ms[0][1] = TIME_MIN_MS;
    t->retains[0] = true;
    assert_ok(
        timeline_retain(t->timeline, (struct retention){ t->before_ms[0], NAMES, TIME_MIN_MS }));
}

static void freeze(struct twin *t)
{
    enum err err = timeline_freeze(t->timeline, t->seq, &t->bytes);
    if (err == ERR_CONFLICT) {
        assert_non_null(
            t->held); /* only who holds an edition from before a removal is waited for */
        return;
    }
    assert_ok(err);
    t->bags_at_freeze = timeline_bags_bytes(t->timeline);
    for (uint32_t i = 0; i < t->count; i++)
        t->events[i].frozen = true;
    if (t->retains[0]) {
        memcpy(t->before_ms[1], t->before_ms[0], sizeof t->before_ms[0]);
        t->retains[1] = true;
        t->retains[0] = false;
    }
    t->forgets = false;
    t->freezing = true;
}

static void thaw(struct twin *t)
{
    timeline_thaw(t->timeline);
    if (t->retains[1] && !t->retains[0])
        memcpy(t->before_ms[0], t->before_ms[1], sizeof t->before_ms[0]);
    t->retains[0] |= t->retains[1];
    t->retains[1] = false;
    t->forgets = true; /* perhaps */
    t->freezing = false;
}

static unsigned char *region_map(size_t bytes)
{
    void *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(region != MAP_FAILED);
    return region;
}

static void file_keep(struct twin *t)
{
    uint32_t              count;
    const struct stretch *cleared = timeline_cleared(t->timeline, &count);
    t->file = realloc(t->file, t->bags_at_freeze);
    memcpy(t->file + t->file_bytes, timeline_bags(t->timeline).bytes + t->file_bytes,
           t->bags_at_freeze - t->file_bytes);
    t->file_bytes = t->bags_at_freeze;
    for (uint32_t i = 0; i < count; i++)
        memset(t->file + cleared[i].from, 0, cleared[i].len);
}

/* What is on disk then is taken at the next start. */
static void file_check(struct twin *t, const unsigned char *region, size_t used)
{
    char             path[] = "/tmp/removal_test.XXXXXX";
    int              file = mkstemp(path);
    struct timeline *again = timeline_open();
    unsigned char   *copy = region_map(used);
    unlink(path);
    assert_int_equal(write(file, t->file, t->file_bytes), (ssize_t)t->file_bytes);
    memcpy(copy, region, used);
    assert_ok(timeline_load(again, copy, used, file, t->file_bytes));
    timeline_close(again);
    close(file);
}

static void swap(struct twin *t)
{
    unsigned char *region = region_map(t->bytes);
    size_t         used = t->bytes, keep;
    assert_ok(timeline_write(t->timeline, region, &used));
    assert_true(used <= t->bytes);
    file_keep(t);
    file_check(t, region, used);
    keep = (used + PAGE - 1) / PAGE * PAGE;
    if (keep < t->bytes)
        munmap(region + keep, t->bytes - keep);
    timeline_swap(t->timeline, region, used);
    for (uint32_t i = 0; i < t->count && t->retains[1]; i++) {
        const struct timeline_event *e = &t->events[i].event;
        t->events[i].gone |= t->events[i].frozen && e->at_ms < t->before_ms[1][e->name];
    }
    t->retains[1] = t->freezing = false;
}

static bool is_there(const struct run *runs, uint32_t count, const struct timeline_event *e)
{
    for (uint32_t r = 0; r < count; r++)
        for (uint32_t i = 0; i < runs[r].count; i++)
            if (runs[r].seq[i] == e->seq)
                return runs[r].name[i] == e->name && runs[r].at_ms[i] == e->at_ms &&
                       runs[r].bag[i] == e->bag;
    return false;
}

static uint64_t runs_sum(const struct run *runs, uint32_t count)
{
    uint64_t events = 0;
    for (uint32_t r = 0; r < count; r++)
        events += runs[r].count;
    return events;
}

static struct view *view_of(struct twin *t, const struct view *before)
{
    struct moment   moment = { t->seq, PROFILES, 0, NULL };
    struct edition *edition = edition_make(t->timeline, t->rings, moment);
    struct view    *view = NULL;
    assert_ok(view_make(&view, edition, before));
    edition_drop(edition);
    return view;
}

/* The timeline has what is not struck, at once; a view, when no merge is to come first. */
static void compare(struct twin *t)
{
    uint64_t     here[PROFILES] = { 0 };
    struct view *view = view_of(t, t->held);
    struct run   runs[TIMELINE_RUNS_MAX + VIEW_LEVELS_MAX];
    for (uint32_t i = 0; i < t->count; i++) {
        const struct timeline_event *e = &t->events[i].event;
        if (t->events[i].gone)
            continue;
        here[e->profile]++;
        assert_true(is_there(runs, timeline_runs(t->timeline, e->profile, runs), e));
        assert_true(is_there(runs, view_runs(view, e->profile, runs), e));
        assert_int_equal(bag_at(timeline_bags(t->timeline), e->bag).len, 8);
    }
    for (uint32_t p = 0; p < PROFILES; p++) {
        assert_true(here[p] == runs_sum(runs, timeline_runs(t->timeline, p, runs)));
        if (!t->forgets && !t->freezing)
            assert_true(here[p] == runs_sum(runs, view_runs(view, p, runs)));
    }
    view_drop(view);
}

static uint64_t sum_of(const struct view *view)
{
    uint64_t sum = 0;
    for (uint32_t p = 0; p < PROFILES; p++) {
        struct run runs[VIEW_LEVELS_MAX];
        uint32_t   count = view_runs(view, p, runs);
        for (uint32_t r = 0; r < count; r++)
            for (uint32_t i = 0; i < runs[r].count; i++)
                sum += hash_u64(runs[r].seq[i], p) +
                       hash_str((struct str){ (const char *)view->bags.bytes +
                                                  (size_t)runs[r].bag[i] * BAG_UNIT_BYTES,
                                              BAG_BYTES },
                                1);
    }
    return sum;
}

static void hold(struct twin *t)
{
    if (t->held == NULL) {
        t->held = view_of(t, NULL);
        t->held_sum = sum_of(t->held);
        return;
    }
    assert_true(sum_of(t->held) == t->held_sum);
    view_drop(t->held);
    t->held = NULL;
}

static void step(struct twin *t)
{
    uint32_t kind = draw(t, 200);
    if (kind < 2)
        forget(t);
    else if (kind < 3)
        retain(t);
    else if (kind < 6 && !t->freezing)
        freeze(t);
    else if (kind < 6)
        kind == 3 ? thaw(t) : swap(t);
    else if (kind < 9)
        hold(t);
    else
        add(t);
}

/* All bytes of bags that nobody has any more are zero, once no reader and no merge is left. */
static void nothing_left_check(struct twin *t)
{
    struct bags bags = timeline_bags(t->timeline);
    bool       *used = calloc(bags.len / BAG_UNIT_BYTES + 2, 1);
    for (uint32_t i = 0; i < t->count; i++)
        if (!t->events[i].gone)
            used[t->events[i].event.bag] = used[t->events[i].event.bag + 1] = true;
    for (size_t i = 0; i < bags.len; i++)
        assert_true(used[i / BAG_UNIT_BYTES] || bags.bytes[i] == 0);
    free(used);
}

static void merge(struct twin *t)
{
    freeze(t);
    swap(t);
}

TEST(removal, what_is_struck_is_gone_from_timeline_views_snapshot_and_bags_and_nothing_else_is)
{
    const char  *given = getenv("DULT_SEED");
    struct twin *t = calloc(1, sizeof *t);
    t->random = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16;
    printf("removal: DULT_SEED=%llu replays\n", (unsigned long long)t->random);
    t->timeline = timeline_open();
    t->rings = rings_open(0);
    for (int i = 0; i < STEPS; i++) {
        step(t);
        if (i % 101 == 0)
            compare(t);
    }
    if (t->held != NULL)
        hold(t);
    if (t->freezing)
        thaw(t);
    merge(t);
    compare(t);
    nothing_left_check(t);
    assert_false(timeline_has_removals(t->timeline));
    rings_drop(t->rings);
    timeline_close(t->timeline);
    free(t->file);
    free(t);
}
