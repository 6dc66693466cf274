#include "message/dkim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/hash.h"
#include "base/test.h"

/* RFC 8463, appendix A: the key, the message and the signature the RFC shows for them. */
static const char rfc_pem[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                              "-----END PRIVATE KEY-----\n";
static const char rfc_head[] = "From: Joe SixPack <joe@football.example.com>\r\n"
                               "To: Suzie Q <suzie@shopping.example.net>\r\n"
                               "Subject: Is dinner ready?\r\n"
                               "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
                               "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n";
static const char rfc_body[] = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
static const char rfc_field[] = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
                                " d=football.example.com; i=@football.example.com;\r\n"
                                " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
                                " subject : date : message-id : from : subject : date;\r\n"
                                " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
                                " b=";
static const char rfc_signature[] = "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus"
                                    "Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==";

static struct dkim_key *key_of(struct str pem, const char *domain, const char *selector)
{
    struct dkim_key *key = NULL;
    struct problem   problem;
    assert_ok(dkim_key_open(&key, pem, str_of(domain), str_of(selector), &problem));
    return key;
}

TEST(dkim, the_signature_of_rfc_8463_appendix_a_is_ours)
{
    SCOPED(dkim_key_closep)
    struct dkim_key             *key = key_of(str_of(rfc_pem), "football.example.com", "brisbane");
    SCOPED(buf_donep) struct buf input = buf_make(4096), made = buf_make(64), text = buf_make(128);
    struct str                   head = str_of(rfc_head), line;
    while (str_split(&head, '\n', &line) && line.len > 0) {
        dkim_field_relaxed(str_slice(line, 0, line.len - 1), &input);
        buf_str(&input, STR("\r\n"));
    }
    dkim_field_relaxed(str_of(rfc_field), &input);
    assert_ok(dkim_key_sign(key, buf_view(&input), &made));
    base64_write(&text, buf_view(&made));
    assert_str(buf_view(&text), rfc_signature);

    buf_reset(&text);
    assert_ok(dkim_record_write(key, &text));
    assert_str(buf_view(&text),
               "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
}

TEST(dkim, the_body_hash_of_rfc_8463_appendix_a_is_ours)
{
    SCOPED(dkim_key_closep)
    struct dkim_key             *key = key_of(str_of(rfc_pem), "football.example.com", "brisbane");
    SCOPED(buf_donep) struct buf message = buf_make(4096), field = buf_make(4096);
    const struct dkim_key       *keys[] = { key };
    buf_format(&message, "%s\r\n%s", rfc_head, rfc_body);
    assert_ok(dkim_sign(keys, 1, buf_view(&message), INT64_C(1528637909000), &field));
    struct str text = buf_view(&field);
    assert_true(str_find(text, 0, STR("bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;")) <
                text.len);
    assert_true(str_find(text, 0, STR("t=1528637909;")) < text.len);
}

TEST(dkim, relaxed_bodies_and_fields_follow_the_rfc)
{
    static const struct {
        const char *from, *to;
    } bodies[] = {
        { "", "" },
        { "\r\n\r\n", "" },
        { " \t\r\n", "" },
        { " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n" }, /* RFC 6376, 3.4.5 */
        { "no line end", "no line end\r\n" },
        { "\r\n\r\na\r\n \r\nb", "\r\n\r\na\r\n\r\nb\r\n" },
    };
    SCOPED(buf_donep) struct buf out = buf_make(4096);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        buf_reset(&out);
        dkim_body_relaxed(str_of(bodies[i].from), &out);
        assert_str(buf_view(&out), bodies[i].to);
    }
    buf_reset(&out);
    dkim_field_relaxed(STR("SubJect \t: A  b\r\n\t c \t"), &out);
    assert_str(buf_view(&out), "subject:A b c");
}

/* By the rules, line by line, with all of it at hand. */
static void relaxed_naively(struct str body, struct buf *out)
{
    while (body.len > 0) {
        size_t     end = str_find(body, 0, STR("\r\n"));
        struct str line = str_slice(body, 0, end);
        body = str_slice(body, end + 2, body.len);
        while (line.len > 0 && strchr(" \t", line.ptr[line.len - 1]) != NULL)
            line.len--;
        for (size_t i = 0; i < line.len; i++) {
            bool blank = line.ptr[i] == ' ' || line.ptr[i] == '\t';
            bool again = blank && i > 0 && (line.ptr[i - 1] == ' ' || line.ptr[i - 1] == '\t');
            if (!again)
                buf_char(out, blank ? ' ' : line.ptr[i]);
        }
        buf_str(out, STR("\r\n"));
    }
    while (out->len >= 4 && memcmp(out->ptr + out->len - 4, "\r\n\r\n", 4) == 0)
        out->len -= 2;
    if (out->len == 2 && memcmp(out->ptr, "\r\n", 2) == 0)
        out->len = 0;
}

TEST(dkim, a_body_told_in_pieces_is_what_the_rules_make_of_it_as_a_whole)
{
    static const char *const parts[] = {
        "a", "bc", " ", "  ", "\t", "\r\n", "\r\n\r\n", "\r", "\n"
    };
    SCOPED(buf_donep)
    struct buf body = buf_make(4096), one = buf_make(4096), other = buf_make(4096);
    for (uint64_t seed = 0; seed < 20000; seed++) {
        buf_reset(&body);
        buf_reset(&one);
        buf_reset(&other);
        for (uint64_t i = 0; i < seed % 23; i++)
            buf_str(&body, str_of(parts[hash_u64(i, seed) % 9]));
        dkim_body_relaxed(buf_view(&body), &one);
        relaxed_naively(buf_view(&body), &other);
        if (!str_eq(buf_view(&one), buf_view(&other)))
            fail_msg("seed %llu", (unsigned long long)seed);
    }
}

static void file_write(const char *folder, const char *name, struct str bytes)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

/* Runs dkim_check.py, which exits 0 when every signature holds, 1 when one fails, 77 without
 * dkimpy. */
static int verify(struct str message, const struct dkim_key *const *keys, size_t count)
{
    char                         folder[] = "/tmp/dult-dkim-XXXXXX", command[512];
    SCOPED(buf_donep) struct buf records = buf_make(1 << 16);
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < count; i++) {
        dkim_record_name(keys[i], &records);
        buf_char(&records, ' ');
        assert_ok(dkim_record_write(keys[i], &records));
        buf_char(&records, '\n');
    }
    file_write(folder, "message", message);
    file_write(folder, "records", buf_view(&records));
    /* Debian's own interpreter: that is where python3-dkim is installed. */
    snprintf(command, sizeof command,
             "p=/usr/bin/python3; [ -x $p ] || p=python3; $p %s/src/message/dkim_check.py "
             "%s/message %s/records",
             DULT_SOURCE_DIR, folder, folder);
    int status = system(command);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

TEST(dkim, an_independent_verifier_accepts_both_signatures_and_no_change)
{
    static const char message[] =
        "From: Shop <hei@shop.example>\r\nTo: ada@x.example\r\nSubject: A\r\n  folded   one\r\n"
        "Date: Sat, 21 Nov 2026 22:45:48 +0000\r\nMessage-ID: <a@shop.example>\r\n"
        "MIME-Version: 1.0\r\nList-Unsubscribe: <https://m.example/u/abc>,\r\n"
        " <mailto:stop@shop.example>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        "Feedback-ID: a:b:c:dult\r\nContent-Type: text/plain\r\n\r\nHello  there \r\n\r\n\r\n";
    SCOPED(buf_donep) struct buf             pem = buf_make(1 << 14), out = buf_make(1 << 16);
    SCOPED(dkim_key_closep) struct dkim_key *rsa = NULL, *ed = NULL;
    assert_ok(dkim_key_generate(&pem));
    rsa = key_of(buf_view(&pem), "shop.example", "rsa1");
    buf_reset(&pem);
    assert_ok(dkim_key_generate_ed25519(&pem));
    ed = key_of(buf_view(&pem), "shop.example", "ed1");
    const struct dkim_key *keys[] = { rsa, ed };
    assert_ok(dkim_sign(keys, 2, str_of(message), INT64_C(1795301148000), &out));
    size_t head = out.len;
    buf_str(&out, str_of(message));

    int status = verify(buf_view(&out), keys, 2);
    if (status == 77) {
        print_message("skipped: this test needs the package python3-dkim\n");
        skip();
    }
    assert_int_equal(status, 0);
    static const char *const covered[] = { "hei@",      "ada@",      "folded", "2026", "<a@",
                                           "m.example", "One-Click", "a:b:c",  "Hello" };
    for (size_t i = 0; i < sizeof covered / sizeof covered[0]; i++) {
        size_t at = str_find(buf_view(&out), head, str_of(covered[i]));
        out.ptr[at] ^= 1;
        assert_int_equal(verify(buf_view(&out), keys, 2), 1);
        out.ptr[at] ^= 1;
    }
    SCOPED(buf_donep) struct buf second = buf_make(1 << 16);
    buf_str(&second, STR("From: Thief <a@evil.example>\r\n"));
    buf_str(&second, buf_view(&out));
    assert_int_equal(verify(buf_view(&second), keys, 2), 1);
}

TEST(dkim, a_signature_says_what_rfc_8058_wants_signed)
{
    SCOPED(dkim_key_closep) struct dkim_key *key = key_of(str_of(rfc_pem), "x.example", "s");
    SCOPED(buf_donep) struct buf             field = buf_make(4096);
    const struct dkim_key                   *keys[] = { key };
    assert_ok(dkim_sign(keys, 1,
                        STR("From: a@x.example\r\nList-Unsubscribe-Post: x\r\n"
                            "List-Unsubscribe: y\r\n\r\n"),
                        0, &field));
    struct str               text = buf_view(&field);
    static const char *const wanted[] = { "h=From:From:To:", ":List-Unsubscribe:",
                                          "List-Unsubscribe-Post;" };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_true(str_find(text, 0, str_of(wanted[i])) < text.len);
    assert_true(str_find(text, 0, STR(" l=")) == text.len);
    struct str line;
    while (str_split(&text, '\n', &line))
        assert_true(line.len <= 79);
}

TEST(dkim, what_is_not_a_private_key_is_refused_with_the_remedy)
{
    struct dkim_key *key = NULL;
    struct problem   problem = { .what = "" };
    assert_int_equal(dkim_key_open(&key, STR("no key"), STR("x.example"), STR("s"), &problem),
                     ERR_INPUT);
    assert_string_equal(problem.where, "dkim.key");
    assert_int_equal(dkim_key_open(&key, str_of(rfc_pem), STR("x.example;"), STR("s"), &problem),
                     ERR_INPUT);
    assert_string_equal(problem.where, "dkim.domain");
    assert_int_equal(dkim_key_open(&key, str_of(rfc_pem), STR("x.example"), STR("s\r\n"), &problem),
                     ERR_INPUT);
    assert_null(key);
}

TEST(dkim, a_long_record_is_cut_into_strings_a_zone_file_can_hold)
{
    SCOPED(buf_donep) struct buf pem = buf_make(1 << 14), zone = buf_make(4096);
    assert_ok(dkim_key_generate(&pem));
    SCOPED(dkim_key_closep) struct dkim_key *key = key_of(buf_view(&pem), "x.example", "s");
    assert_ok(dkim_record_zone_write(key, &zone));
    struct str text = buf_view(&zone);
    assert_true(str_starts(text, STR("\"v=DKIM1; k=rsa; p=MII")));
    assert_int_equal(str_find(text, 0, STR("\" \"")), 256);
}
