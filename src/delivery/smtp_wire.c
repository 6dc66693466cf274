#include "delivery/smtp_wire.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "delivery/smtp_reply.h"

enum {
    BLOCK_BYTES = 64 * 1024, /* of a message, put into the output at a time */
    /* A block whose every byte is a dot at a line's start doubles; then commands of two messages.
     */
    OUTPUT_BYTES_MAX = 2 * BLOCK_BYTES + 16 * 1024,
    DOT_BYTES = 3,     /* dot, CR, LF */
    EXPECTED_MAX = 16, /* RSET, MAIL, RCPT, DATA of two messages, dots, NOOP, QUIT */
};

enum expect {
    EXPECT_GREETING,
    EXPECT_EHLO,
    EXPECT_HELO,
    EXPECT_STARTTLS,
    EXPECT_AUTH,
    EXPECT_MAIL,
    EXPECT_RCPT,
    EXPECT_DATA,
    EXPECT_DOT,
    EXPECT_VOID_DOT, /* after a DATA that was accepted without a recipient */
    EXPECT_RSET,
    EXPECT_NOOP,
    EXPECT_QUIT,
};

enum slot_state {
    SLOT_EMPTY,
    SLOT_WAITING,  /* not begun: no byte of it was put out */
    SLOT_ENVELOPE, /* MAIL is out */
    SLOT_BODY,     /* content is being put out */
    SLOT_DOT,      /* the dot is in the output, at dot_at */
    SLOT_DONE,
};

struct slot {
    enum slot_state          state;
    bool                     refused; /* outcome is settled, DATA's reply is still to come */
    struct delivery_message *message;
    struct delivery_outcome  outcome;
    size_t                   body_at; /* how much of the data is put out */
    uint64_t                 dot_at;
};

struct expected {
    enum expect  kind;
    struct slot *slot;
};

struct smtp_wire {
    enum smtp_state     state;
    struct smtp_caps    caps;
    struct smtp_trouble trouble;
    enum smtp_tls       tls;
    bool                secure, password_in_clear, no_pipelining;
    bool                transaction; /* MAIL may be open: RSET before the next one */
    bool                auth_login;
    int                 auth_step;
    struct slot         slots[SMTP_SLOTS];
    uint32_t            first; /* the older slot */
    struct expected     expected[EXPECTED_MAX];
    uint32_t            expected_first, expected_count;
    struct buf          out;
    size_t              out_from; /* of out, already taken */
    uint64_t            taken_total, written_total;
    struct smtp_reader  reader;
    char                ehlo_name[256];
    char                user[SMTP_CREDENTIAL_BYTES_MAX], password[SMTP_CREDENTIAL_BYTES_MAX];
};

/* --- small parts --- */

static bool copy_word(char *out, size_t out_bytes, const char *text, bool may_hold_space)
{
    size_t len = text == NULL ? 0 : strlen(text);
    if (len >= out_bytes)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f || (text[i] == ' ' && !may_hold_space))
            return false;
    if (len > 0)
        memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

static void expect(struct smtp_wire *wire, enum expect kind, struct slot *slot)
{
    assert(wire->expected_count < EXPECTED_MAX);
    uint32_t at = (wire->expected_first + wire->expected_count++) % EXPECTED_MAX;
    wire->expected[at] = (struct expected){ kind, slot };
}

static void command(struct smtp_wire *wire, enum expect kind, struct slot *slot, struct str line)
{
    buf_str(&wire->out, line);
    buf_str(&wire->out, STR("\r\n"));
    expect(wire, kind, slot);
}

static uint64_t output_end(const struct smtp_wire *wire)
{
    return wire->taken_total + (wire->out.len - wire->out_from);
}

static struct slot *slot_at(const struct smtp_wire *wire, uint32_t index)
{
    return (struct slot *)&wire->slots[(wire->first + index) % SMTP_SLOTS];
}

