#include <assert.h>

#include "base/hash.h"
#include "engine/segment/segment_scan.h"

/*
 * A group lasts as long as what decides it. An AND is true until the first of its parts turns;
 * it is false until the last of its false parts turns, for while one part is false the others
 * may do as they like. OR is the same with true and false exchanged.
 */

struct verdict verdict_not(struct verdict v)
{
    return (struct verdict){ !v.holds, v.until_ms };
}

struct verdict verdict_and(struct verdict a, struct verdict b)
{
    if (a.holds && b.holds)
        return (struct verdict){ true, earlier_ms(a.until_ms, b.until_ms) };
    if (a.holds || b.holds)
        return a.holds ? b : a;
    return (struct verdict){ false, later_ms(a.until_ms, b.until_ms) };
}

/* Cheap parts first: one that decides for ever spares the reading of behaviour. */
static struct verdict eval_group(const struct segment_asking *asking, uint32_t at)
{
    const struct segment_op *ops = asking->ops;
    bool                     is_or = ops[at].kind == SEGMENT_OR;
    struct verdict           sum = { true, TIME_NEVER };

    for (int weight = 0; weight < 3; weight++)
        for (uint32_t part = at + 1; part < ops[at].next; part = ops[part].next) {
            if (ops[part].weight != weight)
                continue;
            struct verdict v = segment_eval_op(asking, part);
            sum = verdict_and(sum, is_or ? verdict_not(v) : v);
            if (!sum.holds && sum.until_ms == TIME_NEVER)
                break;
        }
    return is_or ? verdict_not(sum) : sum;
}

static struct verdict eval_member(const struct segment_asking *asking, const struct segment_op *op)
{
    const struct facts *facts = asking->facts;
    struct facts_member member = op->kind == SEGMENT_IN_LIST
                                     ? facts->ops->in_list(facts, op->id)
                                     : facts->ops->in_segment(facts, op->id);
    return (struct verdict){ member.holds, member.until_ms };
}

static struct verdict eval_journey(const struct segment_asking *asking, const struct segment_op *op)
{
    const struct facts *facts = asking->facts;
    if (facts->ops->in_journey == NULL)
        return (struct verdict){ false, TIME_NEVER };
    struct facts_member member = facts->ops->in_journey(facts, op->id, op->at);
    return (struct verdict){ member.holds, member.until_ms };
}

struct facts_consent segment_consent_said(const struct facts *facts, const struct segment_op *op)
{
    struct facts_consent nothing = { FACTS_CONSENT_UNKNOWN, FACTS_SINCE_UNKNOWN, TIME_NEVER };
    return facts->ops->consent == NULL ? nothing : facts->ops->consent(facts, op->id, op->at);
}

static struct verdict eval_consent(const struct segment_asking *asking, const struct segment_op *op)
{
    static const enum facts_consent_state states[] = {
        [SEGMENT_GRANTED] = FACTS_CONSENT_GRANTED,
        [SEGMENT_REFUSED] = FACTS_CONSENT_REFUSED,
        [SEGMENT_UNKNOWN] = FACTS_CONSENT_UNKNOWN,
        [SEGMENT_PENDING] = FACTS_CONSENT_PENDING,
    };
    struct facts_consent said = segment_consent_said(asking->facts, op);
    return (struct verdict){ said.state == states[op->consent], said.until_ms };
}

/* Its own rule holds, and none of the later stages', which are the parts after the first. */
static struct verdict eval_stage(const struct segment_asking *asking, uint32_t at)
{
    const struct segment_op *ops = asking->ops;
    struct verdict           sum = segment_eval_op(asking, at + 1);
    for (uint32_t part = ops[at + 1].next; part < ops[at].next; part = ops[part].next)
        sum = verdict_and(sum, verdict_not(segment_eval_op(asking, part)));
    return sum;
}

