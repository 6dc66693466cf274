#include "engine/inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/checkpoint.h"
#include "engine/vec.h"

enum {
    CONTEXT_BACK_MAX = 4096,
    CLOCK_WAKES_MAX = 1000, /* timers of one clock record */
    JOB_ASKS = 4000,        /* of changed segments, of one clock record */
};

static const char *const text_events[] = {
    [RECORD_PAGE] = "Page",
    [RECORD_SCREEN] = "Screen",
    [RECORD_GROUP] = "Group",
};

enum err engine_open(struct engine **out, struct engine_conf conf)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return ERR_MEMORY;
    assert(conf.next_decision > 0);
    engine->conf = conf;
    for (int i = 0; i < AHEAD; i++)
        engine->ahead[i].steps = PEOPLE_AHEAD_STEPS;
    engine->next_decision = conf.next_decision;
    engine->ops = known_ops_live();
    engine->people = people_open(conf.seed);
    engine->timeline = timeline_open();
    engine->wakes = calendar_open();
    engine->outbox = calendar_open();
    engine->bag = buf_make(BAG_BYTES_MAX);
    if (engine->people == NULL || engine->timeline == NULL || engine->wakes == NULL ||
        engine->outbox == NULL || program_open(&engine->program) != OK) {
        engine_close(engine);
        return ERR_MEMORY;
    }
    engine->program->zones = conf.zones;
    *out = engine;
    return OK;
}

void engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    checkpoint_end(engine);
    people_close(engine->people);
    timeline_close(engine->timeline);
    calendar_close(engine->wakes);
    calendar_close(engine->outbox);
    program_close(engine->program);
    buf_done(&engine->bag);
    buf_done(&engine->detail);
    VEC_DONE(&engine->jobs);
    VEC_DONE(&engine->turned);
    free(engine->sums);
    free(engine);
}

/* ---- events ---- */

static struct str event_text(enum record_kind kind, struct str name)
{
    bool fixed =
        (size_t)kind < sizeof text_events / sizeof text_events[0] && text_events[kind] != NULL;
    return fixed && str_is_empty(name) ? str_of(text_events[kind]) : name;
}