/* Some message is between its MAIL and its dot: nothing else may be put out now. */
static bool mid_message(const struct smtp_wire *wire)
{
    for (uint32_t i = 0; i < SMTP_SLOTS; i++)
        if (wire->slots[i].state == SLOT_ENVELOPE || wire->slots[i].state == SLOT_BODY)
            return true;
    return false;
}

/* --- the end of a connection --- */

static void settle(const struct smtp_wire *wire, struct slot *slot)
{
    const char *why = wire->trouble.text;
    if (slot->state == SLOT_EMPTY || slot->state == SLOT_DONE)
        return;
    if (slot->state == SLOT_WAITING)
        slot->outcome = delivery_outcome_make(DELIVERY_RETURNED, BLAME_NONE, why);
    else if (slot->refused)
        ;
    else if (slot->state == SLOT_DOT && wire->written_total > slot->dot_at)
        slot->outcome = delivery_outcome_make(DELIVERY_UNKNOWN, BLAME_CONNECTION, why);
    else
        slot->outcome = delivery_outcome_make(DELIVERY_DEFERRED, wire->trouble.blame, why);
    if (!slot->refused && slot->state != SLOT_WAITING)
        slot->outcome.code = wire->trouble.code;
    slot->state = SLOT_DONE;
}

static void end(struct smtp_wire *wire, enum delivery_blame blame, int code, const char *why)
{
    if (wire->state == SMTP_CLOSED)
        return;
    wire->state = SMTP_CLOSED;
    wire->trouble = (struct smtp_trouble){ .blame = blame, .code = code };
    snprintf(wire->trouble.text, sizeof wire->trouble.text, "%s", why);
    for (uint32_t i = 0; i < SMTP_SLOTS; i++)
        settle(wire, slot_at(wire, i));
    buf_reset(&wire->out);
    wire->out_from = 0;
    wire->expected_count = 0;
}

static void end_by_reply(struct smtp_wire *wire, enum delivery_blame blame, const char *step,
                         const struct smtp_reply *reply)
{
    char why[DELIVERY_TEXT_BYTES_MAX];
    snprintf(why, sizeof why, "%s was answered %d %.200s", step, reply->code, reply->text);
    end(wire, blame, reply->code, why);
}

static void fail_reply(struct smtp_wire *wire, const char *step, const struct smtp_reply *reply)
{
    end_by_reply(wire, BLAME_CONNECTION, step, reply);
}

/* Mostly 421 to an idle connection, or a server that cannot bear the content any longer. */
static void end_unasked(struct smtp_wire *wire, const struct smtp_reply *reply)
{
    char why[DELIVERY_TEXT_BYTES_MAX];
    snprintf(why, sizeof why, "unasked, the server said %d %.200s", reply->code, reply->text);
    end(wire, BLAME_CONNECTION, reply->code, why);
}

/* --- opening: EHLO, STARTTLS, AUTH --- */

static void say_ehlo(struct smtp_wire *wire)
{
    wire->caps = (struct smtp_caps){ 0 };
    buf_format(&wire->out, "EHLO %s\r\n", wire->ehlo_name);
    expect(wire, EXPECT_EHLO, NULL);
}

static void base64_line(struct smtp_wire *wire, struct str bytes)
{
    base64_write(&wire->out, bytes);
    buf_str(&wire->out, STR("\r\n"));
    expect(wire, EXPECT_AUTH, NULL);
}

static void auth_plain_line(struct smtp_wire *wire)
{
    char   both[2 * SMTP_CREDENTIAL_BYTES_MAX + 2];
    size_t user_len = strlen(wire->user), password_len = strlen(wire->password);
    both[0] = '\0';
    memcpy(both + 1, wire->user, user_len + 1);
    memcpy(both + 2 + user_len, wire->password, password_len);
    base64_line(wire, (struct str){ both, user_len + password_len + 2 });
}

