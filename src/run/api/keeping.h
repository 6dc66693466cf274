/*
 * keeping: how long events are kept, told before it is put in force and while it is.
 *
 *      {"events": "2 years", "by_event": {"Page Viewed": "90 days"}}
 *
 * A preview asks the view: how many events would go, from how many people, and who would be in
 * other segments. It is true of one record; what arrives until it is in force is not in it.
 */
#ifndef DULT_RUN_KEEPING_H
#define DULT_RUN_KEEPING_H

#include "run/api/api_inside.h"

/* "goes": what the document would take away now. ERR_INPUT with a problem, ERR_WAIT. */
MUST enum err keeping_preview_write(struct call *call, struct str text, struct buf *out,
                                    bool *first);
/* "state", "kept_from", ...: what is in force, and how far it is carried out. */
MUST enum err keeping_state_write(struct call *call, struct buf *out, bool *first);

#endif
