#include "engine/behaviour/log.h"

#include <stdlib.h>

#define LOG_BYTES_MAX ((size_t)UINT32_MAX * sizeof(struct timeline_event))

struct log *log_open(uint64_t first)
{
    struct log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return NULL;
    atomic_init(&log->holds, 1);
    log->first = first;
    if (space_open(&log->rows, LOG_BYTES_MAX) == OK)
        return log;
    free(log);
    return NULL;
}

struct log *log_hold(struct log *log)
{
    holds_add(&log->holds);
    return log;
}

void log_drop(struct log *log)
{
    if (log == NULL || !holds_end(&log->holds))
        return;
    space_close(&log->rows);
    free(log);
}

enum err log_add(struct log *log, const struct timeline_event *row)
{
    size_t at;
    TRY(space_add(&log->rows, sizeof *row, _Alignof(struct timeline_event), &at));
    *(struct timeline_event *)(log->rows.bytes + at) = *row;
    return OK;
}

uint32_t log_count(const struct log *log)
{
    return (uint32_t)(log->rows.len / sizeof(struct timeline_event));
}