static void begin_auth(struct smtp_wire *wire)
{
    wire->auth_step = 0;
    wire->auth_login = !wire->caps.auth_plain;
    if (wire->auth_login) {
        command(wire, EXPECT_AUTH, NULL, STR("AUTH LOGIN"));
        return;
    }
    /* RFC 4954: an initial response only where the whole line fits into 512 bytes. */
    if ((strlen(wire->user) + strlen(wire->password) + 2) * 4 / 3 + 16 > 512) {
        command(wire, EXPECT_AUTH, NULL, STR("AUTH PLAIN"));
        return;
    }
    wire->auth_step = 1;
    buf_str(&wire->out, STR("AUTH PLAIN "));
    auth_plain_line(wire);
}

static void greeted(struct smtp_wire *wire)
{
    bool wants_tls = wire->tls == SMTP_TLS_REQUIRED || wire->tls == SMTP_TLS_OFFERED;
    if (!wire->secure && wants_tls && wire->caps.starttls) {
        command(wire, EXPECT_STARTTLS, NULL, STR("STARTTLS"));
    } else if (!wire->secure && wire->tls == SMTP_TLS_REQUIRED) {
        end(wire, BLAME_POLICY, 0, "TLS is required, and the server does not offer STARTTLS");
    } else if (wire->user[0] == '\0') {
        wire->state = SMTP_READY;
    } else if (!wire->secure && !wire->password_in_clear) {
        end(wire, BLAME_POLICY, 0, "the password is not sent over a connection without TLS");
    } else if (!wire->caps.auth_plain && !wire->caps.auth_login) {
        end(wire, BLAME_POLICY, 0, "the server offers neither AUTH PLAIN nor AUTH LOGIN");
    } else {
        begin_auth(wire);
    }
}

static void on_ehlo(struct smtp_wire *wire, const struct smtp_reply *reply)
{
    if (reply->code == 250) {
        greeted(wire);
    } else if (reply->code >= 500 && !wire->secure && wire->user[0] == '\0') {
        /* A server from before 1995, or a filter that plays one. */
        wire->caps = (struct smtp_caps){ 0 };
        buf_format(&wire->out, "HELO %s\r\n", wire->ehlo_name);
        expect(wire, EXPECT_HELO, NULL);
    } else {
        fail_reply(wire, "EHLO", reply);
    }
}

static void on_auth(struct smtp_wire *wire, const struct smtp_reply *reply)
{
    int step = wire->auth_step++;
    if (reply->code == 235)
        wire->state = SMTP_READY;
    else if (reply->code != 334)
        end_by_reply(wire, reply->code >= 500 ? BLAME_POLICY : BLAME_CONNECTION, "AUTH", reply);
    else if (!wire->auth_login && step == 0)
        auth_plain_line(wire);
    else if (wire->auth_login && step == 0)
        base64_line(wire, str_of(wire->user));
    else if (wire->auth_login && step == 1)
        base64_line(wire, str_of(wire->password));
    else
        end_by_reply(wire, BLAME_POLICY, "AUTH", reply);
}

/* --- one message --- */

static void xtext_write(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < '!' || c > '~' || c == '+' || c == '=')
            buf_format(out, "+%02X", c);
        else
            buf_char(out, (char)c);
    }
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80)
            return false;
    return true;
}

static void put_mail(struct smtp_wire *wire, struct slot *slot)
{
    const struct delivery_message *message = slot->message;
    struct buf                    *out = &wire->out;
    buf_str(out, STR("MAIL FROM:<"));
    buf_str(out, message->from);
    buf_char(out, '>');
    if (wire->caps.size_bytes_max > 0) {
        buf_str(out, STR(" SIZE="));
        buf_int(out, (int64_t)message->data.len);
    }
    if (wire->caps.eightbitmime && !is_ascii(message->data))
        buf_str(out, STR(" BODY=8BITMIME"));
    if (wire->caps.smtputf8 && (!is_ascii(message->from) || !is_ascii(message->to)))
        buf_str(out, STR(" SMTPUTF8"));
    if (wire->caps.dsn && message->envelope_id.len > 0 &&
        message->envelope_id.len <= DELIVERY_ENVELOPE_ID_BYTES_MAX) {
        buf_str(out, STR(" RET=HDRS ENVID="));
        xtext_write(out, message->envelope_id);
    }
    command(wire, EXPECT_MAIL, slot, STR_NONE);
}

