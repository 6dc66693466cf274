/* Webhooks of mail services: proven, and read for bounces and complaints. */
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "intake/hook.h"
#include "intake/hook_proof.h"

#define KEY STR("s3cret-key-0001")
#define NOW_MS INT64_C(1700000000000)
#define MAC                                                                                        \
    "e201797d0388dac5fca783761a4430fae5e8cac3096088ac831b39dbb3346d71" /* over the next two */
#define SIGNED                                                                                     \
    "\"signature\":{\"timestamp\":\"1700000000\",\"token\":\"tok50\",\"signature\":\"" MAC "\"}"

struct world {
    struct arena       *arena;
    struct json_parser *parser;
    struct hook_events  events;
    struct problem      problem;
};

static struct world world_open(void)
{
    return (struct world){ .arena = arena_open(8 << 20), .parser = json_parser_open() };
}

static void world_close(struct world *w)
{
    json_parser_close(w->parser);
    arena_close(w->arena);
}

static enum err read_as(struct world *w, enum hook_service service, const char *body,
                        const char *authorization, int64_t now_ms)
{
    struct hook_request request = { .body = str_of(body),
                                    .authorization = str_of(authorization),
                                    .now_ms = now_ms };
    struct str          secret = service == HOOK_POSTMARK ? STR("dult:pass") : KEY;
    return hook_read(service, secret, &request, w->parser, w->arena, &w->events, &w->problem);
}

static void assert_text(struct str is, const char *wanted)
{
    if (!str_eq(is, str_of(wanted)))
        print_error("%.*s is not %s\n", STR_ARG(is), wanted);
    assert_true(str_eq(is, str_of(wanted)));
}

TEST(hook, mailgun_is_believed_by_its_signature_and_read)
{
    struct world w = world_open();
    assert_ok(read_as(&w, HOOK_MAILGUN,
                      "{" SIGNED ",\"event-data\":{\"event\":\"failed\",\"severity\":\"permanent\","
                      "\"recipient\":\"ada@x.example\",\"delivery-status\":{\"code\":550,"
                      "\"message\":\"5.1.1 no such user\"},\"message\":{\"headers\":"
                      "{\"message-id\":\"abc@shop\"}}}}",
                      "", NOW_MS));
    assert_int_equal(w.events.count, 1);
    assert_int_equal(w.events.items[0].kind, HOOK_BOUNCE_HARD);
    assert_text(w.events.items[0].recipient, "ada@x.example");
    assert_text(w.events.items[0].message_id, "abc@shop");
    assert_text(w.events.items[0].id, "tok50");
    assert_text(w.events.items[0].said, "5.1.1 no such user");
    world_close(&w);
}

TEST(hook, mailgun_is_not_believed_with_another_signature_or_an_old_one)
{
    struct world w = world_open();
    const char  *body = "{" SIGNED ",\"event-data\":{\"event\":\"complained\"}}";
    char         other[512];
    assert_ok(read_as(&w, HOOK_MAILGUN, body, "", NOW_MS + HOOK_AGE_MS));
    assert_int_equal(w.events.items[0].kind, HOOK_COMPLAINT);
    assert_int_equal(read_as(&w, HOOK_MAILGUN, body, "", NOW_MS + HOOK_AGE_MS + 1), ERR_DENIED);
    assert_int_equal(read_as(&w, HOOK_MAILGUN, body, "", NOW_MS - HOOK_AGE_MS - 1), ERR_DENIED);
    snprintf(other, sizeof other, "%s", body);
    *strstr(other, "tok50") = 'T';
    assert_int_equal(read_as(&w, HOOK_MAILGUN, other, "", NOW_MS), ERR_DENIED);
    assert_string_equal(w.problem.where, "signature");
    assert_int_equal(read_as(&w, HOOK_MAILGUN, "{}", "", NOW_MS), ERR_DENIED);
    assert_int_equal(w.events.count, 0);
    world_close(&w);
}

TEST(hook, what_mailgun_tries_again_itself_is_passed_over)
{
    struct world w = world_open();
    assert_ok(read_as(&w, HOOK_MAILGUN,
                      "{" SIGNED
                      ",\"event-data\":{\"event\":\"failed\",\"severity\":\"temporary\"}}",
                      "", NOW_MS));
    assert_int_equal(w.events.count, 0);
    world_close(&w);
}

TEST(hook, postmark_is_believed_by_name_and_password)
{
    struct world w = world_open();
    const char  *body = "{\"RecordType\":\"Bounce\",\"ID\":42,\"Type\":\"SoftBounce\","
                        "\"Email\":\"ada@x.example\",\"Details\":\"mailbox full\"}";
    const char  *password = "Basic ZHVsdDpwYXNz";
    assert_int_equal(read_as(&w, HOOK_POSTMARK, body, "", NOW_MS), ERR_DENIED);
    assert_int_equal(read_as(&w, HOOK_POSTMARK, body, "Basic ZHVsdDpwYXNy", NOW_MS), ERR_DENIED);
    assert_ok(read_as(&w, HOOK_POSTMARK, body, password, NOW_MS));
    assert_int_equal(w.events.items[0].kind, HOOK_BOUNCE_SOFT);
    assert_text(w.events.items[0].id, "42");
    assert_ok(read_as(&w, HOOK_POSTMARK,
                      "{\"RecordType\":\"SpamComplaint\",\"ID\":43,\"Email\":\"ada@x.example\"}",
                      password, NOW_MS));
    assert_int_equal(w.events.items[0].kind, HOOK_COMPLAINT);
    assert_ok(read_as(&w, HOOK_POSTMARK, "{\"RecordType\":\"Open\"}", password, NOW_MS));
    assert_int_equal(w.events.count, 0);
    assert_ok(read_as(&w, HOOK_POSTMARK, "{\"RecordType\":\"Bounce\",\"Type\":\"AutoResponder\"}",
                      password, NOW_MS));
    assert_int_equal(w.events.count, 0);
    assert_int_equal(read_as(&w, HOOK_POSTMARK, "[1", password, NOW_MS), ERR_INPUT);
    world_close(&w);
}

TEST(hook, a_key_that_is_none_proves_nothing)
{
    assert_false(proof_by_ecdsa(STR("AAAA"), STR("AAAA"), STR("1"), STR("{}")));
    assert_false(proof_by_ecdsa(STR(""), STR(""), STR(""), STR("")));
    assert_false(proof_by_hmac(STR(""), STR(""), STR(""), STR("")));
    assert_false(proof_by_password(STR(""), STR("Basic ")));
}
