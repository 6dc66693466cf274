/* Definitions, counting, explaining, messages and imports, over real sockets. */
#include "run/api/api_rig.h"
#include "run/api/publishing.h"

static const char template_text[] = "subject: Hello {{ person.first_name | default: \"you\" }}\n"
                                    "topic: news\n--- html\n<p>Hello</p>\n";
static const char journey_text[] =
    "{\"journey\":\"welcome\",\"trigger\":{\"event\":\"Signed Up\"},\"nodes\":["
    "{\"id\":\"hello\",\"email\":\"hello\"},{\"id\":\"done\",\"exit\":true}]}";

static void welcome_define(struct rig *rig)
{
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/templates/hello", template_text), 200);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/journeys/welcome", journey_text), 200);
}

static void sign_up(struct rig *rig, const char *who)
{
    char body[300];
    snprintf(body, sizeof body,
             "{\"batch\":[{\"type\":\"identify\",\"userId\":\"%s\",\"traits\":"
             "{\"email\":\"%s@x.example\"}},{\"type\":\"track\",\"userId\":\"%s\",\"event\":"
             "\"Signed Up\"}]}",
             who, who, who);
    assert_int_equal(rig_post(rig, "/v1/batch", body), 200);
}

static int count_of(struct rig *rig, const char *condition, const char *at)
{
    char body[500];
    snprintf(body, sizeof body, "{\"condition\":\"%s\"%s%s%s}", condition,
             at[0] ? ",\"at\":\"" : "", at, at[0] ? "\"" : "");
    assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/count", body), 200);
    return (int)rig_int(rig, "count");
}

TEST(api_define, a_definition_is_checked_kept_listed_and_deleted)
{
    struct rig *rig = rig_open();
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/journeys/welcome", journey_text), 404);
    welcome_define(rig);
    assert_true(rig_int(rig, "version") > 0);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/journeys/welcome", journey_text), 200);
    assert_false(json_get_bool(&rig->json, STR("changed"), true));
    assert_int_equal(rig_call(rig, "GET", "/api/v1/journeys", ""), 200);
    assert_int_equal(rig_items(rig, "name", "welcome"), 1);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/templates/hello?raw=1", ""), 200);
    assert_str(rig->body, template_text);
    assert_int_equal(rig_call(rig, "DELETE", "/api/v1/templates/hello", ""), 409);
    assert_int_equal(rig_call(rig, "DELETE", "/api/v1/journeys/welcome", ""), 200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/journeys/welcome", ""), 404);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/journeys", ""), 200);
    assert_int_equal(rig_items(rig, "name", "welcome"), 0);
    rig_close(rig);
}

TEST(api_define, a_template_that_is_saved_is_told_what_would_hurt_its_mails)
{
    static const char mail[] = "subject: s\npreheader: p\n--- html\n<p>\n<a href=\"/cart\">x</a>"
                               "<a href='{{ links.unsubscribe }}'>y</a></p>\n--- text\nHello\n";
    struct rig       *rig = rig_open();
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/templates/mail?dry=1", mail), 200);
    assert_int_equal(rig_int(rig, "errors"), 1);
    assert_str(rig_str(rig, "findings.0.severity"), "error");
    assert_str(rig_str(rig, "findings.0.what"), "This link has no scheme: /cart");
    assert_int_equal(rig_int(rig, "findings.0.line"), 5);
    assert_int_equal(json_get(&rig->json, STR("findings"))->count, 1);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/workspace", "{\"address\":\"1 Road\"}"), 200);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/templates/mail", mail), 200);
    assert_str(rig_str(rig, "findings.0.what"), "There is no postal address in it.");
    assert_true(rig_int(rig, "version") > 0);
    rig_close(rig);
}

