/*
 * decision: everything that followed from a record, about one person.
 *
 * Decisions are stored with their evidence and never recomputed: on load they are applied again
 * as they stand. Each names the one before it about the same profile, so that a person's whole
 * story is read by following the chain, without an index.
 *
 *      profile 7   ... <- 41 ENROLLED <- 42 STEP <- 43 INTENT <- 58 CLAIMED <- 60 SENT
 *
 *      kind          subject               object             detail (JSON)
 *      PROFILE       identity kind         -                  id: the identity
 *      IDENTITY      identity kind         -                  id
 *      MERGE         profile absorbed      -                  reason
 *      UNMERGE       merge decision        profile released   -
 *      SHARED        profile (device)      -                  id
 *      ERASED        -                     -                  -, and stands for all before it
 *      ENTERED       segment               1 when quiet       segment, since?, or_earlier?
 *      LEFT          segment               1 when quiet       segment
 *      JOINED        list                  -                  list
 *      DEPARTED      list                  -                  list
 *      CONSENT       topic (0: all)        consent_state      topic, channel?, state, how, proof?
 *      CONTEXT       -                     -                  country?, zone?, locale?
 *      ENROLLED      journey               version            journey, event, key?, key_id?,
 *                                                             reason? (what let them in, where it
 *                                                             was not the trigger)
 *      NOT_ENROLLED  journey               -                  journey, reason, key?
 *      HELD_OUT      journey, or           version            journey, event, due? (the time for
 *                    broadcast_key                            its goal), broadcast?
 *      GOAL          enrollment            node               node, journey_id, event (that
 *                                                             reached it, or 0), value?, held_out?
 *      UNREACHED     enrollment            node               node, journey_id, reason: outside,
 *                                                             and not watched any more
 *      STEP          enrollment            node               node, journey_id, visit, due?, took?,
 *                                                             chosen? (by which record:
 * choosing.h), back? 1: filling.h MOVED         enrollment            node               node,
 * journey_id, version (from now on), due? ENDED         enrollment            node node,
 * journey_id, reason, due? (the goal is waited for until then) PARKED        - - reason: more than
 * 64 consequences INTENT        enrollment            node               template, channel,
 * journey, node, the numbers of all, topic_id, event, asked? (send.h), broadcast? (its subject is
 * then a broadcast_key) CLAIMED       message               attempt            to, event, version,
 * traits: [seq], computed?, variant? (tailor.h) CODE          enrollment, or        its number in
 * codes, codes_id, message, template_id, a message of its own  the pool           journey_id,
 * expires?, code? (codes.h) WAITING       message               attempt            reason,
 * retry_at?: no code is left; limits.h DEFERRED      message               attempt retry_at, text
 * RETURNED message attempt            retry_at, text SENT, FAILED, UNKNOWN, DROPPED: as those, with
 * reason
 */
#ifndef DULT_ENGINE_DECISION_H
#define DULT_ENGINE_DECISION_H

#include "base/arena.h"
#include "base/str.h"
#include "engine/channel.h"
#include "engine/consent.h"
#include "engine/suppression.h"

enum decision_kind {
    DECISION_NONE = 0, /* of a stored row that is none of these */
    DECISION_PROFILE = 1,
    DECISION_IDENTITY = 2,
    DECISION_MERGE = 3,
    DECISION_UNMERGE = 4,
    DECISION_SHARED = 5,
    DECISION_ERASED = 6,
    DECISION_ENTERED = 10,
    DECISION_LEFT = 11,
    DECISION_JOINED = 12,
    DECISION_DEPARTED = 13,
    DECISION_CONSENT = 14,
    DECISION_CONTEXT = 15,
    DECISION_ENROLLED = 20,
    DECISION_STEP = 21,
    DECISION_ENDED = 22,
    DECISION_NOT_ENROLLED = 23,
    DECISION_PARKED = 24,
    DECISION_HELD_OUT = 25,
    DECISION_GOAL = 26,
    DECISION_UNREACHED = 27,
    DECISION_MOVED = 28,
    DECISION_INTENT = 30,
    DECISION_CLAIMED = 31,
    DECISION_SENT = 32,
    DECISION_FAILED = 33,
    DECISION_UNKNOWN = 34,
    DECISION_DROPPED = 35,
    DECISION_DEFERRED = 36,
    DECISION_RETURNED = 37,
    DECISION_CODE = 38,
    DECISION_WAITING = 39,
};

struct decision {
    uint64_t           id, seq, prev; /* prev: 0 for the first about this profile */
    uint32_t           profile;
    enum decision_kind kind;
    int64_t            at_ms;
    uint64_t           subject;
    uint32_t           object;
    struct str         detail;

