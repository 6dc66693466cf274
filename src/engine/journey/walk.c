/* Walking: who enters a journey, and where they go. What they wait for is in waiting.c. */
#include "engine/inside.h"
#include "engine/journey/choosing.h"
#include "engine/segment/segment_key.h"

const struct journey_version *journey_version_of(const struct step       *step,
                                                 const struct enrollment *e)
{
    return program_journey_version(step->engine->program, e->journey, e->version);
}

static const struct state *state_of(const struct step *step)
{
    return people_state_get(step->engine->people, step->person);
}

struct enrollment *journey_enrollment(const struct step *step, uint64_t id)
{
    const struct state *state = state_of(step);
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        if (state->rare->enrollments.items[i].id == id)
            return &state->rare->enrollments.items[i];
    return NULL;
}

struct verdict journey_ask(struct step *step, const struct condition *condition,
                           const struct enrollment *enrollment)
{
    struct facts *facts = step_facts(step);
    facts->entry_ms = enrollment->entered_ms;
    facts->entry_key = enrollment->key;
    struct verdict verdict = segment_eval(&condition->program, facts);
    facts->entry_ms = 0;
    facts->entry_key = 0;
    return verdict;
}

/* Who leaves before the goal is watched while its time runs. */
static int64_t watched_until_ms(const struct step *step, const struct enrollment *e)
{
    const struct journey_version *version = journey_version_of(step, e);
    int64_t                       until_ms =
        version == NULL || e->has_goal ? 0 : goal_until_ms(&version->journey, e->entered_ms);
    return until_ms > step->at_ms ? until_ms : 0;
}

enum err enrollment_end(struct step *step, uint32_t i, struct str reason)
{
    const struct enrollment *e = &state_of(step)->rare->enrollments.items[i];
    uint32_t                 journey = e->journey;
    bool                     finished = str_eq(reason, STR("finished"));
    const struct numbers    *heard =
        step->engine->program
            ->journeys_of[finished ? TRIGGER_FINISHED_JOURNEY : TRIGGER_LEFT_JOURNEY];
    TRY(decide(step->engine, step->out,
               (struct decision){ .kind = DECISION_ENDED,
                                  .profile = step->person,
                                  .at_ms = step->at_ms,
                                  .subject = e->id,
                                  .object = e->node,
                                  .due_ms = watched_until_ms(step, e),
                                  .text = reason }));
    if (heard[journey].count > 0)
        step_queue(step, finished ? CONSEQUENCE_FINISHED : CONSEQUENCE_LEFT, journey);
    return OK;
}

static enum err end_by_id(struct step *step, uint64_t id, struct str reason)
{
    const struct state *state = state_of(step);
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        if (state->rare->enrollments.items[i].id == id)
            return enrollment_end(step, i, reason);
    return OK;
}

/* `choice`: the record that chose what is taken; 0: none did. */
static enum err step_tell_by(struct step *step, const struct enrollment *e, uint16_t node,
                             int64_t due_ms, struct str took, uint32_t choice)
{
    return decide(step->engine, step->out,
                  (struct decision){ .kind = DECISION_STEP,
                                     .profile = step->person,
                                     .at_ms = step->at_ms,
                                     .subject = e->id,
                                     .object = node,
                                     .event = choice,
                                     .is_back = step->gives,
                                     .other = e->visit + 1,
                                     .due_ms = due_ms,
                                     .text = took });
}

enum err journey_step_tell(struct step *step, const struct enrollment *e, uint16_t node,
                           int64_t due_ms, struct str took)
{
    return step_tell_by(step, e, node, due_ms, took, 0);
}

/* The first of the node's that can reach the person by now, and may; else the first, whose claim
 * then says why it was held back. */
static uint32_t template_choose(struct step *step, const struct enrollment *e,
                                const struct node *node, uint16_t number)
{
    const struct program *program = step->engine->program;
    for (uint16_t i = 0; i < node->templates_count && node->templates_count > 1; i++) {
        uint32_t       id = program_template(program, node->templates[i]);
        struct message probe = { .enrollment = e->id,
                                 .node = number,
                                 .template_id = id,
                                 .journey = e->journey,
                                 .trigger_seq = e->trigger_seq,
                                 .topic = program_template_at(program, id)->topic };
        if (outbox_would_go(step->engine, step->person, &probe))
            return id;
    }
    return program_template(program, node->template);
}

