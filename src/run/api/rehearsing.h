/*
 * rehearsing: POST /api/v1/journeys/rehearse, and a job of rehearsals.h, from words to answer.
 *
 *      body, store --> a world (definitions, names, suppressions)   rehearsing_world.c
 *      view, crew  --> counts, or one person's way                  rehearsing.c
 *      both        --> the answer                                   rehearsing_answer.c
 *
 * Asked beside the engine, of a view, as reports are: its thread is held only to find and to name
 * people. What is defined is read from the store; what the body gives stands in the place of it.
 *
 * Always true   nothing is decided, stored or sent.
 * Gives up      between two parts when the client has left, or the rehearsal was stopped.
 */
#ifndef DULT_RUN_REHEARSING_H
#define DULT_RUN_REHEARSING_H

#include "engine/rehearse/rehearse.h"
#include "run/api/ask.h"

enum {
    REHEARSING_DAYS = 90,  /* of the window, unless said */
    REHEARSING_SAMPLE = 5, /* people named of each journey, unless said */
    REHEARSING_DEFINITIONS_MAX = 40000,
    REHEARSING_DRAFTS_MAX = 100, /* saved ones, by name: each is a reading of all definitions */
};

struct rehearsing {
    struct ask           ask;
    const struct json   *body;
    struct arena        *arena; /* the call's */
    struct rehearse_conf conf;
    struct {
        struct rehearse_definition *items;
        uint32_t                    count, room;
    } definitions;
    struct {
        struct rehearse_name *items;
        uint32_t              count, room;
    } names;
    struct suppressions   *suppressed;
    struct rehearsal      *rehearsal;
    struct rehearse_hand  *hands[CREW_THREADS_MAX];
    struct rehearse_result result;
    struct str             who; /* one person is asked about; empty: everyone */
    uint32_t               person;
    struct rehearse_path   path;
    int64_t                until_us; /* by the monotonic clock; 0: as long as the client waits */
    atomic_bool            is_late;
};

/* Somebody looks on who does not wait for the answer. */
struct rehearsing_watch {
    struct rehearse_progress *progress;
    int64_t                   until_us; /* by the monotonic clock */
};

/* The answer to `body` in call->out. `watch` NULL: the client of call->request waits. ERR_WAIT: it
 * was stopped; ERR_LIMIT: it took too long. */
MUST enum err rehearsing_run(struct call *call, const struct json *body,
                             const struct rehearsing_watch *watch);

/* Fills conf.names, conf.definitions and conf.suppressed. ERR_INPUT, ERR_ABSENT, ERR_LIMIT with a
 * problem. */
MUST enum err rehearsing_world(struct rehearsing *r);
void          rehearsing_world_done(struct rehearsing *r);

MUST enum err rehearsing_answer(struct rehearsing *r);

#endif
