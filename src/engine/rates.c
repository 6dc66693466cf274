#include "engine/rates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

static enum err wrong(uint32_t i, const char *member, const char *what, const char *remedy,
                      struct problem *problem)
{
    char where[48];
    snprintf(where, sizeof where, "rates[%u].%s", i, member);
    return problem_set(problem, ERR_INPUT, where, what, remedy);
}

bool rates_code(struct str text, char out[RATES_CURRENCY_BYTES])
{
    if (text.len != RATES_CURRENCY_BYTES - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        out[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        if (out[i] < 'A' || out[i] > 'Z')
            return false;
    }
    out[RATES_CURRENCY_BYTES - 1] = '\0';
    return true;
}

static enum err one_read(const struct json *value, uint32_t i, const char *base, struct rate *out,
                         struct problem *problem)
{
    struct str date = json_get_str(value, STR("date"));
    int64_t    at_ms;
    if (value->kind != JSON_OBJECT)
        return wrong(i, "", "This is no rate.",
                     "Write {\"date\": \"2026-01-02\", \"currency\": \"EUR\", \"rate\": 11.75}.",
                     problem);
    for (uint32_t m = 0; m < value->count; m++)
        if (!str_eq(value->members[m].key, STR("date")) &&
            !str_eq(value->members[m].key, STR("currency")) &&
            !str_eq(value->members[m].key, STR("rate")))
            return wrong(i, "", "A rate has no such member.", "Use date, currency and rate.",
                         problem);
    if (date.len != 10 || time_parse(date, &at_ms) != OK)
        return wrong(i, "date", "This is no day.", "Write it as 2026-01-02.", problem);
    if (!rates_code(json_get_str(value, STR("currency")), out->currency) ||
        strcmp(out->currency, base) == 0)
        return wrong(i, "currency", "This is no other currency than the base.",
                     "Write its three letters, such as \"EUR\".", problem);
    if (!json_get_real(value, STR("rate"), &out->rate) || !(out->rate >= 1e-9) || out->rate > 1e9)
        return wrong(i, "rate", "This says not what one of it is worth in the base.",
                     "Write a number above 0, such as 11.75.", problem);
    out->day =
        (int32_t)(at_ms >= 0 ? at_ms / TIME_DAY_MS : (at_ms - TIME_DAY_MS + 1) / TIME_DAY_MS);
    return OK;
}

static int by_day(const void *a, const void *b)
{
    const struct rate *x = a, *y = b;
    int                order = strcmp(x->currency, y->currency);
    return order != 0 ? order : x->day < y->day ? -1 : x->day > y->day;
}

static enum err list_read(struct arena *arena, const struct json *list, struct rates *out,
                          struct problem *problem)
{
    struct rate *items = ARENA_ARRAY(arena, list->count + 1, struct rate);
    if (items == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < list->count; i++)
        TRY(one_read(&list->items[i], i, out->base, &items[i], problem));
    if (list->count > 1)
        qsort(items, list->count, sizeof items[0], by_day);
    for (uint32_t i = 1; i < list->count; i++)
        if (by_day(&items[i - 1], &items[i]) == 0)
            return problem_format(problem, ERR_INPUT, "rates", "Keep one of them.",
                                  "%s has two rates on one day.", items[i].currency);
    out->items = items;
    out->count = list->count;
    return OK;
}

enum err rates_parse(struct arena *arena, struct str text, struct rates *out,
                     struct problem *problem)
{
    struct rates       made = { .count = 0 };
    struct json        root;
    const struct json *list;
    *out = made;
    if (str_trim(text).len == 0)
        return OK;
    TRY(json_parse_once(arena, text, &root, problem));
    if (root.kind != JSON_OBJECT || !rates_code(json_get_str(&root, STR("base")), made.base))
        return problem_set(problem, ERR_INPUT, "base", "It says not what the rates are in.",
                           "Write {\"base\": \"NOK\", \"rates\": [...]}.");
    for (uint32_t m = 0; m < root.count; m++)
        if (!str_eq(root.members[m].key, STR("base")) && !str_eq(root.members[m].key, STR("rates")))
            return problem_set(problem, ERR_INPUT, "rates", "There is no such member.",
                               "Use base and rates.");
    list = json_get(&root, STR("rates"));
    if (list == NULL || list->kind != JSON_ARRAY)
        return problem_set(problem, ERR_INPUT, "rates", "There is no list of rates.",
                           "Write [{\"date\": \"2026-01-02\", \"currency\": \"EUR\", \"rate\": "
                           "11.75}, ...].");
    if (list->count > RATES_MAX)
        return problem_format(problem, ERR_LIMIT, "rates",
                              "Leave out days: the newest before a day counts.",
                              "There are more than %d rates.", RATES_MAX);
    TRY(list_read(arena, list, &made, problem));
    *out = made;
    return OK;
}

/* The last one of the currency that is not after the day. */
static bool rate_at(const struct rates *rates, const char *currency, int64_t day, double *out)
{
    uint32_t low = 0, high = rates->count; /* all before low are not after (currency, day) */
    if (strcmp(currency, rates->base) == 0 && currency[0] != '\0') {
        *out = 1;
        return true;
    }
    while (low < high) {
        uint32_t           middle = low + (high - low) / 2;
        const struct rate *rate = &rates->items[middle];
        int                order = strcmp(rate->currency, currency);
        if (order < 0 || (order == 0 && rate->day <= day))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || strcmp(rates->items[low - 1].currency, currency) != 0)
        return false;
    *out = rates->items[low - 1].rate;
    return true;
}

bool rates_convert(const struct rates *rates, int64_t money, const char *from, const char *to,
                   int64_t day, int64_t *out)
{
    double a, b;
    if (strcmp(from, to) == 0) {
        *out = money;
        return true;
    }
    if (!rate_at(rates, from, day, &a) || !rate_at(rates, to, day, &b))
        return false;
    double sum = round((double)money * a / b);
    *out = sum >= 9e18 ? INT64_MAX : sum <= -9e18 ? -INT64_MAX : (int64_t)sum;
    return true;
}

bool money_read(const struct json *value, int64_t *out)
{
    double amount;
    if (value->kind == JSON_INT) {
        if (value->integer < 0 || value->integer > MONEY_MAX)
            return false;
        *out = value->integer * MONEY_UNIT;
        return true;
    }
    if (!(value->kind == JSON_STRING && str_to_real(str_trim(value->string), &amount) == OK) &&
        !(value->kind == JSON_REAL && json_to_real(value, &amount)))
        return false;
    if (!(amount >= 0) || amount > (double)MONEY_MAX)
        return false;
    *out = (int64_t)round(amount * MONEY_UNIT);
    return true;
}

int64_t money_add(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? (b > 0 ? INT64_MAX : INT64_MIN) : sum;
}