TEST(api_define, a_snippet_that_a_template_needs_stays)
{
    static const char user[] = "subject: s\n--- html\n<p>{% render 'foot' %}</p>\n";
    struct rig       *rig = rig_open();
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/templates/mail", user), 400);
    assert_str(rig_str(rig, "error.where"), "templates/mail.email:3:4");
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/snippets/foot", "{% if %}"), 400);
    assert_str(rig_str(rig, "error.where"), "snippets/foot.liquid:1:1");
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/snippets/foot", "{% render 'inner' %}"), 200);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/templates/mail", user), 400);
    assert_str(rig_str(rig, "error.where"), "snippets/foot.liquid:1:1");
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/snippets/inner", "bye"), 200);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/templates/mail", user), 200);
    assert_int_equal(rig_call(rig, "DELETE", "/api/v1/snippets/inner", ""), 409);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/templates/mail", template_text), 200);
    assert_int_equal(rig_call(rig, "DELETE", "/api/v1/snippets/inner", ""), 200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/snippets", ""), 200);
    assert_int_equal(rig_items(rig, "name", "foot"), 1);
    rig_close(rig);
}

TEST(api_define, what_is_broken_is_refused_with_its_place_and_nothing_changes)
{
    struct rig *rig = rig_open();
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/segments/vip", "did \"E\" at leest 3 times"),
                     400);
    assert_true(rig_str(rig, "error.where").len > 0 && rig_str(rig, "error.remedy").len > 0);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/templates/t", "subject: {{ x\n--- html\n<p>"),
                     400);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/workspace", "[]"), 400);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/workspace", ""), 200);
    assert_int_equal(rig_int(rig, "version"), 0); /* there is one, and nothing is said of it */
    assert_int_equal(rig_call(rig, "GET", "/api/v1/segments", ""), 200);
    assert_int_equal(json_get(&rig->json, STR("items"))->count, 0);
    rig_close(rig);
}

TEST(api_define, a_segment_tells_who_would_come_and_go_before_it_is_applied)
{
    struct rig *rig = rig_open();
    sign_up(rig, "ada");
    sign_up(rig, "bob");
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/segments/in?dry=1", "did \"Signed Up\""), 200);
    assert_int_equal(rig_int(rig, "entering"), 2);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/segments/in", ""), 404);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/segments/in", "# all\ndid \"Signed Up\""), 200);
    for (int i = 0; i < 2000; i++) { /* everybody is looked at by and by */
        assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/bob", ""), 200);
        if (json_path(&rig->json, STR("segments.0")) != NULL)
            break;
        usleep(10000);
    }
    assert_str(rig_str(rig, "segments.0.segment"), "in");
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/segments/in?dry=1", "email = \"ada@x.example\""),
                     200);
    assert_int_equal(rig_int(rig, "leaving"), 1);
    assert_int_equal(rig_int(rig, "count"), 1);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/segments/in/members?limit=1", ""), 200);
    assert_int_equal(rig_items(rig, "userId", "ada"), 1);
    char path[100];
    snprintf(path, sizeof path, "/api/v1/segments/in/members?limit=1&cursor=%.*s",
             STR_ARG(rig_str(rig, "next")));
    assert_int_equal(rig_call(rig, "GET", path, ""), 200);
    assert_int_equal(rig_items(rig, "userId", "bob"), 1);
    rig_close(rig);
}

