/* What is known of one person, as conditions ask for it. */
#include "engine/inside.h"

enum { TRAIT_ELEMENTS_MAX = 256 };

/* One thread asks at a time in one engine; a list value lives until the next question. */
static _Thread_local struct json elements[TRAIT_ELEMENTS_MAX];
static _Thread_local char        public_text[16];

static bool value_of(struct bag bag, uint16_t key, struct json *out)
{
    uint32_t        at = 0, count = 0;
    struct bag_item item;
    bool            listed = false;
    while (count < TRAIT_ELEMENTS_MAX && bag_next_of(bag, &at, key, &item)) {
        elements[count++] = item.value;
        listed = listed || item.listed;
    }
    if (count == 0)
        return false;
    *out = listed ? (struct json){ .kind = JSON_ARRAY, .count = count, .items = elements }
                  : elements[0];
    return true;
}

/* The latest event of that name at or before now that has the key, and the first one after now. */
static bool known_latest(const struct facts *facts, uint16_t event, uint16_t key,
                         struct facts_trait *out)
{
    struct json value;
    bool        found = false;
    int64_t     best_at = INT64_MIN;
    uint32_t    best_bag = 0;
    *out = (struct facts_trait){ .since_ms = FACTS_SINCE_UNKNOWN, .until_ms = TIME_NEVER };
    for (uint32_t r = 0; r < facts->runs_count; r++) {
        const struct run *run = &facts->runs[r];
        for (uint32_t i = run->count; i > 0; i--) {
            uint32_t k = i - 1;
            if (run->name[k] != event || run->seq[k] > facts->seq_max)
                continue;
            if (run->at_ms[k] < best_at || (run->at_ms[k] == best_at && run->seq[k] < out->seq))
                break;
            if (!value_of(bag_at(facts->bags, run->bag[k]), key, &value))
                continue;
            if (run->at_ms[k] > facts->now_ms) {
                if (run->at_ms[k] < out->until_ms)
                    out->until_ms = run->at_ms[k];
                continue;
            }
            found = true;
            best_at = run->at_ms[k];
            best_bag = run->bag[k];
            out->seq = run->seq[k];
            break;
        }
    }
    if (!found)
        return false;
    value_of(bag_at(facts->bags, best_bag), key, &out->value);
    out->since_ms = best_at;
    return true;
}

static bool known_trait(const struct facts *facts, uint16_t key, struct facts_trait *out)
{
    return known_latest(facts, PROGRAM_TRAITS_EVENT, key, out);
}

static const struct state *known_state(const struct facts *facts)
{
    const struct known *known = facts->person;
    return people_state_get(known->engine->people, known->person);
}

static struct facts_member known_list(const struct facts *facts, uint32_t list)
{
    const struct state *state = known_state(facts);
    for (uint32_t i = 0; i < state->lists.count; i++)
        if (state->lists.items[i].list == list && state->lists.items[i].since_ms <= facts->now_ms)
            return (struct facts_member){ true, state->lists.items[i].since_ms, TIME_NEVER };
    return (struct facts_member){ false, FACTS_SINCE_UNKNOWN, TIME_NEVER };
}

/* Asked anew rather than looked up, so that any moment and any order of changes give the truth. */
static struct facts_member known_segment(const struct facts *facts, uint32_t segment)
{
    const struct known   *known = facts->person;
    const struct program *program = known->engine->program;
    if (segment >= program->segments.count || program->segments.items[segment].arena == NULL)
        return (struct facts_member){ false, FACTS_SINCE_UNKNOWN, TIME_NEVER };
    struct verdict verdict = segment_eval(&program->segments.items[segment].program, facts);
    const struct membership *have = membership_find(known_state(facts), segment);
    int64_t                  since =
        have != NULL && have->in == verdict.holds ? have->since_ms : FACTS_SINCE_UNKNOWN;
    return (struct facts_member){ verdict.holds, since, verdict.until_ms };
}

static struct str known_public_id(const struct facts *facts)
{
    const struct known *known = facts->person;
    return engine_public_id(public_text, known->person);
}

