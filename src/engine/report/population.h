/*
 * population: who matches a condition?
 *
 * The program is asked of a few thousand people at a time, column by column. A leaf about
 * behaviour walks the postings of its name; only whom that does not decide is looked at alone.
 *
 *      did "A" at least 3 times in the last 30 days and never did "B"
 *
 *      people     1 1 1 1 1 1 1 1 ...     who is asked
 *      A          . 1 . . 1 1 . .         postings of A, then one instant each
 *      not B        1     . 1             only of those left
 *
 * Always true   the answer is that of segment_eval for each person, with all that the view knows;
 *               without what program->segments names, which are to be compiled in place.
 * Cost          4 bytes a posting and 4 a profile for each leaf about an event, one instant for
 *               each person who has enough of it; the events of a person who is looked at alone.
 */
#ifndef DULT_ENGINE_REPORT_POPULATION_H
#define DULT_ENGINE_REPORT_POPULATION_H

#include "engine/report/report.h"

/* Fills the words of `range` with who matches. `program` NULL: everyone known. ERR_MEMORY. */
MUST enum err population_match(const struct report *report, const struct segment_program *program,
                               struct report_range range, uint64_t *bits);
/* Everyone known: 12 bytes a profile, for nearly all. */
void population_known(const struct report *report, struct report_range range, uint64_t *bits);

#endif
