#include "base/hash.h"
#include "engine/segment/segment_listen.h"

/* A property below `where` is none: what is about behaviour is passed over with all below it. */
static bool is_around(enum segment_kind kind)
{
    return kind == SEGMENT_AND || kind == SEGMENT_OR || kind == SEGMENT_NOT ||
           kind == SEGMENT_IN_SEGMENT || kind == SEGMENT_IN_STAGE || kind == SEGMENT_SCORE;
}

static bool asks_trait(const struct segment_op *op)
{
    return op->kind == SEGMENT_DAY || op->kind == SEGMENT_BEEN || op->kind == SEGMENT_COMPARE;
}

static bool is_compared(const struct segment_op *op)
{
    return op->kind == SEGMENT_COMPARE || (op->kind == SEGMENT_BEEN && op->computed == 0);
}

uint32_t segment_trait_mark(const struct json *value)
{
    return value->kind == JSON_STRING ? (uint32_t)hash_str(value->string, 0) | 1 : 0;
}

/* trait = "text": whatever else the value is, it fails. */
uint32_t segment_wanted_mark(const struct segment_op *op)
{
    const struct segment_compare *c = &op->compare;
    if (op->kind != SEGMENT_COMPARE || c->test != SEGMENT_EQUAL || c->values_count != 1 ||
        c->values[0].kind != SEGMENT_TEXT)
        return 0;
    return segment_trait_mark(&c->values[0].value);
}

static void trait_add(struct heard_traits *out, const struct hearing_segment *segment,
                      uint16_t trait, uint32_t at)
{
    const struct segment_op *op = &segment->program->ops[at];
    struct heard_cause       cause = { DICT_NONE, trait };
    struct heard_gate       *gates = &out->gates[out->gates_count];
    struct heard_user        user = { .segment = segment->number,
                                      .polarity = op->polarity,
                                      .gates = out->gates_count };
    user.gates_count = (uint8_t)segment_gates(segment->program, at, cause, gates);
    out->gates_count += user.gates_count;
    out->items[out->count++] = (struct heard_trait){ op, user, op->kind == SEGMENT_BEEN };
}

bool segment_heard_traits(const struct hearing_segment *segment, uint16_t trait,
                          struct heard_places places, struct heard_traits *out)
{
    const struct segment_program *program = segment->program;
    struct heard_traits           before = *out;
    if (program->has_zone && trait < places.sources)
        return false;
    for (uint32_t i = 0; i < program->ops_count;) {
        const struct segment_op *op = &program->ops[i];
        bool                     asks = asks_trait(op), it = asks && op->key == trait;
        if (asks && (it ? !is_compared(op) : trait < places.sources && op->key < places.derived)) {
            *out = before;
            return false;
        }
        if (it)
            trait_add(out, segment, trait, i);
        i = is_around(op->kind) ? i + 1 : op->next;
    }
    return true;
}

/* Most segments ask for another value than the trait had or has now: a look at the marks tells. */
static bool is_touched(const struct segment_op *op, uint32_t was, uint32_t is)
{
    return op->mark == 0 || op->mark == was || op->mark == is;
}

/* May the change of value turn the answer of someone who is `in` (or out), now or later? */
static bool turns(const struct segment_op *op, const struct heard_change *change,
                  const struct facts *past, bool in)
{
    struct facts own = *past;
    int64_t      until_ms; /* the trait is none of those that say where someone lives */
    if (op->zoned && past->ops->zone != NULL)
        own.zone = past->ops->zone(past, &until_ms);
    struct verdict a = segment_compare_value(&own, &op->compare, &change->before);
    struct verdict b = segment_compare_value(&own, &op->compare, &change->after);
    int            polarity = b.holds ? op->polarity : -op->polarity;
    if (a.until_ms != b.until_ms)
        return true;
    return a.holds != b.holds && (polarity == 0 || (polarity > 0) != in);
}

void segment_hear_trait(const struct heard_traits *hearing, const struct facts *facts,
                        const struct heard_told *told, const struct heard_change *change,
                        struct heard_turned *out)
{
    uint32_t      was = segment_trait_mark(&change->before);
    uint32_t      is = segment_trait_mark(&change->after);
    struct listen listen;
    listen.facts = facts;
    listen.cause = (struct heard_cause){ DICT_NONE, change->trait };
    listen.told = told;
    listen.gates = hearing->gates;
    listen.out = out;
    gate_memo_init(&listen.memo);
    out->asked_count = out->sooner_count = 0;
    for (uint32_t i = 0; i < hearing->count; i++) {
        const struct heard_trait *heard = &hearing->items[i];
        bool                      any = change->listed || (told->late && heard->past);
        if (!any && (change->same || !is_touched(heard->op, was, is)))
            continue;
        struct heard_member member = told->member(told->context, heard->user.segment);
        if (any || turns(heard->op, change, told->past, member.in))
            listen_ask(&listen, heard->user, member);
    }
}

/* With nothing known, days are nobody's. */
bool segment_is_shut(const struct segment_program *program, const struct facts *nothing)
{
    if (program->segments_count > 0)
        return false;
    for (uint32_t i = 0; i < program->ops_count; i++)
        if (program->ops[i].kind == SEGMENT_SHARE)
            return false;
    struct verdict v = segment_eval(program, nothing);
    return !v.holds && v.until_ms == TIME_NEVER;
}
