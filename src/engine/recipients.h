/*
 * recipients: what became of a broadcast for each who was to get it.
 *
 * One letter a profile, in pages by the profile's number, so that a page is a text that the store
 * keeps as it is; a page nobody of whom got anything is not there.
 *
 *      profile   0 1 2 3 4 5 ...                q waiting   s being sent   d to be tried again
 *      page 0    S S . c S f ...                S sent   f failed   u unknown   others: held back
 *
 * Once all is over the pages are packed: a bit a profile says which of the page's two most frequent
 * letters it has, and whoever has another stands in a list. A packed page is read as it is; the
 * first change to it opens it again.
 *
 *      S . 110100...   (17, f) (803, u)
 *
 * Always true   counts[s] is how many have the state s; a page that was changed is given by
 *               recipients_changed once, as all its letters.
 * Cost          a byte a profile, of the pages that anyone is on. Packed: nothing where all have
 *               one letter, else an eighth of a byte, and 4 bytes for each in the list; a page
 *               with more than RECIPIENTS_ODD_MAX of those stays as it was. What is packed is what
 *               changed, RECIPIENTS_PACKED_MAX pages at a time.
 */
#ifndef DULT_ENGINE_RECIPIENTS_H
#define DULT_ENGINE_RECIPIENTS_H

#include "base/err.h"
#include "base/str.h"

enum {
    RECIPIENTS_PAGE = 1024,
    RECIPIENTS_ODD_MAX = 128,   /* half of a page at most is kept for them */
    RECIPIENTS_PACKED_MAX = 64, /* pages in one go, some 0.1 ms */
};

enum recipient_state {
    RECIPIENT_NONE,    /* not decided */
    RECIPIENT_WAITING, /* in the queue */
    RECIPIENT_SENDING,
    RECIPIENT_DEFERRED, /* to be tried again */
    RECIPIENT_SENT,     /* from here on it is final */
    RECIPIENT_FAILED,
    RECIPIENT_UNKNOWN,
    RECIPIENT_NO_CONSENT, /* from here on it was held back */
    RECIPIENT_SUPPRESSED,
    RECIPIENT_NO_ADDRESS,
    RECIPIENT_TWICE,     /* another who is the same person, or has the same address, gets it */
    RECIPIENT_CANCELLED, /* with the broadcast */
    RECIPIENT_ERASED,
    RECIPIENT_HELD,     /* any other reason: it could not be composed, its template is gone */
    RECIPIENT_HELD_OUT, /* was to get nothing, so that what it does can be measured */
    RECIPIENT_STATES,
};

/* A set of states: bits. */
#define RECIPIENT_BIT(state) (1u << (state))
#define RECIPIENTS_OPEN                                                                            \
    (RECIPIENT_BIT(RECIPIENT_WAITING) | RECIPIENT_BIT(RECIPIENT_SENDING) |                         \
     RECIPIENT_BIT(RECIPIENT_DEFERRED))

struct recipients {
    struct recipients_page **pages; /* by profile / RECIPIENTS_PAGE; NULL: nobody */
    uint32_t                 pages_count;
    uint32_t                 changed_count, changed_from; /* to be given; none lies before */
    uint32_t                 loose_count, loose_from;     /* to be packed; none lies before */
    bool                     is_over; /* pages are packed once they were given */
    uint64_t                 counts[RECIPIENT_STATES];
};

void recipients_done(struct recipients *recipients);
/* Nothing is expected to change any more, or it is again. */
void recipients_over(struct recipients *recipients, bool is_over);
/* What they take of memory. */
size_t recipients_bytes(const struct recipients *recipients);

enum recipient_state recipients_get(const struct recipients *recipients, uint32_t profile);
MUST enum err        recipients_set(struct recipients *recipients, uint32_t profile,
                                    enum recipient_state state);
/* The first from `from` on whose state is among the bits, or UINT32_MAX. */
uint32_t recipients_next(const struct recipients *recipients, uint32_t bits, uint32_t from);

/* A page that was changed since it was last given; false: there is none more, and where all is over
 * some were packed. Its text lives until the next call. */
bool recipients_changed(struct recipients *recipients, uint32_t *page, struct str *text);
/* A page as it was given, in the place of what is there. ERR_CORRUPT. */
MUST enum err recipients_load(struct recipients *recipients, uint32_t page, struct str text);

/* "sent", "no_consent" ...; the state of a word, or RECIPIENT_NONE. */
const char          *recipient_word(enum recipient_state state);
enum recipient_state recipient_of_word(struct str word);

#endif
