/*
 * rehearse_inside: what the files of rehearse/ share. Nobody else includes this.
 */
#ifndef DULT_ENGINE_REHEARSE_INSIDE_H
#define DULT_ENGINE_REHEARSE_INSIDE_H

#include "engine/inside.h"
#include "engine/rehearse/rehearse.h"

enum { REHEARSE_NAMES = 1 << 16 };

/* What becomes of an event of that name. */
enum use {
    USE_NONE,
    USE_KEPT,  /* it may be asked for, and nobody hears of it */
    USE_HEARD, /* something may follow from it */
};

struct rehearsal {
    struct rehearse_conf     conf;
    struct arena            *arena;
    bool                    *wanted; /* by definition */
    uint32_t                *order;  /* of definitions: as they can be defined */
    uint32_t                 order_count;
    struct str              *texts; /* by definition: what is defined; of templates the head */
    uint8_t                  uses[REHEARSE_NAMES];   /* enum use, by number of an event's name */
    bool                     begins[REHEARSE_NAMES]; /* may it be a person's way in? */
    uint16_t                *beginning;              /* those names */
    uint32_t                 beginning_count;
    bool                     anyone_begins; /* by time alone, or by what many events may bring */
    uint32_t                *numbers;       /* of the rehearsed journeys, as in a result */
    struct rehearse_journey *drawings;      /* the same, with nodes and no counts */
    uint32_t                 journeys_count;
};

/* world.c: an engine with what is wanted, that knows nobody. *problem may be NULL. */
MUST enum err rehearse_engine(const struct rehearsal *rehearsal, struct engine **out);
/* The place of a journey in the result, or journeys_count. */
uint32_t rehearse_journey_at(const struct rehearsal *rehearsal, uint64_t number);

/* ---- life.c: what one person did ---- */

enum { LIFE_ARRIVAL = DICT_NONE }; /* in the place of a name: somebody came, and nothing more */

struct life_event {
    int64_t  at_ms;
    uint32_t seq, bag;
    uint16_t name;
    bool     is_first; /* of all they ever did, whether it is of use or not */
    uint32_t order;    /* as it was found, which is as it was told */
};

struct life {
    struct life_event *items;
    uint32_t           count, room;
    uint64_t           all; /* events in all, of use or not */
};

/* A number, or a text, among the properties of an event of Dult's own. */
bool       life_number(struct bag bag, uint16_t key, uint32_t *out);
struct str life_word(struct bag bag, uint16_t key);

/* Did the person anything in the window that may begin a journey? */
bool life_begins(const struct rehearsal *rehearsal, const struct view *view, uint32_t root);
/* All of use up to the window's end, in order, without what the rehearsed journeys did in life:
 * they do it anew. ERR_MEMORY. */
MUST enum err life_gather(const struct rehearsal *rehearsal, const struct view *view, uint32_t root,
                          struct life *life);

/* ---- living.c: one person goes through it ---- */

struct rehearse_hand {
    const struct rehearsal *rehearsal;
    struct engine          *engine; /* NULL: to be made */
    uint32_t                lived;  /* people that it has had */
    uint32_t                person; /* in the engine */
    const struct view      *view;
    struct life             life;
    struct arena           *arena; /* one person's */
    struct out              out;
    struct decision        *decisions; /* room that `out` begins with each time */
    struct reckoning       *reckoning;
    uint32_t                turns;
    bool                    is_given_up;
};

/* Their decisions are then in hand->out, until the next one. */
MUST enum err living_run(struct rehearse_hand *hand, const struct view *view, uint32_t root);

/* ---- reckoning.c ---- */

struct reckoning;

MUST enum err reckoning_open(struct reckoning **out, const struct rehearsal *rehearsal);
void          reckoning_close(struct reckoning *reckoning); /* NULL is nothing */
/* Counts what was decided about one person. */
MUST enum err reckoning_add(struct reckoning *reckoning, const struct out *out, uint32_t root);
struct rehearse_result *reckoning_result(struct reckoning *reckoning);

#endif
