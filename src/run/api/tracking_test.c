/* Links of our mails, followed as people and programs follow them. */
#include "run/api/api_rig.h"

#include "message/links.h"

/* Header lines of a person's browser. */
static const char person[] = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 "
                             "Firefox/126.0\r\n";
static const char scanner[] = "User-Agent: Barracuda Sentinel (EE)\r\n";

static const char template_text[] = "subject: Hello\ntopic: news\n--- html\n<p>Hello</p>\n";
static const char journey_text[] =
    "{\"journey\":\"welcome\",\"trigger\":{\"event\":\"Signed Up\"},\"nodes\":["
    "{\"id\":\"hello\",\"email\":\"hello\"},{\"id\":\"pause\",\"wait\":\"3 days\"},"
    "{\"id\":\"again\",\"email\":\"hello\"}]}";

/* Ada has signed up, her first mail is on its way, and she is in the journey. */
static struct links_conf mailed(struct rig *rig)
{
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/templates/hello", template_text), 200);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/journeys/welcome", journey_text), 200);
    assert_int_equal(rig_post(rig, "/v1/identify",
                              "{\"userId\":\"ada\",\"traits\":{\"email\":"
                              "\"ada@x.example\"}}"),
                     200);
    assert_int_equal(rig_post(rig, "/v1/track", "{\"userId\":\"ada\",\"event\":\"Signed Up\"}"),
                     200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/messages?profile=ada", ""), 200);
    return (struct links_conf){ .keys = rig->tokens,
                                .public_url = STR(""),
                                .profile = 0,
                                .message = (uint64_t)rig_int(rig, "items.0.id") };
}

static const char *link_of(struct rig *rig, const struct links_conf *conf,
                           enum token_purpose purpose, const char *target)
{
    SCOPED(buf_donep) struct buf url = buf_make(8192);
    if (purpose == TOKEN_CLICK)
        links_click_url(conf, str_of(target), &url);
    else
        links_url(conf, purpose, &url);
    return str_copy(rig->arena, buf_view(&url)).ptr;
}

static int told(struct rig *rig, const char *name)
{
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada/timeline", ""), 200);
    return rig_items(rig, "name", name);
}

/* Of the newest item of the timeline. */
static const struct json *properties(const struct rig *rig)
{
    const struct json *items = json_get(&rig->json, STR("items"));
    return json_get(&items->items[0], STR("properties"));
}

TEST(tracking, a_followed_link_leads_on_and_is_on_the_timeline)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = mailed(rig);
    const char       *url = link_of(rig, &conf, TOKEN_CLICK, "https://shop.example/?a=1&b=2");
    assert_int_equal(rig_ask(rig, "GET", url, person, STR_NONE), 302);
    assert_true(str_find(rig->head, 0, STR("Location: https://shop.example/?a=1&b=2")) <
                rig->head.len);
    assert_int_equal(told(rig, "Message Clicked"), 1);
    assert_str(rig_str(rig, "items.0.properties.url"), "https://shop.example/?a=1&b=2");
    assert_str(rig_str(rig, "items.0.properties.template"), "hello");
    assert_int_equal(rig_int(rig, "items.0.properties.message"), (int64_t)conf.message);
    assert_false(json_get_bool(properties(rig), STR("machine"), false));
    rig_close(rig);
}

static int64_t people_who(struct rig *rig, const char *condition)
{
    char body[200];
    snprintf(body, sizeof body, "{\"condition\":\"%s\"}", condition);
    assert_int_equal(rig_call(rig, "POST", "/api/v1/segments/count", body), 200);
    return rig_int(rig, "count");
}

TEST(tracking, what_a_scanner_follows_is_a_click_by_a_machine_and_not_a_persons)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = mailed(rig);
    const char       *url = link_of(rig, &conf, TOKEN_CLICK, "https://shop.example/");
    assert_int_equal(rig_ask(rig, "GET", url, scanner, STR_NONE), 302);
    assert_int_equal(rig_ask(rig, "HEAD", url, person, STR_NONE), 302);
    assert_int_equal(told(rig, "Message Clicked"), 2);
    assert_true(json_get_bool(properties(rig), STR("machine"), false));
    assert_int_equal(people_who(rig, "clicked any message by a machine at least 2 times"), 1);
    assert_int_equal(people_who(rig, "clicked any message"), 0);
    assert_int_equal(rig_ask(rig, "GET", url, person, STR_NONE), 302);
    assert_int_equal(people_who(rig, "clicked any message"), 1);
    assert_int_equal(people_who(rig, "clicked any message by a machine at least 3 times"), 0);
    rig_close(rig);
}

