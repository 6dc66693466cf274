#include "base/hash.h"
#include "engine/segment/segment_program.h"

/*
 * A group lasts as long as what decides it. An AND is true until the first of its parts turns;
 * it is false until the last of its false parts turns, for while one part is false the others
 * may do as they like. OR is the same with true and false exchanged.
 */

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct verdict verdict_not(struct verdict v)
{
    return (struct verdict){ !v.holds, v.until_ms };
}

struct verdict verdict_and(struct verdict a, struct verdict b)
{
    if (a.holds && b.holds)
        return (struct verdict){ true, smaller(a.until_ms, b.until_ms) };
    if (a.holds || b.holds)
        return a.holds ? b : a;
    return (struct verdict){ false, larger(a.until_ms, b.until_ms) };
}

/* Cheap parts first: one that decides for ever spares the reading of behaviour. */
static struct verdict eval_group(const struct segment_asking *asking, uint32_t at)
{
    const struct segment_op *ops = asking->ops;
    bool                     is_or = ops[at].kind == SEGMENT_OR;
    struct verdict           sum = { true, TIME_NEVER };

    for (int heavy = 0; heavy < 2; heavy++)
        for (uint32_t part = at + 1; part < ops[at].next; part = ops[part].next) {
            if (ops[part].is_heavy != (heavy == 1))
                continue;
            struct verdict v = segment_eval_op(asking, part);
            sum = verdict_and(sum, is_or ? verdict_not(v) : v);
            if (!sum.holds && sum.until_ms == TIME_NEVER)
                break;
        }
    return is_or ? verdict_not(sum) : sum;
}

static struct verdict eval_trait(const struct segment_asking *asking, const struct segment_op *op)
{
    struct facts_trait trait = { .value = { .kind = JSON_NULL }, .until_ms = TIME_NEVER };
    if (!asking->facts->ops->trait(asking->facts, op->key, &trait))
        trait.value = (struct json){ .kind = JSON_NULL };
    return (struct verdict){ segment_compare_trait(&op->compare, &trait.value), trait.until_ms };
}

static struct verdict eval_member(const struct segment_asking *asking, const struct segment_op *op)
{
    const struct facts *facts = asking->facts;
    struct facts_member member = op->kind == SEGMENT_IN_LIST
                                     ? facts->ops->in_list(facts, op->id)
                                     : facts->ops->in_segment(facts, op->id);
    return (struct verdict){ member.holds, member.until_ms };
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
        return eval_trait(asking, op);
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_AGGREGATE:
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        return segment_eval_leaf(asking, op);
    case SEGMENT_IN_SEGMENT:
    case SEGMENT_IN_LIST:
        return eval_member(asking, op);
    case SEGMENT_SHARE:
        return (struct verdict){ hash_chance(facts->ops->public_id(facts), op->seed) < op->chance,
                                 TIME_NEVER };
    default:
        break; /* not there yet */
    }
    return (struct verdict){ false, TIME_NEVER };
}

struct verdict segment_eval(const struct segment_program *program, const struct facts *facts)
{
    struct segment_asking asking = { program->ops, facts };
    return segment_eval_op(&asking, 0);
}
