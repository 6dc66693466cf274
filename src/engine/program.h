/*
 * program: all that was defined, compiled, and who must hear of what.
 *
 *      definitions  ->  segments, journeys, templates, lists, topics       each with a number
 *      event name   ->  the segments that depend on it, the journeys it triggers
 *      trait        ->  the segments that depend on it
 *      segment      ->  the segments and journeys that depend on it
 *
 * Every version of a journey stays, for those who are inside it. Names and their numbers are kept
 * in dictionaries that only grow; what is new since the last look is handed to the store first.
 *
 * Always true   segments never depend on each other in a circle, nor nest deeper than
 *               SEGMENT_NESTING_MAX; every live journey's templates and segments exist.
 * Cost          a definition touches only the tables of the names it uses.
 * Bounds        PROGRAM_SEGMENTS_MAX segments; DICT_NAMES_MAX journeys, templates, lists and topics
 *               each, and names of events, properties and traits (of those, further ones are one
 *               and the same, "other"). A number is given once: what was deleted counts, unless a
 *               definition of the same name takes it up again. PROGRAM_COMPUTED_MAX computed traits
 *               and PROGRAM_STAGES_MAX stages at a time; KEEP_EVENTS_MAX events with a length of
 *               their own. Whatever is over a bound is refused with a problem and changes nothing.
 */
#ifndef DULT_ENGINE_PROGRAM_H
#define DULT_ENGINE_PROGRAM_H

#include "engine/behaviour/dict.h"
#include "engine/behaviour/retention.h"
#include "engine/brake.h"
#include "engine/broadcast.h"
#include "engine/codes.h"
#include "engine/decision.h"
#include "engine/journey/definition.h"
#include "engine/journey/limits.h"
#include "engine/keep.h"
#include "engine/own.h"
#include "engine/paper.h"
#include "engine/rates.h"
#include "engine/record.h"
#include "engine/segment/segment.h"
#include "engine/segment/segment_hear.h"
#include "engine/segment/segment_standing.h"
#include "engine/topics.h"

enum {
    PROGRAM_SEGMENTS_MAX = 10000,
    PROGRAM_COMPUTED_MAX = 200,         /* all of them are worked out for each message */
    PROGRAM_SCORES_MAX = 50,            /* likewise; they count among the computed traits */
    PROGRAM_LINES_MAX = 20,             /* of a score: each is a segment that everyone is asked */
    PROGRAM_STAGES_MAX = 50,            /* all their rules stand in each condition about one */
    PROGRAM_ARENA_BYTES_MAX = 16 << 20, /* one definition, compiled */
    TEMPLATE_HEAD_BYTES_MAX = 8192,     /* the header lines of a template */
    TEMPLATE_BLOCKS_MAX = 32,           /* of a template, of a snippet: each is asked for a mail */
    TEMPLATE_BLOCK_NAME_BYTES_MAX = 100,
    TEMPLATE_LANGUAGE_BYTES_MAX = 35,
};

struct segment_def {
    struct arena              *arena; /* NULL: not defined (any more) */
    const struct segment_node *tree;
    struct segment_program     program;
    uint32_t                   version;      /* the defining record's seq */
    bool                       is_line;      /* of a score: program_scores.c */
    bool                       is_stage;     /* program_stages.c */
    bool                       is_beginning; /* what journeys begin by: program_beginnings.c */
    const struct clock        *clock; /* its instants, not its condition, are asked; else NULL */
};

/* A computed trait: it is in force wherever its name is asked for, whatever people were told. */
struct computed_def {
    struct arena              *arena; /* NULL: a free place */
    const struct segment_node *tree;
    struct segment_program     program; /* for segment_value */
    uint32_t                   trait;   /* its name's number; a score's is "$score.NAME" */
    uint32_t                   version; /* the defining record's seq */
};

/* The stages, the first to come first; they stand in the place of their names where one is asked.
 */
struct stages_def {
    struct arena         *arena; /* NULL: there are none */
    struct segment_stage *items;
    uint32_t              count;
    uint32_t              version; /* the defining record's seq */
};

/* How long events are kept; see keep.h. */
struct kept_event {
    uint16_t    name;
    struct keep keep;
};

struct retention_def {
    struct keep rest; /* all 0: for ever */
    struct {
        struct kept_event *items;
        uint32_t           count, room;
    } events;
    uint32_t version; /* the defining record's seq; 0: never told */
};

