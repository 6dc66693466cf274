/*
 * The stages of the customer journey: one document, the first to come first.
 *
 *      {"stages":[{"name":"visitor","when":"everyone"},
 *                 {"name":"customer","when":"did \"Order Completed\""}]}
 *
 * A person's stage is the last whose rule holds. A condition about a stage holds the rules
 * compiled, so a new document compiles anew every condition that asks for one: all of them, or
 * nothing is changed. A rule asks for no stage and for no segment, so there is no circle.
 */
#include <stdio.h>
#include <string.h>

#include "engine/program_inside.h"

enum { STAGE_NAME_BYTES_MAX = 128 };

static enum err rule_read(struct program *program, struct stages_def *def, const struct json *item,
                          bool grow, struct problem *problem)
{
    struct segment_names   names = program_names(program, grow);
    struct segment_stage  *stage = &def->items[def->count];
    struct segment_program compiled;
    struct str             name = json_get_str(item, STR("name"));
    if (name.len == 0 || name.len > STAGE_NAME_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, "name", "A stage's name has 1 to 128 bytes.",
                           "Write {\"name\":\"customer\",\"when\":\"...\"}.");
    for (uint32_t i = 0; i < def->count; i++)
        if (str_eq(def->items[i].name, name))
            return problem_format(problem, ERR_INPUT, "name", "Name each stage once.",
                                  "Two stages are named \"%.*s\".", STR_ARG(name));
    stage->name = str_copy(def->arena, name);
    if (stage->name.ptr == NULL)
        return ERR_MEMORY;
    TRY(segment_parse(def->arena, json_get_str(item, STR("when")), &stage->rule, problem));
    if (segment_asks_stage(stage->rule, STR_NONE))
        return problem_format(problem, ERR_INPUT, "when", "Say what makes somebody be in it.",
                              "The rule of \"%.*s\" asks for a stage.", STR_ARG(name));
    TRY(segment_compile(def->arena, stage->rule, &names, &compiled, problem));
    if (compiled.segments_count > 0)
        return problem_format(problem, ERR_INPUT, "when", "Write the segment's condition out.",
                              "The rule of \"%.*s\" asks for a segment.", STR_ARG(name));
    def->count++;
    return OK;
}

/* Which of them a problem is about. */
static enum err rule_tell(enum err err, struct str name, struct problem *problem)
{
    char where[sizeof problem->where];
    if (problem != NULL) {
        snprintf(where, sizeof where, "stage \"%.*s\": %.60s", (int)(name.len < 60 ? name.len : 60),
                 name.ptr, problem->where);
        memcpy(problem->where, where, sizeof where);
    }
    return err;
}

static enum err document_read(struct program *program, struct stages_def *def, struct str text,
                              bool grow, struct problem *problem)
{
    struct json root;
    TRY(json_parse_once(def->arena, text, &root, problem));
    const struct json *list = json_get(&root, STR("stages"));
    if (list == NULL || list->kind != JSON_ARRAY)
        return problem_set(problem, ERR_INPUT, "stages", "There is no list of stages.",
                           "Write {\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"}]}.");
    if (list->count > PROGRAM_STAGES_MAX)
        return problem_set(problem, ERR_LIMIT, "stages", "There are more than 50 stages.",
                           "Leave some out.");
    def->items = ARENA_ARRAY(def->arena, list->count + 1, struct segment_stage);
    if (def->items == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < list->count; i++) {
        enum err err = rule_read(program, def, &list->items[i], grow, problem);
        if (err != OK)
            return rule_tell(err, json_get_str(&list->items[i], STR("name")), problem);
    }
    return OK;
}

static bool asks_stage(const struct program *program, const struct segment_node *tree,
                       struct str name)
{
    (void)program;
    return segment_asks_stage(tree, name);
}

/* What goes by the new document is asked for by no one. */
static enum err gone_check(const struct program *program, const struct stages_def *def,
                           struct problem *problem)
{
    for (uint32_t i = 0; i < program->stages.count; i++) {
        struct str name = program->stages.items[i].name;
        uint32_t   at = 0;
        while (at < def->count && !str_eq(def->items[at].name, name))
            at++;
        if (at == def->count)
            TRY(program_unused_check(program, asks_stage, "stage", name, problem));
    }
    return OK;
}

static enum err text_read(struct program *program, struct str text, bool grow,
                          struct stages_def *def, struct problem *problem)
{
    if (text.len == 0 && program->stages.arena == NULL)
        return ERR_ABSENT;
    def->arena = text.len == 0 ? NULL : arena_open(PROGRAM_ARENA_BYTES_MAX);
    if (text.len > 0 && def->arena == NULL)
        return ERR_MEMORY;
    if (text.len > 0)
        TRY(document_read(program, def, text, grow, problem));
    return gone_check(program, def, problem);
}

enum err stages_define(struct program *program, struct str text, uint32_t version,
                       struct problem *problem)
{
    struct stages_def def = { .version = version }, old = program->stages;
    enum err          err = text_read(program, text, true, &def, problem);
    if (err == OK) {
        program->stages = def;
        err = program_users_anew(program, STR_NONE, problem);
    }
    if (err != OK)
        program->stages = old;
    arena_close(err == OK ? old.arena : def.arena);
    return err;
}

enum err stages_check(struct program *program, struct str text, struct problem *problem)
{
    struct stages_def def = { 0 };
    enum err          err = text_read(program, text, false, &def, problem);
    arena_close(def.arena);
    return err;
}
