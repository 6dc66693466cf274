/* What real clients send (shapes as observed on the wire), and what nobody should. */
#include "intake/collect.h"

#include "base/test.h"
#include "base/time.h"
#include "intake/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */

struct fixture {
    struct collect_parser *parser;
    struct arena          *arena;
    struct collect_result  result;
    struct problem         problem;
};

static struct fixture fixture_open(void)
{
    return (struct fixture){ .parser = collect_parser_open(),
                             .arena = arena_open(REQUEST_ARENA_BYTES_MAX) };
}

static void fixture_close(struct fixture *f)
{
    collect_parser_close(f->parser);
    arena_close(f->arena);
}

static enum err parse(struct fixture *f, enum collect_route route, struct str body)
{
    struct collect_request request = {
        .route = route,
        .body = body,
        .received_ms = NOW_MS,
        .source = 7,
        .client_ip = STR("203.0.113.9"),
        .name_seed = { 1, 2 },
    };
    return collect_parse(f->parser, f->arena, &request, &f->result, &f->problem);
}

/* The one record that a single message gives. */
static const struct arrival *one(struct fixture *f, enum collect_route route, const char *body)
{
    assert_ok(parse(f, route, str_of(body)));
    if (f->result.refused_count > 0)
        print_error("refused: %.*s\n", STR_ARG(f->result.refused[0].reason));
    assert_int_equal(f->result.records_count, 1);
    return &f->result.records[0];
}

TEST(collect, both_the_long_and_the_short_routes_are_known)
{
    static const struct {
        const char        *path;
        enum collect_route route;
    } good[] = {
        { "/v1/identify", COLLECT_IDENTIFY }, { "/v1/i", COLLECT_IDENTIFY },
        { "/v1/track", COLLECT_TRACK },       { "/v1/t", COLLECT_TRACK },
        { "/v1/page", COLLECT_PAGE },         { "/v1/p", COLLECT_PAGE },
        { "/v1/screen", COLLECT_SCREEN },     { "/v1/s", COLLECT_SCREEN },
        { "/v1/group", COLLECT_GROUP },       { "/v1/g", COLLECT_GROUP },
        { "/v1/alias", COLLECT_ALIAS },       { "/v1/a", COLLECT_ALIAS },
        { "/v1/batch", COLLECT_BATCH },       { "/v1/b", COLLECT_BATCH },
        { "/v1/import", COLLECT_IMPORT },     { "/v1/m", COLLECT_METRICS },
    };
    enum collect_route route;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_ok(collect_route_parse(str_of(good[i].path), &route));
        assert_int_equal(route, good[i].route);
    }
    assert_int_equal(collect_route_parse(STR("/v1/x"), &route), ERR_ABSENT);
    assert_int_equal(collect_route_parse(STR("/v1/trac"), &route), ERR_ABSENT);
}

TEST(collect, the_documented_track_becomes_one_record)
{
    struct fixture        f = fixture_open();
    const struct arrival *r =
        one(&f, COLLECT_TRACK,
            "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"u1\",\"anonymousId\":"
            "\"an1\","
            "\"properties\":{\"revenue\":12.5,\"currency\":\"EUR\"},"
            "\"context\":{\"ip\":\"203.0.113.9\",\"library\":{\"name\":\"x\",\"version\":\"1\"}},"
            "\"timestamp\":\"2026-01-02T03:04:05.000Z\",\"messageId\":\"m-1\"}");
    double revenue;
    assert_int_equal(r->kind, ARRIVAL_TRACK);
    assert_str(r->name, "Order Completed");
    assert_str(r->user_id, "u1");
    assert_str(r->anonymous_id, "an1");
    assert_str(r->message_id, "m-1");
    assert_int_equal(r->source, 7);
    assert_true(json_get_real(r->properties, STR("revenue"), &revenue) && revenue == 12.5);
    assert_str(r->body, "{\"properties\":{\"revenue\":12.5,\"currency\":\"EUR\"},"
                        "\"context\":{\"ip\":\"203.0.113.9\",\"library\":{\"name\":\"x\","
                        "\"version\":\"1\"}},"
                        "\"originalTimestamp\":\"2026-01-02T03:04:05.000Z\"}");
    fixture_close(&f);
}

