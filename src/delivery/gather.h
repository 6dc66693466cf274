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
 * Always true   no sleep is longer than GATHER_US_MAX; none at all for fewer than
 * GATHER_AWAITED_MIN connections, nor where answers come at leisure. Cost          32 bytes, a few
 * additions a round. Knows not     the clock: time is handed in, so a test owns it.
 */
#ifndef DULT_DELIVERY_GATHER_H
#define DULT_DELIVERY_GATHER_H

#include <stdint.h>

enum {
    GATHER_AWAITED_MIN = 4,
    GATHER_US_MIN = 10,      /* a shorter sleep costs more than it saves */
    GATHER_US_MAX = 250,     /* an answer, or a message that is given, waits so long more at most */
    GATHER_LEISURE_US = 200, /* between two answers, of late: there is nothing to win */
};

struct gather {
    int32_t awaited;                     /* connections that wait for an answer */
    int32_t heard;                       /* of them, so many have spoken in this round */
    int64_t round_us, each_us, sleep_us; /* the last one's end; an answer's time, of late */
};

/* A round has ended: how many microseconds to sleep before the next, or 0. */
int64_t gather_round(struct gather *g, int64_t now_us);

#endif
