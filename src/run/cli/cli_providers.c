/* dult providers: the services that messages can go by, and whether a description can be read. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "run/cli/cli.h"
#include "run/cli/files.h"
#include "run/send/provider.h"

__asm__(".section .rodata\n"
        ".global dult_provider_schema\ndult_provider_schema:\n"
        ".incbin \"" DULT_PROVIDER_SCHEMA "\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char dult_provider_schema[];

enum { ARENA_BYTES_MAX = 1 << 22, PATH_BYTES = 4400 };

static void setting_say(const struct provider_setting *setting)
{
    printf("    %-18.*s %.*s%s%s%.*s\n", STR_ARG(setting->name), STR_ARG(setting->about),
           setting->is_secret   ? " (secret)"
           : setting->is_needed ? ""
                                : " (not needed)",
           setting->absent.len > 0 ? "; else " : "", STR_ARG(setting->absent));
}

static void say(const struct provider *provider)
{
    printf("%.*s  %.*s, %.*s\n", STR_ARG(provider_name(provider)),
           STR_ARG(provider_title(provider)), STR_ARG(channel_name(provider_channel(provider))));
    for (uint32_t i = 0; i < provider_settings_count(provider); i++)
        setting_say(&provider_settings(provider)[i]);
}

static void json_say(const struct provider *provider, bool *first)
{
    SCOPED(buf_donep) struct buf out = buf_make(PROVIDER_BYTES_MAX);
    buf_str(&out, *first ? STR("{\"name\":") : STR(",{\"name\":"));
    *first = false;
    json_write_str(&out, provider_name(provider));
    buf_str(&out, STR(",\"title\":"));
    json_write_str(&out, provider_title(provider));
    buf_str(&out, STR(",\"channel\":"));
    json_write_str(&out, channel_name(provider_channel(provider)));
    buf_str(&out, STR(",\"settings\":["));
    for (uint32_t i = 0; i < provider_settings_count(provider); i++) {
        const struct provider_setting *setting = &provider_settings(provider)[i];
        buf_str(&out, i == 0 ? STR("{\"name\":") : STR(",{\"name\":"));
        json_write_str(&out, setting->name);
        buf_str(&out, STR(",\"about\":"));
        json_write_str(&out, setting->about);
        buf_format(&out, ",\"secret\":%s,\"needed\":%s}", setting->is_secret ? "true" : "false",
                   setting->is_needed ? "true" : "false");
    }
    buf_str(&out, STR("]}"));
    printf("%.*s", STR_ARG(buf_view(&out)));
}

static enum err one(const struct cli *cli, struct str text, const char *where, bool *first,
                    struct problem *problem)
{
    struct provider *provider = NULL;
    TRY(provider_parse(&provider, text, where, problem));
    if (cli->is_json)
        json_say(provider, first);
    else
        say(provider);
    provider_close(provider);
    return OK;
}

/* One that is written: its examples are judged, too. */
static enum err file_check(const struct cli *cli, const char *path, bool *first,
                           struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES_MAX);
    struct provider                   *provider = NULL;
    struct str                         text;
    if (arena == NULL)
        return ERR_MEMORY;
    TRY(files_read_one(arena, path, PROVIDER_BYTES_MAX, &text, problem));
    TRY(provider_parse(&provider, text, path, problem));
    enum err err = provider_examples(provider, path, problem);
    provider_close(provider);
    return err == OK ? one(cli, text, path, first, problem) : err;
}

static enum err file_say(const struct cli *cli, const char *path, bool *first,
                         struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES_MAX);
    struct str                         text;
    if (arena == NULL)
        return ERR_MEMORY;
    TRY(files_read_one(arena, path, PROVIDER_BYTES_MAX, &text, problem));
    return one(cli, text, path, first, problem);
}

/* Those of the data folder, before the built-in ones: so they are looked up. */
static enum err own_say(const struct cli *cli, bool *first, struct problem *problem)
{
    char     path[PATH_BYTES];
    enum err err = OK;
    snprintf(path, sizeof path, "%.4000s/providers", cli->data);
    DIR *folder = opendir(path);
    for (const struct dirent *entry;
         folder != NULL && err == OK && (entry = readdir(folder)) != NULL;) {
        if (!str_ends(str_of(entry->d_name), STR(".json")))
            continue;
        snprintf(path, sizeof path, "%.4000s/providers/%s", cli->data, entry->d_name);
        err = file_say(cli, path, first, problem);
    }
    if (folder != NULL)
        closedir(folder);
    return err;
}

enum cli_exit cli_providers(struct cli *cli)
{
    struct problem problem = { .where = "" };
    bool           first = true;
    enum err       err = OK;
    if (cli_has(cli, "schema")) {
        printf("%s", dult_provider_schema);
        return CLI_OK;
    }
    if (cli->is_json)
        printf("{\"providers\":[");
    if (cli_has(cli, "check"))
        err = file_check(cli, cli_value(cli, "check"), &first, &problem);
    else
        err = own_say(cli, &first, &problem);
    for (uint32_t i = 0; err == OK && !cli_has(cli, "check") && provider_builtin_name(i) != NULL;
         i++) {
        const char *name = provider_builtin_name(i);
        err = one(cli, provider_builtin(str_of(name)), name, &first, &problem);
    }
    if (cli->is_json)
        printf("]}\n");
    return err == OK ? CLI_OK : cli_fail(cli, err, &problem);
}
