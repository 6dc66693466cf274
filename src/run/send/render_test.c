/* Render over a store that was filled by hand: one claim, many templates. */
#include "run/send/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "base/zone.h"
#include "run/send/render_data.h"

#define NOW_MS INT64_C(1767225600000)
#define UNSUBSCRIBE "http://127.0.0.1:8080/u/"

enum { MESSAGE = 1, PROFILE = 6 };

struct desk {
    char            dir[64];
    struct store   *store;
    struct secrets *secrets;
    struct render  *render;
    struct arena   *arena;
    struct rendered out;
    uint64_t        definitions;
};

static void commit(struct desk *desk, const struct store_batch *batch)
{
    assert_ok(store_commit(desk->store, batch));
}

static void define_at(struct desk *desk, uint32_t kind, const char *name, uint32_t version,
                      int64_t at_ms, const char *text)
{
    struct store_definition row = { .id = ++desk->definitions,
                                    .seq = version,
                                    .at_ms = at_ms,
                                    .kind = kind,
                                    .version = version,
                                    .name = str_of(name),
                                    .text = str_of(text) };
    commit(desk, &(struct store_batch){ .definitions = &row, .definitions_count = 1 });
}

static void define(struct desk *desk, uint32_t kind, const char *name, uint32_t version,
                   const char *text)
{
    define_at(desk, kind, name, version, NOW_MS, text);
}

static void rows_add(struct desk *desk)
{
    static const struct store_name names[] = {
        { 0, STORE_NAME_EVENT, 1, { "Signed Up", 9 } },
        { 0, STORE_NAME_TEMPLATE, 0, { "welcome", 7 } },
        { 0, STORE_NAME_TEMPLATE, 1, { "welcome.nb", 10 } },
        { 0, STORE_NAME_JOURNEY, 0, { "onboarding", 10 } },
    };
    const struct store_event events[] = {
        { .seq = 1,
          .kind = STORE_EVENT_IDENTIFY,
          .profile = 7,
          .user_id = STR("ada"),
          .body = STR("{\"traits\":{\"first_name\":\"Eva\",\"home\":{\"city\":\"Oslo\",\"zip\":"
                      "\"0150\"}}}") },
        { .seq = 2,
          .kind = STORE_EVENT_IDENTIFY,
          .profile = 7,
          .user_id = STR("ada"),
          .body = STR("{\"traits\":{\"first_name\":\"Ada\",\"home\":{\"city\":\"Bergen\"}}}") },
        { .seq = 3,
          .kind = STORE_EVENT_TRACK,
          .profile = 7,
          .user_id = STR("ada"),
          .name = 1,
          .body = STR("{\"properties\":{\"plan\":\"gold\",\"name\":\"trial\"}}") },
    };
    const struct store_decision decision = { .id = MESSAGE,
                                             .seq = 3,
                                             .profile = 7,
                                             .at_ms = NOW_MS - 5,
                                             .kind = STORE_DECISION_MESSAGE_QUEUED };
    commit(desk, &(struct store_batch){ .events = events,
                                        .events_count = 3,
                                        .names = names,
                                        .names_count = 4,
                                        .decisions = &decision,
                                        .decisions_count = 1 });
}

static void desk_open(struct desk *desk)
{
    struct problem problem = { 0 };
    *desk = (struct desk){ .dir = "/tmp/dult-render-XXXXXX",
                           .arena = arena_open(RENDER_ARENA_BYTES_MAX) };
    assert_non_null(mkdtemp(desk->dir));
    struct store_conf store = { .dir = str_of(desk->dir) };
    assert_ok(store_open(&desk->store, &store, &problem));
    assert_ok(secrets_open(&desk->secrets, desk->dir, &problem));
    struct render_conf conf = { .store = desk->store,
                                .secrets = desk->secrets,
                                .public_url = STR("http://127.0.0.1:8080") };
    assert_ok(render_open(&desk->render, &conf));
    desk->out.mail.message = buf_make(COMPOSE_BYTES_MAX);
    rows_add(desk);
    define(desk, STORE_DEFINITION_WORKSPACE, "workspace", 4,
           "{\"name\":\"Tents & Co\",\"address\":\"1 "
           "Road\\nBergen\",\"sender\":{\"email\":\"a@tents.example\"}}");
}

