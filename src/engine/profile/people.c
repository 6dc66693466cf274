#include "engine/profile/people.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/space.h"
#include "base/time.h"
#include "engine/vec.h"

/* Address space for identities and profiles; memory is taken as they fill. */
#define IDENTITIES_BYTES_MAX ((size_t)(MAP_NONE - 1) * IDENTITY_UNIT_BYTES)
#define PROFILES_MAX (UINT32_MAX - 1)

/* Identities lie one behind the other; the number of one is its place in units. */
enum { IDENTITY_UNIT_BYTES = 4, LINE_BYTES = 64, AHEAD_BYTES_MAX = 8 * LINE_BYTES };

struct identity {
    uint32_t      profile;
    uint32_t      next; /* of the same profile */
    unsigned char kind, len[2];
    char          text[];
};

struct people {
    struct space     profiles;   /* struct profile[] */
    struct space     identities; /* struct identity[] */
    struct space     texts;
    uint32_t         profiles_count, identities_count;
    struct map       by_text;
    uint64_t         seed;
    struct arrivals *arrivals;
    struct slab     *states; /* and what they hold */
    struct rings    *rings;  /* NULL: nobody has asked, or its room is used up */
};

struct identity_key {
    enum identity_kind kind;
    struct str         text;
};

static const struct rare  rare_empty;
static const struct rarer rarer_empty;
static const struct state state_empty = { .rare = &rare_empty, .rarer = &rarer_empty };

struct people *people_open(uint64_t seed)
{
    struct people *people = calloc(1, sizeof *people);
    if (people == NULL)
        return NULL;
    people->seed = seed;
    people->arrivals = arrivals_open(PROFILES_MAX);
    people->states = slab_open();
    if (people->arrivals != NULL && people->states != NULL &&
        space_open(&people->profiles, (size_t)PROFILES_MAX * sizeof(struct profile)) == OK &&
        space_open(&people->identities, IDENTITIES_BYTES_MAX) == OK)
        return people;
    people_close(people);
    return NULL;
}

struct state *people_state_new(struct people *people)
{
    struct state *state = slab_take(people->states, sizeof *state);
    if (state != NULL)
        *state = state_empty;
    return state;
}

struct rare *state_rare_own(struct state *state)
{
    if (state->rare == &rare_empty) {
        struct rare *own = slab_take(slab_of(state), sizeof *own);
        if (own == NULL)
            return NULL;
        *own = rare_empty;
        state->rare = own;
    }
    return (struct rare *)state->rare; /* its own, made above once */
}

struct rarer *state_rarer_own(struct state *state)
{
    if (state->rarer == &rarer_empty) {
        struct rarer *own = slab_take(slab_of(state), sizeof *own);
        if (own == NULL)
            return NULL;
        *own = rarer_empty;
        state->rarer = own;
    }
    return (struct rarer *)state->rarer;
}

void state_forget_standings(struct state *state)
{
    if (state->rarer != &rarer_empty)
        standings_forget(&state_rarer_own(state)->standings);
}

static void rare_free(struct rare *rare)
{
    SLAB_DONE(&rare->enrollments);
    SLAB_DONE(&rare->pasts);
    SLAB_DONE(&rare->messages);
    slab_give(rare, sizeof *rare);
}

static void rarer_free(struct rarer *rarer)
{
    SLAB_DONE(&rarer->consents);
    SLAB_DONE(&rarer->lists);
    SLAB_DONE(&rarer->merges);
    SLAB_DONE(&rarer->codes);
    standings_forget(&rarer->standings);
    slab_give(rarer, sizeof *rarer);
}

void state_free(struct state *state)
{
    if (state == NULL)
        return;
    memberships_done(&state->memberships);
    if (state->rare != &rare_empty)
        rare_free(state_rare_own(state));
    if (state->rarer != &rarer_empty)
        rarer_free(state_rarer_own(state));
    slab_give(state, sizeof *state);
}

void people_close(struct people *people)
{
    if (people == NULL)
        return;
    for (uint32_t i = 0; i < people->profiles_count; i++)
        state_free(people_get(people, i)->state);
    slab_close(people->states);
    space_close(&people->profiles);
    space_close(&people->identities);
    map_done(&people->by_text);
    rings_drop(people->rings);
    arrivals_drop(people->arrivals);
    free(people);
}

uint32_t people_count(const struct people *people)
{
    return people->profiles_count;
}

struct profile *people_get(const struct people *people, uint32_t profile)
{
    assert(profile < people->profiles_count);
    return (struct profile *)people->profiles.bytes + profile;
}

uint32_t people_root(const struct people *people, uint32_t profile)
{
    return people_get(people, profile)->root;
}

