#include "engine/behaviour/removal.h"

#include <stdlib.h>

void removal_done(struct removal *removal)
{
    VEC_DONE(&removal->forgotten);
    VEC_DONE(&removal->cleared);
    free(removal->hidden);
    free(removal->outlived.profiles);
    retention_done(&removal->retention);
    *removal = (struct removal){ 0 };
}

bool removal_is_empty(const struct removal *removal)
{
    return removal->forgotten.count == 0 && !removal->retains;
}

static enum err bits_reach(unsigned char **bits, uint32_t *bytes, uint32_t profile)
{
    uint32_t byte = profile / 8;
    if (byte < *bytes)
        return OK;
    uint32_t       more = byte + 1 + byte / 2;
    unsigned char *grown = realloc(*bits, more);
    if (grown == NULL)
        return ERR_MEMORY;
    memset(grown + *bytes, 0, more - *bytes);
    *bits = grown;
    *bytes = more;
    return OK;
}

static void bit_set(unsigned char *bits, uint32_t profile)
{
    bits[profile / 8] |= (unsigned char)(1 << profile % 8);
}

enum err removal_forget(struct removal *removal, struct forgotten forgotten)
{
    TRY(bits_reach(&removal->hidden, &removal->hidden_bytes, forgotten.profile));
    TRY(VEC_ADD(&removal->forgotten, forgotten));
    bit_set(removal->hidden, forgotten.profile);
    return OK;
}

enum err removal_retain(struct removal *removal, struct retention retention)
{
    struct retention copy;
    TRY(retention_copy(&retention, &copy));
    retention_done(&removal->retention);
    removal->retention = copy;
    removal->retains = true;
    removal->latest_ms = retention.rest_ms;
    for (uint32_t n = 0; n < retention.names; n++)
        if (copy.before_ms[n] > removal->latest_ms)
            removal->latest_ms = copy.before_ms[n];
    return OK;
}

enum err removal_note(struct removal *removal, struct bags bags, uint32_t place)
{
    struct bag bag = bag_at(bags, place);
    if (bag.len == 0)
        return OK;
    size_t from = (size_t)place * BAG_UNIT_BYTES, to = (size_t)(bag.bytes - bags.bytes) + bag.len;
    return VEC_ADD(&removal->cleared, (struct stretch){ from, to - from });
}

enum err removal_join(struct removal *removal, struct removal *more)
{
    for (uint32_t i = 0; i < more->forgotten.count; i++)
        TRY(removal_forget(removal, more->forgotten.items[i]));
    for (uint32_t i = 0; i < more->noted; i++) /* the rest will be found again */
        TRY(VEC_ADD(&removal->cleared, more->cleared.items[i]));
    if (more->retains && !removal->retains) {
        removal->retention = more->retention;
        removal->latest_ms = more->latest_ms;
        removal->retains = true;
        more->retention = retention_none();
    }
    removal_done(more);
    return OK;
}

/* ---- asking ---- */

static int forgotten_compare(const void *a, const void *b)
{
    const struct forgotten *one = a, *two = b;
    if (one->profile != two->profile)
        return one->profile < two->profile ? -1 : 1;
    return one->seq < two->seq ? -1 : one->seq > two->seq;
}

void removal_begin(struct removal *removal)
{
    removal->noted = removal->cleared.count;
    if (removal->forgotten.count > 0)
        qsort(removal->forgotten.items, removal->forgotten.count, sizeof *removal->forgotten.items,
              forgotten_compare);
}

/* The last record of the profile that is forgotten, or -1. */
static int64_t forgotten_seq(const struct removal *removal, uint32_t *at, uint32_t profile)
{
    int64_t seq = -1;
    for (; *at < removal->forgotten.count; (*at)++) {
        const struct forgotten *f = &removal->forgotten.items[*at];
        if (f->profile > profile)
            break;
        if (f->profile == profile)
            seq = f->seq;
    }
    return seq;
}

struct gone {
    uint32_t bag;
    bool     own; /* one of the house's names: only those share bags */
};

static bool is_outlived(const struct removal *removal, const struct level_columns *columns,
                        uint64_t i)
{
    return removal->retains &&
           retention_hides(&removal->retention, columns->name[i], columns->at_ms[i]);
}