/* The same desk with time zones. */
static void desk_zones(struct desk *desk, const struct zones *zones)
{
    struct render_conf conf = { .store = desk->store,
                                .secrets = desk->secrets,
                                .public_url = STR("http://127.0.0.1:8080"),
                                .zones = zones };
    render_close(desk->render);
    assert_ok(render_open(&desk->render, &conf));
}

static void desk_close(struct desk *desk)
{
    char command[128];
    render_close(desk->render);
    secrets_close(desk->secrets);
    store_close(desk->store);
    buf_done(&desk->out.mail.message);
    arena_close(desk->arena);
    snprintf(command, sizeof command, "rm -rf %s", desk->dir);
    assert_int_equal(system(command), 0);
}

static enum err make_at(struct desk *desk, uint32_t version, bool transactional, int64_t now_ms)
{
    static const uint32_t seqs[] = { 1, 2 };
    const struct claim    claim = { .message = MESSAGE,
                                    .profile = PROFILE,
                                    .attempt = 1,
                                    .template_version = version,
                                    .event_seq = 3,
                                    .address = STR("ada@example.com"),
                                    .trait_seqs = seqs,
                                    .trait_seqs_count = 2,
                                    .transactional = transactional };
    arena_reset(desk->arena);
    return render_message(desk->render, &claim, now_ms, desk->arena, &desk->out);
}

/* As if the engine had computed or derived these traits. */
static enum err make_known(struct desk *desk, uint32_t version, const char *known)
{
    const struct claim claim = { .message = MESSAGE,
                                 .profile = PROFILE,
                                 .attempt = 1,
                                 .template_version = version,
                                 .event_seq = 3,
                                 .address = STR("ada@example.com"),
                                 .computed = str_of(known),
                                 .transactional = true };
    arena_reset(desk->arena);
    return render_message(desk->render, &claim, NOW_MS, desk->arena, &desk->out);
}

static enum err make(struct desk *desk, uint32_t version, bool transactional)
{
    return make_at(desk, version, transactional, NOW_MS);
}

static int times(struct str text, const char *needle)
{
    int    found = 0;
    size_t at = 0;
    while ((at = str_find(text, at, str_of(needle))) < text.len) {
        found++;
        at++;
    }
    return found;
}

TEST(render, later_traits_win_member_by_member_and_properties_lie_beside_the_event)
{
    struct desk desk;
    desk_open(&desk);
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 5,
           "subject: s\n--- text\n{{ person.id }}|{{ person.first_name }}|{{ person.home.city }}|"
           "{{ person.home.zip }}|{{ event.name }}|{{ event.plan }}|{{ event.properties.name }}|"
           "{{ journey.name }}|{{ workspace.name }}|{{ links.unsubscribe }}");
    assert_ok(make(&desk, 5, false));
    assert_true(str_starts(desk.out.text, STR("ada|Ada|Bergen|0150|Signed Up|gold|trial|onboarding|"
                                              "Tents & Co|" UNSUBSCRIBE)));
    assert_int_equal(times(desk.out.text, UNSUBSCRIBE), 1);
    desk_close(&desk);
}

TEST(render, money_and_times_are_the_readers_and_else_the_workspaces)
{
    static const struct zone_shift shifts[] = { { 0, 3600 } };
    static const struct zone       zones[] = { { { "Europe/Oslo", 11 }, shifts, 1, 3600 } };
    struct zones                  *table = NULL;
    struct desk                    desk;
    assert_ok(zones_make(&table, STR("test"), zones, 1));
    desk_open(&desk);
    desk_zones(&desk, table);
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 6,
           "subject: s\n--- text\n{{ 1234.5 | money }}, {{ '2026-03-14T23:30:00Z' | local_time }}");
    define(&desk, STORE_DEFINITION_WORKSPACE, "workspace", 7,
           "{\"sender\":{\"email\":\"a@tents.example\"},\"language\":\"de\","
           "\"currency\":\"EUR\",\"timezone\":\"Europe/Oslo\"}");
    assert_ok(make(&desk, 6, true));
    assert_str(desk.out.text, "1.234,50\u00a0€, 00:30");
    assert_ok(
        make_known(&desk, 6, "{\"language\":\"en\",\"locale\":\"en-GB\",\"timezone\":\"UTC\"}"));
    assert_str(desk.out.text, "€1,234.50, 00:30"); /* UTC is no zone of this table */
    desk_close(&desk);
    zones_close(table);
}

