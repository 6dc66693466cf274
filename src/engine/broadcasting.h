/*
 * broadcasting: broadcasts under way, inside the engine. See broadcast.h for what they are.
 *
 * A run is what became of one broadcast: how far its job is, and its recipients. What happens to a
 * message under a broadcast's key is noted where decisions are applied, live and on load alike.
 */
#ifndef DULT_ENGINE_BROADCASTING_H
#define DULT_ENGINE_BROADCASTING_H

#include "engine/addresses.h"
#include "engine/broadcast.h"
#include "engine/inside.h"

/* A walk over all profiles up to `end`; none is under way where cursor == end. */
struct broadcast_round {
    uint32_t cursor, end;
};

struct broadcast_run {
    bool                   is_launched, is_paused, is_cancelled;
    int64_t                launched_ms, start_ms, finished_ms;
    struct broadcast_round looking;  /* who is of the audience; of a cancelled one: who waits */
    int64_t                round_ms; /* not before; TIME_NEVER: no round is left */
    int64_t                later_ms; /* LOCAL: when it is that time for the next of those passed */
    struct broadcast_round retrying; /* who failed */
    struct broadcast_test  test;
    uint32_t               retries;
    uint64_t               expected;
    int64_t                slot_us;  /* the throttle's next place */
    int64_t                ready_ms; /* not before: the throttle, or too many wait */
    struct recipients      recipients;
    uint32_t               pages_stored; /* as loaded */
    struct addresses       addresses;    /* of those claimed, to profiles; while it is under way */
    struct arena          *arena;        /* the audience as it is asked in this round */
    struct segment_program audience;
};

/* Why a message is dropped. */
#define BROADCAST_WHY_CANCELLED STR("the broadcast was cancelled")
#define BROADCAST_WHY_ADDRESS STR("another person with this address gets it")
#define BROADCAST_WHY_ERASED STR("the person was erased")
#define BROADCAST_WHY_PERSON STR("two became one person, and the other one's goes")

/* Of one number; NULL without memory. The pointer is good until the next call. */
struct broadcast_run       *broadcast_run_of(struct engine *engine, uint32_t number);
const struct broadcast_run *broadcast_run_get(const struct engine *engine, uint32_t number);
/* Is a round left? */
bool broadcast_is_looking(const struct broadcast_run *run);
bool broadcast_is_under_way(const struct broadcast_run *run);
/* When its job has something to do, or TIME_NEVER. */
int64_t broadcast_next_ms(const struct broadcast_run *run);
/* Can its audience still be asked? Not where a stage or a computed trait that it names is gone. */
bool broadcast_audience_stands(const struct engine *engine, const struct broadcast_def *def);
/* Is all final? Then it is finished now. */
void broadcast_settle(struct engine *engine, struct broadcast_run *run);

/* What the profile gets: the winner, once one is chosen; before, of an experiment the variant that
 * they are dealt. */
uint32_t broadcast_template_of(const struct engine *engine, const struct broadcast_def *def,
                               const struct broadcast_run *run, uint32_t profile);
/* LOCAL: when the person gets it, by what is known of them now. */
int64_t broadcast_due_ms(const struct engine *engine, const struct broadcast_def *def,
                         uint32_t person);
/* From here on the night is passed over for BROADCAST_NIGHTS_MS: the start, or the choice. */
int64_t broadcast_begun_ms(const struct broadcast_run *run);

/* ---- broadcast_winner.c ---- */

/* Is it one of those who get the variants first? */
bool broadcast_is_of_test(const struct engine *engine, const struct broadcast_def *def,
                          uint32_t person);
/* Is the experiment not decided, so that people are still to be looked at? */
bool broadcast_is_open(const struct broadcast_run *run);
/* The walk over everyone is at its end, of those who get the variants first: what next? False: it
 * is no test. */
bool broadcast_test_end(const struct engine *engine, const struct broadcast_def *def,
                        struct broadcast_run *run);
/* A part of the recipients counted, and at the end the winner found. */
MUST enum err broadcast_count(struct engine *engine, uint32_t number, struct broadcast_run *run);
void          broadcast_choose(const struct engine *engine, struct broadcast_run *run, uint32_t arm,
                               enum winner_how how);
/* What is asked of each recipient: did it reach them, and then? Also whether it can be asked. */
MUST enum err broadcast_winner_condition(struct arena *arena, const struct broadcast_def *def,
                                         uint32_t arm, bool is_success,
                                         const struct segment_node **out, struct problem *problem);

/* ---- broadcast_acts.c ---- */

/* The message under the broadcast's key, or NULL. */
const struct message *broadcast_message_of(const struct engine *engine, uint32_t number,
                                           uint32_t profile);

/* ---- broadcast_kept.c ---- */

/* Whose address is taken, made anew: everyone's whom it went to, or is going to, as it is now. */
MUST enum err broadcast_addresses_make(struct engine *engine, uint32_t number);
/* A number for an address, however it is written; 0: there is none. */
uint64_t broadcast_address_hash(const struct engine *engine, struct str address);
/* What a retry may send again, now or once it is settled. */
#define BROADCAST_RETRIED (RECIPIENT_BIT(RECIPIENT_FAILED) | RECIPIENT_BIT(RECIPIENT_UNKNOWN))
/* Might what has this key still be sent, now or by a retry? Also where it is not known yet, while
 * an engine is loaded. */
bool broadcast_may_go(const struct engine *engine, uint64_t key);
/* Which state is a reason that a message is dropped for? */
enum recipient_state recipient_of_reason(struct str reason);

#endif
