/* dult journey enroll, leave: somebody is let into a journey, or taken out of it, by hand. */
#include <stdio.h>
#include <string.h>

#include "run/cli/cli_enroll.h"
#include "run/cli/cli_talk.h"

/* "plan=pro", "seats=3", "paid=true": what reads as a number or as yes or no is one. */
static enum err property_put(struct talk *talk, const char *given, bool *first)
{
    const char *equals = strchr(given, '=');
    struct json value;
    if (equals == NULL || equals == given)
        return problem_format(&talk->problem, ERR_INPUT, "property",
                              "Write --property plan=pro, once for each.",
                              "\"%.60s\" is no name with a value.", given);
    if (!*first)
        buf_char(&talk->body, ',');
    *first = false;
    json_write_str(&talk->body, (struct str){ given, (size_t)(equals - given) });
    buf_char(&talk->body, ':');
    if (json_parse_once(talk->arena, str_of(equals + 1), &value, NULL) == OK &&
        (value.kind == JSON_INT || value.kind == JSON_REAL || value.kind == JSON_BOOL))
        json_write(&talk->body, &value);
    else
        json_write_str(&talk->body, str_of(equals + 1));
    return OK;
}

static enum err body_make(struct talk *talk, const char *person)
{
    bool        first = true, inner = true;
    const char *given;
    buf_char(&talk->body, '{');
    json_write_key(&talk->body, &first, "person");
    json_write_str(&talk->body, str_of(person));
    json_write_key(&talk->body, &first, "properties");
    buf_char(&talk->body, '{');
    for (int place = 0; (given = cli_value_at(talk->cli, "property", place)) != NULL; place++)
        TRY(property_put(talk, given, &inner));
    buf_str(&talk->body, STR("}}"));
    return OK;
}

static void answer_print(struct talk *talk, const struct json *one)
{
    const char *result = talk_text(talk, one, "result"), *reason = talk_text(talk, one, "reason");
    const char *person = talk->cli->words[2], *journey = talk_text(talk, one, "journey");
    if (strcmp(result, "entered") == 0)
        printf("%s came into %s.\n", person, journey);
    else if (strcmp(result, "held out") == 0)
        printf("%s is one of those held out of %s.\n", person, journey);
    else if (strcmp(result, "left") == 0)
        printf("%s left %s.\n", person, journey);
    else
        printf("%s did not come into %s: %s.\n", person, journey, reason);
}

static enum cli_exit ask(struct talk *talk, const char *method)
{
    enum err err = talk_one(talk, method);
    bool     is_done =
        err == OK && strcmp(talk_text(talk, &talk->answer, "result"), "turned away") != 0;
    return talk_end(talk, err, is_done ? CLI_OK : CLI_NO);
}

enum cli_exit cli_enroll(struct cli *cli)
{
    struct talk talk;
    if (cli->words_count != 3)
        return cli_usage(cli, "Who is let into which journey?",
                         "`dult journey enroll NAME PERSON [--property plan=pro]`.");
    enum err err = talk_open(&talk, cli, false);
    talk.line = answer_print;
    if (err == OK)
        err = body_make(&talk, cli->words[2]);
    if (err != OK)
        return talk_end(&talk, err, CLI_OK);
    talk_path(&talk, "/api/v1/journeys/", cli->words[1], "/enrollments");
    return ask(&talk, "POST");
}

enum cli_exit cli_leave(struct cli *cli)
{
    struct talk talk;
    if (cli->words_count != 3)
        return cli_usage(cli, "Who is taken out of which journey?",
                         "`dult journey leave NAME PERSON`.");
    enum err err = talk_open(&talk, cli, false);
    talk.line = answer_print;
    if (err != OK)
        return talk_end(&talk, err, CLI_OK);
    talk_path(&talk, "/api/v1/journeys/", cli->words[1], "/enrollments/");
    talk_path_more(&talk, cli->words[2]);
    return ask(&talk, "DELETE");
}
