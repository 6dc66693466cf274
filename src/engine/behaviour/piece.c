#include "engine/behaviour/piece.h"

#include <assert.h>
#include <stdlib.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, INSERTION_MAX = 16 };

struct piece *piece_hold(struct piece *piece)
{
    if (piece != NULL)
        holds_add(&piece->holds);
    return piece;
}

void piece_drop(struct piece *piece)
{
    if (piece != NULL && holds_end(&piece->holds))
        free(piece);
}

static size_t pad(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

/* One block of memory: the piece, its days, its columns. */
static struct piece *piece_alloc(struct level_room room, struct level_columns *columns)
{
    size_t         days = pad(sizeof(struct piece));
    size_t         head = days + pad((size_t)room.profiles * sizeof(uint16_t));
    unsigned char *block = aligned_alloc(64, head + level_lay(NULL, room, NULL));
    if (block == NULL)
        return NULL;
    struct piece *piece = (struct piece *)block;
    *piece = (struct piece){ .days = (uint16_t *)(block + days) };
    atomic_init(&piece->holds, 1);
    level_lay(block + head, room, columns);
    return piece;
}

static void piece_finish(struct piece *piece, const struct level_columns *columns, uint32_t entries,
                         uint32_t names)
{
    piece->level = level_finish(columns, entries, names);
    level_days(&piece->level, piece->days);
    piece->level.first_day = piece->days;
}

/* ---- sorting ---- */

struct rows {
    const struct edition *edition;
    uint64_t              from;
    uint32_t              second; /* rows from here on are the second log's */
    uint64_t              second_at;
};

static struct rows rows_of(const struct edition *edition, uint64_t from)
{
    const struct log *first = edition->logs[0], *second = edition->logs[1];
    uint64_t          split = first == NULL ? second->first : first->first + edition->counts[0];
    if (split <= from)
        return (struct rows){ edition, 0, 0, from - second->first };
    assert(first != NULL); /* nothing is before the only log */
    return (struct rows){ edition, from - first->first, (uint32_t)(split - from), 0 };
}

static const struct timeline_event *row_at(const struct rows *rows, uint32_t i)
{
    return i < rows->second ? log_row(rows->edition->logs[0], rows->from + i)
                            : log_row(rows->edition->logs[1], rows->second_at + i - rows->second);
}

/* A key is the profile in the upper half, the row in the lower. */
struct keys {
    uint64_t *items, *other;
    uint32_t  count;
};

static void digit_sort(struct keys *keys, uint32_t shift)
{
    uint32_t counts[DIGITS] = { 0 }, sum = 0;
    for (uint32_t i = 0; i < keys->count; i++)
        counts[keys->items[i] >> shift & (DIGITS - 1)]++;
    for (uint32_t d = 0; d < DIGITS; d++) {
        uint32_t count = counts[d];
        counts[d] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < keys->count; i++)
        keys->other[counts[keys->items[i] >> shift & (DIGITS - 1)]++] = keys->items[i];
    uint64_t *items = keys->items;
    keys->items = keys->other;
    keys->other = items;
}

static enum err keys_make(struct keys *keys, const struct rows *rows, uint32_t count)
{
    uint32_t highest = 0;
    keys->count = count;
    keys->items = malloc(((size_t)count + 1) * sizeof *keys->items);
    keys->other = malloc(((size_t)count + 1) * sizeof *keys->other);
    if (keys->items == NULL || keys->other == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t profile = row_at(rows, i)->profile;
        keys->items[i] = (uint64_t)profile << 32 | i;
        highest |= profile;
    }
    for (uint32_t bit = 0; bit < 32 && highest >> bit != 0; bit += DIGIT_BITS)
        digit_sort(keys, 32 + bit);
    return OK;
}

static bool row_after(const struct rows *rows, uint64_t a, uint64_t b)
{
    const struct timeline_event *one = row_at(rows, (uint32_t)a), *two = row_at(rows, (uint32_t)b);
    return one->at_ms > two->at_ms || (one->at_ms == two->at_ms && one->seq > two->seq);
}

static void insertion_sort(const struct rows *rows, uint64_t *items, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        uint64_t item = items[i];
        uint32_t k = i;
        for (; k > 0 && row_after(rows, items[k - 1], item); k--)
            items[k] = items[k - 1];
        items[k] = item;
    }
}

/* Sorts one profile's rows by (at, seq); what ties stays as it came. */
static void time_sort(const struct rows *rows, uint64_t *items, uint64_t *other, uint32_t count)
{
    if (count <= INSERTION_MAX) {
        insertion_sort(rows, items, count);
        return;
    }
    uint32_t half = count / 2, i = 0, k = half, to = 0;
    time_sort(rows, items, other, half);
    time_sort(rows, items + half, other, count - half);
    if (!row_after(rows, items[half - 1], items[half]))
        return;
    memcpy(other, items, half * sizeof *items);
    while (i < half)
        items[to++] = k < count && row_after(rows, other[i], items[k]) ? items[k++] : other[i++];
}

/* Leaves out the marks, and what they say is forgotten: rows before them of records up to theirs.
 */
static uint32_t marks_obey(const struct rows *rows, uint64_t *items, uint32_t count)
{
    int64_t  forgotten = -1; /* records up to this one, by the marks that come after */
    uint32_t kept = count;
    for (uint32_t i = count; i > 0; i--) {
        const struct timeline_event *row = row_at(rows, (uint32_t)items[i - 1]);
        if (row->name == DICT_NONE && row->seq > forgotten)
            forgotten = row->seq;
        if (row->name != DICT_NONE && row->seq > forgotten)
            items[--kept] = items[i - 1];
    }
    memmove(items, items + kept, (count - kept) * sizeof *items);
    return count - kept;
}

