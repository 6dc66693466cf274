/* Waits and splits by example: until a clock shows it, until a date, for an event; and which way.
 */
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

/* The world has one letter and a journey begun by "Start". */
static struct world world_of(const char *nodes)
{
    struct world                 w = engine_world_open();
    SCOPED(buf_donep) struct buf text = buf_make(1 << 16);
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "letter", "subject: s\n--- html\nx"));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "other", "subject: s\n--- html\nx"));
    buf_format(&text,
               "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},\"reentry\":\"always\","
               "\"nodes\":[%s]}",
               nodes);
    enum err err = engine_world_define(&w, DEFINE_JOURNEY, "j",
                                       str_to_cstr(buf_view(&text), (char[1 << 12]){ 0 }, 1 << 12));
    if (err != OK)
        fail_msg("%s: %s %s", w.problem.where, w.problem.what, w.problem.remedy);
    return w;
}

static void track(struct world *w, const char *event, const char *properties, int64_t at_ms)
{
    struct json *value = ARENA_NEW(w->arena, struct json);
    assert_ok(json_parse_once(w->arena, str_of(properties), value, NULL));
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_TRACK,
                                                    .at_ms = at_ms,
                                                    .user_id = STR("ada"),
                                                    .name = str_of(event),
                                                    .properties = value }));
}

static void start(struct world *w)
{
    track(w, "Start", "{}", 0);
}

static void identify(struct world *w, const char *traits)
{
    struct json *value = ARENA_NEW(w->arena, struct json);
    assert_ok(json_parse_once(w->arena, str_of(traits), value, NULL));
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("ada"), .properties = value }));
}

/* Goes on to that instant, told by clocks an hour apart. */
static void until(struct world *w, int64_t at_ms)
{
    while (w->now_ms < at_ms)
        engine_world_tick(w, at_ms - w->now_ms < TIME_HOUR_MS ? at_ms - w->now_ms : TIME_HOUR_MS);
}

/* How many letters of the template there are, and when the last was written. */
static uint32_t letters(const struct world *w, const char *template, int64_t *at_ms)
{
    uint32_t count = 0, number = program_template(engine_program(w->engine), str_of(template));
    for (size_t i = 0; i < w->out.decisions_count; i++)
        if (w->out.decisions[i].kind == DECISION_INTENT && w->out.decisions[i].other == number) {
            *at_ms = w->out.decisions[i].at_ms;
            count++;
        }
    return count;
}

static void expect_letter(const struct world *w, const char *template, uint32_t count,
                          int64_t wanted_ms)
{
    int64_t at_ms = 0;
    assert_int_equal(letters(w, template, &at_ms), count);
    if (count > 0)
        assert_int_equal(at_ms, wanted_ms);
}

/* What the last step says that it took. */
static void expect_took(const struct world *w, const char *wanted)
{
    struct str took = STR_NONE;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        if (w->out.decisions[i].kind == DECISION_STEP && w->out.decisions[i].text.len > 0)
            took = w->out.decisions[i].text;
    if (!str_eq(took, str_of(wanted)))
        fail_msg("took \"%.*s\", not \"%s\"", STR_ARG(took), wanted);
}

TEST(waiting, until_ten_is_ten_by_the_persons_clock_else_by_the_workspaces)
{
    struct world w = world_of("{\"id\":\"w\",\"wait_until\":\"10:00\"},{\"id\":\"m\",\"email\":"
                              "\"letter\"}");
    start(&w);
    until(&w, T0 + TIME_DAY_MS);
    expect_letter(&w, "letter", 1, T0 + 10 * TIME_HOUR_MS);
    identify(&w, "{\"timezone\":\"Far/East\"}"); /* where it is 14:00 */
    start(&w);
    until(&w, T0 + 2 * TIME_DAY_MS);
    expect_letter(&w, "letter", 2, T0 + TIME_DAY_MS + 20 * TIME_HOUR_MS);
    engine_world_close(&w);
}

