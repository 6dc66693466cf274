/*
 * A rehearsal equals life: random journeys are lived by random people on a stage, and then
 * rehearsed over what those people did. Each person's every step, message and end is the same, to
 * the millisecond.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/test.h"
#include "engine/rehearse/rehearse_world_test.h"

enum { LIVES = 40, RECORDS = 220, PEOPLE = 6, JOURNEYS = 4 };

struct random_life {
    struct rehearse_world *w;
    uint64_t               random;
    uint32_t               sent_seen;
};

static uint32_t draw(struct random_life *life, uint32_t below)
{
    life->random = hash_u64(life->random, 99);
    return (uint32_t)(life->random >> 20) % below;
}

static const char *const CONDITIONS[] = {
    "did \"A\" at least 2 times",
    "did \"B\" in the last 2 days",
    "plan = \"pro\"",
    "did \"C\" since entry",
    "in list \"news\"",
    "in segment \"s1\"",
    "not did \"A\" in the last 1 day and did \"B\"",
    "did \"Message Opened\" in the last 3 days",
    "as >= 3",
    "in 40% by \"seed\"",
    "in journey \"j0\"",
    "never did \"D\"",
};
enum { CONDITIONS_COUNT = sizeof CONDITIONS / sizeof CONDITIONS[0] };

static void condition_random(struct random_life *life, const char *key, struct buf *text)
{
    buf_format(text, "\"%s\":", key);
    json_write_str(text, str_of(CONDITIONS[draw(life, CONDITIONS_COUNT)]));
}

static void split_random(struct random_life *life, uint32_t nodes, struct buf *text)
{
    if (draw(life, 2) == 0) {
        buf_format(text,
                   "\"split\":[{\"share\":30,\"next\":\"n%u\"},{\"share\":25,\"next\":\"n%u\"},"
                   "{\"share\":45,\"next\":\"n%u\"}]",
                   draw(life, nodes), draw(life, nodes), draw(life, nodes));
        return;
    }
    if (draw(life, 2) == 0) {
        buf_format(text,
                   "\"experiment\":\"x%u\",\"variants\":[{\"name\":\"a\",\"next\":\"n%u\"},"
                   "{\"name\":\"b\",\"next\":\"n%u\"}]",
                   draw(life, 2), draw(life, nodes), draw(life, nodes));
        return;
    }
    condition_random(life, "split", text);
    buf_format(text, ",\"yes\":\"n%u\",\"no\":\"n%u\"", draw(life, nodes), draw(life, nodes));
}

static void wait_random(struct random_life *life, uint32_t nodes, struct buf *text)
{
    static const char *const untils[] = { "10:00",
                                          "02:30",
                                          "monday 09:30",
                                          "weekday 23:30",
                                          "2026-01-13",
                                          "ends",
                                          "3 days before ends at 08:00" };
    switch (draw(life, 3)) {
    case 0:
        buf_format(text, "\"wait\":\"%u hours\"", 1 + draw(life, 60));
        break;
    case 1:
        buf_format(text, "\"wait_until\":\"%s\"",
                   untils[draw(life, sizeof untils / sizeof untils[0])]);
        break;
    default:
        if (draw(life, 2) == 0)
            buf_format(text, "\"wait_for\":{\"event\":\"%c\"}", (char)('A' + draw(life, 3)));
        else
            condition_random(life, "wait_for", text);
        buf_format(text, ",\"within\":\"%u hours\",\"yes\":\"n%u\",\"timeout\":\"n%u\"",
                   1 + draw(life, 90), draw(life, nodes), draw(life, nodes));
    }
}

static void node_random(struct random_life *life, uint32_t nodes, struct buf *text)
{
    static const char *const papers[] = { "letter", "letter", "news", "bill", "hook" };
    switch (draw(life, 9)) {
    case 0:
    case 1:
    case 2:
        buf_format(text, "\"message\":\"%s\"", papers[draw(life, 5)]);
        break;
    case 3:
        buf_str(text, STR("\"exit\":true"));
        break;
    case 4:
        split_random(life, nodes, text);
        break;
    default:
        wait_random(life, nodes, text);
    }
}

static void trigger_random(struct random_life *life, int number, struct buf *text)
{
    static const char *const triggers[] = {
        "\"event\":\"A\"",    "\"event\":\"B\",\"where\":\"n > 4\"",
        "\"event\":\"C\"",    "\"segment\":\"s0\"",
        "\"segment\":\"s3\"", "\"left_segment\":\"s1\"",
        "\"list\":\"news\"",  "\"left_list\":\"news\"",
        "\"opened\":\"any\"",
    };
    if (number > 0 && draw(life, 4) == 0)
        buf_format(text, "\"trigger\":{\"%s_journey\":\"j%u\"},",
                   draw(life, 2) ? "finished" : "left", draw(life, (uint32_t)number));
    else
        buf_format(text, "\"trigger\":{%s},",
                   triggers[draw(life, sizeof triggers / sizeof triggers[0])]);
}

static void journey_random(struct random_life *life, int number, struct buf *text)
{
    static const char *const reentries[] = { "once", "always", "after 30 hours" };
    uint32_t                 nodes = 1 + draw(life, 7);
    buf_reset(text);
    buf_format(text, "{\"journey\":\"j%d\",\"reentry\":\"%s\",\"priority\":%u,", number,
               reentries[draw(life, 3)], 1 + draw(life, 9));
    trigger_random(life, number, text);
    if (draw(life, 3) == 0) {
        condition_random(life, "exit_when", text);
        buf_char(text, ',');
    }
    if (draw(life, 3) == 0)
        buf_format(text, "\"holdout\":{\"share\":%u},", 10 + draw(life, 41));
    if (draw(life, 2) == 0) {
        buf_format(text, "\"exit_on_goal\":%s,\"goal\":{\"within\":\"%u hours\",",
                   draw(life, 2) ? "true" : "false", 1 + draw(life, 300));
        condition_random(life, "condition", text);
        buf_str(text, STR("},"));
    }
    buf_str(text, STR("\"nodes\":["));
    for (uint32_t i = 0; i < nodes; i++) {
        buf_format(text, "%s{\"id\":\"n%u\",", i > 0 ? "," : "", i);
        node_random(life, nodes, text);
        if (draw(life, 6) == 0)
            buf_format(text, ",\"next\":\"n%u\"", draw(life, nodes));
        buf_char(text, '}');
    }
    buf_str(text, STR("]}"));
}

static void journeys_define(struct random_life *life)
{
    SCOPED(buf_donep) struct buf text = buf_make(1 << 16);
    for (int number = 0; number < JOURNEYS;) {
        char name[8];
        snprintf(name, sizeof name, "j%d", number);
        journey_random(life, number, &text);
        /* A circle without a wait is refused, and so is who names a journey that is not there. */
        number += rehearse_world_define(life->w, DEFINE_JOURNEY, name, buf_view(&text)) == OK;
    }
}