TEST(api_define, a_computed_trait_is_defined_asked_shown_and_kept_while_it_is_used)
{
    struct rig *rig = rig_open();
    sign_up(rig, "ada");
    assert_int_equal(
        rig_post(rig, "/v1/identify",
                 "{\"userId\":\"ada\",\"traits\":{\"spent\":1,\"phone\":\"+47 912 34 567\"}}"),
        200);
    assert_int_equal(rig_post(rig, "/v1/track",
                              "{\"userId\":\"ada\",\"event\":\"Order Completed\",\"properties\":{"
                              "\"revenue\":120}}"),
                     200);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/traits/spent", "spent > 100"), 400);
    assert_int_equal(
        rig_call(rig, "PUT", "/api/v1/traits/spent", "sum of revenue of \"Order Completed\""), 200);
    assert_true(rig_str(rig, "note").len > 0);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/segments/rich", "spent > 100"), 200);
    assert_int_equal(rig_int(rig, "count"), 1);
    assert_int_equal(count_of(rig, "spent between 119 and 121", ""), 1);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada", ""), 200);
    assert_int_equal(rig_int(rig, "computed.spent"), 120);
    assert_int_equal(rig_int(rig, "traits.spent"), 1);
    assert_str(rig_str(rig, "derived.country.value"), "NO");
    assert_str(rig_str(rig, "derived.country.from"), "phone");
    assert_int_equal(rig_call(rig, "GET", "/api/v1/traits", ""), 200);
    assert_int_equal(rig_int(rig, "items.0.segments"), 1);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada/explain?segment=rich", ""), 200);
    assert_true(str_find(rig->body, 0, STR("\"value\":120")) < rig->body.len);
    assert_int_equal(rig_call(rig, "DELETE", "/api/v1/traits/spent", ""), 409);
    assert_true(str_find(rig->body, 0, STR("rich")) < rig->body.len);
    assert_int_equal(rig_call(rig, "DELETE", "/api/v1/segments/rich", ""), 200);
    assert_int_equal(rig_call(rig, "DELETE", "/api/v1/traits/spent", ""), 200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/traits/spent", ""), 404);
    rig_close(rig);
}

TEST(api_define, the_stages_are_one_document_and_are_shown_with_their_people)
{
    static const char stages[] = "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},"
                                 "{\"name\":\"member\",\"when\":\"did \\\"Signed Up\\\"\"}]}";
    struct rig       *rig = rig_open();
    sign_up(rig, "ada");
    assert_int_equal(rig_post(rig, "/v1/identify", "{\"userId\":\"bob\",\"traits\":{\"a\":1}}"),
                     200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/stages", ""), 200);
    assert_str(rig_str(rig, "stages.0.name"), "");
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/stages", "{\"stages\":7}"), 400);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/stages", stages), 200);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/segments/members", "in stage \"member\""), 200);
    assert_int_equal(rig_int(rig, "count"), 1);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/stages", ""), 200);
    assert_str(rig_str(rig, "stages.0.name"), "visitor");
    assert_int_equal(rig_int(rig, "stages.0.count"), 1);
    assert_int_equal(rig_int(rig, "stages.1.count"), 1);
    assert_int_equal(rig_call(rig, "DELETE", "/api/v1/stages", ""), 409);
    assert_true(str_find(rig->body, 0, STR("members")) < rig->body.len);
    assert_int_equal(rig_call(rig, "DELETE", "/api/v1/segments/members", ""), 200);
    assert_int_equal(rig_call(rig, "DELETE", "/api/v1/stages", ""), 200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/stages", ""), 200);
    assert_str(rig_str(rig, "stages.0.name"), "");
    rig_close(rig);
}

TEST(api_define, an_import_is_counted_at_its_own_time_and_mails_nobody)
{
    struct rig *rig = rig_open();
    welcome_define(rig);
    assert_int_equal(
        rig_call(
            rig, "POST", "/api/v1/import",
            "{\"records\":["
            "{\"type\":\"identify\",\"userId\":\"old\",\"messageId\":\"1\",\"traits\":{\"email\":"
            "\"o@x.example\"}},"
            "{\"type\":\"track\",\"userId\":\"old\",\"messageId\":\"2\",\"event\":\"Signed "
            "Up\",\"timestamp\":\"1997-01-01\"},"
            "{\"type\":\"track\",\"userId\":\"now\",\"messageId\":\"3\",\"event\":\"Signed Up\"},"
            "{\"type\":\"track\",\"messageId\":\"4\",\"event\":\"Of Nobody\"}]}"),
        200);
    assert_int_equal(rig_int(rig, "accepted"), 3);
    assert_int_equal(rig_int(rig, "rejectedCount"), 1);
    assert_int_equal(count_of(rig, "did \\\"Signed Up\\\"", "1997-06-30T00:00:00Z"), 1);
    assert_int_equal(rig_int(rig, "people"), 1);
    assert_int_equal(count_of(rig, "did \\\"Signed Up\\\"", "1996-06-30"), 0);
    assert_int_equal(count_of(rig, "did \\\"Signed Up\\\"", ""), 2);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/messages/summary", ""), 200);
    assert_int_equal(rig_int(rig, "due"), 0);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/import?live=1",
                              "{\"records\":[{\"type\":\"track\","
                              "\"userId\":\"old\",\"messageId\":\"5\",\"event\":\"Signed Up\"}]}"),
                     200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/messages/summary", ""), 200);
    assert_int_equal(rig_int(rig, "due"), 1);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/import", "{\"records\":7}"), 400);
    rig_close(rig);
}

