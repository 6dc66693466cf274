/*
 * report_world: a small random population, as a view and as a plain list of events.
 *
 * Some people have several profiles, some profiles came after the base, some events are late, some
 * are dated after the question. They live in several time zones and said to whom they consent. The
 * list is what the twins of the reports read.
 */
#ifndef DULT_ENGINE_REPORT_WORLD_TEST_H
#define DULT_ENGINE_REPORT_WORLD_TEST_H

#include "engine/behaviour/view.h"
#include "engine/report/groups.h"
#include "engine/segment/segment_random_test.h"

enum { WORLD_PROFILES_MAX = 6000, WORLD_EVENTS_MAX = 20000 };

/* What is asked beyond the first of the language: days in each person's zone, consent. */
enum {
    WORLD_ASKS = DICE_DATES | DICE_CALENDAR | DICE_DAY | DICE_BEEN | DICE_MATCHES | DICE_CONSENT,
};

struct world_event {
    uint32_t profile, root, seq, bag;
    uint16_t name;
    int64_t  at_ms;
};

struct world {
    struct view        view;
    struct report      report;
    struct dict       *events, *properties, *traits;
    struct zones      *zones;
    struct buf         bags;
    int64_t            base_ms;
    uint32_t           root[WORLD_PROFILES_MAX], next[WORLD_PROFILES_MAX];
    int64_t            arrived_ms[WORLD_PROFILES_MAX];
    struct world_event list[WORLD_EVENTS_MAX]; /* by (root, at, seq) */
    uint32_t           count;
    uint32_t           from[WORLD_PROFILES_MAX + 1]; /* by root: its first event in the list */
    uint64_t           among[WORLD_PROFILES_MAX / 64 + 1];
    unsigned char     *regions[VIEW_LEVELS_MAX];
    uint16_t           days[VIEW_LEVELS_MAX][WORLD_PROFILES_MAX]; /* of the levels */
    uint32_t           parts;
};

void world_open(struct world *world);
void world_done(struct world *world);
/* Another population, another instant, another filter or none. */
void world_roll(struct world *world, struct dice *dice);

/* What conditions are compiled with. */
struct segment_names world_names(struct world *world);
/* A random event, `did "A" where ...`; into the arena of the dice. */
struct segment_program world_event(struct world *world, struct dice *dice);
/* Is this what the program made by world_event asks for? Straight on the list. */
bool world_is(const struct world *world, const struct segment_program *program,
              const struct world_event *event);

/* A person's facts, read from the list: for segment_eval as a twin. The runs are `world`'s. */
struct world_facts {
    struct facts        facts;
    const struct world *world;
    uint32_t            person;
    struct run          run;
    uint16_t            name[WORLD_EVENTS_MAX];
    int64_t             at_ms[WORLD_EVENTS_MAX];
    uint32_t            seq[WORLD_EVENTS_MAX], bag[WORLD_EVENTS_MAX];
    struct json         elements[64];
    char                public_id[16];
};
void world_facts(struct world_facts *facts, const struct world *world, uint32_t person,
                 int64_t at_ms);
/* Plays rounds of new worlds until so many answers were compared; fails with the round that did. */
typedef bool world_play_one(struct world *world, struct dice *dice, uint64_t *compared);
void         world_play(const char *what, world_play_one *play, uint64_t at_least);

/* What the report groups a person's event by: a scalar, null for without. */
struct json world_value(const struct world *world, struct groups_by by, uint32_t person,
                        uint32_t bag);
/* By nothing, a trait or a property, with the values kept of what was gathered in parts. */
struct groups_by world_by(struct world *world, struct dice *dice,
                          const struct segment_program *event, int64_t from_ms, int64_t to_ms);
void             world_by_done(struct groups_by by);
/* The parts a range is split into. */
struct report_range world_part(const struct world *world, uint32_t part);
uint32_t            world_parts(struct world *world, struct dice *dice);

/* One of the root's profiles had come to be by the instant, or something is dated by then. */
bool world_is_there(const struct world *world, uint32_t person, int64_t at_ms);
/* Somebody, that is: a root who was there by the report's instant, and in `among`. */
bool world_is_asked(const struct world *world, uint32_t person);

#endif
