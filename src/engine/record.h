/*
 * record: what the engine is told, one thing at a time.
 *
 * Everything that happens is a record: a tracked event, an identify call, a click, a changed
 * journey, the outcome of a send. Records are applied in the order of `seq`; the same records
 * give the same result.
 *
 *      at_ms        when it happened, the client's word, corrected for skew
 *      received_ms  when we learnt it; never goes back from record to record
 *      seq          its number within the partition, from 1, at most 2^32 - 1
 *
 * All text and JSON is borrowed for the length of engine_apply.
 */
#ifndef DULT_ENGINE_RECORD_H
#define DULT_ENGINE_RECORD_H

#include "base/json.h"
#include "base/str.h"

enum record_kind {
    RECORD_NONE = 0,
    /* what touchpoints say; stored as events */
    RECORD_TRACK = 1,
    RECORD_IDENTIFY = 2,
    RECORD_PAGE = 3,
    RECORD_SCREEN = 4,
    RECORD_GROUP = 5,
    RECORD_ALIAS = 6,
    /* what came of our messages: `name` is one of the MESSAGE_EVENT names below */
    RECORD_MESSAGE = 10,
    /* changes by people and programs */
    /* Both count from at_ms, but never from what is to come; the last word by at_ms stands. */
    RECORD_CONSENT = 11, /* name: topic, or empty for all; properties: {"state", "how", "channel"?,
                            "source"?, "proof"?}: see consent.h */
    RECORD_LIST = 12,    /* name: list; flag RECORD_LEAVE takes the person off it */
    RECORD_DEFINE = 13,  /* name: the definition's, definition_kind, body: its text ("" deletes) */
    RECORD_UNMERGE = 14, /* merge: the decision id of the merge to undo */
    RECORD_SUPPRESSION = 16, /* name: an address that nothing is sent to; RECORD_LEAVE: again;
                                properties: {"reason", "class"?: a word of suppression.h} */
    RECORD_SEND = 17,        /* a message asked for by a program: see send.h */
    RECORD_CODES = 18,     /* name: a pool; `count` codes more; RECORD_LEAVE: what is left of it is
                              given to nobody: see codes.h */
    RECORD_BROADCAST = 19, /* name: a broadcast; properties: what is done with it: broadcast.h */
    RECORD_ENROLL = 25,    /* `profile` is let into the journey `body`, whatever begins it; name,
                              properties: of the event that stands for it; RECORD_LEAVE: taken out
                              of it: see journey/enrolling.h */
    RECORD_ERASE = 15,     /* the person that `profile` belongs to is forgotten, see erasure.h */
    /* no event is stored for these */
    RECORD_CLOCK = 20,    /* only time has passed: apply what is due */
    RECORD_CLAIM = 21,    /* delivery has room for `count` messages of `lanes` */
    RECORD_OUTCOME = 22,  /* what became of a claimed message */
    RECORD_RETAIN = 23,   /* how long events are kept is worked out anew: see retain.h */
    RECORD_RETAINED = 24, /* what is older is gone from the timeline */
};

enum record_flag {
    RECORD_HISTORICAL = 1, /* an import: updates everything, starts nothing */
    RECORD_LEAVE = 2,      /* RECORD_LIST, RECORD_ENROLL: leave; RECORD_SUPPRESSION: lift */
    RECORD_FIRE = 8,       /* RECORD_DEFINE of a segment: the change may set off journeys */
    RECORD_MACHINE = 4,    /* RECORD_MESSAGE: a scanner or prefetcher, not a person */
    RECORD_LAUNCH = 16,    /* RECORD_DEFINE of a journey: who is in what begins it comes in, too */
    RECORD_SETTLE = 16,    /* RECORD_MESSAGE: somebody says what became of one that is unknown */
    RECORD_GPC = 64,       /* the browser told Global Privacy Control (Sec-GPC: 1) */
    RECORD_MOVE = 32, /* RECORD_DEFINE of a journey: those inside go on by it, as moving.c says */
    RECORD_BACKFILL = 64,  /* likewise, and get what is new before where they stand: filling.h */
    RECORD_NUMBERED = 128, /* RECORD_IDENTIFY: about `profile`, whatever ids they have */
};

