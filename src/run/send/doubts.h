/*
 * doubts: which messages may be asked for again, by whom, and until when.
 *
 * A provider that knows idempotency keys does not send twice what is asked for twice with the same
 * key, as long as it remembers the key. So what it was asked for and did not answer (the answer was
 * lost, the process was killed) is asked for again: of the same provider, under the same account,
 * with the same key, within the key's lifetime. Whatever else is in doubt stays unknown.
 *
 *      before the request   "+ message first-ms account way" is written
 *      certainly not sent   "- message" is written and synced: it may go by another way now
 *      to be asked again    its line is synced before the store says so
 *      sent, or settled     "- message", when the store says so; emptied when nothing is left
 *
 * Always true   what is not in the file is not asked for again: a line that is lost while the
 *               message is on its way costs an "unknown". Who gives a message back to the outbox
 *               that may have been sent makes sure of its line first (doubts_keep), for without
 *               it any way might have it.
 * Bounds        4096 at once: what comes then is not noted. Of more in a file the newest are kept;
 *               those older than any key live (31 days) go when half of the room is taken.
 * Cost          two writes, of some 60 and 15 bytes, for each message of such a provider.
 * Threads       any.
 */
#ifndef DULT_RUN_DOUBTS_H
#define DULT_RUN_DOUBTS_H

#include "run/send/way.h"

struct doubts;

struct doubt {
    uint64_t message;
    int64_t  first_ms; /* when it was asked for first */
    uint64_t account;  /* of the provider and its settings: doubts_account */
    char     way[WAY_NAME_BYTES_MAX + 1];
    bool     was_here; /* noted before this process began */
};

/* `dir` NULL: nothing is kept over a crash. ERR_IO. */
MUST enum err doubts_open(struct doubts **out, const char *dir, struct problem *problem);
void          doubts_close(struct doubts *doubts); /* NULL is nothing */

/* It is asked for now; where it was before, that stays. */
void doubts_note(struct doubts *doubts, const struct doubt *doubt);
bool doubts_find(struct doubts *doubts, uint64_t message, struct doubt *out);
/* It is noted, and on disk when this returns. False: it is not, or the disk failed. */
bool doubts_keep(struct doubts *doubts, uint64_t message);
/* It is known what became of it, and in the store. Not synced. */
void doubts_forget(struct doubts *doubts, uint64_t message);
/* It was certainly not sent: on disk when this returns. False: the disk failed, and it
 * is in doubt as before. */
bool doubts_lift(struct doubts *doubts, uint64_t message);

/* Of a way: another account's keys are not known. All settings, and where one of them names the
 * account (its description says so) all but the secrets: else a secret says which account it is. */
uint64_t doubts_account(const struct way_conf *way);
/* Until when the way's provider remembers a key first used then; 0: it knows none for later. */
int64_t doubts_end_ms(const struct way_conf *way, int64_t first_ms);

#endif