TEST(collect, analytics_node_sends_a_batch_with_one_sent_at)
{
    struct fixture f = fixture_open();
    assert_ok(parse(
        &f, COLLECT_BATCH,
        STR("{\"batch\":["
            "{\"timestamp\":\"2026-01-02T03:04:00.000Z\",\"integrations\":{},\"type\":\"identify\","
            "\"userId\":\"ada\",\"traits\":{\"email\":\"ada@example.com\"},\"context\":{"
            "\"library\":"
            "{\"name\":\"@segment/analytics-node\",\"version\":\"3.1.0\"}},"
            "\"messageId\":\"node-next-1767323040000-5f0c\",\"_metadata\":{\"nodeVersion\":\"20.20."
            "0\","
            "\"jsRuntime\":\"node\"}},"
            "{\"timestamp\":\"2026-01-02T03:04:01.000Z\",\"integrations\":{},\"type\":\"page\","
            "\"userId\":\"ada\",\"category\":\"Docs\",\"name\":\"Home\",\"properties\":{"
            "\"category\":"
            "\"Docs\",\"name\":\"Home\"},\"context\":{},\"messageId\":\"node-next-2\"},"
            "{\"timestamp\":\"2026-01-02T03:04:02.000Z\",\"type\":\"screen\",\"userId\":\"ada\","
            "\"name\":\"Cart\",\"properties\":{},\"context\":{},\"messageId\":\"node-next-3\"},"
            "{\"timestamp\":\"2026-01-02T03:04:02.500Z\",\"type\":\"group\",\"userId\":\"ada\","
            "\"groupId\":\"g1\",\"traits\":{\"plan\":\"pro\"},\"messageId\":\"node-next-4\"},"
            "{\"timestamp\":\"2026-01-02T03:04:03.000Z\",\"type\":\"alias\",\"userId\":\"ada\","
            "\"previousId\":\"an1\",\"messageId\":\"node-next-5\"}],"
            "\"writeKey\":\"WK\",\"sentAt\":\"2026-01-02T03:05:05.000Z\"}")));
    const struct arrival *r = f.result.records;
    assert_int_equal(f.result.records_count, 5);
    assert_str(f.result.write_key, "WK");
    assert_int_equal(r[0].kind, ARRIVAL_IDENTIFY);
    assert_str(json_get_str(r[0].traits, STR("email")), "ada@example.com");
    assert_int_equal(r[0].at_ms, NOW_MS - 65000);
    assert_true((r[0].flags & ARRIVAL_SHIFTED) != 0);
    assert_str(r[1].name, "Page");
    assert_str(json_get_str(r[1].properties, STR("name")), "Home");
    assert_str(r[2].name, "Screen");
    assert_str(json_get_str(r[2].properties, STR("name")), "Cart");
    assert_str(r[3].group_id, "g1");
    assert_str(json_get_str(r[3].traits, STR("groupId")), "g1"); /* to be asked about, too */
    assert_str(json_get_str(r[3].traits, STR("plan")), "pro");
    assert_str(r[4].previous_id, "an1");
    assert_true(str_find(r[0].body, 0, STR("_metadata")) == r[0].body.len);
    fixture_close(&f);
}

