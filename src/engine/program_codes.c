/*
 * Pools of discount codes: their definitions, and which templates take codes of them.
 */
#include "engine/program_inside.h"

#include "engine/vec.h"

uint32_t program_codes(const struct program *program, struct str name)
{
    return program_number(program, NAME_CODES, name);
}

const struct codes_def *program_codes_at(const struct program *program, uint32_t number)
{
    static const struct codes_def none = { .kind = CODES_NONE };
    return number < program->codes.count ? &program->codes.items[number] : &none;
}

static bool blocks_take(const struct template_blocks *blocks, struct str name)
{
    for (uint32_t i = 0; i < blocks->count; i++)
        if (blocks->items[i].is_codes && str_eq(blocks->items[i].name, name))
            return true;
    return false;
}

/* The template that takes codes of the pool; empty when none does. */
static struct str codes_user(const struct program *program, struct str name)
{
    for (uint32_t i = 0; i < program->templates.count; i++)
        if (program->templates.items[i].version > 0 &&
            blocks_take(&program->templates.items[i].blocks, name))
            return program_name(program, NAME_TEMPLATE, i);
    return STR_NONE;
}

static uint32_t codes_defined(const struct program *program)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < program->codes.count; i++)
        count += program->codes.items[i].version > 0;
    return count;
}

static enum err delete_check(const struct program *program, struct str name,
                             struct problem *problem)
{
    uint32_t number = program_codes(program, name);
    if (program_codes_at(program, number)->version == 0)
        return problem_format(problem, ERR_ABSENT, "name", "Look at the list.",
                              "There are no codes \"%.*s\".", STR_ARG(str_slice(name, 0, 60)));
    struct str user = codes_user(program, name);
    return str_is_empty(user)
               ? OK
               : problem_format(problem, ERR_CONFLICT, "codes", "Change the template first.",
                                "Template \"%.*s\" takes codes of it.", STR_ARG(user));
}

static enum err def_read(const struct program *program, struct str name, struct str text,
                         struct codes_def *out, struct problem *problem)
{
    const struct codes_def *before = program_codes_at(program, program_codes(program, name));
    if (!codes_is_name(name))
        return problem_set(problem, ERR_INPUT, "name", "This is no name for codes.",
                           "Name the file spring.json: up to 64 letters, digits, _ and -.");
    TRY(codes_parse(text, out, problem));
    if (before->version == 0 && codes_defined(program) >= CODES_POOLS_MAX)
        return problem_set(problem, ERR_LIMIT, "codes", "There are 200 pools of codes already.",
                           "Delete one that is no longer used.");
    if (before->kind != CODES_NONE && before->kind != out->kind)
        return problem_format(problem, ERR_CONFLICT, "kind", "Give the new codes another name.",
                              "These codes are %s, and stay so.", codes_kind_word(before->kind));
    return OK;
}

enum err codes_check(const struct program *program, struct str name, struct str text,
                     struct problem *problem)
{
    struct codes_def def;
    return text.len == 0 ? delete_check(program, name, problem)
                         : def_read(program, name, text, &def, problem);
}

enum err codes_define(struct program *program, struct str name, struct str text, uint32_t version,
                      uint32_t *number, struct problem *problem)
{
    struct codes_def def = { .kind = CODES_NONE };
    TRY(text.len == 0 ? delete_check(program, name, problem)
                      : def_read(program, name, text, &def, problem));
    TRY(program_intern(program, NAME_CODES, name, number));
    while (program->codes.count <= *number)
        TRY(VEC_ADD(&program->codes, (struct codes_def){ .kind = CODES_NONE }));
    struct codes_def *kept = &program->codes.items[*number];
    if (text.len == 0) {
        kept->version = 0;
        return OK;
    }
    def.version = version;
    *kept = def;
    return OK;
}
