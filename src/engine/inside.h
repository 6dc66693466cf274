/*
 * inside: what the engine's own files share. Nobody outside src/engine/ includes this.
 *
 * A step is one person at one instant under one record: everything that follows from the record
 * is decided in it, one consequence after the other.
 */
#ifndef DULT_ENGINE_INSIDE_H
#define DULT_ENGINE_INSIDE_H

#include "engine/brake.h"
#include "engine/engine.h"
#include "engine/journey/contest.h"
#include "engine/known.h"
#include "engine/lane.h"

enum { RUNS_MAX = RING_PROFILES_MAX * TIMELINE_RUNS_MAX };
_Static_assert((int)RUNS_MAX <= (int)FACTS_RUNS_MAX, "a person's runs fit a condition's cursors");
_Static_assert(PROGRAM_SEGMENTS_MAX <= 1 << 14, "a membership keeps a segment in 14 bits");

enum { AHEAD = PEOPLE_AHEAD_STEPS }; /* one step a record */

_Static_assert((int)AHEAD < (int)ENGINE_AHEAD, "all steps are done before the record comes");

/* A changed segment to be applied to everyone, in order of profile; or a changed journey. */
struct job {
    uint32_t segment, version, cursor;
    bool     fire;     /* who enters by it sets off journeys: asked for with the change */
    bool     moves;    /* `segment` is a journey's number: those inside go on by `version` of it */
    bool     fills;    /* with moves: they get what is new before where they stand */
    bool     launches; /* likewise: who is in what begins it comes in by `version` */
    bool     stops;    /* likewise: it is left by everybody */
    int64_t  since_ms; /* launches: when it was published */
};

struct broadcast_run; /* broadcasting.h */

/* A message that was being sent when a merge was undone: with whom it stayed. */
struct stray {
    uint64_t message;
    uint32_t person;
};

/* retain.c: what is kept no longer. */
struct retaining {
    struct retention in_force, coming;
    bool             is_coming; /* announced */
    bool             is_merged; /* the timeline is without what is coming takes away */
    bool             is_unsure; /* a base may be without it that nobody was asked about */
    bool             is_asking;
    uint64_t         seq, coming_seq, base_seq;
    struct outlived  merged, asked; /* asked: those still to be asked */
    uint32_t         cursor;
    struct numbers   segments;
    int64_t          seen_day; /* nothing was to be done */
    uint32_t         seen_version;
    uint64_t         older, removed, entered, left;
};

struct engine {
    struct engine_conf   conf;
    struct facts_ops     ops; /* known_ops, with the segments of here and now */
    struct people       *people;
    struct timeline     *timeline;
    struct calendar     *wakes;
    struct calendar     *outbox[LANES]; /* (due, person) of each queued message */
    struct program      *program;
    int64_t              now_ms;
    uint64_t             seq;    /* the last number given: of a record, or of what a node told */
    uint64_t             number; /* of the record under way, see wakes_before */
    uint64_t             next_decision;
    struct suppressions *suppressions;
    struct brake         brake; /* all that is not of a stopped domain */
    struct brake_domains brake_domains;
    struct {
        struct codes_pool *items; /* by number of NAME_CODES */
        uint32_t           count, room;
    } pools;
    struct buf bag, detail; /* scratch */
    struct {
        struct job *items;
        uint32_t    count, room;
    } jobs;
    struct {
        struct broadcast_run *items; /* by number of NAME_BROADCAST */
        uint32_t              count, room;
    } broadcasts;
    struct {
        struct stray *items; /* parting.c */
        uint32_t      count, room;
    } strays;
    struct contest      contest;
    uint32_t            broadcasts_open;  /* launched and not finished */
    bool                broadcasts_moved; /* since they were last kept */
    struct checkpoint  *checkpoint;       /* NULL while none is under way */
    uint32_t            round;            /* of the last checkpoint begun */
    uint64_t            loaded_seq;       /* of the checkpoint that was loaded; 0 for none */
    int64_t             loaded_ms;        /* when the process before ended */
    int64_t             behind_ms; /* what was due then, from here on, may be unlived; 0: nothing */
    bool                zones_moved;  /* its answers are of other rules of time zones */
    bool                rules_moved;  /* and of an earlier program, see ENGINE_RULES */
    struct people_ahead ahead[AHEAD]; /* the people of the records to come, in turn */
    uint32_t            ahead_next;
    struct hear_sums   *sums;       /* see segment_hear.h; NULL until first wanted */
    uint64_t            sums_round; /* of the conditions and base that they are of */
    struct retaining    retaining;
    struct numbers      turned; /* scratch: segments that an event may turn */
    struct heard_until *sooner; /* scratch: those it may turn by then */
    uint32_t            sooner_room;
    uint32_t            own_added;  /* bits of own.h's events that nobody was asked about yet */
    uint64_t            own_count;  /* of them in all */
    uint64_t            moved;      /* how often anyone's state was changed */
    uint32_t            stands_for; /* rehearse/: the number in life of whoever lives here now */
    uint32_t            deals_for; /* likewise: by which shares are dealt, and 1; 0: this is life */
    bool                is_brief; /* rehearse/: nobody stores what is decided: without its detail */
    uint64_t            queued, sending, parked, memberships_changed, enrolled;
};

