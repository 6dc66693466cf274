#include "delivery/smtp_wire_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void wire_expect(struct smtp_wire *wire, enum expect kind, struct slot *slot)
{
    assert(wire->expected_count < EXPECTED_MAX);
    uint32_t at = (wire->expected_first + wire->expected_count++) % EXPECTED_MAX;
    wire->expected[at] = (struct expected){ kind, slot };
}

void wire_command(struct smtp_wire *wire, enum expect kind, struct slot *slot, struct str line)
{
    buf_str(&wire->out, line);
    buf_str(&wire->out, STR("\r\n"));
    wire_expect(wire, kind, slot);
}

uint64_t wire_output_end(const struct smtp_wire *wire)
{
    return wire->taken_total + (wire->out.len - wire->out_from);
}

struct slot *wire_slot_at(const struct smtp_wire *wire, uint32_t index)
{
    return (struct slot *)&wire->slots[(wire->first + index) % SMTP_SLOTS];
}

/* Some message is between its MAIL and its dot: nothing else may be put out now. */
bool wire_mid_message(const struct smtp_wire *wire)
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

void wire_end(struct smtp_wire *wire, enum delivery_blame blame, int code, const char *why)
{
    if (wire->state == SMTP_CLOSED)
        return;
    wire->state = SMTP_CLOSED;
    wire->trouble = (struct smtp_trouble){ .blame = blame, .code = code };
    snprintf(wire->trouble.text, sizeof wire->trouble.text, "%s", why);
    for (uint32_t i = 0; i < SMTP_SLOTS; i++)
        settle(wire, wire_slot_at(wire, i));
    buf_reset(&wire->out);
    wire->out_from = 0;
    wire->expected_count = 0;
}

void wire_end_by_reply(struct smtp_wire *wire, enum delivery_blame blame, const char *step,
                       const struct smtp_reply *reply)
{
    char why[DELIVERY_TEXT_BYTES_MAX];
    snprintf(why, sizeof why, "%s was answered %d %.200s", step, reply->code, reply->text);
    wire_end(wire, blame, reply->code, why);
}

void wire_fail_reply(struct smtp_wire *wire, const char *step, const struct smtp_reply *reply)
{
    wire_end_by_reply(wire, BLAME_CONNECTION, step, reply);
}

/* Mostly 421 to an idle connection, or a server that cannot bear the content any longer. */
void wire_end_unasked(struct smtp_wire *wire, const struct smtp_reply *reply)
{
    char why[DELIVERY_TEXT_BYTES_MAX];
    snprintf(why, sizeof why, "unasked, the server said %d %.200s", reply->code, reply->text);
    wire_end(wire, BLAME_CONNECTION, reply->code, why);
}

/* --- output --- */

struct str smtp_wire_output(struct smtp_wire *wire, bool before_dot)
{
    if (wire->out_from == wire->out.len) {
        buf_reset(&wire->out);
        wire->out_from = 0;
    }
    if (wire->state != SMTP_CLOSED) {
        wire_put_content(wire);
        wire_begin_next(wire);
    }
    if (buf_err(&wire->out) != OK) {
        wire_end(wire, BLAME_CONNECTION, 0, "no memory for the output");
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
    wire_expect(wire, EXPECT_GREETING, NULL);
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
    wire_end(wire, BLAME_CONNECTION, 0, why);
}

bool smtp_wire_has_place(const struct smtp_wire *wire)
{
    return wire->state == SMTP_READY && wire_slot_at(wire, 1)->state == SLOT_EMPTY;
}

void smtp_wire_give(struct smtp_wire *wire, struct delivery_message *message)
{
    assert(smtp_wire_has_place(wire));
    struct slot *slot = wire_slot_at(wire, wire_slot_at(wire, 0)->state == SLOT_EMPTY ? 0 : 1);
    *slot = (struct slot){ .state = SLOT_WAITING, .message = message };
    wire_begin_next(wire);
}

/* The younger one moves up when the older is empty, so that slot 0 is always in front. */
static struct delivery_message *empty_slot(struct smtp_wire *wire, uint32_t index)
{
    struct slot             *slot = wire_slot_at(wire, index);
    struct delivery_message *message = slot->message;
    *slot = (struct slot){ .state = SLOT_EMPTY };
    if (index == 0)
        wire->first = (wire->first + 1) % SMTP_SLOTS;
    return message;
}

struct delivery_message *smtp_wire_recall(struct smtp_wire *wire, uint64_t id)
{
    for (uint32_t i = 0; i < SMTP_SLOTS; i++)
        if (wire_slot_at(wire, i)->state == SLOT_WAITING &&
            wire_slot_at(wire, i)->message->id == id)
            return empty_slot(wire, i);
    return NULL;
}

struct delivery_message *smtp_wire_next_done(struct smtp_wire        *wire,
                                             struct delivery_outcome *outcome)
{
    for (uint32_t i = 0; i < SMTP_SLOTS; i++) {
        if (wire_slot_at(wire, i)->state != SLOT_DONE)
            continue;
        *outcome = wire_slot_at(wire, i)->outcome;
        return empty_slot(wire, i);
    }
    return NULL;
}

void smtp_wire_noop(struct smtp_wire *wire)
{
    if (wire->state == SMTP_READY && wire->expected_count == 0 && smtp_wire_held(wire) == 0)
        wire_command(wire, EXPECT_NOOP, NULL, STR("NOOP"));
}

void smtp_wire_quit(struct smtp_wire *wire)
{
    if (wire->state == SMTP_QUITTING)
        return;
    if (wire->state != SMTP_READY || smtp_wire_held(wire) > 0) {
        smtp_wire_lost(wire, "the connection was given up");
        return;
    }
    wire_command(wire, EXPECT_QUIT, NULL, STR("QUIT"));
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
    return wire_slot_at(wire, index)->message;
}
