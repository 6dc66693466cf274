/*
 * definition: a journey as its author wrote it, checked and ready to walk.
 *
 *     {"journey": "welcome",
 *      "trigger": {"event": "Signed Up", "where": "plan = \"free\""},
 *      "reentry": "once",
 *      "exit_when": "did \"Project Created\" since entry",
 *      "nodes": [
 *        {"id": "hello",  "email": "welcome"},
 *        {"id": "pause",  "wait": "3 days"},
 *        {"id": "acted",  "split": "did \"Project Created\"", "yes": "done", "no": "remind"},
 *        {"id": "remind", "email": "reminder"},
 *        {"id": "done",   "exit": true}]}
 *
 *     trigger  {"event": NAME, "where"?: conditions on its properties, "key"?: PROPERTY} |
 *              {"segment": NAME} | {"left_segment": NAME} | {"list": NAME} | {"left_list": NAME} |
 *              {"finished_journey": NAME} | {"left_journey": NAME} (before its end) |
 *              {"opened": WHICH, "by"?: "machine" | "anyone"} | {"clicked": ...}, WHICH as in the
 *              JSON form of conditions: "any", {"message": NAME}, {"journey": NAME} |
 *              {"stage": NAME} | {"left_stage": NAME} |
 *              {"date": "3 days before trial_ends"} of the person: until.h | {"schedule": "monday
 *              10:00", "segment"?: NAME, "zone"?: "workspace"} | {"api": true, "key"?: PROPERTY}:
 * only who is let in by hand or by a program reentry  "once" (the default, but of what comes again
 * by the calendar) | "always" | "after 30 days"; with a key for each of its values at_once  so
 * often somebody may be inside at the same time: 1, with a key 16 (one a value) audience CONDITION:
 * asked of who would come in; audience_at: "entry" (the default) or "each step": asked at every
 * node, too, and who no longer meets it leaves priority 1 .. 9 (5 is the default): whose messages
 * go first where limits.h lets few node     one of message, email, wait, wait_until, wait_for,
 * split, variants, set, record, join_list, leave_list, consent, start_journey, exit; "next" names
 * where to go, else the one below it; "answer_within" of a message: not before it has come to an
 * end
 *
 *     {"message": ["offer-sms", "offer-mail"]}                          the first that can reach
 * the person, and may
 *     {"wait_until": "monday 10:00"}                                     see until.h
 *     {"wait_until": "3 days before trial_ends", "else"?: ID}            unknown, or past
 *     {"wait_for": CONDITION, "within": "3 days", "yes"?: ID, "timeout"?: ID}
 *     {"wait_for": {"event": NAME, "where"?: ...}, ...}                  one that comes from then
 * on
 *     {"split": CONDITION, "yes"?: ID, "no"?: ID}
 *     {"split": [{"if": CONDITION, "next": ID, "name"?: TEXT}, ...], "else"?: ID}
 *     {"split": [{"share": 30, "next": ID, "name"?: TEXT}, ...]}         percent; of 100 in all
 *     {"set": {TRAIT: VALUE, ...}}              VALUE: a text, number, yes or no, a list of those,
 * or
 *     {"record": {"event": NAME, "properties"?: {NAME: VALUE, ...}}}    {"from": "event.NAME"},
 *     {"join_list": NAME}, {"leave_list": NAME}                         {"from": "trait.NAME"}
 *     {"consent": {"topic"?: NAME, "channel"?: CHANNEL, "state": "subscribed" | "unsubscribed"}}
 *     {"start_journey": NAME}
 *
 *     {"variants": [{"name": TEXT, "next"?: ID, "share"?: 50}, ...], "experiment"?: NAME,
 *      "winner"?: {"people": 100, "decide_after": "7 days", ...}: experiment/winner.h}
 *                                                       2 to 8; without shares each the same
 *
 *     holdout  {"share": 10, "name"?: NAME}: so many percent of those who would come in do not
 *     goal     {"condition": CONDITION, "within": "14 days", "target"?: 15 percent,
 *               "value"?: a property of the event that reaches it}; also of those held out, and of
 *              who has left; exit_on_goal: true, unless it is false
 *     "sequence" instead of "nodes": days and mails, see sequence.h
 *
 * Conditions are in the text form or the JSON form of segments, and may say `since entry`; with a
 * key also `where cart_id is the key`.
 *
 * Always true   every `next` and `otherwise` is the number of a node or JOURNEY_END; every circle
 *               of nodes has a wait in it that takes time, so a walk ends.
 * Bounds        JOURNEY_NODES_MAX nodes, JOURNEY_BRANCHES_MAX branches of a split,
 *               JOURNEY_VALUES_MAX values of a node and JOURNEY_VALUE_BYTES_MAX of all their text,
 *               JOURNEY_TEXT_BYTES_MAX of text.
 */