enum consequence_kind {
    CONSEQUENCE_EVENT,
    CONSEQUENCE_ENTERED,
    CONSEQUENCE_CHANGED, /* a segment was left */
    CONSEQUENCE_JOINED,
    CONSEQUENCE_DEPARTED,
    CONSEQUENCE_FINISHED, /* a journey */
    CONSEQUENCE_LEFT,     /* a journey before its end */
    CONSEQUENCE_STARTED,  /* a journey, by a node of another */
    CONSEQUENCE_CROSSED,  /* a line of a score, which is a segment */
    CONSEQUENCE_CLOCK,    /* an instant of what journeys begin by: its segment's number */
    CONSEQUENCE_TOLD,     /* its event: a node of a journey told it */
};

struct consequence {
    enum consequence_kind kind;
    uint32_t              number; /* event, segment, list or journey */
    struct timeline_event event;  /* because of it; its seq is 0 for none */
};

enum { KNOWN_TRAITS = 8 };

/* What was looked up of these very facts: several segments ask the same. */
struct known_memo {
    bool               has_zone;
    const struct zone *zone;
    int64_t            zone_until_ms;
    struct {
        uint16_t           key; /* DICT_NONE: free */
        bool               found;
        struct facts_trait trait;
    } traits[KNOWN_TRAITS];
};

/* One person's facts with what they stand on; never copied, for it points into itself. */
struct known {
    struct facts         facts;
    const struct engine *engine;
    struct known_memo   *memo; /* its own */
    struct known_memo    memo_kept;
    struct run           runs[RUNS_MAX];
};

#define STEP_MOVED UINT64_MAX

struct step {
    struct engine        *engine;
    struct out           *out;
    uint32_t              person; /* root */
    int64_t               at_ms;
    int64_t               behind_ms; /* after a start: from here on instants may be unlived */
    bool                  quiet;     /* nothing fires */
    bool                  machine;   /* too many events: kept, not evaluated */
    bool                  in_order;  /* nothing before at_ms is news: what turns, turns at at_ms */
    bool                  gives;     /* a step that they are past already is given: filling.h */
    bool                  later;     /* a wait_until has ended in it: whoever comes in waits on */
    bool                  hears;     /* the triggering event is told to who waits for one */
    uint64_t              moved; /* as the engine's when it began; STEP_MOVED: do not rely on it */
    uint32_t              event_seq; /* the triggering event; 0 for none */
    struct run            event_run; /* that event alone */
    int64_t               event_at;
    struct timeline_event event; /* what they say */
    struct consequence    queue[CONSEQUENCES_MAX];
    uint32_t              queue_count, queue_done;
    uint64_t              let_in; /* the decision about who was let in last, or turned away */
    bool                  parked;
    bool                  has_told;  /* a node told something: several events wait to be heard */
    bool                  is_lost;   /* what was told found no place: all is asked, quietly */
    uint64_t              own_heard; /* of the engine's own_count: what `known` has */
    struct known          known;
};

/* membership.c: what is known of the person by now, at a moment; good until the next event. */
void known_make(struct known *known, const struct engine *engine, uint32_t person, int64_t at_ms);

struct facts_ops known_ops_live(void);

