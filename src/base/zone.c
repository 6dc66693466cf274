#include "base/zone.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_BYTES_MAX = 16 << 20, FARTHEST_S = ZONE_OFFSET_S_MAX };

struct zones {
    struct arena *arena;
    struct str    version;
    struct zone  *list; /* by name */
    uint32_t      count;
};

/* ---- the calendar of one zone ---- */

/* How many shifts have happened by then. */
static uint32_t shifts_by(const struct zone *zone, int64_t at_s)
{
    uint32_t low = 0, high = zone->shifts_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->shifts[middle].at_s <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t offset_after(const struct zone *zone, uint32_t shifts)
{
    return shifts == 0 ? zone->offset_s : zone->shifts[shifts - 1].offset_s;
}

/* Rounds down, before 1970 too. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t zone_offset_ms(const struct zone *zone, int64_t at_ms)
{
    if (zone == NULL)
        return 0;
    return offset_after(zone, shifts_by(zone, floor_div(at_ms, TIME_SECOND_MS))) * TIME_SECOND_MS;
}

int64_t zone_instant_ms(const struct zone *zone, int64_t local_ms)
{
    if (zone == NULL)
        return local_ms;
    /* No stretch that ended before this can have shown so late a time. */
    uint32_t i = shifts_by(zone, floor_div(local_ms, TIME_SECOND_MS) - FARTHEST_S);
    for (; i < zone->shifts_count; i++) {
        int64_t end_ms = zone->shifts[i].at_s * TIME_SECOND_MS;
        if (end_ms + offset_after(zone, i) * TIME_SECOND_MS > local_ms)
            break;
    }
    int64_t at_ms = local_ms - offset_after(zone, i) * TIME_SECOND_MS;
    int64_t from_ms = i == 0 ? INT64_MIN : zone->shifts[i - 1].at_s * TIME_SECOND_MS;
    return at_ms > from_ms ? at_ms : from_ms;
}

int64_t zone_day_start_ms(const struct zone *zone, int64_t day)
{
    return zone_instant_ms(zone, day * TIME_DAY_MS);
}

/* Were clocks set back lately, so that they may show a day that is over? */
static bool is_set_back(const struct zone *zone, int64_t at_s)
{
    uint32_t i = shifts_by(zone, at_s);
    for (; i > 0 && zone->shifts[i - 1].at_s >= at_s - 2 * FARTHEST_S; i--)
        if (offset_after(zone, i) < offset_after(zone, i - 1))
            return true;
    return false;
}

int64_t zone_day_of(const struct zone *zone, int64_t at_ms)
{
    int64_t day = floor_div(at_ms + zone_offset_ms(zone, at_ms), TIME_DAY_MS);
    if (zone == NULL || !is_set_back(zone, floor_div(at_ms, TIME_SECOND_MS)))
        return day;
    while (zone_day_start_ms(zone, day + 1) <= at_ms)
        day++;
    return day;
}

/* ---- the table ---- */

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int compare_names(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < shorter; i++)
        if (small(a.ptr[i]) != small(b.ptr[i]))
            return small(a.ptr[i]) < small(b.ptr[i]) ? -1 : 1;
    return (a.len > b.len) - (a.len < b.len);
}

static int compare_zones(const void *a, const void *b)
{
    return compare_names(((const struct zone *)a)->name, ((const struct zone *)b)->name);
}

static bool is_offset(int64_t offset_s)
{
    return offset_s >= -ZONE_OFFSET_S_MAX && offset_s <= ZONE_OFFSET_S_MAX;
}

static enum err zone_check(const struct zone *zone)
{
    if (str_is_empty(zone->name) || zone->name.len > ZONE_NAME_BYTES_MAX ||
        !is_offset(zone->offset_s))
        return ERR_INPUT;
    if (zone->shifts_count > ZONE_SHIFTS_MAX)
        return ERR_LIMIT;
    for (uint32_t i = 0; i < zone->shifts_count; i++)
        if (!is_offset(zone->shifts[i].offset_s) || zone->shifts[i].at_s < ZONE_FROM_S ||
            zone->shifts[i].at_s > ZONE_TO_S ||
            (i > 0 && zone->shifts[i].at_s <= zone->shifts[i - 1].at_s))
            return ERR_INPUT;
    return OK;
}

