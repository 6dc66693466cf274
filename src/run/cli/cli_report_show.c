/* Reports as a person reads them: aligned, with bars of plain characters. */
#include "run/cli/cli_report.h"

#include <string.h>

#include "base/time.h"
#include "run/cli/progress.h"

enum { BAR_COLUMNS = 32, EVENT_COLUMNS = 30, GROUP_COLUMNS = 12 };

/* ---- pieces ---- */

char *report_length(int64_t length_ms, char out[REPORT_TEXT_BYTES])
{
    static const struct {
        int64_t     ms;
        const char *one, *many;
    } units[] = { { 365 * TIME_DAY_MS, "year", "years" },
                  { TIME_DAY_MS, "day", "days" },
                  { TIME_HOUR_MS, "h", "h" },
                  { TIME_MINUTE_MS, "min", "min" },
                  { TIME_SECOND_MS, "s", "s" },
                  { 1, "ms", "ms" } };
    size_t i = 0;
    while (i + 1 < sizeof units / sizeof units[0] && length_ms < units[i].ms)
        i++;
    double count = (double)length_ms / (double)units[i].ms;
    bool   is_whole = count >= 9.95 || length_ms % units[i].ms == 0;
    snprintf(out, REPORT_TEXT_BYTES, is_whole ? "%.0f %s" : "%.1f %s", count,
             length_ms == units[i].ms ? units[i].one : units[i].many);
    return out;
}

char *report_group(const struct json *row, char out[REPORT_TEXT_BYTES])
{
    const struct json           *value = json_get(row, STR("value"));
    SCOPED(buf_donep) struct buf text = buf_make(1 << 16);
    struct str                   group = json_get_str(row, STR("group"));
    if (value != NULL && value->kind == JSON_STRING)
        buf_str(&text, value->string);
    else if (value != NULL)
        json_write(&text, value);
    else
        buf_str(&text, str_eq(group, STR("without")) ? STR("(none)")
                       : str_eq(group, STR("other")) ? STR("(other)")
                                                     : group);
    snprintf(out, REPORT_TEXT_BYTES, "%.*s", STR_ARG(buf_view(&text)));
    return out;
}

char *report_event(struct str condition, char out[REPORT_TEXT_BYTES])
{
    struct str rest = str_slice(condition, 5, condition.len);
    size_t     end = str_find_char(rest, 0, '"');
    if (str_starts(condition, STR("did \"")) && end + 1 == rest.len)
        condition = str_slice(rest, 0, end);
    else if (str_starts(condition, STR("did ")))
        condition = str_slice(condition, 4, condition.len);
    snprintf(out, REPORT_TEXT_BYTES, "%.*s", STR_ARG(condition));
    return out;
}

static void bar_print(int64_t value, int64_t most)
{
    int64_t length = most <= 0 ? 0 : (value * BAR_COLUMNS + most / 2) / most;
    if (value > 0 && length == 0)
        length = 1; /* little is more than nothing */
    for (int64_t i = 0; i < length; i++)
        putchar('#');
}

static void number_print(int64_t value, int width)
{
    char text[PROGRESS_NUMBER_BYTES];
    printf("%*s", width, progress_number(value, text));
}

static void share_print(double share, int width)
{
    char text[16];
    snprintf(text, sizeof text, share > 0 && share < 0.0995 ? "%.1f%%" : "%.0f%%", share * 100);
    printf("%*s", width, text);
}

void report_title(struct talk *talk, const char *what)
{
    const struct cli *cli = talk->cli;
    const char       *condition = talk_text(talk, &talk->answer, "condition");
    char              people[PROGRESS_NUMBER_BYTES];
    printf("%s%s%s\n", cli_bold(cli), what, cli_plain(cli));
    printf("%s%.10s to %.10s, %s%s%s", cli_quiet(cli), talk_text(talk, &talk->answer, "from"),
           talk_text(talk, &talk->answer, "to"), talk_text(talk, &talk->answer, "zone"),
           condition[0] ? ", among people where " : "", condition);
    printf("\n%s people asked, as of %.19sZ, record %lld%s\n\n",
           progress_number(report_int(&talk->answer, "audience"), people),
           talk_text(talk, &talk->answer, "at"), (long long)report_int(&talk->answer, "seq"),
           cli_plain(cli));
    talk_print_unseen(talk);
}

static const char *event_of(struct talk *talk, const struct json *object, const char *key,
                            char out[REPORT_TEXT_BYTES])
{
    return report_event(str_of(talk_text(talk, object, key)), out);
}

