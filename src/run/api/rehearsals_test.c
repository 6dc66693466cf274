/* Rehearsals as jobs, over real sockets: one at a time, looked at, stopped, kept. */
#include "run/api/api_rig.h"
#include "run/api/rehearsals.h"

enum { CROWD = 400, DAYS_AGO = 80, BODY_BYTES = 600, LOOKS = 60000 };

/* An hour comes some 1,900 times in 80 days: of that many people a minute's work and more. */
#define ROUND "{\"id\":\"w\",\"wait\":\"1 hour\",\"next\":\"w\"}"
#define LONG                                                                                       \
    "{\"draft\":{\"journey\":\"j\",\"trigger\":{\"event\":\"Came\"},\"nodes\":[" ROUND "]}}"
#define SHORT                                                                                      \
    "{\"draft\":{\"journey\":\"j\",\"trigger\":{\"event\":\"Came\"},\"nodes\":[{\"id\":\"x\","     \
    "\"exit\":true}]},\"to\":\"%s\",\"sample\":0}"

static struct rig *crowd_open(void)
{
    struct rig                  *rig = rig_open();
    char                         at[TIME_TEXT_BYTES];
    SCOPED(buf_donep) struct buf body = buf_make(1 << 20);
    time_write(time_now_ms() - DAYS_AGO * TIME_DAY_MS, at);
    buf_str(&body, STR("{\"batch\":["));
    for (int i = 0; i < CROWD; i++)
        buf_format(&body,
                   "%s{\"type\":\"track\",\"userId\":\"c%d\",\"event\":\"Came\",\"timestamp\":"
                   "\"%s\",\"originalTimestamp\":\"%s\"}",
                   i > 0 ? "," : "", i, at, at);
    buf_str(&body, STR("]}"));
    buf_char(&body, '\0');
    assert_ok(buf_err(&body));
    assert_int_equal(rig_post(rig, "/v1/batch", body.ptr), 200);
    /* A view of them: asked for until it is there. */
    for (int i = 0; i < LOOKS; i++) {
        arena_reset(rig->arena);
        if (rig_call(rig, "GET", "/api/v1/segments/count?condition=did%20%22Came%22", "") == 200 &&
            rig_int(rig, "count") == CROWD)
            break;
    }
    assert_int_equal(rig_int(rig, "count"), CROWD);
    return rig;
}

static const char *short_body(void)
{
    static char body[BODY_BYTES];
    char        at[TIME_TEXT_BYTES];
    snprintf(body, sizeof body, SHORT, time_write(time_now_ms(), at));
    return body;
}

static void begin(struct rig *rig, const char *body, int number)
{
    assert_int_equal(rig_call(rig, "POST", "/api/v1/rehearsals", body), 202);
    assert_int_equal(rig_int(rig, "id"), number);
    assert_str(rig_str(rig, "state"), "running");
}

static int look(struct rig *rig, const char *method, int number)
{
    char path[RIG_PATH_BYTES];
    arena_reset(rig->arena); /* each answer takes a megabyte of it */
    snprintf(path, sizeof path, "/api/v1/rehearsals/%d", number);
    return rig_call(rig, method, path, "");
}

static void look_until(struct rig *rig, int number, const char *state)
{
    for (int i = 0; i < LOOKS; i++) {
        assert_int_equal(look(rig, "GET", number), 200);
        if (!str_eq(rig_str(rig, "state"), STR("running")))
            break;
        usleep(2000);
    }
    assert_str(rig_str(rig, "state"), state);
}

