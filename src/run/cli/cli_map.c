/*
 * dult map: the stages from the first to the last, and in each its people, touchpoints, segments
 * and journeys; then the journeys of each segment.
 */
#include <stdio.h>

#include "run/cli/cli_talk.h"
#include "run/cli/progress.h"

enum { NAME_WIDTH = 28 };

static const struct json *list_of(const struct json *object, const char *key)
{
    static const struct json none = { .kind = JSON_ARRAY };
    const struct json       *list = json_get(object, str_of(key));
    return list == NULL || list->kind != JSON_ARRAY ? &none : list;
}

static void number_print(const struct json *object, const char *key)
{
    char text[PROGRESS_NUMBER_BYTES];
    printf("%s", progress_number(talk_number(object, key), text));
}

/* ---- touchpoints ---- */

static void seen_print(struct talk *talk, const struct json *seen)
{
    if (json_get_bool(seen, STR("never"), false)) {
        printf("%snever seen%s", cli_bad(talk->cli), cli_plain(talk->cli));
        return;
    }
    number_print(seen, "count");
    printf(talk_number(seen, "count") == 1 ? " time by " : " times by ");
    number_print(seen, "people");
    printf("%s, last %.10s; ", talk_number(seen, "people") == 1 ? " person" : " people",
           talk_text(talk, seen, "last"));
    number_print(seen, "recent");
    printf(" in %lld days", talk_number(seen, "days"));
}

/* One event of several that never came is most often spelled otherwise. */
static void never_print(struct talk *talk, const struct json *touchpoint)
{
    const struct json *events = list_of(touchpoint, "events");
    bool is_seen = !json_get_bool(json_get(touchpoint, STR("seen")), STR("never"), true);
    for (uint32_t i = 0; i < events->count && is_seen; i++)
        if (json_get_bool(&events->items[i], STR("never"), false))
            printf("        never: %s\n", talk_text(talk, &events->items[i], "event"));
}

static void touchpoint_print(struct talk *talk, const struct json *one, bool is_stray)
{
    const char *fault = talk_text(talk, one, "fault");
    if (fault[0] != '\0') {
        printf("    %-*s %s%s%s\n", NAME_WIDTH, talk_text(talk, one, "name"), cli_bad(talk->cli),
               fault, cli_plain(talk->cli));
        return;
    }
    const char *title = talk_text(talk, one, "title"), *source = talk_text(talk, one, "source");
    printf("    %-*s ", NAME_WIDTH, title[0] == '\0' ? talk_text(talk, one, "name") : title);
    seen_print(talk, json_get(one, STR("seen")));
    if (source[0] != '\0')
        printf("   %sfrom %s%s%s", cli_quiet(talk->cli), source,
               json_get_bool(one, STR("source_known"), false) ? "" : ", which is no key",
               cli_plain(talk->cli));
    printf("\n");
    if (json_get(one, STR("feeling")) != NULL)
        printf("        %s%s%s\n", cli_quiet(talk->cli), talk_text(talk, one, "feeling"),
               cli_plain(talk->cli));
    never_print(talk, one);
    if (is_stray)
        printf("        %sits stage \"%s\" is gone%s\n", cli_bad(talk->cli),
               talk_text(talk, one, "stage"), cli_plain(talk->cli));
}

/* ---- a stage ---- */

static void groups_print(struct talk *talk, const struct json *stage, const char *key)
{
    const struct json *groups = list_of(stage, key);
    if (groups->count > 0)
        printf("  %s\n", key);
    for (uint32_t i = 0; i < groups->count; i++) {
        const struct json *group = &groups->items[i];
        printf("    %-*s ", NAME_WIDTH, talk_text(talk, group, "name"));
        number_print(group, "people");
        printf(" of ");
        number_print(group, "of");
        printf("%s\n", json_get_bool(group, STR("begins"), false) ? "   begins by this stage" : "");
    }
}

static void stage_print(struct talk *talk, const struct json *stage)
{
    const char        *name = talk_text(talk, stage, "name");
    const struct json *touchpoints = list_of(stage, "touchpoints");
    printf("%s%s%s   ", cli_bold(talk->cli), name[0] == '\0' ? "(no stage)" : name,
           cli_plain(talk->cli));
    number_print(stage, "people");
    printf(talk_number(stage, "people") == 1 ? " person\n" : " people\n");
    if (touchpoints->count > 0)
        printf("  touchpoints\n");
    for (uint32_t i = 0; i < touchpoints->count; i++)
        touchpoint_print(talk, &touchpoints->items[i], name[0] == '\0');
    groups_print(talk, stage, "segments");
    groups_print(talk, stage, "journeys");
    printf("\n");
}

/* ---- the journeys of a segment ---- */

static void segment_print(struct talk *talk, const struct json *segment)
{
    const struct json *journeys = list_of(segment, "journeys");
    bool               is_uncounted = json_get_bool(segment, STR("uncounted"), false);
    if (journeys->count == 0 && !is_uncounted)
        return;
    printf("%-*s   %s", NAME_WIDTH, talk_text(talk, segment, "name"),
           is_uncounted ? "too large to be counted; " : "");
    for (uint32_t i = 0; i < journeys->count; i++) {
        const struct json *as = list_of(&journeys->items[i], "as");
        printf("%s%s (", i == 0 ? "" : ", ", talk_text(talk, &journeys->items[i], "name"));
        for (uint32_t k = 0; k < as->count; k++)
            printf("%s%.*s", k == 0 ? "" : ", ", STR_ARG(as->items[k].string));
        printf(")");
    }
    printf("\n");
}

static bool has_journeys(const struct json *segments)
{
    for (uint32_t i = 0; i < segments->count; i++)
        if (list_of(&segments->items[i], "journeys")->count > 0 ||
            json_get_bool(&segments->items[i], STR("uncounted"), false))
            return true;
    return false;
}

static void left_out_print(const struct json *left)
{
    if (left != NULL)
        printf("\nLeft out: %lld segments and %lld journeys; 200 of each are shown.\n",
               talk_number(left, "segments"), talk_number(left, "journeys"));
}

static void map_print(struct talk *talk)
{
    const struct json *stages = list_of(&talk->answer, "stages");
    const struct json *segments = list_of(&talk->answer, "segments");
    const struct json *none = json_get(&talk->answer, STR("none"));
    for (uint32_t i = 0; i < stages->count; i++)
        stage_print(talk, &stages->items[i]);
    if (stages->count == 0)
        printf("There are no stages. `dult stages set stages.json` puts some there.\n\n");
    if (talk_number(none, "people") > 0 || list_of(none, "touchpoints")->count > 0)
        stage_print(talk, none);
    if (has_journeys(segments))
        printf("%sJourneys of a segment%s\n", cli_bold(talk->cli), cli_plain(talk->cli));
    for (uint32_t i = 0; i < segments->count; i++)
        segment_print(talk, &segments->items[i]);
    left_out_print(json_get(&talk->answer, STR("left_out")));
}

enum cli_exit cli_map(struct cli *cli)
{
    struct talk talk;
    enum err    err = talk_open(&talk, cli, false);
    if (err == OK) {
        talk_path(&talk, "/api/v1/map", NULL, NULL);
        talk_query(&talk, "days", cli_value(cli, "days"));
        talk_query(&talk, "at", cli_value(cli, "at"));
        err = talk_ask(&talk, "GET");
    }
    if (err == OK && cli->is_json)
        talk_print_json(&talk.answer);
    else if (err == OK)
        map_print(&talk);
    if (err == OK && !cli->is_json)
        talk_print_unseen(&talk);
    return talk_end(&talk, err, CLI_OK);
}
