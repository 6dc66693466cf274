/* Reports over real sockets, in a small world whose answers are counted by hand. */
#include "run/api/api_rig.h"

#include <pthread.h>
#include <stdatomic.h>

enum { PATH_BYTES = 200, BODY_BYTES = 1200 };

/*
 * A January. Weeks begin on the 5th, the 12th, the 19th.
 *
 *          5  6  7  8 | 12 13 14 | 19 20         country  spent
 *   ann    S     V  O |    O     | O             NO       100 + 50 + 10
 *   bea    S  V       | O        |               NO       30
 *   cid          S    |    V     |               SE
 *   dan               | S     O  |               SE       200
 *   eve    O          |          | S  V          (none)   5
 */
static const struct {
    const char *who, *event, *at;
    int         spent;
} LIFE[] = {
    { "ann", "Signed Up", "2026-01-05T10:00:00Z", 0 },
    { "ann", "Viewed", "2026-01-07T10:00:00Z", 0 },
    { "ann", "Ordered", "2026-01-08T10:00:00Z", 100 },
    { "ann", "Ordered", "2026-01-13T10:00:00Z", 50 },
    { "ann", "Ordered", "2026-01-19T10:00:00Z", 10 },
    { "bea", "Signed Up", "2026-01-05T11:00:00Z", 0 },
    { "bea", "Viewed", "2026-01-06T11:00:00Z", 0 },
    { "bea", "Ordered", "2026-01-12T10:30:00Z", 30 },
    { "cid", "Signed Up", "2026-01-08T12:00:00Z", 0 },
    { "cid", "Viewed", "2026-01-13T12:00:00Z", 0 },
    { "dan", "Signed Up", "2026-01-12T09:00:00Z", 0 },
    { "dan", "Ordered", "2026-01-14T09:00:00Z", 200 },
    { "eve", "Ordered", "2026-01-05T08:00:00Z", 5 },
    { "eve", "Signed Up", "2026-01-19T08:00:00Z", 0 },
    { "eve", "Viewed", "2026-01-20T08:00:00Z", 0 },
};

static void country_is(struct rig *rig, const char *who, const char *country)
{
    char body[BODY_BYTES];
    snprintf(body, sizeof body,
             "{\"userId\":\"%s\",\"traits\":{\"country\":\"%s\"},"
             "\"originalTimestamp\":\"2026-01-01T00:00:00Z\","
             "\"timestamp\":\"2026-01-01T00:00:00Z\"}",
             who, country);
    assert_int_equal(rig_post(rig, "/v1/identify", body), 200);
}

static void event_is(struct rig *rig, size_t i)
{
    char body[BODY_BYTES];
    snprintf(body, sizeof body,
             "{\"userId\":\"%s\",\"event\":\"%s\",\"messageId\":\"life%zu\",\"properties\":"
             "{\"spent\":%d,\"big\":%s},\"originalTimestamp\":\"%s\",\"timestamp\":\"%s\"}",
             LIFE[i].who, LIFE[i].event, i, LIFE[i].spent, LIFE[i].spent >= 100 ? "true" : "false",
             LIFE[i].at, LIFE[i].at);
    assert_int_equal(rig_post(rig, "/v1/track", body), 200);
}

static struct rig *world_open(void)
{
    struct rig *rig = rig_open();
    country_is(rig, "ann", "NO");
    country_is(rig, "bea", "NO");
    country_is(rig, "cid", "SE");
    country_is(rig, "dan", "SE");
    for (size_t i = 0; i < sizeof LIFE / sizeof LIFE[0]; i++)
        event_is(rig, i);
    return rig;
}

/* Asks a report over the three weeks; `more` is the inside of an object. */
static int report(struct rig *rig, const char *path, const char *more)
{
    char body[2 * BODY_BYTES], url[2 * PATH_BYTES];
    snprintf(url, sizeof url, "/api/v1/reports/%s", path);
    snprintf(body, sizeof body,
             "{\"from\":\"2026-01-05\",\"to\":\"2026-01-25\",\"at\":\"2026-01-31T00:00:00Z\",%s}",
             more);
    return rig_call(rig, "POST", url, body);
}

