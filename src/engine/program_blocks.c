/*
 * What a template asks about its reader: the conditions of its head, and the segments that its
 * Liquid names. The engine reads no Liquid: it looks for the one form in which a segment may be
 * asked for, person.segments contains "name"; and for pools of codes (codes.h).
 */
#include "engine/program_inside.h"

#include <stdio.h>
#include <string.h>

struct reading {
    struct template_blocks *out;
    struct template_block  *items;
    struct problem         *problem;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t space_skip(struct str text, size_t at)
{
    while (at < text.len && is_space(text.ptr[at]))
        at++;
    return at;
}

static bool is_alike(const struct template_block *a, const struct template_block *b)
{
    return str_eq(a->name, b->name) && (a->tree == NULL) == (b->tree == NULL) &&
           a->is_codes == b->is_codes;
}

static enum err block_add(struct reading *reading, struct template_block block)
{
    struct template_blocks *out = reading->out;
    struct str              name = block.name;
    for (uint32_t i = 0; i < out->count; i++)
        if (is_alike(&out->items[i], &block))
            return block.tree == NULL
                       ? OK
                       : problem_format(reading->problem, ERR_INPUT, "when",
                                        "Give one of them another name.",
                                        "\"when %.*s\" is here twice.", STR_ARG(name));
    if (out->count == TEMPLATE_BLOCKS_MAX)
        return problem_set(reading->problem, ERR_LIMIT, "when",
                           "The text asks more than 32 things about its reader.",
                           "Put several into one segment.");
    block.name = str_copy(out->arena, name);
    reading->items[out->count++] = block;
    return block.name.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err arena_get(struct reading *reading)
{
    struct template_blocks *out = reading->out;
    if (out->arena != NULL)
        return OK;
    out->arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    if (out->arena == NULL)
        return ERR_MEMORY;
    reading->items = ARENA_ARRAY(out->arena, TEMPLATE_BLOCKS_MAX, struct template_block);
    out->items = reading->items;
    return reading->items == NULL ? ERR_MEMORY : OK;
}

/* ---- the head: when vip: in segment "vip" ---- */

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c != '_' && !(c >= '0' && c <= '9' && i > 0) &&
            !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
            return false;
    }
    return name.len > 0 && name.len <= TEMPLATE_BLOCK_NAME_BYTES_MAX;
}

static enum err when_read(struct reading *reading, struct str name, struct str condition)
{
    const struct segment_node *tree;
    struct problem             inside = { .where = "" };
    if (!is_name(name))
        return problem_format(reading->problem, ERR_INPUT, "when",
                              "Write \"when vip: ...\", a name of letters, digits and _.",
                              "\"%.*s\" is no name for a condition.",
                              STR_ARG(str_slice(name, 0, 60)));
    TRY(arena_get(reading));
    struct str kept = str_copy(reading->out->arena, condition);
    if (kept.ptr == NULL)
        return ERR_MEMORY;
    enum err err = segment_parse(reading->out->arena, kept, &tree, &inside);
    if (err == OK)
        return block_add(reading, (struct template_block){ .name = name, .tree = tree });
    if (reading->problem != NULL) {
        *reading->problem = inside;
        snprintf(reading->problem->where, sizeof reading->problem->where, "when %.*s: %.40s",
                 STR_ARG(str_slice(name, 0, 60)), inside.where);
    }
    return err;
}

static enum err head_read(struct reading *reading, struct str head)
{
    struct str rest = head, line;
    while (str_split(&rest, '\n', &line)) {
        size_t     colon = str_find_char(line, 0, ':');
        struct str key = str_trim(str_slice(line, 0, colon));
        if (colon < line.len && str_eq_nocase(str_slice(key, 0, 5), STR("when ")))
            TRY(when_read(reading, str_trim(str_slice(key, 5, key.len)),
                          str_trim(str_slice(line, colon + 1, line.len))));
    }
    return OK;
}

/* ---- the Liquid: person.segments contains "vip" ---- */

/* The name behind `contains`, or nothing. */
static struct str contained(struct str text, size_t at)
{
    at = space_skip(text, at);
    if (!str_starts(str_slice(text, at, text.len), STR("contains")))
        return STR_NONE;
    at = space_skip(text, at + strlen("contains"));
    if (at >= text.len || (text.ptr[at] != '"' && text.ptr[at] != '\''))
        return STR_NONE;
    size_t end = str_find_char(text, at + 1, text.ptr[at]);
    return end < text.len ? str_slice(text, at + 1, end) : STR_NONE;
}

static enum err liquid_read(struct reading *reading, struct str text)
{
    struct str wanted = STR("person.segments");
    for (size_t at = str_find(text, 0, wanted); at < text.len; at = str_find(text, at, wanted)) {
        at += wanted.len;
        struct str name = contained(text, at);
        if (name.len == 0 || name.len > TEMPLATE_BLOCK_NAME_BYTES_MAX)
            continue;
        TRY(arena_get(reading));
        TRY(block_add(reading, (struct template_block){ .name = name }));
    }
    return OK;
}

static enum err codes_read(struct reading *reading, struct str text)
{
    struct str names[CODES_A_TEMPLATE_MAX];
    uint32_t   count;
    if (codes_named(text, names, &count) != OK)
        return problem_set(reading->problem, ERR_LIMIT, "codes",
                           "The text names more than 8 pools of codes.",
                           "Write several templates.");
    for (uint32_t i = 0; i < count; i++) {
        TRY(arena_get(reading));
        TRY(block_add(reading, (struct template_block){ .name = names[i], .is_codes = true }));
    }
    return OK;
}

enum err template_blocks_read(struct template_blocks *out, struct str head, struct str text,
                              struct problem *problem)
{
    struct template_blocks made = { .arena = NULL };
    struct reading         reading = { .out = &made, .problem = problem };
    enum err               err = head_read(&reading, head);
    if (err == OK)
        err = liquid_read(&reading, text);
    if (err == OK)
        err = codes_read(&reading, text);
    if (err != OK)
        template_blocks_done(&made);
    else
        *out = made;
    return err;
}

void template_blocks_done(struct template_blocks *blocks)
{
    arena_close(blocks->arena);
    *blocks = (struct template_blocks){ .arena = NULL };
}

enum err template_blocks_check(struct program *program, const struct template_blocks *blocks,
                               struct problem *problem)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct segment_names               names = program_names(program, false);
    struct segment_program             compiled;
    if (scratch == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < blocks->count; i++) {
        const struct template_block *block = &blocks->items[i];
        if (block->is_codes &&
            program_codes_at(program, program_codes(program, block->name))->version == 0)
            return problem_format(
                problem, ERR_ABSENT, "codes", "Define them first, or mend their name.",
                "There are no codes \"%.*s\".", STR_ARG(str_slice(block->name, 0, 100)));
        if (block->is_codes)
            continue;
        if (block->tree != NULL)
            TRY(segment_compile(scratch, block->tree, &names, &compiled, problem));
        else if (program_segment(program, block->name) == SEGMENT_NO_ID)
            return problem_format(problem, ERR_ABSENT, "person.segments",
                                  "Add the segment first, or mend its name.",
                                  "There is no segment \"%.*s\".", STR_ARG(block->name));
    }
    return OK;
}
