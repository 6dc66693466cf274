/*
 * The world of a rehearsal: which definitions the drafts need, which events matter to them, and
 * engines that have the one and are told the other.
 *
 * All is defined once, in an engine that nobody lives in; what the rehearsed journeys name is then
 * followed: conditions to segments, these to others, to stages and computed traits. Only that is
 * defined again, so that nothing is asked in vain.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/rehearse/rehearse_inside.h"

enum {
    WORLD_ARENA_BYTES_MAX = 1 << 30,
    DRAFT_VERSION = 2,
    STUB_VERSION = 1,
    STUB_BYTES_MAX = 4096,
};

/* ---- texts ---- */

static bool is_when(struct str line)
{
    return line.len > 5 && str_eq_nocase(str_slice(line, 0, 5), STR("when "));
}

struct str rehearse_head(struct arena *arena, struct str template)
{
    SCOPED(buf_donep) struct buf head = buf_make(template.len + 16);
    struct str                   rest = template, line;
    while (str_split(&rest, '\n', &line) && !str_starts(line, STR("---"))) {
        if (is_when(line))
            continue;
        buf_str(&head, line);
        buf_char(&head, '\n');
    }
    buf_str(&head, STR("--- text\nx\n"));
    return buf_err(&head) == OK ? str_copy(arena, buf_view(&head)) : STR_NONE;
}

/* A journey that is only named: conditions and triggers may say its name, nobody enters. */
static struct str stub_of(struct arena *arena, struct str name)
{
    SCOPED(buf_donep) struct buf text = buf_make(STUB_BYTES_MAX);
    buf_str(&text, STR("{\"journey\":"));
    json_write_str(&text, name);
    buf_str(&text, STR(",\"trigger\":{\"event\":\"Rehearsed Never\"},"
                       "\"nodes\":[{\"id\":\"end\",\"exit\":true}]}"));
    return buf_err(&text) == OK ? str_copy(arena, buf_view(&text)) : STR_NONE;
}

/* The kinds that decide who goes where, in the order in which most can be defined; 0: others. */
static int rank_of(enum definition_kind kind)
{
    static const enum definition_kind kinds[] = {
        DEFINE_WORKSPACE, DEFINE_TOPICS,  DEFINE_LIMITS,        DEFINE_RATES,
        DEFINE_TRAIT,     DEFINE_SCORE,   DEFINE_SEGMENT,       DEFINE_STAGES,
        DEFINE_TEMPLATE,  DEFINE_JOURNEY, DEFINE_JOURNEY_CHOICE
    };
    for (int i = 0; i < (int)(sizeof kinds / sizeof kinds[0]); i++)
        if (kinds[i] == kind)
            return i + 1;
    return 0;
}
enum { RANKS = 12 };

static enum err texts_make(struct rehearsal *r)
{
    for (uint32_t i = 0; i < r->conf.definitions_count; i++) {
        const struct rehearse_definition *one = &r->conf.definitions[i];
        r->texts[i] = one->text;
        if (one->text.len > 0 && one->kind == DEFINE_TEMPLATE)
            r->texts[i] = rehearse_head(r->arena, one->text);
        if (r->texts[i].ptr == NULL && one->text.len > 0)
            return ERR_MEMORY;
    }
    return OK;
}

/* ---- an engine ---- */

static enum err names_load(const struct rehearsal *r, struct engine *engine)
{
    for (uint32_t i = 0; i < r->conf.names_count; i++) {
        const struct rehearse_name *name = &r->conf.names[i];
        if (name->kind > 0 && name->kind < NAME_KINDS)
            TRY(engine_load_name(engine, name->kind, name->id, name->text));
    }
    return OK;
}

