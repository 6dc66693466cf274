/*
 * cli_next: what comes next for somebody inside a journey, as a person reads it.
 *
 *     At node paid, waiting for an event until 2026-01-05 10:00 (in 3 days; 11:00 by their clock)
 *       yes: did "Paid" where amount > 10
 *         split which, as of now pro
 *         message pro (email) would not go: no e-mail address
 *         end
 *       timeout: the time is over
 *         ...
 *     Left when: did "Cancelled" since entry
 */
#ifndef DULT_RUN_CLI_NEXT_H
#define DULT_RUN_CLI_NEXT_H

#include "run/cli/cli_talk.h"

/* Prints "next" of the answer of /explain for a journey; for who is not inside "entering": what
 * would have to happen. */
void next_print(struct talk *talk);
/* cli_winner.c: the winner of an experiment, as "winner" has it; one line. */
void winner_print(struct talk *talk, const struct json *winner);
/* What was chosen at the journey's nodes, as "choices" of /explain has it; nothing of none. */
void choices_print(struct talk *talk);

#endif