#ifndef DULT_ENGINE_DEFINITION_H
#define DULT_ENGINE_DEFINITION_H

#include "base/json.h"
#include "engine/channel.h"
#include "engine/consent.h"
#include "engine/experiment/winner.h"
#include "engine/journey/clock.h"
#include "engine/journey/limits.h"
#include "engine/journey/sequence.h"
#include "engine/journey/until.h"
#include "engine/segment/segment.h"

enum {
    JOURNEY_NODES_MAX = 500,
    JOURNEY_BRANCHES_MAX = 32,
    JOURNEY_TEMPLATES_MAX = 4, /* of a message node */
    JOURNEY_SHARES = DEAL_ALL, /* of a split by share */
    JOURNEY_TEXT_BYTES_MAX = 512 << 10,
    JOURNEY_NAME_BYTES_MAX = 128,
    JOURNEY_VALUES_MAX = 64,
    JOURNEY_VALUE_BYTES_MAX = 4096,
    JOURNEY_AT_ONCE_MAX = 16, /* times that one person is inside */
    JOURNEY_END = 0xFFFF,     /* "the node" after the last one */
};

#define JOURNEY_WAIT_MS_MAX (3660 * TIME_DAY_MS)

enum trigger_kind {
    TRIGGER_EVENT, /* also what became of a message */
    TRIGGER_SEGMENT,
    TRIGGER_LEFT_SEGMENT,
    TRIGGER_LIST,
    TRIGGER_LEFT_LIST,
    TRIGGER_FINISHED_JOURNEY,
    TRIGGER_LEFT_JOURNEY,
    TRIGGER_CLOCK, /* a date of the person, or a schedule: clock.h */
    TRIGGER_API,   /* nothing by itself: who is let in by hand or by a program (enrolling.h) */
    TRIGGER_KINDS,
};
enum reentry_kind { REENTRY_ONCE, REENTRY_ALWAYS, REENTRY_AFTER };
enum node_kind {
    NODE_MESSAGE,
    NODE_WAIT,
    NODE_WAIT_UNTIL,
    NODE_WAIT_FOR,
    NODE_SPLIT,
    NODE_EXIT,
    NODE_SET,
    NODE_RECORD,
    NODE_LIST,
    NODE_CONSENT,
    NODE_START,
};

struct condition {
    const struct segment_node *tree; /* NULL: none was given */
    struct segment_program     program;
};

/* One way on from a split or a wait; the first that may be taken is. */
struct branch {
    struct condition when;  /* no tree: by share alone */
    uint32_t         share; /* of JOURNEY_SHARES: those below it, and not below the one before */
    struct str       name;  /* what is told of it */
    uint16_t         next;
};

/* What a trait is set to, or a property told as. */
enum value_from { VALUE_WRITTEN, VALUE_FROM_EVENT, VALUE_FROM_TRAIT };
struct node_value {
    struct str      name;
    enum value_from from;
    struct json     written; /* a scalar, or a list of them */
    struct str      source;  /* the property of the triggering event, or the trait */
};

