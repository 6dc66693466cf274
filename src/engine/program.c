/*
 * A program made and unmade, and a definition handed to the file that is about its kind.
 */
#include "engine/program_inside.h"

#include <stdlib.h>

#include "engine/vec.h"

static void numbers_done(struct numbers *tables)
{
    if (tables == NULL)
        return;
    for (uint32_t i = 0; i <= DICT_NAMES_MAX; i++)
        free(tables[i].items);
    free(tables);
}

static struct numbers *numbers_open(void)
{
    return calloc(DICT_NAMES_MAX + 1, sizeof(struct numbers));
}

enum err program_open(struct program **out)
{
    struct program *program = calloc(1, sizeof *program);
    uint16_t        number;
    if (program == NULL)
        return ERR_MEMORY;
    bool good = true;
    for (int kind = 1; kind < NAME_KINDS; kind++) {
        program->names[kind] = dict_open();
        good = good && program->names[kind] != NULL;
    }
    program->segments_of_event = numbers_open();
    program->leaves_of_event = calloc(DICT_NAMES_MAX + 1, sizeof(struct leaves));
    program->leaves = dict_open();
    program->segments_of_trait = numbers_open();
    program->segments_of_segment = numbers_open();
    program->segments_of_list = numbers_open();
    for (int kind = 0; kind < TRIGGER_KINDS; kind++) {
        program->journeys_of[kind] = numbers_open();
        good = good && program->journeys_of[kind] != NULL;
    }
    program->traits = calloc(DICT_NAMES_MAX + 1, sizeof(struct trait_hearing));
    program->round = 1;
    program->sending = brake_conf_make();
    good = good && program->traits != NULL && program->leaves_of_event != NULL &&
           program->leaves != NULL;
    good = good && program->segments_of_event != NULL && program->segments_of_trait != NULL &&
           program->segments_of_segment != NULL && program->segments_of_list != NULL;
    if (good &&
        own_names(program->names[NAME_EVENT], program->names[NAME_PROPERTY],
                  program->names[NAME_TRAIT]) == OK &&
        dict_intern(program->names[NAME_TOPIC], STR("every topic"), &number) == OK) {
        *out = program;
        return OK;
    }
    program_close(program);
    return ERR_MEMORY;
}

static void leaves_done(struct leaves *tables)
{
    for (uint32_t i = 0; tables != NULL && i <= DICT_NAMES_MAX; i++) {
        free(tables[i].items);
        segment_hearing_done(&tables[i].hearing);
    }
    free(tables);
}

static void traits_done(struct trait_hearing *tables)
{
    for (uint32_t i = 0; tables != NULL && i <= DICT_NAMES_MAX; i++) {
        free(tables[i].heard.items);
        free(tables[i].heard.gates);
        VEC_DONE(&tables[i].others);
    }
    free(tables);
}

void program_close(struct program *program)
{
    if (program == NULL)
        return;
    for (int kind = 1; kind < NAME_KINDS; kind++)
        dict_close(program->names[kind]);
    for (uint32_t i = 0; i < program->segments.count; i++)
        arena_close(program->segments.items[i].arena);
    VEC_DONE(&program->retention.events);
    VEC_DONE(&program->codes);
    topics_done(&program->topics);
    papers_done(&program->papers);
    for (uint32_t i = 0; i < program->journeys.count; i++) {
        for (uint32_t k = 0; k < program->journeys.items[i].count; k++)
            journey_version_close(program->journeys.items[i].versions[k]);
        free(program->journeys.items[i].versions);
        journey_choices_done(&program->journeys.items[i]);
    }
    VEC_DONE(&program->segments);
    computed_done(program);
    arena_close(program->stages.arena);
    arena_close(program->rates_arena);
    VEC_DONE(&program->journeys);
    templates_done(program);
    broadcasts_done(program);
    numbers_done(program->segments_of_event);
    VEC_DONE(&program->segments_of_anything);
    leaves_done(program->leaves_of_event);
    traits_done(program->traits);
    VEC_DONE(&program->open);
    dict_close(program->leaves);
    numbers_done(program->segments_of_trait);
    numbers_done(program->segments_of_segment);
    numbers_done(program->segments_of_list);
    for (int kind = 0; kind < TRIGGER_KINDS; kind++)
        numbers_done(program->journeys_of[kind]);
    free(program);
}

/* No longer one has ever had a number (dict.h). */
static enum err name_check(struct str name, struct problem *problem)
{
    return name.len <= DICT_NAME_BYTES_MAX
               ? OK
               : problem_set(problem, ERR_INPUT, "name", "A name has at most 512 bytes.",
                             "Shorten it.");
}