static void put_rcpt(struct smtp_wire *wire, struct slot *slot)
{
    buf_str(&wire->out, STR("RCPT TO:<"));
    buf_str(&wire->out, slot->message->to);
    command(wire, EXPECT_RCPT, slot, STR(">"));
}

static bool may_pipeline(const struct smtp_wire *wire)
{
    return wire->caps.pipelining && !wire->no_pipelining;
}

/* What this server certainly refuses is refused here, before its first byte. */
static bool refuse_unsent(struct smtp_wire *wire, struct slot *slot)
{
    const struct delivery_message *message = slot->message;
    struct delivery_outcome       *outcome = &slot->outcome;
    if (wire->caps.size_bytes_max > 0 && message->data.len > wire->caps.size_bytes_max) {
        *outcome = delivery_outcome_make(DELIVERY_FAILED, BLAME_POLICY,
                                         "the message is larger than the server takes");
        snprintf(outcome->enhanced, sizeof outcome->enhanced, "5.3.4");
    } else if (!wire->caps.smtputf8 && (!is_ascii(message->to) || !is_ascii(message->from))) {
        *outcome = delivery_outcome_make(DELIVERY_FAILED, BLAME_RECIPIENT,
                                         "the server takes no address outside ASCII (SMTPUTF8)");
        snprintf(outcome->enhanced, sizeof outcome->enhanced, "5.6.7");
    } else {
        return false;
    }
    slot->state = SLOT_DONE;
    return true;
}

static void begin_message(struct smtp_wire *wire, struct slot *slot)
{
    if (refuse_unsent(wire, slot))
        return;
    slot->state = SLOT_ENVELOPE;
    wire->transaction = true;
    put_mail(wire, slot);
    if (!may_pipeline(wire))
        return;
    put_rcpt(wire, slot);
    command(wire, EXPECT_DATA, slot, STR("DATA"));
}

/* Begins the next waiting message if the protocol has come so far. */
static void begin_next(struct smtp_wire *wire)
{
    for (uint32_t i = 0; i < SMTP_SLOTS; i++) {
        struct slot *slot = slot_at(wire, i);
        bool         quiet = wire->expected_count == 0;
        if (slot->state != SLOT_WAITING)
            continue;
        if (wire->state != SMTP_READY || mid_message(wire) || (!quiet && !may_pipeline(wire)))
            return;
        if (wire->transaction) {
            wire->transaction = false;
            command(wire, EXPECT_RSET, NULL, STR("RSET"));
            if (!may_pipeline(wire))
                return;
        }
        begin_message(wire, slot);
    }
}

static void put_block(struct smtp_wire *wire, struct slot *slot)
{
    struct str data = slot->message->data;
    struct str block = str_slice(data, slot->body_at, slot->body_at + BLOCK_BYTES);
    bool       line_start = slot->body_at == 0 || data.ptr[slot->body_at - 1] == '\n';
    if (line_start && block.len > 0 && block.ptr[0] == '.')
        buf_char(&wire->out, '.');
    slot->body_at += block.len;
    while (block.len > 0) {
        const char *hit = memmem(block.ptr, block.len, "\n.", 2);
        size_t      upto = hit == NULL ? block.len : (size_t)(hit - block.ptr) + 1;
        buf_str(&wire->out, str_slice(block, 0, upto));
        block = str_slice(block, upto, block.len);
        if (hit != NULL)
            buf_char(&wire->out, '.');
    }
}

