/*
 * The map of the customer journey: GET /api/v1/map.
 *
 *      visitor              customer              (none)
 *      people               people                people
 *      touchpoints, seen    touchpoints, seen
 *      segments in it       ...                   which of their people stand here
 *      journeys in it       ...                   and which of those inside
 *
 * and beside it each segment with the journeys that ask for it. One view, one instant: each stage,
 * segment and journey is one question to everyone, put to those of a stage by its number.
 *
 * Bounds        below; what is over is left out, and the answer says how many.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/journey_asked.h"
#include "engine/touchpoint.h"
#include "run/api/seeing.h"

enum {
    MAP_GROUPS_MAX = 200, /* segments, and journeys */
    MAP_ASKED = 50,       /* at a time: conditions of one ask */
    MAP_PLACES_MAX = PROGRAM_STAGES_MAX + 1,
};

_Static_assert((int)PROGRAM_STAGES_MAX <= (int)ASK_CONDITIONS_MAX, "stages are asked at once");
_Static_assert((int)MAP_ASKED <= (int)ASK_CONDITIONS_MAX, "and so many segments");
_Static_assert((int)MAP_PLACES_MAX <= UINT8_MAX, "a place is a byte");

/* A segment or a journey, and how many of its people stand where; the last place is no stage. */
struct map_group {
    struct str         name, begins; /* begins: the stage that begins the journey; or empty */
    enum journey_state state;
    uint64_t           at[MAP_PLACES_MAX], people;
    bool               is_uncounted; /* too large with what it names */
};

struct map_touchpoint {
    struct str        name, text;
    struct touchpoint touchpoint;
    uint32_t          place;
    struct str        fault; /* an earlier version took it, and this one cannot read it */
};

struct journey_map {
    struct call           *call;
    struct ask             ask;
    struct str             stages[PROGRAM_STAGES_MAX];
    uint32_t               count; /* of stages: also the place of those in none */
    uint64_t               people[MAP_PLACES_MAX];
    uint8_t               *place; /* by profile: its stage's number and one; 0: none */
    struct map_touchpoint *touchpoints;
    uint32_t               touchpoints_count;
    struct map_group      *segments, *journeys;
    uint32_t               segments_count, journeys_count, segments_left, journeys_left;
    uint8_t               *asked; /* [segment][journey]: bits of enum journey_asked */
    int64_t                days;
    bool                   is_full;
};

/* ---- what there is: on the engine's thread ---- */

static struct str kept(struct journey_map *map, struct str text)
{
    struct str copy = str_copy(map->call->arena, text);
    map->is_full = map->is_full || copy.ptr == NULL;
    return copy;
}

static void stages_copy(struct journey_map *map, const struct program *program)
{
    map->count = program->stages.count;
    for (uint32_t i = 0; i < map->count; i++)
        map->stages[i] = kept(map, program->stages.items[i].name);
}

static void touchpoints_copy(struct journey_map *map, const struct program *program)
{
    for (uint32_t i = 0; i < program->papers.count; i++) {
        const struct paper *paper = &program->papers.items[i];
        if (paper->kind != DEFINE_TOUCHPOINT || map->touchpoints_count == TOUCHPOINTS_MAX)
            continue;
        map->touchpoints[map->touchpoints_count++] =
            (struct map_touchpoint){ .name = kept(map, paper->name),
                                     .text = kept(map, paper->text) };
    }
}

static void segments_copy(struct journey_map *map, const struct program *program)
{
    for (uint32_t i = 0; i < program->segments.count; i++) {
        const struct segment_def *def = &program->segments.items[i];
        if (def->arena == NULL || def->is_stage || def->is_line || def->is_beginning)
            continue;
        if (map->segments_count == MAP_GROUPS_MAX)
            map->segments_left++;
        else
            map->segments[map->segments_count++].name =
                kept(map, program_name(program, NAME_SEGMENT, i));
    }
}

static void journeys_copy(struct journey_map *map, const struct program *program)
{
    for (uint32_t i = 0; i < program->journeys.count; i++) {
        const struct journey_version *live = program_journey_live(program, i);
        if (live == NULL)
            continue;
        if (map->journeys_count == MAP_GROUPS_MAX) {
            map->journeys_left++;
            continue;
        }
        uint32_t          number = map->journeys_count++;
        struct map_group *journey = &map->journeys[number];
        journey->name = kept(map, live->journey.name);
        journey->state = program_journey_state(program, i);
        if (live->journey.trigger.is_stage)
            journey->begins = kept(map, live->journey.trigger.name);
        for (uint32_t s = 0; s < map->segments_count; s++)
            map->asked[s * MAP_GROUPS_MAX + number] =
                (uint8_t)journey_asks_segment(program, live, map->segments[s].name);
    }
}

