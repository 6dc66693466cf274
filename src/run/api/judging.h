/*
 * judging: what would hurt the mails of a template, in the answer to whoever saves it.
 *
 * The template is read as it was handed in, with the workspace of now for the postal address.
 */
#ifndef DULT_RUN_JUDGING_H
#define DULT_RUN_JUDGING_H

#include "run/api/api_inside.h"

/* Appends "findings":[...],"errors":N for a text that templates_check took. */
MUST enum err judging_write(struct call *call, struct str name, struct str text, struct buf *out,
                            bool *first);

#endif
