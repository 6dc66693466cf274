#include "template/decimal.h"

#include "base/test.h"
#include "template/value.h"

static void assert_apply(const char *a, char op, const char *b, const char *expected)
{
    char           text[VALUE_REAL_BYTES];
    struct decimal x = decimal_of_text(str_of(a)), y = decimal_of_text(str_of(b));
    struct decimal made = decimal_apply(&x, op, &y);
    if (made.is_whole)
        assert_int_equal(made.digits, decimal_of_text(str_of(expected)).digits);
    else
        assert_str(value_real_text(decimal_to_real(&made), text), expected);
}

TEST(decimal, sums_are_what_paper_says)
{
    assert_apply("10.1", '-', "2.2", "7.9");
    assert_apply("0.1", '+', "0.2", "0.3");
    assert_apply("1.1", '*', "1.1", "1.21");
    assert_apply("10.1", '%', "7.0", "3.1");
    assert_apply("20", '/', "7.0", "2.857142857142857");
    assert_apply("1.0", '/', "3", "0.3333333333333333");
    assert_apply("-7.5", '%', "2.0", "0.5");
}

TEST(decimal, whole_numbers_divide_downwards)
{
    assert_apply("7", '/', "2", "3");
    assert_apply("-7", '/', "2", "-4");
    assert_apply("-7", '%', "3", "2");
}

TEST(decimal, what_is_too_long_for_paper_is_still_near)
{
    assert_apply("99999999999999999999999999999999999999.5", '*', "99999999999999999999.5",
                 "1.0e+58");
    assert_apply("0.00000000000000000000000000000000000001", '+', "1.5", "1.5");
}

TEST(decimal, halves_round_away_from_zero)
{
    static const struct {
        const char *text;
        int         places;
        char        mode;
        int         digits;
    } cases[] = { { "2.5", 0, '=', 3 },    { "-2.5", 0, '=', -3 }, { "2.45", 1, '=', 25 },
                  { "2.4", 0, '=', 2 },    { "-2.4", 0, '=', -2 }, { "2.1", 0, '>', 3 },
                  { "-2.9", 0, '>', -2 },  { "2.9", 0, '<', 2 },   { "-2.1", 0, '<', -3 },
                  { "155", -1, '=', 160 }, { "5.666", -2, '=', 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct decimal d = decimal_of_text(str_of(cases[i].text));
        assert_int_equal((int)decimal_round(&d, cases[i].places, cases[i].mode).digits,
                         cases[i].digits);
    }
}

TEST(decimal, floats_are_written_as_ruby_writes_them)
{
    static const struct {
        double      real;
        const char *text;
    } cases[] = { { 1, "1.0" },           { 0.1, "0.1" },      { 1e15, "1000000000000000.0" },
                  { 1e16, "1.0e+16" },    { 1e20, "1.0e+20" }, { 0.0001, "0.0001" },
                  { 0.00001, "1.0e-05" }, { -2.5, "-2.5" },    { 123456.789, "123456.789" },
                  { 0, "0.0" },           { -0.0, "-0.0" },    { 1.5e300, "1.5e+300" } };
    char text[VALUE_REAL_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_str(value_real_text(cases[i].real, text), cases[i].text);
}