TEST(render, a_changed_snippet_is_in_every_mail_from_then_on_and_in_none_before)
{
    struct desk desk;
    desk_open(&desk);
    define_at(&desk, STORE_DEFINITION_SNIPPET, "foot", 5, NOW_MS - 50, "old {{ workspace.name }}");
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 6,
           "subject: s\n--- text\n{% render 'foot' %}.{% if false %}{% include x %}{% endif %}");
    define_at(&desk, STORE_DEFINITION_SNIPPET, "foot", 7, NOW_MS,
              "new{% render 'name', who: 'Ada' %}");
    define_at(&desk, STORE_DEFINITION_SNIPPET, "name", 8, NOW_MS, " {{ who }}");
    assert_ok(make_at(&desk, 6, true, NOW_MS - 1));
    assert_str(desk.out.text, "old Tents & Co.");
    assert_ok(make_at(&desk, 6, true, NOW_MS));
    assert_str(desk.out.text, "new Ada.");
    assert_ok(make_at(&desk, 6, true, NOW_MS - 50));
    assert_str(desk.out.text, "old Tents & Co.");
    define_at(&desk, STORE_DEFINITION_SNIPPET, "name", 9, NOW_MS + 1, "");
    assert_int_equal(make_at(&desk, 6, true, NOW_MS + 1), ERR_INPUT);
    assert_str(str_of(desk.out.reason), "snippets/foot.liquid:1:4: there is no snippet 'name'");
    desk_close(&desk);
}

TEST(render, style_rules_are_in_the_elements_and_a_fault_keeps_its_line)
{
    struct desk desk;
    desk_open(&desk);
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 5,
           "subject: s\n--- html\n<style>p { color: {{ event.plan }} }\na:hover { x: y }</style>"
           "<p class=k>Hi");
    assert_ok(make(&desk, 5, true));
    assert_str(desk.out.html, "<style>\na:hover { x: y }</style>"
                              "<p style=\"color:gold;\" class=k>Hi");
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 6,
           "subject: s\n--- html\n<style>\np {\n a: 1;\n}</style>\n<p>{{ nothing }}");
    assert_int_equal(make(&desk, 6, true), ERR_INPUT);
    assert_str(str_of(desk.out.reason), "missing nothing (line 7)");
    desk_close(&desk);
}

TEST(render, a_way_out_is_added_only_where_a_reader_sees_none)
{
    struct desk desk;
    desk_open(&desk);
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 5,
           "subject: s\n--- html\n<body><p>Hi</p></BODY></html>\n--- text\nHi\n");
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 6,
           "subject: s\n--- html\n<p>Hi</p><a href=\"{{ links.unsubscribe }}\">Leave</a>");
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 7,
           "subject: s\n--- html\n<p>Hi</p><!-- <a href=\"{{ links.unsubscribe }}\">Leave</a> -->");
    assert_ok(make(&desk, 5, false));
    assert_int_equal(times(desk.out.html, UNSUBSCRIBE), 1);
    assert_int_equal(times(desk.out.html, "Tents &amp; Co, 1 Road<br>Bergen"), 1);
    assert_true(str_ends(desk.out.html, STR("</div>\n</BODY></html>\n")));
    assert_int_equal(times(desk.out.text, "Unsubscribe: " UNSUBSCRIBE), 1);
    assert_ok(make(&desk, 6, false));
    assert_int_equal(times(desk.out.html, UNSUBSCRIBE), 1);
    assert_int_equal(times(desk.out.html, "Unsubscribe"), 0);
    assert_ok(make(&desk, 7, false)); /* nobody sees a comment */
    assert_int_equal(times(desk.out.html, UNSUBSCRIBE), 2);
    assert_true(desk.out.mail.has_unsubscribe_link);
    assert_ok(make(&desk, 5, true)); /* a receipt has no way out, and needs none */
    assert_int_equal(times(desk.out.html, UNSUBSCRIBE), 0);
    assert_int_equal(times(buf_view(&desk.out.mail.message), "List-Unsubscribe:"), 0);
    desk_close(&desk);
}

