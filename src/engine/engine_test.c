/* The engine by example: records go in by hand, decisions are read as words. */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/checkpoint.h"
#include "engine/describe.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01 */

struct world {
    struct engine *engine;
    struct arena  *arena;
    struct out     out;
    uint64_t       seq;
    int64_t        now_ms;
    struct problem problem;
    /* what a store would have kept */
    struct decision kept[60000];
    struct str      names[400];
    struct name_row name_rows[400];
    size_t          kept_count, names_count;
};

static struct world *world_open(void)
{
    struct world *w = calloc(1, sizeof *w);
    w->arena = arena_open(256 << 20);
    w->out.arena = w->arena;
    w->now_ms = T0;
    assert_ok(engine_open(
        &w->engine,
        (struct engine_conf){ .seed = 1, .next_decision = 1, .lateness_ms = LATENESS_MS_DEFAULT }));
    return w;
}

static void world_close(struct world *w)
{
    engine_close(w->engine);
    arena_close(w->arena);
    free(w);
}

static enum err tell(struct world *w, struct record record)
{
    record.seq = ++w->seq;
    if (record.received_ms == 0)
        record.received_ms = w->now_ms;
    if (record.at_ms == 0)
        record.at_ms = record.received_ms;
    w->now_ms = record.received_ms;
    size_t   before = w->out.decisions_count, names = w->out.names_count;
    enum err err = engine_apply(w->engine, &record, &w->out, &w->problem);
    for (size_t i = before; i < w->out.decisions_count; i++)
        w->kept[w->kept_count++] = w->out.decisions[i];
    for (size_t i = names; i < w->out.names_count; i++)
        w->name_rows[w->names_count++] = w->out.names[i];
    return err;
}

static struct json *json(struct world *w, const char *text)
{
    struct json *value = ARENA_NEW(w->arena, struct json);
    assert_ok(json_parse_once(w->arena, str_of(text), value, NULL));
    return value;
}

static void define(struct world *w, enum definition_kind kind, const char *name, const char *text)
{
    enum err err = tell(w, (struct record){ .kind = RECORD_DEFINE,
                                            .definition_kind = kind,
                                            .name = str_of(name),
                                            .body = str_of(text) });
    if (err != OK)
        print_error("%s: %s %s\n", w->problem.where, w->problem.what, w->problem.remedy);
    assert_int_equal(err, OK);
}

static void track(struct world *w, const char *user, const char *event, const char *properties)
{
    assert_ok(tell(w, (struct record){ .kind = RECORD_TRACK,
                                       .user_id = str_of(user),
                                       .name = str_of(event),
                                       .properties = json(w, properties) }));
}

static void identify(struct world *w, const char *user, const char *anonymous, const char *traits)
{
    assert_ok(tell(w, (struct record){ .kind = RECORD_IDENTIFY,
                                       .user_id = str_of(user),
                                       .anonymous_id = str_of(anonymous),
                                       .properties = json(w, traits) }));
}

static void wait(struct world *w, int64_t ms)
{
    assert_ok(tell(w, (struct record){ .kind = RECORD_CLOCK, .received_ms = w->now_ms + ms }));
}

static size_t count(const struct world *w, enum decision_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < w->kept_count; i++)
        n += w->kept[i].kind == kind;
    return n;
}

static const struct decision *last(const struct world *w, enum decision_kind kind)
{
    for (size_t i = w->kept_count; i > 0; i--)
        if (w->kept[i - 1].kind == kind)
            return &w->kept[i - 1];
    return NULL;
}

static const char welcome[] =
    "{\"journey\":\"welcome\",\"trigger\":{\"event\":\"Signed Up\"},\"nodes\":["
    "{\"id\":\"hello\",\"email\":\"welcome\"},"
    "{\"id\":\"pause\",\"wait\":\"3 days\"},"
    "{\"id\":\"acted\",\"split\":\"did \\\"Project Created\\\" since "
    "entry\",\"yes\":\"done\",\"no\":\"remind\"},"
    "{\"id\":\"remind\",\"email\":\"reminder\"},"
    "{\"id\":\"done\",\"exit\":true}]}";

static void shop(struct world *w)
{
    define(w, DEFINE_TEMPLATE, "welcome", "subject: Welcome\ntopic: news\n--- html\nhi");
    define(w, DEFINE_TEMPLATE, "reminder", "subject: Begin\ntopic: news\n--- html\nhi");
    define(w, DEFINE_JOURNEY, "welcome", welcome);
}

