/*
 * tangle: what a drawing of a journey hides, found before anybody walks it.
 *
 *      a node that no way leads to                    a split whose ways all lead to one node
 *      a branch that can never be taken               an exit condition that holds from the start
 *      two messages at the same instant               a wait that ends in the night, then a message
 *      a message without consent days after entry     two journeys that begin by the same and write
 *                                                     on the same day
 *      a journey that comes round to itself by what it and others begin (tangle_round.h)
 *
 * Always true   a branch is asked by itself: two messages that are said to go at once may stand
 *               behind conditions that exclude each other. What is not found may still be.
 * Cost          nodes times branches; times the live journeys that begin by the same.
 */
#ifndef DULT_ENGINE_TANGLE_H
#define DULT_ENGINE_TANGLE_H

#include "engine/program.h"

enum {
    TANGLES_MAX = 50,
    TANGLE_NIGHT_FROM_HOUR = 21, /* a message that comes then, or before the next, wakes people */
    TANGLE_NIGHT_TO_HOUR = 7,
};

struct tangle {
    struct str  node; /* its id; empty: the journey itself */
    char        what[240];
    const char *remedy; /* of static storage */
};

struct tangles {
    struct tangle items[TANGLES_MAX];
    uint32_t      count, left_out;
};

/*
 * Those of a journey that was read with the program's names, and of it beside the other live ones.
 * What it finds borrows ids from the journey. ERR_MEMORY.
 */
MUST enum err tangles_find(const struct program *program, const struct journey *journey,
                           struct tangles *out);

#endif
