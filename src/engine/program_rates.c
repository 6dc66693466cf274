/* What currencies are worth: one document of the workspace (rates.h). Only reports ask it. */
#include "engine/program_inside.h"

enum { RATES_ARENA_BYTES_MAX = 64 << 20 };

enum err rates_define(struct program *program, struct str text, struct problem *problem)
{
    struct arena *arena = arena_open(RATES_ARENA_BYTES_MAX);
    struct rates  rates;
    if (arena == NULL)
        return ERR_MEMORY;
    enum err err = rates_parse(arena, text, &rates, problem);
    if (err != OK) {
        arena_close(arena);
        return err;
    }
    arena_close(program->rates_arena);
    program->rates_arena = arena;
    program->rates = rates;
    return OK;
}

enum err rates_check(struct str text, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(RATES_ARENA_BYTES_MAX);
    struct rates                       rates;
    return arena == NULL ? ERR_MEMORY : rates_parse(arena, text, &rates, problem);
}