struct journey_version {
    struct arena  *arena;
    struct journey journey;
    uint32_t       version; /* the defining record's seq */
    uint32_t       source;  /* number of the trigger's event, segment or list */
};

enum journey_state { JOURNEY_RUNS, JOURNEY_PAUSED, JOURNEY_STOPPED };

/* What was chosen at an experiment's node: journey/choosing.h. */
struct journey_choice {
    struct arena     *arena; /* its texts live there */
    struct str        node, experiment;
    struct str        variant; /* empty: none, and people are dealt */
    enum winner_how   how;     /* NOT_YET: it was counted, and nobody was sure */
    int64_t           at_ms;
    uint32_t          version;              /* the record that said it */
    struct str        names[DEAL_ARMS_MAX]; /* as they were counted */
    struct odds_count counts[DEAL_ARMS_MAX];
    uint32_t          counts_count; /* 0: nothing was counted */
};

struct journey_def {
    enum journey_state       state;         /* journey/standstill.c */
    int64_t                  state_ms;      /* when that was said; 0: never */
    uint32_t                 state_version; /* the record that said it */
    struct journey_version **versions;      /* ascending */
    uint32_t                 count, room;
    bool                     live; /* false after deletion: those inside go on, nobody enters */
    struct {
        struct journey_choice *items; /* every word about its nodes, the last one last */
        uint32_t               count, room;
    } choices;
    uint32_t contests; /* nodes of the live version whose winner is still to be found */
};

/*
 * What a template or a snippet asks about its reader; the answer is frozen with the claim.
 *
 *     when vip: in segment "vip" and plan = "pro"        a line of its head    {% if when.vip %}
 *     {% if person.segments contains "vip" %}            in its Liquid         (no tree)
 *     {{ codes.spring.code }}                            the same, see codes.h (is_codes)
 */
struct template_block {
    struct str                 name;
    const struct segment_node *tree;     /* NULL: is the person in the segment of that name? */
    bool                       is_codes; /* no question: the message takes a code of that pool */
};

struct template_blocks {
    struct arena                *arena; /* NULL: it asks nothing */
    const struct template_block *items;
    uint32_t                     count;
};

struct template_def {
    uint32_t               version; /* 0: not defined */
    uint32_t               topic;   /* 0: none */
    bool                   transactional;
    bool                   is_again; /* sent again when its answer was lost */
    enum consent_channel   channel;
    bool                   has_snippets; /* what they ask is asked, too */
    struct template_blocks blocks;
    char                   language[TEMPLATE_LANGUAGE_BYTES_MAX + 1]; /* it says it is in */
    uint32_t               first_variant, next_variant; /* of one base: number + 1; 0: no more */
    bool                   is_linked;
};

struct snippet_def {
    struct str             name; /* in the blocks' arena */
    struct template_blocks blocks;
};

/* The leaves about one event; found when first asked for after a definition changed. */
struct leaves {
    struct segment_leaf *items;
    uint32_t             count;
    bool                 known;
    struct hearing       hearing;     /* the conditions, as an event is told to them */
    uint32_t             heard_round; /* the round that `hearing` is of; 0: none */
};

struct numbers {
    uint32_t *items;
    uint32_t  count, room;
};

/* What hears of one trait; found when first asked for after a segment changed. */
struct trait_hearing {
    struct heard_traits heard;
    uint32_t            round;
    struct numbers      others; /* segments to be asked whatever the value */
};