TEST(collect, a_group_has_one_id_as_text_however_it_is_written_and_whatever_its_traits_say)
{
    static const struct {
        const char *members, *id;
    } cases[] = {
        { "\"groupId\":42", "42" },
        { "\"groupId\":\"42\"", "42" },
        { "\"groupId\":\" acme \"", "acme" },
        { "\"groupId\":\"acme\",\"traits\":{\"groupId\":7,\"plan\":\"pro\"}", "acme" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f = fixture_open();
        char           body[300];
        snprintf(body, sizeof body, "{\"userId\":\"ada\",%s}", cases[i].members);
        const struct arrival *r = one(&f, COLLECT_GROUP, body);
        assert_str(r->group_id, cases[i].id);
        assert_str(json_get_str(r->traits, STR("groupId")), cases[i].id);
        assert_int_equal(r->traits->count, i == 3 ? 2 : 1);
        fixture_close(&f);
    }
}

TEST(collect, analytics_js_sends_a_message_with_a_null_user)
{
    struct fixture        f = fixture_open();
    const struct arrival *r = one(
        &f, COLLECT_TRACK,
        "{\"timestamp\":\"2026-01-02T03:04:04.900Z\",\"integrations\":{},\"type\":\"track\","
        "\"event\":\"Signed Up\",\"properties\":{},\"anonymousId\":\"0f2b6c7e\",\"userId\":null,"
        "\"context\":{\"page\":{\"path\":\"/\",\"referrer\":\"\",\"search\":\"?utm_campaign=x\","
        "\"title\":\"Tents\",\"url\":\"https://tents.example/\"},\"userAgent\":\"Mozilla/5.0\","
        "\"locale\":\"nb-NO\",\"timezone\":\"Europe/Oslo\",\"library\":{\"name\":\"analytics.js\","
        "\"version\":\"npm:next-1.84.3\"},\"campaign\":{\"name\":\"x\"}},"
        "\"messageId\":\"ajs-next-1767323044900-0f2b\",\"writeKey\":\"WK\",\"sentAt\":"
        "\"2026-01-02T03:04:04.950Z\",\"_metadata\":{\"bundled\":[\"Segment.io\"],\"unbundled\":[],"
        "\"bundledIds\":[]}}");
    assert_str(r->user_id, "");
    assert_str(r->anonymous_id, "0f2b6c7e");
    assert_str(f.result.write_key, "WK");
    assert_int_equal(r->at_ms, NOW_MS - 50);
    assert_str(json_get_str(json_get(r->context, STR("campaign")), STR("name")), "x");
    fixture_close(&f);
}

TEST(collect, rudderstack_sends_its_own_times_on_every_item)
{
    struct fixture f = fixture_open();
    assert_ok(parse(
        &f, COLLECT_BATCH,
        STR("{\"batch\":[{\"userId\":\"ada\",\"traits\":{\"plan\":\"pro\"},\"context\":{\"traits\":"
            "{\"plan\":\"pro\"},\"library\":{\"name\":\"analytics-node\",\"version\":\"3.0.13\"}},"
            "\"type\":\"identify\",\"channel\":\"server\",\"originalTimestamp\":"
            "\"2026-01-02T04:04:00.000Z\",\"sentAt\":\"2026-01-02T04:04:01.000Z\","
            "\"messageId\":\"7a2c\"},"
            "{\"userId\":\"bob\",\"traits\":{},\"context\":{\"traits\":{\"plan\":\"free\"}},"
            "\"type\":\"identify\","
            "\"messageId\":\"7a2d\"}],"
            "\"timestamp\":\"2026-01-02T04:04:01.000Z\",\"sentAt\":\"2026-01-01T00:00:00."
            "000Z\"}")));
    const struct arrival *r = f.result.records;
    assert_int_equal(f.result.records_count, 2);
    assert_int_equal(r[0].at_ms, NOW_MS - 1000);
    assert_str(f.result.write_key, "");
    assert_true(str_find(r[0].body, 0, STR("\"channel\":\"server\"")) < r[0].body.len);
    assert_str(json_get_str(r[1].traits, STR("plan")), "free");
    assert_int_equal(r[1].at_ms, NOW_MS);
    fixture_close(&f);
}

TEST(collect, an_alias_to_oneself_is_taken_and_dropped)
{
    struct fixture f = fixture_open();
    assert_ok(parse(&f, COLLECT_ALIAS, STR("{\"userId\":\"u1\",\"previousId\":\" u1\"}")));
    assert_int_equal(f.result.records_count + f.result.refused_count, 0);
    assert_int_equal(f.result.dropped_count, 1);
    fixture_close(&f);
}

TEST(collect, clocks_are_corrected_only_where_both_ends_are_known)
{
    static const struct {
        const char *times;
        int64_t     at_ms;
        uint32_t    flags;
    } cases[] = {
        { "", NOW_MS, 0 },
        { "\"timestamp\":\"2020-01-01T00:00:00Z\",", INT64_C(1577836800000), 0 },
        { "\"sentAt\":\"2020-01-01T00:00:00Z\",", NOW_MS, 0 },
        { "\"timestamp\":\"2020-01-01T00:00:00Z\",\"sentAt\":\"2020-01-01T00:00:09Z\",",
          NOW_MS - 9000, ARRIVAL_SHIFTED },
        { "\"timestamp\":\"2020-01-01T00:00:00Z\",\"sentAt\":\"yesterday\",",
          INT64_C(1577836800000), 0 },
        { "\"originalTimestamp\":\"2020-01-01T00:00:00Z\",\"sentAt\":\"2020-01-01T00:00:09Z\",",
          NOW_MS - 9000, ARRIVAL_SHIFTED },
        { "\"timestamp\":1577836800,", INT64_C(1577836800000), 0 },
        { "\"timestamp\":1577836800123,", INT64_C(1577836800123), 0 },
        { "\"timestamp\":null,\"sentAt\":null,", NOW_MS, 0 },
        { "\"timestamp\":\"2026-01-03T03:04:05Z\",", NOW_MS + TIME_DAY_MS, 0 },
        { "\"timestamp\":\"2026-01-03T03:04:05.001Z\",", NOW_MS, ARRIVAL_CLAMPED },
        { "\"timestamp\":\"9999-12-31T23:59:59Z\",\"sentAt\":\"0001-01-01\",", NOW_MS,
          ARRIVAL_CLAMPED | ARRIVAL_SHIFTED },
        { "\"timestamp\":\"0001-01-01\",\"sentAt\":\"9999-12-31T23:59:59Z\",", NOW_MS,
          ARRIVAL_CLAMPED | ARRIVAL_SHIFTED },
        { "\"historical\":true,\"timestamp\":\"2020-01-01T00:00:00Z\",\"sentAt\":"
          "\"2020-01-01T00:00:09Z\",",
          INT64_C(1577836800000), ARRIVAL_HISTORICAL },
    };
    struct fixture f = fixture_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[400];
        snprintf(body, sizeof body, "{%s\"event\":\"e\",\"messageId\":\"m\",\"userId\":\"u\"}",
                 cases[i].times);
        const struct arrival *r = one(&f, COLLECT_TRACK, body);
        assert_int_equal(r->at_ms, cases[i].at_ms);
        assert_int_equal(r->flags, cases[i].flags);
        assert_int_equal(r->received_ms, NOW_MS);
    }
    fixture_close(&f);
}

