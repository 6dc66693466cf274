/*
 * people: who is who.
 *
 * A profile is what arrived under one identity (a userId, an anonymousId). A person is a ring of
 * profiles that were merged; one of them is the root and carries the person's state. Events stay
 * with the profile they arrived under, so a merge moves nothing and its undo restores both
 * timelines, later events included.
 *
 *      identity "user ada"      identity "anonymous 7f3"
 *             |                        |
 *         profile 4  <--- ring --->  profile 9         root of both: 4
 *             |
 *           state: memberships, enrollments, messages, consents, lists, merges
 *
 * Always true   root(root(p)) == root(p); every profile of a ring has the same root; an identity
 *               belongs to exactly one profile; profiles are numbered as they came to be. An erased
 *               profile keeps its number and its ring, and has neither identity nor state again.
 * Cost          56 bytes a profile (8 of them arrivals.h); 11 and its text an identity, and up to
 *               22 to find it; state only when there is any: 32 bytes, and 14 to 17 a membership;
 *               48 for what journeys do, 96 for anything else, and what these hold.
 * Bounds        2^32 - 2 profiles; RING_PROFILES_MAX profiles a person.
 */
#ifndef DULT_ENGINE_PEOPLE_H
#define DULT_ENGINE_PEOPLE_H

#include "base/slab.h"
#include "base/str.h"
#include "base/time.h"
#include "engine/behaviour/arrivals.h"
#include "engine/behaviour/rings.h"
#include "engine/profile/memberships.h"
#include "engine/segment/segment_standing.h"
#include "engine/vec.h"

#define PROFILE_NONE UINT32_MAX

enum {
    RING_PROFILES_MAX = 64, /* more merges than this is a shared account, not a person */
    IDENTITY_BYTES_MAX = 512,
};

enum identity_kind {
    IDENTITY_USER = 'u',
    IDENTITY_ANONYMOUS = 'a',
    IDENTITY_EXTERNAL = 'x', /* text: "type:id" */
};

/* Who was held out, or has left while the time for the goal runs, is outside: only that is asked.
 */
struct enrollment {
    uint64_t id; /* its ENROLLED decision; HELD_OUT where it is held out */
    uint32_t journey, version;
    uint16_t node;
    uint32_t visit : 29;   /* how many nodes it has stood at; journeys of old rows have no flags */
    uint32_t has_goal : 1; /* was reached */
    uint32_t is_held : 1;
    uint32_t is_over : 1;
    int64_t  due_ms; /* when the wait at `node` ends, outside: the time for the goal; TIME_NEVER */
    int64_t  entered_ms;
    int64_t  look_ms;     /* when time alone may end it, or what it waits for; TIME_NEVER */
    uint32_t trigger_seq; /* the event that began it; 0 for none */
    uint32_t key;         /* segment_key of what it is about, such as a cart; 0: no key */
};
_Static_assert(sizeof(struct enrollment) == 56, "of which a million may wait");

static inline bool enrollment_is_inside(const struct enrollment *e)
{
    return !e->is_held && !e->is_over;
}

struct past {
    uint32_t journey;
    uint32_t key;             /* as an enrollment's */
    int64_t  entered_ms : 49; /* the last time */
    uint64_t times : 15;      /* PAST_TIMES_MAX: or more */
};
_Static_assert(sizeof(struct past) == 16, "of which a person may have many");
enum {
    PAST_TIMES_MAX = (1 << 15) - 1,
    PAST_KEYS_MAX = 64, /* of one person and journey; beyond, the key of the oldest entry gives way
                           and counts as never seen */
};

/* UNKNOWN: its answer was lost; kept until something shows what became of it (doubt.c). */
enum message_state { MESSAGE_QUEUED = 1, MESSAGE_SENDING = 2, MESSAGE_UNKNOWN = 3 };

/* Of these a million may wait. */
struct message {
    uint64_t id;              /* its INTENT decision */
    uint64_t enrollment : 48; /* an ENROLLED decision */
    uint64_t node : 16;
    int64_t  due_ms;
    int64_t  first_try_ms : 49; /* when it was first claimed, or before that told to wait its turn
                                  until  due_ms; 0: neither */
    uint64_t attempt : 8;
    uint64_t state : 3;      /* enum message_state */
    bool     is_asked : 1;   /* a program asked for it: send.h */
    bool     is_waiting : 1; /* for codes, with no timer; after a load it is looked at again */
    bool     is_told : 1;    /* that it waits, since it was last sent */
    uint32_t template_id, journey, trigger_seq;
    uint32_t topic; /* 0: none of its own */
};
_Static_assert(sizeof(struct message) == 48, "of which a million may wait");

