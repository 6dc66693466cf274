/*
 * A person's stage has changed: a record of its own, "Stage Changed", tells it once a change.
 *
 *      left "stage: visitor", entered "stage: customer"   two consequences of one record
 *                 \_______________________/
 *                    from visitor to customer            told with the first of them
 *
 * It is an identify, with the traits "$stage_from" (null: they come into a first one), "$stage_to"
 * (null: in none any more), "$stage_cause" ("hand" where the word of a hand made it, else "rule")
 * and
 * "$stage_event", what was under way: time alone has none. It is no event, for an event would count
 * among what somebody did: who falls silent would by that have done something.
 *
 * Old news, imports and new documents move people quietly, and are not told.
 */
#include "engine/inside.h"

#include "base/time.h"

enum { MEMBERS = 4 };

/* Where the person stands now; SEGMENT_NO_ID: in none. */
static uint32_t stage_now(const struct step *step)
{
    const struct program *program = step->engine->program;
    const struct state   *state = people_state_get(step->engine->people, step->person);
    for (uint32_t i = 0; i < state->memberships.count; i++) {
        struct membership have = memberships_at(&state->memberships, i);
        if (have.in && have.segment < program->segments.count &&
            program->segments.items[have.segment].is_stage)
            return have.segment;
    }
    return SEGMENT_NO_ID;
}

/*
 * What else waits of the same change is told with this one. Of several that were left, as of two
 * who became one, the first is told: each stage's segment was asked before any consequence.
 */
static uint32_t left_of(struct step *step, uint32_t segment, uint32_t now)
{
    uint32_t left = segment == now ? SEGMENT_NO_ID : segment, kept = step->queue_done;
    for (uint32_t i = step->queue_done; i < step->queue_count; i++) {
        struct consequence what = step->queue[i];
        bool               is_same = what.kind == CONSEQUENCE_CROSSED &&
                       program_is_stage(step->engine->program, what.number);
        if (is_same && left == SEGMENT_NO_ID && what.number != now)
            left = what.number;
        if (!is_same)
            step->queue[kept++] = what;
    }
    step->queue_count = kept;
    return left;
}

/* The trait as it stands, and when that was told. */
static struct str word_of(const struct engine *engine, const struct facts *facts, struct str trait,
                          int64_t *at_ms)
{
    struct facts_trait out;
    uint16_t           key = dict_find(engine->program->names[NAME_TRAIT], trait);
    if (key == DICT_NONE || !facts->ops->trait(facts, key, &out) || out.value.kind != JSON_STRING)
        return STR_NONE;
    *at_ms = out.since_ms;
    return out.value.string;
}

/* Does the event that is under way say something about a stage? */
static bool is_by_hand(const struct step *step)
{
    struct json ignored;
    uint16_t    key = dict_find(step->engine->program->names[NAME_TRAIT], STAGE_TRAIT);
    return step->event_seq != 0 && step->event.name == OWN_TRAITS && key != DICT_NONE &&
           bag_find(bag_at(timeline_bags(step->engine->timeline), step->event.bag), key, &ignored);
}

static struct json_member member_of(struct str key, struct str text)
{
    bool is_none = str_is_empty(text);
    return (struct json_member){ key,
                                 { .kind = is_none ? JSON_NULL : JSON_STRING, .string = text } };
}

/* What was under way, if it is something that somebody did, or that came of a message. */
static struct str event_of(const struct step *step)
{
    const struct program *program = step->engine->program;
    bool                  is_named = step->event_seq != 0 && !own_is_hidden(step->event.name) &&
                    step->event.name != OWN_TRAITS && step->event.name < DICT_NAMES_MAX;
    return is_named ? dict_text(program->names[NAME_EVENT], step->event.name) : STR_NONE;
}

static enum err told_write(struct step *step, const struct json *values, struct str *out)
{
    SCOPED(buf_donep) struct buf text = buf_make(BAG_BYTES_MAX);
    buf_str(&text, STR("{\"traits\":"));
    json_write(&text, values);
    buf_char(&text, '}');
    TRY(buf_err(&text));
    *out = str_copy(step->out->arena, buf_view(&text));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

void engine_stage(const struct engine *engine, uint32_t person, struct stage_answer *out)
{
    const struct state *state = people_state_get(engine->people, person);
    struct known        known;
    int64_t             ignored = 0, reads = SEGMENT_READS_MAX;
    *out = (struct stage_answer){ .until_ms = TIME_NEVER };
    known_make(&known, engine, person, engine->now_ms);
    for (uint32_t i = 0; i < state->memberships.count; i++) {
        struct membership have = memberships_at(&state->memberships, i);
        if (!have.in || !engine->program->segments.items[have.segment].is_stage)
            continue;
        out->stage = program_stage_of(engine->program, have.segment);
        out->since = engine_since(engine, person, have.segment, &reads);
    }
    out->hand = word_of(engine, &known.facts, STAGE_TRAIT, &out->hand_ms);
    if (str_is_empty(out->hand))
        return;
    struct str until = word_of(engine, &known.facts, STAGE_TRAIT_UNTIL, &ignored);
    if (until.len == 0 || time_parse(until, &out->until_ms) != OK)
        out->until_ms = TIME_NEVER;
    out->is_in_force = out->until_ms > engine->now_ms;
    out->by = word_of(engine, &known.facts, STAGE_TRAIT_BY, &ignored);
    out->why = word_of(engine, &known.facts, STAGE_TRAIT_WHY, &ignored);
}

static struct str name_of(const struct step *step, uint32_t segment)
{
    return segment == SEGMENT_NO_ID ? STR_NONE : program_stage_of(step->engine->program, segment);
}

enum err stage_changed(struct step *step, uint32_t segment)
{
    uint32_t            now = stage_now(step), left = left_of(step, segment, now);
    struct json_member *members = ARENA_ARRAY(step->out->arena, MEMBERS, struct json_member);
    struct json         values = { .kind = JSON_OBJECT, .count = MEMBERS, .members = members };
    struct str          body;
    if (now == left)
        return OK; /* neither came nor went in the end */
    if (members == NULL)
        return ERR_MEMORY;
    members[0] = member_of(STAGE_TRAIT_FROM, name_of(step, left));
    members[1] = member_of(STAGE_TRAIT_TO, name_of(step, now));
    members[2] = member_of(STAGE_TRAIT_CAUSE, is_by_hand(step) ? STR("hand") : STR("rule"));
    members[3] = member_of(STAGE_TRAIT_EVENT, event_of(step));
    TRY(told_write(step, &values, &body));
    return step_tell(step, true, STAGE_CHANGED, &values, body);
}