/* A period that is not over, or cut at an end, is marked. */
static void period_print(struct talk *talk, const struct json *period)
{
    bool is_partial = json_get_bool(period, STR("partial"), false);
    printf("%-10s%c", talk_text(talk, period, "label"), is_partial ? '*' : ' ');
}

static void partial_note(struct talk *talk, const struct json *periods)
{
    for (uint32_t i = 0; i < periods->count; i++)
        if (json_get_bool(&periods->items[i], STR("partial"), false)) {
            printf("%s* not a whole %s%s\n", cli_quiet(talk->cli),
                   talk_text(talk, &talk->answer, "interval"), cli_plain(talk->cli));
            return;
        }
}

/* ---- trends ---- */

static int64_t most_of(const struct json *numbers)
{
    int64_t most = 0;
    for (uint32_t i = 0; i < numbers->count; i++)
        if (report_at(numbers, i) > most)
            most = report_at(numbers, i);
    return most;
}

enum { AVERAGE_COLUMNS = 14 };

/* A period in which nothing was summed has no average. */
static void average_print(const struct json *average)
{
    double value = 0;
    if (average != NULL && json_to_real(average, &value))
        printf("%*.2f", AVERAGE_COLUMNS, value);
    else
        printf("%*s", AVERAGE_COLUMNS, "-");
}

static void trend_alone(struct talk *talk, const struct json *row)
{
    const struct json *periods = report_list(&talk->answer, "periods");
    const struct json *events = report_list(row, "events"), *people = report_list(row, "people");
    const struct json *sums = report_list(row, "sum"), *averages = report_list(row, "average");
    const struct json *total = json_get(row, STR("total"));
    const char        *sum = talk_text(talk, &talk->answer, "sum_of");
    int                width = (int)strlen(sum) + 8 < 14 ? 14 : (int)strlen(sum) + 8;
    printf("%-11s%10s%10s", talk_text(talk, &talk->answer, "interval"), "events", "people");
    if (sum[0] != '\0')
        printf("%*s%s%*s", width - (int)strlen(sum), "sum of ", sum, AVERAGE_COLUMNS, "average");
    printf("\n");
    for (uint32_t i = 0; i < periods->count; i++) {
        period_print(talk, &periods->items[i]);
        number_print(report_at(events, i), 10);
        number_print(report_at(people, i), 10);
        double value = 0;
        if (sum[0] != '\0' && i < sums->count && json_to_real(&sums->items[i], &value))
            printf("%*.2f", width, value);
        if (sum[0] != '\0')
            average_print(i < averages->count ? &averages->items[i] : NULL);
        printf("  ");
        bar_print(report_at(events, i), most_of(events));
        printf("\n");
    }
    printf("%s%-11s", cli_bold(talk->cli), "all");
    number_print(report_int(total, "events"), 10);
    number_print(report_int(total, "people"), 10);
    if (sum[0] != '\0')
        printf("%*.2f", width, report_real(total, "sum"));
    if (sum[0] != '\0')
        average_print(json_get(total, STR("average")));
    printf("%s\n", cli_plain(talk->cli));
}

static void trend_by(struct talk *talk, const struct json *rows)
{
    const struct json *periods = report_list(&talk->answer, "periods");
    char               name[REPORT_TEXT_BYTES];
    printf("%-11s", talk_text(talk, &talk->answer, "interval"));
    for (uint32_t r = 0; r < rows->count; r++)
        printf(" %*.*s", GROUP_COLUMNS - 1, GROUP_COLUMNS - 1, report_group(&rows->items[r], name));
    printf("\n");
    for (uint32_t i = 0; i < periods->count; i++) {
        period_print(talk, &periods->items[i]);
        for (uint32_t r = 0; r < rows->count; r++)
            number_print(report_at(report_list(&rows->items[r], "events"), i), GROUP_COLUMNS);
        printf("\n");
    }
    printf("%s%-11s", cli_bold(talk->cli), "all");
    for (uint32_t r = 0; r < rows->count; r++)
        number_print(report_int(json_get(&rows->items[r], STR("total")), "events"), GROUP_COLUMNS);
    printf("%s\n%-11s", cli_plain(talk->cli), "people");
    for (uint32_t r = 0; r < rows->count; r++)
        number_print(report_int(json_get(&rows->items[r], STR("total")), "people"), GROUP_COLUMNS);
    printf("\n");
}

