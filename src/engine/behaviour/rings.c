#include "engine/behaviour/rings.h"

#include <stdlib.h>

#include "engine/behaviour/log.h"

enum { TURNS_ROOM_MIN = 4096, PROFILES_A_TURN = 4 };

struct rings *rings_open(uint32_t profiles)
{
    struct rings *rings = calloc(1, sizeof *rings);
    if (rings == NULL)
        return NULL;
    atomic_init(&rings->holds, 1);
    rings->profiles = profiles;
    rings->turns_room = TURNS_ROOM_MIN + profiles / PROFILES_A_TURN;
    rings->root = malloc(((size_t)profiles + 1) * sizeof *rings->root);
    rings->next = malloc(((size_t)profiles + 1) * sizeof *rings->next);
    rings->turns = malloc(rings->turns_room * sizeof *rings->turns);
    if (rings->root != NULL && rings->next != NULL && rings->turns != NULL)
        return rings;
    rings_drop(rings);
    return NULL;
}

struct rings *rings_hold(struct rings *rings)
{
    holds_add(&rings->holds);
    return rings;
}

void rings_drop(struct rings *rings)
{
    if (rings == NULL || !holds_end(&rings->holds))
        return;
    free(rings->root);
    free(rings->next);
    free(rings->turns);
    free(rings);
}

bool rings_turn(struct rings *rings, struct turn turn)
{
    if (rings->turns_count == rings->turns_room)
        return false;
    rings->turns[rings->turns_count++] = turn;
    return true;
}
