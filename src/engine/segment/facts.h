/*
 * facts: one person at one point of knowledge, as a condition sees them.
 *
 * Two times bound what counts: only records up to `seq_max` are known, and only what happened at
 * or before `now_ms` has happened. An event or trait dated later waits, and is a reason for an
 * answer to expire.
 *
 * The runs are read directly. Everything else is asked through `ops`, so that a test, the engine
 * and a rehearsal can each answer in their own way.
 */
#ifndef DULT_ENGINE_FACTS_H
#define DULT_ENGINE_FACTS_H

#include "base/json.h"
#include "base/time.h"
#include "base/zone.h"
#include "engine/behaviour/run.h"

enum {
    FACTS_RUNS_MAX = 256, /* cursors on the stack; whoever has more runs merges them first */
};

#define FACTS_SINCE_UNKNOWN INT64_MIN

/* What is known of one trait at (now_ms, seq_max). */
struct facts_trait {
    struct json value;    /* a scalar, or an array of scalars; null is as good as absent */
    uint32_t    seq;      /* of the record that set it; 0 when unknown */
    int64_t     since_ms; /* when it took this value; FACTS_SINCE_UNKNOWN */
    int64_t     until_ms; /* > now_ms: when a known, later-dated change takes over; TIME_NEVER */
    const char *from;     /* nobody told it: it was derived from this; NULL */
};

/* Whether the person is in a list, a segment or a journey. */
struct facts_member {
    bool    holds;
    int64_t since_ms; /* FACTS_SINCE_UNKNOWN */
    int64_t until_ms; /* > now_ms: when time alone may change it; TIME_NEVER */
};

enum facts_consent_state {
    FACTS_CONSENT_UNKNOWN,
    FACTS_CONSENT_GRANTED,
    FACTS_CONSENT_REFUSED,
    FACTS_CONSENT_PENDING, /* said yes, and asked to confirm it */
};

/* What the person said to a topic on a channel, or to more than these; the last word counts. */
struct facts_consent {
    enum facts_consent_state state;
    int64_t                  since_ms; /* FACTS_SINCE_UNKNOWN */
    int64_t                  until_ms; /* > now_ms: when a known, later-dated word takes over */
};

struct facts;

struct facts_ops {
    /* The trait; without one: false, and *out with value null, until_ms filled all the same. */
    bool (*trait)(const struct facts *facts, uint16_t key, struct facts_trait *out);
    struct facts_member (*in_list)(const struct facts *facts, uint32_t list);
    struct facts_member (*in_segment)(const struct facts *facts, uint32_t segment);
    /* The profile's public id, which decides its share in `in 20% by "seed"`. */
    struct str (*public_id)(const struct facts *facts);
    /*
     * The person's time zone, with *until_ms as in facts_trait. NULL in the table: everyone lives
     * in facts->zone.
     */
    const struct zone *(*zone)(const struct facts *facts, int64_t *until_ms);
    /* In the journey now: anywhere, or at the node of that name. NULL: nobody is in one. */
    struct facts_member (*in_journey)(const struct facts *facts, uint32_t journey, struct str node);
    /* Topic 0 is all topics; an empty channel is all channels. NULL: nobody has said a word. */
    struct facts_consent (*consent)(const struct facts *facts, uint32_t topic, struct str channel);
};

struct standings; /* segment_standing.h */

struct facts {
    int64_t                 now_ms;
    uint32_t                seq_max;
    const struct run       *runs;
    uint32_t                runs_count; /* at most FACTS_RUNS_MAX */
    struct bags             bags;
    int64_t                 entry_ms;  /* `since entry`: when the journey was entered; else 0 */
    uint32_t                entry_key; /* `is the key`: segment_key of the enrollment; 0: none */
    uint32_t                profile;   /* the person's number: the root of its ring */
    const void             *person;    /* for the ops */
    struct standings       *standings; /* answers of this person that still stand; NULL: read all */
    const struct zone      *zone;      /* the workspace's; within an evaluation the person's */
    const struct zones     *zones;     /* what zones there are; NULL: none */
    const struct facts_ops *ops;
};

#endif
