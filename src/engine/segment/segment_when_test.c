/*
 * Conditions about days, traits over time, patterns, stages, journeys and consent, by example: at
 * which instant they turn in places whose clocks are set.
 */
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "base/zone_file.h"
#include "engine/segment/segment.h"

enum { ARENA_BYTES = 8 << 20, FILE_BYTES_MAX = 1 << 16, TOLD_MAX = 16, OUT_BYTES = 1 << 16 };

struct told {
    const char *key, *value, *at; /* value as JSON; at as an instant */
};

/* One person, by what was told about traits and what was done; all "at" are instants in UTC. */
struct person {
    struct arena      *arena;
    struct dict       *events, *properties, *traits;
    struct zone        zone;
    const struct told *told; /* ends with a NULL key */
    uint16_t           name[TOLD_MAX];
    int64_t            at_ms[TOLD_MAX];
    uint32_t           seq[TOLD_MAX], bag[TOLD_MAX];
    struct run         run;
    struct json        value;
    const char        *node; /* of journey 1 that the person stands at; NULL: in none */
};

static int64_t instant(const char *text)
{
    int64_t ms;
    assert_ok(time_parse(str_of(text), &ms));
    return ms;
}

static bool trait_of(const struct facts *facts, uint16_t key, struct facts_trait *out)
{
    struct person *p = (struct person *)facts->person;
    bool           found = false;
    *out = (struct facts_trait){ .since_ms = FACTS_SINCE_UNKNOWN, .until_ms = TIME_NEVER };
    for (uint32_t i = 0; p->told != NULL && p->told[i].key != NULL; i++) {
        int64_t at_ms = instant(p->told[i].at);
        if (dict_find(p->traits, str_of(p->told[i].key)) != key)
            continue;
        if (at_ms > facts->now_ms) {
            out->until_ms = at_ms < out->until_ms ? at_ms : out->until_ms;
            continue;
        }
        found = true;
        assert_ok(json_parse_once(p->arena, str_of(p->told[i].value), &out->value, NULL));
        out->since_ms = at_ms;
        out->seq = i + 1;
    }
    return found;
}

static struct facts_member nothing(const struct facts *facts, uint32_t id)
{
    (void)facts;
    (void)id;
    return (struct facts_member){ false, FACTS_SINCE_UNKNOWN, TIME_NEVER };
}

static struct str id_of(const struct facts *facts)
{
    (void)facts;
    return STR("p1");
}

static const struct zone *zone_of(const struct facts *facts, int64_t *until_ms)
{
    *until_ms = TIME_NEVER;
    return &((const struct person *)facts->person)->zone;
}

static struct facts_member journey_of(const struct facts *facts, uint32_t journey, struct str node)
{
    const struct person *p = facts->person;
    bool in = journey == 1 && p->node != NULL && (node.len == 0 || str_eq(node, str_of(p->node)));
    return (struct facts_member){ in, instant("2026-01-01"), TIME_NEVER };
}

/* Everything is granted from 2026, but news by sms refused. */
static struct facts_consent consent_of(const struct facts *facts, uint32_t topic,
                                       struct str channel)
{
    int64_t since_ms = instant("2026-01-01");
    if (facts->now_ms < since_ms)
        return (struct facts_consent){ FACTS_CONSENT_UNKNOWN, FACTS_SINCE_UNKNOWN, since_ms };
    bool refused = topic == 1 && str_eq(channel, STR("sms"));
    return (struct facts_consent){ refused ? FACTS_CONSENT_REFUSED : FACTS_CONSENT_GRANTED,
                                   since_ms, TIME_NEVER };
}

static const struct facts_ops ops = { .trait = trait_of,
                                      .in_list = nothing,
                                      .in_segment = nothing,
                                      .public_id = id_of,
                                      .zone = zone_of,
                                      .in_journey = journey_of,
                                      .consent = consent_of };

static void zone_load(struct person *p, const char *name)
{
    char  path[100], *bytes = arena_alloc(p->arena, FILE_BYTES_MAX);
    FILE *file;
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    file = fopen(path, "rb");
    assert_non_null(file);
    struct str read = { bytes, fread(bytes, 1, FILE_BYTES_MAX, file) };
    fclose(file);
    assert_ok(zone_file_read(p->arena, str_of(name), read, &p->zone));
}

