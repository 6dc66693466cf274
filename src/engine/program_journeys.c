/*
 * Journeys: every version stays for those inside it; the newest one is live until it is deleted.
 */
#include "engine/program_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/vec.h"

void journey_version_close(struct journey_version *version)
{
    if (version == NULL)
        return;
    arena_close(version->arena);
    free(version);
}

const struct journey_version *program_journey_version(const struct program *program,
                                                      uint32_t journey, uint32_t version)
{
    if (journey >= program->journeys.count)
        return NULL;
    const struct journey_def *def = &program->journeys.items[journey];
    for (uint32_t i = def->count; i > 0; i--)
        if (def->versions[i - 1]->version == version)
            return def->versions[i - 1];
    return NULL;
}

const struct journey_version *program_journey_live(const struct program *program, uint32_t journey)
{
    if (journey >= program->journeys.count)
        return NULL;
    const struct journey_def *def = &program->journeys.items[journey];
    return def->live && def->count > 0 ? def->versions[def->count - 1] : NULL;
}

static enum err node_template_check(const struct program *program, const struct node *node,
                                    struct str name, const char *where, struct problem *problem)
{
    uint32_t template = program_template(program, name);
    if (template == SEGMENT_NO_ID)
        return problem_format(problem, ERR_ABSENT, where, "Add the template first.",
                              "There is no template \"%.*s\".", STR_ARG(name));
    enum consent_channel channel = program_template_at(program, template)->channel;
    if (node->is_email && channel != CHANNEL_EMAIL)
        return problem_format(problem, ERR_INPUT, where,
                              "Write \"message\" in the place of \"email\".",
                              "The template \"%.*s\" is no e-mail: its channel is %.*s.",
                              STR_ARG(name), STR_ARG(channel_name(channel)));
    /* Nobody refuses them: what stands behind would never go. */
    if (!channel_is_to_person(channel) && node->templates_count > 1)
        return problem_format(
            problem, ERR_INPUT, where,
            "Give it a node of its own; only what reaches people is chosen from.",
            "The template \"%.*s\" does not go to the person: its channel is %.*s.", STR_ARG(name),
            STR_ARG(channel_name(channel)));
    return OK;
}

static enum err templates_check(const struct program *program, const struct journey *journey,
                                struct problem *problem)
{
    for (uint16_t i = 0; i < journey->nodes_count; i++) {
        const struct node *node = &journey->nodes[i];
        char               where[48];
        snprintf(where, sizeof where, "nodes[%u].%s", i, node->is_email ? "email" : "message");
        for (uint16_t k = 0; k < node->templates_count; k++)
            TRY(node_template_check(program, node, node->templates[k], where, problem));
    }
    return OK;
}

static enum err started_check(const struct program *program, const struct journey *journey,
                              const struct node *node, const char *where, struct problem *problem)
{
    if (str_eq(node->change.name, journey->name))
        return problem_set(problem, ERR_INPUT, where, "A journey cannot start itself.",
                           "Let its last node go on to an earlier one, with a wait between.");
    /* One that was deleted since is no reason not to load. */
    return problem == NULL || program_journey(program, node->change.name) != SEGMENT_NO_ID
               ? OK
               : problem_format(problem, ERR_ABSENT, where, "Add the journey first.",
                                "There is no journey \"%.*s\".", STR_ARG(node->change.name));
}

static enum err set_check(const struct program *program, const struct node *node, const char *where,
                          struct problem *problem)
{
    for (uint32_t i = 0; problem != NULL && i < node->change.values_count; i++)
        if (program_computed(program, node->change.values[i].name) != NULL)
            return problem_format(problem, ERR_INPUT, where, "Set a trait of another name.",
                                  "\"%.*s\" is a computed trait: what is told of it is not asked.",
                                  STR_ARG(node->change.values[i].name));
    return OK;
}

static enum err changes_check(struct program *program, const struct journey *journey, bool grow,
                              struct problem *problem)
{
    for (uint16_t i = 0; i < journey->nodes_count; i++) {
        const struct node *node = &journey->nodes[i];
        char               where[48];
        uint32_t           number;
        snprintf(where, sizeof where, "nodes[%u]", i);
        if (node->kind == NODE_START)
            TRY(started_check(program, journey, node, where, problem));
        if (node->kind == NODE_SET)
            TRY(set_check(program, node, where, problem));
        if (node->kind == NODE_LIST && grow)
            TRY(program_intern(program, NAME_LIST, node->change.name, &number));
        if (node->kind == NODE_CONSENT && grow && !str_is_empty(node->change.name))
            TRY(program_intern(program, NAME_TOPIC, node->change.name, &number));
    }
    return OK;
}

