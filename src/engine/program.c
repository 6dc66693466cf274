#include <stdio.h>

#include "engine/program_inside.h"

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
    program->journeys_of_event = numbers_open();
    program->journeys_of_segment = numbers_open();
    program->journeys_of_list = numbers_open();
    program->traits = calloc(DICT_NAMES_MAX + 1, sizeof(struct trait_hearing));
    program->round = 1;
    good = good && program->traits != NULL && program->leaves_of_event != NULL &&
           program->leaves != NULL;
    good = good && program->segments_of_event != NULL && program->segments_of_trait != NULL &&
           program->segments_of_segment != NULL && program->segments_of_list != NULL &&
           program->journeys_of_event != NULL && program->journeys_of_segment != NULL &&
           program->journeys_of_list != NULL;
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
        free(tables[i].items);
        VEC_DONE(&tables[i].others);
    }
    free(tables);
}

static void journey_version_close(struct journey_version *version)
{
    if (version == NULL)
        return;
    arena_close(version->arena);
    free(version);
}

void program_close(struct program *program)
{
    if (program == NULL)
        return;
    for (int kind = 1; kind < NAME_KINDS; kind++)
        dict_close(program->names[kind]);
    for (uint32_t i = 0; i < program->segments.count; i++)
        arena_close(program->segments.items[i].arena);
    for (uint32_t i = 0; i < program->journeys.count; i++) {
        for (uint32_t k = 0; k < program->journeys.items[i].count; k++)
            journey_version_close(program->journeys.items[i].versions[k]);
        free(program->journeys.items[i].versions);
    }
    VEC_DONE(&program->segments);
    computed_done(program);
    arena_close(program->stages.arena);
    VEC_DONE(&program->journeys);
    VEC_DONE(&program->templates);
    numbers_done(program->segments_of_event);
    VEC_DONE(&program->segments_of_anything);
    leaves_done(program->leaves_of_event);
    traits_done(program->traits);
    VEC_DONE(&program->open);
    dict_close(program->leaves);
    numbers_done(program->segments_of_trait);
    numbers_done(program->segments_of_segment);
    numbers_done(program->segments_of_list);
    numbers_done(program->journeys_of_event);
    numbers_done(program->journeys_of_segment);
    numbers_done(program->journeys_of_list);
    free(program);
}

static uint32_t number_of(const struct program *program, enum name_kind kind, struct str name)
{
    uint16_t id = dict_find(program->names[kind], name);
    return id == DICT_NONE || id == DICT_OTHER ? SEGMENT_NO_ID : id;
}

uint32_t program_segment(const struct program *program, struct str name)
{
    uint32_t number = number_of(program, NAME_SEGMENT, name);
    bool     defined =
        number < program->segments.count && program->segments.items[number].arena != NULL;
    return defined ? number : SEGMENT_NO_ID;
}

uint32_t program_journey(const struct program *program, struct str name)
{
    uint32_t number = number_of(program, NAME_JOURNEY, name);
    return number < program->journeys.count && program->journeys.items[number].count > 0
               ? number
               : SEGMENT_NO_ID;
}

uint32_t program_template(const struct program *program, struct str name)
{
    uint32_t number = number_of(program, NAME_TEMPLATE, name);
    return number < program->templates.count && program->templates.items[number].version > 0
               ? number
               : SEGMENT_NO_ID;
}

const struct template_def *program_template_at(const struct program *program, uint32_t number)
{
    static const struct template_def none;
    return number < program->templates.count ? &program->templates.items[number] : &none;
}

uint32_t program_list(const struct program *program, struct str name)
{
    return number_of(program, NAME_LIST, name);
}

uint32_t program_topic(const struct program *program, struct str name)
{
    return number_of(program, NAME_TOPIC, name);
}

struct str program_name(const struct program *program, enum name_kind kind, uint32_t number)
{
    return number < dict_count(program->names[kind])
               ? dict_text(program->names[kind], (uint16_t)number)
               : STR_NONE;
}

