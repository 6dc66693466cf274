/*
 * codes: discount codes, and who gets which.
 *
 *     {"kind": "fixed", "code": "WELCOME10", "expires": "2026-12-31"}
 *     {"kind": "pool", "expires": "14 days", "low": 100}
 *     {"kind": "generated", "prefix": "SPRING-", "length": 10, "expires": "14 days"}
 *      and each  "redeemed": {"event": "Order Completed", "properties": ["coupon", ...]}
 *
 *      code      what everyone gets; many may have a fixed one
 *      length    of what stands behind the prefix: 31 signs that nobody takes for another
 *      expires   so many days from the send, to the end of that day where the person lives, or the
 *                end of a day of the calendar there; nothing: never
 *      low       fewer left than this is told; nothing: CODES_LOW of a pool, never of the others
 *      redeemed  the event by which a shop tells that a code was used, and the properties that name
 *                it: a text, or a list of texts or of {"code"}
 *
 * The codes of a pool are numbered from 1 as they come, and given in that order: the engine keeps
 * two numbers a pool and never sees a code. Generated ones are a pool, too: the core draws them and
 * puts them there ahead of need (run/core/minting.h), so what is given was always on disk before.
 *
 *      numbers   1 2 3 4 5 6 7 8 9 ...
 *                |  given    | left | come later
 *
 * A message whose template names a pool ({{ codes.spring.code }}) takes the next number at its
 * claim, unless its enrollment has one already: then it is that one, for as long as the enrollment
 * or any message of it lives, and so is what a mail that is tried again says. A message that a
 * program asked for stands for itself. When nothing is left the message waits in the queue, and is
 * looked at again when codes have come or a definition has changed.
 *
 * Always true   a number is given once; what was given is never given again, also after an erasure.
 * Cost          1 KB a pool, 4 bytes a message that waits for codes, 24 a code of an enrollment
 * that is under way; nothing for a code that waits or was given. Bounds        CODES_POOLS_MAX
 * pools, CODES_LEFT_MAX codes left in each. Knows not     the codes, nor what was redeemed: that is
 * the store's (run/core/redeeming.h).
 */
#ifndef DULT_ENGINE_CODES_H
#define DULT_ENGINE_CODES_H

#include <stdint.h>

#include "base/json.h"
#include "base/str.h"

enum {
    CODES_POOLS_MAX = 200,
    CODES_LEFT_MAX = 1000000, /* of a pool */
    CODES_A_RECORD_MAX = 5000,
    CODES_NAME_BYTES_MAX = 64,
    CODE_BYTES_MAX = 64,
    CODES_PREFIX_BYTES_MAX = 20,
    CODES_LENGTH_MIN = 8, /* 31^8: a million codes are one of 850,000 guesses */
    CODES_LENGTH = 10,
    CODES_LENGTH_MAX = 24,
    CODES_LOW = 100,
    CODES_DAYS_MAX = 3660,
    CODES_A_TEMPLATE_MAX = 8, /* pools that one text names */
    CODES_EVENT_BYTES_MAX = 128,
    CODES_PROPERTIES_MAX = 10,
    CODES_PROPERTY_BYTES_MAX = 64,
    CODES_WHY_BYTES_MAX = 160,
};

/* No I, L, O, 0 or 1, and no vowel but A, E and U: few words come of them. */
#define CODES_ALPHABET "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

enum codes_kind { CODES_NONE, CODES_FIXED, CODES_POOL, CODES_GENERATED };

struct codes_def {
    uint32_t        version; /* the defining record's seq; 0: not defined (any more) */
    enum codes_kind kind;    /* stays when it is deleted */
    char            text[CODE_BYTES_MAX + 1]; /* the fixed code, or the prefix */
    uint32_t        length;
    uint32_t        days;                             /* from the send; 0: not so */
    int64_t         day;                              /* the last one, since 1970; 0: not so */
    uint32_t        low;                              /* 0: never told */
    char            event[CODES_EVENT_BYTES_MAX + 1]; /* that redeems */
    char            properties[CODES_PROPERTIES_MAX][CODES_PROPERTY_BYTES_MAX + 1];
    uint32_t        properties_count; /* 0: those of codes_property */
};

/* ERR_INPUT, ERR_LIMIT with a problem. */
MUST enum err codes_parse(struct str text, struct codes_def *out, struct problem *problem);
const char   *codes_kind_word(enum codes_kind kind);

/* The i-th property that an order names codes in; NULL: there are no more. */
const char *codes_property(const struct codes_def *def, uint32_t i);

/* What a pool may be called: letters, digits, _ and -, so that Liquid can name it. */
bool codes_is_name(struct str name);
/* What a code may be: 1 to 64 bytes of UTF-8 without spaces, controls, quotes, commas and
 * semicolons, and at the start nothing that a spreadsheet takes for a formula (= + - @). */
bool codes_is_code(struct str code);
/* How codes are compared: ASCII letters in lower case. `out` has CODE_BYTES_MAX bytes. */
struct str codes_fold(struct str code, char *out);

/* Until when a code is good that goes out now; TIME_NEVER. */
struct zone;
int64_t codes_expires_ms(const struct codes_def *def, const struct zone *zone, int64_t now_ms);

/* The names of pools that a Liquid text asks for, each once: at most CODES_A_TEMPLATE_MAX of them,
 * else ERR_LIMIT. Borrowed. Only what is written out is seen: codes.spring, codes["spring"]. */
MUST enum err codes_named(struct str text, struct str names[CODES_A_TEMPLATE_MAX], uint32_t *count);

/* ---- in an engine ---- */

struct engine;

struct codes_pool {
    uint32_t had, given;       /* numbers 1 .. had are there, 1 .. given are gone */
    bool     is_low, is_empty; /* it was told, or is to be told */
    bool     is_to_tell;
    struct {
        uint32_t *items; /* whose messages wait for codes; some may not, any more */
        uint32_t  count, room;
    } waiting;
};

struct codes_state {
    const struct codes_def *def;
    uint32_t                pool; /* its number */
    struct str              name;
    uint32_t                had, given, left;
    uint32_t                waiting; /* messages, about */
};

/* How many pools ever were; the state of one, false: it is not defined (any more). */
uint32_t engine_codes_count(const struct engine *engine);
bool     engine_codes_state(const struct engine *engine, uint32_t pool, struct codes_state *out);

/* Is anything redeemed by this event? */
bool engine_codes_hear(const struct engine *engine, struct str event);

/* A pool that has run low or out and of which nobody was told yet; false: there is none. */
bool engine_codes_low(struct engine *engine, struct codes_state *out);
/* A pool of generated codes with fewer left than that; false: there is none. */
bool engine_codes_wanted(const struct engine *engine, uint32_t least, struct codes_state *out);

/* The numbers of all pools as text, and back. */
struct buf;
void          engine_codes_write(const struct engine *engine, struct buf *out);
MUST enum err engine_codes_load(struct engine *engine, struct str text);

#endif
