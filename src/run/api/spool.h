/*
 * spool: an answer too large for memory, written to a file first.
 *
 *      spool_out() <- pieces      spool_flush()  --> a file without a name --> spool_reply
 *
 * So whoever reads slowly holds nothing but the file, the length is known before the first byte,
 * and what fails is answered as a failure. The file has no name and goes with the answer.
 *
 * Cost          SPOOL_PIECE_BYTES of memory; the rest is the system's page cache.
 */
#ifndef DULT_RUN_API_SPOOL_H
#define DULT_RUN_API_SPOOL_H

#include <stdatomic.h>

#include "base/time.h"
#include "server/http.h"

enum { SPOOL_PIECE_BYTES = 256 << 10, SPOOL_ITEM_BYTES_MAX = 64 << 20 };
#define SPOOL_BYTES_MAX (INT64_C(16) << 30)
/* The time to read it: ten minutes, and a second a megabyte. Until then it takes the disk's room.
 */
#define SPOOL_READ_MS(bytes) (10 * TIME_MINUTE_MS + (bytes) / 1024)

struct spool {
    int            fd;
    struct buf     out; /* not yet in the file */
    int64_t        bytes;
    struct problem problem;
    atomic_uint   *readers; /* how many are being read; may be NULL. It outlives the answer */
};

/* The file lies in `dir`. ERR_IO with the spool's problem. Close it in any case. */
MUST enum err spool_open(struct spool *spool, const char *dir);
void          spool_close(struct spool *spool);

/* Writes what waits when it is a piece. ERR_IO: no room on the disk; ERR_LIMIT; with a problem. */
MUST enum err spool_flush(struct spool *spool);
/* Answers with all of it; `answer` has no body. The file ends when it has been read. */
MUST enum err spool_reply(struct spool *spool, struct http_request *request,
                          struct http_answer *answer);

#endif
