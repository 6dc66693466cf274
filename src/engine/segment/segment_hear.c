#include "engine/segment/segment_listen.h"
#include "engine/segment/segment_scan.h"
#include "engine/segment/segment_values.h"

/* ---- who is told ---- */

static bool is_moved(struct heard_user user, enum segment_way way, bool in)
{
    int effect = (int)way * user.polarity;
    return effect == 0 || (effect > 0) != in;
}

void listen_ask(struct listen *listen, struct heard_user user, struct heard_member member)
{
    struct heard_turned *out = listen->out;
    int64_t              settled = listen_settled_ms(listen, user, member.until_ms);
    if (settled == listen->facts->now_ms)
        out->asked[out->asked_count++] = user.segment;
    else if (settled < member.until_ms)
        out->sooner[out->sooner_count++] = (struct heard_until){ user.segment, settled };
}

static void user_tell(struct listen *listen, struct heard_user user, enum segment_way way)
{
    struct heard_member member = listen->event->member(listen->event->context, user.segment);
    if (is_moved(user, way, member.in))
        listen_ask(listen, user, member);
}

void listen_turned(struct listen *listen, const struct heard *heard, enum segment_way way)
{
    const struct heard_user *users = &listen->hearing->users[heard->users];
    for (uint32_t i = 0; i < heard->users_count; i++)
        user_tell(listen, users[i], way);
}

/* The event moves the condition no earlier than that. */
static void turned_by(struct listen *listen, const struct heard *heard, int64_t at_ms)
{
    const struct heard_user *users = &listen->hearing->users[heard->users];
    struct heard_turned     *out = listen->out;
    for (uint32_t i = 0; i < heard->users_count; i++) {
        uint32_t            segment = users[i].segment;
        struct heard_member member = listen->event->member(listen->event->context, segment);
        if (is_moved(users[i], SEGMENT_WAY_UP, member.in) && at_ms < member.until_ms &&
            listen_settled_ms(listen, users[i], member.until_ms) < member.until_ms)
            out->sooner[out->sooner_count++] = (struct heard_until){ segment, at_ms };
    }
}

bool listen_is_wanted(struct listen *listen, const struct heard *heard, enum segment_way way)
{
    const struct heard_user *users = &listen->hearing->users[heard->users];
    for (uint32_t i = 0; i < heard->users_count; i++) {
        struct heard_member member =
            listen->event->member(listen->event->context, users[i].segment);
        if (is_moved(users[i], way, member.in) &&
            listen_settled_ms(listen, users[i], member.until_ms) < member.until_ms)
            return true;
    }
    return false;
}

/* ---- what counts ---- */

/* Among the newest `most`; false when it is older than all of them. */
static bool time_add(struct listen *listen, int64_t at_ms, uint32_t most)
{
    uint32_t i = listen->times_count;
    if (i == most && (most == 0 || listen->times[most - 1] >= at_ms))
        return false;
    if (i == most)
        i--;
    else
        listen->times_count++;
    for (; i > 0 && listen->times[i - 1] < at_ms; i--)
        listen->times[i] = listen->times[i - 1];
    listen->times[i] = at_ms;
    return true;
}

/* Of that name, 16 looked at together. */
static void named_times_of_run(struct listen *listen, const struct run *run, int64_t from_ms,
                               uint32_t most)
{
    for (uint32_t to = run->count; to > 0; to = to > RUN_BLOCK ? to - RUN_BLOCK : 0) {
        uint32_t bits = run_name_bits(run, to, listen->event->name);
        for (; bits != 0; bits &= ~(1U << (RUN_BLOCK - run_bits_last(bits)))) {
            int64_t at_ms = run->at_ms[to - run_bits_last(bits)];
            if (at_ms < from_ms || !time_add(listen, at_ms, most))
                return;
        }
    }
}

static void times_of_run(struct listen *listen, const struct run *run, int64_t from_ms,
                         uint32_t most)
{
    for (uint32_t to = run->count; to > 0; to--)
        if (run->name[to - 1] >= RUN_DEEDS &&
            (run->at_ms[to - 1] < from_ms || !time_add(listen, run->at_ms[to - 1], most)))
            return;
}

/* The runs that come last are the newest, as a rule: then each time stays where it is put. What is
 * before all windows is none of them. */