enum err program_define(struct program *program, enum definition_kind kind, struct str name,
                        struct str text, uint32_t version, uint32_t *number,
                        struct problem *problem)
{
    *number = 0;
    if (!program->is_loading)
        TRY(name_check(name, problem));
    switch (kind) {
    case DEFINE_SEGMENT:
        TRY(beginning_name_check(name, problem));
        TRY(score_line_check(program, name, problem));
        if (!program->is_loading) /* one of before each stage was one stays what it is */
            TRY(stage_segment_check(program, name, problem));
        return segment_define(program, name, text, version, number, problem);
    case DEFINE_JOURNEY_STATE:
        return journey_state_define(program, name, text, version, number, problem);
    case DEFINE_JOURNEY_CHOICE:
        return journey_choice_define(program, name, text, version, number, problem);
    case DEFINE_JOURNEY:
        return journey_define(program, name, text, version, number, problem);
    case DEFINE_TEMPLATE:
        return template_define(program, name, text, version, number, problem);
    case DEFINE_TRAIT:
        return computed_define(program, name, text, version, number, problem);
    case DEFINE_SCORE:
        return score_define(program, name, text, version, number, problem);
    case DEFINE_STAGES:
        return stages_define(program, text, version, problem);
    case DEFINE_RETENTION:
        return program_retention_define(program, text, version, problem);
    case DEFINE_TOPICS:
        return topics_define(program, text, version, problem);
    case DEFINE_LIMITS:
        return limits_define(program, text, version, problem);
    case DEFINE_RATES:
        return rates_define(program, text, problem);
    case DEFINE_SENDING:
        TRY(brake_parse(text, &program->sending, problem));
        program->sending.version = version;
        return OK;
    case DEFINE_SNIPPET:
        return snippet_define(program, name, text);
    case DEFINE_CODES:
        return codes_define(program, name, text, version, number, problem);
    case DEFINE_BROADCAST:
        return broadcast_define(program, name, text, version, number, problem);
    case DEFINE_LESSON:
    case DEFINE_JOURNEY_DRAFT:
        return OK; /* told by those who read the definitions */
    case DEFINE_QUESTION:
    case DEFINE_FILE:
        return papers_take(&program->papers, kind, name, text, version, problem);
    case DEFINE_TOUCHPOINT:
        return touchpoint_define(program, name, text, version, problem);
    case DEFINE_WORKSPACE:
        return text.len == 0 ? OK : workspace_define(program, text, version, problem);
    default:
        return problem_set(
            problem, ERR_INPUT, "kind", "There is no such kind of definition.",
            "Use workspace, topics, limits, rates, retention, trait, score, stages, segment, "
            "codes, journey, snippet, "
            "broadcast, touchpoint, question, file or template.");
    }
}

enum err program_check(struct program *program, enum definition_kind kind, struct str name,
                       struct str text, struct problem *problem)
{
    TRY(name_check(name, problem));
    switch (kind) {
    case DEFINE_SEGMENT:
        TRY(beginning_name_check(name, problem));
        TRY(score_line_check(program, name, problem));
        TRY(stage_segment_check(program, name, problem));
        return segment_check(program, name, text, problem);
    case DEFINE_JOURNEY_STATE:
        return journey_state_check(program, name, text, problem);
    case DEFINE_JOURNEY_CHOICE:
        return journey_choice_check(program, text, problem);
    case DEFINE_JOURNEY:
        return text.len == 0 ? OK : journey_check(program, name, text, problem);
    case DEFINE_TEMPLATE:
        return template_check(program, name, text, problem);
    case DEFINE_TRAIT:
        return computed_check(program, name, text, problem);
    case DEFINE_SCORE:
        return score_check(program, name, text, problem);
    case DEFINE_STAGES:
        return stages_check(program, text, problem);
    case DEFINE_RETENTION:
        return program_retention_check(program, text, problem);
    case DEFINE_TOPICS:
        return topics_check(text, problem);
    case DEFINE_LIMITS:
        return limits_check(text, problem);
    case DEFINE_RATES:
        return rates_check(text, problem);
    case DEFINE_WORKSPACE:
        return text.len == 0 ? OK : workspace_check(program, text, problem);
    case DEFINE_CODES:
        return codes_check(program, name, text, problem);
    case DEFINE_BROADCAST:
        return broadcast_check(program, name, text, problem);
    case DEFINE_TOUCHPOINT:
        return touchpoint_check(program, name, text, problem);
    case DEFINE_SNIPPET:
        return snippet_check(program, text, problem);
    default:
        return OK; /* program_define refuses it */
    }
}