static enum err message_queue(struct step *step, const struct enrollment *e,
                              const struct node *node, uint16_t number)
{
    const struct program *program = step->engine->program;
    uint32_t              template_id = template_choose(step, e, node, number);
    const struct template_def *template = program_template_at(program, template_id);
    step->out->intents++;
    return decide(step->engine, step->out,
                  (struct decision){ .kind = DECISION_INTENT,
                                     .profile = step->person,
                                     .at_ms = step->at_ms,
                                     .subject = e->id,
                                     .object = number,
                                     .other = template_id,
                                     .topic = template->topic,
                                     .channel = template->channel,
                                     .journey = e->journey,
                                     .event = e->trigger_seq });
}

/* A message whose answer is waited for. */
static int64_t until_of(const struct step *step, const struct node *node)
{
    return node->wait_ms > 0 ? step->at_ms + node->wait_ms : TIME_NEVER;
}

/* The first branch that holds, or the one that the person has a share of, the same each time: by
 * who it is and which node. */
static const struct branch *branch_of(struct step *step, const struct journey *journey,
                                      const struct node *node, const struct enrollment *e)
{
    const struct branch *branches = &journey->branches[node->branches];
    uint32_t             chance = 0;
    if (branches[0].share > 0)
        chance = journey_chance(step, journey, node);
    for (uint16_t i = 0; i < node->branches_count; i++)
        if (branches[i].share > 0 ? chance < branches[i].share
                                  : journey_ask(step, &branches[i].when, e).holds)
            return &branches[i];
    return NULL;
}

static enum err split_go(struct step *step, const struct journey *journey,
                         const struct enrollment *e, uint16_t *at)
{
    const struct node    *node = &journey->nodes[*at];
    const struct choosing choosing = choosing_of(step, journey, e, node);
    const struct branch  *branch =
        choosing.branch != NULL ? choosing.branch : branch_of(step, journey, node, e);
    struct str took = branch != NULL ? branch->name : node->otherwise_name;
    TRY(step_tell_by(step, e, *at, TIME_NEVER, took,
                     choosing.choice == NULL ? 0 : choosing.choice->version));
    *at = branch != NULL ? branch->next : node->otherwise;
    return OK;
}

/* Stands at the node, and does what it says; *at: where it goes on, or JOURNEY_STAYS. */
static enum err arrive(struct step *step, const struct journey *journey, const struct enrollment *e,
                       bool later, uint16_t *at)
{
    const struct node *node = &journey->nodes[*at];
    uint16_t           number = *at;
    switch (node->kind) {
    case NODE_WAIT:
        *at = JOURNEY_STAYS;
        return journey_step_tell(step, e, number, step->at_ms + node->wait_ms, STR_NONE);
    case NODE_WAIT_UNTIL:
    case NODE_WAIT_FOR:
        return waiting_begin(step, e, later, at);
    case NODE_EXIT:
        *at = JOURNEY_END;
        return journey_step_tell(step, e, number, TIME_NEVER, STR_NONE);
    case NODE_MESSAGE:
        *at = node->wait_ms > 0 ? JOURNEY_STAYS : node->next;
        TRY(journey_step_tell(step, e, number, until_of(step, node), STR_NONE));
        return message_queue(step, e, node, number);
    case NODE_SPLIT:
        return split_go(step, journey, e, at);
    case NODE_SET:
    case NODE_RECORD:
    case NODE_LIST:
    case NODE_CONSENT:
    case NODE_START:
        return change_arrive(step, journey, e, at);
    }
    return OK;
}

static bool is_of_audience(const struct journey *journey, const struct facts *facts)
{
    return journey->audience.tree == NULL || segment_eval(&journey->audience.program, facts).holds;
}

static bool is_in_audience(struct step *step, const struct journey *journey)
{
    return is_of_audience(journey, step_facts(step));
}

