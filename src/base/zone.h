/*
 * zone: what the clocks on the wall show, in every time zone of the world.
 *
 * A zone is a list of instants at which its clocks were (or will be) set, and the offset from UTC
 * from then on. A table holds all zones under their names ("Europe/Oslo"), with the version of the
 * rules it was made from; it is made once, at start, and handed to whoever is not to read files.
 *
 *      offset    +1h      | +2h              | +1h
 *      ------ shifts[0] --+--- shifts[1] ----+-----------> UTC
 *
 * A day of the calendar begins at the first instant whose local date is that day or a later one:
 *
 *      clocks set forward at midnight        the day begins at 01:00
 *      set back over midnight                once begun it stays: yesterday does not come back
 *      a day left out (Apia, 2011-12-30)     it is empty, and begins where the next one does
 *
 * Always true   days follow each other without a gap: a day ends where the next one begins, and
 *               zone_day_of never goes back as time goes on.
 * Cost          a search by halves of some 250 shifts; a table of all zones takes about 1 MB.
 * Bounds        1900 to 2100: before and after, the offset stays as it is at that end.
 * NULL          as a zone is UTC; as a table, it has no zones.
 */
#ifndef DULT_BASE_ZONE_H
#define DULT_BASE_ZONE_H

#include "base/buf.h"
#include "base/time.h"

enum {
    ZONES_MAX = 2000,              /* there are about 600 names */
    ZONE_SHIFTS_MAX = 2000,        /* of one zone; Morocco has about 250 */
    ZONE_NAME_BYTES_MAX = 64,      /* "America/Argentina/ComodRivadavia" */
    ZONE_OFFSET_S_MAX = 26 * 3600, /* no clock is farther from UTC */
    ZONES_BYTES_MAX = 8 << 20,     /* a written table */
};

#define ZONE_FROM_S INT64_C(-2208988800) /* 1900-01-01 */
#define ZONE_TO_S INT64_C(4133980800)    /* 2101-01-01 */

struct zone_shift {
    int64_t at_s; /* seconds since 1970, UTC */
    int32_t offset_s;
};

struct zone {
    struct str               name;
    const struct zone_shift *shifts; /* ascending */
    uint32_t                 shifts_count;
    int32_t                  offset_s; /* before the first shift; east of Greenwich above 0 */
};

struct zones;

/*
 * A table of copies, with zones of equal rules sharing them. `version` names the rules ("2025b").
 * ERR_INPUT for a name that is empty, too long or there twice, for shifts not ascending and for an
 * offset out of bounds; ERR_LIMIT beyond ZONES_MAX or ZONE_SHIFTS_MAX; ERR_MEMORY.
 */
MUST enum err zones_make(struct zones **out, struct str version, const struct zone *list,
                         uint32_t count);
void          zones_close(struct zones *zones); /* closing NULL is nothing */
void          zones_closep(struct zones **zones);

struct str         zones_version(const struct zones *zones);
uint32_t           zones_count(const struct zones *zones);
const struct zone *zones_at(const struct zones *zones, uint32_t i); /* by name, ascending */

/* Names are found in any case, as people write them. NULL when there is none. */
const struct zone *zone_find(const struct zones *zones, struct str name);

/* Compact bytes of a whole table, and back. ERR_CORRUPT for bytes that are no table. */
void          zones_write(const struct zones *zones, struct buf *out);
MUST enum err zones_read(struct zones **out, struct str bytes);

int64_t zone_offset_ms(const struct zone *zone, int64_t at_ms);

/*
 * The first instant at which the zone's clocks show `local_ms` (milliseconds since 1970 as if the
 * clocks were UTC) or later: of two such instants the first, and the end of a gap that it is in.
 */
int64_t zone_instant_ms(const struct zone *zone, int64_t local_ms);

/* Days count from 1970-01-01, which is 0. */
int64_t zone_day_start_ms(const struct zone *zone, int64_t day);
int64_t zone_day_of(const struct zone *zone, int64_t at_ms);

#endif
