#include "delivery/delivery.h"

#include "base/test.h"

static enum err check(struct str from, struct str to, struct str data)
{
    struct delivery_message message = { .from = from, .to = to, .data = data };
    struct problem          problem = { 0 };
    enum err                err = delivery_message_check(&message, &problem);
    assert_int_equal(err == OK, problem.what[0] == '\0');
    return err;
}

TEST(delivery, an_address_cannot_smuggle_a_command)
{
    struct str data = STR("A: b\r\n\r\nc\r\n"), from = STR("a@shop.example");
    assert_ok(check(from, STR("ada@example.org"), data));
    assert_ok(check(STR_NONE, STR("ada+tag@example.org"), data));
    assert_ok(check(from, STR("blåbær@example.org"), data));
    assert_int_equal(check(from, STR("ada@x.org>\r\nDATA"), data), ERR_INPUT);
    assert_int_equal(check(from, STR("ada@x.org\n"), data), ERR_INPUT);
    assert_int_equal(check(from, STR("ada@x.org\0"), data), ERR_INPUT);
    assert_int_equal(check(from, STR("ada@x.org NOTIFY=NEVER"), data), ERR_INPUT);
    assert_int_equal(check(from, STR("<ada@x.org>"), data), ERR_INPUT);
    assert_int_equal(check(from, STR("ada"), data), ERR_INPUT);
    assert_int_equal(check(from, STR(""), data), ERR_INPUT);
    assert_int_equal(check(STR("a@b\r\nRCPT"), STR("ada@x.org"), data), ERR_INPUT);
}

TEST(delivery, a_bare_line_end_in_the_content_is_refused)
{
    struct str from = STR("a@b.example"), to = STR("ada@x.example");
    assert_ok(check(from, to, STR("A: b\r\n\r\nno end of line")));
    assert_int_equal(check(from, to, STR("A: b\r\n\r\nx\n.\nMAIL")), ERR_INPUT);
    assert_int_equal(check(from, to, STR("A: b\r\n\r\nx\r.\r\n")), ERR_INPUT);
    assert_int_equal(check(from, to, STR("A: b\r\n\r\nx\r")), ERR_INPUT);
    assert_int_equal(check(from, to, STR("A: b\r\r\n")), ERR_INPUT);
    assert_int_equal(check(from, to, STR_NONE), ERR_INPUT);
}
