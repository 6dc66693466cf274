/*
 * dult stage: the stage of one person, by the rules or by hand.
 */
#include <stdio.h>
#include <string.h>

#include "run/cli/cli_talk.h"

static void hand_print(struct talk *talk, const struct json *hand)
{
    const char *until = talk_text(talk, hand, "until"), *why = talk_text(talk, hand, "why");
    printf("set by hand: %s, %s by %s", talk_text(talk, hand, "stage"), talk_text(talk, hand, "at"),
           talk_text(talk, hand, "by"));
    if (until[0] != '\0')
        printf(", until %s", until);
    if (why[0] != '\0')
        printf(": %s", why);
    printf("%s\n", json_get_bool(hand, STR("in_force"), false) ? "" : " (its time is over)");
}

static enum err show(struct talk *talk)
{
    TRY(talk_ask(talk, "GET"));
    if (talk->cli->is_json) {
        talk_print_json(&talk->answer);
        return OK;
    }
    const struct json *hand = json_get(&talk->answer, STR("by_hand"));
    const char        *stage = talk_text(talk, &talk->answer, "stage");
    const char        *since = talk_text(talk, &talk->answer, "since");
    if (stage[0] == '\0')
        printf("in no stage\n");
    else
        printf("%s, by %s%s%s\n", stage,
               strcmp(talk_text(talk, &talk->answer, "by"), "hand") == 0 ? "hand" : "the rules",
               since[0] == '\0' ? "" : ", since ", since);
    if (hand != NULL && hand->kind == JSON_OBJECT)
        hand_print(talk, hand);
    return OK;
}

static void member_write(struct buf *out, bool *first, const char *key, const char *text)
{
    if (text == NULL)
        return;
    json_write_key(out, first, key);
    json_write_str(out, str_of(text));
}

static enum err told(struct talk *talk, const char *what)
{
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else
        printf("%s\n", what);
    return OK;
}

static enum err set(struct talk *talk)
{
    bool first = true;
    buf_char(&talk->body, '{');
    member_write(&talk->body, &first, "stage", talk->cli->words[2]);
    member_write(&talk->body, &first, "until", cli_value(talk->cli, "until"));
    member_write(&talk->body, &first, "why", cli_value(talk->cli, "why"));
    buf_char(&talk->body, '}');
    TRY(talk_ask(talk, "PUT"));
    return told(talk, "Set.");
}

static enum err clear(struct talk *talk)
{
    talk_query(talk, "why", cli_value(talk->cli, "why"));
    TRY(talk_ask(talk, "DELETE"));
    return told(talk, "Cleared: the rules say it again.");
}

enum cli_exit cli_stage(struct cli *cli)
{
    static const struct {
        const char *word;
        int         words;
        enum err (*run)(struct talk *talk);
    } runs[] = { { "show", 2, show }, { "set", 3, set }, { "clear", 2, clear } };
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        struct talk talk;
        if (strcmp(cli->words[0], runs[i].word) != 0 || cli->words_count != runs[i].words)
            continue;
        enum err err = talk_open(&talk, cli, false);
        if (err == OK) {
            talk_path(&talk, "/api/v1/profiles/", cli->words[1], "/stage");
            err = runs[i].run(&talk);
        }
        return talk_end(&talk, err, CLI_OK);
    }
    return cli_usage(cli, "A person's stage is shown, set or cleared.",
                     "`dult help stage` shows how.");
}
