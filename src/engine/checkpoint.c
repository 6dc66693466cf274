#include "engine/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "engine/checkpoint_row.h"
#include "engine/vec.h"

enum { ROW_BYTES_MAX = 4 << 20 };

struct early {
    uint32_t profile;
    char    *bytes; /* malloc'ed */
    size_t   len;
};

struct checkpoint {
    uint32_t   cursor, profiles;
    struct buf scratch;
    struct {
        struct early *items;
        uint32_t      count, room;
    } early;
};

enum err checkpoint_begin(struct engine *engine, uint32_t *round)
{
    if (engine->checkpoint != NULL)
        return ERR_CONFLICT;
    if (engine->jobs.count > 0)
        return ERR_WAIT;
    engine->checkpoint = calloc(1, sizeof *engine->checkpoint);
    if (engine->checkpoint == NULL)
        return ERR_MEMORY;
    engine->checkpoint->profiles = people_count(engine->people);
    engine->checkpoint->scratch = buf_make(ROW_BYTES_MAX);
    *round = ++engine->round;
    return OK;
}

bool checkpoint_is_open(const struct engine *engine)
{
    return engine->checkpoint != NULL;
}

void checkpoint_end(struct engine *engine)
{
    struct checkpoint *checkpoint = engine->checkpoint;
    if (checkpoint == NULL)
        return;
    for (uint32_t i = 0; i < checkpoint->early.count; i++)
        free(checkpoint->early.items[i].bytes);
    VEC_DONE(&checkpoint->early);
    buf_done(&checkpoint->scratch);
    free(checkpoint);
    engine->checkpoint = NULL;
}

enum err checkpoint_before(struct engine *engine, uint32_t profile)
{
    struct checkpoint *checkpoint = engine->checkpoint;
    if (checkpoint == NULL || profile >= checkpoint->profiles || profile < checkpoint->cursor ||
        people_get(engine->people, profile)->round == engine->round)
        return OK;
    TRY(row_write(engine, profile, &checkpoint->scratch));
    struct str   row = buf_view(&checkpoint->scratch);
    struct early early = { profile, malloc(row.len), row.len };
    if (early.bytes == NULL)
        return ERR_MEMORY;
    memcpy(early.bytes, row.ptr, row.len);
    enum err err = VEC_ADD(&checkpoint->early, early);
    if (err != OK) {
        free(early.bytes);
        return err;
    }
    people_get(engine->people, profile)->round = engine->round;
    return OK;
}

/* Rows that went first wait for their writing: not with what is to be forgotten. */
enum err checkpoint_before_erasure(struct engine *engine, uint32_t profile)
{
    struct checkpoint *checkpoint = engine->checkpoint;
    TRY(checkpoint_before(engine, profile));
    for (uint32_t i = 0; checkpoint != NULL && i < checkpoint->early.count; i++) {
        struct early *early = &checkpoint->early.items[i];
        if (early->profile != profile)
            continue;
        TRY(checkpoint_bare((struct str){ early->bytes, early->len }, NULL, profile,
                            &checkpoint->scratch));
        struct str bare = buf_view(&checkpoint->scratch);
        memcpy(early->bytes, bare.ptr, bare.len); /* never more than there was */
        early->len = bare.len;
    }
    return OK;
}

static enum err row_give(struct arena *arena, struct checkpoint_row *row, uint32_t profile,
                         struct str bytes)
{
    row->profile = profile;
    row->state = str_copy(arena, bytes);
    return row->state.ptr == NULL ? ERR_MEMORY : OK;
}

enum err checkpoint_take(struct engine *engine, struct arena *arena, uint32_t most,
                         struct checkpoint_row **rows, uint32_t *count, bool *done)
{
    struct checkpoint     *checkpoint = engine->checkpoint;
    uint32_t               n = 0;
    struct checkpoint_row *all =
        ARENA_ARRAY(arena, (size_t)checkpoint->early.count + most, struct checkpoint_row);
    if (all == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < checkpoint->early.count; i++) {
        struct early *early = &checkpoint->early.items[i];
        TRY(row_give(arena, &all[n++], early->profile, (struct str){ early->bytes, early->len }));
        free(early->bytes);
        early->bytes = NULL;
    }
    checkpoint->early.count = 0;
    for (uint32_t i = 0; i < most && checkpoint->cursor < checkpoint->profiles;
         checkpoint->cursor++) {
        if (people_get(engine->people, checkpoint->cursor)->round == engine->round)
            continue;
        TRY(row_write(engine, checkpoint->cursor, &checkpoint->scratch));
        TRY(row_give(arena, &all[n++], checkpoint->cursor, buf_view(&checkpoint->scratch)));
        people_get(engine->people, checkpoint->cursor)->round = engine->round;
        i++;
    }
    *rows = all;
    *count = n;
    *done = checkpoint->cursor == checkpoint->profiles;
    return OK;
}

void engine_jobs_write(const struct engine *engine, struct buf *out)
{
    for (uint32_t i = 0; i < engine->jobs.count; i++)
        buf_format(out, "%u:%u:%u:%d;", engine->jobs.items[i].segment,
                   engine->jobs.items[i].version, engine->jobs.items[i].cursor,
                   engine->jobs.items[i].fire);
}

enum err engine_jobs_load(struct engine *engine, struct str text)
{
    struct str rest = text, one, field;
    while (str_split(&rest, ';', &one)) {
        int64_t numbers[4] = { 0 };
        int     n = 0;
        while (n < 4 && str_split(&one, ':', &field))
            if (str_to_int(field, &numbers[n++]) != OK)
                break;
        if (n >= 3)
            TRY(VEC_ADD(&engine->jobs, (struct job){ (uint32_t)numbers[0], (uint32_t)numbers[1],
                                                     (uint32_t)numbers[2], numbers[3] == 1 }));
    }
    return OK;
}
