/* Our side of SMTP and LMTP, as a mail server meets it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "intake/postbox.h"

struct world {
    struct postbox *postbox;
    struct buf      out;
    char            mail[4096], address[64];
    size_t          mail_len;
    int             taken;
    bool            is_full; /* nothing can be kept now */
};

static bool knows(void *context, struct str address)
{
    (void)context;
    return str_starts(address, STR("b-"));
}

static enum err take(void *context, struct str address, struct str mail)
{
    struct world *w = context;
    if (w->is_full)
        return ERR_WAIT;
    str_to_cstr(address, w->address, sizeof w->address);
    str_to_cstr(mail, w->mail, sizeof w->mail);
    w->mail_len = mail.len;
    w->taken++;
    return OK;
}

static struct world *world_open(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->out = buf_make(POSTBOX_REPLY_BYTES_MAX);
    w->postbox = postbox_open("bounce.shop", (struct postbox_calls){ w, knows, take });
    assert_non_null(w->postbox);
    return w;
}

static void world_close(struct world *w)
{
    postbox_close(w->postbox);
    buf_done(&w->out);
    free(w);
}

static bool say(struct world *w, const char *bytes)
{
    bool goes_on = postbox_read(w->postbox, str_of(bytes), &w->out);
    assert_ok(buf_err(&w->out));
    return goes_on;
}

/* What was answered since, the codes alone. */
static void assert_codes(struct world *w, const char *wanted)
{
    char   codes[512] = "";
    size_t n = 0, from = 0;
    for (size_t i = 0; i < w->out.len; i++) {
        if (w->out.ptr[i] != '\n')
            continue;
        if (w->out.ptr[from + 3] != '-')
            n += (size_t)snprintf(codes + n, sizeof codes - n, "%s%.3s", n > 0 ? " " : "",
                                  w->out.ptr + from);
        from = i + 1;
    }
    assert_string_equal(codes, wanted);
    buf_reset(&w->out);
}

#define ENVELOPE "EHLO mx\r\nMAIL FROM:<>\r\nRCPT TO:<b-1@x>\r\nDATA\r\n"

TEST(postbox, a_mail_is_taken_whole_with_its_dots_and_answered_when_it_is_kept)
{
    struct world *w = world_open();
    assert_true(say(w, ENVELOPE "Subject: x\r\n\r\n..dot\r\n.\r\n"));
    assert_codes(w, "220 250 250 250 354 250");
    assert_string_equal(w->mail, "Subject: x\r\n\r\n.dot\r\n");
    assert_string_equal(w->address, "b-1@x");
    assert_false(say(w, "QUIT\r\n"));
    assert_codes(w, "221");
    world_close(w);
}

TEST(postbox, it_reads_the_same_however_the_bytes_are_cut)
{
    static const char text[] = ENVELOPE "Subject: x\r\n\r\nhei\r\n.\r\nQUIT\r\n";
    struct world     *w = world_open();
    for (size_t i = 0; i < sizeof text - 1; i++)
        (void)say(w, (char[]){ text[i], '\0' });
    assert_codes(w, "220 250 250 250 354 250 221");
    assert_string_equal(w->mail, "Subject: x\r\n\r\nhei\r\n");
    world_close(w);
}

TEST(postbox, by_lmtp_each_recipient_is_answered)
{
    struct world *w = world_open();
    (void)say(w, "LHLO mx\r\nMAIL FROM:<>\r\nRCPT TO:<b-1@x>\r\nRCPT TO:<b-2@x>\r\nDATA\r\n"
                 "x\r\n.\r\n");
    assert_codes(w, "220 250 250 250 250 354 250 250");
    assert_int_equal(w->taken, 2);
    world_close(w);
}

TEST(postbox, what_cannot_be_kept_now_is_to_come_again_and_not_lost)
{
    struct world *w = world_open();
    w->is_full = true;
    (void)say(w, ENVELOPE "x\r\n.\r\n");
    assert_codes(w, "220 250 250 250 354 451");
    w->is_full = false;
    (void)say(w, "MAIL FROM:<>\r\nRCPT TO:<b-1@x>\r\nDATA\r\nx\r\n.\r\n");
    assert_codes(w, "250 250 354 250");
    assert_int_equal(w->taken, 1);
    world_close(w);
}

TEST(postbox, there_is_no_mailbox_for_others_and_no_data_without_a_recipient)
{
    struct world *w = world_open();
    (void)say(w, "HELO mx\r\nRCPT TO:<b-1@x>\r\nMAIL FROM:<a@b>\r\nRCPT TO:<ada@x>\r\nDATA\r\n");
    assert_codes(w, "220 250 503 250 550 503");
    world_close(w);
}

TEST(postbox, a_mail_is_not_ended_by_less_than_cr_lf_dot_cr_lf)
{
    struct world *w = world_open();
    (void)say(w, ENVELOPE "a\n.\nb\r\n.\nc\n.\r\nMAIL FROM:<evil@x>\r\n.\r\n");
    assert_codes(w, "220 250 250 250 354 250");
    assert_int_equal(w->taken, 1);
    assert_non_null(strstr(w->mail, "MAIL FROM:<evil@x>"));
    world_close(w);
}

TEST(postbox, a_line_without_end_costs_no_memory_and_twenty_errors_end_it)
{
    struct world *w = world_open();
    static char   line[100000];
    memset(line, 'x', sizeof line - 1);
    assert_true(say(w, line));
    assert_true(say(w, line));
    assert_true(say(w, "\r\n"));
    assert_codes(w, "220 500");
    for (int i = 1; i < POSTBOX_ERRORS_MAX - 1; i++)
        assert_true(say(w, "what\r\n"));
    buf_reset(&w->out);
    assert_false(say(w, "what\r\nNOOP\r\n"));
    assert_codes(w, "421");
    world_close(w);
}

TEST(postbox, of_a_large_mail_the_beginning_is_kept_and_a_huge_one_is_refused)
{
    struct world *w = world_open();
    static char   line[1001];
    memset(line, 'x', sizeof line - 3);
    memcpy(line + sizeof line - 3, "\r\n", 3);
    (void)say(w, ENVELOPE);
    for (int i = 0; i < 1000; i++)
        (void)say(w, line);
    (void)say(w, ".\r\n");
    assert_codes(w, "220 250 250 250 354 250");
    assert_in_range(w->mail_len, POSTBOX_MAIL_BYTES_MAX - 1001, POSTBOX_MAIL_BYTES_MAX);
    (void)say(w, "MAIL FROM:<>\r\nRCPT TO:<b-1@x>\r\nDATA\r\n");
    for (int i = 0; i < POSTBOX_MAIL_BYTES_READ_MAX / 1000 + 1; i++)
        (void)say(w, line);
    (void)say(w, ".\r\n");
    assert_codes(w, "250 250 354 552");
    assert_int_equal(w->taken, 1);
    world_close(w);
}
