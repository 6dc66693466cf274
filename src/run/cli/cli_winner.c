/* dult journey choose: the winner of an experiment in a journey. */
#include <stdio.h>

#include "run/cli/cli_enroll.h"
#include "run/cli/cli_next.h"
#include "run/cli/cli_talk.h"

static double real_of(const struct json *object, const char *key)
{
    double value = 0;
    (void)json_get_real(object, str_of(key), &value);
    return value;
}

static void counted_print(struct talk *talk, const struct json *counted)
{
    for (uint32_t i = 0; counted != NULL && i < counted->count; i++) {
        const struct json *one = &counted->items[i];
        printf("%s%s %lld of %lld, the best with %.1f%%", i == 0 ? " (counted: " : "; ",
               talk_text(talk, one, "name"), talk_number(one, "reached"),
               talk_number(one, "people"), 100 * real_of(one, "best"));
    }
    if (counted != NULL && counted->count > 0)
        printf(")");
}

void winner_print(struct talk *talk, const struct json *winner)
{
    const struct json *counted = json_get(winner, STR("counted"));
    struct str         phase = json_get_str(winner, STR("phase"));
    if (str_eq(phase, STR("open")))
        printf("its winner is looked for by %s once each has %lld people after %.1f days",
               talk_text(talk, winner, "by"), talk_number(winner, "people"),
               real_of(winner, "after_ms") / 86400000);
    else if (str_eq(phase, STR("asked")))
        printf("nobody was sure at %.16s UTC: choose one", talk_text(talk, winner, "at"));
    else if (str_eq(phase, STR("dealt")))
        printf("what was chosen was taken back at %.16s UTC: people are dealt",
               talk_text(talk, winner, "at"));
    else
        printf("the winner is %s since %.16s UTC, %s", talk_text(talk, winner, "variant"),
               talk_text(talk, winner, "at"), talk_text(talk, winner, "how"));
    counted_print(talk, counted);
    printf("\n");
}

void choices_print(struct talk *talk)
{
    const struct json *choices = json_get(&talk->answer, STR("choices"));
    for (uint32_t i = 0; choices != NULL && i < choices->count; i++) {
        const struct json *one = &choices->items[i];
        bool               has_variant = json_get(one, STR("variant")) != NULL;
        bool               is_asked = json_get(one, STR("how")) == NULL;
        printf("%s  record %lld, %.16s UTC: at %s %s", i == 0 ? "Chosen:\n" : "",
               talk_number(one, "version"), talk_text(talk, one, "at"),
               talk_text(talk, one, "node"),
               is_asked      ? "nobody was sure"
               : has_variant ? ""
                             : "what was chosen is taken back");
        if (has_variant)
            printf("%s, %s", talk_text(talk, one, "variant"), talk_text(talk, one, "how"));
        printf(", by %s\n", talk_text(talk, one, "author"));
    }
}

static void answer_print(struct talk *talk, const struct json *one)
{
    printf("%s, node %s: ", talk_text(talk, one, "journey"), talk_text(talk, one, "node"));
    winner_print(talk, json_get(one, STR("winner")));
}

enum cli_exit cli_choose(struct cli *cli)
{
    struct talk talk;
    bool        is_none = cli_has(cli, "none");
    if (cli->words_count != (is_none ? 3 : 4))
        return cli_usage(cli, "Which variant, at which node of which journey?",
                         "`dult journey choose NAME NODE VARIANT`, or `choose NAME NODE --none`; "
                         "`dult journey numbers NAME` lists them.");
    enum err err = talk_open(&talk, cli, false);
    talk.line = answer_print;
    if (err == OK) {
        talk_path(&talk, "/api/v1/journeys/", cli->words[1], "/nodes/");
        talk_path_more(&talk, cli->words[2]);
        buf_str(&talk.path, STR("/winner"));
        if (!is_none)
            talk_query(&talk, "variant", cli->words[3]);
        err = talk_one(&talk, is_none ? "DELETE" : "POST");
    }
    return talk_end(&talk, err, CLI_OK);
}
