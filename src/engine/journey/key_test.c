/* Several times in one journey, by example: once a cart, or so often at once. */
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/checkpoint.h"
#include "engine/checkpoint_row.h"
#include "engine/engine_world_test.h"
#include "engine/journey/tangle.h"

#define CART(rest)                                                                                 \
    "{\"journey\":\"cart\",\"trigger\":{\"event\":\"Added\",\"key\":\"cart.id\"}," rest            \
    "\"nodes\":[{\"id\":\"pause\",\"wait\":\"2 days\"}]}"

static struct world world_of(const char *journey)
{
    struct world w = engine_world_open();
    if (engine_world_define(&w, DEFINE_JOURNEY, "cart", journey) != OK)
        fail_msg("%s: %s %s", w.problem.where, w.problem.what, w.problem.remedy);
    engine_world_tick(&w, 0);
    return w;
}

static void track(struct world *w, const char *user, const char *event, const char *properties)
{
    struct json *said = ARENA_NEW(w->arena, struct json);
    assert_ok(json_parse_once(w->arena, str_of(properties), said, NULL));
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_TRACK,
                                                    .user_id = str_of(user),
                                                    .name = str_of(event),
                                                    .properties = said }));
}

static uint32_t inside_of(struct world *w, const char *user)
{
    const struct people *people = engine_people(w->engine);
    const struct state  *state =
        people_state_get(people, people_find(people, IDENTITY_USER, str_of(user)));
    uint32_t count = 0;
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        count += enrollment_is_inside(&state->rare->enrollments.items[i]);
    return count;
}

static const struct decision *last_of(const struct world *w, enum decision_kind kind)
{
    for (size_t i = w->out.decisions_count; i > 0; i--)
        if (w->out.decisions[i - 1].kind == kind)
            return &w->out.decisions[i - 1];
    return NULL;
}

TEST(key, somebody_is_inside_once_a_cart_and_leaves_by_the_purchase_of_that_cart)
{
    struct world w = world_of(
        CART("\"exit_when\":\"did \\\"Bought\\\" where cart.id is the key since entry\","));
    track(&w, "ada", "Added", "{\"cart\":{\"id\":\"a\"}}");
    track(&w, "ada", "Added", "{\"cart\":{\"id\":4711}}");
    track(&w, "ada", "Added", "{\"cart\":{\"id\":\"4711\"}}"); /* the same as a text */
    assert_int_equal(inside_of(&w, "ada"), 2);
    assert_str(last_of(&w, DECISION_NOT_ENROLLED)->text, "already inside");
    assert_str(last_of(&w, DECISION_NOT_ENROLLED)->key, "4711");
    engine_world_tick(&w, TIME_HOUR_MS);
    track(&w, "ada", "Bought", "{\"cart\":{\"id\":\"b\"}}");
    track(&w, "ada", "Bought", "{}");
    assert_int_equal(inside_of(&w, "ada"), 2);
    track(&w, "ada", "Bought", "{\"cart\":{\"id\":4711}}");
    assert_int_equal(inside_of(&w, "ada"), 1);
    track(&w, "ada", "Added", "{\"cart\":{\"id\":4711}}"); /* "once" is once a cart */
    assert_int_equal(inside_of(&w, "ada"), 1);
    engine_world_close(&w);
}

TEST(key, what_says_no_key_and_the_seventeenth_at_once_are_turned_away_with_the_reason)
{
    struct world w = world_of(CART(""));
    char         text[40];
    track(&w, "ada", "Added", "{}");
    assert_true(str_starts(last_of(&w, DECISION_NOT_ENROLLED)->text,
                           STR("the event does not say the key")));
    for (int i = 0; i < 17; i++) {
        snprintf(text, sizeof text, "{\"cart\":{\"id\":%d}}", i);
        track(&w, "ada", "Added", text);
    }
    assert_int_equal(inside_of(&w, "ada"), JOURNEY_AT_ONCE_MAX);
    assert_str(last_of(&w, DECISION_NOT_ENROLLED)->text,
               "already inside as often as may be at once");
    engine_world_tick(&w, 3 * TIME_DAY_MS);
    assert_int_equal(inside_of(&w, "ada"), 0);
    track(&w, "ada", "Added", "{\"cart\":{\"id\":16}}");
    assert_int_equal(inside_of(&w, "ada"), 1);
    engine_world_close(&w);
}

