#include "engine/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "engine/checkpoint_row.h"
#include "engine/vec.h"

enum { ROW_BYTES_MAX = 4 << 20 };

/* Profiles with neighbouring numbers: rows that were copied before their turn wait here for it. */
enum { BLOCK_PROFILES = 1 << 14 };

struct block {
    struct arena *arena;                /* closed when the round has passed the last of them */
    struct str    rows[BLOCK_PROFILES]; /* in the arena; empty: not copied */
};

struct checkpoint {
    uint32_t       cursor, profiles;
    uint32_t       copied; /* since rows were given last */
    struct buf     scratch;
    struct block **blocks; /* by profile; NULL where nothing waits */
};

static uint32_t blocks_count(const struct checkpoint *checkpoint)
{
    return checkpoint->profiles / BLOCK_PROFILES + 1;
}

enum err checkpoint_begin(struct engine *engine, uint32_t *round)
{
    if (engine->checkpoint != NULL)
        return ERR_CONFLICT;
    if (jobs_are_due(engine))
        return ERR_WAIT;
    struct checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    if (checkpoint == NULL)
        return ERR_MEMORY;
    checkpoint->profiles = people_count(engine->people);
    checkpoint->scratch = buf_make(ROW_BYTES_MAX);
    checkpoint->blocks = calloc(blocks_count(checkpoint), sizeof(struct block *));
    if (checkpoint->blocks == NULL) {
        free(checkpoint);
        return ERR_MEMORY;
    }
    engine->checkpoint = checkpoint;
    *round = ++engine->round;
    return OK;
}

bool checkpoint_is_open(const struct engine *engine)
{
    return engine->checkpoint != NULL;
}

/* ---- copies that wait for their turn ---- */

static void block_close(struct block **block)
{
    if (*block == NULL)
        return;
    arena_close((*block)->arena);
    free(*block);
    *block = NULL;
}

void checkpoint_end(struct engine *engine)
{
    struct checkpoint *checkpoint = engine->checkpoint;
    if (checkpoint == NULL)
        return;
    for (uint32_t i = 0; i < blocks_count(checkpoint); i++)
        block_close(&checkpoint->blocks[i]);
    free(checkpoint->blocks);
    buf_done(&checkpoint->scratch);
    free(checkpoint);
    engine->checkpoint = NULL;
}

static struct block *block_of(const struct checkpoint *checkpoint, uint32_t profile)
{
    return checkpoint->blocks[profile / BLOCK_PROFILES];
}

static struct block *block_open(struct checkpoint *checkpoint, uint32_t profile)
{
    struct block **block = &checkpoint->blocks[profile / BLOCK_PROFILES];
    if (*block != NULL)
        return *block;
    *block = calloc(1, sizeof **block);
    if (*block == NULL)
        return NULL;
    (*block)->arena = arena_open((size_t)BLOCK_PROFILES * ROW_BYTES_MAX);
    if ((*block)->arena == NULL)
        block_close(block);
    return *block;
}

/* The copy of a row that waits for its turn; NULL: there is none. */
static struct str *copy_of(const struct checkpoint *checkpoint, uint32_t profile)
{
    struct block *block = block_of(checkpoint, profile);
    struct str   *row = block == NULL ? NULL : &block->rows[profile % BLOCK_PROFILES];
    return row == NULL || row->len == 0 ? NULL : row;
}

enum err checkpoint_before(struct engine *engine, uint32_t profile)
{
    struct checkpoint *checkpoint = engine->checkpoint;
    if (checkpoint == NULL || profile >= checkpoint->profiles || profile < checkpoint->cursor ||
        people_get(engine->people, profile)->round == engine->round)
        return OK;
    TRY(row_write(engine, profile, &checkpoint->scratch));
    struct block *block = block_open(checkpoint, profile);
    if (block == NULL)
        return ERR_MEMORY;
    struct str copy = str_copy(block->arena, buf_view(&checkpoint->scratch));
    if (copy.ptr == NULL)
        return ERR_MEMORY;
    block->rows[profile % BLOCK_PROFILES] = copy;
    checkpoint->copied++;
    people_get(engine->people, profile)->round = engine->round;
    return OK;
}

