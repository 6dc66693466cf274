/*
 * cli_inside: those inside a journey that is published anew, in words.
 */
#ifndef DULT_RUN_CLI_INSIDE_H
#define DULT_RUN_CLI_INSIDE_H

#include "run/cli/cli_talk.h"

/* What `--inside` says: true for "move". ERR_INPUT with *problem for a word that is none. */
MUST enum err inside_moves(const struct cli *cli, bool *moves, struct problem *problem);
/* "412 are inside: 400 at pause, 12 at more; 400 go on by the new version, 12 finish the old"; of
 * an answer about nobody nothing. How many are inside. */
int64_t inside_say(const struct json *answer, bool moves, FILE *out);

#endif
