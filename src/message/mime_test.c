#include "message/mime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "message/address.h"
#include "message/header.h"

static struct mime_message plain_message(void)
{
    return (struct mime_message){
        .from = { STR("Fjell & Tind"), STR("hei@shop.example") },
        .to = { STR("Ada Lovelace"), STR("ada@x.example") },
        .subject = STR("Welcome"),
        .date_ms = INT64_C(1795301148000),
        .message_id = STR("abc.1@shop.example"),
        .text = STR("Hello\n"),
        .html = STR("<p>Hello</p>\n"),
        .unsubscribe_url = STR("https://m.example/u/abc"),
        .unsubscribe_address = STR("stop+x@shop.example"),
        .list_id = STR("news.shop.example"),
        .feedback_id = STR("welcome:journey:1:dult"),
        .dult_message = STR("abc"),
    };
}

static void written(const struct mime_message *message, struct buf *out)
{
    struct problem problem = { .what = "" };
    enum err       code = mime_write(message, out, &problem);
    if (code != OK)
        fail_msg("%s: %s", problem.where, problem.what);
}

/*
 * Parses the message with Python's email package, an independent reader, and compares what it
 * finds. Python 3 is in the build's packages, so its absence fails the test.
 */
static void check_with_python(const struct mime_message *m)
{
    SCOPED(buf_donep) struct buf out = buf_make(16 << 20), want = buf_make(16 << 20);
    char                         folder[] = "/tmp/dult-mime-XXXXXX", command[512];
    const struct str said[] = { m->from.name,     m->from.address,     m->to.name, m->to.address,
                                m->reply_to.name, m->reply_to.address, m->subject, m->text,
                                m->html,          m->unsubscribe_url };
    written(m, &out);
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        buf_str(&want, said[i]);
        buf_char(&want, '\0');
    }
    for (int i = 0; i < 2; i++) {
        struct buf *bytes = i == 0 ? &out : &want;
        snprintf(command, sizeof command, "%s/%s", folder, i == 0 ? "message" : "want");
        FILE *file = fopen(command, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes->ptr, 1, bytes->len, file), bytes->len);
        assert_int_equal(fclose(file), 0);
    }
    snprintf(command, sizeof command, "python3 %s/src/message/mime_check.py %s/message %s/want",
             DULT_SOURCE_DIR, folder, folder);
    int status = system(command);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(status, 0);
}

TEST(mime, a_message_of_ascii_looks_as_expected)
{
    SCOPED(buf_donep) struct buf out = buf_make(1 << 20);
    struct mime_message          m = plain_message();
    written(&m, &out);
    struct str head = str_slice(buf_view(&out), 0, str_find(buf_view(&out), 0, STR("Content-")));
    assert_str(head, "From: Fjell & Tind <hei@shop.example>\r\n"
                     "To: Ada Lovelace <ada@x.example>\r\n"
                     "Subject: Welcome\r\n"
                     "Date: Sat, 21 Nov 2026 22:45:48 +0000\r\n"
                     "Message-ID: <abc.1@shop.example>\r\n"
                     "MIME-Version: 1.0\r\n"
                     "List-Id: <news.shop.example>\r\n"
                     "List-Unsubscribe: <https://m.example/u/abc>,\r\n"
                     " <mailto:stop%2Bx@shop.example?subject=unsubscribe>\r\n"
                     "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
                     "Feedback-ID: welcome:journey:1:dult\r\n"
                     "X-Dult-Message: abc\r\n"
                     "Auto-Submitted: auto-generated\r\n");
}

