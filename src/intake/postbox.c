#include "intake/postbox.h"

#include <stdlib.h>
#include <string.h>

enum step { STEP_GREETING, STEP_COMMANDS, STEP_DATA, STEP_OVER };

struct postbox {
    const char          *name;
    struct postbox_calls calls;
    enum step            step;
    bool                 is_lmtp, has_sender, is_too_long; /* too long: the line at hand */
    bool                 was_ended;                        /* the line before, by CR LF */
    char                 line[POSTBOX_LINE_BYTES_MAX];
    size_t               line_len, read_bytes; /* read_bytes: of the mail at hand */
    char                 recipients[POSTBOX_RECIPIENTS_MAX][POSTBOX_ADDRESS_BYTES_MAX];
    size_t               lengths[POSTBOX_RECIPIENTS_MAX];
    uint32_t             recipients_count, errors;
    struct buf           mail;
};

struct postbox *postbox_open(const char *name, struct postbox_calls calls)
{
    struct postbox *postbox = calloc(1, sizeof *postbox);
    if (postbox == NULL)
        return NULL;
    postbox->name = name;
    postbox->calls = calls;
    postbox->mail = buf_make(POSTBOX_MAIL_BYTES_MAX + POSTBOX_LINE_BYTES_MAX);
    return postbox;
}

void postbox_close(struct postbox *postbox)
{
    if (postbox == NULL)
        return;
    buf_done(&postbox->mail);
    free(postbox);
}

static void say(struct buf *out, const char *reply)
{
    buf_str(out, str_of(reply));
    buf_str(out, STR("\r\n"));
}

static void refuse(struct postbox *postbox, struct buf *out, const char *reply)
{
    if (++postbox->errors >= POSTBOX_ERRORS_MAX) {
        say(out, "421 4.7.0 Too many errors");
        postbox->step = STEP_OVER;
        return;
    }
    say(out, reply);
}

/* The mail at hand is over, or was never begun. */
static void forget(struct postbox *postbox)
{
    postbox->has_sender = false;
    postbox->recipients_count = 0;
    postbox->read_bytes = 0;
    buf_reset(&postbox->mail);
}

/* ---- commands ---- */

static bool is_verb(struct str line, const char *verb, struct str *rest)
{
    size_t len = strlen(verb);
    if (line.len < len || !str_eq_nocase(str_slice(line, 0, len), str_of(verb)))
        return false;
    *rest = str_slice(line, len, line.len);
    return rest->len == 0 || rest->ptr[0] == ' ' || verb[len - 1] == ':';
}

/* What stands between < and >, parameters after it left out. */
static bool path_read(struct str text, struct str *address)
{
    text = str_trim(text);
    size_t end = str_find_char(text, 0, '>');
    if (text.len < 2 || text.ptr[0] != '<' || end >= text.len)
        return false;
    *address = str_slice(text, 1, end);
    for (size_t i = 0; i < address->len; i++)
        if ((unsigned char)address->ptr[i] <= ' ' || address->ptr[i] == 0x7f)
            return false;
    return address->len <= POSTBOX_ADDRESS_BYTES_MAX;
}

static void hello(struct postbox *postbox, struct buf *out, bool is_extended, bool is_lmtp)
{
    forget(postbox);
    postbox->is_lmtp = is_lmtp;
    if (!is_extended) {
        buf_format(out, "250 %s\r\n", postbox->name);
        return;
    }
    buf_format(out, "250-%s\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n",
               postbox->name);
    buf_format(out, "250 SIZE %d\r\n", (int)POSTBOX_MAIL_BYTES_READ_MAX);
}

static void mail_from(struct postbox *postbox, struct buf *out, struct str rest)
{
    struct str address;
    if (postbox->has_sender)
        refuse(postbox, out, "503 5.5.1 One mail after the other");
    else if (!path_read(rest, &address))
        refuse(postbox, out, "501 5.1.7 This is no sender; write MAIL FROM:<address>");
    else {
        postbox->has_sender = true;
        say(out, "250 2.1.0 Go on");
    }
}

static void rcpt_to(struct postbox *postbox, struct buf *out, struct str rest)
{
    struct str address;
    if (!postbox->has_sender)
        refuse(postbox, out, "503 5.5.1 MAIL comes first");
    else if (!path_read(rest, &address) || address.len == 0)
        refuse(postbox, out, "501 5.1.3 This is no recipient; write RCPT TO:<address>");
    else if (postbox->recipients_count == POSTBOX_RECIPIENTS_MAX)
        refuse(postbox, out, "452 4.5.3 Too many recipients; send the others by themselves");
    else if (!postbox->calls.knows(postbox->calls.context, address))
        refuse(postbox, out, "550 5.1.1 There is no such mailbox");
    else {
        memcpy(postbox->recipients[postbox->recipients_count], address.ptr, address.len);
        postbox->lengths[postbox->recipients_count++] = address.len;
        say(out, "250 2.1.5 Go on");
    }
}

