/*
 * report: the machine-readable parts, RFC 3464 (delivery status) and RFC 5965 (feedback).
 *
 *     Reporting-MTA: dns; mx.example              about the message
 *
 *     Final-Recipient: rfc822; ada@x.example      about one recipient
 *     Action: failed
 *     Status: 5.1.1
 *     Diagnostic-Code: smtp; 550 5.1.1 no such user
 *
 * Groups should be divided by empty lines and lines folded with a blank. Both are forgotten often,
 * so a second Final-Recipient begins a group as well, and a line without a field's shape continues
 * the one before. Fields may come in any order; what is unknown is stepped over.
 */
#ifndef DULT_BOUNCE_REPORT_H
#define DULT_BOUNCE_REPORT_H

#include "bounce/verdict.h"

enum { REPORT_RECIPIENTS_MAX = 256, REPORT_WORDS_BYTES_MAX = 4 << 10 };

struct report_item {
    struct str  recipient; /* final, or original where that is no address; may be empty */
    struct str  original;
    struct str  status;
    struct str  said;     /* Diagnostic-Code without its type */
    struct str  category; /* X-PowerMTA-BounceCategory */
    enum action action;
};

struct report {
    struct report_item *items; /* REPORT_RECIPIENTS_MAX of them */
    size_t              count;
    struct str          reporter; /* Reporting-MTA, without its type */
};

/* Adds the groups of `text` to *report. True when there was a field of a recipient at all. */
bool report_read(struct str text, struct report *report);

#endif
