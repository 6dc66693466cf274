/*
 * sieve: opens and clicks wait a few seconds, for what they are shows only beside the others.
 *
 *      a hit -> waits `wait_ms` -> with all that was heard of its message meanwhile: whose was it?
 *                                    the hidden link was followed     all of the message within the
 * wait 3 links within 2 s, or 5 in 10   those of the burst within `soon_ms` of the sending  that
 * one a scanner's name or network      that one (told by who hands it in)
 *             -> Message Opened, Message Clicked, at the instant of the hit, with `machine` and
 * `sign`
 *
 * So a sign that comes after a hit still marks it, and nothing is counted as a person's that has to
 * be taken back: conditions, journeys and reports agree at every moment. The reader is answered
 * when the hit is in a file (hit_file.h). After the wait, a program at the same address that
 * followed the hidden link or made a burst is known for a minute more.
 *
 * Always true   a hit that was taken is recorded once: by sieve_close at the latest, or after a
 * crash by the next sieve_open, whose record of a hit that was written before is the same one (its
 * message id). Bounds        SIEVE_MAX waiting; more are recorded by what is known of each alone.
 * Of one message SIEVE_TOGETHER_MAX, the newest, are looked at together. Cost          a look
 * through those that wait, five times a second while any does.
 */
#ifndef DULT_RUN_API_SIEVE_H
#define DULT_RUN_API_SIEVE_H

#include "run/returned/trail.h"

enum {
    SIEVE_MAX = 20000,
    SIEVE_TOGETHER_MAX = 500,
    SIEVE_ADDRESS_BYTES = 48,
    SIEVE_BURST_LINKS = 3,
    SIEVE_BURST_LINKS_SLOW = 5,
};
#define SIEVE_BURST_MS 2000
#define SIEVE_BURST_SLOW_MS 10000
#define SIEVE_KNOWN_MS 60000

enum hit_kind { HIT_OPEN, HIT_CLICK, HIT_TRAP };

/* What is asked of one; pure, for sieve_judge. */
struct hit {
    enum hit_kind kind;
    uint64_t      message;
    uint64_t      link; /* a number that two of one URL share */
    int64_t       at_ms;
    int64_t       sent_ms; /* of the message; INT64_MIN: not known; INT64_MAX: it is being sent */
    char          address[SIEVE_ADDRESS_BYTES];
    const char   *sign; /* why it is a program's; NULL: a person's */
};

struct sieve_conf {
    struct core *core;
    const char  *dir; /* where what waits is kept; outlives the sieve */
    int64_t      wait_ms, soon_ms;
};

/* Of one message or several: marks those of `hits` that the others show to be a program's. */
void sieve_judge(struct hit *hits, uint32_t count, const struct sieve_conf *conf);

struct sieve;

MUST enum err sieve_open(struct sieve **out, const struct sieve_conf *conf);
void          sieve_close(struct sieve *sieve); /* before core_close; NULL is nothing */
/* The trail's texts are copied. ERR_LIMIT: too many wait; ERR_MEMORY; ERR_IO: it could not be kept.
 */
MUST enum err sieve_take(struct sieve *sieve, const struct trail *trail, struct hit hit);
/* Is nothing on disk any more of what waited when this was first asked about that erasure? To be
 * asked again; any thread. */
bool sieve_is_clear(struct sieve *sieve, uint64_t erasure);

#endif