/* The latest identify of one profile: its run and place. */
static bool identify_last(const struct run *runs, uint32_t count, struct run *run, uint32_t *place)
{
    bool found = false;
    for (uint32_t r = 0; r < count; r++)
        for (uint32_t i = runs[r].count; i > 0; i--) {
            uint32_t k = i - 1;
            if (runs[r].name[k] != OWN_TRAITS)
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
    if (!identify_last(runs, count, &run, &place))
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
    if (root->state == NULL || root->state->rare->standings.count == 0 ||
        event->name >= DICT_NAMES_MAX)
        return OK;
    TRY(program_leaves(engine->program, event->name, &leaves));
    standings_tell(&state_rare_own(root->state)->standings, event->name,
                   bag_at(timeline_bags(engine->timeline), event->bag), leaves->items,
                   leaves->count);
    return OK;
}

enum err event_keep(struct engine *engine, const struct timeline_event *event)
{
    TRY(standings_hear(engine, event));
    return timeline_add(engine->timeline, *event);
}

/* Puts one event on the timeline. *event gets its number and place; empty traits are not kept. */
static enum err event_add(struct engine *engine, enum record_kind kind,
                          struct timeline_event *event, struct str name,
                          const struct json *properties, bool *added)
{
    bool       traits = kind == RECORD_IDENTIFY;
    struct str bag;
    *added = false;
    event->name = OWN_TRAITS;
    if (!traits)
        TRY(dict_intern(engine->program->names[NAME_EVENT], event_text(kind, name), &event->name));
    if (!traits && event->name <= OWN_CONTEXT)
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
    const struct run   *latest = NULL;
    uint32_t            place = 0;
    for (uint32_t r = 0; r < facts->runs_count; r++)
        for (uint32_t i = facts->runs[r].count; i > 0; i--) {
            const struct run *run = &facts->runs[r];
            uint32_t          k = i - 1;
            if (run->name[k] != OWN_TRAITS || run->seq[k] == event->seq)
                continue;
            if (latest == NULL || run->at_ms[k] > latest->at_ms[place] ||
                (run->at_ms[k] == latest->at_ms[place] && run->seq[k] > latest->seq[place])) {
                latest = run;
                place = k;
            }
            break;
        }
    return latest != NULL && latest->at_ms[place] <= event->at_ms &&
           event->at_ms <= facts->now_ms && latest->bag[place] == event->bag;
}

static enum err traits_ask(struct step *step, const struct timeline_event *event)
{
    if (traits_repeat(step, event))
        return OK;
    TRY(journeys_exits(step, EXIT_ALL, 0));
    return hear_traits(step, event);
}

static enum err event_ask(struct step *step, const struct timeline_event *event, bool fresh)
{
    const struct program *program = step->engine->program;
    TRY(journeys_exits(step, fresh ? EXIT_ALL : EXIT_EVENT, event->name));
    if (!fresh && event->name >= SEGMENT_OWN_EVENTS)
        TRY(hear_by_each(step, event, program->segments_of_anything.items,
                         program->segments_of_anything.count));
    if (event->name >= DICT_NAMES_MAX)
        return OK;
    if (program->journeys_of_event[event->name].count > 0)
        step_queue(step, CONSEQUENCE_EVENT, event->name);
    if (fresh)
        hear_forget(step->engine, step->person);
    return fresh ? OK : hear(step, event);
}

/* Everything that follows from an event which is on the timeline. */
/* ---- what the network shows of a person ---- */

static struct str context_text(const struct record *record, struct str key)
{
    struct str text = record->context == NULL ? STR_NONE : json_get_str(record->context, key);
    return text.len > ZONE_NAME_BYTES_MAX ? STR_NONE : text;
}

/* The same as the profile's last context before? Those further back than CONTEXT_BACK_MAX events
 * are told again. */
static bool context_is_known(const struct engine *engine, uint32_t profile, int64_t at_ms,
                             const struct str told[3])
{
    static const uint16_t keys[3] = { OWN_KEY_COUNTRY, OWN_KEY_ZONE, OWN_KEY_LOCALE };
    struct run            runs[TIMELINE_RUNS_MAX];
    uint32_t              count = timeline_runs(engine->timeline, profile, runs);
    for (uint32_t r = count; r > 0; r--) {
        const struct run *run = &runs[r - 1];
        uint32_t          end = run->count > CONTEXT_BACK_MAX ? run->count - CONTEXT_BACK_MAX : 0;
        for (uint32_t i = run->count; i > end; i--) {
            if (run->name[i - 1] != OWN_CONTEXT || run->at_ms[i - 1] > at_ms)
                continue;
            struct bag bag = bag_at(timeline_bags(engine->timeline), run->bag[i - 1]);
            for (int k = 0; k < 3; k++) {
                struct json value = { .kind = JSON_NULL };
                if (!bag_find(bag, keys[k], &value) ? !str_is_empty(told[k])
                                                    : !str_eq(value.string, told[k]))
                    return false;
            }
            return true;
        }
    }
    return false;
}

static enum err context_tell(struct engine *engine, const struct record *record, struct out *out,
                             uint32_t profile)
{
    const struct str told[3] = { record->country, context_text(record, STR("timezone")),
                                 context_text(record, STR("locale")) };
    if (str_is_empty(told[0]) && str_is_empty(told[1]) && str_is_empty(told[2]))
        return OK;
    if (context_is_known(engine, profile, record->at_ms, told))
        return OK;
    return decide(engine, out,
                  (struct decision){ .kind = DECISION_CONTEXT,
                                     .profile = profile,
                                     .at_ms = record->at_ms,
                                     .text = told[0],
                                     .zone = told[1],
                                     .locale = told[2] });
}

static enum err event_follow(struct engine *engine, const struct record *record, struct out *out,
                             const struct timeline_event *event, bool added, bool fresh)
{
    struct step step;
    bool        quiet = (record->flags & RECORD_HISTORICAL) != 0 ||
                 record->received_ms - record->at_ms > engine->conf.lateness_ms;
    TRY(step_begin(&step, engine, out, event->profile, engine->now_ms, quiet));
    if (step.machine) {
        hear_forget(engine, step.person);
        return OK;
    }
    step.event_seq = event->seq;
    step.event_run = (struct run){ &event->name, &event->at_ms, &event->seq, &event->bag, 1 };
    step.event_at = event->at_ms;
    step.in_order = !fresh && event->at_ms >= engine->now_ms;

    TRY(context_tell(engine, record, out, event->profile));
    bool traits = event->name == OWN_TRAITS;
    if (!traits)
        TRY(event_ask(&step, event, fresh));
    else if (fresh)
        TRY(journeys_exits(&step, EXIT_ALL, 0));
    else if (added)
        TRY(traits_ask(&step, event));
    if (fresh)
        TRY(hear_of_new(&step, added ? event : NULL));
    return step_run(&step);
}

static enum err event_apply(struct engine *engine, const struct record *record, struct out *out)
{
    struct who            who;
    struct timeline_event event = { .seq = (uint32_t)engine->seq, .at_ms = record->at_ms };
    bool                  added;
    TRY(who_resolve(engine, record, out, &who));
    out->profile = event.profile = who.profile;
    TRY(wakes_before(engine, out, who.profile, record->received_ms));
    TRY(event_add(engine, record->kind, &event, record->name, record->properties, &added));
    if (who.also != PROFILE_NONE)
        TRY(person_ask_all(engine, out, who.also, true));
    return event_follow(engine, record, out, &event, added, who.fresh);
}

static enum err alias_apply(struct engine *engine, const struct record *record, struct out *out)
{
    struct who who;
    TRY(who_alias(engine, record, out, &who));
    out->profile = who.profile;
    if (who.also != PROFILE_NONE)
        TRY(person_ask_all(engine, out, who.also, true));
    return person_ask_all(engine, out, who.profile, false);
}

/* What came of a message: an event of ours on the person's timeline. */
static enum err message_apply(struct engine *engine, const struct record *record, struct out *out)
{
    struct timeline_event event = { .seq = (uint32_t)engine->seq, .at_ms = record->at_ms };
    bool                  added;
    if (record->profile >= people_count(engine->people))
        return ERR_ABSENT;
    out->profile = event.profile = record->profile;
    TRY(wakes_before(engine, out, record->profile, record->received_ms));
    TRY(event_add(engine, record->kind, &event, record->name, record->properties, &added));
    return event_follow(engine, record, out, &event, added, false);
}

static enum err outcome_apply(struct engine *engine, const struct record *record, struct out *out)
{
    TRY(outbox_outcome(engine, record, out));
    out->profile = record->profile;
    if (str_is_empty(record->name))
        return OK;
    return message_apply(engine, record, out);
}

/* ---- consent, lists, definitions ---- */

/* Journeys that mail about the topic are left. Topic 0 is every topic. */
static bool mails_about(const struct program *program, const struct enrollment *e, uint32_t topic)
{
    const struct journey_version *version =
        program_journey_version(program, e->journey, e->version);
    if (version == NULL)
        return false;
    for (uint16_t i = 0; i < version->journey.nodes_count; i++) {
        const struct node *node = &version->journey.nodes[i];
        uint32_t           id =
            node->kind == NODE_EMAIL ? program_template(program, node->email) : SEGMENT_NO_ID;
        if (id == SEGMENT_NO_ID)
            continue;
        const struct template_def *template = &program->templates.items[id];
        if (!template->transactional && (topic == 0 || template->topic == topic))
            return true;
    }
    return false;
}

static enum err withdrawn(struct step *step, uint32_t topic)
{
    for (uint32_t i = 0;; i++) {
        const struct state *state = people_state_get(step->engine->people, step->person);
        if (i >= state->rare->enrollments.count)
            break;
        if (mails_about(step->engine->program, &state->rare->enrollments.items[i], topic)) {
            TRY(enrollment_end(step, i, STR("unsubscribed")));
            i--;
        }
    }
    return outbox_withdraw(step, topic, STR("unsubscribed"));
}

static enum err consent_apply(struct engine *engine, const struct record *record, struct out *out)
{
    uint32_t    topic = 0;
    struct step step;
    bool        granted = str_eq(json_get_str(record->properties, STR("state")), STR("subscribed"));
    enum consent_channel channel;
    if (!channel_of(json_get_str(record->properties, STR("channel")), &channel))
        return ERR_INPUT;
    if (record->profile >= people_count(engine->people))
        return ERR_ABSENT;
    if (!str_is_empty(record->name))
        TRY(program_intern(engine->program, NAME_TOPIC, record->name, &topic));
    out->profile = record->profile;
    TRY(wakes_before(engine, out, record->profile, record->received_ms));
    TRY(step_begin(&step, engine, out, record->profile, engine->now_ms, false));
    TRY(decide(engine, out,
               (struct decision){ .kind = DECISION_CONSENT,
                                  .profile = step.person,
                                  .at_ms = engine->now_ms,
                                  .subject = topic,
                                  .object = granted,
                                  .channel = channel,
                                  .text = json_get_str(record->properties, STR("how")) }));
    if (!granted && (channel == CHANNEL_ALL || channel == CHANNEL_EMAIL))
        TRY(withdrawn(&step, topic));
    return step_run(&step);
}

static bool is_listed(const struct engine *engine, uint32_t person, uint32_t list)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->lists.count; i++)
        if (state->rare->lists.items[i].list == list)
            return true;
    return false;
}

