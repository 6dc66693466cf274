/*
 * removal: what is to be left out of the next base, and what that leaves behind.
 *
 *      forgotten   (profile 4, record 90) (profile 9, record 77)     erasure
 *      retention   name -> nothing from before                       retention
 *      cleared     |from len| |from len| ...                         bags of what was left out
 *
 * A merge (base.h) asks about each event and notes the bags of those that go, unless one of the
 * same profile that stays has the same bag (as repeated identifies do).
 */
#ifndef DULT_ENGINE_REMOVAL_H
#define DULT_ENGINE_REMOVAL_H

#include "engine/behaviour/level.h"
#include "engine/behaviour/retention.h"
#include "engine/vec.h"

struct forgotten {
    uint32_t profile, seq; /* what it did up to this record */
};

/* Whom retention took events from. */
struct outlived {
    unsigned char *profiles; /* a bit for each */
    uint32_t       bytes;
    uint64_t       events;
};

struct stretch {
    size_t from, len; /* bytes of the bags */
};

struct removal {
    struct {
        struct forgotten *items;
        uint32_t          count, room;
    } forgotten;
    unsigned char   *hidden; /* a bit for each profile that forgets */
    uint32_t         hidden_bytes;
    struct retention retention; /* before_ms is its own */
    int64_t          latest_ms; /* of the retention's instants; TIME_MIN_MS for no retention */
    bool             retains;
    struct outlived  outlived; /* found by the merge */
    struct {
        struct stretch *items;
        uint32_t        count, room;
    } cleared;
    uint32_t noted; /* of them, before the merge under way began */
};

void removal_done(struct removal *removal);
bool removal_is_empty(const struct removal *removal);

/* ERR_MEMORY. */
MUST enum err removal_forget(struct removal *removal, struct forgotten forgotten);
/* Takes the place of an earlier retention; copies the instants. ERR_MEMORY. */
MUST enum err removal_retain(struct removal *removal, struct retention retention);
/* Has the profile something to forget? */
static inline bool removal_has(const struct removal *removal, uint32_t profile)
{
    return profile / 8 < removal->hidden_bytes &&
           (removal->hidden[profile / 8] >> profile % 8 & 1) != 0;
}
/* The bag at this place is to be cleared, whatever the merge finds. ERR_MEMORY. */
MUST enum err removal_note(struct removal *removal, struct bags bags, uint32_t place);
/* Takes back a merge's removal, which is then empty: `removal` is what came since. ERR_MEMORY. */
MUST enum err removal_join(struct removal *removal, struct removal *more);

/* Before the first question of a merge. Profiles are then asked about in ascending order, with *at
 * from 0. */
void removal_begin(struct removal *removal);
/* Leaves out of the columns from..to, all of one profile, what is to go; gives the new end. */
MUST enum err removal_apply(struct removal *removal, uint32_t *at, uint32_t profile,
                            const struct level_columns *columns, struct bags bags, uint64_t from,
                            uint64_t *to);

/* When all is asked: puts what is cleared in order of place. */
void removal_settle(struct removal *removal);
/* Clears what lies in the len bytes from offset `from` of the bags, of which this is a copy. */
void removal_clear(const struct removal *removal, unsigned char *copy, size_t from, size_t len);
bool removal_touches(const struct removal *removal, size_t from, size_t len);

#endif
