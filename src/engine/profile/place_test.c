#include "engine/profile/place.h"

#include "base/test.h"
#include "base/zone.h"

/* A person who told these things; the network told others. */
struct telling {
    const char *traits[PLACE_TRAITS];
    const char *network[PLACE_TRAITS];
    int64_t     until_ms; /* when the country will be told anew; 0: never */
};

static bool text_give(const char *text, struct facts_trait *out)
{
    if (text == NULL)
        return false;
    out->value = (struct json){ .kind = JSON_STRING, .string = str_of(text) };
    return true;
}

static bool told(const struct facts *facts, uint16_t trait, struct facts_trait *out)
{
    const struct telling *telling = facts->person;
    if (trait == PLACE_COUNTRY && telling->until_ms != 0)
        out->until_ms = telling->until_ms;
    return text_give(telling->traits[trait], out);
}

static bool network(const struct facts *facts, enum place_trait key, struct facts_trait *out)
{
    const struct telling *telling = facts->person;
    return text_give(telling->network[key], out);
}

static const struct place_sources sources = { told, network };

static int64_t instant(const char *text)
{
    int64_t at_ms = 0;
    assert_int_equal(time_parse(str_of(text), &at_ms), OK);
    return at_ms;
}

static enum place_origin derive(const struct telling *telling, enum place_trait trait,
                                const char *at, struct facts_trait *out)
{
    static const struct facts_ops no_ops;
    struct facts facts = { .now_ms = instant(at), .person = telling, .ops = &no_ops };
    return place_derive(&sources, &facts, trait, out);
}

static void check(const struct telling *telling, enum place_trait trait, const char *expected,
                  enum place_origin origin)
{
    struct facts_trait out;
    assert_int_equal(derive(telling, trait, "2026-07-15T12:00:00Z", &out), origin);
    if (expected == NULL)
        assert_int_equal(out.value.kind, JSON_NULL);
    else
        assert_true(str_eq(out.value.string, str_of(expected)));
}

TEST(place, the_first_of_trait_address_phone_and_network_that_speaks_is_believed)
{
    struct telling t = { .traits = { [PLACE_COUNTRY] = "SE",
                                     [PLACE_ADDRESS_COUNTRY] = "Denmark",
                                     [PLACE_PHONE] = "+47 912 34 567" },
                         .network = { [PLACE_COUNTRY] = "FI" } };
    check(&t, PLACE_COUNTRY, "SE", PLACE_FROM_TRAIT);
    check(&t, PLACE_TIMEZONE, "Europe/Stockholm", PLACE_FROM_TRAIT);
    t.traits[PLACE_COUNTRY] = NULL;
    check(&t, PLACE_COUNTRY, "DK", PLACE_FROM_ADDRESS);
    check(&t, PLACE_LANGUAGE, "da", PLACE_FROM_ADDRESS);
    t.traits[PLACE_ADDRESS_COUNTRY] = "Atlantis";
    check(&t, PLACE_COUNTRY, "NO", PLACE_FROM_PHONE);
    check(&t, PLACE_LANGUAGE, "nb", PLACE_FROM_PHONE);
    check(&t, PLACE_TIMEZONE, "Europe/Oslo", PLACE_FROM_PHONE);
    t.traits[PLACE_PHONE] = "912 34 567"; /* in no international form */
    check(&t, PLACE_COUNTRY, "FI", PLACE_FROM_NETWORK);
    t.network[PLACE_COUNTRY] = NULL;
    check(&t, PLACE_COUNTRY, NULL, PLACE_UNKNOWN);
    check(&t, PLACE_SEASON, NULL, PLACE_UNKNOWN);
}

TEST(place, a_country_of_many_zones_leaves_the_zone_to_the_browser)
{
    struct telling t = { .traits = { [PLACE_PHONE] = "+1 (212) 555-0100" },
                         .network = { [PLACE_TIMEZONE] = "America/Chicago" } };
    check(&t, PLACE_COUNTRY, "US", PLACE_FROM_PHONE);
    check(&t, PLACE_TIMEZONE, "America/Chicago", PLACE_FROM_NETWORK);
    t.network[PLACE_TIMEZONE] = NULL;
    check(&t, PLACE_TIMEZONE, NULL, PLACE_UNKNOWN);
}

TEST(place, numbers_of_one_calling_code_belong_to_their_own_countries)
{
    assert_string_equal(place_phone_code(STR("+1 416 555 0100")), "CA");
    assert_string_equal(place_phone_code(STR("+1 242 555 0100")), "BS");
    assert_string_equal(place_phone_code(STR("001 212 555 0100")), "US");
    assert_string_equal(place_phone_code(STR("+7 701 000 00 00")), "KZ");
    assert_string_equal(place_phone_code(STR("+7 495 000 00 00")), "RU");
    assert_null(place_phone_code(STR("+")));
    assert_null(place_phone_code(STR("+999 1")));
    assert_null(place_phone_code(STR("")));
    assert_string_equal(place_country_code(STR(" no ")), "NO");
    assert_string_equal(place_country_code(STR("united kingdom")), "GB");
}

TEST(place, a_language_is_that_of_the_locale_before_it_is_guessed)
{
    struct telling t = { .traits = { [PLACE_LOCALE] = "pt_BR.UTF-8", [PLACE_PHONE] = "+47 9" } };
    check(&t, PLACE_LANGUAGE, "pt", PLACE_FROM_TRAIT);
    t = (struct telling){ .network = { [PLACE_LOCALE] = "nb-NO", [PLACE_COUNTRY] = "DE" } };
    check(&t, PLACE_LANGUAGE, "nb", PLACE_FROM_NETWORK);
}

