/*
 * linked_judge: does a template link to questions and files that there are?
 */
#ifndef DULT_RUN_API_LINKED_JUDGE_H
#define DULT_RUN_API_LINKED_JUDGE_H

#include "run/api/api_inside.h"
#include "run/send/email_check.h"

/* An error for each that is not there: such a message would be held back. */
MUST enum err linked_judge(struct call *call, struct str name, const struct email_file *file,
                           struct check_findings *out);

#endif
