/*
 * dedupe: was this message here before?
 *
 * Clients send again what they do not know arrived. For each (write key, messageId) of the last
 * day, and of the last 50 million whichever ends first, a tag and the record's seq are kept; a hit
 * is only a candidate, which the caller confirms against the record itself.
 *
 *      hash -> shard (12 bits) -> slot:  | tag 32 | seq 32 |     linear probing
 *      a row of an imported file -> spans of rows (dedupe_rows)
 *
 * Always true   what was added and is not older than the horizon is found again.
 * Cost          8 bytes a slot, 9 to 26 an id; a cache miss a look-up. A shard that fills is
 *               rebuilt without what is past the horizon; each at its own time, some 0.1 ms at
 *               the bound. Rows of a file: next to nothing.
 */
#ifndef DULT_RUN_DEDUPE_H
#define DULT_RUN_DEDUPE_H

#include "intake/import.h"

#define DEDUPE_IDS_MAX UINT32_C(50000000)
#define DEDUPE_IDS_ALL UINT32_MAX /* of the last day, however many */

struct dedupe;

/* Of the last `ids_max` records at most. */
struct dedupe *dedupe_open(uint64_t seed, uint32_t ids_max);
void           dedupe_close(struct dedupe *dedupe);

struct dedupe_id {
    uint64_t          hash;
    uint32_t          source;
    struct import_row row; /* row 0: it does not name one */
};

struct dedupe_id dedupe_id(const struct dedupe *dedupe, uint32_t source, struct str message_id);

/*
 * Candidates for that id, newest bound excluded: call with *place = 0 until it gives 0; a seq
 * otherwise. Seqs below the horizon are not given.
 */
uint32_t dedupe_next(const struct dedupe *dedupe, struct dedupe_id id, uint32_t *place);

/* Asks for the memory of the first candidate; a look-up soon after need not wait for it. */
void dedupe_prefetch(const struct dedupe *dedupe, uint32_t source, struct str message_id);

/* ERR_MEMORY. */
MUST enum err dedupe_add(struct dedupe *dedupe, struct dedupe_id id, uint32_t seq);

/* Records before `seq` need not be remembered. Never goes back. */
void     dedupe_horizon(struct dedupe *dedupe, uint32_t seq);
uint64_t dedupe_bytes(const struct dedupe *dedupe); /* of what it holds, with slack */
uint64_t dedupe_count(const struct dedupe *dedupe); /* slots in use and spans */

#endif
