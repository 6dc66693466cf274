/* results_inside: what the two files of results share. */
#ifndef DULT_ENGINE_REPORT_RESULTS_INSIDE_H
#define DULT_ENGINE_REPORT_RESULTS_INSIDE_H

#include "engine/report/results.h"

void results_letter_count(struct results_count *count, const struct letter *letter);
void results_missing_add(struct results *out, const struct orders_missing *one);

#endif
