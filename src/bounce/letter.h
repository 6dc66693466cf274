/*
 * letter: a bounce told in prose, as qmail, Exim, old Exchange and a hundred others write it.
 *
 *     Hi. This is the qmail-send program at x.example.       the whole
 *     <ada@y.example>:                                       a strong place: her section begins
 *     550 5.1.1 no such user                                   ... her words
 *     <bob@z.example>:                                       the next section
 *     --- Below this line is a copy of the message.          what was returned begins
 *     Return-Path: <hei@shop.example>
 *
 * Whose mail it was is judged by the place in which an address stands: alone on a line, in front of
 * a colon, behind "RCPT TO:" or "could not be delivered to" is strong; behind "To:" is fair;
 * anywhere else is weak; behind "contact", "MAIL FROM" or "expanded from" is none. Only the best
 * places count.
 */
#ifndef DULT_BOUNCE_LETTER_H
#define DULT_BOUNCE_LETTER_H

#include "base/arena.h"
#include "base/str.h"

enum { LETTER_RECIPIENTS_MAX = 64, LETTER_WORDS_BYTES_MAX = 4 << 10, LETTER_LINES_MAX = 2000 };

enum place { PLACE_NONE, PLACE_WEAK, PLACE_FAIR, PLACE_STRONG };

struct letter_recipient {
    struct str address;
    enum place place;
};

struct letter {
    struct letter_recipient items[LETTER_RECIPIENTS_MAX];
    size_t                  count;
};

/* Index at which the returned copy begins, or text.len. */
size_t letter_end(struct arena *arena, struct str text);

/* Adds the addresses of `text` (without its returned copy) with the best place of each. */
void letter_recipients(struct arena *arena, struct str text, struct letter *letter);

/*
 * Leaves only those in the best place. `sender` is whom the bounce was sent to, and rarely the one
 * that failed: it goes when there are others.
 */
void letter_choose(struct letter *letter, struct str sender);

/*
 * What is said about one of `letter`'s addresses, flat: the sections that begin with it. Where it
 * has none, or `letter` has no other, the whole.
 */
struct str letter_words(struct arena *arena, struct str text, const struct letter *letter,
                        struct str address);

#endif
