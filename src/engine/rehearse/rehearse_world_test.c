#include "engine/rehearse/rehearse_world_test.h"

#include <stdlib.h>

#include "base/test.h"
#include "engine/behaviour/edition.h"

/* Clocks go forward and back, a day is left out, and one place has none of it. */
static struct zones *zones_open(void)
{
    static const struct zone_shift spring[] = { { T0 / 1000 + 9 * 86400 + 3600, 7200 },
                                                { T0 / 1000 + 23 * 86400 + 3600, 3600 } };
    static const struct zone_shift skip[] = { { T0 / 1000 + 12 * 86400 + 11 * 3600, 13 * 3600 } };
    const struct zone              list[] = { { STR("Spring"), spring, 2, 3600 },
                                              { STR("Skip"), skip, 1, -11 * 3600 },
                                              { STR("West"), NULL, 0, -5 * 3600 - 1800 } };
    struct zones                  *zones;
    assert_ok(zones_make(&zones, STR("1"), list, 3));
    return zones;
}

struct rehearse_world *rehearse_world_open(void)
{
    struct rehearse_world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->zones = zones_open();
    w->arena = arena_open(256 << 20);
    w->suppressed = suppressions_open(1);
    assert_ok(stage_open(&w->life, T0, w->zones));
    return w;
}

static void rehearsal_drop(struct rehearse_world *w)
{
    rehearse_hand_close(w->hand);
    rehearsal_close(w->rehearsal);
    rehearse_result_done(&w->result);
    view_drop(w->view);
    w->hand = NULL;
    w->rehearsal = NULL;
    w->view = NULL;
}

void rehearse_world_close(struct rehearse_world *w)
{
    rehearsal_drop(w);
    stage_close(&w->life);
    zones_close(w->zones);
    suppressions_close(w->suppressed);
    arena_close(w->arena);
    free(w);
}

void rehearse_world_draft(struct rehearse_world *w, enum definition_kind kind, const char *name,
                          struct str text)
{
    uint32_t i = 0;
    while (i < w->definitions_count &&
           !(w->definitions[i].kind == kind && str_eq(w->definitions[i].name, str_of(name))))
        i++;
    assert_true(i < DEFINITIONS_MAX);
    w->definitions_count += i == w->definitions_count;
    w->definitions[i] = (struct rehearse_definition){ .kind = kind,
                                                      .name = str_copy(w->arena, str_of(name)),
                                                      .text = str_copy(w->arena, text),
                                                      .is_draft = true,
                                                      .is_rehearsed = kind == DEFINE_JOURNEY };
}

enum err rehearse_world_define(struct rehearse_world *w, enum definition_kind kind,
                               const char *name, struct str text)
{
    TRY(stage_tell(
        &w->life,
        (struct record){
            .kind = RECORD_DEFINE, .definition_kind = kind, .name = str_of(name), .body = text },
        &w->problem));
    rehearse_world_draft(w, kind, name, text);
    return OK;
}

void rehearse_world_until(struct rehearse_world *w, int64_t at_ms)
{
    assert_ok(stage_until(&w->life, at_ms, &w->problem));
}

void rehearse_world_tell(struct rehearse_world *w, struct record record)
{
    assert_ok(stage_tell(&w->life, record, &w->problem));
}

static const struct json *object_of(struct rehearse_world *w, const char *text)
{
    struct json *object = ARENA_NEW(w->arena, struct json);
    if (text == NULL)
        return NULL;
    assert_ok(json_parse_once(w->arena, str_of(text), object, NULL));
    return object;
}

void rehearse_world_event(struct rehearse_world *w, const char *user, const char *event,
                          const char *properties)
{
    rehearse_world_tell(w, (struct record){ .kind = RECORD_TRACK,
                                            .user_id = str_of(user),
                                            .name = str_of(event),
                                            .properties = object_of(w, properties) });
}

void rehearse_world_traits(struct rehearse_world *w, const char *user, const char *traits)
{
    rehearse_world_tell(w, (struct record){ .kind = RECORD_IDENTIFY,
                                            .user_id = str_of(user),
                                            .properties = object_of(w, traits) });
}

/* ---- the rehearsal ---- */

static uint32_t names_take(struct rehearse_world *w)
{
    const struct program *program = engine_program(w->life.engine);
    uint32_t              count = 0;
    for (uint32_t kind = 1; kind < NAME_KINDS; kind++)
        for (uint32_t id = 0; id < dict_count(program->names[kind]); id++) {
            if (str_is_empty(program_name(program, (enum name_kind)kind, id)))
                continue; /* a place for a name to come */
            assert_true(count < NAMES_MAX);
            w->names[count++] =
                (struct rehearse_name){ (enum name_kind)kind,
                                        kind == NAME_EVENT ? own_to_store(id) : id,
                                        program_name(program, (enum name_kind)kind, id) };
        }
    return count;
}

static enum err hands_run(struct rehearse_world *w, uint32_t hands)
{
    uint32_t each = w->view->profiles / hands + 1;
    TRY(rehearse_result_init(&w->result, w->rehearsal));
    for (uint32_t i = 0; i < hands; i++) {
        uint32_t from = i * each, to = from + each;
        rehearse_hand_close(w->hand);
        w->hand = NULL;
        TRY(rehearse_hand_open(&w->hand, w->rehearsal));
        if (from > w->view->profiles)
            from = w->view->profiles;
        TRY(rehearse_part(w->hand, w->view, from, to < w->view->profiles ? to : w->view->profiles));
        TRY(rehearse_gather(&w->result, w->hand));
    }
    return OK;
}

