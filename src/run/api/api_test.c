/* Events in, questions answered: over real sockets, with a real core in a folder. */
#include "run/api/api_rig.h"

#include <pthread.h>

TEST(api, an_event_that_was_answered_stands_on_the_timeline)
{
    struct rig *rig = rig_open();
    assert_int_equal(rig_post(rig, "/v1/track",
                              "{\"userId\":\"ada\",\"event\":\"Signed Up\","
                              "\"messageId\":\"m1\",\"properties\":{\"plan\":\"free\"}}"),
                     200);
    assert_int_equal(rig_int(rig, "accepted"), 1);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada/timeline", ""), 200);
    assert_int_equal(rig_items(rig, "name", "Signed Up"), 1);
    assert_int_equal(rig_items(rig, "messageId", "m1"), 1);
    assert_int_equal(rig_items(rig, "type", "profile"), 1);
    assert_str(rig_str(rig, "items.1.properties.plan"), "free");
    assert_int_equal(json_get(&rig->json, STR("next"))->kind, JSON_NULL);
    rig_close(rig);
}

TEST(api, what_a_browser_tells_is_known_after_a_restart)
{
    static const char event[] =
        "{\"userId\":\"ada\",\"event\":\"Seen\",\"context\":{\"locale\":\"nb-NO\"}}";
    struct rig *rig = rig_open();
    assert_int_equal(rig_post(rig, "/v1/track", event), 200);
    rig_stop(rig);
    rig_serve(rig);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/count",
                              "{\"condition\":\"language = \\\"nb\\\"\"}"),
                     200);
    assert_int_equal(rig_int(rig, "count"), 1);
    rig_close(rig);
}

