/* Walking: who enters a journey, where they go, and when they leave. */
#include "engine/inside.h"

static const struct journey_version *version_of(const struct step *step, const struct enrollment *e)
{
    return program_journey_version(step->engine->program, e->journey, e->version);
}

static const struct state *state_of(const struct step *step)
{
    return people_state_get(step->engine->people, step->person);
}

static struct enrollment *enrollment_find(const struct step *step, uint64_t id)
{
    const struct state *state = state_of(step);
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        if (state->rare->enrollments.items[i].id == id)
            return &state->rare->enrollments.items[i];
    return NULL;
}

static struct verdict condition_ask(struct step *step, const struct condition *condition,
                                    const struct enrollment *enrollment)
{
    struct facts *facts = step_facts(step);
    facts->entry_ms = enrollment->entered_ms;
    struct verdict verdict = segment_eval(&condition->program, facts);
    facts->entry_ms = 0;
    return verdict;
}

enum err enrollment_end(struct step *step, uint32_t i, struct str reason)
{
    const struct enrollment *e = &state_of(step)->rare->enrollments.items[i];
    return decide(step->engine, step->out,
                  (struct decision){ .kind = DECISION_ENDED,
                                     .profile = step->person,
                                     .at_ms = step->at_ms,
                                     .subject = e->id,
                                     .object = e->node,
                                     .text = reason });
}

static enum err end_by_id(struct step *step, uint64_t id, struct str reason)
{
    const struct state *state = state_of(step);
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        if (state->rare->enrollments.items[i].id == id)
            return enrollment_end(step, i, reason);
    return OK;
}

static enum err step_tell(struct step *step, const struct enrollment *e, uint16_t node,
                          int64_t due_ms, struct str took)
{
    return decide(step->engine, step->out,
                  (struct decision){ .kind = DECISION_STEP,
                                     .profile = step->person,
                                     .at_ms = step->at_ms,
                                     .subject = e->id,
                                     .object = node,
                                     .other = e->visit + 1,
                                     .due_ms = due_ms,
                                     .text = took });
}

