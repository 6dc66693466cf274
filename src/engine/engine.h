/*
 * engine: records in, decisions out.
 *
 *      record -> who is it? -> timers due before it -> timeline -> segments -> journeys -> out
 *
 * The engine is pure: it does no I/O, reads no clock, draws no random number, takes no lock. The
 * same records in the same order give the same decisions. One thread owns it; what it decides is
 * handed to the store in batches, and it is loaded again from what the store has.
 *
 * Always true   now never goes back; every decision was stored in `out` before the call returned;
 *               a profile's due timers are applied, each at its own time, before a record
 *               touches it.
 * Cost          bounded for each record: one person, and at most CONSEQUENCES_MAX steps; a merge
 *               touches two.
 * Errors        ERR_INPUT, ERR_ABSENT, ERR_CONFLICT, ERR_LIMIT: the record is refused. What was
 *               decided before the refusal (timers that were due, a new profile) stands in `out`
 *               and is to be stored. ERR_MEMORY: the engine may be half changed; close it and
 *               load another.
 */
#ifndef DULT_ENGINE_H
#define DULT_ENGINE_H

#include "base/zone.h"
#include "engine/behaviour/timeline.h"
#include "engine/calendar.h"
#include "engine/decision.h"
#include "engine/profile/people.h"
#include "engine/program.h"
#include "engine/reach.h"
#include "engine/record.h"
#include "engine/segment/segment_since.h"

enum {
    CONSEQUENCES_MAX = 64, /* for one person and record; beyond that the chain is parked */
    WAKES_MAX = 64,        /* due timers of one person applied before one record */
    CLAIMS_MAX = 1024,     /* of one claim record */
};

/*
 * What conditions mean, as a number: another one with each program that answers a condition
 * otherwise than the one before. 1: before `anything` left out what Dult itself says of somebody,
 * and before each stage was a segment.
 */
enum { ENGINE_RULES = 2 };

/* Live triggers fire only for what was learnt within this of when it happened. */
#define LATENESS_MS_DEFAULT TIME_DAY_MS

struct engine;

struct engine_conf {
    uint64_t            seed;          /* of the hash tables; decides nothing */
    uint64_t            next_decision; /* the first free decision id, at least 1 */
    int64_t             lateness_ms;
    const struct zones *zones; /* borrowed for the engine's life; NULL: all is UTC */
};

MUST enum err engine_open(struct engine **out, struct engine_conf conf);
void          engine_close(struct engine *engine);

/* Applies one record; record->seq is one more than engine_seq, or any larger number. What nodes of
 * journeys tell meanwhile takes numbers, too: out->told, out->seq. */
MUST enum err engine_apply(struct engine *engine, const struct record *record, struct out *out,
                           struct problem *problem);

/*
 * Gets ready for a record that will come after ENGINE_AHEAD more: the person's memory is asked for,
 * a step at each of the calls until then. Where they are known by then what is asked of them lies
 * in the cache.
 */
enum { ENGINE_AHEAD = 8 };
void engine_prefetch(struct engine *engine, const struct record *record);

/* When time alone has something to do: the earliest wake-up, or TIME_NEVER. */
int64_t engine_next_ms(const struct engine *engine);
/* When the earliest queued message of these lanes (lane.h) may be claimed, or TIME_NEVER. */
int64_t engine_outbox_next_ms(const struct engine *engine, uint32_t lanes);
int64_t engine_now_ms(const struct engine *engine);
/* The last number that a record, or what a node told, was given. */
uint64_t engine_seq(const struct engine *engine);

/* True while a changed segment is being applied to everyone; each CLOCK record does a part. */
bool engine_has_job(const struct engine *engine);
/* The first instant of which something may not be lived yet: not after the clock while much is due
 * at once. */
int64_t engine_behind_ms(const struct engine *engine);

/* Who is inside a journey, node by node, and who of them would go on by another text of it. */
enum { INSIDE_NODES_MAX = 256 }; /* those at further ones are in the sums alone */
struct inside_node {
    struct str id; /* the program's */
    uint64_t   people, moves;
};
struct inside_count {
    uint64_t           people, moves, older; /* older: by another version than the newest */
    uint64_t           filled;               /* who would get what is new: journey/filling.h */
    struct inside_node nodes[INSIDE_NODES_MAX];
    uint32_t           nodes_count;
    struct inside_node fills[INSIDE_NODES_MAX]; /* new ones, and how many would get each */
    uint32_t           fills_count;
};
struct journey;
/* Looks at `most` profiles from *cursor on, of whom a timeline is read for what is new at fewer;
 * true at the end. `to` NULL: nobody would move. */
