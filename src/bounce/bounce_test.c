#include "bounce/bounce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/test.h"

/* "recipient class reason status" of each, divided by "; "; "" when there is none. */
static struct str told(struct arena *arena, struct str mail)
{
    struct bounces bounces;
    struct buf     said = buf_make(64 << 10);
    assert_ok(bounce_read(arena, mail, &bounces));
    for (size_t i = 0; i < bounces.count; i++)
        buf_format(&said, "%s%.*s %s %.*s %.*s", i == 0 ? "" : "; ",
                   STR_ARG(bounces.items[i].recipient), bounce_class_name(bounces.items[i].class),
                   STR_ARG(bounces.items[i].reason), STR_ARG(bounces.items[i].status));
    struct str copy = str_copy(arena, buf_view(&said));
    buf_done(&said);
    return copy;
}

static void tells(const char *mail, const char *expected)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(BOUNCE_ARENA_BYTES_MAX);
    assert_non_null(arena);
    assert_str(told(arena, str_of(mail)), expected);
}

#define DAEMON "From: Mail Delivery System <MAILER-DAEMON@mx.example>\nTo: hei@shop.example\n"
#define REPORT                                                                                     \
    DAEMON "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n"       \
           "--b\n\nYour message could not be delivered.\n\n"                                       \
           "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
#define RETURNED                                                                                   \
    "\n--b\nContent-Type: message/rfc822\n\nTo: ada@x.example\nX-Dult-Message: "                   \
    "tok.en\n\nHi\n--b--\n"

/* ---- RFC 3464 ---- */

TEST(bounce, a_report_of_a_missing_mailbox_is_hard)
{
    tells(REPORT "Final-Recipient: rfc822; Ada@x.example\nAction: failed\nStatus: 5.1.1\n"
                 "Diagnostic-Code: smtp; 550 5.1.1 <ada@x.example>... User unknown\n" RETURNED,
          "ada@x.example hard userunknown 5.1.1");
}

TEST(bounce, each_group_of_a_report_has_its_own_verdict)
{
    tells(REPORT
          "Final-Recipient: rfc822; ada@x.example\nAction: failed\nStatus: 5.2.2\n"
          "Diagnostic-Code: smtp; 552 5.2.2\n  Mailbox\n  full\n\n"
          "Final-Recipient: rfc822; bob@x.example\nAction: delayed\nStatus: 4.4.1\n\n"
          "Action: delivered\nFinal-Recipient: rfc822; eve@x.example\nStatus: 2.0.0\n" RETURNED,
          "ada@x.example soft mailboxfull 5.2.2; bob@x.example soft expired 4.4.1; "
          "eve@x.example none delivered 2.0.0");
}

TEST(bounce, groups_without_an_empty_line_between_them_are_told_apart)
{
    tells(REPORT "Final-Recipient: rfc822; ada@x.example\nStatus: 5.1.1\n"
                 "Final-Recipient: rfc822; bob@x.example\nStatus: 5.1.2\n" RETURNED,
          "ada@x.example hard userunknown 5.1.1; bob@x.example hard hostunknown 5.1.2");
}

TEST(bounce, a_temporary_failure_is_never_hard)
{
    tells(REPORT "Final-Recipient: rfc822; ada@x.example\nAction: failed\nStatus: 4.1.1\n"
                 "Diagnostic-Code: smtp; 450 4.1.1 User unknown\n" RETURNED,
          "ada@x.example soft userunknown 4.1.1");
    tells(REPORT
          "Final-Recipient: rfc822; ada@x.example\nAction: delayed\nStatus: 5.1.1\n" RETURNED,
          "ada@x.example soft userunknown 5.1.1");
}

TEST(bounce, no_such_user_after_data_is_a_filter_and_after_rcpt_is_not)
{
    tells(REPORT
          "Final-Recipient: rfc822; ada@x.example\nAction: failed\nStatus: 5.0.0\n"
          "Diagnostic-Code: smtp; 550 User unknown (in reply to end of DATA command)\n" RETURNED,
          "ada@x.example soft filtered 5.0.0");
    tells(REPORT "Final-Recipient: rfc822; ada@x.example\nAction: failed\nStatus: 5.0.0\n"
                 "Diagnostic-Code: smtp; 550 User unknown (in reply to RCPT TO command)\n" RETURNED,
          "ada@x.example hard userunknown 5.0.0");
}

