/*
 * story: what should happen to people, written down beside the journeys, and whether it does.
 *
 *      {"stories": [
 *        {"story": "Who buys is not reminded",
 *         "from": "2026-03-02T10:00:00Z",
 *         "tell": [
 *           {"person": "ada", "traits": {"email": "ada@x.example"}},
 *           {"person": "ada", "event": "Cart Updated", "properties": {"cart_id": 7}},
 *           {"after": "1 hour", "person": "ada", "event": "Order Completed"},
 *           {"after": "3 days", "person": "ada", "gets": ["receipt"]},
 *           {"person": "ada", "expect": "not in journey \"cart\""}]}]}
 *
 * Each story is told to an engine of its own (stage.h) that has all the definitions and knows
 * nobody. docs/stories.md is the manual.
 *
 * Always true   a story comes true or fails for the same reason every time it is told.
 * Cost          a few milliseconds and what the time that passes in it costs.
 */
#ifndef DULT_ENGINE_STORY_H
#define DULT_ENGINE_STORY_H

#include "base/buf.h"
#include "engine/engine.h"

enum {
    STORIES_MAX = 1000,      /* of one file */
    STORY_STEPS_MAX = 10000, /* of one story */
    STORY_SAID_MAX = 30,     /* of what happened to somebody, the latest */
};

/* What the stories are about, in an order in which it can be defined. */
struct story_definition {
    enum definition_kind kind;
    struct str           name, text;
    const char          *path; /* said where it is refused */
};

struct story_world {
    const struct story_definition *items;
    uint32_t                       count;
    const struct zones            *zones; /* NULL: all is UTC */
};

struct story_result {
    struct str story; /* its title */
    bool       passed;
    struct str said; /* why not: lines, each ending with '\n'; empty when passed */
};

struct story_results {
    struct story_result *items;
    uint32_t             count, failed;
};

/*
 * Tells every story of the text; results and their texts lie in `arena`.
 * ERR_INPUT: the file is no such thing, or a definition is refused; where and what to do is in
 * `problem`. A step that cannot be told fails its story alone. ERR_MEMORY.
 */
MUST enum err story_tell_all(struct arena *arena, struct str text, const struct story_world *world,
                             struct story_results *out, struct problem *problem);

#endif