bool engine_inside_count(const struct engine *engine, uint32_t journey, const struct journey *to,
                         uint32_t *cursor, uint32_t most, struct inside_count *out);

/* ---- loading: names, definitions and states first, then the rest in order ---- */
MUST enum err engine_load_name(struct engine *engine, enum name_kind kind, uint32_t id,
                               struct str text);
MUST enum err engine_load_definition(struct engine *engine, enum definition_kind kind,
                                     struct str name, struct str text, uint32_t version);
/* A stored event: its place on the timeline. `properties` as in the record; no name: "other". */
MUST enum err engine_load_event(struct engine *engine, enum record_kind kind, uint32_t profile,
                                uint32_t seq, int64_t at_ms, struct str name,
                                const struct json *properties);
/* A stored decision; what it says in numbers is read from its detail. ERR_CORRUPT. */
MUST enum err engine_load_decision(struct engine *engine, struct json_parser *parser,
                                   struct arena *scratch, struct decision *decision);
/*
 * A stored decision that the checkpoint has and the timeline's base has not: it is put on the
 * timeline and has no effect else.
 */
MUST enum err engine_load_told(struct engine *engine, struct json_parser *parser,
                               struct arena *scratch, struct decision *decision);
/* The checkpoint whose states are loaded: its round, and the record it is true at. */
void engine_load_round(struct engine *engine, uint32_t round, uint64_t seq);
/* The rules of time zones (zones_version) that its answers are of. Where they are others than ours
 * whoever is asked about days is asked anew, quietly. */
void engine_load_zones(struct engine *engine, struct str version);
/*
 * By what rules everyone was last asked everything: the folder's number, of ENGINE_RULES. Where it
 * is another, everyone is asked anew, quietly. Not said: by ours.
 */
void engine_load_rules(struct engine *engine, uint32_t rules);
/* A profile whose events came after the checkpoint: it is asked everything again, soon. */
void engine_load_touch(struct engine *engine, uint32_t profile);
/* What the store has of the list of suppressions, in any order. */
MUST enum err engine_load_suppression(struct engine *engine, const struct suppression *entry);
/* Before engine_load_end: what engine_behind_ms said last, for calendars to go on from there. */
void engine_load_behind(struct engine *engine, int64_t behind_ms);
/*
 * After all: the clock stands where it stood (now_ms is that of the last record), and everyone
 * touched by the tail is looked at then; what is due later keeps its own time.
 */
MUST enum err engine_load_end(struct engine *engine, uint64_t seq, int64_t now_ms);
/* Messages that were being sent when the process ended: at most `most`, returns how many. */
uint32_t engine_in_doubt(const struct engine *engine, struct claim *claims, uint32_t most);

/* ---- checkpoints: see checkpoint.h ---- */

/* ---- questions; they change nothing ---- */
const struct people *engine_people(const struct engine *engine);
struct program      *engine_program(struct engine *engine);
struct timeline     *engine_timeline(struct engine *engine);

/* What everyone did up to the last record, for readers beside the engine; see behaviour/view.h.
 * Made in a moment, but for the first and a few others (people_rings). NULL without memory. */
struct edition;
struct edition *engine_edition(struct engine *engine);

/* The profile of "ada" (a userId), "anonymous:7f3", "type:id" or "p12"; PROFILE_NONE. */
uint32_t engine_find(const struct engine *engine, struct str who);
/* "p13" for profile 12: people count from 1. */
struct str engine_public_id(char out[16], uint32_t profile);

/* A condition over one person at a moment, with what is known by now. */
struct verdict engine_ask(const struct engine *engine, const struct segment_program *program,
                          uint32_t person, int64_t at_ms);
void           engine_explain(const struct engine *engine, const struct segment_program *program,
                              const struct segment_node *tree, uint32_t person, int64_t at_ms,
                              struct buf *out);

/* In which stage somebody is, and what was said of it by hand; texts live until the engine's next
 * record. */
struct stage_answer {
    struct str           stage; /* empty: in none */
    struct segment_since since;
    struct str           hand, by, why; /* the last word of a hand; empty: there is none */
    int64_t              hand_ms, until_ms;
    bool                 is_in_force; /* of the hand's word: its time is not over */
};
void engine_stage(const struct engine *engine, uint32_t person, struct stage_answer *out);

/*
 * Since when the person is (or is not) in the live segment, with all that is known by now, whenever
 * it was learnt. *reads is what may be read for it still; SEGMENT_READS_MAX is plenty.
 */
struct segment_since engine_since(const struct engine *engine, uint32_t person, uint32_t segment,
                                  int64_t *reads);

/* Counts people (not profiles) from *cursor on, at most `most` profiles looked at; true at the end.
 */