struct consent {
    uint32_t topic;   /* 0: every topic */
    uint8_t  state;   /* enum consent_state */
    uint8_t  channel; /* enum consent_channel */
    int64_t  at_ms;
};

struct listed {
    uint32_t list;
    int64_t  since_ms;
};

/* A code of somebody whose enrollment, or message, is still under way: codes.h. */
struct code_given {
    uint64_t of; /* the enrollment; of a message without one the message */
    int64_t  expires_ms;
    uint32_t pool, number;
};

struct merge {
    uint64_t id; /* its MERGE decision */
    uint32_t from, into;
};

/*
 * The parts of a state. An array's items lie in the people's slab (base/slab.h), which packs them;
 * those of standings come from malloc.
 */

/* Whoever a message waits for has this: what journeys do. */
struct rare {
    struct {
        struct enrollment *items;
        uint32_t           count, room;
    } enrollments;
    struct {
        struct past *items;
        uint32_t     count, room;
    } pasts;
    struct {
        struct message *items;
        uint32_t        count, room;
    } messages; /* not yet final, or unknown */
};

/* What fewer people have. */
struct rarer {
    struct {
        struct consent *items;
        uint32_t        count, room;
    } consents;
    struct {
        struct listed *items;
        uint32_t       count, room;
    } lists;
    struct {
        struct merge *items;
        uint32_t      count, room;
    } merges;
    struct {
        struct code_given *items;
        uint32_t           count, room;
    } codes;
    struct standings standings; /* derived: in no checkpoint */
};

/* `rare` and `rarer` are never NULL: until the first write each is an empty one that all share. */
struct state {
    struct memberships  memberships;
    const struct rare  *rare;
    const struct rarer *rarer;
};
_Static_assert(sizeof(struct state) == 32 && sizeof(struct rare) == 48,
               "a queued message brings both");

struct profile {
    uint32_t      root, next;  /* next in the ring; itself when alone */
    uint32_t      identities;  /* its first identity; PROFILE_NONE for none */
    uint32_t      round : 28;  /* the last checkpoint that has it; see checkpoint.h */
    bool          shared : 1;  /* a device that more than one person has used */
    bool          ask_all : 1; /* at the next wake-up every segment is asked */
    bool          quietly : 1; /* at the next wake-up a definition is why journeys are looked at */
    bool          erased : 1;  /* nobody any more: only the number is left */
    uint64_t      head;        /* the last decision about it; 0 for none */
    int64_t       wake_ms;     /* when time has something to do next; TIME_NEVER for nothing */
    int64_t       timer_ms;    /* the timer that will look, at or before wake_ms; or TIME_NEVER */
    struct state *state;       /* of the root; NULL when empty */
};
_Static_assert(sizeof(struct profile) == 48, "of which there are millions");

struct people;

struct people *people_open(uint64_t seed); /* NULL without memory */
void           people_close(struct people *people);

uint32_t        people_count(const struct people *people);
struct profile *people_get(const struct people *people, uint32_t profile);
uint32_t        people_root(const struct people *people, uint32_t profile);
/* The profile is nobody's from here on: no identities, no state; readers do not find it. */
void people_erase(struct people *people, uint32_t profile);
/* Is there no such profile, or was it erased? */
bool people_is_nobody(const struct people *people, uint32_t profile);

/* The profile an identity belongs to, or PROFILE_NONE. */
uint32_t people_find(const struct people *people, enum identity_kind kind, struct str text);

/*
 * Asks the processor to have a profile at hand that will be asked about soon: the profile, its
 * state, what the state holds, what its rare part holds; each step reads what the one before asked
 * for.
 */
enum { PEOPLE_PREFETCH_STEPS = 4 };
void people_prefetch(const struct people *people, uint32_t profile, uint32_t step);

/*
 * Someone who will be asked about soon. Each step reads what the one before asked the processor to
 * have at hand, and asks for the next, so that nobody waits for memory: where the identity is, the
 * identity, and as people_prefetch. It decides nothing, and may be wrong.
 */
enum { PEOPLE_AHEAD_STEPS = 2 + PEOPLE_PREFETCH_STEPS };
struct people_ahead {
    uint64_t hash;
    uint32_t identity, profile; /* profile: PROFILE_NONE until it is known */
    uint32_t steps;             /* done */
};
struct people_ahead people_ahead_make(const struct people *people, enum identity_kind kind,
                                      struct str text);