static void put_dot(struct smtp_wire *wire, struct slot *slot)
{
    if (!str_ends(slot->message->data, STR("\r\n")))
        buf_str(&wire->out, STR("\r\n"));
    slot->dot_at = output_end(wire);
    slot->state = SLOT_DOT;
    wire->transaction = false;
    command(wire, EXPECT_DOT, slot, STR("."));
}

static void put_content(struct smtp_wire *wire)
{
    for (uint32_t i = 0; i < SMTP_SLOTS; i++) {
        struct slot *slot = slot_at(wire, i);
        if (slot->state != SLOT_BODY)
            continue;
        if (wire->out.len - wire->out_from >= BLOCK_BYTES / 2)
            return;
        put_block(wire, slot);
        if (slot->body_at == slot->message->data.len)
            put_dot(wire, slot);
    }
}

/* --- replies --- */

/* Enhanced codes (RFC 3463) name the subject; without one the command does. */
static enum delivery_blame blame_of(enum expect kind, const struct smtp_reply *reply)
{
    switch (reply->enhanced[0] == '\0' ? 0 : reply->enhanced[2]) {
    case '1': /* addresses; x.1.7 and x.1.8 are the sender's */
        return reply->enhanced[4] == '7' || reply->enhanced[4] == '8' ? BLAME_POLICY
                                                                      : BLAME_RECIPIENT;
    case '2':
        return BLAME_RECIPIENT; /* mailbox */
    case '3':                   /* mail system */
    case '4':
        return BLAME_CONNECTION; /* network and routing */
    case '5':                    /* protocol */
    case '6':                    /* content */
    case '7':
        return BLAME_POLICY;
    default:
        break;
    }
    if (reply->code == 421 || reply->code == 451)
        return BLAME_CONNECTION;
    return kind == EXPECT_RCPT && reply->code != 554 ? BLAME_RECIPIENT : BLAME_POLICY;
}

/* 503, 530, 535 and 538 speak of us, not of the message: the next one would fare the same, and
 * after somebody mends the settings all of them can go. */
static bool is_our_fault(int code)
{
    return code == 503 || code == 530 || code == 535 || code == 538;
}

static void conclude(struct slot *slot, enum expect kind, const struct smtp_reply *reply)
{
    struct delivery_outcome *outcome = &slot->outcome;
    *outcome = delivery_outcome_make(DELIVERY_SENT, BLAME_NONE, reply->text);
    outcome->code = reply->code;
    memcpy(outcome->enhanced, reply->enhanced, sizeof outcome->enhanced);
    if (reply->code < 400)
        return;
    bool for_good = reply->code >= 500 && !is_our_fault(reply->code);
    outcome->result = for_good ? DELIVERY_FAILED : DELIVERY_DEFERRED;
    outcome->blame = blame_of(kind, reply);
}

static void on_envelope(struct smtp_wire *wire, struct slot *slot, enum expect kind,
                        const struct smtp_reply *reply)
{
    if (reply->code >= 300 && reply->code < 400) {
        fail_reply(wire, kind == EXPECT_MAIL ? "MAIL" : "RCPT", reply);
        return;
    }
    if (reply->code >= 400 && !slot->refused) {
        conclude(slot, kind, reply);
        slot->refused = true;
    }
    if (may_pipeline(wire))
        return; /* the reply to DATA is still to come */
    if (slot->refused)
        slot->state = SLOT_DONE;
    else if (kind == EXPECT_MAIL)
        put_rcpt(wire, slot);
    else
        command(wire, EXPECT_DATA, slot, STR("DATA"));
}

