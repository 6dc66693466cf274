/*
 * The stages of the customer journey: one document, the first to come first.
 *
 *      {"stages":[{"name":"visitor","when":"everyone"},
 *                 {"name":"customer","when":"did \"Order Completed\""}]}
 *
 * A person's stage is the last whose rule holds. A condition about a stage holds the rules
 * compiled, so a new document compiles anew every condition that asks for one: all of them, or
 * nothing is changed. A rule asks for no stage and for no segment, so there is no circle.
 *
 * A stage that was set by hand is a trait, "$stage", with "$stage_until", "$stage_by" and
 * "$stage_why" told by the same record; each rule has a part that asks for it (rule_by_hand). So
 * the last word counts, also of two who become one, and any past moment is answered with what stood
 * then.
 *
 * Each stage is a segment, too, "stage: customer", which everyone is asked, so that coming and
 * going are kept, exact, and the same after a load; stage_changing.c tells the change.
 */
#include <stdio.h>
#include <string.h>

#include "engine/program_inside.h"

enum { STAGE_NAME_BYTES_MAX = 128, STAGE_TEXT_BYTES_MAX = 64 << 10 };

#define STAGE_PREFIX STR("stage: ")
#define BY_HAND_STANDS STR("stands")
#define BY_HAND_AT_LEAST STR("at least")

/* ---- what was set by hand ---- */

static bool is_floor(const struct json *document)
{
    return str_eq(json_get_str(document, STR("by_hand")), BY_HAND_AT_LEAST);
}

static void names_write(const struct json *list, struct buf *out)
{
    for (uint32_t i = 0; i < list->count; i++) {
        buf_str(out, i == 0 ? STR("(") : STR(", "));
        json_write_str(out, json_get_str(&list->items[i], STR("name")));
    }
    buf_char(out, ')');
}

#define IN_FORCE "not trait \"$stage_until\" <= now and trait \"$stage\" "

/* What makes the stage be a person's by hand, and (*none) what says that no hand speaks against its
 * own rule; empty: nothing does. */
static void hand_write(const struct json *document, struct str name, struct buf *mine,
                       struct buf *none)
{
    const struct json *list = json_get(document, STR("stages"));
    buf_str(mine, STR(IN_FORCE "= "));
    json_write_str(mine, name);
    if (is_floor(document))
        return;
    buf_str(none, STR("not (" IN_FORCE "in "));
    names_write(list, none);
    buf_char(none, ')');
}

void program_stage_rule_write(const struct json *document, uint32_t stage, struct buf *out)
{
    SCOPED(buf_donep) struct buf none = buf_make(STAGE_TEXT_BYTES_MAX);
    const struct json           *list = json_get(document, STR("stages"));
    const struct json           *item = &list->items[stage];
    buf_char(out, '(');
    hand_write(document, json_get_str(item, STR("name")), out, &none);
    buf_str(out, STR(") or ("));
    buf_str(out, buf_view(&none));
    buf_str(out, buf_view(&none).len > 0 ? STR(" and (") : STR("("));
    buf_str(out, json_get_str(item, STR("when")));
    buf_str(out, STR("))"));
}

static struct segment_node *group(struct arena *arena, enum segment_kind kind,
                                  const struct segment_node *a, const struct segment_node *b)
{
    struct segment_node        *node = ARENA_NEW(arena, struct segment_node);
    const struct segment_node **parts = ARENA_ARRAY(arena, 2, const struct segment_node *);
    if (node == NULL || parts == NULL)
        return NULL;
    parts[0] = a;
    parts[1] = b;
    *node = (struct segment_node){ .kind = kind, .parts = parts, .parts_count = 2 };
    return node;
}

/* The rule as it is asked: by hand, or as it was written. */
static enum err rule_by_hand(struct arena *arena, const struct json *document,
                             struct segment_stage *stage, struct problem *problem)
{
    SCOPED(buf_donep) struct buf mine = buf_make(STAGE_TEXT_BYTES_MAX);
    SCOPED(buf_donep) struct buf none = buf_make(STAGE_TEXT_BYTES_MAX);
    const struct segment_node   *set, *unset;
    hand_write(document, stage->name, &mine, &none);
    TRY(buf_err(&mine));
    TRY(buf_err(&none));
    TRY(segment_parse(arena, buf_view(&mine), &set, problem));
    if (buf_view(&none).len > 0) {
        TRY(segment_parse(arena, buf_view(&none), &unset, problem));
        stage->rule = group(arena, SEGMENT_AND, unset, stage->rule);
    }
    if (stage->rule != NULL)
        stage->rule = group(arena, SEGMENT_OR, set, stage->rule);
    return stage->rule == NULL ? ERR_MEMORY : OK;
}

