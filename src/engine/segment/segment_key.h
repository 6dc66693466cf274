/*
 * segment_key: the value by which somebody is in a journey, as a number.
 *
 * A cart's 4711 and "4711" are the same key. Keys are never kept as text in memory: of two keys of
 * one person in four thousand million one pair is taken for the same.
 *
 * Always true   the number is the same on every machine and in every version, and never 0.
 * Bounds        SEGMENT_KEY_BYTES_MAX bytes of text; longer ones are no key.
 */
#ifndef DULT_ENGINE_SEGMENT_KEY_H
#define DULT_ENGINE_SEGMENT_KEY_H

#include "base/json.h"

enum { SEGMENT_KEY_BYTES_MAX = 200 };

/* The value as text, perhaps in `bytes`; empty: a list, null, or too long. */
struct str segment_key_text(const struct json *value, char bytes[static 32]);
/* Of that text; 0 of the empty one: no key. */
uint32_t segment_key_of(struct str text);
/* Both. */
uint32_t segment_key(const struct json *value);

#endif