static void on_data(struct smtp_wire *wire, struct slot *slot, const struct smtp_reply *reply)
{
    if (reply->code == 354 && !slot->refused) {
        slot->state = SLOT_BODY;
        slot->body_at = 0;
        return;
    }
    if (reply->code < 400 && reply->code != 354) {
        fail_reply(wire, "DATA", reply);
        return;
    }
    if (reply->code == 354)
        command(wire, EXPECT_VOID_DOT, NULL, STR(".")); /* RFC 2920 3.1: an empty message ends it */
    else if (!slot->refused)
        conclude(slot, EXPECT_DATA, reply);
    slot->state = SLOT_DONE;
}

static void on_dot(struct smtp_wire *wire, struct slot *slot, const struct smtp_reply *reply)
{
    bool early = wire->written_total < slot->dot_at + DOT_BYTES;
    if ((early && reply->code < 400) || (reply->code >= 300 && reply->code < 400)) {
        fail_reply(wire, "the end of the message", reply);
        return;
    }
    conclude(slot, EXPECT_DOT, reply);
    slot->state = SLOT_DONE;
    /* A refusal in the middle of the content is a verdict, but then nobody knows what follows. */
    if (early)
        fail_reply(wire, "the content", reply);
}

static void on_reply(struct smtp_wire *wire, const struct smtp_reply *reply)
{
    if (wire->expected_count == 0) {
        end_unasked(wire, reply);
        return;
    }
    struct expected now = wire->expected[wire->expected_first];
    wire->expected_first = (wire->expected_first + 1) % EXPECTED_MAX;
    wire->expected_count--;

    switch (now.kind) {
    case EXPECT_GREETING:
        if (reply->code == 220)
            say_ehlo(wire);
        else
            fail_reply(wire, "the connection", reply);
        break;
    case EXPECT_EHLO:
        on_ehlo(wire, reply);
        break;
    case EXPECT_HELO:
        if (reply->code == 250)
            greeted(wire);
        else
            fail_reply(wire, "HELO", reply);
        break;
    case EXPECT_STARTTLS:
        if (reply->code == 220)
            wire->state = SMTP_STARTTLS;
        else if (wire->tls == SMTP_TLS_OFFERED) {
            wire->tls = SMTP_TLS_OFF;
            greeted(wire);
        } else
            fail_reply(wire, "STARTTLS", reply);
        break;
    case EXPECT_AUTH:
        on_auth(wire, reply);
        break;
    case EXPECT_MAIL:
    case EXPECT_RCPT:
        on_envelope(wire, now.slot, now.kind, reply);
        break;
    case EXPECT_DATA:
        on_data(wire, now.slot, reply);
        break;
    case EXPECT_DOT:
        on_dot(wire, now.slot, reply);
        break;
    case EXPECT_VOID_DOT:
        break;
    case EXPECT_RSET:
    case EXPECT_NOOP:
        if (reply->code != 250)
            fail_reply(wire, now.kind == EXPECT_RSET ? "RSET" : "NOOP", reply);
        break;
    case EXPECT_QUIT:
        end(wire, BLAME_NONE, reply->code, "the connection was ended");
        break;
    }
    if (reply->code == 421)
        fail_reply(wire, "a command", reply);
}

static void add_cap(void *ctx, size_t index, struct str text)
{
    struct smtp_wire *wire = ctx;
    bool              ehlo =
        wire->expected_count > 0 && wire->expected[wire->expected_first].kind == EXPECT_EHLO;
    if (ehlo && index > 0)
        smtp_caps_add(&wire->caps, text);
}

void smtp_wire_input(struct smtp_wire *wire, struct str bytes)
{
    struct smtp_reply reply;
    while (wire->state != SMTP_CLOSED && bytes.len > 0) {
        enum err err = smtp_reader_take(&wire->reader, &bytes, add_cap, wire, &reply);
        if (err == ERR_WAIT)
            break;
        if (err != OK) {
            end(wire, BLAME_CONNECTION, 0, "the server answered with something that is not SMTP");
            return;
        }
        on_reply(wire, &reply);
        if (wire->state == SMTP_STARTTLS) {
            /* What follows in the clear is somebody's attempt to be heard as if it were inside. */
            if (bytes.len > 0)
                end(wire, BLAME_CONNECTION, 0, "bytes in the clear followed the reply to STARTTLS");
            return;
        }
    }
    begin_next(wire);
}