enum err program_intern(struct program *program, enum name_kind kind, struct str name,
                        uint32_t *number)
{
    uint16_t id;
    TRY(dict_intern(program->names[kind], name, &id));
    if (id == DICT_OTHER)
        return ERR_LIMIT;
    *number = id;
    return OK;
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

static uint32_t segment_resolve(const void *owner, struct str name)
{
    return program_segment(owner, name);
}

static uint32_t list_resolve(const void *owner, struct str name)
{
    return program_list(owner, name);
}

static uint32_t journey_resolve(const void *owner, struct str name)
{
    return program_journey(owner, name);
}

static uint32_t topic_resolve(const void *owner, struct str name)
{
    return program_topic(owner, name);
}

static const struct segment_node *segment_in_place(const void *owner, struct str name)
{
    const struct program *program = owner;
    uint32_t              number = program_segment(program, name);
    return number == SEGMENT_NO_ID ? NULL : program->segments.items[number].tree;
}

static uint32_t sources_of(const void *owner, uint16_t trait, uint16_t *out)
{
    _Static_assert((int)PLACE_TRAITS <= (int)SEGMENT_SOURCES_MAX, "all its sources have room");
    (void)owner;
    return trait < PLACE_DERIVED ? place_comes_from((enum place_trait)trait, out) : 0;
}

struct segment_names program_names(struct program *program, bool grow)
{
    return (struct segment_names){
        .events = program->names[NAME_EVENT],
        .properties = program->names[NAME_PROPERTY],
        .traits = program->names[NAME_TRAIT],
        .grow = grow,
        .owner = program,
        .computed = program_computed_tree,
        .segment = segment_resolve,
        .list = list_resolve,
        .journey = journey_resolve,
        .topic = topic_resolve,
        .sources = sources_of,
        .stages = program->stages.items,
        .stages_count = program->stages.count,
    };
}

struct segment_names program_names_in_place(struct program *program)
{
    struct segment_names names = program_names(program, false);
    names.in_place = segment_in_place;
    return names;
}

/* ---- who must hear of what ---- */

static enum err index_add(struct numbers *tables, uint32_t id, uint32_t who)
{
    return id < DICT_NAMES_MAX ? VEC_ADD(&tables[id], who) : OK;
}

static void index_drop(struct numbers *tables, uint32_t id, uint32_t who)
{
    if (id >= DICT_NAMES_MAX)
        return;
    for (uint32_t i = tables[id].count; i > 0; i--)
        if (tables[id].items[i - 1] == who)
            VEC_REMOVE(&tables[id], i - 1);
}

static struct numbers *journeys_of(const struct program *program, enum trigger_kind kind)
{
    return kind == TRIGGER_EVENT     ? program->journeys_of_event
           : kind == TRIGGER_SEGMENT ? program->journeys_of_segment
                                     : program->journeys_of_list;
}

static void journey_unindex(struct program *program, uint32_t number)
{
    const struct journey_version *live = program_journey_live(program, number);
    if (live != NULL)
        index_drop(journeys_of(program, live->journey.trigger.kind), live->source, number);
}

static enum err journey_index(struct program *program, uint32_t number)
{
    const struct journey_version *live = program_journey_live(program, number);
    return index_add(journeys_of(program, live->journey.trigger.kind), live->source, number);
}

/* Its leaves point into programs: they are looked for again when next they are wanted. */
static void leaves_outdate(struct program *program, const struct segment_program *p)
{
    for (uint32_t i = 0; i < p->events_count; i++)
        if (p->events[i] < DICT_NAMES_MAX)
            program->leaves_of_event[p->events[i]].known =
                program->leaves_of_event[p->events[i]].heard = false;
}

enum err program_leaves(struct program *program, uint16_t event, const struct leaves **out)
{
    struct leaves        *leaves = &program->leaves_of_event[event];
    const struct numbers *users = &program->segments_of_event[event];
    uint32_t              room = 0;
    *out = leaves;
    if (leaves->known)
        return OK;
    for (uint32_t i = 0; i < users->count; i++)
        room += program->segments.items[users->items[i]].program.ops_count;
    struct segment_leaf *items = malloc((room + 1) * sizeof items[0]);
    if (items == NULL)
        return ERR_MEMORY;
    uint32_t count = 0;
    for (uint32_t i = 0; i < users->count; i++)
        count +=
            segment_leaves(&program->segments.items[users->items[i]].program, event, items + count);
    free(leaves->items);
    leaves->items = items;
    leaves->count = segment_leaves_settle(items, count);
    leaves->known = true;
    return OK;
}

/* Those that hear of anything at all are asked by themselves. */
enum err program_hearing(struct program *program, uint16_t event, const struct hearing **out)
{
    struct leaves        *leaves = &program->leaves_of_event[event];
    const struct numbers *users = &program->segments_of_event[event];
    uint32_t              count = 0;
    *out = &leaves->hearing;
    if (leaves->heard)
        return OK;
    struct hearing_segment *segments = malloc((users->count + 1) * sizeof segments[0]);
    if (segments == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < users->count; i++) {
        const struct segment_program *p = &program->segments.items[users->items[i]].program;
        if (!p->needs_anything)
            segments[count++] = (struct hearing_segment){ users->items[i], p };
    }
    segment_hearing_done(&leaves->hearing);
    enum err err = segment_hearing_make(&leaves->hearing, event, segments, count);
    leaves->heard = err == OK;
    free(segments);
    return err;
}

enum err program_trait_hearing(struct program *program, uint16_t trait,
                               const struct trait_hearing **out)
{
    struct trait_hearing *hearing = &program->traits[trait];
    const struct numbers *users = &program->segments_of_trait[trait];
    uint32_t              room = 1;
    *out = hearing;
    if (hearing->round == program->round)
        return OK;
    for (uint32_t i = 0; i < users->count; i++)
        room += program->segments.items[users->items[i]].program.ops_count;
    struct heard_trait *items = malloc(room * sizeof items[0]);
    if (items == NULL)
        return ERR_MEMORY;
    free(hearing->items);
    hearing->items = items;
    hearing->count = hearing->others.count = 0;
    for (uint32_t i = 0; i < users->count; i++) {
        uint32_t               number = users->items[i], count = hearing->count;
        struct hearing_segment segment = { number, &program->segments.items[number].program };
        if (segment_heard_traits(&segment, trait, PLACE_DERIVED, items, &count))
            hearing->count = count;
        else
            TRY(VEC_ADD(&hearing->others, number));
    }
    hearing->round = program->round;
    return OK;
}

enum err program_open_segments(struct program *program, const struct facts *nothing,
                               const struct numbers **out)
{
    *out = &program->open;
    if (program->open_round == program->round)
        return OK;
    program->open.count = 0;
    for (uint32_t i = 0; i < program->segments.count; i++) {
        const struct segment_def *def = &program->segments.items[i];
        if (def->arena != NULL && !segment_is_shut(&def->program, nothing))
            TRY(VEC_ADD(&program->open, i));
    }
    program->open_round = program->round;
    return OK;
}

static void segment_unindex(struct program *program, uint32_t number,
                            const struct segment_program *p)
{
    leaves_outdate(program, p);
    for (uint32_t i = 0; i < p->events_count; i++)
        index_drop(program->segments_of_event, p->events[i], number);
    for (uint32_t i = program->segments_of_anything.count; i > 0; i--)
        if (program->segments_of_anything.items[i - 1] == number)
            VEC_REMOVE(&program->segments_of_anything, i - 1);
    for (uint32_t i = 0; i < p->traits_count; i++)
        index_drop(program->segments_of_trait, p->traits[i], number);
    for (uint32_t i = 0; i < p->segments_count; i++)
        index_drop(program->segments_of_segment, p->segments[i], number);
    for (uint32_t i = 0; i < p->lists_count; i++)
        index_drop(program->segments_of_list, p->lists[i], number);
}

static enum err segment_index(struct program *program, uint32_t number,
                              const struct segment_program *p)
{
    leaves_outdate(program, p);
    for (uint32_t i = 0; i < p->events_count; i++)
        TRY(index_add(program->segments_of_event, p->events[i], number));
    if (p->needs_anything)
        TRY(VEC_ADD(&program->segments_of_anything, number));
    for (uint32_t i = 0; i < p->traits_count; i++)
        TRY(index_add(program->segments_of_trait, p->traits[i], number));
    for (uint32_t i = 0; i < p->segments_count; i++)
        TRY(index_add(program->segments_of_segment, p->segments[i], number));
    for (uint32_t i = 0; i < p->lists_count; i++)
        TRY(index_add(program->segments_of_list, p->lists[i], number));
    return OK;
}

/* ---- segments ---- */

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
    uint32_t self = number_of(program, NAME_SEGMENT, name);
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
    if ((journey->trigger.kind == TRIGGER_SEGMENT && version->source == segment) ||
        segment_needs_segment(&journey->exit_when.program, segment))
        return true;
    for (uint16_t n = 0; n < journey->nodes_count; n++)
        if (segment_needs_segment(&journey->nodes[n].split.program, segment))
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

enum err program_segment_put(struct program *program, uint32_t number, struct segment_def def)
{
    program->round++;
    while (program->segments.count <= number)
        TRY(VEC_ADD(&program->segments, (struct segment_def){ 0 }));
    struct segment_def *old = &program->segments.items[number];
    if (old->arena != NULL) {
        segment_unindex(program, number, &old->program);
        arena_close(old->arena);
    }
    *old = def;
    return def.arena == NULL ? OK : segment_index(program, number, &def.program);
}

static enum err segment_define(struct program *program, struct str name, struct str text,
                               uint32_t version, uint32_t *number, struct problem *problem)
{
    uint32_t           known = number_of(program, NAME_SEGMENT, name);
    struct segment_def def = { .version = version };
    if (text.len == 0) {
        const char *user = known == SEGMENT_NO_ID ? NULL : segment_user(program, known);
        if (user != NULL)
            return problem_format(problem, ERR_CONFLICT, "segment", "Change what uses it first.",
                                  "Segment \"%.*s\" is used by %s.", STR_ARG(name), user);
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

/* ---- journeys ---- */

static enum err templates_check(const struct program *program, const struct journey *journey,
                                struct problem *problem)
{
    for (uint16_t i = 0; i < journey->nodes_count; i++) {
        const struct node *node = &journey->nodes[i];
        char               where[48];
        snprintf(where, sizeof where, "nodes[%u].email", i);
        if (node->kind == NODE_EMAIL && program_template(program, node->email) == SEGMENT_NO_ID)
            return problem_format(problem, ERR_ABSENT, where, "Add the template first.",
                                  "There is no template \"%.*s\".", STR_ARG(node->email));
    }
    return OK;
}

static enum err source_find(struct program *program, const struct journey *journey, bool grow,
                            uint32_t *source, struct problem *problem)
{
    const struct journey_trigger *trigger = &journey->trigger;
    if (trigger->kind == TRIGGER_SEGMENT) {
        *source = program_segment(program, trigger->name);
        if (*source == SEGMENT_NO_ID)
            return problem_format(problem, ERR_ABSENT, "trigger.segment", "Add the segment first.",
                                  "There is no segment \"%.*s\".", STR_ARG(trigger->name));
        return OK;
    }
    *source = 0;
    if (!grow)
        return OK;
    return program_intern(program, trigger->kind == TRIGGER_EVENT ? NAME_EVENT : NAME_LIST,
                          trigger->name, source);
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
    TRY(templates_check(program, &out->journey, problem));
    return source_find(program, &out->journey, grow, &out->source, problem);
}

static enum err journey_delete(struct program *program, struct str name, uint32_t *number)
{
    *number = program_journey(program, name);
    if (*number == SEGMENT_NO_ID)
        return ERR_ABSENT;
    journey_unindex(program, *number);
    program->journeys.items[*number].live = false;
    return OK;
}

static enum err journey_define(struct program *program, struct str name, struct str text,
                               uint32_t version, uint32_t *number, struct problem *problem)
{
    if (text.len == 0)
        return journey_delete(program, name, number);
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
    journey_unindex(program, *number);
    struct journey_def *def = &program->journeys.items[*number];
    struct {
        struct journey_version **items;
        uint32_t                 count, room;
    } vec = { def->versions, def->count, def->room };
    TRY(VEC_ADD(&vec, fresh));
    *def = (struct journey_def){ vec.items, vec.count, vec.room, true };
    return journey_index(program, *number);
}

/* ---- templates and the workspace ---- */

/* The value of a header line "key: value" before the first line that begins with "---". */
static struct str head_value(struct str text, const char *key)
{
    struct str rest = str_slice(text, 0, TEMPLATE_HEAD_BYTES_MAX), line;
    while (str_split(&rest, '\n', &line)) {
        if (str_starts(line, STR("---")))
            break;
        size_t colon = str_find_char(line, 0, ':');
        if (colon < line.len && str_eq_nocase(str_trim(str_slice(line, 0, colon)), str_of(key)))
            return str_trim(str_slice(line, colon + 1, line.len));
    }
    return STR_NONE;
}

/* The live journey that mails with the template; empty when there is none. */
static struct str template_user(const struct program *program, struct str name)
{
    for (uint32_t i = 0; i < program->journeys.count; i++) {
        const struct journey_version *live = program_journey_live(program, i);
        for (uint16_t n = 0; live != NULL && n < live->journey.nodes_count; n++)
            if (live->journey.nodes[n].kind == NODE_EMAIL &&
                str_eq(live->journey.nodes[n].email, name))
                return live->journey.name;
    }
    return STR_NONE;
}

static enum err template_check(const struct program *program, struct str name, struct str text,
                               struct problem *problem)
{
    struct str user = text.len == 0 ? template_user(program, name) : STR_NONE;
    if (!str_is_empty(user))
        return problem_format(problem, ERR_CONFLICT, "template", "Change the journey first.",
                              "Journey \"%.*s\" mails with it.", STR_ARG(user));
    if (text.len > 0 && str_is_empty(head_value(text, "subject")))
        return problem_set(problem, ERR_INPUT, "subject", "The template has no subject.",
                           "Begin the file with a line \"subject: ...\".");
    return OK;
}

static enum err template_define(struct program *program, struct str name, struct str text,
                                uint32_t version, uint32_t *number, struct problem *problem)
{
    struct template_def def = { .version = text.len == 0 ? 0 : version };
    struct str          topic = head_value(text, "topic");
    def.transactional = str_eq_nocase(head_value(text, "transactional"), STR("yes"));
    TRY(template_check(program, name, text, problem));
    if (text.len == 0 && program_template(program, name) == SEGMENT_NO_ID)
        return ERR_ABSENT;
    if (!str_is_empty(topic))
        TRY(program_intern(program, NAME_TOPIC, topic, &def.topic));
    TRY(program_intern(program, NAME_TEMPLATE, name, number));
    while (program->templates.count <= *number)
        TRY(VEC_ADD(&program->templates, (struct template_def){ 0 }));
    program->templates.items[*number] = def;
    return OK;
}

static enum err names_of(struct program *program, const struct json *root, const char *key,
                         enum name_kind kind, struct problem *problem)
{
    const struct json *list = json_get(root, str_of(key));
    if (list == NULL)
        return OK;
    for (uint32_t i = 0; list->kind == JSON_ARRAY && i < list->count; i++) {
        const struct json *item = &list->items[i];
        struct str name = item->kind == JSON_STRING ? item->string : json_get_str(item, STR("id"));
        uint32_t   number;
        if (str_is_empty(name))
            return problem_set(problem, ERR_INPUT, key, "An item has no name.",
                               "Write a text, or an object with an \"id\".");
        TRY(program_intern(program, kind, name, &number));
    }
    return OK;
}

static enum err workspace_define(struct program *program, struct str text, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct json                        root;
    if (scratch == NULL)
        return ERR_MEMORY;
    TRY(json_parse_once(scratch, text, &root, problem));
    if (root.kind != JSON_OBJECT)
        return problem_set(problem, ERR_INPUT, "workspace", "A workspace is a JSON object.",
                           "Begin with {\"name\": ...}.");
    TRY(names_of(program, &root, "lists", NAME_LIST, problem));
    TRY(names_of(program, &root, "topics", NAME_TOPIC, problem));
    /* A zone that the system's rules no longer name shall not keep a stored workspace out. */
    program->zone = zone_find(program->zones, json_get_str(&root, STR("timezone")));
    return OK;
}

static enum err workspace_check(const struct program *program, struct str text,
                                struct problem *problem)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct json                        root;
    if (scratch == NULL)
        return ERR_MEMORY;
    TRY(json_parse_once(scratch, text, &root, problem));
    const struct json *zone = json_get(&root, STR("timezone"));
    if (zone == NULL || program->zones == NULL ||
        (zone->kind == JSON_STRING && zone_find(program->zones, zone->string) != NULL))
        return OK;
    return problem_set(problem, ERR_INPUT, "timezone", "There is no such time zone.",
                       "Write the name of a place, such as \"Europe/Oslo\", or \"UTC\".");
}

enum err program_define(struct program *program, enum definition_kind kind, struct str name,
                        struct str text, uint32_t version, uint32_t *number,
                        struct problem *problem)
{
    *number = 0;
    switch (kind) {
    case DEFINE_SEGMENT:
        return segment_define(program, name, text, version, number, problem);
    case DEFINE_JOURNEY:
        return journey_define(program, name, text, version, number, problem);
    case DEFINE_TEMPLATE:
        return template_define(program, name, text, version, number, problem);
    case DEFINE_TRAIT:
        return computed_define(program, name, text, version, number, problem);
    case DEFINE_STAGES:
        return stages_define(program, text, problem);
    case DEFINE_WORKSPACE:
        return text.len == 0 ? OK : workspace_define(program, text, problem);
    default:
        return problem_set(problem, ERR_INPUT, "kind", "There is no such kind of definition.",
                           "Use workspace, trait, stages, segment, journey or template.");
    }
}

enum err program_check(struct program *program, enum definition_kind kind, struct str name,
                       struct str text, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    if (arena == NULL)
        return ERR_MEMORY;
    if (kind == DEFINE_SEGMENT && text.len > 0) {
        struct segment_def def = { .arena = arena };
        return segment_compile_text(program, name, text, false, &def, problem);
    }
    if (kind == DEFINE_SEGMENT) {
        uint32_t    number = number_of(program, NAME_SEGMENT, name);
        const char *user = number == SEGMENT_NO_ID ? NULL : segment_user(program, number);
        return user == NULL
                   ? OK
                   : problem_format(problem, ERR_CONFLICT, "segment", "Change what uses it first.",
                                    "Segment \"%.*s\" is used by %s.", STR_ARG(name), user);
    }
    if (kind == DEFINE_JOURNEY && text.len > 0) {
        struct journey_version version = { .arena = arena };
        return journey_compile_text(program, name, text, false, &version, problem);
    }
    if (kind == DEFINE_TRAIT)
        return computed_check(program, name, text, problem);
    if (kind == DEFINE_STAGES)
        return stages_check(program, text, problem);
    if (kind == DEFINE_WORKSPACE && text.len > 0)
        return workspace_check(program, text, problem);
    return kind == DEFINE_TEMPLATE ? template_check(program, name, text, problem) : OK;
}

/* ---- names and the store ---- */

static enum err name_out(struct program *program, struct out *out, int kind, uint32_t id)
{
    if (out->names_count == out->names_room) {
        size_t           room = out->names_room == 0 ? 16 : out->names_room * 2;
        struct name_row *rows = ARENA_ARRAY(out->arena, room, struct name_row);
        if (rows == NULL)
            return ERR_MEMORY;
        if (out->names_count > 0)
            memcpy(rows, out->names, out->names_count * sizeof *rows);
        out->names = rows;
        out->names_room = room;
    }
    out->names[out->names_count++] =
        (struct name_row){ (uint32_t)kind, id, dict_text(program->names[kind], (uint16_t)id) };
    return OK;
}

enum err program_names_out(struct program *program, struct out *out)
{
    for (int kind = 1; kind < NAME_KINDS; kind++)
        for (; program->stored[kind] < dict_count(program->names[kind]); program->stored[kind]++)
            TRY(name_out(program, out, kind, program->stored[kind]));
    return OK;
}

enum err program_name_load(struct program *program, enum name_kind kind, uint32_t id,
                           struct str text)
{
    uint16_t number;
    if (kind < 1 || kind >= NAME_KINDS)
        return ERR_CORRUPT;
    TRY(dict_intern(program->names[kind], text, &number));
    if (number != id)
        return ERR_CORRUPT;
    if (program->stored[kind] <= id)
        program->stored[kind] = id + 1;
    return OK;
}
