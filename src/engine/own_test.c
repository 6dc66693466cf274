/* What Dult knows lies on the timeline: any moment is answered as the present one is. */
#include "engine/own.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"
#include "engine/known.h"

/* Told one hour after the other. */
static void tell(struct world *w, struct record record)
{
    assert_ok(engine_world_tell(w, record));
    w->now_ms += TIME_HOUR_MS;
}

static void visit(struct world *w, const char *user, const char *device)
{
    tell(w, (struct record){ .kind = RECORD_TRACK,
                             .user_id = str_of(user),
                             .anonymous_id = str_of(device),
                             .name = STR("Visit") });
}

static void list(struct world *w, const char *user, bool leave)
{
    tell(w, (struct record){ .kind = RECORD_LIST,
                             .user_id = str_of(user),
                             .name = STR("news"),
                             .flags = leave ? RECORD_LEAVE : 0 });
}

/* The same, told now of another time. */
static void list_at(struct world *w, const char *user, bool leave, int64_t at_ms)
{
    tell(w, (struct record){ .kind = RECORD_LIST,
                             .user_id = str_of(user),
                             .name = STR("news"),
                             .flags = leave ? RECORD_LEAVE : 0,
                             .at_ms = at_ms });
}

static void consent(struct world *w, uint32_t profile, const char *state)
{
    struct json_member member = { STR("state"), { .kind = JSON_STRING, .string = str_of(state) } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    tell(w, (struct record){ .kind = RECORD_CONSENT, .profile = profile, .properties = &object });
}

static void define(struct world *w, enum definition_kind kind, const char *name, const char *text)
{
    tell(w, (struct record){ .kind = RECORD_DEFINE,
                             .definition_kind = kind,
                             .name = str_of(name),
                             .body = str_of(text) });
}

TEST(own, a_list_left_since_was_still_joined_then)
{
    struct world w = engine_world_open();
    visit(&w, "ada", "");
    list(&w, "ada", false); /* at T0 + 1 h */
    list(&w, "ada", true);
    assert_false(engine_world_holds(&w, "in list \"news\"", "ada", T0));
    assert_true(engine_world_holds(&w, "in list \"news\"", "ada", T0 + TIME_HOUR_MS));
    assert_false(engine_world_holds(&w, "in list \"news\"", "ada", T0 + 2 * TIME_HOUR_MS));
    engine_world_close(&w);
}

static uint32_t decided(const struct world *w, enum decision_kind kind)
{
    uint32_t count = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        count += w->out.decisions[i].kind == kind;
    return count;
}

TEST(own, a_list_told_late_was_joined_when_it_was_joined)
{
    struct world w = engine_world_open();
    visit(&w, "ada", "");
    list_at(&w, "ada", false, T0 - 2 * TIME_DAY_MS);
    assert_false(engine_world_holds(&w, "in list \"news\"", "ada", T0 - 3 * TIME_DAY_MS));
    assert_true(engine_world_holds(&w, "in list \"news\"", "ada", T0 - 2 * TIME_DAY_MS));
    assert_true(engine_world_holds(&w, "in list \"news\"", "ada", w.now_ms));
    const struct state *kept = people_state_get(engine_people(w.engine), 0);
    assert_int_equal(kept->rarer->lists.items[0].since_ms, T0 - 2 * TIME_DAY_MS);
    engine_world_close(&w);
}

TEST(own, what_is_told_late_about_a_list_changes_the_past_and_not_what_was_said_since)
{
    struct world w = engine_world_open();
    visit(&w, "ada", "");
    list_at(&w, "ada", false, T0 - 2 * TIME_DAY_MS);
    list_at(&w, "ada", true, T0 - 4 * TIME_DAY_MS); /* was not on it: nothing new */
    list_at(&w, "ada", false, T0 - 9 * TIME_DAY_MS);
    list_at(&w, "ada", true, T0 - 4 * TIME_DAY_MS);
    assert_true(engine_world_holds(&w, "in list \"news\"", "ada", T0 - 8 * TIME_DAY_MS));
    assert_false(engine_world_holds(&w, "in list \"news\"", "ada", T0 - 3 * TIME_DAY_MS));
    assert_true(engine_world_holds(&w, "in list \"news\"", "ada", w.now_ms));
    assert_int_equal(people_state_get(engine_people(w.engine), 0)->rarer->lists.count, 1);
    assert_int_equal(decided(&w, DECISION_DEPARTED), 1);
    engine_world_close(&w);
}

TEST(own, nobody_joins_a_list_in_the_future)
{
    struct world w = engine_world_open();
    visit(&w, "ada", "");
    int64_t told_ms = w.now_ms;
    list_at(&w, "ada", false, told_ms + 9 * TIME_DAY_MS);
    assert_true(engine_world_holds(&w, "in list \"news\"", "ada", told_ms));
    engine_world_close(&w);
}

TEST(own, a_list_joined_long_ago_sets_off_no_journey_and_one_joined_today_does)
{
    struct world w = engine_world_open();
    define(&w, DEFINE_JOURNEY, "hello",
           "{\"journey\":\"hello\",\"trigger\":{\"list\":\"news\"},\"nodes\":[{\"id\":\"w\","
           "\"wait\":\"1 day\"}]}");
    define(&w, DEFINE_SEGMENT, "readers", "in list \"news\"");
    define(&w, DEFINE_JOURNEY, "reader",
           "{\"journey\":\"reader\",\"trigger\":{\"segment\":\"readers\"},\"nodes\":[{\"id\":"
           "\"w\",\"wait\":\"1 day\"}]}");
    tell(&w, (struct record){ .kind = RECORD_CLOCK });
    list_at(&w, "ada", false, w.now_ms - LATENESS_MS_DEFAULT - 1);
    assert_int_equal(decided(&w, DECISION_ENTERED), 1);
    assert_int_equal(decided(&w, DECISION_ENROLLED), 0);
    list_at(&w, "bob", false, w.now_ms - LATENESS_MS_DEFAULT);
    assert_int_equal(decided(&w, DECISION_ENROLLED), 2);
    engine_world_close(&w);
}

TEST(own, of_two_who_are_one_the_last_word_about_a_list_counts_and_undoing_gives_each_their_own)
{
    struct world w = engine_world_open();
    visit(&w, "ada", "");
    visit(&w, "bob", "");
    list(&w, "ada", false);
    list(&w, "bob", false);
    list(&w, "bob", true);
    tell(&w,
         (struct record){ .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("bob") });
    uint32_t            ada = engine_find(w.engine, STR("ada"));
    const struct state *kept = people_state_get(engine_people(w.engine), ada);
    assert_false(engine_world_holds(&w, "in list \"news\"", "ada", w.now_ms));
    assert_int_equal(kept->rarer->lists.count, 0);
    tell(&w, (struct record){ .kind = RECORD_UNMERGE,
                              .profile = ada,
                              .merge = kept->rarer->merges.items[0].id });
    assert_true(engine_world_holds(&w, "in list \"news\"", "ada", w.now_ms));
    assert_false(engine_world_holds(&w, "in list \"news\"", "bob", w.now_ms));
    kept = people_state_get(engine_people(w.engine), ada);
    assert_int_equal(kept->rarer->lists.count, 1);
    engine_world_close(&w);
}

static enum facts_consent_state said(struct world *w, const char *who, int64_t at_ms)
{
    struct run   runs[TIMELINE_RUNS_MAX];
    uint32_t     profile = engine_find(w->engine, str_of(who));
    uint32_t     count = timeline_runs(engine_timeline(w->engine), profile, runs);
    struct facts facts =
        known_facts(profile, runs, count, timeline_bags(engine_timeline(w->engine)));
    facts.now_ms = at_ms;
    return facts.ops->consent(&facts, 0, STR_NONE).state;
}

TEST(own, what_either_refused_is_refused_by_both_also_on_their_timelines)
{
    struct world w = engine_world_open();
    visit(&w, "ada", "");
    visit(&w, "bob", "");
    consent(&w, engine_find(w.engine, STR("bob")), "unsubscribed");
    consent(&w, engine_find(w.engine, STR("ada")), "subscribed");
    assert_int_equal(said(&w, "ada", w.now_ms), FACTS_CONSENT_GRANTED);
    assert_int_equal(said(&w, "bob", T0), FACTS_CONSENT_UNKNOWN);
    tell(&w,
         (struct record){ .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("bob") });
    uint32_t            ada = engine_find(w.engine, STR("ada"));
    const struct state *kept = people_state_get(engine_people(w.engine), ada);
    assert_int_equal(said(&w, "ada", w.now_ms), FACTS_CONSENT_REFUSED);
    tell(&w, (struct record){ .kind = RECORD_UNMERGE,
                              .profile = ada,
                              .merge = kept->rarer->merges.items[0].id });
    assert_int_equal(said(&w, "ada", w.now_ms), FACTS_CONSENT_REFUSED);
    assert_int_equal(said(&w, "bob", w.now_ms), FACTS_CONSENT_REFUSED);
    engine_world_close(&w);
}

static void said_by(struct world *w, const char *topic, const char *channel, const char *state)
{
    struct json_member members[] = {
        { STR("state"), { .kind = JSON_STRING, .string = str_of(state) } },
        { STR("channel"), { .kind = JSON_STRING, .string = str_of(channel) } },
    };
    struct json object = { .kind = JSON_OBJECT, .count = 2, .members = members };
    tell(w, (struct record){ .kind = RECORD_CONSENT,
                             .profile = engine_find(w->engine, STR("ada")),
                             .name = str_of(topic),
                             .properties = &object });
}

TEST(own, a_refusal_told_late_holds_from_when_it_was_said_until_the_consent_that_followed_it)
{
    struct world       w = engine_world_open();
    struct json_member member = { STR("state"), { .kind = JSON_STRING, .string = STR("no") } };
    struct json        refusal = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    visit(&w, "ada", "");
    consent(&w, 0, "subscribed");
    tell(&w, (struct record){ .kind = RECORD_CONSENT,
                              .profile = 0,
                              .properties = &refusal,
                              .at_ms = T0 - TIME_DAY_MS });
    assert_int_equal(said(&w, "ada", T0 - 2 * TIME_DAY_MS), FACTS_CONSENT_UNKNOWN);
    assert_int_equal(said(&w, "ada", T0), FACTS_CONSENT_REFUSED);
    assert_int_equal(said(&w, "ada", w.now_ms), FACTS_CONSENT_GRANTED);
    const struct state *kept = people_state_get(engine_people(w.engine), 0);
    assert_int_equal(kept->rarer->consents.count, 1);
    assert_int_equal(kept->rarer->consents.items[0].state, CONSENT_GRANTED);
    engine_world_close(&w);
}

TEST(own, of_the_words_that_speak_about_a_topic_and_channel_the_last_counts)
{
    struct world w = engine_world_open();
    visit(&w, "ada", "");
    said_by(&w, "news", "email", "subscribed");
    assert_true(
        engine_world_holds(&w, "consent to \"news\" by \"email\" is granted", "ada", w.now_ms));
    assert_true(engine_world_holds(&w, "consent to \"news\" is unknown", "ada", w.now_ms));
    assert_true(
        engine_world_holds(&w, "consent to \"news\" by \"sms\" is unknown", "ada", w.now_ms));
    said_by(&w, "", "", "unsubscribed"); /* broad and later */
    int64_t refused_ms = w.now_ms - 1;   /* the next word is said at now_ms */
    assert_true(
        engine_world_holds(&w, "consent to \"news\" by \"email\" is refused", "ada", refused_ms));
    said_by(&w, "news", "sms", "subscribed"); /* narrow and later */
    assert_true(
        engine_world_holds(&w, "consent to \"news\" by \"sms\" is granted", "ada", w.now_ms));
    assert_true(
        engine_world_holds(&w, "consent to \"news\" by \"email\" is refused", "ada", w.now_ms));
    assert_true(engine_world_holds(&w, "consent by \"sms\" is refused", "ada", w.now_ms));
    assert_true(
        engine_world_holds(&w, "consent to \"news\" by \"sms\" is refused", "ada", refused_ms));
    engine_world_close(&w);
}

TEST(own, each_channel_keeps_its_own_word_in_the_state)
{
    struct world w = engine_world_open();
    visit(&w, "ada", "");
    said_by(&w, "news", "sms", "unsubscribed");
    said_by(&w, "news", "email", "subscribed");
    said_by(&w, "news", "sms", "subscribed");
    const struct state *kept =
        people_state_get(engine_people(w.engine), engine_find(w.engine, STR("ada")));
    assert_int_equal(kept->rarer->consents.count, 2);
    assert_int_equal(kept->rarer->consents.items[0].channel, CHANNEL_SMS);
    assert_int_equal(kept->rarer->consents.items[0].state, CONSENT_GRANTED);
    assert_int_equal(kept->rarer->consents.items[1].channel, CHANNEL_EMAIL);
    engine_world_close(&w);
}

/* A million queued messages have three million of them: docs/benchmarks-delivery.md. */
TEST(own, the_three_events_of_a_journey_that_writes_once_take_64_bytes)
{
    struct world w = engine_world_open();
    define(&w, DEFINE_TEMPLATE, "welcome", "subject: s\n--- html\nx");
    define(&w, DEFINE_JOURNEY, "greet",
           "{\"journey\":\"greet\",\"trigger\":{\"event\":\"Visit\"},\"nodes\":[{\"id\":\"hello\","
           "\"email\":\"welcome\"}]}");
    size_t before = timeline_bags_bytes(engine_timeline(w.engine));
    visit(&w, "ada", "");
    assert_int_equal(decided(&w, DECISION_ENDED), 1);
    assert_int_equal(timeline_bags_bytes(engine_timeline(w.engine)) - before, 64);
    engine_world_close(&w);
}

TEST(own, a_journey_is_known_by_its_steps_and_at_its_nodes)
{
    struct world w = engine_world_open();
    define(&w, DEFINE_JOURNEY, "greet",
           "{\"journey\":\"greet\",\"trigger\":{\"event\":\"Visit\"},\"nodes\":[{\"id\":\"rest\","
           "\"wait\":\"2 days\"}]}");
    int64_t before_ms = w.now_ms - 1;
    visit(&w, "ada", "");
    struct run   runs[TIMELINE_RUNS_MAX];
    uint32_t     count = timeline_runs(engine_timeline(w.engine), 0, runs);
    struct facts facts = known_facts(0, runs, count, timeline_bags(engine_timeline(w.engine)));
    facts.now_ms = w.now_ms;
    assert_true(facts.ops->in_journey(&facts, 0, STR_NONE).holds);
    assert_true(facts.ops->in_journey(&facts, 0, STR("rest")).holds);
    assert_false(facts.ops->in_journey(&facts, 0, STR("work")).holds);
    facts.now_ms = before_ms;
    assert_false(facts.ops->in_journey(&facts, 0, STR_NONE).holds);
    w.now_ms += 3 * TIME_DAY_MS;
    tell(&w, (struct record){ .kind = RECORD_CLOCK });
    facts.runs_count = timeline_runs(engine_timeline(w.engine), 0, runs);
    facts.bags = timeline_bags(engine_timeline(w.engine));
    facts.now_ms = w.now_ms;
    assert_false(facts.ops->in_journey(&facts, 0, STR_NONE).holds);
    engine_world_close(&w);
}

static void clicked(struct world *w, bool machine)
{
    struct json_member member = { STR("machine"), { .kind = JSON_BOOL, .truth = machine } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    tell(w, (struct record){ .kind = RECORD_MESSAGE,
                             .name = EVENT_MESSAGE_CLICKED,
                             .profile = 0,
                             .properties = &object });
}

TEST(own, a_scanners_click_sets_off_no_journey_unless_it_asks_about_machines)
{
    static const struct {
        const char *where;
        uint32_t    by_machine, by_person;
    } table[] = { { "", 0, 1 },
                  { ",\"where\":\"url does not exist\"", 0, 1 },
                  { ",\"where\":\"machine = yes\"", 1, 1 },
                  { ",\"where\":\"url does not exist and (machine = yes or machine = no)\"", 1,
                    2 } };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct world w = engine_world_open();
        char         text[400];
        snprintf(text, sizeof text,
                 "{\"journey\":\"j\",\"trigger\":{\"event\":\"Message "
                 "Clicked\"%s},\"reentry\":\"always\","
                 "\"nodes\":[{\"id\":\"end\",\"exit\":true}]}",
                 table[i].where);
        visit(&w, "ada", "");
        define(&w, DEFINE_JOURNEY, "j", text);
        clicked(&w, true);
        assert_int_equal(decided(&w, DECISION_ENROLLED), table[i].by_machine);
        clicked(&w, false);
        assert_int_equal(decided(&w, DECISION_ENROLLED), table[i].by_person);
        engine_world_close(&w);
    }
}

TEST(own, a_strangers_event_is_none_of_ours_and_ours_are_in_no_list_of_events)
{
    struct world     w = engine_world_open();
    struct event_ref refs[10];
    visit(&w, "ada", "");
    tell(&w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = STR("$list") });
    list(&w, "ada", false);
    assert_int_equal(engine_events(w.engine, 0, 0, refs, 10), 2);
    assert_false(engine_world_holds(&w, "did \"$list\" at least 2 times", "ada", w.now_ms));
    assert_true(engine_world_holds(&w, "did \"$list\"", "ada", w.now_ms));
    engine_world_close(&w);
}