TEST(collect, an_import_is_historical_and_never_shifted)
{
    struct fixture f = fixture_open();
    assert_ok(
        parse(&f, COLLECT_IMPORT,
              STR("{\"batch\":[{\"type\":\"track\",\"event\":\"e\",\"userId\":\"u\",\"timestamp\":"
                  "\"2020-01-01T00:00:00Z\"}],\"sentAt\":\"2020-01-01T00:00:09Z\"}")));
    assert_int_equal(f.result.records[0].at_ms, INT64_C(1577836800000));
    assert_int_equal(f.result.records[0].flags, ARRIVAL_HISTORICAL | ARRIVAL_NAMED);
    fixture_close(&f);
}

TEST(collect, what_the_batch_says_lies_under_what_the_item_says)
{
    struct fixture f = fixture_open();
    assert_ok(
        parse(&f, COLLECT_BATCH,
              STR("{\"context\":{\"locale\":\"nb\",\"ip\":\"198.51.100.1\"},\"integrations\":{"
                  "\"All\":true,"
                  "\"X\":true},\"batch\":[{\"type\":\"track\",\"event\":\"e\",\"userId\":\"u\","
                  "\"messageId\":"
                  "\"1\",\"context\":{\"locale\":\"sv\"},\"integrations\":{\"All\":false}},"
                  "{\"type\":\"track\",\"event\":\"e\",\"userId\":\"u\",\"messageId\":\"2\"}]}")));
    assert_str(f.result.records[0].body, "{\"context\":{\"locale\":\"sv\",\"ip\":\"198.51.100.1\"},"
                                         "\"integrations\":{\"All\":false,\"X\":true}}");
    assert_str(f.result.records[1].body, "{\"context\":{\"locale\":\"nb\",\"ip\":\"198.51.100.1\"},"
                                         "\"integrations\":{\"All\":true,\"X\":true}}");
    fixture_close(&f);
}

TEST(collect, the_sockets_address_is_for_clients_and_for_those_who_ask)
{
    struct fixture         f = fixture_open();
    struct collect_request request = {
        .route = COLLECT_TRACK,
        .body = STR("{\"event\":\"e\",\"userId\":\"u\"}"),
        .client_ip = STR("203.0.113.9"),
        .client_side = true,
    };
    assert_ok(collect_parse(f.parser, f.arena, &request, &f.result, NULL));
    assert_str(json_get_str(f.result.records[0].context, STR("ip")), "203.0.113.9");
    request.client_side = false;
    assert_ok(collect_parse(f.parser, f.arena, &request, &f.result, NULL));
    assert_null(json_get(f.result.records[0].context, STR("ip")));
    request.body = STR("{\"event\":\"e\",\"userId\":\"u\",\"context\":{\"direct\":true}}");
    assert_ok(collect_parse(f.parser, f.arena, &request, &f.result, NULL));
    assert_str(json_get_str(f.result.records[0].context, STR("ip")), "203.0.113.9");
    request.body = STR("{\"event\":\"e\",\"userId\":\"u\",\"context\":{\"direct\":true,\"ip\":"
                       "\"0.0.0.0\"}}");
    assert_ok(collect_parse(f.parser, f.arena, &request, &f.result, NULL));
    assert_str(json_get_str(f.result.records[0].context, STR("ip")), "0.0.0.0");
    fixture_close(&f);
}

TEST(collect, ids_may_be_numbers_and_are_trimmed)
{
    struct fixture        f = fixture_open();
    const struct arrival *r =
        one(&f, COLLECT_TRACK,
            "{\"event\":\" e \",\"userId\":42,\"anonymousId\":\" a\\n\",\"messageId\":-7}");
    assert_str(r->user_id, "42");
    assert_str(r->anonymous_id, "a");
    assert_str(r->name, "e");
    assert_str(r->message_id, "-7");
    fixture_close(&f);
}

