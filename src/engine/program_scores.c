/*
 * Scores: points by rules, which fade, and the lines they cross.
 *
 *      {"score":"lead","half_life":"14 days",
 *       "rules":[{"event":"Price Page Viewed","points":5,"most":20},
 *                {"condition":"company_size > 50","points":10}],
 *       "lines":[{"name":"sales-ready","at":50}]}
 *
 * A score stands among the computed traits under the name "$score.lead", so that whatever asks for
 * one hears of it. A line is a segment, "score lead: sales-ready", which everyone is asked: so that
 * entering and leaving are kept, exact, and the same after a load; membership.c tells the crossing.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/program_inside.h"
#include "engine/vec.h"

enum {
    SCORE_NAME_BYTES_MAX = 100,
    LINE_NAME_BYTES_MAX = 100,
    LINE_TEXT_BYTES_MAX = 512,
    RULE_TEXT_BYTES_MAX = SEGMENT_TEXT_BYTES_MAX,
};

#define HALF_LIFE_MS_MIN TIME_HOUR_MS
#define LINE_PREFIX STR("score ")

/* ---- its lines, as segments ---- */

void program_line_names(struct str segment, struct str *score, struct str *line)
{
    struct str rest = str_slice(segment, LINE_PREFIX.len, segment.len);
    size_t     at = str_find(rest, 0, STR(": "));
    *score = str_slice(rest, 0, at);
    *line = str_slice(rest, at + 2, rest.len);
}

bool program_is_line(const struct program *program, uint32_t segment, struct str score)
{
    struct str name = program_name(program, NAME_SEGMENT, segment), of, line;
    bool       was = program->segments.items[segment].arena == NULL;
    if (!str_starts(name, LINE_PREFIX) || (!was && !program->segments.items[segment].is_line))
        return false;
    program_line_names(name, &of, &line);
    return str_is_empty(score) || str_eq(of, score);
}

struct line {
    char   name[SCORE_NAME_BYTES_MAX + LINE_NAME_BYTES_MAX + 16];
    double at;
};

struct document {
    struct str            name;
    struct segment_score *score;
    struct line           lines[PROGRAM_LINES_MAX];
    uint32_t              lines_count;
};

/* ---- reading it ---- */

static enum err only(const struct json *object, const char *allowed, const char *where,
                     struct problem *problem)
{
    char word[64];
    for (uint32_t i = 0; i < object->count; i++) {
        snprintf(word, sizeof word, " %.*s ", STR_ARG(object->members[i].key));
        if (str_eq(object->members[i].key, STR("then")))
            return problem_set(problem, ERR_INPUT, "lines", "A line does nothing by itself.",
                               "Leave \"then\" out, and let a journey begin with the event "
                               "\"Score Crossed\".");
        if (strstr(allowed, word) == NULL)
            return problem_format(problem, ERR_INPUT, where, "Correct or remove it.",
                                  "\"%.*s\" means nothing here.", STR_ARG(object->members[i].key));
    }
    return OK;
}

/* A length as conditions write it. */
static enum err half_life_read(struct arena *arena, struct str text, int64_t *out,
                               struct problem *problem)
{
    const struct segment_node *node;
    struct problem             inside = { .where = "" };
    if (text.len == 0)
        return OK;
    struct str whole = str_format(arena, "did anything in the last %.*s", STR_ARG(text));
    if (whole.ptr == NULL)
        return ERR_MEMORY;
    enum err err = segment_parse(arena, whole, &node, &inside);
    if (err == ERR_MEMORY)
        return err;
    if (err != OK || node->kind != SEGMENT_DID || node->match.where != NULL ||
        node->match.window.kind != SEGMENT_LAST || node->match.window.length_ms < HALF_LIFE_MS_MIN)
        return problem_set(problem, ERR_INPUT, "half_life",
                           "This is no length of at least an hour.",
                           "Write for example \"14 days\", or leave it out: points then stay.");
    *out = node->match.window.length_ms;
    return OK;
}

