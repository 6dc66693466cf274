/*
 * look: does a link answer? One request, by HEAD and where that is refused by GET.
 *
 * Every address that a name leads to is asked of the guard before a connection is opened, at each
 * redirect, too: a link in a mail must not make this machine knock on doors of its own network.
 *
 * Always true   it ends within LOOK_WAIT_MS a method; of an answer at most a few bytes are read.
 */
#ifndef DULT_DELIVERY_LOOK_H
#define DULT_DELIVERY_LOOK_H

#include <stdbool.h>

#include "base/str.h"

enum { LOOK_WAIT_MS = 8000, LOOK_REDIRECTS_MAX = 5 };

struct look {
    long status;   /* of the last answer; 0: there was none */
    char why[120]; /* why there was none */
};

/* `lets_inside` is for tests: whatever the address. */
struct look look_at(const char *url, bool lets_inside);

#endif
