/* dult broadcast: one message to many. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run/cli/cli_results.h"

/* ---- shown ---- */

/* "3 unsubscribed, 2 without an address", in the words of the API. */
static void counts_print(const struct json *counts)
{
    bool first = true;
    for (uint32_t i = 0; counts != NULL && i < counts->count; i++) {
        const struct json_member *one = &counts->members[i];
        if (one->value.kind != JSON_INT || one->value.integer == 0)
            continue;
        printf("%s%lld %.*s", first ? "" : ", ", (long long)one->value.integer, STR_ARG(one->key));
        first = false;
    }
}

static void left_print(const struct json *one)
{
    long long seconds = talk_number(one, "seconds_left");
    if (json_get(one, STR("seconds_left")) == NULL)
        return;
    if (seconds < 120)
        printf(", about %lld seconds left", seconds);
    else if (seconds < 7200)
        printf(", about %lld minutes left", seconds / 60);
    else
        printf(", about %lld hours left", seconds / 3600);
}

/* How far the experiment is, and what was counted. */
static void experiment_print(struct talk *talk, const struct json *one)
{
    const struct json *experiment = json_get(one, STR("experiment"));
    const struct json *variants = json_get(experiment, STR("variants"));
    if (experiment == NULL)
        return;
    printf("%-24s experiment %s", "", talk_text(talk, experiment, "phase"));
    if (json_get(experiment, STR("winner")) != NULL)
        printf(": \"%s\", %s", talk_text(talk, experiment, "winner"),
               talk_text(talk, experiment, "how"));
    if (json_get(experiment, STR("decides")) != NULL)
        printf(": the winner is found at %.16s UTC", talk_text(talk, experiment, "decides"));
    printf("\n");
    for (uint32_t i = 0; variants != NULL && i < variants->count; i++) {
        const struct json *variant = &variants->items[i];
        double             low = 0, high = 0, best = 0;
        (void)json_to_real(json_get(variant, STR("low")), &low);
        (void)json_to_real(json_get(variant, STR("high")), &high);
        (void)json_to_real(json_get(variant, STR("best")), &best);
        printf("%-24s   %-20s %lld of %lld, %.1f%% to %.1f%%, the best with %.1f%%\n", "",
               talk_text(talk, variant, "name"), talk_number(variant, "reached"),
               talk_number(variant, "people"), 100 * low, 100 * high, 100 * best);
    }
}

static void line_print(struct talk *talk, const struct json *one)
{
    const char *next = talk_text(talk, one, "next");
    printf("%-24s %-10s", talk_text(talk, one, "name"), talk_text(talk, one, "state"));
    if (talk_number(one, "expected") > 0 || talk_number(one, "recipients") > 0)
        printf(" %lld%%, ", talk_number(one, "percent"));
    counts_print(json_get(one, STR("counts")));
    left_print(one);
    if (next[0] != '\0')
        printf(" (goes on at %.16s UTC)", next);
    printf("\n");
    if (json_get(one, STR("problem")) != NULL)
        printf("%-24s %s\n", "", talk_text(talk, one, "problem"));
    experiment_print(talk, one);
}

static enum err list(struct talk *talk)
{
    return talk_list(talk, "/api/v1/broadcasts");
}

static enum err show(struct talk *talk)
{
    talk_path(talk, "/api/v1/broadcasts/", talk->cli->words[1], NULL);
    return talk_one(talk, "GET");
}

static enum err person_each(void *context, const struct json *one)
{
    struct talk *talk = context;
    if (talk->cli->is_json)
        talk_print_json(one);
    else
        printf("%-10s %-12s %s\n", talk_text(talk, one, "id"), talk_text(talk, one, "state"),
               talk_text(talk, one, "userId"));
    return OK;
}

static enum err people(struct talk *talk)
{
    talk_path(talk, "/api/v1/broadcasts/", talk->cli->words[1], "/people");
    talk_query(talk, "limit", "1000");
    talk_query(talk, "state", cli_value(talk->cli, "state"));
    return talk_all(talk, person_each, talk);
}