TEST(bounce, a_sender_who_does_not_exist_is_not_the_recipients_fault)
{
    tells(REPORT "Final-Recipient: rfc822; ada@x.example\nAction: failed\nStatus: 5.0.0\n"
                 "Diagnostic-Code: smtp; 553 shop.example does not exist (in reply to MAIL FROM "
                 "command)\n" RETURNED,
          "ada@x.example soft rejected 5.0.0");
}

TEST(bounce, words_about_a_full_mailbox_outweigh_a_code_for_a_missing_one)
{
    tells(REPORT "Final-Recipient: rfc822; ada@x.example\nAction: failed\nStatus: 5.1.1\n"
                 "Diagnostic-Code: smtp; 550 5.1.1 The mailbox is full\n" RETURNED,
          "ada@x.example soft mailboxfull 5.1.1");
}

TEST(bounce, a_report_without_a_recipient_takes_the_returned_messages)
{
    tells(REPORT "Action: failed\nStatus: 5.1.1\n" RETURNED,
          "ada@x.example hard userunknown 5.1.1");
}

TEST(bounce, the_token_of_the_returned_message_is_found)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(BOUNCE_ARENA_BYTES_MAX);
    struct bounces                     bounces;
    assert_ok(bounce_read(arena, STR(REPORT "Final-Recipient: rfc822; ada@x.example\n" RETURNED),
                          &bounces));
    assert_str(bounces.token, "tok.en");
}

TEST(bounce, a_report_in_base64_or_without_its_last_boundary_is_read_as_well)
{
    tells(DAEMON "Content-Type: multipart/report; boundary=b\n\n--b\n"
                 "Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n"
                 "RmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGFkYUB4LmV4YW1wbGUKU3RhdHVzOiA1LjEuMQo=\n",
          "ada@x.example hard userunknown 5.1.1");
}

TEST(bounce, a_report_folded_into_a_text_is_read_as_well)
{
    tells(DAEMON "\nTechnical report:\n\nFinal-Recipient: rfc822; ada@x.example\nAction: failed\n"
                 "Status: 5.1.1\n",
          "ada@x.example hard userunknown 5.1.1");
}

TEST(bounce, a_domain_is_unknown_only_where_the_recipients_is_meant)
{
    tells(REPORT "Final-Recipient: rfc822; ada@x.example\nAction: failed\nStatus: 5.0.0\n"
                 "Diagnostic-Code: smtp; 553 your domain does not exist\n" RETURNED,
          "ada@x.example soft rejected 5.0.0");
    tells(REPORT
          "Final-Recipient: rfc822; ada@x.example\nAction: failed\nStatus: 5.4.4\n"
          "Diagnostic-Code: X-Postfix; Host or domain name not found. Name service error for\n"
          "    name=x.example type=MX: Host not found\n" RETURNED,
          "ada@x.example hard hostunknown 5.4.4");
    tells(REPORT "Final-Recipient: rfc822; ada@x.example\nAction: failed\nStatus: 5.0.0\n"
                 "Diagnostic-Code: smtp; 554 We do not accept mail from your host\n" RETURNED,
          "ada@x.example soft blocked 5.0.0");
}

/* Sentences of many servers, as replies to RCPT. */
static const struct {
    const char *said, *class;
} SENTENCES[] = {
    { "550 No Such User Here", "hard" },
    { "550 5.7.1 No such user!", "hard" },
    { "550 #5.1.0 Address rejected.", "hard" },
    { "550 no mailbox by that name is currently available", "hard" },
    { "511 5.1.1 unknown address or alias: ada@x.example", "hard" },
    { "550 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416", "hard" },
    { "550 5.1.2 Domain not found", "hard" },
    { "551 5.1.6 user has moved", "hard" },
    { "552 5.2.2 Mailbox is full, user unknown to have room", "soft" },
    { "550 5.2.1 The email account that you tried to reach is disabled", "soft" },
    { "550 5.1.0 Sender address does not exist", "soft" },
    { "550 Verification failed for <hei@shop.example> No Such User Here Sender verify failed",
      "soft" },
    { "553 5.1.8 <hei@shop.example>... Domain of sender address does not exist", "soft" },
    { "550 IP address does not exist in DNS; reverse lookup failed", "soft" },
    { "550 SPF: domain does not exist", "soft" },
    { "554 5.7.1 Your server has a poor reputation; unknown host", "soft" },
    { "451 4.7.1 Greylisting in action, user unknown so far", "soft" },
};

