/* At which hour somebody clicks, and a journey that waits for it. */
#include "engine/journey/best_hour.h"

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

static struct world world_of(const char *until)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "letter", "subject: s\n--- html\nx"));
    struct str text = str_format(w.arena,
                                 "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},"
                                 "\"nodes\":[{\"id\":\"w\",\"wait_until\":\"%s\"},"
                                 "{\"id\":\"m\",\"email\":\"letter\"}]}",
                                 until);
    if (engine_world_define(&w, DEFINE_JOURNEY, "j", text.ptr) != OK)
        fail_msg("%s: %s %s", w.problem.where, w.problem.what, w.problem.remedy);
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Visit") }));
    return w;
}

static void click(struct world *w, int hour, bool machine)
{
    struct json_member member = { STR("machine"), { .kind = JSON_BOOL, .truth = machine } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    int64_t            at_ms = T0 - TIME_DAY_MS + hour * TIME_HOUR_MS + 20 * TIME_MINUTE_MS;
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_MESSAGE,
                                                    .at_ms = at_ms,
                                                    .profile = engine_find(w->engine, STR("ada")),
                                                    .name = EVENT_MESSAGE_CLICKED,
                                                    .properties = &object }));
}

/* Starts now, at T0, midnight; hours until the letter. */
static int64_t hours_until_letter(struct world *w)
{
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Start") }));
    engine_world_tick(w, 9 * TIME_DAY_MS);
    for (size_t i = 0; i < w->out.decisions_count; i++)
        if (w->out.decisions[i].kind == DECISION_INTENT) {
            assert_int_equal((w->out.decisions[i].at_ms - T0) % TIME_HOUR_MS, 0);
            return (w->out.decisions[i].at_ms - T0) / TIME_HOUR_MS;
        }
    return -1;
}

TEST(best_hour, it_is_the_hour_of_the_persons_clicks_and_of_those_about_it)
{
    static const struct {
        int         hours[6]; /* of clicks, to the first 0 */
        int         machine;  /* clicks by programs at this hour; 0: none */
        const char *until;
        int         wanted;
    } cases[] = {
        { { 18, 18, 9, 0 }, 0, "best hour", 18 },
        { { 18, 20, 7, 7, 0 }, 0, "best hour", 7 },
        { { 18, 20, 7, 0 }, 0, "best hour", 18 },         /* one each: from ten on */
        { { 18, 20, 7, 0 }, 0, "best hour or 05:30", 7 }, /* from five on */
        { { 12, 14, 14, 16, 0 }, 0, "best hour", 14 },
        { { 12, 14, 13, 0 }, 0, "best hour", 13 },
        { { 18, 18, 0 }, 0, "best hour", 10 },         /* too few */
        { { 18, 18, 0 }, 0, "best hour or 08:00", 8 }, /* too few */
        { { 18, 18, 18, 0 }, 3, "best hour", 18 },     /* ten programs at three */
        { { 18, 18, 0 }, 3, "best hour", 10 },         /* programs do not help */
        { { 23, 23, 23, 0 }, 0, "best hour", 23 },
        { { 18, 18, 18, 0 }, 0, "sunday best hour", 3 * 24 + 18 }, /* T0 is a Thursday */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w = world_of(cases[i].until);
        for (int k = 0; cases[i].hours[k] != 0; k++)
            click(&w, cases[i].hours[k], false);
        for (int k = 0; k < 10 && cases[i].machine > 0; k++)
            click(&w, cases[i].machine, true);
        int64_t hours = hours_until_letter(&w);
        if (hours != cases[i].wanted)
            fail_msg("case %zu: after %lld hours, not %d", i, (long long)hours, cases[i].wanted);
        engine_world_close(&w);
    }
}

TEST(best_hour, it_is_by_the_persons_clock)
{
    struct world       w = world_of("best hour");
    struct json_member member = { STR("timezone"),
                                  { .kind = JSON_STRING, .string = STR("Far/East") } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    for (int i = 0; i < 3; i++)
        click(&w, 2, false); /* 16:00 there */
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = &object }));
    assert_int_equal(hours_until_letter(&w), 2);
    engine_world_close(&w);
}

TEST(best_hour, a_click_while_somebody_waits_is_for_the_next_time)
{
    struct world w = world_of("best hour");
    for (int i = 0; i < 3; i++)
        click(&w, 18, false);
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("Start") }));
    for (int i = 0; i < 9; i++)
        click(&w, 7, false);
    engine_world_tick(&w, 2 * TIME_DAY_MS);
    int64_t at_ms = 0;
    for (size_t i = 0; i < w.out.decisions_count; i++)
        if (w.out.decisions[i].kind == DECISION_INTENT)
            at_ms = w.out.decisions[i].at_ms;
    assert_int_equal(at_ms, T0 + 18 * TIME_HOUR_MS);
    engine_world_close(&w);
}

TEST(best_hour, what_is_no_hour_says_so)
{
    static const char *const bad[] = { "best hour or noon", "best hour 10:00", "best hour at 10:00",
                                       "monday best", "best hour or" };
    struct world             w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "letter", "subject: s\n--- html\nx"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct str text = str_format(w.arena,
                                     "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},"
                                     "\"nodes\":[{\"id\":\"w\",\"wait_until\":\"%s\"}]}",
                                     bad[i]);
        assert_int_equal(engine_world_define(&w, DEFINE_JOURNEY, "j", text.ptr), ERR_INPUT);
        assert_string_equal(w.problem.where, "nodes[0].wait_until");
    }
    engine_world_close(&w);
}
