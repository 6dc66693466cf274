/*
 * contest: a journey's experiment whose winner is found by itself.
 *
 *      at each full hour, while there is one     everybody is asked, a part with each record of the
 *                                                clock: which variant did they take first, was
 *                                                that `decide_after` ago, and how did they fare?
 *      each variant has `people` of those   -->  the winner is looked for, once: winner_pick
 *      otherwise                            -->  again at the next hour
 *
 * Who counts is who came by long enough ago, all of them, each by their first time at the node; how
 * they fared plays no part in when it is looked, so that looking every hour is no peeking.
 *
 *      goal              that time in the journey reached the journey's goal
 *      clicked, opened   they did so, with a mail of the journey that was sent after they took the
 *                        variant; never a scanner
 *
 * What is found is a definition as one said by hand (choosing.h), also that nobody was sure: it is
 * looked for once. Of what was taken back it is not looked for again.
 *
 * Always true   nothing is kept of a count: after a load it begins anew at the next full hour.
 * Cost          CONTEST_PEOPLE a record of the clock, some 100 ns each and more for those who were
 *               in a journey; nothing where no winner is to be found.
 */
#ifndef DULT_ENGINE_CONTEST_H
#define DULT_ENGINE_CONTEST_H

#include "base/str.h"
#include "engine/experiment/odds.h"
#include "engine/experiment/winner.h"

enum { CONTEST_PEOPLE = 2000 };

struct contest {
    int64_t           hour; /* at which was looked last, since 1970; 0: not since the start */
    bool              is_counting;
    uint32_t          journey, version, cursor;
    uint16_t          node;
    int64_t           came_by_ms; /* who came later has not had their time */
    struct odds_count counts[DEAL_ARMS_MAX];
};

struct engine;
struct out;

MUST enum err contests_run(struct engine *engine, struct out *out);
int64_t       contests_next_ms(const struct engine *engine);

#endif
