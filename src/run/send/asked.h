/*
 * asked: what a program gave with a message beside its data, as it is stored: where answers go,
 * files.
 *
 *      event row (STORE_EVENT_REQUEST)  {"properties": {"template", "to"?}, "data"?, "reply_to"?,
 *                                        "print", "files"?: [{"name", "type", "bytes"}]}
 *      file rows                        the files' contents, until the message is final
 *
 * Always true   all files or an error: a receipt without its invoice is no receipt.
 */
#ifndef DULT_RUN_ASKED_H
#define DULT_RUN_ASKED_H

#include "base/json.h"
#include "message/attach.h"
#include "store/store.h"

struct asked {
    struct str          reply_to; /* empty: the sender's */
    struct attach_file *files;
    size_t              files_count;
};

/* From the row's body; copies into the arena. ERR_CORRUPT: a file is gone. */
MUST enum err asked_read(struct store_reader *reader, struct arena *arena, uint64_t seq,
                         const struct json *body, bool wants_files, struct asked *out);

#endif
