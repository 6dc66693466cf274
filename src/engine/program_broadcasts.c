/*
 * Broadcasts: their definitions read and checked. What became of one is not known here.
 */
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "engine/broadcasting.h"
#include "engine/experiment/hypothesis.h"
#include "engine/journey/until.h"
#include "engine/program_inside.h"
#include "engine/vec.h"

uint32_t program_broadcast(const struct program *program, struct str name)
{
    uint32_t number = program_number(program, NAME_BROADCAST, name);
    return number < program->broadcasts.count && program->broadcasts.items[number].arena != NULL
               ? number
               : SEGMENT_NO_ID;
}

const struct broadcast_def *program_broadcast_at(const struct program *program, uint32_t number)
{
    static const struct broadcast_def none;
    return number < program->broadcasts.count ? &program->broadcasts.items[number] : &none;
}

struct reading {
    struct program       *program;
    struct broadcast_def *def;
    bool                  grow;
    struct problem       *problem;
};

static enum err wrong(const struct reading *r, const char *where, const char *what,
                      const char *remedy)
{
    return problem_set(r->problem, ERR_INPUT, where, what, remedy);
}

static enum err members_check(const struct reading *r, const struct json *root)
{
    static const char *const known[] = {
        "broadcast", "audience", "template", "topic",      "when",
        "throttle",  "priority", "holdout",  "experiment", "note"
    };
    for (uint32_t i = 0; i < root->count; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            found = found || str_eq(root->members[i].key, str_of(known[k]));
        if (!found)
            return problem_format(
                r->problem, ERR_INPUT, "broadcast",
                "Use broadcast, audience, template, topic, when, throttle, priority, holdout, "
                "experiment or note.",
                "A broadcast has no member \"%.*s\".",
                STR_ARG(str_slice(root->members[i].key, 0, 60)));
    }
    return OK;
}

/* Puts the place of the whole in front of the place within. */
static enum err at_audience(const struct reading *r, enum err err)
{
    if (err == OK || r->problem == NULL || err == ERR_MEMORY)
        return err;
    char inner[sizeof r->problem->where];
    memcpy(inner, r->problem->where, sizeof inner);
    snprintf(r->problem->where, sizeof r->problem->where, "audience%s%.100s",
             inner[0] == '\0' ? "" : ":", inner);
    return err;
}

static enum err audience_read(const struct reading *r, const struct json *value)
{
    struct condition    *out = &r->def->audience;
    struct segment_names names = program_names(r->program, r->grow);
    if (value == NULL || (value->kind != JSON_STRING && value->kind != JSON_OBJECT))
        return wrong(r, "audience", "A broadcast needs an audience.",
                     "Write a condition as a segment's, such as \"in segment \\\"vip\\\"\".");
    TRY(at_audience(r, value->kind == JSON_STRING
                           ? segment_parse(r->def->arena, value->string, &out->tree, r->problem)
                           : segment_parse_json(r->def->arena, value, &out->tree, r->problem)));
    return at_audience(
        r, segment_compile(r->def->arena, out->tree, &names, &out->program, r->problem));
}

static enum err template_read(const struct reading *r, struct str name)
{
    struct broadcast_def *def = r->def;
    def->template = name;
    def->template_id = program_template(r->program, def->template);
    if (str_is_empty(def->template))
        return wrong(r, "template", "A broadcast needs a template.",
                     "Name a template of this workspace.");
    if (def->template_id == SEGMENT_NO_ID)
        return problem_format(r->problem, ERR_ABSENT, "template", "Add the template first.",
                              "There is no template \"%.*s\".", STR_ARG(def->template));
    const struct template_def *template = program_template_at(r->program, def->template_id);
    if (template->transactional)
        return wrong(r, "template",
                     "A broadcast is no receipt: this template is transactional, "
                     "and would go to those who said no.",
                     "Use another, or take \"transactional: yes\" out of the template.");
    if (!channel_is_to_person(template->channel))
        return wrong(r, "template", "What goes by this channel does not go to the person.",
                     "Use a template for e-mail, SMS or post.");
    def->topic = template->topic;
    return OK;
}

/* ---- an experiment ---- */

