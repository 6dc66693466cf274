#include "run/send/way.h"

#include <math.h>
#include <string.h>

#include "engine/profile/phone.h"
#include "message/address.h"
#include "run/send/sender_url.h"

uint32_t way_plan_limit(const struct way_plan *plan, int64_t day)
{
    uint32_t most = plan->per_day > 0 ? plan->per_day : UINT32_MAX;
    if (plan->first_day == 0)
        return most;
    if (day < plan->from_day)
        return 0;
    double grown = plan->first_day * pow(plan->grow, (double)(day - plan->from_day));
    return grown < most ? (uint32_t)grown : most;
}

enum consent_channel way_channel(const struct way_conf *way)
{
    return way->channel == CHANNEL_ALL ? CHANNEL_EMAIL : way->channel;
}

struct str way_destination(enum consent_channel channel, struct str address)
{
    switch (channel) {
    case CHANNEL_EMAIL:
        return address_domain(address);
    case CHANNEL_SMS:
        return phone_country(address);
    case CHANNEL_POST: /* "1 Harbour Road, 5003 Bergen, NO" */
        return str_slice(address, address.len < 2 ? 0 : address.len - 2, address.len);
    case CHANNEL_WEBHOOK:
        return str_find(address, 0, STR("://")) < address.len ? sender_host_of(address) : STR_NONE;
    default:
        return STR_NONE;
    }
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_json(const struct json *a, const struct json *b)
{
    return a == NULL || b == NULL ? a == b : json_eq(a, b);
}

static bool same_words(const struct str *a, uint32_t a_count, const struct str *b, uint32_t b_count)
{
    if (a_count != b_count)
        return false;
    for (uint32_t i = 0; i < a_count; i++)
        if (!str_eq(a[i], b[i]))
            return false;
    return true;
}

static bool same_plan(const struct way_plan *a, const struct way_plan *b)
{
    return a->per_month == b->per_month && a->per_day == b->per_day &&
           a->first_day == b->first_day && a->from_day == b->from_day && a->grow == b->grow;
}

static bool same_address(const struct way_conf *a, const struct way_conf *b)
{
    bool is_http = a->kind == WAY_HTTP;
    return a->kind == b->kind && same_text(a->smtp_url, b->smtp_url) &&
           same_text(a->outbox_dir, b->outbox_dir) && a->is_inside == b->is_inside &&
           a->timeout_ms == b->timeout_ms && a->tls == b->tls && a->tls_ca_file == NULL &&
           b->tls_ca_file == NULL &&
           (!is_http ||
            (provider_same(a->provider, b->provider) && same_json(&a->settings, &b->settings)));
}

static bool same_bounds(const struct way_conf *a, const struct way_conf *b)
{
    return a->connections == b->connections && a->per_second == b->per_second &&
           a->domain_messages_max == b->domain_messages_max && same_plan(&a->plan, &b->plan);
}

static bool same_messages(const struct way_conf *a, const struct way_conf *b)
{
    return a->channel == b->channel && a->is_usual == b->is_usual &&
           a->no_receipts == b->no_receipts && a->only_receipts == b->only_receipts &&
           same_words(a->topics, a->topics_count, b->topics, b->topics_count) &&
           same_words(a->domains, a->domains_count, b->domains, b->domains_count) &&
           same_words(a->countries, a->countries_count, b->countries, b->countries_count);
}

bool way_same(const struct way_conf *a, const struct way_conf *b)
{
    return same_text(a->name, b->name) && same_address(a, b) && same_bounds(a, b) &&
           same_messages(a, b) && same_json(a->from, b->from) && same_json(a->price, b->price);
}

bool way_is_for_place(const struct way_conf *way, struct str address)
{
    struct str place = way_destination(way_channel(way), address);
    for (uint32_t i = 0; i < way->countries_count; i++)
        if (str_eq_nocase(way->countries[i], place))
            return true;
    return way->countries_count == 0 || address.len == 0;
}

/* A value for all, or by country with a "default". */
static const struct json *by_country(const struct way_conf *way, const struct json *told,
                                     struct str address)
{
    if (told == NULL || told->kind != JSON_OBJECT)
        return told;
    const struct json *own = json_get(told, way_destination(way_channel(way), address));
    return own != NULL ? own : json_get(told, STR("default"));
}

struct str way_from(const struct way_conf *way, struct str address)
{
    const struct json *from = by_country(way, way->from, address);
    return from != NULL && from->kind == JSON_STRING ? from->string : STR_NONE;
}

struct way_price way_price(const struct way_conf *way, struct str address)
{
    const struct json *told = by_country(way, way->price, address);
    struct way_price   price = { .each = 0 };
    if (told == NULL || !json_to_real(told, &price.each) || price.each <= 0)
        return (struct way_price){ .each = 0 };
    str_to_cstr(json_get_str(way->price, STR("currency")), price.currency, sizeof price.currency);
    return price;
}
