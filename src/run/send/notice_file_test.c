/* Templates that are no e-mail, as files. */
#include <string.h>

#include "base/test.h"
#include "run/send/notice_file.h"

static enum err read(const char *source, struct email_file *out, struct problem *problem)
{
    return email_file_parse(STR("t"), str_of(source), out, problem);
}

TEST(notice_file, each_channel_has_its_own_head_and_bodies)
{
    struct email_file file;
    struct problem    problem;
    assert_ok(
        read("channel: sms\ntopic: offers\ntransactional: yes\nfrom: Tents\n--- text\nHi\nyou",
             &file, &problem));
    assert_int_equal(file.channel, CHANNEL_SMS);
    assert_true(str_eq(file.text.text, STR("Hi\nyou")) && file.text.line == 6);
    assert_true(str_eq(file.topic, STR("offers")) && file.transactional);
    assert_ok(read("channel: webhook\r\nmethod: PUT\r\nurl: https://x/{{ a }}\r\n--- headers\r\nX: "
                   "1\r\n--- body\r\n{}",
                   &file, &problem));
    assert_true(str_eq(file.url.text, STR("https://x/{{ a }}")) && file.url.column == 6);
    assert_true(str_eq(file.headers.text, STR("X: 1")) && str_eq(file.text.text, STR("{}")));
    assert_ok(read("channel: post\nsize: 6x9\n--- front\nA\n--- back\nB", &file, &problem));
    assert_true(str_eq(file.html.text, STR("A")) && str_eq(file.back.text, STR("B")));
    assert_ok(read("subject: s\nchannel: email\n--- text\nHi", &file, &problem));
    assert_int_equal(file.channel, CHANNEL_EMAIL);
}

TEST(notice_file, what_is_missing_is_told_with_its_place)
{
    static const struct {
        const char *source, *where;
    } all[] = {
        { "channel: sms\n--- text\n  \n", "templates/t.email:" },
        { "channel: webhook\n--- body\nx", "templates/t.email:" },
        { "channel: post\n--- front\nA", "templates/t.email:" },
        { "channel: staff\n--- text\nA", "templates/t.email:" },
        { "channel: staff\nto: ops@x.example\n--- text\nA", "templates/t.email:" },
        { "channel: sms\ncolour: red\n--- text\nA", "templates/t.email:2:1" },
        { "channel: sms\n--- html\nA", "templates/t.email:2:1" },
        { "channel: sms\n--- text\nA\n--- text\nB", "templates/t.email:4:1" },
        { "channel: sms\nnonsense\n--- text\nA", "templates/t.email:2:1" },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct email_file file;
        struct problem    problem = { .where = "" };
        assert_int_equal(read(all[i].source, &file, &problem), ERR_INPUT);
        if (strncmp(problem.where, all[i].where, strlen(all[i].where)) != 0)
            fail_msg("%s: %s", all[i].source, problem.where);
    }
}
