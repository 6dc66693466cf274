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

static struct hear_sum *sum_place(struct hear_sums *sums, uint32_t person, uint16_t group)
{
    return &sums->items[hash_u64((uint64_t)person << 16 | group, 0) % HEAR_SUMS];
}

void hear_sums_prefetch(const struct hear_sums *sums, uint32_t person, uint16_t group)
{
    __builtin_prefetch(sum_place((struct hear_sums *)(uintptr_t)sums, person, group));
}

/* The group's sum as it was last left; NULL when it is not known. */
static struct hear_sum *sum_kept(const struct listen *listen, uint16_t group)
{
    struct hear_sums *sums = listen->sums;
    uint32_t          person = listen->facts->profile;
    if (sums == NULL)
        return NULL;
    struct hear_sum *have = sum_place(sums, person, group);
    bool known = have->person == person && have->group == group && have->round == sums->round &&
                 have->forgot == sums->forgot[person % HEAR_SUMS];
    return known ? have : NULL;
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
                               .from_ms = from_ms,
                               .micro = micro };
}

/* Takes what has left the window; *from_ms becomes that of the first that is still in it. */
static bool left_take(const struct listen *listen, const struct heard *heard, int64_t past_ms,
                      int64_t *from_ms, int64_t *sum)
{
    const struct segment_op *op = &heard->ops[heard->at];
    struct segment_asking    asking = { heard->ops, listen->facts, NULL };
    struct segment_scan      scan;
    struct segment_hit       hit;
    segment_scan_oldest(&scan, &asking, &op->match, (struct segment_span){ past_ms, INT64_MAX });
    while (segment_scan_take_oldest(&scan, &hit)) {
        if (hit.at_ms >= *from_ms) {
            *from_ms = hit.at_ms;
            return true;
        }
        if (!values_add(&asking, op, segment_hit_bag(&asking, &hit), -1, sum))
            return false;
    }
    return true;
}

/*
 * The sum over the window without the event, from where it was left: mostly nothing has left the
 * window since, and all that came was added as it came.
 */
static bool sum_slid(const struct listen *listen, const struct heard *heard, int64_t *from_ms,
                     int64_t *sum)
{
    struct hear_sum *have = sum_kept(listen, heard->group);
    if (have == NULL)
        return false;
    *sum = have->micro;
    if (*from_ms > have->from_ms)
        return left_take(listen, heard, have->from_ms, from_ms, sum);
    *from_ms = have->from_ms;
    return true;
}

/* The same, read; *from_ms becomes that of the first that is in it. */
static bool sum_read(const struct listen *listen, const struct heard *heard, int64_t *from_ms,
                     int64_t *sum)
{
    const struct segment_op *op = &heard->ops[heard->at];
    struct segment_asking    asking = { heard->ops, listen->facts, NULL };
    struct segment_scan      scan;
    struct segment_hit       hit;
    segment_scan_oldest(&scan, &asking, &op->match, (struct segment_span){ *from_ms, INT64_MAX });
    *sum = 0;
    if (segment_scan_peek_oldest(&scan, &hit))
        *from_ms = hit.at_ms;
    while (segment_scan_take_oldest(&scan, &hit))
        if (hit.seq != listen->event->seq &&
            !values_add(&asking, op, segment_hit_bag(&asking, &hit), 1, sum))
            return false;
    return true;
}

/* Behind the last that is of the same sum. */
static uint32_t group_end(const struct hearing *hearing, uint32_t at)
{
    uint16_t group = hearing->items[at].group;
    while (at < hearing->count && hearing->items[at].group == group)
        at++;
    return at;
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

/* How a sum moves; `known` false: it may have gone any way. */
struct sum_move {
    bool    known;
    int64_t before, after;
};

/* Kept sums are moved by every event, or gone; what is not kept is read if anybody asks. */
static struct sum_move sum_move(struct listen *listen, uint32_t at, uint32_t end, int64_t brought)
{
    const struct heard *first = &listen->hearing->items[at];
    struct sum_move     move = { .known = true };
    int64_t             from_ms = listen_from_ms(first, listen->facts);
    if (!sum_slid(listen, first, &from_ms, &move.before)) {
        if (!is_wanted(listen, at, end))
            return move;
        from_ms = listen_from_ms(first, listen->facts);
        move.known = sum_read(listen, first, &from_ms, &move.before);
    }
    move.after = move.before + brought; /* each at most half of what there is room for */
    move.known = move.known && move.after <= INT64_MAX / 2;
    if (move.known)
        sum_keep(listen, first, from_ms, move.after);
    return move;
}

uint32_t listen_sums(struct listen *listen, uint32_t at)
{
    const struct heard      *first = &listen->hearing->items[at];
    const struct segment_op *op = &first->ops[first->at];
    struct segment_asking    asking = { first->ops, listen->facts, NULL };
    uint32_t                 end = group_end(listen->hearing, at);
    struct sum_move          move = { 0 };
    int64_t                  brought = 0;
    if (op->match.where != 0 && !segment_where(&asking, op->match.where, listen->event->bag))
        return end;
    if (listen->event->at_ms < listen_from_ms(first, listen->facts))
        return end;
    /* What takes away may move it the other way. */
    if (values_add(&asking, op, listen->event->bag, 1, &brought))
        move = sum_move(listen, at, end, brought);
    if (!move.known)
        hear_sums_forget(listen->sums, listen->facts->profile);
    for (; at < end; at++) {
        const struct heard *heard = &listen->hearing->items[at];
        if (!move.known)
            listen_turned(listen, heard, SEGMENT_WAY_UNKNOWN);
        else if (move.before < heard->least_micro && move.after >= heard->least_micro)
            listen_turned(listen, heard, (enum segment_way)heard->way);
    }
    return end;
}