static void times_find(struct listen *listen, bool any, uint32_t most)
{
    const struct facts *facts = listen->facts;
    int64_t             span_ms = listen->hearing->times_span_ms[any];
    int64_t             from_ms = span_ms == TIME_NEVER ? INT64_MIN : facts->now_ms - span_ms;
    listen->times_count = 0;
    for (uint32_t i = facts->runs_count; i > 0; i--)
        if (any)
            times_of_run(listen, &facts->runs[i - 1], from_ms, most);
        else
            named_times_of_run(listen, &facts->runs[i - 1], from_ms, most);
}

/* How many match from `from_ms` on, counted to `most`. */
static uint32_t found_from(const struct segment_asking   *asking,
                           const struct segment_match_op *match, int64_t from_ms, uint32_t most)
{
    struct segment_span span = { from_ms, INT64_MAX };
    struct segment_scan scan;
    struct segment_hit  hit;
    uint32_t            found = 0;
    segment_scan_newest(&scan, asking, match, span);
    while (found < most && segment_scan_take_newest(&scan, &hit))
        found++;
    return found;
}

/* Exactly so many in the window, this event among them. */
static bool count_turned(const struct listen *listen, const struct heard *heard,
                         const struct facts *facts)
{
    const struct segment_match_op *match = &heard->ops[heard->at].match;
    struct segment_asking          asking = { heard->ops, facts, NULL };
    uint32_t                       n = heard->times;
    int64_t from_ms = heard->zoned ? segment_reach_of(&match->window, facts).now.from_ms
                                   : listen_from_ms(heard, facts);
    if (n == 0 || listen->event->at_ms < from_ms || listen->times_count < n ||
        listen->times[n - 1] < from_ms)
        return false;
    if (match->where == 0)
        return listen->times_count == n || listen->times[n] < from_ms;
    return segment_where(&asking, match->where, listen->event->bag) &&
           found_from(&asking, match, from_ms, n + 1) == n;
}

/* ---- what follows ---- */

static bool is_match(const struct listen *listen, const struct segment_asking *asking,
                     const struct segment_match_op *match)
{
    uint16_t name = listen->event->name;
    bool named = match->event == name || (match->event == SEGMENT_ANY_EVENT && name >= RUN_DEEDS);
    return named && (match->where == 0 || segment_where(asking, match->where, listen->event->bag));
}

/* Does any match in that span, but for the event itself? */
static bool has_other(const struct listen *listen, const struct segment_asking *asking,
                      const struct segment_match_op *match, struct segment_span span)
{
    struct segment_scan scan;
    struct segment_hit  hit;
    segment_scan_newest(&scan, asking, match, span);
    while (segment_scan_take_newest(&scan, &hit))
        if (hit.seq != listen->event->seq)
            return true;
    return false;
}

/*
 * What comes in order is the second, or begins to wait for one. An answer comes too late for what
 * has waited its time: that was unanswered already.
 */
static enum segment_way way_of_then(const struct listen         *listen,
                                    const struct segment_asking *asking,
                                    const struct segment_op     *op)
{
    int64_t             at_ms = listen->event->at_ms, late_ms = listen->facts->now_ms;
    bool                then_not = op->kind == SEGMENT_THEN_NOT;
    bool                first = is_match(listen, asking, &op->match);
    bool                second = is_match(listen, asking, &op->then);
    struct segment_span before = { at_ms - op->within_ms, at_ms };
    if (!listen->event->in_order)
        return !first && !second      ? SEGMENT_WAY_NONE
               : !then_not || !second ? SEGMENT_WAY_UP
               : first                ? SEGMENT_WAY_UNKNOWN
                                      : SEGMENT_WAY_DOWN;
    if (then_not && late_ms - op->within_ms < at_ms)
        before.to_ms = late_ms - op->within_ms;
    second = second && has_other(listen, asking, &op->match, before);
    if (!then_not)
        return second ? SEGMENT_WAY_UP : SEGMENT_WAY_NONE;
    return second ? (first ? SEGMENT_WAY_UNKNOWN : SEGMENT_WAY_DOWN)
                  : (first ? SEGMENT_WAY_UP : SEGMENT_WAY_NONE);
}

/* In order the event ends a chain: that of its step, if one began in time. */
static bool ends_chain(const struct listen *listen, const struct segment_asking *asking,
                       const struct segment_op *op, uint32_t step)
{
    int64_t             at_ms = listen->event->at_ms;
    struct segment_span before = { at_ms - op->within_ms, at_ms };
    return step > 0 && is_match(listen, asking, &op->steps[step - 1]) &&
           (step == 1 || has_other(listen, asking, &op->steps[0], before));
}

