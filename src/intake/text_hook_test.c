/* What services tell of text messages: believed only with its proof, and read as what it means. */
#include "base/test.h"
#include "intake/text_hook.h"

/* A request as Twilio signs it, with the auth token "s3cret-key-0001". */
static enum err twilio(struct str url, struct str body, struct str signature, struct arena *arena,
                       struct text_event *out)
{
    struct text_request request = { .body = body, .url = url, .signature = signature };
    struct problem      problem;
    return text_hook_read(STR("twilio"), STR("s3cret-key-0001"), &request, arena, out, &problem);
}

TEST(text_hook, twilio_is_believed_by_its_signature_with_the_port_or_without)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct text_event                  event;
    struct str                         url = STR("https://cdp.test/hook?x=1");
    struct str body = STR("From=%2B15550001&To=%2B15550002&Body=hi"); /* sorted for the signature */
    struct str signature = STR("H1zVZrAUd/LiLSLjgJPO9AQyCoQ=");       /* as npm twilio makes it */
    assert_ok(twilio(url, body, signature, arena, &event));
    assert_int_equal(event.kind, TEXT_ANSWER);
    assert_true(str_eq(event.from, STR("+15550001")) && str_eq(event.text, STR("hi")));
    assert_ok(twilio(STR("https://cdp.test:443/hook?x=1"), body, signature, arena, &event));
    assert_int_equal(twilio(STR("https://cdp.test/hook?x=2"), body, signature, arena, &event),
                     ERR_DENIED);
    assert_int_equal(twilio(url, STR("From=%2B15550001"), signature, arena, &event), ERR_DENIED);
    assert_int_equal(twilio(url, body, STR_NONE, arena, &event), ERR_DENIED);
}

static enum text_kind told(const char *body, bool is_form, struct text_event *event)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct text_request                request = { .body = str_of(body),
                                                   .authorization = STR("Bearer s3cret"),
                                                   .is_form = is_form };
    struct problem                     problem;
    assert_ok(text_hook_read(STR("gateway"), STR("s3cret"), &request, arena, event, &problem));
    return event->kind;
}

TEST(text_hook, a_gateway_with_our_secret_tells_receipts_and_answers)
{
    struct text_event event;
    assert_int_equal(told("{\"status\":\"delivered\",\"id\":\"1\"}", false, &event),
                     TEXT_DELIVERED);
    assert_int_equal(told("{\"status\":\"failed\",\"code\":30005}", false, &event), TEXT_DEAD);
    assert_int_equal(told("{\"status\":\"undelivered\",\"code\":\"30008\"}", false, &event),
                     TEXT_FAILED);
    assert_int_equal(told("{\"status\":\"queued\"}", false, &event), TEXT_OTHER);
    assert_int_equal(told("{\"status\":\"failed\",\"code\":\"21610\"}", false, &event),
                     TEXT_STOPPED);
    assert_int_equal(told("msisdn=4791234567&to=Tents&text=Stop+it", true, &event), TEXT_ANSWER);
}

TEST(text_hook, without_the_secret_nothing_is_read)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct text_request request = { .body = STR("{\"text\":\"STOP\",\"from\":\"+4791234567\"}"),
                                    .authorization = STR("Bearer wrong") };
    struct text_event   event;
    struct problem      problem;
    assert_int_equal(
        text_hook_read(STR("gateway"), STR("s3cret"), &request, arena, &event, &problem),
        ERR_DENIED);
    assert_int_equal(text_hook_read(STR("gateway"), STR_NONE, &request, arena, &event, &problem),
                     ERR_DENIED);
}
