/*
 * engine_naive: does a condition hold for somebody, by the very records that were told of them?
 *
 * The naive twin of segments (segment_naive_test.h) is given the records as they came, so nothing
 * of the engine's stands between what was told and the answer: no timeline, no state, no load.
 */
#ifndef DULT_ENGINE_NAIVE_TEST_H
#define DULT_ENGINE_NAIVE_TEST_H

#include "engine/program.h"

enum { NAIVE_RECORDS_MAX = 40 };

/* What was told of one person: track, identify and message records, in order of arrival. */
struct told {
    const struct record *records[NAIVE_RECORDS_MAX];
    uint32_t             count;
};

enum told_answer { TOLD_NO, TOLD_YES, TOLD_UNASKED };

/* TOLD_UNASKED: it is about lists, consent, journeys or shares, or there was too much to tell. */
enum told_answer told_ask(const struct program *program, const struct told *told,
                          const struct segment_node *tree, int64_t now_ms);

#endif
