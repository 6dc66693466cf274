/*
 * block: a few thousand profiles in a row, as columns that fit in the processor's cache.
 *
 *      profile      first .. first + count - 1
 *      alone        1 0 1 1        people of one profile
 *      ringed       0 1 0 0        roots of people of several: they are looked at one by one
 *      last_ms      t t t t        the latest thing done, over all levels
 *
 *      slices       where in a name's postings each profile's events lie, for every level
 *
 * Slices are found by rank: the posted places of the block become bits, and the bits before a
 * profile's first event are counted. So no branch depends on the data.
 */
#ifndef DULT_ENGINE_REPORT_BLOCK_H
#define DULT_ENGINE_REPORT_BLOCK_H

#include <string.h>

#include "engine/behaviour/view.h"
#include "engine/report/report.h"
#include "engine/segment/segment_program.h"

enum {
    BLOCK_PROFILES = 2048,
    BLOCK_WORDS = BLOCK_PROFILES / 64,
    BLOCK_NO_ENTRY = UINT32_MAX,
    BLOCK_IDENTIFY = 0, /* own events, as the program numbers them */
    BLOCK_LIST = 1,
    BLOCK_CONSENT = 2,
    BLOCK_JOURNEY = 3,
    BLOCK_ANYTHING = SEGMENT_ANY_EVENT, /* in the place of a name: everything; the own ones too */
};

struct block {
    const struct report *report;
    const struct view   *view;
    uint32_t             first, count;
    uint64_t             alone[BLOCK_WORDS], ringed[BLOCK_WORDS];
    int64_t              last_ms[BLOCK_PROFILES];
    struct {
        uint32_t from, to; /* entries of the block's profiles */
    } entries[VIEW_LEVELS_MAX];
};

/* The block that begins at `first`, a multiple of REPORT_ALIGN, and ends at `to` at most. Asks
 * only for people in `among`. */
void block_make(struct block *block, const struct report *report, uint32_t first, uint32_t to);

/* Events of one name: `places[lo[i]] .. places[hi[i] - 1]` are those of profile first + i. */
struct slice_level {
    const struct level *level;
    const uint32_t     *places; /* NULL: lo and hi are places themselves */
    const uint32_t     *lo, *hi;
};

struct slices {
    uint32_t           levels_count; /* only those that have any */
    struct slice_level levels[VIEW_LEVELS_MAX];
    uint32_t           room[VIEW_LEVELS_MAX][2 * BLOCK_PROFILES + 1];
};

void slices_make(struct slices *slices, const struct block *block, uint16_t name);
/* The same for those asked (BLOCK_WORDS); others may be given no events. */
void slices_make_of(struct slices *slices, const struct block *block, uint16_t name,
                    const uint64_t *asked);

/* The entry of profile first + i in a level; BLOCK_NO_ENTRY. */
uint32_t block_entry(const struct block *block, uint32_t l, uint32_t i);

static inline uint32_t slice_place(const struct slice_level *slice, uint32_t i)
{
    return slice->places == NULL ? i : slice->places[i];
}

static inline int64_t slice_at_ms(const struct slice_level *slice, uint32_t i)
{
    return slice->level->at_ms[slice_place(slice, i)];
}

/* Where in [lo, hi) the first event at or after `at_ms` lies; hi for none. */
uint32_t slice_first(const struct slice_level *slice, uint32_t lo, uint32_t hi, int64_t at_ms);

/* Are own events among those of the slices of BLOCK_ANYTHING? */
static inline bool slice_has_own(const struct slice_level *slice)
{
    const struct level *level = slice->level;
    return level->names < RUN_DEEDS || level->post_offsets[RUN_DEEDS] > 0;
}

/* How many events each profile has, in all levels. */
void slices_totals(const struct slices *slices, uint32_t count, uint32_t *totals);
/* Who has a total of at least `need`, and did something at or after from_ms? BLOCK_WORDS of them.
 */
void block_enough(const struct block *block, const uint32_t *totals, uint32_t need, int64_t from_ms,
                  uint64_t *out);

/* Whose last deed lies at or after from_ms: at or before to_ms, and after it. */
void block_last(const struct block *block, int64_t from_ms, int64_t to_ms, uint64_t *within,
                uint64_t *after);
/*
 * As the days of first deeds tell, without an instant being read: who surely did something before
 * from_ms, and who surely did nothing before it. Both are empty where no level knows the days.
 */
void block_first(const struct block *block, int64_t from_ms, uint64_t *before,
                 uint64_t *not_before);

/* Of slices of BLOCK_IDENTIFY: the bag of the newest call by now that names the trait, 0 for none.
 */
uint32_t slices_trait_bag(const struct slices *slices, const struct block *block, uint16_t key,
                          uint32_t i);

/* Was anything of this profile of one's own dated at or before the instant? */
bool block_is_known(const struct block *block, uint32_t i, int64_t at_ms);

/* Walks the bits of a word: for (uint64_t left = word; left != 0; left &= left - 1) BLOCK_BIT. */
#define BLOCK_BIT(left) ((uint32_t)__builtin_ctzll(left))

/* Eight bytes of 0 or 1 become the bits of one, the first the lowest; 64 become those of a word. */
static inline uint64_t block_byte(const uint8_t *flags)
{
    uint64_t eight;
    memcpy(&eight, flags, sizeof eight);
    return eight * UINT64_C(0x0102040810204080) >> 56;
}
static inline uint64_t block_word(const uint8_t *flags)
{
    uint64_t word = 0;
    for (uint32_t k = 0; k < 8; k++)
        word |= block_byte(flags + 8 * k) << (8 * k);
    return word;
}

/* Loops over columns that pay for wider registers where the processor has them. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define BLOCK_WIDE __attribute__((target_clones("avx2", "default"), optimize("O3")))
#else
#define BLOCK_WIDE
#endif

#endif
