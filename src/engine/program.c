#include "engine/program.h"

#include <stdio.h>

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
    program->segments_of_trait = numbers_open();
    program->journeys_of_event = numbers_open();
    good = good && program->segments_of_event != NULL && program->segments_of_trait != NULL &&
           program->journeys_of_event != NULL;
    if (good && dict_intern(program->names[NAME_EVENT], PROGRAM_TRAITS_NAME, &number) == OK &&
        dict_intern(program->names[NAME_TOPIC], STR("every topic"), &number) == OK) {
        *out = program;
        return OK;
    }
    program_close(program);
    return ERR_MEMORY;
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
    VEC_DONE(&program->journeys);
    VEC_DONE(&program->templates);
    numbers_done(program->segments_of_event);
    numbers_done(program->segments_of_trait);
    numbers_done(program->journeys_of_event);
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
    bool     defined = number < program->segments.count && program->segments.items[number].arena != NULL;
    return defined ? number : SEGMENT_NO_ID;
}

uint32_t program_journey(const struct program *program, struct str name)
{
    uint32_t number = number_of(program, NAME_JOURNEY, name);
    return number < program->journeys.count && program->journeys.items[number].count > 0
             ? number : SEGMENT_NO_ID;
}

uint32_t program_template(const struct program *program, struct str name)
{
    uint32_t number = number_of(program, NAME_TEMPLATE, name);
    return number < program->templates.count && program->templates.items[number].version > 0
             ? number : SEGMENT_NO_ID;
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
             ? dict_text(program->names[kind], (uint16_t)number) : STR_NONE;
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

struct segment_names program_names(struct program *program, bool grow)
{
    return (struct segment_names){
        .events = program->names[NAME_EVENT], .properties = program->names[NAME_PROPERTY],
        .traits = program->names[NAME_TRAIT], .grow = grow, .owner = program,
        .segment = segment_resolve, .list = list_resolve,
    };
}

/* ---- who must hear of what ---- */

static enum err indexes_add(struct numbers *tables, const uint16_t *ids, uint32_t count, uint32_t who)
{
    for (uint32_t i = 0; i < count; i++)
        if (ids[i] < DICT_NAMES_MAX)
            TRY(VEC_ADD(&tables[ids[i]], who));
    return OK;
}

static void index_drop(struct numbers *tables, uint32_t who)
{
    for (uint32_t t = 0; t <= DICT_NAMES_MAX; t++)
        for (uint32_t i = tables[t].count; i > 0; i--)
            if (tables[t].items[i - 1] == who)
                VEC_REMOVE(&tables[t], i - 1);
}

static enum err journey_index(struct program *program, uint32_t number)
{
    index_drop(program->journeys_of_event, number);
    const struct journey_version *live = program_journey_live(program, number);
    if (live == NULL || live->journey.trigger.kind != TRIGGER_EVENT)
        return OK;
    uint16_t event = (uint16_t)live->source;
    return indexes_add(program->journeys_of_event, &event, 1, number);
}

/* ---- segments ---- */

/* Does `program` lead to segment `wanted`, through any chain of segments? */
static bool leads_to(const struct program *all, const struct segment_program *program,
                     uint32_t wanted, int depth)
{
    for (uint32_t i = 0; i < program->segments_count; i++) {
        uint32_t next = program->segments[i];
        if (next == wanted)
            return true;
        if (depth < 64 && next < all->segments.count && all->segments.items[next].arena != NULL &&
            leads_to(all, &all->segments.items[next].program, wanted, depth + 1))
            return true;
    }
    return false;
}

static enum err segment_compile_text(struct program *program, struct str name, struct str text,
                                     bool grow, struct segment_def *out, struct problem *problem)
{
    struct segment_names names = program_names(program, grow);
    TRY(segment_parse(out->arena, text, &out->tree, problem));
    TRY(segment_compile(out->arena, out->tree, &names, &out->program, problem));
    uint32_t self = number_of(program, NAME_SEGMENT, name);
    if (self != SEGMENT_NO_ID && leads_to(program, &out->program, self, 0))
        return problem_format(problem, ERR_CONFLICT, "segment",
                              "Take the reference out of one of them.",
                              "Segment \"%.*s\" would depend on itself.", STR_ARG(name));
    return OK;
}

static const char *segment_user(const struct program *program, uint32_t number)
{
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program->segments.items[i].arena != NULL &&
            segment_needs_segment(&program->segments.items[i].program, number))
            return "a segment";
    for (uint32_t i = 0; i < program->journeys.count; i++) {
        const struct journey_version *live = program_journey_live(program, i);
        if (live == NULL)
            continue;
        if (live->journey.trigger.kind == TRIGGER_SEGMENT && live->source == number)
            return "a journey";
        for (uint16_t n = 0; n < live->journey.nodes_count; n++)
            if (segment_needs_segment(&live->journey.nodes[n].split.program, number))
                return "a journey";
    }
    return NULL;
}

