/*
 * rehearse: a draft journey run over what people really did, with a clock of its own.
 *
 *      view (everyone's behaviour)          definitions (the draft, and what it names)
 *             |                                         |
 *             v                                         v
 *      who could begin --> one person --> an engine of nobody else --> decisions --> counts
 *      (a look at names)   their events    told them one after the        (rehearse_result)
 *                          by time         other, its clock set to each
 *
 * It is the engine of life that goes through the journeys: the same code asks the conditions,
 * waits, holds messages back. What differs is what it is told of, and when: everything at the
 * instant at which it happened, as it is known today. A message goes out at the instant at which it
 * may.
 *
 *      rehearsal_open(&r, &conf, &problem);            once; whatever thread
 *      rehearse_hand_open(&hand, r);                   one a thread
 *      rehearse_part(hand, view, from, to);            people, in any parts, in any order
 *      rehearse_gather(into, hand); rehearse_hand_close(hand);
 *      rehearsal_close(r);
 *
 * Always true   the same view and definitions give the same counts, however the people are parted.
 *               Nothing is decided in life, nothing sent.
 * Assumes       nobody opens or clicks what was never sent; codes never run out; webhooks answer
 *               nothing; sending is on. docs/rehearse.md says what history cannot know.
 * Cost          the time of whoever could begin, and of nobody else; memory for
 *               REHEARSE_PEOPLE_AN_ENGINE people a hand.
 */
#ifndef DULT_ENGINE_REHEARSE_H
#define DULT_ENGINE_REHEARSE_H

#include <stdatomic.h>

#include "engine/behaviour/view.h"
#include "engine/engine.h"

enum {
    REHEARSE_PEOPLE_AN_ENGINE = 8192,
    REHEARSE_TURNS_MAX = 100000, /* instants at which time alone did something, of one person */
    REHEARSE_SAMPLE_MAX = 100,
    REHEARSE_REASONS_MAX = 100, /* told apart at one place; all further ones are "other" */
    REHEARSE_DAYS_MAX = 3660,   /* of a window */
};

/* A name of the workspace's dictionaries. */
struct rehearse_name {
    enum name_kind kind;
    uint32_t       id;
    struct str     text;
};

/* The latest text of each; in any order. */
struct rehearse_definition {
    enum definition_kind kind;
    struct str           name, text;
    bool                 is_draft;     /* a fault in it is said; of others it is left out */
    bool                 is_rehearsed; /* a journey that people are to go through */
};

/*
 * How far it is, for whoever looks on from another thread, and a way to end it. People are lived
 * one after the other, each from the window's beginning to its end: so what is gone through is
 * people, and `at_ms` is where the one stands who was last told something.
 */
struct rehearse_progress {
    atomic_uint          of, profiles; /* `of`: set by the caller; looked at, whole people or not */
    atomic_uint_fast64_t lived, events; /* people who could begin; what they were told */
    atomic_int_fast64_t  at_ms;         /* 0: nobody was told anything yet */
    atomic_bool          is_stopped;    /* set by the looker */
};

/* Everything is borrowed until rehearsal_close. */
struct rehearse_conf {
    const struct rehearse_name       *names; /* all that the view's events may use, by id */
    uint32_t                          names_count;
    const struct rehearse_definition *definitions;
    uint32_t                          definitions_count;
    const struct suppressions        *suppressed; /* each from its at_ms on; NULL: none is */
    const struct zones               *zones;      /* NULL: all is UTC */
    int64_t  from_ms, to_ms; /* journeys begin from the first on; both are part of the window */
    uint32_t sample;         /* people to be named of each journey, at most REHEARSE_SAMPLE_MAX */
    struct rehearse_progress *progress; /* NULL: nobody looks on */
};

struct rehearsal;

/*
 * ERR_INPUT, ERR_ABSENT, ERR_LIMIT: a draft is refused, or nothing is rehearsed; *problem says
 * where. ERR_MEMORY.
 */
