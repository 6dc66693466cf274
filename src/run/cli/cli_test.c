#include "run/cli/cli.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"

/* Parses the words after `dult NAME`, NULL at the end. */
static enum err parse(struct cli *cli, struct problem *problem, const char *name, ...)
{
    const char *words[CLI_WORDS_MAX + 4];
    int         count = 0;
    va_list     args;
    va_start(args, name);
    for (const char *word; (word = va_arg(args, const char *)) != NULL; count++)
        words[count] = word;
    va_end(args);
    memset(cli, 0, sizeof *cli);
    config_init(&cli->config);
    *problem = (struct problem){ .where = "" };
    return cli_parse(cli, cli_command_find(name), count, (char *const *)words, problem);
}

static struct cli *room(void)
{
    struct cli *cli = calloc(1, sizeof *cli);
    assert_non_null(cli);
    return cli;
}

TEST(cli, options_and_words_may_stand_in_any_order)
{
    struct cli    *cli = room();
    struct problem problem;
    assert_ok(parse(cli, &problem, "segment", "count", "--data", "d", "--at=1997-06-30",
                    "did \"A\"", "--json", NULL));
    assert_string_equal(cli->data, "d");
    assert_string_equal(cli_value(cli, "at"), "1997-06-30");
    assert_true(cli->is_json);
    assert_int_equal(cli->words_count, 2);
    assert_string_equal(cli->words[1], "did \"A\"");
    assert_null(cli_value(cli, "segment"));
    free(cli);
}

TEST(cli, after_two_dashes_everything_is_a_word)
{
    struct cli    *cli = room();
    struct problem problem;
    assert_ok(parse(cli, &problem, "show", "--", "--json", NULL));
    assert_false(cli->is_json);
    assert_string_equal(cli->words[0], "--json");
    free(cli);
}

TEST(cli, an_unknown_option_is_refused_with_the_nearest_one)
{
    struct cli    *cli = room();
    struct problem problem;
    assert_int_equal(parse(cli, &problem, "import", "--maping", "x", "f", NULL), ERR_INPUT);
    assert_string_equal(problem.remedy, "Did you mean --mapping?");
    assert_int_equal(parse(cli, &problem, "serve", "--public-ulr", "x", NULL), ERR_INPUT);
    assert_non_null(strstr(problem.remedy, "public_url"));
    free(cli);
}

TEST(cli, an_option_without_its_value_and_a_word_too_many_are_refused)
{
    struct cli    *cli = room();
    struct problem problem;
    assert_int_equal(parse(cli, &problem, "show", "ada", "--data", NULL), ERR_INPUT);
    assert_int_equal(parse(cli, &problem, "show", "ada", "bo", NULL), ERR_INPUT);
    assert_int_equal(parse(cli, &problem, "show", NULL), ERR_INPUT);
    assert_ok(parse(cli, &problem, "show", "--help", NULL));
    free(cli);
}

TEST(cli, settings_are_flags_of_serve_and_of_nothing_that_needs_none)
{
    struct cli    *cli = room();
    struct problem problem;
    assert_ok(parse(cli, &problem, "serve", "--public-url", "https://a.b", NULL));
    assert_true(cli->is_set[CONFIG_PUBLIC_URL]);
    assert_string_equal(config_text(&cli->config, CONFIG_PUBLIC_URL), "https://a.b");
    assert_int_equal(parse(cli, &problem, "serve", "--listen", "nowhere", NULL), ERR_INPUT);
    assert_string_equal(problem.where, "--listen");
    assert_int_equal(parse(cli, &problem, "show", "--listen", "a:1", "ada", NULL), ERR_INPUT);
    free(cli);
}

TEST(cli, every_error_has_the_exit_code_that_is_documented)
{
    assert_int_equal(cli_exit_of(OK), 0);
    assert_int_equal(cli_exit_of(ERR_INPUT), 3);
    assert_int_equal(cli_exit_of(ERR_LIMIT), 3);
    assert_int_equal(cli_exit_of(ERR_DENIED), 3);
    assert_int_equal(cli_exit_of(ERR_ABSENT), 4);
    assert_int_equal(cli_exit_of(ERR_WAIT), 5);
    assert_int_equal(cli_exit_of(ERR_CONFLICT), 5);
    assert_int_equal(cli_exit_of(ERR_IO), 6);
    assert_int_equal(cli_exit_of(ERR_CORRUPT), 6);
    assert_int_equal(cli_exit_of(ERR_MEMORY), 6);
}

TEST(cli, every_command_says_what_it_is_for_how_it_is_called_and_gives_an_example)
{
    for (const struct cli_command *command = CLI_COMMANDS; command->name != NULL; command++) {
        char  *text = NULL;
        size_t length = 0;
        FILE  *out = open_memstream(&text, &length);
        assert_non_null(out);
        cli_help(command, out);
        assert_int_equal(fclose(out), 0);
        assert_non_null(command->run);
        assert_true(strlen(command->purpose) < 70);
        assert_non_null(strstr(text, command->purpose));
        assert_non_null(strstr(text, "\nExample\n    dult "));
        for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].name != NULL; i++)
            assert_non_null(strstr(text, command->options[i].name));
        free(text);
    }
}
