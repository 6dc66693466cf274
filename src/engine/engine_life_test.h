/*
 * engine_life: one random life of an engine, and all that it takes to tell it and to judge it.
 *
 *      engine_life_told_test.c     what is told: records, definitions, all at random
 *      engine_life_kept_test.c     what a store would have of it, and engines loaded from that
 *      engine_life_retained_test.c how long events are kept, and which are gone by that
 *      engine_life_judge_test.c    are all memberships the truth?
 *      engine_life_cast_test.c     broadcasts, claims and answers; engine_life_cast_judge_test.c
 *      engine_life_test.c          the story: what happens when
 *
 * A life is drawn from one number (`seed`), which replays it.
 */
#ifndef DULT_ENGINE_LIFE_TEST_H
#define DULT_ENGINE_LIFE_TEST_H

#include "base/test.h"
#include "base/time.h"
#include "engine/checkpoint.h"
#include "engine/engine_naive_test.h"
#include "engine/engine_rebase_test.h"
#include "engine/erasure.h"
#include "engine/inside.h"

#define LIFE_T0 INT64_C(1767225600000) /* 2026-01-01 */

enum {
    LIFE_RECORDS = 900,
    LIFE_EVENTS_MAX = 8 * LIFE_RECORDS, /* with those that nodes tell */
    LIFE_DEFINITIONS_MAX = 400,
    LIFE_ROWS_MAX = 400,
    LIFE_EVENTS = 3, /* names of what people do */
    LIFE_CASTS_MAX = 24,
    LIFE_ACTS = 6, /* what may be done with a broadcast */
};

/* What a store would have beside the decisions and names, which `out` keeps. */
struct kept {
    struct {
        enum definition_kind kind;
        const char          *name, *text;
        uint32_t             seq;
    } definitions[LIFE_DEFINITIONS_MAX];
    struct {
        struct record record;
        uint32_t      profile;
        bool          gone, purged; /* kept no longer; and its row was removed */
    } events[LIFE_EVENTS_MAX];
    struct checkpoint_row rows[LIFE_ROWS_MAX];
    uint32_t              definitions_count, events_count, rows_count;
    uint32_t           checkpoint_seq, checkpoint_decisions; /* of a finished round; 0 for none */
    uint32_t           round_seq, round_decisions;           /* of the one under way */
    struct rebase_copy base;                                 /* the last one of the timeline */
    struct str         casts, cast_pages[LIFE_CASTS_MAX];    /* broadcasts, and their first pages */
};

struct casting; /* engine_life_cast_test.h */

/* Events of each name are kept for so many days (0: for ever), as it was on that day (UTC). */
struct life_rules {
    int     days[LIFE_EVENTS];
    int64_t day;
};

struct life {
    struct zones   *zones, *newer; /* rules of time zones; the later ones are known to some twins */
    struct engine  *engine, *twin; /* twin: loaded from what was kept; NULL for most of the time */
    struct out      twin_out;
    uint32_t        twin_left, loads, erased, swept;
    struct erasure *erasure; /* while a twin is loaded from what an erasure left; else NULL */
    struct kept     kept;
    struct arena   *arena;
    struct out      out;
    uint64_t        seq, random, standing; /* seq: the last number that either has given */
    size_t          told;                  /* of what nodes told, how much is kept */
    uint64_t        seed;                  /* it and the step are told to who replays */
    int             step;
    int64_t         now_ms;
    bool            busy;  /* two people do nearly everything */
    bool            crowd; /* many do a little */
    uint64_t        naive; /* answers of the naive twin */

    bool              retains, is_coming; /* older events go in this life; other rules announced */
    bool              twin_is_ahead;      /* its base may be without what is about to go */
    struct life_rules rules, coming, in_force;
    uint32_t          retained, gone; /* how often rules came in force, and events went */

    struct casting *casting, *twin_casting;
    uint32_t        acts[LIFE_ACTS]; /* that were allowed */
};

extern const char *const life_events[LIFE_EVENTS];

/* ---- engine_life_told_test.c */

uint32_t life_draw(struct life *life, uint32_t below);
/* The engine is told, and the twin; what a store would keep is kept. The record gets its number. */
enum err life_tell(struct life *life, struct record record);
/* The same of two that differ in what is each one's own: the number of a message. */
enum err life_tell_apart(struct life *life, struct record record, struct record twins,
                         enum err *twins_err);
void     life_settle(struct life *life); /* clocks are told until nobody has anything left to do */
void life_define(struct life *life, enum definition_kind kind, const char *name, const char *text);
const struct json *life_object(struct life *life, struct str text); /* lives as long as the life */

void       life_definitions_tell(struct life *life); /* all, as at the beginning */
void       life_record_random(struct life *life);    /* anything; now and then nothing */
uint32_t   life_segments_count(void);
struct str life_segment(uint32_t number); /* its name */

/* ---- engine_life_kept_test.c */

/* The timeline gets a new base, and a copy of it is kept as a file would be; what was announced of
 * retention is in force by it. Other records come while it is written. */
void life_snapshot(struct life *life);
void life_checkpoint_go_on(struct life *life);
/* A twin is loaded now and then, lives on for a while, and ends. */
void life_twin_go_on(struct life *life);

/* ---- engine_life_retained_test.c */

/* Is it accepted, and not kept? */
bool life_is_older(const struct life *life, const struct record *record);
/* Other rules, what is due announced, rows removed: each now and then. */
void life_retention_go_on(struct life *life);
void life_retained(struct life *life); /* RECORD_RETAINED is to be told, and is told */
/* Would whoever loads now announce the same? Then the twin does. */
bool life_announces_alike(const struct life *life);
void life_announce(struct life *life, struct engine *engine);

/* ---- engine_life_judge_test.c */

/* Of the engine and of the twin; fails, and says where. */
void life_judge(struct life *life);
/* Does it hold for the person, by the records that were told alone? */
enum told_answer life_told(const struct life *life, const struct engine *engine, uint32_t person,
                           const struct segment_node *tree);

/* ---- engine_life_cast_test.c */

void life_cast_begin(struct life *life);
void life_cast_done(struct life *life);
/* Anything about broadcasts; often nothing. */
void life_cast_go_on(struct life *life);
/* All is sent that waits, and each is over. */
void life_cast_end(struct life *life);
void life_cast_keep(struct life *life);   /* with each record */
void life_cast_load(struct life *life);   /* into the twin, after its decisions */
void life_cast_loaded(struct life *life); /* stands it where the living one stands? */

#endif