/* event.c: one record, and what follows from it. */
/* Everything that follows from an event which is on the timeline. */
MUST enum err event_follow(struct engine *engine, const struct record *record, struct out *out,
                           const struct timeline_event *event, bool added, bool fresh);
/* Old news starts nothing. */
bool          record_is_old(const struct engine *engine, const struct record *record);
MUST enum err apply_event(struct engine *engine, const struct record *record, struct out *out);
MUST enum err apply_message(struct engine *engine, const struct record *record, struct out *out);
MUST enum err apply_outcome(struct engine *engine, const struct record *record, struct out *out);
/* Properties as a bag in the engine's scratch. */
MUST enum err bag_make(struct engine *engine, enum name_kind keys, const struct json *object,
                       struct str *out);
/* Puts one event on the timeline. *event gets its number and place; empty traits are not kept. */
MUST enum err event_put(struct engine *engine, enum record_kind kind, struct timeline_event *event,
                        struct str name, const struct json *properties, bool *added);
MUST enum err event_keep(struct engine *engine, const struct timeline_event *event);
/* What follows from an event that a node told. */
MUST enum err told_follow(struct step *step, const struct timeline_event *event);

/* context.c: decides what the network shows of the profile, where it is news. */
MUST enum err context_tell(struct engine *engine, const struct record *record, struct out *out,
                           uint32_t profile);

/* consent.c: one record, and what follows from it. */
MUST enum err apply_consent(struct engine *engine, const struct record *record, struct out *out);
MUST enum err apply_list(struct engine *engine, const struct record *record, struct out *out);
/* A word of consent is decided, and what follows from it. */
MUST enum err consent_say(struct step *step, struct decision said);
/* How it stands by the last word about this very topic and channel. */
enum consent_state consent_state_of(const struct engine *engine, uint32_t person, uint32_t topic,
                                    enum consent_channel channel);
/* Joins the list, or leaves it, as of that instant; where that is news. */
MUST enum err list_say(struct step *step, uint32_t list, bool leave, int64_t at_ms);

/* consent.c: a word that was decided elsewhere, as it stands; `said` is the decision. */
MUST enum err consent_hear(struct engine *engine, struct out *out, const struct decision *said);

/* consent.c: somebody joins or leaves a list. `fresh`: nothing was known of them before. */
MUST enum err list_hear(struct engine *engine, struct out *out, const struct record *record,
                        uint32_t profile, bool fresh);

/* consent.c: a browser's Global Privacy Control refuses sale and sharing, once. */
MUST enum err consent_gpc(struct step *step, const struct record *record);

/* confirm.c: is a yes that came this way only asked to be confirmed? */
bool confirm_is_due(const struct engine *engine, uint32_t person, uint32_t topic,
                    enum consent_channel channel, enum consent_source source);
/* Is the message such a mail? It is nobody's receipt. */
bool confirm_is_mail(const struct program *program, const struct message *message);
/* The mail that asks, unless enough of them were sent. */
MUST enum err confirm_ask(struct step *step, uint32_t topic, enum consent_channel channel);
/* Why a message may not go to the person for want of consent, or the empty text. */
struct str consent_why_not(const struct engine *engine, uint32_t person,
                           const struct message *message, enum consent_channel channel);

/* braking.c: counts what was sent and what came back; a limit passed stops sending. */
MUST enum err braking_hear(struct engine *engine, const struct record *record, struct out *out);
/* Is sending stopped for this message? */
bool braking_holds(const struct engine *engine, const struct message *message);
/* A message that came back because its domain is stopped waits, without a timer, while it is.
 * Before that is known its message has to be made, so it is claimed once more. */
bool braking_keeps(struct engine *engine, uint32_t person, const struct record_outcome *outcome);
/* Says in `out` what is to wait, and how sending is now. */
void          braking_hold(const struct engine *engine, struct out *out);
MUST enum err braking_release(struct engine *engine);

/* suppress.c: keeps the entry and tells the store. */
MUST enum err suppress(struct engine *engine, struct out *out, struct suppression entry);
/* A bounce or complaint, already on the person's timeline, may put its recipient on the list. */
MUST enum err suppress_heard(struct engine *engine, const struct record *record, uint32_t person,
                             struct out *out);
MUST enum err apply_suppression(struct engine *engine, const struct record *record, struct out *out,
                                struct problem *problem);