static struct person person_make(const char *zone)
{
    struct person p = { .arena = arena_open(ARENA_BYTES),
                        .events = dict_open(),
                        .properties = dict_open(),
                        .traits = dict_open() };
    zone_load(&p, zone);
    return p;
}

static void person_donep(struct person *p)
{
    dict_close(p->events);
    dict_close(p->properties);
    dict_close(p->traits);
    arena_close(p->arena);
}

static void did(struct person *p, const char *event, const char *at)
{
    uint32_t i = p->run.count++;
    assert_ok(dict_intern(p->events, str_of(event), &p->name[i]));
    p->at_ms[i] = instant(at);
    p->seq[i] = i + 1;
}

static uint32_t number_of(const void *owner, struct str name)
{
    (void)owner;
    return str_eq(name, STR("news")) || str_eq(name, STR("welcome")) ? 1 : SEGMENT_NO_ID;
}

static struct segment_names names_of(struct person *p)
{
    return (struct segment_names){ .events = p->events,
                                   .properties = p->properties,
                                   .traits = p->traits,
                                   .grow = true,
                                   .segment = number_of,
                                   .list = number_of,
                                   .journey = number_of,
                                   .topic = number_of };
}

static struct facts facts_at(struct person *p, const char *at)
{
    p->run = (struct run){ p->name, p->at_ms, p->seq, p->bag, p->run.count };
    return (struct facts){ .now_ms = instant(at),
                           .seq_max = UINT32_MAX,
                           .runs = &p->run,
                           .runs_count = 1,
                           .person = p,
                           .ops = &ops };
}

static const struct segment_node *tree_of(struct person *p, const char *text)
{
    const struct segment_node *node;
    struct problem             problem = { 0 };
    if (segment_parse(p->arena, str_of(text), &node, &problem) != OK)
        fail_msg("%s: %s: %s", text, problem.where, problem.what);
    return node;
}

static struct verdict ask(struct person *p, const char *at, const struct segment_names *names,
                          const char *text)
{
    struct segment_program program;
    struct problem         problem = { 0 };
    struct facts           facts = facts_at(p, at);
    if (segment_compile(p->arena, tree_of(p, text), names, &program, &problem) != OK)
        fail_msg("%s: %s: %s", text, problem.where, problem.what);
    return segment_eval(&program, &facts);
}

struct example {
    const char *text, *at;
    bool        holds;
    const char *until; /* NULL: never */
};

static void assert_example(struct person *p, const struct segment_names *names,
                           const struct example *e)
{
    char           until[TIME_TEXT_BYTES];
    struct verdict v = ask(p, e->at, names, e->text);
    int64_t        until_ms = e->until == NULL ? TIME_NEVER : instant(e->until);
    if (v.holds != e->holds || v.until_ms != until_ms)
        fail_msg("%.*s: %s: at %s it is %d until %s, not %d until %s", STR_ARG(p->zone.name),
                 e->text, e->at, v.holds, time_write(v.until_ms, until), e->holds,
                 e->until == NULL ? "never" : e->until);
}

static void assert_examples(struct person *p, const struct example *list, size_t count)
{
    struct segment_names names = names_of(p);
    for (size_t i = 0; i < count; i++)
        assert_example(p, &names, &list[i]);
}

#define ASSERT_EXAMPLES(p, ...)                                                                    \
    do {                                                                                           \
        static const struct example list_[] = { __VA_ARGS__ };                                     \
        assert_examples((p), list_, sizeof list_ / sizeof list_[0]);                               \
    } while (0)

