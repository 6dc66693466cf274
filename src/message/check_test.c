#include "message/check.h"

#include <stdio.h>
#include <string.h>

#include "base/test.h"

static const struct str good_text = { "Hello, this is a text that says what the mail says. 1 Road",
                                      58 };

/* A mail that nothing is wrong with but what the test puts into it. */
static struct check_in mail_of(const char *html)
{
    return (struct check_in){ .subject = STR("Hello"),
                              .preheader = STR("Hi"),
                              .html = str_of(html),
                              .text = good_text,
                              .unsubscribe = STR("https://m.example/u/x"),
                              .address = STR("1 Road"),
                              .is_transactional = true,
                              .knows_address = true };
}

static const char *line_of(const struct check_finding *finding, char out[320])
{
    snprintf(out, 320, "%s %s:%u %s: %s", check_severity_name(finding->severity),
             check_part_name(finding->part), finding->line, finding->about, finding->what);
    return out;
}

/* `expected` is the only finding, or there is none where it is NULL. */
static void check(const struct check_in *in, const char *expected)
{
    static struct check_findings findings;
    char                         line[320] = "";
    assert_ok(check_mail(in, &findings, NULL));
    if (findings.count > 0)
        line_of(&findings.at[0], line);
    if (findings.count > 1 || (expected == NULL) != (findings.count == 0) ||
        (expected != NULL && strcmp(line, expected) != 0))
        fail_msg("%u findings, the first \"%s\"; expected \"%s\"\n%.*s", findings.count, line,
                 expected == NULL ? "none" : expected, STR_ARG(in->html));
    for (uint32_t i = 0; i < findings.count; i++)
        assert_true(findings.at[i].remedy[0] != '\0');
}

static void check_html(const char *html, const char *expected)
{
    struct check_in in = mail_of(html);
    check(&in, expected);
}

static void check_template(const char *html, const char *expected)
{
    struct check_in in = mail_of(html);
    in.is_template = true;
    check(&in, expected);
}

TEST(check, a_good_mail_has_no_findings)
{
    check_html("<p>Hello <a href=\"https://x.example/a?b#c\">you</a> <a name=top>t</a>"
               "<a href='mailto:a@x.example'>m</a><a href='tel:+47'>c</a><a href='#top'>up</a>"
               "<img src='https://x.example/a.png' alt=''>and forty letters more of any kind",
               NULL);
}

