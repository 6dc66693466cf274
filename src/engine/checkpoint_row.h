/*
 * checkpoint_row: one profile as its row of a checkpoint has it.
 *
 *      head | identities: kind 1 byte, length 2, text | parts of the state, each an array
 *
 * In the memory's own layout: a row is read by the program that wrote it, or by one of the same
 * ROW_VERSION; others refuse the folder, or rebuild from decisions. Of ROW_VERSION_UNKEYED, which
 * had no keys of journeys, all is taken.
 */
#ifndef DULT_ENGINE_CHECKPOINT_ROW_H
#define DULT_ENGINE_CHECKPOINT_ROW_H

#include "engine/inside.h"

/* The parts of a state, as they follow each other in a row: its own, the rare, the rarer. */
enum {
    PART_MEMBERSHIPS,
    PART_ENROLLMENTS,
    PART_PASTS,
    PART_MESSAGES,
    PART_CONSENTS,
    PART_LISTS,
    PART_MERGES,
    PART_CODES,
    PARTS
};

enum {
    ROW_VERSION = 11,
    ROW_VERSION_UNKEYED = 10,
    ROW_SHARED = 1,
    ROW_ASK_ALL = 2,
    ROW_ERASED = 4,
    ROW_QUIETLY = 8
};

struct row_head {
    uint32_t version, root, next, flags;
    uint64_t head;
    int64_t  arrived_ms, wake_ms;
    uint32_t identities, counts[PARTS];
    uint32_t
        nothing; /* 0: what a compiler would leave between is no stranger's bytes on the disk */
};
_Static_assert(sizeof(struct row_head) == 80, "every byte of a stored row's head has a name");

/* A membership as rows have it. */
struct membership_row {
    int64_t  until_ms;
    int64_t  entered_ms : 49;
    uint64_t segment : 14;
    bool     in : 1;
};
_Static_assert(sizeof(struct membership_row) == 16, "every bit of it has a name");
_Static_assert(TIME_MIN_MS >= -(INT64_C(1) << 48) && TIME_MAX_MS < INT64_C(1) << 48,
               "every instant fits entered_ms");

/* The arrays of a state, so that writing and reading go through one list. */
struct part {
    void    **items; /* NULL: memberships, which lie otherwise */
    uint32_t *count, *room;
    size_t    size;
};

/* The state's; those that all share when it is empty are only read. */
void row_parts(struct state *state, struct part parts[PARTS]);

/* The row of the profile as it is now. ERR_MEMORY, ERR_LIMIT: `out` is full. */
MUST enum err row_write(const struct engine *engine, uint32_t profile, struct buf *out);

/* Is it of a form that this program reads? */
bool row_is_ours(const struct row_head *head);

void row_bytes_add(struct buf *out, const void *bytes, size_t len);

/* The next bytes of a row; false: it ends before. */
bool row_bytes_take(struct str *from, void *to, size_t len);
/* Kind and text of the next identity; false: it is damaged. */
bool row_identity_take(struct str *rest, char *kind, struct str *text);

#endif