void smtp_wire_secured(struct smtp_wire *wire)
{
    assert(wire->state == SMTP_STARTTLS);
    smtp_reader_reset(&wire->reader);
    wire->secure = true;
    wire->state = SMTP_OPENING;
    say_ehlo(wire);
}

/* --- output --- */

struct str smtp_wire_output(struct smtp_wire *wire, bool before_dot)
{
    if (wire->out_from == wire->out.len) {
        buf_reset(&wire->out);
        wire->out_from = 0;
    }
    if (wire->state != SMTP_CLOSED) {
        put_content(wire);
        begin_next(wire);
    }
    if (buf_err(&wire->out) != OK) {
        end(wire, BLAME_CONNECTION, 0, "no memory for the output");
        return STR_NONE;
    }
    struct str out = str_slice(buf_view(&wire->out), wire->out_from, wire->out.len);
    for (uint32_t i = 0; before_dot && i < SMTP_SLOTS; i++) {
        const struct slot *slot = &wire->slots[i];
        if (slot->state == SLOT_DOT && slot->dot_at > wire->taken_total)
            out = str_slice(out, 0, (size_t)(slot->dot_at - wire->taken_total));
    }
    return out;
}

void smtp_wire_took(struct smtp_wire *wire, size_t bytes)
{
    assert(bytes <= wire->out.len - wire->out_from);
    wire->out_from += bytes;
    wire->taken_total += bytes;
}

void smtp_wire_written(struct smtp_wire *wire, uint64_t total)
{
    assert(total >= wire->written_total);
    wire->written_total = total;
}

/* --- from outside --- */

struct smtp_wire *smtp_wire_open(const struct smtp_wire_conf *conf)
{
    struct smtp_wire *wire = calloc(1, sizeof *wire);
    if (wire == NULL)
        return NULL;
    if (conf->ehlo_name == NULL || conf->ehlo_name[0] == '\0' ||
        !copy_word(wire->ehlo_name, sizeof wire->ehlo_name, conf->ehlo_name, false) ||
        !copy_word(wire->user, sizeof wire->user, conf->user, true) ||
        !copy_word(wire->password, sizeof wire->password, conf->password, true)) {
        free(wire);
        return NULL;
    }
    wire->tls = conf->tls;
    wire->secure = conf->tls == SMTP_TLS_IMPLICIT;
    wire->password_in_clear = conf->password_in_clear;
    wire->no_pipelining = conf->no_pipelining;
    wire->out = buf_make(OUTPUT_BYTES_MAX);
    expect(wire, EXPECT_GREETING, NULL);
    return wire;
}

void smtp_wire_close(struct smtp_wire *wire)
{
    if (wire == NULL)
        return;
    explicit_bzero(wire->password, sizeof wire->password);
    buf_done(&wire->out);
    free(wire);
}

void smtp_wire_lost(struct smtp_wire *wire, const char *why)
{
    end(wire, BLAME_CONNECTION, 0, why);
}

bool smtp_wire_has_place(const struct smtp_wire *wire)
{
    return wire->state == SMTP_READY && slot_at(wire, 1)->state == SLOT_EMPTY;
}

void smtp_wire_give(struct smtp_wire *wire, struct delivery_message *message)
{
    assert(smtp_wire_has_place(wire));
    struct slot *slot = slot_at(wire, slot_at(wire, 0)->state == SLOT_EMPTY ? 0 : 1);
    *slot = (struct slot){ .state = SLOT_WAITING, .message = message };
    begin_next(wire);
}