static enum err source_find(struct program *program, const struct journey *journey, bool grow,
                            uint32_t version, uint32_t *source, struct problem *problem)
{
    static const enum name_kind kinds[TRIGGER_KINDS] = {
        [TRIGGER_EVENT] = NAME_EVENT,          [TRIGGER_SEGMENT] = NAME_SEGMENT,
        [TRIGGER_LEFT_SEGMENT] = NAME_SEGMENT, [TRIGGER_LIST] = NAME_LIST,
        [TRIGGER_LEFT_LIST] = NAME_LIST,       [TRIGGER_FINISHED_JOURNEY] = NAME_JOURNEY,
        [TRIGGER_LEFT_JOURNEY] = NAME_JOURNEY,
    };
    const struct journey_trigger *trigger = &journey->trigger;
    enum name_kind                kind = kinds[trigger->kind];
    *source = 0;
    if (trigger->kind == TRIGGER_API)
        return OK; /* nothing begins it by itself */
    if (trigger->is_stage || trigger->kind == TRIGGER_CLOCK)
        return beginning_put(program, journey, grow, version, source, problem);
    if (kind == NAME_EVENT || kind == NAME_LIST)
        return grow ? program_intern(program, kind, trigger->name, source) : OK;
    *source = kind == NAME_SEGMENT ? program_segment(program, trigger->name)
                                   : program_journey(program, trigger->name);
    if (*source != SEGMENT_NO_ID)
        return OK;
    return kind == NAME_SEGMENT
               ? problem_format(problem, ERR_ABSENT, "trigger.segment", "Add the segment first.",
                                "There is no segment \"%.*s\".", STR_ARG(trigger->name))
               : problem_format(problem, ERR_ABSENT, "trigger", "Add the journey first.",
                                "There is no journey \"%.*s\".", STR_ARG(trigger->name));
}

static enum err journey_compile_text(struct program *program, struct str name, struct str text,
                                     bool grow, struct journey_version *out,
                                     struct problem *problem)
{
    struct segment_names names = program_names(program, grow);
    struct str           kept = str_copy(out->arena, text);
    if (kept.ptr == NULL)
        return ERR_MEMORY;
    TRY(journey_parse(out->arena, kept, &names, &out->journey, problem));
    if (!str_eq(out->journey.name, name))
        return problem_format(problem, ERR_INPUT, "journey",
                              "Give the file and \"journey\" the same name.",
                              "The journey calls itself \"%.*s\".", STR_ARG(out->journey.name));
    enum err err = templates_check(program, &out->journey, problem);
    if (err != OK) {
        sequence_place(out->journey.sequence, problem);
        return err;
    }
    TRY(changes_check(program, &out->journey, grow, problem));
    return source_find(program, &out->journey, grow, out->version, &out->source, problem);
}

static enum err journey_delete(struct program *program, struct str name, uint32_t version,
                               uint32_t *number)
{
    *number = program_journey(program, name);
    if (*number == SEGMENT_NO_ID)
        return ERR_ABSENT;
    journey_unindex(program, *number);
    program->journeys.items[*number].live = false;
    journey_contests_count(program, *number);
    return beginnings_tidy(program, version);
}

enum err journey_define(struct program *program, struct str name, struct str text, uint32_t version,
                        uint32_t *number, struct problem *problem)
{
    if (text.len == 0)
        return journey_delete(program, name, version, number);
    struct journey_version *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL)
        return ERR_MEMORY;
    fresh->version = version;
    fresh->arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    enum err err = fresh->arena == NULL ? ERR_MEMORY : OK;
    if (err == OK)
        err = journey_compile_text(program, name, text, true, fresh, problem);
    if (err == OK)
        err = program_intern(program, NAME_JOURNEY, name, number);
    while (err == OK && program->journeys.count <= *number)
        err = VEC_ADD(&program->journeys, (struct journey_def){ 0 });
    if (err != OK) {
        journey_version_close(fresh);
        return err;
    }
    struct journey_def *def = &program->journeys.items[*number];
    struct {
        struct journey_version **items;
        uint32_t                 count, room;
    } vec = { def->versions, def->count, def->room };
    err = VEC_ADD(&vec, fresh); /* NOLINT(bugprone-sizeof-expression): a vec of pointers */
    if (err != OK) {
        journey_version_close(fresh);
        return err;
    }
    def->versions = vec.items;
    def->room = vec.room;
    journey_unindex(program, *number); /* the version before */
    def->count = vec.count;
    def->live = true;
    journey_contests_count(program, *number);
    TRY(journey_index(program, *number));
    return beginnings_tidy(program, version);
}

enum err journey_check(struct program *program, struct str name, struct str text,
                       struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct journey_version             version = { .arena = arena };
    return arena == NULL ? ERR_MEMORY
                         : journey_compile_text(program, name, text, false, &version, problem);
}
