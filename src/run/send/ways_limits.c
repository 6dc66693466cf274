/* What a way may take, and what for: numbers, topics, domains, countries, prices. */
#include "base/time.h"
#include "run/send/ways_inside.h"

/* ---- numbers and words ---- */

static enum err number_read(struct entry *entry, const char *key, int64_t most, uint32_t *out)
{
    const struct json *value = json_get(entry->json, str_of(key));
    if (value == NULL)
        return OK;
    if (value->kind != JSON_INT || value->integer < 0 || value->integer > most)
        return problem_format(entry->problem, ERR_INPUT, entry->where,
                              "Write a whole number that is not larger.",
                              "%s is not a number from 0 to %lld.", key, (long long)most);
    *out = (uint32_t)value->integer;
    return OK;
}

static enum err words_read(struct entry *entry, const char *key, const struct str **out,
                           uint32_t *count)
{
    const struct json *list = json_get(entry->json, str_of(key));
    if (list == NULL)
        return OK;
    struct str *words = ARENA_ARRAY(entry->arena, WAY_WORDS_MAX, struct str);
    if (words == NULL)
        return ERR_MEMORY;
    if (list->kind != JSON_ARRAY || list->count == 0 || list->count > WAY_WORDS_MAX)
        return entry_fault(entry, "topics, domains and countries are lists of 1 to 64 words.",
                           "Write [\"news\"], or leave it out for all.");
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != JSON_STRING)
            return entry_fault(entry, "topics, domains and countries are lists of words.",
                               "Write [\"news\"].");
        words[i] = list->items[i].string;
    }
    *out = words;
    *count = list->count;
    return OK;
}

static enum err plan_read(struct entry *entry, struct way_plan *plan)
{
    const struct json *warm_up = json_get(entry->json, STR("warm_up"));
    int64_t            from_ms, first = 0;
    TRY(number_read(entry, "per_day", UINT32_MAX - 1, &plan->per_day));
    TRY(number_read(entry, "per_month", UINT32_MAX - 1, &plan->per_month));
    if (warm_up == NULL)
        return OK;
    struct str from = json_get_str(warm_up, STR("from"));
    plan->grow = 1.5;
    (void)json_get_real(warm_up, STR("grow"), &plan->grow);
    if (from.len != 10 || time_parse(from, &from_ms) != OK ||
        !json_get_int(warm_up, STR("first_day"), &first) || first < 1 || first > 1000000 ||
        !(plan->grow >= 1 && plan->grow <= 10))
        return entry_fault(entry, "The warm-up cannot be read.",
                           "Write {\"from\": \"2026-12-01\", \"first_day\": 50, \"grow\": 1.5}.");
    plan->from_day = from_ms / TIME_DAY_MS;
    plan->first_day = (uint32_t)first;
    return OK;
}

/* "from": a text, or texts by country; "price": {"currency": "EUR", "NO": 0.05, "default": 0.09}.
 */
static enum err by_country_read(struct entry *entry)
{
    struct way_conf *way = entry->way;
    double           number;
    way->from = json_get(entry->json, STR("from"));
    way->price = json_get(entry->json, STR("price"));
    if (way->from != NULL && way->from->kind == JSON_OBJECT)
        for (uint32_t i = 0; i < way->from->count; i++)
            if (way->from->members[i].value.kind != JSON_STRING)
                return entry_fault(entry, "A sender is not a text.",
                                   "Write {\"NO\": \"Tents\", \"default\": \"+15550100\"}.");
    if (way->price == NULL)
        return OK;
    bool has_currency =
        way->price->kind == JSON_OBJECT && json_get_str(way->price, STR("currency")).len == 3;
    for (uint32_t i = 0; has_currency && i < way->price->count; i++)
        has_currency = str_eq(way->price->members[i].key, STR("currency")) ||
                       json_to_real(&way->price->members[i].value, &number);
    return has_currency ? OK
                        : entry_fault(entry, "The price cannot be read.",
                                      "Write {\"currency\": \"EUR\", \"NO\": 0.05, "
                                      "\"default\": 0.09}.");
}

enum err entry_limits_read(struct entry *entry)
{
    struct way_conf *way = entry->way;
    struct str       only = json_get_str(entry->json, STR("messages"));
    uint32_t         timeout_s = 0;
    TRY(number_read(entry, "connections", 64, &way->connections));
    TRY(number_read(entry, "per_second", 1000000, &way->per_second));
    TRY(number_read(entry, "domain_max", 64, &way->domain_messages_max));
    TRY(number_read(entry, "timeout", 120, &timeout_s));
    way->timeout_ms = (int64_t)timeout_s * TIME_SECOND_MS;
    TRY(words_read(entry, "topics", &way->topics, &way->topics_count));
    TRY(words_read(entry, "domains", &way->domains, &way->domains_count));
    TRY(words_read(entry, "countries", &way->countries, &way->countries_count));
    TRY(by_country_read(entry));
    way->only_receipts = str_eq(only, STR("receipts"));
    way->no_receipts = str_eq(only, STR("letters"));
    if (only.len > 0 && !way->only_receipts && !way->no_receipts && !str_eq(only, STR("all")))
        return entry_fault(entry, "messages is none of all, receipts and letters.",
                           "receipts are transactional messages, letters all others.");
    return plan_read(entry, &way->plan);
}
