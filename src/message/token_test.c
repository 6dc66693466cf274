#include "message/token.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/encode.h"
#include "base/test.h"

static const struct str secret_a = { "0123456789abcdef0123456789abcdef", 32 };
static const struct str secret_b = { "ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOP", 32 };

static struct token_keys *keys_of(struct str now, struct str older)
{
    struct token_keys *keys = NULL;
    assert_ok(token_keys_open(&keys, now, older));
    return keys;
}

TEST(token, what_was_written_is_read_at_every_size_of_number)
{
    static const uint64_t                        numbers[] = { 0,         1,     127,        128,
                                                               16383,     16384, UINT32_MAX, UINT64_C(1) << 62,
                                                               UINT64_MAX };
    SCOPED(token_keys_closep) struct token_keys *keys = keys_of(secret_a, STR_NONE);
    SCOPED(buf_donep) struct buf                 text = buf_make(TOKEN_TEXT_BYTES_MAX);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct token said = { TOKEN_UNSUBSCRIBE, (uint32_t)numbers[i], numbers[i] }, read;
        buf_reset(&text);
        token_write(keys, said, STR_NONE, &text);
        assert_ok(buf_err(&text));
        assert_ok(token_read(keys, TOKEN_UNSUBSCRIBE, buf_view(&text), STR_NONE, &read));
        assert_int_equal(read.profile, said.profile);
        assert_int_equal(read.message, said.message);

        buf_reset(&text);
        token_write_caseless(keys, said, &text);
        assert_ok(buf_err(&text));
        for (size_t k = 0; k < text.len; k += 2)
            if (text.ptr[k] >= 'a')
                text.ptr[k] -= 32;
        assert_ok(token_read_caseless(keys, TOKEN_UNSUBSCRIBE, buf_view(&text), &read));
        assert_int_equal(read.message, said.message);
    }
}

TEST(token, every_flipped_bit_and_every_cut_is_denied)
{
    SCOPED(token_keys_closep) struct token_keys *keys = keys_of(secret_a, secret_b);
    SCOPED(buf_donep) struct buf                 text = buf_make(TOKEN_TEXT_BYTES_MAX);
    struct token                                 read;
    token_write(keys, (struct token){ TOKEN_OPEN, 70000, 123456789 }, STR_NONE, &text);
    assert_ok(buf_err(&text));
    for (size_t i = 0; i < text.len; i++) {
        assert_int_equal(
            token_read(keys, TOKEN_OPEN, str_slice(buf_view(&text), 0, i), STR_NONE, &read),
            ERR_DENIED);
        for (int bit = 0; bit < 8; bit++) {
            text.ptr[i] = (char)(text.ptr[i] ^ 1 << bit);
            assert_int_equal(token_read(keys, TOKEN_OPEN, buf_view(&text), STR_NONE, &read),
                             ERR_DENIED);
            text.ptr[i] = (char)(text.ptr[i] ^ 1 << bit);
        }
    }
    assert_ok(token_read(keys, TOKEN_OPEN, buf_view(&text), STR_NONE, &read));
}

TEST(token, a_token_to_open_cannot_unsubscribe)
{
    SCOPED(token_keys_closep) struct token_keys *keys = keys_of(secret_a, STR_NONE);
    SCOPED(buf_donep) struct buf                 text = buf_make(TOKEN_TEXT_BYTES_MAX);
    struct token                                 read;
    token_write(keys, (struct token){ TOKEN_OPEN, 7, 9 }, STR_NONE, &text);
    for (int purpose = TOKEN_OPEN; purpose < TOKEN_PURPOSES_END; purpose++)
        assert_int_equal(
            token_read(keys, (enum token_purpose)purpose, buf_view(&text), STR_NONE, &read),
            purpose == TOKEN_OPEN ? OK : ERR_DENIED);
}

TEST(token, a_click_leads_only_to_the_url_it_was_made_for)
{
    SCOPED(token_keys_closep) struct token_keys *keys = keys_of(secret_a, STR_NONE);
    SCOPED(buf_donep) struct buf                 text = buf_make(TOKEN_TEXT_BYTES_MAX);
    struct token                                 read;
    token_write(keys, (struct token){ TOKEN_CLICK, 7, 9 }, STR("https://shop.example/"), &text);
    assert_ok(token_read(keys, TOKEN_CLICK, buf_view(&text), STR("https://shop.example/"), &read));
    assert_int_equal(
        token_read(keys, TOKEN_CLICK, buf_view(&text), STR("https://evil.example/"), &read),
        ERR_DENIED);
    assert_int_equal(token_read(keys, TOKEN_CLICK, buf_view(&text), STR_NONE, &read), ERR_DENIED);
}

TEST(token, an_older_secret_still_reads_and_a_forgotten_one_does_not)
{
    SCOPED(token_keys_closep) struct token_keys *before = keys_of(secret_a, STR_NONE);
    SCOPED(token_keys_closep) struct token_keys *during = keys_of(secret_b, secret_a);
    SCOPED(token_keys_closep) struct token_keys *after = keys_of(secret_b, STR_NONE);
    SCOPED(buf_donep) struct buf                 text = buf_make(TOKEN_TEXT_BYTES_MAX);
    struct token                                 read;
    token_write(before, (struct token){ TOKEN_VIEW, 7, 9 }, STR_NONE, &text);
    assert_ok(token_read(during, TOKEN_VIEW, buf_view(&text), STR_NONE, &read));
    assert_int_equal(token_read(after, TOKEN_VIEW, buf_view(&text), STR_NONE, &read), ERR_DENIED);
}

TEST(token, a_secret_of_another_length_is_refused)
{
    struct token_keys *keys = NULL;
    assert_int_equal(token_keys_open(&keys, STR("short"), STR_NONE), ERR_INPUT);
    assert_int_equal(token_keys_open(&keys, secret_a, STR("short")), ERR_INPUT);
    assert_null(keys);
}

TEST(token, the_seal_is_what_the_library_calls_hmac_sha256)
{
    SCOPED(token_keys_closep) struct token_keys *keys = keys_of(secret_a, STR_NONE);
    SCOPED(buf_donep) struct buf                 text = buf_make(TOKEN_TEXT_BYTES_MAX);
    SCOPED(buf_donep) struct buf                 bytes = buf_make(TOKEN_BYTES_MAX);
    struct str                                   url = STR("https://shop.example/?a=1");
    unsigned char                                sealed[128] = "dult link 1", mac[32];
    size_t                                       head = 3, at = sizeof "dult link 1";
    token_write(keys, (struct token){ TOKEN_CLICK, 7, 9 }, url, &text);
    assert_ok(base64url_read(&bytes, buf_view(&text)));
    memcpy(sealed + at, bytes.ptr, head);
    memcpy(sealed + at + head, url.ptr, url.len);
    assert_non_null(HMAC(EVP_sha256(), secret_a.ptr, (int)secret_a.len, sealed, at + head + url.len,
                         mac, NULL));
    assert_int_equal(bytes.len, head + 16);
    assert_memory_equal(bytes.ptr + head, mac, 16);
}