TEST(tracking, a_link_whose_target_was_changed_leads_nowhere)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = mailed(rig);
    char              bent[400];
    const char       *url = link_of(rig, &conf, TOKEN_CLICK, "https://shop.example/");
    snprintf(bent, sizeof bent, "%.*s?u=https%%3A%%2F%%2Fevil.example%%2F",
             (int)(strchr(url, '?') - url), url);
    assert_int_equal(rig_ask(rig, "GET", bent, "", STR_NONE), 404);
    assert_true(str_find(rig->head, 0, STR("Location")) == rig->head.len);
    rig_close(rig);
}

TEST(tracking, the_pixel_is_a_picture_in_any_case_and_an_open_when_it_is_ours)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = mailed(rig);
    assert_int_equal(rig_ask(rig, "GET", link_of(rig, &conf, TOKEN_OPEN, NULL), "", STR_NONE), 200);
    assert_true(str_starts(rig->body, STR("GIF89a")));
    assert_int_equal(rig->body.len, 43);
    assert_true(str_find(rig->head, 0, STR("no-store")) < rig->head.len);
    assert_int_equal(told(rig, "Message Opened"), 1);
    assert_int_equal(rig_ask(rig, "GET", "/o/AAAA.gif", "", STR_NONE), 200);
    assert_int_equal(told(rig, "Message Opened"), 1);
    rig_close(rig);
}

static struct str consent(struct rig *rig)
{
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada", ""), 200);
    return rig_str(rig, "consents.0.state");
}

TEST(tracking, looking_at_the_unsubscribe_page_changes_nothing)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = mailed(rig);
    const char       *url = link_of(rig, &conf, TOKEN_UNSUBSCRIBE, NULL);
    assert_int_equal(rig_ask(rig, "GET", url, "", STR_NONE), 200);
    assert_true(str_find(rig->body, 0, STR("<button")) < rig->body.len);
    assert_true(str_find(rig->body, 0, STR("Tents &amp; Trails")) < rig->body.len);
    assert_int_equal(consent(rig).len, 0);
    assert_int_equal(told(rig, "Message Unsubscribed"), 0);
    rig_close(rig);
}

TEST(tracking, one_click_ends_the_journey_and_the_topic_and_can_be_told_twice)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = mailed(rig);
    const char       *url = link_of(rig, &conf, TOKEN_UNSUBSCRIBE, NULL);
    assert_int_equal(rig_ask(rig, "POST", url, "Content-Type: multipart/form-data; boundary=x\r\n",
                             STR("--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\""
                                 "\r\n\r\nOne-Click\r\n--x--\r\n")),
                     200);
    assert_int_equal(rig_ask(rig, "POST", url,
                             "Content-Type: application/x-www-form-urlencoded\r\n",
                             STR("List-Unsubscribe=One-Click")),
                     200);
    assert_str(consent(rig), "unsubscribed");
    assert_str(rig_str(rig, "consents.0.topic"), "news");
    assert_int_equal(json_get(&rig->json, STR("journeys"))->count, 0);
    assert_int_equal(told(rig, "Message Unsubscribed"), 1);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/messages?profile=ada", ""), 200);
    assert_str(rig_str(rig, "items.0.state"), "held"); /* it was still queued */
    rig_close(rig);
}

TEST(tracking, who_pressed_by_mistake_can_take_it_back_and_is_where_they_were_before)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = mailed(rig);
    const char       *url = link_of(rig, &conf, TOKEN_UNSUBSCRIBE, NULL);
    assert_int_equal(rig_ask(rig, "POST", url, "", STR("action=unsubscribe")), 200);
    assert_str(consent(rig), "unsubscribed");
    assert_int_equal(rig_ask(rig, "POST", url, "", STR("action=unsubscribe")), 200);
    assert_true(str_find(rig->body, 0, STR("value=\"unknown all news\"")) < rig->body.len);
    assert_int_equal(rig_ask(rig, "POST", url, "", STR("action=undo&was=unknown+all+news")), 200);
    assert_str(consent(rig), "unknown");
    assert_int_equal(rig_call(rig, "POST", "/api/v1/profiles/ada/consent",
                              "{\"topic\":\"news\",\"state\":\"subscribed\"}"),
                     200);
    assert_int_equal(rig_ask(rig, "POST", url, "", STR("action=unsubscribe")), 200);
    assert_true(str_find(rig->body, 0, STR("value=\"subscribed all news\"")) < rig->body.len);
    rig_close(rig);
}

