/*
 * results_world: random mail of random people, and what they bought, told to an engine and kept as
 * plain lists, which the twins read. Some people turn out to be one.
 */
#ifndef DULT_ENGINE_REPORT_RESULTS_WORLD_TEST_H
#define DULT_ENGINE_REPORT_RESULTS_WORLD_TEST_H

#include "engine/engine_world_test.h"
#include "engine/report/results.h"

enum { MAIL_PEOPLE = 30, MAIL_MESSAGES = 200, MAIL_TOLD = 1500, MAIL_ORDERS = 300 };

/* What was told of a message: its kind, and whether a machine did it. */
struct told {
    int     message, kind;
    bool    is_machine;
    int64_t at_ms;
};

/* An order, or what was given back of one. */
struct bought {
    int who, kind, id, currency,
        cents; /* kind: 0 order, 1 refund, 2 cancelled; cents < 0: unsaid */
    int64_t at_ms;
};

struct mail {
    struct world  world;
    unsigned      seed;
    struct told   told[MAIL_TOLD];
    int           whose[MAIL_MESSAGES], template[MAIL_MESSAGES], broadcast[MAIL_MESSAGES];
    struct bought bought[MAIL_ORDERS];
    uint32_t      bought_count;
};

enum { SENT, FAILED, HARD, SOFT, OPENED, CLICKED, UNSUBSCRIBED, COMPLAINED, REPLIED, CONFIRMED };

/* What became of a message in the end. */
struct fate {
    int64_t sent_ms;
    bool    was[CONFIRMED + 1], by_machine[CONFIRMED + 1], is_told;
};

extern const char *const MAIL_TEMPLATES[3], *const MAIL_BROADCASTS[3], *const MAIL_CURRENCIES[4];
extern const struct results_arm MAIL_ARMS[2]; /* spring: a is short, b is long */

int         mail_roll(struct mail *mail, int sides);
void        mail_open(struct mail *mail, unsigned seed);
uint32_t    mail_person(struct mail *mail, int who); /* now */
uint32_t    mail_whose(struct mail *mail, int message);
struct fate mail_fate(const struct mail *mail, int message);

/* A question asked in parts, and what it was asked of. */
struct asked {
    struct view    *view;
    struct edition *edition;
    struct results  results;
};

struct asked mail_ask(struct mail *mail, struct results_question question, uint32_t parts);
void         asked_done(struct asked *asked);

#endif
