/* Links of our mails, followed as people and programs follow them. */
#include "run/api_rig.h"

#include "message/links.h"

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

TEST(tracking, a_followed_link_leads_on_and_is_on_the_timeline)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = mailed(rig);
    const char       *url = link_of(rig, &conf, TOKEN_CLICK, "https://shop.example/?a=1&b=2");
    assert_int_equal(rig_ask(rig, "HEAD", url, "", STR_NONE), 302);
    assert_int_equal(told(rig, "Email Clicked"), 0);
    assert_int_equal(rig_ask(rig, "GET", url, "", STR_NONE), 302);
    assert_true(str_find(rig->head, 0, STR("Location: https://shop.example/?a=1&b=2")) <
                rig->head.len);
    assert_int_equal(told(rig, "Email Clicked"), 1);
    assert_str(rig_str(rig, "items.0.properties.url"), "https://shop.example/?a=1&b=2");
    assert_str(rig_str(rig, "items.0.properties.template"), "hello");
    assert_int_equal(rig_int(rig, "items.0.properties.message"), (int64_t)conf.message);
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
    assert_int_equal(told(rig, "Email Opened"), 1);
    assert_int_equal(rig_ask(rig, "GET", "/o/AAAA.gif", "", STR_NONE), 200);
    assert_int_equal(told(rig, "Email Opened"), 1);
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
    assert_int_equal(told(rig, "Email Unsubscribed"), 0);
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
    assert_int_equal(told(rig, "Email Unsubscribed"), 1);
    assert_int_equal(rig_call(rig, "GET", "/api/v1/messages?profile=ada", ""), 200);
    assert_str(rig_str(rig, "items.0.state"), "held"); /* it was still queued */
    rig_close(rig);
}

TEST(tracking, who_pressed_by_mistake_can_take_it_back)
{
    struct rig       *rig = rig_open();
    struct links_conf conf = mailed(rig);
    const char       *url = link_of(rig, &conf, TOKEN_UNSUBSCRIBE, NULL);
    assert_int_equal(rig_ask(rig, "POST", url, "", STR("action=unsubscribe")), 200);
    assert_str(consent(rig), "unsubscribed");
    assert_int_equal(rig_ask(rig, "POST", url, "", STR("action=resubscribe")), 200);
    assert_str(consent(rig), "subscribed");
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