/* The userIds of the items, with blanks between, as they stand. */
static const char *names(struct rig *rig)
{
    static char        text[BODY_BYTES];
    const struct json *items = json_get(&rig->json, STR("items"));
    text[0] = '\0';
    for (uint32_t i = 0; items != NULL && i < items->count; i++) {
        struct str name = json_get_str(&items->items[i], STR("userId"));
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s", i == 0 ? "" : " ",
                 STR_ARG(name));
    }
    return text;
}

static void ints_are(struct rig *rig, const char *path, const char *expected)
{
    SCOPED(buf_donep) struct buf text = buf_make(BODY_BYTES);
    const struct json           *value = json_path(&rig->json, str_of(path));
    assert_non_null(value);
    json_write(&text, value);
    assert_str(buf_view(&text), expected);
}

TEST(api_reports, a_trend_counts_events_people_and_sums_week_by_week)
{
    struct rig *rig = world_open();
    assert_int_equal(report(rig, "trends", "\"event\":\"Ordered\",\"sum\":\"spent\""), 200);
    ints_are(rig, "rows.0.events", "[2,3,1]");
    ints_are(rig, "rows.0.people", "[2,3,1]");
    ints_are(rig, "rows.0.sum", "[105.0,280.0,10.0]");
    ints_are(rig, "rows.0.average", "[52.5,93.33333333333333,10.0]");
    assert_int_equal(rig_int(rig, "rows.0.total.events"), 6);
    assert_int_equal(rig_int(rig, "rows.0.total.people"), 4);
    assert_str(rig_str(rig, "periods.1.label"), "2026-01-12");
    assert_str(rig_str(rig, "at"), "2026-01-31T00:00:00.000Z");
    assert_int_equal(rig_int(rig, "audience"), 5);
    assert_true(rig_int(rig, "seq") >= 19);
    assert_int_equal(report(rig, "trends", "\"event\":\"Ordered\",\"sum\":\"big\""), 200);
    ints_are(rig, "rows.0.average", "[null,null,null]"); /* yes and no are no numbers */
    rig_close(rig);
}

TEST(api_reports, a_trend_by_a_trait_has_a_row_a_value_and_one_for_those_without)
{
    struct rig *rig = world_open();
    assert_int_equal(report(rig, "trends", "\"event\":\"Ordered\",\"by\":{\"trait\":\"country\"}"),
                     200);
    assert_str(rig_str(rig, "rows.0.value"), "NO");
    ints_are(rig, "rows.0.events", "[1,2,1]");
    assert_str(rig_str(rig, "rows.1.value"), "SE");
    assert_str(rig_str(rig, "rows.2.group"), "without");
    ints_are(rig, "rows.2.events", "[1,0,0]");
    assert_str(rig_str(rig, "rows.3.group"), "all");
    rig_close(rig);
}

TEST(api_reports, a_trait_that_is_derived_breaks_a_report_down_as_one_that_was_told)
{
    struct rig *rig = world_open();
    assert_int_equal(rig_post(rig, "/v1/identify",
                              "{\"userId\":\"eve\",\"traits\":{\"phone\":\"+46 70 123 45 67\"},"
                              "\"originalTimestamp\":\"2026-01-01T00:00:00Z\","
                              "\"timestamp\":\"2026-01-01T00:00:00Z\"}"),
                     200);
    assert_int_equal(report(rig, "trends", "\"event\":\"Ordered\",\"by\":{\"trait\":\"country\"}"),
                     200);
    assert_str(rig_str(rig, "rows.1.value"), "SE");
    ints_are(rig, "rows.1.events", "[1,1,0]");
    assert_int_equal(report(rig, "funnel/people",
                            "\"steps\":[\"Ordered\",\"Viewed\"],\"within\":\"30 days\","
                            "\"by\":\"trait:country\",\"pick\":{\"step\":1,\"value\":\"SE\"}"),
                     200);
    assert_string_equal(names(rig), "dan eve");
    rig_close(rig);
}

