/* What services tell of text messages: believed only with its proof, and read as it is told. */
#include "base/test.h"
#include "intake/text_hook.h"

/* A request as Twilio signs it, with the auth token "s3cret-key-0001". */
static enum err by_url(struct str url, struct str body, struct str signature, struct arena *arena,
                       struct json *told)
{
    struct text_request request = {
        .body = body, .url = url, .signature = signature, .is_form = true
    };
    struct problem problem;
    return text_hook_read(TEXT_PROOF_URL, STR("s3cret-key-0001"), &request, arena, told, &problem);
}

TEST(text_hook, twilio_is_believed_by_its_signature_with_the_port_or_without)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct json                        told;
    struct str                         url = STR("https://cdp.test/hook?x=1");
    struct str body = STR("From=%2B15550001&To=%2B15550002&Body=hi"); /* sorted for the signature */
    struct str signature = STR("H1zVZrAUd/LiLSLjgJPO9AQyCoQ=");       /* as npm twilio makes it */
    assert_ok(by_url(url, body, signature, arena, &told));
    assert_true(str_eq(json_get_str(&told, STR("From")), STR("+15550001")));
    assert_true(str_eq(json_get_str(&told, STR("Body")), STR("hi")));
    assert_ok(by_url(STR("https://cdp.test:443/hook?x=1"), body, signature, arena, &told));
    assert_int_equal(by_url(STR("https://cdp.test/hook?x=2"), body, signature, arena, &told),
                     ERR_DENIED);
    assert_int_equal(by_url(url, STR("From=%2B15550001"), signature, arena, &told), ERR_DENIED);
    assert_int_equal(by_url(url, body, STR_NONE, arena, &told), ERR_DENIED);
}

/* Vectors of one secret, "s3cret-key-0001", and one body, made with another program. */
static enum err signed_by(enum text_proof proof, const char *signature, int64_t now_ms)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct text_request                request = { .body = STR("{\"a\":1}"),
                                                   .signature = str_of(signature),
                                                   .timestamp = STR("1700000000"),
                                                   .now_ms = now_ms };
    struct json                        told;
    struct problem                     problem;
    return text_hook_read(proof, STR("s3cret-key-0001"), &request, arena, &told, &problem);
}

TEST(text_hook, a_signed_body_is_believed_and_one_with_a_time_only_for_a_while)
{
    static const char body[] = "985f58bc7dda29be69399aa2889d7e6475015babf50dc0cf5dc57604b3809456";
    static const char timed[] = "37cab0454714ab5ecd65efa476879dd2151b7697770e5b46eb7fe494e65eeb84";
    assert_ok(signed_by(TEXT_PROOF_BODY, body, 0));
    assert_int_equal(signed_by(TEXT_PROOF_BODY, timed, 0), ERR_DENIED);
    assert_ok(signed_by(TEXT_PROOF_TIMED_BODY, timed, 1700000000 + 1000));
    assert_int_equal(signed_by(TEXT_PROOF_TIMED_BODY, timed, 1700000000 + 3600000), ERR_DENIED);
    assert_int_equal(signed_by(TEXT_PROOF_TIMED_BODY, body, 1700000000), ERR_DENIED);
}

static enum err by_secret(const char *authorization, struct str secret)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct text_request request = { .body = STR("{\"text\":\"STOP\",\"from\":\"+4791234567\"}"),
                                    .authorization = str_of(authorization) };
    struct json         told;
    struct problem      problem;
    return text_hook_read(TEXT_PROOF_SECRET, secret, &request, arena, &told, &problem);
}

TEST(text_hook, without_the_secret_nothing_is_read)
{
    assert_ok(by_secret("Bearer s3cret", STR("s3cret")));
    assert_int_equal(by_secret("Bearer wrong", STR("s3cret")), ERR_DENIED);
    assert_int_equal(by_secret("Bearer ", STR_NONE), ERR_DENIED);
}