static bool same_rules(const struct zone *a, const struct zone *b)
{
    if (a->shifts_count != b->shifts_count || a->offset_s != b->offset_s)
        return false;
    for (uint32_t i = 0; i < a->shifts_count; i++)
        if (a->shifts[i].at_s != b->shifts[i].at_s ||
            a->shifts[i].offset_s != b->shifts[i].offset_s)
            return false;
    return true;
}

static enum err shifts_keep(struct zones *zones, struct zone *kept, const struct zone *zone)
{
    for (uint32_t i = 0; i < zones->count; i++)
        if (same_rules(&zones->list[i], zone)) {
            kept->shifts = zones->list[i].shifts;
            return OK;
        }
    struct zone_shift *shifts = ARENA_ARRAY(zones->arena, zone->shifts_count, struct zone_shift);
    if (shifts == NULL)
        return ERR_MEMORY;
    if (zone->shifts_count > 0)
        memcpy(shifts, zone->shifts, zone->shifts_count * sizeof *shifts);
    kept->shifts = shifts;
    return OK;
}

static enum err zone_keep(struct zones *zones, const struct zone *zone)
{
    struct zone *kept = &zones->list[zones->count];
    TRY(zone_check(zone));
    *kept = *zone;
    kept->name = str_copy(zones->arena, zone->name);
    if (kept->name.ptr == NULL)
        return ERR_MEMORY;
    TRY(shifts_keep(zones, kept, zone));
    zones->count++;
    return OK;
}