struct program {
    uint32_t            round;              /* one more with each change of a segment */
    uint32_t            contests;           /* of all journeys: see journey_def */
    const struct zones *zones;              /* borrowed; NULL: all is UTC */
    const struct zone  *zone;               /* the workspace's; NULL is UTC */
    uint32_t            zone_version;       /* the seq of the record that changed it last */
    struct dict        *names[NAME_KINDS];  /* by enum name_kind */
    uint32_t            stored[NAME_KINDS]; /* how many of each the store has */
    uint32_t            told_stored;        /* bit i: it has RUN_OWN_NAMES + i */
    uint16_t            told_older[RUN_DEEDS - RUN_OWN_NAMES]; /* the number such a name had in an
                                                                  older folder; 0: none */
    struct {
        struct segment_def *items;
        uint32_t            count, room;
    } segments;
    struct {
        struct computed_def *items;
        uint32_t             count, room;
    } computed;
    struct stages_def    stages;
    struct retention_def retention;
    struct topics_def    topics;
    struct limits_def    limits;
    struct arena        *rates_arena; /* NULL: there are none */
    struct rates         rates;
    struct papers        papers;
    struct house_words   house; /* of the workspace */
    struct brake_conf    sending;
    struct {
        struct journey_def *items;
        uint32_t            count, room;
    } journeys;
    struct {
        struct template_def *items;
        uint32_t             count, room;
    } templates;
    struct {
        struct snippet_def *items;
        uint32_t            count, room;
    } snippets; /* those that ask something */
    struct {
        struct codes_def *items; /* by number of NAME_CODES */
        uint32_t          count, room;
    } codes;
    struct {
        struct broadcast_def *items; /* by number of NAME_BROADCAST */
        uint32_t              count, room;
    } broadcasts;
    bool            is_loading; /* definitions that were taken once are taken again */
    char            language[TEMPLATE_LANGUAGE_BYTES_MAX + 1], currency[4]; /* the workspace's */
    struct numbers *segments_of_event;    /* by event number; DICT_NAMES_MAX + 1 of them */
    struct numbers  segments_of_anything; /* those that hear of every event not Dult's own */
    struct leaves  *leaves_of_event;
    struct dict    *leaves; /* texts of leaves: equal conditions have one number, for ever */
    struct numbers *segments_of_trait;
    struct trait_hearing *traits; /* by trait */
    struct numbers        open;   /* segments that someone of whom nothing is known may be in */
    uint32_t              open_round;
    struct numbers       *segments_of_segment; /* those that name it; by segment number */
    struct numbers       *segments_of_list;
    struct numbers       *journeys_of[TRIGGER_KINDS]; /* live ones, by the number of what begins
                                                         them: event, segment, list or journey */
};

MUST enum err program_open(struct program **out);
void          program_close(struct program *program);

/*
 * Takes one definition: `text` empty deletes it. Nothing is changed unless OK. ERR_INPUT,
 * ERR_ABSENT, ERR_LIMIT with a problem; ERR_CONFLICT when something else depends on what is
 * deleted, or segments would depend on each other in a circle. `number` gets the definition's.
 */
MUST enum err program_define(struct program *program, enum definition_kind kind, struct str name,
                             struct str text, uint32_t version, uint32_t *number,
                             struct problem *problem);

/* The same checks, and nothing kept. */
MUST enum err program_check(struct program *program, enum definition_kind kind, struct str name,
                            struct str text, struct problem *problem);

/* The computed trait of that name, or NULL; its tree, as segment_names wants it. */
const struct computed_def *program_computed(const struct program *program, struct str name);
const struct segment_node *program_computed_tree(const void *program, struct str name);

/*
 * A line of a score is a segment of the name "score NAME: LINE". Is that one, of the score (empty:
 * of any)? It may be gone. program_line_names: the two names in it.
 */
bool program_is_line(const struct program *program, uint32_t segment, struct str score);
void program_line_names(struct str segment, struct str *score, struct str *line);

/* How many segments and live journeys name the trait, and the first of each. */
struct computed_users {
    uint32_t   segments, journeys;
    struct str segment, journey;
};
void program_computed_users(const struct program *program, struct str name,
                            struct computed_users *out);
/* Is the segment, which may be gone, a stage's own? program_stage_of: the stage's name. */
bool       program_is_stage(const struct program *program, uint32_t segment);
struct str program_stage_of(const struct program *program, uint32_t segment);
/* Traits that say what was set by hand; a stranger may not tell them. */
#define STAGE_TRAIT STR("$stage")
#define STAGE_TRAIT_UNTIL STR("$stage_until")
#define STAGE_TRAIT_BY STR("$stage_by")
#define STAGE_TRAIT_WHY STR("$stage_why")
/* Traits that say how it changed last: stage_changing.c. */
#define STAGE_CHANGED STR("Stage Changed")
#define STAGE_TRAIT_FROM STR("$stage_from")
#define STAGE_TRAIT_TO STR("$stage_to")
#define STAGE_TRAIT_CAUSE STR("$stage_cause")
#define STAGE_TRAIT_EVENT STR("$stage_event")
/* The rule of a document's stage as it is asked: with what was set by hand. The document was
 * checked.
 */
