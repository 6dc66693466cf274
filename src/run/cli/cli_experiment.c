/* dult experiment: what was expected, what came out, what was learnt. */
#include <stdio.h>
#include <string.h>

#include "run/cli/cli_talk.h"

static double real_of(const struct json *object, const char *key)
{
    double value = 0;
    (void)json_get_real(object, str_of(key), &value);
    return value;
}

static void place_print(struct talk *talk, const struct json *place)
{
    if (json_get(place, STR("broadcast")) != NULL)
        printf("broadcast %s", talk_text(talk, place, "broadcast"));
    else
        printf("journey %s, node %s", talk_text(talk, place, "journey"),
               talk_text(talk, place, "node"));
}

static void head_print(struct talk *talk, const struct json *one)
{
    const struct json *places = json_get(one, STR("places"));
    printf("%s", talk_text(talk, one, "name"));
    for (uint32_t i = 0; places != NULL && i < places->count; i++) {
        printf("%s", i == 0 ? "  (" : "; ");
        place_print(talk, &places->items[i]);
        if (i + 1 == places->count)
            printf(")");
    }
    printf("\n");
    if (json_get(one, STR("hypothesis")) != NULL)
        printf("    expected  %s\n", talk_text(talk, one, "hypothesis"));
    if (json_get(one, STR("lesson")) != NULL)
        printf("    learnt    %s  (%.10s)\n", talk_text(talk, one, "lesson"),
               talk_text(talk, one, "learnt"));
}

/* A journey's variants have a rate of the goal, a broadcast's one of clicks. */
static void variant_print(struct talk *talk, const struct json *one)
{
    const struct json *rate = json_get(one, STR("rate")), *best = json_get(one, STR("best"));
    const char        *of = "reached the goal";
    double             sure = 0;
    if (rate == NULL) {
        rate = json_get(json_get(one, STR("rates")), STR("clicked"));
        of = "clicked";
    }
    if (best != NULL && !json_to_real(best, &sure))
        sure = real_of(best, "clicked");
    printf("        %-20s %8lld sent", talk_text(talk, one, "name"), talk_number(one, "sent"));
    if (rate != NULL)
        printf(", %.1f%% (%.1f%% to %.1f%%) %s, the best with %.1f%%",
               100 * real_of(rate, "middle"), 100 * real_of(rate, "low"),
               100 * real_of(rate, "high"), of, 100 * sure);
    printf("\n");
}

static void outcome_print(struct talk *talk, const char *when, const struct json *outcome)
{
    for (uint32_t i = 0; outcome != NULL && i < outcome->count; i++) {
        const struct json *variants = json_get(&outcome->items[i], STR("variants"));
        printf("    %s, %.16s UTC, ", when, talk_text(talk, &outcome->items[i], "at"));
        place_print(talk, &outcome->items[i]);
        printf("\n");
        for (uint32_t k = 0; variants != NULL && k < variants->count; k++)
            variant_print(talk, &variants->items[k]);
    }
}

static void one_print(struct talk *talk, const struct json *one)
{
    head_print(talk, one);
    outcome_print(talk, "then", json_get(one, STR("kept")));
    outcome_print(talk, "now", json_get(one, STR("now")));
}

static enum err list(struct talk *talk)
{
    talk->line = head_print;
    talk_path(talk, "/api/v1/experiments", NULL, NULL);
    talk_query(talk, "search", cli_value(talk->cli, "search"));
    return talk_all(talk, talk_item, talk);
}

static enum err show(struct talk *talk)
{
    talk->line = one_print;
    talk_path(talk, "/api/v1/experiments/", talk->cli->words[1], NULL);
    return talk_one(talk, "GET");
}

static enum err lesson(struct talk *talk)
{
    bool first = true;
    talk->line = head_print;
    talk_path(talk, "/api/v1/experiments/", talk->cli->words[1], "/lesson");
    buf_reset(&talk->body);
    buf_char(&talk->body, '{');
    json_write_key(&talk->body, &first, "lesson");
    json_write_str(&talk->body, str_of(talk->cli->words[2]));
    buf_char(&talk->body, '}');
    return talk_one(talk, "PUT");
}

enum cli_exit cli_experiment(struct cli *cli)
{
    struct talk talk;
    int         count = cli->words_count;
    const char *word = count == 0 ? "list" : cli->words[0];
    bool        is_list = strcmp(word, "list") == 0 && count <= 1;
    bool        is_show = strcmp(word, "show") == 0 && count == 2;
    if (!is_list && !is_show && !(strcmp(word, "lesson") == 0 && count == 3))
        return cli_usage(cli, "Experiments are listed, shown, and learnt from.",
                         "`dult help experiment` shows how.");
    enum err err = talk_open(&talk, cli, false);
    if (err == OK)
        err = is_list ? list(&talk) : is_show ? show(&talk) : lesson(&talk);
    return talk_end(&talk, err, CLI_OK);
}