TEST(place, seasons_turn_with_the_hemisphere_and_last_until_the_first_of_a_month)
{
    struct facts_trait out;
    struct telling     north = { .traits = { [PLACE_COUNTRY] = "NO" } };
    struct telling     south = { .traits = { [PLACE_PHONE] = "+61 491 570 006" } };
    check(&north, PLACE_HEMISPHERE, "north", PLACE_FROM_TRAIT);
    check(&north, PLACE_SEASON, "summer", PLACE_FROM_TRAIT);
    check(&south, PLACE_SEASON, "winter", PLACE_FROM_PHONE);
    (void)derive(&north, PLACE_SEASON, "2026-12-31T23:00:00Z", &out);
    assert_true(str_eq(out.value.string, STR("winter")));
    assert_int_equal(out.until_ms, instant("2027-03-01"));
    (void)derive(&south, PLACE_SEASON, "2026-11-30T23:59:59Z", &out);
    assert_true(str_eq(out.value.string, STR("spring")));
    assert_int_equal(out.until_ms, instant("2026-12-01"));
}

TEST(place, an_age_counts_birthdays_and_lasts_until_the_next)
{
    struct facts_trait out;
    struct telling     t = { .traits = { [PLACE_BIRTHDAY] = "2004-02-29" } };
    assert_int_equal(derive(&t, PLACE_AGE, "2026-02-27T12:00:00Z", &out), PLACE_FROM_BIRTHDAY);
    assert_int_equal(out.value.integer, 21);
    assert_int_equal(out.until_ms, instant("2026-02-28"));
    (void)derive(&t, PLACE_AGE, "2026-02-28", &out);
    assert_int_equal(out.value.integer, 22);
    assert_int_equal(out.until_ms, instant("2027-02-28"));
    (void)derive(&t, PLACE_AGE, "2028-02-28", &out);
    assert_int_equal(out.value.integer, 23); /* in a leap year they wait for the 29th */
    assert_int_equal(derive(&t, PLACE_AGE, "2001-01-01", &out), PLACE_UNKNOWN);
    t.traits[PLACE_BIRTHDAY] = "last spring";
    assert_int_equal(derive(&t, PLACE_AGE, "2026-01-01", &out), PLACE_UNKNOWN);
}

TEST(place, an_answer_ends_when_any_link_that_was_looked_at_changes)
{
    struct facts_trait out;
    struct telling t = { .traits = { [PLACE_PHONE] = "+47 9" }, .until_ms = instant("2026-08-01") };
    assert_int_equal(derive(&t, PLACE_TIMEZONE, "2026-07-15", &out), PLACE_FROM_PHONE);
    assert_int_equal(out.until_ms, instant("2026-08-01"));
}

TEST(place, every_trait_that_is_looked_at_is_named_as_a_source)
{
    uint16_t out[PLACE_TRAITS];
    for (int trait = 0; trait < PLACE_TRAITS; trait++) {
        assert_true(place_trait_name((enum place_trait)trait) != NULL);
        uint32_t count = place_comes_from((enum place_trait)trait, out);
        assert_true(trait < PLACE_DERIVED ? count > 0 : count == 0);
        for (uint32_t i = 0; i < count; i++)
            assert_true(out[i] < PLACE_TRAITS && out[i] != trait);
    }
}

TEST(place, who_says_on_which_half_of_the_world_they_live_is_believed_and_has_its_season)
{
    struct facts_trait out;
    struct telling     t = { .traits = { [PLACE_COUNTRY] = "NO" } };
    check(&t, PLACE_HEMISPHERE, "north", PLACE_FROM_TRAIT);
    check(&t, PLACE_SEASON, "summer", PLACE_FROM_TRAIT);
    t.traits[PLACE_COUNTRY] = "AU";
    check(&t, PLACE_HEMISPHERE, "south", PLACE_FROM_TRAIT);
    check(&t, PLACE_SEASON, "winter", PLACE_FROM_TRAIT);
    t.traits[PLACE_HEMISPHERE] = "North";
    check(&t, PLACE_SEASON, "summer", PLACE_FROM_TRAIT);
    t.traits[PLACE_HEMISPHERE] = "SOUTH";
    check(&t, PLACE_SEASON, "winter", PLACE_FROM_TRAIT);
    t.traits[PLACE_HEMISPHERE] = "east";
    assert_int_equal(derive(&t, PLACE_SEASON, "2026-07-15", &out), PLACE_UNKNOWN);
}

/* 1900 was no leap year, 2000 was one. */
TEST(place, who_was_born_on_a_leap_day_grows_older_on_the_last_of_february)
{
    static const struct {
        const char *born, *at;
        int64_t     age;
    } cases[] = {
        { "1996-02-29", "2000-02-28T12:00:00Z", 3 },
        { "1996-02-29", "2000-02-29T12:00:00Z", 4 },
        { "1996-02-29", "2100-02-28T12:00:00Z", 104 },
        { "1996-02-29", "2100-02-27T12:00:00Z", 103 },
        { "1996-02-28", "2001-02-27T12:00:00Z", 4 },
        { "1996-02-28", "2001-02-28T12:00:00Z", 5 },
        { "1996-03-29", "2001-03-28T12:00:00Z", 4 },
        { "1996-03-29", "2001-03-29T12:00:00Z", 5 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct facts_trait out;
        struct telling     t = { .traits = { [PLACE_BIRTHDAY] = cases[i].born } };
        assert_int_equal(derive(&t, PLACE_AGE, cases[i].at, &out), PLACE_FROM_BIRTHDAY);
        assert_int_equal(out.value.integer, cases[i].age);
    }
}
