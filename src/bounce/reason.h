/*
 * reason: why a mail came back, out of words and codes.
 *
 * There is no registry of the sentences that mail servers write, only habits. reason.c holds them
 * as a table of (phrase -> reason), asked from the particular to the general: "mailbox is full"
 * before "user unknown", because servers say the second beside the first. Where no phrase is known,
 * the enhanced status code answers (RFC 3463 and its registry: 5.1.1, 5.2.2, 5.7.26 ...).
 *
 *      reason         means                                         a mail to it again is
 *      userunknown    no such mailbox                               useless
 *      hostunknown    no such domain, or nothing there takes mail   useless
 *      hasmoved       the mailbox is elsewhere now                  useless
 *      notaccept      the domain takes no mail (RFC 7505)           useless
 *      mailboxfull, suspend, filtered, blocked, spamdetected ...    worth a later try
 *
 * The names are those that other programs on this matter use.
 */
#ifndef DULT_BOUNCE_REASON_H
#define DULT_BOUNCE_REASON_H

#include "base/str.h"

enum reason {
    REASON_UNDEFINED,
    REASON_AUTHFAILURE,
    REASON_BADREPUTATION,
    REASON_BLOCKED,
    REASON_CONTENTERROR,
    REASON_DELIVERED,
    REASON_EXCEEDLIMIT,
    REASON_EXPIRED,
    REASON_FEEDBACK,
    REASON_FILTERED,
    REASON_HASMOVED,
    REASON_HOSTUNKNOWN,
    REASON_MAILBOXFULL,
    REASON_MAILERERROR,
    REASON_MESGTOOBIG,
    REASON_NETWORKERROR,
    REASON_NORELAYING,
    REASON_NOTACCEPT,
    REASON_NOTCOMPLIANT,
    REASON_ONHOLD,
    REASON_POLICY,
    REASON_RATELIMITED,
    REASON_REJECTED,
    REASON_REQUIREPTR,
    REASON_SECURITY,
    REASON_SPAM,
    REASON_SUSPEND,
    REASON_SYNTAX,
    REASON_SYSTEMERROR,
    REASON_SYSTEMFULL,
    REASON_TOOMANYCONN,
    REASON_USERUNKNOWN,
    REASON_VIRUS,
    REASONS,
};

const char *reason_name(enum reason reason); /* "userunknown" */
/* Is the address itself at fault, so that no later mail will arrive either? */
bool reason_is_hard(enum reason reason);

/* By the phrases of `flat` (scan.h) alone. */
enum reason reason_of_words(struct str flat);
/* By an enhanced status code ("5.1.1"), as the registry has it; of general codes UNDEFINED. */
enum reason reason_of_status(struct str status);
/* By PowerMTA's field X-PowerMTA-BounceCategory ("bad-mailbox"), else UNDEFINED. */
enum reason reason_of_category(struct str category);
/* A code that says as much as is known: "5.1.1" of userunknown, "5.0.0" of undefined. */
struct str reason_status(struct arena *arena, enum reason reason, bool is_temporary);

#endif
