#include "delivery/smtp_wire.h"

#include <string.h>

#include "base/test.h"

#define GREETING "220 mx.example ESMTP\r\n"
#define OFFERS "250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250 8BITMIME\r\n"
#define ENVELOPE(from, to) "MAIL FROM:<" from "> SIZE=16\r\nRCPT TO:<" to ">\r\nDATA\r\n"
#define DATA "A: b\r\n\r\n.\r\n..c\r\n" /* 16 bytes, two of its lines want stuffing */
#define STUFFED "A: b\r\n\r\n..\r\n...c\r\n"

static struct delivery_message message_to(uint64_t id, const char *to)
{
    return (struct delivery_message){
        .id = id, .from = STR("s@shop.example"), .to = str_of(to), .data = STR(DATA)
    };
}

static uint64_t written_total; /* of the wire opened last */

static struct smtp_wire *wire_with(struct smtp_wire_conf conf)
{
    written_total = 0;
    conf.ehlo_name = "dult.example";
    struct smtp_wire *wire = smtp_wire_open(&conf);
    assert_non_null(wire);
    return wire;
}

static void say(struct smtp_wire *wire, const char *bytes)
{
    smtp_wire_input(wire, str_of(bytes));
}

/* Takes all output as written and compares. */
static void expect_output(struct smtp_wire *wire, const char *expected)
{
    static char all[200000];
    size_t      len = 0;
    for (;;) {
        struct str out = smtp_wire_output(wire, false);
        if (out.len == 0)
            break;
        assert_true(len + out.len < sizeof all);
        memcpy(all + len, out.ptr, out.len);
        len += out.len;
        smtp_wire_took(wire, out.len);
        written_total += out.len;
        smtp_wire_written(wire, written_total);
    }
    assert_str(((struct str){ all, len }), expected);
}

static struct smtp_wire *ready_wire(struct smtp_wire_conf conf, const char *offers)
{
    struct smtp_wire *wire = wire_with(conf);
    say(wire, GREETING);
    expect_output(wire, "EHLO dult.example\r\n");
    say(wire, offers);
    expect_output(wire, "");
    assert_int_equal(smtp_wire_state(wire), SMTP_READY);
    return wire;
}

static struct delivery_outcome done(struct smtp_wire *wire, uint64_t id)
{
    struct delivery_outcome  outcome = { 0 };
    struct delivery_message *message = smtp_wire_next_done(wire, &outcome);
    assert_non_null(message);
    assert_int_equal(message->id, id);
    return outcome;
}

static void expect_done(struct smtp_wire *wire, uint64_t id, enum delivery_result result,
                        enum delivery_blame blame)
{
    struct delivery_outcome outcome = done(wire, id);
    assert_string_equal(delivery_result_name(outcome.result), delivery_result_name(result));
    assert_string_equal(delivery_blame_name(outcome.blame), delivery_blame_name(blame));
}

static void expect_none_done(struct smtp_wire *wire)
{
    struct delivery_outcome outcome;
    assert_null(smtp_wire_next_done(wire, &outcome));
}

