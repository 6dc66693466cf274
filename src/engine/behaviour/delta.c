#include "engine/behaviour/delta.h"

enum err delta_open(struct delta *delta, uint64_t first)
{
    *delta = (struct delta){ .log = log_open(first) };
    enum err err = delta->log == NULL ? ERR_MEMORY : blocks_open(&delta->blocks);
    if (err != OK)
        delta_done(delta);
    return err;
}

void delta_done(struct delta *delta)
{
    blocks_close(&delta->blocks);
    log_drop(delta->log);
    *delta = (struct delta){ 0 };
}

enum err delta_add(struct delta *delta, const struct timeline_event *event)
{
    TRY(blocks_room(&delta->blocks, event->profile));
    TRY(log_add(delta->log, event));
    blocks_put(&delta->blocks, event);
    delta->events++;
    if (event->name >= delta->names)
        delta->names = (uint32_t)event->name + 1;
    return OK;
}

enum err delta_forget(struct delta *delta, uint32_t profile, uint32_t seq)
{
    struct timeline_event mark = { .profile = profile, .name = DICT_NONE, .seq = seq };
    TRY(log_add(delta->log, &mark));
    delta->marks++;
    delta->events -= blocks_forget(&delta->blocks, profile, seq);
    return OK;
}

uint64_t delta_bytes(const struct delta *delta)
{
    return blocks_bytes(&delta->blocks) + (delta->log == NULL ? 0 : delta->log->rows.len);
}
