/* Names in quotes, as files and JSON have them. */
#include "run/named.h"

#include "base/test.h"

TEST(named, a_name_counts_in_quotes_of_either_kind_and_whole)
{
    static const struct {
        const char *text;
        bool        is;
    } rows[] = {
        { "in segment \"vip\"", true },
        { "\"exit_when\":\"in segment \\\"vip\\\"\"", true },
        { "{% if person.segments contains 'vip' %}", true },
        { "in segment \"vips\"", false },
        { "in segment \"a vip\"", false },
        { "vip", false },
        { "\"vip", false },
        { "\"vip'", false },
        { "in segment \"vips\" or in segment \"vip\"", true },
        { "", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (named_in(str_of(rows[i].text), STR("vip")) != rows[i].is)
            fail_msg("%s", rows[i].text);
    assert_false(named_in(STR("\"\""), STR_NONE));
}
