#include "run/quiet.h"

#include <assert.h>
#include <stddef.h>

/* The kind's own place, or the one that was free longest; where all are in use, that of others. */
static struct quiet_kind *place_of(struct quiet *quiet, uint64_t kind, int64_t now_ms)
{
    struct quiet_kind *oldest = &quiet->kinds[0];
    for (size_t i = 0; i < QUIET_KINDS_MAX; i++) {
        struct quiet_kind *place = &quiet->kinds[i];
        if (place->until_ms != 0 && place->kind == kind)
            return place;
        if (place->until_ms < oldest->until_ms)
            oldest = place;
    }
    if (oldest->until_ms > now_ms)
        return &quiet->others;
    *oldest = (struct quiet_kind){ .kind = kind };
    return oldest;
}

bool quiet_ask(struct quiet *quiet, uint64_t kind, int64_t now_ms, uint64_t *unsaid)
{
    assert(now_ms >= 0);
    struct quiet_kind *place = place_of(quiet, kind, now_ms);
    if (now_ms < place->until_ms) {
        place->unsaid++;
        return false;
    }
    *unsaid = place->unsaid;
    place->unsaid = 0;
    place->until_ms = now_ms + QUIET_MS;
    return true;
}
