/*
 * quiet: the first of a kind is worth a line, the next thousand are worth a number.
 *
 * A client with a wrong key asks again and again; a log that says so each time hides everything
 * else. Of each kind one line is said in a minute, and the next line of that kind carries how many
 * were kept quiet before it.
 *
 *      asked   a a a a b a      a
 *      said    a       b        a (4 more)
 *              |<-- a minute -->|
 *
 * Always true   at most QUIET_KINDS_MAX + 1 lines in any minute: kinds beyond the bound count as
 *               one kind together.
 * Cost          a look at QUIET_KINDS_MAX numbers, no allocation. A kind whose minute is over may
 *               be forgotten for another one, and with it its number.
 * Knows not     the clock, what a kind is, or locks.
 */
#ifndef DULT_RUN_QUIET_H
#define DULT_RUN_QUIET_H

#include <stdbool.h>
#include <stdint.h>

enum { QUIET_KINDS_MAX = 64, QUIET_MS = 60000 };

struct quiet_kind {
    uint64_t kind;
    int64_t  until_ms; /* silent before; 0: never used */
    uint64_t unsaid;
};

/* All zero is a new one. */
struct quiet {
    struct quiet_kind kinds[QUIET_KINDS_MAX];
    struct quiet_kind others;
};

/* Is this one to be said? Then `unsaid` is how many of the kind were not, since the last one. */
bool quiet_ask(struct quiet *quiet, uint64_t kind, int64_t now_ms, uint64_t *unsaid);

#endif
