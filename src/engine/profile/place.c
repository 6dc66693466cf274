#include "engine/profile/place.h"

#include <string.h>

#include "base/zone.h"
#include "engine/profile/place_table.h"

static const char *const names[PLACE_TRAITS] = {
    [PLACE_TIMEZONE] = "timezone", [PLACE_COUNTRY] = "country",
    [PLACE_LANGUAGE] = "language", [PLACE_HEMISPHERE] = "hemisphere",
    [PLACE_SEASON] = "season",     [PLACE_AGE] = "age",
    [PLACE_LOCALE] = "locale",     [PLACE_ADDRESS_COUNTRY] = "address.country",
    [PLACE_PHONE] = "phone",       [PLACE_BIRTHDAY] = "birthday",
};

static const char *const words[] = {
    [PLACE_UNKNOWN] = "unknown",      [PLACE_FROM_TRAIT] = "trait",
    [PLACE_FROM_ADDRESS] = "address", [PLACE_FROM_PHONE] = "phone",
    [PLACE_FROM_NETWORK] = "network", [PLACE_FROM_BIRTHDAY] = "birthday",
};

const char *place_trait_name(enum place_trait trait)
{
    return names[trait];
}

const char *place_origin_word(enum place_origin origin)
{
    return words[origin];
}

/* ---- countries ---- */

static const struct place_country *country_by_code(struct str code)
{
    enum { SMALL = 0x20 }; /* of two letters; the table's are letters, so these are too */
    for (uint32_t i = 0; i < place_countries_count; i++) {
        const char *have = place_countries[i].code;
        if ((code.ptr[0] | SMALL) == (have[0] | SMALL) &&
            (code.ptr[1] | SMALL) == (have[1] | SMALL))
            return &place_countries[i];
    }
    return NULL;
}

static const struct place_country *country_of_text(struct str text)
{
    text = str_trim(text);
    if (text.len == 2)
        return country_by_code(text);
    for (uint32_t i = 0; i < place_countries_count; i++)
        if (str_eq_nocase(text, str_of(place_countries[i].name)))
            return &place_countries[i];
    return NULL;
}

/* The first digits of an international number; 0 when it is none. */
static size_t call_digits(struct str phone, char out[PLACE_CALL_DIGITS_MAX])
{
    size_t count = 0, i = 1;
    phone = str_trim(phone);
    if (str_starts(phone, STR("00")))
        i = 2;
    else if (!str_starts(phone, STR("+")))
        return 0;
    for (; i < phone.len && count < PLACE_CALL_DIGITS_MAX; i++)
        if (phone.ptr[i] >= '0' && phone.ptr[i] <= '9')
            out[count++] = phone.ptr[i];
    return count;
}

static const struct place_country *country_of_phone(struct str phone)
{
    char                     digits[PLACE_CALL_DIGITS_MAX];
    size_t                   count = call_digits(phone, digits), best_len = 0;
    const struct place_call *best = NULL;
    for (uint32_t i = 0; count > 0 && i < place_calls_count; i++) {
        size_t len = strlen(place_calls[i].digits);
        if (len > best_len && len <= count && memcmp(digits, place_calls[i].digits, len) == 0) {
            best = &place_calls[i];
            best_len = len;
        }
    }
    return best == NULL ? NULL : country_by_code(str_of(best->code));
}

const char *place_country_code(struct str text)
{
    const struct place_country *country = country_of_text(text);
    return country == NULL ? NULL : country->code;
}

const char *place_phone_code(struct str phone)
{
    const struct place_country *country = country_of_phone(phone);
    return country == NULL ? NULL : country->code;
}

/* ---- the chain ---- */

/* One question's way along the chain. */
struct chain {
    const struct place_sources *sources;
    const struct facts         *facts;
    struct facts_trait         *out;
    int64_t                     until_ms; /* the earliest of all that was looked at */
};

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* True when the link has a value: it is then in *out, but for until_ms. */
static bool has(struct chain *chain, bool found, const struct facts_trait *link)
{
    chain->until_ms = earlier(chain->until_ms, link->until_ms);
    if (!found || link->value.kind == JSON_NULL)
        return false;
    *chain->out = *link;
    return true;
}

static bool told(struct chain *chain, enum place_trait trait)
{
    struct facts_trait link = { .since_ms = FACTS_SINCE_UNKNOWN, .until_ms = TIME_NEVER };
    bool               found = chain->sources->told(chain->facts, (uint16_t)trait, &link);
    return has(chain, found, &link);
}

static bool told_by_network(struct chain *chain, enum place_trait key)
{
    struct facts_trait link = { .since_ms = FACTS_SINCE_UNKNOWN, .until_ms = TIME_NEVER };
    bool               found = chain->sources->network(chain->facts, key, &link);
    return has(chain, found, &link);
}

static void give_text(struct chain *chain, struct str text)
{
    chain->out->value = (struct json){ .kind = JSON_STRING, .string = text };
}