struct count {
    uint64_t  people, matching;
    uint32_t *sample; /* the first matching, at most sample_room */
    uint32_t  sample_count, sample_room;
};
bool engine_count(const struct engine *engine, const struct segment_program *program, int64_t at_ms,
                  uint32_t *cursor, uint32_t most, struct count *count);

/* Where the person's mail goes, or nothing; lives until the next record. */
struct str engine_address(const struct engine *engine, uint32_t profile);
/* The same by another channel (reach.h); false: there is none. */
bool engine_reach(const struct engine *engine, uint32_t profile, enum consent_channel channel,
                  char bytes[REACH_BYTES_MAX], struct str *address);
/*
 * Who has that telephone number (E.164), of the people from number `from` on, `most` of them at a
 * time: their roots are appended to `people`. Where to go on; people_count: that was all.
 */
uint32_t engine_by_phone(const struct engine *engine, struct str number, uint32_t from,
                         uint32_t most, uint32_t *people, uint32_t room, uint32_t *count);
/* What is known of an address, however it is written; NULL: it was never suppressed. */
const struct suppression *engine_suppression(const struct engine *engine, struct str address);
uint32_t                  engine_suppressions(const struct engine *engine); /* how many are */

/*
 * The claim that a message would have if it went to the person now, for looking at it: nothing is
 * decided, and neither consent nor suppression is asked. `text`: a template that is not saved,
 * instead of the one with that number; empty: the saved one. *variant is JSON (tailor.h) or empty.
 * All lies in the arena. The address may be empty. ERR_INPUT, ERR_ABSENT of a text with a problem.
 */
struct claim_draft {
    uint32_t        person, template_id, journey, event_seq;
    struct str      text;
    struct problem *problem;
};
MUST enum err engine_claim_draft(struct engine *engine, const struct claim_draft *draft,
                                 struct arena *arena, struct claim *claim, struct str *variant);

/* The person's current traits as JSON; the records they came from, oldest first, at most `most`. */
void     engine_traits_write(const struct engine *engine, uint32_t person, struct buf *out);
uint32_t engine_trait_seqs(const struct engine *engine, uint32_t person, uint32_t *seqs,
                           uint32_t most);
/*
 * What the computed traits are now, as one JSON object of those that have a value and fit into
 * `bytes_max`; those derived of where the person lives (place.h), each {"value", "from"}.
 */
void engine_computed_write(const struct engine *engine, uint32_t person, size_t bytes_max,
                           struct buf *out);
void engine_derived_write(const struct engine *engine, uint32_t person, struct buf *out);
/*
 * What is known of the person's consent to a topic (0: all) by a channel, and why a message of that
 * topic that nobody asked for would not go that way; empty: it would.
 */
struct consent_answer {
    enum facts_consent_state state;
    int64_t                  since_ms; /* FACTS_SINCE_UNKNOWN */
    struct str               why_not;
};
struct consent_answer engine_consent(const struct engine *engine, uint32_t person, uint32_t topic,
                                     enum consent_channel channel);
/* The language that the person reads, told or derived; empty: not known. Lives until the next
 * event. */
struct str engine_language(const struct engine *engine, uint32_t person);
/* Was any of the first 10,000 people told a trait of that name? */
bool engine_trait_is_told(const struct engine *engine, struct str name);
/* The person's events from newest to oldest, `skip` of them left out: fills at most `most`. */
struct event_ref {
    uint32_t seq;
    uint32_t profile;
    int64_t  at_ms;
};
uint32_t engine_events(const struct engine *engine, uint32_t person, uint32_t skip,
                       struct event_ref *refs, uint32_t most);

/* What was sent and came back in the window that the brake looks at (brake.h). */
struct brake_counts engine_brake_counts(const struct engine *engine);
/* What came back of messages (bounced, opened, clicked ...) since record `seq`: the newest `most`.
 */
uint32_t engine_message_events(const struct engine *engine, uint32_t person, uint64_t seq,
                               uint64_t *seqs, uint32_t most);
/* The record of the person's last event of that name, as known by now; 0: there is none. */
uint32_t engine_last_event(const struct engine *engine, uint32_t person, uint16_t name);

/* When a message was sent, by the person's timeline: INT64_MIN, nobody knows; INT64_MAX, it is
 * being sent. */
int64_t engine_message_sent_ms(const struct engine *engine, uint32_t profile, uint64_t message);

struct engine_stats {
    uint64_t              profiles, events, decisions, timers, queued, sending, parked;
    uint64_t              memberships_changed, enrolled, jobs_left;
    struct timeline_sizes timeline;
};
struct engine_stats engine_stats(const struct engine *engine);

#endif
