/*
 * check: what would hurt a mail, seen before it is sent.
 *
 * Reads a mail as it was rendered, or a template as it is saved (`is_template`: then what Liquid
 * puts in is not known, and not judged). Each finding says where, what, and what to do. An error is
 * what is broken for every reader; a warning costs readers or reputation; a note is only said.
 *
 *     size          over 102 KB of HTML, which Gmail cuts                         warning
 *     subject       empty: error; over 150 characters                             warning
 *     preheader     none                                                          note
 *     text          none, and so made from the HTML                               note
 *     unsubscribe   no link, so that a footer is added                            note
 *     address       no postal address, in the mail or in the footer               warning
 *     link          empty, "#", relative, without a scheme, with a space in the
 *                   host, to a host that only this machine or network has
 *                   (Dult's own pages there: a note, once), {{ not closed         error
 *                   a script: error; a space elsewhere                            warning
 *     image         relative or without an address: error; by http; without alt   warning
 *     picture       hardly a word beside the pictures                             warning
 *     active        forms, scripts, frames: mail programs take them out           warning
 *     liquid        {{ or {% left in what readers see (not in a template)         error
 *     style         a style too large to be written into elements                 warning
 *
 * Always true   the same mail gives the same findings, in the order of the text; at most
 *               CHECK_FINDINGS_MAX, the rest is counted.
 * Knows not     DNS, and whether a link answers.
 */
#ifndef DULT_MESSAGE_CHECK_H
#define DULT_MESSAGE_CHECK_H

#include "base/buf.h"

enum {
    CHECK_FINDINGS_MAX = 100,
    CHECK_CLIPPED_BYTES = 102 << 10,
    CHECK_SUBJECT_CHARACTERS = 150, /* the longest that any program shows */
    CHECK_WORDS_BYTES = 40,         /* of text, under which a mail is a picture */
};

enum check_severity { CHECK_NOTE, CHECK_WARNING, CHECK_ERROR };
enum check_part { CHECK_SUBJECT, CHECK_PREHEADER, CHECK_HTML, CHECK_TEXT };

struct check_finding {
    enum check_severity severity;
    enum check_part     part;
    uint32_t            line;  /* in the part, 1 and up */
    const char         *about; /* the word on the left above */
    char                what[160];
    const char         *remedy; /* of static storage */
};

struct check_findings {
    struct check_finding at[CHECK_FINDINGS_MAX];
    uint32_t             count, left_out;
};

/* What may be empty may be empty in the mail. */
struct check_in {
    struct str subject, preheader, html, text;
    struct str unsubscribe;      /* its URL, or in a template "links.unsubscribe" */
    struct str address;          /* the sender's postal one */
    bool       is_template;      /* not rendered yet */
    bool       is_transactional; /* needs no way out */
    bool       knows_address;    /* false: `address` is not known, and not judged */
};

/* ERR_LIMIT with a problem where the HTML cannot be read; ERR_MEMORY. */
MUST enum err check_mail(const struct check_in *in, struct check_findings *out,
                         struct problem *problem);

const char *check_severity_name(enum check_severity severity); /* "note", "warning", "error" */
const char *check_part_name(enum check_part part);             /* "subject" ... */

#endif
