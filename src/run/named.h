/*
 * named: is a definition named in the text of another?
 *
 *      in segment "vip"        {"segment": "vip"}        "in segment \"vip\""        contains 'vip'
 */
#ifndef DULT_RUN_NAMED_H
#define DULT_RUN_NAMED_H

#include "base/str.h"

/* Does the name stand in quotes there? An empty name is nowhere. */
bool named_in(struct str text, struct str name);

#endif
