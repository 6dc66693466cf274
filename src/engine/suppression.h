/*
 * suppression: addresses that nothing is sent to, whoever has them.
 *
 *      a bounce that says "no such mailbox"                      hard
 *      SUPPRESSION_SOFT_MAX messages in a row came back,         soft
 *        over at least SUPPRESSION_SOFT_MS
 *      "this is spam"                                            complaint   (receipts still go)
 *      somebody's word                                           manual
 *
 * An address is looked up at the claim, the last moment before the first byte. Taking it off the
 * list is somebody's word, too; what came back before that moment does not count again.
 *
 * "In a row" is read from the person's timeline: from the newest message backwards, those that came
 * back softly; one that did not within SUPPRESSION_BACK_MS ends the row, and so does a person who
 * opens or clicks.
 *
 * An address is one of e-mail, a telephone number in E.164, or one of post in a line (reach.h);
 * what has an @ is the first, what begins with a plus the second, what has two commas the third.
 *
 * Always true   addresses are compared in lower case (ASCII).
 * Cost          an entry and the text for each address, a look-up a claim.
 * Order         loaded whole from the store, not from decisions: see engine_load_suppression.
 */
#ifndef DULT_ENGINE_SUPPRESSION_H
#define DULT_ENGINE_SUPPRESSION_H

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"

enum {
    SUPPRESSIONS_MAX = 20000000,
    SUPPRESSION_ADDRESS_BYTES_MAX = 320,
    SUPPRESSION_SAID_BYTES_MAX = 1000, /* what is longer is cut */
    SUPPRESSION_SOFT_MAX = 5,
};

#define SUPPRESSION_SOFT_MS (7 * TIME_DAY_MS)
#define SUPPRESSION_BACK_MS (5 * TIME_DAY_MS)

enum suppression_reason {
    SUPPRESSION_LIFTED = 0, /* may be sent to; what bounced before at_ms is forgiven */
    SUPPRESSION_HARD = 1,
    SUPPRESSION_SOFT = 2,
    SUPPRESSION_COMPLAINT = 3,
    SUPPRESSION_MANUAL = 4,
    SUPPRESSION_REASONS,
};

struct suppression {
    enum suppression_reason reason;
    struct str              address; /* in lower case */
    struct str              said;    /* the far side's words, or somebody's; not kept in memory */
    int64_t                 at_ms;
    uint64_t                seq;       /* the record that said so */
    bool                    is_erased; /* nothing is left of it */
};

/* "hard" ... "manual", "lifted"; false for another word. */
const char *suppression_word(enum suppression_reason reason);
bool        suppression_of(struct str word, enum suppression_reason *out);
/* Why a message was not sent: a sentence for people. */
struct str suppression_why(enum suppression_reason reason);

struct suppressions;

struct suppressions *suppressions_open(uint64_t seed); /* NULL without memory */
void                 suppressions_close(struct suppressions *all);

/* The address as it is kept, in `out` (SUPPRESSION_ADDRESS_BYTES_MAX). ERR_INPUT: it is none. */
MUST enum err suppression_address(struct str text, char *out, struct str *address);

/* The address's entry, lifted ones too; `address` in lower case. NULL: never suppressed. */
const struct suppression *suppressions_find(const struct suppressions *all, struct str address);
/* Keeps the entry in the place of the one before, or takes it away. Copies. ERR_MEMORY, ERR_LIMIT.
 */
MUST enum err suppressions_put(struct suppressions *all, const struct suppression *entry);
uint32_t      suppressions_count(const struct suppressions *all); /* without lifted ones */

#endif
