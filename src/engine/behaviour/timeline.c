#include "engine/behaviour/timeline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define BAGS_BYTES_MAX ((size_t)32 << 30)
#define BASE_MAGIC UINT64_C(0x31657361622d6c64) /* "ld-base1" */

enum { BASE_VERSION = 2, DELTA_PROFILES_MIN = 1024, BAG_UNIT = 8 };

/* Bags are summed in pieces, so that what was summed once is not read again at the next base. */
#define BAGS_PIECE_BYTES ((size_t)1 << 20)

/* The file is this header, then offsets, at, seq, bag, name, each padded to 64 bytes. */
struct base_header {
    uint64_t magic;
    uint32_t version, seq;
    uint64_t profiles, events, bags_bytes;
    uint64_t bytes;                 /* of the whole file */
    uint64_t checksum;              /* of header and columns, with 0 in this place */
    uint64_t bags_whole, bags_rest; /* sums of the bags' whole pieces, and of what is left */
    uint64_t spare[7];
};

_Static_assert(sizeof(struct base_header) == 128, "the columns after it stay aligned");

struct columns {
    uint32_t *offsets; /* profiles + 1 */
    int64_t  *at_ms;
    uint32_t *seq, *bag;
    uint16_t *name;
};

struct base {
    unsigned char *region; /* NULL for the empty base */
    size_t         bytes;
    uint64_t       profiles, events;
    uint32_t       seq;
    uint64_t       bags_bytes, bags_whole; /* what is summed already */
    struct columns columns;
};

/* One profile's new events: at, seq, bag, name as four arrays of `room` in one block. */
struct block {
    uint32_t count, room;
    int64_t  at_ms[];
};

struct delta {
    struct block **blocks; /* by profile */
    uint32_t       profiles;
    uint64_t       events;
    uint64_t       bytes;
};

struct timeline {
    struct base  base;
    struct delta delta, frozen;
    bool         freezing;
    uint32_t     freeze_seq;
    size_t       freeze_bags_bytes;
    struct space bags;
};

static uint32_t *block_seq(struct block *b)
{
    return (uint32_t *)(b->at_ms + b->room);
}

static uint32_t *block_bag(struct block *b)
{
    return block_seq(b) + b->room;
}

static uint16_t *block_name(struct block *b)
{
    return (uint16_t *)(block_bag(b) + b->room);
}

static size_t block_bytes(uint32_t room)
{
    return sizeof(struct block) + (size_t)room * (8 + 4 + 4 + 2);
}

struct timeline *timeline_open(void)
{
    struct timeline *timeline = calloc(1, sizeof *timeline);
    if (timeline == NULL)
        return NULL;
    size_t first; /* place 0 means "no properties" */
    if (space_open(&timeline->bags, BAGS_BYTES_MAX) == OK &&
        space_add(&timeline->bags, BAG_UNIT, BAG_UNIT, &first) == OK)
        return timeline;
    timeline_close(timeline);
    return NULL;
}

static void delta_done(struct delta *delta)
{
    for (uint32_t i = 0; i < delta->profiles; i++)
        free(delta->blocks[i]);
    free(delta->blocks);
    *delta = (struct delta){ 0 };
}

static void base_done(struct base *base)
{
    space_release(base->region, base->bytes);
    *base = (struct base){ 0 };
}

void timeline_close(struct timeline *timeline)
{
    if (timeline == NULL)
        return;
    delta_done(&timeline->delta);
    delta_done(&timeline->frozen);
    base_done(&timeline->base);
    space_close(&timeline->bags);
    free(timeline);
}

