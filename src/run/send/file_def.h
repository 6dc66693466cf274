/*
 * file_def: a file that mails hand out, as it is defined. Its bytes lie elsewhere, by their hash.
 *
 *     {"filename": "Guide to tents.pdf", "type": "application/pdf", "bytes": 81234,
 *      "sha256": "9f86d081...", "days": 30, "downloads": 0}
 *
 *      filename    what it is called where it is saved
 *      days        how long the links of a mail lead to it
 *      downloads   how often one mail's link hands it out; 0: as often as one likes
 *
 * Written in one way only (file_def_write), so that two definitions of the same are the same text.
 *
 * Always true   a filename has no path in it and no control characters; a type is one of
 *               `type/subtype`, with nothing a header could be ended by.
 */
#ifndef DULT_RUN_SEND_FILE_DEF_H
#define DULT_RUN_SEND_FILE_DEF_H

#include "base/json.h"

enum {
    FILE_NAME_BYTES_MAX = 200, /* as it is saved */
    FILE_TYPE_BYTES_MAX = 100,
    FILE_SHA_BYTES = 64, /* hex */
    FILE_CONTENT_BYTES_MAX = 50 << 20,
    FILE_DAYS = 30,
    FILE_DAYS_MAX = 400,
    FILE_DOWNLOADS_MAX = 1000,
};

struct file_def {
    struct str filename, type, sha256;
    int64_t    bytes;
    uint32_t   days, downloads;
};

/* The texts lie in the arena. ERR_INPUT with a problem. */
MUST enum err file_def_parse(struct arena *arena, struct str text, struct file_def *out,
                             struct problem *problem);
void          file_def_write(const struct file_def *def, struct buf *out);

/* Each with a problem that names it. */
MUST enum err file_name_check(struct str filename, struct problem *problem);
MUST enum err file_type_check(struct str type, struct problem *problem);
MUST enum err file_number_check(const char *what, int64_t value, int64_t least, int64_t most,
                                struct problem *problem);

/* By the ending of its name; application/octet-stream where that is not known. */
struct str file_type_of(struct str filename);

/* attachment; filename="Guide.pdf"; filename*=UTF-8''... (RFC 6266, RFC 8187) */
void file_disposition_write(struct str filename, struct buf *out);

#endif