/* Nothing is left of the address of somebody who is erased. */
/* Nothing is left of the person's addresses. */
MUST enum err suppress_erase_person(struct engine *engine, struct out *out, uint32_t person);

/* define.c: one record; who is to be asked because of it is asked by jobs. */
MUST enum err apply_definition(struct engine *engine, const struct record *record,
                               struct problem *problem);
MUST enum err jobs_run(struct engine *engine, struct out *out);
/* Does it stand still with its journey? */
bool job_waits(const struct engine *engine, const struct job *job);
/* Is there one that may go on now? */
bool jobs_are_due(const struct engine *engine);
/* After a load: segments that changed since the checkpoint are asked of everyone. */
MUST enum err changed_ask(struct engine *engine);

/* own.c: puts what was decided on the timeline, where the loaded base does not have it yet. */
MUST enum err own_add(struct engine *engine, const struct decision *decision);
/* Lists and consent of a person anew from the timeline, whose last word counts. */
MUST enum err own_state(struct engine *engine, uint32_t person);
/* Was something else said later about the same (as known by now)? Then the decision, a word about a
 * list or of consent, is on the timeline and changes no state. */
bool          own_is_outdone(const struct engine *engine, const struct decision *decision);
MUST enum err own_refuse(struct state *state, struct consent refusal);
/* What the state refuses and the timeline does not is decided, so that both say the same. */
MUST enum err own_refusals_tell(struct engine *engine, struct out *out, uint32_t person,
                                struct str why);
/* Enrollments stay with `person` when a merge is undone: both timelines are told so. */
MUST enum err own_journeys_tell(struct engine *engine, struct out *out, uint32_t person,
                                uint32_t released);

/* decide.c: keeps the decision and lets it take effect. */
MUST enum err decide(struct engine *engine, struct out *out, struct decision decision);

/* decision_apply.c: the same live and on load. */
MUST enum err decision_apply(struct engine *engine, const struct decision *decision);

/* decision_text.c: the decision's detail as JSON, and what a stored one says. */
void decision_write(const struct engine *engine, const struct decision *d, struct buf *out);
MUST enum err decision_read(struct engine *engine, struct json_parser *parser,
                            struct arena *scratch, struct decision *decision);

/* who.c: whose record is it? Creates and merges as the rules say. */
struct who {
    uint32_t profile; /* the one it arrived under */
    bool     fresh;   /* the person is new or was merged: every segment is to be asked */
    uint32_t also;    /* another profile made on the way, to be asked everything; PROFILE_NONE */
};
MUST enum err who_resolve(struct engine *engine, const struct record *record, struct out *out,
                          struct who *who);
/* The person of an identity as it stands, made when there is none. */
MUST enum err who_of(struct engine *engine, const struct record *record, struct out *out,
                     enum identity_kind kind, struct str text, struct who *who);
MUST enum err who_alias(struct engine *engine, const struct record *record, struct out *out,
                        struct who *who);

/* step.c */
/* So many events that they are kept, and not evaluated. */
bool          step_is_machine(const struct facts *facts);
MUST enum err step_begin(struct step *step, struct engine *engine, struct out *out, uint32_t person,
                         int64_t at_ms, bool quiet);
/* What follows is because of this event. */
void step_because(struct step *step, const struct timeline_event *event);
/* The person's facts; read anew when an event of ours came since. */
struct facts *step_facts(struct step *step);
void          step_queue(struct step *step, enum consequence_kind kind, uint32_t number);
/* The same, because of another event. */
void          step_queue_of(struct step *step, struct consequence what);
MUST enum err wake_at(struct engine *engine, uint32_t person, int64_t wake_ms);
MUST enum err person_ask_all(struct engine *engine, struct out *out, uint32_t person, bool quiet);
MUST enum err step_run(struct step *step); /* all consequences, then the wake-up */
MUST enum err wake_set(struct engine *engine, uint32_t person);
/* A node that tells an event takes a number of its own: the record under way then has the next
 * (engine->number), so that whatever comes to a timeline has a greater one than what was there. */
MUST enum err wakes_before(struct engine *engine, struct out *out, uint32_t person,
                           int64_t until_ms);