static enum err message_queue(struct step *step, const struct enrollment *e,
                              const struct node *node, uint16_t number)
{
    const struct program *program = step->engine->program;
    uint32_t              template_id = program_template(program, node->template);
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

/* Arrives at `at` and goes on until the journey waits or ends. */
static enum err walk(struct step *step, uint64_t id, uint16_t at)
{
    for (int moves = 0; moves <= JOURNEY_NODES_MAX; moves++) {
        struct enrollment            *e = enrollment_find(step, id);
        const struct journey_version *version = e == NULL ? NULL : version_of(step, e);
        if (version == NULL)
            return OK;
        if (at == JOURNEY_END || at >= version->journey.nodes_count)
            return end_by_id(step, id, STR("finished"));

        const struct node *node = &version->journey.nodes[at];
        struct enrollment  here = *e;
        switch (node->kind) {
        case NODE_WAIT:
            return step_tell(step, &here, at, step->at_ms + node->wait_ms, STR_NONE);
        case NODE_EXIT:
            TRY(step_tell(step, &here, at, TIME_NEVER, STR_NONE));
            return end_by_id(step, id, STR("finished"));
        case NODE_MESSAGE:
            TRY(step_tell(step, &here, at, until_of(step, node), STR_NONE));
            TRY(message_queue(step, &here, node, at));
            if (node->wait_ms > 0)
                return OK;
            at = node->next;
            break;
        case NODE_SPLIT: {
            bool yes = condition_ask(step, &node->split, &here).holds;
            TRY(step_tell(step, &here, at, TIME_NEVER, yes ? STR("yes") : STR("no")));
            at = yes ? node->yes : node->no;
            break;
        }
        }
    }
    return end_by_id(step, id, STR("went round without waiting"));
}

enum err journeys_go_on(struct step *step, uint64_t id)
{
    const struct enrollment      *e = enrollment_find(step, id);
    const struct journey_version *version = e == NULL ? NULL : version_of(step, e);
    if (version == NULL || e->node >= version->journey.nodes_count)
        return OK;
    return walk(step, id, version->journey.nodes[e->node].next);
}

enum err journeys_due(struct step *step)
{
    for (;;) {
        const struct state *state = state_of(step);
        uint32_t            i = 0;
        while (i < state->rare->enrollments.count &&
               state->rare->enrollments.items[i].due_ms > step->at_ms)
            i++;
        if (i == state->rare->enrollments.count)
            return OK;
        const struct enrollment      *e = &state->rare->enrollments.items[i];
        const struct journey_version *version = version_of(step, e);
        if (version == NULL || e->node >= version->journey.nodes_count) {
            TRY(enrollment_end(step, i, STR("its journey is gone")));
            continue;
        }
        TRY(walk(step, e->id, version->journey.nodes[e->node].next));
    }
}

static bool exit_needs(const struct journey_version *version, const struct enrollment *e,
                       enum exit_reason reason, uint32_t number, int64_t at_ms)
{
    const struct segment_program *exit_when = &version->journey.exit_when.program;
    if (version->journey.exit_when.tree == NULL)
        return false;
    switch (reason) {
    case EXIT_ALL:
        return true;
    case EXIT_EVENT:
        if (segment_needs_event(exit_when, (uint16_t)number))
            return true;
        break;
    case EXIT_SEGMENT:
        if (segment_needs_segment(exit_when, number))
            return true;
        break;
    case EXIT_LIST:
        if (segment_needs_list(exit_when, number))
            return true;
        break;
    case EXIT_DUE:
        break;
    }
    return e->exit_until_ms <= at_ms;
}

enum err journeys_exits(struct step *step, enum exit_reason reason, uint32_t number)
{
    for (uint32_t i = 0; i < state_of(step)->rare->enrollments.count; i++) {
        struct enrollment *e =
            &people_state(step->engine->people, step->person)->rare->enrollments.items[i];
        const struct journey_version *version = version_of(step, e);
        if (version == NULL || step->machine)
            e->exit_until_ms = TIME_NEVER;
        if (version == NULL || step->machine ||
            !exit_needs(version, e, reason, number, step->at_ms))
            continue;
        struct verdict verdict = condition_ask(step, &version->journey.exit_when, e);
        e->exit_until_ms = verdict.until_ms;
        if (!verdict.holds)
            continue;
        uint64_t id = e->id;
        TRY(enrollment_end(step, i, STR("exit condition holds")));
        TRY(outbox_drop_of(step->engine, step->out, step->person, id,
                           STR("the journey was left before")));
        i--;
    }
    return OK;
}

static const char *entry_refusal(const struct step *step, uint32_t number,
                                 const struct journey_version *version)
{
    const struct state *state = state_of(step);
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        if (state->rare->enrollments.items[i].journey == number)
            return "already inside";
    for (uint32_t i = 0; i < state->rare->pasts.count; i++) {
        const struct past *past = &state->rare->pasts.items[i];
        if (past->journey != number)
            continue;
        if (version->journey.reentry == REENTRY_ONCE)
            return "was inside before, and comes in once";
        if (version->journey.reentry == REENTRY_AFTER &&
            step->at_ms - past->entered_ms < version->journey.reentry_ms)
            return "was inside too short a time ago";
    }
    return NULL;
}

static bool trigger_holds(struct step *step, const struct journey_version *version)
{
    const struct condition *where = &version->journey.trigger.where;
    if (where->tree == NULL)
        return true;
    if (step->event_seq == 0)
        return false;
    struct facts alone = *step_facts(step);
    alone.runs = &step->event_run;
    alone.runs_count = 1;
    alone.standings = NULL;
    alone.now_ms = step->event_at > alone.now_ms ? step->event_at : alone.now_ms;
    return segment_eval(&where->program, &alone).holds;
}

static enum err enroll(struct step *step, uint32_t number, const struct journey_version *version)
{
    const char     *refusal = entry_refusal(step, number, version);
    struct decision decision = { .kind =
                                     refusal == NULL ? DECISION_ENROLLED : DECISION_NOT_ENROLLED,
                                 .profile = step->person,
                                 .at_ms = step->at_ms,
                                 .subject = number,
                                 .object = version->version,
                                 .event = step->event_seq,
                                 .text = str_of(refusal) };
    uint64_t        id = step->engine->next_decision;
    TRY(decide(step->engine, step->out, decision));
    if (refusal != NULL)
        return OK;
    step->engine->enrolled++;
    TRY(journeys_exits(step, EXIT_ALL, 0));
    if (enrollment_find(step, id) == NULL)
        return OK;
    return walk(step, id, 0);
}

/* A scanner or a prefetcher opened or clicked; the person may not even have seen the mail. */
static bool is_by_machine(struct step *step)
{
    struct json machine;
    return step->event_seq != 0 && step->event_run.name[0] >= OWN_MESSAGE_SENT &&
           step->event_run.name[0] < RUN_OWN_NAMES &&
           bag_find(bag_at(step_facts(step)->bags, step->event_run.bag[0]), OWN_KEY_MACHINE,
                    &machine) &&
           machine.kind == JSON_BOOL && machine.truth;
}

static enum err trigger_one(struct step *step, uint32_t number)
{
    const struct journey_version *version = program_journey_live(step->engine->program, number);
    if (version == NULL || !trigger_holds(step, version))
        return OK;
    if (version->journey.trigger.kind == TRIGGER_EVENT &&
        !version->journey.trigger.hears_machines && is_by_machine(step))
        return OK;
    return enroll(step, number, version);
}

static const struct numbers *journeys_that_begin(const struct program *program,
                                                 struct consequence    what)
{
    switch (what.kind) {
    case CONSEQUENCE_EVENT:
        return &program->journeys_of_event[what.number];
    case CONSEQUENCE_ENTERED:
        return &program->journeys_of_segment[what.number];
    case CONSEQUENCE_JOINED:
        return &program->journeys_of_list[what.number];
    default:
        return NULL;
    }
}

enum err journeys_trigger(struct step *step, struct consequence what)
{
    const struct numbers *journeys = journeys_that_begin(step->engine->program, what);
    if (step->quiet || journeys == NULL)
        return OK;
    for (uint32_t i = 0; i < journeys->count; i++)
        TRY(trigger_one(step, journeys->items[i]));
    return OK;
}