static enum err list_apply(struct engine *engine, const struct record *record, struct out *out)
{
    struct who  who = { .profile = record->profile, .also = PROFILE_NONE };
    uint32_t    list;
    struct step step;
    bool        leave = (record->flags & RECORD_LEAVE) != 0;
    bool        named = !str_is_empty(record->user_id) || !str_is_empty(record->anonymous_id);
    if (!named && record->profile >= people_count(engine->people))
        return ERR_ABSENT;
    TRY(program_intern(engine->program, NAME_LIST, record->name, &list));
    if (named)
        TRY(who_resolve(engine, record, out, &who));
    out->profile = who.profile;
    if (who.also != PROFILE_NONE)
        TRY(person_ask_all(engine, out, who.also, true));
    TRY(wakes_before(engine, out, who.profile, record->received_ms));
    TRY(step_begin(&step, engine, out, who.profile, engine->now_ms,
                   (record->flags & RECORD_HISTORICAL) != 0));
    if (who.fresh) {
        TRY(journeys_exits(&step, EXIT_ALL, 0));
        TRY(membership_ask_all(&step));
    }
    if (is_listed(engine, step.person, list) == leave) {
        TRY(decide(engine, out,
                   (struct decision){ .kind = leave ? DECISION_DEPARTED : DECISION_JOINED,
                                      .profile = step.person,
                                      .at_ms = engine->now_ms,
                                      .subject = list }));
        step_queue(&step, leave ? CONSEQUENCE_DEPARTED : CONSEQUENCE_JOINED, list);
    }
    return step_run(&step);
}

