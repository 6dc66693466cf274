/*
 * topics_put: what topics that ask to confirm need besides themselves.
 *
 * The mail that asks is a template like any other. Where a document names one that is not there, a
 * new workspace's (src/run/pages/confirm.email, in six languages) is defined under that name, to be
 * changed by whoever wants other words.
 */
#ifndef DULT_RUN_API_TOPICS_PUT_H
#define DULT_RUN_API_TOPICS_PUT_H

#include "run/api/api_inside.h"

/* The name of the template that is still to be made, in the call's arena; empty: none. */
MUST enum err topics_template_wanted(struct call *call, struct str text, struct str *name);

#endif