TEST(segment_when, today_lasts_23_hours_where_clocks_go_forward_and_25_where_they_go_back)
{
    SCOPED(person_donep) struct person oslo = person_make("Europe/Oslo");
    did(&oslo, "Buy", "2026-03-28T23:00:00Z"); /* the first instant of the 29th */
    did(&oslo, "Buy", "2026-10-24T22:00:00Z");
    ASSERT_EXAMPLES(
        &oslo, { "did \"Buy\" today", "2026-03-29T12:00:00Z", true, "2026-03-29T22:00:00Z" },
        { "did \"Buy\" today", "2026-10-25T12:00:00Z", true, "2026-10-25T23:00:00Z" },
        { "did \"Buy\" yesterday", "2026-10-25T22:59:59.999Z", false, "2026-10-25T23:00:00Z" },
        { "did \"Buy\" yesterday", "2026-10-26T01:00:00Z", true, "2026-10-26T23:00:00Z" },
        { "did \"Buy\" today", "2026-10-26T01:00:00Z", false, NULL });

    SCOPED(person_donep) struct person york = person_make("America/New_York");
    did(&york, "Buy", "2026-03-08T05:00:00Z");
    did(&york, "Buy", "2026-11-02T04:59:59.999Z"); /* the last of the 1st, which has 25 hours */
    ASSERT_EXAMPLES(
        &york, { "did \"Buy\" today", "2026-03-08T12:00:00Z", true, "2026-03-09T04:00:00Z" },
        { "did \"Buy\" today", "2026-11-02T04:59:59.999Z", true, "2026-11-02T05:00:00Z" },
        { "did \"Buy\" this month", "2026-03-08T12:00:00Z", true, "2026-04-01T04:00:00Z" });

    SCOPED(person_donep) struct person havana = person_make("America/Havana");
    did(&havana, "Buy", "2026-03-08T04:59:59.999Z"); /* 23:59 of the 7th: then it is 01:00 */
    ASSERT_EXAMPLES(
        &havana, { "did \"Buy\" today", "2026-03-08T04:59:59.999Z", true, "2026-03-08T05:00:00Z" },
        { "did \"Buy\" yesterday", "2026-03-08T05:00:00Z", true, "2026-03-09T04:00:00Z" });

    SCOPED(person_donep) struct person howe = person_make("Australia/Lord_Howe");
    did(&howe, "Buy", "2026-04-04T13:00:00Z"); /* midnight, eleven hours ahead */
    ASSERT_EXAMPLES(&howe,
                    { "did \"Buy\" today", "2026-04-05T00:00:00Z", true, "2026-04-05T13:30:00Z" });
}

TEST(segment_when, weeks_begin_on_monday_and_windows_of_the_calendar_move_at_once)
{
    SCOPED(person_donep) struct person p = person_make("UTC");
    did(&p, "Buy", "2026-03-04T10:00:00Z"); /* a Wednesday */
    did(&p, "Buy", "2026-03-08T23:00:00Z"); /* Sunday */
    ASSERT_EXAMPLES(
        &p,
        { "did \"Buy\" at least 2 times this week", "2026-03-08T23:30:00Z", true,
          "2026-03-09T00:00:00Z" },
        { "did \"Buy\" at least 2 times last week", "2026-03-08T23:30:00Z", false,
          "2026-03-09T00:00:00Z" },
        { "did \"Buy\" last week", "2026-03-09T00:00:00Z", true, "2026-03-16T00:00:00Z" },
        { "never did \"Buy\" this year", "2026-05-09T00:00:00Z", false, "2027-01-01T00:00:00Z" },
        { "did \"Buy\" last year", "2026-05-09T00:00:00Z", false, "2027-01-01T00:00:00Z" },
        { "did \"Buy\" last month", "2026-05-09T00:00:00Z", false, NULL },
        { "did \"Sell\" today", "2026-05-09T00:00:00Z", false, NULL });
}

TEST(segment_when, a_day_in_a_window_is_the_whole_day_where_the_person_lives)
{
    SCOPED(person_donep) struct person p = person_make("America/New_York");
    did(&p, "Buy", "2026-03-09T03:59:59.999Z"); /* the last of March 8 */
    ASSERT_EXAMPLES(&p,
                    { "did \"Buy\" between 2026-03-07 and 2026-03-08", "2026-04-01", true, NULL },
                    { "did \"Buy\" since 2026-03-09", "2026-04-01", false, NULL },
                    { "did \"Buy\" since 2026-03-08", "2026-04-01", true, NULL },
                    { "did \"Buy\" before 2026-03-09", "2026-04-01", true, NULL },
                    { "did \"Buy\" before 2026-03-08", "2026-04-01", false, NULL });
}

