/*
 * An event: onto the person's timeline, and what is asked because of it.
 */
#include "engine/answers.h"
#include "engine/inside.h"
#include "engine/journey/enrolling.h"

#include <string.h>

static const char *const text_events[] = {
    [RECORD_PAGE] = "Page",
    [RECORD_SCREEN] = "Screen",
    [RECORD_GROUP] = "Group",
};

static struct str event_text(enum record_kind kind, struct str name)
{
    bool fixed =
        (size_t)kind < sizeof text_events / sizeof text_events[0] && text_events[kind] != NULL;
    return fixed && str_is_empty(name) ? str_of(text_events[kind]) : name;
}

/* The latest identify in the runs but that of record `but`: its run and place. */
static bool identify_last(const struct run *runs, uint32_t count, uint32_t but, struct run *run,
                          uint32_t *place)
{
    bool found = false;
    for (uint32_t r = 0; r < count; r++)
        for (uint32_t i = runs[r].count; i > 0; i--) {
            uint32_t k = i - 1;
            if (runs[r].name[k] != OWN_TRAITS || runs[r].seq[k] == but)
                continue;
            if (!found || runs[r].at_ms[k] > run->at_ms[*place] ||
                (runs[r].at_ms[k] == run->at_ms[*place] && runs[r].seq[k] > run->seq[*place])) {
                *run = runs[r];
                *place = k;
                found = true;
            }
            break;
        }
    return found;
}

/* Clients tell the same traits with every page: the bag is kept once. Its place, or 0. */
static uint32_t bag_same(const struct engine *engine, const struct timeline_event *event,
                         struct str bag)
{
    struct run runs[TIMELINE_RUNS_MAX], run = { 0 };
    uint32_t   place = 0, count = timeline_runs(engine->timeline, event->profile, runs);
    if (!identify_last(runs, count, event->seq, &run, &place))
        return 0;
    struct bag have = bag_at(timeline_bags(engine->timeline), run.bag[place]);
    /* A bag's items lie 4 bytes into what bag_write gives, before the padding. */
    bool same = have.len > 0 && have.len + 4 <= bag.len &&
                bag.len - have.len - 4 < BAG_UNIT_BYTES &&
                memcmp(have.bytes, bag.ptr + 4, have.len) == 0 &&
                !timeline_bag_may_go(engine->timeline, run.bag[place]);
    return same ? run.bag[place] : 0;
}

enum err bag_make(struct engine *engine, enum name_kind keys, const struct json *object,
                  struct str *out)
{
    buf_reset(&engine->bag);
    *out = STR_NONE;
    if (object == NULL || object->kind != JSON_OBJECT)
        return OK;
    enum err err = bag_write(&engine->bag, engine->program->names[keys], object, NULL);
    if (err == ERR_LIMIT)
        return OK; /* too many properties to index: the event counts, its payload is in the store */
    TRY(err);
    *out = buf_view(&engine->bag);
    return OK;
}

/* Of the person's answers that stand, those are forgotten that the event may have turned. */
static enum err standings_hear(struct engine *engine, const struct timeline_event *event)
{
    const struct leaves *leaves;
    if (event->profile >= people_count(engine->people))
        return OK; /* on load, events come before the decisions that make their people */
    struct profile *root = people_get(engine->people, people_root(engine->people, event->profile));
    if (root->state == NULL || root->state->rarer->standings.count == 0 ||
        event->name >= DICT_NAMES_MAX)
        return OK;
    TRY(program_leaves(engine->program, event->name, &leaves));
    standings_tell(&state_rarer_own(root->state)->standings, event->name,
                   bag_at(timeline_bags(engine->timeline), event->bag), leaves->items,
                   leaves->count);
    return OK;
}

enum err event_keep(struct engine *engine, const struct timeline_event *event)
{
    TRY(standings_hear(engine, event));
    return timeline_add(engine->timeline, *event);
}