TEST(tracking, the_page_speaks_the_readers_language_and_else_the_browsers)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = mailed(rig);
    const char       *url = link_of(rig, &conf, TOKEN_UNSUBSCRIBE, NULL);
    assert_int_equal(rig_ask(rig, "GET", url, "Accept-Language: pt, de-CH;q=0.8\r\n", STR_NONE),
                     200);
    assert_true(str_find(rig->body, 0, STR("<html lang=\"de\">")) < rig->body.len);
    assert_true(str_find(rig->body, 0, STR("Abmelden")) < rig->body.len);
    assert_int_equal(
        rig_post(rig, "/v1/identify", "{\"userId\":\"ada\",\"traits\":{\"language\":\"nn\"}}"),
        200);
    assert_int_equal(rig_ask(rig, "GET", url, "Accept-Language: de\r\n", STR_NONE), 200);
    assert_true(str_find(rig->body, 0, STR("<html lang=\"nb\">")) < rig->body.len);
    rig_close(rig);
}

TEST(tracking, a_word_by_a_link_has_the_proof_of_who_when_how_and_from_where)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = mailed(rig);
    const char       *url = link_of(rig, &conf, TOKEN_UNSUBSCRIBE, NULL);
    assert_int_equal(rig_ask(rig, "POST", url, person, STR("List-Unsubscribe=One-Click")), 200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada/consent", ""), 200);
    assert_str(rig_str(rig, "said.0.detail.how"), "one-click");
    assert_str(rig_str(rig, "said.0.detail.proof.by"), "person");
    assert_str(rig_str(rig, "said.0.detail.proof.ip"), "127.0.0.1");
    assert_true(str_starts(rig_str(rig, "said.0.detail.proof.agent"), STR("Mozilla/5.0 (X11;")));
    assert_int_equal(rig_int(rig, "said.0.detail.proof.message"), (int64_t)conf.message);
    assert_str(rig_str(rig, "topics.0.state"), "unsubscribed");
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada/explain?topic=news", ""), 200);
    assert_str(rig_str(rig, "consent.because"), "unsubscribed");
    rig_close(rig);
}

TEST(tracking, a_forged_token_meets_a_page_that_tells_nothing)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = mailed(rig);
    char              forged[300];
    snprintf(forged, sizeof forged, "%s", link_of(rig, &conf, TOKEN_UNSUBSCRIBE, NULL));
    forged[8] = forged[8] == 'A' ? 'B' : 'A';
    assert_int_equal(rig_ask(rig, "POST", forged, "", STR("List-Unsubscribe=One-Click")), 404);
    assert_int_equal(rig_ask(rig, "GET", forged, "", STR_NONE), 404);
    assert_true(str_find(rig->body, 0, STR("ada")) == rig->body.len);
    assert_int_equal(consent(rig).len, 0);
    conf.profile = 77; /* sealed by us, of somebody who is not there */
    assert_int_equal(rig_ask(rig, "POST", link_of(rig, &conf, TOKEN_UNSUBSCRIBE, NULL), "",
                             STR("List-Unsubscribe=One-Click")),
                     404);
    rig_close(rig);
}

/* ---- the mail in a browser ---- */

static const char shown_text[] =
    "subject: Hi {{ person.first_name }}\ntopic: news\n--- html\n<p>Hello {{ person.first_name }}, "
    "<a href=\"https://shop.example/\">shop</a> or <a href=\"{{ links.view }}\">look</a></p>\n";

/* A rig that shows mails, with Ada's queued. */
static struct links_conf shown(struct rig *rig, const char *template)
{
    struct problem problem;
    rig_stop(rig);
    assert_ok(secrets_open(&rig->secrets, rig->dir, &problem));
    rig_serve(rig);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/workspace",
                              "{\"name\":\"Tents\",\"address\":\"1 Road\",\"sender\":{\"email\":"
                              "\"a@tents.example\"},\"topics\":[\"news\"]}"),
                     200);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/templates/hello", template), 200);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/journeys/welcome", journey_text), 200);
    assert_int_equal(rig_post(rig, "/v1/identify",
                              "{\"userId\":\"ada\",\"traits\":{\"first_name\":\"Ada <3\",\"email\":"
                              "\"ada@x.example\"}}"),
                     200);
    assert_int_equal(rig_post(rig, "/v1/track", "{\"userId\":\"ada\",\"event\":\"Signed Up\"}"),
                     200);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/messages?profile=ada", ""), 200);
    return (struct links_conf){ .keys = rig->tokens,
                                .public_url = STR(""),
                                .profile = 0,
                                .message = (uint64_t)rig_int(rig, "items.0.id") };
}

/* Delivery has room for it. */
static void claimed(struct rig *rig)
{
    core_room(rig->core, 1);
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(rig_call(rig, "GET", "/api/v1/messages?profile=ada", ""), 200);
        if (str_eq(rig_str(rig, "items.0.state"), STR("sending")))
            return;
        usleep(1000);
    }
    fail();
}

