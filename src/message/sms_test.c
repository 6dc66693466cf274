/* Parts of text messages; test/sms_test.mjs compares them with two libraries. */
#include <string.h>

#include "base/test.h"
#include "message/sms.h"

/* `count` times `piece`, then `end`. */
static struct str text_of(char *bytes, size_t room, const char *piece, uint32_t count,
                          const char *end)
{
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        assert_true(len + strlen(piece) < room);
        memcpy(bytes + len, piece, strlen(piece));
        len += strlen(piece);
    }
    memcpy(bytes + len, end, strlen(end) + 1);
    return str_of(bytes);
}

TEST(sms, a_text_is_divided_where_the_standard_says)
{
    static const struct {
        const char       *piece, *end;
        uint32_t          count, parts, units;
        enum sms_encoding encoding;
    } all[] = {
        { "a", "", 0, 0, 0, SMS_GSM },
        { "a", "", 160, 1, 160, SMS_GSM },
        { "a", "", 161, 2, 161, SMS_GSM },
        { "a", "", 306, 2, 306, SMS_GSM },
        { "a", "", 307, 3, 307, SMS_GSM },
        { "ø", "", 160, 1, 160, SMS_GSM },
        { "€", "", 80, 1, 160, SMS_GSM },
        { "€", "", 81, 2, 162, SMS_GSM },
        { "a", "{", 304, 2, 306, SMS_GSM },
        { "a", "{", 305, 3, 307, SMS_GSM },    /* the pair is not divided */
        { "{", "", 76 + 77, 3, 306, SMS_GSM }, /* 76 pairs a part, and one unit is lost in each */
        { "å", "\xe2\x80\x99", 69, 1, 70, SMS_UCS2 },
        { "a", "\xe2\x80\x99", 70, 2, 71, SMS_UCS2 },
        { "a", "\xe2\x80\x99", 134, 3, 135, SMS_UCS2 },
        { "\xf0\x9f\x98\x80", "", 35, 1, 70, SMS_UCS2 },
        { "\xf0\x9f\x98\x80", "", 67, 3, 134, SMS_UCS2 }, /* 33 a part */
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char       bytes[2048];
        struct str text = text_of(bytes, sizeof bytes, all[i].piece, all[i].count, all[i].end);
        struct sms_measure is = sms_measure(text);
        if (is.parts != all[i].parts || is.units != all[i].units || is.encoding != all[i].encoding)
            fail_msg("%u times \"%s\" and \"%s\": %u parts, %u units, %s", all[i].count,
                     all[i].piece, all[i].end, is.parts, is.units, sms_encoding_name(is.encoding));
    }
}

TEST(sms, the_character_that_makes_it_dear_is_named)
{
    struct sms_measure is = sms_measure(STR("Don\xe2\x80\x99t wait \xf0\x9f\x98\x80"));
    assert_int_equal(is.encoding, SMS_UCS2);
    assert_true(str_eq(is.culprit, STR("\xe2\x80\x99")));
    assert_int_equal(is.characters, 12);
    assert_int_equal(is.left, 70 - 13);
    assert_true(str_is_empty(sms_measure(STR("Don't wait")).culprit));
}

TEST(sms, stop_start_and_help_are_heard_in_four_languages_and_only_where_they_stand_alone)
{
    static const struct {
        const char   *text;
        enum sms_word word;
    } all[] = {
        { "STOP", SMS_WORD_STOP },
        { " stop. ", SMS_WORD_STOP },
        { "\"Stop\"!", SMS_WORD_STOP },
        { "StopAll", SMS_WORD_STOP },
        { "STOPP", SMS_WORD_STOP },
        { "Meld  av", SMS_WORD_STOP },
        { "Abmelden", SMS_WORD_STOP },
        { "k\xc3\xbcndigen", SMS_WORD_STOP },
        { "ARR\xc3\x8aT", SMS_WORD_STOP },
        { "arret", SMS_WORD_STOP },
        { "d\xc3\xa9sinscrire", SMS_WORD_STOP },
        { "START", SMS_WORD_START },
        { "unstop", SMS_WORD_START },
        { "meld p\xc3\xa5", SMS_WORD_START },
        { "anmelden", SMS_WORD_START },
        { "d\xc3\xa9marrer", SMS_WORD_START },
        { "HELP", SMS_WORD_HELP },
        { "hjelp!", SMS_WORD_HELP },
        { "Hilfe", SMS_WORD_HELP },
        { "aide", SMS_WORD_HELP },
        { "please stop by tomorrow", SMS_WORD_NONE },
        { "stop it", SMS_WORD_NONE },
        { "stop1", SMS_WORD_NONE },
        { "don't stop", SMS_WORD_NONE },
        { "", SMS_WORD_NONE },
        { "...", SMS_WORD_NONE },
        { "\xf0\x9f\x9b\x91", SMS_WORD_NONE },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (sms_word_of(str_of(all[i].text)) != all[i].word)
            fail_msg("\"%s\" is \"%s\"", all[i].text,
                     sms_word_name(sms_word_of(str_of(all[i].text))));
}