TEST(collect, of_repeated_keys_the_last_wins_everywhere)
{
    struct fixture        f = fixture_open();
    const struct arrival *r =
        one(&f, COLLECT_TRACK,
            "{\"event\":\"a\",\"userId\":\"u\",\"event\":\"b\",\"messageId\":\"m\",\"properties\":"
            "{\"x\":1,\"y\":{\"z\":1,\"z\":2},\"x\":3}}");
    assert_str(r->name, "b");
    assert_str(r->body, "{\"properties\":{\"x\":3,\"y\":{\"z\":2}}}");
    fixture_close(&f);
}

TEST(collect, a_message_without_an_id_is_named_by_the_seed_and_its_place)
{
    struct fixture        f = fixture_open();
    const struct arrival *r = one(&f, COLLECT_TRACK, "{\"event\":\"e\",\"userId\":\"u\"}");
    assert_str(r->message_id, "srv-00000000000000010000000000000002-0");
    assert_int_equal(r->flags, ARRIVAL_NAMED);
    fixture_close(&f);
}

TEST(collect, a_bad_event_is_refused_with_reason_and_remedy_and_its_neighbours_are_taken)
{
    static const struct {
        const char *event, *field, *reason;
    } bad[] = {
        { "7", "body", "not_an_object" },
        { "null", "body", "not_an_object" },
        { "{\"event\":\"e\",\"userId\":\"u\"}", "type", "no_type" },
        { "{\"type\":\"Track\",\"event\":\"e\",\"userId\":\"u\"}", "type", "unknown_type" },
        { "{\"type\":3,\"event\":\"e\",\"userId\":\"u\"}", "type", "unknown_type" },
        { "{\"type\":\"track\",\"event\":\"e\"}", "userId", "no_user_anon_id" },
        { "{\"type\":\"track\",\"event\":\"e\",\"userId\":\"  \"}", "userId", "no_user_anon_id" },
        { "{\"type\":\"track\",\"event\":\"e\",\"userId\":{}}", "userId", "not_text" },
        { "{\"type\":\"track\",\"event\":\"e\",\"userId\":1.5}", "userId", "not_text" },
        { "{\"type\":\"track\",\"event\":\"e\",\"userId\":true}", "userId", "not_text" },
        { "{\"type\":\"track\",\"event\":\"e\",\"userId\":\"a\\u0000b\"}", "userId",
          "control_character" },
        { "{\"type\":\"track\",\"userId\":\"u\"}", "event", "no_event" },
        { "{\"type\":\"track\",\"userId\":\"u\",\"event\":\" \"}", "event", "no_event" },
        { "{\"type\":\"track\",\"userId\":\"u\",\"event\":[]}", "event", "not_text" },
        { "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"e\",\"timestamp\":"
          "\"today\"}",
          "timestamp", "invalid_timestamp" },
        { "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"e\",\"timestamp\":-1}", "timestamp",
          "invalid_timestamp" },
        { "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"e\",\"originalTimestamp\":"
          "\"2026-02-30\"}",
          "originalTimestamp", "invalid_timestamp" },
        { "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"e\",\"properties\":[]}", "properties",
          "invalid_type" },
        { "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"e\",\"context\":\"x\"}", "context",
          "invalid_type" },
        { "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"e\",\"integrations\":"
          "1}",
          "integrations", "invalid_type" },
        { "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":\"x\"}", "traits", "invalid_type" },
        { "{\"type\":\"group\",\"userId\":\"u\"}", "groupId", "no_group_id" },
        { "{\"type\":\"alias\",\"userId\":\"u\"}", "previousId", "no_previous_id" },
        { "{\"type\":\"alias\",\"previousId\":\"u\"}", "userId", "no_user_id" },
    };
    struct fixture f = fixture_open();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char body[1000];
        snprintf(body, sizeof body,
                 "{\"batch\":[{\"type\":\"track\",\"event\":\"e\",\"userId\":\"a\"},%s,"
                 "{\"type\":\"track\",\"event\":\"e\",\"userId\":\"b\"}]}",
                 bad[i].event);
        assert_ok(parse(&f, COLLECT_BATCH, str_of(body)));
        assert_int_equal(f.result.records_count, 2);
        assert_int_equal(f.result.refused_count, 1);
        assert_int_equal(f.result.refused[0].index, 1);
        assert_str(f.result.refused[0].field, bad[i].field);
        assert_str(f.result.refused[0].reason, bad[i].reason);
        assert_true(f.result.refused[0].remedy.len > 10);
        assert_str(f.result.refused[0].event, bad[i].event);
    }
    fixture_close(&f);
}