TEST(bounce, a_sentence_about_us_is_soft_and_one_about_the_recipient_hard)
{
    for (size_t i = 0; i < sizeof SENTENCES / sizeof SENTENCES[0]; i++) {
        SCOPED(arena_closep) struct arena *arena = arena_open(BOUNCE_ARENA_BYTES_MAX);
        struct bounces                     bounces;
        struct str                         mail = str_format(arena,
                                                             REPORT "Final-Recipient: rfc822; ada@x.example\n"
                                                                                            "Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; "
                                                                                            "%s (in reply to RCPT TO command)\n" RETURNED,
                                                             SENTENCES[i].said);
        assert_ok(bounce_read(arena, mail, &bounces));
        if (strcmp(bounce_class_name(bounces.items[0].class), SENTENCES[i].class) != 0)
            print_message("%s\n", SENTENCES[i].said);
        assert_string_equal(bounce_class_name(bounces.items[0].class), SENTENCES[i].class);
    }
}

TEST(bounce, a_rule_behind_a_mailbox_and_a_servers_own_sorting_are_minded)
{
    tells(DAEMON "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: "
                 "message/delivery-status\n\nReporting-MTA: dns; inbound-smtp.eu.cloud.example\n\n"
                 "Final-Recipient: rfc822; ada@x.example\nStatus: 5.1.1\n"
                 "Diagnostic-Code: smtp; 550 5.1.1 Mailbox does not exist\n",
          "ada@x.example soft filtered 5.1.1");
    tells(
        REPORT
        "Final-Recipient: rfc822; ada@x.example\nAction: failed\nStatus: 5.2.1\n"
        "Diagnostic-Code: smtp; 550 5.2.1 gone\nX-PowerMTA-BounceCategory: bad-mailbox\n" RETURNED,
        "ada@x.example hard userunknown 5.2.1");
}

TEST(bounce, a_path_or_a_program_as_final_recipient_is_nobody)
{
    tells(DAEMON "Content-Type: multipart/report; boundary=b\n\n--b\n\n"
                 "  save to /mail/spool/ada\n    generated by ada@x.example\n"
                 "    mailbox is full: retry timeout exceeded\n\n--b\n"
                 "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
                 "Final-Recipient: rfc822;/mail/spool/ada\nAction: failed\nStatus: 5.0.0\n--b--\n",
          "ada@x.example soft mailboxfull 5.0.0");
}

/* ---- prose ---- */

static const struct {
    const char *mail, *expected;
} LETTERS[] = {
    { DAEMON "Subject: failure notice\n\nHi. This is the qmail-send program at mx.example.\n\n"
             "<ada@x.example>:\n192.0.2.1 does not like recipient.\n"
             "Remote host said: 550 5.1.1 no such user\nGiving up on 192.0.2.1.\n\n"
             "--- Below this line is a copy of the message.\n\nReturn-Path: <hei@shop.example>\n"
             "To: bob@x.example\n",
      "ada@x.example hard userunknown 5.1.1" },
    { DAEMON "Subject: failure notice\n\n<ada@x.example>:\nMailbox is full\n\n<bob@x.example>:\n"
             "Sorry, no mailbox here by that name. (#5.1.1)\n",
      "ada@x.example soft mailboxfull 5.2.2; bob@x.example hard userunknown 5.1.1" },
    { DAEMON
      "X-Failed-Recipients: ada@x.example\nAuto-Submitted: auto-replied\n\nA message that you "
      "sent could not be delivered to one or more of its\nrecipients.\n\n  ada@x.example\n"
      "    SMTP error from remote mail server after RCPT TO:<ada@x.example>:\n"
      "    host mx.x.example [192.0.2.1]: 550 unknown user\n\n"
      "------ This is a copy of the message, including all the headers. ------\n",
      "ada@x.example hard userunknown 5.1.1" },
    { DAEMON "\n   ----- Transcript of session follows -----\n>>> RCPT To:<ada@x.example>\n"
             "<<< 550 no such user here\n550 <ada@x.example>... User unknown\n\n"
             "   ----- Unsent message follows -----\nReceived: x\n",
      "ada@x.example hard userunknown 5.1.1" },
    { "From: System Administrator <postmaster@x.example>\nTo: hei@shop.example\n\nYour message\n\n"
      "  To:      ada@x.example\n  Subject: Hi\n\ndid not reach the following recipient(s):\n\n"
      "ada@x.example on Thu, 9 May 2024 23:34:45 +0900\n    The recipient name is not recognized\n",
      "ada@x.example hard userunknown 5.1.1" },
    { DAEMON "Content-Type: text/html\n\n<style>.a{}</style><p>Delivery has failed to:<br>"
             "ada@x.example<br>The mailbox is full.</p>",
      "ada@x.example soft mailboxfull 5.2.2" },
    { DAEMON
      "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
      "An email could not be d=\nelivered to:\n-- ada=40x.example\n-- Greylisted, try later\n",
      "ada@x.example soft expired 5.4.7" },
    { DAEMON "Subject: Undeliverable\n\nSomething went wrong.\n\nOriginal message follows.\n"
             "Received: y\nTo: Ada <ada@x.example>\n",
      "ada@x.example soft undefined 5.0.0" },
    { DAEMON "\n  ada@x.example <bob@x.example>: malformed address\n",
      "bob@x.example soft undefined 5.0.0" },
    /* The addresses of those who wrote it, and of help, are nobody's. */
    { DAEMON "\nFor help, contact <support@mx.example>. Your mail from <hei@shop.example>\n"
             "could not be delivered to <ada@x.example>: too many hops\n",
      "ada@x.example soft networkerror 5.4.0" },
};

