/*
 * checkpointing: when is everyone's state written, and how fast?
 *
 * A checkpoint writes a row for each person, and until it is done these share the disk with what
 * clients wait for. So a round goes as fast as records come, and no faster while they come:
 *
 *      records   |---- since the last one: all ----|-- all / 2 --|      all: as many as there are
 *                                           begins |    rows     | done      people, or a million
 *
 * A record then brings at most two rows with it, however many people there are, and a start has at
 * most one and a half times `all` records to apply again. When nothing comes, a round begins
 * earlier and goes faster. The first round after an upgrade that asks everyone anew is wanted at
 * once, for until it is done a start asks them again.
 *
 * Knows not     whether a round is under way, and the clock.
 */
#ifndef DULT_RUN_CHECKPOINTING_H
#define DULT_RUN_CHECKPOINTING_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CHECKPOINTING_RECORDS_MIN = 1000000, /* events and decisions; fewer are quickly applied again */
    CHECKPOINTING_ROWS_IDLE = 1000,      /* one who comes now waits for them */
    CHECKPOINTING_ROWS_CLOSING = 4000,   /* nobody waits but the end */
};

struct checkpointing {
    uint64_t people;
    uint64_t every;      /* records; 0: chosen */
    uint64_t since;      /* records since the last round began */
    uint32_t fresh;      /* of this turn */
    bool     is_idle;    /* nothing came this turn */
    bool     is_closing; /* and nothing will */
    bool     is_wanted;  /* however few they are */
};

bool checkpointing_is_due(const struct checkpointing *checkpointing);
/* How many rows this turn writes of the round under way; at least 1. */
uint32_t checkpointing_rows(const struct checkpointing *checkpointing);

#endif
