/*
 * Gates: what else of a segment decides it, whatever one condition says.
 *
 *      and                the gates of c: a that does not hold, or d that does;
 *        a                what the event itself may move is none, for it may have
 *        or               been otherwise before
 *          c
 *          d
 */
#include "engine/segment/segment_listen.h"

static bool is_about(const struct segment_match_op *match, uint16_t event)
{
    return match->event == event || match->event == SEGMENT_ANY_EVENT;
}

/* Cheaply asked, and never moved by the event. */
static bool is_still(const struct segment_op *op, uint16_t event)
{
    if (op->zoned || op->moves)
        return false;
    switch (op->kind) {
    case SEGMENT_EVERYONE:
    case SEGMENT_AND:
    case SEGMENT_OR:
    case SEGMENT_NOT:
    case SEGMENT_SHARE:
    case SEGMENT_COMPARE:
        return true;
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
        return op->match.where == 0 && !is_about(&op->match, event);
    default:
        return false;
    }
}

static bool is_gate(const struct segment_op *ops, uint32_t at, uint16_t event)
{
    for (uint32_t i = at; i < ops[at].next; i++)
        if (!is_still(&ops[i], event))
            return false;
    return true;
}

static bool is_around(enum segment_kind kind)
{
    return kind == SEGMENT_AND || kind == SEGMENT_OR || kind == SEGMENT_NOT;
}

/* The part of the group that has op `at`. */
static uint32_t part_with(const struct segment_op *ops, uint32_t group, uint32_t at)
{
    uint32_t part = group + 1;
    while (ops[part].next <= at)
        part = ops[part].next;
    return part;
}

/* "Not" turns the answer that is wanted round. */
static struct heard_gate gate_of(const struct segment_op *ops, uint32_t at, bool holds)
{
    struct heard_gate gate = { .ops = ops, .at = at, .holds = holds };
    for (; ops[gate.at].kind == SEGMENT_NOT; gate.at++)
        gate.holds = !gate.holds;
    const struct segment_op *op = &ops[gate.at];
    gate.mark = op->kind == SEGMENT_COMPARE ? segment_wanted_mark(op) : 0;
    if (gate.mark != 0)
        gate.kind = GATE_TEXT;
    if (op->kind == SEGMENT_FIRST_DID || op->kind == SEGMENT_LAST_DID)
        gate.mark = 1;
    if (op->kind == SEGMENT_DID && op->times != SEGMENT_TIMES_EXACTLY) {
        gate.is_most = op->times == SEGMENT_TIMES_AT_MOST;
        gate.mark = op->times_count + gate.is_most;
    }
    if (gate.kind != GATE_TEXT && gate.mark > 0 && gate.mark < HEAR_TIMES_MAX)
        gate.kind = GATE_COUNT;
    return gate;
}

uint32_t segment_gates(const struct segment_program *program, uint32_t at, uint16_t event,
                       struct heard_gate out[static HEAR_GATES_MAX])
{
    const struct segment_op *ops = program->ops;
    uint32_t                 count = 0;
    for (int weight = 0; weight < 2; weight++)
        for (uint32_t group = 0; is_around(ops[group].kind); group = part_with(ops, group, at))
            for (uint32_t part = group + 1; part < ops[group].next; part = ops[part].next) {
                bool is_beside = part > at || ops[part].next <= at;
                if (is_beside && ops[part].weight == weight && is_gate(ops, part, event) &&
                    count < HEAR_GATES_MAX)
                    out[count++] = gate_of(ops, part, ops[group].kind == SEGMENT_OR);
            }
    return count;
}

/* ---- asking ---- */

void gate_memo_init(struct gate_memo *memo)
{
    memo->events = 0;
    for (int i = 0; i < GATE_NAMES; i++)
        memo->names[i].name = DICT_NONE;
    for (int i = 0; i < GATE_TRAITS; i++)
        memo->traits[i].key = DICT_NONE;
}

/* How many of that name there are in all, counted to HEAR_TIMES_MAX. */
static uint32_t names_found(struct listen *listen, uint16_t name)
{
    const struct facts *facts = listen->facts;
    struct gate_memo   *memo = &listen->memo;
    uint32_t            place = name % GATE_NAMES, found = 0;
    if (memo->names[place].name == name)
        return memo->names[place].found;
    for (uint32_t i = 0; i < facts->runs_count; i++)
        for (uint32_t to = facts->runs[i].count; found < HEAR_TIMES_MAX; found++, to--) {
            to = run_name_last(&facts->runs[i], to, name);
            if (to == 0)
                break;
        }
    memo->names[place].name = name;
    memo->names[place].found = (uint16_t)found;
    return found;
}

static bool is_short(struct listen *listen)
{
    const struct facts *facts = listen->facts;
    for (uint32_t i = 0; listen->memo.events == 0 && i < facts->runs_count; i++)
        listen->memo.events += facts->runs[i].count;
    return listen->memo.events <= GATE_EVENTS_MAX;
}

static struct verdict gate_ask(const struct listen *listen, const struct heard_gate *gate)
{
    struct segment_asking asking = { gate->ops, listen->facts, NULL };
    return segment_eval_op(&asking, gate->at);
}

/* Nothing is dated ahead: what is too few stays so until an event comes. */
static struct verdict count_ask(struct listen *listen, const struct heard_gate *gate)
{
    if (is_short(listen) && names_found(listen, gate->ops[gate->at].match.event) < gate->mark)
        return (struct verdict){ gate->is_most, TIME_NEVER };
    return gate_ask(listen, gate);
}

static void trait_find(struct listen *listen, uint16_t key, uint32_t place)
{
    const struct facts *facts = listen->facts;
    struct facts_trait  trait;
    bool                known = facts->ops->trait(facts, key, &trait);
    listen->memo.traits[place].key = key;
    listen->memo.traits[place].is_list = known && trait.value.kind == JSON_ARRAY;
    listen->memo.traits[place].mark = known ? segment_trait_mark(&trait.value) : 0;
    listen->memo.traits[place].until_ms = trait.until_ms;
}

static struct verdict text_ask(struct listen *listen, const struct heard_gate *gate)
{
    uint16_t key = gate->ops[gate->at].key;
    uint32_t place = key % GATE_TRAITS;
    if (listen->memo.traits[place].key != key)
        trait_find(listen, key, place);
    if (listen->memo.traits[place].is_list || listen->memo.traits[place].mark == gate->mark)
        return gate_ask(listen, gate);
    return (struct verdict){ false, listen->memo.traits[place].until_ms };
}

/* The one that keeps a segment mostly comes to be asked first. */
static void gate_raise(struct heard_gate *gates, uint32_t i)
{
    struct heard_gate gate = gates[i];
    if (i == 0)
        return;
    gates[i] = gates[i - 1];
    gates[i - 1] = gate;
}

int64_t listen_settled_ms(struct listen *listen, struct heard_user user, int64_t wanted_ms)
{
    struct heard_gate *gates = &listen->hearing->gates[user.gates];
    int64_t            settled_ms = listen->facts->now_ms;
    for (uint32_t i = 0; i < user.gates_count && settled_ms < wanted_ms; i++) {
        const struct heard_gate *gate = &gates[i];
        struct verdict           v = gate->kind == GATE_COUNT  ? count_ask(listen, gate)
                                     : gate->kind == GATE_TEXT ? text_ask(listen, gate)
                                                               : gate_ask(listen, gate);
        if (v.holds != gate->holds || v.until_ms <= settled_ms)
            continue;
        settled_ms = v.until_ms;
        gate_raise(gates, i);
    }
    return settled_ms;
}
