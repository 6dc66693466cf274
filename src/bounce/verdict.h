/*
 * verdict: what one recipient's evidence amounts to.
 *
 *     evidence                          what a careful postmaster concludes
 *     550 5.1.1, to RCPT                the mailbox is not there: hard
 *     450 4.1.1 User unknown            said so, but for now only: soft
 *     550 User unknown, to DATA         the address was taken, the mail was not: a filter, soft
 *     553 ... does not exist, to MAIL   it is our sender that does not exist: soft
 *     552 5.2.2 Mailbox full            5yz or not, it can be emptied: soft
 *
 * Always true   hard needs a reason that lies in the address (reason_is_hard) and no sign that the
 *               failure is temporary: no status 4.x.x, no reply 4yz, no report of a mere delay.
 */
#ifndef DULT_BOUNCE_VERDICT_H
#define DULT_BOUNCE_VERDICT_H

#include "bounce/reason.h"

/* Of the SMTP dialogue, what the far side refused. */
enum stage { STAGE_UNKNOWN, STAGE_CONNECT, STAGE_MAIL, STAGE_RCPT, STAGE_DATA };

enum action { ACTION_UNKNOWN, ACTION_FAILED, ACTION_DELAYED, ACTION_DELIVERED };

struct evidence {
    struct str  words;  /* flat: what was said about this recipient */
    struct str  around; /* flat: what stands beside it; asked when words and codes say nothing */
    struct str  status; /* of a field Status; may be empty */
    enum action action;
    enum stage  stage;
    enum reason category;    /* as the reporting server itself sorted it, else UNDEFINED */
    bool        is_verbatim; /* `words` are a Diagnostic-Code: the reply itself */
    bool        is_rule;     /* by a rule of the owner's, after the mail had been taken */
};

struct verdict {
    enum reason reason;
    struct str  status; /* empty: none was told */
    struct str  said;   /* of the words, the sentence that counts */
    bool        is_temporary, is_hard;
};

struct verdict verdict_of(const struct evidence *evidence);

/* The stage that the text tells of ("in reply to RCPT TO", ">>> DATA" before "<<< 550" ...). */
enum stage verdict_stage(struct str flat);

#endif
