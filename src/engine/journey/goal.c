/*
 * What a journey is for: who is held out so that it can be measured, and who reaches the goal.
 *
 *      comes in ----> inside ---- leaves ----> over          the goal is asked wherever they stand,
 *           `-------> held out                  |            until it is reached or its time is up:
 *                        `----------------------+--> GOAL | UNREACHED
 *
 * So those held out and those let in are watched alike, and for as long.
 */
#include "base/hash.h"
#include "engine/inside.h"

enum {
    WATCHED_MAX = 8
}; /* outside, of one person in one journey; beyond, the oldest but the
    * first gives way: by their first time people are compared */

static struct enrollment *enrollment_at(const struct step *step, uint32_t i)
{
    return &people_state(step->engine->people, step->person)->rare->enrollments.items[i];
}

struct str deal_person(const struct engine *engine, uint32_t person, char bytes[16])
{
    return engine->deals_for > 0 ? engine_public_id(bytes, engine->deals_for - 1)
                                 : deal_who(engine->people, person, bytes);
}

bool goal_holds_out(const struct step *step, const struct journey *journey)
{
    char bytes[16];
    return journey->holdout.share > 0 &&
           holdout_has(&journey->holdout, deal_person(step->engine, step->person, bytes));
}

uint32_t journey_chance(struct step *step, const struct journey *journey, const struct node *node)
{
    char bytes[16];
    if (node->is_experiment)
        return deal_chance(DEAL_EXPERIMENT, node->experiment,
                           deal_person(step->engine, step->person, bytes));
    struct facts                *facts = step_facts(step);
    SCOPED(buf_donep) struct buf what = buf_make(3 * JOURNEY_NAME_BYTES_MAX);
    buf_format(&what, "%.*s/%.*s", STR_ARG(journey->name), STR_ARG(node->id));
    return (uint32_t)(hash_chance(facts->ops->public_id(facts), buf_view(&what)) * JOURNEY_SHARES);
}

int64_t goal_until_ms(const struct journey *journey, int64_t entered_ms)
{
    return journey->goal.condition.tree == NULL ? 0 : entered_ms + journey->goal.within_ms;
}

static bool is_open(const struct step *step, const struct journey *journey,
                    const struct enrollment *e)
{
    return !e->has_goal && goal_until_ms(journey, e->entered_ms) > step->at_ms;
}

bool goal_asks(const struct step *step, const struct journey *journey, const struct enrollment *e,
               enum look_reason reason, uint32_t number)
{
    return is_open(step, journey, e) &&
           journey_asks(&journey->goal.condition.program, reason, number);
}

/* Of the event that reached it; numbers in texts count, as shops send them. What an identify tells
 * are traits, which have other numbers than properties. */
static void value_write(struct step *step, const struct goal *goal, struct buf *out)
{
    struct json value;
    double      number;
    if (goal->value == DICT_NONE || step->event_seq == 0 || step->event_run.name[0] == OWN_TRAITS ||
        !bag_find(bag_at(step_facts(step)->bags, step->event_run.bag[0]), goal->value, &value))
        return;
    bool is_number = value.kind == JSON_STRING ? str_to_real(value.string, &number) == OK
                                               : json_to_real(&value, &number);
    if (is_number)
        json_write_real(out, number);
}

static enum err reached(struct step *step, uint32_t i, const struct goal *goal, bool *gone)
{
    struct enrollment            e = *enrollment_at(step, i);
    SCOPED(buf_donep) struct buf value = buf_make(64);
    value_write(step, goal, &value);
    TRY(buf_err(&value));
    TRY(decide(step->engine, step->out,
               (struct decision){ .kind = DECISION_GOAL,
                                  .profile = step->person,
                                  .at_ms = step->at_ms,
                                  .subject = e.id,
                                  .object = e.is_held ? JOURNEY_END : e.node,
                                  .event = step->event_seq,
                                  .is_held = e.is_held,
                                  .text = buf_view(&value) }));
    *gone = !enrollment_is_inside(&e);
    if (*gone || goal->stays)
        return OK;
    *gone = true;
    TRY(enrollment_end(step, i, STR("reached its goal")));
    return outbox_drop_of(step->engine, step->out, step->person, e.id,
                          STR("the journey was left before"));
}

enum err goal_look(struct step *step, uint32_t i, bool *gone)
{
    struct enrollment    *e = enrollment_at(step, i);
    const struct journey *journey = &journey_version_of(step, e)->journey;
    *gone = false;
    if (!is_open(step, journey, e))
        return OK;
    struct verdict verdict = journey_ask(step, &journey->goal.condition, e);
    if (verdict.until_ms < e->look_ms)
        e->look_ms = verdict.until_ms;
    return verdict.holds ? reached(step, i, &journey->goal, gone) : OK;
}

enum err goal_missed(struct step *step, uint32_t i, struct str reason)
{
    const struct enrollment *e = enrollment_at(step, i);
    return decide(step->engine, step->out,
                  (struct decision){ .kind = DECISION_UNREACHED,
                                     .profile = step->person,
                                     .at_ms = step->at_ms,
                                     .subject = e->id,
                                     .object = e->is_held ? JOURNEY_END : e->node,
                                     .text = reason });
}

enum err goal_make_room(struct step *step, uint32_t journey)
{
    const struct state *state = people_state_get(step->engine->people, step->person);
    uint32_t            count = 0, first = UINT32_MAX, second = UINT32_MAX;
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        const struct enrollment *e = &state->rare->enrollments.items[i];
        if (e->journey != journey || enrollment_is_inside(e))
            continue;
        count++;
        if (first == UINT32_MAX || e->id < state->rare->enrollments.items[first].id) {
            second = first;
            first = i;
        } else if (second == UINT32_MAX || e->id < state->rare->enrollments.items[second].id) {
            second = i;
        }
    }
    return count < WATCHED_MAX ? OK : goal_missed(step, second, STR("came in too often"));
}
