/*
 * short_memory: a life told again and again, each time with memory failing at another place.
 *
 * An allocation fails once for each way of calls that leads to it (the callers' addresses, so many
 * deep), until a run has no new one. This is every n-th allocation without the thousands that
 * come by the same way.
 *
 * Always true   of one program the same life fails at the same places in the same order.
 * Knows not     what libraries ask for by themselves (PCRE2, simdjson).
 */
#ifndef DULT_ENGINE_SHORT_MEMORY_TEST_H
#define DULT_ENGINE_SHORT_MEMORY_TEST_H

#include <stdint.h>

#include "base/str.h"

/* Opens what it needs, lives, writes to *told what came of it, and closes all, also after an error,
 * which it returns. */
typedef enum err short_memory_live(const void *context, uint64_t *told);

/*
 * Each run in which memory failed ends with ERR_MEMORY, or has told the same as the last one, in
 * which none did: then what failed was only for speed. None leaves memory behind. Returns how many
 * ways there are.
 */
int short_memory_everywhere(short_memory_live *live, const void *context);

/* Adds to what is told. */
uint64_t short_memory_tell(uint64_t told, struct str text);

#endif
