/* Waiting: until a time or a date, for an event or a condition; and when a journey is left. */
#include "engine/answers.h"
#include "engine/inside.h"
#include "engine/journey/best_hour.h"

bool journey_asks(const struct segment_program *program, enum look_reason reason, uint32_t number)
{
    switch (reason) {
    case LOOK_ALL:
        return true;
    case LOOK_EVENT:
        return segment_needs_event(program, (uint16_t)number);
    case LOOK_SEGMENT:
        return segment_needs_segment(program, number);
    case LOOK_LIST:
        return segment_needs_list(program, number);
    case LOOK_DUE:
        break;
    }
    return false;
}

/* Looked at again then, if not before. */
static void look_by(struct step *step, uint64_t id, int64_t until_ms)
{
    struct enrollment *e = journey_enrollment(step, id);
    if (e != NULL && until_ms < e->look_ms)
        e->look_ms = until_ms;
}

/* ---- until ---- */

/* The computed trait that is waited for, or NULL. */
static const struct computed_def *computed_of(const struct step *step, const struct until *until)
{
    return until->kind == UNTIL_TRAIT && !until->is_entry
               ? program_computed(step->engine->program, until->trait)
               : NULL;
}

int64_t waiting_end_ms(struct step *step, const struct until *until, int64_t entered_ms,
                       int64_t from_ms, bool later, int64_t *look_ms)
{
    const struct computed_def *def = computed_of(step, until);
    char                       entry[TIME_TEXT_BYTES];
    const struct facts        *facts = step_facts(step);
    struct facts_trait         told;
    struct json                value = { .kind = JSON_NULL };
    int64_t                    zone_ms, value_ms = TIME_NEVER;
    const struct zone         *zone = facts->ops->zone(facts, &zone_ms);
    bool                       is_known = false;
    if (until->is_entry) {
        is_known = true;
        value =
            (struct json){ .kind = JSON_STRING, .string = str_of(time_write(entered_ms, entry)) };
    } else if (def != NULL) {
        is_known = segment_value(&def->program, facts, &value, &value_ms);
    } else if (until->kind == UNTIL_TRAIT) {
        is_known = facts->ops->trait(facts, until->key, &told);
        value = told.value;
        value_ms = told.until_ms;
    }
    *look_ms = zone_ms < value_ms ? zone_ms : value_ms;
    struct until best = *until;
    if (until->is_best) {
        best.time_ms = best_hour_ms(facts, zone, until->time_ms);
        *look_ms = TIME_NEVER;
    }
    return until_end_ms(&best, zone, is_known ? &value : NULL, from_ms, later);
}

static enum err until_begin(struct step *step, const struct node *node, const struct enrollment *e,
                            bool later, uint16_t *at)
{
    int64_t look_ms,
        end_ms = waiting_end_ms(step, &node->until, e->entered_ms, step->at_ms, later, &look_ms);
    uint16_t number = *at;
    if (end_ms == TIME_NEVER || end_ms < step->at_ms) {
        *at = node->otherwise;
        return journey_step_tell(step, e, number, TIME_NEVER,
                                 end_ms == TIME_NEVER ? STR("the date is not known")
                                                      : STR("the date is past"));
    }
    /* A date that does not come again, of who has just waited for one: a timer for this very
     * instant would be one without end where journeys begin each other. */
    bool is_now = later && end_ms == step->at_ms;
    *at = is_now ? node->next : JOURNEY_STAYS;
    TRY(journey_step_tell(step, e, number, is_now ? TIME_NEVER : end_ms, STR_NONE));
    if (!is_now)
        look_by(step, e->id, look_ms);
    return OK;
}

/* The best hour is that of when the wait began: a click that comes meanwhile is for the next one.
 */
static bool until_asks(const struct step *step, const struct until *until, enum look_reason reason,
                       uint32_t number)
{
    if (until->is_best)
        return false;
    if (reason == LOOK_ALL || (reason == LOOK_EVENT && number == OWN_CONTEXT))
        return until->kind != UNTIL_INSTANT;
    const struct computed_def *def = computed_of(step, until);
    return def != NULL && journey_asks(&def->program, reason, number);
}

/* The person's date or zone may be another by now: who waits for another time than is theirs
 * arrives anew. */
