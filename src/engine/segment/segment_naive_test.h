/*
 * segment_naive: the world in which the engine meets its twin, and the twin's answers.
 *
 * The twin answers straight on the tree, over a plain array of events with their JSON, for clarity
 * and by brute force: every event is looked at for every question.
 */
#ifndef DULT_ENGINE_SEGMENT_NAIVE_TEST_H
#define DULT_ENGINE_SEGMENT_NAIVE_TEST_H

#include "base/test.h"
#include "engine/segment/segment.h"
#include "engine/segment/segment_random_test.h"
#include "engine/segment/segment_standing.h"

enum {
    EVENTS_MAX = 40,
    RUNS_MAX = 4,
    TRAITS_MAX = 30,
    VALUES_MAX = 64,
    CANDIDATES_MAX = 2048,
    ARENA_BYTES = 32 << 20,
    BAGS_BYTES = 1 << 20,
    ZONES_EACH = 3, /* of a world */
    ZONE_SHIFTS_EACH = 4,
    HOMES_MAX = 2,
};

struct event {
    struct str  name;
    int64_t     at_ms;
    uint32_t    seq;
    struct json properties;
};

struct change { /* a trait's value from at_ms on */
    struct str  key;
    int64_t     at_ms;
    uint32_t    seq;
    struct json value;
};

/* In list and segment n from from_ms[n] up to to_ms[n]. */
struct stay {
    int64_t from_ms, to_ms;
};

/* In that zone from at_ms on; before, in the first. */
struct home {
    int64_t  at_ms;
    uint32_t seq, zone;
};

struct world {
    struct event  events[EVENTS_MAX];
    uint32_t      events_count;
    struct change traits[TRAITS_MAX];
    uint32_t      traits_count, seq_max;
    struct stay   stays[3];
    int64_t       base_ms, entry_ms, now_ms;

    struct zone       zones[ZONES_EACH];
    struct zone_shift zone_shifts[ZONES_EACH][ZONE_SHIFTS_EACH];
    struct home       homes[HOMES_MAX]; /* ascending */

    const struct segment_node *computed; /* what the trait NAIVE_COMPUTED is; or NULL */

    uint32_t stride; /* of the instants before `until`, every how manyeth is compared */

    struct dict      *event_names, *properties, *trait_names, *leaves;
    struct standings *standings;
    struct buf        bags;
    struct run        runs[RUNS_MAX];
    uint16_t          run_name[RUNS_MAX][EVENTS_MAX];
    int64_t           run_at_ms[RUNS_MAX][EVENTS_MAX];
    uint32_t          run_seq[RUNS_MAX][EVENTS_MAX], run_bag[RUNS_MAX][EVENTS_MAX];
};

#define NAIVE_COMPUTED STR("reckoned")
#define NAIVE_PUBLIC_ID STR("p-1042")

/* Values under one key, in order; `listed` came from a list. */
struct values {
    struct json list[VALUES_MAX];
    bool        listed[VALUES_MAX];
    int         count;
};

/* ---- segment_naive_answer_test.c: values, traits, groups */

bool naive(const struct world *w, int64_t now, const struct segment_node *node);
/* All scalars at a dotted path, through whatever arrays lie on the way. */
void naive_collect(struct values *v, const struct json *at, struct str path, bool listed);
bool naive_compare(const struct world *w, int64_t now, const struct segment_compare *c,
                   const struct values *v);
bool naive_is_in_window(const struct world *w, int64_t now, const struct segment_window *window,
                        int64_t at);

/* The values of a trait at that instant. */
void naive_trait_values(const struct world *w, int64_t now, struct str key, struct values *out);

/* ---- segment_naive_world_test.c */

void naive_open(struct world *w);
void naive_close(struct world *w);
void naive_world(struct dice *dice, struct world *w); /* a random one */
/* On the hour, mostly, so that edges coincide; sometimes one millisecond beside it. */
int64_t              naive_at(struct dice *dice, const struct world *w);
struct facts         naive_facts(const struct world *w, int64_t now_ms);
struct segment_names naive_names(const struct world *w);

/* ---- segment_naive_when_test.c: days, dates, patterns, states */

bool naive_when(const struct world *w, int64_t now, const struct segment_node *node);
/* -1, 0, 1, or 2 for "no date". */
int  naive_date_order(const struct world *w, int64_t now, const struct json *value,
                      const struct segment_literal *literal);
bool naive_is_in_days(const struct world *w, int64_t now, const struct segment_window *window,
                      int64_t at);
bool naive_matches(struct str pattern, struct str text);

const struct zone   *naive_zone_fact(const struct facts *facts, int64_t *until_ms);
struct facts_member  naive_journey_fact(const struct facts *facts, uint32_t journey,
                                        struct str node);
struct facts_consent naive_consent_fact(const struct facts *facts, uint32_t topic,
                                        struct str channel);

/* ---- segment_naive_deeds_test.c: what people did */

bool naive_deed(const struct world *w, int64_t now, const struct segment_node *node);
/* The value of an aggregate without a test: none, one, or those of a list. */
void naive_value_of(const struct world *w, int64_t now, const struct segment_node *node,
                    struct values *out);
/* Later than the other? By time, then by order of arrival. */
bool naive_is_later(const struct event *a, const struct event *b);

#endif