TEST(check, a_link_that_is_broken_for_everybody_is_an_error)
{
    static const struct {
        const char *href, *said;
    } cases[] = {
        { "", "This link leads nowhere." },
        { " # ", "This link leads nowhere." },
        { "www.x.example", "This link has no scheme: www.x.example" },
        { "/cart", "This link has no scheme: /cart" },
        { "//x.example/a", "This link has no scheme: //x.example/a" },
        { "x.example:80/a", "This link has no scheme: x.example:80/a" },
        { "sms:+47", NULL },
        { "https://", "This link has no host: https://" },
        { "https:///a", "This link has no host: https:///a" },
        { "http://x y.example/", "This link has no host: http://x y.example/" },
        { "http://localhost:8080/a", "This link leads into a network of its own: "
                                     "http://localhost:8080/a" },
        { "http://shop/", "This link leads into a network of its own: http://shop/" },
        { "http://10.1.2.3", "This link leads into a network of its own: http://10.1.2.3" },
        { "http://u@192.168.0.1:1/", "This link leads into a network of its own: "
                                     "http://u@192.168.0.1:1/" },
        { "http://[::1]/", "This link leads into a network of its own: http://[::1]/" },
        { "http://a.LOCAL", "This link leads into a network of its own: http://a.LOCAL" },
        { "http://8.8.8.8/", NULL },
        { "http://[2001:db8::1]/", NULL },
        { "http://172.32.0.1/", NULL },
        { "javascript:void(0)", "This link is a script: javascript:void(0)" },
        { "https://x.example/{{ a", "Liquid in this link is not closed: https://x.example/{{ a" },
        { "https://x.example/a }}", "Liquid in this link is not closed: https://x.example/a }}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char html[200], said[200];
        snprintf(html, sizeof html, "<p>\n<a\nhref=\"%s\">x</a>", cases[i].href);
        snprintf(said, sizeof said, "error html:2 link: %s",
                 cases[i].said == NULL ? "" : cases[i].said);
        check_template(html, cases[i].said == NULL ? NULL : said);
    }
    check_html("<a href='https://x.example/a b'>x</a>",
               "warning html:1 link: There is a space in this link: https://x.example/a b");
}

TEST(check, dults_own_pages_may_be_near_and_nobody_elses)
{
    struct check_in in =
        mail_of("<a href='http://localhost:80/p/x'>a</a><a href='http://localhost:80'>b</a>");
    in.unsubscribe = STR("http://localhost:80/u/x");
    check(&in, "note html:1 link: Dult's own pages are on this machine or network only.");
    in.html = STR("<a href='http://localhost:8080/p'>a</a>");
    check(&in,
          "error html:1 link: This link leads into a network of its own: http://localhost:8080/p");
    in.unsubscribe = STR("links.unsubscribe");
    check(&in,
          "error html:1 link: This link leads into a network of its own: http://localhost:8080/p");
}

TEST(check, what_liquid_puts_in_is_not_judged_in_a_template_and_is_one_left_in_a_mail)
{
    check_template("<a href='{{ event.url }}'>x</a><a href=\"/{{ a }}\">y</a>{% if a %}"
                   "<img alt='' src='{{ b }}'>{% endif %}",
                   NULL);
    check_html("<p>Hello\n{{ person.name }}",
               "error html:2 liquid: Readers see Liquid: {{ person.name }}");
}

TEST(check, images_need_an_absolute_address_by_https_and_a_text)
{
    check_template("<img alt=x src='/a.png'>{{ a }}",
                   "error html:1 image: This image's address is relative: /a.png");
    check_template("<img alt=x>{{ a }}", "error html:1 image: This image has no address.");
    check_template("<img alt=x src='http://x.example/a'>{{ a }}",
                   "warning html:1 image: This image comes by http: http://x.example/a");
    check_template("<img alt=x src='https://localhost/a'>{{ a }}",
                   "error html:1 image: This image lies in a network of its own: "
                   "https://localhost/a");
    check_template("<img src='https://x.example/a'>{{ a }}",
                   "warning html:1 image: This image has no text for those who do not see it.");
    check_html("<img alt=x src='https://x.example/a'>",
               "warning html:1 picture: There is hardly a word beside the picture.");
}

TEST(check, what_mail_programs_take_out_is_a_warning)
{
    check_html("<p>a</p>\n\n<form action=x>b</form>",
               "warning html:3 active: Mail programs take out <form>.");
    check_html("<script>if (a) '<a href=x>'</script>",
               "warning html:1 active: Mail programs take out <script>.");
    check_html("<!-- <form> --><p>a", NULL);
}

TEST(check, a_subject_is_neither_empty_nor_longer_than_is_shown)
{
    struct check_in in = mail_of("<p>a");
    char            longer[2 * CHECK_SUBJECT_CHARACTERS + 3];
    for (size_t i = 0; i + 2 < sizeof longer; i += 2)
        memcpy(longer + i, "\xC3\xA6", 2);
    in.subject = (struct str){ longer, 2 * CHECK_SUBJECT_CHARACTERS };
    check(&in, NULL);
    in.subject.len += 2;
    check(&in, "warning subject:1 subject: The subject has 151 characters.");
    in.subject = STR(" \n");
    check(&in, "error subject:1 subject: There is no subject.");
}

TEST(check, a_mail_needs_a_way_out_and_a_postal_address)
{
    struct check_in in = mail_of("<p>a 1 Road <a href='https://m.example/u/x'>stop</a>");
    in.is_transactional = false;
    check(&in, NULL);
    in.address = STR("2 Street");
    check(&in, "warning html:1 address: There is no postal address in it.");
    in.knows_address = false;
    check(&in, NULL);
    in.knows_address = true;
    in.html = STR("<p>a 2 Street");
    check(&in, "note html:1 unsubscribe: There is no way to unsubscribe in it, so a footer is "
               "added.");
    in.is_template = true;
    in.address = STR_NONE;
    in.unsubscribe = STR("links.unsubscribe");
    in.html = STR("<a href='{{ links.unsubscribe }}'>x</a> {{ workspace.address }}");
    check(&in, "warning html:1 address: The workspace has no postal address to show.");
    in.address = STR("2 Street");
    check(&in, NULL);
    in.html = STR("{% render 'footer' %}");
    check(&in, NULL);
}

TEST(check, a_mail_that_gmail_cuts_is_a_warning_and_what_is_missing_a_note)
{
    SCOPED(buf_donep) struct buf html = buf_make(1 << 20);
    while (html.len <= CHECK_CLIPPED_BYTES)
        buf_str(&html, STR("<p>words words words</p>\n"));
    struct check_in in = mail_of("");
    in.html = buf_view(&html);
    check(&in, "warning html:1 size: The HTML has 102 KB; Gmail cuts it at 102.");
    in = mail_of("<p>a");
    in.text = STR_NONE;
    check(&in, "note html:1 text: There is no text of its own; it is made from the HTML.");
    in = mail_of("<p>a");
    in.preheader = STR_NONE;
    check(&in, "note html:1 preheader: There is no line to stand beside the subject.");
}

TEST(check, findings_are_bounded_and_the_rest_is_counted)
{
    static struct check_findings findings;
    SCOPED(buf_donep) struct buf html = buf_make(1 << 20);
    for (int i = 0; i < CHECK_FINDINGS_MAX + 20; i++)
        buf_str(&html, STR("<a href=''>x</a>"));
    struct check_in in = mail_of("");
    in.html = buf_view(&html);
    assert_ok(check_mail(&in, &findings, NULL));
    assert_int_equal(findings.count, CHECK_FINDINGS_MAX);
    assert_int_equal(findings.left_out, 20);
}

TEST(check, findings_come_in_the_order_of_the_text)
{
    static struct check_findings findings;
    struct check_in              in = mail_of("<a href='#'>x</a>\n<a href='/'>y</a>");
    in.text = in.preheader = STR_NONE;
    assert_ok(check_mail(&in, &findings, NULL));
    assert_int_equal(findings.count, 4);
    for (uint32_t i = 1; i < findings.count; i++)
        assert_true(findings.at[i - 1].line <= findings.at[i].line);
    assert_string_equal(findings.at[3].what, "This link has no scheme: /");
}