/* membership.c */
MUST enum err membership_ask(struct step *step, uint32_t segment);
MUST enum err membership_ask_all(struct step *step);
MUST enum err membership_ask_due(struct step *step);
/* The answer stands until then at most. */
MUST enum err membership_by(struct step *step, uint32_t segment, int64_t until_ms);
/* The person's as it stands. */
struct membership membership_of(const struct step *step, uint32_t segment);

/* hear.c: asks the segments that the event, already on the timeline, may have turned. */
MUST enum err hear(struct step *step, const struct timeline_event *event);
/* An identify: those that ask what it changed. */
MUST enum err hear_traits(struct step *step, const struct timeline_event *event);
/* Someone who is new, or merged: every segment. `event`: what was put on the timeline, or NULL. */
MUST enum err hear_of_new(struct step *step, const struct timeline_event *event);
/* The person has an event that `hear` was not told of, or no longer one that it was. */
void hear_forget(struct engine *engine, uint32_t person);

/* journey/walk.c */
MUST enum err journeys_trigger(struct step *step, struct consequence what);
/* When the wait ends for who begins it at from_ms, and came in at entered_ms; TIME_NEVER: the date
 * is not known. Until *look_ms the date and the zone are what they are. */
int64_t waiting_end_ms(struct step *step, const struct until *until, int64_t entered_ms,
                       int64_t from_ms, bool later, int64_t *look_ms);
/* journey/launch.c: a journey comes to one person of those already inside what begins it. */
MUST enum err launch_ask(struct engine *engine, struct out *out, uint32_t person, struct job job);
/* journey/standstill.c: when the wait is over, by whether its journey stands still. */
int64_t enrollment_due_ms(const struct program *program, const struct enrollment *e);
/* Its state was told: who waits is looked at again; or a stopped one is left by the person. */
MUST enum err standstill_defined(struct engine *engine, uint32_t journey);
MUST enum err standstill_ask(struct engine *engine, struct out *out, uint32_t person,
                             uint32_t journey);
/* journey/clock.c: of a segment with a clock. is_due: the time has come at which it was to be
 * looked at, and where that is an instant of the clock its journeys begin. *until_ms: when next. */
MUST enum err clock_ask(struct step *step, uint32_t segment, const struct clock *clock,
                        int64_t was_ms, bool is_due, int64_t *until_ms);
/* What comes next for the person; TIME_NEVER: nothing does. */
int64_t clock_next_ms(struct step *step, const struct clock *clock);
/* Ends it for that reason, and takes back what it queued. */
MUST enum err journey_leave(struct step *step, uint64_t enrollment, struct str reason);
/* Whatever begins the journey: it goes by reentry, holdout and key alone. `cause` is told; empty:
 * what happened says it. Nothing where the journey is not live. */
MUST enum err journey_let_in(struct step *step, uint32_t number, struct str cause);
/* Why those inside a journey are looked at again: their exits, and what they wait for. */
enum look_reason { LOOK_ALL, LOOK_DUE, LOOK_EVENT, LOOK_SEGMENT, LOOK_LIST };
MUST enum err journeys_look(struct step *step, enum look_reason reason, uint32_t number);
/* That one alone, as if it were due. */
MUST enum err journeys_look_one(struct step *step, uint64_t enrollment);
/* Its goal and its exit alone, before anything is given: look_one asks them, too. */
MUST enum err journeys_end_one(struct step *step, uint64_t enrollment);
MUST enum err journeys_due(struct step *step);
/* From where the enrollment stands to the node after it. */
MUST enum err journeys_go_on(struct step *step, uint64_t enrollment);
MUST enum err enrollment_end(struct step *step, uint32_t i, struct str reason);

/* What the files of journey/ share. */
struct enrollment            *journey_enrollment(const struct step *step, uint64_t id);
const struct journey_version *journey_version_of(const struct step       *step,
                                                 const struct enrollment *e);
struct verdict                journey_ask(struct step *step, const struct condition *condition,
                                          const struct enrollment *e);
/* Is the condition true of the triggering event alone? `key` is the enrollment's, or 0. */
bool journey_event_fits(struct step *step, const struct condition *where, uint32_t key);
/* A scanner or a prefetcher opened or clicked; the person may not even have seen the mail. */
bool journey_is_by_machine(struct step *step);
/* Arrives at the node and goes on until the journey waits or ends. `later`: from a wait_until, so
 * that the next one takes time. */
