/*
 * hash: XXH3 (BSD, from the distribution) under our own names.
 *
 * `hash_str` is for tables in memory: its seed is the caller's, so strangers cannot aim at one
 * bucket. `hash_chance` is for decisions: the same on every machine and in every version, because
 * who is in an experiment must never change by itself.
 */
#ifndef DULT_BASE_HASH_H
#define DULT_BASE_HASH_H

#include "base/str.h"

uint64_t hash_str(struct str s, uint64_t seed);
uint64_t hash_u64(uint64_t value, uint64_t seed);

/* A number in [0, 1) fixed by (who, what); evenly spread. */
double hash_chance(struct str who, struct str what);

/* 64 bits from the system's generator; for seeds and keys, at the edge only. */
uint64_t hash_random_seed(void);

#endif
