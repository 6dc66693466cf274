/*
 * file_reply: a file's bytes as an answer.
 *
 *      Content-Type, Content-Disposition: attachment    saved, never shown as a page of ours
 *      nosniff, a policy that allows nothing            whatever is in it, it runs nothing here
 *      Cache-Control: private, no-cache                 for one person
 *      ETag, Accept-Ranges, one Range, If-Range         a download that broke off goes on
 *
 * Pure but for the answer itself.
 */
#ifndef DULT_RUN_API_FILE_REPLY_H
#define DULT_RUN_API_FILE_REPLY_H

#include "run/api/api_inside.h"
#include "run/send/file_def.h"

struct file_range {
    enum { RANGE_WHOLE, RANGE_PART, RANGE_NONE } kind; /* NONE: nothing of the file lies in it */
    size_t from, to;                                   /* one past the last */
};

/* Of a Range header; what is not one range of bytes asks for the whole. */
struct file_range file_range_of(struct str header, size_t bytes);

/* Answers. ERR_ABSENT and others where the bytes cannot be had: nothing was answered. */
MUST enum err file_reply(struct call *call, const struct file_def *def);

#endif