static enum err numbers(struct talk *talk)
{
    talk->line = results_print;
    talk_path(talk, "/api/v1/broadcasts/", talk->cli->words[1], "/numbers");
    return talk_one(talk, "GET");
}

/* ---- acts ---- */

static enum err act(struct talk *talk)
{
    char path[32];
    snprintf(path, sizeof path, "/%s", talk->cli->words[0]);
    talk_path(talk, "/api/v1/broadcasts/", talk->cli->words[1], path);
    return talk_one(talk, "POST");
}

static enum err choose(struct talk *talk)
{
    talk_path(talk, "/api/v1/broadcasts/", talk->cli->words[1], "/choose");
    talk_query(talk, "variant", talk->cli->words[2]);
    return talk_one(talk, "POST");
}

static void preview_print(struct talk *talk)
{
    const struct json *answer = &talk->answer;
    const char        *begins = talk_text(talk, answer, "first");
    printf("%lld people would get \"%s\"", talk_number(answer, "would_get_it"),
           talk->cli->words[1]);
    if (talk_number(answer, "would_be_held_back") > 0) {
        printf("; %lld more would be held back: ", talk_number(answer, "would_be_held_back"));
        counts_print(json_get(answer, STR("reasons")));
    }
    if (talk_number(answer, "held_out") > 0)
        printf("; %lld are held out", talk_number(answer, "held_out"));
    printf(".\n");
    if (begins[0] != '\0')
        printf("By their clocks the first at %.16s UTC, the last at %.16s UTC.\n", begins,
               talk_text(talk, answer, "last"));
    if (talk_number(answer, "at_once") > 0)
        printf("For %lld of them that time has passed already: they get it at once.\n",
               talk_number(answer, "at_once"));
    const struct json *findings = json_get(answer, STR("findings"));
    for (uint32_t i = 0; findings != NULL && i < findings->count; i++)
        printf("%s: %s %s\n", talk_text(talk, &findings->items[i], "level"),
               talk_text(talk, &findings->items[i], "what"),
               talk_text(talk, &findings->items[i], "remedy"));
}

static bool is_confirmed(void)
{
    char answer[16];
    printf("Launch it? [y/N] ");
    fflush(stdout);
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static enum err launch(struct talk *talk)
{
    if (!cli_has(talk->cli, "yes")) {
        talk_path(talk, "/api/v1/broadcasts/", talk->cli->words[1], "/launch");
        talk_query(talk, "dry", "1");
        TRY(talk_ask(talk, "POST"));
        preview_print(talk);
        if (!isatty(STDIN_FILENO))
            return problem_set(&talk->problem, ERR_INPUT, "launch",
                               "Nothing was launched: there is nobody to ask.", "Add --yes.");
        if (!is_confirmed())
            return problem_set(&talk->problem, ERR_INPUT, "launch", "Nothing was launched.", "");
    }
    return act(talk);
}

static const struct {
    const char *word;
    enum err (*run)(struct talk *talk);
    int words;
} RUNS[] = { { "list", list, 1 },        { "show", show, 2 },     { "launch", launch, 2 },
             { "pause", act, 2 },        { "resume", act, 2 },    { "cancel", act, 2 },
             { "retry-failed", act, 2 }, { "people", people, 2 }, { "choose", choose, 3 },
             { "numbers", numbers, 2 } };

enum cli_exit cli_broadcast(struct cli *cli)
{
    struct talk talk;
    const char *word = cli->words_count == 0 ? "list" : cli->words[0];
    size_t      i = 0, count = sizeof RUNS / sizeof RUNS[0];
    while (i < count && strcmp(word, RUNS[i].word) != 0)
        i++;
    if (i == count || (cli->words_count > 0 && cli->words_count != RUNS[i].words))
        return cli_usage(cli,
                         "Broadcasts are listed, shown, launched, paused, resumed, cancelled or "
                         "tried again, their numbers are shown, and a variant is chosen.",
                         "`dult help broadcast` shows how.");
    enum err err = talk_open(&talk, cli, false);
    talk.line = line_print;
    if (err == OK)
        err = RUNS[i].run(&talk);
    return talk_end(&talk, err, CLI_OK);
}
