/*
 * engine_life_cast: the broadcasts of a random life, and what claims and their answers alone say of
 * each recipient: the naive twin that broadcasts are judged by.
 *
 *      never --> queued --> away --> sent | failed | unknown     as decisions and answers say
 *                  ^  |      |
 *                  |  `------+---> held
 *                  |---------'              put off, or come back
 *                  failed, where a retry was told since
 *
 * One is kept for the living engine and one for the loaded: the two claim in an order of their own.
 */
#ifndef DULT_ENGINE_LIFE_CAST_TEST_H
#define DULT_ENGINE_LIFE_CAST_TEST_H

#include "engine/broadcasting.h"
#include "engine/engine_life_test.h"

enum {
    CASTS_MAX = LIFE_CASTS_MAX,
    CAST_PEOPLE_MAX = LIFE_ROWS_MAX,
    CAST_MESSAGES_MAX = 8000,
    CAST_AWAY_MAX = 200,
};

enum cast_state {
    CAST_NEVER,
    CAST_QUEUED,
    CAST_AWAY,
    CAST_SENT,
    CAST_FAILED,
    CAST_UNKNOWN,
    CAST_HELD
};

struct cast_row {
    enum cast_state state;
    uint32_t        retries;            /* there had been so many when it failed */
    struct str      address;            /* that it was claimed for last */
    int64_t         number, expires_ms; /* of the code it had last; 0: none */
};

/* How its job stood before the record under way. */
struct cast_before {
    struct broadcast_round looking, retrying;
    int64_t                round_ms;
    bool                   had_job, was_over;
    enum broadcast_phase   phase;
    unsigned char          letters[CAST_PEOPLE_MAX];
};

struct cast {
    uint32_t           number, known, retries, throttle;
    uint32_t           holdout;  /* percent */
    uint32_t           tested;   /* percent who get the variants first; 0: there is no winner */
    bool               is_dealt; /* an experiment of plain (30 percent) and other */
    bool               is_pure;  /* the audience can be asked of the naive twin of conditions */
    bool               is_launched, is_paused, is_cancelled, has_code;
    int64_t            start_ms;
    struct cast_row    rows[CAST_PEOPLE_MAX];
    int64_t            intents_ms[CAST_MESSAGES_MAX / 8];
    uint32_t           intents_count;
    struct cast_before before;
};

struct cast_message {
    uint64_t id;
    uint32_t cast, profile;
};

/* Claimed, and not answered. */
struct cast_away {
    uint64_t message;
    uint32_t profile; /* as the claim named them */
    uint32_t bearer;  /* who had it before the record under way; PROFILE_NONE: nobody */
};

struct casting {
    struct cast         casts[CASTS_MAX];
    uint32_t            count;
    struct cast_message messages[CAST_MESSAGES_MAX];
    uint32_t            messages_count;
    struct cast_away    away[CAST_AWAY_MAX];
    uint32_t            away_count;
    uint32_t            given; /* numbers of the pool */
    size_t              decisions_seen, claims_seen;
    uint32_t claims, asked; /* how much was judged; asked: audiences, of the naive twin */
};

/* ---- engine_life_cast_judge_test.c: one of the two engines, by its own casting */

void casting_before(struct casting *casting, const struct engine *engine);
/* What the record gave is taken in; fails where it must not be. */
void casting_after(struct life *life, struct casting *casting, struct engine *engine,
                   const struct out *out, const struct record *record, enum err err);
/* Whose address is taken is known by present addresses from here on: after a load, or a retry. */
void casting_readdress(struct life *life, struct engine *engine, struct cast *cast);
/* Is each row, message and count as it should be? */
void casting_judge(const struct life *life, const struct casting *casting,
                   const struct engine *engine);
/* Whose the message that is being sent is; PROFILE_NONE: nobody's. */
uint32_t cast_bearer(const struct engine *engine, uint64_t message);
/* Does a loaded engine stand where the living one stands? */
void casting_same(const struct life *life, const struct engine *is);

#endif
