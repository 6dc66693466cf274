/* Views beside the timeline, and beside one sorted array of everything, through random lives. */
#include "engine/behaviour/view.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/test.h"
#include "engine/behaviour/edition.h"
#include "engine/profile/people.h"
#include "engine/vec.h"

enum { PROFILES_MAX = 300, STEPS = 6000, NAMES = 40, MERGES_MAX = 4000 };

struct life {
    struct timeline *timeline;
    struct people   *people;
    uint64_t         random, ids;
    uint32_t         seq;
    bool             freezing;
    size_t           bytes;
    struct {
        uint64_t id;
        uint32_t from;
    } merges[MERGES_MAX];
    uint32_t merges_count;
};

static uint32_t draw(struct life *l, uint32_t below)
{
    l->random = hash_u64(l->random, 31);
    return (uint32_t)(l->random >> 24) % below;
}

static uint64_t seed_of_test(const char *name)
{
    const char *given = getenv("DULT_SEED");
    uint64_t    seed = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16;
    printf("%s: DULT_SEED=%llu replays\n", name, (unsigned long long)seed);
    return seed;
}

static struct life life_open(uint64_t seed)
{
    struct life l = { .timeline = timeline_open(), .people = people_open(1), .random = seed };
    uint32_t    number;
    for (int i = 0; i < 5; i++)
        assert_ok(people_add(l.people, 1, &number));
    return l;
}

static void life_close(struct life *l)
{
    timeline_thaw(l->timeline);
    timeline_close(l->timeline);
    people_close(l->people);
}

/* Often late, often in one record with others, so that (at, seq) ties. */
static void event_add(struct life *l)
{
    struct timeline_event e = { .profile = draw(l, people_count(l->people)),
                                .name = (uint16_t)(draw(l, 9) == 0 ? DICT_OTHER : draw(l, NAMES)),
                                .seq = draw(l, 4) == 0 ? l->seq : ++l->seq };
    e.at_ms = draw(l, 4) == 0 ? (int64_t)draw(l, l->seq + 1) : (int64_t)l->seq / 5;
    e.at_ms = (e.at_ms - 40) * TIME_HOUR_MS; /* some before 1970 */
    assert_ok(timeline_bag_add(l->timeline, STR("a bag.. "), &e.bag));
    assert_ok(timeline_add(l->timeline, e));
}

static void join(struct life *l)
{
    uint32_t into = people_root(l->people, draw(l, people_count(l->people)));
    uint32_t from = people_root(l->people, draw(l, people_count(l->people)));
    if (into == from || l->merges_count == MERGES_MAX)
        return;
    struct state *kept = people_state(l->people, into), *lost = people_state(l->people, from);
    struct merge  merge = { ++l->ids, from, into };
    for (uint32_t i = 0; i < lost->rarer->merges.count; i++)
        assert_ok(STATE_ADD_RARER(kept, merges, lost->rarer->merges.items[i]));
    if (people_join(l->people, into, from) != OK)
        return;
    assert_ok(STATE_ADD_RARER(kept, merges, merge));
    state_free(lost);
    people_get(l->people, from)->state = NULL;
    l->merges[l->merges_count].id = merge.id;
    l->merges[l->merges_count++].from = from;
}

static void part(struct life *l)
{
    if (l->merges_count == 0)
        return;
    uint32_t m = draw(l, l->merges_count), profile = l->merges[m].from;
    if (people_part(l->people, l->merges[m].id, &profile) != ERR_CONFLICT)
        l->merges[m] = l->merges[--l->merges_count];
}

static void merge_step(struct life *l)
{
    if (!l->freezing) {
        assert_ok(timeline_freeze(l->timeline, l->seq, &l->bytes));
    } else if (draw(l, 2) == 0) {
        timeline_thaw(l->timeline);
    } else {
        void *region =
            mmap(NULL, l->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(region != MAP_FAILED);
        assert_ok(timeline_write(l->timeline, region, &l->bytes));
        timeline_swap(l->timeline, region, l->bytes);
    }
    l->freezing = !l->freezing;
}

static void life_step(struct life *l)
{
    uint32_t kind = draw(l, 100), number;
    if (kind < 5 && people_count(l->people) < PROFILES_MAX)
        assert_ok(people_add(l->people, l->seq, &number));
    else if (kind < 9)
        join(l);
    else if (kind < 12)
        part(l);
    else if (kind < 13)
        merge_step(l);
    else
        event_add(l);
}

static struct edition *edition_of(struct life *l)
{
    struct edition *edition =
        edition_make(l->timeline, people_rings(l->people),
                     (struct moment){ l->seq, people_count(l->people), (int64_t)l->seq,
                                      people_arrivals(l->people) });
    assert_non_null(edition);
    return edition;
}

/* ---- all of a profile's events in one order ---- */

struct all {
    struct timeline_event *events;
    uint32_t               count;
};

static void run_add(struct all *all, const struct run *run)
{
    all->events = realloc(all->events, ((size_t)all->count + run->count + 1) * sizeof *all->events);
    for (uint32_t i = 0; i < run->count; i++) {
        struct timeline_event e = { 0, run->name[i], run->seq[i], run->bag[i], run->at_ms[i] };
        uint32_t              k = all->count++;
        for (; k > 0 && (all->events[k - 1].at_ms > e.at_ms ||
                         (all->events[k - 1].at_ms == e.at_ms && all->events[k - 1].seq > e.seq));
             k--)
            all->events[k] = all->events[k - 1];
        all->events[k] = e;
        if (i > 0)
            assert_true(run->at_ms[i - 1] < run->at_ms[i] ||
                        (run->at_ms[i - 1] == run->at_ms[i] && run->seq[i - 1] <= run->seq[i]));
    }
}

/* As they stand in memory; padding is not compared. */
static void alls_equal(const struct all *a, const struct all *b)
{
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++)
        assert_true(a->events[i].at_ms == b->events[i].at_ms &&
                    a->events[i].seq == b->events[i].seq && a->events[i].bag == b->events[i].bag &&
                    a->events[i].name == b->events[i].name);
}