/* Journeys name each other in any order, so each is there before any is read. */
static enum err stubs_define(const struct rehearsal *r, struct engine *engine)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(WORLD_ARENA_BYTES_MAX);
    uint32_t                           number;
    if (scratch == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < r->conf.definitions_count; i++) {
        const struct rehearse_definition *one = &r->conf.definitions[i];
        if (one->kind != DEFINE_JOURNEY || one->text.len == 0)
            continue;
        struct str stub = stub_of(scratch, one->name);
        if (stub.ptr == NULL)
            return ERR_MEMORY;
        enum err err = program_define(engine_program(engine), DEFINE_JOURNEY, one->name, stub,
                                      STUB_VERSION, &number, NULL);
        if (err == ERR_MEMORY)
            return err;
    }
    return OK;
}

static enum err stubs_close(const struct rehearsal *r, struct engine *engine)
{
    uint32_t number;
    for (uint32_t i = 0; i < r->conf.definitions_count; i++) {
        const struct rehearse_definition *one = &r->conf.definitions[i];
        if (one->kind == DEFINE_JOURNEY && one->text.len > 0 && !one->is_rehearsed &&
            program_define(engine_program(engine), DEFINE_JOURNEY, one->name, STR_NONE,
                           STUB_VERSION, &number, NULL) == ERR_MEMORY)
            return ERR_MEMORY;
    }
    return OK;
}

static bool is_defined_here(const struct rehearse_definition *one)
{
    return one->text.len > 0 && rank_of(one->kind) > 0 &&
           (one->kind != DEFINE_JOURNEY || one->is_rehearsed);
}

static enum err engine_empty(const struct rehearsal *r, struct engine **out)
{
    struct engine_conf conf = {
        .seed = 1, .next_decision = 1, .lateness_ms = LATENESS_MS_DEFAULT, .zones = r->conf.zones
    };
    TRY(engine_open(out, conf));
    (*out)->is_brief = true;
    enum err err = names_load(r, *out);
    if (err == OK)
        err = stubs_define(r, *out);
    if (err == OK)
        return OK;
    engine_close(*out);
    *out = NULL;
    return err;
}

static struct str public_id(const struct facts *facts)
{
    static _Thread_local char text[16];
    const struct known       *known = facts->person;
    return engine_public_id(text, known->engine->stands_for);
}

enum err rehearse_engine(const struct rehearsal *r, struct engine **out)
{
    struct engine *engine;
    uint32_t       number;
    TRY(engine_empty(r, &engine));
    enum err err = OK;
    for (uint32_t i = 0; err == OK && i < r->order_count; i++) {
        const struct rehearse_definition *one = &r->conf.definitions[r->order[i]];
        if (r->wanted[r->order[i]])
            err = program_define(engine_program(engine), one->kind, one->name,
                                 r->texts[r->order[i]], DRAFT_VERSION, &number, NULL);
    }
    if (err == OK)
        err = stubs_close(r, engine);
    engine->ops.public_id = public_id;
    if (err == OK)
        *out = engine;
    else
        engine_close(engine);
    return err;
}

/* ---- all of it, once ---- */

/* What can be defined by now; true while there was any. */
static enum err pass(struct rehearsal *r, struct engine *engine, bool *done, bool *any)
{
    uint32_t number;
    *any = false;
    for (int rank = 1; rank < RANKS; rank++)
        for (uint32_t i = 0; i < r->conf.definitions_count; i++) {
            const struct rehearse_definition *one = &r->conf.definitions[i];
            if (done[i] || rank_of(one->kind) != rank || !is_defined_here(one))
                continue;
            enum err err = program_define(engine_program(engine), one->kind, one->name, r->texts[i],
                                          DRAFT_VERSION, &number, NULL);
            if (err == ERR_MEMORY)
                return err;
            if (err != OK)
                continue;
            done[i] = *any = true;
            r->order[r->order_count++] = i;
        }
    return OK;
}