/* {"type":"track",...,"<key>":"xxx..."} with `len` times `fill`. */
static struct str long_field(struct arena *arena, const char *key, const char *fill, size_t len)
{
    struct buf out = buf_make(1 << 20);
    buf_format(&out, "{\"type\":\"track\",\"event\":\"e\",\"userId\":\"u\",\"%s\":\"", key);
    for (size_t i = 0; i < len; i++)
        buf_str(&out, str_of(fill));
    buf_str(&out, STR("\"}"));
    struct str text = str_copy(arena, buf_view(&out));
    buf_done(&out);
    return text;
}

TEST(collect, every_bound_holds_at_its_last_byte)
{
    static const struct {
        const char *key, *fill;
        size_t      good_max;
    } bounds[] = {
        { "userId", "x", ID_BYTES_MAX },
        { "anonymousId", "x", ID_BYTES_MAX },
        { "event", "x", NAME_BYTES_MAX },
        { "messageId", "x", MESSAGE_ID_CHARS_MAX },
        { "messageId", "\xC3\xA5", MESSAGE_ID_CHARS_MAX },
    };
    struct fixture f = fixture_open();
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        struct str fits = long_field(f.arena, bounds[i].key, bounds[i].fill, bounds[i].good_max);
        struct str long_one =
            long_field(f.arena, bounds[i].key, bounds[i].fill, bounds[i].good_max + 1);
        assert_ok(parse(&f, COLLECT_TRACK, fits));
        assert_int_equal(f.result.records_count, 1);
        assert_ok(parse(&f, COLLECT_TRACK, long_one));
        assert_int_equal(f.result.refused_count, 1);
        assert_str(f.result.refused[0].reason, "too_long");
        assert_str(f.result.refused[0].field, bounds[i].key);
    }
    fixture_close(&f);
}

TEST(collect, a_message_of_32_kb_is_taken_and_one_byte_more_is_not)
{
    struct fixture f = fixture_open();
    size_t         frame = long_field(f.arena, "x", "y", 0).len;
    struct str     fits = long_field(f.arena, "x", "y", MESSAGE_BYTES_MAX - frame);
    struct str     large = long_field(f.arena, "x", "y", MESSAGE_BYTES_MAX - frame + 1);
    assert_int_equal(fits.len, MESSAGE_BYTES_MAX);
    assert_ok(parse(&f, COLLECT_TRACK, fits));
    assert_int_equal(f.result.records_count, 1);
    assert_int_equal(parse(&f, COLLECT_TRACK, large), ERR_LIMIT);
    assert_true(f.problem.remedy[0] != '\0');

    struct str batch = str_format(f.arena,
                                  "{\"batch\":[%.*s,"
                                  "%.*s]}",
                                  STR_ARG(fits), STR_ARG(large));
    assert_ok(parse(&f, COLLECT_BATCH, batch));
    assert_int_equal(f.result.records_count, 1);
    assert_int_equal(f.result.refused_count, 1);
    assert_str(f.result.refused[0].reason, "too_large");
    fixture_close(&f);
}

TEST(collect, many_small_numbers_are_not_mistaken_for_a_large_message)
{
    struct fixture f = fixture_open();
    struct buf     out = buf_make(1 << 20);
    buf_str(&out, STR("{\"event\":\"e\",\"userId\":\"u\",\"properties\":{\"x\":[0"));
    for (int i = 0; i < 7500; i++)
        buf_str(&out, i % 2 == 0 ? STR(",1.5") : STR(",-0"));
    buf_str(&out, STR("]}}"));
    assert_true(buf_view(&out).len < MESSAGE_BYTES_MAX);
    assert_ok(parse(&f, COLLECT_TRACK, buf_view(&out)));
    assert_int_equal(f.result.records_count, 1);
    buf_done(&out);
    fixture_close(&f);
}

TEST(collect, the_surplus_of_a_batch_is_refused_and_the_rest_taken)
{
    struct fixture f = fixture_open();
    struct buf     out = buf_make(REQUEST_BYTES_MAX);
    buf_str(&out, STR("{\"batch\":["));
    for (int i = 0; i < 6000; i++)
        buf_format(&out,
                   "%s{\"type\":\"track\",\"event\":\"e\",\"userId\":\"u\","
                   "\"messageId\":\"%d\"}",
                   i > 0 ? "," : "", i);
    buf_str(&out, STR("]}"));
    assert_ok(parse(&f, COLLECT_BATCH, buf_view(&out)));
    assert_int_equal(f.result.records_count, BATCH_EVENTS_MAX);
    assert_int_equal(f.result.refused_count, SURPLUS_LISTED_MAX);
    assert_int_equal(f.result.unlisted_count, 1000);
    assert_int_equal(f.result.items_count, 6000);
    assert_str(f.result.refused[0].message_id, "2500");
    assert_str(f.result.refused[0].reason, "too_many_events");
    buf_done(&out);
    fixture_close(&f);
}