    /* What `detail` says, in numbers: written into it, and read back from it on load. */
    struct str           text;    /* an identity, a reason, a state, an answer */
    enum consent_channel channel; /* CONSENT, INTENT */
    struct str           key;     /* ENROLLED, HELD_OUT, NOT_ENROLLED: of the journey, as text */
    uint32_t   key_id;       /* the same: segment_key_of it; it stays where the text is erased */
    struct str proof;        /* CONSENT: a JSON object, or empty */
    struct str zone, locale; /* CONTEXT; its country is `text` */
    int64_t    due_ms;       /* STEP: end of the wait; DEFERRED: next try; ENROLLED: entered;
                                CODE: its last second; HELD_OUT, ENDED: of the goal's time, 0
                                for none */
    uint32_t event; /* ENROLLED, HELD_OUT, GOAL, INTENT: seq of the triggering event; STEP: of the
                       choice of what it took; 0 for none */
    uint32_t other; /* STEP: visit; MOVED: the version; INTENT: template; CLAIMED: its version;
                       CODE: the pool; ENTERED, LEFT: 1 when quiet */
    uint32_t        topic;    /* INTENT */
    bool            is_held;  /* GOAL: of one who is held out */
    bool            is_back;  /* STEP: given to who is past it (journey/filling.h) */
    bool            is_asked; /* INTENT, SENT .. DROPPED: of a message a program asked for */
    struct str      computed; /* CLAIMED: what computed traits were then, as a JSON object */
    struct str      variant;  /* CLAIMED: which variant of the template, and why; as JSON */
    const uint32_t *seqs;     /* CLAIMED: the identify records whose traits it is written with */
    uint32_t        seqs_count;
    uint64_t        message;     /* CODE: the one it was given with */
    uint32_t        template_id; /* CODE: of that message */
    uint32_t        journey;     /* STEP, ENDED, INTENT, CODE */
    struct str      node;        /* the same: its id */
    int64_t         since_ms;    /* ENTERED: when it became true, as far as was then known */
    bool            or_earlier;  /* ENTERED: the past was too long to be sure of since_ms */
};

/* A word new to one of the dictionaries; stored before anything that uses its number. */
struct name_row {
    uint32_t   kind; /* enum name_kind */
    uint32_t   id;
    struct str text;
};

enum name_kind {
    NAME_EVENT = 1,
    NAME_PROPERTY = 2,
    NAME_TRAIT = 3,
    NAME_SEGMENT = 4,
    NAME_JOURNEY = 5,
    NAME_TEMPLATE = 6,
    NAME_TOPIC = 7,
    NAME_LIST = 8,
    NAME_CODES = 9,
    NAME_BROADCAST = 10,
    NAME_KINDS,
};

/* A decision's detail as JSON. The longest is a claim's: an address, up to 256 numbers and the
 * computed traits; every text in a detail is an id, a name, a note of a person or a reply, and none
 * of these comes near. */
enum { DECISION_DETAIL_BYTES_MAX = 64 << 10 };

/* The journey of a message that no journey wrote. */
#define JOURNEY_NONE UINT32_MAX

/* A message the engine has said "send" to, with all that rendering needs. */
enum {
    CLAIM_TRAITS_BYTES_MAX = 4096, /* computed traits that fit, in the order they were defined */
    CLAIM_COMPUTED_BYTES_MAX = 2 * CLAIM_TRAITS_BYTES_MAX, /* and what the template asks */
};

struct claim {
    uint64_t message;
    uint32_t profile; /* the person's root */
    uint32_t attempt; /* from 1 */
    uint32_t door;    /* the core's: of whose room it is */
    uint32_t template_id, template_version, journey, topic;
    uint32_t broadcast;              /* its number + 1; 0: of none */
    uint64_t entry;                  /* its enrollment, where its person may have several in the
                                        journey at once; else 0 */
    uint32_t             event_seq;  /* the triggering event's record; 0 for none */
    struct str           address;    /* where it goes (reach.h); empty where the template says */
    const uint32_t      *trait_seqs; /* the identify records whose traits hold now, oldest first */
    uint32_t             trait_seqs_count;
    struct str           computed; /* what computed traits are now, as a JSON object; empty: none */
    uint32_t             variant;  /* whose text it is: a template's number + 1; 0: template_id's */
    uint32_t             variant_version;
    bool                 transactional;
    enum consent_channel channel;
    int64_t first_try_ms; /* when it was first claimed; this instant when attempt is 1 */
};

/*
 * What a node of a journey told of its person: an event that the engine has taken already, under a
 * number of its own, and that is stored as those are which came from outside.
 */
struct told_event {
    uint64_t           seq;
    bool               is_traits;
    uint32_t           profile;
    int64_t            at_ms, received_ms;
    struct str         name; /* empty: traits */
    struct str         body; /* JSON: {"properties" or "traits", "context": {"journey", "node"}} */
    const struct json *properties; /* what it says, in the arena */
};

struct brake_conf;

/*
 * out: what a batch of records gave. The arena is the batch's; everything lives until it is reset.
 */
struct out {
    struct arena       *arena;
    struct decision    *decisions;
    size_t              decisions_count, decisions_room;
    struct name_row    *names;
    size_t              names_count, names_room;
    struct claim       *claims;
    size_t              claims_count, claims_room;
    struct suppression *suppressions; /* what is new of the list, in order */
    size_t              suppressions_count, suppressions_room;
    struct told_event  *told; /* in order of seq */
    size_t              told_count, told_room;
    uint64_t           *recalls; /* claimed messages whose reader wants them no more */
    size_t              recalls_count, recalls_room;
    struct brake_conf
        *sending; /* it was told, or changed by itself: as it is now; NULL: it was not */
    bool holds, holds_receipts; /* sending was stopped: what is claimed and not begun is to wait */
    struct str stopped; /* sending stopped by itself: its definition now; empty: it did not */
    struct str chosen_name, chosen; /* a winner was looked for at a journey's node: what was found,
                                       as a definition (journey/choosing.h); empty: it was not */
    uint32_t intents;               /* messages newly queued: delivery may want to claim */
    uint64_t message; /* the last one that a program asked for; of a RECORD_ENROLL the decision
                         about it; 0: none */
    uint32_t profile; /* the profile that the last record was about, or PROFILE_NONE */
    uint64_t seq;     /* the last record's: greater than it came with, where nodes told something
                         before it */
    bool older;       /* the last record was an event older than what is kept */
};

/* Reads "entered", "sent" ... for the kinds above; "decision" for none of them. */
const char *decision_name(enum decision_kind kind);

#endif
