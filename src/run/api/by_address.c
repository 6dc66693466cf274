#include "run/api/by_address.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"
#include "engine/behaviour/view.h"
#include "engine/own.h"
#include "engine/reach.h"

struct told {
    uint32_t hash, profile;
};

/* Which base the told are of: a newer one has others of these. */
struct base_mark {
    const void *columns;
    uint32_t    events, profiles;
};

struct by_address {
    pthread_mutex_t  lock;
    uint64_t         seed;
    struct base_mark mark;
    struct told     *told; /* by hash */
    uint32_t         count;
};

struct by_address *by_address_open(void)
{
    struct by_address *index = calloc(1, sizeof *index);
    if (index == NULL)
        return NULL;
    pthread_mutex_init(&index->lock, NULL);
    index->seed = hash_random_seed();
    return index;
}

void by_address_close(struct by_address *index)
{
    if (index == NULL)
        return;
    pthread_mutex_destroy(&index->lock);
    free(index->told);
    free(index);
}

/* ---- what was told ---- */

static uint32_t address_hash(uint64_t seed, struct str address)
{
    char   lower[REACH_BYTES_MAX];
    size_t len = address.len < sizeof lower ? address.len : sizeof lower;
    for (size_t i = 0; i < len; i++)
        lower[i] = (char)(address.ptr[i] >= 'A' && address.ptr[i] <= 'Z' ? address.ptr[i] | 0x20
                                                                         : address.ptr[i]);
    return (uint32_t)hash_str((struct str){ lower, len }, seed);
}

/* Walks the addresses told in one level, in order of profile. */
struct walk {
    const struct level *level;
    struct bags         bags;
    uint16_t            trait;
    uint32_t            post, entry;
};

static bool walk_next(struct walk *walk, uint32_t *profile, struct str *address)
{
    const struct level *level = walk->level;
    uint32_t            end = level->names > OWN_TRAITS ? level->post_offsets[OWN_TRAITS + 1] : 0;
    struct json         value;
    while (walk->post < end) {
        uint32_t place = level->posts[walk->post++];
        while (level->offsets[walk->entry + 1] <= place)
            walk->entry++;
        if (!bag_find(bag_at(walk->bags, level->bag[place]), walk->trait, &value) ||
            value.kind != JSON_STRING)
            continue;
        *profile = level->profile == NULL ? walk->entry : level->profile[walk->entry];
        *address = value.string;
        return true;
    }
    return false;
}

static struct walk walk_of(const struct view *view, uint32_t level, uint16_t trait)
{
    return (struct walk){ .level = &view->levels[level],
                          .bags = view->bags,
                          .trait = trait,
                          .post = view->levels[level].names > OWN_TRAITS
                                      ? view->levels[level].post_offsets[OWN_TRAITS]
                                      : 0 };
}

/* ---- of the base ---- */

static int by_hash(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static enum err base_read(struct by_address *index, const struct view *view, uint16_t trait)
{
    const struct level *base = &view->levels[0];
    struct base_mark    mark = { base->offsets, base->events, base->profiles };
    uint32_t            room = 0, profile;
    struct str          address;
    if (index->mark.columns == mark.columns && index->mark.events == mark.events &&
        index->mark.profiles == mark.profiles)
        return OK;
    if (base->names > OWN_TRAITS)
        room = base->post_offsets[OWN_TRAITS + 1] - base->post_offsets[OWN_TRAITS];
    struct told *told = malloc((room + 1) * sizeof *told);
    if (told == NULL)
        return ERR_MEMORY;
    free(index->told);
    index->told = told;
    index->count = 0;
    for (struct walk walk = walk_of(view, 0, trait); walk_next(&walk, &profile, &address);)
        told[index->count++] = (struct told){ address_hash(index->seed, address), profile };
    qsort(told, index->count, sizeof *told, by_hash);
    index->mark = mark;
    return OK;
}

static uint32_t first_of(const struct by_address *index, uint32_t hash)
{
    uint32_t from = 0, to = index->count;
    while (from < to) {
        uint32_t half = from + (to - from) / 2;
        if (index->told[half].hash < hash)
            from = half + 1;
        else
            to = half;
    }
    return from;
}

/* ---- the question ---- */

struct found {
    const struct view *view;
    uint32_t          *people, *count;
};

static void found_add(struct found *found, uint32_t profile)
{
    uint32_t root = profile < found->view->profiles ? found->view->root[profile] : UINT32_MAX;
    if (root == UINT32_MAX || *found->count > BY_ADDRESS_MOST)
        return; /* erased, or too many */
    for (uint32_t i = 0; i < *found->count; i++)
        if (found->people[i] == root)
            return;
    if (*found->count < BY_ADDRESS_MOST)
        found->people[*found->count] = root;
    ++*found->count;
}

enum err by_address_find(struct by_address *index, const struct view *view, uint16_t trait,
                         struct str address, uint32_t people[BY_ADDRESS_MOST], uint32_t *count)
{
    uint32_t     hash = address_hash(index->seed, address), profile;
    struct found found = { view, people, count };
    struct str   told;
    *count = 0;
    pthread_mutex_lock(&index->lock);
    enum err err = base_read(index, view, trait);
    for (uint32_t i = first_of(index, hash); err == OK && i < index->count; i++) {
        if (index->told[i].hash != hash)
            break;
        found_add(&found, index->told[i].profile);
    }
    pthread_mutex_unlock(&index->lock);
    for (uint32_t l = 1; l < view->levels_count; l++)
        for (struct walk walk = walk_of(view, l, trait); walk_next(&walk, &profile, &told);)
            if (address_hash(index->seed, told) == hash)
                found_add(&found, profile);
    return err;
}
