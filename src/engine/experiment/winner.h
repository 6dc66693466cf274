/*
 * winner: which of an experiment's variants the rest get, by a rule that was settled before.
 *
 *      {"share": 20, "decide_after": "4 hours", "by": "clicked", "people": 100, "sure": 95,
 *       "otherwise": "ahead"}
 *
 *      counts at that time --> each variant has `people`, and one is the best with `sure`   SURE
 *                          `-> else: "ahead": whoever is most likely the best               AHEAD
 *                                    "wait": until somebody chooses
 *
 * It is asked once, at a time that was settled before (odds.h says why). The probability is that of
 * Beta posteriors: how likely the variant's rate is the highest of all.
 *
 * The node of a journey has no share that goes first, for people come one after the other:
 *
 *      {"people": 100, "decide_after": "7 days", "by": "goal", "sure": 95, "otherwise": "wait"}
 *
 * is asked as soon as each variant has `people` who came `decide_after` ago or longer, of all those
 * (journey/contest.h). When that is says nothing of how they fared, so it is settled before, too.
 */
#ifndef DULT_ENGINE_WINNER_H
#define DULT_ENGINE_WINNER_H

#include "engine/experiment/deal.h"
#include "engine/experiment/odds.h"

enum winner_by { WINNER_CLICKED, WINNER_OPENED, WINNER_GOAL, WINNER_UNSAID };
enum winner_how { WINNER_NOT_YET, WINNER_BY_HAND, WINNER_SURE, WINNER_AHEAD };

enum {
    WINNER_PEOPLE = 100, /* of each variant, unless the rule says otherwise */
    WINNER_PEOPLE_MAX = 10000000,
    WINNER_NONE = DEAL_ARMS_MAX,
};

struct winner_rule {
    uint32_t       share;    /* of DEAL_ALL: who gets the variants first; 0: there is no rule */
    int64_t        after_ms; /* from when the last of them was queued; 0: there is no rule */
    enum winner_by by;
    struct str     goal;   /* of WINNER_GOAL: an event, perhaps with `where` */
    uint32_t       people; /* that each variant's message reached at least */
    double         sure;   /* 0.5 .. 0.999999 */
    bool           waits;  /* for somebody to choose, where none is sure */
};

/* Texts stay borrowed. NULL: no rule. ERR_INPUT with a problem below `where`. */
MUST enum err winner_read(const struct json *value, const char *where, struct winner_rule *out,
                          struct problem *problem);
/* The same of a journey's node: no `share`, and a goal is the journey's. `by` is WINNER_UNSAID
 * where nothing is said. NULL: no rule; after_ms is then 0. */
MUST enum err winner_read_journey(const struct json *value, const char *where,
                                  struct winner_rule *out, struct problem *problem);
/* Which one, or WINNER_NONE where nobody is sure and the rule waits. `best`: of each variant. */
uint32_t winner_pick(const struct winner_rule *rule, const struct odds_count *counts,
                     uint32_t count, double *best, enum winner_how *how);

/* "opened", "clicked", "goal"; "by hand", "sure", "ahead". */
const char *winner_by_word(enum winner_by by);
const char *winner_how_word(enum winner_how how);
/* WINNER_NOT_YET for no such word. */
enum winner_how winner_how_of(struct str word);

#endif