enum definition_kind {
    DEFINE_NONE = 0,
    DEFINE_WORKSPACE = 1,
    DEFINE_SEGMENT = 2,
    DEFINE_JOURNEY = 3,
    DEFINE_TEMPLATE = 4,
    DEFINE_BROADCAST = 8,       /* broadcast.h */
    DEFINE_TRAIT = 11,          /* a computed one: segment_parse_value */
    DEFINE_STAGES = 12,         /* all of them, one document: program_stages.c */
    DEFINE_RETENTION = 13,      /* how long events are kept: keep.h */
    DEFINE_SNIPPET = 14,        /* what templates share: nothing that the engine asks */
    DEFINE_TOPICS = 18,         /* what people may say yes or no to: topics.h */
    DEFINE_SENDING = 19,        /* on or stopped, and when it stops by itself: brake.h */
    DEFINE_CODES = 20,          /* a pool of discount codes: codes.h */
    DEFINE_QUESTION = 21,       /* what mails ask; kept for those who show it: paper.h */
    DEFINE_FILE = 22,           /* what mails hand out; likewise */
    DEFINE_LIMITS = 23,         /* when people are left in peace, how much they get: limits.h */
    DEFINE_SCORE = 26,          /* points by rules, and lines to cross: program_scores.c */
    DEFINE_JOURNEY_STATE = 28,  /* paused, stopped, or not: journey/standstill.c */
    DEFINE_RATES = 30,          /* what currencies are worth: rates.h */
    DEFINE_LESSON = 31,         /* what an experiment taught; nothing that the engine asks */
    DEFINE_JOURNEY_CHOICE = 32, /* the variant that won at a node: journey/choosing.h */
    DEFINE_JOURNEY_DRAFT = 33,  /* a text beside the published one; nothing that the engine asks */
    DEFINE_TOUCHPOINT = 34,     /* where customers meet the house: touchpoint.h */
    DEFINE_KINDS,
};

/* What delivery reports. RETURNED: never begun, to be queued again as if not claimed. */
enum outcome_kind {
    OUTCOME_SENT = 1,
    OUTCOME_DEFERRED = 2,
    OUTCOME_FAILED = 3,
    OUTCOME_UNKNOWN = 4,
    OUTCOME_RETURNED = 5,
    OUTCOME_HELD = 6, /* could not be composed: a missing variable, a broken address */
};

struct record_outcome {
    uint64_t          message; /* the intent's decision id */
    enum outcome_kind kind;
    int64_t           retry_at_ms; /* DEFERRED; RETURNED: not before this, 0: at once */
    struct str        text;        /* the far side's words, or the reason */
    struct str stopped_domain;     /* RETURNED: nothing is sent from it now; empty: not for that */
};

struct record {
    uint64_t           seq;
    enum record_kind   kind;
    uint8_t            flags;
    uint16_t           source;
    int64_t            at_ms, received_ms;
    struct str         name;
    struct str         user_id, anonymous_id, previous_id;
    const struct json *properties; /* an object or NULL; traits of identify */
    const struct json *context;    /* an object or NULL: externalIds, timezone and locale count */
    struct str         country;    /* of the address it came from: two letters, or empty */

    uint32_t              profile; /* internal records name the profile by number */
    uint64_t              message; /* RECORD_MESSAGE: the intent's decision id */
    uint64_t              merge;   /* RECORD_UNMERGE */
    uint32_t              count;   /* RECORD_CLAIM, RECORD_CODES */
    uint32_t              lanes;   /* RECORD_CLAIM: a bit a lane of lane.h; 0: all */
    enum definition_kind  definition_kind;
    struct str            body;    /* RECORD_DEFINE: the text; RECORD_SEND: the template's name */
    struct record_outcome outcome; /* RECORD_OUTCOME */
};

/* Events that Dult itself puts on a timeline. */
#define EVENT_MESSAGE_SENT STR("Message Sent")
#define EVENT_MESSAGE_FAILED STR("Message Failed")
#define EVENT_MESSAGE_BOUNCED STR("Message Bounced")
#define EVENT_MESSAGE_OPENED STR("Message Opened")
#define EVENT_MESSAGE_CLICKED STR("Message Clicked")
#define EVENT_MESSAGE_UNSUBSCRIBED STR("Message Unsubscribed")
#define EVENT_MESSAGE_COMPLAINED STR("Message Complained")
#define EVENT_MESSAGE_REPLIED STR("Message Replied")
#define EVENT_MESSAGE_DELIVERED STR("Message Delivered")
#define EVENT_NOTICE_SENT STR("Notice Sent") /* to a webhook or the staff, about the person */
#define EVENT_MESSAGE_REQUESTED STR("Message Requested")
/* Told by Dult, and no deed of anybody's (own.h, OWN_TOLD); others may tell them, too. */
#define EVENT_CODE_REDEEMED STR("Code Redeemed") /* by a RECORD_MESSAGE */
#define EVENT_SCORE_CROSSED STR("Score Crossed")
/* By hand or by a program (journey/enrolling.h); told by nobody else. */
#define EVENT_JOURNEY_ENTRY STR("Journey Entry Requested")
#define EVENT_JOURNEY_EXIT STR("Journey Exit Requested")
/* By a link of a message, with `message` and what it was: ordinary names, told as RECORD_MESSAGE.
 */
#define EVENT_QUESTION_ANSWERED STR("Question Answered")
#define EVENT_FILE_DOWNLOADED STR("File Downloaded")

#endif
