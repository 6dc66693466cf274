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
 *     trigger  {"event": NAME, "where"?: conditions on its properties} | {"segment": NAME} |
 *              {"list": NAME}
 *     reentry  "once" (the default) | "always" | "after 30 days"; never twice at the same time
 *     node     one of message, email, wait, split, exit; "next" names where to go, else the one
 *              below it; "answer_within" of a message: not before it has come to an end
 *
 * Conditions are in the text form or the JSON form of segments, and may say `since entry`.
 *
 * Always true   every `next`, `yes` and `no` is the number of a node or JOURNEY_END; every circle
 *               of nodes has a wait in it, so a walk ends.
 * Bounds        JOURNEY_NODES_MAX nodes, JOURNEY_TEXT_BYTES_MAX of text.
 */
#ifndef DULT_ENGINE_DEFINITION_H
#define DULT_ENGINE_DEFINITION_H

#include "base/json.h"
#include "engine/segment/segment.h"

enum {
    JOURNEY_NODES_MAX = 500,
    JOURNEY_TEXT_BYTES_MAX = 512 << 10,
    JOURNEY_NAME_BYTES_MAX = 128,
    JOURNEY_END = 0xFFFF, /* "the node" after the last one */
};

#define JOURNEY_WAIT_MS_MAX (3660 * TIME_DAY_MS)

enum trigger_kind { TRIGGER_EVENT, TRIGGER_SEGMENT, TRIGGER_LIST };
enum reentry_kind { REENTRY_ONCE, REENTRY_ALWAYS, REENTRY_AFTER };
enum node_kind { NODE_MESSAGE, NODE_WAIT, NODE_SPLIT, NODE_EXIT };

struct condition {
    const struct segment_node *tree; /* NULL: none was given */
    struct segment_program     program;
};

struct node {
    enum node_kind kind;
    struct str     id;
    uint16_t       next, yes, no; /* yes and no of a split; next of the others */
    struct str template;          /* of a message: its name */
    bool             is_email;    /* written as "email": a template of that channel */
    int64_t          wait_ms;     /* of a message: for its answer, at the most */
    struct condition split;
};

struct journey_trigger {
    enum trigger_kind kind;
    struct str        name;
    struct condition  where; /* asked with the triggering event alone as the person's behaviour */
    bool hears_machines;     /* `where` asks about "machine": what programs open and click, too */
};

struct journey {
    struct str             name;
    struct journey_trigger trigger;
    enum reentry_kind      reentry;
    int64_t                reentry_ms; /* REENTRY_AFTER */
    struct condition       exit_when;
    const struct node     *nodes;
    uint16_t               nodes_count;
};

/*
 * Reads and checks the text; everything lives in `arena`. `names` resolves what conditions name;
 * the same struct is used for each, with has_entry set here. ERR_INPUT, ERR_ABSENT (a name that is
 * not there), ERR_LIMIT, each with *problem saying where ("nodes[2].split:1:5") and the remedy.
 */
MUST enum err journey_parse(struct arena *arena, struct str text, const struct segment_names *names,
                            struct journey *out, struct problem *problem);

/* The number of the node with that id, or JOURNEY_END. */
uint16_t journey_node(const struct journey *journey, struct str id);

#endif
