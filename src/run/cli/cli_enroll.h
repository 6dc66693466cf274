/* cli_enroll: the words of `dult journey` that let somebody in, or take somebody out. */
#ifndef DULT_RUN_CLI_ENROLL_H
#define DULT_RUN_CLI_ENROLL_H

#include "run/cli/cli.h"

enum cli_exit cli_enroll(struct cli *cli);
enum cli_exit cli_leave(struct cli *cli);
enum cli_exit cli_standstill(struct cli *cli); /* pause, resume, stop */
enum cli_exit cli_choose(struct cli *cli);     /* choose */
enum cli_exit cli_draft(struct cli *cli);      /* draft list, put, show, diff, publish, delete */

#endif
