/*
 * telling: a life as a list of lines, told to an engine that may find no memory anywhere.
 *
 *     { DEFINE(SEGMENT, "vip", "did \"Order\""), DID("ada", "Order", "{}"), PASSES(1), END }
 *
 * Nothing is asserted here: what goes wrong is returned. With `stored` it keeps what a store would
 * have, so that an engine can be loaded from it (engine_stored_test.c).
 */
#ifndef DULT_ENGINE_ENGINE_TELLING_TEST_H
#define DULT_ENGINE_ENGINE_TELLING_TEST_H

#include "base/time.h"
#include "engine/engine.h"

#define TELLING_T0 INT64_C(1767225600000) /* 2026-01-01 */

enum { TELLING_EVENTS_MAX = 512, TELLING_DEFINITIONS_MAX = 128 };

/* One thing told. `text`: properties, traits, or a definition. */
struct line {
    enum record_kind     kind;
    enum definition_kind define;
    const char          *who, *name, *text;
    int64_t              after_ms; /* since the line before */
    uint8_t              flags;
    const char       *anonymous; /* or the earlier id of an alias, or the journey to be let into */
    enum outcome_kind outcome;   /* of RECORD_OUTCOME; 0: it was sent */
    const char       *context;   /* JSON */
    uint32_t          count;     /* of codes; 0: 10 claims */
};

#define DEFINE(what, named, as)                                                                    \
    {                                                                                              \
        .kind = RECORD_DEFINE, .define = DEFINE_##what, .name = (named), .text = (as)              \
    }
#define DID(user, event, with)                                                                     \
    {                                                                                              \
        .kind = RECORD_TRACK, .who = (user), .name = (event), .text = (with)                       \
    }
#define IS(user, with)                                                                             \
    {                                                                                              \
        .kind = RECORD_IDENTIFY, .who = (user), .text = (with)                                     \
    }
#define PASSES(ms)                                                                                 \
    {                                                                                              \
        .kind = RECORD_CLOCK, .after_ms = (ms)                                                     \
    }
#define CLAIMS                                                                                     \
    {                                                                                              \
        .kind = RECORD_CLAIM                                                                       \
    }
#define OUTCOME(what)                                                                              \
    {                                                                                              \
        .kind = RECORD_OUTCOME, .outcome = OUTCOME_##what                                          \
    }
#define SAYS(user, topic, word)                                                                    \
    {                                                                                              \
        .kind = RECORD_CONSENT, .who = (user), .name = (topic),                                    \
        .text = "{\"state\":\"" word "\",\"how\":\"form\"}"                                        \
    }
/* The last merge is undone. */
#define PARTED                                                                                     \
    {                                                                                              \
        .kind = RECORD_UNMERGE                                                                     \
    }
#define END                                                                                        \
    {                                                                                              \
        .kind = RECORD_NONE                                                                        \
    }

/* What a store would have beside decisions and names, which `out` keeps. */
struct telling_stored {
    struct record events[TELLING_EVENTS_MAX]; /* `profile`: whose */
    struct record definitions[TELLING_DEFINITIONS_MAX];
    uint32_t      events_count, definitions_count;
};

struct telling {
    struct engine         *engine;
    struct arena          *arena;
    struct out             out;
    int64_t                now_ms;
    size_t                 told_decisions, told_events;
    uint64_t               told;            /* what came of it, as one number */
    uint64_t               claimed, merged; /* the last message claimed; the last merge */
    struct telling_stored *stored;          /* NULL: nothing is kept */
};

/* Opened at T0; also after an error it is to be closed. ERR_MEMORY. */
MUST enum err telling_open(struct telling *t);
void          telling_close(struct telling *t);
/* All lines, up to END. ERR_MEMORY; what was refused is only told. */
MUST enum err telling_lines(struct telling *t, const struct line *lines);

#endif