static const char *folder_of(enum definition_kind kind)
{
    return kind == DEFINE_JOURNEY    ? "journeys/"
           : kind == DEFINE_SEGMENT  ? "segments/"
           : kind == DEFINE_TEMPLATE ? "templates/"
           : kind == DEFINE_TRAIT    ? "traits/"
           : kind == DEFINE_SCORE    ? "scores/"
                                     : "";
}

/* The fault of the first that was asked for, a draft or a journey, and could not be defined. */
static enum err faults_say(struct rehearsal *r, struct engine *engine, const bool *done,
                           struct problem *problem)
{
    uint32_t number;
    for (int rank = 1; rank < RANKS; rank++)
        for (uint32_t i = 0; i < r->conf.definitions_count; i++) {
            const struct rehearse_definition *one = &r->conf.definitions[i];
            struct problem                    inside = { .where = "" };
            if (done[i] || (!one->is_draft && !one->is_rehearsed) || rank_of(one->kind) != rank ||
                !is_defined_here(one))
                continue;
            enum err err = program_define(engine_program(engine), one->kind, one->name, r->texts[i],
                                          DRAFT_VERSION, &number, &inside);
            if (err == OK || err == ERR_MEMORY)
                return ERR_MEMORY; /* it was refused a moment ago */
            if (problem == NULL)
                return err;
            *problem = inside;
            snprintf(problem->where, sizeof problem->where, "%s%.*s%s%.80s", folder_of(one->kind),
                     STR_ARG(str_slice(one->name, 0, 60)), inside.where[0] == '\0' ? "" : ": ",
                     inside.where);
            return err;
        }
    return OK;
}

static enum err all_define(struct rehearsal *r, struct engine *engine, struct problem *problem)
{
    bool *done = ARENA_ARRAY(r->arena, r->conf.definitions_count, bool);
    bool  any = true;
    if (done == NULL)
        return ERR_MEMORY;
    while (any)
        TRY(pass(r, engine, done, &any));
    return faults_say(r, engine, done, problem);
}

/* ---- what is needed of it ---- */

struct needs {
    struct rehearsal *r;
    struct program   *program;
    bool             *segments; /* by number: followed */
    bool              stages;
};

static void want(struct rehearsal *r, enum definition_kind kind, struct str name)
{
    for (uint32_t i = 0; i < r->conf.definitions_count; i++)
        if (r->conf.definitions[i].kind == kind && str_eq(r->conf.definitions[i].name, name))
            r->wanted[i] = true;
}

static void want_kind(struct rehearsal *r, enum definition_kind kind)
{
    for (uint32_t i = 0; i < r->conf.definitions_count; i++)
        if (r->conf.definitions[i].kind == kind)
            r->wanted[i] = true;
}

static bool has_kind(const struct rehearsal *r, enum definition_kind kind)
{
    bool has = false;
    for (uint32_t i = 0; i < r->conf.definitions_count; i++)
        has = has || (r->conf.definitions[i].kind == kind && r->conf.definitions[i].text.len > 0);
    return has;
}

static void hear_anything(struct rehearsal *r)
{
    for (uint32_t name = RUN_DEEDS; name < REHEARSE_NAMES; name++)
        r->uses[name] = USE_HEARD;
}

static void tree_follow(struct needs *needs, const struct segment_node *tree)
{
    for (uint32_t i = 0; i < needs->program->computed.count; i++) {
        const struct computed_def *def = &needs->program->computed.items[i];
        struct str                 name = program_name(needs->program, NAME_TRAIT, def->trait);
        if (def->arena == NULL || !program_asks(needs->program, tree, name))
            continue;
        if (str_starts(name, SEGMENT_SCORE_PREFIX))
            want(needs->r, DEFINE_SCORE, str_slice(name, SEGMENT_SCORE_PREFIX.len, name.len));
        else
            want(needs->r, DEFINE_TRAIT, name);
    }
    if (segment_asks_stage(tree, STR_NONE))
        needs->stages = true;
}

static void segment_follow(struct needs *needs, uint32_t number);

