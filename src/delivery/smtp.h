/*
 * smtp: one kept connection to a mail server, on a loop.
 *
 * The protocol is smtp_wire's; this is the socket around it: names to addresses (each tried in
 * turn), connecting, TLS, time limits, and counting which bytes were truly written.
 *
 *      resolve -> connect -> [TLS] -> wire OPENING -> READY <-> messages -> QUIT -> closed
 *
 * Without TLS the bytes go straight to the socket, and what the kernel took is what was written.
 * With TLS nobody can see how much of a record left, so the dot is handed over alone, once all
 * before it is gone, and counts as written from that moment.
 *
 * Always true   `closed` is the last call, and comes after `done` for every message held.
 * Cost          about 14 KB and two descriptors a connection, and its TLS state.
 * Threads       everything here happens on the loop's thread.
 */
#ifndef DULT_DELIVERY_SMTP_H
#define DULT_DELIVERY_SMTP_H

#include "delivery/loop.h"
#include "delivery/smtp_wire.h"
#include "delivery/tls.h"

struct smtp_limits {
    int64_t phase_ms[SMTP_PHASES]; /* [SMTP_PHASE_IDLE]: when to end an idle connection */
    int64_t noop_ms;               /* ask an idle one whether it lives; 0: never */
};

/* What RFC 5321 4.5.3.2 asks for; idle connections end after a minute. */
struct smtp_limits smtp_limits_make(void);

struct smtp_conf {
    const char           *host;
    uint16_t              port;
    struct smtp_wire_conf wire;
    struct smtp_limits    limits;
    SSL_CTX              *tls; /* NULL only where wire.tls is SMTP_TLS_OFF */
};

struct smtp_session;

struct smtp_calls {
    void (*ready)(void *ctx, struct smtp_session *session); /* once */
    void (*done)(void *ctx, struct smtp_session *session, struct delivery_message *message,
                 const struct delivery_outcome *outcome);
    void (*closed)(void *ctx, struct smtp_session *session, const struct smtp_trouble *trouble);
};

/* Begins to connect. `conf` and `calls` outlive the session. NULL without memory or when the
 * names in conf are unfit. No call comes before this returns. */
struct smtp_session *smtp_open(struct loop *loop, const struct smtp_conf *conf,
                               const struct smtp_calls *calls, void *ctx);

/* Frees; from within `closed`, or at a time when no call of this session is running. Messages
 * still held are forgotten without a call: smtp_lose first. */
void smtp_close(struct smtp_session *session);

bool     smtp_has_place(const struct smtp_session *session);
uint32_t smtp_held(const struct smtp_session *session);
uint32_t smtp_begun(const struct smtp_session *session);
bool     smtp_was_ready(const struct smtp_session *session);

void                     smtp_send(struct smtp_session *session, struct delivery_message *message);
struct delivery_message *smtp_recall(struct smtp_session *session, uint64_t id);

/* The message held in place `index`, or NULL. */
const struct delivery_message *smtp_message(const struct smtp_session *session, uint32_t index);

void smtp_quit(struct smtp_session *session);                  /* politely; `closed` follows */
void smtp_lose(struct smtp_session *session, const char *why); /* now; `closed` follows at once */

#endif
