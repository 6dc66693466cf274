/*
 * hits: what the people of a block did, of the kinds that a report asks for, in order.
 *
 *      kinds        0 "Signed Up"    1 "Invited" where ...    2 "Paid"
 *      one person   0 . 1 . 1 . 0 . 2        by (at, seq); of one record's the later kind first
 *
 * A person's hits are gathered from the postings of every level, and from all their profiles. What
 * `where` says of days is in the workspace's zone.
 */
#ifndef DULT_ENGINE_REPORT_HITS_H
#define DULT_ENGINE_REPORT_HITS_H

#include "engine/report/block.h"
#include "engine/report/someone.h"

enum { HITS_KINDS_MAX = REPORT_STEPS_MAX };

struct hit {
    int64_t  at_ms;
    uint32_t place; /* in the columns of `run` */
    uint16_t run, kind;
};

/* Instants, the second one outside. */
struct hits_span {
    int64_t from_ms, to_ms;
};

struct hits {
    const struct report          *report;
    const struct segment_program *programs[HITS_KINDS_MAX];
    uint32_t                      kinds;
    struct block                  block;
    struct someone                someone; /* whoever of several profiles was asked about last */
    struct run                    levels[VIEW_LEVELS_MAX]; /* the columns of each level, whole */
    const struct run             *runs;   /* of the hits: the levels, or those of someone */
    struct slices                *slices; /* of each kind */
    struct hit                   *items;
    uint32_t                      count, room;
};

/* For `kinds` programs that passed report_event_check. ERR_MEMORY. */
MUST enum err hits_open(struct hits **out, const struct report *report,
                        const struct segment_program *const *programs, uint32_t kinds);
void          hits_close(struct hits *hits);
void          hits_closep(struct hits **hits); /* for SCOPED */

/* Goes to the block at `first`. */
void hits_block(struct hits *hits, uint32_t first, uint32_t to);
/* The same in steps: to the block, then each kind for those of whom it will be asked. */
void hits_block_begin(struct hits *hits, uint32_t first, uint32_t to);
void hits_block_kind(struct hits *hits, uint32_t kind, const uint64_t *asked);
/* People who may have a hit of that kind: those of one profile who have a posting, and all of
 * several profiles. */
void hits_people(const struct hits *hits, uint32_t kind, uint64_t *out);
/* Asks the processor to have at hand soon the first `most` hits of a kind, of those of a word of
 * people; of everything they did so many lines of its memory. */
void hits_prefetch(const struct hits *hits, uint32_t kind, uint32_t word, uint64_t people,
                   uint32_t most);

/* Forgets the last person's hits and begins with that of the block's profile i. */
void hits_begin(struct hits *hits, uint32_t i);
/* Adds those of one kind within the span. ERR_MEMORY. */
MUST enum err hits_add(struct hits *hits, uint32_t i, uint32_t kind, struct hits_span span);
/* The instant of the first one ever, by the report's; INT64_MAX for none. */
int64_t hits_first_ms(const struct hits *hits, uint32_t i, uint32_t kind);
/* Puts all that were added in order. */
void hits_sort(struct hits *hits);

/* What a hit's columns say. */
static inline uint32_t hit_seq(const struct hits *hits, const struct hit *hit)
{
    return hits->runs[hit->run].seq[hit->place];
}
static inline uint32_t hit_bag(const struct hits *hits, const struct hit *hit)
{
    return hits->runs[hit->run].bag[hit->place];
}

static inline bool hits_is_ringed(const struct hits *hits, uint32_t i)
{
    return (hits->block.ringed[i / 64] >> (i % 64) & 1) != 0;
}

/* Of one profile, and every posting is a hit: nothing but its instant need be looked at. */
bool hits_is_plain(const struct hits *hits, uint32_t i, uint32_t kind);

/* Does one event, by name and bag, belong to the kind? */
bool hits_is(const struct hits *hits, uint32_t kind, uint16_t name, uint32_t bag);

#endif
