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
#include "message/check.h"
#include "run/send/email_file.h"
#include "run/send/workspace.h"

/*
 * Appends "findings":[...],"errors":N. `workspace` may be NULL: its address is not known. `more`
 * (may be NULL) was found by others, and is told first.
 */
MUST enum err email_findings_write(const struct email_file *file, const struct workspace *workspace,
                                   const struct check_findings *more, struct buf *out,
                                   struct problem *problem);

/* What the text itself says: a sender that is not there, segments asked for in another form. */
void email_text_judge(const struct email_file *file, const struct workspace *workspace,
                      struct check_findings *out);

/* Pools that are named within conditions alone: codes_check.c. email_text_judge asks it. */
void codes_judge(const struct email_file *file, struct check_findings *out);

/* Of a mail as it was rendered; the lines are those of each part. */
struct mail_findings {
    struct str subject, html, text;
    struct str unsubscribe; /* as check_in has it */
    bool       is_transactional;
};
MUST enum err mail_findings_write(const struct mail_findings *mail, struct buf *out,
                                  struct problem *problem);

/* These alone, in the same form, behind `rows` that are written already; may be empty. */
void findings_only_write(const struct check_findings *findings, struct str rows, struct buf *out);

/* One more, if there is room. */
void finding_add(struct check_findings *out, struct check_finding finding);

/* The same of a template that is no e-mail: notice_check.c. email_findings_write asks it. */
MUST enum err notice_findings_write(const struct email_file *file, struct buf *out);

#endif