static enum err delta_reach(struct delta *delta, uint32_t profile)
{
    if (profile < delta->profiles)
        return OK;
    uint64_t wanted = delta->profiles == 0 ? DELTA_PROFILES_MIN : (uint64_t)delta->profiles * 2;
    if (wanted <= profile)
        wanted = (uint64_t)profile + 1;
    struct block **grown = realloc(delta->blocks, wanted * sizeof *grown);
    if (grown == NULL)
        return ERR_MEMORY;
    memset(grown + delta->profiles, 0, (wanted - delta->profiles) * sizeof *grown);
    delta->blocks = grown;
    delta->profiles = (uint32_t)wanted;
    return OK;
}

static struct block *block_grow(struct delta *delta, struct block *old)
{
    uint32_t count = old == NULL ? 0 : old->count;
    uint32_t room = old == NULL ? 2 : old->room < 16 ? old->room * 2 : old->room + old->room / 2;
    struct block *grown = malloc(block_bytes(room));
    if (grown == NULL)
        return NULL;
    grown->count = count;
    grown->room = room;
    if (old != NULL) {
        memcpy(grown->at_ms, old->at_ms, count * sizeof(int64_t));
        memcpy(block_seq(grown), block_seq(old), count * sizeof(uint32_t));
        memcpy(block_bag(grown), block_bag(old), count * sizeof(uint32_t));
        memcpy(block_name(grown), block_name(old), count * sizeof(uint16_t));
        delta->bytes -= block_bytes(old->room);
        free(old);
    }
    delta->bytes += block_bytes(room);
    return grown;
}

/* Opens a place at i; late events are rare, so their cost is the move. */
static void block_open(struct block *b, uint32_t i)
{
    uint32_t after = b->count - i;
    memmove(b->at_ms + i + 1, b->at_ms + i, after * sizeof(int64_t));
    memmove(block_seq(b) + i + 1, block_seq(b) + i, after * sizeof(uint32_t));
    memmove(block_bag(b) + i + 1, block_bag(b) + i, after * sizeof(uint32_t));
    memmove(block_name(b) + i + 1, block_name(b) + i, after * sizeof(uint16_t));
}

