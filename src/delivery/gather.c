#include "delivery/gather.h"

#include <assert.h>

enum { EACH_US_MAX = 4 * GATHER_LEISURE_US };

_Static_assert((int)EACH_US_MAX > (int)GATHER_ROOM_LEISURE_US, "at first all is at leisure");

struct gather gather_make(void)
{
    return (struct gather){ .each_us = EACH_US_MAX };
}

static void each_note(struct gather *g, int64_t now_us)
{
    int64_t each_us = (now_us - g->round_us) / g->heard;
    /* One long silence is forgotten within a few rounds. */
    if (each_us > EACH_US_MAX)
        each_us = EACH_US_MAX;
    g->each_us = (7 * g->each_us + each_us) / 8;
    g->round_us = now_us;
}

static int64_t next_us(const struct gather *g)
{
    int64_t us = g->sleep_us < GATHER_US_MIN ? GATHER_US_MIN : g->sleep_us;
    if (g->full == 0)
        return g->each_us <= GATHER_ROOM_LEISURE_US ? GATHER_ROOM_US : 0;
    if (g->awaited < GATHER_AWAITED_MIN || g->each_us > GATHER_LEISURE_US)
        return 0;
    if (4 * g->heard > 3 * g->awaited)
        us /= 2;
    else if (2 * g->heard < g->awaited)
        us += us / 4;
    return us < GATHER_US_MAX ? us : GATHER_US_MAX;
}

int64_t gather_round(struct gather *g, int64_t now_us)
{
    assert(g->awaited >= 0 && g->full >= 0);
    if (g->heard == 0)
        return 0;
    each_note(g, now_us);
    g->sleep_us = next_us(g);
    g->heard = 0;
    return g->sleep_us < GATHER_US_MIN ? 0 : g->sleep_us;
}