static void program_follow(struct needs *needs, const struct segment_program *program)
{
    for (uint32_t i = 0; i < program->events_count; i++)
        needs->r->uses[program->events[i]] = USE_HEARD;
    if (program->needs_anything)
        hear_anything(needs->r);
    for (uint32_t i = 0; i < program->segments_count; i++)
        segment_follow(needs, program->segments[i]);
}

static void segment_follow(struct needs *needs, uint32_t number)
{
    if (number >= needs->program->segments.count || needs->segments[number])
        return;
    const struct segment_def *def = &needs->program->segments.items[number];
    needs->segments[number] = true;
    if (def->arena == NULL)
        return;
    want(needs->r, DEFINE_SEGMENT, program_name(needs->program, NAME_SEGMENT, number));
    tree_follow(needs, def->tree);
    program_follow(needs, &def->program);
}

static void condition_follow(struct needs *needs, const struct condition *condition)
{
    if (condition->tree == NULL)
        return;
    tree_follow(needs, condition->tree);
    program_follow(needs, &condition->program);
}

/* A date that is waited for may be a computed trait. */
static void until_follow(struct needs *needs, const struct node *node)
{
    for (uint32_t i = 0; i < needs->program->computed.count; i++) {
        const struct computed_def *def = &needs->program->computed.items[i];
        struct str                 name = program_name(needs->program, NAME_TRAIT, def->trait);
        if (def->arena == NULL || !journey_node_awaits(node, name))
            continue;
        want(needs->r, DEFINE_TRAIT, name);
        program_follow(needs, &def->program);
    }
}

static bool is_rehearsed(const struct rehearsal *r, struct str name)
{
    for (uint32_t i = 0; i < r->conf.definitions_count; i++)
        if (r->conf.definitions[i].kind == DEFINE_JOURNEY && r->conf.definitions[i].is_rehearsed &&
            str_eq(r->conf.definitions[i].name, name))
            return true;
    return false;
}

static void begin_by(struct rehearsal *r, uint32_t name)
{
    if (name >= REHEARSE_NAMES || name == DICT_NONE)
        return;
    r->uses[name] = USE_HEARD;
    r->begins[name] = true;
}

static void trigger_follow(struct needs *needs, const struct journey_version *version)
{
    struct rehearsal             *r = needs->r;
    const struct journey_trigger *trigger = &version->journey.trigger;
    condition_follow(needs, &trigger->where);
    switch (trigger->kind) {
    case TRIGGER_EVENT:
        begin_by(r, version->source);
        break;
    case TRIGGER_LIST:
    case TRIGGER_LEFT_LIST:
        begin_by(r, OWN_LIST);
        break;
    case TRIGGER_API:
        break; /* as anybody may be let in anywhere: uses_begin */
    case TRIGGER_FINISHED_JOURNEY:
    case TRIGGER_LEFT_JOURNEY:
        if (!is_rehearsed(r, trigger->name)) /* else whoever begins that one */
            begin_by(r, OWN_JOURNEY);
        break;
    case TRIGGER_SEGMENT:
    case TRIGGER_LEFT_SEGMENT:
    case TRIGGER_CLOCK:
        segment_follow(needs, version->source);
        r->anyone_begins = true;
        break;
    default:
        r->anyone_begins = true;
    }
}

static void journey_follow(struct needs *needs, const struct journey_version *version)
{
    const struct journey *journey = &version->journey;
    trigger_follow(needs, version);
    condition_follow(needs, &journey->exit_when);
    condition_follow(needs, &journey->audience);
    condition_follow(needs, &journey->goal.condition);
    for (uint32_t i = 0; i < journey->branches_count; i++)
        condition_follow(needs, &journey->branches[i].when);
    for (uint16_t i = 0; i < journey->nodes_count; i++) {
        until_follow(needs, &journey->nodes[i]);
        for (uint16_t k = 0; k < journey->nodes[i].templates_count; k++)
            want(needs->r, DEFINE_TEMPLATE, journey->nodes[i].templates[k]);
    }
}