void report_show_trends(struct talk *talk)
{
    const struct json *rows = report_list(&talk->answer, "rows");
    char               event[REPORT_TEXT_BYTES];
    report_title(talk, event_of(talk, &talk->answer, "event", event));
    if (rows->count == 1)
        trend_alone(talk, &rows->items[0]);
    else
        trend_by(talk, rows);
    partial_note(talk, report_list(&talk->answer, "periods"));
}

/* ---- funnel ---- */

static void funnel_row(struct talk *talk, const struct json *row, const struct json *steps)
{
    const struct json *numbers = report_list(row, "steps");
    char               event[REPORT_TEXT_BYTES], took[REPORT_TEXT_BYTES];
    for (uint32_t i = 0; i < numbers->count && i < steps->count; i++) {
        const struct json *step = &numbers->items[i];
        int64_t            median = report_int(step, "median_ms");
        printf("%2u  %-*.*s", i + 1, EVENT_COLUMNS, EVENT_COLUMNS,
               event_of(talk, &steps->items[i], "event", event));
        number_print(report_int(step, "people"), 10);
        share_print(report_real(step, "of_first"), 10);
        if (i == 0)
            printf("%11s%10s  ", "", "");
        else {
            share_print(report_real(step, "of_before"), 11);
            printf("%10s  ", median > 0 ? report_length(median, took) : "");
        }
        bar_print(report_int(step, "people"), report_int(&numbers->items[0], "people"));
        printf("\n");
    }
}

void report_show_funnel(struct talk *talk)
{
    const struct json *rows = report_list(&talk->answer, "rows");
    const struct json *steps = report_list(&talk->answer, "steps");
    char               title[128], group[REPORT_TEXT_BYTES];
    snprintf(title, sizeof title, "%u steps within %s", steps->count,
             talk_text(talk, &talk->answer, "within"));
    report_title(talk, title);
    printf("%-*s%10s%10s%11s%10s\n", EVENT_COLUMNS + 4, "step", "people", "of first", "of before",
           "median");
    for (uint32_t i = 0; i < rows->count; i++) {
        if (rows->count > 1)
            printf("%s%s%s\n", cli_bold(talk->cli), report_group(&rows->items[i], group),
                   cli_plain(talk->cli));
        funnel_row(talk, &rows->items[i], steps);
    }
}

/* ---- retention ---- */

/* The darker, the more came back; the figure says it, too. */
static void heat_print(const struct cli *cli, int64_t part, int64_t whole)
{
    static const int shades[] = { 0, 195, 159, 123, 80, 73, 37, 30 };
    double           share = whole == 0 ? 0.0 : (double)part / (double)whole;
    int              shade = share <= 0 ? 0 : 1 + (int)(share * 6.0);
    if (shade > 7)
        shade = 7;
    putchar(' ');
    if (whole == 0) {
        printf("%6s", "-");
        return;
    }
    bool is_lit = cli->is_tty && shade > 0;
    if (is_lit)
        printf("\033[48;5;%dm\033[38;5;%dm", shades[shade], shade >= 5 ? 231 : 16);
    share_print(share, 6);
    if (is_lit)
        printf("\033[0m");
}

void report_show_retention(struct talk *talk)
{
    const struct json *rows = report_list(&talk->answer, "rows");
    const struct json *periods = report_list(&talk->answer, "periods");
    const struct json *totals = report_list(&talk->answer, "totals");
    char               title[256], birth[REPORT_TEXT_BYTES], back[REPORT_TEXT_BYTES];
    snprintf(title, sizeof title, "%s, then %s again in a later %s",
             event_of(talk, &talk->answer, "event", birth),
             event_of(talk, &talk->answer, "back", back),
             talk_text(talk, &talk->answer, "interval"));
    report_title(talk, title);
    printf("%-11s%9s", talk_text(talk, &talk->answer, "interval"), "people");
    for (uint32_t i = 0; i < periods->count; i++)
        printf(" %s+%u", i < 10 ? "    " : "   ", i);
    printf("\n");
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct json *came = report_list(&rows->items[i], "back");
        int64_t            born = report_int(&rows->items[i], "born");
        period_print(talk, &periods->items[i]);
        number_print(born, 9);
        for (uint32_t k = 0; k < came->count; k++)
            heat_print(talk->cli, report_at(came, k), born);
        printf("\n");
    }
    printf("%s%-11s%s", cli_bold(talk->cli), "all", cli_plain(talk->cli));
    number_print(totals->count > 0 ? report_int(&totals->items[0], "born") : 0, 9);
    for (uint32_t k = 0; k < totals->count; k++)
        heat_print(talk->cli, report_int(&totals->items[k], "back"),
                   report_int(&totals->items[k], "born"));
    printf("\n");
    partial_note(talk, periods);
}

