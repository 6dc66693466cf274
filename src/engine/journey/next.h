/*
 * next: what comes next for somebody inside a journey. It changes nothing.
 *
 *      [{"enrollment": 7, "node": "paid", "waits_for": "an event",
 *        "until": INSTANT, "until_local": "2026-01-04 10:00",
 *        "ways": [{"way": "yes", "when": "did \"Paid\"", "then": [STEP, ...]},
 *                 {"way": "timeout", "when": "the time is over", "at": INSTANT, "then": [...]}],
 *        "left_when": CONDITION, "goal": CONDITION, "goal_until": INSTANT}, ...]
 *
 *      STEP  {"node": ID, "does": "message" | "wait" | ... | "end",
 *             "template", "goes", "why_not", "not_before", "held_by"   of a message
 *             "takes"                                                 of a split
 *             "length"                                                of a wait}
 *
 * The steps end at the next node that waits, at the end, or after NEXT_STEPS_MAX. Whatever depends
 * on what is known (which way a split goes, whether a message goes) is told as of now; quiet hours
 * are those of the instant at which the way is taken, where that is known. "goes": neither consent,
 * address, suppression nor a limit would keep it back; "not_before": it would be put off.
 */
#ifndef DULT_ENGINE_JOURNEY_NEXT_H
#define DULT_ENGINE_JOURNEY_NEXT_H

#include "engine/engine.h"

enum { NEXT_STEPS_MAX = 16 };

/* Appends the array: empty for who is not inside. */
void next_write(struct engine *engine, uint32_t person, uint32_t journey, struct buf *out);

#endif
