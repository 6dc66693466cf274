#include "engine/behaviour/view.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/behaviour/piece.h"

/* A newest piece that is this part of the older one is merged into it: each event is then moved
 * a few times only, however many views there are. */
enum { NEWEST_PART = 4, ROOM_PART = 8, ROOM_MIN = 1024 };

/* Root and next of everyone, after some turns. Later views without turns between share it: each
 * writes only beyond what those before it read. */
struct members {
    atomic_uint   holds;
    atomic_uint   used; /* profiles written */
    uint32_t      room;
    struct rings *rings;
    uint32_t      turns;
    uint32_t     *root, *next;
};

struct standing_view {
    struct view       view;
    atomic_uint       holds;
    struct era       *era;
    struct base      *base;
    struct bag_space *bags;
    struct members   *members;
    struct arrivals  *arrivals;
    struct piece     *older, *newest; /* NULL for none */
    uint64_t          first, last;    /* arrival numbers of the rows it shows: first..last */
    uint32_t          marks;
};

static const struct standing_view *inside(const struct view *view)
{
    return (const struct standing_view *)view;
}

/* ---- members ---- */

static void members_drop(struct members *members)
{
    if (members == NULL || !holds_end(&members->holds))
        return;
    rings_drop(members->rings);
    free(members->root);
    free(members->next);
    free(members);
}

static struct members *members_alloc(uint32_t profiles)
{
    struct members *members = calloc(1, sizeof *members);
    if (members == NULL)
        return NULL;
    atomic_init(&members->holds, 1);
    members->room =
        profiles < UINT32_MAX / 2 ? profiles + profiles / ROOM_PART + ROOM_MIN : profiles;
    members->root = malloc((size_t)members->room * sizeof *members->root);
    members->next = malloc((size_t)members->room * sizeof *members->next);
    if (members->root != NULL && members->next != NULL)
        return members;
    members_drop(members);
    return NULL;
}

/* Everyone from `from` to `to` alone. */
static void members_alone(struct members *members, uint32_t from, uint32_t to)
{
    for (uint32_t p = from; p < to; p++)
        members->root[p] = members->next[p] = p;
}

/* Whoever claims the places beyond what is used may write them; only one view can. */
static bool members_extend(struct members *members, const struct edition *edition, uint32_t have)
{
    if (members->rings != edition->rings || members->turns != edition->turns ||
        edition->profiles < have || edition->profiles > members->room)
        return false;
    if (edition->profiles == have)
        return true;
    uint32_t used = have;
    if (!atomic_compare_exchange_strong_explicit(&members->used, &used, edition->profiles,
                                                 memory_order_acq_rel, memory_order_acquire))
        return false;
    members_alone(members, have, edition->profiles);
    return true;
}

static struct members *members_make(const struct edition *edition, const struct members *before,
                                    uint32_t have)
{
    const struct rings *rings = edition->rings;
    struct members     *members = members_alloc(edition->profiles);
    if (members == NULL)
        return NULL;
    bool follows = before != NULL && before->rings == rings && before->turns <= edition->turns &&
                   have <= edition->profiles;
    uint32_t        known = follows ? have : rings->profiles;
    uint32_t        turn = follows ? before->turns : 0;
    const uint32_t *root = follows ? before->root : rings->root;
    const uint32_t *next = follows ? before->next : rings->next;
    known = known < edition->profiles ? known : edition->profiles;
    memcpy(members->root, root, known * sizeof *root);
    memcpy(members->next, next, known * sizeof *next);
    members_alone(members, known, edition->profiles);
    for (; turn < edition->turns; turn++) {
        const struct turn *t = &rings->turns[turn];
        members->root[t->profile] = t->root;
        members->next[t->profile] = t->next;
    }
    members->rings = rings_hold(edition->rings);
    members->turns = edition->turns;
    atomic_init(&members->used, edition->profiles);
    return members;
}

static enum err view_members(struct standing_view *v, const struct edition *edition,
                             const struct standing_view *before)
{
    struct members *members = before == NULL ? NULL : before->members;
    uint32_t        have = before == NULL ? 0 : before->view.profiles;
    if (members != NULL && members_extend(members, edition, have)) {
        holds_add(&members->holds);
        v->members = members;
    } else {
        v->members = members_make(edition, members, have);
    }
    if (v->members == NULL)
        return ERR_MEMORY;
    v->view.root = v->members->root;
    v->view.next = v->members->next;
    return OK;
}

/* ---- levels ---- */