TEST(bounce, letters_of_many_servers_are_understood)
{
    for (size_t i = 0; i < sizeof LETTERS / sizeof LETTERS[0]; i++)
        tells(LETTERS[i].mail, LETTERS[i].expected);
}

TEST(bounce, a_sentence_without_stage_or_code_is_too_thin_for_a_hard_verdict)
{
    tells(DAEMON "\n<ada@x.example>: 550 unknown user\n", "ada@x.example soft filtered 5.2.0");
}

/* ---- what is none ---- */

TEST(bounce, an_automatic_answer_and_a_mail_from_a_person_are_nothing)
{
    tells("From: ada@x.example\nTo: hei@shop.example\nSubject: Out of office: Hi\n"
          "Auto-Submitted: auto-replied\n\nI am away until Monday. Write to bob@x.example.\n",
          "");
    tells("From: ada@x.example\nTo: hei@shop.example\nSubject: Re: Hi\n\nPlease send the tent to "
          "bob@x.example, too.\n",
          "");
    tells("From: ada@x.example\nTo: hei@shop.example\nSubject: Re: delivery failed\n\nIt was not "
          "delivered to bob@x.example.\n",
          "");
    tells("", "");
    tells("\n\n\n", "");
    tells("Content-Type: multipart/mixed; boundary=\n\n--\n--", "");
}

/* ---- complaints ---- */

#define FEEDBACK(type, more)                                                                       \
    "From: fbl@isp.example\nTo: abuse@shop.example\n"                                              \
    "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nAbuse.\n"   \
    "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: " type "\nVersion: 1\n" more     \
    "\n--b\nContent-Type: message/rfc822\n\nFrom: hei@shop.example\nTo: "                          \
    "ada@x.example\n\nHi\n--b--\n"

TEST(bounce, an_abuse_report_is_a_complaint_of_the_one_it_names)
{
    tells(FEEDBACK("abuse", "Original-Rcpt-To: <Bob@x.example>\n"),
          "bob@x.example complaint feedback ");
    tells(FEEDBACK("abuse", ""), "ada@x.example complaint feedback ");
}

TEST(bounce, a_complaint_that_hides_its_sender_is_told_without_a_recipient)
{
    tells("Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: "
          "message/feedback-report\n\nFeedback-Type: abuse\n\n--b\nContent-Type: message/rfc822\n\n"
          "X-Dult-Message: tok.en\nTo: undisclosed\n\nHi\n--b--\n",
          " complaint feedback ");
}

TEST(bounce, a_report_on_authentication_or_of_no_spam_is_no_complaint)
{
    tells(FEEDBACK("auth-failure", ""), "ada@x.example none feedback ");
    tells(FEEDBACK("not-spam", ""), "ada@x.example none feedback ");
}

TEST(bounce, a_notification_in_json_says_bounce_complaint_or_delivery)
{
    tells("From: no-reply@sns.example\nTo: hei@shop.example\n\n"
          "{\"notificationType\":\"Bounce\",\"bounce\":{\"bouncedRecipients\":[{\"emailAddress\":"
          "\"ada@x.example\",\"status\":\"5.1.1\",\"diagnosticCode\":\"smtp; 550 5.1.1 "
          "no\"}]}}\n--\n",
          "ada@x.example hard userunknown 5.1.1");
    tells("From: no-reply@sns.example\n\n{\"notificationType\":\"Complaint\",\"complaint\":"
          "{\"complainedRecipients\":[{\"emailAddress\":\"ada@x.example\"}]}}",
          "ada@x.example complaint feedback ");
    tells("From: no-reply@sns.example\n\n{\"notificationType\":\"Delivery\",\"delivery\":"
          "{\"recipients\":[\"ada@x.example\"]}}",
          "ada@x.example none delivered 2.0.0");
}

/* ---- bounds ---- */

