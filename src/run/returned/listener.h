/*
 * listener: a port where a mail server hands in what came back, by SMTP or LMTP.
 *
 *      connections --poll--> postbox (intake/) --a whole mail--> returned_take --> on disk --> 250
 *
 * One thread, one mail at a time: bounces are few, and each is answered when it is on disk. There
 * are mailboxes for nobody but our own return paths, b-{token}@anything, so nobody can leave
 * anything here who was not written to.
 *
 * Bounds   LISTENER_CONNECTIONS_MAX at once (more are answered with 421), LISTENER_IDLE_MS without
 * a word.
 */
#ifndef DULT_RUN_LISTENER_H
#define DULT_RUN_LISTENER_H

#include "message/token.h"
#include "run/core/core.h"

enum { LISTENER_CONNECTIONS_MAX = 64, LISTENER_IDLE_MS = 300000 };

struct listener;

struct listener_conf {
    const char              *host;
    int                      port; /* 0: any; see listener_port */
    const char              *name; /* greets; borrowed */
    struct core             *core;
    const struct token_keys *keys; /* outlive the listener */
};

/* ERR_IO with a problem when the port is taken. */
MUST enum err listener_open(struct listener **out, const struct listener_conf *conf,
                            struct problem *problem);
/* Mails not yet answered are told to come again. Before core_close. NULL is nothing. */
void listener_close(struct listener *listener);
int  listener_port(const struct listener *listener);

#endif
