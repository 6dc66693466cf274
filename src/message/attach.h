/*
 * attach: files that go with a message.
 *
 *     Content-Type: application/pdf
 *     Content-Disposition: attachment; filename="invoice.pdf"
 *                                    ; filename*=UTF-8''r%C3%A9sum%C3%A9.pdf    (RFC 2231)
 *     Content-Transfer-Encoding: base64                                        lines of 76
 *
 * A name is shown to people and used by their programs: no path, no control character. A type is
 * one of RFC 2045 without parameters; a message within the message ("message/rfc822") or parts of
 * its own
 * ("multipart/...") may not be base64, so they are refused.
 *
 * Always true   what was checked is written as the very bytes it was given.
 */
#ifndef DULT_MESSAGE_ATTACH_H
#define DULT_MESSAGE_ATTACH_H

#include "base/buf.h"

enum {
    ATTACH_FILES_MAX = 10,
    ATTACH_NAME_BYTES_MAX = 200, /* most file systems take 255 */
    ATTACH_TYPE_BYTES_MAX = 100,
    ATTACH_BYTES_MAX = 7 << 20, /* all together: in base64 they leave a message its bodies */
};

struct attach_file {
    struct str name, type, content;
};

/* ERR_INPUT with the fault; `where` names the file in it. */
MUST enum err attach_check(const struct attach_file *file, const char *where,
                           struct problem *problem);

/* The part: its header fields, an empty line, the content. */
void attach_write(const struct attach_file *file, struct buf *out);

#endif
