/*
 * A journey stands still: paused, it lets nobody in and moves nobody; resumed, waits that ended
 * meanwhile go on; stopped, it is left by everybody.
 *
 *      {"state":"running" | "paused" | "stopped","at":when it was said, in milliseconds}
 *
 * It is a definition beside the journey's, for versions come and go meanwhile. What a wait ends at
 * stays as it was decided: no wait ends before the journey was resumed, is all that is asked.
 */
#include "engine/inside.h"
#include "engine/program_inside.h"

static const char *const words[] = {
    [JOURNEY_RUNS] = "running",
    [JOURNEY_PAUSED] = "paused",
    [JOURNEY_STOPPED] = "stopped",
};

const char *journey_state_word(enum journey_state state)
{
    return words[state];
}

static enum err state_read(struct str text, enum journey_state *state, int64_t *at_ms,
                           struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 16);
    struct json                        root = { .kind = JSON_NULL };
    if (arena == NULL)
        return ERR_MEMORY;
    TRY(json_parse_once(arena, text, &root, problem));
    struct str word = json_get_str(&root, STR("state"));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(word, str_of(words[i])) && json_get_int(&root, STR("at"), at_ms)) {
            *state = (enum journey_state)i;
            return OK;
        }
    return problem_set(problem, ERR_INPUT, "state", "This is no state of a journey.",
                       "Write {\"state\":\"paused\",\"at\":1767225600000}.");
}

enum err journey_state_check(const struct program *program, struct str name, struct str text,
                             struct problem *problem)
{
    enum journey_state state;
    int64_t            at_ms;
    if (program_journey(program, name) == SEGMENT_NO_ID)
        return problem_format(problem, ERR_ABSENT, "journey", "Look at the list of journeys.",
                              "There is no journey \"%.*s\".", STR_ARG(name));
    return state_read(text, &state, &at_ms, problem);
}

enum err journey_state_define(struct program *program, struct str name, struct str text,
                              uint32_t version, uint32_t *number, struct problem *problem)
{
    TRY(journey_state_check(program, name, text, problem));
    *number = program_journey(program, name);
    struct journey_def *def = &program->journeys.items[*number];
    def->state_version = version;
    TRY(state_read(text, &def->state, &def->state_ms, problem));
    return OK;
}

enum journey_state program_journey_state(const struct program *program, uint32_t journey)
{
    return journey < program->journeys.count ? program->journeys.items[journey].state
                                             : JOURNEY_RUNS;
}

int64_t enrollment_due_ms(const struct program *program, const struct enrollment *e)
{
    const struct journey_def *def =
        e->journey < program->journeys.count ? &program->journeys.items[e->journey] : NULL;
    if (def == NULL || def->state_ms == 0 || !enrollment_is_inside(e) || e->due_ms == TIME_NEVER)
        return e->due_ms;
    if (def->state == JOURNEY_PAUSED)
        return TIME_NEVER;
    return e->due_ms < def->state_ms ? def->state_ms : e->due_ms;
}

/* Those inside are looked at: their waits count again. */
static enum err resume(struct engine *engine, uint32_t journey)
{
    for (uint32_t p = 0; p < people_count(engine->people); p++) {
        const struct state *now = people_state_get(engine->people, p);
        bool                is_inside = false;
        if (people_root(engine->people, p) != p)
            continue;
        for (uint32_t i = 0; i < now->rare->enrollments.count; i++)
            is_inside = is_inside || (now->rare->enrollments.items[i].journey == journey &&
                                      enrollment_is_inside(&now->rare->enrollments.items[i]));
        if (!is_inside)
            continue;
        TRY(checkpoint_before(engine, p));
        struct state *state = people_state(engine->people, p);
        if (state == NULL)
            return ERR_MEMORY;
        for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
            if (state->rare->enrollments.items[i].journey == journey)
                state->rare->enrollments.items[i].look_ms = engine->now_ms;
        TRY(wake_set(engine, p));
    }
    return OK;
}

enum err standstill_defined(struct engine *engine, uint32_t journey)
{
    return program_journey_state(engine->program, journey) == JOURNEY_RUNS ? resume(engine, journey)
                                                                           : OK;
}

/* A stopped journey is left; the first that is inside, until there is none. */
enum err standstill_ask(struct engine *engine, struct out *out, uint32_t person, uint32_t journey)
{
    const struct rare *rare = people_state_get(engine->people, person)->rare;
    struct step        step;
    uint32_t           i = 0;
    if (program_journey_state(engine->program, journey) != JOURNEY_STOPPED)
        return OK;
    while (i < rare->enrollments.count && (rare->enrollments.items[i].journey != journey ||
                                           !enrollment_is_inside(&rare->enrollments.items[i])))
        i++;
    if (i == rare->enrollments.count)
        return OK;
    TRY(step_begin(&step, engine, out, person, engine->now_ms, true));
    TRY(journey_leave(&step, rare->enrollments.items[i].id, STR("the journey was stopped")));
    TRY(step_run(&step));
    return standstill_ask(engine, out, person, journey);
}
