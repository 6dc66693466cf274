#include "engine/behaviour/base.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/space.h"

#define BASE_MAGIC UINT64_C(0x31657361622d6c64) /* "ld-base1" */

enum { BASE_VERSION = 5, NAMES_MAX = UINT16_MAX + 1 };

/* Bags are summed in pieces, so that what was summed once is not read again at the next base. */
#define BAGS_PIECE_BYTES ((size_t)1 << 20)

struct base_header {
    uint64_t magic;
    uint32_t version, seq;
    uint64_t profiles, events, names, bags_bytes;
    uint64_t bytes;                 /* of the whole file */
    uint64_t checksum;              /* of header and columns, with 0 in this place */
    uint64_t bags_whole, bags_rest; /* sums of the bags' whole pieces, and of what is left */
    uint64_t spare[6];
};

_Static_assert(sizeof(struct base_header) == 128, "the columns after it stay aligned");

static const uint32_t nobody[1]; /* offsets and post_offsets of the empty level */

struct base *base_open(void)
{
    struct base *base = calloc(1, sizeof *base);
    if (base == NULL)
        return NULL;
    atomic_init(&base->holds, 1);
    base->level.offsets = base->level.post_offsets = nobody;
    return base;
}

struct base *base_hold(struct base *base)
{
    holds_add(&base->holds);
    return base;
}

void base_drop(struct base *base)
{
    if (base == NULL || !holds_end(&base->holds))
        return;
    space_release(base->region, base->bytes);
    free(base->first_day);
    free(base);
}

/* ---- sums ---- */

/* The sum of one stretch of bags, at most a piece, as it is or as it will be when cleared. */
static uint64_t stretch_sum(const unsigned char *bags, size_t from, size_t to)
{
    return hash_str((struct str){ (const char *)bags + from, to - from }, from + 1);
}

static uint64_t cleared_sum(const struct base_parts *parts, unsigned char *scratch, size_t from,
                            size_t to)
{
    if (!removal_touches(parts->removal, from, to - from))
        return stretch_sum(parts->bags, from, to);
    memcpy(scratch, parts->bags + from, to - from);
    removal_clear(parts->removal, scratch, from, to - from);
    return hash_str((struct str){ (const char *)scratch, to - from }, from + 1);
}

static size_t whole(size_t bytes)
{
    return bytes & ~(BAGS_PIECE_BYTES - 1);
}

/* Continues the old base's sum, and corrects it where something is cleared. */
static enum err bags_sum(const struct base_parts *parts, struct base_header *header)
{
    size_t         summed = whole(parts->old->bags_bytes), end = whole(parts->bags_bytes);
    unsigned char *scratch = malloc(BAGS_PIECE_BYTES);
    if (scratch == NULL)
        return ERR_MEMORY;
    header->bags_whole = parts->old->bags_whole;
    for (size_t from = 0; from < end; from += BAGS_PIECE_BYTES) {
        bool touched = removal_touches(parts->removal, from, BAGS_PIECE_BYTES);
        if (from < summed && !touched)
            continue;
        if (from < summed)
            header->bags_whole -= stretch_sum(parts->bags, from, from + BAGS_PIECE_BYTES);
        header->bags_whole += cleared_sum(parts, scratch, from, from + BAGS_PIECE_BYTES);
    }
    header->bags_rest = cleared_sum(parts, scratch, end, parts->bags_bytes);
    free(scratch);
    return OK;
}

static uint64_t bags_whole_sum(const unsigned char *bags, size_t bytes)
{
    uint64_t sum = 0;
    for (size_t from = 0; from < whole(bytes); from += BAGS_PIECE_BYTES)
        sum += stretch_sum(bags, from, from + BAGS_PIECE_BYTES);
    return sum;
}

static uint64_t base_checksum(struct base_header header, const unsigned char *region)
{
    struct str columns = { (const char *)region + sizeof header, header.bytes - sizeof header };
    header.checksum = 0;
    return hash_str((struct str){ (const char *)&header, sizeof header }, hash_str(columns, 1));
}

/* ---- writing ---- */

static struct level_room room_of(const struct base_parts *parts)
{
    uint32_t profiles = blocks_profiles(&parts->fresh->blocks), names = parts->fresh->names;
    return (struct level_room){
        .profiles = profiles > parts->old->level.profiles ? profiles : parts->old->level.profiles,
        .events = parts->old->level.events + parts->fresh->events,
        .names = names > parts->old->level.names ? names : parts->old->level.names,
        .numbered = true,
    };
}

size_t base_bytes(const struct base_parts *parts)
{
    return sizeof(struct base_header) + level_lay(NULL, room_of(parts), NULL);
}

/* Gives how many events are left. */
static enum err events_write(const struct base_parts *parts, const struct level_columns *to,
                             uint32_t profiles, uint64_t *events)
{
    const struct level *old = &parts->old->level;
    struct bags         bags = { parts->bags, parts->bags_bytes };
    uint64_t            at = 0;
    uint32_t            removed = 0;
    bool                removes = !removal_is_empty(parts->removal);
    for (uint32_t p = 0; p < profiles; p++) {
        struct run before = { 0 }, fresh = { 0 };
        uint64_t   from = at;
        to->offsets[p] = (uint32_t)at;
        if (p < old->profiles)
            before = level_run(old, p);
        blocks_run(&parts->fresh->blocks, p, &fresh);
        at = level_merge(to, at, &before, &fresh);
        if (removes)
            TRY(removal_apply(parts->removal, &removed, p, to, bags, from, &at));
    }
    to->offsets[profiles] = (uint32_t)at;
    *events = at;
    return OK;
}

