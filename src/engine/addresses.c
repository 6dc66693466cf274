#include "engine/addresses.h"

#include <stdlib.h>
#include <string.h>

void addresses_done(struct addresses *addresses)
{
    map_done(&addresses->map);
    free(addresses->rests);
    *addresses = (struct addresses){ .rests = NULL };
}

static bool rest_is(const void *owner, uint32_t profile, const void *hash)
{
    return ((const struct addresses *)owner)->rests[profile] == (uint32_t) * (const uint64_t *)hash;
}

static bool profile_is(const void *owner, uint32_t profile, const void *wanted)
{
    (void)owner;
    return profile == *(const uint32_t *)wanted;
}

uint32_t addresses_find(const struct addresses *addresses, uint64_t hash)
{
    return map_find(&addresses->map, hash, rest_is, addresses, &hash);
}

static enum err rests_grow(struct addresses *addresses, uint32_t profile)
{
    if (profile < addresses->room)
        return OK;
    uint64_t  room = (uint64_t)profile + profile / 4 + 64;
    uint32_t *rests = realloc(addresses->rests, room * sizeof *rests);
    if (rests == NULL)
        return ERR_MEMORY;
    memset(rests + addresses->room, 0, (room - addresses->room) * sizeof *rests);
    addresses->rests = rests;
    addresses->room = (uint32_t)room;
    return OK;
}

/* What a profile had before stays in the map, and is found by no hash; taken again it is there. */
enum err addresses_put(struct addresses *addresses, uint64_t hash, uint32_t profile)
{
    uint32_t before = addresses_find(addresses, hash);
    if (before == profile)
        return OK;
    TRY(rests_grow(addresses, profile));
    if (map_find(&addresses->map, hash, profile_is, NULL, &profile) == MAP_NONE)
        TRY(map_add(&addresses->map, hash, profile));
    if (before != MAP_NONE) {
        (void)map_remove(&addresses->map, hash, before);
        addresses->rests[before] = ~(uint32_t)hash;
    }
    addresses->rests[profile] = (uint32_t)hash;
    return OK;
}