static enum err until_look(struct step *step, const struct node *node, const struct enrollment *e)
{
    int64_t look_ms,
        end_ms = waiting_end_ms(step, &node->until, e->entered_ms, e->due_ms, false, &look_ms);
    uint64_t id = e->id;
    if (end_ms != e->due_ms)
        return journey_walk(step, id, e->node, step->later);
    look_by(step, id, look_ms);
    return OK;
}

/* ---- for ---- */

static enum err for_take(struct step *step, const struct branch *branch, const struct enrollment *e,
                         uint16_t number)
{
    return journey_step_tell(step, e, number, TIME_NEVER, branch->name);
}

static enum err for_begin(struct step *step, const struct node *node, const struct branch *branch,
                          const struct enrollment *e, uint16_t *at)
{
    struct verdict verdict = { false, TIME_NEVER };
    uint16_t       number = *at;
    if (!node->is_event)
        verdict = journey_ask(step, &branch->when, e);
    *at = verdict.holds ? branch->next : JOURNEY_STAYS;
    if (verdict.holds)
        return for_take(step, branch, e, number);
    TRY(journey_step_tell(step, e, number, step->at_ms + node->wait_ms, STR_NONE));
    look_by(step, e->id, verdict.until_ms);
    return OK;
}

static bool has_come(struct step *step, const struct node *node, const struct branch *branch,
                     const struct enrollment *e)
{
    if (node->is_event)
        return step->hears && journey_event_fits(step, &branch->when, e->key) &&
               (node->hears_machines || !journey_is_by_machine(step));
    struct verdict verdict = journey_ask(step, &branch->when, e);
    look_by(step, e->id, verdict.until_ms);
    return verdict.holds;
}

static enum err for_look(struct step *step, const struct node *node, const struct branch *branch,
                         const struct enrollment *e)
{
    struct enrollment here = *e;
    if (!has_come(step, node, branch, &here))
        return OK;
    TRY(for_take(step, branch, &here, here.node));
    return journey_walk(step, here.id, branch->next, true);
}

/* ---- of a node ---- */

enum err waiting_begin(struct step *step, const struct enrollment *e, bool later, uint16_t *at)
{
    const struct journey *journey = &journey_version_of(step, e)->journey;
    const struct node    *node = &journey->nodes[*at];
    return node->kind == NODE_WAIT_UNTIL
               ? until_begin(step, node, e, later, at)
               : for_begin(step, node, &journey->branches[node->branches], e, at);
}

/* Who has just entered stands nowhere yet. */
static const struct node *node_of(const struct journey_version *version, const struct enrollment *e)
{
    return e->visit > 0 && e->node < version->journey.nodes_count ? &version->journey.nodes[e->node]
                                                                  : NULL;
}

static bool wait_asks(const struct step *step, const struct journey *journey,
                      const struct node *node, enum look_reason reason, uint32_t number)
{
    if (node != NULL && node->kind == NODE_WAIT_UNTIL)
        return until_asks(step, &node->until, reason, number);
    return node != NULL && node->kind == NODE_WAIT_FOR &&
           journey_asks(&journey->branches[node->branches].when.program, reason, number);
}

static enum err wait_look(struct step *step, const struct journey *journey, const struct node *node,
                          const struct enrollment *e)
{
    if (node != NULL && node->kind == NODE_WAIT_UNTIL)
        return node->until.is_best ? OK : until_look(step, node, e);
    if (node != NULL && node->kind == NODE_WAIT_FOR)
        return for_look(step, node, &journey->branches[node->branches], e);
    /* Its webhook may have been answered while the journey stood still. */
    if (node != NULL && node->kind == NODE_MESSAGE && node->wait_ms > 0 && e->due_ms != TIME_NEVER)
        return answers_go_on(step, e->id);
    return OK;
}

enum err waiting_due(struct step *step, const struct enrollment *e)
{
    const struct journey *journey = &journey_version_of(step, e)->journey;
    const struct node    *node = &journey->nodes[e->node];
    struct enrollment     here = *e;
    step->later = step->later || node->kind == NODE_WAIT_UNTIL;
    if (node->kind != NODE_WAIT_FOR)
        return journey_walk(step, here.id, node->next, node->kind == NODE_WAIT_UNTIL);
    TRY(journey_step_tell(step, &here, here.node, TIME_NEVER, node->otherwise_name));
    return journey_walk(step, here.id, node->otherwise, false);
}