/* ---- how the journeys are drawn ---- */

static const char *kind_word(enum node_kind kind)
{
    switch (kind) {
    case NODE_MESSAGE:
        return "message";
    case NODE_WAIT:
        return "wait";
    case NODE_WAIT_UNTIL:
        return "wait_until";
    case NODE_WAIT_FOR:
        return "wait_for";
    case NODE_SPLIT:
        return "split";
    case NODE_EXIT:
        return "exit";
    default:
        return "node";
    }
}

static enum err drawing_make(struct rehearsal *r, const struct journey *journey,
                             struct rehearse_journey *out)
{
    out->name = str_copy(r->arena, journey->name);
    out->nodes_count = journey->nodes_count;
    out->nodes = ARENA_ARRAY(r->arena, journey->nodes_count, struct rehearse_node);
    if (out->name.ptr == NULL || out->nodes == NULL)
        return ERR_MEMORY;
    for (uint16_t i = 0; i < journey->nodes_count; i++) {
        out->nodes[i].kind = kind_word(journey->nodes[i].kind);
        out->nodes[i].id = str_copy(r->arena, journey->nodes[i].id);
        out->nodes[i].template = str_copy(r->arena, journey->nodes[i].template);
        if (out->nodes[i].id.ptr == NULL || out->nodes[i].template.ptr == NULL)
            return ERR_MEMORY;
    }
    return OK;
}

uint32_t rehearse_journey_at(const struct rehearsal *r, uint64_t number)
{
    uint32_t i = 0;
    while (i < r->journeys_count && r->numbers[i] != number)
        i++;
    return i;
}

/* What was chosen at its nodes, from that instant on; called JOURNEY/NODE. */
static void choices_want(struct rehearsal *r, struct str journey)
{
    for (uint32_t i = 0; i < r->conf.definitions_count; i++) {
        const struct rehearse_definition *one = &r->conf.definitions[i];
        if (one->kind == DEFINE_JOURNEY_CHOICE && str_starts(one->name, journey) &&
            str_starts(str_slice(one->name, journey.len, one->name.len), STR("/")))
            r->wanted[i] = true;
    }
}

static enum err journeys_follow(struct needs *needs)
{
    struct rehearsal *r = needs->r;
    for (uint32_t i = 0; i < r->conf.definitions_count; i++) {
        const struct rehearse_definition *one = &r->conf.definitions[i];
        uint32_t                          number = program_journey(needs->program, one->name);
        const struct journey_version     *version = program_journey_live(needs->program, number);
        if (one->kind != DEFINE_JOURNEY || !one->is_rehearsed || version == NULL ||
            version->version != DRAFT_VERSION)
            continue;
        r->wanted[i] = true;
        choices_want(r, one->name);
        journey_follow(needs, version);
        r->numbers[r->journeys_count] = number;
        TRY(drawing_make(r, &version->journey, &r->drawings[r->journeys_count++]));
    }
    return OK;
}

/* Who may be written to, where they live and what caps count is always known. */
static void uses_begin(struct rehearsal *r, const struct program *program)
{
    static const uint16_t heard[] = { OWN_TRAITS, OWN_LIST, OWN_CONSENT, OWN_CONTEXT };
    for (size_t i = 0; i < sizeof heard / sizeof heard[0]; i++)
        r->uses[heard[i]] = USE_HEARD;
    begin_by(r, dict_find(program->names[NAME_EVENT], EVENT_JOURNEY_ENTRY));
    uint16_t exit = dict_find(program->names[NAME_EVENT], EVENT_JOURNEY_EXIT);
    if (exit != DICT_NONE)
        r->uses[exit] = USE_HEARD;
    r->uses[OWN_MESSAGE_SENT] = r->uses[OWN_NOTICE_SENT] = USE_KEPT;
    want_kind(r, DEFINE_WORKSPACE);
    want_kind(r, DEFINE_TOPICS);
    want_kind(r, DEFINE_LIMITS);
    if (has_kind(r, DEFINE_LIMITS)) /* what was really sent counts by its template's topic */
        want_kind(r, DEFINE_TEMPLATE);
}

