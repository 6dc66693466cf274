/* Sums that are slid from event to event. */
#include "base/hash.h"
#include "engine/segment/segment_listen.h"
#include "engine/segment/segment_scan.h"
#include "engine/segment/segment_values.h"

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

static bool is_known(const struct listen *listen, const struct heard *heard,
                     const struct hear_sum *have, int64_t from_ms)
{
    const struct hear_sums *sums = listen->sums;
    uint32_t                person = listen->facts->profile;
    return have->person == person && have->group == heard->group && have->round == sums->round &&
           have->from_ms <= from_ms && from_ms <= have->to_ms &&
           have->forgot == sums->forgot[person % HEAR_SUMS];
}

/* Adds what came since, but for the event itself. */
static bool since_add(const struct listen *listen, const struct heard *heard,
                      const struct hear_sum *have, int64_t from_ms, int64_t *sum)
{
    const struct segment_op *op = &heard->ops[heard->at];
    struct segment_asking    asking = { heard->ops, listen->facts, NULL };
    struct segment_span      span = { later_ms(have->to_ms, from_ms), INT64_MAX };
    struct segment_scan      scan;
    struct segment_hit       hit;
    segment_scan_newest(&scan, &asking, &op->match, span);
    while (segment_scan_take_newest(&scan, &hit)) {
        if (hit.at_ms == have->to_ms && hit.seq <= have->to_seq)
            return true;
        if (hit.seq != listen->event->seq &&
            !values_add(&asking, op, segment_hit_bag(&asking, &hit), 1, sum))
            return false;
    }
    return true;
}

/* The group's sum over the window without the event: slid there from where it was, or read. */
static bool sum_before(const struct listen *listen, const struct heard *heard, int64_t from_ms,
                       int64_t *sum)
{
    struct hear_sum have = { 0 };
    *sum = 0;
    if (listen->sums != NULL)
        have = *sum_place(listen->sums, listen->facts->profile, heard->group);
    if (listen->sums == NULL || !is_known(listen, heard, &have, from_ms))
        return span_add(listen, heard, (struct segment_span){ from_ms, INT64_MAX }, 1, sum);
    *sum = have.micro;
    bool slid =
        have.from_ms == from_ms ||
        span_add(listen, heard, (struct segment_span){ have.from_ms, from_ms - 1 }, -1, sum);
    return slid && since_add(listen, heard, &have, from_ms, sum);
}

static void sum_keep(const struct listen *listen, const struct heard *heard, int64_t from_ms,
                     int64_t micro)
{
    struct hear_sums *sums = listen->sums;
    uint32_t          person = listen->facts->profile;
    if (sums != NULL && listen->event->in_order)
        *sum_place(sums, person, heard->group) =
            (struct hear_sum){ .person = person,
                               .group = heard->group,
                               .round = sums->round,
                               .forgot = sums->forgot[person % HEAR_SUMS],
                               .to_seq = listen->event->seq,
                               .from_ms = from_ms,
                               .to_ms = listen->event->at_ms,
                               .micro = micro };
}

/* Behind the last that is of the same sum. */
static uint32_t group_end(const struct hearing *hearing, uint32_t at)
{
    uint16_t group = hearing->items[at].group;
    while (at < hearing->count && hearing->items[at].group == group)
        at++;
    return at;
}

/* The sum before the event and after it; false when it may have gone any way. */
static bool sum_both(struct listen *listen, const struct heard *first, int64_t brought,
                     int64_t *before, int64_t *after)
{
    int64_t from_ms = listen_from_ms(first, listen->facts);
    if (!sum_before(listen, first, from_ms, before))
        return false;
    *after = *before + brought; /* each at most half of what there is room for */
    if (*after > INT64_MAX / 2)
        return false;
    sum_keep(listen, first, from_ms, *after);
    return true;
}

static bool is_wanted(struct listen *listen, uint32_t at, uint32_t end)
{
    for (; at < end; at++) {
        const struct heard *heard = &listen->hearing->items[at];
        if (listen_is_wanted(listen, heard, (enum segment_way)heard->way))
            return true;
    }
    return false;
}

uint32_t listen_sums(struct listen *listen, uint32_t at)
{
    const struct heard      *first = &listen->hearing->items[at];
    const struct segment_op *op = &first->ops[first->at];
    struct segment_asking    asking = { first->ops, listen->facts, NULL };
    uint32_t                 end = group_end(listen->hearing, at);
    int64_t                  before, after, brought = 0;
    if (op->match.where != 0 && !segment_where(&asking, op->match.where, listen->event->bag))
        return end;
    if (listen->event->at_ms < listen_from_ms(first, listen->facts))
        return end;
    /* What takes away may move it the other way. */
    bool adds = values_add(&asking, op, listen->event->bag, 1, &brought);
    if (adds && !is_wanted(listen, at, end))
        return end;
    bool known = adds && sum_both(listen, first, brought, &before, &after);
    for (; at < end; at++) {
        const struct heard *heard = &listen->hearing->items[at];
        if (!known)
            listen_turned(listen, heard, SEGMENT_WAY_UNKNOWN);
        else if (before < heard->least_micro && after >= heard->least_micro)
            listen_turned(listen, heard, (enum segment_way)heard->way);
    }
    return end;
}
