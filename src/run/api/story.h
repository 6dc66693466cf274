/*
 * story: all that was decided about one person, read from the store.
 *
 * The decisions about a profile are a chain from its head backwards; a person who was merged has a
 * chain for each profile. Heads come from the engine, rows from the store, and the rows of all
 * chains together are put in order, newest first.
 *
 * Cost          a look-up a decision, some 5 us; at most STORY_MAX of them.
 */
#ifndef DULT_RUN_STORY_H
#define DULT_RUN_STORY_H

#include "run/api/api_inside.h"

struct story {
    uint32_t person; /* the root; PROFILE_NONE: nobody */
    uint32_t members[RING_PROFILES_MAX];
    uint64_t heads[RING_PROFILES_MAX];
    uint32_t members_count;

    struct decision *decisions; /* newest first, in the call's arena */
    uint32_t         count, room;
};

/* On the engine thread: the members and heads of the person. */
void story_heads(const struct engine *engine, uint32_t person, struct story *story);
/* The person named {who}; ERR_ABSENT with a problem. */
MUST enum err story_find(struct call *call, struct str who, struct story *story);

/* Reads the decisions that `keep` (NULL: all) says yes to. */
typedef bool  story_keep(const void *context, const struct decision *decision);
MUST enum err story_read(struct call *call, struct story *story, story_keep *keep,
                         const void *context);

/* {"kind":"decision","type":..,"at":..,"detail":{..}} */
void story_write(struct buf *out, const struct decision *decision);
/* {"kind":"event","type":..,"name":..,"at":..,.. and what the client said}; `name` and `source` may
 * be empty. */
void story_event_write(struct buf *out, const struct store_event *event, struct str name,
                       struct str source);

#endif
