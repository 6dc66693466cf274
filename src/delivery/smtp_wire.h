/*
 * smtp_wire: the SMTP client as a pure machine: bytes in, bytes out, outcomes.
 *
 *        bytes in --> | GREETING -> EHLO -> (TLS -> EHLO) -> (AUTH) -> READY ... QUIT | --> bytes
 * out |  slot 0: a message in flight                                  | |  slot 1: the next one,
 * waiting or pipelined behind the dot    | --> outcomes
 *
 * Where PIPELINING is offered, MAIL, RCPT and DATA go in one write, and those of the next message
 * follow the final dot of the one before (RFC 2920: content may be the first "command" of a group).
 *
 * The one thing a sender must know is whether the final dot left the house. The socket layer says
 * how many bytes of the output were written (smtp_wire_written); each message remembers at which
 * byte its dot lies. When the connection is lost, a message whose dot was written, or may have
 * been, is unknown; every other is deferred, and what was never begun is returned.
 *
 * Always true   each message given is handed back once by smtp_wire_next_done; "sent" only after a
 *               250 to its dot; no byte of a message is after a reply that refused it.
 * Cost          64 KB of output at most at a time, however large a message.
 * Knows not     sockets, TLS, clocks: it says which phase it is in, and others count the seconds.
 */
#ifndef DULT_DELIVERY_SMTP_WIRE_H
#define DULT_DELIVERY_SMTP_WIRE_H

#include "delivery/delivery.h"
#include "delivery/smtp_caps.h"

enum {
    SMTP_SLOTS = 2,                   /* one in flight and one behind it: at most 2 in doubt */
    SMTP_CREDENTIAL_BYTES_MAX = 1024, /* tokens of some relays are long; a line may be 12288 */
};

enum smtp_tls {
    SMTP_TLS_OFF,      /* never */
    SMTP_TLS_OFFERED,  /* STARTTLS when the server offers it */
    SMTP_TLS_REQUIRED, /* STARTTLS or nothing */
    SMTP_TLS_IMPLICIT, /* TLS from the first byte (port 465) */
};

struct smtp_wire_conf {
    const char   *ehlo_name;       /* how we call ourselves; no white space */
    const char   *user, *password; /* NULL or empty user: no AUTH */
    enum smtp_tls tls;
    bool          password_in_clear; /* allow AUTH without TLS */
    bool          no_pipelining;
};

/* What the socket layer should do with the connection now. */
enum smtp_state {
    SMTP_OPENING,  /* read and write */
    SMTP_STARTTLS, /* output is empty: begin the handshake, then call smtp_wire_secured */
    SMTP_READY,    /* messages may be given */
    SMTP_QUITTING, /* waits for the farewell */
    SMTP_CLOSED,   /* close the socket; smtp_wire_trouble says why */
};

/* For time limits, RFC 5321 4.5.3.2. */
enum smtp_phase {
    SMTP_PHASE_CONNECT, /* the socket layer's own */
    SMTP_PHASE_GREETING,
    SMTP_PHASE_COMMAND, /* EHLO, STARTTLS and its handshake, AUTH, RSET, NOOP, QUIT */
    SMTP_PHASE_MAIL,
    SMTP_PHASE_RCPT,
    SMTP_PHASE_DATA,
    SMTP_PHASE_BODY, /* each block written */
    SMTP_PHASE_DOT,
    SMTP_PHASE_IDLE, /* no limit of the protocol */
    SMTP_PHASES,
};

struct smtp_trouble {
    enum delivery_blame blame; /* POLICY: our credentials or settings; CONNECTION otherwise */
    int                 code;
    char                text[DELIVERY_TEXT_BYTES_MAX];
};

struct smtp_wire;

/* Borrows nothing from conf. NULL without memory, or when a name or credential is too long or
 * holds what would break a line. */
struct smtp_wire *smtp_wire_open(const struct smtp_wire_conf *conf);
void              smtp_wire_close(struct smtp_wire *wire); /* what it holds is forgotten */

void smtp_wire_input(struct smtp_wire *wire, struct str bytes);
void smtp_wire_secured(struct smtp_wire *wire); /* the handshake is done */

/* Bytes to write, borrowed until the next call; empty when there are none. With `before_dot` they
 * end before a final dot unless they begin with it: for a socket layer that cannot tell which of
 * the bytes handed over were written, and so hands over the dot alone. */
struct str smtp_wire_output(struct smtp_wire *wire, bool before_dot);
void       smtp_wire_took(struct smtp_wire *wire, size_t bytes);      /* of the last output */
void       smtp_wire_written(struct smtp_wire *wire, uint64_t total); /* since open; may be more
                                                                        than was truly written */

/* The connection is gone or given up. Outcomes are settled; the state is CLOSED. */
void smtp_wire_lost(struct smtp_wire *wire, const char *why);

bool smtp_wire_has_place(const struct smtp_wire *wire);
void smtp_wire_give(struct smtp_wire *wire, struct delivery_message *message);

/* Takes back a message of that id that is not begun; NULL when there is none. */
struct delivery_message *smtp_wire_recall(struct smtp_wire *wire, uint64_t id);

/* A message that is done and its outcome; NULL when there is none. */
struct delivery_message *smtp_wire_next_done(struct smtp_wire        *wire,
                                             struct delivery_outcome *outcome);

void smtp_wire_noop(struct smtp_wire *wire); /* when idle */
void smtp_wire_quit(struct smtp_wire *wire); /* when no message is held; else it is a loss */

enum smtp_state            smtp_wire_state(const struct smtp_wire *wire);
enum smtp_phase            smtp_wire_phase(const struct smtp_wire *wire);
uint32_t                   smtp_wire_held(const struct smtp_wire *wire);  /* messages not done */
uint32_t                   smtp_wire_begun(const struct smtp_wire *wire); /* of them, begun */
const struct smtp_trouble *smtp_wire_trouble(const struct smtp_wire *wire);
const struct smtp_caps    *smtp_wire_caps(const struct smtp_wire *wire);

/* The message in place `index` (0 and 1), or NULL. */
const struct delivery_message *smtp_wire_message(const struct smtp_wire *wire, uint32_t index);

#endif
