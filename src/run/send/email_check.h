/*
 * email_check: what would hurt the mails of a template, told in places of its file.
 *
 *     {"severity": "warning", "part": "html", "line": 12, "about": "link",
 *      "what": "There is a space in this link: ...", "remedy": "Write %20 for each space."}
 *
 * The line is the file's. What is looked for is the message room's (message/check.h).
 */
#ifndef DULT_RUN_EMAIL_CHECK_H
#define DULT_RUN_EMAIL_CHECK_H

#include "base/buf.h"
#include "run/send/email_file.h"
#include "run/send/workspace.h"

/* Appends "findings":[...],"errors":N. `workspace` may be NULL: its address is not known. */
MUST enum err email_findings_write(const struct email_file *file, const struct workspace *workspace,
                                   struct buf *out, struct problem *problem);

/* The same of a template that is no e-mail: notice_check.c. email_findings_write asks it. */
MUST enum err notice_findings_write(const struct email_file *file, struct buf *out);

#endif
