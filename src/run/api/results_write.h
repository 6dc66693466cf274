/*
 * results_write: what became of messages, as answers write it.
 *
 *      "tried", "sent", "delivered", "confirmed", "bounced": {"hard", "soft"}, "failed",
 *      "opened", "clicked", "machine": {"opened", "clicked"}, "complained", "unsubscribed",
 * "replied", "rates": {"delivered": of those tried; "opened", "clicked", "complained",
 * "unsubscribed": of those delivered; each {"low", "middle", "high"}}
 */
#ifndef DULT_RUN_RESULTS_WRITE_H
#define DULT_RUN_RESULTS_WRITE_H

#include "engine/report/results.h"
#include "run/api/api_inside.h"

void results_count_write(struct buf *out, bool *first, const struct results_count *count);
void results_rates_write(struct buf *out, bool *first, const struct results_count *count);

#endif
