/*
 * attempts: who has guessed wrong too often?
 *
 * Every failed sign-in spends one of an address's tries; tries come back with time. The table is
 * bounded: an address lands in one of four places of its row, and a full row forgets the one that
 * has been quiet longest. Right guesses cost nothing, so a busy client is never locked out.
 *
 * Always true   an address has between 0 and ATTEMPTS_MAX tries.
 * Cost          24 bytes an address in the table, one lock, no allocation after the start.
 * Knows not     the clock and what an address is: the caller brings both.
 */
#ifndef DULT_SERVER_ATTEMPTS_H
#define DULT_SERVER_ATTEMPTS_H

#include "base/str.h"

enum {
    ATTEMPTS_MAX = 10,        /* wrong guesses in a row */
    ATTEMPTS_BACK_MS = 30000, /* one try comes back each */
    ATTEMPTS_ROWS = 1024,
    ATTEMPTS_ROW_PLACES = 4,
};

struct attempts;

struct attempts *attempts_open(uint64_t seed); /* NULL without memory */
void             attempts_close(struct attempts *attempts);

/* 0: may try now. Otherwise how long to wait, in ms. */
int64_t attempts_wait_ms(struct attempts *attempts, struct str address, int64_t now_ms);
/* A wrong guess. */
void attempts_failed(struct attempts *attempts, struct str address, int64_t now_ms);

#endif
