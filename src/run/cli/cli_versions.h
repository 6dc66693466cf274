/*
 * cli_versions: dult journey history, diff, rollback, and whatever publishes a version.
 */
#ifndef DULT_RUN_CLI_VERSIONS_H
#define DULT_RUN_CLI_VERSIONS_H

#include "run/cli/cli_talk.h"

enum cli_exit cli_versions_history(struct cli *cli);
enum cli_exit cli_versions_diff(struct cli *cli);
enum cli_exit cli_versions_rollback(struct cli *cli);

/* What differs between two texts, as `diff` has it. */
void versions_diff_print(struct talk *talk, const struct json *one);
/* Says what becomes of those inside, asks where it cannot be taken back, and publishes: a POST of
 * what `path` makes. */
typedef void  versions_path(struct talk *talk, bool is_dry);
enum cli_exit versions_publish(struct talk *talk, versions_path *path,
                               void (*line)(struct talk *talk, const struct json *one),
                               enum err *err);

#endif
