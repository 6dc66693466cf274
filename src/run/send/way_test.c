/* Where addresses lie, and who writes there at what price. */
#include "run/send/way.h"

#include "base/test.h"

static void is(struct str found, const char *wanted)
{
    assert_true(str_eq(found, str_of(wanted)));
}

TEST(way, limits_count_by_country_domain_or_host)
{
    is(way_destination(CHANNEL_SMS, STR("+4791234567")), "NO");
    is(way_destination(CHANNEL_POST, STR("1 Harbour Road, 5003 Bergen, NO")), "NO");
    is(way_destination(CHANNEL_EMAIL, STR("ada@x.example")), "x.example");
    is(way_destination(CHANNEL_WEBHOOK, STR("https://crm.example:8443/p?q=1")), "crm.example");
    is(way_destination(CHANNEL_WEBHOOK, STR("none")), "");
    is(way_destination(CHANNEL_STAFF, STR("slack")), "");
}

TEST(way, senders_and_prices_are_a_countrys_own_or_everyones)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct json     from, price, plain = { .kind = JSON_STRING, .string = STR("Tents") };
    struct way_conf way = { .channel = CHANNEL_SMS, .from = &from, .price = &price };
    assert_ok(
        json_parse_once(arena, STR("{\"NO\":\"Tents\",\"default\":\"+15550100\"}"), &from, NULL));
    assert_ok(json_parse_once(arena, STR("{\"currency\":\"EUR\",\"NO\":0.05,\"default\":1}"),
                              &price, NULL));
    is(way_from(&way, STR("+4791234567")), "Tents");
    is(way_from(&way, STR("+46701234567")), "+15550100");
    assert_true(way_price(&way, STR("+4791234567")).each == 0.05);
    assert_true(way_price(&way, STR("+46701234567")).each == 1);
    assert_string_equal(way_price(&way, STR("+46701234567")).currency, "EUR");
    way.from = &plain;
    way.price = NULL;
    is(way_from(&way, STR("+46701234567")), "Tents");
    assert_true(way_price(&way, STR("+46701234567")).each == 0);
}

TEST(way, a_way_for_some_countries_is_for_no_other)
{
    static const struct str countries[] = { { "no", 2 }, { "SE", 2 } };
    struct way_conf way = { .channel = CHANNEL_SMS, .countries = countries, .countries_count = 2 };
    assert_true(way_is_for_place(&way, STR("+4791234567")));
    assert_false(way_is_for_place(&way, STR("+4512345678")));
    assert_true(way_is_for_place(&way, STR_NONE));
    way.countries_count = 0;
    assert_true(way_is_for_place(&way, STR("+4512345678")));
}