static enum err arm_read(const struct reading *r, const struct json *value, uint32_t i)
{
    struct broadcast_arm *arm = &r->def->arms[i];
    const struct json    *share = json_get(value, STR("share"));
    char                  where[40];
    snprintf(where, sizeof where, "experiment.variants[%u]", i);
    for (uint32_t k = 0; value->kind == JSON_OBJECT && k < value->count; k++)
        if (!str_eq(value->members[k].key, STR("name")) &&
            !str_eq(value->members[k].key, STR("template")) &&
            !str_eq(value->members[k].key, STR("share")))
            return wrong(r, where, "A variant has no such member.",
                         "Use name, template and share.");
    *arm = (struct broadcast_arm){ .name = json_get_str(value, STR("name")) };
    if (str_is_empty(arm->name) || arm->name.len > JOURNEY_NAME_BYTES_MAX)
        return wrong(r, where, "A variant has a name of 1 to 128 bytes, and a template.",
                     "Write {\"name\": \"short\", \"template\": \"spring-short\"}.");
    TRY(template_read(r, json_get_str(value, STR("template"))));
    arm->template = r->def->template;
    arm->template_id = r->def->template_id;
    for (uint32_t k = 0; k < i; k++)
        if (str_eq(r->def->arms[k].name, arm->name) ||
            r->def->arms[k].template_id == arm->template_id)
            return wrong(r, where, "Two variants have the same name or template.",
                         "Give each its own: their numbers are told by them.");
    if (program_template_at(r->program, arm->template_id)->channel !=
        program_template_at(r->program, r->def->arms[0].template_id)->channel)
        return wrong(r, where, "The variants go by different channels.",
                     "Use templates of one channel.");
    return share == NULL ? OK : deal_share_read(share, 100, where, &arm->share, r->problem);
}

/* Each one's own share becomes where it ends; without any they are all the same. */
static enum err shares_settle(const struct reading *r)
{
    struct broadcast_def *def = r->def;
    uint32_t              sum = 0, given = 0;
    for (uint32_t i = 0; i < def->arms_count; i++)
        given += def->arms[i].share > 0;
    for (uint32_t i = 0; i < def->arms_count; i++) {
        sum += def->arms[i].share;
        def->arms[i].share =
            given > 0 ? sum : (uint32_t)((uint64_t)(i + 1) * DEAL_ALL / def->arms_count);
    }
    return given == 0 || (given == def->arms_count && sum == DEAL_ALL)
               ? OK
               : wrong(r, "experiment.variants", "The shares are not 100 percent in all.",
                       "Give one to each variant, or to none: then they are all the same.");
}

static enum err experiment_read(const struct reading *r, const struct json *value)
{
    struct broadcast_def *def = r->def;
    const struct json    *list = json_get(value, STR("variants")), *name, *winner, *hypothesis;
    hypothesis = json_get(value, STR("hypothesis"));
    name = json_get(value, STR("name"));
    winner = json_get(value, STR("winner"));
    if (list == NULL || list->kind != JSON_ARRAY || list->count < DEAL_ARMS_MIN ||
        list->count > DEAL_ARMS_MAX ||
        value->count > 1u + (name != NULL) + (winner != NULL) + (hypothesis != NULL))
        return wrong(r, "experiment", "An experiment has between 2 and 8 variants.",
                     "Write {\"variants\": [{\"name\": TEXT, \"template\": NAME}, ...]}, and "
                     "\"name\", \"hypothesis\" and \"winner\" where it has them.");
    if (!hypothesis_is_good(hypothesis))
        return wrong(r, "experiment.hypothesis", "A hypothesis is a text of 1 to 1,000 bytes.",
                     "Write what is expected and why, or leave it out.");
    if (name != NULL && (name->kind != JSON_STRING || str_is_empty(name->string) ||
                         name->string.len > DEAL_NAME_BYTES_MAX))
        return wrong(r, "experiment.name", "An experiment has a name of 1 to 128 bytes.",
                     "Write a text, or leave it out.");
    def->experiment = name == NULL ? def->name : name->string;
    for (uint32_t i = 0; i < list->count; i++) {
        TRY(arm_read(r, &list->items[i], i));
        def->arms_count = i + 1;
    }
    TRY(shares_settle(r));
    TRY(winner_read(winner, "experiment.winner", &def->winner, r->problem));
    return template_read(r, def->arms[0].template);
}

