#include "delivery/smtp_reply.h"

#include <string.h>

#include "base/test.h"

static enum err read_one(struct str bytes, struct smtp_reply *out)
{
    struct smtp_reader reader;
    smtp_reader_reset(&reader);
    return smtp_reader_take(&reader, &bytes, NULL, NULL, out);
}

TEST(smtp_reply, what_servers_really_say_is_read)
{
    static const struct {
        const char *bytes;
        int         code;
        const char *enhanced, *text;
    } table[] = {
        { "250 2.0.0 Ok: queued as 4F1A\r\n", 250, "2.0.0", "Ok: queued as 4F1A" },
        { "250\r\n", 250, "", "" },
        { "250 \r\n", 250, "", "" },
        { "354 End data with <CR><LF>.<CR><LF>\r\n", 354, "", "End data with <CR><LF>.<CR><LF>" },
        { "550-5.1.1 The email account that you tried\r\n550-5.1.1 to reach does not exist.\r\n"
          "550 5.1.1  https://mail.example/?p=NoSuchUser x-gsmtp\r\n",
          550, "5.1.1",
          "The email account that you tried to reach does not exist. "
          "https://mail.example/?p=NoSuchUser x-gsmtp" },
        { "421 4.7.0 try later\n", 421, "4.7.0", "try later" },
        { "451 5.1.1 a class that does not fit\r\n", 451, "", "5.1.1 a class that does not fit" },
        { "550 5.1234.1 too long a part\r\n", 550, "", "5.1234.1 too long a part" },
        { "250 caf\xE9 \x1b[31m\r\n", 250, "", "caf? ?[31m" },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct smtp_reply reply;
        assert_ok(read_one(str_of(table[i].bytes), &reply));
        assert_int_equal(reply.code, table[i].code);
        assert_string_equal(reply.enhanced, table[i].enhanced);
        assert_string_equal(reply.text, table[i].text);
    }
}

TEST(smtp_reply, what_is_no_reply_is_an_error)
{
    static const char *const table[] = {
        "\r\n",       "25\r\n",      "HTTP/1.1 400 Bad Request\r\n", "150 ok\r\n", "650 ok\r\n",
        "250:ok\r\n", "2500 ok\r\n", "250-a\r\n251 b\r\n",           "25a ok\r\n",
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct smtp_reply reply;
        assert_int_equal(read_one(str_of(table[i]), &reply), ERR_INPUT);
    }
}

TEST(smtp_reply, an_endless_line_and_an_endless_reply_are_bounded)
{
    struct smtp_reader reader;
    struct smtp_reply  reply;
    char               line[SMTP_LINE_BYTES_MAX + 1];
    memset(line, '2', sizeof line);
    struct str bytes = { line, sizeof line };
    smtp_reader_reset(&reader);
    assert_int_equal(smtp_reader_take(&reader, &bytes, NULL, NULL, &reply), ERR_LIMIT);

    smtp_reader_reset(&reader);
    enum err err = ERR_WAIT;
    int      lines = 0;
    while (err == ERR_WAIT && lines < 1000) {
        bytes = STR("250-more\r\n");
        err = smtp_reader_take(&reader, &bytes, NULL, NULL, &reply);
        lines++;
    }
    assert_int_equal(err, ERR_LIMIT);
    assert_int_equal(lines, SMTP_REPLY_LINES_MAX + 1);
}

TEST(smtp_reply, two_replies_in_one_read_are_taken_one_by_one)
{
    struct smtp_reader reader;
    struct smtp_reply  reply;
    struct str         bytes = STR("250 one\r\n354 two\r\n22");
    smtp_reader_reset(&reader);
    assert_ok(smtp_reader_take(&reader, &bytes, NULL, NULL, &reply));
    assert_string_equal(reply.text, "one");
    assert_ok(smtp_reader_take(&reader, &bytes, NULL, NULL, &reply));
    assert_int_equal(reply.code, 354);
    assert_int_equal(smtp_reader_take(&reader, &bytes, NULL, NULL, &reply), ERR_WAIT);
    bytes = STR("0 three\r\n");
    assert_ok(smtp_reader_take(&reader, &bytes, NULL, NULL, &reply));
    assert_int_equal(reply.code, 220);
}
