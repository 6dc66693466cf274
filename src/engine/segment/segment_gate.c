/*
 * Gates: what else of a segment decides it, whatever one condition says.
 *
 *      and                the gates of c: a that does not hold, or (d and e) that do;
 *        a                what the event itself may move is unknown, for it may have
 *        or               been otherwise before, and so is what costs much to ask
 *          c
 *          and
 *            d
 *            e
 */
#include "engine/segment/segment_listen.h"

static bool is_about(const struct segment_match_op *match, uint16_t event)
{
    return match->event == event || match->event == SEGMENT_ANY_EVENT;
}

/* What it begins with: who never did that, never did the whole. */
static const struct segment_match_op *begin_of(const struct segment_op *op)
{
    return op->kind == SEGMENT_FUNNEL ? &op->steps[0] : &op->match;
}

static bool is_around(enum segment_kind kind)
{
    return kind == SEGMENT_AND || kind == SEGMENT_OR || kind == SEGMENT_NOT;
}

/* Cheaply asked, and never moved by what came. */
static bool is_still(const struct segment_op *op, struct heard_cause cause)
{
    if (op->zoned || op->moves)
        return false;
    switch (op->kind) {
    case SEGMENT_EVERYONE:
    case SEGMENT_SHARE:
        return true;
    case SEGMENT_COMPARE:
        return op->key != cause.trait;
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
        return op->match.where == 0 && !is_about(&op->match, cause.event);
    default:
        return false;
    }
}

/* Known at least of who never did it. */
static bool is_known_of_none(const struct segment_op *op, struct heard_cause cause)
{
    return op->none != 0 && !is_about(begin_of(op), cause.event);
}

/* Is anything of the part ever known? */
static bool is_gate(const struct segment_op *ops, uint32_t at, struct heard_cause cause)
{
    for (uint32_t i = at; i < ops[at].next; i = is_around(ops[i].kind) ? i + 1 : ops[i].next)
        if (is_still(&ops[i], cause) || is_known_of_none(&ops[i], cause))
            return true;
    return false;
}

/* The part of the group that has op `at`. */
static uint32_t part_with(const struct segment_op *ops, uint32_t group, uint32_t at)
{
    uint32_t part = group + 1;
    while (ops[part].next <= at)
        part = ops[part].next;
    return part;
}

/* Who did it less often than that is known, and nothing is dated ahead: too few stays so. */
static uint32_t few_of(const struct segment_op *op)
{
    uint32_t few = op->times_count + (op->times == SEGMENT_TIMES_AT_MOST);
    if (op->kind != SEGMENT_DID || op->times == SEGMENT_TIMES_EXACTLY || few == 0)
        return 1; /* what never was */
    return few < HEAR_TIMES_MAX ? few : HEAR_TIMES_MAX;
}

/* "Not" turns the answer that is wanted round. */
static struct heard_gate gate_of(const struct segment_op *ops, uint32_t at, bool holds,
                                 struct heard_cause cause)
{
    struct heard_gate gate = { .ops = ops, .at = at, .holds = holds };
    for (; ops[gate.at].kind == SEGMENT_NOT; gate.at++)
        gate.holds = !gate.holds;
    const struct segment_op *op = &ops[gate.at];
    if (is_known_of_none(op, cause)) {
        gate.few = (uint8_t)few_of(op);
        gate.none_holds = op->none > 0;
        gate.few_hold = op->times == SEGMENT_TIMES_AT_MOST;
        gate.name = begin_of(op)->event;
    }
    return gate;
}

uint32_t segment_gates(const struct segment_program *program, uint32_t at, struct heard_cause cause,
                       struct heard_gate out[static HEAR_GATES_MAX])
{
    const struct segment_op *ops = program->ops;
    uint32_t                 count = 0;
    for (int weight = 0; weight < 3; weight++)
        for (uint32_t group = 0; is_around(ops[group].kind); group = part_with(ops, group, at))
            for (uint32_t part = group + 1; part < ops[group].next; part = ops[part].next) {
                bool is_beside = part > at || ops[part].next <= at;
                if (is_beside && ops[part].weight == weight && is_gate(ops, part, cause) &&
                    count < HEAR_GATES_MAX)
                    out[count++] = gate_of(ops, part, ops[group].kind == SEGMENT_OR, cause);
            }
    return count;
}

/* ---- asking ---- */

void gate_memo_init(struct gate_memo *memo)
{
    memo->events = 0;
    for (int i = 0; i < GATE_NAMES; i++)
        memo->names[i] = DICT_NONE;
    for (int i = 0; i < GATE_TRAITS; i++)
        memo->traits[i].key = DICT_NONE;
}

/* How many of that name there are in all, counted to HEAR_TIMES_MAX. */
static uint32_t names_found(struct listen *listen, uint16_t name)
{
    const struct facts *facts = listen->facts;
    struct gate_memo   *memo = &listen->memo;
    uint32_t            place = name % GATE_NAMES, found = 0;
    if (memo->names[place] == name)
        return memo->found[place];
    for (uint32_t i = 0; i < facts->runs_count && found < HEAR_TIMES_MAX; i++)
        for (uint32_t to = facts->runs[i].count; to > 0; to = to > RUN_BLOCK ? to - RUN_BLOCK : 0)
            for (uint32_t bits = run_name_bits(&facts->runs[i], to, name); bits != 0;
                 bits &= bits - 1)
                found++; /* mostly there is none */
    if (found > HEAR_TIMES_MAX)
        found = HEAR_TIMES_MAX;
    memo->names[place] = name;
    memo->found[place] = (uint16_t)found;
    return found;
}

