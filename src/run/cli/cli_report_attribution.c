/* What messages led to: as a table, and as rows for a spreadsheet. */
#include "run/cli/cli_report.h"

static const struct json *part(const struct json *object, const char *key)
{
    static const struct json empty = { .kind = JSON_OBJECT };
    const struct json       *value = json_get(object, str_of(key));
    return value == NULL ? &empty : value;
}

/* "welcome", "cart / reminder", "cart / tone / warm"; what is of none stands as "(none)". */
static char *name_of(struct talk *talk, const struct json *row, char out[REPORT_TEXT_BYTES])
{
    static const char *const wholes[] = { "message", "node", "variant", "journey", "broadcast" };
    const char              *whole = "", *node = talk_text(talk, row, "node");
    const char              *variant = talk_text(talk, row, "variant");
    for (size_t i = 0; i < sizeof wholes / sizeof wholes[0] && whole[0] == '\0'; i++)
        if (i != 1 && i != 2)
            whole = talk_text(talk, row, wholes[i]);
    if (whole[0] == '\0' && json_get(row, STR("other")) != NULL)
        whole = "(other)";
    snprintf(out, REPORT_TEXT_BYTES, "%.20s%s%.18s%s%.18s", whole[0] == '\0' ? "(none)" : whole,
             node[0] == '\0' ? "" : " / ", node, variant[0] == '\0' ? "" : " / ", variant);
    return out;
}

static void row_print(const char *name, const struct json *row)
{
    printf("%-36s %8lld %8lld %8lld %9.1f %8lld %14.2f", name, (long long)report_int(row, "sent"),
           (long long)report_int(row, "opened"), (long long)report_int(row, "clicked"),
           report_real(row, "orders"), (long long)report_int(row, "people"),
           report_real(row, "revenue"));
    if (json_get(row, STR("per_message")) != NULL)
        printf(" %10.2f", report_real(row, "per_message"));
    printf("\n");
}

static void rest_print(struct talk *talk, const struct json *answer)
{
    const struct json *total = part(answer, "total"), *without = part(answer, "without");
    const struct json *missing = report_list(answer, "missing_rates");
    printf("\n%.0f orders of %lld people in all, %.2f %s; %.2f given back. %.0f of them (%.2f) "
           "followed no message.\n",
           report_real(total, "orders"), (long long)report_int(total, "people"),
           report_real(total, "revenue"), talk_text(talk, answer, "currency"),
           report_real(answer, "returned"), report_real(without, "orders"),
           report_real(without, "revenue"));
    for (uint32_t i = 0; i < missing->count; i++)
        printf("No rate for %s: %lld orders of %.2f from %.10s on are in no sum. Put it into "
               "rates.json.\n",
               talk_text(talk, &missing->items[i], "currency"),
               (long long)report_int(&missing->items[i], "orders"),
               report_real(&missing->items[i], "amount"),
               talk_text(talk, &missing->items[i], "first"));
    if (report_int(answer, "unmatched_returns") > 0)
        printf("%lld returns are of no order that is known.\n",
               (long long)report_int(answer, "unmatched_returns"));
    if (report_int(answer, "unreadable") > 0)
        printf("%lld amounts or currencies could not be read.\n",
               (long long)report_int(answer, "unreadable"));
}

void report_show_attribution(struct talk *talk)
{
    const struct json *answer = &talk->answer, *within = part(answer, "within_ms");
    const struct json *rows = report_list(answer, "rows");
    char               name[REPORT_TEXT_BYTES], clicked[REPORT_TEXT_BYTES];
    char               opened[REPORT_TEXT_BYTES], received[REPORT_TEXT_BYTES];
    printf("%s by %s: %s touch (clicked %s, opened %s, received %s before)\n",
           talk_text(talk, answer, "event"), talk_text(talk, answer, "by"),
           talk_text(talk, answer, "model"), report_length(report_int(within, "clicked"), clicked),
           report_length(report_int(within, "opened"), opened),
           report_length(report_int(within, "received"), received));
    printf("%.10s to %.10s, %s\n", talk_text(talk, answer, "from"), talk_text(talk, answer, "to"),
           talk_text(talk, answer, "zone"));
    printf("%lld people asked, as of %.20s, record %lld\n\n",
           (long long)report_int(answer, "audience"), talk_text(talk, answer, "at"),
           (long long)report_int(answer, "seq"));
    printf("%-36s %8s %8s %8s %9s %8s %14s %10s\n", talk_text(talk, answer, "by"), "sent", "opened",
           "clicked", "orders", "people", talk_text(talk, answer, "currency"), "a message");
    for (uint32_t i = 0; i < rows->count; i++)
        row_print(name_of(talk, &rows->items[i], name), &rows->items[i]);
    row_print("all", part(answer, "all"));
    rest_print(talk, answer);
}

static void counts_fields(const struct json *row)
{
    static const char *const names[] = { "tried",   "sent",       "delivered",   "opened",
                                         "clicked", "complained", "unsubscribed" };
    const struct json       *bounced = part(row, "bounced"), *machine = part(row, "machine");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        printf("%lld,", (long long)report_int(row, names[i]));
    printf("%lld,%lld,%lld,", (long long)report_int(bounced, "hard"),
           (long long)report_int(bounced, "soft"), (long long)report_int(machine, "clicked"));
    report_csv_real(report_real(row, "orders"), ',');
    printf("%lld,", (long long)report_int(row, "people"));
    report_csv_real(report_real(row, "revenue"), ',');
    report_csv_real(report_real(row, "per_message"), '\n');
}

void report_csv_attribution(struct talk *talk)
{
    static const char *const names[] = { "message", "journey", "broadcast", "node", "variant" };
    const struct json       *rows = report_list(&talk->answer, "rows");
    printf("message,journey,broadcast,node,variant,currency,tried,sent,delivered,opened,clicked,"
           "complained,unsubscribed,hard,soft,machine_clicked,orders,people,revenue,per_message\n");
    for (uint32_t r = 0; r < rows->count; r++) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            report_csv_field(json_get_str(&rows->items[r], str_of(names[i])), ',');
        report_csv_field(json_get_str(&talk->answer, STR("currency")), ',');
        counts_fields(&rows->items[r]);
    }
}
