/* The report over the stages: as a table that a person reads, and as rows for a spreadsheet. */
#include "run/cli/cli_report.h"
#include "run/cli/progress.h"

enum { STAGE_COLUMNS = 20 };

static void number_print(int64_t value, int width)
{
    char text[PROGRESS_NUMBER_BYTES];
    printf("%*s", width, progress_number(value, text));
}

static void length_print(const struct json *stage, const char *key, int width)
{
    char text[REPORT_TEXT_BYTES];
    bool is_known = json_get(stage, str_of(key)) != NULL;
    printf("%*s", width, is_known ? report_length(report_int(stage, key), text) : "-");
}

static void next_print(struct talk *talk, const struct json *stage)
{
    const struct json *next = report_list(stage, "next");
    for (uint32_t i = 0; i < next->count; i++) {
        const char *name = talk_text(talk, &next->items[i], "stage");
        printf("%s%s %lld", i == 0 ? "   " : ", ", name[0] == '\0' ? "(none)" : name,
               (long long)report_int(&next->items[i], "count"));
    }
}

static void stage_print(struct talk *talk, const struct json *stage)
{
    char on[16] = "-";
    printf("%-*.*s", STAGE_COLUMNS, STAGE_COLUMNS, talk_text(talk, stage, "stage"));
    number_print(report_int(stage, "people"), 9);
    number_print(report_int(stage, "came"), 9);
    number_print(report_int(stage, "on"), 9);
    if (json_get(stage, STR("conversion")) != NULL)
        snprintf(on, sizeof on, "%.1f%%", 100 * report_real(stage, "conversion"));
    printf("%8s", on);
    number_print(report_int(stage, "left"), 8);
    length_print(stage, "p25_ms", 10);
    length_print(stage, "median_ms", 10);
    length_print(stage, "p75_ms", 10);
    next_print(talk, stage);
    printf("\n");
}

void report_show_stages(struct talk *talk)
{
    const struct json *rows = report_list(&talk->answer, "rows");
    report_title(talk, "From stage to stage");
    for (uint32_t r = 0; r < rows->count; r++) {
        const struct json *stages = report_list(&rows->items[r], "stages");
        char               group[REPORT_TEXT_BYTES];
        if (rows->count > 1)
            printf("%s%s%s%s\n", r > 0 ? "\n" : "", cli_bold(talk->cli),
                   report_group(&rows->items[r], group), cli_plain(talk->cli));
        printf("%-*s%9s%9s%9s%8s%8s%10s%10s%10s   left to\n", STAGE_COLUMNS, "", "in it", "came",
               "went on", "of came", "left", "quarter", "half", "3/4 within");
        for (uint32_t i = 0; i < stages->count; i++)
            stage_print(talk, &stages->items[i]);
        if (report_int(&rows->items[r], "none") > 0) {
            printf("%-*s", STAGE_COLUMNS, "(none)");
            number_print(report_int(&rows->items[r], "none"), 9);
            printf("\n");
        }
    }
    if (report_int(&talk->answer, "unsure") > 0)
        printf("\n%lld people did more than can be followed: they count where they were last.\n",
               (long long)report_int(&talk->answer, "unsure"));
}

/* ---- rows: one a stage, and one for each way out of it ---- */

static void length_field(const struct json *stage, const char *key, char after)
{
    if (json_get(stage, str_of(key)) != NULL)
        printf("%lld", (long long)report_int(stage, key));
    putchar(after);
}

static void stage_fields(const struct json *row, const struct json *stage, struct str next,
                         int64_t count)
{
    report_csv_group(row);
    report_csv_field(json_get_str(stage, STR("stage")), ',');
    printf("%lld,%lld,%lld,%lld,%lld,", (long long)report_int(stage, "people"),
           (long long)report_int(stage, "came"), (long long)report_int(stage, "comings"),
           (long long)report_int(stage, "on"), (long long)report_int(stage, "left"));
    length_field(stage, "p25_ms", ',');
    length_field(stage, "median_ms", ',');
    length_field(stage, "p75_ms", ',');
    report_csv_field(next, ',');
    printf("%lld\n", (long long)count);
}

void report_csv_stages(struct talk *talk)
{
    const struct json *rows = report_list(&talk->answer, "rows");
    printf("group,value,stage,people,came,comings,on,left,p25_ms,median_ms,p75_ms,next,count\n");
    for (uint32_t r = 0; r < rows->count; r++) {
        const struct json *stages = report_list(&rows->items[r], "stages");
        for (uint32_t i = 0; i < stages->count; i++) {
            const struct json *next = report_list(&stages->items[i], "next");
            stage_fields(&rows->items[r], &stages->items[i], STR_NONE,
                         report_int(&stages->items[i], "left"));
            for (uint32_t n = 0; n < next->count; n++) {
                struct str to = json_get_str(&next->items[n], STR("stage"));
                stage_fields(&rows->items[r], &stages->items[i],
                             str_is_empty(to) ? STR("(none)") : to,
                             report_int(&next->items[n], "count"));
            }
        }
    }
}