void                people_ahead_step(const struct people *people, struct people_ahead *ahead);

/* A new profile without identities, with the next number. ERR_LIMIT, ERR_MEMORY. */
MUST enum err people_add(struct people *people, int64_t arrived_ms, uint32_t *profile);
/* When its first record was received. */
int64_t          people_arrived_ms(const struct people *people, uint32_t profile);
struct arrivals *people_arrivals(const struct people *people); /* they stay the people's */

/* Gives the profile an identity that nobody has; people_unlink takes it away. */
MUST enum err people_link(struct people *people, uint32_t profile, enum identity_kind kind,
                          struct str text);
void          people_unlink(struct people *people, uint32_t profile, enum identity_kind kind,
                            struct str text);

/* The identities of one profile, one at a time: start with *at = PROFILE_NONE, ends with false. */
bool people_identity(const struct people *people, uint32_t profile, uint32_t *at,
                     enum identity_kind *kind, struct str *text);

/* True when any profile of the person has an identity of that kind. */
bool people_has_kind(const struct people *people, uint32_t profile, enum identity_kind kind);

/* The state of the person's root, made when it is not there. NULL without memory. */
struct state *people_state(struct people *people, uint32_t profile);
/* One for a profile that has none yet, to be put there. NULL without memory. */
struct state *people_state_new(struct people *people);
/* The same, or an empty one that must not be changed. */
const struct state *people_state_get(const struct people *people, uint32_t profile);

/* Joins the rings of two roots; `into` stays root. States are the caller's. ERR_LIMIT. */
MUST enum err people_join(struct people *people, uint32_t into, uint32_t from);
/*
 * Undoes one merge of the person that *profile belongs to: the profiles that now hang only on the
 * side without the root leave the ring with a root of their own, given in *profile.
 * ERR_ABSENT when the person has no such merge; ERR_CONFLICT when another merge ties the two.
 */
MUST enum err people_part(struct people *people, uint64_t merge, uint32_t *profile);
uint32_t      people_ring_count(const struct people *people, uint32_t profile);

/* The rings for readers beside the engine, kept up to date from the first time on. The first time,
 * and rarely after, it walks all profiles. They stay the people's; NULL without memory. */
struct rings *people_rings(struct people *people);

void state_free(struct state *state);
/* The state's own parts, to write to, made at the first call. NULL without memory; never when the
 * part holds anything. */
struct rare  *state_rare_own(struct state *state);
struct rarer *state_rarer_own(struct state *state);
void          state_forget_standings(struct state *state);

/* STATE_ADD(state, enrollments, enrollment): OK or ERR_MEMORY, the state unchanged. */
#define STATE_ADD(state, part, ...) STATE_ADD_TO(state, state_rare_own(state), part, __VA_ARGS__)
#define STATE_ADD_RARER(state, part, ...)                                                          \
    STATE_ADD_TO(state, state_rarer_own(state), part, __VA_ARGS__)

/* STATE_REMOVE(state, enrollments, i): the order stays, the last one takes the memory with it. */
#define STATE_REMOVE(state, part, i) STATE_REMOVE_FROM(state_rare_own(state), part, i)
#define STATE_REMOVE_RARER(state, part, i) STATE_REMOVE_FROM(state_rarer_own(state), part, i)

#define STATE_ADD_TO(state, own, part, ...)                                                        \
    __extension__({                                                                                \
        __auto_type state_own_ = own;                                                              \
        enum err state_err_ = ERR_MEMORY;                                                          \
        void    *state_items_ =                                                                    \
            state_own_ == NULL                                                                  \
                   ? NULL                                                                          \
                   : slab_room(slab_of(state), state_own_->part.items, state_own_->part.count,     \
                               &state_own_->part.room, sizeof *state_own_->part.items);            \
        if (state_items_ != NULL) {                                                                \
            state_own_->part.items = state_items_;                                                 \
            state_own_->part.items[state_own_->part.count++] = __VA_ARGS__;                        \
            state_err_ = OK;                                                                       \
        }                                                                                          \
        state_err_;                                                                                \
    })

#define STATE_REMOVE_FROM(own, part, i)                                                            \
    do {                                                                                           \
        __auto_type state_own_ = own;                                                              \
        memmove(&state_own_->part.items[i], &state_own_->part.items[(i) + 1],                      \
                (state_own_->part.count - (i)-1) * sizeof *state_own_->part.items);                \
        if (--state_own_->part.count == 0)                                                         \
            SLAB_DONE(&state_own_->part);                                                          \
    } while (0)

#endif
