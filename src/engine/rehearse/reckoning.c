/* Counting: from what was decided about each person to what came of the journeys. */
#include <stdlib.h>
#include <string.h>

#include "engine/rehearse/rehearse_inside.h"

enum { RECKONING_ARENA_BYTES_MAX = 256 << 20 };

/* An enrollment of the person. */
struct going {
    uint64_t   id;
    uint32_t   journey;
    uint16_t   node;
    int64_t    due_ms; /* of the wait it stands in; TIME_NEVER */
    int64_t    entered_ms;
    uint32_t   sent;
    bool       is_over;
    struct str how;
};

/* A message of one. */
struct letter {
    uint64_t id;
    uint32_t going; /* its place */
    uint16_t node;
    bool     is_over;
};

struct reckoning {
    const struct rehearsal *rehearsal;
    struct rehearse_result  result;
    struct {
        struct going *items;
        uint32_t      count, room;
    } goings;
    struct {
        struct letter *items;
        uint32_t       count, room;
    } letters;
};

/* ---- reasons ---- */

static enum err reason_add(struct arena *arena, struct rehearse_reasons *reasons, struct str text,
                           uint64_t count)
{
    if (reasons->count >= REHEARSE_REASONS_MAX)
        text = STR("other");
    for (uint32_t i = 0; i < reasons->count; i++)
        if (str_eq(reasons->items[i].text, text)) {
            reasons->items[i].count += count;
            return OK;
        }
    if (reasons->count == reasons->room) {
        uint32_t                room = reasons->room == 0 ? 4 : reasons->room * 2;
        struct rehearse_reason *items = ARENA_ARRAY(arena, room, struct rehearse_reason);
        if (items == NULL)
            return ERR_MEMORY;
        if (reasons->count > 0)
            memcpy(items, reasons->items, reasons->count * sizeof *items);
        reasons->items = items;
        reasons->room = room;
    }
    struct rehearse_reason reason = { str_copy(arena, text), count };
    reasons->items[reasons->count++] = reason;
    return reason.text.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err reasons_add(struct arena *arena, struct rehearse_reasons *into,
                            const struct rehearse_reasons *more)
{
    for (uint32_t i = 0; i < more->count; i++)
        TRY(reason_add(arena, into, more->items[i].text, more->items[i].count));
    return OK;
}

/* ---- results ---- */

static int64_t day_of(int64_t at_ms)
{
    int64_t day = at_ms / TIME_DAY_MS;
    return at_ms < 0 && at_ms % TIME_DAY_MS != 0 ? day - 1 : day;
}

static enum err journey_init(struct rehearse_result *result, const struct rehearse_journey *drawing,
                             struct rehearse_journey *out)
{
    *out = (struct rehearse_journey){ .name = drawing->name, .nodes_count = drawing->nodes_count };
    out->nodes = ARENA_ARRAY(result->arena, drawing->nodes_count, struct rehearse_node);
    out->entered_on = ARENA_ARRAY(result->arena, result->days, uint32_t);
    out->sent_on = ARENA_ARRAY(result->arena, result->days, uint32_t);
    if (out->nodes == NULL || out->entered_on == NULL || out->sent_on == NULL)
        return ERR_MEMORY;
    for (uint16_t i = 0; i < drawing->nodes_count; i++)
        out->nodes[i] = drawing->nodes[i]; /* they have no counts */
    return OK;
}

enum err rehearse_result_init(struct rehearse_result *out, const struct rehearsal *r)
{
    int64_t day = day_of(r->conf.from_ms);
    *out = (struct rehearse_result){ .arena = arena_open(RECKONING_ARENA_BYTES_MAX),
                                     .journeys_count = r->journeys_count,
                                     .day_ms = day * TIME_DAY_MS,
                                     .days = (uint32_t)(day_of(r->conf.to_ms) - day) + 1 };
    enum err err = out->arena == NULL ? ERR_MEMORY : OK;
    if (err == OK)
        out->journeys = ARENA_ARRAY(out->arena, r->journeys_count, struct rehearse_journey);
    if (err == OK && out->journeys == NULL)
        err = ERR_MEMORY;
    for (uint32_t i = 0; err == OK && i < r->journeys_count; i++)
        err = journey_init(out, &r->drawings[i], &out->journeys[i]);
    if (err != OK)
        rehearse_result_done(out);
    return err;
}

void rehearse_result_done(struct rehearse_result *result)
{
    arena_close(result->arena);
    *result = (struct rehearse_result){ 0 };
}

enum err reckoning_open(struct reckoning **out, const struct rehearsal *rehearsal)
{
    struct reckoning *reckoning = calloc(1, sizeof *reckoning);
    if (reckoning == NULL)
        return ERR_MEMORY;
    reckoning->rehearsal = rehearsal;
    enum err err = rehearse_result_init(&reckoning->result, rehearsal);
    if (err == OK)
        *out = reckoning;
    else
        free(reckoning);
    return err;
}

void reckoning_close(struct reckoning *reckoning)
{
    if (reckoning == NULL)
        return;
    rehearse_result_done(&reckoning->result);
    VEC_DONE(&reckoning->goings);
    VEC_DONE(&reckoning->letters);
    free(reckoning);
}

struct rehearse_result *reckoning_result(struct reckoning *reckoning)
{
    return &reckoning->result;
}

/* The lowest numbers stay. */
static void sample_add(struct rehearse_journey *journey, uint32_t most,
                       const struct rehearse_sample *one)
{
    uint32_t at = journey->sample_count;
    while (at > 0 && journey->sample[at - 1].person > one->person)
        at--;
    if (at >= most)
        return;
    if (journey->sample_count < most)
        journey->sample_count++;
    memmove(&journey->sample[at + 1], &journey->sample[at],
            (journey->sample_count - 1 - at) * sizeof journey->sample[0]);
    journey->sample[at] = *one;
}

/* ---- one person ---- */

/* Of many the one asked about is nearly always the latest. */
static struct going *going_of(struct reckoning *reckoning, uint64_t id)
{
    for (uint32_t i = reckoning->goings.count; i > 0; i--)
        if (reckoning->goings.items[i - 1].id == id)
            return &reckoning->goings.items[i - 1];
    return NULL;
}

static struct letter *letter_of(struct reckoning *reckoning, uint64_t id)
{
    for (uint32_t i = reckoning->letters.count; i > 0; i--)
        if (reckoning->letters.items[i - 1].id == id)
            return &reckoning->letters.items[i - 1];
    return NULL;
}

static void day_count(const struct rehearse_result *result, uint32_t *days, int64_t at_ms)
{
    int64_t day = day_of(at_ms) - day_of(result->day_ms);
    if (day >= 0 && day < result->days)
        days[day]++;
}

static enum err enrolled(struct reckoning *reckoning, const struct decision *d)
{
    uint32_t at = rehearse_journey_at(reckoning->rehearsal, d->subject);
    if (at == reckoning->result.journeys_count)
        return OK;
    reckoning->result.journeys[at].entries++;
    day_count(&reckoning->result, reckoning->result.journeys[at].entered_on, d->at_ms);
    struct going going = { .id = d->id,
                           .journey = at,
                           .node = JOURNEY_END,
                           .due_ms = TIME_NEVER,
                           .entered_ms = d->at_ms };
    return VEC_ADD(&reckoning->goings, going);
}

static enum err not_enrolled(struct reckoning *reckoning, const struct decision *d)
{
    uint32_t at = rehearse_journey_at(reckoning->rehearsal, d->subject);
    if (at == reckoning->result.journeys_count)
        return OK;
    struct str why = d->kind == DECISION_HELD_OUT ? STR("held out") : d->text;
    return reason_add(reckoning->result.arena, &reckoning->result.journeys[at].refused, why, 1);
}

static enum err goal_reached(struct reckoning *reckoning, const struct decision *d)
{
    uint32_t at = rehearse_journey_at(reckoning->rehearsal, d->journey);
    if (at == reckoning->result.journeys_count)
        return OK;
    reckoning->result.journeys[at].goals += !d->is_held;
    reckoning->result.journeys[at].goals_held_out += d->is_held;
    return OK;
}

/* A wait tells of itself again when its end moves, and with the way that was taken: still the same
 * arrival. */
static bool is_arrival(const struct going *going, const struct decision *d)
{
    bool stands = going->node == d->object && going->due_ms != TIME_NEVER;
    return !stands || (str_is_empty(d->text) && d->at_ms >= going->due_ms);
}

static enum err stepped(struct reckoning *reckoning, const struct decision *d)
{
    struct going *going = going_of(reckoning, d->subject);
    if (going == NULL || d->object >= reckoning->result.journeys[going->journey].nodes_count)
        return OK;
    struct rehearse_node *node = &reckoning->result.journeys[going->journey].nodes[d->object];
    bool                  arrives = is_arrival(going, d);
    node->arrived += arrives;
    reckoning->result.steps += arrives;
    going->node = (uint16_t)d->object;
    going->due_ms = d->due_ms;
    return str_is_empty(d->text) ? OK
                                 : reason_add(reckoning->result.arena, &node->took, d->text, 1);
}

static enum err ended(struct reckoning *reckoning, const struct decision *d)
{
    struct going *going = going_of(reckoning, d->subject);
    if (going == NULL)
        return OK;
    struct rehearse_reasons *reasons = &reckoning->result.journeys[going->journey].ended;
    TRY(reason_add(reckoning->result.arena, reasons, d->text, 1));
    going->is_over = true;
    for (uint32_t i = 0; i < reasons->count; i++)
        if (str_eq(reasons->items[i].text, d->text))
            going->how = reasons->items[i].text; /* lives as long as the result */
    return OK;
}

static enum err queued(struct reckoning *reckoning, const struct decision *d)
{
    struct going *going = going_of(reckoning, d->subject);
    if (going == NULL || d->object >= reckoning->result.journeys[going->journey].nodes_count)
        return OK;
    struct letter letter = { .id = d->id,
                             .going = (uint32_t)(going - reckoning->goings.items),
                             .node = (uint16_t)d->object };
    return VEC_ADD(&reckoning->letters, letter);
}

static enum err settled(struct reckoning *reckoning, const struct decision *d)
{
    struct letter *letter = letter_of(reckoning, d->subject);
    if (letter == NULL)
        return OK;
    struct going            *going = &reckoning->goings.items[letter->going];
    struct rehearse_journey *journey = &reckoning->result.journeys[going->journey];
    struct rehearse_node    *node = &journey->nodes[letter->node];
    letter->is_over = true;
    if (d->kind != DECISION_SENT) {
        journey->held++;
        return reason_add(reckoning->result.arena, &node->held, d->text, 1);
    }
    node->sent++;
    journey->sent++;
    going->sent++;
    day_count(&reckoning->result, journey->sent_on, d->at_ms);
    return OK;
}

/* Kept waiting by a rule: by quiet hours, or a limit. */
static enum err delayed(struct reckoning *reckoning, const struct decision *d)
{
    const struct letter *letter = letter_of(reckoning, d->subject);
    if (letter == NULL)
        return OK;
    uint32_t j = reckoning->goings.items[letter->going].journey;
    return reason_add(reckoning->result.arena,
                      &reckoning->result.journeys[j].nodes[letter->node].delayed, d->text, 1);
}

static enum err decision_count(struct reckoning *reckoning, const struct decision *d)
{
    switch (d->kind) {
    case DECISION_ENROLLED:
        return enrolled(reckoning, d);
    case DECISION_NOT_ENROLLED:
    case DECISION_HELD_OUT:
        return not_enrolled(reckoning, d);
    case DECISION_STEP:
        return stepped(reckoning, d);
    case DECISION_ENDED:
        return ended(reckoning, d);
    case DECISION_INTENT:
        return queued(reckoning, d);
    case DECISION_GOAL:
        return goal_reached(reckoning, d);
    case DECISION_WAITING:
        return delayed(reckoning, d);
    case DECISION_SENT:
    case DECISION_DROPPED:
        return settled(reckoning, d);
    default:
        return OK;
    }
}

/* How all of them stand at the end. */
static void person_end(struct reckoning *reckoning, uint32_t root)
{
    uint32_t most = reckoning->rehearsal->conf.sample;
    for (uint32_t j = 0; j < reckoning->result.journeys_count; j++) {
        struct rehearse_journey *journey = &reckoning->result.journeys[j];
        const struct going      *first = NULL;
        for (uint32_t i = 0; i < reckoning->goings.count; i++) {
            const struct going *going = &reckoning->goings.items[i];
            if (going->journey != j)
                continue;
            first = first == NULL ? going : first;
            journey->inside += !going->is_over;
            if (!going->is_over && going->node < journey->nodes_count)
                journey->nodes[going->node].waiting++;
        }
        if (first == NULL)
            continue;
        journey->people++;
        struct rehearse_sample one = { root, first->entered_ms, first->node, first->how,
                                       first->sent };
        sample_add(journey, most, &one);
    }
    for (uint32_t i = 0; i < reckoning->letters.count; i++) {
        const struct letter *letter = &reckoning->letters.items[i];
        uint32_t             j = reckoning->goings.items[letter->going].journey;
        reckoning->result.journeys[j].nodes[letter->node].queued += !letter->is_over;
    }
}

enum err reckoning_add(struct reckoning *reckoning, const struct out *out, uint32_t root)
{
    reckoning->goings.count = reckoning->letters.count = 0;
    for (size_t i = 0; i < out->decisions_count; i++)
        TRY(decision_count(reckoning, &out->decisions[i]));
    person_end(reckoning, root);
    return OK;
}

/* ---- together ---- */

static enum err node_gather(struct arena *arena, struct rehearse_node *into,
                            const struct rehearse_node *more)
{
    into->arrived += more->arrived;
    into->waiting += more->waiting;
    into->sent += more->sent;
    into->queued += more->queued;
    TRY(reasons_add(arena, &into->took, &more->took));
    TRY(reasons_add(arena, &into->delayed, &more->delayed));
    return reasons_add(arena, &into->held, &more->held);
}

static enum err journey_gather(struct rehearse_result *result, struct rehearse_journey *into,
                               const struct rehearse_journey *more)
{
    into->people += more->people;
    into->entries += more->entries;
    into->inside += more->inside;
    into->sent += more->sent;
    into->held += more->held;
    into->goals += more->goals;
    into->goals_held_out += more->goals_held_out;
    for (uint32_t i = 0; i < result->days; i++) {
        into->entered_on[i] += more->entered_on[i];
        into->sent_on[i] += more->sent_on[i];
    }
    for (uint16_t i = 0; i < into->nodes_count; i++)
        TRY(node_gather(result->arena, &into->nodes[i], &more->nodes[i]));
    for (uint32_t i = 0; i < more->sample_count; i++) {
        struct rehearse_sample one = more->sample[i];
        one.ended = str_copy(result->arena, one.ended);
        if (one.ended.ptr == NULL)
            return ERR_MEMORY;
        sample_add(into, REHEARSE_SAMPLE_MAX, &one);
    }
    TRY(reasons_add(result->arena, &into->refused, &more->refused));
    return reasons_add(result->arena, &into->ended, &more->ended);
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(((const struct rehearse_reason *)a)->text,
                   ((const struct rehearse_reason *)b)->text);
}

static void reasons_sort(struct rehearse_reasons *reasons)
{
    if (reasons->count > 1)
        qsort(reasons->items, reasons->count, sizeof reasons->items[0], by_text);
}

/* However many hands there were, in whatever order: one answer. */
static void settle(const struct rehearsal *r, struct rehearse_result *result)
{
    for (uint32_t j = 0; j < result->journeys_count; j++) {
        struct rehearse_journey *journey = &result->journeys[j];
        reasons_sort(&journey->refused);
        reasons_sort(&journey->ended);
        if (journey->sample_count > r->conf.sample)
            journey->sample_count = r->conf.sample;
        for (uint16_t i = 0; i < journey->nodes_count; i++) {
            reasons_sort(&journey->nodes[i].took);
            reasons_sort(&journey->nodes[i].held);
            reasons_sort(&journey->nodes[i].delayed);
        }
    }
}

enum err rehearse_gather(struct rehearse_result *into, const struct rehearse_hand *hand)
{
    const struct rehearse_result *more = &hand->reckoning->result;
    into->people += more->people;
    into->events += more->events;
    into->steps += more->steps;
    into->given_up += more->given_up;
    for (uint32_t i = 0; i < into->journeys_count; i++)
        TRY(journey_gather(into, &into->journeys[i], &more->journeys[i]));
    settle(hand->rehearsal, into);
    return OK;
}
