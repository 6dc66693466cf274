/*
 * Computed traits: defined, and put in the place of their name wherever a condition asks for it.
 * A condition that names one holds its aggregate compiled, so a new definition compiles anew every
 * condition that names it: all of them, or nothing is changed.
 */
#include <stdlib.h>

#include "engine/journey_asked.h"
#include "engine/program_inside.h"
#include "engine/vec.h"

void computed_done(struct program *program)
{
    for (uint32_t i = 0; i < program->computed.count; i++)
        arena_close(program->computed.items[i].arena);
    VEC_DONE(&program->computed);
}

static struct computed_def *find(const struct program *program, struct str name)
{
    for (uint32_t i = 0; i < program->computed.count; i++) {
        struct computed_def *def = &program->computed.items[i];
        if (def->arena != NULL && str_eq(program_name(program, NAME_TRAIT, def->trait), name))
            return def;
    }
    return NULL;
}

const struct computed_def *program_computed(const struct program *program, struct str name)
{
    return find(program, name);
}

const struct segment_node *program_computed_tree(const void *owner, struct str name)
{
    const struct computed_def *def = find(owner, name);
    return def == NULL ? NULL : def->tree;
}

/* ---- who names it ---- */

bool program_asks(const struct program *program, const struct segment_node *tree, struct str trait)
{
    bool in_rule = str_is_empty(trait);
    if (!in_rule && segment_asks_trait(tree, trait))
        return true;
    if (!segment_asks_stage(tree, STR_NONE))
        return false;
    for (uint32_t i = 0; i < program->stages.count; i++)
        in_rule = in_rule || segment_asks_trait(program->stages.items[i].rule, trait);
    return in_rule;
}

bool program_asks_segment(const struct program *program, const struct segment_node *tree,
                          struct str name)
{
    if (tree == NULL)
        return false;
    bool group = tree->kind == SEGMENT_AND || tree->kind == SEGMENT_OR || tree->kind == SEGMENT_NOT;
    if (tree->kind == SEGMENT_IN_SEGMENT)
        return str_eq(tree->name, name);
    for (uint32_t i = 0; group && i < tree->parts_count; i++)
        if (program_asks_segment(program, tree->parts[i], name))
            return true;
    return false;
}

bool program_segment_asks(const struct program *program, uint32_t segment, struct str trait)
{
    const struct segment_def *def = &program->segments.items[segment];
    return def->arena != NULL && program_asks(program, def->tree, trait);
}

bool program_segment_is_newer(const struct program *program, uint32_t segment, uint64_t seq)
{
    const struct segment_def *def = &program->segments.items[segment];
    bool                      is_newer = def->version > seq;
    if (def->arena == NULL)
        return is_newer;
    is_newer = is_newer || (program->zone_version > seq && def->program.has_zone) ||
               (program->stages.version > seq && program_segment_asks(program, segment, STR_NONE));
    for (uint32_t i = 0; i < program->computed.count; i++) {
        const struct computed_def *computed = &program->computed.items[i];
        if (computed->arena != NULL && computed->version > seq)
            is_newer = is_newer ||
                       program_segment_asks(program, segment,
                                            program_name(program, NAME_TRAIT, computed->trait));
    }
    return is_newer;
}

static uint32_t journey_asks_at(const struct program         *program,
                                const struct journey_version *version, program_asks_fn *ask,
                                struct str name)
{
    const struct journey *journey = &version->journey;
    uint32_t              at = 0;
    bool                  is_own = version->source < program->segments.count &&
                  (journey->trigger.is_stage || journey->trigger.kind == TRIGGER_CLOCK);
    if ((is_own && ask(program, program->segments.items[version->source].tree, name)) ||
        ask(program, journey->trigger.where.tree, name))
        at |= (uint32_t)ASKED_TRIGGER;
    if (ask(program, journey->audience.tree, name))
        at |= (uint32_t)ASKED_AUDIENCE;
    if (ask(program, journey->exit_when.tree, name))
        at |= (uint32_t)ASKED_EXIT;
    if (ask(program, journey->goal.condition.tree, name))
        at |= (uint32_t)ASKED_GOAL;
    for (uint32_t i = 0; i < journey->branches_count; i++)
        if (ask(program, journey->branches[i].when.tree, name))
            at |= (uint32_t)ASKED_NODES;
    return at;
}

