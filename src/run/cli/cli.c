#include "run/cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "run/nearest.h"

extern char **environ;

/* ---- understanding ---- */

const struct cli_command *cli_command_find(const char *name)
{
    for (const struct cli_command *command = CLI_COMMANDS; command->name != NULL; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

static int option_find(const struct cli_command *command, struct str name)
{
    for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].name != NULL; i++)
        if (str_eq(name, str_of(command->options[i].name)))
            return i;
    return -1;
}

static enum err unknown_option(const struct cli_command *command, struct str name,
                               struct problem *problem)
{
    struct nearest nearest = nearest_make(name);
    char           remedy[160];
    for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].name != NULL; i++)
        nearest_offer(&nearest, command->options[i].name);
    if (command->has_data)
        nearest_offer(&nearest, "data");
    if (command->has_settings && nearest.best == NULL)
        nearest.best = config_nearest(name);
    if (nearest.best != NULL)
        snprintf(remedy, sizeof remedy, "Did you mean --%s?", nearest.best);
    else
        snprintf(remedy, sizeof remedy, "`dult help %s` lists its options.", command->name);
    return problem_format(problem, ERR_INPUT, "", remedy, "`dult %s` has no option --%.*s.",
                          command->name, STR_ARG(str_slice(name, 0, 60)));
}

struct word {
    struct str  name;  /* of --name or --name=value */
    const char *value; /* after '=', or NULL */
};

static struct word word_of(const char *text)
{
    const char *equals = strchr(text, '=');
    return (struct word){
        .name = { text, equals == NULL ? strlen(text) : (size_t)(equals - text) },
        .value = equals == NULL ? NULL : equals + 1,
    };
}

/* Takes the value from the word itself or from the next one. */
static enum err value_take(struct word word, int argc, char *const *argv, int *at,
                           const char **value, struct problem *problem)
{
    if (word.value == NULL && *at + 1 >= argc)
        return problem_format(problem, ERR_INPUT, "", "Put the value after it.",
                              "--%.*s stands without its value.", STR_ARG(word.name));
    *value = word.value != NULL ? word.value : argv[++*at];
    return OK;
}

static enum err option_take(struct cli *cli, int argc, char *const *argv, int *at,
                            struct problem *problem)
{
    struct word word = word_of(argv[*at] + 2);
    const char *value = NULL;
    int         option = option_find(cli->command, word.name);
    if (option >= 0 && cli->command->options[option].sample == NULL) {
        cli->values[option] = "";
        return OK;
    }
    if (option >= 0) {
        TRY(value_take(word, argc, argv, at, &cli->values[option], problem));
        if (cli->given_count == CLI_GIVEN_MAX)
            return problem_set(problem, ERR_LIMIT, "", "More than 64 options are given.",
                               "Leave some out.");
        cli->given[cli->given_count].option = option;
        cli->given[cli->given_count++].value = cli->values[option];
        return OK;
    }
    if (str_eq(word.name, STR("json")))
        cli->is_json = true;
    else if (str_eq(word.name, STR("help")))
        cli->is_help = true;
    else if (cli->command->has_data && str_eq(word.name, STR("data")))
        return value_take(word, argc, argv, at, &cli->data, problem);
    else if (cli->command->has_data && str_eq(word.name, STR("config")))
        return value_take(word, argc, argv, at, &cli->config_path, problem);
    else if (cli->command->has_settings && config_find(word.name) != CONFIG_IDS) {
        char place[64];
        TRY(value_take(word, argc, argv, at, &value, problem));
        snprintf(place, sizeof place, "--%.*s", STR_ARG(word.name));
        cli->is_set[config_find(word.name)] = true;
        return config_set(&cli->config, word.name, str_of(value), place, problem);
    } else
        return unknown_option(cli->command, word.name, problem);
    return OK;
}

