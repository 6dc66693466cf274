/* An event, and the segments whose answer it may turn. */
#include "engine/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/space.h"
#include "engine/vec.h"

/* Most events leave most segments as they are, and one look at the event and them tells so. */
static bool stays(const struct step *step, const struct timeline_event *event, struct bag bag,
                  uint32_t segment)
{
    struct membership have = membership_of(step, segment);
    if (have.until_ms <= step->at_ms)
        return false;
    return !segment_can_turn(&step->engine->program->segments.items[segment].program, event->name,
                             bag, have.in);
}

/* Each segment is asked whether it may be turned. */
static enum err hear_by_each(struct step *step, const struct timeline_event *event,
                             const struct numbers *segments)
{
    struct bag bag = bag_at(timeline_bags(step->engine->timeline), event->bag);
    for (uint32_t i = 0; i < segments->count; i++)
        if (!stays(step, event, bag, segments->items[i]))
            TRY(membership_ask(step, segments->items[i]));
    return OK;
}

/*
 * The sums that are kept are of these conditions and this base; NULL while events are removed, and
 * what is told meanwhile is told to none of them.
 */
static struct hear_sums *sums_now(struct engine *engine)
{
    uint64_t round = (uint64_t)engine->program->round << 32 | timeline_base_seq(engine->timeline);
    bool     removes = timeline_has_removals(engine->timeline);
    if (engine->sums == NULL && (engine->sums = calloc(1, sizeof *engine->sums)) != NULL)
        space_large(engine->sums, sizeof *engine->sums);
    if (engine->sums != NULL && engine->sums_round != round)
        engine->sums->round++;
    engine->sums_round = removes ? 0 : round;
    return removes ? NULL : engine->sums;
}

/* Nothing is due for the person, nor dated ahead, nor was anything told meanwhile: the event is
 * the only one that has not been heard. */
