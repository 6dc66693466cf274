/*
 * letters: one person's messages, what came of each, and by which they were touched when.
 *
 *      sent ... delivered | bounced ... opened ... clicked ... complained | unsubscribed
 *       |                                  |          |
 *       `------------- touches: of people alone, in order of time -------> attribution
 *
 * Read from all the person's profiles (Message ..., own.h), in order of time, up to the report's
 * instant. Something that came of a message whose sending was never told (its answer was lost, or
 * the record is kept no longer) proves that it was sent, then. One that was refused and went at a
 * later try did not come back.
 *
 * Always true   a letter a message, however often it was told; what a scanner did is no touch, and
 *               is no longer counted as the scanner's where a person did it, too.
 * Knows not     notices to staff.
 * Cost          a look at each event's name, and some 100 ns for each that is of a message.
 */
#ifndef DULT_ENGINE_REPORT_LETTERS_H
#define DULT_ENGINE_REPORT_LETTERS_H

#include "engine/report/report.h"

enum letter_came {
    LETTER_SENT = 1 << 0,
    LETTER_CONFIRMED = 1 << 1, /* its delivery was told */
    LETTER_HARD = 1 << 2,
    LETTER_SOFT = 1 << 3,
    LETTER_FAILED = 1 << 4,
    LETTER_OPENED = 1 << 5,
    LETTER_CLICKED = 1 << 6,
    LETTER_OPENED_MACHINE = 1 << 7,
    LETTER_CLICKED_MACHINE = 1 << 8,
    LETTER_COMPLAINED = 1 << 9,
    LETTER_UNSUBSCRIBED = 1 << 10,
    LETTER_REPLIED = 1 << 11,
};

struct letter {
    int64_t message, sent_ms;                /* sent_ms: or of the first that was told of it */
    struct str template, journey, broadcast; /* borrowed from the view; empty: of none */
    int64_t  entry;                          /* which time in the journey; 0: not told */
    uint32_t seq, came;                      /* came: bits of letter_came */
    uint32_t mark;                           /* the reader's own */
};

struct letter_touch {
    int64_t          at_ms;
    uint32_t         seq, letter;
    enum letter_came kind; /* SENT, OPENED or CLICKED */
};

/* What was gathered: of messages, and the names with a bit set in `also`. */
struct letters_said {
    int64_t  at_ms;
    uint32_t seq, bag, order; /* order: as it was found, which is as it was decided */
    uint16_t name;
};

struct letters_keys {
    uint16_t message, entry, class, broadcast; /* properties; DICT_NONE: never told */
};

struct letters {
    const struct report *report;
    struct letters_keys  keys;
    const uint64_t      *also; /* a bit for each name (65,536) that is gathered, too; may be NULL */
    struct {
        struct letters_said *items;
        uint32_t             count, room;
    } said; /* everything gathered, in order */
    struct {
        struct letter *items;
        uint32_t       count, room;
    } all;
    struct {
        struct letter_touch *items;
        uint32_t             count, room;
    } touches;
};

void letters_done(struct letters *letters);
/* Of the person with that root, in the place of who was asked before. ERR_MEMORY. */
MUST enum err letters_read(struct letters *letters, uint32_t root);

static inline bool letter_is(const struct letter *letter, enum letter_came what)
{
    return (letter->came & (uint32_t)what) != 0;
}
/* It went, and did not come back. */
static inline bool letter_is_delivered(const struct letter *letter)
{
    return letter_is(letter, LETTER_SENT) &&
           (letter->came & ((uint32_t)LETTER_HARD | (uint32_t)LETTER_SOFT)) == 0;
}

#endif
