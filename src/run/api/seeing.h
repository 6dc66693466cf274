/*
 * seeing: what was seen of a touchpoint, written into an answer.
 *
 *      "title","stage","source"?,"source_known"?,"feeling"?,"note"?,
 *      "seen": {"count","people","last","recent","recent_people","days","never"},
 *      "events": [{"event","count","recent","last","never"}]
 *
 * `source_known` says whether a write key of that name is in force.
 * Without `last`, and with `never` true, is what never came, as far back as events are kept.
 */
#ifndef DULT_RUN_SEEING_H
#define DULT_RUN_SEEING_H

#include "engine/touchpoint.h"
#include "run/api/ask.h"

enum { SEEING_DAYS = 30, SEEING_DAYS_MAX = 3650 };

/* How many days are "recent": ?days=. ERR_INPUT. */
MUST enum err seeing_days(struct call *call, int64_t *days);
/* Asked in the place of what was asked before; the same view and instant. */
MUST enum err seeing_write(struct ask *ask, const struct touchpoint *touchpoint, int64_t days,
                           struct buf *out, bool *first);
/* The same of a definition's text, by an ask of its own. */
MUST enum err seeing_write_text(struct call *call, struct str text, struct buf *out, bool *first);

#endif