void program_stage_rule_write(const struct json *document, uint32_t stage, struct buf *out);
/* Does it depend on the computed trait, by its name or by a stage? An empty name: on the stages. */
bool program_asks(const struct program *program, const struct segment_node *tree, struct str trait);
bool program_segment_asks(const struct program *program, uint32_t segment, struct str trait);
/* Was the segment, or anything that its truth depends on, defined after record `seq`? Segments that
 * it names are asked about themselves. */
bool program_segment_is_newer(const struct program *program, uint32_t segment, uint64_t seq);
bool program_journey_asks(const struct program *program, const struct journey_version *version,
                          struct str trait);

/* From when on events are kept at that instant, by what is defined, or by a draft. *out is for
 * retention_done. ERR_INPUT with a problem, ERR_MEMORY. */
MUST enum err program_retention_at(const struct program *program, int64_t now_ms,
                                   struct retention *out);
MUST enum err program_retention_of(const struct program *program, struct str text, int64_t now_ms,
                                   struct retention *out, struct problem *problem);

/* Numbers of names. SEGMENT_NO_ID when there is none. */
uint32_t program_segment(const struct program *program, struct str name);
uint32_t program_journey(const struct program *program, struct str name);
uint32_t program_template(const struct program *program, struct str name);
/* The template with that number, one that is not defined (version 0) when there is none. */
const struct template_def *program_template_at(const struct program *program, uint32_t number);
/* Likewise of pools of codes; one that is not defined has version 0. */
uint32_t                program_codes(const struct program *program, struct str name);
const struct codes_def *program_codes_at(const struct program *program, uint32_t number);
/* Likewise of broadcasts; one that is not defined has no arena. */
uint32_t                    program_broadcast(const struct program *program, struct str name);
const struct broadcast_def *program_broadcast_at(const struct program *program, uint32_t number);
uint32_t                    program_list(const struct program *program, struct str name);
uint32_t                    program_topic(const struct program *program, struct str name);
struct str program_name(const struct program *program, enum name_kind kind, uint32_t number);
/* An event's number that an older folder had for what is Dult's own now; nothing has it any more.
 */
bool program_name_is_older(const struct program *program, uint32_t number);

/* The number of a list or topic, made if new. Number 0 of topics is "every topic". */
MUST enum err program_intern(struct program *program, enum name_kind kind, struct str name,
                             uint32_t *number);

const struct journey_version *program_journey_version(const struct program *program,
                                                      uint32_t journey, uint32_t version);
/* Does it let people in, and move them? Words are "running", "paused", "stopped". */
/* The last word about the experiment at that node by then (TIME_NEVER: by now); NULL: none. */
const struct journey_choice *program_journey_choice(const struct program *program, uint32_t journey,
                                                    const struct node *node, int64_t at_ms);
enum journey_state           program_journey_state(const struct program *program, uint32_t journey);
const char                  *journey_state_word(enum journey_state state);
const struct journey_version *program_journey_live(const struct program *program, uint32_t journey);

/* What conditions are compiled with. `grow`: names not yet seen are given numbers. */
struct segment_names program_names(struct program *program, bool grow);
/* The same for a program that is asked beside the engine: it holds all it needs. */
struct segment_names program_names_in_place(struct program *program);

/* The leaves of live segments about the event. ERR_MEMORY. */
MUST enum err program_leaves(struct program *program, uint16_t event, const struct leaves **out);

/* What hears of the event. ERR_MEMORY. */
MUST enum err program_hearing(struct program *program, uint16_t event, const struct hearing **out);

struct heard_places program_places(void); /* the traits' numbers that are about places */
MUST enum err       program_trait_hearing(struct program *program, uint16_t trait,
                                          const struct trait_hearing **out);
/* Those that one must be asked of whom nothing is known. ERR_MEMORY. */
MUST enum err program_open_segments(struct program *program, const struct facts *nothing,
                                    const struct numbers **out);

/* Appends the names that the store does not have yet to out->names. ERR_MEMORY. */
MUST enum err program_names_out(struct program *program, struct out *out);
/* Takes a name back from the store, in order. ERR_CORRUPT when the numbers disagree. */
MUST enum err program_name_load(struct program *program, enum name_kind kind, uint32_t id,
                                struct str text);

#endif