/* Everyone is asked about the segment anew. */
static enum err job_begin(struct engine *engine, uint32_t segment, bool fire)
{
    for (uint32_t i = 0; i < engine->jobs.count; i++)
        if (engine->jobs.items[i].segment == segment) {
            engine->jobs.items[i] = (struct job){ segment, (uint32_t)engine->seq, 0, fire };
            return OK;
        }
    return VEC_ADD(&engine->jobs, (struct job){ segment, (uint32_t)engine->seq, 0, fire });
}

/* The workspace's days begin at other instants now. */
static enum err zone_moved(struct engine *engine)
{
    const struct program *program = engine->program;
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program->segments.items[i].arena != NULL && program->segments.items[i].program.has_zone)
            TRY(job_begin(engine, i, false));
    return OK;
}

/* Those in a journey whose exit asks about the trait (empty: about a stage) are due at once. */
static enum err exits_moved(struct engine *engine, uint32_t person, struct str trait)
{
    const struct state *state = people_state_get(engine->people, person);
    bool                asked = false;
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        const struct enrollment      *e = &state->rare->enrollments.items[i];
        const struct journey_version *version =
            program_journey_version(engine->program, e->journey, e->version);
        if (version == NULL ||
            !program_asks(engine->program, version->journey.exit_when.tree, trait))
            continue;
        if (!asked)
            TRY(checkpoint_before(engine, person));
        asked = true;
        people_state(engine->people, person)->rare->enrollments.items[i].exit_until_ms =
            engine->now_ms;
    }
    return asked ? wake_set(engine, person) : OK;
}

/* What names the trait (empty: a stage) has it anew; segments are asked of everyone, quietly. */
static enum err trait_moved(struct engine *engine, struct str name)
{
    const struct program *program = engine->program;
    for (uint32_t i = 0; i < program->segments.count; i++)
        if (program_segment_asks(program, i, name))
            TRY(job_begin(engine, i, false));
    bool asked = false;
    for (uint32_t i = 0; i < program->journeys.count; i++)
        for (uint32_t k = 0; k < program->journeys.items[i].count; k++)
            asked = asked ||
                    program_journey_asks(program, program->journeys.items[i].versions[k], name);
    for (uint32_t p = 0; asked && p < people_count(engine->people); p++)
        if (people_root(engine->people, p) == p)
            TRY(exits_moved(engine, p, name));
    return OK;
}