static enum err words_check(const struct cli *cli, struct problem *problem)
{
    char remedy[160];
    if (cli->is_help || (cli->words_count >= cli->command->words_least &&
                         cli->words_count <= cli->command->words_most))
        return OK;
    snprintf(remedy, sizeof remedy, "`dult help %s` shows how it is called.", cli->command->name);
    return problem_format(problem, ERR_INPUT, "", remedy, "`dult %s` was given %s.",
                          cli->command->name,
                          cli->words_count < cli->command->words_least ? "too little" : "too much");
}

enum err cli_parse(struct cli *cli, const struct cli_command *command, int argc, char *const *argv,
                   struct problem *problem)
{
    bool is_words_only = false;
    cli->command = command;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (!is_words_only && strcmp(word, "--") == 0)
            is_words_only = true;
        else if (!is_words_only && strncmp(word, "--", 2) == 0)
            TRY(option_take(cli, argc, argv, &i, problem));
        else if (!is_words_only && strcmp(word, "-h") == 0)
            cli->is_help = true;
        else if (!is_words_only && word[0] == '-' && isalpha((unsigned char)word[1]))
            return problem_format(problem, ERR_INPUT, "",
                                  "Options are written out, with two dashes.",
                                  "There is no option %.60s.", word);
        else if (cli->words_count == CLI_WORDS_MAX)
            return problem_set(problem, ERR_LIMIT, "", "These are too many words.",
                               "Is something not in quotes?");
        else
            cli->words[cli->words_count++] = word;
    }
    return words_check(cli, problem);
}

const char *cli_value(const struct cli *cli, const char *name)
{
    int option = option_find(cli->command, str_of(name));
    return option < 0 ? NULL : cli->values[option];
}

const char *cli_value_at(const struct cli *cli, const char *name, int place)
{
    int option = option_find(cli->command, str_of(name));
    for (int i = 0; i < cli->given_count; i++)
        if (cli->given[i].option == option && place-- == 0)
            return cli->given[i].value;
    return NULL;
}

bool cli_has(const struct cli *cli, const char *name)
{
    return cli_value(cli, name) != NULL;
}

/* ---- configuration ---- */

enum err cli_config_read(struct cli *cli, struct problem *problem)
{
    struct config *config = calloc(1, sizeof *config);
    char           path[4096];
    if (config == NULL)
        return ERR_MEMORY;
    config_init(config);
    snprintf(path, sizeof path, "%s/" CONFIG_FILE_NAME, cli->data);
    enum err err = config_read_file(config, cli->config_path ? cli->config_path : path, problem);
    if (err == ERR_ABSENT && cli->config_path == NULL)
        err = OK; /* none is fine, one that was named is not */
    if (err == OK)
        err = config_read_environment(config, environ, problem);
    for (int id = 0; id < CONFIG_IDS && err == OK; id++)
        if (cli->is_set[id])
            err = config_set(config, str_of(CONFIG_KEYS[id].name), str_of(cli->config.values[id]),
                             cli->config.places[id], problem);
    if (err == OK)
        err = config_check(config, problem);
    if (err == OK) {
        problem->what[0] = '\0';
        cli->config = *config;
    }
    free(config);
    return err == ERR_ABSENT && cli->config_path == NULL ? ERR_INPUT : err;
}

/* ---- speaking ---- */

enum cli_exit cli_exit_of(enum err err)
{
    switch (err) {
    case OK:
        return CLI_OK;
    case ERR_INPUT:
    case ERR_LIMIT:
    case ERR_DENIED:
        return CLI_REFUSED;
    case ERR_ABSENT:
        return CLI_ABSENT;
    case ERR_WAIT:
    case ERR_CONFLICT:
        return CLI_BUSY;
    default:
        return CLI_IO;
    }
}

static void fail_json(enum err err, const struct problem *problem)
{
    SCOPED(buf_donep) struct buf text = buf_make(8192);
    buf_str(&text, STR("{\"error\":{\"code\":"));
    json_write_str(&text, str_of(err_name(err)));
    buf_str(&text, STR(",\"where\":"));
    json_write_str(&text, str_of(problem->where));
    buf_str(&text, STR(",\"what\":"));
    json_write_str(&text, str_of(problem->what));
    buf_str(&text, STR(",\"remedy\":"));
    json_write_str(&text, str_of(problem->remedy));
    buf_str(&text, STR("}}"));
    fprintf(stderr, "%.*s\n", STR_ARG(buf_view(&text)));
}