TEST(collect, a_broken_body_is_refused_whole_with_a_problem)
{
    static const struct {
        enum collect_route route;
        const char        *body;
        enum err           err;
    } bad[] = {
        { COLLECT_TRACK, "", ERR_INPUT },
        { COLLECT_TRACK, "{\"event\":\"e\"", ERR_INPUT },
        { COLLECT_TRACK, "[]", ERR_INPUT },
        { COLLECT_TRACK, "\"x\"", ERR_INPUT },
        { COLLECT_TRACK, "{\"event\":\"\xFF\"}", ERR_INPUT },
        { COLLECT_TRACK, "{} {}", ERR_INPUT },
        { COLLECT_BATCH, "{}", ERR_INPUT },
        { COLLECT_BATCH, "{\"batch\":{}}", ERR_INPUT },
        { COLLECT_BATCH, "{\"batch\":null}", ERR_INPUT },
        { COLLECT_BATCH, "[{\"type\":\"track\"}]", ERR_INPUT },
        { COLLECT_BATCH, "{\"batch\":[],\"context\":[]}", ERR_INPUT },
        { COLLECT_IMPORT, "{\"batch\":[],\"integrations\":true}", ERR_INPUT },
    };
    struct fixture f = fixture_open();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        f.problem = (struct problem){ 0 };
        assert_int_equal(parse(&f, bad[i].route, str_of(bad[i].body)), bad[i].err);
        assert_true(f.problem.what[0] != '\0' && f.problem.remedy[0] != '\0');
    }
    assert_ok(parse(&f, COLLECT_BATCH, STR("{\"batch\":[]}")));
    assert_int_equal(f.result.items_count, 0);
    fixture_close(&f);
}

static struct str filled(struct arena *arena, const char *head, const char *piece, size_t bytes)
{
    struct buf out = buf_make(bytes + 100);
    buf_str(&out, str_of(head));
    buf_str(&out, str_of(piece));
    while (out.len + strlen(piece) + 3 < bytes) {
        buf_char(&out, ',');
        buf_str(&out, str_of(piece));
    }
    buf_str(&out, STR("]}"));
    struct str text = str_copy(arena, buf_view(&out));
    buf_done(&out);
    return text;
}

TEST(collect, no_body_within_the_bound_needs_more_than_the_stated_arena)
{
    static const char *const pieces[] = { "0", "\"\"", "{\"\":0}", "[0]", "{}", "[]", "[[]]" };
    struct arena            *texts = arena_open(1 << 26);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct fixture f = fixture_open();
        struct str     body = filled(texts, "{\"batch\":[", pieces[i], REQUEST_BYTES_MAX);
        assert_ok(parse(&f, COLLECT_BATCH, body));
        assert_int_equal(f.result.records_count, 0);
        assert_int_equal(f.result.refused_count + f.result.unlisted_count, f.result.items_count);
        fixture_close(&f);
    }
    struct fixture f = fixture_open();
    struct str     over = filled(texts, "{\"batch\":[", "0", REQUEST_BYTES_MAX + 2);
    assert_true(over.len > REQUEST_BYTES_MAX);
    assert_int_equal(parse(&f, COLLECT_BATCH, over), ERR_LIMIT);
    fixture_close(&f);
    arena_close(texts);
}

TEST(collect, what_a_batch_shares_is_bounded_because_it_is_stored_with_each_event)
{
    struct fixture f = fixture_open();
    char           body[8000], fill[5000];
    memset(fill, 'x', sizeof fill);
    snprintf(body, sizeof body,
             "{\"batch\":[],\"context\":{\"a\":"
             "\"%.*s\"}}",
             OUTER_BYTES_MAX - 8, fill);
    assert_ok(parse(&f, COLLECT_BATCH, str_of(body)));
    snprintf(body, sizeof body,
             "{\"batch\":[],\"context\":{\"a\":"
             "\"%.*s\"}}",
             OUTER_BYTES_MAX - 7, fill);
    assert_int_equal(parse(&f, COLLECT_BATCH, str_of(body)), ERR_LIMIT);
    fixture_close(&f);
}