static enum err segment_put(struct program *program, uint32_t number, struct segment_def def)
{
    while (program->segments.count <= number)
        TRY(VEC_ADD(&program->segments, (struct segment_def){ 0 }));
    struct segment_def *old = &program->segments.items[number];
    if (old->arena != NULL) {
        index_drop(program->segments_of_event, number);
        index_drop(program->segments_of_trait, number);
        arena_close(old->arena);
    }
    *old = def;
    if (def.arena == NULL)
        return OK;
    TRY(indexes_add(program->segments_of_event, def.program.events, def.program.events_count, number));
    return indexes_add(program->segments_of_trait, def.program.traits, def.program.traits_count, number);
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
        return known == SEGMENT_NO_ID ? ERR_ABSENT : segment_put(program, known, def);
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
    return segment_put(program, *number, def);
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
                                     bool grow, struct journey_version *out, struct problem *problem)
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
    program->journeys.items[*number].live = false;
    return journey_index(program, *number);
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
    struct journey_def *def = &program->journeys.items[*number];
    struct { struct journey_version **items; uint32_t count, room; } vec = { def->versions, def->count,
                                                                             def->room };
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

static enum err template_define(struct program *program, struct str name, struct str text,
                                uint32_t version, uint32_t *number, struct problem *problem)
{
    struct template_def def = { .version = text.len == 0 ? 0 : version };
    struct str          topic = head_value(text, "topic");
    def.transactional = str_eq_nocase(head_value(text, "transactional"), STR("yes"));
    if (text.len > 0 && str_is_empty(head_value(text, "subject")))
        return problem_set(problem, ERR_INPUT, "subject", "The template has no subject.",
                           "Begin the file with a line \"subject: ...\".");
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
        struct str         name = item->kind == JSON_STRING ? item->string : json_get_str(item, STR("id"));
        uint32_t           number;
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
    return names_of(program, &root, "topics", NAME_TOPIC, problem);
}

enum err program_define(struct program *program, enum definition_kind kind, struct str name,
                        struct str text, uint32_t version, uint32_t *number, struct problem *problem)
{
    *number = 0;
    switch (kind) {
    case DEFINE_SEGMENT:
        return segment_define(program, name, text, version, number, problem);
    case DEFINE_JOURNEY:
        return journey_define(program, name, text, version, number, problem);
    case DEFINE_TEMPLATE:
        return template_define(program, name, text, version, number, problem);
    case DEFINE_WORKSPACE:
        return text.len == 0 ? OK : workspace_define(program, text, problem);
    default:
        return problem_set(problem, ERR_INPUT, "kind", "There is no such kind of definition.",
                           "Use workspace, segment, journey or template.");
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
        return user == NULL ? OK
                            : problem_format(problem, ERR_CONFLICT, "segment",
                                             "Change what uses it first.",
                                             "Segment \"%.*s\" is used by %s.", STR_ARG(name), user);
    }
    if (kind == DEFINE_JOURNEY && text.len > 0) {
        struct journey_version version = { .arena = arena };
        return journey_compile_text(program, name, text, false, &version, problem);
    }
    if (kind == DEFINE_TEMPLATE && text.len > 0 && str_is_empty(head_value(text, "subject")))
        return problem_set(problem, ERR_INPUT, "subject", "The template has no subject.",
                           "Begin the file with a line \"subject: ...\".");
    return OK;
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
    out->names[out->names_count++] = (struct name_row){
        (uint32_t)kind, id, dict_text(program->names[kind], (uint16_t)id) };
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