TEST(rehearsals, one_runs_at_a_time_says_how_far_it_is_and_ends_when_it_is_told_to)
{
    struct rig *rig = crowd_open();
    begin(rig, LONG, 1);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/rehearsals", LONG), 409);
    assert_str(rig_str(rig, "error.where"), "rehearsals");
    assert_true(rig_str(rig, "error.remedy").len > 0);
    for (int i = 0; i < LOOKS && (i == 0 || rig_int(rig, "lived") == 0); i++) {
        assert_int_equal(look(rig, "GET", 1), 200);
        assert_str(rig_str(rig, "state"), "running");
    }
    assert_int_equal(rig_int(rig, "people"), CROWD);
    assert_true(rig_int(rig, "lived") > 0); /* counted beside `done`, at another moment */
    assert_true(rig_int(rig, "done") < CROWD);
    assert_true(rig_str(rig, "at").len > 0);
    assert_null(json_get(&rig->json, STR("answer")));
    /* What comes in does not wait for it, nor do reports. */
    assert_int_equal(
        rig_post(rig, "/v1/track", "{\"userId\":\"late\",\"event\":\"Came\",\"messageId\":\"m\"}"),
        200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/segments/count?condition=did%20%22Came%22", ""),
                     200);
    assert_int_equal(look(rig, "DELETE", 1), 200);
    look_until(rig, 1, "stopped");
    assert_int_equal(look(rig, "DELETE", 1), 200);
    assert_int_equal(look(rig, "GET", 1), 404);
    assert_true(rig_str(rig, "error.remedy").len > 0);
    rig_close(rig);
}

TEST(rehearsals, what_is_answered_is_what_the_question_alone_is_answered_and_is_kept)
{
    struct rig                  *rig = crowd_open();
    SCOPED(buf_donep) struct buf job = buf_make(1 << 20), alone = buf_make(1 << 20);
    const char                  *body = short_body();
    assert_int_equal(rig_call(rig, "POST", "/api/v1/journeys/rehearse", body), 200);
    json_write(&alone, json_get(&rig->json, STR("journeys")));
    begin(rig, body, 1);
    look_until(rig, 1, "done");
    assert_int_equal(rig_int(rig, "lived"), CROWD);
    assert_int_equal(rig_int(rig, "done"), rig_int(rig, "people"));
    json_write(&job, json_path(&rig->json, STR("answer.journeys")));
    assert_true(str_eq(buf_view(&job), buf_view(&alone)));
    assert_int_equal(rig_int(rig, "answer.journeys.0.people"), CROWD);
    for (int i = 2; i <= REHEARSALS_KEPT + 2; i++) {
        begin(rig, body, i);
        look_until(rig, i, "done");
    }
    rig_call(rig, "GET", "/api/v1/rehearsals", "");
    assert_int_equal(rig_items(rig, "state", "done"), REHEARSALS_KEPT);
    assert_int_equal(rig_int(rig, "items.0.id"), REHEARSALS_KEPT + 2);
    assert_int_equal(look(rig, "GET", 2), 404);
    rig_close(rig);
}

TEST(rehearsals, what_is_wrong_with_the_question_is_said_as_an_error_would_say_it)
{
    struct rig *rig = crowd_open();
    assert_int_equal(rig_call(rig, "POST", "/api/v1/rehearsals", "[]"), 400);
    begin(rig, "{\"journeys\":[\"nope\"]}", 1);
    look_until(rig, 1, "failed");
    assert_int_equal(rig_int(rig, "error.status"), 404);
    assert_str(rig_str(rig, "error.where"), "journeys");
    assert_true(rig_str(rig, "error.remedy").len > 0);
    begin(rig,
          "{\"definitions\":[{\"kind\":\"rates\",\"text\":\"{\\\"base\\\":7}\"}],"
          "\"draft\":{\"journey\":\"j\",\"trigger\":{\"event\":\"Came\"},\"nodes\":[{\"id\":"
          "\"x\",\"exit\":true}]}}",
          2);
    look_until(rig, 2, "failed");
    assert_int_equal(rig_int(rig, "error.status"), 400);
    rig_close(rig);
}

TEST(rehearsals, somebody_is_erased_and_the_answers_that_may_name_them_are_gone)
{
    struct rig *rig = crowd_open();
    begin(rig, short_body(), 1);
    look_until(rig, 1, "done");
    assert_int_equal(rig_call(rig, "DELETE", "/api/v1/profiles/c7?dry=1", ""), 200);
    assert_int_equal(look(rig, "GET", 1), 200);
    assert_int_equal(rig_call(rig, "DELETE", "/api/v1/profiles/c7", ""), 202);
    assert_int_equal(look(rig, "GET", 1), 404);
    rig_close(rig);
}

TEST(rehearsals, one_that_runs_ends_with_the_program)
{
    struct rig *rig = crowd_open();
    int64_t     begun_ms;
    begin(rig, LONG, 1);
    begun_ms = time_now_ms();
    rig_close(rig);
    assert_true(time_now_ms() - begun_ms < 30000);
}
