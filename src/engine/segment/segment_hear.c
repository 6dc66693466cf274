#include "engine/segment/segment_hear.h"

#include <stdlib.h>

#include "base/hash.h"
#include "engine/segment/segment_scan.h"
#include "engine/segment/segment_values.h"

/* ---- what hears ---- */

/* One condition of one segment, before equal ones are joined. */
struct use {
    struct heard      heard;
    struct heard_user user;
};

static bool is_about(const struct segment_op *op, uint16_t event)
{
    switch (op->kind) {
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_AGGREGATE:
        return op->match.event == event;
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        return op->match.event == event || op->then.event == event;
    case SEGMENT_FUNNEL:
        break;
    default:
        return false;
    }
    for (uint32_t i = 0; i < op->steps_count; i++)
        if (op->steps[i].event == event)
            return true;
    return false;
}

static bool use_count(const struct segment_op *op, struct use *use)
{
    bool     most = op->times == SEGMENT_TIMES_AT_MOST;
    uint32_t times = op->times_count;
    if (op->times == SEGMENT_TIMES_EXACTLY || times >= HEAR_TIMES_MAX - 1)
        return false;
    use->heard.times = times + most; /* 0 always holds, and nothing turns it */
    use->user.effect = most ? (int8_t)-op->polarity : op->polarity;
    return true;
}

static bool use_sum(const struct segment_op *op, struct use *use)
{
    bool     over = op->test == SEGMENT_MORE || op->test == SEGMENT_AT_MOST;
    bool     up = op->test == SEGMENT_MORE || op->test == SEGMENT_AT_LEAST;
    __int128 least = op->number_micro + over;
    if (op->fold != SEGMENT_SUM || op->group == 0 || least > INT64_MAX / 2 ||
        least < INT64_MIN / 2 || (!up && op->test != SEGMENT_LESS && op->test != SEGMENT_AT_MOST))
        return false;
    use->heard.least_micro = (int64_t)least;
    use->heard.group = op->group;
    use->user.effect = up ? op->polarity : (int8_t)-op->polarity;
    return true;
}

/* False: the condition is none that only counts up to now. */
static bool use_of(const struct hearing_segment *segment, uint32_t at, struct use *use)
{
    const struct segment_op     *op = &segment->program->ops[at];
    const struct segment_window *window = &op->match.window;
    struct facts                 none = { .now_ms = 0 };
    if (op->leaf == 0 || op->moves ||
        (window->kind != SEGMENT_EVER && window->kind != SEGMENT_LAST &&
         window->kind != SEGMENT_SINCE))
        return false;
    *use = (struct use){
        .heard = { .ops = segment->program->ops,
                   .at = at,
                   .leaf = op->leaf,
                   .moves = window->kind == SEGMENT_LAST,
                   .from_ms = segment_reach_of(window, &none).now.from_ms },
        .user = { .segment = segment->number },
    };
    return op->kind == SEGMENT_DID         ? use_count(op, use)
           : op->kind == SEGMENT_AGGREGATE ? use_sum(op, use)
                                           : false;
}

/* The segment's conditions about the event; UINT32_MAX when one is of another sort. */
static uint32_t uses_of(const struct hearing_segment *segment, uint16_t event, struct use *out)
{
    const struct segment_program *program = segment->program;
    uint32_t                      count = 0;
    if (program->has_zone)
        return UINT32_MAX;
    for (uint32_t i = 0; i < program->ops_count; i++)
        if (is_about(&program->ops[i], event) && !use_of(segment, i, &out[count++]))
            return UINT32_MAX;
    return count;
}

static int compare_uses(const void *a, const void *b)
{
    const struct heard *x = &((const struct use *)a)->heard, *y = &((const struct use *)b)->heard;
    return x->group != y->group ? x->group - y->group : (int)x->leaf - (int)y->leaf;
}