TEST(collect, nesting_beyond_the_bound_is_refused_and_not_followed)
{
    struct fixture f = fixture_open();
    char           deep[20000];
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    assert_int_equal(parse(&f, COLLECT_BATCH, (struct str){ deep, 20000 }), ERR_LIMIT);
    fixture_close(&f);
}

TEST(collect, a_small_arena_is_an_error_and_never_a_fault)
{
    static const char      body[] = "{\"context\":{\"a\":1},\"batch\":[{\"type\":\"page\",\"name\":"
                                    "\"n\","
                                    "\"userId\":7,\"context\":{\"direct\":true}},7]}";
    struct collect_parser *parser = collect_parser_open();
    bool                   taken = false;
    for (size_t bytes = 0; bytes < 40000 && !taken; bytes += 16) {
        struct arena          *arena = arena_open(bytes);
        struct collect_result  result;
        struct collect_request request = { .route = COLLECT_BATCH,
                                           .body = str_of(body),
                                           .client_ip = STR("::1") };
        enum err               err = collect_parse(parser, arena, &request, &result, NULL);
        assert_true(err == OK || err == ERR_MEMORY);
        taken = err == OK;
        arena_close(arena);
    }
    assert_true(taken);
    collect_parser_close(parser);
}

TEST(collect, a_stored_body_gives_the_record_back)
{
    struct fixture        f = fixture_open();
    struct json_parser   *json = json_parser_open();
    const struct arrival *made = one(&f, COLLECT_IDENTIFY,
                                     "{\"userId\":\"u\",\"traits\":{\"a\":[1,2.50,1e300,0.1,-0.0,"
                                     "\"\\u0001\\\"\\\\\\u00e5 long enough\"]"
                                     ",\"b\":{}},\"context\":{\"x\":null}}");
    struct arrival        read = { .body = made->body };
    assert_ok(arrival_body_read(&read, json, f.arena));
    assert_true(json_eq(read.traits, made->traits));
    assert_true(json_eq(read.context, made->context));
    assert_true(json_eq(read.properties, made->properties));
    read.body = STR("[]");
    assert_int_equal(arrival_body_read(&read, json, f.arena), ERR_CORRUPT);
    json_parser_close(json);
    fixture_close(&f);
}

TEST(collect, the_answer_names_what_was_refused)
{
    struct fixture f = fixture_open();
    struct buf     out = buf_make(10000);
    struct json    answer;
    assert_ok(parse(
        &f, COLLECT_BATCH,
        STR("{\"batch\":[{\"type\":\"track\",\"event\":\"e\",\"userId\":\"u\"},{\"type\":\"track\","
            "\"messageId\":\"bad\",\"event\":\"e\"}]}")));
    collect_answer_write(&out, &f.result);
    assert_ok(json_parse_once(f.arena, buf_view(&out), &answer, NULL));
    assert_true(json_get_bool(&answer, STR("success"), false));
    assert_int_equal(json_get(&answer, STR("accepted"))->integer, 1);
    assert_str(json_path(&answer, STR("rejected.0.messageId"))->string, "bad");
    assert_str(json_path(&answer, STR("rejected.0.reason"))->string, "no_user_anon_id");
    buf_done(&out);
    fixture_close(&f);
}

TEST(collect, analytics_js_gets_the_settings_it_boots_with)
{
    struct buf out = buf_make(1000);
    collect_settings_write(&out, STR("WK"),
                           (struct collect_host){ STR("cdp.example.com/v1"), STR("https") });
    assert_str(buf_view(&out), "{\"integrations\":{\"Segment.io\":{\"apiKey\":\"WK\",\"apiHost\":"
                               "\"cdp.example.com/v1\","
                               "\"protocol\":\"https\"}},\"metrics\":{\"sampleRate\":0}}");
    buf_done(&out);
}

TEST(collect, a_key_is_read_with_and_without_its_colon)
{
    static const struct {
        const char *header;
        enum err    err;
        const char *key;
    } cases[] = {
        { "Basic V0s6", OK, "WK" },       { "Basic V0s=", OK, "WK" },
        { "basic  V0s6 ", OK, "WK" },     { "Bearer abc", ERR_ABSENT, "" },
        { "", ERR_ABSENT, "" },           { "Basic ???", ERR_INPUT, "" },
        { "Basic", ERR_INPUT, "" },       { "Basic Ojo=", ERR_INPUT, "" },
        { "Digest V0s6", ERR_INPUT, "" },
    };
    struct arena *arena = arena_open(1 << 16);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str key = STR_NONE;
        assert_int_equal(collect_key_of_header(arena, str_of(cases[i].header), &key), cases[i].err);
        assert_str(key, cases[i].key);
    }
    arena_close(arena);
}
