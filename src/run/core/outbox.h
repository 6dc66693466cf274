/*
 * outbox: DIR/outbox, the Maildir of what was not delivered because the folder is on trial.
 *
 * That a mail lies there, and under which name, is said by its status: OUTBOX_KEPT and the name;
 * and the mail says which message it is (delivery/maildir.h). So an erasure finds what it must
 * remove, wherever a mail reader has moved it, and also what a killed process had written or half
 * written before its status was.
 *
 * Who writes a mail looks afterwards whether it was recalled, and removes it then; an erasure looks
 * through the outbox after its recalls were told. So one of the two finds it.
 */
#ifndef DULT_RUN_CORE_OUTBOX_H
#define DULT_RUN_CORE_OUTBOX_H

#include "base/str.h"

#define OUTBOX_KEPT "trial: kept in the outbox as "

/* The file's name in a status, borrowed; empty: it is of no such mail. */
struct str outbox_name(struct str status);
/* Removes the mail from the folder, DIR/outbox, if it is there. */
void outbox_forget(const char *outbox, struct str name);
/* Removes all mails whose message is gone; reads the head of every one. */
void outbox_sweep(const char *outbox, bool (*is_gone)(void *context, uint64_t message),
                  void       *context);

#endif
