/* dult journey: what became of those who came into one. */
#include <stdio.h>
#include <string.h>

#include "run/cli/cli_enroll.h"
#include "run/cli/cli_next.h"
#include "run/cli/cli_talk.h"
#include "run/cli/cli_versions.h"

static double real_of(const struct json *object, const char *key)
{
    double value = 0;
    (void)json_get_real(object, str_of(key), &value);
    return value;
}

/* "14.6% (13.6% to 15.6%)" */
static void rate_print(const struct json *range)
{
    printf("%.1f%% (%.1f%% to %.1f%%)", 100 * real_of(range, "middle"), 100 * real_of(range, "low"),
           100 * real_of(range, "high"));
}

static void head_print(struct talk *talk, const struct json *one)
{
    if (json_get(one, STR("state")) != NULL)
        printf("%s is %s.\n", talk_text(talk, one, "journey"), talk_text(talk, one, "state"));
    printf("%s: %lld came in, %lld held out; %lld sent, %lld opened, %lld clicked\n",
           talk_text(talk, one, "journey"), talk_number(one, "entered"),
           talk_number(one, "held_out"), talk_number(one, "sent"), talk_number(one, "opened"),
           talk_number(one, "clicked"));
}

static void goal_print(const struct json *goal)
{
    if (goal == NULL)
        return;
    printf("goal: %lld of %lld reached it, ", talk_number(goal, "reached"),
           talk_number(goal, "entered"));
    rate_print(json_get(goal, STR("rate")));
    if (real_of(goal, "value") != 0)
        printf(", worth %.2f", real_of(goal, "value"));
    if (json_get(goal, STR("target")) != NULL)
        printf("; the target is %g%%", 100 * real_of(goal, "target"));
    printf("\n");
}

static void lift_print(const struct json *lift)
{
    const struct json *in = json_get(lift, STR("let_in")), *held = json_get(lift, STR("held_out"));
    const struct json *difference = json_get(lift, STR("difference"));
    if (lift == NULL)
        return;
    printf("lift: %.1f%% of %lld let in, %.1f%% of %lld held out: %.1f points (%.1f to %.1f), "
           "better with %.1f%%\n",
           100 * real_of(json_get(in, STR("rate")), "middle"), talk_number(in, "people"),
           100 * real_of(json_get(held, STR("rate")), "middle"), talk_number(held, "people"),
           100 * real_of(difference, "middle"), 100 * real_of(difference, "low"),
           100 * real_of(difference, "high"), 100 * real_of(lift, "better"));
}

/* "left: 12 finished, 3 unsubscribed" */
static void reasons_print(const char *word, const struct json *exits)
{
    for (uint32_t i = 0; exits != NULL && i < exits->count; i++)
        printf("%s%lld %.*s", i == 0 ? word : ", ", (long long)exits->members[i].value.integer,
               STR_ARG(exits->members[i].key));
    if (exits != NULL && exits->count > 0)
        printf("\n");
}

static void ways_print(struct talk *talk, const struct json *ways)
{
    for (uint32_t i = 0; ways != NULL && i < ways->count; i++) {
        const struct json *way = &ways->items[i];
        printf("    %-20s %8lld %8lld %8lld %8lld", talk_text(talk, way, "name"),
               talk_number(way, "entered"), talk_number(way, "sent"), talk_number(way, "opened"),
               talk_number(way, "clicked"));
        if (json_get(way, STR("reached")) != NULL)
            printf(" %8lld", talk_number(way, "reached"));
        if (json_get(way, STR("best")) != NULL) {
            printf("   ");
            rate_print(json_get(way, STR("rate")));
            printf(", the best with %.1f%%", 100 * real_of(way, "best"));
        }
        printf("\n");
    }
}

static void nodes_print(struct talk *talk, const struct json *nodes)
{
    printf("%-24s %8s %8s %8s %8s %8s\n", "node", "entered", "sent", "opened", "clicked",
           "reached");
    for (uint32_t i = 0; nodes != NULL && i < nodes->count; i++) {
        const struct json *node = &nodes->items[i];
        printf("%-24s %8lld", talk_text(talk, node, "id"), talk_number(node, "entered"));
        if (json_get(node, STR("template")) != NULL)
            printf(" %8lld %8lld %8lld", talk_number(node, "sent"), talk_number(node, "opened"),
                   talk_number(node, "clicked"));
        printf("\n");
        ways_print(talk, json_get(node, STR("ways")));
        ways_print(talk, json_get(node, STR("variants")));
        if (json_get(node, STR("winner")) != NULL) {
            printf("    ");
            winner_print(talk, json_get(node, STR("winner")));
        }
    }
}

static void numbers_print(struct talk *talk, const struct json *one)
{
    head_print(talk, one);
    goal_print(json_get(one, STR("goal")));
    lift_print(json_get(one, STR("lift")));
    reasons_print("came in otherwise: ", json_get(one, STR("let_in")));
    reasons_print("left: ", json_get(one, STR("exits")));
    nodes_print(talk, json_get(one, STR("nodes")));
}

enum cli_exit cli_journey(struct cli *cli)
{
    struct talk talk;
    if (strcmp(cli->words[0], "history") == 0)
        return cli_versions_history(cli);
    if (strcmp(cli->words[0], "diff") == 0)
        return cli_versions_diff(cli);
    if (strcmp(cli->words[0], "rollback") == 0)
        return cli_versions_rollback(cli);
    if (strcmp(cli->words[0], "enroll") == 0)
        return cli_enroll(cli);
    if (strcmp(cli->words[0], "leave") == 0)
        return cli_leave(cli);
    if (strcmp(cli->words[0], "draft") == 0)
        return cli_draft(cli);
    if (strcmp(cli->words[0], "choose") == 0)
        return cli_choose(cli);
    if (strcmp(cli->words[0], "pause") == 0 || strcmp(cli->words[0], "resume") == 0 ||
        strcmp(cli->words[0], "stop") == 0)
        return cli_standstill(cli);
    if (strcmp(cli->words[0], "numbers") != 0)
        return cli_usage(cli, "Of a journey its numbers, history and changes are shown.",
                         "`dult help journey` shows how.");
    enum err err = talk_open(&talk, cli, false);
    talk.line = numbers_print;
    if (err == OK) {
        talk_path(&talk, "/api/v1/journeys/", cli->words[1], "/numbers");
        err = talk_one(&talk, "GET");
    }
    return talk_end(&talk, err, CLI_OK);
}
