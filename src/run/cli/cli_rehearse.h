/*
 * cli_rehearse: a rehearsal begun, looked at until it is done, and stopped in order.
 *
 *     Rehearsing  [######------------------]  27%  12,400 people lived, one of them at 2026-03-08
 *
 * Where nobody looks on, a line of it on standard error every five seconds. Ctrl-C stops it; a
 * second one ends the command at once.
 */
#ifndef DULT_RUN_CLI_REHEARSE_H
#define DULT_RUN_CLI_REHEARSE_H

#include "run/cli/cli_talk.h"

/* Asks talk->body; its answer is then in talk->answer. *is_stopped: it has none, and that was said.
 */
MUST enum err rehearsal_run(struct talk *talk, bool *is_stopped);
/* `dult rehearse --stop`: the one that is under way. */
enum cli_exit rehearsal_stop(struct cli *cli);

#endif