TEST(key, of_more_than_64_carts_the_oldest_counts_as_new_again)
{
    struct world w = world_of(CART(""));
    char         text[40];
    for (int i = 0; i <= PAST_KEYS_MAX; i++) {
        snprintf(text, sizeof text, "{\"cart\":{\"id\":%d}}", i);
        track(&w, "ada", "Added", text);
        engine_world_tick(&w, 3 * TIME_DAY_MS);
    }
    track(&w, "ada", "Added", "{\"cart\":{\"id\":1}}");
    assert_int_equal(inside_of(&w, "ada"), 0);
    track(&w, "ada", "Added", "{\"cart\":{\"id\":0}}");
    assert_int_equal(inside_of(&w, "ada"), 1);
    engine_world_close(&w);
}

TEST(key, without_a_key_somebody_may_be_inside_so_often_at_once)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "cart",
                                  "{\"journey\":\"cart\",\"trigger\":{\"event\":\"Added\"},"
                                  "\"reentry\":\"always\",\"at_once\":3,"
                                  "\"nodes\":[{\"id\":\"pause\",\"wait\":\"2 days\"}]}"));
    for (int i = 0; i < 5; i++)
        track(&w, "ada", "Added", "{}");
    assert_int_equal(inside_of(&w, "ada"), 3);
    engine_world_close(&w);
}

TEST(key, a_merge_keeps_one_of_each_cart_and_all_that_differ)
{
    struct world w = world_of(CART(""));
    track(&w, "ada", "Added", "{\"cart\":{\"id\":1}}");
    track(&w, "ada", "Added", "{\"cart\":{\"id\":2}}");
    track(&w, "bea", "Added", "{\"cart\":{\"id\":2}}");
    track(&w, "bea", "Added", "{\"cart\":{\"id\":3}}");
    assert_ok(engine_world_tell(
        &w,
        (struct record){ .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("bea") }));
    assert_int_equal(inside_of(&w, "ada"), 3);
    assert_str(last_of(&w, DECISION_ENDED)->text, "merged");
    engine_world_close(&w);
}

TEST(key, a_wait_for_an_event_hears_that_of_its_own_cart)
{
    struct world w = world_of(
        "{\"journey\":\"cart\",\"trigger\":{\"event\":\"Added\",\"key\":\"cart\"},\"nodes\":[{"
        "\"id\":\"w\",\"wait_for\":{\"event\":\"Bought\",\"where\":\"cart is the key\"},"
        "\"within\":\"3 days\"}]}");
    track(&w, "ada", "Added", "{\"cart\":1}");
    track(&w, "ada", "Added", "{\"cart\":2}");
    track(&w, "ada", "Bought", "{\"cart\":2}");
    assert_int_equal(inside_of(&w, "ada"), 1);
    assert_str(last_of(&w, DECISION_STEP)->text, "yes");
    engine_world_close(&w);
}

static void expect_refused(const char *text, const char *where, const char *what)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_WORKSPACE, "workspace", "{\"lists\":[\"news\"]}"));
    if (engine_world_define(&w, DEFINE_JOURNEY, "cart", text) == OK)
        fail_msg("taken: %s", text);
    if (!str_starts(str_of(w.problem.where), str_of(where)) || strstr(w.problem.what, what) == NULL)
        fail_msg("%s: %s: %s %s", text, w.problem.where, w.problem.what, w.problem.remedy);
    engine_world_close(&w);
}

