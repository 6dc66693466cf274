/* Who looked: by user agents as they arrive at mail senders. */
#include "run/api/machine.h"

#include "base/test.h"
#include "run/api/machine_network.h"

static bool opens(const char *agent)
{
    return machine_is(&(struct machine_hit){ .agent = str_of(agent) });
}

static bool clicks(const char *agent)
{
    return machine_is(&(struct machine_hit){ .click = true, .agent = str_of(agent) });
}

static const char chrome[] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, "
                             "like Gecko) Chrome/126.0.0.0 Safari/537.36";

TEST(tracking_machine, people_browse_and_read_mail)
{
    static const char *const agents[] = {
        chrome,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.12.2",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; Microsoft Outlook "
        "16.0.5134; ms-office; MSOffice 16)",
        "Mozilla/5.0 (Linux; Android 10; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/96.0.4664.45 Mobile Safari/537.36",
    };
    for (size_t i = 0; i < sizeof agents / sizeof agents[0]; i++) {
        assert_false(opens(agents[i]));
        assert_false(clicks(agents[i]));
    }
}

TEST(tracking_machine, a_picture_proxy_opens_for_a_person_and_follows_no_link)
{
    static const char *const agents[] = {
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "Mozilla/5.0", /* Apple Mail, privacy protection */
    };
    for (size_t i = 0; i < sizeof agents / sizeof agents[0]; i++) {
        assert_false(opens(agents[i]));
        assert_true(clicks(agents[i]));
    }
}

TEST(tracking_machine, scanners_previews_and_libraries_are_machines)
{
    static const char *const agents[] = {
        "Barracuda Sentinel (EE)",
        "Microsoft Office Existence Discovery",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; "
        "+http://www.bing.com/bingbot.htm) Chrome/103.0.5060.134 Safari/537.36",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "TelegramBot (like TwitterBot)",
        "WhatsApp/2.23.20.0",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "HeadlessChrome/119.0.6045.105 Safari/537.36",
        "python-requests/2.31.0",
        "Go-http-client/1.1",
        "curl/8.5.0",
    };
    for (size_t i = 0; i < sizeof agents / sizeof agents[0]; i++) {
        assert_true(opens(agents[i]));
        assert_true(clicks(agents[i]));
    }
}

TEST(tracking_machine, who_asks_for_the_head_or_ahead_or_without_a_name_is_a_machine)
{
    assert_true(clicks(""));
    assert_true(opens("  "));
    assert_true(machine_is(&(struct machine_hit){ .head = true, .agent = str_of(chrome) }));
    assert_true(machine_is(
        &(struct machine_hit){ .agent = str_of(chrome), .purpose = STR("Prefetch;prerender") }));
    assert_false(
        machine_is(&(struct machine_hit){ .agent = str_of(chrome), .purpose = STR("navigate") }));
}

TEST(tracking_machine, a_mail_scanner_in_a_browsers_clothes_is_known_by_its_network)
{
    static struct machine_networks networks;
    struct machine_hit             hit = { .click = true,
                                           .agent = str_of(chrome),
                                           .address = STR("104.47.127.1"),
                                           .networks = &networks };
    assert_ok(machine_networks_shipped(&networks, NULL));
    assert_string_equal(machine_sign(&hit), "network");
    hit.address = STR("104.47.128.1");
    assert_null(machine_sign(&hit));
}