static enum err content_read(const struct reading *r, const struct json *root)
{
    const struct json *experiment = json_get(root, STR("experiment"));
    if (experiment == NULL)
        return template_read(r, json_get_str(root, STR("template")));
    if (json_get(root, STR("template")) != NULL)
        return wrong(r, "template", "The variants of an experiment have their own templates.",
                     "Leave \"template\" out, or \"experiment\".");
    return experiment_read(r, experiment);
}

static enum err topic_read(const struct reading *r, const struct json *value)
{
    if (value == NULL)
        return OK;
    if (value->kind != JSON_STRING || str_is_empty(value->string) ||
        value->string.len > JOURNEY_NAME_BYTES_MAX)
        return wrong(r, "topic", "A topic has a name of 1 to 128 bytes.",
                     "Name one, or leave it out: it is then the template's.");
    r->def->has_topic = true;
    if (r->grow)
        return program_intern(r->program, NAME_TOPIC, value->string, &r->def->topic);
    return OK;
}

/* What clocks show has no zone of its own. */
static bool has_zone(struct str text)
{
    size_t from = text.len < 10 ? text.len : 10; /* behind the date */
    return str_find_char(text, from, 'Z') < text.len || str_find_char(text, from, 'z') < text.len ||
           str_find_char(text, from, '+') < text.len || str_find_char(text, from, '-') < text.len;
}

/* "2026-12-01T09:00", or a day and "best hour", "best hour or 08:00". */
static enum err local_read(const struct reading *r, struct str local)
{
    struct broadcast_def *def = r->def;
    struct until          until;
    size_t                day = strlen("2026-12-01");
    def->is_best =
        local.len > day && str_starts(str_slice(local, day, local.len), STR(" best hour"));
    if (!def->is_best)
        return time_parse(local, &def->at_ms) != OK || has_zone(local) || local.len < 16
                   ? wrong(r, "when.local", "This is no time as a clock shows it.",
                           "Write it without a zone: 2026-12-01T09:00, or 2026-12-01 best hour.")
                   : OK;
    if (time_parse(str_slice(local, 0, day), &def->at_ms) != OK ||
        until_parse(str_slice(local, day + 1, local.len), &until, r->problem) != OK)
        return wrong(r, "when.local", "This is no day and best hour.",
                     "Write 2026-12-01 best hour, or 2026-12-01 best hour or 08:00 with a time for "
                     "those who clicked too seldom.");
    def->best_or_ms = until.time_ms;
    return OK;
}

static enum err when_read(const struct reading *r, const struct json *value)
{
    struct broadcast_def *def = r->def;
    struct str            at = json_get_str(value, STR("at"));
    struct str            local = json_get_str(value, STR("local"));
    def->when = BROADCAST_NOW;
    if (value == NULL || (value->kind == JSON_STRING && str_eq(value->string, STR("now"))))
        return OK;
    if (value->kind != JSON_OBJECT || value->count != 1 || str_is_empty(at) == str_is_empty(local))
        return wrong(r, "when", "This is no time to send at.",
                     "Write \"now\", {\"at\": \"2026-12-01T08:00:00Z\"}, "
                     "{\"local\": \"2026-12-01T09:00\"} or {\"local\": \"2026-12-01 best "
                     "hour\"}.");
    def->when = str_is_empty(at) ? BROADCAST_LOCAL : BROADCAST_AT;
    if (def->when == BROADCAST_LOCAL)
        return local_read(r, local);
    return time_parse(at, &def->at_ms) != OK || !has_zone(at)
               ? wrong(r, "when.at", "This is no instant.",
                       "Write it with its zone: 2026-12-01T08:00:00Z or 2026-12-01T09:00:00+01:00.")
               : OK;
}

/* The test is to begin at one instant, and what is asked of its people must make sense. */
static enum err winner_check(const struct reading *r)
{
    struct broadcast_def      *def = r->def;
    struct segment_names       names = program_names(r->program, r->grow);
    const struct segment_node *tree;
    struct segment_program     program;
    if (def->winner.share == 0)
        return OK;
    if (def->when == BROADCAST_LOCAL)
        return wrong(r, "experiment.winner",
                     "By each one's own clock the test would go on while the others' time passes.",
                     "Use \"now\" or {\"at\": ...}, or choose by hand.");
    for (uint32_t i = 0; i < def->arms_count; i++) {
        TRY(broadcast_winner_condition(def->arena, def, i, true, &tree, r->problem));
        TRY(segment_compile(def->arena, tree, &names, &program, r->problem));
    }
    return OK;
}

