/*
 * journey_asked: where does a journey ask for a segment?
 *
 * So the journeys of a segment are known, and what each is to it. program_computed.c has it, beside
 * the same question about traits and stages.
 */
#ifndef DULT_ENGINE_JOURNEY_ASKED_H
#define DULT_ENGINE_JOURNEY_ASKED_H

#include "engine/program.h"

enum journey_asked {
    ASKED_TRIGGER = 1 << 0, /* what begins it, or whom a schedule is for */
    ASKED_AUDIENCE = 1 << 1,
    ASKED_EXIT = 1 << 2,
    ASKED_GOAL = 1 << 3,
    ASKED_NODES = 1 << 4,
    ASKED_WAYS = 5,
};

/* Bits of these; 0: nowhere. */
uint32_t journey_asks_segment(const struct program *program, const struct journey_version *version,
                              struct str segment);

#endif