/* ---- reading it ---- */

static enum err rule_read(struct program *program, struct stages_def *def,
                          const struct json *document, const struct json *item, bool grow,
                          struct problem *problem)
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
    if (str_is_empty(json_get_str(item, STR("when"))))
        return problem_format(problem, ERR_INPUT, "when",
                              "Add \"when\": a condition, as a segment has it, or \"everyone\".",
                              "The stage \"%.*s\" does not say who is in it.", STR_ARG(name));
    TRY(segment_parse(def->arena, json_get_str(item, STR("when")), &stage->rule, problem));
    if (segment_asks_stage(stage->rule, STR_NONE))
        return problem_format(problem, ERR_INPUT, "when", "Say what makes somebody be in it.",
                              "The rule of \"%.*s\" asks for a stage.", STR_ARG(name));
    const struct str ours[] = { STAGE_TRAIT,       STAGE_TRAIT_UNTIL, STAGE_TRAIT_BY,
                                STAGE_TRAIT_WHY,   STAGE_TRAIT_FROM,  STAGE_TRAIT_TO,
                                STAGE_TRAIT_CAUSE, STAGE_TRAIT_EVENT };
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (segment_asks_trait(stage->rule, ours[i]))
            return problem_format(problem, ERR_INPUT, "when", "Say what makes somebody be in it.",
                                  "The rule of \"%.*s\" asks for \"%.*s\", which says what stage "
                                  "somebody is in.",
                                  STR_ARG(name), STR_ARG(ours[i]));
    TRY(segment_compile(def->arena, stage->rule, &names, &compiled, problem));
    if (compiled.segments_count > 0)
        return problem_format(problem, ERR_INPUT, "when", "Write the segment's condition out.",
                              "The rule of \"%.*s\" asks for a segment.", STR_ARG(name));
    def->count++;
    return rule_by_hand(def->arena, document, stage, problem);
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
    const struct json *by_hand = json_get(&root, STR("by_hand"));
    if (by_hand != NULL && !is_floor(&root) &&
        !(by_hand->kind == JSON_STRING && str_eq(by_hand->string, BY_HAND_STANDS)))
        return problem_set(
            problem, ERR_INPUT, "by_hand", "This is no way for a stage that was set by hand.",
            "Write \"stands\": until it is cleared; or \"at least\": until the rules "
            "put the person further.");
    def->items = ARENA_ARRAY(def->arena, list->count + 1, struct segment_stage);
    if (def->items == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < list->count; i++) {
        enum err err = rule_read(program, def, &root, &list->items[i], grow, problem);
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
        if (at < def->count)
            continue;
        TRY(program_unused_check(program, asks_stage, "stage", name, problem));
    }
    return OK;
}

/* ---- each is a segment ---- */

struct str program_stage_of(const struct program *program, uint32_t segment)
{
    struct str name = program_name(program, NAME_SEGMENT, segment);
    return str_slice(name, STAGE_PREFIX.len, name.len);
}

static bool is_kept(const struct stages_def *def, struct str name)
{
    for (uint32_t i = 0; i < def->count; i++)
        if (str_eq(def->items[i].name, name))
            return true;
    return false;
}

static struct str segment_name(struct arena *arena, struct str stage)
{
    return str_format(arena, "%.*s%.*s", STR_ARG(STAGE_PREFIX), STR_ARG(stage));
}

