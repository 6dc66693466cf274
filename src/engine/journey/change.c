/* Nodes that change something: what they do, when somebody comes to them. */
#include "engine/inside.h"

/* ---- what is told: traits and events ---- */

enum { ELEMENTS_MAX = 64 }; /* of a list that is taken over */

/* What the event that began the journey says, where it lies on the person's timeline; 0: nothing.
 */
static uint32_t trigger_bag(struct step *step, const struct enrollment *e)
{
    const struct facts *facts = step_facts(step);
    for (uint32_t r = 0; r < facts->runs_count && e->trigger_seq > 0; r++)
        for (uint32_t i = facts->runs[r].count; i > 0; i--) {
            const struct run *run = &facts->runs[r];
            /* What was decided because of the record has its number, too. */
            if (run->seq[i - 1] == e->trigger_seq && run->name[i - 1] > OWN_CONTEXT)
                return run->bag[i - 1];
        }
    return 0;
}

/* The property of the event that began the journey. */
static enum err event_value(struct step *step, const struct enrollment *e, struct str name,
                            struct json *out)
{
    const struct facts *facts = step_facts(step);
    uint16_t            key = dict_find(step->engine->program->names[NAME_PROPERTY], name);
    struct json        *elements = ARENA_ARRAY(step->out->arena, ELEMENTS_MAX, struct json);
    out->kind = JSON_NULL;
    if (elements == NULL)
        return ERR_MEMORY;
    if (key == DICT_NONE ||
        !bag_value(bag_at(facts->bags, trigger_bag(step, e)), key, elements, ELEMENTS_MAX, out))
        out->kind = JSON_NULL;
    return OK;
}

static enum err trait_value(struct step *step, struct str name, struct json *out)
{
    const struct computed_def *def = program_computed(step->engine->program, name);
    const struct facts        *facts = step_facts(step);
    uint16_t                   key = dict_find(step->engine->program->names[NAME_TRAIT], name);
    struct facts_trait         told;
    int64_t                    until_ms;
    out->kind = JSON_NULL;
    if (def != NULL && !segment_value(&def->program, facts, out, &until_ms))
        out->kind = JSON_NULL;
    if (def == NULL && key != DICT_NONE && facts->ops->trait(facts, key, &told))
        *out = told.value;
    return OK;
}

/* Texts are borrowed from the timeline, which may move: all is copied. JSON_NULL: not known. */
static enum err value_of(struct step *step, const struct enrollment *e,
                         const struct node_value *value, struct json *out)
{
    struct json found = value->written;
    if (value->from == VALUE_FROM_EVENT)
        TRY(event_value(step, e, value->source, &found));
    if (value->from == VALUE_FROM_TRAIT)
        TRY(trait_value(step, value->source, &found));
    return json_copy(step->out->arena, &found, out);
}

enum { STAGE_OTHERS = 3 };

/* Whoever sets a stage says all of it: what an earlier hand said of until when and why is over. */
static void stage_complete(const struct journey *journey, struct json_member *members,
                           struct json *values)
{
    const struct json_member others[STAGE_OTHERS] = {
        { STAGE_TRAIT_UNTIL, { .kind = JSON_NULL } },
        { STAGE_TRAIT_BY, { .kind = JSON_STRING, .string = journey->name } },
        { STAGE_TRAIT_WHY, { .kind = JSON_NULL } },
    };
    bool is_set = json_get(values, STAGE_TRAIT) != NULL;
    for (size_t i = 0; is_set && i < STAGE_OTHERS; i++)
        if (json_get(values, others[i].key) == NULL)
            members[values->count++] = others[i];
}

/* What is not known is left out. */
static enum err values_of(struct step *step, const struct enrollment *e, const struct node *node,
                          const struct journey *journey, struct json *out)
{
    const struct node_change *change = &node->change;
    struct json_member       *members =
        ARENA_ARRAY(step->out->arena, change->values_count + 1 + STAGE_OTHERS, struct json_member);
    *out = (struct json){ .kind = JSON_OBJECT, .members = members };
    if (members == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < change->values_count; i++) {
        struct json_member *member = &members[out->count];
        TRY(value_of(step, e, &change->values[i], &member->value));
        member->key = change->values[i].name;
        out->count += member->value.kind != JSON_NULL;
    }
    if (node->kind == NODE_SET)
        stage_complete(journey, members, out);
    return OK;
}

enum { BODY_BYTES_MAX = BAG_BYTES_MAX };