TEST(smtp_wire, the_next_envelope_rides_behind_the_dot)
{
    struct smtp_wire       *wire = ready_wire((struct smtp_wire_conf){ 0 }, OFFERS);
    struct delivery_message a = message_to(1, "a@x.example"), b = message_to(2, "b@x.example");
    smtp_wire_give(wire, &a);
    smtp_wire_give(wire, &b);
    assert_false(smtp_wire_has_place(wire));
    expect_output(wire, ENVELOPE("s@shop.example", "a@x.example"));
    say(wire, "250 ok\r\n250 ok\r\n354 go\r\n");
    expect_output(wire, STUFFED ".\r\n" ENVELOPE("s@shop.example", "b@x.example"));
    say(wire, "250 2.0.0 queued as 1\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    struct delivery_outcome outcome = done(wire, 1);
    assert_int_equal(outcome.result, DELIVERY_SENT);
    assert_string_equal(outcome.text, "queued as 1");
    assert_true(smtp_wire_has_place(wire));
    expect_output(wire, STUFFED ".\r\n");
    say(wire, "250 queued as 2\r\n");
    expect_done(wire, 2, DELIVERY_SENT, BLAME_NONE);
    expect_none_done(wire);
    smtp_wire_quit(wire);
    expect_output(wire, "QUIT\r\n");
    say(wire, "221 bye\r\n");
    assert_int_equal(smtp_wire_state(wire), SMTP_CLOSED);
    smtp_wire_close(wire);
}

TEST(smtp_wire, without_pipelining_every_command_awaits_its_reply)
{
    struct smtp_wire       *wire = ready_wire((struct smtp_wire_conf){ 0 }, "250 mx.example\r\n");
    struct delivery_message a = message_to(1, "a@x.example"), b = message_to(2, "b@x.example");
    smtp_wire_give(wire, &a);
    smtp_wire_give(wire, &b);
    expect_output(wire, "MAIL FROM:<s@shop.example>\r\n");
    say(wire, "250 ok\r\n");
    expect_output(wire, "RCPT TO:<a@x.example>\r\n");
    say(wire, "250 ok\r\n");
    expect_output(wire, "DATA\r\n");
    say(wire, "354 go\r\n");
    expect_output(wire, STUFFED ".\r\n");
    assert_int_equal(smtp_wire_begun(wire), 1);
    say(wire, "250 ok\r\n");
    expect_output(wire, "MAIL FROM:<s@shop.example>\r\n");
    say(wire, "550 no\r\n");
    expect_done(wire, 1, DELIVERY_SENT, BLAME_NONE);
    expect_done(wire, 2, DELIVERY_FAILED, BLAME_POLICY);
    smtp_wire_give(wire, &b);
    expect_output(wire, "RSET\r\n");
    say(wire, "250 ok\r\n");
    expect_output(wire, "MAIL FROM:<s@shop.example>\r\n");
    smtp_wire_close(wire);
}

/* What each refusal means, with PIPELINING: replies to MAIL, RCPT, DATA and the dot. */
TEST(smtp_wire, a_refusal_is_blamed_on_the_one_it_speaks_of)
{
    static const struct {
        const char          *envelope, *dot;
        enum delivery_result result;
        enum delivery_blame  blame;
    } table[] = {
        { "250 ok\r\n550 5.1.1 no such user\r\n554 no valid recipients\r\n", NULL, DELIVERY_FAILED,
          BLAME_RECIPIENT },
        { "250 ok\r\n550 unknown\r\n503 need RCPT\r\n", NULL, DELIVERY_FAILED, BLAME_RECIPIENT },
        { "250 ok\r\n450 4.2.0 greylisted\r\n554 no\r\n", NULL, DELIVERY_DEFERRED,
          BLAME_RECIPIENT },
        { "250 ok\r\n554 5.7.1 relay access denied\r\n554 no\r\n", NULL, DELIVERY_FAILED,
          BLAME_POLICY },
        { "250 ok\r\n552 5.2.2 mailbox full\r\n554 no\r\n", NULL, DELIVERY_FAILED,
          BLAME_RECIPIENT },
        { "550 5.1.8 bad sender\r\n503 no\r\n503 no\r\n", NULL, DELIVERY_FAILED, BLAME_POLICY },
        { "530 5.7.0 authenticate first\r\n503 no\r\n503 no\r\n", NULL, DELIVERY_DEFERRED,
          BLAME_POLICY },
        { "250 ok\r\n250 ok\r\n451 4.3.0 no disk\r\n", NULL, DELIVERY_DEFERRED, BLAME_CONNECTION },
        { "250 ok\r\n250 ok\r\n354 go\r\n", "554 5.7.1 spam\r\n", DELIVERY_FAILED, BLAME_POLICY },
        { "250 ok\r\n250 ok\r\n354 go\r\n", "550 5.1.1 gone\r\n", DELIVERY_FAILED,
          BLAME_RECIPIENT },
        { "250 ok\r\n250 ok\r\n354 go\r\n", "452 4.3.1 full\r\n", DELIVERY_DEFERRED,
          BLAME_CONNECTION },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct smtp_wire       *wire = ready_wire((struct smtp_wire_conf){ 0 }, OFFERS);
        struct delivery_message a = message_to(1, "a@x.example");
        smtp_wire_give(wire, &a);
        expect_output(wire, ENVELOPE("s@shop.example", "a@x.example"));
        say(wire, table[i].envelope);
        expect_output(wire, table[i].dot == NULL ? "" : STUFFED ".\r\n");
        if (table[i].dot != NULL)
            say(wire, table[i].dot);
        expect_done(wire, 1, table[i].result, table[i].blame);
        assert_int_equal(smtp_wire_state(wire), SMTP_READY);
        smtp_wire_give(wire, &a);
        expect_output(wire, table[i].dot == NULL
                                ? "RSET\r\n" ENVELOPE("s@shop.example", "a@x.example")
                                : ENVELOPE("s@shop.example", "a@x.example"));
        smtp_wire_close(wire);
    }
}

TEST(smtp_wire, data_accepted_without_a_recipient_is_ended_by_a_lone_dot)
{
    struct smtp_wire       *wire = ready_wire((struct smtp_wire_conf){ 0 }, OFFERS);
    struct delivery_message a = message_to(1, "a@x.example"), b = message_to(2, "b@x.example");
    smtp_wire_give(wire, &a);
    smtp_wire_give(wire, &b);
    expect_output(wire, ENVELOPE("s@shop.example", "a@x.example"));
    say(wire, "250 ok\r\n550 5.1.1 who\r\n354 go\r\n");
    expect_output(wire, ".\r\nRSET\r\n" ENVELOPE("s@shop.example", "b@x.example"));
    expect_done(wire, 1, DELIVERY_FAILED, BLAME_RECIPIENT);
    say(wire, "250 sent to nobody\r\n250 reset\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    expect_none_done(wire);
    expect_output(wire, STUFFED ".\r\n");
    smtp_wire_close(wire);
}

TEST(smtp_wire, in_doubt_begins_with_the_first_byte_of_the_dot_and_not_before)
{
    size_t content = sizeof STUFFED - 1;
    for (size_t written = 0; written <= content + 3; written++) {
        struct smtp_wire       *wire = ready_wire((struct smtp_wire_conf){ 0 }, OFFERS);
        struct delivery_message a = message_to(1, "a@x.example"), b = message_to(2, "b@x.example");
        smtp_wire_give(wire, &a);
        expect_output(wire, ENVELOPE("s@shop.example", "a@x.example"));
        uint64_t before = sizeof "EHLO dult.example\r\n" - 1 +
                          sizeof ENVELOPE("s@shop.example", "a@x.example") - 1;
        say(wire, "250 ok\r\n250 ok\r\n354 go\r\n");
        struct str out = smtp_wire_output(wire, false);
        assert_int_equal(out.len, content + 3);
        smtp_wire_took(wire, out.len);
        smtp_wire_written(wire, before + written);
        smtp_wire_lost(wire, "the cable was cut");
        expect_done(wire, 1, written > content ? DELIVERY_UNKNOWN : DELIVERY_DEFERRED,
                    BLAME_CONNECTION);
        (void)b;
        smtp_wire_close(wire);
    }
}

TEST(smtp_wire, the_message_behind_the_dot_is_never_in_doubt)
{
    struct smtp_wire       *wire = ready_wire((struct smtp_wire_conf){ 0 }, OFFERS);
    struct delivery_message a = message_to(1, "a@x.example"), b = message_to(2, "b@x.example");
    smtp_wire_give(wire, &a);
    smtp_wire_give(wire, &b);
    expect_output(wire, ENVELOPE("s@shop.example", "a@x.example"));
    say(wire, "250 ok\r\n250 ok\r\n354 go\r\n");
    expect_output(wire, STUFFED ".\r\n" ENVELOPE("s@shop.example", "b@x.example"));
    smtp_wire_lost(wire, "gone");
    expect_done(wire, 1, DELIVERY_UNKNOWN, BLAME_CONNECTION);
    expect_done(wire, 2, DELIVERY_DEFERRED, BLAME_CONNECTION);
    smtp_wire_close(wire);
}

TEST(smtp_wire, what_was_not_begun_is_returned_and_can_be_recalled)
{
    struct smtp_wire       *wire = ready_wire((struct smtp_wire_conf){ 0 }, OFFERS);
    struct delivery_message a = message_to(1, "a@x.example"), b = message_to(2, "b@x.example");
    smtp_wire_give(wire, &a);
    smtp_wire_give(wire, &b);
    assert_null(smtp_wire_recall(wire, 1));
    assert_ptr_equal(smtp_wire_recall(wire, 2), &b);
    smtp_wire_give(wire, &b);
    smtp_wire_lost(wire, "gone");
    expect_done(wire, 1, DELIVERY_DEFERRED, BLAME_CONNECTION);
    expect_done(wire, 2, DELIVERY_RETURNED, BLAME_NONE);
    smtp_wire_close(wire);
}

TEST(smtp_wire, a_421_to_the_dot_defers_and_ends_the_connection)
{
    struct smtp_wire       *wire = ready_wire((struct smtp_wire_conf){ 0 }, OFFERS);
    struct delivery_message a = message_to(1, "a@x.example"), b = message_to(2, "b@x.example");
    smtp_wire_give(wire, &a);
    smtp_wire_give(wire, &b);
    expect_output(wire, ENVELOPE("s@shop.example", "a@x.example"));
    say(wire, "250 ok\r\n250 ok\r\n354 go\r\n");
    expect_output(wire, STUFFED ".\r\n" ENVELOPE("s@shop.example", "b@x.example"));
    say(wire, "421 4.3.2 shutting down\r\n");
    expect_done(wire, 1, DELIVERY_DEFERRED, BLAME_CONNECTION);
    expect_done(wire, 2, DELIVERY_DEFERRED, BLAME_CONNECTION);
    assert_int_equal(smtp_wire_state(wire), SMTP_CLOSED);
    smtp_wire_close(wire);
}

TEST(smtp_wire, a_250_before_the_dot_was_written_is_not_believed)
{
    struct smtp_wire       *wire = ready_wire((struct smtp_wire_conf){ 0 }, OFFERS);
    struct delivery_message a = message_to(1, "a@x.example");
    smtp_wire_give(wire, &a);
    expect_output(wire, ENVELOPE("s@shop.example", "a@x.example"));
    say(wire, "250 ok\r\n250 ok\r\n354 go\r\n");
    struct str out = smtp_wire_output(wire, false);
    assert_true(out.len > 0);
    say(wire, "250 queued\r\n");
    expect_done(wire, 1, DELIVERY_DEFERRED, BLAME_CONNECTION);
    assert_int_equal(smtp_wire_state(wire), SMTP_CLOSED);
    smtp_wire_close(wire);
}

TEST(smtp_wire, output_can_be_cut_before_the_dot)
{
    struct smtp_wire       *wire = ready_wire((struct smtp_wire_conf){ 0 }, OFFERS);
    struct delivery_message a = message_to(1, "a@x.example");
    smtp_wire_give(wire, &a);
    expect_output(wire, ENVELOPE("s@shop.example", "a@x.example"));
    say(wire, "250 ok\r\n250 ok\r\n354 go\r\n");
    struct str out = smtp_wire_output(wire, true);
    assert_str(out, STUFFED);
    smtp_wire_took(wire, out.len);
    assert_str(smtp_wire_output(wire, true), ".\r\n");
    smtp_wire_close(wire);
}

TEST(smtp_wire, a_large_message_is_put_out_in_blocks_and_stuffed_across_their_edges)
{
    static char data[200000], stuffed[400000];
    size_t      len = 0, stuffed_len = 0;
    while (len + 3 <= sizeof data) {
        memcpy(data + len, ".\r\n", 3);
        memcpy(stuffed + stuffed_len, "..\r\n", 4);
        len += 3;
        stuffed_len += 4;
    }
    struct smtp_wire       *wire = ready_wire((struct smtp_wire_conf){ 0 }, OFFERS);
    struct delivery_message a = message_to(1, "a@x.example");
    a.data = (struct str){ data, len };
    smtp_wire_give(wire, &a);
    expect_output(wire, "MAIL FROM:<s@shop.example> SIZE=199998\r\nRCPT TO:<a@x.example>\r\n"
                        "DATA\r\n");
    say(wire, "250 ok\r\n250 ok\r\n354 go\r\n");
    size_t at = 0;
    for (;;) {
        struct str out = smtp_wire_output(wire, false);
        if (out.len == 0)
            break;
        assert_true(out.len <= 2 * 64 * 1024 + 16 * 1024);
        size_t part = out.len < stuffed_len - at ? out.len : stuffed_len - at;
        assert_memory_equal(out.ptr, stuffed + at, part);
        at += out.len;
        smtp_wire_took(wire, out.len);
    }
    assert_int_equal(at, stuffed_len + 3);
    smtp_wire_close(wire);
}

TEST(smtp_wire, replies_may_arrive_byte_by_byte)
{
    struct smtp_wire       *wire = wire_with((struct smtp_wire_conf){ 0 });
    struct delivery_message a = message_to(1, "a@x.example");
    static const char script[] = GREETING OFFERS;
    for (size_t i = 0; i + 1 < sizeof script; i++)
        smtp_wire_input(wire, (struct str){ script + i, 1 });
    expect_output(wire, "EHLO dult.example\r\n");
    assert_true(smtp_wire_caps(wire)->pipelining);
    smtp_wire_give(wire, &a);
    smtp_wire_close(wire);
}

TEST(smtp_wire, bytes_behind_the_reply_to_starttls_end_the_connection)
{
    struct smtp_wire *wire = wire_with((struct smtp_wire_conf){ .tls = SMTP_TLS_REQUIRED });
    say(wire, GREETING);
    say(wire, "250-mx\r\n250 STARTTLS\r\n");
    expect_output(wire, "EHLO dult.example\r\nSTARTTLS\r\n");
    say(wire, "220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n");
    assert_int_equal(smtp_wire_state(wire), SMTP_CLOSED);
    smtp_wire_close(wire);
}

TEST(smtp_wire, after_tls_everything_heard_before_is_forgotten)
{
    struct smtp_wire *wire = wire_with((struct smtp_wire_conf){ .tls = SMTP_TLS_OFFERED });
    say(wire, GREETING);
    say(wire, "250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n");
    expect_output(wire, "EHLO dult.example\r\nSTARTTLS\r\n");
    say(wire, "220 go\r\n");
    assert_int_equal(smtp_wire_state(wire), SMTP_STARTTLS);
    smtp_wire_secured(wire);
    expect_output(wire, "EHLO dult.example\r\n");
    say(wire, "250 mx\r\n");
    assert_int_equal(smtp_wire_state(wire), SMTP_READY);
    assert_false(smtp_wire_caps(wire)->pipelining);
    smtp_wire_close(wire);
}

TEST(smtp_wire, required_tls_is_never_done_without)
{
    struct smtp_wire *wire = wire_with((struct smtp_wire_conf){ .tls = SMTP_TLS_REQUIRED });
    say(wire, GREETING);
    say(wire, "250 mx\r\n");
    assert_int_equal(smtp_wire_state(wire), SMTP_CLOSED);
    assert_int_equal(smtp_wire_trouble(wire)->blame, BLAME_POLICY);
    smtp_wire_close(wire);

    wire = wire_with((struct smtp_wire_conf){ .tls = SMTP_TLS_REQUIRED });
    say(wire, GREETING);
    say(wire, "250-mx\r\n250 STARTTLS\r\n");
    say(wire, "454 not now\r\n");
    assert_int_equal(smtp_wire_state(wire), SMTP_CLOSED);
    smtp_wire_close(wire);
}

TEST(smtp_wire, offered_tls_that_is_then_refused_goes_on_in_the_clear)
{
    struct smtp_wire *wire = wire_with((struct smtp_wire_conf){ .tls = SMTP_TLS_OFFERED });
    say(wire, GREETING);
    say(wire, "250-mx\r\n250 STARTTLS\r\n");
    say(wire, "454 not now\r\n");
    assert_int_equal(smtp_wire_state(wire), SMTP_READY);
    smtp_wire_close(wire);
}

TEST(smtp_wire, the_password_is_sent_only_within_tls)
{
    struct smtp_wire_conf conf = { .user = "ada", .password = "secret" };
    struct smtp_wire     *wire = wire_with(conf);
    say(wire, GREETING "250-mx\r\n250 AUTH PLAIN\r\n");
    assert_int_equal(smtp_wire_state(wire), SMTP_CLOSED);
    smtp_wire_close(wire);

    conf.tls = SMTP_TLS_IMPLICIT;
    wire = wire_with(conf);
    say(wire, GREETING "250-mx\r\n250 AUTH LOGIN PLAIN\r\n");
    expect_output(wire, "EHLO dult.example\r\nAUTH PLAIN AGFkYQBzZWNyZXQ=\r\n");
    say(wire, "235 2.7.0 welcome\r\n");
    assert_int_equal(smtp_wire_state(wire), SMTP_READY);
    smtp_wire_close(wire);
}

TEST(smtp_wire, auth_login_answers_both_questions)
{
    struct smtp_wire *wire = wire_with(
        (struct smtp_wire_conf){ .user = "ada", .password = "secret", .password_in_clear = true });
    say(wire, GREETING "250-mx\r\n250 AUTH=LOGIN\r\n");
    expect_output(wire, "EHLO dult.example\r\nAUTH LOGIN\r\n");
    say(wire, "334 VXNlcm5hbWU6\r\n");
    expect_output(wire, "YWRh\r\n");
    say(wire, "334 UGFzc3dvcmQ6\r\n");
    expect_output(wire, "c2VjcmV0\r\n");
    say(wire, "535 5.7.8 wrong\r\n");
    assert_int_equal(smtp_wire_trouble(wire)->blame, BLAME_POLICY);
    assert_int_equal(smtp_wire_trouble(wire)->code, 535);
    smtp_wire_close(wire);
}

TEST(smtp_wire, a_message_beyond_the_stated_size_fails_before_its_first_byte)
{
    struct smtp_wire *wire = ready_wire((struct smtp_wire_conf){ 0 }, "250-mx\r\n250 SIZE 15\r\n");
    struct delivery_message a = message_to(1, "a@x.example");
    smtp_wire_give(wire, &a);
    expect_output(wire, "");
    expect_done(wire, 1, DELIVERY_FAILED, BLAME_POLICY);
    smtp_wire_close(wire);
}

TEST(smtp_wire, an_address_outside_ascii_goes_only_where_it_is_understood)
{
    struct smtp_wire       *wire = ready_wire((struct smtp_wire_conf){ 0 }, "250 mx\r\n");
    struct delivery_message a = message_to(1, "blåbær@x.example");
    smtp_wire_give(wire, &a);
    expect_done(wire, 1, DELIVERY_FAILED, BLAME_RECIPIENT);
    smtp_wire_close(wire);
    wire = ready_wire((struct smtp_wire_conf){ 0 }, "250-mx\r\n250 SMTPUTF8\r\n");
    smtp_wire_give(wire, &a);
    expect_output(wire, "MAIL FROM:<s@shop.example> SMTPUTF8\r\n");
    smtp_wire_close(wire);
}

TEST(smtp_wire, the_envelope_id_is_told_where_bounces_can_bring_it_back)
{
    struct smtp_wire *wire = ready_wire((struct smtp_wire_conf){ 0 }, "250-mx\r\n250 DSN\r\n");
    struct delivery_message a = message_to(1, "a@x.example");
    a.envelope_id = STR("m+1=x");
    smtp_wire_give(wire, &a);
    expect_output(wire, "MAIL FROM:<s@shop.example> RET=HDRS ENVID=m+2B1+3Dx\r\n");
    smtp_wire_close(wire);
}

TEST(smtp_wire, names_that_would_break_a_line_open_nothing)
{
    struct smtp_wire_conf conf = { .ehlo_name = "a\r\nb" };
    assert_null(smtp_wire_open(&conf));
    conf.ehlo_name = "a b";
    assert_null(smtp_wire_open(&conf));
    conf.ehlo_name = "";
    assert_null(smtp_wire_open(&conf));
    conf = (struct smtp_wire_conf){ .ehlo_name = "a", .user = "x\ny" };
    assert_null(smtp_wire_open(&conf));
}