MUST enum err rehearsal_open(struct rehearsal **out, const struct rehearse_conf *conf,
                             struct problem *problem);
void          rehearsal_close(struct rehearsal *rehearsal); /* NULL is nothing */

/* What a template is asked for here: its head, without what it asks about its reader. */
struct str rehearse_head(struct arena *arena, struct str template);

/* ---- what came of it ---- */

struct rehearse_reason {
    struct str text;
    uint64_t   count;
};

struct rehearse_reasons {
    struct rehearse_reason *items;
    uint32_t                count, room;
};

struct rehearse_node {
    struct str              id, template; /* template: of a message */
    const char             *kind;
    uint64_t                arrived, waiting; /* waiting: stands there at the end */
    struct rehearse_reasons took;             /* the way on, where there are several */
    uint64_t                sent, queued;     /* messages; queued: not gone by the end */
    struct rehearse_reasons held;             /* and why */
    struct rehearse_reasons delayed; /* kept waiting by a rule, each time: quiet hours, a limit */
};

/* One of those who entered: the lowest numbers, each by their first time. */
struct rehearse_sample {
    uint32_t   person;
    int64_t    entered_ms;
    uint16_t   node;  /* the last it stood at; JOURNEY_END: at none */
    struct str ended; /* why; empty: inside at the end */
    uint32_t   sent;
};

struct rehearse_journey {
    struct str              name;
    uint64_t                people, entries, inside, sent, held;
    uint64_t                goals, goals_held_out; /* reached; by those held out */
    struct rehearse_reasons refused, ended;        /* would have entered, but; left, because */
    struct rehearse_node   *nodes;
    uint16_t                nodes_count;
    struct rehearse_sample  sample[REHEARSE_SAMPLE_MAX];
    uint32_t                sample_count;
    uint32_t               *entered_on, *sent_on; /* by UTC day of the window */
};

struct rehearse_result {
    struct arena *arena;                 /* of all below */
    uint64_t      people, events, steps; /* looked at; told; nodes stood at */
    uint64_t      given_up;              /* people with more than a million events, or of
                                            REHEARSE_TURNS_MAX */
    struct rehearse_journey *journeys;
    uint32_t                 journeys_count;
    int64_t                  day_ms; /* the first day */
    uint32_t                 days;
};

/* Empty, for rehearse_gather. ERR_MEMORY; the result is then done. */
MUST enum err rehearse_result_init(struct rehearse_result *out, const struct rehearsal *rehearsal);
void          rehearse_result_done(struct rehearse_result *result);

/* ---- people ---- */

struct rehearse_hand;

MUST enum err rehearse_hand_open(struct rehearse_hand **out, const struct rehearsal *rehearsal);
void          rehearse_hand_close(struct rehearse_hand *hand); /* NULL is nothing */

/* Whoever has their root in the range, and could begin. ERR_MEMORY; ERR_WAIT: it was stopped, after
 * the person under way. */
MUST enum err rehearse_part(struct rehearse_hand *hand, const struct view *view, uint32_t from,
                            uint32_t to);

/* Adds what the hand counted. ERR_MEMORY. */
MUST enum err rehearse_gather(struct rehearse_result *into, const struct rehearse_hand *hand);

/* One person's way, whether they could begin or not: what was decided about the journeys. */
struct rehearse_line {
    int64_t            at_ms, due_ms; /* due: until when a wait lasts; TIME_NEVER */
    enum decision_kind kind;
    uint32_t           journey;    /* its place in the result */
    struct str         node, text; /* text: a reason, or the way taken */
    struct str template;           /* of a message */
};

struct rehearse_path {
    struct rehearse_line *items;
    uint32_t              count;
    uint32_t              events; /* that were told */
};

/* Not counted. `person` is any of their profiles; all lies in `arena`. */
MUST enum err rehearse_person(struct rehearse_hand *hand, const struct view *view, uint32_t person,
                              struct arena *arena, struct rehearse_path *out);

#endif
