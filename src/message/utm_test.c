/* Links that say where a visit came from. */
#include "message/utm.h"

#include <string.h>

#include "base/test.h"

static const struct str shop[] = { { "shop.example", 12 } };

static struct utm rules(void)
{
    return (struct utm){ .values = { [UTM_SOURCE] = STR("dult"),
                                     [UTM_CAMPAIGN] = STR("spring & \xC3\xA9t\xC3\xA9") },
                         .public_url = STR("https://mail.shop.example") };
}

static void tagged(const struct utm *utm, const char *url, const char *wanted)
{
    SCOPED(buf_donep) struct buf out = buf_make(4096), again = buf_make(4096);
    utm_url(utm, str_of(url), &out);
    assert_str(buf_view(&out), wanted);
    utm_url(utm, buf_view(&out), &again);
    assert_str(buf_view(&again), wanted);
}

#define BOTH "utm_source=dult&utm_campaign=spring%20%26%20%C3%A9t%C3%A9"

TEST(utm, a_link_gets_what_it_lacks_before_its_fragment_and_nothing_twice)
{
    struct utm utm = rules();
    tagged(&utm, "https://shop.example", "https://shop.example?" BOTH);
    tagged(&utm, "http://shop.example/a?b=1#top", "http://shop.example/a?b=1&" BOTH "#top");
    tagged(&utm, "https://shop.example/a?", "https://shop.example/a?" BOTH);
    tagged(&utm, "https://shop.example/?b&", "https://shop.example/?b&" BOTH);
    tagged(&utm, "https://shop.example/?utm_source=own",
           "https://shop.example/?utm_source=own&utm_campaign=spring%20%26%20%C3%A9t%C3%A9");
    tagged(&utm, "https://shop.example/?x=1&UTM_Campaign=&utm_source=",
           "https://shop.example/?x=1&UTM_Campaign=&utm_source=");
    tagged(&utm, "https://shop.example/?xutm_source=1",
           "https://shop.example/?xutm_source=1&" BOTH);
}

TEST(utm, our_own_links_and_those_that_are_no_pages_are_left_as_they_are)
{
    struct utm               utm = rules();
    static const char *const left[] = { "https://mail.shop.example/u/abc",
                                        "https://MAIL.shop.example/v/abc?x=1",
                                        "https://mail.shop.example",
                                        "mailto:a@shop.example",
                                        "tel:+4712345678",
                                        "#top",
                                        "/relative",
                                        "" };
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
        tagged(&utm, left[i], left[i]);
    tagged(&utm, "https://mail.shop.example.org/", "https://mail.shop.example.org/?" BOTH);
}

TEST(utm, where_domains_are_named_only_they_and_those_below_are_tagged)
{
    struct utm utm = rules();
    utm.domains = shop;
    utm.domains_count = 1;
    tagged(&utm, "https://www.Shop.example:8443/x", "https://www.Shop.example:8443/x?" BOTH);
    tagged(&utm, "https://me@shop.example/", "https://me@shop.example/?" BOTH);
    tagged(&utm, "https://myshop.example/", "https://myshop.example/");
    tagged(&utm, "https://shop.example.org/", "https://shop.example.org/");
}

TEST(utm, a_value_is_cut_between_characters)
{
    char       text[UTM_VALUE_BYTES_MAX + 3];
    struct utm utm = { .public_url = STR_NONE };
    memset(text, 'x', sizeof text);
    text[UTM_VALUE_BYTES_MAX - 1] = (char)0xC3; /* its second byte would be one too many */
    text[UTM_VALUE_BYTES_MAX] = (char)0xA9;
    utm.values[UTM_TERM] = (struct str){ text, sizeof text };
    SCOPED(buf_donep) struct buf out = buf_make(4096);
    utm_url(&utm, STR("http://a.example/"), &out);
    assert_int_equal(out.len, strlen("http://a.example/?utm_term=") + UTM_VALUE_BYTES_MAX - 1);
}

static void mail(const char *html, const char *wanted)
{
    SCOPED(buf_donep) struct buf out = buf_make(4096);
    struct utm                   utm = { .values = { [UTM_SOURCE] = STR("d\"&") } };
    assert_ok(utm_html(&utm, str_of(html), &out, NULL));
    assert_str(buf_view(&out), wanted);
}

TEST(utm, in_a_mail_only_the_values_of_links_change)
{
    mail("<p class=a>x <a class=b href='https://s.example/?a=1&amp;b=2' id=c>y</a>&nbsp;</p>",
         "<p class=a>x <a class=b href=\"https://s.example/?a=1&amp;b=2&amp;utm_source=d%22%26\" "
         "id=c>y</a>&nbsp;</p>");
    mail("<a href=https://s.example/>y</a><area href=\"https://t.example/\">",
         "<a href=\"https://s.example/?utm_source=d%22%26\">y</a>"
         "<area href=\"https://t.example/?utm_source=d%22%26\">");
    mail(
        "<a data-dult-utm=no href=\"https://s.example/\">y</a><!-- <a href=\"https://s.example/\"> "
        "--><img src=\"https://s.example/x.png\"><a name=x>z</a>",
        "<a data-dult-utm=no href=\"https://s.example/\">y</a><!-- <a href=\"https://s.example/\"> "
        "--><img src=\"https://s.example/x.png\"><a name=x>z</a>");
}