TEST(render, the_way_out_is_named_in_the_language_of_the_mail)
{
    struct desk desk;
    desk_open(&desk);
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 5,
           "subject: s\n--- html\n<body><p>Hei</p></body>\n--- text\nHei\n");
    define(&desk, STORE_DEFINITION_WORKSPACE, "workspace", 6,
           "{\"sender\":{\"email\":\"a@tents.example\"},\"language\":\"nn-NO\"}");
    assert_ok(make(&desk, 5, false));
    assert_int_equal(times(desk.out.html, ">Meld meg av</a>"), 1);
    assert_int_equal(times(desk.out.text, "Meld meg av: " UNSUBSCRIBE), 1);
    desk_close(&desk);
}

TEST(render, the_version_that_was_claimed_is_sent_and_the_newest_workspace_signs_it)
{
    struct desk desk;
    desk_open(&desk);
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 5, "subject: old\nfrom: Bo\n--- text\nx");
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 6, "subject: new\n--- text\nx");
    assert_ok(make(&desk, 6, false));
    assert_str(desk.out.subject, "new");
    define(&desk, STORE_DEFINITION_WORKSPACE, "workspace", 7,
           "{\"name\":\"Boats\",\"sender\":{\"email\":\"b@boats.example\"}}");
    assert_ok(make(&desk, 5, false));
    assert_str(desk.out.subject, "old");
    assert_int_equal(times(buf_view(&desk.out.mail.message), "From: Bo <b@boats.example>"), 1);
    assert_int_equal(times(buf_view(&desk.out.mail.message), "d=boats.example"), 2);
    assert_int_equal(make(&desk, 8, false), ERR_INPUT); /* no such version: seen, not turning */
    assert_non_null(strstr(desk.out.reason, "absent"));
    desk_close(&desk);
}

TEST(render, gaps_and_faults_hold_a_message_back_with_the_line_in_the_file)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        { "subject: s\n--- html\n<p>\n{{ person.age }} {{ event.tent.size }}",
          "missing person.age (line 4), event.tent.size (line 4)" },
        { "subject: {{ person.none | default: \"\" }}\n--- text\nx", "the subject is empty" },
        { "subject: s\npreheader: {{ person.none }}\n--- text\nx", "missing person.none (line 2)" },
        { "subject: s\n--- text\n\n{{ 1 | divided_by: 0 }}", "text: " },
    };
    struct desk desk;
    uint32_t    version = 10;
    desk_open(&desk);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", ++version, cases[i].text);
        assert_int_equal(make(&desk, version, false), ERR_INPUT);
        assert_int_equal(strncmp(desk.out.reason, cases[i].reason, strlen(cases[i].reason)), 0);
    }
    assert_non_null(strstr(desk.out.reason, "(line 4)"));
    desk_close(&desk);
}

TEST(render, a_subject_with_line_breaks_stays_one_line_and_a_preheader_is_hidden)
{
    struct desk desk;
    desk_open(&desk);
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 5,
           "subject: {{ \"a%0D%0ABcc: eve@evil.example\" | url_decode }}\npreheader: 1 < {{ \"<2\" "
           "}}\n"
           "--- html\n<html><body class=x><p>Hi</p></body></html>");
    assert_ok(make(&desk, 5, false));
    assert_str(desk.out.subject, "a  Bcc: eve@evil.example");
    assert_int_equal(times(buf_view(&desk.out.mail.message), "\r\nBcc:"), 0);
    assert_int_equal(times(desk.out.html, "<body class=x><div style=\"display:none"), 1);
    desk_close(&desk);
}

