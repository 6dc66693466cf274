/*
 * kind: does this mail, which has no report in it, tell of a failure at all?
 *
 * From a mail daemon: yes. An automatic answer (RFC 3834) and an answer by a person: no, whatever
 * they quote. Anybody else: when the text says in plain words that something was not delivered.
 */
#ifndef DULT_BOUNCE_KIND_H
#define DULT_BOUNCE_KIND_H

#include "base/arena.h"
#include "base/str.h"

bool kind_is_failure(struct arena *arena, struct str head, struct str letter);

#endif
