#include "engine/profile/memberships.h"

#include <assert.h>
#include <string.h>

#include "base/time.h"

enum {
    HEAD_BYTES = 2,
    INSTANT_BYTES = 6,
    ROW_BYTES = HEAD_BYTES + 2 * INSTANT_BYTES,
    LINE_BYTES = 64,
    AHEAD_BYTES_MAX = 512,
    HEAD_TIMED = 1, /* the instant until which it holds is kept, and not TIME_NEVER */
    HEAD_IN = 2,
    HEAD_SHIFT = 2,
};
_Static_assert(MEMBERSHIP_SEGMENTS << HEAD_SHIFT == 1 << 16, "a head is two bytes");

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first bytes are the low ones");

/* ---- instants ---- */

static const int64_t INSTANT_FIRST_MS = TIME_MAX_MS - (INT64_C(1) << 48) + 1;

static void instant_put(unsigned char *at, int64_t ms)
{
    int64_t within = ms > TIME_MAX_MS ? TIME_MAX_MS : ms;
    int64_t kept = within < INSTANT_FIRST_MS ? 0 : within - INSTANT_FIRST_MS;
    memcpy(at, &kept, INSTANT_BYTES);
}

static int64_t instant_get(const unsigned char *at)
{
    int64_t kept = 0;
    memcpy(&kept, at, INSTANT_BYTES);
    return INSTANT_FIRST_MS + kept;
}

/* ---- columns ---- */

static uint16_t *heads(const struct memberships *all)
{
    return (uint16_t *)all->bytes;
}

static unsigned char *until_at(const struct memberships *all, uint32_t i)
{
    return all->bytes + (size_t)all->room * HEAD_BYTES + (size_t)i * INSTANT_BYTES;
}

static unsigned char *entered_at(const struct memberships *all, uint32_t i)
{
    return until_at(all, all->room) + (size_t)i * INSTANT_BYTES;
}

/* Items i and after of each column stand `by` places further in `to`, which may be the same. */
static void columns_move(struct memberships *to, const struct memberships *from, uint32_t i, int by)
{
    size_t   rest = from->count - i;
    uint32_t place = (uint32_t)((int)i + by);
    memmove(heads(to) + place, heads(from) + i, rest * HEAD_BYTES);
    memmove(until_at(to, place), until_at(from, i), rest * INSTANT_BYTES);
    memmove(entered_at(to, place), entered_at(from, i), rest * INSTANT_BYTES);
}

static void put(struct memberships *all, uint32_t i, struct membership one)
{
    bool is_timed = one.until_ms != TIME_NEVER;
    heads(all)[i] = (uint16_t)(one.segment << HEAD_SHIFT | (one.in ? HEAD_IN : 0) |
                               (is_timed ? HEAD_TIMED : 0));
    instant_put(until_at(all, i), is_timed ? one.until_ms : 0);
    instant_put(entered_at(all, i), one.entered_ms);
}

/* The place of the segment, or where it would be put. */
static uint32_t place_of(const struct memberships *all, uint32_t segment)
{
    const uint16_t *at = heads(all);
    uint32_t        count = all->count;
    while (count > 0) { /* without a branch that cannot be foretold */
        uint32_t half = count / 2;
        bool     is_before = (uint32_t)at[half] >> HEAD_SHIFT < segment;
        at = is_before ? at + half + 1 : at;
        count = is_before ? count - half - 1 : half;
    }
    return (uint32_t)(at - heads(all));
}

static bool is_at(const struct memberships *all, uint32_t i, uint32_t segment)
{
    return i < all->count && (uint32_t)heads(all)[i] >> HEAD_SHIFT == segment;
}

enum err memberships_reserve(struct memberships *all, struct slab *slab, uint32_t room)
{
    struct memberships grown = { .count = all->count, .room = room };
    if (room <= all->room)
        return OK;
    grown.bytes = slab_take(slab, (size_t)room * ROW_BYTES);
    if (grown.bytes == NULL)
        return ERR_MEMORY;
    if (all->count > 0)
        columns_move(&grown, all, 0, 0);
    memberships_done(all);
    *all = grown;
    return OK;
}

/* ---- what is asked ---- */

int64_t memberships_until_ms(const struct memberships *all, uint32_t i)
{
    assert(i < all->count);
    return heads(all)[i] & HEAD_TIMED ? instant_get(until_at(all, i)) : TIME_NEVER;
}

struct membership memberships_at(const struct memberships *all, uint32_t i)
{
    return (struct membership){ .until_ms = memberships_until_ms(all, i),
                                .entered_ms = instant_get(entered_at(all, i)),
                                .segment = (uint32_t)heads(all)[i] >> HEAD_SHIFT,
                                .in = (heads(all)[i] & HEAD_IN) != 0 };
}

struct membership memberships_of(const struct memberships *all, uint32_t segment)
{
    uint32_t i = place_of(all, segment);
    return is_at(all, i, segment)
               ? memberships_at(all, i)
               : (struct membership){ .until_ms = TIME_NEVER, .segment = segment };
}

enum err memberships_set(struct memberships *all, struct slab *slab, struct membership one)
{
    uint32_t i = place_of(all, one.segment);
    bool     there = is_at(all, i, one.segment);
    assert(one.segment < MEMBERSHIP_SEGMENTS);
    if (one.until_ms > TIME_MAX_MS)
        one.until_ms = TIME_NEVER;
    if (!one.in && one.until_ms == TIME_NEVER) {
        if (!there)
            return OK;
        columns_move(all, all, i + 1, -1);
        if (--all->count == 0)
            memberships_done(all);
        return OK;
    }
    if (!there) {
        if (all->count == all->room)
            TRY(memberships_reserve(all, slab, all->room + all->room / 8 + 1));
        columns_move(all, all, i, 1);
        all->count++;
    }
    put(all, i, one);
    return OK;
}

/* When each was entered is asked by hardly anyone. */
void memberships_prefetch(const struct memberships *all)
{
    size_t bytes = (size_t)all->room * (HEAD_BYTES + INSTANT_BYTES);
    for (size_t at = 0; at < bytes && at < AHEAD_BYTES_MAX; at += LINE_BYTES)
        __builtin_prefetch(all->bytes + at);
}

void memberships_done(struct memberships *all)
{
    slab_give(all->bytes, (size_t)all->room * ROW_BYTES);
    *all = (struct memberships){ 0 };
}
