/*
 * trial: may this folder's mail reach people?
 *
 *      new folder ----> TRIAL --- dult live --yes ---> LIVE ----+
 *                         ^  <------ dult live off ----+        | the folder is not the one that
 *                         +---- dult live off --- COPY <--------+ went live
 *                                                  +--- dult live --yes ---> LIVE
 *
 *      TRIAL   only addresses on the allow list are delivered to; every other message is written to
 *              DIR/outbox (a Maildir) and counts as sent, with the word "trial" on its status
 *      LIVE    everything goes out
 *      COPY    nothing is claimed: what is queued may have been sent by the folder this is a copy
 * of, and if this is that folder, restored, none of it may get lost
 *
 * Which folder went live is known by a mark of its database file: inode, time of birth, and the
 * machine's id. The mark stands in the database, so a copy carries it along and does not fit it:
 *
 *      mv, a restart, a new container with the same volume, an upgrade    the same: live
 *      cp, tar, rsync, a restored backup, another disk                   another file: a copy
 *      the disk, or a snapshot of it, in another machine                 another machine: a copy
 *
 * Not seen: a database overwritten in place (cp backup.db dult.db), and a whole machine cloned with
 * its id.
 *
 * Threads       any.
 */
#ifndef DULT_RUN_TRIAL_H
#define DULT_RUN_TRIAL_H

#include "store/store.h"

enum trial_state { TRIAL_TRIAL, TRIAL_LIVE, TRIAL_COPY };

enum { TRIAL_ALLOWED_MAX = 100 };

struct trial;

/* `allow`: addresses, and @domains, with commas or blanks between. ERR_INPUT with a problem. */
MUST enum err trial_open(struct trial **out, struct store *store, const char *dir,
                         const char *allow, struct problem *problem);
void          trial_close(struct trial *trial); /* NULL is nothing */

/* NULL is live. */
enum trial_state trial_state(const struct trial *trial);
const char      *trial_word(enum trial_state state); /* "trial", "live", "copy" */
/* May a message go to that address now? */
bool trial_allows(const struct trial *trial, struct str address);
/* Durable when it returns: live, with the mark of this folder, or on trial. */
MUST enum err trial_set(struct trial *trial, bool live, struct problem *problem);

const char *trial_outbox(const struct trial *trial);
uint32_t    trial_kept(const struct trial *trial); /* messages in it */
uint32_t    trial_allowed(const struct trial *trial, const struct str **out);

#endif