MUST enum err journey_walk(struct step *step, uint64_t id, uint16_t at, bool later);
/* False: the audience is asked at each step, and they are no longer in it. */
bool journey_keeps(const struct journey *journey, const struct facts *facts);
/* Does what the node does, without standing there: they are past it. Who is no longer in the
 * audience leaves instead. */
MUST enum err journey_give(struct step *step, const struct enrollment *e, uint16_t node);
MUST enum err journey_step_tell(struct step *step, const struct enrollment *e, uint16_t node,
                                int64_t due_ms, struct str took);
/* Does an answer that the condition gives rest on what has changed? */
bool journey_asks(const struct segment_program *program, enum look_reason reason, uint32_t number);

/* journey/goal.c: who is held out, and who has reached what the journey is for. */
bool goal_holds_out(const struct step *step, const struct journey *journey);
/* Until when the goal of one who came in then is waited for; 0: the journey has none. */
int64_t goal_until_ms(const struct journey *journey, int64_t entered_ms);
/* Before an entry: of those watched too many the oldest but the first gives way. */
MUST enum err goal_make_room(struct step *step, uint32_t journey);
/* Is the goal to be asked again for this reason, or at this time? */
bool goal_asks(const struct step *step, const struct journey *journey, const struct enrollment *e,
               enum look_reason reason, uint32_t number);
/* Asks it. *gone: the enrollment has no place any more. */
MUST enum err goal_look(struct step *step, uint32_t i, bool *gone);
/* The time of one who is outside is over. */
MUST enum err goal_missed(struct step *step, uint32_t i, struct str reason);
/* Whose shares are dealt by that name: see deal_who. */
struct str deal_person(const struct engine *engine, uint32_t person, char bytes[16]);
/* Of JOURNEY_SHARES: which share of a split, or of an experiment, the person has. */
uint32_t journey_chance(struct step *step, const struct journey *journey, const struct node *node);
/* telling.c: traits or an event, with a record of its own: on the timeline at once, so that what is
 * asked next knows it; what follows from it waits until the journey does. `body`: as it is stored.
 */
MUST enum err step_tell(struct step *step, bool is_traits, struct str name,
                        const struct json *values, struct str body);
/* score_crossing.c: "Score Crossed", of the line that the segment is. */
MUST enum err score_crossed(struct step *step, uint32_t segment);
/* stage_changing.c: "Stage Changed", where coming or going of the segment, a stage's own, is one.
 */
MUST enum err stage_changed(struct step *step, uint32_t segment);
/* journey/change.c: does what the node says that changes something, and where it goes on. */
MUST enum err change_arrive(struct step *step, const struct journey *journey,
                            const struct enrollment *e, uint16_t *at);

/* journey/moving.c: those of the person who are inside by an earlier version go on by this one,
 * where they stand at a node that it has. */
MUST enum err moving_ask(struct engine *engine, struct out *out, uint32_t person, struct job job);

/* journey/waiting.c: arrives at a wait_until (wait_for). *at: where it goes on at once;
 * JOURNEY_STAYS where it waits. */
enum { JOURNEY_STAYS = JOURNEY_END - 1 };
MUST enum err waiting_begin(struct step *step, const struct enrollment *e, bool later,
                            uint16_t *at);
/* Its time has come. */
MUST enum err waiting_due(struct step *step, const struct enrollment *e);

/* event.c: is it older than what is kept? An empty name: "other". */
bool event_is_older(const struct engine *engine, enum record_kind kind, struct str name,
                    int64_t at_ms);

/* retain.c: RECORD_RETAIN and RECORD_RETAINED; see retain.h. */
MUST enum err retain_apply(struct engine *engine);
MUST enum err retained_apply(struct engine *engine);
/* Is anything kept for less than ever? Most workspaces say no. */
bool retain_hides_any(const struct engine *engine);
/* Is an event of that name and time older than what is kept? */
bool retain_hides(const struct engine *engine, uint16_t name, int64_t at_ms);
/* Has the person lost events and not been asked since? Then retain_ask does it. */
bool          retain_concerns(const struct engine *engine, uint32_t root);
MUST enum err retain_ask(struct engine *engine, struct out *out, uint32_t root);
MUST enum err retain_go_on(struct engine *engine, struct out *out);
MUST enum err retain_loaded(struct engine *engine);
void          retaining_done(struct retaining *retaining);