bool journey_keeps(const struct journey *journey, const struct facts *facts)
{
    return !journey->is_audience_kept || is_of_audience(journey, facts);
}

enum err journey_give(struct step *step, const struct enrollment *e, uint16_t node)
{
    const struct journey_version *version = journey_version_of(step, e);
    struct enrollment             here = *e;
    if (version->journey.is_audience_kept && !is_in_audience(step, &version->journey))
        return journey_leave(step, e->id, STR("is no longer in the audience"));
    step->gives = true;
    enum err err = arrive(step, &version->journey, &here, false, &node);
    step->gives = false;
    return err;
}

enum err journey_walk(struct step *step, uint64_t id, uint16_t at, bool later)
{
    for (int moves = 0; moves <= JOURNEY_NODES_MAX; moves++) {
        struct enrollment            *e = journey_enrollment(step, id);
        const struct journey_version *version =
            e == NULL || !enrollment_is_inside(e) ? NULL : journey_version_of(step, e);
        if (version == NULL)
            return OK; /* what it did itself ended it */
        if (program_journey_state(step->engine->program, e->journey) == JOURNEY_STOPPED)
            return journey_leave(step, id,
                                 STR("the journey was stopped")); /* a job is on its way */
        if (at == JOURNEY_END || at >= version->journey.nodes_count)
            return end_by_id(step, id, STR("finished"));
        if (version->journey.is_audience_kept && !is_in_audience(step, &version->journey))
            return journey_leave(step, id, STR("is no longer in the audience"));
        struct enrollment here = *e;
        TRY(arrive(step, &version->journey, &here, later, &at));
        if (at == JOURNEY_STAYS)
            return OK;
    }
    return end_by_id(step, id, STR("went round without waiting"));
}

enum err journeys_go_on(struct step *step, uint64_t id)
{
    const struct enrollment      *e = journey_enrollment(step, id);
    const struct journey_version *version = e == NULL ? NULL : journey_version_of(step, e);
    if (version == NULL || e->node >= version->journey.nodes_count ||
        program_journey_state(step->engine->program, e->journey) == JOURNEY_PAUSED)
        return OK;
    return journey_walk(step, id, version->journey.nodes[e->node].next, true);
}

enum err journeys_due(struct step *step)
{
    for (;;) {
        const struct state *state = state_of(step);
        uint32_t            i = 0;
        while (i < state->rare->enrollments.count &&
               enrollment_due_ms(step->engine->program, &state->rare->enrollments.items[i]) >
                   step->at_ms)
            i++;
        if (i == state->rare->enrollments.count)
            return OK;
        const struct enrollment      *e = &state->rare->enrollments.items[i];
        const struct journey_version *version = journey_version_of(step, e);
        if (!enrollment_is_inside(e)) {
            TRY(goal_missed(step, i, STR("not in time")));
            continue;
        }
        if (version == NULL || e->node >= version->journey.nodes_count) {
            TRY(enrollment_end(step, i, STR("its journey is gone")));
            continue;
        }
        TRY(waiting_due(step, e));
    }
}

/* Those under way leave no room; NULL: they do. */
static const char *inside_refusal(const struct step *step, uint32_t number,
                                  const struct journey *journey, uint32_t key)
{
    const struct state *state = state_of(step);
    uint32_t            inside = 0;
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        const struct enrollment *e = &state->rare->enrollments.items[i];
        if (e->journey != number)
            continue;
        inside += enrollment_is_inside(e);
        if (enrollment_is_inside(e) && e->key == key && (key != 0 || journey->at_once == 1))
            return "already inside";
        if (e->is_held && e->key == key && goal_holds_out(step, journey))
            return "held out already";
    }
    return inside < journey->at_once ? NULL : "already inside as often as may be at once";
}