static struct str text_of(const struct chain *chain)
{
    const struct json *value = &chain->out->value;
    return value->kind == JSON_STRING ? value->string : STR_NONE;
}

/* Where the address or the telephone number says that the person lives. */
static const struct place_country *country_told(struct chain *chain, enum place_origin *origin)
{
    const struct place_country *country = NULL;
    *origin = PLACE_FROM_ADDRESS;
    if (told(chain, PLACE_ADDRESS_COUNTRY))
        country = country_of_text(text_of(chain));
    if (country != NULL)
        return country;
    *origin = PLACE_FROM_PHONE;
    return told(chain, PLACE_PHONE) ? country_of_phone(text_of(chain)) : NULL;
}

/* The same with the trait before and the network after. */
static const struct place_country *country_known(struct chain *chain, enum place_origin *origin)
{
    const struct place_country *country = NULL;
    *origin = PLACE_FROM_TRAIT;
    if (told(chain, PLACE_COUNTRY))
        country = country_of_text(text_of(chain));
    if (country == NULL)
        country = country_told(chain, origin);
    if (country != NULL)
        return country;
    *origin = PLACE_FROM_NETWORK;
    return told_by_network(chain, PLACE_COUNTRY) ? country_of_text(text_of(chain)) : NULL;
}

static enum place_origin derive_country(struct chain *chain)
{
    enum place_origin origin;
    if (told(chain, PLACE_COUNTRY))
        return PLACE_FROM_TRAIT;
    const struct place_country *country = country_known(chain, &origin);
    if (country == NULL)
        return PLACE_UNKNOWN;
    give_text(chain, str_of(country->code));
    return origin;
}

static enum place_origin derive_timezone(struct chain *chain)
{
    enum place_origin origin = PLACE_FROM_TRAIT;
    if (told(chain, PLACE_TIMEZONE))
        return PLACE_FROM_TRAIT;
    /* Whoever says the country need not say the address too. */
    const struct place_country *country =
        told(chain, PLACE_COUNTRY) ? country_of_text(text_of(chain)) : NULL;
    if (country == NULL)
        country = country_told(chain, &origin);
    if (country != NULL && country->zone[0] != '\0') {
        give_text(chain, str_of(country->zone));
        return origin;
    }
    if (told_by_network(chain, PLACE_TIMEZONE))
        return PLACE_FROM_NETWORK;
    country = told_by_network(chain, PLACE_COUNTRY) ? country_of_text(text_of(chain)) : NULL;
    if (country == NULL || country->zone[0] == '\0')
        return PLACE_UNKNOWN;
    give_text(chain, str_of(country->zone));
    return PLACE_FROM_NETWORK;
}

/* The language of a locale: "nb" of "nb-NO" and "nb_NO.UTF-8". */
static struct str language_of(struct str locale)
{
    size_t len = 0;
    while (len < locale.len && ((locale.ptr[len] | 32) >= 'a' && (locale.ptr[len] | 32) <= 'z'))
        len++;
    return str_slice(locale, 0, len);
}

static enum place_origin derive_language(struct chain *chain)
{
    enum place_origin origin = PLACE_FROM_TRAIT;
    if (told(chain, PLACE_LANGUAGE))
        return PLACE_FROM_TRAIT;
    if (told(chain, PLACE_LOCALE)) {
        give_text(chain, language_of(text_of(chain)));
        return PLACE_FROM_TRAIT;
    }
    const struct place_country *country =
        told(chain, PLACE_COUNTRY) ? country_of_text(text_of(chain)) : NULL;
    if (country == NULL)
        country = country_told(chain, &origin);
    if (country == NULL && told_by_network(chain, PLACE_LOCALE)) {
        give_text(chain, language_of(text_of(chain)));
        return PLACE_FROM_NETWORK;
    }
    if (country == NULL && told_by_network(chain, PLACE_COUNTRY)) {
        country = country_of_text(text_of(chain));
        origin = PLACE_FROM_NETWORK;
    }
    if (country == NULL)
        return PLACE_UNKNOWN;
    give_text(chain, str_of(country->language));
    return origin;
}

static bool is_south(struct chain *chain, enum place_origin *origin, bool *south)
{
    *origin = PLACE_FROM_TRAIT;
    if (told(chain, PLACE_HEMISPHERE)) {
        *south = str_eq_nocase(text_of(chain), STR("south"));
        return *south || str_eq_nocase(text_of(chain), STR("north"));
    }
    const struct place_country *country = country_known(chain, origin);
    *south = country != NULL && country->is_south;
    return country != NULL;
}

static enum place_origin derive_hemisphere(struct chain *chain)
{
    enum place_origin origin;
    bool              south;
    if (told(chain, PLACE_HEMISPHERE))
        return PLACE_FROM_TRAIT;
    if (!is_south(chain, &origin, &south))
        return PLACE_UNKNOWN;
    give_text(chain, south ? STR("south") : STR("north"));
    return origin;
}

/* ---- seasons and years ---- */