static uint64_t claim(struct world *w)
{
    size_t before = w->out.claims_count;
    assert_ok(tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    return w->out.claims_count > before ? w->out.claims[before].message : 0;
}

static enum err outcome(struct world *w, uint64_t message, enum outcome_kind kind,
                        int64_t retry_at_ms)
{
    return tell(w, (struct record){ .kind = RECORD_OUTCOME,
                                    .profile = 0,
                                    .outcome = { message, kind, retry_at_ms, STR("250 ok") } });
}

/* For money and times in the mail as they are where the person lives. */
TEST(engine, a_claim_says_where_a_person_seems_to_live_unless_they_told_it)
{
    struct world *w = world_open();
    shop(w);
    identify(w, "ada", "", "{\"email\":\"ada@example.com\",\"phone\":\"+47 912 34 567\"}");
    track(w, "ada", "Signed Up", "{}");
    assert_true(claim(w) != 0);
    assert_str(w->out.claims[0].computed, "{\"timezone\":\"Europe/Oslo\",\"language\":\"nb\"}");
    identify(w, "eve", "",
             "{\"email\":\"eve@example.com\",\"timezone\":\"UTC\",\"locale\":\"en-GB\"}");
    track(w, "eve", "Signed Up", "{}");
    assert_true(claim(w) != 0);
    assert_int_equal(w->out.claims[1].computed.len, 0);
    world_close(w);
}

TEST(engine, a_signup_is_mailed_at_once_and_reminded_after_three_days)
{
    struct world *w = world_open();
    shop(w);
    identify(w, "ada", "", "{\"email\":\"ada@example.com\"}");
    track(w, "ada", "Signed Up", "{}");
    assert_int_equal(count(w, DECISION_INTENT), 1);
    uint64_t first = claim(w);
    assert_true(first != 0);
    assert_str(w->out.claims[0].address, "ada@example.com");
    assert_int_equal(claim(w), 0);
    assert_ok(outcome(w, first, OUTCOME_SENT, 0));
    assert_int_equal(outcome(w, first, OUTCOME_SENT, 0), ERR_ABSENT);

    wait(w, 3 * TIME_DAY_MS - 1);
    assert_int_equal(count(w, DECISION_INTENT), 1);
    wait(w, 1);
    assert_int_equal(count(w, DECISION_INTENT), 2);
    assert_str(last(w, DECISION_ENDED)->text, "finished");
    world_close(w);
}

TEST(engine, who_has_acted_is_not_reminded)
{
    struct world *w = world_open();
    shop(w);
    identify(w, "ada", "", "{\"email\":\"ada@example.com\"}");
    track(w, "ada", "Signed Up", "{}");
    track(w, "ada", "Project Created", "{}");
    wait(w, 3 * TIME_DAY_MS);
    assert_int_equal(count(w, DECISION_INTENT), 1);
    assert_int_equal(count(w, DECISION_ENDED), 1);
    track(w, "ada", "Signed Up", "{}"); /* comes in once */
    assert_int_equal(count(w, DECISION_NOT_ENROLLED), 1);
    world_close(w);
}

TEST(engine, a_withdrawal_stops_the_journey_and_every_later_message)
{
    struct world *w = world_open();
    shop(w);
    identify(w, "ada", "", "{\"email\":\"ada@example.com\"}");
    track(w, "ada", "Signed Up", "{}");
    assert_ok(tell(w, (struct record){ .kind = RECORD_CONSENT,
                                       .profile = 0,
                                       .name = STR("news"),
                                       .properties = json(w, "{\"state\":\"unsubscribed\"}") }));
    assert_str(last(w, DECISION_ENDED)->text, "unsubscribed");
    assert_str(last(w, DECISION_DROPPED)->text, "unsubscribed");
    assert_int_equal(claim(w), 0);
    wait(w, 5 * TIME_DAY_MS);
    assert_int_equal(count(w, DECISION_INTENT), 1);
    world_close(w);
}

TEST(engine, a_deferred_message_waits_and_is_claimed_again)
{
    struct world *w = world_open();
    shop(w);
    identify(w, "ada", "", "{\"email\":\"ada@example.com\"}");
    track(w, "ada", "Signed Up", "{}");
    uint64_t message = claim(w);
    assert_ok(outcome(w, message, OUTCOME_DEFERRED, w->now_ms + TIME_MINUTE_MS));
    assert_int_equal(claim(w), 0);
    wait(w, TIME_MINUTE_MS);
    assert_int_equal(claim(w), message);
    assert_int_equal(w->out.claims[1].attempt, 2);
    assert_ok(outcome(w, message, OUTCOME_RETURNED, 0));
    assert_int_equal(claim(w), message);
    assert_int_equal(w->out.claims[2].attempt, 2);
    assert_true(w->out.claims[2].first_try_ms == T0);
    world_close(w);
}

TEST(engine, the_time_of_a_try_counts_from_the_first_that_was_begun_however_long_it_queued)
{
    struct world *w = world_open();
    shop(w);
    identify(w, "ada", "", "{\"email\":\"ada@example.com\"}");
    track(w, "ada", "Signed Up", "{}");
    wait(w, 2 * TIME_DAY_MS); /* nobody could send */
    uint64_t message = claim(w);
    assert_true(w->out.claims[0].first_try_ms == T0 + 2 * TIME_DAY_MS);
    assert_ok(outcome(w, message, OUTCOME_RETURNED, 0));
    wait(w, TIME_HOUR_MS);
    assert_int_equal(claim(w), message);
    assert_int_equal(w->out.claims[1].attempt, 1);
    int64_t first_ms = T0 + 2 * TIME_DAY_MS + TIME_HOUR_MS;
    assert_true(w->out.claims[1].first_try_ms == first_ms);
    assert_ok(outcome(w, message, OUTCOME_DEFERRED, w->now_ms + TIME_HOUR_MS));
    wait(w, TIME_HOUR_MS);
    assert_int_equal(claim(w), message);
    assert_int_equal(w->out.claims[2].attempt, 2);
    assert_true(w->out.claims[2].first_try_ms == first_ms);
    world_close(w);
}

TEST(engine, old_data_starts_nothing)
{
    struct world *w = world_open();
    shop(w);
    assert_ok(tell(w, (struct record){ .kind = RECORD_TRACK,
                                       .user_id = STR("old"),
                                       .name = STR("Signed Up"),
                                       .flags = RECORD_HISTORICAL }));
    assert_ok(tell(w, (struct record){ .kind = RECORD_TRACK,
                                       .user_id = STR("late"),
                                       .name = STR("Signed Up"),
                                       .at_ms = w->now_ms - TIME_DAY_MS - 1 }));
    assert_int_equal(count(w, DECISION_ENROLLED), 0);
    assert_ok(tell(w, (struct record){ .kind = RECORD_TRACK,
                                       .user_id = STR("fresh"),
                                       .name = STR("Signed Up"),
                                       .at_ms = w->now_ms - TIME_DAY_MS }));
    assert_int_equal(count(w, DECISION_ENROLLED), 1);
    world_close(w);
}

TEST(engine, a_segment_is_left_at_the_instant_when_time_says_so)
{
    struct world *w = world_open();
    define(w, DEFINE_SEGMENT, "active", "did \"Visit\" at least 2 times in the last 7 days");
    track(w, "ada", "Visit", "{}");
    wait(w, TIME_DAY_MS);
    assert_int_equal(count(w, DECISION_ENTERED), 0);
    track(w, "ada", "Visit", "{}");
    assert_int_equal(count(w, DECISION_ENTERED), 1);
    wait(w, 6 * TIME_DAY_MS - 1);
    assert_int_equal(count(w, DECISION_LEFT), 0);
    wait(w, 1);
    assert_int_equal(count(w, DECISION_LEFT), 1);
    assert_true(last(w, DECISION_LEFT)->at_ms == T0 + 7 * TIME_DAY_MS);
    world_close(w);
}

TEST(engine, a_timer_is_applied_at_its_own_time_before_a_later_record)
{
    struct world *w = world_open();
    shop(w);
    identify(w, "ada", "", "{\"email\":\"ada@example.com\"}");
    track(w, "ada", "Signed Up", "{}");
    w->now_ms += 4 * TIME_DAY_MS; /* nobody told the clock: the record itself brings the time */
    track(w, "ada", "Project Created", "{}");
    assert_int_equal(count(w, DECISION_INTENT), 2);
    assert_true(last(w, DECISION_INTENT)->at_ms == T0 + 3 * TIME_DAY_MS);
    world_close(w);
}

TEST(engine, anonymous_history_joins_the_known_person_and_can_be_parted_again)
{
    struct world *w = world_open();
    define(w, DEFINE_SEGMENT, "viewers", "did \"Viewed\"");
    assert_ok(tell(w, (struct record){ .kind = RECORD_TRACK,
                                       .anonymous_id = STR("dev1"),
                                       .name = STR("Viewed") }));
    identify(w, "ada", "dev1", "{\"email\":\"ada@example.com\"}");
    uint32_t ada = engine_find(w->engine, STR("ada"));
    assert_int_equal(people_root(engine_people(w->engine), 0), ada);
    struct event_ref refs[10];
    assert_int_equal(engine_events(w->engine, ada, 0, refs, 10), 2);
    assert_non_null(last(w, DECISION_MERGE));

    assert_ok(tell(w, (struct record){ .kind = RECORD_TRACK,
                                       .anonymous_id = STR("dev1"),
                                       .name = STR("Viewed") }));
    assert_int_equal(engine_events(w->engine, ada, 0, refs, 10), 3);
    assert_ok(tell(w, (struct record){ .kind = RECORD_UNMERGE,
                                       .profile = ada,
                                       .merge = last(w, DECISION_MERGE)->id }));
    assert_int_equal(engine_events(w->engine, ada, 0, refs, 10), 1);
    assert_int_equal(
        engine_events(w->engine, engine_find(w->engine, STR("anonymous:dev1")), 0, refs, 10), 2);
    assert_int_equal(count(w, DECISION_LEFT), 1); /* ada never viewed */
    world_close(w);
}

TEST(engine, two_known_people_never_become_one_because_they_shared_a_device)
{
    struct world *w = world_open();
    identify(w, "ada", "tablet", "{}");
    identify(w, "bob", "tablet", "{}");
    assert_true(engine_find(w->engine, STR("ada")) != engine_find(w->engine, STR("bob")));
    assert_int_equal(count(w, DECISION_MERGE), 0);
    assert_int_equal(count(w, DECISION_SHARED), 1);
    assert_ok(tell(w, (struct record){ .kind = RECORD_TRACK,
                                       .anonymous_id = STR("tablet"),
                                       .name = STR("Viewed") }));
    uint32_t tablet = engine_find(w->engine, STR("anonymous:tablet"));
    assert_true(tablet != engine_find(w->engine, STR("ada")) &&
                tablet != engine_find(w->engine, STR("bob")));
    identify(w, "ada", "tablet", "{}");
    assert_true(people_root(engine_people(w->engine), tablet) == tablet);
    world_close(w);
}

static void seen(struct world *w, const char *user, const char *anonymous, const char *ids)
{
    char context[200];
    snprintf(context, sizeof context, "{\"externalIds\":[%s]}", ids);
    assert_ok(tell(w, (struct record){ .kind = RECORD_TRACK,
                                       .user_id = str_of(user),
                                       .anonymous_id = str_of(anonymous),
                                       .name = STR("Viewed"),
                                       .context = json(w, context) }));
}

static uint32_t person(struct world *w, const char *who)
{
    uint32_t profile = engine_find(w->engine, str_of(who));
    assert_true(profile != PROFILE_NONE);
    return people_root(engine_people(w->engine), profile);
}

TEST(engine, an_external_id_ties_an_anonymous_person_to_a_known_one_whoever_brought_it_first)
{
    struct world    *w = world_open();
    struct event_ref refs[10];
    seen(w, "ada", "", "{\"type\":\"crm\",\"id\":\"7\"}");
    seen(w, "", "phone", "{\"type\":\"crm\",\"id\":\"7\"}");
    assert_int_equal(person(w, "anonymous:phone"), person(w, "ada"));
    assert_str(last(w, DECISION_MERGE)->text, "same external id");
    assert_int_equal(engine_events(w->engine, person(w, "ada"), 0, refs, 10), 2);

    seen(w, "", "tablet", "{\"type\":\"crm\",\"id\":\"8\"}");
    seen(w, "bob", "", "{\"type\":\"crm\",\"id\":\"8\"}");
    assert_int_equal(person(w, "anonymous:tablet"), person(w, "bob"));
    assert_int_equal(people_root(engine_people(w->engine), engine_find(w->engine, STR("bob"))),
                     engine_find(w->engine, STR("bob"))); /* the known one is kept */
    assert_true(person(w, "ada") != person(w, "bob"));
    seen(w, "", "other", "{\"type\":\"shop\",\"id\":\"7\"}"); /* another type is another id */
    assert_true(person(w, "anonymous:other") != person(w, "ada"));
    world_close(w);
}

TEST(engine, an_external_id_never_makes_two_known_people_one)
{
    struct world *w = world_open();
    seen(w, "ada", "", "{\"type\":\"crm\",\"id\":\"7\"}");
    seen(w, "bob", "", "{\"type\":\"crm\",\"id\":\"7\"}");
    assert_true(person(w, "ada") != person(w, "bob"));
    seen(w, "", "phone", "{\"type\":\"crm\",\"id\":\"7\"},{\"type\":\"crm\",\"id\":\"9\"}");
    seen(w, "bob", "", "{\"type\":\"crm\",\"id\":\"9\"}"); /* nor through a device of one of them */
    assert_int_equal(person(w, "anonymous:phone"), person(w, "ada"));
    assert_true(person(w, "ada") != person(w, "bob"));
    assert_int_equal(count(w, DECISION_MERGE), 1);
    world_close(w);
}

TEST(engine, an_e_mail_address_among_the_external_ids_ties_nobody)
{
    struct world *w = world_open();
    seen(w, "ada", "", "{\"type\":\"email\",\"id\":\"ada@example.com\"}");
    seen(w, "", "phone", "{\"type\":\"Email\",\"id\":\"ada@example.com\"}");
    assert_true(person(w, "anonymous:phone") != person(w, "ada"));
    seen(w, "", "blank", "{\"type\":\"crm\"},{\"id\":\"7\"},7"); /* what has no id or type, too */
    assert_int_equal(count(w, DECISION_MERGE), 0);
    world_close(w);
}

TEST(engine, an_alias_makes_two_known_people_one)
{
    struct world *w = world_open();
    track(w, "old", "Visit", "{}");
    track(w, "new", "Visit", "{}");
    assert_ok(tell(
        w,
        (struct record){ .kind = RECORD_ALIAS, .user_id = STR("new"), .previous_id = STR("old") }));
    assert_int_equal(people_root(engine_people(w->engine), engine_find(w->engine, STR("old"))),
                     engine_find(w->engine, STR("new")));
    world_close(w);
}

TEST(engine, a_deleted_segment_is_left_by_everyone_and_keeps_no_clock_busy)
{
    struct world *w = world_open();
    define(w, DEFINE_SEGMENT, "active", "did \"Visit\" in the last 7 days");
    track(w, "ada", "Visit", "{}");
    assert_int_equal(count(w, DECISION_ENTERED), 1);
    define(w, DEFINE_SEGMENT, "active", "");
    wait(w, 1);
    assert_int_equal(count(w, DECISION_LEFT), 1);
    wait(w, 8 * TIME_DAY_MS);
    wait(w, 1);
    assert_true(engine_next_ms(w->engine) > w->now_ms);
    world_close(w);
}

TEST(engine, a_person_keeps_few_timers_however_often_an_expiry_moves)
{
    struct world *w = world_open();
    define(w, DEFINE_SEGMENT, "active", "did \"Visit\" in the last 7 days");
    for (int i = 0; i < 300; i++) {
        track(w, "ada", "Visit", "{}");
        w->now_ms += TIME_MINUTE_MS;
    }
    assert_true(engine_stats(w->engine).timers <= 2);
    wait(w, 7 * TIME_DAY_MS);
    assert_true(last(w, DECISION_LEFT)->at_ms == T0 + 299 * TIME_MINUTE_MS + 7 * TIME_DAY_MS);
    world_close(w);
}

TEST(engine, the_last_word_about_a_trait_counts_also_when_it_was_said_before)
{
    struct world *w = world_open();
    define(w, DEFINE_SEGMENT, "pro", "plan = \"pro\"");
    identify(w, "ada", "", "{\"plan\":\"pro\"}");
    assert_ok(tell(w, (struct record){ .kind = RECORD_IDENTIFY,
                                       .anonymous_id = STR("d"),
                                       .properties = json(w, "{\"plan\":\"free\"}"),
                                       .received_ms = T0 + 1 }));
    assert_ok(tell(w, (struct record){
                          .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("d") }));
    assert_int_equal(count(w, DECISION_LEFT), 1);
    w->now_ms += 5;
    identify(w, "ada", "", "{\"plan\":\"pro\"}");
    assert_int_equal(count(w, DECISION_ENTERED), 2);
    world_close(w);
}

TEST(engine, a_refused_record_keeps_what_was_decided_before_the_refusal)
{
    struct world *w = world_open();
    assert_int_equal(tell(w, (struct record){ .kind = RECORD_TRACK, .name = STR("Visit") }),
                     ERR_INPUT);
    assert_int_equal(tell(w, (struct record){ .kind = RECORD_ALIAS, .user_id = STR("a") }),
                     ERR_INPUT);
    assert_int_equal(people_count(engine_people(w->engine)), 0);
    shop(w);
    identify(w, "ada", "", "{\"email\":\"ada@example.com\"}");
    track(w, "ada", "Signed Up", "{}");
    uint64_t message = claim(w);
    w->now_ms += 4 * TIME_DAY_MS; /* the wait ends before the outcome of nothing is refused */
    assert_int_equal(outcome(w, message + 99, OUTCOME_SENT, 0), ERR_ABSENT);
    assert_int_equal(count(w, DECISION_INTENT), 2);
    assert_int_equal(outcome(w, message, (enum outcome_kind)77, 0), ERR_INPUT);
    world_close(w);
}

TEST(engine, an_event_of_a_reserved_name_sets_no_traits)
{
    struct world *w = world_open();
    identify(w, "ada", "", "{\"email\":\"ada@example.com\"}");
    track(w, "ada", "$identify", "{\"plan\":\"pro\"}");
    struct buf traits = buf_make(1000);
    engine_traits_write(w->engine, 0, &traits);
    assert_str(buf_view(&traits), "{\"email\":\"ada@example.com\"}");
    buf_done(&traits);
    world_close(w);
}

TEST(engine, a_refusal_holds_for_both_after_a_merge_is_undone_and_what_waits_is_still_found)
{
    struct world *w = world_open();
    shop(w);
    identify(w, "ada", "", "{\"email\":\"ada@example.com\"}");
    identify(w, "bob", "", "{\"email\":\"bob@example.com\"}");
    track(w, "bob", "Signed Up", "{}");
    assert_ok(tell(w, (struct record){ .kind = RECORD_CONSENT,
                                       .profile = 1,
                                       .name = STR("other"),
                                       .properties = json(w, "{\"state\":\"unsubscribed\"}") }));
    assert_ok(tell(
        w,
        (struct record){ .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("bob") }));
    assert_ok(tell(w, (struct record){ .kind = RECORD_UNMERGE,
                                       .profile = 0,
                                       .merge = last(w, DECISION_MERGE)->id }));
    for (uint32_t p = 0; p < 2; p++) {
        const struct state *known = people_state_get(engine_people(w->engine), p);
        assert_int_equal(known->rarer->consents.count, 1);
        assert_int_equal(known->rarer->consents.items[0].state, CONSENT_REFUSED);
    }
    assert_true(claim(w) != 0); /* the letter stayed with the person that was kept */
    world_close(w);
}

TEST(engine, a_refusal_by_another_channel_holds_no_mail_back_and_one_by_email_does)
{
    struct world *w = world_open();
    shop(w);
    identify(w, "ada", "", "{\"email\":\"ada@example.com\"}");
    identify(w, "bob", "", "{\"email\":\"bob@example.com\"}");
    track(w, "ada", "Signed Up", "{}");
    track(w, "bob", "Signed Up", "{}");
    assert_ok(
        tell(w, (struct record){ .kind = RECORD_CONSENT,
                                 .profile = 0,
                                 .properties = json(w, "{\"state\":\"unsubscribed\",\"channel\":"
                                                       "\"email\"}") }));
    assert_int_equal(people_state_get(engine_people(w->engine), 0)->rare->enrollments.count, 0);
    assert_ok(
        tell(w, (struct record){ .kind = RECORD_CONSENT,
                                 .profile = 1,
                                 .properties = json(w, "{\"state\":\"unsubscribed\",\"channel\":"
                                                       "\"sms\"}") }));
    assert_int_equal(people_state_get(engine_people(w->engine), 1)->rare->enrollments.count, 1);
    assert_true(claim(w) != 0); /* bob's */
    assert_true(claim(w) == 0);
    world_close(w);
}

TEST(engine, a_changed_definition_fires_nothing_also_for_who_acts_before_it_reaches_them)
{
    struct world *w = world_open();
    define(w, DEFINE_SEGMENT, "s", "did \"Never\"");
    define(w, DEFINE_JOURNEY, "j",
           "{\"journey\":\"j\",\"trigger\":{\"segment\":\"s\"},\"nodes\":"
           "[{\"id\":\"w\",\"wait\":\"1 day\"}]}");
    wait(w, 1);
    track(w, "ada", "Visit", "{}");
    define(w, DEFINE_SEGMENT, "s", "did \"Visit\"");
    track(w, "ada", "Visit", "{}"); /* before any clock record let the job run */
    assert_int_equal(count(w, DECISION_ENTERED), 1);
    assert_int_equal(count(w, DECISION_ENROLLED), 0);
    track(w, "bob", "Visit", "{}");
    assert_int_equal(count(w, DECISION_ENROLLED), 1);
    world_close(w);
}

static void life(struct world *w)
{
    shop(w);
    define(w, DEFINE_SEGMENT, "active", "did \"Visit\" at least 2 times in the last 7 days");
    define(w, DEFINE_SEGMENT, "quiet", "not in segment \"active\" and email exists");
    for (int i = 0; i < 200; i++) {
        char user[16], device[16], traits[64];
        snprintf(user, sizeof user, "u%d", i % 40);
        snprintf(device, sizeof device, "d%d", i % 55);
        snprintf(traits, sizeof traits, "{\"email\":\"u%d@example.com\",\"n\":%d}", i % 40, i / 80);
        if (i % 3 == 0)
            assert_ok(tell(w, (struct record){ .kind = RECORD_TRACK,
                                               .anonymous_id = str_of(device),
                                               .name = STR("Visit") }));
        if (i % 4 == 1)
            identify(w, user, device, traits);
        track(w, user, i % 7 == 0 ? "Signed Up" : "Visit", "{}");
        if (i % 5 == 0)
            claim(w);
        if (i % 31 == 0)
            assert_ok(
                tell(w, (struct record){ .kind = RECORD_CONSENT,
                                         .profile = (uint32_t)i % 20,
                                         .properties = json(w, "{\"state\":\"unsubscribed\"}") }));
        wait(w, 3 * TIME_HOUR_MS);
    }
}

static struct engine *load_again(struct world *w, struct checkpoint_row *rows, uint32_t rows_count,
                                 uint64_t after)
{
    struct engine      *engine;
    struct json_parser *parser = json_parser_open();
    assert_ok(engine_open(&engine, (struct engine_conf){ .seed = 9,
                                                         .next_decision = w->kept_count + 1,
                                                         .lateness_ms = LATENESS_MS_DEFAULT }));
    for (size_t i = 0; i < w->names_count; i++)
        assert_ok(engine_load_name(engine, (enum name_kind)w->name_rows[i].kind, w->name_rows[i].id,
                                   w->name_rows[i].text));
    assert_ok(engine_load_definition(engine, DEFINE_TEMPLATE, STR("welcome"),
                                     STR("subject: Welcome\ntopic: news\n"), 1));
    assert_ok(engine_load_definition(engine, DEFINE_TEMPLATE, STR("reminder"),
                                     STR("subject: Begin\ntopic: news\n"), 2));
    assert_ok(engine_load_definition(engine, DEFINE_JOURNEY, STR("welcome"), str_of(welcome), 3));
    for (uint32_t p = 0; p < rows_count; p++)
        for (uint32_t i = 0; i < rows_count; i++)
            if (rows[i].profile == p)
                assert_ok(checkpoint_load(engine, p, rows[i].state));
    for (size_t i = 0; i < w->kept_count; i++) {
        struct decision d = { .id = w->kept[i].id,
                              .seq = w->kept[i].seq,
                              .prev = w->kept[i].prev,
                              .profile = w->kept[i].profile,
                              .kind = w->kept[i].kind,
                              .at_ms = w->kept[i].at_ms,
                              .subject = w->kept[i].subject,
                              .object = w->kept[i].object,
                              .detail = w->kept[i].detail };
        if (d.id > after)
            assert_ok(engine_load_decision(engine, parser, w->arena, &d));
    }
    json_parser_close(parser);
    return engine;
}

TEST(engine, what_is_loaded_from_decisions_is_what_was)
{
    struct world *w = world_open();
    life(w);
    assert_true(count(w, DECISION_MERGE) > 5 && count(w, DECISION_ENTERED) > 5 &&
                count(w, DECISION_CLAIMED) > 5 && count(w, DECISION_ENDED) > 5);
    struct engine *again = load_again(w, NULL, 0, 0);
    struct buf     was = buf_make(1 << 20), is = buf_make(1 << 20);
    describe(w->engine, &was);
    describe(again, &is);
    assert_true(was.len > 1000);
    assert_str(buf_view(&is), str_copy(w->arena, buf_view(&was)).ptr);
    buf_done(&was);
    buf_done(&is);
    engine_close(again);
    world_close(w);
}

enum { CROWD = 20000, CHANGES_A_TURN = 100 };

/* What the rows of everyone are now. */
static struct checkpoint_row *rows_now(struct world *w)
{
    struct checkpoint_row *rows;
    uint32_t               round, count;
    bool                   done;
    assert_ok(checkpoint_begin(w->engine, &round));
    assert_ok(checkpoint_take(w->engine, w->arena, CROWD, &rows, &count, &done));
    assert_true(done && count == CROWD);
    checkpoint_end(w->engine);
    return rows;
}

static void crowd_visits(struct world *w, uint32_t person)
{
    char user[16];
    snprintf(user, sizeof user, "u%u", person);
    track(w, user, "Visit", "{}");
}

TEST(engine, rows_of_a_checkpoint_are_those_of_its_beginning_and_few_wait_when_everyone_changes)
{
    struct world *w = world_open();
    for (uint32_t i = 0; i < CROWD; i++)
        crowd_visits(w, i);
    const struct checkpoint_row *was = rows_now(w);
    uint32_t                     round, count, given = 0, changed = 0;
    bool                         done = false;
    assert_ok(checkpoint_begin(w->engine, &round));
    while (!done) {
        struct checkpoint_row *rows;
        for (int i = 0; i < CHANGES_A_TURN && changed < CROWD; i++)
            crowd_visits(w, CROWD - 1 - changed++);
        assert_ok(checkpoint_take(w->engine, w->arena, 1, &rows, &count, &done));
        for (uint32_t i = 0; i < count; i++, given++) {
            assert_int_equal(rows[i].profile, given);
            assert_true(str_eq(rows[i].state, was[given].state));
        }
        uint32_t left = CROWD - given;
        assert_in_range(changed < left ? changed : left, 0, CROWD / 3 + CHANGES_A_TURN);
    }
    assert_int_equal(given, CROWD);
    checkpoint_end(w->engine);
    world_close(w);
}

TEST(engine, a_checkpoint_taken_while_life_goes_on_is_true_at_its_beginning)
{
    struct world *w = world_open();
    life(w);
    uint32_t              round;
    bool                  done = false;
    uint64_t              after = w->kept_count;
    struct checkpoint_row all[2000];
    uint32_t              all_count = 0;
    assert_ok(checkpoint_begin(w->engine, &round));
    for (int i = 0; !done; i++) {
        struct checkpoint_row *rows;
        uint32_t               rows_count;
        char                   user[16];
        snprintf(user, sizeof user, "u%d", 39 - i % 40); /* from the other end */
        track(w, user, "Visit", "{}");
        track(w, user, "Signed Up", "{}");
        identify(w, user, i % 2 ? "d1" : "d54", "{\"n\":77}");
        assert_ok(checkpoint_take(w->engine, w->arena, 3, &rows, &rows_count, &done));
        memcpy(all + all_count, rows, rows_count * sizeof *rows);
        all_count += rows_count;
    }
    checkpoint_end(w->engine);
    wait(w, 10 * TIME_DAY_MS);
    assert_true(w->kept_count > after + 20);
    for (uint32_t i = 0; i < all_count; i++)
        assert_int_equal(all[i].profile, i); /* whoever changed before their turn, too */
    struct engine *again = load_again(w, all, all_count, after);
    struct buf     was = buf_make(1 << 20), is = buf_make(1 << 20);
    describe(w->engine, &was);
    describe(again, &is);
    assert_str(buf_view(&is), str_copy(w->arena, buf_view(&was)).ptr);
    buf_done(&was);
    buf_done(&is);
    engine_close(again);
    world_close(w);
}