static void uses_join(struct hearing *hearing, struct use *uses, uint32_t count)
{
    if (count > 1)
        qsort(uses, count, sizeof uses[0], compare_uses);
    for (uint32_t i = 0; i < count; i++) {
        struct heard *last = hearing->count == 0 ? NULL : &hearing->items[hearing->count - 1];
        if (last == NULL || last->leaf != uses[i].heard.leaf) {
            last = &hearing->items[hearing->count++];
            *last = uses[i].heard;
            last->users = i;
        }
        hearing->users[i] = uses[i].user;
        last->users_count++;
        if (last->times > hearing->times_max)
            hearing->times_max = last->times;
    }
    hearing->users_count = count;
}

enum err segment_hearing_make(struct hearing *hearing, uint16_t event,
                              const struct hearing_segment *segments, uint32_t count)
{
    uint32_t room = 1, used = 0;
    *hearing = (struct hearing){ 0 };
    for (uint32_t i = 0; i < count; i++)
        room += segments[i].program->ops_count;
    struct use *uses = malloc(room * sizeof uses[0]);
    hearing->items = malloc(room * sizeof hearing->items[0]);
    hearing->users = malloc(room * sizeof hearing->users[0]);
    hearing->others = malloc((count + 1) * sizeof hearing->others[0]);
    bool got =
        uses != NULL && hearing->items != NULL && hearing->users != NULL && hearing->others != NULL;
    for (uint32_t i = 0; got && i < count; i++) {
        uint32_t more = uses_of(&segments[i], event, uses + used);
        if (more == UINT32_MAX)
            hearing->others[hearing->others_count++] = segments[i].number;
        else
            used += more;
    }
    if (got)
        uses_join(hearing, uses, used);
    else
        segment_hearing_done(hearing);
    free(uses);
    return got ? OK : ERR_MEMORY;
}

void segment_hearing_done(struct hearing *hearing)
{
    free(hearing->items);
    free(hearing->users);
    free(hearing->others);
    *hearing = (struct hearing){ 0 };
}

/* ---- an event ---- */

struct listen {
    const struct facts       *facts;
    const struct heard_event *event;
    struct hear_sums         *sums;
    uint32_t                  times_count;
    int64_t                   times[HEAR_TIMES_MAX]; /* of this name, the newest first */
};

static int64_t from_of(const struct heard *heard, const struct facts *facts)
{
    return heard->moves ? heard->from_ms + facts->now_ms : heard->from_ms;
}

static void times_find(struct listen *listen, uint32_t most)
{
    struct segment_match_op match = { .event = listen->event->name };
    struct segment_asking   asking = { NULL, listen->facts };
    struct segment_span     past = { INT64_MIN, INT64_MAX };
    struct segment_scan     scan;
    struct segment_hit      hit;
    segment_scan_newest(&scan, &asking, &match, past);
    while (listen->times_count < most && segment_scan_take_newest(&scan, &hit))
        listen->times[listen->times_count++] = hit.at_ms;
}

/* Exactly so many in the window, this event among them. */
static bool count_turned(const struct listen *listen, const struct heard *heard)
{
    uint32_t n = heard->times;
    int64_t  from_ms = from_of(heard, listen->facts);
    if (n == 0 || listen->event->at_ms < from_ms || listen->times_count < n ||
        listen->times[n - 1] < from_ms)
        return false;
    uint32_t where = heard->ops[heard->at].match.where;
    if (where == 0)
        return listen->times_count == n || listen->times[n] < from_ms;
    struct segment_asking asking = { heard->ops, listen->facts };
    struct segment_span   span = { from_ms, INT64_MAX };
    struct segment_scan   scan;
    struct segment_hit    hit;
    uint32_t              found = 0;
    if (!segment_where(&asking, where, listen->event->bag))
        return false;
    segment_scan_newest(&scan, &asking, &heard->ops[heard->at].match, span);
    while (found <= n && segment_scan_take_newest(&scan, &hit))
        found++;
    return found == n;
}

