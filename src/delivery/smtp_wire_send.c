#include "delivery/smtp_wire_inside.h"

#include <stdio.h>
#include <string.h>

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

/* 32 bytes at a time: of 10 KB a look at each by itself was a quarter of sending it. */
static bool is_ascii(struct str s)
{
    uint64_t all = 0, four[4];
    size_t   i = 0;
    for (; i + sizeof four <= s.len; i += sizeof four) {
        memcpy(four, s.ptr + i, sizeof four);
        all |= four[0] | four[1] | four[2] | four[3];
    }
    for (; i < s.len; i++)
        all |= (unsigned char)s.ptr[i];
    return (all & UINT64_C(0x8080808080808080)) == 0;
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
    wire_command(wire, EXPECT_MAIL, slot, STR_NONE);
}

void wire_put_rcpt(struct smtp_wire *wire, struct slot *slot)
{
    buf_str(&wire->out, STR("RCPT TO:<"));
    buf_str(&wire->out, slot->message->to);
    wire_command(wire, EXPECT_RCPT, slot, STR(">"));
}

bool wire_may_pipeline(const struct smtp_wire *wire)
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
    if (!wire_may_pipeline(wire))
        return;
    wire_put_rcpt(wire, slot);
    wire_command(wire, EXPECT_DATA, slot, STR("DATA"));
}

/* Begins the next waiting message if the protocol has come so far. */
void wire_begin_next(struct smtp_wire *wire)
{
    for (uint32_t i = 0; i < SMTP_SLOTS; i++) {
        struct slot *slot = wire_slot_at(wire, i);
        bool         quiet = wire->expected_count == 0;
        if (slot->state != SLOT_WAITING)
            continue;
        if (wire->state != SMTP_READY || wire_mid_message(wire) ||
            (!quiet && !wire_may_pipeline(wire)))
            return;
        if (wire->transaction) {
            wire->transaction = false;
            wire_command(wire, EXPECT_RSET, NULL, STR("RSET"));
            if (!wire_may_pipeline(wire))
                return;
        }
        begin_message(wire, slot);
    }
}

/* The first line feed before a dot, or NULL; memmem looks at each byte by itself. */
static const char *dot_find(struct str block)
{
    const char *end = block.ptr + block.len, *feed = block.ptr;
    while ((feed = memchr(feed, '\n', (size_t)(end - feed))) != NULL && ++feed < end)
        if (*feed == '.')
            return feed - 1;
    return NULL;
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
        const char *hit = dot_find(block);
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
    slot->dot_at = wire_output_end(wire);
    slot->state = SLOT_DOT;
    wire->transaction = false;
    wire_command(wire, EXPECT_DOT, slot, STR("."));
}

void wire_put_content(struct smtp_wire *wire)
{
    for (uint32_t i = 0; i < SMTP_SLOTS; i++) {
        struct slot *slot = wire_slot_at(wire, i);
        if (slot->state != SLOT_BODY)
            continue;
        if (wire->out.len - wire->out_from >= BLOCK_BYTES / 2)
            return;
        put_block(wire, slot);
        if (slot->body_at == slot->message->data.len)
            put_dot(wire, slot);
    }
}