TEST(own, nobody_opens_a_mail_by_saying_so)
{
    struct world w = engine_world_open();
    visit(&w, "ada", "");
    tell(&w, (struct record){
                 .kind = RECORD_TRACK, .user_id = STR("ada"), .name = EVENT_MESSAGE_OPENED });
    assert_false(engine_world_holds(&w, "opened any message by anyone", "ada", w.now_ms));
    assert_false(engine_world_holds(&w, "did \"Message Opened\"", "ada", w.now_ms));
    assert_true(engine_world_holds(&w, "did anything at least 2 times", "ada", w.now_ms));
    engine_world_close(&w);
}

TEST(own, a_program_with_its_segments_in_place_answers_alone)
{
    struct world w = engine_world_open();
    define(&w, DEFINE_SEGMENT, "guest", "did \"Visit\"");
    define(&w, DEFINE_SEGMENT, "stranger", "not in segment \"guest\"");
    visit(&w, "ada", "");
    struct run   runs[TIMELINE_RUNS_MAX];
    uint32_t     count = timeline_runs(engine_timeline(w.engine), 0, runs);
    struct facts facts = known_facts(0, runs, count, timeline_bags(engine_timeline(w.engine)));
    const struct segment_node *tree;
    struct segment_program     program;
    struct segment_names       names = program_names_in_place(engine_program(w.engine));
    facts.now_ms = w.now_ms;
    assert_ok(segment_parse(w.arena, STR("in segment \"stranger\" or in segment \"guest\""), &tree,
                            NULL));
    assert_ok(segment_compile(w.arena, tree, &names, &program, NULL));
    assert_true(segment_eval(&program, &facts).holds);
    facts.now_ms = T0 - 1;
    assert_int_equal(segment_eval(&program, &facts).until_ms > T0, true);
    assert_ok(segment_parse(w.arena, STR("in segment \"stranger\""), &tree, NULL));
    assert_ok(segment_compile(w.arena, tree, &names, &program, NULL));
    assert_true(segment_eval(&program, &facts).holds);
    facts.now_ms = w.now_ms;
    assert_false(segment_eval(&program, &facts).holds);
    engine_world_close(&w);
}