static bool map_ask(struct engine *engine, struct task *task)
{
    struct journey_map   *map = task->context;
    const struct program *program = engine_program(engine);
    stages_copy(map, program);
    touchpoints_copy(map, program);
    segments_copy(map, program);
    journeys_copy(map, program);
    return true;
}

static int by_name(const void *a, const void *b)
{
    const struct map_touchpoint *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

static enum err touchpoint_read(struct journey_map *map, struct map_touchpoint *one)
{
    struct problem problem = { 0 };
    enum err       err = touchpoint_parse(map->call->arena, one->text, &one->touchpoint, &problem);
    if (err != ERR_INPUT && err != ERR_LIMIT)
        return err;
    one->touchpoint = (struct touchpoint){ 0 };
    one->fault = str_copy(map->call->arena, str_of(problem.what));
    return one->fault.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err map_read(struct journey_map *map)
{
    struct arena *arena = map->call->arena;
    map->touchpoints = ARENA_ARRAY(arena, TOUCHPOINTS_MAX, struct map_touchpoint);
    map->segments = ARENA_ARRAY(arena, MAP_GROUPS_MAX, struct map_group);
    map->journeys = ARENA_ARRAY(arena, MAP_GROUPS_MAX, struct map_group);
    map->asked = ARENA_ARRAY(arena, MAP_GROUPS_MAX * MAP_GROUPS_MAX, uint8_t);
    if (map->touchpoints == NULL || map->segments == NULL || map->journeys == NULL ||
        map->asked == NULL)
        return ERR_MEMORY;
    TRY(call_ask(map->call, map_ask, map));
    if (map->is_full)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < map->touchpoints_count; i++) {
        struct map_touchpoint *one = &map->touchpoints[i];
        TRY(touchpoint_read(map, one));
        while (one->place < map->count && !str_eq(map->stages[one->place], one->touchpoint.stage))
            one->place++;
    }
    if (map->touchpoints_count > 1)
        qsort(map->touchpoints, map->touchpoints_count, sizeof map->touchpoints[0], by_name);
    return OK;
}

/* ---- who stands where: on the crew's threads ---- */

static struct segment_node *asks(struct journey_map *map, enum segment_kind kind, struct str name)
{
    struct segment_node *node = ARENA_NEW(map->call->arena, struct segment_node);
    if (node != NULL)
        *node = (struct segment_node){ .kind = kind, .name = name };
    return node;
}

static enum err match(struct journey_map *map, uint32_t condition, uint64_t *bits)
{
    memset(bits, 0, report_words(&map->ask.report) * sizeof bits[0]);
    return ask_match(&map->ask, &map->ask.conditions[condition].program, bits);
}

static enum err condition_add(struct journey_map *map, enum segment_kind kind, struct str name)
{
    uint32_t                   number;
    const struct segment_node *tree = asks(map, kind, name);
    return tree == NULL
               ? ERR_MEMORY
               : ask_condition(&map->ask, (struct ask_condition){ .where = "map", .tree = tree },
                               &number);
}

static enum err stages_match(struct journey_map *map, uint64_t *bits)
{
    uint64_t in_stages = 0;
    ask_anew(&map->ask);
    for (uint32_t i = 0; i < map->count; i++)
        TRY(condition_add(map, SEGMENT_IN_STAGE, map->stages[i]));
    TRY(ask_compile(&map->ask));
    TRY(ask_everyone(&map->ask));
    if (map->count == 0) /* they are counted beside what is asked */
        TRY(ask_match(&map->ask, NULL, bits));
    for (uint32_t i = 0; i < map->count; i++) {
        TRY(match(map, i, bits));
        for (size_t word = 0; word < report_words(&map->ask.report); word++)
            for (uint64_t left = bits[word]; left != 0; left &= left - 1)
                map->place[word * 64 + (size_t)__builtin_ctzll(left)] = (uint8_t)(i + 1);
        map->people[i] = ask_count(&map->ask, bits);
        in_stages += map->people[i];
    }
    map->people[map->count] = map->ask.people - in_stages;
    return OK;
}

static void group_count(const struct journey_map *map, struct map_group *group,
                        const uint64_t *bits)
{
    size_t words = report_words(&map->ask.report);
    for (size_t word = 0; word < words; word++)
        for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
            uint32_t place = map->place[word * 64 + (uint32_t)__builtin_ctzll(left)];
            group->at[place == 0 ? map->count : place - 1U]++;
            group->people++;
        }
}