static enum segment_way way_of_funnel(const struct listen         *listen,
                                      const struct segment_asking *asking,
                                      const struct segment_op     *op)
{
    if (!listen->event->in_order)
        return segment_way(asking, op, listen->event->name, listen->event->bag);
    bool reached = ends_chain(listen, asking, op, op->step);
    bool beyond = ends_chain(listen, asking, op, op->not_step);
    return reached && beyond ? SEGMENT_WAY_UNKNOWN
           : reached         ? SEGMENT_WAY_UP
           : beyond          ? SEGMENT_WAY_DOWN
                             : SEGMENT_WAY_NONE;
}

/* ---- what it brings ---- */

static bool has_value_beyond(const struct listen *listen, const struct segment_asking *asking,
                             const struct segment_op *op)
{
    struct segment_values values;
    struct json           value;
    __int128              micro;
    segment_values_begin(&values, asking, op, listen->event->bag);
    while (segment_values_next(&values, &value))
        if (segment_micro(&value, &micro) &&
            segment_order_holds(op->test, (micro > op->number_micro) - (micro < op->number_micro)))
            return true;
    return false;
}

/* Of several values the condition is asked itself. */
static enum segment_way way_of_latest(const struct listen         *listen,
                                      const struct segment_asking *asking,
                                      const struct segment_op     *op)
{
    struct segment_values values;
    struct json           value, more;
    segment_values_begin(&values, asking, op, listen->event->bag);
    if (!segment_values_next(&values, &value))
        return SEGMENT_WAY_NONE;
    if (!listen->event->in_order || segment_values_next(&values, &more))
        return SEGMENT_WAY_UNKNOWN;
    struct verdict v = segment_compare_value(asking->facts, &op->compare, &value);
    if (v.until_ms != TIME_NEVER)
        return SEGMENT_WAY_UNKNOWN;
    return v.holds ? SEGMENT_WAY_UP : SEGMENT_WAY_DOWN;
}

static bool is_first(const struct listen *listen, const struct segment_asking *asking,
                     const struct segment_op *op)
{
    struct segment_span past = { INT64_MIN, INT64_MAX };
    struct segment_scan scan;
    struct segment_hit  hit;
    segment_scan_oldest(&scan, asking, &op->match, past);
    return segment_scan_peek_oldest(&scan, &hit) && hit.seq == listen->event->seq;
}

/* "The last was more than d ago": of something never done too there is an end to be looked for. */
static bool is_lapse_over(const struct listen *listen, const struct heard *heard,
                          const struct segment_asking *asking)
{
    const struct segment_match_op *match = &heard->ops[heard->at].match;
    int64_t                        from_ms = listen_from_ms(heard, listen->facts);
    return listen->event->at_ms < from_ms || found_from(asking, match, from_ms, 2) == 1;
}

/* The condition's own answer says whether it was reached; where it is not, it was not before. */
static bool is_reached(struct listen *listen, const struct heard *heard,
                       const struct segment_asking *asking)
{
    return listen_is_wanted(listen, heard, (enum segment_way)heard->way) &&
           segment_eval_leaf(asking, &heard->ops[heard->at]).holds == (heard->way > 0);
}

/* Of a stretch between two instants most of time lies outside. */
static bool may_count(const struct listen *listen, const struct facts *facts,
                      const struct segment_op *op)
{
    const struct segment_window *window = &op->match.window;
    bool                         counts = op->kind == SEGMENT_DID || op->kind == SEGMENT_AGGREGATE;
    if (!counts || (window->kind != SEGMENT_BEFORE && window->kind != SEGMENT_BETWEEN))
        return true;
    struct segment_reach reach = segment_reach_of(window, facts);
    return listen->event->at_ms >= reach.now.from_ms && listen->event->at_ms <= reach.pending.to_ms;
}

static enum segment_way way_if(bool turned, int way)
{
    return turned ? (enum segment_way)way : SEGMENT_WAY_NONE;
}