static bool journey_asks(const struct program *program, const struct journey_version *version,
                         program_asks_fn *ask, struct str name)
{
    const struct journey *journey = &version->journey;
    bool                  asks = journey_asks_at(program, version, ask, name) != 0;
    for (uint16_t n = 0; n < journey->nodes_count; n++)
        asks = asks || (ask == program_asks && journey_node_awaits(&journey->nodes[n], name));
    return asks;
}

uint32_t journey_asks_segment(const struct program *program, const struct journey_version *version,
                              struct str segment)
{
    const struct journey_trigger *trigger = &version->journey.trigger;
    bool                          begins = !trigger->is_stage && str_eq(trigger->name, segment) &&
                  (trigger->kind == TRIGGER_SEGMENT || trigger->kind == TRIGGER_LEFT_SEGMENT);
    return journey_asks_at(program, version, program_asks_segment, segment) |
           (begins ? (uint32_t)ASKED_TRIGGER : 0);
}

bool program_journey_asks(const struct program *program, const struct journey_version *version,
                          struct str trait)
{
    return journey_asks(program, version, program_asks, trait);
}

void program_computed_users(const struct program *program, struct str name,
                            struct computed_users *out)
{
    *out = (struct computed_users){ 0 };
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program_segment_asks(program, i, name) && !program->segments.items[i].is_stage &&
            out->segments++ == 0)
            out->segment = program_name(program, NAME_SEGMENT, i);
    for (uint32_t i = 0; i < program->journeys.count; i++) {
        const struct journey_version *live = program_journey_live(program, i);
        if (live != NULL && program_journey_asks(program, live, name) && out->journeys++ == 0)
            out->journey = live->journey.name;
    }
}

enum { USERS_NAMED_MAX = 8, USERS_BYTES_MAX = 600 };

static void user_add(struct buf *out, uint32_t *count, const char *kind, struct str name)
{
    if (++*count <= USERS_NAMED_MAX)
        buf_format(out, "%s%s \"%.*s\"", *count > 1 ? ", " : "", kind, STR_ARG(name));
}

enum err program_unused_check(const struct program *program, program_asks_fn *asks,
                              const char *what, struct str name, struct problem *problem)
{
    SCOPED(buf_donep) struct buf users = buf_make(USERS_NAMED_MAX * 300);
    uint32_t                     count = 0;
    for (uint32_t i = 0; i < program->stages.count; i++)
        if (asks(program, program->stages.items[i].rule, name))
            user_add(&users, &count, "stage", program->stages.items[i].name);
    for (uint32_t i = 0; i < program->segments.count;
         i++) /* a line goes with its score, a beginning with its journey */
        if (program->segments.items[i].arena != NULL && !program->segments.items[i].is_line &&
            !program->segments.items[i].is_beginning && !program->segments.items[i].is_stage &&
            asks(program, program->segments.items[i].tree, name))
            user_add(&users, &count, "segment", program_name(program, NAME_SEGMENT, i));
    for (uint32_t i = 0; i < program->journeys.count; i++) {
        const struct journey_version *live = program_journey_live(program, i);
        if (live != NULL && journey_asks(program, live, asks, name))
            user_add(&users, &count, "journey", live->journey.name);
    }
    if (count == 0)
        return OK;
    if (count > USERS_NAMED_MAX)
        buf_format(&users, " and %u more", count - USERS_NAMED_MAX);
    TRY(buf_err(&users));
    return problem_format(problem, ERR_CONFLICT, "definition", "Change what uses it first.",
                          "The %s \"%.*s\" is used by %.*s.", what, STR_ARG(name),
                          STR_ARG(buf_view(&users)));
}

/* ---- compiling anew what names it ---- */

struct fresh_segment {
    uint32_t           number;
    struct segment_def def;
};

struct fresh_condition {
    struct condition      *condition;
    struct segment_program program;
};

struct fresh {
    struct {
        struct fresh_segment *items;
        uint32_t              count, room;
    } segments;
    struct {
        struct fresh_condition *items;
        uint32_t                count, room;
    } conditions;
};