TEST(api_define, a_count_takes_both_forms_of_a_condition_and_names_what_it_cannot_read)
{
    struct rig *rig = rig_open();
    sign_up(rig, "ada");
    assert_int_equal(
        rig_call(rig, "GET", "/api/v1/segments/count?condition=did+%22Signed+Up%22", ""), 200);
    assert_int_equal(rig_int(rig, "count"), 1);
    assert_str(rig_str(rig, "sample.0.userId"), "ada");
    assert_int_equal(rig_call(rig, "GET", "/api/v1/segments/count?condition=did+did", ""), 400);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/segments/count?segment=none", ""), 404);
    assert_int_equal(
        rig_call(rig, "GET", "/api/v1/segments/count?condition=did+%22E%22&at=never", ""), 400);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/segments/count", ""), 400);
    rig_close(rig);
}

static void outcome(struct rig *rig, uint64_t message, uint32_t profile, enum outcome_kind kind)
{
    struct entry entry = { .record = { .kind = RECORD_OUTCOME,
                                       .profile = profile,
                                       .at_ms = time_now_ms(),
                                       .received_ms = time_now_ms(),
                                       .outcome = { .message = message,
                                                    .kind = kind,
                                                    .text = STR("550 nobody here") } },
                           .body = STR("{}") };
    struct task  task = { .entries = &entry, .entries_count = 1 };
    assert_ok(core_run(rig->core, &task));
    assert_int_equal(task.taken, 1);
}

TEST(api_define, a_message_is_listed_in_its_state_and_counted_once)
{
    struct rig *rig = rig_open();
    welcome_define(rig);
    sign_up(rig, "ada");
    sign_up(rig, "bob");
    assert_int_equal(rig_call(rig, "GET", "/api/v1/messages?profile=ada", ""), 200);
    assert_str(rig_str(rig, "items.0.state"), "queued");
    assert_str(rig_str(rig, "items.0.template"), "hello");
    uint64_t message = (uint64_t)rig_int(rig, "items.0.id");
    core_room(rig->core, 2);
    for (int i = 0; i < 4000 && rig_int(rig, "sending") != 2; i++) {
        usleep(5000);
        assert_int_equal(rig_call(rig, "GET", "/api/v1/messages/summary", ""), 200);
    }
    outcome(rig, message, 0, OUTCOME_FAILED);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/messages/summary", ""), 200);
    assert_int_equal(rig_int(rig, "due"), 2);
    assert_int_equal(rig_int(rig, "failed"), 1);
    assert_int_equal(rig_int(rig, "sending"), 1);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/messages?state=failed", ""), 200);
    assert_int_equal(json_get(&rig->json, STR("items"))->count, 1);
    assert_str(rig_str(rig, "items.0.reason"), "550 nobody here");
    assert_str(rig_str(rig, "items.0.to"), "ada@x.example");
    assert_int_equal(rig_call(rig, "GET", "/api/v1/messages?limit=1", ""), 200);
    assert_str(rig_str(rig, "items.0.state"), "sending"); /* bob's is the newer */
    char path[100];
    snprintf(path, sizeof path, "/api/v1/messages?limit=1&cursor=%.*s",
             STR_ARG(rig_str(rig, "next")));
    assert_int_equal(rig_call(rig, "GET", path, ""), 200);
    assert_str(rig_str(rig, "items.0.state"), "failed");
    assert_int_equal(rig_call(rig, "GET", "/api/v1/messages?state=lost", ""), 400);
    rig_close(rig);
}