/* Where an event belongs: nearly always at the end, else found by halving. */
static uint32_t block_place(struct block *b, int64_t at_ms, uint32_t seq)
{
    uint32_t low = 0, high = b->count;
    if (high == 0 || b->at_ms[high - 1] < at_ms ||
        (b->at_ms[high - 1] == at_ms && block_seq(b)[high - 1] < seq))
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        bool     before =
            b->at_ms[middle] < at_ms || (b->at_ms[middle] == at_ms && block_seq(b)[middle] < seq);
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum err timeline_add(struct timeline *timeline, struct timeline_event event)
{
    struct delta *delta = &timeline->delta;
    if (timeline->base.events + timeline->frozen.events + delta->events >= UINT32_MAX)
        return ERR_LIMIT;
    TRY(delta_reach(delta, event.profile));
    struct block *b = delta->blocks[event.profile];
    if (b == NULL || b->count == b->room) {
        b = block_grow(delta, b);
        if (b == NULL)
            return ERR_MEMORY;
        delta->blocks[event.profile] = b;
    }

    uint32_t i = block_place(b, event.at_ms, event.seq);
    if (i < b->count)
        block_open(b, i);
    b->at_ms[i] = event.at_ms;
    block_seq(b)[i] = event.seq;
    block_bag(b)[i] = event.bag;
    block_name(b)[i] = event.name;
    b->count++;
    delta->events++;
    return OK;
}

enum err timeline_bag_add(struct timeline *timeline, struct str bag, uint32_t *place)
{
    size_t offset;
    if (bag.len == 0) {
        *place = 0;
        return OK;
    }
    TRY(space_add(&timeline->bags, bag.len, BAG_UNIT, &offset));
    memcpy(timeline->bags.bytes + offset, bag.ptr, bag.len);
    *place = (uint32_t)(offset / BAG_UNIT);
    return OK;
}

struct bags timeline_bags(const struct timeline *timeline)
{
    return (struct bags){ timeline->bags.bytes, timeline->bags.len };
}

static bool run_of_block(struct block *b, struct run *run)
{
    if (b == NULL || b->count == 0)
        return false;
    *run = (struct run){ .name = block_name(b),
                         .at_ms = b->at_ms,
                         .seq = block_seq(b),
                         .bag = block_bag(b),
                         .count = b->count };
    return true;
}

static bool run_of_base(const struct base *base, uint32_t profile, struct run *run)
{
    if (profile >= base->profiles)
        return false;
    const struct columns *c = &base->columns;
    uint32_t              from = c->offsets[profile], to = c->offsets[profile + 1];
    *run = (struct run){ .name = c->name + from,
                         .at_ms = c->at_ms + from,
                         .seq = c->seq + from,
                         .bag = c->bag + from,
                         .count = to - from };
    return to > from;
}

uint32_t timeline_runs(const struct timeline *timeline, uint32_t profile, struct run *runs)
{
    uint32_t count = 0;
    if (run_of_base(&timeline->base, profile, &runs[count]))
        count++;
    if (profile < timeline->frozen.profiles &&
        run_of_block(timeline->frozen.blocks[profile], &runs[count]))
        count++;
    if (profile < timeline->delta.profiles &&
        run_of_block(timeline->delta.blocks[profile], &runs[count]))
        count++;
    return count;
}

static void block_end_prefetch(struct block *b)
{
    __builtin_prefetch(b->at_ms + b->count);
    __builtin_prefetch(block_seq(b) + b->count);
    __builtin_prefetch(block_bag(b) + b->count);
    __builtin_prefetch(block_name(b) + b->count);
}

void timeline_prefetch(const struct timeline *timeline, uint32_t profile, uint32_t step)
{
    if (profile >= timeline->delta.profiles)
        return;
    if (step == 0)
        __builtin_prefetch(&timeline->delta.blocks[profile]);
    else if (timeline->delta.blocks[profile] == NULL)
        return;
    else if (step == 1)
        __builtin_prefetch(timeline->delta.blocks[profile]);
    else
        block_end_prefetch(timeline->delta.blocks[profile]);
}

uint64_t timeline_count(const struct timeline *timeline)
{
    return timeline->base.events + timeline->frozen.events + timeline->delta.events;
}

uint64_t timeline_delta_count(const struct timeline *timeline)
{
    return timeline->frozen.events + timeline->delta.events;
}

uint32_t timeline_base_seq(const struct timeline *timeline)
{
    return timeline->base.seq;
}

size_t timeline_bags_bytes(const struct timeline *timeline)
{
    return timeline->bags.len;
}

/* ---- making a new base ---- */

static size_t pad(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

/* Lays the columns out in a region; with region NULL only the size is of use. */
static size_t columns_lay(unsigned char *region, uint64_t profiles, uint64_t events,
                          struct columns *columns)
{
    size_t offsets = sizeof(struct base_header);
    size_t at = offsets + pad((profiles + 1) * sizeof(uint32_t));
    size_t seq = at + pad(events * sizeof(int64_t));
    size_t bag = seq + pad(events * sizeof(uint32_t));
    size_t name = bag + pad(events * sizeof(uint32_t));
    if (region != NULL)
        *columns = (struct columns){ (uint32_t *)(region + offsets), (int64_t *)(region + at),
                                     (uint32_t *)(region + seq), (uint32_t *)(region + bag),
                                     (uint16_t *)(region + name) };
    return name + pad(events * sizeof(uint16_t));
}

static uint64_t profiles_after(const struct timeline *timeline)
{
    uint64_t profiles = timeline->frozen.profiles;
    while (profiles > 0 && timeline->frozen.blocks[profiles - 1] == NULL)
        profiles--;
    return profiles > timeline->base.profiles ? profiles : timeline->base.profiles;
}

enum err timeline_freeze(struct timeline *timeline, uint32_t seq, size_t *bytes)
{
    if (timeline->freezing)
        return ERR_CONFLICT;
    timeline->frozen = timeline->delta;
    timeline->delta = (struct delta){ 0 };
    timeline->freezing = true;
    timeline->freeze_seq = seq;
    timeline->freeze_bags_bytes = timeline->bags.len;
    *bytes = columns_lay(NULL, profiles_after(timeline),
                         timeline->base.events + timeline->frozen.events, NULL);
    return OK;
}

static void copy_event(const struct columns *to, uint64_t i, const struct run *from, uint32_t k)
{
    to->at_ms[i] = from->at_ms[k];
    to->seq[i] = from->seq[k];
    to->bag[i] = from->bag[k];
    to->name[i] = from->name[k];
}

static uint64_t merge_runs(const struct columns *to, uint64_t at, const struct run *a,
                           const struct run *b)
{
    uint32_t i = 0, k = 0;
    while (i < a->count && k < b->count) {
        bool first =
            a->at_ms[i] < b->at_ms[k] || (a->at_ms[i] == b->at_ms[k] && a->seq[i] < b->seq[k]);
        if (first)
            copy_event(to, at++, a, i++);
        else
            copy_event(to, at++, b, k++);
    }
    while (i < a->count)
        copy_event(to, at++, a, i++);
    while (k < b->count)
        copy_event(to, at++, b, k++);
    return at;
}

/* Continues the sum of whole pieces from byte `from`, a multiple of a piece, to `to`. */
static uint64_t pieces_sum(const unsigned char *bags, size_t from, size_t to, uint64_t sum)
{
    for (; from + BAGS_PIECE_BYTES <= to; from += BAGS_PIECE_BYTES)
        sum += hash_str((struct str){ (const char *)bags + from, BAGS_PIECE_BYTES }, from + 1);
    return sum;
}

static uint64_t rest_sum(const unsigned char *bags, size_t to)
{
    size_t from = to & ~(BAGS_PIECE_BYTES - 1);
    return hash_str((struct str){ (const char *)bags + from, to - from }, from + 1);
}

static uint64_t base_checksum(struct base_header header, const unsigned char *region, size_t bytes)
{
    struct str columns = { (const char *)region + sizeof header, bytes - sizeof header };
    header.checksum = 0;
    return hash_str((struct str){ (const char *)&header, sizeof header }, hash_str(columns, 1));
}

void timeline_write(const struct timeline *timeline, unsigned char *region, size_t bytes)
{
    uint64_t           profiles = profiles_after(timeline);
    uint64_t           events = timeline->base.events + timeline->frozen.events;
    struct columns     to = { 0 };
    struct base_header header = { .magic = BASE_MAGIC,
                                  .version = BASE_VERSION,
                                  .seq = timeline->freeze_seq,
                                  .profiles = profiles,
                                  .events = events,
                                  .bags_bytes = timeline->freeze_bags_bytes,
                                  .bytes = bytes };
    size_t             laid = columns_lay(region, profiles, events, &to);
    assert(laid == bytes);
    (void)laid;

    uint64_t at = 0;
    for (uint64_t p = 0; p < profiles; p++) {
        struct run old = { 0 }, fresh = { 0 };
        to.offsets[p] = (uint32_t)at;
        run_of_base(&timeline->base, (uint32_t)p, &old);
        if (p < timeline->frozen.profiles)
            run_of_block(timeline->frozen.blocks[p], &fresh);
        at = merge_runs(&to, at, &old, &fresh);
    }
    to.offsets[profiles] = (uint32_t)at;
    const unsigned char *bags = timeline->bags.bytes;
    size_t               summed = timeline->base.bags_bytes & ~(BAGS_PIECE_BYTES - 1);
    header.bags_whole = pieces_sum(bags, summed, header.bags_bytes, timeline->base.bags_whole);
    header.bags_rest = rest_sum(bags, header.bags_bytes);
    header.checksum = base_checksum(header, region, bytes);
    memcpy(region, &header, sizeof header);
}

static void base_take(struct base *base, unsigned char *region, size_t bytes)
{
    const struct base_header *header = (const struct base_header *)region;
    *base = (struct base){ .region = region,
                           .bytes = bytes,
                           .profiles = header->profiles,
                           .events = header->events,
                           .seq = header->seq,
                           .bags_bytes = header->bags_bytes,
                           .bags_whole = header->bags_whole };
    columns_lay(region, header->profiles, header->events, &base->columns);
}

void timeline_swap(struct timeline *timeline, unsigned char *region, size_t bytes)
{
    assert(timeline->freezing);
    base_done(&timeline->base);
    base_take(&timeline->base, region, bytes);
    delta_done(&timeline->frozen);
    timeline->freezing = false;
}

void timeline_thaw(struct timeline *timeline)
{
    if (!timeline->freezing)
        return;
    struct delta newer = timeline->delta;
    timeline->delta = timeline->frozen;
    timeline->frozen = (struct delta){ 0 };
    timeline->freezing = false;
    for (uint32_t p = 0; p < newer.profiles; p++) {
        struct run run;
        if (!run_of_block(newer.blocks[p], &run))
            continue;
        for (uint32_t i = 0; i < run.count; i++)
            if (timeline_add(timeline, (struct timeline_event){ p, run.name[i], run.seq[i],
                                                                run.bag[i], run.at_ms[i] }) != OK)
                abort(); /* an event must not be lost, and no caller could be told */
    }
    delta_done(&newer);
}

/* ---- loading ---- */

static bool header_holds(const struct base_header *header, size_t bytes, size_t bags_file_bytes)
{
    return bytes >= sizeof *header && header->magic == BASE_MAGIC &&
           header->version == BASE_VERSION && header->bytes == bytes &&
           header->profiles < UINT32_MAX && header->events < UINT32_MAX &&
           header->bags_bytes >= BAG_UNIT && header->bags_bytes <= bags_file_bytes &&
           columns_lay(NULL, header->profiles, header->events, NULL) == bytes;
}

/* The bags anew: of a file, or (with none) empty but for place 0. */
static enum err bags_reopen(struct timeline *timeline, int file, size_t bytes)
{
    size_t first;
    space_close(&timeline->bags);
    TRY(space_open(&timeline->bags, BAGS_BYTES_MAX));
    return bytes > 0 ? space_map(&timeline->bags, file, bytes)
                     : space_add(&timeline->bags, BAG_UNIT, BAG_UNIT, &first);
}

enum err timeline_load(struct timeline *timeline, unsigned char *region, size_t bytes,
                       int bags_file, size_t bags_file_bytes)
{
    const struct base_header *header = (const struct base_header *)region;
    assert(timeline_count(timeline) == 0 && timeline->base.region == NULL);
    if (!header_holds(header, bytes, bags_file_bytes))
        return ERR_CORRUPT;
    if (base_checksum(*header, region, bytes) != header->checksum)
        return ERR_CORRUPT;

    TRY(bags_reopen(timeline, bags_file, header->bags_bytes));
    const unsigned char *bags = timeline->bags.bytes;
    if (pieces_sum(bags, 0, header->bags_bytes, 0) != header->bags_whole ||
        rest_sum(bags, header->bags_bytes) != header->bags_rest) {
        TRY(bags_reopen(timeline, -1, 0));
        return ERR_CORRUPT;
    }
    base_take(&timeline->base, region, bytes);
    return OK;
}

struct timeline_sizes timeline_sizes(const struct timeline *timeline)
{
    uint64_t tables =
        ((uint64_t)timeline->delta.profiles + timeline->frozen.profiles) * sizeof(struct block *);
    return (struct timeline_sizes){
        .base_bytes = timeline->base.bytes,
        .delta_bytes = timeline->delta.bytes + timeline->frozen.bytes + tables,
        .bags_bytes = timeline->bags.len,
    };
}
