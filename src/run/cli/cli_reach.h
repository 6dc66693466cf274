/*
 * cli_reach: somebody who answers for a data folder.
 *
 *     a server holds it:    command --dult.sock--> server
 *     nobody does:          command --dult-PID.sock--> the same core and API, in this process,
 *                           without TCP and without sending, closed when the command ends
 *
 * So every command is written once, and gives the same answer in both cases.
 *
 * Always true   a folder whose holder does not answer is waited for, for REACH_WAIT_MS, and then
 *               explained.
 */
#ifndef DULT_RUN_CLI_REACH_H
#define DULT_RUN_CLI_REACH_H

#include "run/cli/cli.h"
#include "run/cli/client.h"
#include "run/serve.h"

enum { REACH_WAIT_MS = 5000 }; /* as long as another command takes on a folder of middling size */

struct reach {
    struct client *client;
    struct serve  *serve; /* ours, or NULL */
    char           socket_name[40];
    int            folder; /* for a long path; -1 */
};

/* With `is_making`, a folder that is not there is made. Speaks of what fails: returns OK or not. */
MUST enum err reach_open(struct reach *reach, struct cli *cli, bool is_making,
                         struct problem *problem);
void          reach_close(struct reach *reach); /* all zero is closed already */
void          reach_closep(struct reach *reach);

#endif
