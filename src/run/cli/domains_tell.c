#include "run/cli/domains_tell.h"

#include <stdio.h>
#include <string.h>

enum { TXT_PIECE = 255 };

/* A record as a zone file has it. */
static void record_print(const char *name, const char *type, const char *publish)
{
    size_t len = strlen(publish);
    printf("    %s. IN %s ", name, type);
    if (strcmp(type, "TXT") != 0) {
        printf("%s\n", publish);
        return;
    }
    if (len > TXT_PIECE)
        printf("( ");
    for (size_t at = 0; at == 0 || at < len; at += TXT_PIECE)
        printf("%s\"%.*s\"", at == 0 ? "" : " ", TXT_PIECE, publish + at);
    printf("%s\n", len > TXT_PIECE ? " )" : "");
}

static void found_print(const struct json *found)
{
    for (uint32_t i = 0; found != NULL && i < found->count; i++) {
        struct str text = found->items[i].string;
        printf("    found: %.*s%s\n", STR_ARG(str_slice(text, 0, 200)),
               text.len > 200 ? "..." : "");
    }
}

static bool row_print(struct talk *talk, const struct json *row)
{
    const struct cli *cli = talk->cli;
    const char       *state = talk_text(talk, row, "state"), *name = talk_text(talk, row, "name");
    const char       *publish = talk_text(talk, row, "publish");
    bool              is_wrong = strcmp(state, "missing") == 0 || strcmp(state, "wrong") == 0;
    printf("%s%-8s%s%-6s %s  %s\n",
           is_wrong                     ? cli_bad(cli)
           : strcmp(state, "good") == 0 ? cli_good(cli)
                                        : cli_bold(cli),
           state, cli_plain(cli), talk_text(talk, row, "about"), name,
           talk_text(talk, row, "what"));
    if (is_wrong)
        found_print(json_get(row, STR("found")));
    if (publish[0] != '\0')
        record_print(name, talk_text(talk, row, "type"), publish);
    return is_wrong;
}

bool domains_tell(struct talk *talk)
{
    const struct json *items = json_get(&talk->answer, STR("items"));
    bool               is_wrong = false;
    if (items == NULL || items->count == 0)
        printf("The workspace does not say who sends: put \"sender\" into workspace.json.\n");
    for (uint32_t i = 0; items != NULL && i < items->count; i++) {
        const struct json *records = json_get(&items->items[i], STR("records"));
        printf("%s%s%s\n", cli_bold(talk->cli), talk_text(talk, &items->items[i], "domain"),
               cli_plain(talk->cli));
        for (uint32_t k = 0; records != NULL && k < records->count; k++)
            is_wrong = row_print(talk, &records->items[k]) || is_wrong;
    }
    return is_wrong;
}
