/*
 * Segments: compiled, never in a circle nor nested too deep, and not deleted while somebody asks.
 */
#include "engine/program_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/vec.h"

/* One level of segments: each is there once. */
struct level {
    uint32_t *items, count;
    bool     *there;
};

static void level_add(struct level *level, const uint32_t *items, uint32_t count, uint32_t all)
{
    for (uint32_t i = 0; i < count; i++)
        if (items[i] < all && !level->there[items[i]]) {
            level->there[items[i]] = true;
            level->items[level->count++] = items[i];
        }
}

/* The segments that those of a level name, or (up) that name those. */
static void level_next(const struct program *program, const struct level *level, bool up,
                       struct level *next)
{
    for (uint32_t i = 0; i < level->count; i++) {
        const struct segment_program *p = &program->segments.items[level->items[i]].program;
        const struct numbers         *users = &program->segments_of_segment[level->items[i]];
        level_add(next, up ? users->items : p->segments, up ? users->count : p->segments_count,
                  program->segments.count);
    }
}

/* How many levels there are from `first` on, at most SEGMENT_NESTING_MAX + 1; is `wanted` in any?
 */
static enum err levels_count(const struct program *program, const uint32_t *first, uint32_t count,
                             bool up, uint32_t wanted, int *levels, bool *found)
{
    uint32_t  all = program->segments.count;
    size_t    bytes = 2 * ((size_t)all + 1) * (sizeof(uint32_t) + sizeof(bool));
    uint32_t *memory = calloc(1, bytes);
    if (memory == NULL)
        return ERR_MEMORY;
    bool        *there = (bool *)(memory + 2 * ((size_t)all + 1));
    struct level now = { memory, 0, there }, next = { memory + all + 1, 0, there + all + 1 };
    *levels = 0;
    level_add(&now, first, count, all);
    while (now.count > 0 && *levels <= SEGMENT_NESTING_MAX) {
        ++*levels;
        *found = *found || (wanted < all && now.there[wanted]);
        level_next(program, &now, up, &next);
        for (uint32_t i = 0; i < now.count; i++)
            now.there[now.items[i]] = false;
        struct level other = now;
        now = next;
        next = (struct level){ other.items, 0, other.there };
    }
    free(memory);
    return OK;
}

/* The way from the segment back to itself, by `before`: who named each one first. */
static struct str circle_write(const struct program *program, struct str name,
                               const uint32_t *before, uint32_t self, char *out, size_t room)
{
    uint32_t path[SEGMENT_NESTING_MAX + 1], count = 0;
    int      len = snprintf(out, room, "%.*s", STR_ARG(name));
    for (uint32_t at = before[self]; at != SEGMENT_NO_ID && count <= SEGMENT_NESTING_MAX;
         at = before[at])
        path[count++] = at;
    for (uint32_t i = count; i > 0 && (size_t)len < room; i--)
        len += snprintf(out + len, room - (size_t)len, " -> %.*s",
                        STR_ARG(program_name(program, NAME_SEGMENT, path[i - 1])));
    if ((size_t)len < room)
        snprintf(out + len, room - (size_t)len, " -> %.*s", STR_ARG(name));
    return str_of(out);
}

static enum err circle_tell(const struct program *program, struct str name,
                            const struct segment_program *fresh, uint32_t self,
                            struct problem *problem)
{
    enum { CIRCLE_BYTES_MAX = 400 };
    uint32_t  all = program->segments.count, count = 0;
    uint32_t *memory = malloc(2 * ((size_t)all + 1) * sizeof *memory);
    char      text[CIRCLE_BYTES_MAX];
    if (memory == NULL)
        return ERR_MEMORY;
    uint32_t *before = memory, *queue = memory + all + 1;
    for (uint32_t i = 0; i <= all; i++)
        before[i] = all; /* not met */
    for (uint32_t i = 0; i < fresh->segments_count; i++) {
        before[fresh->segments[i]] = SEGMENT_NO_ID;
        queue[count++] = fresh->segments[i];
    }
    for (uint32_t i = 0; i < count && before[self] == all; i++) {
        const struct segment_program *p = &program->segments.items[queue[i]].program;
        for (uint32_t k = 0; k < p->segments_count; k++)
            if (before[p->segments[k]] == all) {
                before[p->segments[k]] = queue[i];
                queue[count++] = p->segments[k];
            }
    }
    enum err err =
        problem_format(problem, ERR_CONFLICT, "segment", "Take the reference out of one of them.",
                       "Segments would depend on each other in a circle: %.*s.",
                       STR_ARG(circle_write(program, name, before, self, text, sizeof text)));
    free(memory);
    return err;
}

