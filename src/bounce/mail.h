/*
 * mail: a stranger's mail as a head and a flat list of parts.
 *
 *     head                     From, Subject, X-Failed-Recipients ...
 *     part 0   MAIL_TEXT       "Your message could not be delivered ..."     decoded
 *     part 1   MAIL_STATUS     Final-Recipient: rfc822; ada@x.example ...    decoded
 *     part 2   MAIL_RETURNED   what came back: a whole message or its head   not opened
 *
 * Containers (multipart/...) are opened and leave no trace; their parts come in order. The reading
 * is for mail that is broken as often as not: a boundary that never comes makes the container a
 * text, a missing last boundary ends at the end, rubbish in base64 is stepped over. Nothing is
 * refused. Texts keep the charset they came in: phrases that matter are ASCII almost everywhere.
 *
 * Always true   at most MAIL_PARTS_MAX parts, MAIL_DEPTH_MAX deep, of the first MAIL_BYTES_MAX
 *               bytes; what lies beyond is not read. Line ends are LF.
 * Cost          two passes over the bytes and a copy of them.
 * Source        RFC 5322, 2045, 2046, 2047 (words of the subject), 6522.
 */
#ifndef DULT_BOUNCE_MAIL_H
#define DULT_BOUNCE_MAIL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
    MAIL_BYTES_MAX = 512 << 10, /* a report stands first; what follows is what we sent ourselves */
    MAIL_PARTS_MAX = 32,
    MAIL_DEPTH_MAX = 6,
    MAIL_FIELD_BYTES_MAX = 8 << 10,
};

enum mail_kind {
    MAIL_TEXT,
    MAIL_HTML,     /* body is the text without its tags */
    MAIL_STATUS,   /* message/delivery-status, RFC 3464 */
    MAIL_FEEDBACK, /* message/feedback-report, RFC 5965 */
    MAIL_RETURNED, /* message/rfc822, text/rfc822-headers and kin */
    MAIL_OTHER,    /* pictures, calendars: empty body */
};

struct mail_part {
    enum mail_kind kind;
    struct str     body;
};

struct mail {
    struct str       head; /* of the whole mail */
    struct mail_part parts[MAIL_PARTS_MAX];
    int              parts_count;
};

/* Everything lies in `arena`. ERR_MEMORY. */
MUST enum err mail_read(struct arena *arena, struct str bytes, struct mail *out);

/*
 * The value of the n-th field of that name (0 the first) in a head, unfolded and trimmed;
 * false where there is none. `name` in lower case.
 */
bool mail_field(struct arena *arena, struct str head, const char *name, int nth, struct str *out);

/* Where the head of a message ends: the index behind the empty line, or text.len. */
size_t mail_head_end(struct str text);

#endif