TEST(mime, an_independent_reader_finds_what_was_said)
{
    struct mime_message m = plain_message();
    check_with_python(&m);

    m.from.name = STR("Bj\xC3\xB8rn \"the Bear\" <x@evil.example>");
    m.to.name = STR("O'Neil, \"Q\" \\ (x); =?utf-8?Q?no?=");
    m.reply_to = (struct mime_mailbox){ STR("a.b@c, d"), STR("x+y@shop.example") };
    m.subject = STR(
        "Velkommen p\xC3\xA5 tur \xF0\x9F\x8F\x95 og n\xC3\xA5 kommer en lang linje som m\xC3\xA5 "
        "deles p\xC3\xA5 flere ord \xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\tslutt");
    m.text = STR("F\xC3\xB8rste linje \nFrom me\n.\n..dot\nslutt uten linjeskift = 3 \t");
    m.html = STR("<p>\xE6\x97\xA5\xE6\x9C\xAC</p>\n\n\n--=_x\n");
    check_with_python(&m);

    m.subject =
        STR("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5"
            "\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5\xE6\x9C\xAC");
    m.from.name = STR("A long but plain name of a company that would not fit into a single line");
    m.to.name = STR_NONE;
    m.text = STR("only a\n\ttext");
    m.html = STR_NONE;
    check_with_python(&m);

    m.subject = STR("a long  subject in plain words that has to be folded somewhere   between "
                    "words, and whose spaces must all come back");
    m.text = STR_NONE;
    m.html = STR("<p>x");
    check_with_python(&m);
}

TEST(mime, random_words_and_bodies_come_back_unchanged)
{
    static const char *const bits[] = {
        "a", " ", "=",    "?", "=?", "\xC3\xA6", "\xF0\x9F\x8F\x95", "\"", "\\", "_", ".", "From ",
        "(", ",", "word", "@", "<",  ">"
    };
    unsigned seed = 7719;
    print_message("seed %u\n", seed);
    for (int round = 0; round < 12; round++) {
        struct buf texts[4] = { buf_make(9999), buf_make(9999), buf_make(9999), buf_make(9999) };
        for (int k = 0; k < 4; k++) {
            buf_char(&texts[k], 'x');
            for (int i = rand_r(&seed) % 150; i > 0; i--) {
                buf_str(&texts[k],
                        str_of(bits[(size_t)rand_r(&seed) % (sizeof bits / sizeof *bits)]));
                if (k > 1 && rand_r(&seed) % 20 == 0)
                    buf_char(&texts[k], '\n');
            }
            buf_char(&texts[k], 'x');
        }
        struct mime_message m = plain_message();
        m.subject = buf_view(&texts[0]);
        m.to.name = buf_view(&texts[1]);
        m.text = buf_view(&texts[2]);
        m.html = buf_view(&texts[3]);
        check_with_python(&m);
        for (int k = 0; k < 4; k++)
            buf_done(&texts[k]);
    }
}

TEST(mime, no_field_can_carry_a_line_break_or_a_nul)
{
    static const struct str breaks[] = {
        { "x\r\nBcc: y@z", 11 }, { "x\ny", 3 },   { "x\ry", 3 },
        { "x\0y", 3 },           { "x\x7Fy", 3 }, { "x\x01y", 3 }
    };
    static const struct {
        const char *where;
        size_t      offset;
    } fields[] = {
        { "from.name", offsetof(struct mime_message, from.name) },
        { "from.address", offsetof(struct mime_message, from.address) },
        { "to.name", offsetof(struct mime_message, to.name) },
        { "to.address", offsetof(struct mime_message, to.address) },
        { "reply_to.name", offsetof(struct mime_message, reply_to.name) },
        { "reply_to.address", offsetof(struct mime_message, reply_to.address) },
        { "subject", offsetof(struct mime_message, subject) },
        { "message_id", offsetof(struct mime_message, message_id) },
        { "unsubscribe_url", offsetof(struct mime_message, unsubscribe_url) },
        { "unsubscribe_address", offsetof(struct mime_message, unsubscribe_address) },
        { "list_id", offsetof(struct mime_message, list_id) },
        { "feedback_id", offsetof(struct mime_message, feedback_id) },
        { "dult_message", offsetof(struct mime_message, dult_message) },
    };
    SCOPED(buf_donep) struct buf out = buf_make(1 << 20);
    for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++)
        for (size_t b = 0; b < sizeof breaks / sizeof breaks[0]; b++) {
            struct problem      problem = { .what = "" };
            struct mime_message m = plain_message();
            m.reply_to.address = STR("r@shop.example");
            memcpy((char *)&m + fields[f].offset, &breaks[b], sizeof breaks[b]);
            assert_int_equal(mime_write(&m, &out, &problem), ERR_INPUT);
            assert_string_equal(problem.where, fields[f].where);
            assert_true(problem.remedy[0] != '\0');
            assert_int_equal(out.len, 0);
        }
}