TEST(api, a_message_told_again_is_taken_once_also_after_a_restart)
{
    static const char event[] = "{\"userId\":\"echo\",\"event\":\"Told\",\"messageId\":\"same\"}";
    struct rig       *rig = rig_open();
    assert_int_equal(rig_post(rig, "/v1/t", event), 200);
    assert_int_equal(rig_post(rig, "/v1/track", event), 200);
    rig_stop(rig);
    rig_serve(rig);
    assert_int_equal(rig_post(rig, "/v1/track", event), 200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/echo/timeline", ""), 200);
    assert_int_equal(rig_items(rig, "name", "Told"), 1);
    rig_close(rig);
}

TEST(api, an_alias_and_an_empty_identify_are_told_too)
{
    struct rig *rig = rig_open();
    assert_int_equal(rig_post(rig, "/v1/identify", "{\"userId\":\"a\",\"messageId\":\"i\"}"), 200);
    assert_int_equal(rig_post(rig, "/v1/track", "{\"userId\":\"a\",\"event\":\"E\"}"), 200);
    assert_int_equal(rig_post(rig, "/v1/alias", "{\"userId\":\"b\",\"previousId\":\"a\"}"), 200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/b/timeline", ""), 200);
    assert_int_equal(rig_items(rig, "type", "identify"), 1);
    assert_int_equal(rig_items(rig, "type", "track"), 1);
    assert_int_equal(rig_items(rig, "type", "alias"), 1);
    rig_close(rig);
}

TEST(api, a_timeline_read_in_pages_is_the_one_read_at_once)
{
    struct rig *rig = rig_open();
    char        path[400] = "/api/v1/profiles/ada/timeline?limit=3", seen[4096] = "", body[200];
    int         pages = 0, items = 0;
    for (int i = 0; i < 10; i++) {
        snprintf(body, sizeof body,
                 "{\"userId\":\"ada\",\"event\":\"E%d\",\"messageId\":\"m%d\","
                 "\"timestamp\":\"2024-01-0%d\",\"sentAt\":\"2024-01-0%d\"}",
                 i, i, i % 3 + 1, i % 3 + 1);
        assert_int_equal(rig_post(rig, "/v1/track", body), 200);
    }
    do {
        assert_int_equal(rig_call(rig, "GET", path, ""), 200);
        const struct json *list = json_get(&rig->json, STR("items"));
        assert_true(list->count <= 3);
        for (uint32_t i = 0; i < list->count; i++, items++) {
            struct str id = json_get_str(&list->items[i], STR("messageId"));
            snprintf(body, sizeof body, "<%.*s>", STR_ARG(id));
            assert_true(id.len == 0 || strstr(seen, body) == NULL);
            strcat(seen, body);
        }
        snprintf(path, sizeof path, "/api/v1/profiles/ada/timeline?limit=3&cursor=%.*s",
                 STR_ARG(rig_str(rig, "next")));
    } while (rig_str(rig, "next").len > 0 && ++pages < 20);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada/timeline", ""), 200);
    assert_int_equal(json_get(&rig->json, STR("items"))->count, items);
    for (int i = 0; i < 10; i++) {
        snprintf(body, sizeof body, "<m%d>", i);
        assert_non_null(strstr(seen, body));
    }
    rig_close(rig);
}

TEST(api, an_unknown_key_or_none_is_refused_and_leaves_nothing)
{
    static const char event[] = "{\"userId\":\"thief\",\"event\":\"E\"}";
    struct rig       *rig = rig_open();
    assert_int_equal(rig_ask(rig, "POST", "/v1/track", "", str_of(event)), 401);
    assert_int_equal(
        rig_ask(rig, "POST", "/v1/track", "Authorization: Basic bm9wZTo=\r\n", str_of(event)), 401);
    assert_int_equal(rig_ask(rig, "POST", "/v1/track", "",
                             STR("{\"writeKey\":\"nope\",\"userId\":\"thief\",\"event\":\"E\"}")),
                     401);
    assert_int_equal(rig_call(rig, "POST", "/v1/track", event), 401); /* an API key is none */
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/thief", ""), 404);
    assert_str(rig_str(rig, "error.code"), "absent");
    assert_true(rig_str(rig, "error.remedy").len > 0);
    rig_close(rig);
}

TEST(api, the_write_key_may_stand_in_the_body)
{
    struct rig *rig = rig_open();
    char        body[300];
    snprintf(body, sizeof body, "{\"writeKey\":\"%s\",\"userId\":\"web\",\"event\":\"Seen\"}",
             rig->write_key);
    assert_int_equal(rig_ask(rig, "POST", "/v1/t",
                             "Content-Type: text/plain\r\n"
                             "Origin: https://shop.example\r\n",
                             str_of(body)),
                     200);
    assert_true(str_find(rig->head, 0, STR("Access-Control-Allow-Origin: https://shop.example")) <
                rig->head.len);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/web", ""), 200);
    rig_close(rig);
}

TEST(api, bad_events_are_listed_and_the_good_ones_beside_them_taken)
{
    struct rig *rig = rig_open();
    assert_int_equal(rig_post(rig, "/v1/batch",
                              "{\"batch\":[{\"type\":\"track\",\"userId\":\"m\","
                              "\"event\":\"Good\"},{\"type\":\"track\",\"event\":\"Of Nobody\","
                              "\"messageId\":\"bad1\"}]}"),
                     200);
    assert_int_equal(rig_int(rig, "accepted"), 1);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/rejected", ""), 200);
    assert_int_equal(rig_items(rig, "messageId", "bad1"), 1);
    assert_true(rig_str(rig, "items.0.remedy").len > 0);
    assert_int_equal(rig_post(rig, "/v1/batch", "{\"batch\":7}"), 400);
    assert_int_equal(rig_post(rig, "/v1/track", "{\"userId\":"), 400);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/refused", ""), 200);
    assert_true(rig_int(rig, "total") >= 2);
    rig_close(rig);
}

TEST(api, a_write_key_opens_no_other_door_and_each_door_has_its_scope)
{
    struct rig *rig = rig_open();
    char        headers[128];
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", rig->write_key);
    assert_int_equal(rig_ask(rig, "GET", "/api/v1/stats", headers, STR_NONE), 401);
    assert_int_equal(rig_ask(rig, "GET", "/api/v1/stats", "", STR_NONE), 401);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/stats", ""), 200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/keys", ""), 403);
    assert_int_equal(
        rig_call(rig, "POST", "/api/v1/keys", "{\"kind\":\"owner\",\"name\":\"thief\"}"), 403);
    rig_close(rig);
}