static bool body_has(const struct rig *rig, const char *text)
{
    return str_find(rig->body, 0, str_of(text)) < rig->body.len;
}

static bool head_has(const struct rig *rig, const char *text)
{
    return str_find(rig->head, 0, str_of(text)) < rig->head.len;
}

TEST(tracking, a_mail_in_a_browser_says_what_the_mail_said_and_does_nothing)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = shown(rig, shown_text);
    const char       *url = link_of(rig, &conf, TOKEN_VIEW, NULL);
    assert_int_equal(rig_ask(rig, "GET", url, "", STR_NONE), 404); /* there is no mail yet */
    claimed(rig);
    assert_int_equal(rig_post(rig, "/v1/identify",
                              "{\"userId\":\"ada\",\"traits\":{\"first_name\":\"Countess\"}}"),
                     200);
    assert_int_equal(rig_call(rig, "PUT", "/api/v1/templates/hello",
                              "subject: New\ntopic: news\n--- html\nanother\n"),
                     200);
    assert_int_equal(rig_ask(rig, "GET", url, "", STR_NONE), 200);
    assert_true(body_has(rig, "Hello Ada &lt;3, <a href=\"https://shop.example/\">shop"));
    assert_true(body_has(rig, "<a href=\"https://t.example/v/"));
    assert_true(body_has(rig, "https://t.example/u/")); /* the way out that was added */
    assert_false(body_has(rig, "/o/") || body_has(rig, "/c/"));
    assert_true(head_has(rig, "Content-Security-Policy: default-src 'none'; img-src http: https: "
                              "data:; style-src 'unsafe-inline';"));
    assert_true(head_has(rig, "Cache-Control: no-store") && head_has(rig, "X-Robots-Tag: noindex"));
    assert_true(head_has(rig, "Content-Type: text/html"));
    assert_int_equal(told(rig, "Message Opened") + told(rig, "Message Clicked"), 0);
    rig_close(rig);
}

static void order(struct rig *rig)
{
    assert_int_equal(rig_post(rig, "/v1/track",
                              "{\"userId\":\"ada\",\"event\":\"Order Completed\",\"properties\":{"
                              "\"revenue\":120}}"),
                     200);
}

TEST(tracking, a_mail_shows_what_a_computed_trait_was_when_it_went_out)
{
    struct rig *rig = rig_open();
    assert_int_equal(
        rig_call(rig, "PUT", "/api/v1/traits/spent", "sum of revenue of \"Order Completed\""), 200);
    order(rig);
    struct links_conf conf =
        shown(rig, "subject: Hi\ntopic: news\n--- text\nYou spent {{ person.spent }} NOK.\n");
    const char *url = link_of(rig, &conf, TOKEN_VIEW, NULL);
    claimed(rig);
    order(rig);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/profiles/ada", ""), 200);
    assert_int_equal(rig_int(rig, "computed.spent"), 240);
    assert_int_equal(rig_ask(rig, "GET", url, "", STR_NONE), 200);
    assert_true(body_has(rig, "You spent 120 NOK."));
    rig_close(rig);
}

TEST(tracking, a_mail_of_plain_text_is_shown_as_text)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = shown(rig, "subject: Hi\ntopic: news\n--- text\n"
                                        "{{ person.first_name }}\n<script>x</script>\n");
    claimed(rig);
    assert_int_equal(rig_ask(rig, "GET", link_of(rig, &conf, TOKEN_VIEW, NULL), "", STR_NONE), 200);
    assert_true(body_has(rig, "Ada &lt;3\n&lt;script&gt;x&lt;/script&gt;"));
    assert_false(body_has(rig, "<script"));
    rig_close(rig);
}

TEST(tracking, only_a_token_made_for_looking_shows_a_mail)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = shown(rig, shown_text);
    char              url[300];
    claimed(rig);
    snprintf(url, sizeof url, "%s", link_of(rig, &conf, TOKEN_UNSUBSCRIBE, NULL));
    url[1] = 'v';
    assert_int_equal(rig_ask(rig, "GET", url, "", STR_NONE), 404);
    assert_false(body_has(rig, "Ada"));
    conf.profile = 77; /* sealed by us, of somebody who is not there */
    assert_int_equal(rig_ask(rig, "GET", link_of(rig, &conf, TOKEN_VIEW, NULL), "", STR_NONE), 404);
    conf = (struct links_conf){ .keys = rig->tokens, .public_url = STR(""), .message = 1 };
    assert_int_equal(rig_ask(rig, "GET", link_of(rig, &conf, TOKEN_VIEW, NULL), "", STR_NONE), 404);
    rig_close(rig);
}
