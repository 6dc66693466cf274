#include "engine/report/block.h"

#include <assert.h>
#include <string.h>

enum {
    RANK_BITS = 1 << 16,
    RANK_WORDS = RANK_BITS / 64,
    FEW = BLOCK_PROFILES / 32, /* whose slices cost less one by one */
    SOME = BLOCK_PROFILES / 3, /* for whom ranks are looked up alone */
};

/* ---- who is in it */

BLOCK_WIDE static void alone_fill(const uint32_t *next, uint32_t first, uint32_t count,
                                  uint64_t *alone)
{
    for (uint32_t word = 0; word * 64 < count; word++) {
        const uint32_t *row = next + word * 64;
        uint32_t        p = first + word * 64, other = 0, most = count - word * 64;
        if (most >= 64) {
            for (uint32_t k = 0; k < 64; k++)
                other |= row[k] ^ (p + k);
            if (other == 0) {
                alone[word] = UINT64_MAX;
                continue;
            }
        }
        uint64_t bits = 0;
        for (uint32_t k = 0; k < 64 && k < most; k++)
            bits |= (uint64_t)(row[k] == p + k) << k;
        alone[word] = bits;
    }
}

/* Nearly always nobody: so a word at a time. */
static void ringed_fill(struct block *block)
{
    const uint32_t *root = block->view->root + block->first;
    for (uint32_t word = 0; word * 64 < block->count; word++) {
        uint64_t left = ~block->alone[word];
        if ((word + 1) * 64 > block->count)
            left &= (UINT64_C(1) << (block->count % 64)) - 1;
        for (; left != 0; left &= left - 1) {
            uint32_t i = word * 64 + BLOCK_BIT(left);
            if (root[i] == block->first + i)
                block->ringed[word] |= left & -left;
        }
    }
}

static void last_fill(struct block *block)
{
    for (uint32_t i = 0; i < block->count; i++)
        block->last_ms[i] = LAST_NEVER_MS;
    for (uint32_t l = 0; l < block->view->levels_count; l++) {
        const struct level *level = &block->view->levels[l];
        uint32_t            from = block->entries[l].from, to = block->entries[l].to;
        if (level->profile == NULL && l == 0) {
            if (to > from)
                memcpy(block->last_ms, level->last_ms + from, (to - from) * sizeof(int64_t));
            continue;
        }
        for (uint32_t e = from; e < to; e++) {
            uint32_t i = (level->profile == NULL ? e : level->profile[e]) - block->first;
            if (level->last_ms[e] > block->last_ms[i])
                block->last_ms[i] = level->last_ms[e];
        }
    }
}