/* ---- sums ---- */

void hear_sums_forget(struct hear_sums *sums, uint32_t person)
{
    if (sums != NULL)
        sums->forgot[person % HEAR_SUMS]++;
}

/* Adds the event's values; false when one is below 0, or the sum becomes too large. */
static bool values_add(const struct segment_asking *asking, const struct segment_op *op,
                       struct bag bag, int64_t sign, int64_t *sum)
{
    struct segment_values values;
    struct json           value;
    __int128              micro, total = *sum;
    segment_values_begin(&values, asking, op, bag);
    while (segment_values_next(&values, &value)) {
        if (!segment_micro(&value, &micro))
            continue;
        if (micro < 0)
            return false;
        total += sign * micro;
        if (total > INT64_MAX / 2)
            return false;
    }
    *sum = (int64_t)total;
    return true;
}

/* Adds (or takes) what lies in the span, but for the event itself. */
static bool span_add(const struct listen *listen, const struct heard *heard,
                     struct segment_span span, int64_t sign, int64_t *sum)
{
    const struct segment_op *op = &heard->ops[heard->at];
    struct segment_asking    asking = { heard->ops, listen->facts };
    struct segment_scan      scan;
    struct segment_hit       hit;
    segment_scan_oldest(&scan, &asking, &op->match, span);
    while (segment_scan_take_oldest(&scan, &hit))
        if (hit.seq != listen->event->seq &&
            !values_add(&asking, op, segment_hit_bag(&asking, &hit), sign, sum))
            return false;
    return true;
}

static struct hear_sum *sum_place(struct hear_sums *sums, uint32_t person, uint16_t group)
{
    return &sums->items[hash_u64((uint64_t)person << 16 | group, 0) % HEAR_SUMS];
}

/* The group's sum over the window without the event: slid there from where it was, or read. */
static bool sum_before(const struct listen *listen, const struct heard *heard, int64_t from_ms,
                       int64_t *sum)
{
    struct hear_sums *sums = listen->sums;
    uint32_t          person = listen->facts->profile;
    *sum = 0;
    if (sums != NULL) {
        struct hear_sum *have = sum_place(sums, person, heard->group);
        bool             known = have->person == person && have->group == heard->group &&
                     have->round == sums->round && have->from_ms <= from_ms &&
                     have->forgot == sums->forgot[person % HEAR_SUMS];
        have->group = known ? have->group : 0;
        if (known) {
            *sum = have->micro;
            have->group = 0; /* until it is whole again */
            return have->from_ms == from_ms ||
                   span_add(listen, heard, (struct segment_span){ have->from_ms, from_ms - 1 }, -1,
                            sum);
        }
    }
    return span_add(listen, heard, (struct segment_span){ from_ms, INT64_MAX }, 1, sum);
}

static void sum_keep(const struct listen *listen, const struct heard *heard, int64_t from_ms,
                     int64_t micro)
{
    struct hear_sums *sums = listen->sums;
    uint32_t          person = listen->facts->profile;
    if (sums != NULL)
        *sum_place(sums, person, heard->group) =
            (struct hear_sum){ person,  heard->group, sums->round, sums->forgot[person % HEAR_SUMS],
                               from_ms, micro };
}

static void sum_drop(const struct listen *listen, const struct heard *heard)
{
    struct hear_sum *have =
        listen->sums == NULL ? NULL : sum_place(listen->sums, listen->facts->profile, heard->group);
    if (have != NULL)
        have->group = 0;
}

static bool turned_add(uint32_t turned[HEAR_TURNED_MAX], uint32_t *count, uint32_t i)
{
    if (*count == HEAR_TURNED_MAX)
        return false;
    turned[(*count)++] = i;
    return true;
}

