/*
 * cli_results: what became of messages, as a table.
 */
#ifndef DULT_RUN_CLI_RESULTS_H
#define DULT_RUN_CLI_RESULTS_H

#include "run/cli/cli_talk.h"

/* Of a broadcast: in all, and by variant. */
void results_print(struct talk *talk, const struct json *one);

#endif