/* ---- spread ---- */

static void spread_line(const char *label, int64_t count, int64_t begun, int64_t most)
{
    printf("%-22s", label);
    number_print(count, 10);
    share_print(begun == 0 ? 0.0 : (double)count / (double)begun, 9);
    printf("  ");
    bar_print(count, most);
    printf("\n");
}

static int64_t bucket_most(const struct json *buckets, int64_t never)
{
    int64_t most = never;
    for (uint32_t i = 0; i < buckets->count; i++)
        if (report_int(&buckets->items[i], "count") > most)
            most = report_int(&buckets->items[i], "count");
    return most;
}

static void bucket_label(const struct json *bucket, char out[REPORT_TEXT_BYTES])
{
    char    from[REPORT_TEXT_BYTES], to[REPORT_TEXT_BYTES];
    int64_t from_ms = report_int(bucket, "from_ms"), to_ms = report_int(bucket, "to_ms");
    if (from_ms == 0)
        snprintf(out, REPORT_TEXT_BYTES, "under %.40s", report_length(to_ms, to));
    else if (to_ms == 0)
        snprintf(out, REPORT_TEXT_BYTES, "%.40s and more", report_length(from_ms, from));
    else
        snprintf(out, REPORT_TEXT_BYTES, "%.28s to %.28s", report_length(from_ms, from),
                 report_length(to_ms, to));
}

void report_show_spread(struct talk *talk)
{
    const struct json *answer = &talk->answer, *buckets = report_list(answer, "buckets");
    int64_t            begun = report_int(answer, "begun"), never = report_int(answer, "never");
    char               title[256], a[REPORT_TEXT_BYTES], b[REPORT_TEXT_BYTES];
    uint32_t           first = 0, last = buckets->count;
    snprintf(title, sizeof title, "From %s to %s", event_of(talk, answer, "event", a),
             event_of(talk, answer, "then", b));
    report_title(talk, title);
    while (first < last && report_int(&buckets->items[first], "count") == 0)
        first++;
    while (last > first && report_int(&buckets->items[last - 1], "count") == 0)
        last--;
    printf("%-22s%10s%9s\n", "after",
           strcmp(talk_text(talk, answer, "count"), "all") == 0 ? "times" : "people", "of all");
    for (uint32_t i = first; i < last; i++) {
        char label[REPORT_TEXT_BYTES];
        bucket_label(&buckets->items[i], label);
        spread_line(label, report_int(&buckets->items[i], "count"), begun,
                    bucket_most(buckets, never));
    }
    spread_line("not yet", never, begun, bucket_most(buckets, never));
    if (report_int(answer, "followed") > 0)
        printf("\nHalf within %s, nine in ten within %s.\n",
               report_length(report_int(answer, "median_ms"), a),
               report_length(report_int(answer, "p90_ms"), b));
}

/* ---- growth ---- */

void report_show_growth(struct talk *talk)
{
    const struct json *points = report_list(&talk->answer, "points");
    int64_t            most = 0;
    printf("%s%s%s\n", cli_bold(talk->cli), talk_text(talk, &talk->answer, "condition"),
           cli_plain(talk->cli));
    printf("%sas of %.19sZ, record %lld, %s%s\n\n", cli_quiet(talk->cli),
           talk_text(talk, &talk->answer, "at"), (long long)report_int(&talk->answer, "seq"),
           talk_text(talk, &talk->answer, "zone"), cli_plain(talk->cli));
    for (uint32_t i = 0; i < points->count; i++)
        if (report_int(&points->items[i], "people") > most)
            most = report_int(&points->items[i], "people");
    printf("%-18s%10s%10s%10s\n", "at (UTC)", "people", "entered", "left");
    for (uint32_t i = 0; i < points->count; i++) {
        const struct json *point = &points->items[i];
        const char        *at = talk_text(talk, point, "at");
        printf("%.10s %.5s  ", at, strlen(at) > 16 ? at + 11 : "");
        number_print(report_int(point, "people"), 10);
        if (i == 0)
            printf("%10s%10s", "", "");
        else {
            number_print(report_int(point, "entered"), 10);
            number_print(report_int(point, "left"), 10);
        }
        printf("  ");
        bar_print(report_int(point, "people"), most);
        printf("\n");
    }
}