TEST(waiting, who_moves_while_waiting_waits_by_the_new_clock)
{
    struct world w = world_of("{\"id\":\"w\",\"wait_until\":\"10:00\"},{\"id\":\"m\",\"email\":"
                              "\"letter\"}");
    until(&w, T0 + 11 * TIME_HOUR_MS);
    start(&w);
    until(&w, T0 + 12 * TIME_HOUR_MS);
    identify(&w, "{\"timezone\":\"Far/East\"}"); /* 02:00, so it is 10:00 in eight hours */
    until(&w, T0 + 2 * TIME_DAY_MS);
    expect_letter(&w, "letter", 1, T0 + 20 * TIME_HOUR_MS);
    engine_world_close(&w);
}

TEST(waiting, the_workspaces_clock_changed_is_the_clock_of_who_waits)
{
    struct world w = world_of("{\"id\":\"w\",\"wait_until\":\"10:00\"},{\"id\":\"m\",\"email\":"
                              "\"letter\"}");
    until(&w, T0 + 11 * TIME_HOUR_MS);
    start(&w);
    assert_ok(
        engine_world_define(&w, DEFINE_WORKSPACE, "workspace", "{\"timezone\":\"Far/East\"}"));
    until(&w, T0 + 2 * TIME_DAY_MS);
    expect_letter(&w, "letter", 1, T0 + 20 * TIME_HOUR_MS);
    engine_world_close(&w);
}

TEST(waiting, a_circle_of_a_time_of_day_goes_round_once_a_day)
{
    struct world w = world_of("{\"id\":\"w\",\"wait_until\":\"10:00\"},{\"id\":\"m\",\"email\":"
                              "\"letter\",\"next\":\"w\"}");
    until(&w, T0 + 10 * TIME_HOUR_MS); /* comes at that very time */
    start(&w);
    until(&w, T0 + 4 * TIME_DAY_MS);
    expect_letter(&w, "letter", 4, T0 + 3 * TIME_DAY_MS + 10 * TIME_HOUR_MS);
    engine_world_close(&w);
}

static const char trial[] =
    "{\"id\":\"w\",\"wait_until\":\"3 days before trial_ends at 10:00\",\"else\":\"o\"},"
    "{\"id\":\"m\",\"email\":\"letter\",\"next\":\"x\"},{\"id\":\"o\",\"email\":\"other\"},"
    "{\"id\":\"x\",\"exit\":true}";

TEST(waiting, a_date_that_is_moved_while_somebody_waits_for_it_moves_them)
{
    struct world w = world_of(trial);
    int64_t      day = TIME_DAY_MS, ten = 10 * TIME_HOUR_MS;
    identify(&w, "{\"trial_ends\":\"2026-01-15\"}");
    start(&w);
    until(&w, T0 + 5 * day);
    identify(&w, "{\"trial_ends\":\"2026-01-20\"}");
    until(&w, T0 + 15 * day);
    expect_letter(&w, "letter", 0, 0);
    identify(&w, "{\"trial_ends\":\"2026-01-19T12:00:00Z\"}"); /* sooner again */
    until(&w, T0 + 30 * day);
    expect_letter(&w, "letter", 1, T0 + 15 * day + ten);
    expect_letter(&w, "other", 0, 0);
    engine_world_close(&w);
}

TEST(waiting, a_date_that_is_unknown_or_past_goes_else)
{
    struct world w = world_of(trial);
    start(&w);
    expect_took(&w, "the date is not known");
    identify(&w, "{\"trial_ends\":\"2026-01-02\"}");
    start(&w);
    expect_took(&w, "the date is past");
    expect_letter(&w, "other", 2, T0);
    identify(&w, "{\"trial_ends\":\"2026-01-15\"}");
    start(&w);
    engine_world_tick(&w, TIME_HOUR_MS);
    identify(&w, "{\"trial_ends\":\"soon\"}"); /* while they wait */
    expect_took(&w, "the date is not known");
    expect_letter(&w, "other", 3, T0 + TIME_HOUR_MS);
    engine_world_close(&w);
}