/*
 * Every answer follows from what the filters said of the events that were asked about. As long as
 * none of those turns, reading them again gives the same; so the earliest turn is its end.
 */
static struct verdict eval_moving(const struct segment_asking *asking, const struct segment_op *op)
{
    int64_t               turn_ms = TIME_NEVER;
    struct segment_asking noting = { asking->ops, asking->facts, &turn_ms };
    struct verdict        v = segment_eval_leaf(&noting, op);
    v.until_ms = earlier_ms(v.until_ms, turn_ms);
    return v;
}

struct verdict segment_eval_op(const struct segment_asking *asking, uint32_t at)
{
    const struct segment_op *op = &asking->ops[at];
    const struct facts      *facts = asking->facts;
    switch (op->kind) {
    case SEGMENT_EVERYONE:
        return (struct verdict){ true, TIME_NEVER };
    case SEGMENT_AND:
    case SEGMENT_OR:
        return eval_group(asking, at);
    case SEGMENT_NOT:
        return verdict_not(segment_eval_op(asking, at + 1));
    case SEGMENT_COMPARE:
    case SEGMENT_DAY:
    case SEGMENT_BEEN:
        return segment_eval_trait(asking, op);
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_AGGREGATE:
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
    case SEGMENT_FUNNEL:
        return op->moves ? eval_moving(asking, op) : segment_eval_leaf(asking, op);
    case SEGMENT_IN_SEGMENT:
        return op->id == SEGMENT_NO_ID ? segment_eval_op(asking, at + 1) : eval_member(asking, op);
    case SEGMENT_IN_LIST:
        return eval_member(asking, op);
    case SEGMENT_IN_STAGE:
        return eval_stage(asking, at);
    case SEGMENT_IN_JOURNEY:
        return eval_journey(asking, op);
    case SEGMENT_CONSENT:
        return eval_consent(asking, op);
    case SEGMENT_SHARE:
        return (struct verdict){ hash_chance(facts->ops->public_id(facts), op->seed) < op->chance,
                                 TIME_NEVER };
    case SEGMENT_SCORE:
        return segment_eval_score(asking, at);
    case SEGMENT_ELEMENT:
        break; /* of an event, never of a person: segment_where */
    }
    return (struct verdict){ false, TIME_NEVER };
}

struct verdict segment_eval(const struct segment_program *program, const struct facts *facts)
{
    struct segment_local  local;
    struct segment_asking asking = { program->ops, segment_localize(program, facts, &local) };
    struct verdict        v = segment_eval_op(&asking, 0);
    v.until_ms = earlier_ms(v.until_ms, local.until_ms);
    return v;
}

const struct facts *segment_localize(const struct segment_program *program,
                                     const struct facts *facts, struct segment_local *local)
{
    local->until_ms = TIME_NEVER;
    if (!program->has_zone || facts->ops->zone == NULL)
        return facts;
    local->facts = *facts;
    local->facts.zone = facts->ops->zone(facts, &local->until_ms);
    return &local->facts;
}

bool segment_value(const struct segment_program *program, const struct facts *facts,
                   struct json *out, int64_t *until_ms)
{
    struct segment_local  local;
    struct segment_asking asking = { program->ops, segment_localize(program, facts, &local) };
    const struct segment_window *window = &program->ops[0].match.window;
    if (program->ops[0].kind == SEGMENT_SCORE) {
        *out = segment_score_value(&asking, 0, until_ms);
        *until_ms = earlier_ms(*until_ms, local.until_ms);
        return true;
    }
    assert(program->ops[0].kind == SEGMENT_AGGREGATE);
    int64_t turn_ms = segment_window_turn_ms(window, asking.facts);
    asking.turn_ms = program->ops[0].moves ? &turn_ms : NULL;
    bool found = segment_fold_value(&asking, &program->ops[0], out, until_ms);
    *until_ms = earlier_ms(*until_ms, earlier_ms(turn_ms, local.until_ms));
    return found;
}