/* With fewer events than there was room for, each column begins earlier. */
static void columns_close_up(const struct level_columns *from, const struct level_columns *to,
                             uint64_t events)
{
    memmove(to->seq, from->seq, events * sizeof *to->seq);
    memmove(to->bag, from->bag, events * sizeof *to->bag);
    memmove(to->name, from->name, events * sizeof *to->name);
}

static void gap_clear(void *from, void *to)
{
    memset(from, 0, (size_t)((unsigned char *)to - (unsigned char *)from));
}

/* Between the columns nothing is left of what lay there before they closed up. */
static void gaps_clear(const struct level_columns *to, const struct level_room *room,
                       unsigned char *end)
{
    gap_clear(to->at_ms + room->events, to->seq);
    gap_clear(to->seq + room->events, to->bag);
    gap_clear(to->bag + room->events, to->name);
    gap_clear(to->name + room->events, to->post_offsets);
    gap_clear(to->post_offsets + room->names + 1, to->posts);
    gap_clear(to->posts + room->events, to->last_ms);
    gap_clear(to->last_ms + room->profiles, end);
}

enum err base_write(const struct base_parts *parts, unsigned char *region, size_t *bytes)
{
    struct level_room    room = room_of(parts);
    struct level_columns roomy = { 0 }, to = { 0 };
    uint32_t             profiles = (uint32_t)room.profiles;
    assert(base_bytes(parts) == *bytes);
    level_lay(region + sizeof(struct base_header), room, &roomy);
    TRY(events_write(parts, &roomy, profiles, &room.events));
    removal_settle(parts->removal);

    struct base_header header = { .magic = BASE_MAGIC,
                                  .version = BASE_VERSION,
                                  .seq = parts->seq,
                                  .profiles = profiles,
                                  .events = room.events,
                                  .names = room.names,
                                  .bags_bytes = parts->bags_bytes };
    header.bytes = sizeof header + level_lay(region + sizeof header, room, &to);
    columns_close_up(&roomy, &to, room.events);
    level_finish(&to, profiles, (uint32_t)room.names);
    gaps_clear(&to, &room, region + header.bytes);
    TRY(bags_sum(parts, &header));
    header.checksum = base_checksum(header, region);
    memcpy(region, &header, sizeof header);
    *bytes = header.bytes;
    return OK;
}

/* ---- taking ---- */

static struct level_room header_room(const struct base_header *header)
{
    return (struct level_room){ header->profiles, header->events, header->names, true };
}

static bool header_holds(const struct base_header *header, size_t bytes)
{
    return bytes >= sizeof *header && header->magic == BASE_MAGIC &&
           header->version == BASE_VERSION && header->bytes == bytes &&
           header->profiles < UINT32_MAX && header->events < UINT32_MAX &&
           header->names <= NAMES_MAX && header->bags_bytes >= BAG_UNIT_BYTES &&
           sizeof *header + level_lay(NULL, header_room(header), NULL) == bytes;
}

static bool ascends(const uint32_t *offsets, uint64_t count, uint64_t last)
{
    bool holds = offsets[0] == 0 && offsets[count] == last;
    for (uint64_t i = 0; i < count; i++)
        holds &= offsets[i] <= offsets[i + 1];
    return holds;
}

/* A base with the right sum was written by somebody; one who reads it must still not leave it. */
static bool level_holds(const struct level *level)
{
    uint32_t highest = 0;
    for (uint32_t i = 0; i < level->events; i++)
        highest = level->posts[i] > highest ? level->posts[i] : highest;
    return ascends(level->offsets, level->profiles, level->events) &&
           ascends(level->post_offsets, level->names, level->events) &&
           (level->events == 0 || highest < level->events);
}

static struct level level_of(const struct base_header *header, const unsigned char *region)
{
    struct level_columns c;
    level_lay((unsigned char *)region + sizeof *header, header_room(header), &c);
    return (struct level){ .profiles = (uint32_t)header->profiles,
                           .offsets = c.offsets,
                           .events = (uint32_t)header->events,
                           .at_ms = c.at_ms,
                           .seq = c.seq,
                           .bag = c.bag,
                           .name = c.name,
                           .names = (uint32_t)header->names,
                           .post_offsets = c.post_offsets,
                           .posts = c.posts,
                           .last_ms = c.last_ms };
}

enum err base_take(struct base *base, unsigned char *region, size_t bytes)
{
    const struct base_header *header = (const struct base_header *)region;
    assert(base->region == NULL);
    if (!header_holds(header, bytes))
        return ERR_CORRUPT;
    base->level = level_of(header, region);
    base->level.first_day = base->first_day;
    base->region = region;
    base->bytes = bytes;
    base->seq = header->seq;
    base->bags_bytes = header->bags_bytes;
    base->bags_whole = header->bags_whole;
    return OK;
}

void base_days(struct base *base, const unsigned char *region)
{
    struct level level = level_of((const struct base_header *)region, region);
    free(base->first_day); /* of a base that was given up */
    base->first_day = malloc(((size_t)level.profiles + 1) * sizeof *base->first_day);
    if (base->first_day != NULL)
        level_days(&level, base->first_day);
    base->level.first_day = base->first_day;
}

enum err base_check(const struct base *base)
{
    const struct base_header *header = (const struct base_header *)base->region;
    bool                      holds =
        base_checksum(*header, base->region) == header->checksum && level_holds(&base->level);
    return holds ? OK : ERR_CORRUPT;
}

enum err base_bags_check(const struct base *base, const unsigned char *bags)
{
    const struct base_header *header = (const struct base_header *)base->region;
    size_t                    end = whole(header->bags_bytes);
    bool                      holds = bags_whole_sum(bags, end) == header->bags_whole &&
                 stretch_sum(bags, end, header->bags_bytes) == header->bags_rest;
    return holds ? OK : ERR_CORRUPT;
}