static bool sorting_is_of_use(const struct standing_view *v, const struct standing_view *before)
{
    return before != NULL && before->bags == v->bags && before->first == v->first &&
           before->last <= v->last && before->marks == v->marks;
}

/* Replaces *piece by the merge of it and the newer one, which is taken. */
static enum err piece_join(struct piece **piece, struct piece *newer)
{
    struct piece *merged = newer;
    enum err      err = *piece == NULL ? OK : piece_merge(&merged, *piece, newer);
    if (err != OK || *piece != NULL)
        piece_drop(newer);
    if (err != OK)
        return err;
    piece_drop(*piece);
    *piece = merged;
    return OK;
}

static enum err pieces_make(struct standing_view *v, const struct edition *edition,
                            const struct standing_view *before)
{
    uint64_t      from = v->first;
    struct piece *fresh;
    if (sorting_is_of_use(v, before)) {
        v->older = piece_hold(before->older);
        v->newest = piece_hold(before->newest);
        from = before->last;
    }
    if (from == v->last)
        return OK;
    TRY(piece_sort(&fresh, edition, from, v->last));
    if (v->older == NULL) {
        v->older = fresh;
        return OK;
    }
    TRY(piece_join(&v->newest, fresh));
    if ((uint64_t)v->newest->level.events * NEWEST_PART < v->older->level.events)
        return OK;
    fresh = v->newest;
    v->newest = NULL;
    return piece_join(&v->older, fresh);
}

static enum err view_levels(struct standing_view *v, const struct edition *edition,
                            const struct standing_view *before)
{
    struct view *view = &v->view;
    view->levels[view->levels_count++] = edition->base->level;
    TRY(pieces_make(v, edition, before));
    if (v->older != NULL)
        view->levels[view->levels_count++] = v->older->level;
    if (v->newest != NULL)
        view->levels[view->levels_count++] = v->newest->level;
    return OK;
}

/* ---- views ---- */

static struct standing_view *view_open(const struct edition *edition)
{
    struct standing_view *v = calloc(1, sizeof *v);
    const struct log     *oldest = edition->logs[0] != NULL ? edition->logs[0] : edition->logs[1];
    if (v == NULL)
        return NULL;
    atomic_init(&v->holds, 1);
    v->era = era_hold(edition->era);
    v->base = base_hold(edition->base);
    v->bags = bag_space_hold(edition->bags);
    v->arrivals = edition->arrivals == NULL ? NULL : arrivals_hold(edition->arrivals);
    v->view.arrived_ms = v->arrivals == NULL ? NULL : arrivals_ms(v->arrivals);
    v->first = oldest->first;
    v->last = edition->logs[1]->first + edition->counts[1];
    v->marks = edition->marks;
    v->view.seq = edition->seq;
    v->view.now_ms = edition->now_ms;
    v->view.profiles = edition->profiles;
    v->view.bags = (struct bags){ edition->bags->space.bytes, edition->bags_bytes };
    return v;
}

enum err view_make(struct view **out, const struct edition *edition, const struct view *before)
{
    struct standing_view *v = view_open(edition);
    if (v == NULL)
        return ERR_MEMORY;
    enum err err = view_members(v, edition, before == NULL ? NULL : inside(before));
    if (err == OK)
        err = view_levels(v, edition, before == NULL ? NULL : inside(before));
    if (err != OK) {
        view_drop(&v->view);
        return err;
    }
    *out = &v->view;
    return OK;
}

struct view *view_hold(struct view *view)
{
    holds_add(&((struct standing_view *)view)->holds);
    return view;
}

void view_drop(struct view *view)
{
    struct standing_view *v = (struct standing_view *)view;
    if (view == NULL || !holds_end(&v->holds))
        return;
    era_drop(v->era);
    base_drop(v->base);
    bag_space_drop(v->bags);
    members_drop(v->members);
    arrivals_drop(v->arrivals);
    piece_drop(v->older);
    piece_drop(v->newest);
    free(v);
}

uint32_t view_profiles_by(const struct view *view, int64_t at_ms)
{
    return view->arrived_ms == NULL ? 0 : arrivals_by(view->arrived_ms, view->profiles, at_ms);
}

uint32_t view_runs(const struct view *view, uint32_t profile, struct run *runs)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < view->levels_count; i++) {
        const struct level *level = &view->levels[i];
        uint32_t            entry = level_find(level, profile);
        if (entry == UINT32_MAX || level->offsets[entry] == level->offsets[entry + 1])
            continue;
        runs[count++] = level_run(level, entry);
    }
    return count;
}