bool people_is_nobody(const struct people *people, uint32_t profile)
{
    return profile >= people->profiles_count || people_get(people, profile)->erased;
}

static struct identity *identity_at(const struct people *people, uint32_t i)
{
    return (struct identity *)(people->identities.bytes + (size_t)i * IDENTITY_UNIT_BYTES);
}

static struct identity_key identity_key(const struct people *people, uint32_t i)
{
    const struct identity *identity = identity_at(people, i);
    uint16_t               len;
    memcpy(&len, identity->len, sizeof len);
    return (struct identity_key){ (enum identity_kind)identity->kind, { identity->text, len } };
}

static uint64_t key_hash(const struct people *people, struct identity_key key)
{
    return hash_str(key.text, people->seed + (uint64_t)key.kind);
}

static bool key_is(const void *owner, uint32_t value, const void *wanted)
{
    struct identity_key        have = identity_key(owner, value);
    const struct identity_key *key = wanted;
    return have.kind == key->kind && str_eq(have.text, key->text);
}

static uint32_t identity_find(const struct people *people, struct identity_key key)
{
    return map_find(&people->by_text, key_hash(people, key), key_is, people, &key);
}

uint32_t people_find(const struct people *people, enum identity_kind kind, struct str text)
{
    uint32_t i = identity_find(people, (struct identity_key){ kind, text });
    return i == MAP_NONE ? PROFILE_NONE : identity_at(people, i)->profile;
}

struct people_ahead people_ahead_make(const struct people *people, enum identity_kind kind,
                                      struct str text)
{
    return (struct people_ahead){ .hash = key_hash(people, (struct identity_key){ kind, text }),
                                  .identity = MAP_NONE,
                                  .profile = PROFILE_NONE };
}

static void lines_prefetch(const void *begin, size_t bytes)
{
    for (size_t at = 0; at < bytes && at < AHEAD_BYTES_MAX; at += LINE_BYTES)
        __builtin_prefetch((const char *)begin + at);
}

static void state_prefetch(const struct state *state)
{
    if (state != NULL)
        __builtin_prefetch(state);
}

static void state_parts_prefetch(const struct state *state)
{
    if (state == NULL)
        return;
    memberships_prefetch(&state->memberships);
    if (state->rare != &rare_empty)
        __builtin_prefetch(state->rare);
    if (state->rarer != &rarer_empty)
        lines_prefetch(state->rarer, sizeof *state->rarer);
}

static void rare_parts_prefetch(const struct state *state)
{
    if (state == NULL)
        return;
    __builtin_prefetch(state->rare->enrollments.items);
    __builtin_prefetch(state->rarer->standings.items);
}

void people_prefetch(const struct people *people, uint32_t profile, uint32_t step)
{
    const struct profile *row = people_get(people, profile);
    if (step == 0)
        __builtin_prefetch(row);
    else if (step == 1)
        state_prefetch(row->state);
    else if (step == 2)
        state_parts_prefetch(row->state);
    else
        rare_parts_prefetch(row->state);
}

void people_ahead_step(const struct people *people, struct people_ahead *ahead)
{
    uint32_t step = ahead->steps++;
    if (step == 0) {
        map_prefetch(&people->by_text, ahead->hash);
        return;
    }
    if (step == 1) {
        ahead->identity = map_guess(&people->by_text, ahead->hash);
        if (ahead->identity != MAP_NONE)
            __builtin_prefetch(identity_at(people, ahead->identity));
        return;
    }
    if (step == 2 && ahead->identity != MAP_NONE)
        ahead->profile = identity_at(people, ahead->identity)->profile;
    if (ahead->profile < people->profiles_count) /* PROFILE_NONE is not */
        people_prefetch(people, ahead->profile, step - 2);
}

int64_t people_arrived_ms(const struct people *people, uint32_t profile)
{
    assert(profile < people->profiles_count);
    return arrivals_ms(people->arrivals)[profile];
}

struct arrivals *people_arrivals(const struct people *people)
{
    return people->arrivals;
}

enum err people_add(struct people *people, int64_t arrived_ms, uint32_t *profile)
{
    size_t offset;
    if (people->profiles_count == PROFILES_MAX)
        return ERR_LIMIT;
    TRY(arrivals_add(people->arrivals, arrived_ms));
    TRY(space_add(&people->profiles, sizeof(struct profile), 8, &offset));
    uint32_t number = people->profiles_count++;
    *people_get(people, number) = (struct profile){
        .root = number,
        .next = number,
        .identities = PROFILE_NONE,
        .wake_ms = TIME_NEVER,
        .timer_ms = TIME_NEVER,
    };
    *profile = number;
    return OK;
}

