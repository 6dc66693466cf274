/*
 * journey_life: random journeys beside a naive twin.
 *
 *      journey_life_test.c         journeys and records at random, told to both; what is compared
 *      journey_life_twin_test.c    the twin: a list of enrollments, walked straight from the JSON,
 *                                  and what follows from what, one thing after the other
 *      journey_life_waits_test.c   waits until a clock shows it, minute by minute
 *
 * A life is drawn from one number, which replays it.
 */
#ifndef DULT_ENGINE_JOURNEY_LIFE_TEST_H
#define DULT_ENGINE_JOURNEY_LIFE_TEST_H

#include "base/json.h"
#include "base/time.h"
#include "base/zone.h"
#include "engine/engine.h"

enum {
    TWIN_PEOPLE = 4,
    TWIN_JOURNEYS = 4,
    TWIN_SEGMENTS = 3,
    TWIN_CONDITIONS = 7,
    TWIN_EVENTS_MAX = 40000, /* of one person */
    TWIN_INSIDE_MAX = 1024,
    TWIN_KEYS = 3,
    TWIN_WATCHED_MAX = 8,
    TWIN_LETTERS_MAX = 100000, /* lives that go round write much */
    TWIN_NODES = 6,            /* of a journey */
};

struct happened {
    char    name;
    int     k; /* what it says of "k"; -1: nothing */
    int64_t at_ms;
};

struct twin_person {
    struct happened    events[TWIN_EVENTS_MAX];
    uint32_t           events_count;
    int                asked_key; /* for which `is the key` is asked now */
    bool               pro, listed, refused, in[TWIN_SEGMENTS];
    const struct zone *zone;
    struct str         ends; /* a date, as it was told; empty: never told */
};

struct inside {
    int      person, journey;
    size_t   node;
    int64_t  due_ms, entered_ms;
    uint64_t number;
    bool     stands; /* at a node: not only just come in */
    bool     held, over, reached;
    int      event_k, key; /* of the event that began it; by which it is inside; -1: none */
};

struct letter {
    int      person;
    uint64_t inside;
    int64_t  at_ms;
    bool     sending;
};

/* What was said of the winner at an experiment's node. */
struct twin_choice {
    bool    is_said;
    int     variant; /* -1: none */
    int64_t at_ms;
};

/* What follows, in the order in which it came to be. */
enum follows_kind {
    FOLLOWS_EVENT,   /* one of that name may begin journeys */
    FOLLOWS_TOLD,    /* a node told one of that name */
    FOLLOWS_SET,     /* a node set traits */
    FOLLOWS_ENTERED, /* segment `number` */
    FOLLOWS_LEFT,
    FOLLOWS_JOINED,
    FOLLOWS_DEPARTED,
    FOLLOWS_FINISHED, /* journey `number` */
    FOLLOWS_ENDED,
    FOLLOWS_STARTED,
    FOLLOWS_CLOCK, /* a date or a schedule of journey `number` */
};
struct follows {
    enum follows_kind kind;
    int               number;
    char              name;
    int               k; /* of the event because of which it is */
};

struct twin {
    const struct zones *zones;
    struct twin_person  people[TWIN_PEOPLE];
    const struct json  *journeys[TWIN_JOURNEYS];
    int                 journeys_count;
    struct inside       insides[TWIN_INSIDE_MAX];
    uint32_t            insides_count;
    int64_t             last_entry[TWIN_PEOPLE][TWIN_JOURNEYS][TWIN_KEYS + 1]; /* 0: never */
    struct twin_choice  choices[TWIN_JOURNEYS][TWIN_NODES];
    int                 had[TWIN_PEOPLE][TWIN_JOURNEYS][TWIN_NODES]; /* a variant + 1; 0: none */
    uint64_t            kept, chosen;                                /* how often that counted */
    struct letter       letters[TWIN_LETTERS_MAX];
    uint32_t            letters_count;
    uint64_t            numbers;
    int64_t             done_ms; /* all instants up to here were looked at */
    uint64_t            told, parked, held;
    struct buf          log;

    /* One thing that happens to one person, and what follows from it. */
    struct follows queue[CONSEQUENCES_MAX];
    uint32_t       queue_count, queue_done;
    bool           quiet, is_parked, is_lost;
    int            k;     /* of the event because of which all is done now */
    bool           later; /* a wait_until has ended in it */
};

/* One more, at the end, of journeys that have a key. */
extern const char *const twin_conditions[TWIN_CONDITIONS + 1];
/* The segments that begin journeys, in the order of their numbers. */
struct twin_segment {
    const char *name;
    int         condition;
};
extern const struct twin_segment twin_segments[TWIN_SEGMENTS];

/* ---- the twin: something happens to the person now, and all that follows */

void twin_event(struct twin *t, int person, char name, int k, bool quiet, int64_t at_ms,
                int64_t now_ms);
void twin_traits(struct twin *t, int person, int64_t now_ms); /* they were told already */
void twin_list(struct twin *t, int person, bool leave, int64_t now_ms);
void twin_consent(struct twin *t, int person, bool granted, int64_t now_ms);
/* Time passes for everybody, from instant to instant; how many there were of whom it was most. */
uint32_t twin_time(struct twin *t, int64_t now_ms);

/* ---- waits */

extern const uint32_t twin_untils; /* how many there are */
struct str            twin_until_text(uint32_t i);
bool                  twin_until_is_date(uint32_t i);
/* TIME_NEVER: it is not known. */
int64_t twin_until_ms(const struct twin_person *p, struct str text, int64_t now_ms, bool later);

#endif
