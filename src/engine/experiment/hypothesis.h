/*
 * hypothesis: what an experiment is to show, in its definition for those who read it later.
 */
#ifndef DULT_ENGINE_HYPOTHESIS_H
#define DULT_ENGINE_HYPOTHESIS_H

#include "base/json.h"

enum { HYPOTHESIS_BYTES_MAX = 1000 };

/* A text of 1 to HYPOTHESIS_BYTES_MAX bytes; or NULL: there is none. */
bool hypothesis_is_good(const struct json *value);

#endif