TEST(own, a_changed_segment_sets_off_journeys_only_where_that_was_asked)
{
    for (int fire = 0; fire < 2; fire++) {
        struct world w = engine_world_open();
        define(&w, DEFINE_SEGMENT, "guest", "did \"Never\"");
        define(&w, DEFINE_JOURNEY, "greet",
               "{\"journey\":\"greet\",\"trigger\":{\"segment\":\"guest\"},\"nodes\":"
               "[{\"id\":\"rest\",\"wait\":\"2 days\"}]}");
        visit(&w, "ada", "");
        tell(&w, (struct record){ .kind = RECORD_DEFINE,
                                  .definition_kind = DEFINE_SEGMENT,
                                  .name = STR("guest"),
                                  .body = STR("did \"Visit\""),
                                  .flags = fire ? RECORD_FIRE : 0 });
        tell(&w, (struct record){ .kind = RECORD_CLOCK });
        const struct state *kept = people_state_get(engine_people(w.engine), 0);
        assert_int_equal(kept->memberships.count, 1);
        assert_int_equal(kept->rare->enrollments.count, fire);
        engine_world_close(&w);
    }
}

static void tell_context(struct world *w, const char *user, const char *country, const char *zone)
{
    struct json_member member = { STR("timezone"),
                                  { .kind = JSON_STRING, .string = str_of(zone) } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    tell(w, (struct record){ .kind = RECORD_TRACK,
                             .user_id = str_of(user),
                             .name = STR("Visit"),
                             .context = &object,
                             .country = str_of(country) });
}

static void identify(struct world *w, const char *user, const char *key, const char *value)
{
    struct json_member member = { str_of(key), { .kind = JSON_STRING, .string = str_of(value) } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    tell(w, (struct record){
                .kind = RECORD_IDENTIFY, .user_id = str_of(user), .properties = &object });
}

static uint64_t contexts(const struct world *w)
{
    uint64_t count = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        count += w->out.decisions[i].kind == DECISION_CONTEXT;
    return count;
}

static bool is_in(struct world *w, const char *who, const char *segment)
{
    const struct people *people = engine_people(w->engine);
    const struct state  *state = people_state_get(people, engine_find(w->engine, str_of(who)));
    uint32_t             number = program_segment(engine_program(w->engine), str_of(segment));
    return memberships_of(&state->memberships, number).in;
}

TEST(own, where_someone_lives_turns_a_segment_at_the_very_record_that_tells_it)
{
    struct world w = engine_world_open();
    define(&w, DEFINE_SEGMENT, "nordic", "country in (\"NO\", \"SE\")");
    define(&w, DEFINE_SEGMENT, "norwegian", "language = \"nb\" and hemisphere = \"north\"");
    tell_context(&w, "ada", "DE", "Europe/Berlin");
    assert_false(is_in(&w, "ada", "nordic"));
    tell_context(&w, "ada", "NO", "Europe/Oslo"); /* she moved */
    assert_true(is_in(&w, "ada", "nordic"));
    assert_true(is_in(&w, "ada", "norwegian"));
    identify(&w, "ada", "phone", "+46 8 123 456"); /* says more than where the network ends */
    assert_true(is_in(&w, "ada", "nordic"));
    assert_false(is_in(&w, "ada", "norwegian"));
    identify(&w, "ada", "country", "DK");
    assert_false(is_in(&w, "ada", "nordic"));
    assert_false(engine_world_holds(&w, "country = \"NO\"", "ada", T0 + 2 * TIME_HOUR_MS));
    assert_true(engine_world_holds(&w, "country = \"NO\"", "ada", T0 + 3 * TIME_HOUR_MS));
    engine_world_close(&w);
}

TEST(own, the_same_context_is_kept_once)
{
    struct world w = engine_world_open();
    tell_context(&w, "ada", "NO", "Europe/Oslo");
    tell_context(&w, "ada", "NO", "Europe/Oslo");
    visit(&w, "ada", ""); /* a server that tells nothing of the person's device */
    tell_context(&w, "ada", "NO", "Europe/Oslo");
    assert_int_equal(contexts(&w), 1);
    tell_context(&w, "ada", "SE", "Europe/Stockholm");
    assert_int_equal(contexts(&w), 2);
    engine_world_close(&w);
}

/* Both are of today for the workspace; for her the earlier one is of yesterday. */
TEST(own, a_date_that_changes_lies_in_the_days_of_where_they_live)
{
    struct world w = engine_world_open();
    define(&w, DEFINE_SEGMENT, "past", "renewal < today");
    w.now_ms = T0 + 12 * TIME_HOUR_MS;
    identify(&w, "ada", "timezone", "Far/East");
    identify(&w, "ada", "renewal", "2026-01-01T05:00:00Z");
    assert_true(is_in(&w, "ada", "past"));
    identify(&w, "ada", "renewal", "2026-01-01T11:00:00Z");
    assert_false(is_in(&w, "ada", "past"));
    engine_world_close(&w);
}