TEST(render, the_same_claim_at_the_same_instant_gives_the_same_bytes)
{
    struct desk desk;
    desk_open(&desk);
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 5, "subject: s\n--- html\n<p>Hi</p>");
    assert_ok(make(&desk, 5, false));
    SCOPED(buf_donep) struct buf first = buf_make(COMPOSE_BYTES_MAX);
    buf_str(&first, buf_view(&desk.out.mail.message));
    assert_ok(make(&desk, 5, false));
    assert_true(str_eq(buf_view(&first), buf_view(&desk.out.mail.message)));
    desk_close(&desk);
}

static enum err make_variant(struct desk *desk, uint32_t variant, uint32_t version)
{
    const struct claim claim = { .message = MESSAGE,
                                 .profile = PROFILE,
                                 .attempt = 1,
                                 .template_version = 5,
                                 .variant = variant,
                                 .variant_version = version,
                                 .event_seq = 3,
                                 .address = STR("ada@example.com"),
                                 .transactional = true };
    arena_reset(desk->arena);
    return render_message(desk->render, &claim, NOW_MS, desk->arena, &desk->out);
}

TEST(render, the_variant_that_was_claimed_is_sent_under_the_templates_name)
{
    struct desk desk;
    desk_open(&desk);
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 5, "subject: base\n--- text\nx");
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome.nb", 6, "subject: gammel\n--- text\nx");
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome.nb", 7, "subject: ny\n--- text\nx");
    assert_ok(make_variant(&desk, 0, 0));
    assert_str(desk.out.subject, "base");
    assert_ok(make_variant(&desk, 2, 6));
    assert_str(desk.out.subject, "gammel");
    assert_str(desk.out.template, "welcome");
    assert_str(desk.out.variant, "welcome.nb");
    assert_ok(make_variant(&desk, 2, 7));
    assert_str(desk.out.subject, "ny");
    desk_close(&desk);
}

TEST(render, what_a_text_asks_is_answered_by_the_claim_alone)
{
    struct desk desk;
    desk_open(&desk);
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 5,
           "subject: s\nwhen rich: everyone\n--- text\n{% if when.rich %}rich{% endif %}|"
           "{% if person.segments contains \"vip\" %}vip{% endif %}");
    assert_ok(make_known(&desk, 5, "{\"segments\":[\"a\",\"vip\"],\"$when\":{\"rich\":true}}"));
    assert_str(desk.out.text, "rich|vip");
    assert_ok(make_known(&desk, 5, "{\"segments\":[],\"$when\":{\"rich\":false}}"));
    assert_str(desk.out.text, "|");
    desk_close(&desk);
}

TEST(render, the_sender_is_the_messages_own_or_that_of_its_topic_and_language)
{
    struct desk desk;
    desk_open(&desk);
    define(&desk, STORE_DEFINITION_WORKSPACE, "workspace", 4,
           "{\"name\":\"Tents\",\"sender\":{\"email\":\"a@tents.example\",\"reply_to\":"
           "\"r@tents.example\"},\"senders\":[{\"id\":\"help\",\"email\":\"h@help.example\"},"
           "{\"id\":\"news\",\"name\":\"News\",\"email\":\"n@tents.example\",\"reply_to\":"
           "\"re@tents.example\",\"topics\":[\"news\"]},{\"id\":\"nb\",\"email\":"
           "\"nb@tents.example\",\"topics\":[\"news\"],\"languages\":[\"nb\"]}]}");
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 5, "subject: s\n--- text\nx");
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 6,
           "subject: s\nsender: help\ntopic: news\n--- text\nx");
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 7, "subject: s\ntopic: news\n--- text\nx");
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 8, "subject: s\nsender: no\n--- text\nx");
    struct str mail;
    assert_ok(make(&desk, 5, true));
    mail = buf_view(&desk.out.mail.message);
    assert_int_equal(times(mail, "From: Tents <a@tents.example>"), 1);
    assert_int_equal(times(mail, "Reply-To: r@tents.example"), 1);
    assert_ok(make(&desk, 6, true));
    mail = buf_view(&desk.out.mail.message);
    assert_int_equal(times(mail, "From: Tents <h@help.example>"), 1);
    assert_int_equal(times(mail, "d=help.example"), 2); /* it signs with its own domain */
    assert_int_equal(times(mail, "\r\nReply-To:"), 0);
    assert_ok(make(&desk, 7, true));
    mail = buf_view(&desk.out.mail.message);
    assert_int_equal(times(mail, "From: News <n@tents.example>"), 1);
    assert_int_equal(times(mail, "Reply-To: re@tents.example"), 1);
    assert_ok(make_known(&desk, 7, "{\"language\":\"nb-NO\"}"));
    assert_int_equal(times(buf_view(&desk.out.mail.message), "<nb@tents.example>"), 1);
    assert_int_equal(make(&desk, 8, true), ERR_INPUT);
    assert_string_equal(desk.out.reason, "there is no sender \"no\" in workspace.json");
    desk_close(&desk);
}