TEST(api_reports, the_people_behind_a_number_of_a_trend_are_that_many)
{
    struct rig *rig = world_open();
    assert_int_equal(
        report(rig, "trends/people", "\"event\":\"Ordered\",\"pick\":{\"period\":\"2026-01-12\"}"),
        200);
    assert_int_equal(rig_int(rig, "count"), 3);
    assert_string_equal(names(rig), "ann bea dan");
    assert_int_equal(report(rig, "trends/people",
                            "\"event\":\"Ordered\",\"by\":\"trait:country\","
                            "\"pick\":{\"value\":\"SE\"}"),
                     200);
    assert_string_equal(names(rig), "dan");
    assert_int_equal(report(rig, "trends/people", "\"event\":\"Ordered\",\"pick\":{\"period\":7}"),
                     400);
    assert_str(rig_str(rig, "error.where"), "pick");
    rig_close(rig);
}

TEST(api_reports, the_condition_of_the_people_picked_names_the_same_people)
{
    static const char *const picks[][2] = {
        { "trends", "\"event\":\"Ordered where spent > 20\",\"by\":{\"trait\":\"country\"},"
                    "\"pick\":{\"period\":1,\"value\":\"NO\"}" },
        { "trends", "\"event\":\"Ordered\",\"by\":\"big\",\"pick\":{\"value\":true}" },
        { "retention", "\"event\":\"Signed Up\",\"back\":\"Ordered\","
                       "\"pick\":{\"period\":0,\"later\":1}" },
    };
    struct rig *rig = world_open();
    for (size_t i = 0; i < sizeof picks / sizeof picks[0]; i++) {
        char path[PATH_BYTES], expected[BODY_BYTES];
        snprintf(path, sizeof path, "%s/people", picks[i][0]);
        assert_int_equal(report(rig, path, picks[i][1]), 200);
        snprintf(expected, sizeof expected, "%s", names(rig));
        assert_true(expected[0] != '\0');
        SCOPED(buf_donep) struct buf body = buf_make(BODY_BYTES);
        buf_str(&body, STR("{\"at\":\"2026-01-31T00:00:00Z\",\"condition\":"));
        json_write_str(&body, rig_str(rig, "condition"));
        buf_char(&body, '}');
        buf_char(&body, '\0');
        assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/people", body.ptr), 200);
        assert_string_equal(names(rig), expected);
    }
    rig_close(rig);
}

TEST(api_reports, a_funnel_tells_who_reached_each_step_and_who_went_no_further)
{
    static const char steps[] =
        "\"steps\":[\"Signed Up\",\"Viewed\",\"Ordered\"],\"within\":\"7 days\"";
    struct rig *rig = world_open();
    char        body[BODY_BYTES];
    assert_int_equal(report(rig, "funnel", steps), 200);
    assert_int_equal(rig_int(rig, "rows.0.steps.0.people"), 5);
    assert_int_equal(rig_int(rig, "rows.0.steps.1.people"), 4);
    assert_int_equal(rig_int(rig, "rows.0.steps.2.people"), 2);
    snprintf(body, sizeof body, "%s,\"pick\":{\"step\":2,\"dropped\":true}", steps);
    assert_int_equal(report(rig, "funnel/people", body), 200);
    assert_string_equal(names(rig), "cid eve");
    snprintf(body, sizeof body, "%s,\"condition\":\"country = \\\"NO\\\"\"", steps);
    assert_int_equal(report(rig, "funnel", body), 200);
    assert_int_equal(rig_int(rig, "audience"), 2);
    assert_int_equal(rig_int(rig, "rows.0.steps.2.people"), 2);
    rig_close(rig);
}

TEST(api_reports, retention_follows_each_week_of_beginners_and_opens_to_people)
{
    struct rig *rig = world_open();
    assert_int_equal(report(rig, "retention", "\"event\":\"Signed Up\",\"back\":\"Ordered\""), 200);
    assert_int_equal(rig_int(rig, "rows.0.born"), 3);
    ints_are(rig, "rows.0.back", "[1,2,1]");
    assert_int_equal(rig_int(rig, "rows.1.born"), 1);
    ints_are(rig, "rows.1.back", "[1,0]");
    assert_int_equal(report(rig, "retention/people",
                            "\"event\":\"Signed Up\",\"back\":\"Ordered\","
                            "\"pick\":{\"period\":0}"),
                     200);
    assert_string_equal(names(rig), "ann bea cid");
    rig_close(rig);
}

