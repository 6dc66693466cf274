/*
 * judging: what would hurt the mails of a template, in the answer to whoever saves it.
 *
 * The template is read as it was handed in, with the workspace of now for the postal address and
 * the sender, and rendered for some of the people who would get it.
 */
#ifndef DULT_RUN_JUDGING_H
#define DULT_RUN_JUDGING_H

#include "run/api/api_inside.h"

/* Appends "findings":[...],"errors":N for a text that templates_check took. */
MUST enum err judging_write(struct call *call, struct str name, struct str text, struct buf *out,
                            bool *first);

/* The same of what is about to go live: can its mail be believed, and of a journey (its text;
 * empty: it is none) what its drawing hides. */
MUST enum err judging_launch_write(struct call *call, struct str journey, struct buf *out,
                                   bool *first);

#endif
