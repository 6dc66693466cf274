/*
 * sns_desk: what Amazon's notifications want of the network: a certificate, a subscription's
 * confirmation.
 *
 * URLs are asked that sns_read has found to be of the topic's own host, one at a time, and each
 * within SNS_WAIT_MS; what came of a certificate is kept (sns_shelf.h). Amazon sends again what was
 * answered with 503.
 *
 * Where this machine may not call out, `certificate` is the file of Amazon's certificate, and
 * subscriptions are confirmed by hand.
 *
 * Threads       any.
 */
#ifndef DULT_RUN_SNS_DESK_H
#define DULT_RUN_SNS_DESK_H

#include "base/buf.h"
#include "base/err.h"

struct sns_desk;

/* `certificate`: a PEM file; NULL: they are fetched. */
MUST enum err sns_desk_open(struct sns_desk **out, const char *certificate,
                            struct problem *problem);
void          sns_desk_close(struct sns_desk *desk); /* NULL is nothing */

/* ERR_WAIT: it cannot be had now. */
MUST enum err sns_desk_certificate(struct sns_desk *desk, struct str url, struct buf *out);
/* Confirms a subscription. ERR_WAIT: not now. */
MUST enum err sns_desk_confirm(struct sns_desk *desk, struct str url);

#endif
