/*
 * tracking: what pages behind a link of a mail share with the links that only lead on.
 *
 * Somebody who looks at a page of ours has followed a link of the mail: a click, judged as every
 * other click is. That is all a look is: what a page is about needs its button.
 */
#ifndef DULT_RUN_API_TRACKING_H
#define DULT_RUN_API_TRACKING_H

#include "run/api/api_inside.h"
#include "run/returned/trail.h"

/* Why the request is a program's; NULL: it is a person's. */
const char *tracking_sign(const struct call *call);
/* Records the click; `about` ("question:nps:9") stands where an address does. What cannot be
 * recorded is left out: the page comes in any case. */
void tracking_visited(struct call *call, const struct trail *trail, struct str about);

#endif