static void world_define(struct random_life *life)
{
    static const struct {
        enum definition_kind kind;
        const char          *name, *text;
    } all[] = {
        { DEFINE_WORKSPACE, "workspace", "{\"lists\":[\"news\"]}" },
        { DEFINE_TRAIT, "as", "count of \"A\"" },
        { DEFINE_SEGMENT, "s0", "did \"A\" at least 2 times" },
        { DEFINE_SEGMENT, "s1", "did \"B\" in the last 2 days" },
        { DEFINE_SEGMENT, "s3", "never did \"C\" and in 50% by \"x\"" },
        { DEFINE_SEGMENT, "unused", "did anything in the last 1 hour" },
        { DEFINE_TEMPLATE, "letter", "subject: s\n--- html\nx" },
        { DEFINE_TEMPLATE, "news",
          "subject: s\ntopic: news\nwhen vip: in segment \"s0\"\n"
          "--- html\n{% if when.vip %}x{% endif %}" },
        { DEFINE_TEMPLATE, "bill", "subject: s\ntransactional: yes\n--- html\nx" },
        { DEFINE_TEMPLATE, "hook", "channel: webhook\nurl: https://x.example/\n--- body\n{}" },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (rehearse_world_define(life->w, all[i].kind, all[i].name, str_of(all[i].text)) != OK)
            fail_msg("%s: %s %s", all[i].name, life->w->problem.where, life->w->problem.what);
    if (draw(life, 2) == 0)
        assert_ok(rehearse_world_define(
            life->w, DEFINE_LIMITS, "limits",
            STR("{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}],\"limits\":["
                "{\"most\":2,\"in\":\"3 days\",\"channel\":\"email\",\"wait\":\"1 day\"},"
                "{\"most\":1,\"in\":\"1 day\",\"topic\":\"news\"}]}")));
    journeys_define(life);
}

/* ---- what people do ---- */

static void identify_random(struct random_life *life, const char *user)
{
    static const char *const zones[] = { "Spring", "Skip", "West", "Nowhere" };
    static const char *const ends[] = { "2026-01-12", "2026-01-20", "2026-01-16T13:45:00Z",
                                        "soon" };
    char                     text[200];
    snprintf(text, sizeof text, "{%s\"plan\":\"%s\",\"timezone\":\"%s\",\"ends\":\"%s\"}",
             draw(life, 4) > 0 ? "\"email\":\"u@x.no\"," : "", draw(life, 2) ? "pro" : "free",
             zones[draw(life, 4)], ends[draw(life, 4)]);
    rehearse_world_traits(life->w, user, text);
}

static void event_random(struct random_life *life, const char *user)
{
    const char name[2] = { (char)('A' + draw(life, 4)), 0 };
    char       text[40];
    snprintf(text, sizeof text, "{\"n\":%u,\"s\":\"x\"}", draw(life, 10));
    rehearse_world_event(life->w, user, name, draw(life, 3) == 0 ? NULL : text);
}

static void consent_random(struct random_life *life, uint32_t person)
{
    static const char *const words[] = { "{\"state\":\"subscribed\"}",
                                         "{\"state\":\"unsubscribed\"}", "{\"state\":\"unknown\"}",
                                         "{\"state\":\"unsubscribed\",\"channel\":\"email\"}" };
    struct json             *how = ARENA_NEW(life->w->arena, struct json);
    assert_ok(json_parse_once(life->w->arena, str_of(words[draw(life, 4)]), how, NULL));
    rehearse_world_tell(life->w, (struct record){ .kind = RECORD_CONSENT,
                                                  .profile = person,
                                                  .name = draw(life, 2) ? STR("news") : STR_NONE,
                                                  .properties = how });
}

/* The person opens the last mail that they got. */
static void open_random(struct random_life *life, uint32_t person)
{
    struct stage      *stage = &life->w->life;
    struct json_member members[3];
    struct json        properties = { .kind = JSON_OBJECT, .count = 3, .members = members };
    for (uint32_t i = stage->sent.count; i > 0; i--) {
        const struct stage_sent *sent = &stage->sent.items[i - 1];
        const struct program    *program = engine_program(stage->engine);
        if (sent->profile != person || sent->journey == JOURNEY_NONE)
            continue;
        members[0] = (struct json_member){ STR("message"), { .kind = JSON_INT } };
        members[0].value.integer = (int64_t)sent->message;
        members[1] = (struct json_member){ STR("template"), { .kind = JSON_STRING } };
        members[1].value.string = program_name(program, NAME_TEMPLATE, sent->template_id);
        members[2] = (struct json_member){ STR("journey"), { .kind = JSON_STRING } };
        members[2].value.string = program_name(program, NAME_JOURNEY, sent->journey);
        rehearse_world_tell(life->w, (struct record){ .kind = RECORD_MESSAGE,
                                                      .profile = person,
                                                      .message = sent->message,
                                                      .name = EVENT_MESSAGE_OPENED,
                                                      .properties = &properties });
        return;
    }
}

static void list_random(struct random_life *life, const char *user)
{
    rehearse_world_tell(life->w, (struct record){ .kind = RECORD_LIST,
                                                  .user_id = str_of(user),
                                                  .name = STR("news"),
                                                  .flags = draw(life, 2) ? RECORD_LEAVE : 0 });
}

static void live(struct random_life *life)
{
    for (int i = 0; i < RECORDS; i++) {
        char user[8];
        snprintf(user, sizeof user, "u%u", draw(life, PEOPLE));
        int64_t  pause_ms = draw(life, 3) == 0 ? (int64_t)draw(life, 30) * TIME_HOUR_MS
                                               : (int64_t)draw(life, 9000) + 1;
        uint32_t person = engine_find(life->w->life.engine, str_of(user)), kind = draw(life, 12);
        rehearse_world_until(life->w, life->w->life.now_ms + pause_ms + 1);
        if (person != PROFILE_NONE && kind == 0)
            consent_random(life, person);
        else if (person != PROFILE_NONE && kind == 1)
            open_random(life, person);
        else if (kind == 2)
            list_random(life, user);
        else if (kind <= 4)
            identify_random(life, user);
        else
            event_random(life, user);
    }
    rehearse_world_until(life->w, life->w->life.now_ms + TIME_DAY_MS);
}

static void journeys_print(const struct rehearse_world *w)
{
    for (uint32_t i = 0; i < w->definitions_count; i++)
        if (w->definitions[i].kind == DEFINE_JOURNEY)
            print_error("%.*s\n", STR_ARG(w->definitions[i].text));
}

/* The first line in which they differ, and some before it. */
static void difference_print(struct str lived, struct str rehearsed)
{
    size_t at = 0, line = 0;
    while (at < lived.len && at < rehearsed.len && lived.ptr[at] == rehearsed.ptr[at]) {
        at++;
        if (lived.ptr[at - 1] == '\n')
            line = at;
    }
    size_t from = line > 400 ? line - 400 : 0;
    print_error("...%.*s", (int)(line - from), lived.ptr + from);
    print_error("life:      %.*s\n", (int)(lived.len - line > 120 ? 120 : lived.len - line),
                lived.ptr + line);
    print_error("rehearsal: %.*s\n", (int)(rehearsed.len - line > 120 ? 120 : rehearsed.len - line),
                rehearsed.ptr + line);
}

/* How many lines were the same; PEOPLE of them without a fault. */
static uint64_t compare(struct random_life *life, uint64_t seed, bool expects_same, bool *is_same)
{
    struct rehearse_world *w = life->w;
    uint64_t               lines = 0;
    *is_same = true;
    for (uint32_t p = 0; p < w->view->profiles; p++) {
        struct str lived = rehearse_world_lived(w, p, w->life.now_ms);
        struct str path = rehearse_world_path(w, p);
        for (size_t i = 0; i < lived.len; i++)
            lines += lived.ptr[i] == '\n';
        *is_same = *is_same && str_eq(lived, path);
        if (str_eq(lived, path) || !expects_same)
            continue;
        print_error("DULT_SEED=%llu: p%u\n", (unsigned long long)seed, p + 1);
        difference_print(lived, path);
        journeys_print(w);
        fail();
    }
    return lines;
}

static struct random_life random_open(uint64_t seed)
{
    struct random_life life = { .w = rehearse_world_open(), .random = seed };
    world_define(&life);
    live(&life);
    return life;
}

static uint64_t seed_get(void)
{
    const char *given = getenv("DULT_SEED");
    uint64_t    seed = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16;
    printf("rehearse_life: DULT_SEED=%llu replays\n", (unsigned long long)seed);
    return seed;
}

TEST(rehearse_life, what_was_lived_is_rehearsed_to_the_millisecond)
{
    uint64_t seed = seed_get(), lines = 0;
    bool     is_same;
    for (uint64_t i = 0; i < LIVES; i++) {
        struct random_life life = random_open(seed + i);
        assert_ok(rehearse_world_run(life.w, T0, life.w->life.now_ms, 1));
        lines += compare(&life, seed + i, true, &is_same);
        rehearse_world_close(life.w);
    }
    printf("rehearse_life: %llu steps, messages and ends were the same\n",
           (unsigned long long)lines);
    assert_true(lines > LIVES * 100);
}

/* The comparison finds a fault: one journey's waits are all an hour longer. */
TEST(rehearse_life, another_journey_than_was_lived_is_told_from_it)
{
    uint64_t seed = seed_get();
    uint32_t found = 0;
    bool     is_same;
    for (uint64_t i = 0; i < 10; i++) {
        struct random_life life = random_open(seed + i);
        rehearse_world_draft(life.w, DEFINE_JOURNEY, "j0",
                             STR("{\"journey\":\"j0\",\"reentry\":\"always\","
                                 "\"trigger\":{\"event\":\"A\"},\"nodes\":["
                                 "{\"id\":\"w\",\"wait\":\"1 hour\"}]}"));
        assert_ok(rehearse_world_run(life.w, T0, life.w->life.now_ms, 1));
        (void)compare(&life, seed + i, false, &is_same);
        found += !is_same;
        rehearse_world_close(life.w);
    }
    assert_int_equal(found, 10);
}

/* However the people are parted among hands, the counts are the same; and they are those of the
 * paths. */
TEST(rehearse_life, the_counts_are_those_of_life_whoever_counts)
{
    uint64_t seed = seed_get();
    for (uint64_t i = 0; i < 10; i++) {
        struct random_life life = random_open(seed + i);
        uint64_t           enrolled = 0, sent = 0, entries[2] = { 0, 0 }, letters[2] = { 0, 0 };
        for (size_t d = 0; d < life.w->life.out.decisions_count; d++) {
            enrolled += life.w->life.out.decisions[d].kind == DECISION_ENROLLED;
            sent += life.w->life.out.decisions[d].kind == DECISION_SENT;
        }
        for (uint32_t hands = 1; hands <= 3; hands += 2) {
            assert_ok(rehearse_world_run(life.w, T0, life.w->life.now_ms, hands));
            for (uint32_t j = 0; j < life.w->result.journeys_count; j++) {
                entries[hands / 2] += life.w->result.journeys[j].entries;
                letters[hands / 2] += life.w->result.journeys[j].sent;
            }
        }
        assert_int_equal(entries[0], enrolled);
        assert_int_equal(entries[1], enrolled);
        assert_int_equal(letters[0], sent);
        assert_int_equal(letters[1], sent);
        rehearse_world_close(life.w);
    }
}