static enum err body_write(struct step *step, const struct journey *journey,
                           const struct node *node, const struct json *values, struct str *out)
{
    SCOPED(buf_donep) struct buf text = buf_make(BODY_BYTES_MAX);
    buf_str(&text, node->kind == NODE_SET ? STR("{\"traits\":") : STR("{\"properties\":"));
    json_write(&text, values);
    buf_str(&text, STR(",\"context\":{\"journey\":"));
    json_write_str(&text, journey->name);
    buf_str(&text, STR(",\"node\":"));
    json_write_str(&text, node->id);
    buf_str(&text, STR("}}"));
    TRY(buf_err(&text));
    *out = str_copy(step->out->arena, buf_view(&text));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err tell_go(struct step *step, const struct journey *journey,
                        const struct enrollment *e, uint16_t number)
{
    const struct node *node = &journey->nodes[number];
    struct json        values;
    TRY(values_of(step, e, node, journey, &values));
    struct str why_not = STR_NONE, body = STR_NONE;
    if (node->kind == NODE_SET && values.count == 0)
        why_not = STR("nothing is known to set it to");
    /* Before anything is decided: what was taken over may be of any size. */
    enum err err = str_is_empty(why_not) ? body_write(step, journey, node, &values, &body) : OK;
    if (err == ERR_LIMIT)
        why_not = STR("what it would tell is longer than 64 KB");
    else
        TRY(err);
    TRY(journey_step_tell(step, e, number, TIME_NEVER, why_not));
    return str_is_empty(why_not)
               ? step_tell(step, node->kind == NODE_SET, node->change.name, &values, body)
               : OK;
}

/* ---- lists, consent, other journeys ---- */

static enum err list_go(struct step *step, const struct node *node, const struct enrollment *e,
                        uint16_t number)
{
    uint32_t list;
    TRY(program_intern(step->engine->program, NAME_LIST, node->change.name, &list));
    TRY(journey_step_tell(step, e, number, TIME_NEVER, STR_NONE));
    return list_say(step, list, node->change.leaves, step->at_ms);
}

/* A refusal is the person's, and theirs to take back: by a form, their page, or whoever they tell.
 */
static bool is_refused(const struct step *step, uint32_t topic, enum consent_channel channel)
{
    const struct state *state = people_state_get(step->engine->people, step->person);
    for (uint32_t i = 0; i < state->rarer->consents.count; i++) {
        const struct consent *said = &state->rarer->consents.items[i];
        if (said->state == CONSENT_REFUSED && (said->topic == topic || said->topic == 0) &&
            (channel == CHANNEL_ALL || said->channel == (uint8_t)channel ||
             said->channel == CHANNEL_ALL))
            return true;
    }
    return false;
}

static enum err consent_decide(struct step *step, const struct journey *journey,
                               const struct node *node, uint32_t topic)
{
    SCOPED(buf_donep) struct buf proof = buf_make(CONSENT_PROOF_BYTES_MAX);
    enum consent_state           state = node->change.state;
    buf_str(&proof, STR("{\"by\":\"journey\",\"journey\":"));
    json_write_str(&proof, journey->name);
    buf_str(&proof, STR(",\"node\":"));
    json_write_str(&proof, node->id);
    buf_char(&proof, '}');
    TRY(buf_err(&proof));
    struct str kept = str_copy(step->out->arena, buf_view(&proof));
    if (kept.ptr == NULL)
        return ERR_MEMORY;
    if (state == CONSENT_GRANTED &&
        confirm_is_due(step->engine, step->person, topic, node->change.channel, CONSENT_BY_API))
        state = CONSENT_PENDING;
    return consent_say(step, (struct decision){ .kind = DECISION_CONSENT,
                                                .profile = step->person,
                                                .at_ms = step->at_ms,
                                                .subject = topic,
                                                .object = state,
                                                .channel = node->change.channel,
                                                .text = STR("journey"),
                                                .proof = kept });
}

static enum err consent_go(struct step *step, const struct journey *journey,
                           const struct enrollment *e, uint16_t number)
{
    const struct node        *node = &journey->nodes[number];
    const struct node_change *change = &node->change;
    uint32_t                  topic = 0;
    struct str                why_not = STR_NONE;
    if (!str_is_empty(change->name))
        TRY(program_intern(step->engine->program, NAME_TOPIC, change->name, &topic));
    if (consent_state_of(step->engine, step->person, topic, change->channel) == change->state)
        why_not = STR("it is so already");
    else if (change->state == CONSENT_GRANTED && is_refused(step, topic, change->channel))
        why_not = STR("they refused it");
    TRY(journey_step_tell(step, e, number, TIME_NEVER, why_not));
    return str_is_empty(why_not) ? consent_decide(step, journey, node, topic) : OK;
}

/* The other has what began this one, so that its messages may speak of it. */
static enum err start_go(struct step *step, const struct node *node, const struct enrollment *e,
                         uint16_t number)
{
    uint32_t other = program_journey(step->engine->program, node->change.name);
    bool     is_there = program_journey_live(step->engine->program, other) != NULL;
    uint32_t trigger = e->trigger_seq;
    uint32_t bag = trigger_bag(step, e);
    TRY(journey_step_tell(step, e, number, TIME_NEVER,
                          is_there ? STR_NONE : STR("there is no such journey any more")));
    if (is_there)
        step_queue_of(step, (struct consequence){ .kind = CONSEQUENCE_STARTED,
                                                  .number = other,
                                                  .event = { .seq = trigger, .bag = bag } });
    return OK;
}

enum err change_arrive(struct step *step, const struct journey *journey, const struct enrollment *e,
                       uint16_t *at)
{
    uint16_t           number = *at;
    const struct node *node = &journey->nodes[number];
    *at = node->next;
    switch (node->kind) {
    case NODE_SET:
    case NODE_RECORD:
        return tell_go(step, journey, e, number);
    case NODE_LIST:
        return list_go(step, node, e, number);
    case NODE_CONSENT:
        return consent_go(step, journey, e, number);
    default:
        return start_go(step, node, e, number);
    }
}