TEST(waiting, a_date_may_be_a_computed_trait_which_events_move)
{
    struct world w = world_of("{\"id\":\"w\",\"wait_until\":\"30 days after last_order\"},"
                              "{\"id\":\"m\",\"email\":\"letter\"}");
    assert_ok(
        engine_world_define(&w, DEFINE_TRAIT, "last_order", "last time of \"Order Completed\""));
    engine_world_order(&w, "ada", 10);
    start(&w);
    engine_world_tick(&w, 20 * TIME_DAY_MS);
    engine_world_order(&w, "ada", 10);
    engine_world_tick(&w, 29 * TIME_DAY_MS);
    expect_letter(&w, "letter", 0, 0);
    engine_world_tick(&w, 5 * TIME_DAY_MS);
    expect_letter(&w, "letter", 1, T0 + 50 * TIME_DAY_MS);
    assert_int_equal(engine_world_define(&w, DEFINE_TRAIT, "last_order", ""), ERR_CONFLICT);
    engine_world_close(&w);
}

static const char paid[] =
    "{\"id\":\"w\",\"wait_for\":\"did \\\"Paid\\\" at least 2 times since entry\",\"within\":"
    "\"3 days\",\"yes\":\"m\",\"timeout\":\"o\"},"
    "{\"id\":\"m\",\"email\":\"letter\",\"next\":\"x\"},{\"id\":\"o\",\"email\":\"other\"},"
    "{\"id\":\"x\",\"exit\":true}";

TEST(waiting, a_condition_goes_on_with_the_record_that_makes_it_true)
{
    struct world w = world_of(paid);
    start(&w);
    engine_world_tick(&w, TIME_HOUR_MS);
    track(&w, "Paid", "{}", 0);
    expect_letter(&w, "letter", 0, 0);
    engine_world_tick(&w, TIME_HOUR_MS);
    track(&w, "Paid", "{}", 0);
    expect_letter(&w, "letter", 1, T0 + 2 * TIME_HOUR_MS);
    expect_took(&w, "yes");
    engine_world_tick(&w, 5 * TIME_DAY_MS);
    expect_letter(&w, "other", 0, 0);
    engine_world_close(&w);
}

TEST(waiting, what_does_not_come_in_time_is_not_waited_for)
{
    struct world w = world_of(paid);
    start(&w);
    track(&w, "Paid", "{}", 0);
    engine_world_tick(&w, 4 * TIME_DAY_MS);
    expect_letter(&w, "other", 1, T0 + 3 * TIME_DAY_MS);
    expect_took(&w, "timeout");
    track(&w, "Paid", "{}", 0);
    expect_letter(&w, "letter", 0, 0);
    engine_world_close(&w);
}

TEST(waiting, time_alone_may_bring_what_is_waited_for)
{
    struct world w = world_of("{\"id\":\"w\",\"wait_for\":\"not did \\\"Start\\\" in the last 2 "
                              "days\",\"within\":\"9 days\"},{\"id\":\"m\",\"email\":\"letter\"}");
    start(&w);
    engine_world_tick(&w, 5 * TIME_DAY_MS);
    expect_letter(&w, "letter", 1, T0 + 2 * TIME_DAY_MS);
    expect_took(&w, "yes");
    engine_world_close(&w);
}

static const char shipped[] =
    "{\"id\":\"w\",\"wait_for\":{\"event\":\"Shipped\",\"where\":\"weight > 5\"},\"within\":"
    "\"3 days\"},{\"id\":\"v\",\"wait_for\":{\"event\":\"Shipped\"},\"within\":\"3 days\","
    "\"timeout\":\"x\"},{\"id\":\"m\",\"email\":\"letter\"},{\"id\":\"x\",\"exit\":true}";

