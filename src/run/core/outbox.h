/*
 * outbox: DIR/outbox, the Maildir of what was not delivered because the folder is on trial.
 *
 * That a mail lies there, and under which name, is said by its status: OUTBOX_KEPT and the name. So
 * an erasure finds what it must remove, wherever a mail reader has moved it.
 */
#ifndef DULT_RUN_CORE_OUTBOX_H
#define DULT_RUN_CORE_OUTBOX_H

#include "base/str.h"

#define OUTBOX_KEPT "trial: kept in the outbox as "

/* The file's name in a status, borrowed; empty: it is of no such mail. */
struct str outbox_name(struct str status);
/* Removes the mail from DIR/outbox, if it is there. */
void outbox_forget(const char *dir, struct str name);

#endif