/* Events that stay close up; gives where they end, and the bags of those that go. */
static uint64_t events_part(struct removal *removal, int64_t seq,
                            const struct level_columns *columns, uint64_t from, uint64_t to,
                            struct gone *gone)
{
    uint64_t kept = from, left = 0;
    for (uint64_t i = from; i < to; i++) {
        bool forgotten = (int64_t)columns->seq[i] <= seq;
        bool outlived = !forgotten && is_outlived(removal, columns, i);
        removal->outlived.events += outlived;
        if (forgotten || outlived) {
            gone[left++] = (struct gone){ columns->bag[i], columns->name[i] < RUN_OWN_NAMES };
            continue;
        }
        columns->at_ms[kept] = columns->at_ms[i];
        columns->seq[kept] = columns->seq[i];
        columns->bag[kept] = columns->bag[i];
        columns->name[kept++] = columns->name[i];
    }
    return kept;
}

static bool bag_stays(const struct level_columns *columns, uint64_t from, uint64_t to,
                      uint32_t place)
{
    for (uint64_t i = from; i < to; i++)
        if (columns->bag[i] == place)
            return true;
    return false;
}

/* Repeated identifies follow each other with one bag: it is looked for once. */
static enum err bags_note(struct removal *removal, const struct level_columns *columns,
                          struct bags bags, uint64_t from, uint64_t kept, const struct gone *gone,
                          uint64_t count)
{
    uint32_t last = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (gone[i].bag == 0 || gone[i].bag == last)
            continue;
        last = gone[i].bag;
        if (!gone[i].own || !bag_stays(columns, from, kept, gone[i].bag))
            TRY(removal_note(removal, bags, gone[i].bag));
    }
    return OK;
}

static enum err outlived_note(struct outlived *outlived, uint32_t profile)
{
    TRY(bits_reach(&outlived->profiles, &outlived->bytes, profile));
    bit_set(outlived->profiles, profile);
    return OK;
}

enum err removal_apply(struct removal *removal, uint32_t *at, uint32_t profile,
                       const struct level_columns *columns, struct bags bags, uint64_t from,
                       uint64_t *to)
{
    int64_t  seq = forgotten_seq(removal, at, profile);
    uint64_t count = *to - from;
    bool     old = removal->retains && count > 0 && columns->at_ms[from] < removal->latest_ms;
    if (count == 0 || (seq < 0 && !old))
        return OK;
    struct gone *gone = calloc(count, sizeof *gone);
    if (gone == NULL)
        return ERR_MEMORY;
    uint64_t before = removal->outlived.events;
    uint64_t kept = events_part(removal, seq, columns, from, *to, gone);
    enum err err = bags_note(removal, columns, bags, from, kept, gone, *to - kept);
    if (err == OK && removal->outlived.events > before)
        err = outlived_note(&removal->outlived, profile);
    free(gone);
    *to = kept;
    return err;
}

/* ---- clearing ---- */

static int stretch_compare(const void *a, const void *b)
{
    const struct stretch *one = a, *two = b;
    return one->from < two->from ? -1 : one->from > two->from;
}

void removal_settle(struct removal *removal)
{
    if (removal->cleared.count > 0)
        qsort(removal->cleared.items, removal->cleared.count, sizeof *removal->cleared.items,
              stretch_compare);
}

/* The first stretch that ends after `from`. */
static uint32_t stretch_after(const struct removal *removal, size_t from)
{
    uint32_t low = 0, high = removal->cleared.count;
    while (low < high) {
        uint32_t              middle = low + (high - low) / 2;
        const struct stretch *s = &removal->cleared.items[middle];
        if (s->from + s->len <= from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool removal_touches(const struct removal *removal, size_t from, size_t len)
{
    uint32_t i = stretch_after(removal, from);
    return i < removal->cleared.count && removal->cleared.items[i].from < from + len;
}

void removal_clear(const struct removal *removal, unsigned char *copy, size_t from, size_t len)
{
    for (uint32_t i = stretch_after(removal, from); i < removal->cleared.count; i++) {
        const struct stretch *s = &removal->cleared.items[i];
        if (s->from >= from + len)
            break;
        size_t begin = s->from > from ? s->from - from : 0;
        size_t end = s->from + s->len - from < len ? s->from + s->len - from : len;
        memset(copy + begin, 0, end - begin);
    }
}
