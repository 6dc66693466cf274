#include "run/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"

/* A config is too large for a small stack. */
static struct config *fresh(void)
{
    struct config *config = malloc(sizeof *config);
    assert_non_null(config);
    config_init(config);
    return config;
}

TEST(config, every_key_has_a_name_a_line_of_help_and_a_default_it_would_accept)
{
    struct config *config = fresh();
    for (int id = 0; id < CONFIG_IDS; id++) {
        const struct config_key *key = &CONFIG_KEYS[id];
        assert_non_null(key->name);
        assert_true(strlen(key->name) < CONFIG_NAME_BYTES_MAX);
        assert_non_null(key->about);
        assert_int_equal(config_find(str_of(key->name)), id);
        if (key->absent != NULL)
            assert_ok(config_set(config, str_of(key->name), str_of(key->absent), "here", NULL));
    }
    free(config);
}

TEST(config, a_file_is_read_with_comments_quotes_and_line_ends_of_any_kind)
{
    struct config *config = fresh();
    struct problem problem;
    assert_ok(config_read_text(config, "dult.conf",
                               STR("\xef\xbb\xbf# ours\r\n\r\nlisten = 0.0.0.0:9000\r\n"
                                   "public-url=https://go.example.com/ # no slash\n"
                                   "  smtp_name = \"mail # example\"  \n; old\nlateness = 2 days"),
                               &problem));
    assert_string_equal(config_text(config, CONFIG_LISTEN), "0.0.0.0:9000");
    assert_string_equal(config_text(config, CONFIG_PUBLIC_URL), "https://go.example.com");
    assert_string_equal(config_text(config, CONFIG_SMTP_NAME), "mail # example");
    assert_int_equal(config_number(config, CONFIG_LATENESS), 2 * 86400000);
    assert_string_equal(config->places[CONFIG_LISTEN], "dult.conf:3");
    free(config);
}

TEST(config, an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one)
{
    struct config *config = fresh();
    struct problem problem;
    assert_int_equal(config_read_text(config, "dult.conf", STR("\nlisten = :: \n"), &problem),
                     ERR_INPUT);
    assert_int_equal(
        config_read_text(config, "dult.conf", STR("# x\npublic_ulr = https://a.b\n"), &problem),
        ERR_INPUT);
    assert_string_equal(problem.where, "dult.conf:2");
    assert_string_equal(problem.remedy, "Did you mean public_url?");
    free(config);
}

TEST(config, a_variable_wins_over_the_file_and_foreign_variables_are_left_alone)
{
    struct config *config = fresh();
    char          *environment[] = { "PATH=/bin",    "DULT_LISTEN=127.0.0.1:9001",
                                     "DULT_DATA=/x", "DULT_SEED=7",
                                     "DULTLISTEN=x", NULL };
    assert_ok(config_read_text(config, "f", STR("listen = 127.0.0.1:9000\n"), NULL));
    assert_ok(config_read_environment(config, environment, NULL));
    assert_string_equal(config_text(config, CONFIG_LISTEN), "127.0.0.1:9001");
    assert_string_equal(config->places[CONFIG_LISTEN], "DULT_LISTEN");
    free(config);
}

TEST(config, a_variable_that_cannot_be_is_refused_by_its_name)
{
    struct config *config = fresh();
    struct problem problem;
    char          *environment[] = { "DULT_THREADS=many", NULL };
    assert_int_equal(config_read_environment(config, environment, &problem), ERR_INPUT);
    assert_string_equal(problem.where, "DULT_THREADS");
    assert_non_null(strstr(problem.what, "many"));
    free(config);
}

TEST(config, values_are_held_to_their_kind_and_bounds)
{
    static const struct {
        const char *name, *value;
        bool        good;
    } cases[] = {
        { "listen", "[::1]:8080", true },
        { "listen", "::1:8080", false },
        { "listen", "localhost", false },
        { "listen", "a:65536", false },
        { "listen", "a:0", true },
        { "public_url", "https://a.b/x", true },
        { "public_url", "a.b", false },
        { "public_url", "https://a.b?x", false },
        { "public_url", "ftp://a.b", false },
        { "trusted_proxy", "10.0.0.0/8, ::1", true },
        { "trusted_proxy", "10.0.0.0/33", false },
        { "smtp", "smtp://u:p@h:25", true },
        { "smtp", "mail.example", false },
        { "smtp_tls", "required", true },
        { "smtp_tls", "maybe", false },
        { "smtp_connections", "0", false },
        { "smtp_connections", "65", false },
        { "smtp_connections", "64", true },
        { "lateness", "1 day", true },
        { "lateness", "1 fortnight", false },
        { "held_max", "1G", true },
        { "held_max", "3", false },
        { "held_max", "99999999T", false },
        { "threads", "-1", false },
    };
    struct config *config = fresh();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum err err = config_set(config, str_of(cases[i].name), str_of(cases[i].value), "x", NULL);
        if ((err == OK) != cases[i].good)
            fail_msg("%s = %s gave %s", cases[i].name, cases[i].value, err_name(err));
    }
    assert_int_equal(config_number(config, CONFIG_HELD_MAX), INT64_C(1) << 30);
    free(config);
}

TEST(config, a_password_in_an_address_is_not_said_again)
{
    struct config *config = fresh();
    struct problem problem;
    assert_int_equal(config_set(config, STR("smtp"), STR("http://u:hunter2@h"), "f:1", &problem),
                     ERR_INPUT);
    assert_null(strstr(problem.what, "hunter2"));
    free(config);
}

TEST(config, an_empty_value_goes_back_to_the_default)
{
    struct config *config = fresh();
    assert_ok(config_set(config, STR("smtp"), STR("smtp://h"), "f", NULL));
    assert_ok(config_set(config, STR("smtp"), STR_NONE, "--smtp", NULL));
    assert_false(config_has(config, CONFIG_SMTP_URL));
    assert_ok(config_set(config, STR("listen"), STR_NONE, "--listen", NULL));
    assert_string_equal(config_text(config, CONFIG_LISTEN), "127.0.0.1:8080");
    free(config);
}

TEST(config, what_belongs_together_is_asked_for_together)
{
    struct config *config = fresh();
    assert_ok(config_check(config, NULL));
    assert_ok(config_set(config, STR("tls_key"), STR("k.pem"), "f", NULL));
    assert_int_equal(config_check(config, NULL), ERR_INPUT);
    assert_ok(config_set(config, STR("tls_certificate"), STR("c.pem"), "f", NULL));
    assert_ok(config_check(config, NULL));
    assert_ok(config_set(config, STR("dkim_domain"), STR("a.b"), "f", NULL));
    assert_int_equal(config_check(config, NULL), ERR_INPUT);
    assert_ok(config_set(config, STR("dkim_domain"), STR_NONE, "f", NULL));
    assert_ok(config_set(config, STR("smtp"), STR("smtp://h"), "f", NULL));
    assert_ok(config_set(config, STR("outbox"), STR("out"), "f", NULL));
    assert_int_equal(config_check(config, NULL), ERR_INPUT);
    free(config);
}