TEST(api_reports, a_spread_counts_those_who_came_and_those_who_have_not)
{
    struct rig *rig = world_open();
    assert_int_equal(report(rig, "spread", "\"event\":\"Signed Up\",\"then\":\"Ordered\""), 200);
    assert_int_equal(rig_int(rig, "people"), 5);
    assert_int_equal(rig_int(rig, "followed"), 3);
    assert_int_equal(rig_int(rig, "never"), 2);
    int64_t total = 0;
    for (uint32_t i = 0; i < json_get(&rig->json, STR("buckets"))->count; i++) {
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "buckets.%u.count", i);
        total += rig_int(rig, path);
    }
    assert_int_equal(total, 3);
    assert_int_equal(report(rig, "spread/people",
                            "\"event\":\"Signed Up\",\"then\":\"Ordered\","
                            "\"pick\":{\"never\":true}"),
                     200);
    assert_string_equal(names(rig), "cid eve");
    rig_close(rig);
}

TEST(api_reports, growth_counts_who_is_in_a_segment_at_the_end_of_each_week)
{
    struct rig *rig = world_open();
    assert_int_equal(
        report(rig, "growth", "\"condition\":\"did \\\"Ordered\\\" at least 2 times\""), 200);
    assert_int_equal(rig_int(rig, "points.0.people"), 0);
    assert_int_equal(rig_int(rig, "points.2.people"), 1);
    assert_int_equal(rig_int(rig, "points.2.entered"), 1);
    assert_int_equal(report(rig, "growth", "\"segment\":\"nope\""), 404);
    assert_int_equal(report(rig, "growth", "\"interval\":\"day\""), 400);
    rig_close(rig);
}

TEST(api_reports, the_people_of_a_number_can_join_a_list)
{
    struct rig *rig = world_open();
    assert_int_equal(report(rig, "funnel/list",
                            "\"steps\":[\"Signed Up\",\"Viewed\",\"Ordered\"],"
                            "\"pick\":{\"step\":3},\"list\":\"buyers\""),
                     200);
    assert_int_equal(rig_int(rig, "people"), 2);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ann", ""), 200);
    assert_str(rig_str(rig, "lists.0.list"), "buyers");
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/cid", ""), 200);
    assert_int_equal(json_get(&rig->json, STR("lists"))->count, 0);
    rig_close(rig);
}

/* ---- a list that takes long ---- */

enum { CROWD = 4000, CROWD_EACH = 500, STOPS = 20 };

static void crowd_is(struct rig *rig)
{
    for (int from = 0; from < CROWD; from += CROWD_EACH) {
        SCOPED(buf_donep) struct buf body = buf_make(1 << 20);
        buf_str(&body, STR("{\"batch\":["));
        for (int i = from; i < from + CROWD_EACH; i++)
            buf_format(&body, "%s{\"type\":\"track\",\"userId\":\"c%d\",\"event\":\"Came\"}",
                       i > from ? "," : "", i);
        buf_str(&body, STR("]}"));
        buf_char(&body, '\0');
        assert_ok(buf_err(&body));
        assert_int_equal(rig_post(rig, "/v1/batch", body.ptr), 200);
    }
}

struct joining_call {
    struct rig rig; /* a copy, for its answer */
    char       list[16];
};

static void *join_in_the_background(void *context)
{
    struct joining_call *call = context;
    char                 body[BODY_BYTES];
    snprintf(body, sizeof body,
             "{\"event\":\"Came\",\"interval\":\"day\",\"pick\":{\"all\":true},\"list\":\"%s\"}",
             call->list);
    rig_call(&call->rig, "POST", "/api/v1/reports/trends/list", body);
    return NULL;
}

/* The running report of a list is stopped as soon as it is seen. False: it was done before. */
static bool list_stop(struct rig *rig, const struct joining_call *call)
{
    char path[PATH_BYTES];
    for (int i = 0; i < 10000; i++) {
        rig_call(rig, "GET", "/api/v1/reports/running", "");
        if (rig_int(rig, "items.0.done") == CROWD && rig_int(rig, "items.0.id") > 0) {
            snprintf(path, sizeof path, "/api/v1/reports/running/%lld",
                     (long long)rig_int(rig, "items.0.id"));
            return rig_call(rig, "DELETE", path, "") == 200;
        }
        if (__atomic_load_n(&call->rig.status, __ATOMIC_ACQUIRE) != 0)
            return false;
    }
    return false;
}

