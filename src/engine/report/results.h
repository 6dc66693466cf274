/*
 * results: what became of messages, a row each for whatever they are told apart by.
 *
 *      by message     its template
 *      by journey     "" for none
 *      by broadcast   "" for none
 *      by node        journey, and the last node with its template that the entry stood at
 *      by variant     each experiment whose variant the entry was dealt before the message was
 *                     sent (journey, node, variant), or (broadcast, "", variant)
 *
 * What was refused, and tried again as another message of its broadcast, counts by its last try.
 * A message has one row, but by variant, where it has one for each experiment it was part of; in
 * `all` each counts once. It counts where it was sent in [from_ms, to_ms), with everything that
 * came of it by the report's instant.
 *
 * Orders are put to messages (credit.h), and count for the rows that these have. With `broadcast`
 * only what is put to that one's messages counts, but all messages may take part. An order whose
 * rate is missing counts, and its sum is named apart.
 *
 * Rows come to be as messages are met, RESULTS_ROWS_MAX of them; the rest share one, "(other)".
 */
#ifndef DULT_ENGINE_REPORT_RESULTS_H
#define DULT_ENGINE_REPORT_RESULTS_H

#include "base/map.h"
#include "engine/report/credit.h"
#include "engine/report/orders.h"
#include "engine/report/stood.h"

enum { RESULTS_ROWS_MAX = 10000 };

enum results_by {
    RESULTS_MESSAGE,
    RESULTS_NODE,
    RESULTS_VARIANT,
    RESULTS_JOURNEY,
    RESULTS_BROADCAST,
    RESULTS_BYS,
};

/* "message", "node", "variant", "journey", "broadcast"; RESULTS_BYS for none. */
enum results_by results_by_of(struct str word);
const char     *results_by_word(enum results_by by);

/* Texts are borrowed from the view and the question. */
struct results_key {
    enum results_by of;            /* MESSAGE, JOURNEY or BROADCAST: what `whole` names */
    struct str      whole;         /* template, journey or broadcast */
    struct str      node, variant; /* empty: told apart by less */
};

struct results_count {
    uint64_t tried, sent;          /* tried: also what was refused at once, or failed */
    uint64_t delivered, confirmed; /* confirmed: of the delivered, where somebody told so */
    uint64_t hard, soft, failed;   /* hard and soft: also of those refused at once */
    uint64_t opened, clicked;      /* by people */
    uint64_t opened_machine, clicked_machine; /* by machines alone */
    uint64_t complained, unsubscribed, replied;
};

/* What was put to them: orders in [from_ms, to_ms), whenever the message went. */
struct results_worth {
    double   orders;  /* shared ones in parts */
    uint64_t people;  /* who ordered */
    int64_t  revenue; /* money (rates.h) in the reported currency, less what was given back */
    double   squares; /* of each message's part in units, for how sure the mean is */
};

struct results_row {
    struct results_key   key;
    struct results_count count;
    struct results_worth worth;
    uint32_t             last; /* the person counted last, plus one */
};

/* A variant of a broadcast's experiment, told by its template. */
struct results_arm {
    struct str broadcast, template, variant;
};

/* Which number is opened: the people of `key`, or of all, or of orders without any message. */
enum results_pick_of {
    RESULTS_PICK_NONE,
    RESULTS_PICK_KEY,
    RESULTS_PICK_ALL,
    RESULTS_PICK_WITHOUT
};
struct results_pick {
    enum results_pick_of of;
    struct results_key   key;
    uint32_t             came; /* a bit of letter_came; 0: who ordered */
    uint64_t            *bits;
};

struct results_question {
    enum results_by           by;
    int64_t                   from_ms, to_ms;
    struct str                broadcast; /* only of that one; empty: of all */
    struct letters_keys       keys;
    const struct results_arm *arms; /* by broadcast, then template */
    uint32_t                  arms_count;

    /* What messages led to; NULL: only messages are counted. */
    const struct orders_question *orders;
    struct credit_rule            credit;
    const struct stood_question  *stood; /* by node and variant */
    struct results_pick           pick;
};

struct results {
    struct results_count  all;
    struct results_worth  total, put, without; /* all orders; those with, and without, a message */
    int64_t               returned;            /* of all orders, in the reported currency */
    uint64_t              untold;              /* orders for which a rate is missing */
    uint64_t              strays, unreadable;  /* orders.h */
    struct orders_missing missing[ORDERS_MISSING_MAX]; /* the last is all others */
    uint32_t              missing_count;
    struct {
        struct results_row *items;
        uint32_t            count, room;
    } rows;
    struct map places; /* of rows, by key */
};

struct results results_make(void);
void           results_done(struct results *results);

/* Adds those of the stretch. ERR_MEMORY. */
MUST enum err results_run(const struct report *report, const struct results_question *question,
                          struct report_range range, struct results *out);
MUST enum err results_add(struct results *into, const struct results *from);

/* The row of a key, which comes to be; the shared one where there are too many. ERR_MEMORY. */
MUST enum err results_row(struct results *results, const struct results_key *key, uint32_t *row);
/* NULL: nothing was counted. */
const struct results_row *results_find(const struct results     *results,
                                       const struct results_key *key);
/* By name; the shared one last. */
void results_sort(struct results *results);

/* The arm of a broadcast's template; NULL: it is no experiment's. `arms` as the question has them.
 */
const struct results_arm *results_arm_of(const struct results_arm *arms, uint32_t count,
                                         struct str broadcast, struct str template);
int                       results_arm_cmp(const void *a, const void *b); /* the order of `arms` */

#endif