static enum err define_apply(struct engine *engine, const struct record *record,
                             struct problem *problem)
{
    uint32_t           number;
    const struct zone *zone = engine->program->zone;
    if (record->definition_kind == DEFINE_WORKSPACE)
        TRY(program_check(engine->program, DEFINE_WORKSPACE, record->name, record->body, problem));
    TRY(program_define(engine->program, record->definition_kind, record->name, record->body,
                       (uint32_t)engine->seq, &number, problem));
    if (engine->program->zone != zone)
        return zone_moved(engine);
    if (record->definition_kind == DEFINE_TRAIT)
        return trait_moved(engine, program_name(engine->program, NAME_TRAIT, number));
    if (record->definition_kind == DEFINE_STAGES)
        return trait_moved(engine, STR_NONE);
    /* A deleted segment is left by everyone, in the same quiet way. */
    return record->definition_kind == DEFINE_SEGMENT
               ? job_begin(engine, number, (record->flags & RECORD_FIRE) != 0)
               : OK;
}

static enum err unmerge_apply(struct engine *engine, const struct record *record, struct out *out,
                              struct problem *problem)
{
    if (record->profile >= people_count(engine->people))
        return ERR_ABSENT;
    uint32_t            person = people_root(engine->people, record->profile);
    const struct state *state = people_state_get(engine->people, person);
    uint32_t            released = PROFILE_NONE;
    for (uint32_t i = 0; i < state->rare->merges.count; i++)
        if (state->rare->merges.items[i].id == record->merge)
            released = state->rare->merges.items[i].from;
    if (released == PROFILE_NONE)
        return problem_set(problem, ERR_ABSENT, "merge", "This person has no such merge.",
                           "Look at the merges on the person's page.");
    TRY(wakes_before(engine, out, person, record->received_ms));
    TRY(decide(engine, out,
               (struct decision){ .kind = DECISION_UNMERGE,
                                  .profile = person,
                                  .at_ms = engine->now_ms,
                                  .subject = record->merge,
                                  .object = released }));
    uint32_t both[2] = { person, people_root(engine->people, released) };
    TRY(own_journeys_tell(engine, out, both[0], both[1]));
    for (int i = 0; i < 2; i++) {
        TRY(own_refusals_tell(engine, out, both[i], STR("merge undone")));
        TRY(person_ask_all(engine, out, both[i], true));
    }
    out->profile = person;
    return OK;
}

/* ---- time ---- */

/* One pass serves all jobs: wakes_before asks whom a job has not reached. */
static enum err jobs_run(struct engine *engine, struct out *out)
{
    uint32_t all = people_count(engine->people), from = all;
    uint32_t most = JOB_ASKS / engine->jobs.count + 1;
    for (uint32_t i = 0; i < engine->jobs.count; i++)
        if (engine->jobs.items[i].cursor < from)
            from = engine->jobs.items[i].cursor;
    uint32_t end = all - from > most ? from + most : all;
    for (uint32_t p = from; p < end; p++)
        if (people_root(engine->people, p) == p)
            TRY(wakes_before(engine, out, p, engine->now_ms));
    for (uint32_t i = engine->jobs.count; i > 0; i--) {
        struct job *job = &engine->jobs.items[i - 1];
        if (job->cursor < end)
            job->cursor = end;
        if (job->cursor == all)
            VEC_REMOVE(&engine->jobs, i - 1);
    }
    return OK;
}

static enum err clock_apply(struct engine *engine, struct out *out)
{
    struct timer timer;
    for (int i = 0; i < CLOCK_WAKES_MAX && calendar_take(engine->wakes, engine->now_ms, &timer);
         i++) {
        struct profile *profile = people_get(engine->people, timer.profile);
        if (profile->timer_ms != timer.due_ms)
            continue; /* an earlier one came in its place */
        profile->timer_ms = TIME_NEVER;
        if (profile->root != timer.profile)
            continue;
        TRY(wakes_before(engine, out, timer.profile, timer.due_ms));
        /* Later by now, or still due after as many as one record may do: its turn comes again. */
        TRY(wake_at(engine, timer.profile, profile->wake_ms));
    }
    return engine->jobs.count > 0 ? jobs_run(engine, out) : OK;
}

