/*
 * findings: what the API found in a template, told to whoever saves it.
 *
 *     templates/welcome.email:12: warning: There is a space in this link: https://x.example/a b
 *           Write %20 for each space.
 *
 * They go to the error stream, or with --json, as the API gave them with the file's path, into a
 * list that ends in the command's one value.
 */
#ifndef DULT_RUN_FINDINGS_H
#define DULT_RUN_FINDINGS_H

#include "base/json.h"
#include "run/cli/cli.h"

struct findings {
    const struct cli *cli;
    bool              has_notes; /* notes are told, too */
    struct buf        json;      /* objects with commas between; made and closed by the caller */
    uint32_t          errors, warnings;
};

/* Tells what is in the answer to a template of this path. */
void findings_take(struct findings *findings, struct str path, const struct json *answer);

#endif