/* A segment is asked within each one that names it: never in a circle, nor too deep. */
static enum err nesting_check(const struct program *program, struct str name,
                              const struct segment_program *fresh, struct problem *problem)
{
    uint32_t self = program_number(program, NAME_SEGMENT, name);
    int      below = 0, above = 1; /* itself, and those that name it */
    bool     circle = false, ignored = false;
    TRY(levels_count(program, fresh->segments, fresh->segments_count, false, self, &below,
                     &circle));
    if (self < program->segments.count)
        TRY(levels_count(program, &self, 1, true, self, &above, &ignored));
    if (circle)
        return circle_tell(program, name, fresh, self, problem);
    if (below + above > SEGMENT_NESTING_MAX)
        return problem_format(problem, ERR_LIMIT, "segment", "Write some of the conditions out.",
                              "Segments name segments more than %d deep.", SEGMENT_NESTING_MAX);
    return OK;
}

static enum err segment_compile_text(struct program *program, struct str name, struct str text,
                                     bool grow, struct segment_def *out, struct problem *problem)
{
    struct segment_names names = program_names(program, grow);
    names.leaves = grow ? program->leaves : NULL;
    TRY(segment_parse(out->arena, text, &out->tree, problem));
    TRY(segment_compile(out->arena, out->tree, &names, &out->program, problem));
    return nesting_check(program, name, &out->program, problem);
}

static bool journey_needs(const struct journey_version *version, uint32_t segment)
{
    const struct journey *journey = &version->journey;
    if (((journey->trigger.kind == TRIGGER_SEGMENT ||
          journey->trigger.kind == TRIGGER_LEFT_SEGMENT) &&
         version->source == segment) ||
        (journey->trigger.kind == TRIGGER_CLOCK &&
         segment_needs_segment(&journey->trigger.where.program, segment)) ||
        segment_needs_segment(&journey->exit_when.program, segment) ||
        segment_needs_segment(&journey->audience.program, segment) ||
        segment_needs_segment(&journey->goal.condition.program, segment))
        return true;
    for (uint32_t i = 0; i < journey->branches_count; i++)
        if (segment_needs_segment(&journey->branches[i].when.program, segment))
            return true;
    return false;
}

static const char *segment_user(const struct program *program, uint32_t number)
{
    if (number < DICT_NAMES_MAX && program->segments_of_segment[number].count > 0)
        return "a segment";
    for (uint32_t i = 0; i < program->journeys.count; i++) {
        const struct journey_version *live = program_journey_live(program, i);
        if (live != NULL && journey_needs(live, number))
            return "a journey";
    }
    return NULL;
}

static enum err unused_check(const struct program *program, struct str name,
                             struct problem *problem)
{
    uint32_t    number = program_number(program, NAME_SEGMENT, name);
    const char *user = number == SEGMENT_NO_ID ? NULL : segment_user(program, number);
    return user == NULL
               ? OK
               : problem_format(problem, ERR_CONFLICT, "segment", "Change what uses it first.",
                                "Segment \"%.*s\" is used by %s.", STR_ARG(name), user);
}

enum err program_segment_put(struct program *program, uint32_t number, struct segment_def def)
{
    enum err err = OK;
    program->round++;
    while (program->segments.count <= number && err == OK)
        err = VEC_ADD(&program->segments, (struct segment_def){ 0 });
    if (err != OK) {
        arena_close(def.arena);
        return err;
    }
    struct segment_def *old = &program->segments.items[number];
    if (old->arena != NULL) {
        segment_unindex(program, number, &old->program);
        arena_close(old->arena);
    }
    *old = def;
    return def.arena == NULL ? OK : segment_index(program, number, &def.program);
}

enum err segment_define(struct program *program, struct str name, struct str text, uint32_t version,
                        uint32_t *number, struct problem *problem)
{
    uint32_t           known = program_number(program, NAME_SEGMENT, name);
    struct segment_def def = { .version = version };
    if (text.len == 0) {
        TRY(unused_check(program, name, problem));
        *number = known;
        return known == SEGMENT_NO_ID ? ERR_ABSENT : program_segment_put(program, known, def);
    }
    def.arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    if (def.arena == NULL)
        return ERR_MEMORY;
    enum err err = segment_compile_text(program, name, text, true, &def, problem);
    if (err == OK)
        err = program_intern(program, NAME_SEGMENT, name, number);
    if (err == OK && *number >= PROGRAM_SEGMENTS_MAX)
        err = problem_set(problem, ERR_LIMIT, "segment", "There are 10,000 segments already.",
                          "Delete some that no one uses.");
    if (err != OK) {
        arena_close(def.arena);
        return err;
    }
    return program_segment_put(program, *number, def);
}

enum err segment_check(struct program *program, struct str name, struct str text,
                       struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct segment_def                 def = { .arena = arena };
    if (text.len == 0)
        return unused_check(program, name, problem);
    return arena == NULL ? ERR_MEMORY
                         : segment_compile_text(program, name, text, false, &def, problem);
}
