/* dult trait list, show: the computed traits. */
#include <stdio.h>
#include <string.h>

#include "run/cli/cli_talk.h"

static enum err trait_line(void *context, const struct json *item)
{
    struct talk *talk = context;
    int64_t      segments = 0, journeys = 0;
    (void)json_get_int(item, STR("segments"), &segments);
    (void)json_get_int(item, STR("journeys"), &journeys);
    printf("%-32s named by %lld segments, %lld journeys\n", talk_text(talk, item, "name"),
           (long long)segments, (long long)journeys);
    return OK;
}

static enum err trait_json(void *context, const struct json *item)
{
    (void)context;
    talk_print_json(item);
    return OK;
}

enum cli_exit cli_trait(struct cli *cli)
{
    struct talk talk;
    bool        lists = strcmp(cli->words[0], "list") == 0 && cli->words_count == 1;
    bool        shows = strcmp(cli->words[0], "show") == 0 && cli->words_count == 2;
    if (!lists && !shows)
        return cli_usage(cli, "Computed traits are listed, or one is shown.",
                         "`dult help trait` shows how.");
    enum err err = talk_open(&talk, cli, false);
    if (err == OK && lists) {
        talk_path(&talk, "/api/v1/traits", NULL, NULL);
        talk_query(&talk, "limit", "1000");
        err = talk_all(&talk, cli->is_json ? trait_json : trait_line, &talk);
    } else if (err == OK) {
        talk_path(&talk, "/api/v1/traits/", cli->words[1], NULL);
        err = talk_ask(&talk, "GET");
        if (err == OK && cli->is_json)
            talk_print_json(&talk.answer);
        else if (err == OK)
            printf("%s\n", talk_text(&talk, &talk.answer, "text"));
    }
    return talk_end(&talk, err, CLI_OK);
}