static void fresh_done(struct fresh *fresh)
{
    for (uint32_t i = 0; i < fresh->segments.count; i++)
        arena_close(fresh->segments.items[i].def.arena);
    VEC_DONE(&fresh->segments);
    VEC_DONE(&fresh->conditions);
}

/* From its own text: the tree that is there lies in the arena that will go. */
static enum err segment_anew(struct program *program, uint32_t number, struct fresh *fresh,
                             struct problem *problem)
{
    SCOPED(buf_donep) struct buf text = buf_make(4 * SEGMENT_TEXT_BYTES_MAX);
    struct segment_names         names = program_names(program, true);
    struct segment_def          *old = &program->segments.items[number];
    struct segment_def           def = { .version = old->version,
                                         .is_line = old->is_line,
                                         .is_stage = old->is_stage,
                                         .is_beginning = old->is_beginning };
    names.leaves = program->leaves;
    segment_write(&text, old->tree);
    TRY(buf_err(&text));
    def.arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    if (def.arena == NULL)
        return ERR_MEMORY;
    enum err err = segment_parse(def.arena, buf_view(&text), &def.tree, problem);
    if (err == OK && old->clock != NULL && (def.clock = clock_copy(def.arena, old->clock)) == NULL)
        err = ERR_MEMORY;
    if (err == OK)
        err = segment_compile(def.arena, def.tree, &names, &def.program, problem);
    if (err == OK)
        err = VEC_ADD(&fresh->segments, (struct fresh_segment){ number, def });
    if (err != OK)
        arena_close(def.arena);
    return err;
}

/*
 * A version stays for those inside it, and so does its arena, in which the conditions are compiled
 * once more: a few kilobytes for each change of a trait until the next start. What an old version
 * names may have gone since; it keeps what it has.
 */
static enum err condition_anew(struct program *program, struct journey_version *version,
                               struct condition *condition, struct str name, struct fresh *fresh)
{
    struct segment_names   names = program_names(program, true);
    struct fresh_condition item = { .condition = condition };
    if (!program_asks(program, condition->tree, name))
        return OK;
    names.has_entry = true;
    names.has_key = !str_is_empty(version->journey.trigger.key_name);
    enum err err = segment_compile(version->arena, condition->tree, &names, &item.program, NULL);
    if (err == OK)
        return VEC_ADD(&fresh->conditions, item);
    return err == ERR_MEMORY ? err : OK;
}

static enum err version_anew(struct program *program, struct journey_version *version,
                             struct str name, struct fresh *fresh)
{
    struct journey *journey = &version->journey;
    TRY(condition_anew(program, version, &journey->exit_when, name, fresh));
    TRY(condition_anew(program, version, &journey->audience, name, fresh));
    TRY(condition_anew(program, version, &journey->goal.condition, name, fresh));
    for (uint32_t i = 0; i < journey->branches_count; i++)
        TRY(condition_anew(program, version, &journey->branches[i].when, name, fresh));
    return OK;
}

static enum err users_anew(struct program *program, struct str name, struct fresh *fresh,
                           struct problem *problem)
{
    for (uint32_t i = 0; i < program->segments.count; i++) /* stages' own follow the document */
        if (program_segment_asks(program, i, name) &&
            !(str_is_empty(name) && program->segments.items[i].is_stage))
            TRY(segment_anew(program, i, fresh, problem));
    for (uint32_t i = 0; i < program->journeys.count; i++)
        for (uint32_t k = 0; k < program->journeys.items[i].count; k++)
            TRY(version_anew(program, program->journeys.items[i].versions[k], name, fresh));
    return OK;
}

static enum err users_put(struct program *program, struct fresh *fresh)
{
    for (uint32_t i = 0; i < fresh->conditions.count; i++)
        fresh->conditions.items[i].condition->program = fresh->conditions.items[i].program;
    for (uint32_t i = 0; i < fresh->segments.count; i++) {
        struct segment_def def = fresh->segments.items[i].def;
        fresh->segments.items[i].def.arena = NULL;
        TRY(program_segment_put(program, fresh->segments.items[i].number, def));
    }
    return OK;
}