static enum err points_read(const struct json *object, const char *key, bool is_most, int64_t *out,
                            struct problem *problem)
{
    const struct json *value = json_get(object, str_of(key));
    double             points = 0;
    bool               good = value != NULL && json_to_real(value, &points);
    double             most = is_most ? 1e9 : SEGMENT_SCORE_POINTS_MAX;
    if (value == NULL && is_most)
        return OK;
    if (!good || fabs(points) > most || (is_most && points <= 0))
        return problem_format(problem, ERR_INPUT, key, "Write for example 5.",
                              is_most ? "\"%s\" is a number above 0, at most 1000000000."
                                      : "\"%s\" is a number from -100000 to 100000.",
                              key);
    *out = (int64_t)llround(points * 1e6);
    return OK;
}

/* What happened, as the count that a change of moves it; and as people are told. */
static enum err event_read(struct arena *arena, const struct json *object,
                           struct segment_score_rule *rule, struct problem *problem)
{
    SCOPED(buf_donep) struct buf text = buf_make(RULE_TEXT_BYTES_MAX);
    SCOPED(buf_donep) struct buf told = buf_make(RULE_TEXT_BYTES_MAX);
    struct str                   where = json_get_str(object, STR("where"));
    if (str_eq(json_get_str(object, STR("event")), EVENT_SCORE_CROSSED))
        return problem_set(problem, ERR_INPUT, "event",
                           "Points for crossing a line would cross lines without end.",
                           "Give points for what people do.");
    buf_str(&text, STR("count of "));
    json_write_str(&text, json_get_str(object, STR("event")));
    if (where.len > 0) {
        buf_str(&text, STR(" where ("));
        buf_str(&text, where);
        buf_char(&text, ')');
    }
    TRY(buf_err(&text));
    TRY(segment_parse_value(arena, buf_view(&text), &rule->node, problem));
    buf_str(&told, STR("did"));
    buf_str(&told, str_slice(buf_view(&text), strlen("count of"), buf_view(&text).len));
    TRY(buf_err(&told));
    rule->text = str_copy(arena, buf_view(&told));
    rule->is_event = true;
    return rule->text.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err condition_read(struct program *program, struct arena *arena, struct str text,
                               struct segment_score_rule *rule, struct problem *problem)
{
    TRY(segment_parse(arena, text, &rule->node, problem));
    rule->text = str_copy(arena, str_trim(text));
    if (rule->text.ptr == NULL)
        return ERR_MEMORY;
    bool asks = segment_asks_stage(rule->node, STR_NONE);
    for (uint32_t i = 0; i < program->computed.count; i++) {
        const struct computed_def *def = &program->computed.items[i];
        asks =
            asks || (def->arena != NULL &&
                     segment_asks_trait(rule->node, program_name(program, NAME_TRAIT, def->trait)));
    }
    return asks ? problem_set(problem, ERR_INPUT, "condition",
                              "It asks for a stage, a computed trait or a score.",
                              "Write the condition out.")
                : OK;
}

static enum err rule_read(struct program *program, struct arena *arena, const struct json *object,
                          struct segment_score_rule *rule, struct problem *problem)
{
    bool is_event = json_get(object, STR("event")) != NULL;
    if (object->kind != JSON_OBJECT)
        return problem_set(problem, ERR_INPUT, "rules", "A rule is an object.",
                           "Write {\"event\":\"...\",\"points\":5}.");
    TRY(only(object, is_event ? " event where points most " : " condition points ", "rule",
             problem));
    TRY(points_read(object, "points", false, &rule->points_micro, problem));
    if (!is_event)
        return condition_read(program, arena, json_get_str(object, STR("condition")), rule,
                              problem);
    TRY(points_read(object, "most", true, &rule->most_micro, problem));
    return event_read(arena, object, rule, problem);
}

/* Which rule a problem is about. */
static enum err rule_tell(enum err err, uint32_t at, struct problem *problem)
{
    char where[sizeof problem->where];
    snprintf(where, sizeof where, "rules[%u]: %.60s", at, problem == NULL ? "" : problem->where);
    if (problem != NULL)
        memcpy(problem->where, where, sizeof where);
    return err;
}

static enum err rules_read(struct program *program, struct arena *arena, const struct json *list,
                           struct segment_score *score, struct problem *problem)
{
    if (list == NULL || list->kind != JSON_ARRAY || list->count == 0 ||
        list->count > SEGMENT_SCORE_RULES_MAX)
        return problem_set(problem, ERR_INPUT, "rules", "A score has 1 to 50 rules.",
                           "Write \"rules\":[{\"event\":\"...\",\"points\":5}].");
    struct segment_score_rule *rules = ARENA_ARRAY(arena, list->count, struct segment_score_rule);
    if (rules == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < list->count; i++) {
        enum err err = rule_read(program, arena, &list->items[i], &rules[i], problem);
        if (err != OK)
            return rule_tell(err, i, problem);
    }
    score->rules = rules;
    score->count = list->count;
    return OK;
}

static enum err line_read(struct document *doc, const struct json *object, struct problem *problem)
{
    struct line       *line = &doc->lines[doc->lines_count];
    struct str         name = json_get_str(object, STR("name"));
    const struct json *at = json_get(object, STR("at"));
    if (object->kind != JSON_OBJECT)
        return problem_set(problem, ERR_INPUT, "lines", "A line is an object.",
                           "Write {\"name\":\"sales-ready\",\"at\":50}.");
    TRY(only(object, " name at ", "lines", problem));
    if (name.len == 0 || name.len > LINE_NAME_BYTES_MAX || at == NULL ||
        !json_to_real(at, &line->at) || fabs(line->at) > 1e9)
        return problem_set(problem, ERR_INPUT, "lines",
                           "A line has a name of 1 to 100 bytes and a number of points.",
                           "Write {\"name\":\"sales-ready\",\"at\":50}.");
    snprintf(line->name, sizeof line->name, "score %.*s: %.*s", STR_ARG(doc->name), STR_ARG(name));
    for (uint32_t i = 0; i < doc->lines_count; i++)
        if (strcmp(doc->lines[i].name, line->name) == 0)
            return problem_set(problem, ERR_INPUT, "lines", "Two lines have one name.",
                               "Name each line once.");
    doc->lines_count++;
    return OK;
}

static enum err document_read(struct program *program, struct arena *arena, struct str name,
                              struct str text, struct document *doc, struct problem *problem)
{
    struct json root;
    TRY(json_parse_once(arena, text, &root, problem));
    struct str told = json_get_str(&root, STR("score"));
    doc->name = name;
    doc->lines_count = 0;
    doc->score = ARENA_NEW(arena, struct segment_score);
    if (doc->score == NULL)
        return ERR_MEMORY;
    if (root.kind != JSON_OBJECT || name.len == 0 || name.len > SCORE_NAME_BYTES_MAX ||
        str_find(name, 0, STR(": ")) < name.len || (told.len > 0 && !str_eq(told, name)))
        return problem_set(problem, ERR_INPUT, "score",
                           "A score is an object, and its name has 1 to 100 bytes and no \": \".",
                           "Say in \"score\" what the file is called.");
    TRY(only(&root, " score rules half_life lines ", "score", problem));
    TRY(half_life_read(arena, json_get_str(&root, STR("half_life")), &doc->score->half_life_ms,
                       problem));
    TRY(rules_read(program, arena, json_get(&root, STR("rules")), doc->score, problem));
    const struct json *lines = json_get(&root, STR("lines"));
    if (lines != NULL && (lines->kind != JSON_ARRAY || lines->count > PROGRAM_LINES_MAX))
        return problem_set(problem, ERR_INPUT, "lines", "A score has at most 20 lines.",
                           "Leave some out.");
    for (uint32_t i = 0; lines != NULL && i < lines->count; i++)
        TRY(line_read(doc, &lines->items[i], problem));
    return OK;
}

static enum err compile(struct program *program, bool grow, const struct document *doc,
                        struct computed_def *def, struct problem *problem)
{
    struct segment_names names = program_names(program, grow);
    struct segment_node *node = ARENA_NEW(def->arena, struct segment_node);
    if (node == NULL)
        return ERR_MEMORY;
    *node = (struct segment_node){ .kind = SEGMENT_SCORE, .is_value = true, .score = doc->score };
    def->tree = node;
    TRY(segment_compile(def->arena, node, &names, &def->program, problem));
    return def->program.segments_count == 0
               ? OK
               : problem_set(problem, ERR_INPUT, "condition", "A rule asks for a segment.",
                             "Write the segment's condition out.");
}

/* ---- who else ---- */

bool scores_ask_trait(const struct program *program, struct str name)
{
    bool asks = false;
    for (uint32_t i = 0; i < program->computed.count; i++) {
        const struct computed_def *def = &program->computed.items[i];
        if (def->arena == NULL || def->tree->kind != SEGMENT_SCORE)
            continue;
        for (uint32_t k = 0; k < def->tree->score->count; k++)
            asks = asks || segment_asks_trait(def->tree->score->rules[k].node, name);
    }
    return asks;
}

enum err score_line_check(const struct program *program, struct str name, struct problem *problem)
{
    uint32_t segment = program_segment(program, name);
    if (segment == SEGMENT_NO_ID || !program->segments.items[segment].is_line)
        return OK;
    return problem_set(problem, ERR_CONFLICT, "segment", "This segment is a line of a score.",
                       "Change the score, or choose another name.");
}

static enum err count_check(const struct program *program, struct str key, struct problem *problem)
{
    uint32_t scores = 0;
    for (uint32_t i = 0; i < program->computed.count; i++)
        scores += program->computed.items[i].arena != NULL &&
                  program->computed.items[i].tree->kind == SEGMENT_SCORE;
    return scores < PROGRAM_SCORES_MAX || program_computed(program, key) != NULL
               ? OK
               : problem_set(problem, ERR_LIMIT, "score", "There are 50 scores already.",
                             "Delete one that no one uses.");
}

static bool is_kept(const struct document *doc, struct str name)
{
    for (uint32_t i = 0; i < doc->lines_count; i++)
        if (str_eq(name, str_of(doc->lines[i].name)))
            return true;
    return false;
}

/* Lines that go are asked for by no one, and those that come are nobody's segment. */
static enum err lines_check(struct program *program, const struct document *doc,
                            struct problem *problem)
{
    uint32_t added = 0;
    for (uint32_t i = 0; i < program->segments.count; i++) {
        struct str name = program_name(program, NAME_SEGMENT, i);
        if (program->segments.items[i].is_line && program_is_line(program, i, doc->name) &&
            !is_kept(doc, name)) {
            TRY(program_unused_check(program, program_asks_segment, "segment", name, problem));
            TRY(segment_check(program, name, STR_NONE, problem));
        }
    }
    for (uint32_t i = 0; i < doc->lines_count; i++) {
        uint32_t segment = program_segment(program, str_of(doc->lines[i].name));
        if (segment != SEGMENT_NO_ID && !program->segments.items[segment].is_line)
            return problem_format(problem, ERR_CONFLICT, "lines", "Rename the line or the segment.",
                                  "There is a segment \"%s\" already.", doc->lines[i].name);
        added += segment == SEGMENT_NO_ID;
    }
    return program->segments.count + added <= PROGRAM_SEGMENTS_MAX
               ? OK
               : problem_set(problem, ERR_LIMIT, "lines", "There are 10,000 segments already.",
                             "Delete some that no one uses.");
}

static enum err lines_put(struct program *program, const struct document *doc, uint32_t version,
                          struct problem *problem)
{
    uint32_t number;
    char     text[LINE_TEXT_BYTES_MAX];
    for (uint32_t i = 0; i < program->segments.count; i++) {
        struct str name = program_name(program, NAME_SEGMENT, i);
        if (program->segments.items[i].is_line && program_is_line(program, i, doc->name) &&
            !is_kept(doc, name))
            TRY(segment_define(program, name, STR_NONE, version, &number, problem));
    }
    for (uint32_t i = 0; i < doc->lines_count; i++) {
        SCOPED(buf_donep) struct buf quoted = buf_make(LINE_TEXT_BYTES_MAX);
        json_write_str(&quoted, doc->name);
        TRY(buf_err(&quoted));
        snprintf(text, sizeof text, "score %.*s >= %.6f", STR_ARG(buf_view(&quoted)),
                 doc->lines[i].at);
        TRY(segment_define(program, str_of(doc->lines[i].name), str_of(text), version, &number,
                           problem));
        program->segments.items[number].is_line = true;
    }
    return OK;
}

/* ---- defining ---- */

static enum err score_delete(struct program *program, struct str name, struct str key,
                             uint32_t version, uint32_t *number, struct problem *problem)
{
    struct document none = { .name = name };
    if (program_computed(program, key) == NULL)
        return ERR_ABSENT;
    TRY(program_unused_check(program, program_asks, "score", key, problem));
    TRY(lines_check(program, &none, problem));
    TRY(lines_put(program, &none, version, problem));
    return computed_delete(program, "score", key, number, problem);
}

static enum err key_of(char out[static SCORE_NAME_BYTES_MAX + 16], struct str name,
                       struct problem *problem)
{
    if (name.len == 0 || name.len > SCORE_NAME_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, "score", "A score's name has 1 to 100 bytes.",
                           "Rename it.");
    snprintf(out, SCORE_NAME_BYTES_MAX + 16, "%.*s%.*s", STR_ARG(SEGMENT_SCORE_PREFIX),
             STR_ARG(name));
    return OK;
}

enum err score_define(struct program *program, struct str name, struct str text, uint32_t version,
                      uint32_t *number, struct problem *problem)
{
    struct computed_def def = { .version = version };
    struct document     doc;
    char                key[SCORE_NAME_BYTES_MAX + 16];
    TRY(key_of(key, name, problem));
    if (text.len == 0)
        return score_delete(program, name, str_of(key), version, number, problem);
    TRY(count_check(program, str_of(key), problem));
    def.arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    if (def.arena == NULL)
        return ERR_MEMORY;
    enum err err = document_read(program, def.arena, name, text, &doc, problem);
    if (err == OK)
        err = lines_check(program, &doc, problem);
    if (err == OK)
        err = compile(program, true, &doc, &def, problem);
    if (err == OK)
        err = program_intern(program, NAME_TRAIT, str_of(key), &def.trait);
    if (err != OK) {
        arena_close(def.arena);
        return err;
    }
    *number = def.trait;
    TRY(computed_put(program, str_of(key), def, problem));
    return lines_put(program, &doc, version, problem);
}

enum err score_check(struct program *program, struct str name, struct str text,
                     struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct computed_def                def = { .arena = arena };
    struct document                    doc = { .name = name };
    char                               key[SCORE_NAME_BYTES_MAX + 16];
    if (arena == NULL)
        return ERR_MEMORY;
    TRY(key_of(key, name, problem));
    if (text.len == 0) {
        TRY(lines_check(program, &doc, problem));
        return program_unused_check(program, program_asks, "score", str_of(key), problem);
    }
    TRY(count_check(program, str_of(key), problem));
    TRY(document_read(program, arena, name, text, &doc, problem));
    TRY(lines_check(program, &doc, problem));
    return compile(program, false, &doc, &def, problem);
}