/* parting.c: what waits of broadcasts goes with the profile that its key names, who has parted. */
MUST enum err parting_move(struct engine *engine, uint32_t from, uint32_t to);
/* The same of one that was answered, or came back to the person's queue, after they had parted. */
MUST enum err parting_settle(struct engine *engine, uint32_t person, uint64_t key);
/* Who has it then. */
uint32_t parting_holder(const struct engine *engine, uint32_t person, uint64_t key);
/* What is being sent stays with `person`, from whom another parted now. */
MUST enum err parting_stay(struct engine *engine, uint32_t person);
/* Who has the message that was claimed for the profile; PROFILE_NONE: nobody any more. */
uint32_t parting_bearer(const struct engine *engine, uint32_t profile, uint64_t message);
/* It is being sent no more. */
void parting_ended(struct engine *engine, uint64_t message);
/* Is it the message of somebody who has parted and was erased since? */
bool parting_is_nobodys(const struct engine *engine, const struct message *message);

/* outbox.c */
MUST enum err outbox_claim(struct engine *engine, struct out *out, const struct record *record);
MUST enum err outbox_outcome(struct engine *engine, const struct record *record, struct out *out);
/* The same claim for one person alone: all of theirs that are due, whatever their lane. */
MUST enum err outbox_claim_of(struct engine *engine, struct out *out, uint32_t person);
/* When the person's earliest queued message is due that waits for time alone; or TIME_NEVER. */
int64_t       outbox_due_of(const struct engine *engine, uint32_t person);
MUST enum err outbox_drop(struct engine *engine, struct out *out, uint32_t person, uint64_t message,
                          struct str reason);
/* What is claimed of the person's and not begun is asked back. */
MUST enum err outbox_recall(const struct engine *engine, struct out *out, uint32_t person);
/* Takes back what waits about the topic by the channel, and asks back what is claimed; topic 0 and
 * CHANNEL_ALL are every one. What is transactional stays, and what is not to the person. */
MUST enum err outbox_withdraw(struct step *step, uint32_t topic, enum consent_channel channel,
                              struct str reason);

/* The message is due, and nothing but its own rules keeps it. */
bool outbox_is_due(const struct engine *engine, const struct message *message);
/* Does neither consent, address nor suppression keep it from going now? */
bool outbox_would_go(struct engine *engine, uint32_t person, const struct message *message);
/* Which of them; empty: none. */
struct str outbox_why_not(struct engine *engine, uint32_t person, const struct message *message);

/* holding.c: what may go, and not yet. until_ms is now where it may; is_over: it has no time to
 * wait so long; is_behind: one of higher priority is to go first. `why` may lie in the bytes. */
#define HOLDING_WHY_QUIET STR("quiet hours by the person's clock")
struct hold {
    int64_t    until_ms;
    bool       is_over, is_behind;
    struct str why;
};
struct hold holding_look(struct engine *engine, uint32_t person, const struct message *message,
                         char bytes[LIMITS_WHY_BYTES_MAX]);
/* The end of the quiet hours in which a message by that template would come to the person now; now
 * where there are none. */
int64_t holding_quiet_until_ms(const struct engine *engine, uint32_t person, uint32_t template);

/* doubt.c: messages whose answer was lost. */
bool doubt_has(const struct engine *engine, uint32_t person, uint64_t message);
/* An event of ours about a message: what it shows about one in doubt is decided. */
MUST enum err doubt_hear(struct engine *engine, const struct record *record, struct out *out);
/* Is the message to be sent again, though it may have arrived? Its template says so. */
bool doubt_is_again(const struct engine *engine, const struct message *message);
/* One more is unknown: beyond the bound the oldest is not waited for any longer. */
void doubt_bound(struct state *state);

/* journey/enrolling.c: RECORD_ENROLL; see journey/enrolling.h. */
MUST enum err apply_enroll(struct engine *engine, const struct record *record, struct out *out,
                           struct problem *problem);
/* What follows from such an event that is on the timeline: the person is let into the journey, or
 * taken out of it. out->message: the last decision about that; 0: none. */
