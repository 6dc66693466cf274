/* Sequences: what becomes of them, what is refused where, and on which day a mail comes. */
#include "engine/journey/sequence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/test.h"
#include "base/time.h"
#include "base/zone.h"
#include "engine/story/stage.h"

static enum err expand(struct arena *arena, const char *text, struct json *out,
                       struct problem *problem)
{
    struct sequence_map map;
    assert_ok(json_parse_once(arena, str_of(text), out, NULL));
    return sequence_expand(arena, out, &map, problem);
}

TEST(sequence, it_becomes_the_nodes_that_one_would_write)
{
    static const struct {
        const char *text, *nodes;
    } cases[] = {
        { "{\"sequence\":[{\"day\":0,\"email\":\"a\"},{\"day\":3,\"email\":\"b\"}]}",
          "{\"nodes\":[{\"id\":\"day-0\",\"email\":\"a\"},{\"id\":\"wait-3\",\"wait_until\":\"3 "
          "days after entry\"},"
          "{\"id\":\"day-3\",\"email\":\"b\"}]}" },
        { "{\"trigger\":{\"list\":\"l\"},\"at\":\"10:00\",\"sequence\":[{\"day\":1,\"message\":"
          "\"a\"},{\"day\":3,\"email\":\"b\",\"at\":\"weekday 09:00\"}]}",
          "{\"trigger\":{\"list\":\"l\"},\"exit_when\":{\"not\":{\"in_list\":\"l\"}},\"nodes\":["
          "{\"id\":\"wait-1\",\"wait_until\":\"1 day after entry at 10:00\"},"
          "{\"id\":\"day-1\",\"message\":\"a\"},"
          "{\"id\":\"wait-3\",\"wait_until\":\"3 days after entry at 00:00\"},"
          "{\"id\":\"time-3\",\"wait_until\":\"weekday "
          "09:00\"},{\"id\":\"day-3\",\"email\":\"b\"}]}" },
        { "{\"trigger\":{\"segment\":\"s\"},\"exit_when\":\"x = 1\",\"sequence\":[{\"day\":0,"
          "\"email\":\"a\",\"unless\":\"y = 1\"},{\"day\":2,\"email\":\"b\",\"unless\":\"z = "
          "1\"}]}",
          "{\"trigger\":{\"segment\":\"s\"},\"exit_when\":\"x = 1\",\"nodes\":["
          "{\"id\":\"if-0\",\"split\":\"y = "
          "1\",\"yes\":\"wait-2\"},{\"id\":\"day-0\",\"email\":\"a\"},"
          "{\"id\":\"wait-2\",\"wait_until\":\"2 days after "
          "entry\"},{\"id\":\"if-2\",\"split\":\"z = 1\",\"yes\":"
          "\"end-2\"},{\"id\":\"day-2\",\"email\":\"b\"},{\"id\":\"end-2\",\"exit\":true}]}" },
        { "{\"sequence\":[{\"day\":0,\"email\":\"a\",\"at\":\"10:00\"},{\"day\":1,\"email\":\"b\","
          "\"at\":"
          "\"monday 09:00\"},{\"day\":2,\"email\":\"c\",\"at\":\"12:00\"}]}",
          "{\"nodes\":[{\"id\":\"time-0\",\"wait_until\":\"10:00\"},{\"id\":\"day-0\",\"email\":"
          "\"a\"},"
          "{\"id\":\"wait-1\",\"wait_until\":\"1 day after entry at 00:00\"},"
          "{\"id\":\"time-1\",\"wait_until\":\"monday 09:00\"},{\"id\":\"day-1\",\"email\":\"b\"},"
          "{\"id\":\"wait-2\",\"wait_until\":\"2 days after entry at 00:00\"},"
          "{\"id\":\"time-2\",\"wait_until\":\"12:00\"},{\"id\":\"day-2\",\"email\":\"c\"}]}" },
        { "{\"nodes\":[]}", "{\"nodes\":[]}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
        SCOPED(buf_donep) struct buf       got = buf_make(1 << 16);
        struct json                        json;
        struct problem                     problem;
        assert_ok(expand(arena, cases[i].text, &json, &problem));
        json_write(&got, &json);
        buf_char(&got, '\0');
        assert_string_equal(got.ptr, cases[i].nodes);
    }
}

TEST(sequence, what_is_wrong_is_told_with_its_place)
{
    static const struct {
        const char *text, *where;
    } bad[] = {
        { "{\"sequence\":[]}", "sequence" },
        { "{\"sequence\":{}}", "sequence" },
        { "{\"sequence\":[{\"day\":0,\"email\":\"a\"}],\"nodes\":[]}", "nodes" },
        { "{\"sequence\":[1]}", "sequence[0]" },
        { "{\"sequence\":[{\"email\":\"a\"}]}", "sequence[0].day" },
        { "{\"sequence\":[{\"day\":-1,\"email\":\"a\"}]}", "sequence[0].day" },
        { "{\"sequence\":[{\"day\":3651,\"email\":\"a\"}]}", "sequence[0].day" },
        { "{\"sequence\":[{\"day\":2,\"email\":\"a\"},{\"day\":2,\"email\":\"b\"}]}",
          "sequence[1].day" },
        { "{\"sequence\":[{\"day\":2,\"email\":\"a\"},{\"day\":1,\"email\":\"b\"}]}",
          "sequence[1].day" },
        { "{\"sequence\":[{\"day\":0}]}", "sequence[0].email" },
        { "{\"sequence\":[{\"day\":0,\"email\":\"a\",\"message\":\"b\"}]}", "sequence[0].email" },
        { "{\"sequence\":[{\"day\":0,\"email\":\"a\",\"at\":\"noon\"}]}", "sequence[0].at" },
        { "{\"sequence\":[{\"day\":0,\"email\":\"a\",\"wait\":\"1 day\"}]}", "sequence[0]" },
        { "{\"sequence\":[{\"day\":0,\"email\":\"a\",\"unless\":[]}]}", "sequence[0].unless" },
        { "{\"at\":10,\"sequence\":[{\"day\":1,\"email\":\"a\"}]}", "at" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
        struct json                        json;
        struct problem                     problem = { .where = "" };
        assert_int_equal(expand(arena, bad[i].text, &json, &problem), ERR_INPUT);
        assert_string_equal(problem.where, bad[i].where);
    }
}

/* ---- lived ---- */

static enum err define(struct stage *stage, enum definition_kind kind, const char *name,
                       const char *text, struct problem *problem)
{
    return stage_tell(stage,
                      (struct record){ .kind = RECORD_DEFINE,
                                       .definition_kind = kind,
                                       .name = str_of(name),
                                       .body = str_of(text) },
                      problem);
}

TEST(sequence, what_a_mail_says_wrong_is_told_at_the_mail)
{
    static const struct {
        const char *text, *where;
    } bad[] = {
        { "{\"journey\":\"s\",\"trigger\":{\"event\":\"E\"},\"sequence\":[{\"day\":0,\"email\":"
          "\"a\"},"
          "{\"day\":4,\"email\":\"nobody\"}]}",
          "sequence[1].email" },
        { "{\"journey\":\"s\",\"trigger\":{\"event\":\"E\"},\"sequence\":[{\"day\":0,\"email\":"
          "\"a\"},"
          "{\"day\":4,\"email\":\"a\",\"unless\":\"did did\"}]}",
          "sequence[1].unless" },
    };
    struct stage   stage;
    struct problem problem;
    assert_ok(stage_open(&stage, 0, NULL));
    assert_ok(define(&stage, DEFINE_TEMPLATE, "a", "subject: s\n--- html\nx", &problem));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_not_equal(define(&stage, DEFINE_JOURNEY, "s", bad[i].text, &problem), OK);
        if (strncmp(problem.where, bad[i].where, strlen(bad[i].where)) != 0)
            fail_msg("told at %s", problem.where);
    }
    stage_close(&stage);
}

static int64_t at(const char *text)
{
    int64_t ms;
    assert_ok(time_parse(str_of(text), &ms));
    return ms;
}

/* Wherever in the weeks around both changes of the clocks somebody comes in, at midnight too: each
 * mail comes at its time by their clock, so many days of the calendar after the first. */
TEST(sequence, a_mail_comes_on_its_day_at_its_time_whatever_clocks_are_set)
{
    static const char journey[] =
        "{\"journey\":\"s\",\"trigger\":{\"event\":\"E\"},\"reentry\":\"always\",\"at\":\"10:00\","
        "\"sequence\":[{\"day\":0,\"email\":\"a\"},{\"day\":1,\"email\":\"a\",\"at\":\"07:00\"},"
        "{\"day\":2,\"email\":\"a\",\"at\":\"21:30\"},{\"day\":9,\"email\":\"a\"},"
        "{\"day\":10,\"email\":\"a\",\"at\":\"monday 09:00\"}]}";
    static const int        days[] = { 0, 1, 2, 9 };
    static const int        minutes[] = { 0, 7 * 60, 21 * 60 + 30, 10 * 60 };
    const struct zone_shift shifts[] = { { at("2026-03-29T01:00:00Z") / 1000, 2 * 3600 },
                                         { at("2026-10-25T01:00:00Z") / 1000, 1 * 3600 } };
    const struct zone       place = { STR("Test/Summer"), shifts, 2, 3600 };
    struct zones           *zones;
    assert_ok(zones_make(&zones, STR("2026a"), &place, 1));
    const struct zone *zone = zones == NULL ? NULL : zone_find(zones, STR("Test/Summer"));
    srand(5);
    for (int round = 0; round < 300; round++) {
        int64_t around = at(round % 2 ? "2026-03-17T00:00:00Z" : "2026-10-13T00:00:00Z");
        int64_t entry_ms = around + rand() % (15 * 24 * 60) * TIME_MINUTE_MS;
        if (round % 5 == 0) /* the first instant of a day */
            entry_ms = zone_day_start_ms(zone, zone_day_of(zone, entry_ms));
        struct stage       stage;
        struct problem     problem;
        struct json_member member = { STR("email"),
                                      { .kind = JSON_STRING, .string = STR("a@x.example") } };
        struct json        traits = { .kind = JSON_OBJECT, .count = 1, .members = &member };
        assert_ok(stage_open(&stage, entry_ms, zones));
        assert_ok(define(&stage, DEFINE_WORKSPACE, "workspace", "{\"timezone\":\"Test/Summer\"}",
                         &problem));
        assert_ok(define(&stage, DEFINE_TEMPLATE, "a", "subject: s\n--- html\nx", &problem));
        assert_ok(define(&stage, DEFINE_JOURNEY, "s", journey, &problem));
        assert_ok(stage_tell(
            &stage,
            (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("a"), .properties = &traits },
            &problem));
        assert_ok(stage_tell(
            &stage, (struct record){ .kind = RECORD_TRACK, .user_id = STR("a"), .name = STR("E") },
            &problem));
        assert_ok(stage_until(&stage, entry_ms + 19 * TIME_DAY_MS, &problem));
        assert_int_equal(stage.sent.count, 5);
        assert_true(stage.sent.items[0].at_ms == entry_ms);
        int64_t first = zone_day_of(zone, entry_ms);
        for (int i = 1; i < 4; i++)
            assert_true(stage.sent.items[i].at_ms ==
                        zone_instant_ms(zone, (first + days[i]) * TIME_DAY_MS +
                                                  minutes[i] * TIME_MINUTE_MS));
        int64_t monday = first + 10;
        while ((monday + 3) % 7 != 0)
            monday++;
        assert_true(stage.sent.items[4].at_ms ==
                    zone_instant_ms(zone, monday * TIME_DAY_MS + 9 * TIME_HOUR_MS));
        stage_close(&stage);
    }
    zones_close(zones);
}

TEST(sequence, who_leaves_the_list_gets_no_more)
{
    struct stage       stage;
    struct problem     problem;
    struct json_member member = { STR("email"),
                                  { .kind = JSON_STRING, .string = STR("a@x.example") } };
    struct json        traits = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    assert_ok(stage_open(&stage, at("2026-03-02T10:00:00Z"), NULL));
    assert_ok(define(&stage, DEFINE_WORKSPACE, "workspace", "{\"lists\":[\"leads\"]}", &problem));
    assert_ok(define(&stage, DEFINE_TEMPLATE, "a", "subject: s\n--- html\nx", &problem));
    assert_ok(define(&stage, DEFINE_JOURNEY, "s",
                     "{\"journey\":\"s\",\"trigger\":{\"list\":\"leads\"},\"sequence\":[{\"day\":0,"
                     "\"email\":\"a\"},{\"day\":2,\"email\":\"a\"},{\"day\":4,\"email\":\"a\"}]}",
                     &problem));
    assert_ok(stage_tell(
        &stage,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = STR("a"), .properties = &traits },
        &problem));
    for (int joined = 1; joined >= 0; joined--) {
        assert_ok(stage_tell(&stage,
                             (struct record){ .kind = RECORD_LIST,
                                              .name = STR("leads"),
                                              .user_id = STR("a"),
                                              .flags = joined ? 0 : RECORD_LEAVE },
                             &problem));
        assert_ok(stage_until(&stage, stage.now_ms + 3 * TIME_DAY_MS, &problem));
    }
    assert_ok(stage_until(&stage, stage.now_ms + 9 * TIME_DAY_MS, &problem));
    assert_int_equal(stage.sent.count, 2);
    stage_close(&stage);
}
