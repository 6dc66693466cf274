/* How long events are kept, with names as numbers: one document of the workspace (keep.h). */
#include <stdlib.h>

#include "engine/program_inside.h"

#include "engine/vec.h"

static enum err rules_read(const struct program *program, struct arena *arena, struct str text,
                           struct keep_rules *rules, struct problem *problem)
{
    TRY(keep_read(arena, text, rules, problem));
    for (uint32_t i = 0; i < rules->events_count; i++)
        if (dict_find(program->names[NAME_EVENT], rules->events[i].name) < RUN_OWN_NAMES)
            return problem_format(problem, ERR_INPUT, "by_event", "Leave it out.",
                                  "\"%.*s\" is told by Dult itself, and kept for ever.",
                                  STR_ARG(rules->events[i].name));
    return OK;
}

enum err program_retention_define(struct program *program, struct str text, uint32_t version,
                                  struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct keep_rules                  rules;
    struct retention_def               def = { .version = version };
    if (arena == NULL)
        return ERR_MEMORY;
    TRY(rules_read(program, arena, text, &rules, problem));
    def.rest = rules.rest;
    for (uint32_t i = 0; i < rules.events_count; i++) {
        struct kept_event event = { .keep = rules.events[i].keep };
        enum err err = dict_intern(program->names[NAME_EVENT], rules.events[i].name, &event.name);
        if (err == OK && event.name < DICT_NAMES_MAX)
            err = VEC_ADD(&def.events, event);
        if (err != OK) {
            VEC_DONE(&def.events);
            return err;
        }
    }
    VEC_DONE(&program->retention.events);
    program->retention = def;
    return OK;
}

enum err program_retention_check(const struct program *program, struct str text,
                                 struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct keep_rules                  rules;
    return arena == NULL ? ERR_MEMORY : rules_read(program, arena, text, &rules, problem);
}

/* The number of the same event in rows of an older program, or its own. */
static uint16_t older_of(const struct program *program, uint16_t name)
{
    uint16_t older = name >= RUN_OWN_NAMES && name < RUN_DEEDS
                         ? program->told_older[name - RUN_OWN_NAMES]
                         : (uint16_t)0;
    return older == 0 ? name : older;
}

static enum err table_make(const struct program *program, struct keep rest,
                           const struct kept_event *events, uint32_t count, int64_t now_ms,
                           struct retention *out)
{
    uint32_t names = RUN_OWN_NAMES;
    int64_t  rest_ms = keep_from_ms(rest, now_ms);
    for (uint32_t i = 0; i < count; i++)
        if (older_of(program, events[i].name) >= names)
            names = older_of(program, events[i].name) + UINT32_C(1);
    int64_t *before_ms = malloc(names * sizeof *before_ms);
    if (before_ms == NULL)
        return ERR_MEMORY;
    for (uint32_t n = 0; n < names; n++)
        before_ms[n] = n < RUN_OWN_NAMES ? TIME_MIN_MS : rest_ms;
    for (uint32_t i = 0; i < count; i++)
        if (events[i].name >= RUN_OWN_NAMES)
            before_ms[events[i].name] = before_ms[older_of(program, events[i].name)] =
                keep_from_ms(events[i].keep, now_ms);
    *out = (struct retention){ before_ms, names, rest_ms };
    return OK;
}

enum err program_retention_at(const struct program *program, int64_t now_ms, struct retention *out)
{
    const struct retention_def *def = &program->retention;
    return table_make(program, def->rest, def->events.items, def->events.count, now_ms, out);
}

enum err program_retention_of(const struct program *program, struct str text, int64_t now_ms,
                              struct retention *out, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct keep_rules                  rules;
    uint32_t                           count = 0;
    if (arena == NULL)
        return ERR_MEMORY;
    TRY(rules_read(program, arena, text, &rules, problem));
    struct kept_event *events = ARENA_ARRAY(arena, rules.events_count + 1, struct kept_event);
    if (events == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < rules.events_count; i++) {
        uint16_t name = dict_find(program->names[NAME_EVENT], rules.events[i].name);
        if (name < DICT_NAMES_MAX) /* of what nobody did there is nothing to keep */
            events[count++] = (struct kept_event){ name, rules.events[i].keep };
    }
    return table_make(program, rules.rest, events, count, now_ms, out);
}