/* A list that nobody has joined is unknown. */
static int64_t list_count(struct rig *rig, const char *list)
{
    char body[BODY_BYTES];
    snprintf(body, sizeof body, "{\"condition\":\"in list \\\"%s\\\"\"}", list);
    int status = rig_call(rig, "POST", "/api/v1/segments/count", body);
    assert_true(status == 200 || status == 404);
    return status == 404 ? 0 : rig_int(rig, "count");
}

TEST(api_reports, a_list_that_is_stopped_takes_no_more_people)
{
    struct rig *rig = rig_open();
    int         cut = 0;
    crowd_is(rig);
    for (int i = 0; i < STOPS && cut == 0; i++) {
        struct joining_call call = { .rig = *rig };
        pthread_t           thread;
        snprintf(call.list, sizeof call.list, "l%d", i);
        call.rig.status = 0;
        call.rig.arena = arena_open(1 << 24);
        assert_int_equal(pthread_create(&thread, NULL, join_in_the_background, &call), 0);
        bool is_stopped = list_stop(rig, &call);
        pthread_join(thread, NULL);
        if (is_stopped) {
            assert_int_equal(call.rig.status, 503);
            cut += list_count(rig, call.list) < CROWD;
        }
        arena_close(call.rig.arena);
    }
    assert_true(cut > 0);
    rig_close(rig);
}

TEST(api_reports, what_cannot_be_asked_is_refused_with_field_and_remedy)
{
    static const struct {
        const char *path, *body, *where;
        int         status;
    } table[] = {
        { "trends", "\"x\":1", "event", 400 },
        { "trends", "\"event\":\"E\",\"interval\":\"hour\"", "interval", 400 },
        { "trends", "\"event\":\"E\",\"where\":\"price >\"", "where", 400 },
        { "trends", "\"event\":\"E\",\"by\":{}", "by", 400 },
        { "trends", "\"event\":\"E\",\"by\":\"x\",\"groups\":1000", "groups", 400 },
        { "trends", "\"event\":\"E\",\"segment\":\"nope\"", "segment", 404 },
        { "funnel", "\"steps\":[\"A\"]", "steps", 400 },
        { "funnel", "\"steps\":[\"A\",\"\"]", "steps[1]", 400 },
        { "funnel", "\"steps\":[\"A\",\"B\"],\"within\":\"soon\"", "within", 400 },
        { "spread", "\"event\":\"A\",\"then\":\"B\",\"count\":\"some\"", "count", 400 },
        { "retention", "\"event\":\"A\",\"born\":\"twice\"", "born", 400 },
        { "trends/people", "\"event\":\"A\"", "pick", 400 },
        { "trends/list", "\"event\":\"A\",\"pick\":{}", "list", 400 },
        { "nothing/people", "\"event\":\"A\"", "report", 404 },
    };
    struct rig *rig = rig_open();
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int status = report(rig, table[i].path, table[i].body);
        if (status != table[i].status)
            print_error("%s {%s}: %.*s\n", table[i].path, table[i].body, STR_ARG(rig->body));
        assert_int_equal(status, table[i].status);
        assert_true(str_starts(rig_str(rig, "error.where"), str_of(table[i].where)));
        assert_true(rig_str(rig, "error.remedy").len > 0);
    }
    assert_int_equal(rig_call(rig, "POST", "/api/v1/reports/trends",
                              "{\"event\":\"E\",\"from\":\"1990-01-01\",\"interval\":\"day\"}"),
                     413);
    rig_close(rig);
}

TEST(api_reports, one_thread_and_two_give_the_same_answer)
{
    struct rig *rig = world_open();
    char        first[RIG_ANSWER_BYTES > 65536 ? 65536 : RIG_ANSWER_BYTES];
    assert_int_equal(report(rig, "trends?threads=1", "\"event\":\"Ordered\",\"by\":\"spent\""),
                     200);
    str_to_cstr(rig->body, first, sizeof first);
    assert_int_equal(report(rig, "trends?threads=2", "\"event\":\"Ordered\",\"by\":\"spent\""),
                     200);
    assert_str(rig->body, first);
    rig_close(rig);
}