TEST(waiting, an_event_is_one_that_comes_from_then_on_and_is_taken_once)
{
    struct world w = world_of(shipped);
    track(&w, "Shipped", "{\"weight\":9}", 0);
    start(&w);
    track(&w, "Shipped", "{\"weight\":2}", 0);
    track(&w, "Shipped", "{\"weight\":9}", 0); /* not for both nodes */
    expect_letter(&w, "letter", 0, 0);
    track(&w, "Shipped", "{\"weight\":1}", 0);
    expect_letter(&w, "letter", 1, T0);
    engine_world_close(&w);
}

TEST(waiting, old_news_is_no_event_that_somebody_waits_for)
{
    struct world w = world_of(shipped);
    start(&w);
    track(&w, "Shipped", "{\"weight\":9}", T0 - 2 * TIME_DAY_MS);
    track(&w, "Shipped", "{\"weight\":9}", 0);
    expect_letter(&w, "letter", 0, 0);
    engine_world_close(&w);
}

TEST(waiting, a_split_takes_the_first_branch_that_holds_else_the_rest)
{
    struct world w = world_of(
        "{\"id\":\"s\",\"split\":[{\"if\":\"plan = \\\"pro\\\"\",\"next\":\"m\",\"name\":\"pro\"},"
        "{\"if\":{\"trait\":\"plan\",\"op\":\"exists\"},\"next\":\"o\"}],\"else\":\"x\"},"
        "{\"id\":\"m\",\"email\":\"letter\",\"next\":\"x\"},{\"id\":\"o\",\"email\":\"other\"},"
        "{\"id\":\"x\",\"exit\":true}");
    start(&w);
    expect_took(&w, "else");
    identify(&w, "{\"plan\":\"free\"}");
    start(&w);
    expect_took(&w, "branch 2");
    identify(&w, "{\"plan\":\"pro\"}");
    start(&w);
    expect_took(&w, "pro");
    expect_letter(&w, "letter", 1, T0);
    expect_letter(&w, "other", 1, T0);
    engine_world_close(&w);
}

TEST(waiting, a_share_is_the_persons_at_that_node_however_often_they_come)
{
    struct world w = world_of(
        "{\"id\":\"s\",\"split\":[{\"share\":12.5,\"next\":\"m\"},{\"share\":87.5,\"next\":\"o\"}]}"
        ","
        "{\"id\":\"m\",\"email\":\"letter\",\"next\":\"x\"},{\"id\":\"o\",\"email\":\"other\"},"
        "{\"id\":\"x\",\"exit\":true}");
    enum { PEOPLE = 2000 };
    int64_t at_ms;
    for (int i = 0; i < 2 * PEOPLE; i++)
        assert_ok(engine_world_tell(
            &w, (struct record){ .kind = RECORD_TRACK,
                                 .user_id = str_format(w.arena, "u%d", i % PEOPLE),
                                 .name = STR("Start") }));
    uint32_t few = letters(&w, "letter", &at_ms), most = letters(&w, "other", &at_ms);
    assert_int_equal(few + most, 2 * PEOPLE);
    assert_int_equal(few % 2, 0);
    assert_true(few > 2 * PEOPLE / 10 && few < 2 * PEOPLE * 15 / 100);
    engine_world_close(&w);
}