/* The younger one moves up when the older is empty, so that slot 0 is always in front. */
static struct delivery_message *empty_slot(struct smtp_wire *wire, uint32_t index)
{
    struct slot             *slot = slot_at(wire, index);
    struct delivery_message *message = slot->message;
    *slot = (struct slot){ .state = SLOT_EMPTY };
    if (index == 0)
        wire->first = (wire->first + 1) % SMTP_SLOTS;
    return message;
}

struct delivery_message *smtp_wire_recall(struct smtp_wire *wire, uint64_t id)
{
    for (uint32_t i = 0; i < SMTP_SLOTS; i++)
        if (slot_at(wire, i)->state == SLOT_WAITING && slot_at(wire, i)->message->id == id)
            return empty_slot(wire, i);
    return NULL;
}

struct delivery_message *smtp_wire_next_done(struct smtp_wire        *wire,
                                             struct delivery_outcome *outcome)
{
    for (uint32_t i = 0; i < SMTP_SLOTS; i++) {
        if (slot_at(wire, i)->state != SLOT_DONE)
            continue;
        *outcome = slot_at(wire, i)->outcome;
        return empty_slot(wire, i);
    }
    return NULL;
}

void smtp_wire_noop(struct smtp_wire *wire)
{
    if (wire->state == SMTP_READY && wire->expected_count == 0 && smtp_wire_held(wire) == 0)
        command(wire, EXPECT_NOOP, NULL, STR("NOOP"));
}

void smtp_wire_quit(struct smtp_wire *wire)
{
    if (wire->state == SMTP_QUITTING)
        return;
    if (wire->state != SMTP_READY || smtp_wire_held(wire) > 0) {
        smtp_wire_lost(wire, "the connection was given up");
        return;
    }
    command(wire, EXPECT_QUIT, NULL, STR("QUIT"));
    wire->state = SMTP_QUITTING;
}

enum smtp_state smtp_wire_state(const struct smtp_wire *wire)
{
    return wire->state;
}

enum smtp_phase smtp_wire_phase(const struct smtp_wire *wire)
{
    for (uint32_t i = 0; i < SMTP_SLOTS; i++)
        if (wire->slots[i].state == SLOT_BODY ||
            (wire->slots[i].state == SLOT_DOT && wire->written_total <= wire->slots[i].dot_at))
            return SMTP_PHASE_BODY;
    if (wire->state == SMTP_STARTTLS)
        return SMTP_PHASE_COMMAND;
    if (wire->expected_count == 0)
        return SMTP_PHASE_IDLE;
    switch (wire->expected[wire->expected_first].kind) {
    case EXPECT_GREETING:
        return SMTP_PHASE_GREETING;
    case EXPECT_MAIL:
        return SMTP_PHASE_MAIL;
    case EXPECT_RCPT:
        return SMTP_PHASE_RCPT;
    case EXPECT_DATA:
        return SMTP_PHASE_DATA;
    case EXPECT_DOT:
        return SMTP_PHASE_DOT;
    default:
        return SMTP_PHASE_COMMAND;
    }
}

uint32_t smtp_wire_held(const struct smtp_wire *wire)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < SMTP_SLOTS; i++)
        held += wire->slots[i].state != SLOT_EMPTY && wire->slots[i].state != SLOT_DONE;
    return held;
}

uint32_t smtp_wire_begun(const struct smtp_wire *wire)
{
    uint32_t begun = 0;
    for (uint32_t i = 0; i < SMTP_SLOTS; i++)
        begun += wire->slots[i].state > SLOT_WAITING && wire->slots[i].state < SLOT_DONE;
    return begun;
}

const struct smtp_trouble *smtp_wire_trouble(const struct smtp_wire *wire)
{
    return &wire->trouble;
}

const struct smtp_caps *smtp_wire_caps(const struct smtp_wire *wire)
{
    return &wire->caps;
}

const struct delivery_message *smtp_wire_message(const struct smtp_wire *wire, uint32_t index)
{
    return slot_at(wire, index)->message;
}