TEST(api_define, everything_can_be_explained)
{
    struct rig *rig = rig_open();
    char        path[100];
    welcome_define(rig);
    sign_up(rig, "ada");
    assert_int_equal(
        rig_call(rig, "GET", "/api/v1/profiles/ada/explain?condition=did+%22Signed+Up%22", ""),
        200);
    assert_true(json_get_bool(json_get(&rig->json, STR("why")), STR("holds"), false));
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada/explain?journey=welcome", ""), 200);
    assert_str(rig_str(rig, "trigger.event"), "Signed Up");
    assert_str(rig_str(rig, "decisions.0.type"), "enrolled");
    assert_true(json_get(&rig->json, STR("decisions"))->count >= 3);
    assert_int_equal(rig_post(rig, "/v1/track", "{\"userId\":\"ada\",\"event\":\"Signed Up\"}"),
                     200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada/explain?journey=welcome", ""), 200);
    assert_true(str_find(rig->body, 0, STR("not enrolled")) < rig->body.len);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/messages", ""), 200);
    snprintf(path, sizeof path, "/api/v1/profiles/ada/explain?message=%d",
             (int)rig_int(rig, "items.0.id"));
    assert_int_equal(rig_call(rig, "GET", path, ""), 200);
    assert_str(rig_str(rig, "decisions.0.type"), "queued");
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada/explain?journey=none", ""), 404);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada/explain?message=1", ""), 404);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada/explain", ""), 400);
    rig_close(rig);
}

TEST(api_define, the_events_of_each_step_of_a_funnel_are_told_with_their_properties)
{
    struct rig *rig = rig_open();
    assert_int_equal(rig_post(rig, "/v1/track",
                              "{\"userId\":\"ada\",\"event\":\"See\",\"properties\":{\"n\":7}}"),
                     200);
    assert_int_equal(rig_call(rig, "GET",
                              "/api/v1/profiles/ada/explain?condition="
                              "reached+step+2+of+(%22See%22,%22Buy%22)+within+1+hour",
                              ""),
                     200);
    assert_int_equal(rig_int(rig, "why.reached"), 1);
    assert_int_equal(rig_int(rig, "why.steps.0.events.0.properties.n"), 7);
    assert_int_equal(rig_int(rig, "why.steps.1.count"), 0);
    rig_close(rig);
}

enum { SAVINGS = 8, DRAFT_BYTES = 400 << 10 };

/* An editor that saves by itself makes a row each time. */
TEST(api_define, a_draft_saved_many_times_is_read_in_the_room_of_one)
{
    struct rig          *rig = rig_open();
    char                *body = arena_alloc(rig->arena, DRAFT_BYTES);
    struct str           text;
    struct store_reader *reader = NULL;
    for (int i = 0; i < SAVINGS; i++) {
        memset(body, ' ', DRAFT_BYTES);
        snprintf(body + DRAFT_BYTES - 40, 40, "{\"journey\":\"stay\",\"number\":%d}", i);
        assert_int_equal(rig_call(rig, "PUT", "/api/v1/journeys/stay/draft", body), 200);
    }
    struct call call = { .arena = arena_open(DRAFT_BYTES * 2) };
    assert_ok(store_reader_open(core_store(rig->core), "test", &reader));
    assert_ok(journey_draft_text(&call, reader, STR("stay"), &text));
    assert_true(str_find(text, 0, STR("\"number\":7}")) < text.len);
    store_reader_close(reader);
    arena_close(call.arena);
    rig_close(rig);
}
