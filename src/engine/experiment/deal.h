/*
 * deal: people dealt into shares, and some of them held out.
 *
 *      0 ......... 300000 ................ 1000000      shares of 30 and 70 percent
 *      |   first   |         second        |
 *                       ^ the chance of (what is dealt, whose name it is, who)
 *
 * Nothing is kept of it: whoever is asked about again has the same chance, after a load, a retry or
 * a year. `who` is the profile by which a person was first known (deal_who), so somebody who visits
 * first and signs up later keeps their share; of two who become one the earlier known one's share
 * counts from then on, and where that is undone each has their own again.
 *
 * Always true   chances of different kinds, or of different names, have nothing to do with each
 *               other: an experiment is dealt evenly among those who are not held out.
 *               The same name deals the same people alike, wherever it is used.
 */
#ifndef DULT_ENGINE_DEAL_H
#define DULT_ENGINE_DEAL_H

#include "base/json.h"

enum {
    DEAL_ALL = 1000000, /* a hundredth of a percent is 100 of them */
    DEAL_NAME_BYTES_MAX = 128,
    DEAL_ARMS_MIN = 2,
    DEAL_ARMS_MAX = 8,
};

enum deal_kind {
    DEAL_EXPERIMENT, /* which variant */
    DEAL_HOLDOUT,    /* whether at all */
    DEAL_TEST,       /* whether before the others */
};

/* 0..DEAL_ALL - 1 */
uint32_t deal_chance(enum deal_kind kind, struct str name, struct str who);

struct people;
/* The id of the profile that the person was first known by; its text lies in `bytes`. */
struct str deal_who(const struct people *people, uint32_t profile, char bytes[16]);

/* Percent, 0.0001 to `most`, as so many of DEAL_ALL. ERR_INPUT with a problem at `where`. */
MUST enum err deal_share_read(const struct json *value, double most, const char *where,
                              uint32_t *out, struct problem *problem);

/* Who gets nothing, so that what was done for the others can be measured. */
struct holdout {
    uint32_t   share; /* of DEAL_ALL; 0: nobody */
    struct str name;
};

/* {"share": 10, "name"?: NAME}: at most 50 percent. Everything that holds out by one name holds out
 * the same people; without a name it is `own`. Texts stay borrowed. */
MUST enum err holdout_read(const struct json *value, struct str own, struct holdout *out,
                           struct problem *problem);
bool          holdout_has(const struct holdout *holdout, struct str who);

#endif