TEST(segment_when, a_comparison_with_the_present_tells_the_instant_at_which_it_flips)
{
    static const struct told told[] = {
        { "renewal", "\"2026-11-02T12:00:00Z\"", "2026-01-01" },
        { "due", "\"2026-11-01\"", "2026-01-01" }, /* a day of 25 hours */
        { NULL, NULL, NULL },
    };
    SCOPED(person_donep) struct person p = person_make("America/New_York");
    p.told = told;
    ASSERT_EXAMPLES(
        &p, { "renewal < 30 days from now", "2026-09-01", false, "2026-10-03T12:00:00.001Z" },
        { "renewal < 30 days from now", "2026-10-10", true, NULL },
        { "renewal > now", "2026-10-10", true, "2026-11-02T12:00:00Z" },
        { "renewal >= now", "2026-10-10", true, "2026-11-02T12:00:00.001Z" },
        { "renewal = today", "2026-10-10", false, "2026-11-02T05:00:00Z" },
        { "renewal = today", "2026-11-02T06:00:00Z", true, "2026-11-03T05:00:00Z" },
        { "renewal < 5 days after today", "2026-10-10", false, "2026-10-29T04:00:00Z" },
        { "due = today", "2026-11-01T04:00:00Z", true, "2026-11-02T05:00:00Z" },
        { "due < now", "2026-11-01T04:00:00Z", false, "2026-11-02T05:00:00Z" },
        { "due = 2026-11-01", "2026-12-01", true, NULL },
        { "due between 2026-10-01 and 2026-11-01", "2026-12-01", true, NULL },
        { "renewal > 2026-11-01", "2026-12-01", true, NULL },
        { "renewal > 2026-11-02", "2026-12-01", false, NULL },
        { "renewal <= 2026-11-02", "2026-12-01", true, NULL });
}

TEST(segment_when, a_birthday_comes_each_year_also_one_on_february_29)
{
    static const struct told told[] = {
        { "birthday", "\"1996-02-29\"", "2026-01-01" },
        { "trial_ends", "\"2026-03-10\"", "2026-01-01" },
        { "joined", "\"2026-03-29T00:30:00Z\"", "2026-01-01" },
        { NULL, NULL, NULL },
    };
    SCOPED(person_donep) struct person p = person_make("Europe/Oslo");
    p.told = told;
    ASSERT_EXAMPLES(
        &p,
        { "anniversary of birthday is today", "2027-02-28T10:00:00Z", true,
          "2027-02-28T23:00:00Z" },
        { "anniversary of birthday is today", "2027-03-01T10:00:00Z", false,
          "2028-02-28T23:00:00Z" },
        { "anniversary of birthday is in 7 days", "2028-02-01T10:00:00Z", false,
          "2028-02-21T23:00:00Z" },
        { "birthday is today", "2028-02-29T10:00:00Z", false, NULL },
        { "trial_ends is in 3 days", "2026-03-01T10:00:00Z", false, "2026-03-06T23:00:00Z" },
        { "trial_ends is in 3 days", "2026-03-07T10:00:00Z", true, "2026-03-07T23:00:00Z" },
        { "trial_ends is in the last 7 days", "2026-03-10T10:00:00Z", true,
          "2026-03-17T23:00:00Z" },
        { "joined is today", "2026-03-29T10:00:00Z", true, "2026-03-29T22:00:00Z" },
        /* What begins today has no anniversary yet. */
        { "anniversary of joined is in the last 7 days", "2026-03-29T10:00:00Z", false,
          "2027-03-28T22:00:00Z" });
}