TEST(mime, what_cannot_be_sent_is_refused_by_name)
{
    SCOPED(buf_donep) struct buf out = buf_make(1 << 20);
    struct problem               problem;
    struct mime_message          m = plain_message();
    m.subject = STR(" ");
    assert_int_equal(mime_write(&m, &out, &problem), ERR_INPUT);
    assert_string_equal(problem.where, "subject");
    m = plain_message();
    m.html = STR("\xFF");
    assert_int_equal(mime_write(&m, &out, &problem), ERR_INPUT);
    assert_string_equal(problem.where, "html");
    m = plain_message();
    m.html = m.text = STR_NONE;
    assert_int_equal(mime_write(&m, &out, &problem), ERR_INPUT);
    m = plain_message();
    m.message_id = STR("nodomain");
    assert_int_equal(mime_write(&m, &out, &problem), ERR_INPUT);
    assert_string_equal(problem.where, "message_id");
    m = plain_message();
    m.unsubscribe_url = STR("javascript:x");
    assert_int_equal(mime_write(&m, &out, &problem), ERR_INPUT);
    out.bytes_max = 600;
    m = plain_message();
    assert_int_equal(mime_write(&m, &out, &problem), ERR_LIMIT);
}

TEST(mime, the_boundary_avoids_the_bodies_and_is_the_same_each_time)
{
    SCOPED(buf_donep) struct buf one = buf_make(1 << 20), two = buf_make(1 << 20);
    struct mime_message          m = plain_message();
    written(&m, &one);
    written(&m, &two);
    assert_true(str_eq(buf_view(&one), buf_view(&two)));
    size_t     at = str_find(buf_view(&one), 0, STR("boundary=\"")) + 10;
    struct str boundary = str_slice(buf_view(&one), at, at + 18);
    assert_true(str_starts(boundary, STR("=_")));

    m.text = boundary; /* a reader who knows it cannot end the part with it */
    buf_reset(&two);
    written(&m, &two);
    at = str_find(buf_view(&two), 0, STR("boundary=\"")) + 10;
    assert_false(str_eq(boundary, str_slice(buf_view(&two), at, at + 18)));
    check_with_python(&m);
}

TEST(mime, addresses_are_checked_as_mail_hosts_check_them)
{
    static const char *const right[] = { "a@b.example", "a.b+c@x-y.example", "o'neil@x.example",
                                         "root@localhost", "A!#$%&*/=?^_`{|}~@x.example" };
    static const char *const wrong[] = {
        "",
        "@",
        "a@",
        "@x.example",
        "a",
        "a b@x.example",
        "a..b@x.example",
        ".a@x.example",
        "a.@x.example",
        "\"a b\"@x.example",
        "a@b@x.example",
        "a@[127.0.0.1]",
        "a@-x.example",
        "a@x..example",
        "a@x.example.",
        "a@x_y.example",
        "a,b@x.example",
        "<a@x.example>",
        "b\xC3\xB8@x.example",
        "a@b\xC3\xBC-r.example",
        "a@x.example\r\nRCPT TO:<b@x.example>",
        "12345678901234567890123456789012345678901234567890123456789012345@x.example",
        "a@1234567890123456789012345678901234567890123456789012345678901234.example",
    };
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        assert_ok(address_check(str_of(right[i]), "to", NULL));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct problem problem = { .what = "" };
        if (address_check(str_of(wrong[i]), "to", &problem) != ERR_INPUT)
            fail_msg("%s was accepted", wrong[i]);
        assert_true(problem.what[0] != '\0' && problem.remedy[0] != '\0');
    }
}