/* One that was deleted meanwhile is nobody's. */
static enum err groups_ask(struct journey_map *map, struct map_group *groups, uint32_t count,
                           enum segment_kind kind)
{
    uint32_t number;
    ask_anew(&map->ask);
    for (uint32_t i = 0; i < count; i++)
        if (kind == SEGMENT_IN_SEGMENT)
            TRY(ask_condition(&map->ask,
                              (struct ask_condition){
                                  .where = "map", .name = groups[i].name, .is_absence = true },
                              &number));
        else
            TRY(condition_add(map, kind, groups[i].name));
    return ask_compile(&map->ask);
}

static enum err groups_count(struct journey_map *map, struct map_group *groups, uint32_t count,
                             uint64_t *bits)
{
    for (uint32_t i = 0; i < count; i++) {
        if (map->ask.conditions[i].tree == NULL)
            continue;
        TRY(match(map, i, bits));
        group_count(map, &groups[i], bits);
    }
    return OK;
}

/* Too large with the segments that it names: it is shown without people, and the others with. */
static enum err group_ask(struct journey_map *map, struct map_group *group, enum segment_kind kind,
                          uint64_t *bits)
{
    enum err err = groups_ask(map, group, 1, kind);
    if (err == OK)
        return groups_count(map, group, 1, bits);
    if (err != ERR_LIMIT)
        return err;
    map->call->problem = (struct problem){ 0 };
    group->is_uncounted = true;
    return OK;
}

/* Many at a time; each alone where one of them cannot be asked. */
static enum err groups_match(struct journey_map *map, struct map_group *groups, uint32_t count,
                             enum segment_kind kind, uint64_t *bits)
{
    for (uint32_t from = 0; from < count; from += MAP_ASKED) {
        uint32_t some = count - from < MAP_ASKED ? count - from : MAP_ASKED;
        enum err err = groups_ask(map, groups + from, some, kind);
        if (err == OK)
            TRY(groups_count(map, groups + from, some, bits));
        else if (err != ERR_LIMIT)
            return err;
        for (uint32_t i = from; i < from + some && err == ERR_LIMIT; i++)
            TRY(group_ask(map, &groups[i], kind, bits));
    }
    return OK;
}

static enum err map_count(struct journey_map *map)
{
    uint64_t *bits = ask_bits(&map->ask);
    map->place = ARENA_ARRAY(map->call->arena, map->ask.view->profiles + 1, uint8_t);
    if (bits == NULL || map->place == NULL)
        return ERR_MEMORY;
    TRY(stages_match(map, bits));
    TRY(groups_match(map, map->segments, map->segments_count, SEGMENT_IN_SEGMENT, bits));
    return groups_match(map, map->journeys, map->journeys_count, SEGMENT_IN_JOURNEY, bits);
}

/* ---- written ---- */

struct ordering {
    const struct map_group *groups;
    uint32_t                place;
};

static int by_people(const void *a, const void *b, void *context)
{
    const struct ordering  *ordering = context;
    const struct map_group *x = &ordering->groups[*(const uint8_t *)a];
    const struct map_group *y = &ordering->groups[*(const uint8_t *)b];
    if (x->at[ordering->place] != y->at[ordering->place])
        return x->at[ordering->place] > y->at[ordering->place] ? -1 : 1;
    return str_cmp(x->name, y->name);
}

_Static_assert((int)MAP_GROUPS_MAX <= UINT8_MAX, "a group's number is a byte");

/* Those with people in the place, most first; and journeys that begin by coming there or leaving.
 */
