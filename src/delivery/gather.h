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
 * Where no channel has taken half of its places, composing and signing are what is slow, often on
 * the very cores that we are woken on; then GATHER_ROOM_US cost nobody anything, and several
 * messages go out, and several answers come in, at a time.
 *
 * Always true   no sleep is longer than GATHER_US_MAX, or GATHER_ROOM_US while there is room;
 *               none at all while answers come at leisure, or where a full channel waits for
 *               fewer than GATHER_AWAITED_MIN connections.
 * Cost          40 bytes, a few additions a round.
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
};

struct gather {
    int32_t awaited;                     /* connections that wait for an answer */
    int32_t heard;                       /* of them, so many have spoken in this round */
    int32_t full;                        /* channels that have taken half of their places or more */
    int64_t round_us, each_us, sleep_us; /* the last one's end; an answer's time, of late */
};

struct gather gather_make(void);

/* A round has ended: how many microseconds to sleep before the next, or 0. */
int64_t gather_round(struct gather *g, int64_t now_us);

#endif