TEST(api, a_key_is_shown_once_and_ends_when_revoked)
{
    struct rig *rig = rig_open();
    char        path[64], event[] = "{\"userId\":\"a\",\"event\":\"E\"}";
    rig->by_socket = true;
    assert_int_equal(rig_call(rig, "GET", "/api/v1/keys", ""), 200);
    assert_int_equal(rig_items(rig, "name", "shop"), 1);
    assert_true(str_find(rig->body, 0, str_of(rig->write_key)) == rig->body.len);
    snprintf(path, sizeof path, "/api/v1/keys/%d", (int)rig_int(rig, "items.0.id"));
    assert_int_equal(rig_call(rig, "DELETE", path, ""), 200);
    assert_int_equal(rig_call(rig, "DELETE", path, ""), 404);
    rig->by_socket = false;
    assert_int_equal(rig_post(rig, "/v1/track", event), 401);
    rig_close(rig);
}

TEST(api, the_first_owner_comes_by_a_token_that_works_once)
{
    struct rig *rig = rig_open();
    char        token[AUTH_KEY_TEXT_BYTES], body[200];
    assert_ok(api_owner_token(rig->api, token));
    assert_int_equal(rig_ask(rig, "POST", "/api/v1/owner", "", STR("{\"token\":\"do_no\"}")), 403);
    snprintf(body, sizeof body, "{\"token\":\"%s\",\"name\":\"ada\"}", token);
    assert_int_equal(rig_ask(rig, "POST", "/api/v1/owner", "", str_of(body)), 201);
    str_to_cstr(rig_str(rig, "key"), rig->api_key, sizeof rig->api_key);
    assert_int_equal(rig_ask(rig, "POST", "/api/v1/owner", "", str_of(body)), 403);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/keys", ""), 200);
    assert_int_equal(api_owner_token(rig->api, token), ERR_CONFLICT);
    rig_close(rig);
}

TEST(api, a_person_is_shown_with_traits_ids_and_merges_and_a_merge_can_be_undone)
{
    struct rig *rig = rig_open();
    char        body[100];
    assert_int_equal(rig_post(rig, "/v1/track", "{\"anonymousId\":\"x1\",\"event\":\"Saw\"}"), 200);
    assert_int_equal(rig_post(rig, "/v1/identify",
                              "{\"userId\":\"ada\",\"anonymousId\":\"x1\","
                              "\"traits\":{\"email\":\"ada@x.example\"}}"),
                     200);
    assert_int_equal(rig_post(rig, "/v1/track", "{\"userId\":\"bob\",\"event\":\"Saw\"}"), 200);
    assert_int_equal(rig_post(rig, "/v1/alias", "{\"userId\":\"ada\",\"previousId\":\"bob\"}"),
                     200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/anonymous:x1", ""), 200);
    assert_str(rig_str(rig, "traits.email"), "ada@x.example");
    int64_t merge = rig_int(rig, "merges.0.merge");
    assert_true(merge > 0);
    snprintf(body, sizeof body, "{\"merge\":%d}", (int)merge);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/profiles/ada/unmerge", body), 200);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/profiles/ada/unmerge", body), 404);
    rig_close(rig);
}

TEST(api, consent_and_lists_can_be_changed_by_hand)
{
    struct rig *rig = rig_open();
    assert_int_equal(rig_post(rig, "/v1/track", "{\"userId\":\"ada\",\"event\":\"E\"}"), 200);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/profiles/ada/consent",
                              "{\"topic\":\"news\",\"state\":\"unsubscribed\",\"how\":\"phone\"}"),
                     200);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/profiles/ada/lists", "{\"list\":\"beta\"}"),
                     200);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/profiles/ada/consent", "{\"state\":\"?\"}"),
                     400);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/profiles/ada/consent",
                              "{\"state\":\"subscribed\",\"channel\":\"fax\"}"),
                     400);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/profiles/ada/consent",
                              "{\"state\":\"unsubscribed\",\"channel\":\"sms\"}"),
                     200);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/profiles/none/lists", "{\"list\":\"b\"}"), 404);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada", ""), 200);
    assert_str(rig_str(rig, "consents.0.topic"), "news");
    assert_str(rig_str(rig, "consents.0.state"), "unsubscribed");
    assert_int_equal(rig_str(rig, "consents.0.channel").len, 0);
    assert_str(rig_str(rig, "consents.1.topic"), "*");
    assert_str(rig_str(rig, "consents.1.channel"), "sms");
    assert_str(rig_str(rig, "lists.0.list"), "beta");
    assert_int_equal(
        rig_call(rig, "POST", "/api/v1/profiles/ada/lists", "{\"list\":\"beta\",\"leave\":true}"),
        200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada", ""), 200);
    assert_int_equal(json_get(&rig->json, STR("lists"))->count, 0);
    rig_close(rig);
}