/* All conditions about one sum, from `*i` on, which goes behind them. */
static bool sums_turned(const struct listen *listen, const struct hearing *hearing, uint32_t *i,
                        uint32_t turned[HEAR_TURNED_MAX], uint32_t *count)
{
    const struct heard      *first = &hearing->items[*i];
    const struct segment_op *op = &first->ops[first->at];
    struct segment_asking    asking = { first->ops, listen->facts };
    int64_t                  from_ms = from_of(first, listen->facts), before, after;
    bool                     matches =
        op->match.where == 0 || segment_where(&asking, op->match.where, listen->event->bag);
    if (matches && listen->event->at_ms < from_ms)
        sum_drop(listen, first); /* it may lie where the kept one began */
    if (!matches || listen->event->at_ms < from_ms) {
        while (*i < hearing->count && hearing->items[*i].group == first->group)
            ++*i;
        return true;
    }
    if (!sum_before(listen, first, from_ms, &before))
        return false;
    after = before;
    if (!values_add(&asking, op, listen->event->bag, 1, &after))
        return false;
    sum_keep(listen, first, from_ms, after);
    for (; *i < hearing->count && hearing->items[*i].group == first->group; ++*i) {
        int64_t least = hearing->items[*i].least_micro;
        if (before < least && after >= least && !turned_add(turned, count, *i))
            return false;
    }
    return true;
}

bool segment_hear(const struct hearing *hearing, const struct facts *facts,
                  const struct heard_event *event, struct hear_sums *sums,
                  uint32_t turned[HEAR_TURNED_MAX], uint32_t *count)
{
    struct listen listen;
    uint32_t      i = 0;
    bool          told = true;
    listen.facts = facts;
    listen.event = event;
    listen.sums = sums;
    listen.times_count = 0;
    *count = 0;
    if (hearing->times_max > 0)
        times_find(&listen, hearing->times_max + 1);
    for (; i < hearing->count && hearing->items[i].group == 0; i++)
        if (count_turned(&listen, &hearing->items[i]))
            told = told && turned_add(turned, count, i);
    while (told && i < hearing->count)
        told = sums_turned(&listen, hearing, &i, turned, count);
    if (!told) /* some were told of the event, and some were not */
        hear_sums_forget(sums, facts->profile);
    return told;
}

/* ---- traits ---- */

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

bool segment_heard_traits(const struct hearing_segment *segment, uint16_t trait, uint16_t derived,
                          struct heard_trait *out, uint32_t *count)
{
    const struct segment_program *program = segment->program;
    if (program->has_zone)
        return false;
    for (uint32_t i = 0; i < program->ops_count;) {
        const struct segment_op *op = &program->ops[i];
        if (asks_trait(op) && (op->key == trait ? op->kind != SEGMENT_COMPARE : op->key < derived))
            return false;
        if (op->kind == SEGMENT_COMPARE && op->key == trait)
            out[(*count)++] = (struct heard_trait){ op, segment->number };
        i = is_around(op->kind) ? i + 1 : op->next;
    }
    return true;
}

bool segment_trait_turns(const struct heard_trait *heard, const struct facts *facts,
                         const struct json *before, const struct json *after, bool in)
{
    struct verdict a = segment_compare_value(facts, &heard->op->compare, before);
    struct verdict b = segment_compare_value(facts, &heard->op->compare, after);
    int            polarity = b.holds ? heard->op->polarity : -heard->op->polarity;
    if (a.until_ms != b.until_ms)
        return true;
    return a.holds != b.holds && (polarity == 0 || (polarity > 0) != in);
}

bool segment_is_shut(const struct segment_program *program, const struct facts *nothing)
{
    if (program->has_zone || program->segments_count > 0)
        return false;
    for (uint32_t i = 0; i < program->ops_count; i++)
        if (program->ops[i].kind == SEGMENT_SHARE)
            return false;
    struct verdict v = segment_eval(program, nothing);
    return !v.holds && v.until_ms == TIME_NEVER;
}
