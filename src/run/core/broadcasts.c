/*
 * Broadcasts in the store's `meta`: `broadcasts`, how far each job is, and a page of recipients
 * under `broadcast:NUMBER:PAGE`. Both go with the batch of the decisions that they follow from, so
 * after a kill the job goes on from the last recipient who is on disk.
 */
#include "run/core/core_inside.h"

enum {
    TEXT_BYTES_MAX = 16 << 20, /* some 150 bytes each, as many as there may be */
};

void broadcasts_keep(struct core *core, struct batch *batch)
{
    uint32_t   number, page;
    struct str text;
    while (engine_broadcast_page(core->engine, &number, &page, &text))
        meta_add(core, batch, str_format(batch->arena, "broadcast:%u:%u", number, page),
                 str_copy(batch->arena, text));
    if (!engine_broadcasts_moved(core->engine))
        return;
    SCOPED(buf_donep) struct buf all = buf_make(TEXT_BYTES_MAX);
    engine_broadcasts_write(core->engine, &all);
    if (buf_err(&all) != OK)
        core_fatal(core, "no memory for the broadcasts");
    meta_add(core, batch, STR("broadcasts"), str_copy(batch->arena, buf_view(&all)));
}

static enum err pages_read(struct core *core, struct arena *scratch, uint32_t number)
{
    for (uint32_t page = 0; page < engine_broadcast_pages(core->engine, number); page++) {
        struct str text, key;
        arena_reset(scratch);
        key = str_format(scratch, "broadcast:%u:%u", number, page);
        enum err err =
            key.ptr == NULL ? ERR_MEMORY : store_meta_get(core->reader, scratch, key, &text);
        if (err == ERR_ABSENT)
            continue; /* nobody of it got anything */
        TRY(err);
        TRY(engine_broadcast_page_load(core->engine, number, page, text));
    }
    return OK;
}

enum err broadcasts_read(struct core *core, struct arena *scratch)
{
    struct str text;
    arena_reset(scratch);
    enum err err = store_meta_get(core->reader, scratch, STR("broadcasts"), &text);
    if (err == ERR_ABSENT)
        return OK;
    TRY(err);
    TRY(engine_broadcasts_load(core->engine, text));
    for (uint32_t i = 0; i < engine_broadcasts(core->engine); i++)
        TRY(pages_read(core, scratch, i));
    return OK;
}
