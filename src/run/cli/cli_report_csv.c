/* Reports as rows for a spreadsheet (RFC 4180, with a line of names first). */
#include "run/cli/cli_report.h"

void report_csv_field(struct str text, char after)
{
    bool is_quoted = false;
    for (size_t i = 0; i < text.len; i++)
        is_quoted = is_quoted || text.ptr[i] == '"' || text.ptr[i] == ',' || text.ptr[i] == '\n' ||
                    text.ptr[i] == '\r';
    if (is_quoted)
        putchar('"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            putchar('"');
        putchar(text.ptr[i]);
    }
    if (is_quoted)
        putchar('"');
    putchar(after);
}

static void text_field(const struct json *object, const char *key, char after)
{
    report_csv_field(json_get_str(object, str_of(key)), after);
}

static void int_field(int64_t value, char after)
{
    printf("%lld%c", (long long)value, after);
}

/* All its digits: a sum of money has more than ten. */
void report_csv_real(double value, char after)
{
    SCOPED(buf_donep) struct buf text = buf_make(REPORT_TEXT_BYTES);
    json_write_real(&text, value);
    printf("%.*s%c", STR_ARG(buf_view(&text)), after);
}

/* The value, as it is; empty for other, without and all, which "group" tells apart. */
void report_csv_group(const struct json *row)
{
    char value[REPORT_TEXT_BYTES];
    text_field(row, "group", ',');
    report_csv_field(
        json_get(row, STR("value")) != NULL ? str_of(report_group(row, value)) : STR_NONE, ',');
}

void report_csv_trends(struct talk *talk)
{
    const struct json *rows = report_list(&talk->answer, "rows");
    const struct json *periods = report_list(&talk->answer, "periods");
    bool               sums = json_get(&talk->answer, STR("sum_of")) != NULL;
    printf("period,from,to,group,value,events,people%s\n", sums ? ",sum,average" : "");
    for (uint32_t r = 0; r < rows->count; r++)
        for (uint32_t i = 0; i < periods->count; i++) {
            const struct json *row = &rows->items[r], *sum = report_list(row, "sum");
            const struct json *average = report_list(row, "average");
            double             value = 0;
            text_field(&periods->items[i], "label", ',');
            text_field(&periods->items[i], "from", ',');
            text_field(&periods->items[i], "to", ',');
            report_csv_group(row);
            int_field(report_at(report_list(row, "events"), i), ',');
            int_field(report_at(report_list(row, "people"), i), sums ? ',' : '\n');
            if (sums && i < sum->count && json_to_real(&sum->items[i], &value))
                report_csv_real(value, ',');
            if (sums && i < average->count && json_to_real(&average->items[i], &value))
                report_csv_real(value, '\n');
            else if (sums)
                printf("\n");
        }
}

void report_csv_funnel(struct talk *talk)
{
    const struct json *rows = report_list(&talk->answer, "rows");
    const struct json *steps = report_list(&talk->answer, "steps");
    printf("group,value,step,event,people,of_first,of_before,median_ms,p90_ms\n");
    for (uint32_t r = 0; r < rows->count; r++) {
        const struct json *numbers = report_list(&rows->items[r], "steps");
        for (uint32_t i = 0; i < numbers->count && i < steps->count; i++) {
            const struct json *step = &numbers->items[i];
            report_csv_group(&rows->items[r]);
            int_field(i + 1, ',');
            text_field(&steps->items[i], "event", ',');
            int_field(report_int(step, "people"), ',');
            report_csv_real(report_real(step, "of_first"), ',');
            report_csv_real(report_real(step, "of_before"), ',');
            int_field(report_int(step, "median_ms"), ',');
            int_field(report_int(step, "p90_ms"), '\n');
        }
    }
}

void report_csv_retention(struct talk *talk)
{
    const struct json *rows = report_list(&talk->answer, "rows");
    const struct json *periods = report_list(&talk->answer, "periods");
    printf("period,from,people,later,back\n");
    for (uint32_t i = 0; i < rows->count && i < periods->count; i++) {
        const struct json *back = report_list(&rows->items[i], "back");
        for (uint32_t k = 0; k < back->count; k++) {
            text_field(&periods->items[i], "label", ',');
            text_field(&periods->items[i], "from", ',');
            int_field(report_int(&rows->items[i], "born"), ',');
            int_field(k, ',');
            int_field(report_at(back, k), '\n');
        }
    }
}

void report_csv_spread(struct talk *talk)
{
    const struct json *buckets = report_list(&talk->answer, "buckets");
    printf("bucket,from_ms,to_ms,count\n");
    for (uint32_t i = 0; i < buckets->count; i++) {
        int_field(report_int(&buckets->items[i], "bucket"), ',');
        int_field(report_int(&buckets->items[i], "from_ms"), ',');
        int_field(report_int(&buckets->items[i], "to_ms"), ',');
        int_field(report_int(&buckets->items[i], "count"), '\n');
    }
    printf("never,,,%lld\n", (long long)report_int(&talk->answer, "never"));
}

void report_csv_growth(struct talk *talk)
{
    const struct json *points = report_list(&talk->answer, "points");
    printf("at,people,entered,left\n");
    for (uint32_t i = 0; i < points->count; i++) {
        text_field(&points->items[i], "at", ',');
        int_field(report_int(&points->items[i], "people"), ',');
        int_field(report_int(&points->items[i], "entered"), ',');
        int_field(report_int(&points->items[i], "left"), '\n');
    }
}