/* Copies wait for their writing: not with what is to be forgotten. */
enum err checkpoint_before_erasure(struct engine *engine, uint32_t profile)
{
    struct checkpoint *checkpoint = engine->checkpoint;
    TRY(checkpoint_before(engine, profile));
    if (checkpoint == NULL || profile >= checkpoint->profiles || profile < checkpoint->cursor)
        return OK;
    struct str *copy = copy_of(checkpoint, profile);
    if (copy == NULL)
        return OK;
    TRY(checkpoint_bare(*copy, NULL, profile, &checkpoint->scratch));
    struct str bare = buf_view(&checkpoint->scratch); /* never more than there was */
    memset((char *)copy->ptr, 0, copy->len);
    memcpy((char *)copy->ptr, bare.ptr, bare.len);
    copy->len = bare.len;
    return OK;
}

static enum err row_give(struct engine *engine, struct arena *arena, uint32_t profile,
                         struct checkpoint_row *row)
{
    struct checkpoint *checkpoint = engine->checkpoint;
    const struct str  *copy = copy_of(checkpoint, profile);
    if (copy == NULL) {
        TRY(row_write(engine, profile, &checkpoint->scratch));
        people_get(engine->people, profile)->round = engine->round;
    }
    row->profile = profile;
    row->state = str_copy(arena, copy == NULL ? buf_view(&checkpoint->scratch) : *copy);
    return row->state.ptr == NULL ? ERR_MEMORY : OK;
}

enum err checkpoint_take(struct engine *engine, struct arena *arena, uint32_t most,
                         struct checkpoint_row **rows, uint32_t *count, bool *done)
{
    struct checkpoint *checkpoint = engine->checkpoint;
    uint32_t           left = checkpoint->profiles - checkpoint->cursor;
    uint64_t           twice = (uint64_t)checkpoint->copied * 2;
    uint64_t           wanted = most > twice ? most : twice;
    uint32_t           n = left < wanted ? left : (uint32_t)wanted;
    *rows = ARENA_ARRAY(arena, n, struct checkpoint_row);
    if (*rows == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        TRY(row_give(engine, arena, checkpoint->cursor, &(*rows)[i]));
        if (++checkpoint->cursor % BLOCK_PROFILES == 0)
            block_close(&checkpoint->blocks[checkpoint->cursor / BLOCK_PROFILES - 1]);
    }
    checkpoint->copied = 0;
    *count = n;
    *done = checkpoint->cursor == checkpoint->profiles;
    return OK;
}

/* ---- jobs ---- */

void engine_jobs_write(const struct engine *engine, struct buf *out)
{
    for (uint32_t i = 0; i < engine->jobs.count; i++) {
        const struct job *job = &engine->jobs.items[i];
        buf_format(out, "%u:%u:%u:%d:%d:%d:%d:%lld;", job->segment, job->version, job->cursor,
                   job->fire, job->moves + job->fills, job->launches, job->stops,
                   (long long)job->since_ms);
    }
}

enum err engine_jobs_load(struct engine *engine, struct str text)
{
    struct str rest = text, one, field;
    while (str_split(&rest, ';', &one)) {
        int64_t numbers[8] = { 0 }; /* an older one has four, or five */
        int     n = 0;
        while (n < 8 && str_split(&one, ':', &field))
            if (str_to_int(field, &numbers[n++]) != OK)
                break;
        if (n >= 3)
            TRY(VEC_ADD(&engine->jobs, (struct job){ .segment = (uint32_t)numbers[0],
                                                     .version = (uint32_t)numbers[1],
                                                     .cursor = (uint32_t)numbers[2],
                                                     .fire = numbers[3] == 1,
                                                     .moves = numbers[4] >= 1,
                                                     .fills = numbers[4] == 2,
                                                     .launches = numbers[5] == 1,
                                                     .stops = numbers[6] == 1,
                                                     .since_ms = numbers[7] }));
    }
    return OK;
}