static void profile_compare(struct life *l, const struct view *view, uint32_t profile)
{
    struct run runs[VIEW_LEVELS_MAX + TIMELINE_RUNS_MAX];
    struct all here = { 0 }, there = { 0 };
    uint32_t   count = view_runs(view, profile, runs);
    for (uint32_t r = 0; r < count; r++)
        run_add(&here, &runs[r]);
    count = timeline_runs(l->timeline, profile, runs);
    for (uint32_t r = 0; r < count; r++)
        run_add(&there, &runs[r]);
    alls_equal(&here, &there);
    free(here.events);
    free(there.events);
    assert_int_equal(view->root[profile], people_get(l->people, profile)->root);
    assert_int_equal(view->next[profile], people_get(l->people, profile)->next);
}

/* Postings name every event once, in order; last_ms is the latest that was done, first_day that of
 * the earliest. */
static void level_check(const struct level *level)
{
    uint32_t posts = 0;
    for (uint32_t n = 0; n < level->names; n++)
        for (uint32_t i = level->post_offsets[n]; i < level->post_offsets[n + 1]; i++, posts++) {
            assert_int_equal(level->name[level->posts[i]], n);
            assert_true(i == level->post_offsets[n] || level->posts[i - 1] < level->posts[i]);
        }
    assert_int_equal(posts, level->events);
    assert_int_equal(level->offsets[level->profiles], level->events);
    for (uint32_t e = 0; e < level->profiles; e++) {
        int64_t    last = LAST_NEVER_MS, first = TIME_MAX_MS;
        struct run run = level_run(level, e);
        for (uint32_t i = 0; i < run.count; i++) {
            if (run.name[i] >= RUN_DEEDS && run.at_ms[i] > last)
                last = run.at_ms[i];
            if (run.name[i] >= RUN_DEEDS && run.at_ms[i] < first)
                first = run.at_ms[i];
        }
        assert_true(level->last_ms[e] == last);
        assert_non_null(level->first_day);
        assert_int_equal(level->first_day[e], first == TIME_MAX_MS ? UINT16_MAX
                                              : first < 0          ? 0
                                                                   : first / TIME_DAY_MS);
        assert_true(level->profile == NULL || e == 0 || level->profile[e - 1] < level->profile[e]);
    }
}

/* Those who had come by an instant are those numbered below; whoever comes later has no part. */
static void arrivals_compare(struct life *l, const struct view *view)
{
    int64_t  at_ms = (int64_t)draw(l, l->seq + 2) - 1;
    uint32_t by = view_profiles_by(view, at_ms);
    assert_true(by <= view->profiles);
    for (uint32_t p = 0; p < view->profiles; p++)
        assert_int_equal(people_arrived_ms(l->people, p) <= at_ms, p < by);
}

static void view_compare(struct life *l, const struct view *view)
{
    uint64_t events = 0;
    assert_int_equal(view->seq, l->seq);
    assert_int_equal(view->profiles, people_count(l->people));
    arrivals_compare(l, view);
    for (uint32_t p = 0; p < view->profiles; p++)
        profile_compare(l, view, p);
    for (uint32_t i = 0; i < view->levels_count; i++) {
        level_check(&view->levels[i]);
        events += view->levels[i].events;
    }
    assert_int_equal(events, timeline_count(l->timeline));
    assert_int_equal(view->bags.len, timeline_bags(l->timeline).len);
}