TEST(api_reports, a_name_that_nobody_told_is_named_beside_the_zero_that_it_gives)
{
    struct rig *rig = world_open();
    assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/count",
                              "{\"condition\":\"did \\\"Orderd\\\" or contry = \\\"NO\\\" or did "
                              "\\\"Viewed\\\" or did \\\"Quite Another\\\"\"}"),
                     200);
    assert_str(rig_str(rig, "unseen.0.event"), "Orderd");
    assert_str(rig_str(rig, "unseen.0.near"), "Ordered");
    assert_str(rig_str(rig, "unseen.1.trait"), "contry");
    assert_str(rig_str(rig, "unseen.1.near"), "country");
    assert_str(rig_str(rig, "unseen.2.event"), "Quite Another");
    assert_str(rig_str(rig, "unseen.2.near"), "");
    assert_int_equal(report(rig, "funnel", "\"steps\":[\"Signed Up\",\"Orderd\"]"), 200);
    assert_str(rig_str(rig, "unseen.0.near"), "Ordered");
    assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/count",
                              "{\"condition\":\"did \\\"Viewed\\\" and country = \\\"NO\\\"\"}"),
                     200);
    assert_str(rig_str(rig, "unseen"), "");
    rig_close(rig);
}

TEST(api_reports, a_property_behind_a_filter_without_parentheses_is_said_to_be_read_as_a_trait)
{
    static const struct {
        const char *condition, *where_of;
    } cases[] = {
        { "did \\\"Ordered\\\" where spent > 10 and big = true", "Ordered" },
        { "did \\\"Ordered\\\" where spent > 10 and country = \\\"NO\\\" and big = true",
          "Ordered" },
        { "did \\\"Ordered\\\" where (spent > 10 and big = true)", "" },
        { "did \\\"Ordered\\\" where (spent > 10 and big = true) and big = true", "" },
        { "did \\\"Ordered\\\" where spent > 10 and country = \\\"NO\\\"", "" },
        { "did \\\"Ordered\\\" where spent > 10 and nothing = 1", "" }, /* no property either */
        { "did \\\"Ordered\\\" and big = true", "" },
        { "did \\\"Ordered\\\" where spent > 10 or big = true", "" },
    };
    struct rig *rig = world_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[BODY_BYTES];
        snprintf(body, sizeof body, "{\"condition\":\"%s\"}", cases[i].condition);
        assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/count", body), 200);
        assert_str(rig_str(rig, "unseen.0.where_of"), cases[i].where_of);
    }
    rig_close(rig);
}

TEST(api_reports, a_draft_shows_who_would_enter_and_leave)
{
    struct rig *rig = world_open();
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/segments/viewers", "did \"Viewed\""), 200);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/count",
                              "{\"condition\":\"did \\\"Ordered\\\"\",\"compare\":\"viewers\"}"),
                     200);
    assert_int_equal(rig_int(rig, "count"), 4);
    assert_int_equal(rig_int(rig, "entering"), 1);
    assert_str(rig_str(rig, "entering_sample.0.userId"), "dan");
    assert_int_equal(rig_int(rig, "leaving"), 1);
    assert_str(rig_str(rig, "leaving_sample.0.userId"), "cid");
    rig_close(rig);
}

TEST(api_reports, an_audience_may_be_a_segment_that_names_another_and_a_list)
{
    struct rig *rig = world_open();
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/segments/viewers", "did \"Viewed\""), 200);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/segments/buyers",
                              "in segment \"viewers\" and did \"Ordered\""),
                     200);
    assert_int_equal(report(rig, "trends", "\"event\":\"Ordered\",\"segment\":\"buyers\""), 200);
    assert_int_equal(rig_int(rig, "audience"), 3);
    ints_are(rig, "rows.0.events", "[2,2,1]");
    assert_int_equal(rig_call(rig, "POST", "/api/v1/profiles/bea/lists", "{\"list\":\"news\"}"),
                     200);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/people",
                              "{\"condition\":\"in segment \\\"buyers\\\" and in list "
                              "\\\"news\\\"\"}"),
                     200);
    assert_string_equal(names(rig), "bea");
    rig_close(rig);
}

