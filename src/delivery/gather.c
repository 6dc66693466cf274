#include "delivery/gather.h"

#include <assert.h>

enum { EACH_US_MAX = 4 * GATHER_LEISURE_US };

_Static_assert((int)EACH_US_MAX > (int)GATHER_ROOM_LEISURE_US, "at first all is at leisure");

struct gather gather_make(void)
{
    return (struct gather){ .each_us = EACH_US_MAX };
}

uint32_t gather_ask(struct gather *g)
{
    g->asked[g->tick % GATHER_TICKS]++;
    return g->tick;
}

/* What was asked before all that is remembered was forgotten with its tick. */
void gather_leave(struct gather *g, uint32_t asked)
{
    if (g->tick - asked >= GATHER_TICKS)
        return;
    assert(g->asked[asked % GATHER_TICKS] > 0);
    g->asked[asked % GATHER_TICKS]--;
}

static void ticks_go_on(struct gather *g, int64_t now_us)
{
    int64_t ticks = (now_us - g->tick_us) / GATHER_TICK_US;
    if (ticks <= 0)
        return;
    g->tick_us += ticks * GATHER_TICK_US;
    for (int64_t i = 0; i < ticks && i < GATHER_TICKS; i++)
        g->asked[(g->tick + (uint32_t)i + 1) % GATHER_TICKS] = 0;
    g->tick += (uint32_t)ticks;
}

static int32_t awaited(const struct gather *g)
{
    int32_t count = 0;
    for (int i = 0; i < GATHER_TICKS; i++)
        count += g->asked[i];
    return count;
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
    int32_t crowd = awaited(g);
    if (g->full == 0)
        return g->each_us <= GATHER_ROOM_LEISURE_US ? GATHER_ROOM_US : 0;
    if (crowd < GATHER_AWAITED_MIN || g->each_us > GATHER_LEISURE_US)
        return 0;
    if (4 * g->heard > 3 * crowd)
        us /= 2;
    else if (2 * g->heard < crowd)
        us += us / 4;
    return us < GATHER_US_MAX ? us : GATHER_US_MAX;
}

int64_t gather_round(struct gather *g, int64_t now_us)
{
    assert(g->full >= 0);
    ticks_go_on(g, now_us);
    if (g->heard == 0)
        return 0;
    each_note(g, now_us);
    g->sleep_us = next_us(g);
    g->heard = 0;
    return g->sleep_us < GATHER_US_MIN ? 0 : g->sleep_us;
}