static const char *entry_refusal(const struct step *step, uint32_t number,
                                 const struct journey_version *version, uint32_t key)
{
    const struct state *state = state_of(step);
    const char         *refusal = inside_refusal(step, number, &version->journey, key);
    if (refusal != NULL)
        return refusal;
    for (uint32_t i = 0; i < state->rare->pasts.count; i++) {
        const struct past *past = &state->rare->pasts.items[i];
        if (past->journey != number || past->key != key)
            continue;
        if (version->journey.reentry == REENTRY_ONCE)
            return "was inside before, and comes in once";
        if (version->journey.reentry == REENTRY_AFTER &&
            step->at_ms - past->entered_ms < version->journey.reentry_ms)
            return "was inside too short a time ago";
    }
    return NULL;
}

bool journey_event_fits(struct step *step, const struct condition *where, uint32_t key)
{
    if (step->event_seq == 0)
        return false;
    struct facts alone = *step_facts(step);
    alone.runs = &step->event_run;
    alone.runs_count = 1;
    alone.standings = NULL;
    alone.entry_key = key;
    alone.now_ms = step->event_at > alone.now_ms ? step->event_at : alone.now_ms;
    return segment_eval(&where->program, &alone).holds;
}

/* By what the event says somebody is inside; borrowed from its bag, or `bytes`. False: the journey
 * wants a key, and this is none. */
static bool key_of(struct step *step, const struct journey *journey, char bytes[static 32],
                   struct str *out)
{
    struct json value;
    *out = STR_NONE;
    if (str_is_empty(journey->trigger.key_name))
        return true;
    if (step->event_seq != 0 && journey->trigger.key != DICT_NONE &&
        bag_find(bag_at(step_facts(step)->bags, step->event_run.bag[0]), journey->trigger.key,
                 &value))
        *out = segment_key_text(&value, bytes);
    return !str_is_empty(*out);
}

static const char *refusal_of(struct step *step, uint32_t number,
                              const struct journey_version *version, bool has_key, struct str key)
{
    if (step->machine)
        return "has so many events that nothing begins by them";
    if (step->quiet)
        return "nothing begins by what is old or defined anew";
    enum journey_state state = program_journey_state(step->engine->program, number);
    if (state != JOURNEY_RUNS)
        return state == JOURNEY_PAUSED ? "the journey is paused" : "the journey is stopped";
    if (!has_key)
        return "the event does not say the key, or says one of more than 200 bytes";
    const char *refusal = entry_refusal(step, number, version, segment_key_of(key));
    return refusal != NULL || is_in_audience(step, &version->journey) ? refusal
                                                                      : "is not in the audience";
}

/* `cause`: what lets them in, where it is not what begins the journey. */
static enum err enroll(struct step *step, uint32_t number, const struct journey_version *version,
                       struct str cause)
{
    char            bytes[32];
    struct str      key;
    bool            has_key = key_of(step, &version->journey, bytes, &key);
    const char     *refusal = refusal_of(step, number, version, has_key, key);
    bool            is_held = refusal == NULL && goal_holds_out(step, &version->journey);
    struct decision decision = { .kind = refusal != NULL ? DECISION_NOT_ENROLLED
                                         : is_held       ? DECISION_HELD_OUT
                                                         : DECISION_ENROLLED,
                                 .profile = step->person,
                                 .at_ms = step->at_ms,
                                 .subject = number,
                                 .object = version->version,
                                 .event = step->event_seq,
                                 .key = str_copy(step->out->arena, key),
                                 .key_id = segment_key_of(key),
                                 .text = refusal != NULL ? str_of(refusal)
                                         : is_held       ? STR_NONE
                                                         : cause };
    if (key.len > 0 && decision.key.ptr == NULL)
        return ERR_MEMORY;
    if (is_held)
        decision.due_ms = goal_until_ms(&version->journey, step->at_ms);
    if (refusal == NULL)
        TRY(goal_make_room(step, number));
    uint64_t id = step->engine->next_decision;
    step->let_in = id;
    TRY(decide(step->engine, step->out, decision));
    if (refusal != NULL)
        return OK;
    step->engine->enrolled += !is_held;
    TRY(journeys_look(step, LOOK_ALL, 0));
    const struct enrollment *e = journey_enrollment(step, id);
    if (e == NULL || !enrollment_is_inside(e))
        return OK;
    return journey_walk(step, id, 0, step->later);
}