TEST(bounce, more_recipients_than_the_bound_are_cut_off)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(BOUNCE_ARENA_BYTES_MAX);
    SCOPED(buf_donep) struct buf       mail = buf_make(1 << 20);
    struct bounces                     bounces;
    buf_str(&mail, STR(REPORT));
    for (int i = 0; i < BOUNCE_RECIPIENTS_MAX + 50; i++)
        buf_format(&mail, "Final-Recipient: rfc822; a%d@x.example\nStatus: 5.1.1\n\n", i);
    assert_ok(bounce_read(arena, buf_view(&mail), &bounces));
    assert_int_equal(bounces.count, BOUNCE_RECIPIENTS_MAX);
}

TEST(bounce, an_arena_too_small_is_told_or_costs_only_words_and_never_the_process)
{
    for (size_t bytes = 1 << 10; bytes < 1 << 20; bytes += 7 << 10) {
        SCOPED(arena_closep) struct arena *arena = arena_open(bytes);
        struct bounces                     bounces;
        if (bounce_read(arena, str_of(LETTERS[1].mail), &bounces) == OK)
            assert_true(bounces.count <= BOUNCE_RECIPIENTS_MAX);
    }
}

/* ---- the world's ---- */

#define WORLD DULT_SOURCE_DIR "/../shared/data/bounces/"

struct tally {
    int recipients, recipients_right; /* expected, and found */
    int verdicts, verdicts_right;     /* of those that are hard or soft */
    int soft, soft_called_hard;
};

static struct str file_take(struct arena *arena, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s%s", WORLD, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return STR_NONE;
    char  *bytes = arena_alloc(arena, 4 << 20);
    size_t len = fread(bytes, 1, 4 << 20, file);
    (void)fclose(file);
    return (struct str){ bytes, len };
}

static const struct bounce *bounce_of(const struct bounces *bounces, struct str recipient)
{
    for (size_t i = 0; i < bounces->count; i++)
        if (str_eq_nocase(bounces->items[i].recipient, recipient))
            return &bounces->items[i];
    return NULL;
}

static void tally_add(struct tally *tally, const struct bounces *bounces, const struct json *want)
{
    const struct bounce *got = bounce_of(bounces, json_get_str(want, STR("recipient")));
    struct str           reason = json_get_str(want, STR("reason"));
    bool                 is_hard = json_get_bool(want, STR("hard"), false);
    tally->recipients++;
    tally->recipients_right += got != NULL;
    if (str_eq(reason, STR("feedback")) || str_eq(reason, STR("delivered")))
        return;
    tally->verdicts++;
    tally->verdicts_right += got != NULL && got->class == (is_hard ? BOUNCE_HARD : BOUNCE_SOFT);
    tally->soft += !is_hard;
    tally->soft_called_hard += !is_hard && got != NULL && got->class == BOUNCE_HARD;
}

static void tally_line(struct tally *tally, struct arena *arena, struct str line)
{
    struct json    want;
    struct bounces bounces;
    char           name[256];
    assert_ok(json_parse_once(arena, line, &want, NULL));
    struct str mail =
        file_take(arena, str_to_cstr(json_get_str(&want, STR("file")), name, sizeof name));
    assert_ok(bounce_read(arena, mail, &bounces));
    const struct json *all = json_get(&want, STR("bounces"));
    for (uint32_t i = 0; all != NULL && i < all->count; i++)
        tally_add(tally, &bounces, &all->items[i]);
}

TEST(bounce, real_mails_are_read_as_a_well_known_classifier_reads_them)
{
    SCOPED(arena_closep) struct arena *whole = arena_open(16 << 20);
    struct str                         expected = file_take(whole, "expected.jsonl"), line;
    struct tally                       tally = { .recipients = 0 };
    if (expected.len == 0) {
        print_message("skipped: no ../shared/data/bounces beside this clone\n");
        skip();
    }
    while (str_split(&expected, '\n', &line))
        if (line.len > 0) {
            SCOPED(arena_closep) struct arena *arena = arena_open(32 << 20);
            tally_line(&tally, arena, line);
        }
    print_message("recipients %d of %d, hard or soft %d of %d, soft called hard %d of %d\n",
                  tally.recipients_right, tally.recipients, tally.verdicts_right, tally.verdicts,
                  tally.soft_called_hard, tally.soft);
    assert_true(tally.recipients_right * 1000 >= tally.recipients * 980);
    assert_true(tally.verdicts_right * 1000 >= tally.verdicts * 950);
    assert_true(tally.soft_called_hard * 100 <= tally.soft);
}