/* Of all but counts and sums. */
static enum segment_way way_of(struct listen *listen, const struct heard *heard,
                               const struct facts *facts)
{
    const struct segment_op *op = &heard->ops[heard->at];
    struct segment_asking    asking = { heard->ops, facts, NULL };
    if (heard->kind == HEARD_THEN)
        return way_of_then(listen, &asking, op);
    if (heard->kind == HEARD_FUNNEL)
        return way_of_funnel(listen, &asking, op);
    if (heard->kind == HEARD_EACH)
        return may_count(listen, facts, op)
                   ? segment_way(&asking, op, listen->event->name, listen->event->bag)
                   : SEGMENT_WAY_NONE;
    if (!is_match(listen, &asking, &op->match))
        return SEGMENT_WAY_NONE;
    switch (heard->kind) {
    case HEARD_LAPSE:
        return way_if(is_lapse_over(listen, heard, &asking), SEGMENT_WAY_UNKNOWN);
    case HEARD_FIRST:
        return way_if(is_first(listen, &asking, op), SEGMENT_WAY_UNKNOWN);
    case HEARD_VALUE:
        return way_if(has_value_beyond(listen, &asking, op), SEGMENT_WAY_UP);
    case HEARD_LATEST:
        return way_of_latest(listen, &asking, op);
    default:
        return way_if(is_reached(listen, heard, &asking), heard->way);
    }
}

/* ---- all of them ---- */

/* The facts as the condition is to be asked with: in the person's zone where it needs one. */
static const struct facts *zoned(const struct listen *listen, const struct heard *heard,
                                 struct segment_local *local, bool *is_local)
{
    if (!heard->zoned || listen->facts->ops->zone == NULL)
        return listen->facts;
    if (!*is_local) {
        local->facts = *listen->facts;
        local->facts.zone = listen->facts->ops->zone(listen->facts, &local->until_ms);
    }
    *is_local = true;
    return &local->facts;
}

/* By (any, times): what is more often than the person did it is passed over. */
static uint32_t counts_tell(struct listen *listen, struct segment_local *local, bool *is_local)
{
    const struct hearing *hearing = listen->hearing;
    uint32_t              i = 0;
    for (int any = 0; any < 2; any++) {
        if (hearing->times_max[any] > 0)
            times_find(listen, any != 0, hearing->times_max[any] + 1);
        for (; i < hearing->count && hearing->items[i].kind == HEARD_COUNT &&
               hearing->items[i].any == (any != 0);
             i++) {
            const struct heard *heard = &hearing->items[i];
            if (heard->times <= listen->times_count &&
                (!heard->zoned || listen_is_wanted(listen, heard, (enum segment_way)heard->way)) &&
                count_turned(listen, heard, zoned(listen, heard, local, is_local)))
                listen_turned(listen, heard, (enum segment_way)heard->way);
        }
    }
    return i;
}

/* What begins to wait for a second event that is not to come holds after its time, if at all. */
static int64_t waits_ms(const struct heard *heard, const struct heard_event *event)
{
    const struct segment_op *op = &heard->ops[heard->at];
    bool                     waits = heard->kind == HEARD_THEN && op->kind == SEGMENT_THEN_NOT;
    return waits && event->in_order ? event->at_ms + op->within_ms : INT64_MIN;
}

void segment_hear(const struct hearing *hearing, const struct facts *facts,
                  const struct heard_event *event, struct hear_sums *sums, struct heard_turned *out)
{
    struct listen        listen;
    struct segment_local local;
    bool                 is_local = false;
    /* The times are large, and filled where they are wanted: not cleared. */
    listen.hearing = hearing;
    listen.cause = (struct heard_cause){ event->name, DICT_NONE };
    listen.told = NULL;
    listen.gates = hearing->gates;
    listen.facts = facts;
    listen.event = event;
    listen.sums = sums;
    listen.out = out;
    gate_memo_init(&listen.memo);
    out->asked_count = out->sooner_count = 0;
    if (!event->in_order)
        hear_sums_forget(sums, facts->profile);
    else if (sums != NULL && hearing->count > 0)
        hear_sums_prefetch(sums, facts->profile, hearing->items[hearing->count - 1].group);
    uint32_t i = counts_tell(&listen, &local, &is_local);
    for (; i < hearing->count && hearing->items[i].kind != HEARD_SUM; i++) {
        const struct heard *heard = &hearing->items[i];
        if (heard->zoned && !listen_is_wanted(&listen, heard, SEGMENT_WAY_UNKNOWN))
            continue; /* the person's zone is not looked up for nothing */
        enum segment_way way = way_of(&listen, heard, zoned(&listen, heard, &local, &is_local));
        if (way == SEGMENT_WAY_UP && waits_ms(heard, event) > facts->now_ms)
            turned_by(&listen, heard, waits_ms(heard, event));
        else if (way != SEGMENT_WAY_NONE)
            listen_turned(&listen, heard, way);
    }
    while (i < hearing->count)
        i = listen_sums(&listen, i);
}
