#include "engine/profile/postal.h"

#include <string.h>

#include "base/test.h"

static struct str why_of(const char *country, const char *code, const char *state)
{
    struct postal_address address = { STR("1 Street"), STR("City"), str_of(code), str_of(state),
                                      str_of(country) };
    return postal_why(&address);
}

/* Codes as they are written in each country. */
TEST(postal, codes_of_the_world_are_good)
{
    static const struct {
        const char *country, *code, *state;
    } good[] = {
        { "NO", "0025", "" },      { "NO", "N-0025", "" },    { "SE", "114 55", "" },
        { "SE", "SE-11455", "" },  { "DK", "8660", "" },      { "FI", "00550", "" },
        { "DE", "26133", "" },     { "DE", "D-26133", "" },   { "AT", "1010", "" },
        { "CH", "2544", "" },      { "FR", "33380", "" },     { "BE", "4000", "" },
        { "NL", "1234 AB", "" },   { "NL", "1234ab", "" },    { "GB", "EC1Y 8SY", "" },
        { "GB", "w1a 0ax", "" },   { "GB", "M1 1AE", "" },    { "GB", "B33 8TH", "" },
        { "GB", "CR2 6XH", "" },   { "GB", "DN55 1PT", "" },  { "GB", "GIR 0AA", "" },
        { "IE", "A65 F4E2", "" },  { "IE", "D6W XY00", "" },  { "IE", "", "" },
        { "ES", "28039", "" },     { "PT", "2725-079", "" },  { "IT", "00144", "" },
        { "GR", "151 24", "" },    { "PL", "00-950", "" },    { "CZ", "100 00", "" },
        { "SK", "010 01", "" },    { "HU", "1037", "" },      { "RO", "060274", "" },
        { "LT", "LT-04340", "" },  { "LT", "03500", "" },     { "LV", "LV-1073", "" },
        { "LU", "L-2998", "" },    { "MT", "NXR 01", "" },    { "MT", "BML 1000", "" },
        { "AD", "AD100", "" },     { "GI", "GX11 1AA", "" },  { "JE", "JE2 2BT", "" },
        { "IS", "121", "" },       { "US", "95014", "CA" },   { "US", "22162-1010", "VA" },
        { "CA", "H3Z 2Y7", "QC" }, { "CA", "k1a0b1", "ON" },  { "MX", "02860", "" },
        { "AU", "2060", "NSW" },   { "NZ", "6001", "" },      { "JP", "154-0023", "" },
        { "KR", "03051", "" },     { "BR", "40301-110", "" }, { "AR", "C1070AAM", "" },
        { "PR", "00930", "" },     { "AE", "", "" },          { "HK", "", "" },
        { "CO", "111221", "" },    { "TH", "10210", "" },     { "ZA", "0083", "" },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (why_of(good[i].country, good[i].code, good[i].state).len > 0)
            fail_msg("%s of %s is refused", good[i].code, good[i].country);
}

static void refused(const char *country, const char *code, const char *wanted)
{
    struct str why = why_of(country, code, "S");
    if (!str_eq(why, str_of(wanted)))
        fail_msg("%s of %s: \"%.*s\"", code, country, STR_ARG(why));
}

TEST(postal, a_code_of_another_shape_is_refused_with_one_that_would_be_good)
{
    refused("NO", "150", "the postal address: Norwegian postal codes have 4 digits: 0150");
    refused("NO", "NO", "the postal address: Norwegian postal codes have 4 digits: 0150");
    refused("NO", "-0150-1", "the postal address: Norwegian postal codes have 4 digits: 0150");
    refused("DE", "1234", "the postal address: German postal codes have 5 digits: 10115");
    refused("NL", "1234",
            "the postal address: Dutch postal codes have 4 digits and 2 letters: "
            "1234 AB");
    refused("US", "9501", "the postal address: US postal codes have 5 or 9 digits: 95014");
    refused("CA", "95014",
            "the postal address: Canadian postal codes have letters and digits by "
            "turns: H3Z 2Y7");
    refused("GI", "1", "the postal address: Gibraltar's postal code is GX11 1AA");
    refused("FR", "00000000000000000000000000001",
            "the postal address: French postal codes have 5 digits: 75001");
    refused("FR", "", "the postal address has no postal code");
    refused("XX", "", "the postal address has no postal code");
}

TEST(postal, the_table_ascends_and_its_own_examples_are_good)
{
    for (unsigned i = 0; i < postal_rules_count; i++) {
        const struct postal_rule *rule = &postal_rules[i];
        const char               *like = strrchr(rule->why, ':');
        if (i > 0)
            assert_true(strcmp(postal_rules[i - 1].country, rule->country) < 0);
        assert_true(strchr(rule->lines, 'A') != NULL && strchr(rule->lines, 'C') != NULL);
        assert_true(strchr(rule->lines, 'Z') != NULL);
        like = strstr(rule->why, " postal code is ") != NULL
                   ? strstr(rule->why, " is ") + strlen(" is ")
                   : like + 2;
        if (why_of(rule->country, like, "S").len > 0)
            fail_msg("%s of %s is refused", like, rule->country);
    }
}