TEST(view, shows_what_the_timeline_and_the_rings_have_whatever_came_before)
{
    struct life  l = life_open(seed_of_test("view"));
    struct view *before = NULL;
    for (int i = 0; i < STEPS; i++) {
        life_step(&l);
        if (draw(&l, 30) != 0)
            continue;
        struct edition *edition = edition_of(&l);
        struct view    *view = NULL, *afresh = NULL;
        assert_ok(view_make(&view, edition, before));
        assert_ok(view_make(&afresh, edition, NULL));
        view_compare(&l, view);
        view_compare(&l, afresh);
        edition_drop(edition);
        view_drop(afresh);
        if (draw(&l, 5) == 0) { /* this one made nothing easier for anybody */
            view_drop(view);
            continue;
        }
        view_drop(before);
        before = view;
    }
    view_drop(before);
    life_close(&l);
}

static uint64_t sum_of(const struct view *view)
{
    uint64_t sum = view->seq;
    for (uint32_t p = 0; p < view->profiles; p++) {
        struct run runs[VIEW_LEVELS_MAX];
        uint32_t   count = view_runs(view, p, runs);
        sum = hash_u64(sum, view->root[p]) + view->next[p];
        for (uint32_t r = 0; r < count; r++)
            for (uint32_t i = 0; i < runs[r].count; i++)
                sum += hash_u64((uint64_t)runs[r].at_ms[i], runs[r].seq[i]) * (p + 1) +
                       view->bags.bytes[(size_t)runs[r].bag[i] * BAG_UNIT_BYTES];
    }
    return sum;
}

TEST(view, what_is_held_never_changes_while_life_and_merges_go_on_and_outlives_the_timeline)
{
    enum { HELD = 12 };
    struct life  l = life_open(seed_of_test("view"));
    struct view *held[HELD] = { 0 };
    uint64_t     sums[HELD];
    for (int i = 0; i < STEPS; i++) {
        life_step(&l);
        if (i % (STEPS / HELD) != STEPS / HELD - 1)
            continue;
        int             n = i / (STEPS / HELD);
        struct edition *edition = edition_of(&l);
        assert_ok(view_make(&held[n], edition, n % 3 == 0 ? NULL : held[n - 1]));
        edition_drop(edition);
        sums[n] = sum_of(held[n]);
    }
    life_close(&l);
    for (int n = 0; n < HELD; n++) {
        assert_true(sum_of(held[n]) == sums[n]);
        view_drop(held[n]);
    }
}

TEST(view, of_nothing_has_one_empty_level_and_everyone_alone)
{
    struct life     l = life_open(1);
    struct edition *edition = edition_of(&l);
    struct view    *view = NULL;
    assert_ok(view_make(&view, edition, NULL));
    assert_int_equal(view->levels_count, 1);
    assert_int_equal(view->levels[0].events, 0);
    assert_int_equal(view->root[4], 4);
    view_compare(&l, view);
    view_drop(view);
    edition_drop(edition);
    life_close(&l);
}

/* ---- one thread lives, others read ---- */

struct desk {
    pthread_mutex_t lock;
    struct edition *edition;
    bool            closed;
};

static struct edition *desk_take(struct desk *desk, bool *closed)
{
    pthread_mutex_lock(&desk->lock);
    struct edition *edition = desk->edition == NULL ? NULL : edition_hold(desk->edition);
    *closed = desk->closed;
    pthread_mutex_unlock(&desk->lock);
    return edition;
}

static void desk_put(struct desk *desk, struct edition *edition, bool closed)
{
    pthread_mutex_lock(&desk->lock);
    struct edition *old = desk->edition;
    desk->edition = edition;
    desk->closed = closed;
    pthread_mutex_unlock(&desk->lock);
    edition_drop(old);
}

static void *reader(void *arg)
{
    struct desk *desk = arg;
    struct view *before = NULL;
    uintptr_t    faults = 0;
    for (bool closed = false; !closed;) {
        struct edition *edition = desk_take(desk, &closed);
        struct view    *view = NULL;
        if (edition == NULL)
            continue;
        if (view_make(&view, edition, before) != OK)
            abort();
        faults += sum_of(view) != sum_of(view);
        edition_drop(edition);
        view_drop(before);
        before = view;
    }
    view_drop(before);
    return (void *)faults;
}

TEST(view, readers_on_other_threads_need_nothing_of_the_one_that_adds_and_merges)
{
    enum { READERS = 3, LIFE = 4000, EACH = 10 };
    struct life l = life_open(seed_of_test("view"));
    struct desk desk = { .lock = PTHREAD_MUTEX_INITIALIZER };
    pthread_t   threads[READERS];
    void       *faults;
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reader, &desk), 0);
    for (int i = 0; i < LIFE; i++) {
        life_step(&l);
        if (i % EACH == 0)
            desk_put(&desk, edition_of(&l), false);
    }
    life_close(&l);
    pthread_mutex_lock(&desk.lock);
    desk.closed = true;
    pthread_mutex_unlock(&desk.lock);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], &faults);
        assert_null(faults);
    }
    edition_drop(desk.edition);
}
