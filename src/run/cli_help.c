/* The table of commands, and the help that is written from it. */
#include <string.h>

#include "run/cli.h"

const struct cli_command CLI_COMMANDS[] = {
    { .name = "serve",
      .purpose = "run Dult on a data folder",
      .usage = "[--data DIR] [--listen HOST:PORT] [settings]",
      .more = "Makes the folder when it is not there. Ctrl-C ends it in order: what was answered is\n"
              "on disk. SIGHUP reads the certificate again. A setting may stand in DIR/dult.conf\n"
              "(listen = ...), in a variable (DULT_LISTEN) or here (--listen); the later wins.",
      .example = "dult serve --data ./data --outbox ./data/outbox",
      .has_data = true,
      .has_settings = true,
      .run = cli_serve },
    { .name = NULL },
};

static void column(FILE *out, const char *left, int width, const char *right)
{
    if ((int)strlen(left) > width)
        fprintf(out, "  %s\n  %*s  %s\n", left, width, "", right);
    else
        fprintf(out, "  %-*s  %s\n", width, left, right);
}

static void option_help(FILE *out, const char *name, const char *sample, const char *about)
{
    char left[96], dashed[CONFIG_NAME_BYTES_MAX + 1];
    snprintf(dashed, sizeof dashed, "%s", name);
    for (char *c = dashed; *c != '\0'; c++)
        if (*c == '_')
            *c = '-';
    snprintf(left, sizeof left, "--%s%s%s", dashed, sample ? " " : "", sample ? sample : "");
    column(out, left, 30, about);
}

static void settings_help(FILE *out)
{
    char about[200];
    fprintf(out, "\nSettings\n");
    for (int id = 0; id < CONFIG_IDS; id++) {
        const struct config_key *key = &CONFIG_KEYS[id];
        snprintf(about, sizeof about, "%s%s%s%s", key->about, key->absent ? " (" : "",
                 key->absent ? key->absent : "", key->absent ? ")" : "");
        option_help(out, key->name, key->sample, about);
    }
}

void cli_help(const struct cli_command *command, FILE *out)
{
    const char *usage = command->usage;
    fprintf(out, "dult %s: %s\n\n", command->name, command->purpose);
    while (usage != NULL) {
        int length = (int)strcspn(usage, "\n");
        fprintf(out, "    dult %s %.*s\n", command->name, length, usage);
        usage = usage[length] == '\n' ? usage + length + 1 : NULL;
    }
    if (command->more != NULL)
        fprintf(out, "\n%s\n", command->more);
    fprintf(out, "\nOptions\n");
    for (int i = 0; i < CLI_OPTIONS_MAX && command->options[i].name != NULL; i++)
        option_help(out, command->options[i].name, command->options[i].sample,
                    command->options[i].about);
    if (command->has_data) {
        option_help(out, "data", "DIR", "the data folder (./data, or $DULT_DATA)");
        option_help(out, "config", "FILE", "settings from this file instead of DIR/dult.conf");
    }
    option_help(out, "json", NULL, "answer in JSON");
    if (command->has_settings)
        settings_help(out);
    fprintf(out, "\nExample\n    %s\n", command->example);
}

void cli_help_all(FILE *out)
{
    fprintf(out, "Dult follows each customer's journey and nudges them at the right moment.\n\n"
                 "    dult COMMAND [options]\n\n");
    for (const struct cli_command *command = CLI_COMMANDS; command->name != NULL; command++)
        column(out, command->name, 10, command->purpose);
    column(out, "help", 10, "this list; `dult help COMMAND` tells all about one");
    column(out, "version", 10, "which version this is");
    fprintf(out, "\nBegin with\n"
                 "    dult serve --outbox ./data/outbox\n"
                 "    dult key create --kind write --name site\n"
                 "\nExit codes\n"
                 "    0  done, or the answer is yes\n"
                 "    1  the answer is no, or something failed its check\n"
                 "    2  the command line cannot be understood\n"
                 "    3  what was handed in was refused\n"
                 "    4  what was named is not there\n"
                 "    5  another process holds it, or it is over capacity: try again\n"
                 "    6  disk or network failed\n");
}
