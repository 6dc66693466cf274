#include "delivery/smtp_wire_inside.h"

#include <assert.h>
#include <string.h>

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
        wire_fail_reply(wire, kind == EXPECT_MAIL ? "MAIL" : "RCPT", reply);
        return;
    }
    if (reply->code >= 400 && !slot->refused) {
        conclude(slot, kind, reply);
        slot->refused = true;
    }
    if (wire_may_pipeline(wire))
        return; /* the reply to DATA is still to come */
    if (slot->refused)
        slot->state = SLOT_DONE;
    else if (kind == EXPECT_MAIL)
        wire_put_rcpt(wire, slot);
    else
        wire_command(wire, EXPECT_DATA, slot, STR("DATA"));
}

static void on_data(struct smtp_wire *wire, struct slot *slot, const struct smtp_reply *reply)
{
    if (reply->code == 354 && !slot->refused) {
        slot->state = SLOT_BODY;
        slot->body_at = 0;
        return;
    }
    if (reply->code < 400 && reply->code != 354) {
        wire_fail_reply(wire, "DATA", reply);
        return;
    }
    if (reply->code == 354)
        wire_command(wire, EXPECT_VOID_DOT, NULL,
                     STR(".")); /* RFC 2920 3.1: an empty message ends it */
    else if (!slot->refused)
        conclude(slot, EXPECT_DATA, reply);
    slot->state = SLOT_DONE;
}

static void on_dot(struct smtp_wire *wire, struct slot *slot, const struct smtp_reply *reply)
{
    bool early = wire->written_total < slot->dot_at + DOT_BYTES;
    if ((early && reply->code < 400) || (reply->code >= 300 && reply->code < 400)) {
        wire_fail_reply(wire, "the end of the message", reply);
        return;
    }
    conclude(slot, EXPECT_DOT, reply);
    slot->state = SLOT_DONE;
    /* A refusal in the middle of the content is a verdict, but then nobody knows what follows. */
    if (early)
        wire_fail_reply(wire, "the content", reply);
}

static void on_reply(struct smtp_wire *wire, const struct smtp_reply *reply)
{
    if (wire->expected_count == 0) {
        wire_end_unasked(wire, reply);
        return;
    }
    struct expected now = wire->expected[wire->expected_first];
    wire->expected_first = (wire->expected_first + 1) % EXPECTED_MAX;
    wire->expected_count--;

    switch (now.kind) {
    case EXPECT_GREETING:
        if (reply->code == 220)
            wire_say_ehlo(wire);
        else
            wire_fail_reply(wire, "the connection", reply);
        break;
    case EXPECT_EHLO:
        wire_on_ehlo(wire, reply);
        break;
    case EXPECT_HELO:
        if (reply->code == 250)
            wire_greeted(wire);
        else
            wire_fail_reply(wire, "HELO", reply);
        break;
    case EXPECT_STARTTLS:
        if (reply->code == 220)
            wire->state = SMTP_STARTTLS;
        else if (wire->tls == SMTP_TLS_OFFERED) {
            wire->tls = SMTP_TLS_OFF;
            wire_greeted(wire);
        } else
            wire_fail_reply(wire, "STARTTLS", reply);
        break;
    case EXPECT_AUTH:
        wire_on_auth(wire, reply);
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
            wire_fail_reply(wire, now.kind == EXPECT_RSET ? "RSET" : "NOOP", reply);
        break;
    case EXPECT_QUIT:
        wire_end(wire, BLAME_NONE, reply->code, "the connection was ended");
        break;
    }
    if (reply->code == 421)
        wire_fail_reply(wire, "a command", reply);
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
            wire_end(wire, BLAME_CONNECTION, 0,
                     "the server answered with something that is not SMTP");
            return;
        }
        on_reply(wire, &reply);
        if (wire->state == SMTP_STARTTLS) {
            /* What follows in the clear is somebody's attempt to be heard as if it were inside. */
            if (bytes.len > 0)
                wire_end(wire, BLAME_CONNECTION, 0,
                         "bytes in the clear followed the reply to STARTTLS");
            return;
        }
    }
    wire_begin_next(wire);
}

void smtp_wire_secured(struct smtp_wire *wire)
{
    assert(wire->state == SMTP_STARTTLS);
    smtp_reader_reset(&wire->reader);
    wire->secure = true;
    wire->state = SMTP_OPENING;
    wire_say_ehlo(wire);
}