TEST(render, links_say_where_a_visit_came_from_by_the_rules_of_workspace_and_template)
{
    struct desk desk;
    desk_open(&desk);
    define(&desk, STORE_DEFINITION_WORKSPACE, "workspace", 4,
           "{\"sender\":{\"email\":\"a@tents.example\"},\"utm\":{\"source\":\"dult\","
           "\"campaign\":\"{{ template.name }}-{{ journey.name }}\",\"term\":\"{{ person.none "
           "}}\",\"domains\":[\"tents.example\"]}}");
    define(
        &desk, STORE_DEFINITION_TEMPLATE, "welcome", 5,
        "subject: s\nutm_source: {{ event.plan }}\n--- html\n<a href=\"https://tents.example/\">a"
        "</a><a href=\"https://x.example/\">b</a><a href=\"{{ links.unsubscribe }}\">c</a>");
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 6,
           "subject: s\nutm: no\n--- html\n<a href=\"https://tents.example/\">a</a>");
    assert_ok(make(&desk, 5, false));
    assert_int_equal(times(desk.out.html, "https://tents.example/?utm_source=gold&amp;utm_campaign="
                                          "welcome-onboarding\""),
                     1);
    assert_int_equal(times(desk.out.html, "\"https://x.example/\""), 1);
    assert_int_equal(times(desk.out.html, "utm_"), 2);
    assert_int_equal(times(buf_view(&desk.out.mail.message), "/c/"), 2); /* tracked with it */
    assert_ok(make(&desk, 6, false));
    assert_int_equal(times(desk.out.html, "utm_"), 0);
    desk_close(&desk);
}

static enum err preview(struct desk *desk, const struct render_draft *draft,
                        struct render_gaps *gaps)
{
    arena_reset(desk->arena);
    return render_preview(desk->render, draft, NOW_MS, desk->arena, &desk->out, gaps);
}

TEST(render, a_preview_names_every_gap_and_shows_the_mail_all_the_same)
{
    struct desk        desk;
    struct render_gaps gaps;
    desk_open(&desk);
    struct claim        claim = { .profile = PROFILE, .event_seq = 3 };
    struct render_draft draft = { .claim = &claim,
                                  .name = STR("draft"),
                                  .text =
                                      STR("subject: {{ person.a }}!\n--- html\n<p>{{ event.plan "
                                          "}}{{ person.b }}\n{{ 1 | divided_by: 0 }}") };
    assert_ok(preview(&desk, &draft, &gaps));
    assert_str(desk.out.subject, "!");
    assert_int_equal(gaps.count, 3);
    assert_str(gaps.items[0].path, "person.a");
    assert_string_equal(gaps.items[0].part, "subject");
    assert_true(gaps.items[1].is_fault);
    assert_int_equal(gaps.items[1].line, 4);
    assert_str(gaps.items[2].path, "person.b");
    assert_int_equal(gaps.items[2].line, 3);
    assert_int_equal(times(desk.out.html, "<p>gold"), 1);
    assert_int_equal(times(buf_view(&desk.out.mail.message), "DKIM-Signature"), 0);
    struct json event;
    assert_ok(
        json_parse_once(desk.arena, STR("{\"properties\":{\"plan\":\"tin\"}}"), &event, NULL));
    draft.event = &event;
    assert_ok(render_preview(desk.render, &draft, NOW_MS, desk.arena, &desk.out, &gaps));
    assert_int_equal(times(desk.out.html, "<p>tin"), 1);
    desk_close(&desk);
}

