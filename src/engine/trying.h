/*
 * trying: of a message that has not gone: why it waits, and when it is looked at next. It changes
 * nothing.
 *
 *      {"state": "queued" | "sending" | "unknown", "attempts": 2,
 *       "at": INSTANT, "why": "quiet hours by the person's clock", "drops": true?}
 *
 * `at` is when it is tried or looked at next, where that is known: what waits for a word (sending
 * is stopped, the broadcast is paused, no code is left) has none. "drops": then it will not be
 * sent, for that reason, unless that changes before.
 *
 * Said as of now, in the order in which a claim asks: what holds all, its broadcast, codes, the
 * time that it was told to wait until, consent and address, quiet hours and limits.
 *
 * Knows not   how fast a mail host is spoken to, and what delivery holds in its hands: that is
 *             "sending"; the words of the last answer, which its decision keeps.
 */
#ifndef DULT_ENGINE_TRYING_H
#define DULT_ENGINE_TRYING_H

#include "engine/engine.h"

/* Appends the object; null where the person has no such message under way. */
void trying_write(struct engine *engine, uint32_t person, uint64_t message, struct buf *out);

#endif