/* ---- all that a person is inside of ---- */

enum err journey_leave(struct step *step, uint64_t id, struct str reason)
{
    const struct state *state = people_state_get(step->engine->people, step->person);
    uint32_t            i = 0;
    while (i < state->rare->enrollments.count && state->rare->enrollments.items[i].id != id)
        i++;
    if (i == state->rare->enrollments.count)
        return OK;
    TRY(enrollment_end(step, i, reason));
    return outbox_drop_of(step->engine, step->out, step->person, id,
                          STR("the journey was left before"));
}

/* The goal, and the exit. *gone: it is over. */
static enum err ends_look(struct step *step, uint32_t i, bool *gone)
{
    TRY(goal_look(step, i, gone));
    const struct enrollment *e =
        &people_state_get(step->engine->people, step->person)->rare->enrollments.items[i];
    if (*gone || !enrollment_is_inside(e))
        return OK;
    const struct condition *exit_when = &journey_version_of(step, e)->journey.exit_when;
    if (exit_when->tree == NULL)
        return OK;
    struct verdict verdict = journey_ask(step, exit_when, e);
    look_by(step, e->id, verdict.until_ms);
    *gone = verdict.holds;
    return verdict.holds ? journey_leave(step, e->id, STR("exit condition holds")) : OK;
}

/* Of what is asked here neither answer stands any longer: both are asked. */
static enum err look_at(struct step *step, uint32_t i, enum look_reason reason, uint32_t number)
{
    struct enrollment *e =
        &people_state(step->engine->people, step->person)->rare->enrollments.items[i];
    const struct journey_version *version = journey_version_of(step, e);
    if (version == NULL || step->machine) {
        e->look_ms = TIME_NEVER;
        return OK;
    }
    const struct journey   *journey = &version->journey;
    const struct condition *exit_when = &journey->exit_when;
    const struct node      *node = node_of(version, e);
    bool                    is_inside = enrollment_is_inside(e), gone = false;
    bool exits = exit_when->tree != NULL && journey_asks(&exit_when->program, reason, number);
    bool aims = goal_asks(step, journey, e, reason, number);
    if (!aims && e->look_ms > step->at_ms &&
        !(is_inside && (exits || wait_asks(step, journey, node, reason, number))))
        return OK;
    e->look_ms = TIME_NEVER;
    TRY(ends_look(step, i, &gone));
    if (gone || !is_inside)
        return OK;
    e = &people_state(step->engine->people, step->person)->rare->enrollments.items[i];
    return program_journey_state(step->engine->program, e->journey) == JOURNEY_PAUSED
               ? OK
               : wait_look(step, journey, node, e);
}

static bool place_of(const struct step *step, uint64_t id, uint32_t *i)
{
    const struct state *state = people_state_get(step->engine->people, step->person);
    for (*i = 0; *i < state->rare->enrollments.count; ++*i)
        if (state->rare->enrollments.items[*i].id == id)
            return true;
    return false;
}

enum err journeys_look_one(struct step *step, uint64_t id)
{
    uint32_t i;
    return place_of(step, id, &i) ? look_at(step, i, LOOK_DUE, 0) : OK;
}

enum err journeys_end_one(struct step *step, uint64_t id)
{
    uint32_t i;
    bool     gone;
    return !step->machine && place_of(step, id, &i) ? ends_look(step, i, &gone) : OK;
}

/* The place of the enrollment with the least id above `id`; the count: there is none. */
static uint32_t enrollment_after(const struct state *state, uint64_t id)
{
    uint32_t count = state->rare->enrollments.count, found = count;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t one = state->rare->enrollments.items[i].id;
        if (one > id && (found == count || one < state->rare->enrollments.items[found].id))
            found = i;
    }
    return found;
}

/* Who is looked at may leave, take others along, or come in elsewhere: each is looked at once. */
enum err journeys_look(struct step *step, enum look_reason reason, uint32_t number)
{
    for (uint64_t id = 0;;) {
        const struct state *state = people_state_get(step->engine->people, step->person);
        uint32_t            i = enrollment_after(state, id);
        if (i == state->rare->enrollments.count)
            return OK;
        id = state->rare->enrollments.items[i].id;
        TRY(look_at(step, i, reason, number));
    }
}