TEST(segment_when, has_been_counts_from_the_first_of_equal_answers)
{
    static const struct told told[] = {
        { "plan", "\"free\"", "2026-01-01" }, { "plan", "\"pro\"", "2026-01-10" },
        { "plan", "\"pro\"", "2026-01-20" },  { "seats", "3", "2026-01-05" },
        { "seats", "5", "2026-01-15" },       { NULL, NULL, NULL },
    };
    SCOPED(person_donep) struct person p = person_make("UTC");
    p.told = told;
    ASSERT_EXAMPLES(
        &p, { "plan has been = \"pro\" for 14 days", "2026-01-22", false, "2026-01-24T00:00:00Z" },
        { "plan has been = \"pro\" for 14 days", "2026-01-24", true, NULL },
        { "plan has been = \"free\" for 5 days", "2026-01-08", true, "2026-01-10T00:00:00Z" },
        { "plan has been = \"free\" for 5 days", "2026-01-22", false, NULL },
        { "seats has been > 2 for 30 days", "2026-01-20", false, "2026-02-04T00:00:00Z" },
        { "seats has been != 3 for 2 days", "2026-01-06", false, "2026-01-17T00:00:00Z" });
}

TEST(segment_when, a_pattern_matches_anywhere_and_none_can_hang)
{
    static const struct told told[] = {
        { "email", "\"ada@Example.com\"", "2026-01-01" },
        { "name", "\"Åse Øye\"", "2026-01-01" },
        { "long", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"", "2026-01-01" },
        { "tags", "[\"new\",\"vip-1\"]", "2026-01-01" },
        { NULL, NULL, NULL },
    };
    SCOPED(person_donep) struct person p = person_make("UTC");
    p.told = told;
    ASSERT_EXAMPLES(&p, { "email matches \"@example\\\\.com$\"", "2026-02-01", false, NULL },
                    { "email matches \"(?i)@example\\\\.com$\"", "2026-02-01", true, NULL },
                    { "name matches \"^.se .ye$\"", "2026-02-01", true, NULL },
                    { "tags matches \"^vip-[0-9]$\"", "2026-02-01", true, NULL },
                    { "long matches \"^(a+)+$\"", "2026-02-01", false, NULL },
                    { "none matches \"\"", "2026-02-01", false, NULL });

    struct segment_names   names = names_of(&p);
    struct segment_program program;
    struct problem         problem = { 0 };
    assert_int_equal(segment_compile(p.arena, tree_of(&p, "everyone and email matches \"a(b\""),
                                     &names, &program, &problem),
                     ERR_INPUT);
    assert_str(str_of(problem.where), "1:14");
    assert_non_null(strstr(problem.what, "at character 4: missing closing parenthesis"));
    assert_true(problem.remedy[0] != '\0');
}

