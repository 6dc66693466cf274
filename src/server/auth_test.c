#include "server/auth.h"

#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "base/test.h"
#include "server/attempts.h"

TEST(auth, a_new_key_is_found_again_by_its_text_and_by_nothing_else)
{
    char            texts[3][AUTH_KEY_TEXT_BYTES];
    struct auth_key keys[3] = { { .id = 1 }, { .id = 2 }, { .id = 3, .is_revoked = true } };
    assert_ok(auth_start());
    for (int i = 0; i < 3; i++) {
        auth_secret_make("dk_", texts[i], &keys[i].hash);
        assert_int_equal(strlen(texts[i]), 46);
        assert_true(str_starts(str_of(texts[i]), STR("dk_")));
    }
    assert_string_not_equal(texts[0], texts[1]);
    assert_ptr_equal(auth_key_find(keys, 3, str_of(texts[0])), &keys[0]);
    assert_ptr_equal(auth_key_find(keys, 3, str_of(texts[1])), &keys[1]);
    assert_null(auth_key_find(keys, 3, str_of(texts[2])));
    assert_null(auth_key_find(keys, 3, STR("")));
    assert_null(auth_key_find(keys, 3, str_slice(str_of(texts[0]), 0, 45)));
}

TEST(auth, a_hash_is_plain_sha_256)
{
    SCOPED(buf_donep) struct buf hex = buf_make(100);
    struct auth_hash             hash = auth_hash_of(STR("abc"));
    hex_write(&hex, (struct str){ (const char *)hash.bytes, 32 });
    assert_str(buf_view(&hex), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(auth, a_star_covers_what_begins_so_and_nothing_beside_it)
{
    static const struct {
        const char *granted, *wanted;
        bool        allows;
    } table[] = {
        { "write", "write", true },
        { "write", "api:profiles:read", false },
        { "", "write", false },
        { "api:*", "api:profiles:read", true },
        { "api:*", "apix", false },
        { "api:*", "api", false },
        { "write api:profiles:*", "api:profiles:read", true },
        { "write  api:profiles:read", "api:profiles:write", false },
        { "*", "anything", true },
        { "api", "api:profiles", false },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_int_equal(auth_scopes_allow(str_of(table[i].granted), str_of(table[i].wanted)),
                         table[i].allows);
}

TEST(auth, every_way_that_clients_send_a_key_is_read)
{
    static const struct {
        const char    *header;
        enum auth_kind kind;
        const char    *write_key;
    } table[] = {
        { "Basic V0s6", AUTH_BASIC, "WK" },         /* WK: */
        { "Basic V0s=", AUTH_BASIC, "WK" },         /* WK, the colon forgotten */
        { "basic V0s", AUTH_BASIC, "WK" },          /* and the padding too */
        { "Basic V0s6c2VjcmV0", AUTH_BASIC, "WK" }, /* WK:secret */
        { "Bearer dk_abc", AUTH_BEARER, "dk_abc" },
        { "BEARER  dk_abc ", AUTH_BEARER, "dk_abc" },
        { "", AUTH_NONE, "" },
        { "Basic", AUTH_BAD, "" },
        { "Basic !!!!", AUTH_BAD, "" },
        { "Bearer", AUTH_BAD, "" },
        { "Digest x", AUTH_BAD, "" },
        { "V0s6", AUTH_BAD, "" },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct auth_claim claim;
        auth_claim_read(str_of(table[i].header), &claim);
        assert_int_equal(claim.kind, table[i].kind);
        assert_str(auth_claim_write_key(&claim), table[i].write_key);
    }
}

TEST(auth, a_claim_longer_than_any_key_is_bad)
{
    static char       header[2000] = "Bearer ";
    struct auth_claim claim;
    memset(header + 7, 'a', AUTH_SECRET_BYTES_MAX + 1);
    auth_claim_read(str_of(header), &claim);
    assert_int_equal(claim.kind, AUTH_BAD);
    memcpy(header, "Basic  ", 7);
    memset(header + 7, 'a', AUTH_SECRET_BYTES_MAX * 3);
    auth_claim_read(str_of(header), &claim);
    assert_int_equal(claim.kind, AUTH_BAD);
}

TEST(auth, a_password_is_known_again_and_a_short_one_is_refused)
{
    char           hash[AUTH_PASSWORD_HASH_BYTES];
    struct problem problem = { 0 };
    assert_ok(auth_start());
    assert_int_equal(auth_password_hash(STR("short"), hash, &problem), ERR_INPUT);
    assert_true(problem.remedy[0] != '\0');
    assert_ok(auth_password_hash(STR("a long enough one"), hash, &problem));
    assert_true(str_starts(str_of(hash), STR("$argon2id$")));
    assert_true(auth_password_is(hash, STR("a long enough one")));
    assert_false(auth_password_is(hash, STR("a long enough onE")));
    assert_false(auth_password_is(hash, STR("")));
}

TEST(auth, a_token_opens_once_and_in_time)
{
    char             text[AUTH_KEY_TEXT_BYTES];
    struct auth_once once = auth_once_make(1000, text);
    assert_false(auth_once_take(&once, STR("do_wrong"), 0));
    assert_false(auth_once_take(&once, str_of(text), 1000));
    assert_true(auth_once_take(&once, str_of(text), 999));
    assert_false(auth_once_take(&once, str_of(text), 999));
}

TEST(auth, only_our_own_pages_may_change_things_by_cookie)
{
    struct str http = STR("http"), host = STR("a.example:8080");
    assert_true(auth_is_own_page(STR("same-origin"), STR_NONE, http, host));
    assert_false(auth_is_own_page(STR("same-site"), STR_NONE, http, host));
    assert_false(auth_is_own_page(STR("cross-site"), STR("http://a.example:8080"), http, host));
    assert_true(auth_is_own_page(STR_NONE, STR("http://a.example:8080"), http, host));
    assert_false(auth_is_own_page(STR_NONE, STR("https://a.example:8080"), http, host));
    assert_false(auth_is_own_page(STR_NONE, STR("http://a.example"), http, host));
    assert_false(auth_is_own_page(STR_NONE, STR("null"), http, host));
    assert_false(auth_is_own_page(STR_NONE, STR_NONE, http, host));
}

TEST(attempts, ten_wrong_guesses_wait_and_a_try_comes_back_with_time)
{
    struct attempts *attempts = attempts_open(7);
    struct str       bad = STR("203.0.113.9"), good = STR("203.0.113.10");
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        assert_int_equal(attempts_wait_ms(attempts, bad, 5000), 0);
        attempts_failed(attempts, bad, 5000);
    }
    assert_int_equal(attempts_wait_ms(attempts, bad, 5000), ATTEMPTS_BACK_MS);
    assert_int_equal(attempts_wait_ms(attempts, good, 5000), 0);
    assert_int_equal(attempts_wait_ms(attempts, bad, 5000 + ATTEMPTS_BACK_MS), 0);
    for (int i = 0; i < 1000; i++) /* however long it goes on, the wait is bounded */
        attempts_failed(attempts, bad, 5000);
    assert_int_equal(attempts_wait_ms(attempts, bad, 5000), ATTEMPTS_BACK_MS);
    attempts_close(attempts);
}

TEST(attempts, whoever_has_a_network_of_addresses_has_the_tries_of_one)
{
    struct attempts *attempts = attempts_open(7);
    struct str       other = STR("2001:db8:0:2::1");
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        char address[40];
        int  len = snprintf(address, sizeof address, "2001:db8:0:1::%x", i + 1);
        attempts_failed(attempts, (struct str){ address, (size_t)len }, 5000);
    }
    assert_int_equal(attempts_wait_ms(attempts, STR("2001:db8:0:1:9::"), 5000), ATTEMPTS_BACK_MS);
    assert_int_equal(attempts_wait_ms(attempts, other, 5000), 0);
    attempts_close(attempts);
}

TEST(attempts, a_crowd_of_addresses_does_not_grow_the_table)
{
    struct attempts *attempts = attempts_open(7);
    int              remembered = 0;
    char             address[32];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 20000; i++) {
            struct str text = { address, (size_t)snprintf(address, sizeof address, "10.0.%d.%d",
                                                          i / 256, i % 256) };
            for (int k = 0; round == 0 && k < ATTEMPTS_MAX; k++)
                attempts_failed(attempts, text, 1000);
            remembered += round == 1 && attempts_wait_ms(attempts, text, 1000) > 0;
        }
    assert_in_range(remembered, 3000, ATTEMPTS_ROWS * ATTEMPTS_ROW_PLACES);
    attempts_close(attempts);
}
