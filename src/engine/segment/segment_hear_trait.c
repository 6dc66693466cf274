#include "base/hash.h"
#include "engine/segment/segment_hear.h"
#include "engine/segment/segment_program.h"

/* A property below `where` is none: what is about behaviour is passed over with all below it. */
static bool is_around(enum segment_kind kind)
{
    return kind == SEGMENT_AND || kind == SEGMENT_OR || kind == SEGMENT_NOT ||
           kind == SEGMENT_IN_SEGMENT || kind == SEGMENT_IN_STAGE;
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

bool segment_heard_traits(const struct hearing_segment *segment, uint16_t trait,
                          struct heard_places places, struct heard_trait *out, uint32_t *count)
{
    const struct segment_program *program = segment->program;
    if (program->has_zone && trait < places.sources)
        return false;
    for (uint32_t i = 0; i < program->ops_count;) {
        const struct segment_op *op = &program->ops[i];
        bool                     asks = asks_trait(op), it = asks && op->key == trait;
        if (asks && (it ? !is_compared(op) : trait < places.sources && op->key < places.derived))
            return false;
        if (it)
            out[(*count)++] = (struct heard_trait){ op, segment->number, op->kind == SEGMENT_BEEN,
                                                    segment_wanted_mark(op) };
        i = is_around(op->kind) ? i + 1 : op->next;
    }
    return true;
}

bool segment_trait_turns(const struct heard_trait *heard, const struct facts *facts,
                         const struct json *before, const struct json *after, bool in)
{
    struct facts own = *facts;
    int64_t      until_ms; /* the trait is none of those that say where someone lives */
    if (heard->op->zoned && facts->ops->zone != NULL)
        own.zone = facts->ops->zone(facts, &until_ms);
    struct verdict a = segment_compare_value(&own, &heard->op->compare, before);
    struct verdict b = segment_compare_value(&own, &heard->op->compare, after);
    int            polarity = b.holds ? heard->op->polarity : -heard->op->polarity;
    if (a.until_ms != b.until_ms)
        return true;
    return a.holds != b.holds && (polarity == 0 || (polarity > 0) != in);
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