MUST enum err enrolling_follow(struct engine *engine, struct out *out,
                               const struct timeline_event *event, uint32_t journey, bool leaves);

/* send.c: RECORD_SEND; see send.h. */
MUST enum err apply_send(struct engine *engine, const struct record *record, struct out *out,
                         struct problem *problem);
/* Where a message goes that a program asked for: as it was asked, else as reach_address has it. Why
 * it can not, or the empty text. */
struct str send_address(const struct engine *engine, uint32_t person, const struct message *message,
                        enum consent_channel channel, char *bytes, struct str *address);

/* Drops the messages of an enrollment that wait. */
MUST enum err outbox_drop_of(struct engine *engine, struct out *out, uint32_t person,
                             uint64_t enrollment, struct str reason);

/* giving.c: the codes that the template takes. *waits: there are not enough, and the message, which
 * is about no claim, is looked at again when there may be. */
MUST enum err giving_claim(struct engine *engine, struct out *out, uint32_t person,
                           const struct message *message, const struct template_def *template,
                           bool                 *waits);
/* Appends "$codes": those given; without a message examples, and nothing is given. */
void giving_write(const struct engine *engine, uint32_t person, const struct message *message,
                  const struct template_blocks *blocks, struct buf *out, bool *first);
/* Who waits is looked at: as many as there are codes for, or all. */
MUST enum err giving_release(struct engine *engine, bool is_all);
/* The same once all those are through: some of them wanted none any more. */
MUST enum err giving_go_on(struct engine *engine);
MUST enum err code_apply(struct state *state, const struct decision *d);
/* Of what is no longer under way. */
void          codes_forget(const struct engine *engine, struct state *state);
void          pools_done(struct engine *engine);
MUST enum err apply_codes(struct engine *engine, const struct record *record,
                          struct problem *problem);

/* broadcasting.c: RECORD_BROADCAST; a part of each job whose turn it is; see broadcast.h. */
MUST enum err apply_broadcast(struct engine *engine, const struct record *record,
                              struct problem *problem);
MUST enum err broadcasts_run(struct engine *engine, struct out *out);
int64_t       broadcasts_next_ms(const struct engine *engine);
void          broadcasting_done(struct engine *engine);

/* broadcast_noting.c: what became of a message; of others than a broadcast's nothing is noted. */
MUST enum err broadcast_note(struct engine *engine, uint64_t enrollment, const struct decision *d);
MUST enum err broadcast_note_erased(struct engine *engine, const struct message *message);
/* Is its broadcast paused, or cancelled? */
bool broadcast_holds(const struct engine *engine, const struct message *message);
/* Why its template, which was changed since, is none for a broadcast any more, or the empty text.
 */
struct str broadcast_unfit(const struct message *message, const struct template_def *template);
/* Why it may not go for what its broadcast sent already, or the empty text. */
struct str broadcast_why_not(const struct engine *engine, const struct message *message,
                             struct str address);
/* How long before it is looked at again, for another with its address, or of its person, is being
 * sent and may yet not go; 0: it need not wait. */
int64_t broadcast_behind_ms(const struct engine *engine, const struct message *message,
                            struct str address);
/* broadcast_kept.c: after all that is stored. */
MUST enum err broadcasts_loaded(struct engine *engine);

/* giving.c: the person's time zone; NULL is UTC. */
const struct zone *person_zone(const struct engine *engine, uint32_t person);

/* outbox_lane.c */
MUST enum err outbox_lanes_open(struct engine *engine);
void          outbox_lanes_close(struct engine *engine);
uint32_t      outbox_lane(const struct engine *engine, const struct message *message);
/* The queued message waits from now on, in its lane until it is due. ERR_MEMORY. */
MUST enum err outbox_wait(struct engine *engine, uint32_t profile, const struct message *message);
/* Whose message of these lanes is due; receipts first. False: nobody's. */
bool outbox_take(struct engine *engine, uint32_t lanes, uint32_t *lane, struct timer *out);

/* checkpoint.c: called before a person's state changes. */
MUST enum err checkpoint_before(struct engine *engine, uint32_t profile);
/* The same before a profile is erased: of the row only what erasure.h leaves. */
MUST enum err checkpoint_before_erasure(struct engine *engine, uint32_t profile);

#endif