static enum err identity_add(struct people *people, uint32_t profile, struct identity_key key,
                             uint32_t *out)
{
    size_t   offset;
    uint16_t len = (uint16_t)key.text.len;
    TRY(space_add(&people->identities, offsetof(struct identity, text) + len, IDENTITY_UNIT_BYTES,
                  &offset));
    uint32_t         number = (uint32_t)(offset / IDENTITY_UNIT_BYTES);
    struct identity *identity = identity_at(people, number);
    identity->profile = profile;
    identity->next = people_get(people, profile)->identities;
    identity->kind = (unsigned char)key.kind;
    memcpy(identity->len, &len, sizeof len);
    memcpy(identity->text, key.text.ptr, len);
    *out = number;
    return OK;
}

enum err people_link(struct people *people, uint32_t profile, enum identity_kind kind,
                     struct str text)
{
    struct identity_key key = { kind, text };
    uint32_t            number;
    assert(text.len > 0 && text.len <= IDENTITY_BYTES_MAX);
    assert(identity_find(people, key) == MAP_NONE);

    TRY(identity_add(people, profile, key, &number));
    TRY(map_add(&people->by_text, key_hash(people, key), number));
    people_get(people, profile)->identities = number;
    return OK;
}

void people_unlink(struct people *people, uint32_t profile, enum identity_kind kind,
                   struct str text)
{
    struct identity_key key = { kind, text };
    uint32_t            wanted = identity_find(people, key);
    uint32_t           *link = &people_get(people, profile)->identities;
    while (*link != PROFILE_NONE && *link != wanted)
        link = &identity_at(people, *link)->next;
    if (wanted == MAP_NONE || *link == PROFILE_NONE)
        return;
    *link = identity_at(people, wanted)->next;
    map_remove(&people->by_text, key_hash(people, key), wanted);
}

bool people_identity(const struct people *people, uint32_t profile, uint32_t *at,
                     enum identity_kind *kind, struct str *text)
{
    *at = *at == PROFILE_NONE ? people_get(people, profile)->identities
                              : identity_at(people, *at)->next;
    if (*at == PROFILE_NONE)
        return false;
    struct identity_key key = identity_key(people, *at);
    *kind = key.kind;
    *text = key.text;
    return true;
}

bool people_has_kind(const struct people *people, uint32_t profile, enum identity_kind wanted)
{
    uint32_t member = profile;
    do {
        uint32_t           at = PROFILE_NONE;
        enum identity_kind kind;
        struct str         text;
        while (people_identity(people, member, &at, &kind, &text))
            if (kind == wanted)
                return true;
        member = people_get(people, member)->next;
    } while (member != profile);
    return false;
}

struct state *people_state(struct people *people, uint32_t profile)
{
    struct profile *root = people_get(people, people_root(people, profile));
    if (root->state == NULL)
        root->state = people_state_new(people);
    return root->state;
}

const struct state *people_state_get(const struct people *people, uint32_t profile)
{
    const struct state *state = people_get(people, people_root(people, profile))->state;
    return state != NULL ? state : &state_empty;
}

uint32_t people_ring_count(const struct people *people, uint32_t profile)
{
    uint32_t count = 0, member = profile;
    do {
        count++;
        member = people_get(people, member)->next;
    } while (member != profile);
    return count;
}

/* Where readers are told that the profile stands: one that was erased in no ring at all. */
static struct turn turn_of(const struct people *people, uint32_t profile)
{
    const struct profile *p = people_get(people, profile);
    return p->erased ? (struct turn){ profile, PROFILE_NONE, PROFILE_NONE }
                     : (struct turn){ profile, p->root, p->next };
}

struct rings *people_rings(struct people *people)
{
    if (people->rings != NULL)
        return people->rings;
    people->rings = rings_open(people->profiles_count);
    if (people->rings == NULL)
        return NULL;
    for (uint32_t p = 0; p < people->profiles_count; p++) {
        struct turn turn = turn_of(people, p);
        people->rings->root[p] = turn.root;
        people->rings->next[p] = turn.next;
    }
    return people->rings;
}

/* The ring of `profile` has changed. */
static void ring_tell(struct people *people, uint32_t profile)
{
    uint32_t member = profile;
    while (people->rings != NULL) {
        const struct profile *p = people_get(people, member);
        if (!rings_turn(people->rings, turn_of(people, member))) {
            rings_drop(people->rings); /* the next to ask begins anew */
            people->rings = NULL;
        }
        member = p->next;
        if (member == profile)
            return;
    }
}

