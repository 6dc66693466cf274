/* What is learnt late: memberships that began and ended in the past, and nothing set off by them.
 */
#include "base/test.h"
#include "base/time.h"
#include "engine/engine.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01 */

struct world {
    struct engine *engine;
    struct arena  *arena;
    struct out     out;
    uint64_t       seq;
};

static enum err tell(struct world *w, struct record record, int64_t now_ms)
{
    record.seq = ++w->seq;
    record.received_ms = now_ms;
    return engine_apply(w->engine, &record, &w->out, NULL);
}

static void define(struct world *w, enum definition_kind kind, const char *name, const char *text)
{
    assert_ok(tell(w,
                   (struct record){ .kind = RECORD_DEFINE,
                                    .definition_kind = kind,
                                    .name = str_of(name),
                                    .body = str_of(text) },
                   T0));
    assert_ok(tell(w, (struct record){ .kind = RECORD_CLOCK }, T0));
}

/* Whoever visits twice in three days is keen, and being keen begins a journey. */
static struct world world_open(void)
{
    struct world w = { .arena = arena_open(16 << 20) };
    w.out.arena = w.arena;
    assert_ok(engine_open(
        &w.engine,
        (struct engine_conf){ .seed = 1, .next_decision = 1, .lateness_ms = LATENESS_MS_DEFAULT }));
    define(&w, DEFINE_SEGMENT, "keen", "did \"Visit\" at least 2 times in the last 3 days");
    define(&w, DEFINE_JOURNEY, "greet",
           "{\"journey\":\"greet\",\"trigger\":{\"segment\":\"keen\"},\"nodes\":[{\"id\":\"w\","
           "\"wait\":\"1 day\"}]}");
    return w;
}

static void world_close(struct world *w)
{
    engine_close(w->engine);
    arena_close(w->arena);
}

/* So many days after T0: when it happened, and when it was told. */
static void visit(struct world *w, int at_day, int told_day)
{
    assert_ok(tell(w,
                   (struct record){ .kind = RECORD_TRACK,
                                    .user_id = STR("ada"),
                                    .name = STR("Visit"),
                                    .at_ms = T0 + at_day * TIME_DAY_MS },
                   T0 + told_day * TIME_DAY_MS));
}

static uint32_t decided(const struct world *w, enum decision_kind kind)
{
    uint32_t count = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        count += w->out.decisions[i].kind == kind;
    return count;
}

static bool was_keen(struct world *w, int day)
{
    struct program *program = engine_program(w->engine);
    return engine_ask(w->engine, &program->segments.items[0].program, 0, T0 + day * TIME_DAY_MS)
        .holds;
}

/* In days after T0. */
static double since_days(struct world *w)
{
    int64_t              reads = SEGMENT_READS_MAX;
    struct segment_since since = engine_since(w->engine, 0, 0, &reads);
    assert_false(since.or_earlier);
    return (double)(since.since_ms - T0) / (double)TIME_DAY_MS;
}

TEST(late, who_was_keen_only_in_the_past_is_told_so_of_the_past_and_nothing_is_set_off)
{
    struct world w = world_open();
    visit(&w, 10, 10);
    visit(&w, 11, 20); /* so they had been keen from day 11 up to day 13 */
    assert_true(was_keen(&w, 11) && was_keen(&w, 12));
    assert_false(was_keen(&w, 10));
    assert_false(was_keen(&w, 13));
    assert_int_equal(decided(&w, DECISION_ENTERED) + decided(&w, DECISION_LEFT), 0);
    assert_int_equal(decided(&w, DECISION_ENROLLED), 0);
    assert_true(since_days(&w) == 13.0); /* not keen since */
    assert_int_equal(engine_next_ms(w.engine), TIME_NEVER);
    world_close(&w);
}

TEST(late, what_was_learnt_late_moves_since_when_and_not_what_was_decided)
{
    struct world w = world_open();
    visit(&w, 10, 10);
    visit(&w, 12, 12);
    assert_int_equal(decided(&w, DECISION_ENTERED), 1);
    assert_true(since_days(&w) == 12.0);
    visit(&w, 11, 12); /* within a day, and already in */
    assert_true(since_days(&w) == 11.0);
    assert_int_equal(decided(&w, DECISION_ENTERED), 1);
    assert_int_equal(
        memberships_at(&people_state_get(engine_people(w.engine), 0)->memberships, 0).entered_ms,
        T0 + 12 * TIME_DAY_MS);
    assert_int_equal(engine_next_ms(w.engine), T0 + 13 * TIME_DAY_MS); /* the journey's wait */
    world_close(&w);
}

TEST(late, news_of_exactly_the_allowed_age_sets_off_a_journey_and_older_news_does_not)
{
    for (int64_t older_ms = 0; older_ms < 2; older_ms++) {
        struct world w = world_open();
        visit(&w, 10, 10);
        assert_ok(tell(&w,
                       (struct record){ .kind = RECORD_TRACK,
                                        .user_id = STR("ada"),
                                        .name = STR("Visit"),
                                        .at_ms = T0 + 11 * TIME_DAY_MS - older_ms },
                       T0 + 11 * TIME_DAY_MS + LATENESS_MS_DEFAULT));
        assert_int_equal(decided(&w, DECISION_ENTERED), 1);
        assert_int_equal(decided(&w, DECISION_ENROLLED), older_ms == 0);
        world_close(&w);
    }
}

TEST(late,
     a_membership_ends_at_its_very_instant_and_is_decided_as_of_it_however_late_the_clock_comes)
{
    struct world w = world_open();
    visit(&w, 10, 10);
    visit(&w, 11, 11);
    int64_t end_ms = T0 + 13 * TIME_DAY_MS;
    assert_ok(tell(&w, (struct record){ .kind = RECORD_CLOCK }, end_ms - 1));
    assert_int_equal(decided(&w, DECISION_LEFT), 0);
    assert_ok(tell(&w, (struct record){ .kind = RECORD_CLOCK }, end_ms + 5 * TIME_DAY_MS));
    assert_int_equal(decided(&w, DECISION_LEFT), 1);
    for (size_t i = 0; i < w.out.decisions_count; i++)
        if (w.out.decisions[i].kind == DECISION_LEFT)
            assert_int_equal(w.out.decisions[i].at_ms, end_ms);
    world_close(&w);
}
