/*
 * ask: one question to everyone, from its words to a set of people.
 *
 *      view      what is known, up to the last committed record; held as long as the ask is open
 *      compile   one short task on the engine's thread, for it owns the dictionaries
 *      share     the work, in stretches of profiles, on the threads of the crew
 *      people    bitmaps over profiles; who they are is looked up a few at a time
 *
 *     ask_open(&ask, call, body);
 *     ask_condition(&ask, tree, "condition", &number);
 *     ask_compile(&ask);
 *     ask_audience(&ask);
 *     ask_share(&ask, part, context);
 *     ask_close(&ask);
 *
 * Always true   every number of one ask is of one record (`seq`) and one instant (`at_ms`); the
 *               engine's thread is held only to compile, and to name people, ASK_NAMES at a time.
 * Gives up      between two parts when the client has left: ERR_WAIT.
 */
#ifndef DULT_RUN_ASK_H
#define DULT_RUN_ASK_H

#include "engine/behaviour/view.h"
#include "engine/report/report.h"
#include "run/api/api_inside.h"
#include "run/api/unseen.h"
#include "run/core/reading.h"

enum {
    ASK_CONDITIONS_MAX = 50 + 4, /* all stages, the audience, an event; a funnel has fewer */
    ASK_KEYS_MAX = 2,
    ASK_NAMES = 32, /* people named by one task on the engine's thread */
};

struct ask_condition {
    const char                *where; /* the field it was read from */
    const struct segment_node *tree;  /* NULL: that of the segment called `name` */
    struct str                 name;
    bool                       is_event;   /* see report_event_check */
    bool                       is_absence; /* a segment that is not there is nobody's */
    struct segment_program     program;
};

/* A trait or property whose number is wanted; DICT_NONE when it was never seen. */
struct ask_key {
    enum name_kind kind;
    struct str     text;
    uint16_t       number;
};

struct ask {
    struct call       *call;
    const struct json *body; /* NULL: there is none */
    struct view       *view;
    struct report      report;
    struct running_one running;
    uint32_t           hands; /* threads asked for; 0: all there are */
    uint32_t           from;  /* the first profile of the page asked for */

    struct ask_condition conditions[ASK_CONDITIONS_MAX];
    uint32_t             conditions_count;
    struct ask_key       keys[ASK_KEYS_MAX];
    uint32_t             keys_count;
    const struct zone   *zone;     /* the workspace's, after ask_compile; NULL is UTC */
    uint32_t             audience; /* a condition's number and one; 0: everyone */
    uint64_t             people;   /* in the audience, or everyone once they were counted */
    uint64_t            *everyone; /* to be counted with the next share; NULL: no more */

    struct unseen unseen; /* after ask_compile */

    atomic_int part_err; /* of the first part that failed */
};

/* Takes `at`, `threads` and `cursor` from `body` (may be NULL) or else from the query. */
MUST enum err ask_open(struct ask *ask, struct call *call, const struct json *body);
void          ask_close(struct ask *ask); /* also of one that could not be opened */

/* Adds a condition; its number in *number. ERR_LIMIT. */
MUST enum err ask_condition(struct ask *ask, struct ask_condition condition, uint32_t *number);
MUST enum err ask_key(struct ask *ask, enum name_kind kind, struct str text, uint32_t *number);
/* The `segment` and `condition` of a body, both when both are given: who is asked about. */
MUST enum err ask_audience_read(struct ask *ask, const struct json *body);

/* Forgets conditions and keys, so that more is asked of the same view and instant. What was
 * compiled stays in the call's arena. */
void ask_anew(struct ask *ask);

/* Compiles all conditions and looks up all keys. */
MUST enum err ask_compile(struct ask *ask);
/* Finds the audience; what is asked later is asked of them alone. Everyone is found by what is
 * asked next. */
MUST enum err ask_audience(struct ask *ask);
/* Counts everyone into `people` beside what is shared next: what a part of them touches is then at
 * hand. Before there is an audience. */
MUST enum err ask_everyone(struct ask *ask);

/* Called for each stretch, on several threads; each of them has a `hand` of its own. */
typedef enum err ask_part(void *context, uint32_t hand, struct report_range range);
MUST enum err    ask_share(struct ask *ask, ask_part *part, void *context);
uint32_t         ask_hands(const struct ask *ask); /* how many there may be */

/* ERR_WAIT when the client has left or the report was stopped: for what takes long after the share.
 */
MUST enum err ask_go_on(const struct ask *ask);

/* A new bitmap, empty. NULL without memory. */
uint64_t *ask_bits(struct ask *ask);
/* Who of the audience matches; `program` NULL: all of them. */
MUST enum err ask_match(struct ask *ask, const struct segment_program *program, uint64_t *bits);
uint64_t      ask_count(const struct ask *ask, const uint64_t *bits);

/* "seq", "at", and "unseen" where there is any. */
void ask_write_point(const struct ask *ask, struct buf *out, bool *first);
/* A condition as text. */
MUST enum err ask_write_condition(struct ask *ask, uint32_t number, const char *key, bool *first);

/* The people of a bitmap from profile `from` on, at most `most`: {"id","userId"} with commas
 * between; *next is where to go on, UINT32_MAX at the end. */
MUST enum err ask_write_people(struct ask *ask, const uint64_t *bits, uint32_t from, uint32_t most,
                               uint32_t *next);
/* The same as a page, the end of an object: "items":[..],"next":..} by `limit` and `cursor`. */
MUST enum err ask_write_page(struct ask *ask, const uint64_t *bits, const struct json *body);

#endif