/* Who a record is about must have a name that can be kept. */
static enum err ids_check(const struct record *record, struct problem *problem)
{
    bool alias = record->kind == RECORD_ALIAS;
    bool list = record->kind == RECORD_LIST; /* may name the profile by number */
    if (record->user_id.len > IDENTITY_BYTES_MAX || record->anonymous_id.len > IDENTITY_BYTES_MAX ||
        (alias && record->previous_id.len > IDENTITY_BYTES_MAX))
        return problem_set(problem, ERR_INPUT, "userId", "An id is longer than 512 bytes.",
                           "Use the id under which your own database knows the person.");
    if (!list && str_is_empty(record->user_id) && str_is_empty(record->anonymous_id))
        return problem_set(problem, ERR_INPUT, "userId", "The record is about nobody.",
                           "Give it a userId or an anonymousId.");
    if (alias && str_is_empty(record->previous_id))
        return problem_set(problem, ERR_INPUT, "previousId", "An alias needs the earlier id.",
                           "Give previousId.");
    return OK;
}

static enum err record_apply(struct engine *engine, const struct record *record, struct out *out,
                             struct problem *problem)
{
    switch (record->kind) {
    case RECORD_TRACK:
    case RECORD_IDENTIFY:
    case RECORD_PAGE:
    case RECORD_SCREEN:
    case RECORD_GROUP:
        TRY(ids_check(record, problem));
        return event_apply(engine, record, out);
    case RECORD_ALIAS:
        TRY(ids_check(record, problem));
        return alias_apply(engine, record, out);
    case RECORD_MESSAGE:
        return message_apply(engine, record, out);
    case RECORD_CONSENT:
        return consent_apply(engine, record, out);
    case RECORD_LIST:
        TRY(ids_check(record, problem));
        return list_apply(engine, record, out);
    case RECORD_DEFINE:
        return define_apply(engine, record, problem);
    case RECORD_UNMERGE:
        return unmerge_apply(engine, record, out, problem);
    case RECORD_CLOCK:
        return clock_apply(engine, out);
    case RECORD_CLAIM:
        return outbox_claim(engine, out, record->count);
    case RECORD_OUTCOME:
        return outcome_apply(engine, record, out);
    default:
        return problem_set(problem, ERR_INPUT, "kind", "There is no such kind of record.", "");
    }
}

enum err engine_apply(struct engine *engine, const struct record *record, struct out *out,
                      struct problem *problem)
{
    assert(record->seq > engine->seq && record->seq <= UINT32_MAX);
    engine->seq = record->seq;
    if (record->received_ms > engine->now_ms)
        engine->now_ms = record->received_ms;
    out->profile = PROFILE_NONE;
    enum err err = record_apply(engine, record, out, problem);
    /* Also of a refused record: what was decided before the refusal is kept, with its words. */
    TRY(program_names_out(engine->program, out));
    return err;
}

void engine_prefetch(struct engine *engine, const struct record *record)
{
    bool user = !str_is_empty(record->user_id);
    engine->ahead[engine->ahead_next++ % AHEAD] =
        people_ahead_make(engine->people, user ? IDENTITY_USER : IDENTITY_ANONYMOUS,
                          user ? record->user_id : record->anonymous_id);
    for (int i = 0; i < AHEAD; i++) {
        struct people_ahead *ahead = &engine->ahead[i];
        if (ahead->steps >= PEOPLE_AHEAD_STEPS)
            continue;
        people_ahead_step(engine->people, ahead);
        if (ahead->profile != PROFILE_NONE)
            timeline_prefetch(engine->timeline, ahead->profile, ahead->steps - 3);
    }
}

int64_t engine_next_ms(const struct engine *engine)
{
    return engine->jobs.count > 0 ? engine->now_ms : calendar_next_ms(engine->wakes);
}

int64_t engine_outbox_next_ms(const struct engine *engine)
{
    return engine->queued == 0 ? TIME_NEVER : calendar_next_ms(engine->outbox);
}

int64_t engine_now_ms(const struct engine *engine)
{
    return engine->now_ms;
}

bool engine_has_job(const struct engine *engine)
{
    return engine->jobs.count > 0;
}

/* ---- loading ---- */

enum err engine_load_name(struct engine *engine, enum name_kind kind, uint32_t id, struct str text)
{
    return program_name_load(engine->program, kind, id, text);
}

