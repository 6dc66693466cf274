/* Amazon's published test suite (aws-sig-v4-test-suite), where it asks what we send. */
#include "delivery/sigv4.h"

#include "base/arena.h"
#include "base/test.h"

#define AT_MS INT64_C(1440938160000) /* 2015-08-30T12:36:00Z */

static const struct {
    const char *method, *url, *type, *body, *token, *signed_headers, *signature;
} cases[] = {
    { "GET", "https://example.amazonaws.com/", NULL, "", "", "host;x-amz-date",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", NULL, "", "",
      "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
    { "GET", "https://example.amazonaws.com/\xe1\x88\xb4", NULL, "", "", "host;x-amz-date",
      "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85" },
    { "GET",
      "https://example.amazonaws.com/"
      "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
      NULL, "", "", "host;x-amz-date",
      "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f" },
    { "POST", "https://example.amazonaws.com:443/", NULL, "", "", "host;x-amz-date",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
    { "POST", "https://example.amazonaws.com/", "application/x-www-form-urlencoded",
      "Param1=value1", "", "content-type;host;x-amz-date",
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a" },
    { "POST", "https://example.amazonaws.com/", "application/x-www-form-urlencoded; charset=utf8",
      "Param1=value1", "", "content-type;host;x-amz-date",
      "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe" },
    { "POST", "https://example.amazonaws.com/", NULL, "",
      "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpS"
      "PfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDY"
      "wT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqK"
      "mlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
      "host;x-amz-date;x-amz-security-token",
      "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead" },
};

TEST(sigv4, amazons_own_examples_have_the_signatures_that_amazon_gives_them)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena        *arena = arena_open(1 << 20);
        struct sigv4_headers out;
        struct str           type = str_format(arena, "Content-Type: %s", cases[i].type);
        const char          *headers[] = { cases[i].type == NULL ? NULL : type.ptr, NULL };
        struct sigv4_keys    keys = { .key = STR("AKIDEXAMPLE"),
                                      .secret = STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                                      .token = str_of(cases[i].token),
                                      .region = STR("us-east-1"),
                                      .service = STR("service") };
        struct sigv4_request request = { .method = str_of(cases[i].method),
                                         .url = str_of(cases[i].url),
                                         .headers = headers,
                                         .body = str_of(cases[i].body),
                                         .at_ms = AT_MS };
        assert_ok(sigv4_sign(arena, &keys, &request, &out));
        assert_string_equal(out.date.ptr, "X-Amz-Date: 20150830T123600Z");
        struct str wanted =
            str_format(arena,
                       "Authorization: AWS4-HMAC-SHA256 "
                       "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                       "SignedHeaders=%s, Signature=%s",
                       cases[i].signed_headers, cases[i].signature);
        assert_string_equal(out.authorization.ptr, wanted.ptr);
        arena_close(arena);
    }
}