/* What a node changes. */
struct node_change {
    struct str               name; /* of an event, list, topic (empty: all) or journey */
    const struct node_value *values;
    uint32_t                 values_count;
    bool                     leaves; /* the list */
    enum consent_channel     channel;
    enum consent_state       state; /* granted or refused */
};

struct node {
    enum node_kind     kind;
    struct str         id;
    uint16_t           next;
    uint16_t           otherwise; /* where no branch is taken; of a wait_until: unknown, or past */
    struct str         otherwise_name;           /* what is told then */
    uint16_t           branches, branches_count; /* the first, among the journey's */
    bool               is_experiment;            /* a split: its branches are variants */
    struct str         experiment;               /* its name; JOURNEY/ID unless given */
    struct winner_rule winner;   /* of an experiment; after_ms 0: none is found by itself */
    struct str template;         /* of a message: its name, the first where one of several goes */
    const struct str *templates; /* of a message, in order: the first that can reach the person */
    uint16_t          templates_count;
    bool              is_email; /* written as "email": a template of that channel */
    bool         is_event; /* of a wait_for: one event that comes, asked as `where` of a trigger */
    bool         hears_machines; /* likewise */
    int64_t      wait_ms; /* of a wait; of a message: for its answer, of a wait_for: at the most */
    struct until until;
    struct node_change change;
};

struct journey_trigger {
    enum trigger_kind kind;
    struct str        name;
    struct condition  where;   /* asked with the triggering event alone as the person's behaviour;
                                  of a schedule: whom it is for */
    bool         is_stage;     /* the segment is a stage, `name` its name */
    struct clock clock;        /* TRIGGER_CLOCK; `name` is its text */
    bool       hears_machines; /* `where` asks about "machine": what programs open and click, too */
    struct str key_name;       /* the property by which somebody is inside; empty: none */
    uint16_t   key;            /* its number */
};

/* What the journey is for. */
struct goal {
    struct condition condition; /* no tree: there is none */
    int64_t          within_ms; /* from coming in */
    uint32_t         target;    /* of JOURNEY_SHARES; 0: none was set */
    uint16_t         value;     /* the property's number; DICT_NONE: none was named */
    bool             stays;     /* who reaches it does not leave */
};

struct journey {
    struct str                 name;
    struct journey_trigger     trigger;
    enum reentry_kind          reentry;
    uint8_t                    priority;   /* of its messages, where one too many waits: limits.h */
    int64_t                    reentry_ms; /* REENTRY_AFTER */
    uint32_t                   at_once;    /* 1 .. JOURNEY_AT_ONCE_MAX */
    struct condition           exit_when;
    struct condition           audience;
    bool                       is_audience_kept; /* it is asked at each step, too */
    struct holdout             holdout;
    struct goal                goal;
    const struct node         *nodes;
    uint16_t                   nodes_count;
    const struct sequence_map *sequence; /* where its nodes come from; sequence.h */
    struct branch             *branches; /* of all nodes, one after the other */
    uint32_t                   branches_count;
};

/*
 * Reads and checks the text; everything lives in `arena`. `names` resolves what conditions name;
 * the same struct is used for each, with has_entry set here. ERR_INPUT, ERR_ABSENT (a name that is
 * not there), ERR_LIMIT, each with *problem saying where ("nodes[2].split:1:5") and the remedy.
 */
MUST enum err journey_parse(struct arena *arena, struct str text, const struct segment_names *names,
                            struct journey *out, struct problem *problem);

/* Does the node send that template? */
bool journey_node_sends(const struct node *node, struct str template);

/* The number of the node with that id, or JOURNEY_END. */
uint16_t journey_node(const struct journey *journey, struct str id);

/* Does it wait until a date that the trait is? */
bool journey_node_awaits(const struct node *node, struct str trait);

#endif