/* A stage whose segment somebody asks for stays, and the names of new ones are nobody's segment. */
static enum err segments_check(struct program *program, const struct stages_def *def, bool grow,
                               struct problem *problem)
{
    uint32_t added = 0;
    for (uint32_t i = 0; i < program->segments.count; i++) {
        struct str name = program_name(program, NAME_SEGMENT, i);
        if (!program->segments.items[i].is_stage || is_kept(def, program_stage_of(program, i)))
            continue;
        TRY(program_unused_check(program, program_asks_segment, "segment", name, problem));
        TRY(segment_check(program, name, STR_NONE, problem));
    }
    for (uint32_t i = 0; i < def->count; i++) {
        struct str name = segment_name(def->arena, def->items[i].name);
        uint32_t   segment = program_segment(program, name);
        if (name.ptr == NULL)
            return ERR_MEMORY;
        if (!grow && segment != SEGMENT_NO_ID && !program->segments.items[segment].is_stage)
            return problem_format(problem, ERR_CONFLICT, "stages",
                                  "Rename the stage or the segment.",
                                  "There is a segment \"%.*s\" already.", STR_ARG(name));
        added += segment == SEGMENT_NO_ID;
    }
    return program->segments.count + added <= PROGRAM_SEGMENTS_MAX
               ? OK
               : problem_set(problem, ERR_LIMIT, "stages", "There are 10,000 segments already.",
                             "Delete some that no one uses.");
}

/* One of the workspace's own by that name, older than the stages', stays what it is. */
static enum err segments_put(struct program *program, uint32_t version, struct problem *problem)
{
    const struct stages_def *def = &program->stages;
    uint32_t                 number;
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program->segments.items[i].is_stage && !is_kept(def, program_stage_of(program, i)))
            TRY(segment_define(program, program_name(program, NAME_SEGMENT, i), STR_NONE, version,
                               &number, problem));
    for (uint32_t i = 0; i < def->count; i++) {
        SCOPED(buf_donep) struct buf text = buf_make(STAGE_TEXT_BYTES_MAX);
        struct str                   name = segment_name(def->arena, def->items[i].name);
        uint32_t                     known = program_segment(program, name);
        if (name.ptr == NULL)
            return ERR_MEMORY;
        if (known != SEGMENT_NO_ID && !program->segments.items[known].is_stage)
            continue;
        buf_str(&text, STR("in stage "));
        json_write_str(&text, def->items[i].name);
        TRY(buf_err(&text));
        TRY(segment_define(program, name, buf_view(&text), version, &number, problem));
        program->segments.items[number].is_stage = true;
    }
    return OK;
}

enum err stage_segment_check(const struct program *program, struct str name,
                             struct problem *problem)
{
    uint32_t segment = program_segment(program, name);
    if (segment == SEGMENT_NO_ID || !program->segments.items[segment].is_stage)
        return OK;
    return problem_set(problem, ERR_CONFLICT, "segment", "This segment is a stage.",
                       "Change the stages, or choose another name.");
}

bool program_is_stage(const struct program *program, uint32_t segment)
{
    const struct segment_def *def = &program->segments.items[segment];
    bool                      was = def->arena == NULL;
    return def->is_stage ||
           (was && str_starts(program_name(program, NAME_SEGMENT, segment), STAGE_PREFIX));
}

/* ---- defining ---- */

/* That each fits into its segment is known before anything is changed. */
static enum err segments_compile(struct program *program, const struct stages_def *def, bool grow,
                                 struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct stages_def                  old = program->stages;
    enum err                           err = arena == NULL ? ERR_MEMORY : OK;
    program->stages = *def;
    for (uint32_t i = 0; err == OK && i < def->count; i++) {
        SCOPED(buf_donep) struct buf text = buf_make(STAGE_TEXT_BYTES_MAX);
        struct segment_names         names = program_names(program, grow);
        const struct segment_node   *tree;
        struct segment_program       compiled;
        buf_str(&text, STR("in stage "));
        json_write_str(&text, def->items[i].name);
        err = buf_err(&text);
        if (err == OK)
            err = segment_parse(arena, buf_view(&text), &tree, problem);
        if (err == OK)
            err = segment_compile(arena, tree, &names, &compiled, problem);
        if (err != OK)
            err = rule_tell(err, def->items[i].name, problem);
    }
    program->stages = old;
    return err;
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
    TRY(gone_check(program, def, problem));
    TRY(segments_check(program, def, grow, problem));
    return segments_compile(program, def, grow, problem);
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
    return err == OK ? segments_put(program, version, problem) : err;
}

enum err stages_check(struct program *program, struct str text, struct problem *problem)
{
    struct stages_def def = { 0 };
    enum err          err = text_read(program, text, false, &def, problem);
    arena_close(def.arena);
    return err;
}
