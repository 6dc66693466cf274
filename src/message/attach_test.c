#include "message/attach.h"

#include "base/test.h"

static enum err checked(const char *name, const char *type, struct str content)
{
    struct attach_file file = { .name = str_of(name), .type = str_of(type), .content = content };
    return attach_check(&file, "attachments[0]", NULL);
}

TEST(attach, a_name_is_no_path_and_a_type_is_one_that_may_be_base64)
{
    assert_ok(checked("invoice.pdf", "application/pdf", STR("x")));
    assert_ok(checked("r\xc3\xa9sum\xc3\xa9 1.txt", "text/plain", STR("x")));
    const char *const names[] = { "", "a/b", "a\\b", ".bashrc", "a\r\nb", "a\x7f", "\xff" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(checked(names[i], "text/plain", STR("x")), ERR_INPUT);
    const char *const types[] = { "",
                                  "text",
                                  "/plain",
                                  "text/",
                                  "text/plain; charset=utf-8",
                                  "text/pl ain",
                                  "text/a/b",
                                  "text/plain\r\nX: y",
                                  "message/rfc822",
                                  "Multipart/mixed" };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_int_equal(checked("a", types[i], STR("x")), ERR_INPUT);
    assert_int_equal(checked("a", "text/plain", STR_NONE), ERR_INPUT);
}

TEST(attach, no_line_is_longer_than_76_and_every_one_ends)
{
    char content[1000];
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 7);
    struct attach_file           file = { .name = STR("a\"b.bin"),
                                          .type = STR("application/octet-stream"),
                                          .content = { content, sizeof content } };
    SCOPED(buf_donep) struct buf out = buf_make(1 << 16);
    attach_write(&file, &out);
    struct str text = buf_view(&out);
    assert_true(str_find(text, 0, STR("filename*=UTF-8''a%22b.bin\r\n")) < text.len);
    size_t at = str_find(text, 0, STR("\r\n\r\n")) + 4;
    for (size_t end; at < text.len; at = end + 2) {
        end = str_find(text, at, STR("\r\n"));
        assert_true(end < text.len && end - at <= 76);
    }
}
