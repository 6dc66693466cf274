/*
 * What is said of a life: whoever is asked says the same as the memberships that stand. The engine
 * itself, asked in full; and the naive twin of conditions, given nothing but the records as they
 * were told (engine_naive_test.h).
 */
#include "engine/engine_life_test.h"

#include "engine/engine_naive_test.h"

enum { NAIVE_ASKED = 40 }; /* pairs of a person and a segment after each record */

static bool member(const struct engine *engine, uint32_t person, uint32_t segment)
{
    const struct state *state = people_state_get(engine_people(engine), person);
    return memberships_of(&state->memberships, segment).in;
}

static void compare(struct life *life, struct engine *engine)
{
    struct program *program = engine_program(engine);
    for (uint32_t p = 0; p < people_count(engine_people(engine)); p++) {
        if (people_root(engine_people(engine), p) != p)
            continue;
        if (people_is_nobody(engine_people(engine), p)) {
            assert_null(people_get(engine->people, p)->state);
            continue;
        }
        for (uint32_t s = 0; s < life_segments_count(); s++) {
            uint32_t number = program_segment(program, life_segment(s));
            bool     truth =
                engine_ask(engine, &program->segments.items[number].program, p, life->now_ms).holds;
            if (member(engine, p, number) == truth)
                continue;
            print_error("seed %llu step %d, %s: profile %u segment %.*s is %d, the truth %d\n",
                        (unsigned long long)life->seed, life->step,
                        engine == life->engine ? "live" : "loaded", p, STR_ARG(life_segment(s)),
                        !truth, truth);
            fail();
        }
    }
}

/* Whatever the engine made of them. */
enum told_answer life_told(const struct life *life, const struct engine *engine, uint32_t person,
                           const struct segment_node *tree)
{
    struct told told = { .count = 0 };
    for (uint32_t i = 0; i < life->kept.events_count; i++) {
        if (life->kept.events[i].gone ||
            people_root(engine_people(engine), life->kept.events[i].profile) != person)
            continue;
        if (told.count == NAIVE_RECORDS_MAX)
            return TOLD_UNASKED;
        told.records[told.count++] = &life->kept.events[i].record;
    }
    return told_ask(engine->program, &told, tree, life->now_ms);
}

static void naive_compare(struct life *life, struct engine *engine)
{
    struct program *program = engine_program(engine);
    uint32_t        people = people_count(engine_people(engine));
    for (int i = 0; people > 0 && i < NAIVE_ASKED; i++) {
        uint32_t p = people_root(engine_people(engine), life_draw(life, people));
        uint32_t number =
            program_segment(program, life_segment(life_draw(life, life_segments_count())));
        if (people_is_nobody(engine_people(engine), p))
            continue;
        enum told_answer answer = life_told(life, engine, p, program->segments.items[number].tree);
        life->naive += answer != TOLD_UNASKED;
        if (answer == TOLD_UNASKED || member(engine, p, number) == (answer == TOLD_YES))
            continue;
        print_error("seed %llu step %d, %s: profile %u segment %.*s is %d, by what was told %d\n",
                    (unsigned long long)life->seed, life->step,
                    engine == life->engine ? "live" : "loaded", p,
                    STR_ARG(program_name(program, NAME_SEGMENT, number)), member(engine, p, number),
                    answer == TOLD_YES);
        fail();
    }
}

void life_judge(struct life *life)
{
    compare(life, life->engine);
    naive_compare(life, life->engine);
    if (life->twin == NULL)
        return;
    compare(life, life->twin);
    if (!life->twin_is_ahead)
        naive_compare(life, life->twin);
}