static bool is_short(struct listen *listen)
{
    const struct facts *facts = listen->facts;
    for (uint32_t i = 0; listen->memo.events == 0 && i < facts->runs_count; i++)
        listen->memo.events += facts->runs[i].count;
    return listen->memo.events <= GATE_EVENTS_MAX;
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

/* An answer, if it is known. */
struct guess {
    bool           known;
    struct verdict v;
};

static struct guess known(bool holds, int64_t until_ms)
{
    return (struct guess){ true, { holds, until_ms } };
}

static struct guess asked(const struct listen *listen, const struct segment_op *ops, uint32_t at)
{
    struct segment_asking asking = { ops, listen->facts, NULL };
    return (struct guess){ true, segment_eval_op(&asking, at) };
}

/* The same record told it, too: what held before is not known. */
static bool is_told(const struct listen *listen, uint16_t key)
{
    const struct heard_told *told = listen->told;
    if (told == NULL)
        return false;
    for (uint32_t i = 0; i < told->count; i++)
        if (told->items[i].trait == key)
            return true;
    return told->moves_place && key < told->places.derived;
}

static struct guess guess_text(struct listen *listen, const struct segment_op *ops, uint32_t at)
{
    uint16_t key = ops[at].key;
    uint32_t place = key % GATE_TRAITS;
    if (ops[at].mark == 0)
        return asked(listen, ops, at);
    if (listen->memo.traits[place].key != key)
        trait_find(listen, key, place);
    if (listen->memo.traits[place].is_list || listen->memo.traits[place].mark == ops[at].mark)
        return asked(listen, ops, at);
    return known(false, listen->memo.traits[place].until_ms);
}

static struct guess guess_behaviour(struct listen *listen, const struct segment_op *ops,
                                    uint32_t at)
{
    const struct segment_op *op = &ops[at];
    if (is_short(listen) && is_known_of_none(op, listen->cause)) {
        uint32_t found = names_found(listen, begin_of(op)->event);
        if (found < few_of(op))
            return known(found == 0 ? op->none > 0 : op->times == SEGMENT_TIMES_AT_MOST,
                         TIME_NEVER);
    }
    return is_still(op, listen->cause) ? asked(listen, ops, at) : (struct guess){ false };
}

static struct guess guess_leaf(struct listen *listen, const struct segment_op *ops, uint32_t at)
{
    const struct segment_op *op = &ops[at];
    if (op->none != 0 || op->kind == SEGMENT_DID || op->kind == SEGMENT_FIRST_DID ||
        op->kind == SEGMENT_LAST_DID)
        return guess_behaviour(listen, ops, at);
    if (!is_still(op, listen->cause) || (op->kind == SEGMENT_COMPARE && is_told(listen, op->key)))
        return (struct guess){ false };
    return op->kind == SEGMENT_COMPARE ? guess_text(listen, ops, at) : asked(listen, ops, at);
}

static struct guess guess_not(struct guess guess)
{
    guess.v = verdict_not(guess.v);
    return guess;
}

/* One part that is false makes an AND false; that it is true is known of all or of none. */
static struct guess guess_op(struct listen *listen, const struct segment_op *ops, uint32_t at)
{
    bool         is_or = ops[at].kind == SEGMENT_OR, all = true;
    struct guess sum = known(true, TIME_NEVER);
    if (ops[at].kind == SEGMENT_NOT)
        return guess_not(guess_op(listen, ops, at + 1));
    if (!is_around(ops[at].kind))
        return guess_leaf(listen, ops, at);
    for (uint32_t part = at + 1; part < ops[at].next; part = ops[part].next) {
        struct guess guess = guess_op(listen, ops, part);
        all = all && guess.known;
        if (guess.known)
            sum.v = verdict_and(sum.v, is_or ? verdict_not(guess.v) : guess.v);
        if (!sum.v.holds && sum.v.until_ms == TIME_NEVER)
            break;
    }
    sum.known = all || !sum.v.holds;
    return is_or ? guess_not(sum) : sum;
}

/* As guess_op, the quick way first. */
static struct guess guess_gate(struct listen *listen, const struct heard_gate *gate)
{
    uint32_t found =
        gate->few > 0 && is_short(listen) ? names_found(listen, gate->name) : UINT32_MAX;
    if (found < gate->few)
        return known(found == 0 ? gate->none_holds : gate->few_hold, TIME_NEVER);
    return guess_op(listen, gate->ops, gate->at);
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
    struct heard_gate *gates = &listen->gates[user.gates];
    int64_t            settled_ms = listen->facts->now_ms;
    for (uint32_t i = 0; i < user.gates_count && settled_ms < wanted_ms; i++) {
        const struct heard_gate *gate = &gates[i];
        struct guess             guess = guess_gate(listen, gate);
        if (!guess.known || guess.v.holds != gate->holds || guess.v.until_ms <= settled_ms)
            continue;
        settled_ms = guess.v.until_ms;
        gate_raise(gates, i);
    }
    return settled_ms;
}