TEST(api, a_list_and_consent_told_late_count_from_when_they_were_given)
{
    struct rig *rig = rig_open();
    assert_int_equal(rig_post(rig, "/v1/identify", "{\"userId\":\"ada\"}"), 200);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/profiles/ada/lists",
                              "{\"list\":\"news\",\"at\":\"2026-01-05T00:00:00Z\"}"),
                     200);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/profiles/ada/consent",
                              "{\"state\":\"subscribed\",\"at\":\"2026-01-06T00:00:00Z\"}"),
                     200);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/count",
                              "{\"condition\":\"in list \\\"news\\\" and consent is unknown\","
                              "\"at\":\"2026-01-05T00:00:00Z\"}"),
                     200);
    assert_int_equal(rig_int(rig, "count"), 1);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/count",
                              "{\"condition\":\"consent is granted\","
                              "\"at\":\"2026-01-06T00:00:00Z\"}"),
                     200);
    assert_int_equal(rig_int(rig, "count"), 1);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/profiles/ada/lists",
                              "{\"list\":\"news\",\"at\":\"2999-01-01\"}"),
                     400);
    assert_str(rig_str(rig, "error.where"), "at");
    rig_close(rig);
}

TEST(api, the_same_door_is_open_without_a_key_by_the_socket_in_the_folder)
{
    struct rig *rig = rig_open();
    rig->by_socket = true;
    assert_int_equal(
        rig_ask(rig, "POST", "/v1/track", "", STR("{\"userId\":\"a\",\"event\":\"E\"}")), 200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/stats", ""), 200);
    assert_int_equal(rig_int(rig, "profiles"), 1);
    assert_int_equal(rig_call(rig, "GET", "/metrics", ""), 200);
    assert_true(str_find(rig->body, 0, STR("dult_records_total 1")) < rig->body.len);
    assert_int_equal(rig_call(rig, "GET", "/healthz", ""), 200);
    rig_close(rig);
}

TEST(api, analytics_js_finds_its_settings_and_its_metrics_are_dropped)
{
    struct rig *rig = rig_open();
    char        path[200];
    snprintf(path, sizeof path, "/v1/projects/%s/settings", rig->write_key);
    assert_int_equal(rig_ask(rig, "GET", path, "", STR_NONE), 200);
    assert_true(str_find(rig->body, 0, STR("t.example/v1")) < rig->body.len);
    assert_int_equal(rig_ask(rig, "GET", "/v1/projects/nope/settings", "", STR_NONE), 404);
    assert_int_equal(rig_ask(rig, "POST", "/v1/m", "", STR("{\"series\":[]}")), 200);
    rig_close(rig);
}

/* ---- squeezed, and many at once ---- */

/* By the system's gzip, for the library belongs to intake alone. */
static struct str squeezed(struct arena *arena, struct str text)
{
    char   path[] = "/tmp/dult-squeeze-XXXXXX", words[64];
    size_t room = text.len + 1000, len = 0, got;
    char  *out = arena_alloc(arena, room);
    int    file = mkstemp(path);
    assert_true(file >= 0 && write(file, text.ptr, text.len) == (ssize_t)text.len);
    close(file);
    snprintf(words, sizeof words, "gzip -c %s", path);
    FILE *pipe = popen(words, "r");
    assert_non_null(pipe);
    while ((got = fread(out + len, 1, room - len, pipe)) > 0)
        len += got;
    assert_int_equal(pclose(pipe), 0);
    unlink(path);
    return (struct str){ out, len };
}

TEST(api, a_squeezed_body_is_read_whatever_it_claims_and_a_bomb_is_not)
{
    struct rig *rig = rig_open();
    char        head[300], *bomb = arena_alloc(rig->arena, 16 << 20);
    struct str batch = STR("{\"batch\":[{\"type\":\"track\",\"userId\":\"zip\",\"event\":\"E\"}]}");
    SCOPED(buf_donep) struct buf pair = buf_make(100), key = buf_make(200);
    buf_format(&pair, "%s:", rig->write_key);
    base64_write(&key, buf_view(&pair));
    snprintf(head, sizeof head,
             "Authorization: Basic %.*s\r\nContent-Encoding: gzip\r\n"
             "Content-Type: application/x-www-form-urlencoded\r\n",
             STR_ARG(buf_view(&key)));
    assert_int_equal(rig_ask(rig, "POST", "/v1/batch", head, squeezed(rig->arena, batch)), 200);
    assert_int_equal(rig_int(rig, "accepted"), 1);
    assert_int_equal(rig_ask(rig, "POST", "/v1/batch", head, STR("no gzip at all")), 400);
    memset(bomb, ' ', 16 << 20);
    assert_int_equal(rig_ask(rig, "POST", "/v1/batch", head,
                             squeezed(rig->arena, (struct str){ bomb, 16 << 20 })),
                     413);
    rig_close(rig);
}

enum { SENDERS = 4, SENT_EACH = 40 };

struct sender {
    struct rig rig; /* a copy with an arena of its own */
    int        number, taken;
};

static void *sender_run(void *context)
{
    struct sender *sender = context;
    char           body[200];
    for (int i = 0; i < SENT_EACH; i++) {
        snprintf(body, sizeof body, "{\"userId\":\"u%d\",\"event\":\"E\",\"messageId\":\"%d-%d\"}",
                 i % 7, sender->number, i);
        sender->taken += rig_post(&sender->rig, "/v1/track", body) == 200;
    }
    return NULL;
}

TEST(api, many_may_send_while_others_count_and_keys_change)
{
    struct rig   *rig = rig_open();
    struct sender senders[SENDERS];
    pthread_t     threads[SENDERS];
    char          key[64];
    int           taken = 0;
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){ .rig = *rig, .number = i };
        senders[i].rig.arena = arena_open(512 << 20);
        assert_int_equal(pthread_create(&threads[i], NULL, sender_run, &senders[i]), 0);
    }
    for (int i = 0; i < 10; i++) {
        rig_key(rig, "{\"kind\":\"write\",\"name\":\"more\"}", key, sizeof key);
        assert_int_equal(rig_call(rig, "GET", "/api/v1/segments/count?condition=did+%22E%22", ""),
                         200);
        assert_int_equal(rig_call(rig, "GET", "/api/v1/stats", ""), 200);
    }
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
        taken += senders[i].taken;
        arena_close(senders[i].rig.arena);
    }
    assert_int_equal(taken, SENDERS * SENT_EACH);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/segments/count?condition=did+%22E%22", ""), 200);
    assert_int_equal(rig_int(rig, "count"), 7);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/stats", ""), 200);
    assert_int_equal(rig_int(rig, "events"), taken);
    rig_close(rig);
}

TEST(api, who_is_lost_is_told_where_the_description_is_and_it_is_there)
{
    struct rig *rig = rig_open();
    assert_int_equal(rig_ask(rig, "GET", "/nowhere", "", STR_NONE), 404);
    struct str remedy = rig_str(rig, "error.remedy");
    size_t     at = str_find(remedy, 0, STR("/api/"));
    char       path[100];
    assert_true(at < remedy.len);
    str_to_cstr(str_slice(remedy, at, remedy.len), path, sizeof path);
    assert_int_equal(rig_ask(rig, "GET", path, "", STR_NONE), 200);
    assert_true(str_starts(rig_str(rig, "openapi"), STR("3.1")));
    rig_close(rig);
}