bool journey_is_by_machine(struct step *step)
{
    struct json machine;
    return step->event_seq != 0 && step->event_run.name[0] >= OWN_MESSAGE_SENT &&
           step->event_run.name[0] < RUN_OWN_NAMES &&
           bag_find(bag_at(step_facts(step)->bags, step->event_run.bag[0]), OWN_KEY_MACHINE,
                    &machine) &&
           machine.kind == JSON_BOOL && machine.truth;
}

/* A day by one clock has at least 23 hours; who goes west has the same hour once more. */
#define SCHEDULE_APART_MS (20 * TIME_HOUR_MS)

/* After a start the same instant may be asked about once more. */
static bool clock_was_lived(const struct step *step, uint32_t number, const struct journey *journey)
{
    const struct rare *rare = state_of(step)->rare;
    bool               is_schedule = journey->trigger.clock.until.kind == UNTIL_TIME;
    int64_t            after_ms = step->at_ms - (is_schedule ? SCHEDULE_APART_MS : 1);
    for (uint32_t i = 0; i < rare->pasts.count; i++)
        if (rare->pasts.items[i].journey == number && rare->pasts.items[i].entered_ms > after_ms)
            return true;
    return false;
}

/* A schedule passes over whom it is not for, and says nothing of them. */
static bool clock_is_for(struct step *step, uint32_t number, const struct journey *journey)
{
    if (clock_was_lived(step, number, journey))
        return false;
    const struct condition *where = &journey->trigger.where;
    if (journey->trigger.clock.until.kind != UNTIL_TIME)
        return true;
    return is_in_audience(step, journey) &&
           (where->tree == NULL || segment_eval(&where->program, step_facts(step)).holds);
}

static enum err trigger_one(struct step *step, uint32_t number)
{
    const struct journey_version *version = program_journey_live(step->engine->program, number);
    if (version == NULL)
        return OK;
    const struct condition *where = &version->journey.trigger.where;
    if (version->journey.trigger.kind == TRIGGER_CLOCK)
        return clock_is_for(step, number, &version->journey)
                   ? enroll(step, number, version, STR_NONE)
                   : OK;
    if (where->tree != NULL && !journey_event_fits(step, where, 0))
        return OK;
    if (version->journey.trigger.kind == TRIGGER_EVENT &&
        !version->journey.trigger.hears_machines && journey_is_by_machine(step))
        return OK;
    return enroll(step, number, version, STR_NONE);
}

static const struct numbers *journeys_that_begin(const struct program *program,
                                                 struct consequence    what)
{
    static const enum trigger_kind kinds[] = {
        [CONSEQUENCE_EVENT] = TRIGGER_EVENT,
        [CONSEQUENCE_ENTERED] = TRIGGER_SEGMENT,
        [CONSEQUENCE_CHANGED] = TRIGGER_LEFT_SEGMENT,
        [CONSEQUENCE_JOINED] = TRIGGER_LIST,
        [CONSEQUENCE_DEPARTED] = TRIGGER_LEFT_LIST,
        [CONSEQUENCE_FINISHED] = TRIGGER_FINISHED_JOURNEY,
        [CONSEQUENCE_LEFT] = TRIGGER_LEFT_JOURNEY,
        [CONSEQUENCE_CLOCK] = TRIGGER_CLOCK,
    };
    return &program->journeys_of[kinds[what.kind]][what.number];
}

/* By a node, or by hand: what begins it otherwise is not asked. */
enum err journey_let_in(struct step *step, uint32_t number, struct str cause)
{
    const struct journey_version *version = program_journey_live(step->engine->program, number);
    return version == NULL ? OK : enroll(step, number, version, cause);
}

enum err journeys_trigger(struct step *step, struct consequence what)
{
    if (what.kind == CONSEQUENCE_STARTED)
        return journey_let_in(step, what.number, STR_NONE);
    const struct numbers *journeys = journeys_that_begin(step->engine->program, what);
    if (step->quiet)
        return OK;
    for (uint32_t i = 0; i < journeys->count; i++)
        TRY(trigger_one(step, journeys->items[i]));
    return OK;
}