/* The zone that the text names, if it is one; *until_ms is then or sooner. */
static const struct zone *zone_of(const struct program *program, const struct facts_trait *trait,
                                  int64_t *until_ms)
{
    if (trait->until_ms < *until_ms)
        *until_ms = trait->until_ms;
    return trait->value.kind == JSON_STRING ? zone_find(program->zones, trait->value.string) : NULL;
}

/* What the person or the shop says, else what the network shows, else the workspace's. */
static const struct zone *known_zone(const struct facts *facts, int64_t *until_ms)
{
    static const struct str keys[] = { { "timezone", 8 }, { "zone", 4 } };
    const struct program   *program = ((const struct known *)facts->person)->engine->program;
    struct facts_trait      trait = { 0 };
    const struct zone      *zone;
    *until_ms = TIME_NEVER;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        known_latest(facts, PROGRAM_TRAITS_EVENT, dict_find(program->names[NAME_TRAIT], keys[i]),
                     &trait);
        if ((zone = zone_of(program, &trait, until_ms)) != NULL)
            return zone;
    }
    known_latest(facts, dict_find(program->names[NAME_EVENT], STR("$context")),
                 dict_find(program->names[NAME_PROPERTY], STR("zone")), &trait);
    zone = zone_of(program, &trait, until_ms);
    return zone == NULL ? facts->zone : zone;
}

static struct facts_member known_journey(const struct facts *facts, uint32_t journey,
                                         struct str node)
{
    const struct known *known = facts->person;
    const struct state *state = known_state(facts);
    struct facts_member none = { false, FACTS_SINCE_UNKNOWN, TIME_NEVER };
    for (uint32_t i = 0; i < state->enrollments.count; i++) {
        const struct enrollment      *e = &state->enrollments.items[i];
        const struct journey_version *v =
            program_journey_version(known->engine->program, e->journey, e->version);
        if (e->journey == journey && e->entered_ms <= facts->now_ms &&
            (str_is_empty(node) || (v != NULL && str_eq(v->journey.nodes[e->node].id, node))))
            return (struct facts_member){ true, e->entered_ms, TIME_NEVER };
    }
    return none;
}

static struct facts_consent known_consent(const struct facts *facts, uint32_t topic,
                                          struct str channel)
{
    const struct state  *state = known_state(facts);
    struct facts_consent said = { FACTS_CONSENT_UNKNOWN, FACTS_SINCE_UNKNOWN, TIME_NEVER };
    (void)channel;
    for (uint32_t i = 0; i < state->consents.count; i++) {
        const struct consent *c = &state->consents.items[i];
        if (c->at_ms > facts->now_ms || (c->topic != topic && c->topic != 0))
            continue;
        if (c->topic == topic || said.state == FACTS_CONSENT_UNKNOWN)
            said =
                (struct facts_consent){ c->granted ? FACTS_CONSENT_GRANTED : FACTS_CONSENT_REFUSED,
                                        c->at_ms, TIME_NEVER };
    }
    return said;
}

static const struct facts_ops known_ops = {
    .trait = known_trait,
    .in_list = known_list,
    .in_segment = known_segment,
    .public_id = known_public_id,
    .zone = known_zone,
    .in_journey = known_journey,
    .consent = known_consent,
};

static uint32_t runs_of_person(const struct engine *engine, uint32_t person, struct run *runs)
{
    uint32_t count = 0, member = person;
    do {
        count += timeline_runs(engine->timeline, member, runs + count);
        member = people_get(engine->people, member)->next;
    } while (member != person && count + TIMELINE_RUNS_MAX <= RUNS_MAX);
    return count;
}

void known_make(struct known *known, const struct engine *engine, uint32_t person, int64_t at_ms)
{
    known->engine = engine;
    known->person = person;
    known->facts = (struct facts){
        .now_ms = at_ms,
        .seq_max = (uint32_t)engine->seq,
        .runs = known->runs,
        .runs_count = runs_of_person(engine, person, known->runs),
        .bags = timeline_bags(engine->timeline),
        .person = known,
        .ops = &known_ops,
        .zone = engine->program->zone,
    };
}