struct rehearse_conf rehearse_world_conf(struct rehearse_world *w, int64_t from_ms, int64_t to_ms)
{
    return (struct rehearse_conf){ .names = w->names,
                                   .names_count = names_take(w),
                                   .definitions = w->definitions,
                                   .definitions_count = w->definitions_count,
                                   .suppressed = w->suppressed,
                                   .zones = w->zones,
                                   .from_ms = from_ms,
                                   .to_ms = to_ms,
                                   .sample = 3 };
}

enum err rehearse_world_run(struct rehearse_world *w, int64_t from_ms, int64_t to_ms,
                            uint32_t hands)
{
    rehearsal_drop(w);
    struct edition *edition = engine_edition(w->life.engine);
    assert_non_null(edition);
    assert_ok(view_make(&w->view, edition, NULL));
    edition_drop(edition);
    struct rehearse_conf conf = rehearse_world_conf(w, from_ms, to_ms);
    TRY(rehearsal_open(&w->rehearsal, &conf, &w->problem));
    return hands_run(w, hands);
}

/* ---- both, as text ---- */

static void line_write(struct buf *out, const struct rehearse_line *line, struct str journey)
{
    buf_format(out, "%lld %s %.*s", (long long)(line->at_ms - T0), decision_name(line->kind),
               STR_ARG(journey));
    if (line->node.len > 0)
        buf_format(out, ".%.*s", STR_ARG(line->node));
    if (line->template.len > 0)
        buf_format(out, " %.*s", STR_ARG(line->template));
    if (line->text.len > 0)
        buf_format(out, " (%.*s)", STR_ARG(line->text));
    if (line->due_ms != TIME_NEVER)
        buf_format(out, " until %lld", (long long)(line->due_ms - T0));
    buf_char(out, '\n');
}

static const struct decision *lived_decision(const struct rehearse_world *w, uint64_t id)
{
    for (size_t i = 0; i < w->life.out.decisions_count; i++)
        if (w->life.out.decisions[i].id == id)
            return &w->life.out.decisions[i];
    return NULL;
}

/* Written anew from the decisions of life: path.c is what it is compared with. */
static bool lived_line(const struct rehearse_world *w, const struct decision *d,
                       struct rehearse_line *line)
{
    const struct program  *program = engine_program(w->life.engine);
    const struct decision *intent = d;
    *line = (struct rehearse_line){
        .at_ms = d->at_ms, .due_ms = TIME_NEVER, .kind = d->kind, .text = d->text
    };
    switch (d->kind) {
    case DECISION_ENROLLED:
    case DECISION_NOT_ENROLLED:
    case DECISION_HELD_OUT:
        line->journey = (uint32_t)d->subject;
        return true;
    case DECISION_STEP:
        line->due_ms = d->due_ms;
        /* fall through */
    case DECISION_ENDED:
    case DECISION_GOAL:
        line->node = d->node;
        line->journey = d->journey;
        return true;
    case DECISION_WAITING:
    case DECISION_SENT:
    case DECISION_DROPPED:
        line->due_ms = d->kind == DECISION_WAITING ? d->due_ms : TIME_NEVER;
        intent = lived_decision(w, d->subject);
        /* fall through */
    case DECISION_INTENT:
        line->node = intent->node;
        line->journey = intent->journey;
        line->template = program_name(program, NAME_TEMPLATE, intent->other);
        return true;
    default:
        return false;
    }
}

struct str rehearse_world_lived(struct rehearse_world *w, uint32_t person, int64_t to_ms)
{
    SCOPED(buf_donep) struct buf text = buf_make(4 << 20);
    const struct program        *program = engine_program(w->life.engine);
    const struct people         *people = engine_people(w->life.engine);
    struct rehearse_line         line;
    for (size_t i = 0; i < w->life.out.decisions_count; i++) {
        const struct decision *d = &w->life.out.decisions[i];
        if (people_root(people, d->profile) == person && d->at_ms <= to_ms &&
            lived_line(w, d, &line))
            line_write(&text, &line, program_name(program, NAME_JOURNEY, line.journey));
    }
    assert_ok(buf_err(&text));
    return str_copy(w->arena, buf_view(&text));
}

struct str rehearse_world_path(struct rehearse_world *w, uint32_t person)
{
    SCOPED(buf_donep) struct buf text = buf_make(4 << 20);
    struct rehearse_path         path;
    assert_ok(rehearse_person(w->hand, w->view, person, w->arena, &path));
    for (uint32_t i = 0; i < path.count; i++)
        line_write(&text, &path.items[i], w->result.journeys[path.items[i].journey].name);
    assert_ok(buf_err(&text));
    return str_copy(w->arena, buf_view(&text));
}

/* ---- numbers ---- */

const struct rehearse_journey *rehearse_world_journey(const struct rehearse_world *w,
                                                      const char                  *name)
{
    for (uint32_t i = 0; i < w->result.journeys_count; i++)
        if (str_eq(w->result.journeys[i].name, str_of(name)))
            return &w->result.journeys[i];
    fail_msg("no journey %s", name);
    return NULL;
}

const struct rehearse_node *rehearse_world_node(const struct rehearse_journey *journey,
                                                const char                    *id)
{
    for (uint16_t i = 0; i < journey->nodes_count; i++)
        if (str_eq(journey->nodes[i].id, str_of(id)))
            return &journey->nodes[i];
    fail_msg("no node %s", id);
    return NULL;
}

uint64_t rehearse_world_count(struct rehearse_reasons reasons, const char *text)
{
    for (uint32_t i = 0; i < reasons.count; i++)
        if (str_eq(reasons.items[i].text, str_of(text)))
            return reasons.items[i].count;
    return 0;
}