static enum err throttle_read(const struct reading *r, const struct json *value)
{
    if (value == NULL)
        return OK;
    if (value->kind != JSON_INT || value->integer < 1 || value->integer > BROADCAST_THROTTLE_MAX)
        return wrong(r, "throttle", "This is no number of messages an hour.",
                     "Write 1 to 100,000,000, or leave it out: then it goes as fast as it can.");
    r->def->throttle = (uint32_t)value->integer;
    return OK;
}

static enum err def_read(const struct reading *r, struct str name, struct str text)
{
    struct json *root = ARENA_NEW(r->def->arena, struct json);
    struct str   kept = str_copy(r->def->arena, text);
    if (root == NULL || kept.ptr == NULL)
        return ERR_MEMORY;
    if (text.len > BROADCAST_TEXT_BYTES_MAX)
        return problem_set(r->problem, ERR_LIMIT, "broadcast", "The text is longer than 256 KB.",
                           "Put the audience into a segment.");
    TRY(json_parse_once(r->def->arena, kept, root, r->problem));
    if (root->kind != JSON_OBJECT)
        return wrong(r, "broadcast", "A broadcast is a JSON object.",
                     "Begin with {\"broadcast\": ...}.");
    TRY(members_check(r, root));
    r->def->name = json_get_str(root, STR("broadcast"));
    if (!str_eq(r->def->name, name))
        return problem_format(
            r->problem, ERR_INPUT, "broadcast", "Give the file and \"broadcast\" the same name.",
            "The broadcast calls itself \"%.*s\".", STR_ARG(str_slice(r->def->name, 0, 128)));
    TRY(content_read(r, root));
    TRY(holdout_read(json_get(root, STR("holdout")), r->def->name, &r->def->holdout, r->problem));
    TRY(topic_read(r, json_get(root, STR("topic"))));
    TRY(when_read(r, json_get(root, STR("when"))));
    TRY(winner_check(r));
    TRY(throttle_read(r, json_get(root, STR("throttle"))));
    if (!limits_priority_read(root, &r->def->priority))
        return wrong(r, "priority", "This is no number from 1 to 9.",
                     "Write such as 7, or leave it out: it is then 5.");
    return audience_read(r, json_get(root, STR("audience")));
}

static enum err put(struct program *program, struct str name, struct broadcast_def def,
                    uint32_t *number, struct problem *problem)
{
    if (program_number(program, NAME_BROADCAST, name) == SEGMENT_NO_ID &&
        dict_count(program->names[NAME_BROADCAST]) >= BROADCASTS_MAX)
        return problem_set(problem, ERR_LIMIT, "broadcast", "There were 32,768 broadcasts already.",
                           "Take up the name of a draft that is no longer wanted.");
    TRY(program_intern(program, NAME_BROADCAST, name, number));
    while (program->broadcasts.count <= *number)
        TRY(VEC_ADD(&program->broadcasts, (struct broadcast_def){ .arena = NULL }));
    arena_close(program->broadcasts.items[*number].arena);
    program->broadcasts.items[*number] = def;
    return OK;
}

enum err broadcast_define(struct program *program, struct str name, struct str text,
                          uint32_t version, uint32_t *number, struct problem *problem)
{
    struct broadcast_def def = { .version = version };
    struct reading       r = { program, &def, true, problem };
    if (text.len == 0)
        return program_broadcast(program, name) == SEGMENT_NO_ID
                   ? ERR_ABSENT
                   : put(program, name, (struct broadcast_def){ .arena = NULL }, number, problem);
    def.arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    if (def.arena == NULL)
        return ERR_MEMORY;
    enum err err = def_read(&r, name, text);
    if (err == OK)
        err = put(program, name, def, number, problem);
    if (err != OK)
        arena_close(def.arena);
    return err;
}

enum err broadcast_check(struct program *program, struct str name, struct str text,
                         struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct broadcast_def               def = { .arena = arena };
    struct reading                     r = { program, &def, false, problem };
    if (text.len == 0)
        return OK;
    return arena == NULL ? ERR_MEMORY : def_read(&r, name, text);
}

void broadcasts_done(struct program *program)
{
    for (uint32_t i = 0; i < program->broadcasts.count; i++)
        arena_close(program->broadcasts.items[i].arena);
    VEC_DONE(&program->broadcasts);
}