static bool is_plain(struct step *step, const struct facts *facts)
{
    if (step->has_told)
        return false;
    if (people_get(step->engine->people, step->person)->wake_ms <= step->at_ms)
        return false;
    for (uint32_t i = 0; i < facts->runs_count; i++) {
        const struct run *run = &facts->runs[i];
        if (run->count > 0 && run->at_ms[run->count - 1] > facts->now_ms)
            return false;
    }
    return true;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Each once, in order of their numbers, whatever the order of the conditions. */
static enum err turned_ask(struct step *step)
{
    struct numbers *turned = &step->engine->turned;
    uint32_t        last = SEGMENT_NO_ID;
    if (turned->count > 1)
        qsort(turned->items, turned->count, sizeof turned->items[0], compare_numbers);
    for (uint32_t i = 0; i < turned->count; i++) {
        if (turned->items[i] != last)
            TRY(membership_ask(step, turned->items[i]));
        last = turned->items[i];
    }
    return OK;
}

void hear_forget(struct engine *engine, uint32_t person)
{
    hear_sums_forget(engine->sums, person);
}

/* `context` is the person's state, which nobody changes while they listen. */
static struct heard_member member_of(const void *context, uint32_t segment)
{
    struct membership have = memberships_of(&((const struct state *)context)->memberships, segment);
    return (struct heard_member){ have.in, have.until_ms };
}

/* Nothing is dated later than the event. */
static bool is_in_order(const struct facts *facts, int64_t at_ms)
{
    for (uint32_t i = 0; i < facts->runs_count; i++) {
        const struct run *run = &facts->runs[i];
        if (run->count > 0 && run->at_ms[run->count - 1] > at_ms)
            return false;
    }
    return true;
}

static enum err turned_room(struct engine *engine, uint32_t room)
{
    if (room > engine->turned.room) {
        uint32_t *items = realloc(engine->turned.items, room * sizeof items[0]);
        if (items == NULL)
            return ERR_MEMORY;
        engine->turned.items = items;
        engine->turned.room = room;
    }
    if (room > engine->sooner_room) {
        struct heard_until *sooner = realloc(engine->sooner, room * sizeof sooner[0]);
        if (sooner == NULL)
            return ERR_MEMORY;
        engine->sooner = sooner;
        engine->sooner_room = room;
    }
    return OK;
}

static struct heard_turned turned_lists(const struct engine *engine)
{
    return (struct heard_turned){ .asked = engine->turned.items, .sooner = engine->sooner };
}

static enum err turned_follow(struct step *step, const struct heard_turned *turned)
{
    step->engine->turned.count = turned->asked_count;
    for (uint32_t i = 0; i < turned->sooner_count; i++)
        TRY(membership_by(step, turned->sooner[i].segment, turned->sooner[i].until_ms));
    return turned_ask(step);
}

static enum err hear_quick(struct step *step, const struct timeline_event *event)
{
    struct engine        *engine = step->engine;
    const struct hearing *hearing;
    const struct facts   *facts = step_facts(step);
    struct heard_event    heard = { .name = event->name,
                                    .seq = event->seq,
                                    .at_ms = event->at_ms,
                                    .bag = bag_at(facts->bags, event->bag),
                                    .in_order = is_in_order(facts, event->at_ms),
                                    .member = member_of,
                                    .context = people_state_get(engine->people, step->person) };
    TRY(program_hearing(engine->program, event->name, &hearing));
    TRY(turned_room(engine, hearing->users_count));
    struct heard_turned turned = turned_lists(engine);
    segment_hear(hearing, facts, &heard, sums_now(engine), &turned);
    return turned_follow(step, &turned);
}

enum err hear(struct step *step, const struct timeline_event *event)
{
    const struct program *program = step->engine->program;
    bool                  own = event->name < RUN_DEEDS;
    bool                  named = event->name < DICT_NAMES_MAX;
    if (!own && named && is_plain(step, step_facts(step)))
        return hear_quick(step, event);
    hear_forget(step->engine, step->person);
    if (!own)
        TRY(hear_by_each(step, event, &program->segments_of_anything));
    return named ? hear_by_each(step, event, &program->segments_of_event[event->name]) : OK;
}

/* ---- traits ---- */

static bool is_same(const struct json *a, const struct json *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind == JSON_STRING ? str_eq(a->string, b->string)
           : a->kind == JSON_INT  ? a->integer == b->integer
           : a->kind == JSON_BOOL ? a->truth == b->truth
                                  : false;
}

static struct json trait_at(const struct step *step, const struct facts *facts, uint16_t key)
{
    struct facts_trait trait;
    bool               known = step->engine->ops.trait(facts, key, &trait);
    return known ? trait.value : (struct json){ .kind = JSON_NULL };
}

static enum err trait_hear(struct step *step, const struct heard_told *told,
                           const struct heard_change *change)
{
    const struct trait_hearing *hearing;
    TRY(program_trait_hearing(step->engine->program, change->trait, &hearing));
    TRY(turned_room(step->engine, hearing->heard.count + hearing->others.count));
    struct heard_turned turned = turned_lists(step->engine);
    segment_hear_trait(&hearing->heard, step_facts(step), told, change, &turned);
    for (uint32_t i = 0; i < hearing->others.count; i++)
        turned.asked[turned.asked_count++] = hearing->others.items[i];
    return turned_follow(step, &turned);
}

/* Two lists would lie in one place: of them nothing is compared. */
static struct heard_change change_of(struct step *step, const struct facts *past, uint16_t key)
{
    struct heard_change change = { .trait = key, .before = trait_at(step, past, key) };
    bool                listed = change.before.kind == JSON_ARRAY;
    change.after = trait_at(step, step_facts(step), key);
    change.same = is_same(&change.before, &change.after);
    change.listed = listed || change.after.kind == JSON_ARRAY;
    return change;
}

enum { CHANGES_MAX = 64 }; /* of which segments hear; beyond that all are asked */

/* Told again as the last word a trait begins nothing anew. False: there are too many. */
static bool changes_find(struct step *step, const struct facts *past,
                         const struct timeline_event *event, struct heard_told *told,
                         struct heard_change *changes)
{
    struct bag      bag = bag_at(timeline_bags(step->engine->timeline), event->bag);
    uint32_t        at = 0, last = DICT_OTHER;
    struct bag_item item;
    for (; bag_next(bag, &at, &item); last = item.key) {
        if (item.key >= DICT_NAMES_MAX || item.key == last)
            continue; /* the elements of a list share a key */
        bool is_place = item.key < told->places.sources;
        bool is_heard = step->engine->program->segments_of_trait[item.key].count > 0;
        if (!is_place && !is_heard)
            continue;
        struct heard_change change = change_of(step, past, item.key);
        if (change.same && !told->late)
            continue;
        told->moves_place = told->moves_place || is_place;
        if (!is_heard)
            continue;
        if (told->count == CHANGES_MAX)
            return false;
        changes[told->count++] = change;
    }
    return true;
}

static enum err traits_hear_each(struct step *step, const struct timeline_event *event)
{
    struct bag      bag = bag_at(timeline_bags(step->engine->timeline), event->bag);
    uint32_t        at = 0, last = DICT_OTHER;
    struct bag_item item;
    for (; bag_next(bag, &at, &item); last = item.key) {
        if (item.key >= DICT_NAMES_MAX || item.key == last)
            continue;
        const struct numbers *segments = &step->engine->program->segments_of_trait[item.key];
        for (uint32_t i = 0; i < segments->count; i++)
            TRY(membership_ask(step, segments->items[i]));
    }
    return OK;
}

enum err hear_traits(struct step *step, const struct timeline_event *event)
{
    struct heard_change changes[CHANGES_MAX];
    struct facts        past = *step_facts(step);
    past.seq_max = event->seq - 1;
    struct heard_told told = { .items = changes,
                               .late = !is_in_order(step_facts(step), event->at_ms),
                               .places = program_places(),
                               .past = &past,
                               .member = member_of,
                               .context = people_state_get(step->engine->people, step->person) };
    if (!is_plain(step, step_facts(step)) || !changes_find(step, &past, event, &told, changes))
        return traits_hear_each(step, event);
    for (uint32_t i = 0; i < told.count; i++)
        TRY(trait_hear(step, &told, &changes[i]));
    return OK;
}

/* ---- someone new ---- */

/* Of whom nothing is known but this event (NULL: not even that) and what the network shows, and who
 * is in no segment. */
static bool is_new(struct step *step, const struct timeline_event *event)
{
    const struct facts *facts = step_facts(step);
    uint32_t            events = 0;
    for (uint32_t i = 0; i < facts->runs_count; i++)
        for (uint32_t k = 0; k < facts->runs[i].count && events < 2; k++)
            events += facts->runs[i].name[k] != OWN_CONTEXT;
    return events == (event != NULL) &&
           people_state_get(step->engine->people, step->person)->memberships.count == 0 &&
           is_plain(step, facts);
}

enum err hear_of_new(struct step *step, const struct timeline_event *event)
{
    struct program       *program = step->engine->program;
    const struct numbers *open;
    struct facts          nothing = *step_facts(step);
    if (!is_new(step, event))
        return membership_ask_all(step);
    nothing.runs_count = 0;
    nothing.standings = NULL;
    TRY(program_open_segments(program, &nothing, &open));
    for (uint32_t i = 0; i < open->count; i++)
        TRY(membership_ask(step, open->items[i]));
    const struct numbers *placed = &program->segments_of_event[OWN_CONTEXT];
    for (uint32_t i = 0; i < placed->count; i++)
        TRY(membership_ask(step, placed->items[i]));
    if (event == NULL)
        return OK;
    if (event->name == OWN_TRAITS)
        return hear_traits(step, event);
    return hear(step, event);
}
