/*
 * tangling: what a journey's drawing hides, in the answer to whoever saves it.
 */
#ifndef DULT_RUN_TANGLING_H
#define DULT_RUN_TANGLING_H

#include "run/api/api_inside.h"

/*
 * Appends the findings of a journey's text (engine/journey/tangle.h), each as an object, with
 * commas before all but the first; *any says whether there was one. A text that is refused has
 * none.
 */
MUST enum err tangling_write(struct call *call, struct str text, struct buf *out, bool *any);
/* The same of a journey that is in force, each with "kind" and "name"; of none that is not there.
 */
MUST enum err tangling_write_live(struct call *call, struct str name, struct buf *out, bool *any);

#endif
