/*
 * brake: stops sending by itself when too much comes back.
 *
 * Mailbox providers forgive a sender who stops, and block one who goes on: Gmail and Yahoo from
 * 0.3% of complaints on, most others from some 5% of addresses that do not exist. So what was sent,
 * what bounced for good and what was complained of is counted by the hour over a sliding window:
 *
 *      bounced / sent    > 5%    and at least 20 bounced     ->  stopped
 *      complained / sent > 0.3%  and at least 5 complained   ->  stopped
 *
 * Stopped, nothing is claimed but what is transactional (unless that is to stop, too): messages
 * wait in the queue, and go when somebody resumes. The stop is a version of the definition
 * "sending", so it outlives a restart and says when, why and by whom; so does resuming. Counting
 * begins anew when sending is resumed, and when the program starts.
 *
 *     {"state": "on", "why": "...", "hours": 24, "transactional": false,
 *      "bounces": {"percent": 5, "least": 20}, "complaints": {"percent": 0.3, "least": 5},
 *      "domains": [{"domain": "news.shop.example", "why": "..."}]}
 *
 * Only e-mail is counted. Reputation is a domain's, so each domain that mail is from is counted by
 * itself, too, by the same limits: where others send beside it, the spike of one stops that one
 * alone ("domains"), and what it sent counts in nothing more; where it is the only one, all stops.
 *
 * Pure: time is handed in.      Cost   O(hours) when something came back, O(1) else; 5 KB a domain.
 */
#ifndef DULT_ENGINE_BRAKE_H
#define DULT_ENGINE_BRAKE_H

#include <stdint.h>

#include "base/buf.h"

enum {
    BRAKE_HOURS_MAX = 7 * 24,
    BRAKE_WHY_BYTES_MAX = 200,
    BRAKE_DOMAINS_MAX = 64, /* counted by themselves; the rest only with all */
    BRAKE_STOPPED_MAX = 8,  /* one more, and all stops */
    BRAKE_DOMAIN_BYTES = 256,
    BRAKE_TEXT_BYTES_MAX = 8192, /* eight domains and their reasons, escaped */
};

struct brake_limit {
    uint32_t permyriad; /* 500: 5% */
    uint32_t least;
};

/* A domain that nothing is sent from. */
struct brake_stopped {
    char domain[BRAKE_DOMAIN_BYTES], why[BRAKE_WHY_BYTES_MAX + 1];
};

/* As defined; see brake_parse. */
struct brake_conf {
    bool               is_stopped, stops_receipts;
    uint32_t           hours;
    struct brake_limit bounces, complaints;
    char               why[BRAKE_WHY_BYTES_MAX + 1];
    uint32_t           version; /* the defining record's seq; 0: never told */

    struct brake_stopped stopped[BRAKE_STOPPED_MAX];
    uint32_t             stopped_count;
};

struct brake_counts {
    uint64_t sent, bounced, complained;
};

struct brake {
    int64_t             hour[BRAKE_HOURS_MAX]; /* since 1970, of each place */
    struct brake_counts counts[BRAKE_HOURS_MAX];
};

enum brake_event { BRAKE_SENT, BRAKE_BOUNCED, BRAKE_COMPLAINED };

/* The counts of each domain; zeroed is empty. */
struct brake_domains {
    struct brake *brakes[BRAKE_DOMAINS_MAX];
    char          names[BRAKE_DOMAINS_MAX][BRAKE_DOMAIN_BYTES];
    uint32_t      count;
};

struct brake_conf brake_conf_make(void);
/* The document above; what is left out is as brake_conf_make has it. ERR_INPUT with a problem. */
MUST enum err brake_parse(struct str text, struct brake_conf *out, struct problem *problem);
void          brake_write(const struct brake_conf *conf, struct buf *out);

/* Is nothing sent from it? An empty domain is none. */
bool brake_has_stopped(const struct brake_conf *conf, struct str domain);

/* Its counts, made if new; NULL: the domain is empty, or there is no room for one more. */
struct brake *brake_of(struct brake_domains *domains, struct str domain);
/* Has any other domain sent within the hours? */
bool brake_has_others(const struct brake_domains *domains, const struct brake *brake,
                      uint32_t hours, int64_t now_ms);
void brake_domains_done(struct brake_domains *domains); /* empty again */

/* What `of` counted counts no more in `from`, which has counted all of it. */
void brake_subtract(struct brake *from, const struct brake *of);
void brake_reset(struct brake *brake);
void brake_hear(struct brake *brake, enum brake_event event, int64_t now_ms);
/* Of the last `hours`. */
struct brake_counts brake_counts(const struct brake *brake, uint32_t hours, int64_t now_ms);
/* True with the reason when a limit is passed. */
bool brake_is_due(const struct brake *brake, const struct brake_conf *conf, int64_t now_ms,
                  char why[BRAKE_WHY_BYTES_MAX + 1]);

#endif