TEST(api_reports, pages_of_people_together_are_all_of_them_once)
{
    struct rig *rig = world_open();
    char        seen[BODY_BYTES] = "", cursor[64] = "", body[BODY_BYTES];
    do {
        snprintf(body, sizeof body, "\"event\":\"Signed Up\",\"pick\":{},\"limit\":2%s%s%s",
                 cursor[0] ? ",\"cursor\":\"" : "", cursor, cursor[0] ? "\"" : "");
        assert_int_equal(report(rig, "trends/people", body), 200);
        assert_int_equal(rig_int(rig, "count"), 5);
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s ", names(rig));
        str_to_cstr(rig_str(rig, "next"), cursor, sizeof cursor);
    } while (cursor[0] != '\0');
    assert_string_equal(seen, "ann bea cid dan eve ");
    rig_close(rig);
}

TEST(api_reports, a_cursor_that_was_made_up_is_refused)
{
    static const char *const cursors[] = { "0.9223372036854775807",
                                           "0.-9223372036854775808",
                                           "0.253402300800000",
                                           "4294967296.0",
                                           "-1.0",
                                           "0",
                                           "0.",
                                           ".0" };
    struct rig              *rig = world_open();
    for (size_t i = 0; i < sizeof cursors / sizeof cursors[0]; i++) {
        char body[200];
        snprintf(body, sizeof body, "\"event\":\"Signed Up\",\"pick\":{},\"cursor\":\"%s\"",
                 cursors[i]);
        assert_int_equal(report(rig, "trends/people", body), 400);
    }
    rig_close(rig);
}

/* ---- while events come in ---- */

struct sender {
    struct rig  rig; /* a client of its own: another answer, another arena */
    atomic_bool is_over;
    int         sent;
};

static void *sender_run(void *context)
{
    struct sender *sender = context;
    while (!atomic_load(&sender->is_over)) {
        char body[BODY_BYTES];
        snprintf(body, sizeof body,
                 "{\"batch\":[{\"type\":\"track\",\"userId\":\"w%d\",\"event\":\"Walked\"},"
                 "{\"type\":\"track\",\"userId\":\"w%d\",\"event\":\"Rested\"}]}",
                 sender->sent, sender->sent);
        assert_int_equal(rig_post(&sender->rig, "/v1/batch", body), 200);
        sender->sent++;
        arena_reset(sender->rig.arena);
    }
    return NULL;
}

TEST(api_reports, whatever_comes_in_meanwhile_every_report_is_of_one_moment)
{
    struct rig   *rig = world_open();
    struct sender sender = { .rig = *rig };
    pthread_t     thread;
    int64_t       seq = 0;
    sender.rig.arena = arena_open(256 << 20);
    assert_int_equal(pthread_create(&thread, NULL, sender_run, &sender), 0);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(rig_call(rig, "POST", "/api/v1/reports/funnel",
                                  "{\"steps\":[\"Walked\",\"Rested\"],\"within\":\"1 hour\"}"),
                         200);
        /* One task holds both events, so whoever walked has rested. */
        assert_int_equal(rig_int(rig, "rows.0.steps.0.people"),
                         rig_int(rig, "rows.0.steps.1.people"));
        assert_true(rig_int(rig, "seq") >= seq);
        seq = rig_int(rig, "seq");
        arena_reset(rig->arena);
    }
    atomic_store(&sender.is_over, true);
    pthread_join(thread, NULL);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/segments/count?condition=did+%22Walked%22", ""),
                     200);
    assert_int_equal(rig_int(rig, "count"), sender.sent); /* what was answered is seen */
    arena_close(sender.rig.arena);
    rig_close(rig);
}

TEST(api_reports, what_readers_cost_the_engine_is_at_the_metrics)
{
    struct rig *rig = world_open();
    assert_int_equal(report(rig, "trends", "\"event\":\"Ordered\""), 200);
    assert_int_equal(rig_call(rig, "GET", "/metrics", ""), 200);
    assert_true(str_find(rig->body, 0, STR("dult_engine_reader_wait_seconds{quantile=\"0.999\"}")) <
                rig->body.len);
    assert_true(str_find(rig->body, 0, STR("dult_report_seconds_count")) < rig->body.len);
    rig_close(rig);
}
