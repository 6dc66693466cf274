#include "run/cli/cli_results.h"

#include <stdio.h>

static double real_of(const struct json *object, const char *key)
{
    double value = 0;
    (void)json_get_real(object, str_of(key), &value);
    return value;
}

static void counts_print(const char *name, const struct json *one)
{
    const struct json *bounced = json_get(one, STR("bounced"));
    const struct json *machine = json_get(one, STR("machine"));
    printf("%-20s %8lld %9lld %6lld %6lld %8lld %8lld %9lld %10lld %12lld\n", name,
           talk_number(one, "sent"), talk_number(one, "delivered"), talk_number(bounced, "hard"),
           talk_number(bounced, "soft"), talk_number(one, "opened"), talk_number(one, "clicked"),
           talk_number(machine, "clicked"), talk_number(one, "complained"),
           talk_number(one, "unsubscribed"));
}

/* "14.6% (13.6% to 15.6%)", and how likely it is the best. */
static void rate_print(const struct json *one, const char *what)
{
    const struct json *rate = json_get(json_get(one, STR("rates")), str_of(what));
    const struct json *best = json_get(one, STR("best"));
    if (rate == NULL)
        return;
    printf("%-20s %s %.1f%% (%.1f%% to %.1f%%) of those delivered", "", what,
           100 * real_of(rate, "middle"), 100 * real_of(rate, "low"), 100 * real_of(rate, "high"));
    if (best != NULL)
        printf(", the best with %.1f%%", 100 * real_of(best, what));
    printf("\n");
}

static void rates_print(const struct json *one)
{
    rate_print(one, "opened");
    rate_print(one, "clicked");
}

/* "orders 3, 412.50 NOK, 0.94 a message (0.10 to 1.78)" */
static void worth_print(const struct json *one, const char *currency)
{
    const struct json *mean = json_get(one, STR("per_message"));
    if (real_of(one, "orders") <= 0)
        return;
    printf("%-20s orders %.1f of %lld people, %.2f %s", "", real_of(one, "orders"),
           talk_number(one, "people"), real_of(one, "revenue"), currency);
    if (mean != NULL)
        printf(", %.2f a message (%.2f to %.2f)", real_of(mean, "middle"), real_of(mean, "low"),
               real_of(mean, "high"));
    printf("\n");
}

void results_print(struct talk *talk, const struct json *one)
{
    const struct json *variants = json_get(one, STR("variants"));
    const char        *currency = talk_text(talk, one, "currency");
    printf("%-20s %8s %9s %6s %6s %8s %8s %9s %10s %12s\n", talk_text(talk, one, "broadcast"),
           "sent", "delivered", "hard", "soft", "opened", "clicked", "machines'", "complained",
           "unsubscribed");
    counts_print("all", one);
    rates_print(one);
    worth_print(one, currency);
    for (uint32_t i = 0; variants != NULL && i < variants->count; i++) {
        counts_print(talk_text(talk, &variants->items[i], "name"), &variants->items[i]);
        rates_print(&variants->items[i]);
        worth_print(&variants->items[i], currency);
    }
}
