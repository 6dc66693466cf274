/*
 * cli_why: why a condition holds for a person or not, as a tree a person reads.
 *
 *     yes  all of these                                    until 2026-02-09 08:00 (in 9 days)
 *       yes  did "Ordered" at least 3 times in the last 30 days
 *            4 times: 2026-01-30 10:12 (yesterday) revenue 120
 *                     2026-01-22 09:01 (9 days ago) revenue 80
 *       no   plan = "pro"
 *            it is "free" since 2026-01-02 03:04 (29 days ago)
 */
#ifndef DULT_RUN_CLI_WHY_H
#define DULT_RUN_CLI_WHY_H

#include "run/cli/cli_talk.h"

/* Prints the answer of /explain for a segment or a condition. */
void why_print(struct talk *talk);
/* "in 9 days", "3 h ago", "now": how far `at_ms` is from `now_ms`. `out` has WHY_TEXT_BYTES. */
enum { WHY_TEXT_BYTES = 64 };
char *why_relative(int64_t at_ms, int64_t now_ms, char *out);

#endif
