/*
 * leaf: one condition without parts, asked of the people of a block.
 *
 * By columns where the condition allows it: who has so many postings, of those who was active, of
 * those the one instant that decides. Else one by one, but only people who have an event that the
 * condition is about: everyone else gets the answer of a person of whom nothing is known.
 */
#ifndef DULT_ENGINE_REPORT_LEAF_H
#define DULT_ENGINE_REPORT_LEAF_H

#include "engine/report/block.h"
#include "engine/report/someone.h"
#include "engine/segment/segment_program.h"

/* What one answer costs, roughly: the cheap are asked first. */
enum leaf_cost { LEAF_FREE, LEAF_NAME, LEAF_BAG, LEAF_DEAR };

struct leaf_asking {
    const struct segment_program *program;
    struct block                  block;
    struct slices                 slices;
    struct someone                someone, nobody;
};

void leaf_asking_make(struct leaf_asking *asking, const struct report *report,
                      const struct segment_program *program);

enum leaf_cost leaf_cost(const struct segment_op *ops, uint32_t at);
/* Of those asked (people of one profile), for whom does the op at `at` hold? */
void leaf_eval(struct leaf_asking *asking, uint32_t at, const uint64_t *asked, uint64_t *out);

#endif
