/*
 * Touchpoints: checked against the stages, and their texts kept. A stage may go from under one:
 * nothing is decided by it, and the map says so.
 */
#include "engine/program_inside.h"

#include "engine/touchpoint.h"

enum { TOUCHPOINT_ARENA_BYTES_MAX = 4 << 20 };

static uint32_t touchpoints_count(const struct program *program)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < program->papers.count; i++)
        count += program->papers.items[i].kind == DEFINE_TOUCHPOINT;
    return count;
}

static bool is_stage(const struct program *program, struct str name)
{
    for (uint32_t i = 0; i < program->stages.count; i++)
        if (str_eq(program->stages.items[i].name, name))
            return true;
    return false;
}

static enum err text_check(struct program *program, struct str text, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(TOUCHPOINT_ARENA_BYTES_MAX);
    struct segment_names               names = program_names(program, false);
    struct segment_program             compiled;
    struct touchpoint                  touchpoint;
    if (arena == NULL)
        return ERR_MEMORY;
    TRY(touchpoint_parse(arena, text, &touchpoint, problem));
    if (!is_stage(program, touchpoint.stage))
        return problem_format(problem, ERR_ABSENT, "stage",
                              "Name one of stages.json, or define it first.",
                              "There is no stage \"%.*s\".", STR_ARG(touchpoint.stage));
    for (uint32_t i = 0; i < touchpoint.events_count; i++)
        TRY(segment_compile(arena, touchpoint.events[i], &names, &compiled, problem));
    return OK;
}

enum err touchpoint_check(struct program *program, struct str name, struct str text,
                          struct problem *problem)
{
    bool is_there = papers_find(&program->papers, DEFINE_TOUCHPOINT, name, 0) != NULL;
    if (text.len == 0)
        return is_there ? OK
                        : problem_format(problem, ERR_ABSENT, "name", "Look at the list.",
                                         "There is no touchpoint \"%.*s\".",
                                         STR_ARG(str_slice(name, 0, 128)));
    if (text.len > PAPER_TEXT_BYTES_MAX)
        return problem_set(problem, ERR_LIMIT, "body", "It is longer than 64 KB.", "Shorten it.");
    if (!is_there && touchpoints_count(program) >= TOUCHPOINTS_MAX)
        return problem_set(problem, ERR_LIMIT, "name", "There are 200 touchpoints already.",
                           "Delete one that is no longer planned.");
    return text_check(program, text, problem);
}

/* What was taken once is taken again, whatever a later program asks of it. */
enum err touchpoint_define(struct program *program, struct str name, struct str text,
                           uint32_t version, struct problem *problem)
{
    if (!program->is_loading)
        TRY(touchpoint_check(program, name, text, problem));
    return papers_take(&program->papers, DEFINE_TOUCHPOINT, name, text, version, problem);
}
