/*
 * cli: the command line, as a newcomer meets it.
 *
 *     dult COMMAND [options] [words]
 *
 * A command is a row of a table: what it is for, how it is called, its options with what they are
 * good for, an example. Help is written from that table, so it cannot tell what is not there.
 *
 * Always true   standard output has the answer and nothing else; what is said about the work goes
 *               to standard error; colours and progress only where a person looks on (a tty, no
 *               NO_COLOR); --json gives one JSON value, also for errors (on standard error).
 * Exit codes    below; they are part of the interface.
 */
#ifndef DULT_RUN_CLI_H
#define DULT_RUN_CLI_H

#include <stdio.h>

#include "base/str.h"
#include "run/config.h"

enum cli_exit {
    CLI_OK = 0,
    CLI_NO = 1,      /* the answer is no; something differs or failed its check */
    CLI_USAGE = 2,   /* the command line cannot be understood */
    CLI_REFUSED = 3, /* what was handed in was refused */
    CLI_ABSENT = 4,  /* what was named is not there */
    CLI_BUSY = 5,    /* another process holds it, or it is over capacity: try again */
    CLI_IO = 6,      /* disk or network failed */
};

enum {
    CLI_WORDS_MAX = 16384, /* the files of a mailbox, as a shell writes them out */
    CLI_OPTIONS_MAX = 20,  /* of one command */
    CLI_GIVEN_MAX = 64,    /* values of options, each as often as it was given */
};

/* One more than the usual; each table ends with a row without a name. */
struct cli_option {
    const char *name;   /* "at" for --at */
    const char *sample; /* "TIME"; NULL: it takes no value */
    const char *about;
};

struct cli;

struct cli_command {
    const char       *name;    /* "segment" */
    const char       *purpose; /* one line */
    const char       *usage;   /* what follows the name; lines after the first are other forms */
    const char       *more;    /* what a newcomer should know; may be NULL */
    const char       *example;
    struct cli_option options[CLI_OPTIONS_MAX];
    int               words_least, words_most;
    bool              has_data;     /* takes --data */
    bool              has_settings; /* takes every setting of config.h */
    enum cli_exit (*run)(struct cli *cli);
};

/* The table; ends with a row without a name. */
extern const struct cli_command CLI_COMMANDS[];

struct cli {
    const struct cli_command *command;
    const char               *values[CLI_OPTIONS_MAX]; /* by the option's place; NULL: not given */
    const char               *words[CLI_WORDS_MAX];
    struct {
        int         option;
        const char *value;
    } given[CLI_GIVEN_MAX]; /* in order */
    int           given_count;
    int           words_count;
    const char   *data, *config_path;
    const char   *program; /* argv[0] */
    bool          is_json, is_help, is_tty;
    struct config config;             /* flags only, until cli_config_read */
    bool          is_set[CONFIG_IDS]; /* by a flag */
};

/* The whole of it: understands, runs, gives the exit code. */
int cli_main(int argc, char **argv);

/* Understands argv[2..]; ERR_INPUT with *problem. */
MUST enum err             cli_parse(struct cli *cli, const struct cli_command *command, int argc,
                                    char *const *argv, struct problem *problem);
const struct cli_command *cli_command_find(const char *name);

/* The value of an option; NULL when not given; "" for one without value that was given. */
const char *cli_value(const struct cli *cli, const char *name);
bool        cli_has(const struct cli *cli, const char *name);
/* Of an option that may be given several times, the value of one: place 0, 1 ...; NULL after the
 * last. */
const char *cli_value_at(const struct cli *cli, const char *name, int place);

/* File, environment, flags, in that order, into cli->config. */
MUST enum err cli_config_read(struct cli *cli, struct problem *problem);

/* ---- speaking ---- */

enum cli_exit cli_exit_of(enum err err);
/* Says the problem and gives the exit code of `err`. */
enum cli_exit cli_fail(const struct cli *cli, enum err err, const struct problem *problem);
enum cli_exit cli_usage(const struct cli *cli, const char *what, const char *remedy);
void          cli_help(const struct cli_command *command, FILE *out);
void          cli_help_all(FILE *out);

/* "\033[1m" and the like where standard output is a tty, "" otherwise. */
const char *cli_bold(const struct cli *cli);
const char *cli_quiet(const struct cli *cli);
const char *cli_good(const struct cli *cli);
const char *cli_bad(const struct cli *cli);
const char *cli_plain(const struct cli *cli);

/* Each command's own function, in cli_<name>.c. */
enum cli_exit cli_serve(struct cli *cli);
enum cli_exit cli_import(struct cli *cli);
enum cli_exit cli_apply(struct cli *cli);
enum cli_exit cli_diff(struct cli *cli);
enum cli_exit cli_check(struct cli *cli);
enum cli_exit cli_story(struct cli *cli);
enum cli_exit cli_recipe(struct cli *cli);
enum cli_exit cli_rehearse(struct cli *cli);
enum cli_exit cli_preview(struct cli *cli);
enum cli_exit cli_domains(struct cli *cli);
enum cli_exit cli_show(struct cli *cli);
enum cli_exit cli_erase(struct cli *cli);
enum cli_exit cli_export(struct cli *cli);
enum cli_exit cli_segment(struct cli *cli);
enum cli_exit cli_trait(struct cli *cli);
enum cli_exit cli_stage(struct cli *cli);
enum cli_exit cli_stages(struct cli *cli);
enum cli_exit cli_map(struct cli *cli);
enum cli_exit cli_retention(struct cli *cli);
enum cli_exit cli_broadcast(struct cli *cli);
enum cli_exit cli_experiment(struct cli *cli);
enum cli_exit cli_journey(struct cli *cli);
enum cli_exit cli_codes(struct cli *cli);
enum cli_exit cli_suppress(struct cli *cli);
enum cli_exit cli_files(struct cli *cli);
enum cli_exit cli_live(struct cli *cli);
enum cli_exit cli_send(struct cli *cli);
enum cli_exit cli_sending(struct cli *cli);
enum cli_exit cli_report(struct cli *cli);
enum cli_exit cli_explain(struct cli *cli);
enum cli_exit cli_key(struct cli *cli);
enum cli_exit cli_owner(struct cli *cli);
enum cli_exit cli_doctor(struct cli *cli);
enum cli_exit cli_liquid(struct cli *cli);
enum cli_exit cli_bounce(struct cli *cli);
enum cli_exit cli_sms(struct cli *cli);
enum cli_exit cli_providers(struct cli *cli);
enum cli_exit cli_segment_convert(const struct cli *cli);
enum cli_exit cli_segment_schema(void);

#endif