enum err engine_load_definition(struct engine *engine, enum definition_kind kind, struct str name,
                                struct str text, uint32_t version)
{
    uint32_t number;
    enum err err = program_define(engine->program, kind, name, text, version, &number, NULL);
    return err == ERR_MEMORY || err == OK ? err : ERR_CORRUPT;
}

void engine_load_round(struct engine *engine, uint32_t round, uint64_t seq)
{
    engine->round = round;
    engine->loaded_seq = seq;
}

void engine_load_touch(struct engine *engine, uint32_t profile)
{
    if (profile < people_count(engine->people))
        people_get(engine->people, people_root(engine->people, profile))->ask_all = true;
}

/* An event whose name found no place among the names. */
static enum err event_other_load(struct engine *engine, struct timeline_event event,
                                 const struct json *properties)
{
    struct str bag;
    event.name = DICT_OTHER;
    TRY(bag_make(engine, NAME_PROPERTY, properties, &bag));
    TRY(timeline_bag_add(engine->timeline, bag, &event.bag));
    return timeline_add(engine->timeline, event);
}

enum err engine_load_event(struct engine *engine, enum record_kind kind, uint32_t profile,
                           uint32_t seq, int64_t at_ms, struct str name,
                           const struct json *properties)
{
    struct timeline_event event = { .profile = profile, .seq = seq, .at_ms = at_ms };
    bool                  added;
    if (kind != RECORD_IDENTIFY && str_is_empty(name))
        return event_other_load(engine, event, properties);
    return event_add(engine, kind, &event, name, properties, &added);
}

enum err engine_load_decision(struct engine *engine, struct json_parser *parser,
                              struct arena *scratch, struct decision *decision)
{
    TRY(decision_read(engine, parser, scratch, decision));
    engine->seq = decision->seq;
    TRY(decision_apply(engine, decision));
    engine_load_touch(engine, decision->profile);
    return OK;
}

enum err engine_load_told(struct engine *engine, struct json_parser *parser, struct arena *scratch,
                          struct decision *decision)
{
    TRY(decision_read(engine, parser, scratch, decision));
    return own_add(engine, decision);
}

/*
 * A state keeps until when an answer lasts, and that was by the definition of its time: whoever the
 * change left as they were has no decision that says so, and is asked anew.
 */
static enum err changed_ask(struct engine *engine)
{
    const struct program *program = engine->program;
    for (uint32_t i = 0; i < program->segments.count && engine->loaded_seq > 0; i++) {
        bool is_under_way = false;
        for (uint32_t k = 0; k < engine->jobs.count; k++)
            is_under_way = is_under_way || engine->jobs.items[k].segment == i;
        if (program->segments.items[i].version > engine->loaded_seq && !is_under_way)
            TRY(job_begin(engine, i, false));
    }
    return OK;
}

enum err engine_load_end(struct engine *engine, uint64_t seq, int64_t now_ms)
{
    engine->seq = seq;
    engine->now_ms = now_ms;
    TRY(changed_ask(engine));
    for (uint32_t p = 0; p < people_count(engine->people); p++) {
        struct profile *profile = people_get(engine->people, p);
        if (!profile->ask_all)
            continue;
        profile->ask_all = profile->root == p;
        if (profile->root != p)
            people_get(engine->people, profile->root)->ask_all = true;
    }
    for (uint32_t p = 0; p < people_count(engine->people); p++) {
        struct profile *profile = people_get(engine->people, p);
        if (!profile->ask_all)
            continue;
        TRY(wake_at(engine, p, now_ms));
    }
    return OK;
}

uint32_t engine_in_doubt(const struct engine *engine, struct claim *claims, uint32_t most)
{
    uint32_t count = 0;
    for (uint32_t p = 0; p < people_count(engine->people) && engine->sending > 0; p++) {
        const struct profile *profile = people_get(engine->people, p);
        if (profile->state == NULL)
            continue;
        for (uint32_t i = 0; i < profile->state->rare->messages.count && count < most; i++) {
            const struct message *message = &profile->state->rare->messages.items[i];
            if (message->state == MESSAGE_SENDING)
                claims[count++] = (struct claim){ .message = message->id,
                                                  .profile = p,
                                                  .attempt = message->attempt,
                                                  .template_id = message->template_id,
                                                  .journey = message->journey };
        }
    }
    return count;
}
