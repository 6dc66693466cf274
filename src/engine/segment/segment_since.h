/*
 * segment_since: since when is an answer what it is?
 *
 * Nothing is kept for it: the truth at every past instant follows from the facts, so the start of
 * the present stretch is found by going back, over all that is known now. Events that came late,
 * imports, merges and changed definitions are thereby in it as if they had come in order.
 *
 *      first record                                         now
 *   ----+----------+--------------------+---------+-----+-+--+
 *                  |  8 times as far back each time      <----  until the answer was another
 *                  +--> and within such a piece forward, from one `until` to the next
 *
 * Always true   the answer is the same on [since, now], and another just before, unless since is
 *               the person's first record, or `or_earlier` says that the effort ended first.
 * Cost          one evaluation for each `until` in up to 8 times the stretch's length; each counts
 *               as reading all events, SEGMENT_STEP_READS at least.
 */
#ifndef DULT_ENGINE_SEGMENT_SINCE_H
#define DULT_ENGINE_SEGMENT_SINCE_H

#include "engine/segment/segment.h"

enum {
    SEGMENT_STEP_READS = 200,
    SEGMENT_READS_MAX = 10000 * SEGMENT_STEP_READS, /* of one question: some milliseconds */
};

struct segment_since {
    int64_t since_ms; /* FACTS_SINCE_UNKNOWN: nothing of the person's had happened by now */
    bool    or_earlier;
};

/* At facts->now_ms. *reads is what may be read still: several questions may share it. */
struct segment_since segment_since(const struct segment_program *program, const struct facts *facts,
                                   int64_t *reads);
/* The same for one condition of the program, whose answer at now is known. */
struct segment_since segment_since_op(const struct segment_program *program, uint32_t at,
                                      bool holds, const struct facts *facts, int64_t *reads);

#endif