static void data(struct postbox *postbox, struct buf *out)
{
    if (postbox->recipients_count == 0) {
        refuse(postbox, out, "503 5.5.1 RCPT comes first");
        return;
    }
    postbox->step = STEP_DATA;
    postbox->was_ended = true;
    say(out, "354 End with a dot on a line by itself");
}

static void command(struct postbox *postbox, struct str line, struct buf *out)
{
    struct str rest;
    if (is_verb(line, "EHLO", &rest))
        hello(postbox, out, true, false);
    else if (is_verb(line, "LHLO", &rest))
        hello(postbox, out, true, true);
    else if (is_verb(line, "HELO", &rest))
        hello(postbox, out, false, false);
    else if (is_verb(line, "MAIL FROM:", &rest))
        mail_from(postbox, out, rest);
    else if (is_verb(line, "RCPT TO:", &rest))
        rcpt_to(postbox, out, rest);
    else if (is_verb(line, "DATA", &rest))
        data(postbox, out);
    else if (is_verb(line, "RSET", &rest)) {
        forget(postbox);
        say(out, "250 2.0.0 Forgotten");
    } else if (is_verb(line, "NOOP", &rest))
        say(out, "250 2.0.0 Here");
    else if (is_verb(line, "VRFY", &rest))
        say(out, "252 2.1.5 Try it");
    else if (is_verb(line, "QUIT", &rest)) {
        say(out, "221 2.0.0 Bye");
        postbox->step = STEP_OVER;
    } else
        refuse(postbox, out, "500 5.5.2 There is no such command here");
}

/* ---- content ---- */

static const char *answer_to(struct postbox *postbox, uint32_t i)
{
    struct str address = { postbox->recipients[i], postbox->lengths[i] };
    if (postbox->read_bytes > POSTBOX_MAIL_BYTES_READ_MAX)
        return "552 5.3.4 Too large";
    if (buf_err(&postbox->mail) != OK)
        return "452 4.3.1 No room now; try again later";
    return postbox->calls.take(postbox->calls.context, address, buf_view(&postbox->mail)) == OK
               ? "250 2.0.0 Kept"
               : "451 4.3.0 Not now; try again later";
}

/* By SMTP there is one answer for all: when one cannot be kept, none is, and all come again. */
static void content_end(struct postbox *postbox, struct buf *out)
{
    const char *worst = NULL;
    for (uint32_t i = 0; i < postbox->recipients_count; i++) {
        const char *answer = answer_to(postbox, i);
        if (postbox->is_lmtp)
            say(out, answer);
        else if (worst == NULL || answer[0] != '2')
            worst = answer;
    }
    if (!postbox->is_lmtp)
        say(out, worst);
    forget(postbox);
    postbox->step = STEP_COMMANDS;
}

/* The end is CR LF . CR LF and nothing less (RFC 5321, 4.1.1.4): mail is not smuggled in by it. */
static void content_line(struct postbox *postbox, struct str line, bool is_ended, struct buf *out)
{
    bool is_dot = str_eq(line, STR(".")) && is_ended && postbox->was_ended;
    postbox->was_ended = is_ended;
    if (is_dot) {
        content_end(postbox, out);
        return;
    }
    if (line.len > 0 && line.ptr[0] == '.')
        line = str_slice(line, 1, line.len);
    postbox->read_bytes += line.len + 2;
    if (postbox->mail.len + line.len + 2 > POSTBOX_MAIL_BYTES_MAX)
        return;
    buf_str(&postbox->mail, line);
    buf_str(&postbox->mail, STR("\r\n"));
}

/* ---- lines ---- */

static void line_end(struct postbox *postbox, struct buf *out)
{
    struct str line = { postbox->line, postbox->line_len };
    bool       is_cut = postbox->is_too_long;
    postbox->line_len = 0;
    postbox->is_too_long = false;
    bool is_ended = !is_cut && line.len > 0 && line.ptr[line.len - 1] == '\r';
    line.len -= is_ended;
    if (postbox->step == STEP_DATA)
        content_line(postbox, line, is_ended, out);
    else if (is_cut)
        refuse(postbox, out, "500 5.5.2 The line is too long");
    else
        command(postbox, line, out);
}

/* What lies beyond the bound is left out; such a line is never a dot by itself. */
static void byte_take(struct postbox *postbox, char c)
{
    if (postbox->line_len == sizeof postbox->line) {
        postbox->is_too_long = true;
        return;
    }
    postbox->line[postbox->line_len++] = c;
}

bool postbox_read(struct postbox *postbox, struct str bytes, struct buf *out)
{
    if (postbox->step == STEP_GREETING) {
        buf_format(out, "220 %s\r\n", postbox->name);
        postbox->step = STEP_COMMANDS;
    }
    for (size_t i = 0; i < bytes.len && postbox->step != STEP_OVER; i++)
        if (bytes.ptr[i] == '\n')
            line_end(postbox, out);
        else
            byte_take(postbox, bytes.ptr[i]);
    return postbox->step != STEP_OVER;
}