enum err program_users_anew(struct program *program, struct str trait, struct problem *problem)
{
    struct fresh fresh = { 0 };
    enum err     err = users_anew(program, trait, &fresh, problem);
    if (err == OK)
        err = users_put(program, &fresh);
    fresh_done(&fresh);
    return err;
}

/* ---- defining ---- */

static enum err text_compile(struct program *program, struct str text, bool grow,
                             struct computed_def *def, struct problem *problem)
{
    struct segment_names names = program_names(program, grow);
    TRY(segment_parse_value(def->arena, text, &def->tree, problem));
    return segment_compile(def->arena, def->tree, &names, &def->program, problem);
}

/* A place for it: its own, one that is free, or a new one. */
static enum err place_find(struct program *program, struct str name, uint32_t *place,
                           struct problem *problem)
{
    struct computed_def *have = find(program, name);
    *place = 0;
    if (have != NULL) {
        *place = (uint32_t)(have - program->computed.items);
        return OK;
    }
    while (*place < program->computed.count && program->computed.items[*place].arena != NULL)
        ++*place;
    if (*place < program->computed.count)
        return OK;
    if (*place == PROGRAM_COMPUTED_MAX)
        return problem_set(problem, ERR_LIMIT, "trait", "There are 200 computed traits already.",
                           "Delete some that no one uses.");
    return VEC_ADD(&program->computed, (struct computed_def){ 0 });
}

/* With the new one in force; as it was when something that names it cannot be compiled with it. */
static enum err put(struct program *program, uint32_t place, struct str name,
                    struct computed_def def, struct problem *problem)
{
    struct computed_def old = program->computed.items[place];
    program->computed.items[place] = def;
    enum err err = program_users_anew(program, name, problem);
    if (err != OK)
        program->computed.items[place] = old;
    arena_close(err == OK ? old.arena : def.arena);
    return err;
}

enum err computed_delete(struct program *program, const char *what, struct str name,
                         uint32_t *number, struct problem *problem)
{
    struct computed_def *have = find(program, name);
    if (have == NULL)
        return ERR_ABSENT;
    TRY(program_unused_check(program, program_asks, what, name, problem));
    *number = have->trait;
    arena_close(have->arena);
    *have = (struct computed_def){ 0 };
    return OK;
}

enum err computed_put(struct program *program, struct str name, struct computed_def def,
                      struct problem *problem)
{
    uint32_t place = 0;
    enum err err = place_find(program, name, &place, problem);
    if (err == OK)
        return put(program, place, name, def, problem);
    arena_close(def.arena);
    return err;
}

/* A score's rules hold their conditions as they were read, so what they ask stays what it is. */
static enum err told_check(const struct program *program, struct str name, struct problem *problem)
{
    if (!scores_ask_trait(program, name))
        return OK;
    return problem_set(problem, ERR_CONFLICT, "trait",
                       "The rule of a score asks for this trait, as people are told it.",
                       "Write the aggregate out in the score's rule, or choose another name.");
}

enum err computed_define(struct program *program, struct str name, struct str text,
                         uint32_t version, uint32_t *number, struct problem *problem)
{
    struct computed_def def = { .version = version };
    if (text.len == 0)
        return computed_delete(program, "computed trait", name, number, problem);
    if (str_starts(name, SEGMENT_SCORE_PREFIX))
        return problem_set(problem, ERR_INPUT, "trait", "This name is a score's.",
                           "Choose another name.");
    TRY(told_check(program, name, problem));
    def.arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    if (def.arena == NULL)
        return ERR_MEMORY;
    enum err err = text_compile(program, text, true, &def, problem);
    if (err == OK)
        err = program_intern(program, NAME_TRAIT, name, &def.trait);
    if (err != OK) {
        arena_close(def.arena);
        return err;
    }
    *number = def.trait;
    return computed_put(program, name, def, problem);
}

enum err computed_check(struct program *program, struct str name, struct str text,
                        struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct computed_def                def = { .arena = arena };
    if (text.len == 0)
        return program_unused_check(program, program_asks, "computed trait", name, problem);
    return arena == NULL ? ERR_MEMORY : text_compile(program, text, false, &def, problem);
}
