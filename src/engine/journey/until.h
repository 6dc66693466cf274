/*
 * until: a wait that ends when a clock or a calendar says so, as its author wrote it.
 *
 *     10:00                            when the person's clock next shows it
 *     monday or friday 10:00           on the next such day; also weekday, weekend
 *     best hour, weekday best hour     at the hour at which the person clicks (best_hour.h); for
 * who clicked too seldom 10:00, or as in "best hour or 08:00" 2026-12-24                       when
 * that day begins for the person; also 2026-12-24 10:00 2026-12-24T10:00:00Z             an instant
 *     trial_ends                       a date among the person's traits
 *     3 days before trial_ends at 10:00
 *     1 week after anniversary of birthday at 09:00
 *     3 days after entry at 10:00      since the person came into the journey; a trait of that name
 *                                      is written trait "entry"
 *
 *     until  = [ days ] ( time | "best hour" [ "or" time ] ) | date [ time ]
 *            | [ length ( "before" | "after" ) ] [ "anniversary of" ] name [ "at" time ]
 *     days   = day { "or" day }        monday .. sunday, weekday, weekend
 *     name   = a word, or trait "any name"
 *
 * What the clocks do not show as usual:
 *
 *      02:30, left out as clocks go forward     when they have gone forward: 03:00
 *      02:30, shown twice as they go back       the first time
 *      a day that the zone leaves out           "10:00" and days of the week pass it over; a date
 *                                               is when the next day begins
 *
 * A date that is an instant is moved by days of 24 hours; one that is a day ("1990-05-17"), and
 * any with `at`, by days of the calendar. An anniversary is one year after the day or more; that of
 * February 29 is February 28 in other years.
 *
 * Knows not     the person: zone, value and time are handed in.
 */
#ifndef DULT_ENGINE_UNTIL_H
#define DULT_ENGINE_UNTIL_H

#include "base/json.h"
#include "base/zone.h"

enum until_kind {
    UNTIL_TIME,    /* comes again */
    UNTIL_LOCAL,   /* a date by the person's clock */
    UNTIL_INSTANT, /* for all at once */
    UNTIL_TRAIT,
};

enum { UNTIL_NO_TIME = -1 };

struct until {
    enum until_kind kind;
    bool            is_yearly; /* TRAIT: its anniversaries */
    bool            is_entry;  /* TRAIT: none, but when the person came in */
    bool            is_best;   /* TIME: by the person's clicks; time_ms for who has too few */
    uint8_t         days;      /* TIME: bit 0 Monday .. bit 6 Sunday */
    uint16_t        key;       /* TRAIT: for whoever reads the text to put there */
    int32_t         time_ms;   /* of the day; UNTIL_NO_TIME */
    int64_t         at_ms;     /* LOCAL: as if the clocks were UTC; INSTANT */
    int64_t         shift_ms;  /* TRAIT: below 0 before it */
    struct str      trait;     /* TRAIT: its name, borrowed from the text */
};

/* ERR_INPUT with what is wrong and the remedy; the place is the caller's. */
MUST enum err until_parse(struct str text, struct until *out, struct problem *problem);

/*
 * When it ends, for somebody who begins to wait at now_ms: the first such instant not before that,
 * or (later) after it. One that does not come again may lie before. `value` is that of the trait;
 * TIME_NEVER: it is no date.
 */
int64_t until_end_ms(const struct until *until, const struct zone *zone, const struct json *value,
                     int64_t now_ms, bool later);

#endif