/* The first of `count` ascending numbers that is not below `wanted`. */
static uint32_t lower_bound(const uint32_t *numbers, uint32_t from, uint32_t to, uint32_t wanted)
{
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (numbers[middle] < wanted)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static uint32_t entry_of(const struct level *level, uint32_t profile)
{
    if (level->profile == NULL)
        return profile < level->profiles ? profile : level->profiles;
    return lower_bound(level->profile, 0, level->profiles, profile);
}

void block_make(struct block *block, const struct report *report, uint32_t first, uint32_t to)
{
    assert(first % REPORT_ALIGN == 0 && first < to && to <= report->view->profiles);
    block->report = report;
    block->view = report->view;
    block->first = first;
    block->count = to - first < BLOCK_PROFILES ? to - first : BLOCK_PROFILES;
    memset(block->alone, 0, sizeof block->alone);
    memset(block->ringed, 0, sizeof block->ringed);
    for (uint32_t l = 0; l < block->view->levels_count; l++) {
        block->entries[l].from = entry_of(&block->view->levels[l], first);
        block->entries[l].to = entry_of(&block->view->levels[l], first + block->count);
    }
    alone_fill(block->view->next + first, first, block->count, block->alone);
    ringed_fill(block);
    last_fill(block);
    for (uint32_t word = 0; report->among != NULL && word * 64 < block->count; word++) {
        block->alone[word] &= report->among[first / 64 + word];
        block->ringed[word] &= report->among[first / 64 + word];
    }
}

/* ---- slices */

/* A stretch of entries whose events lie within RANK_BITS of each other. */
struct rank {
    uint64_t bits[RANK_WORDS + 1];
    uint32_t before[RANK_WORDS + 1]; /* bits in the words before, and `from` */
};

static inline void rank_make(struct rank *rank, const uint32_t *posts, uint32_t from, uint32_t to,
                             uint32_t base, uint32_t end)
{
    uint32_t words = (end - base) / 64 + 1, sum = from;
    memset(rank->bits, 0, words * sizeof rank->bits[0]);
    for (uint32_t k = from; k < to; k++)
        rank->bits[(posts[k] - base) / 64] |= UINT64_C(1) << ((posts[k] - base) % 64);
    for (uint32_t word = 0; word < words; word++) {
        rank->before[word] = sum;
        sum += (uint32_t)__builtin_popcountll(rank->bits[word]);
    }
}

static inline uint32_t rank_of(const struct rank *rank, uint32_t place)
{
    uint64_t below = rank->bits[place / 64] & ((UINT64_C(1) << (place % 64)) - 1);
    return rank->before[place / 64] + (uint32_t)__builtin_popcountll(below);
}

/* out[k] = how many of posts[from..to) lie before offsets[k], plus `from`, for k in [0, count]. */
BLOCK_WIDE static void rank_fill(struct rank *rank, const uint32_t *posts, uint32_t from,
                                 uint32_t to, const uint32_t *offsets, uint32_t count,
                                 uint32_t *out)
{
    uint32_t base = offsets[0];
    rank_make(rank, posts, from, to, base, offsets[count]);
    for (uint32_t k = 0; k <= count; k++)
        out[k] = rank_of(rank, offsets[k] - base);
}

/* The same for some of a whole block's profiles: lo[i] and hi[i] for the bits of `asked` from i = k
 * on, `count` of them. */
BLOCK_WIDE static void rank_asked(struct rank *rank, const uint32_t *posts, uint32_t from,
                                  uint32_t to, const uint32_t *offsets, uint32_t k, uint32_t count,
                                  const uint64_t *asked, uint32_t *room)
{
    uint32_t base = offsets[k];
    rank_make(rank, posts, from, to, base, offsets[k + count]);
    for (uint32_t word = k / 64; word * 64 < k + count; word++) {
        uint64_t left = asked[word];
        if (word == k / 64)
            left &= UINT64_MAX << (k % 64);
        for (; left != 0; left &= left - 1) {
            uint32_t i = word * 64 + BLOCK_BIT(left);
            if (i >= k + count)
                break;
            room[i] = rank_of(rank, offsets[i] - base);
            room[BLOCK_PROFILES + i] = rank_of(rank, offsets[i + 1] - base);
        }
    }
}

/* How many entries from `from` on have their events within RANK_BITS; 0: the first alone has more.
 */
static uint32_t rank_reach(const uint32_t *offsets, uint32_t count)
{
    if (offsets[count] - offsets[0] <= RANK_BITS)
        return count;
    uint32_t low = 0, high = count;
    while (low + 1 < high) {
        uint32_t middle = low + (high - low) / 2;
        if (offsets[middle] - offsets[0] <= RANK_BITS)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void ranks_fill(const uint32_t *posts, uint32_t from, uint32_t to, const uint32_t *offsets,
                       uint32_t count, uint32_t *out)
{
    struct rank rank;
    uint32_t    k = 0;
    out[0] = from;
    while (k < count) {
        uint32_t reach = rank_reach(offsets + k, count - k);
        uint32_t step = reach == 0 ? 1 : reach;
        uint32_t end = lower_bound(posts, out[k], to, offsets[k + step]);
        if (reach == 0)
            out[k + 1] = end;
        else
            rank_fill(&rank, posts, out[k], end, offsets + k, step, out + k);
        k += step;
    }
}

/* Of a level that has a column of all profiles. */
static void ranks_asked(const uint32_t *posts, uint32_t from, uint32_t to, const uint32_t *offsets,
                        uint32_t count, const uint64_t *asked, uint32_t *room)
{
    struct rank rank;
    memset(room, 0, 2 * BLOCK_PROFILES * sizeof *room);
    for (uint32_t k = 0; k < count;) {
        uint32_t reach = rank_reach(offsets + k, count - k);
        uint32_t step = reach == 0 ? 1 : reach;
        uint32_t end = lower_bound(posts, from, to, offsets[k + step]);
        if (reach == 0) {
            room[k] = from;
            room[BLOCK_PROFILES + k] = end;
        } else {
            rank_asked(&rank, posts, from, end, offsets, k, step, asked, room);
        }
        from = end;
        k += step;
    }
}

/* Entry k's slice goes to the place of its profile. */
static void spread_out(const struct block *block, const struct level *level, uint32_t from,
                       uint32_t count, const uint32_t *bounds, uint32_t *room)
{
    uint32_t *lo = room, *hi = room + BLOCK_PROFILES;
    memset(lo, 0, block->count * sizeof *lo);
    memset(hi, 0, block->count * sizeof *hi);
    for (uint32_t k = 0; k < count; k++) {
        uint32_t i = level->profile[from + k] - block->first;
        lo[i] = bounds[k];
        hi[i] = bounds[k + 1];
    }
}

/* Of few people: each one's slice by halves, the others have none. */
static void few_fill(const struct slice_level *slice, const struct block *block, uint32_t from,
                     uint32_t to, const uint64_t *asked, uint32_t *room)
{
    const struct level *level = slice->level;
    uint32_t           *lo = room, *hi = room + BLOCK_PROFILES;
    memset(room, 0, 2 * BLOCK_PROFILES * sizeof *room);
    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        for (uint64_t left = asked[word]; left != 0; left &= left - 1) {
            uint32_t i = word * 64 + BLOCK_BIT(left);
            uint32_t e = block_entry(block, (uint32_t)(level - block->view->levels), i);
            if (e == BLOCK_NO_ENTRY)
                continue;
            lo[i] = lower_bound(slice->places, from, to, level->offsets[e]);
            hi[i] = lower_bound(slice->places, lo[i], to, level->offsets[e + 1]);
        }
}

uint32_t block_entry(const struct block *block, uint32_t l, uint32_t i)
{
    const struct level *level = &block->view->levels[l];
    uint32_t            from = block->entries[l].from, to = block->entries[l].to;
    if (level->profile == NULL)
        return block->first + i < level->profiles ? block->first + i : BLOCK_NO_ENTRY;
    uint32_t e = lower_bound(level->profile, from, to, block->first + i);
    return e < to && level->profile[e] == block->first + i ? e : BLOCK_NO_ENTRY;
}

static uint32_t people_in(const uint64_t *asked)
{
    uint32_t people = 0;
    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        people += (uint32_t)__builtin_popcountll(asked[word]);
    return people;
}

static bool level_slices(struct slice_level *slice, uint32_t *room, const struct block *block,
                         uint32_t l, uint16_t name, const uint64_t *asked, uint32_t people)
{
    const struct level *level = &block->view->levels[l];
    uint32_t            from = block->entries[l].from, count = block->entries[l].to - from;
    bool                all = name == BLOCK_ANYTHING;
    uint32_t            bounds_room[BLOCK_PROFILES + 1];
    uint32_t           *bounds = level->profile == NULL ? room : bounds_room;
    uint32_t            post = 0, end = 0;
    const uint32_t     *offsets = level->offsets + from;

    if (count == 0 || offsets[0] == offsets[count] || (!all && name >= level->names))
        return false;
    *slice = (struct slice_level){ .level = level, .places = all ? NULL : level->posts };
    if (!all) {
        post = lower_bound(level->posts, level->post_offsets[name], level->post_offsets[name + 1],
                           offsets[0]);
        end = level->post_offsets[name + 1];
        if (post == end || level->posts[post] >= offsets[count])
            return false;
        slice->lo = room;
        slice->hi = room + BLOCK_PROFILES;
        if (people < FEW) {
            end = lower_bound(level->posts, post, end, offsets[count]);
            few_fill(slice, block, post, end, asked, room);
            return true;
        }
        if (people < SOME && level->profile == NULL) {
            ranks_asked(level->posts, post, end, offsets, count, asked, room);
            return true;
        }
        ranks_fill(level->posts, post, end, offsets, count, bounds);
    } else {
        memcpy(bounds, offsets, (count + 1) * sizeof *bounds);
    }
    slice->lo = room;
    slice->hi = room + BLOCK_PROFILES;
    if (level->profile != NULL) {
        spread_out(block, level, from, count, bounds, room);
        return true;
    }
    for (uint32_t i = count + 1; i <= block->count; i++) /* profiles newer than the level */
        bounds[i] = bounds[count];
    slice->hi = room + 1;
    return true;
}

void slices_make(struct slices *slices, const struct block *block, uint16_t name)
{
    slices_make_of(slices, block, name, NULL);
}

void slices_make_of(struct slices *slices, const struct block *block, uint16_t name,
                    const uint64_t *asked)
{
    uint32_t people = asked == NULL ? BLOCK_PROFILES : people_in(asked);
    slices->levels_count = 0;
    for (uint32_t l = 0; l < block->view->levels_count; l++) {
        uint32_t count = slices->levels_count;
        slices->levels_count += level_slices(&slices->levels[count], slices->room[count], block, l,
                                             name, asked, people);
    }
}

uint32_t slice_first(const struct slice_level *slice, uint32_t lo, uint32_t hi, int64_t at_ms)
{
    /* Mostly the last few count: steps that double, from the newest, then halves. */
    uint32_t step = 1, high = hi;
    while (high > lo && slice_at_ms(slice, high - 1) >= at_ms) {
        hi = high - 1;
        high = high - lo > step ? high - step : lo;
        step *= 2;
    }
    lo = high;
    while (lo < hi) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (slice_at_ms(slice, middle) < at_ms)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

BLOCK_WIDE void slices_totals(const struct slices *slices, uint32_t count, uint32_t *totals)
{
    memset(totals, 0, BLOCK_PROFILES * sizeof *totals);
    for (uint32_t l = 0; l < slices->levels_count; l++) {
        const uint32_t *lo = slices->levels[l].lo, *hi = slices->levels[l].hi;
        for (uint32_t i = 0; i < count; i++)
            totals[i] += hi[i] - lo[i];
    }
}

BLOCK_WIDE void block_enough(const struct block *block, const uint32_t *totals, uint32_t need,
                             int64_t from_ms, uint64_t *out)
{
    uint8_t flags[BLOCK_PROFILES];
    memset(flags, 0, sizeof flags);
    for (uint32_t i = 0; i < block->count; i++)
        flags[i] = totals[i] >= need;
    if (from_ms > LAST_NEVER_MS)
        for (uint32_t i = 0; i < block->count; i++)
            flags[i] &= block->last_ms[i] >= from_ms;
    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        out[word] = block_word(flags + 64 * word);
}

BLOCK_WIDE void block_last(const struct block *block, int64_t from_ms, int64_t to_ms,
                           uint64_t *within, uint64_t *after)
{
    uint8_t in[BLOCK_PROFILES], late[BLOCK_PROFILES];
    memset(in, 0, sizeof in);
    memset(late, 0, sizeof late);
    for (uint32_t i = 0; i < block->count; i++) {
        in[i] = (block->last_ms[i] >= from_ms) & (block->last_ms[i] <= to_ms);
        late[i] = (block->last_ms[i] >= from_ms) & (block->last_ms[i] > to_ms);
    }
    for (uint32_t word = 0; word < BLOCK_WORDS; word++) {
        within[word] = block_word(in + 64 * word);
        after[word] = block_word(late + 64 * word);
    }
}

/* The day of everyone's first deed, over all levels; false where one does not know it. */
static bool days_fill(const struct block *block, uint16_t *days)
{
    memset(days, 0xff, BLOCK_PROFILES * sizeof *days);
    for (uint32_t l = 0; l < block->view->levels_count; l++) {
        const struct level *level = &block->view->levels[l];
        uint32_t            from = block->entries[l].from, to = block->entries[l].to;
        if (from < to && level->first_day == NULL)
            return false;
        if (from < to && level->profile == NULL && l == 0) {
            memcpy(days, level->first_day + from, (to - from) * sizeof *days);
            continue;
        }
        for (uint32_t e = from; e < to; e++) {
            uint32_t i = (level->profile == NULL ? e : level->profile[e]) - block->first;
            if (level->first_day[e] < days[i])
                days[i] = level->first_day[e];
        }
    }
    return true;
}

BLOCK_WIDE static void days_compare(const uint16_t *days, uint16_t day, uint64_t *before,
                                    uint64_t *after)
{
    uint8_t early[BLOCK_PROFILES], late[BLOCK_PROFILES];
    for (uint32_t i = 0; i < BLOCK_PROFILES; i++) {
        early[i] = days[i] < day;
        late[i] = days[i] > day;
    }
    for (uint32_t word = 0; word < BLOCK_WORDS; word++) {
        before[word] = block_word(early + 64 * word);
        after[word] = block_word(late + 64 * word);
    }
}

void block_first(const struct block *block, int64_t from_ms, uint64_t *before, uint64_t *not_before)
{
    uint16_t days[BLOCK_PROFILES];
    if (!days_fill(block, days)) {
        memset(before, 0, BLOCK_WORDS * sizeof *before);
        memset(not_before, 0, BLOCK_WORDS * sizeof *not_before);
        return;
    }
    days_compare(days, level_day(from_ms), before, not_before);
}

uint32_t slices_trait_bag(const struct slices *slices, const struct block *block, uint16_t key,
                          uint32_t i)
{
    int64_t     best_ms = INT64_MIN;
    uint32_t    best_seq = 0, best_bag = 0;
    struct json value;
    for (uint32_t l = 0; l < slices->levels_count; l++) {
        const struct slice_level *slice = &slices->levels[l];
        for (uint32_t k = slice->hi[i]; k > slice->lo[i]; k--) {
            uint32_t place = slice_place(slice, k - 1), bag = slice->level->bag[place];
            int64_t  at_ms = slice->level->at_ms[place];
            uint32_t seq = slice->level->seq[place];
            if (at_ms > block->report->at_ms ||
                !bag_find(bag_at(block->view->bags, bag), key, &value))
                continue;
            if (at_ms > best_ms || (at_ms == best_ms && seq >= best_seq)) {
                best_ms = at_ms;
                best_seq = seq;
                best_bag = bag;
            }
            break;
        }
    }
    return best_bag;
}

bool block_is_known(const struct block *block, uint32_t i, int64_t at_ms)
{
    if (block->last_ms[i] > LAST_NEVER_MS && block->last_ms[i] <= at_ms)
        return true;
    for (uint32_t l = 0; l < block->view->levels_count; l++) {
        const struct level *level = &block->view->levels[l];
        uint32_t            e = level_find(level, block->first + i);
        if (e != UINT32_MAX && level->offsets[e] < level->offsets[e + 1] &&
            level->at_ms[level->offsets[e]] <= at_ms)
            return true;
    }
    return false;
}
