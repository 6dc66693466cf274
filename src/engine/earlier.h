/*
 * earlier: what a person did by the same link before.
 *
 * An answer that is given twice is one answer, and a file may be fetched so often: both are asked
 * of the person's timeline, for what is known by now, whatever became of the process in between.
 *
 *      Question Answered {message: 17, question: "nps", answer: "9", comment: "Good"}
 *      Question Answered {message: 17, question: "nps", answer: "7"}          <- count 2, the last
 *
 * Cost          a look through the person's events of that name.
 */
#ifndef DULT_ENGINE_EARLIER_H
#define DULT_ENGINE_EARLIER_H

#include "engine/engine.h"

struct earlier_query {
    uint32_t   profile;
    uint64_t   message;
    struct str event;      /* its name */
    struct str key, value; /* "question", "nps" */
};

struct earlier {
    uint32_t   count;           /* by people: what a machine did is left out */
    uint32_t   all;             /* by anyone */
    struct str answer, comment; /* of the last; empty where it has none */
};

/* The texts are copied into the arena. ERR_MEMORY. */
MUST enum err engine_earlier(const struct engine *engine, const struct earlier_query *query,
                             struct arena *arena, struct earlier *out);

#endif
