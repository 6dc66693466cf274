/*
 * checking: what `dult check` asks of others: the people of a data folder, and the links' servers.
 *
 * Both tell what they find as findings of a file, beside those of the text itself.
 */
#ifndef DULT_RUN_CHECKING_H
#define DULT_RUN_CHECKING_H

#include "run/cli/cli_talk.h"
#include "run/cli/files.h"
#include "run/cli/findings.h"

enum { CHECKING_LINKS_MAX = 500 }; /* of one run, each asked once */

/* Tells of a segment, by the API's answer to it, where a word after `and` was most likely meant as
 * a property of the event before it: `where (... and ...)`. */
MUST enum err checking_brackets(struct findings *findings, struct arena *arena,
                                const struct file *file, const struct json *answer);
/* Renders each template for people of the data folder: --people N, --person WHO,... And asks it of
 * each segment's words, as above. */
MUST enum err checking_people(struct cli *cli, const struct files *files, struct findings *findings,
                              struct problem *problem);
/* Tells what drawings hide with people counted: --counts; see checking_counts.c. */
MUST enum err checking_counts(struct cli *cli, const struct files *files, struct findings *findings,
                              struct problem *problem);
/* Asks each link of each template whether it answers. */
MUST enum err checking_links(const struct files *files, struct findings *findings,
                             struct problem *problem);

#endif
