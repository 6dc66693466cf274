#include "engine/behaviour/level.h"

enum { LINE_BYTES = 64, LEVEL_AHEAD_LINES = 4 };

static size_t pad(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

size_t level_lay(unsigned char *region, struct level_room room, struct level_columns *columns)
{
    size_t profile = 0;
    size_t offsets = room.numbered ? 0 : pad(room.profiles * sizeof(uint32_t));
    size_t at = offsets + pad((room.profiles + 1) * sizeof(uint32_t));
    size_t seq = at + pad(room.events * sizeof(int64_t));
    size_t bag = seq + pad(room.events * sizeof(uint32_t));
    size_t name = bag + pad(room.events * sizeof(uint32_t));
    size_t post_offsets = name + pad(room.events * sizeof(uint16_t));
    size_t posts = post_offsets + pad((room.names + 1) * sizeof(uint32_t));
    size_t last = posts + pad(room.events * sizeof(uint32_t));
    if (region != NULL)
        *columns = (struct level_columns){
            .profile = room.numbered ? NULL : (uint32_t *)(region + profile),
            .offsets = (uint32_t *)(region + offsets),
            .at_ms = (int64_t *)(region + at),
            .seq = (uint32_t *)(region + seq),
            .bag = (uint32_t *)(region + bag),
            .name = (uint16_t *)(region + name),
            .post_offsets = (uint32_t *)(region + post_offsets),
            .posts = (uint32_t *)(region + posts),
            .last_ms = (int64_t *)(region + last),
        };
    return last + pad(room.profiles * sizeof(int64_t));
}

/* The last bytes of what lies in [from, to). */
static void lines_prefetch(const void *from, const void *to)
{
    const char *begin = from, *end = to;
    for (int i = 0; i < LEVEL_AHEAD_LINES && end > begin; i++, end -= LINE_BYTES)
        __builtin_prefetch(end - 1);
}

void level_prefetch(const struct level *level, uint32_t entry, uint32_t step)
{
    if (entry >= level->profiles || step > 1)
        return;
    if (step == 0) {
        __builtin_prefetch(&level->offsets[entry]);
        return;
    }
    struct run run = level_run(level, entry);
    if (run.count == 0)
        return;
    lines_prefetch(run.name, run.name + run.count);
    lines_prefetch(run.at_ms, run.at_ms + run.count);
    __builtin_prefetch(&run.seq[run.count - 1]);
    __builtin_prefetch(&run.bag[run.count - 1]);
}

uint32_t level_find(const struct level *level, uint32_t profile)
{
    if (level->profile == NULL)
        return profile < level->profiles ? profile : UINT32_MAX;
    uint32_t low = 0, high = level->profiles;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (level->profile[middle] < profile)
            low = middle + 1;
        else
            high = middle;
    }
    return low < level->profiles && level->profile[low] == profile ? low : UINT32_MAX;
}

uint64_t level_merge(const struct level_columns *to, uint64_t at, const struct run *older,
                     const struct run *newer)
{
    uint32_t i = 0, k = 0;
    while (i < older->count && k < newer->count) {
        bool first = older->at_ms[i] < newer->at_ms[k] ||
                     (older->at_ms[i] == newer->at_ms[k] && older->seq[i] <= newer->seq[k]);
        level_copy(to, at++, first ? older : newer, first ? i++ : k++, 1);
    }
    level_copy(to, at, older, i, older->count - i);
    at += older->count - i;
    level_copy(to, at, newer, k, newer->count - k);
    return at + newer->count - k;
}

static void lasts_fill(const struct level_columns *columns, uint32_t profiles)
{
    for (uint32_t p = 0; p < profiles; p++) {
        uint32_t i = columns->offsets[p + 1];
        while (i > columns->offsets[p] && columns->name[i - 1] < RUN_DEEDS)
            i--;
        columns->last_ms[p] = i > columns->offsets[p] ? columns->at_ms[i - 1] : LAST_NEVER_MS;
    }
}

/* Counts each name, then lets the offsets run from each name's first post to its last. */
static void posts_fill(const struct level_columns *columns, uint32_t events, uint32_t names)
{
    uint32_t *next = columns->post_offsets, sum = 0;
    memset(next, 0, ((size_t)names + 1) * sizeof *next);
    for (uint32_t i = 0; i < events; i++)
        next[columns->name[i]]++;
    for (uint32_t n = 0; n <= names; n++) {
        uint32_t count = next[n];
        next[n] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < events; i++)
        columns->posts[next[columns->name[i]]++] = i;
    for (uint32_t n = names; n > 0; n--) /* each now stands where the one after it begins */
        next[n] = next[n - 1];
    next[0] = 0;
}

struct level level_finish(const struct level_columns *columns, uint32_t profiles, uint32_t names)
{
    uint32_t events = columns->offsets[profiles];
    lasts_fill(columns, profiles);
    posts_fill(columns, events, names);
    return (struct level){ .profiles = profiles,
                           .profile = columns->profile,
                           .offsets = columns->offsets,
                           .events = events,
                           .at_ms = columns->at_ms,
                           .seq = columns->seq,
                           .bag = columns->bag,
                           .name = columns->name,
                           .names = names,
                           .post_offsets = columns->post_offsets,
                           .posts = columns->posts,
                           .last_ms = columns->last_ms };
}

uint16_t level_day(int64_t at_ms)
{
    int64_t day = at_ms / TIME_DAY_MS;
    return (uint16_t)(at_ms < 0 ? 0 : day > UINT16_MAX ? UINT16_MAX : day);
}

void level_days(const struct level *level, uint16_t *days)
{
    for (uint32_t e = 0; e < level->profiles; e++) {
        uint32_t i = level->offsets[e], end = level->offsets[e + 1];
        while (i < end && level->name[i] < RUN_DEEDS)
            i++;
        days[e] = i < end ? level_day(level->at_ms[i]) : UINT16_MAX;
    }
}