/* Days begin and end where the person is. */
static const struct zone *zone_of(struct chain *chain)
{
    const struct facts *facts = chain->facts;
    int64_t             until_ms = TIME_NEVER;
    const struct zone  *zone =
        facts->ops->zone == NULL ? facts->zone : facts->ops->zone(facts, &until_ms);
    chain->until_ms = earlier(chain->until_ms, until_ms);
    return zone;
}

static int64_t day_start_ms(const struct zone *zone, int32_t year, int32_t month, int32_t day)
{
    struct time_parts parts = { .year = year, .month = month, .day = day };
    return zone_day_start_ms(zone, time_join(&parts) / TIME_DAY_MS);
}

static struct time_parts day_of(const struct zone *zone, int64_t at_ms)
{
    return time_split(zone_day_of(zone, at_ms) * TIME_DAY_MS);
}

static enum place_origin derive_season(struct chain *chain)
{
    static const char *const seasons[] = { "winter", "spring", "summer", "autumn" };
    enum place_origin        origin;
    bool                     south;
    if (told(chain, PLACE_SEASON))
        return PLACE_FROM_TRAIT;
    if (!is_south(chain, &origin, &south))
        return PLACE_UNKNOWN;
    const struct zone *zone = zone_of(chain);
    struct time_parts  now = day_of(zone, chain->facts->now_ms);
    int32_t            quarter = now.month % 12 / 3, next = quarter * 3 + 3;
    give_text(chain, str_of(seasons[(quarter + (south ? 2 : 0)) % 4]));
    int32_t year = now.month == 12 ? now.year + 1 : now.year;
    chain->until_ms = earlier(chain->until_ms, day_start_ms(zone, year, next, 1));
    return origin;
}

static bool is_leap(int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Whoever was born on February 29 grows older on the 28th in other years. */
static int64_t birthday_ms(const struct zone *zone, const struct time_parts *born, int32_t year)
{
    bool moved = born->month == 2 && born->day == 29 && !is_leap(year);
    return day_start_ms(zone, year, born->month, moved ? 28 : born->day);
}

static enum place_origin derive_age(struct chain *chain)
{
    int64_t born_ms;
    if (told(chain, PLACE_AGE))
        return PLACE_FROM_TRAIT;
    if (!told(chain, PLACE_BIRTHDAY) || time_parse(text_of(chain), &born_ms) != OK)
        return PLACE_UNKNOWN;
    const struct zone *zone = zone_of(chain);
    struct time_parts  born = time_split(born_ms), now = day_of(zone, chain->facts->now_ms);
    bool               had = birthday_ms(zone, &born, now.year) <= chain->facts->now_ms;
    int32_t            age = now.year - born.year - (had ? 0 : 1);
    chain->until_ms = earlier(chain->until_ms, birthday_ms(zone, &born, now.year + (had ? 1 : 0)));
    if (age < 0)
        return PLACE_UNKNOWN;
    chain->out->value = (struct json){ .kind = JSON_INT, .integer = age };
    return PLACE_FROM_BIRTHDAY;
}

enum place_origin place_derive(const struct place_sources *sources, const struct facts *facts,
                               enum place_trait trait, struct facts_trait *out)
{
    static enum place_origin (*const derive[PLACE_DERIVED])(struct chain *) = {
        [PLACE_TIMEZONE] = derive_timezone, [PLACE_COUNTRY] = derive_country,
        [PLACE_LANGUAGE] = derive_language, [PLACE_HEMISPHERE] = derive_hemisphere,
        [PLACE_SEASON] = derive_season,     [PLACE_AGE] = derive_age,
    };
    struct chain chain = { sources, facts, out, TIME_NEVER };
    *out = (struct facts_trait){ .since_ms = FACTS_SINCE_UNKNOWN };
    enum place_origin origin = derive[trait](&chain);
    if (origin == PLACE_UNKNOWN)
        *out =
            (struct facts_trait){ .value = { .kind = JSON_NULL }, .since_ms = FACTS_SINCE_UNKNOWN };
    out->until_ms = chain.until_ms;
    return origin;
}

uint32_t place_comes_from(enum place_trait trait, uint16_t out[PLACE_TRAITS])
{
    static const enum place_trait country[] = { PLACE_COUNTRY, PLACE_ADDRESS_COUNTRY, PLACE_PHONE };
    uint32_t                      count = 0;
    if (trait >= PLACE_DERIVED)
        return 0;
    if (trait == PLACE_AGE || trait == PLACE_SEASON)
        out[count++] = PLACE_TIMEZONE; /* days begin and end in the person's zone */
    if (trait == PLACE_AGE)
        out[count++] = PLACE_BIRTHDAY;
    for (uint32_t i = 0; i < sizeof country / sizeof country[0]; i++)
        if (country[i] != trait)
            out[count++] = (uint16_t)country[i];
    if (trait == PLACE_LANGUAGE)
        out[count++] = PLACE_LOCALE;
    if (trait == PLACE_SEASON)
        out[count++] = PLACE_HEMISPHERE;
    return count;
}