static enum err zones_fill(struct zones *zones, struct str version, const struct zone *list,
                           uint32_t count)
{
    zones->version = str_copy(zones->arena, version);
    zones->list = ARENA_ARRAY(zones->arena, count, struct zone);
    if (zones->version.ptr == NULL || zones->list == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        TRY(zone_keep(zones, &list[i]));
    if (count > 1)
        qsort(zones->list, count, sizeof zones->list[0], compare_zones);
    for (uint32_t i = 1; i < count; i++)
        if (compare_zones(&zones->list[i - 1], &zones->list[i]) == 0)
            return ERR_INPUT;
    return OK;
}

enum err zones_make(struct zones **out, struct str version, const struct zone *list, uint32_t count)
{
    if (count > ZONES_MAX)
        return ERR_LIMIT;
    struct zones *zones = calloc(1, sizeof *zones);
    if (zones == NULL)
        return ERR_MEMORY;
    zones->arena = arena_open(TABLE_BYTES_MAX);
    enum err err = zones->arena == NULL ? ERR_MEMORY : zones_fill(zones, version, list, count);
    if (err != OK) {
        zones_close(zones);
        return err;
    }
    *out = zones;
    return OK;
}

void zones_close(struct zones *zones)
{
    if (zones == NULL)
        return;
    arena_close(zones->arena);
    free(zones);
}

void zones_closep(struct zones **zones)
{
    zones_close(*zones);
}

struct str zones_version(const struct zones *zones)
{
    return zones == NULL ? STR_NONE : zones->version;
}

uint32_t zones_count(const struct zones *zones)
{
    return zones == NULL ? 0 : zones->count;
}

const struct zone *zones_at(const struct zones *zones, uint32_t i)
{
    return &zones->list[i];
}

const struct zone *zone_find(const struct zones *zones, struct str name)
{
    uint32_t low = 0, high = zones_count(zones);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int      difference = compare_names(zones->list[middle].name, name);
        if (difference == 0)
            return &zones->list[middle];
        if (difference < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- as bytes ----
 *
 * "DZ1\n", then numbers of 7 bits a byte, the lowest first, negative ones folded in between, and
 * texts behind their lengths: version; zones; of each its name, then 0 and its rules, or the place
 * (from 1) of the earlier zone that has the same.
 */

static const struct str magic = { "DZ1\n", 4 };

static void write_number(struct buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buf_char(out, (char)(0x80 | (value & 0x7f)));
    buf_char(out, (char)value);
}

static void write_signed(struct buf *out, int64_t value)
{
    write_number(out, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static void write_text(struct buf *out, struct str text)
{
    write_number(out, text.len);
    buf_str(out, text);
}

static void write_rules(struct buf *out, const struct zone *zone)
{
    int64_t before_s = ZONE_FROM_S;
    write_signed(out, zone->offset_s);
    write_number(out, zone->shifts_count);
    for (uint32_t i = 0; i < zone->shifts_count; i++) {
        write_number(out, (uint64_t)(zone->shifts[i].at_s - before_s));
        write_signed(out, zone->shifts[i].offset_s);
        before_s = zone->shifts[i].at_s;
    }
}

void zones_write(const struct zones *zones, struct buf *out)
{
    buf_str(out, magic);
    write_text(out, zones_version(zones));
    write_number(out, zones_count(zones));
    for (uint32_t i = 0; i < zones_count(zones); i++) {
        const struct zone *zone = &zones->list[i];
        uint32_t           same = 0;
        while (same < i && !same_rules(&zones->list[same], zone))
            same++;
        write_text(out, zone->name);
        write_number(out, same < i ? same + 1 : 0);
        if (same == i)
            write_rules(out, zone);
    }
}

static bool read_number(struct str *rest, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 63 && rest->len > 0; shift += 7) {
        unsigned char c = (unsigned char)rest->ptr[0];
        *rest = str_slice(*rest, 1, rest->len);
        *out |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return true;
    }
    return false;
}

static bool read_signed(struct str *rest, int32_t *out)
{
    uint64_t folded;
    if (!read_number(rest, &folded) || folded > UINT32_MAX)
        return false;
    *out = (int32_t)((int64_t)(folded >> 1) ^ -(int64_t)(folded & 1));
    return true;
}

static bool read_text(struct str *rest, struct str *out)
{
    uint64_t len;
    if (!read_number(rest, &len) || len > rest->len)
        return false;
    *out = str_slice(*rest, 0, (size_t)len);
    *rest = str_slice(*rest, (size_t)len, rest->len);
    return true;
}

static enum err read_rules(struct arena *arena, struct str *rest, struct zone *zone)
{
    uint64_t           count, step_s;
    int64_t            at_s = ZONE_FROM_S;
    struct zone_shift *shifts;
    if (!read_signed(rest, &zone->offset_s) || !read_number(rest, &count) ||
        count > ZONE_SHIFTS_MAX)
        return ERR_CORRUPT;
    shifts = ARENA_ARRAY(arena, count, struct zone_shift);
    if (shifts == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        if (!read_number(rest, &step_s) || step_s > (uint64_t)(ZONE_TO_S - at_s) ||
            !read_signed(rest, &shifts[i].offset_s))
            return ERR_CORRUPT;
        at_s += (int64_t)step_s;
        shifts[i].at_s = at_s;
    }
    zone->shifts = shifts;
    zone->shifts_count = (uint32_t)count;
    return OK;
}

static enum err read_zone(struct arena *arena, struct str *rest, struct zone *list, uint32_t i)
{
    struct str name;
    uint64_t   same;
    if (!read_text(rest, &name) || !read_number(rest, &same) || same > i)
        return ERR_CORRUPT;
    if (same == 0)
        TRY(read_rules(arena, rest, &list[i]));
    else
        list[i] = list[same - 1];
    list[i].name = name;
    return OK;
}

enum err zones_read(struct zones **out, struct str bytes)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(TABLE_BYTES_MAX);
    struct str                         version;
    uint64_t                           count;
    if (scratch == NULL)
        return ERR_MEMORY;
    if (!str_starts(bytes, magic))
        return ERR_CORRUPT;
    bytes = str_slice(bytes, magic.len, bytes.len);
    if (!read_text(&bytes, &version) || !read_number(&bytes, &count) || count > ZONES_MAX)
        return ERR_CORRUPT;
    struct zone *list = ARENA_ARRAY(scratch, count, struct zone);
    if (list == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        TRY(read_zone(scratch, &bytes, list, i));
    if (bytes.len > 0)
        return ERR_CORRUPT;
    enum err err = zones_make(out, version, list, (uint32_t)count);
    return err == OK || err == ERR_MEMORY ? err : ERR_CORRUPT;
}