static uint32_t profile_end(const struct keys *keys, uint32_t from)
{
    uint32_t to = from + 1;
    while (to < keys->count && keys->items[to] >> 32 == keys->items[from] >> 32)
        to++;
    return to;
}

/* Puts each profile's rows in order; gives how many profiles have any left. */
static uint32_t profiles_sort(struct keys *keys, const struct rows *rows)
{
    uint32_t profiles = 0, kept = 0;
    for (uint32_t from = 0, to; from < keys->count; from = to) {
        to = profile_end(keys, from);
        uint32_t count = to - from;
        if (rows->edition->marks > 0)
            count = marks_obey(rows, keys->items + from, count);
        time_sort(rows, keys->items + from, keys->other, count);
        if (kept < from)
            memmove(keys->items + kept, keys->items + from, count * sizeof *keys->items);
        kept += count;
        profiles += count > 0;
    }
    keys->count = kept;
    return profiles;
}

static void rows_gather(const struct keys *keys, const struct rows *rows,
                        const struct level_columns *to)
{
    uint32_t entry = 0;
    for (uint32_t i = 0; i < keys->count; i++) {
        const struct timeline_event *row = row_at(rows, (uint32_t)keys->items[i]);
        if (i == 0 || row->profile != to->profile[entry - 1]) {
            to->profile[entry] = row->profile;
            to->offsets[entry++] = i;
        }
        to->at_ms[i] = row->at_ms;
        to->seq[i] = row->seq;
        to->bag[i] = row->bag;
        to->name[i] = row->name;
    }
    to->offsets[entry] = keys->count;
}

static enum err keys_gather(struct piece **out, struct keys *keys, const struct rows *rows)
{
    uint32_t             profiles = profiles_sort(keys, rows);
    struct level_columns columns = { 0 };
    struct level_room    room = { profiles, keys->count, rows->edition->names, false };
    struct piece        *piece = piece_alloc(room, &columns);
    if (piece == NULL)
        return ERR_MEMORY;
    rows_gather(keys, rows, &columns);
    piece_finish(piece, &columns, profiles, rows->edition->names);
    *out = piece;
    return OK;
}

enum err piece_sort(struct piece **out, const struct edition *edition, uint64_t from, uint64_t to)
{
    struct rows rows = rows_of(edition, from);
    struct keys keys = { 0 };
    enum err    err = keys_make(&keys, &rows, (uint32_t)(to - from));
    if (err == OK)
        err = keys_gather(out, &keys, &rows);
    free(keys.items);
    free(keys.other);
    if (err != OK)
        return err;
    (*out)->from = from;
    (*out)->to = to;
    return OK;
}

/* ---- merging ---- */

struct merging {
    const struct level  *older, *newer;
    struct level_columns to;
    uint32_t             i, k;    /* entries done of each */
    uint32_t             entries; /* made */
    uint64_t             at;      /* events made */
};

/* The entries of one level before `profile`, in one go. */
static void entries_copy(struct merging *m, const struct level *level, uint32_t from, uint32_t to)
{
    uint32_t   first = level->offsets[from];
    struct run all = { level->name, level->at_ms, level->seq, level->bag, level->events };
    for (uint32_t e = from; e < to; e++) {
        m->to.profile[m->entries] = level->profile[e];
        m->to.offsets[m->entries++] = (uint32_t)m->at + level->offsets[e] - first;
    }
    level_copy(&m->to, m->at, &all, first, level->offsets[to] - first);
    m->at += level->offsets[to] - first;
}

static uint32_t entries_before(const struct level *level, uint32_t from, uint32_t profile)
{
    while (from < level->profiles && level->profile[from] < profile)
        from++;
    return from;
}

static void both_copy(struct merging *m)
{
    struct run a = level_run(m->older, m->i++), b = level_run(m->newer, m->k++);
    m->to.profile[m->entries] = m->older->profile[m->i - 1];
    m->to.offsets[m->entries++] = (uint32_t)m->at;
    m->at = level_merge(&m->to, m->at, &a, &b);
}

static void levels_merge(struct merging *m)
{
    const struct level *older = m->older, *newer = m->newer;
    while (m->i < older->profiles && m->k < newer->profiles) {
        uint32_t to = entries_before(older, m->i, newer->profile[m->k]);
        entries_copy(m, older, m->i, to);
        m->i = to;
        if (to == older->profiles)
            break;
        to = entries_before(newer, m->k, older->profile[m->i]);
        entries_copy(m, newer, m->k, to);
        m->k = to;
        if (to < newer->profiles && newer->profile[to] == older->profile[m->i])
            both_copy(m);
    }
    entries_copy(m, older, m->i, older->profiles);
    entries_copy(m, newer, m->k, newer->profiles);
    m->to.offsets[m->entries] = (uint32_t)m->at;
}

enum err piece_merge(struct piece **out, const struct piece *older, const struct piece *newer)
{
    assert(older->to == newer->from);
    struct merging    m = { .older = &older->level, .newer = &newer->level };
    uint32_t          names = m.older->names > m.newer->names ? m.older->names : m.newer->names;
    struct level_room room = { (uint64_t)m.older->profiles + m.newer->profiles,
                               (uint64_t)m.older->events + m.newer->events, names, false };
    struct piece     *piece = piece_alloc(room, &m.to);
    if (piece == NULL)
        return ERR_MEMORY;
    levels_merge(&m);
    piece_finish(piece, &m.to, m.entries, names);
    piece->from = older->from;
    piece->to = newer->to;
    *out = piece;
    return OK;
}