enum err event_put(struct engine *engine, enum record_kind kind, struct timeline_event *event,
                   struct str name, const struct json *properties, bool *added)
{
    bool       traits = kind == RECORD_IDENTIFY;
    struct str bag;
    *added = false;
    event->name = OWN_TRAITS;
    if (!traits)
        TRY(dict_intern(engine->program->names[NAME_EVENT], event_text(kind, name), &event->name));
    bool ours = kind == RECORD_MESSAGE || kind == RECORD_OUTCOME || kind == RECORD_ENROLL;
    if (!traits && !ours && (event->name < RUN_OWN_NAMES || enrolling_is_name(name)))
        event->name = DICT_OTHER; /* a stranger's event is none of ours, whatever its name */
    TRY(bag_make(engine, traits ? NAME_TRAIT : NAME_PROPERTY, properties, &bag));
    if (traits && bag.len == 0)
        return OK;
    event->bag = traits ? bag_same(engine, event, bag) : 0;
    if (event->bag == 0)
        TRY(timeline_bag_add(engine->timeline, bag, &event->bag));
    *added = true;
    return event_keep(engine, event);
}

/* True when the person's identify before this one said the very same: nothing can change. */
static bool traits_repeat(struct step *step, const struct timeline_event *event)
{
    const struct facts *facts = step_facts(step);
    struct run          run = { 0 };
    uint32_t            place = 0;
    return identify_last(facts->runs, facts->runs_count, event->seq, &run, &place) &&
           run.at_ms[place] <= event->at_ms && event->at_ms <= facts->now_ms &&
           run.bag[place] == event->bag;
}

static enum err traits_ask(struct step *step, const struct timeline_event *event)
{
    if (traits_repeat(step, event))
        return OK;
    TRY(journeys_look(step, LOOK_ALL, 0));
    return hear_traits(step, event);
}

static enum err event_ask(struct step *step, const struct timeline_event *event, bool fresh)
{
    const struct program *program = step->engine->program;
    step->hears = !step->quiet;
    TRY(journeys_look(step, fresh ? LOOK_ALL : LOOK_EVENT, event->name));
    step->hears = false;
    if (event->name < DICT_NAMES_MAX && program->journeys_of[TRIGGER_EVENT][event->name].count > 0)
        step_queue(step, CONSEQUENCE_EVENT, event->name);
    if (fresh)
        hear_forget(step->engine, step->person);
    return fresh ? OK : hear(step, event);
}

enum err told_follow(struct step *step, const struct timeline_event *event)
{
    if (step->machine)
        return OK;
    if (event->name != OWN_TRAITS)
        return event_ask(step, event, false);
    /* Also where another node told the same meanwhile: then that is what began it all anew. */
    TRY(journeys_look(step, LOOK_ALL, 0));
    return hear_traits(step, event);
}

bool record_is_old(const struct engine *engine, const struct record *record)
{
    return (record->flags & RECORD_HISTORICAL) != 0 ||
           record->received_ms - record->at_ms > engine->conf.lateness_ms;
}

enum err event_follow(struct engine *engine, const struct record *record, struct out *out,
                      const struct timeline_event *event, bool added, bool fresh)
{
    struct step step;
    TRY(step_begin(&step, engine, out, event->profile, engine->now_ms,
                   record_is_old(engine, record)));
    if (step.machine) {
        hear_forget(engine, step.person);
        return OK;
    }
    step_because(&step, event);
    step.moved = fresh ? STEP_MOVED : engine->moved;
    step.in_order = !fresh && event->at_ms >= engine->now_ms;

    TRY(context_tell(engine, record, out, event->profile));
    if ((record->flags & RECORD_GPC) != 0)
        TRY(consent_gpc(&step, record));
    bool traits = event->name == OWN_TRAITS;
    if (!traits)
        TRY(event_ask(&step, event, fresh));
    else if (fresh)
        TRY(journeys_look(&step, LOOK_ALL, 0));
    else if (added)
        TRY(traits_ask(&step, event));
    if (fresh)
        TRY(hear_of_new(&step, added ? event : NULL));
    return step_run(&step);
}