enum cli_exit cli_fail(const struct cli *cli, enum err err, const struct problem *problem)
{
    struct problem told = *problem;
    if (told.what[0] == '\0')
        problem_format(&told, err, told.where, "", "The answer was \"%s\".", err_name(err));
    if (cli->is_json) {
        fail_json(err, &told);
        return cli_exit_of(err);
    }
    bool is_tty = isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL;
    fprintf(stderr, "%sdult:%s ", is_tty ? "\033[31m" : "", is_tty ? "\033[0m" : "");
    if (told.where[0] != '\0')
        fprintf(stderr, "%s: ", told.where);
    fprintf(stderr, "%s\n", told.what);
    if (told.remedy[0] != '\0')
        fprintf(stderr, "      %s\n", told.remedy);
    return cli_exit_of(err);
}

enum cli_exit cli_usage(const struct cli *cli, const char *what, const char *remedy)
{
    struct problem problem;
    problem_set(&problem, ERR_INPUT, "", what, remedy);
    cli_fail(cli, ERR_INPUT, &problem);
    return CLI_USAGE;
}

const char *cli_bold(const struct cli *cli)
{
    return cli->is_tty ? "\033[1m" : "";
}

const char *cli_quiet(const struct cli *cli)
{
    return cli->is_tty ? "\033[2m" : "";
}

const char *cli_good(const struct cli *cli)
{
    return cli->is_tty ? "\033[32m" : "";
}

const char *cli_bad(const struct cli *cli)
{
    return cli->is_tty ? "\033[31m" : "";
}

const char *cli_plain(const struct cli *cli)
{
    return cli->is_tty ? "\033[0m" : "";
}

/* ---- all together ---- */

static enum cli_exit unknown_command(const char *name)
{
    struct nearest nearest = nearest_make(str_of(name));
    for (const struct cli_command *command = CLI_COMMANDS; command->name != NULL; command++)
        nearest_offer(&nearest, command->name);
    fprintf(stderr, "dult: There is no command %.60s.\n", name);
    if (nearest.best != NULL)
        fprintf(stderr, "      Did you mean `dult %s`?\n", nearest.best);
    else
        fprintf(stderr, "      `dult help` lists them all.\n");
    return CLI_USAGE;
}

static enum cli_exit help(int argc, char **argv)
{
    const struct cli_command *command = argc > 0 ? cli_command_find(argv[0]) : NULL;
    if (argc > 0 && command == NULL)
        return unknown_command(argv[0]);
    if (command != NULL)
        cli_help(command, stdout);
    else
        cli_help_all(stdout);
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli, const struct cli_command *command, int argc, char **argv)
{
    struct problem problem = { .where = "" };
    const char    *data = getenv("DULT_DATA");
    config_init(&cli->config);
    cli->data = data != NULL && data[0] != '\0' ? data : "./data";
    cli->is_tty = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    if (cli_parse(cli, command, argc, argv, &problem) != OK) {
        cli_fail(cli, ERR_INPUT, &problem);
        return CLI_USAGE;
    }
    if (cli->is_help) {
        cli_help(command, stdout);
        return CLI_OK;
    }
    enum cli_exit code = command->run(cli);
    if (fflush(stdout) != 0 && code == CLI_OK)
        code = CLI_IO; /* a full disk behind > must not look like success */
    return code;
}

int cli_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return (int)help(argc > 2 ? argc - 2 : 0, argv + 2);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        puts("dult " DULT_VERSION);
        return CLI_OK;
    }
    const struct cli_command *command = cli_command_find(name);
    if (command == NULL)
        return (int)unknown_command(name);
    struct cli *cli = calloc(1, sizeof *cli); /* a config is too large for some stacks */
    if (cli == NULL)
        return CLI_IO;
    cli->program = argv[0];
    enum cli_exit code = run(cli, command, argc - 2, argv + 2);
    free(cli);
    return (int)code;
}
