/*
 * sharing: templates and the snippets that they share, when one of them is changed.
 *
 * A template is read with the snippets of now before it is saved. A snippet that a template needs
 * is not deleted: the next mail would be held back.
 */
#ifndef DULT_RUN_SHARING_H
#define DULT_RUN_SHARING_H

#include "run/api/api_inside.h"

/* ERR_INPUT with call->problem: the template, or a snippet in it, is broken or not there. */
MUST enum err templates_check(struct call *call, struct str name, struct str text);

/* ERR_CONFLICT with call->problem: a template would be broken without the snippet. */
MUST enum err templates_spare(struct call *call, struct str snippet);

struct snippets;
/* All that there are now; for snippets_close. */
MUST enum err snippets_now(struct call *call, struct snippets **out);

#endif
