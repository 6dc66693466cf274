/*
 * smtp_wire_inside: what the files of smtp_wire share.
 *
 *      smtp_wire.c        its face, the slots, what goes out, how a connection ends
 *      smtp_wire_open.c   greeting, EHLO, STARTTLS, AUTH
 *      smtp_wire_send.c   one message: MAIL, RCPT, DATA, the content and its dot
 *      smtp_wire_hear.c   replies, each to what was said for it
 */
#ifndef DULT_DELIVERY_SMTP_WIRE_INSIDE_H
#define DULT_DELIVERY_SMTP_WIRE_INSIDE_H

#include "base/buf.h"
#include "delivery/smtp_reply.h"
#include "delivery/smtp_wire.h"

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

/* ---- smtp_wire.c */

void     wire_expect(struct smtp_wire *wire, enum expect kind, struct slot *slot);
void     wire_command(struct smtp_wire *wire, enum expect kind, struct slot *slot, struct str line);
uint64_t wire_output_end(const struct smtp_wire *wire);
struct slot *wire_slot_at(const struct smtp_wire *wire, uint32_t index);
bool         wire_mid_message(const struct smtp_wire *wire);
void         wire_end(struct smtp_wire *wire, enum delivery_blame blame, int code, const char *why);
void         wire_end_by_reply(struct smtp_wire *wire, enum delivery_blame blame, const char *step,
                               const struct smtp_reply *reply);
void wire_fail_reply(struct smtp_wire *wire, const char *step, const struct smtp_reply *reply);
void wire_end_unasked(struct smtp_wire *wire, const struct smtp_reply *reply);

/* ---- smtp_wire_open.c */

void wire_say_ehlo(struct smtp_wire *wire);
void wire_greeted(struct smtp_wire *wire);
void wire_on_ehlo(struct smtp_wire *wire, const struct smtp_reply *reply);
void wire_on_auth(struct smtp_wire *wire, const struct smtp_reply *reply);

/* ---- smtp_wire_send.c */

void wire_put_rcpt(struct smtp_wire *wire, struct slot *slot);
bool wire_may_pipeline(const struct smtp_wire *wire);
void wire_begin_next(struct smtp_wire *wire);
void wire_put_content(struct smtp_wire *wire);

#endif