TEST(key, what_means_nothing_is_refused_with_the_place)
{
#define REST "\"nodes\":[{\"id\":\"x\",\"wait\":\"1 day\"}]}"
    expect_refused("{\"journey\":\"cart\",\"trigger\":{\"list\":\"news\",\"key\":\"k\"}," REST,
                   "trigger", "no member");
    expect_refused("{\"journey\":\"cart\",\"trigger\":{\"event\":\"A\",\"key\":3}," REST,
                   "trigger.key", "no name of a property");
    expect_refused("{\"journey\":\"cart\",\"trigger\":{\"event\":\"A\"},\"at_once\":2," REST,
                   "at_once", "comes in once");
    expect_refused("{\"journey\":\"cart\",\"trigger\":{\"event\":\"A\"},\"reentry\":\"always\","
                   "\"at_once\":17," REST,
                   "at_once", "1 to 16");
    expect_refused("{\"journey\":\"cart\",\"trigger\":{\"event\":\"A\"},"
                   "\"exit_when\":\"did \\\"B\\\" where k is the key\"," REST,
                   "exit_when", "no key here");
    expect_refused("{\"journey\":\"cart\",\"trigger\":{\"event\":\"A\",\"key\":\"k\"},"
                   "\"exit_when\":\"k is the key\"," REST,
                   "exit_when", "property of an event");
    expect_refused("{\"journey\":\"cart\",\"trigger\":{\"event\":\"A\",\"key\":\"k\","
                   "\"where\":\"k is the key\"}," REST,
                   "trigger.where", "no key here");
}

TEST(key, the_check_warns_of_an_exit_that_one_event_opens_for_all_carts)
{
    struct world   w = world_of(CART("\"exit_when\":\"did \\\"Bought\\\" since entry\","));
    struct tangles tangles;
    const struct journey_version *version = program_journey_live(engine_program(w.engine), 0);
    assert_ok(tangles_find(engine_program(w.engine), &version->journey, &tangles));
    assert_int_equal(tangles.count, 1);
    assert_non_null(strstr(tangles.items[0].what, "exit_when does not ask for the key"));
    engine_world_close(&w);
}

/* The row of who was inside once, as it was before there were keys: the enrollment's last 4 bytes
 * meant nothing, and a past was journey, times, instant. */
TEST(key, a_row_of_the_time_before_keys_is_read)
{
    struct world w = world_of("{\"journey\":\"cart\",\"trigger\":{\"event\":\"Added\"},"
                              "\"nodes\":[{\"id\":\"pause\",\"wait\":\"2 days\"}]}"),
                 then = engine_world_open();
    struct buf row = buf_make(4096);
    track(&w, "ada", "Added", "{}");
    assert_ok(row_write(w.engine, 0, &row));
    uint32_t       version = ROW_VERSION_UNKEYED, times = 70000, junk = 0xABCDEF;
    const int64_t  entered_ms = T0;
    unsigned char *end = (unsigned char *)row.ptr + row.len;
    memcpy(row.ptr, &version, sizeof version);
    memcpy(end - 20, &junk, sizeof junk);
    memcpy(end - 12, &times, sizeof times);
    memcpy(end - 8, &entered_ms, sizeof entered_ms);
    assert_ok(checkpoint_load(then.engine, 0, buf_view(&row)));

    const struct state *kept = people_state_get(engine_people(then.engine), 0);
    assert_int_equal(kept->rare->enrollments.count, 1);
    assert_int_equal(kept->rare->enrollments.items[0].key, 0);
    assert_int_equal(kept->rare->enrollments.items[0].due_ms, T0 + 2 * TIME_DAY_MS);
    assert_int_equal(kept->rare->pasts.items[0].key, 0);
    assert_int_equal(kept->rare->pasts.items[0].times, PAST_TIMES_MAX);
    assert_int_equal(kept->rare->pasts.items[0].entered_ms, T0);
    buf_done(&row);
    engine_world_close(&then);
    engine_world_close(&w);
}
