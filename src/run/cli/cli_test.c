#include "run/cli/cli.h"
#include "run/cli/cli_report.h"
#include "run/cli/cli_why.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"

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

TEST(cli, a_report_takes_its_options_between_its_events)
{
    struct cli    *cli = room();
    struct problem problem;
    assert_ok(parse(cli, &problem, "report", "funnel", "--within", "7 days", "Signed Up", "--by",
                    "trait:plan", "Ordered where revenue > 100", "--people", "step=2,dropped",
                    NULL));
    assert_int_equal(cli->words_count, 3);
    assert_string_equal(cli->words[2], "Ordered where revenue > 100");
    assert_string_equal(cli_value(cli, "people"), "step=2,dropped");
    assert_int_equal(parse(cli, &problem, "report", "trend", "--intervall", "day", "E", NULL),
                     ERR_INPUT);
    assert_string_equal(problem.remedy, "Did you mean --interval?");
    free(cli);
}

TEST(cli, a_number_of_values_that_is_none_is_refused)
{
    struct cli    *cli = room();
    struct problem problem;
    assert_ok(parse(cli, &problem, "report", "trend", "E", "--by", "x", "--groups", "many", NULL));
    assert_int_equal(cli_report(cli), CLI_USAGE);
    free(cli);
}

TEST(cli, a_length_of_time_is_told_in_the_unit_a_person_would_use)
{
    static const struct {
        int64_t     ms;
        const char *text;
    } table[] = { { 0, "0 ms" },
                  { 45 * TIME_SECOND_MS, "45 s" },
                  { 90 * TIME_MINUTE_MS, "1.5 h" },
                  { TIME_DAY_MS, "1 day" },
                  { 30 * TIME_DAY_MS, "30 days" },
                  { 365 * TIME_DAY_MS, "1 year" } };
    char text[REPORT_TEXT_BYTES];
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_string_equal(report_length(table[i].ms, text), table[i].text);
    assert_string_equal(why_relative(9 * TIME_DAY_MS, 0, text), "in 9 days");
    assert_string_equal(why_relative(0, 3 * TIME_HOUR_MS, text), "3 h ago");
    assert_string_equal(why_relative(7, 7, text), "now");
}

TEST(cli, an_event_is_told_by_its_name_and_a_group_by_its_value)
{
    struct json_member members[] = { { STR("value"),
                                       { .kind = JSON_STRING, .string = STR("NO") } } };
    struct json        row = { .kind = JSON_OBJECT, .count = 1, .members = members };
    char               text[REPORT_TEXT_BYTES];
    assert_string_equal(report_event(STR("did \"Signed Up\""), text), "Signed Up");
    assert_string_equal(report_event(STR("did anything"), text), "anything");
    assert_string_equal(report_event(STR("did \"A\" where x = \"b\""), text),
                        "\"A\" where x = \"b\"");
    assert_string_equal(report_group(&row, text), "NO");
    members[0] =
        (struct json_member){ STR("group"), { .kind = JSON_STRING, .string = STR("without") } };
    assert_string_equal(report_group(&row, text), "(none)");
}

TEST(cli, a_person_and_a_segment_are_enough_to_ask_why)
{
    struct cli    *cli = room();
    struct problem problem;
    assert_ok(parse(cli, &problem, "explain", "ada", "vip", "--at", "2026-01-31", NULL));
    assert_int_equal(cli->words_count, 2);
    assert_ok(parse(cli, &problem, "explain", "ada", "journey", "welcome", NULL));
    assert_int_equal(parse(cli, &problem, "explain", "ada", NULL), ERR_INPUT);
    free(cli);
}

TEST(cli, a_value_that_is_picked_may_hold_commas_quotes_and_digits)
{
    static const char *const table[][2] = {
        { "step=2,dropped", "{\"step\":2,\"dropped\":true}" },
        { " period = 1997-03 , later=5", "{\"period\":\"1997-03\",\"later\":5}" },
        { "period=3,value=\"Oslo, Norway\"", "{\"period\":3,\"value\":\"Oslo, Norway\"}" },
        { "value=\"42\",step=1", "{\"value\":\"42\",\"step\":1}" },
        { "value=\"a \\\"b\\\", \\\\c\"", "{\"value\":\"a \\\"b\\\", \\\\c\"}" },
        { "value=5\" pipe", "{\"value\":\"5\\\" pipe\"}" },
        { "value=\"not closed, so", "{\"value\":\"not closed, so\"}" },
        { "", "{}" },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        SCOPED(buf_donep) struct buf body = buf_make(1 << 10);
        report_pick_write(table[i][0], &body);
        assert_str(buf_view(&body), table[i][1]);
    }
}
