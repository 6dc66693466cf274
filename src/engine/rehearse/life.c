/* What one person did, read from a view: all profiles of their ring, in the order of time. */
#include <stdlib.h>
#include <string.h>

#include "engine/rehearse/rehearse_inside.h"

enum { LIFE_EVENTS_MAX = 1000000 }; /* beyond that a person is a machine */

/* Has the run an event of that name in the window? */
static bool run_begins(const struct rehearsal *r, const struct run *run, uint16_t name)
{
    for (uint32_t i = run->count; (i = run_name_last(run, i, name)) > 0; i--) {
        if (run->at_ms[i - 1] < r->conf.from_ms)
            return false;
        if (run->at_ms[i - 1] <= r->conf.to_ms)
            return true;
    }
    return false;
}

/* When the person's first record came; TIME_NEVER where that is not known. Of what was imported it
 * is after what happened. */
static int64_t arrived_ms(const struct view *view, uint32_t root)
{
    int64_t  at_ms = TIME_NEVER;
    uint32_t member = root;
    do {
        if (view->arrived_ms != NULL && view->arrived_ms[member] < at_ms)
            at_ms = view->arrived_ms[member];
        member = view->next[member];
    } while (member != root);
    return at_ms;
}

static bool is_anyone(const struct rehearsal *r, const struct run *run)
{
    return r->anyone_begins && run->count > 0 && run->at_ms[0] <= r->conf.to_ms;
}

bool life_begins(const struct rehearsal *r, const struct view *view, uint32_t root)
{
    struct run runs[VIEW_LEVELS_MAX];
    uint32_t   member = root;
    if (r->anyone_begins && arrived_ms(view, root) <= r->conf.to_ms)
        return true;
    do {
        uint32_t count = view_runs(view, member, runs);
        for (uint32_t i = 0; i < count; i++) {
            if (is_anyone(r, &runs[i]))
                return true;
            for (uint32_t k = 0; k < r->beginning_count; k++)
                if (run_begins(r, &runs[i], r->beginning[k]))
                    return true;
        }
        member = view->next[member];
    } while (member != root);
    return false;
}

/* What the network shows is known before what came with it is asked about. Several events of one
 * record stay as they were told: which consent is the last is decided by that. */
static int by_time(const void *a, const void *b)
{
    const struct life_event *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    if ((x->name == OWN_CONTEXT) != (y->name == OWN_CONTEXT))
        return x->name == OWN_CONTEXT ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static enum err event_add(struct life *life, const struct run *run, uint32_t i)
{
    if (life->count == life->room) {
        uint32_t           room = life->room == 0 ? 256 : life->room * 2;
        struct life_event *items = realloc(life->items, room * sizeof *items);
        if (items == NULL)
            return ERR_MEMORY;
        life->items = items;
        life->room = room;
    }
    life->items[life->count] = (struct life_event){ .at_ms = run->at_ms[i],
                                                    .seq = run->seq[i],
                                                    .bag = run->bag[i],
                                                    .name = run->name[i],
                                                    .order = life->count };
    life->count++;
    return OK;
}

/* Of the run what is of use, and its first event whatever it is. */
static enum err run_gather(const struct rehearsal *r, const struct run *run, struct life *life)
{
    life->all += run->count;
    for (uint32_t i = 0; i < run->count && run->at_ms[i] <= r->conf.to_ms; i++)
        if (i == 0 || r->uses[run->name[i]] != USE_NONE)
            TRY(event_add(life, run, i));
    return OK;
}

bool life_number(struct bag bag, uint16_t key, uint32_t *out)
{
    struct json value;
    if (!bag_find(bag, key, &value) || value.kind != JSON_INT)
        return false;
    *out = (uint32_t)value.integer;
    return true;
}

struct str life_word(struct bag bag, uint16_t key)
{
    struct json value;
    return bag_find(bag, key, &value) && value.kind == JSON_STRING ? value.string : STR_NONE;
}

static bool is_ours(const struct rehearsal *r, struct bags bags, const struct life_event *event)
{
    uint32_t journey;
    if (event->name == OWN_JOURNEY)
        return !life_number(bag_at(bags, event->bag), OWN_KEY_JOURNEY, &journey) ||
               rehearse_journey_at(r, journey) < r->journeys_count;
    if (event->name != OWN_MESSAGE_SENT && event->name != OWN_NOTICE_SENT &&
        event->name != OWN_MESSAGE_FAILED)
        return false;
    struct str name = life_word(bag_at(bags, event->bag), OWN_KEY_JOURNEY);
    for (uint32_t i = 0; i < r->journeys_count; i++)
        if (str_eq(r->drawings[i].name, name))
            return true;
    return false;
}

static void ours_drop(const struct rehearsal *r, struct bags bags, struct life *life)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < life->count; i++)
        if (!is_ours(r, bags, &life->items[i]))
            life->items[kept++] = life->items[i];
    life->count = kept;
}

/* A record that leaves no event (a list left where nobody was on it) may bring somebody, too. */
static enum err arrival_add(const struct rehearsal *r, const struct view *view, uint32_t root,
                            struct life *life)
{
    int64_t    at_ms = arrived_ms(view, root);
    uint16_t   name = LIFE_ARRIVAL;
    uint32_t   none = 0;
    struct run arrival = { &name, &at_ms, &none, &none, 1 };
    if (at_ms > r->conf.to_ms || (life->count > 0 && life->items[0].at_ms <= at_ms))
        return OK;
    TRY(event_add(life, &arrival, 0));
    memmove(life->items + 1, life->items, (life->count - 1) * sizeof life->items[0]);
    life->items[0] = (struct life_event){ .at_ms = at_ms, .name = LIFE_ARRIVAL };
    return OK;
}

/* Of several runs' first events one is the first; the others are no more than what they are. */
static void first_find(const struct rehearsal *r, struct life *life)
{
    uint32_t kept = 0;
    bool     is_found = false;
    for (uint32_t i = 0; i < life->count; i++) {
        struct life_event event = life->items[i];
        event.is_first = !is_found && event.name != OWN_CONTEXT;
        is_found = is_found || event.is_first;
        if (event.is_first || r->uses[event.name] != USE_NONE)
            life->items[kept++] = event;
    }
    life->count = kept;
}

enum err life_gather(const struct rehearsal *r, const struct view *view, uint32_t root,
                     struct life *life)
{
    struct run runs[VIEW_LEVELS_MAX];
    uint32_t   member = root;
    bool       is_sorted = true;
    life->count = 0;
    life->all = 0;
    do {
        uint32_t count = view_runs(view, member, runs);
        for (uint32_t i = 0; i < count && life->all <= LIFE_EVENTS_MAX; i++)
            TRY(run_gather(r, &runs[i], life));
        member = view->next[member];
    } while (member != root);
    for (uint32_t i = 1; i < life->count && is_sorted; i++)
        is_sorted = by_time(&life->items[i - 1], &life->items[i]) <= 0;
    if (!is_sorted)
        qsort(life->items, life->count, sizeof life->items[0], by_time);
    ours_drop(r, view->bags, life);
    TRY(arrival_add(r, view, root, life));
    first_find(r, life);
    return OK;
}
