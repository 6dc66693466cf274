/*
 * entering: what would have to happen for somebody to come into a journey. It changes nothing.
 *
 *      {"begins": "the event \"Signed Up\"", "where": CONDITION, "reentry": "once" | "always" |
 *       "after 30 days", "enters": true | false, "why_not": ..., "from": INSTANT,
 *       "from_local": "2026-02-01 10:00"}
 *
 * "enters": would they come in if it happened now? "from": not before. The same answers as those
 * of a trigger (walk.c).
 */
#ifndef DULT_ENGINE_JOURNEY_ENTERING_H
#define DULT_ENGINE_JOURNEY_ENTERING_H

#include "engine/engine.h"

/* Appends the object; null where the journey is not live. */
void entering_write(struct engine *engine, uint32_t person, uint32_t journey, struct buf *out);

#endif
