/*
 * cap: how many postcards went to print this month, on disk before each of them does.
 *
 *      DIR/post-count     "2026-11 412\n"
 *
 * What is printed is paid, so the count is raised and synced first: after a crash it is one too
 * high at most, never too low. A new month (UTC) begins at 0.
 *
 * Threads       any.
 */
#ifndef DULT_RUN_CAP_H
#define DULT_RUN_CAP_H

#include "base/err.h"
#include "base/str.h"

struct cap;

MUST enum err cap_open(struct cap **out, const char *dir, uint32_t monthly_max);
void          cap_close(struct cap *cap); /* NULL is nothing */

/* One more. ERR_LIMIT: there are as many as there may be this month; ERR_IO: the disk failed. */
MUST enum err cap_take(struct cap *cap, int64_t now_ms);
/* One that was certainly not printed. */
void     cap_give_back(struct cap *cap, int64_t now_ms);
uint32_t cap_count(struct cap *cap, int64_t now_ms);

#endif
