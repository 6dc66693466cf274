/*
 * figures: rates with how sure they are, as answers write them.
 *
 *     "rate": {"low": 0.12, "middle": 0.15, "high": 0.18}     holds it with FIGURES_SURE
 */
#ifndef DULT_RUN_FIGURES_H
#define DULT_RUN_FIGURES_H

#include "base/json.h"
#include "engine/experiment/odds.h"

#define FIGURES_SURE 0.95

/* What odds can be asked of: cut to 2^30, and no more successes than there were. */
struct odds_count figures_count(uint64_t of, uint64_t successes);

void figure_write(struct buf *out, bool *first, const char *key, double value);
void figures_write(struct buf *out, bool *first, const char *key, struct odds_range range);
/* The rate of so many; nothing where there were none. */
void figures_rate_write(struct buf *out, bool *first, const char *key, uint64_t of,
                        uint64_t successes);

#endif
