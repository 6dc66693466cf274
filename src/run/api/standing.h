/*
 * standing: who is inside a journey, node by node, and who of them would go on by another text of
 * it.
 */
#ifndef DULT_RUN_STANDING_H
#define DULT_RUN_STANDING_H

#include "run/api/api_inside.h"

/* Appends "inside":{"people","moves","nodes":[{"id","people","moves"}],"filled"?,"fills"?:[{"id",
 * "people"}]}, who would get what is new (engine/journey/filling.h): times in the journey, the most
 * that it can be; nothing where there is no such journey yet. The engine's thread is held for
 * STANDING_PEOPLE a time, of which one whose timeline is read counts as 100 and more. */
enum { STANDING_PEOPLE = 20000 };
/* May those inside get what is new before where they stand? Not while the journey is paused. */
MUST enum err standing_fills_check(struct call *call, struct str name);
MUST enum err standing_write(struct call *call, struct str name, struct str text, struct buf *out,
                             bool *first);

#endif
