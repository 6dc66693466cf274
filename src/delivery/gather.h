/*
 * gather: when to look again for answers that come in a crowd.
 *
 * A far side that answers ten connections one after the other wakes us for each, and pays more for
 * waking a sleeper than for the answer itself; we pay as much for being woken. So after a round the
 * loop sleeps a little before it looks, long enough that about half of those awaited have spoken,
 * and the far side still has the other half to work on.
 *
 *      heard of awaited     under 1/2       to 3/4        over 3/4
 *      the next sleep       a quarter more  the same      half (soon the far side would be idle)
 *
 * Who has waited for GATHER_TICKS_US or longer is not counted: it is far away, or hangs, or stands
 * behind so many that the sleep has its bound anyway. Else those far away would make the loop wait
 * for a crowd that is not there, and the near ones with it.
 *
 * Where no channel has taken half of its places, composing and signing are what is slow, often on
 * the very cores that we are woken on; then GATHER_ROOM_US cost nobody anything, and several
 * messages go out, and several answers come in, at a time.
 *
 * Always true   no sleep is longer than GATHER_US_MAX, or GATHER_ROOM_US while there is room;
 *               none at all while answers come at leisure, or where a full channel waits for
 *               fewer than GATHER_AWAITED_MIN connections.
 * Cost          64 bytes, a few additions a round.
 * Knows not     the clock: time is handed in, so a test owns it.
 */
#ifndef DULT_DELIVERY_GATHER_H
#define DULT_DELIVERY_GATHER_H

#include <stdint.h>

enum {
    GATHER_AWAITED_MIN = 4,
    GATHER_US_MIN = 10,      /* a shorter sleep costs more than it saves */
    GATHER_US_MAX = 250,     /* an answer, or a message that is given, waits so long more at most */
    GATHER_LEISURE_US = 200, /* between two answers, of late: there is nothing to win */
    GATHER_ROOM_US = 1000,
    GATHER_ROOM_LEISURE_US = 500,
    GATHER_TICKS = 4,
    GATHER_TICK_US = 1024,
    GATHER_TICKS_US = (GATHER_TICKS - 1) * GATHER_TICK_US, /* at least so long one is awaited */
};

struct gather {
    int32_t  asked[GATHER_TICKS]; /* connections that wait for an answer, by when they began */
    uint32_t tick;                /* the present one, which is asked[tick % GATHER_TICKS] */
    int32_t  heard;               /* so many have spoken in this round */
    int32_t  full;                /* channels that have taken half of their places or more */
    int64_t  tick_us, round_us, each_us, sleep_us; /* the last one's end; an answer's time, of late
                                                    */
};

struct gather gather_make(void);

/* A connection waits for an answer from now on; what it is to say when it waits no more. */
uint32_t gather_ask(struct gather *g);
void     gather_leave(struct gather *g, uint32_t asked);

/* A round has ended: how many microseconds to sleep before the next, or 0. */
int64_t gather_round(struct gather *g, int64_t now_us);

#endif
