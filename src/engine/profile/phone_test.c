/* Numbers as people write them; test/phone_test.mjs asks libphonenumber about every country. */
#include "base/test.h"
#include "engine/profile/phone.h"

struct written {
    const char *text, *country, *wanted; /* NULL: refused */
};

TEST(phone, a_number_is_read_as_people_of_its_country_write_it)
{
    static const struct written all[] = {
        { "912 34 567", "NO", "+4791234567" },
        { "+47 912 34 567", "", "+4791234567" },
        { "0047 91234567", "", "+4791234567" },
        { "4791234567", "NO", "+4791234567" },
        { "0412 345 678", "AU", "+61412345678" },
        { "0011 47 912 34 567", "AU", "+4791234567" },
        { "+44 (0)7911 123456", "", "+447911123456" },
        { "07911/123456", "gb", "+447911123456" },
        { "+44 07911 123456", "", "+447911123456" },
        { "(415) 555-2671", "US", "+14155552671" },
        { "1-415-555-2671", "US", "+14155552671" },
        { "011 47 912 34 567", "US", "+4791234567" },
        { "8 (912) 345-67-89", "RU", "+79123456789" },
        { "0171 2345678", "DE", "+491712345678" },
        { "06 12 34 56 78", "FR", "+33612345678" },
        { "06 20 123 4567", "HU", "+36201234567" },
        { "312 345 6789", "IT", "+393123456789" },
        { "06 1234 5678", "IT", "+390612345678" }, /* a zero that is dialled from abroad, too */
        { "912 34 567", "", NULL },
        { "912 34 567", "XX", NULL },
        { "1234", "NO", NULL },
        { "+47 912 34 5678 9012", "", NULL },
        { "+999 1234567", "", NULL },
        { "call me", "NO", NULL },
        { "91234567 ext 2", "NO", NULL },
        { "+", "NO", NULL },
        { "", "NO", NULL },
        { "0000000000000000000000000000000000", "NO", NULL },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char     out[PHONE_BYTES_MAX] = "";
        enum err err = phone_e164(str_of(all[i].text), str_of(all[i].country), out);
        if ((err == OK) != (all[i].wanted != NULL) ||
            (err == OK && !str_eq(str_of(out), str_of(all[i].wanted))))
            fail_msg("%s in \"%s\": %s, %s", all[i].text, all[i].country, err_name(err), out);
    }
}

TEST(phone, the_country_of_a_number_is_its_calling_code_and_area)
{
    assert_true(str_eq(phone_country(STR("+4791234567")), STR("NO")));
    assert_true(str_eq(phone_country(STR("+14165552671")), STR("CA")));
    assert_true(str_is_empty(phone_country(STR("+99912345"))));
}
