#include "engine/journey/contest.h"

#include "engine/inside.h"
#include "engine/journey/choosing.h"
#include "engine/own.h"
#include "engine/program_inside.h"

/* ---- one person ---- */

struct keys {
    uint16_t took, chosen, message;
};

/* The first time that the person was dealt a variant there. */
struct taken {
    uint32_t arm;
    int64_t  at_ms, entry; /* entry: the enrollment */
    uint32_t seq;
};

static uint32_t arm_of(const struct journey *journey, const struct node *node, struct str name)
{
    uint16_t i = 0;
    while (i < node->branches_count && !str_eq(journey->branches[node->branches + i].name, name))
        i++;
    return i;
}

static bool taken_find(const struct facts *facts, const struct contest *c,
                       const struct journey *journey, const struct keys *keys, struct taken *out)
{
    const struct node *node = &journey->nodes[c->node];
    bool               any = false;
    for (uint32_t r = 0; keys->took != DICT_NONE && r < facts->runs_count; r++) {
        const struct run *run = &facts->runs[r];
        for (uint32_t i = run->count; (i = run_name_last(run, i, OWN_JOURNEY)) > 0; i--) {
            struct bag  bag = bag_at(facts->bags, run->bag[i - 1]);
            struct json chosen;
            int64_t     of, entry;
            uint32_t    arm = arm_of(journey, node, bag_text(bag, keys->took));
            if (arm == node->branches_count || !bag_int(bag, OWN_KEY_JOURNEY, &of) ||
                of != (int64_t)c->journey || !str_eq(bag_text(bag, OWN_KEY_NODE), node->id) ||
                !bag_int(bag, OWN_KEY_ID, &entry) || bag_find(bag, keys->chosen, &chosen))
                continue;
            if (any && (run->at_ms[i - 1] > out->at_ms ||
                        (run->at_ms[i - 1] == out->at_ms && run->seq[i - 1] >= out->seq)))
                continue;
            *out = (struct taken){ arm, run->at_ms[i - 1], entry, run->seq[i - 1] };
            any = true;
        }
    }
    return any;
}

static bool has_goal(const struct facts *facts, const struct taken *taken)
{
    for (uint32_t r = 0; r < facts->runs_count; r++) {
        const struct run *run = &facts->runs[r];
        for (uint32_t i = run->count; (i = run_name_last(run, i, OWN_JOURNEY)) > 0; i--) {
            struct bag bag = bag_at(facts->bags, run->bag[i - 1]);
            int64_t    what, entry;
            if (bag_int(bag, OWN_KEY_WHAT, &what) && what == OWN_GOAL &&
                bag_int(bag, OWN_KEY_ID, &entry) && entry == taken->entry)
                return true;
        }
    }
    return false;
}

/* Senders tell its number as a text, others as a number. */
static bool is_message(struct bag bag, uint16_t key, const struct json *message)
{
    struct json value;
    if (!bag_find(bag, key, &value) || value.kind != message->kind)
        return false;
    return value.kind == JSON_STRING ? str_eq(value.string, message->string)
                                     : value.integer == message->integer;
}

static bool was_sent_since(const struct facts *facts, uint16_t key, const struct json *message,
                           int64_t since_ms)
{
    for (uint32_t r = 0; r < facts->runs_count; r++) {
        const struct run *run = &facts->runs[r];
        for (uint32_t i = run->count; (i = run_name_last(run, i, OWN_MESSAGE_SENT)) > 0; i--)
            if (run->at_ms[i - 1] >= since_ms &&
                is_message(bag_at(facts->bags, run->bag[i - 1]), key, message))
                return true;
    }
    return false;
}

static bool has_read(const struct facts *facts, const struct journey *journey, uint16_t event,
                     const struct keys *keys, const struct taken *taken)
{
    for (uint32_t r = 0; r < facts->runs_count; r++) {
        const struct run *run = &facts->runs[r];
        for (uint32_t i = run->count; (i = run_name_last(run, i, event)) > 0; i--) {
            struct bag  bag = bag_at(facts->bags, run->bag[i - 1]);
            struct json machine, message;
            if (run->at_ms[i - 1] < taken->at_ms ||
                !str_eq(bag_text(bag, OWN_KEY_JOURNEY), journey->name) ||
                (bag_find(bag, OWN_KEY_MACHINE, &machine) && machine.truth) ||
                !bag_find(bag, keys->message, &message))
                continue;
            if (was_sent_since(facts, keys->message, &message, taken->at_ms))
                return true;
        }
    }
    return false;
}

static void person_count(struct engine *engine, struct contest *c, const struct journey *journey,
                         const struct keys *keys, uint32_t person)
{
    const struct winner_rule *rule = &journey->nodes[c->node].winner;
    struct known              known;
    struct taken              taken = { 0 };
    known_make(&known, engine, person, engine->now_ms);
    if (!taken_find(&known.facts, c, journey, keys, &taken) || taken.at_ms > c->came_by_ms)
        return;
    c->counts[taken.arm].of++;
    c->counts[taken.arm].successes +=
        rule->by == WINNER_GOAL
            ? has_goal(&known.facts, &taken)
            : has_read(&known.facts, journey,
                       rule->by == WINNER_OPENED ? OWN_MESSAGE_OPENED : OWN_MESSAGE_CLICKED, keys,
                       &taken);
}