static void groups_write(const struct journey_map *map, const struct map_group *groups,
                         uint32_t count, uint32_t place, struct buf *out)
{
    struct ordering ordering = { groups, place };
    struct str      stage = place < map->count ? map->stages[place] : STR_NONE;
    uint8_t         order[MAP_GROUPS_MAX];
    uint32_t        here = 0;
    for (uint32_t i = 0; i < count; i++)
        if (groups[i].at[place] > 0 || (stage.len > 0 && str_eq(groups[i].begins, stage)))
            order[here++] = (uint8_t)i;
    qsort_r(order, here, sizeof order[0], by_people, &ordering);
    buf_char(out, '[');
    for (uint32_t i = 0; i < here; i++) {
        const struct map_group *group = &groups[order[i]];
        bool                    first = true;
        buf_str(out, i == 0 ? STR("{") : STR(",{"));
        write_text(out, &first, "name", group->name);
        write_int(out, &first, "people", (int64_t)group->at[place]);
        write_int(out, &first, "of", (int64_t)group->people);
        if (stage.len > 0 && str_eq(group->begins, stage))
            buf_str(out, STR(",\"begins\":true"));
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static enum err place_write(struct journey_map *map, uint32_t place, struct buf *out)
{
    bool first = true, any = false;
    buf_char(out, '{');
    if (place < map->count)
        write_text(out, &first, "name", map->stages[place]);
    write_int(out, &first, "people", (int64_t)map->people[place]);
    json_write_key(out, &first, "touchpoints");
    buf_char(out, '[');
    for (uint32_t i = 0; i < map->touchpoints_count; i++) {
        const struct map_touchpoint *one = &map->touchpoints[i];
        bool                         inner = true;
        if (one->place != place)
            continue;
        buf_str(out, any ? STR(",{") : STR("{"));
        any = true;
        write_text(out, &inner, "name", one->name);
        if (one->fault.len > 0)
            write_text(out, &inner, "fault", one->fault);
        else
            TRY(seeing_write(&map->ask, &one->touchpoint, map->days, out, &inner));
        buf_char(out, '}');
    }
    buf_char(out, ']');
    json_write_key(out, &first, "segments");
    groups_write(map, map->segments, map->segments_count, place, out);
    json_write_key(out, &first, "journeys");
    groups_write(map, map->journeys, map->journeys_count, place, out);
    buf_char(out, '}');
    return OK;
}

static void asked_write(uint8_t asked, struct buf *out)
{
    static const char *const words[ASKED_WAYS] = { "trigger", "audience", "exit", "goal", "nodes" };
    bool                     any = false;
    buf_char(out, '[');
    for (int i = 0; i < ASKED_WAYS; i++) {
        if ((asked >> i & 1) == 0)
            continue;
        if (any)
            buf_char(out, ',');
        any = true;
        json_write_str(out, str_of(words[i]));
    }
    buf_char(out, ']');
}

static void segments_write(const struct journey_map *map, struct buf *out)
{
    for (uint32_t s = 0; s < map->segments_count; s++) {
        bool first = true, any = false;
        buf_str(out, s == 0 ? STR("{") : STR(",{"));
        write_text(out, &first, "name", map->segments[s].name);
        if (map->segments[s].is_uncounted)
            buf_str(out, STR(",\"uncounted\":true"));
        else
            write_int(out, &first, "people", (int64_t)map->segments[s].people);
        json_write_key(out, &first, "journeys");
        buf_char(out, '[');
        for (uint32_t j = 0; j < map->journeys_count; j++) {
            uint8_t asked = map->asked[s * MAP_GROUPS_MAX + j];
            bool    inner = true;
            if (asked == 0)
                continue;
            buf_str(out, any ? STR(",{") : STR("{"));
            any = true;
            write_text(out, &inner, "name", map->journeys[j].name);
            json_write_key(out, &inner, "as");
            asked_write(asked, out);
            buf_char(out, '}');
        }
        buf_str(out, STR("]}"));
    }
}

static void journeys_write(const struct journey_map *map, struct buf *out)
{
    for (uint32_t j = 0; j < map->journeys_count; j++) {
        bool first = true;
        buf_str(out, j == 0 ? STR("{") : STR(",{"));
        write_text(out, &first, "name", map->journeys[j].name);
        write_text(out, &first, "state", str_of(journey_state_word(map->journeys[j].state)));
        write_int(out, &first, "people", (int64_t)map->journeys[j].people);
        buf_char(out, '}');
    }
}

static enum err map_write(struct journey_map *map, struct buf *out)
{
    bool first = true, inner = true;
    buf_char(out, '{');
    write_int(out, &first, "people", (int64_t)map->ask.people);
    json_write_key(out, &first, "stages");
    buf_char(out, '[');
    for (uint32_t i = 0; i < map->count; i++) {
        if (i > 0)
            buf_char(out, ',');
        TRY(place_write(map, i, out));
    }
    buf_str(out, STR("],\"none\":"));
    TRY(place_write(map, map->count, out));
    buf_str(out, STR(",\"segments\":["));
    segments_write(map, out);
    buf_str(out, STR("],\"journeys\":["));
    journeys_write(map, out);
    buf_char(out, ']');
    if (map->segments_left + map->journeys_left > 0) {
        json_write_key(out, &first, "left_out");
        buf_char(out, '{');
        write_int(out, &inner, "segments", map->segments_left);
        write_int(out, &inner, "journeys", map->journeys_left);
        buf_char(out, '}');
    }
    ask_write_point(&map->ask, out, &first); /* last: what was never told is known only now */
    buf_char(out, '}');
    return buf_err(out);
}

static enum err answer(struct journey_map *map)
{
    TRY(seeing_days(map->call, &map->days));
    TRY(map_read(map));
    TRY(map_count(map));
    return map_write(map, &map->call->out);
}

enum err map_show(struct call *call)
{
    struct journey_map *map = ARENA_NEW(call->arena, struct journey_map);
    if (map == NULL)
        return ERR_MEMORY;
    map->call = call;
    enum err err = ask_open(&map->ask, call, NULL);
    if (err == OK)
        err = answer(map);
    ask_close(&map->ask);
    return err;
}