enum err people_join(struct people *people, uint32_t into, uint32_t from)
{
    assert(people_root(people, into) == into && people_root(people, from) == from && into != from);
    if (people_ring_count(people, into) + people_ring_count(people, from) > RING_PROFILES_MAX)
        return ERR_LIMIT;

    uint32_t member = from;
    do {
        people_get(people, member)->root = into;
        member = people_get(people, member)->next;
    } while (member != from);
    /* Swapping the two followers makes one ring of two. */
    struct profile *a = people_get(people, into), *b = people_get(people, from);
    uint32_t        next = a->next;
    a->next = b->next;
    b->next = next;
    ring_tell(people, into);
    return OK;
}

void people_erase(struct people *people, uint32_t profile)
{
    struct profile    *p = people_get(people, profile);
    enum identity_kind kind;
    struct str         text;
    for (uint32_t at = PROFILE_NONE; people_identity(people, profile, &at, &kind, &text);
         at = PROFILE_NONE)
        people_unlink(people, profile, kind, text);
    if (p->state != NULL)
        state_free(p->state);
    p->state = NULL;
    p->shared = p->ask_all = p->quietly = false;
    p->wake_ms = TIME_NEVER;
    p->erased = true;
    ring_tell(people, profile);
}

/* Marks all that is reachable from `start` by the merges in `state`, leaving out one of them. */
static uint32_t reach(const struct state *state, uint64_t without, uint32_t start,
                      uint32_t *reached)
{
    uint32_t count = 0;
    reached[count++] = start;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t m = 0; m < state->rarer->merges.count; m++) {
            const struct merge *merge = &state->rarer->merges.items[m];
            if (merge->id == without || (merge->from != reached[i] && merge->into != reached[i]))
                continue;
            uint32_t other = merge->from == reached[i] ? merge->into : merge->from;
            bool     seen = false;
            for (uint32_t k = 0; k < count; k++)
                seen = seen || reached[k] == other;
            if (!seen && count < RING_PROFILES_MAX)
                reached[count++] = other;
        }
    }
    return count;
}

static bool among(const uint32_t *items, uint32_t count, uint32_t wanted)
{
    for (uint32_t i = 0; i < count; i++)
        if (items[i] == wanted)
            return true;
    return false;
}

/* Rebuilds one ring of the given profiles with the given root. */
static void ring_set(struct people *people, const uint32_t *members, uint32_t count, uint32_t root)
{
    for (uint32_t i = 0; i < count; i++) {
        people_get(people, members[i])->next = members[(i + 1) % count];
        people_get(people, members[i])->root = root;
    }
    ring_tell(people, root);
}

static enum err merges_move(struct people *people, struct state *state, const uint32_t *gone,
                            uint32_t count, uint32_t root)
{
    for (uint32_t i = state->rarer->merges.count; i > 0; i--) {
        struct merge merge = state->rarer->merges.items[i - 1];
        if (!among(gone, count, merge.from))
            continue;
        struct state *other = people_state(people, root);
        if (other == NULL)
            return ERR_MEMORY;
        TRY(STATE_ADD_RARER(other, merges, merge));
        STATE_REMOVE_RARER(state, merges, i - 1);
    }
    return OK;
}

enum err people_part(struct people *people, uint64_t merge_id, uint32_t *profile)
{
    /* The merge is kept in the state of the root of either side; find it by its profiles. */
    uint32_t      root = people_root(people, *profile);
    struct state *state = people_state(people, root);
    if (state == NULL)
        return ERR_MEMORY;
    uint32_t found = 0;
    while (found < state->rarer->merges.count && state->rarer->merges.items[found].id != merge_id)
        found++;
    if (found == state->rarer->merges.count)
        return ERR_ABSENT;

    struct merge merge = state->rarer->merges.items[found];
    uint32_t     gone[RING_PROFILES_MAX], kept[RING_PROFILES_MAX], kept_count = 0;
    uint32_t     gone_count = reach(state, merge_id, merge.from, gone);
    if (among(gone, gone_count, root)) /* the root itself hung on `from`: part the other side */
        gone_count = reach(state, merge_id, merge.into, gone);
    if (among(gone, gone_count, root))
        return ERR_CONFLICT; /* another merge still ties the two */
    uint32_t member = root;
    do {
        if (!among(gone, gone_count, member))
            kept[kept_count++] = member;
        member = people_get(people, member)->next;
    } while (member != root);

    STATE_REMOVE_RARER(state, merges, found);
    ring_set(people, kept, kept_count, root);
    ring_set(people, gone, gone_count, gone[0]);
    TRY(merges_move(people, state, gone, gone_count, gone[0]));
    *profile = gone[0];
    return OK;
}