TEST(waiting, what_makes_no_sense_is_refused_by_place_and_with_a_remedy)
{
    static const struct {
        const char *nodes, *where, *what;
    } table[] = {
        { "{\"id\":\"a\",\"wait_until\":\"3 days before 4 days\"}", "nodes[0].wait_until",
          "A trait that is a date is wanted here." },
        { "{\"id\":\"a\",\"wait_until\":10}", "nodes[0].wait_until", "This is not a text." },
        { "{\"id\":\"a\",\"wait_until\":\"10:00\",\"else\":\"a\"}", "nodes[0]",
          "A time of day always comes: there is nothing \"else\"." },
        { "{\"id\":\"a\",\"wait_until\":\"ends\",\"else\":\"b\"}", "nodes[0].else",
          "There is no node with this id." },
        { "{\"id\":\"a\",\"wait_until\":\"ends\",\"next\":\"a\"}", "nodes[0]",
          "From here the journey goes round in a circle without waiting." },
        { "{\"id\":\"a\",\"wait_for\":\"plan = \\\"x\\\"\"}", "nodes[0].within",
          "This is not a length of time up to ten years." },
        { "{\"id\":\"a\",\"wait_for\":\"plan = \",\"within\":\"1 day\"}", "nodes[0].wait_for:1:8",
          NULL },
        { "{\"id\":\"a\",\"wait_for\":\"everyone\",\"within\":\"1 day\",\"yes\":\"a\"}", "nodes[0]",
          "From here the journey goes round in a circle without waiting." },
        { "{\"id\":\"a\",\"wait_for\":{\"event\":\"\"},\"within\":\"1 day\"}", "nodes[0].wait_for",
          "The event has no name." },
        { "{\"id\":\"a\",\"wait_for\":{\"event\":\"X\",\"key\":\"k\"},\"within\":\"1 day\"}",
          "nodes[0].wait_for", "An awaited event has no such member." },
        { "{\"id\":\"a\",\"wait\":\"1 day\",\"within\":\"1 day\"}", "nodes[0].within",
          "A node with \"wait\" has no such member." },
        { "{\"id\":\"a\",\"split\":[]}", "nodes[0].split",
          "A split has between 1 and 32 branches." },
        { "{\"id\":\"a\",\"split\":[{\"next\":\"a\"}]}", "nodes[0].split[0]",
          "A branch has either \"if\" or \"share\"." },
        { "{\"id\":\"a\",\"split\":[{\"share\":30},{\"share\":60.5}]}", "nodes[0].split",
          "The shares are 90.5 percent in all." },
        { "{\"id\":\"a\",\"split\":[{\"share\":0}]}", "nodes[0].split[0].share",
          "A share is at least 0.0001 and at most 100, in percent." },
        { "{\"id\":\"a\",\"split\":[{\"share\":0.00001}]}", "nodes[0].split[0].share",
          "A share is at least 0.0001 and at most 100, in percent." },
        { "{\"id\":\"a\",\"split\":[{\"share\":30},{\"if\":\"everyone\"}]}", "nodes[0].split[1]",
          "A split goes either by conditions or by shares." },
        { "{\"id\":\"a\",\"split\":[{\"share\":100}],\"else\":\"a\"}", "nodes[0].split",
          "Shares are 100 percent: there is nothing \"else\"." },
        { "{\"id\":\"a\",\"split\":[{\"if\":\"everyone\"}],\"yes\":\"a\"}", "nodes[0].split",
          "A list of branches is not answered by yes or no." },
        { "{\"id\":\"a\",\"split\":\"everyone\",\"else\":\"a\"}", "nodes[0].split",
          "One condition is answered by yes or no." },
        { "{\"id\":\"a\",\"split\":[{\"if\":\"in segment \\\"none\\\"\"}]}",
          "nodes[0].split[0].if:1:1", NULL },
    };
    struct world w = engine_world_open();
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct str text =
            str_format(w.arena, "{\"journey\":\"j\",\"trigger\":{\"event\":\"E\"},\"nodes\":[%s]}",
                       table[i].nodes);
        if (engine_world_define(&w, DEFINE_JOURNEY, "j", text.ptr) == OK)
            fail_msg("%s is taken", table[i].nodes);
        if (strcmp(w.problem.where, table[i].where) != 0 || w.problem.remedy[0] == '\0' ||
            (table[i].what != NULL && strcmp(w.problem.what, table[i].what) != 0))
            fail_msg("%s\n  %s: %s %s", table[i].nodes, w.problem.where, w.problem.what,
                     w.problem.remedy);
    }
    engine_world_close(&w);
}