TEST(segment_when, a_stage_is_left_for_a_later_one)
{
    static const struct told told[] = {
        { "orders", "1", "2026-01-10" },
        { "orders", "9", "2026-02-10" },
        { NULL, NULL, NULL },
    };
    SCOPED(person_donep) struct person p = person_make("UTC");
    p.told = told;
    const struct segment_stage stages[] = {
        { STR("visitor"), tree_of(&p, "everyone") },
        { STR("customer"), tree_of(&p, "orders >= 1") },
        { STR("regular"), tree_of(&p, "orders >= 5") },
    };
    struct segment_names names = names_of(&p);
    names.stages = stages;
    names.stages_count = 3;
    static const struct example list[] = {
        { "in stage \"visitor\"", "2026-01-05", true, "2026-01-10T00:00:00Z" },
        { "in stage \"visitor\"", "2026-01-15", false, "2026-02-10T00:00:00Z" },
        { "in stage \"customer\"", "2026-01-15", true, "2026-02-10T00:00:00Z" },
        { "in stage \"customer\"", "2026-02-15", false, NULL },
        { "in stage \"regular\"", "2026-02-15", true, NULL },
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        assert_example(&p, &names, &list[i]);

    const struct segment_stage circle[] = { { STR("a"), tree_of(&p, "in stage \"a\"") } };
    struct segment_program     program;
    names.stages = circle;
    names.stages_count = 1;
    assert_int_equal(
        segment_compile(p.arena, tree_of(&p, "in stage \"a\""), &names, &program, NULL), ERR_INPUT);
    assert_int_equal(
        segment_compile(p.arena, tree_of(&p, "in stage \"b\""), &names, &program, NULL),
        ERR_ABSENT);
}

TEST(segment_when, journeys_and_consent_are_asked_of_the_facts)
{
    SCOPED(person_donep) struct person p = person_make("UTC");
    p.node = "hello";
    ASSERT_EXAMPLES(&p, { "in journey \"welcome\"", "2026-02-01", true, NULL },
                    { "in journey \"welcome\" at \"hello\"", "2026-02-01", true, NULL },
                    { "in journey \"welcome\" at \"bye\"", "2026-02-01", false, NULL },
                    { "consent is unknown", "2025-02-01", true, "2026-01-01T00:00:00Z" },
                    { "consent to \"news\" is granted", "2026-02-01", true, NULL },
                    { "consent to \"news\" by \"sms\" is refused", "2026-02-01", true, NULL },
                    { "consent to \"news\" by \"sms\" is granted", "2026-02-01", false, NULL });

    struct segment_names   names = names_of(&p);
    struct segment_program program;
    assert_int_equal(
        segment_compile(p.arena, tree_of(&p, "in journey \"none\""), &names, &program, NULL),
        ERR_ABSENT);
    assert_ok(segment_compile(p.arena, tree_of(&p, "consent is granted and did \"Buy\" today"),
                              &names, &program, NULL));
    assert_true(segment_needs_event(&program, dict_find(p.events, STR("$consent"))));
    /* Who moves has other days. */
    assert_true(segment_needs_event(&program, dict_find(p.events, STR("$context"))));
    assert_true(segment_needs_trait(&program, dict_find(p.traits, STR("timezone"))));
}

static void assert_explained(struct person *p, const char *text, const char *at, const char *wanted)
{
    SCOPED(buf_donep) struct buf out = buf_make(OUT_BYTES);
    const struct segment_node   *node = tree_of(p, text);
    struct segment_names         names = names_of(p);
    struct segment_program       program;
    struct facts                 facts = facts_at(p, at);
    assert_ok(segment_compile(p->arena, node, &names, &program, NULL));
    segment_explain(&program, node, &facts, &out);
    buf_char(&out, '\0');
    if (strstr(buf_view(&out).ptr, wanted) == NULL)
        fail_msg("%s is not in %s", wanted, buf_view(&out).ptr);
}

TEST(segment_when, an_explanation_says_which_day_it_is_there_and_since_when_a_trait_has_been_so)
{
    static const struct told told[] = {
        { "plan", "\"free\"", "2026-01-01" },
        { "plan", "\"pro\"", "2026-01-10" },
        { "plan", "\"pro\"", "2026-01-20" },
        { "birthday", "\"1990-05-17\"", "2026-01-01" },
        { NULL, NULL, NULL },
    };
    SCOPED(person_donep) struct person p = person_make("America/New_York");
    p.told = told;
    did(&p, "Buy", "2026-03-09T03:00:00Z");
    assert_explained(&p, "plan has been = \"pro\" for 14 days", "2026-01-22",
                     "\"holds\":false,\"until\":\"2026-01-24T00:00:00.000Z\",\"value\":\"pro\","
                     "\"seq\":3,\"since\":\"2026-01-20T00:00:00.000Z\",\"passes\":true,"
                     "\"passes_since\":\"2026-01-10T00:00:00.000Z\"");
    assert_explained(&p, "anniversary of birthday is today", "2026-05-17T02:00:00Z",
                     "\"until\":\"2026-05-17T04:00:00.000Z\",\"so_since\":"
                     "\"2026-03-09T03:00:00.000Z\",\"value\":"
                     "\"1990-05-17\",\"seq\":4,\"since\":\"2026-01-01T00:00:00.000Z\","
                     "\"today\":\"2026-05-16\",\"zone\":\"America/New_York\"");
    assert_explained(&p, "did \"Buy\" today", "2026-03-09T03:30:00Z",
                     "\"until\":\"2026-03-09T04:00:00.000Z\",\"so_since\":"
                     "\"2026-03-09T03:00:00.000Z\",\"today\":\"2026-03-08\","
                     "\"zone\":\"America/New_York\",\"from\":\"2026-03-08T05:00:00.000Z\"");
    assert_explained(&p, "consent to \"news\" by \"sms\" is granted", "2026-03-09",
                     "\"consent\":\"refused\",\"since\":\"2026-01-01T00:00:00.000Z\"");
}