static enum err follow(struct rehearsal *r, struct program *program)
{
    struct needs needs = { .r = r, .program = program };
    needs.segments = ARENA_ARRAY(r->arena, program->segments.count + 1, bool);
    if (needs.segments == NULL)
        return ERR_MEMORY;
    uses_begin(r, program);
    TRY(journeys_follow(&needs));
    if (needs.stages)
        want_kind(r, DEFINE_STAGES);
    for (uint32_t name = 0; name < REHEARSE_NAMES; name++)
        if (r->begins[name])
            r->beginning[r->beginning_count++] = (uint16_t)name;
    return OK;
}

static enum err rooms_make(struct rehearsal *r)
{
    uint32_t count = r->conf.definitions_count;
    r->wanted = ARENA_ARRAY(r->arena, count, bool);
    r->order = ARENA_ARRAY(r->arena, count, uint32_t);
    r->texts = ARENA_ARRAY(r->arena, count, struct str);
    r->numbers = ARENA_ARRAY(r->arena, count, uint32_t);
    r->drawings = ARENA_ARRAY(r->arena, count, struct rehearse_journey);
    r->beginning = ARENA_ARRAY(r->arena, REHEARSE_NAMES, uint16_t);
    return r->wanted == NULL || r->order == NULL || r->texts == NULL || r->numbers == NULL ||
                   r->drawings == NULL || r->beginning == NULL
               ? ERR_MEMORY
               : OK;
}

static enum err window_check(const struct rehearse_conf *conf, struct problem *problem)
{
    if (conf->from_ms > conf->to_ms)
        return problem_set(problem, ERR_INPUT, "from", "The window ends before it begins.",
                           "Give an earlier `from`, or a later `to`.");
    if ((conf->to_ms - conf->from_ms) / TIME_DAY_MS >= REHEARSE_DAYS_MAX)
        return problem_format(problem, ERR_LIMIT, "from", "Take a later `from`.",
                              "A rehearsal goes over at most %d days.", REHEARSE_DAYS_MAX);
    return OK;
}

static enum err world_make(struct rehearsal *r, struct problem *problem)
{
    struct engine *engine;
    TRY(window_check(&r->conf, problem));
    TRY(rooms_make(r));
    TRY(texts_make(r));
    TRY(engine_empty(r, &engine));
    enum err err = all_define(r, engine, problem);
    if (err == OK)
        err = follow(r, engine_program(engine));
    engine_close(engine);
    if (err == OK && r->journeys_count == 0)
        return problem_set(problem, ERR_ABSENT, "journey", "There is no journey to rehearse.",
                           "Give a draft, or the name of a published one.");
    return err;
}

enum err rehearsal_open(struct rehearsal **out, const struct rehearse_conf *conf,
                        struct problem *problem)
{
    struct rehearsal *r = calloc(1, sizeof *r);
    if (r == NULL)
        return ERR_MEMORY;
    r->conf = *conf;
    if (r->conf.sample > REHEARSE_SAMPLE_MAX)
        r->conf.sample = REHEARSE_SAMPLE_MAX;
    r->arena = arena_open(WORLD_ARENA_BYTES_MAX);
    enum err err = r->arena == NULL ? ERR_MEMORY : world_make(r, problem);
    if (err == OK)
        *out = r;
    else
        rehearsal_close(r);
    return err;
}

void rehearsal_close(struct rehearsal *r)
{
    if (r == NULL)
        return;
    arena_close(r->arena);
    free(r);
}
