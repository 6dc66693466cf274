#include "run/send/sender_url.h"

#include <string.h>

#include "base/test.h"

TEST(sender_url, what_people_write_is_read)
{
    static const struct {
        const char *url, *host, *user, *password;
        uint16_t    port;
        bool        tls;
    } cases[] = {
        { "smtp://mail.example", "mail.example", "", "", 25, false },
        { "smtp://mail.example:2525/", "mail.example", "", "", 2525, false },
        { "smtp://ada%40shop:p%3A%2Fss@mail.example", "mail.example", "ada@shop", "p:/ss", 587,
          false },
        { "smtps://ada:x@y@[2001:db8::1]", "2001:db8::1", "ada", "x@y", 465, true },
        { "smtps://[::1]:4650", "::1", "", "", 4650, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sender_url url;
        assert_ok(sender_url_parse(str_of(cases[i].url), &url, NULL));
        assert_string_equal(url.host, cases[i].host);
        assert_string_equal(url.user, cases[i].user);
        assert_string_equal(url.password, cases[i].password);
        assert_int_equal(url.port, cases[i].port);
        assert_int_equal(url.tls_at_once, cases[i].tls);
    }
}

TEST(sender_url, what_cannot_be_meant_is_refused_and_the_password_is_not_repeated)
{
    static const char *const cases[] = {
        "mail.example",      "http://mail.example", "smtp://",
        "smtp://:25",        "smtp://m:0",          "smtp://m:70000",
        "smtp://m:25x",      "smtp://m/x",          "smtp://u:hunter2%0d%0a@m",
        "smtp://u:hunter2@", "smtp://[::1",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sender_url url;
        struct problem    problem = { 0 };
        if (sender_url_parse(str_of(cases[i]), &url, &problem) == OK)
            print_error("taken: %s\n", cases[i]);
        assert_int_equal(sender_url_parse(str_of(cases[i]), &url, &problem), ERR_INPUT);
        assert_null(strstr(problem.what, "hunter2"));
        assert_true(problem.remedy[0] != '\0');
    }
}

TEST(sender_url, loopback_has_many_names)
{
    static const char *const inside[] = { "localhost", "LOCALHOST.", "shop.localhost", "127.0.0.1",
                                          "127.8.8.8", "::1",        "0.0.0.0" };
    static const char *const outside[] = { "shop.example", "128.0.0.1", "localhost.example",
                                           "10.0.0.1" };
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        assert_true(sender_host_is_loopback(str_of(inside[i])));
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        assert_false(sender_host_is_loopback(str_of(outside[i])));
    assert_str(sender_host_of(STR("https://[::1]:8443/x")), "::1");
    assert_str(sender_host_of(STR("http://shop.example:80/a")), "shop.example");
}