/* The way out that a preview shows must not be anybody's. */
TEST(render, a_preview_shows_a_way_out_that_unsubscribes_nobody)
{
    struct desk        desk;
    struct render_gaps gaps;
    struct token       token;
    desk_open(&desk);
    struct claim        claim = { .profile = PROFILE, .message = MESSAGE };
    struct render_draft draft = { .claim = &claim,
                                  .name = STR("draft"),
                                  .text = STR("subject: s\n--- text\nx") };
    assert_ok(preview(&desk, &draft, &gaps));
    size_t     at = str_find(desk.out.text, 0, STR(UNSUBSCRIBE)) + strlen(UNSUBSCRIBE);
    struct str text = str_trim(str_slice(desk.out.text, at, desk.out.text.len));
    assert_ok(
        token_read(secrets_token_keys(desk.secrets), TOKEN_UNSUBSCRIBE, text, STR_NONE, &token));
    assert_int_equal(token.profile, UINT32_MAX);
    desk_close(&desk);
}

/* The message of a node, and what became of it. */
static void answer_add(struct desk *desk, uint64_t seq, const char *node, const char *properties)
{
    struct store_event    event = { .seq = seq, .kind = STORE_EVENT_OUTCOME, .profile = 7 };
    struct store_decision queued = { .id = 700 + seq,
                                     .seq = seq,
                                     .profile = 7,
                                     .object = 12,
                                     .at_ms = NOW_MS,
                                     .kind = STORE_DECISION_MESSAGE_QUEUED };
    char                  detail[64], body[400];
    snprintf(detail, sizeof detail, "{\"node\":\"%s\"}", node);
    snprintf(body, sizeof body, "{\"properties\":{\"message\":\"%llu\",%s}}",
             (unsigned long long)queued.id, properties);
    queued.detail = str_of(detail);
    event.body = str_of(body);
    commit(desk,
           &(struct store_batch){
               .events = &event, .events_count = 1, .decisions = &queued, .decisions_count = 1 });
}

TEST(render, what_a_webhook_answered_is_seen_by_its_node_and_the_last_one_counts)
{
    struct desk desk;
    desk_open(&desk);
    answer_add(&desk, 8, "crm", "\"status\":200,\"answer\":\"{\\\"score\\\":1}\"");
    answer_add(&desk, 9, "crm", "\"status\":201,\"answer\":\"{\\\"score\\\":81,\\\"of\\\":[3]}\"");
    answer_add(&desk, 10, "plain", "\"status\":404,\"answer\":\"{not json\"");
    answer_add(&desk, 11, "silent", "\"reason\":\"no answer\"");
    define(&desk, STORE_DEFINITION_TEMPLATE, "welcome", 25,
           "subject: s\n--- text\n{{ journey.answers.crm.status }}|"
           "{{ journey.answers.crm.body.score }}|{{ journey.answers.crm.body.of[0] }}|"
           "{{ journey.answers.plain.status }}|{{ journey.answers.plain.body }}|"
           "{% if journey.answers.silent %}?{% endif %}|{{ person.id }}");
    assert_ok(make_known(&desk, 25, "{\"$answers\":{\"of\":12,\"seqs\":[8,9,10,11]}}"));
    assert_true(str_starts(desk.out.text, STR("201|81|3|404|{not json||ada")));
    assert_ok(make_known(&desk, 25, "{\"$answers\":{\"of\":0,\"seqs\":[9,10]}}"));
    assert_int_equal(make_known(&desk, 25, "{\"$answers\":{\"of\":13,\"seqs\":[9,10]}}"),
                     ERR_INPUT); /* of another time through the journey */
    assert_non_null(strstr(desk.out.reason, "journey.answers.crm"));
    desk_close(&desk);
}