/* Traits and what came of messages are kept however old. */
bool event_is_older(const struct engine *engine, enum record_kind kind, struct str name,
                    int64_t at_ms)
{
    if (kind != RECORD_TRACK && kind != RECORD_PAGE && kind != RECORD_SCREEN &&
        kind != RECORD_GROUP)
        return false;
    if (!retain_hides_any(engine))
        return false;
    struct str text = event_text(kind, name);
    uint16_t   number = str_is_empty(text) ? (uint16_t)DICT_OTHER
                                           : dict_find(engine->program->names[NAME_EVENT], text);
    return retain_hides(engine, number < RUN_OWN_NAMES ? (uint16_t)DICT_OTHER : number, at_ms);
}

/* By its ids; or by number, where Dult itself tells something of somebody it knows. */
static enum err whose(struct engine *engine, const struct record *record, struct out *out,
                      struct who *who)
{
    if ((record->flags & RECORD_NUMBERED) == 0)
        return who_resolve(engine, record, out, who);
    if (record->profile >= people_count(engine->people) ||
        people_is_nobody(engine->people, record->profile))
        return ERR_ABSENT;
    *who = (struct who){ .profile = record->profile, .also = PROFILE_NONE };
    return OK;
}

enum err apply_event(struct engine *engine, const struct record *record, struct out *out)
{
    struct who            who;
    struct timeline_event event = { .at_ms = record->at_ms };
    bool                  added;
    out->older = event_is_older(engine, record->kind, record->name, record->at_ms);
    if (out->older) {
        engine->retaining.older++;
        return OK; /* it never happened: nobody is made by it, and nothing due because of it */
    }
    TRY(whose(engine, record, out, &who));
    out->profile = event.profile = who.profile;
    TRY(wakes_before(engine, out, who.profile, record->received_ms));
    event.seq = (uint32_t)engine->number;
    TRY(event_put(engine, record->kind, &event, record->name, record->properties, &added));
    if (who.also != PROFILE_NONE)
        TRY(person_ask_all(engine, out, who.also, true));
    return event_follow(engine, record, out, &event, added, who.fresh);
}

/* By hand it is only said while nobody knows. */
static bool is_believed(const struct engine *engine, const struct record *record)
{
    return (record->flags & RECORD_SETTLE) == 0 ||
           doubt_has(engine, people_root(engine->people, record->profile), record->message);
}

/* What came of a message: an event of ours on the person's timeline. */
enum err apply_message(struct engine *engine, const struct record *record, struct out *out)
{
    struct timeline_event event = { .at_ms = record->at_ms };
    bool                  added;
    if (people_is_nobody(engine->people, record->profile) || !is_believed(engine, record))
        return ERR_ABSENT;
    out->profile = event.profile = record->profile;
    TRY(wakes_before(engine, out, record->profile, record->received_ms));
    event.seq = (uint32_t)engine->number;
    TRY(event_put(engine, record->kind, &event, record->name, record->properties, &added));
    TRY(suppress_heard(engine, record, people_root(engine->people, record->profile), out));
    TRY(braking_hear(engine, record, out));
    TRY(doubt_hear(engine, record, out));
    return event_follow(engine, record, out, &event, added, false);
}

/* Decided with whom the message lies; of one who was erased since, for whom it was claimed, no
 * event is kept. */
enum err apply_outcome(struct engine *engine, const struct record *record, struct out *out)
{
    uint32_t person = parting_bearer(engine, record->profile, record->outcome.message);
    /* A wait for this answer that was over before it came is over. */
    if (!people_is_nobody(engine->people, person))
        TRY(wakes_before(engine, out, person, record->received_ms));
    uint64_t awaited = answers_awaited(engine, person, record->outcome.message);
    bool     is_kept = !people_is_nobody(engine->people, record->profile);
    TRY(outbox_outcome(engine, record, out));
    out->profile = record->profile;
    if (is_kept && !str_is_empty(record->name))
        TRY(apply_message(engine, record, out));
    TRY(answers_heard(engine, out, person, awaited));
    return is_kept ? OK : ERR_ABSENT;
}