/* ---- everybody ---- */

static const struct journey *journey_of(const struct engine *engine, const struct contest *c)
{
    const struct journey_version *live = program_journey_live(engine->program, c->journey);
    return live != NULL && live->version == c->version ? &live->journey : NULL;
}

static bool is_open(const struct program *program, uint32_t journey, const struct node *node)
{
    return node->winner.after_ms > 0 &&
           program_journey_choice(program, journey, node, TIME_NEVER) == NULL;
}

/* The first from that node on, whose counting begins; none: is_counting is false. */
static void next_begin(struct engine *engine, uint32_t journey, uint32_t node)
{
    const struct program *program = engine->program;
    struct contest       *c = &engine->contest;
    *c = (struct contest){ .hour = c->hour };
    for (; journey < program->journeys.count; journey++, node = 0) {
        const struct journey_version *live = program->journeys.items[journey].contests > 0
                                                 ? program_journey_live(program, journey)
                                                 : NULL;
        while (live != NULL && node < live->journey.nodes_count &&
               !is_open(program, journey, &live->journey.nodes[node]))
            node++;
        if (live == NULL || node == live->journey.nodes_count)
            continue;
        c->is_counting = true;
        c->journey = journey;
        c->version = live->version;
        c->node = (uint16_t)node;
        c->came_by_ms = engine->now_ms - live->journey.nodes[node].winner.after_ms;
        return;
    }
}

/* In force at once, and handed out to be stored as one that was said by hand is. */
static enum err say(struct engine *engine, struct out *out, const struct contest *c,
                    const struct journey *journey)
{
    SCOPED(buf_donep) struct buf text = buf_make(JOURNEY_CHOICE_BYTES_MAX);
    const struct node           *node = &journey->nodes[c->node];
    struct journey_choice        choice = { .node = node->id,
                                            .experiment = node->experiment,
                                            .at_ms = engine->now_ms,
                                            .counts_count = node->branches_count };
    double                       best[DEAL_ARMS_MAX];
    uint32_t                     number, arm;
    for (uint32_t i = 0; i < choice.counts_count; i++) {
        choice.names[i] = journey->branches[node->branches + i].name;
        choice.counts[i] = c->counts[i];
    }
    arm = winner_pick(&node->winner, c->counts, choice.counts_count, best, &choice.how);
    if (arm != WINNER_NONE)
        choice.variant = choice.names[arm];
    journey_choice_write(journey->name, &choice, &text);
    TRY(buf_err(&text));
    out->chosen_name = journey_choice_name(out->arena, journey->name, node->id);
    out->chosen = str_copy(out->arena, buf_view(&text));
    if (out->chosen.ptr == NULL || out->chosen_name.ptr == NULL)
        return ERR_MEMORY;
    return journey_choice_define(engine->program, out->chosen_name, out->chosen,
                                 (uint32_t)engine->number, &number, NULL);
}

static bool is_enough(const struct contest *c, const struct node *node)
{
    for (uint16_t i = 0; i < node->branches_count; i++)
        if (c->counts[i].of < node->winner.people)
            return false;
    return true;
}

static enum err part_count(struct engine *engine, struct out *out)
{
    struct contest       *c = &engine->contest;
    const struct journey *journey = journey_of(engine, c);
    const struct dict    *names = engine->program->names[NAME_PROPERTY];
    uint32_t              all = people_count(engine->people);
    uint32_t              end = all - c->cursor > CONTEST_PEOPLE ? c->cursor + CONTEST_PEOPLE : all;
    struct keys           keys = { dict_find(names, STR("took")), dict_find(names, STR("chosen")),
                                   dict_find(names, STR("message")) };
    if (journey == NULL || !is_open(engine->program, c->journey, &journey->nodes[c->node])) {
        next_begin(engine, c->journey, c->node + 1u); /* published anew, or chosen, meanwhile */
        return OK;
    }
    for (; c->cursor < end; c->cursor++)
        if (people_root(engine->people, c->cursor) == c->cursor &&
            !people_is_nobody(engine->people, c->cursor))
            person_count(engine, c, journey, &keys, c->cursor);
    if (c->cursor < all)
        return OK;
    if (is_enough(c, &journey->nodes[c->node]))
        TRY(say(engine, out, c, journey));
    next_begin(engine, c->journey, c->node + 1u);
    return OK;
}

/* A rehearsal lives one person at a time: there is nobody to count. */
static bool is_any(const struct engine *engine)
{
    return engine->program->contests > 0 && !engine->is_brief;
}

enum err contests_run(struct engine *engine, struct out *out)
{
    struct contest *c = &engine->contest;
    int64_t         hour = engine->now_ms / TIME_HOUR_MS;
    if (!is_any(engine)) {
        *c = (struct contest){ .hour = 0 };
        return OK;
    }
    bool is_due = c->hour > 0 && c->hour < hour && !c->is_counting;
    if (!c->is_counting)
        c->hour = hour;
    if (is_due)
        next_begin(engine, 0, 0);
    return c->is_counting ? part_count(engine, out) : OK;
}

int64_t contests_next_ms(const struct engine *engine)
{
    const struct contest *c = &engine->contest;
    if (!is_any(engine))
        return TIME_NEVER;
    return c->is_counting || c->hour == 0 ? engine->now_ms : (c->hour + 1) * TIME_HOUR_MS;
}
